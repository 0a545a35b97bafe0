/*
 * One person along one route: govern, do the obligations, map out, encode.
 * The same for the first time and for a row that is decided again.
 */
#include "exchange_private.h"

struct stile_str stile__fact_source(struct stile_arena *arena,
                                    struct stile_str sender,
                                    struct stile_str source)
{
    return stile_arena_printf(arena, "%.*s|%.*s", STILE_FMT(sender),
                              STILE_FMT(source));
}

static bool is_named(const struct stile_value *resource, struct stile_str name)
{
    struct stile_str type = stile_value_text(resource, "resourceType");
    struct stile_str id = stile_value_text(resource, "id");
    return name.len == type.len + 1 + id.len && stile_str_starts(name, type) &&
           name.ptr[type.len] == '/' && stile_str_ends(name, id);
}

bool stile__fact_replaced(const struct stile_stored_fact *stored,
                          struct stile_str sender,
                          struct stile_value *const *resources, size_t count)
{
    struct stile_str name = stored->source;
    if (!stile_str_starts(name, sender) || name.len <= sender.len ||
        name.ptr[sender.len] != '|') {
        return false;
    }
    name = stile_str_sub(name, sender.len + 1, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        if (is_named(resources[i], name)) {
            return true;
        }
    }
    return false;
}

static bool said_by(const struct stile_stored_fact *stored,
                    struct stile_str sender)
{
    return stile_str_starts(stored->source, sender) &&
           stored->source.len > sender.len &&
           stored->source.ptr[sender.len] == '|';
}

struct stile_fact stile_stored_fact_at(const struct stile_stored_fact *stored,
                                       stile_time now)
{
    bool holds = (stored->from == 0 || stored->from <= now) &&
                 (stored->until == 0 || now < stored->until);
    return (struct stile_fact){.name = stored->name,
                               .value = holds ? (enum stile_truth)stored->value
                                              : STILE_UNKNOWN,
                               .recipient = stored->recipient,
                               .source = stored->source,
                               .date = stored->date};
}

bool stile_stored_facts_end(const struct stile_stored_fact *facts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (facts[i].from != 0 || facts[i].until != 0) {
            return true;
        }
    }
    return false;
}

/* A glass was broken for one agreement, not for all that the recipient has. */
static bool is_other_glass(const struct stile_stored_fact *stored,
                           struct stile_str agreement)
{
    struct stile_str glass = STILE_STR(STILE_GLASS_SOURCE);
    struct stile_str rest;
    if (!stile_str_eqc(stored->name, "break-glass")) {
        return false;
    }
    rest = stile_str_sub(stored->source, glass.len, SIZE_MAX);
    return !stile_str_starts(stored->source, glass) ||
           !stile_str_starts(rest, agreement) || rest.len <= agreement.len ||
           rest.ptr[agreement.len] != '|';
}

/* Facts of the store that count: not what the record at hand says anew, and
 * not what the recipient said for its own good. */
static bool counts(const struct stile__trip *trip,
                   const struct stile_stored_fact *stored)
{
    const struct stile_partner *to = &trip->plan->partners[trip->route->to];
    return !is_other_glass(stored, trip->route->agreement) &&
           !stile__fact_replaced(stored, trip->route->from, trip->resources,
                                 trip->resource_count) &&
           !(said_by(stored, to->name) &&
             stile_govern_permits(trip->plan->rules, stored->name,
                                  (enum stile_truth)stored->value));
}

static enum stile_status all_facts(struct stile__trip *trip,
                                   const struct stile_fact **ret,
                                   size_t *ret_count)
{
    struct stile_fact *own = NULL;
    size_t own_count = 0;
    enum stile_status status = stile_govern_facts(
        trip->plan->rules, trip->resources, trip->resource_count, trip->family,
        trip->arena, &own, &own_count);
    if (status != STILE_OK) {
        return status;
    }
    struct stile_fact *doubts = NULL;
    size_t doubt_count = 0;
    if (trip->doubt) {
        status = stile_govern_doubt(trip->plan->rules,
                                    trip->plan->partners[trip->route->to].ods,
                                    trip->arena, &doubts, &doubt_count);
        if (status != STILE_OK) {
            return status;
        }
    }
    size_t total = own_count + trip->stored_count + doubt_count;
    struct stile_fact *all =
        stile_arena_array(trip->arena, total, sizeof(*all));
    if (all == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < own_count; i++) {
        all[i] = own[i];
    }
    size_t n = own_count;
    for (size_t i = 0; i < trip->stored_count; i++) {
        const struct stile_stored_fact *stored = &trip->stored[i];
        if (!counts(trip, stored)) {
            continue;
        }
        all[n++] = stile_stored_fact_at(stored, trip->now);
    }
    for (size_t i = 0; i < doubt_count; i++) {
        all[n++] = doubts[i];
    }
    *ret = all;
    *ret_count = n;
    return STILE_OK;
}

static const struct stile_partner *partner_of(const struct stile__trip *trip)
{
    return &trip->plan->partners[trip->route->to];
}

static bool is_disclosure(const struct stile__trip *trip)
{
    return !partner_of(trip)->own;
}

static enum stile_status release_all(struct stile__trip *trip)
{
    trip->released = stile_arena_array(trip->arena, trip->resource_count,
                                       sizeof(*trip->released));
    if (trip->released == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < trip->resource_count; i++) {
        trip->released[i] = trip->resources[i];
    }
    trip->released_count = trip->resource_count;
    return STILE_OK;
}

/* Items without whose they are would be of no use to the recipient, and be
 * taken for another's: they wait with the Patient. */
static bool patient_waits(const struct stile_decision *decision)
{
    for (size_t i = 0; i < decision->count; i++) {
        const struct stile_item_decision *row = &decision->items[i];
        if (row->data.len == 0 && row->outcome == STILE_OUTCOME_HOLD &&
            stile_str_eqc(row->type, "Patient")) {
            return true;
        }
    }
    return false;
}

enum stile_status stile__decide(struct stile__trip *trip)
{
    if (!is_disclosure(trip)) {
        return release_all(trip);
    }
    const struct stile_partner *partner = partner_of(trip);
    struct stile_question question = {
        .sender = trip->plan->ods,
        .recipient = partner->ods,
        .recipient_kind = partner->kind,
        .purpose = trip->route->purpose,
        .agreement = trip->route->agreement,
        .today = stile_date_from_days(stile_london_day(trip->now)),
        .now = trip->now,
        .family = trip->family,
        .resources = trip->resources,
        .resource_count = trip->resource_count};
    enum stile_status status =
        all_facts(trip, &question.facts, &question.fact_count);
    if (status != STILE_OK) {
        return status;
    }
    struct stile_released *released = NULL;
    status = stile__released(trip, &released, &question.released_count);
    if (status != STILE_OK) {
        return status;
    }
    question.released = released;
    status = stile_govern_decide(trip->plan->rules, &question, trip->arena,
                                 &trip->decision);
    if (status != STILE_OK ||
        trip->decision->outcome == STILE_OUTCOME_WITHHOLD ||
        trip->decision->outcome == STILE_OUTCOME_HOLD) {
        return status;
    }
    if (patient_waits(trip->decision)) {
        trip->blocked = "the Patient waits for a person's word";
        return STILE_OK;
    }
    status = stile_govern_apply(trip->plan->rules, &question, trip->decision,
                                trip->keys->pseudonym, trip->arena,
                                &trip->released, &trip->released_count);
    if (status == STILE_DENIED) {
        trip->blocked = "an obligation could not be done";
        trip->released_count = 0;
        return STILE_OK;
    }
    return status == STILE_OK ? stile__mark_withheld(trip) : status;
}

/* ---- encode ---------------------------------------------------------------
 */

static void add_put(struct stile_arena *arena, struct stile_value *entries,
                    const struct stile_value *resource)
{
    struct stile_value *entry =
        stile_value_push(entries, stile_value_new(arena, STILE_OBJECT));
    struct stile_str ref = stile__resource_ref(arena, resource);
    stile_value_set(entry, STILE_STR("resource"),
                    stile_value_copy(arena, resource));
    struct stile_value *request =
        stile_value_set_new(arena, entry, "request", STILE_OBJECT);
    stile_value_set_str(arena, request, "method", STILE_STR("PUT"));
    stile_value_set_str(arena, request, "url", ref);
}

static void add_delete(struct stile_arena *arena, struct stile_value *entries,
                       const struct stile__deleted *deleted)
{
    struct stile_value *entry =
        stile_value_push(entries, stile_value_new(arena, STILE_OBJECT));
    struct stile_value *request =
        stile_value_set_new(arena, entry, "request", STILE_OBJECT);
    stile_value_set_str(arena, request, "method", STILE_STR("DELETE"));
    stile_value_set_str(arena, request, "url",
                        stile_arena_printf(arena, "%.*s/%.*s",
                                           STILE_FMT(deleted->type),
                                           STILE_FMT(deleted->id)));
}

/* FHIR leaves as one transaction Bundle of PUT and DELETE by id: a receiver
 * that takes it twice stands where it stood after the first. */
static struct stile_value *transaction(struct stile__trip *trip,
                                       struct stile_value *const *resources,
                                       size_t count,
                                       const struct stile__deleted *deleted,
                                       size_t deleted_count)
{
    struct stile_arena *arena = trip->arena;
    struct stile_value *bundle = stile_value_new(arena, STILE_OBJECT);
    stile_value_set_str(arena, bundle, "resourceType", STILE_STR("Bundle"));
    stile_value_set_str(arena, bundle, "type", STILE_STR("transaction"));
    struct stile_value *entries =
        stile_value_set_new(arena, bundle, "entry", STILE_ARRAY);
    for (size_t i = 0; i < count; i++) {
        if (!stile_str_eqc(stile_value_text(resources[i], "resourceType"),
                           "MessageHeader")) {
            add_put(arena, entries, resources[i]);
        }
    }
    for (size_t i = 0; i < deleted_count; i++) {
        add_delete(arena, entries, &deleted[i]);
    }
    return bundle;
}

/* "vcse-json" and "vcse-csv" are two forms of the family "vcse-case". */
static struct stile_str family_of_format(struct stile_str format)
{
    return stile_str_starts(format, STILE_STR("vcse-")) ? STILE_STR("vcse-case")
                                                        : format;
}

/* The family holds the one sheet of level 1 beside the tables of level 2, and
 * mappings write both: each form takes its own rows. */
static size_t rows_of_form(const struct stile__trip *trip,
                           struct stile_row *rows, size_t count)
{
    bool sheet = stile_str_eqc(trip->route->format, "vcse-csv");
    struct stile_str family = family_of_format(trip->route->format);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct stile_table *table = stile_schema_table(
            trip->plan->schema, family, STILE_STR_NULL, rows[i].table);
        if (table != NULL && (table->json_name.len == 0) == sheet) {
            rows[kept++] = rows[i];
        }
    }
    return kept;
}

enum stile_status stile__encode(struct stile__trip *trip,
                                struct stile_value *const *resources,
                                size_t count,
                                const struct stile__deleted *deleted,
                                size_t deleted_count, struct stile_buf *out)
{
    const struct stile_format *format = stile_format_find(trip->route->format);
    if (format == NULL) {
        return STILE_UNSUPPORTED;
    }
    struct stile_decoded decoded = {0};
    enum stile_status status = STILE_OK;
    if (stile_str_eqc(trip->route->format, "fhir-json")) {
        decoded.root =
            transaction(trip, resources, count, deleted, deleted_count);
    } else {
        status = stile_map_left(
            trip->plan->maps, family_of_format(trip->route->format), resources,
            count, trip->arena, trip->diags, &decoded.rows, &decoded.row_count);
    }
    if (status != STILE_OK) {
        return status;
    }
    if (stile_str_starts(trip->route->format, STILE_STR("vcse-"))) {
        decoded.row_count = rows_of_form(trip, decoded.rows, decoded.row_count);
    }
    char exported_at[25];
    size_t len = stile_time_format(trip->exported, exported_at);
    status =
        format->encode(&decoded, trip->plan->schema,
                       (struct stile_str){exported_at, len}, out, trip->diags);
    return status != STILE_OK ? status : out->status;
}
