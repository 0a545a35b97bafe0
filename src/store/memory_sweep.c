#include "memory.h"

#include <stdlib.h>

static enum stile_row_state state_of(const struct record *row)
{
    return (enum stile_row_state)row->f.n[ROW_STATE];
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* ---- retention ---- */

struct old {
    size_t number; /* which one tells the time */
    stile_time before;
    int64_t last; /* outbox: the newest row's id, which stays */
};

static bool is_old(const struct record *record, const void *ctx)
{
    const struct old *old = ctx;

    return record->f.n[old->number] < old->before;
}

static bool row_is_old(const struct record *row, const void *ctx)
{
    const struct old *old = ctx;

    return stile_row_final(state_of(row)) && row->f.n[ROW_ID] < old->last &&
           is_old(row, ctx);
}

static int dedupe_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    int order = compare(x->f.n[DEDUPE_AT], y->f.n[DEDUPE_AT]);

    order = order != 0 ? order : stile_str_cmp(x->f.t[0], y->f.t[0]);
    return order != 0 ? order : stile_str_cmp(x->f.t[1], y->f.t[1]);
}

static int ended_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    int order = compare(x->f.n[ROW_ENDED], y->f.n[ROW_ENDED]);

    return order != 0 ? order : compare(x->f.n[ROW_ID], y->f.n[ROW_ID]);
}

/* Records of equal age stand in the order they came in, as qsort may not
 * leave them; which of them goes first shows in nothing but `most`. */
static int quarantine_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;

    return compare(x->f.n[Q_AT], y->f.n[Q_AT]);
}

static uint64_t forget(struct memory_store *m, int table,
                       bool (*keep)(const struct record *, const void *),
                       const struct old *old,
                       int (*order)(const void *, const void *), uint32_t most)
{
    size_t count = 0;
    uint64_t gone = 0;
    struct record **list =
        stile__mem_sorted(m, table, keep, old, order, &count);

    for (size_t i = 0; i < count && gone < most; i++) {
        size_t at = 0;

        while (m->tables[table].items[at] != list[i]) {
            at++;
        }
        stile__mem_drop(m, table, at);
        gone++;
    }
    free(list);
    return gone;
}

static enum stile_status sweep(struct stile_store *store,
                               const struct stile_sweep *what,
                               uint64_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct old old = {DEDUPE_AT, what->dedupe_before, m->state.next_row - 1};
    enum stile_status status;
    uint64_t gone = 0;

    stile__mem_begin(m);
    if (what->dedupe_before != 0) {
        gone += forget(m, DEDUPE, is_old, &old, dedupe_order, what->most);
    }
    if (what->rows_before != 0) {
        old.number = ROW_ENDED;
        old.before = what->rows_before;
        gone += forget(m, OUTBOX, row_is_old, &old, ended_order, what->most);
    }
    if (what->reviews_before != 0) {
        gone += stile__mem_review_sweep(m, what->reviews_before, what->most);
    }
    if (what->quarantine_before != 0) {
        old.number = Q_AT;
        old.before = what->quarantine_before;
        gone +=
            forget(m, QUARANTINE, is_old, &old, quarantine_order, what->most);
    }
    status = stile__mem_end(m);
    if (status == STILE_OK) {
        *ret_count = gone;
    }
    return status;
}

static uint64_t size_of(struct memory_store *m, int table)
{
    uint64_t count = 0;

    for (size_t at = 0; stile__mem_at(m, table, &at); at++) {
        count++;
    }
    return count;
}

static enum stile_status counts(struct stile_store *store,
                                struct stile_counts *ret)
{
    struct memory_store *m = memory_of(store);
    struct stile_counts c = {.epoch = m->state.epoch};
    struct record *row;

    for (size_t at = 0; (row = stile__mem_at(m, OUTBOX, &at)) != NULL; at++) {
        enum stile_row_state state = state_of(row);

        c.rows[state]++;
        if (!stile_row_final(state) && state != STILE_ROW_PARKED &&
            (c.oldest_due == 0 || row->f.n[ROW_QUEUED] < c.oldest_due)) {
            c.oldest_due = row->f.n[ROW_QUEUED];
        }
    }
    stile__mem_review_counts(m, &c);
    c.entries = m->state.tree.size;
    c.quarantine = size_of(m, QUARANTINE);
    c.held = size_of(m, HELD);
    c.dirty = size_of(m, DIRTY);
    c.facts = size_of(m, FACT);
    c.messages = size_of(m, MESSAGE);
    *ret = c;
    return STILE_OK;
}

void stile__mem_sweep_verbs(struct stile_store_ops *ops)
{
    ops->sweep = sweep;
    ops->counts = counts;
}
