/* The plain listener: real sockets, raw bytes, small deadlines. */
#include "net_rig.h"

#define H "Host: a.example\r\n"
#define CLOSE "Connection: close\r\n"

static struct stile_net_limits quick(void)
{
    struct stile_net_limits limits = stile_net_defaults;
    limits.linger_ms = 200;
    return limits;
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* Sends raw bytes and gives back all that came until the close. */
static void talk(struct rig *rig, struct stile_str raw, size_t step,
                 struct stile_buf *into)
{
    int fd = peer_connect(rig->port);
    stile_buf_init(into, 64 << 20);
    while (raw.len > 0) {
        size_t len = raw.len < step ? raw.len : step;
        if (!peer_send(fd, stile_str_sub(raw, 0, len))) {
            break;
        }
        raw.ptr += len;
        raw.len -= len;
    }
    peer_read_all(fd, into);
    close(fd);
}

Test(net_server, answers_and_closes)
{
    struct rig rig;
    struct stile_buf got;
    rig_start(&rig, NULL, quick());
    talk(&rig,
         STILE_STR("POST /a?b HTTP/1.1\r\n" H CLOSE
                   "Content-Length: 5\r\n\r\nhello"),
         SIZE_MAX, &got);
    cr_assert(has(&got, "HTTP/1.1 200 OK\r\n"));
    cr_assert(has(&got, "Content-Type: text/plain\r\n"));
    cr_assert(has(&got, "Connection: close\r\n"));
    cr_assert(has(&got, "\r\nDate: "));
    cr_assert(has(&got, "\r\nContent-Length: 17\r\n"));
    cr_assert(has(&got, "\r\n\r\nPOST /a?b 5 hello"));
    stile_buf_release(&got);
    struct stile_listener_counts counts = rig_look(&rig);
    cr_assert_eq(counts.requests, 1);
    cr_assert_eq(counts.connections, 1);
    cr_assert_eq(counts.refused, 0);
    cr_assert_gt(counts.bytes_in, 50);
    cr_assert_gt(counts.bytes_out, 50);
    cr_assert(
        stile_digest_eq(&rig.seen.fingerprint, &(struct stile_digest){0}));
    rig_stop(&rig);
}

/* The battery through real sockets, each with a second request behind it:
 * one 400, a close, and the second is never seen. */
Test(net_server, a_refused_request_is_the_last)
{
    static const char *const firsts[] = {
        "GET  / HTTP/1.1\r\n" H "\r\n",
        "GET / HTTP/2.0\r\n" H "\r\n",
        "GET / HTTP/0.9\r\n" H "\r\n",
        "GET /\r\n" H "\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n" H H "\r\n",
        "GET http://a.example/ HTTP/1.1\r\n" H "\r\n",
        "CONNECT a:1 HTTP/1.1\r\n" H "\r\n",
        "TRACE / HTTP/1.1\r\n" H "\r\n",
        "GET / HTTP/1.1\r\n" H "Upgrade: h2c\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "X_Y: 1\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "X : 1\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "X: 1\r\n 2\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "X: 1\n\r\n",
        "GET / HTTP/1.1\r\n" H "X: \r1\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
        "DELETE / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\n" H "Expect: 1\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" H
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
        "Content-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\nx",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
        "5 \r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
        "0\r\nContent-Length: 1\r\n\r\n",
    };
    static const char second[] = "GET /second HTTP/1.1\r\n" H CLOSE "\r\n";
    struct rig rig;
    struct stile_net_limits limits = quick();
    limits.connections_peer = 512;
    rig_start(&rig, NULL, limits);
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        for (size_t step = 1; step < 2000; step += 1000) {
            struct stile_buf raw, got;
            stile_buf_init(&raw, 4096);
            stile_buf_addc(&raw, firsts[i]);
            stile_buf_addc(&raw, second);
            talk(&rig, stile_buf_str(&raw), step, &got);
            cr_assert(has(&got, "HTTP/1.1 400 Bad Request\r\n"), "%s",
                      firsts[i]);
            cr_assert(has(&got, "Connection: close\r\n"), "%s", firsts[i]);
            cr_assert_eq(count_of(&got, "\r\nDate: "), 1, "%s", firsts[i]);
            stile_buf_release(&raw);
            stile_buf_release(&got);
        }
    }
    cr_assert_eq(rig_look(&rig).requests, 0);
    cr_assert_eq(rig.seen.counts.refused, 2 * sizeof firsts / sizeof *firsts);
    rig_stop(&rig);
}

Test(net_server, pipelined_requests_in_order)
{
    struct rig rig;
    struct stile_buf raw, got;
    rig_start(&rig, NULL, quick());
    for (size_t step = 1; step < 2000; step += 1000) {
        stile_buf_init(&raw, 1 << 20);
        for (int i = 0; i < 50; i++) {
            stile_buf_printf(
                &raw, "POST /n%d HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc",
                i);
        }
        stile_buf_addc(&raw, "GET /last HTTP/1.1\r\n" H CLOSE "\r\n");
        talk(&rig, stile_buf_str(&raw), step, &got);
        cr_assert_eq(count_of(&got, "HTTP/1.1 200 OK\r\n"), 51);
        struct stile_str rest = stile_buf_str(&got);
        for (int i = 0; i < 50; i++) {
            char text[64];
            snprintf(text, sizeof text, "POST /n%d 3 abc", i);
            size_t at = stile_str_find_str(rest, stile_str_cstr(text));
            cr_assert_neq(at, SIZE_MAX, "%s", text);
            rest = stile_str_sub(rest, at, rest.len - at);
        }
        cr_assert_neq(stile_str_find_str(rest, STILE_STR("GET /last")),
                      SIZE_MAX);
        stile_buf_release(&raw);
        stile_buf_release(&got);
    }
    rig_stop(&rig);
}

Test(net_server, a_pipelined_request_waits_for_the_first_answer)
{
    struct rig rig;
    struct stile_buf got;
    rig_start(&rig, NULL, quick());
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("GET /hold HTTP/1.1\r\n" H "\r\n"
                                      "GET /b HTTP/1.1\r\n" H CLOSE "\r\n")));
    rig_wait_held(&rig);
    rig_sleep(50);
    cr_assert_eq(rig_look(&rig).requests, 1);
    rig_do(&rig, rig_task_release);
    stile_buf_init(&got, 4096);
    peer_read_all(fd, &got);
    cr_assert(has(&got, "released"));
    cr_assert(has(&got, "GET /b 0"));
    cr_assert_eq(rig_look(&rig).requests, 2);
    stile_buf_release(&got);
    close(fd);
    rig_stop(&rig);
}

Test(net_server, head_and_continue_and_old_clients)
{
    struct rig rig;
    struct stile_buf got;
    rig_start(&rig, NULL, quick());
    talk(&rig, STILE_STR("HEAD /a HTTP/1.1\r\n" H CLOSE "\r\n"), SIZE_MAX,
         &got);
    cr_assert(has(&got, "Content-Length: 10\r\n"));
    cr_assert(stile_str_ends(stile_buf_str(&got), STILE_STR("\r\n\r\n")));
    stile_buf_release(&got);

    stile_buf_init(&got, 4096);
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("POST /c HTTP/1.1\r\n" H CLOSE
                                      "Expect: 100-continue\r\n"
                                      "Content-Length: 2\r\n\r\n")));
    cr_assert(peer_read_until(fd, &got, "HTTP/1.1 100 Continue\r\n\r\n", 1));
    cr_assert_not(has(&got, "200"));
    cr_assert(peer_send(fd, STILE_STR("ok")));
    peer_read_all(fd, &got);
    cr_assert(has(&got, "POST /c 2 ok"));
    close(fd);
    stile_buf_release(&got);

    talk(&rig, STILE_STR("GET /old HTTP/1.0\r\n" H "\r\n"), SIZE_MAX, &got);
    cr_assert(has(&got, "Connection: close\r\n"));
    stile_buf_release(&got);
    talk(&rig,
         STILE_STR("GET /old HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n"
                   "GET /old HTTP/1.0\r\n" H "\r\n"),
         SIZE_MAX, &got);
    cr_assert(has(&got, "Connection: keep-alive\r\n"));
    cr_assert_eq(count_of(&got, "GET /old 0"), 2);
    stile_buf_release(&got);
    rig_stop(&rig);
}

Test(net_server, a_big_body_and_a_big_answer)
{
    struct rig rig;
    struct stile_buf raw, got;
    struct stile_net_limits limits = quick();
    size_t size = 2 << 20;
    limits.body_bytes = size;
    limits.answer_bytes = size + 64;
    rig_start(&rig, NULL, limits);
    for (size_t over = 0; over < 2; over++) {
        stile_buf_init(&raw, 8 << 20);
        stile_buf_printf(
            &raw, "POST / HTTP/1.1\r\n" H CLOSE "Content-Length: %zu\r\n\r\n",
            size + over);
        for (size_t i = 0; i < size + over; i++) {
            stile_buf_byte(&raw, (char)('a' + i % 26));
        }
        talk(&rig, stile_buf_str(&raw), SIZE_MAX, &got);
        if (over == 0) {
            cr_assert(stile_str_ends(
                stile_buf_str(&got),
                stile_str_sub(stile_buf_str(&raw), raw.len - size, size)));
        } else {
            cr_assert(has(&got, "HTTP/1.1 413 "));
        }
        stile_buf_release(&raw);
        stile_buf_release(&got);
    }
    talk(&rig, STILE_STR("GET /big?2097216 HTTP/1.1\r\n" H CLOSE "\r\n"),
         SIZE_MAX, &got);
    cr_assert_gt(got.len, size + 64);
    stile_buf_release(&got);
    talk(&rig, STILE_STR("GET /big?2097217 HTTP/1.1\r\n" H CLOSE "\r\n"),
         SIZE_MAX, &got);
    cr_assert(has(&got, "HTTP/1.1 500 "));
    cr_assert_lt(got.len, 500);
    stile_buf_release(&got);
    rig_stop(&rig);
    cr_assert(rig_noted(&rig, "became 500"));
}

Test(net_server, an_answer_cannot_be_split)
{
    struct rig rig;
    struct stile_buf got;
    rig_start(&rig, NULL, quick());
    talk(&rig, STILE_STR("GET /split HTTP/1.1\r\n" H CLOSE "\r\n"), SIZE_MAX,
         &got);
    cr_assert(has(&got, "HTTP/1.1 500 "));
    cr_assert_not(has(&got, "Y: b"));
    stile_buf_release(&got);
    rig_stop(&rig);
}

Test(net_server, refused_at_the_head)
{
    struct rig rig;
    struct stile_buf got;
    rig_start(&rig, NULL, quick());
    rig_set_head(&rig, 503, 0);
    /* The body is never sent, and is not waited for. */
    talk(&rig,
         STILE_STR("POST / HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\n"),
         SIZE_MAX, &got);
    cr_assert(has(&got, "HTTP/1.1 503 Service Unavailable\r\n"));
    cr_assert(has(&got, "Retry-After: 5\r\n"));
    cr_assert(has(&got, "Connection: close\r\n"));
    stile_buf_release(&got);
    rig_set_head(&rig, 0, 4);
    talk(&rig,
         STILE_STR("POST / HTTP/1.1\r\n" H CLOSE
                   "Content-Length: 4\r\n\r\nabcd"),
         SIZE_MAX, &got);
    cr_assert(has(&got, "HTTP/1.1 200 "));
    stile_buf_release(&got);
    talk(&rig,
         STILE_STR("POST / HTTP/1.1\r\n" H CLOSE
                   "Content-Length: 5\r\n\r\nabcde"),
         SIZE_MAX, &got);
    cr_assert(has(&got, "HTTP/1.1 413 "));
    stile_buf_release(&got);
    rig_stop(&rig);
}

/* The peer is still sending when it is refused; a close with its bytes
 * unread would reset the connection and take the answer from it. */
Test(net_server, a_refusal_reaches_a_busy_sender)
{
    struct rig rig;
    struct stile_buf raw, got;
    struct stile_net_limits limits = stile_net_defaults;
    limits.linger_ms = 2000;
    rig_start(&rig, NULL, limits);
    stile_buf_init(&raw, 8 << 20);
    stile_buf_addc(&raw,
                   "POST / HTTP/1.1\r\n" H "Content-Length: 99999999\r\n\r\n");
    for (size_t i = 0; i < 400000; i++) {
        stile_buf_add(&raw, STILE_STR("0123456789"));
    }
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, stile_buf_str(&raw)));
    cr_assert_eq(shutdown(fd, SHUT_WR), 0);
    stile_buf_init(&got, 4096);
    peer_read_all(fd, &got);
    cr_assert(has(&got, "HTTP/1.1 413 "));
    /* The answer ends before the server has read the rest away. */
    rig_wait_open(&rig, 0);
    cr_assert_gt(rig_look(&rig).bytes_in, 4000000);
    close(fd);
    stile_buf_release(&raw);
    stile_buf_release(&got);
    rig_stop(&rig);
}

Test(net_server, a_peer_is_not_read_while_it_waits)
{
    struct rig rig;
    struct stile_buf got;
    char part[65536];
    rig_start(&rig, NULL, quick());
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("GET /hold HTTP/1.1\r\n" H "\r\n")));
    rig_wait_held(&rig);
    memset(part, 'x', sizeof part);
    for (int i = 0; i < 200; i++) {
        (void)send(fd, part, sizeof part, MSG_NOSIGNAL | MSG_DONTWAIT);
        rig_sleep(1);
    }
    struct stile_listener_counts counts = rig_look(&rig);
    cr_assert_eq(counts.open, 1);
    cr_assert_lt(counts.bytes_in, 200000);
    rig_do(&rig, rig_task_release);
    stile_buf_init(&got, 4096);
    cr_assert(peer_read_until(fd, &got, "released", 1));
    close(fd);
    stile_buf_release(&got);
    rig_stop(&rig);
}

/* ---- deadlines ---------------------------------------------------------- */

/* Sends one byte each 20 ms until the peer closes; gives the time it took. */
static uint64_t trickle(int fd, const char *byte, struct stile_buf *got)
{
    uint64_t from = now_ms();
    struct timeval blink = {.tv_usec = 20000};
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &blink, sizeof blink),
                 0);
    stile_buf_init(got, 4096);
    while (now_ms() - from < 5000) {
        char part[512];
        ssize_t len = recv(fd, part, sizeof part, 0);
        if (len > 0) {
            stile_buf_add(got, (struct stile_str){part, (size_t)len});
        } else if (len == 0 || errno == ECONNRESET) {
            return now_ms() - from;
        } else if (got->len == 0) {
            (void)peer_send(fd, stile_str_cstr(byte));
        }
    }
    cr_assert(false, "the slow peer was not cut off");
    return 0;
}

Test(net_server, a_slow_head_is_cut_off)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    limits.head_ms = 300;
    rig_start(&rig, NULL, limits);
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("GET / HTTP/1.1\r\n" H "X: ")));
    uint64_t took = trickle(fd, "a", &got);
    cr_assert(has(&got, "HTTP/1.1 408 "));
    cr_assert(took >= 250 && took < 1500, "%d ms", (int)took);
    stile_buf_release(&got);
    close(fd);
    /* A peer that says nothing at all hears nothing. */
    fd = peer_connect(rig.port);
    stile_buf_init(&got, 4096);
    peer_read_all(fd, &got);
    cr_assert_eq(got.len, 0);
    close(fd);
    cr_assert_eq(rig_look(&rig).timeouts, 1);
    rig_stop(&rig);
}

Test(net_server, a_slow_body_is_cut_off)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    limits.body_idle_ms = 300;
    limits.body_rate = 1000;
    rig_start(&rig, NULL, limits);
    /* Under the rate, though never idle. */
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(
        fd, STILE_STR("POST / HTTP/1.1\r\n" H "Content-Length: 9999\r\n\r\n")));
    uint64_t took = trickle(fd, "a", &got);
    cr_assert(has(&got, "HTTP/1.1 408 "));
    cr_assert(took >= 250 && took < 1500, "%d ms", (int)took);
    stile_buf_release(&got);
    close(fd);
    /* Idle. */
    fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("POST / HTTP/1.1\r\n" H
                                      "Content-Length: 9999\r\n\r\nx")));
    stile_buf_init(&got, 4096);
    peer_read_all(fd, &got);
    cr_assert(has(&got, "HTTP/1.1 408 "));
    stile_buf_release(&got);
    close(fd);
    /* Above the rate: 50 bytes each 20 ms. */
    char chunk[51];
    memset(chunk, 'x', 50);
    chunk[50] = '\0';
    fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("POST /fast HTTP/1.1\r\n" H CLOSE
                                      "Content-Length: 1500\r\n\r\n")));
    for (int i = 0; i < 30; i++) {
        rig_sleep(20);
        cr_assert(peer_send(fd, stile_str_cstr(chunk)));
    }
    stile_buf_init(&got, 4096);
    peer_read_all(fd, &got);
    cr_assert(has(&got, "POST /fast 1500"));
    stile_buf_release(&got);
    close(fd);
    rig_stop(&rig);
}

Test(net_server, a_slow_handler_is_answered_for)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    limits.answer_ms = 200;
    rig_start(&rig, NULL, limits);
    talk(&rig, STILE_STR("GET /hold HTTP/1.1\r\n" H "\r\n"), SIZE_MAX, &got);
    cr_assert(has(&got, "HTTP/1.1 504 "));
    stile_buf_release(&got);
    rig_wait_open(&rig, 0);
    /* The handler's late answer is only bookkeeping. */
    cr_assert(rig.seen.gone);
    rig_do(&rig, rig_task_release);
    rig_stop(&rig);
}

Test(net_server, a_peer_that_does_not_read_is_cut_off)
{
    struct rig rig;
    struct stile_net_limits limits = quick();
    limits.write_ms = 300;
    rig_start(&rig, NULL, limits);
    int fd = peer_connect(rig.port);
    cr_assert(
        peer_send(fd, STILE_STR("GET /big?20000000 HTTP/1.1\r\n" H "\r\n")));
    for (int i = 0; i < 800 && rig_look(&rig).timeouts == 0; i++) {
        rig_sleep(10);
    }
    cr_assert_eq(rig.seen.counts.timeouts, 1);
    rig_wait_open(&rig, 0);
    close(fd);
    rig_stop(&rig);
    cr_assert(rig_noted(&rig, "did not read"));
}

Test(net_server, an_idle_connection_ends)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    limits.idle_ms = 200;
    rig_start(&rig, NULL, limits);
    uint64_t from = now_ms();
    talk(&rig, STILE_STR("GET / HTTP/1.1\r\n" H "\r\n"), SIZE_MAX, &got);
    uint64_t took = now_ms() - from;
    cr_assert(has(&got, "200 OK"));
    cr_assert_not(has(&got, "Connection: close"));
    cr_assert(took >= 180 && took < 1500, "%d ms", (int)took);
    stile_buf_release(&got);
    rig_stop(&rig);
}

Test(net_server, a_connection_has_a_life)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    limits.life_ms = 300;
    rig_start(&rig, NULL, limits);
    int fd = peer_connect(rig.port);
    stile_buf_init(&got, 1 << 20);
    uint64_t from = now_ms();
    size_t count = 0;
    while (peer_send(fd, STILE_STR("GET / HTTP/1.1\r\n" H "\r\n")) &&
           peer_read_until(fd, &got, "GET / 0", ++count)) {
        cr_assert_lt(now_ms() - from, 3000, "it lives on");
        rig_sleep(20);
    }
    cr_assert_gt(count, 3);
    stile_buf_release(&got);
    close(fd);
    rig_stop(&rig);
}

/* ---- counts ------------------------------------------------------------- */

Test(net_server, limit_of_requests)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    limits.requests = 2;
    rig_start(&rig, NULL, limits);
    talk(&rig,
         STILE_STR("GET /1 HTTP/1.1\r\n" H "\r\n"
                   "GET /2 HTTP/1.1\r\n" H "\r\n"
                   "GET /3 HTTP/1.1\r\n" H "\r\n"),
         SIZE_MAX, &got);
    cr_assert_eq(count_of(&got, "200 OK"), 2);
    cr_assert_eq(count_of(&got, "Connection: close"), 1);
    stile_buf_release(&got);
    rig_stop(&rig);
}

static void connections_at_limit(struct stile_net_limits limits, size_t at,
                                 const char *note)
{
    struct rig rig;
    struct stile_buf got;
    int fds[8];
    rig_start(&rig, NULL, limits);
    for (size_t i = 0; i < at; i++) {
        fds[i] = peer_connect(rig.port);
        rig_wait_open(&rig, i + 1);
    }
    int past = peer_connect(rig.port);
    stile_buf_init(&got, 4096);
    (void)peer_send(past, STILE_STR("GET / HTTP/1.1\r\n" H CLOSE "\r\n"));
    peer_read_all(past, &got);
    cr_assert_eq(got.len, 0);
    close(past);
    rig_wait_open(&rig, at);
    /* Those within the limit are served, and one that ends makes room. */
    for (size_t i = 0; i < at; i++) {
        cr_assert(
            peer_send(fds[i], STILE_STR("GET / HTTP/1.1\r\n" H CLOSE "\r\n")));
        stile_buf_clear(&got);
        peer_read_all(fds[i], &got);
        cr_assert(has(&got, "200 OK"));
        close(fds[i]);
    }
    rig_wait_open(&rig, 0);
    stile_buf_release(&got);
    talk(&rig, STILE_STR("GET / HTTP/1.1\r\n" H CLOSE "\r\n"), SIZE_MAX, &got);
    cr_assert(has(&got, "200 OK"));
    stile_buf_release(&got);
    rig_stop(&rig);
    cr_assert(rig_noted(&rig, note));
}

Test(net_server, limit_of_connections)
{
    struct stile_net_limits limits = quick();
    limits.connections = 3;
    connections_at_limit(limits, 3, "too many connections");
}

Test(net_server, limit_of_connections_an_address)
{
    struct stile_net_limits limits = quick();
    limits.connections_peer = 2;
    connections_at_limit(limits, 2, "an address has too many connections");
}

/* ---- leaving ------------------------------------------------------------ */

Test(net_server, a_peer_that_leaves_is_gone)
{
    struct rig rig;
    rig_start(&rig, NULL, quick());
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("GET /hold HTTP/1.1\r\n" H "\r\n")));
    rig_wait_held(&rig);
    cr_assert_not(rig.seen.gone);
    close(fd);
    for (int i = 0; i < 300 && !rig.seen.gone; i++) {
        rig_sleep(10);
        (void)rig_look(&rig);
    }
    cr_assert(rig.seen.gone);
    rig_do(&rig, rig_task_release);
    rig_wait_open(&rig, 0);
    rig_stop(&rig);
}

Test(net_server, a_peer_that_closed_its_half_is_answered)
{
    struct rig rig;
    struct stile_buf got;
    rig_start(&rig, NULL, quick());
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("GET /half HTTP/1.1\r\n" H "\r\n")));
    cr_assert_eq(shutdown(fd, SHUT_WR), 0);
    stile_buf_init(&got, 4096);
    peer_read_all(fd, &got);
    cr_assert(has(&got, "GET /half 0"));
    stile_buf_release(&got);
    close(fd);
    rig_stop(&rig);
}

static void on_drained(void *ctx)
{
    struct rig *rig = ctx;
    rig->drained = true;
}

static void task_drain(struct rig *rig)
{
    stile_listener_drain(rig->listener, 400, on_drained, rig);
}

static bool wait_drained(struct rig *rig, int ms)
{
    for (int i = 0; i < ms / 10; i++) {
        (void)rig_look(rig);
        if (rig->seen.drained) {
            return true;
        }
        rig_sleep(10);
    }
    return false;
}

Test(net_server, drain_waits_for_what_is_under_way)
{
    struct rig rig;
    struct stile_buf got;
    rig_start(&rig, NULL, quick());
    int fd = peer_connect(rig.port), idle = peer_connect(rig.port);
    stile_buf_init(&got, 8192);
    cr_assert(peer_send(idle, STILE_STR("GET / HTTP/1.1\r\n" H "\r\n")));
    cr_assert(peer_read_until(idle, &got, "GET / 0", 1));
    cr_assert(peer_send(fd, STILE_STR("GET /hold HTTP/1.1\r\n" H "\r\n")));
    rig_wait_held(&rig);
    rig_do(&rig, task_drain);
    /* The idle one ends, a new one is not let in, the held one waits. */
    peer_read_all(idle, &got);
    close(idle);
    int late = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)rig.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 100; i++) {
        if (connect(late, (struct sockaddr *)&where, sizeof where) != 0) {
            break;
        }
        close(late);
        late = socket(AF_INET, SOCK_STREAM, 0);
        rig_sleep(1);
    }
    cr_assert_eq(errno, ECONNREFUSED);
    close(late);
    cr_assert_not(wait_drained(&rig, 100));
    rig_do(&rig, rig_task_release);
    stile_buf_clear(&got);
    peer_read_all(fd, &got);
    cr_assert(has(&got, "Connection: close"));
    cr_assert(has(&got, "released"));
    close(fd);
    cr_assert(wait_drained(&rig, 250));
    stile_buf_release(&got);
    rig_stop(&rig);
}

Test(net_server, drain_ends_at_its_deadline)
{
    struct rig rig;
    rig_start(&rig, NULL, quick());
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("GET /hold HTTP/1.1\r\n" H "\r\n")));
    rig_wait_held(&rig);
    rig_do(&rig, task_drain);
    cr_assert_not(wait_drained(&rig, 200));
    cr_assert(wait_drained(&rig, 1000));
    close(fd);
    rig_stop(&rig);
}

Test(net_server, drain_of_nothing)
{
    struct rig rig;
    rig_start(&rig, NULL, quick());
    rig_do(&rig, task_drain);
    cr_assert(wait_drained(&rig, 300));
    rig_stop(&rig);
}

Test(net_server, a_bad_start_says_why)
{
    uv_loop_t loop;
    struct stile_str error = STILE_STR_NULL;
    struct stile_listener *listener = NULL, *other = NULL;
    struct stile_arena *arena = stile_arena_new(1 << 16);
    struct rig rig = {0};
    struct stile_listener_options options = {.address = "127.0.0.1",
                                             .limits = stile_net_defaults,
                                             .ctx = &rig,
                                             .on_request = rig_on_request};
    cr_assert_eq(uv_loop_init(&loop), 0);
    options.address = "localhost";
    cr_assert_eq(
        stile_listener_start(&loop, &options, arena, &listener, &error),
        STILE_IO);
    cr_assert(stile_str_starts(error, STILE_STR("localhost port 0: ")));
    options.address = "127.0.0.1";
    options.limits.requests = 0;
    cr_assert_eq(
        stile_listener_start(&loop, &options, arena, &listener, &error),
        STILE_INVALID);
    options.limits.requests = 1;
    cr_assert_null(listener);
    cr_assert_eq(
        stile_listener_start(&loop, &options, arena, &listener, &error),
        STILE_OK);
    options.port = stile_listener_port(listener);
    cr_assert_eq(stile_listener_start(&loop, &options, arena, &other, &error),
                 STILE_BUSY);
    cr_assert_null(other);
    cr_assert_eq(stile_listener_reload(listener, NULL), STILE_INVALID);
    stile_listener_close(&listener);
    stile_listener_close(&listener);
    cr_assert_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    cr_assert_eq(uv_loop_close(&loop), 0);
    stile_arena_free(&arena);
}
