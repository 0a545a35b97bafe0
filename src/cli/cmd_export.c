/* map export and import: what others read of the mappings, and give. */
#include "cli.h"

struct exporting {
    struct stile_str base;
    struct stile_arena *arena;
    struct stile_plan_box *box;
    struct stile_buf out;
};

static int no_such(const char *what, const char *name)
{
    stile__cli_say("there is no %s '%s'", what, name);
    return CLI_USAGE;
}

static int pages(struct exporting *e, const char *name)
{
    const struct stile_mapset *maps = e->box->plan.maps;
    size_t shown = 0;

    for (size_t i = 0; i < stile_mapset_count(maps); i++) {
        const struct stile_mapping *mapping = stile_mapset_at(maps, i);

        if (name && !stile_str_eqc(stile_mapping_name(mapping), name)) {
            continue;
        }
        if (shown++ > 0) {
            stile_buf_byte(&e->out, '\n');
        }
        stile_mapping_markdown(mapping, &e->out);
    }
    return shown > 0 ? CLI_OK : no_such("mapping", name);
}

static int concept_maps(struct exporting *e, const char *name)
{
    const struct stile_mapset *maps = e->box->plan.maps;
    size_t shown = 0;

    for (size_t i = 0; i < stile_mapset_code_count(maps); i++) {
        struct stile_str table = stile_mapset_code_at(maps, i);
        struct stile_value *map = NULL;
        enum stile_status status;

        if (name && !stile_str_eqc(table, name)) {
            continue;
        }
        status = stile_map_export_codes(maps, table, e->base, e->arena, &map);
        if (status != STILE_OK) {
            stile__cli_say("%.*s: %s", STILE_FMT(table),
                           stile_status_text(status));
            return CLI_FAILED;
        }
        stile_value_json(map, name ? 2 : 0, &e->out);
        stile_buf_byte(&e->out, '\n');
        shown++;
    }
    return shown > 0 ? CLI_OK : no_such("code table", name);
}

/* StructureMaps, as resources or in FHIR's mapping language. */
static int structure_maps(struct exporting *e, const char *name, bool fml)
{
    const struct stile_mapset *maps = e->box->plan.maps;
    size_t shown = 0;

    for (size_t i = 0; i < stile_mapset_count(maps); i++) {
        const struct stile_mapping *mapping = stile_mapset_at(maps, i);
        struct stile_value *map = NULL;

        if (name && !stile_str_eqc(stile_mapping_name(mapping), name)) {
            continue;
        }
        if (stile_map_export_structure(mapping, e->base, e->arena, &map) !=
            STILE_OK) {
            stile__cli_say("%.*s is too large to be written",
                           STILE_FMT(stile_mapping_name(mapping)));
            return CLI_FAILED;
        }
        if (fml) {
            stile_buf_addc(&e->out, shown > 0 ? "\n" : "");
            stile_map_export_fml(map, &e->out);
        } else {
            stile_value_json(map, name ? 2 : 0, &e->out);
            stile_buf_byte(&e->out, '\n');
        }
        shown++;
    }
    return shown > 0 ? CLI_OK : no_such("mapping", name);
}

static int export_as(struct exporting *e, const char *form, const char *name)
{
    if (strcmp(form, "markdown") == 0) {
        return pages(e, name);
    }
    if (strcmp(form, "conceptmap") == 0) {
        return concept_maps(e, name);
    }
    return structure_maps(e, name, strcmp(form, "fml") == 0);
}

static bool known_form(const char *form)
{
    static const char *const forms[] = {"markdown", "conceptmap",
                                        "structuremap", "fml"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(form, forms[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int run(const struct cli_args *args)
{
    const char *folder = stile__cli_get(args, "mappings");
    const char *name = args->word_count > 1 ? args->words[1] : NULL;
    const char *base = stile__cli_get(args, "base");
    struct exporting e = {
        .base = stile_str_cstr(base ? base : "https://stile.example/fhir")};
    int result = CLI_FAILED;

    if (!folder) {
        return stile__cli_usage(args, "it needs --mappings FOLDER");
    }
    if (!known_form(args->words[0])) {
        return stile__cli_usage(args, "it exports markdown, conceptmap, "
                                      "structuremap or fml");
    }
    e.arena = stile_arena_new((size_t)256 << 20);
    stile_buf_init(&e.out, (size_t)256 << 20);
    if (e.arena && stile__cli_plan(folder, NULL, e.arena, &e.box)) {
        result = export_as(&e, args->words[0], name);
    }
    if (result == CLI_OK && !stile__cli_write(stdout, &e.out)) {
        result = CLI_FAILED;
    }
    stile_plan_release(&e.box);
    stile_buf_release(&e.out);
    stile_arena_free(&e.arena);
    return result;
}

static const struct cli_option options[] = {
    {"mappings", 'm', "FOLDER", "formats, maps, codes and rules"},
    {"base", 0, "URL", "the beginning of what is exported's URLs"},
};

const struct cli_command stile__cmd_map_export = {
    "map export",
    "markdown|conceptmap|structuremap|fml [NAME]",
    1,
    2,
    "print mappings as pages or StructureMaps, code tables as ConceptMaps",
    "markdown: one mapping, or all, as tables for the people who approve "
    "them.\n"
    "conceptmap: one code table as a FHIR R4 ConceptMap, or all, one a "
    "line.\n"
    "structuremap: one mapping's rightward lines as a FHIR R4 StructureMap, or "
    "all,\none a line; fml: the same in FHIR's mapping language. What a "
    "StructureMap cannot\nsay stands in its documentation.\n\n"
    "  stile map export -m mappings markdown emis-observation\n"
    "  stile map export -m mappings conceptmap gender\n"
    "  stile map export -m mappings fml emis-observation\n\n"
    "exit: 0 printed; 1 the files are wrong; 2 wrong command line or no such\n"
    "      name",
    CLI_OPTIONS(options),
    run};

/* ---- the way back ---- */

static int import(const struct cli_args *args)
{
    struct stile_arena *arena = stile_arena_new((size_t)256 << 20);
    struct stile_value *map = NULL;
    struct stile_diags diags;
    struct stile_buf out;
    struct stile_str text;
    size_t skipped = 0;
    bool good;

    stile_diags_init(&diags, arena, 20);
    stile_buf_init(&out, (size_t)64 << 20);
    good = arena &&
           stile__cli_read(args->words[0], (size_t)64 << 20, arena, &text);
    if (good && stile_json_decode(text, STILE_JSON_LIMITS,
                                  stile_str_cstr(args->words[0]), arena, &diags,
                                  &map) != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        good = false;
    } else if (good &&
               stile_map_import_codes(map, &out, &skipped) != STILE_OK) {
        stile__cli_say("%s is no ConceptMap of R4, or one of its elements or "
                       "targets has no code or equivalence",
                       args->words[0]);
        good = false;
    }
    if (good && skipped > 0) {
        stile__cli_say("%zu targets say no direction (relatedto, inexact, "
                       "disjoint) and are left out",
                       skipped);
    }
    good = good && stile__cli_write(stdout, &out);
    stile_buf_release(&out);
    stile_arena_free(&arena);
    return good ? CLI_OK : CLI_FAILED;
}

const struct cli_command stile__cmd_map_import = {
    "map import",
    "CONCEPTMAP.json",
    1,
    1,
    "turn a FHIR R4 ConceptMap into a code table",
    "Prints a code table's CSV: equivalent and equal go both ways, wider and\n"
    "subsumes rightward only, narrower and specializes leftward only, "
    "unmatched\n"
    "means known and absent. What says no direction is left out and counted.\n"
    "Put the result under mappings/codes and check it.\n\n"
    "  stile map import sex.json >mappings/codes/sex.csv\n\n"
    "exit: 0 printed; 1 the file is wrong; 2 wrong command line",
    NULL,
    0,
    import};
