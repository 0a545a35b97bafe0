/*
 * stile/net.h - bytes on wires: a mutual-TLS HTTP/1.1 server and a client,
 * both on one libuv loop. Knows nothing of records.
 *
 * Server
 *   uv_tcp -> OpenSSL (custom or memory BIO with caps) -> llhttp -> one
 *   complete request in memory -> on_request -> respond. HTTP/1.1 only (ALPN
 *   http/1.1), no Upgrade, CONNECT, TRACE. Pipelined requests are answered in
 *   order, one at a time.
 * Client
 *   curl multi driven by the loop (uv_poll, uv_timer); one CURLM per client
 *   identity, never shared, destroyed on rotation (CVE-2026-8932). https
 *   only, no redirects, no proxy from the environment.
 *
 * Our own post-checks on top of llhttp 9.2 (facts/transport D5): exactly one
 * Host; version exactly 1.0 or 1.1; single spaces in the request line;
 * origin-form target only; Transfer-Encoding only "chunked", only on 1.1; no
 * body on GET, HEAD or DELETE; Expect only 100-continue; header names with
 * underscore refused; trailers dropped; any error means 400 and close.
 *
 * TLS: 1.2 and 1.3; client certificate required on the partner listener;
 * renegotiation, compression, tickets and 0-RTT off; session id context is a
 * hash of listener, trust generation and CRL generation, so that a reload
 * voids all sessions (resumption skips certificate checks).
 *
 * Limits are per listener, named below, each an argument (transport D6).
 *
 * Threads: everything here runs on the loop's thread.
 */
#ifndef STILE_NET_H
#define STILE_NET_H

#include "stile/base.h"

struct uv_loop_s;

struct stile_net_limits {
    uint64_t handshake_ms;     /* 10,000, absolute */
    uint64_t head_ms;          /* 10,000, absolute, not reset by bytes */
    uint64_t body_idle_ms;     /* 10,000 between reads */
    uint32_t body_rate;        /* bytes a second at least, 1,024 */
    uint64_t answer_ms;        /* 60,000 for the handler */
    uint64_t write_ms;         /* 30,000 for the peer to read the answer */
    uint64_t idle_ms;          /* 60,000 keep-alive */
    uint64_t life_ms;          /* 3,600,000 a connection */
    uint32_t requests;         /* 1,000 a connection */
    size_t head_bytes;         /* 16 KiB request line and headers */
    size_t line_bytes;         /* 8 KiB a line */
    uint32_t headers;          /* 100 */
    size_t body_bytes;         /* 8 MiB */
    uint32_t connections;      /* 512 in all */
    uint32_t connections_peer; /* 32 an address; of handshakes the oldest
                                  gives way */
    uint32_t handshakes;       /* 64 at once; the oldest gives way */
    uint64_t linger_ms;        /* 5,000 */
    size_t answer_bytes;       /* 64 MiB of an answer's body; past it 500 */
};
/* Copy and change: a listener refuses a limit of nought. */
extern const struct stile_net_limits stile_net_defaults;

/* ---- identities and trust ---- */

struct stile_tls_files {
    const char *certificate; /* PEM chain */
    const char *key;         /* PEM private key, mode 0600 or 0400 */
    const char *trust;       /* PEM CA bundle */
    const char *crl;         /* PEM CRLs or NULL; checked for the leaf and
                                chain when given; past nextUpdate it is an
                                error and the peer is refused */
    const char *groups;      /* TLS groups, NULL = X25519MLKEM768 where
                                OpenSSL knows it, X25519, P-256 */
};

/* A loaded identity: counted; listeners and clients keep a reference. Errors
 * name the file and what to do (in `error`, arena text). Checks that key and
 * certificate match and dates. */
struct stile_identity;
STILE_MUSTCHECK enum stile_status
stile_identity_load(const struct stile_tls_files *files, stile_time now,
                    struct stile_arena *arena, struct stile_identity **ret,
                    struct stile_str *ret_error);
void stile_identity_free(struct stile_identity **identity);
/* Not-after of the leaf, for metrics and alarms. */
stile_time stile_identity_expires(const struct stile_identity *identity);
struct stile_digest
stile_identity_fingerprint(const struct stile_identity *identity);
bool stile_identity_post_quantum(const struct stile_identity *identity);

/* ---- server ---- */

struct stile_peer {
    struct stile_digest fingerprint; /* SHA-256 of the client certificate DER;
                                        all zero without TLS */
    struct stile_str common_name;    /* of the certificate */
    struct stile_str address;        /* numeric, no port */
};

struct stile_header {
    struct stile_str name, value;
};

struct stile_request {
    struct stile_str method, target; /* origin-form */
    struct stile_str path, query;    /* path percent-decoded once; query raw */
    const struct stile_header *headers;
    size_t header_count;
    struct stile_str body;
    struct stile_peer peer;
};
struct stile_str stile_request_header(const struct stile_request *request,
                                      const char *name); /* or NULL slice */

struct stile_call; /* one request waiting for its answer */

struct stile_answer {
    int status;
    struct stile_str content_type;
    struct stile_str body;              /* copied */
    const struct stile_header *headers; /* extra; copied */
    size_t header_count;
    bool close;
};

struct stile_listener;
struct stile_listener_options {
    const char *address;             /* numeric */
    int port;                        /* 0 = a free one, see _port */
    struct stile_identity *identity; /* NULL = plain HTTP (admin on loopback) */
    struct stile_net_limits limits;
    void *ctx;
    /* A complete request. Slices are valid until the answer was given. Must
     * lead to exactly one stile_call_answer, now or later on this thread. */
    void (*on_request)(void *ctx, struct stile_call *call,
                       const struct stile_request *request);
    /* Optional, before the body is read: return a status >= 400 (503, 401,
     * 404, 413...) to refuse at once, 0 to go on. *body_limit may be
     * lowered. */
    int (*on_head)(void *ctx, const struct stile_request *head,
                   size_t *body_limit);
    /* Optional: the body of a refusal made here (of on_head, of framing, of a
     * limit or a deadline). Writes it to `out` and returns its media type,
     * static. `path` is empty when the request was not read so far. Without
     * it, one line of plain text. */
    const char *(*on_refusal)(void *ctx, struct stile_str path, int status,
                              const char *reason, struct stile_buf *out);
    /* Optional: something worth a log line; `what` is static text. */
    void (*on_note)(void *ctx, const char *what, struct stile_str address);
};
STILE_MUSTCHECK enum stile_status
stile_listener_start(struct uv_loop_s *loop,
                     const struct stile_listener_options *options,
                     struct stile_arena *arena, struct stile_listener **ret,
                     struct stile_str *ret_error);
int stile_listener_port(const struct stile_listener *listener);
/* New connections use the new identity and trust; sessions are void. */
STILE_MUSTCHECK enum stile_status
stile_listener_reload(struct stile_listener *listener,
                      struct stile_identity *identity);
/* Graceful: stop accepting, answers carry Connection: close, idle
 * connections close; `on_drained` when none is left or after `hard_ms`. */
void stile_listener_drain(struct stile_listener *listener, uint64_t hard_ms,
                          void (*on_drained)(void *ctx), void *ctx);
/* Closes everything at once. Memory goes in the close callbacks; run the
 * loop until it has none left. */
void stile_listener_close(struct stile_listener **listener);
struct stile_listener_counts {
    uint64_t connections, open, handshake_failures, requests, refused, timeouts,
        bytes_in, bytes_out;
};
struct stile_listener_counts
stile_listener_counts(const struct stile_listener *listener);

/* May be called once; the call is gone then (also when the peer left
 * meanwhile, which is no error). */
void stile_call_answer(struct stile_call *call,
                       const struct stile_answer *answer);
/* True when the peer has gone; the answer is then only bookkeeping. */
bool stile_call_gone(const struct stile_call *call);
/* A place for the handler's pointer. */
void stile_call_set(struct stile_call *call, void *data);
void *stile_call_get(const struct stile_call *call);

/* ---- client
 * ----------------------------------------------------------------------------
 */

struct stile_client_limits {
    uint64_t connect_ms; /* 10,000, with the handshake */
    uint64_t total_ms;   /* 60,000 */
    size_t answer_bytes; /* 1 MiB kept of an answer's body */
    uint32_t per_host;   /* 8 connections; sends past them wait inside
                            total_ms, so admit no more than can go out */
    uint32_t in_flight;  /* 1,024 sends; past them BUSY */
};
#define STILE_CLIENT_LIMITS                                                    \
    ((struct stile_client_limits){10000, 60000, 1u << 20, 8, 1024})

struct stile_client;
STILE_MUSTCHECK enum stile_status
stile_client_new(struct uv_loop_s *loop, const struct stile_tls_files *files,
                 struct stile_client_limits limits, struct stile_client **ret);

struct stile_send {
    const char *url;                    /* https only; copied */
    const char *method;                 /* "POST" or "GET" */
    const struct stile_header *headers; /* copied */
    size_t header_count;
    struct stile_str body; /* copied */
    const char *pin;       /* "sha256//..." of the server key, or NULL */
    void *ctx;
    /* Once a send. status 0 = no HTTP answer; `body_sent`: the whole request
     * had gone out, so the outcome is unknown. `error` is static text. */
    void (*on_done)(void *ctx, int status, bool body_sent,
                    struct stile_str body, uint64_t retry_after_s,
                    const char *error);
};
STILE_MUSTCHECK enum stile_status
stile_client_send(struct stile_client *client, const struct stile_send *send);
uint32_t stile_client_in_flight(const struct stile_client *client);
/* Running sends end with status 0. Memory goes in close callbacks. */
void stile_client_close(struct stile_client **client);
/* curl_global_init, once, before any thread. */
STILE_MUSTCHECK enum stile_status stile_net_setup(void);

#endif
