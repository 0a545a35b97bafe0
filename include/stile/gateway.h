/*
 * stile/gateway.h - the shell: configuration, the plan from files, and the
 * running gateway. The only room (with cli) that logs, reads a clock, files
 * or the environment, and owns threads.
 *
 * Threads: one loop thread (sockets, curl, timers, every object's life and
 * death), libuv's pool (exchanges only), one store thread.
 */
#ifndef STILE_GATEWAY_H
#define STILE_GATEWAY_H

#include "stile/base.h"
#include "stile/doc.h"
#include "stile/exchange.h"
#include "stile/net.h"
#include "stile/store.h"

/* ---- stile.yaml ---- */

struct stile_partner_config {
    struct stile_partner partner;
    const char *url;    /* https://host:port, or NULL */
    const char *folder; /* own-system: where files are written */
    const char *pin;    /* "sha256//..." or NULL */
    const struct stile_digest *certificates; /* accepted client certificates */
    size_t certificate_count;
    struct stile_partner_policy policy;
};

struct stile_feed_config {
    struct stile_str name;
    struct stile_str family; /* "emis", "vcse-case", "fhir" */
    struct stile_str ods;    /* whose data; default the gateway's */
    const char *folder;
    uint64_t poll_ms;     /* default 1,000 */
    stile_time hold_days; /* report line after so many days, 14 */
};

struct stile_config {
    struct stile_source source; /* stile.yaml's text */
    const char *folder;         /* of stile.yaml; the paths below are
                                   already joined with it */
    struct stile_str name, ods, organisation, kind;
    const char *listen;
    int listen_port;
    const char *admin;
    int admin_port; /* loopback plain HTTP */
    struct stile_tls_files tls;
    const char *audit_key;         /* file with 64 hex digits */
    struct stile_str audit_origin; /* "<name>.<ods>.stile" */
    const char *store;             /* SQLite file */
    const char *mappings;          /* folder: formats maps codes rules */
    const char *officers;          /* officers.yaml, or NULL */
    bool log_json;
    struct stile_net_limits limits;
    struct stile_retry retry;
    size_t exchanges_max;        /* in flight, default 64 */
    size_t store_queue_max;      /* default 1,024 */
    size_t arena_bytes;          /* an exchange, default 256 MiB */
    uint64_t checkpoint_ms;      /* default 10,000 */
    uint64_t keep_ids_ms;        /* message ids, against repeats; 35 days */
    uint64_t keep_rows_ms;       /* outbox rows that ended; 90 days */
    uint64_t keep_quarantine_ms; /* 90 days */
    uint32_t review_days;        /* what waits for a person longer is warned
                                    of, 3 */
    uint64_t review_keep_ms;     /* and lapses after, 90 days */
    uint64_t drain_ms;           /* default 30,000 */
    uint64_t approval_ms;        /* an approval counts so long; 30 days */
    const struct stile_partner_config *partners;
    size_t partner_count;
    const struct stile_feed_config *feeds;
    size_t feed_count;
    const struct stile_route *routes;
    size_t route_count;
    struct stile_json_limits json; /* bytes: default body-bytes */
    struct stile_csv_limits csv;
    uint32_t persons_max;          /* in one message, default 1,000 */
    const struct stile_node *root; /* for later findings' places */
};

/* ---- files -----------------------------------------------------------------
 */

/* Reads a file into the arena; `error` says which file and what to do. */
STILE_MUSTCHECK enum stile_status
stile_file_read(const char *path, size_t limit, struct stile_arena *arena,
                struct stile_str *ret, struct stile_str *ret_error);

/* Names of what lies in a folder (files and folders alike, none that begins
 * with a dot), sorted by bytes, in the arena. */
STILE_MUSTCHECK enum stile_status
stile_folder_list(const char *path, struct stile_arena *arena,
                  struct stile_str **ret_names, size_t *ret_count,
                  struct stile_str *ret_error);
/* "folder/name"; `name` alone when it is absolute or `folder` is "". NULL
 * when the arena has failed. */
const char *stile_path_join(struct stile_arena *arena, const char *folder,
                            struct stile_str name);
/* Ed25519 seed: a file of 64 hex digits that only its owner may read. The
 * caller wipes the seed. */
STILE_MUSTCHECK enum stile_status
stile_audit_key_read(const char *path, uint8_t ret_seed[32],
                     struct stile_arena *arena, struct stile_str *ret_error);
/* The officers of config->officers; all findings are said. INVALID too when
 * stile.yaml names none. */
STILE_MUSTCHECK enum stile_status
stile_officers_read(const struct stile_config *config,
                    struct stile_arena *arena, struct stile_diags *diags,
                    struct stile_officers **ret);
/* Fingerprint and last day of the first certificate in a PEM text. INVALID
 * when there is none. */
STILE_MUSTCHECK enum stile_status
stile_certificate_read(struct stile_str pem, struct stile_digest *ret_digest,
                       stile_time *ret_not_after);

/* ---- stile.yaml, continued --------------------------------------------------
 */

/* All findings at once, C1xx, unknown keys with the nearest name. Certificate
 * paths are checked to be readable; `certificate:` of a partner is a PEM file
 * whose SHA-256 fingerprint is taken, or `sha256:<hex>`. */
STILE_MUSTCHECK enum stile_status stile_config_load(const char *path,
                                                    struct stile_arena *arena,
                                                    struct stile_diags *diags,
                                                    struct stile_config **ret);

/*
 * All that can be wrong before the gateway runs, at once: stile.yaml, the
 * world it names (certificates and their dates, keys, folders), formats,
 * mappings, code tables and rules, and that the routes' purposes and
 * agreements are known to the rules. INVALID when any error was found.
 */
STILE_MUSTCHECK enum stile_status
stile_config_check(const char *path, stile_time now, struct stile_date today,
                   struct stile_arena *arena, struct stile_diags *diags);

/* ---- the plan from files ---- */

/* A compiled plan with its arena: counted, so that exchanges in flight keep
 * theirs over a reload. */
struct stile_plan_box {
    struct stile_plan plan;
    struct stile_arena *arena;
    unsigned refs;               /* loop thread only */
    struct stile_plan_box *base; /* whose mappings it uses, or NULL */
};

/* Reads formats, maps, codes and rules under `folder`, compiles all. Findings
 * of all files at once. `config` may be NULL (translate): no partners. */
STILE_MUSTCHECK enum stile_status
stile_plan_load(const char *folder, const struct stile_config *config,
                struct stile_date today, struct stile_diags *diags,
                struct stile_plan_box **ret);
/* The same with the rules of a packed set in place of the folder's; empty:
 * the folder's. */
STILE_MUSTCHECK enum stile_status
stile_plan_load_under(const char *folder, const struct stile_config *config,
                      struct stile_str rules, struct stile_date today,
                      struct stile_diags *diags, struct stile_plan_box **ret);
/* The plan of `base`, which has no base itself, with other rules. Takes over
 * one reference of the caller's to it when OK. */
STILE_MUSTCHECK enum stile_status
stile_plan_exchange_rules(struct stile_plan_box *base, struct stile_str rules,
                          struct stile_date today, struct stile_diags *diags,
                          struct stile_plan_box **ret);
void stile_plan_release(struct stile_plan_box **box);
/* Formats, maps and codes under `folder` alone, for looking at them: with
 * INVALID *ret is set too, unless nothing could be read. */
STILE_MUSTCHECK enum stile_status
stile_maps_folder_read(const char *folder, struct stile_arena *arena,
                       struct stile_diags *diags, struct stile_mapset **ret);
/* The rules under `folder`/rules alone, for looking at them. */
STILE_MUSTCHECK enum stile_status
stile_rules_folder_load(const char *folder, struct stile_date today,
                        struct stile_arena *arena, struct stile_diags *diags,
                        const struct stile_rules **ret);

/* ---- rule sets as files ----
 *
 * A packed set is the files of `folder`/rules as one text, as the store keeps
 * it: each is "<bytes> <name>", a line end, its bytes and a line end, after a
 * first line "stile-rules 1".
 */
STILE_MUSTCHECK enum stile_status stile_rules_pack(const char *folder,
                                                   struct stile_arena *arena,
                                                   struct stile_diags *diags,
                                                   struct stile_str *ret);
STILE_MUSTCHECK enum stile_status
stile_rules_packed_load(struct stile_str packed, struct stile_date today,
                        struct stile_arena *arena, struct stile_diags *diags,
                        const struct stile_rules **ret);
/* Writes them into `folder`/rules, which must not be there. */
STILE_MUSTCHECK enum stile_status
stile_rules_packed_write(struct stile_str packed, const char *folder,
                         struct stile_arena *arena,
                         struct stile_str *ret_error);

/* ---- going live ------------------------------------------------------------
 *
 * The set in force is in the gateway's store. The folder mappings/rules is a
 * proposal: it comes in force when it checks, its worked cases come out, and
 * the officers its class needs have signed what it changes.
 */

enum stile_rules_state {
    STILE_RULES_SAME,  /* the folder holds what is in force */
    STILE_RULES_READY, /* it may come in force */
    STILE_RULES_WAITS, /* for signatures */
    STILE_RULES_UNUSABLE
};
struct stile_rules_look {
    bool in_force; /* a set is; step tells which */
    struct stile_rules_step step;
    const struct stile_rules *old; /* NULL: none is, or it cannot be read */
    enum stile_rules_state state;
    /* Of the proposal, when there is a usable one. */
    const struct stile_rules *new;
    struct stile_str files; /* packed; empty: the store has them */
    struct stile_rules_move move;
    struct stile_value *report; /* stile_rules_diff; NULL when old is */
    struct stile_approval_verdict verdict;
    struct stile_officers *officers; /* NULL: nobody may approve */
    stile_time now;
    struct stile_str missing; /* what keeps it back, in one sentence */
};
/*
 * Looks at the folder's rules, or at the set `to` that was in force before,
 * beside what is in force. Findings are those of the proposal and of
 * officers.yaml. OK also when it is not usable: the state says so. Other
 * statuses are the store's. A NULL store holds nothing.
 */
STILE_MUSTCHECK enum stile_status
stile_rules_look(const struct stile_config *config, struct stile_store *store,
                 const struct stile_digest *to, stile_time now,
                 struct stile_arena *arena, struct stile_diags *diags,
                 struct stile_rules_look *ret);
/* Puts a READY proposal in force, with its audit entry, which names its acts
 * whole, and marks the persons of all feeds to be worked again. CONFLICT:
 * something else came in force meanwhile; look again. */
STILE_MUSTCHECK enum stile_status stile_rules_activate(
    const struct stile_config *config, struct stile_store *store,
    const struct stile_rules_look *look, struct stile_arena *arena);
/* Looks, and puts what is READY in force; *ret is as it was looked at last,
 * *ret_activated says whether it came in force. */
STILE_MUSTCHECK enum stile_status
stile_rules_go_live(const struct stile_config *config,
                    struct stile_store *store, stile_time now,
                    struct stile_arena *arena, struct stile_diags *diags,
                    struct stile_rules_look *ret, bool *ret_activated);
/* Keeps an approval in the store, with its audit entry: of a rollback that
 * needs a second one. */
STILE_MUSTCHECK enum stile_status stile_rules_approval_keep(
    const struct stile_config *config, struct stile_store *store,
    const struct stile_officers *officers, const struct stile_act *act,
    struct stile_arena *arena);
/*
 * The set in force: its files, packed. NOT_FOUND: none is. DENIED: what the
 * store says came in force was not signed as its change needs, or is not what
 * the audit log tells of last; then nothing is in force. On any failure
 * `error` (static) says why.
 */
STILE_MUSTCHECK enum stile_status
stile_rules_in_force(const struct stile_config *config,
                     struct stile_store *store, struct stile_arena *arena,
                     struct stile_rules_step *ret_step,
                     struct stile_str *ret_packed, const char **ret_error);

/* Of one step: what an approval of the next change is bound to. */
struct stile_digest stile_rules_step_digest(const struct stile_rules_step *step,
                                            struct stile_arena *arena);
/* rules/step.yaml beside a set written to a folder, so that an officer can
 * sign where the store is not. */
STILE_MUSTCHECK enum stile_status
stile_rules_step_write(const struct stile_digest *step, const char *folder,
                       struct stile_arena *arena);
STILE_MUSTCHECK enum stile_status
stile_rules_step_read(const char *folder, struct stile_arena *arena,
                      struct stile_digest *ret);

/* From the system; false when it gives none. */
STILE_MUSTCHECK bool stile_random(uint8_t *out, size_t len);
stile_time stile_now(void);
struct stile_date stile_today(void);

/* A row of the mirror's cells as a row of its table, in the arena. */
STILE_MUSTCHECK enum stile_status
stile_mirror_row_read(struct stile_arena *arena,
                      const struct stile_table *table, struct stile_str cells,
                      struct stile_row *ret);

/* ---- running ---- */

struct stile_run_options {
    const char *config_path;
    bool color;
};
/* Runs until SIGTERM or SIGINT has drained it. 0, or an exit code: 2 the
 * configuration is wrong, 3 a port, store or certificate could not be had. */
int stile_gateway_run(const struct stile_run_options *options);

#endif
