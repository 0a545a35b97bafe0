/* example and reject blocks. */
#include "parse.h"

#define NEW(p, type) ((type *)stile_arena_alloc((p)->arena, sizeof(type)))

static bool cells_of(struct stile__parser *p, struct stile_lang_assign **tail)
{
    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    while (p->cur.kind == TOK_WORD && stile__parse_peek(p).kind == TOK_EQ) {
        struct stile_lang_assign *a = NEW(p, struct stile_lang_assign);
        if (a == NULL) {
            return false;
        }
        a->name = (struct stile_lang_word){p->cur.text, p->cur.span};
        (void)stile__lex(&p->lexer); /* the '=' */
        p->cur = stile__lex_cell(&p->lexer);
        if (p->cur.kind == TOK_BAD) {
            return stile__parse_fail(p, "a cell");
        }
        a->value = (struct stile_lang_word){p->cur.text, p->cur.span};
        stile__parse_next(p);
        *tail = a;
        tail = &a->next;
    }
    return true;
}

static bool given_of(struct stile__parser *p, struct stile_lang_example *ex)
{
    struct stile_lang_given *g = NEW(p, struct stile_lang_given);
    struct stile_lang_given **tail = &ex->given;
    stile__parse_next(p);
    if (g == NULL) {
        return false;
    }
    if (p->cur.kind == TOK_WORD && stile__parse_peek(p).kind != TOK_EQ) {
        (void)stile__parse_word(p, "a table", &g->table);
    }
    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    *tail = g;
    return cells_of(p, &g->cells);
}

static bool one_expect(struct stile__parser *p, struct stile_lang_example *ex)
{
    enum stile__tok after = stile__parse_peek(p).kind;
    if (p->cur.kind == TOK_WORD && (after == TOK_NEWLINE || after == TOK_END)) {
        return stile__parse_word(p, "an outcome", &ex->outcome);
    }
    struct stile_lang_expect *e = NEW(p, struct stile_lang_expect);
    struct stile_lang_expect **tail = &ex->expects;
    if (e == NULL) {
        return false;
    }
    e->path = stile__parse_path(p);
    if (e->path == NULL) {
        return false;
    }
    if (stile__parse_skip(p, TOK_EQ) || stile__parse_is(p, "absent")) {
        e->literal = stile__parse_literal(p);
        if (e->literal == NULL) {
            return false;
        }
    } else if (!stile__parse_skip_word(p, "exists")) {
        return stile__parse_fail(p, "'= value', 'absent' or 'exists'");
    }
    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    *tail = e;
    return true;
}

static bool expects_of(struct stile__parser *p, struct stile_lang_example *ex)
{
    stile__parse_next(p);
    do {
        if (!one_expect(p, ex)) {
            return false;
        }
    } while (stile__parse_skip(p, TOK_COMMA));
    return true;
}

static bool part_of(struct stile__parser *p, struct stile_lang_example *ex,
                    bool *ret_known)
{
    *ret_known = true;
    if (stile__parse_is(p, "given") || stile__parse_is(p, "and")) {
        return given_of(p, ex);
    }
    if (stile__parse_is(p, "expect")) {
        return expects_of(p, ex);
    }
    if (stile__parse_is(p, "back")) {
        stile__parse_next(p);
        return cells_of(p, &ex->back);
    }
    *ret_known = false;
    return true;
}

/* The lines of a reject end with its expect; those of an example with end. */
static bool parts_of(struct stile__parser *p, struct stile_lang_example *ex)
{
    for (;;) {
        if (stile__parse_skip(p, TOK_NEWLINE)) {
            continue;
        }
        bool known = false;
        if (!part_of(p, ex, &known)) {
            return false;
        }
        if (ex->reject && ex->outcome.text.len > 0) {
            return true;
        }
        if (known) {
            continue;
        }
        if (stile__parse_skip_word(p, "end")) {
            return true;
        }
        return stile__parse_fail(p, "given, and, expect, back or end");
    }
}

bool stile__parse_example(struct stile__parser *p, struct stile_lang_mapping *m,
                          bool reject)
{
    struct stile_lang_example *ex = NEW(p, struct stile_lang_example);
    struct stile_lang_example **tail = &m->examples;
    struct stile_span from = p->cur.span;
    stile__parse_next(p);
    if (ex == NULL ||
        !stile__parse_text(p, "the example's name in quotes", &ex->name)) {
        return false;
    }
    ex->reject = reject;
    ex->span = stile__parse_span(p, from);
    bool ok = parts_of(p, ex);
    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    *tail = ex;
    return ok;
}
