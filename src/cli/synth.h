/*
 * synth.h - invented practice data in the form of real exports.
 *
 * Writes the 21 tables of one EMIS Web bulk extract v8.2 to a folder, one CSV
 * a table under its six-part name, in the supplier's dialect: every field
 * quoted, UTF-8, braced upper-case GUIDs, line feeds (Coding_ClinicalCode
 * ends its lines with CR LF, as has been seen in the field).
 *
 * Invariants
 *   - Same options, same bytes: every row is drawn from the seed, its table
 *     and its number alone. No clock is read; time is an argument.
 *   - Nobody in it exists. NHS numbers are from the 999 range, postcodes from
 *     ZZ99, telephone numbers from the ranges kept for drama, names from a
 *     list that says so. Codes we could not cite carry ids of namespace
 *     9999999, which SNOMED International never issued.
 *   - Memory does not grow with the number of rows.
 *   - A file appears under its name only when it is whole.
 *
 * A delta is drawn from the same seed and holds what would have changed the
 * day after the bulk: new values, new addresses, key-only deletes, a new
 * referral, and the rows that the bulk already pointed at but did not hold.
 */
#ifndef STILE_CLI_SYNTH_H
#define STILE_CLI_SYNTH_H

#include "stile/base.h"

#define STILE_SYNTH_PATIENTS_MAX 100000u

enum stile_synth_kind {
    STILE_SYNTH_BULK,
    STILE_SYNTH_DELTA
};

struct stile_synth_options {
    const char *folder; /* must exist */
    enum stile_synth_kind kind;
    uint64_t seed;
    uint32_t batch;        /* second part of the file names */
    const char *stamp;     /* yyyyMMddHHmmss, fifth part of the names */
    const char *until;     /* yyyy-MM-dd, last day of the data: a bulk and its
                              delta must be given the same */
    uint32_t patients;     /* 1 to STILE_SYNTH_PATIENTS_MAX */
    uint64_t observations; /* measurements and entries; the rows that carry
                              problems, referrals and consents come on top */
    const char *practice_ods, *practice_name;
    const char *trust_ods, *trust_name;
    const char *charity_ods, *charity_name;
    uint32_t trust_percent, charity_percent; /* share of patients referred */
    bool normalised; /* SystmOne: lists come as rows of SRMapping and
                        SRConfiguredListOption, not as words */
};

/* 200 patients of Alder Lane Surgery (A99901), twelve observations each; the
 * field's set of awkward patients is there from 40 patients on. */
void stile_synth_defaults(struct stile_synth_options *ret);

/*
 * Writes the files. INVALID for options out of range, IO when a file cannot
 * be written whole; *ret_why then holds one sentence for the user. *ret_rows
 * counts the rows of all tables. Both may be NULL.
 */
STILE_MUSTCHECK enum stile_status
stile_synth_write(const struct stile_synth_options *options, uint64_t *ret_rows,
                  const char **ret_why);

/*
 * The same in the form of a SystmOne Strategic Reporting extract v125: in the
 * folder a download yyyyMMdd_HHmm with a CSV a table, Windows-1252, every field
 * quoted, RemovedData last, and SRManifest.csv written last. Sixty patients of
 * Beck Street Surgery (A99902); the awkward ones from 20 on. The folder gets
 * its name when it is whole.
 */
void stile_synth_systmone_defaults(struct stile_synth_options *ret);
STILE_MUSTCHECK enum stile_status
stile_synth_systmone_write(const struct stile_synth_options *options,
                           uint64_t *ret_rows, const char **ret_why);

/* A charity's case files: a JSON document a case (vcse-case/0.1), and the sheet
 * cases.csv with as many others. Twenty of each by default. */
void stile_synth_vcse_defaults(struct stile_synth_options *ret);
STILE_MUSTCHECK enum stile_status
stile_synth_vcse_write(const struct stile_synth_options *options,
                       uint64_t *ret_cases, const char **ret_why);

/* The same for the command line: says why on stderr, gives an exit code. */
int stile_synth_vcse(const struct stile_synth_options *options);
int stile_synth_systmone(const struct stile_synth_options *options);
int stile_synth_emis(const struct stile_synth_options *options);

#endif
