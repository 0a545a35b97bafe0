/* The shipped EMIS mappings on a whole generated practice. */
#include <criterion/criterion.h>

#include "map_shipped_help.h"

/* The first row of each table, both mappings of the staff. */
Test(map_shipped, first_rows_of_a_practice_are_as_they_were)
{
    static const char *const tables[] = {"Admin_Organisation",
                                         "Admin_UserInRole",
                                         "Admin_Patient",
                                         "CareRecord_Consultation",
                                         "CareRecord_Observation",
                                         "CareRecord_Problem",
                                         "CareRecord_ObservationReferral",
                                         "Prescribing_DrugRecord"};
    struct shipped f = shipped_load();
    shipped_read_practice(&f, STILE_SYNTH_BULK);
    struct stile_map_env env = {.ctx = &f.rows, .lookup = shipped_lookup};
    struct stile_value *resources[32];
    size_t count = 0;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        size_t i = 0;
        while (!stile_str_eqc(f.rows.items[i]->table, tables[t])) {
            cr_assert_lt(++i, f.rows.count);
        }
        struct stile_map_result *results = NULL;
        size_t n = 0;
        cr_assert_eq(stile_map_right(f.set, f.rows.items[i], STILE_STR("emis"),
                                     &env, f.arena, &f.diags, &results, &n),
                     STILE_OK);
        for (size_t r = 0; r < n; r++) {
            cr_assert_eq(results[r].kind, STILE_MAP_DONE);
            resources[count++] = results[r].resource;
        }
    }
    shipped_golden(&f, "practice.fhir", resources, count);
    shipped_unload(&f);
}

Test(map_shipped, a_whole_practice_becomes_valid_fhir)
{
    struct shipped f = shipped_load();
    shipped_read_practice(&f, STILE_SYNTH_BULK);
    cr_assert_eq(f.diags.count, 0);

    /* One patient carries a wrong check digit. */
    struct shipped_tally patients = shipped_run(&f, "emis", 0, "Admin_Patient");
    cr_assert_eq(patients.failed, 1);
    cr_assert_eq(patients.done, shipped_count_rows(&f, "Admin_Patient") - 1);
    /* One entry's code row comes a day late. */
    struct shipped_tally observations =
        shipped_run(&f, "emis", 0, "CareRecord_Observation");
    cr_assert_eq(observations.held, 1);
    cr_assert_eq(observations.failed, 0);
    cr_assert_eq(observations.done,
                 shipped_count_rows(&f, "CareRecord_Observation") - 1);
    /* One problem is a day ahead of its observation. */
    struct shipped_tally problems =
        shipped_run(&f, "emis", 0, "CareRecord_Problem");
    cr_assert_eq(problems.held, 1);
    cr_assert_eq(problems.failed, 0);
    cr_assert_eq(problems.done,
                 shipped_count_rows(&f, "CareRecord_Problem") - 1);
    static const char *const others[] = {
        "Admin_Organisation", "CareRecord_ObservationReferral",
        "CareRecord_Consultation", "Prescribing_DrugRecord"};
    for (size_t i = 0; i < 4; i++) {
        struct shipped_tally t = shipped_run(&f, "emis", 0, others[i]);
        cr_assert_eq(t.held + t.failed + t.deleted, 0, "%s", others[i]);
        cr_assert_eq(t.done, shipped_count_rows(&f, others[i]), "%s",
                     others[i]);
    }
    struct shipped_tally staff = shipped_run(&f, "emis", 0, "Admin_UserInRole");
    cr_assert_eq(staff.done, 2 * shipped_count_rows(&f, "Admin_UserInRole"));

    /* The next day brings what was missing. */
    size_t bulk = f.rows.count;
    shipped_read_practice(&f, STILE_SYNTH_DELTA);
    struct shipped_tally late =
        shipped_run(&f, "emis", 0, "CareRecord_Problem");
    cr_assert_eq(late.held, 0);
    struct shipped_tally delta = shipped_run(&f, "emis", bulk, NULL);
    cr_assert_eq(delta.held + delta.failed, 0);
    cr_assert_gt(delta.deleted, 5);
    cr_assert_gt(delta.done, 50);
    shipped_unload(&f);
}

/* A practice's own referral, from export rows to the charity's form. */
Test(map_shipped, a_practice_referral_becomes_the_charitys_case)
{
    struct shipped f = shipped_load();
    shipped_read_practice(&f, STILE_SYNTH_BULK);
    struct stile_map_env env = {.ctx = &f.rows, .lookup = shipped_lookup};
    struct stile_str charity = STILE_STR_NULL, patient = STILE_STR_NULL;
    for (size_t i = 0; i < f.rows.count; i++) {
        if (stile_str_eqc(stile_row_get(f.rows.items[i], STILE_STR("ODSCode")),
                          "VCS07")) {
            charity =
                stile_row_get(f.rows.items[i], STILE_STR("OrganisationGuid"));
        }
    }
    for (size_t i = 0; i < f.rows.count; i++) {
        struct stile_str target = stile_row_get(
            f.rows.items[i], STILE_STR("ReferralTargetOrganisationGuid"));
        if (target.len > 0 && stile_str_eq(target, charity)) {
            patient = stile_row_get(f.rows.items[i], STILE_STR("PatientGuid"));
        }
    }
    cr_assert(patient.len > 0);
    struct stile_value *resources[512];
    size_t count = 0;
    for (size_t i = 0; i < f.rows.count; i++) {
        const struct stile_row *row = f.rows.items[i];
        bool theirs =
            stile_str_eq(stile_row_get(row, STILE_STR("PatientGuid")), patient);
        if (!theirs && !stile_str_eqc(row->table, "Admin_Organisation")) {
            continue;
        }
        struct stile_map_result *results = NULL;
        size_t n = 0;
        cr_assert_eq(stile_map_right(f.set, row, STILE_STR("emis"), &env,
                                     f.arena, &f.diags, &results, &n),
                     STILE_OK);
        for (size_t r = 0; r < n; r++) {
            cr_assert_eq(results[r].kind, STILE_MAP_DONE);
            cr_assert_lt(count, 512);
            resources[count++] = results[r].resource;
        }
    }
    struct stile_row *rows = NULL;
    size_t row_count = 0;
    cr_assert_eq(stile_map_left(f.set, STILE_STR("vcse-case"), resources, count,
                                f.arena, &f.diags, &rows, &row_count),
                 STILE_OK);
    struct stile_decoded again = shipped_through_json(&f, rows, row_count);
    const struct stile_row *row =
        shipped_find_row(again.rows, again.row_count, "case", 0);
    const struct stile_row *person =
        shipped_find_row(again.rows, again.row_count, "person", 0);
    cr_assert(row != NULL && person != NULL);
    cr_assert(
        stile_str_eqc(stile_row_get(row, STILE_STR("status")), "received"));
    cr_assert(stile_str_eqc(stile_row_get(row, STILE_STR("source")), "A1"));
    cr_assert(stile_str_eqc(
        stile_row_get(person, STILE_STR("gp_practice_code")), "A99901"));
    cr_assert(stile_str_starts(stile_row_get(person, STILE_STR("nhs_number")),
                               STILE_STR("999")));
    shipped_unload(&f);
}
