/* Cuts a mapping file into lines and says what each is. */
#include "format.h"

#define NEW(s, type) ((type *)stile_arena_alloc((s)->arena, sizeof(type)))

struct scan {
    struct stile_arena *arena;
    struct stile__lexer lexer;
    struct stile__lines *out;
    struct stile__line **tail;
    struct stile__line *line;  /* under way */
    struct stile__line *last;  /* the one before it */
    struct stile__note *notes; /* for the line under way */
    struct stile__note **notes_tail;
    size_t end;      /* where the word before ended */
    uint32_t blocks; /* open when and in */
    bool in_example; /* its parts, up to its end */
    bool reject;     /* that one ends with its outcome */
    bool expecting;  /* within an expect part */
    bool apart;      /* before the line under way */
    bool begun;      /* a word was seen */
    size_t capacity; /* of the line's words */
};

bool stile__word_is(const struct stile__word *word, const char *text)
{
    return word->kind == TOK_WORD && stile_str_eqc(word->text, text);
}

/* ---- comments ---- */

static void add_note(struct scan *s, struct stile_str text, bool apart)
{
    struct stile__note *note = NEW(s, struct stile__note);
    if (note != NULL) {
        *note = (struct stile__note){.text = text, .apart = apart};
        *s->notes_tail = note;
        s->notes_tail = &note->next;
    }
}

/* What stands between two words: white space and comments. A comment on the
 * line of the word before is that line's own when the line ends there. */
static void gap(struct scan *s, size_t from, size_t to, bool ended)
{
    struct stile_str text = s->lexer.text;
    uint32_t newlines = !s->begun ? 1 : 0;
    bool apart = false, first = !s->begun;
    for (size_t i = from; i < to; i++) {
        if (text.ptr[i] == '\n') {
            newlines++;
            apart = apart || (newlines > 1 && !first);
            continue;
        }
        if (text.ptr[i] != '-') {
            continue;
        }
        size_t end = i;
        while (end < to && text.ptr[end] != '\n') {
            end++;
        }
        struct stile_str note = stile_str_trim(stile_str_sub(text, i, end - i));
        if (newlines == 0 && ended && s->last != NULL &&
            s->last->trailing.len == 0) {
            s->last->trailing = note;
        } else {
            add_note(s, note, apart);
            first = false;
        }
        i = end - 1;
        newlines = 0;
        apart = false;
    }
    s->apart = s->apart || (apart && ended);
}

/* ---- what a line is ---- */

/* As the parser tells a language word from a column of that name. */
static bool at(const struct stile__line *line, const char *word)
{
    if (!stile__word_is(&line->words[0], word)) {
        return false;
    }
    if (line->count == 1) {
        return true;
    }
    switch (line->words[1].kind) {
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

static bool at_any(const struct stile__line *line, const char *const *words,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (at(line, words[i])) {
            return true;
        }
    }
    return false;
}

static bool has_arrow(const struct stile__line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        enum stile__tok kind = line->words[i].kind;
        if (kind == TOK_BOTH || kind == TOK_LEFT || kind == TOK_RIGHT) {
            return true;
        }
    }
    return false;
}

/* each NAME = TABLE: a line without a block */
static bool is_child(const struct stile__line *line)
{
    return line->count > 2 && line->words[2].kind == TOK_EQ;
}

static enum stile__line_kind kind_of(const struct scan *s,
                                     const struct stile__line *line)
{
    static const char *const heads[] = {"left", "right", "lookup", "join",
                                        "key",  "let",   "take",   "delete"};
    static const char *const lists[] = {"residue", "drop", "require"};
    static const char *const opens[] = {"when", "in", "each"};
    if (s->in_example) {
        return at(line, "end") ? LINE_END : LINE_PART;
    }
    if (at(line, "mapping")) {
        return LINE_MAPPING;
    }
    if (at(line, "end")) {
        return LINE_END;
    }
    if (at(line, "example") || (at(line, "reject") && line->count > 1 &&
                                line->words[1].kind == TOK_TEXT)) {
        return LINE_EXAMPLE;
    }
    if (at_any(line, opens, 3)) {
        return at(line, "each") && is_child(line) ? LINE_OTHER : LINE_OPEN;
    }
    if (at_any(line, lists, 3)) {
        return LINE_LIST;
    }
    if (s->blocks == 0 && at_any(line, heads, 8)) {
        return LINE_HEAD;
    }
    return has_arrow(line) ? LINE_RULE : LINE_OTHER;
}

/* A reject's outcome ends it. */
static bool ends_reject(const struct scan *s, const struct stile__line *line)
{
    const struct stile__word *last = &line->words[line->count - 1];
    return s->reject && line->count > 1 && last->kind == TOK_WORD &&
           stile__word_is(&line->words[0], "expect") &&
           (last - 1 == line->words || last[-1].kind == TOK_COMMA);
}

static void enter_leave(struct scan *s, const struct stile__line *line)
{
    switch (line->kind) {
    case LINE_MAPPING:
        s->blocks = 0;
        break;
    case LINE_OPEN:
        s->blocks++;
        break;
    case LINE_EXAMPLE:
        s->in_example = true;
        s->reject = stile__word_is(&line->words[0], "reject");
        break;
    case LINE_PART:
        s->in_example = !ends_reject(s, line);
        break;
    case LINE_END:
        s->blocks -= !s->in_example && s->blocks > 0 ? 1 : 0;
        s->in_example = false;
        break;
    default:
        break;
    }
}

static void end_line(struct scan *s)
{
    struct stile__line *line = s->line;
    if (line == NULL || line->count == 0) {
        return;
    }
    line->kind = kind_of(s, line);
    line->indent = s->blocks + (s->in_example ? 2 : 1);
    if (line->kind == LINE_MAPPING) {
        line->indent = 0;
    } else if (line->kind == LINE_END && line->indent > 1) {
        line->indent--;
    }
    enter_leave(s, line);
    line->notes = s->notes;
    line->apart = s->apart && line->kind != LINE_END && line->kind != LINE_PART;
    s->notes = NULL;
    s->notes_tail = &s->notes;
    s->apart = false;
    *s->tail = line;
    s->tail = &line->next;
    s->last = line;
    s->line = NULL;
    s->expecting = false;
}

/* ---- words ---- */

static struct stile__word *next_word(struct scan *s)
{
    struct stile__line *line = s->line;
    if (line->count == s->capacity) {
        size_t more = s->capacity == 0 ? 16 : 2 * s->capacity;
        struct stile__word *words =
            stile_arena_array(s->arena, more, sizeof *words);
        if (words == NULL) {
            return NULL;
        }
        if (line->count > 0) {
            memcpy(words, line->words, line->count * sizeof *words);
        }
        line->words = words;
        s->capacity = more;
    }
    return &line->words[line->count];
}

static void add_word(struct scan *s, const struct stile__token *t, bool cell)
{
    if (s->line == NULL) {
        s->line = NEW(s, struct stile__line);
        s->capacity = 0;
    }
    struct stile__word *word = s->line != NULL ? next_word(s) : NULL;
    if (word == NULL) {
        s->line = NULL;
        return;
    }
    *word = (struct stile__word){
        .kind = t->kind,
        .raw = stile_str_sub(s->lexer.text, t->span.offset, t->span.len),
        .text = t->text,
        .depth = s->lexer.depth,
        .cell = cell};
    bool opens = t->kind == TOK_OPEN || t->kind == TOK_OPEN_SQUARE ||
                 t->kind == TOK_OPEN_BRACE;
    word->depth -= opens && word->depth > 0 ? 1 : 0;
    s->line->count++;
    s->begun = true;
    s->end = t->span.offset + t->span.len;
}

/* Does this word begin the next part of an example that goes on here? */
static bool begins_part(const struct scan *s, const struct stile__token *t)
{
    static const char *const parts[] = {"given", "and", "expect", "back",
                                        "end"};
    const struct stile__line *line = s->line;
    if (line == NULL || t->kind != TOK_WORD || s->lexer.depth > 0) {
        return false;
    }
    const struct stile__word *last = &line->words[line->count - 1];
    bool example = stile__word_is(&line->words[0], "example") ||
                   stile__word_is(&line->words[0], "reject");
    bool head =
        !s->in_example && example && line->count == 2 && last->kind == TOK_TEXT;
    struct stile__lexer ahead = s->lexer;
    bool cell = stile__lex(&ahead).kind == TOK_EQ;
    bool path = s->expecting && (last->kind == TOK_COMMA ||
                                 last->kind == TOK_DOT || last == line->words);
    if ((!s->in_example && !head) || path || (cell && !s->expecting)) {
        return false;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (stile_str_eqc(t->text, parts[i])) {
            return true;
        }
    }
    return false;
}

/* The '=' of a cell, and the cell. */
static void add_cell(struct scan *s)
{
    struct stile__token sign = stile__lex(&s->lexer);
    struct stile__token cell = stile__lex_cell(&s->lexer);
    add_word(s, &sign, true);
    add_word(s, &cell, true);
}

static bool part_word(const struct stile__line *line)
{
    return stile__word_is(&line->words[0], "given") ||
           stile__word_is(&line->words[0], "and") ||
           stile__word_is(&line->words[0], "back");
}

static bool step(struct scan *s)
{
    struct stile__token t = stile__lex(&s->lexer);
    if (t.kind == TOK_NEWLINE) {
        end_line(s);
        return true;
    }
    if (t.kind == TOK_END || begins_part(s, &t)) {
        end_line(s);
    }
    gap(s, s->end, t.span.offset, s->line == NULL);
    if (t.kind == TOK_END) {
        return false;
    }
    add_word(s, &t, false);
    if (s->line == NULL) {
        return false; /* memory */
    }
    s->expecting =
        s->expecting || (s->in_example && s->line->count == 1 &&
                         stile__word_is(&s->line->words[0], "expect"));
    struct stile__lexer ahead = s->lexer;
    if (s->in_example && part_word(s->line) && s->line->count > 1 &&
        t.kind == TOK_WORD && stile__lex(&ahead).kind == TOK_EQ) {
        add_cell(s);
    }
    return !stile_arena_failed(s->arena);
}

bool stile__format_scan(struct stile_str text, struct stile_arena *arena,
                        struct stile__lines *ret)
{
    struct scan s = {
        .arena = arena, .lexer = {.text = text, .arena = arena}, .out = ret};
    *ret = (struct stile__lines){0};
    s.tail = &ret->first;
    s.notes_tail = &s.notes;
    while (step(&s)) {
    }
    ret->rest = s.notes;
    return !stile_arena_failed(arena);
}
