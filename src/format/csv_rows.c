/* CSV files of a table: header bound by name, rows in the table's order. */
#include "format_private.h"

struct reading {
    struct stile__csv_job *job;
    struct stile_csv *csv;
    const struct stile_table *table;
    const struct stile_str *columns; /* the table's, then the unknown ones */
    uint32_t *places;                /* of header column i, in `columns` */
    size_t count;                    /* of `columns` */
    size_t header_count;
    struct stile__rows rows;
    size_t bad_rows;
    bool fed; /* the last piece of `more` */
};

static enum stile_status finding(const struct stile__csv_job *job,
                                 const char *code, const char *message)
{
    stile_diag_at_record(job->diags, code, STILE_ERROR, job->input->name, 0,
                         STILE_STR_NULL, message);
    return STILE_INVALID;
}

/* The next row; bytes are asked for as they are needed. */
static enum stile_status pull(struct reading *r, const struct stile_str **cells,
                              size_t *count, uint64_t *number)
{
    const struct stile_format_input *input = r->job->input;
    for (;;) {
        enum stile_status status =
            stile_csv_pull(r->csv, r->job->diags, cells, count, number);
        if (status != STILE_END || input->more == NULL || r->fed) {
            return status;
        }
        struct stile_str piece = STILE_STR_NULL;
        if (!input->more(input->ctx, &piece, &r->fed)) {
            return STILE_IO;
        }
        status = stile_csv_feed(r->csv, piece, r->fed);
        if (status != STILE_OK) {
            return status;
        }
    }
}

/* Unknown columns are kept behind the table's own. */
static enum stile_status
place_columns(struct reading *r, const struct stile_str *header, size_t count)
{
    size_t unknown = 0;
    for (size_t i = 0; i < count; i++) {
        unknown += r->places[i] == UINT32_MAX ? 1 : 0;
    }
    r->header_count = count;
    r->count = r->table->count + unknown;
    r->job->count = r->count;
    r->columns = r->table->column_names;
    if (unknown == 0) {
        return STILE_OK;
    }
    struct stile_str *names =
        stile_arena_array(r->job->arena, r->count, sizeof *names);
    if (names == NULL) {
        return STILE_NOMEM;
    }
    memcpy(names, r->table->column_names, r->table->count * sizeof *names);
    size_t at = r->table->count;
    for (size_t i = 0; i < count; i++) {
        if (r->places[i] == UINT32_MAX) {
            r->places[i] = (uint32_t)at;
            names[at++] = header[i];
        }
    }
    r->columns = names;
    return STILE_OK;
}

static bool has_needed(const struct reading *r, size_t count)
{
    uint32_t needed = stile_table_column(r->table, r->job->must_have);
    bool found = r->job->must_have.len == 0;
    for (size_t i = 0; i < count; i++) {
        found = found || r->places[i] == needed;
    }
    return found;
}

static enum stile_status read_header(struct reading *r)
{
    struct stile__csv_job *job = r->job;
    const struct stile_str *cells = NULL;
    size_t count = 0;
    uint64_t number = 0;
    enum stile_status status = pull(r, &cells, &count, &number);
    if (status == STILE_END) {
        return finding(job, "V120", "send a file with a header row");
    }
    if (status != STILE_OK) {
        return status;
    }
    struct stile_str *header =
        stile_arena_array(job->arena, count, sizeof *header);
    if (header == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct stile_str name =
            job->trim_header ? stile__trim(cells[i]) : cells[i];
        header[i] = stile_arena_str(job->arena, name);
    }
    if (stile_arena_failed(job->arena)) {
        return STILE_NOMEM;
    }
    status = stile_schema_bind(job->input->schema, job->family, job->table,
                               header, count, job->arena, job->input->name,
                               job->diags, &r->table, &r->places);
    if (status == STILE_OK && !has_needed(r, count)) {
        stile_diag_at_record(job->diags, "V316", STILE_ERROR, job->input->name,
                             number, job->must_have,
                             "add this column to the header");
        return STILE_INVALID;
    }
    return status == STILE_OK ? place_columns(r, header, count) : status;
}

/* The reader's cell, made to last: in the message's bytes or the arena. */
static struct stile_str lasting(const struct reading *r, struct stile_str cell)
{
    uintptr_t from = (uintptr_t)r->job->input->bytes.ptr;
    uintptr_t at = (uintptr_t)cell.ptr;
    if (at >= from && at - from <= r->job->input->bytes.len) {
        return cell;
    }
    return stile_arena_str(r->job->arena, cell);
}

static enum stile_status keep_row(struct reading *r,
                                  const struct stile_str *cells, size_t count,
                                  uint64_t number)
{
    struct stile__csv_job *job = r->job;
    struct stile_arena_mark mark = stile_arena_mark(job->arena);
    struct stile_str *kept =
        stile_arena_array(job->arena, r->count, sizeof *kept);
    enum stile__fix fix = STILE__ROW_KEEP;
    STILE_ASSERT(count == r->header_count);
    if (kept == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        kept[r->places[i]] = lasting(r, cells[i]);
    }
    if (job->fix != NULL) {
        fix = job->fix(job, r->table, kept, number);
    }
    if (stile_arena_failed(job->arena)) {
        return STILE_NOMEM;
    }
    if (fix != STILE__ROW_KEEP) {
        r->bad_rows += fix == STILE__ROW_BAD ? 1 : 0;
        /* Findings of this row may stand above the mark. */
        if (job->diags->arena != job->arena) {
            stile_arena_rewind(job->arena, mark);
        }
        return STILE_OK;
    }
    struct stile_row row = {.table = r->table->name,
                            .columns = r->columns,
                            .cells = kept,
                            .count = r->count,
                            .number = number,
                            .file = job->input->name};
    if (job->input->each == NULL) {
        return stile__rows_add(&r->rows, row) ? STILE_OK : STILE_NOMEM;
    }
    enum stile_status status = job->input->each(job->input->ctx, &row);
    if (job->diags->arena != job->arena) {
        stile_arena_rewind(job->arena, mark);
    }
    return status;
}

static enum stile_status read_rows(struct reading *r)
{
    for (;;) {
        const struct stile_str *cells = NULL;
        size_t count = 0;
        uint64_t number = 0;
        enum stile_status status = pull(r, &cells, &count, &number);
        if (status == STILE_END) {
            return STILE_OK;
        }
        if (status == STILE_INVALID) {
            r->bad_rows++;
            continue;
        }
        if (status == STILE_OK) {
            status = keep_row(r, cells, count, number);
        }
        if (status != STILE_OK) {
            return status;
        }
    }
}

enum stile_status stile__csv_decode(struct stile__csv_job *job,
                                    struct stile_decoded *ret)
{
    struct reading r = {.job = job};
    struct stile_decoded decoded = {0};
    r.csv = stile_csv_new(&job->dialect, stile__csv_limits_or(job->input->csv),
                          job->input->name);
    if (r.csv == NULL) {
        return STILE_NOMEM;
    }
    if (job->input->more == NULL) {
        stile_csv_over(r.csv, job->input->bytes);
    }
    enum stile_status status = read_header(&r);
    if (status == STILE_OK) {
        status = read_rows(&r);
    }
    if (status == STILE_OK) {
        status = stile__rows_done(&r.rows, job->arena, &decoded);
    }
    free(r.rows.items);
    stile_csv_free(&r.csv);
    if (status == STILE_OK) {
        decoded.bad_rows = r.bad_rows;
        *ret = decoded;
    }
    return status;
}

/* ---- the maker "csv" ---- */

static bool word_is(const struct stile_schema *schema, struct stile_str family,
                    struct stile_str version, const char *key,
                    const char *value)
{
    return stile_str_eqc(stile_schema_dialect(schema, family, version, key),
                         value);
}

struct stile_csv_dialect stile_csv_dialect_of(const struct stile_schema *schema,
                                              struct stile_str family,
                                              struct stile_str version)
{
    struct stile_csv_dialect d = stile_csv_rfc4180;
    if (word_is(schema, family, version, "delimiter", "tab")) {
        d.delimiter = '\t';
    } else if (word_is(schema, family, version, "delimiter", "semicolon")) {
        d.delimiter = ';';
    } else if (word_is(schema, family, version, "delimiter", "pipe")) {
        d.delimiter = '|';
    }
    if (word_is(schema, family, version, "quote", "none")) {
        d.quote = 0;
    }
    d.quote_all = word_is(schema, family, version, "quote-all", "yes");
    d.crlf = !word_is(schema, family, version, "line-end", "lf");
    d.windows_1252 =
        word_is(schema, family, version, "encoding", "windows-1252");
    d.allow_bom = !d.windows_1252;
    return d;
}

static struct stile_csv_dialect
dialect_of(const struct stile_format_input *input,
           const struct stile_table *table)
{
    return stile_csv_dialect_of(input->schema, table->family, table->version);
}

static const struct stile_table *table_named(const struct stile_schema *schema,
                                             struct stile_str name)
{
    for (size_t i = 0; i < stile_schema_count(schema); i++) {
        const struct stile_table *t = stile_schema_at(schema, i);
        if (stile_str_eq_nocase(t->name, name)) {
            return stile_schema_table(schema, t->family, STILE_STR(""),
                                      t->name);
        }
    }
    return NULL;
}

static enum stile_status decode(const struct stile_format_input *input,
                                struct stile_arena *arena,
                                struct stile_diags *diags,
                                struct stile_decoded *ret)
{
    const struct stile_table *table = table_named(input->schema, input->table);
    struct stile__csv_job job = {.input = input,
                                 .dialect = stile_csv_rfc4180,
                                 .table = input->table,
                                 .family = STILE_STR(""),
                                 .arena = arena,
                                 .diags = diags};
    if (table != NULL) {
        job.dialect = dialect_of(input, table);
        job.family = table->family;
    }
    return stile__csv_decode(&job, ret);
}

static bool has_column(const struct stile_row *row, struct stile_str name)
{
    for (size_t i = 0; i < row->count; i++) {
        if (stile_str_eq(row->columns[i], name)) {
            return true;
        }
    }
    return false;
}

/* Does the header, the first row's columns, hold all of this row? */
static bool fits(const struct stile_row *first, const struct stile_row *row)
{
    if (!stile_str_eq(first->table, row->table)) {
        return false;
    }
    if (first->columns == row->columns && first->count == row->count) {
        return true;
    }
    for (size_t i = 0; i < row->count; i++) {
        if (!has_column(first, row->columns[i])) {
            return false;
        }
    }
    return true;
}

enum stile_status stile__csv_encode(const struct stile_decoded *decoded,
                                    const struct stile_csv_dialect *dialect,
                                    struct stile_buf *out,
                                    struct stile_diags *diags)
{
    const struct stile_row *first = decoded->rows;
    if (decoded->row_count == 0) {
        return STILE_OK;
    }
    for (size_t i = 0; i < decoded->row_count; i++) {
        if (!fits(first, &decoded->rows[i])) {
            stile_diag_at_record(diags, "V130", STILE_ERROR, first->file, i + 1,
                                 STILE_STR_NULL,
                                 "write rows of one table, with the first "
                                 "row's columns, to one file");
            return STILE_INVALID;
        }
    }
    struct stile_str *cells = calloc(first->count + 1, sizeof *cells);
    if (cells == NULL) {
        return STILE_NOMEM;
    }
    stile_csv_write_row(out, dialect, first->columns, first->count);
    for (size_t i = 0; i < decoded->row_count; i++) {
        const struct stile_row *row = &decoded->rows[i];
        if (row->columns == first->columns) {
            stile_csv_write_row(out, dialect, row->cells, row->count);
            continue;
        }
        for (size_t k = 0; k < first->count; k++) {
            cells[k] = stile_row_get(row, first->columns[k]);
        }
        stile_csv_write_row(out, dialect, cells, first->count);
    }
    free(cells);
    return out->status;
}

static enum stile_status encode(const struct stile_decoded *decoded,
                                const struct stile_schema *schema,
                                struct stile_str exported_at,
                                struct stile_buf *out,
                                struct stile_diags *diags)
{
    struct stile_format_input input = {.schema = schema};
    struct stile_csv_dialect dialect = stile_csv_rfc4180;
    (void)exported_at; /* a CSV file has no place for it */
    const struct stile_table *table =
        decoded->row_count > 0 ? table_named(schema, decoded->rows[0].table)
                               : NULL;
    if (table != NULL) {
        dialect = dialect_of(&input, table);
        dialect.quote = '"';
    }
    return stile__csv_encode(decoded, &dialect, out, diags);
}

const struct stile_format stile__format_csv = {"csv", "text/csv", ".csv",
                                               decode, encode};
