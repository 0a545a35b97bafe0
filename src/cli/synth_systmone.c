/* The run of a SystmOne download: options, reference tables, patients. */
#include "synth_systmone.h"

bool stile__s1_is(const struct s1 *s, uint32_t p, enum s1_cast who)
{
    return s->options->patients >= S1_CAST && p == (uint32_t)who;
}

static bool delta(const struct s1 *s)
{
    return s->options->kind == STILE_SYNTH_DELTA;
}

void stile_synth_systmone_defaults(struct stile_synth_options *ret)
{
    stile_synth_defaults(ret);
    ret->patients = 60;
    ret->observations = 360;
    ret->practice_ods = "A99902";
    ret->practice_name = "Beck Street Surgery";
}

/* ---- what is nobody's ---- */

static void organisation(struct s1 *s, int64_t row, const char *ods,
                         const char *name)
{
    stile__s1_int(s, S1_ORGANISATION, "RowIdentifier", row);
    stile__s1(s, S1_ORGANISATION, "ID", ods);
    stile__s1(s, S1_ORGANISATION, "Name", name);
    stile__s1(s, S1_ORGANISATION, "NameOfRoad", "Imaginary Lane");
    stile__s1(s, S1_ORGANISATION, "NameOfTown", "Eastmoor");
    stile__s1(s, S1_ORGANISATION, "FullPostCode", "ZZ99 2AA");
    stile__s1(s, S1_ORGANISATION, "Telephone", "01632 960100");
    stile__s1_bool(s, S1_ORGANISATION, "MadeObsolete", false);
    stile__s1_end(s, S1_ORGANISATION);
}

static void staff(struct s1 *s, uint32_t i)
{
    char name[80];
    int n = snprintf(name, sizeof name, "%s %s", stile__synth_given(i + 2),
                     stile__synth_surname(i + 4));
    STILE_ASSERT(n > 0 && n < (int)sizeof name);
    stile__s1_int(s, S1_STAFF, "RowIdentifier", 801 + i);
    stile__s1(s, S1_STAFF, "StaffName", name);
    stile__s1_bool(s, S1_STAFF, "Obsolete", false);
    stile__s1_end(s, S1_STAFF);
    stile__s1_int(s, S1_PROFILE, "RowIdentifier", 901 + i);
    stile__s1_int(s, S1_PROFILE, "IDStaffMember",
                  i == 5 ? -1 : (int64_t)801 + i);
    stile__s1(s, S1_PROFILE, "StaffRole",
              i < 4 ? "Clinician (invented role)"
                    : "Receptionist (invented role)");
    stile__s1_time(s, S1_PROFILE, "DateEmploymentStart", s->until - 2000, 0);
    stile__s1(s, S1_PROFILE, "IDOrganisation", s->options->practice_ods);
    stile__s1_end(s, S1_PROFILE);
}

static void reference(struct s1 *s)
{
    const struct stile_synth_options *o = s->options;
    stile__s1_lists(s);
    organisation(s, 701, o->practice_ods, o->practice_name);
    organisation(s, 702, o->trust_ods, o->trust_name);
    organisation(s, 703, o->charity_ods, o->charity_name);
    for (uint32_t i = 0; i < 6; i++) {
        staff(s, i);
    }
    stile__s1_int(s, S1_CTV3, "RowIdentifier", 1);
    stile__s1(s, S1_CTV3, "IDOrganisationVisibleTo", o->practice_ods);
    stile__s1(s, S1_CTV3, "Ctv3Code", "Y0001");
    stile__s1(s, S1_CTV3, "Ctv3Text", "A local term (invented)");
    stile__s1_end(s, S1_CTV3);
    stile__s1_int(s, S1_CONTENT, "RowIdentifier", 411);
    stile__s1(s, S1_CONTENT, "Name", "Influenza vaccine (invented product)");
    stile__s1_end(s, S1_CONTENT);
}

/* ---- the run ---- */

static const char *refuse(const struct stile_synth_options *o,
                          struct stile_date *ret_until)
{
    const char *const words[] = {o->practice_ods, o->practice_name,
                                 o->trust_ods,    o->trust_name,
                                 o->charity_ods,  o->charity_name};
    if (o->folder == NULL || o->folder[0] == '\0') {
        return "a folder is needed";
    }
    if (o->patients < 1 || o->patients > STILE_SYNTH_PATIENTS_MAX) {
        return "patients must be 1 to 100000";
    }
    if (o->observations / o->patients > 500) {
        return "observations may be 500 a patient at most";
    }
    if (o->stamp == NULL || strlen(o->stamp) != 14 ||
        strspn(o->stamp, "0123456789") != 14) {
        return "the stamp must be yyyyMMddHHmmss";
    }
    if (o->until == NULL ||
        !stile_date_parse(stile_str_cstr(o->until), ret_until) ||
        ret_until->day == 0 || ret_until->year < 1980) {
        return "the last day must be a date from 1980 on, as 2026-03-31";
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i] == NULL || words[i][0] == '\0' || strlen(words[i]) > 100) {
            return "every organisation needs its ODS code and its name";
        }
    }
    return NULL;
}

static void write_all(struct s1 *s)
{
    if (!delta(s)) {
        reference(s);
    }
    for (uint32_t p = 0; p < s->options->patients && !s->failed; p++) {
        stile__s1_patient(s, p);
        stile__s1_record(s, p);
        stile__s1_medicines(s, p);
        stile__s1_referrals(s, p);
    }
}

enum stile_status
stile_synth_systmone_write(const struct stile_synth_options *options,
                           uint64_t *ret_rows, const char **ret_why)
{
    struct stile_date until = {0};
    const char *why = refuse(options, &until);
    if (why != NULL) {
        if (ret_why != NULL) {
            *ret_why = why;
        }
        return STILE_INVALID;
    }
    struct s1 *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return STILE_NOMEM;
    }
    s->options = options;
    s->until = stile_date_days(until);
    bool opened = stile__s1_open(s);
    if (opened) {
        write_all(s);
    }
    bool done = stile__s1_close(s, opened);
    uint64_t rows = 0;
    for (int i = 0; i < S1_COUNT; i++) {
        rows += s->tables[i].rows;
    }
    if (done && ret_rows != NULL) {
        *ret_rows = rows;
    }
    if (!done && ret_why != NULL) {
        *ret_why = s->why;
    }
    free(s);
    return done ? STILE_OK : STILE_IO;
}

int stile_synth_systmone(const struct stile_synth_options *options)
{
    const char *why = "memory could not be had";
    uint64_t rows = 0;
    enum stile_status status = stile_synth_systmone_write(options, &rows, &why);
    if (status != STILE_OK) {
        fprintf(stderr, "stile: synth systmone: %s\n", why);
        return status == STILE_INVALID ? 2 : 1;
    }
    printf("%llu rows in %d tables\n", (unsigned long long)rows, S1_COUNT);
    return 0;
}
