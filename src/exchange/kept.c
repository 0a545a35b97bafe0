/*
 * Govern twice: the pivot of one person waits beside its rows, and a row that
 * is due after consent or rules moved on is decided again from it.
 *
 * Form: {"family", "person", "exported", "deleted": ["Type/id"], "resources":
 * [...]}; of an export {"routes": {"<route>": ["Type/id"]}} takes the place of
 * "deleted".
 */
#include "exchange_private.h"

static void keep_deleted(struct stile_arena *arena, struct stile_value *object,
                         struct stile_str name,
                         const struct stile__list *deleted)
{
    struct stile_value *list = stile_value_new(arena, STILE_ARRAY);
    stile_value_set(object, name, list);
    const struct stile__deleted *items = deleted->items;
    for (size_t i = 0; i < deleted->count; i++) {
        stile_value_push(
            list, stile_value_string(
                      arena, stile_arena_printf(arena, "%.*s/%.*s",
                                                STILE_FMT(items[i].type),
                                                STILE_FMT(items[i].id))));
    }
}

/* What a message deletes it deletes along every route; what an export deletes
 * depends on what the route was sent before. */
static void keep_deletions(struct stile_exchange *x,
                           const struct stile__person *person,
                           struct stile_value *root)
{
    if (x->message->format.len > 0) {
        keep_deleted(x->arena, root, STILE_STR("deleted"), &person->deleted);
        return;
    }
    struct stile_value *routes =
        stile_value_set_new(x->arena, root, "routes", STILE_OBJECT);
    const struct stile__gone *gone = x->gone.items;
    for (size_t i = 0; i < x->gone.count; i++) {
        keep_deleted(x->arena, routes, gone[i].route, &gone[i].deleted);
    }
}

struct stile_str stile__keep(struct stile_exchange *x,
                             const struct stile__person *person)
{
    struct stile_arena *arena = x->arena;
    struct stile_value *root = stile_value_new(arena, STILE_OBJECT);
    stile_value_set_str(arena, root, "family", x->message->family);
    stile_value_set_str(arena, root, "person", person->key);
    stile_value_set_str(
        arena, root, "exported",
        stile_arena_printf(arena, "%lld", (long long)x->message->now));
    if (x->doubt && x->persons.count == 1) {
        stile_value_set(root, STILE_STR("doubt"),
                        stile_value_bool(arena, true));
    }
    keep_deletions(x, person, root);
    struct stile_value *list =
        stile_value_set_new(arena, root, "resources", STILE_ARRAY);
    struct stile_value *const *resources = person->resources.items;
    /* Of a person who is gone nothing may go out again. */
    size_t count = x->message->gone ? 0 : person->resources.count;
    for (size_t i = 0; i < count; i++) {
        stile_value_push(list, stile_value_copy(arena, resources[i]));
    }
    struct stile_buf out;
    stile_buf_init(&out, x->plan->json.bytes * 2);
    stile_value_json(root, 0, &out);
    struct stile_str body = STILE_STR_NULL;
    if (out.status == STILE_OK) {
        body = stile_arena_str(arena, stile_buf_str(&out));
    }
    stile_buf_release(&out);
    return body;
}

static size_t read_resources(struct stile_arena *arena,
                             const struct stile_value *root,
                             struct stile_value ***ret)
{
    const struct stile_value *list = stile_value_getc(root, "resources");
    size_t count = list != NULL ? list->count : 0, i = 0;
    struct stile_value **out = stile_arena_array(arena, count, sizeof(*out));
    for (struct stile_value *v = list && out ? list->first : NULL; v;
         v = v->next) {
        out[i++] = v;
    }
    *ret = out;
    return i;
}

static size_t read_deleted(struct stile_arena *arena,
                           const struct stile_value *root,
                           struct stile_str route, struct stile__deleted **ret)
{
    const struct stile_value *routes = stile_value_getc(root, "routes");
    const struct stile_value *list = routes != NULL
                                         ? stile_value_get(routes, route)
                                         : stile_value_getc(root, "deleted");
    size_t count = list != NULL ? list->count : 0, i = 0;
    struct stile__deleted *out = stile_arena_array(arena, count, sizeof(*out));
    for (struct stile_value *v = list && out ? list->first : NULL; v;
         v = v->next) {
        size_t slash = stile_str_find(v->text, '/');
        out[i].type = stile_str_sub(v->text, 0, slash);
        out[i++].id = stile_str_sub(v->text, slash + 1, SIZE_MAX);
    }
    *ret = out;
    return i;
}

static const struct stile_route *route_named(const struct stile_plan *plan,
                                             struct stile_str name)
{
    for (size_t i = 0; i < plan->route_count; i++) {
        if (stile_str_eq(plan->routes[i].name, name)) {
            return &plan->routes[i];
        }
    }
    return NULL;
}

static enum stile_status again_with(struct stile__trip *trip, bool export,
                                    const struct stile__deleted *deleted,
                                    size_t deleted_count,
                                    struct stile_str *ret_body,
                                    struct stile_str *ret_entry)
{
    enum stile_status status =
        trip->resource_count > 0 ? stile__decide(trip) : STILE_OK;
    if (status != STILE_OK) {
        return status;
    }
    /* As in outcome.c: an export's deletions go out where nothing else may,
     * and of a person who is gone there is nothing to be decided. */
    bool deletes = export && deleted_count > 0 &&
                   stile_str_eqc(trip->route->format, "fhir-json");
    if (trip->released_count == 0 && !deletes) {
        *ret_entry = stile__entry_decision(trip, "withdrawal", STILE_STR_NULL);
        return ret_entry->ptr == NULL ? STILE_LIMIT : STILE_DENIED;
    }
    struct stile_buf out;
    stile_buf_init(&out, trip->plan->json.bytes);
    status = stile__encode(trip, trip->released, trip->released_count, deleted,
                           deleted_count, &out);
    if (status == STILE_OK) {
        *ret_body = stile_arena_str(trip->arena, stile_buf_str(&out));
        *ret_entry = stile__entry_decision(trip, "decided-again", *ret_body);
        status = stile_arena_failed(trip->arena) || ret_entry->ptr == NULL
                     ? STILE_LIMIT
                     : STILE_OK;
    }
    stile_buf_release(&out);
    return status;
}

/* Our own writing: the arena bounds it, not what a sender may send. */
static enum stile_status decode_kept(struct stile_str kept,
                                     struct stile_json_limits limits,
                                     struct stile_arena *arena,
                                     struct stile_diags *diags,
                                     struct stile_value **ret)
{
    limits.bytes = kept.len;
    limits.string = kept.len;
    limits.values = UINT32_MAX;
    limits.depth += 4;
    return stile_json_decode(kept, limits, STILE_STR("kept message"), arena,
                             diags, ret);
}

enum stile_status stile__kept_read(const struct stile_plan *plan,
                                   const struct stile_again *again,
                                   const struct stile_exchange_keys *keys,
                                   struct stile_arena *arena,
                                   struct stile_diags *diags,
                                   struct stile__kept *ret)
{
    const struct stile_route *route = route_named(plan, again->route);
    if (route == NULL) {
        return STILE_NOT_FOUND;
    }
    struct stile_value *root = NULL;
    enum stile_status status =
        decode_kept(again->kept, plan->json, arena, diags, &root);
    if (status != STILE_OK) {
        return status;
    }
    int64_t exported = again->now;
    if (!stile_str_to_int64(stile_value_text(root, "exported"), &exported)) {
        exported = again->now; /* kept by an older gateway */
    }
    struct stile_value **resources = NULL;
    size_t count = read_resources(arena, root, &resources);
    ret->export = stile_value_getc(root, "routes") != NULL;
    ret->deleted_count = read_deleted(arena, root, again->route, &ret->deleted);
    ret->trip =
        (struct stile__trip){.plan = plan,
                             .route = route,
                             .keys = keys,
                             .arena = arena,
                             .diags = diags,
                             .family = stile_value_text(root, "family"),
                             .person = stile_value_text(root, "person"),
                             .resources = resources,
                             .resource_count = count,
                             .stored = again->facts,
                             .stored_count = again->fact_count,
                             .epoch = again->epoch,
                             .doubt = stile_value_getc(root, "doubt") != NULL,
                             .now = again->now,
                             .exported = exported,
                             .message_id = again->message_id,
                             .reviewed = again->reviewed,
                             .reviewed_count = again->reviewed_count};
    return STILE_OK;
}

enum stile_status stile_exchange_again(const struct stile_plan *plan,
                                       const struct stile_again *again,
                                       const struct stile_exchange_keys *keys,
                                       struct stile_arena *arena,
                                       struct stile_str *ret_body,
                                       struct stile_str *ret_entry)
{
    struct stile_diags diags;
    struct stile__kept kept;
    stile_diags_init(&diags, arena, 0);
    enum stile_status status =
        stile__kept_read(plan, again, keys, arena, &diags, &kept);
    if (status != STILE_OK) {
        return status;
    }
    return again_with(&kept.trip, kept.export, kept.deleted, kept.deleted_count,
                      ret_body, ret_entry);
}

static bool has_number(const struct stile_value *patient,
                       struct stile_str number)
{
    const struct stile_value *id = stile_value_getc(patient, "identifier");
    for (id = id != NULL ? id->first : NULL; id != NULL; id = id->next) {
        if (number.len > 0 &&
            stile_str_eq(stile_value_text(id, "value"), number)) {
            return true;
        }
    }
    return false;
}

enum stile_status stile_reviewing_patient(const struct stile_review *review,
                                          struct stile_str kept,
                                          struct stile_json_limits limits,
                                          struct stile_arena *arena,
                                          const struct stile_value **ret)
{
    struct stile_diags diags;
    struct stile_value *root = NULL, **resources = NULL;
    const struct stile_value *patient = NULL;
    stile_diags_init(&diags, arena, 0);
    enum stile_status status = decode_kept(kept, limits, arena, &diags, &root);
    if (status != STILE_OK) {
        return status;
    }
    size_t count = read_resources(arena, root, &resources), patients = 0;
    for (size_t i = 0; i < count; i++) {
        if (!stile_str_eqc(stile_value_text(resources[i], "resourceType"),
                           "Patient")) {
            continue;
        }
        patients++;
        patient = resources[i];
        if (has_number(patient, review->person)) {
            patients = 1;
            break;
        }
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    if (patients != 1) {
        return STILE_NOT_FOUND;
    }
    *ret = patient;
    return STILE_OK;
}

enum stile_status
stile_reviewing_content(const struct stile_reviewing *reviewing,
                        struct stile_str kept, struct stile_json_limits limits,
                        struct stile_arena *arena,
                        const struct stile_value ***ret)
{
    struct stile_diags diags;
    struct stile_value *root = NULL, **resources = NULL;
    stile_diags_init(&diags, arena, 0);
    enum stile_status status = decode_kept(kept, limits, arena, &diags, &root);
    if (status != STILE_OK) {
        return status;
    }
    size_t count = read_resources(arena, root, &resources);
    const struct stile_value **out = stile_arena_array(
        arena, reviewing->item_count + 1, sizeof(struct stile_value *));
    for (size_t i = 0; out != NULL && i < reviewing->item_count; i++) {
        const struct stile_review_item *item =
            stile__review_item(reviewing->review, reviewing->items[i]);
        for (size_t k = 0; item != NULL && k < count; k++) {
            struct stile_digest digest;
            if (stile__digest_of(resources[k], SIZE_MAX, &digest) == STILE_OK &&
                stile_digest_eq(&digest, &item->digest)) {
                out[i] = resources[k];
            }
        }
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = out;
    return STILE_OK;
}
