/*
 * Rows of an export's files, in memory: by person, and by any column for
 * look-ups. What the store's mirror is to the gateway, this is to a command.
 *
 * Invariants
 *   - Of rows with one key the last read stands; a row marked deleted takes
 *     its key out.
 *   - Rows and texts live in `arena` and in the files' bytes there.
 */
#ifndef STILE_CLI_ROWS_H
#define STILE_CLI_ROWS_H

#include "cli.h"

#define CLI_INDEXES_MAX 64

/* Text to a number, open addressing. Keys are kept. */
struct cli_slots {
    struct cli_slot {
        uint64_t hash;
        struct stile_str key;
        size_t at; /* index + 1; 0 = free */
    } * items;
    size_t count, capacity;
};

struct cli_row {
    struct stile_row row;
    const struct stile_table *table;
    size_t next; /* of the person; index + 1 */
    bool gone;
    bool replaced; /* by a later one with its key */
};

struct cli_person {
    struct stile_str key;
    size_t first, last, count; /* index + 1 */
};

struct cli_rows {
    struct stile_arena *arena; /* keeps */
    const struct stile_schema *schema;
    struct stile_diags *diags;
    struct cli_row **items; /* in the arena each, so that they stay put */
    size_t count, capacity;
    struct cli_person *persons;
    size_t person_count, person_capacity;
    struct cli_slots by_key, by_person;
    struct cli_index {
        struct stile_str table, column;
        size_t upto; /* rows it holds */
        struct cli_slots slots;
    } indexes[CLI_INDEXES_MAX];
    size_t index_count;
    /* Set: rows are put aside there and not kept; see cli_spill.h. */
    struct cli_spill *spill;
    struct stile_map_rows *groups; /* of the first `grouped` rows */
    size_t grouped;
    /* Files of tables that no mapping of these reads are passed over; NULL
     * reads all. */
    const struct stile_mapset *wanted;
    uint64_t read, bad, replaced, deleted, passed_over;
    uint64_t nobodys; /* say that they are about no patient */
    /* Set: an unknown table is looked for beside it, as another file of the
     * same batch. */
    const char *beside;
};

void stile__cli_rows_init(struct cli_rows *rows, struct stile_arena *arena,
                          const struct stile_schema *schema,
                          const struct stile_mapset *wanted,
                          struct stile_diags *diags);
void stile__cli_rows_release(struct cli_rows *rows);
/* Reads one CSV file; `table` empty: the file's name tells. NOT_FOUND when
 * neither does, IO when it has been said why. */
STILE_MUSTCHECK enum stile_status stile__cli_rows_file(struct cli_rows *rows,
                                                       const char *path,
                                                       struct stile_str table);
/* Reads a VCSE case file, JSON or the one-sheet CSV. */
STILE_MUSTCHECK enum stile_status stile__cli_rows_case(struct cli_rows *rows,
                                                       const char *path);
/* Files, and folders of files, of any of these kinds. False, and it has been
 * said, when one cannot be read or there are no rows. */
STILE_MUSTCHECK bool stile__cli_rows_sample(struct cli_rows *rows,
                                            char *const *paths,
                                            size_t path_count,
                                            struct stile_str table);
/* For commands that look at every row: that the gateway would not. */
void stile__cli_rows_say_replaced(const struct cli_rows *rows);
/* One decoded row, whose memory must last as long as `rows`. */
STILE_MUSTCHECK enum stile_status
stile__cli_rows_add(struct cli_rows *rows, const struct stile_row *row);
/* NULL when there is none. */
const struct stile_row *stile__cli_rows_find(struct cli_rows *rows,
                                             struct stile_str table,
                                             struct stile_str column,
                                             struct stile_str key);
/* A stile_map_env's lookup; ctx is a struct cli_rows. */
enum stile_status stile__cli_rows_lookup(void *ctx, struct stile_str family,
                                         struct stile_str table,
                                         struct stile_str column,
                                         struct stile_str key,
                                         const struct stile_row **ret);
/* A stile_map_env's rows, of those read so far. */
enum stile_status stile__cli_rows_ask(void *ctx,
                                      const struct stile_map_ask *ask,
                                      const struct stile_row *const **ret,
                                      size_t *ret_count);
/* ---- for cli_spill.c ---- */

/* The person's number, from 1, made when new; 0 when memory is short. */
size_t stile__cli_rows_person(struct cli_rows *rows, struct stile_str key);
bool stile__cli_rows_deleted(const struct cli_rows *rows,
                             const struct stile_row *row,
                             const struct stile_table *table);
/* About no patient: the family's word for it stands where the person does. */
bool stile__cli_rows_nobodys(const struct cli_rows *rows,
                             const struct stile_row *row,
                             const struct stile_table *table);
/* "table" 1F "key cell" 1F ...; empty when the table has no key. */
void stile__cli_rows_key(const struct stile_row *row,
                         const struct stile_table *table,
                         struct stile_buf *out);
const struct stile_table *
stile__cli_rows_table(const struct stile_schema *schema,
                      const struct stile_row *row);

/* Last part of a path. */
struct stile_str stile__cli_base(const char *path);

#endif
