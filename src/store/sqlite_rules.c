/* Rule sets, the steps in which they came in force, and approvals. */
#include "sqlite.h"

#include <string.h>

static void read_step(struct sqlite_store *s, struct stile_arena *arena,
                      struct stile_rules_step *ret)
{
    ret->number = (uint64_t)stile__sql_number(s, SQL_STEPS, 0);
    stile__sql_get_digest(s, SQL_STEPS, 1, &ret->from);
    stile__sql_get_digest(s, SQL_STEPS, 2, &ret->to);
    ret->at = stile__sql_number(s, SQL_STEPS, 3);
    ret->class = stile__sql_copy(s, SQL_STEPS, 4, arena);
    ret->acts = stile__sql_copy(s, SQL_STEPS, 5, arena);
}

/* What is in force must be what the change was made from. */
static void meets(struct sqlite_store *s, const struct stile_rules_step *step)
{
    struct stile_digest now = {{0}};
    stile_time last = INT64_MIN;

    stile__sql_int(s, SQL_STEPS, 1, 1);
    if (stile__sql_row(s, SQL_STEPS)) {
        stile__sql_get_digest(s, SQL_STEPS, 2, &now);
        last = stile__sql_number(s, SQL_STEPS, 3);
        stile__sql_end(s, SQL_STEPS);
    }
    if (!stile_digest_eq(&now, &step->from)) {
        stile__sql_fail(s, STILE_CONFLICT);
    } else if (step->at <= last) {
        stile__sql_fail(s, STILE_INVALID);
    }
}

static void keep_set(struct sqlite_store *s,
                     const struct stile_rules_change *change)
{
    bool there;

    if (change->files.len > 0) {
        stile__sql_digest(s, SQL_SET_PUT, 1, &change->step.to);
        stile__sql_blob(s, SQL_SET_PUT, 2, change->files);
        stile__sql_run(s, SQL_SET_PUT);
        return;
    }
    stile__sql_digest(s, SQL_SET_GET, 1, &change->step.to);
    there = stile__sql_row(s, SQL_SET_GET);
    stile__sql_end(s, SQL_SET_GET);
    if (!there) {
        stile__sql_fail(s, STILE_NOT_FOUND);
    }
}

enum stile_status stile__sql_rules_put(struct stile_store *store,
                                       const struct stile_rules_change *change)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status = stile__rules_change_check(change);

    if (status != STILE_OK) {
        return status;
    }
    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    meets(s, &change->step);
    keep_set(s, change);
    stile__sql_digest(s, SQL_STEP_PUT, 1, &change->step.from);
    stile__sql_digest(s, SQL_STEP_PUT, 2, &change->step.to);
    stile__sql_int(s, SQL_STEP_PUT, 3, change->step.at);
    stile__sql_text(s, SQL_STEP_PUT, 4, change->step.class);
    stile__sql_blob(s, SQL_STEP_PUT, 5, change->step.acts);
    stile__sql_run(s, SQL_STEP_PUT);
    stile__sql_run(s, SQL_APPROVALS_DROP);
    stile__sql_entries(s, change->entries, change->entry_count);
    return stile__sql_commit(s);
}

enum stile_status stile__sql_rules_steps(struct stile_store *store,
                                         size_t limit,
                                         struct stile_arena *arena,
                                         struct stile_rules_step **ret,
                                         size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list list = {.arena = arena, .size = sizeof **ret};

    (void)stile__sql_read(s);
    stile__sql_int(s, SQL_STEPS, 1,
                   limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while (stile__sql_row(s, SQL_STEPS)) {
        struct stile_rules_step *step = stile__sql_push(s, &list);

        if (step) {
            read_step(s, arena, step);
        }
    }
    if (s->failed == STILE_OK) {
        *ret = (struct stile_rules_step *)(void *)list.items;
        *ret_count = list.count;
    }
    return s->failed;
}

enum stile_status stile__sql_rules_files(struct stile_store *store,
                                         const struct stile_digest *set,
                                         struct stile_arena *arena,
                                         struct stile_str *ret)
{
    struct sqlite_store *s = sqlite_of(store);
    struct stile_str files = STILE_STR_NULL;

    (void)stile__sql_read(s);
    stile__sql_digest(s, SQL_SET_GET, 1, set);
    if (stile__sql_row(s, SQL_SET_GET)) {
        files = stile__sql_copy(s, SQL_SET_GET, 0, arena);
        stile__sql_end(s, SQL_SET_GET);
    } else {
        stile__sql_fail(s, STILE_NOT_FOUND);
    }
    if (s->failed == STILE_OK) {
        *ret = files;
    }
    return s->failed;
}

enum stile_status
stile__sql_rules_approve(struct stile_store *store,
                         const struct stile_rules_approval *approval,
                         const struct stile_str *entries, size_t entry_count)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status =
        stile__rules_approval_check(approval, entries, entry_count);

    if (status != STILE_OK) {
        return status;
    }
    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    stile__sql_text(s, SQL_APPROVE, 1, approval->subject);
    stile__sql_text(s, SQL_APPROVE, 2, approval->officer);
    stile__sql_text(s, SQL_APPROVE, 3, approval->because);
    stile__sql_int(s, SQL_APPROVE, 4, approval->at);
    stile__sql_blob(s, SQL_APPROVE, 5,
                    (struct stile_str){(const char *)approval->signature,
                                       sizeof approval->signature});
    stile__sql_run(s, SQL_APPROVE);
    stile__sql_entries(s, entries, entry_count);
    return stile__sql_commit(s);
}

static void read_approval(struct sqlite_store *s, struct stile_arena *arena,
                          struct stile_rules_approval *ret)
{
    struct stile_str signature = stile__sql_column(s, SQL_APPROVALS, 4);

    if (signature.len != sizeof ret->signature) {
        stile__sql_fail(s, STILE_IO); /* a damaged file */
        return;
    }
    memcpy(ret->signature, signature.ptr, sizeof ret->signature);
    ret->subject = stile__sql_copy(s, SQL_APPROVALS, 0, arena);
    ret->officer = stile__sql_copy(s, SQL_APPROVALS, 1, arena);
    ret->because = stile__sql_copy(s, SQL_APPROVALS, 2, arena);
    ret->at = stile__sql_number(s, SQL_APPROVALS, 3);
}

enum stile_status stile__sql_rules_approvals(struct stile_store *store,
                                             struct stile_arena *arena,
                                             struct stile_rules_approval **ret,
                                             size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list list = {.arena = arena, .size = sizeof **ret};

    (void)stile__sql_read(s);
    while (stile__sql_row(s, SQL_APPROVALS)) {
        struct stile_rules_approval *approval = stile__sql_push(s, &list);

        if (approval) {
            read_approval(s, arena, approval);
        }
    }
    if (s->failed == STILE_OK) {
        *ret = (struct stile_rules_approval *)(void *)list.items;
        *ret_count = list.count;
    }
    return s->failed;
}
