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

static void write_cell(struct stile_buf *out,
                       const struct stile_csv_dialect *dialect,
                       struct stile_str cell, bool alone)
{
    /* OWASP, CSV injection: these begin a formula in a spreadsheet. */
    bool guard = dialect->guard_formulas && cell.len > 0 &&
                 memchr("=+-@\t\r", cell.ptr[0], 6) != NULL;
    bool quotes = dialect->quote_all || (alone && cell.len == 0) ||
                  needs_quotes(dialect, cell);
    if (quotes) {
        stile_buf_byte(out, dialect->quote);
    }
    if (guard) {
        stile_buf_byte(out, '\'');
    }
    while (cell.len > 0) {
        size_t at = quotes ? stile_str_find(cell, dialect->quote) : SIZE_MAX;
        if (at == SIZE_MAX) {
            stile_buf_add(out, cell);
            break;
        }
        stile_buf_add(out, stile_str_sub(cell, 0, at + 1));
        stile_buf_byte(out, dialect->quote);
        cell = stile_str_sub(cell, at + 1, cell.len - at - 1);
    }
    if (quotes) {
        stile_buf_byte(out, dialect->quote);
    }
}

void stile_csv_write_row(struct stile_buf *out,
                         const struct stile_csv_dialect *dialect,
                         const struct stile_str *cells, size_t count)
{
    STILE_ASSERT(dialect->quote != 0);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            stile_buf_byte(out, dialect->delimiter);
        }
        write_cell(out, dialect, cells[i], count == 1);
    }
    stile_buf_add(out, dialect->crlf ? STILE_STR("\r\n") : STILE_STR("\n"));
}
