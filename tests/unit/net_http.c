/* The request parser alone: bytes in, events out. Every case is fed whole
 * and byte by byte, and both must end alike. */
#include <criterion/criterion.h>

#include "http.h"

struct outcome {
    enum stile__http_event event;
    int status;
    size_t taken; /* bytes up to the end of the first request */
};

static struct stile_net_limits small(void)
{
    struct stile_net_limits limits = stile_net_defaults;
    limits.body_bytes = 64 << 10;
    return limits;
}

static struct outcome feed(struct stile__http *http, struct stile_str raw,
                           size_t step)
{
    struct outcome outcome = {STILE__HTTP_MORE, 0, 0};
    while (outcome.taken < raw.len) {
        size_t len = raw.len - outcome.taken, taken = 0;
        len = len < step ? len : step;
        /* A copy of exact size, so that ASan sees a read past its end. */
        char *part = malloc(len);
        memcpy(part, raw.ptr + outcome.taken, len);
        outcome.event =
            stile__http_feed(http, (struct stile_str){part, len}, &taken);
        free(part);
        outcome.taken += taken;
        if (outcome.event == STILE__HTTP_HEAD) {
            size_t none = 0;
            if (!stile__http_limit_body(http, SIZE_MAX)) {
                outcome.event = STILE__HTTP_BAD;
            } else if (!stile__http_has_body(http)) {
                outcome.event = stile__http_feed(http, STILE_STR_NULL, &none);
            }
        }
        if (outcome.event == STILE__HTTP_DONE ||
            outcome.event == STILE__HTTP_BAD) {
            break;
        }
    }
    outcome.status = http->status;
    return outcome;
}

static struct outcome run(struct stile_str raw,
                          const struct stile_net_limits *limits)
{
    struct stile__http whole, split;
    stile__http_init(&whole, limits);
    stile__http_init(&split, limits);
    struct outcome a = feed(&whole, raw, raw.len);
    struct outcome b = feed(&split, raw, 1);
    cr_assert_eq(a.event, b.event, "whole %d, split %d: %.*s", a.event, b.event,
                 STILE_FMT(raw));
    cr_assert_eq(a.status, b.status, "whole %d, split %d: %.*s", a.status,
                 b.status, STILE_FMT(raw));
    if (a.event == STILE__HTTP_DONE) {
        cr_assert_eq(a.taken, b.taken);
        cr_assert(stile_str_eq(whole.request.body, split.request.body));
        cr_assert(stile_str_eq(whole.request.path, split.request.path));
        cr_assert_eq(whole.keep_alive, split.keep_alive);
    }
    stile__http_release(&whole);
    stile__http_release(&split);
    return a;
}

static void refused(struct stile_str raw, int status)
{
    struct stile_net_limits limits = small();
    struct outcome outcome = run(raw, &limits);
    cr_assert_eq(outcome.event, STILE__HTTP_BAD, "accepted: %.*s",
                 STILE_FMT(raw));
    cr_assert_eq(outcome.status, status, "%d: %.*s", outcome.status,
                 STILE_FMT(raw));
}

#define BAD(text) refused(STILE_STR(text), 400)

static void accepted(struct stile_str raw)
{
    struct stile_net_limits limits = small();
    struct outcome outcome = run(raw, &limits);
    cr_assert_eq(outcome.event, STILE__HTTP_DONE, "refused %d: %.*s",
                 outcome.status, STILE_FMT(raw));
    cr_assert_eq(outcome.taken, raw.len, "%.*s", STILE_FMT(raw));
}

#define GOOD(text) accepted(STILE_STR(text))

#define H "Host: a.example\r\n"

Test(net_http, good_requests)
{
    GOOD("GET / HTTP/1.1\r\n" H "\r\n");
    GOOD("\r\nGET / HTTP/1.1\r\n" H "\r\n");
    GOOD("GET / HTTP/1.0\r\n" H "\r\n");
    GOOD("HEAD /a?b=c|d HTTP/1.1\r\n" H "\r\n");
    GOOD("GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n");
    GOOD("GET / HTTP/1.1\r\nHost:a\r\nX:\r\n\r\n");
    GOOD("GET / HTTP/1.1\r\n" H "X: \t a\tb \r\n\r\n");
    GOOD("GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n");
    GOOD("POST / HTTP/1.1\r\n" H "\r\n");
    GOOD("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
    GOOD("POST / HTTP/1.0\r\n" H "Content-Length: 5\r\n\r\nhello");
    GOOD("PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n"
         "Content-Length: 1\r\n\r\nx");
    GOOD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
         "5\r\nhello\r\n0\r\n\r\n");
    GOOD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"
         "5;name=value\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n");
    GOOD("OPTIONS / HTTP/1.1\r\n" H "\r\n");
    GOOD("PATCH / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx");
    GOOD("DELETE /a HTTP/1.1\r\n" H "\r\n");
}

Test(net_http, framing_that_smuggles)
{
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
        "Content-Length: 5\r\n\r\n0\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n"
        "\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n"
        "\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5a\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H
        "Content-Length: 18446744073709551616\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H
        "Content-Length: 99999999999999999999999\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\nhello");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n"
        "0\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n"
        "0\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n"
        "0\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;x=1\r\n\r\n"
        "0\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
        "chunked\r\n\r\n0\r\n\r\n");
    BAD("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
    BAD("HEAD / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
    BAD("DELETE / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
    BAD("GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n");
}

Test(net_http, header_lines)
{
    BAD("GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"); /* obs-fold */
    BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n chunked\r\n\r\n"
        "0\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X: a\n\r\n");
    BAD("GET / HTTP/1.1\n" H "\r\n");
    BAD("GET / HTTP/1.1\r\n" H "\n");
    BAD("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X: a\x01"
        "b\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X: a\x7f"
        "b\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X Y: a\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X_Y: a\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "Content_Length: 5\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H ": a\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "X\xc3\xa9: a\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n X: a\r\n" H "\r\n");
    BAD("POST / HTTP/1.1\r\n" H " Content-Length: 5\r\n\r\nhello");
}

Test(net_http, hosts)
{
    BAD("GET / HTTP/1.1\r\n\r\n");
    BAD("GET / HTTP/1.0\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H H "\r\n");
    BAD("GET / HTTP/1.1\r\n" H "hOST: b.example\r\n\r\n");
    BAD("GET / HTTP/1.1\r\nHost:\r\n\r\n");
    BAD("GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
    BAD("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
    BAD("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n");
    BAD("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n");
}

Test(net_http, request_lines)
{
    BAD("GET  / HTTP/1.1\r\n" H "\r\n");
    BAD("GET /  HTTP/1.1\r\n" H "\r\n");
    BAD("GET / HTTP/1.1 \r\n" H "\r\n");
    BAD(" GET / HTTP/1.1\r\n" H "\r\n");
    BAD("GET\t/ HTTP/1.1\r\n" H "\r\n");
    BAD("GET /\tHTTP/1.1\r\n" H "\r\n");
    BAD("GET / HTTP/2.0\r\n" H "\r\n");
    BAD("GET / HTTP/0.9\r\n" H "\r\n");
    BAD("GET / HTTP/1.2\r\n" H "\r\n");
    BAD("GET / HTTP/1.10\r\n" H "\r\n");
    BAD("GET / HTTP/01.1\r\n" H "\r\n");
    BAD("GET / http/1.1\r\n" H "\r\n");
    BAD("GET / ICE/1.1\r\n" H "\r\n");
    BAD("GET /\r\n" H "\r\n");
    BAD("GET\r\n" H "\r\n");
    BAD("GET / \r\n" H "\r\n");
    BAD("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n");
    BAD("\nGET / HTTP/1.1\r\n" H "\r\n");
    BAD("\rGET / HTTP/1.1\r\n" H "\r\n");
    BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    BAD("\x16\x03\x01\x02\n");
}

Test(net_http, targets)
{
    BAD("GET http://a.example/ HTTP/1.1\r\n" H "\r\n");
    BAD("OPTIONS * HTTP/1.1\r\n" H "\r\n");
    BAD("GET a HTTP/1.1\r\n" H "\r\n");
    BAD("GET ?a HTTP/1.1\r\n" H "\r\n");
    BAD("GET /a#b HTTP/1.1\r\n" H "\r\n");
    BAD("GET /\xff HTTP/1.1\r\n" H "\r\n");
    BAD("GET /\x7f HTTP/1.1\r\n" H "\r\n");
    BAD("GET /\x01 HTTP/1.1\r\n" H "\r\n");
    BAD("GET /a\\b HTTP/1.1\r\n" H "\r\n");
    BAD("GET /<a> HTTP/1.1\r\n" H "\r\n");
    BAD("GET /% HTTP/1.1\r\n" H "\r\n");
    BAD("GET /%4 HTTP/1.1\r\n" H "\r\n");
    BAD("GET /%zz HTTP/1.1\r\n" H "\r\n");
    BAD("GET /%00 HTTP/1.1\r\n" H "\r\n");
    BAD("GET /%0d%0a HTTP/1.1\r\n" H "\r\n");
}

Test(net_http, methods_and_expectations)
{
    BAD("CONNECT a.example:443 HTTP/1.1\r\n" H "\r\n");
    BAD("CONNECT / HTTP/1.1\r\n" H "\r\n");
    BAD("TRACE / HTTP/1.1\r\n" H "\r\n");
    BAD("PROPFIND / HTTP/1.1\r\n" H "\r\n");
    BAD("get / HTTP/1.1\r\n" H "\r\n");
    BAD("GE / HTTP/1.1\r\n" H "\r\n");
    BAD("GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n\r\n");
    BAD("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\n"
        "Upgrade: h2c\r\n\r\n");
    BAD("POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\n"
        "Content-Length: 1\r\n\r\nx");
    BAD("POST / HTTP/1.1\r\n" H "Expect: 100-continue, x\r\n"
        "Content-Length: 1\r\n\r\nx");
    BAD("POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
        "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx");
}

#define C "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"

Test(net_http, chunks)
{
    BAD(C "5 \r\nhello\r\n0\r\n\r\n");
    BAD(C "5\nhello\r\n0\r\n\r\n");
    BAD(C "5;a\nb\r\nhello\r\n0\r\n\r\n");
    BAD(C "+5\r\nhello\r\n0\r\n\r\n");
    BAD(C "-5\r\nhello\r\n0\r\n\r\n");
    BAD(C "0x5\r\nhello\r\n0\r\n\r\n");
    BAD(C "\r\nhello\r\n0\r\n\r\n");
    BAD(C "5\r\nhelloX\r\n0\r\n\r\n");
    BAD(C "5\r\nhello0\r\n\r\n");
    BAD(C "5\r\nhello\n0\r\n\r\n");
    BAD(C "10000000000000000\r\nhello");
    BAD(C "0\r\nContent-Length: 5\r\n\r\n");
    BAD(C "0\r\nTransfer-Encoding: chunked\r\n\r\n");
    BAD(C "0\r\nX : 1\r\n\r\n");
}

/* The first request of two: its end must be where both readers see it. */
Test(net_http, a_second_request_stays)
{
    static const struct {
        struct stile_str first, body;
    } cases[] = {
        {STILE_STR("GET /a HTTP/1.1\r\n" H "\r\n"), STILE_STR("")},
        {STILE_STR("POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"),
         STILE_STR("abc")},
        {STILE_STR(C "3\r\nabc\r\n2\r\nde\r\n0\r\nX: dropped\r\n\r\n"),
         STILE_STR("abcde")}};
    struct stile_str second = STILE_STR("GET /b HTTP/1.1\r\n" H "\r\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t step = 1; step < 200; step += 7) {
            struct stile_net_limits limits = small();
            struct stile__http http;
            struct stile_buf both;
            stile_buf_init(&both, 4096);
            stile_buf_add(&both, cases[i].first);
            stile_buf_add(&both, second);
            stile__http_init(&http, &limits);
            struct outcome outcome = feed(&http, stile_buf_str(&both), step);
            cr_assert_eq(outcome.event, STILE__HTTP_DONE);
            cr_assert_eq(outcome.taken, cases[i].first.len);
            cr_assert(stile_str_eq(http.request.body, cases[i].body));
            cr_assert(stile_request_header(&http.request, "X").ptr == NULL);
            stile__http_next(&http);
            cr_assert(stile__http_fresh(&http));
            outcome = feed(&http, second, step);
            cr_assert_eq(outcome.event, STILE__HTTP_DONE);
            cr_assert(stile_str_eqc(http.request.path, "/b"));
            stile__http_release(&http);
            stile_buf_release(&both);
        }
    }
}

Test(net_http, the_request_as_read)
{
    struct stile_net_limits limits = small();
    struct stile__http http;
    stile__http_init(&http, &limits);
    struct outcome outcome =
        feed(&http,
             STILE_STR("POST /fhir/a%20b%2Fc?x=%20 HTTP/1.1\r\n" H
                       "Content-Type: \t text/csv \r\nX-Id:1\r\n"
                       "Content-Length: 2\r\n\r\nok"),
             1);
    cr_assert_eq(outcome.event, STILE__HTTP_DONE);
    cr_assert(stile_str_eqc(http.request.method, "POST"));
    cr_assert(stile_str_eqc(http.request.target, "/fhir/a%20b%2Fc?x=%20"));
    cr_assert(stile_str_eqc(http.request.path, "/fhir/a b/c"));
    cr_assert(stile_str_eqc(http.request.query, "x=%20"));
    cr_assert_eq(http.request.header_count, 4);
    cr_assert(stile_str_eqc(stile_request_header(&http.request, "content-TYPE"),
                            "text/csv"));
    cr_assert(stile_str_eqc(stile_request_header(&http.request, "x-id"), "1"));
    cr_assert(stile_request_header(&http.request, "none").ptr == NULL);
    cr_assert(stile_str_eqc(http.request.body, "ok"));
    cr_assert(http.keep_alive);
    stile__http_release(&http);
}

Test(net_http, keep_alive)
{
    static const struct {
        struct stile_str raw;
        bool keep;
    } cases[] = {
        {STILE_STR("GET / HTTP/1.1\r\n" H "\r\n"), true},
        {STILE_STR("GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), false},
        {STILE_STR("GET / HTTP/1.1\r\n" H "Connection: a, Close\r\n\r\n"),
         false},
        {STILE_STR("GET / HTTP/1.0\r\n" H "\r\n"), false},
        {STILE_STR("GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n"),
         true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stile_net_limits limits = small();
        struct stile__http http;
        stile__http_init(&http, &limits);
        struct outcome outcome = feed(&http, cases[i].raw, 1);
        cr_assert_eq(outcome.event, STILE__HTTP_DONE);
        cr_assert_eq(http.keep_alive, cases[i].keep, "case %zu", i);
        stile__http_release(&http);
    }
}

/* ---- limits, at them and one past --------------------------------------- */

static void add_times(struct stile_buf *buf, char byte, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stile_buf_byte(buf, byte);
    }
}

static int status_of(const struct stile_buf *buf,
                     const struct stile_net_limits *limits)
{
    struct outcome outcome = run(stile_buf_str(buf), limits);
    return outcome.event == STILE__HTTP_DONE ? 200 : outcome.status;
}

Test(net_http, limit_of_the_request_line)
{
    struct stile_net_limits limits = small();
    limits.line_bytes = 100;
    for (size_t over = 0; over < 2; over++) {
        struct stile_buf raw;
        stile_buf_init(&raw, 1 << 20);
        stile_buf_addc(&raw, "GET /");
        add_times(&raw, 'a', 100 + over - strlen("GET / HTTP/1.1"));
        stile_buf_addc(&raw, " HTTP/1.1\r\n" H "\r\n");
        cr_assert_eq(status_of(&raw, &limits), over ? 414 : 200);
        stile_buf_release(&raw);
    }
}

Test(net_http, limit_of_a_header_line)
{
    struct stile_net_limits limits = small();
    limits.line_bytes = 100;
    for (size_t over = 0; over < 2; over++) {
        struct stile_buf raw;
        stile_buf_init(&raw, 1 << 20);
        stile_buf_addc(&raw, "GET / HTTP/1.1\r\n" H "X: ");
        add_times(&raw, 'a', 97 + over);
        stile_buf_addc(&raw, "\r\n\r\n");
        cr_assert_eq(status_of(&raw, &limits), over ? 431 : 200);
        stile_buf_release(&raw);
    }
}

Test(net_http, an_endless_line_is_cut_at_once)
{
    struct stile_net_limits limits = small();
    limits.line_bytes = 100;
    struct stile_buf raw;
    stile_buf_init(&raw, 1 << 20);
    add_times(&raw, 'A', 102);
    cr_assert_eq(status_of(&raw, &limits), 414);
    stile_buf_release(&raw);
}

Test(net_http, limit_of_the_head)
{
    struct stile_net_limits limits = small();
    limits.head_bytes = 400;
    for (size_t over = 0; over < 2; over++) {
        struct stile_buf raw;
        stile_buf_init(&raw, 1 << 20);
        stile_buf_addc(&raw, "GET / HTTP/1.1\r\n" H "X: ");
        add_times(&raw, 'a', 400 + over - raw.len - 4);
        stile_buf_addc(&raw, "\r\n\r\n");
        cr_assert_eq(raw.len, 400 + over);
        cr_assert_eq(status_of(&raw, &limits), over ? 431 : 200);
        stile_buf_release(&raw);
    }
}

Test(net_http, limit_of_the_header_count)
{
    struct stile_net_limits limits = small();
    limits.headers = 40;
    for (size_t over = 0; over < 2; over++) {
        struct stile_buf raw;
        stile_buf_init(&raw, 1 << 20);
        stile_buf_addc(&raw, "GET / HTTP/1.1\r\n" H);
        for (size_t i = 0; i < 39 + over; i++) {
            stile_buf_printf(&raw, "X%zu: a\r\n", i);
        }
        stile_buf_addc(&raw, "\r\n");
        cr_assert_eq(status_of(&raw, &limits), over ? 431 : 200);
        stile_buf_release(&raw);
    }
}

Test(net_http, limit_of_the_body)
{
    struct stile_net_limits limits = small();
    limits.body_bytes = 1000;
    for (size_t over = 0; over < 2; over++) {
        struct stile_buf raw;
        stile_buf_init(&raw, 1 << 20);
        stile_buf_printf(&raw,
                         "POST / HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n",
                         1000 + over);
        add_times(&raw, 'x', 1000 + over);
        cr_assert_eq(status_of(&raw, &limits), over ? 413 : 200);
        stile_buf_clear(&raw);
        stile_buf_printf(&raw, C "%zx\r\n", 600 + over);
        add_times(&raw, 'x', 600 + over);
        stile_buf_addc(&raw, "\r\n190\r\n");
        add_times(&raw, 'x', 400);
        stile_buf_addc(&raw, "\r\n0\r\n\r\n");
        cr_assert_eq(status_of(&raw, &limits), over ? 413 : 200);
        stile_buf_release(&raw);
    }
}

Test(net_http, chunk_extensions_are_bounded)
{
    struct stile_net_limits limits = small();
    limits.head_bytes = 1000;
    for (size_t over = 0; over < 2; over++) {
        struct stile_buf raw;
        stile_buf_init(&raw, 1 << 20);
        /* The head's budget, and eight bytes for the one of data. */
        stile_buf_addc(&raw, C "1\r\nx\r\n0;");
        add_times(&raw, 'e', 1000 + 8 - strlen("1\r\n\r\n0;\r\n\r\n") + over);
        stile_buf_addc(&raw, "\r\n\r\n");
        cr_assert_eq(status_of(&raw, &limits), over ? 400 : 200);
        stile_buf_release(&raw);
    }
}

Test(net_http, one_byte_chunks_pass)
{
    struct stile_net_limits limits = small();
    limits.head_bytes = 200;
    struct stile_buf raw;
    stile_buf_init(&raw, 1 << 20);
    stile_buf_addc(&raw, C);
    for (int i = 0; i < 5000; i++) {
        stile_buf_addc(&raw, "1\r\nx\r\n");
    }
    stile_buf_addc(&raw, "0\r\n\r\n");
    cr_assert_eq(status_of(&raw, &limits), 200);
    stile_buf_release(&raw);
}
