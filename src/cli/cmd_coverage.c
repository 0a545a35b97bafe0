/* map coverage: what a sample shows of the mappings. */
#include "cli_rows.h"

#define BYTES_MAX ((size_t)8 << 30)

struct covering {
    const struct cli_args *args;
    struct stile_arena *arena, *scratch;
    struct stile_plan_box *box;
    struct stile_diags diags;
    struct cli_rows rows;
    struct stile_buf out;
    size_t passed_over;
};

static bool one_file(struct covering *c, const char *path)
{
    struct stile_str table = stile_str_cstr(stile__cli_get(c->args, "table"));
    enum stile_status status = STILE_NOT_FOUND;

    if (!stile_str_ends(stile_str_cstr(path), STILE_STR(".json"))) {
        status = stile__cli_rows_file(&c->rows, path, table);
    }
    if (status == STILE_NOT_FOUND) {
        status = stile__cli_rows_case(&c->rows, path);
    }
    if (status != STILE_OK) {
        stile__cli_say("%s: %s", path, stile_status_text(status));
    }
    return status == STILE_OK;
}

/* A folder's files; those of no known name are counted and said. */
static bool one_folder(struct covering *c, const char *path,
                       const struct stile_str *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *file = stile_path_join(c->arena, path, names[i]);
        enum stile_status status;

        if (!file) {
            return false;
        }
        status = stile__cli_rows_file(&c->rows, file, STILE_STR_NULL);
        c->passed_over += status == STILE_NOT_FOUND ? 1 : 0;
        if (status != STILE_OK && status != STILE_NOT_FOUND) {
            stile__cli_say("%s: %s", file, stile_status_text(status));
            return false;
        }
    }
    return true;
}

static bool read_all(struct covering *c)
{
    for (size_t i = 0; i < c->args->word_count; i++) {
        const char *path = c->args->words[i];
        struct stile_str *names = NULL, error;
        size_t count = 0;
        bool folder = stile_folder_list(path, c->arena, &names, &count,
                                        &error) == STILE_OK;

        if (folder ? !one_folder(c, path, names, count) : !one_file(c, path)) {
            return false;
        }
    }
    return true;
}

static bool count_all(struct covering *c, struct stile_map_coverage *coverage)
{
    struct stile_map_env env = {&c->rows, stile__cli_rows_lookup};
    const char *family = stile__cli_get(c->args, "family");

    for (size_t i = 0; i < c->rows.count; i++) {
        const struct cli_row *item = c->rows.items[i];
        enum stile_status status;

        if (family && !stile_str_eqc(item->table->family, family)) {
            continue;
        }
        status = stile_map_coverage_add(coverage, &item->row, &env, c->scratch);
        if (status != STILE_OK) {
            stile__cli_say("row %zu: %s", i + 1, stile_status_text(status));
            return false;
        }
        stile_arena_reset(c->scratch);
    }
    return true;
}

static int report(struct covering *c, const struct stile_map_coverage *coverage)
{
    size_t open = stile_map_coverage_open(coverage);

    if (c->rows.count == 0) {
        stile__cli_say("no rows were found");
        return CLI_FAILED;
    }
    stile_map_coverage_print(coverage, stile__cli_has(c->args, "json"),
                             &c->out);
    if (!stile__cli_write(stdout, &c->out)) {
        return CLI_FAILED;
    }
    if (c->passed_over > 0) {
        stile__cli_say("%zu files of no known table were passed over",
                       c->passed_over);
    }
    if (open > 0) {
        stile__cli_say("%zu filled columns are in no mapping's account", open);
    }
    return open > 0 ? CLI_FAILED : CLI_OK;
}

static int cover(struct covering *c)
{
    struct stile_map_coverage *coverage = NULL;
    int result = CLI_FAILED;

    stile__cli_rows_init(&c->rows, c->arena, c->box->plan.schema, NULL,
                         &c->diags);
    if (read_all(c)) {
        coverage = stile_map_coverage_new(c->box->plan.maps, c->arena);
    }
    if (coverage && count_all(c, coverage)) {
        result = report(c, coverage);
    }
    stile__cli_rows_release(&c->rows);
    (void)!stile__cli_diags(stderr, &c->diags);
    return result;
}

static int run(const struct cli_args *args)
{
    struct covering c = {.args = args};
    const char *folder = stile__cli_get(args, "mappings");
    int result = CLI_FAILED;

    if (!folder) {
        return stile__cli_usage(args, "it needs --mappings FOLDER");
    }
    c.arena = stile_arena_new(BYTES_MAX);
    c.scratch = stile_arena_new((size_t)256 << 20);
    stile_diags_init(&c.diags, c.arena, 100);
    stile_buf_init(&c.out, (size_t)256 << 20);
    if (c.arena && c.scratch &&
        stile__cli_plan(folder, NULL, c.arena, &c.box)) {
        result = cover(&c);
    }
    stile_plan_release(&c.box);
    stile_buf_release(&c.out);
    stile_arena_free(&c.scratch);
    stile_arena_free(&c.arena);
    return result;
}

static const struct cli_option options[] = {
    {"mappings", 'm', "FOLDER", "formats, maps, codes and rules"},
    {"family", 0, "NAME", "only the tables of this family"},
    {"table", 0, "TABLE", "which table, when a file does not say it"},
    CLI_JSON_OPTION,
};

const struct cli_command stile__cmd_map_coverage = {
    "map coverage",
    "FOLDER|FILE...",
    1,
    10000,
    "say where each column of a sample goes",
    "Runs the rows of a sample through the mappings and prints, a table at a\n"
    "time, each column's account (mapped, residue, dropped and why, carried "
    "by\n"
    "another mapping, or not read) and how often it is filled; each code\n"
    "table's hits, misses and unused rows; and each declared loss, counted.\n"
    "No value of a row is printed.\n\n"
    "  stile map coverage -m mappings export-folder\n\n"
    "exit: 0 every filled column is accounted for; 1 one is not, or the files\n"
    "      are wrong; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
