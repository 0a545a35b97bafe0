#include "sqlite.h"

#include <string.h>

void stile__sql_row_out(struct sqlite_store *s, enum sql sql,
                        struct stile_arena *arena, struct stile_outbox_row *ret)
{
    int64_t state = stile__sql_number(s, sql, 10);

    if (state < 0 || state >= STILE_ROW_COUNT) {
        stile__sql_fail(s, STILE_IO);
        return;
    }
    ret->id = stile__sql_number(s, sql, 0);
    ret->what.route = stile__sql_copy(s, sql, 1, arena);
    ret->what.partner = stile__sql_copy(s, sql, 2, arena);
    ret->what.format = stile__sql_copy(s, sql, 3, arena);
    ret->what.media_type = stile__sql_copy(s, sql, 4, arena);
    ret->what.lane = stile__sql_copy(s, sql, 5, arena);
    ret->what.key = stile__sql_copy(s, sql, 6, arena);
    ret->what.message_id = stile__sql_copy(s, sql, 7, arena);
    stile__sql_get_digest(s, sql, 8, &ret->what.rules);
    ret->what.epoch = (uint64_t)stile__sql_number(s, sql, 9);
    ret->state = (enum stile_row_state)state;
    ret->attempts = (uint32_t)stile__sql_number(s, sql, 11);
    ret->queued_at = stile__sql_number(s, sql, 12);
    ret->due = stile__sql_number(s, sql, 13);
    ret->what.due = ret->due;
    ret->reason = stile__sql_copy(s, sql, 14, arena);
    ret->person = stile__sql_copy(s, sql, 15, arena);
    ret->what.body = STILE_STR("");
}

static void count_move(struct sqlite_store *s, enum stile_row_state from,
                       enum stile_row_state to, uint64_t rows)
{
    s->state.counts.rows[from] -= rows;
    s->state.counts.rows[to] += rows;
}

static void find_due(struct sqlite_store *s, stile_time now,
                     const struct stile_partner_claim *claim,
                     struct sql_list *ids)
{
    stile__sql_text(s, SQL_DUE, 1, claim->partner);
    stile__sql_int(s, SQL_DUE, 2, now);
    stile__sql_int(s, SQL_DUE, 3, claim->room);
    while (stile__sql_row(s, SQL_DUE)) {
        int64_t *id = stile__sql_push(s, ids);

        if (id) {
            *id = stile__sql_number(s, SQL_DUE, 0);
        }
    }
}

static void send_row(struct sqlite_store *s, int64_t id,
                     struct stile_arena *arena, struct stile_outbox_row *ret)
{
    stile__sql_int(s, SQL_ROW_GET, 1, id);
    if (!stile__sql_row(s, SQL_ROW_GET)) {
        stile__sql_fail(s, STILE_IO);
        return;
    }
    stile__sql_row_out(s, SQL_ROW_GET, arena, ret);
    ret->what.body = stile__sql_copy(s, SQL_ROW_GET, 16, arena);
    stile__sql_end(s, SQL_ROW_GET);
    if (s->failed != STILE_OK) {
        return;
    }
    count_move(s, ret->state, STILE_ROW_SENDING, 1);
    ret->state = stile_row_move(ret->state, STILE_ROW_SENDING);
    ret->attempts++;
    stile__sql_int(s, SQL_ROW_SEND, 1, id);
    stile__sql_run(s, SQL_ROW_SEND);
}

enum stile_status stile__sql_claim(struct stile_store *store, stile_time now,
                                   const struct stile_partner_claim *claims,
                                   size_t count, struct stile_arena *arena,
                                   struct stile_outbox_row **ret,
                                   size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list ids = {.arena = arena, .size = sizeof(int64_t)};
    struct sql_list rows = {.arena = arena, .size = sizeof **ret};
    enum stile_status status;

    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    for (size_t i = 0; i < count; i++) {
        ids.count = 0;
        find_due(s, now, &claims[i], &ids);
        for (size_t j = 0; j < ids.count; j++) {
            struct stile_outbox_row *row = stile__sql_push(s, &rows);

            if (row) {
                send_row(s, ((int64_t *)(void *)ids.items)[j], arena, row);
            }
        }
    }
    status = stile__sql_commit(s);
    if (status == STILE_OK) {
        *ret = (struct stile_outbox_row *)(void *)rows.items;
        *ret_count = rows.count;
    }
    return status;
}

/* ---- steps of a row ---- */

struct row_head {
    enum stile_row_state state;
    char lane[STILE_STORE_TEXT_MAX];
    char message_id[STILE_STORE_TEXT_MAX];
    size_t lane_len, message_len;
};

static struct stile_str keep(char *to, struct stile_str from)
{
    size_t len =
        from.len < STILE_STORE_TEXT_MAX ? from.len : STILE_STORE_TEXT_MAX;

    memcpy(to, from.ptr, len);
    return (struct stile_str){to, len};
}

static bool row_head(struct sqlite_store *s, int64_t id, struct row_head *ret)
{
    int64_t state;

    stile__sql_int(s, SQL_ROW_STATE, 1, id);
    if (!stile__sql_row(s, SQL_ROW_STATE)) {
        stile__sql_fail(s, STILE_NOT_FOUND);
        return false;
    }
    state = stile__sql_number(s, SQL_ROW_STATE, 0);
    ret->lane_len = keep(ret->lane, stile__sql_column(s, SQL_ROW_STATE, 1)).len;
    ret->message_len =
        keep(ret->message_id, stile__sql_column(s, SQL_ROW_STATE, 2)).len;
    stile__sql_end(s, SQL_ROW_STATE);
    if (state < 0 || state >= STILE_ROW_COUNT) {
        stile__sql_fail(s, STILE_IO);
        return false;
    }
    ret->state = (enum stile_row_state)state;
    return true;
}

/* A final row keeps its reason and loses its body; its lane goes on, and the
 * kept message goes with its last row. */
static void end_row(struct sqlite_store *s, int64_t id,
                    const struct row_head *head)
{
    struct stile_str message = {head->message_id, head->message_len};

    stile__sql_int(s, SQL_BODY_DROP, 1, id);
    stile__sql_run(s, SQL_BODY_DROP);
    if (head->lane_len > 0) {
        stile__sql_text(s, SQL_LANE_NEXT, 1,
                        (struct stile_str){head->lane, head->lane_len});
        stile__sql_run(s, SQL_LANE_NEXT);
    }
    if (message.len > 0) {
        stile__sql_text(s, SQL_MESSAGE_LEAVE, 1, message);
        stile__sql_run(s, SQL_MESSAGE_LEAVE);
        stile__sql_text(s, SQL_MESSAGE_DROP, 1, message);
        stile__sql_run(s, SQL_MESSAGE_DROP);
        s->state.counts.messages -= stile__sql_changes(s);
    }
}

/* What a row that ended without delivery held is not known to be there: the
 * next export shows it anew. */
static void doubt_sent(struct sqlite_store *s, int64_t id)
{
    struct stile_digest doubt = stile__digest_doubt();

    stile__sql_int(s, SQL_SENT_DOUBT, 1, id);
    stile__sql_digest(s, SQL_SENT_DOUBT, 2, &doubt);
    stile__sql_run(s, SQL_SENT_DOUBT);
}

static void move_row(struct sqlite_store *s, int64_t id, stile_time due,
                     stile_time now, enum stile_row_state to,
                     struct stile_str reason)
{
    struct row_head head;
    bool final = stile_row_final(to);

    if (!row_head(s, id, &head)) {
        return;
    }
    if (!stile_row_may(head.state, to)) {
        stile__sql_fail(s, STILE_CONFLICT);
        return;
    }
    stile__sql_int(s, SQL_ROW_MOVE, 1, id);
    stile__sql_int(s, SQL_ROW_MOVE, 2, to);
    stile__sql_int(s, SQL_ROW_MOVE, 3, stile__row_waits(to));
    stile__sql_int(s, SQL_ROW_MOVE, 4, due);
    stile__sql_int(s, SQL_ROW_MOVE, 5, final ? now : 0);
    stile__sql_text(s, SQL_ROW_MOVE, 6, reason);
    stile__sql_run(s, SQL_ROW_MOVE);
    count_move(s, head.state, to, 1);
    if (final && to != STILE_ROW_DONE) {
        doubt_sent(s, id);
    }
    if (final) {
        end_row(s, id, &head);
    }
}

static void decide_again(struct sqlite_store *s,
                         const struct stile_settle *settle)
{
    stile__sql_int(s, SQL_ROW_AGAIN, 1, settle->id);
    stile__sql_digest(s, SQL_ROW_AGAIN, 2, &settle->rules);
    stile__sql_int(s, SQL_ROW_AGAIN, 3, (int64_t)settle->epoch);
    stile__sql_run(s, SQL_ROW_AGAIN);
    if (settle->key.len > 0) {
        stile__sql_int(s, SQL_ROW_KEY, 1, settle->id);
        stile__sql_text(s, SQL_ROW_KEY, 2, settle->key);
        stile__sql_run(s, SQL_ROW_KEY);
        if (s->failed == STILE_OK && stile__sql_changes(s) == 0) {
            stile__sql_fail(s, STILE_CONFLICT);
        }
    }
    if (settle->body.len > 0 && !stile_row_final(settle->state)) {
        stile__sql_int(s, SQL_BODY_PUT, 1, settle->id);
        stile__sql_blob(s, SQL_BODY_PUT, 2, settle->body);
        stile__sql_run(s, SQL_BODY_PUT);
    }
}

static void settle_one(struct sqlite_store *s,
                       const struct stile_settle *settle)
{
    struct row_head head;

    stile__sql_fail(s, stile__settle_check(settle));
    if (s->failed != STILE_OK || !row_head(s, settle->id, &head)) {
        return;
    }
    if (head.state != STILE_ROW_SENDING) {
        stile__sql_fail(s, STILE_CONFLICT);
        return;
    }
    if (settle->redecided && settle->body.len > 0) {
        doubt_sent(s, settle->id); /* another body than the marks tell of */
    }
    move_row(s, settle->id, settle->due, settle->now, settle->state,
             settle->reason);
    if (settle->redecided) {
        decide_again(s, settle);
    }
    stile__sql_entries(s, settle->entries, settle->entry_count);
}

enum stile_status stile__sql_settle(struct stile_store *store,
                                    const struct stile_settle *settles,
                                    size_t count)
{
    struct sqlite_store *s = sqlite_of(store);

    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    for (size_t i = 0; i < count && s->failed == STILE_OK; i++) {
        settle_one(s, &settles[i]);
    }
    return stile__sql_commit(s);
}

enum stile_status stile__sql_withdraw(struct stile_store *store, int64_t id,
                                      stile_time now, struct stile_str reason,
                                      const struct stile_str *entries,
                                      size_t entry_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct row_head head;

    if (!stile__text_fits(reason)) {
        return STILE_LIMIT;
    }
    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    stile__sql_fail(s, stile__entries_check(entries, entry_count));
    if (s->failed == STILE_OK && row_head(s, id, &head)) {
        if (head.state == STILE_ROW_SENDING) {
            stile__sql_fail(s, STILE_CONFLICT);
        } else {
            move_row(s, id, 0, now, STILE_ROW_WITHDRAWN, reason);
            stile__sql_entries(s, entries, entry_count);
        }
    }
    return stile__sql_commit(s);
}

enum stile_status stile__sql_recover(struct stile_store *store, stile_time now,
                                     uint64_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status;
    uint64_t moved;

    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    stile__sql_int(s, SQL_RECOVER, 1, now);
    stile__sql_run(s, SQL_RECOVER);
    moved = stile__sql_changes(s);
    count_move(s, STILE_ROW_SENDING, STILE_ROW_UNKNOWN, moved);
    status = stile__sql_commit(s);
    if (status == STILE_OK) {
        *ret_count = moved;
    }
    return status;
}

/* True when the row was one to retry. */
static bool retry_one(struct sqlite_store *s, int64_t id,
                      enum stile_row_state state, stile_time now)
{
    enum sql sql = state == STILE_ROW_PARKED ? SQL_RETRY_PARKED : SQL_RETRY_DUE;

    if (state != STILE_ROW_PARKED && state != STILE_ROW_DEFERRED &&
        state != STILE_ROW_UNKNOWN) {
        return false;
    }
    if (state == STILE_ROW_PARKED) {
        count_move(s, state, stile_row_move(state, STILE_ROW_QUEUED), 1);
    }
    stile__sql_int(s, sql, 1, id);
    stile__sql_int(s, sql, 2, now);
    stile__sql_run(s, sql);
    return true;
}

enum stile_status stile__sql_retry(struct stile_store *store, int64_t id,
                                   stile_time now,
                                   const struct stile_str *entries,
                                   size_t entry_count, uint64_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct row_head head;
    enum stile_status status;
    uint64_t moved = 0;

    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    if (id != 0) {
        moved = row_head(s, id, &head) && retry_one(s, id, head.state, now);
    } else {
        /* a row that was moved leaves the walk's index or stays behind it:
         * the walk is ordered by id, and an id never changes */
        while (stile__sql_row(s, SQL_RETRY_IDS)) {
            moved += retry_one(
                s, stile__sql_number(s, SQL_RETRY_IDS, 0),
                (enum stile_row_state)stile__sql_number(s, SQL_RETRY_IDS, 1),
                now);
        }
    }
    if (moved > 0) {
        stile__sql_fail(s, stile__entries_check(entries, entry_count));
        stile__sql_entries(s, entries, entry_count);
    }
    status = stile__sql_commit(s);
    if (status == STILE_OK) {
        *ret_count = moved;
    }
    return status;
}

enum stile_status stile__sql_list_rows(struct stile_store *store, size_t limit,
                                       struct stile_arena *arena,
                                       struct stile_outbox_row **ret,
                                       size_t *ret_count)
{
    static const enum sql walks[] = {SQL_LIST_OPEN, SQL_LIST_FINAL};
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list rows = {.arena = arena, .size = sizeof **ret};

    (void)stile__sql_read(s);
    for (size_t i = 0; i < 2; i++) {
        stile__sql_int(s, walks[i], 1,
                       limit - rows.count > INT64_MAX
                           ? INT64_MAX
                           : (int64_t)(limit - rows.count));
        while (stile__sql_row(s, walks[i])) {
            struct stile_outbox_row *row = stile__sql_push(s, &rows);

            if (row) {
                stile__sql_row_out(s, walks[i], arena, row);
            }
        }
    }
    if (s->failed == STILE_OK) {
        *ret = (struct stile_outbox_row *)(void *)rows.items;
        *ret_count = rows.count;
    }
    return s->failed;
}
