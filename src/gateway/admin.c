/*
 * The admin listener, plain HTTP on loopback: /healthz, /readyz, /metrics
 * (Prometheus text format 0.0.4). No patient's value, no names of persons.
 */
#include "gateway_private.h"

struct scrape {
    struct gateway *g;
    struct stile_call *call;
    struct stile_store_job job;
    struct stile_counts counts;
};

static void answer_text(struct stile_call *call, int status,
                        struct stile_str text)
{
    struct stile_answer answer = {
        .status = status,
        .content_type = STILE_STR("text/plain; version=0.0.4; charset=utf-8"),
        .body = text};
    stile_call_answer(call, &answer);
}

static void metric(struct stile_buf *out, const char *name, const char *type,
                   const char *help, uint64_t value)
{
    stile_buf_printf(out,
                     "# HELP stile_%s %s\n# TYPE stile_%s %s\nstile_%s "
                     "%llu\n",
                     name, help, name, type, name, (unsigned long long)value);
}

static void store_metrics(const struct scrape *s, struct stile_buf *out)
{
    stile_buf_addc(out, "# HELP stile_outbox_rows rows by state\n"
                        "# TYPE stile_outbox_rows gauge\n");
    for (int i = 0; i < STILE_ROW_COUNT; i++) {
        stile_buf_printf(out, "stile_outbox_rows{state=\"%s\"} %llu\n",
                         stile_row_state_text((enum stile_row_state)i),
                         (unsigned long long)s->counts.rows[i]);
    }
    stile_time oldest = s->counts.oldest_due;
    metric(out, "outbox_oldest_seconds", "gauge",
           "age of the oldest row that waits",
           oldest == 0 ? 0 : (uint64_t)((stile_now() - oldest) / STILE_SECOND));
    metric(out, "audit_entries", "counter", "entries of the audit log",
           s->counts.entries);
    metric(out, "quarantine_rows", "gauge", "what could not be used",
           s->counts.quarantine);
    metric(out, "held_rows", "gauge", "export rows that wait for another",
           s->counts.held);
    metric(out, "review_waiting", "gauge", "reviews that wait for a person",
           s->counts.reviews);
    stile_time review = s->counts.oldest_review;
    metric(out, "review_oldest_seconds", "gauge",
           "age of the oldest review that waits",
           review == 0 ? 0 : (uint64_t)((stile_now() - review) / STILE_SECOND));
    metric(out, "dirty_persons", "gauge", "persons of exports to be worked",
           s->counts.dirty);
}

static void gateway_metrics(const struct gateway *g, struct stile_buf *out)
{
    const struct gateway_counts *c = &g->counts;
    metric(out, "messages_accepted_total", "counter", "durably accepted",
           c->accepted);
    metric(out, "messages_repeated_total", "counter", "accepted before",
           c->repeated);
    metric(out, "requests_refused_total", "counter",
           "unknown certificate, or too much in hand", c->refused);
    metric(out, "quarantined_total", "counter", "put into quarantine",
           c->quarantined);
    metric(out, "privacy_notices_total", "counter",
           "what the privacy officer is to look at", c->privacy_notices);
    metric(out, "forwarded_total", "counter", "taken by the receiver",
           c->forwarded);
    metric(out, "deferred_total", "counter", "to be tried again", c->deferred);
    metric(out, "refused_total", "counter", "refused by the receiver",
           c->refused_there);
    metric(out, "unknown_total", "counter", "sent, outcome not known",
           c->unknown);
    metric(out, "decided_again_total", "counter", "rows decided a second time",
           c->decided_again);
    metric(out, "withdrawn_total", "counter",
           "rows withdrawn by the second decision", c->withdrawn);
    metric(out, "extract_rows_total", "counter", "rows read from exports",
           c->extract_rows);
    metric(out, "batches_refused_total", "counter",
           "export batches with a file that is cut off or no table: they wait",
           c->batches_refused);
    metric(out, "exchanges", "gauge", "exchanges in flight", g->trips);
    metric(out, "reloads_total", "counter", "plans taken into use", c->reloads);
    metric(out, "reload_failures_total", "counter",
           "edits that were refused; the old plan stays", c->reload_failures);
    metric(out, "rules_proposal_pending", "gauge",
           "1: the folder's rules, as read last, are not in force",
           reload_pending(g));
    struct stile_digest rules = stile_rules_digest(g->plan->plan.rules);
    char hex[65];
    stile_digest_hex(&rules, hex);
    stile_buf_printf(out,
                     "# HELP stile_rules_info the rule set in force\n"
                     "# TYPE stile_rules_info gauge\n"
                     "stile_rules_info{digest=\"%s\"} 1\n",
                     hex);
    stile_time expires = stile_identity_expires(g->identity);
    metric(out, "certificate_expires_timestamp_seconds", "gauge",
           "end of the gateway's certificate",
           expires > 0 ? (uint64_t)(expires / STILE_SECOND) : 0);
    struct stile_listener_counts l = stile_listener_counts(g->listener);
    metric(out, "connections_open", "gauge", "partner connections", l.open);
    metric(out, "handshake_failures_total", "counter", "TLS handshakes failed",
           l.handshake_failures);
    stile_buf_addc(out, "# HELP stile_partner_state 1 for the state it is in\n"
                        "# TYPE stile_partner_state gauge\n");
    for (size_t i = 0; i < g->partner_count; i++) {
        const struct partner_run *p = &g->partners[i];
        stile_buf_printf(out,
                         "stile_partner_state{partner=\"%.*s\",state=\"%s\"} "
                         "1\n",
                         STILE_FMT(p->config->partner.name),
                         stile_partner_state_text(p->health.state));
    }
}

static void scrape_work(struct stile_store_job *job, struct stile_store *store)
{
    struct scrape *s =
        (struct scrape *)((char *)job - offsetof(struct scrape, job));
    job->status = store->ops->counts(store, &s->counts);
}

static void scrape_done(struct stile_store_job *job)
{
    struct scrape *s =
        (struct scrape *)((char *)job - offsetof(struct scrape, job));
    s->g->scrapes--;
    if (job->status != STILE_OK) {
        answer_text(s->call, 503,
                    STILE_STR("the store did not answer: see the log\n"));
    } else {
        struct stile_buf out;
        stile_buf_init(&out, 1u << 20);
        store_metrics(s, &out);
        gateway_metrics(s->g, &out);
        answer_text(s->call, 200, stile_buf_str(&out));
        stile_buf_release(&out);
    }
    free(s);
}

static void scrape(struct gateway *g, struct stile_call *call)
{
    struct scrape *s = g->scrapes < SCRAPES_MAX ? calloc(1, sizeof(*s)) : NULL;
    if (s == NULL) {
        answer_text(call, 503, STILE_STR("too much at once: ask again\n"));
        return;
    }
    g->scrapes++;
    s->g = g;
    s->call = call;
    s->job.work = scrape_work;
    s->job.done = scrape_done;
    gateway_post(g, &s->job);
}

void admin_on_request(void *ctx, struct stile_call *call,
                      const struct stile_request *request)
{
    struct gateway *g = ctx;
    if (!stile_str_eqc(request->method, "GET")) {
        answer_text(call, 405, STILE_STR("only GET\n"));
    } else if (stile_str_eqc(request->path, "/healthz")) {
        answer_text(call, 200, STILE_STR("ok\n"));
    } else if (stile_str_eqc(request->path, "/readyz")) {
        bool ready = g->ready && !g->draining;
        answer_text(call, ready ? 200 : 503,
                    ready ? STILE_STR("ready\n") : STILE_STR("not ready\n"));
    } else if (stile_str_eqc(request->path, "/metrics")) {
        scrape(g, call);
    } else {
        answer_text(call, 404,
                    STILE_STR("here are /healthz, /readyz and /metrics\n"));
    }
}
