#include "private.h"

static void report(const struct stile__csv *csv, struct stile_diags *diags,
                   size_t at, const char *message)
{
    (void)stile_diag_at_source(diags, "R105", STILE_ERROR, csv->source,
                               (struct stile_span){(uint32_t)at, 1}, "%s",
                               message);
}

static void skip_line(struct stile__csv *csv)
{
    struct stile_str text = csv->source->text;

    while (csv->at < text.len && text.ptr[csv->at] != '\n') {
        csv->at++;
    }
    if (csv->at < text.len) {
        csv->at++;
    }
}

static bool line_is_empty(const struct stile__csv *csv)
{
    struct stile_str text = csv->source->text;
    char c = text.ptr[csv->at];

    return c == '#' || c == '\n' ||
           (c == '\r' && csv->at + 1 < text.len &&
            text.ptr[csv->at + 1] == '\n');
}

/* RFC 4180 2.5 to 2.7: a quoted cell; "" stands for one quote. */
static bool quoted_cell(struct stile__csv *csv, struct stile_arena *arena,
                        struct stile_str *ret)
{
    struct stile_str text = csv->source->text;
    size_t start = ++csv->at;
    size_t len = 0;
    char *out;

    while (csv->at < text.len) {
        if (text.ptr[csv->at] == '"') {
            if (csv->at + 1 >= text.len || text.ptr[csv->at + 1] != '"') {
                break;
            }
            csv->at++;
        }
        csv->at++;
        len++;
    }
    if (csv->at >= text.len) {
        return false;
    }
    out = stile_arena_alloc(arena, len);
    if (!out) {
        return false;
    }
    len = 0;
    for (; start < csv->at; start++) {
        out[len++] = text.ptr[start];
        if (text.ptr[start] == '"') {
            start++;
        }
    }
    csv->at++;
    *ret = (struct stile_str){out, len};
    return true;
}

static struct stile_str plain_cell(struct stile__csv *csv)
{
    struct stile_str text = csv->source->text;
    size_t start = csv->at;

    while (csv->at < text.len && text.ptr[csv->at] != ',' &&
           text.ptr[csv->at] != '\n' && text.ptr[csv->at] != '\r') {
        csv->at++;
    }
    return stile_str_trim(stile_str_sub(text, start, csv->at - start));
}

/* True when the row goes on with another cell. */
static bool cell_ends(struct stile__csv *csv, bool *ret_broken)
{
    struct stile_str text = csv->source->text;

    if (csv->at < text.len && text.ptr[csv->at] == ',') {
        csv->at++;
        return true;
    }
    if (csv->at < text.len && text.ptr[csv->at] == '\r') {
        csv->at++;
    }
    if (csv->at < text.len && text.ptr[csv->at] != '\n') {
        *ret_broken = true;
    } else if (csv->at < text.len) {
        csv->at++;
    }
    return false;
}

enum stile_status stile__csv_next(struct stile__csv *csv,
                                  struct stile_arena *arena,
                                  struct stile_diags *diags)
{
    struct stile_str text = csv->source->text;
    const size_t most = sizeof(csv->cells) / sizeof(csv->cells[0]);
    bool more = true;
    bool broken = false;

    while (csv->at < text.len && line_is_empty(csv)) {
        skip_line(csv);
    }
    if (csv->at >= text.len) {
        return STILE_END;
    }
    csv->count = 0;
    while (more) {
        size_t start = csv->at;
        struct stile_str cell = STILE_STR_NULL;

        if (csv->count == most) {
            report(csv, diags, start, "this row has too many cells");
            skip_line(csv);
            return STILE_INVALID;
        }
        if (start < text.len && text.ptr[start] == '"') {
            if (!quoted_cell(csv, arena, &cell)) {
                report(csv, diags, start, "this quote is never closed");
                csv->at = text.len;
                return STILE_INVALID;
            }
        } else {
            cell = plain_cell(csv);
        }
        csv->cells[csv->count] = cell;
        csv->spans[csv->count] =
            (struct stile_span){(uint32_t)start, (uint32_t)(csv->at - start)};
        csv->count++;
        more = cell_ends(csv, &broken);
    }
    if (broken) {
        report(csv, diags, csv->at,
               "text follows a closed quote; put the "
               "quotes around the whole cell");
        skip_line(csv);
        return STILE_INVALID;
    }
    return STILE_OK;
}
