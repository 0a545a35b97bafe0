#include <criterion/criterion.h>

#include <stile/base.h>

static const char text[] = "map Patient\n"
                           "\tnaem = caf\xc3\xa9 + row.x\r\n"
                           "end";
static const struct stile_source source = {STILE_STR("maps/p.map"),
                                           STILE_STR(text)};
static struct stile_arena *arena;
static struct stile_diags diags;
static struct stile_buf out;

static void begin(void)
{
    arena = stile_arena_new(1 << 20);
    stile_diags_init(&diags, arena, 0);
    stile_buf_init(&out, 1 << 20);
}

static void end(void)
{
    stile_buf_release(&out);
    stile_arena_free(&arena);
}

TestSuite(base_diag, .init = begin, .fini = end);

static void check_printed(const char *want)
{
    stile_diags_print(&diags, false, &out);
    cr_assert(stile_str_eqc(stile_buf_str(&out), want), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
}

Test(base_diag, places)
{
    uint32_t line;
    uint32_t column;

    stile_source_place(&source, 0, &line, &column);
    cr_assert(line == 1 && column == 1);
    stile_source_place(&source, 11, &line, &column);
    cr_assert(line == 1 && column == 12, "the line feed ends its line");
    stile_source_place(&source, 13, &line, &column);
    cr_assert(line == 2 && column == 2);
    stile_source_place(&source, 9999, &line, &column);
    cr_assert(line == 3 && column == 4, "past the end is the end");
}

Test(base_diag, prints_line_caret_hint_and_second_place)
{
    struct stile_str names[] = {STILE_STR("name"), STILE_STR("gender")};
    struct stile_diag *diag = stile_diag_at_source(
        &diags, "M101", STILE_ERROR, &source, (struct stile_span){13, 4},
        "no element '%s'; use one of Patient's.", "naem");

    stile_diag_suggest(&diags, diag, STILE_STR("naem"), names, 2);
    stile_diag_second(diag, &source, (struct stile_span){4, 7});
    check_printed("maps/p.map:2:2: error[M101]: no element 'naem'; use one of "
                  "Patient's.\n"
                  "    2 | \tnaem = caf\xc3\xa9 + row.x\n"
                  "      | \t^^^^\n"
                  "      = see also maps/p.map:1:5\n"
                  "      = hint: did you mean 'name'?\n");
    cr_assert_eq(diags.errors, 1);
}

Test(base_diag, carets_count_characters_and_stop_at_the_line)
{
    struct stile_diag *diag =
        stile_diag_at_source(&diags, "M102", STILE_WARNING, &source,
                             (struct stile_span){20, 14}, "Look here.");

    cr_assert_eq(diag->caret_len, 13);
    check_printed("maps/p.map:2:9: warning[M102]: Look here.\n"
                  "    2 | \tnaem = caf\xc3\xa9 + row.x\n"
                  "      | \t       ^^^^^^^^^^^^\n");
    cr_assert_eq(diags.errors, 0);
}

Test(base_diag, end_of_text_has_one_caret)
{
    (void)stile_diag_at_source(&diags, "M103", STILE_NOTE, &source,
                               (struct stile_span){999, 0}, "Add '}'.");
    check_printed("maps/p.map:3:4: note[M103]: Add '}'.\n"
                  "    3 | end\n"
                  "      |    ^\n");
}

Test(base_diag, long_lines_are_cut_between_characters)
{
    char line[600];
    struct stile_source wide = {STILE_STR("w"), {line, sizeof line}};
    struct stile_diag *diag;

    for (size_t i = 0; i < sizeof line; i += 3) {
        memcpy(line + i, "\xe2\x82\xac", 3);
    }
    diag = stile_diag_at_source(&diags, "M104", STILE_ERROR, &wide,
                                (struct stile_span){300, 3}, "Far.");
    cr_assert_eq(diag->quoted.len, 198);
    cr_assert(stile_utf8_valid(diag->quoted));
    stile_diag_print(diag, true, &out);
    cr_assert_eq(stile_str_find(stile_buf_str(&out), '^'), SIZE_MAX);
}

Test(base_diag, control_bytes_are_not_printed)
{
    struct stile_source evil = {STILE_STR("e"), STILE_STR("a\033[2Jb")};

    (void)stile_diag_at_source(&diags, "M105", STILE_ERROR, &evil,
                               (struct stile_span){0, 1}, "Mend '\a'.");
    check_printed("e:1:1: error[M105]: Mend '?'.\n"
                  "    1 | a?[2Jb\n"
                  "      | ^\n");
}

Test(base_diag, records_have_row_and_path_and_no_quote)
{
    struct stile_diag *diag = stile_diag_at_record(
        &diags, "C003", STILE_ERROR, STILE_STR("Admin_Patient"), 12,
        STILE_STR("NHS_Number"), "Send ten digits.");

    cr_assert_null(diag->quoted.ptr);
    check_printed("Admin_Patient row 12, column NHS_Number: error[C003]: "
                  "Send ten digits.\n");
    diag = stile_diag_at_record(&diags, "C003", STILE_ERROR, STILE_STR("x"),
                                UINT64_MAX, STILE_STR(""), "Send less.");
    cr_assert_eq(diag->line, UINT32_MAX);
}

Test(base_diag, a_row_is_told_as_one_and_a_path_stays_a_path)
{
    struct stile_diag *diag =
        stile_diag_at_record(&diags, "C003", STILE_ERROR, STILE_STR("a.csv"), 2,
                             STILE_STR("Patient.name[0]"), "Mend it.");
    diag = stile_diag_at_record(&diags, "C004", STILE_ERROR, STILE_STR("a.csv"),
                                3, STILE_STR_NULL, "Mend it.");
    diag->column = 4;
    (void)stile_diag_at_record(&diags, "C005", STILE_NOTE, STILE_STR("a.csv"),
                               0, STILE_STR("share"), "Add it.");
    check_printed("a.csv row 2: error[C003]: Mend it.\n"
                  "      = at Patient.name[0]\n"
                  "a.csv row 3, cell 4: error[C004]: Mend it.\n"
                  "a.csv: note[C005]: Add it.\n"
                  "      = at share\n");
}

Test(base_diag, limit_and_one_past)
{
    stile_diags_init(&diags, arena, 9);
    for (int i = 0; i < 9; i++) {
        cr_assert_not_null(stile_diag_at_record(&diags, "C001", STILE_ERROR,
                                                STILE_STR("m"), 1,
                                                STILE_STR("p"), "Mend it."));
    }
    cr_assert_eq(diags.suppressed, 0);
    cr_assert_null(stile_diag_at_source(&diags, "M101", STILE_ERROR, &source,
                                        (struct stile_span){0, 1}, "No."));
    cr_assert_null(stile_diag_at_record(&diags, "C001", STILE_WARNING,
                                        STILE_STR("m"), 1, STILE_STR("p"),
                                        "Mend it."));
    cr_assert_eq(diags.count, 9);
    cr_assert_eq(diags.suppressed, 2);
    cr_assert_eq(diags.errors, 10, "suppressed errors are errors");
    stile_diags_print(&diags, false, &out);
    cr_assert(
        stile_str_ends(stile_buf_str(&out), STILE_STR("2 more not shown\n")));
}

Test(base_diag, a_full_arena_still_counts)
{
    struct stile_arena *small = stile_arena_new(64);

    stile_diags_init(&diags, small, 0);
    cr_assert_null(stile_diag_at_source(&diags, "M101", STILE_ERROR, &source,
                                        (struct stile_span){0, 1}, "No."));
    cr_assert_eq(diags.errors, 1);
    cr_assert_eq(diags.suppressed, 1);
    stile_arena_free(&small);
}

Test(base_diag, suppressed_findings_take_no_hint)
{
    struct stile_str name = STILE_STR("name");

    stile_diag_suggest(&diags, NULL, name, &name, 1);
    stile_diag_second(NULL, &source, (struct stile_span){0, 1});
    stile_diags_json(&diags, &out);
    cr_assert(stile_str_eqc(stile_buf_str(&out), "[]"));
}

Test(base_diag, json)
{
    struct stile_diag *diag =
        stile_diag_at_source(&diags, "M101", STILE_ERROR, &source,
                             (struct stile_span){4, 7}, "Say \"%s\".", "x");

    diag->hint = STILE_STR("h");
    (void)stile_diag_at_record(&diags, "C003", STILE_WARNING, STILE_STR("f"),
                               12, STILE_STR("A.b"), "Mend it.");
    stile_diags_json(&diags, &out);
    cr_assert(
        stile_str_eqc(stile_buf_str(&out),
                      "[{\"code\":\"M101\",\"severity\":\"error\",\"file\":"
                      "\"maps/p.map\",\"line\":1,\"column\":5,\"message\":"
                      "\"Say \\\"x\\\".\",\"hint\":\"h\",\"path\":\"\"},"
                      "{\"code\":\"C003\",\"severity\":\"warning\",\"file\":"
                      "\"f\",\"line\":12,\"column\":0,\"message\":\"Mend it."
                      "\",\"hint\":\"\",\"path\":\"A.b\"}]"),
        "%.*s", STILE_FMT(stile_buf_str(&out)));
}

Test(base_diag, colours_close)
{
    struct stile_diag *diag = stile_diag_at_source(
        &diags, "M101", STILE_ERROR, &source, (struct stile_span){0, 3}, "No.");

    stile_diag_print(diag, true, &out);
    cr_assert(stile_str_eqc(stile_buf_str(&out),
                            "maps/p.map:1:1: \033[1;31merror[M101]\033[0m: "
                            "No.\n"
                            "    1 | map Patient\n"
                            "      | \033[1;31m^^^\033[0m\n"));
}
