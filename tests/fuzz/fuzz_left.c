/* Any bytes as FHIR JSON: read off a tape they give the rows and findings that
 * their tree gives, or are refused for the same reason. */
#include "stile/format.h"
#include "stile/map.h"

#include <stdint.h>

static const char tables[] = "family clinic 1\n"
                             "dialect guid=braced\n"
                             "table visit key person_ref+visit_ref\n"
                             "    person_ref:s20\n"
                             "    visit_ref:g\n"
                             "    start_on:d?\n"
                             "    value:n?\n"
                             "    unit:s20?\n"
                             "    kind:s10?\n"
                             "    note:s200?\n";
static const char map[] =
    "mapping a 1\n left csv visit of clinic 1\n right fhir Observation\n"
    " take iff value exists or effective exists\n"
    " visit_ref <-> id : guid\n person_ref <-> subject : ref Patient\n"
    " status = 'final'\n code.text = 'x'\n"
    " start_on <-> effective.ofType(dateTime) : date\n"
    " unit <-> category[0].coding.where(system = 'a').extension('u')"
    ".value.ofType(string)\n"
    " kind <-> category[0].coding.where(system = 'b').code\n"
    " note <-> note[0].text\n"
    " value <-> referenceRange[0].low.value : decimal\n";

struct world {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_mapset *set;
};

/* Sources are kept. */
static const struct stile_source schema_text = {{"fuzz.tables", 11},
                                                {tables, sizeof tables - 1}};
static const struct stile_source source = {{"fuzz.map", 8},
                                           {map, sizeof map - 1}};

static struct world load(void)
{
    struct world w = {.arena = stile_arena_new((size_t)64 << 20)};
    stile_diags_init(&w.diags, w.arena, 0);
    struct stile_schema *schema = stile_schema_new(w.arena);
    STILE_ASSERT(stile_schema_add(schema, &schema_text, &w.diags) == STILE_OK);
    STILE_ASSERT(stile_mapset_compile(schema, &source, 1, NULL, 0, w.arena,
                                      &w.diags, &w.set) == STILE_OK);
    return w;
}

static void same(const struct stile_row *a, const struct stile_row *b,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < a[i].count; c++) {
            STILE_ASSERT(stile_str_eq(a[i].cells[c], b[i].cells[c]));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct stile_json_limits limits = STILE_JSON_LIMITS;
    const struct stile_str bytes = {(const char *)data, size};
    const struct stile_str name = STILE_STR("fuzz"), clinic = {"clinic", 6};
    const uint32_t root = 0;
    struct stile_value *tree = NULL;
    struct stile_tape tape = {0};
    struct stile_row *a = NULL, *b = NULL;
    size_t a_count = 0, b_count = 0;
    struct stile_diags one, two;
    struct world w = load();

    stile_format_setup();
    stile_diags_init(&one, w.arena, 0);
    stile_diags_init(&two, w.arena, 0);
    enum stile_status status =
        stile_json_decode(bytes, limits, name, w.arena, &one, &tree);
    STILE_ASSERT(stile_json_tape(bytes, limits, name, w.arena, &two, &tape) ==
                 status);
    if (status == STILE_OK) {
        STILE_ASSERT(stile_map_left(w.set, clinic, &tree, 1, w.arena, &one, &a,
                                    &a_count) == STILE_OK);
        STILE_ASSERT(stile_map_left_tape(w.set, clinic, &tape, &root, 1,
                                         w.arena, &two, &b,
                                         &b_count) == STILE_OK);
        STILE_ASSERT(a_count == b_count);
        same(a, b, a_count);
    }
    STILE_ASSERT(one.count == two.count && one.errors == two.errors);
    stile_tape_release(&tape);
    stile_arena_free(&w.arena);
    return 0;
}
