/*
 * What became of each parcel, made durable: all that ended meanwhile in one
 * transaction. One that will not go is taken by itself, so that it does not
 * hold up the others.
 */
#include "deliver_private.h"

void deliver_release(struct claim *claim)
{
    struct deliver *d = claim->g->deliver;
    if (--claim->open > 0) {
        return;
    }
    struct gateway *g = claim->g;
    for (size_t i = 0; i < claim->count; i++) {
        stile_arena_free(&claim->parcels[i].arena);
    }
    stile_plan_release(&claim->plan);
    stile_arena_free(&claim->notes);
    stile_arena_free(&claim->arena);
    free(claim);
    d->claims_open--;
    gateway_settled(g);
}

static void settle_work(struct stile_store_job *job, struct stile_store *store)
{
    struct settle_batch *b =
        (struct settle_batch *)((char *)job -
                                offsetof(struct settle_batch, job));
    job->status = store->ops->settle(store, b->settles, b->count);
}

static void release_batch(struct settle_batch *b)
{
    struct parcel *next = NULL;
    for (struct parcel *p = b->first; p != NULL; p = next) {
        next = p->next_settle;
        deliver_release(p->claim);
    }
}

static void put_back(struct deliver *d, struct settle_batch *b)
{
    struct parcel *last = b->first;
    while (last->next_settle != NULL) {
        last = last->next_settle;
    }
    last->next_settle = d->to_settle;
    d->to_settle = b->first;
    d->to_settle_count += b->count;
}

/* A disk that is full for a minute must not leave rows in sending until
 * somebody starts the gateway again: nothing was changed, so it is tried
 * again. What the store will not take by itself is given up, or it would hold
 * up all others. */
static void settle_failed(struct deliver *d, struct settle_batch *b,
                          enum stile_status status)
{
    bool of_a_row = status == STILE_CONFLICT || status == STILE_NOT_FOUND ||
                    status == STILE_INVALID || status == STILE_LIMIT;
    bool give_up = of_a_row ? b->one : d->stopped;
    log_line(d->g, LOG_ERROR, "store",
             "the outcome of %zu sends could not be kept (%s): %s", b->count,
             stile_status_text(status),
             give_up ? "they go out again when the gateway starts again, "
                       "under their keys"
                     : "it is tried again");
    if (give_up) {
        release_batch(b);
        return;
    }
    d->one_by_one = d->one_by_one || of_a_row;
    d->settle_wait = !of_a_row;
    put_back(d, b);
}

static void settle_done(struct stile_store_job *job)
{
    struct settle_batch *b =
        (struct settle_batch *)((char *)job -
                                offsetof(struct settle_batch, job));
    struct deliver *d = b->g->deliver;
    d->settling = false;
    if (job->status == STILE_OK) {
        release_batch(b);
    } else {
        settle_failed(d, b, job->status);
    }
    free(b->settles);
    free(b);
    if (d->to_settle == NULL) {
        d->one_by_one = false;
    }
    deliver_settle(d);
    deliver_kick(d->g);
}

void deliver_settle(struct deliver *d)
{
    if (d->settling || d->settle_wait || d->to_settle == NULL) {
        return;
    }
    size_t count = d->one_by_one ? 1 : d->to_settle_count;
    struct settle_batch *b = calloc(1, sizeof(*b));
    struct stile_settle *settles = calloc(count, sizeof(*settles));
    if (b == NULL || settles == NULL) {
        free(b);
        free(settles);
        return; /* the timer comes back */
    }
    b->g = d->g;
    b->first = d->to_settle;
    b->settles = settles;
    b->one = count == 1;
    struct parcel *last = NULL;
    for (struct parcel *p = b->first; b->count < count; p = p->next_settle) {
        settles[b->count++] = p->settle;
        last = p;
    }
    d->to_settle = last->next_settle;
    d->to_settle_count -= count;
    last->next_settle = NULL;
    d->settling = true;
    b->job.work = settle_work;
    b->job.done = settle_done;
    gateway_post(d->g, &b->job);
}

static struct stile_str settle_entry(struct parcel *p,
                                     enum stile_row_state state)
{
    struct stile_arena *arena = p->claim->notes;
    struct stile_buf out;
    char time[25];
    size_t len = stile_time_format(p->settle.now, time);
    stile_buf_init(&out, 8192);
    /* Members in order of name: canonical (RFC 8785). */
    stile_buf_addc(&out, "{\"attempts\":");
    stile_buf_printf(&out, "%u", p->row->attempts);
    stile_buf_addc(&out, ",\"gateway\":");
    stile_buf_json_str(&out, p->claim->g->config->name);
    stile_buf_addc(&out, ",\"key\":");
    stile_buf_json_str(&out, p->key);
    stile_buf_addc(&out, ",\"message\":");
    stile_buf_json_str(&out, p->row->what.message_id);
    stile_buf_addc(&out, ",\"reason\":");
    stile_buf_json_str(&out, stile_str_cstr(p->reason));
    stile_buf_addc(&out, ",\"route\":");
    stile_buf_json_str(&out, p->row->what.route);
    stile_buf_addc(&out, ",\"state\":");
    stile_buf_json_str(&out, stile_str_cstr(stile_row_state_text(state)));
    stile_buf_addc(&out, ",\"time\":");
    stile_buf_json_str(&out, (struct stile_str){time, len});
    stile_buf_addc(&out, ",\"to\":");
    stile_buf_json_str(&out, p->row->what.partner);
    stile_buf_addc(&out, ",\"type\":\"delivery\"}");
    struct stile_str text = stile_arena_str(arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return text;
}

static void put_for_settle(struct parcel *p)
{
    struct deliver *d = p->claim->g->deliver;
    struct parcel **at = &d->to_settle;
    while (*at != NULL) {
        at = &(*at)->next_settle;
    }
    *at = p;
    d->to_settle_count++;
    deliver_settle(d);
}

static void count_result(struct gateway *g, enum stile_row_state state)
{
    switch (state) {
    case STILE_ROW_DONE:
        g->counts.forwarded++;
        break;
    case STILE_ROW_DEFERRED:
        g->counts.deferred++;
        break;
    case STILE_ROW_REFUSED:
        g->counts.refused_there++;
        break;
    case STILE_ROW_UNKNOWN:
        g->counts.unknown++;
        break;
    case STILE_ROW_WITHDRAWN:
        g->counts.withdrawn++;
        break;
    default:
        break;
    }
}

static void set_redecided(struct parcel *p)
{
    if (p->redecide && p->again == STILE_OK) {
        p->settle.redecided = true;
        p->settle.body =
            stile_str_eq(p->body, p->row->what.body) ? STILE_STR_NULL : p->body;
        p->settle.rules = p->ground;
        p->settle.epoch = p->epoch;
        p->settle.key = p->key;
    }
}

void deliver_settle_as(struct parcel *p, enum stile_row_state state,
                       stile_time due)
{
    struct gateway *g = p->claim->g;
    p->settle.id = p->row->id;
    p->settle.state = stile_row_move(STILE_ROW_SENDING, state);
    p->settle.due = due;
    p->settle.now = stile_now();
    p->settle.reason = stile_str_cstr(p->reason);
    p->delivery = settle_entry(p, state);
    p->settle.entries = &p->delivery;
    p->settle.entry_count = 1;
    set_redecided(p);
    count_result(g, state);
    bool good = state == STILE_ROW_DONE;
    log_line(g, good ? LOG_INFO : LOG_WARN,
             good ? "delivered" : stile_row_state_text(state),
             "%.*s to %.*s, route %.*s, attempt %u%s%s",
             STILE_FMT(p->row->what.format),
             STILE_FMT(p->partner->config->partner.name),
             STILE_FMT(p->row->what.route), p->row->attempts, good ? "" : ": ",
             good ? "" : p->reason);
    put_for_settle(p);
}

uint32_t deliver_random(struct deliver *d)
{
    d->random = d->random * 1664525u + 1013904223u;
    return d->random;
}

void deliver_sent(struct parcel *p)
{
    struct gateway *g = p->claim->g;
    struct deliver *d = g->deliver;
    stile_time now = stile_now();
    enum stile_partner_state before = p->partner->health.state;
    stile_partner_ended(&p->partner->health, p->result, "its sends failed", now,
                        &p->partner->config->policy);
    if (p->partner->health.state != before) {
        log_line(g, LOG_WARN, "partner", "%.*s is %s: %s",
                 STILE_FMT(p->partner->config->partner.name),
                 stile_partner_state_text(p->partner->health.state), p->reason);
    }
    struct stile_row_step step = stile_row_after_send(
        p->result, p->row->queued_at, now, p->row->attempts, p->retry_after,
        deliver_random(d), &g->config->retry);
    deliver_settle_as(p, step.state, step.due);
}
