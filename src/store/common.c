#include "common.h"

bool stile__text_fits(struct stile_str s)
{
    return s.len <= STILE_STORE_TEXT_MAX;
}

bool stile__body_fits(struct stile_str s)
{
    return s.len <= STILE_STORE_BODY_MAX;
}

/* The first failure stays: what is found out of order would hide it. */
static void want(enum stile_status *status, bool good,
                 enum stile_status otherwise)
{
    if (*status == STILE_OK && !good) {
        *status = otherwise;
    }
}

static void text(enum stile_status *status, struct stile_str s)
{
    want(status, stile__text_fits(s), STILE_LIMIT);
}

static void name(enum stile_status *status, struct stile_str s)
{
    want(status, s.len > 0, STILE_INVALID);
    text(status, s);
}

static void body(enum stile_status *status, struct stile_str s)
{
    want(status, stile__body_fits(s), STILE_LIMIT);
}

/* SQLite's integers are signed. */
static void number(enum stile_status *status, uint64_t n)
{
    want(status, n <= INT64_MAX, STILE_LIMIT);
}

enum stile_status stile__entries_check(const struct stile_str *entries,
                                       size_t count)
{
    enum stile_status status = STILE_OK;

    want(&status, count <= STILE_STORE_ITEMS_MAX, STILE_LIMIT);
    for (size_t i = 0; i < count && status == STILE_OK; i++) {
        want(&status, entries[i].len > 0, STILE_INVALID);
        want(&status, entries[i].len <= STILE_AUDIT_ENTRY_MAX, STILE_LIMIT);
    }
    return status;
}

static void row(enum stile_status *status, const struct stile_outbox_new *new)
{
    name(status, new->route);
    name(status, new->partner);
    name(status, new->key);
    text(status, new->format);
    text(status, new->media_type);
    text(status, new->lane);
    text(status, new->message_id);
    body(status, new->body);
    number(status, new->epoch);
}

static void parts(enum stile_status *status, const struct stile_accept *accept)
{
    for (size_t i = 0; i < accept->message_count; i++) {
        name(status, accept->messages[i].id);
        text(status, accept->messages[i].person);
        body(status, accept->messages[i].body);
    }
    for (size_t i = 0; i < accept->fact_count; i++) {
        name(status, accept->facts[i].person);
        name(status, accept->facts[i].name);
        text(status, accept->facts[i].recipient);
        text(status, accept->facts[i].source);
    }
    for (size_t i = 0; i < accept->sent_count; i++) {
        name(status, accept->sent[i].route);
        name(status, accept->sent[i].person);
        text(status, accept->sent[i].type);
        text(status, accept->sent[i].id);
    }
    for (size_t i = 0; i < accept->quarantine_count; i++) {
        text(status, accept->quarantine[i].source);
        text(status, accept->quarantine[i].name);
        number(status, accept->quarantine[i].row);
        body(status, accept->quarantine[i].reason);
        body(status, accept->quarantine[i].bytes);
    }
    for (size_t i = 0; i < accept->held_count; i++) {
        name(status, accept->held[i].table);
        name(status, accept->held[i].key);
        text(status, accept->held[i].missing);
        text(status, accept->held[i].reason);
    }
}

static void review(enum stile_status *status,
                   const struct stile_review_new *new)
{
    name(status, new->route);
    name(status, new->partner);
    name(status, new->person);
    text(status, new->message_id);
    text(status, new->feed);
    text(status, new->feed_person);
    want(status, (new->feed.len > 0) == (new->feed_person.len > 0),
         STILE_INVALID);
    want(status, new->item_count > 0, STILE_INVALID);
    want(status, new->item_count <= STILE_STORE_ITEMS_MAX, STILE_LIMIT);
    for (size_t i = 0; *status == STILE_OK && i < new->item_count; i++) {
        text(status, new->items[i].type);
        text(status, new->items[i].id);
        text(status, new->items[i].data);
        name(status, new->items[i].rules);
    }
}

static void review_parts(enum stile_status *status,
                         const struct stile_accept *accept)
{
    want(status,
         accept->review_end_count <= STILE_STORE_ITEMS_MAX &&
             accept->review_seen_count <= STILE_STORE_ITEMS_MAX &&
             accept->review_count <= STILE_STORE_ITEMS_MAX,
         STILE_LIMIT);
    for (size_t i = 0; *status == STILE_OK && i < accept->review_end_count;
         i++) {
        text(status, accept->review_ends[i].reason);
    }
    for (size_t i = 0; *status == STILE_OK && i < accept->review_seen_count;
         i++) {
        name(status, accept->review_seen[i].route);
        name(status, accept->review_seen[i].person);
        text(status, accept->review_seen[i].type);
        text(status, accept->review_seen[i].id);
    }
    for (size_t i = 0; *status == STILE_OK && i < accept->review_count; i++) {
        review(status, &accept->reviews[i]);
    }
}

enum stile_status stile__accept_check(const struct stile_accept *accept)
{
    enum stile_status status = STILE_OK;

    want(&status,
         accept->message_count <= STILE_STORE_ITEMS_MAX &&
             accept->row_count <= STILE_STORE_ITEMS_MAX &&
             accept->fact_count <= STILE_STORE_ITEMS_MAX &&
             accept->sent_count <= STILE_STORE_ITEMS_MAX &&
             accept->quarantine_count <= STILE_STORE_ITEMS_MAX &&
             accept->held_count <= STILE_STORE_ITEMS_MAX,
         STILE_LIMIT);
    if (status != STILE_OK) {
        return status;
    }
    want(&status, (accept->source.len > 0) == (accept->key.len > 0),
         STILE_INVALID);
    want(&status,
         (accept->clear_feed.len > 0) == (accept->clear_person.len > 0),
         STILE_INVALID);
    want(&status, accept->held_count == 0 || accept->clear_feed.len > 0,
         STILE_INVALID);
    text(&status, accept->source);
    text(&status, accept->key);
    text(&status, accept->clear_feed);
    text(&status, accept->clear_person);
    number(&status, accept->clear_batch);
    body(&status, accept->answer_body);
    for (size_t i = 0; i < accept->row_count; i++) {
        row(&status, &accept->rows[i]);
    }
    parts(&status, accept);
    review_parts(&status, accept);
    if (status != STILE_OK) {
        return status;
    }
    return stile__entries_check(accept->entries, accept->entry_count);
}

enum stile_status stile__mirror_check(const struct stile_mirror_row *new)
{
    enum stile_status status = STILE_OK;

    name(&status, new->feed);
    name(&status, new->table);
    name(&status, new->key);
    text(&status, new->person);
    body(&status, new->cells);
    number(&status, new->batch);
    return status;
}

enum stile_status stile__settle_check(const struct stile_settle *settle)
{
    enum stile_status status = STILE_OK;

    text(&status, settle->reason);
    text(&status, settle->key);
    body(&status, settle->body);
    number(&status, settle->epoch);
    want(&status, (unsigned)settle->state < STILE_ROW_COUNT, STILE_INVALID);
    if (status != STILE_OK) {
        return status;
    }
    return stile__entries_check(settle->entries, settle->entry_count);
}

enum stile_status
stile__rules_change_check(const struct stile_rules_change *change)
{
    const struct stile_rules_step *step = &change->step;
    enum stile_status status = STILE_OK;

    want(&status, !stile__digest_zero(&step->to), STILE_INVALID);
    want(&status, !stile_digest_eq(&step->to, &step->from), STILE_INVALID);
    name(&status, step->class);
    body(&status, step->acts);
    body(&status, change->files);
    want(&status, change->entry_count > 0, STILE_INVALID);
    if (status != STILE_OK) {
        return status;
    }
    return stile__entries_check(change->entries, change->entry_count);
}

enum stile_status
stile__rules_approval_check(const struct stile_rules_approval *approval,
                            const struct stile_str *entries, size_t entry_count)
{
    enum stile_status status = STILE_OK;

    name(&status, approval->subject);
    name(&status, approval->officer);
    name(&status, approval->because);
    want(&status, entry_count > 0, STILE_INVALID);
    if (status != STILE_OK) {
        return status;
    }
    return stile__entries_check(entries, entry_count);
}

enum stile_status
stile__review_settle_check(const struct stile_review_settle *settle)
{
    enum stile_status status = STILE_OK;

    text(&status, settle->reason);
    body(&status, settle->act);
    want(&status, settle->item_count <= STILE_STORE_ITEMS_MAX, STILE_LIMIT);
    want(&status, (unsigned)settle->state < STILE_REVIEW_COUNT, STILE_INVALID);
    want(&status,
         (unsigned)settle->word <= STILE_REVIEW_REFUSE &&
             (settle->word != STILE_REVIEW_NO_WORD) == (settle->item_count > 0),
         STILE_INVALID);
    /* Part of a review decided leaves it waiting; nothing decided ends it. */
    want(&status,
         settle->item_count > 0 || settle->state == STILE_REVIEW_LAPSED,
         STILE_INVALID);
    /* No act and no end without its entry. */
    want(&status, settle->entry_count > 0, STILE_INVALID);
    if (settle->row) {
        row(&status, settle->row);
        want(&status, settle->word == STILE_REVIEW_RELEASE, STILE_INVALID);
    }
    if (status != STILE_OK) {
        return status;
    }
    return stile__entries_check(settle->entries, settle->entry_count);
}

bool stile__fact_stays(stile_time kept, stile_time coming)
{
    return coming != 0 && kept != 0 && coming < kept;
}

bool stile__mirror_older(const struct stile_mirror_row *new, uint64_t batch,
                         int64_t order)
{
    return new->batch < batch || (new->batch == batch &&new->order < order);
}

struct stile_digest stile__digest_doubt(void)
{
    struct stile_digest doubt;

    memset(&doubt, 0xff, sizeof(doubt));
    return doubt;
}

bool stile__digest_zero(const struct stile_digest *digest)
{
    static const struct stile_digest zero;

    return stile_digest_eq(digest, &zero);
}

bool stile__row_waits(enum stile_row_state state)
{
    return stile_row_may(state, STILE_ROW_SENDING);
}

struct stile_str stile__first_cell(struct stile_str key)
{
    size_t end = stile_str_find(key, '\x1f');

    return end == SIZE_MAX ? key : stile_str_sub(key, 0, end);
}

struct stile_str stile__quoted_cell(struct stile_arena *arena,
                                    struct stile_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < 0x20 || c == '"' || c == '\\') {
            return STILE_STR_NULL;
        }
    }
    return text.len == 0
               ? STILE_STR_NULL
               : stile_arena_printf(arena, "\"%.*s\"", STILE_FMT(text));
}
