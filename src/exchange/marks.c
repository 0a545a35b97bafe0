/*
 * What a route last sent of a person, beside what it may send now: only what
 * changed of an export goes out, and what vanished is deleted there.
 */
#include "exchange_private.h"

static const struct stile_sent_mark *find_mark(const struct stile_need *answer,
                                               struct stile_str route,
                                               struct stile_str type,
                                               struct stile_str id)
{
    for (size_t i = 0; i < answer->sent_count; i++) {
        const struct stile_sent_mark *mark = &answer->sent[i];
        if (stile_str_eq(mark->route, route) &&
            stile_str_eq(mark->type, type) && stile_str_eq(mark->id, id)) {
            return mark;
        }
    }
    return NULL;
}

static bool mark_is_removed(const struct stile_sent_mark *mark)
{
    struct stile_digest zero = {{0}};
    return memcmp(&mark->digest, &zero, sizeof(zero)) == 0;
}

enum stile_status stile__digest_of(const struct stile_value *resource,
                                   size_t limit, struct stile_digest *ret)
{
    struct stile_buf json;
    stile_buf_init(&json, limit);
    stile_value_json(resource, 0, &json);
    enum stile_status status = json.status;
    if (status == STILE_OK) {
        stile_sha256(stile_buf_str(&json), ret);
    }
    stile_buf_release(&json);
    return status;
}

static struct stile_sent_mark *add_mark(struct stile_exchange *x,
                                        const struct stile__trip *trip,
                                        struct stile_str type,
                                        struct stile_str id)
{
    struct stile_sent_mark *mark =
        stile__list_add(x->arena, &x->sent, sizeof(*mark));
    if (mark != NULL) {
        mark->route = trip->route->name;
        mark->person = trip->person;
        mark->type = type;
        mark->id = id;
    }
    return mark;
}

static bool in_pivot(const struct stile__trip *trip, struct stile_str type,
                     struct stile_str id)
{
    for (size_t i = 0; i < trip->resource_count; i++) {
        if (stile_str_eq(stile_value_text(trip->resources[i], "id"), id) &&
            stile_str_eq(stile_value_text(trip->resources[i], "resourceType"),
                         type)) {
            return true;
        }
    }
    return false;
}

/* Also what is no part of the record: the note that items stayed. */
static bool is_released(const struct stile__trip *trip, struct stile_str type,
                        struct stile_str id)
{
    for (size_t i = 0; i < trip->released_count; i++) {
        if (stile_str_eq(stile_value_text(trip->released[i], "id"), id) &&
            stile_str_eq(stile_value_text(trip->released[i], "resourceType"),
                         type)) {
            return true;
        }
    }
    return false;
}

/* A row that waits or failed may be any resource of its type: nothing of
 * that type is called deleted this time. */
static bool may_be_waiting(const struct stile_exchange *x,
                           struct stile_str type)
{
    const struct stile_str *types = x->held_types.items;
    for (size_t i = 0; i < x->held_types.count; i++) {
        if (stile_str_eq(types[i], type)) {
            return true;
        }
    }
    return x->quarantine.count > 0;
}

enum stile_status stile__changed_resources(struct stile_exchange *x,
                                           struct stile__trip *trip,
                                           const struct stile_need *answer,
                                           struct stile__list *ret_changed)
{
    for (size_t i = 0; i < trip->released_count; i++) {
        struct stile_value *resource = trip->released[i];
        struct stile_str type = stile_value_text(resource, "resourceType");
        struct stile_str id = stile_value_text(resource, "id");
        struct stile_digest digest;
        enum stile_status status =
            stile__digest_of(resource, x->plan->json.bytes, &digest);
        if (status != STILE_OK) {
            return status;
        }
        const struct stile_sent_mark *old =
            find_mark(answer, trip->route->name, type, id);
        if (old != NULL && stile_digest_eq(&old->digest, &digest)) {
            continue;
        }
        struct stile_sent_mark *mark = add_mark(x, trip, type, id);
        struct stile_value **slot = stile__list_add(
            x->arena, ret_changed, sizeof(struct stile_value *));
        if (mark == NULL || slot == NULL) {
            return STILE_LIMIT;
        }
        mark->digest = digest;
        *slot = resource;
    }
    return STILE_OK;
}

enum stile_status stile__vanished_resources(struct stile_exchange *x,
                                            struct stile__trip *trip,
                                            const struct stile_need *answer,
                                            struct stile__list *ret_deleted)
{
    for (size_t i = 0; i < answer->sent_count; i++) {
        const struct stile_sent_mark *old = &answer->sent[i];
        if (!stile_str_eq(old->route, trip->route->name) ||
            mark_is_removed(old) || in_pivot(trip, old->type, old->id) ||
            is_released(trip, old->type, old->id) ||
            may_be_waiting(x, old->type)) {
            continue;
        }
        struct stile__deleted *gone =
            stile__list_add(x->arena, ret_deleted, sizeof(*gone));
        if (gone == NULL || add_mark(x, trip, old->type, old->id) == NULL) {
            return STILE_LIMIT;
        }
        gone->type = old->type;
        gone->id = old->id;
    }
    return STILE_OK;
}
