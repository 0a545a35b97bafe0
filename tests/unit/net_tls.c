/* Mutual TLS as its peers see it, and identities from files. */
#include "net_rig.h"

#define GET "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static struct rig_certs certs;

static void setup(void)
{
    rig_certs_make(&certs);
}

static void teardown(void)
{
    rig_certs_remove(&certs);
}

TestSuite(net_tls, .init = setup, .fini = teardown, .timeout = 30);

static struct stile_net_limits quick(void)
{
    struct stile_net_limits limits = stile_net_defaults;
    limits.linger_ms = 200;
    return limits;
}

static void start(struct rig *rig, const char *crl)
{
    rig_start(rig, rig_identity(&certs, "a/gateway", crl, rig_now()), quick());
}

/* One exchange; keeps the session when asked to. */
static bool served(struct rig *rig, SSL_CTX *ctx, SSL_SESSION *session,
                   SSL_SESSION **ret_session, bool *ret_resumed)
{
    struct tls_peer peer;
    struct stile_buf got;
    stile_buf_init(&got, 1 << 20);
    bool good = tls_connect(&peer, ctx, rig->port, session) &&
                tls_exchange(&peer, GET, &got);
    if (ret_resumed) {
        *ret_resumed = SSL_session_reused(peer.ssl) == 1;
    }
    if (ret_session) {
        *ret_session = SSL_get1_session(peer.ssl);
    }
    (void)SSL_shutdown(peer.ssl);
    tls_close(&peer);
    stile_buf_release(&got);
    return good;
}

static void expect(const char *name, const char *crl, int version, bool good,
                   const char *note)
{
    struct rig rig;
    start(&rig, crl);
    SSL_CTX *ctx = tls_peer_ctx(&certs, name);
    cr_assert_eq(SSL_CTX_set_min_proto_version(ctx, version), 1);
    cr_assert_eq(SSL_CTX_set_max_proto_version(ctx, version), 1);
    cr_assert_eq(served(&rig, ctx, NULL, NULL, NULL), good, "%s %x",
                 name ? name : "none", version);
    cr_assert_eq(rig_look(&rig).handshake_failures, good ? 0 : 1);
    cr_assert_eq(rig.seen.counts.requests, good ? 1 : 0);
    if (good) {
        cr_assert_str_eq(rig.seen.common_name, "practice.stile.example");
    }
    SSL_CTX_free(ctx);
    rig_stop(&rig);
    if (note) {
        cr_assert(rig_noted(&rig, note), "%s, not %s", note, rig.notes[0]);
    }
}

static void expect_both(const char *name, const char *crl, bool good,
                        const char *note)
{
    expect(name, crl, TLS1_3_VERSION, good, note);
    expect(name, crl, TLS1_2_VERSION, good, note);
}

Test(net_tls, a_good_certificate)
{
    expect_both("a/practice", NULL, true, NULL);
    expect_both("a/practice", "empty.pem", true, NULL);
    expect_both("a/practice", "a/crl.pem", true, NULL);
}

Test(net_tls, no_certificate)
{
    expect_both(NULL, "a/crl.pem", false, "peer did not return");
}

Test(net_tls, another_authority)
{
    expect_both("b/stranger", "a/crl.pem", false, "unable to get");
}

Test(net_tls, an_expired_certificate)
{
    expect_both("a/expired", "a/crl.pem", false, "expired");
}

Test(net_tls, a_revoked_certificate)
{
    expect_both("a/revoked", "a/crl.pem", false, "revoked");
}

Test(net_tls, a_revocation_list_past_its_time)
{
    struct rig rig;
    /* It was good when it was loaded. */
    struct stile_identity *identity = NULL;
    struct rig_files files;
    struct stile_str error = STILE_STR_NULL;
    struct stile_arena *arena = stile_arena_new(1 << 16);
    rig_files_name(&files, &certs, "a/expired", "old.pem");
    stile_time then = INT64_C(1578700800) * STILE_SECOND; /* 11 Jan 2020 */
    cr_assert_eq(
        stile_identity_load(&files.tls, then, arena, &identity, &error),
        STILE_OK, "%.*s", STILE_FMT(error));
    stile_arena_free(&arena);
    rig_start(&rig, identity, quick());
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    /* Our side looks away, the server's certificate being old too. */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    cr_assert_not(served(&rig, ctx, NULL, NULL, NULL));
    SSL_CTX_free(ctx);
    rig_stop(&rig);
    cr_assert(rig_noted(&rig, "CRL has expired"), "%s", rig.notes[0]);
}

Test(net_tls, old_versions_and_suites)
{
    struct rig rig;
    start(&rig, NULL);
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    SSL_CTX_set_security_level(ctx, 0);
    cr_assert_eq(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION), 1);
    cr_assert_eq(SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION), 1);
    cr_assert_eq(SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0"), 1);
    cr_assert_not(served(&rig, ctx, NULL, NULL, NULL));
    cr_assert_eq(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION), 1);
    cr_assert_eq(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
    static const struct {
        const char *suite;
        bool good;
    } suites[] = {
        {"ECDHE-ECDSA-AES256-GCM-SHA384", true},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", true},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", true},
        {"ECDHE-ECDSA-AES256-SHA384", false},
        {"ECDHE-ECDSA-AES128-SHA", false},
        {"DHE-RSA-AES256-GCM-SHA384", false},
    };
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        cr_assert_eq(SSL_CTX_set_cipher_list(ctx, suites[i].suite), 1);
        cr_assert_eq(served(&rig, ctx, NULL, NULL, NULL), suites[i].good, "%s",
                     suites[i].suite);
    }
    SSL_CTX_free(ctx);
    rig_stop(&rig);
}

Test(net_tls, the_server_chooses_the_suite)
{
    struct rig rig;
    struct tls_peer peer;
    start(&rig, NULL);
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    cr_assert_eq(SSL_CTX_set_ciphersuites(
                     ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"),
                 1);
    cr_assert(tls_connect(&peer, ctx, rig.port, NULL));
    cr_assert_str_eq(SSL_get_cipher_name(peer.ssl), "TLS_AES_256_GCM_SHA384");
    tls_close(&peer);
    SSL_CTX_free(ctx);
    rig_stop(&rig);
}

Test(net_tls, only_http_1_1_is_offered)
{
    struct rig rig;
    struct tls_peer peer;
    start(&rig, NULL);
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    cr_assert_eq(SSL_CTX_set_alpn_protos(
                     ctx, (const unsigned char *)"\x02h2\x08http/1.1", 12),
                 0);
    cr_assert(tls_connect(&peer, ctx, rig.port, NULL));
    const unsigned char *chosen = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(peer.ssl, &chosen, &len);
    cr_assert_eq(len, 8);
    cr_assert_eq(memcmp(chosen, "http/1.1", 8), 0);
    tls_close(&peer);
    cr_assert_eq(
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2", 3), 0);
    cr_assert_not(tls_connect(&peer, ctx, rig.port, NULL));
    tls_close(&peer);
    SSL_CTX_free(ctx);
    rig_stop(&rig);
}

/* ---- sessions ----------------------------------------------------------- */

static struct stile_identity *renewed;

static void task_reload(struct rig *rig)
{
    cr_assert_eq(stile_listener_reload(rig->listener, renewed), STILE_OK);
    stile_identity_free(&rig->identity);
    rig->identity = renewed;
    renewed = NULL;
}

static void sessions(int version)
{
    struct rig rig;
    SSL_SESSION *session = NULL, *next = NULL;
    bool resumed = true;
    start(&rig, "empty.pem");
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/revoked");
    cr_assert_eq(SSL_CTX_set_max_proto_version(ctx, version), 1);
    cr_assert(served(&rig, ctx, NULL, &session, &resumed));
    cr_assert_not(resumed);
    cr_assert(served(&rig, ctx, session, &next, &resumed));
    cr_assert(resumed, "the session was not resumed");
    (void)rig_look(&rig);
    cr_assert_str_eq(rig.seen.common_name, "revoked.stile.example");
    cr_assert_not(
        stile_digest_eq(&rig.seen.fingerprint, &(struct stile_digest){0}));
    /* Now its certificate is revoked. */
    renewed = rig_identity(&certs, "a/gateway", "a/crl.pem", rig_now());
    rig_do(&rig, task_reload);
    cr_assert_not(served(&rig, ctx, next, NULL, &resumed));
    cr_assert_not(resumed);
    SSL_SESSION_free(session);
    SSL_SESSION_free(next);
    SSL_CTX_free(ctx);
    rig_stop(&rig);
    cr_assert(rig_noted(&rig, "revoked"));
}

Test(net_tls, a_reload_voids_sessions_of_tls_1_3)
{
    sessions(TLS1_3_VERSION);
}

Test(net_tls, a_reload_voids_sessions_of_tls_1_2)
{
    sessions(TLS1_2_VERSION);
}

Test(net_tls, a_reload_ends_kept_connections)
{
    struct rig rig;
    struct tls_peer peer;
    char part[4096];
    static const char keep[] = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
    start(&rig, "empty.pem");
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/revoked");
    cr_assert(tls_connect(&peer, ctx, rig.port, NULL));
    cr_assert_gt(SSL_write(peer.ssl, keep, sizeof keep - 1), 0);
    cr_assert_gt(SSL_read(peer.ssl, part, sizeof part), 0);
    renewed = rig_identity(&certs, "a/gateway", "a/crl.pem", rig_now());
    rig_do(&rig, task_reload);
    cr_assert_eq(SSL_read(peer.ssl, part, sizeof part), 0);
    cr_assert_eq(SSL_get_error(peer.ssl, 0), SSL_ERROR_ZERO_RETURN);
    tls_close(&peer);
    SSL_CTX_free(ctx);
    rig_stop(&rig);
}

Test(net_tls, a_reload_lets_what_is_under_way_end)
{
    struct rig rig;
    struct tls_peer peer;
    struct stile_buf got;
    static const char hold[] = "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n";
    start(&rig, "empty.pem");
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    cr_assert(tls_connect(&peer, ctx, rig.port, NULL));
    cr_assert_gt(SSL_write(peer.ssl, hold, sizeof hold - 1), 0);
    rig_wait_held(&rig);
    renewed = rig_identity(&certs, "a/gateway", "a/crl.pem", rig_now());
    rig_do(&rig, task_reload);
    rig_do(&rig, rig_task_release);
    stile_buf_init(&got, 4096);
    cr_assert(tls_exchange(&peer, "", &got));
    cr_assert(has(&got, "released"));
    cr_assert(has(&got, "Connection: close\r\n"));
    stile_buf_release(&got);
    tls_close(&peer);
    SSL_CTX_free(ctx);
    rig_stop(&rig);
}

Test(net_tls, no_tickets_leave_the_server)
{
    struct rig rig;
    SSL_SESSION *session = NULL;
    start(&rig, NULL);
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    cr_assert_eq(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
    cr_assert(served(&rig, ctx, NULL, &session, NULL));
    cr_assert_not(SSL_SESSION_has_ticket(session));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    rig_stop(&rig);
}

/* ---- load and harm ------------------------------------------------------ */

Test(net_tls, a_slow_handshake_is_cut_off)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    limits.handshake_ms = 300;
    rig_start(&rig, rig_identity(&certs, "a/gateway", NULL, rig_now()), limits);
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR("\x16\x03\x01")));
    stile_buf_init(&got, 4096);
    peer_read_all(fd, &got);
    close(fd);
    stile_buf_release(&got);
    cr_assert_eq(rig_look(&rig).timeouts, 1);
    rig_stop(&rig);
}

Test(net_tls, limit_of_handshakes)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    int fds[3];
    limits.handshakes = 2;
    rig_start(&rig, rig_identity(&certs, "a/gateway", NULL, rig_now()), limits);
    for (size_t i = 0; i < 3; i++) {
        fds[i] = peer_connect(rig.port);
        if (i < 2) {
            rig_wait_open(&rig, i + 1);
        }
    }
    /* The oldest gives way, and the newest may go on. */
    stile_buf_init(&got, 4096);
    peer_read_all(fds[0], &got);
    cr_assert_eq(got.len, 0);
    cr_assert_eq(rig_look(&rig).open, 2);
    cr_assert_eq(rig.seen.counts.refused, 1);
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    cr_assert(served(&rig, ctx, NULL, NULL, NULL));
    SSL_CTX_free(ctx);
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
    stile_buf_release(&got);
    rig_stop(&rig);
    cr_assert(rig_noted(&rig, "too many handshakes"));
}

/* Who has done the handshake keeps the connection; of the others of the address
 * the oldest gives way. */
Test(net_tls, limit_of_an_address)
{
    struct rig rig;
    struct stile_buf got;
    struct stile_net_limits limits = quick();
    int fds[2];
    limits.connections_peer = 2;
    rig_start(&rig, rig_identity(&certs, "a/gateway", NULL, rig_now()), limits);
    for (size_t i = 0; i < 2; i++) {
        fds[i] = peer_connect(rig.port);
        rig_wait_open(&rig, i + 1);
    }
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    cr_assert(served(&rig, ctx, NULL, NULL, NULL));
    stile_buf_init(&got, 4096);
    peer_read_all(fds[0], &got);
    cr_assert_eq(got.len, 0);
    SSL_CTX_free(ctx);
    for (size_t i = 0; i < 2; i++) {
        close(fds[i]);
    }
    stile_buf_release(&got);
    rig_stop(&rig);
    cr_assert(rig_noted(&rig, "an address has too many connections"));
}

Test(net_tls, plain_http_at_the_tls_door)
{
    struct rig rig;
    struct stile_buf got;
    start(&rig, NULL);
    int fd = peer_connect(rig.port);
    cr_assert(peer_send(fd, STILE_STR(GET)));
    stile_buf_init(&got, 4096);
    peer_read_all(fd, &got);
    cr_assert_not(has(&got, "HTTP"));
    close(fd);
    stile_buf_release(&got);
    cr_assert_eq(rig_look(&rig).handshake_failures, 1);
    rig_stop(&rig);
}

Test(net_tls, a_big_body_and_answer)
{
    struct rig rig;
    struct tls_peer peer;
    struct stile_buf raw, got;
    size_t size = 3 << 20;
    start(&rig, NULL);
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    stile_buf_init(&raw, 8 << 20);
    stile_buf_init(&got, 8 << 20);
    stile_buf_printf(&raw,
                     "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     size);
    for (size_t i = 0; i < size; i++) {
        stile_buf_byte(&raw, (char)('a' + i % 26));
    }
    stile_buf_byte(&raw, '\0');
    cr_assert(tls_connect(&peer, ctx, rig.port, NULL));
    cr_assert(tls_exchange(&peer, raw.ptr, &got));
    cr_assert(stile_str_ends(
        stile_buf_str(&got),
        stile_str_sub(stile_buf_str(&raw), raw.len - 1 - size, size)));
    tls_close(&peer);
    SSL_CTX_free(ctx);
    stile_buf_release(&raw);
    stile_buf_release(&got);
    rig_stop(&rig);
}

Test(net_tls, pipelined_in_one_record)
{
    struct rig rig;
    struct tls_peer peer;
    struct stile_buf raw, got;
    start(&rig, NULL);
    SSL_CTX *ctx = tls_peer_ctx(&certs, "a/practice");
    stile_buf_init(&raw, 1 << 16);
    stile_buf_init(&got, 1 << 20);
    for (int i = 0; i < 40; i++) {
        stile_buf_printf(&raw, "GET /n%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
    }
    stile_buf_addc(&raw, GET);
    stile_buf_byte(&raw, '\0');
    cr_assert(tls_connect(&peer, ctx, rig.port, NULL));
    cr_assert(tls_exchange(&peer, raw.ptr, &got));
    cr_assert_eq(count_of(&got, "200 OK"), 41);
    cr_assert_eq(rig_look(&rig).requests, 41);
    tls_close(&peer);
    SSL_CTX_free(ctx);
    stile_buf_release(&raw);
    stile_buf_release(&got);
    rig_stop(&rig);
}

/* ---- identities from files ---------------------------------------------- */

static void refused(struct rig_files *files, enum stile_status status,
                    const char *text)
{
    struct stile_identity *identity = NULL;
    struct stile_str error = STILE_STR_NULL;
    struct stile_arena *arena = stile_arena_new(1 << 16);
    cr_assert_eq(
        stile_identity_load(&files->tls, rig_now(), arena, &identity, &error),
        status, "%s: %.*s", text, STILE_FMT(error));
    cr_assert_null(identity);
    cr_assert_neq(stile_str_find_str(error, stile_str_cstr(text)), SIZE_MAX,
                  "%.*s", STILE_FMT(error));
    stile_arena_free(&arena);
}

Test(net_tls, files_that_are_refused)
{
    struct rig_files files;
    char other[160];
    rig_files_name(&files, &certs, "a/gateway", "a/crl.pem");
    files.tls.certificate = "/nowhere/x.pem";
    refused(&files, STILE_IO, "/nowhere/x.pem: cannot be opened");
    rig_files_name(&files, &certs, "a/gateway", NULL);
    files.tls.trust = NULL;
    refused(&files, STILE_INVALID, "name all three");
    rig_files_name(&files, &certs, "a/expired", NULL);
    refused(&files, STILE_INVALID, "has expired: renew");
    rig_files_name(&files, &certs, "a/gateway", "old.pem");
    refused(&files, STILE_INVALID, "old.pem: is past its nextUpdate");
    rig_files_name(&files, &certs, "a/gateway", "a/ca.pem");
    refused(&files, STILE_INVALID, "ca.pem: is not a list of PEM CRLs");
    rig_files_name(&files, &certs, "a/gateway", NULL);
    files.tls.trust = files.tls.key;
    refused(&files, STILE_INVALID, "is not a bundle of PEM CA");
    rig_files_name(&files, &certs, "a/gateway", NULL);
    files.tls.certificate = files.tls.key;
    refused(&files, STILE_INVALID, "is not a PEM certificate chain");
    rig_files_name(&files, &certs, "a/gateway", NULL);
    snprintf(other, sizeof other, "%s/a/practice.key", certs.dir);
    files.tls.key = other;
    refused(&files, STILE_INVALID, "does not belong to the certificate");
    rig_files_name(&files, &certs, "a/gateway", NULL);
    files.tls.groups = "nonesuch:X99";
    refused(&files, STILE_INVALID, "no TLS group");
    rig_files_name(&files, &certs, "a/gateway", NULL);
    snprintf(other, sizeof other, "chmod 640 %s", files.key);
    cr_assert_eq(system(other), 0);
    refused(&files, STILE_DENIED, "chmod 600");
}

Test(net_tls, what_an_identity_says)
{
    struct stile_identity *identity =
        rig_identity(&certs, "a/gateway", "empty.pem", rig_now());
    stile_time left = stile_identity_expires(identity) - rig_now();
    stile_time day = 86400 * STILE_SECOND;
    cr_assert(left > 820 * day && left <= 825 * day);
    struct stile_digest print = stile_identity_fingerprint(identity);
    cr_assert_not(stile_digest_eq(&print, &(struct stile_digest){0}));
    SSL_CTX *probe = SSL_CTX_new(TLS_method());
    char group[] = "X25519MLKEM768";
    cr_assert_eq(stile_identity_post_quantum(identity),
                 SSL_CTX_set1_groups_list(probe, group) == 1);
    SSL_CTX_free(probe);
    stile_identity_free(&identity);
    cr_assert_null(identity);
    stile_identity_free(&identity);
}
