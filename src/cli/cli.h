/*
 * What the commands share: a command is a value that names its words and
 * options, so that --help, parsing and "did you mean" come from one place.
 */
#ifndef STILE_CLI_H
#define STILE_CLI_H

#include "stile/gateway.h"

#define CLI_OPTIONS_MAX 24

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1, /* findings, or some of the work could not be done */
    CLI_USAGE = 2   /* the command line is wrong; nothing was done */
};

struct cli_option {
    const char *name;  /* without the dashes */
    char letter;       /* 0 = none */
    const char *value; /* what it takes, as "FILE"; NULL for a flag */
    const char *says;
};

struct cli_args;

struct cli_command {
    const char *name;  /* "audit verify" */
    const char *words; /* "FILE...", or "" */
    size_t words_least, words_most;
    const char *says;  /* one line */
    const char *teach; /* what it does, an example, exit codes */
    const struct cli_option *options;
    size_t option_count;
    int (*run)(const struct cli_args *args);
};

struct cli_args {
    const struct cli_command *command;
    const char *values[CLI_OPTIONS_MAX]; /* by option; "" for a given flag */
    char *const *words;
    size_t word_count;
};

#define CLI_OPTIONS(list) (list), sizeof(list) / sizeof((list)[0])

extern const struct cli_command stile__cmd_run, stile__cmd_check,
    stile__cmd_translate, stile__cmd_explain, stile__cmd_audit_verify,
    stile__cmd_audit_show, stile__cmd_rules_read, stile__cmd_rules_check,
    stile__cmd_rules_test, stile__cmd_rules_who_sees, stile__cmd_rules_receives,
    stile__cmd_rules_diff, stile__cmd_rules_calendar, stile__cmd_rules_schema,
    stile__cmd_outbox_list, stile__cmd_outbox_retry, stile__cmd_quarantine_list,
    stile__cmd_map_list, stile__cmd_map_dis, stile__cmd_map_check,
    stile__cmd_map_fmt, stile__cmd_map_test, stile__cmd_map_import,
    stile__cmd_map_export, stile__cmd_map_tree, stile__cmd_map_diff,
    stile__cmd_map_coverage, stile__cmd_fhirpath, stile__cmd_health,
    stile__cmd_synth_emis, stile__cmd_synth_systmone, stile__cmd_synth_vcse,
    stile__cmd_officer_key, stile__cmd_facts_import,
    stile__cmd_facts_break_glass, stile__cmd_facts, stile__cmd_rules_simulate,
    stile__cmd_rules_use;
extern const struct cli_command stile__cmd_map_right, stile__cmd_map_left;
extern const struct cli_command stile__cmd_review_list, stile__cmd_review_show,
    stile__cmd_review_release, stile__cmd_review_refuse,
    stile__cmd_outbox_withdraw;
/* going live: cmd_live.c, cmd_approve.c */
extern const struct cli_command stile__cmd_rules_status,
    stile__cmd_rules_in_force, stile__cmd_rules_approve,
    stile__cmd_rules_activate, stile__cmd_rules_rollback,
    stile__cmd_rules_history;

/* ---- the command line (cli.c)
 * ------------------------------------------------ */

/* Picks the command by its one or two words, parses and runs it. */
int stile__cli_main(const struct cli_command *const *commands, size_t count,
                    int argc, char **argv);
/* NULL when it was not given. */
const char *stile__cli_get(const struct cli_args *args, const char *name);
bool stile__cli_has(const struct cli_args *args, const char *name);
/* The option's number, or `standard` when not given. False: not a number of
 * the range; it has been said. */
STILE_MUSTCHECK bool stile__cli_number(const struct cli_args *args,
                                       const char *name, uint64_t least,
                                       uint64_t most, uint64_t standard,
                                       uint64_t *ret);
/* One of the words, by index; SIZE_MAX and a hint when it is none. */
size_t stile__cli_word(const struct cli_args *args, const char *name,
                       const struct stile_str *words, size_t count);
/* "stile translate: ..." and where help is; returns CLI_USAGE. */
int stile__cli_usage(const struct cli_args *args, const char *format, ...)
    STILE_PRINTF(2, 3);

/* ---- saying (cli_out.c)
 * ---------------------------------------------------------- */

/* "stile: ..." on stderr. */
void stile__cli_say(const char *format, ...) STILE_PRINTF(1, 2);
/* A terminal, and NO_COLOR is not set. */
bool stile__cli_color(FILE *file);
/* Writes and empties the buffer; false, and it has been said, when the buffer
 * had overflowed or the file did not take all. */
STILE_MUSTCHECK bool stile__cli_write(FILE *file, struct stile_buf *buf);
/* All findings on `file`, coloured when that is a terminal. */
STILE_MUSTCHECK bool stile__cli_diags(FILE *file,
                                      const struct stile_diags *diags);
void stile__cli_plural(struct stile_buf *out, uint64_t count,
                       const char *singular, const char *plural);

/* A line that is rewritten in place, on a terminal and once a second. */
struct cli_progress {
    stile_time began, shown;
    bool active;
};
void stile__cli_progress(struct cli_progress *progress, const char *what,
                         uint64_t done, uint64_t total);
void stile__cli_progress_end(struct cli_progress *progress);

/* ---- opening (cli_open.c)
 * ---------------------------------------------------------- */

/* -c's configuration; says its findings when it is wrong. */
STILE_MUSTCHECK bool stile__cli_config(const struct cli_args *args,
                                       struct stile_arena *arena,
                                       struct stile_config **ret);
STILE_MUSTCHECK bool stile__cli_plan(const char *folder,
                                     const struct stile_config *config,
                                     struct stile_arena *arena,
                                     struct stile_plan_box **ret);
STILE_MUSTCHECK bool stile__cli_store(const char *path, bool read_only,
                                      struct stile_arena *arena,
                                      struct stile_store **ret);
/* "-" reads standard input. */
STILE_MUSTCHECK bool stile__cli_read(const char *path, size_t limit,
                                     struct stile_arena *arena,
                                     struct stile_str *ret);

/* ---- what a command works on that acts on the store (cli_desk.c) ---- */

struct cli_desk {
    struct stile_arena *arena;
    struct stile_config *config; /* NULL: --store alone was given */
    struct stile_store *store;
    struct stile_officers *officers; /* NULL: stile.yaml names none */
    struct stile_exchange_keys keys;
    uint8_t salt[32];
    struct stile_digest pseudonym;
    struct stile_buf out;
};
/* To read: -c or --store. To act: -c, with officers and keys. CLI_OK, or an
 * exit code and it has been said why. Close it in any case. */
STILE_MUSTCHECK int stile__cli_desk_open(const struct cli_args *args, bool act,
                                         struct cli_desk *desk);
/* Writes what is in `out` when all went well; the exit code. */
STILE_MUSTCHECK int stile__cli_desk_close(struct cli_desk *desk,
                                          enum stile_status status, int result);

/* ---- acting as an officer (cmd_officer.c) ---- */

STILE_MUSTCHECK bool stile__cli_officers(const struct stile_config *config,
                                         struct stile_arena *arena,
                                         struct stile_officers **ret);
/* Signs with --as, --key and --because (CLI_OFFICER_OPTIONS). CLI_OK, or an
 * exit code and it has been said why. The texts of `args` are kept. */
STILE_MUSTCHECK int stile__cli_sign(const struct cli_args *args,
                                    const struct stile_officers *officers,
                                    enum stile_may may, const char *what,
                                    struct stile_str subject,
                                    struct stile_arena *arena,
                                    struct stile_act *ret);

#define CLI_OFFICER_OPTIONS                                                    \
    {"as", 0, "OFFICER", "who does it: an id of officers.yaml"},               \
        {"key", 0, "FILE", "the officer's key, of 'stile officer key'"},       \
    {                                                                          \
        "because", 0, "TEXT", "why; kept in the audit log, so no names"        \
    }

#define CLI_CONFIG_OPTION                                                      \
    {                                                                          \
        "config", 'c', "FILE", "the gateway's stile.yaml"                      \
    }
#define CLI_JSON_OPTION                                                        \
    {                                                                          \
        "json", 0, NULL, "results as JSON, for programs"                       \
    }

#endif
