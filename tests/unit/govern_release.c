/* A person's word on an item, under the shipped rules. */
#include "unit/govern_help.h"

#include <criterion/criterion.h>

static struct help_set set;

static void open_set(void)
{
    help_open(&set);
    cr_assert_eq(help_load(&set), STILE_OK);
}

static void close_set(void)
{
    help_close(&set);
}

TestSuite(govern_release, .init = open_set, .fini = close_set);

#define CHILD(consent, confidential, unable)                                   \
    "{\"sender\":\"RZ9\",\"recipient\":\"VCS07\",\"kind\":"                    \
    "\"voluntary-non-care\",\"purpose\":\"social-prescribing\","               \
    "\"agreement\":\"DSA-2026-003\",\"family\":\"fhir\",\"facts\":{"           \
    "\"referral-open\":\"yes\",\"consent-to-this-recipient\":\"" consent       \
    "\",\"under-16\":\"yes\",\"deceased\":\"no\",\"record-confidential\":"     \
    "\"" confidential "\",\"unable-to-consent\":\"" unable                     \
    "\",\"adopted\":\"no\",\"spine-sensitive\":\"no\","                        \
    "\"dissent-third-party\":\"no\"},\"resources\":["                          \
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"family\":"        \
    "\"Mock\"}],\"gender\":\"female\"},{\"resourceType\":\"ServiceRequest\","  \
    "\"id\":\"r\",\"status\":\"active\",\"intent\":\"order\",\"code\":{"       \
    "\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":"             \
    "\"38341003\"}]},\"subject\":{\"reference\":\"Patient/p\"}}]}"

static const struct stile_str child_rule[] = {STILE_STR("CHI-1")};

static void decide(const char *json, const struct stile_released *released,
                   size_t count, struct help_case *ret)
{
    memset(ret, 0, sizeof(*ret));
    help_question(&set, help_json(set.arena, json), &ret->question);
    ret->question.released = released;
    ret->question.released_count = count;
    cr_assert_eq(stile_govern_decide(set.rules, &ret->question, set.arena,
                                     &ret->decision),
                 STILE_OK);
}

static enum stile_outcome outcome(const struct help_case *made,
                                  const char *type, const char *id)
{
    return help_item(made, type, id)->outcome;
}

Test(govern_release, lets_one_item_go_and_says_why)
{
    struct stile_released word = {0, child_rule, 1};
    struct help_case held, free;

    decide(CHILD("yes", "no", "no"), NULL, 0, &held);
    cr_assert_eq(outcome(&held, "Patient", "p"), STILE_OUTCOME_HOLD);
    cr_assert_eq(outcome(&held, "ServiceRequest", "r"), STILE_OUTCOME_HOLD);
    cr_assert_eq(help_item(&held, "Patient", "p")->hold_count, 1);
    cr_assert(
        stile_str_eqc(help_item(&held, "Patient", "p")->holds[0], "CHI-1"));
    decide(CHILD("yes", "no", "no"), &word, 1, &free);
    cr_assert_eq(outcome(&free, "Patient", "p"), STILE_OUTCOME_CHANGED,
                 "no rule shares the gender");
    cr_assert_eq(help_field(&free, "Patient", "p", "name")->outcome,
                 STILE_OUTCOME_RELEASE);
    cr_assert(stile_str_eqc(
        help_field(&free, "Patient", "p", "name")->reasons[0].sentence,
        "a person released what CHI-1 holds"));
    cr_assert_eq(help_item(&free, "Patient", "p")->hold_count, 0);
    cr_assert_eq(outcome(&free, "ServiceRequest", "r"), STILE_OUTCOME_HOLD,
                 "nobody looked at it");
    cr_assert_eq(free.decision->held, 1);
}

Test(govern_release, lifts_no_rule_that_withholds)
{
    struct stile_released word = {0, child_rule, 1};
    struct help_case made;

    decide(CHILD("yes", "yes", "no"), &word, 1, &made);
    cr_assert_eq(outcome(&made, "Patient", "p"), STILE_OUTCOME_WITHHOLD);
    decide(CHILD("no", "no", "no"), &word, 1, &made);
    cr_assert_eq(outcome(&made, "Patient", "p"), STILE_OUTCOME_WITHHOLD);
}

Test(govern_release, lifts_no_other_rule_that_holds)
{
    static const struct stile_str both[] = {STILE_STR("NAT-UNABLE"),
                                            STILE_STR("CHI-1")};
    static const struct stile_str none[] = {STILE_STR("CHI-9"), STILE_STR("")};
    struct stile_released word = {0, child_rule, 1};
    struct help_case made;

    decide(CHILD("yes", "no", "yes"), &word, 1, &made);
    cr_assert_eq(outcome(&made, "Patient", "p"), STILE_OUTCOME_HOLD);
    cr_assert_eq(help_item(&made, "Patient", "p")->hold_count, 2,
                 "all that a person must look at");
    word.rules = both;
    word.rule_count = 2;
    decide(CHILD("yes", "no", "yes"), &word, 1, &made);
    cr_assert_eq(outcome(&made, "Patient", "p"), STILE_OUTCOME_CHANGED);
    word.rules = none;
    decide(CHILD("yes", "no", "no"), &word, 1, &made);
    cr_assert_eq(outcome(&made, "Patient", "p"), STILE_OUTCOME_HOLD,
                 "a rule that is not there");
}

Test(govern_release, an_officers_words_are_found_by_id)
{
    cr_assert(stile_str_eqc(
        stile_rules_says(set.rules, STILE_STR("CHI-1")),
        "Of people under 16, a person decides what a charity gets."));
    cr_assert_gt(stile_rules_says(set.rules, STILE_STR("DSA-2026-003")).len, 0);
    cr_assert_eq(stile_rules_says(set.rules, STILE_STR("CHI-9")).len, 0);
}
