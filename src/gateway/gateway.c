/*
 * The running gateway: what stands beside what, the signals, the reload and
 * the drain. The trip of a message is in trip.c; what starts one in ingest.c,
 * feed.c and extract.c; what follows it in deliver.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "gateway_private.h"

#define EXIT_CONFIG 2
#define EXIT_RESOURCE 3

void gateway_post(struct gateway *g, struct stile_store_job *job)
{
    enum stile_status status = stile_store_thread_post(g->thread, job);
    STILE_ASSERT(status == STILE_OK);
}

struct partner_run *gateway_partner(struct gateway *g, struct stile_str name)
{
    for (size_t i = 0; i < g->partner_count; i++) {
        if (stile_str_eq(g->partners[i].config->partner.name, name)) {
            return &g->partners[i];
        }
    }
    return NULL;
}

/* ---- checkpoints of the audit log ---- */

struct checkpoint_job {
    struct gateway *g;
    struct stile_store_job job;
    uint64_t size;
    bool last;
};

static void checkpoint_work(struct stile_store_job *job,
                            struct stile_store *store)
{
    struct checkpoint_job *c =
        (struct checkpoint_job *)((char *)job -
                                  offsetof(struct checkpoint_job, job));
    struct stile_audit_tree tree;
    job->status = store->ops->audit_head(store, &tree);
    if (job->status != STILE_OK || tree.size == c->g->signed_size) {
        return;
    }
    struct stile_audit_checkpoint checkpoint = {
        .origin = c->g->config->audit_origin, .size = tree.size};
    stile_audit_tree_root(&tree, &checkpoint.root);
    struct stile_buf note;
    stile_buf_init(&note, 4096);
    job->status = stile_audit_checkpoint_sign(
        &checkpoint, c->g->config->audit_origin, c->g->audit_seed, &note);
    if (job->status == STILE_OK) {
        job->status = store->ops->checkpoint_put(
            store, tree.size, stile_buf_str(&note), stile_now());
    }
    if (job->status == STILE_EXISTS) {
        job->status = STILE_OK;
    }
    c->size = tree.size;
    stile_buf_release(&note);
}

static void checkpoint_done(struct stile_store_job *job)
{
    struct checkpoint_job *c =
        (struct checkpoint_job *)((char *)job -
                                  offsetof(struct checkpoint_job, job));
    struct gateway *g = c->g;
    g->checkpointing = false;
    if (job->status != STILE_OK) {
        log_line(g, LOG_ERROR, "audit", "no checkpoint was signed: %s",
                 stile_status_text(job->status));
    } else if (c->size > 0) {
        g->signed_size = c->size;
    }
    free(c);
    gateway_settled(g);
}

static void checkpoint_start(struct gateway *g)
{
    struct checkpoint_job *c = g->checkpointing ? NULL : calloc(1, sizeof(*c));
    if (c == NULL) {
        return;
    }
    g->checkpointing = true;
    c->g = g;
    c->job.work = checkpoint_work;
    c->job.done = checkpoint_done;
    gateway_post(g, &c->job);
}

static void on_checkpoint_timer(uv_timer_t *timer)
{
    checkpoint_start(timer->data);
}

/* ---- retention ---- */

#define SWEEP_MS (3600u * 1000u)
#define SWEEP_FIRST_MS 2000u
#define SWEEP_MOST 20000 /* of each kind: the store thread is not held up */

struct sweep_job {
    struct gateway *g;
    struct stile_store_job job;
    uint64_t count;
    struct review_watch reviews;
};

static void sweep_work(struct stile_store_job *job, struct stile_store *store)
{
    struct sweep_job *s =
        (struct sweep_job *)((char *)job - offsetof(struct sweep_job, job));
    const struct stile_config *config = s->g->config;
    stile_time now = stile_now();
    struct stile_sweep sweep = {
        .dedupe_before = now - (stile_time)config->keep_ids_ms * 1000,
        .rows_before = now - (stile_time)config->keep_rows_ms * 1000,
        .quarantine_before =
            now - (stile_time)config->keep_quarantine_ms * 1000,
        .reviews_before = now - (stile_time)config->keep_rows_ms * 1000,
        .most = SWEEP_MOST};
    job->status = store->ops->sweep(store, &sweep, &s->count);
    if (job->status == STILE_OK) {
        job->status = review_watch(s->g, store, now, &s->reviews);
    }
}

static void sweep_done(struct stile_store_job *job)
{
    struct sweep_job *s =
        (struct sweep_job *)((char *)job - offsetof(struct sweep_job, job));
    if (job->status != STILE_OK) {
        log_line(s->g, LOG_ERROR, "store", "retention could not be kept: %s",
                 stile_status_text(job->status));
    } else if (s->count > 0) {
        log_line(s->g, LOG_INFO, "retention",
                 "%llu ids, ended rows and quarantined pieces past their time "
                 "were forgotten",
                 (unsigned long long)s->count);
    }
    review_say(s->g, &s->reviews);
    free(s);
}

static void on_sweep_timer(uv_timer_t *timer)
{
    struct gateway *g = timer->data;
    struct sweep_job *s = calloc(1, sizeof(*s));
    if (s != NULL && !g->draining) {
        s->g = g;
        s->job.work = sweep_work;
        s->job.done = sweep_done;
        gateway_post(g, &s->job);
    } else {
        free(s); /* the next hour will do */
    }
}

/* ---- drain ---- */

static void close_all(struct gateway *g)
{
    if (g->closing) {
        return;
    }
    g->closing = true;
    stile_store_thread_stop(&g->thread);
    stile_listener_close(&g->admin);
    stile_listener_close(&g->listener);
    stile_client_close(&g->client);
    uv_close((uv_handle_t *)&g->checkpoint_timer, NULL);
    uv_close((uv_handle_t *)&g->sweep_timer, NULL);
    reload_stop(g);
    uv_close((uv_handle_t *)&g->on_term, NULL);
    uv_close((uv_handle_t *)&g->on_int, NULL);
    uv_close((uv_handle_t *)&g->wake, NULL);
}

void gateway_settled(struct gateway *g)
{
    if (!g->draining || g->ready || g->trips > 0 || !deliver_idle(g) ||
        !feeds_idle(g) || g->checkpointing || g->reloading) {
        return;
    }
    if (!g->last_checkpoint) { /* over all that was entered until now */
        g->last_checkpoint = true;
        checkpoint_start(g);
        if (g->checkpointing) {
            return; /* its end comes here again */
        }
    }
    close_all(g);
}

static void on_drained(void *ctx)
{
    struct gateway *g = ctx;
    g->ready = false;
    gateway_settled(g);
}

static void on_stop(uv_signal_t *handle, int signum)
{
    (void)signum;
    struct gateway *g = handle->data;
    if (g->draining) {
        return;
    }
    log_line(g, LOG_INFO, "stopping",
             "taking no more; finishing what is in hand");
    g->draining = true;
    feeds_stop(g);
    deliver_stop(g);
    stile_listener_drain(g->listener, g->config->drain_ms, on_drained, g);
}

/* ---- start ---- */

static void on_wake_async(uv_async_t *handle)
{
    struct gateway *g = handle->data;
    if (g->thread != NULL) {
        stile_store_thread_drain(g->thread);
    }
}

static void wake(void *ctx)
{
    struct gateway *g = ctx;
    (void)uv_async_send(&g->wake);
}

static int complain(const struct gateway *g, const char *what,
                    struct stile_str error)
{
    log_line(g, LOG_ERROR, what, "%.*s", STILE_FMT(error));
    return EXIT_RESOURCE;
}

/* All that may be posted at once: a job for each exchange, feed, scrape and
 * row on its way, and the few of which there is one. */
static size_t queue_size(const struct gateway *g)
{
    size_t most =
        g->config->exchanges_max + g->config->feed_count + SCRAPES_MAX + 64;
    for (size_t i = 0; i < g->partner_count; i++) {
        most += g->partners[i].config->policy.window;
    }
    return most > g->config->store_queue_max ? most
                                             : g->config->store_queue_max;
}

static int open_store(struct gateway *g)
{
    struct stile_str error = STILE_STR_NULL;
    return stile_store_sqlite_open(g->config->store, false, g->arena, &g->store,
                                   &error) == STILE_OK
               ? 0
               : complain(g, "store", error);
}

/* From here on the store belongs to its thread. */
static int start_store(struct gateway *g)
{
    uint8_t fresh[32];
    uint64_t recovered = 0;
    if (!stile_random(fresh, sizeof(fresh)) ||
        g->store->ops->salt(g->store, fresh, g->salt) != STILE_OK ||
        g->store->ops->recover(g->store, stile_now(), &recovered) != STILE_OK) {
        return complain(g, "store",
                        STILE_STR("the store could not be prepared: check the "
                                  "disk and the file's permissions"));
    }
    stile_wipe(fresh, sizeof(fresh));
    if (recovered > 0) {
        log_line(g, LOG_WARN, "unknown",
                 "%llu sends were cut off by the last stop: they go out again "
                 "under their keys",
                 (unsigned long long)recovered);
    }
    stile_exchange_keys_make(g->salt, &g->pseudonym_key, &g->keys);
    return stile_store_thread_start(g->store, queue_size(g), 64, wake, g,
                                    &g->thread) == STILE_OK
               ? 0
               : EXIT_RESOURCE;
}

static int read_audit_key(struct gateway *g)
{
    struct stile_str error = STILE_STR_NULL;
    struct stile_arena *arena = stile_arena_new(8192);
    int rc = 0;
    if (stile_audit_key_read(g->config->audit_key, g->audit_seed, arena,
                             &error) != STILE_OK) {
        rc = complain(g, "audit-key", error);
    }
    stile_arena_free(&arena); /* wipes */
    return rc;
}

static int listen_on(struct gateway *g)
{
    struct stile_str error = STILE_STR_NULL;
    struct stile_listener_options partners = {.address = g->config->listen,
                                              .port = g->config->listen_port,
                                              .identity = g->identity,
                                              .limits = g->config->limits,
                                              .ctx = g,
                                              .on_request = ingest_on_request,
                                              .on_head = ingest_on_head,
                                              .on_refusal = ingest_on_refusal,
                                              .on_note = ingest_on_note};
    struct stile_listener_options admin = {.address = g->config->admin,
                                           .port = g->config->admin_port,
                                           .limits = stile_net_defaults,
                                           .ctx = g,
                                           .on_request = admin_on_request};
    if (stile_listener_start(&g->loop, &partners, g->arena, &g->listener,
                             &error) != STILE_OK ||
        stile_listener_start(&g->loop, &admin, g->arena, &g->admin, &error) !=
            STILE_OK) {
        return complain(g, "listen", error);
    }
    return 0;
}

static void start_handles(struct gateway *g)
{
    int rc = uv_timer_init(&g->loop, &g->checkpoint_timer);
    g->checkpoint_timer.data = g;
    rc |= uv_timer_start(&g->checkpoint_timer, on_checkpoint_timer,
                         g->config->checkpoint_ms, g->config->checkpoint_ms);
    rc |= uv_timer_init(&g->loop, &g->sweep_timer);
    g->sweep_timer.data = g;
    rc |= uv_timer_start(&g->sweep_timer, on_sweep_timer, SWEEP_FIRST_MS,
                         SWEEP_MS);
    rc |= uv_signal_init(&g->loop, &g->on_term);
    rc |= uv_signal_init(&g->loop, &g->on_int);
    g->on_term.data = g;
    g->on_int.data = g;
    rc |= uv_signal_start(&g->on_term, on_stop, SIGTERM);
    rc |= uv_signal_start(&g->on_int, on_stop, SIGINT);
    STILE_ASSERT(rc == 0);
    reload_start(g);
}

static int make_partners(struct gateway *g)
{
    g->partner_count = g->config->partner_count;
    g->partners = calloc(g->partner_count + 1, sizeof(*g->partners));
    if (g->partners == NULL) {
        return EXIT_RESOURCE;
    }
    for (size_t i = 0; i < g->partner_count; i++) {
        g->partners[i].config = &g->config->partners[i];
        stile_partner_init(&g->partners[i].health);
    }
    return 0;
}

/* Everything that can fail for a reason outside, in an order in which later
 * things need earlier ones. */
static int start(struct gateway *g)
{
    int rc = open_store(g);
    if (rc != 0) {
        return rc;
    }
    if (!reload_first(g)) {
        return EXIT_CONFIG;
    }
    rc = read_audit_key(g);
    g->identity = rc == 0 ? reload_identity(g) : NULL;
    if (rc != 0 || g->identity == NULL) {
        return EXIT_RESOURCE;
    }
    rc = make_partners(g);
    rc = rc == 0 ? start_store(g) : rc;
    rc = rc == 0 ? listen_on(g) : rc;
    if (rc != 0) {
        return rc;
    }
    if (stile_client_new(&g->loop, &g->config->tls,
                         (struct stile_client_limits)STILE_CLIENT_LIMITS,
                         &g->client) != STILE_OK ||
        deliver_start(g) != STILE_OK || feeds_start(g) != STILE_OK) {
        return EXIT_RESOURCE;
    }
    start_handles(g);
    reload_enter(g, "started");
    reload_show(g);
    g->started = stile_now();
    g->ready = true;
    log_line(g, LOG_INFO, "started",
             "stile %s, %.*s (%.*s), partners on %s:%d, admin on %s:%d%s",
             STILE_VERSION, STILE_FMT(g->config->organisation),
             STILE_FMT(g->config->ods), g->config->listen,
             stile_listener_port(g->listener), g->config->admin,
             stile_listener_port(g->admin),
             stile_identity_post_quantum(g->identity)
                 ? ""
                 : ", post-quantum key exchange: not available");
    return 0;
}

static void release(struct gateway *g)
{
    feeds_free(g);
    deliver_free(g);
    stile_plan_release(&g->plan);
    stile_identity_free(&g->identity);
    if (g->store != NULL) {
        g->store->ops->close(&g->store);
    }
    free(g->partners);
    stile_wipe(g->audit_seed, sizeof(g->audit_seed));
    stile_wipe(g->salt, sizeof(g->salt));
    stile_wipe(&g->pseudonym_key, sizeof(g->pseudonym_key));
    stile_arena_free(&g->arena);
}

static int load_config(struct gateway *g)
{
    struct stile_diags diags;
    stile_diags_init(&diags, g->arena, 0);
    enum stile_status status =
        stile_config_load(g->config_path, g->arena, &diags, &g->config);
    if (status == STILE_OK) {
        return 0;
    }
    struct stile_buf text;
    stile_buf_init(&text, 1u << 20);
    stile_diags_print(&diags, g->color, &text);
    (void)fwrite(text.ptr, 1, text.len, stderr);
    stile_buf_release(&text);
    return EXIT_CONFIG;
}

int stile_gateway_run(const struct stile_run_options *options)
{
    static const struct gateway empty;
    struct gateway *g = malloc(sizeof(*g));
    if (g == NULL) {
        return EXIT_RESOURCE;
    }
    *g = empty;
    g->config_path = options->config_path;
    g->color = options->color;
    g->arena = stile_arena_new(64u << 20);
    int rc = g->arena == NULL ? EXIT_RESOURCE : load_config(g);
    if (rc == 0 && (uv_loop_init(&g->loop) != 0 ||
                    uv_async_init(&g->loop, &g->wake, on_wake_async) != 0)) {
        rc = EXIT_RESOURCE;
    }
    if (rc == 0) {
        g->wake.data = g;
        (void)signal(SIGPIPE, SIG_IGN);
        stile_format_setup();
        rc = stile_net_setup() == STILE_OK ? start(g) : EXIT_RESOURCE;
        if (rc == 0) {
            (void)uv_run(&g->loop, UV_RUN_DEFAULT);
            log_line(g, LOG_INFO, "stopped", "nothing is in hand");
            (void)uv_loop_close(&g->loop);
        }
    }
    if (rc == 0) {
        release(g);
        free(g);
    }
    if (rc != 0 && g->thread == NULL && g->store != NULL) {
        g->store->ops->close(&g->store); /* leaves no log beside the file */
    }
    /* A start that failed ends the process: the system takes back the rest. */
    return rc;
}
