/* Two versions of a set on one sample: which output paths differ. */
#include "map_private.h"

#define PATH_MAX_LEN 512u

struct tally {
    struct stile_str mapping, path; /* path "-> x -> y" for an outcome */
    uint64_t changed, added, removed;
    struct tally *next;
};

struct counted {
    struct stile_str mapping;
    uint64_t rows, differ;
    struct counted *next;
};

struct stile_map_diff {
    const struct stile_mapset *before, *after;
    struct stile_arena *arena;
    struct tally *tallies, **tallies_tail;
    struct counted *mappings, **mappings_tail;
    uint64_t rows;
    /* the row at hand */
    struct stile_str mapping;
    bool differs;
};

struct stile_map_diff *stile_map_diff_new(const struct stile_mapset *before,
                                          const struct stile_mapset *after,
                                          struct stile_arena *arena)
{
    struct stile_map_diff *d = stile_arena_alloc(arena, sizeof *d);
    if (d != NULL) {
        *d = (struct stile_map_diff){
            .before = before, .after = after, .arena = arena};
        d->tallies_tail = &d->tallies;
        d->mappings_tail = &d->mappings;
    }
    return d;
}

static struct tally *tally_of(struct stile_map_diff *d, struct stile_str path)
{
    d->differs = true;
    for (struct tally *t = d->tallies; t != NULL; t = t->next) {
        if (stile_str_eq(t->path, path) &&
            stile_str_eq(t->mapping, d->mapping)) {
            return t;
        }
    }
    struct tally *t = stile_arena_alloc(d->arena, sizeof *t);
    if (t != NULL) {
        *t = (struct tally){.mapping = d->mapping,
                            .path = stile_arena_str(d->arena, path)};
        *d->tallies_tail = t;
        d->tallies_tail = &t->next;
    }
    return t;
}

/* ---- two resources ---- */

struct at {
    char text[PATH_MAX_LEN];
    size_t len;
};

/* Longer paths are cut: they tally together. */
static size_t enter(struct at *at, struct stile_str name)
{
    size_t before = at->len;
    bool dot = before > 0 && name.len > 0 && name.ptr[0] != '[';
    if (before + name.len + 1 <= PATH_MAX_LEN) {
        if (dot) {
            at->text[at->len++] = '.';
        }
        memcpy(at->text + at->len, name.ptr, name.len);
        at->len += name.len;
    }
    return before;
}

static bool scalar(const struct stile_value *v)
{
    return v->kind != STILE_OBJECT && v->kind != STILE_ARRAY;
}

static void compare(struct stile_map_diff *d, struct at *at,
                    const struct stile_value *a, const struct stile_value *b);

static void children(struct stile_map_diff *d, struct at *at,
                     const struct stile_value *a, const struct stile_value *b)
{
    bool list = (a != NULL ? a : b)->kind == STILE_ARRAY;
    const struct stile_value *of = a != NULL ? a->first : NULL;
    const struct stile_value *other = b != NULL ? b->first : NULL;
    for (; of != NULL; of = of->next) {
        const struct stile_value *with = list ? other
                                         : b != NULL
                                             ? stile_value_get(b, of->name)
                                             : NULL;
        size_t mark = enter(at, list ? STILE_STR("[]") : of->name);
        compare(d, at, of, with);
        at->len = mark;
        other = list && other != NULL ? other->next : other;
    }
    for (; other != NULL; other = other->next) {
        if (list || a == NULL || stile_value_get(a, other->name) == NULL) {
            size_t mark = enter(at, list ? STILE_STR("[]") : other->name);
            compare(d, at, NULL, other);
            at->len = mark;
        }
    }
}

static void compare(struct stile_map_diff *d, struct at *at,
                    const struct stile_value *a, const struct stile_value *b)
{
    if (a != NULL && b != NULL && a->kind != b->kind) {
        compare(d, at, a, NULL);
        compare(d, at, NULL, b);
        return;
    }
    if (!scalar(a != NULL ? a : b)) {
        children(d, at, a, b);
        return;
    }
    if (a != NULL && b != NULL && stile_value_equal(a, b)) {
        return;
    }
    struct tally *t = tally_of(d, (struct stile_str){at->text, at->len});
    if (t != NULL) {
        t->changed += a != NULL && b != NULL ? 1 : 0;
        t->added += a == NULL ? 1 : 0;
        t->removed += b == NULL ? 1 : 0;
    }
}

/* ---- one row ---- */

struct outcome {
    const char *name;
    struct stile_value *resource;
};

/* The row as the set's own schema knows it: a version is told by its columns'
 * names as they stand there. */
static struct stile_row as_of(const struct stile_mapset *set,
                              const struct stile_row *row,
                              struct stile_str family, struct stile_str version)
{
    struct stile_row own = *row;
    const struct stile_table *t =
        stile_schema_table(set->schema, family, version, row->table);
    bool same = t != NULL && t->count == row->count;
    for (size_t i = 0; same && i < row->count; i++) {
        same = stile_str_eq(t->column_names[i], row->columns[i]);
    }
    if (same) {
        own.columns = t->column_names;
    }
    return own;
}

static enum stile_status run(const struct stile_mapping *m,
                             const struct stile_row *row,
                             const struct stile_map_env *env,
                             struct stile_arena *scratch, struct outcome *ret)
{
    static const char *const ends[] = {"done", "deleted", "held", "failed",
                                       "in need of rows"};
    struct stile_diags diags;
    struct stile_map_result result = {.kind = STILE_MAP_DONE};
    struct stile__right_run right = {.variant = stile__variant_of(m, row),
                                     .row = row,
                                     .env = env,
                                     .arena = scratch,
                                     .diags = &diags};
    stile_diags_init(&diags, scratch, 8);
    enum stile_status status = stile__run_right(&right, &result);
    if (status == STILE_END) {
        *ret = (struct outcome){"not taken", NULL};
        return STILE_OK;
    }
    if (status == STILE_OK) {
        *ret = (struct outcome){ends[result.kind], result.resource};
    }
    return status;
}

static struct counted *counted_of(struct stile_map_diff *d)
{
    for (struct counted *c = d->mappings; c != NULL; c = c->next) {
        if (stile_str_eq(c->mapping, d->mapping)) {
            return c;
        }
    }
    struct counted *c = stile_arena_alloc(d->arena, sizeof *c);
    if (c != NULL) {
        *c = (struct counted){.mapping = d->mapping};
        *d->mappings_tail = c;
        d->mappings_tail = &c->next;
    }
    return c;
}

static void count(struct stile_map_diff *d, const struct outcome *a,
                  const struct outcome *b)
{
    struct counted *c = counted_of(d);
    struct at at = {.len = 0};
    d->differs = false;
    if (strcmp(a->name, b->name) != 0) {
        struct stile_str path =
            stile_arena_printf(d->arena, "%s -> %s", a->name, b->name);
        struct tally *t = tally_of(d, path);
        if (t != NULL) {
            t->changed++;
        }
    } else if (a->resource != NULL && b->resource != NULL) {
        compare(d, &at, a->resource, b->resource);
    }
    if (c != NULL) {
        c->rows++;
        c->differ += d->differs ? 1 : 0;
    }
}

static bool reads(const struct stile_mapping *m, const struct stile_row *row,
                  struct stile_str family)
{
    return m != NULL && stile_str_eq(m->tree->family.text, family) &&
           stile_str_eq(m->tree->table.text, row->table);
}

static enum stile_status
one_mapping(struct stile_map_diff *d, const struct stile_mapping *a,
            const struct stile_mapping *b, const struct stile_row rows[2],
            const struct stile_map_env *env, struct stile_arena *scratch)
{
    struct outcome before = {"no mapping", NULL}, after = before;
    enum stile_status status = STILE_OK;
    d->mapping = (a != NULL ? a : b)->tree->name.text;
    if (a != NULL) {
        status = run(a, &rows[0], env, scratch, &before);
    }
    if (b != NULL && status == STILE_OK) {
        status = run(b, &rows[1], env, scratch, &after);
    }
    if (status == STILE_OK) {
        count(d, &before, &after);
    }
    return status;
}

enum stile_status
stile_map_diff_add(struct stile_map_diff *d, const struct stile_row *row,
                   struct stile_str family, struct stile_str version,
                   const struct stile_map_env *env, struct stile_arena *scratch)
{
    const struct stile_row rows[2] = {as_of(d->before, row, family, version),
                                      as_of(d->after, row, family, version)};
    enum stile_status status = STILE_OK;
    d->rows++;
    for (uint32_t i = 0; i < d->before->count && status == STILE_OK; i++) {
        const struct stile_mapping *a = &d->before->mappings[i];
        const struct stile_mapping *b =
            stile__mapset_find(d->after, a->tree->name.text);
        if (reads(a, row, family)) {
            status = one_mapping(d, a, reads(b, row, family) ? b : NULL, rows,
                                 env, scratch);
        }
    }
    for (uint32_t i = 0; i < d->after->count && status == STILE_OK; i++) {
        const struct stile_mapping *b = &d->after->mappings[i];
        const struct stile_mapping *a =
            stile__mapset_find(d->before, b->tree->name.text);
        if (reads(b, row, family) && !reads(a, row, family)) {
            status = one_mapping(d, NULL, b, rows, env, scratch);
        }
    }
    return stile_arena_failed(d->arena) ? STILE_NOMEM : status;
}

/* ---- printing ---- */

static void print_mapping(const struct stile_map_diff *d,
                          const struct counted *c, struct stile_buf *out)
{
    stile_buf_printf(out, "%.*s: %llu of %llu rows differ\n",
                     STILE_FMT(c->mapping), (unsigned long long)c->differ,
                     (unsigned long long)c->rows);
    for (const struct tally *t = d->tallies; t != NULL; t = t->next) {
        if (!stile_str_eq(t->mapping, c->mapping)) {
            continue;
        }
        stile_buf_printf(out, "  %-48.*s", STILE_FMT(t->path));
        const struct {
            uint64_t n;
            const char *what;
        } parts[] = {{t->changed, "changed"},
                     {t->added, "added"},
                     {t->removed, "removed"}};
        const char *between = " ";
        for (size_t i = 0; i < 3; i++) {
            if (parts[i].n > 0) {
                stile_buf_printf(out, "%s%llu %s", between,
                                 (unsigned long long)parts[i].n, parts[i].what);
                between = ", ";
            }
        }
        stile_buf_byte(out, '\n');
    }
}

void stile_map_diff_print(const struct stile_map_diff *d, struct stile_buf *out)
{
    size_t differ = 0;
    for (const struct counted *c = d->mappings; c != NULL; c = c->next) {
        if (c->differ > 0) {
            print_mapping(d, c, out);
            differ++;
        }
    }
    stile_buf_printf(out,
                     "%llu rows, %zu mappings make something else of them\n",
                     (unsigned long long)d->rows, differ);
}
