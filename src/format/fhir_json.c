/* FHIR R4 in JSON: one resource or Bundle (FHIR R4 section 2.6). Structure is
 * checked later, by stile_fhir_check. */
#include "format_private.h"

struct stile_json_limits stile__json_limits_or(struct stile_json_limits limits)
{
    bool none = limits.bytes == 0 && limits.depth == 0 && limits.values == 0 &&
                limits.string == 0;
    return none ? STILE_JSON_LIMITS : limits;
}

static enum stile_status decode(const struct stile_format_input *input,
                                struct stile_arena *arena,
                                struct stile_diags *diags,
                                struct stile_decoded *ret)
{
    struct stile_value *root = NULL;
    enum stile_status status =
        stile_json_decode(input->bytes, stile__json_limits_or(input->json),
                          input->name, arena, diags, &root);
    if (status != STILE_OK) {
        return status;
    }
    const struct stile_value *type = stile_value_getc(root, "resourceType");
    if (type == NULL || type->kind != STILE_STRING || type->text.len == 0) {
        stile_diag_at_record(diags, "J112", STILE_ERROR, input->name, 1,
                             STILE_STR("resourceType"),
                             "send a FHIR resource: an object with a "
                             "resourceType");
        return STILE_INVALID;
    }
    *ret = (struct stile_decoded){.root = root};
    return STILE_OK;
}

static enum stile_status encode(const struct stile_decoded *decoded,
                                const struct stile_schema *schema,
                                struct stile_str exported_at,
                                struct stile_buf *out,
                                struct stile_diags *diags)
{
    (void)schema;
    (void)exported_at; /* a resource says so in meta */
    if (decoded->root == NULL) {
        stile_diag_at_record(diags, "J113", STILE_ERROR, STILE_STR_NULL, 0,
                             STILE_STR_NULL,
                             "give a resource; there is nothing to write");
        return STILE_INVALID;
    }
    stile_value_json(decoded->root, 0, out);
    return out->status;
}

const struct stile_format stile__format_fhir_json = {
    "fhir-json", "application/fhir+json", ".json", decode, encode};
