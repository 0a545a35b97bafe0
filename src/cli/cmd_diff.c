/* map diff: what an edit of the mappings changes on a sample. */
#include "cli_rows.h"

#define BYTES_MAX ((size_t)8 << 30)

struct differing {
    const struct cli_args *args;
    struct stile_arena *arena, *scratch;
    struct stile_plan_box *before, *after;
    struct stile_diags diags;
    struct cli_rows rows;
    struct stile_buf out;
};

static bool add_all(struct differing *d, struct stile_map_diff *diff)
{
    struct stile_map_env env = {&d->rows, stile__cli_rows_lookup,
                                stile__cli_rows_ask};

    for (size_t i = 0; i < d->rows.count; i++) {
        const struct cli_row *item = d->rows.items[i];
        enum stile_status status =
            stile_map_diff_add(diff, &item->row, item->table->family,
                               item->table->version, &env, d->scratch);

        if (status != STILE_OK) {
            stile__cli_say("row %zu: %s", i + 1, stile_status_text(status));
            return false;
        }
        stile_arena_reset(d->scratch);
    }
    return true;
}

static int compare(struct differing *d)
{
    struct stile_map_diff *diff = NULL;
    bool good = false;

    stile__cli_rows_init(&d->rows, d->arena, d->after->plan.schema, NULL,
                         &d->diags);
    if (stile__cli_rows_sample(
            &d->rows, d->args->words + 2, d->args->word_count - 2,
            stile_str_cstr(stile__cli_get(d->args, "table")))) {
        diff = stile_map_diff_new(d->before->plan.maps, d->after->plan.maps,
                                  d->arena);
    }
    if (diff && add_all(d, diff)) {
        stile_map_diff_print(diff, &d->out);
        good = stile__cli_write(stdout, &d->out);
    }
    stile__cli_rows_release(&d->rows);
    (void)!stile__cli_diags(stderr, &d->diags);
    return good ? CLI_OK : CLI_FAILED;
}

static int run(const struct cli_args *args)
{
    struct differing d = {.args = args};
    int result = CLI_FAILED;

    d.arena = stile_arena_new(BYTES_MAX);
    d.scratch = stile_arena_new((size_t)256 << 20);
    stile_diags_init(&d.diags, d.arena, 100);
    stile_buf_init(&d.out, (size_t)256 << 20);
    if (d.arena && d.scratch &&
        stile__cli_plan(args->words[0], NULL, d.arena, &d.before) &&
        stile__cli_plan(args->words[1], NULL, d.arena, &d.after)) {
        result = compare(&d);
    }
    stile_plan_release(&d.before);
    stile_plan_release(&d.after);
    stile_buf_release(&d.out);
    stile_arena_free(&d.scratch);
    stile_arena_free(&d.arena);
    return result;
}

static const struct cli_option options[] = {
    {"table", 0, "TABLE", "which table, when a file does not say it"},
};

const struct cli_command stile__cmd_map_diff = {
    "map diff",
    "OLD NEW FOLDER|FILE...",
    3,
    10000,
    "say what an edit of the mappings changes on a sample",
    "Runs a sample through two mappings folders and prints, a mapping at a\n"
    "time, which elements change, come or go and how often, and which rows "
    "end\n"
    "otherwise. No value of a row is printed. To be read before an edit is\n"
    "approved.\n\n"
    "  stile map diff mappings mappings-new export-folder\n\n"
    "exit: 0 printed; 1 the files are wrong; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
