/* The run: options, order of the tables, the tables that are nobody's. */
#include "synth_private.h"

void stile_synth_defaults(struct stile_synth_options *ret)
{
    *ret = (struct stile_synth_options){
        .kind = STILE_SYNTH_BULK,
        .seed = 1,
        .batch = 1,
        .stamp = "20260401040000",
        .until = "2026-03-31",
        .patients = 200,
        .observations = 2400,
        .practice_ods = "A99901",
        .practice_name = "Alder Lane Surgery",
        .trust_ods = "RZ9",
        .trust_name = "Eastmoor Mental Health Trust",
        .charity_ods = "VCS07",
        .charity_name = "Riverside Advice",
        .trust_percent = 12,
        .charity_percent = 8,
    };
}

static bool delta(const struct synth *s)
{
    return s->options->kind == STILE_SYNTH_DELTA;
}

bool stile__synth_is(const struct synth *s, uint32_t p, enum synth_cast who)
{
    return s->options->patients >= SYNTH_CAST && p == (uint32_t)who;
}

uint32_t stile__synth_clinician(struct synth_rng *rng)
{
    /* Users 0 to 7 are clinicians, the rest keep the desk. */
    return stile__synth_below(rng, 8);
}

/* ---- organisations, places, staff
 * ------------------------------------------------ */

enum {
    PRACTICE,
    TRUST,
    CHARITY,
    ORGANISATIONS
};

static void organisation(struct synth *s, uint64_t i, const char *name,
                         const char *ods, const char *type)
{
    const enum synth_table_id t = T_ORGANISATION;
    stile__cell_guid(s, t, "OrganisationGuid", SYNTH_ORGANISATION, i, 0);
    if (i == PRACTICE) {
        stile__cell_int(s, t, "CDB", 99901);
    }
    stile__cell(s, t, "OrganisationName", name);
    stile__cell(s, t, "ODSCode", ods);
    stile__cell(s, t, "OrganisationType", type);
    stile__cell_date(s, t, "OpenDate", s->until - 9000);
    stile__cell_guid(s, t, "MainLocationGuid", SYNTH_LOCATION, i, 0);
    stile__row_end(s, t);
}

static void location(struct synth *s, uint64_t i, const char *name)
{
    const enum synth_table_id t = T_LOCATION;
    char digits[16];
    int n = snprintf(digits, sizeof digits, "01632 96%04u",
                     (unsigned)(i * 10 % 1000));
    STILE_ASSERT(n == 12);
    stile__cell_guid(s, t, "LocationGuid", SYNTH_LOCATION, i, 0);
    stile__cell(s, t, "LocationName", name);
    stile__cell(s, t, "LocationTypeDescription", "Main Surgery");
    stile__cell_date(s, t, "OpenDate", s->until - 9000);
    stile__cell(s, t, "MainContactName", "The manager, \"front desk\"");
    stile__cell(s, t, "PhoneNumber", digits);
    stile__cell(s, t, "NumberAndStreet", "1 Imaginary Lane");
    stile__cell(s, t, "Town", "Eastmoor");
    stile__cell(s, t, "Postcode", "ZZ99 1AA");
    stile__cell_bool(s, t, "Deleted", false);
    stile__row_end(s, t);
    stile__cell_guid(s, T_ORGANISATION_LOCATION, "OrganisationGuid",
                     SYNTH_ORGANISATION, i, 0);
    stile__cell_guid(s, T_ORGANISATION_LOCATION, "LocationGuid", SYNTH_LOCATION,
                     i, 0);
    stile__cell_bool(s, T_ORGANISATION_LOCATION, "IsMainLocation", true);
    stile__cell_bool(s, T_ORGANISATION_LOCATION, "Deleted", false);
    stile__row_end(s, T_ORGANISATION_LOCATION);
}

static void user(struct synth *s, uint32_t i)
{
    const enum synth_table_id t = T_USER;
    bool doctor = i < 5;
    stile__cell_guid(s, t, "UserInRoleGuid", SYNTH_USER, i, 0);
    stile__cell_guid(s, t, "OrganisationGuid", SYNTH_ORGANISATION, PRACTICE, 0);
    if (doctor) {
        stile__cell(s, t, "Title", "Dr");
    }
    stile__cell(s, t, "GivenName", stile__synth_given(i + 3));
    stile__cell(s, t, "Surname", stile__synth_surname(i + 5));
    /* R0260 is the one job role our sources name; the others are ours. */
    stile__cell(s, t, "JobCategoryCode", doctor ? "R0260" : "R9999");
    stile__cell(s, t, "JobCategoryName",
                doctor  ? "General Medical Practitioner"
                : i < 8 ? "Practice nurse (invented role)"
                        : "Receptionist (invented role)");
    stile__cell_date(s, t, "ContractStartDate", s->until - 3000 - i * 100);
    if (i == SYNTH_USERS - 1) {
        stile__cell_date(s, t, "ContractEndDate", s->until - 200);
    }
    stile__row_end(s, t);
}

void stile__synth_admin(struct synth *s)
{
    const struct stile_synth_options *o = s->options;
    const enum synth_table_id t = T_SHARING;
    stile__cell_guid(s, t, "OrganisationGuid", SYNTH_ORGANISATION, PRACTICE, 0);
    stile__cell_bool(s, t, "IsActivated", true);
    stile__cell(s, t, "LastModifiedDate", "2025-11-03 09:00:00");
    stile__cell_bool(s, t, "Disabled", false);
    stile__cell_bool(s, t, "Deleted", false);
    stile__row_end(s, t);
    if (delta(s)) {
        return;
    }
    organisation(s, PRACTICE, o->practice_name, o->practice_ods, "GP Practice");
    organisation(s, TRUST, o->trust_name, o->trust_ods, "NHS Trust");
    organisation(s, CHARITY, o->charity_name, o->charity_ods,
                 "Voluntary Organisation");
    location(s, PRACTICE, "Alder Lane, main site");
    location(s, TRUST, "Moor House");
    location(s, CHARITY, "The Boathouse");
    for (uint32_t i = 0; i < SYNTH_USERS; i++) {
        user(s, i);
    }
}

/* ---- code rows
 * ------------------------------------------------------------------------ */

static void code_row(struct synth *s, enum synth_code code, int parent)
{
    const enum synth_table_id t = T_CLINICAL_CODE;
    const struct synth_code_row *row = &stile__synth_codes[code];
    const struct synth_code_ids *ids = &s->codes[code];
    stile__cell(s, t, "CodeId", ids->code_id);
    stile__cell(s, t, "Term", row->term);
    if (row->read != NULL) {
        stile__cell(s, t, "ReadTermId", row->read);
    }
    stile__cell(s, t, "SnomedCTConceptId", ids->concept);
    stile__cell(s, t, "SnomedCTDescriptionId", ids->description);
    stile__cell(s, t, "EmisCodeCategoryDescription", row->category);
    if (parent >= 0) {
        stile__cell(s, t, "ParentCodeID", s->codes[parent].code_id);
    }
    stile__row_end(s, t);
}

void stile__synth_codings(struct synth *s)
{
    if (delta(s)) {
        code_row(s, CODE_LATE, -1);
        return;
    }
    for (int i = 0; i < CODE_COUNT; i++) {
        if (i != CODE_LATE) {
            code_row(s, (enum synth_code)i,
                     i == CODE_DIASTOLIC || i == CODE_SYSTOLIC ? CODE_BP : -1);
        }
    }
    /* Several parents since 2020: CodeId alone is not unique. */
    code_row(s, CODE_BMI, CODE_WEIGHT);
    for (uint32_t i = 0; i < SYNTH_DRUGS; i++) {
        char id[19];
        stile__synth_sctid(70000000 + i, "11", id);
        stile__cell(s, T_DRUG_CODE, "CodeId", id);
        stile__cell(s, T_DRUG_CODE, "Term", stile__synth_drugs[i].term);
        /* A local drug has no dm+d code. */
        if (i != SYNTH_DRUGS - 1) {
            stile__synth_sctid(71000000 + i, "10", id);
            stile__cell(s, T_DRUG_CODE, "DmdProductCodeId", id);
        }
        stile__row_end(s, T_DRUG_CODE);
    }
}

static void fill_codes(struct synth_code_ids codes[CODE_COUNT])
{
    for (uint32_t i = 0; i < CODE_COUNT; i++) {
        const struct synth_code_row *row = &stile__synth_codes[i];
        stile__synth_sctid(10000000 + i, "11", codes[i].code_id);
        stile__synth_sctid(20000000 + i, "11", codes[i].description);
        if (row->concept == NULL) {
            stile__synth_sctid(30000000 + i, "10", codes[i].concept);
        } else {
            int n = snprintf(codes[i].concept, sizeof codes[i].concept, "%s",
                             row->concept);
            STILE_ASSERT(n > 5 && n < 19);
        }
    }
}

/* ---- the run
 * ------------------------------------------------------------------------- */

static const char *refuse(const struct stile_synth_options *o)
{
    if (o->folder == NULL || o->folder[0] == '\0') {
        return "a folder is needed";
    }
    if (o->patients < 1 || o->patients > STILE_SYNTH_PATIENTS_MAX) {
        return "patients must be 1 to 100000";
    }
    if (o->stamp == NULL || strlen(o->stamp) != 14 ||
        strspn(o->stamp, "0123456789") != 14) {
        return "the stamp must be yyyyMMddHHmmss";
    }
    if (o->trust_percent > 100 || o->charity_percent > 100) {
        return "a share is 0 to 100 percent";
    }
    const char *const words[] = {o->practice_ods, o->practice_name,
                                 o->trust_ods,    o->trust_name,
                                 o->charity_ods,  o->charity_name};
    for (size_t i = 0; i < 6; i++) {
        if (words[i] == NULL || words[i][0] == '\0') {
            return "every organisation needs its ODS code and its name";
        }
    }
    return NULL;
}

static void write_all(struct synth *s)
{
    stile__synth_admin(s);
    stile__synth_codings(s);
    stile__synth_appointments(s);
    for (uint32_t p = 0; p < s->options->patients && !s->failed; p++) {
        stile__synth_patient(s, p);
        stile__synth_care(s, p);
        stile__synth_medicines(s, p);
    }
}

enum stile_status stile_synth_write(const struct stile_synth_options *options,
                                    uint64_t *ret_rows, const char **ret_why)
{
    const char *why = refuse(options);
    struct stile_date until;
    if (why == NULL &&
        (options->until == NULL ||
         !stile_date_parse(stile_str_cstr(options->until), &until) ||
         until.day == 0 || until.year < 1950)) {
        why = "the last day must be a date from 1950 on, as 2026-03-31";
    }
    if (why != NULL) {
        if (ret_why != NULL) {
            *ret_why = why;
        }
        return STILE_INVALID;
    }
    struct synth *s = calloc(1, sizeof *s);
    struct synth_code_ids *codes = calloc(CODE_COUNT, sizeof *codes);
    if (s == NULL || codes == NULL) {
        free(codes);
        free(s);
        return STILE_NOMEM;
    }
    fill_codes(codes);
    s->codes = codes;
    s->options = options;
    s->seed = options->seed;
    s->until = stile_date_days(until);
    s->agreement = stile__synth_guid(s->seed, SYNTH_AGREEMENT, 0, 0);
    bool opened = stile__synth_open(s);
    if (opened) {
        write_all(s);
    }
    bool done = stile__synth_close(s, opened);
    uint64_t rows = 0;
    for (int i = 0; i < T_COUNT; i++) {
        rows += s->tables[i].rows;
    }
    if (done && ret_rows != NULL) {
        *ret_rows = rows;
    }
    if (!done && ret_why != NULL) {
        *ret_why = s->why;
    }
    free(codes);
    free(s);
    return done ? STILE_OK : STILE_IO;
}

int stile_synth_emis(const struct stile_synth_options *options)
{
    const char *why = "memory could not be had";
    uint64_t rows = 0;
    enum stile_status status = stile_synth_write(options, &rows, &why);
    if (status != STILE_OK) {
        fprintf(stderr, "stile: synth emis: %s\n", why);
        return status == STILE_INVALID ? 2 : 1;
    }
    printf("%llu rows in %d tables\n", (unsigned long long)rows, T_COUNT);
    return 0;
}
