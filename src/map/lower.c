/* Rules and guards to two flat programs. */
#include "lower.h"
#include "render.h"

/* ---- growing arrays in an arena ---- */

static void *grown(struct stile__lower *l, void *old, uint32_t count,
                   uint32_t *cap, size_t size)
{
    if (count < *cap) {
        return old;
    }
    uint32_t more = *cap == 0 ? 32 : *cap * 2;
    void *next = stile_arena_array(l->cc->arena, more, size);
    if (next == NULL) {
        l->failed = true;
        return NULL;
    }
    if (count > 0) {
        memcpy(next, old, count * size);
    }
    *cap = more;
    return next;
}

uint32_t stile__emit(struct stile__lower *l, enum stile__op op, uint32_t a,
                     uint32_t b, uint32_t c)
{
    struct stile__program *p = l->prog;
    uint32_t cap = p->capacity;
    struct stile__instr *code =
        grown(l, p->code, p->count, &p->capacity, sizeof *code);
    uint32_t *lines = grown(l, p->lines, p->count, &cap, sizeof *lines);
    if (code == NULL || lines == NULL) {
        return 0;
    }
    p->code = code;
    p->lines = lines;
    p->code[p->count] =
        (struct stile__instr){(uint8_t)op, (uint8_t)a, (uint16_t)b, c};
    p->lines[p->count] = l->line;
    return p->count++;
}

void stile__land(struct stile__lower *l, uint32_t jump)
{
    if (!l->failed) {
        l->prog->code[jump].c = l->prog->count;
    }
}

void stile__at_line(struct stile__lower *l, struct stile_span span)
{
    uint32_t column = 0;
    stile_source_place(l->cc->source, span.offset, &l->line, &column);
}

/* ---- pools ---- */

uint32_t stile__pool_constant(struct stile__lower *l, struct stile_str text,
                              enum stile_kind kind)
{
    struct stile__pool *p = &l->v->pool;
    for (uint32_t i = 0; i < p->constant_count; i++) {
        if (p->constants[i].kind == kind &&
            stile_str_eq(p->constants[i].text, text)) {
            return i;
        }
    }
    void *to = grown(l, p->constants, p->constant_count, &p->constant_cap,
                     sizeof *p->constants);
    if (to == NULL) {
        return 0;
    }
    p->constants = to;
    p->constants[p->constant_count] = (struct stile__constant){text, kind};
    return p->constant_count++;
}

uint32_t stile__pool_path(struct stile__lower *l,
                          const struct stile__path *path)
{
    struct stile__pool *p = &l->v->pool;
    void *to = grown(l, p->paths, p->path_count, &p->path_cap, sizeof(void *));
    if (to == NULL) {
        return 0;
    }
    p->paths = to;
    p->paths[p->path_count] = path;
    return p->path_count++;
}

uint32_t stile__pool_use(struct stile__lower *l,
                         const struct stile__codec_use *use)
{
    struct stile__pool *p = &l->v->pool;
    void *to = grown(l, p->uses, p->use_count, &p->use_cap, sizeof(void *));
    if (to == NULL) {
        return 0;
    }
    p->uses = to;
    p->uses[p->use_count] = use;
    return p->use_count++;
}

static uint32_t pool_table(struct stile__lower *l, struct stile_str name)
{
    struct stile__pool *p = &l->v->pool;
    void *to =
        grown(l, p->tables, p->table_count, &p->table_cap, sizeof(void *));
    if (to == NULL) {
        return 0;
    }
    p->tables = to;
    p->tables[p->table_count] = stile__mapset_table(l->cc->set, name);
    return p->table_count++;
}

static uint32_t pool_range(struct stile__lower *l, int64_t lo, int64_t hi)
{
    struct stile__pool *p = &l->v->pool;
    void *to =
        grown(l, p->ranges, p->range_count, &p->range_cap, sizeof *p->ranges);
    if (to == NULL) {
        return 0;
    }
    p->ranges = to;
    p->ranges[p->range_count] = (struct stile__range){lo, hi};
    return p->range_count++;
}

/* ---- branches ---- */

static void branch(struct stile__lower *l, struct stile_span span, uint32_t pc)
{
    struct stile__variant *v = l->v;
    struct stile__branch *to =
        grown(l, v->branches, v->branch_count, &v->branch_cap, sizeof *to);
    if (to != NULL) {
        v->branches = to;
        to[v->branch_count++] = (struct stile__branch){span, l->prog, pc};
    }
}

/* ---- conditions ---- */

static void load(struct stile__lower *l, uint32_t cell,
                 const struct stile__column *c)
{
    if (c->alias != 0) {
        uint32_t chain[STILE__ALIASES], n = 0;
        for (uint32_t at = c->alias; at != 0 && n < STILE__ALIASES;
             at = l->v->aliases[at].key.alias) {
            chain[n++] = at;
        }
        while (n > 0) {
            stile__emit(l, OP_LOOKUP, chain[--n], 0, 0);
        }
    }
    stile__emit(l, OP_LOAD, cell, c->alias, c->ordinal);
}

struct stile_str stile__literal_text(const struct stile_lang_literal *lit)
{
    return lit->kind == STILE_LANG_TRUE    ? STILE_STR("true")
           : lit->kind == STILE_LANG_FALSE ? STILE_STR("false")
                                           : lit->text;
}

static void test_literal(struct stile__lower *l,
                         const struct stile_lang_literal *lit)
{
    if (lit->kind == STILE_LANG_ABSENT) {
        stile__emit(l, OP_PRESENT, 0, 0, 0);
        stile__emit(l, OP_NOT, 0, 0, 0);
    } else if (lit->kind == STILE_LANG_TRUE || lit->kind == STILE_LANG_FALSE) {
        stile__emit(l, OP_TRUTH, 0, 0, lit->kind == STILE_LANG_TRUE);
    } else {
        stile__emit(l, OP_EQ, 0, 0,
                    stile__pool_constant(l, lit->text, STILE_STRING));
    }
}

static void test_list(struct stile__lower *l,
                      const struct stile_lang_literal *lit)
{
    uint32_t jumps[256], n = 0;
    for (; lit != NULL; lit = lit->next) {
        test_literal(l, lit);
        if (lit->next != NULL && n < 256) {
            jumps[n++] = stile__emit(l, OP_JUMP_IF, 1, 0, 0);
        }
    }
    while (n > 0) {
        stile__land(l, jumps[--n]);
    }
}

static void ask(struct stile__lower *l, const struct stile_lang_ask *ask)
{
    struct stile__pool *p = &l->v->pool;
    struct stile__ask *to =
        grown(l, p->asks, p->ask_count, &p->ask_cap, sizeof *to);
    if (to == NULL) {
        return;
    }
    p->asks = to;
    to[p->ask_count] = (struct stile__ask){
        ask->path,
        l->cc->each != NULL ? l->cc->each->item : l->cc->mapping->type};
    stile__emit(l, OP_ASK, 0, 0, p->ask_count++);
}

static void leaf(struct stile__lower *l, const struct stile_lang_cond *c)
{
    if (c->kind == STILE_LANG_ASK) {
        ask(l, c->ask);
        return;
    }
    if (c->column != NULL) {
        struct stile__column column = {0};
        (void)stile__resolve_column(l->cc, c->column, &column);
        load(l, 0, &column);
    } else {
        struct stile__path *path =
            stile_arena_alloc(l->cc->arena, sizeof *path);
        if (path == NULL || !stile__resolve_path(l->cc, c->path, true, path)) {
            l->failed = true;
            return;
        }
        stile__emit(l, OP_READ, 0, 0, stile__pool_path(l, path));
    }
    switch (c->kind) {
    case STILE_LANG_EQ:
    case STILE_LANG_NE:
        test_literal(l, c->literals);
        break;
    case STILE_LANG_IN_LIST:
        test_list(l, c->literals);
        break;
    case STILE_LANG_IN_RANGE:
        stile__emit(l, OP_RANGE, 0, 0, pool_range(l, c->lo, c->hi));
        break;
    case STILE_LANG_IN_TABLE:
        stile__emit(l, OP_TABLE, c->path != NULL, 0,
                    pool_table(l, c->table.text));
        break;
    default:
        stile__emit(l, OP_PRESENT, 0, 0, 0);
        break;
    }
    if (c->kind == STILE_LANG_NE || c->kind == STILE_LANG_MISSING) {
        stile__emit(l, OP_NOT, 0, 0, 0);
    }
}

void stile__lower_cond(struct stile__lower *l, const struct stile_lang_cond *c)
{
    if (c->kind == STILE_LANG_NOT) {
        stile__lower_cond(l, c->a);
        stile__emit(l, OP_NOT, 0, 0, 0);
    } else if (c->kind == STILE_LANG_AND || c->kind == STILE_LANG_OR) {
        stile__lower_cond(l, c->a);
        uint32_t jump =
            stile__emit(l, OP_JUMP_IF, c->kind == STILE_LANG_OR, 0, 0);
        stile__lower_cond(l, c->b);
        stile__land(l, jump);
    } else {
        leaf(l, c);
    }
}

void stile__lower_cases(struct stile__lower *l, const struct stile_lang_case *c,
                        enum stile_kind kind)
{
    uint32_t ends[512], n = 0;
    bool choice = c->cond != NULL && !l->leftward;
    for (; c != NULL; c = c->next) {
        uint32_t next = 0;
        if (c->cond != NULL) {
            stile__lower_cond(l, c->cond);
            next = stile__emit(l, OP_JUMP_IF, 0, 0, 0);
        }
        if (choice) {
            branch(l, c->literal->span, l->prog->count);
        }
        if (c->literal->kind == STILE_LANG_ABSENT) {
            stile__emit(l, OP_NOTHING, 0, 0, 0);
        } else {
            stile__emit(
                l, OP_CONSTANT, 0, 0,
                stile__pool_constant(l, stile__literal_text(c->literal), kind));
        }
        if (c->cond != NULL) {
            if (n < 512) {
                ends[n++] = stile__emit(l, OP_JUMP, 0, 0, 0);
            }
            stile__land(l, next);
        }
    }
    while (n > 0) {
        stile__land(l, ends[--n]);
    }
}

/* ---- rightward ---- */

static void encode(struct stile__lower *l, const struct stile__rule *r)
{
    for (uint32_t i = 0; i < r->column_count; i++) {
        load(l, i, &r->columns[i]);
    }
    stile__emit(l, OP_ENCODE, r->column_count, 0, stile__pool_use(l, r->use));
}

/* An id of which a part is missing is another's, or none: the row could not be
 * told from the next one like it. */
static void require_id(struct stile__lower *l, const struct stile__rule *r)
{
    bool is_id = r->each == NULL && stile_str_eqc(r->paths->canon, "id");
    for (uint32_t i = 0; is_id && i < r->column_count; i++) {
        load(l, 0, &r->columns[i]);
        stile__emit(l, OP_REQUIRE, 0, 0, 0);
    }
}

static uint32_t each_index(const struct stile__lower *l,
                           const struct stile__rule *head)
{
    uint32_t i = 0;
    while (l->v->eaches[i]->stmt != head->stmt) {
        i++;
    }
    return i;
}

static void right_rule(struct stile__lower *l, const struct stile__rule *r)
{
    uint32_t skip = 0;
    stile__at_line(l, r->stmt->span);
    if (r->guard != NULL) {
        stile__emit(l, OP_FLAG, 0, r->guard->flag, 0);
        skip = stile__emit(l, OP_JUMP_IF, 0, 0, 0);
    }
    if (r->stmt->kind == STILE_LANG_REQUIRE) {
        load(l, 0, &r->columns[0]);
        stile__emit(l, OP_REQUIRE, 0, 0, 0);
    } else if (r->stmt->kind == STILE_LANG_EACH) {
        uint32_t at = each_index(l, r);
        const struct stile__child *child = l->v->eaches[at]->child;
        if (child != NULL) {
            load(l, 0, &child->key);
        }
        stile__emit(l, child != NULL ? OP_REFER : OP_EACH, 0, 0, at);
    } else if (r->stmt->kind == STILE_LANG_CONSTANT) {
        stile__lower_cases(l, r->stmt->cases, r->paths->kind);
        stile__emit(l, OP_PUT, 0, 0, stile__pool_path(l, r->paths));
    } else {
        require_id(l, r);
        encode(l, r);
        if (r->as_text != NULL) {
            stile__emit(l, OP_PUT_MISS, 0, 0, stile__pool_path(l, r->as_text));
        }
        if (r->stmt->fallback != NULL) {
            stile__emit(
                l, OP_DEFAULT, 0, 0,
                stile__pool_constant(l, stile__literal_text(r->stmt->fallback),
                                     r->paths->kind));
        }
        stile__emit(l, r->paths->open_list ? OP_PUT_LIST : OP_PUT, 0, 0,
                    stile__pool_path(l, r->paths));
    }
    if (r->guard != NULL) {
        stile__land(l, skip);
    }
}

static int path_order(const struct stile__path *a, const struct stile__path *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        if (a->steps[i].order != b->steps[i].order) {
            return a->steps[i].order < b->steps[i].order ? -1 : 1;
        }
        struct stile_str x = stile_str_sub(a->canon, 0, a->steps[i].canon_end);
        struct stile_str y = stile_str_sub(b->canon, 0, b->steps[i].canon_end);
        int c = stile_str_cmp(x, y);
        if (c != 0) {
            return c;
        }
    }
    return a->count < b->count ? -1 : a->count > b->count;
}

/* Lines may stand in any order, so the output's order is FHIR's own. */
static struct stile__rule **sorted_rules(struct stile__lower *l,
                                         const struct stile__each *each,
                                         uint32_t *ret_count)
{
    uint32_t count = 0;
    for (struct stile__rule *r = l->cc->rules; r != NULL; r = r->next) {
        count += r->rightward && r->each == each ? 1 : 0;
    }
    struct stile__rule **rules =
        stile_arena_array(l->cc->arena, count, sizeof(void *));
    if (rules == NULL) {
        l->failed = true;
        return NULL;
    }
    count = 0;
    for (struct stile__rule *r = l->cc->rules; r != NULL; r = r->next) {
        if (!r->rightward || r->each != each) {
            continue;
        }
        uint32_t at = count++;
        while (at > 0 && path_order(r->paths, rules[at - 1]->paths) < 0) {
            rules[at] = rules[at - 1];
            at--;
        }
        rules[at] = r;
    }
    *ret_count = count;
    return rules;
}

static const struct stile__rule *id_rule(const struct stile__lower *l)
{
    for (struct stile__rule *r = l->cc->rules; r != NULL; r = r->next) {
        if (r->rightward && r->use != NULL &&
            stile_str_eqc(r->paths->canon, "id")) {
            return r;
        }
    }
    return NULL;
}

static void deletes(struct stile__lower *l)
{
    const struct stile__rule *id = id_rule(l);
    for (const struct stile_lang_take *t = l->cc->tree->deletes; t && id;
         t = t->next) {
        stile__at_line(l, t->span);
        stile__lower_cond(l, t->cond);
        uint32_t skip = stile__emit(l, OP_JUMP_IF, 0, 0, 0);
        require_id(l, id);
        encode(l, id);
        stile__emit(l, OP_DELETED, 0, 0, 0);
        stile__land(l, skip);
    }
}

void stile__lower_take(struct stile__lower *l, const struct stile_lang_cond *c,
                       struct stile_span span)
{
    if (c != NULL) {
        stile__at_line(l, span);
        stile__lower_cond(l, c);
        stile__emit(l, OP_TAKE, 0, 0, 0);
    }
}

static void right_guards(struct stile__lower *l, const struct stile__each *each)
{
    for (struct stile__guard *g = l->cc->guards; g != NULL; g = g->next) {
        uint32_t skip = 0;
        if (g->each != each) {
            continue;
        }
        stile__at_line(l, g->stmt->span);
        if (g->parent != NULL) {
            stile__emit(l, OP_FLAG, 0, g->parent->flag, 0);
            skip = stile__emit(l, OP_JUMP_IF, 0, 0, 0);
        }
        stile__lower_cond(l, g->stmt->cond);
        if (g->parent != NULL) {
            stile__land(l, skip);
        }
        branch(l, g->stmt->cond->span, l->prog->count);
        stile__emit(l, OP_SET_FLAG, 0, g->flag, 0);
    }
}

static void always_empty(struct stile__lower *l)
{
    const struct stile_table *t = l->v->table;
    for (uint32_t i = 0; i < t->count; i++) {
        bool used = l->cc->mapped[i] || l->cc->accounted[i];
        if (t->columns[i].type == STILE_COL_EMPTY && !used) {
            stile__emit(l, OP_LOAD, 0, 0, i);
            stile__emit(l, OP_EMPTY, 0, 0, 0);
        }
    }
}

static void mandatory(struct stile__lower *l,
                      const struct stile_fhir_type *type, uint32_t each,
                      struct stile_span span)
{
    stile__at_line(l, span);
    for (size_t i = 0; i < stile_fhir_element_count(type); i++) {
        const struct stile_fhir_element *e = stile_fhir_element_at(type, i);
        if (e->min > 0) {
            stile__emit(l, OP_MUST, e->choice, each,
                        stile__pool_constant(l, e->name, STILE_STRING));
        }
    }
}

/* Guards and lines of the resource, or of an item of `each`. */
static void right_lines(struct stile__lower *l, const struct stile__each *each)
{
    uint32_t count = 0;
    struct stile__rule **rules = sorted_rules(l, each, &count);
    right_guards(l, each);
    for (struct stile__rule *r = l->cc->rules; r != NULL; r = r->next) {
        if (r->stmt->kind == STILE_LANG_REQUIRE && r->each == each) {
            right_rule(l, r);
        }
    }
    for (uint32_t i = 0; rules != NULL && i < count; i++) {
        right_rule(l, rules[i]);
    }
}

static void right_takes(struct stile__lower *l)
{
    if (l->cc->tree->where != NULL) {
        stile__lower_take(l, l->cc->tree->where->cond,
                          l->cc->tree->where->span);
    }
    for (const struct stile_lang_take *t = l->cc->tree->takes; t; t = t->next) {
        stile__lower_take(l, t->cond, t->span);
    }
}

static void right_program(struct stile__lower *l)
{
    bool grouped = l->v->group_count > 0;
    l->prog = &l->v->right;
    deletes(l);
    if (!grouped) {
        right_takes(l);
        always_empty(l);
    }
    right_lines(l, NULL);
    mandatory(l, l->cc->mapping->type, 0, l->cc->tree->type.span);
    stile__emit(l, OP_END, 0, 0, 0);
    if (grouped) {
        l->prog = &l->v->member;
        right_takes(l);
        always_empty(l);
        stile__emit(l, OP_END, 0, 0, 0);
    }
}

static void each_programs(struct stile__lower *l)
{
    for (uint32_t i = 0; i < l->v->each_count; i++) {
        struct stile__each *each = l->v->eaches[i];
        if (each->child != NULL) {
            continue;
        }
        l->cc->each = each;
        l->prog = &each->right;
        stile__at_line(l, each->by.span);
        load(l, 0, &each->key->columns[0]);
        stile__emit(l, OP_REQUIRE, 0, 0, 0);
        right_lines(l, each);
        mandatory(l, each->item, i + 1, each->list.span);
        stile__emit(l, OP_END, 0, 0, 0);
        l->prog = &each->left;
        stile__lower_left_lines(l, each);
        stile__emit(l, OP_END, 0, 0, 0);
        l->cc->each = NULL;
    }
}

/* What the program of the resource reads of a row is the group's. */
static void read_outside(struct stile__lower *l)
{
    struct stile__variant *v = l->v;
    size_t count = v->table->count;
    bool *seen = stile_arena_array(l->cc->arena, count, sizeof *seen);
    v->same = stile_arena_array(l->cc->arena, count, sizeof *v->same);
    if (seen == NULL || v->same == NULL) {
        l->failed = true;
        return;
    }
    for (uint32_t i = 0; i < v->right.count; i++) {
        const struct stile__instr *in = &v->right.code[i];
        uint32_t column = UINT32_MAX;
        if (in->op == OP_LOAD && in->b == 0) {
            column = in->c;
        } else if (in->op == OP_LOOKUP && v->aliases[in->a].key.alias == 0) {
            column = v->aliases[in->a].key.ordinal;
        }
        if (column != UINT32_MAX && !seen[column]) {
            seen[column] = true;
            v->same[v->same_count++] = column;
        }
    }
}

void stile__lower(struct stile__cc *cc)
{
    struct stile__lower l = {.cc = cc, .v = cc->variant};
    right_program(&l);
    each_programs(&l);
    stile__lower_left(&l);
    if (l.v->group_count > 0) {
        read_outside(&l);
    }
    if (!l.failed && l.v->each_count == 0) {
        stile__render_lower(cc->variant, cc->arena);
    }
}
