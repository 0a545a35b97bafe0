/*
 * What the rules hold until a person has looked: which items wait, what a
 * person's word on them is about, and what goes by it.
 *
 * A word is about one resource as the rules were given it, by its digest. So
 * it cannot lift another item, or another version of the same one.
 */
#include "exchange_private.h"

#define RULES_MAX 64 /* that hold one item: more than that keep it */

static bool names(const struct stile_review_item *item,
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
            names(&trip->reviewed[i], trip, resource)) {
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
        if (item->word != STILE_REVIEW_NO_WORD && names(item, trip, resource) &&
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

static enum stile_status waiting_items(const struct stile_exchange *x,
                                       const struct stile__trip *trip,
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
        if (stile__is_export(x) && is_refused(trip, &item)) {
            continue;
        }
        struct stile_review_item *slot =
            stile__list_add(x->arena, ret, sizeof(*slot));
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
            if (!names(item, trip, trip->resources[k])) {
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
    enum stile_status status = waiting_items(x, trip, &items);
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

/* ---- what a person does ---- */

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
        if (d->items[i].data.len == 0 && names(item, trip, resource) &&
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
    if (trip->blocked) {
        return STILE_STR("an obligation could not be done");
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
        bool goes = row != NULL && !trip->blocked && row->hold_count == 0 &&
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
