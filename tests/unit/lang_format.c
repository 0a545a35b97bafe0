/* The one layout: what goes where, and what stays. */
#include <criterion/criterion.h>

#include "stile/lang.h"

static void check(const char *given, const char *want)
{
    struct stile_arena *arena = stile_arena_new(64u << 20);
    struct stile_source source = {STILE_STR("x.map"), stile_str_cstr(given)};
    struct stile_diags diags;
    struct stile_buf out;
    stile_diags_init(&diags, arena, 0);
    stile_buf_init(&out, 1 << 20);
    cr_assert_eq(stile_lang_format(&source, arena, &diags, &out), STILE_OK);
    cr_expect(stile_str_eqc(stile_buf_str(&out), want),
              "--- got\n%.*s--- want\n%s", STILE_FMT(stile_buf_str(&out)),
              want);
    stile_buf_release(&out);
    stile_arena_free(&arena);
}

#define HEAD                                                                   \
    "mapping m 3\n"                                                            \
    "  left   csv t of f 8.0..8.2 where a = 'x' key a, b\n"                    \
    "  right  fhir Patient of 'urn:x'\n"

Test(lang_format, words_and_brackets)
{
    check("mapping  m   3\nleft csv t of f 8.0 .. 8.2 where a='x' key a ,b\n"
          "right fhir Patient of 'urn:x'\n",
          HEAD);
    check(HEAD "take when not(a='x' or b in 1..7)iff value  exists\n",
          HEAD "  take   when not (a = 'x' or b in 1..7) iff value exists\n");
    check(HEAD "let s=code . coding .where( system='u' )\n",
          HEAD "  let    s = code.coding.where(system = 'u')\n");
}

Test(lang_format, arrows_stand_under_each_other)
{
    check(HEAD "a<->id:guid\nlonger-name, b -> x.y , z derived\n"
               "when a present\nc<-x derived\nend\n",
          HEAD "  a              <-> id                                    "
               "         : guid\n"
               "  longer-name, b  -> x.y, z                                "
               "         derived\n"
               "  when a present\n"
               "    c            <-  x                                     "
               "         derived\n"
               "  end\n");
}

Test(lang_format, long_columns_have_their_arrow_below)
{
    check(HEAD "EffectiveDate, EffectiveDatePrecision<->e.ofType(date)\n"
               "a <-> b:codes {true:R,false : absent} else absent\n",
          HEAD "  EffectiveDate, EffectiveDatePrecision\n"
               "    <-> e.ofType(date)\n"
               "  a <-> b                                                  "
               "         : codes { true: R, false: absent } else absent\n");
}

Test(lang_format, comments_and_blank_lines)
{
    check("\n\n--top\n\n\n-- second\nmapping m 3 -- tail\nleft csv t of f 1\n"
          "\n\n\n-- of right\nright fhir Patient\n a <-> -- within\n id\n"
          "-- last",
          "--top\n\n-- second\nmapping m 3  -- tail\n"
          "  left   csv t of f 1\n\n  -- of right\n  right  fhir Patient\n"
          "  -- within\n"
          "  a <-> id\n-- last\n");
}

Test(lang_format, examples)
{
    check(HEAD "a <-> id\nexample \"one\"\n\n given a=--x b='y z' c=\n"
               " expect id='v',x absent\n back a=\n end\n"
               "reject \"two\" given end=1 expect T105\n"
               "require expect, a\n",
          HEAD "  a <-> id\n"
               "  example \"one\"\n"
               "    given  a=--x b='y z' c=\n"
               "    expect id = 'v', x absent\n"
               "    back   a=\n"
               "  end\n"
               "  reject \"two\"\n"
               "    given  end=1\n"
               "    expect T105\n"
               "  require expect, a\n");
}

Test(lang_format, lists_are_filled)
{
    check(HEAD "residue aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,"
               "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,"
               "c\ndrop d because \"e\"\n",
          HEAD
          "  residue aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,\n"
          "          bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
          "b, c\n"
          "  drop d because \"e\"\n");
}

Test(lang_format, second_mapping_stands_apart)
{
    check(HEAD "-- next\nmapping n 1\nleft csv t of f 1\nright fhir Goal\n",
          HEAD "\n-- next\nmapping n 1\n  left   csv t of f 1\n"
               "  right  fhir Goal\n");
}

Test(lang_format, nothing_of_a_file_with_a_fault)
{
    struct stile_arena *arena = stile_arena_new(64u << 20);
    struct stile_source source = {STILE_STR("x.map"),
                                  STILE_STR("mapping m 3\n left csv\n")};
    struct stile_diags diags;
    struct stile_buf out;
    stile_diags_init(&diags, arena, 0);
    stile_buf_init(&out, 1 << 20);
    cr_expect_eq(stile_lang_format(&source, arena, &diags, &out),
                 STILE_INVALID);
    cr_expect_eq(out.len, 0);
    cr_expect_str_eq(diags.items[0].code, "M001");
    /* Too small a buffer is said, never cut in silence. */
    source.text = stile_str_cstr(HEAD);
    stile_buf_release(&out);
    stile_buf_init(&out, 10);
    cr_expect_eq(stile_lang_format(&source, arena, &diags, &out), STILE_LIMIT);
    stile_buf_release(&out);
    stile_arena_free(&arena);
}
