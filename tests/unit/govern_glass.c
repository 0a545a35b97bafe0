/* Break-glass: where it may be, what it opens, and who hears of it. */
#include "unit/govern_help.h"

#include <criterion/criterion.h>

#define S(text) STILE_STR(text)

static struct help_set set;
static struct stile_buf said;

static void open_set(void)
{
    help_open(&set);
    stile_buf_init(&said, 1u << 20);
}

static void close_set(void)
{
    stile_buf_release(&said);
    help_close(&set);
}

TestSuite(govern_glass, .init = open_set, .fini = close_set);

#define DOOR "  break-glass: {reasons: [risk-to-life], hours: 24}\n"

static bool says(const char *text)
{
    return stile_str_find_str(stile_buf_str(&said), stile_str_cstr(text)) !=
           SIZE_MAX;
}

/* The file and place stand before the code, so they are asserted with it. */
static void refused(const char *text)
{
    cr_assert_eq(help_load(&set), STILE_INVALID);
    stile_diags_print(&set.diags, false, &said);
    cr_assert(says(text), "%.*s", STILE_FMT(stile_buf_str(&said)));
}

Test(govern_glass, a_rule_cannot_need_it_where_the_agreement_has_none)
{
    help_edit(&set, "agreements.yaml", S(DOOR), S(""));
    refused("error[R205]: agreement DSA-2026-008 has no break-glass; it must "
            "name the reasons and hours before rule CRI-2 may need it");
    cr_assert(says("rules.yaml:74:10: error[R205]"));
}

Test(govern_glass, it_is_for_a_persons_own_care_alone)
{
    help_edit(&set, "agreements.yaml", S("  cites: [NHS Act 2006 s251,"),
              S(DOOR "  cites: [NHS Act 2006 s251,"));
    refused("error[R411]: break-glass is for a person's own care alone; "
            "agreement DSA-2026-010 is for more");
}

Test(govern_glass, a_door_that_opens_nothing_is_said)
{
    help_edit(&set, "agreements.yaml", S("  papers: {dpia: DPIA-106"),
              S(DOOR "  papers: {dpia: DPIA-106"));
    cr_assert_eq(help_load(&set), STILE_OK);
    stile_diags_print(&set.diags, false, &said);
    cr_assert(says("warning[R510]: no rule under agreement DSA-2026-006"));
}

static void hours(const char *door, bool good)
{
    struct help_set other;

    help_open(&other);
    help_edit(&other, "agreements.yaml", S(DOOR), stile_str_cstr(door));
    cr_assert_eq(help_load(&other), good ? STILE_OK : STILE_INVALID, "%s",
                 door);
    help_close(&other);
}

Test(govern_glass, hours_at_their_limits_and_past_them)
{
    hours("  break-glass: {reasons: [risk-to-life], hours: 1}\n", true);
    hours("  break-glass: {reasons: [risk-to-life], hours: 72}\n", true);
    hours("  break-glass: {reasons: [risk-to-life], hours: 0}\n", false);
    hours("  break-glass: {reasons: [risk-to-life], hours: 73}\n", false);
    hours("  break-glass: {reasons: [risk-to-life], hours: day}\n", false);
    hours("  break-glass: {reasons: [], hours: 24}\n", false);
    hours("  break-glass: {hours: 24}\n", false);
}

Test(govern_glass, a_reason_is_a_word_of_the_vocabulary)
{
    help_edit(&set, "agreements.yaml", S("[risk-to-life]"),
              S("[risk-to-live]"));
    refused("did you mean 'risk-to-life'?");
}

static const struct stile_decision *decide(const char *facts)
{
    static struct help_case made;

    help_decide(
        &set,
        stile_arena_cstr(
            set.arena,
            stile_arena_printf(
                set.arena,
                "{\"sender\":\"VCL05\",\"recipient\":\"RZ9\",\"kind\":"
                "\"trust\",\"purpose\":\"individual-care\",\"agreement\":"
                "\"DSA-2026-008\",\"family\":\"vcse-case\",\"facts\":{%s},"
                "\"resources\":[{\"resourceType\":\"Patient\",\"id\":\"p\","
                "\"name\":[{\"family\":\"X\"}],\"telecom\":[{\"system\":"
                "\"phone\",\"value\":\"1\"}]}]}",
                facts)),
        &made);
    return made.decision;
}

static bool officer_is_told(const struct stile_decision *decision)
{
    size_t i;

    for (i = 0; i < decision->notify_count; i++) {
        if (stile_str_eqc(decision->notify[i], "privacy-officer")) {
            return true;
        }
    }
    return false;
}

#define OPEN "\"referral-open\":\"yes\",\"spine-sensitive\":\"no\""

Test(govern_glass, it_opens_and_the_privacy_officer_is_told)
{
    const struct stile_decision *decision;

    cr_assert_eq(help_load(&set), STILE_OK);
    decision = decide(OPEN);
    cr_assert_eq(decision->outcome, STILE_OUTCOME_WITHHOLD);
    cr_assert_not(officer_is_told(decision));
    decision = decide(OPEN ",\"break-glass\":\"yes\"");
    cr_assert_neq(decision->outcome, STILE_OUTCOME_WITHHOLD);
    cr_assert(officer_is_told(decision));
}

/* The vocabulary says `then: [notify-privacy-officer]`; that it does not say
 * it changes nothing. */
Test(govern_glass, the_duty_is_not_left_to_the_files)
{
    const char *then = "    from: store\n    then: [notify-privacy-officer]\n";

    help_edit(&set, "vocabulary.yaml", stile_str_cstr(then),
              S("    from: store\n"));
    help_edit(&set, "vocabulary.yaml", stile_str_cstr(then),
              S("    from: store\n"));
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert(officer_is_told(decide(OPEN ",\"break-glass\":\"yes\"")));
}

Test(govern_glass, a_vocabulary_that_tells_nobody_is_refused)
{
    help_edit(&set, "vocabulary.yaml", S("whom: privacy-officer"),
              S("whom: nobody"));
    refused("error[R113]: the privacy officer is always told of "
            "'break-glass'; put back the obligation");
}

Test(govern_glass, guardrails_hold_all_the_same)
{
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(decide(OPEN ",\"break-glass\":\"yes\","
                             "\"record-confidential\":\"yes\"")
                     ->outcome,
                 STILE_OUTCOME_WITHHOLD);
}

static enum stile_status may(const char *agreement, const char *sender,
                             const char *recipient, const char *reason,
                             const char *why)
{
    struct stile_glass glass = {
        stile_str_cstr(agreement), stile_str_cstr(sender),
        stile_str_cstr(recipient), stile_str_cstr(reason)};
    uint32_t lasts = 7;
    const char *error = "";
    enum stile_status status =
        stile_rules_break_glass(set.rules, &glass, &lasts, &error);

    cr_assert_str_eq(error, why);
    cr_assert_eq(lasts, status == STILE_OK ? 24 : 7);
    return status;
}

Test(govern_glass, who_may_break_which)
{
    const char *id = "DSA-2026-008";

    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(may(id, "VCL05", "RZ9", "risk-to-life", ""), STILE_OK);
    cr_assert_eq(may(id, "RZ9", "RZ9", "risk-to-life",
                     "the agreement has another sender: they break its glass"),
                 STILE_DENIED);
    cr_assert_eq(may(id, "VCL05", "VCS07", "risk-to-life",
                     "the agreement has another recipient"),
                 STILE_DENIED);
    cr_assert_eq(may(id, "VCL05", "RZ9", "court-order",
                     "that is no reason the agreement names"),
                 STILE_DENIED);
    cr_assert_eq(may(id, "VCL05", "RZ9", "curiosity",
                     "that is no reason the agreement names"),
                 STILE_DENIED);
    cr_assert_eq(may("DSA-2026-001", "A99901", "RZ9", "risk-to-life",
                     "the agreement has no break-glass"),
                 STILE_DENIED);
    cr_assert_eq(may("DSA-1", "VCL05", "RZ9", "risk-to-life",
                     "there is no such agreement"),
                 STILE_NOT_FOUND);
}

Test(govern_glass, sentence_and_flows_tell_of_it)
{
    struct stile_flow_query query = {S("RZ9"), S("phone"), S("")};
    struct stile_value *report = NULL;

    cr_assert_eq(help_load(&set), STILE_OK);
    stile_rules_read(set.rules, &said);
    cr_assert(says("The glass may be broken on risk-to-life, for at most 24 "
                   "hours; the privacy officer is told."));
    stile_buf_clear(&said);
    cr_assert_eq(
        stile_rules_flows(set.rules, &query, set.today, set.arena, &report),
        STILE_OK);
    stile_rules_flows_print(report, &said);
    cr_assert(says("it needs referral-open, and break-glass; the glass may be "
                   "broken on risk-to-life, for at most 24 hours\n"));
    cr_assert(says("always: notice to privacy-officer"));
}

static void differs(const char *door, const char *class, const char *text)
{
    struct help_set other;
    struct stile_value *report = NULL;

    help_open(&other);
    help_edit(&other, "agreements.yaml", S(DOOR), stile_str_cstr(door));
    cr_assert_eq(help_load(&other), STILE_OK);
    stile_buf_clear(&said);
    cr_assert_eq(
        stile_rules_diff(set.rules, other.rules, set.today, set.arena, &report),
        STILE_OK);
    stile_rules_diff_print(report, &said);
    cr_assert(stile_str_eqc(stile_value_text(report, "class"), class), "%.*s",
              STILE_FMT(stile_buf_str(&said)));
    cr_assert(says(text), "%.*s", STILE_FMT(stile_buf_str(&said)));
    help_close(&other);
}

Test(govern_glass, a_wider_door_is_wider)
{
    cr_assert_eq(help_load(&set), STILE_OK);
    differs("  break-glass: {reasons: [risk-to-life], hours: 48}\n", "wider",
            "wider: break-glass of DSA-2026-008: for at most 48 hours, before "
            "24; 0 reasons added, 0 removed");
    differs("  break-glass: {reasons: [risk-to-life], hours: 23}\n", "narrower",
            "narrower: break-glass");
    differs("  break-glass: {reasons: [risk-to-life, statute], hours: 24}\n",
            "wider", "1 reasons added, 0 removed");
    differs("  break-glass: {reasons: [statute], hours: 24}\n", "mixed",
            "1 reasons added, 1 removed");
}
