/* Rows of one table that become one resource. */
#include "run_right.h"

#include <stdlib.h>

const struct stile__each *stile__row_each(const struct stile__variant *v)
{
    for (uint32_t i = 0; i < v->each_count; i++) {
        if (v->eaches[i]->child == NULL) {
            return v->eaches[i];
        }
    }
    return NULL;
}

/* ---- which rows ---- */

static uint32_t left_line(const struct stile__vm *vm)
{
    const struct stile_lang_mapping *tree = vm->v->mapping->tree;
    uint32_t line = 0, column = 0;
    stile_source_place(tree->source, tree->table.span.offset, &line, &column);
    return line;
}

static void not_taken(struct stile__vm *vm)
{
    vm->status = STILE_END;
    vm->over = true;
}

static bool is_member(struct stile__vm *vm, const struct stile_row *row,
                      const struct stile_str *cells)
{
    stile__vm_row(vm, row, cells);
    stile__vm_run(vm, &vm->v->member);
    if (vm->over && vm->status == STILE_END) {
        vm->status = STILE_OK;
        vm->over = false;
        return false;
    }
    return !vm->over;
}

static const struct stile_row *const *ask(struct stile__vm *vm,
                                          size_t *ret_count)
{
    const struct stile__variant *v = vm->v;
    const struct stile_map_env *env = vm->run->env;
    const struct stile_row *const *list = NULL;
    struct stile_str columns[STILE__CELLS], keys[STILE__CELLS];
    struct stile_map_ask what = {.family = v->table->family,
                                 .table = v->table->name,
                                 .columns = columns,
                                 .keys = keys,
                                 .count = v->group_count};
    if (env == NULL || env->rows == NULL) {
        stile__vm_fail(vm, RUN_T117, left_line(vm), v->table->name);
        return NULL;
    }
    for (uint32_t i = 0; i < v->group_count; i++) {
        columns[i] = v->table->column_names[v->groups[i]];
        keys[i] = vm->rows[0][v->groups[i]];
    }
    enum stile_status status = env->rows(env->ctx, &what, &list, ret_count);
    if (status == STILE_NOT_FOUND) {
        stile__vm_fail(vm, RUN_T117, left_line(vm), v->table->name);
    } else if (status != STILE_OK) {
        vm->status = status;
        vm->over = true;
    }
    return list;
}

static bool same_row(const struct stile_row *a, const struct stile_row *b)
{
    return a == b || a->cells == b->cells;
}

/* The members, when the row at hand is the first of them. */
static void members(struct stile__vm *vm, const struct stile_row *own,
                    const struct stile_row *const *list, size_t count)
{
    struct stile__group *g = &vm->group;
    bool found = false;
    for (size_t i = 0; i < count && !vm->over; i++) {
        const struct stile_str *cells =
            stile__row_cells(list[i], vm->v->table, vm->run->arena);
        bool itself = same_row(list[i], own);
        if (cells == NULL || !is_member(vm, list[i], cells)) {
            continue;
        }
        if (!found && !itself) {
            if (vm->run->trace != NULL) {
                vm->run->trace->first = list[i];
            }
            not_taken(vm);
            return;
        }
        found = true;
        g->rows[g->count] = list[i];
        g->cells[g->count++] = cells;
    }
    if (!found && !vm->over) {
        /* The row itself was not among those given. */
        stile__vm_fail(vm, RUN_T117, left_line(vm), vm->v->table->name);
    }
}

static void check_same(struct stile__vm *vm)
{
    const struct stile__group *g = &vm->group;
    const struct stile__variant *v = vm->v;
    for (size_t i = 1; i < g->count; i++) {
        for (uint32_t c = 0; c < v->same_count; c++) {
            uint32_t at = v->same[c];
            if (!stile_str_eq(g->cells[i][at], g->cells[0][at])) {
                vm->at.row = g->rows[i];
                stile__vm_fail(vm, RUN_T115, left_line(vm),
                               v->table->column_names[at]);
                return;
            }
        }
    }
}

/* ---- in which order ---- */

struct entry {
    const struct stile_row *row;
    const struct stile_str *cells;
    const struct stile__rule *key;    /* of a group's row */
    const struct stile__child *child; /* or of another table's */
    size_t place;
};

/* Whole numbers first, by their value; then by bytes. */
static int cell_cmp(struct stile_str a, struct stile_str b)
{
    int64_t m = 0, n = 0;
    bool x = stile_str_to_int64(a, &m), y = stile_str_to_int64(b, &n);
    if (x != y) {
        return x ? -1 : 1;
    }
    if (x && m != n) {
        return m < n ? -1 : 1;
    }
    return stile_str_cmp(a, b);
}

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    uint32_t count =
        x->child != NULL ? x->child->key_count : x->key->column_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at =
            x->child != NULL ? x->child->keys[i] : x->key->columns[i].ordinal;
        int c = cell_cmp(x->cells[at], y->cells[at]);
        if (c != 0) {
            return c;
        }
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

/* By the key, so that the order the rows were given in does not matter. */
static void sort(struct stile__vm *vm)
{
    struct stile__group *g = &vm->group;
    struct entry *entries =
        stile_arena_array(vm->run->arena, g->count, sizeof *entries);
    if (entries == NULL) {
        return;
    }
    for (size_t i = 0; i < g->count; i++) {
        entries[i] = (struct entry){.row = g->rows[i],
                                    .cells = g->cells[i],
                                    .key = stile__row_each(vm->v)->key,
                                    .place = i};
    }
    qsort(entries, g->count, sizeof *entries, by_key);
    for (size_t i = 0; i < g->count; i++) {
        g->rows[i] = entries[i].row;
        g->cells[i] = entries[i].cells;
    }
}

void stile__group_gather(struct stile__vm *vm)
{
    const struct stile_row *own = vm->at.row;
    const struct stile_str *cells = vm->rows[0];
    struct stile__group *g = &vm->group;
    size_t count = 0;
    if (!is_member(vm, own, cells)) {
        if (!vm->over) {
            not_taken(vm);
        }
        return;
    }
    const struct stile_row *const *list = ask(vm, &count);
    if (vm->over) {
        return;
    }
    g->rows = stile_arena_array(vm->run->arena, count, sizeof *g->rows);
    g->cells = stile_arena_array(vm->run->arena, count, sizeof *g->cells);
    if (g->rows == NULL || g->cells == NULL) {
        vm->over = true; /* the arena says it */
        return;
    }
    members(vm, own, list, count);
    if (!vm->over) {
        check_same(vm);
    }
    if (!vm->over) {
        sort(vm);
        stile__vm_row(vm, own, cells);
    }
}

/* ---- the list ---- */

struct keyed {
    struct stile_str key;
    size_t place;
};

static int by_text(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int c = stile_str_cmp(x->key, y->key);
    return c != 0 ? c : x->place < y->place ? -1 : x->place > y->place;
}

size_t stile__twin(const struct stile_str *keys, size_t count,
                   struct stile_arena *arena)
{
    struct keyed *sorted = stile_arena_array(arena, count, sizeof *sorted);
    size_t twin = SIZE_MAX;
    for (size_t i = 0; sorted != NULL && i < count; i++) {
        sorted[i] = (struct keyed){keys[i], i};
    }
    if (sorted != NULL) {
        qsort(sorted, count, sizeof *sorted, by_text);
    }
    for (size_t i = 1; sorted != NULL && i < count; i++) {
        if (stile_str_eq(sorted[i].key, sorted[i - 1].key) &&
            sorted[i].place < twin) {
            twin = sorted[i].place;
        }
    }
    return twin;
}

static void one_item(struct stile__vm *vm, const struct stile__each *each,
                     struct stile_value *list, struct stile_str *ret_key)
{
    struct stile_value *outer = vm->root;
    struct stile__trace *t = vm->run->trace;
    struct stile_value *item = stile_value_new(vm->run->arena, STILE_OBJECT);
    if (t != NULL && t->out != NULL) {
        stile_buf_printf(t->out, "  row %llu\n",
                         (unsigned long long)vm->at.row->number);
    }
    vm->root = item;
    stile__vm_run(vm, &each->right);
    vm->root = outer;
    if (vm->over || item == NULL) {
        return;
    }
    *ret_key = stile__scalar_text(stile__path_read(item, &each->by));
    if (ret_key->len == 0) {
        uint32_t line = 0, column = 0;
        stile_source_place(vm->v->mapping->tree->source, each->by.span.offset,
                           &line, &column);
        stile__vm_fail(vm, RUN_T120, line, each->key->columns[0].column->name);
        return;
    }
    (void)stile_value_push(list, item);
}

void stile__group_each(struct stile__vm *vm, const struct stile__each *each)
{
    const struct stile__group *g = &vm->group;
    const struct stile_row *own = vm->at.row;
    const struct stile_str *cells = vm->rows[0];
    struct stile_arena *arena = vm->run->arena;
    struct stile_value *list = stile__path_list(vm->root, &each->list, arena);
    struct stile_str *keys = stile_arena_array(arena, g->count, sizeof *keys);
    if (list == NULL || keys == NULL) {
        vm->over = true; /* the arena says it */
        return;
    }
    for (size_t i = 0; i < g->count && !vm->over; i++) {
        stile__vm_row(vm, g->rows[i], g->cells[i]);
        one_item(vm, each, list, &keys[i]);
    }
    if (vm->over) {
        return;
    }
    size_t twin = stile__twin(keys, g->count, arena);
    if (twin != SIZE_MAX) {
        vm->at.row = g->rows[twin];
        stile__vm_fail(vm, RUN_T116, left_line(vm),
                       each->key->columns[0].column->name);
        return;
    }
    stile__vm_row(vm, own, cells);
}

/* ---- rows of another table ---- */

static struct entry *children(struct stile__vm *vm,
                              const struct stile__child *child,
                              size_t *ret_count)
{
    const struct stile_map_env *env = vm->run->env;
    const struct stile_row *const *list = NULL;
    struct stile_map_ask what = {.family = child->table->family,
                                 .table = child->table->name,
                                 .columns =
                                     &child->table->column_names[child->link],
                                 .keys = &vm->cells[0],
                                 .count = 1};
    size_t count = 0;
    enum stile_status status = env == NULL || env->rows == NULL
                                   ? STILE_NOT_FOUND
                                   : env->rows(env->ctx, &what, &list, &count);
    if (status == STILE_NOT_FOUND) {
        stile__vm_fail(vm, RUN_T117, vm->prog->lines[vm->pc],
                       child->table->name);
        return NULL;
    }
    struct entry *entries =
        stile_arena_array(vm->run->arena, count, sizeof *entries);
    if (status != STILE_OK || entries == NULL) {
        vm->status = status;
        vm->over = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct entry){
            .row = list[i],
            .cells = stile__row_cells(list[i], child->table, vm->run->arena),
            .child = child,
            .place = i};
        if (entries[i].cells == NULL) {
            vm->over = true; /* the arena says it */
            return NULL;
        }
    }
    qsort(entries, count, sizeof *entries, by_key);
    *ret_count = count;
    return entries;
}

static void trace_child(struct stile__vm *vm, const struct entry *e)
{
    struct stile__trace *t = vm->run->trace;
    if (t != NULL && t->out != NULL) {
        stile_buf_printf(t->out, "  %.*s\n    line %u from %.*s row %llu\n",
                         STILE_FMT(e->child->item.canon),
                         vm->prog->lines[vm->pc],
                         STILE_FMT(e->child->table->name),
                         (unsigned long long)e->row->number);
    }
}

/* The reference to the row; the list is made with the first. */
static void refer(struct stile__vm *vm, const struct stile__each *each,
                  const struct entry *e, struct stile_str *ret_key)
{
    struct stile_arena *arena = vm->run->arena;
    struct stile_str cells[STILE__CELLS];
    struct stile__codec_io io = {
        .arena = arena, .cells = cells, .count = each->child->key_count};
    for (uint32_t i = 0; i < each->child->key_count; i++) {
        cells[i] = e->cells[each->child->keys[i]];
    }
    enum stile__run_code code = stile__codec_right(each->child->use, &io);
    if (code != RUN_NONE || io.value.len == 0) {
        vm->at.row = e->row;
        stile__vm_fail(vm, code != RUN_NONE ? code : RUN_T120,
                       vm->prog->lines[vm->pc],
                       each->child->table->column_names[each->child->keys[0]]);
        return;
    }
    struct stile_value *item = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *list = stile__path_list(vm->root, &each->list, arena);
    if (item == NULL || list == NULL) {
        vm->over = true; /* the arena says it */
        return;
    }
    stile__path_put(item, &each->child->item, io.value, STILE_STRING, arena);
    (void)stile_value_push(list, item);
    *ret_key = io.value;
    trace_child(vm, e);
}

void stile__group_refer(struct stile__vm *vm, const struct stile__each *each)
{
    const struct stile_row *own = vm->at.row;
    size_t count = 0;
    if (vm->cells[0].len == 0) {
        return;
    }
    struct entry *entries = children(vm, each->child, &count);
    if (vm->over) {
        return;
    }
    struct stile_str *keys =
        stile_arena_array(vm->run->arena, count, sizeof *keys);
    for (size_t i = 0; keys != NULL && i < count && !vm->over; i++) {
        refer(vm, each, &entries[i], &keys[i]);
    }
    if (vm->over || keys == NULL) {
        vm->over = true;
        return;
    }
    size_t twin = stile__twin(keys, count, vm->run->arena);
    if (twin != SIZE_MAX) {
        vm->at.row = entries[twin].row;
        stile__vm_fail(vm, RUN_T116, vm->prog->lines[vm->pc],
                       each->child->table->name);
        return;
    }
    vm->at.row = own;
}
