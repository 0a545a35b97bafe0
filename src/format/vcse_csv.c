/* The level 1 sheet: table "cases" of vcse-case, one row a case. */
#include "vcse_private.h"

static bool repair_cell(const struct stile__repair *repair,
                        enum stile_column_type type, struct stile_str *cell)
{
    stile__repair_text(repair, cell);
    if (cell->len == 0) {
        return true;
    }
    if (stile_str_eqc(repair->column, "nhs_number")) {
        return stile__repair_nhs_number(repair, cell);
    }
    if (stile_str_eqc(repair->column, "case_ref") ||
        stile_str_eqc(repair->column, "person_ref")) {
        return stile__repair_ref(repair, cell);
    }
    switch (type) {
    case STILE_COL_DATE:
        return stile__repair_date(repair, false, cell) &&
               (!stile_str_eqc(repair->column, "birth_date") ||
                stile__check_birth(repair, *cell));
    case STILE_COL_DATETIME:
        return stile__repair_date(repair, true, cell);
    case STILE_COL_BOOL:
        stile__repair_bool(repair, cell);
        return true;
    default:
        return true;
    }
}

/* The day in London when the message came, or 0. */
static int64_t today_of(const struct stile_format_input *input)
{
    const stile_time day = 86400 * STILE_SECOND;
    if (input->now <= 0) {
        return 0;
    }
    stile_time local = input->now + stile_london_offset_minutes(input->now) *
                                        (60 * STILE_SECOND);
    return stile_date_days((struct stile_date){1970, 1, 1}) + local / day;
}

/* Their ids are made of these two: none is invented. */
static bool has_refs(const struct stile__csv_job *job,
                     const struct stile_table *table,
                     const struct stile_str *cells, uint64_t row)
{
    const struct stile_str refs[] = {STILE_STR("case_ref"),
                                     STILE_STR("person_ref")};
    bool ok = true;
    for (size_t i = 0; i < 2; i++) {
        uint32_t at = stile_table_column(table, refs[i]);
        if (at != UINT32_MAX && cells[at].len == 0) {
            ok = false;
            stile_diag_at_record(job->diags, "V316", STILE_ERROR,
                                 job->input->name, row, refs[i],
                                 "fill in this cell; a row without its "
                                 "reference is not used");
        }
    }
    return ok;
}

static enum stile__fix fix_row(struct stile__csv_job *job,
                               const struct stile_table *table,
                               struct stile_str *cells, uint64_t row)
{
    bool ok = true;
    bool empty = true;
    for (size_t i = 0; i < job->count; i++) {
        if (cells[i].len == 0) {
            continue;
        }
        empty = false;
        if (i < table->count) {
            struct stile__repair repair = {job->arena,
                                           job->diags,
                                           job->input->name,
                                           table->columns[i].name,
                                           row,
                                           today_of(job->input)};
            ok = repair_cell(&repair, table->columns[i].type, &cells[i]) && ok;
        }
    }
    if (empty) {
        stile_diag_at_record(job->diags, "V314", STILE_NOTE, job->input->name,
                             row, STILE_STR_NULL,
                             "delete empty rows; this one was passed over");
        return STILE__ROW_DROP;
    }
    ok = has_refs(job, table, cells, row) && ok;
    return ok ? STILE__ROW_KEEP : STILE__ROW_BAD;
}

static enum stile_status drop_twins(const struct stile_format_input *input,
                                    struct stile_arena *arena,
                                    struct stile_diags *diags,
                                    struct stile_decoded *decoded)
{
    bool *dup = calloc(decoded->row_count + 1, sizeof *dup);
    struct stile__rows kept = {0};
    if (dup == NULL) {
        return STILE_NOMEM;
    }
    enum stile_status status =
        stile__rows_twice(decoded->rows, decoded->row_count, dup);
    for (size_t i = 0; status == STILE_OK && i < decoded->row_count; i++) {
        if (!dup[i]) {
            status = stile__rows_add(&kept, decoded->rows[i]) ? STILE_OK
                                                              : STILE_NOMEM;
            continue;
        }
        stile_diag_at_record(diags, "V311", STILE_WARNING, input->name,
                             decoded->rows[i].number, STILE_STR_NULL,
                             "delete this row; an equal one stands above and "
                             "this one was passed over");
    }
    if (status == STILE_OK) {
        status = stile__rows_done(&kept, arena, decoded);
    }
    free(kept.items);
    free(dup);
    return status;
}

static enum stile_status decode(const struct stile_format_input *input,
                                struct stile_arena *arena,
                                struct stile_diags *diags,
                                struct stile_decoded *ret)
{
    struct stile_decoded decoded = {0};
    struct stile__csv_job job = {.input = input,
                                 .dialect = stile_csv_vcse,
                                 .family = STILE__VCSE_FAMILY,
                                 .table = STILE__VCSE_SHEET,
                                 .arena = arena,
                                 .diags = diags,
                                 .trim_header = true,
                                 .must_have = STILE_STR("person_ref"),
                                 .fix = fix_row};
    enum stile_status status = stile__sheet_check(input, diags);
    if (status == STILE_OK) {
        status = stile__csv_decode(&job, &decoded);
    }
    if (status == STILE_OK) {
        status = drop_twins(input, arena, diags, &decoded);
    }
    if (status == STILE_OK) {
        status = stile__sheet_clashes(&decoded, diags);
    }
    if (status == STILE_OK) {
        *ret = decoded;
    }
    return status;
}

static enum stile_status encode(const struct stile_decoded *decoded,
                                const struct stile_schema *schema,
                                struct stile_str exported_at,
                                struct stile_buf *out,
                                struct stile_diags *diags)
{
    const struct stile_table *table = stile_schema_table(
        schema, STILE__VCSE_FAMILY, STILE_STR(""), STILE__VCSE_SHEET);
    (void)exported_at; /* the sheet has no place for it */
    if (table == NULL) {
        stile_diag_at_record(diags, "V211", STILE_ERROR, STILE_STR_NULL, 0,
                             STILE_STR_NULL,
                             "load the vcse-case tables to write this format");
        return STILE_UNSUPPORTED;
    }
    for (size_t i = 0; i < decoded->row_count; i++) {
        if (!stile_str_eq(decoded->rows[i].table, table->name)) {
            stile_diag_at_record(diags, "V211", STILE_ERROR,
                                 decoded->rows[i].file, i + 1, STILE_STR_NULL,
                                 "give rows of the table cases; the sheet "
                                 "holds no others");
            return STILE_INVALID;
        }
    }
    if (decoded->row_count == 0) {
        stile_csv_write_row(out, &stile_csv_vcse, table->column_names,
                            table->count);
        return out->status;
    }
    return stile__csv_encode(decoded, &stile_csv_vcse, out, diags);
}

const struct stile_format stile__format_vcse_csv = {"vcse-csv", "text/csv",
                                                    ".csv", decode, encode};
