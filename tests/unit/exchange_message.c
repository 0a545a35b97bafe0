/* Messages: FHIR Bundles, cases and sheets, whole and broken. */
#include <criterion/criterion.h>

#include "unit/exchange_world.h"

#define NHS "9990001006"

static void open_trust(struct world *w)
{
    world_open(w, "RZ9", "trust");
    world_route(w, "to-charity", "sender", WORLD_CHARITY, "vcse-json",
                "social-prescribing", "DSA-2026-003");
    world_route(w, "to-records", "sender", WORLD_OWN, "fhir-json", "", "");
}

static void open_charity(struct world *w)
{
    world_open(w, "VCS07", "voluntary-non-care");
    world_route(w, "to-trust", "sender", WORLD_TRUST, "fhir-json",
                "individual-care", "DSA-2026-004");
}

static const struct stile_outbox_new *row_of(const struct trip_run *run,
                                             const char *route)
{
    for (size_t i = 0; i < run->accept.row_count; i++) {
        if (stile_str_eqc(run->accept.rows[i].route, route)) {
            return &run->accept.rows[i];
        }
    }
    return NULL;
}

/* The sample with one text put in another's place. */
static struct stile_str swap(struct world *w, const char *sample,
                             const char *from, const char *to)
{
    char path[256];
    (void)snprintf(path, sizeof path, "tests/samples/%s", sample);
    struct stile_str rest = world_slurp(w->arena, path);
    struct stile_buf out;
    stile_buf_init(&out, 1u << 22);
    size_t found = 0, at;
    while ((at = stile_str_find_str(rest, stile_str_cstr(from))) != SIZE_MAX) {
        stile_buf_add(&out, stile_str_sub(rest, 0, at));
        stile_buf_addc(&out, to);
        rest = stile_str_sub(rest, at + strlen(from), SIZE_MAX);
        found++;
    }
    cr_assert_gt(found, 0, "no %s in %s", from, sample);
    stile_buf_add(&out, rest);
    struct stile_str made = stile_arena_str(w->arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return made;
}

Test(exchange_message, a_message_bundle_goes_where_it_may)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &run);
    cr_assert_eq(run.begun, STILE_OK);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.rounds, 1); /* its one person, and nothing more */
    cr_assert_eq(run.accept.row_count, 2);
    cr_assert_eq(run.accept.message_count, 1);
    cr_assert_eq(run.accept.quarantine_count, 0);
    cr_assert(stile_str_eqc(run.accept.messages[0].person, NHS));
    world_every_row_is_entered(&run);
    cr_assert_eq(world_entries(&run, "\"type\":\"received\""), 1);
    cr_assert_eq(world_entries(&run, "\"type\":\"disclosure\""), 1);
    cr_assert_eq(world_entries(&run, "\"type\":\"inward\""), 1);

    /* What the charity gets holds the referral, not the number, and no word
     * that only the trust may read. */
    const struct stile_outbox_new *charity = row_of(&run, "to-charity");
    cr_assert_not_null(charity);
    cr_assert(world_has(charity->body, "Help with rent arrears"));
    cr_assert(!world_has(charity->body, NHS));
    cr_assert(!world_has(charity->body, "urn:uuid"));
    /* What its own records get is all but the header, by id. */
    const struct stile_outbox_new *own = row_of(&run, "to-records");
    cr_assert_not_null(own);
    cr_assert(!world_has(own->body, "urn:uuid"));
    cr_assert(!world_has(own->body, "MessageHeader"));
    struct stile_value *bundle = world_json(&run, own->body);
    /* Twelve came; the header and the sender it names end here. */
    cr_assert_eq(stile_value_getc(bundle, "entry")->count, 10);
    cr_assert(!world_finding(&run, "X109"));
    cr_assert(world_has(own->body, "\"subject\":{\"reference\":\"Patient/"
                                   "5b2a1e10-0000-4000-8000-000000000001\"}"));
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, rows_are_kept_for_the_second_decision)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_fact(&w, NHS, "registered", "VCS07", STILE_YES, NULL);
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &run);
    const struct stile_kept_message *kept = &run.accept.messages[0];
    struct stile_digest ground = stile_plan_ground(&w.plan, run.message.now);
    for (size_t i = 0; i < run.accept.row_count; i++) {
        const struct stile_outbox_new *row = &run.accept.rows[i];
        cr_assert(stile_str_eq(row->message_id, kept->id));
        cr_assert(stile_digest_eq(&row->rules, &ground));
        /* The epoch that was read, though the message taught facts: they move
         * it on, and what another message taught meanwhile must show. */
        cr_assert_eq(row->epoch, 1);
        cr_assert_eq(row->due, run.message.now);
        cr_assert_eq(row->lane.len, 64);
        cr_assert_eq(row->key.len, 64);
    }
    cr_assert_gt(run.accept.fact_count, 0);
    /* An id is its source's own: another partner may use the same. */
    cr_assert(stile_str_eqc(kept->id, "sender/m-1.0"));
    cr_assert(stile_str_eqc(run.accept.source, "sender"));
    cr_assert(stile_str_eqc(run.accept.key, "m-1"));
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, what_a_decision_stands_on_changes_with_plan_and_day)
{
    struct world w;
    open_trust(&w);
    stile_time noon = 0, midnight = 0;
    cr_assert(stile_time_parse(STILE_STR("2026-11-21T12:00:00Z"), &noon));
    cr_assert(stile_time_parse(STILE_STR("2026-11-22T00:00:00Z"), &midnight));
    struct stile_digest a = stile_plan_ground(&w.plan, noon);
    struct stile_digest same = stile_plan_ground(&w.plan, midnight - 1);
    struct stile_digest next = stile_plan_ground(&w.plan, midnight);
    cr_assert(stile_digest_eq(&a, &same));
    cr_assert(!stile_digest_eq(&a, &next));
    w.routes[0].agreement = STILE_STR("DSA-2026-001");
    world_digest(&w);
    struct stile_digest moved = stile_plan_ground(&w.plan, noon);
    cr_assert(!stile_digest_eq(&a, &moved));
    world_close(&w);
}

Test(exchange_message, facts_of_a_message_are_learnt_and_a_later_no_is_heard)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &run);
    bool yes = false;
    for (size_t i = 0; i < run.accept.fact_count; i++) {
        const struct stile_stored_fact *fact = &run.accept.facts[i];
        cr_assert(stile_str_eqc(fact->person, NHS));
        yes = yes || (stile_str_eqc(fact->name, "consent-to-this-recipient") &&
                      stile_str_eqc(fact->recipient, "VCS07") &&
                      fact->value == STILE_YES);
    }
    cr_assert(yes);
    world_end(&run);

    world_fact(&w, NHS, "consent-to-this-recipient", "VCS07", STILE_NO,
               "2026-11-01T09:00:00Z");
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_null(row_of(&run, "to-charity"));
    cr_assert_not_null(row_of(&run, "to-records")); /* no disclosure */
    cr_assert_eq(world_entries(&run, "\"type\":\"denial\""), 1);
    cr_assert(world_event(&run, STILE_EVENT_WITHHELD, "nothing goes to"));
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, the_same_message_comes_to_the_same_bytes)
{
    struct world w;
    struct trip_run a, b;
    open_trust(&w);
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &a);
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &b);
    world_same(&a, &b);
    cr_assert(stile_digest_eq(&a.accept.digest, &b.accept.digest));
    world_end(&a);
    world_end(&b);
    world_close(&w);
}

Test(exchange_message, no_word_of_a_patient_gets_into_logs)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    struct stile_str bytes = swap(&w, "referral-message.json", "Example", MARK);
    world_run_message(&w, "fhir-json", "fhir", bytes, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert(world_has(row_of(&run, "to-records")->body, MARK));
    world_says_nothing_of(&run, MARK);
    world_says_nothing_of(&run, NHS);
    world_says_nothing_of(&run, "arrears");
    world_end(&run);
    world_close(&w);
}

/* ---- what is refused -------------------------------------------------------
 */

static void refused(struct world *w, struct stile_str bytes, const char *code,
                    enum stile_status status)
{
    struct trip_run run;
    world_run_message(w, "fhir-json", "fhir", bytes, &run);
    cr_assert_eq(run.begun, status, "%s: %d", code, (int)run.begun);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert(world_finding(&run, code), "no %s", code);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.message_count, 0);
    cr_assert_eq(run.accept.fact_count, 0);
    cr_assert_eq(run.accept.quarantine_count, 1);
    cr_assert(stile_str_eq(run.accept.quarantine[0].bytes, bytes));
    cr_assert(world_has(run.accept.quarantine[0].reason, code));
    cr_assert_eq(run.accept.entry_count, 1);
    cr_assert_eq(world_entries(&run, "\"type\":\"quarantine\""), 1);
    cr_assert(world_event(&run, STILE_EVENT_QUARANTINE, "quarantine"));
    /* Not remembered: the same bytes may come again once it is mended here. */
    cr_assert_eq(run.accept.source.len, 0);
    world_says_nothing_of(&run, MARK);
    world_end(&run);
}

Test(exchange_message, a_wrong_nhs_number_is_never_forwarded)
{
    struct world w;
    open_trust(&w);
    refused(&w,
            world_slurp(w.arena, "tests/samples/referral-message-wrong-number."
                                 "json"),
            "X101", STILE_INVALID);
    /* Nor by which a reference names a person, nor inside another. */
    refused(&w,
            STILE_STR("{\"resourceType\":\"ServiceRequest\",\"id\":\"1\","
                      "\"status\":\"active\",\"intent\":\"order\","
                      "\"subject\":{\"identifier\":{\"system\":"
                      "\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":"
                      "\"9990001007\"}}}"),
            "X101", STILE_INVALID);
    refused(&w,
            STILE_STR("{\"resourceType\":\"Observation\",\"id\":\"1\","
                      "\"status\":\"final\",\"code\":{\"text\":\"x\"},"
                      "\"subject\":{\"reference\":\"Patient/1\"},"
                      "\"performer\":[{\"identifier\":{\"system\":"
                      "\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":"
                      "\"" MARK "\"}}]}"),
            "X101", STILE_INVALID);
    world_close(&w);
}

Test(exchange_message, what_cannot_be_told_apart_is_refused)
{
    struct world w;
    open_trust(&w);
    refused(&w,
            STILE_STR("{\"resourceType\":\"Organization\",\"id\":\"1\","
                      "\"name\":\"" MARK "\"}"),
            "X102", STILE_INVALID);
    refused(&w, STILE_STR("{\"resourceType\":\"Bundle\",\"type\":\"history\"}"),
            "X104", STILE_INVALID);
    refused(&w,
            STILE_STR("{\"resourceType\":\"Bundle\",\"type\":\"transaction\","
                      "\"entry\":[{\"fullUrl\":\"urn:uuid:1\"}]}"),
            "X104", STILE_INVALID);
    refused(&w, world_slurp(w.arena, "tests/samples/referral-message-cut.json"),
            "J103", STILE_INVALID);
    /* About somebody who did not come along. */
    refused(&w,
            STILE_STR("{\"resourceType\":\"Bundle\",\"type\":\"transaction\","
                      "\"entry\":[{\"resource\":{\"resourceType\":"
                      "\"ServiceRequest\",\"id\":\"1\",\"status\":\"active\","
                      "\"intent\":\"order\",\"subject\":{\"reference\":"
                      "\"urn:uuid:" MARK "\"}}}]}"),
            "X107", STILE_INVALID);
    /* One reference, two numbers. */
    refused(&w,
            STILE_STR("{\"resourceType\":\"Bundle\",\"type\":\"transaction\","
                      "\"entry\":[{\"resource\":{\"resourceType\":\"Patient\","
                      "\"id\":\"1\",\"identifier\":[{\"system\":"
                      "\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":"
                      "\"9990001006\"}]}},{\"resource\":{\"resourceType\":"
                      "\"ServiceRequest\",\"id\":\"2\",\"status\":\"active\","
                      "\"intent\":\"order\",\"subject\":{\"reference\":"
                      "\"Patient/1\",\"identifier\":{\"system\":"
                      "\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":"
                      "\"9990002371\"}}}}]}"),
            "X108", STILE_INVALID);
    world_close(&w);
}

static void refused_deletion(struct world *w, const char *url)
{
    refused(w,
            stile_arena_printf(
                w->arena,
                "{\"resourceType\":\"Bundle\",\"type\":\"transaction\","
                "\"entry\":[{\"resource\":{\"resourceType\":\"Patient\","
                "\"id\":\"1\"}},{\"request\":{\"method\":\"DELETE\","
                "\"url\":\"%s\"}}]}",
                url),
            "X104", STILE_INVALID);
}

Test(exchange_message, a_deletion_names_one_resource)
{
    struct world w;
    open_trust(&w);
    refused_deletion(&w, "Observation");
    refused_deletion(&w, "Observation/");
    refused_deletion(&w, "Observation/../Patient/2");
    refused_deletion(&w, "Observation?code=" MARK);
    refused_deletion(&w, "Observation/1?x=" MARK);
    world_close(&w);
}

/* ---- persons ----------------------------------------------------------------
 */

#define NUMBER(value)                                                          \
    "\"identifier\":[{\"system\":\"https://fhir.nhs.uk/Id/nhs-number\","       \
    "\"value\":\"" value "\"}]"
#define BUNDLE(entries)                                                        \
    "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":"         \
    "[" entries "]}"
#define PATIENT(id, number)                                                    \
    "{\"resource\":{\"resourceType\":\"Patient\"," id NUMBER(number) "}}"
#define READING(id, ref)                                                       \
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"" id             \
    "\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"subject\":"           \
    "{\"reference\":\"" ref "\"}}}"

Test(exchange_message, persons_of_one_message_part)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_message(
        &w, "fhir-json", "fhir",
        STILE_STR(BUNDLE(
            PATIENT("\"id\":\"1\",", "9990001006") "," PATIENT("\"id\":\"2\",", "9990002371") "," READING(
                "o1",
                "Patient/1") "," READING("o2",
                                         "Patient/2") "," READING("o3",
                                                                  "Patient/"
                                                                  "3"))),
        &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.message_count, 3);
    cr_assert(stile_str_eqc(run.accept.messages[0].person, "9990001006"));
    cr_assert(stile_str_eqc(run.accept.messages[1].person, "9990002371"));
    /* A person without Patient is the sender's own. */
    cr_assert(stile_str_eqc(run.accept.messages[2].person, "RZ9|Patient/3"));
    for (size_t i = 0; i < run.accept.row_count; i++) {
        struct stile_str body = run.accept.rows[i].body;
        unsigned who = 0;
        who += world_has(body, "\"o1\"") ? 1 : 0;
        who += world_has(body, "\"o2\"") ? 1 : 0;
        who += world_has(body, "\"o3\"") ? 1 : 0;
        cr_assert_eq(who, 1);
        for (size_t k = 0; k < i; k++) {
            cr_assert(!stile_str_eq(run.accept.rows[k].lane,
                                    run.accept.rows[i].lane));
        }
    }
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, patients_without_an_id_are_not_taken_for_one)
{
    struct world w;
    struct trip_run run, again;
    open_trust(&w);
    struct stile_str bytes = STILE_STR(
        BUNDLE(PATIENT("", "9990001006") "," PATIENT("", "9990002371")));
    world_run_message(&w, "fhir-json", "fhir", bytes, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.message_count, 2);
    cr_assert_eq(run.accept.row_count, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_assert(!world_has(run.accept.rows[i].body, "Patient/\""));
        cr_assert_neq(world_has(run.accept.rows[i].body, "9990001006"),
                      world_has(run.accept.rows[i].body, "9990002371"));
    }
    world_run_message(&w, "fhir-json", "fhir", bytes, &again);
    world_same(&run, &again);
    world_end(&run);
    world_end(&again);
    world_close(&w);
}

/* What is known of a person is heard whichever way a resource names them, and
 * whatever comes first. */
Test(exchange_message, one_person_by_two_names_is_one)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    static const char *const bundles[] = {
        BUNDLE(READING("o1", "Patient/b") "," PATIENT(
            "\"id\":\"a\",", "9990001006") "," PATIENT("\"id\":\"b\",",
                                                       "9990001006")),
        BUNDLE(READING(
            "o1",
            "Patient/b") ",{\"resource\":{\"resourceType\":\"ServiceRequest\","
                         "\"id\":\"s\",\"status\":\"active\",\"intent\":"
                         "\"order\","
                         "\"subject\":{\"reference\":\"Patient/"
                         "b\",\"identifier\":"
                         "{\"system\":\"https://fhir.nhs.uk/Id/nhs-number\","
                         "\"value\":\"9990001006\"}}}}")};
    for (size_t i = 0; i < 2; i++) {
        world_run_message(&w, "fhir-json", "fhir", stile_str_cstr(bundles[i]),
                          &run);
        cr_assert_eq(run.finished, STILE_OK);
        cr_assert_eq(run.accept.message_count, 1);
        cr_assert(stile_str_eqc(run.accept.messages[0].person, "9990001006"));
        world_end(&run);
    }
    world_close(&w);
}

Test(exchange_message, references_by_address_resolve_within_a_bundle)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_message(
        &w, "fhir-json", "fhir",
        STILE_STR(BUNDLE(
            "{\"fullUrl\":\"https://fhir.eastmoor.example/Patient/1\","
            "\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"," NUMBER(
                "9990001006") "}}," READING("o1", "https://"
                                                  "fhir.eastmoor.example/"
                                                  "Patient/1"))),
        &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.message_count, 1);
    cr_assert(
        world_has(run.accept.rows[0].body, "{\"reference\":\"Patient/1\"}"));
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, what_goes_nowhere_is_said)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_message(
        &w, "fhir-json", "fhir",
        STILE_STR(BUNDLE(
            PATIENT("\"id\":\"1\",",
                    "9990001006") ",{\"resource\":{\"resourceType\":"
                                  "\"Organization\",\"id\":\"9\",\"name\":"
                                  "\"x\"}}")),
        &run);
    cr_assert_eq(run.begun, STILE_OK);
    cr_assert(world_finding(&run, "X112"));
    cr_assert_eq(stile_exchange_diags(run.exchange)->errors, 0);
    cr_assert(!world_has(run.accept.rows[0].body, "Organization"));
    world_end(&run);
    world_close(&w);
}

/* A refusal must be heard however its subject is written, or else the message
 * is refused: never sent without it. */
static const char *const whose[] = {
    "{\"reference\":\"Patient/1/_history/2\"}",
    "{\"reference\":\"https://epr.example/fhir/Patient/1\"}",
    "{\"reference\":\"Patient?identifier=9990001006\"}",
    "{\"reference\":\"#p\"}",
    "{\"reference\":\"1\"}",
    "{\"display\":\"somebody\"}",
    "{\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"7\"}}",
    NULL};

Test(exchange_message, a_consent_that_cannot_be_attributed_is_no_gap)
{
    struct world w;
    open_trust(&w);
    for (size_t i = 0; whose[i] != NULL; i++) {
        struct trip_run run;
        struct stile_str bytes = stile_arena_printf(
            w.arena,
            "{\"resourceType\":\"Bundle\",\"type\":\"transaction\","
            "\"entry\":[{\"resource\":{\"resourceType\":\"Patient\","
            "\"id\":\"1\",\"identifier\":[{\"system\":"
            "\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":"
            "\"9990001006\"}]}},{\"resource\":{\"resourceType\":"
            "\"Consent\",\"id\":\"c\",\"status\":\"active\",\"patient\":%s,"
            "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7."
            "org/CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},"
            "\"category\":[{\"coding\":[{\"system\":\"http://loinc.org\","
            "\"code\":\"59284-0\"}]}],\"policyRule\":{\"text\":\"x\"},"
            "\"provision\":{\"type\":\"deny\"}}}]}",
            whose[i]);
        world_run_message(&w, "fhir-json", "fhir", bytes, &run);
        if (i < 2) { /* folded: the person's own */
            cr_assert_eq(run.begun, STILE_OK, "%s", whose[i]);
            cr_assert_gt(run.accept.fact_count, 0, "%s", whose[i]);
        } else {
            cr_assert_eq(run.begun, STILE_INVALID, "%s", whose[i]);
            cr_assert(world_finding(&run, "X109"), "%s", whose[i]);
            cr_assert_eq(run.accept.row_count, 0);
        }
        world_end(&run);
    }
    world_close(&w);
}

Test(exchange_message, two_resources_of_one_name_are_refused)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_message(
        &w, "fhir-json", "fhir",
        STILE_STR(BUNDLE(PATIENT("\"id\":\"1\",", "9990001006") "," PATIENT(
            "\"id\":\"1\",", "9990001006"))),
        &run);
    cr_assert_eq(run.begun, STILE_INVALID);
    cr_assert(world_finding(&run, "X111"));
    world_end(&run);
    world_close(&w);
}

/* persons_max, at it and one past. */
static struct stile_str crowd(struct world *w, unsigned count)
{
    struct stile_buf out;
    stile_buf_init(&out, 1u << 22);
    stile_buf_addc(&out, "{\"resourceType\":\"Bundle\",\"type\":"
                         "\"collection\",\"entry\":[");
    for (unsigned i = 0; i < count; i++) {
        stile_buf_printf(&out,
                         "%s{\"resource\":{\"resourceType\":\"Patient\","
                         "\"id\":\"p%u\"}}",
                         i > 0 ? "," : "", i);
    }
    stile_buf_addc(&out, "]}");
    struct stile_str made = stile_arena_str(w->arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return made;
}

Test(exchange_message, as_many_persons_as_one_may_be_about)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    w.plan.persons_max = 12;
    world_run_message(&w, "fhir-json", "fhir", crowd(&w, 12), &run);
    cr_assert_eq(run.begun, STILE_OK);
    cr_assert_eq(run.accept.message_count, 12);
    world_end(&run);
    refused(&w, crowd(&w, 13), "X103", STILE_LIMIT);
    world_close(&w);
}

/* A crowd is turned away before it costs anything. */
Test(exchange_message, far_more_persons_are_refused_at_once, .timeout = 30)
{
    struct world w;
    open_trust(&w);
    refused(&w, crowd(&w, 60000), "X103", STILE_LIMIT);
    world_close(&w);
}

/* ---- deletions
 * --------------------------------------------------------------- */

#define DELETION(url)                                                          \
    "{\"request\":{\"method\":\"DELETE\",\"url\":\"" url "\"}}"

Test(exchange_message, a_deletion_goes_with_its_person)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_message(
        &w, "fhir-json", "fhir",
        STILE_STR(BUNDLE(PATIENT("\"id\":\"1\",",
                                 "9990001006") "," DELETION("Observation/o9"))),
        &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.row_count, 1); /* its own records */
    cr_assert(world_has(run.accept.rows[0].body,
                        "{\"request\":{\"method\":\"DELETE\",\"url\":"
                        "\"Observation/o9\"}}"));
    world_end(&run);
    /* Whose it is cannot be told. */
    refused(&w,
            STILE_STR(BUNDLE(PATIENT("\"id\":\"1\",", "9990001006") "," PATIENT(
                "\"id\":\"2\",", "9990002371") "," DELETION("Observation/o9"))),
            "X105", STILE_INVALID);
    world_close(&w);
}

Test(exchange_message, a_deletion_alone_is_delivered_inward_and_no_further)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_message(&w, "fhir-json", "fhir",
                      STILE_STR(BUNDLE(DELETION("Observation/o9"))), &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.row_count, 1);
    cr_assert(stile_str_eqc(run.accept.rows[0].route, "to-records"));
    cr_assert_eq(world_entries(&run, "\"type\":\"denial\""), 1);
    world_end(&run);
    world_close(&w);
}

/* ---- cases and sheets
 * -------------------------------------------------------- */

Test(exchange_message, a_case_becomes_fhir)
{
    struct world w;
    struct trip_run run;
    open_charity(&w);
    world_fact(&w, NHS, "consent-to-share", "RZ9", STILE_YES,
               "2026-03-01T09:00:00Z");
    world_run_sample(&w, "vcse-json", "vcse-case", "charity-case.json", &run);
    cr_assert_eq(run.begun, STILE_OK);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.row_count, 1);
    cr_assert(
        stile_str_eqc(run.accept.rows[0].media_type, "application/fhir+json"));
    cr_assert(world_has(run.accept.rows[0].body, "\"type\":\"transaction\""));
    world_every_row_is_entered(&run);
    world_end(&run);
    world_close(&w);
}

/* The agreement on case updates names plans, contacts and scores. What the case
 * says of crisis, risk, safeguarding and the rest is mapped, and stays. */
Test(exchange_message, what_no_agreement_names_stays_of_a_case)
{
    static const char *const tables[] = {"crisis",   "circumstance",
                                         "risk",     "safeguarding",
                                         "signpost", "handoff"};
    static const char *const inside[] = {"Letters stay unopened",
                                         "07700 900789",
                                         "Lives alone",
                                         "77176002",
                                         "A lender comes",
                                         "W9",
                                         "A bed",
                                         "rang in",
                                         "Furniture Bank",
                                         "RiskAssessment",
                                         "Flag",
                                         "Communication"};
    struct world w;
    struct trip_run run;
    open_charity(&w);
    world_fact(&w, NHS, "consent-to-share", "RZ9", STILE_YES,
               "2026-03-01T09:00:00Z");
    world_run_sample(&w, "vcse-json", "vcse-case", "charity-case.json", &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.quarantine_count, 0);
    cr_assert_eq(run.accept.row_count, 1);
    struct stile_str body = run.accept.rows[0].body;
    cr_expect(world_has(body, "\"CarePlan\"")); /* the plan itself goes */
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "\"%s.", tables[i]);
        cr_expect_not(world_has(body, id), "%s", tables[i]);
    }
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        cr_expect_not(world_has(body, inside[i]), "%s", inside[i]);
    }
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, a_row_that_refers_to_nothing_is_put_aside)
{
    struct world w;
    struct trip_run run;
    open_charity(&w);
    world_run_sample(&w, "vcse-json", "vcse-case",
                     "charity-case-broken-link.json", &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert(world_finding(&run, "X106"));
    cr_assert_gt(run.accept.quarantine_count, 0);
    cr_assert_eq(run.accept.held_count, 0); /* nothing more will come */
    cr_assert_eq(run.begun, STILE_OK);      /* the rest goes on */
    world_end(&run);
    world_close(&w);
}

/* A sitting of DIALOG is one resource: with one row of it that cannot be used
 * no part of it goes on, and all its rows are kept. */
Test(exchange_message, a_group_is_put_aside_whole)
{
    struct world w;
    struct trip_run run;
    open_charity(&w);
    struct stile_str bytes =
        swap(&w, "charity-case.json", "\"score\": \"2\"", "\"score\": \"9\"");
    world_run_message(&w, "vcse-json", "vcse-case", bytes, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert(world_finding(&run, "T109"));
    cr_assert_eq(run.accept.quarantine_count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert(world_has(run.accept.quarantine[i].bytes, "dialog"));
        cr_assert(world_has(run.accept.quarantine[i].reason, "T109"));
    }
    for (size_t i = 0; i < run.accept.row_count; i++) {
        cr_assert(!world_has(run.accept.rows[i].body, "dialog"));
    }
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, broken_rows_of_a_sheet_do_not_stop_the_others)
{
    struct world w;
    struct trip_run run;
    open_charity(&w);
    world_run_sample(&w, "vcse-csv", "vcse-case", "charity-cases.csv", &run);
    cr_assert_eq(run.begun, STILE_OK);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.quarantine_count, 1);
    cr_assert_gt(run.accept.quarantine[0].reason.len, 0);
    cr_assert_gt(run.accept.quarantine[0].bytes.len, 0);
    /* Who said no, or yes to codes only, is not heard as a yes. */
    cr_assert_gt(run.accept.row_count, 0);
    cr_assert_gt(world_entries(&run, "\"type\":\"denial\""), 0);
    world_every_row_is_entered(&run);
    world_says_nothing_of(&run, "9990002371");
    world_says_nothing_of(&run, "Fixture");
    world_end(&run);
    world_close(&w);
}

/* Two numbers for one person of many: that one stays, the others go on. */
Test(exchange_message, a_person_with_two_numbers_does_not_stop_the_others)
{
    struct world w;
    struct trip_run run;
    open_charity(&w);
    struct stile_str bytes = swap(&w, "charity-cases.csv", "P-0202", "P-0201");
    world_run_message(&w, "vcse-csv", "vcse-case", bytes, &run);
    cr_assert_eq(run.begun, STILE_OK);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert(world_finding(&run, "V326"));
    cr_assert(stile_str_eq(
        run.accept.quarantine[run.accept.quarantine_count - 1].bytes, bytes));
    cr_assert_gt(run.accept.row_count, 0);
    for (size_t i = 0; i < run.accept.row_count; i++) {
        cr_assert(!world_has(run.accept.rows[i].body, "9990002371"));
        cr_assert(!world_has(run.accept.rows[i].body, "9990003742"));
    }
    for (size_t i = 0; i < run.accept.fact_count; i++) {
        cr_assert(!stile_str_eqc(run.accept.facts[i].person, "9990002371"));
        cr_assert(!stile_str_eqc(run.accept.facts[i].person, "9990003742"));
    }
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, a_sheet_of_broken_rows_leads_nowhere)
{
    struct world w;
    struct trip_run run;
    open_charity(&w);
    world_run_sample(&w, "vcse-csv", "vcse-case", "charity-cases-damaged.csv",
                     &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_gt(run.accept.quarantine_count, 0);
    cr_assert_eq(run.accept.entry_count, 1);
    world_says_nothing_of(&run, "Tester");
    world_end(&run);
    world_close(&w);
}

/* ---- memory ----------------------------------------------------------------
 */

/* However little memory there is, the outcome is whole or there is none. */
Test(exchange_message, memory_that_runs_out_leaves_no_half_outcome)
{
    struct world w;
    struct trip_run run;
    open_trust(&w);
    size_t whole = 0, none = 0;
    for (size_t bytes = 4096; whole < 3; bytes += bytes / 3) {
        w.arena_bytes = bytes;
        world_run_sample(&w, "fhir-json", "fhir", "referral-message.json",
                         &run);
        if (run.finished == STILE_OK) {
            cr_assert_eq(run.accept.row_count, 2, "at %zu", bytes);
            cr_assert_eq(run.accept.message_count, 1);
            cr_assert_gt(run.accept.messages[0].body.len, 0);
            world_every_row_is_entered(&run);
            whole++;
        } else {
            cr_assert(run.finished == STILE_LIMIT ||
                          run.finished == STILE_NOMEM,
                      "%d at %zu", (int)run.finished, bytes);
            cr_assert_eq(run.accept.row_count, 0);
            cr_assert_eq(run.accept.entry_count, 0);
            none++;
        }
        world_end(&run);
    }
    cr_assert_gt(none, 10);
    world_close(&w);
}

/* Two cases of one person in a sheet: one Patient goes, and both cases. */
Test(exchange_message, a_person_with_two_cases_is_sent_once)
{
    struct world w;
    struct trip_run run;
    open_charity(&w);
    struct stile_str bytes = STILE_STR(
        "person_ref,nhs_number,given_name,family_name,birth_date,case_ref,"
        "service_name,received_at,status,share\r\n"
        "P-1,9990002371,Testina,Fixture,1984-11-23,C-1,Debt advice,"
        "2026-02-03 09:00,active,all\r\n"
        "P-1,,Testina,Fixture,1984-11-23,C-2,Housing advice,"
        "2026-02-04 09:00,active,all\r\n");
    world_run_message(&w, "vcse-csv", "vcse-case", bytes, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.quarantine_count, 0);
    cr_assert_eq(run.accept.row_count, 1);
    struct stile_str body = run.accept.rows[0].body;
    struct stile_str url = STILE_STR("\"url\":\"Patient/P-1\"");
    size_t at = stile_str_find_str(body, url);
    cr_assert_neq(at, SIZE_MAX);
    cr_assert_eq(stile_str_find_str(stile_str_sub(body, at + 1, SIZE_MAX), url),
                 SIZE_MAX);
    cr_assert(world_has(body, "9990002371"));
    cr_assert(world_has(body, "ServiceRequest/C-1"));
    cr_assert(world_has(body, "ServiceRequest/C-2"));
    world_end(&run);
    world_close(&w);
}

Test(exchange_message, a_key_twice_and_a_table_no_mapping_reads_are_told)
{
    struct world w;
    struct trip_run run;
    open_charity(&w);
    struct stile_str bytes =
        swap(&w, "charity-case.json", "\"contact\": [",
             "\"group\": [{\"group_ref\": \"G-1\"}, {\"group_ref\": "
             "\"G-1\"}, {\"group_ref\": \"G-2\"}],\n  \"contact\": [");
    world_run_message(&w, "vcse-json", "vcse-case", bytes, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert(world_finding(&run, "V213"));
    cr_assert(world_finding(&run, "X115"));
    cr_assert_eq(run.accept.quarantine_count, 1);
    /* A row that was not read may have been a refusal. */
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_gt(world_entries(&run, "\"type\":\"denial\""), 0);
    world_end(&run);
    world_close(&w);
}
