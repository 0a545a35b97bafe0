/*
 * examples.yaml: worked cases. Each is run through the same decision as a
 * message, over one invented item, and must come to what it expects.
 */
#include "private.h"

struct seen {
    bool *shares, *stays; /* by rule: a case that shares, one that does not */
};

struct example {
    const struct stile_node *node;
    uint32_t rule;
    uint32_t word;
    struct stile__item_labels labels;
    uint64_t item_facts;
    struct stile_question question;
    enum stile_outcome expect;
};

static uint32_t rule_find(const struct stile_rules *rules, struct stile_str id)
{
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        if (stile_str_eq(rules->rules[i].id, id)) {
            return (uint32_t)i;
        }
    }
    return STILE__NONE;
}

static bool read_outcome(struct stile__load *load,
                         const struct stile_node *node, enum stile_outcome *ret)
{
    static const enum stile_outcome all[] = {
        STILE_OUTCOME_RELEASE, STILE_OUTCOME_CHANGED, STILE_OUTCOME_WITHHOLD,
        STILE_OUTCOME_HOLD};
    size_t i;

    for (i = 0; i < 4; i++) {
        if (stile_str_eqc(node->text, stile_outcome_text(all[i]))) {
            *ret = all[i];
            return true;
        }
    }
    (void)stile_node_diag(load->diags, node, "R101", STILE_ERROR,
                          "expect is release, release-changed, withhold or "
                          "hold-for-person");
    return false;
}

/* A worked case speaks of a word that was given on its day. */
static stile_time given_on(struct stile_date day)
{
    return stile_date_days(day) * (86400 * STILE_SECOND);
}

static bool read_facts(struct stile__load *load, const struct stile_node *map,
                       struct example *example)
{
    const struct stile_rules *rules = load->rules;
    const struct stile_node *node;
    struct stile_fact *facts = stile_arena_array(
        load->arena, (map ? map->count : 0) + 1, sizeof(*facts));
    size_t count = 0;
    bool good = facts != NULL;

    for (node = map ? map->first : NULL; node && good; node = node->next) {
        struct stile_node word = *node;
        uint32_t fact;

        word.kind = STILE_NODE_TEXT;
        word.text = node->key;
        word.span = node->key_span;
        fact = stile__word_node(load, &rules->facts, "fact", &word);
        if (fact == STILE__NONE) {
            return false;
        }
        facts[count].name = node->key;
        if (stile_str_eqc(node->text, "yes")) {
            facts[count].value = STILE_YES;
        } else if (stile_str_eqc(node->text, "no")) {
            facts[count].value = STILE_NO;
        } else if (!stile_str_eqc(node->text, "unknown")) {
            (void)stile_node_diag(load->diags, node, "R101", STILE_ERROR,
                                  "a fact is yes, no or unknown");
            return false;
        }
        if (rules->fact_defs[fact].about == STILE__ABOUT_ITEM) {
            if (facts[count].value == STILE_YES) {
                example->item_facts |= UINT64_C(1) << fact;
            }
            continue;
        }
        if (rules->fact_defs[fact].max_age) {
            facts[count].date = given_on(example->question.today);
        }
        /* A case says what is known: its yes is later than its refusals. */
        if (rules->fact_defs[fact].undone_by != STILE__NONE) {
            facts[count].date = given_on(example->question.today);
        } else if (rules->fact_defs[fact].about == STILE__ABOUT_PERSON &&
                   !facts[count].date) {
            facts[count].date = 1;
        }
        if (rules->fact_defs[fact].about == STILE__ABOUT_PAIR) {
            facts[count].recipient = example->question.recipient;
        }
        count++;
    }
    example->question.facts = facts;
    example->question.fact_count = count;
    return good;
}

/* Labels as they are, or "related-to-<label>" for what a link brings. */
static bool read_labels(struct stile__load *load, const struct stile_node *node,
                        struct example *example)
{
    const struct stile_node *child;
    struct stile_str prefix = STILE_STR("related-to-");

    if (!node) {
        return true;
    }
    for (child = node->kind == STILE_NODE_TEXT ? node : node->first; child;
         child = child == node ? NULL : child->next) {
        struct stile_node word = *child;
        bool related = stile_str_starts(child->text, prefix);
        uint32_t label;

        if (related) {
            word.text = stile_str_sub(child->text, prefix.len,
                                      child->text.len - prefix.len);
        }
        label = stile__word_node(load, &load->rules->labels, "label", &word);
        if (label == STILE__NONE) {
            return false;
        }
        if (related) {
            example->labels.related |= UINT64_C(1) << label;
        } else {
            example->labels.own |= UINT64_C(1) << label;
        }
    }
    return true;
}

static bool read_question(struct stile__load *load,
                          const struct stile_node *node,
                          struct example *example)
{
    const struct stile_rules *rules = load->rules;
    const struct stile__agreement *agreement = NULL;
    struct stile_question *question = &example->question;
    const struct stile_node *on = stile_node_get(node, "on");
    size_t i;

    question->agreement = stile_node_text(node, "under");
    for (i = 0; i < rules->agreement_count; i++) {
        if (stile_str_eq(rules->agreements[i].id, question->agreement)) {
            agreement = &rules->agreements[i];
        }
    }
    if (!agreement || agreement->recipient_kind == STILE__NONE) {
        (void)stile_node_diag(
            load->diags, stile_node_get(node, "under"), "R206", STILE_ERROR,
            "there is no agreement '%.*s'", STILE_FMT(question->agreement));
        return false;
    }
    question->sender = agreement->sender;
    question->recipient = agreement->recipient;
    question->recipient_kind = rules->kinds.names[agreement->recipient_kind];
    question->purpose = stile_node_text(node, "for");
    if (stile__word_node(load, &rules->purposes, "purpose",
                         stile_node_get(node, "for")) == STILE__NONE) {
        return false;
    }
    question->family = stile_node_text(node, "family");
    /* The first day of the agreement, unless the case names another: a worked
     * case must not begin to fail because an agreement has run out. */
    question->today = agreement->from.year ? agreement->from : load->today;
    return !on || stile__date_node(load, node, "on", &question->today);
}

static bool read_example(struct stile__load *load,
                         const struct stile_node *node, struct example *example)
{
    static const struct stile_key_spec keys[] = {
        {"example", STILE_WANT_TEXT, true},
        {"rule", STILE_WANT_TEXT, true},
        {"under", STILE_WANT_TEXT, true},
        {"for", STILE_WANT_TEXT, true},
        {"on", STILE_WANT_TEXT, false},
        {"family", STILE_WANT_TEXT, false},
        {"patient", STILE_WANT_MAP, false},
        {"data", STILE_WANT_TEXT, true},
        {"labels", STILE_WANT_TEXT_OR_LIST, false},
        {"expect", STILE_WANT_TEXT, true}};

    *example = (struct example){.node = node};
    if (!stile_node_expect(node, "an example", keys, 10, load->diags) ||
        !read_question(load, node, example) ||
        !read_facts(load, stile_node_get(node, "patient"), example) ||
        !read_labels(load, stile_node_get(node, "labels"), example) ||
        !read_outcome(load, stile_node_get(node, "expect"), &example->expect)) {
        return false;
    }
    example->rule = rule_find(load->rules, stile_node_text(node, "rule"));
    if (example->rule == STILE__NONE) {
        (void)stile_node_diag(load->diags, stile_node_get(node, "rule"), "R206",
                              STILE_ERROR,
                              "there is no rule '%.*s' in rules.yaml or "
                              "guardrails.yaml; if it went missing, put it "
                              "back",
                              STILE_FMT(stile_node_text(node, "rule")));
        return false;
    }
    example->word = stile__word_node(load, &load->rules->data, "data word",
                                     stile_node_get(node, "data"));
    return example->word != STILE__NONE;
}

/* Whether the rule has its say in the verdict. */
static bool speaks(const struct stile__verdict *verdict, uint32_t rule)
{
    return (verdict->shares[rule / 64] >> (rule % 64) & 1) ||
           (verdict->limits[rule / 64] >> (rule % 64) & 1);
}

/* A hold that no limit asks for is the share's own way of letting go. */
static bool limited(const struct stile__verdict *verdict)
{
    return verdict->limits[0] || verdict->limits[1] || verdict->limits[2] ||
           verdict->limits[3];
}

static void run_example(struct stile__load *load, const struct example *example,
                        struct seen *seen)
{
    const struct stile__rule *rule = &load->rules->rules[example->rule];
    struct stile__context context;
    struct stile__firing firing;
    struct stile__verdict verdict;
    bool goes, speaking, told;

    stile__context_make(load->rules, &example->question, &context);
    stile__firing_make(&context, &firing);
    stile__verdict_make(&firing, example->word, example->labels,
                        example->item_facts, NULL, &verdict);
    if (verdict.outcome != example->expect) {
        (void)stile_node_diag(
            load->diags, stile_node_get(example->node, "expect"), "R601",
            STILE_ERROR,
            "the rules come to '%s' here; correct the rules or "
            "the example",
            stile_outcome_text(verdict.outcome));
        seen->shares[example->rule] = true; /* said once is enough */
        seen->stays[example->rule] = true;
        return;
    }
    goes = verdict.outcome == STILE_OUTCOME_RELEASE ||
           verdict.outcome == STILE_OUTCOME_CHANGED ||
           (verdict.outcome == STILE_OUTCOME_HOLD &&
            (rule->kind == STILE__SHARE ? rule->holds : !limited(&verdict)));
    speaking = speaks(&verdict, example->rule);
    /* A share speaks when it lets go; a limit when it keeps back or changes,
     * and its other case is one it has nothing to say in. */
    told = rule->kind == STILE__SHARE ? speaking == goes
           : rule->withholds          ? speaking == !goes
                                      : true;
    if (!told) {
        (void)stile_node_diag(load->diags,
                              stile_node_get(example->node, "rule"), "R602",
                              STILE_ERROR,
                              "rule %.*s is not what decides here; choose a "
                              "case that shows it",
                              STILE_FMT(rule->id));
        return;
    }
    if (rule->withholds || rule->kind == STILE__SHARE) {
        seen->shares[example->rule] |= goes;
        seen->stays[example->rule] |= !goes;
    } else {
        seen->shares[example->rule] |= !speaking;
        seen->stays[example->rule] |= speaking;
    }
}

static void check_seen(struct stile__load *load, const struct seen *seen)
{
    size_t i;

    for (i = 0; i < load->rules->rule_count; i++) {
        const struct stile__rule *rule = &load->rules->rules[i];

        if (seen->shares[i] && seen->stays[i]) {
            continue;
        }
        (void)stile_node_diag(
            load->diags, stile_node_get(rule->node, "rule"), "R202",
            STILE_ERROR, "rule %.*s needs a worked case in examples.yaml %s",
            STILE_FMT(rule->id),
            seen->shares[i]  ? "that does not share"
            : seen->stays[i] ? "that shares"
                             : "that shares and one that does not");
    }
}

void stile__examples_run(struct stile__load *load)
{
    size_t count = load->rules->rule_count + 1;
    struct seen seen = {stile_arena_array(load->arena, count, sizeof(bool)),
                        stile_arena_array(load->arena, count, sizeof(bool))};
    struct example *example = stile_arena_alloc(load->arena, sizeof(*example));
    const struct stile_node *node;
    size_t i;

    if (!seen.shares || !seen.stays || !example) {
        return;
    }
    for (i = 0; i < load->count; i++) {
        if (load->inputs[i].kind != STILE_RULES_EXAMPLES || !load->files[i]) {
            continue;
        }
        for (node = load->files[i]->first; node; node = node->next) {
            load->rules->example_count++;
            if (read_example(load, node, example)) {
                run_example(load, example, &seen);
            }
        }
    }
    check_seen(load, &seen);
}
