/* The leftward machine: one resource, one mapping, cells. */
#include "map_private.h"

struct vm {
    const struct stile__variant *v;
    const struct stile_value *resource;
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
        STILE_FMT(m->tree->source->name), vm->v->left.lines[vm->pc]);
    (void)stile_diag_at_record(vm->diags, stile__run_code_name(code),
                               stile__run_code_severity(code), STILE_STR_NULL,
                               0, path, stile__run_code_text(code));
}

static void read_list(struct vm *vm, const struct stile_value *array)
{
    vm->io.value = STILE_STR_NULL;
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

static void read(struct vm *vm, const struct stile__instr *in)
{
    const struct stile_value *v = NULL;
    vm->path = vm->v->pool.paths[in->c];
    v = stile__path_read(vm->resource, vm->path);
    vm->io.items = NULL;
    vm->io.item_count = 0;
    if (in->op == OP_READ_LIST) {
        read_list(vm, v);
        return;
    }
    vm->io.value = stile__scalar_text(v);
    /* An object or array is there, though it has no text of its own. */
    bool there = v != NULL && vm->io.value.ptr == NULL;
    vm->cells[0] = there ? STILE_STR("{}") : vm->io.value;
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

static void step(struct vm *vm, const struct stile__instr *in)
{
    switch (in->op) {
    case OP_END:
        vm->over = true;
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

void stile__run_left(const struct stile__variant *variant,
                     const struct stile_value *resource,
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
    vm.flags = stile_arena_array(arena, variant->flag_count, sizeof(bool));
    for (uint32_t i = 0; i < variant->alias_count; i++) {
        ret->cells[i] = stile_arena_array(
            arena, variant->aliases[i].table->count, sizeof(struct stile_str));
    }
    if (stile_arena_failed(arena)) {
        ret->taken = false;
        return;
    }
    for (vm.pc = 0; !vm.over; vm.pc++) {
        STILE_ASSERT(vm.pc < variant->left.count);
        step(&vm, &variant->left.code[vm.pc]);
    }
    for (uint32_t i = 0; i < variant->key_count; i++) {
        ret->taken = ret->taken && ret->cells[0][variant->keys[i]].len > 0;
    }
}
