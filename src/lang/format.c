/*
 * The one layout of a mapping file. It comes from the words, the comments and
 * whether a blank line stood between two lines, never from the old layout, so
 * that a second pass changes nothing.
 */
#include "format.h"

#define WIDTH 120u     /* a longer line is broken where it may be */
#define STEP 2u        /* a level of indent */
#define WORD_COLUMN 6u /* words of the head are padded to this */
#define ARROW_MOST 26u /* columns up to here have their arrow beside them */
#define CODEC_COLUMN 68u

struct layout {
    struct stile_buf *out;
    size_t column; /* where the next character comes */
    size_t arrow;  /* the mapping's column of arrows */
};

/* ---- writing ---- */

static size_t characters(struct stile_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return n;
}

static void write(struct layout *l, struct stile_str s)
{
    stile_buf_add(l->out, s);
    l->column += characters(s);
}

static void pad(struct layout *l, size_t column)
{
    while (l->column < column) {
        write(l, STILE_STR(" "));
    }
}

static void new_line(struct layout *l)
{
    stile_buf_byte(l->out, '\n');
    l->column = 0;
}

/* ---- words ---- */

/* A bracket that holds the arguments of the word before it. */
static bool is_call(const struct stile__line *line, size_t i)
{
    static const char *const others[] = {"and",     "or",    "not",     "when",
                                         "iff",     "where", "if",      "xor",
                                         "implies", "in",    "contains"};
    const struct stile__word *word = &line->words[i - 1];
    if (word->kind != TOK_WORD) {
        return false;
    }
    if (i > 1 && line->words[i - 2].kind == TOK_DOT) {
        return true;
    }
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        if (stile__word_is(word, others[k])) {
            return false;
        }
    }
    return true;
}

static bool spaced(const struct stile__line *line, size_t i)
{
    const struct stile__word *word = &line->words[i];
    if (i == 0 || (word->cell && line->words[i - 1].kind == TOK_WORD) ||
        (word->cell && line->words[i - 1].kind == TOK_EQ)) {
        return false;
    }
    switch (line->words[i - 1].kind) {
    case TOK_OPEN:
    case TOK_OPEN_SQUARE:
    case TOK_DOT:
    case TOK_RANGE:
        return false;
    default:
        break;
    }
    switch (word->kind) {
    case TOK_COMMA:
    case TOK_CLOSE:
    case TOK_CLOSE_SQUARE:
    case TOK_OPEN_SQUARE:
    case TOK_DOT:
    case TOK_RANGE:
        return false;
    case TOK_COLON:
        return word->depth == 0;
    case TOK_OPEN:
        return !is_call(line, i);
    default:
        return true;
    }
}

static size_t width_of(const struct stile__line *line, size_t from, size_t to)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        n += characters(line->words[i].raw);
        n += i > from && spaced(line, i) ? 1 : 0;
    }
    return n;
}

/* The words that go on with the line before them. */
static bool goes_on(const struct stile__word *word)
{
    static const char *const words[] = {"else", "derived", "lossy", "because",
                                        "iff"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (stile__word_is(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* May a new line begin with this word? */
static bool breaks(const struct stile__line *line, size_t i)
{
    const struct stile__word *word = &line->words[i], *before = word - 1;
    bool cells =
        line->kind == LINE_PART && !stile__word_is(&line->words[0], "expect");
    if (word->depth > 0 || cells) {
        return false;
    }
    return before->kind == TOK_COMMA || stile__word_is(before, "and") ||
           stile__word_is(before, "or") || goes_on(word);
}

/* Words up to `to`, in lines no longer than they must be. */
static void fill(struct layout *l, const struct stile__line *line, size_t from,
                 size_t to, size_t hang)
{
    for (size_t i = from; i < to;) {
        size_t end = i + 1;
        while (end < to && !breaks(line, end)) {
            end++;
        }
        size_t space = i > from && spaced(line, i) ? 1 : 0;
        if (i > from && l->column > hang &&
            l->column + space + width_of(line, i, end) > WIDTH) {
            new_line(l);
            pad(l, hang);
        } else {
            pad(l, l->column + space);
        }
        for (size_t k = i; k < end; k++) {
            if (k > i && spaced(line, k)) {
                write(l, STILE_STR(" "));
            }
            write(l, line->words[k].raw);
        }
        i = end;
    }
}

/* ---- correspondences ---- */

static bool is_arrow(const struct stile__word *word)
{
    return word->kind == TOK_BOTH || word->kind == TOK_LEFT ||
           word->kind == TOK_RIGHT;
}

static size_t arrow_of(const struct stile__line *line)
{
    size_t i = 0;
    while (i < line->count && !is_arrow(&line->words[i])) {
        i++;
    }
    return i;
}

/* The codec's colon, or what ends the paths. */
static size_t tail_of(const struct stile__line *line, size_t from, bool colon)
{
    size_t i = from;
    while (i < line->count && !(line->words[i].depth == 0 &&
                                ((colon && line->words[i].kind == TOK_COLON) ||
                                 goes_on(&line->words[i])))) {
        i++;
    }
    return i;
}

static void rule(struct layout *l, const struct stile__line *line)
{
    size_t arrow = arrow_of(line);
    size_t tail = tail_of(line, arrow + 1, true), end = tail;
    fill(l, line, 0, arrow, l->column + 2 * STEP);
    if (l->column >= l->arrow) {
        new_line(l);
    }
    pad(l, l->arrow + (line->words[arrow].kind == TOK_RIGHT ? 1 : 0));
    write(l, line->words[arrow].raw);
    pad(l, l->arrow + 4);
    fill(l, line, arrow + 1, tail, l->arrow + 4);
    if (tail < line->count && line->words[tail].kind == TOK_COLON) {
        end = tail_of(line, tail + 1, false);
        size_t width = width_of(line, tail, end);
        if (l->column >= CODEC_COLUMN && l->column + 1 + width > WIDTH) {
            new_line(l);
        }
        pad(l, l->column >= CODEC_COLUMN ? l->column + 1 : CODEC_COLUMN);
        fill(l, line, tail, end, CODEC_COLUMN + 2);
    }
    while (end < line->count) {
        size_t to = tail_of(line, end + 1, false);
        size_t next = end == tail && l->column < CODEC_COLUMN ? CODEC_COLUMN
                                                              : l->column + 1;
        if (next + width_of(line, end, to) > WIDTH) {
            new_line(l);
            next = l->arrow;
        }
        pad(l, next);
        fill(l, line, end, to, l->arrow + 4);
        end = to;
    }
}

/* Beside the longest columns that leave room for it. */
static size_t arrow_column(const struct stile__line *line)
{
    size_t most = 0;
    for (line = line->next; line != NULL && line->kind != LINE_MAPPING;
         line = line->next) {
        if (line->kind != LINE_RULE) {
            continue;
        }
        size_t end = line->indent * STEP + width_of(line, 0, arrow_of(line));
        most = end > most && end <= ARROW_MOST ? end : most;
    }
    return (most > 0 ? most : ARROW_MOST) + 1;
}

/* ---- lines ---- */

static void words(struct layout *l, const struct stile__line *line)
{
    size_t from = l->column, hang = from + 2 * STEP;
    switch (line->kind) {
    case LINE_RULE:
        rule(l, line);
        return;
    case LINE_HEAD:
    case LINE_PART:
        hang = from + WORD_COLUMN + 1;
        break;
    case LINE_LIST:
        hang = from + characters(line->words[0].raw) + 1;
        break;
    default:
        fill(l, line, 0, line->count, hang);
        return;
    }
    write(l, line->words[0].raw);
    if (line->count > 1) {
        pad(l, hang);
        fill(l, line, 1, line->count, hang);
    }
}

static void notes(struct layout *l, const struct stile__note *note,
                  size_t indent, bool first)
{
    for (; note != NULL; note = note->next) {
        if (note->apart && !first) {
            new_line(l);
        }
        pad(l, indent);
        write(l, note->text);
        new_line(l);
        first = false;
    }
}

static void one_line(struct layout *l, const struct stile__line *line,
                     const struct stile__line *before)
{
    size_t indent = line->indent * STEP;
    bool opened = before == NULL || before->kind == LINE_OPEN ||
                  before->kind == LINE_EXAMPLE;
    bool apart = line->notes != NULL ? line->notes->apart : line->apart;
    if (line->kind == LINE_MAPPING) {
        l->arrow = arrow_column(line);
        if (before != NULL && !apart) {
            new_line(l);
        }
    }
    notes(l, line->notes, line->kind == LINE_END ? indent + STEP : indent,
          opened);
    if (line->apart && (line->notes != NULL || !opened)) {
        new_line(l);
    }
    pad(l, indent);
    words(l, line);
    if (line->trailing.len > 0) {
        write(l, STILE_STR("  "));
        write(l, line->trailing);
    }
    new_line(l);
}

enum stile_status stile_lang_format(const struct stile_source *source,
                                    struct stile_arena *arena,
                                    struct stile_diags *diags,
                                    struct stile_buf *out)
{
    struct stile_lang_mapping *first = NULL;
    struct stile__lines lines;
    struct layout l = {.out = out, .arrow = ARROW_MOST + 1};
    const struct stile__line *before = NULL;
    enum stile_status status = stile_lang_parse(source, arena, diags, &first);
    if (status != STILE_OK) {
        return status;
    }
    if (!stile__format_scan(source->text, arena, &lines)) {
        return STILE_NOMEM;
    }
    for (const struct stile__line *n = lines.first; n; n = n->next) {
        one_line(&l, n, before);
        before = n;
    }
    notes(&l, lines.rest, 0, before == NULL);
    return out->status;
}
