/*
 * conn.h - one accepted connection: a state, its handles, its buffers.
 *
 * One mover changes the state, asserts that the step is in the table, keeps
 * the reason and puts the connection on the list that belongs to the state.
 * The memory goes when both handles' close callbacks have run and no call is
 * waiting for its answer, whichever is last.
 */
#ifndef STILE_NET_CONN_H
#define STILE_NET_CONN_H

#include <uv.h>

#include "http.h"
#include "tls.h"

/* X(name, text, states that may follow) */
#define STILE__CONN_STATES(X)                                                  \
    X(HANDSHAKE, "handshake", TO(HEAD) | TO(LINGER) | TO(CLOSED))              \
    X(HEAD, "reading a head",                                                  \
      TO(BODY) | TO(HANDLE) | TO(WRITE) | TO(LINGER) | TO(CLOSED))             \
    X(BODY, "reading a body", TO(HANDLE) | TO(WRITE) | TO(CLOSED))             \
    X(HANDLE, "waiting for the answer", TO(WRITE) | TO(CLOSED))                \
    X(WRITE, "writing the answer", TO(IDLE) | TO(LINGER) | TO(CLOSED))         \
    X(IDLE, "idle", TO(HEAD) | TO(LINGER) | TO(CLOSED))                        \
    X(LINGER, "saying goodbye", TO(CLOSED))                                    \
    X(CLOSED, "closed", 0)

enum stile__conn_state {
#define X(name, text, next) STILE__CONN_##name,
    STILE__CONN_STATES(X)
#undef X
    STILE__CONN_COUNT
};

struct stile__conn;

struct stile_call {
    struct stile__conn *conn;
    void *data;
    bool open; /* given to the handler and not yet answered */
};

struct stile__conn {
    struct stile_listener *listener;
    struct stile__conn *prev, *next;
    enum stile__conn_state state;
    const char *why; /* static: the reason of the last move */
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;
    unsigned handles;
    unsigned generation; /* of the listener's trust */
    bool running, reading, writing, eof, shut, broken;
    bool close_after; /* the answer under way is the last */
    SSL *ssl;         /* NULL on a plain listener */
    struct stile__wire wire;
    struct stile_buf sending; /* in the kernel's hands */
    struct stile_buf plain;   /* decrypted, not yet parsed */
    struct stile__http http;
    struct stile_buf answer;
    size_t answer_at;
    struct stile_call call;
    uint64_t born, phase_at, read_at, armed; /* loop milliseconds */
    uint32_t requests;
    struct stile_digest fingerprint;
    char name[65];
    char address[INET6_ADDRSTRLEN];
};

struct stile__conn_list {
    struct stile__conn *first;
    size_t count;
};

struct stile_listener {
    uv_loop_t *loop;
    struct stile_listener_options options; /* address is not kept */
    struct stile_identity *identity;
    SSL_CTX *ctx;
    BIO_METHOD *method;
    uv_tcp_t tcp;
    uv_timer_t timer; /* ends a drain */
    unsigned handles;
    unsigned generation;
    bool draining, closing;
    void (*on_drained)(void *ctx);
    void *drained_ctx;
    struct stile__conn_list lists[STILE__CONN_COUNT];
    struct stile_listener_counts counts;
    char read[STILE__WIRE_MAX]; /* of the read callback under way */
    char plain[16 << 10];       /* one TLS record */
};

/* Takes a waiting connection off the listener's socket. */
void stile__conn_accept(struct stile_listener *listener);
/* Goes on with whatever can be done now. */
void stile__conn_run(struct stile__conn *conn);
/* Ends it politely when it is between requests, else marks it. */
void stile__conn_finish(struct stile__conn *conn, const char *why);
/* Ends it now. */
void stile__conn_close(struct stile__conn *conn, const char *why);
void stile__conn_move(struct stile__conn *conn, enum stile__conn_state state,
                      const char *why);
void stile__conn_note(struct stile__conn *conn, const char *what);
/* Sends what `wire.out` holds, as far as the socket takes it. */
void stile__conn_flush(struct stile__conn *conn);
/* Frees the memory when nothing holds it any more. */
void stile__conn_settle(struct stile__conn *conn);
size_t stile__listener_open(const struct stile_listener *listener);
/* When the last connection has gone. */
void stile__listener_settle(struct stile_listener *listener);

/* talk.c: the protocol. One step; true when another may follow at once. */
bool stile__talk_step(struct stile__conn *conn);
/* Answers in the handler's stead and closes. */
void stile__talk_refuse(struct stile__conn *conn, int status,
                        const char *reason);

/* answer.c: the whole answer as bytes; false when it breaks a rule of ours
 * (a header that would split the answer, a body over the limit). */
struct stile__answer_shape {
    bool head_only, close, old;
    size_t body_bytes;
    stile_time now;
};
bool stile__answer_write(struct stile_buf *out,
                         const struct stile_answer *answer,
                         const struct stile__answer_shape *shape);
/* Shared with the client: a name of token characters, a value without
 * controls, and not one of the headers that frame a message. */
bool stile__header_valid(const struct stile_header *header);

#endif
