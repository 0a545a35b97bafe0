/* Any bytes as JSON: what is taken writes out and reads back equal. */
#include <stile/format.h>
#include <stile/schema.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stile_arena *arena = stile_arena_new(64u << 20);
    struct stile_str bytes = {(const char *)data, size};
    struct stile_json_limits limits = STILE_JSON_LIMITS;
    struct stile_value *one = NULL;
    struct stile_value *two = NULL;
    struct stile_diags diags;
    struct stile_buf out;

    stile_format_setup();
    stile_buf_init(&out, 16u << 20);
    stile_diags_init(&diags, arena, 0);
    if (stile_json_decode(bytes, limits, STILE_STR("fuzz"), arena, &diags,
                          &one) == STILE_OK) {
        stile_fhir_check(one, STILE_STR("fuzz"), &diags);
        stile_value_json(one, 0, &out);
        STILE_ASSERT(stile_json_decode(stile_buf_str(&out), limits,
                                       STILE_STR("again"), arena, &diags,
                                       &two) == STILE_OK);
        STILE_ASSERT(stile_value_equal(one, two));
    } else {
        STILE_ASSERT(diags.errors > 0 || stile_arena_failed(arena));
    }
    stile_buf_release(&out);
    stile_arena_free(&arena);
    return 0;
}
