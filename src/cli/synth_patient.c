/* Admin_Patient and the tables that follow the person around the desk. */
#include "synth_private.h"

static bool is(const struct synth *s, uint32_t p, enum synth_cast who)
{
    return stile__synth_is(s, p, who);
}

bool stile__synth_referred_trust(const struct synth *s, uint32_t p)
{
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_REFERRAL, p, 1000);
    bool drawn = stile__synth_below(&rng, 100) < s->options->trust_percent;
    return drawn || is(s, p, CAST_BOTH) || is(s, p, CAST_SENSITIVE_ENTRY) ||
           is(s, p, CAST_LATE_CODE) || is(s, p, CAST_DELETED);
}

bool stile__synth_referred_charity(const struct synth *s, uint32_t p)
{
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_REFERRAL, p, 1001);
    bool drawn = stile__synth_below(&rng, 100) < s->options->charity_percent;
    return drawn || is(s, p, CAST_BOTH) || is(s, p, CAST_CONSENT_FORM) ||
           is(s, p, CAST_DECLINED_THIRD_PARTY) || is(s, p, CAST_SENSITIVE) ||
           is(s, p, CAST_SENSITIVE_ENTRY);
}

static const char *sex(const struct synth *s, uint32_t p, struct synth_rng *rng)
{
    bool female = stile__synth_below(rng, 2) == 0;
    if (is(s, p, CAST_SEX_I)) {
        return "I";
    }
    if (is(s, p, CAST_SEX_U)) {
        return "U";
    }
    return female ? "F" : "M";
}

/* The field's placeholders and damages, one patient each. */
static void nhs_number(const struct synth *s, uint32_t p, char out[11])
{
    uint32_t person = is(s, p, CAST_SECOND_RECORD) ? CAST_TWO_RECORDS : p;
    stile__synth_nhs_number(s->seed, person, out);
    if (is(s, p, CAST_PLACEHOLDER_NUMBER)) {
        memset(out, '0', 10);
    }
    if (is(s, p, CAST_WRONG_NUMBER)) {
        out[9] = (char)('0' + (out[9] - '0' + 1) % 10);
    }
    if (is(s, p, CAST_NO_NUMBER)) {
        out[0] = '\0';
    }
}

static void where(struct synth *s, uint32_t p, bool moved)
{
    const enum synth_table_id t = T_PATIENT;
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_PATIENT, p, moved ? 2 : 1);
    uint32_t n = stile__synth_below(&rng, 90) + 1;
    char text[96];
    if (p % 11 == 0) {
        (void)snprintf(text, sizeof text, "Flat %u, \"The Mill\"", n);
        stile__cell(s, t, "HouseNameFlatNumber", text);
    }
    (void)snprintf(text, sizeof text, "%u %s", n,
                   stile__synth_street(stile__synth_below(&rng, 600)));
    stile__cell(s, t, "NumberAndStreet", text);
    stile__cell(s, t, "Town", stile__synth_town(n));
    stile__cell(s, t, "County", "Westmarshire");
    /* ZZ99 is no place (ODS pseudo postcodes); the units below are not among
     * those that stand for "no fixed abode" or a country. */
    (void)snprintf(text, sizeof text, "ZZ99 %u%s", n % 10,
                   n % 2 == 0 ? "AA" : "BA");
    stile__cell(s, t, "Postcode", text);
}

static void reach(struct synth *s, uint32_t p)
{
    const enum synth_table_id t = T_PATIENT;
    struct synth_rng rng;
    char text[96];
    stile__synth_rng(&rng, s->seed, SYNTH_PATIENT, p, 3);
    /* Ofcom's numbers for drama: 01632 960000-960999, 07700 900000-900999. */
    if (p % 5 != 4) {
        (void)snprintf(text, sizeof text, "patient%u@example.org", p);
        stile__cell(s, t, "EmailAddress", text);
    }
    if (p % 3 == 0) {
        (void)snprintf(text, sizeof text, "01632 960%03u",
                       stile__synth_below(&rng, 1000));
        stile__cell(s, t, "HomePhone", text);
    }
    (void)snprintf(text, sizeof text, "07700 900%03u",
                   stile__synth_below(&rng, 1000));
    stile__cell(s, t, "MobilePhone", text);
    if (p % 17 == 1) {
        stile__cell(s, t, "ContactComments",
                    "Ring twice,\nthen leave \"no\" message");
    }
}

static void patient_row(struct synth *s, uint32_t p, bool moved)
{
    const enum synth_table_id t = T_PATIENT;
    struct synth_rng rng;
    char number[11];
    stile__synth_rng(&rng, s->seed, SYNTH_PATIENT, p, 0);
    nhs_number(s, p, number);
    uint32_t person = is(s, p, CAST_SECOND_RECORD) ? CAST_TWO_RECORDS : p;
    int64_t age = is(s, p, CAST_CHILD)
                      ? 14 * 365
                      : 18 * 366 + (int64_t)stile__synth_below(&rng, 25000);
    stile__cell_guid(s, t, "PatientGuid", SYNTH_PATIENT, p, 0);
    stile__cell_guid(s, t, "OrganisationGuid", SYNTH_ORGANISATION, 0, 0);
    stile__cell_guid(s, t, "UsualGpUserInRoleGuid", SYNTH_USER, p % 5, 0);
    stile__cell(s, t, "Sex", sex(s, p, &rng));
    stile__cell_date(s, t, "DateOfBirth", s->until - age);
    if (is(s, p, CAST_DECEASED)) {
        stile__cell_date(s, t, "DateOfDeath", s->until - 120);
    }
    stile__cell(s, t, "Title", p % 3 == 0 ? "Mx" : "");
    stile__cell(s, t, "GivenName", stile__synth_given(person));
    if (p % 7 == 0) {
        stile__cell(s, t, "MiddleNames", "Test Data");
    }
    stile__cell(s, t, "Surname",
                stile__synth_surname(person * 7 + person / 12));
    stile__cell_date(s, t, "DateOfRegistration",
                     s->until - 200 - (int64_t)stile__synth_below(&rng, 5000));
    stile__cell(s, t, "NhsNumber", number);
    stile__cell_int(s, t, "PatientNumber", 1000 + (int64_t)p);
    stile__cell(s, t, "PatientTypeDescription",
                is(s, p, CAST_DUMMY)           ? "Dummy"
                : is(s, p, CAST_SECOND_RECORD) ? "Temporary"
                                               : "Regular");
    stile__cell_bool(s, t, "DummyType", is(s, p, CAST_DUMMY));
    where(s, p, moved);
    if (p % 13 == 6) {
        stile__cell(s, t, "CarerName", "Carera Example");
        stile__cell(s, t, "CarerRelation", "Neighbour");
    }
    stile__cell_guid(s, t, "PersonGuid", SYNTH_PERSON, person, 0);
    if (is(s, p, CAST_LEFT)) {
        stile__cell_date(s, t, "DateofDeactivation", s->until - 30);
    }
    stile__cell_bool(s, t, "Deleted", false);
    stile__cell_bool(s, t, "SpineSensitive", is(s, p, CAST_SENSITIVE));
    stile__cell_bool(s, t, "IsConfidential",
                     is(s, p, CAST_SENSITIVE) || is(s, p, CAST_CONFIDENTIAL));
    reach(s, p);
    stile__row_end(s, t);
}

static void history(struct synth *s, uint32_t p)
{
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_PATIENT, p, 4);
    stile__cell_guid(s, T_PATIENT_HISTORY, "PatientGuid", SYNTH_PATIENT, p, 0);
    stile__cell_guid(s, T_PATIENT_HISTORY, "OrganisationGuid",
                     SYNTH_ORGANISATION, 0, 0);
    stile__cell_date(s, T_PATIENT_HISTORY, "HistoryDate",
                     s->until - 200 - (int64_t)stile__synth_below(&rng, 5000));
    stile__cell_time(s, T_PATIENT_HISTORY, "HistoryTime",
                     stile__synth_below(&rng, 86400));
    stile__cell(s, T_PATIENT_HISTORY, "StatusDescription",
                is(s, p, CAST_LEFT) ? "Deducted" : "Registered");
    stile__row_end(s, T_PATIENT_HISTORY);
    stile__cell_guid(s, T_REGISTRATION_AUDIT, "PatientGuid", SYNTH_PATIENT, p,
                     0);
    stile__cell_guid(s, T_REGISTRATION_AUDIT, "OrganisationGuid",
                     SYNTH_ORGANISATION, 0, 0);
    stile__cell_date(s, T_REGISTRATION_AUDIT, "ModifiedDate", s->until - 200);
    stile__cell_time(s, T_REGISTRATION_AUDIT, "ModifiedTime",
                     stile__synth_below(&rng, 86400));
    stile__cell_guid(s, T_REGISTRATION_AUDIT, "UserInRoleGuid", SYNTH_USER, 9,
                     0);
    stile__cell(s, T_REGISTRATION_AUDIT, "ModeType", "Edit");
    stile__row_end(s, T_REGISTRATION_AUDIT);
}

/* A delete carries the keys and the flag, nothing else; the patient's own
 * rows follow by cascade, not by rows of theirs. */
static void gone(struct synth *s, uint32_t p)
{
    stile__cell_guid(s, T_PATIENT, "PatientGuid", SYNTH_PATIENT, p, 0);
    stile__cell_bool(s, T_PATIENT, "Deleted", true);
    stile__row_end(s, T_PATIENT);
}

void stile__synth_patient(struct synth *s, uint32_t p)
{
    if (s->options->kind == STILE_SYNTH_BULK) {
        patient_row(s, p, false);
        history(s, p);
    } else if (is(s, p, CAST_DELETED)) {
        gone(s, p);
    } else if (p % 23 == 5) {
        patient_row(s, p, true);
    }
}
