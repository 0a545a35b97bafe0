/* fhirpath: one expression over one resource. */
#include "cli.h"

#include "stile/fhirpath.h"
#include "stile/format.h"

#define FHIRPATH_FILE_MAX ((size_t)64 << 20)

struct asking {
    const struct cli_args *args;
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_source source;
    struct stile_fhirpath *path;
    struct stile_value *root;
    struct stile_buf out;
};

/* One line an item, whatever the text holds. */
static void print_line(struct asking *a, const struct stile_fhirpath_item *item)
{
    struct stile_buf text;

    stile_buf_init(&text, FHIRPATH_FILE_MAX);
    stile_fhirpath_text(item, &text);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < 0x20 || c == 0x7f) {
            stile_buf_printf(&a->out, "\\u%04x", (unsigned)c);
        } else {
            stile_buf_byte(&a->out, text.ptr[i]);
        }
    }
    stile_buf_byte(&a->out, '\n');
    stile_buf_release(&text);
}

static void print_json(struct asking *a,
                       const struct stile_fhirpath_items *items)
{
    char type[96];

    stile_buf_byte(&a->out, '[');
    for (size_t i = 0; i < items->count; i++) {
        stile_buf_addc(&a->out, i > 0 ? ",\n{\"type\":" : "{\"type\":");
        stile_buf_json_str(&a->out,
                           stile_fhirpath_type_name(&items->list[i], type));
        stile_buf_addc(&a->out, ",\"value\":");
        stile_fhirpath_json(&items->list[i], &a->out);
        stile_buf_byte(&a->out, '}');
    }
    stile_buf_addc(&a->out, "]\n");
}

static bool open_both(struct asking *a)
{
    struct stile_str bytes;

    a->source.name = STILE_STR("expression");
    a->source.text = stile_str_cstr(a->args->words[0]);
    if (stile_fhirpath_parse(&a->source, STILE_FHIRPATH_LIMITS, a->arena,
                             &a->diags, &a->path) != STILE_OK) {
        return false;
    }
    if (!stile__cli_read(a->args->words[1], FHIRPATH_FILE_MAX, a->arena,
                         &bytes)) {
        return false;
    }
    struct stile_json_limits limits = STILE_JSON_LIMITS;
    limits.bytes = FHIRPATH_FILE_MAX;
    limits.values = 5000000;
    return stile_json_decode(bytes, limits, stile_str_cstr(a->args->words[1]),
                             a->arena, &a->diags, &a->root) == STILE_OK;
}

static bool evaluate(struct asking *a)
{
    struct stile_fhirpath_items items;
    struct stile_fhirpath_fault fault;
    struct stile_fhirpath_world world = {.resource = a->root,
                                         .bundle = a->root};

    if (stile_fhirpath_check(a->path, stile_value_text(a->root, "resourceType"),
                             false, &a->diags, NULL) != STILE_OK) {
        return false;
    }
    if (stile_fhirpath_run(a->path, &world, STILE_FHIRPATH_LIMITS, a->arena,
                           &items, &fault) != STILE_OK) {
        (void)stile_diag_at_source(&a->diags, "M222", STILE_ERROR, &a->source,
                                   fault.span, "%s", fault.says);
        return false;
    }
    if (stile__cli_has(a->args, "json")) {
        print_json(a, &items);
    }
    for (size_t i = 0; !stile__cli_has(a->args, "json") && i < items.count;
         i++) {
        print_line(a, &items.list[i]);
    }
    return true;
}

static int run(const struct cli_args *args)
{
    struct asking a = {.args = args};
    bool good;

    a.arena = stile_arena_new((size_t)2 << 30);
    stile_diags_init(&a.diags, a.arena, 0);
    stile_buf_init(&a.out, (size_t)1 << 30);
    good = open_both(&a) && evaluate(&a);
    (void)!stile__cli_diags(stderr, &a.diags);
    good = good && stile__cli_write(stdout, &a.out);
    stile_buf_release(&a.out);
    stile_arena_free(&a.arena);
    return good ? CLI_OK : CLI_FAILED;
}

static const struct cli_option options[] = {CLI_JSON_OPTION};

const struct cli_command stile__cmd_fhirpath = {
    "fhirpath",
    "EXPRESSION FILE",
    2,
    2,
    "evaluate a FHIRPath expression over a resource or bundle",
    "Reads one FHIR R4 resource or Bundle as JSON (- is standard input) and\n"
    "prints what the expression comes to, one item a line, objects as JSON;\n"
    "nothing when it comes to nothing. It is the evaluator of the mappings'\n"
    "conditions: the subset of FHIRPath that mappings/LANGUAGE.md names. What\n"
    "is FHIRPath but outside the subset is refused and said (M121). With\n"
    "--json: an array of objects with `type` and `value`.\n\n"
    "  stile fhirpath \"name.where(use = 'official').given.first()\" p.json\n"
    "  stile fhirpath 'entry.resource.ofType(Observation).count()' b.json\n\n"
    "exit: 0 evaluated; 1 the expression or the file has a fault, which is\n"
    "      said; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
