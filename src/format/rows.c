/* Rows as the makers share them. */
#include "format_private.h"

bool stile__rows_add(struct stile__rows *rows, struct stile_row row)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 64 : rows->capacity * 2;
        struct stile_row *items =
            realloc(rows->items, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        rows->items = items;
        rows->capacity = capacity;
    }
    rows->items[rows->count++] = row;
    return true;
}

enum stile_status stile__rows_done(struct stile__rows *rows,
                                   struct stile_arena *arena,
                                   struct stile_decoded *ret)
{
    struct stile_row *kept =
        stile_arena_array(arena, rows->count, sizeof *kept);
    if (kept != NULL) {
        if (rows->count > 0) {
            memcpy(kept, rows->items, rows->count * sizeof *kept);
        }
        ret->rows = kept;
        ret->row_count = rows->count;
    }
    free(rows->items);
    *rows = (struct stile__rows){0};
    return kept != NULL ? STILE_OK : STILE_NOMEM;
}

struct stile_str stile__trim(struct stile_str s)
{
    const struct stile_str gap = STILE_STR("\xc2\xa0"); /* U+00A0 */
    for (;;) {
        s = stile_str_trim(s);
        if (stile_str_starts(s, gap)) {
            s = stile_str_sub(s, gap.len, s.len - gap.len);
        } else if (stile_str_ends(s, gap)) {
            s = stile_str_sub(s, 0, s.len - gap.len);
        } else {
            return s;
        }
    }
}

int stile__row_cmp(const struct stile_row *a, const struct stile_row *b)
{
    int order = stile_str_cmp(a->table, b->table);
    if (order == 0 && a->count != b->count) {
        order = a->count < b->count ? -1 : 1;
    }
    for (size_t i = 0; order == 0 && i < a->count; i++) {
        order = stile_str_cmp(a->cells[i], b->cells[i]);
        /* Beyond the table's own columns the names can differ. */
        if (order == 0 && a->columns != b->columns) {
            order = stile_str_cmp(a->columns[i], b->columns[i]);
        }
    }
    return order;
}

/* Equal rows stand in the order they came. */
static int by_content(const void *x, const void *y)
{
    const struct stile_row *const *a = x;
    const struct stile_row *const *b = y;
    int order = stile__row_cmp(*a, *b);
    if (order != 0) {
        return order;
    }
    return *a < *b ? -1 : 1;
}

enum stile_status stile__rows_twice(const struct stile_row *rows, size_t count,
                                    bool *dup)
{
    const struct stile_row **sorted =
        calloc(count + 1, sizeof(const struct stile_row *));
    if (sorted == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &rows[i];
    }
    qsort(sorted, count, sizeof(const struct stile_row *), by_content);
    for (size_t i = 1; i < count; i++) {
        if (stile__row_cmp(sorted[i - 1], sorted[i]) == 0) {
            dup[sorted[i] - rows] = true;
        }
    }
    free(sorted);
    return STILE_OK;
}
