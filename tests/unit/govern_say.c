/* How decisions read. */
#include "unit/govern_help.h"

#include <criterion/criterion.h>

static struct help_set set;
static struct stile_buf said;

static void open_set(void)
{
    help_open(&set);
    cr_assert_eq(help_load(&set), STILE_OK);
    stile_buf_init(&said, 1u << 20);
}

static void close_set(void)
{
    stile_buf_release(&said);
    help_close(&set);
}

TestSuite(govern_say, .init = open_set, .fini = close_set);

/* Each # of the pattern becomes the number of the resource. */
static void add_numbered(struct stile_buf *text, const char *pattern,
                         size_t number)
{
    for (; *pattern; pattern++) {
        if (*pattern == '#') {
            stile_buf_printf(text, "%zu", number);
        } else {
            stile_buf_byte(text, *pattern);
        }
    }
}

static void say_many(const char *pattern, size_t count, const char *facts)
{
    struct stile_buf text;
    struct help_case made;
    size_t i;

    stile_buf_init(&text, 1u << 24);
    stile_buf_printf(&text,
                     "{\"sender\":\"A99901\",\"recipient\":\"VCS07\","
                     "\"kind\":\"voluntary-non-care\",\"purpose\":"
                     "\"social-prescribing\",\"agreement\":\"DSA-2026-002\","
                     "\"family\":\"emis\",\"facts\":{%s},\"resources\":[",
                     facts);
    for (i = 0; i < count; i++) {
        stile_buf_addc(&text, i ? "," : "");
        add_numbered(&text, pattern, i);
    }
    stile_buf_addc(&text, "]}");
    help_decide(&set, stile_arena_cstr(set.arena, stile_buf_str(&text)), &made);
    stile_buf_release(&text);
    stile_decision_print(made.decision, &said);
}

static size_t lines(void)
{
    struct stile_str rest = stile_buf_str(&said), line;
    size_t count = 0;

    while (stile_str_next(&rest, '\n', &line)) {
        count += line.len > 0;
    }
    return count;
}

static bool says(const char *text)
{
    return stile_str_find_str(stile_buf_str(&said), stile_str_cstr(text)) !=
           SIZE_MAX;
}

#define OBSERVATION                                                            \
    "{\"resourceType\":\"Observation\",\"id\":\"o#\",\"code\":{\"coding\":"    \
    "[{\"system\":\"http://snomed.info/sct\",\"code\":\"38341003\"}]}}"

Test(govern_say, like_items_are_one_line, .timeout = 30)
{
    say_many(OBSERVATION, 20000, "");
    cr_assert_eq(lines(), 2);
    cr_assert(says("withhold 20000 Observations: no rule shares this with "
                   "VCS07 for social-prescribing\n"));
}

Test(govern_say, one_is_not_many)
{
    say_many(OBSERVATION, 1, "");
    cr_assert(says("withhold 1 Observation: "));
}

Test(govern_say, plurals)
{
    say_many("{\"resourceType\":\"EpisodeOfCare\",\"id\":\"e#\"}", 2, "");
    say_many("{\"resourceType\":\"FamilyMemberHistory\",\"id\":\"e#\"}", 2, "");
    cr_assert(says("withhold 2 EpisodesOfCare: "));
    cr_assert(says("withhold 2 FamilyMemberHistories: "));
}

Test(govern_say, two_hundred_lines_and_the_rest_is_counted)
{
    say_many("{\"resourceType\":\"T#\",\"id\":\"t\"}", 200, "");
    cr_assert_eq(lines(), 201);
    cr_assert_not(says("more, for other reasons"));
    stile_buf_clear(&said);
    say_many("{\"resourceType\":\"T#\",\"id\":\"t\"}", 201, "");
    cr_assert_eq(lines(), 202);
    cr_assert(says("and 1 more, for other reasons\n"));
}

/* Where nothing shares it, a guardrail on something unknown is not why. */
Test(govern_say, what_nothing_shares_is_told_so)
{
    say_many(
        "{\"resourceType\":\"Patient\",\"id\":\"p\",\"gender\":\"female\"}", 1,
        "\"spine-sensitive\":\"unknown\",\"adopted\":\"unknown\","
        "\"deceased\":\"unknown\",\"dissent-third-party\":\"yes\"");
    cr_assert(says("withhold 1 Patient: no rule shares this with VCS07 for "
                   "social-prescribing\n"));
}

#define PERSON                                                                 \
    "{\"resourceType\":\"Patient\",\"id\":\"p#\",\"name\":[{\"family\":"       \
    "\"X\"}]}"
#define AGREED                                                                 \
    "\"referral-open\":\"yes\",\"consent-to-this-recipient\":\"yes\","         \
    "\"under-16\":\"no\""

Test(govern_say, what_is_known_comes_before_what_may_be)
{
    say_many(PERSON, 1,
             AGREED ",\"record-confidential\":\"unknown\","
                    "\"unable-to-consent\":\"yes\",\"deceased\":\"unknown\"");
    cr_assert(says("withhold 1 Patient: it is not known whether the practice "
                   "has put the whole record under a confidentiality policy "
                   "(rule NAT-CONF)\n"));
    stile_buf_clear(&said);
    say_many(PERSON, 1,
             AGREED ",\"deceased\":\"unknown\",\"unable-to-consent\":\"yes\"");
    cr_assert(says("hold-for-person 1 Patient: rule NAT-UNABLE: "));
}

Test(govern_say, a_sentence_has_no_full_stop_and_no_second_verb)
{
    say_many(PERSON, 1, AGREED ",\"unable-to-consent\":\"yes\"");
    cr_assert_not(says(".\n"));
    cr_assert_not(says("not sent"));
}
