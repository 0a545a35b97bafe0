/* The dialects, and writing. */
#include "format_private.h"

const struct stile_csv_dialect stile_csv_rfc4180 = {
    .delimiter = ',', .quote = '"', .crlf = true, .allow_bom = true};
/* EMIS: every field quoted, LF (Coding_ClinicalCode came with CRLF). */
const struct stile_csv_dialect stile_csv_emis = {
    .delimiter = ',', .quote = '"', .quote_all = true, .allow_bom = true};
const struct stile_csv_dialect stile_csv_systmone = {
    .delimiter = ',', .quote = '"', .crlf = true, .windows_1252 = true};
const struct stile_csv_dialect stile_csv_vcse = {.delimiter = ',',
                                                 .quote = '"',
                                                 .crlf = true,
                                                 .allow_bom = true,
                                                 .guess_1252 = true,
                                                 .guard_formulas = true,
                                                 .sheet = true};

static bool needs_quotes(const struct stile_csv_dialect *dialect,
                         struct stile_str cell)
{
    for (size_t i = 0; i < cell.len; i++) {
        char c = cell.ptr[i];
        if (c == dialect->delimiter || c == dialect->quote || c == '\n' ||
            c == '\r') {
            return true;
        }
    }
    return cell.len > 0 &&
           (cell.ptr[0] == ' ' || cell.ptr[cell.len - 1] == ' ');
}

static bool is_quoted(const struct stile_csv_dialect *dialect,
                      struct stile_str cell, bool alone)
{
    return dialect->quote_all || (alone && cell.len == 0) ||
           needs_quotes(dialect, cell);
}

/* OWASP, CSV injection: these begin a formula in a spreadsheet. */
static bool is_guarded(const struct stile_csv_dialect *dialect,
                       struct stile_str cell)
{
    return dialect->guard_formulas && cell.len > 0 &&
           memchr("=+-@\t\r", cell.ptr[0], 6) != NULL;
}

static char *put_cell(char *at, const struct stile_csv_dialect *dialect,
                      struct stile_str cell, bool alone)
{
    bool quotes = is_quoted(dialect, cell, alone);
    if (quotes) {
        *at++ = dialect->quote;
    }
    if (is_guarded(dialect, cell)) {
        *at++ = '\'';
    }
    while (cell.len > 0) {
        size_t quote = quotes ? stile_str_find(cell, dialect->quote) : SIZE_MAX;
        size_t n = quote == SIZE_MAX ? cell.len : quote + 1;
        memcpy(at, cell.ptr, n);
        at += n;
        if (quote != SIZE_MAX) {
            *at++ = dialect->quote;
        }
        cell = stile_str_sub(cell, n, cell.len - n);
    }
    if (quotes) {
        *at++ = dialect->quote;
    }
    return at;
}

/* Two quotes, a guard, and a delimiter or the line's end: all but the end's
 * second byte. */
#define AROUND 4u

/* At least what the row takes; SIZE_MAX for more than memory can hold. */
static size_t row_most(const struct stile_str *cells, size_t count)
{
    size_t most = 2;
    for (size_t i = 0; i < count; i++) {
        if (cells[i].len > (SIZE_MAX - most - AROUND) / 2) {
            return SIZE_MAX;
        }
        most += 2 * cells[i].len + AROUND;
    }
    return most;
}

/* Not a byte more than it takes. */
static size_t row_exact(const struct stile_csv_dialect *dialect,
                        const struct stile_str *cells, size_t count)
{
    size_t size = (count > 0 ? count - 1 : 0) + (dialect->crlf ? 2 : 1);
    for (size_t i = 0; i < count; i++) {
        bool quotes = is_quoted(dialect, cells[i], count == 1);
        size += cells[i].len + (quotes ? 2 : 0) +
                (is_guarded(dialect, cells[i]) ? 1 : 0);
        for (size_t k = 0; quotes && k < cells[i].len; k++) {
            size += cells[i].ptr[k] == dialect->quote ? 1 : 0;
        }
    }
    return size;
}

void stile_csv_write_row(struct stile_buf *out,
                         const struct stile_csv_dialect *dialect,
                         const struct stile_str *cells, size_t count)
{
    STILE_ASSERT(dialect->quote != 0);
    /* Room once for the row and not for each byte; counted only near the
     * buffer's limit. */
    size_t need = row_most(cells, count);
    if (need > out->limit - out->len) {
        need = row_exact(dialect, cells, count);
    }
    char *at = stile_buf_room(out, need);
    if (at == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            *at++ = dialect->delimiter;
        }
        at = put_cell(at, dialect, cells[i], count == 1);
    }
    if (dialect->crlf) {
        *at++ = '\r';
    }
    *at++ = '\n';
    out->len = (size_t)(at - out->ptr);
}
