#include "store_world.h"

/* ---- lanes and order ---- */

CONTRACT(lanes, one_at_a_time_in_order)
{
    int64_t id = 0;
    int64_t other = 0;

    queue_row(w, "a1", "p", "A", 10);
    queue_row(w, "a2", "p", "A", 5); /* due earlier, but behind a1 */
    queue_row(w, "b1", "p", "B", 7);
    cr_assert_str_eq(claim_key(w, "p", 20, &other), "b1");
    cr_assert_str_eq(claim_key(w, "p", 20, &id), "a1");
    cr_assert_null(claim_key(w, "p", 20, &other), "a lane has one in flight");
    cr_assert_eq(settle_row(w, id, STILE_ROW_DEFERRED, 100), STILE_OK);
    cr_assert_null(claim_key(w, "p", 20, &other), "a1 waits, a2 behind it");
    cr_assert_str_eq(claim_key(w, "p", 100, &id), "a1");
    cr_assert_eq(settle_row(w, id, STILE_ROW_DONE, 0), STILE_OK);
    cr_assert_str_eq(claim_key(w, "p", 100, &id), "a2");
}

CONTRACT(lanes, stand_still_behind_a_parked_row)
{
    int64_t id = 0;
    int64_t other = 0;
    uint64_t moved = 0;

    queue_row(w, "a1", "p", "A", 1);
    queue_row(w, "a2", "p", "A", 1);
    cr_assert_str_eq(claim_key(w, "p", 1, &id), "a1");
    cr_assert_eq(settle_row(w, id, STILE_ROW_PARKED, 0), STILE_OK);
    cr_assert_null(claim_key(w, "p", 1000, &other));
    cr_assert_eq(OPS(w)->retry(w->store, id, 2000, NULL, 0, &moved), STILE_OK);
    cr_assert_eq(moved, 1);
    cr_assert_str_eq(claim_key(w, "p", 2000, &other), "a1");
    cr_assert_eq(other, id);
    cr_assert_eq(find_row(w, "a1").queued_at, 2000, "its age begins anew");
}

CONTRACT(lanes, withdrawing_goes_on_with_the_next)
{
    struct stile_str entry = S("{\"who\":\"officer\"}");
    int64_t id = 0;

    queue_row(w, "a1", "p", "A", 1);
    queue_row(w, "a2", "p", "A", 1);
    queue_row(w, "a3", "p", "A", 1);
    cr_assert_str_eq(claim_key(w, "p", 1, &id), "a1");
    cr_assert_eq(OPS(w)->withdraw(w->store, id, 5, S("wrong"), &entry, 1),
                 STILE_CONFLICT, "it is on the wire");
    cr_assert_eq(settle_row(w, id, STILE_ROW_PARKED, 0), STILE_OK);
    cr_assert_eq(OPS(w)->withdraw(w->store, find_row(w, "a2").id, 5,
                                  S("not this one"), &entry, 1),
                 STILE_OK, "from the middle");
    cr_assert_eq(OPS(w)->withdraw(w->store, id, 5, S("given up"), &entry, 1),
                 STILE_OK);
    cr_assert_eq(find_row(w, "a1").state, STILE_ROW_WITHDRAWN);
    cr_text(find_row(w, "a1").reason, "given up");
    cr_assert_eq(count_all(w).entries, 2);
    cr_assert_str_eq(claim_key(w, "p", 5, &id), "a3");
    cr_assert_eq(OPS(w)->withdraw(w->store, 4711, 5, S("x"), NULL, 0),
                 STILE_NOT_FOUND);
    cr_assert_eq(
        OPS(w)->withdraw(w->store, find_row(w, "a1").id, 5, S("x"), NULL, 0),
        STILE_CONFLICT, "it is final");
}

CONTRACT(lanes, empty_lane_is_no_lane)
{
    size_t count = 0;

    queue_row(w, "a", "p", "", 1);
    queue_row(w, "b", "p", "", 1);
    claim_rows(w, "p", 9, 1, &count);
    cr_assert_eq(count, 2);
}

/* A lane's rows may arrive in one accept. */
CONTRACT(lanes, within_one_accept)
{
    struct stile_outbox_new rows[] = {new_row(w, "a1", "p", "A", 1),
                                      new_row(w, "a2", "p", "A", 1)};
    struct stile_accept accept = {.now = 1, .rows = rows, .row_count = 2};
    size_t count = 0;
    struct stile_outbox_row *got;

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    got = claim_rows(w, "p", 9, 1, &count);
    cr_assert_eq(count, 1);
    cr_text(got[0].what.key, "a1");
}

/* ---- claim ---- */

CONTRACT(claim, windows_of_partners)
{
    struct stile_partner_claim claims[] = {
        {S("p"), 2}, {S("q"), 5}, {S("r"), 0}};
    struct stile_outbox_row *rows = NULL;
    size_t count = 0;
    static const char *const keys[] = {"p3", "p1", "p2", "q1"};
    static const stile_time dues[] = {30, 10, 20, 40};

    for (size_t i = 0; i < 4; i++) {
        queue_row(w, keys[i], i < 3 ? "p" : "q", "", dues[i]);
    }
    queue_row(w, "r1", "r", "", 1);
    queue_row(w, "later", "q", "", 101);
    cr_assert_eq(
        OPS(w)->claim(w->store, 100, claims, 3, w->arena, &rows, &count),
        STILE_OK);
    cr_assert_eq(count, 3);
    cr_text(rows[0].what.key, "p1");
    cr_text(rows[1].what.key, "p2");
    cr_text(rows[2].what.key, "q1");
    cr_assert_eq(rows[0].state, STILE_ROW_SENDING);
    cr_assert_eq(rows[0].attempts, 1);
    cr_assert_eq(count_all(w).rows[STILE_ROW_SENDING], 3);
    cr_assert_eq(count_all(w).rows[STILE_ROW_QUEUED], 3);
}

CONTRACT(claim, gives_the_whole_row)
{
    struct stile_kept_message message = {S("m"), S("9990000018"), S("pivot")};
    struct stile_outbox_new row = new_row(w, "k", "p", "lane", 7);
    struct stile_accept accept = {.now = 5,
                                  .messages = &message,
                                  .message_count = 1,
                                  .rows = &row,
                                  .row_count = 1};
    struct stile_outbox_row *got;
    size_t count = 0;

    row.message_id = S("m");
    row.epoch = 41;
    stile_sha256(S("rules"), &row.rules);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    world_reopen(w);
    got = claim_rows(w, "p", 1, 7, &count);
    cr_assert_eq(count, 1);
    cr_text(got->what.route, "ward-to-charity");
    cr_text(got->what.partner, "p");
    cr_text(got->what.format, "fhir");
    cr_text(got->what.media_type, "application/fhir+json");
    cr_text(got->what.lane, "lane");
    cr_text(got->what.key, "k");
    cr_text(got->what.body, "body of k");
    cr_text(got->what.message_id, "m");
    cr_text(got->person, "9990000018");
    cr_assert_eq(got->what.epoch, 41);
    cr_assert(stile_digest_eq(&got->what.rules, &row.rules));
    cr_assert_eq(got->queued_at, 5);
    cr_assert_eq(got->due, 7);
}

CONTRACT(claim, nothing_due)
{
    struct stile_outbox_row *rows = (struct stile_outbox_row *)w;
    struct stile_partner_claim claim = {S("p"), 5};
    size_t count = 9;

    queue_row(w, "a", "p", "", 50);
    cr_assert_eq(
        OPS(w)->claim(w->store, 49, &claim, 1, w->arena, &rows, &count),
        STILE_OK);
    cr_assert_eq(count, 0);
    cr_assert_null(rows);
}

CONTRACT(claim, too_small_an_arena_claims_nothing)
{
    struct stile_partner_claim claim = {S("p"), 5};
    struct stile_arena *small = stile_arena_new(64);
    struct stile_outbox_row *rows = NULL;
    size_t count = 0;

    queue_row(w, "a", "p", "", 1);
    cr_assert_eq(OPS(w)->claim(w->store, 1, &claim, 1, small, &rows, &count),
                 STILE_NOMEM);
    stile_arena_free(&small);
    cr_assert_eq(count_all(w).rows[STILE_ROW_QUEUED], 1);
}

/* ---- settle ---- */

/* Every pair of states: what the table allows is done, all else refused. */
CONTRACT(settle, follows_the_table)
{
    for (unsigned to = 0; to < STILE_ROW_COUNT; to++) {
        enum stile_row_state state = (enum stile_row_state)to;
        const char *key = stile_row_state_text(state);
        bool may = stile_row_may(STILE_ROW_SENDING, state);
        int64_t id = 0;

        queue_row(w, key, "p", "", 1);
        cr_assert_str_eq(claim_key(w, "p", 1, &id), key);
        cr_assert_eq(settle_row(w, id, state, 1000000),
                     may ? STILE_OK : STILE_CONFLICT, "%s", key);
        cr_assert_eq(find_row(w, key).state, may ? state : STILE_ROW_SENDING);
        if (may) {
            cr_assert_eq(settle_row(w, id, STILE_ROW_DONE, 1), STILE_CONFLICT,
                         "%s is not sending", key);
            cr_text(find_row(w, key).reason, "why");
        }
    }
    cr_assert_eq(settle_row(w, 4711, STILE_ROW_DONE, 1), STILE_NOT_FOUND);
}

CONTRACT(settle, is_all_or_nothing)
{
    struct stile_str entry = S("{\"sent\":1}");
    struct stile_settle both[2] = {{.state = STILE_ROW_DONE,
                                    .reason = S("201"),
                                    .entries = &entry,
                                    .entry_count = 1},
                                   {.id = 4711, .state = STILE_ROW_DONE}};
    struct stile_counts before;

    queue_row(w, "a", "p", "", 1);
    cr_assert_not_null(claim_key(w, "p", 1, &both[0].id));
    before = count_all(w);
    cr_assert_eq(OPS(w)->settle(w->store, both, 2), STILE_NOT_FOUND);
    cr_assert_eq(find_row(w, "a").state, STILE_ROW_SENDING);
    cr_assert_eq(count_all(w).entries, before.entries);
    cr_assert_eq(OPS(w)->settle(w->store, both, 1), STILE_OK);
    cr_assert_eq(find_row(w, "a").state, STILE_ROW_DONE);
    cr_assert_eq(count_all(w).entries, before.entries + 1);
}

CONTRACT(settle, decided_again)
{
    struct stile_settle again = {.state = STILE_ROW_DEFERRED,
                                 .due = 5,
                                 .body = S("less"),
                                 .epoch = 8,
                                 .redecided = true,
                                 .key = S("k2")};
    struct stile_outbox_row *rows;
    size_t count = 0;

    stile_sha256(S("new rules"), &again.rules);
    queue_row(w, "other", "q", "", 1);
    queue_row(w, "k", "p", "", 1);
    cr_assert_not_null(claim_key(w, "p", 1, &again.id));
    again.key = S("other");
    cr_assert_eq(OPS(w)->settle(w->store, &again, 1), STILE_CONFLICT);
    again.key = S("k2");
    cr_assert_eq(OPS(w)->settle(w->store, &again, 1), STILE_OK);
    rows = claim_rows(w, "p", 1, 5, &count);
    cr_assert_eq(count, 1);
    cr_text(rows[0].what.body, "less");
    cr_text(rows[0].what.key, "k2");
    cr_assert_eq(rows[0].what.epoch, 8);
    cr_assert(stile_digest_eq(&rows[0].what.rules, &again.rules));
    cr_assert_eq(rows[0].attempts, 2);
    again.body = S("");
    again.key = S("");
    again.epoch = 9;
    cr_assert_eq(OPS(w)->settle(w->store, &again, 1), STILE_OK);
    rows = claim_rows(w, "p", 1, 5, &count);
    cr_text(rows[0].what.body, "less");
    cr_text(rows[0].what.key, "k2");
    cr_assert_eq(rows[0].what.epoch, 9);
}

/* Not redecided: body and epoch given are not meant. */
CONTRACT(settle, without_decision_keeps_the_body)
{
    struct stile_settle settle = {
        .state = STILE_ROW_UNKNOWN, .body = S("stray"), .epoch = 99};
    struct stile_outbox_row *rows;
    size_t count = 0;

    queue_row(w, "k", "p", "", 1);
    cr_assert_not_null(claim_key(w, "p", 1, &settle.id));
    cr_assert_eq(OPS(w)->settle(w->store, &settle, 1), STILE_OK);
    rows = claim_rows(w, "p", 1, 1, &count);
    cr_text(rows[0].what.body, "body of k");
    cr_assert_eq(rows[0].what.epoch, 0);
}

/* ---- recover, retry, list ---- */

CONTRACT(recover, sending_becomes_unknown)
{
    uint64_t moved = 0;
    int64_t id = 0;

    queue_row(w, "a", "p", "A", 1);
    queue_row(w, "b", "p", "A", 1);
    cr_assert_not_null(claim_key(w, "p", 1, &id));
    world_reopen(w);
    cr_assert_eq(OPS(w)->recover(w->store, 500, &moved), STILE_OK);
    cr_assert_eq(moved, 1);
    cr_assert_eq(find_row(w, "a").state, STILE_ROW_UNKNOWN);
    cr_assert_eq(find_row(w, "a").due, 500);
    cr_assert_str_eq(claim_key(w, "p", 500, &id), "a");
    cr_assert_eq(find_row(w, "a").attempts, 2);
    cr_assert_eq(OPS(w)->recover(w->store, 600, &moved), STILE_OK);
    cr_assert_eq(moved, 1);
    cr_assert_eq(OPS(w)->recover(w->store, 600, &moved), STILE_OK);
    cr_assert_eq(moved, 0);
}

CONTRACT(retry, all_that_wait)
{
    static const enum stile_row_state states[] = {
        STILE_ROW_DEFERRED, STILE_ROW_UNKNOWN, STILE_ROW_PARKED,
        STILE_ROW_DONE};
    uint64_t moved = 0;
    size_t count = 0;
    int64_t id = 0;

    for (size_t i = 0; i < 4; i++) {
        queue_row(w, stile_row_state_text(states[i]), "p", "", 1);
        cr_assert_not_null(claim_key(w, "p", 1, &id));
        cr_assert_eq(settle_row(w, id, states[i], 9000), STILE_OK);
    }
    claim_rows(w, "p", 9, 100, &count);
    cr_assert_eq(count, 0);
    cr_assert_eq(OPS(w)->retry(w->store, id, 100, NULL, 0, &moved), STILE_OK);
    cr_assert_eq(moved, 0, "done is done");
    cr_assert_eq(OPS(w)->retry(w->store, 4711, 100, NULL, 0, &moved),
                 STILE_NOT_FOUND);
    cr_assert_eq(OPS(w)->retry(w->store, 0, 100, NULL, 0, &moved), STILE_OK);
    cr_assert_eq(moved, 3);
    claim_rows(w, "p", 9, 100, &count);
    cr_assert_eq(count, 3);
}

CONTRACT(list, waiting_first_and_no_bodies)
{
    struct stile_outbox_row *rows = NULL;
    size_t count = 0;
    int64_t id = 0;
    static const char *const keys[] = {"a", "b", "c", "d"};
    static const char *const wanted[] = {"c", "d", "b", "a"};

    for (size_t i = 0; i < 4; i++) {
        queue_row(w, keys[i], "p", "", (stile_time)i);
    }
    for (size_t i = 0; i < 2; i++) {
        cr_assert_str_eq(claim_key(w, "p", 9, &id), keys[i]);
        cr_assert_eq(settle_row(w, id, STILE_ROW_DONE, 9), STILE_OK);
    }
    cr_assert_eq(OPS(w)->list(w->store, 99, w->arena, &rows, &count), STILE_OK);
    cr_assert_eq(count, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_text(rows[i].what.key, wanted[i]);
        cr_assert_eq(rows[i].what.body.len, 0);
    }
    cr_assert_eq(OPS(w)->list(w->store, 3, w->arena, &rows, &count), STILE_OK);
    cr_assert_eq(count, 3);
    cr_assert_eq(OPS(w)->list(w->store, 0, w->arena, &rows, &count), STILE_OK);
    cr_assert_eq(count, 0);
}

CONTRACT(counts, by_state_over_a_reopen)
{
    struct stile_counts counts;
    int64_t id = 0;

    cr_assert_eq(count_all(w).oldest_due, 0);
    queue_row(w, "a", "p", "", 10);
    queue_row(w, "b", "p", "", 20);
    queue_row(w, "c", "p", "", 30);
    cr_assert_str_eq(claim_key(w, "p", 30, &id), "a");
    cr_assert_eq(settle_row(w, id, STILE_ROW_PARKED, 0), STILE_OK);
    cr_assert_str_eq(claim_key(w, "p", 30, &id), "b");
    world_reopen(w);
    counts = count_all(w);
    cr_assert_eq(counts.rows[STILE_ROW_PARKED], 1);
    cr_assert_eq(counts.rows[STILE_ROW_SENDING], 1);
    cr_assert_eq(counts.rows[STILE_ROW_QUEUED], 1);
    cr_assert_eq(counts.oldest_due, 20, "a parked row is not late");
}
