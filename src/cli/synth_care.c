/* Consultations, observations, problems, referrals, diary. */
#include "synth_private.h"

#define PER_CONSULTATION 6
#define PLACE(p, j) ((uint64_t)(p)), (j)

static bool delta(const struct synth *s)
{
    return s->options->kind == STILE_SYNTH_DELTA;
}

static bool is(const struct synth *s, uint32_t p, enum synth_cast who)
{
    return stile__synth_is(s, p, who);
}

uint64_t stile__synth_observation_count(const struct synth *s, uint32_t p)
{
    uint64_t all = s->options->observations;
    uint64_t patients = s->options->patients;
    return all / patients + (p < all % patients ? 1 : 0);
}

static void who(struct synth *s, enum synth_table_id t, uint32_t p)
{
    stile__cell_guid(s, t, "PatientGuid", SYNTH_PATIENT, p, 0);
    stile__cell_guid(s, t, "OrganisationGuid", SYNTH_ORGANISATION, 0, 0);
}

/* The day of a patient's c-th consultation; they spread over ten years. */
static int64_t consultation_day(const struct synth *s, uint32_t p, uint64_t c)
{
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_CONSULTATION, p, c);
    return s->until - 1 - (int64_t)stile__synth_below(&rng, 3650);
}

/* Date and precision as the supplier prints them: always a whole date, with
 * padding where the precision says less. Returns the day it stands for. */
static void when_it_was(struct synth *s, enum synth_table_id t, int64_t day,
                        struct synth_rng *rng)
{
    uint32_t draw = stile__synth_below(rng, 100);
    struct stile_date d = stile_date_from_days(day);
    const char *precision = draw < 70   ? "YMD"
                            : draw < 85 ? "YMDT"
                            : draw < 93 ? "YM"
                            : draw < 98 ? "Y"
                                        : "U";
    if (draw >= 93) {
        d.month = 1;
    }
    if (draw >= 85) {
        d.day = 1;
    }
    stile__cell_date(s, t, "EffectiveDate", stile_date_days(d));
    stile__cell(s, t, "EffectiveDatePrecision", precision);
}

static void when_entered(struct synth *s, enum synth_table_id t, int64_t day,
                         struct synth_rng *rng)
{
    stile__cell_date(s, t, "EnteredDate", day);
    if (stile__synth_below(rng, 12) != 0) {
        stile__cell_time(s, t, "EnteredTime",
                         8 * 3600 + stile__synth_below(rng, 10 * 3600));
    }
    stile__cell_guid(s, t, "ClinicianUserInRoleGuid", SYNTH_USER,
                     stile__synth_clinician(rng), 0);
    stile__cell_guid(s, t, "EnteredByUserInRoleGuid", SYNTH_USER,
                     stile__synth_below(rng, SYNTH_USERS), 0);
}

/* ---- observations
 * --------------------------------------------------------------------- */

struct observation {
    enum synth_kind kind; /* with `index`, the GUID */
    uint64_t index;
    enum synth_code code;
    int64_t day;
    int64_t parent;       /* index of the parent SYNTH_OBSERVATION, or -1 */
    int64_t consultation; /* or -1 */
    bool problem;         /* belongs to the patient's first problem */
    bool no_code;
    bool confidential;
    uint32_t generation; /* 0 as first drawn, 1 as changed */
};

/* Eight in a row: a blood pressure as parent, diastolic, systolic (children
 * in the wrong order, as in the field), then five of the common ones. */
static enum synth_code code_of(const struct synth *s, uint32_t p, uint64_t j)
{
    static const enum synth_code common[] = {
        CODE_BMI,           CODE_WEIGHT, CODE_HEIGHT,   CODE_HBA1C,
        CODE_CHOLESTEROL,   CODE_HDL,    CODE_UNITS,    CODE_PHQ9,
        CODE_TRIGLYCERIDES, CODE_GAD7,   CODE_SMOKER,   CODE_EX_SMOKER,
        CODE_NEVER_SMOKED,  CODE_WEIGHT, CODE_LOW_MOOD, CODE_KNEE};
    switch (j % 8) {
    case 0:
        return CODE_BP;
    case 1:
        return CODE_DIASTOLIC;
    case 2:
        return CODE_SYSTOLIC;
    default:
        break;
    }
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_OBSERVATION, p, j ^ 0x80000000u);
    return common[stile__synth_below(&rng, 16)];
}

static void value(struct synth *s, const struct observation *o,
                  struct synth_rng *rng)
{
    const enum synth_table_id t = T_OBSERVATION;
    const struct synth_code_row *row = &stile__synth_codes[o->code];
    if (row->unit == NULL) {
        stile__cell(s, t, "ObservationType", "Observation");
        return;
    }
    uint32_t span = (uint32_t)(row->high - row->low) + 1;
    int64_t drawn = row->low + stile__synth_below(rng, span);
    if (o->generation > 0) {
        drawn = row->low + (drawn - row->low + span / 2) % span;
    }
    stile__cell_decimal(s, t, "Value", drawn, row->decimals);
    stile__cell(s, t, "NumericUnit", row->unit);
    stile__cell(s, t, "ObservationType", "Observation");
    if (row->normal_high > 0) {
        if (row->normal_low > 0) {
            stile__cell_decimal(s, t, "NumericRangeLow", row->normal_low,
                                row->decimals);
        }
        stile__cell_decimal(s, t, "NumericRangeHigh", row->normal_high,
                            row->decimals);
    }
}

static void qualifiers(struct synth *s, uint32_t p, const struct observation *o)
{
    const enum synth_table_id t = T_OBSERVATION;
    if (o->index % 29 == 3) {
        stile__cell_guid(s, t, "DocumentGuid", SYNTH_DOCUMENT, p, o->index);
    }
    if (o->code == CODE_KNEE) {
        char text[96];
        (void)snprintf(text, sizeof text,
                       "<qualifier><item><key codeId=\"%s\"/></item>"
                       "</qualifier>",
                       s->codes[CODE_QUALIFIER].code_id);
        stile__cell(s, t, "Qualifiers", text);
    }
}

static void observation_row(struct synth *s, uint32_t p,
                            const struct observation *o)
{
    const enum synth_table_id t = T_OBSERVATION;
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, o->kind, p, o->index);
    stile__cell_guid(s, t, "ObservationGuid", o->kind, PLACE(p, o->index));
    who(s, t, p);
    when_it_was(s, t, o->day, &rng);
    when_entered(s, t, o->day, &rng);
    if (o->parent >= 0) {
        stile__cell_guid(s, t, "ParentObservationGuid", SYNTH_OBSERVATION,
                         PLACE(p, (uint64_t)o->parent));
    }
    if (!o->no_code) {
        stile__cell(s, t, "CodeId", s->codes[o->code].code_id);
    }
    if (o->problem) {
        stile__cell_guid(s, t, "ProblemGuid", SYNTH_PROBLEM, p, 0);
    }
    if (o->consultation >= 0) {
        stile__cell_guid(s, t, "ConsultationGuid", SYNTH_CONSULTATION,
                         PLACE(p, (uint64_t)o->consultation));
    }
    value(s, o, &rng);
    qualifiers(s, p, o);
    stile__cell_bool(s, t, "Abnormal", false);
    if (o->kind == SYNTH_PROBLEM) {
        stile__cell(s, t, "Episode", "First");
    }
    stile__cell_bool(s, t, "Deleted", false);
    stile__cell_bool(s, t, "IsConfidential", o->confidential);
    stile__row_end(s, t);
}

static void common_observation(struct synth *s, uint32_t p, uint64_t j,
                               uint32_t generation)
{
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_OBSERVATION, p, j ^ 0x40000000u);
    /* What is written after the bulk's last one stands alone, as some do. */
    bool lone = stile__synth_below(&rng, 9) == 0 ||
                j >= stile__synth_observation_count(s, p);
    struct observation o = {
        .kind = SYNTH_OBSERVATION,
        .index = j,
        .code = code_of(s, p, j),
        .day = consultation_day(s, p, j / PER_CONSULTATION),
        .parent = j % 8 == 1 || j % 8 == 2 ? (int64_t)(j - j % 8) : -1,
        .consultation = lone ? -1 : (int64_t)(j / PER_CONSULTATION),
        .problem = p % 4 == 1 && j % 5 == 0,
        .no_code = is(s, p, CAST_NULL_CODE) && j == 3,
        .confidential = stile__synth_below(&rng, 60) == 0,
        .generation = generation,
    };
    if (is(s, p, CAST_LATE_CODE) && j == 4) {
        o.code = CODE_LATE;
    }
    if (is(s, p, CAST_DANGLING) && j == 5) {
        o.parent = INT32_MAX; /* a parent no file holds */
    }
    observation_row(s, p, &o);
}

static void observation_gone(struct synth *s, uint32_t p, uint64_t j)
{
    const enum synth_table_id t = T_OBSERVATION;
    stile__cell_guid(s, t, "ObservationGuid", SYNTH_OBSERVATION, p, j);
    who(s, t, p);
    stile__cell_bool(s, t, "Deleted", true);
    stile__row_end(s, t);
}

static void observations(struct synth *s, uint32_t p)
{
    uint64_t count = stile__synth_observation_count(s, p);
    if (!delta(s)) {
        for (uint64_t j = 0; j < count; j++) {
            common_observation(s, p, j, 0);
        }
        return;
    }
    if (p % 10 == 1 && count > 2) {
        common_observation(s, p, 2, 1);
    }
    if (p % 29 == 7 && count > 3) {
        observation_gone(s, p, 3);
    }
    if (p % 8 == 3) {
        common_observation(s, p, count, 0);
    }
}

/* ---- single entries: consents, dissents, sensitive
 * ---------------------------------- */

static void entry(struct synth *s, uint32_t p, uint64_t i, enum synth_code code,
                  int64_t days_ago)
{
    struct observation o = {
        .kind = SYNTH_ENTRY,
        .index = i,
        .code = code,
        .day = s->until - days_ago,
        .parent = -1,
        .consultation = -1,
    };
    observation_row(s, p, &o);
}

static void entries(struct synth *s, uint32_t p)
{
    static const struct {
        enum synth_cast who;
        enum synth_code code;
        int64_t days_ago;
    } plays[] = {
        {CAST_DECLINED_THIRD_PARTY, CODE_DECLINED_THIRD_PARTY, 40},
        {CAST_TYPE_1, CODE_TYPE_1, 800},
        {CAST_DISSENT_THEN_CONSENT, CODE_DISSENT_LOCAL, 900},
        {CAST_DISSENT_THEN_CONSENT, CODE_CONSENT_LOCAL, 50},
        {CAST_CONSENT_SHARING, CODE_CONSENT_SHARING, 70},
        {CAST_ADOPTED, CODE_ADOPTED, 3000},
        {CAST_ADOPTED, CODE_THIRD_PARTY_INFO, 2900},
        {CAST_CONSENT_FORM, CODE_CONSENT_FORM, 20},
        {CAST_BOTH, CODE_CONSENT_CHARITY, 15},
        {CAST_SENSITIVE_ENTRY, CODE_CONSENT_CHARITY, 15},
        {CAST_DISSENT_NATIONAL, CODE_DISSENT_NATIONAL, 4000},
        {CAST_TYPE_2, CODE_TYPE_2, 3500},
        {CAST_SENSITIVE_ENTRY, CODE_SENSITIVE_1, 100},
        {CAST_SENSITIVE_ENTRY, CODE_SENSITIVE_2, 90},
        {CAST_CHILD, CODE_SENSITIVE_1, 60},
        {CAST_SENSITIVE_ENTRY, CODE_PERSONALITY, 300},
    };
    if (delta(s)) {
        return;
    }
    for (uint64_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        if (is(s, p, plays[i].who)) {
            entry(s, p, i, plays[i].code, plays[i].days_ago);
        }
    }
    /* Seven in ten of those sent to the charity have said yes to it, under a
     * code that names it; a form that names nobody is no yes to anyone. */
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_ENTRY, p, 100);
    if (p >= SYNTH_CAST && stile__synth_referred_charity(s, p) &&
        stile__synth_below(&rng, 10) < 7) {
        entry(s, p, 101, CODE_CONSENT_CHARITY, 30);
    }
}

/* ---- problems
 * ------------------------------------------------------------------------- */

static void problem_observation(struct synth *s, uint32_t p)
{
    static const enum synth_code codes[] = {CODE_LOW_MOOD, CODE_SCHIZOPHRENIA,
                                            CODE_KNEE,     CODE_PSYCHOSIS,
                                            CODE_BIPOLAR,  CODE_LOW_MOOD};
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_PROBLEM, p, 7);
    struct observation o = {
        .kind = SYNTH_PROBLEM,
        .index = 0,
        .code = codes[stile__synth_below(&rng, 6)],
        .day = consultation_day(s, p, 0),
        .parent = -1,
        .consultation = 0,
        .confidential = p % 31 == 9,
    };
    observation_row(s, p, &o);
}

static void problem_row(struct synth *s, uint32_t p)
{
    const enum synth_table_id t = T_PROBLEM;
    bool past = p % 8 == 5;
    stile__cell_guid(s, t, "ObservationGuid", SYNTH_PROBLEM, p, 0);
    who(s, t, p);
    stile__cell_bool(s, t, "Deleted", false);
    if (past) {
        stile__cell_date(s, t, "EndDate", s->until - 100);
        stile__cell(s, t, "EndDatePrecision", p % 16 == 5 ? "YM" : "YMD");
    }
    stile__cell_int(s, t, "ExpectedDuration", past ? 28 : 0);
    stile__cell_date(s, t, "LastReviewDate", s->until - 60);
    stile__cell(s, t, "LastReviewDatePrecision", "YMD");
    stile__cell_guid(s, t, "LastReviewUserInRoleGuid", SYNTH_USER, p % 5, 0);
    stile__cell(s, t, "ProblemStatusDescription",
                past ? "Past Problem" : "Active Problem");
    stile__cell(s, t, "SignificanceDescription",
                p % 2 == 0 ? "Minor Problem" : "Significant Problem");
    stile__row_end(s, t);
}

static void problems(struct synth *s, uint32_t p)
{
    bool late = is(s, p, CAST_LATE_PROBLEM);
    bool has = p % 4 == 1 || late;
    if (has && !delta(s)) {
        problem_row(s, p);
    }
    /* Tables differ independently: one problem is a day ahead of its row. */
    if (late ? delta(s) : has && !delta(s)) {
        problem_observation(s, p);
    }
}

/* ---- referrals
 * ------------------------------------------------------------------------ */

static void referral(struct synth *s, uint32_t p, uint64_t target)
{
    static const char *const urgencies[] = {"Routine", "Routine",     "Urgent",
                                            "Soon",    "2 Week Wait", "Dated"};
    const enum synth_table_id t = T_REFERRAL;
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_REFERRAL, p, target);
    struct observation o = {
        .kind = SYNTH_REFERRAL,
        .index = target,
        .code = target == 1 ? CODE_REFER_TRUST : CODE_REFER_CHARITY,
        .day = s->until - 1 - (int64_t)stile__synth_below(&rng, 90),
        .parent = -1,
        .consultation = -1,
        .problem = p % 4 == 1,
    };
    observation_row(s, p, &o);
    stile__cell_guid(s, t, "ObservationGuid", SYNTH_REFERRAL, p, target);
    who(s, t, p);
    if (!is(s, p, CAST_NO_TARGET)) {
        stile__cell_guid(s, t, "ReferralTargetOrganisationGuid",
                         SYNTH_ORGANISATION, target, 0);
    }
    stile__cell(s, t, "ReferralUrgency",
                urgencies[stile__synth_below(&rng, 6)]);
    stile__cell(s, t, "ReferralServiceType",
                target == 1 ? "Assessment" : "Community Care");
    bool electronic = target == 1 && stile__synth_below(&rng, 3) == 0;
    stile__cell(s, t, "ReferralMode",
                electronic ? "NHS e-Referral" : "Written");
    if (electronic) {
        char ubrn[16];
        (void)snprintf(ubrn, sizeof ubrn, "99%010u",
                       stile__synth_below(&rng, 1000000000));
        stile__cell(s, t, "ReferralUBRN", ubrn);
    }
    stile__cell_bool(s, t, "TransportRequired", p % 19 == 0);
    stile__row_end(s, t);
}

static void referrals(struct synth *s, uint32_t p)
{
    bool fresh = is(s, p, CAST_NEW_REFERRAL);
    if (delta(s)) {
        if (fresh) {
            referral(s, p, 1);
        }
        return;
    }
    if (!fresh &&
        (stile__synth_referred_trust(s, p) || is(s, p, CAST_NO_TARGET))) {
        referral(s, p, 1);
    }
    if (stile__synth_referred_charity(s, p)) {
        referral(s, p, 2);
    }
}

/* ---- consultations, diary
 * ----------------------------------------------------------- */

static void consultation(struct synth *s, uint32_t p, uint64_t c)
{
    static const char *const sources[] = {"GP Surgery", "Telephone call",
                                          "Home visit (invented)"};
    const enum synth_table_id t = T_CONSULTATION;
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_CONSULTATION, p, c + 1000000);
    int64_t day = consultation_day(s, p, c);
    stile__cell_guid(s, t, "ConsultationGuid", SYNTH_CONSULTATION, p, c);
    who(s, t, p);
    when_it_was(s, t, day, &rng);
    when_entered(s, t, day, &rng);
    stile__cell(s, t, "ConsultationSourceTerm",
                sources[stile__synth_below(&rng, 3)]);
    stile__cell_bool(s, t, "Complete", c % 7 != 6);
    stile__cell_bool(s, t, "Deleted", false);
    stile__cell_bool(s, t, "IsConfidential", is(s, p, CAST_CONFIDENTIAL));
    stile__row_end(s, t);
}

static void diary(struct synth *s, uint32_t p)
{
    const enum synth_table_id t = T_DIARY;
    struct synth_rng rng;
    stile__synth_rng(&rng, s->seed, SYNTH_DIARY, p, 1);
    stile__cell_guid(s, t, "DiaryGuid", SYNTH_DIARY, p, 0);
    who(s, t, p);
    when_it_was(s, t, s->until + 90, &rng);
    when_entered(s, t, s->until - 30, &rng);
    stile__cell(s, t, "CodeId", s->codes[CODE_BMI].code_id);
    stile__cell(s, t, "OriginalTerm", "Weigh again, \"no hurry\"");
    stile__cell_bool(s, t, "Deleted", false);
    stile__cell_bool(s, t, "IsConfidential", false);
    stile__cell_bool(s, t, "IsActive", true);
    stile__cell_bool(s, t, "IsComplete", false);
    stile__row_end(s, t);
}

static void audit(struct synth *s, uint32_t p)
{
    const enum synth_table_id t = T_PATIENT_AUDIT;
    stile__cell_guid(s, t, "ItemGuid", SYNTH_OBSERVATION, p, 0);
    who(s, t, p);
    stile__cell_date(s, t, "ModifiedDate", s->until - 1);
    stile__cell_time(s, t, "ModifiedTime", 10 * 3600 + p % 3600);
    stile__cell_guid(s, t, "UserInRoleGuid", SYNTH_USER, p % 8, 0);
    stile__cell(s, t, "ItemType", "Observation");
    stile__cell(s, t, "ModeType", delta(s) ? "Edit" : "Insert");
    stile__row_end(s, t);
}

void stile__synth_care(struct synth *s, uint32_t p)
{
    if (delta(s) && is(s, p, CAST_DELETED)) {
        return;
    }
    if (!delta(s)) {
        uint64_t count = stile__synth_observation_count(s, p);
        uint64_t last = (count + PER_CONSULTATION - 1) / PER_CONSULTATION;
        for (uint64_t c = 0; c < last; c++) {
            consultation(s, p, c);
        }
        if (p % 4 == 2) {
            diary(s, p);
        }
    }
    observations(s, p);
    entries(s, p);
    problems(s, p);
    referrals(s, p);
    if (!delta(s) || p % 10 == 1) {
        audit(s, p);
    }
}
