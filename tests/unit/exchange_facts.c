/* What the store knows of a person: for how long it holds, and for whom. */
#include <criterion/criterion.h>

#include "unit/exchange_world.h"

#define NHS "9990001006"

static stile_time at(const char *text)
{
    stile_time time = 0;
    cr_assert(stile_time_parse(stile_str_cstr(text), &time));
    return time;
}

/* ---- bounds ---- */

Test(exchange_facts, a_bounded_fact_holds_from_its_first_instant_to_its_last)
{
    struct stile_stored_fact stored = {.name = STILE_STR("break-glass"),
                                       .value = STILE_YES,
                                       .from = 1000,
                                       .until = 2000};
    cr_assert_eq(stile_stored_fact_at(&stored, 999).value, STILE_UNKNOWN);
    cr_assert_eq(stile_stored_fact_at(&stored, 1000).value, STILE_YES);
    cr_assert_eq(stile_stored_fact_at(&stored, 1999).value, STILE_YES);
    cr_assert_eq(stile_stored_fact_at(&stored, 2000).value, STILE_UNKNOWN);
    cr_assert(stile_stored_facts_end(&stored, 1));
    stored.from = 0;
    cr_assert_eq(stile_stored_fact_at(&stored, -5).value, STILE_YES);
    cr_assert(stile_stored_facts_end(&stored, 1));
    stored.until = 0;
    cr_assert_eq(stile_stored_fact_at(&stored, INT64_MAX).value, STILE_YES);
    cr_assert_not(stile_stored_facts_end(&stored, 1));
    cr_assert_not(stile_stored_facts_end(NULL, 0));
}

static void open_trust(struct world *w)
{
    world_open(w, "RZ9", "trust");
    world_route(w, "to-charity", "sender", WORLD_CHARITY, "vcse-json",
                "social-prescribing", "DSA-2026-003");
}

/* The sample with a period for the person's yes. */
static struct stile_str with_period(struct world *w, const char *period)
{
    struct stile_str text =
        world_slurp(w->arena, "tests/samples/referral-message.json");
    struct stile_str mark = STILE_STR("\"start\": \"2026-03-01\"");
    size_t permit = stile_str_find_str(text, STILE_STR("\"permit\""));
    cr_assert_neq(permit, SIZE_MAX);
    size_t found = permit + stile_str_find_str(
                                stile_str_sub(text, permit, SIZE_MAX), mark);
    return stile_arena_printf(
        w->arena, "%.*s%s%.*s", STILE_FMT(stile_str_sub(text, 0, found)),
        period, STILE_FMT(stile_str_sub(text, found + mark.len, SIZE_MAX)));
}

static const struct stile_stored_fact *learnt(const struct trip_run *run,
                                              const char *name)
{
    for (size_t i = 0; i < run->accept.fact_count; i++) {
        if (stile_str_eqc(run->accept.facts[i].name, name)) {
            return &run->accept.facts[i];
        }
    }
    return NULL;
}

static const struct stile_stored_fact *
yes_of(struct world *w, const char *period, struct trip_run *run)
{
    world_run_message(w, "fhir-json", "fhir", with_period(w, period), run);
    cr_assert_eq(run->finished, STILE_OK);
    return learnt(run, "consent-to-this-recipient");
}

Test(exchange_facts, a_yes_that_will_end_is_kept_with_its_end)
{
    struct world w;
    struct trip_run run = {0};
    open_trust(&w);
    const struct stile_stored_fact *yes =
        yes_of(&w, "\"start\": \"2026-06-01\", \"end\": \"2026-11-21\"", &run);
    cr_assert_not_null(yes);
    cr_assert_eq(yes->value, STILE_YES);
    /* In London, where June is an hour ahead and November is not. */
    cr_assert_eq(yes->from, at("2026-05-31T23:00:00Z"));
    cr_assert_eq(yes->until, at("2026-11-22T00:00:00Z"));
    world_end(&run);
    cr_assert_null(yes_of(&w, "\"end\": \"2026-11-20\"", &run), "it is over");
    world_end(&run);
    cr_assert_null(yes_of(&w, "\"start\": \"2026-11-22\"", &run),
                   "it has not begun");
    world_end(&run);
    world_close(&w);
}

/* The record that said yes says it from another day now: the old yes is not
 * left standing. */
Test(exchange_facts, a_yes_that_was_put_off_is_known_no_more)
{
    struct world w;
    struct trip_run run = {0};
    open_trust(&w);
    const struct stile_stored_fact *yes =
        yes_of(&w, "\"start\": \"2026-03-01\"", &run);
    cr_assert_not_null(yes);
    struct world_facts *known = &w.known[w.known_count++];
    known->person = STILE_STR(NHS);
    known->facts[known->count] = *yes;
    known->facts[known->count++].source = stile_arena_str(w.arena, yes->source);
    world_end(&run);
    yes = yes_of(&w, "\"start\": \"2026-12-01\"", &run);
    cr_assert_not_null(yes);
    cr_assert_eq(yes->value, STILE_UNKNOWN);
    world_end(&run);
    world_close(&w);
}

/* ---- break-glass ---- */

static void tell(struct world *w, const char *name, const char *source,
                 stile_time until)
{
    struct world_facts *known = &w->known[0];
    known->facts[known->count++] =
        (struct stile_stored_fact){.person = known->person,
                                   .name = stile_str_cstr(name),
                                   .recipient = STILE_STR("RZ9"),
                                   .source = stile_str_cstr(source),
                                   .value = STILE_YES,
                                   .date = at("2026-11-21T00:00:00Z"),
                                   .until = until};
}

static void open_helpline(struct world *w)
{
    world_open(w, "VCL05", "voluntary-care");
    world_route(w, "to-trust", "sender", WORLD_TRUST, "fhir-json",
                "individual-care", "DSA-2026-008");
    w->known_count = 1;
    w->known[0].person = STILE_STR(NHS);
}

/* Whether the call goes, and then the privacy officer is told of it. */
static bool goes(struct world *w, const char *source, stile_time until)
{
    struct trip_run run = {0};
    w->known[0].count = 0;
    tell(w, "referral-open", "earlier", 0);
    if (source != NULL) {
        tell(w, "break-glass", source, until);
    }
    world_run_sample(w, "vcse-json", "vcse-case", "charity-case.json", &run);
    cr_assert_eq(run.finished, STILE_OK);
    bool went = run.accept.row_count == 1;
    cr_assert_eq(world_entries(&run, "privacy-officer") > 0, went);
    world_end(&run);
    return went;
}

Test(exchange_facts, a_broken_glass_opens_its_own_agreement_and_no_other)
{
    struct world w;
    open_helpline(&w);
    cr_assert_not(goes(&w, NULL, 0));
    cr_assert(goes(&w, "break-glass|DSA-2026-008|risk-to-life|cg-1", 0));
    cr_assert_not(goes(&w, "break-glass|DSA-2026-00|risk-to-life|cg-1", 0));
    cr_assert_not(goes(&w, "break-glass|DSA-2026-0081|risk-to-life|cg-1", 0));
    cr_assert_not(goes(&w, "break-glass|DSA-2026-008", 0));
    cr_assert_not(goes(&w, "earlier", 0));
    world_close(&w);
}

Test(exchange_facts, a_broken_glass_is_whole_again_when_its_hours_are_over)
{
    struct world w;
    struct trip_run run = {0};
    open_helpline(&w);
    world_run_sample(&w, "vcse-json", "vcse-case", "charity-case.json", &run);
    stile_time now = run.message.now;
    world_end(&run);
    cr_assert(goes(&w, "break-glass|DSA-2026-008|risk-to-life|cg-1", now + 1));
    cr_assert_not(goes(&w, "break-glass|DSA-2026-008|risk-to-life|cg-1", now));
    world_close(&w);
}
