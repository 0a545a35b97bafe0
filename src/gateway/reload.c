/*
 * The plan, from files and from the set in force: at the start, at SIGHUP, and
 * when another process has put a set in force.
 *
 *   pool   look at the folder's rules beside those in force, put them in force
 *          if enough have signed, make the plan; on a store handle of its own,
 *          as any other process would
 *   loop   swap; trips in flight keep the plan they began with
 *
 * The rules come from the store alone: a folder that is broken, or not signed
 * for, holds up nothing else.
 */
#include <signal.h>

#include "gateway_private.h"

#define WORK_BYTES_MAX ((size_t)1 << 30)
#define ASK_BYTES_MAX ((size_t)1 << 20)
#define TICK_MS 1000
#define WAIT_TICKS 30

/* ---- an audit entry of the gateway's own ---- */

struct entry_job {
    struct gateway *g;
    struct stile_store_job job;
    struct stile_accept accept;
    struct stile_arena *arena;
    struct stile_str entry;
};

static void entry_done(struct stile_store_job *job)
{
    struct entry_job *e =
        (struct entry_job *)((char *)job - offsetof(struct entry_job, job));
    if (job->status != STILE_OK || job->accepted.status != STILE_OK) {
        log_line(e->g, LOG_ERROR, "audit", "an entry could not be kept");
    }
    stile_arena_free(&e->arena);
    free(e);
}

/* Which rules and mappings are in force from now on. */
void reload_enter(struct gateway *g, const char *type)
{
    struct entry_job *e = calloc(1, sizeof(*e));
    struct stile_arena *arena = stile_arena_new(65536);
    if (e == NULL || arena == NULL) {
        free(e);
        stile_arena_free(&arena);
        return;
    }
    char time[25], rules[65], maps[65], plan[65];
    struct stile_digest digest = stile_rules_digest(g->plan->plan.rules);
    stile_digest_hex(&digest, rules);
    digest = stile_mapset_digest(g->plan->plan.maps);
    stile_digest_hex(&digest, maps);
    stile_digest_hex(&g->plan->plan.digest, plan);
    (void)stile_time_format(stile_now(), time);
    e->g = g;
    e->arena = arena;
    e->entry = stile_arena_printf(
        arena,
        "{\"gateway\":\"%.*s\",\"mappings\":\"%s\",\"ods\":\"%.*s\","
        "\"plan\":\"%s\",\"rule-set\":\"%s\",\"time\":\"%s\",\"type\":\"%s\"}",
        STILE_FMT(g->config->name), maps, STILE_FMT(g->config->ods), plan,
        rules, time, type);
    e->accept = (struct stile_accept){
        .now = stile_now(), .entries = &e->entry, .entry_count = 1};
    e->job.accept = &e->accept;
    e->job.arena = arena;
    e->job.done = entry_done;
    gateway_post(g, &e->job);
}

/* ---- what exports are shown again after a change of plan ---- */

struct touch_job {
    struct gateway *g;
    struct stile_store_job job;
    struct stile_digest plan;
    uint64_t count;
};

static void touch_work(struct stile_store_job *job, struct stile_store *store)
{
    struct touch_job *t =
        (struct touch_job *)((char *)job - offsetof(struct touch_job, job));
    const struct stile_config *config = t->g->config;
    for (size_t i = 0; i < config->feed_count && job->status == STILE_OK; i++) {
        uint64_t count = 0;
        job->status = store->ops->touch_under(store, config->feeds[i].name,
                                              &t->plan, &count);
        t->count += count;
    }
}

static void touch_done(struct stile_store_job *job)
{
    struct touch_job *t =
        (struct touch_job *)((char *)job - offsetof(struct touch_job, job));
    if (job->status != STILE_OK) {
        log_line(t->g, LOG_ERROR, "store",
                 "exports could not be marked to be worked again (%s): send "
                 "SIGHUP",
                 stile_status_text(job->status));
    } else if (t->count > 0) {
        log_line(t->g, LOG_INFO, "reload",
                 "%llu persons of exports are worked again under the new plan",
                 (unsigned long long)t->count);
    }
    free(t);
}

/* What another plan kept back this one may share, and an export row speaks up
 * by itself only when it changes. The store knows which plan was the last, so
 * that what was edited while nothing ran counts too. */
void reload_show(struct gateway *g)
{
    struct touch_job *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return; /* the next SIGHUP or start will do */
    }
    t->g = g;
    t->plan = g->plan->plan.digest;
    t->job.work = touch_work;
    t->job.done = touch_done;
    gateway_post(g, &t->job);
}

struct stile_identity *reload_identity(struct gateway *g)
{
    struct stile_arena *arena = stile_arena_new(1u << 20);
    struct stile_identity *identity = NULL;
    struct stile_str error = STILE_STR_NULL;
    enum stile_status status = stile_identity_load(&g->config->tls, stile_now(),
                                                   arena, &identity, &error);
    if (status != STILE_OK) {
        log_line(g, LOG_ERROR, "certificate", "%.*s", STILE_FMT(error));
        identity = NULL;
    }
    stile_arena_free(&arena);
    return identity;
}

/* ---- what is said of the rules ---- */

static void say_signers(const struct stile_rules_look *look,
                        struct stile_buf *out)
{
    for (size_t i = 0; i < look->verdict.count; i++) {
        stile_buf_printf(out, "%s%.*s", i > 0 ? ", " : "",
                         STILE_FMT(look->verdict.counted[i]->officer));
    }
}

static void say_activated(const struct gateway *g,
                          const struct stile_rules_look *look)
{
    struct stile_buf names;
    char hex[65];
    stile_buf_init(&names, 65536);
    say_signers(look, &names);
    stile_digest_hex(&look->move.to, hex);
    log_line(g, LOG_INFO, "rules",
             "set %.16s comes in force: %s than what was, signed by %.*s", hex,
             look->in_force ? stile_rules_class_text(look->move.class)
                            : "the first, wider",
             STILE_FMT(stile_buf_str(&names)));
    stile_buf_release(&names);
}

static void say_kept(const struct gateway *g,
                     const struct stile_rules_look *look)
{
    bool bad = look->state == STILE_RULES_UNUSABLE;
    char hex[65], force[64] = "no set is in force";
    if (look->in_force) {
        stile_digest_hex(&look->step.to, hex);
        (void)snprintf(force, sizeof(force), "set %.16s stays in force", hex);
    }
    log_line(g, bad ? LOG_ERROR : LOG_WARN, "rules",
             "the folder's rules are %s, %s: %.*s",
             bad ? "refused" : "not in force", force, STILE_FMT(look->missing));
}

/* What was found, and which set the folder proposes. */
static void tell(struct gateway *g, const struct stile_rules_look *look,
                 bool activated, const struct stile_diags *diags)
{
    g->proposal = look->state != STILE_RULES_SAME && !activated;
    g->proposed = look->move.to;
    if (look->state == STILE_RULES_UNUSABLE) {
        g->counts.reload_failures++;
        g->proposed = (struct stile_digest){{0}};
    }
    if (look->state != STILE_RULES_SAME && !activated) {
        log_diags(g, diags);
        say_kept(g, look);
    } else if (activated) {
        say_activated(g, look);
    }
}

static void warn_of_officers(const struct gateway *g,
                             const struct stile_rules_look *look)
{
    if (look->officers && look->officers->self_approving) {
        log_line(g, LOG_WARN, "rules",
                 "officers.yaml is self-approving: one signature puts any "
                 "rules in force; this is for development only");
    }
}

bool reload_pending(const struct gateway *g)
{
    struct stile_digest now = stile_rules_digest(g->plan->plan.rules);
    return g->proposal && !stile_digest_eq(&now, &g->proposed);
}

/* ---- the start ---- */

static struct stile_plan_box *plan_under(struct gateway *g,
                                         struct stile_str packed,
                                         const struct stile_digest *digest,
                                         struct stile_diags *diags)
{
    struct stile_plan_box *box = NULL;
    struct stile_digest found;
    if (stile_plan_load_under(g->config->mappings, g->config, packed,
                              stile_today(), diags, &box) != STILE_OK) {
        return NULL;
    }
    found = stile_rules_digest(box->plan.rules);
    if (!stile_digest_eq(&found, digest)) {
        stile_plan_release(&box); /* not what was signed */
    }
    return box;
}

static bool first_plan(struct gateway *g, struct stile_arena *arena)
{
    struct stile_rules_step step;
    struct stile_str packed = STILE_STR_NULL;
    struct stile_diags diags;
    char hex[65], since[25];
    const char *error = "";
    enum stile_status status = stile_rules_in_force(g->config, g->store, arena,
                                                    &step, &packed, &error);
    if (status == STILE_NOT_FOUND) {
        log_line(g, LOG_ERROR, "rules",
                 "no rule set is in force. Next: stile rules approve -c %s "
                 "--as OFFICER --key FILE --because TEXT, then start again",
                 g->config_path);
        return false;
    }
    if (status != STILE_OK) {
        log_line(g, LOG_ERROR, "rules",
                 "the set in force could not be read: %s", error);
        return false;
    }
    stile_diags_init(&diags, arena, 0);
    g->plan = plan_under(g, packed, &step.to, &diags);
    log_diags(g, &diags);
    stile_digest_hex(&step.to, hex);
    since[stile_time_format(step.at, since)] = '\0';
    if (g->plan == NULL) {
        log_line(g, LOG_ERROR, "rules",
                 "no plan could be made under set %.16s, in force since %s: "
                 "mend what the findings name; if they name in-force/, or "
                 "none, this stile cannot use the set: approve another",
                 hex, since);
        return false;
    }
    log_line(g, LOG_INFO, "rules", "set %.16s is in force since %s", hex,
             since);
    return true;
}

bool reload_first(struct gateway *g)
{
    struct stile_arena *arena = stile_arena_new(WORK_BYTES_MAX);
    struct stile_diags diags;
    struct stile_rules_look look;
    bool activated = false;
    stile_diags_init(&diags, arena, 0);
    enum stile_status status = stile_rules_go_live(
        g->config, g->store, stile_now(), arena, &diags, &look, &activated);
    if (status == STILE_OK) {
        tell(g, &look, activated, &diags);
        warn_of_officers(g, &look);
    } else {
        log_diags(g, &diags);
        log_line(g, LOG_ERROR, "rules",
                 "the folder's rules could not be looked at: %s",
                 stile_status_text(status));
    }
    bool good = first_plan(g, arena);
    stile_arena_free(&arena);
    return good;
}

/* ---- reload: build beside, then swap ---- */

struct reload {
    struct gateway *g;
    uv_work_t work;
    bool adopt; /* only what is in force; the folder is not looked at */
    struct stile_arena *arena;
    struct stile_diags found, diags; /* by the look; of the plan */
    struct stile_rules_look look;
    enum stile_status looked;
    bool activated;
    struct stile_plan_box *base; /* adopt: a reference of ours, or taken over */
    struct stile_plan_box *plan;
    struct stile_str error;
};

static void make_plan(struct reload *r, struct stile_store *store)
{
    struct gateway *g = r->g;
    struct stile_rules_step step;
    struct stile_str packed = STILE_STR_NULL;
    const char *error = "";
    enum stile_status status = stile_rules_in_force(g->config, store, r->arena,
                                                    &step, &packed, &error);
    if (status != STILE_OK) {
        r->error = stile_arena_printf(
            r->arena, "the set in force could not be read: %s", error);
    } else if (!r->adopt) {
        r->plan = plan_under(g, packed, &step.to, &r->diags);
    } else if (stile_plan_exchange_rules(r->base, packed, stile_today(),
                                         &r->diags, &r->plan) == STILE_OK) {
        struct stile_digest digest = stile_rules_digest(r->plan->plan.rules);
        r->base = NULL; /* taken over */
        if (!stile_digest_eq(&digest, &step.to)) {
            r->error = STILE_STR("the store's set in force is not the one "
                                 "that was signed");
        }
    }
}

static void reload_work(uv_work_t *work)
{
    struct reload *r = work->data;
    const struct stile_config *config = r->g->config;
    struct stile_store *store = NULL;
    if (stile_store_sqlite_open(config->store, false, r->arena, &store,
                                &r->error) != STILE_OK) {
        return;
    }
    if (!r->adopt) {
        r->looked = stile_rules_go_live(config, store, stile_now(), r->arena,
                                        &r->found, &r->look, &r->activated);
    }
    make_plan(r, store);
    store->ops->close(&store);
}

static void take_plan(struct gateway *g, struct stile_plan_box *plan)
{
    char hex[65];
    stile_plan_release(&g->plan);
    g->plan = plan;
    g->counts.reloads++;
    stile_digest_hex(&plan->plan.digest, hex);
    log_line(g, LOG_INFO, "reload", "plan %.16s is in force", hex);
    reload_enter(g, "plan");
    reload_show(g);
    deliver_kick(g);
}

/* Certificates and the plan: both or none. */
static bool swap_all(struct gateway *g, struct stile_plan_box *plan)
{
    struct stile_identity *identity = reload_identity(g);
    struct stile_client *client = NULL;
    if (identity == NULL ||
        stile_client_new(&g->loop, &g->config->tls,
                         (struct stile_client_limits)STILE_CLIENT_LIMITS,
                         &client) != STILE_OK ||
        stile_listener_reload(g->listener, identity) != STILE_OK) {
        stile_identity_free(&identity);
        stile_client_close(&client);
        return false;
    }
    /* Sends on the old client end as unknown and go out again under their
     * keys; exchanges in flight keep the plan they began with. */
    stile_client_close(&g->client);
    g->client = client;
    stile_identity_free(&g->identity);
    g->identity = identity;
    take_plan(g, plan);
    return true;
}

static void finish_signal(struct reload *r)
{
    struct gateway *g = r->g;
    if (r->looked == STILE_OK && r->error.len == 0) {
        tell(g, &r->look, r->activated, &r->found);
    } else if (r->error.len == 0) {
        g->counts.reload_failures++;
        log_line(g, LOG_ERROR, "rules",
                 "the folder's rules could not be looked at: %s",
                 stile_status_text(r->looked));
    }
    log_diags(g, &r->diags);
    if (r->plan != NULL && swap_all(g, r->plan)) {
        r->plan = NULL;
        return;
    }
    g->counts.reload_failures++;
    log_line(g, LOG_ERROR, "reload",
             "mappings and certificates: refused, they stay as they were; mend "
             "what the findings name and send SIGHUP again%s%.*s",
             r->error.len > 0 ? ": " : "", STILE_FMT(r->error));
}

static void finish_adopt(struct reload *r)
{
    struct gateway *g = r->g;
    char hex[65];
    if (r->plan == NULL || r->error.len > 0) {
        g->rules_wait = WAIT_TICKS;
        log_diags(g, &r->diags);
        log_line(g, LOG_ERROR, "rules",
                 "a set was put in force and could not be taken up; it is "
                 "tried again: %.*s",
                 STILE_FMT(r->error));
        return;
    }
    struct stile_digest digest = stile_rules_digest(r->plan->plan.rules);
    stile_digest_hex(&digest, hex);
    log_line(g, LOG_INFO, "rules", "set %.16s was put in force", hex);
    take_plan(g, r->plan);
    r->plan = NULL;
}

static void reload_begin(struct gateway *g, bool adopt);

static void reload_done(uv_work_t *work, int uv_status)
{
    struct reload *r = work->data;
    struct gateway *g = r->g;
    STILE_ASSERT(uv_status == 0);
    g->reloading = false;
    if (!g->draining && r->adopt) {
        finish_adopt(r);
    } else if (!g->draining) {
        finish_signal(r);
    }
    stile_plan_release(&r->plan);
    stile_plan_release(&r->base);
    stile_arena_free(&r->arena);
    free(r);
    if (g->reload_wanted && !g->draining) {
        g->reload_wanted = false;
        reload_begin(g, false);
    }
    gateway_settled(g);
}

static void reload_begin(struct gateway *g, bool adopt)
{
    struct reload *r = calloc(1, sizeof(*r));
    struct stile_arena *arena = stile_arena_new(WORK_BYTES_MAX);
    if (r == NULL || arena == NULL) {
        free(r);
        stile_arena_free(&arena);
        log_line(g, LOG_ERROR, "reload", "memory is short: send SIGHUP again");
        return;
    }
    r->g = g;
    r->adopt = adopt;
    r->arena = arena;
    stile_diags_init(&r->found, arena, 0);
    stile_diags_init(&r->diags, arena, 0);
    if (adopt) {
        r->base = g->plan->base ? g->plan->base : g->plan;
        r->base->refs++;
    }
    g->reloading = true;
    r->work.data = r;
    int rc = uv_queue_work(&g->loop, &r->work, reload_work, reload_done);
    STILE_ASSERT(rc == 0);
}

static void on_hup(uv_signal_t *handle, int signum)
{
    (void)signum;
    struct gateway *g = handle->data;
    if (g->draining) {
        return;
    }
    if (g->reloading) {
        g->reload_wanted = true;
        return;
    }
    reload_begin(g, false);
}

/* ---- sets that others put in force: stile rules activate, rollback ---- */

struct ask_job {
    struct gateway *g;
    struct stile_store_job job;
    struct stile_arena *arena;
    struct stile_digest in_force; /* zero: could not be read */
};

static void ask_work(struct stile_store_job *job, struct stile_store *store)
{
    struct ask_job *a =
        (struct ask_job *)((char *)job - offsetof(struct ask_job, job));
    struct stile_rules_step *steps = NULL;
    size_t count = 0;
    job->status = store->ops->rules_steps(store, 1, a->arena, &steps, &count);
    if (job->status == STILE_OK && count > 0) {
        a->in_force = steps[0].to;
    }
}

static void ask_done(struct stile_store_job *job)
{
    struct ask_job *a =
        (struct ask_job *)((char *)job - offsetof(struct ask_job, job));
    struct gateway *g = a->g;
    static const struct stile_digest none;
    struct stile_digest now = stile_rules_digest(g->plan->plan.rules);
    g->rules_asked = false;
    if (!g->draining && !g->reloading &&
        !stile_digest_eq(&a->in_force, &none) &&
        !stile_digest_eq(&a->in_force, &now)) {
        reload_begin(g, true);
    }
    stile_arena_free(&a->arena);
    free(a);
}

static void on_rules_timer(uv_timer_t *timer)
{
    struct gateway *g = timer->data;
    if (g->rules_wait > 0) {
        g->rules_wait--;
        return;
    }
    if (g->rules_asked || g->reloading || g->draining) {
        return;
    }
    struct ask_job *a = calloc(1, sizeof(*a));
    struct stile_arena *arena = stile_arena_new(ASK_BYTES_MAX);
    if (a == NULL || arena == NULL) {
        free(a);
        stile_arena_free(&arena);
        return; /* the next tick will do */
    }
    a->g = g;
    a->arena = arena;
    a->job.work = ask_work;
    a->job.done = ask_done;
    g->rules_asked = true;
    gateway_post(g, &a->job);
}

void reload_start(struct gateway *g)
{
    int rc = uv_timer_init(&g->loop, &g->rules_timer);
    g->rules_timer.data = g;
    rc |= uv_timer_start(&g->rules_timer, on_rules_timer, TICK_MS, TICK_MS);
    rc |= uv_signal_init(&g->loop, &g->on_hup);
    g->on_hup.data = g;
    rc |= uv_signal_start(&g->on_hup, on_hup, SIGHUP);
    STILE_ASSERT(rc == 0);
}

void reload_stop(struct gateway *g)
{
    uv_close((uv_handle_t *)&g->rules_timer, NULL);
    uv_close((uv_handle_t *)&g->on_hup, NULL);
}
