/* Rows by some of their columns, from an array: what a group is asked of. */
#include "map_private.h"

#include <stdlib.h>

struct entry {
    struct stile_str key;
    size_t place;
};

/* Rows of one table, ordered by the cells of some columns. */
struct order {
    struct stile_str table;
    const struct stile_str *columns;
    size_t column_count;
    struct entry *entries;
    const struct stile_row **rows;
    size_t count;
    struct order *next;
};

struct stile_map_rows {
    struct stile_arena *arena;
    const struct stile_row **rows;
    size_t count, most;
    struct order *orders;
};

struct stile_map_rows *stile_map_rows_new(size_t most,
                                          struct stile_arena *arena)
{
    struct stile_map_rows *r = stile_arena_alloc(arena, sizeof *r);
    if (r != NULL) {
        *r = (struct stile_map_rows){.arena = arena, .most = most};
        r->rows = stile_arena_array(arena, most, sizeof *r->rows);
    }
    return r != NULL && r->rows != NULL ? r : NULL;
}

void stile_map_rows_add(struct stile_map_rows *rows,
                        const struct stile_row *row)
{
    STILE_ASSERT(rows->count < rows->most && rows->orders == NULL);
    rows->rows[rows->count++] = row;
}

/* No cell holds U+001F: it is a control character of the separators' kind, and
 * a row in which it stood would only be put into a group of its own. */
static struct stile_str joined(struct stile_arena *arena,
                               const struct stile_str *cells, size_t count)
{
    size_t len = count;
    for (size_t i = 0; i < count; i++) {
        len += cells[i].len;
    }
    char *to = stile_arena_alloc(arena, len);
    size_t at = 0;
    for (size_t i = 0; to != NULL && i < count; i++) {
        if (cells[i].len > 0) {
            memcpy(to + at, cells[i].ptr, cells[i].len);
        }
        at += cells[i].len;
        to[at++] = '\x1f';
    }
    return (struct stile_str){to, to != NULL ? at : 0};
}

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int c = stile_str_cmp(x->key, y->key);
    return c != 0 ? c : x->place < y->place ? -1 : x->place > y->place;
}

static bool is_order(const struct order *o, const struct stile_map_ask *ask)
{
    bool same =
        o->column_count == ask->count && stile_str_eq(o->table, ask->table);
    for (size_t i = 0; same && i < ask->count; i++) {
        same = stile_str_eq(o->columns[i], ask->columns[i]);
    }
    return same;
}

static bool fill(struct stile_map_rows *r, struct order *o)
{
    struct stile_str cells[STILE__CELLS];
    o->entries = stile_arena_array(r->arena, r->count, sizeof *o->entries);
    o->rows = stile_arena_array(r->arena, r->count, sizeof *o->rows);
    if (o->entries == NULL || o->rows == NULL) {
        return false;
    }
    for (size_t i = 0; i < r->count; i++) {
        if (!stile_str_eq(r->rows[i]->table, o->table)) {
            continue;
        }
        for (size_t c = 0; c < o->column_count; c++) {
            cells[c] = stile_row_get(r->rows[i], o->columns[c]);
        }
        o->entries[o->count++] =
            (struct entry){joined(r->arena, cells, o->column_count), i};
    }
    qsort(o->entries, o->count, sizeof *o->entries, by_key);
    for (size_t i = 0; i < o->count; i++) {
        o->rows[i] = r->rows[o->entries[i].place];
    }
    return !stile_arena_failed(r->arena);
}

static struct order *order_of(struct stile_map_rows *r,
                              const struct stile_map_ask *ask)
{
    for (struct order *o = r->orders; o != NULL; o = o->next) {
        if (is_order(o, ask)) {
            return o;
        }
    }
    struct order *o = stile_arena_alloc(r->arena, sizeof *o);
    struct stile_str *columns =
        stile_arena_array(r->arena, ask->count, sizeof *columns);
    if (o == NULL || columns == NULL) {
        return NULL;
    }
    memcpy(columns, ask->columns, ask->count * sizeof *columns);
    *o = (struct order){.table = ask->table,
                        .columns = columns,
                        .column_count = ask->count,
                        .next = r->orders};
    if (!fill(r, o)) {
        return NULL;
    }
    r->orders = o;
    return o;
}

enum stile_status stile_map_rows_ask(struct stile_map_rows *rows,
                                     const struct stile_map_ask *ask,
                                     const struct stile_row *const **ret,
                                     size_t *ret_count)
{
    if (ask->count == 0 || ask->count > STILE__CELLS) {
        return STILE_INVALID;
    }
    const struct order *o = order_of(rows, ask);
    struct stile_str key = joined(rows->arena, ask->keys, ask->count);
    if (o == NULL || key.ptr == NULL) {
        return STILE_NOMEM;
    }
    size_t from = 0, to = o->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (stile_str_cmp(o->entries[middle].key, key) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    size_t end = from;
    while (end < o->count && stile_str_eq(o->entries[end].key, key)) {
        end++;
    }
    *ret = o->rows + from;
    *ret_count = end - from;
    return STILE_OK;
}
