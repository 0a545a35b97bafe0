/* Any bytes as a .profiles file. */
#include "stile/schema.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stile_source source = {STILE_STR("fuzz.profiles"),
                                  {(const char *)data, size}};
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);
    struct stile_diags diags;
    STILE_ASSERT(arena != NULL);
    stile_diags_init(&diags, arena, 0);
    struct stile_schema *schema = stile_schema_new(arena);
    enum stile_status status =
        stile_schema_add_profiles(schema, &source, &diags);
    STILE_ASSERT(status == STILE_OK || stile_schema_profile_count(schema) == 0);
    STILE_ASSERT((status == STILE_INVALID) == (diags.errors > 0));
    for (size_t i = 0; i < stile_schema_profile_count(schema); i++) {
        const struct stile_profile *p = stile_schema_profile_at(schema, i);
        STILE_ASSERT(stile_schema_profile(schema, p->name) != NULL);
    }
    stile_arena_free(&arena);
    return 0;
}
