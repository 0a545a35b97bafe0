/* The analyses of the shipped rules, and of the shipped rules with an edit. */
#include "unit/govern_help.h"

#include <criterion/criterion.h>

static struct help_set set;
static struct stile_buf said;
static const struct stile_date day = {2026, 11, 21};

static void open_set(void)
{
    help_open(&set);
    cr_assert_eq(help_load(&set), STILE_OK);
    stile_buf_init(&said, 1u << 22);
}

static void close_set(void)
{
    stile_buf_release(&said);
    help_close(&set);
}

TestSuite(govern_analyse, .init = open_set, .fini = close_set);

static bool says(const char *text)
{
    return stile_str_find_str(stile_buf_str(&said), stile_str_cstr(text)) !=
           SIZE_MAX;
}

/* ---- who sees what ---- */

static const struct stile_value *flows(const char *recipient, const char *data,
                                       const char *label)
{
    struct stile_flow_query query = {
        stile_str_cstr(recipient), stile_str_cstr(data), stile_str_cstr(label)};
    struct stile_value *report = NULL;

    cr_assert_eq(stile_rules_flows(set.rules, &query, day, set.arena, &report),
                 STILE_OK);
    stile_rules_flows_print(report, &said);
    return stile_value_getc(report, "flows");
}

static bool any(const struct stile_value *list, const char *name,
                const char *text)
{
    const struct stile_value *flow;

    for (flow = list->first; flow; flow = flow->next) {
        if (stile_str_eqc(stile_value_text(flow, name), text)) {
            return true;
        }
    }
    return false;
}

Test(govern_analyse, the_address_goes_to_the_trust_and_by_one_rule_to_riverside)
{
    const struct stile_value *list = flows("", "address", "");

    /* The trust by three: the practice's record and the helpline's calls. */
    cr_assert_eq(list->count, 5);
    cr_assert(any(list, "recipient", "RZ9"));
    cr_assert(any(list, "recipient", "VCS07"));
    cr_assert(any(list, "recipient", "LAX01"));
    cr_assert_not(any(list, "recipient", "QZ9"));
    cr_assert(says("by RIV-2 until 2027-03-31; it needs referral-open, and "
                   "consent-to-this-recipient"));
    cr_assert(says("always: notice to patient-trail"));
    cr_assert(says("may be kept back or changed by: "));
    cr_assert(says("for example when consent-to-this-recipient: yes, "
                   "referral-open: yes, every other fact no"));
}

Test(govern_analyse, nobody_gets_letters)
{
    cr_assert_eq(flows("", "letters", "")->count, 0);
    cr_assert(says("Nobody, on 2026-11-21: no rule lets it go, in any case."));
}

Test(govern_analyse, what_is_labelled_self_harm_goes_to_no_charity)
{
    const struct stile_value *list = flows("", "", "self-harm");

    cr_assert(any(list, "recipient", "RZ9"));
    cr_assert_not(any(list, "recipient", "VCS07"));
}

/* Only on a yes for the item, to health professionals. */
Test(govern_analyse, sexual_health_needs_a_yes_for_the_item)
{
    const struct stile_value *flow = flows("RZ9", "problems", "sexual-health");

    cr_assert_eq(flow->count, 2);
    for (flow = flow->first; flow; flow = flow->next) {
        cr_assert(stile_str_eqc(
            stile_value_text(stile_value_path(flow, "example.patient"),
                             "consent-to-this-item"),
            "yes"));
    }
}

Test(govern_analyse, receives_by_code_or_name)
{
    size_t by_code = flows("VCS07", "", "")->count;

    cr_assert_gt(by_code, 0);
    cr_assert_eq(flows("riverside advice", "", "")->count, by_code);
    cr_assert_eq(flows("NOBODY", "", "")->count, 0);
}

Test(govern_analyse, nothing_goes_when_the_agreement_has_ended)
{
    struct stile_flow_query query = {0};
    struct stile_value *report = NULL;
    struct stile_date last = {2027, 3, 31}, after = {2027, 4, 1};

    cr_assert_eq(stile_rules_flows(set.rules, &query, last, set.arena, &report),
                 STILE_OK);
    cr_assert_gt(stile_value_getc(report, "flows")->count, 0);
    cr_assert_eq(
        stile_rules_flows(set.rules, &query, after, set.arena, &report),
        STILE_OK);
    cr_assert_eq(stile_value_getc(report, "flows")->count, 0);
}

Test(govern_analyse, a_word_nobody_knows_is_refused)
{
    struct stile_flow_query query = {.data = STILE_STR("adress")};
    struct stile_value *report = NULL;

    cr_assert_eq(stile_rules_flows(set.rules, &query, day, set.arena, &report),
                 STILE_INVALID);
    query = (struct stile_flow_query){.label = STILE_STR("secret")};
    cr_assert_eq(stile_rules_flows(set.rules, &query, day, set.arena, &report),
                 STILE_INVALID);
    cr_assert_null(report);
}

/* ---- differences ---- */

#define DEBT_CASE(name, yes, expected)                                         \
    "- example: debt advice, " name "\n"                                       \
    "  rule: DEB-1\n"                                                          \
    "  under: DSA-2026-099\n"                                                  \
    "  for: social-prescribing\n"                                              \
    "  family: fhir\n"                                                         \
    "  patient: {referral-open: yes, consent-to-this-recipient: " yes          \
    ", under-16: no, spine-sensitive: no, adopted: no, unable-to-consent: "    \
    "no, "                                                                     \
    "dissent-third-party: no}\n"                                               \
    "  data: referral\n"                                                       \
    "  expect: " expected "\n\n"
#define DEBT_CASES                                                             \
    DEBT_CASE("with a yes", "yes", "release")                                  \
    DEBT_CASE("with a no", "no", "withhold")

/* The shipped set with each `from` of the file made `to`. */
static const struct stile_rules *
edited(struct help_set *other, const char *const (*edits)[3], size_t count)
{
    size_t e;

    help_open(other);
    for (e = 0; e < count; e++) {
        help_edit(other, edits[e][0], stile_str_cstr(edits[e][1]),
                  stile_str_cstr(edits[e][2]));
    }
    if (help_load(other) != STILE_OK) {
        stile_diags_print(&other->diags, false, &said);
        cr_assert_fail("%.*s", STILE_FMT(stile_buf_str(&said)));
    }
    return other->rules;
}

static const struct stile_value *diff(const struct stile_rules *old,
                                      const struct stile_rules *new)
{
    struct stile_value *report = NULL;

    cr_assert_eq(stile_rules_diff(old, new, day, set.arena, &report), STILE_OK);
    stile_buf_clear(&said);
    stile_rules_diff_print(report, &said);
    return report;
}

static bool class_is(const struct stile_value *report, const char *class)
{
    return stile_str_eqc(stile_value_text(report, "class"), class);
}

/* What is no flow and matters to who signs all the same. */
Test(govern_analyse, what_is_told_and_what_an_agreement_says_is_compared)
{
    static const struct {
        const char *edit[3], *class, *says, *back;
    } cases[] = {
        {{"rules.yaml",
          "data: {labelled: [sexual-health, termination, fertility]}\n  reach: "
          "linked-items\n  unless: [{consent-to-this-item: yes, recipient-is: "
          "health-professional}]\n  tell-recipient: nothing",
          "data: {labelled: [sexual-health, termination, fertility]}\n  reach: "
          "linked-items\n  unless: [{consent-to-this-item: yes, recipient-is: "
          "health-professional}]\n  tell-recipient: items-withheld"},
         "wider",
         "WIDER: the recipient is now told that items stay, by SEN-SEX",
         "narrower"},
        {{"agreements.yaml", "9-2-h, confidentiality: explicit-consent",
          "9-2-h, confidentiality: implied-consent"},
         "mixed",
         "MIXED: in DSA-2026-002, 'basis' differs",
         "mixed"},
        {{"agreements.yaml", "name: Riverside Advice, dspt",
          "name: Other, dspt"},
         "mixed",
         "MIXED: in DSA-2026-002, 'names of the parties' differs",
         "mixed"},
        {{"agreements.yaml", "title: Social prescribing", "title: Any"},
         "equal",
         "text: in DSA-2026-002, 'title' differs",
         "equal"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct help_set other;

        help_open(&other);
        help_edit(&other, cases[i].edit[0], stile_str_cstr(cases[i].edit[1]),
                  stile_str_cstr(cases[i].edit[2]));
        (void)!help_load(&other);
        if (other.rules == NULL) {
            stile_diags_print(&other.diags, false, &said);
            cr_assert_fail("%zu: %.*s", i, STILE_FMT(stile_buf_str(&said)));
        }
        cr_expect(class_is(diff(set.rules, other.rules), cases[i].class),
                  "%zu: %.*s", i, STILE_FMT(stile_buf_str(&said)));
        cr_expect(says(cases[i].says), "%zu: %.*s", i,
                  STILE_FMT(stile_buf_str(&said)));
        cr_expect(class_is(diff(other.rules, set.rules), cases[i].back), "%zu",
                  i);
        help_close(&other);
    }
}

Test(govern_analyse, a_set_is_equal_to_itself)
{
    cr_assert(class_is(diff(set.rules, set.rules), "equal"));
    cr_assert(says("The new set is equal"));
}

Test(govern_analyse, one_more_word_is_wider_and_the_way_back_narrower)
{
    static const char *const edits[][3] = {
        {"agreements.yaml",
         "data: [name, birth-date, phone, accessibility-needs,",
         "data: [name, birth-date, phone, email, accessibility-needs,"},
        {"rules.yaml", "data: [name, birth-date, phone, accessibility-needs,",
         "data: [name, birth-date, phone, email, accessibility-needs,"}};
    struct help_set other;
    const struct stile_rules *new = edited(&other, edits, 2);
    const struct stile_value *report = diff(set.rules, new);
    const struct stile_value *change =
        stile_value_getc(report, "changes")->first;

    cr_assert(class_is(report, "wider"));
    cr_assert(
        stile_str_eqc(stile_value_text(change, "change"), "newly-released"));
    cr_assert(stile_str_eqc(stile_value_text(change, "recipient"), "VCS07"));
    cr_assert(stile_str_eqc(stile_value_text(change, "until"), "2027-03-31"));
    cr_assert_eq(stile_value_getc(change, "data")->count, 1);
    cr_assert(
        stile_str_eqc(stile_value_getc(change, "data")->first->text, "email"));
    cr_assert(stile_str_eqc(stile_value_getc(change, "rules")->first->text,
                            "RIV-1 changed"));
    cr_assert(says("WIDER: now goes, did not before\n  what: email\n"));
    cr_assert(class_is(diff(new, set.rules), "narrower"));
    help_close(&other);
}

Test(govern_analyse, a_duty_less_is_wider)
{
    static const char *const edits[][3] = {
        {"rules.yaml", "then: [log-to-patient-trail, receipt]",
         "then: [log-to-patient-trail]"}};
    struct help_set other;
    const struct stile_value *report =
        diff(set.rules, edited(&other, edits, 1));

    cr_assert(class_is(report, "wider"));
    cr_assert(says("WIDER: goes as before, but no more notice to receipt"));
    help_close(&other);
}

/* Withholds and guardrails act under the new agreement too, and none of them
 * was changed by anybody. */
Test(govern_analyse, an_added_agreement_changes_no_rule_but_its_own)
{
    static const char *const edits[][3] = {
        {"agreements.yaml", "- agreement: DSA-2026-002\n",
         "- agreement: DSA-2026-099\n"
         "  title: Debt advice\n"
         "  between:\n"
         "    - {ods: A99901, as: sender, kind: gp-practice, name: Alder Lane "
         "Surgery}\n"
         "    - {ods: VCS07, as: recipient, kind: voluntary-non-care, name: "
         "Riverside Advice, dspt-expires: 2027-06-30}\n"
         "  for: [social-prescribing]\n"
         "  data: [name, referral]\n"
         "  basis:\n"
         "    sender: {article6: 6-1-e, article9: 9-2-h, confidentiality: "
         "explicit-consent}\n"
         "    recipient: {article6: 6-1-f, article9: 9-2-a}\n"
         "  papers: {dpia: DPIA-99, dpia-expires: 2027-03-31, ropa: ROPA-99}\n"
         "  public-reason: If you agree, we pass on what you asked for.\n"
         "  from: 2026-11-01\n"
         "  review: 2027-03-01\n"
         "  expires: 2027-03-31\n"
         "  approved-by:\n"
         "    - {role: caldicott-guardian, key: cg-1, on: 2026-11-01}\n"
         "\n"
         "- agreement: DSA-2026-002\n"},
        {"rules.yaml", "- rule: RIV-1\n",
         "- rule: DEB-1\n"
         "  kind: share\n"
         "  says: Send a short referral for debt advice.\n"
         "  under: DSA-2026-099\n"
         "  for: social-prescribing\n"
         "  data: [name, referral]\n"
         "  needs: [referral-open, consent-to-this-recipient]\n"
         "  then: [log-to-patient-trail]\n"
         "\n"
         "- rule: RIV-1\n"},
        {"examples.yaml", "- example: ", DEBT_CASES "- example: "}};
    struct help_set other;
    const struct stile_value *report =
        diff(set.rules, edited(&other, edits, 3));
    const struct stile_value *change =
        stile_value_getc(report, "changes")->first;

    cr_assert(class_is(report, "wider"));
    cr_assert_not_null(change);
    for (; change; change = change->next) {
        const struct stile_value *rules = stile_value_getc(change, "rules");

        cr_assert_eq(rules->count, 1, "%.*s", STILE_FMT(stile_buf_str(&said)));
        cr_assert(stile_str_eqc(rules->first->text, "DEB-1 added"));
        cr_assert_not(stile_value_getc(change, "more")->boolean);
    }
    help_close(&other);
}

/* Nothing changes before the day the agreement would have ended. */
static const char *const longer[][3] = {
    {"agreements.yaml", "  expires: 2027-03-31", "  expires: 2027-04-30"},
    {"agreements.yaml", "dpia-expires: 2027-03-31", "dpia-expires: 2027-05-31"},
    {"examples.yaml", "on: 2027-04-01", "on: 2027-05-01"}};

Test(govern_analyse, a_longer_agreement_is_wider_from_its_old_last_day_on)
{
    struct help_set other;
    const struct stile_value *report =
        diff(set.rules, edited(&other, longer, 3));
    const struct stile_value *change =
        stile_value_getc(report, "changes")->first;

    cr_assert(class_is(report, "wider"));
    for (; change; change = change->next) {
        cr_assert(
            stile_str_eqc(stile_value_text(change, "from"), "2027-04-01"));
        cr_assert(
            stile_str_eqc(stile_value_text(change, "until"), "2027-04-30"));
    }
    help_close(&other);
}

Test(govern_analyse, a_need_for_another_is_mixed)
{
    static const char *const edits[][3] = {
        {"rules.yaml",
         "{any-of: [referral-open, care-relationship, registered, booked, "
         "self-claimed]}",
         "{any-of: [referral-open, care-relationship, registered, booked, "
         "consent-to-share]}"}};
    struct help_set other;

    cr_assert(class_is(diff(set.rules, edited(&other, edits, 1)), "mixed"));
    cr_assert(says("WIDER: now goes, did not before"));
    cr_assert(says("narrower: goes no more"));
    help_close(&other);
}

Test(govern_analyse, other_words_of_the_officer_are_no_change)
{
    static const char *const edits[][3] = {
        {"rules.yaml", "says: Send a short referral", "says: Pass a referral"}};
    struct help_set other;

    cr_assert(class_is(diff(set.rules, edited(&other, edits, 1)), "equal"));
    help_close(&other);
}

Test(govern_analyse, a_code_less_on_a_label_is_wider)
{
    struct help_set other;
    size_t i;

    help_open(&other);
    for (i = 0; i < other.count; i++) {
        if (stile_str_eqc(other.sources[i].name, "labels/self-harm.csv")) {
            /* Without its last row. */
            struct stile_str *list = &other.sources[i].text;
            do {
                list->len--;
            } while (list->ptr[list->len - 1] != '\n');
        }
    }
    cr_assert_eq(help_load(&other), STILE_OK);
    cr_assert(class_is(diff(set.rules, other.rules), "wider"));
    cr_assert(says("wider: code lists (labels): 0 codes added, 1 removed"));
    cr_assert(class_is(diff(other.rules, set.rules), "narrower"));
    help_close(&other);
}

Test(govern_analyse, another_meaning_of_a_word_is_mixed)
{
    static const char *const absent[][3] = {
        {"vocabulary.yaml",
         "absent: {emis: no, systmone: unknown, vcse-case: unknown, fhir: "
         "unknown}",
         "absent: {emis: no, systmone: no, vcse-case: unknown, fhir: "
         "unknown}"}};
    struct help_set other;

    cr_assert(class_is(diff(set.rules, edited(&other, absent, 1)), "mixed"));
    cr_assert(says("vocabulary.yaml differs"));
    help_close(&other);
}

/* ---- the set as a whole ---- */

Test(govern_analyse, the_shipped_set_has_no_fault_and_its_floor_holds)
{
    struct stile_value *report = NULL;
    const struct stile_value *finding;

    cr_assert_eq(stile_rules_analyse(set.rules, day, set.arena, &report),
                 STILE_OK);
    for (finding = stile_value_getc(report, "findings")->first; finding;
         finding = finding->next) {
        cr_assert(stile_str_eqc(stile_value_text(finding, "severity"), "note"),
                  "%.*s", STILE_FMT(stile_value_text(finding, "message")));
    }
    cr_assert(stile_value_path(report, "floor.holds")->boolean);
    cr_assert_eq(stile_value_path(report, "floor.guardrails")->count, 12);
    stile_rules_analyse_print(report, true, &said);
    cr_assert(says("floor: nothing a guardrail forbids can leave: "));
    cr_assert(says("SEN-SEX stands over TRU-1, for example: "));
    cr_assert(says("note: rule NAT-TYPE1 meets nothing that is shared today"));
}

Test(govern_analyse, the_calendar_at_its_edge_and_one_past_it)
{
    struct stile_value *report = NULL;
    struct stile_date at = {2027, 1, 1};

    /* 2027-01-31 is 30 days on, 2027-03-31 is 89. */
    cr_assert_eq(stile_rules_calendar(set.rules, at, 29, set.arena, &report),
                 STILE_OK);
    cr_assert_eq(stile_value_getc(report, "dates")->count, 0);
    stile_rules_calendar_print(report, &said);
    cr_assert(says("Nothing runs out in 29 days from 2027-01-01."));
    cr_assert_eq(stile_rules_calendar(set.rules, at, 30, set.arena, &report),
                 STILE_OK);
    cr_assert_eq(stile_value_getc(report, "dates")->count, 10);
    cr_assert_eq(stile_rules_calendar(set.rules, at, 89, set.arena, &report),
                 STILE_OK);
    stile_buf_clear(&said);
    stile_rules_calendar_print(report, &said);
    cr_assert(says("Within 30 days\n"));
    cr_assert(says("Within 90 days\n"));
    cr_assert(says("  2027-03-31  DSA-2026-002 (Riverside Advice): last day of "
                   "the agreement; then stops: RIV-1\n"));
    cr_assert(says("Words that count for a time only\n"
                   "  national-opt-out: 7 days from its date, then it is not "
                   "known; asked by: NAT-NDO\n"));
}

Test(govern_analyse, what_ran_out_is_still_told)
{
    struct stile_value *report = NULL;
    struct stile_date at = {2027, 4, 1};

    cr_assert_eq(stile_rules_calendar(set.rules, at, 1, set.arena, &report),
                 STILE_OK);
    stile_rules_calendar_print(report, &said);
    cr_assert(says("Past\n"));
    cr_assert(says("last day of the agreement; stopped: TRU-1\n"));
}
