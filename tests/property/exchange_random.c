/* Laws of the exchange on messages nobody wrote. */
#include <criterion/criterion.h>

#include "property/seed.h"
#include "unit/exchange_world.h"

static void open_trust(struct world *w)
{
    world_open(w, "RZ9", "trust");
    world_route(w, "to-charity", "sender", WORLD_CHARITY, "vcse-json",
                "social-prescribing", "DSA-2026-003");
    world_route(w, "to-records", "sender", WORLD_OWN, "fhir-json", "", "");
}

/* What must hold of any outcome. */
static void check_laws(const struct trip_run *run)
{
    cr_assert(run->finished == STILE_OK || run->finished == STILE_LIMIT,
              "finished as %d", (int)run->finished);
    if (run->finished != STILE_OK) {
        cr_assert_eq(run->accept.row_count, 0);
        return;
    }
    cr_assert_gt(run->accept.entry_count, 0);
    world_every_row_is_entered(run);
    world_says_nothing_of(run, MARK);
    if (run->begun != STILE_OK) {
        cr_assert_eq(run->accept.row_count, 0);
        cr_assert_eq(run->accept.fact_count, 0);
        cr_assert_eq(run->accept.quarantine_count, 1);
    }
    for (size_t i = 0; i < run->accept.row_count; i++) {
        cr_assert_gt(run->accept.rows[i].body.len, 0);
        bool kept = false;
        for (size_t m = 0; m < run->accept.message_count; m++) {
            kept = kept || stile_str_eq(run->accept.rows[i].message_id,
                                        run->accept.messages[m].id);
        }
        cr_assert(kept);
    }
}

/* ---- bytes changed on their way --------------------------------------------
 */

static struct stile_str damage(struct stile_arena *arena, struct stile_str from,
                               uint64_t *state)
{
    struct stile_str copy = stile_arena_str(arena, from);
    char *bytes = (char *)(uintptr_t)copy.ptr;
    uint64_t changes = 1 + seed_below(state, 6);
    for (uint64_t i = 0; i < changes; i++) {
        size_t at = (size_t)seed_below(state, copy.len);
        static const char signs[] = "\"{}[],:0aZ/\\ \n-";
        switch (seed_below(state, 3)) {
        case 0:
            bytes[at] = signs[seed_below(state, sizeof signs - 1)];
            break;
        case 1:
            bytes[at] = (char)(bytes[at] ^ (1 << seed_below(state, 7)));
            break;
        default:
            copy.len = seed_below(state, 20) == 0 && at > 0 ? at : copy.len;
            break;
        }
    }
    return copy;
}

static void send_damaged(const char *format, const char *family,
                         const char *sample)
{
    uint64_t state = seed_begin(sample);
    struct world w;
    char path[256];
    (void)snprintf(path, sizeof path, "tests/samples/%s", sample);
    open_trust(&w);
    struct stile_str whole = world_slurp(w.arena, path);
    for (unsigned i = 0; i < 300; i++) {
        struct trip_run run;
        struct stile_arena *arena = stile_arena_new(4u << 20);
        world_run_message(&w, format, family, damage(arena, whole, &state),
                          &run);
        check_laws(&run);
        world_end(&run);
        stile_arena_free(&arena);
    }
    world_close(&w);
}

Test(exchange_random, a_damaged_bundle_leads_to_a_whole_outcome)
{
    send_damaged("fhir-json", "fhir", "referral-message.json");
}

Test(exchange_random, a_damaged_case_leads_to_a_whole_outcome)
{
    send_damaged("vcse-json", "vcse-case", "charity-case.json");
}

Test(exchange_random, a_damaged_sheet_leads_to_a_whole_outcome)
{
    send_damaged("vcse-csv", "vcse-case", "charity-cases.csv");
}

/* ---- who is who, in any order
 * ------------------------------------------------ */

#define PERSONS 4
#define READINGS 12

struct bundle {
    char entries[PERSONS + READINGS][400];
    unsigned whose[READINGS];
    size_t count;
};

/* Patients that come along or not; readings that name their person by
 * reference, by number or by both. A person whom only references name has no
 * number anywhere. */
static void invent(struct bundle *b, uint64_t *state)
{
    char nhs[PERSONS][11];
    bool numbered[PERSONS];
    b->count = 0;
    for (unsigned p = 0; p < PERSONS; p++) {
        world_nhs((unsigned)seed_below(state, 100000) * 8 + p, nhs[p]);
        numbered[p] = seed_below(state, 4) > 0;
        if (seed_below(state, 2) == 0) {
            (void)snprintf(
                b->entries[b->count++], 400,
                "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p%u\"%s"
                "%s%s}}",
                p,
                numbered[p] ? ",\"identifier\":[{\"system\":\"https://"
                              "fhir.nhs.uk/Id/nhs-number\",\"value\":\""
                            : "",
                numbered[p] ? nhs[p] : "", numbered[p] ? "\"}]" : "");
        }
    }
    for (unsigned r = 0; r < READINGS; r++) {
        unsigned p = (unsigned)seed_below(state, PERSONS);
        /* The first of a numbered person says both, so that they are tied. */
        bool first = true;
        for (unsigned k = 0; k < r; k++) {
            first = first && b->whose[k] != p;
        }
        uint64_t how = first ? 2 : seed_below(state, 3);
        bool number = numbered[p] && how != 0;
        bool ref = !number || how == 2;
        b->whose[r] = p;
        char name[32] = "", identifier[120] = "";
        if (ref) {
            (void)snprintf(name, sizeof name, "\"reference\":\"Patient/p%u\"%s",
                           p, number ? "," : "");
        }
        if (number) {
            (void)snprintf(identifier, sizeof identifier,
                           "\"identifier\":{\"system\":\"https://fhir.nhs.uk/"
                           "Id/nhs-number\",\"value\":\"%s\"}",
                           nhs[p]);
        }
        (void)snprintf(b->entries[b->count++], 400,
                       "{\"resource\":{\"resourceType\":\"Observation\","
                       "\"id\":\"r%02u\",\"status\":\"final\",\"code\":"
                       "{\"text\":\"x\"},\"subject\":{%s%s}}}",
                       r, name, identifier);
    }
}

static struct stile_str shuffled(struct stile_arena *arena,
                                 const struct bundle *b, uint64_t *state)
{
    size_t order[PERSONS + READINGS];
    struct stile_buf out;
    stile_buf_init(&out, 1u << 16);
    stile_buf_addc(&out, "{\"resourceType\":\"Bundle\",\"type\":"
                         "\"collection\",\"entry\":[");
    for (size_t i = 0; i < b->count; i++) {
        order[i] = i;
    }
    for (size_t i = b->count; i > 1; i--) {
        size_t k = (size_t)seed_below(state, i), kept = order[i - 1];
        order[i - 1] = order[k];
        order[k] = kept;
    }
    for (size_t i = 0; i < b->count; i++) {
        stile_buf_addc(&out, i > 0 ? "," : "");
        stile_buf_addc(&out, b->entries[order[i]]);
    }
    stile_buf_addc(&out, "]}");
    struct stile_str made = stile_arena_str(arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return made;
}

/* The person whose kept record holds the reading. */
static struct stile_str holder(const struct trip_run *run, unsigned reading)
{
    char id[16];
    struct stile_str found = STILE_STR_NULL;
    (void)snprintf(id, sizeof id, "\"r%02u\"", reading);
    for (size_t m = 0; m < run->accept.message_count; m++) {
        if (world_has(run->accept.messages[m].body, id)) {
            cr_assert_eq(found.len, 0, "r%02u is of two persons", reading);
            found = run->accept.messages[m].person;
        }
    }
    cr_assert_gt(found.len, 0, "r%02u was lost", reading);
    return found;
}

Test(exchange_random, order_never_matters_to_who_is_who)
{
    uint64_t state = seed_begin("who is who");
    struct world w;
    open_trust(&w);
    for (unsigned i = 0; i < 60; i++) {
        struct bundle b;
        struct trip_run one, other;
        struct stile_arena *arena = stile_arena_new(1u << 20);
        invent(&b, &state);
        world_run_message(&w, "fhir-json", "fhir", shuffled(arena, &b, &state),
                          &one);
        world_run_message(&w, "fhir-json", "fhir", shuffled(arena, &b, &state),
                          &other);
        check_laws(&one);
        cr_assert_eq(one.begun, STILE_OK);
        cr_assert_eq(one.accept.message_count, other.accept.message_count);
        for (unsigned r = 0; r < READINGS; r++) {
            cr_assert(stile_str_eq(holder(&one, r), holder(&other, r)));
            for (unsigned k = 0; k < r; k++) {
                cr_assert_eq(stile_str_eq(holder(&one, r), holder(&one, k)),
                             b.whose[r] == b.whose[k], "r%02u and r%02u", r, k);
            }
        }
        world_end(&one);
        world_end(&other);
        stile_arena_free(&arena);
    }
    world_close(&w);
}

/* ---- memory that ends anywhere
 * ------------------------------------------------ */

/* Whatever piece is the first that cannot be had: the outcome is whole, or
 * there is none. */
Test(exchange_random, memory_may_end_anywhere)
{
    uint64_t state = seed_begin("memory");
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &run);
    size_t enough = stile_arena_used(run.arena), none = 0;
    world_end(&run);
    for (unsigned i = 0; i < 400; i++) {
        w.arena_bytes = (size_t)seed_below(&state, enough + 4096);
        world_run_sample(&w, "fhir-json", "fhir", "referral-message.json",
                         &run);
        if (run.finished == STILE_OK) {
            cr_assert_eq(run.accept.row_count, 2);
            cr_assert_gt(run.accept.messages[0].body.len, 0);
        } else {
            none++;
        }
        if (run.exchange != NULL) {
            check_laws(&run);
        }
        world_end(&run);
    }
    cr_assert_gt(none, 200);
    world_close(&w);
}

Test(exchange_random, memory_may_end_anywhere_in_the_second_decision)
{
    uint64_t state = seed_begin("memory again");
    struct world w;
    struct trip_run run;
    open_trust(&w);
    world_run_sample(&w, "fhir-json", "fhir", "referral-message.json", &run);
    struct stile_again again = {.kept = run.accept.messages[0].body,
                                .route = STILE_STR("to-charity"),
                                .message_id = run.accept.messages[0].id,
                                .now = run.message.now};
    size_t none = 0;
    for (unsigned i = 0; i < 400; i++) {
        struct stile_arena *arena = stile_arena_new(
            (size_t)seed_below(&state, i < 20 ? 1u << 22 : 1u << 18));
        struct stile_str body = STILE_STR_NULL, entry = STILE_STR_NULL;
        enum stile_status status = stile_exchange_again(
            &w.plan, &again, &w.keys, arena, &body, &entry);
        if (status == STILE_OK) {
            cr_assert_gt(body.len, 0);
            cr_assert_gt(entry.len, 0);
        } else {
            cr_assert(status == STILE_LIMIT || status == STILE_NOMEM, "%d",
                      (int)status);
            none++;
        }
        stile_arena_free(&arena);
    }
    cr_assert_gt(none, 0);
    world_end(&run);
    world_close(&w);
}
