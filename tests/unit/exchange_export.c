/* Exports: a person's whole record each time, of which only changes leave. */
#include <criterion/criterion.h>

#include "unit/exchange_world.h"

#define PATIENT_ID "5b2a1e10-0000-4000-8000-000000000001"
#define PATIENT "{5B2A1E10-0000-4000-8000-000000000001}"
#define PRACTICE "{5B2A1E10-0000-4000-8000-0000000000AA}"
#define TRUST "{5B2A1E10-0000-4000-8000-0000000000AC}"
#define NHS "9990000115"
#define READING "{5B2A1E10-0000-4000-8000-0000000000B%u}"

struct record {
    struct stile_row rows[16];
    size_t count;
};

static void open_practice(struct world *w)
{
    world_open(w, "A99901", "gp-practice");
    world_route(w, "to-trust", "sender", WORLD_TRUST, "fhir-json",
                "individual-care", "DSA-2026-001");
    world_fact(w, NHS, "care-relationship", "RZ9", STILE_YES, NULL);
    world_mirror(w, world_row(w, "Admin_Organisation", "OrganisationGuid",
                              PRACTICE, "ODSCode", "A99901", NULL));
    world_mirror(w, world_row(w, "Coding_ClinicalCode", "CodeId", "1",
                              "SnomedCTConceptId", "271649006", "Term",
                              "Systolic blood pressure", NULL));
}

static void add_patient(struct world *w, struct record *r, const char *nhs)
{
    r->rows[r->count++] =
        world_row(w, "Admin_Patient", "PatientGuid", PATIENT,
                  "OrganisationGuid", PRACTICE, "NhsNumber", nhs, "Surname",
                  MARK, "GivenName", "Synthia", "DateOfBirth", "1961-02-03",
                  "Sex", "F", "DummyType", "false", "Deleted", "false", NULL);
}

static const char *reading_guid(struct world *w, unsigned i)
{
    return stile_arena_cstr(w->arena, stile_arena_printf(w->arena, READING, i));
}

static void add_reading(struct world *w, struct record *r, unsigned i,
                        const char *value, const char *code)
{
    r->rows[r->count++] = world_row(
        w, "CareRecord_Observation", "ObservationGuid", reading_guid(w, i),
        "PatientGuid", PATIENT, "OrganisationGuid", PRACTICE, "CodeId", code,
        "EffectiveDate", "2026-03-02", "EffectiveDatePrecision", "YMD", "Value",
        value, "IsConfidential", "false", NULL);
}

#define HIDDEN "94218"

static void add_confidential(struct world *w, struct record *r, unsigned i)
{
    r->rows[r->count++] = world_row(
        w, "CareRecord_Observation", "ObservationGuid", reading_guid(w, i),
        "PatientGuid", PATIENT, "OrganisationGuid", PRACTICE, "CodeId", "1",
        "EffectiveDate", "2026-03-02", "EffectiveDatePrecision", "YMD", "Value",
        HIDDEN, "IsConfidential", "true", NULL);
}

static void add_problem(struct world *w, struct record *r, unsigned i)
{
    r->rows[r->count++] = world_row(
        w, "CareRecord_Problem", "ObservationGuid", reading_guid(w, i),
        "PatientGuid", PATIENT, "OrganisationGuid", PRACTICE,
        "ProblemStatusDescription", "Active Problem", NULL);
}

static struct stile_str only_body(const struct trip_run *run)
{
    cr_assert_eq(run->accept.row_count, 1, "%zu rows", run->accept.row_count);
    return run->accept.rows[0].body;
}

static size_t puts_of(struct stile_str body, const char *what)
{
    size_t n = 0, at;
    while ((at = stile_str_find_str(body, stile_str_cstr(what))) != SIZE_MAX) {
        body = stile_str_sub(body, at + 1, SIZE_MAX);
        n++;
    }
    return n;
}

#define DELETES "\"method\":\"DELETE\""
#define PUTS "\"method\":\"PUT\""

Test(exchange_export, a_record_asks_for_what_it_shares_and_leaves_whole)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    add_reading(&w, &r, 2, "140", "1");
    add_problem(&w, &r, 1);
    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(run.begun, STILE_OK);
    cr_assert_eq(run.finished, STILE_OK);
    /* The practice and one code, each once, then the person. */
    cr_assert_eq(run.asked_rows, 2);
    cr_assert_eq(run.rounds, 2);
    struct stile_str body = only_body(&run);
    cr_assert_eq(puts_of(body, PUTS), 4);
    cr_assert_eq(puts_of(body, "271649006"), 3);
    cr_assert_eq(run.accept.sent_count, 4);
    cr_assert_eq(run.accept.fact_count, 0); /* nothing of an export is kept */
    cr_assert_eq(run.accept.source.len, 0);
    cr_assert(stile_str_eqc(run.accept.clear_feed, "sender"));
    cr_assert(stile_str_eqc(run.accept.clear_person, "{person}"));
    cr_assert_eq(run.accept.clear_batch, 7);
    world_every_row_is_entered(&run);
    world_says_nothing_of(&run, MARK);
    world_says_nothing_of(&run, NHS);
    world_says_nothing_of(&run, PATIENT_ID);
    world_end(&run);
    world_close(&w);
}

Test(exchange_export, only_changes_leave)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0}, later = {.count = 0};
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    add_reading(&w, &r, 2, "140", "1");
    world_run_export(&w, r.rows, r.count, &run);
    world_keep_marks(&w, &run);
    world_end(&run);

    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(run.accept.row_count, 0); /* as it was: nothing */
    cr_assert_eq(run.accept.sent_count, 0);
    cr_assert_eq(run.accept.message_count, 0);
    world_end(&run);

    add_patient(&w, &later, NHS);
    add_reading(&w, &later, 1, "150", "1");
    add_reading(&w, &later, 2, "140", "1");
    world_run_export(&w, later.rows, later.count, &run);
    struct stile_str body = only_body(&run);
    cr_assert_eq(puts_of(body, PUTS), 2); /* the Patient goes along */
    cr_assert(world_has(body, "150"));
    cr_assert(!world_has(body, "140"));
    world_end(&run);
    world_close(&w);
}

/* A rule may let the recipient know that items stayed (SEN-CONF does); not
 * which, and not how many. The note is one resource, put, kept and taken back
 * like another. */
Test(exchange_export, that_items_stayed_is_told_where_it_may_be)
{
    struct world w;
    struct trip_run run = {0};
    struct record one = {.count = 0}, two = {.count = 0}, none = {.count = 0};
    open_practice(&w);
    add_patient(&w, &one, NHS);
    add_reading(&w, &one, 1, "135", "1");
    add_confidential(&w, &one, 2);
    world_run_export(&w, one.rows, one.count, &run);
    struct stile_str body = only_body(&run);
    cr_assert_eq(puts_of(body, PUTS), 3);
    cr_assert_eq(puts_of(body, "\"resourceType\":\"List\""), 1);
    cr_assert(world_has(body, "Extension-UKCore-ListWarningCode"));
    cr_assert(world_has(body, "\"code\":\"confidential-items\""));
    cr_assert(!world_has(body, HIDDEN));
    world_every_row_is_entered(&run);
    world_says_nothing_of(&run, MARK);
    world_keep_marks(&w, &run);
    world_end(&run);

    /* Two stay as one does: nothing changes for the recipient. */
    two = one;
    add_confidential(&w, &two, 3);
    world_run_export(&w, two.rows, two.count, &run);
    cr_assert_eq(run.accept.row_count, 0);
    world_end(&run);

    add_patient(&w, &none, NHS);
    add_reading(&w, &none, 1, "135", "1");
    world_run_export(&w, none.rows, none.count, &run);
    body = only_body(&run);
    cr_assert_eq(puts_of(body, DELETES), 1);
    cr_assert(world_has(body, "\"url\":\"List/withheld-"));
    world_end(&run);
    world_close(&w);
}

/* What was sent and is no longer there is deleted, now and when the row is
 * decided a second time. */
static void send_two_then_one(struct world *w, struct trip_run *run)
{
    struct record both = {.count = 0}, one = {.count = 0};
    add_patient(w, &both, NHS);
    add_reading(w, &both, 1, "135", "1");
    add_reading(w, &both, 2, "140", "1");
    world_run_export(w, both.rows, both.count, run);
    world_keep_marks(w, run);
    world_end(run);
    add_patient(w, &one, NHS);
    add_reading(w, &one, 1, "135", "1");
    world_run_export(w, one.rows, one.count, run);
}

static enum stile_status decide_again(struct world *w,
                                      const struct trip_run *run,
                                      const struct stile_stored_fact *facts,
                                      size_t count, struct stile_str *body,
                                      struct stile_str *entry)
{
    cr_assert_eq(run->accept.message_count, 1);
    struct stile_again again = {.kept = run->accept.messages[0].body,
                                .route = STILE_STR("to-trust"),
                                .message_id = run->accept.messages[0].id,
                                .facts = facts,
                                .fact_count = count,
                                .epoch = 9,
                                .now = run->message.now + 3600 * STILE_SECOND};
    return stile_exchange_again(&w->plan, &again, &w->keys, run->arena, body,
                                entry);
}

#define GONE_2 "Observation/5b2a1e10-0000-4000-8000-0000000000b2"

Test(exchange_export, what_vanished_is_deleted_there)
{
    struct world w;
    struct trip_run run = {0};
    struct stile_str body, entry;
    open_practice(&w);
    send_two_then_one(&w, &run);
    cr_assert_eq(puts_of(only_body(&run), DELETES), 1);
    cr_assert(world_has(only_body(&run), GONE_2));
    cr_assert_eq(run.accept.sent_count, 1);
    struct stile_digest zero = {{0}};
    cr_assert(stile_digest_eq(&run.accept.sent[0].digest, &zero));
    world_every_row_is_entered(&run);

    cr_assert_eq(decide_again(&w, &run, w.known[0].facts, w.known[0].count,
                              &body, &entry),
                 STILE_OK);
    cr_assert_eq(puts_of(body, DELETES), 1);
    cr_assert(world_has(body, GONE_2));
    cr_assert(world_has(entry, "\"type\":\"decided-again\""));

    /* Nobody may see the record any more: the deletion goes alone. */
    cr_assert_eq(decide_again(&w, &run, NULL, 0, &body, &entry), STILE_OK);
    cr_assert_eq(puts_of(body, DELETES), 1);
    cr_assert_eq(puts_of(body, PUTS), 0);
    cr_assert(!world_has(body, MARK));
    world_keep_marks(&w, &run);
    world_end(&run);

    struct record one = {.count = 0};
    add_patient(&w, &one, NHS);
    add_reading(&w, &one, 1, "135", "1");
    world_run_export(&w, one.rows, one.count, &run);
    cr_assert_eq(run.accept.row_count, 0); /* it is deleted once */
    world_end(&run);
    world_close(&w);
}

Test(exchange_export, of_a_person_who_is_gone_all_is_deleted)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    struct stile_str body, entry;
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    world_run_export(&w, r.rows, r.count, &run);
    world_keep_marks(&w, &run);
    world_end(&run);

    run.message.gone = true; /* the mirror keeps the row's last cells */
    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(puts_of(only_body(&run), DELETES), 2);
    cr_assert_eq(puts_of(only_body(&run), PUTS), 0);
    cr_assert(!world_has(only_body(&run), MARK));
    cr_assert_eq(world_entries(&run, "\"type\":\"deletion\""), 1);
    world_every_row_is_entered(&run);
    /* Decided again, with every yes there is: still nothing but deletions. */
    cr_assert_eq(decide_again(&w, &run, w.known[0].facts, w.known[0].count,
                              &body, &entry),
                 STILE_OK);
    cr_assert_eq(puts_of(body, DELETES), 2);
    cr_assert_eq(puts_of(body, PUTS), 0);
    cr_assert(!world_has(run.accept.messages[0].body, MARK));
    world_end(&run);
    world_close(&w);
}

Test(exchange_export, a_denial_still_deletes_what_vanished)
{
    struct world w;
    struct trip_run run = {0};
    open_practice(&w);
    struct record both = {.count = 0}, one = {.count = 0};
    add_patient(&w, &both, NHS);
    add_reading(&w, &both, 1, "135", "1");
    add_reading(&w, &both, 2, "140", "1");
    world_run_export(&w, both.rows, both.count, &run);
    world_keep_marks(&w, &run);
    world_end(&run);

    w.known[0].count = 0; /* no reason to share any more */
    add_patient(&w, &one, NHS);
    add_reading(&w, &one, 1, "170", "1");
    world_run_export(&w, one.rows, one.count, &run);
    cr_assert_eq(world_entries(&run, "\"type\":\"denial\""), 1);
    cr_assert_eq(puts_of(only_body(&run), DELETES), 1);
    cr_assert_eq(puts_of(only_body(&run), PUTS), 0);
    cr_assert(!world_has(only_body(&run), "170"));
    world_every_row_is_entered(&run);
    world_end(&run);
    world_close(&w);
}

Test(exchange_export, a_denial_alone_is_an_entry_and_no_row)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    open_practice(&w);
    w.known[0].count = 0;
    add_patient(&w, &r, NHS);
    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.sent_count, 0);
    cr_assert_eq(world_entries(&run, "\"type\":\"denial\""), 1);
    cr_assert(stile_str_eqc(run.accept.clear_person, "{person}"));
    world_end(&run);
    world_close(&w);
}

static const struct stile_held_row *held_of(const struct trip_run *run,
                                            const char *table)
{
    const struct stile_held_row *found = NULL;
    for (size_t i = 0; i < run->accept.held_count; i++) {
        if (stile_str_eqc(run->accept.held[i].table, table)) {
            found = &run->accept.held[i];
        }
    }
    cr_assert_not_null(found, "nothing of %s waits", table);
    return found;
}

Test(exchange_export, a_row_waits_for_the_row_it_needs)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    add_reading(&w, &r, 2, "140", "77"); /* a code nobody sent yet */
    add_problem(&w, &r, 3);              /* its observation neither */
    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.held_count, 2);
    const struct stile_held_row *reading =
        held_of(&run, "CareRecord_Observation");
    cr_assert(stile_str_eqc(reading->feed, "sender"));
    cr_assert(stile_str_starts(reading->key, STILE_STR(PATIENT "\x1f")));
    cr_assert(
        stile_str_ends(reading->key, stile_str_cstr(reading_guid(&w, 2))));
    cr_assert(stile_str_eqc(reading->missing, "Coding_ClinicalCode\x1f"
                                              "77"));
    cr_assert(stile_str_eqc(reading->reason, "code row not received yet"));
    cr_assert_eq(reading->since, run.message.now);
    const struct stile_held_row *problem = held_of(&run, "CareRecord_Problem");
    cr_assert(stile_str_eqc(
        problem->missing,
        stile_arena_cstr(
            w.arena, stile_arena_printf(w.arena, "CareRecord_Observation\x1f%s",
                                        reading_guid(&w, 3)))));
    cr_assert(world_event(&run, STILE_EVENT_HELD, "code row not received"));
    /* What waits may be a refusal: until it is read nothing goes. */
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_gt(world_entries(&run, "\"type\":\"denial\""), 0);
    world_end(&run);
    world_close(&w);
}

/* EMIS deletes a problem's or a referral's observation, and no more. */
Test(exchange_export, a_row_whose_row_was_deleted_is_gone_with_it)
{
    struct world w;
    struct trip_run run = {0};
    struct record before = {.count = 0}, now = {.count = 0},
                  deleted = {.count = 0};
    open_practice(&w);
    add_patient(&w, &before, NHS);
    add_reading(&w, &before, 1, "135", "1");
    add_reading(&w, &before, 2, "140", "1");
    add_problem(&w, &before, 2);
    world_run_export(&w, before.rows, before.count, &run);
    cr_assert(world_has(only_body(&run), "\"url\":\"Condition/"));
    world_keep_marks(&w, &run);
    world_end(&run);
    add_patient(&w, &now, NHS);
    add_reading(&w, &now, 1, "135", "1");
    add_problem(&w, &now, 2);
    add_reading(&w, &deleted, 2, "140", "1");
    run.message.deleted_rows = deleted.rows;
    run.message.deleted_row_count = deleted.count;
    world_run_export(&w, now.rows, now.count, &run);
    cr_assert_eq(run.accept.held_count, 0);
    cr_assert(world_has(only_body(&run),
                        "\"method\":\"DELETE\",\"url\":\"Condition/"));
    cr_assert(world_has(only_body(&run),
                        "\"method\":\"DELETE\",\"url\":\"Observation/"));
    world_end(&run);
    /* That of another does not let it go. */
    deleted.count = 0;
    add_reading(&w, &deleted, 1, "140", "1");
    run.message.deleted_rows = deleted.rows;
    run.message.deleted_row_count = deleted.count;
    world_run_export(&w, now.rows, now.count, &run);
    cr_assert_eq(run.accept.held_count, 1);
    cr_assert_not(world_has(only_body(&run), "Condition/"));
    world_end(&run);
    world_close(&w);
}

/* A row that waits may be any of its type: none of that type is deleted. */
Test(exchange_export, what_waits_is_not_called_deleted)
{
    struct world w;
    struct trip_run run = {0};
    struct record both = {.count = 0}, waits = {.count = 0};
    open_practice(&w);
    add_patient(&w, &both, NHS);
    add_reading(&w, &both, 1, "135", "1");
    add_reading(&w, &both, 2, "140", "1");
    world_run_export(&w, both.rows, both.count, &run);
    world_keep_marks(&w, &run);
    world_end(&run);
    add_patient(&w, &waits, NHS);
    add_reading(&w, &waits, 1, "135", "1");
    add_reading(&w, &waits, 2, "140", "77");
    world_run_export(&w, waits.rows, waits.count, &run);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.held_count, 1);
    world_end(&run);
    world_close(&w);
}

Test(exchange_export, a_bad_row_is_put_aside_and_the_person_waits)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    add_reading(&w, &r, 2, MARK, "1"); /* no number */
    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.quarantine_count, 1);
    cr_assert(
        stile_str_eqc(run.accept.quarantine[0].name, "CareRecord_Observation"));
    cr_assert(world_has(run.accept.quarantine[0].bytes, MARK));
    /* What could not be read may have been a refusal: nothing goes. */
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_gt(world_entries(&run, "\"type\":\"denial\""), 0);
    world_says_nothing_of(&run, MARK);
    world_end(&run);
    world_close(&w);
}

Test(exchange_export, a_record_without_a_usable_patient_stays)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    open_practice(&w);
    add_patient(&w, &r, "9990000116"); /* wrong check digit */
    add_reading(&w, &r, 1, "135", "1");
    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.quarantine_count, 1);
    cr_assert_eq(world_entries(&run, "\"type\":\"no-patient\""), 1);
    world_says_nothing_of(&run, "9990000116");
    world_end(&run);
    world_close(&w);
}

Test(exchange_export, the_same_record_comes_to_the_same_bytes)
{
    struct world w;
    struct trip_run a = {0}, b = {0};
    struct record r = {.count = 0};
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    world_run_export(&w, r.rows, r.count, &a);
    world_run_export(&w, r.rows, r.count, &b);
    world_same(&a, &b);
    world_end(&a);
    world_end(&b);
    world_close(&w);
}

/* What could not be written for a receiver was not sent: no mark says so. */
Test(exchange_export, what_is_too_large_is_put_aside_and_not_called_sent)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    add_reading(&w, &r, 2, "140", "1");
    world_run_export(&w, r.rows, r.count, &run);
    w.plan.json.bytes = only_body(&run).len;
    world_end(&run);
    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(run.accept.row_count, 1); /* at the limit */
    world_end(&run);
    w.plan.json.bytes--;
    world_run_export(&w, r.rows, r.count, &run);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.sent_count, 0);
    cr_assert_eq(run.accept.quarantine_count, 1);
    cr_assert_eq(world_entries(&run, "\"type\":\"quarantine\""), 1);
    world_end(&run);
    world_close(&w);
}

/* ---- look-ups of look-ups
 * ----------------------------------------------------- */

/* A mapping whose row leads to a row that leads to a row, `links` of them. */
static struct trip_run chain(struct world *w, unsigned links)
{
    struct stile_buf tables, map;
    stile_buf_init(&tables, 1u << 16);
    stile_buf_init(&map, 1u << 16);
    stile_buf_addc(&tables, "family chain 1.0\ntable T0 key K person P\n"
                            "    K:s10\n    P:s10\n    N:s10?\n");
    stile_buf_addc(&map, "mapping chain-patient 1\n  left csv T0 of chain 1.0\n"
                         "  right fhir Patient\n");
    for (unsigned i = 1; i <= links; i++) {
        stile_buf_printf(&tables, "table T%u key K\n    K:s10\n    N:s10?\n",
                         i);
        stile_buf_printf(&map, "  lookup l%u = T%u by K = ", i, i);
        if (i > 1) {
            stile_buf_printf(&map, "l%u.", i - 1);
        }
        stile_buf_addc(&map, "N else hold \"not there\"\n");
    }
    stile_buf_printf(&map,
                     "  K <-> id\n  l%u.N -> name[0].family derived\n"
                     "  residue P, N\n",
                     links);
    struct stile_source sources[] = {
        {STILE_STR("chain.tables"),
         stile_arena_str(w->arena, stile_buf_str(&tables))},
        {STILE_STR("chain.map"),
         stile_arena_str(w->arena, stile_buf_str(&map))}};
    stile_buf_release(&tables);
    stile_buf_release(&map);
    struct stile_schema *schema = stile_schema_new(w->arena);
    struct stile_mapset *set = NULL;
    cr_assert_eq(stile_schema_add(schema, &sources[0], &w->diags), STILE_OK);
    enum stile_status status = stile_mapset_compile(
        schema, &sources[1], 1, NULL, 0, w->arena, &w->diags, &set);
    world_print(&w->diags);
    cr_assert_eq(status, STILE_OK);
    w->plan.schema = schema;
    w->plan.maps = set;
    w->row_count = 0;
    for (unsigned i = 1; i <= links; i++) {
        char table[16];
        (void)snprintf(table, sizeof table, "T%u", i);
        world_mirror(w,
                     world_row_of(w, "chain", table, "K", "a", "N", "a", NULL));
    }
    struct stile_row *row = stile_arena_alloc(w->arena, sizeof *row);
    *row = world_row_of(w, "chain", "T0", "K", "a", "P", "p", "N", "a", NULL);
    struct trip_run run = {0};
    run.message.family = STILE_STR("chain");
    world_run_export(w, row, 1, &run);
    return run;
}

Test(exchange_export, a_chain_of_look_ups_is_followed_so_far)
{
    struct world w;
    open_practice(&w);
    struct trip_run run = chain(&w, 7);
    cr_assert_eq(run.begun, STILE_OK);
    cr_assert_eq(run.asked_rows, 7);
    cr_assert_eq(run.rounds, 8); /* each link, then the person */
    cr_assert_eq(run.accept.quarantine_count, 0);
    world_end(&run);

    run = chain(&w, 8);
    cr_assert_eq(run.begun, STILE_LIMIT);
    cr_assert_eq(run.finished, STILE_OK);
    cr_assert(world_finding(&run, "X110"));
    cr_assert_eq(run.accept.row_count, 0);
    cr_assert_eq(run.accept.quarantine_count, 1);
    /* Whose it is, so that a person can find the rows in the mirror. */
    cr_assert(stile_str_eqc(run.accept.quarantine[0].bytes, "{person}"));
    cr_assert(stile_str_eqc(run.accept.clear_person, "{person}"));
    world_end(&run);
    world_close(&w);
}

/* ---- govern twice
 * ------------------------------------------------------------ */

Test(exchange_export, a_row_is_decided_again_by_what_is_known_then)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    struct stile_str body, entry;
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    world_run_export(&w, r.rows, r.count, &run);

    cr_assert_eq(decide_again(&w, &run, w.known[0].facts, w.known[0].count,
                              &body, &entry),
                 STILE_OK);
    cr_assert(stile_str_eq(body, only_body(&run))); /* nothing changed */
    cr_assert(world_has(entry, "\"type\":\"decided-again\""));

    body = entry = STILE_STR_NULL;
    cr_assert_eq(decide_again(&w, &run, NULL, 0, &body, &entry), STILE_DENIED);
    cr_assert_eq(body.len, 0);
    cr_assert(world_has(entry, "\"type\":\"withdrawal\""));
    cr_assert(!world_has(entry, NHS));
    cr_assert(!world_has(entry, MARK));

    body = entry = STILE_STR_NULL;
    w.routes[0].name = STILE_STR("another");
    cr_assert_eq(decide_again(&w, &run, w.known[0].facts, w.known[0].count,
                              &body, &entry),
                 STILE_NOT_FOUND);
    cr_assert_eq(entry.len, 0);
    world_end(&run);
    world_close(&w);
}

Test(exchange_export, what_cannot_be_read_is_not_decided)
{
    struct world w;
    struct stile_str body = STILE_STR_NULL, entry = STILE_STR_NULL;
    open_practice(&w);
    struct stile_again again = {.kept = STILE_STR("{\"family\":"),
                                .route = STILE_STR("to-trust"),
                                .message_id = STILE_STR("m")};
    cr_assert_eq(
        stile_exchange_again(&w.plan, &again, &w.keys, w.arena, &body, &entry),
        STILE_INVALID);
    cr_assert_eq(body.len + entry.len, 0);
    world_close(&w);
}

/* ---- memory
 * ------------------------------------------------------------------ */

Test(exchange_export, memory_that_runs_out_leaves_no_half_outcome)
{
    struct world w;
    struct trip_run run = {0};
    struct record r = {.count = 0};
    open_practice(&w);
    add_patient(&w, &r, NHS);
    add_reading(&w, &r, 1, "135", "1");
    add_reading(&w, &r, 2, "140", "1");
    size_t whole = 0, none = 0;
    for (size_t bytes = 2048; whole < 3; bytes += bytes / 5) {
        w.arena_bytes = bytes;
        world_run_export(&w, r.rows, r.count, &run);
        if (run.finished == STILE_OK) {
            cr_assert_eq(run.accept.row_count, 1, "at %zu", bytes);
            world_every_row_is_entered(&run);
            whole++;
        } else {
            cr_assert_eq(run.accept.row_count, 0);
            cr_assert_eq(run.accept.clear_person.len, 0);
            none++;
        }
        world_end(&run);
    }
    cr_assert_gt(none, 10);
    world_close(&w);
}
