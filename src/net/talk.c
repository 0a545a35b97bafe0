/*
 * talk.c - what is said on a connection: TLS, requests, answers, goodbyes.
 * Each step does one thing; stile__conn_run takes steps until none is left.
 */
#include "conn.h"

#include <openssl/err.h>

/* ---- TLS ---- */

/* The words OpenSSL has for the failure; static text. */
static const char *tls_reason(SSL *ssl)
{
    long verdict = SSL_get_verify_result(ssl);
    const char *text = NULL;
    if (verdict != X509_V_OK) {
        text = X509_verify_cert_error_string(verdict);
    } else {
        text = ERR_reason_error_string(ERR_peek_error());
    }
    return text ? text : "the peer left in the handshake";
}

static bool step_handshake(struct stile__conn *conn)
{
    ERR_clear_error();
    int got = SSL_do_handshake(conn->ssl);
    int error = got == 1 ? SSL_ERROR_NONE : SSL_get_error(conn->ssl, got);
    const char *wrong = NULL;
    if (error == SSL_ERROR_NONE) {
        if (!stile__tls_peer(conn->ssl, &conn->fingerprint, conn->name)) {
            wrong = "the client certificate is not valid any more";
        } else if (conn->generation != conn->listener->generation) {
            wrong = "the trust was renewed in the handshake";
        }
    } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        wrong = tls_reason(conn->ssl);
        conn->broken = true;
    } else if (!conn->eof) {
        return false;
    } else {
        wrong = "the peer left in the handshake";
        conn->broken = true;
    }
    ERR_clear_error();
    if (wrong) {
        conn->listener->counts.handshake_failures++;
        stile__conn_note(conn, wrong);
        stile__conn_move(conn, STILE__CONN_LINGER, wrong);
        return true;
    }
    stile__conn_move(conn, STILE__CONN_HEAD, "the handshake is done");
    if (conn->listener->draining) {
        stile__conn_move(conn, STILE__CONN_LINGER, "draining");
    }
    return true;
}

/* True with bytes, decrypted, for the parser. */
static bool next_bytes(struct stile__conn *conn, struct stile_str *ret)
{
    if (!conn->ssl) {
        *ret = conn->wire.in.len > 0 ? stile_buf_str(&conn->wire.in)
                                     : conn->wire.fresh;
        return ret->len > 0;
    }
    if (conn->plain.len > 0) {
        *ret = stile_buf_str(&conn->plain);
        return true;
    }
    size_t len = 0;
    ERR_clear_error();
    int got = SSL_read_ex(conn->ssl, conn->listener->plain,
                          sizeof conn->listener->plain, &len);
    if (got == 1) {
        *ret = (struct stile_str){conn->listener->plain, len};
        return true;
    }
    int error = SSL_get_error(conn->ssl, got);
    if (error == SSL_ERROR_ZERO_RETURN) {
        conn->eof = true;
    } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        conn->broken = true;
        stile__conn_note(conn, tls_reason(conn->ssl));
        stile__conn_close(conn, "the peer's TLS is broken");
    }
    ERR_clear_error();
    return false;
}

/* Marks `taken` of what next_bytes gave as used, before any handler runs:
 * the listener's buffer may be needed again then. False: memory is short. */
static bool used(struct stile__conn *conn, struct stile_str bytes, size_t taken)
{
    if (!conn->ssl) {
        if (conn->wire.in.len > 0) {
            stile_buf_consume(&conn->wire.in, taken);
        } else {
            conn->wire.fresh.ptr += taken;
            conn->wire.fresh.len -= taken;
        }
        return true;
    }
    if (bytes.ptr == conn->listener->plain) {
        stile_buf_add(&conn->plain,
                      stile_str_sub(bytes, taken, bytes.len - taken));
    } else {
        stile_buf_consume(&conn->plain, taken);
    }
    return conn->plain.status == STILE_OK;
}

/* ---- answers ---- */

static stile_time wall_clock(void)
{
    struct timespec now = {0};
    if (timespec_get(&now, TIME_UTC) != TIME_UTC) {
        return 0;
    }
    return (stile_time)now.tv_sec * STILE_SECOND + now.tv_nsec / 1000;
}

static void begin_answer(struct stile__conn *conn,
                         const struct stile_answer *answer, const char *why)
{
    struct stile_listener *listener = conn->listener;
    const struct stile_net_limits *limits = &listener->options.limits;
    uint64_t age = uv_now(listener->loop) - conn->born;
    conn->close_after = conn->close_after || answer->close || conn->eof ||
                        !conn->http.keep_alive || listener->draining ||
                        conn->generation != listener->generation ||
                        conn->requests >= limits->requests ||
                        age >= limits->life_ms;
    struct stile__answer_shape shape = {
        .head_only = stile_str_eqc(conn->http.request.method, "HEAD"),
        .close = conn->close_after,
        .old = conn->http.old,
        .body_bytes = limits->answer_bytes,
        .now = wall_clock()};
    stile_buf_clear(&conn->answer);
    conn->answer_at = 0;
    if (!stile__answer_write(&conn->answer, answer, &shape)) {
        stile__conn_note(conn, "an answer broke a rule and became 500");
        struct stile_answer instead = {.status = 500};
        stile_buf_clear(&conn->answer);
        if (!stile__answer_write(&conn->answer, &instead, &shape)) {
            stile__conn_close(conn, "memory is short");
            return;
        }
    }
    stile__conn_move(conn, STILE__CONN_WRITE, why);
}

#define REFUSAL_BYTES 4096

void stile__talk_refuse(struct stile__conn *conn, int status,
                        const char *reason)
{
    const struct stile_listener_options *options = &conn->listener->options;
    const char *type = "text/plain; charset=utf-8";
    struct stile_buf text;
    stile_buf_init(&text, REFUSAL_BYTES);
    if (options->on_refusal) {
        type = options->on_refusal(options->ctx, conn->http.request.path,
                                   status, reason, &text);
    } else {
        stile_buf_addc(&text, reason);
        stile_buf_byte(&text, '\n');
    }
    /* Busy, not wrong: when to come again. */
    static const struct stile_header again = {
        {"Retry-After", sizeof "Retry-After" - 1}, {"5", 1}};
    struct stile_answer answer = {.status = status,
                                  .content_type = stile_str_cstr(type),
                                  .body = stile_buf_str(&text),
                                  .headers = &again,
                                  .header_count =
                                      status == 503 || status == 429 ? 1 : 0,
                                  .close = true};
    conn->listener->counts.refused++;
    stile__conn_note(conn, reason);
    begin_answer(conn, &answer, reason);
    stile_buf_release(&text);
}

/* As much of `bytes` as fits the wire now; SIZE_MAX when TLS failed. */
static size_t put(struct stile__conn *conn, struct stile_str bytes)
{
    size_t len = 0;
    struct stile_buf *out = &conn->wire.out;
    if (out->len >= STILE__WIRE_MAX) {
        return 0;
    }
    if (!conn->ssl) {
        len = STILE__WIRE_MAX - out->len;
        len = len < bytes.len ? len : bytes.len;
        stile_buf_add(out, stile_str_sub(bytes, 0, len));
        return out->status == STILE_OK ? len : SIZE_MAX;
    }
    ERR_clear_error();
    int got = SSL_write_ex(conn->ssl, bytes.ptr, bytes.len, &len);
    int error = got == 1 ? SSL_ERROR_NONE : SSL_get_error(conn->ssl, got);
    ERR_clear_error();
    if (error == SSL_ERROR_NONE) {
        return len;
    }
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return 0;
    }
    conn->broken = true;
    return SIZE_MAX;
}

static bool step_write(struct stile__conn *conn)
{
    while (conn->answer_at < conn->answer.len) {
        size_t len = put(
            conn, stile_str_sub(stile_buf_str(&conn->answer), conn->answer_at,
                                conn->answer.len - conn->answer_at));
        if (len == SIZE_MAX) {
            stile__conn_close(conn, "the answer could not be written");
            return false;
        }
        conn->answer_at += len;
        if (conn->wire.out.len >= STILE__WIRE_MAX || len == 0) {
            stile__conn_flush(conn);
            if (conn->writing || conn->state == STILE__CONN_CLOSED ||
                len == 0) {
                return false;
            }
        }
    }
    stile__conn_flush(conn);
    if (conn->writing || conn->state == STILE__CONN_CLOSED) {
        return false;
    }
    if (conn->close_after) {
        stile__conn_move(conn, STILE__CONN_LINGER, "the last answer is out");
        return true;
    }
    stile_buf_release(&conn->answer);
    stile__http_release(&conn->http);
    /* A connection between requests holds no buffers. */
    stile_buf_release(&conn->sending);
    stile_buf_release(&conn->wire.out);
    if (conn->plain.len == 0) {
        stile_buf_release(&conn->plain);
    }
    if (conn->wire.in.len == 0) {
        stile_buf_release(&conn->wire.in);
    }
    stile__conn_move(conn, STILE__CONN_IDLE, "the answer is out");
    return true;
}

/* ---- requests ---- */

static void fill_peer(struct stile__conn *conn)
{
    conn->http.request.peer =
        (struct stile_peer){.fingerprint = conn->fingerprint,
                            .common_name = stile_str_cstr(conn->name),
                            .address = stile_str_cstr(conn->address)};
}

static bool on_head(struct stile__conn *conn)
{
    struct stile_listener_options *options = &conn->listener->options;
    size_t limit = options->limits.body_bytes;
    fill_peer(conn);
    if (options->on_head && !conn->listener->closing) {
        int status =
            options->on_head(options->ctx, &conn->http.request, &limit);
        if (conn->state == STILE__CONN_CLOSED) {
            return false;
        }
        if (status >= 400) {
            stile__talk_refuse(conn, status, "refused before its body");
            return false;
        }
    }
    if (!stile__http_limit_body(&conn->http, limit)) {
        stile__talk_refuse(conn, conn->http.status, conn->http.reason);
        return false;
    }
    if (!stile__http_has_body(&conn->http)) {
        return true;
    }
    stile__conn_move(conn, STILE__CONN_BODY, "the head is whole");
    struct stile_str go_on = STILE_STR("HTTP/1.1 100 Continue\r\n\r\n");
    if (conn->http.expects && !conn->http.old &&
        put(conn, go_on) != go_on.len) {
        stile__conn_close(conn, "100 Continue could not be written");
        return false;
    }
    return true;
}

static void on_request(struct stile__conn *conn)
{
    struct stile_listener *listener = conn->listener;
    conn->requests++;
    listener->counts.requests++;
    conn->call.open = true;
    conn->call.data = NULL;
    stile__conn_move(conn, STILE__CONN_HANDLE, "the request is whole");
    listener->options.on_request(listener->options.ctx, &conn->call,
                                 &conn->http.request);
}

static bool step_read(struct stile__conn *conn)
{
    struct stile_str bytes = STILE_STR_NULL;
    if (!next_bytes(conn, &bytes)) {
        if (conn->state == STILE__CONN_CLOSED || !conn->eof) {
            return false;
        }
        if (conn->state == STILE__CONN_IDLE || stile__http_fresh(&conn->http)) {
            stile__conn_move(conn, STILE__CONN_LINGER, "the peer is done");
            return true;
        }
        stile__conn_note(conn, "the peer left in a request");
        stile__conn_close(conn, "the peer left in a request");
        return false;
    }
    if (conn->state == STILE__CONN_IDLE) {
        stile__conn_move(conn, STILE__CONN_HEAD, "a request begins");
    }
    size_t taken = 0;
    enum stile__http_event event = stile__http_feed(&conn->http, bytes, &taken);
    if (!used(conn, bytes, taken)) {
        stile__conn_close(conn, "memory is short");
        return false;
    }
    if (event == STILE__HTTP_HEAD) {
        if (!on_head(conn)) {
            return true;
        }
        if (stile__http_has_body(&conn->http)) {
            return true;
        }
        event = stile__http_feed(&conn->http, STILE_STR_NULL, &taken);
    }
    if (event == STILE__HTTP_BAD) {
        stile__talk_refuse(conn, conn->http.status, conn->http.reason);
    } else if (event == STILE__HTTP_DONE) {
        on_request(conn);
    }
    return true;
}

/* ---- goodbyes ---- */

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    struct stile__conn *conn = shutdown->data;
    if (status != 0) {
        stile__conn_close(conn, "the connection broke");
    }
    stile__conn_run(conn);
}

/* Reading on for a while after the last answer: closing with unread bytes
 * would reset the connection and take the answer away from the peer. */
static bool step_linger(struct stile__conn *conn)
{
    conn->wire.fresh = STILE_STR_NULL;
    stile_buf_clear(&conn->wire.in);
    if (!conn->shut && conn->writing) {
        return false; /* nothing may be written after the shutdown */
    }
    if (!conn->shut) {
        conn->shut = true;
        if (conn->ssl && !conn->broken) {
            ERR_clear_error();
            (void)SSL_shutdown(conn->ssl); /* ours alone; theirs is EOF */
            ERR_clear_error();
        }
        stile__conn_flush(conn);
        if (conn->state == STILE__CONN_CLOSED) {
            return false;
        }
        if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp,
                        on_shutdown) != 0) {
            stile__conn_close(conn, "the peer was gone");
            return false;
        }
    }
    if (conn->eof && !conn->writing && conn->wire.out.len == 0) {
        stile__conn_close(conn, "both sides are done");
    }
    return false;
}

bool stile__talk_step(struct stile__conn *conn)
{
    switch (conn->state) {
    case STILE__CONN_HANDSHAKE:
        return step_handshake(conn);
    case STILE__CONN_HEAD:
    case STILE__CONN_BODY:
    case STILE__CONN_IDLE:
        return step_read(conn);
    case STILE__CONN_WRITE:
        return step_write(conn);
    case STILE__CONN_LINGER:
        return step_linger(conn);
    case STILE__CONN_HANDLE:
    case STILE__CONN_CLOSED:
    case STILE__CONN_COUNT:
        break;
    }
    return false;
}

/* ---- the handler's side ---- */

void stile_call_answer(struct stile_call *call,
                       const struct stile_answer *answer)
{
    struct stile__conn *conn = call->conn;
    STILE_ASSERT(call->open);
    call->open = false;
    if (conn->state == STILE__CONN_HANDLE) {
        begin_answer(conn, answer, "answered");
        stile__conn_run(conn);
    } else {
        stile__conn_settle(conn);
    }
}

bool stile_call_gone(const struct stile_call *call)
{
    return call->conn->eof || call->conn->state != STILE__CONN_HANDLE;
}

void stile_call_set(struct stile_call *call, void *data)
{
    call->data = data;
}

void *stile_call_get(const struct stile_call *call)
{
    return call->data;
}
