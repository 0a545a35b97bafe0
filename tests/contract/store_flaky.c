#include "store_flaky.h"

#include <stdlib.h>

struct flaky {
    struct stile_store store;
    struct stile_store *inner;
    unsigned left; /* writing calls until one fails; 0 = none planned */
    bool after;
};

static struct flaky *flaky_of(struct stile_store *store)
{
    return (struct flaky *)store;
}

static bool falls_now(struct stile_store *store)
{
    struct flaky *f = flaky_of(store);

    return f->left > 0 && --f->left == 0;
}

static void close_store(struct stile_store **store)
{
    struct stile_store *inner;

    if (store && *store) {
        inner = flaky_unwrap(store);
        inner->ops->close(&inner);
    }
}

static enum stile_status accept_all(struct stile_store *store,
                                    const struct stile_accept *accepts,
                                    size_t count, struct stile_arena *arena,
                                    struct stile_accepted *ret)
{
    struct stile_store *inner = flaky_of(store)->inner;
    bool falls = falls_now(store);
    enum stile_status status = STILE_IO;

    if (!falls || flaky_of(store)->after) {
        status = inner->ops->accept(inner, accepts, count, arena, ret);
        status = falls ? STILE_UNCERTAIN : status;
    }
    for (size_t i = 0; i < count && falls; i++) {
        ret[i] = (struct stile_accepted){status, 0, STILE_STR_NULL};
    }
    return status;
}

/* Fails before, or does it and does not say how it went. */
#define WRITES(call)                                                           \
    struct stile_store *inner = flaky_of(store)->inner;                        \
    bool falls = falls_now(store);                                             \
    enum stile_status status;                                                  \
                                                                               \
    if (falls && !flaky_of(store)->after) {                                    \
        return STILE_IO;                                                       \
    }                                                                          \
    status = inner->ops->call;                                                 \
    return falls ? STILE_UNCERTAIN : status

#define READS(call)                                                            \
    struct stile_store *inner = flaky_of(store)->inner;                        \
                                                                               \
    return inner->ops->call

static enum stile_status claim(struct stile_store *store, stile_time now,
                               const struct stile_partner_claim *claims,
                               size_t count, struct stile_arena *arena,
                               struct stile_outbox_row **ret, size_t *ret_count)
{
    WRITES(claim(inner, now, claims, count, arena, ret, ret_count));
}

static enum stile_status settle(struct stile_store *store,
                                const struct stile_settle *settles,
                                size_t count)
{
    WRITES(settle(inner, settles, count));
}

static enum stile_status recover(struct stile_store *store, stile_time now,
                                 uint64_t *ret_count)
{
    WRITES(recover(inner, now, ret_count));
}

static enum stile_status retry(struct stile_store *store, int64_t id,
                               stile_time now, const struct stile_str *entries,
                               size_t entry_count, uint64_t *ret_count)
{
    WRITES(retry(inner, id, now, entries, entry_count, ret_count));
}

static enum stile_status reviews(struct stile_store *store, int64_t id,
                                 size_t limit, struct stile_arena *arena,
                                 struct stile_review **ret, size_t *ret_count)
{
    READS(reviews(inner, id, limit, arena, ret, ret_count));
}

static enum stile_status reviewed(struct stile_store *store,
                                  struct stile_str person,
                                  struct stile_arena *arena,
                                  struct stile_review_item **ret,
                                  size_t *ret_count)
{
    READS(reviewed(inner, person, arena, ret, ret_count));
}

static enum stile_status review_settle(struct stile_store *store,
                                       const struct stile_review_settle *settle)
{
    WRITES(review_settle(inner, settle));
}

static enum stile_status list_rows(struct stile_store *store, size_t limit,
                                   struct stile_arena *arena,
                                   struct stile_outbox_row **ret,
                                   size_t *ret_count)
{
    READS(list(inner, limit, arena, ret, ret_count));
}

static enum stile_status facts(struct stile_store *store,
                               struct stile_str person,
                               struct stile_arena *arena,
                               struct stile_stored_fact **ret,
                               size_t *ret_count, uint64_t *ret_epoch)
{
    READS(facts(inner, person, arena, ret, ret_count, ret_epoch));
}

static enum stile_status message(struct stile_store *store,
                                 struct stile_str message_id,
                                 struct stile_arena *arena,
                                 struct stile_str *ret_body)
{
    READS(message(inner, message_id, arena, ret_body));
}

static enum stile_status sent(struct stile_store *store, struct stile_str route,
                              struct stile_str person,
                              struct stile_arena *arena,
                              struct stile_sent_mark **ret, size_t *ret_count)
{
    READS(sent(inner, route, person, arena, ret, ret_count));
}

static enum stile_status mirror_apply(struct stile_store *store,
                                      const struct stile_mirror_row *rows,
                                      size_t count)
{
    WRITES(mirror_apply(inner, rows, count));
}

static enum stile_status mirror_person(struct stile_store *store,
                                       struct stile_str feed,
                                       struct stile_str person,
                                       stile_mirror_fn fn, void *ctx)
{
    READS(mirror_person(inner, feed, person, fn, ctx));
}

static enum stile_status
mirror_holds(struct stile_store *store, struct stile_str feed,
             struct stile_str text, struct stile_arena *arena,
             struct stile_str **ret_persons, size_t *ret_count)
{
    READS(mirror_holds(inner, feed, text, arena, ret_persons, ret_count));
}

static enum stile_status
mirror_get(struct stile_store *store, struct stile_str feed,
           struct stile_str table, struct stile_str key,
           struct stile_arena *arena, struct stile_mirror_row *ret)
{
    READS(mirror_get(inner, feed, table, key, arena, ret));
}

static enum stile_status dirty(struct stile_store *store, struct stile_str feed,
                               size_t limit, struct stile_arena *arena,
                               struct stile_str **ret_persons,
                               uint64_t **ret_batches, size_t *ret_count)
{
    READS(
        dirty(inner, feed, limit, arena, ret_persons, ret_batches, ret_count));
}

static enum stile_status held(struct stile_store *store, size_t limit,
                              struct stile_arena *arena,
                              struct stile_held_row **ret, size_t *ret_count)
{
    READS(held(inner, limit, arena, ret, ret_count));
}

static enum stile_status batch_begin(struct stile_store *store,
                                     struct stile_str feed,
                                     struct stile_str name, stile_time now,
                                     uint64_t *ret_batch, bool *ret_finished)
{
    WRITES(batch_begin(inner, feed, name, now, ret_batch, ret_finished));
}

static enum stile_status batch_finish(struct stile_store *store, uint64_t batch,
                                      stile_time now)
{
    WRITES(batch_finish(inner, batch, now));
}

static enum stile_status audit_head(struct stile_store *store,
                                    struct stile_audit_tree *ret)
{
    READS(audit_head(inner, ret));
}

static enum stile_status audit_scan(struct stile_store *store, uint64_t from,
                                    stile_entry_fn fn, void *ctx)
{
    READS(audit_scan(inner, from, fn, ctx));
}

static enum stile_status checkpoint_put(struct stile_store *store,
                                        uint64_t size, struct stile_str note,
                                        stile_time now)
{
    WRITES(checkpoint_put(inner, size, note, now));
}

static enum stile_status checkpoints(struct stile_store *store,
                                     struct stile_arena *arena,
                                     struct stile_str **ret_notes,
                                     uint64_t **ret_sizes, size_t *ret_count)
{
    READS(checkpoints(inner, arena, ret_notes, ret_sizes, ret_count));
}

static enum stile_status salt(struct stile_store *store,
                              const uint8_t fresh[32], uint8_t ret[32])
{
    WRITES(salt(inner, fresh, ret));
}

static enum stile_status counts(struct stile_store *store,
                                struct stile_counts *ret)
{
    READS(counts(inner, ret));
}

static enum stile_status quarantined(struct stile_store *store, size_t limit,
                                     struct stile_arena *arena,
                                     struct stile_quarantine_new **ret,
                                     size_t *ret_count)
{
    READS(quarantined(inner, limit, arena, ret, ret_count));
}

static enum stile_status withdraw(struct stile_store *store, int64_t id,
                                  stile_time now, struct stile_str reason,
                                  const struct stile_str *entries,
                                  size_t entry_count)
{
    WRITES(withdraw(inner, id, now, reason, entries, entry_count));
}

static enum stile_status touch(struct stile_store *store, struct stile_str feed,
                               uint64_t *ret_count)
{
    WRITES(touch(inner, feed, ret_count));
}

static enum stile_status touch_under(struct stile_store *store,
                                     struct stile_str feed,
                                     const struct stile_digest *plan,
                                     uint64_t *ret_count)
{
    WRITES(touch_under(inner, feed, plan, ret_count));
}

static enum stile_status sweep(struct stile_store *store,
                               const struct stile_sweep *sweep,
                               uint64_t *ret_count)
{
    WRITES(sweep(inner, sweep, ret_count));
}

static void tend(struct stile_store *store, bool idle)
{
    struct stile_store *inner = flaky_of(store)->inner;

    inner->ops->tend(inner, idle);
}

static enum stile_status rules_put(struct stile_store *store,
                                   const struct stile_rules_change *change)
{
    WRITES(rules_put(inner, change));
}

static enum stile_status rules_steps(struct stile_store *store, size_t limit,
                                     struct stile_arena *arena,
                                     struct stile_rules_step **ret,
                                     size_t *ret_count)
{
    READS(rules_steps(inner, limit, arena, ret, ret_count));
}

static enum stile_status rules_files(struct stile_store *store,
                                     const struct stile_digest *set,
                                     struct stile_arena *arena,
                                     struct stile_str *ret)
{
    READS(rules_files(inner, set, arena, ret));
}

static enum stile_status
rules_approve(struct stile_store *store,
              const struct stile_rules_approval *approval,
              const struct stile_str *entries, size_t entry_count)
{
    WRITES(rules_approve(inner, approval, entries, entry_count));
}

static enum stile_status rules_approvals(struct stile_store *store,
                                         struct stile_arena *arena,
                                         struct stile_rules_approval **ret,
                                         size_t *ret_count)
{
    READS(rules_approvals(inner, arena, ret, ret_count));
}

static const struct stile_store_ops flaky_ops = {
    .name = "flaky",
    .close = close_store,
    .accept = accept_all,
    .claim = claim,
    .settle = settle,
    .recover = recover,
    .retry = retry,
    .list = list_rows,
    .facts = facts,
    .message = message,
    .sent = sent,
    .mirror_apply = mirror_apply,
    .mirror_person = mirror_person,
    .mirror_holds = mirror_holds,
    .mirror_get = mirror_get,
    .dirty = dirty,
    .held = held,
    .batch_begin = batch_begin,
    .batch_finish = batch_finish,
    .audit_head = audit_head,
    .audit_scan = audit_scan,
    .checkpoint_put = checkpoint_put,
    .checkpoints = checkpoints,
    .salt = salt,
    .counts = counts,
    .quarantined = quarantined,
    .withdraw = withdraw,
    .reviews = reviews,
    .reviewed = reviewed,
    .review_settle = review_settle,
    .touch = touch,
    .touch_under = touch_under,
    .sweep = sweep,
    .rules_put = rules_put,
    .rules_steps = rules_steps,
    .rules_files = rules_files,
    .rules_approve = rules_approve,
    .rules_approvals = rules_approvals,
    .tend = tend,
};

struct stile_store *flaky_wrap(struct stile_store *inner)
{
    struct flaky *f = calloc(1, sizeof *f);

    STILE_ASSERT(f);
    f->store.ops = &flaky_ops;
    f->inner = inner;
    return &f->store;
}

void flaky_plan(struct stile_store *store, unsigned nth, bool after)
{
    flaky_of(store)->left = nth;
    flaky_of(store)->after = after;
}

struct stile_store *flaky_unwrap(struct stile_store **store)
{
    struct stile_store *inner = flaky_of(*store)->inner;

    free(*store);
    *store = NULL;
    return inner;
}
