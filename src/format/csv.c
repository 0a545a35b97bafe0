/*
 * CSV by RFC 4180 with a declared dialect. Rows are split over whole buffered
 * rows; only the skipping of a broken or oversized row goes across chunks.
 */
#include "csv_bytes.h"
#include "format_private.h"

enum skip {
    SKIP_NOT,
    SKIP_LINE, /* to the next line feed, whatever is quoted */
    SKIP_ROW   /* to the end of the row, quotes honoured */
};

struct stile_csv {
    struct stile_csv_dialect dialect;
    struct stile_csv_limits limits;
    struct stile_str file;
    const char *data; /* `buf` or the caller's bytes */
    char *buf;
    size_t cap;
    size_t len, pos; /* unread: data[pos..len) */
    size_t tried;    /* of the unread, how much held no whole row */
    bool last, started;
    bool ends; /* what the splitter sees ends the file */
    enum skip skip;
    bool in_quote; /* of SKIP_ROW */
    uint64_t row;  /* records begun */
    size_t expected;
    struct stile_str *cells;
    bool *doubled; /* the cell has doubled quotes */
    size_t count;
    bool any_doubled, bare_empty;
    char *scratch; /* of changed cells */
    size_t scratch_cap;
    enum stile_status failed;
};

struct finding {
    const char *code;
    const char *message;
    size_t column; /* of the cell, from 1, or 0 */
};

enum split {
    SPLIT_ROW,
    SPLIT_MORE,
    SPLIT_BAD
};

struct stile_csv_limits stile__csv_limits_or(struct stile_csv_limits limits)
{
    bool none =
        limits.row_bytes == 0 && limits.columns == 0 && limits.rows == 0;
    return none ? STILE_CSV_LIMITS : limits;
}

struct stile_csv *stile_csv_new(const struct stile_csv_dialect *dialect,
                                struct stile_csv_limits limits,
                                struct stile_str file)
{
    struct stile_csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL) {
        return NULL;
    }
    csv->cells = calloc((size_t)limits.columns + 1, sizeof *csv->cells);
    csv->doubled = calloc((size_t)limits.columns + 1, sizeof *csv->doubled);
    csv->dialect = *dialect;
    csv->limits = limits;
    csv->file = file;
    csv->data = "";
    if (csv->cells == NULL || csv->doubled == NULL) {
        stile_csv_free(&csv);
    }
    return csv;
}

void stile_csv_free(struct stile_csv **csv)
{
    if (csv == NULL || *csv == NULL) {
        return;
    }
    struct stile_csv *c = *csv;
    if (c->buf != NULL) {
        stile_wipe(c->buf, c->cap);
    }
    if (c->scratch != NULL) {
        stile_wipe(c->scratch, c->scratch_cap);
    }
    free(c->buf);
    free(c->scratch);
    free(c->cells);
    free(c->doubled);
    free(c);
    *csv = NULL;
}

/* A new block, the old one wiped; the content is copied. */
static bool grow(char **block, size_t *cap, size_t used, size_t wanted)
{
    if (wanted <= *cap) {
        return true;
    }
    size_t size = *cap < 4096 ? 4096 : *cap;
    while (size < wanted) {
        if (size > SIZE_MAX / 2) {
            return false;
        }
        size *= 2;
    }
    char *bigger = malloc(size);
    if (bigger == NULL) {
        return false;
    }
    if (*block != NULL) {
        memcpy(bigger, *block, used);
        stile_wipe(*block, *cap);
        free(*block);
    }
    *block = bigger;
    *cap = size;
    return true;
}

enum stile_status stile_csv_feed(struct stile_csv *csv, struct stile_str bytes,
                                 bool last)
{
    size_t unread = csv->len - csv->pos;
    if (csv->failed != STILE_OK) {
        return csv->failed;
    }
    STILE_ASSERT(!csv->last);
    if (unread > csv->limits.row_bytes && unread - csv->limits.row_bytes > 2) {
        return STILE_LIMIT;
    }
    if (csv->pos > 0) {
        memmove(csv->buf, csv->buf + csv->pos, unread);
        csv->pos = 0;
        csv->len = unread;
    }
    if (bytes.len > SIZE_MAX - unread ||
        !grow(&csv->buf, &csv->cap, unread, unread + bytes.len)) {
        csv->failed = STILE_NOMEM;
        return STILE_NOMEM;
    }
    if (bytes.len > 0) {
        memcpy(csv->buf + unread, bytes.ptr, bytes.len);
    }
    csv->data = csv->buf != NULL ? csv->buf : "";
    csv->len = unread + bytes.len;
    csv->last = last;
    return STILE_OK;
}

void stile_csv_over(struct stile_csv *csv, struct stile_str bytes)
{
    STILE_ASSERT(csv->buf == NULL && !csv->last);
    csv->data = bytes.ptr != NULL ? bytes.ptr : "";
    csv->len = bytes.len;
    csv->last = true;
}

/* ---- splitting ---- */

static uint64_t zero_bytes(uint64_t w)
{
    return (w - STILE__ONES) & ~w & STILE__TOPS;
}

/* First delimiter, quote, CR or LF at or after i, or n. */
static size_t find_special(const struct stile_csv *csv, const char *p, size_t i,
                           size_t n)
{
    const char d = csv->dialect.delimiter;
    const char q = csv->dialect.quote;
    const uint64_t all_d = STILE__ONES * (unsigned char)d;
    const uint64_t all_q = STILE__ONES * (unsigned char)(q != 0 ? q : d);
    while (n - i >= 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        if ((zero_bytes(w ^ all_d) | zero_bytes(w ^ all_q) |
             zero_bytes(w ^ (STILE__ONES * '\n')) |
             zero_bytes(w ^ (STILE__ONES * '\r'))) != 0) {
            break;
        }
        i += 8;
    }
    while (i < n && p[i] != d && p[i] != '\n' && p[i] != '\r' &&
           (p[i] != q || q == 0)) {
        i++;
    }
    return i;
}

static enum split bad(struct finding *finding, const char *code, size_t column,
                      const char *message)
{
    *finding = (struct finding){code, message, column};
    return SPLIT_BAD;
}

/* A quoted cell from its opening quote; *ret_end is behind the closing one.
 * False when it does not close in the buffer. */
static bool quoted_cell(struct stile_csv *csv, const char *p, size_t i,
                        size_t n, size_t *ret_end)
{
    size_t from = i + 1;
    size_t j = from;
    bool doubled = false;
    if (n - i >= 3 && p[from] == csv->dialect.quote &&
        p[from + 1] != csv->dialect.quote) {
        /* Empty: so common that a search is too dear. */
        csv->cells[csv->count] = (struct stile_str){p + from, 0};
        csv->doubled[csv->count++] = false;
        *ret_end = from + 1;
        return true;
    }
    for (;;) {
        const char *q = memchr(p + j, csv->dialect.quote, n - j);
        if (q == NULL) {
            return false;
        }
        size_t at = (size_t)(q - p);
        if (at + 1 == n && !csv->ends) {
            return false; /* it may be the first half of a doubled one */
        }
        if (at + 1 == n || p[at + 1] != csv->dialect.quote) {
            csv->cells[csv->count] = (struct stile_str){p + from, at - from};
            csv->doubled[csv->count] = doubled;
            csv->any_doubled = csv->any_doubled || doubled;
            csv->count++;
            *ret_end = at + 1;
            return true;
        }
        doubled = true;
        j = at + 2;
    }
}

/* Takes cells from i on as long as they are quoted without a doubled quote and
 * a delimiter follows: in files where all is quoted these are all but all
 * cells. Finding quotes 64 bytes at a time does not wait for the cell before,
 * as a search from each cell's beginning does. Returns where the first cell of
 * another kind begins. */
static size_t plain_quoted(struct stile_csv *csv, const char *p, size_t i,
                           size_t n)
{
    const char quote = csv->dialect.quote, delimiter = csv->dialect.delimiter;
    struct stile_str *cells = csv->cells;
    size_t count = csv->count, most = csv->limits.columns;
    if (n - i < 64 || p[i] != quote) {
        return i;
    }
    struct stile__quotes quotes = stile__quotes_from(p, i, n, quote);
    /* The quote found next is always the one at i, if there is one. */
    while (count < most && p[i] == quote && stile__quotes_more(&quotes)) {
        quotes.bits &= quotes.bits - 1;
        size_t close = stile__quotes_next(&quotes);
        if (close >= n - 1 || p[close + 1] != delimiter) {
            break;
        }
        cells[count++] = (struct stile_str){p + i + 1, close - i - 1};
        i = close + 2;
        if (i == n) {
            break;
        }
    }
    memset(csv->doubled + csv->count, 0, count - csv->count);
    csv->count = count;
    return i;
}

/* ="text", as spreadsheets and their exporters write a number that is a text:
 * where it ends when no quote is inside and it closes in its line, else where
 * its quote stands; SIZE_MAX when that takes more bytes. */
static size_t formula_text(const struct stile_csv *csv, const char *p,
                           size_t open, size_t n)
{
    const char quote = csv->dialect.quote;
    size_t i = open + 1;
    while (i < n && p[i] != quote && p[i] != '\n' && p[i] != '\r') {
        i++;
    }
    if (i + 1 >= n && !csv->ends) {
        return SIZE_MAX;
    }
    bool closed = i < n && p[i] == quote && (i + 1 == n || p[i + 1] != quote);
    return closed ? i + 1 : open;
}

/* What stands at i, behind a cell: a delimiter (*ret_next cell), the end of
 * the row (*ret_done), or neither. */
static enum split after_cell(const struct stile_csv *csv, const char *p,
                             size_t i, size_t n, size_t *ret_next,
                             bool *ret_done, struct finding *finding)
{
    *ret_done = true;
    if (i == n) {
        *ret_next = i;
        return csv->ends ? SPLIT_ROW : SPLIT_MORE;
    }
    if (p[i] == '\n') {
        *ret_next = i + 1;
        return SPLIT_ROW;
    }
    if (p[i] == '\r') {
        if (i + 1 == n && !csv->ends) {
            return SPLIT_MORE;
        }
        if (i + 1 < n && p[i + 1] == '\n') {
            *ret_next = i + 2;
            return SPLIT_ROW;
        }
        *ret_next = i + 1;
        return bad(finding, "V108", csv->count,
                   "end rows with LF or CRLF, and quote a cell that holds a "
                   "carriage return");
    }
    *ret_next = i + 1;
    *ret_done = false;
    if (p[i] == csv->dialect.delimiter) {
        return SPLIT_ROW;
    }
    return bad(finding, "V103", csv->count,
               "double the quotes inside a quoted cell");
}

/* One row from p[0..n). On ROW *ret_end is behind its line end; on BAD where
 * the grammar broke. *ret_len is the row without its line end. */
static enum split split_row(struct stile_csv *csv, const char *p, size_t n,
                            size_t *ret_end, size_t *ret_len,
                            struct finding *finding)
{
    size_t i = 0;
    bool done = false;
    csv->count = 0;
    csv->any_doubled = false;
    csv->bare_empty = false;
    while (!done) {
        if (csv->dialect.quote != 0) {
            i = plain_quoted(csv, p, i, n);
        }
        *ret_end = i;
        if (csv->count == csv->limits.columns) {
            *ret_end = 0;
            return bad(finding, "V106", csv->count,
                       "send fewer columns or raise the limit on columns");
        }
        if (i < n && csv->dialect.quote != 0 && p[i] == csv->dialect.quote) {
            if (!quoted_cell(csv, p, i, n, &i)) {
                if (!csv->ends) {
                    return SPLIT_MORE;
                }
                *ret_end = n;
                return bad(finding, "V104", csv->count + 1,
                           "close this quote; all that follows it was taken "
                           "for one cell and is lost");
            }
        } else {
            size_t end = find_special(csv, p, i, n);
            if (csv->dialect.sheet && end == i + 1 && end < n && p[i] == '=' &&
                p[end] == csv->dialect.quote) {
                end = formula_text(csv, p, end, n);
                if (end == SIZE_MAX) {
                    return SPLIT_MORE;
                }
            }
            if (end < n && csv->dialect.quote != 0 &&
                p[end] == csv->dialect.quote) {
                *ret_end = end;
                return bad(finding, "V102", csv->count + 1,
                           "quote the whole cell and double the quotes in it");
            }
            csv->bare_empty = csv->count == 0 && end == i;
            csv->cells[csv->count] = (struct stile_str){p + i, end - i};
            csv->doubled[csv->count] = false;
            csv->count++;
            i = end;
        }
        *ret_len = i;
        enum split after = after_cell(csv, p, i, n, &i, &done, finding);
        *ret_end = i;
        if (after != SPLIT_ROW) {
            return after;
        }
    }
    return SPLIT_ROW;
}

/* ---- skipping ---- */

static void consume(struct stile_csv *csv, size_t len)
{
    csv->pos += len;
    csv->tried = 0;
}

/* Drops what belongs to a broken row; stays in its state when the buffer ends
 * first. */
static void skip_on(struct stile_csv *csv)
{
    const char *p = csv->data + csv->pos;
    size_t n = csv->len - csv->pos;
    if (csv->skip == SKIP_LINE) {
        const char *lf = memchr(p, '\n', n);
        if (lf != NULL) {
            n = (size_t)(lf - p) + 1;
            csv->skip = SKIP_NOT;
        }
        consume(csv, n);
        return;
    }
    for (size_t i = 0; i < n && csv->skip != SKIP_NOT; i++) {
        if (p[i] == csv->dialect.quote && csv->dialect.quote != 0) {
            csv->in_quote = !csv->in_quote;
        } else if (p[i] == '\n' && !csv->in_quote) {
            csv->skip = SKIP_NOT;
            n = i + 1;
        }
    }
    consume(csv, n);
}

/* The row in hand, as findings call it. */
static uint64_t number_of(const struct stile_csv *csv)
{
    return csv->dialect.sheet ? csv->row : csv->row - 1;
}

static enum stile_status refuse(struct stile_csv *csv,
                                struct stile_diags *diags,
                                const struct finding *finding)
{
    struct stile_diag *diag =
        stile_diag_at_record(diags, finding->code, STILE_ERROR, csv->file,
                             number_of(csv), STILE_STR_NULL, finding->message);
    if (diag != NULL) {
        diag->column = (uint32_t)finding->column;
    }
    return STILE_INVALID;
}

/* ---- cells ---- */

/* Undoubles and converts one cell into `out`. */
static bool change_cell(const struct stile_csv *csv, struct stile_str cell,
                        bool doubled, bool convert, char *out, size_t *ret_len)
{
    size_t n = 0;
    for (size_t i = 0; i < cell.len; i++) {
        unsigned char c = (unsigned char)cell.ptr[i];
        if (convert && c >= 0x80) {
            size_t put = stile__put_1252(out + n, c);
            if (put == 0) {
                return false;
            }
            n += put;
        } else {
            out[n++] = (char)c;
        }
        if (doubled && cell.ptr[i] == csv->dialect.quote) {
            i++; /* its twin: the splitter saw to it that it is there */
        }
    }
    *ret_len = n;
    return true;
}

static bool has_high(struct stile_str s)
{
    bool high = false, nul = false;
    stile__look_over(s.ptr, s.len, &high, &nul);
    return high;
}

static enum stile_status change_cells(struct stile_csv *csv, size_t row_len,
                                      bool convert, struct stile_diags *diags)
{
    if (row_len > SIZE_MAX / 3 ||
        !grow(&csv->scratch, &csv->scratch_cap, 0, row_len * 3)) {
        csv->failed = STILE_NOMEM;
        return STILE_NOMEM;
    }
    char *out = csv->scratch;
    for (size_t i = 0; i < csv->count; i++) {
        struct stile_str *cell = &csv->cells[i];
        size_t len = 0;
        bool high = convert && has_high(*cell);
        if (!high && !csv->doubled[i]) {
            continue;
        }
        if (!change_cell(csv, *cell, csv->doubled[i], high, out, &len)) {
            struct finding finding = {
                "V112", "send UTF-8 or Windows-1252; a byte has no meaning",
                i + 1};
            return refuse(csv, diags, &finding);
        }
        *cell = (struct stile_str){out, len};
        out += len;
    }
    return STILE_OK;
}

/* Encoding and content of a whole row. */
static enum stile_status check_row(struct stile_csv *csv, struct stile_str row,
                                   struct stile_diags *diags)
{
    bool high = false, nul = false;
    stile__look_over(row.ptr, row.len, &high, &nul);
    if (nul) {
        struct finding finding = {"V109", "leave out NUL bytes", 0};
        return refuse(csv, diags, &finding);
    }
    if (high && !csv->dialect.windows_1252 && !stile_utf8_valid(row)) {
        if (!csv->dialect.guess_1252) {
            struct finding finding = {"V101", "send the file as UTF-8", 0};
            return refuse(csv, diags, &finding);
        }
        csv->dialect.windows_1252 = true;
        stile_diag_at_record(diags, "V111", STILE_WARNING, csv->file,
                             number_of(csv), STILE_STR_NULL,
                             "this file is not UTF-8; from here on it is "
                             "read as Windows-1252");
    }
    bool convert = high && csv->dialect.windows_1252;
    if (convert || csv->any_doubled) {
        enum stile_status status = change_cells(csv, row.len, convert, diags);
        if (status != STILE_OK) {
            return status;
        }
    }
    if (csv->expected == 0) {
        csv->expected = csv->count;
    } else if (csv->expected != csv->count) {
        struct finding finding = {
            "V107", "give each row as many cells as the first row has", 0};
        return refuse(csv, diags, &finding);
    }
    return STILE_OK;
}

/* ---- pulling ---- */

static bool skip_bom(struct stile_csv *csv)
{
    static const char bom[] = "\xef\xbb\xbf";
    size_t n = csv->len - csv->pos;
    size_t shared = n < 3 ? n : 3;
    if (!csv->started && csv->dialect.allow_bom) {
        bool matches = memcmp(csv->data + csv->pos, bom, shared) == 0;
        if (matches && n < 3 && !csv->last) {
            return false; /* wait for the rest of it */
        }
        if (matches && n >= 3) {
            consume(csv, 3);
        }
    }
    csv->started = true;
    return true;
}

static enum stile_status too_long(struct stile_csv *csv,
                                  struct stile_diags *diags)
{
    struct finding finding = {
        "V105",
        "shorten this row, close its quotes or raise the limit on "
        "row bytes",
        0};
    return refuse(csv, diags, &finding);
}

/* More bytes are needed to end the row, unless it is too long already. */
static enum stile_status wait_for_more(struct stile_csv *csv, size_t n,
                                       struct stile_diags *diags)
{
    if (n > csv->limits.row_bytes && n - csv->limits.row_bytes > 2) {
        enum stile_status status = too_long(csv, diags);
        csv->skip = SKIP_ROW;
        csv->in_quote = false;
        skip_on(csv);
        return status;
    }
    csv->row--; /* it is begun again with the next bytes */
    csv->tried = n;
    return STILE_END;
}

static enum stile_status next_row(struct stile_csv *csv,
                                  struct stile_diags *diags)
{
    struct finding finding = {NULL, NULL, 0};
    const char *p = csv->data + csv->pos;
    size_t n = csv->len - csv->pos;
    size_t end = 0;
    size_t len = 0;
    /* No row sees more than it may have, its line end and one byte: so the
     * outcome does not depend on how the file was cut into chunks. */
    size_t most = csv->limits.row_bytes > SIZE_MAX - 3
                      ? SIZE_MAX
                      : csv->limits.row_bytes + 3;
    csv->ends = csv->last && n <= most;
    csv->row++;
    switch (split_row(csv, p, n < most ? n : most, &end, &len, &finding)) {
    case SPLIT_MORE:
        return wait_for_more(csv, n, diags);
    case SPLIT_BAD:
        consume(csv, end);
        csv->skip = end == 0 ? SKIP_ROW : SKIP_LINE;
        csv->in_quote = false;
        if (end > 0 && p[end - 1] == '\n') {
            csv->skip = SKIP_NOT;
        } else {
            skip_on(csv);
        }
        return refuse(csv, diags, &finding);
    case SPLIT_ROW:
        break;
    }
    consume(csv, end);
    if (len > csv->limits.row_bytes) {
        return too_long(csv, diags);
    }
    if (csv->count == 1 && csv->bare_empty && csv->expected != 1) {
        csv->count = 0; /* an empty line */
        if (csv->expected == 0 && !csv->dialect.sheet) {
            csv->row--;
        }
        return STILE_OK;
    }
    return check_row(csv, (struct stile_str){p, len}, diags);
}

enum stile_status stile_csv_pull(struct stile_csv *csv,
                                 struct stile_diags *diags,
                                 const struct stile_str **ret_cells,
                                 size_t *ret_count, uint64_t *ret_row)
{
    for (;;) {
        if (csv->failed != STILE_OK) {
            return csv->failed;
        }
        if (!skip_bom(csv)) {
            return STILE_END;
        }
        if (csv->skip != SKIP_NOT) {
            skip_on(csv);
        }
        size_t n = csv->len - csv->pos;
        bool more = n > csv->tried;
        if (n == 0 || (!csv->last && !more)) {
            return STILE_END;
        }
        /* No line end in the new bytes, no row: not worth a new try. */
        if (!csv->last && n <= csv->limits.row_bytes &&
            memchr(csv->data + csv->pos + csv->tried, '\n', n - csv->tried) ==
                NULL) {
            csv->tried = n;
            return STILE_END;
        }
        if (csv->row >= csv->limits.rows) {
            csv->failed = STILE_LIMIT;
            stile_diag_at_record(diags, "V110", STILE_ERROR, csv->file,
                                 csv->row + (csv->dialect.sheet ? 1 : 0),
                                 STILE_STR_NULL,
                                 "send fewer rows or raise the limit on rows");
            return STILE_LIMIT;
        }
        enum stile_status status = next_row(csv, diags);
        if (status == STILE_OK && csv->count == 0) {
            continue;
        }
        if (status == STILE_OK) {
            *ret_cells = csv->cells;
            *ret_count = csv->count;
            *ret_row = number_of(csv);
        }
        return status;
    }
}
