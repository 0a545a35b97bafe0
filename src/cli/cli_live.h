/* What the commands that put rules in force share. */
#ifndef STILE_CLI_LIVE_H
#define STILE_CLI_LIVE_H

#include "cli.h"

struct cli_live {
    const struct cli_args *args;
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_buf out;
    struct stile_config *config;
    struct stile_store *store; /* NULL: there is none yet */
};

/* -c's configuration and its store; `write`: made if there is none. CLI_OK, or
 * an exit code and it has been said why. */
STILE_MUSTCHECK int stile__live_open(const struct cli_args *args, bool write,
                                     struct cli_live *live);
/* Prints, closes; `result`, or CLI_FAILED. */
STILE_MUSTCHECK int stile__live_close(struct cli_live *live, int result);
/* stile_rules_look; what cannot be looked at is said. */
STILE_MUSTCHECK bool stile__live_look(struct cli_live *live,
                                      const struct stile_digest *to,
                                      struct stile_rules_look *ret);

struct cli_shown {                 /* a change, as an officer is shown it */
    const struct stile_rules *old; /* NULL: nothing to compare with */
    const struct stile_rules *new;
    struct stile_value *report; /* of stile_rules_diff */
    enum stile_rules_class class;
    bool in_force; /* without `old`: something is, and cannot be read */
};
/* Prints what it changes, and takes the officer's word that it was read: the
 * class, typed on a terminal or given with --class. CLI_OK, or an exit code. */
STILE_MUSTCHECK int stile__live_show(const struct cli_args *args,
                                     const struct cli_shown *shown,
                                     stile_time now, struct stile_arena *arena);
/* "<16 hex digits>" of a digest, for reading. */
struct stile_str stile__live_short(const struct stile_digest *digest,
                                   struct stile_arena *arena);

#endif
