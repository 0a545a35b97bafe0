#include "store_world.h"

#include <string.h>

static struct stile_digest digest_of(const char *text)
{
    struct stile_digest digest;

    stile_sha256(stile_str_cstr(text), &digest);
    return digest;
}

static struct stile_accept keyed(const char *source, const char *key,
                                 const char *content)
{
    return (struct stile_accept){.now = 100,
                                 .source = stile_str_cstr(source),
                                 .key = stile_str_cstr(key),
                                 .digest = digest_of(content),
                                 .answer_status = 202,
                                 .answer_body = S("taken")};
}

/* ---- dedupe ---- */

CONTRACT(dedupe, repeat_gets_the_stored_answer)
{
    struct stile_str entry = S("{\"n\":1}");
    struct stile_accept accept = keyed("charity", "k1", "one");
    struct stile_accepted got;

    accept.entries = &entry;
    accept.entry_count = 1;
    cr_assert_eq(accept_one(w, &accept, &got), STILE_OK);
    world_reopen(w);
    accept.answer_status = 500;
    accept.answer_body = S("another");
    cr_assert_eq(accept_one(w, &accept, &got), STILE_EXISTS);
    cr_assert_eq(got.answer_status, 202);
    cr_text(got.answer_body, "taken");
    cr_assert_eq(count_all(w).entries, 1, "a repeat wrote an entry");
}

CONTRACT(dedupe, same_key_other_content_conflicts)
{
    struct stile_accept accept = keyed("charity", "k1", "one");

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    accept.digest = digest_of("two");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_CONFLICT);
}

CONTRACT(dedupe, key_belongs_to_its_source)
{
    struct stile_accept one = keyed("charity", "k1", "one");
    struct stile_accept two = keyed("trust", "k1", "two");

    cr_assert_eq(accept_one(w, &one, NULL), STILE_OK);
    cr_assert_eq(accept_one(w, &two, NULL), STILE_OK);
}

CONTRACT(dedupe, without_source_nothing_is_remembered)
{
    struct stile_str entry = S("{}");
    struct stile_accept accept = {
        .now = 1, .entries = &entry, .entry_count = 1};

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(count_all(w).entries, 2);
}

CONTRACT(dedupe, repeat_within_a_group)
{
    struct stile_accept group[] = {keyed("a", "k", "x"), keyed("a", "k", "x"),
                                   keyed("a", "k", "y"), keyed("a", "l", "z")};
    struct stile_accepted got[4];

    cr_assert_eq(OPS(w)->accept(w->store, group, 4, w->arena, got), STILE_OK);
    cr_assert_eq(got[0].status, STILE_OK);
    cr_assert_eq(got[1].status, STILE_EXISTS);
    cr_text(got[1].answer_body, "taken");
    cr_assert_eq(got[2].status, STILE_CONFLICT);
    cr_assert_eq(got[3].status, STILE_OK);
}

/* A key with a NUL in it is not the key before the NUL. */
CONTRACT(dedupe, bytes_not_c_strings)
{
    struct stile_accept one = keyed("a", "k", "x");
    struct stile_accept two = one;

    two.key = (struct stile_str){"k\0l", 3};
    two.digest = digest_of("other");
    cr_assert_eq(accept_one(w, &one, NULL), STILE_OK);
    cr_assert_eq(accept_one(w, &two, NULL), STILE_OK);
    cr_assert_eq(accept_one(w, &two, NULL), STILE_EXISTS);
}

CONTRACT(dedupe, answer_that_does_not_fit_the_arena)
{
    struct stile_accept accept = keyed("a", "k", "x");
    struct stile_arena *small = stile_arena_new(1);
    struct stile_accepted got;

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(OPS(w)->accept(w->store, &accept, 1, small, &got), STILE_OK);
    cr_assert_eq(got.status, STILE_NOMEM);
    stile_arena_free(&small);
}

/* ---- one transaction ---- */

/* All parts of an accept, so that what stays of a refused one is seen. */
static void fill(struct world *w, struct stile_accept *accept, const char *key)
{
    struct stile_outbox_new *row = stile_arena_alloc(w->arena, sizeof *row);
    struct stile_kept_message *message =
        stile_arena_alloc(w->arena, sizeof *message);
    struct stile_str *entry = stile_arena_alloc(w->arena, sizeof *entry);
    struct stile_stored_fact *fact = stile_arena_alloc(w->arena, sizeof *fact);
    struct stile_sent_mark *sent = stile_arena_alloc(w->arena, sizeof *sent);
    struct stile_quarantine_new *q = stile_arena_alloc(w->arena, sizeof *q);

    *message =
        (struct stile_kept_message){stile_arena_printf(w->arena, "m-%s", key),
                                    S("9990000018"), S("{\"kept\":true}")};
    *row = new_row(w, key, "charity", "lane", 10);
    row->message_id = message->id;
    *entry = stile_arena_printf(w->arena, "{\"key\":\"%s\"}", key);
    *fact = (struct stile_stored_fact){
        S("9990000018"), S("consent"), S("VCS07"), S("form"), 2, 5, 0, 0};
    *sent = (struct stile_sent_mark){S("r"), S("9990000018"), S("Observation"),
                                     stile_str_cstr(key), digest_of(key)};
    *q = (struct stile_quarantine_new){S("feed"), S("file.csv"), 3,
                                       S("C101 at column Sex"), S("raw")};
    *accept = (struct stile_accept){.now = 10,
                                    .messages = message,
                                    .message_count = 1,
                                    .rows = row,
                                    .row_count = 1,
                                    .entries = entry,
                                    .entry_count = 1,
                                    .facts = fact,
                                    .fact_count = 1,
                                    .sent = sent,
                                    .sent_count = 1,
                                    .quarantine = q,
                                    .quarantine_count = 1};
}

static void cr_same_counts(struct stile_counts a, struct stile_counts b)
{
    cr_assert_eq(memcmp(&a, &b, sizeof a), 0, "the counts moved");
}

CONTRACT(atomic, all_parts_are_durable)
{
    struct stile_accept accept;
    struct stile_counts counts;
    struct stile_quarantine_new *q = NULL;
    struct stile_str body;
    size_t count = 0;

    fill(w, &accept, "k1");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    world_reopen(w);
    counts = count_all(w);
    cr_assert_eq(counts.rows[STILE_ROW_QUEUED], 1);
    cr_assert_eq(counts.entries, 1);
    cr_assert_eq(counts.facts, 1);
    cr_assert_eq(counts.messages, 1);
    cr_assert_eq(counts.quarantine, 1);
    cr_assert_eq(counts.epoch, 1);
    cr_assert_eq(counts.oldest_due, 10);
    cr_assert_eq(OPS(w)->message(w->store, S("m-k1"), w->arena, &body),
                 STILE_OK);
    cr_text(body, "{\"kept\":true}");
    cr_assert_eq(OPS(w)->quarantined(w->store, 9, w->arena, &q, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    cr_text(q[0].source, "feed");
    cr_text(q[0].name, "file.csv");
    cr_assert_eq(q[0].row, 3);
    cr_text(q[0].reason, "C101 at column Sex");
    cr_text(q[0].bytes, "raw");
}

CONTRACT(atomic, a_taken_row_key_leaves_nothing)
{
    struct stile_accept accept;
    struct stile_counts before;
    struct stile_audit_tree tree;
    struct stile_audit_tree after;

    queue_row(w, "taken", "charity", "lane", 1);
    before = count_all(w);
    cr_assert_eq(OPS(w)->audit_head(w->store, &tree), STILE_OK);
    fill(w, &accept, "taken");
    accept.source = S("s");
    accept.key = S("k");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_CONFLICT);
    cr_same_counts(before, count_all(w));
    cr_assert_eq(OPS(w)->audit_head(w->store, &after), STILE_OK);
    cr_assert_eq(memcmp(&tree, &after, sizeof tree), 0);
    fill(w, &accept, "free");
    accept.source = S("s");
    accept.key = S("k");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK,
                 "the refused accept left its dedupe key");
}

CONTRACT(atomic, one_refused_leaves_its_neighbours)
{
    struct stile_accept group[3];
    struct stile_accepted got[3];
    struct stile_counts counts;

    fill(w, &group[0], "a");
    fill(w, &group[1], "a");
    fill(w, &group[2], "c");
    group[1].messages = NULL;
    group[1].message_count = 0;
    cr_assert_eq(OPS(w)->accept(w->store, group, 3, w->arena, got), STILE_OK);
    cr_assert_eq(got[0].status, STILE_OK);
    cr_assert_eq(got[1].status, STILE_CONFLICT);
    cr_assert_eq(got[2].status, STILE_OK);
    counts = count_all(w);
    cr_assert_eq(counts.rows[STILE_ROW_QUEUED], 2);
    cr_assert_eq(counts.entries, 2);
    cr_assert_eq(counts.messages, 2);
    world_reopen(w);
    cr_same_counts(counts, count_all(w));
}

CONTRACT(atomic, two_rows_of_one_key_in_one_accept)
{
    struct stile_outbox_new rows[] = {new_row(w, "k", "p", "", 1),
                                      new_row(w, "k", "p", "", 1)};
    struct stile_accept accept = {.now = 1, .rows = rows, .row_count = 2};

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_CONFLICT);
    cr_assert_eq(count_all(w).rows[STILE_ROW_QUEUED], 0);
}

CONTRACT(atomic, contradictions_are_invalid)
{
    struct stile_outbox_new row = new_row(w, "k", "p", "", 1);
    struct stile_accept accept = {.now = 1, .rows = &row, .row_count = 1};
    struct stile_str empty = S("");
    struct stile_stored_fact fact = {.person = S("p"), .name = S("")};

    row.message_id = S("nowhere");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    row.message_id = S("");
    row.key = S("");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    row.key = S("k");
    row.partner = S("");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    row.partner = S("p");
    row.route = S("");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    accept = (struct stile_accept){.entries = &empty, .entry_count = 1};
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    accept = (struct stile_accept){.facts = &fact, .fact_count = 1};
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    accept = (struct stile_accept){.key = S("k")};
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_INVALID);
    cr_assert_eq(count_all(w).entries, 0);
}

/* ---- limits ---- */

static struct stile_str filled(struct world *w, size_t len)
{
    char *text = stile_arena_alloc(w->arena, len);

    cr_assert_not_null(text);
    memset(text, 'x', len);
    return (struct stile_str){text, len};
}

CONTRACT(limits, texts)
{
    struct stile_accept accept = keyed("a", "k", "x");

    accept.key = filled(w, STILE_STORE_TEXT_MAX);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_EXISTS);
    accept.key = filled(w, STILE_STORE_TEXT_MAX + 1);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_LIMIT);
}

CONTRACT(limits, entries)
{
    struct stile_str entry = filled(w, STILE_AUDIT_ENTRY_MAX);
    struct stile_accept accept = {.entries = &entry, .entry_count = 1};

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    entry = filled(w, STILE_AUDIT_ENTRY_MAX + 1);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_LIMIT);
    cr_assert_eq(count_all(w).entries, 1);
}

CONTRACT(limits, bodies)
{
    struct stile_outbox_new row = new_row(w, "k", "p", "", 1);
    struct stile_accept accept = {.now = 1, .rows = &row, .row_count = 1};
    struct stile_outbox_row *rows;
    size_t count = 0;

    row.body = filled(w, (size_t)STILE_STORE_BODY_MAX + 1);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_LIMIT);
    row.body.len--;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    rows = claim_rows(w, "p", 1, 1, &count);
    cr_assert_eq(count, 1);
    cr_assert(stile_str_eq(rows[0].what.body, row.body));
}

CONTRACT(limits, items)
{
    static struct stile_str entries[STILE_STORE_ITEMS_MAX + 1];
    struct stile_accept accept = {.entries = entries};

    for (size_t i = 0; i <= STILE_STORE_ITEMS_MAX; i++) {
        entries[i] = S("{}");
    }
    accept.entry_count = STILE_STORE_ITEMS_MAX + 1;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_LIMIT);
    accept.entry_count = STILE_STORE_ITEMS_MAX;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(count_all(w).entries, STILE_STORE_ITEMS_MAX);
}

/* ---- kept messages ---- */

CONTRACT(messages, go_with_their_last_row)
{
    struct stile_kept_message message = {S("m1"), S("9990000018"), S("pivot")};
    struct stile_outbox_new rows[] = {new_row(w, "a", "p", "", 1),
                                      new_row(w, "b", "q", "", 1)};
    struct stile_accept accept = {.now = 1,
                                  .messages = &message,
                                  .message_count = 1,
                                  .rows = rows,
                                  .row_count = 2};
    struct stile_str body;
    int64_t id = 0;

    rows[0].message_id = rows[1].message_id = S("m1");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_text(find_row(w, "a").person, "9990000018");
    cr_assert_not_null(claim_key(w, "p", 1, &id));
    cr_assert_eq(settle_row(w, id, STILE_ROW_DONE, 0), STILE_OK);
    cr_assert_eq(OPS(w)->message(w->store, S("m1"), w->arena, &body), STILE_OK,
                 "a row still waits");
    cr_assert_not_null(claim_key(w, "q", 1, &id));
    cr_assert_eq(settle_row(w, id, STILE_ROW_REFUSED, 0), STILE_OK);
    cr_assert_eq(OPS(w)->message(w->store, S("m1"), w->arena, &body),
                 STILE_NOT_FOUND);
    cr_assert_eq(count_all(w).messages, 0);
    cr_text(find_row(w, "a").person, "");
}

CONTRACT(messages, without_a_row_are_not_kept)
{
    struct stile_kept_message message = {S("m1"), S("9990000018"), S("pivot")};
    struct stile_accept accept = {.messages = &message, .message_count = 1};
    struct stile_str body;

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(count_all(w).messages, 0);
    cr_assert_eq(OPS(w)->message(w->store, S("m1"), w->arena, &body),
                 STILE_NOT_FOUND);
}

CONTRACT(messages, another_body_under_a_kept_id_conflicts)
{
    struct stile_accept accept;
    struct stile_kept_message other;

    fill(w, &accept, "a");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    other = accept.messages[0];
    fill(w, &accept, "b");
    other.body = S("another");
    accept.messages = &other;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_CONFLICT);
}

/* ---- facts ---- */

static enum stile_status tell(struct world *w, const char *source, int value,
                              stile_time date)
{
    struct stile_stored_fact fact = {
        S("9990000018"), S("consent"), S("VCS07"), stile_str_cstr(source),
        value,           date,         0,          0};
    struct stile_accept accept = {.facts = &fact, .fact_count = 1};

    return accept_one(w, &accept, NULL);
}

static uint64_t ask(struct world *w, struct stile_stored_fact **ret,
                    size_t *ret_count)
{
    uint64_t epoch = 0;

    cr_assert_eq(OPS(w)->facts(w->store, S("9990000018"), w->arena, ret,
                               ret_count, &epoch),
                 STILE_OK);
    return epoch;
}

CONTRACT(facts, change_moves_the_epoch)
{
    struct stile_stored_fact *facts = NULL;
    size_t count = 9;

    cr_assert_eq(ask(w, &facts, &count), 0);
    cr_assert_eq(count, 0);
    cr_assert_null(facts);
    tell(w, "form", 2, 50);
    cr_assert_eq(ask(w, &facts, &count), 1);
    tell(w, "form", 2, 50);
    cr_assert_eq(ask(w, &facts, &count), 1, "the same again is no change");
    tell(w, "form", 1, 60);
    cr_assert_eq(ask(w, &facts, &count), 2);
    cr_assert_eq(count, 1);
    cr_assert_eq(facts[0].value, 1);
    cr_assert_eq(facts[0].date, 60);
    cr_text(facts[0].person, "9990000018");
    cr_text(facts[0].name, "consent");
    cr_text(facts[0].recipient, "VCS07");
    cr_text(facts[0].source, "form");
    cr_assert_eq(count_all(w).epoch, 2);
}

CONTRACT(facts, latest_date_wins_per_source)
{
    struct stile_stored_fact *facts = NULL;
    size_t count = 0;

    tell(w, "form", 2, 60);
    tell(w, "form", 1, 50);
    cr_assert_eq(ask(w, &facts, &count), 1, "an older one came late");
    cr_assert_eq(facts[0].value, 2);
    tell(w, "form", 1, 60);
    cr_assert_eq(ask(w, &facts, &count), 2, "of one date, the last word");
    tell(w, "form", 2, 0);
    cr_assert_eq(ask(w, &facts, &count), 3, "undated: how things stand");
    tell(w, "form", 1, 10);
    cr_assert_eq(ask(w, &facts, &count), 4);
    tell(w, "app", 1, 10);
    cr_assert_eq(ask(w, &facts, &count), 5);
    cr_assert_eq(count, 2);
    cr_text(facts[0].source, "app");
    cr_text(facts[1].source, "form");
}

static void tell_bounds(struct world *w, stile_time from, stile_time until)
{
    struct stile_stored_fact fact = {.person = S("9990000018"),
                                     .name = S("consent"),
                                     .recipient = S("VCS07"),
                                     .source = S("form"),
                                     .value = 2,
                                     .date = 50,
                                     .from = from,
                                     .until = until};
    struct stile_accept accept = {.facts = &fact, .fact_count = 1};

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
}

CONTRACT(facts, bounds_are_kept_and_a_change_of_them_counts)
{
    struct stile_stored_fact *facts = NULL;
    size_t count = 0;

    tell_bounds(w, 100, 0);
    cr_assert_eq(ask(w, &facts, &count), 1);
    cr_assert_eq(facts[0].from, 100);
    cr_assert_eq(facts[0].until, 0);
    tell_bounds(w, 100, 0);
    cr_assert_eq(ask(w, &facts, &count), 1, "the same again is no change");
    tell_bounds(w, 100, 900);
    cr_assert_eq(ask(w, &facts, &count), 2);
    cr_assert_eq(facts[0].until, 900);
    tell_bounds(w, 101, 900);
    cr_assert_eq(ask(w, &facts, &count), 3);
    cr_assert_eq(facts[0].from, 101);
    cr_assert_eq(count, 1);
}

CONTRACT(facts, belong_to_one_person)
{
    struct stile_stored_fact *facts = NULL;
    size_t count = 9;
    uint64_t epoch = 9;

    tell(w, "form", 2, 1);
    cr_assert_eq(OPS(w)->facts(w->store, S("9990000026"), w->arena, &facts,
                               &count, &epoch),
                 STILE_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(epoch, 0);
    cr_assert_eq(
        OPS(w)->facts(w->store, S(""), w->arena, &facts, &count, &epoch),
        STILE_INVALID);
}

/* ---- sent marks ---- */

CONTRACT(sent, kept_replaced_removed)
{
    struct stile_sent_mark marks[] = {
        {S("r2"), S("9990000018"), S("Observation"), S("2"), digest_of("a")},
        {S("r1"), S("9990000018"), S("Observation"), S("1"), digest_of("b")},
        {S("r1"), S("9990000018"), S("Condition"), S("9"), digest_of("c")},
        {S("r1"), S("9990000026"), S("Observation"), S("1"), digest_of("d")}};
    struct stile_accept accept = {.sent = marks, .sent_count = 4};
    struct stile_sent_mark *got = NULL;
    struct stile_digest wanted = digest_of("new");
    size_t count = 0;

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(
        OPS(w)->sent(w->store, S(""), S("9990000018"), w->arena, &got, &count),
        STILE_OK);
    cr_assert_eq(count, 3);
    cr_text(got[0].type, "Condition");
    cr_text(got[1].route, "r1");
    cr_text(got[2].route, "r2");
    accept.sent_count = 2;
    marks[0] = marks[1];
    marks[0].digest = wanted;
    marks[1] = marks[2];
    memset(&marks[1].digest, 0, sizeof marks[1].digest);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(OPS(w)->sent(w->store, S("r1"), S("9990000018"), w->arena,
                              &got, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    cr_text(got[0].id, "1");
    cr_text(got[0].person, "9990000018");
    cr_assert(stile_digest_eq(&got[0].digest, &wanted));
}

/* What was refused or withdrawn is not known to be there, so it must be shown
 * anew; what was delivered stays as it is. */
static void end_as(struct world *w, const char *key, enum stile_row_state end,
                   bool wanted_in_doubt)
{
    struct stile_accept accept;
    struct stile_sent_mark *got = NULL;
    struct stile_digest doubt, sent = digest_of(key);
    size_t count = 0;
    int64_t id = 0;

    fill(w, &accept, key);
    ((struct stile_sent_mark *)(uintptr_t)accept.sent)->route =
        accept.rows[0].route;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_not_null(claim_key(w, "charity", 100, &id));
    cr_assert_eq(settle_row(w, id, end, 0), STILE_OK);
    cr_assert_eq(OPS(w)->sent(w->store, accept.rows[0].route, S("9990000018"),
                              w->arena, &got, &count),
                 STILE_OK);
    memset(&doubt, 0xff, sizeof doubt);
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eqc(got[i].id, key)) {
            cr_assert(stile_digest_eq(&got[i].digest,
                                      wanted_in_doubt ? &doubt : &sent));
            return;
        }
    }
    cr_assert_fail("the mark of %s is gone", key);
}

CONTRACT(sent, in_doubt_when_not_delivered)
{
    end_as(w, "taken", STILE_ROW_DONE, false);
    end_as(w, "refused", STILE_ROW_REFUSED, true);
    end_as(w, "withdrawn", STILE_ROW_WITHDRAWN, true);
}

/* ---- retention ---- */

CONTRACT(sweep, forgets_what_is_past_its_time)
{
    struct stile_accept accept = keyed("a", "old", "x");
    struct stile_sweep sweep = {.dedupe_before = 150, .most = 10};
    uint64_t gone = 0;

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    accept.key = S("new");
    accept.now = 150;
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
    cr_assert_eq(OPS(w)->sweep(w->store, &sweep, &gone), STILE_OK);
    cr_assert_eq(gone, 1);
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_EXISTS);
    accept.key = S("old");
    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK, "it was forgotten");
}

CONTRACT(sweep, rows_and_quarantine_up_to_most)
{
    struct stile_sweep sweep = {
        .rows_before = 100, .quarantine_before = 100, .most = 2};
    struct stile_accept accept;
    const char *keys[] = {"a", "b", "c", "d"};
    struct stile_counts counts;
    uint64_t gone = 0;
    int64_t id = 0;

    for (size_t i = 0; i < 4; i++) {
        fill(w, &accept, keys[i]);
        cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
        cr_assert_not_null(claim_key(w, "charity", 50, &id));
        cr_assert_eq(settle_row(w, id, STILE_ROW_DONE, 50), STILE_OK);
    }
    queue_row(w, "waits", "charity", "", 60);
    cr_assert_eq(OPS(w)->sweep(w->store, &sweep, &gone), STILE_OK);
    cr_assert_eq(gone, 4);
    counts = count_all(w);
    cr_assert_eq(counts.rows[STILE_ROW_DONE], 2);
    cr_assert_eq(counts.rows[STILE_ROW_QUEUED], 1);
    cr_assert_eq(counts.quarantine, 2);
    cr_assert_eq(counts.entries, 4, "the log is never swept");
    cr_assert_eq(OPS(w)->sweep(w->store, &sweep, &gone), STILE_OK);
    cr_assert_eq(OPS(w)->sweep(w->store, &sweep, &gone), STILE_OK);
    cr_assert_eq(gone, 0);
    cr_assert_eq(count_all(w).rows[STILE_ROW_QUEUED], 1);
}
