/*
 * stile/store.h - durable state. Our verbs, not SQL: makers are memory and
 * sqlite (postgres later), and flaky, which wraps any other in tests.
 *
 * Invariants
 *   - stile_store_accept is one transaction: dedupe key, outbox rows, audit
 *     entries, facts, sent index, quarantine, cleared dirty mark. Answer a
 *     sender only after it returned OK (SQLite: WAL, synchronous=FULL).
 *   - Write-ahead audit: no outbox row without its entry, in the same
 *     transaction. The store gives entries their index; it is the single
 *     writer of the log.
 *   - The rule set in force is the one of the newest step; a step, the set's
 *     files and the entries that tell of it are one transaction.
 *   - A status of IO or NOMEM from accept or settle means nothing was
 *     changed. UNCERTAIN (commit failed midway): reopen and look.
 *   - Nothing the store returns lives longer than the arena it was put in.
 *
 * Threads: a store is synchronous and belongs to one thread. The gateway runs
 * it on the store thread (stile_store_thread_*).
 */
#ifndef STILE_STORE_H
#define STILE_STORE_H

#include "stile/audit.h"
#include "stile/base.h"
#include "stile/outbox.h"
#include "stile/record.h"

/* ---- limits: LIMIT past them, nothing changed ---- */

/* Names, keys, persons, reasons, media types: any text that is no body. */
#define STILE_STORE_TEXT_MAX 4096u
/* Bodies, kept messages, answers, quarantined bytes, a mirror row's cells. */
#define STILE_STORE_BODY_MAX (64u * 1024u * 1024u)
/* Rows, messages, entries, facts, marks, quarantined of one accept, each. */
#define STILE_STORE_ITEMS_MAX 100000u

/* ---- what comes out of an accept ---- */

/*
 * An accept may hold any part of struct stile_accept and leave the rest empty:
 * audit entries alone are how a view, a refusal or a new rule set is logged.
 *
 * OK        durable.
 * EXISTS    source and key were accepted before with this digest; nothing of
 *           this accept was written; the stored answer is given.
 * CONFLICT  the same key came with another digest, or a row's idempotency key
 *           is taken, or a kept message's id with another body or person.
 * INVALID   it contradicts itself: a row without key, partner or route; a row
 *           whose message_id is neither in `messages` nor kept; an empty entry
 *           or fact name; a dedupe key without source.
 * LIMIT, NOMEM  of this accept (NOMEM: the arena, for the answer).
 */
struct stile_accepted {
    enum stile_status status;
    int answer_status;            /* EXISTS: the stored answer */
    struct stile_str answer_body; /* in the arena */
};

/* ---- what comes out ---- */

struct stile_outbox_row {
    int64_t id;
    struct stile_outbox_new what;
    enum stile_row_state state;
    uint32_t attempts;
    stile_time queued_at, due;
    struct stile_str reason;
    struct stile_str person; /* of the kept message, or empty */
};

struct stile_settle {
    int64_t id;
    enum stile_row_state state; /* from sending, by stile_row_may */
    stile_time due, now;
    struct stile_str reason;
    const struct stile_str *entries;
    size_t entry_count;
    /* Govern twice: a new body replaces the old; empty keeps it. */
    struct stile_str body;
    struct stile_digest rules;
    uint64_t epoch;
    bool redecided; /* body, rules, epoch and key are meant */
    /* A new body under an idempotency key that may have been used (the row
     * was unknown before) needs a new key; empty keeps it. */
    struct stile_str key;
};

/* A person's act on a review, or its lapse. */
struct stile_review_settle {
    int64_t id;
    stile_time now;
    /* WAITING: items of it still wait for a word. */
    enum stile_review_state state;
    struct stile_str reason, act;
    const uint32_t *items; /* those the word is about, by number */
    size_t item_count;
    enum stile_review_word word;
    const struct stile_outbox_new *row; /* what goes now, or NULL */
    const struct stile_str *entries;
    size_t entry_count;
};

struct stile_partner_claim {
    struct stile_str partner;
    uint32_t room; /* most rows to claim for it */
};

struct stile_mirror_row {         /* one row of an export, as it stands */
    struct stile_str feed, table; /* family tables, one feed each */
    struct stile_str key;         /* key cells joined with U+001F */
    struct stile_str person;      /* person cell or empty (shared tables) */
    struct stile_str cells;       /* JSON array of strings and nulls */
    int64_t order;                /* ProcessingId; ties by file order */
    bool deleted;
    uint64_t batch;
};

struct stile_counts { /* for metrics and the status page */
    uint64_t rows[STILE_ROW_COUNT];
    stile_time oldest_due; /* oldest queued_at of rows not final and
                              not parked, or 0 */
    uint64_t entries, quarantine, held, dirty, facts, messages;
    uint64_t epoch;
    uint64_t reviews;         /* that wait */
    stile_time oldest_review; /* since when the oldest waits, or 0 */
};

typedef enum stile_status (*stile_entry_fn)(void *ctx, uint64_t index,
                                            struct stile_str entry,
                                            const struct stile_digest *hash);
typedef enum stile_status (*stile_mirror_fn)(
    void *ctx, const struct stile_mirror_row *row);

struct stile_sweep {          /* retention; 0 = leave that kind alone */
    stile_time dedupe_before; /* keys accepted before it; keep as long as
                                 any sender may repeat (MESH: 30 days) */
    stile_time rows_before;   /* final rows that ended before it */
    stile_time quarantine_before;
    stile_time reviews_before; /* ended ones; what was decided of an export
                                  stays, as the record does */
    uint32_t most;             /* of each kind in one call */
};

/* ---- rule sets: which one is in force, since when and by whom ---- */

struct stile_rules_step { /* one coming into force; the newest is in force */
    uint64_t number;      /* from 1 */
    struct stile_digest from; /* zero: nothing was in force */
    struct stile_digest to;
    stile_time at;          /* grows from step to step */
    struct stile_str class; /* what the change was: "wider" */
    struct stile_str acts;  /* who signed it: a JSON array */
};

struct stile_rules_change {
    struct stile_rules_step step; /* its number is the store's to give */
    struct stile_str files;       /* empty: the set was kept before */
    const struct stile_str *entries;
    size_t entry_count; /* at least one */
};

struct stile_rules_approval { /* of a change that has not all it needs yet */
    struct stile_str subject, officer, because;
    stile_time at;
    uint8_t signature[64];
};

/* ---- the seam ---- */

struct stile_store {
    const struct stile_store_ops *ops; /* makers embed this first */
};

/*
 * Unless a verb says otherwise: it is all or nothing, one transaction; arena
 * results are NULL with count 0 when there is none; NOMEM when the arena is at
 * its limit, and then nothing changed. A callback must not call the store; END
 * from it stops the walk with OK, any other failure is handed on. A store
 * opened read-only answers DENIED to what would write.
 */
struct stile_store_ops {
    const char *name;
    void (*close)(struct stile_store **store);

    /* Group commit: all in one transaction; each has its own result. An
     * entry that is EXISTS, CONFLICT, INVALID or LIMIT leaves the others
     * alone. The status of the whole is OK, or IO, NOMEM, BUSY (nothing of
     * any changed), or UNCERTAIN; ret[].status then says the same. Order
     * matters: a later accept of the group sees the earlier ones.
     *
     * Facts are kept by (person, name, recipient, source). A dated fact does
     * not replace a later dated one; an undated one tells how things stand
     * and replaces any. Each change of a value, date or bound adds one to the
     * person's epoch and to the store's. Rows keep the epoch they were
     * given: an exchange whose own facts change something makes rows that are
     * asked again at once, which is the safe side.
     *
     * Messages no row or review of the accept was made from are not kept; one
     * that is goes with the last row that is not final or review that waits.
     * `held` replaces what is held of (clear_feed, clear_person); `since` of a
     * row held before for the same thing stays. The dirty mark is cleared only
     * when clear_batch is the mark that `dirty` gave: what was applied
     * meanwhile stays dirty. */
    enum stile_status (*accept)(struct stile_store *store,
                                const struct stile_accept *accepts,
                                size_t count, struct stile_arena *arena,
                                struct stile_accepted *ret);
    /* Due rows, earliest due first, then oldest, `room` a partner; moved to
     * sending, attempts plus one. Only the head of a lane may go: its oldest
     * row that is not final. So a lane has one in flight, keeps its order, and
     * stands still behind a parked row until a person retries or withdraws it
     * (else a retry could overwrite newer with older). An empty lane is no
     * lane. The arena must take the bodies. */
    enum stile_status (*claim)(struct stile_store *store, stile_time now,
                               const struct stile_partner_claim *claims,
                               size_t count, struct stile_arena *arena,
                               struct stile_outbox_row **ret,
                               size_t *ret_count);
    /* All or nothing. NOT_FOUND: no such row. CONFLICT: one is not sending,
     * or may not go there, or the new key is taken. A final row's body is
     * emptied; a kept message goes with its last row that is not final. A row
     * that ends refused or withdrawn, or whose body was decided anew, puts the
     * sent marks of its route and person in doubt (digest all 0xff): the next
     * export shows them anew. */
    enum stile_status (*settle)(struct stile_store *store,
                                const struct stile_settle *settles,
                                size_t count);
    /* After a restart: sending -> unknown, due now. Returns how many. Only
     * the one gateway that claims may call it. */
    enum stile_status (*recover)(struct stile_store *store, stile_time now,
                                 uint64_t *ret_count);
    /* Operator: parked rows are queued again with a fresh age; parked,
     * deferred and unknown rows are due now; by id, 0 = all; with the entries
     * that say who and why. NOT_FOUND: no row of that id; a row in another
     * state counts 0. */
    enum stile_status (*retry)(struct stile_store *store, int64_t id,
                               stile_time now, const struct stile_str *entries,
                               size_t entry_count, uint64_t *ret_count);
    /* Rows not final, oldest first, then final ones, newest first. Without
     * bodies: what is listed is read by people. */
    enum stile_status (*list)(struct stile_store *store, size_t limit,
                              struct stile_arena *arena,
                              struct stile_outbox_row **ret, size_t *ret_count);

    /* What is known of a person, by name, recipient, source; the person's
     * epoch, 0 when no fact ever changed. An empty person is INVALID. */
    enum stile_status (*facts)(struct stile_store *store,
                               struct stile_str person,
                               struct stile_arena *arena,
                               struct stile_stored_fact **ret,
                               size_t *ret_count, uint64_t *ret_epoch);
    enum stile_status (*message)(struct stile_store *store,
                                 struct stile_str message_id,
                                 struct stile_arena *arena,
                                 struct stile_str *ret_body);
    /* Empty route: all routes. By route, type, id. */
    enum stile_status (*sent)(struct stile_store *store, struct stile_str route,
                              struct stile_str person,
                              struct stile_arena *arena,
                              struct stile_sent_mark **ret, size_t *ret_count);

    /* Export mirror. apply: upsert by (feed, table, key) when (batch, order)
     * is not older than what is kept: an order counts within its batch only.
     * A deleted row keeps its old cells, and its old person when it brings
     * none, and is marked. A row that changes something marks its person
     * dirty, and the person it had before. A shared table's row (no person),
     * changed or not, marks dirty the persons whose held rows of that feed
     * wait for it. Rows without feed, table or key are INVALID. */
    enum stile_status (*mirror_apply)(struct stile_store *store,
                                      const struct stile_mirror_row *rows,
                                      size_t count);
    /* All rows of a person, deleted ones too, by table and key. */
    enum stile_status (*mirror_person)(struct stile_store *store,
                                       struct stile_str feed,
                                       struct stile_str person,
                                       stile_mirror_fn fn, void *ctx);
    /* Persons of a feed one of whose rows, deleted ones aside, holds the text
     * as a whole cell; each once, sorted. INVALID: an empty text, or one that
     * JSON would escape. Looks at every row of the feed: for people who ask,
     * not on a message's way. */
    enum stile_status (*mirror_holds)(struct stile_store *store,
                                      struct stile_str feed,
                                      struct stile_str text,
                                      struct stile_arena *arena,
                                      struct stile_str **ret_persons,
                                      size_t *ret_count);
    /* The first row by key; deleted ones too. */
    enum stile_status (*mirror_get)(struct stile_store *store,
                                    struct stile_str feed,
                                    struct stile_str table,
                                    struct stile_str key, /* first key cell */
                                    struct stile_arena *arena,
                                    struct stile_mirror_row *ret);
    /* Persons to be worked, longest dirty first. ret_batches are marks, not
     * batch numbers: hand them back in clear_batch unread. */
    enum stile_status (*dirty)(struct stile_store *store, struct stile_str feed,
                               size_t limit, struct stile_arena *arena,
                               struct stile_str **ret_persons,
                               uint64_t **ret_batches, size_t *ret_count);
    /* Longest held first. */
    enum stile_status (*held)(struct stile_store *store, size_t limit,
                              struct stile_arena *arena,
                              struct stile_held_row **ret, size_t *ret_count);
    /* Batches by name: seen and finished, so that a file is read once. A
     * name seen before gives its number again. Numbers grow from 1. */
    enum stile_status (*batch_begin)(struct stile_store *store,
                                     struct stile_str feed,
                                     struct stile_str name, stile_time now,
                                     uint64_t *ret_batch, bool *ret_finished);
    enum stile_status (*batch_finish)(struct stile_store *store, uint64_t batch,
                                      stile_time now);

    /* Audit. The tree as it stands in the store. */
    enum stile_status (*audit_head)(struct stile_store *store,
                                    struct stile_audit_tree *ret);
    /* Entries from an index on, with the hashes stored beside them. */
    enum stile_status (*audit_scan)(struct stile_store *store, uint64_t from,
                                    stile_entry_fn fn, void *ctx);
    /* INVALID: past the log's size. CONFLICT: below the newest checkpoint.
     * EXISTS: there is one of this size, and it stays. */
    enum stile_status (*checkpoint_put)(struct stile_store *store,
                                        uint64_t size, struct stile_str note,
                                        stile_time now);
    /* All, by size. */
    enum stile_status (*checkpoints)(struct stile_store *store,
                                     struct stile_arena *arena,
                                     struct stile_str **ret_notes,
                                     uint64_t **ret_sizes, size_t *ret_count);
    /* 32 random bytes made once, for commitments; the caller supplies fresh
     * bytes and gets what is stored. NOT_FOUND when read-only and none is. */
    enum stile_status (*salt)(struct stile_store *store,
                              const uint8_t fresh[32], uint8_t ret[32]);

    enum stile_status (*counts)(struct stile_store *store,
                                struct stile_counts *ret);
    /* Newest first. */
    enum stile_status (*quarantined)(struct stile_store *store, size_t limit,
                                     struct stile_arena *arena,
                                     struct stile_quarantine_new **ret,
                                     size_t *ret_count);

    /* Operator: gives a row up that is not sending and not final, with the
     * entries that say who and why. NOT_FOUND, CONFLICT as in settle. */
    enum stile_status (*withdraw)(struct stile_store *store, int64_t id,
                                  stile_time now, struct stile_str reason,
                                  const struct stile_str *entries,
                                  size_t entry_count);
    /* What waits for a person. By id, or 0 for all: those that wait, longest
     * first, then ended ones, newest first. NOT_FOUND: none of that id. */
    enum stile_status (*reviews)(struct stile_store *store, int64_t id,
                                 size_t limit, struct stile_arena *arena,
                                 struct stile_review **ret, size_t *ret_count);
    /* Of one person: items that wait, and those there is a word on; by review,
     * so that the last word comes last. */
    enum stile_status (*reviewed)(struct stile_store *store,
                                  struct stile_str person,
                                  struct stile_arena *arena,
                                  struct stile_review_item **ret,
                                  size_t *ret_count);
    /* NOT_FOUND: no such review. CONFLICT: it does not wait, an item has a
     * word or has changed, or the row's key is taken. INVALID: no such item, or
     * a row made from another message. The row and the entries are one
     * transaction with it; a release of an export's marks the person dirty. */
    enum stile_status (*review_settle)(
        struct stile_store *store, const struct stile_review_settle *settle);
    /* Marks all persons of a feed's mirror dirty: maps or rules changed. */
    enum stile_status (*touch)(struct stile_store *store, struct stile_str feed,
                               uint64_t *ret_count);
    /* The same, unless the feed's last was under this plan; keeps the plan.
     * 0 persons when it was, or when the mirror holds none of the feed. */
    enum stile_status (*touch_under)(struct stile_store *store,
                                     struct stile_str feed,
                                     const struct stile_digest *plan,
                                     uint64_t *ret_count);
    /* Forgets what is past its retention. */
    enum stile_status (*sweep)(struct stile_store *store,
                               const struct stile_sweep *sweep,
                               uint64_t *ret_count);
    /* Keeps the set's files and puts it in force. CONFLICT: `from` is not what
     * is in force (zero: nothing is). NOT_FOUND: no files are given and none
     * were kept. INVALID: no entry; `to` is zero or `from`; `at` is not after
     * that of the last step. Files kept under a digest before stay. Approvals
     * are forgotten: they were of changes from what was in force. */
    enum stile_status (*rules_put)(struct stile_store *store,
                                   const struct stile_rules_change *change);
    /* Newest first. */
    enum stile_status (*rules_steps)(struct stile_store *store, size_t limit,
                                     struct stile_arena *arena,
                                     struct stile_rules_step **ret,
                                     size_t *ret_count);
    enum stile_status (*rules_files)(struct stile_store *store,
                                     const struct stile_digest *set,
                                     struct stile_arena *arena,
                                     struct stile_str *ret);
    /* One a subject and officer; a second takes the place of the first.
     * INVALID: no entry, or an empty text. */
    enum stile_status (*rules_approve)(
        struct stile_store *store, const struct stile_rules_approval *approval,
        const struct stile_str *entries, size_t entry_count);
    /* By subject and officer. */
    enum stile_status (*rules_approvals)(struct stile_store *store,
                                         struct stile_arena *arena,
                                         struct stile_rules_approval **ret,
                                         size_t *ret_count);
    /* Housekeeping off the hot path (SQLite: a passive checkpoint when the
     * write-ahead log has grown). The store thread calls it between jobs;
     * `idle`: nothing waits. */
    void (*tend)(struct stile_store *store, bool idle);
};

/* Makers. `error` (arena text) says what to do next, never a value. */
/* For tests and trials: loses all when closed; linear in what it holds. */
STILE_MUSTCHECK enum stile_status
stile_store_memory_open(struct stile_store **ret);
/* Creates the file (0600) and its tables; refuses one that others may read, a
 * file of a newer schema or of another program (UNSUPPORTED), and to write
 * behind a log that does not meet its tree (CONFLICT). Several processes may
 * have it open; one gateway claims. Needs a local disk: WAL. */
STILE_MUSTCHECK enum stile_status
stile_store_sqlite_open(const char *path, bool read_only,
                        struct stile_arena *arena, struct stile_store **ret,
                        struct stile_str *ret_error);

/* ---- the store thread ---- */

/*
 * Runs jobs on one thread, in order, against one store. `work` runs there;
 * `done` runs on the thread that calls stile_store_thread_drain, which the
 * caller does after `wake` was called (wake: uv_async_send). A bounded queue:
 * post answers BUSY when full. Accept jobs standing next to one another share
 * one commit (group commit), up to `group` of them; nobody waits for a group to
 * fill: while one commits, the next one gathers. After each the store is
 * tended. A job belongs to the thread from post to done, with its arena.
 */
struct stile_store_thread;
struct stile_store_job {
    void (*work)(struct stile_store_job *job, struct stile_store *store);
    void (*done)(struct stile_store_job *job);
    /* Accept jobs: filled instead of work. */
    const struct stile_accept *accept;
    struct stile_accepted accepted;
    struct stile_arena *arena; /* for results; NULL: without answer_body */
    enum stile_status status;  /* accept: as accepted.status */
    struct stile_store_job *next;
};
STILE_MUSTCHECK enum stile_status
stile_store_thread_start(struct stile_store *store, size_t queue_limit,
                         size_t group, void (*wake)(void *ctx), void *ctx,
                         struct stile_store_thread **ret);
/* BUSY when full, DENIED when it is ending. From any thread. */
STILE_MUSTCHECK enum stile_status
stile_store_thread_post(struct stile_store_thread *thread,
                        struct stile_store_job *job);
/* Jobs posted and not begun, for metrics. */
size_t stile_store_thread_waiting(struct stile_store_thread *thread);
void stile_store_thread_drain(struct stile_store_thread *thread);
/* Finishes what is queued, ends, and drains: the last dones run here. The
 * store stays open; close it afterwards. */
void stile_store_thread_stop(struct stile_store_thread **thread);

/* ---- spool: rows put aside, when memory does not hold them ---------------
 *
 * A database of its own, without a name: up to `cache` bytes are held in
 * memory, the rest in a file in the folder for temporary ones, which has no
 * name there and is gone when it is closed or the process ends. Nothing is
 * durable. One thread.
 */
struct stile_spool;
STILE_MUSTCHECK enum stile_status stile_spool_open(size_t cache,
                                                   struct stile_spool **ret);
void stile_spool_close(struct stile_spool **spool);
/* Of rows with one key (not empty) the last stands. `group` below 0: in none.
 * A row that is `gone` only takes its key's place. */
STILE_MUSTCHECK enum stile_status
stile_spool_put(struct stile_spool *spool, int64_t group, struct stile_str key,
                struct stile_str body, bool gone, bool *ret_replaced);
/* A name by which the row that was put last is found. */
STILE_MUSTCHECK enum stile_status stile_spool_name(struct stile_spool *spool,
                                                   struct stile_str name);
/* The first row of the name that stands. */
STILE_MUSTCHECK enum stile_status stile_spool_find(struct stile_spool *spool,
                                                   struct stile_str name,
                                                   struct stile_arena *arena,
                                                   struct stile_str *ret_body);
/* All rows that stand, by group, in the order they were put. `body` lasts for
 * the call. A status other than OK ends the walk and is returned. */
STILE_MUSTCHECK enum stile_status stile_spool_each(
    struct stile_spool *spool,
    enum stile_status (*fn)(void *ctx, int64_t group, struct stile_str body),
    void *ctx);

#endif
