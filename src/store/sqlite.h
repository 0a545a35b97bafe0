/*
 * sqlite.h - shared by the sources of the SQLite maker.
 *
 * Failure is sticky within one verb: a statement that fails leaves its status
 * in `failed`, later ones do nothing, and the verb looks once, at its end.
 */
#ifndef STILE_STORE_SQLITE_H
#define STILE_STORE_SQLITE_H

#include "common.h"
#include "sqlite_sql.h"

#include <sqlite3.h>

enum sql {
#define X(name, text) SQL_##name,
    SQL_LIST(X)
#undef X
    SQL_COUNT
};

/* What a commit must leave behind beside the rows: one row in the file, kept
 * here, read again when another process has written. */
struct sql_state {
    struct stile_audit_tree tree;
    struct stile_counts counts; /* oldest_due is asked for */
    uint64_t mark;              /* of dirty persons; grows */
};

struct sqlite_store {
    struct stile_store store;
    sqlite3 *db;
    sqlite3_stmt *sql[SQL_COUNT];
    enum stile_status failed;
    bool read_only;
    bool broken;     /* a commit's outcome is not known: reopen */
    int64_t version; /* of the file's content, as seen last */
    struct sql_state state;
    struct sql_state before; /* at the begin of the transaction */
    int wal_pages;
};

static inline struct sqlite_store *sqlite_of(struct stile_store *store)
{
    return (struct sqlite_store *)store;
}

enum stile_status stile__sql_status(int code);

/* Statements: bind, then run (no rows) or walk with row, then end. */
void stile__sql_text(struct sqlite_store *s, enum sql sql, int at,
                     struct stile_str text);
void stile__sql_blob(struct sqlite_store *s, enum sql sql, int at,
                     struct stile_str bytes);
void stile__sql_int(struct sqlite_store *s, enum sql sql, int at, int64_t n);
void stile__sql_digest(struct sqlite_store *s, enum sql sql, int at,
                       const struct stile_digest *digest);
bool stile__sql_row(struct sqlite_store *s, enum sql sql);
void stile__sql_end(struct sqlite_store *s, enum sql sql);
void stile__sql_run(struct sqlite_store *s, enum sql sql);
/* Rows the last run changed. */
uint64_t stile__sql_changes(struct sqlite_store *s);
void stile__sql_fail(struct sqlite_store *s, enum stile_status status);

/* Columns. `column` borrows until the next step; `copy` is the arena's. */
struct stile_str stile__sql_column(struct sqlite_store *s, enum sql sql,
                                   int at);
struct stile_str stile__sql_copy(struct sqlite_store *s, enum sql sql, int at,
                                 struct stile_arena *arena);
int64_t stile__sql_number(struct sqlite_store *s, enum sql sql, int at);
void stile__sql_get_digest(struct sqlite_store *s, enum sql sql, int at,
                           struct stile_digest *ret);

/* Transactions. begin clears `failed`; end commits or rolls back and gives
 * the verb's status. */
bool stile__sql_begin(struct sqlite_store *s);
enum stile_status stile__sql_commit(struct sqlite_store *s);
/* For verbs that only read: clears `failed`, sees what others wrote. */
bool stile__sql_read(struct sqlite_store *s);

/* Array in the arena that grows while a statement is walked. */
struct sql_list {
    struct stile_arena *arena;
    size_t size; /* of an item */
    size_t count, capacity;
    unsigned char *items;
};
void *stile__sql_push(struct sqlite_store *s, struct sql_list *list);

/* ---- shared steps ---- */

void stile__sql_entries(struct sqlite_store *s, const struct stile_str *entries,
                        size_t count);
uint64_t stile__sql_mark(struct sqlite_store *s);
void stile__sql_dirty(struct sqlite_store *s, struct stile_str feed,
                      struct stile_str person, uint64_t mark);
void stile__sql_hold(struct sqlite_store *s, const struct stile_accept *accept);
void stile__sql_row_out(struct sqlite_store *s, enum sql sql,
                        struct stile_arena *arena,
                        struct stile_outbox_row *ret);
enum stile_status stile__sql_queue_row(struct sqlite_store *s,
                                       const struct stile_outbox_new *row,
                                       stile_time now);
enum stile_status stile__sql_review_accept(struct sqlite_store *s,
                                           const struct stile_accept *accept);
/* Writes the state row. */
void stile__sql_state_put(struct sqlite_store *s);
/* Takes up the state row as it is in the file. */
void stile__sql_state_get(struct sqlite_store *s);

/* ---- verbs, by file ---- */

enum stile_status stile__sql_accept(struct stile_store *store,
                                    const struct stile_accept *accepts,
                                    size_t count, struct stile_arena *arena,
                                    struct stile_accepted *ret);

enum stile_status stile__sql_claim(struct stile_store *store, stile_time now,
                                   const struct stile_partner_claim *claims,
                                   size_t count, struct stile_arena *arena,
                                   struct stile_outbox_row **ret,
                                   size_t *ret_count);
enum stile_status stile__sql_settle(struct stile_store *store,
                                    const struct stile_settle *settles,
                                    size_t count);
enum stile_status stile__sql_recover(struct stile_store *store, stile_time now,
                                     uint64_t *ret_count);
enum stile_status stile__sql_retry(struct stile_store *store, int64_t id,
                                   stile_time now,
                                   const struct stile_str *entries,
                                   size_t entry_count, uint64_t *ret_count);
enum stile_status stile__sql_list_rows(struct stile_store *store, size_t limit,
                                       struct stile_arena *arena,
                                       struct stile_outbox_row **ret,
                                       size_t *ret_count);
enum stile_status stile__sql_withdraw(struct stile_store *store, int64_t id,
                                      stile_time now, struct stile_str reason,
                                      const struct stile_str *entries,
                                      size_t entry_count);

enum stile_status stile__sql_reviews(struct stile_store *store, int64_t id,
                                     size_t limit, struct stile_arena *arena,
                                     struct stile_review **ret,
                                     size_t *ret_count);
enum stile_status stile__sql_reviewed(struct stile_store *store,
                                      struct stile_str person,
                                      struct stile_arena *arena,
                                      struct stile_review_item **ret,
                                      size_t *ret_count);
enum stile_status
stile__sql_review_settle(struct stile_store *store,
                         const struct stile_review_settle *settle);

enum stile_status stile__sql_facts(struct stile_store *store,
                                   struct stile_str person,
                                   struct stile_arena *arena,
                                   struct stile_stored_fact **ret,
                                   size_t *ret_count, uint64_t *ret_epoch);
enum stile_status stile__sql_message(struct stile_store *store,
                                     struct stile_str message_id,
                                     struct stile_arena *arena,
                                     struct stile_str *ret_body);
enum stile_status
stile__sql_sent(struct stile_store *store, struct stile_str route,
                struct stile_str person, struct stile_arena *arena,
                struct stile_sent_mark **ret, size_t *ret_count);
enum stile_status stile__sql_counts(struct stile_store *store,
                                    struct stile_counts *ret);
enum stile_status stile__sql_quarantined(struct stile_store *store,
                                         size_t limit,
                                         struct stile_arena *arena,
                                         struct stile_quarantine_new **ret,
                                         size_t *ret_count);
enum stile_status stile__sql_sweep(struct stile_store *store,
                                   const struct stile_sweep *sweep,
                                   uint64_t *ret_count);

enum stile_status stile__sql_mirror_apply(struct stile_store *store,
                                          const struct stile_mirror_row *rows,
                                          size_t count);
enum stile_status stile__sql_mirror_person(struct stile_store *store,
                                           struct stile_str feed,
                                           struct stile_str person,
                                           stile_mirror_fn fn, void *ctx);
enum stile_status
stile__sql_mirror_holds(struct stile_store *store, struct stile_str feed,
                        struct stile_str text, struct stile_arena *arena,
                        struct stile_str **ret_persons, size_t *ret_count);
enum stile_status
stile__sql_mirror_get(struct stile_store *store, struct stile_str feed,
                      struct stile_str table, struct stile_str key,
                      struct stile_arena *arena, struct stile_mirror_row *ret);
enum stile_status stile__sql_dirty_list(struct stile_store *store,
                                        struct stile_str feed, size_t limit,
                                        struct stile_arena *arena,
                                        struct stile_str **ret_persons,
                                        uint64_t **ret_batches,
                                        size_t *ret_count);
enum stile_status stile__sql_held(struct stile_store *store, size_t limit,
                                  struct stile_arena *arena,
                                  struct stile_held_row **ret,
                                  size_t *ret_count);
enum stile_status stile__sql_batch_begin(struct stile_store *store,
                                         struct stile_str feed,
                                         struct stile_str name, stile_time now,
                                         uint64_t *ret_batch,
                                         bool *ret_finished);
enum stile_status stile__sql_batch_finish(struct stile_store *store,
                                          uint64_t batch, stile_time now);
enum stile_status stile__sql_touch(struct stile_store *store,
                                   struct stile_str feed, uint64_t *ret_count);
enum stile_status stile__sql_touch_under(struct stile_store *store,
                                         struct stile_str feed,
                                         const struct stile_digest *plan,
                                         uint64_t *ret_count);

enum stile_status stile__sql_audit_head(struct stile_store *store,
                                        struct stile_audit_tree *ret);
enum stile_status stile__sql_audit_scan(struct stile_store *store,
                                        uint64_t from, stile_entry_fn fn,
                                        void *ctx);
enum stile_status stile__sql_checkpoint_put(struct stile_store *store,
                                            uint64_t size,
                                            struct stile_str note,
                                            stile_time now);
enum stile_status stile__sql_checkpoints(struct stile_store *store,
                                         struct stile_arena *arena,
                                         struct stile_str **ret_notes,
                                         uint64_t **ret_sizes,
                                         size_t *ret_count);
enum stile_status stile__sql_salt(struct stile_store *store,
                                  const uint8_t fresh[32], uint8_t ret[32]);

enum stile_status stile__sql_rules_put(struct stile_store *store,
                                       const struct stile_rules_change *change);
enum stile_status stile__sql_rules_steps(struct stile_store *store,
                                         size_t limit,
                                         struct stile_arena *arena,
                                         struct stile_rules_step **ret,
                                         size_t *ret_count);
enum stile_status stile__sql_rules_files(struct stile_store *store,
                                         const struct stile_digest *set,
                                         struct stile_arena *arena,
                                         struct stile_str *ret);
enum stile_status
stile__sql_rules_approve(struct stile_store *store,
                         const struct stile_rules_approval *approval,
                         const struct stile_str *entries, size_t entry_count);
enum stile_status stile__sql_rules_approvals(struct stile_store *store,
                                             struct stile_arena *arena,
                                             struct stile_rules_approval **ret,
                                             size_t *ret_count);

#endif
