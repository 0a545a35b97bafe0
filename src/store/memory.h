/*
 * memory.h - shared by the sources of the memory maker.
 *
 * A table is an array of pointers to records; a record is one block, never
 * changed once put. What a verb changes is written down as (place, record that
 * stood there), so a verb that fails puts all of it back, and one that stands
 * frees what it replaced. That is the whole of its transactions.
 */
#ifndef STILE_STORE_MEMORY_H
#define STILE_STORE_MEMORY_H

#include "common.h"

enum {
    NUMBERS = 8,
    TEXTS = 9
};

struct fields {
    int64_t n[NUMBERS];
    struct stile_str t[TEXTS];
    struct stile_digest digest;
};

struct record {
    struct fields f;
    size_t len; /* of the bytes behind it, which the texts point into */
};

struct table {
    struct record **items; /* NULL: was dropped */
    size_t count, capacity;
    size_t holes;
};

/* Tables and what their fields mean. */
enum {
    DEDUPE, /* t source key answer; n status at; digest */
    MESSAGE,
    OUTBOX,
    FACT,
    PERSON,
    SENT,
    QUARANTINE,
    MIRROR,
    DIRTY,
    HELD,
    BATCH,
    AUDIT,
    NOTE,
    REVIEW,
    REVIEW_ITEM,
    RULE_SET,
    RULE_STEP,
    RULE_APPROVAL,
    SHOWN, /* t feed; the digest is the plan's */
    TABLES
};
enum {
    DEDUPE_SOURCE,
    DEDUPE_KEY,
    DEDUPE_ANSWER
};
enum {
    DEDUPE_STATUS,
    DEDUPE_AT
};
enum {
    MESSAGE_ID,
    MESSAGE_PERSON,
    MESSAGE_BODY
};
enum {
    ROW_ROUTE,
    ROW_PARTNER,
    ROW_FORMAT,
    ROW_MEDIA,
    ROW_LANE,
    ROW_KEY,
    ROW_MESSAGE,
    ROW_BODY,
    ROW_REASON
};
enum {
    ROW_ID,
    ROW_STATE,
    ROW_ATTEMPTS,
    ROW_QUEUED,
    ROW_DUE,
    ROW_EPOCH,
    ROW_ENDED
};
enum {
    FACT_PERSON,
    FACT_NAME,
    FACT_RECIPIENT,
    FACT_SOURCE
};
enum {
    FACT_VALUE,
    FACT_DATE,
    FACT_FROM,
    FACT_UNTIL
};
enum {
    PERSON_KEY
};
enum {
    PERSON_EPOCH
};
enum {
    SENT_ROUTE,
    SENT_PERSON,
    SENT_TYPE,
    SENT_ID
};
enum {
    Q_SOURCE,
    Q_NAME,
    Q_REASON,
    Q_BYTES
};
enum {
    Q_ROW,
    Q_AT
};
enum {
    MIRROR_FEED,
    MIRROR_TABLE,
    MIRROR_KEY,
    MIRROR_PERSON,
    MIRROR_CELLS
};
enum {
    MIRROR_ORDER,
    MIRROR_DELETED,
    MIRROR_BATCH,
    MIRROR_MARK
};
enum {
    DIRTY_FEED,
    DIRTY_PERSON
};
enum {
    DIRTY_MARK
};
enum {
    SHOWN_FEED
};
enum {
    HELD_FEED,
    HELD_PERSON,
    HELD_TABLE,
    HELD_KEY,
    HELD_MISSING,
    HELD_REASON
};
enum {
    HELD_SINCE
};
enum {
    BATCH_FEED,
    BATCH_NAME
};
enum {
    BATCH_ID,
    BATCH_FINISHED
};
enum {
    AUDIT_ENTRY
};
enum {
    NOTE_TEXT
};
enum {
    NOTE_SIZE
};
enum {
    SET_FILES /* its digest is the record's */
};
enum {
    STEP_FROM, /* 32 bytes */
    STEP_CLASS,
    STEP_ACTS
};
enum {
    STEP_AT /* the digest is the set's */
};
enum {
    APPROVAL_SUBJECT,
    APPROVAL_OFFICER,
    APPROVAL_BECAUSE,
    APPROVAL_SIGNATURE
};
enum {
    APPROVAL_AT
};

enum {
    REVIEW_ROUTE,
    REVIEW_PARTNER,
    REVIEW_PERSON,
    REVIEW_MESSAGE,
    REVIEW_FEED,
    REVIEW_FEED_PERSON,
    REVIEW_REASON,
    REVIEW_ACT
};
enum {
    REVIEW_ID,
    REVIEW_STATE,
    REVIEW_SINCE,
    REVIEW_ENDED
};
enum {
    ITEM_TYPE,
    ITEM_ID,
    ITEM_DATA,
    ITEM_RULES
};
enum {
    ITEM_REVIEW,
    ITEM_N,
    ITEM_WORD,
    ITEM_CHANGED
};

struct change {
    int table;
    size_t at;
    struct record *old; /* NULL: the place was new or empty */
};

struct memory_state {
    struct stile_audit_tree tree;
    uint64_t mark, epoch;
    int64_t next_row, next_batch, next_review;
    bool has_salt;
    uint8_t salt[32];
};

struct memory_store {
    struct stile_store store;
    struct stile_store_ops ops;
    struct table tables[TABLES];
    struct memory_state state, before;
    struct change *changes;
    size_t change_count, change_capacity;
    enum stile_status failed; /* sticky within one verb */
};

static inline struct memory_store *memory_of(struct stile_store *store)
{
    return (struct memory_store *)store;
}

void stile__mem_begin(struct memory_store *m);
enum stile_status stile__mem_end(struct memory_store *m);
void stile__mem_back(struct memory_store *m, size_t changes);
void stile__mem_fail(struct memory_store *m, enum stile_status status);

/* Copies the fields into a new record at `at`; SIZE_MAX: a new place. */
void stile__mem_put(struct memory_store *m, int table, size_t at,
                    const struct fields *fields);
void stile__mem_drop(struct memory_store *m, int table, size_t at);

/* The first record at or after *at whose texts of the named places are those
 * given (`count` of them, from place `first` on). Moves *at there. */
struct record *stile__mem_find(struct memory_store *m, int table, size_t *at,
                               const struct stile_str *texts, size_t count);
/* Every record: for (at = 0; (r = stile__mem_at(m, table, &at)); at++) */
struct record *stile__mem_at(struct memory_store *m, int table, size_t *at);

void stile__mem_entries(struct memory_store *m, const struct stile_str *entries,
                        size_t count);
void stile__mem_dirty(struct memory_store *m, struct stile_str feed,
                      struct stile_str person, uint64_t mark);
void stile__mem_hold(struct memory_store *m, const struct stile_accept *accept);
/* The records `keep` says yes to, in order; heap, freed by the caller. */
struct record **
stile__mem_sorted(struct memory_store *m, int table,
                  bool (*keep)(const struct record *record, const void *ctx),
                  const void *ctx, int (*order)(const void *, const void *),
                  size_t *ret_count);

enum stile_status stile__mem_queue_row(struct memory_store *m,
                                       const struct stile_outbox_new *row,
                                       stile_time now);
/* Drops the kept message when no row and no review needs it. */
void stile__mem_leave_message(struct memory_store *m, struct stile_str message);
enum stile_status stile__mem_review_accept(struct memory_store *m,
                                           const struct stile_accept *accept);
bool stile__mem_review_needs(struct memory_store *m, struct stile_str message);
uint64_t stile__mem_review_sweep(struct memory_store *m, stile_time before,
                                 uint32_t most);
void stile__mem_review_counts(struct memory_store *m, struct stile_counts *ret);

/* Each file sets its verbs. */
void stile__mem_accept_verbs(struct stile_store_ops *ops);
void stile__mem_outbox_verbs(struct stile_store_ops *ops);
void stile__mem_mirror_verbs(struct stile_store_ops *ops);
void stile__mem_review_verbs(struct stile_store_ops *ops);
void stile__mem_sweep_verbs(struct stile_store_ops *ops);
void stile__mem_rules_verbs(struct stile_store_ops *ops);

#endif
