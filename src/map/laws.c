/*
 * The laws of a mapping on generated rows. Let s be a row, v what it becomes,
 * c(s) what v leads back to, and r the columns that only the sender keeps:
 *
 *   Taken      a resource the mapping made is one it takes back
 *   GetPut     class iso: c(s) = s, for all columns it writes back
 *   NoLoss     a filled cell under <-> is in c(s), unless its codec says that
 *              it means absent
 *   List       the rows of another table that a list names are those that led
 *              to it
 *   Canon      c(c(s)) = c(s)
 *   PutGet     c(s) and r become v again, when s was spelled as c(s) is; else
 *              only what is derived may be spelled otherwise, as Canon shows
 *   CreateGet  class iso and canon: c(s) alone becomes the same
 *   Same       the same row becomes the same resource
 */
#include "laws.h"

struct laws {
    const struct stile__variant *v;
    struct stile_arena *arena;
    struct stile_map_tested *tally;
    const struct stile__trial *trial; /* under way, for look-ups */
    struct stile_row rows[STILE__ALIASES];
    const struct stile__linked *linked; /* of the last way back */
    struct stile_str lost;              /* the column a law was broken at */
};

/* Rows of one table: one, or those of a group. */
struct rows {
    const struct stile_str *cells[STILE__MORE + 1];
    size_t count;
};

enum law {
    HOLDS,
    MOOT, /* the row was refused */
    DELETES,
    TAKEN,
    GET_PUT,
    NO_LOSS,
    CANON,
    PUT_GET,
    CREATE_GET,
    LIST,
    SAME
};

static const char *const law_says[] = {
    [TAKEN] = "Taken: the mapping does not take back what it made",
    [GET_PUT] = "GetPut: the row does not come back as it was",
    [NO_LOSS] = "NoLoss: a filled cell under <-> does not come back",
    [CANON] = "Canon: the row that comes back leads to yet another row",
    [PUT_GET] = "PutGet: the row that comes back becomes another resource",
    [CREATE_GET] = "CreateGet: without the sender's own columns the row "
                   "becomes another resource",
    [LIST] = "List: the rows of another table do not come back",
    [SAME] = "Same: the row became two different resources",
};

/* ---- there and back ---- */

static enum stile_status find(void *ctx, struct stile_str family,
                              struct stile_str table, struct stile_str column,
                              struct stile_str key,
                              const struct stile_row **ret)
{
    struct laws *l = ctx;
    (void)family;
    for (uint32_t i = 1; i < l->v->alias_count; i++) {
        const struct stile__alias *a = &l->v->aliases[i];
        struct stile_str by = a->table->column_names[a->by];
        struct stile_str own = l->trial->cells[a->key.alias][a->key.ordinal];
        if (!l->trial->there[i] || !stile_str_eq(a->table->name, table) ||
            !stile_str_eq(by, column) || !stile_str_eq_nocase(own, key)) {
            continue;
        }
        l->trial->cells[i][a->by] = key;
        l->rows[i] = (struct stile_row){.table = table,
                                        .columns = a->table->column_names,
                                        .cells = l->trial->cells[i],
                                        .count = a->table->count,
                                        .number = 1};
        *ret = &l->rows[i];
        return STILE_OK;
    }
    return STILE_NOT_FOUND;
}

struct asked {
    struct laws *laws;
    const struct stile_row *rows;
    size_t count;
};

static enum stile_status find_one(void *ctx, struct stile_str family,
                                  struct stile_str table,
                                  struct stile_str column, struct stile_str key,
                                  const struct stile_row **ret)
{
    struct asked *asked = ctx;
    return find(asked->laws, family, table, column, key, ret);
}

static bool add_linked(struct laws *l, struct stile_map_rows *rows)
{
    for (uint32_t e = 0; e < l->v->each_count; e++) {
        for (uint32_t i = 0; i < l->trial->linked_count[e]; i++) {
            const struct stile_table *t = l->v->eaches[e]->child->table;
            struct stile_row *row = stile_arena_alloc(l->arena, sizeof *row);
            if (row == NULL) {
                return false;
            }
            *row = (struct stile_row){.table = t->name,
                                      .columns = t->column_names,
                                      .cells = l->trial->linked[e][i],
                                      .count = t->count,
                                      .number = i + 1};
            stile_map_rows_add(rows, row);
        }
    }
    return true;
}

static enum stile_status find_group(void *ctx, const struct stile_map_ask *ask,
                                    const struct stile_row *const **ret,
                                    size_t *ret_count)
{
    struct asked *asked = ctx;
    struct stile_map_rows *rows = stile_map_rows_new(
        asked->count + STILE__EACHES * STILE__MORE, asked->laws->arena);
    for (size_t i = 0; rows != NULL && i < asked->count; i++) {
        stile_map_rows_add(rows, &asked->rows[i]);
    }
    return rows != NULL && add_linked(asked->laws, rows)
               ? stile_map_rows_ask(rows, ask, ret, ret_count)
               : STILE_NOMEM;
}

static bool copy_rows(struct laws *l, const struct rows *given,
                      struct stile_row *to)
{
    const struct stile_table *t = l->v->table;
    for (size_t i = 0; i < given->count; i++) {
        struct stile_str *cells =
            stile_arena_array(l->arena, t->count, sizeof *cells);
        if (cells == NULL) {
            return false;
        }
        memcpy(cells, given->cells[i], t->count * sizeof *cells);
        to[i] = (struct stile_row){.table = t->name,
                                   .columns = t->column_names,
                                   .cells = cells,
                                   .count = t->count,
                                   .number = i + 1};
    }
    return true;
}

/* What the rows become; MOOT when nothing. `order` says which row each item
 * of a group's list was made of. */
static enum law right(struct laws *l, const struct rows *given,
                      struct stile_value **ret, struct rows *order)
{
    struct stile_row rows[STILE__MORE + 1];
    struct asked asked = {l, rows, given->count};
    struct stile_map_env env = {&asked, find_one, find_group};
    struct stile_diags diags;
    struct stile_map_result result = {.kind = STILE_MAP_DONE};
    struct stile__right_run run = {.variant = l->v,
                                   .row = &rows[0],
                                   .env = &env,
                                   .arena = l->arena,
                                   .diags = &diags};
    stile_diags_init(&diags, l->arena, 8);
    if (!copy_rows(l, given, rows) ||
        stile__run_right(&run, &result) != STILE_OK) {
        return MOOT;
    }
    *order = (struct rows){.cells = {given->cells[0]}, .count = 1};
    for (size_t i = 0; i < result.row_count; i++) {
        order->cells[i] = given->cells[result.rows[i] - rows];
        order->count = i + 1;
    }
    *ret = result.resource;
    return result.kind == STILE_MAP_DONE      ? HOLDS
           : result.kind == STILE_MAP_DELETED ? DELETES
                                              : MOOT;
}

static enum law left(struct laws *l, const struct stile_value *resource,
                     struct rows *ret)
{
    struct stile__left_cells cells;
    struct stile_diags diags;
    stile_diags_init(&diags, l->arena, 8);
    struct stile__resource from = {.tree = resource};
    stile__run_left(l->v, &from, l->arena, &diags, &cells);
    l->linked = cells.linked;
    *ret = (struct rows){.cells = {cells.cells[0]}, .count = 1};
    if (l->v->group_count > 0) {
        ret->count = cells.row_count;
    }
    if (ret->count > STILE__MORE + 1) {
        return TAKEN;
    }
    for (size_t i = 0; i < cells.row_count; i++) {
        ret->cells[i] = cells.rows[i];
    }
    return cells.taken && !cells.failed ? HOLDS : TAKEN;
}

/* ---- the laws ---- */

static bool same_cells(struct laws *l, const struct stile_str *a,
                       const struct stile_str *b)
{
    for (uint32_t i = 0; i < l->v->table->count; i++) {
        if (l->v->left_written[i] && !stile_str_eq(a[i], b[i])) {
            l->lost = l->v->table->columns[i].name;
            return false;
        }
    }
    return true;
}

static bool same_rows(struct laws *l, const struct rows *a,
                      const struct rows *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = same_cells(l, a->cells[i], b->cells[i]);
    }
    return same;
}

/* Does the codec itself say that these cells mean absent? */
static bool means_absent(struct laws *l, const struct stile__rule *r,
                         const struct stile_str *row)
{
    struct stile_str cells[STILE__CELLS];
    struct stile__codec_io io = {
        .arena = l->arena, .cells = cells, .count = r->column_count};
    for (uint32_t i = 0; i < r->column_count; i++) {
        cells[i] = row[r->columns[i].ordinal];
    }
    enum stile__run_code code = stile__codec_right(r->use, &io);
    return code != RUN_NONE ||
           (io.value.len == 0 && io.item_count == 0 && !io.missed) ||
           (r->stmt->fallback != NULL &&
            stile_str_eq(io.value, r->stmt->fallback->text)) ||
           io.warning != RUN_NONE;
}

static bool none_lost(struct laws *l, const struct stile_str *given,
                      const struct stile_str *back)
{
    for (const struct stile__rule *r = l->v->rules; r; r = r->next) {
        bool filled = false, kept = false, own = r->use != NULL;
        for (uint32_t i = 0; own && i < r->column_count; i++) {
            const struct stile__column *c = &r->columns[i];
            own = c->alias == 0;
            filled = own && (filled || given[c->ordinal].len > 0);
            kept = own && (kept || back[c->ordinal].len > 0 ||
                           l->v->accounted[c->ordinal]);
        }
        if (own && r->leftward && r->rightward && filled && !kept &&
            !means_absent(l, r, given)) {
            l->lost = r->columns[0].column->name;
            return false;
        }
    }
    return true;
}

static bool keeps(struct laws *l, const struct rows *given,
                  const struct rows *back)
{
    bool kept = given->count == back->count;
    for (size_t i = 0; kept && i < given->count; i++) {
        kept = none_lost(l, given->cells[i], back->cells[i]);
    }
    return kept;
}

static bool is_linked(const struct laws *l, const struct stile__child *child,
                      const struct stile_str *cells)
{
    for (const struct stile__linked *k = l->linked; k; k = k->next) {
        bool same = k->child == child;
        for (uint32_t i = 0; same && i < child->key_count; i++) {
            same = stile_str_eq_nocase(k->cells[child->keys[i]],
                                       cells[child->keys[i]]);
        }
        if (same) {
            return true;
        }
    }
    return false;
}

static bool keeps_lists(struct laws *l, const struct stile__trial *trial)
{
    for (uint32_t e = 0; e < l->v->each_count; e++) {
        const struct stile__child *child = l->v->eaches[e]->child;
        bool asked = child != NULL &&
                     trial->cells[child->key.alias][child->key.ordinal].len > 0;
        for (uint32_t i = 0; asked && i < trial->linked_count[e]; i++) {
            if (!is_linked(l, child, trial->linked[e][i])) {
                l->lost = child->table->name;
                return false;
            }
        }
    }
    return true;
}

/* What came back, with the columns that only the sender keeps. */
static bool with_residue(struct laws *l, const struct rows *given,
                         const struct rows *once, struct rows *ret)
{
    size_t count = l->v->table->count;
    *ret = (struct rows){.count = once->count};
    for (size_t k = 0; k < once->count; k++) {
        struct stile_str *with =
            stile_arena_array(l->arena, count, sizeof *with);
        if (with == NULL) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            with[i] =
                l->v->left_written[i] ? once->cells[k][i] : given->cells[k][i];
        }
        ret->cells[k] = with;
    }
    return true;
}

/* The rows of `once`, in the order that `with` came to be. */
static struct rows in_order(const struct rows *once, const struct rows *with,
                            const struct rows *order)
{
    struct rows sorted = {.count = order->count};
    for (size_t i = 0; i < order->count; i++) {
        for (size_t k = 0; k < with->count; k++) {
            if (with->cells[k] == order->cells[i]) {
                sorted.cells[i] = once->cells[k];
            }
        }
    }
    return sorted;
}

static enum law second_trip(struct laws *l, const struct rows *given,
                            const struct stile_value *first,
                            const struct rows *once)
{
    struct rows with, twice, order;
    struct stile_value *again = NULL, *alone = NULL;
    if (!with_residue(l, given, once, &with)) {
        return MOOT;
    }
    struct stile_str lost = l->lost;
    bool canonical = same_rows(l, given, once);
    l->lost = lost;
    if (right(l, &with, &again, &order) != HOLDS || order.count != with.count ||
        (canonical && !stile_value_equal(first, again))) {
        return PUT_GET;
    }
    struct rows sorted = in_order(once, &with, &order);
    if (left(l, again, &twice) != HOLDS || !same_rows(l, &sorted, &twice)) {
        return CANON;
    }
    if (l->v->mapping->law <= LAW_CANON &&
        (right(l, once, &alone, &order) != HOLDS ||
         !stile_value_equal(again, alone))) {
        return CREATE_GET;
    }
    return HOLDS;
}

static enum law judge(struct laws *l, const struct stile__trial *trial)
{
    struct stile_value *first = NULL, *same = NULL;
    struct rows once, given, members,
        all = {.cells = {trial->cells[0]}, .count = trial->more_count + 1};
    for (uint32_t i = 0; i < trial->more_count; i++) {
        all.cells[i + 1] = trial->more[i];
    }
    l->trial = trial;
    l->lost = STILE_STR_NULL;
    enum law law = right(l, &all, &first, &members);
    if (law != HOLDS) {
        return law;
    }
    if (right(l, &all, &same, &given) != HOLDS ||
        !stile_value_equal(first, same)) {
        return SAME;
    }
    if (!l->v->mapping->goes_left) {
        return HOLDS;
    }
    if (left(l, first, &once) != HOLDS) {
        return TAKEN;
    }
    if (l->v->mapping->law == LAW_ISO && !same_rows(l, &members, &once)) {
        return GET_PUT;
    }
    if (!keeps(l, &members, &once)) {
        return NO_LOSS;
    }
    if (!keeps_lists(l, trial)) {
        return LIST;
    }
    return second_trip(l, &members, first, &once);
}

/* ---- shrinking ---- */

static bool still(struct laws *l, const struct stile__trial *trial,
                  enum law law)
{
    struct stile_arena_mark mark = stile_arena_mark(l->arena);
    bool same = judge(l, trial) == law;
    stile_arena_rewind(l->arena, mark);
    return same;
}

/* Takes rows of the group or of a list away, or empties their cells. */
static bool shrink_more(struct laws *l, const struct stile__domains *domains,
                        struct stile__trial *trial, enum law law)
{
    for (uint32_t e = 0; e < l->v->each_count; e++) {
        struct stile__trial less = *trial;
        if (less.linked_count[e] > 0) {
            less.linked_count[e]--;
            if (still(l, &less, law)) {
                *trial = less;
                return true;
            }
        }
    }
    for (uint32_t i = 0; i < trial->more_count; i++) {
        struct stile__trial less = *trial;
        less.more[i] = less.more[--less.more_count];
        if (still(l, &less, law)) {
            *trial = less;
            return true;
        }
        for (size_t c = 0; c < l->v->table->count; c++) {
            struct stile_str kept = trial->more[i][c];
            if (kept.len == 0 || domains->columns[0][c].must) {
                continue;
            }
            trial->more[i][c] = STILE_STR_NULL;
            if (still(l, trial, law)) {
                return true;
            }
            trial->more[i][c] = kept;
        }
    }
    return false;
}

/* Empties what can be emptied while the same law stays broken. */
static void shrink(struct laws *l, const struct stile__domains *domains,
                   struct stile__trial *trial, enum law law)
{
    bool smaller = true;
    while (smaller) {
        smaller = shrink_more(l, domains, trial, law);
        for (uint32_t i = 0; i < l->v->alias_count; i++) {
            for (size_t c = 0; c < l->v->aliases[i].table->count; c++) {
                struct stile_str kept = trial->cells[i][c];
                /* The key of a look-up's row is filled from the look-up. */
                if (kept.len == 0 || domains->columns[i][c].must ||
                    (i > 0 && c == l->v->aliases[i].by)) {
                    continue;
                }
                trial->cells[i][c] = STILE_STR_NULL;
                if (still(l, trial, law)) {
                    smaller = true;
                } else {
                    trial->cells[i][c] = kept;
                }
            }
        }
    }
}

/* ---- the example ---- */

static bool bare(struct stile_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == '\'' ||
            s.ptr[i] == '"') {
            return false;
        }
    }
    return s.len > 0;
}

static void add_cell(struct stile_buf *out, struct stile_str name,
                     struct stile_str cell)
{
    bool word = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        word = word && (letter || (i > 0 && c >= '0' && c <= '9'));
    }
    stile_buf_printf(out, word ? " %.*s=" : " `%.*s`=", STILE_FMT(name));
    if (bare(cell)) {
        stile_buf_add(out, cell);
        return;
    }
    stile_buf_byte(out, '"');
    for (size_t i = 0; i < cell.len; i++) {
        char c = cell.ptr[i];
        if (c == '\n' || c == '\t' || c == '\r') {
            stile_buf_byte(out, '\\');
            c = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
        } else if (c == '"' || c == '\\') {
            stile_buf_byte(out, '\\');
        }
        stile_buf_byte(out, c);
    }
    stile_buf_byte(out, '"');
}

static void add_row(struct stile_buf *out, const struct stile_table *t,
                    const struct stile_str *cells)
{
    for (size_t c = 0; c < t->count; c++) {
        if (cells[c].len > 0) {
            add_cell(out, t->columns[c].name, cells[c]);
        }
    }
    stile_buf_byte(out, '\n');
}

static void add_example(const struct laws *l, const struct stile__trial *trial,
                        enum law law, struct stile_buf *out)
{
    struct stile_str says = stile_str_cstr(law_says[law]);
    struct stile_str name = stile_str_sub(says, 0, stile_str_find(says, ':'));
    stile_buf_printf(out, "  example \"generated: %.*s\"\n    given ",
                     STILE_FMT(name));
    add_row(out, l->v->table, trial->cells[0]);
    for (uint32_t i = 0; i < trial->more_count; i++) {
        stile_buf_printf(out, "    and    %.*s", STILE_FMT(l->v->table->name));
        add_row(out, l->v->table, trial->more[i]);
    }
    for (uint32_t e = 0; e < l->v->each_count; e++) {
        for (uint32_t i = 0; i < trial->linked_count[e]; i++) {
            const struct stile_table *t = l->v->eaches[e]->child->table;
            stile_buf_printf(out, "    and    %.*s", STILE_FMT(t->name));
            add_row(out, t, trial->linked[e][i]);
        }
    }
    for (uint32_t i = 1; i < l->v->alias_count; i++) {
        const struct stile__alias *a = &l->v->aliases[i];
        struct stile_str key = trial->cells[a->key.alias][a->key.ordinal];
        if (trial->there[i] && key.len > 0) {
            stile_buf_printf(out, "    and    %.*s", STILE_FMT(a->table->name));
            trial->cells[i][a->by] = key;
            add_row(out, a->table, trial->cells[i]);
        }
    }
    stile_buf_addc(out, "  end\n");
}

static void broken(struct laws *l, const struct stile__domains *domains,
                   struct stile__trial *trial, enum law law,
                   struct stile_diags *diags, struct stile_buf *out)
{
    const struct stile_lang_mapping *tree = l->v->mapping->tree;
    shrink(l, domains, trial, law);
    (void)judge(l, trial);
    (void)stile_diag_at_source(
        diags, "M706", STILE_ERROR, tree->source, tree->name.span,
        "%s (%.*s %.*s%s%.*s)", law_says[law], STILE_FMT(l->v->table->name),
        STILE_FMT(l->v->table->version), l->lost.len > 0 ? ", at " : "",
        STILE_FMT(l->lost));
    add_example(l, trial, law, out);
    l->tally->broken = true;
}

static void one_variant(struct laws *l, const struct stile__domains *domains,
                        uint64_t *seed, size_t rounds,
                        struct stile_diags *diags, struct stile_buf *out)
{
    struct stile_arena_mark mark = stile_arena_mark(l->arena);
    for (size_t i = 0; i < rounds && !l->tally->broken; i++) {
        struct stile__trial trial;
        if (!stile__trial_draw(domains, seed, l->arena, &trial)) {
            return;
        }
        enum law law = judge(l, &trial);
        switch (law) {
        case HOLDS:
            l->tally->carried++;
            break;
        case MOOT:
            l->tally->refused++;
            break;
        case DELETES:
            l->tally->deleted++;
            break;
        default:
            broken(l, domains, &trial, law, diags, out);
            return; /* the finding's text is in the arena */
        }
        stile_arena_rewind(l->arena, mark);
    }
}

enum stile_status stile_map_test(const struct stile_mapping *mapping,
                                 uint64_t seed, size_t rounds,
                                 struct stile_arena *arena,
                                 struct stile_diags *diags,
                                 struct stile_buf *out,
                                 struct stile_map_tested *ret)
{
    struct stile_map_tested tally = {0};
    for (uint32_t i = 0; i < mapping->variant_count && !tally.broken; i++) {
        struct laws l = {
            .v = &mapping->variants[i], .arena = arena, .tally = &tally};
        struct stile__domains domains;
        if (!stile__domains_of(l.v, arena, &domains)) {
            return STILE_NOMEM;
        }
        one_variant(&l, &domains, &seed, rounds, diags, out);
        if (stile_arena_failed(arena)) {
            return STILE_NOMEM;
        }
    }
    *ret = tally;
    return out->status;
}
