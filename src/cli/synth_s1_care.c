/* A SystmOne patient: who they are, the journal, medicines, referrals. */
#include "synth_systmone.h"

static bool is(const struct s1 *s, uint32_t p, enum s1_cast who)
{
    return stile__s1_is(s, p, who);
}

static bool delta(const struct s1 *s)
{
    return s->options->kind == STILE_SYNTH_DELTA;
}

static int64_t patient_row(uint32_t p)
{
    return 10001 + (int64_t)p;
}

/* What nearly every row of a person begins and ends with. */
static void head(struct s1 *s, enum s1_table_id t, uint32_t p, int64_t row,
                 int64_t day)
{
    const char *practice = s->options->practice_ods;
    stile__s1_int(s, t, "RowIdentifier", row);
    stile__s1(s, t, "IDOrganisationVisibleTo", practice);
    stile__s1_time(s, t, "DateEventRecorded", day, 36900 + p % 600);
    stile__s1_time(s, t, "DateEvent", day, p % 3 == 0 ? 0 : 36000);
    stile__s1_int(s, t, "IDProfileEnteredBy", 901 + p % 4);
    stile__s1(s, t, "IDOrganisationDoneAt", practice);
    stile__s1_int(s, t, "IDPatient", patient_row(p));
    stile__s1(s, t, "IDOrganisation", practice);
    stile__s1(s, t, "IDOrganisationRegisteredAt", practice);
}

/* ---- who ---- */

static void person(struct s1 *s, uint32_t p)
{
    const enum s1_table_id t = S1_PATIENT;
    struct synth_rng rng;
    char number[11];
    stile__synth_rng(&rng, s->options->seed, SYNTH_PATIENT, p, 77);
    stile__synth_nhs_number(s->options->seed + 31, p, number);
    if (is(s, p, S1_PLACEHOLDER)) {
        memset(number, '0', 10);
    }
    if (is(s, p, S1_WRONG_NUMBER)) {
        number[9] = (char)('0' + (number[9] - '0' + 1) % 10);
    }
    stile__s1_int(s, t, "RowIdentifier", patient_row(p));
    stile__s1(s, t, "IDOrganisationVisibleTo", s->options->practice_ods);
    stile__s1(s, t, "Title", p % 3 == 0 ? "Mx" : "");
    stile__s1(s, t, "FirstName", stile__synth_given(p + 1));
    stile__s1(s, t, "MiddleNames", p % 5 == 0 ? "Test" : "");
    stile__s1(s, t, "Surname", stile__synth_surname(p * 5 + 3));
    stile__s1(s, t, "PreviousSurname", p % 7 == 0 ? "Nonesuch" : "");
    stile__s1(s, t, "NHSNumber", number);
    stile__s1_time(s, t, "DateBirth",
                   s->until - 7000 - stile__synth_below(&rng, 25000), 0);
    if (is(s, p, S1_DECEASED)) {
        stile__s1_time(s, t, "DateDeath", s->until - 40, 51900);
    }
    stile__s1(s, t, "BirthPlace", p % 4 == 0 ? "Eastmoor" : "");
    stile__s1(s, t, "Gender", p % 19 == 0 ? "I" : p % 2 == 0 ? "F" : "M");
    stile__s1(s, t, "SpeaksEnglish", p % 6 == 0 ? "Unknown" : "Yes");
    stile__s1(s, t, "EmailAddress", p % 3 == 1 ? "nobody@mail.example" : "");
    stile__s1_bool(s, t, "TestPatient", is(s, p, S1_TEST));
    stile__s1_bool(s, t, "SpineMatched", true);
    stile__s1_end(s, t);
}

static void address(struct s1 *s, uint32_t p, uint32_t which, bool ended)
{
    const enum s1_table_id t = S1_ADDRESS;
    char house[8], code[12];
    int n = snprintf(house, sizeof house, "%u", 1 + (p + which) % 90);
    STILE_ASSERT(n > 0);
    n = snprintf(code, sizeof code, "ZZ99 %u%c%c", 1 + which % 9,
                 "ABDEFGHJLN"[p % 10], "PQRSTUWXYZ"[p % 10]);
    STILE_ASSERT(n > 0 && n < (int)sizeof code);
    head(s, t, p, s1_row(p, 10 + which), s->until - 900);
    stile__s1(s, t, "NumberOfBuilding", house);
    stile__s1(s, t, "NameOfRoad", stile__synth_street(p + which));
    stile__s1(s, t, "NameOfTown", stile__synth_town(p + which));
    stile__s1(s, t, "FullPostCode", code);
    stile__s1_list(s, t, "AddressType", "Home");
    if (ended) {
        stile__s1_time(s, t, "DateTo", s->until - 300, 0);
    }
    stile__s1_end(s, t);
}

static void contact(struct s1 *s, uint32_t p, uint32_t which, const char *type)
{
    char number[24];
    int n = snprintf(number, sizeof number, "07700 900%03u",
                     (unsigned)((p * 7 + which) % 1000));
    STILE_ASSERT(n == 12);
    head(s, S1_CONTACT, p, s1_row(p, 20 + which), s->until - 900);
    stile__s1_list(s, S1_CONTACT, "ContactType", type);
    stile__s1(s, S1_CONTACT, "ContactNumber", number);
    stile__s1_end(s, S1_CONTACT);
}

static void registration(struct s1 *s, uint32_t p)
{
    const char *practice = s->options->practice_ods;
    enum s1_table_id t = S1_REGISTRATION;
    stile__s1_int(s, t, "RowIdentifier", s1_row(p, 1));
    stile__s1(s, t, "IDOrganisationVisibleTo", practice);
    stile__s1_time(s, t, "DateEventRecorded", s->until - 1500, 36000);
    stile__s1_time(s, t, "DateRegistration", s->until - 1500, 0);
    stile__s1(s, t, "RegistrationStatus", "GMS,Standard");
    stile__s1_int(s, t, "IDPatient", patient_row(p));
    stile__s1(s, t, "IDOrganisation", practice);
    stile__s1(s, t, "IDOrganisationRegisteredAt", practice);
    stile__s1_end(s, t);
    t = S1_PRACTICE;
    stile__s1_int(s, t, "RowIdentifier", s1_row(p, 2));
    stile__s1(s, t, "IDOrganisationVisibleTo", practice);
    stile__s1(s, t, "IDPractice", practice);
    stile__s1_date(s, t, "DateFrom", s->until - 1500);
    stile__s1_int(s, t, "IDPatient", patient_row(p));
    stile__s1_end(s, t);
}

static void relationship(struct s1 *s, uint32_t p)
{
    const enum s1_table_id t = S1_RELATIONSHIP;
    head(s, t, p, s1_row(p, 30), s->until - 900);
    stile__s1(s, t, "RelationshipType", "Sister");
    stile__s1_bool(s, t, "NextOfKin", true);
    stile__s1(s, t, "RelationshipWithName", "Testina Placeholder");
    stile__s1(s, t, "RelationshipWithTelephone", "01632 960044");
    stile__s1(s, t, "RelationshipWithSex", "F");
    stile__s1_end(s, t);
}

void stile__s1_patient(struct s1 *s, uint32_t p)
{
    if (delta(s)) {
        if (is(s, p, S1_REMOVED)) {
            stile__s1_removed(s, S1_PATIENT, patient_row(p));
        }
        if (is(s, p, S1_MOVED)) {
            address(s, p, 0, true);
            address(s, p, 1, false);
        }
        return;
    }
    if (is(s, p, S1_UNKNOWN)) {
        return;
    }
    person(s, p);
    address(s, p, 0, false);
    contact(s, p, 0, "Mobile");
    registration(s, p);
    if (p % 4 == 0) {
        contact(s, p, 1, "Emergency Contact");
        relationship(s, p);
    }
    if (p % 3 == 0) {
        head(s, S1_SMS, p, s1_row(p, 40), s->until - 900);
        stile__s1(s, S1_SMS, "SmsConsent", p % 2 == 0 ? "1" : "0");
        stile__s1_end(s, S1_SMS);
    }
}

/* ---- the journal ---- */

static void event(struct s1 *s, uint32_t p, uint32_t which, int64_t day)
{
    head(s, S1_EVENT, p, s1_row(p, 100 + which), day);
    stile__s1_option(s, S1_EVENT, "ContactMethod", "Face to face");
    stile__s1_bool(s, S1_EVENT, "EventIncomplete", false);
    stile__s1_bool(s, S1_EVENT, "ClinicalEvent", true);
    stile__s1_int(s, S1_EVENT, "IDReferralIn", -1);
    stile__s1_int(s, S1_EVENT, "IDStaffMemberProfileRole", -1);
    stile__s1_end(s, S1_EVENT);
}

static void concept_of(enum synth_code code, char out[19])
{
    const char *known = stile__synth_codes[code].concept;
    if (known == NULL) {
        stile__synth_sctid(30000000 + (uint32_t)code, "10", out);
        return;
    }
    int n = snprintf(out, 19, "%s", known);
    STILE_ASSERT(n > 5 && n < 19);
}

/* An entry; `snomed` false: from before SNOMED CT, CTV3 alone. */
static void entry(struct s1 *s, uint32_t p, uint32_t which,
                  enum synth_code code, const char *ctv3, bool snomed,
                  int64_t day)
{
    const enum s1_table_id t = S1_CODE;
    const struct synth_code_row *row = &stile__synth_codes[code];
    char concept[19];
    concept_of(code, concept);
    head(s, t, p, s1_row(p, 200 + which), day);
    stile__s1(s, t, "CTV3Code", ctv3);
    stile__s1(s, t, "CTV3Text", snomed ? row->term : "");
    stile__s1(s, t, "SNOMEDCode", snomed ? concept : "-1");
    stile__s1(s, t, "SNOMEDText", snomed ? row->term : "");
    stile__s1_int(s, t, "IDEvent", s1_row(p, 100 + which % 3));
    stile__s1_int(s, t, "IDReferralIn", -1);
    stile__s1_bool(s, t, "IsNumeric", row->unit != NULL && snomed);
    if (row->unit != NULL && snomed) {
        struct synth_rng rng;
        char text[40];
        stile__synth_rng(&rng, s->options->seed, SYNTH_OBSERVATION, p,
                         which + (delta(s) ? 500 : 0));
        int64_t value =
            row->low +
            stile__synth_below(&rng, (uint32_t)(row->high - row->low + 1));
        int64_t one = row->decimals == 2 ? 100 : row->decimals == 1 ? 10 : 1;
        int n = row->decimals == 0
                    ? snprintf(text, sizeof text, "%lld", (long long)value)
                    : snprintf(text, sizeof text, "%lld.%0*lld",
                               (long long)(value / one), row->decimals,
                               (long long)(value % one));
        STILE_ASSERT(n > 0 && n < (int)sizeof text);
        stile__s1(s, t, "NumericValue", text);
        stile__s1(s, t, "NumericUnit", row->unit);
        if (which % 11 == 5) {
            stile__s1_list(s, t, "NumericComparator", "<");
        }
    } else {
        stile__s1(s, t, "NumericValue", "-1");
    }
    stile__s1_end(s, t);
}

static void problem(struct s1 *s, uint32_t p, uint32_t which, uint32_t code)
{
    head(s, S1_PROBLEM, p, s1_row(p, 800 + which), s->until - 700);
    stile__s1(s, S1_PROBLEM, "CTV3Code", "Yp001");
    stile__s1(s, S1_PROBLEM, "Severity", which % 2 == 0 ? "major" : "minor");
    stile__s1_int(s, S1_PROBLEM, "IDCode", s1_row(p, 200 + code));
    stile__s1_int(s, S1_PROBLEM, "IDEvent", s1_row(p, 100));
    if (p % 5 == 0) {
        stile__s1_time(s, S1_PROBLEM, "DateEnd", s->until - 100, 0);
    }
    stile__s1_end(s, S1_PROBLEM);
}

/* What a patient said about sharing. CTV3 codes: see consent-codes.csv. */
static void consents(struct s1 *s, uint32_t p)
{
    static const struct {
        enum s1_cast who;
        enum synth_code code;
        const char *ctv3;
        bool snomed;
    } said[] = {
        {S1_DISSENT_LOCAL, CODE_DISSENT_LOCAL, "XaKRw", false},
        {S1_CONSENT_LOCAL, CODE_CONSENT_LOCAL, "Yc001", true},
        {S1_DECLINED_THIRD_PARTY, CODE_DECLINED_THIRD_PARTY, "XaNwT", false},
        {S1_CHARITY_CONSENT, CODE_CONSENT_CHARITY, "Yc002", true},
        {S1_CHARITY_WITHDRAWN, CODE_CONSENT_CHARITY, "Yc002", true},
        {S1_SAFE_NO_CODES, CODE_CONSENT_CHARITY, "Yc002", true},
        {S1_TYPE_1, CODE_TYPE_1, "XaZ89", true},
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (is(s, p, said[i].who)) {
            entry(s, p, 590, said[i].code, said[i].ctv3, said[i].snomed,
                  s->until - 60);
        }
    }
}

static void record_delta(struct s1 *s, uint32_t p)
{
    if (p % 10 == 1 && !is(s, p, S1_UNKNOWN)) {
        event(s, p, 9, s->until + 1);
        entry(s, p, 580, CODE_CHOLESTEROL, "XE2eD", true, s->until + 1);
    }
    if (is(s, p, S1_CHARITY_WITHDRAWN)) {
        entry(s, p, 591, CODE_DECLINED_THIRD_PARTY, "XaNwU", true,
              s->until + 1);
    }
    if (is(s, p, S1_LATE_CODE)) {
        entry(s, p, 570, CODE_KNEE, "Yp001", true, s->until - 700);
    }
    if (is(s, p, S1_REMOVED_CODE)) {
        stile__s1_removed(s, S1_CODE, s1_row(p, 200));
    }
}

void stile__s1_record(struct s1 *s, uint32_t p)
{
    uint32_t count =
        (uint32_t)(s->options->observations / s->options->patients);
    if (delta(s)) {
        record_delta(s, p);
        return;
    }
    for (uint32_t i = 0; i < 3; i++) {
        event(s, p, i, s->until - 700 + i * 30);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool local = is(s, p, S1_LOCAL_CODES);
        entry(s, p, i,
              (enum synth_code)(CODE_DIASTOLIC + (p + i) % 15), /* measured */
              local ? "Y0001" : "Ym001", !local, s->until - 690 + i);
    }
    if (p % 6 == 0 || is(s, p, S1_LATE_CODE)) {
        bool late = is(s, p, S1_LATE_CODE);
        if (!late) {
            entry(s, p, 570, CODE_BIPOLAR, "X00SS", true, s->until - 700);
        }
        problem(s, p, 0, 570);
    }
    consents(s, p);
}

/* ---- medicines ---- */

static void drug_of(struct s1 *s, enum s1_table_id t, uint32_t drug)
{
    char id[19];
    bool text = drug == SYNTH_DRUGS - 1;
    stile__synth_sctid(71000000 + drug, "10", id);
    stile__s1_int(s, t, "IDMultiLexProduct", text ? -1 : (int64_t)99001 + drug);
    stile__s1(s, t, "IDMultiLexDMD", text ? "-1" : id);
    stile__s1(s, t, "NameOfMedication",
              text ? "TEXTUAL DRUG : something mixed (invented)"
                   : stile__synth_drugs[drug].term);
    stile__s1(s, t, "MedicationDosage", stile__synth_drugs[drug].dosage);
    stile__s1(s, t, "MedicationQuantity", "28 tablet(s)");
}

static void vaccination(struct s1 *s, uint32_t p)
{
    const enum s1_table_id t = S1_IMMUNISATION;
    head(s, t, p, s1_row(p, 720), s->until - 170);
    stile__s1_int(s, t, "IDImmunisationContent", 411);
    stile__s1_int(s, t, "ImmsSNOMEDCode", -1);
    stile__s1(s, t, "ImmsReadCode", "Yi001");
    stile__s1(s, t, "VaccPart", "1");
    stile__s1(s, t, "VaccBatchNumber", "SYN-01");
    stile__s1_time(s, t, "DateExpiry", s->until + 90, 0);
    stile__s1_end(s, t);
}

void stile__s1_medicines(struct s1 *s, uint32_t p)
{
    uint32_t drug = p % SYNTH_DRUGS;
    if (delta(s) || is(s, p, S1_UNKNOWN)) {
        return;
    }
    if (p % 2 == 0) {
        head(s, S1_REPEAT, p, s1_row(p, 700), s->until - 200);
        drug_of(s, S1_REPEAT, drug);
        stile__s1_date(s, S1_REPEAT, "DateMedicationTemplateStart",
                       s->until - 200);
        stile__s1_end(s, S1_REPEAT);
    }
    head(s, S1_MEDICATION, p, s1_row(p, 701), s->until - 30);
    drug_of(s, S1_MEDICATION, drug);
    stile__s1_time(s, S1_MEDICATION, "DateMedicationStart", s->until - 30, 0);
    stile__s1_time(s, S1_MEDICATION, "DateMedicationEnd", s->until + 2, 0);
    stile__s1_bool(s, S1_MEDICATION, "IsRepeatMedication", p % 2 == 0);
    stile__s1_bool(s, S1_MEDICATION, "IsOtherMedication", false);
    stile__s1_bool(s, S1_MEDICATION, "IsDentalMedication", false);
    stile__s1_bool(s, S1_MEDICATION, "IsHospitalMedication", false);
    stile__s1_int(s, S1_MEDICATION, "IDRepeatTemplate",
                  p % 2 == 0 ? s1_row(p, 700) : -1);
    stile__s1_end(s, S1_MEDICATION);
    if (p % 9 == 0) {
        head(s, S1_SENSITIVITY, p, s1_row(p, 710), s->until - 800);
        stile__s1(s, S1_SENSITIVITY, "IDDrugCode", "99001");
        stile__s1_time(s, S1_SENSITIVITY, "DateStarted", s->until - 800, 0);
        stile__s1(s, S1_SENSITIVITY, "NameOfMedication",
                  stile__synth_drugs[0].term);
        stile__s1_end(s, S1_SENSITIVITY);
    }
    if (p % 4 == 1) {
        vaccination(s, p);
    }
}

/* ---- referrals, appointments, visits ---- */

static void referral_out(struct s1 *s, uint32_t p, uint32_t which,
                         const char *to, const char *type)
{
    const enum s1_table_id t = S1_REFERRAL_OUT;
    head(s, t, p, s1_row(p, 900 + which), s->until - 20);
    stile__s1(s, t, "TypeOfReferral", type);
    stile__s1_option(s, t, "Reason", "Low mood");
    stile__s1_int(s, t, "IDProfileReferrer", 901 + p % 4);
    stile__s1_list(s, t, "ServiceOffered", "Not set");
    stile__s1_option(s, t, "Urgency", p % 2 == 0 ? "Urgent" : "Routine");
    stile__s1_int(s, t, "SNOMEDPrimaryDiagnosis", -1);
    stile__s1(s, t, "RecipientID", to);
    stile__s1(s, t, "RecipientIDType", "Organisation");
    stile__s1_int(s, t, "IDEvent", s1_row(p, 101));
    stile__s1_end(s, t);
}

static void appointment(struct s1 *s, uint32_t p, int64_t day)
{
    const enum s1_table_id t = S1_APPOINTMENT;
    stile__s1_int(s, t, "RowIdentifier", s1_row(p, 950));
    stile__s1(s, t, "IDOrganisationVisibleTo", s->options->practice_ods);
    stile__s1_time(s, t, "DateStart", day, 36000);
    stile__s1_time(s, t, "DateEnd", day, 36900);
    stile__s1_time(s, t, "DateAppointmentBooked", day - 9, 33000);
    if (p % 3 == 0) {
        stile__s1_time(s, t, "DatePatientSeen", day, 36200);
    }
    stile__s1_bool(s, t, "TelephoneAppointment", p % 2 == 0);
    stile__s1_int(s, t, "IDProfileClinician", 901 + p % 4);
    stile__s1(s, t, "RotaType", "Surgery");
    stile__s1_int(s, t, "IDReferralIn", -1);
    /* An entry in words is nobody's. */
    stile__s1_int(s, t, "IDPatient", p % 13 == 12 ? -1 : patient_row(p));
    stile__s1(s, t, "IDOrganisation", s->options->practice_ods);
    stile__s1_end(s, t);
}

static void visit(struct s1 *s, uint32_t p)
{
    const enum s1_table_id t = S1_VISIT;
    stile__s1_int(s, t, "RowIdentifier", s1_row(p, 960));
    stile__s1(s, t, "IDOrganisationVisibleTo", s->options->practice_ods);
    stile__s1_time(s, t, "DateBooked", s->until - 15, 36000);
    stile__s1_list(s, t, "CurrentStatus",
                   p % 2 == 0 ? "Finished" : "No Access Visit");
    stile__s1_int(s, t, "Duration", 30);
    stile__s1_int(s, t, "IDReferralIn", -1);
    stile__s1_int(s, t, "IDPatient", patient_row(p));
    stile__s1_end(s, t);
}

void stile__s1_referrals(struct s1 *s, uint32_t p)
{
    bool charity =
        is(s, p, S1_CHARITY_CONSENT) || is(s, p, S1_CHARITY_WITHDRAWN) ||
        is(s, p, S1_DECLINED_THIRD_PARTY) || is(s, p, S1_SAFE_NO_CODES);
    struct synth_rng rng;
    stile__synth_rng(&rng, s->options->seed, SYNTH_REFERRAL, p, 77);
    bool trust = stile__synth_below(&rng, 100) < s->options->trust_percent ||
                 is(s, p, S1_CONSENT_LOCAL) || is(s, p, S1_DISSENT_LOCAL);
    if (delta(s) || is(s, p, S1_UNKNOWN)) {
        return;
    }
    if (trust) {
        referral_out(s, p, 0, s->options->trust_ods, "Mental health");
    }
    if (charity) {
        referral_out(s, p, 1, s->options->charity_ods, "Community support");
    }
    if (p % 8 == 3) {
        const enum s1_table_id t = S1_REFERRAL_IN;
        head(s, t, p, s1_row(p, 910), s->until - 50);
        stile__s1_time(s, t, "DateReferral", s->until - 50, 32400);
        stile__s1_option(s, t, "PrimaryReason", "Low mood");
        stile__s1_option(s, t, "Source", "General medical practitioner");
        stile__s1_option(s, t, "ServiceOffered", "Community mental health");
        stile__s1_option(s, t, "Urgency", "Routine");
        stile__s1_int(s, t, "IDCodePrimaryDiagnosis", -1);
        stile__s1_end(s, t);
    }
    appointment(s, p, s->until - 10 + p % 20);
    if (p % 7 == 0) {
        visit(s, p);
    }
}
