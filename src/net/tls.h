/*
 * tls.h - OpenSSL contexts from identities, and the BIO through which a
 * connection's TLS reads and writes plain buffers instead of a socket.
 */
#ifndef STILE_NET_TLS_H
#define STILE_NET_TLS_H

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "stile/net.h"

struct stile_identity {
    unsigned references;
    X509 *certificate;
    STACK_OF(X509) * chain; /* above the leaf, may be empty */
    EVP_PKEY *key;
    X509_STORE *store;
    STACK_OF(X509_NAME) * names; /* of the trusted, for the request */
    char *groups;
    bool post_quantum;
    stile_time expires;
    struct stile_digest fingerprint;
    struct stile_digest trust; /* of the trust and CRL files' bytes */
};

/* Whole files, read once. The key's bytes are wiped on release. */
#define STILE__PEM_MAX ((size_t)16 << 20)
struct stile__pem {
    struct stile_buf certificate, key, trust, crl;
};
enum stile_status stile__pem_read(const struct stile_tls_files *files,
                                  struct stile__pem *pem,
                                  struct stile_arena *arena,
                                  struct stile_str *ret_error);
void stile__pem_release(struct stile__pem *pem);

struct stile_identity *stile__identity_ref(struct stile_identity *identity);

/* TLS 1.2 suites, for both sides. */
extern const char *const stile__tls_ciphers;

/* A server context; `salt` names the listener and the generation, so that no
 * session outlives either. NULL when OpenSSL refuses. */
SSL_CTX *stile__tls_server(struct stile_identity *identity,
                           struct stile_str salt);

/* What the wire brought and what it shall carry. */
#define STILE__WIRE_MAX ((size_t)64 << 10)
struct stile__wire {
    struct stile_str fresh; /* bytes of the current read, borrowed */
    struct stile_buf in;    /* what came before them and is not yet used */
    struct stile_buf out;   /* for the socket; stops the writer at its max */
};
void stile__wire_init(struct stile__wire *wire);
void stile__wire_release(struct stile__wire *wire);
/* Puts what is left of `fresh` into `in`. False when memory is short. */
bool stile__wire_keep(struct stile__wire *wire);
size_t stile__wire_take(struct stile__wire *wire, char *into, size_t len);

BIO_METHOD *stile__wire_method(void);
/* A server's TLS over the wire, which it keeps. */
SSL *stile__tls_new(SSL_CTX *ctx, BIO_METHOD *method, struct stile__wire *wire);

/* Of the peer's certificate, after the handshake. The common name is text in
 * `name`, empty when there is none, or more than one, or one with bytes that
 * could be read twice. */
bool stile__tls_peer(SSL *ssl, struct stile_digest *ret_fingerprint,
                     char name[65]);

#endif
