#define _POSIX_C_SOURCE 200809L

#include "contract/store_world.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The owner's side: what uv_async does for the gateway. */
struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    unsigned rings;
};

static void ring(void *ctx)
{
    struct bell *bell = ctx;

    (void)pthread_mutex_lock(&bell->lock);
    bell->rings++;
    (void)pthread_cond_signal(&bell->rung);
    (void)pthread_mutex_unlock(&bell->lock);
}

static void wait_for_ring(struct bell *bell, unsigned *seen)
{
    (void)pthread_mutex_lock(&bell->lock);
    while (bell->rings == *seen) {
        (void)pthread_cond_wait(&bell->rung, &bell->lock);
    }
    *seen = bell->rings;
    (void)pthread_mutex_unlock(&bell->lock);
}

struct job {
    struct stile_store_job job; /* first */
    struct stile_accept accept;
    struct stile_str entry;
    struct stile_digest digest;
    unsigned number;
    unsigned *done_count;
    unsigned done_at;
};

static void note_done(struct stile_store_job *job)
{
    struct job *j = (struct job *)job;

    j->done_at = ++*j->done_count;
}

static void prepare(struct job *j, unsigned number, unsigned *done_count,
                    struct stile_arena *arena)
{
    memset(j, 0, sizeof *j);
    j->number = number;
    j->done_count = done_count;
    j->entry = stile_arena_printf(arena, "{\"n\":%u}", number);
    j->accept =
        (struct stile_accept){.now = 1,
                              .source = STILE_STR("s"),
                              .key = stile_arena_printf(arena, "k%u", number),
                              .answer_status = 202,
                              .answer_body = STILE_STR("taken"),
                              .entries = &j->entry,
                              .entry_count = 1};
    j->job.accept = &j->accept;
    j->job.arena = arena;
    j->job.done = note_done;
}

/* A store that counts its commits and can be held up. */
struct counted {
    struct stile_store store;
    struct stile_store_ops ops;
    struct stile_store *inner;
    unsigned calls, most, tended;
    pthread_mutex_t gate;
    enum stile_status fail_groups; /* of more than one, unless OK */
};

static enum stile_status counted_accept(struct stile_store *store,
                                        const struct stile_accept *accepts,
                                        size_t count, struct stile_arena *arena,
                                        struct stile_accepted *ret)
{
    struct counted *c = (struct counted *)store;

    (void)pthread_mutex_lock(&c->gate);
    (void)pthread_mutex_unlock(&c->gate);
    c->calls++;
    c->most = count > c->most ? (unsigned)count : c->most;
    if (count > 1 && c->fail_groups != STILE_OK) {
        for (size_t i = 0; i < count; i++) {
            ret[i].status = c->fail_groups;
        }
        return c->fail_groups;
    }
    return c->inner->ops->accept(c->inner, accepts, count, arena, ret);
}

static void counted_tend(struct stile_store *store, bool idle)
{
    struct counted *c = (struct counted *)store;

    c->tended += idle;
    c->inner->ops->tend(c->inner, idle);
}

static void count_calls(struct counted *c, struct stile_store *inner)
{
    memset(c, 0, sizeof *c);
    c->inner = inner;
    c->ops = *inner->ops;
    c->ops.accept = counted_accept;
    c->ops.tend = counted_tend;
    c->store.ops = &c->ops;
    cr_assert_eq(pthread_mutex_init(&c->gate, NULL), 0);
}

static struct bell new_bell(void)
{
    return (struct bell){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                         0};
}

#define JOBS 64

Test(thread, adjacent_accepts_share_a_commit, .timeout = 60)
{
    static struct job jobs[JOBS];
    struct world w;
    struct counted counted;
    struct stile_store_thread *thread = NULL;
    struct bell bell = new_bell();
    unsigned done = 0;
    unsigned seen = 0;

    world_sqlite(&w);
    count_calls(&counted, w.store);
    (void)pthread_mutex_lock(&counted.gate); /* so that a line forms */
    cr_assert_eq(stile_store_thread_start(&counted.store, JOBS, 10, ring, &bell,
                                          &thread),
                 STILE_OK);
    for (unsigned i = 0; i < JOBS; i++) {
        prepare(&jobs[i], i, &done, w.arena);
        cr_assert_eq(stile_store_thread_post(thread, &jobs[i].job), STILE_OK);
    }
    cr_assert_leq(stile_store_thread_waiting(thread), JOBS);
    (void)pthread_mutex_unlock(&counted.gate);
    while (done < JOBS) {
        wait_for_ring(&bell, &seen);
        stile_store_thread_drain(thread);
    }
    stile_store_thread_stop(&thread);
    cr_assert_null(thread);
    for (unsigned i = 0; i < JOBS; i++) {
        cr_assert_eq(jobs[i].job.status, STILE_OK);
        cr_assert_eq(jobs[i].job.accepted.status, STILE_OK);
        cr_assert_eq(jobs[i].done_at, i + 1, "in order");
    }
    cr_assert_eq(counted.most, 10);
    cr_assert_leq(counted.calls, 8);
    cr_assert_geq(counted.tended, 1);
    cr_assert_eq(count_all(&w).entries, JOBS);
    world_end(&w);
}

Test(thread, each_job_has_its_own_answer, .timeout = 60)
{
    struct job jobs[3];
    struct world w;
    struct stile_store_thread *thread = NULL;
    struct bell bell = new_bell();
    unsigned done = 0;

    world_sqlite(&w);
    cr_assert_eq(stile_store_thread_start(w.store, 9, 9, ring, &bell, &thread),
                 STILE_OK);
    for (unsigned i = 0; i < 3; i++) {
        prepare(&jobs[i], i, &done, w.arena);
        jobs[i].accept.key = STILE_STR("same");
    }
    jobs[2].accept.digest.bytes[0] = 1;
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(stile_store_thread_post(thread, &jobs[i].job), STILE_OK);
    }
    stile_store_thread_stop(&thread);
    cr_assert_eq(done, 3, "stop finishes what is queued");
    cr_assert_eq(jobs[0].job.status, STILE_OK);
    cr_assert_eq(jobs[1].job.status, STILE_EXISTS);
    cr_assert_eq(jobs[1].job.accepted.answer_status, 202);
    cr_text(jobs[1].job.accepted.answer_body, "taken");
    cr_assert_eq(jobs[2].job.status, STILE_CONFLICT);
    world_end(&w);
}

Test(thread, one_that_cannot_be_had_does_not_fail_its_neighbours, .timeout = 60)
{
    struct job jobs[5];
    struct world w;
    struct counted counted;
    struct stile_store_thread *thread = NULL;
    struct bell bell = new_bell();
    unsigned done = 0;

    world_sqlite(&w);
    count_calls(&counted, w.store);
    counted.fail_groups = STILE_NOMEM;
    (void)pthread_mutex_lock(&counted.gate);
    cr_assert_eq(
        stile_store_thread_start(&counted.store, 9, 9, ring, &bell, &thread),
        STILE_OK);
    for (unsigned i = 0; i < 5; i++) {
        prepare(&jobs[i], i, &done, w.arena);
        cr_assert_eq(stile_store_thread_post(thread, &jobs[i].job), STILE_OK);
    }
    (void)pthread_mutex_unlock(&counted.gate);
    stile_store_thread_stop(&thread);
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(jobs[i].job.status, STILE_OK, "job %u", i);
    }
    world_end(&w);
}

static void count_work(struct stile_store_job *job, struct stile_store *store)
{
    struct job *j = (struct job *)job;
    struct stile_counts counts;

    job->status = store->ops->counts(store, &counts);
    j->number = (unsigned)counts.entries;
}

/* Other work keeps its place in the line between accepts. */
Test(thread, work_sees_what_was_posted_before_it, .timeout = 60)
{
    struct job jobs[9];
    struct world w;
    struct stile_store_thread *thread = NULL;
    struct bell bell = new_bell();
    unsigned done = 0;

    world_sqlite(&w);
    cr_assert_eq(stile_store_thread_start(w.store, 9, 9, ring, &bell, &thread),
                 STILE_OK);
    for (unsigned i = 0; i < 9; i++) {
        prepare(&jobs[i], i, &done, w.arena);
        if (i % 3 == 2) {
            jobs[i].job.accept = NULL;
            jobs[i].job.work = count_work;
        }
        cr_assert_eq(stile_store_thread_post(thread, &jobs[i].job), STILE_OK);
    }
    stile_store_thread_stop(&thread);
    cr_assert_eq(jobs[2].number, 2);
    cr_assert_eq(jobs[5].number, 4);
    cr_assert_eq(jobs[8].number, 6);
    world_end(&w);
}

Test(thread, a_full_line_is_busy, .timeout = 60)
{
    struct job jobs[5];
    struct world w;
    struct counted counted;
    struct stile_store_thread *thread = NULL;
    struct bell bell = new_bell();
    unsigned done = 0;
    unsigned taken = 0;

    world_sqlite(&w);
    count_calls(&counted, w.store);
    (void)pthread_mutex_lock(&counted.gate);
    cr_assert_eq(
        stile_store_thread_start(&counted.store, 3, 1, ring, &bell, &thread),
        STILE_OK);
    /* one may be under way, three may wait */
    for (unsigned i = 0; i < 5; i++) {
        prepare(&jobs[i], i, &done, w.arena);
        taken += stile_store_thread_post(thread, &jobs[i].job) == STILE_OK;
    }
    cr_assert(taken == 3 || taken == 4, "%u", taken);
    (void)pthread_mutex_unlock(&counted.gate);
    stile_store_thread_stop(&thread);
    cr_assert_eq(done, taken);
    cr_assert_eq(counted.most, 1);
    world_end(&w);
}

Test(thread, no_limits_no_thread)
{
    struct world w;
    struct stile_store_thread *thread = NULL;

    world_memory(&w);
    cr_assert_eq(stile_store_thread_start(w.store, 0, 1, ring, NULL, &thread),
                 STILE_INVALID);
    cr_assert_eq(stile_store_thread_start(w.store, 1, 0, ring, NULL, &thread),
                 STILE_INVALID);
    cr_assert_null(thread);
    stile_store_thread_stop(&thread);
    stile_store_thread_stop(NULL);
    world_end(&w);
}

/* Many posters, one store thread, one drain: for the thread sanitizer. */
struct poster {
    struct stile_store_thread *thread;
    struct job *jobs;
    unsigned count;
};

static void *post_all(void *ctx)
{
    struct poster *poster = ctx;

    for (unsigned i = 0; i < poster->count;) {
        enum stile_status status =
            stile_store_thread_post(poster->thread, &poster->jobs[i].job);

        i += status == STILE_OK;
    }
    return NULL;
}

Test(thread, many_posters, .timeout = 120)
{
    enum {
        POSTERS = 4,
        EACH = 50
    };
    static struct job jobs[POSTERS][EACH];
    struct poster posters[POSTERS];
    pthread_t ids[POSTERS];
    struct world w;
    struct stile_store_thread *thread = NULL;
    struct bell bell = new_bell();
    unsigned done = 0;
    unsigned seen = 0;

    world_sqlite(&w);
    cr_assert_eq(stile_store_thread_start(w.store, 16, 8, ring, &bell, &thread),
                 STILE_OK);
    for (unsigned p = 0; p < POSTERS; p++) {
        for (unsigned i = 0; i < EACH; i++) {
            prepare(&jobs[p][i], p * EACH + i, &done, w.arena);
        }
        posters[p] = (struct poster){thread, jobs[p], EACH};
        cr_assert_eq(pthread_create(&ids[p], NULL, post_all, &posters[p]), 0);
    }
    while (done < POSTERS * EACH) {
        wait_for_ring(&bell, &seen);
        stile_store_thread_drain(thread);
    }
    for (unsigned p = 0; p < POSTERS; p++) {
        cr_assert_eq(pthread_join(ids[p], NULL), 0);
    }
    stile_store_thread_stop(&thread);
    cr_assert_eq(count_all(&w).entries, POSTERS * EACH);
    world_end(&w);
}
