/* What waits for a person: how it comes, what ends it, and who is asked. */
#include "sqlite.h"

/* The kept message goes with the last that needs it. */
static void leave_message(struct sqlite_store *s, struct stile_str id)
{
    if (id.len > 0) {
        stile__sql_text(s, SQL_MESSAGE_LEAVE, 1, id);
        stile__sql_run(s, SQL_MESSAGE_LEAVE);
        stile__sql_text(s, SQL_MESSAGE_DROP, 1, id);
        stile__sql_run(s, SQL_MESSAGE_DROP);
        s->state.counts.messages -= stile__sql_changes(s);
    }
}

static void end_review(struct sqlite_store *s, int64_t id,
                       enum stile_review_state state, stile_time now,
                       struct stile_str reason, struct stile_str act)
{
    stile__sql_int(s, SQL_REVIEW_END, 1, id);
    stile__sql_int(s, SQL_REVIEW_END, 2,
                   stile_review_move(STILE_REVIEW_WAITING, state));
    stile__sql_int(s, SQL_REVIEW_END, 3, now);
    stile__sql_text(s, SQL_REVIEW_END, 4, reason);
    stile__sql_text(s, SQL_REVIEW_END, 5, act);
    stile__sql_run(s, SQL_REVIEW_END);
}

struct head {
    enum stile_review_state state;
    char texts[3][STILE_STORE_TEXT_MAX];
    struct stile_str message_id, feed, feed_person; /* point into texts */
};

static struct stile_str keep(struct sqlite_store *s, int at, char *to)
{
    struct stile_str from = stile__sql_column(s, SQL_REVIEW_GET, at);
    size_t len =
        from.len < STILE_STORE_TEXT_MAX ? from.len : STILE_STORE_TEXT_MAX;

    memcpy(to, from.ptr, len);
    return (struct stile_str){to, len};
}

static bool head_of(struct sqlite_store *s, int64_t id, struct head *ret)
{
    int64_t state;

    stile__sql_int(s, SQL_REVIEW_GET, 1, id);
    if (!stile__sql_row(s, SQL_REVIEW_GET)) {
        return false;
    }
    state = stile__sql_number(s, SQL_REVIEW_GET, 0);
    ret->message_id = keep(s, 1, ret->texts[0]);
    ret->feed = keep(s, 2, ret->texts[1]);
    ret->feed_person = keep(s, 3, ret->texts[2]);
    stile__sql_end(s, SQL_REVIEW_GET);
    if (state < 0 || state >= STILE_REVIEW_COUNT) {
        stile__sql_fail(s, STILE_IO);
        return false;
    }
    ret->state = (enum stile_review_state)state;
    return s->failed == STILE_OK;
}

/* ---- accept ---- */

static void lapse(struct sqlite_store *s, const struct stile_review_end *end,
                  stile_time now)
{
    struct head head;

    if (head_of(s, end->id, &head) && head.state == STILE_REVIEW_WAITING) {
        end_review(s, end->id, STILE_REVIEW_LAPSED, now, end->reason,
                   STILE_STR(""));
        leave_message(s, head.message_id);
    }
}

static void seen(struct sqlite_store *s, const struct stile_review_seen *seen)
{
    stile__sql_text(s, SQL_REVIEW_SEEN, 1, seen->route);
    stile__sql_text(s, SQL_REVIEW_SEEN, 2, seen->person);
    stile__sql_text(s, SQL_REVIEW_SEEN, 3, seen->type);
    stile__sql_text(s, SQL_REVIEW_SEEN, 4, seen->id);
    stile__sql_digest(s, SQL_REVIEW_SEEN, 5, &seen->digest);
    stile__sql_run(s, SQL_REVIEW_SEEN);
}

static void put_item(struct sqlite_store *s, int64_t review, size_t n,
                     const struct stile_review_item *item)
{
    stile__sql_int(s, SQL_REVIEW_ITEM_PUT, 1, review);
    stile__sql_int(s, SQL_REVIEW_ITEM_PUT, 2, (int64_t)n);
    stile__sql_text(s, SQL_REVIEW_ITEM_PUT, 3, item->type);
    stile__sql_text(s, SQL_REVIEW_ITEM_PUT, 4, item->id);
    stile__sql_digest(s, SQL_REVIEW_ITEM_PUT, 5, &item->digest);
    stile__sql_text(s, SQL_REVIEW_ITEM_PUT, 6, item->data);
    stile__sql_text(s, SQL_REVIEW_ITEM_PUT, 7, item->rules);
    stile__sql_run(s, SQL_REVIEW_ITEM_PUT);
}

static enum stile_status put(struct sqlite_store *s,
                             const struct stile_review_new *review,
                             stile_time now)
{
    int64_t id;

    if (review->message_id.len > 0) {
        stile__sql_text(s, SQL_MESSAGE_USE, 1, review->message_id);
        stile__sql_run(s, SQL_MESSAGE_USE);
        if (s->failed == STILE_OK && stile__sql_changes(s) == 0) {
            return STILE_INVALID;
        }
    }
    stile__sql_text(s, SQL_REVIEW_PUT, 1, review->route);
    stile__sql_text(s, SQL_REVIEW_PUT, 2, review->partner);
    stile__sql_text(s, SQL_REVIEW_PUT, 3, review->person);
    stile__sql_text(s, SQL_REVIEW_PUT, 4, review->message_id);
    stile__sql_text(s, SQL_REVIEW_PUT, 5, review->feed);
    stile__sql_text(s, SQL_REVIEW_PUT, 6, review->feed_person);
    stile__sql_int(s, SQL_REVIEW_PUT, 7, now);
    stile__sql_run(s, SQL_REVIEW_PUT);
    id = sqlite3_last_insert_rowid(s->db);
    for (size_t i = 0; i < review->item_count; i++) {
        put_item(s, id, i + 1, &review->items[i]);
    }
    return STILE_OK;
}

enum stile_status stile__sql_review_accept(struct sqlite_store *s,
                                           const struct stile_accept *accept)
{
    enum stile_status status = STILE_OK;

    for (size_t i = 0; i < accept->review_end_count; i++) {
        lapse(s, &accept->review_ends[i], accept->now);
    }
    for (size_t i = 0; i < accept->review_seen_count; i++) {
        seen(s, &accept->review_seen[i]);
    }
    for (size_t i = 0; i < accept->review_count && status == STILE_OK; i++) {
        status = put(s, &accept->reviews[i], accept->now);
    }
    return status;
}

/* ---- a person's act ---- */

static void say_word(struct sqlite_store *s,
                     const struct stile_review_settle *settle, uint32_t n)
{
    int64_t word = -1, changed = 0;

    stile__sql_int(s, SQL_REVIEW_ITEM_GET, 1, settle->id);
    stile__sql_int(s, SQL_REVIEW_ITEM_GET, 2, n);
    if (stile__sql_row(s, SQL_REVIEW_ITEM_GET)) {
        word = stile__sql_number(s, SQL_REVIEW_ITEM_GET, 0);
        changed = stile__sql_number(s, SQL_REVIEW_ITEM_GET, 1);
        stile__sql_end(s, SQL_REVIEW_ITEM_GET);
    }
    if (word < 0) {
        stile__sql_fail(s, STILE_INVALID);
    } else if (word != STILE_REVIEW_NO_WORD ||
               (changed != 0 && settle->word == STILE_REVIEW_RELEASE)) {
        stile__sql_fail(s, STILE_CONFLICT);
    }
    stile__sql_int(s, SQL_REVIEW_WORD, 1, settle->id);
    stile__sql_int(s, SQL_REVIEW_WORD, 2, n);
    stile__sql_int(s, SQL_REVIEW_WORD, 3, settle->word);
    stile__sql_run(s, SQL_REVIEW_WORD);
}

static void settle_one(struct sqlite_store *s,
                       const struct stile_review_settle *settle)
{
    struct head head;

    if (!head_of(s, settle->id, &head)) {
        stile__sql_fail(s, STILE_NOT_FOUND);
        return;
    }
    if (head.state != STILE_REVIEW_WAITING) {
        stile__sql_fail(s, STILE_CONFLICT);
        return;
    }
    for (size_t i = 0; i < settle->item_count; i++) {
        say_word(s, settle, settle->items[i]);
    }
    if (settle->row) {
        stile__sql_fail(s,
                        stile_str_eq(settle->row->message_id, head.message_id)
                            ? stile__sql_queue_row(s, settle->row, settle->now)
                            : STILE_INVALID);
    }
    if (head.feed.len > 0 && settle->word == STILE_REVIEW_RELEASE) {
        stile__sql_dirty(s, head.feed, head.feed_person, stile__sql_mark(s));
    }
    if (settle->state != STILE_REVIEW_WAITING) {
        end_review(s, settle->id, settle->state, settle->now, settle->reason,
                   settle->act);
        leave_message(s, head.message_id);
    }
    stile__sql_entries(s, settle->entries, settle->entry_count);
}

enum stile_status
stile__sql_review_settle(struct stile_store *store,
                         const struct stile_review_settle *settle)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status = stile__review_settle_check(settle);

    if (status != STILE_OK) {
        return status;
    }
    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    settle_one(s, settle);
    return stile__sql_commit(s);
}

/* ---- asking ---- */

/* The item's columns begin at `at`. */
static void item_out(struct sqlite_store *s, enum sql sql,
                     struct stile_arena *arena, struct stile_review_item *ret)
{
    int64_t word = stile__sql_number(s, sql, 9);

    ret->review = stile__sql_number(s, sql, 0);
    ret->route = stile__sql_copy(s, sql, 1, arena);
    ret->waits = stile__sql_number(s, sql, 2) == STILE_REVIEW_WAITING;
    ret->n = (uint32_t)stile__sql_number(s, sql, 3);
    ret->type = stile__sql_copy(s, sql, 4, arena);
    ret->id = stile__sql_copy(s, sql, 5, arena);
    stile__sql_get_digest(s, sql, 6, &ret->digest);
    ret->data = stile__sql_copy(s, sql, 7, arena);
    ret->rules = stile__sql_copy(s, sql, 8, arena);
    if (word < STILE_REVIEW_NO_WORD || word > STILE_REVIEW_REFUSE) {
        stile__sql_fail(s, STILE_IO);
        return;
    }
    ret->word = (enum stile_review_word)word;
    ret->changed = stile__sql_number(s, sql, 10) != 0;
}

static struct stile_review_item *items_out(struct sqlite_store *s, enum sql sql,
                                           struct stile_arena *arena,
                                           size_t *ret_count)
{
    struct sql_list items = {.arena = arena,
                             .size = sizeof(struct stile_review_item)};

    while (stile__sql_row(s, sql)) {
        struct stile_review_item *item = stile__sql_push(s, &items);

        if (item) {
            item_out(s, sql, arena, item);
        }
    }
    *ret_count = items.count;
    return (struct stile_review_item *)(void *)items.items;
}

enum stile_status stile__sql_reviewed(struct stile_store *store,
                                      struct stile_str person,
                                      struct stile_arena *arena,
                                      struct stile_review_item **ret,
                                      size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct stile_review_item *items;
    size_t count = 0;

    if (person.len == 0) {
        return STILE_INVALID;
    }
    (void)stile__sql_read(s);
    stile__sql_text(s, SQL_REVIEWED, 1, person);
    items = items_out(s, SQL_REVIEWED, arena, &count);
    if (s->failed == STILE_OK) {
        *ret = items;
        *ret_count = count;
    }
    return s->failed;
}

static void review_out(struct sqlite_store *s, enum sql sql,
                       struct stile_arena *arena, struct stile_review *ret)
{
    int64_t state = stile__sql_number(s, sql, 1);

    if (state < 0 || state >= STILE_REVIEW_COUNT) {
        stile__sql_fail(s, STILE_IO);
        return;
    }
    ret->id = stile__sql_number(s, sql, 0);
    ret->state = (enum stile_review_state)state;
    ret->route = stile__sql_copy(s, sql, 2, arena);
    ret->partner = stile__sql_copy(s, sql, 3, arena);
    ret->person = stile__sql_copy(s, sql, 4, arena);
    ret->message_id = stile__sql_copy(s, sql, 5, arena);
    ret->feed = stile__sql_copy(s, sql, 6, arena);
    ret->feed_person = stile__sql_copy(s, sql, 7, arena);
    ret->since = stile__sql_number(s, sql, 8);
    ret->ended = stile__sql_number(s, sql, 9);
    ret->reason = stile__sql_copy(s, sql, 10, arena);
    ret->act = stile__sql_copy(s, sql, 11, arena);
    stile__sql_int(s, SQL_REVIEW_ITEMS, 1, ret->id);
    ret->items = items_out(s, SQL_REVIEW_ITEMS, arena, &ret->item_count);
}

enum stile_status stile__sql_reviews(struct stile_store *store, int64_t id,
                                     size_t limit, struct stile_arena *arena,
                                     struct stile_review **ret,
                                     size_t *ret_count)
{
    static const enum sql walks[] = {SQL_REVIEW_WAITING, SQL_REVIEW_ENDED};
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list list = {.arena = arena, .size = sizeof **ret};

    (void)stile__sql_read(s);
    for (size_t i = 0; i < 2; i++) {
        size_t left = limit - list.count;

        stile__sql_int(s, walks[i], 1, id);
        stile__sql_int(s, walks[i], 2,
                       left > INT64_MAX ? INT64_MAX : (int64_t)left);
        while (stile__sql_row(s, walks[i])) {
            struct stile_review *review = stile__sql_push(s, &list);

            if (review) {
                review_out(s, walks[i], arena, review);
            }
        }
    }
    if (id != 0 && list.count == 0) {
        stile__sql_fail(s, STILE_NOT_FOUND);
    }
    if (s->failed == STILE_OK) {
        *ret = (struct stile_review *)(void *)list.items;
        *ret_count = list.count;
    }
    return s->failed;
}
