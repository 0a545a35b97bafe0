/* rules status, in-force, history, activate: what is in force, and what is
 * proposed. */
#include "cli_live.h"

/* ---- what is said ---- */

static void say_time(stile_time at, struct stile_buf *out)
{
    char text[25];

    stile_buf_add(out, (struct stile_str){text, stile_time_format(at, text)});
}

static void say_digest(const struct stile_digest *digest, struct stile_buf *out)
{
    char hex[65];

    stile_digest_hex(digest, hex);
    stile_buf_addc(out, hex);
}

static bool is_none(const struct stile_digest *digest)
{
    static const struct stile_digest none;

    return stile_digest_eq(digest, &none);
}

/* The acts of a step, as the store has them. */
static const struct stile_value *read_acts(struct cli_live *live,
                                           struct stile_str text)
{
    struct stile_value *acts = NULL;
    struct stile_diags quiet;

    stile_diags_init(&quiet, live->arena, 1);
    return stile_json_decode(text, STILE_JSON_LIMITS, STILE_STR("acts"),
                             live->arena, &quiet, &acts) == STILE_OK
               ? acts
               : NULL;
}

static void say_acts(struct cli_live *live, struct stile_str text)
{
    const struct stile_value *acts = read_acts(live, text);
    const struct stile_value *act = acts ? acts->first : NULL;

    for (; act; act = act->next) {
        stile_buf_printf(&live->out, "    %.*s (%.*s) %.*s: %.*s\n",
                         STILE_FMT(stile_value_text(act, "officer")),
                         STILE_FMT(stile_value_text(act, "role")),
                         STILE_FMT(stile_value_text(act, "at")),
                         STILE_FMT(stile_value_text(act, "because")));
    }
}

static void say_step(struct cli_live *live, const struct stile_rules_step *step)
{
    struct stile_buf *out = &live->out;

    stile_buf_addc(out, "set ");
    say_digest(&step->to, out);
    stile_buf_addc(out, "\n    since ");
    say_time(step->at, out);
    if (is_none(&step->from)) {
        stile_buf_addc(out, ", the first");
    } else {
        stile_buf_printf(
            out, ", %.*s than set %.*s", STILE_FMT(step->class),
            STILE_FMT(stile__live_short(&step->from, live->arena)));
    }
    stile_buf_addc(out, ", signed by\n");
    say_acts(live, step->acts);
}

static void step_json(const struct stile_rules_step *step,
                      struct stile_buf *out)
{
    stile_buf_printf(
        out, "{\"step\":%llu,\"from\":", (unsigned long long)step->number);
    if (is_none(&step->from)) {
        stile_buf_addc(out, "null");
    } else {
        stile_buf_byte(out, '"');
        say_digest(&step->from, out);
        stile_buf_byte(out, '"');
    }
    stile_buf_addc(out, ",\"to\":\"");
    say_digest(&step->to, out);
    stile_buf_addc(out, "\",\"at\":\"");
    say_time(step->at, out);
    stile_buf_addc(out, "\",\"class\":");
    stile_buf_json_str(out, step->class);
    stile_buf_addc(out, ",\"acts\":");
    stile_buf_add(out, step->acts); /* JSON */
    stile_buf_byte(out, '}');
}

/* ---- status ---- */

static const char *state_text(enum stile_rules_state state)
{
    static const char *const texts[] = {"same", "ready", "waits", "unusable"};

    return texts[state];
}

static const char *next_of(const struct stile_rules_look *look)
{
    switch (look->state) {
    case STILE_RULES_SAME:
        return "nothing";
    case STILE_RULES_READY:
        return "stile rules activate -c, or SIGHUP to the gateway";
    case STILE_RULES_WAITS:
        return look->officers ? "stile rules approve"
                              : "mend officers: of stile.yaml";
    case STILE_RULES_UNUSABLE:
        break;
    }
    return "mend the rules: stile rules check";
}

static void say_proposal(struct cli_live *live,
                         const struct stile_rules_look *look)
{
    struct stile_buf *out = &live->out;
    const struct stile_approval_verdict *verdict = &look->verdict;

    stile_buf_addc(out, "proposed: ");
    if (look->state == STILE_RULES_SAME) {
        stile_buf_printf(out, "nothing; %s/rules holds what is in force\n",
                         live->config->mappings);
        return;
    }
    if (look->state == STILE_RULES_UNUSABLE) {
        stile_buf_printf(out, "%s/rules, which cannot be used: %.*s\n",
                         live->config->mappings, STILE_FMT(look->missing));
        return;
    }
    stile_buf_addc(out, "set ");
    say_digest(&look->move.to, out);
    stile_buf_printf(
        out, "\n    in %s/rules; the change is %s; needs %u, has %zu\n",
        live->config->mappings, stile_rules_class_text(look->move.class),
        verdict->needs, verdict->count);
    for (size_t i = 0; i < verdict->count; i++) {
        stile_buf_printf(out, "    signed by %.*s: %.*s\n",
                         STILE_FMT(verdict->counted[i]->officer),
                         STILE_FMT(verdict->counted[i]->because));
    }
    if (look->missing.len > 0) {
        stile_buf_printf(out, "    %.*s\n", STILE_FMT(look->missing));
    }
}

static void status_json(const struct stile_rules_look *look,
                        struct stile_buf *out)
{
    const struct stile_approval_verdict *verdict = &look->verdict;

    stile_buf_addc(out, "{\"in-force\":");
    if (look->in_force) {
        step_json(&look->step, out);
    } else {
        stile_buf_addc(out, "null");
    }
    stile_buf_printf(
        out, ",\"state\":\"%s\",\"proposal\":", state_text(look->state));
    if (look->state == STILE_RULES_UNUSABLE ||
        look->state == STILE_RULES_SAME) {
        stile_buf_addc(out, "null");
    } else {
        stile_buf_addc(out, "{\"digest\":\"");
        say_digest(&look->move.to, out);
        stile_buf_printf(out, "\",\"class\":\"%s\",\"needs\":%u,\"signed\":[",
                         stile_rules_class_text(look->move.class),
                         verdict->needs);
        for (size_t i = 0; i < verdict->count; i++) {
            stile_buf_addc(out, i > 0 ? "," : "");
            stile_buf_json_str(out, verdict->counted[i]->officer);
        }
        stile_buf_addc(out, "],\"not-counted\":[");
        for (size_t i = 0; i < verdict->other_count; i++) {
            stile_buf_addc(out, i > 0 ? "," : "");
            stile_buf_json_str(out, verdict->others[i]);
        }
        stile_buf_addc(out, "]}");
    }
    stile_buf_addc(out, ",\"missing\":");
    stile_buf_json_str(out, look->missing);
    stile_buf_printf(out, ",\"self-approving\":%s,\"next\":\"%s\"}\n",
                     look->officers && look->officers->self_approving ? "true"
                                                                      : "false",
                     next_of(look));
}

static int status(const struct cli_args *args)
{
    struct cli_live live;
    struct stile_rules_look look;
    int result = stile__live_open(args, false, &live);

    if (result != CLI_OK || !stile__live_look(&live, NULL, &look)) {
        return stile__live_close(&live, result ? result : CLI_FAILED);
    }
    if (stile__cli_has(args, "json")) {
        status_json(&look, &live.out);
        return stile__live_close(&live, CLI_OK);
    }
    if (look.state == STILE_RULES_UNUSABLE || !look.officers) {
        (void)!stile__cli_diags(stderr, &live.diags);
    }
    stile_buf_addc(&live.out, "in force: ");
    if (look.in_force) {
        say_step(&live, &look.step);
        if (!look.old) {
            stile_buf_addc(&live.out, "    this stile cannot use it: it was "
                                      "made by another, or was changed\n");
        }
    } else {
        stile_buf_addc(&live.out,
                       "nothing; the gateway does not start without\n");
    }
    say_proposal(&live, &look);
    stile_buf_printf(&live.out, "next: %s\n", next_of(&look));
    if (look.officers && look.officers->self_approving) {
        stile_buf_addc(&live.out,
                       "officers.yaml is self-approving: one signature is "
                       "enough; for development only\n");
    }
    return stile__live_close(&live, CLI_OK);
}

/* ---- in-force, history ---- */

static int in_force(const struct cli_args *args)
{
    const char *folder = stile__cli_get(args, "out");
    struct cli_live live;
    struct stile_rules_step step;
    struct stile_str packed = STILE_STR_NULL, error = STILE_STR_NULL;
    enum stile_status found = STILE_NOT_FOUND;
    const char *why = "";
    struct stile_digest digest;
    int result;

    if (!folder) {
        return stile__cli_usage(args, "it needs --out FOLDER");
    }
    result = stile__live_open(args, false, &live);
    if (result != CLI_OK) {
        return stile__live_close(&live, result);
    }
    if (live.store) {
        found = stile_rules_in_force(live.config, live.store, live.arena, &step,
                                     &packed, &why);
    }
    if (found != STILE_OK) {
        if (found == STILE_NOT_FOUND) {
            stile__cli_say("no rule set is in force yet");
        } else {
            stile__cli_say("the set in force cannot be read: %s", why);
        }
        return stile__live_close(&live, CLI_FAILED);
    }
    if (stile_rules_packed_write(packed, folder, live.arena, &error) !=
        STILE_OK) {
        stile__cli_say("%.*s", STILE_FMT(error));
        return stile__live_close(&live, CLI_FAILED);
    }
    digest = stile_rules_step_digest(&step, live.arena);
    if (stile_rules_step_write(&digest, folder, live.arena) != STILE_OK) {
        stile__cli_say("%s/rules/step.yaml could not be written", folder);
        return stile__live_close(&live, CLI_FAILED);
    }
    say_step(&live, &step);
    stile_buf_printf(&live.out, "    written into %s/rules\n", folder);
    return stile__live_close(&live, CLI_OK);
}

static int history(const struct cli_args *args)
{
    struct cli_live live;
    struct stile_rules_step *steps = NULL;
    uint64_t last;
    size_t count = 0;
    int result;

    if (!stile__cli_number(args, "last", 1, 1000000, 20, &last)) {
        return CLI_USAGE;
    }
    result = stile__live_open(args, false, &live);
    if (result != CLI_OK) {
        return stile__live_close(&live, result);
    }
    if (live.store &&
        live.store->ops->rules_steps(live.store, (size_t)last, live.arena,
                                     &steps, &count) != STILE_OK) {
        stile__cli_say("the store cannot be read");
        return stile__live_close(&live, CLI_FAILED);
    }
    for (size_t i = 0; i < count; i++) {
        if (stile__cli_has(args, "json")) {
            step_json(&steps[i], &live.out);
            stile_buf_byte(&live.out, '\n');
        } else {
            stile_buf_printf(&live.out, "%llu. ",
                             (unsigned long long)steps[i].number);
            say_step(&live, &steps[i]);
        }
    }
    if (count == 0 && !stile__cli_has(args, "json")) {
        stile_buf_addc(&live.out, "no rule set was ever in force\n");
    }
    return stile__live_close(&live, CLI_OK);
}

/* ---- activate ---- */

static void say_activated(struct cli_live *live,
                          const struct stile_rules_look *look, bool activated)
{
    struct stile_buf *out = &live->out;
    const char *state = activated ? "activated" : state_text(look->state);

    if (stile__cli_has(live->args, "json")) {
        stile_buf_printf(out, "{\"state\":\"%s\",\"rule-set\":\"", state);
        if (look->state != STILE_RULES_UNUSABLE) {
            say_digest(&look->move.to, out);
        }
        stile_buf_addc(out, "\",\"missing\":");
        stile_buf_json_str(out, look->missing);
        stile_buf_addc(out, "}\n");
    } else if (activated) {
        stile_buf_addc(out, "in force: set ");
        say_digest(&look->move.to, out);
        stile_buf_printf(out, ", %s than what was\n",
                         stile_rules_class_text(look->move.class));
        stile_buf_addc(out, "A running gateway takes it up within seconds.\n");
    } else if (look->state == STILE_RULES_SAME) {
        stile_buf_addc(out, "nothing to do: the folder holds what is in "
                            "force\n");
    }
}

static int activate(const struct cli_args *args)
{
    struct cli_live live;
    struct stile_rules_look look;
    bool activated = false;
    enum stile_status status;
    int result = stile__live_open(args, true, &live);

    if (result != CLI_OK) {
        return stile__live_close(&live, result);
    }
    status = stile_rules_go_live(live.config, live.store, stile_now(),
                                 live.arena, &live.diags, &look, &activated);
    if (status != STILE_OK) {
        stile__cli_say("not put in force: %s", stile_status_text(status));
        return stile__live_close(&live, CLI_FAILED);
    }
    if (!activated && look.state != STILE_RULES_SAME) {
        if (look.state == STILE_RULES_UNUSABLE || !look.officers) {
            (void)!stile__cli_diags(stderr, &live.diags);
        }
        stile__cli_say("not put in force: %.*s", STILE_FMT(look.missing));
        result = CLI_FAILED;
    }
    say_activated(&live, &look, activated);
    return stile__live_close(&live, result);
}

/* ---- the commands ---- */

static const struct cli_option options[] = {CLI_CONFIG_OPTION, CLI_JSON_OPTION};
static const struct cli_option in_force_options[] = {
    CLI_CONFIG_OPTION,
    {"out", 0, "FOLDER", "where rules/ is written; it must not be there yet"}};
static const struct cli_option history_options[] = {
    CLI_CONFIG_OPTION,
    CLI_JSON_OPTION,
    {"last", 0, "N", "so many of the newest; 20 when not given"}};

const struct cli_command stile__cmd_rules_status = {
    "rules status",
    "",
    0,
    0,
    "tell which rules are in force, and what a proposal is missing",
    "A gateway decides by the rule set that is in force in its store. The\n"
    "folder mappings/rules is a proposal: this tells whether it holds what is\n"
    "in force, and if not what kind of change it is, who has signed it, what\n"
    "is missing and what to do next.\n\n"
    "  stile rules status -c /etc/stile/stile.yaml\n\n"
    "exit: 0 told; 1 the configuration or the store cannot be read;\n"
    "      2 wrong command line",
    CLI_OPTIONS(options),
    status};

const struct cli_command stile__cmd_rules_in_force = {
    "rules in-force",
    "",
    0,
    0,
    "write the rules that are in force into a folder",
    "Writes the set in force as rule files, for officers to compare a\n"
    "proposal with on their own machine.\n\n"
    "  stile rules in-force -c stile.yaml --out now\n"
    "  stile rules diff now mappings\n\n"
    "exit: 0 written; 1 none is in force, or it cannot be written;\n"
    "      2 wrong command line",
    CLI_OPTIONS(in_force_options),
    in_force};

const struct cli_command stile__cmd_rules_history = {
    "rules history",
    "",
    0,
    0,
    "tell which rule sets were in force, since when, and who signed",
    "Newest first; the first is in force. With --json one object a line. The\n"
    "audit log tells the same and cannot be changed unseen: audit show.\n\n"
    "  stile rules history -c stile.yaml\n\n"
    "exit: 0 told; 1 the store cannot be read; 2 wrong command line",
    CLI_OPTIONS(history_options),
    history};

const struct cli_command stile__cmd_rules_activate = {
    "rules activate",
    "",
    0,
    0,
    "put the proposed rules in force, if enough officers have signed",
    "Does what a gateway does at its start and at SIGHUP: reads the folder's\n"
    "rules, checks them and their worked cases, compares them with what is in\n"
    "force, counts the approvals, and only if they suffice puts the set in\n"
    "force, with an audit entry that names who signed. A running gateway\n"
    "takes it up within seconds. Run it as the gateway's user.\n\n"
    "  stile rules activate -c stile.yaml\n\n"
    "exit: 0 in force, or was; 1 it is not, and why; 2 wrong command line",
    CLI_OPTIONS(options),
    activate};
