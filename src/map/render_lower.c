/* A rightward program to the renderer's: runs of instructions made one. */
#include "codec.h"
#include "render.h"

struct lower {
    struct stile__variant *v;
    struct stile_arena *arena;
    struct stile__render *render;
    struct stile__put puts[STILE__SLOTS];
    uint32_t put_count;
    const uint8_t *target; /* is jumped to */
    uint32_t *at;          /* op by instruction */
    bool looked[STILE__ALIASES];
    const struct stile_column *column; /* loaded last as the first cell */
    uint32_t line;
    uint32_t behind; /* instructions up to here may be jumped over */
};

static const struct stile__instr *instr(const struct lower *l, uint32_t pc)
{
    return &l->v->right.code[pc];
}

static struct stile__render_op *
op(struct lower *l, enum stile__render_code code, const struct stile__instr *in)
{
    struct stile__render_op *made = &l->render->ops[l->render->count++];
    *made = (struct stile__render_op){.code = (uint8_t)code,
                                      .op = in->op,
                                      .line = l->line,
                                      .column = l->column,
                                      .a = in->a,
                                      .b = in->b,
                                      .c = in->c};
    return made;
}

/* No jump may land inside a run that becomes one. */
static bool is_run(const struct lower *l, uint32_t pc, const uint8_t *ops,
                   uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (pc + i >= l->v->right.count || instr(l, pc + i)->op != ops[i] ||
            (i > 0 && l->target[pc + i])) {
            return false;
        }
    }
    return true;
}

/* ---- values ---- */

static bool plain_codes(const struct stile__code_table *table)
{
    bool plain = true;
    for (uint32_t i = 0; i < table->count; i++) {
        struct stile_str right = table->rows[i].right;
        plain = plain && stile_json_plain(right) == right.len;
    }
    return plain;
}

/* Codecs whose values are ASCII without quotes, or numbers. */
static bool makes_plain(const struct stile__codec_use *use,
                        enum stile_kind kind)
{
    static const char *const texts[] = {
        "guid",    "date",       "date-dmy",       "date-mon",   "partial-date",
        "instant", "local-time", "local-time-mon", "nhs-number", "id"};
    static const char *const numbers[] = {"int", "decimal"};
    const char *name = use->codec->name;
    if (strcmp(name, "ref") == 0) {
        return kind == STILE_STRING &&
               stile_json_plain(use->ref_type) == use->ref_type.len &&
               makes_plain(use->ref_id, kind);
    }
    if (use->codec->right == stile__codes_encode) {
        return kind == STILE_STRING && plain_codes(use->table);
    }
    for (size_t i = 0; kind == STILE_STRING && i < 10; i++) {
        if (strcmp(name, texts[i]) == 0) {
            return stile_json_plain(use->text) == use->text.len;
        }
    }
    for (size_t i = 0; kind == STILE_NUMBER && i < 2; i++) {
        if (strcmp(name, numbers[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum stile__render_code short_way(const struct stile__codec_use *use,
                                         const struct stile__path *path,
                                         struct stile_str *ret_before)
{
    if (use->blank_count > 0 || path->kind != STILE_STRING) {
        return RENDER_FIELD;
    }
    if (use->codec->right == stile__guid_right) {
        return RENDER_GUID;
    }
    /* The result needs the id's text: other kinds of it go the long way. */
    if (stile_str_eqc(path->canon, "id")) {
        return RENDER_FIELD;
    }
    if (use->codec->right == stile__ref_right && use->ref_id != NULL &&
        use->ref_id->codec->right == stile__guid_right &&
        use->ref_id->blank_count == 0) {
        *ret_before = use->ref_type;
        return RENDER_GUID;
    }
    if (use->codec->right == stile__text_right) {
        return RENDER_TEXT;
    }
    return use->codec->right == stile__code_right ? RENDER_CODE : RENDER_FIELD;
}

static uint16_t slot(struct lower *l, const struct stile__instr *in)
{
    uint32_t i = l->put_count++;
    l->puts[i] = (struct stile__put){.path = l->v->pool.paths[in->c],
                                     .list = in->op == OP_PUT_LIST};
    return (uint16_t)i;
}

static void field(struct lower *l, uint32_t pc)
{
    const struct stile__codec_use *use = l->v->pool.uses[instr(l, pc + 1)->c];
    const struct stile__instr *put = instr(l, pc + 2);
    const struct stile__path *path = l->v->pool.paths[put->c];
    struct stile_str type = STILE_STR_NULL;
    enum stile__render_code code = short_way(use, path, &type);
    struct stile__render_op *made = op(l, code, instr(l, pc));
    made->slot = slot(l, put);
    made->with.use = use;
    made->plain = makes_plain(use, path->kind);
    if (type.ptr != NULL) {
        l->puts[made->slot].before =
            stile_arena_printf(l->arena, "%.*s/", STILE_FMT(type));
    } else if (code == RENDER_GUID || code == RENDER_TEXT ||
               code == RENDER_CODE) {
        l->puts[made->slot].before = STILE_STR("");
    }
}

static void constant(struct lower *l, uint32_t pc)
{
    const struct stile__constant *c = &l->v->pool.constants[instr(l, pc)->c];
    const struct stile__instr *put = instr(l, pc + 1);
    enum stile_kind kind = l->v->pool.paths[put->c]->kind;
    struct stile__render_op *made = op(l, RENDER_CONSTANT, put);
    struct stile_buf text;
    made->slot = slot(l, put);
    stile_buf_init(&text, UINT16_MAX);
    if (kind == STILE_BOOL) {
        stile_buf_addc(&text,
                       stile_str_eqc(c->text, "true") ? "true" : "false");
    } else if (kind == STILE_NUMBER && stile_number_valid(c->text)) {
        stile_buf_add(&text, c->text);
    } else {
        stile_buf_json_str(&text, c->text);
    }
    l->puts[made->slot].literal =
        stile_arena_str(l->arena, stile_buf_str(&text));
    stile_buf_release(&text);
}

/* ---- single instructions ---- */

static void look_up(struct lower *l, uint32_t pc)
{
    const struct stile__instr *in = instr(l, pc);
    if (l->looked[in->a]) {
        return;
    }
    l->looked[in->a] = pc >= l->behind;
    (void)op(l, RENDER_VM, in);
}

static void single(struct lower *l, uint32_t pc)
{
    const struct stile__instr *in = instr(l, pc);
    const struct stile__pool *pool = &l->v->pool;
    struct stile__render_op *made = NULL;
    switch (in->op) {
    case OP_LOOKUP:
        look_up(l, pc);
        break;
    case OP_ENCODE:
        made = op(l, RENDER_VM, in);
        made->with.use = pool->uses[in->c];
        break;
    case OP_EQ:
    case OP_DEFAULT:
    case OP_CONSTANT:
        made = op(l, RENDER_VM, in);
        made->with.constant = &pool->constants[in->c];
        break;
    case OP_RANGE:
        made = op(l, RENDER_VM, in);
        made->with.range = &pool->ranges[in->c];
        break;
    case OP_TABLE:
        made = op(l, RENDER_VM, in);
        made->with.table = pool->tables[in->c];
        break;
    case OP_PUT:
    case OP_PUT_LIST:
    case OP_PUT_MISS:
        made = op(l, RENDER_PUT, in);
        made->slot = slot(l, in);
        break;
    case OP_MUST:
        (void)op(l, RENDER_MUST, in);
        break;
    case OP_TRUTH:
        op(l, RENDER_VM, in)->plain = in->c == 1;
        break;
    case OP_JUMP:
    case OP_JUMP_IF:
        op(l, RENDER_VM, in)->to = in->c;
        break;
    case OP_END:
        (void)op(l, RENDER_END, in);
        break;
    case OP_DELETED:
        (void)op(l, RENDER_BAIL, in);
        break;
    default:
        (void)op(l, RENDER_VM, in);
        break;
    }
}

static void pair(struct lower *l, uint32_t pc)
{
    const struct stile__codec_use *use = l->v->pool.uses[instr(l, pc + 2)->c];
    const struct stile__instr *put = instr(l, pc + 3);
    struct stile__render_op *made = op(l, RENDER_PAIR, instr(l, pc));
    made->b2 = instr(l, pc + 1)->b;
    made->c2 = instr(l, pc + 1)->c;
    made->slot = slot(l, put);
    made->with.use = use;
    made->plain = makes_plain(use, l->v->pool.paths[put->c]->kind);
}

/* Load, test, jump. */
static bool test_jump(struct lower *l, uint32_t pc)
{
    static const uint8_t tests[] = {OP_PRESENT, OP_TRUTH, OP_TABLE, OP_EQ};
    for (size_t i = 0; i < sizeof tests; i++) {
        const uint8_t run[] = {OP_LOAD, tests[i], OP_JUMP_IF};
        if (!is_run(l, pc, run, 3) || instr(l, pc)->a != 0) {
            continue;
        }
        const struct stile__instr *test = instr(l, pc + 1);
        struct stile__render_op *made = op(l, RENDER_JUMP, instr(l, pc));
        made->op = tests[i];
        made->a = instr(l, pc + 2)->a;
        made->to = instr(l, pc + 2)->c;
        made->plain = tests[i] == OP_TRUTH && test->c == 1;
        if (tests[i] == OP_TABLE) {
            made->with.table = l->v->pool.tables[test->c];
        } else if (tests[i] == OP_EQ) {
            made->with.constant = &l->v->pool.constants[test->c];
        }
        return true;
    }
    return false;
}

/* Flags set and asked: how many instructions were taken. */
static uint32_t flags(struct lower *l, uint32_t pc)
{
    static const uint8_t asked[] = {OP_FLAG, OP_JUMP_IF};
    static const uint8_t present[] = {OP_LOAD, OP_PRESENT, OP_SET_FLAG};
    static const uint8_t absent[] = {OP_LOAD, OP_PRESENT, OP_NOT, OP_SET_FLAG};
    if (is_run(l, pc, asked, 2)) {
        struct stile__render_op *made = op(l, RENDER_JUMP_FLAG, instr(l, pc));
        made->a = instr(l, pc + 1)->a;
        made->to = instr(l, pc + 1)->c;
        return 2;
    }
    uint32_t count = is_run(l, pc, present, 3)  ? 3
                     : is_run(l, pc, absent, 4) ? 4
                                                : 0;
    if (count > 0) {
        struct stile__render_op *made = op(l, RENDER_SET_FLAG, instr(l, pc));
        made->a = count == 4;
        made->slot = instr(l, pc + count - 1)->b;
    }
    return count;
}

static uint32_t one(struct lower *l, uint32_t pc)
{
    static const uint8_t a_pair[] = {OP_LOAD, OP_LOAD, OP_ENCODE, OP_PUT};
    static const uint8_t a_field[] = {OP_LOAD, OP_ENCODE, OP_PUT};
    static const uint8_t a_constant[] = {OP_CONSTANT, OP_PUT};
    const struct stile__instr *in = instr(l, pc);
    if (is_run(l, pc, a_field, 3) && in->a == 0 && instr(l, pc + 1)->a == 1) {
        field(l, pc);
        return 3;
    }
    if (is_run(l, pc, a_constant, 2) &&
        l->v->pool.constants[in->c].text.len > 0) {
        constant(l, pc);
        return 2;
    }
    if (is_run(l, pc, a_pair, 4) && in->a == 0 && instr(l, pc + 1)->a == 1 &&
        instr(l, pc + 2)->a == 2) {
        pair(l, pc);
        return 4;
    }
    if (test_jump(l, pc)) {
        return 3;
    }
    uint32_t taken = flags(l, pc);
    if (taken == 0) {
        single(l, pc);
        taken = 1;
    }
    return taken;
}

static bool musts(struct lower *l)
{
    for (uint32_t i = 0; i < l->render->count; i++) {
        struct stile__render_op *made = &l->render->ops[i];
        if (made->code != RENDER_MUST) {
            continue;
        }
        uint64_t *mask = stile_arena_array(l->arena, 2, sizeof *mask);
        if (mask == NULL ||
            !stile__render_must(l->puts, l->put_count, l->v->mapping->type,
                                l->v->pool.constants[made->c].text,
                                made->a == 1, mask)) {
            return false;
        }
        made->with.mask = mask;
    }
    return true;
}

static bool program(struct lower *l)
{
    const struct stile__program *p = &l->v->right;
    for (uint32_t pc = 0; pc < p->count;) {
        const struct stile__instr *in = instr(l, pc);
        if (l->put_count == STILE__SLOTS) {
            return false;
        }
        l->at[pc] = l->render->count;
        l->line = p->lines[pc];
        if (in->op == OP_LOAD && in->a == 0) {
            l->column = &l->v->aliases[in->b].table->columns[in->c];
        }
        uint32_t next = pc + one(l, pc);
        for (; pc < next; pc++) {
            bool jumps =
                instr(l, pc)->op == OP_JUMP_IF || instr(l, pc)->op == OP_JUMP;
            if (jumps && instr(l, pc)->c > l->behind) {
                l->behind = instr(l, pc)->c;
            }
        }
    }
    for (uint32_t i = 0; i < l->render->count; i++) {
        struct stile__render_op *made = &l->render->ops[i];
        if (made->to > 0) {
            made->to = l->at[made->to];
        }
    }
    return musts(l);
}

void stile__render_lower(struct stile__variant *variant,
                         struct stile_arena *arena)
{
    const struct stile__program *p = &variant->right;
    struct lower l = {.v = variant, .arena = arena};
    uint8_t *target = stile_arena_array(arena, p->count, 1);
    l.render = stile_arena_alloc(arena, sizeof *l.render);
    l.at = stile_arena_array(arena, p->count, sizeof *l.at);
    if (target == NULL || l.render == NULL || l.at == NULL) {
        return;
    }
    l.render->ops = stile_arena_array(arena, p->count, sizeof *l.render->ops);
    if (l.render->ops == NULL) {
        return;
    }
    for (uint32_t pc = 0; pc < p->count; pc++) {
        const struct stile__instr *in = instr(&l, pc);
        if (in->op == OP_JUMP_IF || in->op == OP_JUMP) {
            target[in->c] = 1;
        }
    }
    l.target = target;
    if (program(&l) && stile__render_slots(l.render, variant->mapping->type,
                                           l.puts, l.put_count, arena)) {
        variant->render = l.render;
    }
}
