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
#include <fcntl.h>
#include <unistd.h>

#include "gateway_private.h"

#define CLAIM_ARENA (256u << 20)
#define TICK_MS 500

struct claim;

struct parcel { /* one claimed row on its way */
    struct claim *claim;
    struct stile_outbox_row *row;
    struct partner_run *partner;
    struct stile_stored_fact *facts; /* of its person, as of the claim */
    size_t fact_count;
    uint64_t epoch;
    struct stile_str kept; /* its kept message, when decided again */
    bool redecide;
    enum stile_status again;
    struct stile_arena *again_arena; /* of the second decision, on the pool */
    struct stile_str body, entry, key;
    enum stile_send_result result;
    const char *reason;
    stile_time retry_after;
    uv_work_t work;
    char path[600]; /* folder sink */
    struct stile_settle settle;
    struct stile_str entries[2];
    struct parcel *next_settle;
};

struct claim { /* rows claimed together share an arena */
    struct gateway *g;
    struct stile_plan_box *plan;
    struct stile_arena *arena;
    struct stile_store_job job;
    struct stile_partner_claim *rooms;
    size_t room_count;
    struct parcel *parcels;
    size_t count, open;
};

struct settle_batch {
    struct gateway *g;
    struct stile_store_job job;
    struct parcel *first;
    struct stile_settle *settles;
    size_t count;
};

struct deliver {
    struct gateway *g;
    uv_timer_t timer;
    bool claiming, again_wanted, settling, stopped;
    size_t claims_open;
    struct parcel *to_settle;
    size_t to_settle_count;
    uint32_t random;
};

static void settle_some(struct deliver *d);
static void claim_some(struct deliver *d);

/* ---- settle
 * ------------------------------------------------------------------- */

static void claim_release(struct claim *claim)
{
    struct deliver *d = claim->g->deliver;
    if (--claim->open > 0) {
        return;
    }
    struct gateway *g = claim->g;
    stile_plan_release(&claim->plan);
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

static void settle_done(struct stile_store_job *job)
{
    struct settle_batch *b =
        (struct settle_batch *)((char *)job -
                                offsetof(struct settle_batch, job));
    struct deliver *d = b->g->deliver;
    if (job->status != STILE_OK) {
        log_line(b->g, LOG_ERROR, "store",
                 "the outcome of %zu sends could not be kept (%s): they stay "
                 "in sending until the gateway starts again",
                 b->count, stile_status_text(job->status));
    }
    struct parcel *next = NULL;
    for (struct parcel *p = b->first; p != NULL; p = next) {
        next = p->next_settle;
        claim_release(p->claim);
    }
    free(b->settles);
    free(b);
    d->settling = false;
    settle_some(d);
    deliver_kick(d->g);
}

static void settle_some(struct deliver *d)
{
    if (d->settling || d->to_settle == NULL) {
        return;
    }
    struct settle_batch *b = calloc(1, sizeof(*b));
    struct stile_settle *settles = calloc(d->to_settle_count, sizeof(*settles));
    if (b == NULL || settles == NULL) {
        free(b);
        free(settles);
        return; /* the timer comes back */
    }
    b->g = d->g;
    b->first = d->to_settle;
    b->settles = settles;
    for (struct parcel *p = b->first; p != NULL; p = p->next_settle) {
        settles[b->count++] = p->settle;
    }
    d->to_settle = NULL;
    d->to_settle_count = 0;
    d->settling = true;
    b->job.work = settle_work;
    b->job.done = settle_done;
    gateway_post(d->g, &b->job);
}

static struct stile_str settle_entry(struct parcel *p,
                                     enum stile_row_state state)
{
    struct stile_arena *arena = p->claim->arena;
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
    settle_some(d);
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
        p->settle.body = p->body;
        p->settle.rules = stile_rules_digest(p->claim->plan->plan.rules);
        p->settle.epoch = p->epoch;
        p->settle.key = p->key;
    }
}

static void settle_as(struct parcel *p, enum stile_row_state state,
                      stile_time due)
{
    struct gateway *g = p->claim->g;
    p->settle.id = p->row->id;
    p->settle.state = stile_row_move(STILE_ROW_SENDING, state);
    p->settle.due = due;
    p->settle.now = stile_now();
    p->settle.reason = stile_str_cstr(p->reason);
    size_t n = 0;
    if (p->entry.len > 0) {
        p->entries[n++] = p->entry;
    }
    p->entries[n++] = settle_entry(p, state);
    p->settle.entries = p->entries;
    p->settle.entry_count = n;
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

static void sent(struct parcel *p)
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
    d->random = d->random * 1664525u + 1013904223u;
    struct stile_row_step step = stile_row_after_send(
        p->result, p->row->queued_at, now, p->row->attempts, p->retry_after,
        d->random, &g->config->retry);
    settle_as(p, step.state, step.due);
}

/* ---- send: https
 * ----------------------------------------------------------------- */

static void https_done(void *ctx, int status, bool body_sent,
                       struct stile_str body, uint64_t retry_after_s,
                       const char *error)
{
    struct parcel *p = ctx;
    (void)body;
    p->result = stile_send_judge(status, body_sent);
    p->retry_after = retry_after_s > 86400
                         ? 86400 * STILE_SECOND
                         : (stile_time)retry_after_s * STILE_SECOND;
    if (status == 0) {
        p->reason = error != NULL ? error : "no answer";
    } else {
        struct stile_str text = stile_arena_printf(
            p->claim->arena, "the receiver answered HTTP %d", status);
        char *cstr = stile_arena_cstr(p->claim->arena, text);
        p->reason = cstr != NULL ? cstr : "the receiver answered an error";
    }
    sent(p);
}

static const char *path_of(struct stile_str format)
{
    return stile_str_eqc(format, "fhir-json") ? "/fhir" : "/vcse/case";
}

static void send_https(struct parcel *p)
{
    struct gateway *g = p->claim->g;
    struct stile_str url =
        stile_arena_printf(p->claim->arena, "%s%s", p->partner->config->url,
                           path_of(p->row->what.format));
    struct stile_header headers[] = {
        {STILE_STR("Content-Type"), p->row->what.media_type},
        {STILE_STR("Idempotency-Key"), p->key},
        {STILE_STR("X-Request-ID"), p->key},
        {STILE_STR("Accept"), p->row->what.media_type}};
    struct stile_send send = {.url = stile_arena_cstr(p->claim->arena, url),
                              .method = "POST",
                              .headers = headers,
                              .header_count = 4,
                              .body = p->body,
                              .pin = p->partner->config->pin,
                              .ctx = p,
                              .on_done = https_done};
    enum stile_status status =
        send.url == NULL ? STILE_NOMEM : stile_client_send(g->client, &send);
    if (status != STILE_OK) {
        p->result = STILE_SEND_LATER;
        p->reason = "the send could not be started";
        sent(p);
    }
}

/* ---- send: a file for an own system
 * ------------------------------------------------ */

/* Written beside, flushed, then renamed: the system sees it whole or not at
 * all, and a second delivery under the same key is the same file. */
static enum stile_status write_file(const char *path, struct stile_str body)
{
    char part[640];
    int n = snprintf(part, sizeof(part), "%s.part", path);
    if (n < 0 || (size_t)n >= sizeof(part)) {
        return STILE_LIMIT;
    }
    int fd =
        open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return STILE_IO;
    }
    bool ok = true;
    while (ok && body.len > 0) {
        ssize_t wrote = write(fd, body.ptr, body.len);
        ok = wrote > 0;
        body = ok ? stile_str_sub(body, (size_t)wrote, SIZE_MAX) : body;
    }
    ok = fsync(fd) == 0 && ok;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(part, path) == 0;
    if (!ok) {
        (void)unlink(part);
    }
    return ok ? STILE_OK : STILE_IO;
}

static bool flush_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    return (fd < 0 || close(fd) == 0) && ok;
}

static void folder_work(uv_work_t *work)
{
    struct parcel *p = work->data;
    enum stile_status status = write_file(p->path, p->body);
    bool ok = status == STILE_OK && flush_folder(p->partner->config->folder);
    p->result = ok ? STILE_SEND_DONE : STILE_SEND_LATER;
    p->reason = ok ? "written"
                   : "the file could not be written: check that the folder "
                     "exists, has room, and may be written";
}

static void folder_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    sent(work->data);
}

static void send_folder(struct parcel *p)
{
    const struct stile_format *format = stile_format_find(p->row->what.format);
    struct stile_str key = stile_str_sub(p->key, 0, 16);
    int n = snprintf(p->path, sizeof(p->path), "%s/%.*s-%.*s%s",
                     p->partner->config->folder, STILE_FMT(p->row->what.route),
                     STILE_FMT(key), format != NULL ? format->suffix : ".txt");
    if (n < 0 || (size_t)n >= sizeof(p->path)) {
        p->result = STILE_SEND_LATER;
        p->reason = "the folder's path is too long";
        sent(p);
        return;
    }
    p->work.data = p;
    int rc =
        uv_queue_work(&p->claim->g->loop, &p->work, folder_work, folder_done);
    STILE_ASSERT(rc == 0);
}

static void send_parcel(struct parcel *p)
{
    if (p->partner->config->url != NULL) {
        send_https(p);
    } else {
        send_folder(p);
    }
}

/* ---- decide again
 * ------------------------------------------------------------------- */

static void again_work(uv_work_t *work)
{
    struct parcel *p = work->data;
    struct stile_again again = {.kept = p->kept,
                                .route = p->row->what.route,
                                .message_id = p->row->what.message_id,
                                .facts = p->facts,
                                .fact_count = p->fact_count,
                                .epoch = p->epoch,
                                .now = stile_now()};
    /* An arena of its own: the claim's is shared by parcels on other
     * threads. Results are copied on the loop. */
    p->again_arena = stile_arena_new(p->claim->g->config->arena_bytes);
    p->again = p->again_arena == NULL
                   ? STILE_NOMEM
                   : stile_exchange_again(&p->claim->plan->plan, &again,
                                          &p->claim->g->keys, p->again_arena,
                                          &p->body, &p->entry);
}

/* A body that differs from the row's needs a key that differs too, or it would
 * be taken for a repeat. The key follows from the body, so that the same
 * decision made again, after a crash say, goes out under the same key. */
static void renew_key(struct parcel *p)
{
    struct stile_digest digest;
    char hex[65];
    if (stile_str_eq(p->body, p->row->what.body)) {
        return;
    }
    stile_sha256(p->body, &digest);
    stile_digest_hex(&digest, hex);
    struct stile_str text =
        stile_arena_printf(p->claim->arena, "%.*s\x1f%s",
                           STILE_FMT(p->row->what.key), hex);
    stile_sha256(text, &digest);
    stile_digest_hex(&digest, hex);
    p->key = stile_arena_str(p->claim->arena, stile_str_cstr(hex));
}

static void again_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct parcel *p = work->data;
    p->body = stile_arena_str(p->claim->arena, p->body);
    p->entry = stile_arena_str(p->claim->arena, p->entry);
    stile_arena_free(&p->again_arena);
    p->claim->g->counts.decided_again++;
    if (p->again != STILE_OK) { /* nothing was sent: no news of the partner */
        stile_partner_ended(&p->partner->health, STILE_SEND_DONE, "",
                            stile_now(), &p->partner->config->policy);
    }
    if (p->again == STILE_DENIED) {
        p->reason = "decided again: consent or rules no longer allow it";
        settle_as(p, STILE_ROW_WITHDRAWN, 0);
    } else if (p->again != STILE_OK) {
        /* Not decided is not allowed: it waits for a person. */
        p->reason = "could not be decided again: see the quarantine and the "
                    "rules, then retry";
        settle_as(p, STILE_ROW_PARKED, 0);
    } else {
        renew_key(p);
        send_parcel(p);
    }
}

static void start_parcel(struct parcel *p)
{
    stile_partner_started(&p->partner->health);
    if (!p->redecide) {
        send_parcel(p);
        return;
    }
    p->work.data = p;
    int rc =
        uv_queue_work(&p->claim->g->loop, &p->work, again_work, again_done);
    STILE_ASSERT(rc == 0);
}

/* ---- claim
 * ---------------------------------------------------------------------------
 */

static enum stile_status
fill_parcel(struct claim *claim, struct stile_store *store, struct parcel *p)
{
    enum stile_status status = STILE_OK;
    struct stile_str person = p->row->person;
    if (person.len > 0) {
        status = store->ops->facts(store, person, claim->arena, &p->facts,
                                   &p->fact_count, &p->epoch);
    }
    struct stile_digest rules = stile_rules_digest(claim->plan->plan.rules);
    p->redecide =
        status == STILE_OK && (p->epoch != p->row->what.epoch ||
                               !stile_digest_eq(&rules, &p->row->what.rules));
    if (p->redecide) {
        status = store->ops->message(store, p->row->what.message_id,
                                     claim->arena, &p->kept);
    }
    return status;
}

static void claim_work(struct stile_store_job *job, struct stile_store *store)
{
    struct claim *claim =
        (struct claim *)((char *)job - offsetof(struct claim, job));
    struct stile_outbox_row *rows = NULL;
    job->status =
        store->ops->claim(store, stile_now(), claim->rooms, claim->room_count,
                          claim->arena, &rows, &claim->count);
    if (job->status != STILE_OK || claim->count == 0) {
        return;
    }
    claim->parcels =
        stile_arena_array(claim->arena, claim->count, sizeof(*claim->parcels));
    if (claim->parcels == NULL) {
        job->status = STILE_NOMEM;
        return;
    }
    for (size_t i = 0; i < claim->count; i++) {
        struct parcel *p = &claim->parcels[i];
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
            p->redecide = false;
            p->reason = "what is known of the person could not be read";
            stile_partner_started(&p->partner->health);
            stile_partner_ended(&p->partner->health, STILE_SEND_DONE, "",
                                stile_now(), &p->partner->config->policy);
            settle_as(p, STILE_ROW_DEFERRED,
                      stile_now() + g->config->retry.least);
            continue;
        }
        start_parcel(p);
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
    if (job->status != STILE_OK || claim->count == 0) {
        claim->open = 1;
        claim_release(claim);
    } else {
        d->again_wanted = true; /* there may be more */
        claim_start_parcels(claim);
    }
    if (d->again_wanted) {
        claim_some(d);
    }
}

static size_t fill_rooms(struct gateway *g, struct claim *claim)
{
    stile_time now = stile_now();
    for (size_t i = 0; i < g->partner_count; i++) {
        struct partner_run *p = &g->partners[i];
        uint32_t room = stile_partner_room(&p->health, now, &p->config->policy);
        if (room > 0) {
            claim->rooms[claim->room_count].partner = p->config->partner.name;
            claim->rooms[claim->room_count++].room = room;
        }
    }
    return claim->room_count;
}

static void claim_some(struct deliver *d)
{
    struct gateway *g = d->g;
    if (d->claiming || d->stopped) {
        return;
    }
    d->again_wanted = false;
    struct claim *claim = calloc(1, sizeof(*claim));
    struct stile_arena *arena = stile_arena_new(CLAIM_ARENA);
    if (claim == NULL || arena == NULL) {
        free(claim);
        stile_arena_free(&arena);
        return; /* the timer comes back */
    }
    claim->g = g;
    claim->arena = arena;
    claim->plan = g->plan;
    claim->plan->refs++;
    claim->rooms =
        stile_arena_array(arena, g->partner_count + 1, sizeof(*claim->rooms));
    d->claims_open++;
    if (claim->rooms == NULL || fill_rooms(g, claim) == 0) {
        claim->open = 1;
        claim_release(claim);
        return;
    }
    d->claiming = true;
    claim->job.work = claim_work;
    claim->job.done = claim_done;
    gateway_post(g, &claim->job);
}

/* ---- the verbs of the house
 * ------------------------------------------------------------ */

static void on_tick(uv_timer_t *timer)
{
    struct deliver *d = timer->data;
    settle_some(d);
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
