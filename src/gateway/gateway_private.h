/*
 * What the files of src/gateway share: the running gateway and its parts.
 *
 * Every struct here lives and dies on the loop's thread. Work on the pool or
 * the store thread touches only the trip or job it was given.
 */
#ifndef STILE_GATEWAY_PRIVATE_H
#define STILE_GATEWAY_PRIVATE_H

#include <uv.h>

#include "stile/gateway.h"

struct gateway;

#define SCRAPES_MAX 16

/* ---- log.c: the one place that logs ---------------------------------------
 */

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO
};
/* One line, no patient's value: time, gateway, level, what, text. */
void log_line(const struct gateway *g, enum log_level level, const char *what,
              const char *format, ...) STILE_PRINTF(4, 5);
void log_diags(const struct gateway *g, const struct stile_diags *diags);

/* ---- trip.c: one message through the exchange ------------------------------
 */

/*
 * pool: begin -> store thread: answer what it needs -> pool: begin ... finish
 * -> store thread: accept -> `done`, on the loop. The trip owns its arena,
 * its message's bytes are in it. `done` must end with trip_free.
 */
struct trip {
    struct gateway *g;
    struct stile_plan_box *plan;
    struct stile_arena *arena;
    struct stile_message message;
    struct stile_exchange *exchange;
    struct stile_accept accept;
    struct stile_store_job job;
    uv_work_t work;
    enum stile_status begun;      /* what begin said: OK, INVALID, LIMIT... */
    enum stile_status status;     /* of the whole trip: OK = durable */
    bool repeated;                /* EXISTS: it was accepted before */
    bool skip;                    /* extract: the practice's sharing is off */
    struct stile_str answer_body; /* set by `answer`, kept for a repeat */
    int answer_status;
    /* Optional, on the pool after finish: makes the stored answer. */
    void (*answer)(struct trip *trip);
    /* Optional, on the store thread before anything: loads the message. */
    enum stile_status (*gather)(struct trip *trip, struct stile_store *store);
    void (*done)(struct trip *trip);
    void *owner;
};

/* NULL when the limit of exchanges in flight is reached or memory is short. */
struct trip *trip_new(struct gateway *g);
void trip_start(struct trip *trip);
void trip_free(struct trip **trip);
/* Logs the exchange's events. */
void trip_log(const struct trip *trip);

/* ---- the running gateway ---- */

struct partner_run {
    const struct stile_partner_config *config;
    struct stile_partner_health health;
};

struct deliver; /* deliver.c */
struct feeds;   /* feed.c */

struct gateway_counts {
    uint64_t accepted, repeated, refused, quarantined, forwarded, deferred,
        refused_there, unknown, withdrawn, decided_again, extract_rows, trips,
        reloads, reload_failures, privacy_notices, batches_refused;
};

struct gateway {
    uv_loop_t loop;
    const char *config_path;
    struct stile_arena *arena; /* of the configuration */
    struct stile_config *config;
    struct stile_plan_box *plan;
    struct stile_identity *identity;
    struct stile_listener *listener, *admin;
    struct stile_client *client;
    struct stile_store *store;
    struct stile_store_thread *thread;
    uv_async_t wake;
    uv_timer_t checkpoint_timer, sweep_timer, rules_timer;
    uv_signal_t on_term, on_int, on_hup;
    struct partner_run *partners;
    size_t partner_count;
    struct deliver *deliver;
    struct feeds *feeds;
    size_t trips;                  /* in flight */
    size_t scrapes;                /* of the admin listener, in flight */
    stile_time started;            /* and with it what it can do */
    bool reloading, reload_wanted; /* at work; asked for meanwhile */
    bool rules_asked;              /* the store, what is in force */
    unsigned rules_wait;           /* ticks, after it could not be taken up */
    bool proposal;                 /* the folder's rules are not in force: */
    struct stile_digest proposed;  /* these; zero: they are not usable */
    bool ready, draining, checkpointing, last_checkpoint, closing;
    uint64_t signed_size; /* of the log, under a checkpoint */
    uint8_t salt[32];
    struct stile_digest pseudonym_key; /* made from the salt */
    uint8_t audit_seed[32];
    struct stile_exchange_keys keys;
    struct gateway_counts counts;
    bool color;
};

/* The queue of the store thread is made as long as all that may stand in it at
 * once, so posting cannot fail. */
void gateway_post(struct gateway *g, struct stile_store_job *job);
/* Called when something that holds up the end of a drain has ended. */
void gateway_settled(struct gateway *g);
const struct stile_route *gateway_route(const struct gateway *g,
                                        struct stile_str name);
struct partner_run *gateway_partner(struct gateway *g, struct stile_str name);

/* ---- ingest.c: the partner listener ---- */

int ingest_on_head(void *ctx, const struct stile_request *head,
                   size_t *body_limit);
void ingest_on_request(void *ctx, struct stile_call *call,
                       const struct stile_request *request);
const char *ingest_on_refusal(void *ctx, struct stile_str path, int status,
                              const char *reason, struct stile_buf *out);
void ingest_on_note(void *ctx, const char *what, struct stile_str address);

/* ---- answers.c: what a sender is told ---- */

/* OperationOutcome on FHIR paths, application/problem+json elsewhere. */
const char *answer_refusal(bool fhir, int status, const char *text,
                           struct stile_buf *out);
void answer_problem(struct stile_call *call, bool fhir, int status,
                    const char *code, const char *text);
struct stile_str answer_accepted(struct trip *trip, bool fhir);
struct stile_str answer_findings(struct trip *trip, bool fhir, int status);
struct stile_str answer_capability(struct stile_arena *arena,
                                   const struct gateway *g);

/* ---- review.c: what waits for a person ---- */

struct review_watch {
    uint64_t late, lapsed; /* waits too long; ended just now */
    stile_time oldest;     /* of the late: since when */
};
/* On the store thread: lapses what is past its time, each with its entry. */
STILE_MUSTCHECK enum stile_status review_watch(const struct gateway *g,
                                               struct stile_store *store,
                                               stile_time now,
                                               struct review_watch *ret);
/* On the loop. */
void review_say(const struct gateway *g, const struct review_watch *watch);

/* ---- reload.c: the plan, from files and from the set in force ---- */

/* Before the store has its thread. False: it has been said why there is none.
 */
STILE_MUSTCHECK bool reload_first(struct gateway *g);
/* From then on: SIGHUP, and sets that others put in force. */
void reload_start(struct gateway *g);
void reload_stop(struct gateway *g);
struct stile_identity *reload_identity(struct gateway *g);
/* An audit entry of what is in force from now on. */
void reload_enter(struct gateway *g, const char *type);
/* Every person of an export is worked again, if the plan is another one than
 * the export was last worked under. */
void reload_show(struct gateway *g);
/* The folder's rules, as they were read last, are not in force. */
bool reload_pending(const struct gateway *g);

/* ---- admin.c ---- */

void admin_on_request(void *ctx, struct stile_call *call,
                      const struct stile_request *request);

/* ---- deliver.c: claim, decide again, forward, settle ---- */

STILE_MUSTCHECK enum stile_status deliver_start(struct gateway *g);
void deliver_kick(struct gateway *g);
/* No new claims; running sends go on. */
void deliver_stop(struct gateway *g);
bool deliver_idle(const struct gateway *g);
void deliver_free(struct gateway *g);

/* ---- feed.c, extract.c: folders ---- */

STILE_MUSTCHECK enum stile_status feeds_start(struct gateway *g);
void feeds_stop(struct gateway *g);
bool feeds_idle(const struct gateway *g);
void feeds_free(struct gateway *g);

/* One feed's loader of export batches; NULL family tables: not an export. */
/* manifest.c: the oldest whole download of a folder. */
struct download {
    bool found;
    const char *why; /* it cannot be read, and what to do; or NULL */
    char folder[1024];
    char stamp[16]; /* its folder's name, yyyyMMdd_HHmm */
    char to[16];    /* what it reaches up to, or "" */
};
void download_find(const char *root, struct stile_str manifest,
                   struct stile_str needs, struct download *ret);
/* Remembers that the mirror has everything up to its end. */
STILE_MUSTCHECK bool download_note(const char *root, const struct download *d);

struct extract;
struct extract *extract_new(struct gateway *g,
                            const struct stile_feed_config *feed);
void extract_free(struct extract **extract);
/* Looks into the folder (on the pool) and works what is complete; calls
 * `done` on the loop when nothing more can be done now. */
void extract_poll(struct extract *extract, void (*done)(void *ctx), void *ctx);

/* ---- mirror.c: rows of an export as the store keeps them ---- */

/* {"column": "cell", ...} without the empty cells. */
struct stile_str mirror_write(struct stile_arena *arena,
                              const struct stile_table *table,
                              const struct stile_str *cells);
STILE_MUSTCHECK enum stile_status mirror_read(struct stile_arena *arena,
                                              const struct stile_table *table,
                                              struct stile_str json,
                                              struct stile_row *ret);

#endif
