/* The rightward machine: one row, one mapping, one resource. */
#include "run_right.h"

/* ---- findings ---- */

static struct stile_str column_name(const struct stile__vm *vm, uint32_t cell)
{
    const struct stile__instr *in = &vm->prog->code[vm->loaded[cell]];
    return vm->v->aliases[in->b].table->columns[in->c].name;
}

void stile__right_finding(const struct stile__right_run *run,
                          enum stile__run_code code, uint32_t line,
                          struct stile_str what)
{
    const struct stile_mapping *m = run->variant->mapping;
    struct stile_str path = STILE_STR_NULL;
    /* What is only counted needs no text. */
    if (run->diags->count < run->diags->limit) {
        path = stile_arena_printf(run->arena, "%.*s (%.*s line %u)",
                                  STILE_FMT(what),
                                  STILE_FMT(m->tree->source->name), line);
    }
    (void)stile_diag_at_record(
        run->diags, stile__run_code_name(code), stile__run_code_severity(code),
        run->row->file, run->row->number, path, stile__run_code_text(code));
}

static void finding(struct stile__vm *vm, enum stile__run_code code,
                    struct stile_str what)
{
    stile__right_finding(vm->run, code, vm->prog->lines[vm->pc], what);
}

static void stop(struct stile__vm *vm, enum stile_map_result_kind kind)
{
    vm->result->kind = kind;
    vm->over = true;
}

static void fail(struct stile__vm *vm, enum stile__run_code code,
                 struct stile_str what)
{
    finding(vm, code, what);
    stop(vm, STILE_MAP_FAILED);
}

void stile__vm_fail(struct stile__vm *vm, enum stile__run_code code,
                    uint32_t line, struct stile_str what)
{
    stile__right_finding(vm->run, code, line, what);
    stop(vm, STILE_MAP_FAILED);
}

static void hold(struct stile__vm *vm, struct stile_str missing,
                 struct stile_str reason)
{
    vm->result->missing = missing;
    vm->result->reason = reason;
    stop(vm, STILE_MAP_HELD);
}

/* ---- rows ---- */

const struct stile_str *stile__row_cells(const struct stile_row *row,
                                         const struct stile_table *table,
                                         struct stile_arena *arena)
{
    if (row->columns == table->column_names && row->count == table->count) {
        return row->cells;
    }
    struct stile_str *cells =
        stile_arena_array(arena, table->count, sizeof *cells);
    for (size_t i = 0; cells != NULL && i < row->count; i++) {
        uint32_t at = stile_table_column(table, row->columns[i]);
        if (at != UINT32_MAX && cells[at].ptr == NULL) {
            cells[at] = row->cells[i];
        }
    }
    return cells;
}

const struct stile__variant *
stile__variant_of(const struct stile_mapping *mapping,
                  const struct stile_row *row)
{
    for (uint32_t i = mapping->variant_count; i > 0; i--) {
        if (mapping->variants[i - 1].table->column_names == row->columns) {
            return &mapping->variants[i - 1];
        }
    }
    return &mapping->variants[mapping->variant_count - 1];
}

static void missing_row(struct stile__vm *vm, const struct stile__alias *alias)
{
    if (alias->policy.kind == STILE_LANG_POLICY_HOLD) {
        hold(vm, alias->missing, alias->policy.reason);
    } else if (alias->policy.kind == STILE_LANG_POLICY_REJECT) {
        fail(vm, RUN_T111, alias->missing);
    }
}

enum stile_status stile__look_up(const struct stile_map_env *env,
                                 const struct stile__alias *alias,
                                 struct stile_str key,
                                 const struct stile_row **ret)
{
    return env == NULL || env->lookup == NULL
               ? STILE_NOT_FOUND
               : env->lookup(env->ctx, alias->table->family, alias->table->name,
                             alias->table->columns[alias->by].name, key, ret);
}

static void look_up(struct stile__vm *vm, uint32_t at)
{
    const struct stile__alias *alias = &vm->v->aliases[at];
    const struct stile_str *keys = vm->rows[alias->key.alias];
    const struct stile_row *row = NULL;
    if (vm->looked[at]) {
        return;
    }
    vm->looked[at] = true;
    struct stile_str key =
        keys != NULL ? keys[alias->key.ordinal] : STILE_STR_NULL;
    if (key.len == 0) {
        return;
    }
    enum stile_status status = stile__look_up(vm->run->env, alias, key, &row);
    if (status == STILE_OK && row != NULL) {
        vm->rows[at] = stile__row_cells(row, alias->table, vm->run->arena);
    } else if (status == STILE_NEED) {
        vm->result->missing = alias->missing;
        stop(vm, STILE_MAP_NEED);
    } else if (status == STILE_NOT_FOUND) {
        missing_row(vm, alias);
    } else {
        vm->status = status == STILE_OK ? STILE_INVALID : status;
        vm->over = true;
    }
}

/* ---- tests ---- */

static void test_range(struct stile__vm *vm, const struct stile__range *range)
{
    int64_t n = 0;
    vm->test = stile_str_to_int64(stile_str_trim(vm->cells[0]), &n) &&
               n >= range->lo && n <= range->hi;
}

static void tests(struct stile__vm *vm, const struct stile__instr *in)
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
    case OP_RANGE:
        test_range(vm, &pool->ranges[in->c]);
        break;
    case OP_TABLE:
        vm->test = vm->cells[0].len > 0 &&
                   stile__codes_right(pool->tables[in->c], vm->cells[0]);
        break;
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

/* ---- values ---- */

/* As FHIRPath with R4 JSON's names: `value[x]Quantity` is valueQuantity. */
static void trace_path(struct stile_buf *out, struct stile_str canon)
{
    for (size_t i = 0; i < canon.len; i++) {
        char c = canon.ptr[i];
        if (stile_str_starts(stile_str_sub(canon, i, 3), STILE_STR("[x]")) &&
            i + 3 < canon.len) {
            i += 3;
            c = canon.ptr[i];
            c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        }
        stile_buf_byte(out, c);
    }
}

static void trace_put(struct stile__vm *vm, const struct stile__path *path)
{
    struct stile__trace *t = vm->run->trace;
    if (t == NULL || t->out == NULL) {
        return;
    }
    stile_buf_addc(t->out, "  ");
    trace_path(t->out, path->canon);
    if (t->values && vm->io.item_count == 0) {
        stile_buf_addc(t->out, " = ");
        stile_buf_json_str(t->out, vm->io.value);
    }
    stile_buf_printf(t->out, "\n    line %u", vm->prog->lines[vm->pc]);
    for (size_t i = 0; i < vm->io.count; i++) {
        stile_buf_printf(t->out, "%s%.*s", i == 0 ? " from " : ", ",
                         STILE_FMT(column_name(vm, (uint32_t)i)));
    }
    if (vm->io.row != NULL) {
        uint32_t line = 0, column = 0;
        const struct stile__code_table *table = NULL;
        for (uint32_t i = 0; i < vm->v->mapping->set->table_count; i++) {
            const struct stile__code_table *c = &vm->v->mapping->set->tables[i];
            bool in = vm->io.row >= c->rows && vm->io.row < c->rows + c->count;
            table = in ? c : table;
        }
        if (table != NULL) {
            stile_source_place(table->source, vm->io.row->span.offset, &line,
                               &column);
            stile_buf_printf(t->out, ", code row %.*s line %u",
                             STILE_FMT(table->name), line);
        }
    }
    stile_buf_byte(t->out, '\n');
}

static void encode(struct stile__vm *vm, const struct stile__instr *in)
{
    const struct stile__codec_use *use = vm->v->pool.uses[in->c];
    vm->io.cells = vm->cells;
    vm->io.count = in->a;
    enum stile__run_code code = stile__codec_right(use, &vm->io);
    struct stile__trace *t = vm->run->trace;
    if (t != NULL && t->coded != NULL && use->table != NULL &&
        (vm->io.row != NULL || vm->io.missed || code == RUN_T105)) {
        t->coded(t->ctx, use->table, vm->io.row);
    }
    if (code == RUN_T105 && use->policy.kind == STILE_LANG_POLICY_HOLD) {
        hold(vm, use->table->name, use->policy.reason);
    } else if (code != RUN_NONE) {
        fail(vm, code, column_name(vm, 0));
    } else if (vm->io.warning != RUN_NONE) {
        finding(vm, vm->io.warning, column_name(vm, 0));
    }
}

static void set_constant(struct stile__vm *vm, const struct stile__constant *c)
{
    vm->io.value = c->text;
    vm->io.items = NULL;
    vm->io.item_count = 0;
}

static void put(struct stile__vm *vm, const struct stile__instr *in)
{
    const struct stile__path *path = vm->v->pool.paths[in->c];
    struct stile_arena *arena = vm->run->arena;
    if (in->op == OP_PUT && vm->io.value.len > 0) {
        stile__path_put(vm->root, path, vm->io.value, path->kind, arena);
        trace_put(vm, path);
    } else if (in->op == OP_PUT_LIST && vm->io.item_count > 0) {
        stile__path_put_list(vm->root, path, vm->io.items, vm->io.item_count,
                             arena);
        trace_put(vm, path);
    } else if (in->op == OP_PUT_MISS && vm->io.missed) {
        stile__path_put(vm->root, path, vm->cells[0], STILE_STRING, arena);
        trace_put(vm, path);
    }
}

static void must(struct stile__vm *vm, const struct stile__instr *in)
{
    const struct stile_fhir_type *type =
        in->b > 0 ? vm->v->eaches[in->b - 1]->item : vm->v->mapping->type;
    struct stile_str name = vm->v->pool.constants[in->c].text;
    bool found = in->a == 0 && stile_value_get(vm->root, name) != NULL;
    const struct stile_fhir_element *e = stile_fhir_element(type, name);
    for (struct stile_value *v = vm->root->first; in->a == 1 && v && !found;
         v = v->next) {
        const struct stile_fhir_type *chosen = NULL;
        found = stile_fhir_element_json(type, v->name, &chosen) == e;
    }
    if (!found) {
        fail(vm, RUN_T110, name);
    }
}

static void deleted(struct stile__vm *vm)
{
    if (vm->io.value.len == 0) {
        fail(vm, RUN_T120, column_name(vm, 0));
        return;
    }
    vm->result->id = vm->io.value;
    stop(vm, STILE_MAP_DELETED);
}

static void values(struct stile__vm *vm, const struct stile__instr *in)
{
    const struct stile__pool *pool = &vm->v->pool;
    switch (in->op) {
    case OP_LOAD:
        vm->cells[in->a] =
            vm->rows[in->b] != NULL ? vm->rows[in->b][in->c] : STILE_STR_NULL;
        vm->loaded[in->a] = vm->pc;
        break;
    case OP_REQUIRE:
        if (vm->cells[0].len == 0) {
            fail(vm, RUN_T120, column_name(vm, 0));
        }
        break;
    case OP_EMPTY:
        if (vm->cells[0].len > 0) {
            finding(vm, RUN_T206, column_name(vm, 0));
        }
        break;
    case OP_ENCODE:
        encode(vm, in);
        break;
    case OP_DEFAULT:
        if (vm->io.value.len == 0) {
            vm->io.value = pool->constants[in->c].text;
        }
        break;
    case OP_CONSTANT:
        set_constant(vm, &pool->constants[in->c]);
        vm->io.count = 0;
        vm->io.row = NULL;
        break;
    case OP_NOTHING:
        vm->io.value = STILE_STR_NULL;
        break;
    case OP_MUST:
        must(vm, in);
        break;
    case OP_DELETED:
        deleted(vm);
        break;
    default:
        put(vm, in);
        break;
    }
}

static void step(struct stile__vm *vm, const struct stile__instr *in)
{
    switch (in->op) {
    case OP_EACH:
        stile__group_each(vm, vm->v->eaches[in->c]);
        break;
    case OP_REFER:
        stile__group_refer(vm, vm->v->eaches[in->c]);
        break;
    case OP_LOOKUP:
        look_up(vm, in->a);
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
        if (!vm->test) {
            vm->status = STILE_END;
            vm->over = true;
        }
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

static void note_branch(const struct stile__vm *vm, uint32_t pc)
{
    for (uint32_t i = 0; i < vm->v->branch_count; i++) {
        const struct stile__branch *b = &vm->v->branches[i];
        bool here = b->program == vm->prog && b->pc == pc;
        if (here && (b->program->code[pc].op != OP_SET_FLAG || vm->test)) {
            vm->run->ran[i] = true;
        }
    }
}

void stile__vm_run(struct stile__vm *vm, const struct stile__program *prog)
{
    const struct stile__program *outer = vm->prog;
    uint32_t back = vm->pc;
    vm->prog = prog;
    for (vm->pc = 0; !vm->over; vm->pc++) {
        uint32_t pc = vm->pc;
        STILE_ASSERT(pc < prog->count);
        if (prog->code[pc].op == OP_END) {
            break;
        }
        step(vm, &prog->code[pc]);
        if (vm->run->ran != NULL) {
            note_branch(vm, pc);
        }
    }
    vm->prog = outer;
    vm->pc = back;
}

void stile__vm_row(struct stile__vm *vm, const struct stile_row *row,
                   const struct stile_str *cells)
{
    vm->at.row = row;
    vm->rows[0] = cells;
    for (uint32_t i = 1; i < vm->v->alias_count; i++) {
        vm->rows[i] = NULL;
        vm->looked[i] = false;
    }
}

enum stile_status stile__run_right(const struct stile__right_run *run,
                                   struct stile_map_result *ret)
{
    struct stile_map_result result = {.mapping = run->variant->mapping};
    struct stile__vm vm = {
        .at = *run, .v = run->variant, .result = &result, .status = STILE_OK};
    vm.run = &vm.at;
    vm.io.arena = run->arena;
    vm.flags = stile_arena_array(run->arena, vm.v->flag_count, sizeof(bool));
    vm.rows[0] = stile__row_cells(run->row, vm.v->table, run->arena);
    vm.root = stile_value_new(run->arena, STILE_OBJECT);
    result.type = stile_fhir_type_name(vm.v->mapping->type);
    (void)stile_value_set_str(run->arena, vm.root, "resourceType", result.type);
    if (vm.flags == NULL || vm.rows[0] == NULL || vm.root == NULL) {
        return STILE_NOMEM;
    }
    if (vm.v->group_count > 0) {
        stile__group_gather(&vm);
    }
    stile__vm_run(&vm, &vm.v->right);
    if (stile_arena_failed(run->arena)) {
        return STILE_NOMEM;
    }
    if (vm.status != STILE_OK) {
        return vm.status;
    }
    if (result.kind == STILE_MAP_DONE) {
        result.resource = vm.root;
        result.id = stile_value_text(vm.root, "id");
    }
    result.rows = vm.group.rows;
    result.row_count = vm.group.count;
    *ret = result;
    return STILE_OK;
}
