#include <criterion/criterion.h>

#include <stile/base.h>

static void check_json(struct stile_str in, const char *want)
{
    struct stile_buf buf;

    stile_buf_init(&buf, 1000);
    stile_buf_json_str(&buf, in);
    cr_assert(stile_str_eqc(stile_buf_str(&buf), want), "%.*s",
              STILE_FMT(stile_buf_str(&buf)));
    stile_buf_release(&buf);
}

Test(base_buf, grows_to_its_limit_and_not_past)
{
    struct stile_buf buf;

    stile_buf_init(&buf, 1000);
    for (int i = 0; i < 1000; i++) {
        stile_buf_byte(&buf, (char)('a' + i % 26));
    }
    cr_assert_eq(buf.status, STILE_OK);
    cr_assert_eq(buf.len, 1000);
    cr_assert_eq(buf.ptr[999], 'a' + 999 % 26);
    stile_buf_byte(&buf, 'x');
    cr_assert_eq(buf.status, STILE_LIMIT);
    cr_assert_eq(buf.len, 1000);
    stile_buf_cut(&buf, 10);
    stile_buf_byte(&buf, 'x');
    cr_assert_eq(buf.len, 10, "failure stays after a cut");
    stile_buf_clear(&buf);
    stile_buf_addc(&buf, "again");
    cr_assert(stile_str_eqc(stile_buf_str(&buf), "again"));
    stile_buf_release(&buf);
    cr_assert_null(buf.ptr);
    stile_buf_release(&buf);
    stile_buf_release(NULL);
}

Test(base_buf, printf_at_its_limit)
{
    struct stile_buf buf;

    stile_buf_init(&buf, 5);
    stile_buf_printf(&buf, "%d", 12345);
    cr_assert_eq(buf.status, STILE_OK);
    cr_assert(stile_str_eqc(stile_buf_str(&buf), "12345"));
    stile_buf_clear(&buf);
    stile_buf_printf(&buf, "%d", 123456);
    cr_assert_eq(buf.status, STILE_LIMIT);
    cr_assert_eq(buf.len, 0);
    stile_buf_release(&buf);
}

Test(base_buf, empty_and_without_room)
{
    struct stile_buf buf;

    stile_buf_init(&buf, 0);
    cr_assert_not_null(stile_buf_str(&buf).ptr);
    stile_buf_add(&buf, STILE_STR_NULL);
    stile_buf_printf(&buf, "%s", "");
    cr_assert_eq(buf.status, STILE_OK);
    stile_buf_byte(&buf, 'x');
    cr_assert_eq(buf.status, STILE_LIMIT);
    stile_buf_release(&buf);
}

Test(base_buf, consume_and_cut)
{
    struct stile_buf buf;

    stile_buf_init(&buf, 100);
    stile_buf_addc(&buf, "line one\nline two");
    stile_buf_consume(&buf, 9);
    cr_assert(stile_str_eqc(stile_buf_str(&buf), "line two"));
    stile_buf_cut(&buf, 4);
    stile_buf_cut(&buf, 50);
    cr_assert(stile_str_eqc(stile_buf_str(&buf), "line"));
    stile_buf_consume(&buf, 99);
    cr_assert_eq(buf.len, 0);
    stile_buf_release(&buf);
}

Test(base_buf, json_strings)
{
    check_json(STILE_STR(""), "\"\"");
    check_json(STILE_STR_NULL, "\"\"");
    check_json(STILE_STR("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    check_json(STILE_STR("\b\t\n\v\f\r\x01\x1f\x7f"),
               "\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f\x7f\"");
    check_json((struct stile_str){"a\0b", 3}, "\"a\\u0000b\"");
    check_json(STILE_STR("Si\xc3\xa2n"), "\"Si\xc3\xa2n\"");
    check_json(STILE_STR("x\xe9y\xc3"), "\"x\xef\xbf\xbdy\xef\xbf\xbd\"");
}

Test(base_buf, room_is_for_the_caller_to_fill_up_to_the_limit)
{
    struct stile_buf buf;

    stile_buf_init(&buf, 300);
    char *room = stile_buf_room(&buf, 300);
    cr_assert_not_null(room);
    memset(room, 'x', 300);
    buf.len += 300;
    cr_assert_null(stile_buf_room(&buf, 1), "one past the limit");
    cr_assert_eq(buf.status, STILE_LIMIT);
    stile_buf_clear(&buf);
    cr_assert_null(stile_buf_room(&buf, 301));
    stile_buf_release(&buf);
}

/* Each byte at each place of a word and behind it. */
Test(base_buf, plain_json_text_ends_where_an_escape_begins)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 20; at++) {
            char text[21] = "abcdefghijklmnopqrst";
            bool plain =
                byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';

            text[at] = (char)byte;
            cr_assert_eq(stile_json_plain((struct stile_str){text, 20}),
                         plain ? 20 : at, "byte %u at %zu", byte, at);
        }
    }
    cr_assert_eq(stile_json_plain(STILE_STR_NULL), 0);
}
