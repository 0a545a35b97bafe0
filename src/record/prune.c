#include <stile/record.h>

static bool holds_nothing(const struct stile_value *value)
{
    switch (value->kind) {
    case STILE_NULL:
        return true;
    case STILE_BOOL:
        return false;
    case STILE_NUMBER:
    case STILE_STRING:
        return value->text.len == 0;
    case STILE_ARRAY:
    case STILE_OBJECT:
        break;
    }
    return value->count == 0;
}

static void remove_nulls(struct stile_value *array)
{
    struct stile_value *next;

    for (struct stile_value *item = array->first; item; item = next) {
        next = item->next;
        if (item->kind == STILE_NULL) {
            stile_value_remove(item);
        }
    }
}

/* The array `_given` of `given`, or the other way round. */
static const struct stile_value *companion(const struct stile_value *object,
                                           struct stile_str name)
{
    for (const struct stile_value *v = object->first; v; v = v->next) {
        struct stile_str longer = v->name.len > name.len ? v->name : name;
        struct stile_str shorter = v->name.len > name.len ? name : v->name;

        if (v->kind == STILE_ARRAY && longer.len == shorter.len + 1 &&
            longer.ptr[0] == '_' && stile_str_ends(longer, shorter)) {
            return v;
        }
    }
    return NULL;
}

/* FHIR R4 JSON, "JSON representation of primitive elements": null stands in
 * an array only to keep it in step with its companion, which holds ids and
 * extensions. Looked at when all members are settled, because a companion
 * may itself have held nothing. */
static void settle_arrays(struct stile_value *object)
{
    for (struct stile_value *v = object->first; v; v = v->next) {
        if (v->kind == STILE_ARRAY && !companion(object, v->name)) {
            remove_nulls(v);
        }
    }
}

static bool only_nulls(const struct stile_value *array)
{
    for (const struct stile_value *v = array->first; v; v = v->next) {
        if (v->kind != STILE_NULL) {
            return false;
        }
    }
    return true;
}

/* All inside `value` is settled. */
static void settle(struct stile_value *value)
{
    struct stile_value *parent = value->parent;

    if (value->kind == STILE_OBJECT) {
        settle_arrays(value);
    } else if (value->kind == STILE_ARRAY &&
               (!parent || parent->kind != STILE_OBJECT || only_nulls(value))) {
        remove_nulls(value);
    }
}

static struct stile_value *deepest(struct stile_value *value)
{
    while (value->first) {
        value = value->first;
    }
    return value;
}

bool stile_value_prune(struct stile_value *value)
{
    struct stile_value *at;

    if (!value) {
        return false;
    }
    for (at = deepest(value); at != value;) {
        struct stile_value *after = at->next ? deepest(at->next) : at->parent;

        settle(at);
        if (holds_nothing(at)) {
            if (at->parent->kind == STILE_OBJECT) {
                stile_value_remove(at);
            } else {
                at->kind = STILE_NULL;
                at->text = STILE_STR_NULL;
            }
        }
        at = after;
    }
    settle(value);
    return !holds_nothing(value);
}
