/* map coverage: what a sample shows of the mappings. */
#include "cli_rows.h"

#include <unistd.h>

#define BYTES_MAX ((size_t)8 << 30)

struct covering {
    const struct cli_args *args;
    struct stile_arena *arena, *scratch;
    struct stile_plan_box *box;
    struct stile_diags diags;
    struct cli_rows rows;
    struct stile_buf out;
};

/* ---- what no mapping carries ---- */

enum {
    FAMILY,
    TABLE,
    COLUMN,
    BECAUSE,
    FIELDS
};

static bool aside_line(struct stile_map_coverage *coverage,
                       const struct stile_str *cells, uint64_t line)
{
    const char *what = NULL;

    switch (stile_map_coverage_set_aside(coverage, cells[FAMILY], cells[TABLE],
                                         cells[COLUMN], cells[BECAUSE])) {
    case STILE_OK:
        return true;
    case STILE_INVALID:
        what = "say why it is not carried";
        break;
    case STILE_NOT_FOUND:
        what = "there is no such table or column; correct the line";
        break;
    case STILE_CONFLICT:
        what = "it is said twice, or mappings account for all of it; take the "
               "line out";
        break;
    default:
        what = "memory could not be had";
        break;
    }
    stile__cli_say("not-carried.csv line %llu: %s", (unsigned long long)line,
                   what);
    return false;
}

static bool aside_lines(struct covering *c, struct stile_csv *csv,
                        struct stile_map_coverage *coverage)
{
    static const char *const heads[FIELDS] = {"family", "table", "column",
                                              "because"};
    const struct stile_str *cells = NULL;
    size_t count = 0;
    uint64_t row = 0;
    bool ok =
        stile_csv_pull(csv, &c->diags, &cells, &count, &row) == STILE_OK &&
        count == FIELDS;
    enum stile_status status = STILE_OK;

    for (size_t i = 0; ok && i < FIELDS; i++) {
        ok = stile_str_eqc(cells[i], heads[i]);
    }
    if (!ok) {
        stile__cli_say("not-carried.csv: the first line must be "
                       "family,table,column,because");
        return false;
    }
    while (ok && status != STILE_END) {
        status = stile_csv_pull(csv, &c->diags, &cells, &count, &row);
        ok = status == STILE_END ||
             (status == STILE_OK && aside_line(coverage, cells, row + 1));
    }
    return ok;
}

/* mappings/not-carried.csv, when it is there. */
static bool set_aside(struct covering *c, struct stile_map_coverage *coverage,
                      const char *folder)
{
    const char *path =
        stile_path_join(c->arena, folder, STILE_STR("not-carried.csv"));
    struct stile_csv *csv;
    struct stile_str text;
    bool ok;

    if (!path || access(path, F_OK) != 0) {
        return path != NULL;
    }
    csv = stile_csv_new(&stile_csv_rfc4180, STILE_CSV_LIMITS,
                        STILE_STR("not-carried.csv"));
    ok = csv && stile__cli_read(path, (size_t)16 << 20, c->arena, &text);
    if (ok) {
        stile_csv_over(csv, text);
        ok = aside_lines(c, csv, coverage);
    }
    stile_csv_free(&csv);
    return ok;
}

static bool count_all(struct covering *c, struct stile_map_coverage *coverage)
{
    struct stile_map_env env = {&c->rows, stile__cli_rows_lookup,
                                stile__cli_rows_ask};
    const char *family = stile__cli_get(c->args, "family");
    size_t counted = 0;

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
        counted++;
    }
    if (counted == 0) {
        stile__cli_say("the sample has no table of the family '%s'", family);
    }
    return counted > 0;
}

static int report(struct covering *c, const struct stile_map_coverage *coverage)
{
    size_t open = stile_map_coverage_open(coverage);

    stile_map_coverage_print(coverage, stile__cli_has(c->args, "json"),
                             &c->out);
    if (!stile__cli_write(stdout, &c->out)) {
        return CLI_FAILED;
    }
    if (open > 0) {
        stile__cli_say(
            "%zu columns are accounted for nowhere: map them, or say in "
            "the mapping or in not-carried.csv why not",
            open);
    }
    return open > 0 ? CLI_FAILED : CLI_OK;
}

static int cover(struct covering *c)
{
    struct stile_map_coverage *coverage = NULL;
    int result = CLI_FAILED;

    stile__cli_rows_init(&c->rows, c->arena, c->box->plan.schema, NULL,
                         &c->diags);
    if (stile__cli_rows_sample(
            &c->rows, c->args->words, c->args->word_count,
            stile_str_cstr(stile__cli_get(c->args, "table")))) {
        coverage = stile_map_coverage_new(c->box->plan.maps, c->arena);
    }
    if (coverage &&
        set_aside(c, coverage, stile__cli_get(c->args, "mappings")) &&
        count_all(c, coverage)) {
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
    "not-carried.csv beside the maps says of whole tables, and of what "
    "remains\n"
    "of one, why no mapping carries it. No value of a row is printed.\n\n"
    "  stile map coverage -m mappings export-folder\n\n"
    "exit: 0 every column is accounted for, filled or not; 1 one is not, or "
    "is\n"
    "      not in the format, or the files are wrong; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
