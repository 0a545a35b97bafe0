/*
 * What a person does to a review: what they sign, what the log says of it, and
 * what goes by their word.
 */
#include "exchange_private.h"

const struct stile_review_item *
stile__review_item(const struct stile_review *review, uint32_t n)
{
    for (size_t i = 0; i < review->item_count; i++) {
        if (review->items[i].n == n) {
            return &review->items[i];
        }
    }
    return NULL;
}

static struct stile_str number(struct stile_arena *arena, int64_t n)
{
    return stile_arena_printf(arena, "%lld", (long long)n);
}

/* A keyed digest: of a short resource a plain one would give it away. */
static struct stile_value *item_value(const struct stile_review_item *item,
                                      const struct stile_exchange_keys *keys,
                                      struct stile_arena *arena)
{
    struct stile_value *value = stile_value_new(arena, STILE_OBJECT);
    char hex[65], content[65];
    stile_digest_hex(&item->digest, hex);
    stile_audit_commit(keys->salt,
                       stile_arena_printf(arena, "%.*s/%.*s %s",
                                          STILE_FMT(item->type),
                                          STILE_FMT(item->id), hex),
                       content);
    stile_value_set_str(arena, value, "content",
                        stile_arena_str(arena, stile_str_cstr(content)));
    stile_value_set_str(arena, value, "data", item->data);
    stile_value_set(value, STILE_STR("n"),
                    stile_value_number(arena, number(arena, item->n)));
    stile_value_set_str(arena, value, "rules", item->rules);
    stile_value_set_str(arena, value, "type", item->type);
    return value;
}

static void set_items(const struct stile_reviewing *reviewing,
                      const struct stile_exchange_keys *keys,
                      struct stile_arena *arena, struct stile_value *object)
{
    struct stile_value *items =
        stile_value_set_new(arena, object, "items", STILE_ARRAY);
    for (size_t i = 0; i < reviewing->item_count; i++) {
        const struct stile_review_item *item =
            stile__review_item(reviewing->review, reviewing->items[i]);
        if (item != NULL) {
            stile_value_push(items, item_value(item, keys, arena));
        }
    }
    stile_value_set(
        object, STILE_STR("review"),
        stile_value_number(arena, number(arena, reviewing->review->id)));
    stile_value_set_str(arena, object, "route", reviewing->review->route);
    stile_value_set_str(arena, object, "to", reviewing->review->partner);
}

void stile__entry_reviewing(const struct stile_reviewing *reviewing,
                            const struct stile_exchange_keys *keys,
                            struct stile_arena *arena,
                            struct stile_value *entry)
{
    set_items(reviewing, keys, arena, entry);
    if (reviewing->act != NULL) {
        stile_value_set(entry, STILE_STR("act"),
                        stile_value_copy(arena, reviewing->act));
    }
    if (reviewing->reason.len > 0) {
        stile_value_set_str(arena, entry, "reason", reviewing->reason);
    }
}

struct stile_str
stile_reviewing_subject(const struct stile_reviewing *reviewing,
                        const struct stile_exchange_keys *keys,
                        struct stile_arena *arena)
{
    struct stile_value *about = stile_value_new(arena, STILE_OBJECT);
    struct stile_digest digest;
    char hex[65];
    set_items(reviewing, keys, arena, about);
    struct stile_str text = stile__canonical(arena, about);
    if (text.ptr == NULL) {
        return STILE_STR_NULL;
    }
    stile_sha256(text, &digest);
    stile_digest_hex(&digest, hex);
    return stile_arena_printf(arena, "review %lld: %zu %s for %.*s, sha256 %s",
                              (long long)reviewing->review->id,
                              reviewing->item_count,
                              reviewing->item_count == 1 ? "item" : "items",
                              STILE_FMT(reviewing->review->partner), hex);
}

struct stile_str stile_reviewing_entry(const struct stile_plan *plan,
                                       const char *type,
                                       const struct stile_reviewing *reviewing,
                                       const struct stile_exchange_keys *keys,
                                       struct stile_arena *arena)
{
    struct stile_value *entry =
        stile__entry_begin(plan, arena, type, reviewing->now);
    char person[65];
    stile_audit_commit(keys->salt, reviewing->review->person, person);
    stile_value_set_str(arena, entry, "person",
                        stile_arena_str(arena, stile_str_cstr(person)));
    stile_value_set_str(arena, entry, "message", reviewing->review->message_id);
    stile__entry_reviewing(reviewing, keys, arena, entry);
    return stile__canonical(arena, entry);
}

/* ---- release ---- */

static enum stile_status may_be_released(const struct stile_reviewing *r,
                                         struct stile_arena *arena,
                                         struct stile_str *ret_why)
{
    for (size_t i = 0; i < r->item_count; i++) {
        const struct stile_review_item *item =
            stile__review_item(r->review, r->items[i]);
        if (item == NULL) {
            *ret_why = stile_arena_printf(arena, "it has no item %u",
                                          (unsigned)r->items[i]);
            return STILE_INVALID;
        }
        if (item->word != STILE_REVIEW_NO_WORD) {
            *ret_why = stile_arena_printf(
                arena, "item %u was %s already", (unsigned)item->n,
                item->word == STILE_REVIEW_RELEASE ? "released" : "refused");
            return STILE_CONFLICT;
        }
        if (item->changed) {
            *ret_why = stile_arena_printf(
                arena,
                "item %u has come in a newer version since: decide on that "
                "one, or ask the sender to send it again; then refuse this",
                (unsigned)item->n);
            return STILE_CONFLICT;
        }
    }
    return STILE_OK;
}

/* What was known of the person, and after it the word that is said now. */
static enum stile_status with_word(const struct stile_reviewing *reviewing,
                                   struct stile__trip *trip)
{
    size_t total = trip->reviewed_count + reviewing->item_count;
    struct stile_review_item *all =
        stile_arena_array(trip->arena, total, sizeof(*all));
    if (all == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < trip->reviewed_count; i++) {
        all[i] = trip->reviewed[i];
    }
    for (size_t i = 0; i < reviewing->item_count; i++) {
        struct stile_review_item *item = &all[trip->reviewed_count + i];
        *item = *stile__review_item(reviewing->review, reviewing->items[i]);
        item->word = STILE_REVIEW_RELEASE;
    }
    trip->reviewed = all;
    trip->reviewed_count = total;
    return STILE_OK;
}

/* The row of the decision that is about the item, or NULL: it is not there. */
static const struct stile_item_decision *
row_of(const struct stile__trip *trip, const struct stile_review_item *item)
{
    const struct stile_decision *d = trip->decision;
    for (size_t i = 0; d != NULL && i < d->count; i++) {
        struct stile_digest digest;
        const struct stile_value *resource =
            trip->resources[d->items[i].resource];
        if (d->items[i].data.len == 0 &&
            stile__review_names(item, trip, resource) &&
            stile__digest_of(resource, trip->plan->json.bytes, &digest) ==
                STILE_OK &&
            stile_digest_eq(&digest, &item->digest)) {
            return &d->items[i];
        }
    }
    return NULL;
}

static struct stile_str reason_of(const struct stile__trip *trip,
                                  const struct stile_item_decision *row)
{
    if (trip->blocked != NULL) {
        return stile_str_cstr(trip->blocked);
    }
    return row != NULL && row->reason_count > 0
               ? row->reasons[0].sentence
               : STILE_STR("it is not in the kept message");
}

static bool all_go(const struct stile__trip *trip,
                   const struct stile_reviewing *reviewing,
                   struct stile_str *ret_why)
{
    for (size_t i = 0; i < reviewing->item_count; i++) {
        const struct stile_review_item *item =
            stile__review_item(reviewing->review, reviewing->items[i]);
        const struct stile_item_decision *row = row_of(trip, item);
        bool goes = row != NULL && trip->blocked == NULL &&
                    row->hold_count == 0 &&
                    (row->outcome == STILE_OUTCOME_RELEASE ||
                     row->outcome == STILE_OUTCOME_CHANGED);
        if (!goes) {
            *ret_why = stile_arena_printf(trip->arena, "item %u stays: %.*s",
                                          (unsigned)item->n,
                                          STILE_FMT(reason_of(trip, row)));
            return false;
        }
    }
    return true;
}

/* Of the review and the items, so that the same release twice is one row. */
static struct stile_str row_key(const struct stile__trip *trip,
                                struct stile_str subject)
{
    struct stile_digest digest;
    char hex[65];
    stile_sha256(stile_arena_printf(trip->arena, "%.*s\x1f%.*s\x1f%.*s\x1f%.*s",
                                    STILE_FMT(trip->plan->gateway),
                                    STILE_FMT(trip->message_id),
                                    STILE_FMT(trip->route->name),
                                    STILE_FMT(subject)),
                 &digest);
    stile_digest_hex(&digest, hex);
    return stile_arena_str(trip->arena, stile_str_cstr(hex));
}

static enum stile_status make_release(struct stile__kept *kept,
                                      const struct stile_reviewing *reviewing,
                                      struct stile_release *ret)
{
    struct stile__trip *trip = &kept->trip;
    struct stile_str body = STILE_STR_NULL;
    enum stile_status status = STILE_OK;
    ret->has_row = reviewing->review->feed.len == 0;
    if (ret->has_row) {
        struct stile_buf out;
        stile_buf_init(&out, trip->plan->json.bytes);
        status = stile__encode(trip, trip->released, trip->released_count,
                               kept->deleted, kept->deleted_count, &out);
        if (status == STILE_OK) {
            body = stile_arena_str(trip->arena, stile_buf_str(&out));
            status = stile__make_row(trip, body, &ret->row);
        }
        stile_buf_release(&out);
        ret->row.key = row_key(
            trip, stile_reviewing_subject(reviewing, trip->keys, trip->arena));
    }
    if (status == STILE_OK) {
        ret->entry = stile__entry_decision(trip, "released", body);
    }
    return status;
}

enum stile_status stile_exchange_release(
    const struct stile_plan *plan, const struct stile_reviewing *reviewing,
    const struct stile_again *again, const struct stile_exchange_keys *keys,
    struct stile_arena *arena, struct stile_release *ret)
{
    struct stile_diags diags;
    struct stile__kept kept;
    stile_diags_init(&diags, arena, 0);
    *ret = (struct stile_release){0};
    enum stile_status status = may_be_released(reviewing, arena, &ret->why);
    if (status == STILE_OK) {
        status = stile__kept_read(plan, again, keys, arena, &diags, &kept);
    }
    if (status == STILE_OK) {
        kept.trip.reviewing = reviewing;
        status = with_word(reviewing, &kept.trip);
    }
    if (status == STILE_OK) {
        status = stile__decide(&kept.trip);
    }
    if (status == STILE_OK && !all_go(&kept.trip, reviewing, &ret->why)) {
        ret->entry =
            stile__entry_decision(&kept.trip, "release-stays", STILE_STR_NULL);
        status = STILE_DENIED;
    } else if (status == STILE_OK) {
        status = make_release(&kept, reviewing, ret);
    }
    bool limited = stile_arena_failed(arena) ||
                   ((status == STILE_OK || status == STILE_DENIED) &&
                    ret->entry.ptr == NULL);
    return limited ? STILE_LIMIT : status;
}
