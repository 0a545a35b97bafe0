/* The golden tables, code tables and mappings, loaded for a test. */
#ifndef STILE_TESTS_MAP_WORLD_H
#define STILE_TESTS_MAP_WORLD_H

#include <criterion/criterion.h>

#include "map_private.h"

#define WORLD_SOURCES 8

struct world {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_schema *schema;
    struct stile_source maps[WORLD_SOURCES], codes[WORLD_SOURCES];
    size_t map_count, code_count;
    struct stile_mapset *set;
};

/* False when there is no such file. */
static inline bool world_read(struct world *w, const char *name,
                              struct stile_source *ret)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/map/%s", STILE_SOURCE_DIR,
             name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    char *text = stile_arena_alloc(w->arena, 1 << 16);
    cr_assert_not_null(text);
    size_t n = fread(text, 1, 1 << 16, f);
    fclose(f);
    cr_assert_lt(n, 1 << 16);
    *ret = (struct stile_source){
        stile_arena_str(w->arena, stile_str_cstr(name)), {text, n}};
    return true;
}

static inline void world_start(struct world *w)
{
    static const char *const tables[] = {"clinic-1.tables", "clinic-2.tables"};
    *w = (struct world){.arena = stile_arena_new(64u << 20)};
    cr_assert_not_null(w->arena);
    stile_diags_init(&w->diags, w->arena, 0);
    w->schema = stile_schema_new(w->arena);
    for (size_t i = 0; i < 2; i++) {
        struct stile_source source;
        cr_assert(world_read(w, tables[i], &source));
        cr_assert_eq(stile_schema_add(w->schema, &source, &w->diags), STILE_OK);
    }
    struct stile_source profiles;
    cr_assert(world_read(w, "clinic.profiles", &profiles));
    cr_assert_eq(stile_schema_add_profiles(w->schema, &profiles, &w->diags),
                 STILE_OK);
    cr_assert(world_read(w, "sex.csv", &w->codes[0]));
    w->code_count = 1;
}

static inline void world_map(struct world *w, const char *name,
                             const char *text)
{
    cr_assert_lt(w->map_count, WORLD_SOURCES);
    w->maps[w->map_count++] =
        (struct stile_source){stile_str_cstr(name), stile_str_cstr(text)};
}

static inline enum stile_status world_compile(struct world *w)
{
    return stile_mapset_compile(w->schema, w->maps, w->map_count, w->codes,
                                w->code_count, w->arena, &w->diags, &w->set);
}

static inline void world_good(struct world *w)
{
    struct stile_buf out;
    enum stile_status status = world_compile(w);
    stile_buf_init(&out, 1 << 20);
    stile_diags_print(&w->diags, false, &out);
    cr_assert_eq(status, STILE_OK, "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
}

static inline void world_end(struct world *w)
{
    stile_arena_free(&w->arena);
}

/* A row from column, value, ..., NULL. */
static inline struct stile_row world_row(struct world *w, const char *table,
                                         const char *const *cells)
{
    const struct stile_table *t = stile_schema_table(
        w->schema, STILE_STR("clinic"), STILE_STR("1"), stile_str_cstr(table));
    cr_assert_not_null(t, "%s", table);
    struct stile_str *to = stile_arena_array(w->arena, t->count, sizeof *to);
    for (; *cells != NULL; cells += 2) {
        uint32_t at = stile_table_column(t, stile_str_cstr(cells[0]));
        cr_assert_neq(at, UINT32_MAX, "%s", cells[0]);
        to[at] = stile_str_cstr(cells[1]);
    }
    return (struct stile_row){.table = t->name,
                              .columns = t->column_names,
                              .cells = to,
                              .count = t->count,
                              .number = 7,
                              .file = STILE_STR("rows.csv")};
}

static inline struct stile_map_result world_right(struct world *w,
                                                  const struct stile_row *row,
                                                  struct stile_map_env *env)
{
    struct stile_map_result *results = NULL;
    size_t count = 0;
    cr_assert_eq(stile_map_right(w->set, row, STILE_STR("clinic"), env,
                                 w->arena, &w->diags, &results, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    return results[0];
}

static inline bool world_has(const struct world *w, const char *code)
{
    for (size_t i = 0; i < w->diags.count; i++) {
        if (strcmp(w->diags.items[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

#endif
