/*
 * Govern twice: a row whose ground has moved on (consent, rules, the day) is
 * decided again on the pool, and its entry is durable before anything goes.
 */
#include "deliver_private.h"

#define OUT_SLACK 256 /* an arena's rounding, two pieces */

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
    deliver_settle_as(p, state, 0);
}

/* It is tried again like a send that did not start, and so not for ever. */
void deliver_settle_later(struct parcel *p, const char *reason)
{
    stile_time now = stile_now();
    struct stile_row_step step = stile_row_after_send(
        STILE_SEND_LATER, p->row->queued_at, now, p->row->attempts, 0,
        deliver_random(p->claim->g->deliver), &p->claim->g->config->retry);
    stile_partner_ended(&p->partner->health, STILE_SEND_DONE, "", now,
                        &p->partner->config->policy);
    p->redecide = false;
    p->reason = reason;
    deliver_settle_as(p, step.state, step.due);
}

static void entry_done(struct stile_store_job *job)
{
    struct parcel *p =
        (struct parcel *)((char *)job - offsetof(struct parcel, job));
    enum stile_status status =
        job->status != STILE_OK ? job->status : job->accepted.status;
    if (status != STILE_OK) {
        deliver_settle_later(p, "its audit entry could not be kept");
    } else if (p->again == STILE_DENIED) {
        settle_unsent(p, STILE_ROW_WITHDRAWN,
                      p->asks ? "decided again: it waits for a person now, see "
                                "stile review list"
                              : "decided again: consent or rules no longer "
                                "allow it");
    } else {
        renew_key(p);
        deliver_send(p);
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
        deliver_settle_later(p, "memory was short");
    } else {
        /* Not decided is not allowed: it waits for a person. */
        settle_unsent(p, STILE_ROW_PARKED,
                      "could not be decided again: see the quarantine and the "
                      "rules, then retry");
    }
}

void deliver_begin(struct parcel *p)
{
    stile_partner_started(&p->partner->health);
    if (!p->redecide) {
        deliver_send(p);
        return;
    }
    p->work.data = p;
    int rc =
        uv_queue_work(&p->claim->g->loop, &p->work, again_work, again_done);
    STILE_ASSERT(rc == 0);
}
