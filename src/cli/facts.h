/*
 * What the commands about facts share: whose gateway it is, who acts, and the
 * store. A person's number goes into none of their messages and entries.
 */
#ifndef STILE_CLI_FACTS_H
#define STILE_CLI_FACTS_H

#include "cli.h"

struct facts_run {
    const struct cli_args *args;
    struct stile_arena *arena;
    struct stile_buf out;
    struct stile_config *config;
    struct stile_officers *officers;
    const struct stile_rules *rules; /* in force */
    struct stile_str rule_files;     /* packed */
    struct stile_store *store;
    struct stile_plan_box *plan; /* NULL until a feed needs it */
    struct stile_house house;
    uint8_t salt[32];
};

/* Opens all of it, the store for writing. CLI_OK, or it has been said. */
STILE_MUSTCHECK int stile__facts_open(const struct cli_args *args,
                                      struct facts_run *run);
/* Prints what is in `out` when `result` is CLI_OK; wipes and frees. */
STILE_MUSTCHECK int stile__facts_close(struct facts_run *run, int result);
/* The NHS number of the command line, or of the first line of standard input
 * for "-". False, and it has been said, when it is none. */
STILE_MUSTCHECK bool stile__facts_number(const struct facts_run *run,
                                         const char *word,
                                         struct stile_str *ret);
/* The person as the audit log knows them. */
struct stile_str stile__facts_person(const struct facts_run *run,
                                     struct stile_str number);
/* Makes entries and facts durable in one transaction. */
STILE_MUSTCHECK bool stile__facts_accept(const struct facts_run *run,
                                         const struct stile_str *entries,
                                         size_t entry_count,
                                         const struct stile_stored_fact *facts,
                                         size_t fact_count);

/* What the export of a feed says of the person today: their rows go through
 * the exchange as they do in the gateway, and nothing is kept of it. `known`:
 * the feed has them. False, and it has been said why. */
STILE_MUSTCHECK bool stile__facts_of_feed(struct facts_run *run,
                                          const struct stile_feed_config *feed,
                                          struct stile_str number,
                                          struct stile_fact **ret,
                                          size_t *ret_count, bool *ret_known);

#endif
