#include "memory.h"

#include <stdlib.h>
#include <string.h>

void stile__mem_entries(struct memory_store *m, const struct stile_str *entries,
                        size_t count)
{
    for (size_t i = 0; i < count && m->failed == STILE_OK; i++) {
        struct fields f = {.t = {[AUDIT_ENTRY] = entries[i]}};

        stile_audit_leaf_hash(entries[i], &f.digest);
        stile__mem_put(m, AUDIT, SIZE_MAX, &f);
        stile_audit_tree_add(&m->state.tree, &f.digest);
    }
}

/* ---- accept ---- */

static enum stile_status seen(struct memory_store *m,
                              const struct stile_accept *accept,
                              struct stile_arena *arena,
                              struct stile_accepted *ret)
{
    struct stile_str texts[] = {accept->source, accept->key};
    struct record *record;
    size_t at = 0;

    if (accept->source.len == 0) {
        return STILE_OK;
    }
    record = stile__mem_find(m, DEDUPE, &at, texts, 2);
    if (!record) {
        return STILE_OK;
    }
    if (!stile_digest_eq(&record->f.digest, &accept->digest)) {
        ret->status = STILE_CONFLICT;
        return ret->status;
    }
    ret->status = STILE_EXISTS;
    ret->answer_status = (int)record->f.n[DEDUPE_STATUS];
    ret->answer_body = stile_arena_str(arena, record->f.t[DEDUPE_ANSWER]);
    if (stile_arena_failed(arena)) {
        ret->status = STILE_NOMEM;
    }
    return ret->status;
}

static bool is_used(const struct stile_accept *accept, struct stile_str id)
{
    for (size_t i = 0; i < accept->row_count; i++) {
        if (stile_str_eq(accept->rows[i].message_id, id)) {
            return true;
        }
    }
    for (size_t i = 0; i < accept->review_count; i++) {
        if (stile_str_eq(accept->reviews[i].message_id, id)) {
            return true;
        }
    }
    return false;
}

static bool keep_message(struct memory_store *m,
                         const struct stile_accept *accept,
                         const struct stile_kept_message *message)
{
    struct fields f = {.t = {[MESSAGE_ID] = message->id,
                             [MESSAGE_PERSON] = message->person,
                             [MESSAGE_BODY] = message->body}};
    size_t at = 0;
    struct record *record = stile__mem_find(m, MESSAGE, &at, &message->id, 1);

    if (record) {
        return stile_str_eq(record->f.t[MESSAGE_PERSON], message->person) &&
               stile_str_eq(record->f.t[MESSAGE_BODY], message->body);
    }
    if (is_used(accept, message->id)) {
        stile__mem_put(m, MESSAGE, SIZE_MAX, &f);
    }
    return true;
}

/* Two messages of one id in one accept, of which no row is made. */
static bool contradicts(const struct stile_accept *accept)
{
    for (size_t i = 0; i < accept->message_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (stile_str_eq(accept->messages[i].id, accept->messages[j].id) &&
                (!stile_str_eq(accept->messages[i].person,
                               accept->messages[j].person) ||
                 !stile_str_eq(accept->messages[i].body,
                               accept->messages[j].body))) {
                return true;
            }
        }
    }
    return false;
}

static bool key_taken(struct memory_store *m, struct stile_str key)
{
    struct record *record;

    for (size_t at = 0; (record = stile__mem_at(m, OUTBOX, &at)) != NULL;
         at++) {
        if (stile_str_eq(record->f.t[ROW_KEY], key)) {
            return true;
        }
    }
    return false;
}

enum stile_status stile__mem_queue_row(struct memory_store *m,
                                       const struct stile_outbox_new *row,
                                       stile_time now)
{
    struct fields f = {.n = {[ROW_ID] = m->state.next_row,
                             [ROW_STATE] = STILE_ROW_QUEUED,
                             [ROW_QUEUED] = now,
                             [ROW_DUE] = row->due,
                             [ROW_EPOCH] = (int64_t)row->epoch},
                       .t = {[ROW_ROUTE] = row->route,
                             [ROW_PARTNER] = row->partner,
                             [ROW_FORMAT] = row->format,
                             [ROW_MEDIA] = row->media_type,
                             [ROW_LANE] = row->lane,
                             [ROW_KEY] = row->key,
                             [ROW_MESSAGE] = row->message_id,
                             [ROW_BODY] = row->body},
                       .digest = row->rules};
    size_t at = 0;

    if (row->message_id.len > 0 &&
        !stile__mem_find(m, MESSAGE, &at, &row->message_id, 1)) {
        return STILE_INVALID;
    }
    if (key_taken(m, row->key)) {
        return STILE_CONFLICT;
    }
    stile__mem_put(m, OUTBOX, SIZE_MAX, &f);
    m->state.next_row++;
    return STILE_OK;
}

static enum stile_status queue(struct memory_store *m,
                               const struct stile_accept *accept)
{
    enum stile_status status = STILE_OK;

    if (contradicts(accept)) {
        return STILE_CONFLICT;
    }
    for (size_t i = 0; i < accept->message_count; i++) {
        if (!keep_message(m, accept, &accept->messages[i])) {
            return STILE_CONFLICT;
        }
    }
    for (size_t i = 0;
         i < accept->row_count && m->failed == STILE_OK && status == STILE_OK;
         i++) {
        status = stile__mem_queue_row(m, &accept->rows[i], accept->now);
    }
    return status == STILE_OK && m->failed == STILE_OK
               ? stile__mem_review_accept(m, accept)
               : status;
}

static void learn(struct memory_store *m, const struct stile_stored_fact *fact)
{
    struct fields f = {.n = {[FACT_VALUE] = fact->value,
                             [FACT_DATE] = fact->date,
                             [FACT_FROM] = fact->from,
                             [FACT_UNTIL] = fact->until},
                       .t = {[FACT_PERSON] = fact->person,
                             [FACT_NAME] = fact->name,
                             [FACT_RECIPIENT] = fact->recipient,
                             [FACT_SOURCE] = fact->source}};
    struct fields person = {.n = {[PERSON_EPOCH] = 1},
                            .t = {[PERSON_KEY] = fact->person}};
    size_t at = 0;
    struct record *old = stile__mem_find(m, FACT, &at, f.t, 4);

    if (old && (stile__fact_stays(old->f.n[FACT_DATE], fact->date) ||
                (old->f.n[FACT_DATE] == fact->date &&
                 old->f.n[FACT_VALUE] == fact->value &&
                 old->f.n[FACT_FROM] == fact->from &&
                 old->f.n[FACT_UNTIL] == fact->until))) {
        return;
    }
    stile__mem_put(m, FACT, old ? at : SIZE_MAX, &f);
    at = 0;
    old = stile__mem_find(m, PERSON, &at, person.t, 1);
    person.n[PERSON_EPOCH] = old ? old->f.n[PERSON_EPOCH] + 1 : 1;
    stile__mem_put(m, PERSON, old ? at : SIZE_MAX, &person);
    m->state.epoch++;
}

static void mark_sent(struct memory_store *m,
                      const struct stile_sent_mark *mark)
{
    struct fields f = {.t = {[SENT_ROUTE] = mark->route,
                             [SENT_PERSON] = mark->person,
                             [SENT_TYPE] = mark->type,
                             [SENT_ID] = mark->id},
                       .digest = mark->digest};
    size_t at = 0;
    bool there = stile__mem_find(m, SENT, &at, f.t, 4) != NULL;

    if (!stile__digest_zero(&mark->digest)) {
        stile__mem_put(m, SENT, there ? at : SIZE_MAX, &f);
    } else if (there) {
        stile__mem_drop(m, SENT, at);
    }
}

static void set_aside(struct memory_store *m, const struct stile_accept *accept)
{
    for (size_t i = 0; i < accept->quarantine_count; i++) {
        const struct stile_quarantine_new *q = &accept->quarantine[i];
        struct fields f = {
            .n = {[Q_ROW] = (int64_t)q->row, [Q_AT] = accept->now},
            .t = {[Q_SOURCE] = q->source,
                  [Q_NAME] = q->name,
                  [Q_REASON] = q->reason,
                  [Q_BYTES] = q->bytes}};

        stile__mem_put(m, QUARANTINE, SIZE_MAX, &f);
    }
}

static void clear_dirty(struct memory_store *m,
                        const struct stile_accept *accept)
{
    struct stile_str texts[] = {accept->clear_feed, accept->clear_person};
    size_t at = 0;
    struct record *record = stile__mem_find(m, DIRTY, &at, texts, 2);

    if (record && (uint64_t)record->f.n[DIRTY_MARK] <= accept->clear_batch) {
        stile__mem_drop(m, DIRTY, at);
    }
}

static void write_one(struct memory_store *m, const struct stile_accept *accept,
                      struct stile_arena *arena, struct stile_accepted *ret)
{
    struct fields f = {.n = {[DEDUPE_STATUS] = accept->answer_status,
                             [DEDUPE_AT] = accept->now},
                       .t = {[DEDUPE_SOURCE] = accept->source,
                             [DEDUPE_KEY] = accept->key,
                             [DEDUPE_ANSWER] = accept->answer_body},
                       .digest = accept->digest};

    if (seen(m, accept, arena, ret) != STILE_OK) {
        return;
    }
    ret->status = queue(m, accept);
    if (ret->status != STILE_OK) {
        return;
    }
    stile__mem_entries(m, accept->entries, accept->entry_count);
    for (size_t i = 0; i < accept->fact_count; i++) {
        learn(m, &accept->facts[i]);
    }
    for (size_t i = 0; i < accept->sent_count; i++) {
        mark_sent(m, &accept->sent[i]);
    }
    set_aside(m, accept);
    if (accept->clear_feed.len > 0) {
        clear_dirty(m, accept);
        stile__mem_hold(m, accept);
    }
    if (accept->source.len > 0) {
        stile__mem_put(m, DEDUPE, SIZE_MAX, &f);
    }
}

static enum stile_status accept_all(struct stile_store *store,
                                    const struct stile_accept *accepts,
                                    size_t count, struct stile_arena *arena,
                                    struct stile_accepted *ret)
{
    struct memory_store *m = memory_of(store);
    enum stile_status status;

    stile__mem_begin(m);
    for (size_t i = 0; i < count; i++) {
        struct memory_state before = m->state;
        size_t changes = m->change_count;

        ret[i] = (struct stile_accepted){stile__accept_check(&accepts[i]), 0,
                                         STILE_STR_NULL};
        if (ret[i].status == STILE_OK) {
            write_one(m, &accepts[i], arena, &ret[i]);
        }
        if (ret[i].status != STILE_OK) {
            stile__mem_back(m, changes);
            m->state = before;
        }
    }
    status = stile__mem_end(m);
    for (size_t i = 0; i < count && status != STILE_OK; i++) {
        ret[i] = (struct stile_accepted){status, 0, STILE_STR_NULL};
    }
    return status;
}

/* ---- questions ---- */

/* By the first four texts, `from` on, then nothing. */
static int text_order(const void *a, const void *b, size_t from)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    int order = 0;

    for (size_t i = from; i < 4 && order == 0; i++) {
        order = stile_str_cmp(x->f.t[i], y->f.t[i]);
    }
    return order;
}

static int fact_order(const void *a, const void *b)
{
    return text_order(a, b, FACT_NAME);
}

static int sent_order(const void *a, const void *b)
{
    return text_order(a, b, SENT_ROUTE);
}

static bool fact_of(const struct record *record, const void *ctx)
{
    return stile_str_eq(record->f.t[FACT_PERSON],
                        *(const struct stile_str *)ctx);
}

static enum stile_status facts(struct stile_store *store,
                               struct stile_str person,
                               struct stile_arena *arena,
                               struct stile_stored_fact **ret,
                               size_t *ret_count, uint64_t *ret_epoch)
{
    struct memory_store *m = memory_of(store);
    struct stile_stored_fact *list = NULL;
    struct record **found;
    struct record *epoch;
    size_t count = 0;
    size_t at = 0;

    if (person.len == 0) {
        return STILE_INVALID;
    }
    m->failed = STILE_OK;
    found = stile__mem_sorted(m, FACT, fact_of, &person, fact_order, &count);
    if (count > 0) {
        list = stile_arena_array(arena, count, sizeof *list);
    }
    for (size_t i = 0; i < count && list; i++) {
        const struct fields *f = &found[i]->f;

        list[i].person = stile_arena_str(arena, f->t[FACT_PERSON]);
        list[i].name = stile_arena_str(arena, f->t[FACT_NAME]);
        list[i].recipient = stile_arena_str(arena, f->t[FACT_RECIPIENT]);
        list[i].source = stile_arena_str(arena, f->t[FACT_SOURCE]);
        list[i].value = (int)f->n[FACT_VALUE];
        list[i].date = f->n[FACT_DATE];
        list[i].from = f->n[FACT_FROM];
        list[i].until = f->n[FACT_UNTIL];
    }
    free(found);
    if (m->failed != STILE_OK || stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    epoch = stile__mem_find(m, PERSON, &at, &person, 1);
    *ret = list;
    *ret_count = count;
    *ret_epoch = epoch ? (uint64_t)epoch->f.n[PERSON_EPOCH] : 0;
    return STILE_OK;
}

static enum stile_status message(struct stile_store *store,
                                 struct stile_str message_id,
                                 struct stile_arena *arena,
                                 struct stile_str *ret_body)
{
    size_t at = 0;
    struct record *record =
        stile__mem_find(memory_of(store), MESSAGE, &at, &message_id, 1);
    struct stile_str body;

    if (!record) {
        return STILE_NOT_FOUND;
    }
    body = stile_arena_str(arena, record->f.t[MESSAGE_BODY]);
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret_body = body;
    return STILE_OK;
}

static bool sent_of(const struct record *record, const void *ctx)
{
    const struct stile_str *wanted = ctx; /* route, person */

    return stile_str_eq(record->f.t[SENT_PERSON], wanted[1]) &&
           (wanted[0].len == 0 ||
            stile_str_eq(record->f.t[SENT_ROUTE], wanted[0]));
}

static enum stile_status sent(struct stile_store *store, struct stile_str route,
                              struct stile_str person,
                              struct stile_arena *arena,
                              struct stile_sent_mark **ret, size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct stile_str wanted[] = {route, person};
    struct stile_sent_mark *list = NULL;
    struct record **found;
    size_t count = 0;

    m->failed = STILE_OK;
    found = stile__mem_sorted(m, SENT, sent_of, wanted, sent_order, &count);
    if (count > 0) {
        list = stile_arena_array(arena, count, sizeof *list);
    }
    for (size_t i = 0; i < count && list; i++) {
        const struct fields *f = &found[i]->f;

        list[i].route = stile_arena_str(arena, f->t[SENT_ROUTE]);
        list[i].person = stile_arena_str(arena, f->t[SENT_PERSON]);
        list[i].type = stile_arena_str(arena, f->t[SENT_TYPE]);
        list[i].id = stile_arena_str(arena, f->t[SENT_ID]);
        list[i].digest = f->digest;
    }
    free(found);
    if (m->failed != STILE_OK || stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = list;
    *ret_count = count;
    return STILE_OK;
}

static enum stile_status quarantined(struct stile_store *store, size_t limit,
                                     struct stile_arena *arena,
                                     struct stile_quarantine_new **ret,
                                     size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    const struct table *t = &m->tables[QUARANTINE];
    size_t room = t->count < limit ? t->count : limit;
    struct stile_quarantine_new *list =
        room > 0 ? stile_arena_array(arena, room, sizeof *list) : NULL;
    size_t count = 0;

    for (size_t at = t->count; at-- > 0 && count < room && list;) {
        const struct record *record = t->items[at];

        if (record) {
            list[count].source = stile_arena_str(arena, record->f.t[Q_SOURCE]);
            list[count].name = stile_arena_str(arena, record->f.t[Q_NAME]);
            list[count].row = (uint64_t)record->f.n[Q_ROW];
            list[count].reason = stile_arena_str(arena, record->f.t[Q_REASON]);
            list[count].bytes = stile_arena_str(arena, record->f.t[Q_BYTES]);
            count++;
        }
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = count > 0 ? list : NULL;
    *ret_count = count;
    return STILE_OK;
}

/* ---- audit ---- */

static enum stile_status audit_head(struct stile_store *store,
                                    struct stile_audit_tree *ret)
{
    *ret = memory_of(store)->state.tree;
    return STILE_OK;
}

static enum stile_status audit_scan(struct stile_store *store, uint64_t from,
                                    stile_entry_fn fn, void *ctx)
{
    const struct table *t = &memory_of(store)->tables[AUDIT];
    enum stile_status status = STILE_OK;

    for (uint64_t i = from; i < t->count && status == STILE_OK; i++) {
        status =
            fn(ctx, i, t->items[i]->f.t[AUDIT_ENTRY], &t->items[i]->f.digest);
    }
    return status == STILE_END ? STILE_OK : status;
}

static enum stile_status checkpoint_put(struct stile_store *store,
                                        uint64_t size, struct stile_str note,
                                        stile_time now)
{
    struct memory_store *m = memory_of(store);
    const struct table *t = &m->tables[NOTE];
    struct fields f = {.n = {[NOTE_SIZE] = (int64_t)size},
                       .t = {[NOTE_TEXT] = note}};
    int64_t last = t->count > 0 ? t->items[t->count - 1]->f.n[NOTE_SIZE] : -1;

    (void)now; /* nothing here asks how old a checkpoint is */
    if (note.len == 0) {
        return STILE_INVALID;
    }
    if (!stile__body_fits(note)) {
        return STILE_LIMIT;
    }
    if (size > m->state.tree.size) {
        return STILE_INVALID;
    }
    if ((int64_t)size <= last) {
        return (int64_t)size == last ? STILE_EXISTS : STILE_CONFLICT;
    }
    stile__mem_begin(m);
    stile__mem_put(m, NOTE, SIZE_MAX, &f);
    return stile__mem_end(m);
}

static enum stile_status checkpoints(struct stile_store *store,
                                     struct stile_arena *arena,
                                     struct stile_str **ret_notes,
                                     uint64_t **ret_sizes, size_t *ret_count)
{
    const struct table *t = &memory_of(store)->tables[NOTE];
    struct stile_str *notes = NULL;
    uint64_t *sizes = NULL;

    if (t->count > 0) {
        notes = stile_arena_array(arena, t->count, sizeof *notes);
        sizes = stile_arena_array(arena, t->count, sizeof *sizes);
    }
    for (size_t i = 0; i < t->count && notes && sizes; i++) {
        notes[i] = stile_arena_str(arena, t->items[i]->f.t[NOTE_TEXT]);
        sizes[i] = (uint64_t)t->items[i]->f.n[NOTE_SIZE];
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret_notes = notes;
    *ret_sizes = sizes;
    *ret_count = t->count;
    return STILE_OK;
}

static enum stile_status salt(struct stile_store *store,
                              const uint8_t fresh[32], uint8_t ret[32])
{
    struct memory_store *m = memory_of(store);

    if (!m->state.has_salt) {
        memcpy(m->state.salt, fresh, sizeof m->state.salt);
        m->state.has_salt = true;
    }
    memcpy(ret, m->state.salt, sizeof m->state.salt);
    return STILE_OK;
}

void stile__mem_accept_verbs(struct stile_store_ops *ops)
{
    ops->accept = accept_all;
    ops->facts = facts;
    ops->message = message;
    ops->sent = sent;
    ops->quarantined = quarantined;
    ops->audit_head = audit_head;
    ops->audit_scan = audit_scan;
    ops->checkpoint_put = checkpoint_put;
    ops->checkpoints = checkpoints;
    ops->salt = salt;
}
