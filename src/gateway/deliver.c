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
#define NOTES_ARENA (16u << 20)
#define OUT_SLACK 256 /* an arena's rounding, two pieces */
#define TICK_MS 500

struct claim;

struct parcel { /* one claimed row on its way */
    struct claim *claim;
    struct stile_outbox_row *row;
    struct partner_run *partner;
    struct stile_stored_fact *facts; /* of its person, as of the claim */
    size_t fact_count;
    struct stile_review_item *reviewed;
    size_t reviewed_count;
    struct stile_review_new review; /* what the second decision holds */
    bool asks;
    uint64_t epoch;
    struct stile_digest ground; /* of the plan and day it is decided under */
    struct stile_str kept;      /* its kept message, when decided again */
    bool redecide;
    enum stile_status again;
    /* Its own, in use by one thread at a time: what is known of the person,
     * then the second decision, then the body that came of it. */
    struct stile_arena *arena;
    struct stile_store_job
        job; /* the second decision's entry, before it goes */
    struct stile_accept accept;
    struct stile_str body, entry, key;
    enum stile_send_result result;
    const char *reason;
    stile_time retry_after;
    uv_work_t work;
    char path[600]; /* folder sink */
    struct stile_settle settle;
    struct stile_str delivery; /* entry */
    struct parcel *next_settle;
};

struct claim { /* rows claimed together share an arena */
    struct gateway *g;
    struct stile_plan_box *plan;
    struct stile_arena *arena; /* the store's until claim_done: rows, bodies */
    struct stile_arena *notes; /* the loop's: small texts of the parcels */
    struct stile_store_job job;
    struct stile_partner_claim *rooms;
    size_t room_count;
    size_t room;            /* of all partners */
    struct parcel *parcels; /* as many */
    size_t count, open;
};

struct settle_batch {
    struct gateway *g;
    struct stile_store_job job;
    struct parcel *first;
    struct stile_settle *settles;
    size_t count;
    bool one; /* taken by itself, to part it from another that will not go */
};

struct deliver {
    struct gateway *g;
    uv_timer_t timer;
    bool claiming, again_wanted, settling, stopped;
    bool one_by_one;  /* settle */
    bool settle_wait; /* until the next tick */
    bool narrow;      /* claim: one partner, one row, when bodies are large */
    size_t turn;      /* claim, when narrow: whose */
    size_t claims_open;
    struct parcel *to_settle;
    size_t to_settle_count;
    uint32_t random;
};

static void settle_some(struct deliver *d);
static void claim_some(struct deliver *d);

/* ---- settle ---- */

static void claim_release(struct claim *claim)
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
        claim_release(p->claim);
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
    settle_some(d);
    deliver_kick(d->g);
}

static void settle_some(struct deliver *d)
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
        p->settle.body =
            stile_str_eq(p->body, p->row->what.body) ? STILE_STR_NULL : p->body;
        p->settle.rules = p->ground;
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

static uint32_t next_random(struct deliver *d)
{
    d->random = d->random * 1664525u + 1013904223u;
    return d->random;
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
    struct stile_row_step step = stile_row_after_send(
        p->result, p->row->queued_at, now, p->row->attempts, p->retry_after,
        next_random(d), &g->config->retry);
    settle_as(p, step.state, step.due);
}

/* ---- send: https ---- */

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
            p->claim->notes, "the receiver answered HTTP %d", status);
        char *cstr = stile_arena_cstr(p->claim->notes, text);
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
        stile_arena_printf(p->claim->notes, "%s%s", p->partner->config->url,
                           path_of(p->row->what.format));
    struct stile_header headers[] = {
        {STILE_STR("Content-Type"), p->row->what.media_type},
        {STILE_STR("Idempotency-Key"), p->key},
        {STILE_STR("X-Request-ID"), p->key},
        {STILE_STR("Accept"), p->row->what.media_type}};
    struct stile_send send = {.url = stile_arena_cstr(p->claim->notes, url),
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

/* ---- send: a file for an own system ---- */

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

/* ---- decide again ---- */

static void again_work(uv_work_t *work)
{
    struct parcel *p = work->data;
    struct stile_again again = {.kept = p->kept,
                                .route = p->row->what.route,
                                .message_id = p->row->what.message_id,
                                .facts = p->facts,
                                .fact_count = p->fact_count,
                                .epoch = p->epoch,
                                .now = stile_now(),
                                .reviewed = p->reviewed,
                                .reviewed_count = p->reviewed_count};
    p->again =
        stile_exchange_again(&p->claim->plan->plan, &again, &p->claim->g->keys,
                             p->arena, &p->body, &p->entry);
    if (p->again == STILE_OK || p->again == STILE_DENIED) {
        enum stile_status held = stile_exchange_again_review(
            &p->claim->plan->plan, &again, &p->claim->g->keys, p->arena,
            &p->review);
        p->asks = held == STILE_OK;
        if (held != STILE_OK && held != STILE_NOT_FOUND) {
            p->again = held; /* what is held must be seen */
        }
    }
    if (p->asks || (p->again != STILE_OK && p->again != STILE_DENIED)) {
        return;
    }
    /* Only what came of it stays while it is sent. */
    struct stile_arena *out =
        stile_arena_new(p->body.len + p->entry.len + OUT_SLACK);
    p->body = stile_arena_str(out, p->body);
    p->entry = stile_arena_str(out, p->entry);
    if (out == NULL || stile_arena_failed(out)) {
        p->again = STILE_NOMEM;
    }
    stile_arena_free(&p->arena);
    p->arena = out;
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
    struct stile_str text = stile_arena_printf(
        p->claim->notes, "%.*s\x1f%s", STILE_FMT(p->row->what.key), hex);
    stile_sha256(text, &digest);
    stile_digest_hex(&digest, hex);
    p->key = stile_arena_str(p->claim->notes, stile_str_cstr(hex));
}

/* Nothing was sent, so it is no news of the partner. */
static void settle_unsent(struct parcel *p, enum stile_row_state state,
                          const char *reason)
{
    stile_partner_ended(&p->partner->health, STILE_SEND_DONE, "", stile_now(),
                        &p->partner->config->policy);
    p->redecide = false;
    p->reason = reason;
    settle_as(p, state, 0);
}

/* It is tried again like a send that did not start, and so not for ever. */
static void settle_later(struct parcel *p, const char *reason)
{
    stile_time now = stile_now();
    struct stile_row_step step = stile_row_after_send(
        STILE_SEND_LATER, p->row->queued_at, now, p->row->attempts, 0,
        next_random(p->claim->g->deliver), &p->claim->g->config->retry);
    stile_partner_ended(&p->partner->health, STILE_SEND_DONE, "", now,
                        &p->partner->config->policy);
    p->redecide = false;
    p->reason = reason;
    settle_as(p, step.state, step.due);
}

static void entry_done(struct stile_store_job *job)
{
    struct parcel *p =
        (struct parcel *)((char *)job - offsetof(struct parcel, job));
    enum stile_status status =
        job->status != STILE_OK ? job->status : job->accepted.status;
    if (status != STILE_OK) {
        settle_later(p, "its audit entry could not be kept");
    } else if (p->again == STILE_DENIED) {
        settle_unsent(p, STILE_ROW_WITHDRAWN,
                      p->asks ? "decided again: it waits for a person now, see "
                                "stile review list"
                              : "decided again: consent or rules no longer "
                                "allow it");
    } else {
        renew_key(p);
        send_parcel(p);
    }
}

/* Write-ahead: the second decision is in the log before anything leaves under
 * it. */
static void enter_first(struct parcel *p)
{
    p->accept = (struct stile_accept){.now = stile_now(),
                                      .entries = &p->entry,
                                      .entry_count = 1,
                                      .reviews = &p->review,
                                      .review_count = p->asks ? 1 : 0};
    memset(&p->job, 0, sizeof(p->job));
    p->job.accept = &p->accept;
    p->job.done = entry_done;
    gateway_post(p->claim->g, &p->job);
}

static void again_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct parcel *p = work->data;
    p->claim->g->counts.decided_again++;
    if (p->again == STILE_OK || p->again == STILE_DENIED) {
        enter_first(p);
    } else if (p->again == STILE_NOMEM) {
        settle_later(p, "memory was short");
    } else {
        /* Not decided is not allowed: it waits for a person. */
        settle_unsent(p, STILE_ROW_PARKED,
                      "could not be decided again: see the quarantine and the "
                      "rules, then retry");
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
            settle_later(p, "what is known of the person could not be read");
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
    /* Bodies that do not fit together are taken one at a time. */
    d->narrow = job->status == STILE_NOMEM || job->status == STILE_LIMIT;
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
        claim_release(claim);
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
        g->deliver->settle_wait = false;
        settle_some(g->deliver);
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
