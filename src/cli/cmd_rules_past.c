/*
 * rules simulate, rules use: the rules asked about what was disclosed, by the
 * grounds that stand in the audit log. No record is needed, and none is read.
 */
#include "cli.h"

#define PAST_BYTES_MAX ((size_t)2 << 30)
#define ENTRY_BYTES_MAX ((size_t)4 << 20)
#define DAYS_MAX 3650

struct past {
    const struct cli_args *args;
    struct stile_arena *arena, *entry_arena;
    struct stile_diags diags;
    struct stile_buf out;
    struct stile_date today;
    struct stile_store *store;
    struct stile_replay *replay;
    struct cli_progress progress;
    uint64_t seen, size;
    char since[25];
    bool unread; /* an entry that is not JSON */
};

static bool open_store(struct past *past)
{
    const char *path = stile__cli_get(past->args, "store");
    struct stile_config *config = NULL;

    if (!path && !stile__cli_has(past->args, "config")) {
        (void)stile__cli_usage(past->args,
                               "it needs -c stile.yaml or --store FILE");
        return false;
    }
    if (!path && stile__cli_config(past->args, past->arena, &config)) {
        path = config->store;
    }
    return path && stile__cli_store(path, true, past->arena, &past->store);
}

static const struct stile_rules *rules_of(struct past *past, const char *folder)
{
    const struct stile_rules *rules = NULL;
    enum stile_status status = stile_rules_folder_load(
        folder, past->today, past->arena, &past->diags, &rules);

    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &past->diags);
        stile__cli_say("the rules in %s/rules cannot be used: %s; mend what "
                       "is said above",
                       folder, stile_status_text(status));
        return NULL;
    }
    return rules;
}

static enum stile_status ask_entry(void *ctx, uint64_t index,
                                   struct stile_str entry,
                                   const struct stile_digest *hash)
{
    struct past *past = ctx;
    struct stile_value *value = NULL;
    struct stile_diags diags;

    (void)index;
    (void)hash;
    past->seen++;
    stile__cli_progress(&past->progress, "entries", past->seen, past->size);
    stile_arena_reset(past->entry_arena);
    stile_diags_init(&diags, past->entry_arena, 0);
    if (stile_json_decode(entry, STILE_JSON_LIMITS, STILE_STR("entry"),
                          past->entry_arena, &diags, &value) != STILE_OK) {
        past->unread = true;
        return STILE_INVALID;
    }
    if (stile_str_cmp(stile_value_text(value, "time"),
                      stile_str_cstr(past->since)) < 0) {
        return STILE_OK;
    }
    return stile_replay_add(past->replay, value);
}

static bool read_log(struct past *past)
{
    struct stile_audit_tree tree;
    enum stile_status status = past->store->ops->audit_head(past->store, &tree);

    if (status == STILE_OK) {
        past->size = tree.size;
        status = past->store->ops->audit_scan(past->store, 0, ask_entry, past);
    }
    stile__cli_progress_end(&past->progress);
    if (past->unread) {
        stile__cli_say("an entry of the audit log cannot be read: run 'stile "
                       "audit verify'");
    } else if (status == STILE_LIMIT) {
        stile__cli_say("the log holds more than can be told apart at once: "
                       "ask about fewer days");
    } else if (status != STILE_OK) {
        stile__cli_say("the audit log could not be read: %s",
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

static bool begin(const struct cli_args *args, struct past *past,
                  uint64_t standard_days)
{
    const char *on = stile__cli_get(args, "on");
    uint64_t days;

    *past = (struct past){.args = args, .today = stile_today()};
    if (on && !stile_date_parse(stile_str_cstr(on), &past->today)) {
        (void)stile__cli_usage(args, "--on must be a day, as 2026-11-21");
        return false;
    }
    if (!stile__cli_number(args, "days", 1, DAYS_MAX, standard_days, &days)) {
        return false;
    }
    past->since[stile_time_format(
        stile_now() - (stile_time)days * 86400 * STILE_SECOND, past->since)] =
        '\0';
    past->arena = stile_arena_new(PAST_BYTES_MAX);
    past->entry_arena = stile_arena_new(ENTRY_BYTES_MAX);
    stile_buf_init(&past->out, (size_t)64 << 20);
    stile_diags_init(&past->diags, past->arena, 0);
    return true;
}

static int end(struct past *past, int result)
{
    if (past->store) {
        past->store->ops->close(&past->store);
    }
    if (past->out.len > 0 && !stile__cli_write(stdout, &past->out)) {
        result = CLI_FAILED;
    }
    stile_buf_release(&past->out);
    stile_arena_free(&past->entry_arena);
    stile_arena_free(&past->arena);
    return result;
}

static bool report(struct past *past, bool use)
{
    struct stile_value *value = stile_replay_report(past->replay);

    if (!value) {
        stile__cli_say("the answer is too long: ask about fewer days");
        return false;
    }
    if (stile__cli_has(past->args, "json")) {
        stile_value_json(value, 2, &past->out);
        stile_buf_byte(&past->out, '\n');
    } else {
        stile_replay_print(value, use, &past->out);
    }
    return true;
}

static int ask(struct past *past, const char *old_folder,
               const char *new_folder, bool use)
{
    const struct stile_rules *old = NULL, *new = NULL;

    new = rules_of(past, new_folder);
    old = new &&old_folder ? rules_of(past, old_folder) : new;
    if (!old || !open_store(past)) {
        return end(past, CLI_FAILED);
    }
    if (stile_replay_new(old, new, past->today, past->arena, &past->replay) !=
        STILE_OK) {
        stile__cli_say("memory is short");
        return end(past, CLI_FAILED);
    }
    return end(past, read_log(past) && report(past, use) ? CLI_OK : CLI_FAILED);
}

static int simulate(const struct cli_args *args)
{
    struct past past;

    if (!stile__cli_has(args, "config") && !stile__cli_has(args, "store")) {
        return stile__cli_usage(args, "it needs -c stile.yaml or --store FILE");
    }
    return begin(args, &past, 30)
               ? ask(&past, args->words[0], args->words[1], false)
               : CLI_USAGE;
}

static int use(const struct cli_args *args)
{
    const char *folder = stile__cli_get(args, "mappings");
    struct past past;

    if (!stile__cli_has(args, "config") && !stile__cli_has(args, "store")) {
        return stile__cli_usage(args, "it needs -c stile.yaml or --store FILE");
    }
    return begin(args, &past, 365)
               ? ask(&past, NULL, folder ? folder : "mappings", true)
               : CLI_USAGE;
}

#define PAST_OPTIONS                                                           \
    CLI_CONFIG_OPTION,                                                         \
        {"store", 0, "FILE", "the store itself, instead of -c"},               \
        {"on", 0, "DAY", "as if that were today"}, CLI_JSON_OPTION

static const struct cli_option simulate_options[] = {
    PAST_OPTIONS,
    {"days", 0, "N", "how far back, 1 to 3650; 30 when not given"}};

static const struct cli_option use_options[] = {
    PAST_OPTIONS,
    {"days", 0, "N", "how far back, 1 to 3650; 365 when not given"},
    {"mappings", 0, "FOLDER", "where the rules are, mappings"}};

#define EXITS                                                                  \
    "exit: 0 answered; 1 the rules or the log cannot be used; 2 wrong "        \
    "command\n"                                                                \
    "      line"

const struct cli_command stile__cmd_rules_simulate = {
    "rules simulate",
    "OLD NEW",
    2,
    2,
    "tell how often a change of the rules would have mattered",
    "Asks the rules of two mappings folders about the disclosures of the last\n"
    "days, from what the audit log keeps of each decision (facts, labels and\n"
    "kinds of data in words; no record). Tells how many items, of how many\n"
    "persons, would be decided otherwise. 'stile rules diff' tells what can\n"
    "change at all; this tells how often it would have.\n\n"
    "  stile rules simulate old mappings -c stile.yaml\n"
    "  stile rules simulate old mappings -c stile.yaml --days 7 "
    "--json\n\n" EXITS,
    CLI_OPTIONS(simulate_options),
    simulate};

const struct cli_command stile__cmd_rules_use = {
    "rules use",
    "",
    0,
    0,
    "tell what was shared under each agreement, and what never was",
    "For each agreement: how many items of each kind of data were decided to "
    "go\n"
    "in the last days, and which kinds were agreed and never did. What is not "
    "needed\n"
    "should not be agreed (UK GDPR Article 5(1)(c), data minimisation).\n\n"
    "  stile rules use -c stile.yaml\n\n" EXITS,
    CLI_OPTIONS(use_options),
    use};
