/* What cells of a column may hold: from codecs, code tables and guards. */
#include "laws.h"

#define VALUES_MAX 64u

static void add(struct stile__domains *d, struct stile__pool_of *pool,
                struct stile_str value)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        if (stile_str_eq(pool->items[i], value)) {
            return;
        }
    }
    if (pool->count == pool->capacity) {
        uint32_t more = pool->capacity == 0 ? 16 : 2 * pool->capacity;
        struct stile_str *items =
            stile_arena_array(d->arena, more, sizeof *items);
        if (items == NULL || more > VALUES_MAX) {
            return;
        }
        if (pool->count > 0) {
            memcpy(items, pool->items, pool->count * sizeof *items);
        }
        pool->items = items;
        pool->capacity = more;
    }
    pool->items[pool->count++] = value;
}

static void add_all(struct stile__domains *d, struct stile__pool_of *pool,
                    const char *const *values)
{
    for (; *values != NULL; values++) {
        add(d, pool, stile_str_cstr(*values));
    }
}

/* ---- by codec: the awkward ones of each domain ---- */

static const char *const texts[] = {
    "A",   "two words", "\"quoted\", comma",        "two\nlines", "=cmd|'x'",
    "x'y", "0",         "caf\xc3\xa9 \xe2\x98\x83", " lead",      NULL};
static const char *const tokens[] = {"A1", "0", "1234567890123456789", "x-y",
                                     NULL};
static const char *const keys[] = {"K-1", "K-2", "a b/c", "9", NULL};
static const char *const guids[] = {"5B2A1E10-0000-4000-8000-0000000000A1",
                                    "5B2A1E10-0000-4000-8000-0000000000A2",
                                    "5b2a1e10-0000-4000-8000-0000000000a3",
                                    NULL};
static const char *const braced[] = {"{5B2A1E10-0000-4000-8000-0000000000A1}",
                                     "{5B2A1E10-0000-4000-8000-0000000000A2}",
                                     "{5b2a1e10-0000-4000-8000-0000000000a3}",
                                     NULL};
static const char *const truths[] = {"true", "false", "1", "0", "TRUE", NULL};
static const char *const answers[] = {"Y", "N", "yes", "false", NULL};
static const char *const wholes[] = {"1", "7", "0", "007", "+4", NULL};
static const char *const decimals[] = {
    "95.50", "0.00", "-1.0", "1234567890123456789", "007.5", NULL};
static const char *const numbers[] = {"9990000018", "9990000026",
                                      "999 000 0018", "0000000000", NULL};
static const char *const postcodes[] = {"ZZ99 1AA", "zz991aa", "no code", NULL};
static const char *const dates[] = {"2024-02-29", "1900-01-01", "2005-02-17",
                                    "2024-10-27", "2024-03-31", NULL};
static const char *const dates_dmy[] = {"29/02/2024", "01/01/1900", NULL};
static const char *const dates_mon[] = {"29 Feb 2024", "01 Jan 1900 10:15",
                                        NULL};
static const char *const precisions[] = {"Y", "YM", "YMD", "YMDT", "U", NULL};
static const char *const times[] = {"09:30:00", "23:59:59", "01:30:00",
                                    "00:00:00", NULL};
static const char *const moments[] = {"2026-03-10 11:00", "2024-10-27 01:30",
                                      "2024-02-29",       "2005-07-01 10:15:30",
                                      "2026-03-10T11:00", NULL};
static const char *const moments_mon[] = {"10 Mar 2026 11:00:00",
                                          "29 Feb 2024 00:00:00", NULL};

static const struct {
    const char *codec;
    const char *const *values[2]; /* by column; the second for all others */
} domains_by_codec[] = {
    {"text", {texts, texts}},
    {"code", {tokens, tokens}},
    {"id", {keys, keys}},
    {"ref", {keys, keys}},
    {"bool", {truths, truths}},
    {"yes-no", {answers, answers}},
    {"int", {wholes, wholes}},
    {"decimal", {decimals, decimals}},
    {"nhs-number", {numbers, numbers}},
    {"postcode", {postcodes, postcodes}},
    {"date", {dates, dates}},
    {"date-dmy", {dates_dmy, dates_dmy}},
    {"date-mon", {dates_mon, dates_mon}},
    {"partial-date", {dates, precisions}},
    {"instant", {dates, times}},
    {"local-time", {moments, moments}},
    {"local-time-mon", {moments_mon, moments_mon}},
    {"via", {tokens, tokens}},
    {"join-key", {tokens, tokens}},
    {"words", {texts, texts}},
    {"digest", {keys, keys}},
    {"prefix", {tokens, tokens}},
    {"list", {texts, texts}},
    {"split", {texts, texts}},
};

static void add_codes(struct stile__domains *d, struct stile__pool_of *pool,
                      const struct stile__code_table *table)
{
    for (uint32_t i = 0; table != NULL && i < table->count; i++) {
        add(d, pool, table->rows[i].left);
    }
    add(d, pool, STILE_STR("no-such-code"));
}

static void add_range(struct stile__domains *d, struct stile__pool_of *pool,
                      int64_t lo, int64_t hi)
{
    const int64_t around[] = {lo, hi, hi == INT64_MAX ? hi : hi + 1,
                              lo == INT64_MIN ? lo : lo - 1};
    for (size_t i = 0; i < 4; i++) {
        add(d, pool,
            stile_arena_printf(d->arena, "%lld", (long long)around[i]));
    }
}

static void by_codec(struct stile__domains *d, struct stile__pool_of *pool,
                     const struct stile__codec_use *use, uint32_t at)
{
    const struct stile__codec_use *from = use->ref_id ? use->ref_id : use;
    const char *name = from->codec->name;
    if (strcmp(name, "guid") == 0) {
        add_all(d, pool, from->braces ? braced : guids);
        return;
    }
    if (use->table != NULL) {
        add_codes(d, pool, use->table);
        return;
    }
    if (strcmp(name, "int") == 0 && (use->lo != 0 || use->hi != 0)) {
        add_range(d, pool, use->lo, use->hi);
    }
    for (size_t i = 0; i < sizeof domains_by_codec / sizeof domains_by_codec[0];
         i++) {
        if (strcmp(domains_by_codec[i].codec, name) == 0) {
            add_all(d, pool, domains_by_codec[i].values[at > 0 ? 1 : 0]);
        }
    }
    for (size_t i = 0; i < use->blank_count; i++) {
        add(d, pool, use->blanks[i]);
    }
}

/* A column that no codec reads. */
static void by_type(struct stile__domains *d, struct stile__pool_of *pool,
                    enum stile_column_type type)
{
    static const char *const *const types[] = {
        [STILE_COL_TEXT] = tokens, [STILE_COL_GUID] = guids,
        [STILE_COL_BOOL] = truths, [STILE_COL_DATE] = dates,
        [STILE_COL_TIME] = times,  [STILE_COL_DATETIME] = moments,
        [STILE_COL_INT] = wholes,  [STILE_COL_DECIMAL] = decimals,
    };
    if (type != STILE_COL_EMPTY) {
        add_all(d, pool, types[type]);
    }
}

/* ---- by guard ---- */

static struct stile__pool_of *pool_at(struct stile__domains *d,
                                      const struct stile_lang_column *column)
{
    const struct stile__variant *v = d->variant;
    for (uint32_t i = 0; i < v->alias_count; i++) {
        bool own = i == 0 && column->alias.text.len == 0;
        if (own ||
            (i > 0 && stile_str_eq(v->aliases[i].name, column->alias.text))) {
            uint32_t at =
                stile_table_column(v->aliases[i].table, column->name.text);
            return at != UINT32_MAX ? &d->columns[i][at] : NULL;
        }
    }
    return NULL;
}

static void by_cond(struct stile__domains *d,
                    const struct stile_lang_cond *cond)
{
    if (cond == NULL) {
        return;
    }
    by_cond(d, cond->a);
    by_cond(d, cond->b);
    struct stile__pool_of *pool =
        cond->column != NULL ? pool_at(d, cond->column) : NULL;
    if (pool == NULL) {
        return;
    }
    for (const struct stile_lang_literal *l = cond->literals; l; l = l->next) {
        add(d, pool, l->text);
        add(d, pool,
            l->kind == STILE_LANG_TRUE ? STILE_STR("false")
                                       : STILE_STR("another"));
    }
    if (cond->kind == STILE_LANG_IN_RANGE) {
        add_range(d, pool, cond->lo, cond->hi);
    }
    if (cond->kind == STILE_LANG_IN_TABLE) {
        add_codes(
            d, pool,
            stile__mapset_table(d->variant->mapping->set, cond->table.text));
    }
}

static void by_statements(struct stile__domains *d,
                          const struct stile_lang_stmt *s)
{
    for (; s != NULL; s = s->next) {
        by_cond(d, s->cond);
        for (const struct stile_lang_case *c = s->cases; c; c = c->next) {
            by_cond(d, c->cond);
        }
        by_statements(d, s->body);
    }
}

static void by_header(struct stile__domains *d,
                      const struct stile_lang_mapping *tree)
{
    const struct stile_lang_take *takes[] = {tree->where, tree->takes,
                                             tree->deletes};
    for (size_t i = 0; i < 3; i++) {
        for (const struct stile_lang_take *t = takes[i]; t; t = t->next) {
            by_cond(d, t->cond);
        }
    }
}

static void fill_up(struct stile__domains *d)
{
    const struct stile__variant *v = d->variant;
    for (uint32_t i = 0; i < v->alias_count; i++) {
        const struct stile_table *t = v->aliases[i].table;
        for (uint32_t c = 0; c < t->count; c++) {
            if (d->columns[i][c].count == 0) {
                by_type(d, &d->columns[i][c], t->columns[c].type);
            }
        }
    }
    for (uint32_t k = 0; k < v->key_count; k++) {
        d->columns[0][v->keys[k]].must = true;
    }
}

bool stile__domains_of(const struct stile__variant *variant,
                       struct stile_arena *arena, struct stile__domains *ret)
{
    *ret = (struct stile__domains){.variant = variant, .arena = arena};
    for (uint32_t i = 0; i < variant->alias_count; i++) {
        ret->columns[i] = stile_arena_array(
            arena, variant->aliases[i].table->count, sizeof *ret->columns[i]);
        if (ret->columns[i] == NULL) {
            return false;
        }
    }
    for (const struct stile__rule *r = variant->rules; r; r = r->next) {
        for (uint32_t i = 0; r->use != NULL && i < r->column_count; i++) {
            const struct stile__column *c = &r->columns[i];
            by_codec(ret, &ret->columns[c->alias][c->ordinal], r->use, i);
        }
    }
    by_statements(ret, variant->mapping->tree->body);
    by_header(ret, variant->mapping->tree);
    fill_up(ret);
    return !stile_arena_failed(arena);
}

/* ---- drawing ---- */

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *seed, uint64_t below)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static struct stile_str *draw_row(const struct stile__domains *d,
                                  uint32_t alias, uint64_t *seed,
                                  struct stile_arena *arena)
{
    const struct stile_table *t = d->variant->aliases[alias].table;
    struct stile_str *cells = stile_arena_array(arena, t->count, sizeof *cells);
    for (uint32_t c = 0; cells != NULL && c < t->count; c++) {
        const struct stile__pool_of *pool = &d->columns[alias][c];
        bool empty = draw(seed, 3) == 0 && !pool->must;
        if (pool->count > 0 && !empty) {
            cells[c] = pool->items[draw(seed, pool->count)];
        }
    }
    return cells;
}

/* Rows of the first one's group; now and then one that does not fit in. */
static bool draw_more(const struct stile__domains *d, uint64_t *seed,
                      struct stile_arena *arena, struct stile__trial *trial)
{
    const struct stile__variant *v = d->variant;
    uint32_t count = (uint32_t)draw(seed, STILE__MORE + 1);
    for (uint32_t i = 0; i < count; i++) {
        struct stile_str *cells = draw_row(d, 0, seed, arena);
        if (cells == NULL) {
            return false;
        }
        for (uint32_t c = 0; c < v->group_count; c++) {
            cells[v->groups[c]] = trial->cells[0][v->groups[c]];
        }
        for (uint32_t c = 0; c < v->same_count; c++) {
            if (draw(seed, 32) > 0) {
                cells[v->same[c]] = trial->cells[0][v->same[c]];
            }
        }
        trial->more[trial->more_count++] = cells;
    }
    return true;
}

static const char *const *keys_of(const struct stile_column *column,
                                  bool braces)
{
    return column->type != STILE_COL_GUID ? keys : braces ? braced : guids;
}

/* Rows of other tables that lead to the first one. */
static bool draw_linked(const struct stile__domains *d, uint64_t *seed,
                        struct stile_arena *arena, struct stile__trial *trial)
{
    for (uint32_t e = 0; e < d->variant->each_count; e++) {
        const struct stile__child *child = d->variant->eaches[e]->child;
        uint32_t count = child != NULL ? (uint32_t)draw(seed, STILE__MORE) : 0;
        for (uint32_t i = 0; i < count; i++) {
            struct stile_str *cells =
                stile_arena_array(arena, child->table->count, sizeof *cells);
            if (cells == NULL) {
                return false;
            }
            for (uint32_t k = 0; k < child->key_count; k++) {
                const struct stile_column *c =
                    &child->table->columns[child->keys[k]];
                cells[child->keys[k]] =
                    stile_str_cstr(keys_of(c, child->use->braces)[i]);
            }
            cells[child->link] =
                trial->cells[child->key.alias][child->key.ordinal];
            trial->linked[e][i] = cells;
        }
        trial->linked_count[e] = count;
    }
    return true;
}

bool stile__trial_draw(const struct stile__domains *d, uint64_t *seed,
                       struct stile_arena *arena, struct stile__trial *ret)
{
    const struct stile__variant *v = d->variant;
    *ret = (struct stile__trial){0};
    for (uint32_t i = 0; i < v->alias_count; i++) {
        ret->there[i] = i == 0 || draw(seed, 16) > 0;
        ret->cells[i] = draw_row(d, i, seed, arena);
        if (ret->cells[i] == NULL) {
            return false;
        }
    }
    return (v->group_count == 0 || draw_more(d, seed, arena, ret)) &&
           draw_linked(d, seed, arena, ret);
}
