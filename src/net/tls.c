#include "tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define SESSION_SECONDS 300
#define SESSIONS_KEPT 4096
#define CHAIN_DEPTH 3
#define CHAIN_BYTES (32 << 10)

/* NCSC and Spine (facts: ECDHE with AES-GCM, AES-256 first); no CBC. */
const char *const stile__tls_ciphers =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char ciphers_13[] =
    "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
    "TLS_CHACHA20_POLY1305_SHA256";

/* Only http/1.1 is spoken; a client that offers others alone is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **out,
                           unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)arg;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in,
                              in_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Resumption skips the certificate checks, so the context of a session is
 * the listener, its generation and the trust it was made under. */
static bool set_session_context(SSL_CTX *ctx, struct stile_digest trust,
                                struct stile_str salt)
{
    struct stile_sha256 *sha = stile_sha256_new();
    struct stile_digest digest;
    if (!sha) {
        return false;
    }
    stile_sha256_add(
        sha, (struct stile_str){(const char *)trust.bytes, sizeof trust.bytes});
    stile_sha256_add(sha, salt);
    stile_sha256_done(sha, &digest);
    stile_sha256_free(&sha);
    return SSL_CTX_set_session_id_context(ctx, digest.bytes,
                                          sizeof digest.bytes) == 1;
}

static bool set_trust(SSL_CTX *ctx, struct stile_identity *identity)
{
    if (!X509_STORE_up_ref(identity->store)) {
        return false;
    }
    SSL_CTX_set_cert_store(ctx, identity->store); /* takes the reference */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    SSL_CTX_set_verify_depth(ctx, CHAIN_DEPTH);
    SSL_CTX_set_max_cert_list(ctx, CHAIN_BYTES);
    STACK_OF(X509_NAME) *names =
        sk_X509_NAME_deep_copy(identity->names, X509_NAME_dup, X509_NAME_free);
    if (!names) {
        return false;
    }
    SSL_CTX_set_client_CA_list(ctx, names); /* takes */
    return true;
}

SSL_CTX *stile__tls_server(struct stile_identity *identity,
                           struct stile_str salt)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) {
        ERR_clear_error();
        return NULL;
    }
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
                              SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ctx, SESSIONS_KEPT);
    SSL_CTX_set_timeout(ctx, SESSION_SECONDS);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    bool good =
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(ctx, stile__tls_ciphers) == 1 &&
        SSL_CTX_set_ciphersuites(ctx, ciphers_13) == 1 &&
        SSL_CTX_set1_groups_list(ctx, identity->groups) == 1 &&
        SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
        SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
        SSL_CTX_use_cert_and_key(ctx, identity->certificate, identity->key,
                                 identity->chain, 1) == 1 &&
        set_trust(ctx, identity) &&
        set_session_context(ctx, identity->trust, salt);
    ERR_clear_error();
    if (!good) {
        SSL_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

/* ---- the wire ---- */

void stile__wire_init(struct stile__wire *wire)
{
    *wire = (struct stile__wire){0};
    /* One read past the mark at which reading stops. */
    stile_buf_init(&wire->in, STILE__WIRE_MAX * 2);
    /* OpenSSL may pass the mark by one write. */
    stile_buf_init(&wire->out, STILE__WIRE_MAX * 2);
}

void stile__wire_release(struct stile__wire *wire)
{
    stile_buf_release(&wire->in);
    stile_buf_release(&wire->out);
    wire->fresh = STILE_STR_NULL;
}

bool stile__wire_keep(struct stile__wire *wire)
{
    stile_buf_add(&wire->in, wire->fresh);
    wire->fresh = STILE_STR_NULL;
    return wire->in.status == STILE_OK;
}

size_t stile__wire_take(struct stile__wire *wire, char *into, size_t len)
{
    size_t took = 0;
    if (wire->in.len > 0) {
        took = len < wire->in.len ? len : wire->in.len;
        memcpy(into, wire->in.ptr, took);
        stile_buf_consume(&wire->in, took);
    } else if (wire->fresh.len > 0) {
        took = len < wire->fresh.len ? len : wire->fresh.len;
        memcpy(into, wire->fresh.ptr, took);
        wire->fresh.ptr += took;
        wire->fresh.len -= took;
    }
    return took;
}

static int wire_read(BIO *bio, char *into, size_t len, size_t *ret_len)
{
    struct stile__wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *ret_len = stile__wire_take(wire, into, len);
    if (*ret_len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    return 1;
}

static int wire_write(BIO *bio, const char *from, size_t len, size_t *ret_len)
{
    struct stile__wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *ret_len = 0;
    if (wire->out.len >= STILE__WIRE_MAX) {
        BIO_set_retry_write(bio);
        return 0;
    }
    size_t part = len < STILE__WIRE_MAX ? len : STILE__WIRE_MAX;
    stile_buf_add(&wire->out, (struct stile_str){from, part});
    if (wire->out.status != STILE_OK) {
        return 0;
    }
    *ret_len = part;
    return 1;
}

static long wire_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *stile__wire_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stile wire");
    if (method && (!BIO_meth_set_read_ex(method, wire_read) ||
                   !BIO_meth_set_write_ex(method, wire_write) ||
                   !BIO_meth_set_ctrl(method, wire_ctrl))) {
        BIO_meth_free(method);
        method = NULL;
    }
    return method;
}

SSL *stile__tls_new(SSL_CTX *ctx, BIO_METHOD *method, struct stile__wire *wire)
{
    SSL *ssl = SSL_new(ctx);
    BIO *bio = ssl ? BIO_new(method) : NULL;
    if (!bio) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio); /* takes both, which are one */
    SSL_set_accept_state(ssl);
    return ssl;
}

/* ---- the peer ---- */

static void common_name(X509 *certificate, char name[65])
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 ||
        X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return;
    }
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(
        &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool good = len > 0 && len <= 64; /* ub-common-name, RFC 5280 */
    for (int i = 0; good && i < len; i++) {
        good = text[i] > 0x1f && text[i] != 0x7f;
    }
    if (good) {
        memcpy(name, text, (size_t)len);
        name[len] = '\0';
    }
    OPENSSL_free(text);
}

bool stile__tls_peer(SSL *ssl, struct stile_digest *ret_fingerprint,
                     char name[65])
{
    /* Borrowed, owned by the session. */
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    unsigned len = 0;
    name[0] = '\0';
    /* A resumed session was not verified again, but time has gone on. */
    if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK ||
        X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0 ||
        X509_digest(certificate, EVP_sha256(), ret_fingerprint->bytes, &len) !=
            1 ||
        len != sizeof ret_fingerprint->bytes) {
        ERR_clear_error();
        return false;
    }
    common_name(certificate, name);
    ERR_clear_error();
    return true;
}
