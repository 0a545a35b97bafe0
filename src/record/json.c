#include <stile/record.h>

#define INDENT_MAX 16

static void line_break(struct stile_buf *out, int indent, size_t depth)
{
    if (indent <= 0) {
        return;
    }
    stile_buf_byte(out, '\n');
    for (size_t i = 0; i < depth && out->status == STILE_OK; i++) {
        stile_buf_printf(out, "%*s", indent, "");
    }
}

static void add_name(const struct stile_value *value, int indent,
                     struct stile_buf *out)
{
    if (value->parent->kind == STILE_OBJECT) {
        stile_buf_json_str(out, value->name);
        stile_buf_addc(out, indent > 0 ? ": " : ":");
    }
}

/* A whole scalar or empty container, or the opening bracket. */
static void open_value(const struct stile_value *value, struct stile_buf *out)
{
    switch (value->kind) {
    case STILE_NULL:
        stile_buf_addc(out, "null");
        break;
    case STILE_BOOL:
        stile_buf_addc(out, value->boolean ? "true" : "false");
        break;
    case STILE_NUMBER:
        if (stile_number_valid(value->text)) {
            stile_buf_add(out, value->text);
            break;
        }
        stile_buf_json_str(out, value->text);
        break;
    case STILE_STRING:
        stile_buf_json_str(out, value->text);
        break;
    case STILE_ARRAY:
        stile_buf_addc(out, value->first ? "[" : "[]");
        break;
    case STILE_OBJECT:
        stile_buf_addc(out, value->first ? "{" : "{}");
        break;
    }
}

void stile_value_json(const struct stile_value *value, int indent,
                      struct stile_buf *out)
{
    const struct stile_value *at = value;
    size_t depth = 0;

    if (!value) {
        stile_buf_addc(out, "null");
        return;
    }
    if (indent > INDENT_MAX) {
        indent = INDENT_MAX;
    }
    open_value(at, out);
    while (out->status == STILE_OK) {
        if (at->first) {
            at = at->first;
            depth++;
        } else {
            while (at != value && !at->next) {
                at = at->parent;
                depth--;
                line_break(out, indent, depth);
                stile_buf_byte(out, at->kind == STILE_ARRAY ? ']' : '}');
            }
            if (at == value) {
                return;
            }
            at = at->next;
            stile_buf_byte(out, ',');
        }
        line_break(out, indent, depth);
        add_name(at, indent, out);
        open_value(at, out);
    }
}
