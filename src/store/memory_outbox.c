#include "memory.h"

#include <stdlib.h>

static enum stile_row_state state_of(const struct record *row)
{
    return (enum stile_row_state)row->f.n[ROW_STATE];
}

static bool row_out(struct memory_store *m, const struct record *row,
                    bool with_body, struct stile_arena *arena,
                    struct stile_outbox_row *ret)
{
    const struct fields *f = &row->f;
    struct stile_str message = f->t[ROW_MESSAGE];
    size_t at = 0;
    struct record *kept =
        message.len > 0 ? stile__mem_find(m, MESSAGE, &at, &message, 1) : NULL;

    ret->id = f->n[ROW_ID];
    ret->what.route = stile_arena_str(arena, f->t[ROW_ROUTE]);
    ret->what.partner = stile_arena_str(arena, f->t[ROW_PARTNER]);
    ret->what.format = stile_arena_str(arena, f->t[ROW_FORMAT]);
    ret->what.media_type = stile_arena_str(arena, f->t[ROW_MEDIA]);
    ret->what.lane = stile_arena_str(arena, f->t[ROW_LANE]);
    ret->what.key = stile_arena_str(arena, f->t[ROW_KEY]);
    ret->what.message_id = stile_arena_str(arena, message);
    ret->what.body =
        with_body ? stile_arena_str(arena, f->t[ROW_BODY]) : STILE_STR("");
    ret->what.rules = f->digest;
    ret->what.epoch = (uint64_t)f->n[ROW_EPOCH];
    ret->what.due = f->n[ROW_DUE];
    ret->state = state_of(row);
    ret->attempts = (uint32_t)f->n[ROW_ATTEMPTS];
    ret->queued_at = f->n[ROW_QUEUED];
    ret->due = f->n[ROW_DUE];
    ret->reason = stile_arena_str(arena, f->t[ROW_REASON]);
    ret->person = kept ? stile_arena_str(arena, kept->f.t[MESSAGE_PERSON])
                       : STILE_STR("");
    return !stile_arena_failed(arena);
}

static struct record *row_by_id(struct memory_store *m, int64_t id, size_t *at)
{
    struct record *row;

    for (*at = 0; (row = stile__mem_at(m, OUTBOX, at)) != NULL; ++*at) {
        if (row->f.n[ROW_ID] == id) {
            return row;
        }
    }
    return NULL;
}

/* ---- claim ---- */

/* No earlier row of its lane is still to be ended. */
static bool is_head(struct memory_store *m, const struct record *row)
{
    struct record *other;

    if (row->f.t[ROW_LANE].len == 0) {
        return true;
    }
    for (size_t at = 0; (other = stile__mem_at(m, OUTBOX, &at)) != NULL; at++) {
        if (other->f.n[ROW_ID] < row->f.n[ROW_ID] &&
            !stile_row_final(state_of(other)) &&
            stile_str_eq(other->f.t[ROW_LANE], row->f.t[ROW_LANE])) {
            return false;
        }
    }
    return true;
}

struct wanted {
    struct stile_str partner;
    stile_time now;
};

static bool is_due(const struct record *row, const void *ctx)
{
    const struct wanted *wanted = ctx;

    return stile__row_waits(state_of(row)) &&
           row->f.n[ROW_DUE] <= wanted->now &&
           stile_str_eq(row->f.t[ROW_PARTNER], wanted->partner);
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int due_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    int order = compare(x->f.n[ROW_DUE], y->f.n[ROW_DUE]);

    return order != 0 ? order : compare(x->f.n[ROW_ID], y->f.n[ROW_ID]);
}

static void send_row(struct memory_store *m, const struct record *row)
{
    struct fields f = row->f;
    size_t at;

    (void)row_by_id(m, row->f.n[ROW_ID], &at); /* it is there */
    f.n[ROW_STATE] = stile_row_move(state_of(row), STILE_ROW_SENDING);
    f.n[ROW_ATTEMPTS]++;
    stile__mem_put(m, OUTBOX, at, &f);
}

struct claimed {
    struct stile_outbox_row *rows;
    size_t count, capacity;
    struct stile_arena *arena;
};

static struct stile_outbox_row *more(struct memory_store *m,
                                     struct claimed *list)
{
    size_t capacity = list->capacity > 0 ? list->capacity * 2 : 16;
    struct stile_outbox_row *rows;

    if (list->count == list->capacity) {
        rows = stile_arena_array(list->arena, capacity, sizeof *rows);
        if (!rows) {
            stile__mem_fail(m, STILE_NOMEM);
            return NULL;
        }
        for (size_t i = 0; i < list->count; i++) {
            rows[i] = list->rows[i];
        }
        list->rows = rows;
        list->capacity = capacity;
    }
    return &list->rows[list->count++];
}

static void claim_one(struct memory_store *m, stile_time now,
                      const struct stile_partner_claim *claim,
                      struct claimed *list)
{
    struct wanted wanted = {claim->partner, now};
    size_t count = 0;
    uint32_t room = claim->room;
    struct record **due =
        stile__mem_sorted(m, OUTBOX, is_due, &wanted, due_order, &count);

    for (size_t i = 0; i < count && room > 0 && m->failed == STILE_OK; i++) {
        struct stile_outbox_row *row;

        if (!is_head(m, due[i])) {
            continue;
        }
        row = more(m, list);
        if (!row || !row_out(m, due[i], true, list->arena, row)) {
            stile__mem_fail(m, STILE_NOMEM);
            break;
        }
        row->state = STILE_ROW_SENDING;
        row->attempts++;
        send_row(m, due[i]);
        room--;
    }
    free(due);
}

static enum stile_status claim(struct stile_store *store, stile_time now,
                               const struct stile_partner_claim *claims,
                               size_t count, struct stile_arena *arena,
                               struct stile_outbox_row **ret, size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct claimed list = {.arena = arena};
    enum stile_status status;

    stile__mem_begin(m);
    for (size_t i = 0; i < count; i++) {
        claim_one(m, now, &claims[i], &list);
    }
    status = stile__mem_end(m);
    if (status == STILE_OK) {
        *ret = list.rows;
        *ret_count = list.count;
    }
    return status;
}

/* ---- steps of a row ---- */

void stile__mem_leave_message(struct memory_store *m, struct stile_str message)
{
    struct record *row;
    size_t at;

    for (at = 0; (row = stile__mem_at(m, OUTBOX, &at)) != NULL; at++) {
        if (!stile_row_final(state_of(row)) &&
            stile_str_eq(row->f.t[ROW_MESSAGE], message)) {
            return;
        }
    }
    at = 0;
    if (!stile__mem_review_needs(m, message) &&
        stile__mem_find(m, MESSAGE, &at, &message, 1)) {
        stile__mem_drop(m, MESSAGE, at);
    }
}

/* As in sqlite_outbox.c: shown anew by the next export. */
static void doubt_sent(struct memory_store *m, const struct fields *row)
{
    struct record *message, *mark;
    size_t at = 0;

    message = stile__mem_find(m, MESSAGE, &at, &row->t[ROW_MESSAGE], 1);
    if (!message) {
        return;
    }
    struct stile_str person = message->f.t[MESSAGE_PERSON];
    for (at = 0; (mark = stile__mem_at(m, SENT, &at)) != NULL; at++) {
        if (stile_str_eq(mark->f.t[SENT_ROUTE], row->t[ROW_ROUTE]) &&
            stile_str_eq(mark->f.t[SENT_PERSON], person)) {
            struct fields f = mark->f;
            f.digest = stile__digest_doubt();
            stile__mem_put(m, SENT, at, &f);
        }
    }
}

static void move_row(struct memory_store *m, size_t at, const struct fields *to,
                     stile_time now)
{
    struct record *row = m->tables[OUTBOX].items[at];
    struct fields f = *to;

    if (!stile_row_may(state_of(row), (enum stile_row_state)f.n[ROW_STATE])) {
        stile__mem_fail(m, STILE_CONFLICT);
        return;
    }
    if (stile_row_final((enum stile_row_state)f.n[ROW_STATE])) {
        f.n[ROW_ENDED] = now;
        f.t[ROW_BODY] = STILE_STR("");
    }
    if (f.n[ROW_STATE] == STILE_ROW_REFUSED ||
        f.n[ROW_STATE] == STILE_ROW_WITHDRAWN) {
        doubt_sent(m, &f);
    }
    stile__mem_put(m, OUTBOX, at, &f);
    if (m->failed == STILE_OK &&
        stile_row_final((enum stile_row_state)f.n[ROW_STATE]) &&
        f.t[ROW_MESSAGE].len > 0) {
        stile__mem_leave_message(m, f.t[ROW_MESSAGE]);
    }
}

static bool key_taken(struct memory_store *m, struct stile_str key, int64_t id)
{
    struct record *row;

    for (size_t at = 0; (row = stile__mem_at(m, OUTBOX, &at)) != NULL; at++) {
        if (row->f.n[ROW_ID] != id && stile_str_eq(row->f.t[ROW_KEY], key)) {
            return true;
        }
    }
    return false;
}

static void settle_one(struct memory_store *m,
                       const struct stile_settle *settle)
{
    struct record *row;
    struct fields f;
    size_t at;

    stile__mem_fail(m, stile__settle_check(settle));
    row = row_by_id(m, settle->id, &at);
    if (!row) {
        stile__mem_fail(m, STILE_NOT_FOUND);
        return;
    }
    if (state_of(row) != STILE_ROW_SENDING) {
        stile__mem_fail(m, STILE_CONFLICT);
        return;
    }
    f = row->f;
    f.n[ROW_STATE] = settle->state;
    f.n[ROW_DUE] = settle->due;
    f.t[ROW_REASON] = settle->reason;
    if (settle->redecided && settle->body.len > 0) {
        doubt_sent(m, &row->f);
    }
    if (settle->redecided) {
        f.digest = settle->rules;
        f.n[ROW_EPOCH] = (int64_t)settle->epoch;
        if (settle->key.len > 0) {
            f.t[ROW_KEY] = settle->key;
        }
        if (settle->body.len > 0) {
            f.t[ROW_BODY] = settle->body;
        }
        if (key_taken(m, f.t[ROW_KEY], settle->id)) {
            stile__mem_fail(m, STILE_CONFLICT);
        }
    }
    if (m->failed == STILE_OK) {
        move_row(m, at, &f, settle->now);
    }
    stile__mem_entries(m, settle->entries, settle->entry_count);
}

static enum stile_status settle(struct stile_store *store,
                                const struct stile_settle *settles,
                                size_t count)
{
    struct memory_store *m = memory_of(store);

    stile__mem_begin(m);
    for (size_t i = 0; i < count && m->failed == STILE_OK; i++) {
        settle_one(m, &settles[i]);
    }
    return stile__mem_end(m);
}

static enum stile_status withdraw(struct stile_store *store, int64_t id,
                                  stile_time now, struct stile_str reason,
                                  const struct stile_str *entries,
                                  size_t entry_count)
{
    struct memory_store *m = memory_of(store);
    struct record *row;
    struct fields f;
    size_t at;

    if (!stile__text_fits(reason)) {
        return STILE_LIMIT;
    }
    stile__mem_begin(m);
    stile__mem_fail(m, stile__entries_check(entries, entry_count));
    row = row_by_id(m, id, &at);
    if (!row) {
        stile__mem_fail(m, STILE_NOT_FOUND);
        return stile__mem_end(m);
    }
    f = row->f;
    f.n[ROW_STATE] = STILE_ROW_WITHDRAWN;
    f.n[ROW_DUE] = 0;
    f.t[ROW_REASON] = reason;
    if (state_of(row) == STILE_ROW_SENDING) {
        stile__mem_fail(m, STILE_CONFLICT);
    } else {
        move_row(m, at, &f, now);
        stile__mem_entries(m, entries, entry_count);
    }
    return stile__mem_end(m);
}

static enum stile_status recover(struct stile_store *store, stile_time now,
                                 uint64_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct record *row;
    enum stile_status status;
    uint64_t moved = 0;

    stile__mem_begin(m);
    for (size_t at = 0; (row = stile__mem_at(m, OUTBOX, &at)) != NULL; at++) {
        struct fields f = row->f;

        if (state_of(row) != STILE_ROW_SENDING) {
            continue;
        }
        f.n[ROW_STATE] = STILE_ROW_UNKNOWN;
        f.n[ROW_DUE] = now;
        f.t[ROW_REASON] = STILE_STR("the gateway stopped while sending");
        stile__mem_put(m, OUTBOX, at, &f);
        moved++;
    }
    status = stile__mem_end(m);
    if (status == STILE_OK) {
        *ret_count = moved;
    }
    return status;
}

static bool retry_one(struct memory_store *m, size_t at, stile_time now)
{
    struct record *row = m->tables[OUTBOX].items[at];
    struct fields f = row->f;

    if (state_of(row) == STILE_ROW_PARKED) {
        f.n[ROW_STATE] = stile_row_move(state_of(row), STILE_ROW_QUEUED);
        f.n[ROW_QUEUED] = now;
    } else if (state_of(row) != STILE_ROW_DEFERRED &&
               state_of(row) != STILE_ROW_UNKNOWN) {
        return false;
    }
    f.n[ROW_DUE] = now;
    stile__mem_put(m, OUTBOX, at, &f);
    return true;
}

static enum stile_status retry(struct stile_store *store, int64_t id,
                               stile_time now, const struct stile_str *entries,
                               size_t entry_count, uint64_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    enum stile_status status;
    uint64_t moved = 0;
    size_t at;

    stile__mem_begin(m);
    if (id != 0 && row_by_id(m, id, &at)) {
        moved = retry_one(m, at, now);
    } else if (id != 0) {
        stile__mem_fail(m, STILE_NOT_FOUND);
    } else {
        for (at = 0; stile__mem_at(m, OUTBOX, &at); at++) {
            moved += retry_one(m, at, now);
        }
    }
    if (moved > 0) {
        stile__mem_fail(m, stile__entries_check(entries, entry_count));
        stile__mem_entries(m, entries, entry_count);
    }
    status = stile__mem_end(m);
    if (status == STILE_OK) {
        *ret_count = moved;
    }
    return status;
}

static bool any(const struct record *row, const void *ctx)
{
    (void)row;
    (void)ctx;
    return true;
}

static int list_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    bool x_final = stile_row_final(state_of(x));

    if (x_final != stile_row_final(state_of(y))) {
        return x_final ? 1 : -1;
    }
    return x_final ? compare(y->f.n[ROW_ID], x->f.n[ROW_ID])
                   : compare(x->f.n[ROW_ID], y->f.n[ROW_ID]);
}

static enum stile_status list(struct stile_store *store, size_t limit,
                              struct stile_arena *arena,
                              struct stile_outbox_row **ret, size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct stile_outbox_row *rows = NULL;
    struct record **all;
    size_t count = 0;

    m->failed = STILE_OK;
    all = stile__mem_sorted(m, OUTBOX, any, NULL, list_order, &count);
    count = count < limit ? count : limit;
    if (count > 0) {
        rows = stile_arena_array(arena, count, sizeof *rows);
    }
    for (size_t i = 0; i < count && rows; i++) {
        if (!row_out(m, all[i], false, arena, &rows[i])) {
            break;
        }
    }
    free(all);
    if (m->failed != STILE_OK || stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = rows;
    *ret_count = count;
    return STILE_OK;
}

void stile__mem_outbox_verbs(struct stile_store_ops *ops)
{
    ops->claim = claim;
    ops->settle = settle;
    ops->withdraw = withdraw;
    ops->recover = recover;
    ops->retry = retry;
    ops->list = list;
}
