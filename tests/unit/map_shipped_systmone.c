/* The shipped SystmOne mappings on a whole generated download. */
#include <criterion/criterion.h>

#include "map_shipped_help.h"

static const char *const tables[] = {"SROrganisation",
                                     "SRStaffMember",
                                     "SRStaffMemberProfile",
                                     "SRPatient",
                                     "SRPatientAddressHistory",
                                     "SRPatientContactDetails",
                                     "SRPatientRegistration",
                                     "SRGPPracticeHistory",
                                     "SRPatientRelationship",
                                     "SREvent",
                                     "SRCode",
                                     "SRProblem",
                                     "SRDrugSensitivity",
                                     "SRImmunisation",
                                     "SRPrimaryCareMedication",
                                     "SRRepeatTemplate",
                                     "SRReferralIn",
                                     "SRReferralOut",
                                     "SRAppointment",
                                     "SRVisit"};
#define TABLES (sizeof tables / sizeof tables[0])

/* The first row of each table. */
static void first_rows(const char *golden, bool normalised)
{
    struct shipped f = shipped_load();
    shipped_read_download(&f, normalised);
    struct stile_map_env env = {
        .ctx = &f.rows, .lookup = shipped_lookup, .rows = shipped_ask};
    struct stile_value *resources[TABLES];
    for (size_t t = 0; t < TABLES; t++) {
        struct stile_map_result *results = NULL;
        size_t i = 0, n = 0;
        while (!stile_str_eqc(f.rows.items[i]->table, tables[t])) {
            cr_assert_lt(++i, f.rows.count, "%s", tables[t]);
        }
        cr_assert_eq(stile_map_right(f.set, f.rows.items[i],
                                     STILE_STR("systmone"), &env, f.arena,
                                     &f.diags, &results, &n),
                     STILE_OK);
        cr_assert_eq(n, 1);
        cr_assert_eq(results[0].kind, STILE_MAP_DONE, "%s", tables[t]);
        resources[t] = results[0].resource;
    }
    shipped_golden(&f, golden, resources, TABLES);
    shipped_unload(&f);
}

Test(map_systmone, first_rows_of_a_download_are_as_they_were)
{
    first_rows("download.fhir", false);
}

/* Lists as rows of SRMapping and SRConfiguredListOption say the same words. */
Test(map_systmone, lists_that_come_as_numbers_make_the_same)
{
    first_rows("download.fhir", true);
}

Test(map_systmone, a_whole_download_becomes_valid_fhir)
{
    struct shipped f = shipped_load();
    shipped_read_download(&f, false);
    cr_assert_eq(f.diags.count, 0);
    struct shipped_tally patients = shipped_run(&f, "systmone", 0, "SRPatient");
    cr_expect_eq(patients.failed, 1); /* a wrong check digit */
    cr_expect_eq(patients.done, shipped_count_rows(&f, "SRPatient") - 1);
    struct shipped_tally problems = shipped_run(&f, "systmone", 0, "SRProblem");
    cr_expect_eq(problems.held, 1); /* its entry comes in the delta */
    cr_expect_eq(problems.failed, 0);
    struct shipped_tally codes = shipped_run(&f, "systmone", 0, "SRCode");
    cr_expect_eq(codes.done, shipped_count_rows(&f, "SRCode"));
    /* Entries in words are about nobody and not taken. */
    struct shipped_tally booked =
        shipped_run(&f, "systmone", 0, "SRAppointment");
    cr_expect_gt(booked.done, 40);
    cr_expect_lt(booked.done, shipped_count_rows(&f, "SRAppointment"));
    struct shipped_tally all = shipped_run(&f, "systmone", 0, NULL);
    cr_expect_eq(all.failed, 1);
    cr_expect_eq(all.held, 1);
    cr_expect_gt(all.done, 900);
    shipped_unload(&f);
}
