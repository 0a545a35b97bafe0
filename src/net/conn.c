#include "conn.h"

#include <openssl/err.h>

/* ---- states ---- */

#define TO(name) (1u << STILE__CONN_##name)
static const struct {
    const char *text;
    unsigned next;
} states[] = {
#define X(name, text, next) {text, next},
    STILE__CONN_STATES(X)
#undef X
};

static void list_remove(struct stile__conn_list *list, struct stile__conn *conn)
{
    if (conn->prev) {
        conn->prev->next = conn->next;
    } else {
        list->first = conn->next;
    }
    if (conn->next) {
        conn->next->prev = conn->prev;
    }
    conn->prev = conn->next = NULL;
    list->count--;
}

static void list_add(struct stile__conn_list *list, struct stile__conn *conn)
{
    conn->prev = NULL;
    conn->next = list->first;
    if (list->first) {
        list->first->prev = conn;
    }
    list->first = conn;
    list->count++;
}

void stile__conn_move(struct stile__conn *conn, enum stile__conn_state state,
                      const char *why)
{
    STILE_ASSERT((states[conn->state].next & (1u << state)) != 0);
    list_remove(&conn->listener->lists[conn->state], conn);
    conn->state = state;
    conn->why = why;
    conn->phase_at = uv_now(conn->listener->loop);
    conn->read_at = conn->phase_at;
    list_add(&conn->listener->lists[state], conn);
}

void stile__conn_note(struct stile__conn *conn, const char *what)
{
    struct stile_listener *listener = conn->listener;
    if (listener->options.on_note && !listener->closing) {
        listener->options.on_note(listener->options.ctx, what,
                                  stile_str_cstr(conn->address));
    }
}

/* ---- deadlines ---- */

static uint64_t after(uint64_t from, uint64_t ms)
{
    return ms > UINT64_MAX - from ? UINT64_MAX : from + ms;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Each phase has its own, and none moves when bytes trickle in. */
static uint64_t deadline(const struct stile__conn *conn)
{
    const struct stile_net_limits *limits = &conn->listener->options.limits;
    uint64_t life = after(conn->born, limits->life_ms);
    switch (conn->state) {
    case STILE__CONN_HANDSHAKE:
        return after(conn->phase_at, limits->handshake_ms);
    case STILE__CONN_HEAD:
        return sooner(life, after(conn->phase_at, limits->head_ms));
    case STILE__CONN_BODY: {
        /* The rate counts from the start, with one idle time of grace. */
        uint64_t rate = after(conn->phase_at, limits->body_idle_ms);
        rate = after(rate,
                     (uint64_t)conn->http.body.len * 1000 / limits->body_rate);
        return sooner(life,
                      sooner(rate, after(conn->read_at, limits->body_idle_ms)));
    }
    case STILE__CONN_HANDLE:
        return after(conn->phase_at, limits->answer_ms);
    case STILE__CONN_WRITE:
        return after(conn->phase_at, limits->write_ms);
    case STILE__CONN_IDLE:
        return sooner(life, after(conn->phase_at, limits->idle_ms));
    case STILE__CONN_LINGER:
        return after(conn->phase_at, limits->linger_ms);
    case STILE__CONN_CLOSED:
    case STILE__CONN_COUNT:
        break;
    }
    return UINT64_MAX;
}

static void on_timer(uv_timer_t *timer);

/* A timer already set for an earlier moment is left: it finds out then. */
static void arm(struct stile__conn *conn)
{
    uint64_t at = deadline(conn), now = uv_now(conn->listener->loop);
    if (conn->armed <= at && uv_is_active((uv_handle_t *)&conn->timer)) {
        return;
    }
    conn->armed = at;
    int got =
        uv_timer_start(&conn->timer, on_timer, at > now ? at - now : 0, 0);
    STILE_ASSERT(got == 0); /* only a closing handle is refused */
}

static void late(struct stile__conn *conn)
{
    struct stile_listener_counts *counts = &conn->listener->counts;
    switch (conn->state) {
    case STILE__CONN_HANDSHAKE:
        counts->timeouts++;
        counts->handshake_failures++;
        stile__conn_note(conn, "the handshake took too long");
        stile__conn_close(conn, "the handshake took too long");
        break;
    case STILE__CONN_HEAD:
        if (stile__http_fresh(&conn->http)) {
            stile__conn_finish(conn, "no request came");
        } else {
            counts->timeouts++;
            stile__talk_refuse(conn, 408, "the head took too long");
        }
        break;
    case STILE__CONN_BODY:
        counts->timeouts++;
        stile__talk_refuse(conn, 408, "the body came too slowly");
        break;
    case STILE__CONN_HANDLE:
        counts->timeouts++;
        stile__talk_refuse(conn, 504, "the answer took too long");
        break;
    case STILE__CONN_WRITE:
        counts->timeouts++;
        stile__conn_note(conn, "the peer did not read its answer");
        stile__conn_close(conn, "the peer did not read its answer");
        break;
    case STILE__CONN_IDLE:
        stile__conn_finish(conn, "idle too long");
        break;
    case STILE__CONN_LINGER:
        stile__conn_close(conn, "the peer did not close");
        break;
    case STILE__CONN_CLOSED:
    case STILE__CONN_COUNT:
        break;
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct stile__conn *conn = timer->data;
    if (uv_now(conn->listener->loop) >= deadline(conn)) {
        late(conn);
    }
    stile__conn_run(conn);
}

/* ---- the socket ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct stile__conn *conn = handle->data;
    (void)suggested;
    *buf = uv_buf_init(conn->listener->read, sizeof conn->listener->read);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct stile__conn *conn = stream->data;
    if (got > 0) {
        conn->listener->counts.bytes_in += (uint64_t)got;
        conn->read_at = uv_now(conn->listener->loop);
        conn->wire.fresh = (struct stile_str){buf->base, (size_t)got};
    } else if (got == UV_EOF) {
        conn->eof = true;
    } else if (got < 0) {
        conn->eof = true;
        stile__conn_close(conn, "the connection broke");
    }
    stile__conn_run(conn);
}

/* Reading stops while what was read has no taker. */
static void set_reading(struct stile__conn *conn)
{
    bool want = !conn->eof && conn->wire.in.len < STILE__WIRE_MAX;
    if (want && !conn->reading) {
        conn->reading =
            uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) == 0;
        if (!conn->reading) {
            stile__conn_close(conn, "reading could not begin");
        }
    } else if (!want && conn->reading) {
        (void)uv_read_stop((uv_stream_t *)&conn->tcp); /* never fails */
        conn->reading = false;
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct stile__conn *conn = write->data;
    conn->writing = false;
    stile_buf_clear(&conn->sending);
    if (status != 0 && conn->state != STILE__CONN_CLOSED) {
        stile__conn_close(conn, "the connection broke");
    }
    stile__conn_run(conn);
}

void stile__conn_flush(struct stile__conn *conn)
{
    struct stile_buf *out = &conn->wire.out;
    if (conn->writing || out->len == 0 || conn->state == STILE__CONN_CLOSED) {
        return;
    }
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
    uv_buf_t buf = uv_buf_init(out->ptr, (unsigned)out->len);
    int got = uv_try_write(stream, &buf, 1);
    if (got < 0 && got != UV_EAGAIN) {
        stile__conn_close(conn, "the connection broke");
        return;
    }
    if (got > 0) {
        conn->listener->counts.bytes_out += (uint64_t)got;
        stile_buf_consume(out, (size_t)got);
    }
    if (out->len == 0) {
        return;
    }
    struct stile_buf full = *out;
    *out = conn->sending;
    conn->sending = full;
    buf = uv_buf_init(full.ptr, (unsigned)full.len);
    if (uv_write(&conn->write, stream, &buf, 1, on_written) != 0) {
        stile__conn_close(conn, "the connection broke");
        return;
    }
    conn->listener->counts.bytes_out += full.len;
    conn->writing = true;
}

/* ---- life ---- */

void stile__conn_run(struct stile__conn *conn)
{
    if (conn->running) {
        return; /* the loop below, further up the stack, goes on */
    }
    conn->running = true;
    while (conn->state != STILE__CONN_CLOSED && stile__talk_step(conn)) {
    }
    stile__conn_flush(conn);
    if (conn->state != STILE__CONN_CLOSED && !stile__wire_keep(&conn->wire)) {
        stile__conn_close(conn, "memory is short");
    }
    conn->wire.fresh = STILE_STR_NULL;
    if (conn->state != STILE__CONN_CLOSED) {
        set_reading(conn);
    }
    if (conn->state != STILE__CONN_CLOSED) {
        arm(conn);
    }
    conn->running = false;
}

void stile__conn_finish(struct stile__conn *conn, const char *why)
{
    bool between =
        conn->state == STILE__CONN_IDLE ||
        (conn->state == STILE__CONN_HEAD && stile__http_fresh(&conn->http));
    conn->close_after = true;
    if (between) {
        stile__conn_move(conn, STILE__CONN_LINGER, why);
        stile__conn_run(conn);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct stile__conn *conn = handle->data;
    conn->handles--;
    stile__conn_settle(conn);
}

void stile__conn_close(struct stile__conn *conn, const char *why)
{
    if (conn->state == STILE__CONN_CLOSED) {
        return;
    }
    stile__conn_move(conn, STILE__CONN_CLOSED, why);
    conn->listener->counts.open--;
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
    uv_close((uv_handle_t *)&conn->timer, on_closed);
}

void stile__conn_settle(struct stile__conn *conn)
{
    struct stile_listener *listener = conn->listener;
    if (conn->state != STILE__CONN_CLOSED || conn->handles > 0 ||
        conn->call.open) {
        return;
    }
    list_remove(&listener->lists[STILE__CONN_CLOSED], conn);
    SSL_free(conn->ssl);
    ERR_clear_error();
    stile__wire_release(&conn->wire);
    stile__http_release(&conn->http);
    stile_buf_release(&conn->sending);
    stile_buf_release(&conn->plain);
    stile_buf_release(&conn->answer);
    free(conn);
    stile__listener_settle(listener);
}

/* ---- acceptance ---- */

static void on_discarded(uv_handle_t *handle)
{
    free(handle);
}

/* A connection past a cap is taken and closed, so that it does not wait. */
static void discard(struct stile_listener *listener)
{
    uv_tcp_t *tcp = malloc(sizeof *tcp);
    if (!tcp) {
        return;
    }
    if (uv_tcp_init(listener->loop, tcp) != 0) {
        free(tcp);
        return;
    }
    (void)uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)tcp);
    uv_close((uv_handle_t *)tcp, on_discarded);
}

static bool find_address(struct stile__conn *conn)
{
    struct sockaddr_storage facts;
    int len = sizeof facts;
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&facts, &len) != 0) {
        return false;
    }
    if (facts.ss_family == AF_INET6) {
        return uv_ip6_name((const struct sockaddr_in6 *)&facts, conn->address,
                           sizeof conn->address) == 0;
    }
    return uv_ip4_name((const struct sockaddr_in *)&facts, conn->address,
                       sizeof conn->address) == 0;
}

static size_t same_address(const struct stile__conn *conn)
{
    size_t count = 0;
    for (int i = 0; i < STILE__CONN_CLOSED; i++) {
        const struct stile__conn *other = conn->listener->lists[i].first;
        for (; other; other = other->next) {
            if (strcmp(other->address, conn->address) == 0) {
                count++;
            }
        }
    }
    return count;
}

/* The oldest handshake goes, not the newest: strangers who begin handshakes and
 * do not end them would else keep partners out for as long as one may take,
 * also those behind the same address. To push a partner out they must now begin
 * as many as there may be within the moment its own takes. `address` NULL: of
 * any. False when there is no other. */
static bool give_way(struct stile__conn *conn, const char *address,
                     const char *note)
{
    struct stile__conn *other =
        conn->listener->lists[STILE__CONN_HANDSHAKE].first;
    struct stile__conn *oldest = NULL;
    for (; other; other = other->next) { /* the newest stands first */
        if (other != conn &&
            (!address || strcmp(other->address, address) == 0)) {
            oldest = other;
        }
    }
    if (oldest) {
        conn->listener->counts.refused++;
        stile__conn_note(oldest, note);
        stile__conn_close(oldest, "it gave way to a newer handshake");
    }
    return oldest != NULL;
}

static const char *refusal(struct stile__conn *conn)
{
    struct stile_listener *listener = conn->listener;
    const struct stile_net_limits *limits = &listener->options.limits;
    if (!find_address(conn)) {
        return "the peer was gone at once";
    }
    /* This connection is on a list already and counts itself. */
    if (same_address(conn) > limits->connections_peer &&
        !give_way(conn, conn->address, "an address has too many connections")) {
        return "an address has too many connections";
    }
    if (listener->ctx &&
        listener->lists[STILE__CONN_HANDSHAKE].count > limits->handshakes) {
        (void)give_way(conn, NULL, "too many handshakes at once");
    }
    if (listener->ctx) {
        conn->ssl =
            stile__tls_new(listener->ctx, listener->method, &conn->wire);
        if (!conn->ssl) {
            return "TLS could not begin";
        }
    }
    return NULL;
}

static struct stile__conn *conn_new(struct stile_listener *listener)
{
    struct stile__conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        return NULL;
    }
    if (uv_tcp_init(listener->loop, &conn->tcp) != 0) {
        free(conn);
        return NULL;
    }
    int got = uv_timer_init(listener->loop, &conn->timer);
    STILE_ASSERT(got == 0); /* has no way to fail */
    conn->listener = listener;
    conn->tcp.data = conn->timer.data = conn;
    conn->write.data = conn->shutdown.data = conn;
    conn->call.conn = conn;
    conn->handles = 2;
    conn->generation = listener->generation;
    conn->born = conn->phase_at = conn->read_at = uv_now(listener->loop);
    stile__wire_init(&conn->wire);
    stile__http_init(&conn->http, &listener->options.limits);
    stile_buf_init(&conn->sending, conn->wire.out.limit);
    stile_buf_init(&conn->plain, sizeof listener->plain);
    /* The head of an answer is ours and the handler's extra headers. */
    stile_buf_init(&conn->answer,
                   listener->options.limits.answer_bytes + STILE__WIRE_MAX);
    conn->state = listener->ctx ? STILE__CONN_HANDSHAKE : STILE__CONN_HEAD;
    conn->why = "accepted";
    list_add(&listener->lists[conn->state], conn);
    listener->counts.connections++;
    listener->counts.open++;
    return conn;
}

void stile__conn_accept(struct stile_listener *listener)
{
    const char *note = "too many connections";
    struct stile__conn *conn = NULL;
    if (listener->counts.open < listener->options.limits.connections) {
        note = "memory is short";
        conn = conn_new(listener);
    }
    if (!conn) {
        listener->counts.refused++;
        if (listener->options.on_note) {
            listener->options.on_note(listener->options.ctx, note,
                                      STILE_STR(""));
        }
        discard(listener);
        return;
    }
    note = "the peer was gone at once";
    if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&conn->tcp) ==
        0) {
        note = refusal(conn);
    }
    if (note) {
        listener->counts.refused++;
        stile__conn_note(conn, note);
        stile__conn_close(conn, note);
        return;
    }
    (void)uv_tcp_nodelay(&conn->tcp, 1); /* a wish, not a need */
    stile__conn_run(conn);
}
