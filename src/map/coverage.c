/* Counting: a sample through its mappings. */
#include "coverage.h"

static bool count_lossy(struct stile_map_coverage *c,
                        const struct stile_mapping *m,
                        const struct stile_lang_stmt *s)
{
    for (; s != NULL; s = s->next) {
        if (s->mark == STILE_LANG_LOSSY) {
            struct stile__loss *loss =
                stile_arena_alloc(c->arena, sizeof *loss);
            if (loss == NULL) {
                return false;
            }
            *loss = (struct stile__loss){.mapping = m, .stmt = s};
            *c->losses_tail = loss;
            c->losses_tail = &loss->next;
        }
        if (!count_lossy(c, m, s->body)) {
            return false;
        }
    }
    return true;
}

struct stile_map_coverage *
stile_map_coverage_new(const struct stile_mapset *set,
                       struct stile_arena *arena)
{
    struct stile_map_coverage *c = stile_arena_alloc(arena, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    *c = (struct stile_map_coverage){.set = set, .arena = arena};
    c->tables_tail = &c->tables;
    c->losses_tail = &c->losses;
    c->asides_tail = &c->asides;
    c->hits = stile_arena_array(arena, set->table_count, sizeof *c->hits);
    c->misses = stile_arena_array(arena, set->table_count, sizeof *c->misses);
    c->ends = stile_arena_array(arena, set->count, sizeof *c->ends);
    c->not_taken = stile_arena_array(arena, set->count, sizeof *c->not_taken);
    for (uint32_t i = 0; c->hits != NULL && i < set->table_count; i++) {
        c->hits[i] =
            stile_arena_array(arena, set->tables[i].count, sizeof *c->hits[i]);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (!count_lossy(c, &set->mappings[i], set->mappings[i].tree->body)) {
            return NULL;
        }
    }
    return stile_arena_failed(arena) ? NULL : c;
}

/* ---- a row ---- */

/* Has the row all columns of this version, and behind them perhaps others? */
static bool begins_with(const struct stile_row *row,
                        const struct stile_table *t)
{
    size_t same = 0;
    while (row->columns != NULL && stile_str_eq(t->name, row->table) &&
           same < t->count && same < row->count &&
           stile_str_eq(t->column_names[same], row->columns[same])) {
        same++;
    }
    return same > 0 && same == t->count;
}

static const struct stile_table *table_of(const struct stile_map_coverage *c,
                                          const struct stile_row *row)
{
    const struct stile_table *table = NULL;
    for (size_t i = 0; i < stile_schema_count(c->set->schema); i++) {
        const struct stile_table *t = stile_schema_at(c->set->schema, i);
        if (t->column_names == row->columns) {
            return t;
        }
        /* Of two versions the one with more of the row's columns. */
        if (begins_with(row, t) && (table == NULL || t->count > table->count)) {
            table = t;
        }
    }
    return table;
}

static struct stile__covered *covered(struct stile_map_coverage *c,
                                      const struct stile_row *row)
{
    const struct stile_table *table = table_of(c, row);
    for (struct stile__covered *t = c->tables; t != NULL; t = t->next) {
        if (t->table == table) {
            return t;
        }
    }
    struct stile__covered *new =
        table != NULL ? stile_arena_alloc(c->arena, sizeof *new) : NULL;
    if (new == NULL) {
        return NULL;
    }
    *new = (struct stile__covered){.table = table};
    new->filled = stile_arena_array(c->arena, table->count, sizeof(uint64_t));
    if (new->filled == NULL) {
        return NULL;
    }
    new->strangers_tail = &new->strangers;
    *c->tables_tail = new;
    c->tables_tail = &new->next;
    return new;
}

static bool count_stranger(struct stile_map_coverage *c,
                           struct stile__covered *t, struct stile_str name,
                           bool filled)
{
    struct stile__stranger *s = t->strangers;
    while (s != NULL && !stile_str_eq(s->name, name)) {
        s = s->next;
    }
    if (s == NULL) {
        s = stile_arena_alloc(c->arena, sizeof *s);
        if (s == NULL) {
            return false;
        }
        *s = (struct stile__stranger){.name = stile_arena_str(c->arena, name)};
        *t->strangers_tail = s;
        t->strangers_tail = &s->next;
    }
    s->filled += filled ? 1 : 0;
    return true;
}

static void coded(void *ctx, const struct stile__code_table *table,
                  const struct stile__code_row *row)
{
    struct stile_map_coverage *c = ctx;
    for (uint32_t i = 0; i < c->set->table_count; i++) {
        if (&c->set->tables[i] != table) {
            continue;
        }
        if (row == NULL) {
            c->misses[i]++;
        } else {
            c->hits[i][row - table->rows]++;
        }
    }
}

static void count_findings(struct stile_map_coverage *c,
                           const struct stile_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        for (int code = 0; code < RUN_CODE_COUNT; code++) {
            if (strcmp(diags->items[i].code,
                       stile__run_code_name((enum stile__run_code)code)) == 0) {
                c->warnings[code]++;
            }
        }
    }
}

static void count_losses(struct stile_map_coverage *c,
                         const struct stile_mapping *m,
                         const struct stile_row *row)
{
    for (struct stile__loss *l = c->losses; l != NULL; l = l->next) {
        bool filled = false;
        for (const struct stile_lang_column *n = l->stmt->columns; n;
             n = n->next) {
            filled = filled || (n->alias.text.len == 0 &&
                                stile_row_get(row, n->name.text).len > 0);
        }
        l->rows += l->mapping == m && filled ? 1 : 0;
    }
}

static enum stile_status one_mapping(struct stile_map_coverage *c, uint32_t at,
                                     const struct stile_row *row,
                                     const struct stile_map_env *env,
                                     struct stile_arena *scratch)
{
    const struct stile_mapping *m = &c->set->mappings[at];
    struct stile__trace trace = {.coded = coded, .ctx = c};
    struct stile_map_result result = {.kind = STILE_MAP_DONE};
    struct stile_diags diags;
    struct stile__right_run run = {.variant = stile__variant_of(m, row),
                                   .row = row,
                                   .env = env,
                                   .arena = scratch,
                                   .diags = &diags,
                                   .trace = &trace};
    stile_diags_init(&diags, scratch, 64);
    enum stile_status status = stile__run_right(&run, &result);
    if (status == STILE_END) {
        /* The first row of a group counts for all of them. */
        c->not_taken[at] += trace.first == NULL ? 1 : 0;
        return STILE_OK;
    }
    if (status == STILE_OK) {
        const struct stile_row *const *rows = result.rows;
        size_t count = result.row_count > 0 ? result.row_count : 1;
        c->ends[at][result.kind] += count;
        count_findings(c, &diags);
        for (size_t i = 0; result.kind == STILE_MAP_DONE && i < count; i++) {
            count_losses(c, m, result.row_count > 0 ? rows[i] : row);
        }
    }
    return status;
}

enum stile_status stile_map_coverage_add(struct stile_map_coverage *c,
                                         const struct stile_row *row,
                                         const struct stile_map_env *env,
                                         struct stile_arena *scratch)
{
    struct stile__covered *t = covered(c, row);
    enum stile_status status = STILE_OK;
    if (t == NULL) {
        return stile_arena_failed(c->arena) ? STILE_NOMEM : STILE_INVALID;
    }
    t->rows++;
    for (size_t i = 0; i < row->count; i++) {
        bool filled = row->cells[i].len > 0;
        if (i < t->table->count) {
            t->filled[i] += filled ? 1 : 0;
        } else if (!count_stranger(c, t, row->columns[i], filled)) {
            return STILE_NOMEM;
        }
    }
    for (uint32_t i = 0; i < c->set->count && status == STILE_OK; i++) {
        const struct stile_lang_mapping *tree = c->set->mappings[i].tree;
        if (stile_str_eq(tree->family.text, t->table->family) &&
            stile_str_eq(tree->table.text, t->table->name)) {
            status = one_mapping(c, i, row, env, scratch);
        }
    }
    return status;
}

/* ---- where a column goes ---- */

bool stile__coverage_mapped(const struct stile_map_coverage *c,
                            const struct stile_table *table)
{
    for (uint32_t i = 0; i < c->set->count; i++) {
        const struct stile_lang_mapping *tree = c->set->mappings[i].tree;
        if (stile_str_eq(tree->family.text, table->family) &&
            stile_str_eq(tree->table.text, table->name)) {
            return true;
        }
    }
    return false;
}

static const struct stile_lang_stmt *drop_of(const struct stile_lang_stmt *s,
                                             const struct stile_table *table,
                                             uint32_t column)
{
    for (; s != NULL; s = s->next) {
        const struct stile_lang_stmt *inner = drop_of(s->body, table, column);
        if (inner != NULL) {
            return inner;
        }
        for (const struct stile_lang_column *n = s->columns;
             s->kind == STILE_LANG_DROP && n; n = n->next) {
            if (stile_table_column(table, n->name.text) == column) {
                return s;
            }
        }
    }
    return NULL;
}

/* In one variant: as its own table, or as one it looks into. */
static enum stile__account account_in(const struct stile__variant *v,
                                      const struct stile_table *table,
                                      uint32_t column,
                                      const struct stile_lang_stmt **ret_stmt)
{
    enum stile__account account = ACCOUNT_NONE;
    if (v->table == table) {
        *ret_stmt = drop_of(v->mapping->tree->body, table, column);
        bool carried =
            *ret_stmt != NULL && (*ret_stmt)->carried_by.text.len > 0;
        account = v->mapped[column] ? ACCOUNT_MAPPED
                  : v->dropped[column]
                      ? carried ? ACCOUNT_CARRIED : ACCOUNT_DROPPED
                  : v->accounted[column] ? ACCOUNT_RESIDUE
                                         : ACCOUNT_NONE;
    }
    for (uint32_t a = 0; a < v->alias_count; a++) {
        bool read =
            a > 0 && v->aliases[a].table == table && v->aliases[a].by == column;
        for (uint32_t b = 1; b < v->alias_count; b++) {
            const struct stile__column *key = &v->aliases[b].key;
            read = read || (key->alias == a && key->ordinal == column &&
                            v->aliases[a].table == table);
        }
        if (read && account < ACCOUNT_READ) {
            account = ACCOUNT_READ;
        }
    }
    for (uint32_t e = 0; e < v->each_count; e++) {
        const struct stile__child *child = v->eaches[e]->child;
        bool read =
            child != NULL && child->table == table && child->link == column;
        for (uint32_t k = 0; child != NULL && k < child->key_count; k++) {
            read = read || (child->table == table && child->keys[k] == column);
        }
        if (read && account < ACCOUNT_READ) {
            account = ACCOUNT_READ;
        }
    }
    for (const struct stile__rule *r = v->rules; r; r = r->next) {
        for (uint32_t i = 0; i < r->column_count; i++) {
            const struct stile__column *c = &r->columns[i];
            if (c->alias > 0 && v->aliases[c->alias].table == table &&
                c->ordinal == column && account < ACCOUNT_READ) {
                account = ACCOUNT_READ;
            }
        }
    }
    return account;
}

static enum stile__account in_mappings(const struct stile_map_coverage *c,
                                       const struct stile_table *table,
                                       uint32_t column,
                                       const struct stile_mapping **ret_by,
                                       const struct stile_lang_stmt **ret_stmt)
{
    enum stile__account best = ACCOUNT_NONE;
    for (uint32_t i = 0; i < c->set->count; i++) {
        const struct stile_mapping *m = &c->set->mappings[i];
        for (uint32_t k = 0; k < m->variant_count; k++) {
            const struct stile_lang_stmt *stmt = NULL;
            enum stile__account account =
                account_in(&m->variants[k], table, column, &stmt);
            if (account > best) {
                best = account;
                *ret_by = m;
                *ret_stmt = stmt;
            }
        }
    }
    return best;
}

enum stile__account
stile__coverage_account(const struct stile_map_coverage *c,
                        const struct stile_table *table, uint32_t column,
                        const struct stile_mapping **ret_by,
                        const struct stile_lang_stmt **ret_stmt)
{
    *ret_by = NULL;
    *ret_stmt = NULL;
    enum stile__account account =
        in_mappings(c, table, column, ret_by, ret_stmt);
    if (account == ACCOUNT_NONE &&
        stile__coverage_aside(c, table, column) != NULL) {
        account = ACCOUNT_DROPPED;
    }
    return account;
}

/* ---- what no mapping carries ---- */

const struct stile__aside *
stile__coverage_aside(const struct stile_map_coverage *c,
                      const struct stile_table *table, uint32_t column)
{
    const struct stile__aside *found = NULL;
    for (const struct stile__aside *a = c->asides; a != NULL; a = a->next) {
        bool here = stile_str_eq(a->family, table->family) &&
                    stile_str_eq(a->table, table->name);
        if (here && a->column.len == 0 && found == NULL) {
            found = a;
        } else if (here && a->column.len > 0 &&
                   stile_table_column(table, a->column) == column) {
            return a;
        }
    }
    return found;
}

/* Is anything left of what the entry speaks of, in some version? */
static bool speaks_of_something(const struct stile_map_coverage *c,
                                const struct stile__aside *a, bool *ret_known)
{
    bool left = false;
    *ret_known = false;
    for (size_t i = 0; i < stile_schema_count(c->set->schema); i++) {
        const struct stile_table *t = stile_schema_at(c->set->schema, i);
        if (!stile_str_eq(t->family, a->family) ||
            !stile_str_eq(t->name, a->table)) {
            continue;
        }
        uint32_t only =
            a->column.len > 0 ? stile_table_column(t, a->column) : UINT32_MAX;
        *ret_known = *ret_known || a->column.len == 0 || only != UINT32_MAX;
        for (uint32_t k = 0; k < t->count; k++) {
            const struct stile_mapping *by = NULL;
            const struct stile_lang_stmt *stmt = NULL;
            left = left || ((a->column.len == 0 || k == only) &&
                            in_mappings(c, t, k, &by, &stmt) == ACCOUNT_NONE);
        }
    }
    return left;
}

enum stile_status stile_map_coverage_set_aside(struct stile_map_coverage *c,
                                               struct stile_str family,
                                               struct stile_str table,
                                               struct stile_str column,
                                               struct stile_str because)
{
    struct stile__aside *a = stile_arena_alloc(c->arena, sizeof *a);
    bool known = false;
    if (a == NULL) {
        return STILE_NOMEM;
    }
    *a = (struct stile__aside){.family = stile_arena_str(c->arena, family),
                               .table = stile_arena_str(c->arena, table),
                               .column = stile_arena_str(c->arena, column),
                               .because = stile_arena_str(c->arena, because)};
    if (because.len == 0) {
        return STILE_INVALID;
    }
    for (const struct stile__aside *b = c->asides; b != NULL; b = b->next) {
        if (stile_str_eq(a->family, b->family) &&
            stile_str_eq(a->table, b->table) &&
            stile_str_eq_nocase(a->column, b->column)) {
            return STILE_CONFLICT;
        }
    }
    bool something = speaks_of_something(c, a, &known);
    if (!known || !something) {
        return known ? STILE_CONFLICT : STILE_NOT_FOUND;
    }
    *c->asides_tail = a;
    c->asides_tail = &a->next;
    return STILE_OK;
}

size_t stile_map_coverage_open(const struct stile_map_coverage *c)
{
    size_t open = 0;
    for (struct stile__covered *t = c->tables; t != NULL; t = t->next) {
        for (uint32_t i = 0; i < t->table->count; i++) {
            const struct stile_mapping *by;
            const struct stile_lang_stmt *stmt;
            open += stile__coverage_account(c, t->table, i, &by, &stmt) ==
                            ACCOUNT_NONE
                        ? 1
                        : 0;
        }
        for (const struct stile__stranger *s = t->strangers; s; s = s->next) {
            open++;
        }
    }
    return open;
}
