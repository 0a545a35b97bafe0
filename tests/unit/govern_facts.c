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

TestSuite(govern_facts, .init = open_set, .fini = close_set);

static size_t facts_of(const char *json, const char *family,
                       struct stile_fact **ret)
{
    struct stile_value *list = help_json(set.arena, json);
    struct stile_value **resources =
        stile_arena_array(set.arena, list->count + 1, sizeof(*resources));
    struct stile_value *value;
    size_t count = 0, n = 0;

    for (value = list->first; value; value = value->next) {
        resources[n++] = value;
    }
    cr_assert_eq(stile_govern_facts(set.rules, resources, n,
                                    stile_str_cstr(family), set.arena, ret,
                                    &count),
                 STILE_OK);
    return count;
}

/* How often the fact is said with that value about that recipient. */
static size_t said(const char *json, const char *name, enum stile_truth value,
                   const char *recipient)
{
    struct stile_fact *facts;
    size_t count = facts_of(json, "emis", &facts);
    size_t found = 0, i;

    for (i = 0; i < count; i++) {
        found += stile_str_eqc(facts[i].name, name) &&
                 facts[i].value == value &&
                 stile_str_eqc(facts[i].recipient, recipient);
    }
    return found;
}

#define SCT "\"system\":\"http://snomed.info/sct\""
#define ODS "\"system\":\"https://fhir.nhs.uk/Id/ods-organization-code\""
#define OBS(code, date)                                                        \
    "{\"resourceType\":\"Observation\",\"id\":\"" date "\",\"code\":"          \
    "{\"coding\":[{" SCT ",\"code\":\"" code "\"}]},"                          \
    "\"effectiveDateTime\":\"" date "\"}"

Test(govern_facts, one_flag_a_scheme)
{
    const char *json = "[" OBS("827241000000103", "2020-01-01") "]";

    cr_assert_eq(said(json, "type-1", STILE_YES, ""), 1);
    cr_assert_eq(said(json, "dissent-local-sharing", STILE_YES, ""), 0);
    cr_assert_eq(said(json, "dissent-scr", STILE_YES, ""), 0);
}

Test(govern_facts, read_codes_match_with_and_without_their_dots)
{
    const char *with = "[{\"resourceType\":\"Observation\",\"id\":\"a\","
                       "\"effectiveDateTime\":\"2020-01-01\",\"code\":"
                       "{\"coding\":[{\"system\":\"http://read.info/readv2\","
                       "\"code\":\"93C1.\"}]}}]";

    cr_assert_eq(said(with, "dissent-local-sharing", STILE_YES, ""), 1);
}

#define EMIS_TERM(id)                                                          \
    "[{\"resourceType\":\"Observation\",\"id\":\"a\","                         \
    "\"effectiveDateTime\":\"2020-01-01\",\"code\":{\"coding\":[{"             \
    "\"system\":\"https://stile.example/fhir/CodeSystem/emis-read-term-id\","  \
    "\"code\":\"" id "\"}]}}]"

/* EMIS knows some refusals by no SNOMED CT code, and writes the number of the
 * synonym behind the Read code. */
Test(govern_facts, a_refusal_known_by_its_emis_term_id_alone_is_heard)
{
    cr_assert_eq(said(EMIS_TERM("9Nu0.-1"), "type-1", STILE_YES, ""), 1);
    cr_assert_eq(
        said(EMIS_TERM("9Nu0.-1"), "dissent-local-sharing", STILE_YES, ""), 0);
    cr_assert_eq(
        said(EMIS_TERM("9Nd1."), "dissent-local-sharing", STILE_YES, ""), 1);
    cr_assert_eq(
        said(EMIS_TERM("93C1.-12"), "dissent-local-sharing", STILE_YES, ""), 1);
    cr_assert_eq(
        said(EMIS_TERM("9Nd7.-1"), "dissent-local-sharing", STILE_NO, ""), 1);
    /* Not a synonym's number: a code of EMIS's own. */
    cr_assert_eq(
        said(EMIS_TERM("9Nd1.-KC6"), "dissent-local-sharing", STILE_YES, ""),
        0);
}

Test(govern_facts, a_code_without_system_makes_the_fact_unknown)
{
    const char *json = "[{\"resourceType\":\"Observation\",\"id\":\"a\","
                       "\"effectiveDateTime\":\"2020-01-01\",\"code\":"
                       "{\"coding\":[{\"code\":\"416409005\"}]}}]";

    cr_assert_eq(said(json, "dissent-local-sharing", STILE_UNKNOWN, ""), 1);
}

Test(govern_facts, a_code_in_a_system_not_known_makes_the_fact_unknown)
{
    const char *json =
        "[{\"resourceType\":\"Observation\",\"id\":\"a\","
        "\"effectiveDateTime\":\"2020-01-01\",\"code\":{\"coding\":["
        "{\"system\":\"http://snomed.info/sct/\",\"code\":\"416409005\"}]}}]";

    cr_assert_eq(said(json, "dissent-local-sharing", STILE_UNKNOWN, ""), 1);
    cr_assert_eq(said(json, "dissent-local-sharing", STILE_YES, ""), 0);
}

Test(govern_facts, an_entry_made_in_error_says_nothing)
{
    const char *json =
        "[{\"resourceType\":\"Observation\",\"id\":\"a\","
        "\"status\":\"entered-in-error\",\"effectiveDateTime\":\"2020-01-01\","
        "\"code\":{\"coding\":[{" SCT ",\"code\":\"416409005\"}]}}]";

    cr_assert_eq(said(json, "dissent-local-sharing", STILE_YES, ""), 0);
}

Test(govern_facts, undated_entries_that_disagree_are_unknown)
{
    const char *json =
        "[" OBS("416409005", "2020") "," OBS("417528008", "2021-01-01") "]";
    const char *agree =
        "[" OBS("416409005", "2020") "," OBS("416409005", "2021-01-01") "]";

    cr_assert_geq(said(json, "dissent-local-sharing", STILE_UNKNOWN, ""), 1);
    cr_assert_eq(said(agree, "dissent-local-sharing", STILE_UNKNOWN, ""), 0);
}

Test(govern_facts, spine_mark)
{
    const char *marked =
        "[{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"security\":"
        "[{\"code\":\"R\"}]}}]";
    const char *both = "[{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":"
                       "{\"security\":[{\"code\":\"U\"},{\"code\":\"R\"}]}}]";
    const char *plain = "[{\"resourceType\":\"Patient\",\"id\":\"p\"}]";
    struct stile_fact *facts;

    cr_assert_eq(said(marked, "spine-sensitive", STILE_YES, ""), 1);
    cr_assert_eq(said(both, "spine-sensitive", STILE_YES, ""), 1);
    cr_assert_eq(said(plain, "spine-sensitive", STILE_NO, ""), 1);
    /* Of a case of a charity silence says nothing. */
    for (size_t i = 0, n = facts_of(plain, "vcse-case", &facts); i < n; i++) {
        cr_assert_not(stile_str_eqc(facts[i].name, "spine-sensitive"));
    }
}

Test(govern_facts, referral_open_to_whom_it_is_made)
{
    const char *direct =
        "[{\"resourceType\":\"ServiceRequest\",\"id\":\"s\",\"status\":"
        "\"active\",\"performer\":[{\"identifier\":{" ODS
        ",\"value\":\"RZ9\"}}]}]";
    const char *by_service =
        "[{\"resourceType\":\"ServiceRequest\",\"id\":\"s\",\"status\":"
        "\"active\",\"performer\":[{\"reference\":\"HealthcareService/h\"}]},"
        "{\"resourceType\":\"HealthcareService\",\"id\":\"h\",\"providedBy\":"
        "{\"reference\":\"Organization/o\"}},{\"resourceType\":"
        "\"Organization\",\"id\":\"o\",\"identifier\":[{" ODS
        ",\"value\":\"RZ9\"}]}]";
    const char *ended =
        "[{\"resourceType\":\"ServiceRequest\",\"id\":\"s\",\"status\":"
        "\"completed\",\"performer\":[{\"identifier\":{" ODS
        ",\"value\":\"RZ9\"}}]}]";

    cr_assert_eq(said(direct, "referral-open", STILE_YES, "RZ9"), 1);
    cr_assert_eq(said(direct, "referral-open", STILE_YES, "VCS07"), 0);
    cr_assert_eq(said(by_service, "referral-open", STILE_YES, "RZ9"), 1);
    cr_assert_eq(said(ended, "referral-open", STILE_NO, "RZ9"), 1);
}

#define CONSENT(status, date, rest)                                            \
    "{\"resourceType\":\"Consent\",\"id\":\"" date "\",\"status\":\"" status   \
    "\",\"dateTime\":\"" date "\",\"provision\":{" rest "}}"
#define ACTOR(ods)                                                             \
    "\"actor\":[{\"reference\":{\"identifier\":{" ODS ",\"value\":\"" ods      \
    "\"}}}]"

Test(govern_facts, consent_names_its_recipient)
{
    const char *json = "[" CONSENT("active", "2026-01-01",
                                   "\"type\":\"permit\"," ACTOR("VCS07")) "]";

    cr_assert_eq(said(json, "consent-to-this-recipient", STILE_YES, "VCS07"),
                 1);
    cr_assert_eq(said(json, "consent-to-this-recipient", STILE_YES, "RZ9"), 0);
}

Test(govern_facts, consent_limited_in_ways_we_cannot_honour_is_unknown)
{
    const char *limited = "[" CONSENT(
        "active", "2026-01-01",
        "\"type\":\"permit\",\"class\":[{\"code\":\"x\"}]," ACTOR("VCS07")) "]";
    const char *purpose = "[" CONSENT(
        "active", "2026-01-01",
        "\"type\":\"permit\",\"purpose\":[{\"code\":\"HRESCH\"}]," ACTOR(
            "VCS07")) "]";
    const char *typeless =
        "[" CONSENT("active", "2026-01-01", ACTOR("VCS07")) "]";

    cr_assert_eq(
        said(limited, "consent-to-this-recipient", STILE_UNKNOWN, "VCS07"), 1);
    cr_assert_eq(
        said(purpose, "consent-to-this-recipient", STILE_UNKNOWN, "VCS07"), 1);
    cr_assert_eq(
        said(typeless, "consent-to-this-recipient", STILE_UNKNOWN, "VCS07"), 1);
}

Test(govern_facts, withdrawn_consent_is_a_no)
{
    const char *json = "[" CONSENT("inactive", "2026-01-01",
                                   "\"type\":\"permit\"," ACTOR("VCS07")) "]";

    cr_assert_eq(said(json, "consent-to-this-recipient", STILE_NO, "VCS07"), 1);
    cr_assert_eq(said(json, "consent-to-this-recipient", STILE_YES, "VCS07"),
                 0);
}

Test(govern_facts, draft_consent_says_nothing)
{
    const char *json = "[" CONSENT("draft", "2026-01-01",
                                   "\"type\":\"permit\"," ACTOR("VCS07")) "]";
    struct stile_fact *facts;

    cr_assert_eq(facts_of(json, "emis", &facts), 0);
}

static const char *const charity =
    "{\"sender\":\"A99901\",\"recipient\":\"VCS07\",\"kind\":"
    "\"voluntary-non-care\",\"purpose\":\"social-prescribing\",\"agreement\":"
    "\"DSA-2026-002\",\"family\":\"emis\",\"today\":\"%s\",\"facts\":{%s},"
    "\"resources\":[%s,{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":"
    "[{\"family\":\"X\"}],\"birthDate\":\"%s\"},{\"resourceType\":"
    "\"ServiceRequest\",\"id\":\"s\",\"status\":\"active\",\"subject\":"
    "{\"reference\":\"Patient/p\"},\"performer\":[{\"identifier\":{" ODS
    ",\"value\":\"VCS07\"}}]}]}";

static enum stile_outcome name_to_charity(const char *today, const char *facts,
                                          const char *consents,
                                          const char *born)
{
    struct help_case made;
    struct stile_str json =
        stile_arena_printf(set.arena, charity, today, facts, consents, born);

    help_decide(&set, stile_arena_cstr(set.arena, json), &made);
    return help_field(&made, "Patient", "p", "name")->outcome;
}

Test(govern_facts, the_newest_of_several_consents_decides)
{
    cr_assert_eq(
        name_to_charity(
            "2026-11-21", "",
            CONSENT(
                "active", "2026-01-01",
                "\"type\":\"permit\"," ACTOR(
                    "VCS07")) "," CONSENT("active", "2026-02-01",
                                          "\"type\":\"deny\"," ACTOR("VCS07")),
            "1961-02-03"),
        STILE_OUTCOME_WITHHOLD);
    cr_assert_eq(
        name_to_charity(
            "2026-11-21", "",
            CONSENT(
                "active", "2026-02-02",
                "\"type\":\"permit\"," ACTOR(
                    "VCS07")) "," CONSENT("active", "2026-02-01",
                                          "\"type\":\"deny\"," ACTOR("VCS07")),
            "1961-02-03"),
        STILE_OUTCOME_RELEASE);
}

Test(govern_facts, on_the_same_day_refusal_wins)
{
    cr_assert_eq(
        name_to_charity(
            "2026-11-21", "",
            CONSENT(
                "active", "2026-02-01",
                "\"type\":\"permit\"," ACTOR(
                    "VCS07")) "," CONSENT("active", "2026-02-01",
                                          "\"type\":\"deny\"," ACTOR("VCS07")),
            "1961-02-03"),
        STILE_OUTCOME_WITHHOLD);
}

Test(govern_facts, consent_holds_on_its_last_day_and_not_the_day_after)
{
    const char *consent = CONSENT(
        "active", "2026-01-01",
        "\"type\":\"permit\",\"period\":{\"end\":\"2026-11-21\"}," ACTOR(
            "VCS07"));

    cr_assert_eq(name_to_charity("2026-11-21", "", consent, "1961-02-03"),
                 STILE_OUTCOME_RELEASE);
    cr_assert_eq(name_to_charity("2026-11-22", "", consent, "1961-02-03"),
                 STILE_OUTCOME_WITHHOLD);
}

Test(govern_facts, a_yes_that_names_nobody_is_no_yes_to_the_charity)
{
    cr_assert_eq(
        name_to_charity("2026-11-21", "",
                        CONSENT("active", "2026-01-01", "\"type\":\"permit\""),
                        "1961-02-03"),
        STILE_OUTCOME_WITHHOLD);
}

Test(govern_facts, sixteen_on_the_birthday_and_not_the_day_before)
{
    const char *consent =
        CONSENT("active", "2026-01-01", "\"type\":\"permit\"," ACTOR("VCS07"));

    cr_assert_eq(name_to_charity("2026-11-21", "", consent, "2010-11-21"),
                 STILE_OUTCOME_RELEASE);
    cr_assert_eq(name_to_charity("2026-11-20", "", consent, "2010-11-21"),
                 STILE_OUTCOME_HOLD);
    /* A year of birth leaves it open for a year. */
    cr_assert_eq(name_to_charity("2026-11-21", "", consent, "2010"),
                 STILE_OUTCOME_HOLD);
    cr_assert_eq(name_to_charity("2027-01-01", "", consent, "2010"),
                 STILE_OUTCOME_RELEASE);
}

Test(govern_facts, no_date_of_birth_is_held)
{
    cr_assert_eq(name_to_charity("2026-11-21", "",
                                 CONSENT("active", "2026-01-01",
                                         "\"type\":\"permit\"," ACTOR("VCS07")),
                                 "x"),
                 STILE_OUTCOME_HOLD);
}

Test(govern_facts, absence_means_what_the_family_says)
{
    struct help_case made;
    static const char *const json =
        "{\"sender\":\"A99901\",\"recipient\":\"RZ9\",\"kind\":\"trust\","
        "\"purpose\":\"individual-care\",\"agreement\":\"DSA-2026-001\","
        "\"family\":\"%s\",\"facts\":{\"referral-open\":\"yes\"},"
        "\"resources\":[{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":"
        "[{\"family\":\"X\"}]}]}";

    help_decide(&set,
                stile_arena_cstr(set.arena,
                                 stile_arena_printf(set.arena, json, "emis")),
                &made);
    cr_assert_eq(help_field(&made, "Patient", "p", "name")->outcome,
                 STILE_OUTCOME_RELEASE);
    help_decide(&set,
                stile_arena_cstr(
                    set.arena, stile_arena_printf(set.arena, json, "systmone")),
                &made);
    cr_assert_eq(help_field(&made, "Patient", "p", "name")->outcome,
                 STILE_OUTCOME_WITHHOLD);
}

/* A yes for one item, to clinicians, lifts what else keeps it back. */
Test(govern_facts, consent_to_one_item_is_for_that_item_alone)
{
    struct help_case made;

    help_decide(
        &set,
        "{\"sender\":\"A99901\",\"recipient\":\"RZ9\",\"kind\":\"trust\","
        "\"purpose\":\"individual-care\",\"agreement\":\"DSA-2026-001\","
        "\"family\":\"emis\",\"facts\":{\"referral-open\":\"yes\"},"
        "\"resources\":[{\"resourceType\":\"Condition\",\"id\":\"yes\","
        "\"code\":{\"coding\":[{\"system\":\"https://stile.example/"
        "demo-codes\",\"code\":\"DEMO-SH\"}]}},{\"resourceType\":"
        "\"Condition\",\"id\":\"no\",\"code\":{\"coding\":[{\"system\":"
        "\"https://stile.example/demo-codes\",\"code\":\"DEMO-SH\"}]}},"
        "{\"resourceType\":\"Consent\",\"id\":\"k\",\"status\":\"active\","
        "\"provision\":{\"type\":\"permit\",\"actor\":[{\"reference\":{"
        "\"identifier\":{" ODS ",\"value\":\"RZ9\"}}}],\"data\":[{\"meaning\":"
        "\"instance\",\"reference\":{\"reference\":\"Condition/yes\"}}]}}]}",
        &made);
    cr_assert_eq(help_item(&made, "Condition", "yes")->outcome,
                 STILE_OUTCOME_RELEASE);
    cr_assert_eq(help_item(&made, "Condition", "no")->outcome,
                 STILE_OUTCOME_WITHHOLD);
}

/* ---- how long a word counts, and what is known ---- */

static stile_time days_ago(int days)
{
    return (stile_date_days(set.today) - days) * (86400 * STILE_SECOND);
}

static struct stile_known known_of(const struct stile_fact *facts, size_t count,
                                   const char *recipient, const char *name)
{
    struct stile_known *known = NULL;
    size_t n = 0, i;

    cr_assert_eq(stile_govern_known(set.rules, facts, count,
                                    stile_str_cstr(recipient), set.today,
                                    set.arena, &known, &n),
                 STILE_OK);
    for (i = 0; i < n; i++) {
        if (stile_str_eqc(known[i].fact, name)) {
            return known[i];
        }
    }
    cr_assert_fail("no fact %s", name);
    return known[0];
}

Test(govern_facts, an_opt_out_answer_counts_seven_days_and_not_the_eighth)
{
    struct stile_fact fact = {.name = STILE_STR("national-opt-out"),
                              .value = STILE_NO};
    struct stile_known known;

    fact.date = days_ago(7);
    known = known_of(&fact, 1, "", "national-opt-out");
    cr_assert_eq(known.value, STILE_NO);
    cr_assert_eq(known.max_age, 7);
    cr_assert_eq(stile_date_days(known.stale), stile_date_days(set.today) + 1);
    fact.date = days_ago(8);
    known = known_of(&fact, 1, "", "national-opt-out");
    cr_assert_eq(known.value, STILE_UNKNOWN);
    cr_assert_eq(stile_date_days(known.stale), stile_date_days(set.today));
    cr_assert(known.any);
    fact.date = 0;
    cr_assert_eq(known_of(&fact, 1, "", "national-opt-out").value,
                 STILE_UNKNOWN, "nobody knows how old it is");
    fact.date = days_ago(-1);
    cr_assert_eq(known_of(&fact, 1, "", "national-opt-out").value,
                 STILE_UNKNOWN, "it cannot have been given tomorrow");
    fact.name = STILE_STR("spine-sensitive");
    fact.date = days_ago(5000);
    known = known_of(&fact, 1, "", "spine-sensitive");
    cr_assert_eq(known.value, STILE_NO, "it has no age limit");
    cr_assert_eq(known.stale.year, 0);
}

/* What the sheet makes of a word in `share` that nobody can read. */
Test(govern_facts, a_consent_that_says_nothing_takes_another_cases_yes_away)
{
    const char *unread = "{\"resourceType\":\"Consent\",\"id\":\"share.C-7\","
                         "\"status\":\"active\"}";
    const char *all = "{\"resourceType\":\"Consent\",\"id\":\"share.C-8\","
                      "\"status\":\"active\",\"provision\":{\"type\":"
                      "\"permit\"}}";
    struct stile_fact *facts;
    size_t count = facts_of(
        stile_arena_cstr(set.arena, stile_arena_printf(set.arena, "[%s]", all)),
        "vcse-case", &facts);

    cr_assert_eq(known_of(facts, count, "RZ9", "consent-to-share").value,
                 STILE_YES);
    count = facts_of(
        stile_arena_cstr(set.arena,
                         stile_arena_printf(set.arena, "[%s,%s]", unread, all)),
        "vcse-case", &facts);
    cr_assert_eq(known_of(facts, count, "RZ9", "consent-to-share").value,
                 STILE_UNKNOWN);
}

Test(govern_facts, a_yes_counts_against_a_refusal_only_when_it_is_later)
{
    struct stile_fact facts[] = {
        {.name = STILE_STR("consent-to-this-recipient"),
         .value = STILE_YES,
         .recipient = STILE_STR("VCS07"),
         .date = days_ago(40)},
        {.name = STILE_STR("dissent-third-party"), .value = STILE_YES}};
    const char *yes = "consent-to-this-recipient";

    facts[1].date = days_ago(5);
    cr_assert_eq(known_of(facts, 2, "VCS07", yes).value, STILE_UNKNOWN);
    facts[1].date = days_ago(40);
    cr_assert_eq(known_of(facts, 2, "VCS07", yes).value, STILE_UNKNOWN);
    facts[1].date = 0;
    cr_assert_eq(known_of(facts, 2, "VCS07", yes).value, STILE_UNKNOWN,
                 "nobody knows that the yes is later");
    facts[1].date = days_ago(41);
    cr_assert_eq(known_of(facts, 2, "VCS07", yes).value, STILE_YES);
    facts[1].date = days_ago(5);
    facts[1].value = STILE_UNKNOWN;
    cr_assert_eq(known_of(facts, 2, "VCS07", yes).value, STILE_UNKNOWN);
    facts[1].value = STILE_NO;
    cr_assert_eq(known_of(facts, 2, "VCS07", yes).value, STILE_YES);
}

Test(govern_facts, an_old_answer_is_not_helped_by_an_older)
{
    struct stile_fact facts[] = {
        {.name = STILE_STR("national-opt-out"), .value = STILE_YES},
        {.name = STILE_STR("national-opt-out"), .value = STILE_NO}};

    facts[0].date = days_ago(9);
    facts[1].date = days_ago(8);
    cr_assert_eq(known_of(facts, 2, "", "national-opt-out").value,
                 STILE_UNKNOWN);
    facts[1].date = days_ago(2);
    cr_assert_eq(known_of(facts, 2, "", "national-opt-out").value, STILE_NO);
    cr_assert_eq(known_of(facts, 2, "", "national-opt-out").counts, 1);
}

Test(govern_facts, what_is_known_says_which_word_counts_and_why)
{
    struct stile_fact facts[] = {
        {.name = STILE_STR("consent-to-this-recipient"),
         .value = STILE_YES,
         .recipient = STILE_STR("VCS07")},
        {.name = STILE_STR("consent-to-this-recipient"),
         .value = STILE_NO,
         .recipient = STILE_STR("VCS07")},
        {.name = STILE_STR("consent-to-this-recipient"), .value = STILE_YES}};
    const char *name = "consent-to-this-recipient";
    struct stile_known known;

    facts[0].date = days_ago(3);
    facts[1].date = days_ago(4);
    known = known_of(facts, 2, "VCS07", name);
    cr_assert_eq(known.value, STILE_YES);
    cr_assert_eq(known.counts, 0);
    cr_assert_str_eq(known.why, "it is the latest");
    facts[1].date = facts[0].date;
    known = known_of(facts, 2, "VCS07", name);
    cr_assert_eq(known.value, STILE_UNKNOWN);
    cr_assert_str_eq(known.why, "the latest disagree");
    facts[0].until = stile_date_from_days(stile_date_days(set.today) - 1);
    known = known_of(facts, 1, "VCS07", name);
    cr_assert_eq(known.value, STILE_UNKNOWN);
    cr_assert_str_eq(known.why, "it does not hold today");
    known = known_of(facts + 2, 1, "VCS07", name);
    cr_assert_eq(known.value, STILE_UNKNOWN);
    cr_assert_eq(known.counts, 0);
    known = known_of(facts, 1, "", name);
    cr_assert_not(known.any);
    cr_assert_eq(known.counts, SIZE_MAX);
}

Test(govern_facts, silence_is_told_by_family)
{
    cr_assert_eq(stile_govern_silence(set.rules,
                                      STILE_STR("dissent-local-sharing"),
                                      STILE_STR("emis")),
                 STILE_NO);
    cr_assert_eq(stile_govern_silence(set.rules,
                                      STILE_STR("dissent-local-sharing"),
                                      STILE_STR("systmone")),
                 STILE_UNKNOWN);
    cr_assert_eq(
        stile_govern_silence(set.rules, STILE_STR("no"), STILE_STR("emis")),
        STILE_UNKNOWN);
}

#define TO_RIVERSIDE STILE_STR("consent-to-this-recipient")
#define HOUR (3600 * STILE_SECOND)

/* The yes and the no of one recipient at these times; what is known. */
static enum stile_truth yes_and_no(stile_time yes, stile_time no)
{
    struct stile_fact facts[2] = {{.name = TO_RIVERSIDE,
                                   .value = STILE_YES,
                                   .recipient = STILE_STR("VCS07"),
                                   .date = yes},
                                  {.name = TO_RIVERSIDE,
                                   .value = STILE_NO,
                                   .recipient = STILE_STR("VCS07"),
                                   .date = no}};
    struct stile_fact back[2] = {facts[1], facts[0]};
    enum stile_truth value =
        known_of(facts, 2, "VCS07", "consent-to-this-recipient").value;

    cr_assert_eq(known_of(back, 2, "VCS07", "consent-to-this-recipient").value,
                 value, "order matters");
    return value;
}

Test(govern_facts, of_one_day_nobody_knows_which_was_later)
{
    stile_time day = days_ago(3);

    cr_assert_eq(yes_and_no(day + 10 * HOUR, day), STILE_UNKNOWN);
    cr_assert_eq(yes_and_no(day, day + 10 * HOUR), STILE_UNKNOWN);
    /* Both with a time: the later one. */
    cr_assert_eq(yes_and_no(day + 10 * HOUR, day + 9 * HOUR), STILE_YES);
    cr_assert_eq(yes_and_no(day + 9 * HOUR, day + 10 * HOUR), STILE_NO);
    /* Of two days: the later one. */
    cr_assert_eq(yes_and_no(day + 24 * HOUR, day), STILE_YES);
    cr_assert_eq(yes_and_no(day, day + 24 * HOUR), STILE_NO);
}

Test(govern_facts, a_refusal_of_all_on_the_same_day_undoes_the_yes)
{
    stile_time day = days_ago(3);
    struct stile_fact facts[2] = {{.name = TO_RIVERSIDE,
                                   .value = STILE_YES,
                                   .recipient = STILE_STR("VCS07"),
                                   .date = day + 10 * HOUR},
                                  {.name = TO_RIVERSIDE, .value = STILE_NO}};
    size_t i;

    for (i = 0; i < 2; i++) { /* of that day; without a date */
        facts[1].date = i ? 0 : day;
        cr_assert_eq(
            known_of(facts, 2, "VCS07", "consent-to-this-recipient").value,
            STILE_UNKNOWN);
    }
    facts[1].date = day - 24 * HOUR;
    cr_assert_eq(known_of(facts, 2, "VCS07", "consent-to-this-recipient").value,
                 STILE_YES);
}

/* A mark in the record has no date; a no that was given with one is no reason
 * to pass it over. */
Test(govern_facts, a_dated_no_does_not_lift_a_mark_without_a_date)
{
    struct stile_fact facts[2] = {
        {.name = STILE_STR("spine-sensitive"), .value = STILE_YES},
        {.name = STILE_STR("spine-sensitive"),
         .value = STILE_NO,
         .date = days_ago(3)}};

    cr_assert_eq(known_of(facts, 2, "", "spine-sensitive").value,
                 STILE_UNKNOWN);
    /* The other way about, the dated mark stands. */
    facts[0].date = days_ago(3);
    facts[1].date = 0;
    cr_assert_eq(known_of(facts, 2, "", "spine-sensitive").value, STILE_YES);
}

Test(govern_facts, a_yes_of_later_today_is_not_known_yet)
{
    struct stile_fact yes = {.name = TO_RIVERSIDE,
                             .value = STILE_YES,
                             .recipient = STILE_STR("VCS07"),
                             .date = days_ago(0) + 20 * HOUR};
    struct help_case made;
    size_t i;

    help_question(&set,
                  help_json(set.arena,
                            "{\"sender\":\"A99901\",\"recipient\":\"VCS07\","
                            "\"kind\":\"voluntary-non-care\",\"purpose\":"
                            "\"social-prescribing\",\"agreement\":"
                            "\"DSA-2026-002\",\"family\":\"emis\","
                            "\"resources\":[{\"resourceType\":\"Patient\","
                            "\"id\":\"p\",\"birthDate\":\"1961-02-03\","
                            "\"name\":[{\"family\":\"X\"}]}]}"),
                  &made.question);
    struct stile_fact facts[3] = {
        yes,
        {.name = STILE_STR("under-16"), .value = STILE_NO},
        {.name = STILE_STR("referral-open"),
         .value = STILE_YES,
         .recipient = STILE_STR("VCS07")}};
    made.question.facts = facts;
    made.question.fact_count = 3;
    for (i = 0; i < 2; i++) {
        made.question.now = days_ago(0) + (i ? 21 : 8) * HOUR;
        cr_assert_eq(stile_govern_decide(set.rules, &made.question, set.arena,
                                         &made.decision),
                     STILE_OK);
        cr_assert_eq(help_field(&made, "Patient", "p", "name")->outcome,
                     i ? STILE_OUTCOME_RELEASE : STILE_OUTCOME_WITHHOLD);
    }
}
