/*
 * stile/format.h - bytes to records and back: strict CSV, strict JSON, and
 * the formats made from them.
 *
 * Invariants
 *   - Input is checked whole before any of it is believed: JSON by one strict
 *     scan (RFC 8259 grammar, UTF-8, depth, size, duplicate keys, no lone
 *     surrogates, no \u0000), then cJSON's tree, then our record, numbers
 *     with their text (house.md section 9).
 *   - CSV follows RFC 4180 with a declared dialect; a broken row harms only
 *     itself: it is reported with its row number and skipped to the next
 *     record boundary; a broken quote that swallows the rest is reported at
 *     the row where it opened.
 *   - Errors carry row, column, path and byte offset, never a value.
 *   - Limits are arguments.
 *
 * Threads: a reader belongs to one thread. cJSON's allocator hooks are
 * process-wide and set once by stile_format_setup.
 */
#ifndef STILE_FORMAT_H
#define STILE_FORMAT_H

#include "stile/base.h"
#include "stile/record.h"
#include "stile/schema.h"

/* Call once before any thread starts: cJSON's hooks, wiping on free. */
void stile_format_setup(void);

/* ---- JSON -------------------------------------------------------------------
 */

struct stile_json_limits {
    size_t bytes;    /* default 8 MiB */
    uint32_t depth;  /* default 64 */
    uint32_t values; /* default 500,000 */
    size_t string;   /* longest string, default 1 MiB (FHIR R4: 1 MB) */
};
#define STILE_JSON_LIMITS                                                      \
    ((struct stile_json_limits){8u << 20, 64, 500000, 1u << 20})

/* Decodes; texts point into `bytes` where unescaped, else into `arena`.
 * Findings J1xx name line, column and path. INVALID, LIMIT or NOMEM. */
STILE_MUSTCHECK enum stile_status
stile_json_decode(struct stile_str bytes, struct stile_json_limits limits,
                  struct stile_str name, struct stile_arena *arena,
                  struct stile_diags *diags, struct stile_value **ret);

/* The same checks and the same findings, to a tape instead of a tree: one pass
 * and no memory a value. `tape` is zero at first, keeps the bytes, and may be
 * used for the next text; its content is nothing after a failure. */
STILE_MUSTCHECK enum stile_status
stile_json_tape(struct stile_str bytes, struct stile_json_limits limits,
                struct stile_str name, struct stile_arena *arena,
                struct stile_diags *diags, struct stile_tape *tape);

/* ---- CSV --------------------------------------------------------------------
 */

struct stile_csv_dialect {
    char delimiter;      /* ',' */
    char quote;          /* '"', or 0 for none */
    bool quote_all;      /* when writing */
    bool crlf;           /* when writing; reading takes both */
    bool allow_bom;      /* UTF-8 BOM at the start */
    bool windows_1252;   /* bytes above 0x7f are Windows-1252 (SystmOne) */
    bool guess_1252;     /* a file not valid UTF-8 is read as 1252 and
                            reported (VCSE sheets) */
    bool guard_formulas; /* when writing: prefix = + - @ tab CR with ' */
    bool sheet; /* rows are numbered as a spreadsheet does, the header 1, and
                   ="text" is read as a cell */
};
extern const struct stile_csv_dialect stile_csv_rfc4180, stile_csv_emis,
    stile_csv_systmone, stile_csv_vcse;

/* The words of a family's dialect line; what is not said is RFC 4180. */
struct stile_csv_dialect stile_csv_dialect_of(const struct stile_schema *schema,
                                              struct stile_str family,
                                              struct stile_str version);

struct stile_csv_limits {
    size_t row_bytes; /* default 1 MiB */
    uint32_t columns; /* default 512 */
    uint64_t rows;    /* default 100 million */
};
#define STILE_CSV_LIMITS ((struct stile_csv_limits){1u << 20, 512, 100000000})

/*
 * A pull reader over chunks. Feed bytes, pull rows; END means "feed more" or,
 * after the last feed, the end. Cells are valid until the next pull or feed.
 * Memory is bounded by row_bytes and the largest chunk.
 */
struct stile_csv;
struct stile_csv *stile_csv_new(const struct stile_csv_dialect *dialect,
                                struct stile_csv_limits limits,
                                struct stile_str file); /* keeps file */
void stile_csv_free(struct stile_csv **csv); /* wipes what it holds */
/* Copies what it must keep. `last` marks the end of the file. LIMIT when more
 * than a row is still unread: pull to END first. NOMEM. */
STILE_MUSTCHECK enum stile_status
stile_csv_feed(struct stile_csv *csv, struct stile_str bytes, bool last);
/* Instead of feeding: reads all of `bytes` in place (keeps, until freed); cells
 * without repairs point into them. */
void stile_csv_over(struct stile_csv *csv, struct stile_str bytes);
/*
 * OK with the next row; INVALID for a row that was skipped (finding V1xx
 * added); END; LIMIT past `rows` (V110) and NOMEM, which both stay.
 * *ret_row counts records from 0, so that behind a header, which is record 0,
 * the data rows are 1, 2, ...; findings use the same number. With `sheet` all
 * are one more, and empty lines before the header count. The first good
 * record sets the number of cells: another number is a broken row (V107).
 * Empty lines are no records unless the file has one column; they count.
 */
STILE_MUSTCHECK enum stile_status
stile_csv_pull(struct stile_csv *csv, struct stile_diags *diags,
               const struct stile_str **ret_cells, size_t *ret_count,
               uint64_t *ret_row);
/* Always UTF-8. The dialect must have a quote. */
void stile_csv_write_row(struct stile_buf *out,
                         const struct stile_csv_dialect *dialect,
                         const struct stile_str *cells, size_t count);

/* ---- formats: the seam ---- */

/*
 * A format turns a message's bytes into rows or one record, and records or
 * rows into bytes. Makers: csv, fhir-json, vcse-json, vcse-csv. Chosen by
 * name from one array.
 */
struct stile_decoded {
    struct stile_value *root; /* fhir-json: the resource or Bundle */
    struct stile_row *rows;   /* vcse-json, vcse-csv, csv: table rows */
    size_t row_count;
    size_t bad_rows;              /* skipped, each with a finding */
    struct stile_str exported_at; /* vcse-json: of the last object, or empty */
};

struct stile_format_input {
    struct stile_str bytes;            /* borrows; texts point into it */
    struct stile_str name;             /* for findings */
    const struct stile_schema *schema; /* borrows */
    struct stile_str table;            /* csv: which table the file holds */
    /* All zero means the defaults. */
    struct stile_json_limits json;
    struct stile_csv_limits csv;
    stile_time now; /* when it came: no birth is later; 0 not known */
    /* csv, for a file larger than memory. Set both: the bytes come from `more`,
     * a piece at a time (false: they cannot be read), and each good row goes to
     * `each`, its cells lasting for the call; ret->rows stays empty. What a row
     * takes of the arena is given back when the findings are in another. */
    bool (*more)(void *ctx, struct stile_str *ret, bool *ret_last);
    enum stile_status (*each)(void *ctx, const struct stile_row *row);
    void *ctx;
};

struct stile_format {
    const char *name;       /* "fhir-json" */
    const char *media_type; /* "application/fhir+json" */
    const char *suffix;     /* ".json" */
    /* Rows carry resolved tables: row.columns is the table's column_names. */
    enum stile_status (*decode)(const struct stile_format_input *input,
                                struct stile_arena *arena,
                                struct stile_diags *diags,
                                struct stile_decoded *ret);
    /* `root` for fhir-json, `rows` for the others. */
    enum stile_status (*encode)(const struct stile_decoded *decoded,
                                const struct stile_schema *schema,
                                struct stile_str exported_at,
                                struct stile_buf *out,
                                struct stile_diags *diags);
};
extern const struct stile_format *const stile_formats[]; /* NULL-terminated */
const struct stile_format *stile_format_find(struct stile_str name);
/* By HTTP Content-Type, parameters ignored. text/csv is vcse-csv: other tables
 * come as files, whose name says which, and are "csv" by name. */
const struct stile_format *stile_format_of_media(struct stile_str media_type);

/*
 * A row with columns its table does not know has them behind the table's own:
 * `columns` is then a longer array that begins as the table's column_names.
 *
 * vcse-json: format "vcse-case/0.1": one object, or an array of them, a
 *   case each, with format, exported_at, organisation, person, case and arrays
 *   named as the tables' json names; same column names, no other nesting.
 *   Rows come out one per object; encode groups rows by case. Unknown members
 *   are reported (V2xx warnings), never dropped in silence.
 * vcse-csv: the level 1 sheet, table "cases", 16 columns, one row a case,
 *   with the spreadsheet repairs of 6.3 each reported: lost leading zero or
 *   spaces of an NHS number, D/M/Y dates (never guessed when both are <= 12:
 *   the row is refused), serial dates, 3.26E+09 (refused: digits lost), smart
 *   quotes, Y/Yes/TRUE/1, duplicate rows, trailing spaces, ="text". Refused
 * too: rows without case_ref or person_ref, a case_ref a second time, one NHS
 *   number of two persons, births to come. Not with commas: V320 to V324.
 * csv: any table of the schema by header, `input.table` says which.
 */

/* EMIS file name: <type>_<batch>_<Schema>_<Table>_<yyyyMMddHHmmss>_<guid>.csv
 * (six parts) or the older five (both in use). */
struct stile_emis_name {
    struct stile_str type; /* "bulk", "delta...", or empty (five parts) */
    struct stile_str batch, table /* Schema_Table */, stamp, agreement;
};
STILE_MUSTCHECK bool stile_emis_name_parse(struct stile_str file_name,
                                           struct stile_emis_name *ret);

/* SystmOne: <table>.csv, in the folder yyyyMMdd_HHmm of one download. */
STILE_MUSTCHECK bool stile_systmone_name_parse(struct stile_str file_name,
                                               struct stile_str *ret_table);
STILE_MUSTCHECK bool stile_systmone_stamp_valid(struct stile_str stamp);

#endif
