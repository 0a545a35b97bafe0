/*
 * A leaf of a right condition: FHIRPath, or one of the language's own short
 * forms (`PATH exists`, `PATH = 'a'`, `PATH in 'a', 'b'`), which are told by
 * what the expression comes out as. A short form stays the parser's own.
 */
#include "parse.h"

static bool is_name(const struct stile_fhirpath_node *n, const char *name)
{
    return n->kind == STILE_FP_MEMBER && n->a == NULL && !n->quoted &&
           stile_str_eqc(n->text, name);
}

static bool is_literal(const struct stile_fhirpath_node *n)
{
    return n->kind == STILE_FP_STRING || n->kind == STILE_FP_INTEGER ||
           n->kind == STILE_FP_DECIMAL || n->kind == STILE_FP_BOOLEAN ||
           is_name(n, "absent");
}

static bool is_path(const struct stile_fhirpath_node *n);

/* path = literal and ... */
static bool is_match(const struct stile_fhirpath_node *n)
{
    if (n->grouped) {
        return false;
    }
    if (n->kind == STILE_FP_AND) {
        return is_match(n->a) && is_match(n->b);
    }
    return n->kind == STILE_FP_EQ && is_path(n->a) && is_literal(n->b);
}

static bool is_path_call(const struct stile_fhirpath_node *n)
{
    if (n->arguments != 1) {
        return false;
    }
    if (stile_str_eqc(n->text, "where")) {
        return is_match(n->args);
    }
    return stile_str_eqc(n->text, "ofType") ||
           (stile_str_eqc(n->text, "extension") &&
            n->args->kind == STILE_FP_STRING);
}

/* What could be written. Depth is bounded by the expression's own. */
static bool is_path(const struct stile_fhirpath_node *n)
{
    if (n->grouped) {
        return false;
    }
    switch (n->kind) {
    case STILE_FP_MEMBER:
        return n->a == NULL || is_path(n->a);
    case STILE_FP_INDEX:
        return n->b->kind == STILE_FP_INTEGER && is_path(n->a);
    case STILE_FP_CALL:
        return is_path_call(n) && (n->a == NULL || is_path(n->a));
    default:
        return false;
    }
}

static bool is_short(const struct stile_fhirpath_node *n)
{
    switch (n->kind) {
    case STILE_FP_EQ:
    case STILE_FP_NE:
        return is_path(n->a) && is_literal(n->b);
    case STILE_FP_IN:
        return is_path(n->a) && (is_literal(n->b) || is_name(n->b, "table"));
    case STILE_FP_AND:
    case STILE_FP_OR:
        return n->grouped; /* its leaves may be short */
    default:
        return is_path(n);
    }
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Does what stands here call, or compare by, more than the short forms? Then
 * its faults are told as FHIRPath's. */
static bool asks_more(struct stile_str text)
{
    static const char *const own[] = {"where", "ofType", "extension",
                                      "and",   "or",     "not"};
    for (size_t i = 0; i < text.len && text.ptr[i] != '\n'; i++) {
        size_t from = i;
        if (text.ptr[i] == '\'' || text.ptr[i] == '"') {
            char quote = text.ptr[i++];
            while (i < text.len && text.ptr[i] != quote &&
                   text.ptr[i] != '\n') {
                i++;
            }
            continue;
        }
        if (memchr("<>&", text.ptr[i], 3) != NULL) {
            return true;
        }
        while (i < text.len && is_letter(text.ptr[i])) {
            i++;
        }
        struct stile_str word = stile_str_sub(text, from, i - from);
        bool known = word.len == 0;
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) {
            known = known || stile_str_eqc(word, own[k]);
        }
        if (!known && i < text.len && text.ptr[i] == '(') {
            return true;
        }
        if (stile_str_eqc(word, "and") || stile_str_eqc(word, "or")) {
            return false;
        }
        i -= word.len > 0 ? 1 : 0;
    }
    return false;
}

/* The lexer goes on behind the expression. */
static void go_behind(struct stile__parser *p, size_t from, size_t end)
{
    bool opened = p->cur.kind == TOK_OPEN || p->cur.kind == TOK_OPEN_SQUARE ||
                  p->cur.kind == TOK_OPEN_BRACE;
    p->lexer.depth -= opened && p->lexer.depth > 0 ? 1 : 0;
    p->lexer.pos = end;
    p->lexer.goes_on = false;
    p->cur.span = (struct stile_span){(uint32_t)from, (uint32_t)(end - from)};
    stile__parse_next(p);
}

bool stile__parse_ask(struct stile__parser *p, struct stile_lang_cond *cond)
{
    size_t from = p->cur.span.offset, end = from;
    struct stile_fhirpath *path = NULL;
    if (p->failed || p->cur.kind == TOK_END || p->cur.kind == TOK_NEWLINE) {
        return false;
    }
    enum stile_status status =
        stile_fhirpath_parse_term(p->source, from, p->arena, NULL, &path, &end);
    if (status != STILE_OK) {
        struct stile_str text = p->source->text;
        if (asks_more(stile_str_sub(text, from, text.len - from))) {
            p->failed = p->faulty = true;
            (void)!stile_fhirpath_parse_term(p->source, from, p->arena,
                                             p->diags, &path, &end);
        }
        return false;
    }
    struct stile_lang_ask *ask = stile_arena_alloc(p->arena, sizeof *ask);
    if (is_short(path->root) || ask == NULL) {
        return false;
    }
    ask->path = path;
    cond->kind = STILE_LANG_ASK;
    cond->ask = ask;
    go_behind(p, from, end);
    return true;
}
