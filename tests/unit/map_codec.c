/* Codecs one by one: both ways, at their limits and one past. */
#include "map_world.h"

struct one {
    const char *codec;
    const char *cells[2];
    const char *value; /* NULL: absent; "T101": the code */
    const char *back[2];
};

static bool is_code(const char *s)
{
    return s != NULL && s[0] == 'T' && strlen(s) == 4 && s[1] >= '0' &&
           s[1] <= '9';
}

static struct stile_str str(const char *s)
{
    return s != NULL ? stile_str_cstr(s) : STILE_STR_NULL;
}

static void run(const struct one *t, const struct stile__codec_use *use)
{
    struct stile_arena *arena = stile_arena_new(1 << 20);
    size_t count = use->codec->least;
    struct stile_str cells[2] = {str(t->cells[0]), str(t->cells[1])};
    struct stile__codec_io io = {
        .arena = arena, .cells = cells, .count = count};
    enum stile__run_code code = stile__codec_right(use, &io);
    const char *in = t->cells[0] != NULL ? t->cells[0] : "";
    if (is_code(t->value)) {
        cr_expect(code != RUN_NONE &&
                      strcmp(stile__run_code_name(code), t->value) == 0,
                  "%s '%s'", t->codec, in);
        stile_arena_free(&arena);
        return;
    }
    cr_expect_eq(code, RUN_NONE, "%s '%s'", t->codec, in);
    cr_expect(stile_str_eq(io.value, str(t->value)), "%s '%s' -> '%.*s'",
              t->codec, in, STILE_FMT(io.value));
    code = stile__codec_left(use, &io);
    cr_expect_eq(code, RUN_NONE, "%s back of '%s'", t->codec, in);
    for (size_t i = 0; i < count; i++) {
        const char *want = t->back[i] != NULL ? t->back[i] : t->cells[i];
        cr_expect(stile_str_eq(io.cells[i], str(want)),
                  "%s '%s' comes back as '%.*s'", t->codec, in,
                  STILE_FMT(io.cells[i]));
    }
    stile_arena_free(&arena);
}

static struct stile__codec_use use_of(const char *codec, uint32_t fits)
{
    struct stile__codec_use use = {.codec =
                                       stile__codec_find(stile_str_cstr(codec)),
                                   .fits = fits,
                                   .lo = INT32_MIN,
                                   .hi = INT32_MAX,
                                   .braces = true};
    cr_assert_not_null(use.codec, "%s", codec);
    return use;
}

static void run_all(const struct one *tests, size_t count, uint32_t fits)
{
    for (size_t i = 0; i < count; i++) {
        struct stile__codec_use use = use_of(tests[i].codec, fits);
        run(&tests[i], &use);
    }
}

#define RUN(tests, fits) run_all(tests, sizeof tests / sizeof tests[0], fits)

Test(map_codec, text_and_numbers)
{
    static const struct one tests[] = {
        {"text", {" a, \"b\"\n=1+1"}, " a, \"b\"\n=1+1", {NULL}},
        {"text", {"   "}, NULL, {""}},
        {"text", {"a\x01"}, "a ", {"a "}},
        {"code", {"  a   b "}, "a b", {"a b"}},
        {"bool", {"TRUE"}, "true", {"true"}},
        {"bool", {"0"}, "false", {"false"}},
        {"bool", {"maybe"}, "T106", {NULL}},
        {"yes-no", {"yes"}, "true", {"Y"}},
        {"yes-no", {"N"}, "false", {NULL}},
        {"int", {"+007"}, "7", {"7"}},
        {"int", {"2147483647"}, "2147483647", {NULL}},
        {"int", {"2147483648"}, "T109", {NULL}},
        {"int", {"-2147483648"}, "-2147483648", {NULL}},
        {"int", {"-2147483649"}, "T109", {NULL}},
        {"int", {"1.0"}, "T102", {NULL}},
        {"decimal", {"95.50"}, "95.50", {NULL}},
        {"decimal",
         {"1234567890123456789.000"},
         "1234567890123456789.000",
         {NULL}},
        {"decimal", {"+.5"}, "0.5", {"0.5"}},
        {"decimal", {"-007.10"}, "-7.10", {"-7.10"}},
        {"decimal", {"1e-3"}, "1e-3", {NULL}},
        {"decimal", {"1,5"}, "T102", {NULL}},
        {"decimal", {"."}, "T102", {NULL}},
        {"nhs-number", {"999 000 0018"}, "9990000018", {"9990000018"}},
        {"nhs-number", {"9990000019"}, "T104", {NULL}},
        {"nhs-number", {"99900000180"}, "T104", {NULL}},
        {"nhs-number", {"0000000000"}, NULL, {""}},
        {"postcode", {"zz99 3vz"}, "ZZ99 3VZ", {"ZZ99 3VZ"}},
        {"postcode", {"zz993vz"}, "ZZ99 3VZ", {"ZZ99 3VZ"}},
        {"postcode", {"D02 AF30"}, "D02 AF30", {NULL}},
    };
    RUN(tests, FITS_TEXT);
}

Test(map_codec, identifiers)
{
    static const struct one tests[] = {
        {"id", {"C-7"}, "C-7", {NULL}},
        {"id", {"a.b/c d"}, "a.2Eb.2Fc.20d", {NULL}},
        {"id", {"\xc3\xa9"}, ".C3.A9", {NULL}},
        {"guid",
         {"{00000000-0000-4000-8000-0000000000AB}"},
         "00000000-0000-4000-8000-0000000000ab",
         {NULL}},
        {"guid",
         {"00000000-0000-4000-8000-0000000000ab"},
         "00000000-0000-4000-8000-0000000000ab",
         {"{00000000-0000-4000-8000-0000000000AB}"}},
        {"guid", {"{00000000}"}, "T103", {NULL}},
    };
    RUN(tests, FITS_ID);
}

/* FHIR R4 id: 64 characters at most. */
Test(map_codec, id_limit)
{
    char text[66];
    memset(text, 'a', sizeof text);
    text[64] = '\0';
    struct one at = {"id", {text}, text, {NULL}};
    struct stile__codec_use use = use_of("id", FITS_ID);
    run(&at, &use);
    text[64] = 'a';
    text[65] = '\0';
    struct one past = {"id", {text}, "T108", {NULL}};
    run(&past, &use);
    struct one prefixed = {"id", {"x"}, "p-x", {NULL}};
    use.text = STILE_STR("p-");
    run(&prefixed, &use);
    text[64] = '\0';
    past.cells[0] = text;
    run(&past, &use);
}

Test(map_codec, id_of_several_columns)
{
    struct stile_arena *arena = stile_arena_new(1 << 20);
    struct stile__codec_use use = use_of("id", FITS_ID);
    struct stile_str cells[3] = {STILE_STR("C.7"), STILE_STR(""),
                                 STILE_STR("11:00")};
    struct stile__codec_io io = {.arena = arena, .cells = cells, .count = 3};
    cr_assert_eq(stile__codec_right(&use, &io), RUN_NONE);
    cr_assert(stile_str_eqc(io.value, "C.2E7....11.3A00"));
    cr_assert_eq(stile__codec_left(&use, &io), RUN_NONE);
    cr_assert(stile_str_eqc(cells[0], "C.7") && cells[1].len == 0 &&
              stile_str_eqc(cells[2], "11:00"));
    /* Not ours: another number of parts, an escape that none would write. */
    static const char *const foreign[] = {"a",        "a..b",      "a..b..c..d",
                                          "a..b..c.", "a..b...41", "a..b...4"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        io.value = stile_str_cstr(foreign[i]);
        cr_assert_eq(stile__codec_left(&use, &io), RUN_NONE);
        cr_expect_eq(cells[0].len, 0, "%s", foreign[i]);
    }
    stile_arena_free(&arena);
}

Test(map_codec, references)
{
    struct stile__codec_use id = use_of("id", FITS_ID);
    struct stile__codec_use use = use_of("ref", FITS_REFERENCE);
    use.ref_id = &id;
    use.ref_type = STILE_STR("Patient");
    struct one plain = {"ref", {"P 1"}, "Patient/P.201", {NULL}};
    run(&plain, &use);
    static const char *const reads[][2] = {
        {"https://x.example/fhir/Patient/7", "7"},
        {"Patient/7/_history/2", "7"},
        {"urn:uuid:7", "7"},
        {"Practitioner/7", ""},
        {"XPatient/7", ""},
        {"Patient/", ""},
        {"7", ""},
    };
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        struct stile_arena *arena = stile_arena_new(1 << 16);
        struct stile_str cell = STILE_STR_NULL;
        struct stile__codec_io io = {.arena = arena,
                                     .cells = &cell,
                                     .count = 1,
                                     .value = stile_str_cstr(reads[i][0])};
        cr_assert_eq(stile__codec_left(&use, &io), RUN_NONE);
        cr_expect(stile_str_eqc(cell, reads[i][1]), "%s", reads[i][0]);
        stile_arena_free(&arena);
    }
}

Test(map_codec, dates)
{
    static const struct one tests[] = {
        {"date", {"2024-02-29"}, "2024-02-29", {NULL}},
        {"date", {"2023-02-29"}, "T101", {NULL}},
        {"date", {"31/12/2020"}, "T101", {NULL}},
        {"date-dmy", {"31/12/2020"}, "2020-12-31", {NULL}},
        {"date-dmy", {"12/31/2020"}, "T101", {NULL}},
        {"date-mon", {"05 Mar 2021 00:00:00"}, "2021-03-05", {"05 Mar 2021"}},
        {"date-mon", {"05 Mrz 2021"}, "T101", {NULL}},
        {"partial-date", {"2005-02-17", "YM"}, "2005-02", {"2005-02-01"}},
        {"partial-date", {"2005-02-17", "Y"}, "2005", {"2005-01-01"}},
        {"partial-date", {"2005-02-17", "YMDT"}, "2005-02-17", {NULL, "YMD"}},
        {"partial-date", {"2005-02-17", NULL}, "2005-02-17", {NULL, "YMD"}},
        {"partial-date", {"2005-02-17", "U"}, NULL, {"", ""}},
        {"partial-date", {"", "YM"}, NULL, {"", ""}},
        {"partial-date", {"2005-02-17", "Q"}, "T101", {NULL}},
        {"partial-date", {"2005-02-30", "YM"}, "T101", {NULL}},
    };
    RUN(tests, FITS_DATETIME);
}

/* SI 2002/262: clocks go back at 01:00 UTC on 27 October 2024. */
Test(map_codec, clock)
{
    static const struct one tests[] = {
        {"instant",
         {"2024-01-05", "09:30:00"},
         "2024-01-05T09:30:00+00:00",
         {NULL}},
        {"instant",
         {"2024-07-05", "00:30:00"},
         "2024-07-05T00:30:00+01:00",
         {NULL}},
        {"instant", {"2024-10-27", "01:30:00"}, "T107", {NULL}},
        {"instant", {"2024-03-31", "01:30:00"}, "T107", {NULL}},
        {"instant", {"2024-07-05", ""}, "2024-07-05", {NULL}},
        {"instant", {"1990-07-05", "10:00:00"}, "1990-07-05", {NULL, ""}},
        {"instant", {"2024-07-05", "24:00:00"}, "T113", {NULL}},
        {"local-time",
         {"2026-03-10 11:00"},
         "2026-03-10T11:00:00+00:00",
         {NULL}},
        {"local-time",
         {"2026-07-10T11:00:05"},
         "2026-07-10T11:00:05+01:00",
         {"2026-07-10 11:00:05"}},
        {"local-time", {"2026-07-10"}, "2026-07-10", {NULL}},
        {"local-time", {"2026-07-10 1100"}, "T113", {NULL}},
        {"local-time-mon",
         {"10 Jul 2026 11:00"},
         "2026-07-10T11:00:00+01:00",
         {"10 Jul 2026 11:00:00"}},
        {"local-time-mon", {"10 Jul 2026 00:00:00"}, "2026-07-10", {NULL}},
    };
    RUN(tests, FITS_DATETIME);
    struct stile__codec_use use = use_of("instant", FITS_DATETIME);
    struct one earlier = {"instant",
                          {"2024-10-27", "01:30:00"},
                          "2024-10-27T01:30:00+01:00",
                          {NULL}};
    use.earlier = true;
    run(&earlier, &use);
    struct one later = earlier;
    later.value = "2024-10-27T01:30:00+00:00";
    use.earlier = false;
    use.later = true;
    run(&later, &use);
}

Test(map_codec, an_instant_without_a_time_is_left_out_and_said)
{
    struct stile_arena *arena = stile_arena_new(1 << 16);
    struct stile__codec_use use = use_of("instant", FITS_INSTANT);
    struct stile_str cells[2] = {STILE_STR("2024-07-05"), STILE_STR_NULL};
    struct stile__codec_io io = {.arena = arena, .cells = cells, .count = 2};
    cr_assert_eq(stile__codec_right(&use, &io), RUN_NONE);
    cr_expect_eq(io.value.len, 0);
    cr_expect_eq(io.warning, RUN_T203);
    stile_arena_free(&arena);
}

Test(map_codec, a_date_less_precise_than_its_column_is_said)
{
    static const char *const codecs[] = {"date",           "date-dmy",
                                         "date-mon",       "local-time",
                                         "local-time-mon", "instant"};
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        struct stile_arena *arena = stile_arena_new(1 << 16);
        struct stile__codec_use use = use_of(codecs[i], FITS_DATETIME);
        struct stile_str cells[2] = {STILE_STR_NULL, STILE_STR_NULL};
        struct stile__codec_io io = {.arena = arena,
                                     .cells = cells,
                                     .count = use.codec->least,
                                     .value = STILE_STR("2005-02")};
        cr_expect_eq(stile__codec_left(&use, &io), RUN_NONE);
        cr_expect_eq(cells[0].len, 0, "%s", codecs[i]);
        cr_expect_eq(io.warning, RUN_T202, "%s", codecs[i]);
        stile_arena_free(&arena);
    }
}

Test(map_codec, joined_texts)
{
    struct stile__codec_use use = use_of("join-key", FITS_TEXT);
    use.text = STILE_STR("|");
    struct one both = {"join-key", {"a", "b"}, "a|b", {NULL}};
    run(&both, &use);
    struct one half = {"join-key", {"a", ""}, "a|", {NULL}};
    run(&half, &use);
    struct one inside = {"join-key", {"a|", "b"}, "T114", {NULL}};
    run(&inside, &use);
    /* SHA-256 of "1:a1:b" and of "2:ab0:": printf '1:a1:b' | sha256sum */
    use = use_of("digest", FITS_ID);
    struct stile_str cells[2] = {STILE_STR("a"), STILE_STR("b")};
    struct stile__codec_io io = {
        .arena = stile_arena_new(1 << 16), .cells = cells, .count = 2};
    cr_expect_eq(stile__codec_right(&use, &io), RUN_NONE);
    cr_expect(stile_str_eqc(io.value, "facdde7abf1eac5b301273ab2e282f79"),
              "%.*s", STILE_FMT(io.value));
    cells[0] = STILE_STR("ab");
    cells[1] = STILE_STR("");
    cr_expect_eq(stile__codec_right(&use, &io), RUN_NONE);
    cr_expect(stile_str_eqc(io.value, "bd9027e9dbf27167f8c3e2fbc1e42491"),
              "%.*s", STILE_FMT(io.value));
    stile_arena_free(&io.arena);
    use = use_of("prefix", FITS_URI);
    use.text = STILE_STR("urn:x:");
    struct one prefix = {"prefix", {"1"}, "urn:x:1", {NULL}};
    run(&prefix, &use);
}

Test(map_codec, blanks_are_absent)
{
    static const struct stile_str blanks[] = {{"-1", 2}};
    struct stile__codec_use use = use_of("text", FITS_TEXT);
    use.blanks = blanks;
    use.blank_count = 1;
    struct one blank = {"text", {"-1"}, NULL, {""}};
    run(&blank, &use);
    struct one data = {"text", {"-10"}, "-10", {NULL}};
    run(&data, &use);
}
