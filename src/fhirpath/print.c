/* An item as text and as JSON. */
#include "private.h"

struct stile_str
stile_fhirpath_type_name(const struct stile_fhirpath_item *item, char out[96])
{
    struct stile_str name =
        item->type != NULL ? stile_fhir_type_name(item->type)
                           : stile_str_cstr(stile__fp_system_name(item->kind));
    struct stile_str space =
        item->type != NULL ? STILE_STR("FHIR.") : STILE_STR("System.");
    if (space.len + name.len > 96) {
        return STILE_STR_NULL;
    }
    memcpy(out, space.ptr, space.len);
    memcpy(out + space.len, name.ptr, name.len);
    return (struct stile_str){out, space.len + name.len};
}

static void quantity(const struct stile_fhirpath_item *item,
                     struct stile_buf *out)
{
    stile_buf_add(out, item->text);
    if (item->unit.len > 0) {
        stile_buf_printf(out, " '%.*s'", STILE_FMT(item->unit));
    }
}

void stile_fhirpath_text(const struct stile_fhirpath_item *item,
                         struct stile_buf *out)
{
    if (item->kind == STILE_FP_COMPLEX) {
        stile_value_json(item->value, 0, out);
    } else if (item->kind == STILE_FP_QUANTITY) {
        quantity(item, out);
    } else {
        stile_buf_add(out, item->text);
    }
}

void stile_fhirpath_json(const struct stile_fhirpath_item *item,
                         struct stile_buf *out)
{
    if (item->value != NULL) {
        stile_value_json(item->value, 0, out);
        return;
    }
    if (!item->valued) {
        stile_buf_addc(out, "null");
        return;
    }
    switch (item->kind) {
    case STILE_FP_BOOLEAN:
        stile_buf_add(out, item->text);
        break;
    case STILE_FP_INTEGER:
    case STILE_FP_DECIMAL:
        if (stile_number_valid(item->text)) {
            stile_buf_add(out, item->text);
        } else {
            stile_buf_json_str(out, item->text);
        }
        break;
    case STILE_FP_QUANTITY:
        stile_buf_addc(out, "{\"value\":");
        if (stile_number_valid(item->text)) {
            stile_buf_add(out, item->text);
        } else {
            stile_buf_json_str(out, item->text);
        }
        stile_buf_addc(out, ",\"unit\":");
        stile_buf_json_str(out, item->unit);
        stile_buf_byte(out, '}');
        break;
    default:
        stile_buf_json_str(out, item->text);
        break;
    }
}
