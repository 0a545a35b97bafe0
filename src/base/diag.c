#include <stile/base.h>

#include <stdarg.h>
#include <string.h>

/* A longer line is quoted up to here. */
#define QUOTED_MAX 200

void stile_diags_init(struct stile_diags *diags, struct stile_arena *arena,
                      size_t limit)
{
    *diags = (struct stile_diags){
        .arena = arena, .limit = limit == 0 ? STILE_DIAGS_DEFAULT : limit};
}

static bool make_room(struct stile_diags *diags)
{
    size_t capacity = diags->capacity == 0 ? 8 : diags->capacity * 2;
    struct stile_diag *items;

    if (diags->count < diags->capacity) {
        return true;
    }
    if (capacity > diags->limit) {
        capacity = diags->limit;
    }
    items = stile_arena_array(diags->arena, capacity, sizeof *items);
    if (!items) {
        return false;
    }
    if (diags->count > 0) {
        memcpy(items, diags->items, diags->count * sizeof *items);
    }
    diags->items = items;
    diags->capacity = capacity;
    return true;
}

/* Counts the finding, and keeps it while there is room. */
static struct stile_diag *append(struct stile_diags *diags, const char *code,
                                 enum stile_severity severity)
{
    struct stile_diag *diag;

    if (severity == STILE_ERROR) {
        diags->errors++;
    }
    if (diags->count >= diags->limit || !make_room(diags)) {
        diags->suppressed++;
        return NULL;
    }
    diag = &diags->items[diags->count++];
    *diag = (struct stile_diag){.code = code, .severity = severity};
    return diag;
}

/* Never cuts inside a UTF-8 sequence. */
static struct stile_str cut_line(struct stile_str line)
{
    size_t len = QUOTED_MAX;

    if (line.len <= QUOTED_MAX) {
        return line;
    }
    while (len > 0 && ((unsigned char)line.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    return stile_str_sub(line, 0, len);
}

static struct stile_str line_of(const struct stile_source *source,
                                uint32_t offset, uint32_t column)
{
    size_t start = offset - (column - 1);
    struct stile_str rest =
        stile_str_sub(source->text, start, source->text.len);
    size_t end = stile_str_find(rest, '\n');
    struct stile_str line =
        end == SIZE_MAX ? rest : stile_str_sub(rest, 0, end);

    if (stile_str_ends(line, STILE_STR("\r"))) {
        line.len--;
    }
    return line;
}

static void quote(struct stile_diags *diags, struct stile_diag *diag,
                  const struct stile_source *source, struct stile_span span)
{
    uint32_t offset = span.offset;
    struct stile_str line;
    size_t behind;

    if (offset > source->text.len) {
        offset = (uint32_t)source->text.len;
    }
    stile_source_place(source, offset, &diag->line, &diag->column);
    line = line_of(source, offset, diag->column);
    behind = line.len >= diag->column ? line.len - (diag->column - 1) : 1;
    diag->caret_len = span.len == 0 ? 1 : span.len;
    if (diag->caret_len > behind) {
        diag->caret_len = (uint32_t)behind;
    }
    diag->quoted = stile_arena_str(diags->arena, cut_line(line));
}

struct stile_diag *stile_diag_at_source(struct stile_diags *diags,
                                        const char *code,
                                        enum stile_severity severity,
                                        const struct stile_source *source,
                                        struct stile_span span,
                                        const char *format, ...)
{
    struct stile_diag *diag = append(diags, code, severity);
    va_list args;

    if (!diag) {
        return NULL;
    }
    va_start(args, format);
    diag->message = stile_arena_vprintf(diags->arena, format, args);
    va_end(args);
    diag->file = stile_arena_str(diags->arena, source->name);
    quote(diags, diag, source, span);
    return diag;
}

void stile_diag_suggest(struct stile_diags *diags, struct stile_diag *diag,
                        struct stile_str word, const struct stile_str *names,
                        size_t count)
{
    size_t near;

    if (!diag) {
        return;
    }
    near = stile_nearest(word, names, count);
    if (near != SIZE_MAX) {
        diag->hint = stile_arena_printf(diags->arena, "did you mean '%.*s'?",
                                        STILE_FMT(names[near]));
    }
}

void stile_diag_second(struct stile_diag *diag,
                       const struct stile_source *source,
                       struct stile_span span)
{
    if (diag) {
        stile_source_place(source, span.offset, &diag->line2, &diag->column2);
    }
}

struct stile_diag *stile_diag_at_record(struct stile_diags *diags,
                                        const char *code,
                                        enum stile_severity severity,
                                        struct stile_str message_name,
                                        uint64_t row, struct stile_str path,
                                        const char *literal_message)
{
    struct stile_diag *diag = append(diags, code, severity);

    if (!diag) {
        return NULL;
    }
    diag->message = stile_str_cstr(literal_message);
    diag->file = stile_arena_str(diags->arena, message_name);
    diag->path = stile_arena_str(diags->arena, path);
    diag->line = row > UINT32_MAX ? UINT32_MAX : (uint32_t)row;
    diag->row = row > 0;
    return diag;
}

void stile_source_place(const struct stile_source *source, uint32_t offset,
                        uint32_t *ret_line, uint32_t *ret_column)
{
    struct stile_str before = stile_str_sub(source->text, 0, offset);
    uint32_t line = 1;
    size_t start = 0;
    size_t at;

    while ((at = stile_str_find(stile_str_sub(before, start, before.len),
                                '\n')) != SIZE_MAX) {
        line++;
        start += at + 1;
    }
    *ret_line = line;
    *ret_column = (uint32_t)(before.len - start + 1);
}

static const char *severity_name(enum stile_severity severity)
{
    switch (severity) {
    case STILE_ERROR:
        return "error";
    case STILE_WARNING:
        return "warning";
    case STILE_NOTE:
        break;
    }
    return "note";
}

static const char *severity_color(enum stile_severity severity)
{
    switch (severity) {
    case STILE_ERROR:
        return "\033[1;31m";
    case STILE_WARNING:
        return "\033[1;33m";
    case STILE_NOTE:
        break;
    }
    return "\033[1;36m";
}

/* Source text could hold terminal commands: control bytes become '?'. */
static void add_shown(struct stile_buf *out, struct stile_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        stile_buf_byte(out,
                       (c < 0x20 && c != '\t') || c == 0x7f ? '?' : s.ptr[i]);
    }
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static void print_carets(const struct stile_diag *diag, struct stile_buf *out)
{
    size_t from = diag->column - 1;
    size_t to = from + diag->caret_len;

    for (size_t i = 0; i < from; i++) {
        if (begins_character(diag->quoted.ptr[i])) {
            stile_buf_byte(out, diag->quoted.ptr[i] == '\t' ? '\t' : ' ');
        }
    }
    stile_buf_byte(out, '^');
    for (size_t i = from + 1; i < to && i < diag->quoted.len; i++) {
        if (begins_character(diag->quoted.ptr[i])) {
            stile_buf_byte(out, '^');
        }
    }
}

static void print_quoted(const struct stile_diag *diag, bool color,
                         struct stile_buf *out)
{
    stile_buf_printf(out, "%5u | ", (unsigned)diag->line);
    add_shown(out, diag->quoted);
    stile_buf_byte(out, '\n');
    /* The place may lie past where a long line was cut. */
    if (diag->column == 0 || diag->column - 1 > diag->quoted.len) {
        return;
    }
    stile_buf_addc(out, "      | ");
    stile_buf_addc(out, color ? severity_color(diag->severity) : "");
    print_carets(diag, out);
    stile_buf_addc(out, color ? "\033[0m\n" : "\n");
}

static void print_place(struct stile_str file, uint32_t line, uint32_t column,
                        struct stile_buf *out)
{
    add_shown(out, file);
    if (line > 0) {
        stile_buf_printf(out, ":%u", (unsigned)line);
    }
    if (line > 0 && column > 0) {
        stile_buf_printf(out, ":%u", (unsigned)column);
    }
}

/* A path that is no path, but the bare name of a column. */
static bool names_column(const struct stile_diag *diag)
{
    for (size_t i = 0; i < diag->path.len; i++) {
        if (strchr(".$[]/", diag->path.ptr[i]) != NULL) {
            return false;
        }
    }
    return diag->row && diag->path.len > 0;
}

/* "file row 3, column birth_date": as people find it in a spreadsheet. */
static void print_row(const struct stile_diag *diag, struct stile_buf *out)
{
    add_shown(out, diag->file);
    stile_buf_printf(out, "%srow %u", diag->file.len > 0 ? " " : "",
                     (unsigned)diag->line);
    if (diag->column > 0) {
        stile_buf_printf(out, ", cell %u", (unsigned)diag->column);
    }
    if (names_column(diag)) {
        stile_buf_addc(out, ", column ");
        add_shown(out, diag->path);
    }
}

void stile_diag_print(const struct stile_diag *diag, bool color,
                      struct stile_buf *out)
{
    if (diag->row) {
        print_row(diag, out);
    } else {
        print_place(diag->file, diag->line, diag->column, out);
    }
    stile_buf_printf(
        out, "%s%s%s[%s]%s: ", diag->row || diag->file.len > 0 ? ": " : "",
        color ? severity_color(diag->severity) : "",
        severity_name(diag->severity), diag->code, color ? "\033[0m" : "");
    add_shown(out, diag->message);
    stile_buf_byte(out, '\n');
    if (diag->quoted.ptr) {
        print_quoted(diag, color, out);
    }
    if (diag->path.len > 0 && !names_column(diag)) {
        stile_buf_addc(out, "      = at ");
        add_shown(out, diag->path);
        stile_buf_byte(out, '\n');
    }
    if (diag->line2 > 0) {
        stile_buf_addc(out, "      = see also ");
        print_place(diag->file, diag->line2, diag->column2, out);
        stile_buf_byte(out, '\n');
    }
    if (diag->hint.len > 0) {
        stile_buf_addc(out, "      = hint: ");
        add_shown(out, diag->hint);
        stile_buf_byte(out, '\n');
    }
}

void stile_diags_print(const struct stile_diags *diags, bool color,
                       struct stile_buf *out)
{
    for (size_t i = 0; i < diags->count; i++) {
        stile_diag_print(&diags->items[i], color, out);
    }
    if (diags->suppressed > 0) {
        stile_buf_printf(out, "%zu more not shown\n", diags->suppressed);
    }
}

static void json_member(struct stile_buf *out, const char *name,
                        struct stile_str text)
{
    stile_buf_printf(out, ",\"%s\":", name);
    stile_buf_json_str(out, text);
}

void stile_diags_json(const struct stile_diags *diags, struct stile_buf *out)
{
    stile_buf_byte(out, '[');
    for (size_t i = 0; i < diags->count; i++) {
        const struct stile_diag *diag = &diags->items[i];

        stile_buf_addc(out, i > 0 ? ",{\"code\":" : "{\"code\":");
        stile_buf_json_str(out, stile_str_cstr(diag->code));
        json_member(out, "severity",
                    stile_str_cstr(severity_name(diag->severity)));
        json_member(out, "file", diag->file);
        stile_buf_printf(out, ",\"line\":%u,\"column\":%u",
                         (unsigned)diag->line, (unsigned)diag->column);
        json_member(out, "message", diag->message);
        json_member(out, "hint", diag->hint);
        json_member(out, "path", diag->path);
        stile_buf_byte(out, '}');
    }
    stile_buf_byte(out, ']');
}
