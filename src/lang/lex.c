#include "lex.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct stile__lexer *lx, size_t ahead)
{
    size_t at = lx->pos + ahead;
    return at < lx->text.len ? lx->text.ptr[at] : '\0';
}

static struct stile_span span_to(size_t from, size_t to)
{
    return (struct stile_span){(uint32_t)from, (uint32_t)(to - from)};
}

/* Skips blanks and a comment, never a line end. */
static void skip_blank(struct stile__lexer *lx)
{
    while (lx->pos < lx->text.len) {
        char c = peek(lx, 0);
        if (c == ' ' || c == '\t' || c == '\r') {
            lx->pos++;
        } else if (c == '-' && peek(lx, 1) == '-') {
            while (lx->pos < lx->text.len && peek(lx, 0) != '\n') {
                lx->pos++;
            }
        } else {
            return;
        }
    }
}

static size_t word_end(const struct stile__lexer *lx, size_t at)
{
    struct stile_str t = lx->text;
    while (at < t.len) {
        char c = t.ptr[at];
        bool hyphen = c == '-' && at + 1 < t.len &&
                      (is_alpha(t.ptr[at + 1]) || is_digit(t.ptr[at + 1]));
        if (!is_alpha(c) && !is_digit(c) && !hyphen) {
            break;
        }
        at++;
    }
    return at;
}

/* Past blank lines and comments; true when what comes there goes on with the
 * line before. Moving on at once keeps a file of blank lines linear. */
static bool next_line(struct stile__lexer *lx)
{
    static const char *const words[] = {"else",    "derived", "lossy",
                                        "because", "iff",     "then"};
    for (;;) {
        skip_blank(lx);
        if (lx->pos >= lx->text.len || peek(lx, 0) != '\n') {
            break;
        }
        lx->pos++;
    }
    char c = peek(lx, 0);
    if (c == ':' || c == '<' || (c == '-' && peek(lx, 1) == '>')) {
        return true;
    }
    if (!is_alpha(c)) {
        return false;
    }
    struct stile_str word =
        stile_str_sub(lx->text, lx->pos, word_end(lx, lx->pos) - lx->pos);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (stile_str_eqc(word, words[i])) {
            return true;
        }
    }
    return false;
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* \uXXXX as UTF-8; 0 for what is no character of its own. */
static size_t put_escape(const char *hex, char *out)
{
    uint32_t u = 0;
    for (int i = 0; i < 4; i++) {
        int v = hex_value(hex[i]);
        if (v < 0) {
            return 0;
        }
        u = u << 4 | (uint32_t)v;
    }
    if (u == 0 || (u >= 0xd800 && u <= 0xdfff)) {
        return 0;
    }
    if (u < 0x80) {
        out[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        out[0] = (char)(0xc0 | u >> 6);
        out[1] = (char)(0x80 | (u & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | u >> 12);
    out[1] = (char)(0x80 | (u >> 6 & 0x3f));
    out[2] = (char)(0x80 | (u & 0x3f));
    return 3;
}

static struct stile__token bad(struct stile__lexer *lx, size_t from,
                               const char *code, const char *fault)
{
    struct stile__token t = {.kind = TOK_BAD,
                             .span = span_to(from, lx->pos),
                             .fault = fault,
                             .code = code};
    return t;
}

/* Takes the escape at lx->pos (a backslash); 0 when it is not one. */
static size_t take_escape(struct stile__lexer *lx, char *out)
{
    char e = peek(lx, 1);
    size_t n = 1;
    switch (e) {
    case '\'':
    case '"':
    case '`':
    case '\\':
    case '/':
        out[0] = e;
        break;
    case 'n':
        out[0] = '\n';
        break;
    case 't':
        out[0] = '\t';
        break;
    case 'r':
        out[0] = '\r';
        break;
    case 'u':
        if (lx->pos + 6 > lx->text.len) {
            return 0;
        }
        n = put_escape(lx->text.ptr + lx->pos + 2, out);
        lx->pos += n != 0 ? 4 : 0;
        break;
    default:
        return 0;
    }
    lx->pos += n != 0 ? 2 : 0;
    return n;
}

static struct stile__token quoted(struct stile__lexer *lx, enum stile__tok kind)
{
    size_t from = lx->pos;
    char quote = peek(lx, 0);
    size_t end = from + 1;
    while (end < lx->text.len && lx->text.ptr[end] != '\n' &&
           lx->text.ptr[end] != quote) {
        end += lx->text.ptr[end] == '\\' ? 2 : 1;
    }
    char *out = stile_arena_alloc(lx->arena, end > from ? end - from : 1);
    size_t n = 0;
    lx->pos++;
    while (lx->pos < lx->text.len && peek(lx, 0) != quote) {
        char c = peek(lx, 0);
        char piece[4] = {c};
        size_t len = 1;
        if (c == '\n') {
            return bad(lx, from, "M002", "the text is not closed on its line");
        }
        if (c == '\\') {
            size_t at = lx->pos;
            len = take_escape(lx, piece);
            if (len == 0) {
                lx->pos = at + 1;
                return bad(lx, at, "M002", "unknown escape in the text");
            }
        } else {
            lx->pos++;
        }
        if (out != NULL) {
            memcpy(out + n, piece, len);
        }
        n += len;
    }
    if (lx->pos >= lx->text.len) {
        return bad(lx, from, "M002", "the text is not closed on its line");
    }
    lx->pos++;
    struct stile__token t = {.kind = kind,
                             .text = {out != NULL ? out : "", 0},
                             .span = span_to(from, lx->pos)};
    t.text.len = out != NULL ? n : 0;
    return t;
}

static struct stile__token number(struct stile__lexer *lx)
{
    size_t from = lx->pos;
    if (peek(lx, 0) == '-') {
        lx->pos++;
    }
    while (is_digit(peek(lx, 0)) ||
           (peek(lx, 0) == '.' && is_digit(peek(lx, 1)))) {
        lx->pos++;
    }
    struct stile__token t = {.kind = TOK_NUMBER,
                             .text =
                                 stile_str_sub(lx->text, from, lx->pos - from),
                             .span = span_to(from, lx->pos)};
    return t;
}

static struct stile__token mark(struct stile__lexer *lx, enum stile__tok kind,
                                size_t len)
{
    struct stile__token t = {.kind = kind,
                             .text = stile_str_sub(lx->text, lx->pos, len),
                             .span = span_to(lx->pos, lx->pos + len)};
    if (kind == TOK_OPEN || kind == TOK_OPEN_SQUARE || kind == TOK_OPEN_BRACE) {
        lx->opened = lx->depth == 0 ? lx->pos : lx->opened;
        lx->depth++;
    }
    if ((kind == TOK_CLOSE || kind == TOK_CLOSE_SQUARE ||
         kind == TOK_CLOSE_BRACE) &&
        lx->depth > 0) {
        lx->depth--;
    }
    lx->pos += len;
    return t;
}

/* FHIRPath's dates, times and $this, as one word for the formatter. */
static size_t literal_end(const struct stile__lexer *lx, size_t at)
{
    while (at < lx->text.len &&
           (is_alpha(lx->text.ptr[at]) || is_digit(lx->text.ptr[at]) ||
            memchr(":-+.", lx->text.ptr[at], 4) != NULL)) {
        bool name = lx->text.ptr[lx->pos] == '$';
        if (name && !is_alpha(lx->text.ptr[at])) {
            break;
        }
        at++;
    }
    return at;
}

static struct stile__token punctuation(struct stile__lexer *lx)
{
    char c = peek(lx, 0), d = peek(lx, 1);
    switch (c) {
    case '<':
        if (d == '-') {
            return peek(lx, 2) == '>' ? mark(lx, TOK_BOTH, 3)
                                      : mark(lx, TOK_LEFT, 2);
        }
        return mark(lx, TOK_OTHER, d == '=' ? 2 : 1);
    case '>':
        return mark(lx, TOK_OTHER, d == '=' ? 2 : 1);
    case '&':
        return mark(lx, TOK_OTHER, 1);
    case '$':
    case '@':
        return mark(lx, TOK_OTHER, literal_end(lx, lx->pos + 1) - lx->pos);
    case '-':
        if (d == '>') {
            return mark(lx, TOK_RIGHT, 2);
        }
        break;
    case '!':
        if (d == '=') {
            return mark(lx, TOK_NE, 2);
        }
        break;
    case '.':
        return d == '.' ? mark(lx, TOK_RANGE, 2) : mark(lx, TOK_DOT, 1);
    case ':':
        return mark(lx, TOK_COLON, 1);
    case ',':
        return mark(lx, TOK_COMMA, 1);
    case '(':
        return mark(lx, TOK_OPEN, 1);
    case ')':
        return mark(lx, TOK_CLOSE, 1);
    case '[':
        return mark(lx, TOK_OPEN_SQUARE, 1);
    case ']':
        return mark(lx, TOK_CLOSE_SQUARE, 1);
    case '{':
        return mark(lx, TOK_OPEN_BRACE, 1);
    case '}':
        return mark(lx, TOK_CLOSE_BRACE, 1);
    case '=':
        return mark(lx, TOK_EQ, 1);
    default:
        break;
    }
    size_t from = lx->pos++;
    return bad(lx, from, "M005", "this character cannot stand here");
}

static struct stile__token next_token(struct stile__lexer *lx)
{
    char c = peek(lx, 0);
    if (c == '\'' || c == '"') {
        return quoted(lx, TOK_TEXT);
    }
    if (c == '`') {
        return quoted(lx, TOK_WORD);
    }
    if (is_alpha(c)) {
        size_t end = word_end(lx, lx->pos);
        return mark(lx, TOK_WORD, end - lx->pos);
    }
    if (is_digit(c) || (c == '-' && is_digit(peek(lx, 1)))) {
        return number(lx);
    }
    return punctuation(lx);
}

struct stile__token stile__lex(struct stile__lexer *lx)
{
    for (;;) {
        skip_blank(lx);
        if (lx->pos >= lx->text.len) {
            struct stile__token end = {.kind = TOK_END,
                                       .span = span_to(lx->pos, lx->pos)};
            return end;
        }
        if (peek(lx, 0) != '\n') {
            break;
        }
        size_t from = lx->pos++;
        if (lx->depth == 0 && !lx->goes_on && !next_line(lx)) {
            struct stile__token line = {.kind = TOK_NEWLINE,
                                        .span = span_to(from, from + 1)};
            return line;
        }
    }
    struct stile__token t = next_token(lx);
    lx->goes_on =
        t.kind == TOK_COMMA || t.kind == TOK_COLON || t.kind == TOK_BOTH ||
        t.kind == TOK_LEFT || t.kind == TOK_RIGHT ||
        (t.kind == TOK_WORD &&
         (stile_str_eqc(t.text, "and") || stile_str_eqc(t.text, "or")));
    return t;
}

struct stile__token stile__lex_cell(struct stile__lexer *lx)
{
    char c = peek(lx, 0);
    lx->goes_on = false;
    if (c == '\'' || c == '"') {
        return quoted(lx, TOK_TEXT);
    }
    size_t from = lx->pos;
    while (lx->pos < lx->text.len && peek(lx, 0) != ' ' &&
           peek(lx, 0) != '\t' && peek(lx, 0) != '\r' && peek(lx, 0) != '\n') {
        lx->pos++;
    }
    struct stile__token t = {.kind = TOK_TEXT,
                             .text =
                                 stile_str_sub(lx->text, from, lx->pos - from),
                             .span = span_to(from, lx->pos)};
    return t;
}
