#include "sqlite.h"

#include <string.h>

/* A new mark: greater than any given before. */
uint64_t stile__sql_mark(struct sqlite_store *s)
{
    return ++s->state.mark;
}

/* A person dirty already keeps the place in the line and takes the mark. */
void stile__sql_dirty(struct sqlite_store *s, struct stile_str feed,
                      struct stile_str person, uint64_t mark)
{
    stile__sql_text(s, SQL_DIRTY_AGAIN, 1, feed);
    stile__sql_text(s, SQL_DIRTY_AGAIN, 2, person);
    stile__sql_int(s, SQL_DIRTY_AGAIN, 3, (int64_t)mark);
    stile__sql_run(s, SQL_DIRTY_AGAIN);
    if (s->failed != STILE_OK || stile__sql_changes(s) > 0) {
        return;
    }
    stile__sql_text(s, SQL_DIRTY_PUT, 1, feed);
    stile__sql_text(s, SQL_DIRTY_PUT, 2, person);
    stile__sql_int(s, SQL_DIRTY_PUT, 3, (int64_t)mark);
    stile__sql_run(s, SQL_DIRTY_PUT);
    s->state.counts.dirty++;
}

/* ---- apply ---- */

static void put_row(struct sqlite_store *s, const struct stile_mirror_row *row,
                    uint64_t mark)
{
    stile__sql_text(s, SQL_MIRROR_PUT, 1, row->feed);
    stile__sql_text(s, SQL_MIRROR_PUT, 2, row->table);
    stile__sql_text(s, SQL_MIRROR_PUT, 3, row->key);
    stile__sql_text(s, SQL_MIRROR_PUT, 4, row->person);
    stile__sql_blob(s, SQL_MIRROR_PUT, 5, row->cells);
    stile__sql_int(s, SQL_MIRROR_PUT, 6, row->order);
    stile__sql_int(s, SQL_MIRROR_PUT, 7, row->deleted);
    stile__sql_int(s, SQL_MIRROR_PUT, 8, (int64_t)row->batch);
    stile__sql_int(s, SQL_MIRROR_PUT, 9, (int64_t)mark);
    stile__sql_run(s, SQL_MIRROR_PUT);
    if (row->person.len > 0) {
        stile__sql_dirty(s, row->feed, row->person, mark);
    }
}

/* Same cells and person: only its place in the order moves. */
static void touch_row(struct sqlite_store *s, int64_t id,
                      const struct stile_mirror_row *row, uint64_t mark)
{
    stile__sql_int(s, SQL_MIRROR_ORDER, 1, id);
    stile__sql_int(s, SQL_MIRROR_ORDER, 2, row->order);
    stile__sql_int(s, SQL_MIRROR_ORDER, 3, (int64_t)row->batch);
    stile__sql_int(s, SQL_MIRROR_ORDER, 4, (int64_t)mark);
    stile__sql_run(s, SQL_MIRROR_ORDER);
}

/* The found row stands open in SQL_MIRROR_FIND; its columns are borrowed
 * until it ends. */
static void set_row(struct sqlite_store *s, const struct stile_mirror_row *row,
                    uint64_t mark)
{
    enum sql find = SQL_MIRROR_FIND;
    int64_t id = stile__sql_number(s, find, 0);
    struct stile_str person = stile__sql_column(s, find, 1);
    struct stile_str cells = stile__sql_column(s, find, 2);
    bool deleted = stile__sql_number(s, find, 5) != 0;
    struct stile_str new_cells = row->deleted ? cells : row->cells;
    struct stile_str new_person =
        row->deleted && row->person.len == 0 ? person : row->person;

    if (deleted == row->deleted && stile_str_eq(cells, new_cells) &&
        stile_str_eq(person, new_person)) {
        touch_row(s, id, row, mark);
        return;
    }
    stile__sql_int(s, SQL_MIRROR_SET, 1, id);
    stile__sql_text(s, SQL_MIRROR_SET, 2, new_person);
    stile__sql_blob(s, SQL_MIRROR_SET, 3, new_cells);
    stile__sql_int(s, SQL_MIRROR_SET, 4, row->order);
    stile__sql_int(s, SQL_MIRROR_SET, 5, row->deleted);
    stile__sql_int(s, SQL_MIRROR_SET, 6, (int64_t)row->batch);
    stile__sql_int(s, SQL_MIRROR_SET, 7, (int64_t)mark);
    if (person.len > 0) {
        stile__sql_dirty(s, row->feed, person, mark);
    }
    if (new_person.len > 0 && !stile_str_eq(person, new_person)) {
        stile__sql_dirty(s, row->feed, new_person, mark);
    }
    stile__sql_run(s, SQL_MIRROR_SET);
}

/* "Table" U+001F "key": what a held row says it waits for. */
static bool missing_text(struct stile_str table, struct stile_str key,
                         char *out, struct stile_str *ret)
{
    size_t len = table.len + 1 + key.len;

    if (len > STILE_STORE_TEXT_MAX) {
        return false; /* no held row can say it */
    }
    memcpy(out, table.ptr, table.len);
    out[table.len] = '\x1f';
    memcpy(out + table.len + 1, key.ptr, key.len);
    *ret = (struct stile_str){out, len};
    return true;
}

static void wake_waiting(struct sqlite_store *s,
                         const struct stile_mirror_row *row, uint64_t mark)
{
    char whole_text[STILE_STORE_TEXT_MAX];
    char first_text[STILE_STORE_TEXT_MAX];
    struct stile_str whole, first;

    if (!missing_text(row->table, row->key, whole_text, &whole) ||
        !missing_text(row->table, stile__first_cell(row->key), first_text,
                      &first)) {
        return;
    }
    stile__sql_text(s, SQL_WAITING, 1, row->feed);
    stile__sql_text(s, SQL_WAITING, 2, whole);
    stile__sql_text(s, SQL_WAITING, 3, first);
    while (stile__sql_row(s, SQL_WAITING)) {
        stile__sql_dirty(s, row->feed, stile__sql_column(s, SQL_WAITING, 0),
                         mark);
    }
}

static void apply_row(struct sqlite_store *s,
                      const struct stile_mirror_row *row, uint64_t mark)
{
    stile__sql_fail(s, stile__mirror_check(row));
    stile__sql_text(s, SQL_MIRROR_FIND, 1, row->feed);
    stile__sql_text(s, SQL_MIRROR_FIND, 2, row->table);
    stile__sql_text(s, SQL_MIRROR_FIND, 3, row->key);
    if (stile__sql_row(s, SQL_MIRROR_FIND)) {
        if (!stile__mirror_older(
                row, (uint64_t)stile__sql_number(s, SQL_MIRROR_FIND, 3),
                stile__sql_number(s, SQL_MIRROR_FIND, 4))) {
            set_row(s, row, mark);
        }
        stile__sql_end(s, SQL_MIRROR_FIND);
    } else if (s->failed == STILE_OK) {
        put_row(s, row, mark);
    }
    if (row->person.len == 0 && s->failed == STILE_OK) {
        wake_waiting(s, row, mark);
    }
}

enum stile_status stile__sql_mirror_apply(struct stile_store *store,
                                          const struct stile_mirror_row *rows,
                                          size_t count)
{
    struct sqlite_store *s = sqlite_of(store);
    uint64_t mark;

    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    mark = stile__sql_mark(s);
    for (size_t i = 0; i < count && s->failed == STILE_OK; i++) {
        apply_row(s, &rows[i], mark);
    }
    return stile__sql_commit(s);
}

/* ---- persons of a feed to be worked again ---- */

static uint64_t touch_all(struct sqlite_store *s, struct stile_str feed)
{
    uint64_t mark = stile__sql_mark(s);
    uint64_t touched = 0;

    stile__sql_text(s, SQL_PERSONS, 1, feed);
    while (stile__sql_row(s, SQL_PERSONS)) {
        stile__sql_dirty(s, feed, stile__sql_column(s, SQL_PERSONS, 0), mark);
        touched++;
    }
    return touched;
}

enum stile_status stile__sql_touch(struct stile_store *store,
                                   struct stile_str feed, uint64_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status;
    uint64_t touched;

    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    touched = touch_all(s, feed);
    status = stile__sql_commit(s);
    if (status == STILE_OK) {
        *ret_count = touched;
    }
    return status;
}

static bool shown_under(struct sqlite_store *s, struct stile_str feed,
                        const struct stile_digest *plan)
{
    struct stile_digest last;
    bool same = false;

    stile__sql_text(s, SQL_SHOWN, 1, feed);
    if (stile__sql_row(s, SQL_SHOWN)) {
        stile__sql_get_digest(s, SQL_SHOWN, 0, &last);
        same = s->failed == STILE_OK && stile_digest_eq(&last, plan);
        stile__sql_end(s, SQL_SHOWN);
    }
    return same;
}

enum stile_status stile__sql_touch_under(struct stile_store *store,
                                         struct stile_str feed,
                                         const struct stile_digest *plan,
                                         uint64_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status;
    uint64_t touched = 0;

    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    if (!shown_under(s, feed, plan)) {
        touched = touch_all(s, feed);
        stile__sql_text(s, SQL_SHOWN_PUT, 1, feed);
        stile__sql_digest(s, SQL_SHOWN_PUT, 2, plan);
        stile__sql_run(s, SQL_SHOWN_PUT);
    }
    status = stile__sql_commit(s);
    if (status == STILE_OK) {
        *ret_count = touched;
    }
    return status;
}

/* ---- reading ---- */

static void borrow_row(struct sqlite_store *s, enum sql sql,
                       struct stile_str feed, struct stile_mirror_row *ret)
{
    ret->feed = feed;
    ret->table = stile__sql_column(s, sql, 0);
    ret->key = stile__sql_column(s, sql, 1);
    ret->person = stile__sql_column(s, sql, 2);
    ret->cells = stile__sql_column(s, sql, 3);
    ret->order = stile__sql_number(s, sql, 4);
    ret->deleted = stile__sql_number(s, sql, 5) != 0;
    ret->batch = (uint64_t)stile__sql_number(s, sql, 6);
}

enum stile_status stile__sql_mirror_person(struct stile_store *store,
                                           struct stile_str feed,
                                           struct stile_str person,
                                           stile_mirror_fn fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status = STILE_OK;

    (void)stile__sql_read(s);
    stile__sql_text(s, SQL_MIRROR_PERSON, 1, feed);
    stile__sql_text(s, SQL_MIRROR_PERSON, 2, person);
    while (status == STILE_OK && stile__sql_row(s, SQL_MIRROR_PERSON)) {
        struct stile_mirror_row row;

        borrow_row(s, SQL_MIRROR_PERSON, feed, &row);
        status = fn(ctx, &row);
    }
    stile__sql_end(s, SQL_MIRROR_PERSON);
    stile__sql_fail(s, status == STILE_END ? STILE_OK : status);
    return s->failed;
}

enum stile_status
stile__sql_mirror_holds(struct stile_store *store, struct stile_str feed,
                        struct stile_str text, struct stile_arena *arena,
                        struct stile_str **ret_persons, size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list persons = {.arena = arena, .size = sizeof **ret_persons};
    struct stile_str cell = stile__quoted_cell(arena, text);

    if (cell.len == 0) {
        return stile_arena_failed(arena) ? STILE_NOMEM : STILE_INVALID;
    }
    (void)stile__sql_read(s);
    stile__sql_text(s, SQL_MIRROR_HOLDS, 1, feed);
    stile__sql_text(s, SQL_MIRROR_HOLDS, 2, cell);
    while (stile__sql_row(s, SQL_MIRROR_HOLDS)) {
        struct stile_str *person = stile__sql_push(s, &persons);

        if (person) {
            *person = stile__sql_copy(s, SQL_MIRROR_HOLDS, 0, arena);
        }
    }
    if (s->failed == STILE_OK) {
        *ret_persons = (struct stile_str *)(void *)persons.items;
        *ret_count = persons.count;
    }
    return s->failed;
}

/* Leaves the row open in the statement it gives: the key itself, or the first
 * whose first cell it is. `first` and `past` are the caller's room. */
static bool find_key(struct sqlite_store *s, struct stile_str feed,
                     struct stile_str table, struct stile_str key,
                     char *room[2], enum sql *ret)
{
    stile__sql_text(s, SQL_MIRROR_KEY, 1, feed);
    stile__sql_text(s, SQL_MIRROR_KEY, 2, table);
    stile__sql_text(s, SQL_MIRROR_KEY, 3, key);
    *ret = SQL_MIRROR_KEY;
    if (stile__sql_row(s, SQL_MIRROR_KEY)) {
        return true;
    }
    if (key.len >= STILE_STORE_TEXT_MAX) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        if (key.len > 0) {
            memcpy(room[i], key.ptr, key.len);
        }
        room[i][key.len] = i == 0 ? '\x1f' : '\x20';
    }
    stile__sql_text(s, SQL_MIRROR_CELL, 1, feed);
    stile__sql_text(s, SQL_MIRROR_CELL, 2, table);
    stile__sql_text(s, SQL_MIRROR_CELL, 3,
                    (struct stile_str){room[0], key.len + 1});
    stile__sql_text(s, SQL_MIRROR_CELL, 4,
                    (struct stile_str){room[1], key.len + 1});
    *ret = SQL_MIRROR_CELL;
    return stile__sql_row(s, SQL_MIRROR_CELL);
}

enum stile_status
stile__sql_mirror_get(struct stile_store *store, struct stile_str feed,
                      struct stile_str table, struct stile_str key,
                      struct stile_arena *arena, struct stile_mirror_row *ret)
{
    struct sqlite_store *s = sqlite_of(store);
    char first[STILE_STORE_TEXT_MAX], past[STILE_STORE_TEXT_MAX];
    struct stile_mirror_row row;
    enum sql sql;

    (void)stile__sql_read(s);
    if (!find_key(s, feed, table, key, (char *[2]){first, past}, &sql)) {
        stile__sql_fail(s, STILE_NOT_FOUND);
        return s->failed;
    }
    borrow_row(s, sql, feed, &row);
    row.feed = stile_arena_str(arena, feed);
    row.table = stile_arena_str(arena, row.table);
    row.key = stile_arena_str(arena, row.key);
    row.person = stile_arena_str(arena, row.person);
    row.cells = stile__sql_copy(s, sql, 3, arena); /* looks at the arena */
    stile__sql_end(s, sql);
    if (s->failed == STILE_OK) {
        *ret = row;
    }
    return s->failed;
}

enum stile_status stile__sql_dirty_list(struct stile_store *store,
                                        struct stile_str feed, size_t limit,
                                        struct stile_arena *arena,
                                        struct stile_str **ret_persons,
                                        uint64_t **ret_batches,
                                        size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list persons = {.arena = arena, .size = sizeof **ret_persons};
    struct sql_list marks = {.arena = arena, .size = sizeof **ret_batches};

    (void)stile__sql_read(s);
    stile__sql_text(s, SQL_DIRTY, 1, feed);
    stile__sql_int(s, SQL_DIRTY, 2,
                   limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while (stile__sql_row(s, SQL_DIRTY)) {
        struct stile_str *person = stile__sql_push(s, &persons);
        uint64_t *mark = stile__sql_push(s, &marks);

        if (person && mark) {
            *person = stile__sql_copy(s, SQL_DIRTY, 0, arena);
            *mark = (uint64_t)stile__sql_number(s, SQL_DIRTY, 1);
        }
    }
    if (s->failed == STILE_OK) {
        *ret_persons = (struct stile_str *)(void *)persons.items;
        *ret_batches = (uint64_t *)(void *)marks.items;
        *ret_count = persons.count;
    }
    return s->failed;
}

/* ---- held rows ---- */

/* What came into the mirror after the exchange had read it (its mark is past
 * the one that is cleared) would wake nobody: the person is dirty again. */
static bool came_meanwhile(struct sqlite_store *s,
                           const struct stile_accept *accept,
                           const struct stile_held_row *held)
{
    char first[STILE_STORE_TEXT_MAX], past[STILE_STORE_TEXT_MAX];
    size_t cut = stile_str_find(held->missing, '\x1f');
    uint64_t mark = 0;
    enum sql sql;

    if (cut == SIZE_MAX) {
        return false;
    }
    if (find_key(s, accept->clear_feed, stile_str_sub(held->missing, 0, cut),
                 stile_str_sub(held->missing, cut + 1, held->missing.len),
                 (char *[2]){first, past}, &sql)) {
        mark = (uint64_t)stile__sql_number(s, sql, 7);
        stile__sql_end(s, sql);
    }
    return mark > accept->clear_batch;
}

static void hold_one(struct sqlite_store *s, const struct stile_accept *accept,
                     const struct stile_held_row *held)
{
    stile_time since = held->since;

    for (int i = 0; i < 2; i++) {
        enum sql sql = i == 0 ? SQL_HELD_AGE : SQL_HELD_PUT;

        stile__sql_text(s, sql, 1, accept->clear_feed);
        stile__sql_text(s, sql, 2, accept->clear_person);
        stile__sql_text(s, sql, 3, held->table);
        stile__sql_text(s, sql, 4, held->key);
        stile__sql_text(s, sql, 5, held->missing);
        if (i == 0 && stile__sql_row(s, sql)) {
            since = stile__sql_number(s, sql, 0);
            stile__sql_end(s, sql);
        }
    }
    stile__sql_text(s, SQL_HELD_PUT, 6, held->reason);
    stile__sql_int(s, SQL_HELD_PUT, 7, since);
    stile__sql_run(s, SQL_HELD_PUT);
    s->state.counts.held++;
}

void stile__sql_hold(struct sqlite_store *s, const struct stile_accept *accept)
{
    bool again = false;

    stile__sql_text(s, SQL_HELD_STALE, 1, accept->clear_feed);
    stile__sql_text(s, SQL_HELD_STALE, 2, accept->clear_person);
    stile__sql_run(s, SQL_HELD_STALE);
    for (size_t i = 0; i < accept->held_count; i++) {
        hold_one(s, accept, &accept->held[i]);
        again = came_meanwhile(s, accept, &accept->held[i]) || again;
    }
    stile__sql_text(s, SQL_HELD_DROP, 1, accept->clear_feed);
    stile__sql_text(s, SQL_HELD_DROP, 2, accept->clear_person);
    stile__sql_run(s, SQL_HELD_DROP);
    s->state.counts.held -= stile__sql_changes(s);
    if (again) {
        stile__sql_dirty(s, accept->clear_feed, accept->clear_person,
                         stile__sql_mark(s));
    }
}

enum stile_status stile__sql_held(struct stile_store *store, size_t limit,
                                  struct stile_arena *arena,
                                  struct stile_held_row **ret,
                                  size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list list = {.arena = arena, .size = sizeof **ret};

    (void)stile__sql_read(s);
    stile__sql_int(s, SQL_HELD, 1,
                   limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while (stile__sql_row(s, SQL_HELD)) {
        struct stile_held_row *held = stile__sql_push(s, &list);

        if (held) {
            held->feed = stile__sql_copy(s, SQL_HELD, 0, arena);
            held->table = stile__sql_copy(s, SQL_HELD, 1, arena);
            held->key = stile__sql_copy(s, SQL_HELD, 2, arena);
            held->missing = stile__sql_copy(s, SQL_HELD, 3, arena);
            held->reason = stile__sql_copy(s, SQL_HELD, 4, arena);
            held->since = stile__sql_number(s, SQL_HELD, 5);
        }
    }
    if (s->failed == STILE_OK) {
        *ret = (struct stile_held_row *)(void *)list.items;
        *ret_count = list.count;
    }
    return s->failed;
}

/* ---- batches ---- */

enum stile_status stile__sql_batch_begin(struct stile_store *store,
                                         struct stile_str feed,
                                         struct stile_str name, stile_time now,
                                         uint64_t *ret_batch,
                                         bool *ret_finished)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status;
    bool finished = false;
    int64_t id = 0;

    if (feed.len == 0 || name.len == 0) {
        return STILE_INVALID;
    }
    if (!stile__text_fits(feed) || !stile__text_fits(name)) {
        return STILE_LIMIT;
    }
    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    stile__sql_text(s, SQL_BATCH_FIND, 1, feed);
    stile__sql_text(s, SQL_BATCH_FIND, 2, name);
    if (stile__sql_row(s, SQL_BATCH_FIND)) {
        id = stile__sql_number(s, SQL_BATCH_FIND, 0);
        finished =
            sqlite3_column_type(s->sql[SQL_BATCH_FIND], 1) != SQLITE_NULL;
        stile__sql_end(s, SQL_BATCH_FIND);
    } else {
        stile__sql_text(s, SQL_BATCH_PUT, 1, feed);
        stile__sql_text(s, SQL_BATCH_PUT, 2, name);
        stile__sql_int(s, SQL_BATCH_PUT, 3, now);
        stile__sql_run(s, SQL_BATCH_PUT);
        id = sqlite3_last_insert_rowid(s->db);
    }
    status = stile__sql_commit(s);
    if (status == STILE_OK) {
        *ret_batch = (uint64_t)id;
        *ret_finished = finished;
    }
    return status;
}

enum stile_status stile__sql_batch_finish(struct stile_store *store,
                                          uint64_t batch, stile_time now)
{
    struct sqlite_store *s = sqlite_of(store);

    if (batch > INT64_MAX) {
        return STILE_NOT_FOUND;
    }
    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    stile__sql_int(s, SQL_BATCH_END, 1, (int64_t)batch);
    stile__sql_int(s, SQL_BATCH_END, 2, now);
    stile__sql_run(s, SQL_BATCH_END);
    if (s->failed == STILE_OK && stile__sql_changes(s) == 0) {
        stile__sql_fail(s, STILE_NOT_FOUND);
    }
    return stile__sql_commit(s);
}
