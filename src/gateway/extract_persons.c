/*
 * The persons whose rows changed: each one's rows are gathered from the mirror
 * and go through the exchange as one message; the dirty mark goes in the
 * transaction that accepts the outcome.
 */
#include "extract_private.h"

#define PERSONS_AT_ONCE 4
#define PERSONS_LISTED 64
/* So many that fail end a pass: something is wrong with more than a person. */
#define PERSONS_STUCK_MAX 2000

struct row_list {
    struct stile_row *rows;
    size_t count, capacity;
};

struct gathered {
    struct trip *trip;
    const struct extract *e;
    struct row_list rows, deleted;
    struct stile_str practice;
    bool gone;
};

static struct stile_row *add_row(struct stile_arena *arena,
                                 struct row_list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct stile_row *rows =
            stile_arena_array(arena, capacity, sizeof(*rows));
        if (rows == NULL) {
            return NULL;
        }
        if (list->count > 0) {
            memcpy(rows, list->rows, list->count * sizeof(*rows));
        }
        list->rows = rows;
        list->capacity = capacity;
    }
    return &list->rows[list->count];
}

static enum stile_status gather_row(void *ctx,
                                    const struct stile_mirror_row *row)
{
    struct gathered *got = ctx;
    struct stile_arena *arena = got->trip->arena;
    const struct stile_table *table =
        stile_schema_table(got->trip->plan->plan.schema, got->e->feed->family,
                           STILE_STR_NULL, row->table);
    if (table == NULL) {
        return STILE_OK;
    }
    /* The row whose whole key is the person is the person's own. */
    bool own = table->key_count == 1 && table->keys[0] == table->person_column;
    /* Or the source says that it no longer sends the person. */
    bool left = stile_str_eq(row->table, extract_dialect(got->e, "gone"));
    got->gone = got->gone || (left ? !row->deleted : own && row->deleted);
    if (left) {
        return STILE_OK;
    }
    struct row_list *list = row->deleted && !own ? &got->deleted : &got->rows;
    struct stile_row *out = add_row(arena, list);
    if (out == NULL) {
        return STILE_LIMIT;
    }
    enum stile_status status =
        mirror_read(arena, table, stile_arena_str(arena, row->cells), out);
    if (status != STILE_OK) {
        return status;
    }
    list->count++;
    out->number = list->count;
    if (got->practice.len == 0 && list == &got->rows) {
        got->practice = stile_row_get(out, STILE_STR("OrganisationGuid"));
    }
    return STILE_OK;
}

/* A practice that has not activated sharing, or has switched it off, is not
 * read on (facts: Agreements_SharingOrganisation). Unknown means off. */
static enum stile_status check_gate(struct trip *trip, const struct extract *e,
                                    struct stile_store *store,
                                    struct stile_str practice)
{
    struct stile_str gate = stile_schema_dialect(
        trip->plan->plan.schema, e->feed->family, STILE_STR_NULL, "gate");
    const struct stile_table *table = stile_schema_table(
        trip->plan->plan.schema, e->feed->family, STILE_STR_NULL, gate);
    struct stile_mirror_row row;
    struct stile_row cells;
    if (gate.len == 0 || table == NULL) {
        return STILE_OK;
    }
    if (practice.len == 0) {
        trip->skip = true;
        return STILE_OK;
    }
    enum stile_status status = store->ops->mirror_get(
        store, e->feed->name, gate, practice, trip->arena, &row);
    if (status == STILE_OK) {
        status = mirror_read(trip->arena, table, row.cells, &cells);
    }
    if (status == STILE_NOT_FOUND) {
        trip->skip = true;
        return STILE_OK;
    }
    trip->skip =
        status == STILE_OK && (row.deleted || !extract_gate_is_open(&cells));
    return status;
}

static enum stile_status gather(struct trip *trip, struct stile_store *store)
{
    struct extract *e = trip->owner;
    struct gathered got = {.trip = trip, .e = e};
    enum stile_status status = store->ops->mirror_person(
        store, e->feed->name, trip->message.feed_person, gather_row, &got);
    if (status == STILE_OK) {
        status = check_gate(trip, e, store, got.practice);
    }
    trip->message.rows = got.rows.rows;
    trip->message.row_count = got.rows.count;
    trip->message.deleted_rows = got.deleted.rows;
    trip->message.deleted_row_count = got.deleted.count;
    trip->message.gone = got.gone;
    return status;
}

static void persons_next(struct extract *e);

static void person_ended(struct trip *trip)
{
    struct extract *e = trip->owner;
    if (trip->status == STILE_OK && trip->skip) {
        e->skipped++;
    } else if (trip->status == STILE_OK) {
        trip_log(trip);
    } else {
        e->failed++;
        log_line(e->g, LOG_ERROR, "not-taken",
                 "a person of %.*s could not be worked (%s) and stays to be "
                 "worked",
                 STILE_FMT(e->feed->name), stile_status_text(trip->status));
    }
    e->in_hand--;
    trip_free(&trip);
    persons_next(e);
}

static bool person_start(struct extract *e, size_t i)
{
    struct trip *trip = trip_new(e->g);
    if (trip == NULL) {
        return false;
    }
    struct stile_digest digest;
    char hex[65];
    stile_sha256(e->persons[i], &digest);
    stile_digest_hex(&digest, hex);
    stile_time now = stile_now();
    trip->message = (struct stile_message){
        .id = stile_arena_printf(trip->arena, "%.*s.%llu.%.16s",
                                 STILE_FMT(e->feed->name),
                                 (unsigned long long)e->marks[i], hex),
        .source = e->feed->name,
        .source_ods = e->feed->ods,
        .family = e->feed->family,
        .name = e->feed->name,
        .received = now,
        .now = now,
        .feed = e->feed->name,
        .feed_person = stile_arena_str(trip->arena, e->persons[i]),
        .feed_batch = e->marks[i]};
    trip->gather = gather;
    trip->done = person_ended;
    trip->owner = e;
    e->in_hand++;
    trip_start(trip);
    return true;
}

static void list_work(struct stile_store_job *job, struct stile_store *store)
{
    struct extract *e = extract_of_job(job);
    job->status = store->ops->dirty(store, e->feed->name,
                                    PERSONS_LISTED + e->stuck, e->list_arena,
                                    &e->persons, &e->marks, &e->person_count);
}

static void list_done(struct stile_store_job *job)
{
    struct extract *e = extract_of_job(job);
    if (job->status != STILE_OK) {
        log_line(e->g, LOG_ERROR, "store", "%.*s: %s", STILE_FMT(e->feed->name),
                 stile_status_text(job->status));
        e->person_count = 0;
    }
    e->person_next = e->stuck < e->person_count ? e->stuck : e->person_count;
    e->listed = e->person_count - e->person_next;
    persons_next(e);
}

static void list_start(struct extract *e)
{
    stile_arena_reset(e->list_arena);
    e->stuck = e->failed;
    extract_on_store(e, list_work, list_done);
}

static void persons_next(struct extract *e)
{
    while (e->person_next < e->person_count && e->in_hand < PERSONS_AT_ONCE &&
           !e->g->draining && person_start(e, e->person_next)) {
        e->person_next++;
    }
    if (e->in_hand > 0) {
        return;
    }
    /* Another page, as long as pages bring somebody who was not tried. */
    bool more = e->person_next == e->person_count && e->listed > 0 &&
                e->failed <= PERSONS_STUCK_MAX;
    if (more && !e->g->draining) {
        list_start(e);
        return;
    }
    if (e->skipped > 0) {
        log_line(e->g, LOG_WARN, "gate",
                 "%.*s: %zu persons are not read on: their practice has not "
                 "activated sharing or has switched it off",
                 STILE_FMT(e->feed->name), e->skipped);
    }
    extract_ended(e);
}

void extract_persons(struct extract *e)
{
    e->skipped = 0;
    e->failed = 0;
    e->in_hand = 0;
    list_start(e);
}
