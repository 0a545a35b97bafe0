/*
 * stile/outbox.h - the states of what is still to be forwarded. Pure: the
 * tables, the movers and the retry arithmetic; no rows are kept here.
 *
 * Row:      queued -> sending -> done | deferred | refused | unknown | parked
 * Review:   waiting -> released | refused | lapsed
 * Partner:  `ready` is the hub; resting, paused and probing lead only back to
 *           ready, so that no timer dangles.
 *
 * Invariants
 *   - One mover a machine asserts the step against the table.
 *   - `done`, `refused` and `withdrawn` are final. `parked` waits for a
 *     person. Nothing else waits without a due time.
 *   - A timeout after the body went out is `unknown`, never `failed`: it is
 *     retried under the same idempotency key.
 *   - The reason of the last step is kept by the caller; it never holds a
 *     patient's value.
 */
#ifndef STILE_OUTBOX_H
#define STILE_OUTBOX_H

#include "stile/base.h"

/* name, text, final, bit set of permitted next states */
#define STILE_ROW_LIST(X)                                                      \
    X(QUEUED, "queued", false, TO(SENDING) | TO(PARKED) | TO(WITHDRAWN))       \
    X(SENDING, "sending", false,                                               \
      TO(DONE) | TO(DEFERRED) | TO(REFUSED) | TO(UNKNOWN) | TO(PARKED) |       \
          TO(WITHDRAWN))                                                       \
    X(DONE, "done", true, 0)                                                   \
    X(DEFERRED, "deferred", false, TO(SENDING) | TO(PARKED) | TO(WITHDRAWN))   \
    X(REFUSED, "refused", true, 0)                                             \
    X(UNKNOWN, "unknown", false, TO(SENDING) | TO(PARKED) | TO(WITHDRAWN))     \
    X(PARKED, "parked", false, TO(QUEUED) | TO(WITHDRAWN))                     \
    /* govern twice: consent or rules moved; or an operator gave up */         \
    X(WITHDRAWN, "withdrawn", true, 0)

enum stile_row_state {
#define X(name, text, final, next) STILE_ROW_##name,
    STILE_ROW_LIST(X)
#undef X
    STILE_ROW_COUNT
};
const char *stile_row_state_text(enum stile_row_state state);
bool stile_row_final(enum stile_row_state state);
STILE_MUSTCHECK bool stile_row_state_parse(struct stile_str text,
                                           enum stile_row_state *ret);
bool stile_row_may(enum stile_row_state from, enum stile_row_state to);
/* Asserts that the step is permitted and returns `to`. */
enum stile_row_state stile_row_move(enum stile_row_state from,
                                    enum stile_row_state to);

/* What a send came to. A status that tells of the road or the door, not of
 * the body, is LATER: a wrong certificate or address at a partner must not
 * refuse, and so empty, every row that waits for it. */
enum stile_send_result {
    STILE_SEND_DONE,    /* 2xx, or 409 duplicate */
    STILE_SEND_LATER,   /* nothing was taken: connect failed, 3xx, 401, 403,
                           404, 405, 407, 408, 421, 423, 425, 429, 501 to
                           504, 507 */
    STILE_SEND_REFUSED, /* any other 4xx: sending again will not help */
    STILE_SEND_UNKNOWN  /* body went out, no answer or another 5xx */
};
/* HTTP status to result; below 200 = no answer, `body_sent` tells which. */
enum stile_send_result stile_send_judge(int http_status, bool body_sent);

struct stile_retry {
    stile_time least;   /* first delay, default 5 s */
    stile_time most;    /* longest delay, default 30 min */
    stile_time give_up; /* age at which a row is parked, default 3 days */
};
#define STILE_RETRY                                                            \
    ((struct stile_retry){5 * STILE_SECOND, 1800 * STILE_SECOND,               \
                          259200 * STILE_SECOND})

/* Next state of a sending row and its due time. The delay is the time in
 * queue (so it doubles with each attempt), at least `least` a send begun (so
 * that a clock set back does not make a row hammer), at most `most`.
 * `retry_after` (a delay, 0 = none) is honoured up to `most`; `random` spreads
 * by up to a quarter more. */
struct stile_row_step {
    enum stile_row_state state;
    stile_time due; /* 0 when final or parked */
};
struct stile_row_step
stile_row_after_send(enum stile_send_result result, stile_time queued_at,
                     stile_time now, uint32_t attempts, stile_time retry_after,
                     uint32_t random, const struct stile_retry *retry);

#define STILE_PARTNER_LIST(X)                                                  \
    X(READY, "ready", TO(RESTING) | TO(PROBING) | TO(PAUSED))                  \
    X(RESTING, "resting", TO(READY))                                           \
    X(PROBING, "probing", TO(READY))                                           \
    X(PAUSED, "paused", TO(READY))
enum stile_partner_state {
#define X(name, text, next) STILE_PARTNER_##name,
    STILE_PARTNER_LIST(X)
#undef X
    STILE_PARTNER_COUNT
};
const char *stile_partner_state_text(enum stile_partner_state state);
bool stile_partner_may(enum stile_partner_state from,
                       enum stile_partner_state to);

/*
 * A destination rests after `cohorts` failed cohorts, not after failures. A
 * cohort is as many sends as were in flight when its first one ended; it
 * failed when all of them came to LATER or UNKNOWN (a refusal is an answer:
 * the partner is well). Each rest is twice the last, up to rest_most; then one
 * row probes.
 */
struct stile_partner_health {
    enum stile_partner_state state;
    uint32_t failed_cohorts;
    uint32_t in_flight;
    uint32_t cohort_ok, cohort_failed, cohort_size;
    stile_time rest_until;
    const char *reason; /* static text */
};
struct stile_partner_policy {
    uint32_t window;  /* most sends in flight, default 8 */
    uint32_t cohorts; /* failed cohorts before rest, default 1 */
    stile_time rest_least, rest_most; /* default 5 s, 5 min */
};
#define STILE_PARTNER_POLICY                                                   \
    ((struct stile_partner_policy){8, 1, 5 * STILE_SECOND, 300 * STILE_SECOND})
void stile_partner_init(struct stile_partner_health *health);
/* How many more may start now: 0 when resting or paused, 1 when probing and
 * none is in flight. A rest that is over becomes probing here. */
uint32_t stile_partner_room(struct stile_partner_health *health, stile_time now,
                            const struct stile_partner_policy *policy);
void stile_partner_started(struct stile_partner_health *health);
void stile_partner_ended(struct stile_partner_health *health,
                         enum stile_send_result result, const char *reason,
                         stile_time now,
                         const struct stile_partner_policy *policy);
/* By an operator; ending a pause forgets what failed before it. */
void stile_partner_pause(struct stile_partner_health *health, bool pause);

/*
 * A review: what the rules hold until a person has looked. `waiting` ends once,
 * by a person's act or, past its time, by lapsing; nothing leads back.
 */
#define STILE_REVIEW_LIST(X)                                                   \
    X(WAITING, "waiting", TO(RELEASED) | TO(REFUSED) | TO(LAPSED))             \
    X(RELEASED, "released", 0)                                                 \
    X(REFUSED, "refused", 0)                                                   \
    /* nobody decided in time, or the record it is about moved on */           \
    X(LAPSED, "lapsed", 0)
enum stile_review_state {
#define X(name, text, next) STILE_REVIEW_##name,
    STILE_REVIEW_LIST(X)
#undef X
    STILE_REVIEW_COUNT
};
const char *stile_review_state_text(enum stile_review_state state);
bool stile_review_may(enum stile_review_state from, enum stile_review_state to);
/* Asserts that the step is permitted and returns `to`. */
enum stile_review_state stile_review_move(enum stile_review_state from,
                                          enum stile_review_state to);

/* ---- what an accept makes durable ---- */

struct stile_outbox_new {
    struct stile_str route;   /* route name */
    struct stile_str partner; /* partner name */
    struct stile_str format;  /* format name */
    struct stile_str media_type;
    struct stile_str lane; /* rows of one lane go one at a time, in
                              order: commitment of person + partner */
    struct stile_str key;  /* idempotency key, unique */
    struct stile_str body;
    struct stile_str message_id; /* the kept message it was made from */
    struct stile_digest rules;   /* rule set it was decided under */
    uint64_t epoch;              /* consent epoch it was decided under */
    stile_time due;
};

struct stile_stored_fact {
    struct stile_str person; /* person key: NHS number or system key */
    struct stile_str name, recipient, source;
    int value; /* enum stile_truth */
    stile_time date;
    stile_time from, until; /* it holds from `from` until before `until`; 0 =
                               open. Outside of them nothing is known. */
};

struct stile_sent_mark { /* what a route last sent of a resource */
    struct stile_str route, person, type, id;
    struct stile_digest digest; /* of the governed resource; all zero =
                                   removed */
};

struct stile_quarantine_new {
    struct stile_str source; /* partner or feed */
    struct stile_str name;   /* file or message name */
    uint64_t row;            /* 0 = the whole */
    struct stile_str reason; /* findings, no patient's value */
    struct stile_str bytes;  /* what could not be decoded */
};

struct stile_kept_message { /* for govern twice; gone when all rows
                               made from it are final */
    struct stile_str id, person;
    struct stile_str body; /* opaque: as the exchange wrote it */
};

struct stile_held_row { /* an export's row that waits for another */
    struct stile_str feed, table, key;
    struct stile_str missing; /* "Table" U+001F "key" it waits for */
    struct stile_str reason;
    stile_time since;
};

/* A person's word on one item, or none yet. */
enum stile_review_word {
    STILE_REVIEW_NO_WORD,
    STILE_REVIEW_RELEASE,
    STILE_REVIEW_REFUSE
};
struct stile_review_item { /* words and ids: no patient's value */
    struct stile_str type, id;
    struct stile_digest digest; /* of the resource as the rules were given it:
                                   a word is about this and nothing else */
    struct stile_str data;      /* data words that wait, parted by ", " */
    struct stile_str rules;     /* ids that hold them, parted by ", " */
    /* from the store */
    int64_t review;
    uint32_t n; /* its number in the review, from 1 */
    struct stile_str route;
    enum stile_review_word word;
    bool waits;   /* its review does */
    bool changed; /* a newer version of it came since: no word on this one */
};
struct stile_review {
    int64_t id;
    enum stile_review_state state;
    struct stile_str route, partner, person, message_id, feed, feed_person;
    stile_time since, ended;
    struct stile_str reason; /* why it ended */
    struct stile_str act;    /* of the person who ended it, JSON, or empty */
    const struct stile_review_item *items;
    size_t item_count;
};
struct stile_review_new {
    struct stile_str route, partner, person;
    struct stile_str message_id;        /* kept as long as it waits */
    struct stile_str feed, feed_person; /* an export's: a release marks them
                                           dirty */
    const struct stile_review_item *items;
    size_t item_count;
};
struct stile_review_end { /* lapses it, if it waits still */
    int64_t id;
    struct stile_str reason;
};
/* A message holds this of a person: what waits of it in another version has
 * changed. */
struct stile_review_seen {
    struct stile_str route, person, type, id;
    struct stile_digest digest;
};

/*
 * All that one transaction makes durable. The exchange makes it, the store
 * keeps it: this is the outcome of a message.
 */
struct stile_accept {
    stile_time now;
    /* Dedupe: empty source = none. Same key and digest: EXISTS, with the
     * stored answer. Same key, other digest: CONFLICT. */
    struct stile_str source, key;
    struct stile_digest digest;
    int answer_status; /* kept for a repeat */
    struct stile_str answer_body;
    const struct stile_kept_message *messages;
    size_t message_count;
    const struct stile_outbox_new *rows;
    size_t row_count;
    const struct stile_str *entries; /* audit entries, canonical JSON */
    size_t entry_count;
    const struct stile_stored_fact *facts; /* a change bumps the person's
                                              epoch and the store's */
    size_t fact_count;
    const struct stile_sent_mark *sent;
    size_t sent_count;
    const struct stile_quarantine_new *quarantine;
    size_t quarantine_count;
    /* Held rows of (clear_feed, clear_person): replaces those kept. */
    const struct stile_held_row *held;
    size_t held_count;
    struct stile_str clear_feed, clear_person; /* dirty mark to clear */
    uint64_t clear_batch;
    /* In this order: what ends, what was seen, what waits from now on. */
    const struct stile_review_end *review_ends;
    size_t review_end_count;
    const struct stile_review_seen *review_seen;
    size_t review_seen_count;
    const struct stile_review_new *reviews;
    size_t review_count;
};

#endif
