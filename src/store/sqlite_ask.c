#include "sqlite.h"

#include <string.h>

static int64_t bounded(size_t limit)
{
    return limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
}

/* The epoch is read before the facts: should another process change them in
 * between, the caller's epoch is the older, and it asks again. */
enum stile_status stile__sql_facts(struct stile_store *store,
                                   struct stile_str person,
                                   struct stile_arena *arena,
                                   struct stile_stored_fact **ret,
                                   size_t *ret_count, uint64_t *ret_epoch)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list facts = {.arena = arena, .size = sizeof **ret};
    uint64_t epoch = 0;

    if (person.len == 0) {
        return STILE_INVALID;
    }
    (void)stile__sql_read(s);
    stile__sql_text(s, SQL_EPOCH, 1, person);
    if (stile__sql_row(s, SQL_EPOCH)) {
        epoch = (uint64_t)stile__sql_number(s, SQL_EPOCH, 0);
        stile__sql_end(s, SQL_EPOCH);
    }
    stile__sql_text(s, SQL_FACTS, 1, person);
    while (stile__sql_row(s, SQL_FACTS)) {
        struct stile_stored_fact *fact = stile__sql_push(s, &facts);

        if (fact) {
            fact->person = stile_arena_str(arena, person);
            fact->name = stile__sql_copy(s, SQL_FACTS, 0, arena);
            fact->recipient = stile__sql_copy(s, SQL_FACTS, 1, arena);
            fact->source = stile__sql_copy(s, SQL_FACTS, 2, arena);
            fact->value = (int)stile__sql_number(s, SQL_FACTS, 3);
            fact->date = stile__sql_number(s, SQL_FACTS, 4);
            fact->from = stile__sql_number(s, SQL_FACTS, 5);
            fact->until = stile__sql_number(s, SQL_FACTS, 6);
        }
    }
    if (s->failed == STILE_OK) {
        *ret = (struct stile_stored_fact *)(void *)facts.items;
        *ret_count = facts.count;
        *ret_epoch = epoch;
    }
    return s->failed;
}

enum stile_status stile__sql_message(struct stile_store *store,
                                     struct stile_str message_id,
                                     struct stile_arena *arena,
                                     struct stile_str *ret_body)
{
    struct sqlite_store *s = sqlite_of(store);
    struct stile_str body = STILE_STR_NULL;

    (void)stile__sql_read(s);
    stile__sql_text(s, SQL_MESSAGE_FIND, 1, message_id);
    if (stile__sql_row(s, SQL_MESSAGE_FIND)) {
        body = stile__sql_copy(s, SQL_MESSAGE_FIND, 1, arena);
        stile__sql_end(s, SQL_MESSAGE_FIND);
    } else {
        stile__sql_fail(s, STILE_NOT_FOUND);
    }
    if (s->failed == STILE_OK) {
        *ret_body = body;
    }
    return s->failed;
}

enum stile_status
stile__sql_sent(struct stile_store *store, struct stile_str route,
                struct stile_str person, struct stile_arena *arena,
                struct stile_sent_mark **ret, size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list marks = {.arena = arena, .size = sizeof **ret};
    enum sql sql = route.len > 0 ? SQL_SENT_ROUTE : SQL_SENT_ALL;

    (void)stile__sql_read(s);
    stile__sql_text(s, sql, 1, person);
    if (route.len > 0) {
        stile__sql_text(s, sql, 2, route);
    }
    while (stile__sql_row(s, sql)) {
        struct stile_sent_mark *mark = stile__sql_push(s, &marks);

        if (mark) {
            mark->person = stile_arena_str(arena, person);
            mark->route = stile__sql_copy(s, sql, 0, arena);
            mark->type = stile__sql_copy(s, sql, 1, arena);
            mark->id = stile__sql_copy(s, sql, 2, arena);
            stile__sql_get_digest(s, sql, 3, &mark->digest);
        }
    }
    if (s->failed == STILE_OK) {
        *ret = (struct stile_sent_mark *)(void *)marks.items;
        *ret_count = marks.count;
    }
    return s->failed;
}

enum stile_status stile__sql_counts(struct stile_store *store,
                                    struct stile_counts *ret)
{
    struct sqlite_store *s = sqlite_of(store);
    stile_time oldest = 0, oldest_review = 0;
    uint64_t reviews = 0;

    (void)stile__sql_read(s);
    if (stile__sql_row(s, SQL_OLDEST)) {
        oldest = stile__sql_number(s, SQL_OLDEST, 0);
        stile__sql_end(s, SQL_OLDEST);
    }
    if (stile__sql_row(s, SQL_REVIEW_OLDEST)) {
        reviews = (uint64_t)stile__sql_number(s, SQL_REVIEW_OLDEST, 0);
        oldest_review = stile__sql_number(s, SQL_REVIEW_OLDEST, 1);
        stile__sql_end(s, SQL_REVIEW_OLDEST);
    }
    if (s->failed == STILE_OK) {
        *ret = s->state.counts;
        ret->oldest_due = oldest;
        ret->reviews = reviews;
        ret->oldest_review = oldest_review;
    }
    return s->failed;
}

enum stile_status stile__sql_quarantined(struct stile_store *store,
                                         size_t limit,
                                         struct stile_arena *arena,
                                         struct stile_quarantine_new **ret,
                                         size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list list = {.arena = arena, .size = sizeof **ret};

    (void)stile__sql_read(s);
    stile__sql_int(s, SQL_QUARANTINED, 1, bounded(limit));
    while (stile__sql_row(s, SQL_QUARANTINED)) {
        struct stile_quarantine_new *q = stile__sql_push(s, &list);

        if (q) {
            q->source = stile__sql_copy(s, SQL_QUARANTINED, 0, arena);
            q->name = stile__sql_copy(s, SQL_QUARANTINED, 1, arena);
            q->row = (uint64_t)stile__sql_number(s, SQL_QUARANTINED, 2);
            q->reason = stile__sql_copy(s, SQL_QUARANTINED, 3, arena);
            q->bytes = stile__sql_copy(s, SQL_QUARANTINED, 4, arena);
        }
    }
    if (s->failed == STILE_OK) {
        *ret = (struct stile_quarantine_new *)(void *)list.items;
        *ret_count = list.count;
    }
    return s->failed;
}

/* ---- retention ---- */

static uint64_t sweep_table(struct sqlite_store *s, enum sql sql,
                            stile_time before, uint32_t most)
{
    stile__sql_int(s, sql, 1, before);
    stile__sql_int(s, sql, 2, most);
    stile__sql_run(s, sql);
    return stile__sql_changes(s);
}

static uint64_t sweep_rows(struct sqlite_store *s, stile_time before,
                           uint32_t most)
{
    uint64_t gone = 0;

    stile__sql_int(s, SQL_SWEEP_ROWS, 1, before);
    stile__sql_int(s, SQL_SWEEP_ROWS, 2, most);
    while (stile__sql_row(s, SQL_SWEEP_ROWS)) {
        int64_t state = stile__sql_number(s, SQL_SWEEP_ROWS, 1);

        stile__sql_int(s, SQL_ROW_DROP, 1,
                       stile__sql_number(s, SQL_SWEEP_ROWS, 0));
        stile__sql_run(s, SQL_ROW_DROP);
        s->state.counts.rows[state]--;
        gone++;
    }
    return gone;
}

enum stile_status stile__sql_sweep(struct stile_store *store,
                                   const struct stile_sweep *sweep,
                                   uint64_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status;
    uint64_t gone = 0;

    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    if (sweep->dedupe_before != 0) {
        gone +=
            sweep_table(s, SQL_SWEEP_DEDUPE, sweep->dedupe_before, sweep->most);
    }
    if (sweep->rows_before != 0) {
        gone += sweep_rows(s, sweep->rows_before, sweep->most);
    }
    if (sweep->reviews_before != 0) {
        gone += sweep_table(s, SQL_SWEEP_REVIEWS, sweep->reviews_before,
                            sweep->most);
    }
    if (sweep->quarantine_before != 0) {
        uint64_t rows = sweep_table(s, SQL_SWEEP_QUARANTINE,
                                    sweep->quarantine_before, sweep->most);

        s->state.counts.quarantine -= rows;
        gone += rows;
    }
    status = stile__sql_commit(s);
    if (status == STILE_OK) {
        *ret_count = gone;
    }
    return status;
}
