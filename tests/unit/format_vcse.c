/* The VCSE makers and csv, over readable files in tests/golden/format: each
 * input has a .rows file of the rows, findings and count it gives. */
#include <criterion/criterion.h>

#include <stile/format.h>

struct fixture {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_schema *schema;
    struct stile_decoded decoded;
};

static struct stile_str slurp(struct fixture *f, const char *folder,
                              const char *name)
{
    struct stile_buf text;
    char path[512];
    char part[4096];
    size_t n = 0;
    stile_buf_init(&text, 8u << 20);
    snprintf(path, sizeof path, "%s/%s/%s", STILE_SOURCE_DIR, folder, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    while ((n = fread(part, 1, sizeof part, file)) > 0) {
        stile_buf_add(&text, (struct stile_str){part, n});
    }
    fclose(file);
    struct stile_str kept = stile_arena_str(f->arena, stile_buf_str(&text));
    stile_buf_release(&text);
    return kept;
}

static struct stile_str golden(struct fixture *f, const char *name)
{
    return slurp(f, "tests/golden/format", name);
}

static void start(struct fixture *f)
{
    static const char *const names[] = {"vcse-case-0.1.tables",
                                        "emis-8.2.tables", "emis-7.0.tables"};
    stile_format_setup();
    f->arena = stile_arena_new(64u << 20);
    f->decoded = (struct stile_decoded){0};
    stile_diags_init(&f->diags, f->arena, 0);
    f->schema = stile_schema_new(f->arena);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct stile_source source = {stile_str_cstr(names[i]),
                                      slurp(f, "mappings/formats", names[i])};
        cr_assert_eq(stile_schema_add(f->schema, &source, &f->diags), STILE_OK);
    }
}

static void end(struct fixture *f)
{
    stile_arena_free(&f->arena);
}

static enum stile_status decode(struct fixture *f, const char *format,
                                const char *table, struct stile_str bytes)
{
    struct stile_format_input in = {.bytes = bytes,
                                    .name = STILE_STR("in"),
                                    .schema = f->schema,
                                    .table = stile_str_cstr(table)};
    return stile_format_find(stile_str_cstr(format))
        ->decode(&in, f->arena, &f->diags, &f->decoded);
}

static void print_rows(const struct fixture *f, struct stile_buf *out)
{
    static const char *const severities[] = {"error", "warning", "note"};
    for (size_t i = 0; i < f->decoded.row_count; i++) {
        const struct stile_row *r = &f->decoded.rows[i];
        stile_buf_printf(out, "%.*s %u", STILE_FMT(r->table),
                         (unsigned)r->number);
        for (size_t k = 0; k < r->count; k++) {
            if (r->cells[k].len == 0) {
                continue;
            }
            stile_buf_printf(out, " %.*s=", STILE_FMT(r->columns[k]));
            for (size_t c = 0; c < r->cells[k].len; c++) {
                if (r->cells[k].ptr[c] == '\n') {
                    stile_buf_addc(out, "\\n");
                } else {
                    stile_buf_byte(out, r->cells[k].ptr[c]);
                }
            }
        }
        stile_buf_byte(out, '\n');
    }
    for (size_t i = 0; i < f->diags.count; i++) {
        const struct stile_diag *d = &f->diags.items[i];
        stile_buf_printf(out, "%s %s %u %.*s\n", d->code,
                         severities[d->severity], d->line, STILE_FMT(d->path));
    }
    stile_buf_printf(out, "bad %zu\n", f->decoded.bad_rows);
}

static void expect_rows(struct fixture *f, const char *name)
{
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    print_rows(f, &out);
    cr_assert(stile_str_eq(stile_buf_str(&out), golden(f, name)),
              "%s, got:\n%.*s", name, STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
}

static enum stile_status encode(struct fixture *f, const char *format,
                                struct stile_buf *out)
{
    return stile_format_find(stile_str_cstr(format))
        ->encode(&f->decoded, f->schema, STILE_STR("2025-03-02T00:00:00Z"), out,
                 &f->diags);
}

static void expect_encoded(struct fixture *f, const char *format,
                           struct stile_str expected)
{
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    cr_assert_eq(encode(f, format, &out), STILE_OK);
    cr_assert(stile_str_eq(stile_str_trim(stile_buf_str(&out)),
                           stile_str_trim(expected)),
              "got:\n%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
}

static void refuse_encoding(struct fixture *f, const char *code)
{
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    f->diags.count = 0;
    cr_assert_eq(encode(f, "vcse-json", &out), STILE_INVALID);
    cr_assert_eq(out.len, 0);
    cr_assert_str_eq(f->diags.items[0].code, code);
    stile_buf_release(&out);
}

Test(format_vcse, json_case)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-json", "", golden(&f, "vcse_case.json")),
                 STILE_OK);
    cr_assert(stile_str_eqc(f.decoded.exported_at, "2025-03-01T09:00:00Z"));
    expect_rows(&f, "vcse_case.rows");
    struct stile_str out = golden(&f, "vcse_case.out.json");
    expect_encoded(&f, "vcse-json", out);
    /* What was written reads as the same, without a finding but the column
     * that stays unknown. */
    f.diags.count = 0;
    cr_assert_eq(decode(&f, "vcse-json", "", out), STILE_OK);
    cr_assert_eq(f.diags.count, 1);
    expect_encoded(&f, "vcse-json", out);
    end(&f);
}

Test(format_vcse, json_faults_are_told_and_harm_only_their_rows)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-json", "", golden(&f, "vcse_bad.json")),
                 STILE_OK);
    expect_rows(&f, "vcse_bad.rows");
    end(&f);
}

Test(format_vcse, json_rows_shared_by_cases)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-json", "", golden(&f, "vcse_shared.json")),
                 STILE_OK);
    expect_rows(&f, "vcse_shared.rows");
    expect_encoded(&f, "vcse-json", golden(&f, "vcse_shared.out.json"));
    end(&f);
}

Test(format_vcse, json_takes_a_mark_of_byte_order)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-json", "",
                        STILE_STR("\xef\xbb\xbf{\"format\":\"vcse-case/0.1\","
                                  "\"person\":{\"person_ref\":\"P\"}}")),
                 STILE_OK);
    cr_assert_eq(f.decoded.row_count, 1);
    end(&f);
}

Test(format_vcse, json_without_rows_is_refused)
{
    static const char *const texts[] = {
        "[]", "{}", "3", "{\"format\":\"vcse-case/0.1\"}",
        "[{\"format\":\"vcse-case/0.1\",\"contact\":[]}]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fixture f;
        start(&f);
        cr_assert_eq(decode(&f, "vcse-json", "", stile_str_cstr(texts[i])),
                     STILE_INVALID);
        cr_assert_eq(f.diags.errors, 1);
        end(&f);
    }
}

/* ---- rows made by hand ---- */

static void add_row(struct fixture *f, struct stile_row *rows,
                    const char *table, const char *pairs)
{
    const struct stile_table *t =
        stile_schema_table(f->schema, STILE_STR("vcse-case"), STILE_STR(""),
                           stile_str_cstr(table));
    struct stile_str *cells =
        stile_arena_array(f->arena, t->count, sizeof *cells);
    struct stile_str rest = stile_str_cstr(pairs);
    struct stile_str pair;
    while (stile_str_next(&rest, ' ', &pair)) {
        size_t cut = stile_str_find(pair, '=');
        uint32_t at = stile_table_column(t, stile_str_sub(pair, 0, cut));
        cells[at] = stile_str_sub(pair, cut + 1, pair.len - cut - 1);
    }
    rows[f->decoded.row_count++] =
        (struct stile_row){.table = t->name,
                           .columns = t->column_names,
                           .cells = cells,
                           .count = t->count};
    f->decoded.rows = rows;
}

Test(format_vcse, a_row_never_lands_in_another_case)
{
    static const struct {
        const char *table, *pairs, *code;
    } stray[] = {
        {"contact", "contact_ref=K1 case_ref=C9", "V209"},
        {"contact", "contact_ref=K1", "V209"},
        {"need", "need_ref=N1 plan_ref=L9", "V209"},
        {"goal", "goal_ref=G1 need_ref=N9", "V209"},
        {"risk", "person_ref=P9 kind=none-known", "V209"},
        {"risk", "kind=none-known", "V209"},
        {"person", "person_ref=P1 given_name=Other", "V208"},
        {"case", "case_ref=C1 person_ref=P2", "V208"},
        {"plan", "plan_ref=L1 case_ref=C2", "V208"},
    };
    for (size_t i = 0; i < sizeof stray / sizeof stray[0]; i++) {
        struct fixture f;
        struct stile_row rows[8];
        start(&f);
        add_row(&f, rows, "person", "person_ref=P1");
        add_row(&f, rows, "person", "person_ref=P2");
        add_row(&f, rows, "case", "case_ref=C1 person_ref=P1");
        add_row(&f, rows, "case", "case_ref=C2 person_ref=P2");
        add_row(&f, rows, "plan", "plan_ref=L1 case_ref=C1");
        add_row(&f, rows, stray[i].table, stray[i].pairs);
        refuse_encoding(&f, stray[i].code);
        end(&f);
    }
}

Test(format_vcse, rows_find_their_case_by_any_chain)
{
    struct fixture f;
    struct stile_row rows[16];
    start(&f);
    add_row(&f, rows, "goal", "goal_ref=A1 need_ref=N1 text=x");
    add_row(&f, rows, "need", "need_ref=N1 plan_ref=L1");
    add_row(&f, rows, "group", "group_ref=G1");
    add_row(&f, rows, "group", "group_ref=G2");
    add_row(&f, rows, "plan", "plan_ref=L1 case_ref=C2");
    add_row(&f, rows, "case", "case_ref=C1 person_ref=P1");
    add_row(&f, rows, "case", "case_ref=C2 person_ref=P2");
    add_row(&f, rows, "contact", "contact_ref=K1 case_ref=C2 group_ref=G1");
    add_row(&f, rows, "risk", "person_ref=P1 kind=to-self");
    expect_encoded(
        &f, "vcse-json",
        STILE_STR(
            "[{\"format\":\"vcse-case/0.1\",\"exported_at\":"
            "\"2025-03-02T00:00:00Z\",\"case\":{\"case_ref\":\"C1\","
            "\"person_ref\":\"P1\"},\"risk\":[{\"person_ref\":\"P1\","
            "\"kind\":\"to-self\"}]},{\"format\":\"vcse-case/0.1\","
            "\"exported_at\":\"2025-03-02T00:00:00Z\",\"case\":{"
            "\"case_ref\":\"C2\",\"person_ref\":\"P2\"},\"contact\":[{"
            "\"contact_ref\":\"K1\",\"case_ref\":\"C2\",\"group_ref\":"
            "\"G1\"}],\"plan\":[{\"plan_ref\":\"L1\",\"case_ref\":\"C2\"}],"
            "\"need\":[{\"need_ref\":\"N1\",\"plan_ref\":\"L1\"}],\"goal\":[{"
            "\"goal_ref\":\"A1\",\"need_ref\":\"N1\",\"text\":\"x\"}],"
            "\"group\":[{\"group_ref\":\"G1\"}]}]"));
    /* The group no contact names is told. */
    cr_assert_eq(f.diags.count, 1);
    cr_assert_str_eq(f.diags.items[0].code, "V212");
    end(&f);
}

Test(format_vcse, json_refuses_rows_of_other_tables)
{
    struct fixture f;
    struct stile_row rows[2];
    start(&f);
    add_row(&f, rows, "cases", "case_ref=C1");
    refuse_encoding(&f, "V211");
    f.decoded.row_count = 0;
    refuse_encoding(&f, "V209");
    end(&f);
}

/* ---- sheets ---- */

Test(format_vcse, sheet_is_repaired_and_every_repair_told)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-csv", "", golden(&f, "vcse_sheet.csv")),
                 STILE_OK);
    expect_rows(&f, "vcse_sheet.rows");
    end(&f);
}

Test(format_vcse, sheet_reads_again_as_it_was_written)
{
    struct fixture f;
    struct stile_buf out;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-csv", "", golden(&f, "vcse_sheet.csv")),
                 STILE_OK);
    stile_buf_init(&out, 1 << 20);
    cr_assert_eq(encode(&f, "vcse-csv", &out), STILE_OK);
    struct stile_decoded first = f.decoded;
    cr_assert_eq(decode(&f, "vcse-csv", "", stile_buf_str(&out)), STILE_OK);
    cr_assert_eq(f.decoded.row_count, first.row_count);
    cr_assert_eq(f.decoded.bad_rows, 0);
    for (size_t i = 0; i < first.row_count; i++) {
        for (size_t k = 0; k < first.rows[i].count; k++) {
            cr_assert(stile_str_eq(first.rows[i].cells[k],
                                   f.decoded.rows[i].cells[k]));
        }
    }
    stile_buf_release(&out);
    end(&f);
}

Test(format_vcse, sheet_in_windows_1252)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-csv", "",
                        STILE_STR("case_ref,person_ref,family_name\r\n"
                                  "C1,P1,Zo\xeb\r\n")),
                 STILE_OK);
    cr_assert_eq(f.decoded.row_count, 1);
    cr_assert(stile_str_eqc(
        stile_row_get(&f.decoded.rows[0], STILE_STR("family_name")),
        "Zo\xc3\xab"));
    end(&f);
}

Test(format_vcse, sheet_without_its_key_or_header_is_refused)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-csv", "", STILE_STR("")), STILE_INVALID);
    cr_assert_str_eq(f.diags.items[0].code, "V120");
    cr_assert_eq(decode(&f, "vcse-csv", "", STILE_STR("family_name\nX\n")),
                 STILE_INVALID);
    cr_assert_eq(f.diags.errors, 2);
    bool key = false;
    for (size_t i = 0; i < f.diags.count; i++) {
        key = key || (strcmp(f.diags.items[i].code, "D102") == 0 &&
                      stile_str_eqc(f.diags.items[i].path, "case_ref"));
    }
    cr_assert(key);
    end(&f);
}

/* A sheet of these columns. */
static void decode_sheet(struct fixture *f, const char *header,
                         const char *rows, stile_time now)
{
    struct stile_format_input in = {
        .bytes = stile_arena_printf(f->arena, "%s\r\n%s", header, rows),
        .name = STILE_STR("in"),
        .schema = f->schema,
        .now = now};
    cr_assert_eq(stile_format_find(STILE_STR("vcse-csv"))
                     ->decode(&in, f->arena, &f->diags, &f->decoded),
                 STILE_OK);
}

/* A code at a row, with a column or without. */
static const struct stile_diag *finding_at(const struct fixture *f,
                                           const char *code, uint32_t row,
                                           const char *column)
{
    for (size_t i = 0; i < f->diags.count; i++) {
        const struct stile_diag *d = &f->diags.items[i];
        if (strcmp(d->code, code) == 0 && d->line == row &&
            stile_str_eqc(d->path, column)) {
            return d;
        }
    }
    cr_assert_fail("no %s at row %u, %s", code, (unsigned)row, column);
    return NULL;
}

static bool says(const struct stile_diag *d, const char *text)
{
    return stile_str_find_str(d->message, stile_str_cstr(text)) != SIZE_MAX;
}

Test(format_vcse, a_row_without_its_references_is_refused)
{
    struct fixture f;
    start(&f);
    decode_sheet(&f, "case_ref,person_ref",
                 "3.26E+09,P1\r\nC2,1.00E+03\r\n,P3\r\nC4, \xc2\xa0\r\n"
                 "3E10,P5\r\n'0012,P6\r\n",
                 0);
    cr_assert_eq(f.decoded.bad_rows, 4);
    cr_assert_eq(f.decoded.row_count, 2);
    finding_at(&f, "V304", 2, "case_ref");
    finding_at(&f, "V304", 3, "person_ref");
    finding_at(&f, "V316", 4, "case_ref");
    finding_at(&f, "V316", 5, "person_ref");
    cr_assert_eq(f.decoded.rows[0].number, 6);
    cr_assert(stile_str_eqc(
        stile_row_get(&f.decoded.rows[1], STILE_STR("case_ref")), "0012"));
    end(&f);
}

Test(format_vcse, a_case_ref_stands_once_and_a_number_has_one_person)
{
    struct fixture f;
    start(&f);
    decode_sheet(&f, "case_ref,person_ref,nhs_number,source",
                 "C1,P1,9990000018,A1\r\nC1,P1,9990000018,B1\r\n"
                 "C3,P3,9990000026,A1\r\nC4,P4,999 000 0026,A1\r\n"
                 "C5,P3,9990000026,A1\r\nC6,P6,,A1\r\nC7,P7,,A1\r\n",
                 0);
    cr_assert_eq(f.decoded.bad_rows, 4);
    cr_assert_eq(f.decoded.row_count, 3);
    cr_assert_eq(f.decoded.rows[0].number, 2);
    cr_assert_eq(f.decoded.rows[1].number, 7);
    cr_assert_eq(f.decoded.rows[2].number, 8);
    cr_assert(says(finding_at(&f, "V317", 3, "case_ref"), "row 2"));
    cr_assert(says(finding_at(&f, "V319", 4, "nhs_number"), "row 5"));
    cr_assert(says(finding_at(&f, "V319", 5, "nhs_number"), "row 4"));
    cr_assert(says(finding_at(&f, "V319", 6, "nhs_number"), "row 5"));
    cr_assert_eq(f.diags.errors, 4);
    end(&f);
}

/* An empty cell says nothing; what differs is every row's of that person. */
Test(format_vcse, rows_of_a_person_say_the_same)
{
    struct fixture f;
    start(&f);
    decode_sheet(&f, "case_ref,person_ref,family_name,birth_date,postcode",
                 "C1,P1,Fixture,1984-11-23,ZZ99 1AA\r\n"
                 "C2,P1,Fixture,1984-11-23,\r\n"
                 "C3,P2,Fixture,1984-11-23,\r\n"
                 "C4,P2,,1984-11-24,\r\n"
                 "C5,P2,Fixture,,\r\n"
                 "C6,P3,Mock,,\r\nC7,P3,mock,,\r\n",
                 0);
    cr_assert_eq(f.decoded.bad_rows, 5);
    cr_assert_eq(f.decoded.row_count, 2);
    cr_assert_eq(f.decoded.rows[1].number, 3);
    cr_assert(says(finding_at(&f, "V326", 4, "birth_date"), "row 5"));
    cr_assert(says(finding_at(&f, "V326", 5, "birth_date"), "row 4"));
    cr_assert(says(finding_at(&f, "V326", 6, "birth_date"), "row 5"));
    cr_assert(says(finding_at(&f, "V326", 7, "family_name"), "row 8"));
    cr_assert(says(finding_at(&f, "V326", 8, "family_name"), "row 7"));
    end(&f);
}

/* The key is all of its columns, and the first row of one stays. */
Test(format_vcse, a_key_stands_once_in_a_table)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(
        decode(
            &f, "vcse-json", "",
            STILE_STR("{\"format\":\"vcse-case/0.1\","
                      "\"case\":{\"case_ref\":\"C1\"},"
                      "\"contact\":[{\"contact_ref\":\"K1\",\"note\":\"a\"},"
                      "{\"contact_ref\":\"K2\"},"
                      "{\"contact_ref\":\"K1\",\"note\":\"b\"}],"
                      "\"outcome\":[{\"at\":\"2026-01-01 10:00\",\"tool\":"
                      "\"phq9\",\"item\":\"1\"},{\"at\":\"2026-01-01 10:00\","
                      "\"tool\":\"phq9\",\"item\":\"2\"}]}")),
        STILE_OK);
    cr_assert_eq(f.decoded.bad_rows, 1);
    cr_assert_eq(f.decoded.row_count, 5);
    finding_at(&f, "V213", 3, "contact");
    cr_assert_eq(f.diags.errors, 1);
    cr_assert(stile_str_eqc(
        stile_row_get(&f.decoded.rows[1], STILE_STR("note")), "a"));
    end(&f);
}

Test(format_vcse, nobody_is_born_tomorrow)
{
    struct fixture f;
    stile_time now = 0;
    start(&f);
    /* 23:30 in UTC is the next day in London's summer. */
    cr_assert(stile_time_parse(STILE_STR("2026-06-30T23:30:00Z"), &now));
    decode_sheet(&f, "case_ref,person_ref,birth_date",
                 "C2,P2,2026-07-01\r\nC3,P3,2026-07-02\r\n"
                 "C4,P4,1880-01-01\r\nC5,P5,1879-12-31\r\n"
                 "C6,P6,60000\r\nC7,P7,60001\r\nC8,P8,25/12/2026\r\n",
                 now);
    cr_assert_eq(f.decoded.row_count, 2);
    finding_at(&f, "V318", 3, "birth_date");
    finding_at(&f, "V318", 5, "birth_date");
    finding_at(&f, "V318", 6, "birth_date");
    finding_at(&f, "V307", 7, "birth_date");
    finding_at(&f, "V318", 8, "birth_date");
    /* Without a clock the year 2100 is the last, and day numbers end. */
    decode_sheet(&f, "case_ref,person_ref,birth_date",
                 "C2,P2,2100-12-31\r\nC3,P3,2101-01-01\r\n"
                 "C4,P4,60000\r\nC5,P5,60001\r\n",
                 0);
    cr_assert_eq(f.decoded.row_count, 2);
    cr_assert_eq(f.decoded.bad_rows, 2);
    end(&f);
}

Test(format_vcse, what_a_spreadsheet_puts_round_a_number_is_removed)
{
    static const char *const cells[] = {"9990000018.0",
                                        "'9990000018",
                                        "\xe2\x80\x99"
                                        "9990000018",
                                        "=\"9990000018\"",
                                        "\"=\"\"9990000018\"\"\"",
                                        "\xc2\xa0"
                                        "999\xc2\xa0"
                                        "0000018 \xc2\xa0"};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct fixture f;
        char rows[128];
        start(&f);
        snprintf(rows, sizeof rows, "C1,P1,%s\r\n", cells[i]);
        decode_sheet(&f, "case_ref,person_ref,nhs_number", rows, 0);
        cr_assert_eq(f.decoded.row_count, 1, "%s", cells[i]);
        cr_assert(stile_str_eqc(stile_row_get(&f.decoded.rows[0],
                                              STILE_STR("nhs_number")),
                                "9990000018"),
                  "%s", cells[i]);
        cr_assert_eq(f.diags.errors, 0);
        finding_at(&f, i < 5 ? "V325" : "V302", 2, "nhs_number");
        end(&f);
    }
}

Test(format_vcse, a_formula_with_a_quote_inside_is_a_broken_row)
{
    struct fixture f;
    start(&f);
    decode_sheet(&f, "case_ref,person_ref",
                 "=\"C1\",P1\r\n=\"C\"\"2\",P2\r\n=\"C3,P3\r\n"
                 "C4,=\"P4\"",
                 0);
    cr_assert_eq(f.decoded.row_count, 2);
    cr_assert_eq(f.decoded.bad_rows, 2);
    finding_at(&f, "V102", 3, "");
    finding_at(&f, "V102", 4, "");
    end(&f);
}

Test(format_vcse, no_sheet_with_commas_is_one_plain_error)
{
    static const char cut[] = "\xff\xfe"
                              "c\0a\0";
    static const char bare[] = "c\0a\0s\0e\0";
    static const struct {
        struct stile_str bytes;
        const char *code;
        uint32_t row;
    } wrong[] = {
        {STILE_STR("case_ref;person_ref\r\nC1;P1\r\n"), "V323", 1},
        {STILE_STR("\xef\xbb\xbf\"case_ref\";\"person_ref\"\r\n"), "V323", 1},
        {STILE_STR("\ncase_ref\tperson_ref\nC1\tP1\n"), "V324", 2},
        {STILE_STR("sep=,\r\ncase_ref,person_ref\r\n"), "V322", 1},
        {STILE_STR("Sep=;\r\ncase_ref;person_ref\r\n"), "V322", 1},
        {STILE_STR("PK\x03\x04rest"), "V321", 0},
        {{cut, sizeof cut - 1}, "V320", 0},
        {{bare, sizeof bare - 1}, "V320", 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fixture f;
        start(&f);
        cr_assert_eq(decode(&f, "vcse-csv", "", wrong[i].bytes), STILE_INVALID,
                     "%zu", i);
        cr_assert_eq(f.diags.count, 1, "%zu", i);
        cr_assert_str_eq(f.diags.items[0].code, wrong[i].code);
        cr_assert_eq(f.diags.items[0].line, wrong[i].row);
        end(&f);
    }
}

Test(format_vcse, a_sheet_needs_its_person_column)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "vcse-csv", "", STILE_STR("case_ref\nC1\nC2\n")),
                 STILE_INVALID);
    finding_at(&f, "V316", 1, "person_ref");
    cr_assert_eq(f.diags.errors, 1);
    end(&f);
}

Test(format_vcse, empty_sheet_is_its_header)
{
    struct fixture f;
    start(&f);
    expect_encoded(&f, "vcse-csv",
                   STILE_STR("person_ref,nhs_number,given_name,family_name,"
                             "birth_date,postcode,gp_practice_code,case_ref,"
                             "service_name,first_ask_at,received_at,source,"
                             "reason_text,status,status_at,share"));
    end(&f);
}

/* ---- csv of any table ---- */

Test(format_table, binds_old_names_and_keeps_unknown_columns)
{
    struct fixture f;
    start(&f);
    struct stile_str text = STILE_STR(
        "\"CodeId\",\"Term\",\"Later\",\"ProcessingId\",\"ParentCodeId\"\n"
        "\"1\",\"a \"\"b\"\"\",\"x\",\"7\",\"2\"\n"
        "\"1\",\"short\"\n");
    cr_assert_eq(decode(&f, "csv", "Coding_ClinicalCode", text), STILE_OK);
    cr_assert_eq(f.decoded.row_count, 1);
    cr_assert_eq(f.decoded.bad_rows, 1);
    const struct stile_row *r = &f.decoded.rows[0];
    cr_assert_eq(r->count, 12);
    cr_assert(stile_str_eqc(stile_row_get(r, STILE_STR("Later")), "x"));
    cr_assert(stile_str_eqc(stile_row_get(r, STILE_STR("Term")), "a \"b\""));
    cr_assert(stile_str_eqc(stile_row_get(r, STILE_STR("ParentCodeID")), "2"));
    cr_assert_null(stile_row_get(r, STILE_STR("NationalCode")).ptr);
    struct stile_buf out;
    stile_buf_init(&out, 10000);
    cr_assert_eq(encode(&f, "csv", &out), STILE_OK);
    cr_assert(stile_str_starts(stile_buf_str(&out), STILE_STR("\"CodeId\"")));
    cr_assert(stile_str_ends(stile_buf_str(&out), STILE_STR(",\"x\"\n")));
    stile_buf_release(&out);
    end(&f);
}

Test(format_table, an_unknown_table_is_told)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, "csv", "Nothing", STILE_STR("a,b\n1,2\n")),
                 STILE_NOT_FOUND);
    cr_assert_str_eq(f.diags.items[0].code, "D104");
    end(&f);
}

Test(format_table, one_file_holds_one_table)
{
    struct fixture f;
    struct stile_row rows[2];
    struct stile_buf out;
    start(&f);
    add_row(&f, rows, "risk", "person_ref=P1 kind=to-self");
    add_row(&f, rows, "group", "group_ref=G1");
    stile_buf_init(&out, 1000);
    cr_assert_eq(encode(&f, "csv", &out), STILE_INVALID);
    cr_assert_str_eq(f.diags.items[0].code, "V130");
    cr_assert_eq(out.len, 0);
    stile_buf_release(&out);
    end(&f);
}
