/*
 * Properties over random facts and records, decided by the shipped rules and
 * by the shipped rules with one more. A failing run prints its seed; set
 * STILE_SEED to run it again.
 */
#include "unit/govern_help.h"

#include <criterion/criterion.h>

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    /* splitmix64 */
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % below);
}

static uint64_t seed_of(void)
{
    const char *text = getenv("STILE_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : UINT64_C(20261121);

    cr_log_info("seed %llu", (unsigned long long)seed);
    state = seed;
    return seed;
}

static const char *const fact_names[] = {"spine-sensitive",
                                         "record-confidential",
                                         "deceased",
                                         "under-16",
                                         "adopted",
                                         "unable-to-consent",
                                         "dissent-local-sharing",
                                         "dissent-third-party",
                                         "type-1",
                                         "national-opt-out"};
static const char *const pair_names[] = {
    "consent-to-this-recipient", "consent-to-share",
    "consent-codes-only",        "referral-open",
    "care-relationship",         "self-claimed"};
#define PERSON_FACTS 10
#define PAIR_FACTS 6

struct route {
    const char *sender, *recipient, *kind, *purpose, *agreement;
};
static const struct route routes[] = {
    {"A99901", "RZ9", "trust", "individual-care", "DSA-2026-001"},
    {"A99901", "VCS07", "voluntary-non-care", "social-prescribing",
     "DSA-2026-002"},
    {"RZ9", "VCS07", "voluntary-non-care", "social-prescribing",
     "DSA-2026-003"},
    {"VCS07", "RZ9", "trust", "individual-care", "DSA-2026-004"}};
static const char *const families[] = {"emis", "systmone", "vcse-case", "fhir"};

#define SCT "\"system\":\"http://snomed.info/sct\",\"code\":\"38341003\""
#define DEMO(code)                                                             \
    "\"system\":\"https://stile.example/demo-codes\",\"code\":\"" code "\""

/* Each string that a record may carry holds the marker of its item. */
static void add_item(struct stile_buf *buf, size_t i)
{
    static const char *const codings[] = {SCT,
                                          SCT,
                                          DEMO("DEMO-SH"),
                                          DEMO("DEMO-DA"),
                                          DEMO("DEMO-GH"),
                                          "\"code\":\"local\""};
    static const char *const types[] = {"Observation", "Condition",
                                        "ServiceRequest", "Encounter"};
    uint32_t type = draw(4);
    uint32_t other = draw((uint32_t)i + 1);

    stile_buf_printf(
        buf,
        ",{\"resourceType\":\"%s\",\"id\":\"mark%zu-id\",%s\"status\":\"%s\","
        "\"subject\":{\"reference\":\"Patient/p\",\"display\":\"markp-name\"},"
        "\"code\":{\"coding\":[{%s,\"display\":\"mark%zu-display\"}],\"text\":"
        "\"mark%zu-text\"},\"note\":[{\"text\":\"mark%zu-note\"}],"
        "\"performer\":[{\"display\":\"mark%zu-performer\"}],"
        "\"extension\":[{\"url\":\"mark%zu-url\",\"valueString\":"
        "\"mark%zu-extension\"}]",
        types[type], i,
        draw(5) ? "" : "\"meta\":{\"security\":[{\"code\":\"R\"}]},",
        type == 2 ? "active" : "final", codings[draw(6)], i, i, i, i, i, i);
    if (other < i) {
        static const char *const links[] = {"encounter", "partOf",
                                            "reasonReference", "basedOn"};
        static const char *const kinds[] = {"Observation", "Condition",
                                            "ServiceRequest", "Encounter"};
        stile_buf_printf(buf,
                         ",\"%s\":{\"reference\":\"%s/mark%u-id\","
                         "\"display\":\"mark%u-link\"}",
                         links[draw(4)], kinds[draw(4)], other, other);
    }
    stile_buf_byte(buf, '}');
}

#define ITEMS 6

static struct stile_str draw_question(struct help_set *set)
{
    const struct route *route = &routes[draw(4)];
    struct stile_buf buf;
    struct stile_str text;
    size_t i;

    stile_buf_init(&buf, 1u << 20);
    stile_buf_printf(
        &buf,
        "{\"sender\":\"%s\",\"recipient\":\"%s\",\"kind\":\"%s\",\"purpose\":"
        "\"%s\",\"agreement\":\"%s\",\"family\":\"%s\",\"resources\":["
        "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"family\":"
        "\"markp-name\"}],\"birthDate\":\"1961-02-03\",\"telecom\":[{"
        "\"system\":\"phone\",\"value\":\"markp-phone\"},{\"system\":"
        "\"email\",\"value\":\"markp-email\"}],\"address\":[{\"line\":["
        "\"markp-address\"]}],\"contact\":[{\"name\":{\"text\":"
        "\"markp-relatives\"}}],\"text\":{\"div\":\"markp-not-covered\"}}",
        route->sender, route->recipient, route->kind, route->purpose,
        route->agreement, families[draw(4)]);
    for (i = 0; i < ITEMS; i++) {
        add_item(&buf, i);
    }
    stile_buf_addc(&buf, "]}");
    text = stile_arena_str(set->arena, stile_buf_str(&buf));
    stile_buf_release(&buf);
    return text;
}

/* Mostly what lets things flow, so that both outcomes are seen. */
static enum stile_truth draw_truth(enum stile_truth usual)
{
    return draw(4) ? usual : (enum stile_truth)draw(3);
}

static void draw_facts(struct help_set *set, struct stile_question *question)
{
    struct stile_fact *facts =
        stile_arena_array(set->arena, 64, sizeof(*facts));
    size_t count = 0, i;

    for (i = 0; i < PERSON_FACTS; i++) {
        if (draw(6)) {
            facts[count].name = stile_str_cstr(fact_names[i]);
            facts[count++].value = draw_truth(STILE_NO);
        }
    }
    for (i = 0; i < PAIR_FACTS; i++) {
        if (draw(6)) {
            facts[count].name = stile_str_cstr(pair_names[i]);
            facts[count].recipient = question->recipient;
            facts[count].date = draw(3);
            facts[count++].value =
                draw_truth(i == 2 || i == 5 ? STILE_NO : STILE_YES);
        }
    }
    question->facts = facts;
    question->fact_count = count;
}

static void draw_case(struct help_set *set, struct stile_question *question)
{
    struct stile_str text = draw_question(set);

    help_question(set,
                  help_json(set->arena, stile_arena_cstr(set->arena, text)),
                  question);
    draw_facts(set, question);
}

static struct stile_decision *decide(const struct help_set *set,
                                     const struct stile_question *question)
{
    struct stile_decision *decision = NULL;

    cr_assert_eq(
        stile_govern_decide(set->rules, question, set->arena, &decision),
        STILE_OK);
    return decision;
}

static bool goes(const struct stile_item_decision *row)
{
    return row->outcome == STILE_OUTCOME_RELEASE ||
           row->outcome == STILE_OUTCOME_CHANGED;
}

/* Is each field that goes by `narrow` one that goes by `wide`? */
static bool within(const struct stile_decision *narrow,
                   const struct stile_decision *wide)
{
    size_t i;

    cr_assert_eq(narrow->count, wide->count);
    for (i = 0; i < narrow->count; i++) {
        if (narrow->items[i].data.len && goes(&narrow->items[i]) &&
            !goes(&wide->items[i])) {
            return false;
        }
    }
    return true;
}

static void open_with(struct help_set *set, const char *rules,
                      const char *examples)
{
    help_open(set);
    if (rules) {
        help_add(set, "rules.yaml", rules);
        help_add(set, "examples.yaml", examples);
    }
    if (help_load(set) != STILE_OK) {
        struct stile_buf buf;
        stile_buf_init(&buf, 1u << 20);
        stile_diags_print(&set->diags, false, &buf);
        cr_assert_fail("%.*s", STILE_FMT(stile_buf_str(&buf)));
    }
}

#define RUNS 400

Test(govern_property, known_to_unknown_never_releases_more, .timeout = 120)
{
    struct help_set set;
    uint64_t seed = seed_of();
    size_t run, released = 0;

    open_with(&set, NULL, NULL);
    for (run = 0; run < RUNS; run++) {
        struct stile_arena_mark mark = stile_arena_mark(set.arena);
        struct stile_question question;
        struct stile_decision *known, *unknown;
        struct stile_fact *facts;
        size_t i;

        draw_case(&set, &question);
        known = decide(&set, &question);
        facts = stile_arena_array(set.arena, question.fact_count + 1,
                                  sizeof(*facts));
        memcpy(facts, question.facts, question.fact_count * sizeof(*facts));
        for (i = 0; i < question.fact_count; i++) {
            if (!draw(3)) {
                facts[i].value = STILE_UNKNOWN;
            }
        }
        question.facts = facts;
        unknown = decide(&set, &question);
        released += known->released + known->changed;
        cr_assert(within(unknown, known), "seed %llu run %zu",
                  (unsigned long long)seed, run);
        stile_arena_rewind(set.arena, mark);
    }
    cr_assert_gt(released, 100, "the cases must let something go");
    help_close(&set);
}

Test(govern_property, order_and_duplicates_of_facts_mean_nothing,
     .timeout = 120)
{
    struct help_set set;
    uint64_t seed = seed_of();
    size_t run;

    open_with(&set, NULL, NULL);
    for (run = 0; run < RUNS; run++) {
        struct stile_arena_mark mark = stile_arena_mark(set.arena);
        struct stile_question question;
        struct stile_decision *first, *second;
        struct stile_fact *facts;
        size_t i, n;

        draw_case(&set, &question);
        first = decide(&set, &question);
        n = question.fact_count;
        facts = stile_arena_array(set.arena, 2 * n + 1, sizeof(*facts));
        for (i = 0; i < n; i++) {
            facts[i] = question.facts[n - 1 - i];
            facts[n + i] = question.facts[i];
        }
        question.facts = facts;
        question.fact_count = 2 * n;
        second = decide(&set, &question);
        cr_assert(within(first, second) && within(second, first),
                  "seed %llu run %zu", (unsigned long long)seed, run);
        stile_arena_rewind(set.arena, mark);
    }
    help_close(&set);
}

static const char *const more_withhold =
    "- rule: NEW-1\n  kind: withhold\n  says: Keep some things back.\n"
    "  data: [observations, referral, phone]\n"
    "  when: {patient: spine-sensitive}\n";
static const char *const withhold_cases =
    "- example: kept\n  rule: NEW-1\n  under: DSA-2026-001\n"
    "  for: individual-care\n  family: emis\n"
    "  patient: {referral-open: yes, spine-sensitive: yes}\n"
    "  data: observations\n  expect: withhold\n"
    "- example: sent\n  rule: NEW-1\n  under: DSA-2026-001\n"
    "  for: individual-care\n  family: emis\n"
    "  patient: {referral-open: yes, spine-sensitive: no}\n"
    "  data: observations\n  expect: release\n";
static const char *const more_share =
    "- rule: NEW-2\n  kind: share\n  says: Share a little sooner.\n"
    "  under: DSA-2026-001\n  for: individual-care\n"
    "  data: [name, observations, problems]\n  needs: [booked]\n"
    "  then: [review-by-person, drop-free-text, {round: [birth-date]}]\n"
    "- rule: NEW-3\n  kind: share\n  says: Share more of the case.\n"
    "  under: DSA-2026-004\n  for: individual-care\n  data: [name, problems]\n"
    "  needs: [consent-to-share]\n  then: [review-by-person]\n";
static const char *const share_cases =
    "- example: held\n  rule: NEW-2\n  under: DSA-2026-001\n"
    "  for: individual-care\n  family: emis\n  patient: {booked: no}\n"
    "  data: name\n  expect: withhold\n"
    "- example: sent\n  rule: NEW-2\n  under: DSA-2026-001\n"
    "  for: individual-care\n  family: emis\n  patient: {booked: yes}\n"
    "  data: name\n  expect: release\n"
    "- example: held\n  rule: NEW-3\n  under: DSA-2026-004\n"
    "  for: individual-care\n  family: vcse-case\n  patient: {}\n"
    "  data: name\n  expect: withhold\n"
    "- example: sent\n  rule: NEW-3\n  under: DSA-2026-004\n"
    "  for: individual-care\n  family: vcse-case\n"
    "  patient: {consent-to-share: yes, consent-codes-only: no}\n"
    "  data: name\n  expect: release\n";

/* Decides the same cases by both sets; `wider` must hold every field that
 * `narrower` lets go. */
static void compare(struct help_set *narrower, struct help_set *wider)
{
    uint64_t seed = seed_of();
    size_t run, differ = 0;

    for (run = 0; run < RUNS; run++) {
        struct stile_arena_mark mark = stile_arena_mark(wider->arena);
        struct stile_arena_mark other = stile_arena_mark(narrower->arena);
        struct stile_question question;
        struct stile_decision *more, *less;

        draw_case(wider, &question);
        more = decide(wider, &question);
        less = decide(narrower, &question);
        cr_assert(within(less, more), "seed %llu run %zu",
                  (unsigned long long)seed, run);
        differ += !within(more, less);
        stile_arena_rewind(narrower->arena, other);
        stile_arena_rewind(wider->arena, mark);
    }
    cr_log_info("%zu of %d cases differ", differ, RUNS);
}

Test(govern_property, adding_a_withhold_never_widens, .timeout = 120)
{
    struct help_set plain, more;

    open_with(&plain, NULL, NULL);
    open_with(&more, more_withhold, withhold_cases);
    compare(&more, &plain);
    help_close(&plain);
    help_close(&more);
}

Test(govern_property, adding_a_share_never_narrows, .timeout = 120)
{
    struct help_set plain, more;

    open_with(&plain, NULL, NULL);
    open_with(&more, more_share, share_cases);
    compare(&plain, &more);
    help_close(&plain);
    help_close(&more);
}

Test(govern_property, a_later_day_past_the_end_never_widens, .timeout = 120)
{
    struct help_set set;
    uint64_t seed = seed_of();
    size_t run;

    open_with(&set, NULL, NULL);
    for (run = 0; run < RUNS; run++) {
        struct stile_arena_mark mark = stile_arena_mark(set.arena);
        struct stile_question question;
        struct stile_decision *decision;

        draw_case(&set, &question);
        question.today = (struct stile_date){2027, 4, 1 + (int)draw(28)};
        decision = decide(&set, &question);
        cr_assert_eq(decision->released + decision->changed, 0,
                     "seed %llu run %zu", (unsigned long long)seed, run);
        stile_arena_rewind(set.arena, mark);
    }
    help_close(&set);
}

Test(govern_property, opt_outs_beyond_care_never_change_care, .timeout = 120)
{
    struct help_set set;
    uint64_t seed = seed_of();
    size_t run;

    open_with(&set, NULL, NULL);
    for (run = 0; run < RUNS; run++) {
        struct stile_arena_mark mark = stile_arena_mark(set.arena);
        struct stile_question question;
        struct stile_decision *first, *second;
        struct stile_fact *facts;
        size_t i;

        draw_case(&set, &question);
        first = decide(&set, &question);
        facts = stile_arena_array(set.arena, question.fact_count + 1,
                                  sizeof(*facts));
        memcpy(facts, question.facts, question.fact_count * sizeof(*facts));
        for (i = 0; i < question.fact_count; i++) {
            if (stile_str_eqc(facts[i].name, "type-1") ||
                stile_str_eqc(facts[i].name, "national-opt-out")) {
                facts[i].value = (enum stile_truth)draw(3);
            }
        }
        question.facts = facts;
        second = decide(&set, &question);
        cr_assert(within(first, second) && within(second, first),
                  "seed %llu run %zu", (unsigned long long)seed, run);
        stile_arena_rewind(set.arena, mark);
    }
    help_close(&set);
}

/* No marker of what stayed is in what left, nor in any reason. */
static void check_closure(struct help_set *set,
                          const struct stile_question *question,
                          const struct stile_decision *decision, size_t run)
{
    struct stile_value **out = NULL;
    struct stile_buf buf;
    size_t count = 0, i, r;

    cr_assert_eq(stile_govern_apply(set->rules, question, decision,
                                    STILE_STR_NULL, set->arena, &out, &count),
                 STILE_OK);
    stile_buf_init(&buf, 1u << 22);
    for (i = 0; i < count; i++) {
        stile_value_json(out[i], 0, &buf);
    }
    for (i = 0; i < decision->count; i++) {
        const struct stile_item_decision *row = &decision->items[i];
        char marker[64];

        if (goes(row)) {
            continue;
        }
        if (row->resource == 0 && row->data.len) {
            (void)snprintf(marker, sizeof(marker), "markp-%.*s",
                           STILE_FMT(row->data));
        } else if (row->resource != 0 && !row->data.len) {
            (void)snprintf(marker, sizeof(marker), "mark%zu-",
                           row->resource - 1);
        } else if (row->resource != 0 && stile_str_eqc(row->data, "notes")) {
            (void)snprintf(marker, sizeof(marker), "mark%zu-note",
                           row->resource - 1);
        } else if (row->resource != 0 &&
                   stile_str_eqc(row->data, "not-covered")) {
            (void)snprintf(marker, sizeof(marker), "mark%zu-extension",
                           row->resource - 1);
        } else {
            continue;
        }
        cr_assert_eq(
            stile_str_find_str(stile_buf_str(&buf), stile_str_cstr(marker)),
            SIZE_MAX, "run %zu: %s left in %.*s", run, marker,
            STILE_FMT(stile_buf_str(&buf)));
    }
    stile_buf_clear(&buf);
    stile_decision_print(decision, &buf);
    stile_value_json(stile_decision_value(decision, set->arena), 0, &buf);
    for (i = 0; i < decision->count; i++) {
        for (r = 0; r < decision->items[i].reason_count; r++) {
            stile_buf_add(&buf, decision->items[i].reasons[r].sentence);
        }
    }
    cr_assert_eq(stile_str_find_str(stile_buf_str(&buf), STILE_STR("mark0")),
                 SIZE_MAX);
    cr_assert_eq(stile_str_find_str(stile_buf_str(&buf), STILE_STR("markp")),
                 SIZE_MAX);
    stile_buf_release(&buf);
}

Test(govern_property, nothing_withheld_leaves_anywhere, .timeout = 120)
{
    struct help_set set;
    size_t run, released = 0;

    (void)seed_of();
    open_with(&set, NULL, NULL);
    for (run = 0; run < RUNS; run++) {
        struct stile_arena_mark mark = stile_arena_mark(set.arena);
        struct stile_question question;
        struct stile_decision *decision;

        draw_case(&set, &question);
        decision = decide(&set, &question);
        released += decision->released + decision->changed;
        check_closure(&set, &question, decision, run);
        stile_arena_rewind(set.arena, mark);
    }
    cr_assert_gt(released, 100, "the cases must let something go");
    help_close(&set);
}

/* Two records that differ only in what stays leave as the same bytes. */
Test(govern_property, what_stays_does_not_change_what_leaves, .timeout = 120)
{
    static const char *const base =
        "{\"sender\":\"A99901\",\"recipient\":\"RZ9\",\"kind\":\"trust\","
        "\"purpose\":\"individual-care\",\"agreement\":\"DSA-2026-001\","
        "\"family\":\"emis\",\"facts\":{\"referral-open\":\"yes\"},"
        "\"resources\":[{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":"
        "{\"lastUpdated\":\"%s\"},\"name\":[{\"family\":\"X\"}]},"
        "{\"resourceType\":\"Condition\",\"id\":\"c\",\"code\":{\"coding\":"
        "[{" SCT "}]},\"subject\":{\"reference\":\"Patient/p\"}}%s]}";
    struct help_set set;
    struct help_case with, without;

    open_with(&set, NULL, NULL);
    help_decide(
        &set,
        stile_arena_cstr(
            set.arena,
            stile_arena_printf(
                set.arena, base, "2026-11-21T10:00:00Z",
                ",{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":"
                "\"final\",\"code\":{\"coding\":[{" DEMO(
                    "DEMO-SH") "}]},\"subject\":{\"reference\":"
                               "\"Patient/p\"}}")),
        &with);
    help_decide(&set,
                stile_arena_cstr(
                    set.arena, stile_arena_printf(set.arena, base,
                                                  "2026-11-20T10:00:00Z", "")),
                &without);
    cr_assert(stile_str_eq(help_out_json(set.arena, &with),
                           help_out_json(set.arena, &without)));
    cr_assert_not(with.decision->tell_withheld);
    help_close(&set);
}

/* Every text of the record that the decision keeps back, made another of the
 * same length. Ids stay: links are how labels reach. */
static void change_what_stays(char *text, const struct stile_decision *decision)
{
    static const char *const parts[] = {"display", "text", "note", "performer",
                                        "extension"};
    size_t i, p;
    char *at;

    for (i = 0; i < decision->count; i++) {
        const struct stile_item_decision *row = &decision->items[i];
        char marker[64];

        for (p = 0; p < 5; p++) {
            if (goes(row)) {
                break;
            }
            if (row->resource == 0 && row->data.len) {
                (void)snprintf(marker, sizeof(marker), "\"markp-%.*s\"",
                               STILE_FMT(row->data));
            } else if (row->resource != 0 && !row->data.len) {
                (void)snprintf(marker, sizeof(marker), "\"mark%zu-%s\"",
                               row->resource - 1, parts[p]);
            } else {
                break;
            }
            for (at = strstr(text, marker); at; at = strstr(at + 1, marker)) {
                memcpy(at + 1, "MARK", 4);
            }
        }
    }
}

Test(govern_property, other_words_in_what_stays_leave_the_same_bytes,
     .timeout = 120)
{
    struct help_set set;
    size_t run, changed = 0;

    (void)seed_of();
    open_with(&set, NULL, NULL);
    for (run = 0; run < RUNS; run++) {
        struct stile_arena_mark mark = stile_arena_mark(set.arena);
        struct stile_str text = draw_question(&set);
        char *other = stile_arena_cstr(set.arena, text);
        struct help_case made[2];
        size_t i;

        /* A text of its own: values may point into it. */
        help_question(&set,
                      help_json(set.arena, stile_arena_cstr(set.arena, text)),
                      &made[0].question);
        draw_facts(&set, &made[0].question);
        made[0].decision = decide(&set, &made[0].question);
        change_what_stays(other, made[0].decision);
        changed += memcmp(other, text.ptr, text.len) != 0;
        help_question(&set, help_json(set.arena, other), &made[1].question);
        made[1].question.facts = made[0].question.facts;
        made[1].question.fact_count = made[0].question.fact_count;
        made[1].decision = decide(&set, &made[1].question);
        for (i = 0; i < 2; i++) {
            cr_assert_eq(stile_govern_apply(set.rules, &made[i].question,
                                            made[i].decision, STILE_STR_NULL,
                                            set.arena, &made[i].out,
                                            &made[i].out_count),
                         STILE_OK);
        }
        cr_assert(stile_str_eq(help_out_json(set.arena, &made[0]),
                               help_out_json(set.arena, &made[1])),
                  "run %zu", run);
        cr_assert_eq(made[0].decision->tell_withheld,
                     made[1].decision->tell_withheld);
        stile_arena_rewind(set.arena, mark);
    }
    cr_assert_gt(changed, RUNS / 4, "the cases must keep something back");
    help_close(&set);
}

/* ---- past disclosures asked again ---- */

struct totals { /* of one data word */
    uint64_t changes[8], use;
};

static const char *const change_names[] = {
    "newly-released", "no-longer-held", "newly-held-instead-of-withheld",
    "newly-withheld", "newly-held-instead-of-sent"};
#define CHANGES 5

/* SIZE_MAX: as before, or handled otherwise, which rows do not tell. */
static size_t change_of(const struct stile_item_decision *a,
                        const struct stile_item_decision *b)
{
    bool was_held = a->outcome == STILE_OUTCOME_HOLD;
    bool is_held = b->outcome == STILE_OUTCOME_HOLD;

    if (goes(a) == goes(b) && was_held == is_held) {
        return SIZE_MAX;
    }
    if (goes(b)) {
        return was_held ? 1 : 0;
    }
    if (is_held) {
        return goes(a) ? 4 : 2;
    }
    return 3;
}

static struct stile_value *entry_of(struct help_set *set,
                                    const struct stile_question *question,
                                    const struct stile_decision *decision)
{
    struct stile_value *entry = stile_value_new(set->arena, STILE_OBJECT);
    struct stile_value *again;
    struct stile_buf buf;

    stile_value_set_str(set->arena, entry, "type", STILE_STR("disclosure"));
    stile_value_set_str(set->arena, entry, "time",
                        STILE_STR("2026-11-20T10:00:00.000Z"));
    stile_value_set_str(set->arena, entry, "ods", question->sender);
    stile_value_set_str(set->arena, entry, "to-ods", question->recipient);
    stile_value_set_str(set->arena, entry, "purpose", question->purpose);
    stile_value_set_str(set->arena, entry, "agreement", question->agreement);
    stile_value_set_str(set->arena, entry, "person", STILE_STR("c0ffee"));
    stile_value_set(entry, STILE_STR("decision"),
                    stile_decision_value(decision, set->arena));
    stile_value_set(entry, STILE_STR("ground"),
                    stile_decision_ground(decision, set->arena));
    /* As it comes back from the log. */
    stile_buf_init(&buf, 1u << 20);
    stile_value_json(entry, 0, &buf);
    cr_assert(buf.status == STILE_OK);
    cr_assert_eq(stile_str_find_str(stile_buf_str(&buf), STILE_STR("markp-")),
                 SIZE_MAX);
    cr_assert_eq(stile_str_find_str(stile_buf_str(&buf), STILE_STR("-display")),
                 SIZE_MAX);
    again = help_json(set->arena,
                      stile_arena_cstr(set->arena, stile_buf_str(&buf)));
    stile_buf_release(&buf);
    return again;
}

static uint64_t number_of(const struct stile_value *object, const char *name)
{
    int64_t n = -1;

    cr_assert(stile_str_to_int64(stile_value_text(object, name), &n));
    return (uint64_t)n;
}

static uint64_t reported(const struct stile_value *report, const char *change,
                         struct stile_str data)
{
    const struct stile_value *c = stile_value_getc(report, "changes")->first;

    for (; c; c = c->next) {
        if (stile_str_eqc(stile_value_text(c, "change"), change) &&
            stile_str_eq(stile_value_text(c, "data"), data)) {
            return number_of(c, "items");
        }
    }
    return 0;
}

static uint64_t used(const struct stile_value *report,
                     struct stile_str agreement, struct stile_str data)
{
    const struct stile_value *a = stile_value_getc(report, "use")->first;

    for (; a; a = a->next) {
        const struct stile_value *d = stile_value_getc(a, "data")->first;

        for (; d && stile_str_eq(stile_value_text(a, "agreement"), agreement);
             d = d->next) {
            if (stile_str_eq(stile_value_text(d, "data"), data)) {
                return number_of(d, "items");
            }
        }
    }
    return 0;
}

static void same_totals(const struct stile_decision *a,
                        const struct stile_decision *b,
                        struct stile_str agreement,
                        const struct stile_value *report, uint64_t seed)
{
    for (size_t i = 0; i < b->count; i++) {
        struct stile_str data = b->items[i].data;
        struct totals totals = {{0}, 0};

        if (!data.len) {
            continue;
        }
        for (size_t k = 0; k < b->count; k++) {
            if (!stile_str_eq(b->items[k].data, data)) {
                continue;
            }
            size_t change = change_of(&a->items[k], &b->items[k]);

            totals.use += goes(&b->items[k]);
            if (change != SIZE_MAX) {
                totals.changes[change]++;
            }
        }
        cr_assert_eq(used(report, agreement, data), totals.use,
                     "seed %llu: use of %.*s", (unsigned long long)seed,
                     STILE_FMT(data));
        for (size_t c = 0; c < CHANGES; c++) {
            cr_assert_eq(reported(report, change_names[c], data),
                         totals.changes[c], "seed %llu: %s of %.*s",
                         (unsigned long long)seed, change_names[c],
                         STILE_FMT(data));
        }
    }
}

static const char *const more_review =
    "- rule: NEW-4\n  kind: withhold\n  says: Somebody looks at these first.\n"
    "  data: [problems, referral]\n  when: {patient: unable-to-consent}\n"
    "  then: [review-by-person]\n";
static const char *const review_cases =
    "- example: looked at\n  rule: NEW-4\n  under: DSA-2026-001\n"
    "  for: individual-care\n  family: emis\n"
    "  patient: {referral-open: yes, unable-to-consent: yes}\n"
    "  data: problems\n  expect: hold-for-person\n"
    "- example: not looked at\n  rule: NEW-4\n  under: DSA-2026-001\n"
    "  for: individual-care\n  family: emis\n"
    "  patient: {referral-open: yes, unable-to-consent: no}\n"
    "  data: problems\n  expect: release\n";

Test(govern_property, a_ground_replays_to_what_would_be_decided, .timeout = 120)
{
    struct help_set old, new;
    uint64_t seed = seed_of(), changed = 0;
    char rules[1000], cases[2000];

    open_with(&old, more_share, share_cases);
    (void)snprintf(rules, sizeof(rules), "%s%s", more_withhold, more_review);
    (void)snprintf(cases, sizeof(cases), "%s%s", withhold_cases, review_cases);
    open_with(&new, rules, cases);
    for (size_t run = 0; run < RUNS; run++) {
        struct stile_replay *replay = NULL;
        struct stile_question question;
        struct stile_value *report;

        draw_case(&old, &question);
        /* There and back: what one way narrows the other widens. */
        const struct help_set *from = run % 2 ? &old : &new;
        const struct help_set *to = run % 2 ? &new : &old;
        struct stile_decision *a = decide(from, &question);
        struct stile_decision *b = decide(to, &question);
        cr_assert_eq(stile_replay_new(from->rules, to->rules, question.today,
                                      old.arena, &replay),
                     STILE_OK);
        cr_assert_eq(stile_replay_add(replay, entry_of(&old, &question, a)),
                     STILE_OK);
        report = stile_replay_report(replay);
        cr_assert_eq(number_of(report, "without-ground"), 0);
        cr_assert_eq(number_of(report, "other-words"), 0);
        cr_assert_eq(number_of(report, "persons"), 1);
        same_totals(a, b, question.agreement, report, seed);
        changed += stile_value_getc(report, "changes")->first != NULL;
    }
    cr_assert_gt(changed, RUNS / 20, "only %zu differ", (size_t)changed);
    help_close(&old);
    help_close(&new);
}
