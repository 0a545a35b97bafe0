/* The client against our own listener, and against peers that misbehave. */
#include "net_rig.h"

static struct rig_certs certs;

static void setup(void)
{
    rig_certs_make(&certs);
    cr_assert_eq(stile_net_setup(), STILE_OK);
}

static void teardown(void)
{
    rig_certs_remove(&certs);
}

TestSuite(net_client, .init = setup, .fini = teardown, .timeout = 30);

struct sent {
    bool done, body_sent;
    int status;
    uint64_t retry_after;
    char error[128];
    struct stile_buf body;
    size_t *left; /* counts down */
};

struct bench {
    uv_loop_t loop;
    struct stile_client *client;
    struct rig rig;
};

static void on_done(void *ctx, int status, bool body_sent,
                    struct stile_str body, uint64_t retry_after_s,
                    const char *error)
{
    struct sent *sent = ctx;
    cr_assert_not(sent->done, "done twice");
    sent->done = true;
    sent->status = status;
    sent->body_sent = body_sent;
    sent->retry_after = retry_after_s;
    snprintf(sent->error, sizeof sent->error, "%s", error ? error : "");
    stile_buf_init(&sent->body, 64 << 20);
    stile_buf_add(&sent->body, body);
    if (sent->left) {
        (*sent->left)--;
    }
}

static struct stile_client_limits quick(void)
{
    struct stile_client_limits limits = STILE_CLIENT_LIMITS;
    limits.connect_ms = 2000;
    limits.total_ms = 4000;
    return limits;
}

static void start_client(struct bench *bench, const char *name, const char *crl,
                         struct stile_client_limits limits)
{
    struct rig_files files;
    rig_files_name(&files, &certs, name, crl);
    cr_assert_eq(uv_loop_init(&bench->loop), 0);
    cr_assert_eq(
        stile_client_new(&bench->loop, &files.tls, limits, &bench->client),
        STILE_OK);
}

static void start(struct bench *bench, struct stile_client_limits limits)
{
    struct stile_net_limits net = stile_net_defaults;
    net.linger_ms = 200;
    rig_start(&bench->rig,
              rig_identity(&certs, "a/gateway", "empty.pem", rig_now()), net);
    start_client(bench, "a/practice", "empty.pem", limits);
}

static void stop_client(struct bench *bench)
{
    stile_client_close(&bench->client);
    cr_assert_null(bench->client);
    cr_assert_eq(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
    cr_assert_eq(uv_loop_close(&bench->loop), 0);
}

static void stop(struct bench *bench)
{
    stop_client(bench);
    rig_stop(&bench->rig);
}

static void begin(struct bench *bench, struct stile_send send,
                  struct sent *sent)
{
    *sent = (struct sent){0};
    send.ctx = sent;
    send.on_done = on_done;
    if (!send.method) {
        send.method = "POST";
    }
    cr_assert_eq(stile_client_send(bench->client, &send), STILE_OK);
    cr_assert_not(sent->done);
}

static void wait_for(struct bench *bench, struct sent *sent)
{
    uint64_t from = uv_hrtime();
    while (!sent->done) {
        cr_assert_lt(uv_hrtime() - from, UINT64_C(10000000000));
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
}

static void send_one(struct bench *bench, struct stile_send send,
                     struct sent *sent)
{
    begin(bench, send, sent);
    wait_for(bench, sent);
}

static void forget(struct sent *sent)
{
    stile_buf_release(&sent->body);
}

static const char *url_to(char *url, int port, const char *path)
{
    snprintf(url, 128, "https://localhost:%d%s", port, path);
    return url;
}

Test(net_client, a_post_and_a_get)
{
    struct bench bench;
    struct sent sent;
    char url[128];
    struct stile_header headers[] = {
        {STILE_STR("Content-Type"), STILE_STR("application/fhir+json")},
        {STILE_STR("X-Request-ID"), STILE_STR("1")},
        {STILE_STR("X-Empty"), STILE_STR("")}};
    start(&bench, quick());
    send_one(&bench,
             (struct stile_send){.url = url_to(url, bench.rig.port, "/p"),
                                 .headers = headers,
                                 .header_count = 3,
                                 .body = STILE_STR("{}")},
             &sent);
    cr_assert_eq(sent.status, 200, "%s", sent.error);
    cr_assert(sent.body_sent);
    cr_assert(stile_str_eqc(stile_buf_str(&sent.body), "POST /p 2 {}"));
    cr_assert_str_eq(sent.error, "");
    forget(&sent);
    (void)rig_look(&bench.rig);
    cr_assert_str_eq(bench.rig.seen.common_name, "practice.stile.example");
    send_one(&bench,
             (struct stile_send){.url = url_to(url, bench.rig.port, "/g?a=b"),
                                 .method = "GET"},
             &sent);
    cr_assert_eq(sent.status, 200);
    cr_assert(stile_str_eqc(stile_buf_str(&sent.body), "GET /g?a=b 0 "));
    forget(&sent);
    /* An empty POST is one too; and the connection was kept. */
    send_one(&bench,
             (struct stile_send){.url = url_to(url, bench.rig.port, "/e")},
             &sent);
    cr_assert_eq(sent.status, 200);
    cr_assert(stile_str_eqc(stile_buf_str(&sent.body), "POST /e 0 "));
    forget(&sent);
    cr_assert_eq(rig_look(&bench.rig).connections, 1);
    stop(&bench);
}

Test(net_client, what_is_not_sent)
{
    struct bench bench;
    struct sent sent = {0};
    struct stile_header bad = {STILE_STR("X"), STILE_STR("a\r\nY: b")};
    struct stile_header framing = {STILE_STR("content-length"), STILE_STR("1")};
    const struct stile_send cases[] = {
        {.url = "http://localhost/", .method = "POST"},
        {.url = "file:///etc/hostname", .method = "GET"},
        {.url = "https://", .method = "GET"},
        {.url = "https://local host/", .method = "GET"},
        {.url = NULL, .method = "GET"},
        {.url = "https://localhost/", .method = "PUT"},
        {.url = "https://localhost/", .method = NULL},
        {.url = "https://localhost/", .method = "GET", .body = STILE_STR("x")},
        {.url = "https://localhost/",
         .method = "GET",
         .headers = &bad,
         .header_count = 1},
        {.url = "https://localhost/",
         .method = "GET",
         .headers = &framing,
         .header_count = 1},
    };
    start_client(&bench, "a/practice", NULL, quick());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stile_send send = cases[i];
        send.ctx = &sent;
        send.on_done = on_done;
        cr_assert_eq(stile_client_send(bench.client, &send), STILE_INVALID,
                     "case %zu", i);
    }
    cr_assert_eq(stile_client_in_flight(bench.client), 0);
    stop_client(&bench);
    cr_assert_not(sent.done);
}

Test(net_client, a_refused_connection_sent_nothing)
{
    struct bench bench;
    struct sent sent;
    char url[128];
    start(&bench, quick());
    int port = bench.rig.port;
    rig_stop(&bench.rig);
    send_one(&bench,
             (struct stile_send){.url = url_to(url, port, "/"),
                                 .body = STILE_STR("x")},
             &sent);
    cr_assert_eq(sent.status, 0);
    cr_assert_not(sent.body_sent);
    cr_assert_str_neq(sent.error, "");
    forget(&sent);
    stop_client(&bench);
}

Test(net_client, a_timeout_after_the_body_is_unknown)
{
    struct bench bench;
    struct sent sent;
    char url[128];
    struct stile_client_limits limits = quick();
    limits.total_ms = 400;
    start(&bench, limits);
    send_one(&bench,
             (struct stile_send){.url = url_to(url, bench.rig.port, "/hold"),
                                 .body = STILE_STR("x")},
             &sent);
    cr_assert_eq(sent.status, 0);
    cr_assert(sent.body_sent);
    forget(&sent);
    stop(&bench);
}

/* The peer takes the head and part of the body, and no more. */
Test(net_client, a_timeout_within_the_body_is_a_failure)
{
    struct bench bench;
    struct sent sent;
    char url[128];
    struct stile_client_limits limits = quick();
    struct stile_buf body;
    limits.total_ms = 600;
    start_client(&bench, "a/practice", NULL, limits);
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof where;
    int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small),
                 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&where, sizeof where), 0);
    cr_assert_eq(listen(fd, 1), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&where, &len), 0);
    pid_t child = fork();
    if (child == 0) {
        char path[160];
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        snprintf(path, sizeof path, "%s/a/gateway.pem", certs.dir);
        SSL_CTX_use_certificate_chain_file(ctx, path);
        snprintf(path, sizeof path, "%s/a/gateway.key", certs.dir);
        SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM);
        SSL *ssl = SSL_new(ctx);
        SSL_set_fd(ssl, accept(fd, NULL, NULL));
        SSL_accept(ssl);
        rig_sleep(5000);
        _exit(0);
    }
    close(fd);
    stile_buf_init(&body, 64 << 20);
    for (int i = 0; i < 2000000; i++) {
        stile_buf_add(&body, STILE_STR("0123456789abcdef"));
    }
    send_one(&bench,
             (struct stile_send){.url = url_to(url, ntohs(where.sin_port), "/"),
                                 .body = stile_buf_str(&body)},
             &sent);
    cr_assert_eq(sent.status, 0);
    cr_assert_not(sent.body_sent);
    forget(&sent);
    stile_buf_release(&body);
    cr_assert_eq(kill(child, SIGKILL), 0);
    stop_client(&bench);
}

/* A kept connection on which the peer takes a second request and leaves:
 * libcurl would send it again on a new one. */
Test(net_client, a_request_is_not_sent_twice)
{
    struct bench bench;
    struct sent sent;
    char url[128];
    start(&bench, quick());
    send_one(&bench,
             (struct stile_send){.url = url_to(url, bench.rig.port, "/"),
                                 .body = STILE_STR("x")},
             &sent);
    cr_assert_eq(sent.status, 200);
    forget(&sent);
    begin(&bench,
          (struct stile_send){.url = url_to(url, bench.rig.port, "/hold"),
                              .body = STILE_STR("x")},
          &sent);
    struct stile_listener_counts counts = rig_look(&bench.rig);
    while (counts.requests < 2) {
        uv_run(&bench.loop, UV_RUN_NOWAIT);
        rig_sleep(1);
        counts = rig_look(&bench.rig);
    }
    cr_assert_eq(counts.connections, 1, "the connection was not kept");
    rig_stop(&bench.rig);
    wait_for(&bench, &sent);
    cr_assert_eq(sent.status, 0);
    cr_assert(sent.body_sent, "%s", sent.error);
    cr_assert(strstr(sent.error, "closed a kept connection") != NULL);
    forget(&sent);
    stop_client(&bench);
}

Test(net_client, retry_after)
{
    static const struct {
        const char *path;
        uint64_t least, most;
    } cases[] = {
        {"/later?17", 17, 17},
        {"/later?soon", 0, 0},
        {"/later?-5", 0, 0},
        {"/x", 0, 0},
    };
    struct bench bench;
    struct sent sent;
    char url[128];
    start(&bench, quick());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        send_one(&bench,
                 (struct stile_send){
                     .url = url_to(url, bench.rig.port, cases[i].path)},
                 &sent);
        cr_assert_eq(sent.status, cases[i].path[1] == 'l' ? 503 : 200);
        cr_assert(sent.retry_after >= cases[i].least &&
                      sent.retry_after <= cases[i].most,
                  "%s: %zu", cases[i].path, (size_t)sent.retry_after);
        forget(&sent);
    }
    stop(&bench);
}

Test(net_client, a_long_answer_is_cut)
{
    struct bench bench;
    struct sent sent;
    char url[128];
    struct stile_client_limits limits = quick();
    limits.answer_bytes = 100000;
    start(&bench, limits);
    send_one(
        &bench,
        (struct stile_send){.url = url_to(url, bench.rig.port, "/big?100000")},
        &sent);
    cr_assert_eq(sent.status, 200);
    cr_assert_eq(sent.body.len, 100000);
    cr_assert_str_eq(sent.error, "");
    forget(&sent);
    send_one(
        &bench,
        (struct stile_send){.url = url_to(url, bench.rig.port, "/big?100001")},
        &sent);
    cr_assert_eq(sent.status, 200);
    cr_assert_eq(sent.body.len, 100000);
    cr_assert(strstr(sent.error, "was cut") != NULL);
    forget(&sent);
    stop(&bench);
}

/* ---- trust -------------------------------------------------------------- */

static void mistrusts(const char *server, const char *crl, const char *host,
                      const char *pin, bool good)
{
    struct bench bench;
    struct sent sent;
    char url[128];
    struct stile_net_limits net = stile_net_defaults;
    net.linger_ms = 200;
    rig_start(&bench.rig, rig_identity(&certs, server, NULL, rig_now()), net);
    start_client(&bench, "a/practice", crl, quick());
    snprintf(url, sizeof url, "https://%s:%d/", host, bench.rig.port);
    send_one(
        &bench,
        (struct stile_send){.url = url, .body = STILE_STR("x"), .pin = pin},
        &sent);
    cr_assert_eq(sent.status, good ? 200 : 0, "%s", sent.error);
    cr_assert_eq(sent.body_sent, good);
    forget(&sent);
    cr_assert_eq(rig_look(&bench.rig).requests, good ? 1 : 0);
    stop(&bench);
}

Test(net_client, a_server_it_trusts)
{
    mistrusts("a/gateway", NULL, "localhost", NULL, true);
    mistrusts("a/gateway", "a/crl.pem", "127.0.0.1", NULL, true);
}

Test(net_client, a_server_of_another_authority)
{
    mistrusts("b/stranger", NULL, "localhost", NULL, false);
}

Test(net_client, a_revoked_server)
{
    mistrusts("a/revoked", "a/crl.pem", "localhost", NULL, false);
    mistrusts("a/revoked", "empty.pem", "localhost", NULL, true);
}

Test(net_client, a_server_of_another_name)
{
    mistrusts("a/elsewhere", NULL, "localhost", NULL, false);
}

static void pin_of(const char *name, char pin[64])
{
    char command[512];
    snprintf(command, sizeof command,
             "openssl x509 -in %s/%s.pem -noout -pubkey | openssl pkey -pubin "
             "-outform DER | openssl dgst -sha256 -binary | base64",
             certs.dir, name);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    snprintf(pin, 64, "sha256//");
    cr_assert_not_null(fgets(pin + 8, 50, pipe));
    pin[strcspn(pin, "\n")] = '\0';
    cr_assert_eq(pclose(pipe), 0);
    cr_assert_eq(strlen(pin), 52);
}

Test(net_client, a_pinned_server)
{
    char good[64], bad[64];
    pin_of("a/gateway", good);
    pin_of("a/practice", bad);
    mistrusts("a/gateway", NULL, "localhost", good, true);
    mistrusts("a/gateway", NULL, "localhost", bad, false);
}

Test(net_client, a_kept_connection_does_not_pass_a_pin)
{
    struct bench bench;
    struct sent sent;
    char url[128], bad[64];
    pin_of("a/practice", bad);
    start(&bench, quick());
    send_one(&bench,
             (struct stile_send){.url = url_to(url, bench.rig.port, "/")},
             &sent);
    cr_assert_eq(sent.status, 200);
    forget(&sent);
    send_one(&bench,
             (struct stile_send){.url = url_to(url, bench.rig.port, "/"),
                                 .pin = bad},
             &sent);
    cr_assert_eq(sent.status, 0);
    forget(&sent);
    stop(&bench);
}

Test(net_client, files_that_are_refused)
{
    uv_loop_t loop;
    struct rig_files files;
    struct stile_client *client = NULL;
    cr_assert_eq(uv_loop_init(&loop), 0);
    rig_files_name(&files, &certs, "a/expired", NULL);
    cr_assert_eq(stile_client_new(&loop, &files.tls, quick(), &client),
                 STILE_INVALID);
    rig_files_name(&files, &certs, "a/practice", NULL);
    files.tls.key = "/nowhere";
    cr_assert_eq(stile_client_new(&loop, &files.tls, quick(), &client),
                 STILE_IO);
    rig_files_name(&files, &certs, "a/practice", NULL);
    struct stile_client_limits limits = quick();
    limits.per_host = 0;
    cr_assert_eq(stile_client_new(&loop, &files.tls, limits, &client),
                 STILE_INVALID);
    cr_assert_null(client);
    stile_client_close(&client);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

/* ---- many --------------------------------------------------------------- */

#define MANY 200

Test(net_client, many_at_once)
{
    struct bench bench;
    static struct sent sents[MANY];
    char url[128];
    size_t left = MANY;
    struct stile_client_limits limits = quick();
    limits.in_flight = MANY;
    limits.total_ms = 10000;
    start(&bench, limits);
    for (size_t i = 0; i < MANY; i++) {
        char path[32], body[32];
        snprintf(path, sizeof path, "/n%zu", i);
        snprintf(body, sizeof body, "b%zu", i);
        begin(&bench,
              (struct stile_send){.url = url_to(url, bench.rig.port, path),
                                  .body = stile_str_cstr(body)},
              &sents[i]);
        sents[i].left = &left;
    }
    cr_assert_eq(stile_client_in_flight(bench.client), MANY);
    struct stile_send past = {.url = url, .method = "POST", .on_done = on_done};
    cr_assert_eq(stile_client_send(bench.client, &past), STILE_BUSY);
    while (left > 0) {
        uv_run(&bench.loop, UV_RUN_ONCE);
    }
    for (size_t i = 0; i < MANY; i++) {
        char text[64];
        snprintf(text, sizeof text, "POST /n%zu %zu b%zu", i,
                 i < 10    ? (size_t)2
                 : i < 100 ? (size_t)3
                           : (size_t)4,
                 i);
        cr_assert_eq(sents[i].status, 200, "%s", sents[i].error);
        cr_assert(stile_str_eqc(stile_buf_str(&sents[i].body), text));
        forget(&sents[i]);
    }
    cr_assert_eq(stile_client_in_flight(bench.client), 0);
    cr_assert_leq(rig_look(&bench.rig).connections, 8);
    stop(&bench);
}

Test(net_client, closing_ends_what_runs)
{
    struct bench bench;
    struct sent sents[5];
    char url[128];
    start(&bench, quick());
    begin(&bench,
          (struct stile_send){.url = url_to(url, bench.rig.port, "/hold"),
                              .body = STILE_STR("x")},
          &sents[0]);
    while (rig_look(&bench.rig).requests < 1) {
        uv_run(&bench.loop, UV_RUN_NOWAIT);
        rig_sleep(1);
    }
    for (int i = 1; i < 5; i++) {
        begin(&bench,
              (struct stile_send){.url = url_to(url, bench.rig.port, "/"),
                                  .body = STILE_STR("x")},
              &sents[i]);
    }
    stile_client_close(&bench.client);
    for (int i = 0; i < 5; i++) {
        cr_assert(sents[i].done);
        cr_assert_eq(sents[i].status, 0);
        cr_assert_eq(sents[i].body_sent, i == 0);
        cr_assert_str_eq(sents[i].error, "the client was closed");
        forget(&sents[i]);
    }
    stop(&bench);
}

static void close_inside(void *ctx, int status, bool body_sent,
                         struct stile_str body, uint64_t retry_after_s,
                         const char *error)
{
    struct bench *bench = ctx;
    (void)body_sent;
    (void)body;
    (void)retry_after_s;
    cr_assert_eq(status, 200, "%s", error);
    stile_client_close(&bench->client);
}

Test(net_client, closing_inside_an_answer)
{
    struct bench bench;
    char url[128];
    start(&bench, quick());
    struct stile_send send = {.url = url_to(url, bench.rig.port, "/"),
                              .method = "GET",
                              .ctx = &bench,
                              .on_done = close_inside};
    cr_assert_eq(stile_client_send(bench.client, &send), STILE_OK);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    cr_assert_null(bench.client);
    stop(&bench);
}
