#include "conn.h"

#include <openssl/err.h>

const struct stile_net_limits stile_net_defaults = {
    .handshake_ms = 10000,
    .head_ms = 10000,
    .body_idle_ms = 10000,
    .body_rate = 1024,
    .answer_ms = 60000,
    .write_ms = 30000,
    .idle_ms = 60000,
    .life_ms = 3600000,
    .requests = 1000,
    .head_bytes = 16 << 10,
    .line_bytes = 8 << 10,
    .headers = 100,
    .body_bytes = 8 << 20,
    .connections = 512,
    .connections_peer = 32,
    .handshakes = 64,
    .linger_ms = 5000,
    .answer_bytes = 64 << 20,
};

#define BACKLOG 511

static bool limits_valid(const struct stile_net_limits *limits)
{
    return limits->handshake_ms > 0 && limits->head_ms > 0 &&
           limits->body_idle_ms > 0 && limits->body_rate > 0 &&
           limits->answer_ms > 0 && limits->write_ms > 0 &&
           limits->idle_ms > 0 && limits->life_ms > 0 && limits->requests > 0 &&
           limits->head_bytes > 0 && limits->line_bytes > 0 &&
           limits->headers > 0 && limits->body_bytes > 0 &&
           limits->connections > 0 && limits->connections_peer > 0 &&
           limits->handshakes > 0 && limits->linger_ms > 0 &&
           limits->answer_bytes > 0 &&
           limits->answer_bytes < SIZE_MAX - STILE__WIRE_MAX;
}

/* ---- TLS of a generation ---- */

/* Listener and generation make the session context: see tls.h. */
static SSL_CTX *context(const struct stile_listener *listener,
                        struct stile_identity *identity)
{
    struct stile_buf salt;
    stile_buf_init(&salt, 256);
    stile_buf_printf(&salt, "%d/%u", stile_listener_port(listener),
                     listener->generation);
    SSL_CTX *ctx = salt.status == STILE_OK
                       ? stile__tls_server(identity, stile_buf_str(&salt))
                       : NULL;
    stile_buf_release(&salt);
    return ctx;
}

enum stile_status stile_listener_reload(struct stile_listener *listener,
                                        struct stile_identity *identity)
{
    if (!listener->ctx || !identity) {
        return STILE_INVALID;
    }
    listener->generation++;
    SSL_CTX *ctx = context(listener, identity);
    if (!ctx) {
        listener->generation--;
        return STILE_INVALID;
    }
    SSL_CTX_free(listener->ctx); /* connections hold it while they need it */
    listener->ctx = ctx;
    stile_identity_free(&listener->identity);
    listener->identity = stile__identity_ref(identity);
    /* A kept connection was let in under the old trust. */
    static const enum stile__conn_state between[] = {STILE__CONN_IDLE,
                                                     STILE__CONN_HEAD};
    for (size_t i = 0; i < sizeof between / sizeof *between; i++) {
        struct stile__conn *conn = listener->lists[between[i]].first;
        while (conn) {
            struct stile__conn *next = conn->next;
            stile__conn_finish(conn, "the trust was renewed");
            conn = next;
        }
    }
    return STILE_OK;
}

/* ---- start ---- */

static void on_connection(uv_stream_t *server, int status)
{
    struct stile_listener *listener = server->data;
    if (status == 0) {
        stile__conn_accept(listener);
    } else if (listener->options.on_note) {
        listener->options.on_note(listener->options.ctx,
                                  "a connection could not be accepted",
                                  STILE_STR(""));
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct stile_listener *listener = handle->data;
    listener->handles--;
    stile__listener_settle(listener);
}

static int begin(struct stile_listener *listener, const char *address, int port)
{
    struct sockaddr_storage where;
    memset(&where, 0, sizeof where);
    int got = uv_ip4_addr(address, port, (struct sockaddr_in *)&where);
    if (got != 0) {
        got = uv_ip6_addr(address, port, (struct sockaddr_in6 *)&where);
    }
    if (got == 0) {
        got = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&where, 0);
    }
    if (got == 0) {
        got = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
    }
    return got;
}

static struct stile_listener *
listener_new(uv_loop_t *loop, const struct stile_listener_options *options)
{
    struct stile_listener *listener = calloc(1, sizeof *listener);
    if (!listener) {
        return NULL;
    }
    listener->loop = loop;
    listener->options = *options;
    listener->options.address = NULL;
    listener->options.identity = NULL;
    listener->method = stile__wire_method();
    if (!listener->method || uv_tcp_init(loop, &listener->tcp) != 0) {
        BIO_meth_free(listener->method);
        free(listener);
        return NULL;
    }
    int got = uv_timer_init(loop, &listener->timer);
    STILE_ASSERT(got == 0); /* has no way to fail */
    listener->tcp.data = listener->timer.data = listener;
    listener->handles = 2;
    return listener;
}

enum stile_status
stile_listener_start(struct uv_loop_s *loop,
                     const struct stile_listener_options *options,
                     struct stile_arena *arena, struct stile_listener **ret,
                     struct stile_str *ret_error)
{
    if (!options->address || options->port < 0 || options->port > 65535 ||
        !options->on_request || !limits_valid(&options->limits)) {
        *ret_error = STILE_STR("a listener needs an address, a port from 0 "
                               "to 65535, a handler and limits above nought: "
                               "start from stile_net_defaults");
        return STILE_INVALID;
    }
    struct stile_listener *listener = listener_new(loop, options);
    if (!listener) {
        *ret_error = STILE_STR("memory is short: free some and try again");
        return STILE_NOMEM;
    }
    int got = begin(listener, options->address, options->port);
    if (got != 0) {
        *ret_error = stile_arena_printf(
            arena,
            "%s port %d: %s: choose an address of this host that is "
            "free",
            options->address, options->port, uv_strerror(got));
        stile_listener_close(&listener);
        return got == UV_EADDRINUSE ? STILE_BUSY : STILE_IO;
    }
    if (options->identity) {
        listener->ctx = context(listener, options->identity);
        if (!listener->ctx) {
            *ret_error = STILE_STR("OpenSSL refuses the identity: check its "
                                   "key type and strength");
            stile_listener_close(&listener);
            return STILE_INVALID;
        }
        listener->identity = stile__identity_ref(options->identity);
    }
    *ret = listener;
    return STILE_OK;
}

int stile_listener_port(const struct stile_listener *listener)
{
    struct sockaddr_storage facts;
    int len = sizeof facts;
    if (uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&facts, &len) !=
        0) {
        return 0;
    }
    const unsigned char *port =
        facts.ss_family == AF_INET6
            ? (unsigned char *)&((struct sockaddr_in6 *)&facts)->sin6_port
            : (unsigned char *)&((struct sockaddr_in *)&facts)->sin_port;
    return port[0] * 256 + port[1];
}

/* ---- end ---- */

size_t stile__listener_open(const struct stile_listener *listener)
{
    size_t count = 0;
    for (int i = 0; i < STILE__CONN_COUNT; i++) {
        count += listener->lists[i].count;
    }
    return count;
}

static void tell_drained(struct stile_listener *listener)
{
    void (*on_drained)(void *) = listener->on_drained;
    listener->on_drained = NULL;
    if (on_drained && !listener->closing) {
        on_drained(listener->drained_ctx);
    }
}

void stile__listener_settle(struct stile_listener *listener)
{
    if (stile__listener_open(listener) > 0) {
        return;
    }
    if (listener->closing && listener->handles == 0) {
        SSL_CTX_free(listener->ctx);
        stile_identity_free(&listener->identity);
        BIO_meth_free(listener->method);
        ERR_clear_error();
        free(listener);
    } else if (listener->draining) {
        tell_drained(listener);
    }
}

static void close_all(struct stile_listener *listener, const char *why)
{
    for (int i = 0; i < STILE__CONN_CLOSED; i++) {
        while (listener->lists[i].first) {
            stile__conn_close(listener->lists[i].first, why);
        }
    }
}

static void on_drain_end(uv_timer_t *timer)
{
    struct stile_listener *listener = timer->data;
    close_all(listener, "the drain is over");
    tell_drained(listener);
}

static void close_socket(struct stile_listener *listener)
{
    if (!uv_is_closing((uv_handle_t *)&listener->tcp)) {
        uv_close((uv_handle_t *)&listener->tcp, on_closed);
    }
}

void stile_listener_drain(struct stile_listener *listener, uint64_t hard_ms,
                          void (*on_drained)(void *ctx), void *ctx)
{
    STILE_ASSERT(!listener->draining);
    listener->draining = true;
    listener->on_drained = on_drained;
    listener->drained_ctx = ctx;
    close_socket(listener);
    static const enum stile__conn_state between[] = {STILE__CONN_IDLE,
                                                     STILE__CONN_HEAD};
    for (size_t i = 0; i < sizeof between / sizeof *between; i++) {
        struct stile__conn *conn = listener->lists[between[i]].first;
        while (conn) {
            struct stile__conn *next = conn->next;
            stile__conn_finish(conn, "draining");
            conn = next;
        }
    }
    if (stile__listener_open(listener) == 0) {
        hard_ms = 0;
    }
    int got = uv_timer_start(&listener->timer, on_drain_end, hard_ms, 0);
    STILE_ASSERT(got == 0); /* only a closing handle is refused */
}

void stile_listener_close(struct stile_listener **listener)
{
    struct stile_listener *gone = *listener;
    *listener = NULL;
    if (!gone) {
        return;
    }
    gone->closing = true;
    close_socket(gone);
    uv_close((uv_handle_t *)&gone->timer, on_closed);
    close_all(gone, "the listener is closed");
}

struct stile_listener_counts
stile_listener_counts(const struct stile_listener *listener)
{
    return listener->counts;
}
