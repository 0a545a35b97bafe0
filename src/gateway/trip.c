/*
 * One message through the exchange, across three threads:
 *
 *   gather   store thread   exports only: the person's rows
 *   begin    pool           decode, map
 *   needs    store thread   rows and facts it asked for      (0..8 times)
 *   finish   pool           govern, map out, encode
 *   accept   store thread   one transaction, shared with its neighbours
 *   done     loop
 */
#include "gateway_private.h"

/* A sheet of a hundred thousand broken rows must not hold up the loop. */
#define EVENTS_LOGGED 200

static struct trip *of_job(struct stile_store_job *job)
{
    return (struct trip *)((char *)job - offsetof(struct trip, job));
}

struct trip *trip_new(struct gateway *g)
{
    if (g->trips >= g->config->exchanges_max) {
        return NULL;
    }
    struct trip *trip = calloc(1, sizeof(*trip));
    struct stile_arena *arena = stile_arena_new(g->config->arena_bytes);
    if (trip == NULL || arena == NULL) {
        free(trip);
        stile_arena_free(&arena);
        return NULL;
    }
    trip->g = g;
    trip->arena = arena;
    trip->plan = g->plan;
    trip->plan->refs++;
    trip->work.data = trip;
    g->trips++;
    g->counts.trips++;
    return trip;
}

void trip_free(struct trip **at)
{
    struct trip *trip = *at;
    if (trip == NULL) {
        return;
    }
    *at = NULL;
    struct gateway *g = trip->g;
    stile_plan_release(&trip->plan);
    stile_arena_free(&trip->arena);
    free(trip);
    g->trips--;
    gateway_settled(g);
}

static void end(struct trip *trip, enum stile_status status)
{
    trip->status = status;
    trip->done(trip);
}

/* ---- accept ---- */

static uint64_t notices_of(const struct trip *trip)
{
    if (trip->exchange == NULL) {
        return 0; /* a person who is not read on: the mark alone was cleared */
    }
    size_t count = 0;
    const struct stile_event *events =
        stile_exchange_events(trip->exchange, &count);
    uint64_t notices = 0;
    for (size_t i = 0; i < count; i++) {
        notices += events[i].kind == STILE_EVENT_NOTIFY;
    }
    return notices;
}

static void accept_done(struct stile_store_job *job)
{
    struct trip *trip = of_job(job);
    struct gateway *g = trip->g;
    enum stile_status status =
        job->status != STILE_OK ? job->status : job->accepted.status;
    if (status == STILE_EXISTS) {
        trip->repeated = true;
        trip->answer_status = job->accepted.answer_status;
        trip->answer_body = job->accepted.answer_body;
        g->counts.repeated++;
        status = STILE_OK;
    } else if (status == STILE_OK) {
        g->counts.accepted++;
        g->counts.quarantined += trip->accept.quarantine_count;
        g->counts.privacy_notices += notices_of(trip);
        if (trip->accept.row_count > 0) {
            deliver_kick(g);
        }
    }
    end(trip, status);
}

static void accept_start(struct trip *trip)
{
    trip->accept.answer_status = trip->answer_status;
    trip->accept.answer_body = trip->answer_body;
    memset(&trip->job, 0, sizeof(trip->job));
    trip->job.accept = &trip->accept;
    trip->job.arena = trip->arena;
    trip->job.done = accept_done;
    gateway_post(trip->g, &trip->job);
}

/* ---- the pool ---- */

static void pool_work(uv_work_t *work)
{
    struct trip *trip = work->data;
    if (trip->exchange == NULL) {
        enum stile_status made =
            stile_exchange_new(&trip->plan->plan, &trip->message,
                               &trip->g->keys, trip->arena, &trip->exchange);
        if (made != STILE_OK) {
            trip->begun = STILE_NOMEM;
            trip->status = made;
            return;
        }
    }
    trip->begun = stile_exchange_begin(trip->exchange);
    if (trip->begun == STILE_NEED) {
        return;
    }
    trip->status = stile_exchange_finish(trip->exchange, &trip->accept);
    if (trip->status == STILE_OK && trip->answer != NULL) {
        trip->answer(trip);
        trip->status = stile_arena_failed(trip->arena) ? STILE_LIMIT : STILE_OK;
    }
}

static void ask_store(struct trip *trip);

static void pool_done(uv_work_t *work, int uv_status)
{
    struct trip *trip = work->data;
    STILE_ASSERT(uv_status == 0);
    if (trip->begun == STILE_NEED) {
        ask_store(trip);
    } else if (trip->status != STILE_OK) {
        end(trip, trip->status);
    } else {
        accept_start(trip);
    }
}

static void pool_start(struct trip *trip)
{
    int rc = uv_queue_work(&trip->g->loop, &trip->work, pool_work, pool_done);
    STILE_ASSERT(rc == 0);
}

/* ---- the exchange asks ---- */

static enum stile_status answer_row(struct trip *trip,
                                    struct stile_store *store,
                                    struct stile_need *need)
{
    const struct stile_table *table = stile_schema_table(
        trip->plan->plan.schema, need->family, STILE_STR_NULL, need->table);
    struct stile_mirror_row row;
    /* The mirror finds by the first key column; no other is promised. */
    if (table == NULL || table->key_count == 0 ||
        !stile_str_eq(table->columns[table->keys[0]].name, need->column)) {
        return STILE_OK;
    }
    enum stile_status status = store->ops->mirror_get(
        store, trip->message.feed, need->table, need->key, trip->arena, &row);
    if (status == STILE_NOT_FOUND || (status == STILE_OK && row.deleted)) {
        need->deleted = status == STILE_OK;
        return STILE_OK;
    }
    if (status == STILE_OK) {
        status = mirror_read(trip->arena, table, row.cells, &need->row);
        need->found = status == STILE_OK;
    }
    return status;
}

static enum stile_status answer_person(struct trip *trip,
                                       struct stile_store *store,
                                       struct stile_need *need)
{
    struct stile_stored_fact *facts = NULL;
    enum stile_status status =
        store->ops->facts(store, need->person, trip->arena, &facts,
                          &need->fact_count, &need->epoch);
    need->facts = facts;
    if (status == STILE_OK) {
        struct stile_review_item *reviewed = NULL;
        status = store->ops->reviewed(store, need->person, trip->arena,
                                      &reviewed, &need->reviewed_count);
        need->reviewed = reviewed;
    }
    if (status == STILE_OK && trip->message.feed.len > 0) {
        struct stile_sent_mark *sent = NULL;
        status = store->ops->sent(store, STILE_STR_NULL, need->person,
                                  trip->arena, &sent, &need->sent_count);
        need->sent = sent;
    }
    return status;
}

static void needs_work(struct stile_store_job *job, struct stile_store *store)
{
    struct trip *trip = of_job(job);
    size_t count = 0;
    struct stile_need *needs = stile_exchange_needs(trip->exchange, &count);
    for (size_t i = 0; i < count && job->status == STILE_OK; i++) {
        if (needs[i].answered) {
            continue;
        }
        job->status = needs[i].kind == STILE_NEED_ROW
                          ? answer_row(trip, store, &needs[i])
                          : answer_person(trip, store, &needs[i]);
        needs[i].answered = true;
    }
}

static void needs_done(struct stile_store_job *job)
{
    struct trip *trip = of_job(job);
    if (job->status != STILE_OK) {
        end(trip, job->status);
        return;
    }
    pool_start(trip);
}

static void ask_store(struct trip *trip)
{
    memset(&trip->job, 0, sizeof(trip->job));
    trip->job.work = needs_work;
    trip->job.done = needs_done;
    gateway_post(trip->g, &trip->job);
}

/* ---- gather ---- */

static void gather_work(struct stile_store_job *job, struct stile_store *store)
{
    struct trip *trip = of_job(job);
    job->status = trip->gather(trip, store);
}

static void gather_done(struct stile_store_job *job)
{
    struct trip *trip = of_job(job);
    if (job->status != STILE_OK) {
        end(trip, job->status);
    } else if (trip->skip) {
        /* Nothing to do for this person now: the mark alone is cleared. */
        trip->accept =
            (struct stile_accept){.now = trip->message.now,
                                  .clear_feed = trip->message.feed,
                                  .clear_person = trip->message.feed_person,
                                  .clear_batch = trip->message.feed_batch};
        accept_start(trip);
    } else {
        pool_start(trip);
    }
}

void trip_start(struct trip *trip)
{
    if (trip->gather == NULL) {
        pool_start(trip);
        return;
    }
    memset(&trip->job, 0, sizeof(trip->job));
    trip->job.work = gather_work;
    trip->job.done = gather_done;
    gateway_post(trip->g, &trip->job);
}

void trip_log(const struct trip *trip)
{
    static const char *const words[] = {"received", "forward",    "withheld",
                                        "waiting",  "quarantine", "privacy"};
    size_t count = 0;
    const struct stile_event *events =
        stile_exchange_events(trip->exchange, &count);
    for (size_t i = 0; i < count; i++) {
        if (i == EVENTS_LOGGED) {
            log_line(trip->g, LOG_WARN, "log",
                     "%zu more lines of this message are left out", count - i);
            return;
        }
        log_line(trip->g,
                 events[i].kind >= STILE_EVENT_QUARANTINE ? LOG_WARN : LOG_INFO,
                 words[events[i].kind], "%.*s%s%.*s", STILE_FMT(events[i].text),
                 events[i].route.len > 0 ? ", route " : "",
                 STILE_FMT(events[i].route));
    }
}
