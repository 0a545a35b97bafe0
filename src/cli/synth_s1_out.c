/* SystmOne's files: folder, headers, dialect, manifest. See synth.h. */
#define _POSIX_C_SOURCE 200809L
#include "synth_systmone.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDS ",IDOrganisation,IDOrganisationRegisteredAt"
#define BEGINS                                                                 \
    "RowIdentifier,IDOrganisationVisibleTo,DateEventRecorded,DateEvent,"       \
    "IDProfileEnteredBy,IDDoneBy,TextualEventDoneBy,IDOrganisationDoneAt,"

/* Strategic Reporting Table Specification v125, in column order. */
static const struct {
    const char *name, *columns;
    bool reference; /* the same for every practice */
} layouts[S1_COUNT] = {
    [S1_MAPPING_GROUP] = {"SRMappingGroup", "RowIdentifier,Group", true},
    [S1_MAPPING] = {"SRMapping", "RowIdentifier,IdMappingGroup,Mapping", true},
    [S1_OPTION] = {"SRConfiguredListOption",
                   "RowIdentifier,ConfiguredList,ConfiguredListOption,CDSCode,"
                   "CAMHSCode,MHSDSCode,CYPHS/CIDS/CSDSCode",
                   true},
    [S1_CTV3] = {"SRCtv3",
                 "RowIdentifier,IDOrganisationVisibleTo,Ctv3Code,Ctv3Text",
                 true},
    [S1_CONTENT] = {"SRImmunisationContent",
                    "RowIdentifier,Name,Content,DateDeleted", true},
    [S1_ORGANISATION] = {"SROrganisation",
                         "RowIdentifier,Name,ID,HouseName,HouseNumber,"
                         "NameOfRoad,NameOfLocality,NameOfTown,NameOfCounty,"
                         "FullPostCode,Telephone,SecondaryTelephone,Fax,"
                         "MadeObsolete,IDTrust,IDCcg",
                         true},
    [S1_STAFF] = {"SRStaffMember",
                  "RowIdentifier,StaffName,StaffUserName,NationalIdType,"
                  "IDNational,IDSmartCard,Obsolete",
                  true},
    [S1_PROFILE] = {"SRStaffMemberProfile",
                    "RowIdentifier,DateProfileCreated,IdProfileCreatedBy,"
                    "IDStaffMemberProfileRole,StaffRole,DateEmploymentStart,"
                    "DateEmploymentEnd,PPAID,GPLocalCode,IDStaffMember,"
                    "IDOrganisation,GmpID",
                    true},
    [S1_PATIENT] = {"SRPatient",
                    "RowIdentifier,IDOrganisationVisibleTo,Title,FirstName,"
                    "MiddleNames,Surname,PreviousSurname,NHSNumber,DateBirth,"
                    "DateDeath,BirthPlace,Gender,SpeaksEnglish,EmailAddress,"
                    "TestPatient,SSRef,SpineMatched",
                    false},
    [S1_REGISTRATION] = {"SRPatientRegistration",
                         "RowIdentifier,IDOrganisationVisibleTo,"
                         "DateEventRecorded,IDProfileEnteredBy,"
                         "DateRegistration,DateDeRegistration,"
                         "RegistrationStatus,PreferredPharmacy,IDPatient" ENDS,
                         false},
    [S1_PRACTICE] = {"SRGPPracticeHistory",
                     "RowIdentifier,IDOrganisationVisibleTo,IDPractice,"
                     "IDProfileRegisteredGP,DateFrom,DateTo,IDPatient",
                     false},
    [S1_ADDRESS] = {"SRPatientAddressHistory",
                    BEGINS "NameOfBuilding,NumberOfBuilding,NameOfRoad,"
                           "NameOfLocality,NameOfTown,NameOfCounty,"
                           "FullPostCode,DateTo,AddressType,IDEvent,IDPatient,"
                           "IDOrganisation,CcgOfResidence,"
                           "IDOrganisationRegisteredAt",
                    false},
    [S1_CONTACT] = {"SRPatientContactDetails",
                    BEGINS "ContactType,ContactNumber,IDEvent,IDPatient" ENDS,
                    false},
    [S1_RELATIONSHIP] =
        {"SRPatientRelationship",
         BEGINS "DateEnded,RelationshipType,PersonalGuardianOrProxy,NextOfKin,"
                "CaresForPatient,PrincipalCarerForPatient,KeyHolder,"
                "HasParentalResponsibility,FinancialRepresentative,Advocate,"
                "MainVisitor,CallCentreCallBackConsent,CopyCorrespondence,"
                "ContactOrder,ContactMethod,CommunicationFormat,"
                "InterpreterRequired,IDRelationshipWithPatient,"
                "IDPatientRelationshipWith,CodeRelationshipWithUser,"
                "RelationshipWithName,RelationshipWithDateOfBirth,"
                "RelationshipWithHouseName,RelationshipWithHouseNumber,"
                "RelationshipWithRoad,RelationshipWithLocality,"
                "RelationshipWithPostTown,RelationshipWithCounty,"
                "RelationshipWithPostCode,RelationshipWithTelephone,"
                "RelationshipWithWorkTelephone,"
                "RelationshipWithMobileTelephone,RelationshipWithFax,"
                "RelationshipWithEmailAddress,RelationshipWithSex,"
                "RelationshipWithSpokenLanguage,RelationshipWithOrganisation,"
                "IDEvent,IDPatient" ENDS,
         false},
    [S1_SMS] = {"SRSmsConsent", BEGINS "SmsConsent,IDEvent,IDPatient" ENDS,
                false},
    [S1_EVENT] = {"SREvent",
                  "RowIdentifier,IDOrganisationVisibleTo,DateEventRecorded,"
                  "DateEvent,IDProfileEnteredBy,IDDoneBy,"
                  "IDStaffMemberProfileRole,TextualEventDoneBy,"
                  "IDOrganisationDoneAt,IDAuthorisedBy,IDProfileAuthorisedBy,"
                  "ContactEventLocation,ContactMethod,EventIncomplete,"
                  "ClinicalEvent,IDReferralIn,IDPatient,IDOrganisation,IDTeam,"
                  "IDBranch,IDOrganisationRegisteredAt",
                  false},
    [S1_CODE] = {"SRCode",
                 BEGINS "CTV3Code,CTV3Text,SNOMEDCode,SNOMEDText,"
                        "NumericComparator,IsNumeric,NumericValue,NumericUnit,"
                        "EpisodeType,IDTemplate,IDQuestionnaire,IDEvent,"
                        "IDPatient,IDReferralIn,IDAppointment,IDVisit" ENDS,
                 false},
    [S1_PROBLEM] = {"SRProblem",
                    BEGINS "CTV3Code,DateEnd,Severity,IDCode,IDEvent,"
                           "IDPatient,IDReferralIn" ENDS,
                    false},
    [S1_SENSITIVITY] = {"SRDrugSensitivity",
                        BEGINS "DateStarted,DateEnded,FormulationSpecific,"
                               "IDDrugCode,IDMultiLexAction,IDReferralIn,"
                               "IDEvent,IDPatient" ENDS ",NameOfMedication",
                        false},
    [S1_IMMUNISATION] = {"SRImmunisation",
                         BEGINS "IDVaccination,IDImmunisationContent,Dose,"
                                "Location,Method,DateExpiry,ImmsReadCode,"
                                "ImmsSNOMEDCode,VaccPart,VaccBatchNumber,"
                                "VaccAreaCode,VaccinationStatus,IDEvent,"
                                "IDPatient" ENDS,
                         false},
    [S1_MEDICATION] = {"SRPrimaryCareMedication",
                       BEGINS "IDMultiLexProduct,IDMultiLexPack,IDMultiLexDMD,"
                              "NameOfMedication,DateMedicationStart,"
                              "DateMedicationEnd,MedicationDosage,"
                              "MedicationQuantity,IsSupervised,SupervisedDose,"
                              "UnsupervisedDose,IsRepeatMedication,"
                              "IsOtherMedication,IsDentalMedication,"
                              "IsHospitalMedication,IDRepeatTemplate,"
                              "IDReferralIn,IDEvent,IDPatient" ENDS,
                       false},
    [S1_REPEAT] = {"SRRepeatTemplate",
                   BEGINS "IDMultiLexProduct,IDMultiLexPack,IDMultiLexDMD,"
                          "NameOfMedication,DateMedicationTemplateStart,"
                          "DateMedicationTemplateEnd,"
                          "DateMedicationTemplateReview,MedicationDosage,"
                          "MedicationQuantity,MaxIssues,CourseLengthPerIssue,"
                          "DrugStatus,IDReferralIn,IDEvent,IDPatient" ENDS,
                   false},
    [S1_REFERRAL_IN] =
        {"SRReferralIn",
         BEGINS "Category,PrimaryReason,DateReferral,DateOnReferralLetter,"
                "Source,ServiceOffered,ServiceType,ReReferral,Urgency,"
                "IDCodePrimaryDiagnosis,ReferralCode,IDReferralLocal,"
                "ReasonForServiceDelay,Outcome,DefaultContactLocation,"
                "DateDischargeScheduled,DateDischarge,DischargeReason,"
                "DischargeLocation,IDReferrer,SourceTableReferrer,"
                "PatientAware,DateOfAction,ActiveStatus,ReferredToSpeciality,"
                "ReferredToTreatmentCode,IDReferredTo,SourceTableReferrerTo,"
                "ReferralPriority,ReferralMedium,DateOfDecision,Commissioner,"
                "ClientCategory,PrimarySupportReason,IDCaseload,IDEvent,"
                "IDPatient,IDOrganisation,ReferralEndReason,"
                "HospitalReferralSourceCdsCode,"
                "M101140ReasonForOutOfAreaReferralAdultAcuteMentalHealth,"
                "IDOrganisationRegisteredAt,HospitalReferredForType",
         false},
    [S1_REFERRAL_OUT] =
        {"SRReferralOut",
         BEGINS "TypeOfReferral,Reason,IDProfileReferrer,ServiceOffered,"
                "ReReferral,Urgency,PrimaryDiagnosis,SNOMEDPrimaryDiagnosis,"
                "RecipientID,RecipientIDType,IDEvent,IDPatient,IDOrganisation,"
                "M101140ReasonForOutOfAreaReferralAdultAcuteMentalHealth,"
                "IDOrganisationRegisteredAt",
         false},
    [S1_APPOINTMENT] =
        {"SRAppointment",
         "RowIdentifier,IDOrganisationVisibleTo,DateStart,DateEnd,"
         "AppointmentStatus,DateAppointmentBooked,DatePatientArrival,"
         "DatePatientSeen,FollowUpAppointment,TelephoneAppointment,"
         "IDClinician,IDProfileClinician,RotaName,RotaType,RotaLocation,"
         "RotaCode,IDRotaOwner,IDProfileRotaOwner,AllowsOverbooking,"
         "BookingContactNumber,DateAppointmentCancelled,IDRota,IDReferralIn,"
         "IDPatient" ENDS,
         false},
    [S1_VISIT] = {"SRVisit",
                  "RowIdentifier,IDOrganisationVisibleTo,DateEventRecorded,"
                  "IDProfileEnteredBy,DateBooked,DateRequested,CurrentStatus,"
                  "IDProfileRequested,IDProfileAssigned,FollowUpDetails,"
                  "IDReferralIn,IDPatient,IDOrganisation,Duration,"
                  "IDOrganisationRegisteredAt",
                  false},
};

/* Rows of SRMapping: numbers are not published and differ (facts on
 * normalised lists), so these are ours. */
static const char *const mappings[] = {
    "Home",   "Mobile", "Emergency Contact", "<", "Finished", "No Access Visit",
    "Not set"};
static const char *const list_options[] = {"Low mood",
                                           "Urgent",
                                           "Routine",
                                           "Community mental health",
                                           "General medical practitioner",
                                           "Face to face"};

static void fail(struct s1 *s, const char *why)
{
    if (!s->failed) {
        s->failed = true;
        s->why = why;
    }
}

static bool path_of(const struct s1 *s, const char *name, char out[SYNTH_PATH])
{
    int n = snprintf(out, SYNTH_PATH, "%s/%s.csv", s->part, name);
    return n > 0 && n < SYNTH_PATH;
}

/* Windows-1252: of what the generator says, only U+00C0 to U+00FF go past
 * ASCII, and those are one byte there. */
static void put_quoted(FILE *file, const char *text)
{
    (void)fputc('"', file);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == 0xc3 && text[1] != '\0') {
            c = (unsigned char)(0xc0 | ((unsigned char)*++text & 0x3f));
        }
        if (c == '"') {
            (void)fputc('"', file);
        }
        (void)fputc(c, file);
    }
    (void)fputc('"', file);
}

static bool open_table(struct s1 *s, enum s1_table_id id)
{
    struct s1_table *t = &s->tables[id];
    struct stile_str rest = stile_str_cstr(layouts[id].columns);
    struct stile_str name = STILE_STR_NULL;
    char path[SYNTH_PATH];
    while (stile_str_next(&rest, ',', &name)) {
        STILE_ASSERT(t->count < S1_COLUMNS - 1);
        t->columns[t->count++] = name;
    }
    t->columns[t->count++] = STILE_STR("RemovedData");
    if (!path_of(s, layouts[id].name, path)) {
        return false;
    }
    t->file = fopen(path, "wbx");
    if (t->file == NULL) {
        return false;
    }
    for (size_t i = 0; i < t->count; i++) {
        (void)fprintf(t->file, "%s\"%.*s\"", i > 0 ? "," : "",
                      STILE_FMT(t->columns[i]));
    }
    return fputs("\r\n", t->file) >= 0;
}

bool stile__s1_open(struct s1 *s)
{
    const char *stamp = s->options->stamp;
    int n = snprintf(s->folder, sizeof s->folder, "%s/%.8s_%.4s",
                     s->options->folder, stamp, stamp + 8);
    int m = snprintf(s->part, sizeof s->part, "%s/%.8s_%.4s.part",
                     s->options->folder, stamp, stamp + 8);
    if (n <= 0 || n >= SYNTH_PATH || m <= 0 || m >= SYNTH_PATH) {
        fail(s, "the folder's name is too long");
        return false;
    }
    if (access(s->folder, F_OK) == 0 || mkdir(s->part, 0777) != 0) {
        fail(s, "the download's folder is there already, or cannot be made: "
                "give another --out or --stamp");
        return false;
    }
    for (int i = 0; i < S1_COUNT; i++) {
        if (!open_table(s, (enum s1_table_id)i)) {
            fail(s, "a file could not be made in the folder");
            return false;
        }
    }
    return true;
}

/* Lists every file but itself and the lists of values. */
static bool write_manifest(const struct s1 *s)
{
    bool delta = s->options->kind == STILE_SYNTH_DELTA;
    char path[SYNTH_PATH], from[16] = "";
    struct stile_date day = stile_date_from_days(s->until);
    FILE *file = path_of(s, "SRManifest", path) ? fopen(path, "wbx") : NULL;
    if (file == NULL) {
        return false;
    }
    if (delta) { /* since the night after the last day */
        day = stile_date_from_days(s->until + 1);
        int n = snprintf(from, sizeof from, "%04d%02d%02d_0400", day.year,
                         day.month, day.day);
        STILE_ASSERT(n == 13);
    }
    (void)fputs(
        "FileName,IsDelta,IsReference,DateExtractFrom,DateExtractTo\r\n", file);
    for (int i = S1_OPTION; i < S1_COUNT; i++) {
        (void)fprintf(file, "%s,%c,%c,%s,%.8s_%.4s\r\n", layouts[i].name,
                      delta ? 'Y' : 'N', layouts[i].reference ? 'Y' : 'N', from,
                      s->options->stamp, s->options->stamp + 8);
    }
    bool ok = ferror(file) == 0;
    return fclose(file) == 0 && ok;
}

static void remove_all(const struct s1 *s)
{
    char path[SYNTH_PATH];
    for (int i = 0; i < S1_COUNT; i++) {
        if (path_of(s, layouts[i].name, path)) {
            (void)remove(path);
        }
    }
    if (path_of(s, "SRManifest", path)) {
        (void)remove(path);
    }
    (void)rmdir(s->part);
}

bool stile__s1_close(struct s1 *s, bool keep)
{
    for (int i = 0; i < S1_COUNT; i++) {
        FILE *file = s->tables[i].file;
        if (file != NULL) {
            bool bad = ferror(file) != 0;
            if (fclose(file) != 0 || bad) {
                fail(s, "a file could not be written whole");
            }
        }
    }
    if (keep && !s->failed && !write_manifest(s)) {
        fail(s, "the manifest could not be written");
    }
    if (keep && !s->failed && rename(s->part, s->folder) != 0) {
        fail(s, "the download's folder could not be given its name");
    }
    if (!keep || s->failed) {
        if (s->part[0] != '\0') {
            remove_all(s);
        }
        return false;
    }
    return true;
}

/* ---- rows ---- */

static size_t column_of(const struct s1_table *t, const char *column)
{
    size_t at = 0;
    while (at < t->count && !stile_str_eqc(t->columns[at], column)) {
        at++;
    }
    STILE_ASSERT(at < t->count);
    return at;
}

void stile__s1(struct s1 *s, enum s1_table_id table, const char *column,
               const char *text)
{
    struct s1_table *t = &s->tables[table];
    int n = snprintf(t->cells[column_of(t, column)], S1_CELL, "%s", text);
    STILE_ASSERT(n >= 0 && n < S1_CELL);
}

void stile__s1_int(struct s1 *s, enum s1_table_id table, const char *column,
                   int64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)value);
    STILE_ASSERT(n > 0 && n < (int)sizeof text);
    stile__s1(s, table, column, text);
}

void stile__s1_bool(struct s1 *s, enum s1_table_id table, const char *column,
                    bool value)
{
    stile__s1(s, table, column, value ? "TRUE" : "FALSE");
}

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void stile__s1_time(struct s1 *s, enum s1_table_id table, const char *column,
                    int64_t days, uint32_t seconds)
{
    struct stile_date d = stile_date_from_days(days);
    char text[40];
    int n = snprintf(text, sizeof text, "%02d %s %04d %02u:%02u", d.day,
                     months[d.month - 1], d.year, seconds / 3600 % 24,
                     seconds / 60 % 60);
    STILE_ASSERT(n == 17);
    if (table != S1_PATIENT) {
        n = snprintf(text + n, sizeof text - (size_t)n, ":%02u", seconds % 60);
        STILE_ASSERT(n == 3);
    }
    stile__s1(s, table, column, text);
}

void stile__s1_date(struct s1 *s, enum s1_table_id table, const char *column,
                    int64_t days)
{
    struct stile_date d = stile_date_from_days(days);
    char text[40];
    int n = snprintf(text, sizeof text, "%02d %s %04d", d.day,
                     months[d.month - 1], d.year);
    STILE_ASSERT(n == 11);
    stile__s1(s, table, column, text);
}

static void word_or_row(struct s1 *s, enum s1_table_id table,
                        const char *column, const char *word,
                        const char *const *list, size_t count, int64_t base)
{
    size_t at = 0;
    while (at < count && strcmp(list[at], word) != 0) {
        at++;
    }
    STILE_ASSERT(at < count);
    if (s->options->normalised) {
        stile__s1_int(s, table, column, base + (int64_t)at);
    } else {
        stile__s1(s, table, column, word);
    }
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MAPPING_BASE 175201
#define OPTION_BASE 6001

void stile__s1_list(struct s1 *s, enum s1_table_id table, const char *column,
                    const char *word)
{
    word_or_row(s, table, column, word, mappings, COUNT(mappings),
                MAPPING_BASE);
}

void stile__s1_option(struct s1 *s, enum s1_table_id table, const char *column,
                      const char *word)
{
    word_or_row(s, table, column, word, list_options, COUNT(list_options),
                OPTION_BASE);
}

void stile__s1_lists(struct s1 *s)
{
    if (!s->options->normalised) {
        return; /* words stand in the columns, and the tables are empty */
    }
    stile__s1_int(s, S1_MAPPING_GROUP, "RowIdentifier", 1);
    stile__s1(s, S1_MAPPING_GROUP, "Group",
              "Lists of the generator (invented)");
    stile__s1_end(s, S1_MAPPING_GROUP);
    for (size_t i = 0; i < COUNT(mappings); i++) {
        stile__s1_int(s, S1_MAPPING, "RowIdentifier",
                      MAPPING_BASE + (int64_t)i);
        stile__s1_int(s, S1_MAPPING, "IdMappingGroup", 1);
        stile__s1(s, S1_MAPPING, "Mapping", mappings[i]);
        stile__s1_end(s, S1_MAPPING);
    }
    for (size_t i = 0; i < COUNT(list_options); i++) {
        stile__s1_int(s, S1_OPTION, "RowIdentifier", OPTION_BASE + (int64_t)i);
        stile__s1(s, S1_OPTION, "ConfiguredList", "Invented list");
        stile__s1(s, S1_OPTION, "ConfiguredListOption", list_options[i]);
        stile__s1_end(s, S1_OPTION);
    }
}

void stile__s1_end(struct s1 *s, enum s1_table_id table)
{
    struct s1_table *t = &s->tables[table];
    size_t mark = t->count - 1;
    if (t->cells[mark][0] == '\0') {
        stile__s1(s, table, "RemovedData", "0");
    }
    for (size_t i = 0; i < t->count; i++) {
        if (i > 0) {
            (void)fputc(',', t->file);
        }
        put_quoted(t->file, t->cells[i]);
        t->cells[i][0] = '\0';
    }
    (void)fputs("\r\n", t->file);
    t->rows++;
}

void stile__s1_removed(struct s1 *s, enum s1_table_id table, int64_t row)
{
    stile__s1_int(s, table, "RowIdentifier", row);
    stile__s1(s, table, "RemovedData", "1");
    stile__s1_end(s, table);
}
