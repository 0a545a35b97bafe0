/* rules read, and map list, dis, check: looking at what was compiled. */
#include "cli.h"

#define LIST_BYTES_MAX ((size_t)64 << 20)

struct open_plan {
    struct stile_arena *arena;
    struct stile_plan_box *box;
    struct stile_buf out;
};

static int open_plan(const struct cli_args *args, struct open_plan *plan)
{
    const char *folder = stile__cli_get(args, "mappings");

    if (!folder) {
        return stile__cli_usage(args, "it needs --mappings FOLDER");
    }
    plan->arena = stile_arena_new((size_t)64 << 20);
    stile_buf_init(&plan->out, LIST_BYTES_MAX);
    return stile__cli_plan(folder, NULL, plan->arena, &plan->box) ? CLI_OK
                                                                  : CLI_FAILED;
}

static int close_plan(struct open_plan *plan, int result)
{
    if (result == CLI_OK && !stile__cli_write(stdout, &plan->out)) {
        result = CLI_FAILED;
    }
    stile_plan_release(&plan->box);
    stile_buf_release(&plan->out);
    stile_arena_free(&plan->arena);
    return result;
}

static int rules_read(const struct cli_args *args)
{
    const char *folder = stile__cli_get(args, "mappings");
    struct open_plan plan = {0};
    const struct stile_rules *rules = NULL;
    struct stile_diags diags;

    if (!folder) {
        return stile__cli_usage(args, "it needs --mappings FOLDER");
    }
    plan.arena = stile_arena_new((size_t)64 << 20);
    stile_buf_init(&plan.out, LIST_BYTES_MAX);
    stile_diags_init(&diags, plan.arena, 0);
    /* The rules alone: 'rules in-force' writes out no more than them. */
    if (stile_rules_folder_load(folder, stile_today(), plan.arena, &diags,
                                &rules) != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("the rules in %s/rules cannot be used; mend what is "
                       "said above",
                       folder);
        return close_plan(&plan, CLI_FAILED);
    }
    stile_rules_read(rules, &plan.out);
    return close_plan(&plan, CLI_OK);
}

static int map_list(const struct cli_args *args)
{
    struct open_plan plan = {0};
    int result = open_plan(args, &plan);

    if (result == CLI_USAGE) {
        return result;
    }
    for (size_t i = 0;
         result == CLI_OK && i < stile_mapset_count(plan.box->plan.maps); i++) {
        const struct stile_mapping *mapping =
            stile_mapset_at(plan.box->plan.maps, i);

        stile_buf_printf(&plan.out, "%-28.*s %4u  %-10.*s %-32.*s %s %.*s\n",
                         STILE_FMT(stile_mapping_name(mapping)),
                         (unsigned)stile_mapping_number(mapping),
                         STILE_FMT(stile_mapping_family(mapping)),
                         STILE_FMT(stile_mapping_table(mapping)),
                         stile_mapping_goes_left(mapping) ? "<->" : " ->",
                         STILE_FMT(stile_mapping_type(mapping)));
    }
    return close_plan(&plan, result);
}

static const struct stile_mapping *find_mapping(const struct stile_mapset *set,
                                                const char *name)
{
    struct stile_str names[512];
    size_t count = stile_mapset_count(set), near;

    for (size_t i = 0; i < count; i++) {
        const struct stile_mapping *mapping = stile_mapset_at(set, i);

        if (stile_str_eqc(stile_mapping_name(mapping), name)) {
            return mapping;
        }
        if (i < 512) {
            names[i] = stile_mapping_name(mapping);
        }
    }
    near =
        stile_nearest(stile_str_cstr(name), names, count < 512 ? count : 512);
    stile__cli_say("there is no mapping '%s'", name);
    if (near != SIZE_MAX) {
        (void)fprintf(stderr, "       did you mean '%.*s'?\n",
                      STILE_FMT(names[near]));
    }
    return NULL;
}

static int map_dis(const struct cli_args *args)
{
    struct open_plan plan = {0};
    int result = open_plan(args, &plan);

    if (result == CLI_USAGE) {
        return result;
    }
    if (result == CLI_OK) {
        const struct stile_mapping *mapping =
            find_mapping(plan.box->plan.maps, args->words[0]);

        if (mapping) {
            stile_mapping_list(mapping, &plan.out);
        } else {
            result = CLI_USAGE;
        }
    }
    return close_plan(&plan, result);
}

static int map_check(const struct cli_args *args)
{
    struct open_plan plan = {0};
    int result = open_plan(args, &plan);

    if (result == CLI_USAGE) {
        return result;
    }
    if (result == CLI_OK) {
        char hex[65];
        struct stile_digest digest = stile_mapset_digest(plan.box->plan.maps);

        stile_digest_hex(&digest, hex);
        stile__cli_plural(&plan.out, stile_mapset_count(plan.box->plan.maps),
                          "mapping", "mappings");
        stile_buf_printf(&plan.out, ", all examples hold, digest %s\n", hex);
    }
    return close_plan(&plan, result);
}

/* ---- the laws ---- */

struct testing {
    struct stile_diags diags;
    struct stile_buf examples;
    uint64_t seed, rounds;
    size_t broken, mappings;
};

static bool test_mapping(struct open_plan *plan, struct testing *t,
                         const struct stile_mapping *mapping)
{
    struct stile_str name = stile_mapping_name(mapping);
    struct stile_map_tested tally = {0};
    enum stile_status status = stile_map_test(
        mapping, t->seed ^ stile_str_hash(name), (size_t)t->rounds, plan->arena,
        &t->diags, &t->examples, &tally);

    if (status != STILE_OK) {
        stile__cli_say("%.*s could not be tested: %s", STILE_FMT(name),
                       stile_status_text(status));
        return false;
    }
    t->mappings++;
    t->broken += tally.broken ? 1 : 0;
    stile_buf_printf(&plan->out,
                     "%-26.*s %-8s %s  %zu rows there and back, %zu refused, "
                     "%zu deleted\n",
                     STILE_FMT(name), stile_mapping_class(mapping),
                     tally.broken ? "BROKEN" : "holds ", tally.carried,
                     tally.refused, tally.deleted);
    return true;
}

static int test_all(const struct cli_args *args, struct open_plan *plan,
                    struct testing *t)
{
    const struct stile_mapset *maps = plan->box->plan.maps;

    for (size_t i = 0; i < stile_mapset_count(maps); i++) {
        const struct stile_mapping *mapping = stile_mapset_at(maps, i);

        if (args->word_count > 0 &&
            !stile_str_eqc(stile_mapping_name(mapping), args->words[0])) {
            continue;
        }
        if (!test_mapping(plan, t, mapping)) {
            return CLI_FAILED;
        }
    }
    if (t->mappings == 0) {
        (void)find_mapping(maps, args->words[0]);
        return CLI_USAGE;
    }
    stile_buf_printf(&plan->out,
                     "all examples hold; laws: %zu of %zu "
                     "mappings, seed %llu\n",
                     t->mappings - t->broken, t->mappings,
                     (unsigned long long)t->seed);
    if (t->broken > 0) {
        stile_buf_addc(&plan->out, "\nthe smallest rows found, to paste into "
                                   "their mappings:\n");
        stile_buf_add(&plan->out, stile_buf_str(&t->examples));
    }
    return CLI_OK;
}

static int map_test(const struct cli_args *args)
{
    struct open_plan plan = {0};
    struct testing t = {0};
    int result;

    if (!stile__cli_number(args, "seed", 0, INT64_MAX, 1, &t.seed) ||
        !stile__cli_number(args, "rounds", 1, 1000000, 300, &t.rounds)) {
        return CLI_USAGE;
    }
    result = open_plan(args, &plan);
    if (result == CLI_USAGE) {
        return result;
    }
    stile_buf_init(&t.examples, LIST_BYTES_MAX);
    if (result == CLI_OK) {
        stile_diags_init(&t.diags, plan.arena, 0);
        result = test_all(args, &plan, &t);
        (void)!stile__cli_diags(stderr, &t.diags);
    }
    stile_buf_release(&t.examples);
    result = close_plan(&plan, result);
    return result == CLI_OK && t.broken > 0 ? CLI_FAILED : result;
}

static const struct cli_option options[] = {
    {"mappings", 'm', "FOLDER", "formats, maps, codes and rules"},
};

const struct cli_command stile__cmd_rules_read = {
    "rules read",
    "",
    0,
    0,
    "print every rule as one plain sentence",
    "Prints what the rule files mean, one fixed English sentence a rule, with\n"
    "the officer's own words beside it. For reading a rule set before it is\n"
    "approved.\n\n"
    "  stile rules read --mappings mappings\n\n"
    "exit: 0 printed; 1 the files are wrong; 2 wrong command line",
    CLI_OPTIONS(options),
    rules_read};

const struct cli_command stile__cmd_map_list = {
    "map list",
    "",
    0,
    0,
    "list the mappings",
    "Lists the compiled mappings: name, version, family, table, directions\n"
    "and FHIR type.\n\n"
    "  stile map list --mappings mappings\n\n"
    "exit: 0 printed; 1 the files are wrong; 2 wrong command line",
    CLI_OPTIONS(options),
    map_list};

const struct cli_command stile__cmd_map_dis = {
    "map dis",
    "MAPPING",
    1,
    1,
    "print the program a mapping was compiled to",
    "Prints the compiled program of one mapping, a direction at a time.\n\n"
    "  stile map dis --mappings mappings emis-observation\n\n"
    "exit: 0 printed; 1 the files are wrong; 2 wrong command line or no such\n"
    "      mapping",
    CLI_OPTIONS(options),
    map_dis};

const struct cli_command stile__cmd_map_check = {
    "map check",
    "",
    0,
    0,
    "compile the mappings and run their examples",
    "Compiles formats, mappings, code tables and rules together, runs their\n"
    "examples, and prints every finding, or the digest of the set.\n\n"
    "  stile map check --mappings mappings\n\n"
    "exit: 0 all good; 1 findings; 2 wrong command line",
    CLI_OPTIONS(options),
    map_check};

static const struct cli_option test_options[] = {
    {"mappings", 'm', "FOLDER", "formats, maps, codes and rules"},
    {"seed", 0, "N", "other rows than those of seed 1"},
    {"rounds", 0, "N", "rows for each mapping and version (300)"},
};

const struct cli_command stile__cmd_map_test = {
    "map test",
    "[MAPPING]",
    0,
    1,
    "run the examples, and hold the mappings to their laws",
    "Compiles the mappings, which runs their examples, then makes rows from\n"
    "each mapping's columns, code tables and guards and carries them there "
    "and\n"
    "back: what the mapping's class promises must come back. The rows are the\n"
    "same for a seed. The smallest row that breaks a law is printed as an\n"
    "example, ready to be pasted into the mapping.\n\n"
    "  stile map test --mappings mappings emis-observation\n\n"
    "exit: 0 all hold; 1 findings; 2 wrong command line or no such mapping",
    CLI_OPTIONS(test_options),
    map_test};
