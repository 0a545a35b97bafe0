/* Tokens to a tree: N1 section 12.1, by precedence (section 6.8). */
#include "private.h"

struct parser {
    const struct stile_source *source;
    struct stile_arena *arena;
    struct stile_diags *diags; /* NULL: nothing is said */
    struct stile_fhirpath_limits limits;
    struct fp_lexer lexer;
    struct fp_token cur;
    size_t last_end; /* where the token before `cur` ended */
    uint32_t nodes, depth;
    enum stile_status status; /* sticky */
};

/* From the loosest to the tightest. */
enum level {
    LEVEL_IMPLIES,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_MEMBERSHIP,
    LEVEL_EQUALITY,
    LEVEL_INEQUALITY,
    LEVEL_UNION,
    LEVEL_TYPE,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_UNARY
};

struct operator_facts {
    const char *sign;
    enum level level;
    enum stile_fhirpath_kind kind;
};

static const struct operator_facts operators[] = {
    {"implies", LEVEL_IMPLIES, STILE_FP_IMPLIES},
    {"or", LEVEL_OR, STILE_FP_OR},
    {"xor", LEVEL_OR, STILE_FP_XOR},
    {"and", LEVEL_AND, STILE_FP_AND},
    {"in", LEVEL_MEMBERSHIP, STILE_FP_IN},
    {"contains", LEVEL_MEMBERSHIP, STILE_FP_CONTAINS},
    {"=", LEVEL_EQUALITY, STILE_FP_EQ},
    {"!=", LEVEL_EQUALITY, STILE_FP_NE},
    {"~", LEVEL_EQUALITY, STILE_FP_OUTSIDE},
    {"!~", LEVEL_EQUALITY, STILE_FP_OUTSIDE},
    {"<", LEVEL_INEQUALITY, STILE_FP_LT},
    {"<=", LEVEL_INEQUALITY, STILE_FP_LE},
    {">", LEVEL_INEQUALITY, STILE_FP_GT},
    {">=", LEVEL_INEQUALITY, STILE_FP_GE},
    {"|", LEVEL_UNION, STILE_FP_OUTSIDE},
    {"is", LEVEL_TYPE, STILE_FP_IS},
    {"as", LEVEL_TYPE, STILE_FP_AS},
    {"&", LEVEL_ADD, STILE_FP_CONCAT},
    {"+", LEVEL_ADD, STILE_FP_OUTSIDE},
    {"-", LEVEL_ADD, STILE_FP_OUTSIDE},
    {"*", LEVEL_MULTIPLY, STILE_FP_OUTSIDE},
    {"/", LEVEL_MULTIPLY, STILE_FP_OUTSIDE},
    {"div", LEVEL_MULTIPLY, STILE_FP_OUTSIDE},
    {"mod", LEVEL_MULTIPLY, STILE_FP_OUTSIDE},
};

static struct stile_fhirpath_node *expression(struct parser *p,
                                              enum level level);

/* ---- helpers ---- */

static struct stile_fhirpath_node *fail(struct parser *p, const char *expected)
{
    if (p->status == STILE_OK) {
        const char *what = p->cur.kind == FP_BAD ? p->cur.fault : expected;
        p->status = STILE_INVALID;
        if (p->diags != NULL) {
            (void)stile_diag_at_source(p->diags, "M008", STILE_ERROR, p->source,
                                       p->cur.span, "expected %s here", what);
        }
    }
    return NULL;
}

static struct stile_fhirpath_node *over(struct parser *p, const char *what)
{
    if (p->status == STILE_OK) {
        p->status = STILE_LIMIT;
        if (p->diags != NULL) {
            (void)stile_diag_at_source(
                p->diags, "M006", STILE_ERROR, p->source, p->cur.span,
                "the expression has too %s; make it shorter", what);
        }
    }
    return NULL;
}

static void next(struct parser *p)
{
    p->last_end = p->cur.span.offset + (size_t)p->cur.span.len;
    p->cur = stile__fp_lex(&p->lexer);
}

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->cur.kind == FP_SIGN && stile_str_eqc(p->cur.text, sign);
}

static bool skip(struct parser *p, const char *sign)
{
    if (!is_sign(p, sign)) {
        return false;
    }
    next(p);
    return true;
}

static struct stile_fhirpath_node *
new_node(struct parser *p, enum stile_fhirpath_kind kind, size_t from)
{
    if (++p->nodes > p->limits.nodes) {
        return over(p, "many parts");
    }
    struct stile_fhirpath_node *n = stile_arena_alloc(p->arena, sizeof *n);
    if (n == NULL) {
        p->status = STILE_NOMEM;
        return NULL;
    }
    n->kind = kind;
    n->depth = 1;
    n->span.offset = (uint32_t)from;
    return n;
}

/* The node ends before `cur`, and counts what is below it. */
static struct stile_fhirpath_node *done(struct parser *p,
                                        struct stile_fhirpath_node *n)
{
    const struct stile_fhirpath_node *below[] = {n->a, n->b};
    for (size_t i = 0; i < 2; i++) {
        if (below[i] != NULL && below[i]->depth >= n->depth) {
            n->depth = below[i]->depth + 1;
        }
    }
    for (const struct stile_fhirpath_node *arg = n->args; arg != NULL;
         arg = arg->next) {
        if (arg->depth >= n->depth) {
            n->depth = arg->depth + 1;
        }
    }
    n->span.len = (uint32_t)(p->last_end - n->span.offset);
    return n->depth > p->limits.depth ? over(p, "many levels") : n;
}

/* ---- terms ---- */

static bool is_unit_word(struct stile_str word)
{
    /* N1 section 12.1: dateTimePrecision, pluralDateTimePrecision. */
    static const char *const words[] = {"year",   "month",      "week",
                                        "day",    "hour",       "minute",
                                        "second", "millisecond"};
    if (stile_str_ends(word, STILE_STR("s"))) {
        word.len--;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (stile_str_eqc(word, words[i])) {
            return true;
        }
    }
    return false;
}

static struct stile_fhirpath_node *number(struct parser *p)
{
    bool whole = stile_str_find(p->cur.text, '.') == SIZE_MAX;
    struct stile_fhirpath_node *n = new_node(
        p, whole ? STILE_FP_INTEGER : STILE_FP_DECIMAL, p->cur.span.offset);
    if (n == NULL) {
        return NULL;
    }
    n->text = p->cur.text;
    next(p);
    if (p->cur.kind == FP_TEXT ||
        (p->cur.kind == FP_NAME && is_unit_word(p->cur.text))) {
        n->kind = STILE_FP_QUANTITY;
        n->unit = p->cur.text;
        next(p);
    }
    return done(p, n);
}

/* A calendar day, or an hour of one. */
static bool sound_date(struct stile_str text)
{
    struct stile_date date;
    size_t end = stile_str_find(text, 'T');
    return stile_date_parse(
        stile_str_sub(text, 0, end != SIZE_MAX ? end : text.len), &date);
}

static struct stile_fhirpath_node *literal(struct parser *p,
                                           enum stile_fhirpath_kind kind)
{
    struct stile_fhirpath_node *n = new_node(p, kind, p->cur.span.offset);
    if (n == NULL) {
        return NULL;
    }
    if ((kind == STILE_FP_DATE || kind == STILE_FP_DATETIME) &&
        !sound_date(p->cur.text)) {
        return fail(p, "a date of the calendar");
    }
    n->text = p->cur.text;
    next(p);
    return done(p, n);
}

static bool arguments(struct parser *p, struct stile_fhirpath_node *call)
{
    struct stile_fhirpath_node **tail = &call->args;
    next(p); /* the bracket */
    if (skip(p, ")")) {
        return true;
    }
    do {
        *tail = expression(p, LEVEL_IMPLIES);
        if (*tail == NULL) {
            return false;
        }
        tail = &(*tail)->next;
        call->arguments++;
    } while (skip(p, ","));
    if (!skip(p, ")")) {
        (void)fail(p, "',' or ')'");
        return false;
    }
    return true;
}

/* What reads as a path of one or two names, as a type's name. */
static struct stile_str named_type(struct parser *p,
                                   const struct stile_fhirpath_node *arg)
{
    if (arg == NULL || arg->kind != STILE_FP_MEMBER) {
        return STILE_STR_NULL;
    }
    if (arg->a == NULL) {
        return arg->text;
    }
    return arg->a->kind == STILE_FP_MEMBER && arg->a->a == NULL
               ? stile_arena_printf(p->arena, "%.*s.%.*s",
                                    STILE_FMT(arg->a->text),
                                    STILE_FMT(arg->text))
               : STILE_STR_NULL;
}

/* A member or a call, of `focus` or, without, of what is at hand. */
static struct stile_fhirpath_node *invocation(struct parser *p,
                                              struct stile_fhirpath_node *focus)
{
    size_t from = focus != NULL ? focus->span.offset : p->cur.span.offset;
    if (p->cur.kind == FP_VARIABLE && focus != NULL &&
        stile_str_starts(p->cur.text, STILE_STR("$"))) {
        return fail(p, "a name; $this begins a path");
    }
    if (p->cur.kind != FP_NAME && p->cur.kind != FP_QUOTED) {
        return fail(p, focus != NULL ? "an element or function after '.'"
                                     : "an expression");
    }
    struct stile_fhirpath_node *n = new_node(p, STILE_FP_MEMBER, from);
    if (n == NULL) {
        return NULL;
    }
    n->a = focus;
    n->text = p->cur.text;
    n->word = p->cur.span;
    n->quoted = p->cur.kind == FP_QUOTED;
    next(p);
    if (is_sign(p, "(")) {
        n->kind = STILE_FP_CALL;
        n->function = (uint8_t)stile__fp_function(n->text);
        if (!arguments(p, n)) {
            return NULL;
        }
        if (n->function == FN_IS || n->function == FN_AS ||
            n->function == FN_OF_TYPE) {
            n->unit = named_type(p, n->args);
        }
    }
    return done(p, n);
}

static struct stile_fhirpath_node *variable(struct parser *p)
{
    bool self = stile_str_eqc(p->cur.text, "$this");
    bool known = self || stile_str_eqc(p->cur.text, "$index") ||
                 stile_str_eqc(p->cur.text, "$total") ||
                 !stile_str_starts(p->cur.text, STILE_STR("$"));
    if (!known) {
        return fail(p, "$this, $index or $total");
    }
    return literal(p, self ? STILE_FP_THIS : STILE_FP_OUTSIDE);
}

static struct stile_fhirpath_node *grouped(struct parser *p)
{
    struct stile_span from = p->cur.span;
    next(p);
    struct stile_fhirpath_node *n = expression(p, LEVEL_IMPLIES);
    if (n == NULL) {
        return NULL;
    }
    if (!skip(p, ")")) {
        return fail(p, "an operator or ')'");
    }
    n->grouped = true;
    n->span.offset = from.offset;
    n->span.len = (uint32_t)(p->last_end - from.offset);
    return n;
}

static struct stile_fhirpath_node *term(struct parser *p)
{
    switch (p->cur.kind) {
    case FP_TEXT:
        return literal(p, STILE_FP_STRING);
    case FP_NUMBER:
        return number(p);
    case FP_DATE:
        return literal(p, STILE_FP_DATE);
    case FP_DATETIME:
        return literal(p, STILE_FP_DATETIME);
    case FP_TIME:
        return literal(p, STILE_FP_TIME);
    case FP_VARIABLE:
        return variable(p);
    case FP_NAME:
        if (stile_str_eqc(p->cur.text, "true") ||
            stile_str_eqc(p->cur.text, "false")) {
            return literal(p, STILE_FP_BOOLEAN);
        }
        return invocation(p, NULL);
    case FP_QUOTED:
        return invocation(p, NULL);
    default:
        break;
    }
    if (is_sign(p, "(")) {
        return grouped(p);
    }
    if (is_sign(p, "{")) {
        struct stile_fhirpath_node *n =
            new_node(p, STILE_FP_EMPTY, p->cur.span.offset);
        next(p);
        if (n == NULL || !skip(p, "}")) {
            return fail(p, "'}'");
        }
        return done(p, n);
    }
    return fail(p, "an expression");
}

/* ---- operators ---- */

static struct stile_fhirpath_node *index_of(struct parser *p,
                                            struct stile_fhirpath_node *focus)
{
    struct stile_fhirpath_node *n =
        new_node(p, STILE_FP_INDEX, focus->span.offset);
    next(p); /* the bracket */
    if (n == NULL) {
        return NULL;
    }
    n->a = focus;
    n->b = expression(p, LEVEL_IMPLIES);
    if (n->b == NULL) {
        return NULL;
    }
    return skip(p, "]") ? done(p, n) : fail(p, "an operator or ']'");
}

static struct stile_fhirpath_node *postfix(struct parser *p)
{
    struct stile_fhirpath_node *n = term(p);
    while (n != NULL) {
        if (skip(p, ".")) {
            n = invocation(p, n);
        } else if (is_sign(p, "[")) {
            n = index_of(p, n);
        } else {
            break;
        }
    }
    return n;
}

/* A sign before a bare number is the number's; before more, arithmetic. */
static struct stile_fhirpath_node *unary(struct parser *p)
{
    if (!is_sign(p, "-") && !is_sign(p, "+")) {
        return postfix(p);
    }
    struct stile_span from = p->cur.span;
    bool minus = is_sign(p, "-");
    next(p);
    if (++p->depth > p->limits.depth) {
        return over(p, "many levels");
    }
    struct stile_fhirpath_node *n = unary(p);
    p->depth--;
    if (n == NULL) {
        return NULL;
    }
    bool number = n->kind == STILE_FP_INTEGER || n->kind == STILE_FP_DECIMAL ||
                  n->kind == STILE_FP_QUANTITY;
    bool joined = n->text.len > 0 && n->text.ptr[0] != '-' &&
                  n->span.offset == from.offset + 1u && !n->grouped;
    if (number && joined) {
        n->span.offset = from.offset;
        n->span.len++;
        if (minus) {
            n->text.ptr--; /* the sign stands just before */
            n->text.len++;
        }
        return n;
    }
    struct stile_fhirpath_node *out =
        new_node(p, STILE_FP_OUTSIDE, from.offset);
    if (out == NULL) {
        return NULL;
    }
    out->text = minus ? STILE_STR("-") : STILE_STR("+");
    out->word = from;
    out->a = n;
    return done(p, out);
}

static const struct operator_facts *operator_at(const struct parser *p,
                                                enum level level)
{
    if (p->cur.kind != FP_SIGN && p->cur.kind != FP_NAME) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (operators[i].level == level &&
            stile_str_eqc(p->cur.text, operators[i].sign)) {
            return &operators[i];
        }
    }
    return NULL;
}

/* is and as: a type's name, with its namespace or without. */
static bool type_name(struct parser *p, struct stile_fhirpath_node *n)
{
    if (p->cur.kind != FP_NAME && p->cur.kind != FP_QUOTED) {
        (void)fail(p, "a type's name");
        return false;
    }
    n->text = p->cur.text;
    n->word = p->cur.span;
    next(p);
    if (!skip(p, ".")) {
        return true;
    }
    if (p->cur.kind != FP_NAME && p->cur.kind != FP_QUOTED) {
        (void)fail(p, "a type's name");
        return false;
    }
    n->text = stile_arena_printf(p->arena, "%.*s.%.*s", STILE_FMT(n->text),
                                 STILE_FMT(p->cur.text));
    n->word.len = p->cur.span.offset + p->cur.span.len - n->word.offset;
    next(p);
    return true;
}

static struct stile_fhirpath_node *binary(struct parser *p,
                                          struct stile_fhirpath_node *left,
                                          const struct operator_facts *op)
{
    struct stile_fhirpath_node *n = new_node(p, op->kind, left->span.offset);
    if (n == NULL) {
        return NULL;
    }
    n->text = p->cur.text;
    n->word = p->cur.span;
    n->a = left;
    next(p);
    if (op->level == LEVEL_TYPE) {
        return type_name(p, n) ? done(p, n) : NULL;
    }
    n->b = expression(p, (enum level)(op->level + 1));
    return n->b != NULL ? done(p, n) : NULL;
}

static struct stile_fhirpath_node *expression(struct parser *p,
                                              enum level level)
{
    if (level == LEVEL_UNARY) {
        return unary(p);
    }
    /* Brackets come back to the loosest level: only they can go deep. */
    if (level == LEVEL_IMPLIES && ++p->depth > p->limits.depth) {
        return over(p, "many levels");
    }
    struct stile_fhirpath_node *n = expression(p, (enum level)(level + 1));
    const struct operator_facts *op;
    while (n != NULL && (op = operator_at(p, level)) != NULL) {
        n = binary(p, n, op);
    }
    p->depth -= level == LEVEL_IMPLIES ? 1 : 0;
    return n;
}

static enum stile_status finish(struct parser *p,
                                struct stile_fhirpath_node *root,
                                struct stile_fhirpath **ret)
{
    struct stile_fhirpath *path =
        root != NULL ? stile_arena_alloc(p->arena, sizeof *path) : NULL;
    if (root != NULL && (path == NULL || stile_arena_failed(p->arena))) {
        p->status = STILE_NOMEM;
    }
    if (p->status != STILE_OK) {
        return p->status;
    }
    *path = (struct stile_fhirpath){.source = p->source, .root = root};
    *ret = path;
    return STILE_OK;
}

enum stile_status stile_fhirpath_parse(const struct stile_source *source,
                                       struct stile_fhirpath_limits limits,
                                       struct stile_arena *arena,
                                       struct stile_diags *diags,
                                       struct stile_fhirpath **ret)
{
    struct parser p = {.source = source,
                       .arena = arena,
                       .diags = diags,
                       .limits = limits,
                       .lexer = {.text = source->text, .arena = arena}};
    if (source->text.len > limits.bytes) {
        (void)over(&p, "many characters");
        return p.status;
    }
    if (!stile_utf8_valid(source->text)) {
        (void)fail(&p, "text in UTF-8");
        return p.status;
    }
    next(&p);
    struct stile_fhirpath_node *root = expression(&p, LEVEL_IMPLIES);
    if (root != NULL && p.cur.kind != FP_END) {
        root = fail(&p, "an operator or the end");
    }
    return finish(&p, root, ret);
}

enum stile_status
stile_fhirpath_parse_term(const struct stile_source *source, size_t at,
                          struct stile_arena *arena, struct stile_diags *diags,
                          struct stile_fhirpath **ret, size_t *ret_end)
{
    struct parser p = {
        .source = source,
        .arena = arena,
        .diags = diags,
        .limits = STILE_FHIRPATH_LIMITS,
        .lexer = {
            .text = source->text, .arena = arena, .pos = at, .within = true}};
    next(&p);
    struct stile_fhirpath_node *root = expression(&p, LEVEL_MEMBERSHIP);
    if (root != NULL && p.cur.kind == FP_BAD) {
        root = fail(&p, "");
    }
    enum stile_status status = finish(&p, root, ret);
    if (status == STILE_OK) {
        *ret_end = p.last_end;
    }
    return status;
}
