/* Any bytes as an expression, over a fixed resource; what follows a NUL is a
 * resource of its own. Checked, evaluated under small limits, printed. */
#include "stile/fhirpath.h"
#include "stile/format.h"

#include <stdint.h>

static const char fixed[] =
    "{\"resourceType\":\"Patient\",\"active\":true,\"birthDate\":\"1970-02\","
    "\"name\":[{\"use\":\"official\",\"given\":[\"Ada\",null,\"Bea\"],"
    "\"_given\":[null,{\"extension\":[{\"url\":\"u\",\"valueCode\":\"c\"}]}]},"
    "{\"family\":\"Sample\"}],\"contained\":[{\"resourceType\":\"Observation\","
    "\"valueQuantity\":{\"value\":1.50,\"unit\":\"mg\"}}]}";

static void evaluate(const struct stile_fhirpath *path,
                     const struct stile_value *root, struct stile_arena *arena)
{
    struct stile_fhirpath_limits limits = STILE_FHIRPATH_LIMITS;
    struct stile_fhirpath_world world = {.resource = root, .bundle = root};
    struct stile_fhirpath_items items;
    struct stile_fhirpath_fault fault;
    limits.items = 1000;
    limits.steps = 20000;
    limits.text = 10000;
    if (stile_fhirpath_run(path, &world, limits, arena, &items, &fault) !=
        STILE_OK) {
        STILE_ASSERT(fault.says != NULL);
        return;
    }
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < items.count; i++) {
        stile_fhirpath_text(&items.list[i], &out);
        stile_fhirpath_json(&items.list[i], &out);
    }
    stile_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stile_str all = {(const char *)data, size};
    size_t cut = stile_str_find(all, '\0');
    struct stile_source source = {STILE_STR("fuzz"), all};
    struct stile_str json = {fixed, sizeof fixed - 1};
    if (cut != SIZE_MAX) {
        source.text.len = cut;
        json = stile_str_sub(all, cut + 1, size - cut - 1);
    }
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);
    struct stile_diags diags;
    struct stile_value *root = NULL;
    struct stile_fhirpath *path = NULL, *term = NULL;
    size_t end = 0;
    stile_diags_init(&diags, arena, 0);
    if (stile_json_decode(json, STILE_JSON_LIMITS, STILE_STR("r"), arena,
                          &diags, &root) == STILE_OK &&
        stile_fhirpath_parse(&source, STILE_FHIRPATH_LIMITS, arena, &diags,
                             &path) == STILE_OK) {
        (void)!stile_fhirpath_check(
            path, stile_value_text(root, "resourceType"), true, &diags, NULL);
        evaluate(path, root, arena);
    }
    if (stile_fhirpath_parse_term(&source, 0, arena, NULL, &term, &end) ==
        STILE_OK) {
        STILE_ASSERT(end <= source.text.len);
    }
    stile_arena_free(&arena);
    return 0;
}
