/* Any bytes as a mapping file: checked, compiled, its examples run; its tree,
 * faults and all, and what it is exported to. */
#include "stile/map.h"

#include <stdint.h>

static const char tables[] = "family clinic 1\n"
                             "dialect guid=braced\n"
                             "table person key person_ref\n"
                             "    person_ref:s20\n"
                             "    nhs_number:s10?\n"
                             "    name:s50?\n"
                             "    other_name:s50?\n"
                             "    born:d?\n"
                             "    sex:s1?\n"
                             "    score:i4?\n"
                             "    weight:n?\n"
                             "    team_ref:s20?\n"
                             "    deleted:b? sensitive\n"
                             "    private:b? sensitive\n"
                             "table team key team_ref\n"
                             "    team_ref:s20\n"
                             "    team_name:s50?\n"
                             "    lead_ref:s20?\n"
                             "table visit key person_ref+visit_ref\n"
                             "    person_ref:s20\n"
                             "    visit_ref:g\n"
                             "    start_on:d?\n"
                             "    start_at:t?\n"
                             "    precision:s4?\n"
                             "    value:n?\n"
                             "    unit:s20?\n"
                             "    kind:s10?\n"
                             "    note:s200?\n"
                             "    unused:x\n";
static const char codes[] = "left,right,prefer,display,note\n"
                            "F,female,,Female,\nM,male,,,\n";

static void export_both(const struct stile_mapping *mapping,
                        struct stile_arena *arena)
{
    struct stile_value *made = NULL;
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    if (stile_map_export_structure(mapping, STILE_STR("urn:x"), arena, &made) ==
        STILE_OK) {
        stile_map_export_fml(made, &out);
    }
    stile_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stile_source schema_text = {STILE_STR("fuzz.tables"),
                                       {tables, sizeof tables - 1}};
    struct stile_source code = {STILE_STR("sex.csv"),
                                {codes, sizeof codes - 1}};
    struct stile_source map = {STILE_STR("fuzz.map"),
                               {(const char *)data, size}};
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);
    struct stile_diags diags;
    struct stile_mapset *set = NULL;
    STILE_ASSERT(arena != NULL);
    stile_diags_init(&diags, arena, 0);
    struct stile_schema *schema = stile_schema_new(arena);
    enum stile_status status = stile_schema_add(schema, &schema_text, &diags);
    STILE_ASSERT(status == STILE_OK);
    status = stile_mapset_read(schema, &map, 1, &code, 1, arena, &diags, &set);
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    if (set != NULL) {
        (void)stile_mapset_tree(set, STILE_STR(""), &diags, &out);
    }
    for (size_t i = 0; status == STILE_OK && i < stile_mapset_count(set); i++) {
        export_both(stile_mapset_at(set, i), arena);
        stile_mapping_list(stile_mapset_at(set, i), &out);
    }
    stile_buf_release(&out);
    stile_arena_free(&arena);
    return 0;
}
