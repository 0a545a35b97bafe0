#include "sqlite.h"

void stile__sql_entries(struct sqlite_store *s, const struct stile_str *entries,
                        size_t count)
{
    for (size_t i = 0; i < count && s->failed == STILE_OK; i++) {
        struct stile_digest hash;

        stile_audit_leaf_hash(entries[i], &hash);
        stile__sql_int(s, SQL_AUDIT_PUT, 1, (int64_t)s->state.tree.size);
        stile__sql_blob(s, SQL_AUDIT_PUT, 2, entries[i]);
        stile__sql_digest(s, SQL_AUDIT_PUT, 3, &hash);
        stile__sql_run(s, SQL_AUDIT_PUT);
        stile_audit_tree_add(&s->state.tree, &hash);
    }
    s->state.counts.entries = s->state.tree.size;
}

/* OK: not seen before. */
static enum stile_status seen(struct sqlite_store *s,
                              const struct stile_accept *accept,
                              struct stile_arena *arena,
                              struct stile_accepted *ret)
{
    struct stile_digest digest;

    if (accept->source.len == 0) {
        return STILE_OK;
    }
    stile__sql_text(s, SQL_DEDUPE_GET, 1, accept->source);
    stile__sql_text(s, SQL_DEDUPE_GET, 2, accept->key);
    if (!stile__sql_row(s, SQL_DEDUPE_GET)) {
        return STILE_OK;
    }
    stile__sql_get_digest(s, SQL_DEDUPE_GET, 0, &digest);
    if (stile_digest_eq(&digest, &accept->digest)) {
        ret->status = STILE_EXISTS;
        ret->answer_status = (int)stile__sql_number(s, SQL_DEDUPE_GET, 1);
        ret->answer_body =
            stile_arena_str(arena, stile__sql_column(s, SQL_DEDUPE_GET, 2));
        if (stile_arena_failed(arena)) {
            ret->status = STILE_NOMEM;
        }
    } else {
        ret->status = STILE_CONFLICT;
    }
    stile__sql_end(s, SQL_DEDUPE_GET);
    return ret->status;
}

static void remember(struct sqlite_store *s, const struct stile_accept *accept)
{
    if (accept->source.len == 0) {
        return;
    }
    stile__sql_text(s, SQL_DEDUPE_PUT, 1, accept->source);
    stile__sql_text(s, SQL_DEDUPE_PUT, 2, accept->key);
    stile__sql_digest(s, SQL_DEDUPE_PUT, 3, &accept->digest);
    stile__sql_int(s, SQL_DEDUPE_PUT, 4, accept->answer_status);
    stile__sql_blob(s, SQL_DEDUPE_PUT, 5, accept->answer_body);
    stile__sql_int(s, SQL_DEDUPE_PUT, 6, accept->now);
    stile__sql_run(s, SQL_DEDUPE_PUT);
}

static bool keep_message(struct sqlite_store *s,
                         const struct stile_kept_message *message)
{
    bool same;

    stile__sql_text(s, SQL_MESSAGE_FIND, 1, message->id);
    if (stile__sql_row(s, SQL_MESSAGE_FIND)) {
        same = stile_str_eq(stile__sql_column(s, SQL_MESSAGE_FIND, 0),
                            message->person) &&
               stile_str_eq(stile__sql_column(s, SQL_MESSAGE_FIND, 1),
                            message->body);
        stile__sql_end(s, SQL_MESSAGE_FIND);
        return same;
    }
    stile__sql_text(s, SQL_MESSAGE_PUT, 1, message->id);
    stile__sql_text(s, SQL_MESSAGE_PUT, 2, message->person);
    stile__sql_blob(s, SQL_MESSAGE_PUT, 3, message->body);
    stile__sql_run(s, SQL_MESSAGE_PUT);
    s->state.counts.messages++;
    return true;
}

enum stile_status stile__sql_queue_row(struct sqlite_store *s,
                                       const struct stile_outbox_new *row,
                                       stile_time now)
{
    if (row->message_id.len > 0) {
        stile__sql_text(s, SQL_MESSAGE_USE, 1, row->message_id);
        stile__sql_run(s, SQL_MESSAGE_USE);
        if (s->failed == STILE_OK && stile__sql_changes(s) == 0) {
            return STILE_INVALID;
        }
    }
    stile__sql_text(s, SQL_ROW_PUT, 1, row->key);
    stile__sql_text(s, SQL_ROW_PUT, 2, row->route);
    stile__sql_text(s, SQL_ROW_PUT, 3, row->partner);
    stile__sql_text(s, SQL_ROW_PUT, 4, row->format);
    stile__sql_text(s, SQL_ROW_PUT, 5, row->media_type);
    stile__sql_text(s, SQL_ROW_PUT, 6, row->lane);
    stile__sql_text(s, SQL_ROW_PUT, 7, row->message_id);
    stile__sql_digest(s, SQL_ROW_PUT, 8, &row->rules);
    stile__sql_int(s, SQL_ROW_PUT, 9, (int64_t)row->epoch);
    stile__sql_int(s, SQL_ROW_PUT, 10, now);
    stile__sql_int(s, SQL_ROW_PUT, 11, row->due);
    stile__sql_run(s, SQL_ROW_PUT);
    if (s->failed == STILE_OK && stile__sql_changes(s) == 0) {
        return STILE_CONFLICT;
    }
    stile__sql_int(s, SQL_BODY_PUT, 1, sqlite3_last_insert_rowid(s->db));
    stile__sql_blob(s, SQL_BODY_PUT, 2, row->body);
    stile__sql_run(s, SQL_BODY_PUT);
    s->state.counts.rows[STILE_ROW_QUEUED]++;
    return STILE_OK;
}

static enum stile_status queue(struct sqlite_store *s,
                               const struct stile_accept *accept)
{
    enum stile_status status = STILE_OK;

    for (size_t i = 0; i < accept->message_count; i++) {
        if (!keep_message(s, &accept->messages[i])) {
            return STILE_CONFLICT;
        }
    }
    for (size_t i = 0; i < accept->row_count && status == STILE_OK; i++) {
        status = stile__sql_queue_row(s, &accept->rows[i], accept->now);
    }
    if (status == STILE_OK) {
        status = stile__sql_review_accept(s, accept);
    }
    for (size_t i = 0; i < accept->message_count && status == STILE_OK; i++) {
        stile__sql_text(s, SQL_MESSAGE_DROP, 1, accept->messages[i].id);
        stile__sql_run(s, SQL_MESSAGE_DROP);
        s->state.counts.messages -= stile__sql_changes(s);
    }
    return status;
}

static void learn(struct sqlite_store *s, const struct stile_stored_fact *fact)
{
    bool known = false;
    bool same = false;

    stile__sql_text(s, SQL_FACT_GET, 1, fact->person);
    stile__sql_text(s, SQL_FACT_GET, 2, fact->name);
    stile__sql_text(s, SQL_FACT_GET, 3, fact->recipient);
    stile__sql_text(s, SQL_FACT_GET, 4, fact->source);
    if (stile__sql_row(s, SQL_FACT_GET)) {
        stile_time date = stile__sql_number(s, SQL_FACT_GET, 1);

        known = true;
        same = stile__fact_stays(date, fact->date) ||
               (date == fact->date &&
                stile__sql_number(s, SQL_FACT_GET, 0) == fact->value &&
                stile__sql_number(s, SQL_FACT_GET, 2) == fact->from &&
                stile__sql_number(s, SQL_FACT_GET, 3) == fact->until);
        stile__sql_end(s, SQL_FACT_GET);
    }
    if (same) {
        return;
    }
    stile__sql_text(s, SQL_FACT_PUT, 1, fact->person);
    stile__sql_text(s, SQL_FACT_PUT, 2, fact->name);
    stile__sql_text(s, SQL_FACT_PUT, 3, fact->recipient);
    stile__sql_text(s, SQL_FACT_PUT, 4, fact->source);
    stile__sql_int(s, SQL_FACT_PUT, 5, fact->value);
    stile__sql_int(s, SQL_FACT_PUT, 6, fact->date);
    stile__sql_int(s, SQL_FACT_PUT, 7, fact->from);
    stile__sql_int(s, SQL_FACT_PUT, 8, fact->until);
    stile__sql_run(s, SQL_FACT_PUT);
    s->state.counts.facts += !known;
    stile__sql_text(s, SQL_EPOCH_ADD, 1, fact->person);
    stile__sql_run(s, SQL_EPOCH_ADD);
    s->state.counts.epoch++;
}

static void mark_sent(struct sqlite_store *s,
                      const struct stile_sent_mark *mark)
{
    bool gone = stile__digest_zero(&mark->digest);
    enum sql sql = gone ? SQL_SENT_DROP : SQL_SENT_PUT;

    stile__sql_text(s, sql, 1, mark->person);
    stile__sql_text(s, sql, 2, mark->route);
    stile__sql_text(s, sql, 3, mark->type);
    stile__sql_text(s, sql, 4, mark->id);
    if (!gone) {
        stile__sql_digest(s, sql, 5, &mark->digest);
    }
    stile__sql_run(s, sql);
}

static void set_aside(struct sqlite_store *s, const struct stile_accept *accept)
{
    for (size_t i = 0; i < accept->quarantine_count; i++) {
        const struct stile_quarantine_new *q = &accept->quarantine[i];

        stile__sql_text(s, SQL_QUARANTINE_PUT, 1, q->source);
        stile__sql_text(s, SQL_QUARANTINE_PUT, 2, q->name);
        stile__sql_int(s, SQL_QUARANTINE_PUT, 3, (int64_t)q->row);
        stile__sql_text(s, SQL_QUARANTINE_PUT, 4, q->reason);
        stile__sql_blob(s, SQL_QUARANTINE_PUT, 5, q->bytes);
        stile__sql_int(s, SQL_QUARANTINE_PUT, 6, accept->now);
        stile__sql_run(s, SQL_QUARANTINE_PUT);
        s->state.counts.quarantine++;
    }
}

static void write_one(struct sqlite_store *s, const struct stile_accept *accept,
                      struct stile_arena *arena, struct stile_accepted *ret)
{
    if (seen(s, accept, arena, ret) != STILE_OK) {
        return;
    }
    ret->status = queue(s, accept);
    if (ret->status != STILE_OK) {
        return;
    }
    stile__sql_entries(s, accept->entries, accept->entry_count);
    for (size_t i = 0; i < accept->fact_count; i++) {
        learn(s, &accept->facts[i]);
    }
    for (size_t i = 0; i < accept->sent_count; i++) {
        mark_sent(s, &accept->sent[i]);
    }
    set_aside(s, accept);
    if (accept->clear_feed.len > 0) {
        stile__sql_text(s, SQL_DIRTY_CLEAR, 1, accept->clear_feed);
        stile__sql_text(s, SQL_DIRTY_CLEAR, 2, accept->clear_person);
        stile__sql_int(s, SQL_DIRTY_CLEAR, 3, (int64_t)accept->clear_batch);
        stile__sql_run(s, SQL_DIRTY_CLEAR);
        s->state.counts.dirty -= stile__sql_changes(s);
        stile__sql_hold(s, accept);
    }
    remember(s, accept);
}

/* What an accept that cannot stand has written goes, and only that. */
static void accept_one(struct sqlite_store *s,
                       const struct stile_accept *accept,
                       struct stile_arena *arena, struct stile_accepted *ret)
{
    struct sql_state before = s->state;

    ret->status = stile__accept_check(accept);
    if (ret->status != STILE_OK) {
        return;
    }
    stile__sql_run(s, SQL_SAVE);
    write_one(s, accept, arena, ret);
    if (s->failed != STILE_OK) {
        return;
    }
    if (ret->status != STILE_OK) {
        stile__sql_run(s, SQL_BACK);
        s->state = before;
    }
    stile__sql_run(s, SQL_RELEASE);
}

enum stile_status stile__sql_accept(struct stile_store *store,
                                    const struct stile_accept *accepts,
                                    size_t count, struct stile_arena *arena,
                                    struct stile_accepted *ret)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status;

    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct stile_accepted){STILE_OK, 0, STILE_STR_NULL};
    }
    status = STILE_OK;
    if (stile__sql_begin(s)) {
        for (size_t i = 0; i < count && s->failed == STILE_OK; i++) {
            accept_one(s, &accepts[i], arena, &ret[i]);
        }
        status = stile__sql_commit(s);
    } else {
        status = s->failed;
    }
    if (status != STILE_OK) {
        for (size_t i = 0; i < count; i++) {
            ret[i] = (struct stile_accepted){status, 0, STILE_STR_NULL};
        }
    }
    return status;
}
