/* Generated rows for the laws; private to map. */
#ifndef STILE_MAP_LAWS_H
#define STILE_MAP_LAWS_H

#include "map_private.h"

/* The values a column is tried with. */
struct stile__pool_of {
    struct stile_str *items;
    uint32_t count, capacity;
    bool must; /* never empty */
};

struct stile__domains {
    const struct stile__variant *variant;
    struct stile_arena *arena;
    struct stile__pool_of *columns[STILE__ALIASES];
};

#define STILE__MORE 3u /* further rows of a group */

/* One row and the rows it looks up, by alias; and rows of its group. */
struct stile__trial {
    struct stile_str *cells[STILE__ALIASES];
    bool there[STILE__ALIASES];
    struct stile_str *more[STILE__MORE];
    uint32_t more_count;
    /* Rows of another table, by `each`. */
    struct stile_str *linked[STILE__EACHES][STILE__MORE];
    uint32_t linked_count[STILE__EACHES];
};

/* False: memory. */
bool stile__domains_of(const struct stile__variant *variant,
                       struct stile_arena *arena, struct stile__domains *ret);
bool stile__trial_draw(const struct stile__domains *domains, uint64_t *seed,
                       struct stile_arena *arena, struct stile__trial *ret);

#endif
