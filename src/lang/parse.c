/* Lines, blocks, mappings. */
#include "parse.h"

#define NEW(p, type) ((type *)stile_arena_alloc((p)->arena, sizeof(type)))

/* ---- the parser's hands ---- */

void stile__parse_next(struct stile__parser *p)
{
    p->last_end = p->cur.span.offset + p->cur.span.len;
    p->cur = stile__lex(&p->lexer);
}

struct stile__token stile__parse_peek(const struct stile__parser *p)
{
    struct stile__lexer copy = p->lexer;
    return stile__lex(&copy);
}

static bool in_backticks(const struct stile__parser *p)
{
    return p->source->text.ptr[p->cur.span.offset] == '`';
}

bool stile__parse_is(const struct stile__parser *p, const char *word)
{
    return p->cur.kind == TOK_WORD && stile_str_eqc(p->cur.text, word) &&
           !in_backticks(p);
}

bool stile__parse_skip(struct stile__parser *p, enum stile__tok kind)
{
    bool is = p->cur.kind == kind;
    if (is) {
        stile__parse_next(p);
    }
    return is;
}

bool stile__parse_skip_word(struct stile__parser *p, const char *word)
{
    bool is = stile__parse_is(p, word);
    if (is) {
        stile__parse_next(p);
    }
    return is;
}

bool stile__parse_report(struct stile__parser *p, const char *code,
                         struct stile_span span, const char *what,
                         const char *tail)
{
    p->faulty = true;
    if (!p->failed) {
        p->failed = true;
        (void)stile_diag_at_source(p->diags, code, STILE_ERROR, p->source, span,
                                   "%s%s", what, tail);
    }
    return false;
}

static uint32_t line_of(const struct stile__parser *p, size_t offset)
{
    uint32_t line = 0, column = 0;
    stile_source_place(p->source, (uint32_t)offset, &line, &column);
    return line;
}

bool stile__parse_fail(struct stile__parser *p, const char *what)
{
    if (p->cur.kind == TOK_BAD) {
        return stile__parse_report(p, p->cur.code, p->cur.span, p->cur.fault,
                                   "");
    }
    if (p->lexer.depth > 0 && !p->failed &&
        line_of(p, p->lexer.opened) != line_of(p, p->cur.span.offset)) {
        struct stile_span open = {(uint32_t)p->lexer.opened, 1};
        p->failed = p->faulty = p->reset = true;
        struct stile_diag *diag = stile_diag_at_source(
            p->diags, "M003", STILE_ERROR, p->source, open,
            "this bracket is not closed; close it on its line");
        if (diag != NULL) {
            stile_diag_second(diag, p->source, p->cur.span);
        }
        return false;
    }
    return stile__parse_report(p, "M001", p->cur.span, what,
                               " is expected here");
}

bool stile__parse_want(struct stile__parser *p, enum stile__tok kind,
                       const char *what)
{
    return stile__parse_skip(p, kind) || stile__parse_fail(p, what);
}

bool stile__parse_enter(struct stile__parser *p)
{
    if (p->depth >= STILE_LANG_DEPTH) {
        return stile__parse_report(p, "M006", p->cur.span,
                                   "nested more than 32 deep; split this", "");
    }
    p->depth++;
    return true;
}

struct stile_span stile__parse_span(const struct stile__parser *p,
                                    struct stile_span from)
{
    size_t end =
        p->last_end > from.offset ? p->last_end : from.offset + from.len;
    return (struct stile_span){from.offset, (uint32_t)(end - from.offset)};
}

bool stile__parse_word(struct stile__parser *p, const char *what,
                       struct stile_lang_word *ret)
{
    if (p->cur.kind != TOK_WORD) {
        return stile__parse_fail(p, what);
    }
    *ret = (struct stile_lang_word){p->cur.text, p->cur.span};
    stile__parse_next(p);
    return true;
}

bool stile__parse_text(struct stile__parser *p, const char *what,
                       struct stile_lang_word *ret)
{
    if (p->cur.kind != TOK_TEXT) {
        return stile__parse_fail(p, what);
    }
    *ret = (struct stile_lang_word){p->cur.text, p->cur.span};
    stile__parse_next(p);
    return true;
}

static bool skip_to_line_end(struct stile__parser *p)
{
    p->lexer.depth = 0;
    p->lexer.goes_on = false;
    if (p->reset) {
        struct stile_str t = p->source->text;
        size_t at = p->lexer.opened;
        while (at < t.len && t.ptr[at] != '\n') {
            at++;
        }
        p->lexer.pos = at;
        p->reset = false;
        stile__parse_next(p);
    }
    while (p->cur.kind != TOK_NEWLINE && p->cur.kind != TOK_END) {
        p->lexer.depth = 0;
        stile__parse_next(p);
    }
    return stile__parse_skip(p, TOK_NEWLINE);
}

/* Ends a statement: nothing may follow on its line. */
static void end_line(struct stile__parser *p)
{
    if (!p->failed && p->cur.kind != TOK_NEWLINE && p->cur.kind != TOK_END) {
        stile__parse_fail(p, "the end of the line");
    }
    if (p->failed || p->cur.kind == TOK_NEWLINE) {
        (void)skip_to_line_end(p);
    }
    p->failed = false;
    p->depth = 0;
}

bool stile__parse_versions(struct stile__parser *p,
                           struct stile_lang_word *from,
                           struct stile_lang_word *to)
{
    for (int i = 0; i < 2; i++) {
        if (p->cur.kind != TOK_NUMBER && p->cur.kind != TOK_WORD) {
            return stile__parse_fail(p, "a version");
        }
        *to = (struct stile_lang_word){p->cur.text, p->cur.span};
        if (i == 0) {
            *from = *to;
        }
        stile__parse_next(p);
        if (i == 0 && !stile__parse_skip(p, TOK_RANGE)) {
            break;
        }
    }
    return true;
}

/* ---- body lines ---- */

static bool columns_line(struct stile__parser *p, struct stile_lang_stmt *s)
{
    stile__parse_next(p);
    s->columns = stile__parse_columns(p);
    if (s->columns == NULL) {
        return false;
    }
    if (s->kind != STILE_LANG_DROP) {
        return true;
    }
    if (stile__parse_skip_word(p, "carried")) {
        if (!stile__parse_skip_word(p, "by")) {
            return stile__parse_fail(p, "'by' and a mapping's name");
        }
        return stile__parse_word(p, "a mapping's name", &s->carried_by);
    }
    struct stile_lang_word reason = {0};
    if (!stile__parse_skip_word(p, "because")) {
        return stile__parse_fail(p, "'because' and a reason in quotes");
    }
    bool ok = stile__parse_text(p, "a reason in quotes", &reason);
    s->reason = reason.text;
    return ok;
}

static bool mark_of(struct stile__parser *p, struct stile_lang_stmt *s)
{
    if (stile__parse_skip_word(p, "derived")) {
        s->mark = STILE_LANG_DERIVED;
    } else if (stile__parse_skip_word(p, "lossy")) {
        struct stile_lang_word reason = {0};
        s->mark = STILE_LANG_LOSSY;
        if (!stile__parse_text(p, "a reason in quotes", &reason)) {
            return false;
        }
        s->reason = reason.text;
    }
    return true;
}

static bool rule_tail(struct stile__parser *p, struct stile_lang_stmt *s)
{
    if (stile__parse_skip(p, TOK_COLON)) {
        s->codec = stile__parse_codec(p);
        if (s->codec == NULL) {
            return false;
        }
    }
    while (stile__parse_skip_word(p, "else")) {
        if (s->codec != NULL && stile__parse_is_policy(p)) {
            if (!stile__parse_policy(p, &s->codec->policy)) {
                return false;
            }
        } else {
            s->fallback = stile__parse_literal(p);
            if (s->fallback == NULL) {
                return false;
            }
        }
    }
    return mark_of(p, s);
}

static bool is_value(struct stile__parser *p)
{
    return p->cur.kind == TOK_TEXT || p->cur.kind == TOK_NUMBER ||
           stile__parse_is(p, "if") || stile__parse_is(p, "true") ||
           stile__parse_is(p, "false");
}

static bool arrow_part(struct stile__parser *p, struct stile_lang_stmt *s)
{
    s->arrow = p->cur.kind == TOK_BOTH    ? STILE_LANG_BOTH
               : p->cur.kind == TOK_RIGHT ? STILE_LANG_RIGHTWARD
                                          : STILE_LANG_LEFTWARD;
    s->arrow_span = p->cur.span;
    stile__parse_next(p);
    if (s->arrow == STILE_LANG_LEFTWARD && is_value(p)) {
        s->cases = stile__parse_cases(p, true);
        return s->cases != NULL && rule_tail(p, s);
    }
    struct stile_lang_path **tail = &s->paths;
    do {
        *tail = stile__parse_path(p);
        if (*tail == NULL) {
            return false;
        }
        tail = &(*tail)->next;
    } while (stile__parse_skip(p, TOK_COMMA));
    return rule_tail(p, s);
}

static bool at_arrow(const struct stile__parser *p)
{
    return p->cur.kind == TOK_BOTH || p->cur.kind == TOK_LEFT ||
           p->cur.kind == TOK_RIGHT;
}

/* A constant's path and a rule's first column look alike until the sign. */
static bool rule_line(struct stile__parser *p, struct stile_lang_stmt *s)
{
    struct stile__lexer lexer = p->lexer;
    struct stile__token token = p->cur;
    size_t last_end = p->last_end;
    struct stile_lang_path *path = stile__parse_path(p);
    if (path == NULL) {
        return false;
    }
    if (p->cur.kind == TOK_EQ) {
        s->kind = STILE_LANG_CONSTANT;
        s->paths = path;
        stile__parse_next(p);
        s->cases = stile__parse_cases(p, false);
        return s->cases != NULL && mark_of(p, s);
    }
    if (!at_arrow(p) && p->cur.kind != TOK_COMMA) {
        return stile__parse_fail(p, "<->, ->, <- or =");
    }
    p->lexer = lexer;
    p->cur = token;
    p->last_end = last_end;
    s->kind = STILE_LANG_RULE;
    s->columns = stile__parse_columns(p);
    if (s->columns == NULL) {
        return false;
    }
    if (!at_arrow(p)) {
        return stile__parse_fail(p, "<->, -> or <-");
    }
    return arrow_part(p, s);
}

static bool block_head(struct stile__parser *p, struct stile_lang_stmt *s)
{
    stile__parse_next(p);
    if (s->kind == STILE_LANG_IN) {
        return stile__parse_word(p, "a family's name", &s->family) &&
               stile__parse_versions(p, &s->from, &s->to);
    }
    s->cond = stile__parse_cond(p, false);
    if (s->cond == NULL) {
        return false;
    }
    if (stile__parse_skip_word(p, "iff")) {
        s->iff = stile__parse_cond(p, true);
        return s->iff != NULL;
    }
    return true;
}

/* A language word that is not the start of a correspondence. */
bool stile__parse_at(const struct stile__parser *p, const char *word)
{
    if (!stile__parse_is(p, word)) {
        return false;
    }
    switch (stile__parse_peek(p).kind) {
    case TOK_BOTH:
    case TOK_LEFT:
    case TOK_RIGHT:
    case TOK_COMMA:
    case TOK_DOT:
    case TOK_EQ:
    case TOK_OPEN_SQUARE:
        return false;
    default:
        return true;
    }
}

static const struct {
    const char *word;
    enum stile_lang_stmt_kind kind;
} body_words[] = {
    {"when", STILE_LANG_WHEN},       {"in", STILE_LANG_IN},
    {"residue", STILE_LANG_RESIDUE}, {"drop", STILE_LANG_DROP},
    {"require", STILE_LANG_REQUIRE}, {"each", STILE_LANG_EACH},
};

static struct stile_lang_stmt *body_list(struct stile__parser *p,
                                         uint32_t nested);

static struct stile_lang_stmt *body_line(struct stile__parser *p,
                                         uint32_t nested)
{
    struct stile_lang_stmt *s = NEW(p, struct stile_lang_stmt);
    struct stile_span from = p->cur.span;
    bool ok = false;
    if (s == NULL) {
        return NULL;
    }
    s->kind = STILE_LANG_RULE;
    for (size_t i = 0; i < sizeof body_words / sizeof body_words[0]; i++) {
        if (stile__parse_at(p, body_words[i].word)) {
            s->kind = body_words[i].kind;
        }
    }
    bool block = s->kind == STILE_LANG_WHEN || s->kind == STILE_LANG_IN ||
                 s->kind == STILE_LANG_EACH;
    if (s->kind == STILE_LANG_RULE) {
        ok = rule_line(p, s);
    } else if (s->kind == STILE_LANG_EACH) {
        ok = stile__parse_each(p, s);
        block = s->child == NULL;
    } else {
        ok = block ? block_head(p, s) : columns_line(p, s);
    }
    s->span = stile__parse_span(p, from);
    end_line(p);
    if (block) {
        s->body = body_list(p, nested + 1);
        if (!stile__parse_at(p, "end") && p->too_deep) {
            return NULL;
        }
        if (!stile__parse_at(p, "end")) {
            (void)stile__parse_report(p, "M004", s->span,
                                      "this block has no 'end'; add one", "");
            p->failed = false;
        } else {
            stile__parse_next(p);
            end_line(p);
        }
    }
    return ok ? s : NULL;
}

static bool at_block_end(const struct stile__parser *p)
{
    return p->cur.kind == TOK_END || stile__parse_at(p, "end") ||
           stile__parse_at(p, "mapping") || stile__parse_at(p, "example");
}

static struct stile_lang_stmt *body_list(struct stile__parser *p,
                                         uint32_t nested)
{
    struct stile_lang_stmt *first = NULL, **tail = &first;
    if (nested > STILE_LANG_DEPTH) {
        (void)stile__parse_report(
            p, "M006", p->cur.span,
            "blocks nested more than 32 deep; split the mapping", "");
        p->failed = false;
        p->too_deep = true;
        p->lexer.pos = p->lexer.text.len;
        stile__parse_next(p);
        return NULL;
    }
    while (!at_block_end(p)) {
        if (stile__parse_skip(p, TOK_NEWLINE)) {
            continue;
        }
        *tail = body_line(p, nested);
        if (*tail != NULL) {
            tail = &(*tail)->next;
        }
    }
    return first;
}

/* ---- mappings ---- */

static void mapping_body(struct stile__parser *p, struct stile_lang_mapping *m)
{
    struct stile_lang_stmt **tail = &m->body;
    while (p->cur.kind != TOK_END && !stile__parse_at(p, "mapping")) {
        if (stile__parse_skip(p, TOK_NEWLINE)) {
            continue;
        }
        if (stile__parse_at(p, "end")) {
            (void)stile__parse_report(p, "M004", p->cur.span,
                                      "this 'end' closes no block; remove it",
                                      "");
            end_line(p);
        } else if (stile__parse_header(p, m)) {
            end_line(p);
        } else {
            *tail = body_line(p, 1);
            if (*tail != NULL) {
                tail = &(*tail)->next;
            }
        }
    }
}

static void one_mapping(struct stile__parser *p,
                        struct stile_lang_mapping ***tail)
{
    struct stile_lang_mapping *m = NEW(p, struct stile_lang_mapping);
    if (m == NULL) {
        p->lexer.pos = p->lexer.text.len;
        stile__parse_next(p);
        return;
    }
    bool before = p->faulty;
    p->faulty = false;
    m->source = p->source;
    (void)stile__parse_name(p, m);
    end_line(p);
    mapping_body(p, m);
    if (!p->faulty && (m->table.text.ptr == NULL || m->type.text.ptr == NULL)) {
        (void)stile__parse_report(p, "M007", m->name.span,
                                  m->table.text.ptr == NULL
                                      ? "the mapping has no 'left' line"
                                      : "the mapping has no 'right' line",
                                  "; add one");
        p->failed = false;
    }
    m->broken = p->faulty;
    p->faulty = p->faulty || before;
    **tail = m;
    *tail = &m->next;
}

enum stile_status stile_lang_parse(const struct stile_source *source,
                                   struct stile_arena *arena,
                                   struct stile_diags *diags,
                                   struct stile_lang_mapping **ret_first)
{
    struct stile__parser p = {.source = source,
                              .arena = arena,
                              .diags = diags,
                              .lexer = {.text = source->text, .arena = arena}};
    struct stile_lang_mapping *first = NULL, **tail = &first;
    if (source->text.len > STILE_LANG_BYTES) {
        (void)stile__parse_report(&p, "M006", (struct stile_span){0, 0},
                                  "the file is larger than 4 MiB; split it",
                                  "");
        return STILE_LIMIT;
    }
    if (!stile_utf8_valid(source->text)) {
        (void)stile__parse_report(&p, "M005", (struct stile_span){0, 0},
                                  "the file is not UTF-8; save it as UTF-8",
                                  "");
        return STILE_INVALID;
    }
    stile__parse_next(&p);
    while (p.cur.kind != TOK_END) {
        if (stile__parse_skip(&p, TOK_NEWLINE)) {
            continue;
        }
        if (stile__parse_at(&p, "mapping")) {
            one_mapping(&p, &tail);
        } else {
            (void)stile__parse_fail(&p, "'mapping', its name and its number");
            end_line(&p);
        }
    }
    *ret_first = first;
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    return p.faulty ? STILE_INVALID : STILE_OK;
}
