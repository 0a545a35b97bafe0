/* An expression's tokens: N1 section 12.1, the lexical part. */
#include "private.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct fp_lexer *lx, size_t ahead)
{
    size_t at = lx->pos + ahead;
    return at < lx->text.len ? lx->text.ptr[at] : '\0';
}

static struct fp_token token(const struct fp_lexer *lx, enum fp_tok kind,
                             size_t from)
{
    return (struct fp_token){
        .kind = kind,
        .text = stile_str_sub(lx->text, from, lx->pos - from),
        .span = {(uint32_t)from, (uint32_t)(lx->pos - from)}};
}

static struct fp_token bad(const struct fp_lexer *lx, size_t from,
                           const char *fault)
{
    struct fp_token t = token(lx, FP_BAD, from);
    t.fault = fault;
    return t;
}

static void to_line_end(struct fp_lexer *lx)
{
    while (lx->pos < lx->text.len && peek(lx, 0) != '\n') {
        lx->pos++;
    }
}

static bool block_comment(struct fp_lexer *lx)
{
    lx->pos += 2;
    while (lx->pos < lx->text.len) {
        if (peek(lx, 0) == '*' && peek(lx, 1) == '/') {
            lx->pos += 2;
            return true;
        }
        lx->pos++;
    }
    return false;
}

/* False: a comment is not closed. */
static bool skip_blank(struct fp_lexer *lx)
{
    while (lx->pos < lx->text.len) {
        char c = peek(lx, 0), d = peek(lx, 1);
        if (c == '\n' && lx->within && lx->brackets == 0) {
            return true;
        }
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            lx->pos++;
        } else if (lx->within ? c == '-' && d == '-' : c == '/' && d == '/') {
            to_line_end(lx);
        } else if (!lx->within && c == '/' && d == '*') {
            if (!block_comment(lx)) {
                return false;
            }
        } else {
            return true;
        }
    }
    return true;
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \uXXXX as UTF-8; 0 for what is no character of its own. */
static size_t put_escape(const struct fp_lexer *lx, char *out)
{
    uint32_t u = 0;
    for (size_t i = 0; i < 4; i++) {
        int v = hex_value(peek(lx, 2 + i));
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

/* Takes the escape at the backslash; 0 when it is not one of section 4.1.3. */
static size_t take_escape(struct fp_lexer *lx, char *out)
{
    static const char from[] = "'\"`\\/nrtf", to[] = "'\"`\\/\n\r\t\f";
    char e = peek(lx, 1);
    const char *found = e != '\0' ? strchr(from, e) : NULL;
    if (found != NULL) {
        out[0] = to[found - from];
        lx->pos += 2;
        return 1;
    }
    size_t n = e == 'u' ? put_escape(lx, out) : 0;
    lx->pos += n > 0 ? 6 : 0;
    return n;
}

static struct fp_token quoted(struct fp_lexer *lx, enum fp_tok kind)
{
    size_t from = lx->pos++, end = lx->pos, n = 0;
    char quote = lx->text.ptr[from];
    while (end < lx->text.len && lx->text.ptr[end] != quote &&
           !(lx->within && lx->text.ptr[end] == '\n')) {
        end += lx->text.ptr[end] == '\\' ? 2 : 1;
    }
    char *out = stile_arena_alloc(lx->arena, end - from);
    while (lx->pos < lx->text.len && peek(lx, 0) != quote) {
        char piece[4] = {peek(lx, 0)};
        size_t len = 1, at = lx->pos;
        if (piece[0] == '\n' && lx->within) {
            return bad(lx, from, "the quote that closes this");
        }
        if (piece[0] == '\\') {
            len = take_escape(lx, piece);
            if (len == 0) {
                return bad(lx, at, "a known escape");
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
        return bad(lx, from, "the quote that closes this");
    }
    lx->pos++;
    struct fp_token t = token(lx, kind, from);
    t.text = (struct stile_str){out != NULL ? out : "", out != NULL ? n : 0};
    return t;
}

static struct fp_token number(struct fp_lexer *lx)
{
    size_t from = lx->pos;
    while (is_digit(peek(lx, 0))) {
        lx->pos++;
    }
    if (peek(lx, 0) == '.' && is_digit(peek(lx, 1))) {
        lx->pos++;
        while (is_digit(peek(lx, 0))) {
            lx->pos++;
        }
    }
    return token(lx, FP_NUMBER, from);
}

/* Takes `count` digits, or none. */
static bool digits(struct fp_lexer *lx, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(peek(lx, i))) {
            return false;
        }
    }
    lx->pos += count;
    return true;
}

static bool two_after(struct fp_lexer *lx, char sign)
{
    if (peek(lx, 0) != sign || !is_digit(peek(lx, 1)) ||
        !is_digit(peek(lx, 2))) {
        return false;
    }
    lx->pos += 3;
    return true;
}

static void time_of_day(struct fp_lexer *lx)
{
    if (!digits(lx, 2) || !two_after(lx, ':') || !two_after(lx, ':')) {
        return;
    }
    if (peek(lx, 0) == '.' && is_digit(peek(lx, 1))) {
        lx->pos++;
        while (is_digit(peek(lx, 0))) {
            lx->pos++;
        }
    }
}

static void offset(struct fp_lexer *lx)
{
    char c = peek(lx, 0);
    if (c == 'Z') {
        lx->pos++;
    } else if ((c == '+' || c == '-') && is_digit(peek(lx, 1)) &&
               is_digit(peek(lx, 2)) && peek(lx, 3) == ':' &&
               is_digit(peek(lx, 4)) && is_digit(peek(lx, 5))) {
        lx->pos += 6;
    }
}

/* hh[:mm[:ss[.f]]], digits as read; an offset may follow. */
static bool time_good(struct stile_str text)
{
    static const int most[] = {23, 59, 59};
    for (size_t i = 0; i < 3 && i * 3 + 2 <= text.len; i++) {
        int n = (text.ptr[i * 3] - '0') * 10 + (text.ptr[i * 3 + 1] - '0');
        if (n > most[i]) {
            return false;
        }
        if (i * 3 + 2 == text.len || text.ptr[i * 3 + 2] != ':') {
            break;
        }
    }
    return true;
}

/* @2015-02-04, @2015T, @2015-02-04T14:34+01:00, @T14:34 */
static struct fp_token date(struct fp_lexer *lx)
{
    size_t from = lx->pos++;
    enum fp_tok kind = FP_DATE;
    if (peek(lx, 0) == 'T' && is_digit(peek(lx, 1))) {
        lx->pos++;
        time_of_day(lx);
        kind = FP_TIME;
    } else {
        if (!digits(lx, 4)) {
            return bad(lx, from, "a date or time after @");
        }
        if (two_after(lx, '-')) {
            (void)two_after(lx, '-');
        }
        if (peek(lx, 0) == 'T') {
            lx->pos++;
            kind = FP_DATETIME;
            time_of_day(lx);
            offset(lx);
        }
    }
    struct fp_token t = token(lx, kind, from);
    size_t skip = kind == FP_TIME ? 2 : 1;
    t.text = stile_str_sub(t.text, skip, t.text.len - skip);
    size_t time = stile_str_find(t.text, 'T');
    time = kind == FP_TIME ? 0 : time == SIZE_MAX ? t.text.len : time + 1;
    if (!time_good(stile_str_sub(t.text, time, t.text.len - time))) {
        return bad(lx, from, "a time from 00:00:00 to 23:59:59");
    }
    return t;
}

static struct fp_token variable(struct fp_lexer *lx)
{
    size_t from = lx->pos++;
    if (lx->text.ptr[from] == '%' &&
        (peek(lx, 0) == '`' || peek(lx, 0) == '\'')) {
        struct fp_token t = quoted(lx, FP_VARIABLE);
        t.span.offset--;
        t.span.len++;
        return t;
    }
    while (is_alpha(peek(lx, 0)) || is_digit(peek(lx, 0))) {
        lx->pos++;
    }
    return lx->pos - from > 1 ? token(lx, FP_VARIABLE, from)
                              : bad(lx, from, "a variable's name");
}

static struct fp_token sign(struct fp_lexer *lx)
{
    if (lx->within && peek(lx, 0) == '<' && peek(lx, 1) == '-') {
        /* There it is an arrow. */
        return bad(lx, lx->pos, "a space between '<' and '-'");
    }
    static const char *const signs[] = {
        "!=", "!~", "<=", ">=", "=", "~", "<", ">", "&", "|", "+",
        "-",  "*",  "/",  ".",  ",", "(", ")", "[", "]", "{", "}"};
    size_t from = lx->pos;
    struct stile_str rest = stile_str_sub(lx->text, from, lx->text.len - from);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        struct stile_str s = stile_str_cstr(signs[i]);
        if (!stile_str_starts(rest, s)) {
            continue;
        }
        lx->pos += s.len;
        if (strchr("([{", s.ptr[0]) != NULL) {
            lx->brackets++;
        } else if (strchr(")]}", s.ptr[0]) != NULL && lx->brackets > 0) {
            lx->brackets--;
        }
        return token(lx, FP_SIGN, from);
    }
    lx->pos++;
    return bad(lx, from, "another character");
}

struct fp_token stile__fp_lex(struct fp_lexer *lx)
{
    size_t from = lx->pos;
    if (!skip_blank(lx)) {
        return bad(lx, from, "the end of this comment");
    }
    char c = peek(lx, 0);
    from = lx->pos;
    if (lx->pos >= lx->text.len || c == '\n') {
        return token(lx, FP_END, from);
    }
    if (c == '\'' || (c == '"' && lx->within)) {
        return quoted(lx, FP_TEXT);
    }
    if (c == '`') {
        return quoted(lx, FP_QUOTED);
    }
    if (is_alpha(c)) {
        while (is_alpha(peek(lx, 0)) || is_digit(peek(lx, 0))) {
            lx->pos++;
        }
        return token(lx, FP_NAME, from);
    }
    if (is_digit(c)) {
        return number(lx);
    }
    if (c == '@') {
        return date(lx);
    }
    if (c == '$' || c == '%') {
        return variable(lx);
    }
    return sign(lx);
}
