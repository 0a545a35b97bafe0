#include "facts.h"

#define FACTS_BYTES_MAX ((size_t)512 << 20)

/* The set in force decides what a fact means; what lies in the folder is a
 * proposal. */
static bool open_rules(struct facts_run *run)
{
    struct stile_rules_step step;
    struct stile_diags diags;
    const char *error = "";
    enum stile_status status = stile_rules_in_force(
        run->config, run->store, run->arena, &step, &run->rule_files, &error);

    if (status == STILE_NOT_FOUND) {
        stile__cli_say("no rule set is in force yet: start the gateway, or see "
                       "'stile rules in-force'");
        return false;
    }
    stile_diags_init(&diags, run->arena, 0);
    if (status == STILE_DENIED) {
        stile__cli_say("%s", error);
    }
    if (status == STILE_OK) {
        status = stile_rules_packed_load(run->rule_files, stile_today(),
                                         run->arena, &diags, &run->rules);
    }
    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("the rules in force cannot be read: %s",
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

static bool open_store(struct facts_run *run)
{
    uint8_t fresh[32];
    bool good;

    if (!stile__cli_store(run->config->store, false, run->arena, &run->store)) {
        return false;
    }
    good = stile_random(fresh, sizeof(fresh)) &&
           run->store->ops->salt(run->store, fresh, run->salt) == STILE_OK;
    stile_wipe(fresh, sizeof(fresh));
    if (!good) {
        stile__cli_say("the store's salt cannot be read");
    }
    return good;
}

int stile__facts_open(const struct cli_args *args, struct facts_run *run)
{
    run->args = args;
    run->arena = stile_arena_new(FACTS_BYTES_MAX);
    stile_buf_init(&run->out, FACTS_BYTES_MAX);
    if (!stile__cli_has(args, "config")) {
        return stile__cli_usage(args, "it needs -c stile.yaml");
    }
    if (!stile__cli_config(args, run->arena, &run->config) ||
        !stile__cli_officers(run->config, run->arena, &run->officers) ||
        !open_store(run) || !open_rules(run)) {
        return CLI_FAILED;
    }
    run->house = (struct stile_house){run->config->name, run->config->ods,
                                      run->officers};
    return CLI_OK;
}

int stile__facts_close(struct facts_run *run, int result)
{
    if (result == CLI_OK && !stile__cli_write(stdout, &run->out)) {
        result = CLI_FAILED;
    }
    if (run->store) {
        run->store->ops->close(&run->store);
    }
    stile_plan_release(&run->plan);
    stile_wipe(run->salt, sizeof(run->salt));
    stile_buf_release(&run->out);
    stile_arena_free(&run->arena);
    return result;
}

bool stile__facts_number(const struct facts_run *run, const char *word,
                         struct stile_str *ret)
{
    struct stile_str text = stile_str_cstr(word), line;

    if (strcmp(word, "-") == 0) {
        if (!stile__cli_read("-", 4096, run->arena, &text)) {
            return false;
        }
        if (stile_str_next(&text, '\n', &line)) {
            text = line;
        }
    }
    text = stile_str_trim(text);
    if (!stile_nhs_number_valid(text)) {
        stile__cli_say("that is no NHS number: ten digits without spaces, and "
                       "the last is their check digit");
        return false;
    }
    *ret = text;
    return true;
}

struct stile_str stile__facts_person(const struct facts_run *run,
                                     struct stile_str number)
{
    char hex[65];

    stile_audit_commit(
        (struct stile_str){(const char *)run->salt, sizeof(run->salt)}, number,
        hex);
    return stile_arena_str(run->arena, stile_str_cstr(hex));
}

bool stile__facts_accept(const struct facts_run *run,
                         const struct stile_str *entries, size_t entry_count,
                         const struct stile_stored_fact *facts,
                         size_t fact_count)
{
    struct stile_accept accept = {.now = stile_now(),
                                  .entries = entries,
                                  .entry_count = entry_count,
                                  .facts = facts,
                                  .fact_count = fact_count};
    struct stile_accepted accepted = {STILE_OK, 0, STILE_STR_NULL};
    enum stile_status status =
        run->store->ops->accept(run->store, &accept, 1, run->arena, &accepted);

    if (status == STILE_OK) {
        status = accepted.status;
    }
    if (status != STILE_OK) {
        stile__cli_say("nothing was done: the store could not write the audit "
                       "entry: %s",
                       stile_status_text(status));
    }
    return status == STILE_OK;
}
