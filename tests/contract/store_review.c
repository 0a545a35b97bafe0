#include "store_world.h"

/* One review of person 9990000018 on the route "to-charity", of two items,
 * with its kept message "m/<n>". */
static struct stile_review_item items[] = {
    {.type = STILE_STR("Patient"),
     .id = STILE_STR("p"),
     .data = STILE_STR("name, phone"),
     .rules = STILE_STR("CHI-1")},
    {.type = STILE_STR("ServiceRequest"),
     .id = STILE_STR("r"),
     .data = STILE_STR("referral"),
     .rules = STILE_STR("CHI-1, NAT-UNABLE")}};

static struct stile_review_new new_review(struct stile_str message)
{
    stile_sha256(S("patient"), &items[0].digest);
    stile_sha256(S("referral"), &items[1].digest);
    return (struct stile_review_new){.route = S("to-charity"),
                                     .partner = S("charity"),
                                     .person = S("9990000018"),
                                     .message_id = message,
                                     .items = items,
                                     .item_count = 2};
}

static void put_review(struct world *w, const char *message, stile_time now)
{
    struct stile_kept_message kept = {stile_str_cstr(message), S("9990000018"),
                                      S("pivot")};
    struct stile_review_new review = new_review(kept.id);
    struct stile_str entry = S("{\"type\":\"denial\"}");
    struct stile_accept accept = {.now = now,
                                  .messages = &kept,
                                  .message_count = 1,
                                  .reviews = &review,
                                  .review_count = 1,
                                  .entries = &entry,
                                  .entry_count = 1};

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
}

static struct stile_review get(struct world *w, int64_t id)
{
    struct stile_review *reviews = NULL;
    size_t count = 0;

    cr_assert_eq(OPS(w)->reviews(w->store, id, 9, w->arena, &reviews, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    return reviews[0];
}

static bool is_kept(struct world *w, const char *message)
{
    struct stile_str body;
    enum stile_status status =
        OPS(w)->message(w->store, stile_str_cstr(message), w->arena, &body);

    cr_assert(status == STILE_OK || status == STILE_NOT_FOUND);
    return status == STILE_OK;
}

static const uint32_t both[] = {1, 2};
static const struct stile_str said = STILE_STR("{\"type\":\"released\"}");

static struct stile_review_settle word_of(enum stile_review_word word)
{
    return (struct stile_review_settle){.id = 1,
                                        .now = 50,
                                        .state = word == STILE_REVIEW_RELEASE
                                                     ? STILE_REVIEW_RELEASED
                                                     : STILE_REVIEW_REFUSED,
                                        .reason = S("why"),
                                        .act = S("{}"),
                                        .items = both,
                                        .item_count = 2,
                                        .word = word,
                                        .entries = &said,
                                        .entry_count = 1};
}

CONTRACT(review, waits_with_all_that_was_said)
{
    struct stile_review review;

    put_review(w, "m/1", 10);
    world_reopen(w);
    review = get(w, 1);
    cr_assert_eq(review.state, STILE_REVIEW_WAITING);
    cr_text(review.route, "to-charity");
    cr_text(review.partner, "charity");
    cr_text(review.person, "9990000018");
    cr_text(review.message_id, "m/1");
    cr_assert_eq(review.since, 10);
    cr_assert_eq(review.item_count, 2);
    cr_text(review.items[1].type, "ServiceRequest");
    cr_text(review.items[1].id, "r");
    cr_text(review.items[1].data, "referral");
    cr_text(review.items[1].rules, "CHI-1, NAT-UNABLE");
    cr_assert_eq(review.items[1].n, 2);
    cr_assert(review.items[1].waits && !review.items[1].changed);
    cr_assert(stile_digest_eq(&review.items[1].digest, &items[1].digest));
    cr_assert_eq(count_all(w).reviews, 1);
    cr_assert_eq(count_all(w).oldest_review, 10);
    cr_assert_eq(count_all(w).entries, 1);
    cr_assert(is_kept(w, "m/1"));
}

CONTRACT(review, of_no_message_or_item_is_none)
{
    struct stile_review_new review = new_review(S("nowhere"));
    struct stile_accept accept = {.reviews = &review, .review_count = 1};

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    review.message_id = S("");
    review.item_count = 0;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    review.item_count = STILE_STORE_ITEMS_MAX + 1;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_LIMIT);
    review.item_count = 2;
    review.feed = S("gp");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID, "whose feed?");
    cr_assert_eq(count_all(w).reviews, 0);
}

/* The row, the word, the end and the entry are one transaction. */
CONTRACT(review, a_release_queues_its_row)
{
    struct stile_outbox_new row = new_row(w, "k", "charity", "lane", 50);
    struct stile_review_settle settle = word_of(STILE_REVIEW_RELEASE);
    struct stile_review_item *known = NULL;
    size_t count = 0;
    int64_t id = 0;

    put_review(w, "m/1", 10);
    row.message_id = S("m/1");
    settle.row = &row;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK);
    world_reopen(w);
    cr_assert_eq(get(w, 1).state, STILE_REVIEW_RELEASED);
    cr_assert_eq(get(w, 1).ended, 50);
    cr_text(get(w, 1).reason, "why");
    cr_text(get(w, 1).act, "{}");
    cr_assert_eq(count_all(w).reviews, 0);
    cr_assert_eq(count_all(w).oldest_review, 0);
    cr_assert_eq(count_all(w).entries, 2);
    cr_assert_eq(
        OPS(w)->reviewed(w->store, S("9990000018"), w->arena, &known, &count),
        STILE_OK);
    cr_assert_eq(count, 2);
    cr_assert_eq(known[0].word, STILE_REVIEW_RELEASE);
    cr_assert_not(known[0].waits);
    cr_text(known[0].route, "to-charity");
    cr_assert(is_kept(w, "m/1"), "the row needs it still");
    cr_assert_str_eq(claim_key(w, "charity", 50, &id), "k");
    cr_assert_eq(settle_row(w, id, STILE_ROW_DONE, 0), STILE_OK);
    cr_assert_not(is_kept(w, "m/1"));
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_CONFLICT,
                 "a second time");
    cr_assert_eq(count_all(w).rows[STILE_ROW_DONE], 1);
    cr_assert_eq(count_all(w).entries, 2);
}

CONTRACT(review, a_release_that_fails_changes_nothing)
{
    struct stile_outbox_new row = new_row(w, "k", "charity", "lane", 50);
    struct stile_review_settle settle = word_of(STILE_REVIEW_RELEASE);
    uint32_t none = 3;

    put_review(w, "m/1", 10);
    settle.row = &row;
    row.message_id = S("m/2");
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_INVALID,
                 "another message");
    row.message_id = S("m/1");
    queue_row(w, "k", "charity", "other", 1);
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_CONFLICT,
                 "the key is taken");
    settle.row = NULL;
    settle.items = &none;
    settle.item_count = 1;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_INVALID);
    settle = word_of(STILE_REVIEW_RELEASE);
    settle.entry_count = 0;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_INVALID,
                 "no act without its entry");
    settle = word_of(STILE_REVIEW_RELEASE);
    settle.id = 7;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_NOT_FOUND);
    cr_assert_eq(get(w, 1).state, STILE_REVIEW_WAITING);
    cr_assert_eq(get(w, 1).items[0].word, STILE_REVIEW_NO_WORD);
    cr_assert_eq(count_all(w).entries, 1);
}

CONTRACT(review, a_word_on_a_part_leaves_the_rest_waiting)
{
    struct stile_review_settle settle = word_of(STILE_REVIEW_RELEASE);

    put_review(w, "m/1", 10);
    settle.state = STILE_REVIEW_WAITING;
    settle.item_count = 1;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK);
    cr_assert_eq(get(w, 1).state, STILE_REVIEW_WAITING);
    cr_assert_eq(get(w, 1).items[0].word, STILE_REVIEW_RELEASE);
    cr_assert_eq(get(w, 1).items[1].word, STILE_REVIEW_NO_WORD);
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_CONFLICT,
                 "it has a word already");
    settle = word_of(STILE_REVIEW_REFUSE);
    settle.items = &both[1];
    settle.item_count = 1;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK);
    cr_assert_eq(get(w, 1).state, STILE_REVIEW_REFUSED);
    cr_assert_eq(get(w, 1).items[0].word, STILE_REVIEW_RELEASE);
    cr_assert_eq(get(w, 1).items[1].word, STILE_REVIEW_REFUSE);
    cr_assert_not(is_kept(w, "m/1"));
}

CONTRACT(review, a_newer_version_bars_the_release)
{
    struct stile_review_seen seen[2] = {
        {S("to-charity"), S("9990000018"), S("Patient"), S("p"), {{0}}},
        {S("to-other"), S("9990000018"), S("ServiceRequest"), S("r"), {{0}}}};
    struct stile_accept accept = {.review_seen = seen, .review_seen_count = 2};
    struct stile_review_settle settle = word_of(STILE_REVIEW_RELEASE);

    put_review(w, "m/1", 10);
    stile_sha256(S("patient"), &seen[0].digest);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_not(get(w, 1).items[0].changed, "the same as before");
    cr_assert_not(get(w, 1).items[1].changed, "another route's");
    stile_sha256(S("another patient"), &seen[0].digest);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert(get(w, 1).items[0].changed);
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_CONFLICT);
    settle.state = STILE_REVIEW_WAITING;
    settle.items = &both[1];
    settle.item_count = 1;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK,
                 "the other has not changed");
    settle = word_of(STILE_REVIEW_REFUSE);
    settle.item_count = 1;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK,
                 "to refuse is always safe");
}

CONTRACT(review, of_an_export_marks_the_person_dirty)
{
    struct stile_review_new review = new_review(S(""));
    struct stile_accept accept = {
        .now = 10, .reviews = &review, .review_count = 1};
    struct stile_review_settle settle = word_of(STILE_REVIEW_RELEASE);
    struct stile_str *persons = NULL;
    uint64_t *marks = NULL;
    size_t count = 0;

    review.feed = S("gp");
    review.feed_person = S("guid");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK);
    cr_assert_eq(
        OPS(w)->dirty(w->store, S("gp"), 9, w->arena, &persons, &marks, &count),
        STILE_OK);
    cr_assert_eq(count, 1);
    cr_text(persons[0], "guid");
    cr_assert_eq(count_all(w).dirty, 1);
}

CONTRACT(review, what_moved_on_lapses_and_what_ended_stays)
{
    struct stile_review_end end = {1, S("the record has changed")};
    struct stile_accept accept = {
        .now = 20, .review_ends = &end, .review_end_count = 1};
    struct stile_review_settle settle = word_of(STILE_REVIEW_REFUSE);

    put_review(w, "m/1", 10);
    put_review(w, "m/2", 11);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(get(w, 1).state, STILE_REVIEW_LAPSED);
    cr_assert_eq(get(w, 1).ended, 20);
    cr_text(get(w, 1).reason, "the record has changed");
    cr_assert_not(is_kept(w, "m/1"));
    settle.id = 2;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK);
    end.id = 2;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(get(w, 2).state, STILE_REVIEW_REFUSED);
    end.id = 99;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
}

CONTRACT(review, by_its_time_it_lapses_with_an_entry)
{
    struct stile_review_settle lapse = {.id = 1,
                                        .now = 99,
                                        .state = STILE_REVIEW_LAPSED,
                                        .reason = S("nobody decided"),
                                        .entries = &said,
                                        .entry_count = 1};

    put_review(w, "m/1", 10);
    cr_assert_eq(OPS(w)->review_settle(w->store, &lapse), STILE_OK);
    cr_assert_eq(get(w, 1).state, STILE_REVIEW_LAPSED);
    cr_assert_eq(count_all(w).entries, 2);
    cr_assert_eq(OPS(w)->review_settle(w->store, &lapse), STILE_CONFLICT);
}

CONTRACT(review, lists_the_longest_waiting_first)
{
    struct stile_review_settle refuse = word_of(STILE_REVIEW_REFUSE);
    struct stile_review *reviews = NULL;
    size_t count = 0;
    static const int64_t wanted[] = {4, 3, 2, 1};

    put_review(w, "m/1", 40);
    put_review(w, "m/2", 30);
    put_review(w, "m/3", 20);
    put_review(w, "m/4", 10);
    cr_assert_eq(OPS(w)->review_settle(w->store, &refuse), STILE_OK);
    refuse.id = 2;
    refuse.now = 60;
    cr_assert_eq(OPS(w)->review_settle(w->store, &refuse), STILE_OK);
    cr_assert_eq(OPS(w)->reviews(w->store, 0, 9, w->arena, &reviews, &count),
                 STILE_OK);
    cr_assert_eq(count, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(reviews[i].id, wanted[i]);
        cr_assert_eq(reviews[i].item_count, 2);
    }
    cr_assert_eq(OPS(w)->reviews(w->store, 0, 3, w->arena, &reviews, &count),
                 STILE_OK);
    cr_assert_eq(count, 3);
    cr_assert_eq(OPS(w)->reviews(w->store, 5, 3, w->arena, &reviews, &count),
                 STILE_NOT_FOUND);
    cr_assert_eq(count_all(w).oldest_review, 10);
}

/* Swept past its time, unless a row needs it or an export's word stands. */
CONTRACT(review, sweeps_what_is_over)
{
    struct stile_review_new review = new_review(S(""));
    struct stile_accept accept = {
        .now = 10, .reviews = &review, .review_count = 1};
    struct stile_review_settle settle = word_of(STILE_REVIEW_RELEASE);
    struct stile_outbox_new row = new_row(w, "k", "charity", "lane", 50);
    struct stile_sweep sweep = {.reviews_before = 50, .most = 9};
    uint64_t gone = 9;
    int64_t id = 0;

    review.feed = S("gp");
    review.feed_person = S("guid");
    put_review(w, "m/1", 10);
    put_review(w, "m/2", 10);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    row.message_id = S("m/1");
    settle.row = &row;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK);
    settle.row = NULL;
    settle.id = 3;
    cr_assert_eq(OPS(w)->review_settle(w->store, &settle), STILE_OK);
    cr_assert_eq(OPS(w)->sweep(w->store, &sweep, &gone), STILE_OK);
    cr_assert_eq(gone, 0, "at its time");
    sweep.reviews_before = 51;
    cr_assert_eq(OPS(w)->sweep(w->store, &sweep, &gone), STILE_OK);
    cr_assert_eq(gone, 0, "1's row is not done, 2 waits, 3's word stands");
    cr_assert_not_null(claim_key(w, "charity", 50, &id));
    cr_assert_eq(settle_row(w, id, STILE_ROW_DONE, 0), STILE_OK);
    cr_assert_eq(OPS(w)->sweep(w->store, &sweep, &gone), STILE_OK);
    cr_assert_eq(gone, 1);
    cr_assert_eq(get(w, 2).state, STILE_REVIEW_WAITING);
    cr_assert_eq(get(w, 3).state, STILE_REVIEW_RELEASED);
}

/* Decided again, a row's message waits instead: it is kept for the review. */
CONTRACT(review, of_a_message_that_a_row_keeps)
{
    struct stile_kept_message kept = {S("m/9"), S("9990000018"), S("pivot")};
    struct stile_outbox_new row = new_row(w, "k", "charity", "lane", 1);
    struct stile_accept queued = {.now = 1,
                                  .messages = &kept,
                                  .message_count = 1,
                                  .rows = &row,
                                  .row_count = 1};
    struct stile_review_new review = new_review(S("m/9"));
    struct stile_accept asked = {.now = 2,
                                 .reviews = &review,
                                 .review_count = 1,
                                 .entries = &said,
                                 .entry_count = 1};
    struct stile_review_settle refuse = word_of(STILE_REVIEW_REFUSE);
    int64_t id = 0;

    row.message_id = S("m/9");
    cr_assert_eq(accept_one(w, &queued, NULL), STILE_OK);
    cr_assert_not_null(claim_key(w, "charity", 1, &id));
    cr_assert_eq(accept_one(w, &asked, NULL), STILE_OK);
    cr_assert_eq(settle_row(w, id, STILE_ROW_WITHDRAWN, 0), STILE_OK);
    cr_assert(is_kept(w, "m/9"));
    cr_assert_eq(get(w, 1).state, STILE_REVIEW_WAITING);
    cr_assert_eq(OPS(w)->review_settle(w->store, &refuse), STILE_OK);
    cr_assert_not(is_kept(w, "m/9"));
}

CONTRACT(review, retry_says_who_asked)
{
    struct stile_str entry = S("{\"who\":\"officer\"}");
    uint64_t moved = 0;
    int64_t id = 0;

    queue_row(w, "a", "p", "", 1);
    cr_assert_not_null(claim_key(w, "p", 1, &id));
    cr_assert_eq(settle_row(w, id, STILE_ROW_PARKED, 0), STILE_OK);
    cr_assert_eq(OPS(w)->retry(w->store, id, 5, &entry, 1, &moved), STILE_OK);
    cr_assert_eq(moved, 1);
    cr_assert_eq(count_all(w).entries, 1);
    cr_assert_eq(OPS(w)->retry(w->store, 4711, 5, &entry, 1, &moved),
                 STILE_NOT_FOUND);
    cr_assert_eq(count_all(w).entries, 1, "nothing was done");
}
