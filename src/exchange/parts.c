/*
 * Parts of one resource. Some sources keep what FHIR holds in one resource in
 * several tables (SystmOne: a patient, their addresses, their telephones), and
 * each row becomes a resource of the same type and id. They are one: lists of
 * objects are put together, an object goes into the object, and of anything
 * else what came first stays.
 *
 * So is a person who stands in several rows of a sheet of cases. There the rows
 * say the same things, so what differs is a contradiction, not another part.
 */
#include "exchange_private.h"

static bool holds_objects(const struct stile_value *array)
{
    for (const struct stile_value *item = array->first; item != NULL;
         item = item->next) {
        if (item->kind != STILE_OBJECT) {
            return false;
        }
    }
    return true;
}

static void append(struct stile_value *into, struct stile_value *from)
{
    struct stile_value *next = NULL;
    for (struct stile_value *item = from->first; item != NULL; item = next) {
        bool there = false;
        next = item->next;
        for (const struct stile_value *old = into->first; old != NULL && !there;
             old = old->next) {
            there = stile_value_equal(old, item);
        }
        if (!there) {
            stile_value_remove(item);
            (void)stile_value_push(into, item);
        }
    }
}

/* As deep as the mapping wrote it, which the language bounds. */
static void put_into(struct stile_value *into, struct stile_value *from)
{
    struct stile_value *next = NULL;
    for (struct stile_value *child = from->first; child != NULL; child = next) {
        struct stile_value *old = stile_value_get(into, child->name);
        next = child->next;
        if (old == NULL) {
            struct stile_str name = child->name;
            stile_value_remove(child);
            (void)stile_value_add(into, name, child);
        } else if (old->kind == STILE_OBJECT && child->kind == STILE_OBJECT) {
            put_into(old, child);
        } else if (old->kind == STILE_ARRAY && child->kind == STILE_ARRAY &&
                   holds_objects(old) && holds_objects(child)) {
            append(old, child);
        }
    }
}

/* Each may say what the other leaves out, and nothing else. */
static bool agree(const struct stile_value *a, const struct stile_value *b)
{
    for (const struct stile_value *child = a->first; child != NULL;
         child = child->next) {
        const struct stile_value *other = stile_value_get(b, child->name);
        bool objects = other != NULL && other->kind == STILE_OBJECT &&
                       child->kind == STILE_OBJECT;
        if (other != NULL && !(objects ? agree(child, other)
                                       : stile_value_equal(child, other))) {
            return false;
        }
    }
    return true;
}

static void refuse(struct stile_exchange *x, const struct stile_value *resource)
{
    (void)stile_diag_at_record(
        &x->diags, "X113", STILE_ERROR, x->message->name, 0,
        stile_value_text(resource, "resourceType"),
        "rows of one id say different things: make them the same, or give "
        "each its own id");
}

enum stile_status stile__join_parts(struct stile_exchange *x)
{
    struct stile_value **pivot = x->pivot.items;
    struct stile__map whole = {0}; /* "Type/id" -> the first of them */
    size_t kept = 0;
    bool export = x->message->format.len == 0;
    if (!export && x->row_count == 0) {
        return STILE_OK; /* a Bundle's resources are its own: X111 */
    }
    for (size_t i = 0; i < x->pivot.count; i++) {
        struct stile_str ref = stile__resource_ref(x->arena, pivot[i]);
        struct stile_value *first = stile__map_get(&whole, ref);
        if (first != NULL && stile_value_text(pivot[i], "id").len > 0) {
            if (!export && !agree(first, pivot[i])) {
                refuse(x, pivot[i]);
                return STILE_INVALID;
            }
            put_into(first, pivot[i]);
            continue;
        }
        stile__map_put(x->arena, &whole, ref, pivot[i]);
        pivot[kept++] = pivot[i];
    }
    x->pivot.count = kept;
    return STILE_OK;
}
