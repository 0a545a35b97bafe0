/* Examples run when the mapping is compiled, both ways. */
#include "map_private.h"

#define EXAMPLE_ROWS 32u
#define EXAMPLE_BYTES ((size_t)8 << 20)

struct run {
    struct stile__cc cc;
    const struct stile__variant *v;
    const struct stile_lang_example *ex;
    struct stile_row rows[EXAMPLE_ROWS];
    size_t count;
    bool *ran; /* the variant's branches */
};

static enum stile_status find_row(void *ctx, struct stile_str family,
                                  struct stile_str table,
                                  struct stile_str column, struct stile_str key,
                                  const struct stile_row **ret)
{
    struct run *run = ctx;
    (void)family;
    for (size_t i = 1; i < run->count; i++) {
        if (stile_str_eq(run->rows[i].table, table) &&
            stile_str_eq(stile_row_get(&run->rows[i], column), key)) {
            *ret = &run->rows[i];
            return STILE_OK;
        }
    }
    return STILE_NOT_FOUND;
}

static enum stile_status find_rows(void *ctx, const struct stile_map_ask *ask,
                                   const struct stile_row *const **ret,
                                   size_t *ret_count)
{
    struct run *run = ctx;
    struct stile_map_rows *rows = stile_map_rows_new(run->count, run->cc.arena);
    for (size_t i = 0; rows != NULL && i < run->count; i++) {
        stile_map_rows_add(rows, &run->rows[i]);
    }
    return rows != NULL ? stile_map_rows_ask(rows, ask, ret, ret_count)
                        : STILE_NOMEM;
}

static const struct stile_table *table_of(struct run *run,
                                          const struct stile_lang_given *g)
{
    struct stile_str own = run->v->table->name;
    if (g->table.text.len == 0 || stile_str_eq(g->table.text, own)) {
        return run->v->table;
    }
    const struct stile_table *t =
        stile_schema_table(run->cc.set->schema, run->cc.tree->family.text,
                           run->v->table->version, g->table.text);
    if (t == NULL) {
        (void)stile__map_report(
            &run->cc, "M703", g->table.span, "%.*s %.*s has no table '%.*s'",
            STILE_FMT(run->cc.tree->family.text),
            STILE_FMT(run->v->table->version), STILE_FMT(g->table.text));
    }
    return t;
}

static bool fill_cells(struct run *run, const struct stile_table *t,
                       const struct stile_lang_assign *a,
                       struct stile_str *cells)
{
    bool ok = true;
    for (; a != NULL; a = a->next) {
        uint32_t at = stile_table_column(t, a->name.text);
        if (at != UINT32_MAX) {
            cells[at] = a->value.text;
            continue;
        }
        struct stile_diag *diag = stile__map_report(
            &run->cc, "M703", a->name.span, "%.*s %.*s has no column '%.*s'",
            STILE_FMT(t->name), STILE_FMT(t->version), STILE_FMT(a->name.text));
        stile_diag_suggest(run->cc.diags, diag, a->name.text, t->column_names,
                           t->count);
        ok = false;
    }
    return ok;
}

static bool build_rows(struct run *run)
{
    bool ok = true;
    for (const struct stile_lang_given *g = run->ex->given; g; g = g->next) {
        if (run->count == EXAMPLE_ROWS) {
            (void)stile__map_report(&run->cc, "M703", run->ex->span,
                                    "an example has at most 32 rows");
            return false;
        }
        const struct stile_table *t = table_of(run, g);
        struct stile_str *cells =
            t != NULL
                ? stile_arena_array(run->cc.arena, t->count, sizeof *cells)
                : NULL;
        if (cells == NULL || !fill_cells(run, t, g->cells, cells)) {
            ok = false;
            continue;
        }
        run->rows[run->count++] = (struct stile_row){.table = t->name,
                                                     .columns = t->column_names,
                                                     .cells = cells,
                                                     .count = t->count,
                                                     .number = 1};
    }
    if (ok && (run->count == 0 ||
               run->rows[0].columns != run->v->table->column_names)) {
        (void)stile__map_report(&run->cc, "M703", run->ex->span,
                                "the first 'given' must be a row of %.*s",
                                STILE_FMT(run->v->table->name));
        return false;
    }
    return ok;
}

/* ---- rightward ---- */

static void check_expect(struct run *run, const struct stile_lang_expect *e,
                         const struct stile_value *resource)
{
    struct stile__path path;
    if (!stile__resolve_path(&run->cc, e->path, true, &path)) {
        return;
    }
    const struct stile_value *v = stile__path_read(resource, &path);
    struct stile_str got = stile__scalar_text(v);
    if (e->literal == NULL) {
        if (v == NULL) {
            (void)stile__map_report(&run->cc, "M701", e->path->span,
                                    "this is absent");
        }
        return;
    }
    const struct stile_lang_literal *lit = e->literal;
    bool absent = lit->kind == STILE_LANG_ABSENT;
    if (absent ? v == NULL : v != NULL && stile_str_eq(got, lit->text)) {
        return;
    }
    if (v == NULL) {
        (void)stile__map_report(&run->cc, "M701", e->path->span,
                                "this is absent, not '%.*s'",
                                STILE_FMT(lit->text));
    } else {
        (void)stile__map_report(&run->cc, "M701", e->path->span,
                                "this comes out as '%.*s'", STILE_FMT(got));
    }
}

static const char *outcome_of(enum stile_status status,
                              const struct stile_map_result *result)
{
    if (status == STILE_END) {
        return "nothing";
    }
    switch (result->kind) {
    case STILE_MAP_DELETED:
        return "deleted";
    case STILE_MAP_HELD:
        return "held";
    case STILE_MAP_FAILED:
        return "failed";
    default:
        return "done";
    }
}

static bool has_code(const struct stile_diags *diags, struct stile_str code)
{
    for (size_t i = 0; i < diags->count; i++) {
        if (stile_str_eqc(code, diags->items[i].code)) {
            return true;
        }
    }
    return false;
}

static void wrong_outcome(struct run *run, const char *got,
                          const struct stile_diags *diags)
{
    struct stile_span span =
        run->ex->outcome.text.len > 0 ? run->ex->outcome.span : run->ex->span;
    for (size_t i = 0; i < diags->count; i++) {
        if (diags->items[i].severity == STILE_ERROR) {
            (void)stile__map_report(
                &run->cc, "M701", span, "the row fails with %s at %.*s",
                diags->items[i].code, STILE_FMT(diags->items[i].path));
            return;
        }
    }
    (void)stile__map_report(&run->cc, "M701", span, "the outcome is '%s'", got);
}

/* ---- leftward ---- */

static void check_cell(struct run *run, const struct stile_str *cells,
                       const struct stile_lang_assign *a)
{
    uint32_t at = stile_table_column(run->v->table, a->name.text);
    if (at == UINT32_MAX) {
        (void)stile__map_report(
            &run->cc, "M703", a->name.span, "%.*s has no column '%.*s'",
            STILE_FMT(run->v->table->name), STILE_FMT(a->name.text));
        return;
    }
    struct stile_str got = cells[at];
    if (!stile_str_eq(got, a->value.text)) {
        (void)stile__map_report(&run->cc, "M702", a->name.span,
                                "leftward this comes back as '%.*s'; correct "
                                "the line, or state it under 'back'",
                                STILE_FMT(got));
    }
}

static bool in_back(const struct stile_lang_example *ex, struct stile_str name)
{
    for (const struct stile_lang_assign *a = ex->back; a; a = a->next) {
        if (stile_str_eq_nocase(a->name.text, name)) {
            return true;
        }
    }
    return false;
}

static void check_row(struct run *run, const struct stile_lang_given *given,
                      const struct stile_str *cells)
{
    bool first = given == run->ex->given;
    for (const struct stile_lang_assign *a = given->cells; a; a = a->next) {
        uint32_t at = stile_table_column(run->v->table, a->name.text);
        bool stated = first && in_back(run->ex, a->name.text);
        if (run->v->left_written[at] && !stated) {
            check_cell(run, cells, a);
        }
    }
    for (const struct stile_lang_assign *a = first ? run->ex->back : NULL; a;
         a = a->next) {
        check_cell(run, cells, a);
    }
}

/* The rows come back in the order of the list they made. */
static void check_group(struct run *run, const struct stile_map_result *result,
                        const struct stile__left_cells *left)
{
    const struct stile_lang_given *given = run->ex->given;
    if (left->row_count != result->row_count) {
        (void)stile__map_report(&run->cc, "M702", run->ex->span,
                                "leftward %zu rows come back, not %zu",
                                left->row_count, result->row_count);
        return;
    }
    for (size_t i = 0; i < run->count; i++, given = given->next) {
        for (size_t k = 0; k < result->row_count; k++) {
            if (result->rows[k] == &run->rows[i]) {
                check_row(run, given, left->rows[k]);
            }
        }
    }
}

static bool comes_back(const struct stile__child *child,
                       const struct stile_str *cells,
                       const struct stile__left_cells *left)
{
    for (const struct stile__linked *k = left->linked; k; k = k->next) {
        bool same = k->child == child;
        for (uint32_t i = 0; same && i < child->key_count; i++) {
            uint32_t at = child->keys[i];
            same = stile_str_eq(k->cells[at], cells[at]);
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* Rows of another table, in a list of references. */
static void check_children(struct run *run,
                           const struct stile__left_cells *left)
{
    for (uint32_t e = 0; e < run->v->each_count; e++) {
        const struct stile__child *child = run->v->eaches[e]->child;
        if (child == NULL || child->key.alias != 0) {
            continue;
        }
        struct stile_str key = run->rows[0].cells[child->key.ordinal];
        for (size_t i = 1; i < run->count && key.len > 0; i++) {
            const struct stile_row *row = &run->rows[i];
            if (stile_str_eq(row->table, child->table->name) &&
                stile_str_eq(row->cells[child->link], key) &&
                !comes_back(child, row->cells, left)) {
                (void)stile__map_report(&run->cc, "M702", run->ex->span,
                                        "leftward a row of %.*s does not come "
                                        "back",
                                        STILE_FMT(row->table));
            }
        }
    }
}

static void check_back(struct run *run, const struct stile_map_result *result)
{
    struct stile__left_cells left;
    struct stile_diags own;
    stile_diags_init(&own, run->cc.arena, 0);
    if (!run->cc.mapping->goes_left && run->ex->back == NULL) {
        return;
    }
    struct stile__resource from = {.tree = result->resource};
    stile__run_left(run->v, &from, run->cc.arena, &own, &left);
    /* An example may leave the key out to stay short, so `taken` is moot. */
    if (left.failed) {
        (void)stile__map_report(
            &run->cc, "M702", run->ex->span,
            "leftward the resource fails with %s at %.*s",
            own.count > 0 ? own.items[0].code : "",
            STILE_FMT(own.count > 0 ? own.items[0].path : STILE_STR_NULL));
        return;
    }
    if (run->v->group_count > 0) {
        check_group(run, result, &left);
    } else {
        check_row(run, run->ex->given, left.cells[0]);
    }
    check_children(run, &left);
}

/* ---- one example ---- */

static void one_example(struct run *run)
{
    struct stile_diags own;
    struct stile_map_result result = {.kind = STILE_MAP_DONE};
    struct stile_map_env env = {run, find_row, find_rows};
    if (!build_rows(run)) {
        return;
    }
    stile_diags_init(&own, run->cc.arena, 0);
    struct stile__right_run right = {.variant = run->v,
                                     .row = &run->rows[0],
                                     .env = &env,
                                     .arena = run->cc.arena,
                                     .diags = &own,
                                     .ran = run->ran};
    enum stile_status status = stile__run_right(&right, &result);
    const char *got = outcome_of(status, &result);
    struct stile_str want = run->ex->outcome.text;
    if (status != STILE_OK && status != STILE_END) {
        (void)stile__map_report(&run->cc, "M701", run->ex->span,
                                "the example could not be run: %s",
                                stile_status_text(status));
        return;
    }
    if (want.len > 0) {
        bool code = strcmp(got, "failed") == 0 && has_code(&own, want);
        if (!code && !stile_str_eqc(want, got)) {
            wrong_outcome(run, got, &own);
        }
        return;
    }
    if (strcmp(got, "done") != 0) {
        wrong_outcome(run, got, &own);
        return;
    }
    for (const struct stile_lang_expect *e = run->ex->expects; e; e = e->next) {
        check_expect(run, e, result.resource);
    }
    check_back(run, &result);
}

/* The newest version that has all columns the example names. */
static const struct stile__variant *
variant_for(const struct stile_mapping *m, const struct stile_lang_example *ex)
{
    for (uint32_t i = m->variant_count; i > 0; i--) {
        const struct stile__variant *v = &m->variants[i - 1];
        bool all = true;
        for (const struct stile_lang_assign *a =
                 ex->given != NULL ? ex->given->cells : NULL;
             a; a = a->next) {
            all =
                all && stile_table_column(v->table, a->name.text) != UINT32_MAX;
        }
        if (all) {
            return v;
        }
    }
    return &m->variants[m->variant_count - 1];
}

/* ---- branches no example goes through ---- */

static bool branch_ran(const struct stile_mapping *m, bool *const *ran,
                       struct stile_span span)
{
    for (uint32_t i = 0; i < m->variant_count; i++) {
        const struct stile__variant *v = &m->variants[i];
        for (uint32_t k = 0; k < v->branch_count; k++) {
            if (v->branches[k].span.offset == span.offset && ran[i][k]) {
                return true;
            }
        }
    }
    return false;
}

static void check_branches(struct stile__cc *cc, bool *const *ran)
{
    const struct stile_mapping *m = cc->mapping;
    for (uint32_t i = 0; i < m->variant_count && cc->tree->examples; i++) {
        const struct stile__variant *v = &m->variants[i];
        for (uint32_t k = 0; k < v->branch_count; k++) {
            if (!branch_ran(m, ran, v->branches[k].span)) {
                (void)stile__map_report(cc, "M707", v->branches[k].span,
                                        "no example goes here; add one whose "
                                        "row does");
            }
        }
    }
}

static bool **new_ran(const struct stile_mapping *m, struct stile_arena *arena)
{
    bool **ran = stile_arena_array(arena, m->variant_count, sizeof(bool *));
    for (uint32_t i = 0; ran != NULL && i < m->variant_count; i++) {
        ran[i] =
            stile_arena_array(arena, m->variants[i].branch_count, sizeof(bool));
        if (ran[i] == NULL) {
            return NULL;
        }
    }
    return ran;
}

void stile__examples(const struct stile_mapping *mapping,
                     struct stile_diags *diags)
{
    struct stile_mapset *whole = mapping->set;
    struct stile_arena *arena = stile_arena_new(EXAMPLE_BYTES);
    bool **ran = arena != NULL ? new_ran(mapping, arena) : NULL;
    struct stile__cc cc = {.set = whole,
                           .mapping =
                               &whole->mappings[mapping - whole->mappings],
                           .tree = mapping->tree,
                           .source = mapping->tree->source,
                           .arena = arena,
                           .diags = diags};
    for (const struct stile_lang_example *ex = mapping->tree->examples;
         ran != NULL && ex; ex = ex->next) {
        const struct stile__variant *v = variant_for(mapping, ex);
        struct stile_arena_mark mark = stile_arena_mark(arena);
        struct run *run = stile_arena_alloc(arena, sizeof *run);
        if (run == NULL) {
            break;
        }
        run->v = v;
        run->ex = ex;
        run->ran = ran[v - mapping->variants];
        run->cc = cc;
        run->cc.variant = &mapping->variants[v - mapping->variants];
        one_example(run);
        stile_arena_rewind(arena, mark);
    }
    if (ran != NULL && !stile_arena_failed(arena)) {
        check_branches(&cc, ran);
    }
    stile_arena_free(&arena);
}
