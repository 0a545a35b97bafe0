/* Paths, conditions, literals, codecs. */
#include "parse.h"

#define NEW(p, type) ((type *)stile_arena_alloc((p)->arena, sizeof(type)))

struct stile_lang_literal *stile__parse_literal(struct stile__parser *p)
{
    struct stile_lang_literal *lit = NEW(p, struct stile_lang_literal);
    if (lit == NULL) {
        return NULL;
    }
    lit->span = p->cur.span;
    lit->text = p->cur.text;
    if (p->cur.kind == TOK_TEXT) {
        lit->kind = STILE_LANG_TEXT;
    } else if (p->cur.kind == TOK_NUMBER) {
        lit->kind = STILE_LANG_NUMBER;
    } else if (stile__parse_is(p, "true")) {
        lit->kind = STILE_LANG_TRUE;
    } else if (stile__parse_is(p, "false")) {
        lit->kind = STILE_LANG_FALSE;
    } else if (stile__parse_is(p, "absent")) {
        lit->kind = STILE_LANG_ABSENT;
    } else {
        stile__parse_fail(p, "a literal: 'text', a number, true, false");
        return NULL;
    }
    stile__parse_next(p);
    return lit;
}

static struct stile_lang_literal *literals(struct stile__parser *p)
{
    struct stile_lang_literal *first = stile__parse_literal(p);
    struct stile_lang_literal *last = first;
    while (last != NULL && stile__parse_skip(p, TOK_COMMA)) {
        last->next = stile__parse_literal(p);
        last = last->next;
    }
    return last != NULL ? first : NULL;
}

/* ---- paths ---- */

static bool where_matches(struct stile__parser *p,
                          struct stile_lang_match **ret)
{
    struct stile_lang_match **tail = ret;
    do {
        struct stile_lang_match *m = NEW(p, struct stile_lang_match);
        if (m == NULL) {
            return false;
        }
        m->path = stile__parse_path(p);
        if (m->path == NULL || !stile__parse_want(p, TOK_EQ, "'='")) {
            return false;
        }
        m->literal = stile__parse_literal(p);
        if (m->literal == NULL) {
            return false;
        }
        *tail = m;
        tail = &m->next;
    } while (stile__parse_skip_word(p, "and"));
    return true;
}

static bool call_args(struct stile__parser *p, struct stile_lang_step *step)
{
    stile__parse_next(p); /* the bracket */
    bool ok = true;
    if (stile_str_eqc(step->word.text, "where")) {
        step->kind = STILE_LANG_WHERE;
        ok = where_matches(p, &step->matches);
    } else if (stile_str_eqc(step->word.text, "ofType")) {
        step->kind = STILE_LANG_OF_TYPE;
        ok = stile__parse_word(p, "a type name", &step->word);
    } else if (stile_str_eqc(step->word.text, "extension")) {
        step->kind = STILE_LANG_EXTENSION;
        ok = stile__parse_text(p, "the extension's URL in quotes", &step->word);
    } else {
        p->cur.span = step->word.span;
        return stile__parse_fail(p, "where(), ofType() or extension()");
    }
    return ok && stile__parse_want(p, TOK_CLOSE, "')'");
}

static struct stile_lang_step *member_step(struct stile__parser *p)
{
    struct stile_lang_step *step = NEW(p, struct stile_lang_step);
    if (step == NULL ||
        !stile__parse_word(p, "an element or column name", &step->word)) {
        return NULL;
    }
    step->kind = STILE_LANG_MEMBER;
    if (p->cur.kind == TOK_OPEN && !call_args(p, step)) {
        return NULL;
    }
    step->span = stile__parse_span(p, step->word.span);
    return step;
}

static struct stile_lang_step *index_step(struct stile__parser *p)
{
    struct stile_lang_step *step = NEW(p, struct stile_lang_step);
    struct stile_span from = p->cur.span;
    int64_t n = 0;
    if (step == NULL) {
        return NULL;
    }
    stile__parse_next(p);
    if (p->cur.kind != TOK_NUMBER || !stile_str_to_int64(p->cur.text, &n) ||
        n < 0 || n > 9999) {
        stile__parse_fail(p, "an index from 0 to 9999");
        return NULL;
    }
    stile__parse_next(p);
    if (!stile__parse_want(p, TOK_CLOSE_SQUARE, "']'")) {
        return NULL;
    }
    step->kind = STILE_LANG_INDEX;
    step->index = (uint32_t)n;
    step->span = stile__parse_span(p, from);
    return step;
}

static bool path_steps(struct stile__parser *p, struct stile_lang_path *path)
{
    struct stile_lang_step **tail = &path->steps;
    uint32_t count = 0;
    do {
        if (++count > STILE_LANG_DEPTH) {
            return stile__parse_fail(p, "a path of at most 32 steps");
        }
        *tail = member_step(p);
        if (*tail == NULL) {
            return false;
        }
        tail = &(*tail)->next;
        if (p->cur.kind == TOK_OPEN_SQUARE) {
            *tail = index_step(p);
            if (*tail == NULL) {
                return false;
            }
            tail = &(*tail)->next;
        }
    } while (stile__parse_skip(p, TOK_DOT));
    return true;
}

struct stile_lang_path *stile__parse_path(struct stile__parser *p)
{
    struct stile_lang_path *path = NEW(p, struct stile_lang_path);
    struct stile_span from = p->cur.span;
    if (path == NULL || !stile__parse_enter(p)) {
        return NULL;
    }
    bool ok = path_steps(p, path);
    p->depth--;
    path->span = stile__parse_span(p, from);
    return ok ? path : NULL;
}

/* ---- columns ---- */

struct stile_lang_column *stile__parse_column(struct stile__parser *p)
{
    struct stile_lang_column *col = NEW(p, struct stile_lang_column);
    struct stile_span from = p->cur.span;
    if (col == NULL || !stile__parse_word(p, "a column name", &col->name)) {
        return NULL;
    }
    if (stile__parse_skip(p, TOK_DOT)) {
        col->alias = col->name;
        if (!stile__parse_word(p, "a column name", &col->name)) {
            return NULL;
        }
    }
    col->span = stile__parse_span(p, from);
    return col;
}

struct stile_lang_column *stile__parse_columns(struct stile__parser *p)
{
    struct stile_lang_column *first = stile__parse_column(p);
    struct stile_lang_column *last = first;
    while (last != NULL && stile__parse_skip(p, TOK_COMMA)) {
        last->next = stile__parse_column(p);
        last = last->next;
    }
    return last != NULL ? first : NULL;
}

/* ---- conditions ---- */

static bool range_of(struct stile__parser *p, int64_t *lo, int64_t *hi)
{
    if (!stile_str_to_int64(p->cur.text, lo)) {
        return stile__parse_fail(p, "a whole number");
    }
    stile__parse_next(p);
    if (!stile__parse_want(p, TOK_RANGE, "'..'")) {
        return false;
    }
    if (p->cur.kind != TOK_NUMBER || !stile_str_to_int64(p->cur.text, hi)) {
        return stile__parse_fail(p, "a whole number");
    }
    stile__parse_next(p);
    return true;
}

static bool in_test(struct stile__parser *p, struct stile_lang_cond *c)
{
    if (stile__parse_is(p, "table")) {
        stile__parse_next(p);
        c->kind = STILE_LANG_IN_TABLE;
        return stile__parse_word(p, "a code table's name", &c->table);
    }
    if (p->cur.kind == TOK_NUMBER && stile__parse_peek(p).kind == TOK_RANGE) {
        c->kind = STILE_LANG_IN_RANGE;
        return range_of(p, &c->lo, &c->hi);
    }
    c->kind = STILE_LANG_IN_LIST;
    c->literals = literals(p);
    return c->literals != NULL;
}

static bool leaf_test(struct stile__parser *p, struct stile_lang_cond *c)
{
    if (stile__parse_skip_word(p, "present") ||
        stile__parse_skip_word(p, "exists")) {
        c->kind = STILE_LANG_PRESENT;
        return true;
    }
    if (stile__parse_skip_word(p, "absent")) {
        c->kind = STILE_LANG_MISSING;
        return true;
    }
    if (stile__parse_skip_word(p, "in")) {
        return in_test(p, c);
    }
    if (p->cur.kind != TOK_EQ && p->cur.kind != TOK_NE) {
        return stile__parse_fail(p, "present, absent, exists, =, != or in");
    }
    c->kind = p->cur.kind == TOK_EQ ? STILE_LANG_EQ : STILE_LANG_NE;
    stile__parse_next(p);
    c->literals = stile__parse_literal(p);
    return c->literals != NULL;
}

static struct stile_lang_cond *unary(struct stile__parser *p, bool of_paths)
{
    struct stile_lang_cond *c = NEW(p, struct stile_lang_cond);
    struct stile_span from = p->cur.span;
    bool ok = true;
    if (c == NULL || !stile__parse_enter(p)) {
        return NULL;
    }
    if (stile__parse_is(p, "not") && stile__parse_peek(p).kind != TOK_EQ) {
        stile__parse_next(p);
        c->kind = STILE_LANG_NOT;
        c->a = unary(p, of_paths);
        ok = c->a != NULL;
    } else if (of_paths && stile__parse_ask(p, c)) {
        ok = true;
    } else if (p->failed) {
        ok = false;
    } else if (stile__parse_skip(p, TOK_OPEN)) {
        c = stile__parse_cond(p, of_paths);
        ok = c != NULL && stile__parse_want(p, TOK_CLOSE, "')'");
    } else {
        if (of_paths) {
            c->path = stile__parse_path(p);
        } else {
            c->column = stile__parse_column(p);
        }
        ok = (c->path != NULL || c->column != NULL) && leaf_test(p, c);
    }
    p->depth--;
    if (!ok) {
        return NULL;
    }
    c->span = stile__parse_span(p, from);
    return c;
}

static struct stile_lang_cond *binary(struct stile__parser *p, bool of_paths,
                                      bool is_or)
{
    struct stile_span from = p->cur.span;
    struct stile_lang_cond *c =
        is_or ? binary(p, of_paths, false) : unary(p, of_paths);
    uint32_t count = 0;
    while (c != NULL && stile__parse_skip_word(p, is_or ? "or" : "and")) {
        struct stile_lang_cond *both = NEW(p, struct stile_lang_cond);
        if (both == NULL) {
            return NULL;
        }
        if (++count > STILE_LANG_DEPTH) {
            stile__parse_fail(p, "at most 32 parts in a condition");
            return NULL;
        }
        both->kind = is_or ? STILE_LANG_OR : STILE_LANG_AND;
        both->a = c;
        both->b = is_or ? binary(p, of_paths, false) : unary(p, of_paths);
        both->span = stile__parse_span(p, from);
        c = both->b != NULL ? both : NULL;
    }
    return c;
}

struct stile_lang_cond *stile__parse_cond(struct stile__parser *p,
                                          bool of_paths)
{
    if (!stile__parse_enter(p)) {
        return NULL;
    }
    struct stile_lang_cond *c = binary(p, of_paths, true);
    p->depth--;
    return c;
}

struct stile_lang_case *stile__parse_cases(struct stile__parser *p,
                                           bool of_paths)
{
    struct stile_lang_case *first = NULL, **tail = &first;
    for (uint32_t count = 0; count < 4 * STILE_LANG_DEPTH; count++) {
        struct stile_lang_case *c = NEW(p, struct stile_lang_case);
        if (c == NULL) {
            return NULL;
        }
        *tail = c;
        tail = &c->next;
        bool conditional = stile__parse_skip_word(p, "if");
        if (conditional) {
            c->cond = stile__parse_cond(p, of_paths);
            if (c->cond == NULL) {
                return NULL;
            }
            if (!stile__parse_skip_word(p, "then")) {
                stile__parse_fail(p, "'then'");
                return NULL;
            }
        }
        c->literal = stile__parse_literal(p);
        if (c->literal == NULL) {
            return NULL;
        }
        if (!conditional) {
            return first;
        }
        if (!stile__parse_skip_word(p, "else")) {
            stile__parse_fail(p, "'else'");
            return NULL;
        }
    }
    stile__parse_fail(p, "at most 128 branches");
    return NULL;
}

/* ---- codecs ---- */

bool stile__parse_is_policy(const struct stile__parser *p)
{
    return stile__parse_is(p, "hold") || stile__parse_is(p, "reject") ||
           stile__parse_is(p, "absent") || stile__parse_is(p, "as-text");
}

bool stile__parse_policy(struct stile__parser *p, struct stile_lang_policy *ret)
{
    struct stile_span from = p->cur.span;
    if (stile__parse_skip_word(p, "hold")) {
        ret->kind = STILE_LANG_POLICY_HOLD;
    } else if (stile__parse_skip_word(p, "reject")) {
        ret->kind = STILE_LANG_POLICY_REJECT;
    } else if (stile__parse_skip_word(p, "absent")) {
        ret->kind = STILE_LANG_POLICY_ABSENT;
    } else if (stile__parse_skip_word(p, "as-text")) {
        ret->kind = STILE_LANG_POLICY_AS_TEXT;
    } else {
        return stile__parse_fail(p, "hold, reject, absent or as-text");
    }
    if (p->cur.kind == TOK_TEXT) {
        ret->reason = p->cur.text;
        stile__parse_next(p);
    }
    ret->span = stile__parse_span(p, from);
    return true;
}

static struct stile_lang_literal *pair_side(struct stile__parser *p)
{
    bool word = p->cur.kind == TOK_WORD && !stile__parse_is(p, "true") &&
                !stile__parse_is(p, "false") && !stile__parse_is(p, "absent");
    if (word) {
        p->cur.kind = TOK_TEXT;
    }
    return stile__parse_literal(p);
}

static bool pairs_of(struct stile__parser *p, struct stile_lang_arg *arg)
{
    struct stile_lang_pair **tail = &arg->pairs;
    arg->kind = STILE_LANG_ARG_PAIRS;
    stile__parse_next(p); /* the brace */
    do {
        struct stile_lang_pair *pair = NEW(p, struct stile_lang_pair);
        if (pair == NULL) {
            return false;
        }
        pair->left = pair_side(p);
        if (pair->left == NULL || !stile__parse_want(p, TOK_COLON, "':'")) {
            return false;
        }
        pair->right = pair_side(p);
        if (pair->right == NULL) {
            return false;
        }
        *tail = pair;
        tail = &pair->next;
    } while (stile__parse_skip(p, TOK_COMMA));
    return stile__parse_want(p, TOK_CLOSE_BRACE, "'}'");
}

static bool codec_arg(struct stile__parser *p, struct stile_lang_arg *arg)
{
    arg->span = p->cur.span;
    arg->word = (struct stile_lang_word){p->cur.text, p->cur.span};
    if (p->cur.kind == TOK_OPEN_BRACE) {
        return pairs_of(p, arg);
    }
    enum stile__tok after = stile__parse_peek(p).kind;
    if (p->cur.kind == TOK_NUMBER && after == TOK_RANGE) {
        arg->kind = STILE_LANG_ARG_RANGE;
        return range_of(p, &arg->lo, &arg->hi);
    }
    if (p->cur.kind == TOK_WORD && after == TOK_DOT) {
        arg->kind = STILE_LANG_ARG_COLUMN;
        arg->column = stile__parse_column(p);
        return arg->column != NULL;
    }
    arg->kind =
        p->cur.kind == TOK_TEXT ? STILE_LANG_ARG_TEXT : STILE_LANG_ARG_WORD;
    stile__parse_next(p);
    return true;
}

struct stile_lang_codec *stile__parse_codec(struct stile__parser *p)
{
    struct stile_lang_codec *codec = NEW(p, struct stile_lang_codec);
    if (codec == NULL || !stile__parse_word(p, "a codec", &codec->name)) {
        return NULL;
    }
    struct stile_lang_arg **tail = &codec->args;
    while (p->cur.kind == TOK_WORD || p->cur.kind == TOK_TEXT ||
           p->cur.kind == TOK_NUMBER || p->cur.kind == TOK_OPEN_BRACE) {
        if (stile__parse_is(p, "else") || stile__parse_is(p, "derived") ||
            stile__parse_is(p, "lossy")) {
            break;
        }
        if (stile__parse_skip_word(p, "blank")) {
            codec->blanks = literals(p);
            if (codec->blanks == NULL) {
                return NULL;
            }
            continue;
        }
        struct stile_lang_arg *arg = NEW(p, struct stile_lang_arg);
        if (arg == NULL || !codec_arg(p, arg)) {
            return NULL;
        }
        *tail = arg;
        tail = &arg->next;
    }
    codec->span = stile__parse_span(p, codec->name.span);
    return codec;
}
