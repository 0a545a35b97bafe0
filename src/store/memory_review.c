/* What waits for a person: as in sqlite_review.c. */
#include "memory.h"

#include <stdlib.h>

static struct record *review_by_id(struct memory_store *m, int64_t id,
                                   size_t *at)
{
    struct record *review;

    for (*at = 0; (review = stile__mem_at(m, REVIEW, at)) != NULL; ++*at) {
        if (review->f.n[REVIEW_ID] == id) {
            return review;
        }
    }
    return NULL;
}

static void end_review(struct memory_store *m, size_t at,
                       enum stile_review_state state, stile_time now,
                       struct stile_str reason, struct stile_str act)
{
    struct fields f = m->tables[REVIEW].items[at]->f;
    struct stile_str message = f.t[REVIEW_MESSAGE];

    f.n[REVIEW_STATE] = stile_review_move(STILE_REVIEW_WAITING, state);
    f.n[REVIEW_ENDED] = now;
    f.t[REVIEW_REASON] = reason;
    f.t[REVIEW_ACT] = act;
    stile__mem_put(m, REVIEW, at, &f);
    if (m->failed == STILE_OK && message.len > 0) {
        stile__mem_leave_message(m, message);
    }
}

static bool waits(const struct record *review)
{
    return review->f.n[REVIEW_STATE] == STILE_REVIEW_WAITING;
}

/* ---- accept ---- */

static void see(struct memory_store *m, const struct stile_review_seen *seen)
{
    struct record *review, *item;
    size_t place;

    for (size_t at = 0; (item = stile__mem_at(m, REVIEW_ITEM, &at)) != NULL;
         at++) {
        struct fields f = item->f;

        review = review_by_id(m, f.n[ITEM_REVIEW], &place);
        if (review && waits(review) && f.n[ITEM_WORD] == STILE_REVIEW_NO_WORD &&
            stile_str_eq(review->f.t[REVIEW_ROUTE], seen->route) &&
            stile_str_eq(review->f.t[REVIEW_PERSON], seen->person) &&
            stile_str_eq(f.t[ITEM_TYPE], seen->type) &&
            stile_str_eq(f.t[ITEM_ID], seen->id) &&
            !stile_digest_eq(&f.digest, &seen->digest)) {
            f.n[ITEM_CHANGED] = 1;
            stile__mem_put(m, REVIEW_ITEM, at, &f);
        }
    }
}

static enum stile_status put(struct memory_store *m,
                             const struct stile_review_new *review,
                             stile_time now)
{
    int64_t id = m->state.next_review;
    struct fields f = {.n = {[REVIEW_ID] = id,
                             [REVIEW_STATE] = STILE_REVIEW_WAITING,
                             [REVIEW_SINCE] = now},
                       .t = {[REVIEW_ROUTE] = review->route,
                             [REVIEW_PARTNER] = review->partner,
                             [REVIEW_PERSON] = review->person,
                             [REVIEW_MESSAGE] = review->message_id,
                             [REVIEW_FEED] = review->feed,
                             [REVIEW_FEED_PERSON] = review->feed_person}};
    size_t at = 0;

    if (review->message_id.len > 0 &&
        !stile__mem_find(m, MESSAGE, &at, &review->message_id, 1)) {
        return STILE_INVALID;
    }
    stile__mem_put(m, REVIEW, SIZE_MAX, &f);
    for (size_t i = 0; i < review->item_count; i++) {
        const struct stile_review_item *item = &review->items[i];
        struct fields put = {
            .n = {[ITEM_REVIEW] = id, [ITEM_N] = (int64_t)i + 1},
            .t = {[ITEM_TYPE] = item->type,
                  [ITEM_ID] = item->id,
                  [ITEM_DATA] = item->data,
                  [ITEM_RULES] = item->rules},
            .digest = item->digest};

        stile__mem_put(m, REVIEW_ITEM, SIZE_MAX, &put);
    }
    m->state.next_review++;
    return STILE_OK;
}

enum stile_status stile__mem_review_accept(struct memory_store *m,
                                           const struct stile_accept *accept)
{
    enum stile_status status = STILE_OK;
    struct record *review;
    size_t at;

    for (size_t i = 0; i < accept->review_end_count; i++) {
        review = review_by_id(m, accept->review_ends[i].id, &at);
        if (review && waits(review)) {
            end_review(m, at, STILE_REVIEW_LAPSED, accept->now,
                       accept->review_ends[i].reason, STILE_STR(""));
        }
    }
    for (size_t i = 0; i < accept->review_seen_count; i++) {
        see(m, &accept->review_seen[i]);
    }
    for (size_t i = 0; i < accept->review_count && status == STILE_OK; i++) {
        status = put(m, &accept->reviews[i], accept->now);
    }
    return status;
}

bool stile__mem_review_needs(struct memory_store *m, struct stile_str message)
{
    struct record *review;

    for (size_t at = 0; (review = stile__mem_at(m, REVIEW, &at)) != NULL;
         at++) {
        if (waits(review) &&
            stile_str_eq(review->f.t[REVIEW_MESSAGE], message)) {
            return true;
        }
    }
    return false;
}

/* ---- a person's act ---- */

static void say_word(struct memory_store *m,
                     const struct stile_review_settle *settle, uint32_t n)
{
    struct record *item;

    for (size_t at = 0; (item = stile__mem_at(m, REVIEW_ITEM, &at)) != NULL;
         at++) {
        struct fields f = item->f;

        if (f.n[ITEM_REVIEW] != settle->id || f.n[ITEM_N] != n) {
            continue;
        }
        if (f.n[ITEM_WORD] != STILE_REVIEW_NO_WORD ||
            (f.n[ITEM_CHANGED] && settle->word == STILE_REVIEW_RELEASE)) {
            stile__mem_fail(m, STILE_CONFLICT);
        }
        f.n[ITEM_WORD] = settle->word;
        stile__mem_put(m, REVIEW_ITEM, at, &f);
        return;
    }
    stile__mem_fail(m, STILE_INVALID);
}

static void settle_one(struct memory_store *m,
                       const struct stile_review_settle *settle)
{
    size_t at;
    struct record *review = review_by_id(m, settle->id, &at);
    struct fields f;

    if (!review || !waits(review)) {
        stile__mem_fail(m, review ? STILE_CONFLICT : STILE_NOT_FOUND);
        return;
    }
    f = review->f;
    for (size_t i = 0; i < settle->item_count; i++) {
        say_word(m, settle, settle->items[i]);
    }
    if (settle->row) {
        stile__mem_fail(
            m, stile_str_eq(settle->row->message_id, f.t[REVIEW_MESSAGE])
                   ? stile__mem_queue_row(m, settle->row, settle->now)
                   : STILE_INVALID);
    }
    if (f.t[REVIEW_FEED].len > 0 && settle->word == STILE_REVIEW_RELEASE) {
        stile__mem_dirty(m, f.t[REVIEW_FEED], f.t[REVIEW_FEED_PERSON],
                         ++m->state.mark);
    }
    if (settle->state != STILE_REVIEW_WAITING && m->failed == STILE_OK) {
        end_review(m, at, settle->state, settle->now, settle->reason,
                   settle->act);
    }
    stile__mem_entries(m, settle->entries, settle->entry_count);
}

static enum stile_status settle(struct stile_store *store,
                                const struct stile_review_settle *settle)
{
    struct memory_store *m = memory_of(store);
    enum stile_status status = stile__review_settle_check(settle);

    if (status != STILE_OK) {
        return status;
    }
    stile__mem_begin(m);
    settle_one(m, settle);
    return stile__mem_end(m);
}

/* ---- asking ---- */

struct wanted {
    struct memory_store *m;
    struct stile_str person;
    int64_t review; /* 0: of the person */
};

static bool is_wanted(const struct record *item, const void *ctx)
{
    const struct wanted *wanted = ctx;
    size_t at;
    const struct record *review =
        review_by_id(wanted->m, item->f.n[ITEM_REVIEW], &at);

    if (wanted->review != 0) {
        return item->f.n[ITEM_REVIEW] == wanted->review;
    }
    return review && stile_str_eq(review->f.t[REVIEW_PERSON], wanted->person) &&
           (waits(review) || item->f.n[ITEM_WORD] != STILE_REVIEW_NO_WORD);
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int item_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    int order = compare(x->f.n[ITEM_REVIEW], y->f.n[ITEM_REVIEW]);

    return order != 0 ? order : compare(x->f.n[ITEM_N], y->f.n[ITEM_N]);
}

static void item_out(struct memory_store *m, const struct record *item,
                     struct stile_arena *arena, struct stile_review_item *ret)
{
    const struct fields *f = &item->f;
    size_t at;
    const struct record *review = review_by_id(m, f->n[ITEM_REVIEW], &at);

    ret->review = f->n[ITEM_REVIEW];
    ret->n = (uint32_t)f->n[ITEM_N];
    ret->type = stile_arena_str(arena, f->t[ITEM_TYPE]);
    ret->id = stile_arena_str(arena, f->t[ITEM_ID]);
    ret->data = stile_arena_str(arena, f->t[ITEM_DATA]);
    ret->rules = stile_arena_str(arena, f->t[ITEM_RULES]);
    ret->digest = f->digest;
    ret->word = (enum stile_review_word)f->n[ITEM_WORD];
    ret->changed = f->n[ITEM_CHANGED] != 0;
    ret->waits = waits(review);
    ret->route = stile_arena_str(arena, review->f.t[REVIEW_ROUTE]);
}

static struct stile_review_item *items_out(struct memory_store *m,
                                           const struct wanted *wanted,
                                           struct stile_arena *arena,
                                           size_t *ret_count)
{
    size_t count = 0;
    struct record **list = stile__mem_sorted(m, REVIEW_ITEM, is_wanted, wanted,
                                             item_order, &count);
    struct stile_review_item *items =
        count > 0 ? stile_arena_array(arena, count, sizeof(*items)) : NULL;

    for (size_t i = 0; items && i < count; i++) {
        item_out(m, list[i], arena, &items[i]);
    }
    free(list);
    *ret_count = count;
    return items;
}

static enum stile_status end_reading(const struct memory_store *m,
                                     const struct stile_arena *arena)
{
    return m->failed != STILE_OK || stile_arena_failed(arena) ? STILE_NOMEM
                                                              : STILE_OK;
}

static enum stile_status reviewed(struct stile_store *store,
                                  struct stile_str person,
                                  struct stile_arena *arena,
                                  struct stile_review_item **ret,
                                  size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct wanted wanted = {m, person, 0};
    struct stile_review_item *items;
    size_t count = 0;

    if (person.len == 0) {
        return STILE_INVALID;
    }
    m->failed = STILE_OK;
    items = items_out(m, &wanted, arena, &count);
    if (end_reading(m, arena) != STILE_OK) {
        return STILE_NOMEM;
    }
    *ret = items;
    *ret_count = count;
    return STILE_OK;
}

static bool is_listed(const struct record *review, const void *ctx)
{
    const int64_t *id = ctx;

    return *id == 0 || review->f.n[REVIEW_ID] == *id;
}

static int review_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    int order;

    if (waits(x) != waits(y)) {
        return waits(x) ? -1 : 1;
    }
    if (waits(x)) {
        order = compare(x->f.n[REVIEW_SINCE], y->f.n[REVIEW_SINCE]);
        return order != 0 ? order
                          : compare(x->f.n[REVIEW_ID], y->f.n[REVIEW_ID]);
    }
    order = compare(y->f.n[REVIEW_ENDED], x->f.n[REVIEW_ENDED]);
    return order != 0 ? order : compare(y->f.n[REVIEW_ID], x->f.n[REVIEW_ID]);
}

static void review_out(struct memory_store *m, const struct record *review,
                       struct stile_arena *arena, struct stile_review *ret)
{
    const struct fields *f = &review->f;
    struct wanted wanted = {m, STILE_STR(""), f->n[REVIEW_ID]};

    ret->id = f->n[REVIEW_ID];
    ret->state = (enum stile_review_state)f->n[REVIEW_STATE];
    ret->since = f->n[REVIEW_SINCE];
    ret->ended = f->n[REVIEW_ENDED];
    ret->route = stile_arena_str(arena, f->t[REVIEW_ROUTE]);
    ret->partner = stile_arena_str(arena, f->t[REVIEW_PARTNER]);
    ret->person = stile_arena_str(arena, f->t[REVIEW_PERSON]);
    ret->message_id = stile_arena_str(arena, f->t[REVIEW_MESSAGE]);
    ret->feed = stile_arena_str(arena, f->t[REVIEW_FEED]);
    ret->feed_person = stile_arena_str(arena, f->t[REVIEW_FEED_PERSON]);
    ret->reason = stile_arena_str(arena, f->t[REVIEW_REASON]);
    ret->act = stile_arena_str(arena, f->t[REVIEW_ACT]);
    ret->items = items_out(m, &wanted, arena, &ret->item_count);
}

static enum stile_status reviews(struct stile_store *store, int64_t id,
                                 size_t limit, struct stile_arena *arena,
                                 struct stile_review **ret, size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct stile_review *list = NULL;
    struct record **all;
    size_t count = 0;

    m->failed = STILE_OK;
    all = stile__mem_sorted(m, REVIEW, is_listed, &id, review_order, &count);
    if (id != 0 && all && count == 0) {
        free(all);
        return STILE_NOT_FOUND;
    }
    count = count < limit ? count : limit;
    if (count > 0) {
        list = stile_arena_array(arena, count, sizeof(*list));
    }
    for (size_t i = 0; list && i < count; i++) {
        review_out(m, all[i], arena, &list[i]);
    }
    free(all);
    if (end_reading(m, arena) != STILE_OK) {
        return STILE_NOMEM;
    }
    *ret = list;
    *ret_count = count;
    return STILE_OK;
}

/* ---- retention ---- */

static bool has_word(struct memory_store *m, int64_t review)
{
    struct record *item;

    for (size_t at = 0; (item = stile__mem_at(m, REVIEW_ITEM, &at)) != NULL;
         at++) {
        if (item->f.n[ITEM_REVIEW] == review &&
            item->f.n[ITEM_WORD] != STILE_REVIEW_NO_WORD) {
            return true;
        }
    }
    return false;
}

struct old {
    struct memory_store *m;
    stile_time before;
};

static bool is_old(const struct record *review, const void *ctx)
{
    const struct old *old = ctx;
    const struct fields *f = &review->f;
    size_t at = 0;

    return !waits(review) && f->n[REVIEW_ENDED] < old->before &&
           (f->t[REVIEW_FEED].len == 0 || !has_word(old->m, f->n[REVIEW_ID])) &&
           !stile__mem_find(old->m, MESSAGE, &at, &f->t[REVIEW_MESSAGE], 1);
}

static int age_order(const void *a, const void *b)
{
    return review_order(b, a);
}

static void drop_review(struct memory_store *m, int64_t id)
{
    struct record *item;
    size_t at;

    for (at = 0; (item = stile__mem_at(m, REVIEW_ITEM, &at)) != NULL; at++) {
        if (item->f.n[ITEM_REVIEW] == id) {
            stile__mem_drop(m, REVIEW_ITEM, at);
        }
    }
    if (review_by_id(m, id, &at)) {
        stile__mem_drop(m, REVIEW, at);
    }
}

uint64_t stile__mem_review_sweep(struct memory_store *m, stile_time before,
                                 uint32_t most)
{
    struct old old = {m, before};
    size_t count = 0;
    uint64_t gone = 0;
    struct record **list =
        stile__mem_sorted(m, REVIEW, is_old, &old, age_order, &count);

    for (size_t i = 0; i < count && gone < most; i++, gone++) {
        drop_review(m, list[i]->f.n[REVIEW_ID]);
    }
    free(list);
    return gone;
}

void stile__mem_review_counts(struct memory_store *m, struct stile_counts *ret)
{
    struct record *review;

    for (size_t at = 0; (review = stile__mem_at(m, REVIEW, &at)) != NULL;
         at++) {
        if (waits(review)) {
            ret->reviews++;
            if (ret->oldest_review == 0 ||
                review->f.n[REVIEW_SINCE] < ret->oldest_review) {
                ret->oldest_review = review->f.n[REVIEW_SINCE];
            }
        }
    }
}

void stile__mem_review_verbs(struct stile_store_ops *ops)
{
    ops->reviews = reviews;
    ops->reviewed = reviewed;
    ops->review_settle = settle;
}
