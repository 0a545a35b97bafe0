/*
 * The shipped mappings: they compile without a finding, their examples hold
 * (the compiler runs them), and what they make of the sample messages is
 * valid FHIR R4 that leads back.
 */
#include <criterion/criterion.h>

#include "map_shipped_help.h"

Test(map_shipped, compiles_without_a_finding)
{
    struct shipped f = shipped_load();
    static const char *const both_ways[] = {
        "vcse-person",       "vcse-organisation", "vcse-case",
        "vcse-contact",      "vcse-plan",         "vcse-need",
        "vcse-goal",         "vcse-action",       "vcse-outcome",
        "vcse-dialog",       "vcse-consent",      "vcse-sheet-case",
        "vcse-crisis",       "vcse-risk",         "vcse-safeguarding",
        "vcse-circumstance", "vcse-signpost",     "vcse-handoff"};
    size_t seen = 0;
    for (size_t i = 0; i < stile_mapset_count(f.set); i++) {
        const struct stile_mapping *m = stile_mapset_at(f.set, i);
        for (size_t n = 0; n < sizeof both_ways / sizeof both_ways[0]; n++) {
            if (stile_str_eqc(stile_mapping_name(m), both_ways[n])) {
                cr_assert(stile_mapping_goes_left(m), "%s", both_ways[n]);
                seen++;
            }
        }
    }
    cr_assert_eq(seen, sizeof both_ways / sizeof both_ways[0]);
    shipped_unload(&f);
}

Test(map_shipped, a_case_goes_to_fhir_and_back_whole)
{
    struct shipped f = shipped_load();
    struct stile_decoded given =
        shipped_decode(&f, "vcse-json", "charity-case.json");
    cr_assert_eq(given.bad_rows, 0);
    for (size_t i = 0; i < given.row_count; i++) {
        shipped_keep_row(&f, &given.rows[i]);
    }
    size_t count = 0;
    struct stile_value **resources = shipped_to_fhir(&f, &count);
    /* The case is a Task too; the three rows of a sitting are one, and the
     * three of a crisis plan. */
    cr_assert_eq(count, given.row_count + 1 - 2 - 2);
    shipped_golden(&f, "charity-case.fhir", resources, count);

    struct stile_row *back = NULL;
    size_t back_count = 0;
    cr_assert_eq(stile_map_left(f.set, STILE_STR("vcse-case"), resources, count,
                                f.arena, &f.diags, &back, &back_count),
                 STILE_OK);
    shipped_each_leads_back(given.rows, given.row_count, back, back_count);
    struct stile_decoded again = shipped_through_json(&f, back, back_count);
    cr_assert_eq(again.row_count, given.row_count);
    shipped_each_leads_back(given.rows, given.row_count, again.rows,
                            again.row_count);
    shipped_unload(&f);
}

Test(map_shipped, a_sheet_goes_to_fhir_and_back_whole)
{
    struct shipped f = shipped_load();
    struct stile_decoded given =
        shipped_decode(&f, "vcse-csv", "charity-cases.csv");
    cr_assert_eq(given.row_count, 4);
    cr_assert_eq(given.bad_rows, 1);
    for (size_t i = 0; i < given.row_count; i++) {
        shipped_keep_row(&f, &given.rows[i]);
    }
    size_t count = 0;
    struct stile_value **resources = shipped_to_fhir(&f, &count);
    cr_assert_eq(count, 3 * given.row_count);
    shipped_golden(&f, "charity-cases.fhir", resources, count);
    struct stile_row *back = NULL;
    size_t back_count = 0;
    cr_assert_eq(stile_map_left(f.set, STILE_STR("vcse-case"), resources, count,
                                f.arena, &f.diags, &back, &back_count),
                 STILE_OK);
    shipped_each_leads_back(given.rows, given.row_count, back, back_count);
    shipped_unload(&f);
}

Test(map_shipped, a_referral_becomes_the_charitys_case)
{
    struct shipped f = shipped_load();
    struct stile_decoded bundle =
        shipped_decode(&f, "fhir-json", "referral-message.json");
    struct stile_value *resources[32];
    size_t count = 0;
    stile_fhir_check(bundle.root, STILE_STR("referral-message.json"), &f.diags);
    if (f.diags.count > 0) {
        shipped_dump(&f.diags);
    }
    cr_assert_eq(f.diags.count, 0);
    for (struct stile_value *e = stile_value_getc(bundle.root, "entry")->first;
         e != NULL; e = e->next) {
        cr_assert_lt(count, 32);
        resources[count++] = stile_value_getc(e, "resource");
    }
    struct stile_row *rows = NULL;
    size_t row_count = 0;
    cr_assert_eq(stile_map_left(f.set, STILE_STR("vcse-case"), resources, count,
                                f.arena, &f.diags, &rows, &row_count),
                 STILE_OK);
    const struct stile_row *person =
        shipped_find_row(rows, row_count, "person", 0);
    const struct stile_row *row = shipped_find_row(rows, row_count, "case", 0);
    const struct stile_row *plan = shipped_find_row(rows, row_count, "plan", 0);
    const struct stile_row *need = shipped_find_row(rows, row_count, "need", 0);
    const struct stile_row *goal = shipped_find_row(rows, row_count, "goal", 0);
    const struct stile_row *consent =
        shipped_find_row(rows, row_count, "consent", 0);
    cr_assert(person && row && plan && need && goal && consent);
    struct {
        const struct stile_row *row;
        const char *column, *text;
    } expected[] = {
        {person, "person_ref", "5b2a1e10-0000-4000-8000-000000000001"},
        {person, "nhs_number", "9990001006"},
        {person, "nhs_number_status", "01"},
        {person, "family_name", "Example"},
        {person, "preferred_name", "Syn"},
        {person, "postcode", "ZZ99 1AA"},
        {person, "gp_practice_code", "A99901"},
        {row, "case_ref", "5b2a1e10-0000-4000-8000-0000000000f1"},
        {row, "person_ref", "5b2a1e10-0000-4000-8000-000000000001"},
        {row, "org_ref", "5b2a1e10-0000-4000-8000-0000000000a2"},
        {row, "status", "received"},
        {row, "received_at", "2026-03-03 09:00"},
        {row, "referrer_org", "RZ9"},
        {row, "source", "H2"},
        {row, "priority", "3"},
        {row, "reason_text", "Help with rent arrears and a move"},
        {plan, "case_ref", "5b2a1e10-0000-4000-8000-0000000000f1"},
        {plan, "kind", "10"},
        {need, "plan_ref", "5b2a1e10-0000-4000-8000-0000000000e1"},
        {need, "text", "A tenancy she can keep"},
        {goal, "need_ref", "5b2a1e10-0000-4000-8000-0000000000d2"},
        {goal, "status", "in-progress"},
        {consent, "to_org", "VCS07"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct stile_str cell =
            stile_row_get(expected[i].row, stile_str_cstr(expected[i].column));
        cr_assert(stile_str_eqc(cell, expected[i].text), "%s is '%.*s'",
                  expected[i].column, STILE_FMT(cell));
    }
    /* The diagnosis belongs to no plan of the charity's: it is no need. */
    cr_assert(shipped_find_row(rows, row_count, "need", 1) == NULL);
    /* Nothing of it leads nowhere: it can be written as one case. */
    struct stile_decoded again = shipped_through_json(&f, rows, row_count);
    cr_assert(shipped_find_row(again.rows, again.row_count, "case", 0) != NULL);
    cr_assert(shipped_find_row(again.rows, again.row_count, "case", 1) == NULL);
    shipped_unload(&f);
}

/* A practice's own referral, from export rows to the charity's form. */
/* ---- broken samples ---- */

static bool found(const struct stile_diags *diags, const char *code)
{
    for (size_t i = 0; i < diags->count; i++) {
        if (strcmp(diags->items[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

Test(map_shipped, a_wrong_nhs_number_never_reaches_the_charity)
{
    struct shipped f = shipped_load();
    struct stile_decoded bundle =
        shipped_decode(&f, "fhir-json", "referral-message-wrong-number.json");
    struct stile_value *resources[32];
    size_t count = 0;
    for (struct stile_value *e = stile_value_getc(bundle.root, "entry")->first;
         e != NULL; e = e->next) {
        cr_assert_lt(count, 32);
        resources[count++] = stile_value_getc(e, "resource");
    }
    struct stile_row *rows = NULL;
    size_t row_count = 0;
    enum stile_status status =
        stile_map_left(f.set, STILE_STR("vcse-case"), resources, count, f.arena,
                       &f.diags, &rows, &row_count);
    cr_assert(found(&f.diags, "T104"));
    for (size_t i = 0; status == STILE_OK && i < row_count; i++) {
        struct stile_str number =
            stile_row_get(&rows[i], STILE_STR("nhs_number"));
        cr_assert_eq(number.len, 0);
    }
    shipped_unload(&f);
}

Test(map_shipped, a_referral_of_nobody_is_told)
{
    struct shipped f = shipped_load();
    struct stile_decoded bundle =
        shipped_decode(&f, "fhir-json", "referral-message-no-subject.json");
    stile_fhir_check(bundle.root, STILE_STR("sample"), &f.diags);
    cr_assert_eq(f.diags.count, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_assert(stile_str_find_str(f.diags.items[i].path,
                                     STILE_STR("entry[1].resource")) !=
                  SIZE_MAX);
    }
    shipped_unload(&f);
}

Test(map_shipped, a_broken_case_keeps_what_is_whole)
{
    struct shipped f = shipped_load();
    struct stile_decoded given =
        shipped_decode(&f, "vcse-json", "charity-case-broken-link.json");
    for (size_t i = 0; i < given.row_count; i++) {
        shipped_keep_row(&f, &given.rows[i]);
    }
    /* A state that is none: neither the request nor its Task. */
    struct shipped_tally cases = shipped_run(&f, "vcse-case", 0, "case");
    cr_assert_eq(cases.failed, 2);
    /* A need of a plan that is not there waits, and so does its goal. */
    struct shipped_tally needs = shipped_run(&f, "vcse-case", 0, "need");
    cr_assert_eq(needs.held, 1);
    struct shipped_tally goals = shipped_run(&f, "vcse-case", 0, "goal");
    cr_assert_eq(goals.held, 1);
    struct shipped_tally persons = shipped_run(&f, "vcse-case", 0, "person");
    cr_assert_eq(persons.done, 1);
    shipped_unload(&f);
}
