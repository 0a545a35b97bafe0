#include "private.h"

/* Ids are often numbers in a row, whose hashes then lie side by side and make
 * long walks: what the multiplication brings to the top is spread. */
static size_t slot_of(const struct stile__refs *refs, struct stile_str id)
{
    uint64_t hash = stile_str_hash(id) * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(hash >> 32) & refs->mask;
}

bool stile__in(const struct stile_str *list, size_t count,
               struct stile_str word)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (stile_str_eq(list[i], word)) {
            return true;
        }
    }
    return false;
}

bool stile__hub(const struct stile_rules *rules, struct stile_str type)
{
    return stile__in(rules->stops_at, rules->stops_count, type);
}

/* Only ids are hashed: "urn:uuid:x" names no type. */
enum stile_status stile__refs_make(struct stile_value *const *resources,
                                   size_t count, struct stile_arena *arena,
                                   struct stile__refs **ret)
{
    struct stile__refs *refs = stile_arena_alloc(arena, sizeof(*refs));
    size_t i, slot, size = 4;

    if (!refs || count > SIZE_MAX / 8) {
        return STILE_NOMEM;
    }
    while (size < count * 2) {
        size *= 2;
    }
    refs->resources = resources;
    refs->count = count;
    refs->mask = size - 1;
    refs->slots = stile_arena_array(arena, size, sizeof(*refs->slots));
    if (!refs->slots) {
        return STILE_NOMEM;
    }
    for (i = 0; i < count; i++) {
        struct stile_str id = stile_value_text(resources[i], "id");

        if (!id.len) {
            continue;
        }
        for (slot = slot_of(refs, id); refs->slots[slot];
             slot = (slot + 1) & refs->mask) {
        }
        refs->slots[slot] = i + 1;
    }
    *ret = refs;
    return STILE_OK;
}

/* "Type/id", also at the end of a URL and before "/_history/..."; or
 * "urn:uuid:id" (R4 2.3.0.1). The type is empty when none is named. */
static void split(struct stile_str reference, struct stile_str *ret_type,
                  struct stile_str *ret_id)
{
    size_t history = stile_str_find_str(reference, STILE_STR("/_history/"));
    size_t i;

    *ret_type = STILE_STR_NULL;
    *ret_id = STILE_STR_NULL;
    if (stile_str_starts(reference, STILE_STR("urn:uuid:"))) {
        *ret_id = stile_str_sub(reference, 9, reference.len - 9);
        return;
    }
    if (history != SIZE_MAX) {
        reference.len = history;
    }
    for (i = reference.len; i > 0 && reference.ptr[i - 1] != '/'; i--) {
    }
    if (i == 0) {
        return;
    }
    *ret_id = stile_str_sub(reference, i, reference.len - i);
    reference.len = i - 1;
    for (i = reference.len; i > 0 && reference.ptr[i - 1] != '/'; i--) {
    }
    *ret_type = stile_str_sub(reference, i, reference.len - i);
}

size_t stile__refs_find(const struct stile__refs *refs,
                        struct stile_str reference)
{
    struct stile_str type, id;
    size_t slot;

    split(reference, &type, &id);
    if (!id.len) {
        return SIZE_MAX;
    }
    for (slot = slot_of(refs, id); refs->slots[slot];
         slot = (slot + 1) & refs->mask) {
        size_t i = refs->slots[slot] - 1;
        const struct stile_value *resource = refs->resources[i];

        if (stile_str_eq(stile_value_text(resource, "id"), id) &&
            (!type.len ||
             stile_str_eq(stile_value_text(resource, "resourceType"), type))) {
            return i;
        }
    }
    return SIZE_MAX;
}

static struct stile_str ods_in(const struct stile_value *identifier)
{
    if (stile_str_eqc(stile_value_text(identifier, "system"),
                      STILE__ODS_SYSTEM)) {
        return stile_value_text(identifier, "value");
    }
    return STILE_STR_NULL;
}

struct stile_str stile__ods_of(const struct stile__refs *refs,
                               struct stile_value *const *resources,
                               const struct stile_value *reference)
{
    struct stile_str ods = ods_in(stile_value_getc(reference, "identifier"));
    int hops;

    /* HealthcareService -> Organization is one hop more. */
    for (hops = 0; !ods.len && reference && hops < 2; hops++) {
        size_t i =
            stile__refs_find(refs, stile_value_text(reference, "reference"));
        const struct stile_value *list, *identifier;

        if (i == SIZE_MAX) {
            break;
        }
        list = stile_value_getc(resources[i], "identifier");
        for (identifier = list ? list->first : NULL; identifier && !ods.len;
             identifier = identifier->next) {
            ods = ods_in(identifier);
        }
        reference = stile_value_getc(resources[i], "providedBy");
    }
    return ods;
}
