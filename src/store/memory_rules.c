/* Rule sets, the steps in which they came in force, and approvals. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

static struct stile_str bytes_of(const struct stile_digest *digest)
{
    return (struct stile_str){(const char *)digest->bytes,
                              sizeof digest->bytes};
}

static struct record *find_set(struct memory_store *m,
                               const struct stile_digest *set)
{
    struct record *record;

    for (size_t at = 0; (record = stile__mem_at(m, RULE_SET, &at)) != NULL;
         at++) {
        if (stile_digest_eq(&record->f.digest, set)) {
            return record;
        }
    }
    return NULL;
}

static enum stile_status meets(const struct memory_store *m,
                               const struct stile_rules_step *step)
{
    const struct table *t = &m->tables[RULE_STEP];
    struct stile_digest now = {{0}};
    stile_time at = INT64_MIN;

    if (t->count > 0) {
        now = t->items[t->count - 1]->f.digest;
        at = t->items[t->count - 1]->f.n[STEP_AT];
    }
    if (!stile_digest_eq(&now, &step->from)) {
        return STILE_CONFLICT;
    }
    return step->at > at ? STILE_OK : STILE_INVALID;
}

static enum stile_status rules_put(struct stile_store *store,
                                   const struct stile_rules_change *change)
{
    struct memory_store *m = memory_of(store);
    struct fields set = {.t = {[SET_FILES] = change->files},
                         .digest = change->step.to};
    struct fields step = {.n = {[STEP_AT] = change->step.at},
                          .t = {[STEP_FROM] = bytes_of(&change->step.from),
                                [STEP_CLASS] = change->step.class,
                                [STEP_ACTS] = change->step.acts},
                          .digest = change->step.to};
    enum stile_status status = stile__rules_change_check(change);

    stile__mem_begin(m);
    if (status == STILE_OK) {
        status = meets(m, &change->step);
    }
    if (status == STILE_OK && !find_set(m, &change->step.to)) {
        if (change->files.len == 0) {
            return STILE_NOT_FOUND;
        }
        stile__mem_put(m, RULE_SET, SIZE_MAX, &set);
    }
    if (status != STILE_OK) {
        return status;
    }
    stile__mem_put(m, RULE_STEP, SIZE_MAX, &step);
    for (size_t at = 0; stile__mem_at(m, RULE_APPROVAL, &at) != NULL; at++) {
        stile__mem_drop(m, RULE_APPROVAL, at);
    }
    stile__mem_entries(m, change->entries, change->entry_count);
    return stile__mem_end(m);
}

static enum stile_status rules_steps(struct stile_store *store, size_t limit,
                                     struct stile_arena *arena,
                                     struct stile_rules_step **ret,
                                     size_t *ret_count)
{
    const struct table *t = &memory_of(store)->tables[RULE_STEP];
    size_t count = t->count < limit ? t->count : limit;
    struct stile_rules_step *list =
        count > 0 ? stile_arena_array(arena, count, sizeof *list) : NULL;

    for (size_t i = 0; i < count && list; i++) {
        size_t at = t->count - 1 - i;
        const struct fields *f = &t->items[at]->f;

        list[i].number = at + 1;
        memcpy(list[i].from.bytes, f->t[STEP_FROM].ptr,
               sizeof list[i].from.bytes);
        list[i].to = f->digest;
        list[i].at = f->n[STEP_AT];
        list[i].class = stile_arena_str(arena, f->t[STEP_CLASS]);
        list[i].acts = stile_arena_str(arena, f->t[STEP_ACTS]);
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = list;
    *ret_count = count;
    return STILE_OK;
}

static enum stile_status rules_files(struct stile_store *store,
                                     const struct stile_digest *set,
                                     struct stile_arena *arena,
                                     struct stile_str *ret)
{
    struct record *record = find_set(memory_of(store), set);
    struct stile_str files;

    if (!record) {
        return STILE_NOT_FOUND;
    }
    files = stile_arena_str(arena, record->f.t[SET_FILES]);
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = files;
    return STILE_OK;
}

static enum stile_status
rules_approve(struct stile_store *store,
              const struct stile_rules_approval *approval,
              const struct stile_str *entries, size_t entry_count)
{
    struct memory_store *m = memory_of(store);
    struct fields f = {
        .n = {[APPROVAL_AT] = approval->at},
        .t = {[APPROVAL_SUBJECT] = approval->subject,
              [APPROVAL_OFFICER] = approval->officer,
              [APPROVAL_BECAUSE] = approval->because,
              [APPROVAL_SIGNATURE] = {(const char *)approval->signature,
                                      sizeof approval->signature}}};
    enum stile_status status =
        stile__rules_approval_check(approval, entries, entry_count);
    size_t at = 0;
    bool there;

    if (status != STILE_OK) {
        return status;
    }
    stile__mem_begin(m);
    there = stile__mem_find(m, RULE_APPROVAL, &at, f.t, 2) != NULL;
    stile__mem_put(m, RULE_APPROVAL, there ? at : SIZE_MAX, &f);
    stile__mem_entries(m, entries, entry_count);
    return stile__mem_end(m);
}

static bool any(const struct record *record, const void *ctx)
{
    (void)record;
    (void)ctx;
    return true;
}

static int approval_order(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a;
    const struct record *y = *(struct record *const *)b;
    int order =
        stile_str_cmp(x->f.t[APPROVAL_SUBJECT], y->f.t[APPROVAL_SUBJECT]);

    return order != 0 ? order
                      : stile_str_cmp(x->f.t[APPROVAL_OFFICER],
                                      y->f.t[APPROVAL_OFFICER]);
}

static enum stile_status rules_approvals(struct stile_store *store,
                                         struct stile_arena *arena,
                                         struct stile_rules_approval **ret,
                                         size_t *ret_count)
{
    struct memory_store *m = memory_of(store);
    struct stile_rules_approval *list = NULL;
    struct record **found;
    size_t count = 0;

    m->failed = STILE_OK;
    found =
        stile__mem_sorted(m, RULE_APPROVAL, any, NULL, approval_order, &count);
    if (count > 0) {
        list = stile_arena_array(arena, count, sizeof *list);
    }
    for (size_t i = 0; i < count && list; i++) {
        const struct fields *f = &found[i]->f;

        list[i].subject = stile_arena_str(arena, f->t[APPROVAL_SUBJECT]);
        list[i].officer = stile_arena_str(arena, f->t[APPROVAL_OFFICER]);
        list[i].because = stile_arena_str(arena, f->t[APPROVAL_BECAUSE]);
        list[i].at = f->n[APPROVAL_AT];
        memcpy(list[i].signature, f->t[APPROVAL_SIGNATURE].ptr,
               sizeof list[i].signature);
    }
    free(found);
    if (m->failed != STILE_OK || stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = list;
    *ret_count = count;
    return STILE_OK;
}

void stile__mem_rules_verbs(struct stile_store_ops *ops)
{
    ops->rules_put = rules_put;
    ops->rules_steps = rules_steps;
    ops->rules_files = rules_files;
    ops->rules_approve = rules_approve;
    ops->rules_approvals = rules_approvals;
}
