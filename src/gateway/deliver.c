/*
 * What is still to be forwarded: claim due rows within each partner's window,
 * decide again where consent or rules moved on, send, settle.
 *
 *   claim    store thread   rows, and for each what is known now of its person
 *   again    pool           only where epoch or rule set moved on
 *   send     loop           curl multi, or a file written on the pool
 *   settle   store thread   one transaction for all that ended meanwhile
 *
 * A row is settled exactly once a claim. What a crash leaves in `sending`
 * becomes `unknown` at the next start and goes out under the same key.
 */
#include "deliver_private.h"

#define CLAIM_ARENA (256u << 20)
#define NOTES_ARENA (16u << 20)
#define TICK_MS 500

static void claim_some(struct deliver *d);

/* ---- claim ---- */

static enum stile_status
fill_parcel(struct claim *claim, struct stile_store *store, struct parcel *p)
{
    enum stile_status status = STILE_OK;
    struct stile_str person = p->row->person;
    p->arena = stile_arena_new(claim->g->config->arena_bytes);
    if (p->arena == NULL) {
        return STILE_NOMEM;
    }
    if (person.len > 0) {
        status = store->ops->facts(store, person, p->arena, &p->facts,
                                   &p->fact_count, &p->epoch);
    }
    p->ground = stile_plan_ground(&claim->plan->plan, stile_now());
    p->redecide = status == STILE_OK &&
                  (p->epoch != p->row->what.epoch ||
                   stile_stored_facts_end(p->facts, p->fact_count) ||
                   !stile_digest_eq(&p->ground, &p->row->what.rules));
    if (p->redecide) {
        status = store->ops->message(store, p->row->what.message_id, p->arena,
                                     &p->kept);
    }
    if (p->redecide && status == STILE_OK && person.len > 0) {
        status = store->ops->reviewed(store, person, p->arena, &p->reviewed,
                                      &p->reviewed_count);
    }
    return status;
}

static void claim_work(struct stile_store_job *job, struct stile_store *store)
{
    struct claim *claim =
        (struct claim *)((char *)job - offsetof(struct claim, job));
    struct stile_outbox_row *rows = NULL;
    size_t count = 0;
    job->status =
        store->ops->claim(store, stile_now(), claim->rooms, claim->room_count,
                          claim->arena, &rows, &count);
    STILE_ASSERT(count <= claim->room);
    for (size_t i = 0; job->status == STILE_OK && i < count; i++) {
        struct parcel *p = &claim->parcels[claim->count++];
        p->claim = claim;
        p->row = &rows[i];
        p->body = rows[i].what.body;
        p->key = rows[i].what.key;
        p->again = fill_parcel(claim, store, p);
    }
}

static void claim_start_parcels(struct claim *claim)
{
    struct gateway *g = claim->g;
    claim->open = claim->count;
    size_t count = claim->count; /* the claim may go with its last parcel */
    struct parcel *parcels = claim->parcels;
    for (size_t i = 0; i < count; i++) {
        struct parcel *p = &parcels[i];
        p->partner = gateway_partner(g, p->row->what.partner);
        STILE_ASSERT(p->partner != NULL); /* claims name partners we know */
        if (p->partner->config->partner.own) {
            p->redecide = false; /* no disclosure */
        }
        if (p->again != STILE_OK) {
            stile_partner_started(&p->partner->health);
            deliver_settle_later(
                p, "what is known of the person could not be read");
            continue;
        }
        deliver_begin(p);
    }
}

static void claim_done(struct stile_store_job *job)
{
    struct claim *claim =
        (struct claim *)((char *)job - offsetof(struct claim, job));
    struct gateway *g = claim->g;
    struct deliver *d = g->deliver;
    d->claiming = false;
    if (job->status != STILE_OK) {
        log_line(g, LOG_ERROR, "store", "due rows could not be claimed: %s",
                 stile_status_text(job->status));
    }
    /* Bodies that do not fit together are taken one at a time. */
    d->narrow = job->status == STILE_NOMEM || job->status == STILE_LIMIT;
    if (job->status != STILE_OK || claim->count == 0) {
        claim->open = 1;
        deliver_release(claim);
    } else {
        d->again_wanted = true; /* there may be more */
        claim_start_parcels(claim);
    }
    if (d->again_wanted) {
        claim_some(d);
    }
}

/* How many rows there is room for. */
static size_t fill_rooms(struct deliver *d, struct claim *claim)
{
    struct gateway *g = d->g;
    stile_time now = stile_now();
    size_t total = 0;
    size_t most = d->narrow ? 1 : g->partner_count;
    for (size_t i = 0; i < g->partner_count && claim->room_count < most; i++) {
        size_t at = (d->turn + i) % g->partner_count;
        struct partner_run *p = &g->partners[at];
        uint32_t room = stile_partner_room(&p->health, now, &p->config->policy);
        if (room > 0) {
            room = d->narrow ? 1 : room;
            claim->rooms[claim->room_count].partner = p->config->partner.name;
            claim->rooms[claim->room_count++].room = room;
            total += room;
            d->turn = d->narrow ? at + 1 : d->turn;
        }
    }
    return total;
}

static struct claim *claim_new(struct deliver *d)
{
    struct gateway *g = d->g;
    struct claim *claim = calloc(1, sizeof(*claim));
    if (claim == NULL) {
        return NULL;
    }
    claim->g = g;
    claim->arena = stile_arena_new(CLAIM_ARENA);
    claim->notes = stile_arena_new(NOTES_ARENA);
    claim->open = 1;
    claim->plan = g->plan;
    claim->plan->refs++;
    d->claims_open++;
    claim->rooms = stile_arena_array(claim->arena, g->partner_count + 1,
                                     sizeof(*claim->rooms));
    return claim;
}

static void claim_some(struct deliver *d)
{
    struct gateway *g = d->g;
    if (d->claiming || d->stopped) {
        return;
    }
    d->again_wanted = false;
    struct claim *claim = claim_new(d);
    if (claim == NULL) {
        return; /* the timer comes back */
    }
    bool ready = claim->rooms != NULL && claim->notes != NULL;
    claim->room = ready ? fill_rooms(d, claim) : 0;
    claim->parcels =
        stile_arena_array(claim->arena, claim->room, sizeof(*claim->parcels));
    if (claim->room == 0 || claim->parcels == NULL) {
        deliver_release(claim);
        return;
    }
    d->claiming = true;
    claim->job.work = claim_work;
    claim->job.done = claim_done;
    gateway_post(g, &claim->job);
}

/* ---- the verbs of the house ---- */

static void on_tick(uv_timer_t *timer)
{
    struct deliver *d = timer->data;
    d->settle_wait = false;
    deliver_settle(d);
    claim_some(d);
}

enum stile_status deliver_start(struct gateway *g)
{
    struct deliver *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        return STILE_NOMEM;
    }
    d->g = g;
    d->random = (uint32_t)stile_now();
    g->deliver = d;
    int rc = uv_timer_init(&g->loop, &d->timer);
    STILE_ASSERT(rc == 0);
    d->timer.data = d;
    rc = uv_timer_start(&d->timer, on_tick, 1, TICK_MS);
    return rc == 0 ? STILE_OK : STILE_IO;
}

void deliver_kick(struct gateway *g)
{
    struct deliver *d = g->deliver;
    d->again_wanted = true;
    claim_some(d);
}

void deliver_stop(struct gateway *g)
{
    if (g->deliver != NULL && !g->deliver->stopped) {
        g->deliver->stopped = true;
        g->deliver->settle_wait = false;
        deliver_settle(g->deliver);
        uv_close((uv_handle_t *)&g->deliver->timer, NULL);
    }
}

bool deliver_idle(const struct gateway *g)
{
    const struct deliver *d = g->deliver;
    return d == NULL ||
           (d->claims_open == 0 && !d->settling && d->to_settle == NULL);
}

void deliver_free(struct gateway *g)
{
    free(g->deliver);
    g->deliver = NULL;
}
