/* Shared by the files of the generator only. */
#ifndef STILE_CLI_SYNTH_PRIVATE_H
#define STILE_CLI_SYNTH_PRIVATE_H

#include "synth.h"

/* ---- numbers from the seed
 * --------------------------------------------------- */

/* What a drawn thing is; part of its seed, so the order of drawing is free. */
enum synth_kind {
    SYNTH_AGREEMENT,
    SYNTH_ORGANISATION,
    SYNTH_LOCATION,
    SYNTH_USER,
    SYNTH_PATIENT,
    SYNTH_PERSON,
    SYNTH_CONSULTATION,
    SYNTH_OBSERVATION,
    SYNTH_PROBLEM,
    SYNTH_REFERRAL,
    SYNTH_ENTRY, /* consents and other single coded entries */
    SYNTH_DRUG,
    SYNTH_ISSUE,
    SYNTH_DIARY,
    SYNTH_SESSION,
    SYNTH_SLOT,
    SYNTH_OUTSIDER, /* a patient the extract does not hold */
    SYNTH_DOCUMENT
};

struct synth_rng {
    uint64_t s[4];
};

/* One stream for one thing: seed, kind, whose (a), which (b). */
void stile__synth_rng(struct synth_rng *rng, uint64_t seed,
                      enum synth_kind kind, uint64_t a, uint64_t b);
uint64_t stile__synth_next(struct synth_rng *rng);
/* 0 to below-1; `below` at least 1. */
uint32_t stile__synth_below(struct synth_rng *rng, uint32_t below);

/* Braced upper-case GUID of the thing, version 4 bits set. */
struct synth_guid {
    char text[39];
};
struct synth_guid stile__synth_guid(uint64_t seed, enum synth_kind kind,
                                    uint64_t a, uint64_t b);
/* NHS number of the 999 range; distinct for index 0 to 99,999. */
void stile__synth_nhs_number(uint64_t seed, uint32_t index, char out[11]);
/* Identifier in namespace 9999999 with its check digit. `partition` is "10"
 * for a concept, "11" for a description (SNOMED CT Release File
 * Specification, section 6). */
void stile__synth_sctid(uint32_t item, const char *partition, char out[19]);

/* ---- tables out
 * ---------------------------------------------------------------- */

enum synth_table_id {
    T_LOCATION,
    T_ORGANISATION,
    T_ORGANISATION_LOCATION,
    T_PATIENT,
    T_PATIENT_HISTORY,
    T_USER,
    T_SHARING,
    T_SESSION,
    T_SESSION_USER,
    T_SLOT,
    T_PATIENT_AUDIT,
    T_REGISTRATION_AUDIT,
    T_CONSULTATION,
    T_DIARY,
    T_OBSERVATION,
    T_REFERRAL,
    T_PROBLEM,
    T_CLINICAL_CODE,
    T_DRUG_CODE,
    T_DRUG,
    T_ISSUE,
    T_COUNT
};

#define SYNTH_COLUMNS 40
#define SYNTH_PATH 4096

struct synth_table {
    FILE *file;
    struct stile_str columns[SYNTH_COLUMNS];
    size_t count;
    size_t cursor; /* next column of the row being written */
    uint64_t rows;
    const char *line_end;
    char path[SYNTH_PATH]; /* the final name; ".part" until whole */
};

struct synth_code_ids {
    char code_id[19];
    char concept[19];
    char description[19];
};

struct synth {
    const struct stile_synth_options *options;
    uint64_t seed;
    int64_t until; /* days */
    const char *why;
    bool failed;
    struct synth_guid agreement;
    struct synth_code_ids *codes; /* by enum synth_code */
    struct synth_table tables[T_COUNT];
};

/* Opens every table under a ".part" name and writes its header. */
STILE_MUSTCHECK bool stile__synth_open(struct synth *s);
/* Closes all; renames to the final names when `keep`, else removes. */
STILE_MUSTCHECK bool stile__synth_close(struct synth *s, bool keep);

/* A row: cells by name, in the table's order, empty ones simply not named. */
void stile__cell(struct synth *s, enum synth_table_id table, const char *column,
                 const char *text);
void stile__cell_guid(struct synth *s, enum synth_table_id table,
                      const char *column, enum synth_kind kind, uint64_t a,
                      uint64_t b);
void stile__cell_int(struct synth *s, enum synth_table_id table,
                     const char *column, int64_t value);
void stile__cell_bool(struct synth *s, enum synth_table_id table,
                      const char *column, bool value);
void stile__cell_date(struct synth *s, enum synth_table_id table,
                      const char *column, int64_t days);
/* Seconds of the day as HH:mm:ss. */
void stile__cell_time(struct synth *s, enum synth_table_id table,
                      const char *column, uint32_t seconds);
/* `value` in units of 10^-decimals; trailing zeros stay. */
void stile__cell_decimal(struct synth *s, enum synth_table_id table,
                         const char *column, int64_t value, int decimals);
/* Fills the rest, numbers the row. */
void stile__row_end(struct synth *s, enum synth_table_id table);

/* ---- words
 * ----------------------------------------------------------------------- */

/* The coded entries the generator knows; synth_words.c says what each is. */
enum synth_code {
    CODE_BP,
    CODE_DIASTOLIC,
    CODE_SYSTOLIC,
    CODE_BMI,
    CODE_WEIGHT,
    CODE_HEIGHT,
    CODE_HBA1C,
    CODE_CHOLESTEROL,
    CODE_HDL,
    CODE_TRIGLYCERIDES,
    CODE_UNITS,
    CODE_PHQ9,
    CODE_GAD7,
    CODE_SMOKER,
    CODE_EX_SMOKER,
    CODE_NEVER_SMOKED,
    CODE_SCHIZOPHRENIA,
    CODE_BIPOLAR,
    CODE_PSYCHOSIS,
    CODE_PERSONALITY,
    CODE_LOW_MOOD,
    CODE_KNEE,
    CODE_DISSENT_LOCAL,
    CODE_CONSENT_LOCAL,
    CODE_DISSENT_NATIONAL,
    CODE_CONSENT_SHARING,
    CODE_TYPE_1,
    CODE_TYPE_2,
    CODE_DECLINED_THIRD_PARTY,
    CODE_CONSENT_FORM,
    CODE_ADOPTED,
    CODE_THIRD_PARTY_INFO,
    CODE_SENSITIVE_1,
    CODE_SENSITIVE_2,
    CODE_REFER_TRUST,
    CODE_REFER_CHARITY,
    CODE_QUALIFIER,
    CODE_LATE,
    CODE_CONSENT_CHARITY, /* last: its place makes its identifiers */
    CODE_COUNT
};

struct synth_code_row {
    const char *term;
    const char *read;    /* Read v2 term id, or NULL */
    const char *concept; /* SNOMED CT, or NULL: one in our own namespace */
    const char *category;
    const char *unit;                /* NULL: no value */
    int64_t low, high;               /* drawn between, in 10^-decimals */
    int64_t normal_low, normal_high; /* printed ranges; both 0: none */
    int decimals;
};
extern const struct synth_code_row stile__synth_codes[CODE_COUNT];

struct synth_drug_row {
    const char *term;
    const char *dosage;
    const char *unit;
};
#define SYNTH_DRUGS 6
extern const struct synth_drug_row stile__synth_drugs[SYNTH_DRUGS];

const char *stile__synth_given(uint32_t i);
const char *stile__synth_surname(uint32_t i);
const char *stile__synth_street(uint32_t i);
const char *stile__synth_town(uint32_t i);

/* ---- who
 * ------------------------------------------------------------------------- */

/*
 * Patients with a part to play, by index, when there are at least
 * SYNTH_CAST of them: the field's traps, one a patient.
 */
#define SYNTH_CAST 40
enum synth_cast {
    CAST_SENSITIVE = 2,
    CAST_DUMMY,
    CAST_DECEASED,
    CAST_PLACEHOLDER_NUMBER,
    CAST_WRONG_NUMBER,
    CAST_DECLINED_THIRD_PARTY,
    CAST_TYPE_1,
    CAST_DISSENT_THEN_CONSENT,
    CAST_CONSENT_SHARING,
    CAST_CONFIDENTIAL,
    CAST_CHILD,
    CAST_ADOPTED,
    CAST_NO_NUMBER,
    CAST_SEX_I,
    CAST_SEX_U,
    CAST_TWO_RECORDS,
    CAST_SECOND_RECORD,
    CAST_LEFT,
    CAST_NULL_CODE,
    CAST_CONSENT_FORM,
    CAST_DISSENT_NATIONAL,
    CAST_TYPE_2,
    CAST_SENSITIVE_ENTRY,
    CAST_LATE_CODE,
    CAST_LATE_PROBLEM,
    CAST_NO_TARGET,
    CAST_BOTH,
    CAST_NEW_REFERRAL,
    CAST_DELETED,
    CAST_DANGLING
};
/* Is patient `p` that one, in an extract of this size? */
bool stile__synth_is(const struct synth *s, uint32_t p, enum synth_cast who);

#define SYNTH_USERS 12
/* The clinician for a drawn number: a user of the practice. */
uint32_t stile__synth_clinician(struct synth_rng *rng);

uint64_t stile__synth_observation_count(const struct synth *s, uint32_t p);
bool stile__synth_referred_trust(const struct synth *s, uint32_t p);
bool stile__synth_referred_charity(const struct synth *s, uint32_t p);

void stile__synth_admin(struct synth *s);
void stile__synth_codings(struct synth *s);
void stile__synth_appointments(struct synth *s);
void stile__synth_patient(struct synth *s, uint32_t p);
void stile__synth_care(struct synth *s, uint32_t p);
void stile__synth_medicines(struct synth *s, uint32_t p);

#endif
