#include "cli.h"

#define CHECK_BYTES_MAX ((size_t)1 << 30)

static size_t warnings_of(const struct stile_diags *diags)
{
    size_t count = 0;

    for (size_t i = 0; i < diags->count; i++) {
        count += diags->items[i].severity == STILE_WARNING ? 1 : 0;
    }
    return count;
}

/* The one plain line at the end. */
static void conclude(const char *what, const struct stile_diags *diags,
                     size_t warnings, struct stile_buf *out)
{
    stile_buf_printf(out, "%s: ", what);
    if (diags->errors == 0 && warnings == 0) {
        stile_buf_addc(out, "nothing to mend\n");
        return;
    }
    stile__cli_plural(out, diags->errors, "error", "errors");
    stile_buf_addc(out, ", ");
    stile__cli_plural(out, warnings, "warning", "warnings");
    stile_buf_addc(out,
                   diags->errors > 0
                       ? "; it cannot be used until the errors are mended\n"
                       : "; it can be used\n");
}

static bool report(const struct cli_args *args, const char *what,
                   const struct stile_diags *diags)
{
    size_t warnings = warnings_of(diags);
    struct stile_buf out;
    bool good;

    stile_buf_init(&out, (size_t)64 << 20);
    if (stile__cli_has(args, "json")) {
        stile_buf_addc(&out, "{\"findings\":");
        stile_diags_json(diags, &out);
        stile_buf_printf(&out,
                         ",\"errors\":%zu,\"warnings\":%zu,"
                         "\"suppressed\":%zu}\n",
                         diags->errors, warnings, diags->suppressed);
    } else {
        stile_diags_print(diags, stile__cli_color(stdout), &out);
        conclude(what, diags, warnings, &out);
    }
    good = stile__cli_write(stdout, &out);
    stile_buf_release(&out);
    return good;
}

static enum stile_status check(const char *config, const char *folder,
                               struct stile_arena *arena,
                               struct stile_diags *diags)
{
    struct stile_plan_box *box = NULL;
    enum stile_status status;

    if (config) {
        return stile_config_check(config, stile_now(), stile_today(), arena,
                                  diags);
    }
    status = stile_plan_load(folder, NULL, stile_today(), diags, &box);
    stile_plan_release(&box);
    return status;
}

static int run(const struct cli_args *args)
{
    const char *config = stile__cli_get(args, "config");
    const char *folder = args->word_count > 0 ? args->words[0] : NULL;
    struct stile_arena *arena;
    struct stile_diags diags;
    enum stile_status status;
    bool good;

    if (!config == !folder) {
        return stile__cli_usage(
            args, "it needs either -c stile.yaml or a mappings folder");
    }
    arena = stile_arena_new(CHECK_BYTES_MAX);
    stile_diags_init(&diags, arena, 0);
    status = check(config, folder, arena, &diags);
    if (status != STILE_OK && status != STILE_INVALID) {
        stile__cli_say("the check could not be finished: %s",
                       stile_status_text(status));
    }
    good = report(args, config ? config : folder, &diags) &&
           status == STILE_OK &&
           (!stile__cli_has(args, "strict") || warnings_of(&diags) == 0);
    stile_arena_free(&arena);
    return good ? CLI_OK : CLI_FAILED;
}

static const struct cli_option options[] = {
    CLI_CONFIG_OPTION,
    CLI_JSON_OPTION,
    {"strict", 0, NULL, "let warnings fail the check too"},
};

const struct cli_command stile__cmd_check = {
    "check",
    "[MAPPINGS_FOLDER]",
    0,
    1,
    "find all that is wrong with a configuration or a mappings folder",
    "Reads the configuration and all it names (certificates and their dates,\n"
    "keys, folders, formats, mappings with their examples, code tables, rules\n"
    "with theirs) and prints every finding at once, each with its place and\n"
    "what to do. Given a mappings folder alone, checks that. Certificates "
    "that\n"
    "expire within 30 days are warnings. With -c it also tells whether the\n"
    "folder's rules, which are a proposal, are those that are in force.\n\n"
    "  stile check -c /etc/stile/stile.yaml\n"
    "  stile check mappings\n\n"
    "exit: 0 no errors (with --strict: nor warnings); 1 findings;\n"
    "      2 wrong command line",
    CLI_OPTIONS(options),
    run};
