#define _POSIX_C_SOURCE 200809L

#include "store_world.h"

#include <stdio.h>
#include <string.h>

static void log_entries(struct world *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stile_str entry =
            stile_arena_printf(w->arena, "{\"seq\":%zu}", i);
        struct stile_accept accept = {.entries = &entry, .entry_count = 1};

        cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    }
}

struct walk {
    struct stile_audit_verifier verifier;
    uint64_t next;
    uint64_t stop; /* END at this index */
    struct stile_arena *arena;
};

static enum stile_status replay(void *ctx, uint64_t index,
                                struct stile_str entry,
                                const struct stile_digest *hash)
{
    struct walk *walk = ctx;

    if (index == walk->stop) {
        return STILE_END;
    }
    cr_assert_eq(index, walk->next++);
    return stile_audit_verify_entry(&walk->verifier, entry, hash);
}

CONTRACT(audit, entries_replay_to_the_stored_tree)
{
    struct walk walk = {.stop = UINT64_MAX};
    struct stile_audit_tree head;
    struct stile_digest stored;
    struct stile_digest replayed;

    log_entries(w, 37);
    world_reopen(w);
    log_entries(w, 6);
    stile_audit_verify_init(&walk.verifier);
    cr_assert_eq(OPS(w)->audit_scan(w->store, 0, replay, &walk), STILE_OK);
    cr_assert_eq(walk.next, 43);
    cr_assert_eq(OPS(w)->audit_head(w->store, &head), STILE_OK);
    cr_assert_eq(head.size, 43);
    stile_audit_tree_root(&head, &stored);
    stile_audit_tree_root(&walk.verifier.tree, &replayed);
    cr_assert(stile_digest_eq(&stored, &replayed));
}

CONTRACT(audit, scan_from_the_middle_and_stop)
{
    struct walk walk = {.next = 5, .stop = 8};

    log_entries(w, 10);
    cr_assert_eq(OPS(w)->audit_scan(w->store, 5, replay, &walk), STILE_OK);
    cr_assert_eq(walk.next, 8);
    walk = (struct walk){.next = 10, .stop = UINT64_MAX};
    cr_assert_eq(OPS(w)->audit_scan(w->store, 10, replay, &walk), STILE_OK);
    cr_assert_eq(walk.next, 10);
}

/* Settling and withdrawing write entries in their transaction, in order. */
CONTRACT(audit, one_log_for_all_verbs)
{
    struct stile_str entries[] = {S("{\"a\":1}"), S("{\"a\":2}")};
    struct stile_settle settle = {
        .state = STILE_ROW_DONE, .entries = entries, .entry_count = 2};
    struct walk walk = {.stop = UINT64_MAX};

    log_entries(w, 1);
    queue_row(w, "k", "p", "", 1);
    cr_assert_not_null(claim_key(w, "p", 1, &settle.id));
    cr_assert_eq(OPS(w)->settle(w->store, &settle, 1), STILE_OK);
    stile_audit_verify_init(&walk.verifier);
    cr_assert_eq(OPS(w)->audit_scan(w->store, 0, replay, &walk), STILE_OK);
    cr_assert_eq(walk.next, 3);
    cr_assert_eq(count_all(w).entries, 3);
}

CONTRACT(checkpoint, grow_with_the_log)
{
    struct stile_str *notes = NULL;
    uint64_t *sizes = NULL;
    size_t count = 9;

    cr_assert_eq(
        OPS(w)->checkpoints(w->store, w->arena, &notes, &sizes, &count),
        STILE_OK);
    cr_assert_eq(count, 0);
    log_entries(w, 5);
    cr_assert_eq(OPS(w)->checkpoint_put(w->store, 6, S("n6"), 1),
                 STILE_INVALID);
    cr_assert_eq(OPS(w)->checkpoint_put(w->store, 3, S("n3"), 1), STILE_OK);
    cr_assert_eq(OPS(w)->checkpoint_put(w->store, 5, S("n5"), 1), STILE_OK);
    cr_assert_eq(OPS(w)->checkpoint_put(w->store, 5, S("again"), 1),
                 STILE_EXISTS);
    cr_assert_eq(OPS(w)->checkpoint_put(w->store, 4, S("n4"), 1),
                 STILE_CONFLICT);
    cr_assert_eq(OPS(w)->checkpoint_put(w->store, 5, S(""), 1), STILE_INVALID);
    world_reopen(w);
    cr_assert_eq(
        OPS(w)->checkpoints(w->store, w->arena, &notes, &sizes, &count),
        STILE_OK);
    cr_assert_eq(count, 2);
    cr_text(notes[0], "n3");
    cr_text(notes[1], "n5");
    cr_assert_eq(sizes[1], 5);
}

CONTRACT(salt, is_made_once)
{
    uint8_t first[32];
    uint8_t other[32];
    uint8_t got[32];

    memset(first, 1, sizeof first);
    memset(other, 2, sizeof other);
    cr_assert_eq(OPS(w)->salt(w->store, first, got), STILE_OK);
    cr_assert_eq(memcmp(got, first, 32), 0);
    world_reopen(w);
    cr_assert_eq(OPS(w)->salt(w->store, other, got), STILE_OK);
    cr_assert_eq(memcmp(got, first, 32), 0);
}

/* ---- flaky: a caller that repeats ends where a lucky one does ---- */

static enum stile_status run_until_done(struct world *w,
                                        const struct stile_accept *accept)
{
    struct stile_accepted got;
    enum stile_status status;

    do {
        status = OPS(w)->accept(w->store, accept, 1, w->arena, &got);
        cr_assert_eq(got.status == STILE_OK || got.status == STILE_EXISTS,
                     status == STILE_OK);
    } while (status != STILE_OK);
    return got.status;
}

Test(flaky, every_call_may_fall_before_or_after)
{
    for (unsigned nth = 0; nth <= 8; nth++) {
        struct world w;
        struct stile_outbox_new row;
        struct stile_str entry = S("{\"once\":true}");
        struct stile_accept accept;
        struct stile_counts counts;
        uint64_t moved = 0;
        int64_t id = 0;

        world_flaky(&w);
        flaky_plan(w.store, nth / 2, nth % 2 == 1);
        row = new_row(&w, "k", "p", "lane", 1);
        accept = (struct stile_accept){.now = 1,
                                       .source = S("s"),
                                       .key = S("k"),
                                       .rows = &row,
                                       .row_count = 1,
                                       .entries = &entry,
                                       .entry_count = 1};
        (void)run_until_done(&w, &accept);
        (void)run_until_done(&w, &accept);
        /* a claim that is not known to have worked: recover finds its row */
        {
            struct stile_partner_claim claim = {S("p"), 1};
            struct stile_outbox_row *rows = NULL;
            size_t count = 0;

            while (OPS(&w)->claim(w.store, 1, &claim, 1, w.arena, &rows,
                                  &count) != STILE_OK ||
                   count == 0) {
                while (OPS(&w)->recover(w.store, 1, &moved) != STILE_OK) {
                }
            }
            id = rows[0].id;
        }
        while (find_row(&w, "k").state == STILE_ROW_SENDING) {
            enum stile_status status = settle_row(&w, id, STILE_ROW_DONE, 1);

            cr_assert(status == STILE_OK || status == STILE_IO ||
                      status == STILE_UNCERTAIN);
        }
        counts = count_all(&w);
        cr_assert_eq(counts.rows[STILE_ROW_DONE], 1, "plan %u", nth);
        cr_assert_eq(counts.entries, 1, "plan %u", nth);
        world_end(&w);
    }
}
