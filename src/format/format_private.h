/* Shared inside the room. */
#ifndef FORMAT_PRIVATE_H
#define FORMAT_PRIVATE_H

#include <stile/format.h>

/* ---- the strict JSON scan (json_scan.c) ---- */

/* cJSON 1.7.15 reads at most 63 characters of a number. */
#define STILE__JSON_NUMBER_MAX 63
/* Our walk of cJSON's tree is recursive; cJSON stops at 1000 itself. */
#define STILE__JSON_DEPTH_MAX 512

/* Fills the tape. `*ret_doubtful`: a name may stand twice in an object, and
 * must be looked for; never false when one does. */
STILE_MUSTCHECK enum stile_status
stile__json_scan(struct stile_str bytes, struct stile_json_limits limits,
                 struct stile_str name, struct stile_diags *diags,
                 struct stile_tape *tape, bool *ret_doubtful);

/* A finding at a byte of a JSON text: line, column and path. */
void stile__json_finding(struct stile_diags *diags, const char *code,
                         struct stile_str name, struct stile_str bytes,
                         size_t offset, struct stile_str path,
                         const char *message);
/* Adds `.name`, or `.?` for a name that could be a person's data. */
void stile__json_path_name(struct stile_buf *path, struct stile_str name);

/* ---- CSV ---- */

/* UTF-8 of one Windows-1252 byte: at most three bytes; 0 for a byte without a
 * meaning. */
size_t stile__put_1252(char *out, unsigned char byte);

/* ---- shared by the makers ---- */

/* Zero fields mean the defaults. */
struct stile_json_limits stile__json_limits_or(struct stile_json_limits limits);
struct stile_csv_limits stile__csv_limits_or(struct stile_csv_limits limits);

/* Rows grown on malloc, moved to the arena when all are there. */
struct stile__rows {
    struct stile_row *items;
    size_t count, capacity;
};
STILE_MUSTCHECK bool stile__rows_add(struct stile__rows *rows,
                                     struct stile_row row);
/* Releases `rows` in any case. */
STILE_MUSTCHECK enum stile_status stile__rows_done(struct stile__rows *rows,
                                                   struct stile_arena *arena,
                                                   struct stile_decoded *ret);
/* Spaces and no-break spaces at both ends. */
struct stile_str stile__trim(struct stile_str s);
/* By table, then cell by cell; absent and empty cells are equal. */
int stile__row_cmp(const struct stile_row *a, const struct stile_row *b);
/* dup[i] is set where an equal row stands before row i. */
STILE_MUSTCHECK enum stile_status
stile__rows_twice(const struct stile_row *rows, size_t count, bool *dup);

/* What a maker does to each row before it is kept. */
enum stile__fix {
    STILE__ROW_KEEP,
    STILE__ROW_DROP,
    STILE__ROW_BAD
};
struct stile__csv_job {
    const struct stile_format_input *input;
    struct stile_csv_dialect dialect;
    struct stile_str family, table;
    struct stile_arena *arena;
    struct stile_diags *diags;
    bool trim_header;
    struct stile_str must_have; /* a column that is no key, or empty */
    size_t count; /* set while decoding: the table's and unknown columns */
    /* NULL, or called with the cells in the table's order; may change them,
     * texts in the arena. */
    enum stile__fix (*fix)(struct stile__csv_job *job,
                           const struct stile_table *table,
                           struct stile_str *cells, uint64_t row);
};
STILE_MUSTCHECK enum stile_status stile__csv_decode(struct stile__csv_job *job,
                                                    struct stile_decoded *ret);
/* Header and rows, all of one table. */
STILE_MUSTCHECK enum stile_status
stile__csv_encode(const struct stile_decoded *decoded,
                  const struct stile_csv_dialect *dialect,
                  struct stile_buf *out, struct stile_diags *diags);

extern const struct stile_format stile__format_fhir_json;
extern const struct stile_format stile__format_vcse_json;
extern const struct stile_format stile__format_vcse_csv;
extern const struct stile_format stile__format_csv;

#endif
