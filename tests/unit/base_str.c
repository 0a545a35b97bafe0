#include <criterion/criterion.h>

#include <stile/base.h>

#define S(text) STILE_STR(text)

Test(base_str, pieces_and_ends)
{
    struct stile_str s = S("Observation.code");

    cr_assert(stile_str_eqc(stile_str_sub(s, 12, 99), "code"));
    cr_assert(stile_str_eqc(stile_str_sub(s, 99, 1), ""));
    cr_assert_null(stile_str_sub(STILE_STR_NULL, 3, 3).ptr);
    cr_assert(stile_str_starts(s, S("Obs")));
    cr_assert_not(stile_str_starts(S("Ob"), S("Obs")));
    cr_assert(stile_str_ends(s, S(".code")));
    cr_assert_not(stile_str_ends(S("de"), S("code")));
    cr_assert(stile_str_eqc(stile_str_trim(S(" \t a b\r\n")), "a b"));
    cr_assert_eq(stile_str_trim(S(" \n ")).len, 0);
    cr_assert_eq(stile_str_trim(STILE_STR_NULL).len, 0);
    cr_assert_eq(stile_str_cstr(NULL).len, 0);
}

Test(base_str, equality_and_order)
{
    cr_assert(stile_str_eq(STILE_STR_NULL, S("")));
    cr_assert_not(stile_str_eqc(S("ab"), "abc"));
    cr_assert(stile_str_eq_nocase(S("NHS-Number"), S("nhs-nUMBER")));
    cr_assert_not(stile_str_eq_nocase(S("a["), S("a{")));
    cr_assert_eq(stile_str_cmp(S("a"), S("ab")), -1);
    cr_assert_eq(stile_str_cmp(S("b"), S("ab")), 1);
    cr_assert_eq(stile_str_cmp(S("\xff"), S("a")), 1);
    cr_assert_eq(stile_str_cmp(STILE_STR_NULL, S("")), 0);
}

Test(base_str, find)
{
    cr_assert_eq(stile_str_find(S("abc"), 'c'), 2);
    cr_assert_eq(stile_str_find(S("abc"), 'd'), SIZE_MAX);
    cr_assert_eq(stile_str_find(STILE_STR_NULL, 'd'), SIZE_MAX);
    cr_assert_eq(stile_str_find_str(S("aabaac"), S("aac")), 3);
    cr_assert_eq(stile_str_find_str(S("aabaa"), S("aac")), SIZE_MAX);
    cr_assert_eq(stile_str_find_str(S("aa"), S("aac")), SIZE_MAX);
    cr_assert_eq(stile_str_find_str(S("aa"), S("")), 0);
    cr_assert_eq(stile_str_find_str(S("xa"), S("a")), 1);
    cr_assert_eq(stile_str_find_str(STILE_STR_NULL, S("a")), SIZE_MAX);
}

Test(base_str, next_cuts_pieces)
{
    struct stile_str rest = S("a,,b,");
    struct stile_str piece;

    cr_assert(stile_str_next(&rest, ',', &piece));
    cr_assert(stile_str_eqc(piece, "a"));
    cr_assert(stile_str_next(&rest, ',', &piece));
    cr_assert_eq(piece.len, 0);
    cr_assert(stile_str_next(&rest, ',', &piece));
    cr_assert(stile_str_eqc(piece, "b"));
    cr_assert_not(stile_str_next(&rest, ',', &piece));
    cr_assert(stile_str_eqc(piece, "b"), "untouched at the end");
}

Test(base_str, int64_at_its_limits)
{
    int64_t n = 7;

    cr_assert(stile_str_to_int64(S("9223372036854775807"), &n));
    cr_assert_eq(n, INT64_MAX);
    cr_assert(stile_str_to_int64(S("-9223372036854775808"), &n));
    cr_assert_eq(n, INT64_MIN);
    cr_assert(stile_str_to_int64(S("-0012"), &n));
    cr_assert_eq(n, -12);
    n = 7;
    cr_assert_not(stile_str_to_int64(S("9223372036854775808"), &n));
    cr_assert_not(stile_str_to_int64(S("-9223372036854775809"), &n));
    cr_assert_not(stile_str_to_int64(S("92233720368547758070"), &n));
    cr_assert_not(stile_str_to_int64(S(""), &n));
    cr_assert_not(stile_str_to_int64(S("-"), &n));
    cr_assert_not(stile_str_to_int64(S("+1"), &n));
    cr_assert_not(stile_str_to_int64(S("1 "), &n));
    cr_assert_not(stile_str_to_int64(S("1\xb2"), &n));
    cr_assert_eq(n, 7);
}

Test(base_str, hash_is_fnv1a)
{
    /* Test vectors of the FNV authors' fnv64 test suite. */
    cr_assert_eq(stile_str_hash(S("")), UINT64_C(0xcbf29ce484222325));
    cr_assert_eq(stile_str_hash(S("a")), UINT64_C(0xaf63dc4c8601ec8c));
    cr_assert_eq(stile_str_hash(S("foobar")), UINT64_C(0x85944171f73967e8));
}

Test(base_str, utf8_examples)
{
    cr_assert(stile_utf8_valid(S("")));
    cr_assert(stile_utf8_valid(S("Si\xc3\xa2n \xe2\x82\xac \xf0\x9f\xa9\xba")));
    cr_assert_not(stile_utf8_valid(S("caf\xe9")), "Latin-1");
    cr_assert_not(stile_utf8_valid(S("\xc0\x80")), "overlong NUL");
    cr_assert_not(stile_utf8_valid(S("\xed\xa0\x80")), "surrogate");
    cr_assert_not(stile_utf8_valid(S("\xf4\x90\x80\x80")), "past U+10FFFF");
    cr_assert_not(stile_utf8_valid(S("12345678\xe2\x82")), "cut off");
}

Test(base_str, nearest)
{
    struct stile_str names[] = {S("given"), S("family"), S("from"), S("for")};

    cr_assert_eq(stile_nearest(S("famliy"), names, 4), 1, "a swap");
    cr_assert_eq(stile_nearest(S("FAMILY"), names, 4), 1, "case");
    cr_assert_eq(stile_nearest(S("frm"), names, 4), 2, "the first of equals");
    cr_assert_eq(stile_nearest(S("fo"), names, 4), 3);
    cr_assert_eq(stile_nearest(S("birthdate"), names, 4), SIZE_MAX);
    cr_assert_eq(stile_nearest(S(""), names, 4), SIZE_MAX);
    cr_assert_eq(stile_nearest(S("given"), names, 0), SIZE_MAX);
}

Test(base_str, nearest_at_its_word_limit)
{
    char word[65];
    struct stile_str name = {word, 64};

    memset(word, 'a', sizeof word);
    cr_assert_eq(stile_nearest((struct stile_str){word, 64}, &name, 1), 0);
    cr_assert_eq(stile_nearest((struct stile_str){word, 65}, &name, 1),
                 SIZE_MAX);
}

Test(base_str, every_status_has_a_text)
{
    for (int i = 0; i < STILE_STATUS_COUNT; i++) {
        cr_assert_gt(strlen(stile_status_text((enum stile_status)i)), 1);
    }
    cr_assert_str_eq(stile_status_text(STILE_STATUS_COUNT), "unknown status");
}
