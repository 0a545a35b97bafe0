/*
 * net_rig.h - a listener on its own thread, and peers that speak to it with
 * plain blocking sockets from the test's thread.
 */
#ifndef STILE_TEST_NET_RIG_H
#define STILE_TEST_NET_RIG_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <uv.h>

#include "stile/net.h"

static inline void rig_sleep(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000,
                             .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* ---- certificates ------------------------------------------------------- */

struct rig_certs {
    char dir[64];
};

/* All under one temporary directory:
 *   a/  gateway, practice, revoked (in a/crl.pem), expired, elsewhere (not
 *       for localhost)
 *   b/  stranger, of another authority
 *   empty.pem   a CRL that knows of no revocation
 *   old.pem     a CRL of a/ past its nextUpdate */
static inline void rig_certs_make(struct rig_certs *certs)
{
    char command[4096];
    snprintf(certs->dir, sizeof certs->dir, "%s", "/tmp/stile-net-XXXXXX");
    cr_assert(mkdtemp(certs->dir) != NULL);
    snprintf(
        command, sizeof command,
        "cd %s && " STILE_SOURCE_DIR "/certs/make a gateway practice revoked "
        "expired elsewhere && " STILE_SOURCE_DIR "/certs/make b stranger && "
        "cp a/crl.pem empty.pem && cd a && "
        "openssl req -new -config ca/openssl.cnf -key expired.key "
        "-subj /CN=expired.stile.example -out expired.csr 2>/dev/null && "
        "openssl ca -config ca/openssl.cnf -batch -notext -extensions leaf_ext "
        "-startdate 20200101000000Z -enddate 20200201000000Z "
        "-in expired.csr -out expired.pem 2>/dev/null && "
        "sed s/DNS:localhost/DNS:elsewhere.stile.example/ ca/openssl.cnf | "
        "sed 's/, IP:127.0.0.1//' >ca/elsewhere.cnf && "
        "openssl req -new -config ca/openssl.cnf -key elsewhere.key "
        "-subj /CN=elsewhere.stile.example -out elsewhere.csr 2>/dev/null && "
        "openssl ca -config ca/elsewhere.cnf -batch -notext "
        "-extensions leaf_ext -in elsewhere.csr -out elsewhere.pem "
        "2>/dev/null && "
        "openssl ca -config ca/openssl.cnf -gencrl -crl_lastupdate "
        "20200101000000Z -crl_nextupdate 20200201000000Z -out ../old.pem "
        "2>/dev/null && " STILE_SOURCE_DIR "/certs/make --revoke . revoked",
        certs->dir);
    cr_assert_eq(system(command), 0, "the certificates could not be made");
}

static inline void rig_certs_remove(struct rig_certs *certs)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", certs->dir);
    cr_assert_eq(system(command), 0);
}

struct rig_files {
    char certificate[128], key[128], trust[128], crl[128];
    struct stile_tls_files tls;
};

/* `name` as "a/gateway"; `crl` below the directory, or NULL. */
static inline void rig_files_name(struct rig_files *files,
                                  const struct rig_certs *certs,
                                  const char *name, const char *crl)
{
    snprintf(files->certificate, sizeof files->certificate, "%s/%s.pem",
             certs->dir, name);
    snprintf(files->key, sizeof files->key, "%s/%s.key", certs->dir, name);
    snprintf(files->trust, sizeof files->trust, "%s/a/ca.pem", certs->dir);
    snprintf(files->crl, sizeof files->crl, "%s/%s", certs->dir,
             crl ? crl : "");
    files->tls = (struct stile_tls_files){.certificate = files->certificate,
                                          .key = files->key,
                                          .trust = files->trust,
                                          .crl = crl ? files->crl : NULL};
}

static inline stile_time rig_now(void)
{
    return (stile_time)time(NULL) * STILE_SECOND;
}

static inline struct stile_identity *rig_identity(const struct rig_certs *certs,
                                                  const char *name,
                                                  const char *crl,
                                                  stile_time now)
{
    struct rig_files files;
    struct stile_identity *identity = NULL;
    struct stile_str error = STILE_STR_NULL;
    struct stile_arena *arena = stile_arena_new(1 << 16);
    rig_files_name(&files, certs, name, crl);
    enum stile_status status =
        stile_identity_load(&files.tls, now, arena, &identity, &error);
    cr_assert_eq(status, STILE_OK, "%.*s", STILE_FMT(error));
    stile_arena_free(&arena);
    return identity;
}

/* ---- the listener on its thread ----------------------------------------- */

#define RIG_NOTES 16

struct rig {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t wake;
    uv_sem_t done;
    void (*task)(struct rig *rig); /* to run on the loop */
    struct stile_listener *listener;
    struct stile_identity *identity;
    int port;
    /* The loop's; the test looks after rig_stop only. */
    struct stile_call *held;
    char notes[RIG_NOTES][96];
    size_t note_count;
    int head_status;
    size_t head_limit;
    bool drained;
    char common_name[65];
    struct stile_digest fingerprint;
    /* What rig_look copied for the test. */
    struct {
        struct stile_listener_counts counts;
        bool held, gone, drained;
        char common_name[65];
        struct stile_digest fingerprint;
    } seen;
    /* What on_head shall say; rig_set_head hands it over. */
    int next_status;
    size_t next_limit; /* 0 = leave */
};

static inline void rig_answer(struct stile_call *call, int status,
                              struct stile_str body)
{
    struct stile_answer answer = {.status = status,
                                  .content_type = STILE_STR("text/plain"),
                                  .body = body};
    stile_call_answer(call, &answer);
}

static inline void rig_on_request(void *ctx, struct stile_call *call,
                                  const struct stile_request *request)
{
    struct rig *rig = ctx;
    struct stile_buf body;
    snprintf(rig->common_name, sizeof rig->common_name, "%.*s",
             STILE_FMT(request->peer.common_name));
    rig->fingerprint = request->peer.fingerprint;
    stile_buf_init(&body, 32 << 20);
    if (stile_str_eqc(request->path, "/hold")) {
        cr_assert_null(rig->held);
        rig->held = call;
    } else if (stile_str_eqc(request->path, "/big")) {
        int64_t count = 0;
        cr_assert(stile_str_to_int64(request->query, &count));
        for (int64_t i = 0; i < count; i++) {
            stile_buf_byte(&body, (char)('a' + i % 26));
        }
        rig_answer(call, 200, stile_buf_str(&body));
    } else if (stile_str_eqc(request->path, "/split")) {
        struct stile_header header = {STILE_STR("X"), STILE_STR("a\r\nY: b")};
        struct stile_answer answer = {
            .status = 200, .headers = &header, .header_count = 1};
        stile_call_answer(call, &answer);
    } else if (stile_str_eqc(request->path, "/later")) {
        struct stile_header header = {STILE_STR("Retry-After"), request->query};
        struct stile_answer answer = {
            .status = 503, .headers = &header, .header_count = 1};
        stile_call_answer(call, &answer);
    } else {
        stile_buf_printf(&body, "%.*s %.*s %zu ", STILE_FMT(request->method),
                         STILE_FMT(request->target), request->body.len);
        stile_buf_add(&body, request->body);
        rig_answer(call, 200, stile_buf_str(&body));
    }
    cr_assert_eq(body.status, STILE_OK);
    stile_buf_release(&body);
}

static inline int rig_on_head(void *ctx, const struct stile_request *head,
                              size_t *body_limit)
{
    struct rig *rig = ctx;
    cr_assert_not_null(head->method.ptr);
    if (rig->head_limit > 0) {
        *body_limit = rig->head_limit;
    }
    return rig->head_status;
}

static inline void rig_on_note(void *ctx, const char *what,
                               struct stile_str address)
{
    struct rig *rig = ctx;
    (void)address;
    if (rig->note_count < RIG_NOTES) {
        snprintf(rig->notes[rig->note_count++], sizeof rig->notes[0], "%s",
                 what);
    }
}

static inline void rig_on_wake(uv_async_t *wake)
{
    struct rig *rig = wake->data;
    void (*task)(struct rig *) = rig->task;
    if (task) {
        rig->task = NULL;
        task(rig);
        uv_sem_post(&rig->done);
    }
}

static inline void rig_thread(void *arg)
{
    struct rig *rig = arg;
    int left = uv_run(&rig->loop, UV_RUN_DEFAULT);
    cr_assert_eq(left, 0);
}

/* Runs `task` on the loop's thread and waits for it. */
static inline void rig_do(struct rig *rig, void (*task)(struct rig *rig))
{
    rig->task = task;
    uv_async_send(&rig->wake);
    uv_sem_wait(&rig->done);
}

static inline void rig_task_look(struct rig *rig)
{
    rig->seen.counts = stile_listener_counts(rig->listener);
    rig->seen.held = rig->held != NULL;
    rig->seen.gone = rig->held && stile_call_gone(rig->held);
    rig->seen.drained = rig->drained;
    rig->seen.fingerprint = rig->fingerprint;
    memcpy(rig->seen.common_name, rig->common_name, sizeof rig->common_name);
}

static inline struct stile_listener_counts rig_look(struct rig *rig)
{
    rig_do(rig, rig_task_look);
    return rig->seen.counts;
}

static inline void rig_task_head(struct rig *rig)
{
    rig->head_status = rig->next_status;
    rig->head_limit = rig->next_limit;
}

static inline void rig_set_head(struct rig *rig, int status, size_t limit)
{
    rig->next_status = status;
    rig->next_limit = limit;
    rig_do(rig, rig_task_head);
}

static inline void rig_task_release(struct rig *rig)
{
    cr_assert_not_null(rig->held);
    struct stile_call *call = rig->held;
    rig->held = NULL;
    rig_answer(call, 200, STILE_STR("released"));
}

/* Waits, bounded, until `open` connections are there. */
static inline void rig_wait_open(struct rig *rig, uint64_t open)
{
    for (int i = 0; i < 300 && rig_look(rig).open != open; i++) {
        rig_sleep(10);
    }
    cr_assert_eq(rig->seen.counts.open, open, "%zu open, not %zu",
                 (size_t)rig->seen.counts.open, (size_t)open);
}

static inline void rig_wait_held(struct rig *rig)
{
    for (int i = 0; i < 300; i++) {
        (void)rig_look(rig);
        if (rig->seen.held) {
            return;
        }
        rig_sleep(10);
    }
    cr_assert(false, "no request is held");
}

/* `identity` is taken; NULL gives plain HTTP. */
static inline void rig_start(struct rig *rig, struct stile_identity *identity,
                             struct stile_net_limits limits)
{
    struct stile_str error = STILE_STR_NULL;
    struct stile_arena *arena = stile_arena_new(1 << 16);
    memset(rig, 0, sizeof *rig);
    (void)signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(uv_loop_init(&rig->loop), 0);
    cr_assert_eq(uv_async_init(&rig->loop, &rig->wake, rig_on_wake), 0);
    cr_assert_eq(uv_sem_init(&rig->done, 0), 0);
    rig->wake.data = rig;
    rig->identity = identity;
    struct stile_listener_options options = {.address = "127.0.0.1",
                                             .identity = identity,
                                             .limits = limits,
                                             .ctx = rig,
                                             .on_request = rig_on_request,
                                             .on_head = rig_on_head,
                                             .on_note = rig_on_note};
    enum stile_status status = stile_listener_start(&rig->loop, &options, arena,
                                                    &rig->listener, &error);
    cr_assert_eq(status, STILE_OK, "%.*s", STILE_FMT(error));
    rig->port = stile_listener_port(rig->listener);
    cr_assert_gt(rig->port, 0);
    stile_arena_free(&arena);
    cr_assert_eq(uv_thread_create(&rig->thread, rig_thread, rig), 0);
}

static inline void rig_task_end(struct rig *rig)
{
    stile_listener_close(&rig->listener);
    cr_assert_null(rig->listener);
    if (rig->held) {
        rig_task_release(rig);
    }
    uv_close((uv_handle_t *)&rig->wake, NULL);
}

/* Every handle must have closed, or the loop does not end. */
static inline void rig_stop(struct rig *rig)
{
    rig_do(rig, rig_task_end);
    cr_assert_eq(uv_thread_join(&rig->thread), 0);
    cr_assert_eq(uv_loop_close(&rig->loop), 0);
    uv_sem_destroy(&rig->done);
    stile_identity_free(&rig->identity);
}

static inline bool rig_noted(const struct rig *rig, const char *part)
{
    for (size_t i = 0; i < rig->note_count; i++) {
        if (strstr(rig->notes[i], part)) {
            return true;
        }
    }
    return false;
}

/* ---- plain peers -------------------------------------------------------- */

static inline int peer_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = {.tv_sec = 8};
    int yes = 1;
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_geq(fd, 0);
    cr_assert_eq(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    cr_assert_eq(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
    return fd;
}

static inline bool peer_send(int fd, struct stile_str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes.ptr += sent;
        bytes.len -= (size_t)sent;
    }
    return true;
}

/* Until the peer closes; a reset counts as a close. Bounded by the socket's
 * timeout, which fails the test. */
static inline void peer_read_all(int fd, struct stile_buf *into)
{
    char part[65536];
    for (;;) {
        ssize_t got = recv(fd, part, sizeof part, 0);
        if (got <= 0) {
            cr_assert(got == 0 || errno == ECONNRESET, "no close came");
            return;
        }
        stile_buf_add(into, (struct stile_str){part, (size_t)got});
    }
}

/* Until `count` times `text` has come; false when the peer closes first. */
static inline bool peer_read_until(int fd, struct stile_buf *into,
                                   const char *text, size_t count)
{
    char part[4096];
    for (;;) {
        size_t found = 0;
        struct stile_str rest = stile_buf_str(into);
        size_t at = 0;
        while ((at = stile_str_find_str(rest, stile_str_cstr(text))) !=
               SIZE_MAX) {
            found++;
            rest = stile_str_sub(rest, at + 1, rest.len - at - 1);
        }
        if (found >= count) {
            return true;
        }
        ssize_t got = recv(fd, part, sizeof part, 0);
        if (got <= 0) {
            return false;
        }
        stile_buf_add(into, (struct stile_str){part, (size_t)got});
    }
}

static inline size_t count_of(const struct stile_buf *buf, const char *text)
{
    size_t found = 0, at = 0;
    struct stile_str rest = stile_buf_str(buf);
    while ((at = stile_str_find_str(rest, stile_str_cstr(text))) != SIZE_MAX) {
        found++;
        rest = stile_str_sub(rest, at + 1, rest.len - at - 1);
    }
    return found;
}

static inline bool has(const struct stile_buf *buf, const char *text)
{
    return count_of(buf, text) > 0;
}

/* ---- TLS peers ---------------------------------------------------------- */

struct tls_peer {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

/* `name` as "a/practice", or NULL for no certificate. */
static inline SSL_CTX *tls_peer_ctx(const struct rig_certs *certs,
                                    const char *name)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char path[160];
    cr_assert_not_null(ctx);
    snprintf(path, sizeof path, "%s/a/ca.pem", certs->dir);
    cr_assert_eq(SSL_CTX_load_verify_locations(ctx, path, NULL), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (name) {
        snprintf(path, sizeof path, "%s/%s.pem", certs->dir, name);
        cr_assert_eq(SSL_CTX_use_certificate_chain_file(ctx, path), 1);
        snprintf(path, sizeof path, "%s/%s.key", certs->dir, name);
        cr_assert_eq(SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM),
                     1);
    }
    return ctx;
}

/* False when the handshake fails on this side. */
static inline bool tls_connect(struct tls_peer *peer, SSL_CTX *ctx, int port,
                               SSL_SESSION *session)
{
    peer->ctx = ctx;
    peer->fd = peer_connect(port);
    peer->ssl = SSL_new(ctx);
    cr_assert_not_null(peer->ssl);
    cr_assert_eq(SSL_set_fd(peer->ssl, peer->fd), 1);
    if (session) {
        cr_assert_eq(SSL_set_session(peer->ssl, session), 1);
    }
    return SSL_connect(peer->ssl) == 1;
}

/* True when the answer came. In TLS 1.3 a refusal shows only here. */
static inline bool tls_exchange(struct tls_peer *peer, const char *request,
                                struct stile_buf *into)
{
    char part[65536];
    if (request[0] != '\0' &&
        SSL_write(peer->ssl, request, (int)strlen(request)) <= 0) {
        return false;
    }
    for (;;) {
        int got = SSL_read(peer->ssl, part, sizeof part);
        if (got <= 0) {
            return has(into, "HTTP/1.1 200");
        }
        stile_buf_add(into, (struct stile_str){part, (size_t)got});
    }
}

static inline void tls_close(struct tls_peer *peer)
{
    SSL_free(peer->ssl);
    close(peer->fd);
    ERR_clear_error();
}

#endif
