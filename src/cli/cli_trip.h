/* One message through the exchange, without a store. */
#ifndef STILE_CLI_TRIP_H
#define STILE_CLI_TRIP_H

#include "cli_rows.h"

struct cli_trip {
    const struct stile_plan *plan;
    struct stile_message message; /* to be filled */
    struct cli_rows *rows;        /* answers look-ups; NULL: not found */
    struct stile_arena *arena;
    struct stile_exchange *exchange;
    struct stile_accept accept;
    bool usable; /* false: the whole message is in accept.quarantine */
};

/* Persons are answered with "nothing is known", rows from `rows`. */
STILE_MUSTCHECK enum stile_status stile__cli_trip(struct cli_trip *trip);

#endif
