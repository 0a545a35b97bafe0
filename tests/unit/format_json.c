/* Strict JSON: what is taken, what is refused and where, the limits. */
#include <criterion/criterion.h>

#include <stile/format.h>

struct fixture {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_value *root;
};

static void start(struct fixture *f)
{
    stile_format_setup();
    f->arena = stile_arena_new(64u << 20);
    cr_assert_not_null(f->arena);
    stile_diags_init(&f->diags, f->arena, 0);
    f->root = NULL;
}

static enum stile_status decode_str(struct fixture *f, struct stile_str text,
                                    struct stile_json_limits limits)
{
    return stile_json_decode(text, limits, STILE_STR("m.json"), f->arena,
                             &f->diags, &f->root);
}

static enum stile_status decode(struct fixture *f, const char *text)
{
    return decode_str(f, stile_str_cstr(text), STILE_JSON_LIMITS);
}

static void expect_text(const struct stile_value *v, const char *expected)
{
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    stile_value_json(v, 0, &out);
    cr_assert(stile_str_eqc(stile_buf_str(&out), expected), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
}

Test(format_json, takes_and_gives_back)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.50E+10",
        "\"\"",
        "\"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "{\"a\":[1,2,{\"b\":null}],\"\":\"x\",\"c\":{}}",
        "[[],[[]],{\"a\":{\"a\":{}}}]",
        "1.00",
        "12345678901234567890123456789",
        "1e400",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fixture f;
        start(&f);
        cr_assert_eq(decode(&f, texts[i]), STILE_OK, "%s", texts[i]);
        cr_assert_eq(f.diags.count, 0);
        expect_text(f.root, texts[i]);
        stile_arena_free(&f.arena);
    }
}

Test(format_json, unescapes_into_the_arena_and_else_points_into_the_bytes)
{
    static const char text[] =
        "{\"a\\u0062\":\"x\\n\\u00e9\\ud83d\\ude00\\/\",\"p\":\"plain\"}";
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, text), STILE_OK);
    struct stile_str s = stile_value_text(f.root, "ab");
    cr_assert(stile_str_eqc(s, "x\n\xc3\xa9\xf0\x9f\x98\x80/"));
    s = stile_value_text(f.root, "p");
    cr_assert(s.ptr > text && s.ptr < text + sizeof text);
    stile_arena_free(&f.arena);
}

Test(format_json, keeps_the_place_of_each_value)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode(&f, " {\"a\": [1, \"b\", true, {}]}"), STILE_OK);
    cr_assert_eq(f.root->offset, 2);
    struct stile_value *list = stile_value_getc(f.root, "a");
    cr_assert_eq(list->offset, 8);
    cr_assert_eq(stile_value_at(list, 0)->offset, 9);
    cr_assert_eq(stile_value_at(list, 1)->offset, 12);
    cr_assert_eq(stile_value_at(list, 2)->offset, 17);
    cr_assert_eq(stile_value_at(list, 3)->offset, 23);
    stile_arena_free(&f.arena);
}

Test(format_json, refuses_with_code_and_place)
{
    static const struct {
        const char *text, *code;
        uint32_t line, column;
        const char *path;
    } cases[] = {
        {"", "J103", 1, 1, ""},
        {"  ", "J103", 1, 3, ""},
        {"{", "J103", 1, 2, ""},
        {"[1", "J103", 1, 3, "[0]"},
        {"\"abc", "J103", 1, 5, ""},
        {"tru", "J103", 1, 4, ""},
        {"trux", "J102", 1, 1, ""},
        {"[1,]", "J102", 1, 4, "[1]"},
        {"[,1]", "J102", 1, 2, "[0]"},
        {"{,}", "J102", 1, 2, ""},
        {"{\"a\":1,}", "J102", 1, 8, "a"},
        {"{\"a\" 1}", "J102", 1, 6, "a"},
        {"{a:1}", "J102", 1, 2, ""},
        {"{'a':1}", "J102", 1, 2, ""},
        {"[1 2]", "J102", 1, 4, "[0]"},
        {"[1}", "J102", 1, 3, "[0]"},
        {"// x\n1", "J102", 1, 1, ""},
        {"\xef\xbb\xbf{}", "J102", 1, 1, ""},
        {"NaN", "J102", 1, 1, ""},
        {"True", "J102", 1, 1, ""},
        {"[1]x", "J110", 1, 4, ""},
        {"{}{}", "J110", 1, 3, ""},
        {"01", "J108", 1, 1, ""},
        {"[-]", "J108", 1, 2, "[0]"},
        {"[1.]", "J108", 1, 2, "[0]"},
        {"[1.e1]", "J108", 1, 2, "[0]"},
        {"[1e]", "J108", 1, 2, "[0]"},
        {"[1e+]", "J108", 1, 2, "[0]"},
        {"+1", "J102", 1, 1, ""},
        {".5", "J102", 1, 1, ""},
        {"{\"a\":\n [\"x\ny\"]}", "J104", 2, 5, "a[0]"},
        {"[\"\\x\"]", "J105", 1, 3, "[0]"},
        {"[\"\\u12g4\"]", "J105", 1, 3, "[0]"},
        {"[\"\\ud800\"]", "J106", 1, 3, "[0]"},
        {"[\"\\ud800\\u0041\"]", "J106", 1, 3, "[0]"},
        {"[\"\\ude00\"]", "J106", 1, 3, "[0]"},
        {"[\"\\u0000\"]", "J107", 1, 3, "[0]"},
        {"[\"\xff\"]", "J101", 1, 3, "[0]"},
        {"[\"\xc0\xaf\"]", "J101", 1, 3, "[0]"},
        {"[\"\xed\xa0\x80\"]", "J101", 1, 3, "[0]"},
        {"[\"\xf4\x90\x80\x80\"]", "J101", 1, 3, "[0]"},
        {"[\"\xe2\x82\"]", "J101", 1, 3, "[0]"},
        {"{\"a\":1,\"a\":2}", "J109", 1, 8, "a"},
        {"{\"o\":{\"a\":1,\n\"\\u0061\":2}}", "J109", 2, 10, "o.a"},
        {"{\"a\":1,\"b\":2,\"Jane Doe\":[x]}", "J102", 1, 26, "?[0]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        start(&f);
        cr_assert_eq(decode(&f, cases[i].text), STILE_INVALID, "%s",
                     cases[i].text);
        cr_assert_null(f.root);
        cr_assert_eq(f.diags.count, 1);
        const struct stile_diag *d = &f.diags.items[0];
        cr_assert_str_eq(d->code, cases[i].code, "%s: %s", cases[i].text,
                         d->code);
        cr_assert_eq(d->line, cases[i].line, "%s: line %u", cases[i].text,
                     d->line);
        cr_assert_eq(d->column, cases[i].column, "%s: column %u", cases[i].text,
                     d->column);
        cr_assert(stile_str_eqc(d->path, cases[i].path), "%s: %.*s",
                  cases[i].text, STILE_FMT(d->path));
        stile_arena_free(&f.arena);
    }
}

Test(format_json, a_nul_byte_is_no_white_space)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(
        decode_str(&f, (struct stile_str){"1\0", 2}, STILE_JSON_LIMITS),
        STILE_INVALID);
    cr_assert_eq(
        decode_str(&f, (struct stile_str){"\"a\0b\"", 5}, STILE_JSON_LIMITS),
        STILE_INVALID);
    cr_assert_eq(decode_str(&f, STILE_STR_NULL, STILE_JSON_LIMITS),
                 STILE_INVALID);
    stile_arena_free(&f.arena);
}

Test(format_json, finds_doubled_names_in_large_objects)
{
    struct fixture f;
    struct stile_buf text;
    for (int twice = 0; twice <= 1; twice++) {
        start(&f);
        stile_buf_init(&text, 1 << 20);
        stile_buf_byte(&text, '{');
        for (int i = 0; i < 1000; i++) {
            stile_buf_printf(&text, "\"n%d\":%d,", i, i);
        }
        stile_buf_printf(&text, "\"n%d\":0}", twice ? 500 : 1000);
        cr_assert_eq(decode_str(&f, stile_buf_str(&text), STILE_JSON_LIMITS),
                     twice ? STILE_INVALID : STILE_OK);
        if (twice) {
            cr_assert_str_eq(f.diags.items[0].code, "J109");
            cr_assert(stile_str_eqc(f.diags.items[0].path, "n500"));
        }
        stile_buf_release(&text);
        stile_arena_free(&f.arena);
    }
}

static void at_and_past(const char *at, const char *past,
                        struct stile_json_limits limits, const char *code)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(decode_str(&f, stile_str_cstr(at), limits), STILE_OK, "%s",
                 at);
    cr_assert_eq(decode_str(&f, stile_str_cstr(past), limits), STILE_LIMIT,
                 "%s", past);
    cr_assert_str_eq(f.diags.items[0].code, code);
    stile_arena_free(&f.arena);
}

Test(format_json, limits_at_them_and_one_past)
{
    struct stile_json_limits l = STILE_JSON_LIMITS;
    l.bytes = 4;
    at_and_past("[12]", "[123]", l, "J121");
    l = STILE_JSON_LIMITS;
    l.depth = 2;
    at_and_past("[{}]", "[{\"a\":[]}]", l, "J122");
    l = STILE_JSON_LIMITS;
    l.values = 3;
    at_and_past("{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":[3]}", l, "J123");
    l = STILE_JSON_LIMITS;
    l.string = 3;
    at_and_past("{\"abc\":\"def\"}", "{\"abc\":\"defg\"}", l, "J124");
    at_and_past("{\"abc\":1}", "{\"abcd\":1}", l, "J124");
    at_and_past(
        "123456789012345678901234567890123456789012345678901234567890123",
        "1234567890123456789012345678901234567890123456789012345678901234",
        STILE_JSON_LIMITS, "J125");
}

Test(format_json, no_limit_of_ours_is_past_what_the_walk_can_bear)
{
    static char text[4000];
    struct stile_json_limits l = STILE_JSON_LIMITS;
    struct fixture f;
    l.depth = UINT32_MAX;
    for (size_t depth = 512; depth <= 513; depth++) {
        start(&f);
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        cr_assert_eq(decode_str(&f, (struct stile_str){text, depth * 2}, l),
                     depth == 512 ? STILE_OK : STILE_LIMIT);
        stile_arena_free(&f.arena);
    }
}

Test(format_json, a_full_arena_is_no_memory)
{
    struct fixture f;
    start(&f);
    struct stile_arena *small = stile_arena_new(300);
    cr_assert_eq(stile_json_decode(STILE_STR("[1,2,3,4,5,6,7,8,9]"),
                                   STILE_JSON_LIMITS, STILE_STR("m"), small,
                                   &f.diags, &f.root),
                 STILE_NOMEM);
    cr_assert_null(f.root);
    stile_arena_free(&small);
    stile_arena_free(&f.arena);
}

Test(format_json, fhir_asks_for_a_resource)
{
    static const char *const bad[] = {"[]", "{}", "1", "{\"resourceType\":1}",
                                      "{\"resourceType\":\"\"}"};
    const struct stile_format *format =
        stile_format_find(STILE_STR("fhir-json"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fixture f;
        struct stile_decoded d = {0};
        start(&f);
        struct stile_format_input in = {.bytes = stile_str_cstr(bad[i])};
        cr_assert_eq(format->decode(&in, f.arena, &f.diags, &d), STILE_INVALID);
        cr_assert_str_eq(f.diags.items[0].code, "J112");
        cr_assert_null(d.root);
        stile_arena_free(&f.arena);
    }
    struct fixture f;
    struct stile_decoded d = {0};
    struct stile_buf out;
    start(&f);
    stile_buf_init(&out, 1000);
    struct stile_format_input in = {
        .bytes = STILE_STR("{\"resourceType\":\"Patient\",\"x\":[],"
                           "\"n\":1.00}")};
    cr_assert_eq(format->decode(&in, f.arena, &f.diags, &d), STILE_OK);
    cr_assert_eq(format->encode(&d, NULL, STILE_STR(""), &out, &f.diags),
                 STILE_OK);
    cr_assert(stile_str_eq(stile_buf_str(&out), in.bytes));
    stile_buf_clear(&out);
    out.limit = 10;
    cr_assert_eq(format->encode(&d, NULL, STILE_STR(""), &out, &f.diags),
                 STILE_LIMIT);
    stile_buf_release(&out);
    d.root = NULL;
    cr_assert_eq(format->encode(&d, NULL, STILE_STR(""), &out, &f.diags),
                 STILE_INVALID);
    stile_arena_free(&f.arena);
}
