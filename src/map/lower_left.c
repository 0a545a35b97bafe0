/* Rules and guards to the leftward program. */
#include "lower.h"

static void left_test(struct stile__lower *l, const struct stile__guard *g)
{
    if (g->iff != NULL) {
        stile__lower_cond(l, g->iff);
    } else if (!g->needs_reverse) {
        stile__emit(l, OP_YES, 0, 0, 0);
    } else {
        const struct stile__rule *r = g->test;
        stile__emit(l, OP_READ, 0, 0, stile__pool_path(l, r->paths));
        if (r->stmt->kind == STILE_LANG_CONSTANT) {
            stile__emit(l, OP_EQ, 0, 0,
                        stile__pool_constant(
                            l, stile__literal_text(r->stmt->cases->literal),
                            STILE_STRING));
        } else {
            stile__emit(l, OP_PRESENT, 0, 0, 0);
        }
    }
}

static void left_guards(struct stile__lower *l, const struct stile__each *each)
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
        left_test(l, g);
        if (g->parent != NULL) {
            stile__land(l, skip);
        }
        stile__emit(l, OP_SET_FLAG, 0, g->flag, 0);
    }
}

static void decode(struct stile__lower *l, const struct stile__rule *r)
{
    stile__emit(l, r->paths->open_list ? OP_READ_LIST : OP_READ, 0, 0,
                stile__pool_path(l, r->paths));
    if (r->stmt->fallback != NULL) {
        stile__emit(l, OP_UNDEFAULT, 0, 0,
                    stile__pool_constant(l,
                                         stile__literal_text(r->stmt->fallback),
                                         r->paths->kind));
    }
    stile__emit(l, OP_DECODE, r->column_count, 0, stile__pool_use(l, r->use));
    for (uint32_t i = 0; i < r->column_count; i++) {
        stile__emit(l, OP_STORE, i, r->columns[i].alias, r->columns[i].ordinal);
    }
    if (r->as_text != NULL) {
        stile__emit(l, OP_READ, 0, 0, stile__pool_path(l, r->as_text));
        stile__emit(l, OP_FILL, 0, r->columns[0].alias, r->columns[0].ordinal);
    }
}

static void left_rule(struct stile__lower *l, const struct stile__rule *r)
{
    uint32_t skip = 0;
    stile__at_line(l, r->stmt->span);
    if (r->guard != NULL) {
        stile__emit(l, OP_FLAG, 0, r->guard->flag, 0);
        skip = stile__emit(l, OP_JUMP_IF, 0, 0, 0);
    }
    if (r->paths != NULL) {
        decode(l, r);
    } else {
        stile__lower_cases(l, r->stmt->cases, STILE_STRING);
        stile__emit(l, OP_FILL, 0, r->columns[0].alias, r->columns[0].ordinal);
    }
    if (r->guard != NULL) {
        stile__land(l, skip);
    }
}

static void fill_equality(void *ctx, const struct stile_lang_cond *c)
{
    struct stile__lower *l = ctx;
    struct stile__column column;
    if (!stile__resolve_column(l->cc, c->column, &column) ||
        c->literals->kind == STILE_LANG_ABSENT) {
        return;
    }
    stile__emit(l, OP_CONSTANT, 0, 0,
                stile__pool_constant(l, stile__literal_text(c->literals),
                                     STILE_STRING));
    stile__emit(l, OP_FILL, 0, column.alias, column.ordinal);
}

static void guard_equalities(struct stile__lower *l,
                             const struct stile__each *each)
{
    for (struct stile__guard *g = l->cc->guards; g != NULL; g = g->next) {
        if (!g->needs_reverse || g->each != each) {
            continue;
        }
        stile__at_line(l, g->stmt->span);
        stile__emit(l, OP_FLAG, 0, g->flag, 0);
        uint32_t skip = stile__emit(l, OP_JUMP_IF, 0, 0, 0);
        stile__equalities(g->stmt->cond, fill_equality, l);
        stile__land(l, skip);
    }
}

static void head_equalities(struct stile__lower *l)
{
    if (l->cc->tree->where != NULL) {
        stile__at_line(l, l->cc->tree->where->span);
        stile__equalities(l->cc->tree->where->cond, fill_equality, l);
    }
    for (const struct stile_lang_take *t = l->cc->tree->takes; t; t = t->next) {
        stile__at_line(l, t->span);
        stile__equalities(t->cond, fill_equality, l);
    }
}

static void left_rules(struct stile__lower *l, const struct stile__each *each)
{
    for (struct stile__rule *r = l->cc->rules; r != NULL; r = r->next) {
        if (r->leftward && r->each == each) {
            left_rule(l, r);
        }
    }
}

void stile__lower_left_lines(struct stile__lower *l,
                             const struct stile__each *each)
{
    l->leftward = true;
    left_guards(l, each);
    left_rules(l, each);
    guard_equalities(l, each);
    l->leftward = false;
}

void stile__lower_left(struct stile__lower *l)
{
    l->leftward = true;
    l->prog = &l->v->left;
    for (const struct stile_lang_take *t = l->cc->tree->takes; t; t = t->next) {
        stile__lower_take(l, t->iff, t->span);
    }
    left_guards(l, NULL);
    left_rules(l, NULL);
    for (uint32_t i = 0; i < l->v->each_count; i++) {
        stile__at_line(l, l->v->eaches[i]->stmt->span);
        bool child = l->v->eaches[i]->child != NULL;
        stile__emit(l, child ? OP_REFER : OP_EACH, 0, 0, i);
    }
    guard_equalities(l, NULL);
    head_equalities(l);
    stile__emit(l, OP_END, 0, 0, 0);
    l->leftward = false;
}
