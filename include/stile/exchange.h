/*
 * stile/exchange.h - the trip of one message. Pure: message and facts in,
 * outcome out. Read this and src/exchange/exchange.c to read the gateway.
 *
 *   BEGIN   decode, check, map to FHIR R4 (the pivot), split by person
 *   needs   "I need these rows, and what is known of these persons"
 *   FINISH  per person and route: label, govern, do the obligations, map out,
 *           encode; write the audit entries
 *   outcome one struct stile_accept: all that one transaction makes durable
 *
 * Invariants
 *   - The exchange never calls a store: it asks, the caller answers.
 *   - An exchange keeps the plan it began with.
 *   - What cannot be decoded or mapped goes to quarantine with its findings;
 *     the rest goes on. A wrong NHS number is never forwarded.
 *   - A denial is an outcome too: audit entry, no outbox row.
 *   - Delivery inside the own organisation (partner kind own-system) is no
 *     disclosure: it is not governed, but it is audited.
 *
 * Ownership: everything lives in the arena given to _new; the message's bytes
 * must outlive the exchange. Threads: one at a time; plan is immutable.
 */
#ifndef STILE_EXCHANGE_H
#define STILE_EXCHANGE_H

#include "stile/audit.h"
#include "stile/base.h"
#include "stile/format.h"
#include "stile/govern.h"
#include "stile/map.h"
#include "stile/outbox.h"
#include "stile/record.h"
#include "stile/schema.h"

/* ---- the plan ---- */

struct stile_partner {
    struct stile_str name; /* "charity" */
    struct stile_str ods;  /* ODS code */
    struct stile_str kind; /* a word of vocabulary.yaml, or own-system */
    bool own;              /* kind is own-system */
};

struct stile_route {
    struct stile_str name;
    struct stile_str from;   /* partner or feed name */
    size_t to;               /* index into partners */
    struct stile_str format; /* format name */
    struct stile_str purpose, agreement;
};

struct stile_plan {
    struct stile_str gateway;   /* name */
    struct stile_str ods, kind; /* own organisation */
    const struct stile_schema *schema;
    const struct stile_mapset *maps;
    const struct stile_rules *rules;
    const struct stile_partner *partners;
    size_t partner_count;
    const struct stile_route *routes;
    size_t route_count;
    struct stile_json_limits json;
    struct stile_csv_limits csv;
    uint32_t persons_max;       /* persons in one message, default 1000 */
    struct stile_digest digest; /* maps + rules + routes */
};

/* What a decision stands on besides facts: the plan, and the day, because an
 * agreement ends on one. A row that was decided on other ground is decided
 * again before it goes. */
struct stile_digest stile_plan_ground(const struct stile_plan *plan,
                                      stile_time now);

/* ---- the message ---- */

struct stile_message {
    struct stile_str id;     /* unique at its source: the dedupe key */
    struct stile_str source; /* partner or feed name */
    struct stile_str source_ods;
    struct stile_str family; /* "fhir", "vcse-case", "emis" */
    struct stile_str name;   /* file or request, for findings */
    struct stile_str format; /* format of `bytes`; empty: rows are given */
    struct stile_str bytes;
    const struct stile_row *rows; /* an export: one person's rows */
    size_t row_count;
    stile_time received;
    stile_time now;
    bool dedupe; /* keep id and digest against repeats */
    /* An export's person: dirty mark to clear, deleted resources to compare
     * with what was sent before. */
    struct stile_str feed, feed_person;
    uint64_t feed_batch;
    bool gone; /* the person's own row was deleted: what was
                  sent of them is deleted there too */
    /* An export's rows of the person that were deleted, as they were: a row
     * that hangs on one of them is gone with it and waits for nothing. */
    const struct stile_row *deleted_rows;
    size_t deleted_row_count;
};

/* Secrets of this gateway, made once and kept in its store. */
struct stile_exchange_keys {
    struct stile_str salt;      /* commitments to persons in the audit log */
    struct stile_str pseudonym; /* keyed digests in pseudonymised fields */
};

/* ---- what the store knows of a person ---- */

/* A stored fact as it stands at `now`: outside of its bounds nothing is known.
 */
struct stile_fact stile_stored_fact_at(const struct stile_stored_fact *stored,
                                       stile_time now);
/* Some of them holds for a time only, so what rests on them is decided again
 * whenever it is due. */
bool stile_stored_facts_end(const struct stile_stored_fact *facts,
                            size_t count);
/* Where the fact of a broken glass comes from: "break-glass|", the agreement
 * it opens and no other, '|', and how it came about. */
#define STILE_GLASS_SOURCE "break-glass|"

/* From the store's 32 bytes. `salt` and `pseudonym` are kept, and the caller's
 * to wipe. */
void stile_exchange_keys_make(const uint8_t salt[32],
                              struct stile_digest *pseudonym,
                              struct stile_exchange_keys *ret);

/* ---- questions ---- */

enum stile_need_kind {
    STILE_NEED_ROW,
    STILE_NEED_PERSON
};

struct stile_need {
    enum stile_need_kind kind;
    struct stile_str family, table, column, key; /* ROW */
    struct stile_str person;                     /* PERSON: person key */
    /* answers, filled by the caller, in the exchange's arena */
    bool answered;
    bool found; /* ROW */
    struct stile_row row;
    const struct stile_stored_fact *facts; /* PERSON */
    size_t fact_count;
    uint64_t epoch;
    const struct stile_sent_mark *sent; /* PERSON of an export: all routes */
    size_t sent_count;
    const struct stile_review_item *reviewed; /* PERSON: all routes */
    size_t reviewed_count;
    bool deleted; /* ROW, not found: it was there, the source deleted it */
};

/* ---- the exchange ---- */

struct stile_exchange;

STILE_MUSTCHECK enum stile_status
stile_exchange_new(const struct stile_plan *plan,
                   const struct stile_message *message,
                   const struct stile_exchange_keys *keys,
                   struct stile_arena *arena, struct stile_exchange **ret);

/* OK: nothing is needed, finish may follow. NEED: see stile_exchange_needs,
 * answer all, call again. INVALID: nothing of the message can be used; the
 * outcome of finish is then its quarantine and audit entry. LIMIT, NOMEM. */
STILE_MUSTCHECK enum stile_status
stile_exchange_begin(struct stile_exchange *exchange);
struct stile_need *stile_exchange_needs(struct stile_exchange *exchange,
                                        size_t *ret_count);

/* What the message itself says of one of its persons, by person key, as the
 * decisions will know it. After begin gave OK. NOT_FOUND: nobody of that key.
 * Array in the exchange's arena. */
STILE_MUSTCHECK enum stile_status
stile_exchange_facts(struct stile_exchange *exchange, struct stile_str person,
                     struct stile_fact **ret_facts, size_t *ret_count);

/* Makes the outcome. May be called once, after begin gave OK or INVALID. */
STILE_MUSTCHECK enum stile_status
stile_exchange_finish(struct stile_exchange *exchange,
                      struct stile_accept *ret_accept);

const struct stile_diags *
stile_exchange_diags(const struct stile_exchange *exchange);
/* Of a message of rows: how many it held, those passed over not counted, and
 * how many of them could be used. */
void stile_exchange_rows(const struct stile_exchange *exchange,
                         size_t *ret_read, size_t *ret_used);

/* ---- what happened, for people and logs: no patient's value ---- */

enum stile_event_kind {
    STILE_EVENT_RECEIVED,   /* what came in */
    STILE_EVENT_FORWARD,    /* to whom, in which format */
    STILE_EVENT_WITHHELD,   /* what stayed, and why */
    STILE_EVENT_HELD,       /* what waits, and for what */
    STILE_EVENT_QUARANTINE, /* what could not be used */
    STILE_EVENT_NOTIFY      /* the privacy officer is to be told */
};
struct stile_event {
    enum stile_event_kind kind;
    struct stile_str route;
    struct stile_str text; /* one plain sentence */
};
const struct stile_event *
stile_exchange_events(const struct stile_exchange *exchange, size_t *ret_count);

/* ---- govern twice ---- */

/* A row that waited is decided again from its kept message under the plan and
 * facts of now. OK with a body, or DENIED: the row is
 * withdrawn; both with an entry. NOT_FOUND: the route is gone from the plan. */
struct stile_again {
    struct stile_str kept;  /* kept message body */
    struct stile_str route; /* route name */
    struct stile_str message_id;
    const struct stile_stored_fact *facts;
    size_t fact_count;
    uint64_t epoch;
    stile_time now;
    const struct stile_review_item *reviewed; /* of the person */
    size_t reviewed_count;
};
STILE_MUSTCHECK enum stile_status stile_exchange_again(
    const struct stile_plan *plan, const struct stile_again *again,
    const struct stile_exchange_keys *keys, struct stile_arena *arena,
    struct stile_str *ret_body, struct stile_str *ret_entry);

/* ---- facts that officers give
 * ------------------------------------------------
 *
 * A CSV file (RFC 4180) with the header
 *
 *   nhs_number,fact,value,recipient,date,from,until,source
 *
 * fact: a word of vocabulary.yaml that comes from the store; value: yes, no,
 * unknown; recipient: ODS code, for facts about person and recipient; date:
 * the day it was said, not after today; from, until: first and last day it
 * holds, or empty; source: where it comes from, in plain words without a
 * person. Findings P1xx name row and column, never a value.
 */

struct stile_given {
    /* asked */
    uint64_t rows_max;
    stile_time now;
    /* told */
    struct stile_stored_fact *facts; /* of the rows without a finding */
    size_t count;
    uint64_t rows, bad;
    struct stile_str *persons; /* each once, sorted */
    size_t person_count;
};
#define STILE_GIVEN_ROWS_MAX 100000u /* as much as one accept may hold */
#define STILE_GIVEN_SOURCE_MAX 100u  /* bytes */
/* Where a fact of such a file comes from: this and its source. */
#define STILE_GIVEN_SOURCE "given|"
/* INVALID: the file is none of these, or a row has a finding; what could be
 * used is told all the same. LIMIT: more rows than rows_max. */
STILE_MUSTCHECK enum stile_status
stile_facts_read(const struct stile_rules *rules,
                 const struct stile_source *file, struct stile_arena *arena,
                 struct stile_diags *diags, struct stile_given *given);

/* Whose gateway, for entries about what an officer did. */
struct stile_house {
    struct stile_str gateway, ods;
    const struct stile_officers *officers;
};
/* An audit entry about an act: {type, time, gateway, ods, act, ...} and the
 * members of `more`, which it takes. Empty when it is too long for one. */
struct stile_str stile_entry_act(const struct stile_house *house,
                                 const char *type, const struct stile_act *act,
                                 struct stile_value *more,
                                 struct stile_arena *arena);

/* What the second decision newly holds for a person, to be kept in the same
 * transaction as its entry. NOT_FOUND: nothing, or what waits or was refused
 * already; or of an export, whose next pass asks. */
STILE_MUSTCHECK enum stile_status stile_exchange_again_review(
    const struct stile_plan *plan, const struct stile_again *again,
    const struct stile_exchange_keys *keys, struct stile_arena *arena,
    struct stile_review_new *ret);

/* ---- what waits for a person ------------------------------------------------
 *
 * What the rules hold (review-by-person) waits as a review: words, ids and the
 * digest of each resource as the rules were given it. A person's word is about
 * that digest, that route and the rules that held it then. It is lost when the
 * resource changes, and lifts nothing that withholds.
 */

struct stile_reviewing { /* what is done to a review */
    const struct stile_review *review;
    const uint32_t *items; /* by number: those it is about */
    size_t item_count;
    const struct stile_value *act; /* stile_act_value; NULL: it lapses */
    struct stile_str reason;       /* why it lapses */
    stile_time now;
};
/* What a person signs: "review 17: 3 items for charity, sha256 <hex>" of the
 * canonical JSON {items, review, route, to} as in the entry. Empty: LIMIT. */
struct stile_str
stile_reviewing_subject(const struct stile_reviewing *reviewing,
                        const struct stile_exchange_keys *keys,
                        struct stile_arena *arena);
/* Of type "refused", "viewed" or "lapsed"; of the plan only the gateway's name
 * and ODS code are looked at. Empty: LIMIT. */
struct stile_str stile_reviewing_entry(const struct stile_plan *plan,
                                       const char *type,
                                       const struct stile_reviewing *reviewing,
                                       const struct stile_exchange_keys *keys,
                                       struct stile_arena *arena);

/* Whom it is about: the Patient of the review's number in the kept message, or
 * its only one; else NOT_FOUND. */
STILE_MUSTCHECK enum stile_status
stile_reviewing_patient(const struct stile_review *review,
                        struct stile_str kept, struct stile_json_limits limits,
                        struct stile_arena *arena,
                        const struct stile_value **ret);
/* What is decided on, from the kept message: one resource an item, NULL where
 * it is not there. It holds what only who decides may see. */
STILE_MUSTCHECK enum stile_status
stile_reviewing_content(const struct stile_reviewing *reviewing,
                        struct stile_str kept, struct stile_json_limits limits,
                        struct stile_arena *arena,
                        const struct stile_value ***ret);

struct stile_release {
    bool has_row; /* false: of an export, whose next pass sends it */
    struct stile_outbox_new row;
    struct stile_str entry; /* of type "released" */
    struct stile_str why;   /* DENIED, CONFLICT: one sentence */
};
/*
 * Decides again, by the plan and facts of now, with the word on these items.
 * `again` is of the review's kept message and person. DENIED: one of them would
 * not go even so; an entry "release-stays" says the act. CONFLICT: one has a
 * word already or has changed since. NOT_FOUND: the route is gone. INVALID: no
 * such item.
 */
STILE_MUSTCHECK enum stile_status stile_exchange_release(
    const struct stile_plan *plan, const struct stile_reviewing *reviewing,
    const struct stile_again *again, const struct stile_exchange_keys *keys,
    struct stile_arena *arena, struct stile_release *ret);

#endif
