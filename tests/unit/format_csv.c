/* CSV: the dialect, broken rows, limits. */
#include <criterion/criterion.h>

#include <stile/format.h>

struct fixture {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_csv *csv;
    const struct stile_str *cells;
    size_t count;
    uint64_t row;
};

static void start(struct fixture *f, const struct stile_csv_dialect *dialect,
                  struct stile_csv_limits limits)
{
    f->arena = stile_arena_new(1 << 20);
    stile_diags_init(&f->diags, f->arena, 0);
    f->csv = stile_csv_new(dialect, limits, STILE_STR("t.csv"));
    cr_assert_not_null(f->csv);
}

static void feed(struct fixture *f, const char *text)
{
    cr_assert_eq(stile_csv_feed(f->csv, stile_str_cstr(text), true), STILE_OK);
}

static void end(struct fixture *f)
{
    stile_csv_free(&f->csv);
    cr_assert_null(f->csv);
    stile_csv_free(&f->csv);
    stile_arena_free(&f->arena);
}

static enum stile_status pull(struct fixture *f)
{
    return stile_csv_pull(f->csv, &f->diags, &f->cells, &f->count, &f->row);
}

/* Cells joined by `|`. */
static void expect_row(struct fixture *f, uint64_t number, const char *joined)
{
    struct stile_buf b;
    stile_buf_init(&b, 10000);
    cr_assert_eq(pull(f), STILE_OK, "want %s", joined);
    for (size_t i = 0; i < f->count; i++) {
        if (i > 0) {
            stile_buf_byte(&b, '|');
        }
        cr_assert_not_null(f->cells[i].ptr);
        stile_buf_add(&b, f->cells[i]);
    }
    cr_assert(stile_str_eqc(stile_buf_str(&b), joined), "%.*s for %s",
              STILE_FMT(stile_buf_str(&b)), joined);
    cr_assert_eq(f->row, number);
    stile_buf_release(&b);
}

static void expect_bad(struct fixture *f, uint64_t number, const char *code)
{
    size_t before = f->diags.count;
    cr_assert_eq(pull(f), STILE_INVALID);
    cr_assert_eq(f->diags.count, before + 1);
    const struct stile_diag *d = &f->diags.items[before];
    cr_assert_str_eq(d->code, code);
    cr_assert_eq(d->line, number, "row %u", d->line);
    cr_assert(stile_str_eqc(d->file, "t.csv"));
}

Test(format_csv, reads_quotes_and_line_ends)
{
    struct fixture f;
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    feed(&f, "\xef\xbb\xbf"
             "a,b,c\r\n1,\"x,\"\"y\"\"\r\nz\",\n,,\n\"\",\"\",\"\"\n"
             "long cell of text,another long one,3");
    expect_row(&f, 0, "a|b|c");
    expect_row(&f, 1, "1|x,\"y\"\r\nz|");
    expect_row(&f, 2, "||");
    expect_row(&f, 3, "||");
    expect_row(&f, 4, "long cell of text|another long one|3");
    cr_assert_eq(pull(&f), STILE_END);
    cr_assert_eq(pull(&f), STILE_END);
    cr_assert_eq(f.diags.count, 0);
    end(&f);
}

Test(format_csv, empty_lines_are_no_records_unless_one_column)
{
    struct fixture f;
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    feed(&f, "\n\r\na,b\n\n1,2\n\n");
    expect_row(&f, 0, "a|b");
    expect_row(&f, 2, "1|2");
    cr_assert_eq(pull(&f), STILE_END);
    end(&f);
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    feed(&f, "a\n\nb");
    expect_row(&f, 0, "a");
    expect_row(&f, 1, "");
    expect_row(&f, 2, "b");
    cr_assert_eq(pull(&f), STILE_END);
    end(&f);
}

Test(format_csv, a_broken_row_harms_only_itself)
{
    struct fixture f;
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    feed(&f, "a,b\n1,x\"y\n2,ok\n3,\"x\"y\n4,ok\n5\n6,7,8\n7,o\rk\n"
             "8,\xff\n9,ok\n");
    expect_row(&f, 0, "a|b");
    expect_bad(&f, 1, "V102");
    expect_row(&f, 2, "2|ok");
    expect_bad(&f, 3, "V103");
    expect_row(&f, 4, "4|ok");
    expect_bad(&f, 5, "V107");
    expect_bad(&f, 6, "V107");
    expect_bad(&f, 7, "V108");
    expect_bad(&f, 8, "V101");
    expect_row(&f, 9, "9|ok");
    cr_assert_eq(pull(&f), STILE_END);
    end(&f);
}

Test(format_csv, findings_carry_no_value)
{
    struct fixture f;
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    feed(&f, "a,b\nSECRET,SE\"CRET\n\"SECRET\"SECRET,1\nSECRET\n");
    struct stile_buf out;
    stile_buf_init(&out, 100000);
    while (pull(&f) != STILE_END) {
    }
    stile_diags_print(&f.diags, false, &out);
    cr_assert_eq(f.diags.count, 3);
    cr_assert_eq(stile_str_find_str(stile_buf_str(&out), STILE_STR("SECRET")),
                 SIZE_MAX);
    stile_buf_release(&out);
    end(&f);
}

Test(format_csv, an_open_quote_is_told_where_it_opened)
{
    struct fixture f;
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    feed(&f, "a,b\n1,2\n3,\"never\n4,5\n6,7\n");
    expect_row(&f, 0, "a|b");
    expect_row(&f, 1, "1|2");
    expect_bad(&f, 2, "V104");
    cr_assert_eq(f.diags.items[0].column, 2);
    cr_assert_eq(pull(&f), STILE_END);
    end(&f);
}

Test(format_csv, nul_bytes_are_refused)
{
    struct fixture f;
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    cr_assert_eq(
        stile_csv_feed(f.csv, (struct stile_str){"a,b\n1,\0\n", 8}, true),
        STILE_OK);
    expect_row(&f, 0, "a|b");
    expect_bad(&f, 1, "V109");
    end(&f);
}

Test(format_csv, windows_1252_when_declared)
{
    struct fixture f;
    start(&f, &stile_csv_systmone, STILE_CSV_LIMITS);
    feed(&f, "a,b\n\x80\x93x\x94,\"\xe9\"\"\"\n\x81,1\nn,o\n");
    expect_row(&f, 0, "a|b");
    expect_row(&f, 1, "\xe2\x82\xac\xe2\x80\x9cx\xe2\x80\x9d|\xc3\xa9\"");
    expect_bad(&f, 2, "V112");
    expect_row(&f, 3, "n|o");
    end(&f);
}

Test(format_csv, windows_1252_when_guessed_is_told)
{
    struct fixture f;
    start(&f, &stile_csv_vcse, STILE_CSV_LIMITS);
    feed(&f, "a,b\n\xc3\xa9,1\n\xe9,2\n\xe9,3\n");
    expect_row(&f, 1, "a|b");
    expect_row(&f, 2, "\xc3\xa9|1");
    expect_row(&f, 3, "\xc3\xa9|2");
    expect_row(&f, 4, "\xc3\xa9|3");
    cr_assert_eq(f.diags.count, 1);
    cr_assert_str_eq(f.diags.items[0].code, "V111");
    cr_assert_eq(f.diags.items[0].severity, STILE_WARNING);
    cr_assert_eq(f.diags.items[0].line, 3);
    end(&f);
}

/* Row 1 is the sheet's first line, empty or not; a bad one counts too. */
Test(format_csv, a_sheet_counts_rows_as_the_spreadsheet_does)
{
    struct stile_csv_limits limits = STILE_CSV_LIMITS;
    struct fixture f;
    limits.rows = 5;
    start(&f, &stile_csv_vcse, limits);
    feed(&f, "\na,b\n\nx\"y,1\nn,o\np,q\n");
    expect_row(&f, 2, "a|b");
    cr_assert_eq(pull(&f), STILE_INVALID);
    cr_assert_eq(f.diags.items[0].line, 4);
    expect_row(&f, 5, "n|o");
    cr_assert_eq(pull(&f), STILE_LIMIT);
    cr_assert_eq(f.diags.items[1].line, 6);
    end(&f);
}

/* Whatever the chunks, the outcome is the same. */
static void in_chunks(struct fixture *f, const char *text, size_t chunk)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len || at == 0; at += chunk) {
        size_t n = len - at < chunk ? len - at : chunk;
        while (pull(f) != STILE_END) {
        }
        cr_assert_eq(stile_csv_feed(f->csv, (struct stile_str){text + at, n},
                                    at + n >= len),
                     STILE_OK);
    }
}

Test(format_csv, row_bytes_at_the_limit_and_one_past)
{
    struct stile_csv_limits l = STILE_CSV_LIMITS;
    struct fixture f;
    l.row_bytes = 7;
    for (size_t chunk = 1; chunk < 40; chunk++) {
        start(&f, &stile_csv_rfc4180, l);
        in_chunks(&f, "a,b\r\n123,567\r\n123,5678\r\n1,2\r\n", chunk);
        size_t rows = 0;
        while (pull(&f) != STILE_END) {
            rows++;
        }
        cr_assert_eq(f.diags.count, 1, "chunk %zu", chunk);
        cr_assert_str_eq(f.diags.items[0].code, "V105");
        cr_assert_eq(f.diags.items[0].line, 2);
        cr_assert_eq(f.row, 3);
        end(&f);
    }
}

Test(format_csv, a_long_quoted_row_is_skipped_to_its_end)
{
    struct stile_csv_limits l = STILE_CSV_LIMITS;
    struct fixture f;
    l.row_bytes = 10;
    for (size_t chunk = 1; chunk < 60; chunk++) {
        start(&f, &stile_csv_rfc4180, l);
        in_chunks(&f,
                  "a,b\n1,\"x\nx,x\n\"\"x,\nx,x\nx,x\nx\"\"\"\n2,\"y\ny\"\n",
                  chunk);
        while (pull(&f) != STILE_END) {
        }
        cr_assert_eq(f.diags.count, 1, "chunk %zu", chunk);
        cr_assert_str_eq(f.diags.items[0].code, "V105");
        cr_assert_eq(f.diags.items[0].line, 1);
        cr_assert_eq(f.row, 2);
        cr_assert_eq(f.count, 2);
        end(&f);
    }
}

Test(format_csv, columns_at_the_limit_and_one_past)
{
    struct stile_csv_limits l = STILE_CSV_LIMITS;
    struct fixture f;
    l.columns = 3;
    start(&f, &stile_csv_rfc4180, l);
    feed(&f, "a,b,c\n1,2,3,\"x\ny\"\n1,2,3\n");
    expect_row(&f, 0, "a|b|c");
    expect_bad(&f, 1, "V106");
    expect_row(&f, 2, "1|2|3");
    end(&f);
}

Test(format_csv, rows_at_the_limit_and_one_past)
{
    struct stile_csv_limits l = STILE_CSV_LIMITS;
    struct fixture f;
    l.rows = 2;
    start(&f, &stile_csv_rfc4180, l);
    feed(&f, "a\n1\n");
    expect_row(&f, 0, "a");
    expect_row(&f, 1, "1");
    cr_assert_eq(pull(&f), STILE_END);
    end(&f);
    start(&f, &stile_csv_rfc4180, l);
    feed(&f, "a\n1\n2\n");
    expect_row(&f, 0, "a");
    expect_row(&f, 1, "1");
    cr_assert_eq(pull(&f), STILE_LIMIT);
    cr_assert_str_eq(f.diags.items[0].code, "V110");
    cr_assert_eq(pull(&f), STILE_LIMIT);
    cr_assert_eq(f.diags.count, 1);
    end(&f);
}

Test(format_csv, feeding_waits_for_pulling)
{
    struct stile_csv_limits l = STILE_CSV_LIMITS;
    struct fixture f;
    l.row_bytes = 8;
    start(&f, &stile_csv_rfc4180, l);
    cr_assert_eq(stile_csv_feed(f.csv, STILE_STR("a,b\n1,2\n3,4\n"), false),
                 STILE_OK);
    cr_assert_eq(stile_csv_feed(f.csv, STILE_STR("5,6\n"), false), STILE_LIMIT);
    while (pull(&f) != STILE_END) {
    }
    cr_assert_eq(stile_csv_feed(f.csv, STILE_STR("5,6\n"), true), STILE_OK);
    expect_row(&f, 3, "5|6");
    end(&f);
}

Test(format_csv, nothing_gives_nothing)
{
    struct fixture f;
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    cr_assert_eq(pull(&f), STILE_END);
    feed(&f, "");
    cr_assert_eq(pull(&f), STILE_END);
    end(&f);
    start(&f, &stile_csv_rfc4180, STILE_CSV_LIMITS);
    feed(&f, "\xef\xbb\xbf");
    cr_assert_eq(pull(&f), STILE_END);
    end(&f);
}

static void expect_written(const struct stile_csv_dialect *d,
                           const struct stile_str *cells, size_t count,
                           const char *text)
{
    struct stile_buf out;
    stile_buf_init(&out, 1000);
    stile_csv_write_row(&out, d, cells, count);
    cr_assert(stile_str_eqc(stile_buf_str(&out), text), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
}

Test(format_csv, writes_by_the_dialect)
{
    const struct stile_str cells[] = {STILE_STR("a"),    STILE_STR("b,\"c\""),
                                      STILE_STR(""),     STILE_STR_NULL,
                                      STILE_STR(" d"),   STILE_STR("e\nf"),
                                      STILE_STR("=1+1"), STILE_STR("-x")};
    expect_written(&stile_csv_rfc4180, cells, 8,
                   "a,\"b,\"\"c\"\"\",,,\" d\",\"e\nf\",=1+1,-x\r\n");
    expect_written(&stile_csv_emis, cells, 4,
                   "\"a\",\"b,\"\"c\"\"\",\"\",\"\"\n");
    expect_written(&stile_csv_vcse, cells + 6, 2, "'=1+1,'-x\r\n");
    expect_written(&stile_csv_rfc4180, cells + 2, 1, "\"\"\r\n");
}

Test(format_names, emis_file_names)
{
    static const struct {
        const char *name, *type, *batch, *table;
    } good[] = {
        {"bulk_12_CareRecord_Observation_20250301040506_"
         "45E7CD20-1111-4222-8333-0123456789AB.csv",
         "bulk", "12", "CareRecord_Observation"},
        {"deltaX_7_Admin_Patient_20250301040506_"
         "{45E7CD20-1111-4222-8333-0123456789AB}.csv",
         "deltaX", "7", "Admin_Patient"},
        {"291-295_Coding_DrugCode_20150211164536_"
         "45e7cd20-1111-4222-8333-0123456789ab.csv",
         "", "291-295", "Coding_DrugCode"},
    };
    static const char *const bad[] = {
        "",
        "bulk.csv",
        "bulk_12_CareRecord_Observation_20250301040506_45E7.csv",
        "bulk_12_CareRecord_Observation_20250231040506_"
        "45E7CD20-1111-4222-8333-0123456789AB.csv",
        "bulk_12_CareRecord_Observation_20250301240506_"
        "45E7CD20-1111-4222-8333-0123456789AB.csv",
        "bulk_x_CareRecord_Observation_20250301040506_"
        "45E7CD20-1111-4222-8333-0123456789AB.csv",
        "bulk_12_Care/Record_Observation_20250301040506_"
        "45E7CD20-1111-4222-8333-0123456789AB.csv",
        "a_bulk_12_CareRecord_Observation_20250301040506_"
        "45E7CD20-1111-4222-8333-0123456789AB.csv",
        "bulk_12_CareRecord_Observation_20250301040506_"
        "45E7CD20-1111-4222-8333-0123456789AB.csv.gpg",
        "12_CareRecord_Observation_20250301040506.csv",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct stile_emis_name n;
        cr_assert(stile_emis_name_parse(stile_str_cstr(good[i].name), &n), "%s",
                  good[i].name);
        cr_assert(stile_str_eqc(n.type, good[i].type));
        cr_assert(stile_str_eqc(n.batch, good[i].batch));
        cr_assert(stile_str_eqc(n.table, good[i].table));
        cr_assert_eq(n.stamp.len, 14);
        cr_assert_geq(n.agreement.len, 36);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct stile_emis_name n;
        cr_assert_not(stile_emis_name_parse(stile_str_cstr(bad[i]), &n), "%s",
                      bad[i]);
    }
}

Test(format_names, formats_by_name_and_media_type)
{
    cr_assert_str_eq(stile_format_find(STILE_STR("vcse-csv"))->name,
                     "vcse-csv");
    cr_assert_null(stile_format_find(STILE_STR("xml")));
    cr_assert_str_eq(
        stile_format_of_media(STILE_STR("Application/FHIR+json; charset=utf-8"))
            ->name,
        "fhir-json");
    cr_assert_str_eq(stile_format_of_media(STILE_STR("text/csv"))->name,
                     "vcse-csv");
    cr_assert_null(stile_format_of_media(STILE_STR("text/html")));
}

/* Room is asked for once a row; near the limit it is what the row takes. */
Test(format_csv, a_row_is_written_whole_or_not_at_all)
{
    const struct stile_str cells[] = {STILE_STR("a \"b\""), STILE_STR(""),
                                      STILE_STR("=1,5"), STILE_STR("plain")};
    const struct stile_csv_dialect *const all[] = {
        &stile_csv_rfc4180, &stile_csv_emis, &stile_csv_systmone,
        &stile_csv_vcse};
    for (size_t d = 0; d < 4; d++) {
        struct stile_buf out;
        stile_buf_init(&out, 1 << 10);
        stile_csv_write_row(&out, all[d], cells, 4);
        size_t need = out.len;
        struct stile_str whole =
            stile_str_cstr(d == 1 ? "\"a \"\"b\"\"\",\"\",\"=1,5\",\"plain\"\n"
                           : d == 3 ? "\"a \"\"b\"\"\",,\"'=1,5\",plain\r\n"
                                    : "\"a \"\"b\"\"\",,\"=1,5\",plain\r\n");
        cr_assert(stile_str_eq(stile_buf_str(&out), whole), "%.*s",
                  STILE_FMT(stile_buf_str(&out)));
        stile_buf_release(&out);
        for (size_t less = 0; less < 2; less++) {
            stile_buf_init(&out, need - less);
            stile_csv_write_row(&out, all[d], cells, 4);
            cr_assert_eq(out.status, less == 0 ? STILE_OK : STILE_LIMIT);
            cr_assert_eq(out.len, less == 0 ? need : 0);
            stile_buf_release(&out);
        }
    }
}

/* ---- a file larger than memory ---- */

struct pieces {
    struct stile_str rest;
    size_t piece, rows, bytes;
    bool broken;
};

static bool next_piece(void *ctx, struct stile_str *ret, bool *ret_last)
{
    struct pieces *p = ctx;
    *ret = stile_str_sub(p->rest, 0, p->piece);
    p->rest = stile_str_sub(p->rest, ret->len, SIZE_MAX);
    *ret_last = p->rest.len == 0;
    return !p->broken;
}

static enum stile_status next_row(void *ctx, const struct stile_row *row)
{
    struct pieces *p = ctx;
    p->rows++;
    cr_assert_eq(row->number, p->rows + (p->rows > 1 ? 1 : 0));
    for (size_t i = 0; i < row->count; i++) {
        p->bytes += row->cells[i].len;
    }
    return p->rows == 3 ? STILE_DENIED : STILE_OK;
}

Test(format_csv, a_table_is_read_a_piece_at_a_time)
{
    static const char text[] =
        "a,b\r\n1,\"x\ny\"\r\n2\r\n3,z\r\n4,w\r\n5,v\r\n";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct stile_arena *arena = stile_arena_new(1 << 20),
                           *other = stile_arena_new(1 << 20);
        struct stile_diags diags;
        struct stile_source tables = {
            STILE_STR("t.tables"),
            STILE_STR("family f 1\ntable t key a\n    a:s\n    b:s?\n")};
        struct pieces p = {.rest = stile_str_cstr(text), .piece = piece};
        struct stile_decoded decoded = {0};
        stile_diags_init(&diags, other, 0);
        struct stile_schema *schema = stile_schema_new(other);
        cr_assert_eq(stile_schema_add(schema, &tables, &diags), STILE_OK);
        struct stile_format_input input = {.name = STILE_STR("t.csv"),
                                           .schema = schema,
                                           .table = STILE_STR("t"),
                                           .csv = STILE_CSV_LIMITS,
                                           .more = next_piece,
                                           .each = next_row,
                                           .ctx = &p};
        const struct stile_format *csv = stile_format_find(STILE_STR("csv"));
        /* What `each` says ends it. */
        cr_assert_eq(csv->decode(&input, arena, &diags, &decoded),
                     STILE_DENIED);
        cr_expect_eq(p.rows, 3);
        cr_expect_eq(p.bytes, 4 + 2 + 2);
        cr_expect_eq(diags.errors, 1); /* the row with one cell */
        p = (struct pieces){
            .rest = stile_str_cstr(text), .piece = piece, .broken = true};
        cr_assert_eq(csv->decode(&input, arena, &diags, &decoded), STILE_IO);
        stile_arena_free(&arena);
        stile_arena_free(&other);
    }
}
