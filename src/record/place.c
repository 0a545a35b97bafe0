#include <stile/record.h>

#define NAME_SHOWN_MAX 64

/* A member's name and resourceType come from the sender, who could put a
 * patient's value there. Only what looks like a FHIR element's name is
 * shown. */
static bool plain_name(struct stile_str name)
{
    if (name.len == 0 || name.len > NAME_SHOWN_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

        if (!letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return true;
}

static const struct stile_value *ancestor(const struct stile_value *value,
                                          size_t up)
{
    while (up > 0) {
        value = value->parent;
        up--;
    }
    return value;
}

static size_t index_of(const struct stile_value *value)
{
    size_t index = 0;

    for (const struct stile_value *v = value->prev; v; v = v->prev) {
        index++;
    }
    return index;
}

void stile_value_place(const struct stile_value *value, struct stile_buf *out)
{
    size_t depth = 0;
    struct stile_str type;
    bool begun;

    if (!value) {
        return;
    }
    for (const struct stile_value *v = value; v->parent; v = v->parent) {
        depth++;
    }
    type = stile_value_text(ancestor(value, depth), "resourceType");
    begun = plain_name(type);
    if (begun) {
        stile_buf_add(out, type);
    } else if (depth == 0) {
        stile_buf_byte(out, '$');
    }
    for (; depth > 0; depth--) {
        const struct stile_value *v = ancestor(value, depth - 1);

        if (v->parent->kind == STILE_ARRAY) {
            stile_buf_printf(out, "[%zu]", index_of(v));
        } else {
            stile_buf_addc(out, begun ? "." : "");
            stile_buf_add(out, plain_name(v->name) ? v->name : STILE_STR("?"));
        }
        begun = true;
    }
}
