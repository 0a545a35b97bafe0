/* What a sample shows of a set; private to map. */
#ifndef STILE_MAP_COVERAGE_H
#define STILE_MAP_COVERAGE_H

#include "map_private.h"

/* A column of a file that the table's format does not have. */
struct stile__stranger {
    struct stile_str name;
    uint64_t filled;
    struct stile__stranger *next;
};

struct stile__covered {
    const struct stile_table *table;
    uint64_t rows;
    uint64_t *filled; /* by column */
    struct stile__stranger *strangers, **strangers_tail;
    struct stile__covered *next;
};

/* A line that says `lossy`, and the rows that filled its columns. */
struct stile__loss {
    const struct stile_mapping *mapping;
    const struct stile_lang_stmt *stmt;
    uint64_t rows;
    struct stile__loss *next;
};

/* A table, or one column of it, that no mapping carries, and why. */
struct stile__aside {
    struct stile_str family, table;
    struct stile_str column; /* empty: what nothing else accounts for */
    struct stile_str because;
    struct stile__aside *next;
};

struct stile_map_coverage {
    const struct stile_mapset *set;
    struct stile_arena *arena;
    struct stile__covered *tables, **tables_tail;
    struct stile__loss *losses, **losses_tail;
    struct stile__aside *asides, **asides_tail;
    uint64_t **hits;     /* by code table and row */
    uint64_t *misses;    /* by code table */
    uint64_t (*ends)[5]; /* by mapping and end */
    uint64_t *not_taken; /* by mapping */
    uint64_t warnings[RUN_CODE_COUNT];
};

enum stile__account {
    ACCOUNT_NONE,
    ACCOUNT_CARRIED, /* by another mapping of the table */
    ACCOUNT_DROPPED,
    ACCOUNT_RESIDUE,
    ACCOUNT_READ, /* a look-up's column */
    ACCOUNT_MAPPED
};

/* Where a column goes, over all mappings; *ret_stmt is the drop's line, or
 * NULL when the column is set aside: stile__coverage_aside says why. */
enum stile__account
stile__coverage_account(const struct stile_map_coverage *coverage,
                        const struct stile_table *table, uint32_t column,
                        const struct stile_mapping **ret_by,
                        const struct stile_lang_stmt **ret_stmt);
const struct stile__aside *
stile__coverage_aside(const struct stile_map_coverage *coverage,
                      const struct stile_table *table, uint32_t column);
/* Is the table some mapping's left? */
bool stile__coverage_mapped(const struct stile_map_coverage *coverage,
                            const struct stile_table *table);
/* A line of the mapping's must-support elements; nothing without a profile. */
void stile__coverage_profile(const struct stile_mapping *mapping,
                             struct stile_buf *out);
void stile__coverage_profiles_json(const struct stile_map_coverage *coverage,
                                   struct stile_buf *out);

#endif
