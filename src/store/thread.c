/* POSIX: threads and signal masks. */
#define _POSIX_C_SOURCE 200809L

#include "common.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct line {
    struct stile_store_job *first, *last;
};

struct stile_store_thread {
    struct stile_store *store;
    void (*wake)(void *ctx);
    void *ctx;
    size_t limit, group;
    pthread_t id;

    pthread_mutex_t lock;
    pthread_cond_t posted;
    /* under the lock */
    struct line queue, done;
    size_t waiting; /* in the queue */
    bool stopping;

    /* the store thread's own */
    struct stile_arena *answers;
    struct stile_accept *accepts;
    struct stile_accepted *accepted;
};

static void add(struct line *line, struct stile_store_job *job)
{
    job->next = NULL;
    if (line->last) {
        line->last->next = job;
    } else {
        line->first = job;
    }
    line->last = job;
}

static struct stile_store_job *take(struct line *line)
{
    struct stile_store_job *job = line->first;

    line->first = job->next;
    if (!line->first) {
        line->last = NULL;
    }
    job->next = NULL;
    return job;
}

/* ---- on the store thread ---- */

/* Waits for work; an empty line means that the end has come. What stands next
 * to one another and may share a commit is taken together. */
static struct line take_some(struct stile_store_thread *thread,
                             size_t *ret_count)
{
    struct line some = {NULL, NULL};
    size_t count = 0;

    STILE_ASSERT(pthread_mutex_lock(&thread->lock) == 0);
    while (!thread->queue.first && !thread->stopping) {
        STILE_ASSERT(pthread_cond_wait(&thread->posted, &thread->lock) == 0);
    }
    while (
        thread->queue.first && count < thread->group &&
        (count == 0 || (some.first->accept && thread->queue.first->accept))) {
        add(&some, take(&thread->queue));
        count++;
    }
    thread->waiting -= count;
    STILE_ASSERT(pthread_mutex_unlock(&thread->lock) == 0);
    *ret_count = count;
    return some;
}

/* Hands them to drain; true when nothing more waits. */
static bool give_back(struct stile_store_thread *thread, struct line *some)
{
    bool idle;

    STILE_ASSERT(pthread_mutex_lock(&thread->lock) == 0);
    while (some->first) {
        add(&thread->done, take(some));
    }
    idle = !thread->queue.first;
    STILE_ASSERT(pthread_mutex_unlock(&thread->lock) == 0);
    return idle;
}

static void accept_each(struct stile_store_thread *thread, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* the status stands in accepted too */
        (void)thread->store->ops->accept(thread->store, &thread->accepts[i], 1,
                                         thread->answers, &thread->accepted[i]);
    }
}

/* The answers were made in the thread's arena; each job has its own. */
static void answer(struct stile_store_job *job,
                   const struct stile_accepted *accepted)
{
    job->accepted = *accepted;
    job->accepted.answer_body = STILE_STR_NULL;
    if (accepted->status == STILE_EXISTS && job->arena) {
        job->accepted.answer_body =
            stile_arena_str(job->arena, accepted->answer_body);
        if (stile_arena_failed(job->arena)) {
            job->accepted.status = STILE_NOMEM;
        }
    }
    job->status = job->accepted.status;
}

static void accept_some(struct stile_store_thread *thread, struct line *some,
                        size_t count)
{
    struct stile_store_job *job = some->first;
    enum stile_status status;

    for (size_t i = 0; i < count; i++, job = job->next) {
        thread->accepts[i] = *job->accept;
    }
    status = thread->store->ops->accept(thread->store, thread->accepts, count,
                                        thread->answers, thread->accepted);
    /* nothing changed: one that cannot be had must not fail its neighbours */
    if (count > 1 && (status == STILE_NOMEM || status == STILE_LIMIT ||
                      status == STILE_CONFLICT)) {
        stile_arena_reset(thread->answers);
        accept_each(thread, count);
    }
    job = some->first;
    for (size_t i = 0; i < count; i++, job = job->next) {
        answer(job, &thread->accepted[i]);
    }
    stile_arena_reset(thread->answers);
}

static void *run(void *ctx)
{
    struct stile_store_thread *thread = ctx;

    for (;;) {
        size_t count;
        struct line some = take_some(thread, &count);
        bool idle;

        if (count == 0) {
            return NULL;
        }
        if (some.first->accept) {
            accept_some(thread, &some, count);
        } else {
            some.first->work(some.first, thread->store);
        }
        idle = give_back(thread, &some);
        thread->wake(thread->ctx);
        thread->store->ops->tend(thread->store, idle);
    }
}

/* ---- on the owner's thread ---- */

static void release(struct stile_store_thread *thread)
{
    stile_arena_free(&thread->answers);
    free(thread->accepts);
    free(thread->accepted);
    free(thread);
}

/* Signals belong to the loop's thread. */
static bool start(struct stile_store_thread *thread)
{
    sigset_t all, before;
    int code;

    (void)sigfillset(&all); /* fails for no argument we give */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return false;
    }
    code = pthread_create(&thread->id, NULL, run, thread);
    STILE_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return code == 0;
}

enum stile_status stile_store_thread_start(struct stile_store *store,
                                           size_t queue_limit, size_t group,
                                           void (*wake)(void *ctx), void *ctx,
                                           struct stile_store_thread **ret)
{
    struct stile_store_thread *thread;

    if (queue_limit == 0 || group == 0) {
        return STILE_INVALID;
    }
    thread = calloc(1, sizeof *thread);
    if (!thread) {
        return STILE_NOMEM;
    }
    thread->store = store;
    thread->wake = wake;
    thread->ctx = ctx;
    thread->limit = queue_limit;
    thread->group = group;
    thread->accepts = calloc(group, sizeof *thread->accepts);
    thread->accepted = calloc(group, sizeof *thread->accepted);
    thread->answers = stile_arena_new(2 * (size_t)STILE_STORE_BODY_MAX);
    if (!thread->accepts || !thread->accepted || !thread->answers ||
        pthread_mutex_init(&thread->lock, NULL) != 0) {
        release(thread);
        return STILE_NOMEM;
    }
    if (pthread_cond_init(&thread->posted, NULL) != 0) {
        (void)pthread_mutex_destroy(&thread->lock); /* nobody holds it */
        release(thread);
        return STILE_NOMEM;
    }
    if (!start(thread)) {
        (void)pthread_cond_destroy(&thread->posted);
        (void)pthread_mutex_destroy(&thread->lock);
        release(thread);
        return STILE_NOMEM;
    }
    *ret = thread;
    return STILE_OK;
}

enum stile_status stile_store_thread_post(struct stile_store_thread *thread,
                                          struct stile_store_job *job)
{
    enum stile_status status = STILE_OK;

    STILE_ASSERT(job->accept || job->work);
    STILE_ASSERT(pthread_mutex_lock(&thread->lock) == 0);
    if (thread->stopping) {
        status = STILE_DENIED;
    } else if (thread->waiting >= thread->limit) {
        status = STILE_BUSY;
    } else {
        add(&thread->queue, job);
        thread->waiting++;
        STILE_ASSERT(pthread_cond_signal(&thread->posted) == 0);
    }
    STILE_ASSERT(pthread_mutex_unlock(&thread->lock) == 0);
    return status;
}

size_t stile_store_thread_waiting(struct stile_store_thread *thread)
{
    size_t waiting;

    STILE_ASSERT(pthread_mutex_lock(&thread->lock) == 0);
    waiting = thread->waiting;
    STILE_ASSERT(pthread_mutex_unlock(&thread->lock) == 0);
    return waiting;
}

void stile_store_thread_drain(struct stile_store_thread *thread)
{
    struct line done;

    STILE_ASSERT(pthread_mutex_lock(&thread->lock) == 0);
    done = thread->done;
    thread->done = (struct line){NULL, NULL};
    STILE_ASSERT(pthread_mutex_unlock(&thread->lock) == 0);
    while (done.first) {
        struct stile_store_job *job = take(&done);

        if (job->done) {
            job->done(job); /* may free the job */
        }
    }
}

void stile_store_thread_stop(struct stile_store_thread **thread)
{
    struct stile_store_thread *t;

    if (!thread || !*thread) {
        return;
    }
    t = *thread;
    STILE_ASSERT(pthread_mutex_lock(&t->lock) == 0);
    t->stopping = true;
    STILE_ASSERT(pthread_cond_signal(&t->posted) == 0);
    STILE_ASSERT(pthread_mutex_unlock(&t->lock) == 0);
    STILE_ASSERT(pthread_join(t->id, NULL) == 0);
    stile_store_thread_drain(t);
    STILE_ASSERT(pthread_cond_destroy(&t->posted) == 0);
    STILE_ASSERT(pthread_mutex_destroy(&t->lock) == 0);
    release(t);
    *thread = NULL;
}
