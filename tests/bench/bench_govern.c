/*
 * bench_govern: what deciding costs, with RULES rules on a record of ITEMS
 * resources: facts of the record, deciding (labels and all rules on each item
 * and field), and doing it. Best of N by CPU time.
 *
 *   bench_govern MAPPINGS-FOLDER [RULES [ITEMS [ROUNDS]]]
 *
 * The rules are the shipped ones and as many more as are missing, each with
 * its worked cases; the set is checked and compiled as any other.
 */
#include <time.h>

#include "stile/gateway.h"

#define INPUTS_MAX 64
#define FILE_MAX ((size_t)4 << 20)

struct set {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_source sources[INPUTS_MAX];
    struct stile_rules_input inputs[INPUTS_MAX];
    size_t count;
    struct stile_rules *rules;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the rules ----------------------------------------------------------- */

static void add(struct set *set, enum stile_rule_file kind,
                struct stile_str name, struct stile_str text)
{
    STILE_ASSERT(set->count < INPUTS_MAX);
    set->sources[set->count] = (struct stile_source){name, text};
    set->inputs[set->count] =
        (struct stile_rules_input){kind, &set->sources[set->count]};
    set->count++;
}

static void add_file(struct set *set, enum stile_rule_file kind,
                     const char *folder, struct stile_str name)
{
    struct stile_str text, error;
    const char *path = stile_path_join(set->arena, folder, name);
    STILE_ASSERT(path != NULL && stile_file_read(path, FILE_MAX, set->arena,
                                                 &text, &error) == STILE_OK);
    add(set, kind, name, text);
}

static void add_shipped(struct set *set, const char *mappings)
{
    static const struct {
        const char *name;
        enum stile_rule_file kind;
    } files[] = {{"vocabulary.yaml", STILE_RULES_VOCABULARY},
                 {"guardrails.yaml", STILE_RULES_GUARDRAILS},
                 {"agreements.yaml", STILE_RULES_AGREEMENTS},
                 {"rules.yaml", STILE_RULES_LOCAL},
                 {"examples.yaml", STILE_RULES_EXAMPLES},
                 {"consent-codes.csv", STILE_RULES_CONSENT}};
    struct stile_str *names = NULL, error;
    size_t count = 0;
    const char *rules =
        stile_path_join(set->arena, mappings, STILE_STR("rules"));
    const char *labels =
        stile_path_join(set->arena, rules, STILE_STR("labels"));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        add_file(set, files[i].kind, rules, stile_str_cstr(files[i].name));
    }
    STILE_ASSERT(stile_folder_list(labels, set->arena, &names, &count,
                                   &error) == STILE_OK);
    for (size_t i = 0; i < count; i++) {
        add_file(set, STILE_RULES_LABELS, labels, names[i]);
    }
}

static size_t rules_in(struct stile_str text)
{
    size_t n = 0;
    struct stile_str line;
    while (stile_str_next(&text, '\n', &line)) {
        n += stile_str_starts(line, STILE_STR("- rule:"));
    }
    return n;
}

/* Shares of one kind of data each, half of them held by an own need. */
static void add_more(struct set *set, size_t wanted)
{
    static const char *const data[] = {
        "problems",      "observations", "medication",
        "immunisations", "procedures",   "care-plan",
        "allergies",     "referral",     "contacts-with-service",
        "phone",         "address",      "outcome-scores"};
    static const char *const needs[] = {"referral-open", "care-relationship",
                                        "registered", "booked", "self-claimed"};
    struct stile_buf rules, cases;
    size_t have =
        rules_in(set->sources[1].text) + rules_in(set->sources[3].text);
    stile_buf_init(&rules, FILE_MAX);
    stile_buf_init(&cases, FILE_MAX);
    for (size_t i = have; i < wanted; i++) {
        const char *what = data[i % 12], *first = needs[i % 5];
        const char *second = needs[(i / 5 + i + 1) % 5];
        if (first == second) {
            second = needs[(i + 2) % 5];
        }
        stile_buf_printf(&rules,
                         "- rule: BEN-%zu\n  kind: share\n  says: Rule %zu of "
                         "a long set.\n  under: DSA-2026-001\n  for: "
                         "individual-care\n  data: [%s]\n  needs: [%s, %s]\n"
                         "  then: [log-to-patient-trail]\n\n",
                         i, i, what, first, second);
        for (int yes = 0; yes < 2; yes++) {
            stile_buf_printf(
                &cases,
                "- example: case %zu %s\n  rule: BEN-%zu\n  under: "
                "DSA-2026-001\n  for: individual-care\n  family: emis\n"
                "  patient: {%s: %s, %s: %s}\n  data: %s\n  expect: %s\n\n",
                i, yes ? "yes" : "no", i, first, yes ? "yes" : "no", second,
                yes ? "yes" : "no", what, yes ? "release" : "withhold");
        }
    }
    add(set, STILE_RULES_LOCAL, STILE_STR("more-rules.yaml"),
        stile_arena_str(set->arena, stile_buf_str(&rules)));
    add(set, STILE_RULES_EXAMPLES, STILE_STR("more-examples.yaml"),
        stile_arena_str(set->arena, stile_buf_str(&cases)));
    stile_buf_release(&rules);
    stile_buf_release(&cases);
}

/* ---- the record ---------------------------------------------------------- */

static struct stile_value *made(struct stile_arena *arena, const char *text)
{
    struct stile_value *v = NULL;
    struct stile_diags diags;
    stile_diags_init(&diags, arena, 0);
    STILE_ASSERT(stile_json_decode(stile_str_cstr(text), STILE_JSON_LIMITS,
                                   STILE_STR("bench"), arena, &diags,
                                   &v) == STILE_OK);
    return v;
}

static const char *const kinds[] = {
    "{\"resourceType\":\"Observation\",\"id\":\"o%zu\",\"status\":\"final\","
    "\"code\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":"
    "\"271649006\",\"display\":\"Systolic blood pressure\"}],\"text\":\"a\"},"
    "\"subject\":{\"reference\":\"Patient/p\"},\"encounter\":{\"reference\":"
    "\"Encounter/e%zu\"},\"effectiveDateTime\":\"2026-03-02\","
    "\"valueQuantity\":{\"value\":120,\"unit\":\"mmHg\"},\"note\":[{\"text\":"
    "\"by the nurse\"}]}",
    "{\"resourceType\":\"Condition\",\"id\":\"c%zu\",\"code\":{\"coding\":["
    "{\"system\":\"http://snomed.info/sct\",\"code\":\"38341003\"}]},"
    "\"subject\":{\"reference\":\"Patient/p\"},\"encounter\":{\"reference\":"
    "\"Encounter/e%zu\"},\"recordedDate\":\"2026-03-02\"}",
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"m%zu\",\"status\":"
    "\"active\",\"intent\":\"order\",\"medicationCodeableConcept\":"
    "{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":"
    "\"39113611000001102\"}]},\"subject\":{\"reference\":\"Patient/p\"},"
    "\"encounter\":{\"reference\":\"Encounter/e%zu\"}}",
    "{\"resourceType\":\"Observation\",\"id\":\"s%zu\",\"meta\":{\"security\":"
    "[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    "\",\"code\":\"R\"}]},\"status\":\"final\",\"code\":{\"text\":\"b\"},"
    "\"subject\":{\"reference\":\"Patient/p\"},\"encounter\":{\"reference\":"
    "\"Encounter/e%zu\"}}"};

static struct stile_value **record(struct stile_arena *arena, size_t items)
{
    struct stile_value **all = stile_arena_array(arena, items, sizeof(*all));
    char text[1024];
    STILE_ASSERT(all != NULL);
    all[0] =
        made(arena, "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":["
                    "{\"family\":\"Testcase\",\"given\":[\"Ada\"]}],\"gender\":"
                    "\"female\",\"birthDate\":\"1980-01-01\",\"telecom\":["
                    "{\"system\":\"phone\",\"value\":\"01632 960001\"}]}");
    for (size_t i = 1; i < items; i++) {
        /* A visit to ten entries, one of a hundred entries is confidential. */
        if (i % 10 == 1) {
            (void)snprintf(text, sizeof(text),
                           "{\"resourceType\":\"Encounter\",\"id\":\"e%zu\","
                           "\"status\":\"finished\",\"class\":{\"code\":"
                           "\"AMB\"},\"subject\":{\"reference\":"
                           "\"Patient/p\"}}",
                           i / 10);
        } else {
            const char *kind = i % 100 == 50 ? kinds[3] : kinds[i % 3];
            (void)snprintf(text, sizeof(text), kind, i, (i - 1) / 10);
        }
        all[i] = made(arena, text);
    }
    return all;
}

/* ---- measuring ----------------------------------------------------------- */

struct least {
    double facts, decide, apply;
    struct stile_decision last;
    size_t out;
};

static void keep_least(double *least, double took, int round)
{
    *least = round == 0 || took < *least ? took : *least;
}

static void one_round(const struct set *set, struct stile_value **all,
                      size_t items, struct stile_arena *arena, int round,
                      struct least *least)
{
    struct stile_fact *facts = NULL, *known = NULL;
    size_t count = 0, out_count = 0;
    struct stile_decision *decision = NULL;
    struct stile_value **out = NULL;
    double start = now();
    STILE_ASSERT(stile_govern_facts(set->rules, all, items, STILE_STR("emis"),
                                    arena, &facts, &count) == STILE_OK);
    keep_least(&least->facts, now() - start, round);
    known = stile_arena_array(arena, count + 1, sizeof(*known));
    STILE_ASSERT(known != NULL);
    memcpy(known, facts, count * sizeof(*known));
    known[count] = (struct stile_fact){.name = STILE_STR("care-relationship"),
                                       .value = STILE_YES,
                                       .recipient = STILE_STR("RZ9"),
                                       .source = STILE_STR("bench")};
    const struct stile_question q = {.sender = STILE_STR("A99901"),
                                     .recipient = STILE_STR("RZ9"),
                                     .recipient_kind = STILE_STR("trust"),
                                     .purpose = STILE_STR("individual-care"),
                                     .agreement = STILE_STR("DSA-2026-001"),
                                     .today = {2026, 11, 21},
                                     .family = STILE_STR("emis"),
                                     .facts = known,
                                     .fact_count = count + 1,
                                     .resources = all,
                                     .resource_count = items};
    start = now();
    STILE_ASSERT(stile_govern_decide(set->rules, &q, arena, &decision) ==
                 STILE_OK);
    keep_least(&least->decide, now() - start, round);
    start = now();
    STILE_ASSERT(stile_govern_apply(set->rules, &q, decision, STILE_STR_NULL,
                                    arena, &out, &out_count) == STILE_OK);
    keep_least(&least->apply, now() - start, round);
    least->last = *decision;
    least->out = out_count;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_govern MAPPINGS [RULES [ITEMS "
                        "[ROUNDS]]]\n");
        return 2;
    }
    size_t rules = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 120;
    size_t items = argc > 3 ? (size_t)strtoul(argv[3], NULL, 10) : 5000;
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 20;
    struct set set = {.arena = stile_arena_new((size_t)1 << 30)};
    struct least least = {0};
    stile_format_setup();
    stile_diags_init(&set.diags, set.arena, 0);
    add_shipped(&set, argv[1]);
    add_more(&set, rules);
    double start = now();
    enum stile_status status = stile_rules_load(
        set.inputs, set.count, (struct stile_date){2026, 11, 21}, set.arena,
        &set.diags, &set.rules);
    double loading = now() - start;
    if (status != STILE_OK) {
        struct stile_buf text;
        stile_buf_init(&text, FILE_MAX);
        stile_diags_print(&set.diags, false, &text);
        fprintf(stderr, "%.*s", STILE_FMT(stile_buf_str(&text)));
        return 1;
    }
    struct stile_value **all = record(set.arena, items);
    struct stile_arena *arena = stile_arena_new((size_t)1 << 30);
    for (int i = 0; i < rounds; i++) {
        one_round(&set, all, items, arena, i, &least);
        if (i + 1 < rounds) {
            stile_arena_reset(arena); /* the last decision is looked at */
        }
    }
    printf("%zu rules, %zu items, best of %d, CPU time of one core\n\n"
           "| work | ms a record | µs an item |\n|---|---|---|\n",
           rules, items, rounds);
    const double ms[] = {least.facts, least.decide, least.apply};
    static const char *const names[] = {"facts of the record",
                                        "labels and decision", "doing it"};
    for (int i = 0; i < 3; i++) {
        printf("| %s | %.2f | %.2f |\n", names[i], ms[i] * 1e3,
               ms[i] * 1e6 / (double)items);
    }
    if (least.out == 0) {
        struct stile_buf text;
        stile_buf_init(&text, FILE_MAX);
        stile_decision_print(&least.last, &text);
        fprintf(stderr, "bench_govern: nothing goes:\n%.*s",
                STILE_FMT(stile_buf_str(&text)));
        return 1;
    }
    printf("\nChecking and compiling the set: %.0f ms. The decision: %zu "
           "released, %zu changed, %zu withheld, %zu held; %zu resources go.\n",
           loading * 1e3, least.last.released, least.last.changed,
           least.last.withheld, least.last.held, least.out);
    return 0;
}
