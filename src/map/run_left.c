/* The leftward machine: one resource, one mapping, cells. */
#include "trie.h"

struct vm {
    const struct stile__variant *v;
    const struct stile__program *prog;
    const struct stile__resource *resource;
    const uint32_t *found; /* by the trie, of a tape; NULL in an item */
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile__left_cells *out;
    struct stile__codec_io io;
    struct stile_str cells[STILE__CELLS];
    const struct stile__path *path; /* the last one read */
    bool test;
    bool *flags;
    uint32_t pc;
    bool over;
};

static void finding(struct vm *vm, enum stile__run_code code)
{
    const struct stile_mapping *m = vm->v->mapping;
    struct stile_str canon =
        vm->path != NULL ? vm->path->canon : STILE_STR_NULL;
    struct stile_str path = stile_arena_printf(
        vm->arena, "%.*s.%.*s (%.*s line %u)",
        STILE_FMT(stile_fhir_type_name(m->type)), STILE_FMT(canon),
        STILE_FMT(m->tree->source->name), vm->prog->lines[vm->pc]);
    (void)stile_diag_at_record(vm->diags, stile__run_code_name(code),
                               stile__run_code_severity(code), STILE_STR_NULL,
                               0, path, stile__run_code_text(code));
}

static void read_list(struct vm *vm, const struct stile_value *array)
{
    if (array == NULL || array->kind != STILE_ARRAY) {
        return;
    }
    vm->io.items =
        stile_arena_array(vm->arena, array->count, sizeof *vm->io.items);
    for (struct stile_value *v = array->first; v && vm->io.items; v = v->next) {
        struct stile_str text = stile__scalar_text(v);
        if (text.len > 0) {
            vm->io.items[vm->io.item_count++] = text;
        }
    }
}

static void tape_list(struct vm *vm, uint32_t array)
{
    const struct stile_tape *tape = vm->resource->tape;
    const struct stile_tape_item *items = tape->items;
    size_t count = 0;
    if (array == STILE_TAPE_NONE || items[array].kind != STILE_ARRAY) {
        return;
    }
    for (uint32_t i = array + 1; i < items[array].end; i = items[i].end) {
        count++;
    }
    vm->io.items = stile_arena_array(vm->arena, count, sizeof *vm->io.items);
    for (uint32_t i = array + 1; vm->io.items && i < items[array].end;
         i = items[i].end) {
        struct stile_str text = stile_tape_text(tape, i, vm->arena);
        if (text.len > 0) {
            vm->io.items[vm->io.item_count++] = text;
        }
    }
}

static uint32_t find_on_tape(const struct vm *vm, uint32_t path)
{
    const struct stile__resource *r = vm->resource;
    uint32_t node = vm->v->trie->node_of[path];
    if (node == 0 || vm->found == NULL) {
        return stile__tape_path(r->tape, r->at, vm->path, vm->arena);
    }
    return vm->found[node] != 0 ? vm->found[node] - 1 : STILE_TAPE_NONE;
}

static void read(struct vm *vm, const struct stile__instr *in)
{
    bool list = in->op == OP_READ_LIST, there = false;
    vm->path = vm->v->pool.paths[in->c];
    vm->io.items = NULL;
    vm->io.item_count = 0;
    vm->io.value = STILE_STR_NULL;
    if (vm->resource->tape != NULL) {
        uint32_t at = find_on_tape(vm, in->c);
        there = at != STILE_TAPE_NONE;
        if (list) {
            tape_list(vm, at);
        } else if (there) {
            vm->io.value = stile_tape_text(vm->resource->tape, at, vm->arena);
        }
    } else {
        const struct stile_value *v =
            stile__path_read(vm->resource->tree, vm->path);
        there = v != NULL;
        if (list) {
            read_list(vm, v);
        } else {
            vm->io.value = stile__scalar_text(v);
        }
    }
    if (!list) {
        /* An object or array is there, though it has no text of its own. */
        bool bare = there && vm->io.value.ptr == NULL;
        vm->cells[0] = bare ? STILE_STR("{}") : vm->io.value;
    }
}

static void store(struct vm *vm, const struct stile__instr *in,
                  struct stile_str cell, bool fill)
{
    struct stile_str *slot = &vm->out->cells[in->b][in->c];
    if (cell.len == 0) {
        return;
    }
    if (slot->len == 0) {
        *slot = cell;
    } else if (!fill && !stile_str_eq(*slot, cell)) {
        finding(vm, RUN_T205);
    }
}

static void decode(struct vm *vm, const struct stile__instr *in)
{
    vm->io.cells = vm->cells;
    vm->io.count = in->a;
    enum stile__run_code code =
        stile__codec_left(vm->v->pool.uses[in->c], &vm->io);
    if (code != RUN_NONE) {
        finding(vm, code);
        vm->out->failed = true;
        vm->over = true;
    } else if (vm->io.warning != RUN_NONE) {
        finding(vm, vm->io.warning);
    }
}

static void tests(struct vm *vm, const struct stile__instr *in)
{
    const struct stile__pool *pool = &vm->v->pool;
    bool b = false;
    switch (in->op) {
    case OP_PRESENT:
        vm->test = vm->cells[0].len > 0;
        break;
    case OP_EQ:
        vm->test = vm->cells[0].len > 0 &&
                   stile_str_eq(vm->cells[0], pool->constants[in->c].text);
        break;
    case OP_TRUTH:
        vm->test = stile__bool_read(vm->cells[0], &b) && b == (in->c == 1);
        break;
    case OP_TABLE:
        vm->test = vm->cells[0].len > 0 &&
                   stile__codes_left(pool->tables[in->c], vm->cells[0]);
        break;
    case OP_RANGE: {
        int64_t n = 0;
        vm->test = stile_str_to_int64(vm->cells[0], &n) &&
                   n >= pool->ranges[in->c].lo && n <= pool->ranges[in->c].hi;
        break;
    }
    case OP_NOT:
        vm->test = !vm->test;
        break;
    case OP_SET_FLAG:
        vm->flags[in->b] = vm->test;
        break;
    case OP_FLAG:
        vm->test = vm->flags[in->b];
        break;
    default:
        vm->test = true;
        break;
    }
}

static void values(struct vm *vm, const struct stile__instr *in)
{
    const struct stile__pool *pool = &vm->v->pool;
    switch (in->op) {
    case OP_READ:
    case OP_READ_LIST:
        read(vm, in);
        break;
    case OP_UNDEFAULT:
        if (stile_str_eq(vm->io.value, pool->constants[in->c].text)) {
            vm->io.value = STILE_STR_NULL;
        }
        break;
    case OP_DECODE:
        decode(vm, in);
        break;
    case OP_STORE:
        store(vm, in, vm->cells[in->a], false);
        break;
    case OP_FILL:
        store(vm, in, vm->io.value, true);
        break;
    case OP_CONSTANT:
        vm->io.value = pool->constants[in->c].text;
        break;
    default: /* OP_NOTHING */
        vm->io.value = STILE_STR_NULL;
        break;
    }
}

static void ask(struct vm *vm, const struct stile__instr *in)
{
    enum stile_status status = stile__run_ask(
        &vm->v->pool.asks[in->c], vm->resource, vm->arena, &vm->test);
    if (status != STILE_OK) {
        vm->path = NULL;
        finding(vm, RUN_T119);
        vm->out->failed = true;
        vm->over = true;
    }
}

static void each(struct vm *vm, const struct stile__each *each);
static void items(struct vm *vm, const struct stile__each *each);

static void step(struct vm *vm, const struct stile__instr *in)
{
    switch (in->op) {
    case OP_ASK:
        ask(vm, in);
        break;
    case OP_EACH:
        each(vm, vm->v->eaches[in->c]);
        break;
    case OP_REFER:
        items(vm, vm->v->eaches[in->c]);
        break;
    case OP_JUMP_IF:
        if (vm->test == (in->a == 1)) {
            vm->pc = in->c - 1;
        }
        break;
    case OP_JUMP:
        vm->pc = in->c - 1;
        break;
    case OP_TAKE:
        vm->out->taken = vm->test;
        vm->over = !vm->test;
        break;
    case OP_PRESENT:
    case OP_EQ:
    case OP_TRUTH:
    case OP_RANGE:
    case OP_TABLE:
    case OP_NOT:
    case OP_YES:
    case OP_SET_FLAG:
    case OP_FLAG:
        tests(vm, in);
        break;
    default:
        values(vm, in);
        break;
    }
}

static void run(struct vm *vm, const struct stile__program *prog)
{
    vm->prog = prog;
    for (vm->pc = 0; !vm->over; vm->pc++) {
        STILE_ASSERT(vm->pc < prog->count);
        if (prog->code[vm->pc].op == OP_END) {
            break;
        }
        step(vm, &prog->code[vm->pc]);
    }
}

/* ---- lists of rows ---- */

static void one_item(struct vm *vm, const struct stile__each *each,
                     const struct stile__resource *item)
{
    struct stile__left_cells cells = {.taken = true};
    struct vm sub = {.v = vm->v,
                     .resource = item,
                     .arena = vm->arena,
                     .diags = vm->diags,
                     .out = &cells,
                     .flags = vm->flags};
    sub.io.arena = vm->arena;
    cells.cells[0] = stile_arena_array(vm->arena, vm->v->table->count,
                                       sizeof(struct stile_str));
    if (cells.cells[0] == NULL) {
        vm->over = true; /* the arena says it */
        return;
    }
    run(&sub, &each->left);
    vm->out->failed = vm->out->failed || cells.failed;
    vm->over = vm->over || cells.failed;
    bool keyed = true;
    for (uint32_t i = 0; i < each->key->column_count; i++) {
        uint32_t at = each->key->columns[i].ordinal;
        keyed = keyed && cells.cells[0][at].len > 0;
    }
    if (keyed) {
        vm->out->rows[vm->out->row_count++] = cells.cells[0];
    } else if (!cells.failed) {
        vm->path = &each->by;
        finding(vm, RUN_T208);
    }
}

/* A reference of the list: the key of a row of the other table. */
static void linked(struct vm *vm, const struct stile__each *each,
                   const struct stile__resource *item)
{
    const struct stile__child *child = each->child;
    struct stile__linked *row = stile_arena_alloc(vm->arena, sizeof *row);
    struct stile_str *cells =
        stile_arena_array(vm->arena, child->table->count, sizeof *cells);
    struct stile_str keys[STILE__CELLS];
    struct stile__codec_io io = {
        .arena = vm->arena, .cells = keys, .count = child->key_count};
    if (row == NULL || cells == NULL) {
        vm->over = true; /* the arena says it */
        return;
    }
    if (item->tape != NULL) {
        uint32_t at =
            stile__tape_path(item->tape, item->at, &child->item, vm->arena);
        io.value = at != STILE_TAPE_NONE
                       ? stile_tape_text(item->tape, at, vm->arena)
                       : STILE_STR_NULL;
    } else {
        io.value =
            stile__scalar_text(stile__path_read(item->tree, &child->item));
    }
    vm->path = &child->item;
    enum stile__run_code code = stile__codec_left(child->use, &io);
    bool keyed = code == RUN_NONE;
    for (uint32_t i = 0; keyed && i < child->key_count; i++) {
        keyed = keys[i].len > 0;
        cells[child->keys[i]] = keys[i];
    }
    if (!keyed) {
        finding(vm, code == RUN_NONE ? RUN_T208 : code);
        vm->out->failed = vm->out->failed || code != RUN_NONE;
        return;
    }
    *row = (struct stile__linked){child, cells, vm->out->linked};
    vm->out->linked = row;
}

/* For as many rows as the list has items; false when memory is short. */
static bool room(struct vm *vm, const struct stile__each *each, size_t count)
{
    if (each->child == NULL) {
        vm->out->rows =
            stile_arena_array(vm->arena, count, sizeof *vm->out->rows);
        return vm->out->rows != NULL;
    }
    return true;
}

static void tree_items(struct vm *vm, const struct stile__each *each)
{
    const struct stile_value *list =
        stile__path_read(vm->resource->tree, &each->list);
    bool array = list != NULL && list->kind == STILE_ARRAY;
    if (!room(vm, each, array ? list->count : 0)) {
        return;
    }
    for (const struct stile_value *v = array ? list->first : NULL;
         v && !vm->over; v = v->next) {
        struct stile__resource item = {.tree = v};
        (each->child != NULL ? linked : one_item)(vm, each, &item);
    }
}

static void tape_items(struct vm *vm, const struct stile__each *each)
{
    const struct stile_tape *tape = vm->resource->tape;
    uint32_t list =
        stile__tape_path(tape, vm->resource->at, &each->list, vm->arena);
    bool array =
        list != STILE_TAPE_NONE && tape->items[list].kind == STILE_ARRAY;
    size_t count = 0;
    for (uint32_t i = list + 1; array && i < tape->items[list].end;
         i = tape->items[i].end) {
        count++;
    }
    if (!room(vm, each, count)) {
        return;
    }
    for (uint32_t i = list + 1; array && !vm->over && i < tape->items[list].end;
         i = tape->items[i].end) {
        struct stile__resource item = {.tape = tape, .at = i};
        (each->child != NULL ? linked : one_item)(vm, each, &item);
    }
}

static void items(struct vm *vm, const struct stile__each *each)
{
    if (vm->resource->tape != NULL) {
        tape_items(vm, each);
    } else {
        tree_items(vm, each);
    }
}

static void each(struct vm *vm, const struct stile__each *each)
{
    struct stile__left_cells *out = vm->out;
    items(vm, each);
    struct stile_str *keys =
        stile_arena_array(vm->arena, out->row_count, sizeof *keys);
    for (size_t i = 0; keys != NULL && i < out->row_count; i++) {
        for (uint32_t c = 0; c < each->key->column_count; c++) {
            struct stile_str cell = out->rows[i][each->key->columns[c].ordinal];
            keys[i] = c == 0 ? cell
                             : stile_arena_printf(vm->arena, "%.*s\x1f%.*s",
                                                  STILE_FMT(keys[i]),
                                                  STILE_FMT(cell));
        }
    }
    if (keys != NULL && !vm->over &&
        stile__twin(keys, out->row_count, vm->arena) != SIZE_MAX) {
        vm->path = &each->by;
        finding(vm, RUN_T116);
        out->failed = true;
        vm->over = true;
    }
}

/* What stands outside the list is in every row. */
static void spread(const struct stile__variant *v,
                   struct stile__left_cells *cells)
{
    cells->taken = cells->taken && cells->row_count > 0;
    for (size_t i = 0; i < cells->row_count; i++) {
        for (size_t c = 0; c < v->table->count; c++) {
            struct stile_str *cell = &cells->rows[i][c];
            *cell = cell->len == 0 ? cells->cells[0][c] : *cell;
        }
        for (uint32_t k = 0; k < v->key_count; k++) {
            cells->taken = cells->taken && cells->rows[i][v->keys[k]].len > 0;
        }
    }
}

/* False when the arena is full. */
static bool start(struct vm *vm)
{
    const struct stile__variant *v = vm->v;
    vm->flags = stile_arena_array(vm->arena, v->flag_count, sizeof(bool));
    for (uint32_t i = 0; i < v->alias_count; i++) {
        vm->out->cells[i] = stile_arena_array(
            vm->arena, v->aliases[i].table->count, sizeof(struct stile_str));
    }
    if (vm->resource->tape != NULL) {
        uint32_t *found =
            stile_arena_array(vm->arena, v->trie->count, sizeof *found);
        if (found != NULL) {
            stile__trie_read(v->trie, vm->resource->tape, vm->resource->at,
                             vm->arena, found);
        }
        vm->found = found;
    }
    return !stile_arena_failed(vm->arena);
}

void stile__run_left(const struct stile__variant *variant,
                     const struct stile__resource *resource,
                     struct stile_arena *arena, struct stile_diags *diags,
                     struct stile__left_cells *ret)
{
    struct vm vm = {.v = variant,
                    .resource = resource,
                    .arena = arena,
                    .diags = diags,
                    .out = ret};
    *ret = (struct stile__left_cells){.taken = true};
    vm.io.arena = arena;
    if (!start(&vm)) {
        ret->taken = false;
        return;
    }
    run(&vm, &variant->left);
    if (variant->group_count > 0) {
        spread(variant, ret);
        return;
    }
    for (uint32_t i = 0; i < variant->key_count; i++) {
        ret->taken = ret->taken && ret->cells[0][variant->keys[i]].len > 0;
    }
}
