/*
 * What the rules hold until a person has looked: which items wait, what a
 * person's word on them is about, and what goes by it.
 *
 * A word is about one resource as the rules were given it, by its digest. So
 * it cannot lift another item, or another version of the same one.
 */
#include "exchange_private.h"

#define RULES_MAX 64 /* that hold one item: more than that keep it */

bool stile__review_names(const struct stile_review_item *item,
                         const struct stile__trip *trip,
                         const struct stile_value *resource)
{
    return stile_str_eq(item->route, trip->route->name) &&
           stile_str_eq(item->id, stile_value_text(resource, "id")) &&
           stile_str_eq(item->type, stile_value_text(resource, "resourceType"));
}

/* ---- the word that was said ---- */

struct rule_set {
    struct stile_str *rules;
    size_t count;
};

static void set_rule(struct rule_set *set, struct stile_str rule, bool in)
{
    size_t i = 0;
    while (i < set->count && !stile_str_eq(set->rules[i], rule)) {
        i++;
    }
    if (!in && i < set->count) {
        set->rules[i] = set->rules[--set->count];
    } else if (in && i == set->count && set->count < RULES_MAX) {
        set->rules[set->count++] = rule;
    }
}

/* The later word counts. */
static void take_word(struct rule_set *set,
                      const struct stile_review_item *item)
{
    struct stile_str rest = item->rules, rule;
    while (stile_str_next(&rest, ',', &rule)) {
        set_rule(set, stile_str_trim(rule), item->word == STILE_REVIEW_RELEASE);
    }
}

static bool anything_said(const struct stile__trip *trip,
                          const struct stile_value *resource)
{
    for (size_t i = 0; i < trip->reviewed_count; i++) {
        if (trip->reviewed[i].word == STILE_REVIEW_RELEASE &&
            stile__review_names(&trip->reviewed[i], trip, resource)) {
            return true;
        }
    }
    return false;
}

static enum stile_status words_on(const struct stile__trip *trip,
                                  const struct stile_value *resource,
                                  struct rule_set *ret)
{
    struct stile_digest digest;
    enum stile_status status =
        stile__digest_of(resource, trip->plan->json.bytes, &digest);
    ret->count = 0;
    ret->rules = stile_arena_array(trip->arena, RULES_MAX, sizeof(*ret->rules));
    if (status != STILE_OK || ret->rules == NULL) {
        return status != STILE_OK ? status : STILE_NOMEM;
    }
    for (size_t i = 0; i < trip->reviewed_count; i++) {
        const struct stile_review_item *item = &trip->reviewed[i];
        if (item->word != STILE_REVIEW_NO_WORD &&
            stile__review_names(item, trip, resource) &&
            stile_digest_eq(&item->digest, &digest)) {
            take_word(ret, item);
        }
    }
    return STILE_OK;
}

enum stile_status stile__released(const struct stile__trip *trip,
                                  struct stile_released **ret,
                                  size_t *ret_count)
{
    struct stile__list list = {0};
    for (size_t i = 0; i < trip->resource_count; i++) {
        struct rule_set words;
        if (!anything_said(trip, trip->resources[i])) {
            continue;
        }
        enum stile_status status = words_on(trip, trip->resources[i], &words);
        struct stile_released *released =
            status == STILE_OK && words.count > 0
                ? stile__list_add(trip->arena, &list, sizeof(*released))
                : NULL;
        if (status != STILE_OK) {
            return status;
        }
        if (released != NULL) {
            *released = (struct stile_released){i, words.rules, words.count};
        }
    }
    if (stile_arena_failed(trip->arena)) {
        return STILE_NOMEM;
    }
    *ret = list.items;
    *ret_count = list.count;
    return STILE_OK;
}

/* ---- what waits ---- */

static struct stile_str joined(struct stile_arena *arena,
                               const struct stile_str *words, size_t count)
{
    struct stile_buf text;
    stile_buf_init(&text, 4000); /* below STILE_STORE_TEXT_MAX */
    for (size_t i = 0; i < count; i++) {
        stile_buf_addc(&text, i > 0 ? ", " : "");
        stile_buf_add(&text, words[i]);
    }
    struct stile_str out = text.status == STILE_OK
                               ? stile_arena_str(arena, stile_buf_str(&text))
                               : STILE_STR_NULL;
    stile_buf_release(&text);
    return out;
}

/* The data words of an item that wait. Its fields follow its own row. */
static struct stile_str waiting_data(const struct stile__trip *trip,
                                     size_t item_row)
{
    const struct stile_decision *d = trip->decision;
    struct stile_str words[64 + 1];
    size_t count = 0;
    for (size_t i = item_row + 1;
         i < d->count && d->items[i].data.len > 0 && count < 65; i++) {
        if (d->items[i].hold_count > 0) {
            words[count++] = d->items[i].data;
        }
    }
    return joined(trip->arena, words, count);
}

static enum stile_status make_item(const struct stile__trip *trip,
                                   size_t item_row,
                                   struct stile_review_item *ret)
{
    const struct stile_item_decision *row = &trip->decision->items[item_row];
    const struct stile_value *resource = trip->resources[row->resource];
    ret->type = row->type;
    ret->id = stile_value_text(resource, "id");
    ret->data = waiting_data(trip, item_row);
    ret->rules = joined(trip->arena, row->holds, row->hold_count);
    ret->route = trip->route->name;
    if (ret->rules.len == 0 || row->hold_count > RULES_MAX) {
        return STILE_LIMIT;
    }
    return stile__digest_of(resource, trip->plan->json.bytes, &ret->digest);
}

static bool same_item(const struct stile_review_item *a,
                      const struct stile_review_item *b)
{
    return stile_str_eq(a->route, b->route) && stile_str_eq(a->type, b->type) &&
           stile_str_eq(a->id, b->id) && stile_str_eq(a->rules, b->rules) &&
           stile_digest_eq(&a->digest, &b->digest);
}

/* An export shows the whole record each time; what a person refused of it is
 * not asked again until it changes. A message is its sender asking anew. */
static bool is_refused(const struct stile__trip *trip,
                       const struct stile_review_item *item)
{
    bool refused = false;
    for (size_t i = 0; i < trip->reviewed_count; i++) {
        if (trip->reviewed[i].word != STILE_REVIEW_NO_WORD &&
            same_item(&trip->reviewed[i], item)) {
            refused = trip->reviewed[i].word == STILE_REVIEW_REFUSE;
        }
    }
    return refused;
}

static bool is_asked(const struct stile__trip *trip,
                     const struct stile_review_item *item)
{
    for (size_t i = 0; i < trip->reviewed_count; i++) {
        if (trip->reviewed[i].waits &&
            trip->reviewed[i].word == STILE_REVIEW_NO_WORD &&
            same_item(&trip->reviewed[i], item)) {
            return true;
        }
    }
    return false;
}

/* Which of those that wait are not to be asked about. */
enum leave_out {
    NONE,
    REFUSED,
    REFUSED_AND_ASKED
};

static enum stile_status waiting_items(const struct stile__trip *trip,
                                       enum leave_out leave,
                                       struct stile__list *ret)
{
    for (size_t i = 0; trip->decision != NULL && i < trip->decision->count;
         i++) {
        const struct stile_item_decision *row = &trip->decision->items[i];
        struct stile_review_item item = {0};
        if (row->data.len > 0 || row->hold_count == 0) {
            continue;
        }
        enum stile_status status = make_item(trip, i, &item);
        if (status != STILE_OK) {
            return status;
        }
        if ((leave >= REFUSED && is_refused(trip, &item)) ||
            (leave == REFUSED_AND_ASKED && is_asked(trip, &item))) {
            continue;
        }
        struct stile_review_item *slot =
            stile__list_add(trip->arena, ret, sizeof(*slot));
        if (slot == NULL) {
            return STILE_LIMIT;
        }
        *slot = item;
    }
    return STILE_OK;
}

/* A newer version of what waits: a word on the old one would send it after
 * the new. */
static enum stile_status note_seen(struct stile_exchange *x,
                                   const struct stile__trip *trip)
{
    for (size_t i = 0; i < trip->reviewed_count; i++) {
        const struct stile_review_item *item = &trip->reviewed[i];
        for (size_t k = 0; item->waits && k < trip->resource_count; k++) {
            if (!stile__review_names(item, trip, trip->resources[k])) {
                continue;
            }
            struct stile_review_seen *seen =
                stile__list_add(x->arena, &x->review_seen, sizeof(*seen));
            if (seen == NULL) {
                return STILE_LIMIT;
            }
            *seen = (struct stile_review_seen){.route = trip->route->name,
                                               .person = trip->person,
                                               .type = item->type,
                                               .id = item->id};
            enum stile_status status = stile__digest_of(
                trip->resources[k], x->plan->json.bytes, &seen->digest);
            if (status != STILE_OK) {
                return status;
            }
        }
    }
    return STILE_OK;
}

/* The same for what another trip puts into the queue meanwhile. */
static enum stile_status note_asked(struct stile_exchange *x,
                                    const struct stile__trip *trip,
                                    const struct stile__list *items)
{
    const struct stile_review_item *item = items->items;
    for (size_t i = 0; i < items->count; i++) {
        struct stile_review_seen *seen =
            stile__list_add(x->arena, &x->review_seen, sizeof(*seen));
        if (seen == NULL) {
            return STILE_LIMIT;
        }
        *seen = (struct stile_review_seen){.route = trip->route->name,
                                           .person = trip->person,
                                           .type = item[i].type,
                                           .id = item[i].id,
                                           .digest = item[i].digest};
    }
    return STILE_OK;
}

/* ---- an export: what waits is what waits now ---- */

static bool still_waits(const struct stile__trip *trip, int64_t review,
                        const struct stile__list *items)
{
    const struct stile_review_item *now = items->items;
    size_t open = 0;
    for (size_t i = 0; i < trip->reviewed_count; i++) {
        const struct stile_review_item *old = &trip->reviewed[i];
        bool found = false;
        if (old->review != review || old->word != STILE_REVIEW_NO_WORD) {
            continue;
        }
        for (size_t k = 0; k < items->count && !found; k++) {
            found = same_item(old, &now[k]);
        }
        if (!found) {
            return false;
        }
        open++;
    }
    return open == items->count;
}

static enum stile_status lapse(struct stile_exchange *x,
                               const struct stile__trip *trip, int64_t id)
{
    static const struct stile_str why = STILE_STR(
        "the record or the rules have changed: what waits still waits anew");
    struct stile_review review = {.id = id,
                                  .route = trip->route->name,
                                  .partner =
                                      x->plan->partners[trip->route->to].name,
                                  .person = trip->person};
    struct stile_reviewing reviewing = {
        .review = &review, .reason = why, .now = trip->now};
    struct stile_review_end *end =
        stile__list_add(x->arena, &x->review_ends, sizeof(*end));
    if (end == NULL) {
        return STILE_LIMIT;
    }
    *end = (struct stile_review_end){id, why};
    stile__add_entry(x, stile_reviewing_entry(x->plan, "lapsed", &reviewing,
                                              x->keys, x->arena));
    return STILE_OK;
}

/* True when what waits now waits already. */
static enum stile_status end_others(struct stile_exchange *x,
                                    const struct stile__trip *trip,
                                    const struct stile__list *items,
                                    bool *ret_waits)
{
    int64_t last = 0;
    for (size_t i = 0; i < trip->reviewed_count; i++) {
        const struct stile_review_item *item = &trip->reviewed[i];
        if (!item->waits || item->review == last ||
            !stile_str_eq(item->route, trip->route->name)) {
            continue;
        }
        last = item->review;
        if (items->count > 0 && !*ret_waits && still_waits(trip, last, items)) {
            *ret_waits = true;
            continue;
        }
        enum stile_status status = lapse(x, trip, last);
        if (status != STILE_OK) {
            return status;
        }
    }
    return STILE_OK;
}

static enum stile_status add_review(struct stile_exchange *x,
                                    const struct stile__trip *trip,
                                    const struct stile__list *items)
{
    struct stile_review_new *review =
        stile__list_add(x->arena, &x->reviews, sizeof(*review));
    if (review == NULL) {
        return STILE_LIMIT;
    }
    *review = (struct stile_review_new){
        .route = trip->route->name,
        .partner = x->plan->partners[trip->route->to].name,
        .person = trip->person,
        .message_id = trip->message_id,
        .feed = x->message->feed,
        .feed_person = x->message->feed_person,
        .items = items->items,
        .item_count = items->count};
    stile__event(x, STILE_EVENT_HELD, trip->route->name,
                 "%zu %s for %.*s %s for a person's word: stile review list",
                 items->count, items->count == 1 ? "item" : "items",
                 STILE_FMT(review->partner),
                 items->count == 1 ? "waits" : "wait");
    return STILE_OK;
}

enum stile_status stile__ask_review(struct stile_exchange *x,
                                    const struct stile__trip *trip)
{
    struct stile__list items = {0};
    bool waits = false;
    enum stile_status status =
        waiting_items(trip, stile__is_export(x) ? REFUSED : NONE, &items);
    if (status == STILE_OK && stile__is_export(x)) {
        status = end_others(x, trip, &items, &waits);
    } else if (status == STILE_OK) {
        status = note_seen(x, trip);
        if (status == STILE_OK) {
            status = note_asked(x, trip, &items);
        }
    }
    return status != STILE_OK || waits || items.count == 0
               ? status
               : add_review(x, trip, &items);
}

enum stile_status stile_exchange_again_review(
    const struct stile_plan *plan, const struct stile_again *again,
    const struct stile_exchange_keys *keys, struct stile_arena *arena,
    struct stile_review_new *ret)
{
    struct stile_diags diags;
    struct stile__kept kept;
    struct stile__list items = {0};
    stile_diags_init(&diags, arena, 0);
    enum stile_status status =
        stile__kept_read(plan, again, keys, arena, &diags, &kept);
    if (status == STILE_OK && kept.export) {
        return STILE_NOT_FOUND; /* its next pass asks */
    }
    if (status == STILE_OK) {
        status = stile__decide(&kept.trip);
    }
    if (status == STILE_OK) {
        status = waiting_items(&kept.trip, REFUSED_AND_ASKED, &items);
    }
    if (status != STILE_OK || items.count == 0) {
        return status != STILE_OK ? status : STILE_NOT_FOUND;
    }
    *ret = (struct stile_review_new){
        .route = kept.trip.route->name,
        .partner = plan->partners[kept.trip.route->to].name,
        .person = kept.trip.person,
        .message_id = again->message_id,
        .items = items.items,
        .item_count = items.count};
    return STILE_OK;
}
