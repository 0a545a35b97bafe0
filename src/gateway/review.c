/*
 * What waits for a person must be seen: it is counted, said aloud when it
 * waits too long, and never ends in silence.
 */
#include "gateway_private.h"

#define WATCH_MOST 1000 /* a sweep; the next one goes on */
#define WATCH_ARENA ((size_t)256 << 20)
#define DAY (86400 * STILE_SECOND)

static enum stile_status lapse(const struct gateway *g,
                               struct stile_store *store,
                               const struct stile_review *review,
                               stile_time now, struct stile_arena *arena)
{
    struct stile_plan house = {.gateway = g->config->name,
                               .ods = g->config->ods};
    struct stile_reviewing reviewing = {
        .review = review,
        .reason = STILE_STR("nobody decided in time (limits: review-keep)"),
        .now = now};
    struct stile_str entry =
        stile_reviewing_entry(&house, "lapsed", &reviewing, &g->keys, arena);
    struct stile_review_settle settle = {.id = review->id,
                                         .now = now,
                                         .state = STILE_REVIEW_LAPSED,
                                         .reason = reviewing.reason,
                                         .entries = &entry,
                                         .entry_count = 1};
    return entry.ptr == NULL ? STILE_LIMIT
                             : store->ops->review_settle(store, &settle);
}

static enum stile_status watch_one(const struct gateway *g,
                                   struct stile_store *store,
                                   const struct stile_review *review,
                                   stile_time now, struct stile_arena *arena,
                                   struct review_watch *watch)
{
    const struct stile_config *config = g->config;
    stile_time age = now - review->since;
    if (review->state != STILE_REVIEW_WAITING) {
        return STILE_OK;
    }
    if (age > (stile_time)config->review_keep_ms * 1000) {
        enum stile_status status = lapse(g, store, review, now, arena);
        watch->lapsed += status == STILE_OK;
        /* Decided by a person in this very moment. */
        return status == STILE_CONFLICT ? STILE_OK : status;
    }
    if (age > (stile_time)config->review_days * DAY) {
        watch->oldest = watch->late++ == 0 ? review->since : watch->oldest;
    }
    return STILE_OK;
}

enum stile_status review_watch(const struct gateway *g,
                               struct stile_store *store, stile_time now,
                               struct review_watch *ret)
{
    struct stile_arena *arena = stile_arena_new(WATCH_ARENA);
    struct stile_review *reviews = NULL;
    struct review_watch watch = {0};
    size_t count = 0;
    enum stile_status status =
        arena == NULL ? STILE_NOMEM
                      : store->ops->reviews(store, 0, WATCH_MOST, arena,
                                            &reviews, &count);
    for (size_t i = 0; status == STILE_OK && i < count; i++) {
        status = watch_one(g, store, &reviews[i], now, arena, &watch);
    }
    stile_arena_free(&arena);
    *ret = watch;
    return status;
}

void review_say(const struct gateway *g, const struct review_watch *watch)
{
    if (watch->lapsed > 0) {
        log_line(g, LOG_WARN, "review",
                 "%llu reviews lapsed: nobody decided in time, and nothing of "
                 "them was sent; the audit log names them",
                 (unsigned long long)watch->lapsed);
    }
    if (watch->late > 0) {
        log_line(g, LOG_WARN, "review",
                 "%llu reviews wait for a person longer than %u days, the "
                 "oldest since %lld days: stile review list",
                 (unsigned long long)watch->late, g->config->review_days,
                 (long long)((stile_now() - watch->oldest) / DAY));
    }
}
