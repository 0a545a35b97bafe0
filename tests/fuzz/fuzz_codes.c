/* Any bytes as a code table: as CSV, and as a ConceptMap. */
#include "stile/map.h"

#include <stdint.h>

static void compile(const struct stile_source *code)
{
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);
    struct stile_diags diags;
    struct stile_mapset *set = NULL;
    struct stile_value *map = NULL;
    STILE_ASSERT(arena != NULL);
    stile_diags_init(&diags, arena, 0);
    enum stile_status status = stile_mapset_compile(
        stile_schema_new(arena), NULL, 0, code, 1, arena, &diags, &set);
    if (status == STILE_OK) {
        /* What was read goes out and is a ConceptMap. */
        status = stile_map_export_codes(set, STILE_STR("fuzz"),
                                        STILE_STR("urn:x"), arena, &map);
        STILE_ASSERT(status == STILE_OK || status == STILE_NOMEM);
    }
    stile_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stile_str text = {(const char *)data, size};
    compile(&(struct stile_source){STILE_STR("codes/fuzz.csv"), text});
    compile(&(struct stile_source){STILE_STR("codes/fuzz.json"), text});
    return 0;
}
