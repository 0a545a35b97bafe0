/* map tree: the checked mappings as JSON, for editors and other programs. */
#include "cli.h"

#define TREE_BYTES_MAX ((size_t)256 << 20)

/* Was the file there, and wrong as a whole? */
static bool found_in(const struct stile_diags *diags, struct stile_str only)
{
    for (size_t i = 0; i < diags->count; i++) {
        if (diags->items[i].severity == STILE_ERROR &&
            stile_str_ends(diags->items[i].file, only)) {
            return true;
        }
    }
    return false;
}

static int print_tree(const char *folder, const char *only,
                      struct stile_arena *arena)
{
    struct stile_mapset *set = NULL;
    struct stile_diags diags;
    struct stile_buf out;
    int result = CLI_OK;

    stile_diags_init(&diags, arena, 0);
    stile_buf_init(&out, TREE_BYTES_MAX);
    if (stile_maps_folder_read(folder, arena, &diags, &set) != STILE_OK) {
        result = CLI_FAILED;
    }
    if (!set) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("%s cannot be read as mappings", folder);
    } else if (stile_mapset_tree(set, stile_str_cstr(only), &diags, &out) ==
                   0 &&
               *only) {
        bool wrong = found_in(&diags, stile_str_cstr(only));

        if (wrong) {
            (void)!stile__cli_diags(stderr, &diags);
        }
        stile__cli_say(wrong ? "%s holds no mapping that can be read"
                             : "there is no mapping and no file '%s'",
                       only);
        result = wrong ? CLI_FAILED : CLI_USAGE;
    } else if (!stile__cli_write(stdout, &out)) {
        result = CLI_FAILED;
    }
    stile_buf_release(&out);
    return result;
}

static int run(const struct cli_args *args)
{
    const char *folder = stile__cli_get(args, "mappings");
    struct stile_arena *arena;
    int result = CLI_FAILED;

    if (!folder) {
        return stile__cli_usage(args, "it needs --mappings FOLDER");
    }
    arena = stile_arena_new((size_t)1 << 30);
    if (arena) {
        result = print_tree(folder, args->word_count > 0 ? args->words[0] : "",
                            arena);
    }
    stile_arena_free(&arena);
    return result;
}

static const struct cli_option options[] = {
    {"mappings", 'm', "FOLDER", "formats, maps, codes and rules"},
};

const struct cli_command stile__cmd_map_tree = {
    "map tree",
    "[MAPPING|FILE]",
    0,
    1,
    "print the checked mappings as JSON, for editors",
    "Prints one JSON object: every statement with file, line, column and end, "
    "what\nits columns, elements, codecs and code tables turned out to be, and "
    "the\nfindings. With errors too: what could not be resolved has no "
    "'resolved'.\nThe form is mappings/schema/tree.json.\n\n"
    "  stile map tree -m mappings emis-observation\n"
    "  stile map tree -m mappings maps/emis/patient.map\n\n"
    "exit: 0 printed; 1 printed, with errors among the findings, or nothing "
    "could\n      be read; 2 wrong command line or no such mapping or file",
    CLI_OPTIONS(options),
    run};
