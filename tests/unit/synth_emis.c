/* The generator: real shape, same bytes, the field's traps. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "synth.h"

#define AGREEMENT_LEN 36

static char *slurp(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f != NULL, "no file %s", path);
    cr_assert_eq(fseek(f, 0, SEEK_END), 0);
    long len = ftell(f);
    cr_assert(len >= 0);
    rewind(f);
    char *text = calloc(1, (size_t)len + 1);
    cr_assert_eq(fread(text, 1, (size_t)len, f), (size_t)len);
    fclose(f);
    *ret_len = (size_t)len;
    return text;
}

static void folder(char out[64])
{
    (void)snprintf(out, 64, "/tmp/stile-synth-XXXXXX");
    cr_assert(mkdtemp(out) != NULL);
}

static void sweep(const char *dir)
{
    DIR *d = opendir(dir);
    cr_assert(d != NULL);
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        (void)unlink(path);
    }
    closedir(d);
    cr_assert_eq(rmdir(dir), 0);
}

/* The text of one table's file; its name's parts are looked at on the way. */
static char *table(const char *dir, const char *name, size_t *ret_len)
{
    DIR *d = opendir(dir);
    cr_assert(d != NULL);
    struct dirent *e;
    char *text = NULL;
    char middle[96];
    (void)snprintf(middle, sizeof middle, "_%s_", name);
    while ((e = readdir(d)) != NULL) {
        const char *at = strstr(e->d_name, middle);
        if (at == NULL) {
            continue;
        }
        const char *rest = at + strlen(middle);
        cr_assert_eq(strspn(rest, "0123456789"), 14, "%s", e->d_name);
        cr_assert_eq(strlen(rest), 14 + 1 + AGREEMENT_LEN + 4, "%s", e->d_name);
        cr_assert(stile_str_ends(stile_str_cstr(rest), STILE_STR(".csv")));
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        cr_assert(text == NULL, "two files of %s", name);
        text = slurp(path, ret_len);
    }
    closedir(d);
    cr_assert(text != NULL, "no file of %s", name);
    return text;
}

static size_t count(const char *text, const char *needle)
{
    size_t n = 0;
    for (; (text = strstr(text, needle)) != NULL; text += strlen(needle)) {
        n++;
    }
    return n;
}

static uint64_t make(const char *dir, enum stile_synth_kind kind, uint64_t seed,
                     uint64_t observations)
{
    struct stile_synth_options o;
    stile_synth_defaults(&o);
    o.folder = dir;
    o.kind = kind;
    o.seed = seed;
    if (kind == STILE_SYNTH_DELTA) {
        o.batch = 2;
        o.stamp = "20260402040000";
    }
    if (observations > 0) {
        o.observations = observations;
    }
    uint64_t rows = 0;
    const char *why = "";
    cr_assert_eq(stile_synth_write(&o, &rows, &why), STILE_OK, "%s", why);
    return rows;
}

static const char *const names[] = {"Admin_Location",
                                    "Admin_Organisation",
                                    "Admin_OrganisationLocation",
                                    "Admin_Patient",
                                    "Admin_PatientHistory",
                                    "Admin_UserInRole",
                                    "Agreements_SharingOrganisation",
                                    "Appointment_Session",
                                    "Appointment_SessionUser",
                                    "Appointment_Slot",
                                    "Audit_PatientAudit",
                                    "Audit_RegistrationAudit",
                                    "CareRecord_Consultation",
                                    "CareRecord_Diary",
                                    "CareRecord_Observation",
                                    "CareRecord_ObservationReferral",
                                    "CareRecord_Problem",
                                    "Coding_ClinicalCode",
                                    "Coding_DrugCode",
                                    "Prescribing_DrugRecord",
                                    "Prescribing_IssueRecord"};
#define TABLES (sizeof names / sizeof names[0])

Test(synth, writes_all_21_tables_quoted_and_in_utf8)
{
    char dir[64];
    folder(dir);
    make(dir, STILE_SYNTH_BULK, 1, 0);
    for (size_t i = 0; i < TABLES; i++) {
        size_t len;
        char *text = table(dir, names[i], &len);
        cr_assert(stile_utf8_valid((struct stile_str){text, len}));
        cr_assert_eq(text[0], '"', "%s", names[i]);
        cr_assert_eq(text[len - 1], '\n', "%s", names[i]);
        bool crlf = strstr(text, "\r\n") != NULL;
        cr_assert_eq(crlf, strcmp(names[i], "Coding_ClinicalCode") == 0);
        cr_assert(count(text, "\n") > 1, "%s has no row", names[i]);
        free(text);
    }
    sweep(dir);
}

Test(synth, same_seed_same_bytes_other_seed_others)
{
    char a[64], b[64], c[64];
    folder(a);
    folder(b);
    folder(c);
    make(a, STILE_SYNTH_BULK, 7, 0);
    make(b, STILE_SYNTH_BULK, 7, 0);
    make(c, STILE_SYNTH_BULK, 8, 0);
    for (size_t i = 0; i < TABLES; i++) {
        size_t na, nb;
        char *ta = table(a, names[i], &na);
        char *tb = table(b, names[i], &nb);
        cr_assert_eq(na, nb);
        cr_assert_eq(memcmp(ta, tb, na), 0, "%s differs", names[i]);
        free(ta);
        free(tb);
    }
    size_t na, nc;
    char *ta = table(a, "Admin_Patient", &na);
    char *tc = table(c, "Admin_Patient", &nc);
    cr_assert(na != nc || memcmp(ta, tc, na) != 0);
    free(ta);
    free(tc);
    sweep(a);
    sweep(b);
    sweep(c);
}

/* Every 10-digit field of the patients, looked at as an NHS number. */
Test(synth, numbers_are_999_and_only_the_planted_one_is_wrong)
{
    char dir[64];
    folder(dir);
    make(dir, STILE_SYNTH_BULK, 3, 0);
    size_t len;
    char *text = table(dir, "Admin_Patient", &len);
    size_t good = 0, wrong = 0, placeholder = 0;
    for (size_t i = 0; i + 12 <= len; i++) {
        struct stile_str field = {text + i + 1, 10};
        if (text[i] != '"' || text[i + 11] != '"' ||
            strspn(field.ptr, "0123456789") != 10) {
            continue;
        }
        if (stile_str_eq(field, STILE_STR("0000000000"))) {
            placeholder++;
        } else {
            cr_assert(stile_str_starts(field, STILE_STR("999")));
            stile_nhs_number_valid(field) ? good++ : wrong++;
        }
    }
    cr_assert_eq(placeholder, 1);
    cr_assert_eq(wrong, 1);
    cr_assert_eq(good, 200 - 3);
    cr_assert_eq(count(text, "\"ZZ99 "), 200);
    free(text);
    sweep(dir);
}

Test(synth, code_ids_are_long_and_carry_their_check_digit)
{
    char dir[64];
    folder(dir);
    make(dir, STILE_SYNTH_BULK, 3, 0);
    size_t len;
    char *text = table(dir, "Coding_ClinicalCode", &len);
    struct stile_str rest = {text, len}, line;
    cr_assert(stile_str_next(&rest, '\n', &line));
    size_t rows = 0;
    while (stile_str_next(&rest, '\n', &line)) {
        struct stile_str id = stile_str_sub(line, 1, 18);
        cr_assert(stile_snomed_id_valid(id), "%.*s", STILE_FMT(id));
        rows++;
    }
    cr_assert_gt(rows, 30);
    /* One CodeId stands twice, with another parent. */
    cr_assert_eq(count(text, "\"Body mass index\""), 2);
    free(text);
    sweep(dir);
}

Test(synth, delta_changes_deletes_and_brings_what_was_missing)
{
    char bulk[64], delta[64];
    folder(bulk);
    folder(delta);
    make(bulk, STILE_SYNTH_BULK, 1, 0);
    make(delta, STILE_SYNTH_DELTA, 1, 0);
    size_t n;
    char *codes = table(bulk, "Coding_ClinicalCode", &n);
    char *late = table(delta, "Coding_ClinicalCode", &n);
    char *observations = table(bulk, "CareRecord_Observation", &n);
    /* The late code is used on the first day and explained on the second. */
    const char *row = strchr(late, '\n') + 1;
    char id[24];
    (void)snprintf(id, sizeof id, "%.20s", row);
    cr_assert(strstr(codes, id) == NULL);
    cr_assert_eq(count(observations, id), 1);
    char *changes = table(delta, "CareRecord_Observation", &n);
    /* A key-only delete: nothing between the three keys and the flag. */
    cr_assert(strstr(changes, "\"\",\"true\",\"\",\"") != NULL);
    cr_assert(strstr(observations, "\"\",\"true\",\"\",\"") == NULL);
    /* A changed value keeps its GUID. */
    struct stile_str rest = {changes, strlen(changes)}, line;
    cr_assert(stile_str_next(&rest, '\n', &line));
    size_t known = 0, fresh = 0;
    while (stile_str_next(&rest, '\n', &line)) {
        char guid[48];
        (void)snprintf(guid, sizeof guid, "\n%.40s", line.ptr);
        strstr(observations, guid) != NULL ? known++ : fresh++;
    }
    cr_assert_gt(known, 10);
    cr_assert_gt(fresh, 2);
    char *referral = table(delta, "CareRecord_ObservationReferral", &n);
    cr_assert_eq(count(referral, "\n"), 2);
    char *patients = table(delta, "Admin_Patient", &n);
    cr_assert_gt(count(patients, "\n\"{"), 5);
    free(codes);
    free(late);
    free(observations);
    free(changes);
    free(referral);
    free(patients);
    sweep(bulk);
    sweep(delta);
}

Test(synth, observation_count_is_kept)
{
    char dir[64];
    folder(dir);
    uint64_t few = make(dir, STILE_SYNTH_BULK, 1, 1000);
    sweep(dir);
    folder(dir);
    uint64_t more = make(dir, STILE_SYNTH_BULK, 1, 1001);
    sweep(dir);
    /* One more observation, and the consultation that it may open. */
    cr_assert(more == few + 1 || more == few + 2);
}

Test(synth, options_are_checked_at_their_limits)
{
    char dir[64];
    folder(dir);
    struct stile_synth_options o;
    const char *why = NULL;
    stile_synth_defaults(&o);
    o.folder = dir;
    o.patients = 1;
    o.observations = 0;
    cr_assert_eq(stile_synth_write(&o, NULL, &why), STILE_OK);
    o.patients = 0;
    cr_assert_eq(stile_synth_write(&o, NULL, &why), STILE_INVALID);
    cr_assert(why != NULL);
    o.patients = STILE_SYNTH_PATIENTS_MAX + 1;
    cr_assert_eq(stile_synth_write(&o, NULL, &why), STILE_INVALID);
    o.patients = 1;
    o.stamp = "2026040104000";
    cr_assert_eq(stile_synth_write(&o, NULL, &why), STILE_INVALID);
    o.stamp = "20260401040000";
    o.until = "2026-02-30";
    cr_assert_eq(stile_synth_write(&o, NULL, &why), STILE_INVALID);
    o.until = "2026-03-31";
    o.charity_percent = 101;
    cr_assert_eq(stile_synth_write(&o, NULL, &why), STILE_INVALID);
    o.charity_percent = 100;
    o.folder = "/nowhere/at/all";
    cr_assert_eq(stile_synth_write(&o, NULL, &why), STILE_IO);
    sweep(dir);
}
