/* Medicines, and the appointment book. */
#include "synth_private.h"

static bool is(const struct synth *s, uint32_t p, enum synth_cast who)
{
    return stile__synth_is(s, p, who);
}

static void head(struct synth *s, enum synth_table_id t, uint32_t p)
{
    stile__cell_guid(s, t, "PatientGuid", SYNTH_PATIENT, p, 0);
    stile__cell_guid(s, t, "OrganisationGuid", SYNTH_ORGANISATION, 0, 0);
}

/* What a drug record and its issues share, from one stream. */
static void course(struct synth *s, enum synth_table_id t, uint32_t p,
                   uint32_t drug, int64_t day)
{
    struct synth_rng rng;
    char id[19];
    stile__synth_rng(&rng, s->seed, SYNTH_DRUG, p, drug);
    stile__synth_sctid(70000000 + drug, "11", id);
    stile__cell_date(s, t, "EffectiveDate", day);
    stile__cell(s, t, "EffectiveDatePrecision", "YMD");
    stile__cell_date(s, t, "EnteredDate", day);
    stile__cell_time(s, t, "EnteredTime",
                     9 * 3600 + stile__synth_below(&rng, 8 * 3600));
    stile__cell_guid(s, t, "ClinicianUserInRoleGuid", SYNTH_USER,
                     stile__synth_clinician(&rng), 0);
    stile__cell_guid(s, t, "EnteredByUserInRoleGuid", SYNTH_USER,
                     stile__synth_below(&rng, SYNTH_USERS), 0);
    stile__cell(s, t, "CodeId", id);
    stile__cell(s, t, "Dosage", stile__synth_drugs[drug].dosage);
    stile__cell_decimal(s, t, "Quantity", 28000, 3);
    stile__cell(s, t, "QuantityUnit", stile__synth_drugs[drug].unit);
    if (p % 4 == 1) {
        stile__cell_guid(s, t, "ProblemObservationGuid", SYNTH_PROBLEM, p, 0);
    }
}

static void issue(struct synth *s, uint32_t p, uint32_t drug, uint32_t i)
{
    const enum synth_table_id t = T_ISSUE;
    int64_t day = s->until - 28 * (int64_t)i - 5;
    stile__cell_guid(s, t, "IssueRecordGuid", SYNTH_ISSUE, p, drug * 100 + i);
    head(s, t, p);
    /* Some issues come without their drug record. */
    stile__cell_guid(s, t, "DrugRecordGuid", SYNTH_DRUG, p,
                     is(s, p, CAST_DANGLING) ? 99 : drug);
    course(s, t, p, drug, day);
    stile__cell_int(s, t, "CourseDurationInDays", 28);
    stile__cell_decimal(s, t, "EstimatedNhsCost", 210 + drug * 40, 2);
    stile__cell_bool(s, t, "IsConfidential", false);
    stile__cell_bool(s, t, "IsPrescribedAsContraceptive", false);
    stile__cell_bool(s, t, "IsPrivatelyPrescribed", false);
    stile__cell(s, t, "IssueMethodDescription", "Print");
    stile__cell_bool(s, t, "Deleted", false);
    stile__row_end(s, t);
}

static void drug_record(struct synth *s, uint32_t p, uint32_t drug)
{
    const enum synth_table_id t = T_DRUG;
    static const char *const types[] = {"Acute", "Repeat", "Repeat Dispensing",
                                        "Automatic"};
    /* Both oddities of the field: ended without a date, dated but active. */
    bool active = (p + drug) % 3 != 0;
    bool cancelled = (p + drug) % 7 == 0;
    stile__cell_guid(s, t, "DrugRecordGuid", SYNTH_DRUG, p, drug);
    head(s, t, p);
    course(s, t, p, drug, s->until - 300 - (int64_t)(p % 400));
    stile__cell(s, t, "PrescriptionType", types[(p + drug) % 4]);
    stile__cell_bool(s, t, "IsActive", active);
    if (cancelled) {
        stile__cell_date(s, t, "CancellationDate", s->until - 20);
    }
    stile__cell_int(s, t, "NumberOfIssues", (p + drug) % 6);
    stile__cell_int(s, t, "NumberOfIssuesAuthorised", 6);
    stile__cell_bool(s, t, "IsConfidential", (p * 7 + drug) % 41 == 0);
    stile__cell_bool(s, t, "Deleted", false);
    stile__row_end(s, t);
}

void stile__synth_medicines(struct synth *s, uint32_t p)
{
    if (s->options->kind == STILE_SYNTH_DELTA) {
        /* A repeat is issued again; one course is taken off the record. */
        if (p % 6 == 2 && !is(s, p, CAST_DELETED)) {
            issue(s, p, p % SYNTH_DRUGS, 0);
        }
        if (p % 40 == 14) {
            stile__cell_guid(s, T_DRUG, "DrugRecordGuid", SYNTH_DRUG, p,
                             p % SYNTH_DRUGS);
            head(s, T_DRUG, p);
            stile__cell_bool(s, T_DRUG, "Deleted", true);
            stile__row_end(s, T_DRUG);
        }
        return;
    }
    for (uint32_t i = 0; i < p % 4; i++) {
        uint32_t drug = (p + i) % SYNTH_DRUGS;
        drug_record(s, p, drug);
        for (uint32_t n = 1; n <= (p + i) % 3; n++) {
            issue(s, p, drug, n);
        }
    }
}

/* ---- appointments
 * --------------------------------------------------------------------- */

#define SLOTS 12

static void slot(struct synth *s, uint64_t session, uint32_t i, int64_t day)
{
    const enum synth_table_id t = T_SLOT;
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_SLOT, session, i);
    uint32_t start = 9 * 3600 + i * 900;
    uint32_t draw = stile__synth_below(&rng, 10);
    bool booked = draw < 7;
    stile__cell_guid(s, t, "SlotGuid", SYNTH_SLOT, session, i);
    stile__cell_date(s, t, "AppointmentDate", day);
    stile__cell_time(s, t, "AppointmentStartTime", start);
    stile__cell_int(s, t, "PlannedDurationInMinutes", 15);
    if (draw == 0) {
        /* Booked by someone the extract does not hold. */
        stile__cell_guid(s, t, "PatientGuid", SYNTH_OUTSIDER, session, i);
    } else if (booked) {
        stile__cell_guid(s, t, "PatientGuid", SYNTH_PATIENT,
                         stile__synth_below(&rng, s->options->patients), 0);
        stile__cell_time(s, t, "SendInTime", start + 240);
        stile__cell_time(s, t, "LeftTime", start + 1000);
        stile__cell_bool(s, t, "DidNotAttend", draw == 6);
    }
    stile__cell_guid(s, t, "OrganisationGuid", SYNTH_ORGANISATION, 0, 0);
    stile__cell_guid(s, t, "SessionGuid", SYNTH_SESSION, session, 0);
    if (booked) {
        stile__cell_date(s, t, "BookedDate", day - 3);
        stile__cell_time(s, t, "BookedTime", 10 * 3600);
        stile__cell(s, t, "SlotStatus", "Booked");
    }
    stile__cell_bool(s, t, "IsBookableOnline", i % 3 == 0);
    if (booked) {
        stile__cell(s, t, "BookingMethod", "Practice");
        stile__cell(s, t, "ModeOfContact", "Telephone");
    }
    stile__cell_bool(s, t, "IsBlocked", false);
    stile__cell_bool(s, t, "Deleted", false);
    stile__row_end(s, t);
}

static void session(struct synth *s, uint64_t i)
{
    const enum synth_table_id t = T_SESSION;
    int64_t day = s->until - (int64_t)(i / 4 % 900);
    stile__cell_guid(s, t, "AppointmentSessionGuid", SYNTH_SESSION, i, 0);
    stile__cell(s, t, "Description", "Morning, \"open\" list");
    stile__cell_guid(s, t, "LocationGuid", SYNTH_LOCATION, 0, 0);
    stile__cell(s, t, "SessionTypeDescription", "Timed");
    stile__cell(s, t, "SessionCategoryDisplayName", "General");
    stile__cell_date(s, t, "StartDate", day);
    stile__cell_time(s, t, "StartTime", 9 * 3600);
    stile__cell_date(s, t, "EndDate", day);
    stile__cell_time(s, t, "EndTime", 12 * 3600);
    stile__cell_bool(s, t, "Private", i % 9 == 8);
    stile__cell_guid(s, t, "OrganisationGuid", SYNTH_ORGANISATION, 0, 0);
    stile__cell_bool(s, t, "Deleted", false);
    stile__row_end(s, t);
    /* A cancellation list has no user; duplicates occur elsewhere. */
    for (uint64_t n = i % 5 == 4 ? 0 : i % 7 == 3 ? 2 : 1; n > 0; n--) {
        stile__cell_guid(s, T_SESSION_USER, "SessionGuid", SYNTH_SESSION, i, 0);
        stile__cell_guid(s, T_SESSION_USER, "UserInRoleGuid", SYNTH_USER, i % 8,
                         0);
        stile__cell_bool(s, T_SESSION_USER, "Deleted", false);
        stile__row_end(s, T_SESSION_USER);
    }
    for (uint32_t n = 0; n < SLOTS; n++) {
        slot(s, i, n, day);
    }
}

void stile__synth_appointments(struct synth *s)
{
    if (s->options->kind == STILE_SYNTH_DELTA) {
        /* A cancelled booking: the same slot without its patient. */
        stile__cell_guid(s, T_SLOT, "SlotGuid", SYNTH_SLOT, 0, 1);
        stile__cell_date(s, T_SLOT, "AppointmentDate", s->until);
        stile__cell_time(s, T_SLOT, "AppointmentStartTime", 9 * 3600 + 900);
        stile__cell_int(s, T_SLOT, "PlannedDurationInMinutes", 15);
        stile__cell_guid(s, T_SLOT, "OrganisationGuid", SYNTH_ORGANISATION, 0,
                         0);
        stile__cell_guid(s, T_SLOT, "SessionGuid", SYNTH_SESSION, 0, 0);
        stile__cell_bool(s, T_SLOT, "IsBookableOnline", false);
        stile__cell_bool(s, T_SLOT, "IsBlocked", false);
        stile__cell_bool(s, T_SLOT, "Deleted", false);
        stile__row_end(s, T_SLOT);
        return;
    }
    uint64_t count = s->options->patients / 10 + 2;
    for (uint64_t i = 0; i < count && !s->failed; i++) {
        session(s, i);
    }
}
