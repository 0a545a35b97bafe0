/* Shared by the SystmOne part of the generator only. */
#ifndef STILE_CLI_SYNTH_SYSTMONE_H
#define STILE_CLI_SYNTH_SYSTMONE_H

#include "synth_private.h"

enum s1_table_id {
    S1_MAPPING_GROUP,
    S1_MAPPING,
    S1_OPTION,
    S1_CTV3,
    S1_CONTENT,
    S1_ORGANISATION,
    S1_STAFF,
    S1_PROFILE,
    S1_PATIENT,
    S1_REGISTRATION,
    S1_PRACTICE,
    S1_ADDRESS,
    S1_CONTACT,
    S1_RELATIONSHIP,
    S1_SMS,
    S1_EVENT,
    S1_CODE,
    S1_PROBLEM,
    S1_SENSITIVITY,
    S1_IMMUNISATION,
    S1_MEDICATION,
    S1_REPEAT,
    S1_REFERRAL_IN,
    S1_REFERRAL_OUT,
    S1_APPOINTMENT,
    S1_VISIT,
    S1_COUNT
};

#define S1_COLUMNS 64
#define S1_CELL 160

struct s1_table {
    FILE *file;
    struct stile_str columns[S1_COLUMNS];
    size_t count;
    char cells[S1_COLUMNS][S1_CELL]; /* of the row in hand */
    uint64_t rows;
};

struct s1 {
    const struct stile_synth_options *options;
    int64_t until; /* days */
    const char *why;
    bool failed;
    char folder[SYNTH_PATH], part[SYNTH_PATH]; /* "<stamp>", "<stamp>.part" */
    struct s1_table tables[S1_COUNT];
};

/* Files: synth_s1_out.c. */
STILE_MUSTCHECK bool stile__s1_open(struct s1 *s);
/* Writes the manifest last, then gives the folder its name; else removes. */
STILE_MUSTCHECK bool stile__s1_close(struct s1 *s, bool keep);
void stile__s1(struct s1 *s, enum s1_table_id table, const char *column,
               const char *text);
void stile__s1_int(struct s1 *s, enum s1_table_id table, const char *column,
                   int64_t value);
void stile__s1_bool(struct s1 *s, enum s1_table_id table, const char *column,
                    bool value);
/* "05 Jan 2026 10:15:00"; without seconds in SRPatient, as seen. */
void stile__s1_time(struct s1 *s, enum s1_table_id table, const char *column,
                    int64_t days, uint32_t seconds);
void stile__s1_date(struct s1 *s, enum s1_table_id table, const char *column,
                    int64_t days);
/* A static list's word, or its row of SRMapping in a normalised extract. */
void stile__s1_list(struct s1 *s, enum s1_table_id table, const char *column,
                    const char *word);
/* A configured list's, likewise by SRConfiguredListOption. */
void stile__s1_option(struct s1 *s, enum s1_table_id table, const char *column,
                      const char *word);
void stile__s1_end(struct s1 *s, enum s1_table_id table);
/* A removed row: the key, the mark, and nothing else. */
void stile__s1_removed(struct s1 *s, enum s1_table_id table, int64_t row);
void stile__s1_lists(struct s1 *s); /* rows of the two list tables */

/* Patients with a part to play, when there are at least S1_CAST. */
#define S1_CAST 20
enum s1_cast {
    S1_TEST = 2,
    S1_DECEASED,
    S1_PLACEHOLDER,
    S1_WRONG_NUMBER,
    S1_DISSENT_LOCAL,
    S1_CONSENT_LOCAL,
    S1_DECLINED_THIRD_PARTY,
    S1_CHARITY_CONSENT,   /* says yes to the charity by name, is referred */
    S1_CHARITY_WITHDRAWN, /* the same; the delta holds the refusal */
    S1_TYPE_1,
    S1_LOCAL_CODES, /* entries without a SNOMED CT code */
    S1_MOVED,       /* another address in the delta */
    S1_LATE_CODE,   /* a problem whose entry comes in the delta */
    S1_REMOVED_CODE,
    S1_REMOVED,
    S1_UNKNOWN, /* entries of somebody SRPatient does not hold */
    S1_SAFE_NO_CODES
};
bool stile__s1_is(const struct s1 *s, uint32_t p, enum s1_cast who);

void stile__s1_patient(struct s1 *s, uint32_t p);
void stile__s1_record(struct s1 *s, uint32_t p);
void stile__s1_medicines(struct s1 *s, uint32_t p);
void stile__s1_referrals(struct s1 *s, uint32_t p);

/* Rows by whom and which, so that tables agree without being remembered. */
static inline int64_t s1_row(uint32_t p, uint32_t which)
{
    return INT64_C(1000000) + (int64_t)p * 1000 + which;
}

#endif
