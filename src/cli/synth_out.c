/* The files: names, header, dialect. See synth.h. */
#include "synth_private.h"

#include <errno.h>

/* EMIS Web bulk extract specification v8.2 (13/02/2025), in column order. */
static const struct {
    const char *name, *columns;
} layouts[T_COUNT] = {
    {"Admin_Location",
     "LocationGuid,LocationName,LocationTypeDescription,"
     "ParentLocationGuid,OpenDate,CloseDate,MainContactName,FaxNumber,"
     "EmailAddress,PhoneNumber,HouseNameFlatNumber,NumberAndStreet,"
     "Village,Town,County,Postcode,Deleted,ProcessingId"},
    {"Admin_Organisation",
     "OrganisationGuid,CDB,OrganisationName,ODSCode,"
     "ParentOrganisationGuid,CCGOrganisationGuid,OrganisationType,"
     "OpenDate,CloseDate,MainLocationGuid,ProcessingId"},
    {"Admin_OrganisationLocation",
     "OrganisationGuid,LocationGuid,IsMainLocation,Deleted,ProcessingId"},
    {"Admin_Patient",
     "PatientGuid,OrganisationGuid,UsualGpUserInRoleGuid,Sex,"
     "DateOfBirth,DateOfDeath,Title,GivenName,MiddleNames,Surname,"
     "DateOfRegistration,NhsNumber,PatientNumber,PatientTypeDescription,"
     "DummyType,HouseNameFlatNumber,NumberAndStreet,Village,Town,County,"
     "Postcode,ResidentialInstituteCode,NHSNumberStatus,CarerName,"
     "CarerRelation,PersonGuid,DateofDeactivation,Deleted,"
     "SpineSensitive,IsConfidential,EmailAddress,HomePhone,MobilePhone,"
     "ExternalUsualGPGuid,ExternalUsualGP,ExternalUsualGPOrganisation,"
     "ContactComments,ProcessingId"},
    {"Admin_PatientHistory",
     "PatientGuid,OrganisationGuid,HistoryDate,HistoryTime,"
     "StatusDescription,ProcessingId"},
    {"Admin_UserInRole",
     "UserInRoleGuid,OrganisationGuid,Title,GivenName,Surname,"
     "JobCategoryCode,JobCategoryName,ContractStartDate,ContractEndDate,"
     "RegistrationNumber,ProcessingId"},
    {"Agreements_SharingOrganisation",
     "OrganisationGuid,IsActivated,LastModifiedDate,Disabled,Deleted"},
    {"Appointment_Session",
     "AppointmentSessionGuid,Description,LocationGuid,"
     "SessionTypeDescription,SessionCategoryDisplayName,StartDate,"
     "StartTime,EndDate,EndTime,Private,OrganisationGuid,Deleted,"
     "ProcessingId"},
    {"Appointment_SessionUser",
     "SessionGuid,UserInRoleGuid,Deleted,ProcessingId"},
    {"Appointment_Slot",
     "SlotGuid,AppointmentDate,AppointmentStartTime,"
     "PlannedDurationInMinutes,PatientGuid,SendInTime,LeftTime,"
     "DidNotAttend,PatientWaitInMin,AppointmentDelayInMin,"
     "ActualDurationInMinutes,OrganisationGuid,SessionGuid,"
     "DnaReasonCodeId,BookedDate,BookedTime,SlotStatus,SlotType,"
     "IsBookableOnline,BookingMethod,ExternalPatientGuid,"
     "ExternalPatientOrganisation,ModeOfContact,IsBlocked,ContextType,"
     "ServiceSetting,NationalSlotCategoryName,"
     "NationalSlotCategoryDescription,Deleted,ProcessingId"},
    {"Audit_PatientAudit",
     "ItemGuid,PatientGuid,OrganisationGuid,ModifiedDate,ModifiedTime,"
     "UserInRoleGuid,ItemType,ModeType,ProcessingId"},
    {"Audit_RegistrationAudit",
     "PatientGuid,OrganisationGuid,ModifiedDate,ModifiedTime,"
     "UserInRoleGuid,ModeType,ProcessingId"},
    {"CareRecord_Consultation",
     "ConsultationGuid,PatientGuid,OrganisationGuid,EffectiveDate,"
     "EffectiveDatePrecision,EnteredDate,EnteredTime,"
     "ClinicianUserInRoleGuid,EnteredByUserInRoleGuid,"
     "AppointmentSlotGuid,ConsultationSourceTerm,"
     "ConsultationSourceCodeId,Complete,ConsultationType,Deleted,"
     "IsConfidential,ProcessingId"},
    {"CareRecord_Diary",
     "DiaryGuid,PatientGuid,OrganisationGuid,EffectiveDate,"
     "EffectiveDatePrecision,EnteredDate,EnteredTime,"
     "ClinicianUserInRoleGuid,EnteredByUserInRoleGuid,CodeId,"
     "OriginalTerm,DurationTerm,LocationTypeDescription,Deleted,"
     "IsConfidential,IsActive,IsComplete,ConsultationGuid,ProcessingId"},
    {"CareRecord_Observation",
     "ObservationGuid,PatientGuid,OrganisationGuid,EffectiveDate,"
     "EffectiveDatePrecision,EnteredDate,EnteredTime,"
     "ClinicianUserInRoleGuid,EnteredByUserInRoleGuid,"
     "ParentObservationGuid,CodeId,ProblemGuid,ConsultationGuid,Value,"
     "NumericUnit,ObservationType,NumericRangeLow,NumericRangeHigh,"
     "DocumentGuid,Qualifiers,Abnormal,AbnormalReason,Episode,Deleted,"
     "IsConfidential,ProcessingId"},
    {"CareRecord_ObservationReferral",
     "ObservationGuid,PatientGuid,OrganisationGuid,"
     "ReferralTargetOrganisationGuid,ReferralUrgency,"
     "ReferralServiceType,ReferralMode,ReferralReceivedDate,"
     "ReferralReceivedTime,ReferralEndDate,ReferralSourceId,"
     "ReferralSourceOrganisationGuid,ReferralUBRN,ReferralReasonCodeId,"
     "ReferringCareProfessionalStaffGroupCodeId,"
     "ReferralEpisodeRTTMeasurementTypeId,ReferralEpisodeClosureDate,"
     "ReferralEpisodeDischargeLetterIssuedDate,"
     "ReferralClosureReasonCodeId,TransportRequired,ProcessingId"},
    {"CareRecord_Problem",
     "ObservationGuid,PatientGuid,OrganisationGuid,"
     "ParentProblemObservationGuid,Deleted,EndDate,EndDatePrecision,"
     "ExpectedDuration,LastReviewDate,LastReviewDatePrecision,"
     "LastReviewUserInRoleGuid,ParentProblemRelationship,"
     "ProblemStatusDescription,SignificanceDescription,ProcessingId"},
    {"Coding_ClinicalCode",
     "CodeId,Term,ReadTermId,SnomedCTConceptId,SnomedCTDescriptionId,"
     "NationalCode,NationalCodeCategory,NationalDescription,"
     "EmisCodeCategoryDescription,ParentCodeID,ProcessingId"},
    {"Coding_DrugCode",
     "CodeId,Term,DmdProductCodeId,BNFChapterRef,ProcessingId"},
    {"Prescribing_DrugRecord",
     "DrugRecordGuid,PatientGuid,OrganisationGuid,EffectiveDate,"
     "EffectiveDatePrecision,EnteredDate,EnteredTime,"
     "ClinicianUserInRoleGuid,EnteredByUserInRoleGuid,CodeId,Dosage,"
     "Quantity,QuantityUnit,ProblemObservationGuid,PrescriptionType,"
     "IsActive,CancellationDate,NumberOfIssues,NumberOfIssuesAuthorised,"
     "IsConfidential,Deleted,ExpiryDate,ProcessingId"},
    {"Prescribing_IssueRecord",
     "IssueRecordGuid,PatientGuid,OrganisationGuid,DrugRecordGuid,"
     "EffectiveDate,EffectiveDatePrecision,EnteredDate,EnteredTime,"
     "ClinicianUserInRoleGuid,EnteredByUserInRoleGuid,CodeId,Dosage,"
     "Quantity,QuantityUnit,ProblemObservationGuid,CourseDurationInDays,"
     "EstimatedNhsCost,IsConfidential,EmisCode,PatientMessage,"
     "ScriptPharmacyStamp,Compliance,AverageCompliance,"
     "IsPrescribedAsContraceptive,IsPrivatelyPrescribed,PharmacyMessage,"
     "PharmacyText,ConsultationGuid,ExpiryDate,ReviewDate,"
     "IssueMethodDescription,Deleted,ProcessingId"},
};

static void fail(struct synth *s, const char *why)
{
    if (!s->failed) {
        s->failed = true;
        s->why = why;
    }
}

static void put(struct synth *s, struct synth_table *t, const char *bytes,
                size_t len)
{
    if (s->failed || len == 0) {
        return;
    }
    if (fwrite(bytes, 1, len, t->file) != len) {
        fail(s, "a file could not be written: is the disk full?");
    }
}

static bool part_name(const struct synth_table *t, char out[SYNTH_PATH + 8])
{
    int n = snprintf(out, SYNTH_PATH + 8, "%s.part", t->path);
    return n > 0 && n < SYNTH_PATH + 8;
}

static bool open_table(struct synth *s, enum synth_table_id id)
{
    struct synth_table *t = &s->tables[id];
    const struct stile_synth_options *o = s->options;
    /* Names carry the agreement's GUID without braces. */
    int n =
        snprintf(t->path, sizeof t->path, "%s/%s_%u_%s_%s_%.36s.csv", o->folder,
                 o->kind == STILE_SYNTH_BULK ? "bulk" : "delta", o->batch,
                 layouts[id].name, o->stamp, s->agreement.text + 1);
    if (n < 0 || (size_t)n >= sizeof t->path) {
        fail(s, "the folder's name is too long");
        return false;
    }
    char part[SYNTH_PATH + 8];
    t->file = part_name(t, part) ? fopen(part, "wb") : NULL;
    if (t->file == NULL) {
        fail(s, "a file could not be made: does the folder exist, and may "
                "you write there?");
        return false;
    }
    t->line_end = id == T_CLINICAL_CODE ? "\r\n" : "\n";
    struct stile_str rest = stile_str_cstr(layouts[id].columns);
    struct stile_str name;
    while (stile_str_next(&rest, ',', &name)) {
        STILE_ASSERT(t->count < SYNTH_COLUMNS);
        put(s, t, t->count == 0 ? "\"" : ",\"", t->count == 0 ? 1 : 2);
        put(s, t, name.ptr, name.len);
        put(s, t, "\"", 1);
        t->columns[t->count++] = name;
    }
    put(s, t, t->line_end, strlen(t->line_end));
    return !s->failed;
}

bool stile__synth_open(struct synth *s)
{
    for (int i = 0; i < T_COUNT; i++) {
        if (!open_table(s, (enum synth_table_id)i)) {
            return false;
        }
    }
    return true;
}

bool stile__synth_close(struct synth *s, bool keep)
{
    for (int i = 0; i < T_COUNT; i++) {
        struct synth_table *t = &s->tables[i];
        if (t->file != NULL && fclose(t->file) != 0) {
            fail(s, "a file could not be written whole: is the disk full?");
        }
    }
    keep = keep && !s->failed;
    for (int i = 0; i < T_COUNT; i++) {
        struct synth_table *t = &s->tables[i];
        char part[SYNTH_PATH + 8];
        if (t->file == NULL || !part_name(t, part)) {
            continue;
        }
        t->file = NULL;
        if (keep ? rename(part, t->path) != 0
                 : remove(part) != 0 && errno != ENOENT) {
            fail(s, "a file could not be given its name");
        }
    }
    return !s->failed;
}

/* Moves to the named column, leaving the ones passed over empty. */
static void seek(struct synth *s, struct synth_table *t, const char *column)
{
    while (t->cursor < t->count &&
           !stile_str_eqc(t->columns[t->cursor], column)) {
        put(s, t, t->cursor == 0 ? "\"\"" : ",\"\"", t->cursor == 0 ? 2 : 3);
        t->cursor++;
    }
    STILE_ASSERT(t->cursor < t->count); /* unknown name, or out of order */
}

void stile__cell(struct synth *s, enum synth_table_id table, const char *column,
                 const char *text)
{
    struct synth_table *t = &s->tables[table];
    seek(s, t, column);
    put(s, t, t->cursor == 0 ? "\"" : ",\"", t->cursor == 0 ? 1 : 2);
    t->cursor++;
    /* RFC 4180 section 2, rule 7: a quote inside is doubled. */
    const char *quote;
    while ((quote = strchr(text, '"')) != NULL) {
        put(s, t, text, (size_t)(quote - text));
        put(s, t, "\"\"", 2);
        text = quote + 1;
    }
    put(s, t, text, strlen(text));
    put(s, t, "\"", 1);
}

void stile__cell_guid(struct synth *s, enum synth_table_id table,
                      const char *column, enum synth_kind kind, uint64_t a,
                      uint64_t b)
{
    struct synth_guid guid = stile__synth_guid(s->seed, kind, a, b);
    stile__cell(s, table, column, guid.text);
}

void stile__cell_int(struct synth *s, enum synth_table_id table,
                     const char *column, int64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)value);
    STILE_ASSERT(n > 0 && (size_t)n < sizeof text);
    stile__cell(s, table, column, text);
}

void stile__cell_bool(struct synth *s, enum synth_table_id table,
                      const char *column, bool value)
{
    stile__cell(s, table, column, value ? "true" : "false");
}

void stile__cell_date(struct synth *s, enum synth_table_id table,
                      const char *column, int64_t days)
{
    struct stile_date d = stile_date_from_days(days);
    char text[40];
    int n =
        snprintf(text, sizeof text, "%04d-%02d-%02d", d.year, d.month, d.day);
    STILE_ASSERT(n == 10);
    stile__cell(s, table, column, text);
}

void stile__cell_time(struct synth *s, enum synth_table_id table,
                      const char *column, uint32_t seconds)
{
    char text[40];
    int n = snprintf(text, sizeof text, "%02u:%02u:%02u", seconds / 3600 % 24,
                     seconds / 60 % 60, seconds % 60);
    STILE_ASSERT(n == 8);
    stile__cell(s, table, column, text);
}

void stile__cell_decimal(struct synth *s, enum synth_table_id table,
                         const char *column, int64_t value, int decimals)
{
    STILE_ASSERT(value >= 0 && decimals >= 0 && decimals <= 3);
    int64_t unit = 1;
    for (int i = 0; i < decimals; i++) {
        unit *= 10;
    }
    char text[48];
    int n = decimals == 0
                ? snprintf(text, sizeof text, "%lld", (long long)value)
                : snprintf(text, sizeof text, "%lld.%0*lld",
                           (long long)(value / unit), decimals,
                           (long long)(value % unit));
    STILE_ASSERT(n > 0 && (size_t)n < sizeof text);
    stile__cell(s, table, column, text);
}

void stile__row_end(struct synth *s, enum synth_table_id table)
{
    struct synth_table *t = &s->tables[table];
    t->rows++;
    /* A number within the file, not a lasting id (facts of the format). */
    if (stile_str_eqc(t->columns[t->count - 1], "ProcessingId")) {
        stile__cell_int(s, table, "ProcessingId", (int64_t)t->rows);
    }
    while (t->cursor < t->count) {
        put(s, t, ",\"\"", 3);
        t->cursor++;
    }
    put(s, t, t->line_end, strlen(t->line_end));
    t->cursor = 0;
}
