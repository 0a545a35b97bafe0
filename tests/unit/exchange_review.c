/* What the rules hold for a person, and what goes by a person's word. */
#include <criterion/criterion.h>

#include "unit/exchange_world.h"

#define NHS "9990001006"

/* The sample about somebody under 16, with `from` swapped for `to` besides. */
static struct stile_str child(struct world *w, const char *from, const char *to)
{
    const char *swaps[][2] = {{"1978-06-02", "2014-06-02"}, {from, to}};
    struct stile_str text =
        world_slurp(w->arena, "tests/samples/referral-message.json");
    for (size_t i = 0; i < 2; i++) {
        struct stile_str rest = text;
        struct stile_buf out;
        size_t at;
        stile_buf_init(&out, 1u << 22);
        while ((at = stile_str_find_str(rest, stile_str_cstr(swaps[i][0]))) !=
               SIZE_MAX) {
            stile_buf_add(&out, stile_str_sub(rest, 0, at));
            stile_buf_addc(&out, swaps[i][1]);
            rest = stile_str_sub(rest, at + strlen(swaps[i][0]), SIZE_MAX);
        }
        cr_assert_lt(rest.len, text.len, "no %s", swaps[i][0]);
        stile_buf_add(&out, rest);
        text = stile_arena_str(w->arena, stile_buf_str(&out));
        stile_buf_release(&out);
    }
    return text;
}

static void open_trust(struct world *w, const char *format)
{
    world_open(w, "RZ9", "trust");
    world_route(w, "to-charity", "sender", WORLD_CHARITY, format,
                "social-prescribing", "DSA-2026-003");
}

static void refer(struct world *w, struct trip_run *run)
{
    world_run_message(w, "fhir-json", "fhir",
                      child(w, "2014-06-02", "2014-06-02"), run);
    cr_assert_eq(run->finished, STILE_OK);
}

/* A review as the store would give it, of the n-th that the trip asks for. */
static struct stile_review review_of(struct world *w,
                                     const struct trip_run *run)
{
    const struct stile_review_new *new = &run->accept.reviews[0];
    size_t first = w->reviewed_count;
    cr_assert_eq(run->accept.review_count, 1);
    world_keep_reviews(w, run);
    return (struct stile_review){.id = w->reviews,
                                 .route = new->route,
                                 .partner = new->partner,
                                 .person = new->person,
                                 .message_id = new->message_id,
                                 .feed = new->feed,
                                 .items = &w->reviewed[first],
                                 .item_count = new->item_count};
}

struct releasing {
    struct stile_review review;
    uint32_t items[64];
    struct stile_reviewing reviewing;
    struct stile_again again;
    struct stile_release got;
};

static enum stile_status release(struct world *w, const struct trip_run *run,
                                 struct releasing *r)
{
    struct stile_value *act = stile_value_new(run->arena, STILE_OBJECT);
    stile_value_set_str(run->arena, act, "officer", STILE_STR("cg-1"));
    r->reviewing.review = &r->review;
    r->reviewing.act = act;
    r->reviewing.now = run->message.now + 60 * STILE_SECOND;
    if (r->reviewing.items == NULL) {
        for (size_t i = 0; i < r->review.item_count; i++) {
            r->items[i] = (uint32_t)i + 1;
        }
        r->reviewing.items = r->items;
        r->reviewing.item_count = r->review.item_count;
    }
    r->again.kept = run->accept.messages[0].body;
    r->again.route = r->review.route;
    r->again.message_id = r->review.message_id;
    r->again.now = r->reviewing.now;
    return stile_exchange_release(&w->plan, &r->reviewing, &r->again, &w->keys,
                                  run->arena, &r->got);
}

Test(exchange_review, what_is_held_waits_with_its_message)
{
    struct world w;
    struct trip_run run = {0};
    open_trust(&w, "vcse-json");
    refer(&w, &run);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.message_count, 1);
    cr_assert_eq(run.accept.review_count, 1);
    const struct stile_review_new *review = &run.accept.reviews[0];
    cr_assert(stile_str_eqc(review->route, "to-charity"));
    cr_assert(stile_str_eqc(review->person, NHS));
    cr_assert(stile_str_eq(review->message_id, run.accept.messages[0].id));
    cr_assert_eq(review->feed.len, 0);
    cr_assert_gt(review->item_count, 1);
    for (size_t i = 0; i < review->item_count; i++) {
        cr_assert(stile_str_eqc(review->items[i].rules, "CHI-1"));
        cr_assert_gt(review->items[i].data.len, 0);
    }
    cr_assert_eq(world_entries(&run, "\"outcome\":\"hold-for-person\""), 1);
    cr_assert(world_event(&run, STILE_EVENT_HELD, "for a person's word"));
    world_end(&run);
    world_close(&w);
}

Test(exchange_review, of_a_grown_up_nothing_waits)
{
    struct world w;
    struct trip_run run = {0};
    open_trust(&w, "vcse-json");
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &run);
    cr_assert_eq(run.accept.row_count, 1);
    cr_assert_eq(run.accept.review_count + run.accept.review_seen_count +
                     run.accept.review_end_count,
                 0);
    world_end(&run);
    world_close(&w);
}

Test(exchange_review, a_release_makes_the_row_and_its_entry)
{
    struct world w;
    struct trip_run run, plain;
    open_trust(&w, "vcse-json");
    refer(&w, &run);
    struct releasing r = {.review = review_of(&w, &run)};
    cr_assert_eq(release(&w, &run, &r), STILE_OK, "%.*s", STILE_FMT(r.got.why));
    cr_assert(r.got.has_row);
    cr_assert(world_has(r.got.row.body, "Help with rent arrears"));
    cr_assert(!world_has(r.got.row.body, NHS));
    cr_assert(stile_str_eq(r.got.row.message_id, r.review.message_id));
    cr_assert(world_has(r.got.entry, "\"type\":\"released\""));
    cr_assert(world_has(r.got.entry, "\"officer\":\"cg-1\""));
    cr_assert(world_has(r.got.entry, "\"review\":1"));
    cr_assert(world_has(r.got.entry, "\"rules\":\"CHI-1\""));
    cr_assert(!world_has(r.got.entry, NHS));
    cr_assert(!world_has(r.got.entry, "rent"));
    /* The lane of every other row about the person, a key of its own. */
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &plain);
    cr_assert(stile_str_eq(plain.accept.rows[0].lane, r.got.row.lane));
    cr_assert(!stile_str_eq(plain.accept.rows[0].key, r.got.row.key));
    world_end(&plain);
    /* The same act again is the same row. */
    struct releasing twice = {.review = r.review};
    cr_assert_eq(release(&w, &run, &twice), STILE_OK);
    cr_assert(stile_str_eq(twice.got.row.key, r.got.row.key));
    cr_assert(stile_str_eq(twice.got.row.body, r.got.row.body));
    world_end(&run);
    world_close(&w);
}

static uint32_t item_of(const struct stile_review *review, const char *type)
{
    for (size_t i = 0; i < review->item_count; i++) {
        if (stile_str_eqc(review->items[i].type, type)) {
            return review->items[i].n;
        }
    }
    cr_assert_fail("no %s waits", type);
    return 0;
}

Test(exchange_review, a_word_on_one_item_sends_that_item)
{
    struct world w;
    struct trip_run run = {0};
    open_trust(&w, "fhir-json");
    refer(&w, &run);
    struct releasing r = {.review = review_of(&w, &run)};
    uint32_t n = item_of(&r.review, "Patient");
    r.reviewing.items = &n;
    r.reviewing.item_count = 1;
    cr_assert_eq(release(&w, &run, &r), STILE_OK, "%.*s", STILE_FMT(r.got.why));
    struct stile_value *bundle = world_json(&run, r.got.row.body);
    cr_assert_eq(stile_value_getc(bundle, "entry")->count, 1);
    cr_assert(world_has(r.got.row.body, "\"Patient/"));
    cr_assert(!world_has(r.got.row.body, "ServiceRequest"));
    world_end(&run);
    world_close(&w);
}

/* The other items say nothing of use without whose they are. */
Test(exchange_review, nothing_goes_while_the_patient_waits)
{
    struct world w;
    struct trip_run run = {0};
    open_trust(&w, "fhir-json");
    refer(&w, &run);
    struct releasing r = {.review = review_of(&w, &run)};
    uint32_t n = item_of(&r.review, "ServiceRequest");
    r.reviewing.items = &n;
    r.reviewing.item_count = 1;
    cr_assert_eq(release(&w, &run, &r), STILE_DENIED);
    cr_assert(world_has(r.got.why, "the Patient waits for a person's word"));
    cr_assert(world_has(r.got.entry, "\"blocked\":\"the Patient waits"));
    uint32_t both[] = {item_of(&r.review, "Patient"), n};
    r.reviewing.items = both;
    r.reviewing.item_count = 2;
    cr_assert_eq(release(&w, &run, &r), STILE_OK, "%.*s", STILE_FMT(r.got.why));
    cr_assert_eq(
        stile_value_getc(world_json(&run, r.got.row.body), "entry")->count, 2);
    world_end(&run);
    world_close(&w);
}

Test(exchange_review, a_consent_withdrawn_since_keeps_it)
{
    struct world w;
    struct trip_run run = {0};
    struct stile_stored_fact no = {.person = STILE_STR(NHS),
                                   .name = STILE_STR("dissent-third-party"),
                                   .source = STILE_STR("other|form"),
                                   .value = STILE_YES};
    struct stile_stored_fact not_him = {
        .person = STILE_STR(NHS),
        .name = STILE_STR("consent-to-this-recipient"),
        .recipient = STILE_STR("VCS07"),
        .source = STILE_STR("other|form"),
        .value = STILE_NO};
    open_trust(&w, "vcse-json");
    refer(&w, &run);
    struct stile_stored_fact facts[] = {no, not_him};
    cr_assert(
        stile_time_parse(STILE_STR("2026-11-21T10:00:30Z"), &facts[0].date));
    facts[1].date = facts[0].date;
    struct releasing r = {.review = review_of(&w, &run)};
    r.again.facts = facts;
    r.again.fact_count = 2;
    cr_assert_eq(release(&w, &run, &r), STILE_DENIED);
    cr_assert(world_has(r.got.why, "item 1 stays: "));
    cr_assert(!r.got.has_row);
    cr_assert(world_has(r.got.entry, "\"type\":\"release-stays\""));
    world_end(&run);
    world_close(&w);
}

static enum stile_status again(struct world *w, const struct trip_run *run,
                               struct stile_str *body)
{
    struct stile_str entry = STILE_STR_NULL;
    struct stile_again ask = {.kept = run->accept.messages[0].body,
                              .route = STILE_STR("to-charity"),
                              .message_id = run->accept.messages[0].id,
                              .now = run->message.now + 3600 * STILE_SECOND,
                              .reviewed = w->reviewed,
                              .reviewed_count = w->reviewed_count};
    return stile_exchange_again(&w->plan, &ask, &w->keys, run->arena, body,
                                &entry);
}

/* The row is decided again when it is due: the word stands. */
Test(exchange_review, a_second_decision_knows_the_word)
{
    struct world w;
    struct trip_run run = {0};
    struct stile_str body = STILE_STR_NULL;
    open_trust(&w, "vcse-json");
    refer(&w, &run);
    struct releasing r = {.review = review_of(&w, &run)};
    cr_assert_eq(release(&w, &run, &r), STILE_OK);
    cr_assert_eq(again(&w, &run, &body), STILE_DENIED, "no word is kept");
    world_say(&w, 0, STILE_REVIEW_RELEASE);
    cr_assert_eq(again(&w, &run, &body), STILE_OK);
    cr_assert(stile_str_eq(body, r.got.row.body));
    /* About another version of each, and about another rule: no word. */
    for (size_t i = 0; i < w.reviewed_count; i++) {
        w.reviewed[i].digest.bytes[0] ^= 1;
    }
    cr_assert_eq(again(&w, &run, &body), STILE_DENIED);
    for (size_t i = 0; i < w.reviewed_count; i++) {
        w.reviewed[i].digest.bytes[0] ^= 1;
        w.reviewed[i].rules = STILE_STR("CHI-2, NAT-UNABLE");
    }
    cr_assert_eq(again(&w, &run, &body), STILE_DENIED);
    for (size_t i = 0; i < w.reviewed_count; i++) {
        w.reviewed[i].rules = STILE_STR("NAT-UNABLE, CHI-1");
        w.reviewed[i].route = STILE_STR("elsewhere");
    }
    cr_assert_eq(again(&w, &run, &body), STILE_DENIED);
    world_end(&run);
    world_close(&w);
}

Test(exchange_review, what_was_decided_or_has_changed_is_told)
{
    struct world w;
    struct trip_run run, newer;
    open_trust(&w, "vcse-json");
    refer(&w, &run);
    struct releasing r = {.review = review_of(&w, &run)};
    /* A newer message: the referral reads otherwise, the person is the same. */
    world_run_message(&w, "fhir-json", "fhir",
                      child(&w, "Help with rent arrears", "Help with debts"),
                      &newer);
    cr_assert_eq(newer.accept.review_count, 1);
    size_t changed = 0;
    for (size_t i = 0; i < newer.accept.review_seen_count; i++) {
        const struct stile_review_seen *seen = &newer.accept.review_seen[i];
        for (size_t k = 0; k < w.reviewed_count; k++) {
            struct stile_review_item *item = &w.reviewed[k];
            if (stile_str_eq(seen->type, item->type) &&
                stile_str_eq(seen->id, item->id) &&
                !stile_digest_eq(&seen->digest, &item->digest)) {
                item->changed = true;
                changed++;
            }
        }
    }
    cr_assert_gt(changed, 0);
    cr_assert_lt(changed, w.reviewed_count * 2);
    cr_assert_not(w.reviewed[item_of(&r.review, "Patient") - 1].changed);
    cr_assert_eq(release(&w, &run, &r), STILE_CONFLICT);
    cr_assert(world_has(r.got.why, "has come in a newer version"));
    world_say(&w, 1, STILE_REVIEW_RELEASE);
    cr_assert_eq(release(&w, &run, &r), STILE_CONFLICT);
    cr_assert(world_has(r.got.why, "item 1 was released already"));
    uint32_t none = 999;
    r.reviewing.items = &none;
    r.reviewing.item_count = 1;
    cr_assert_eq(release(&w, &run, &r), STILE_INVALID);
    world_end(&newer);
    world_end(&run);
    world_close(&w);
}

Test(exchange_review, what_is_decided_on_can_be_shown)
{
    struct world w;
    struct trip_run run = {0};
    const struct stile_value **content = NULL;
    open_trust(&w, "vcse-json");
    refer(&w, &run);
    struct releasing r = {.review = review_of(&w, &run)};
    uint32_t n = item_of(&r.review, "Patient");
    r.reviewing = (struct stile_reviewing){
        .review = &r.review, .items = &n, .item_count = 1};
    cr_assert_eq(stile_reviewing_content(&r.reviewing,
                                         run.accept.messages[0].body,
                                         w.plan.json, run.arena, &content),
                 STILE_OK);
    cr_assert(
        stile_str_eqc(stile_value_text(content[0], "birthDate"), "2014-06-02"));
    struct stile_str a =
        stile_reviewing_subject(&r.reviewing, &w.keys, run.arena);
    cr_assert(stile_str_starts(
        a, STILE_STR("review 1: 1 item for charity, sha256 ")));
    n = item_of(&r.review, "ServiceRequest");
    struct stile_str b =
        stile_reviewing_subject(&r.reviewing, &w.keys, run.arena);
    cr_assert(!stile_str_eq(a, b), "what is signed names what it is about");
    world_end(&run);
    world_close(&w);
}

static enum stile_status again_review(struct world *w,
                                      const struct trip_run *run,
                                      struct stile_review_new *ret)
{
    struct stile_again ask = {.kept = run->accept.messages[0].body,
                              .route = STILE_STR("to-charity"),
                              .message_id = run->accept.messages[0].id,
                              .now = run->message.now + 3600 * STILE_SECOND,
                              .reviewed = w->reviewed,
                              .reviewed_count = w->reviewed_count};
    return stile_exchange_again_review(&w->plan, &ask, &w->keys, run->arena,
                                       ret);
}

/* What went by the rules of then and waits by those of now is not lost. */
Test(exchange_review, what_a_second_decision_holds_waits_too)
{
    struct world w;
    struct trip_run run = {0};
    struct stile_review_new review;
    open_trust(&w, "vcse-json");
    refer(&w, &run);
    cr_assert_eq(again_review(&w, &run, &review), STILE_OK);
    cr_assert_eq(review.item_count, run.accept.reviews[0].item_count);
    cr_assert(stile_str_eqc(review.person, NHS));
    cr_assert(stile_str_eq(review.message_id, run.accept.messages[0].id));
    cr_assert(stile_str_eqc(review.partner, "charity"));
    (void)review_of(&w, &run);
    cr_assert_eq(again_review(&w, &run, &review), STILE_NOT_FOUND,
                 "it waits already");
    world_say(&w, 0, STILE_REVIEW_REFUSE);
    cr_assert_eq(again_review(&w, &run, &review), STILE_NOT_FOUND);
    world_end(&run);
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &run);
    cr_assert_eq(again_review(&w, &run, &review), STILE_NOT_FOUND);
    world_end(&run);
    world_close(&w);
}

/* ---- exports ---- */

#define PATIENT "{5B2A1E10-0000-4000-8000-000000000001}"
#define PRACTICE "{5B2A1E10-0000-4000-8000-0000000000AA}"
#define PERSON "9990000115"

static void open_practice(struct world *w)
{
    world_open(w, "A99901", "gp-practice");
    world_route(w, "to-trust", "sender", WORLD_TRUST, "fhir-json",
                "individual-care", "DSA-2026-001");
    world_fact(w, PERSON, "care-relationship", "RZ9", STILE_YES, NULL);
    world_fact(w, PERSON, "deceased", "", STILE_YES, NULL); /* NAT-DEAD */
    world_mirror(w, world_row(w, "Admin_Organisation", "OrganisationGuid",
                              PRACTICE, "ODSCode", "A99901", NULL));
}

static void export(struct world *w, const char *surname, struct trip_run *run)
{
    struct stile_row row =
        world_row(w, "Admin_Patient", "PatientGuid", PATIENT,
                  "OrganisationGuid", PRACTICE, "NhsNumber", PERSON, "Surname",
                  surname, "GivenName", "Synthia", "DateOfBirth", "1961-02-03",
                  "Sex", "F", "DummyType", "false", "Deleted", "false", NULL);
    world_run_export(w, &row, 1, run);
    cr_assert_eq(run->finished, STILE_OK);
    world_keep_reviews(w, run);
    world_keep_marks(w, run);
}

Test(exchange_review, an_export_waits_once_and_goes_by_a_word)
{
    struct world w;
    struct trip_run run = {0};
    open_practice(&w);
    export(&w, "Tester", &run);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.review_count, 1);
    cr_assert(stile_str_eqc(run.accept.reviews[0].feed, "sender"));
    cr_assert(stile_str_eqc(run.accept.reviews[0].feed_person, "{person}"));
    cr_assert(stile_str_eqc(run.accept.reviews[0].items[0].rules, "NAT-DEAD"));
    world_end(&run);
    export(&w, "Tester", &run);
    cr_assert_eq(run.accept.review_count, 0, "it waits already");
    cr_assert_eq(run.accept.review_end_count, 0);
    world_end(&run);
    world_say(&w, 0, STILE_REVIEW_RELEASE);
    export(&w, "Tester", &run);
    cr_assert_eq(run.accept.row_count, 1);
    cr_assert(world_has(run.accept.rows[0].body, "Tester"));
    cr_assert_eq(world_entries(&run, "\"type\":\"disclosure\""), 1);
    world_end(&run);
    export(&w, "Tester", &run);
    cr_assert_eq(run.accept.row_count, 0, "it was sent");
    cr_assert_eq(run.accept.review_count, 0);
    world_end(&run);
    export(&w, "Changed", &run);
    cr_assert_eq(run.accept.row_count, 0, "another version, no word on it");
    cr_assert_eq(run.accept.review_count, 1);
    world_end(&run);
    world_close(&w);
}

Test(exchange_review, an_export_that_changed_waits_anew)
{
    struct world w;
    struct trip_run run = {0};
    open_practice(&w);
    export(&w, "Tester", &run);
    world_end(&run);
    export(&w, "Changed", &run);
    cr_assert_eq(run.accept.review_end_count, 1);
    cr_assert_eq(run.accept.review_ends[0].id, 1);
    cr_assert_eq(run.accept.review_count, 1);
    cr_assert_eq(world_entries(&run, "\"type\":\"lapsed\""), 1);
    cr_assert_eq(world_entries(&run, "\"review\":1"), 1);
    world_end(&run);
    world_close(&w);
}

Test(exchange_review, what_was_refused_of_an_export_is_not_asked_again)
{
    struct world w;
    struct trip_run run = {0};
    open_practice(&w);
    export(&w, "Tester", &run);
    world_end(&run);
    world_say(&w, 0, STILE_REVIEW_REFUSE);
    export(&w, "Tester", &run);
    cr_assert_eq(run.accept.row_count + run.accept.review_count, 0);
    world_end(&run);
    export(&w, "Changed", &run);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.review_count, 1);
    world_end(&run);
    world_close(&w);
}
