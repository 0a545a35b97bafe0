/*
 * The engine against the reference, and the analyses against every case there
 * is, on random rule sets over a tiny vocabulary. Worked cases and the lint
 * are left out: random rules have none and would not pass. A failing run
 * prints its seed; set STILE_SEED to run it again.
 */
#include "private.h"
#include "property/govern_reference.h"
#include "property/seed.h"
#include "stile/format.h"

#include <criterion/criterion.h>

#define SETS 30
#define ITEMS 16 /* own and related labels, two bits each */

struct world {
    struct stile_arena *arena;
    struct stile_value
        *items[ITEMS][2]; /* the item, and what it is linked to */
};

/* ---- reading the YAML as the loader does, without lint and worked cases ----
 */

static struct stile_source source_of(struct stile_arena *arena,
                                     const char *name,
                                     const struct stile_buf *text)
{
    struct stile_source source = {stile_str_cstr(name),
                                  stile_arena_str(arena, stile_buf_str(text))};
    return source;
}

static const struct stile_rules *load_set(struct stile_arena *arena,
                                          const struct ref_set *set)
{
    static const enum stile_rule_file kinds[] = {
        STILE_RULES_VOCABULARY, STILE_RULES_AGREEMENTS, STILE_RULES_GUARDRAILS,
        STILE_RULES_LOCAL};
    struct stile_source *sources =
        stile_arena_array(arena, 4, sizeof(*sources));
    struct stile_rules_input *inputs =
        stile_arena_array(arena, 4, sizeof(*inputs));
    struct stile_diags diags;
    struct stile__load load = {
        .arena = arena, .today = ref_dates[0], .inputs = inputs, .count = 4};
    struct stile_buf text, said;
    size_t i;

    stile_diags_init(&diags, arena, 0);
    load.diags = &diags;
    load.rules = stile_arena_alloc(arena, sizeof(*load.rules));
    load.files = stile_arena_array(arena, 4, sizeof(*load.files));
    stile_buf_init(&text, 1u << 20);
    stile_buf_addc(&text, ref_vocabulary);
    sources[0] = source_of(arena, "vocabulary.yaml", &text);
    stile_buf_clear(&text);
    ref_agreements_yaml(set, &text);
    sources[1] = source_of(arena, "agreements.yaml", &text);
    stile_buf_clear(&text);
    ref_rules_yaml(set, true, &text);
    sources[2] = source_of(arena, "guardrails.yaml", &text);
    stile_buf_clear(&text);
    ref_rules_yaml(set, false, &text);
    sources[3] = source_of(arena, "rules.yaml", &text);
    stile_buf_release(&text);
    for (i = 0; i < 4; i++) {
        struct stile_node *root = NULL;

        inputs[i] = (struct stile_rules_input){kinds[i], &sources[i]};
        cr_assert_eq(
            stile_doc_load(&sources[i], STILE_DOC_LIMITS, arena, &diags, &root),
            STILE_OK);
        load.files[i] = root;
    }
    stile__vocabulary_read(&load, load.files[0]);
    stile__agreements_read(&load);
    stile__rules_read(&load);
    stile__digest_make(&load);
    stile_buf_init(&said, 1u << 20);
    stile_diags_print(&diags, false, &said);
    cr_assert_eq(diags.errors, 0, "%.*s\n%.*s", STILE_FMT(stile_buf_str(&said)),
                 STILE_FMT(sources[3].text));
    stile_buf_release(&said);
    return load.rules;
}

/* ---- asking the engine
 * ------------------------------------------------------------------------- */

static struct stile_value *item(struct stile_arena *arena, const char *id,
                                unsigned labels, const char *focus)
{
    struct stile_diags diags;
    struct stile_value *root = NULL;
    struct stile_str text = stile_arena_printf(
        arena,
        "{\"resourceType\":\"Observation\",\"id\":\"%s\",\"meta\":{\"security\""
        ":[{\"code\":\"%s\"},{\"code\":\"%s\"}]},\"status\":\"final\","
        "\"category\":[{\"text\":\"c\"}],\"code\":{\"text\":\"d\"},\"issued\":"
        "\"2026-01-01T00:00:00Z\",\"method\":{\"text\":\"m\"},\"note\":[{"
        "\"text\":\"n\"}]%s}",
        id, labels & 1 ? "X" : "N", labels & 2 ? "Y" : "N", focus);

    stile_diags_init(&diags, arena, 0);
    cr_assert_eq(stile_json_decode(text, STILE_JSON_LIMITS, STILE_STR("item"),
                                   arena, &diags, &root),
                 STILE_OK);
    return root;
}

static void open_world(struct world *world)
{
    unsigned i;

    stile_format_setup();
    world->arena = stile_arena_new((size_t)1 << 30);
    for (i = 0; i < ITEMS; i++) {
        world->items[i][0] =
            item(world->arena, "k", i & 3,
                 ",\"focus\":[{\"reference\":\"Observation/m\"}]");
        world->items[i][1] = item(world->arena, "m", i >> 2, "");
    }
}

static const enum stile_truth truths[] = {STILE_UNKNOWN, STILE_NO, STILE_YES};

/* What is looked at by place in the set, by the ids of the rules. */
static size_t looked_ids(const struct ref_set *set, const struct ref_case *made,
                         struct stile_arena *arena, struct stile_str *ret)
{
    size_t i, count = 0;

    for (i = 0; i < set->rule_count; i++) {
        if (made->looked & (1u << i)) {
            ret[count++] = stile_arena_printf(arena, "U%u", set->rules[i].id);
        }
    }
    if (made->looked_agreement) {
        ret[count++] = stile_arena_printf(arena, "A%u", made->agreement);
    }
    return count;
}

struct asked {
    struct stile_fact facts[REF_FACTS];
    struct stile_question question;
};

static void make_question(const struct world *world,
                          const struct ref_case *made, struct asked *ret)
{
    static const char *const agreements[] = {"A0", "A1"};
    static const char *const recipients[] = {"R0", "R1"};
    static const char *const kinds[] = {"hospital", "charity"};
    static const char *const purposes[] = {"care", "plan"};
    static const char *const names[] = {"a", "b", "p"};

    for (size_t i = 0; i < REF_FACTS; i++) {
        ret->facts[i] = (struct stile_fact){.name = stile_str_cstr(names[i]),
                                            .value = truths[made->facts[i]]};
    }
    if (made->age != REF_UNDATED) {
        ret->facts[0].date =
            (stile_date_days(ref_dates[made->day]) - made->age) *
            (86400 * STILE_SECOND);
    }
    ret->facts[2].recipient = stile_str_cstr(recipients[made->agreement]);
    ret->question = (struct stile_question){
        .sender = STILE_STR("S"),
        .recipient = stile_str_cstr(recipients[made->agreement]),
        .recipient_kind = stile_str_cstr(kinds[made->agreement]),
        .purpose = stile_str_cstr(purposes[made->purpose]),
        .agreement = stile_str_cstr(agreements[made->agreement]),
        .today = ref_dates[made->day],
        .family = STILE_STR("f"),
        .facts = ret->facts,
        .fact_count = REF_FACTS,
        .resources = world->items[made->own | made->related << 2],
        .resource_count = 2};
}

static void ask(const struct world *world, const struct stile_rules *rules,
                const struct ref_set *set, const struct ref_case *made,
                struct ref_result *ret)
{
    struct asked asked;
    struct stile_arena_mark mark = stile_arena_mark(world->arena);
    struct stile_decision *decision = NULL;
    struct stile_str ids[REF_RULES + 1];
    struct stile_released released = {0, ids,
                                      looked_ids(set, made, world->arena, ids)};
    size_t i;

    make_question(world, made, &asked);
    asked.question.released = &released;
    asked.question.released_count = released.rule_count > 0;
    cr_assert_eq(
        stile_govern_decide(rules, &asked.question, world->arena, &decision),
        STILE_OK);
    memset(ret, 0, REF_WORDS * sizeof(*ret));
    for (i = 0; i < REF_WORDS; i++) {
        const struct stile_item_decision *row = &decision->items[i + 1];
        const struct stile__field_plan *field =
            &decision->work->items[0].fields[i];

        cr_assert_eq(row->resource, 0);
        cr_assert_eq(row->data.ptr[1], '0' + (char)i);
        ret[i].outcome = row->outcome == STILE_OUTCOME_WITHHOLD ? REF_STAYS
                         : row->outcome == STILE_OUTCOME_HOLD   ? REF_WAITS
                                                                : REF_GOES;
        if (ret[i].outcome == REF_GOES) {
            ret[i].level = field->level == STILE__ROUND          ? 1
                           : field->level == STILE__PSEUDONYMISE ? 2
                           : field->level == STILE__MASK         ? 3
                                                                 : 0;
            ret[i].dropped = field->drop_text;
        }
    }
    stile_arena_rewind(world->arena, mark);
}

/* Every case: false when all have been. Starts from all zero. */
static bool next_case(struct ref_case *made)
{
    int fact;

    for (fact = 0; fact < REF_FACTS; fact++) {
        if (made->facts[fact] < REF_YES) {
            made->facts[fact]++;
            return true;
        }
        made->facts[fact] = REF_UNKNOWN;
    }
    if (++made->own < 4) {
        return true;
    }
    made->own = 0;
    if (++made->related < 4) {
        return true;
    }
    made->related = 0;
    if (++made->purpose < 2) {
        return true;
    }
    made->purpose = 0;
    if (++made->agreement < 2) {
        return true;
    }
    made->agreement = 0;
    return ++made->day < REF_DATES;
}

/* A word on all that an item waits for lets that go, and nothing else of it. */
static size_t check_first(const struct stile_item_decision *old,
                          const struct stile_item_decision *new)
{
    bool held = old->outcome == STILE_OUTCOME_HOLD;

    cr_assert_eq(old->hold_count > 0, held);
    cr_assert_eq(new->hold_count, 0);
    if (held) {
        cr_assert(new->outcome == STILE_OUTCOME_RELEASE ||
                  new->outcome == STILE_OUTCOME_CHANGED);
    } else {
        cr_assert_eq(new->outcome, old->outcome);
    }
    return held;
}

/* Returns how many fields a person's word let go. */
static size_t release_first(const struct world *world,
                            const struct stile_rules *rules,
                            struct stile_question *question)
{
    struct stile_arena_mark mark = stile_arena_mark(world->arena);
    struct stile_decision *before = NULL, *after = NULL;
    struct stile_released released = {0};
    size_t went = 0;

    cr_assert_eq(stile_govern_decide(rules, question, world->arena, &before),
                 STILE_OK);
    released.rules = before->items[0].holds;
    released.rule_count = before->items[0].hold_count;
    question->released = &released;
    question->released_count = 1;
    cr_assert_eq(stile_govern_decide(rules, question, world->arena, &after),
                 STILE_OK);
    cr_assert_eq(before->count, after->count);
    for (size_t i = 0; i < before->count; i++) {
        const struct stile_item_decision *old = &before->items[i];

        if (old->resource == 1) {
            cr_assert_eq(old->outcome, after->items[i].outcome,
                         "nobody looked at it");
            cr_assert_eq(old->hold_count, after->items[i].hold_count);
        } else if (old->data.len > 0) {
            went += check_first(old, &after->items[i]);
        }
    }
    cr_assert_eq(went > 0, released.rule_count > 0);
    stile_arena_rewind(world->arena, mark);
    return went;
}

static uint64_t seed_of(const char *test, uint64_t *state)
{
    uint64_t seed = seed_begin(test);

    *state = seed;
    return seed;
}

Test(govern_differential, engine_and_reference_agree_on_every_case,
     .timeout = 300)
{
    struct world world;
    uint64_t state, seed = seed_of("differential", &state);
    size_t set_number, went = 0, stayed = 0, waited = 0;

    open_world(&world);
    for (set_number = 0; set_number < SETS; set_number++) {
        struct stile_arena_mark mark = stile_arena_mark(world.arena);
        struct ref_case made = {0};
        struct ref_set set;
        const struct stile_rules *rules;
        unsigned word;

        ref_draw(&state, &set);
        rules = load_set(world.arena, &set);
        do {
            struct ref_result engine[REF_WORDS];

            ask(&world, rules, &set, &made, engine);
            for (word = 0; word < REF_WORDS; word++) {
                struct ref_result plain = ref_decide(&set, &made, word);

                cr_assert(engine[word].outcome == plain.outcome &&
                              engine[word].level == plain.level &&
                              engine[word].dropped == plain.dropped,
                          "seed %llu set %zu word %u day %d agreement %u "
                          "purpose %u facts %d%d%d own %u related %u: %d/%d/%d "
                          "and not %d/%d/%d",
                          (unsigned long long)seed, set_number, word, made.day,
                          made.agreement, made.purpose, made.facts[0],
                          made.facts[1], made.facts[2], made.own, made.related,
                          engine[word].outcome, engine[word].level,
                          engine[word].dropped, plain.outcome, plain.level,
                          plain.dropped);
                went += plain.outcome == REF_GOES;
                waited += plain.outcome == REF_WAITS;
                stayed += plain.outcome == REF_STAYS;
            }
        } while (next_case(&made));
        stile_arena_rewind(world.arena, mark);
    }
    cr_assert(went > 1000 && waited > 100 && stayed > 1000,
              "%zu went, %zu waited, %zu stayed", went, waited, stayed);
    stile_arena_free(&world.arena);
}

/* One fact may be too old to count: at its age limit and one day past it, and
 * of no date at all. */
Test(govern_differential, engine_and_reference_agree_on_what_is_too_old,
     .timeout = 300)
{
    static const int ages[] = {REF_UNDATED, REF_MAX_AGE, REF_MAX_AGE + 1};
    struct world world;
    uint64_t state, seed = seed_of("too old", &state);
    size_t set_number, a, differs = 0;

    open_world(&world);
    for (set_number = 0; set_number < SETS / 3; set_number++) {
        struct stile_arena_mark mark = stile_arena_mark(world.arena);
        struct ref_case made = {0};
        struct ref_set set;
        const struct stile_rules *rules;
        unsigned word;

        ref_draw(&state, &set);
        rules = load_set(world.arena, &set);
        do {
            struct ref_result engine[REF_WORDS];

            for (a = 0; a < sizeof(ages) / sizeof(ages[0]); a++) {
                struct ref_case old = made;

                old.age = ages[a];
                ask(&world, rules, &set, &old, engine);
                for (word = 0; word < REF_WORDS; word++) {
                    struct ref_result plain = ref_decide(&set, &old, word);

                    cr_assert(engine[word].outcome == plain.outcome &&
                                  engine[word].level == plain.level,
                              "seed %llu set %zu word %u age %d: %d and not %d",
                              (unsigned long long)seed, set_number, word,
                              old.age, engine[word].outcome, plain.outcome);
                    differs +=
                        ref_decide(&set, &made, word).outcome != plain.outcome;
                }
            }
        } while (next_case(&made));
        stile_arena_rewind(world.arena, mark);
    }
    cr_assert_gt(differs, 100, "age made a difference %zu times", differs);
    stile_arena_free(&world.arena);
}

/* Every case, with what people may have looked at drawn for each. */
Test(govern_differential, engine_and_reference_agree_on_what_was_looked_at,
     .timeout = 300)
{
    struct world world;
    uint64_t state, seed = seed_of("looked", &state);
    size_t number, lifted = 0;

    open_world(&world);
    for (number = 0; number < SETS; number++) {
        struct stile_arena_mark mark = stile_arena_mark(world.arena);
        struct ref_case made = {0};
        struct ref_set set;
        const struct stile_rules *rules;

        ref_draw(&state, &set);
        rules = load_set(world.arena, &set);
        do {
            struct ref_result engine[REF_WORDS];
            struct ref_case unseen = made;
            unsigned word;

            made.looked = (unsigned)seed_below(&state, 1u << REF_RULES);
            made.looked_agreement = seed_below(&state, 2) == 0;
            ask(&world, rules, &set, &made, engine);
            for (word = 0; word < REF_WORDS; word++) {
                struct ref_result plain = ref_decide(&set, &made, word);
                struct ref_result before = ref_decide(&set, &unseen, word);

                cr_assert(engine[word].outcome == plain.outcome &&
                              engine[word].level == plain.level &&
                              engine[word].dropped == plain.dropped,
                          "seed %llu set %zu word %u looked %u: %d and not %d",
                          (unsigned long long)seed, number, word, made.looked,
                          engine[word].outcome, plain.outcome);
                cr_assert(
                    plain.outcome == before.outcome ||
                    (before.outcome == REF_WAITS && plain.outcome == REF_GOES));
                lifted += plain.outcome != before.outcome;
            }
            made.looked = 0;
            made.looked_agreement = false;
        } while (next_case(&made));
        stile_arena_rewind(world.arena, mark);
    }
    cr_assert_gt(lifted, 100);
    stile_arena_free(&world.arena);
}

Test(govern_differential, a_word_on_one_item_is_a_word_on_that_item,
     .timeout = 300)
{
    struct world world;
    uint64_t state;
    size_t number, went = 0;

    (void)seed_of("release", &state);
    open_world(&world);
    for (number = 0; number < SETS; number++) {
        struct stile_arena_mark mark = stile_arena_mark(world.arena);
        struct ref_case made = {0};
        struct ref_set set;
        const struct stile_rules *rules;

        ref_draw(&state, &set);
        rules = load_set(world.arena, &set);
        do {
            struct asked asked;

            make_question(&world, &made, &asked);
            went += release_first(&world, rules, &asked.question);
        } while (next_case(&made));
        stile_arena_rewind(world.arena, mark);
    }
    cr_assert_gt(went, 100);
    stile_arena_free(&world.arena);
}

/* ---- the analyses
 * ------------------------------------------------------------------------- */

static void compare(const struct ref_result *old, const struct ref_result *new,
                    bool *wider, bool *narrower)
{
    if (old->outcome != new->outcome) {
        *wider = *wider || new->outcome > old->outcome;
        *narrower = *narrower || new->outcome < old->outcome;
    } else if (old->outcome == REF_GOES) {
        *wider = *wider || new->level < old->level ||
                 (old->dropped && !new->dropped) || (old->told && !new->told);
        *narrower = *narrower || new->level > old->level ||
                    (!old->dropped && new->dropped) ||
                    (!old->told && new->told);
    }
}

static const char *class_of(const struct ref_set *old,
                            const struct ref_set *new)
{
    struct ref_case made = {0};
    bool wider = false, narrower = false;
    unsigned word;

    do {
        for (word = 0; word < REF_WORDS; word++) {
            struct ref_result before = ref_decide(old, &made, word);
            struct ref_result after = ref_decide(new, &made, word);

            compare(&before, &after, &wider, &narrower);
        }
    } while (next_case(&made));
    return wider      ? narrower ? "mixed" : "wider"
           : narrower ? "narrower"
                      : "equal";
}

Test(govern_differential, the_diff_tells_every_change_and_no_other,
     .timeout = 300)
{
    struct world world;
    uint64_t state, seed = seed_of("diff", &state);
    size_t number, seen[4] = {0};

    open_world(&world);
    for (number = 0; number < SETS * 4; number++) {
        struct stile_arena_mark mark = stile_arena_mark(world.arena);
        struct ref_set old, new;
        struct stile_value *report = NULL;
        const char *class;

        ref_draw(&state, &old);
        new = old;
        ref_mutate(&state, &new);
        class = class_of(&old, &new);
        cr_assert_eq(stile_rules_diff(load_set(world.arena, &old),
                                      load_set(world.arena, &new), ref_dates[0],
                                      world.arena, &report),
                     STILE_OK);
        cr_assert(stile_str_eqc(stile_value_text(report, "class"), class),
                  "seed %llu number %zu: %.*s and not %s",
                  (unsigned long long)seed, number,
                  STILE_FMT(stile_value_text(report, "class")), class);
        seen[class[0] == 'e'   ? 0
             : class[0] == 'n' ? 1
             : class[0] == 'w' ? 2
                               : 3]++;
        stile_arena_rewind(world.arena, mark);
    }
    cr_assert(seen[0] && seen[1] && seen[2],
              "%zu equal, %zu narrower, %zu wider, %zu mixed", seen[0], seen[1],
              seen[2], seen[3]);
    stile_arena_free(&world.arena);
}

/* By agreement, purpose and word, on the first day: does it ever go? */
static void can_go(const struct ref_set *set, bool ret[2][2][REF_WORDS])
{
    struct ref_case made = {0};
    unsigned word;

    memset(ret, 0, 4 * REF_WORDS * sizeof(bool));
    do {
        for (word = 0; word < REF_WORDS && made.day == 0; word++) {
            ret[made.agreement][made.purpose][word] |=
                ref_decide(set, &made, word).outcome == REF_GOES;
        }
    } while (next_case(&made));
}

static bool told_of(const struct stile_value *report, unsigned agreement,
                    unsigned purpose, unsigned word)
{
    const struct stile_value *flow = stile_value_getc(report, "flows")->first;
    const struct stile_value *name;

    for (; flow; flow = flow->next) {
        bool here = stile_value_text(flow, "agreement").ptr[1] ==
                        '0' + (char)agreement &&
                    stile_str_eqc(stile_value_text(flow, "purpose"),
                                  purpose ? "plan" : "care") &&
                    stile_str_eqc(stile_value_text(flow, "outcome"), "goes");
        for (name = here ? stile_value_getc(flow, "data")->first : NULL; name;
             name = name->next) {
            if (name->text.ptr[1] == '0' + (char)word) {
                return true;
            }
        }
    }
    return false;
}

static bool found(const struct stile_value *report, const char *finding,
                  unsigned id)
{
    const struct stile_value *item =
        stile_value_getc(report, "findings")->first;
    char name[16];

    (void)snprintf(name, sizeof(name), "U%u", id);
    for (; item; item = item->next) {
        if (stile_str_eqc(stile_value_text(item, "finding"), finding) &&
            stile_str_eqc(stile_value_text(item, "rule"), name)) {
            return true;
        }
    }
    return false;
}

/* A rule is told to change nothing when leaving it out changes nothing. */
static bool changes_nothing(const struct ref_set *set, size_t rule)
{
    struct ref_set without = *set;

    without.rules[rule] = without.rules[--without.rule_count];
    return class_of(set, &without)[0] == 'e';
}

/* A share is dead when it fires, and what it covers then never goes. */
static bool is_dead(const struct ref_set *set, size_t rule)
{
    struct ref_case made = {0};
    bool fires = false;
    unsigned word;

    do {
        for (word = 0; word < REF_WORDS; word++) {
            if (!ref_shares(set, rule, &made, word)) {
                continue;
            }
            fires = true;
            if (ref_decide(set, &made, word).outcome != REF_STAYS) {
                return false;
            }
        }
    } while (next_case(&made));
    return fires;
}

Test(govern_differential, who_sees_and_what_does_nothing_are_exact,
     .timeout = 300)
{
    struct world world;
    uint64_t state, seed = seed_of("flows", &state);
    struct stile_flow_query all = {0};
    size_t number, i, idle = 0, dead = 0;
    unsigned a, p, w;

    open_world(&world);
    for (number = 0; number < SETS; number++) {
        struct stile_arena_mark mark = stile_arena_mark(world.arena);
        struct ref_set set;
        struct stile_value *flows = NULL, *report = NULL;
        const struct stile_rules *rules;
        bool goes[2][2][REF_WORDS];

        ref_draw(&state, &set);
        rules = load_set(world.arena, &set);
        cr_assert_eq(
            stile_rules_flows(rules, &all, ref_dates[0], world.arena, &flows),
            STILE_OK);
        cr_assert_eq(
            stile_rules_analyse(rules, ref_dates[0], world.arena, &report),
            STILE_OK);
        cr_assert(stile_value_path(report, "floor.holds")->boolean);
        can_go(&set, goes);
        for (a = 0; a < 2; a++) {
            for (p = 0; p < 2; p++) {
                for (w = 0; w < REF_WORDS; w++) {
                    cr_assert_eq(told_of(flows, a, p, w), goes[a][p][w],
                                 "seed %llu set %zu: A%u %u d%u",
                                 (unsigned long long)seed, number, a, p, w);
                }
            }
        }
        for (i = 0; i < set.rule_count; i++) {
            unsigned id = set.rules[i].id;
            bool told = found(report, "inert", id) ||
                        found(report, "shadowed", id) ||
                        found(report, "never-meets", id);

            cr_assert_eq(found(report, "dead", id), is_dead(&set, i),
                         "seed %llu set %zu rule U%u is dead",
                         (unsigned long long)seed, number, id);
            /* A dead share may still ask for more to be done. */
            cr_assert(is_dead(&set, i) || told == changes_nothing(&set, i),
                      "seed %llu set %zu rule U%u", (unsigned long long)seed,
                      number, id);
            idle += told;
            dead += is_dead(&set, i);
        }
        stile_arena_rewind(world.arena, mark);
    }
    cr_assert_gt(idle, 0, "some rules must do nothing; %zu are dead", dead);
    stile_arena_free(&world.arena);
}
