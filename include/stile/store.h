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

struct stile_accepted {
    enum stile_status status;     /* OK, EXISTS, CONFLICT */
    int answer_status;            /* EXISTS: the stored answer */
    struct stile_str answer_body; /* in the arena */
};

/* ---- what comes out ---------------------------------------------------------------- */

struct stile_outbox_row {
    int64_t id;
    struct stile_outbox_new what;
    enum stile_row_state state;
    uint32_t attempts;
    stile_time queued_at, due;
    struct stile_str reason;
    struct stile_str person;      /* of the kept message */
};

struct stile_settle {
    int64_t id;
    enum stile_row_state state;   /* from sending, by stile_row_may */
    stile_time due, now;
    struct stile_str reason;
    const struct stile_str *entries;
    size_t entry_count;
    /* Govern twice: a new body replaces the old; empty keeps it. */
    struct stile_str body;
    struct stile_digest rules;
    uint64_t epoch;
    bool redecided;
};

struct stile_partner_claim {
    struct stile_str partner;
    uint32_t room;                /* most rows to claim for it */
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

struct stile_counts {             /* for metrics and the status page */
    uint64_t rows[STILE_ROW_COUNT];
    stile_time oldest_due;        /* oldest queued_at still waiting, or 0 */
    uint64_t entries, quarantine, held, dirty, facts, messages;
    uint64_t epoch;
};

typedef enum stile_status (*stile_entry_fn)(void *ctx, uint64_t index,
                                            struct stile_str entry,
                                            const struct stile_digest *hash);
typedef enum stile_status (*stile_mirror_fn)(void *ctx,
                                             const struct stile_mirror_row *row);

/* ---- the seam ------------------------------------------------------------------------- */

struct stile_store {
    const struct stile_store_ops *ops; /* makers embed this first */
};

struct stile_store_ops {
    const char *name;
    void (*close)(struct stile_store **store);

    /* Group commit: all in one transaction; each has its own result. An
     * entry that is EXISTS or CONFLICT leaves the others alone. */
    enum stile_status (*accept)(struct stile_store *store,
                                const struct stile_accept *accepts,
                                size_t count, struct stile_arena *arena,
                                struct stile_accepted *ret);
    /* Due rows, oldest first, one a lane, none of a lane that has a row in
     * sending; moved to sending. */
    enum stile_status (*claim)(struct stile_store *store, stile_time now,
                               const struct stile_partner_claim *claims,
                               size_t count, struct stile_arena *arena,
                               struct stile_outbox_row **ret,
                               size_t *ret_count);
    enum stile_status (*settle)(struct stile_store *store,
                                const struct stile_settle *settles,
                                size_t count);
    /* After a restart: sending -> unknown, due now. Returns how many. */
    enum stile_status (*recover)(struct stile_store *store, stile_time now,
                                 uint64_t *ret_count);
    /* Operator: parked or deferred rows due now; parks; by id, 0 = all. */
    enum stile_status (*retry)(struct stile_store *store, int64_t id,
                               stile_time now, uint64_t *ret_count);
    enum stile_status (*list)(struct stile_store *store, size_t limit,
                              struct stile_arena *arena,
                              struct stile_outbox_row **ret,
                              size_t *ret_count);

    enum stile_status (*facts)(struct stile_store *store,
                               struct stile_str person,
                               struct stile_arena *arena,
                               struct stile_stored_fact **ret,
                               size_t *ret_count, uint64_t *ret_epoch);
    enum stile_status (*message)(struct stile_store *store,
                                 struct stile_str message_id,
                                 struct stile_arena *arena,
                                 struct stile_str *ret_body);
    enum stile_status (*sent)(struct stile_store *store,
                              struct stile_str route, struct stile_str person,
                              struct stile_arena *arena,
                              struct stile_sent_mark **ret,
                              size_t *ret_count);

    /* Export mirror. apply: upsert by (feed, table, key) when order is not
     * older; a deleted row keeps its old cells and is marked; marks persons
     * dirty for `batch`. A shared table's row (no person) marks dirty the
     * persons whose held rows wait for it. All rows in one transaction. */
    enum stile_status (*mirror_apply)(struct stile_store *store,
                                      const struct stile_mirror_row *rows,
                                      size_t count);
    enum stile_status (*mirror_person)(struct stile_store *store,
                                       struct stile_str feed,
                                       struct stile_str person,
                                       stile_mirror_fn fn, void *ctx);
    enum stile_status (*mirror_get)(struct stile_store *store,
                                    struct stile_str feed,
                                    struct stile_str table,
                                    struct stile_str key, /* first key cell */
                                    struct stile_arena *arena,
                                    struct stile_mirror_row *ret);
    enum stile_status (*dirty)(struct stile_store *store,
                               struct stile_str feed, size_t limit,
                               struct stile_arena *arena,
                               struct stile_str **ret_persons,
                               uint64_t **ret_batches, size_t *ret_count);
    enum stile_status (*held)(struct stile_store *store, size_t limit,
                              struct stile_arena *arena,
                              struct stile_held_row **ret, size_t *ret_count);
    /* Batches by name: seen and finished, so that a file is read once. */
    enum stile_status (*batch_begin)(struct stile_store *store,
                                     struct stile_str feed,
                                     struct stile_str name, stile_time now,
                                     uint64_t *ret_batch, bool *ret_finished);
    enum stile_status (*batch_finish)(struct stile_store *store,
                                      uint64_t batch, stile_time now);

    /* Audit. */
    enum stile_status (*audit_head)(struct stile_store *store,
                                    struct stile_audit_tree *ret);
    enum stile_status (*audit_scan)(struct stile_store *store, uint64_t from,
                                    stile_entry_fn fn, void *ctx);
    enum stile_status (*checkpoint_put)(struct stile_store *store,
                                        uint64_t size, struct stile_str note,
                                        stile_time now);
    enum stile_status (*checkpoints)(struct stile_store *store,
                                     struct stile_arena *arena,
                                     struct stile_str **ret_notes,
                                     uint64_t **ret_sizes, size_t *ret_count);
    /* 32 random bytes made once, for commitments; the caller supplies fresh
     * bytes and gets what is stored. */
    enum stile_status (*salt)(struct stile_store *store,
                              const uint8_t fresh[32], uint8_t ret[32]);

    enum stile_status (*counts)(struct stile_store *store,
                                struct stile_counts *ret);
    enum stile_status (*quarantined)(struct stile_store *store, size_t limit,
                                     struct stile_arena *arena,
                                     struct stile_quarantine_new **ret,
                                     size_t *ret_count);
};

/* Makers. `error` (arena text) says what to do next, never a value. */
STILE_MUSTCHECK enum stile_status
stile_store_memory_open(struct stile_store **ret);
/* Creates the file (0600) and its tables; refuses a file of a newer schema. */
STILE_MUSTCHECK enum stile_status
stile_store_sqlite_open(const char *path, bool read_only,
                        struct stile_arena *arena, struct stile_store **ret,
                        struct stile_str *ret_error);

/* ---- the store thread --------------------------------------------------------------- */

/*
 * Runs jobs on one thread, in order, against one store. `work` runs there;
 * `done` runs on the thread that calls stile_store_thread_drain, which the
 * caller does after `wake` was called (wake: uv_async_send). A bounded queue:
 * post answers BUSY when full. Accept jobs standing next to one another share
 * one commit (group commit), up to `group` of them.
 */
struct stile_store_thread;
struct stile_store_job {
    void (*work)(struct stile_store_job *job, struct stile_store *store);
    void (*done)(struct stile_store_job *job);
    /* Accept jobs: filled instead of work. */
    const struct stile_accept *accept;
    struct stile_accepted accepted;
    struct stile_arena *arena;     /* for results */
    enum stile_status status;
    struct stile_store_job *next;
};
STILE_MUSTCHECK enum stile_status
stile_store_thread_start(struct stile_store *store, size_t queue_limit,
                         size_t group, void (*wake)(void *ctx), void *ctx,
                         struct stile_store_thread **ret);
STILE_MUSTCHECK enum stile_status
stile_store_thread_post(struct stile_store_thread *thread,
                        struct stile_store_job *job);
void stile_store_thread_drain(struct stile_store_thread *thread);
/* Finishes what is queued, then ends; drain afterwards for the last dones. */
void stile_store_thread_stop(struct stile_store_thread **thread);

#endif
