/*
 * Rows of an export that memory would not hold: put aside in a temporary
 * database (stile_spool) as their files are read, a piece at a time, and taken
 * out again by person, in the order the persons were first seen. What comes
 * out is what the rows in memory would give.
 *
 * Memory: the database's cache, one person's rows, one number a person.
 */
#ifndef STILE_CLI_SPILL_H
#define STILE_CLI_SPILL_H

#include "cli_rows.h"

struct cli_spill;

/* Rows read from now on are put aside. False: it cannot be opened. */
STILE_MUSTCHECK bool stile__cli_spill_open(struct cli_rows *rows, size_t cache);
void stile__cli_spill_close(struct cli_rows *rows);
STILE_MUSTCHECK enum stile_status
stile__cli_spill_file(struct cli_rows *rows, const char *path,
                      const struct stile_table *table);
/* Lives in `arena` of the last stile__cli_spill_persons. */
const struct stile_row *stile__cli_spill_find(struct cli_rows *rows,
                                              struct stile_str table,
                                              struct stile_str column,
                                              struct stile_str key);
/* Each person, with the rows that stand, which live in a scratch arena for the
 * call; `arena` is the caller's for look-ups made meanwhile. */
STILE_MUSTCHECK enum stile_status
stile__cli_spill_persons(struct cli_rows *rows, struct stile_arena *arena,
                         bool (*person)(void *ctx, size_t number,
                                        struct stile_row *list, size_t count),
                         void *ctx);

#endif
