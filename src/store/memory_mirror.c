#include "memory.h"

#include <stdlib.h>
#include <string.h>

void stile__mem_dirty(struct memory_store *m, struct stile_str feed,
                      struct stile_str person, uint64_t mark)
{
    struct fields f = {.n = {[DIRTY_MARK] = (int64_t)mark},
                       .t = {[DIRTY_FEED] = feed, [DIRTY_PERSON] = person}};
    size_t at = 0;
    bool there = stile__mem_find(m, DIRTY, &at, f.t, 2) != NULL;

    stile__mem_put(m, DIRTY, there ? at : SIZE_MAX, &f);
}

/* ---- apply ---- */

static void set_row(struct memory_store *m, const struct stile_mirror_row *row,
                    size_t at, uint64_t mark)
{
    const struct record *old = m->tables[MIRROR].items[at];
    struct stile_str old_person = old->f.t[MIRROR_PERSON];
    struct fields f = old->f;
    bool changed;

    if (!row->deleted) {
        f.t[MIRROR_CELLS] = row->cells;
    }
    if (!row->deleted || row->person.len > 0) {
        f.t[MIRROR_PERSON] = row->person;
    }
    f.n[MIRROR_ORDER] = row->order;
    f.n[MIRROR_DELETED] = row->deleted;
    f.n[MIRROR_BATCH] = (int64_t)row->batch;
    f.n[MIRROR_MARK] = (int64_t)mark;
    changed = old->f.n[MIRROR_DELETED] != row->deleted ||
              !stile_str_eq(old->f.t[MIRROR_CELLS], f.t[MIRROR_CELLS]) ||
              !stile_str_eq(old_person, f.t[MIRROR_PERSON]);
    stile__mem_put(m, MIRROR, at, &f);
    if (changed && old_person.len > 0) {
        stile__mem_dirty(m, row->feed, old_person, mark);
    }
    if (changed && f.t[MIRROR_PERSON].len > 0) {
        stile__mem_dirty(m, row->feed, f.t[MIRROR_PERSON], mark);
    }
}

static void put_row(struct memory_store *m, const struct stile_mirror_row *row,
                    uint64_t mark)
{
    struct fields f = {.n = {[MIRROR_ORDER] = row->order,
                             [MIRROR_DELETED] = row->deleted,
                             [MIRROR_BATCH] = (int64_t)row->batch,
                             [MIRROR_MARK] = (int64_t)mark},
                       .t = {[MIRROR_FEED] = row->feed,
                             [MIRROR_TABLE] = row->table,
                             [MIRROR_KEY] = row->key,
                             [MIRROR_PERSON] = row->person,
                             [MIRROR_CELLS] = row->cells}};

    stile__mem_put(m, MIRROR, SIZE_MAX, &f);
    if (row->person.len > 0) {
        stile__mem_dirty(m, row->feed, row->person, mark);
    }
}

/* "Table" U+001F "key", the key whole or its first cell. */
static bool waits_for(struct stile_str missing,
                      const struct stile_mirror_row *row)
{
    size_t cut = stile_str_find(missing, '\x1f');
    struct stile_str key;

    if (cut == SIZE_MAX ||
        !stile_str_eq(stile_str_sub(missing, 0, cut), row->table)) {
        return false;
    }
    key = stile_str_sub(missing, cut + 1, missing.len);
    return stile_str_eq(key, row->key) ||
           stile_str_eq(key, stile__first_cell(row->key));
}

static void apply_row(struct memory_store *m,
                      const struct stile_mirror_row *row, uint64_t mark)
{
    struct stile_str texts[] = {row->feed, row->table, row->key};
    struct record *old;
    struct record *held;
    size_t at = 0;

    stile__mem_fail(m, stile__mirror_check(row));
    old = stile__mem_find(m, MIRROR, &at, texts, 3);
    if (!old) {
        put_row(m, row, mark);
    } else if (!stile__mirror_older(row, (uint64_t)old->f.n[MIRROR_BATCH],
                                    old->f.n[MIRROR_ORDER])) {
        set_row(m, row, at, mark);
    }
    if (row->person.len > 0) {
        return;
    }
    for (at = 0; (held = stile__mem_at(m, HELD, &at)) != NULL; at++) {
        if (stile_str_eq(held->f.t[HELD_FEED], row->feed) &&
            waits_for(held->f.t[HELD_MISSING], row)) {
            stile__mem_dirty(m, row->feed, held->f.t[HELD_PERSON], mark);
        }
    }
}

static enum stile_status mirror_apply(struct stile_store *store,
                                      const struct stile_mirror_row *rows,
                                      size_t count)
{
    struct memory_store *m = memory_of(store);
    uint64_t mark;

    stile__mem_begin(m);
    mark = ++m->state.mark;
    for (size_t i = 0; i < count && m->failed == STILE_OK; i++) {
        apply_row(m, &rows[i], mark);
    }
    return stile__mem_end(m);
}

/* ---- reading ---- */

static int mirror_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    int order = stile_str_cmp(x->f.t[MIRROR_TABLE], y->f.t[MIRROR_TABLE]);

    return order != 0 ? order
                      : stile_str_cmp(x->f.t[MIRROR_KEY], y->f.t[MIRROR_KEY]);
}

static int person_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;

    return stile_str_cmp(x->f.t[MIRROR_PERSON], y->f.t[MIRROR_PERSON]);
}

static bool row_of_person(const struct record *record, const void *ctx)
{
    const struct stile_str *wanted = ctx; /* feed, person */

    return record->f.t[MIRROR_PERSON].len > 0 &&
           stile_str_eq(record->f.t[MIRROR_FEED], wanted[0]) &&
           stile_str_eq(record->f.t[MIRROR_PERSON], wanted[1]);
}

static bool row_with_person(const struct record *record, const void *ctx)
{
    return record->f.t[MIRROR_PERSON].len > 0 &&
           stile_str_eq(record->f.t[MIRROR_FEED],
                        *(const struct stile_str *)ctx);
}

static bool row_with_key(const struct record *record, const void *ctx)
{
    const struct stile_str *wanted = ctx; /* feed, table, key */
    struct stile_str key = record->f.t[MIRROR_KEY];

    return stile_str_eq(record->f.t[MIRROR_FEED], wanted[0]) &&
           stile_str_eq(record->f.t[MIRROR_TABLE], wanted[1]) &&
           (stile_str_eq(key, wanted[2]) ||
            (stile_str_starts(key, wanted[2]) && key.len > wanted[2].len &&
             key.ptr[wanted[2].len] == '\x1f'));
}

static struct stile_mirror_row borrow(const struct record *record)
{
    return (struct stile_mirror_row){
        .feed = record->f.t[MIRROR_FEED],
        .table = record->f.t[MIRROR_TABLE],
        .key = record->f.t[MIRROR_KEY],
        .person = record->f.t[MIRROR_PERSON],
        .cells = record->f.t[MIRROR_CELLS],
        .order = record->f.n[MIRROR_ORDER],
        .deleted = record->f.n[MIRROR_DELETED] != 0,
        .batch = (uint64_t)record->f.n[MIRROR_BATCH]};
}

static enum stile_status mirror_person(struct stile_store *store,
                                       struct stile_str feed,
                                       struct stile_str person,
                                       stile_mirror_fn fn, void *ctx)
{
    struct memory_store *m = memory_of(store);
    struct stile_str wanted[] = {feed, person};
    enum stile_status status;
    struct record **rows;
    size_t count = 0;

    m->failed = STILE_OK;
    rows = stile__mem_sorted(m, MIRROR, row_of_person, wanted, mirror_order,
                             &count);
    status = m->failed;
    for (size_t i = 0; i < count && status == STILE_OK; i++) {
        struct stile_mirror_row row = borrow(rows[i]);

        status = fn(ctx, &row);
    }
    free(rows);
    return status == STILE_END ? STILE_OK : status;
}

/* Of (feed, cell): a row of some person that is not deleted. */
static bool row_holds(const struct record *record, const void *ctx)
{
    const struct stile_str *wanted = ctx;

    return stile_str_eq(record->f.t[MIRROR_FEED], wanted[0]) &&
           record->f.t[MIRROR_PERSON].len > 0 &&
           record->f.n[MIRROR_DELETED] == 0 &&
           stile_str_find_str(record->f.t[MIRROR_CELLS], wanted[1]) != SIZE_MAX;
}

static enum stile_status
mirror_holds(struct stile_store *store, struct stile_str feed,
             struct stile_str text, struct stile_arena *arena,
             struct stile_str **ret_persons, size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct stile_str wanted[] = {feed, stile__quoted_cell(arena, text)};
    struct stile_str *persons = NULL;
    struct record **rows;
    size_t count = 0, made = 0;

    if (wanted[1].len == 0) {
        return stile_arena_failed(arena) ? STILE_NOMEM : STILE_INVALID;
    }
    m->failed = STILE_OK;
    rows =
        stile__mem_sorted(m, MIRROR, row_holds, wanted, person_order, &count);
    if (count > 0) {
        persons = stile_arena_array(arena, count, sizeof *persons);
    }
    for (size_t i = 0; i < count && persons; i++) {
        struct stile_str person = rows[i]->f.t[MIRROR_PERSON];

        if (made == 0 || !stile_str_eq(persons[made - 1], person)) {
            persons[made++] = stile_arena_str(arena, person);
        }
    }
    free(rows);
    if (m->failed != STILE_OK || stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret_persons = persons;
    *ret_count = made;
    return STILE_OK;
}

/* The key itself sorts before those that begin with it. */
static struct record *first_row(struct memory_store *m, struct stile_str feed,
                                struct stile_str table, struct stile_str key)
{
    struct stile_str wanted[] = {feed, table, key};
    struct record *first = NULL;
    struct record **rows;
    size_t count = 0;

    rows = stile__mem_sorted(m, MIRROR, row_with_key, wanted, mirror_order,
                             &count);
    if (count > 0) {
        first = rows[0];
    }
    free(rows);
    return first;
}

static enum stile_status
mirror_get(struct stile_store *store, struct stile_str feed,
           struct stile_str table, struct stile_str key,
           struct stile_arena *arena, struct stile_mirror_row *ret)
{
    struct memory_store *m = memory_of(store);
    struct stile_mirror_row row;
    struct record *found;

    m->failed = STILE_OK;
    found = first_row(m, feed, table, key);
    if (!found) {
        return m->failed != STILE_OK ? m->failed : STILE_NOT_FOUND;
    }
    row = borrow(found);
    row.feed = stile_arena_str(arena, row.feed);
    row.table = stile_arena_str(arena, row.table);
    row.key = stile_arena_str(arena, row.key);
    row.person = stile_arena_str(arena, row.person);
    row.cells = stile_arena_str(arena, row.cells);
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = row;
    return STILE_OK;
}

/* ---- persons of a feed to be worked again ---- */

static uint64_t touch_all(struct memory_store *m, struct stile_str feed)
{
    struct record **rows;
    uint64_t touched = 0;
    uint64_t mark = ++m->state.mark;
    size_t count = 0;

    rows = stile__mem_sorted(m, MIRROR, row_with_person, &feed, person_order,
                             &count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || person_order(&rows[i - 1], &rows[i]) != 0) {
            stile__mem_dirty(m, feed, rows[i]->f.t[MIRROR_PERSON], mark);
            touched++;
        }
    }
    free(rows);
    return touched;
}

static enum stile_status touch(struct stile_store *store, struct stile_str feed,
                               uint64_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    enum stile_status status;
    uint64_t touched;

    stile__mem_begin(m);
    touched = touch_all(m, feed);
    status = stile__mem_end(m);
    if (status == STILE_OK) {
        *ret_count = touched;
    }
    return status;
}

static enum stile_status touch_under(struct stile_store *store,
                                     struct stile_str feed,
                                     const struct stile_digest *plan,
                                     uint64_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct fields f = {.t = {[SHOWN_FEED] = feed}, .digest = *plan};
    enum stile_status status;
    struct record *last;
    uint64_t touched = 0;
    size_t at = 0;

    stile__mem_begin(m);
    last = stile__mem_find(m, SHOWN, &at, f.t, 1);
    if (!last || !stile_digest_eq(&last->f.digest, plan)) {
        touched = touch_all(m, feed);
        stile__mem_put(m, SHOWN, last ? at : SIZE_MAX, &f);
    }
    status = stile__mem_end(m);
    if (status == STILE_OK) {
        *ret_count = touched;
    }
    return status;
}

static enum stile_status dirty(struct stile_store *store, struct stile_str feed,
                               size_t limit, struct stile_arena *arena,
                               struct stile_str **ret_persons,
                               uint64_t **ret_batches, size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    size_t room =
        m->tables[DIRTY].count < limit ? m->tables[DIRTY].count : limit;
    struct stile_str *persons = NULL;
    uint64_t *marks = NULL;
    struct record *record;
    size_t count = 0;

    if (room > 0) {
        persons = stile_arena_array(arena, room, sizeof *persons);
        marks = stile_arena_array(arena, room, sizeof *marks);
    }
    for (size_t at = 0; count < room && persons && marks; at++) {
        record = stile__mem_find(m, DIRTY, &at, &feed, 1);
        if (!record) {
            break;
        }
        persons[count] = stile_arena_str(arena, record->f.t[DIRTY_PERSON]);
        marks[count] = (uint64_t)record->f.n[DIRTY_MARK];
        count++;
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret_persons = count > 0 ? persons : NULL;
    *ret_batches = count > 0 ? marks : NULL;
    *ret_count = count;
    return STILE_OK;
}

/* ---- held rows ---- */

static bool came_meanwhile(struct memory_store *m,
                           const struct stile_accept *accept,
                           const struct stile_held_row *held)
{
    size_t cut = stile_str_find(held->missing, '\x1f');
    struct record *row;

    if (cut == SIZE_MAX) {
        return false;
    }
    row = first_row(m, accept->clear_feed, stile_str_sub(held->missing, 0, cut),
                    stile_str_sub(held->missing, cut + 1, held->missing.len));
    return row && (uint64_t)row->f.n[MIRROR_MARK] > accept->clear_batch;
}

/* Since when a row is held for the same thing, among the first `count` places
 * of the table, which hold what was there before this accept. */
static stile_time held_since(struct memory_store *m, const struct fields *f,
                             size_t count)
{
    size_t at = 0;
    struct record *old = stile__mem_find(m, HELD, &at, f->t, HELD_MISSING + 1);

    return old && at < count ? old->f.n[HELD_SINCE] : f->n[HELD_SINCE];
}

void stile__mem_hold(struct memory_store *m, const struct stile_accept *accept)
{
    struct stile_str who[] = {accept->clear_feed, accept->clear_person};
    size_t before = m->tables[HELD].count;
    bool again = false;
    size_t at = 0;

    for (size_t i = 0; i < accept->held_count; i++) {
        const struct stile_held_row *held = &accept->held[i];
        struct fields f = {.n = {[HELD_SINCE] = held->since},
                           .t = {[HELD_FEED] = accept->clear_feed,
                                 [HELD_PERSON] = accept->clear_person,
                                 [HELD_TABLE] = held->table,
                                 [HELD_KEY] = held->key,
                                 [HELD_MISSING] = held->missing,
                                 [HELD_REASON] = held->reason}};

        f.n[HELD_SINCE] = held_since(m, &f, before);
        stile__mem_put(m, HELD, SIZE_MAX, &f);
        again = came_meanwhile(m, accept, held) || again;
    }
    while (stile__mem_find(m, HELD, &at, who, 2) && at < before) {
        stile__mem_drop(m, HELD, at++);
    }
    if (again) {
        stile__mem_dirty(m, accept->clear_feed, accept->clear_person,
                         ++m->state.mark);
    }
}

static enum stile_status held(struct stile_store *store, size_t limit,
                              struct stile_arena *arena,
                              struct stile_held_row **ret, size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    size_t room = m->tables[HELD].count;
    struct stile_held_row *list =
        room > 0 ? stile_arena_array(arena, room, sizeof *list) : NULL;
    struct record *record;
    size_t count = 0;

    /* sorted by insertion, which keeps the order of equal ages */
    for (size_t at = 0; list && (record = stile__mem_at(m, HELD, &at)) != NULL;
         at++) {
        size_t to = count++;

        for (; to > 0 && list[to - 1].since > record->f.n[HELD_SINCE]; to--) {
            list[to] = list[to - 1];
        }
        list[to].feed = stile_arena_str(arena, record->f.t[HELD_FEED]);
        list[to].table = stile_arena_str(arena, record->f.t[HELD_TABLE]);
        list[to].key = stile_arena_str(arena, record->f.t[HELD_KEY]);
        list[to].missing = stile_arena_str(arena, record->f.t[HELD_MISSING]);
        list[to].reason = stile_arena_str(arena, record->f.t[HELD_REASON]);
        list[to].since = record->f.n[HELD_SINCE];
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    count = count < limit ? count : limit;
    *ret = count > 0 ? list : NULL;
    *ret_count = count;
    return STILE_OK;
}

/* ---- batches ---- */

static enum stile_status batch_begin(struct stile_store *store,
                                     struct stile_str feed,
                                     struct stile_str name, stile_time now,
                                     uint64_t *ret_batch, bool *ret_finished)
{
    struct memory_store *m = memory_of(store);
    struct fields f = {.n = {[BATCH_ID] = m->state.next_batch},
                       .t = {[BATCH_FEED] = feed, [BATCH_NAME] = name}};
    struct record *record;
    enum stile_status status;
    size_t at = 0;

    (void)now; /* nothing here asks when a batch began */
    if (feed.len == 0 || name.len == 0) {
        return STILE_INVALID;
    }
    if (!stile__text_fits(feed) || !stile__text_fits(name)) {
        return STILE_LIMIT;
    }
    record = stile__mem_find(m, BATCH, &at, f.t, 2);
    if (record) {
        *ret_batch = (uint64_t)record->f.n[BATCH_ID];
        *ret_finished = record->f.n[BATCH_FINISHED] != 0;
        return STILE_OK;
    }
    stile__mem_begin(m);
    stile__mem_put(m, BATCH, SIZE_MAX, &f);
    m->state.next_batch++;
    status = stile__mem_end(m);
    if (status == STILE_OK) {
        *ret_batch = (uint64_t)f.n[BATCH_ID];
        *ret_finished = false;
    }
    return status;
}

static enum stile_status batch_finish(struct stile_store *store, uint64_t batch,
                                      stile_time now)
{
    struct memory_store *m = memory_of(store);
    struct record *record;

    (void)now; /* nothing here asks when a batch ended */
    for (size_t at = 0; (record = stile__mem_at(m, BATCH, &at)) != NULL; at++) {
        struct fields f = record->f;

        if ((uint64_t)f.n[BATCH_ID] == batch) {
            f.n[BATCH_FINISHED] = 1;
            stile__mem_begin(m);
            stile__mem_put(m, BATCH, at, &f);
            return stile__mem_end(m);
        }
    }
    return STILE_NOT_FOUND;
}

void stile__mem_mirror_verbs(struct stile_store_ops *ops)
{
    ops->mirror_apply = mirror_apply;
    ops->mirror_person = mirror_person;
    ops->mirror_holds = mirror_holds;
    ops->mirror_get = mirror_get;
    ops->touch = touch;
    ops->touch_under = touch_under;
    ops->dirty = dirty;
    ops->held = held;
    ops->batch_begin = batch_begin;
    ops->batch_finish = batch_finish;
}
