/* rules check, test, who-sees, receives, diff, calendar: the analyses. */
#include "cli.h"

#define RULES_BYTES_MAX ((size_t)1 << 30)

struct rules_run {
    const struct cli_args *args;
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_buf out;
    struct stile_date today;
    const struct stile_rules *rules;
};

static bool begin(const struct cli_args *args, struct rules_run *run)
{
    const char *on = stile__cli_get(args, "on");

    *run = (struct rules_run){.args = args, .today = stile_today()};
    if (on && !stile_date_parse(stile_str_cstr(on), &run->today)) {
        (void)stile__cli_usage(args, "--on must be a day, as 2026-11-21");
        return false;
    }
    run->arena = stile_arena_new(RULES_BYTES_MAX);
    stile_buf_init(&run->out, (size_t)64 << 20);
    stile_diags_init(&run->diags, run->arena, 0);
    return true;
}

/* The rules of a mappings folder; what is wrong with them is said. */
static bool load(struct rules_run *run, const char *folder,
                 const struct stile_rules **ret)
{
    enum stile_status status = stile_rules_folder_load(
        folder, run->today, run->arena, &run->diags, ret);

    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &run->diags);
        stile__cli_say("the rules in %s/rules cannot be used: %s; mend what "
                       "is said above",
                       folder, stile_status_text(status));
    }
    return status == STILE_OK;
}

/* --mappings, or the folder of that name here. */
static bool load_mappings(struct rules_run *run)
{
    const char *folder = stile__cli_get(run->args, "mappings");

    return load(run, folder ? folder : "mappings", &run->rules);
}

static int end(struct rules_run *run, int result)
{
    if (run->out.len > 0 && !stile__cli_write(stdout, &run->out)) {
        result = CLI_FAILED;
    }
    stile_buf_release(&run->out);
    stile_arena_free(&run->arena);
    return result;
}

/* Says why there is no answer. */
static bool answered(enum stile_status status)
{
    if (status == STILE_LIMIT) {
        stile__cli_say("this rule set is too tangled to be answered exactly, "
                       "so it is not answered; merge rules or drop labels");
    } else if (status != STILE_OK) {
        stile__cli_say("the question could not be answered: %s",
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

static bool as_json(struct rules_run *run, const struct stile_value *report)
{
    if (!stile__cli_has(run->args, "json")) {
        return false;
    }
    stile_value_json(report, 1, &run->out);
    stile_buf_byte(&run->out, '\n');
    return true;
}

/* ---- who-sees and receives
 * -------------------------------------------------------------------------- */

static bool is_word(struct rules_run *run, enum stile_rules_words which,
                    struct stile_str word)
{
    struct stile_str *names = NULL;
    size_t count = 0;

    if (stile_rules_words(run->rules, which, run->arena, &names, &count) !=
        STILE_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(names[i], word)) {
            return true;
        }
    }
    return false;
}

#define LISTED_MAX 12u /* more are not told apart by reading them */

/* No data word and no label, or no recipient: what was meant? */
static int unknown(struct rules_run *run, struct stile_str word,
                   const char *what, const enum stile_rules_words *where,
                   size_t where_count)
{
    int result = stile__cli_usage(run->args, "'%.*s' is no %s of these rules",
                                  STILE_FMT(word), what);

    for (size_t w = 0; w < where_count; w++) {
        struct stile_str *names = NULL;
        size_t count = 0, near;

        if (stile_rules_words(run->rules, where[w], run->arena, &names,
                              &count) != STILE_OK) {
            continue;
        }
        for (size_t i = 0; count <= LISTED_MAX && i < count; i++) {
            (void)fprintf(stderr, "%s%.*s%s",
                          i ? ", " : "       there are: ", STILE_FMT(names[i]),
                          i + 1 == count ? "\n" : "");
        }
        near = stile_nearest(word, names, count);
        if (near != SIZE_MAX) {
            (void)fprintf(stderr, "       did you mean '%.*s'?\n",
                          STILE_FMT(names[near]));
        }
    }
    return result;
}

static int tell_flows(struct rules_run *run,
                      const struct stile_flow_query *query)
{
    struct stile_value *report = NULL;

    if (!answered(stile_rules_flows(run->rules, query, run->today, run->arena,
                                    &report))) {
        return CLI_FAILED;
    }
    if (!as_json(run, report)) {
        stile_rules_flows_print(report, &run->out);
    }
    return CLI_OK;
}

static int who_sees(const struct cli_args *args)
{
    static const enum stile_rules_words where[] = {STILE_RULES_WORDS_DATA,
                                                   STILE_RULES_WORDS_LABELS};
    struct rules_run run;
    struct stile_flow_query query = {0};
    struct stile_str word = stile_str_cstr(args->words[0]);
    int result = CLI_FAILED;

    if (!begin(args, &run)) {
        return CLI_USAGE;
    }
    if (load_mappings(&run)) {
        if (is_word(&run, STILE_RULES_WORDS_DATA, word)) {
            query.data = word;
            result = tell_flows(&run, &query);
        } else if (is_word(&run, STILE_RULES_WORDS_LABELS, word)) {
            query.label = word;
            result = tell_flows(&run, &query);
        } else {
            result = unknown(&run, word, "data word or label", where, 2);
        }
    }
    return end(&run, result);
}

static int receives(const struct cli_args *args)
{
    static const enum stile_rules_words where[] = {
        STILE_RULES_WORDS_RECIPIENTS};
    struct rules_run run;
    struct stile_flow_query query = {.recipient =
                                         stile_str_cstr(args->words[0])};
    struct stile_value *all = NULL;
    int result = CLI_FAILED;

    if (!begin(args, &run)) {
        return CLI_USAGE;
    }
    if (load_mappings(&run) &&
        answered(
            stile_rules_flows(run.rules, &query, run.today, run.arena, &all))) {
        bool none = stile_value_getc(all, "flows")->count == 0;

        result = none && !is_word(&run, where[0], query.recipient)
                     ? unknown(&run, query.recipient, "recipient", where, 1)
                     : tell_flows(&run, &query);
    }
    return end(&run, result);
}

/* ---- diff
 * -------------------------------------------------------------------------- */

static int diff(const struct cli_args *args)
{
    struct rules_run run;
    const struct stile_rules *old = NULL;
    struct stile_value *report = NULL;
    const char *folder = args->word_count > 1 ? args->words[1] : "mappings";
    int result = CLI_FAILED;

    if (!begin(args, &run)) {
        return CLI_USAGE;
    }
    if (load(&run, args->words[0], &old) && load(&run, folder, &run.rules) &&
        answered(
            stile_rules_diff(old, run.rules, run.today, run.arena, &report))) {
        struct stile_str class = stile_value_text(report, "class");
        bool wider =
            stile_str_eqc(class, "wider") || stile_str_eqc(class, "mixed");

        if (!as_json(&run, report)) {
            stile_rules_diff_print(report, &run.out);
        }
        result =
            wider && stile__cli_has(args, "no-wider") ? CLI_FAILED : CLI_OK;
    }
    return end(&run, result);
}

/* ---- check, test, calendar
 * -------------------------------------------------------------------------- */

static size_t errors_of(const struct stile_value *report)
{
    const struct stile_value *item =
        stile_value_getc(report, "findings")->first;
    size_t count = 0;

    for (; item; item = item->next) {
        count += stile_str_eqc(stile_value_text(item, "severity"), "error");
    }
    return count;
}

static int check(const struct cli_args *args)
{
    struct rules_run run;
    struct stile_value *report = NULL;
    int result = CLI_FAILED;

    if (!begin(args, &run)) {
        return CLI_USAGE;
    }
    if (load_mappings(&run) && answered(stile_rules_analyse(
                                   run.rules, run.today, run.arena, &report))) {
        /* Warnings of the files; errors would have ended it. */
        (void)!stile__cli_diags(stderr, &run.diags);
        if (!as_json(&run, report)) {
            stile_rules_analyse_print(report, stile__cli_has(args, "meets"),
                                      &run.out);
        }
        result = errors_of(report) ? CLI_FAILED : CLI_OK;
    }
    return end(&run, result);
}

static int test(const struct cli_args *args)
{
    struct rules_run run;
    size_t rules = 0, cases = 0;
    int result = CLI_FAILED;

    if (!begin(args, &run)) {
        return CLI_USAGE;
    }
    if (load_mappings(&run)) {
        stile_rules_counts(run.rules, &rules, &cases);
        if (stile__cli_has(args, "json")) {
            stile_buf_printf(&run.out, "{\"rules\":%zu,\"cases\":%zu}\n", rules,
                             cases);
        } else {
            stile__cli_plural(&run.out, rules, "rule", "rules");
            stile_buf_addc(&run.out, ", ");
            stile__cli_plural(&run.out, cases, "worked case", "worked cases");
            stile_buf_addc(&run.out, ": every rule has a case that shares and "
                                     "one that does not, and all come out as "
                                     "written\n");
        }
        result = CLI_OK;
    }
    return end(&run, result);
}

static int calendar(const struct cli_args *args)
{
    struct rules_run run;
    struct stile_value *report = NULL;
    uint64_t days;
    int result = CLI_FAILED;

    if (!stile__cli_number(args, "days", 1, 3650, 90, &days) ||
        !begin(args, &run)) {
        return CLI_USAGE;
    }
    if (load_mappings(&run) &&
        answered(stile_rules_calendar(run.rules, run.today, (unsigned)days,
                                      run.arena, &report))) {
        if (!as_json(&run, report)) {
            stile_rules_calendar_print(report, &run.out);
        }
        result = CLI_OK;
    }
    return end(&run, result);
}

static int schema(const struct cli_args *args)
{
    static const struct {
        const char *name;
        enum stile_rule_file file;
    } files[] = {{"agreements", STILE_RULES_AGREEMENTS},
                 {"guardrails", STILE_RULES_GUARDRAILS},
                 {"rules", STILE_RULES_LOCAL},
                 {"examples", STILE_RULES_EXAMPLES}};
    struct rules_run run;
    size_t i = 0;
    int result = CLI_FAILED;

    while (i < 4 && strcmp(files[i].name, args->words[0]) != 0) {
        i++;
    }
    if (i == 4) {
        return stile__cli_usage(
            args, "it is one of agreements, guardrails, rules, examples");
    }
    if (!begin(args, &run)) {
        return CLI_USAGE;
    }
    if (load_mappings(&run)) {
        stile_rules_schema(run.rules, files[i].file, &run.out);
        result = CLI_OK;
    }
    return end(&run, result);
}

/* ---- the commands
 * -------------------------------------------------------------------------- */

#define MAPPINGS_OPTION                                                        \
    {                                                                          \
        "mappings", 'm', "FOLDER",                                             \
            "the folder that holds rules/; mappings when not given"            \
    }
#define ON_OPTION                                                              \
    {                                                                          \
        "on", 0, "DAY", "as if that were today: YYYY-MM-DD"                    \
    }

static const struct cli_option options[] = {MAPPINGS_OPTION, ON_OPTION,
                                            CLI_JSON_OPTION};
static const struct cli_option check_options[] = {
    MAPPINGS_OPTION,
    ON_OPTION,
    CLI_JSON_OPTION,
    {"meets", 0, NULL, "show where a limit stands over a share"}};
static const struct cli_option schema_options[] = {MAPPINGS_OPTION, ON_OPTION};
static const struct cli_option diff_options[] = {
    ON_OPTION,
    CLI_JSON_OPTION,
    {"no-wider", 0, NULL, "exit 1 when more would be let go"}};
static const struct cli_option calendar_options[] = {
    MAPPINGS_OPTION,
    ON_OPTION,
    CLI_JSON_OPTION,
    {"days", 0, "N", "how far to look, 1 to 3650; 90 when not given"}};

#define EXITS                                                                  \
    "exit: 0 answered; 1 the files are wrong, or no exact answer can be\n"     \
    "      given; 2 wrong command line"

const struct cli_command stile__cmd_rules_who_sees = {
    "rules who-sees",
    "DATA|LABEL",
    1,
    1,
    "tell who can ever be sent a kind of data, or what carries a label",
    "For a data word or a label of vocabulary.yaml: each body it can go to,\n"
    "for what, by which rule, what that needs, what may keep it back, and an\n"
    "example. Exact: over every combination of facts and labels.\n\n"
    "  stile rules who-sees address\n"
    "  stile rules who-sees sexual-health\n\n" EXITS,
    CLI_OPTIONS(options),
    who_sees};

const struct cli_command stile__cmd_rules_receives = {
    "rules receives",
    "ORGANISATION",
    1,
    1,
    "tell all that a body can ever be sent",
    "For an organisation of agreements.yaml, by ODS code or name: all that\n"
    "the rules can let go to it, for what, and when. Exact.\n\n"
    "  stile rules receives VCS07\n"
    "  stile rules receives 'Riverside Advice'\n\n" EXITS,
    CLI_OPTIONS(options),
    receives};

const struct cli_command stile__cmd_rules_diff = {
    "rules diff",
    "OLD [NEW]",
    1,
    2,
    "tell what a change of the rules changes",
    "Compares the rules of two mappings folders (NEW is mappings when not\n"
    "given) and tells what goes now and did not, what goes no more, and what\n"
    "is done to it otherwise: to whom, which data, in which cases, with an\n"
    "example. The class is equal, narrower, wider or mixed. Exact, over every\n"
    "combination of facts and labels, and over the days to come.\n\n"
    "  stile rules in-force -c stile.yaml --out now\n"
    "  stile rules diff now mappings\n\n"
    "exit: 0 compared; 1 the files are wrong, or with --no-wider more would\n"
    "      be let go; 2 wrong command line",
    CLI_OPTIONS(diff_options),
    diff};

const struct cli_command stile__cmd_rules_check = {
    "rules check",
    "",
    0,
    0,
    "find rules that do nothing, and prove that the guardrails hold",
    "Reads and checks the rule files and their worked cases, then looks at\n"
    "the set as a whole: shares that are always kept back (dead), rules that\n"
    "change nothing (shadowed), limits that meet nothing, data nobody gets;\n"
    "and proves that in no case anything leaves that a guardrail forbids. It\n"
    "looks at the folder, which is a proposal: see 'stile rules status'.\n\n"
    "  stile rules check\n"
    "  stile rules check --meets\n\n"
    "exit: 0 no errors; 1 errors, or the files are wrong; 2 wrong command\n"
    "      line",
    CLI_OPTIONS(check_options),
    check};

const struct cli_command stile__cmd_rules_test = {
    "rules test",
    "",
    0,
    0,
    "run the worked cases of the rules",
    "Reads the rule files and runs every case of examples.yaml through the\n"
    "rules, as each load does. What does not come out as written is told.\n\n"
    "  stile rules test\n\n"
    "exit: 0 all hold; 1 they do not, or the files are wrong; 2 wrong command\n"
    "      line",
    CLI_OPTIONS(options),
    test};

const struct cli_command stile__cmd_rules_calendar = {
    "rules calendar",
    "",
    0,
    0,
    "tell which agreements and assurances run out, and what stops then",
    "Lists the dates of agreements (review, last day, impact assessment, the\n"
    "recipient's DSPT) and of rules that are past or come soon, and which\n"
    "rules stop with them.\n\n"
    "  stile rules calendar\n"
    "  stile rules calendar --days 365\n\n" EXITS,
    CLI_OPTIONS(calendar_options),
    calendar};

const struct cli_command stile__cmd_rules_schema = {
    "rules schema",
    "FILE",
    1,
    1,
    "print the JSON Schema of a rule file, for editors",
    "Prints the JSON Schema of agreements, guardrails, rules or examples with\n"
    "the words of vocabulary.yaml, so that an editor completes them. The ones\n"
    "shipped stand in mappings/rules/schema/; print them anew when the\n"
    "vocabulary has changed.\n\n"
    "  stile rules schema rules >mappings/rules/schema/rules.json\n\n" EXITS,
    CLI_OPTIONS(schema_options),
    schema};
