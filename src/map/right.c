/* A row through every mapping of its table. */
#include "render.h"

/* The next mapping of the row's table from `at` on; the count at the end. */
static uint32_t next_of(const struct stile_mapset *set, struct stile_str family,
                        const struct stile_row *row, uint32_t at)
{
    /* The lengths first: a call for each of a set's mappings shows. */
    while (at < set->count &&
           !(set->left_tables[at].len == row->table.len &&
             stile_str_eq(set->left_tables[at], row->table) &&
             stile_str_eq(set->mappings[at].tree->family.text, family))) {
        at++;
    }
    return at;
}

/* One mapping on one row; END when it does not take it. */
typedef enum stile_status one_fn(const struct stile__right_run *run,
                                 struct stile_buf *buf,
                                 struct stile_map_result *ret);

static enum stile_status
each_right(const struct stile_mapset *set, struct stile_str family,
           struct stile__right_run *run, one_fn *one, struct stile_buf *buf,
           struct stile_map_result **ret, size_t *ret_count)
{
    uint32_t first = next_of(set, family, run->row, 0);
    size_t most = 0, count = 0;
    for (uint32_t i = first; i < set->count;
         i = next_of(set, family, run->row, i + 1)) {
        most++;
    }
    struct stile_map_result *results =
        stile_arena_array(run->arena, most, sizeof *results);
    if (results == NULL) {
        return STILE_NOMEM;
    }
    for (uint32_t i = first; most > 0; most--) {
        run->variant = stile__variant_of(&set->mappings[i], run->row);
        enum stile_status status = one(run, buf, &results[count]);
        if (status == STILE_OK) {
            count++;
        } else if (status != STILE_END) {
            return status;
        }
        i = most > 1 ? next_of(set, family, run->row, i + 1) : i;
    }
    *ret = results;
    *ret_count = count;
    return STILE_OK;
}

static enum stile_status one_tree(const struct stile__right_run *run,
                                  struct stile_buf *buf,
                                  struct stile_map_result *ret)
{
    (void)buf;
    return stile__run_right(run, ret);
}

enum stile_status
stile_map_right(const struct stile_mapset *set, const struct stile_row *row,
                struct stile_str family, const struct stile_map_env *env,
                struct stile_arena *arena, struct stile_diags *diags,
                struct stile_map_result **ret, size_t *ret_count)
{
    struct stile__right_run run = {
        .row = row, .env = env, .arena = arena, .diags = diags};
    return each_right(set, family, &run, one_tree, NULL, ret, ret_count);
}

static enum stile_status one_text(const struct stile__right_run *run,
                                  struct stile_buf *buf,
                                  struct stile_map_result *ret)
{
    struct stile__render_run text = {
        .right = run, .buf = buf, .ret_id = &ret->id};
    size_t before = buf->len;
    if (run->variant->render != NULL && stile__render_row(&text)) {
        /* The arena's memory is zero already; clearing it again shows. */
        ret->kind = STILE_MAP_DONE;
        ret->mapping = run->variant->mapping;
        ret->type = stile_fhir_type_name(run->variant->mapping->type);
    } else {
        enum stile_status status = stile__run_right(run, ret);
        if (status != STILE_OK || ret->kind != STILE_MAP_DONE) {
            return status;
        }
        stile_value_json(ret->resource, 0, buf);
    }
    ret->json_at = before;
    ret->json_len = buf->len - before;
    stile_buf_byte(buf, '\n');
    return buf->status;
}

enum stile_status
stile_map_render(const struct stile_mapset *set, const struct stile_row *row,
                 struct stile_str family, const struct stile_map_env *env,
                 struct stile_arena *arena, struct stile_diags *diags,
                 struct stile_buf *buf, struct stile_map_result **ret,
                 size_t *ret_count)
{
    struct stile__right_run run = {
        .row = row, .env = env, .arena = arena, .diags = diags};
    size_t before = buf->len;
    enum stile_status status =
        each_right(set, family, &run, one_text, buf, ret, ret_count);
    if (status != STILE_OK) {
        stile_buf_cut(buf, before);
    }
    return status;
}

bool stile_mapping_renders(const struct stile_mapping *mapping)
{
    bool all = true;
    for (uint32_t i = 0; i < mapping->variant_count; i++) {
        all = all && mapping->variants[i].render != NULL;
    }
    return all;
}

enum stile_status
stile_map_explain(const struct stile_mapset *set, const struct stile_row *row,
                  struct stile_str family, const struct stile_map_env *env,
                  bool show_values, struct stile_arena *arena,
                  struct stile_diags *diags, struct stile_buf *out)
{
    static const char *const ends[] = {"done", "deleted", "held", "failed",
                                       "more rows are needed"};
    struct stile__trace trace = {.out = out, .values = show_values};
    for (uint32_t i = next_of(set, family, row, 0); i < set->count;
         i = next_of(set, family, row, i + 1)) {
        const struct stile_mapping *m = &set->mappings[i];
        struct stile_map_result result = {.kind = STILE_MAP_DONE};
        struct stile__right_run run = {.variant = stile__variant_of(m, row),
                                       .row = row,
                                       .env = env,
                                       .arena = arena,
                                       .diags = diags,
                                       .trace = &trace};
        stile_buf_printf(out, "%.*s %u (%.*s), %.*s row %llu\n",
                         STILE_FMT(m->tree->name.text), m->tree->number,
                         STILE_FMT(m->tree->source->name),
                         STILE_FMT(row->table),
                         (unsigned long long)row->number);
        enum stile_status status = stile__run_right(&run, &result);
        if (status != STILE_OK && status != STILE_END) {
            return status;
        }
        stile_buf_printf(out, "  => %s",
                         status == STILE_OK    ? ends[result.kind]
                         : trace.first != NULL ? "in the group of row "
                                               : "not taken");
        if (trace.first != NULL) {
            stile_buf_printf(out, "%llu",
                             (unsigned long long)trace.first->number);
            trace.first = NULL;
        }
        if (status == STILE_OK && result.missing.len > 0) {
            stile_buf_printf(out, ", waits for %.*s: %.*s",
                             STILE_FMT(result.missing),
                             STILE_FMT(result.reason));
        }
        stile_buf_byte(out, '\n');
    }
    return out->status;
}
