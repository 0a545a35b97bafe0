/* Which rule set is in force: one step at a time, each with its entry. */
#define _POSIX_C_SOURCE 200809L

#include "store_world.h"

#include <stdio.h>
#include <string.h>

static struct stile_digest set_of(const char *text)
{
    struct stile_digest digest;

    stile_sha256(stile_str_cstr(text), &digest);
    return digest;
}

/* From the set of `from` (NULL: none) to that of `to`, whose files are its
 * name; `files` empty: kept before. */
static struct stile_rules_change change_of(const char *from, const char *to,
                                           stile_time at)
{
    static const struct stile_str entry = {"{\"a\":1}", 7};
    struct stile_rules_change change = {.step = {.to = set_of(to),
                                                 .at = at,
                                                 .class = S("wider"),
                                                 .acts = S("[]")},
                                        .files = stile_str_cstr(to),
                                        .entries = &entry,
                                        .entry_count = 1};

    if (from) {
        change.step.from = set_of(from);
    }
    return change;
}

static enum stile_status put(struct world *w, const char *from, const char *to,
                             stile_time at)
{
    struct stile_rules_change change = change_of(from, to, at);

    return OPS(w)->rules_put(w->store, &change);
}

static struct stile_rules_step *steps(struct world *w, size_t limit,
                                      size_t *ret_count)
{
    struct stile_rules_step *list = NULL;

    cr_assert_eq(
        OPS(w)->rules_steps(w->store, limit, w->arena, &list, ret_count),
        STILE_OK);
    return list;
}

CONTRACT(rules, nothing_is_in_force_at_first)
{
    struct stile_digest a = set_of("a");
    struct stile_str files;
    size_t count = 9;

    cr_assert_null(steps(w, 10, &count));
    cr_assert_eq(count, 0);
    cr_assert_eq(OPS(w)->rules_files(w->store, &a, w->arena, &files),
                 STILE_NOT_FOUND);
}

CONTRACT(rules, the_newest_step_is_in_force)
{
    struct stile_digest a = set_of("a"), b = set_of("b");
    struct stile_rules_step *list;
    struct stile_str files;
    size_t count;

    cr_assert_eq(put(w, NULL, "a", 10), STILE_OK);
    cr_assert_eq(put(w, "a", "b", 11), STILE_OK);
    world_reopen(w);
    list = steps(w, 1, &count);
    cr_assert_eq(count, 1);
    cr_assert(stile_digest_eq(&list[0].to, &b));
    list = steps(w, SIZE_MAX, &count);
    cr_assert_eq(count, 2);
    cr_assert_eq(list[0].number, 2);
    cr_assert(stile_digest_eq(&list[0].from, &a));
    cr_assert_eq(list[0].at, 11);
    cr_text(list[0].class, "wider");
    cr_text(list[0].acts, "[]");
    cr_assert_eq(list[1].number, 1);
    cr_assert(stile_digest_eq(&list[1].to, &a));
    cr_assert_eq(OPS(w)->rules_files(w->store, &a, w->arena, &files), STILE_OK);
    cr_text(files, "a");
    cr_assert_eq(count_all(w).entries, 2, "each step has its entry");
}

/* Two that were made from one set: the second must look again. */
CONTRACT(rules, a_change_from_what_is_not_in_force_conflicts)
{
    size_t count;

    cr_assert_eq(put(w, "x", "a", 10), STILE_CONFLICT);
    cr_assert_eq(put(w, NULL, "a", 10), STILE_OK);
    cr_assert_eq(put(w, NULL, "b", 11), STILE_CONFLICT);
    cr_assert_eq(put(w, "a", "b", 11), STILE_OK);
    cr_assert_eq(put(w, "a", "c", 12), STILE_CONFLICT);
    cr_assert_eq(put(w, "a", "c", 11), STILE_CONFLICT, "before it is too old");
    (void)steps(w, 10, &count);
    cr_assert_eq(count, 2);
    cr_assert_eq(count_all(w).entries, 2, "what failed left no entry");
}

CONTRACT(rules, times_of_steps_grow)
{
    cr_assert_eq(put(w, NULL, "a", 10), STILE_OK);
    cr_assert_eq(put(w, "a", "b", 10), STILE_INVALID);
    cr_assert_eq(put(w, "a", "b", 11), STILE_OK);
}

CONTRACT(rules, a_set_kept_before_needs_no_files)
{
    struct stile_rules_change back = change_of("b", "a", 12);
    struct stile_rules_change other = change_of("a", "c", 13);
    struct stile_digest a = set_of("a");
    struct stile_str files;

    cr_assert_eq(put(w, NULL, "a", 10), STILE_OK);
    cr_assert_eq(put(w, "a", "b", 11), STILE_OK);
    back.files = STILE_STR_NULL;
    cr_assert_eq(OPS(w)->rules_put(w->store, &back), STILE_OK);
    cr_assert_eq(OPS(w)->rules_files(w->store, &a, w->arena, &files), STILE_OK);
    cr_text(files, "a");
    other.files = STILE_STR_NULL;
    cr_assert_eq(OPS(w)->rules_put(w->store, &other), STILE_NOT_FOUND);
    cr_assert_eq(count_all(w).entries, 3);
}

CONTRACT(rules, what_contradicts_itself_is_invalid)
{
    struct stile_rules_change change = change_of(NULL, "a", 10);
    char *text = stile_arena_alloc(w->arena, STILE_STORE_TEXT_MAX + 1);

    change.entry_count = 0;
    cr_assert_eq(OPS(w)->rules_put(w->store, &change), STILE_INVALID);
    change = change_of(NULL, "a", 10);
    change.step.to = (struct stile_digest){{0}};
    cr_assert_eq(OPS(w)->rules_put(w->store, &change), STILE_INVALID);
    cr_assert_eq(put(w, "a", "a", 10), STILE_INVALID);
    memset(text, 'x', STILE_STORE_TEXT_MAX + 1);
    change = change_of(NULL, "a", 10);
    change.step.class = (struct stile_str){text, STILE_STORE_TEXT_MAX + 1};
    cr_assert_eq(OPS(w)->rules_put(w->store, &change), STILE_LIMIT);
    change.step.class.len--;
    cr_assert_eq(OPS(w)->rules_put(w->store, &change), STILE_OK);
}

static enum stile_status approve(struct world *w, const char *subject,
                                 const char *officer, stile_time at)
{
    struct stile_str entry = S("{\"approved\":1}");
    struct stile_rules_approval approval = {.subject = stile_str_cstr(subject),
                                            .officer = stile_str_cstr(officer),
                                            .because = S("looked at"),
                                            .at = at};

    memset(approval.signature, (int)at, sizeof approval.signature);
    return OPS(w)->rules_approve(w->store, &approval, &entry, 1);
}

static struct stile_rules_approval *approvals(struct world *w,
                                              size_t *ret_count)
{
    struct stile_rules_approval *list = NULL;

    cr_assert_eq(OPS(w)->rules_approvals(w->store, w->arena, &list, ret_count),
                 STILE_OK);
    return list;
}

CONTRACT(rules, approvals_wait_until_a_set_comes_in_force)
{
    struct stile_rules_approval *list;
    size_t count;

    cr_assert_null(approvals(w, &count));
    cr_assert_eq(approve(w, "s", "dpo-1", 4), STILE_OK);
    cr_assert_eq(approve(w, "s", "cg-1", 5), STILE_OK);
    cr_assert_eq(approve(w, "s", "dpo-1", 6), STILE_OK);
    world_reopen(w);
    list = approvals(w, &count);
    cr_assert_eq(count, 2, "one an officer");
    cr_text(list[0].officer, "cg-1");
    cr_text(list[1].officer, "dpo-1");
    cr_assert_eq(list[1].at, 6);
    cr_assert_eq(list[1].signature[63], 6);
    cr_text(list[1].because, "looked at");
    cr_assert_eq(count_all(w).entries, 3);
    cr_assert_eq(put(w, NULL, "a", 10), STILE_OK);
    (void)approvals(w, &count);
    cr_assert_eq(count, 0);
    cr_assert_eq(approve(w, "", "cg-1", 7), STILE_INVALID);
    cr_assert_eq(approve(w, "s", "", 7), STILE_INVALID);
}

/* The step, the files and the entry stand or fall together. */
CONTRACT(rules, a_put_that_fails_changes_nothing)
{
    size_t count;

    if (!stile_str_eqc(stile_str_cstr(OPS(w)->name), "flaky")) {
        return;
    }
    cr_assert_eq(put(w, NULL, "a", 10), STILE_OK);
    flaky_plan(w->store, 1, false);
    cr_assert_eq(put(w, "a", "b", 11), STILE_IO);
    (void)steps(w, 10, &count);
    cr_assert_eq(count, 1);
    flaky_plan(w->store, 1, true);
    cr_assert_eq(put(w, "a", "b", 11), STILE_UNCERTAIN);
    (void)steps(w, 10, &count);
    cr_assert_eq(count, 2);
    cr_assert_eq(count_all(w).entries, 2);
}
