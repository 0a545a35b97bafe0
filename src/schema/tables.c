/* The loaded table families: look-ups, and the binding of a file's header. */
#include "schema_private.h"

struct stile_schema *stile_schema_new(struct stile_arena *arena)
{
    struct stile_schema *schema = stile_arena_alloc(arena, sizeof *schema);
    if (schema != NULL) {
        schema->arena = arena;
    }
    return schema;
}

int stile__version_cmp(struct stile_str a, struct stile_str b)
{
    struct stile_str one = STILE_STR_NULL;
    struct stile_str two = STILE_STR_NULL;
    for (;;) {
        bool more_a = stile_str_next(&a, '.', &one);
        bool more_b = stile_str_next(&b, '.', &two);
        int64_t m = 0;
        int64_t n = 0;
        if (!more_a || !more_b) {
            return (int)more_a - (int)more_b;
        }
        if (!stile_str_to_int64(one, &m) || !stile_str_to_int64(two, &n)) {
            int order = stile_str_cmp(one, two);
            if (order != 0) {
                return order;
            }
        } else if (m != n) {
            return m < n ? -1 : 1;
        }
    }
}

const struct stile_table *stile_schema_table(const struct stile_schema *schema,
                                             struct stile_str family,
                                             struct stile_str version,
                                             struct stile_str name)
{
    const struct stile_table *best = NULL;
    for (size_t i = 0; i < schema->count; i++) {
        const struct stile_table *t = schema->tables[i];
        if (!stile_str_eq_nocase(t->name, name) ||
            !stile_str_eq(t->family, family) ||
            (version.len > 0 && !stile_str_eq(t->version, version))) {
            continue;
        }
        if (best == NULL || stile__version_cmp(t->version, best->version) > 0) {
            best = t;
        }
    }
    return best;
}

size_t stile_schema_count(const struct stile_schema *schema)
{
    return schema->count;
}

const struct stile_table *stile_schema_at(const struct stile_schema *schema,
                                          size_t i)
{
    return i < schema->count ? schema->tables[i] : NULL;
}

uint32_t stile_table_column(const struct stile_table *table,
                            struct stile_str name)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct stile_column *c = &table->columns[i];
        if (stile_str_eq_nocase(c->name, name)) {
            return (uint32_t)i;
        }
        for (size_t k = 0; k < c->alias_count; k++) {
            if (stile_str_eq_nocase(c->aliases[k], name)) {
                return (uint32_t)i;
            }
        }
    }
    return UINT32_MAX;
}

struct stile_str stile_schema_dialect(const struct stile_schema *schema,
                                      struct stile_str family,
                                      struct stile_str version, const char *key)
{
    const struct stile__family *best = NULL;
    for (const struct stile__family *f = schema->families; f != NULL;
         f = f->next) {
        if (stile_str_eq(f->name, family) &&
            (version.len == 0 || stile_str_eq(f->version, version)) &&
            (best == NULL ||
             stile__version_cmp(f->version, best->version) > 0)) {
            best = f;
        }
    }
    for (size_t i = 0; best != NULL && i < best->count; i++) {
        if (stile_str_eqc(best->keys[i], key)) {
            return best->values[i];
        }
    }
    return STILE_STR("");
}

struct fit {
    size_t unknown, missing;
};

static bool in_header(const struct stile_table *table, uint32_t ordinal,
                      const struct stile_str *header, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (stile_table_column(table, header[i]) == ordinal) {
            return true;
        }
    }
    return false;
}

static struct fit fit_of(const struct stile_table *table,
                         const struct stile_str *header, size_t count)
{
    struct fit fit = {0, 0};
    for (size_t i = 0; i < count; i++) {
        if (stile_table_column(table, header[i]) == UINT32_MAX) {
            fit.unknown++;
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        if (!table->columns[i].optional &&
            !in_header(table, (uint32_t)i, header, count)) {
            fit.missing++;
        }
    }
    return fit;
}

static bool better(struct fit a, const struct stile_table *x, struct fit b,
                   const struct stile_table *y)
{
    if (a.unknown != b.unknown) {
        return a.unknown < b.unknown;
    }
    if (a.missing != b.missing) {
        return a.missing < b.missing;
    }
    return stile__version_cmp(x->version, y->version) > 0;
}

static const struct stile_table *
best_table(const struct stile_schema *schema, struct stile_str family,
           struct stile_str name, const struct stile_str *header, size_t count)
{
    const struct stile_table *best = NULL;
    struct fit best_fit = {0, 0};
    for (size_t i = 0; i < schema->count; i++) {
        const struct stile_table *t = schema->tables[i];
        if (!stile_str_eq(t->family, family) ||
            !stile_str_eq_nocase(t->name, name)) {
            continue;
        }
        struct fit fit = fit_of(t, header, count);
        if (best == NULL || better(fit, t, best_fit, best)) {
            best = t;
            best_fit = fit;
        }
    }
    return best;
}

/* A file without a header has a person's values where the names should be, so
 * a cell that is no column's name is told by its number only. */
static struct stile_str shown(size_t i, char out[32])
{
    int n = snprintf(out, 32, "column %zu", i + 1);
    return (struct stile_str){out, n > 0 && n < 32 ? (size_t)n : 0};
}

/* Letters and digits alone: "Person Ref" is person_ref, written by hand. */
static bool reads_as(struct stile_str a, struct stile_str b)
{
    const struct stile_str gaps = STILE_STR(" _-.");
    size_t i = 0;
    size_t k = 0;
    for (;;) {
        while (i < a.len && stile_str_find(gaps, a.ptr[i]) != SIZE_MAX) {
            i++;
        }
        while (k < b.len && stile_str_find(gaps, b.ptr[k]) != SIZE_MAX) {
            k++;
        }
        if (i == a.len || k == b.len) {
            return i == a.len && k == b.len;
        }
        if (!stile_str_eq_nocase(stile_str_sub(a, i++, 1),
                                 stile_str_sub(b, k++, 1))) {
            return false;
        }
    }
}

/* Says the column's name only, not what stands in the cell. A name that is
 * but near is looked for where some column is known, so that the row is a
 * header and no person's. */
static void suggest(const struct stile_table *table, struct stile_str cell,
                    bool header, struct stile_diags *diags,
                    struct stile_diag *diag)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct stile_str *name = &table->columns[i].name;
        if (reads_as(*name, cell)) {
            stile_diag_suggest(diags, diag, *name, name, 1);
            return;
        }
    }
    if (header) {
        stile_diag_suggest(diags, diag, cell, table->column_names,
                           table->count);
    }
}

static bool report_missing(const struct stile_table *table,
                           const struct stile_str *header, size_t count,
                           struct stile_str file, struct stile_diags *diags)
{
    bool ok = true;
    for (size_t i = 0; i < table->count; i++) {
        const struct stile_column *c = &table->columns[i];
        if (in_header(table, (uint32_t)i, header, count)) {
            continue;
        }
        if (c->key) {
            ok = false;
            stile_diag_at_record(diags, "D102", STILE_ERROR, file, 0, c->name,
                                 "send the file with this key column; rows "
                                 "cannot be told apart without it");
        } else if (c->sensitive && !c->optional && c->type == STILE_COL_BOOL) {
            /* A mark that is not sent would be read as one that is not set. */
            ok = false;
            stile_diag_at_record(diags, "D106", STILE_ERROR, file, 0, c->name,
                                 "send the file with this column: it may hold "
                                 "what must not be passed on");
        } else if (!c->optional) {
            stile_diag_at_record(diags, "D105", STILE_NOTE, file, 0, c->name,
                                 "the header lacks this column; it is read "
                                 "as not known");
        }
    }
    return ok;
}

enum stile_status
stile_schema_bind(const struct stile_schema *schema, struct stile_str family,
                  struct stile_str table_name, const struct stile_str *header,
                  size_t count, struct stile_arena *arena,
                  struct stile_str file, struct stile_diags *diags,
                  const struct stile_table **ret_table, uint32_t **ret_ordinals)
{
    const struct stile_table *table =
        best_table(schema, family, table_name, header, count);
    if (table == NULL) {
        stile_diag_at_record(diags, "D104", STILE_ERROR, file, 0,
                             STILE_STR_NULL,
                             "no table of this name is loaded; check the "
                             "file's name or add a .tables file");
        return STILE_NOT_FOUND;
    }
    uint32_t *ordinals = stile_arena_array(arena, count, sizeof *ordinals);
    bool *seen = stile_arena_array(arena, table->count, sizeof *seen);
    if (ordinals == NULL || seen == NULL) {
        return STILE_NOMEM;
    }
    const bool known = fit_of(table, header, count).unknown < count;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        struct stile_diag *diag = NULL;
        char number[32];
        ordinals[i] = stile_table_column(table, header[i]);
        if (ordinals[i] == UINT32_MAX) {
            diag = stile_diag_at_record(
                diags, "D101", STILE_WARNING, file, 0, shown(i, number),
                "this column is not known; it is kept but no mapping "
                "reads it");
            suggest(table, header[i], known, diags, diag);
        } else if (seen[ordinals[i]]) {
            ok = false;
            diag = stile_diag_at_record(diags, "D103", STILE_ERROR, file, 0,
                                        table->columns[ordinals[i]].name,
                                        "name each column once in the header");
        } else {
            seen[ordinals[i]] = true;
        }
        if (diag != NULL) {
            diag->column = (uint32_t)(i + 1);
        }
    }
    ok = report_missing(table, header, count, file, diags) && ok;
    if (!ok) {
        return STILE_INVALID;
    }
    *ret_table = table;
    *ret_ordinals = ordinals;
    return STILE_OK;
}
