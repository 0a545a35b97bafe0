/* rules.yaml and guardrails.yaml. */
#include "private.h"

static bool reading_files(const struct stile__load *load, size_t i)
{
    return load->inputs[i].kind == STILE_RULES_LOCAL ||
           load->inputs[i].kind == STILE_RULES_GUARDRAILS;
}

/* ---- conditions
 * ---------------------------------------------------------------- */

/* An empty mask means "any" in a rule, so words that name nothing must not
 * come to mean everything. */
static void names_nothing(struct stile__load *load,
                          const struct stile_node *node)
{
    (void)stile_node_diag(load->diags, node, "R110", STILE_ERROR,
                          "nothing in vocabulary.yaml is meant by this; name "
                          "something that is there or remove the line");
}

static void unknown_kind(struct stile__load *load,
                         const struct stile_node *node)
{
    const struct stile_rules *rules = load->rules;
    struct stile_str names[STILE__WORDS_MAX * 2];
    struct stile_diag *diag = stile_node_diag(
        load->diags, node, "R101", STILE_ERROR,
        "'%.*s' is no kind or group of organisations; use a word of "
        "vocabulary.yaml",
        STILE_FMT(node->text));
    size_t i;

    for (i = 0; i < rules->kinds.count; i++) {
        names[i] = rules->kinds.names[i];
    }
    for (i = 0; i < rules->groups.count; i++) {
        names[rules->kinds.count + i] = rules->groups.names[i];
    }
    if (diag) {
        stile_diag_suggest(load->diags, diag, node->text, names,
                           rules->kinds.count + rules->groups.count);
    }
}

/* Kinds of organisation, or groups that stand for several. */
static uint64_t kinds_of(struct stile__load *load,
                         const struct stile_node *node)
{
    struct stile_rules *rules = load->rules;
    size_t before = load->diags->errors;
    const struct stile_node *child;
    uint64_t mask = 0;

    if (!node) {
        return 0;
    }
    for (child = node->kind == STILE_NODE_TEXT ? node : node->first; child;
         child = child == node ? NULL : child->next) {
        uint32_t group = stile__word_find(&rules->groups, child->text);
        uint32_t kind = stile__word_find(&rules->kinds, child->text);

        if (group != STILE__NONE) {
            mask |= rules->group_kinds[group];
        } else if (kind != STILE__NONE) {
            mask |= UINT64_C(1) << kind;
        } else {
            unknown_kind(load, child);
        }
    }
    if (!mask && load->diags->errors == before) {
        names_nothing(load, node);
    }
    return mask;
}

static uint64_t purposes_of(struct stile__load *load,
                            const struct stile_node *node)
{
    struct stile_rules *rules = load->rules;
    uint64_t all = rules->purposes.count == STILE__WORDS_MAX
                       ? UINT64_MAX
                       : (UINT64_C(1) << rules->purposes.count) - 1;

    if (node && stile_str_eqc(node->text, "care")) {
        return rules->purposes_care;
    }
    if (node && stile_str_eqc(node->text, "beyond-care")) {
        if (!(all & ~rules->purposes_care)) {
            names_nothing(load, node);
        }
        return all & ~rules->purposes_care;
    }
    return stile__word_mask(load, &rules->purposes, "purpose", node);
}

static void read_when(struct stile__load *load, const struct stile_node *node,
                      struct stile__rule *rule)
{
    static const struct stile_key_spec keys[] = {
        {"patient", STILE_WANT_TEXT_OR_LIST, false},
        {"recipient-is", STILE_WANT_TEXT_OR_LIST, false},
        {"sender-is", STILE_WANT_TEXT_OR_LIST, false},
        {"for", STILE_WANT_TEXT_OR_LIST, false}};

    if (!node || !stile_node_expect(node, "'when'", keys, 4, load->diags)) {
        return;
    }
    rule->when_facts = stile__word_mask(load, &load->rules->facts, "fact",
                                        stile_node_get(node, "patient"));
    rule->recipient_kinds =
        kinds_of(load, stile_node_get(node, "recipient-is"));
    rule->sender_kinds = kinds_of(load, stile_node_get(node, "sender-is"));
    rule->purposes = purposes_of(load, stile_node_get(node, "for"));
}

static void read_unless_entry(struct stile__load *load,
                              const struct stile_node *node,
                              struct stile__unless *unless)
{
    const struct stile_node *key;

    if (node->kind != STILE_NODE_MAP) {
        (void)stile_node_diag(load->diags, node, "R106", STILE_ERROR,
                              "write each exception as a map: "
                              "{consent-to-this-recipient: yes}");
        return;
    }
    for (key = node->first; key; key = key->next) {
        struct stile_node word = *key;
        uint32_t fact;

        if (stile_str_eqc(key->key, "recipient-is")) {
            unless->recipient_kinds |= kinds_of(load, key);
            continue;
        }
        if (stile_str_eqc(key->key, "for")) {
            unless->purposes |= purposes_of(load, key);
            continue;
        }
        word.kind = STILE_NODE_TEXT;
        word.text = key->key;
        word.span = key->key_span;
        fact = stile__word_node(load, &load->rules->facts, "fact", &word);
        if (!stile_str_eqc(key->text, "yes")) {
            (void)stile_node_diag(load->diags, key, "R106", STILE_ERROR,
                                  "an exception must rest on a yes; only "
                                  "'yes' can stand here");
        }
        if (fact != STILE__NONE) {
            unless->facts |= UINT64_C(1) << fact;
        }
    }
}

static void read_unless(struct stile__load *load, const struct stile_node *node,
                        struct stile__rule *rule)
{
    struct stile__unless *unless;
    const struct stile_node *child;

    if (!node) {
        return;
    }
    unless = stile_arena_array(load->arena, node->count + 1, sizeof(*unless));
    if (!unless) {
        return;
    }
    for (child = node->first; child; child = child->next) {
        read_unless_entry(load, child, &unless[rule->unless_count]);
        if (unless[rule->unless_count].facts ||
            unless[rule->unless_count].recipient_kinds ||
            unless[rule->unless_count].purposes) {
            rule->unless_count++;
        }
    }
    rule->unless = unless;
}

static void read_needs(struct stile__load *load, const struct stile_node *node,
                       struct stile__rule *rule)
{
    static const struct stile_key_spec keys[] = {
        {"any-of", STILE_WANT_LIST, true}};
    struct stile__need *needs;
    const struct stile_node *child;

    if (!node) {
        return;
    }
    needs = stile_arena_array(load->arena, node->count + 1, sizeof(*needs));
    if (!needs) {
        return;
    }
    for (child = node->kind == STILE_NODE_TEXT ? node : node->first; child;
         child = child == node ? NULL : child->next) {
        uint64_t any;

        if (child->kind == STILE_NODE_MAP) {
            if (!stile_node_expect(child, "a need", keys, 1, load->diags)) {
                continue;
            }
            any = stile__word_mask(load, &load->rules->facts, "fact",
                                   child->first);
        } else {
            any = stile__word_mask(load, &load->rules->facts, "fact", child);
        }
        /* A need that names no known fact stays, and can never be yes. */
        needs[rule->need_count++].any = any;
    }
    rule->needs = needs;
}

static void read_data(struct stile__load *load, const struct stile_node *node,
                      struct stile__rule *rule)
{
    static const struct stile_key_spec keys[] = {
        {"labelled", STILE_WANT_TEXT_OR_LIST, true},
        {"of", STILE_WANT_TEXT_OR_LIST, false}};
    struct stile_rules *rules = load->rules;

    if (!node) {
        return;
    }
    rule->withholds = true;
    if (stile_str_eqc(node->text, "everything")) {
        rule->everything = true;
        rule->data = UINT64_MAX;
        return;
    }
    if (node->kind != STILE_NODE_MAP) {
        rule->data = stile__word_mask(load, &rules->data, "data word", node);
        return;
    }
    if (!stile_node_expect(node, "'data'", keys, 2, load->diags)) {
        return;
    }
    rule->labels = stile__word_mask(load, &rules->labels, "label",
                                    stile_node_get(node, "labelled"));
    rule->everything = !stile_node_get(node, "of");
    rule->data = rule->everything
                     ? UINT64_MAX
                     : stile__word_mask(load, &rules->data, "data word",
                                        stile_node_get(node, "of"));
}

/* ---- rules
 * --------------------------------------------------------------------- */

static const struct stile_key_spec share_keys[] = {
    {"rule", STILE_WANT_TEXT, true},
    {"kind", STILE_WANT_TEXT, true},
    {"says", STILE_WANT_TEXT, true},
    {"under", STILE_WANT_TEXT, true},
    {"for", STILE_WANT_TEXT, true},
    {"data", STILE_WANT_LIST, true},
    {"needs", STILE_WANT_TEXT_OR_LIST, false},
    {"then", STILE_WANT_TEXT_OR_LIST, false},
    {"from", STILE_WANT_TEXT, false},
    {"expires", STILE_WANT_TEXT, false},
    {"cites", STILE_WANT_TEXT_OR_LIST, false}};

static const struct stile_key_spec limit_keys[] = {
    {"rule", STILE_WANT_TEXT, true},
    {"kind", STILE_WANT_TEXT, true},
    {"says", STILE_WANT_TEXT, true},
    {"data", STILE_WANT_ANY, false},
    {"reach", STILE_WANT_TEXT, false},
    {"when", STILE_WANT_MAP, false},
    {"unless", STILE_WANT_LIST, false},
    {"then", STILE_WANT_TEXT_OR_LIST, false},
    {"tell-recipient", STILE_WANT_TEXT, false},
    {"expires", STILE_WANT_TEXT, false}, /* refused with its own finding */
    {"cites", STILE_WANT_TEXT_OR_LIST, false}};

static uint32_t agreement_find(const struct stile_rules *rules,
                               struct stile_str id)
{
    size_t i;

    for (i = 0; i < rules->agreement_count; i++) {
        if (stile_str_eq(rules->agreements[i].id, id)) {
            return (uint32_t)i;
        }
    }
    return STILE__NONE;
}

/* No "did you mean": the nearest id is another agreement, with other parties.
 * One that is there and could not be read has findings of its own. */
static void unknown_agreement(struct stile__load *load,
                              const struct stile_node *node)
{
    const struct stile_node *entry;
    size_t i;

    for (i = 0; i < load->count; i++) {
        if (load->inputs[i].kind != STILE_RULES_AGREEMENTS) {
            continue;
        }
        for (entry = load->files[i] ? load->files[i]->first : NULL; entry;
             entry = entry->next) {
            if (stile_str_eq(stile_node_text(entry, "agreement"), node->text)) {
                return;
            }
        }
    }
    (void)stile_node_diag(
        load->diags, node, "R201", STILE_ERROR,
        "there is no agreement '%.*s'; a share needs one of agreements.yaml",
        STILE_FMT(node->text));
}

static void check_within(struct stile__load *load,
                         const struct stile_node *node,
                         const struct stile__rule *rule)
{
    const struct stile_rules *rules = load->rules;
    const struct stile__agreement *agreement =
        &rules->agreements[rule->agreement];
    const struct stile_node *child;
    uint32_t word;

    if (rule->purposes & ~agreement->purposes) {
        (void)stile_node_diag(load->diags, stile_node_get(node, "for"), "R204",
                              STILE_ERROR,
                              "the agreement %.*s is not for this purpose",
                              STILE_FMT(agreement->id));
    }
    for (child = stile_node_get(node, "data")->first; child;
         child = child->next) {
        word = stile__word_find(&rules->data, child->text);
        if (word != STILE__NONE && !(agreement->data >> word & 1)) {
            (void)stile_node_diag(
                load->diags, child, "R203", STILE_ERROR,
                "'%.*s' is not among the data of agreement %.*s; a rule can "
                "only narrow its agreement",
                STILE_FMT(child->text), STILE_FMT(agreement->id));
        }
    }
}

static bool read_share(struct stile__load *load, const struct stile_node *node,
                       struct stile__rule *rule)
{
    struct stile_rules *rules = load->rules;

    if (!stile_node_expect(node, "a share rule", share_keys,
                           sizeof(share_keys) / sizeof(share_keys[0]),
                           load->diags)) {
        return false;
    }
    rule->agreement = agreement_find(rules, stile_node_text(node, "under"));
    if (rule->agreement == STILE__NONE) {
        unknown_agreement(load, stile_node_get(node, "under"));
    }
    rule->purposes = stile__word_mask(load, &rules->purposes, "purpose",
                                      stile_node_get(node, "for"));
    read_data(load, stile_node_get(node, "data"), rule);
    read_needs(load, stile_node_get(node, "needs"), rule);
    (void)stile__date_node(load, node, "from", &rule->from);
    (void)stile__date_node(load, node, "expires", &rule->expires);
    if (rule->agreement != STILE__NONE &&
        !load->rules->agreements[rule->agreement].wrong) {
        check_within(load, node, rule);
    }
    return true;
}

static bool read_limit(struct stile__load *load, const struct stile_node *node,
                       struct stile__rule *rule)
{
    const struct stile_node *tell = stile_node_get(node, "tell-recipient");
    const struct stile_node *reach = stile_node_get(node, "reach");
    const struct stile_node *lapse = stile_node_get(node, "expires");

    if (lapse) {
        (void)stile_node_key_diag(load->diags, lapse, "R304", STILE_ERROR,
                                  "a %s never lapses by itself; remove the "
                                  "date, and later the rule",
                                  rule->kind == STILE__WITHHOLD ? "withhold"
                                                                : "guardrail");
    }
    if (!stile_node_expect(
            node,
            rule->kind == STILE__WITHHOLD ? "a withhold rule" : "a guardrail",
            limit_keys, sizeof(limit_keys) / sizeof(limit_keys[0]),
            load->diags)) {
        return false;
    }
    read_data(load, stile_node_get(node, "data"), rule);
    read_when(load, stile_node_get(node, "when"), rule);
    read_unless(load, stile_node_get(node, "unless"), rule);
    if (rule->kind == STILE__WITHHOLD && !rule->withholds) {
        (void)stile_node_diag(load->diags, node, "R106", STILE_ERROR,
                              "a withhold must say which data");
    }
    rule->reach = reach && stile_str_eqc(reach->text, "linked-items");
    if (reach && !rule->reach && !stile_str_eqc(reach->text, "item")) {
        (void)stile_node_diag(load->diags, reach, "R101", STILE_ERROR,
                              "reach is item or linked-items");
    }
    rule->tell = tell && stile_str_eqc(tell->text, "items-withheld");
    if (tell && !rule->tell && !stile_str_eqc(tell->text, "nothing")) {
        (void)stile_node_diag(load->diags, tell, "R101", STILE_ERROR,
                              "tell-recipient is nothing or items-withheld");
    }
    return true;
}

static bool kind_of(struct stile__load *load, const struct stile_node *node,
                    enum stile_rule_file file, enum stile__rule_kind *ret)
{
    const struct stile_node *kind = stile_node_get(node, "kind");

    if (!kind || kind->kind != STILE_NODE_TEXT) {
        (void)stile_node_diag(load->diags, node, "R106", STILE_ERROR,
                              "a rule must have a kind: share, withhold or, "
                              "in guardrails.yaml, guardrail");
        return false;
    }
    if (file == STILE_RULES_GUARDRAILS &&
        stile_str_eqc(kind->text, "guardrail")) {
        *ret = STILE__GUARDRAIL;
    } else if (file == STILE_RULES_LOCAL &&
               stile_str_eqc(kind->text, "share")) {
        *ret = STILE__SHARE;
    } else if (file == STILE_RULES_LOCAL &&
               stile_str_eqc(kind->text, "withhold")) {
        *ret = STILE__WITHHOLD;
    } else {
        (void)stile_node_diag(load->diags, kind, "R104", STILE_ERROR,
                              "a rule of this file must be %s",
                              file == STILE_RULES_GUARDRAILS
                                  ? "a guardrail"
                                  : "share or withhold");
        return false;
    }
    return true;
}

static bool id_is_new(struct stile__load *load, const struct stile_node *node,
                      struct stile_str id)
{
    size_t i;

    for (i = 0; i < load->rules->rule_count; i++) {
        if (stile_str_eq(load->rules->rules[i].id, id)) {
            (void)stile_node_diag(load->diags, stile_node_get(node, "rule"),
                                  "R103", STILE_ERROR,
                                  "the rule '%.*s' is here twice; give one a "
                                  "new name",
                                  STILE_FMT(id));
            return false;
        }
    }
    return true;
}

static void read_rule(struct stile__load *load, const struct stile_node *node,
                      enum stile_rule_file file)
{
    struct stile_rules *rules = load->rules;
    struct stile__rule *rule = &rules->rules[rules->rule_count];
    size_t i;
    bool good;

    if (!kind_of(load, node, file, &rule->kind)) {
        return;
    }
    if (rules->rule_count == STILE__RULES_MAX) {
        (void)stile_node_diag(load->diags, node, "R107", STILE_ERROR,
                              "there are more than %u rules; merge some",
                              STILE__RULES_MAX);
        return;
    }
    rule->agreement = STILE__NONE;
    good = rule->kind == STILE__SHARE ? read_share(load, node, rule)
                                      : read_limit(load, node, rule);
    if (!good || !id_is_new(load, node, stile_node_text(node, "rule"))) {
        memset(rule, 0, sizeof(*rule));
        return;
    }
    rule->id = stile_node_text(node, "rule");
    rule->says = stile_node_text(node, "says");
    rule->node = node;
    rule->actions = stile__actions(load, stile_node_get(node, "then"), 0,
                                   &rule->action_count);
    for (i = 0; i < rule->action_count; i++) {
        const struct stile__obligation *def =
            &rules->obligation_defs[rule->actions[i].obligation];
        if (def->verb == STILE__HOLD && !def->data) {
            rule->holds = true;
        }
    }
    rules->rule_count++;
}

static int by_id(const void *a, const void *b)
{
    const struct stile__rule *x = a;
    const struct stile__rule *y = b;

    return stile_str_cmp(x->id, y->id);
}

void stile__rules_read(struct stile__load *load)
{
    struct stile_rules *rules = load->rules;
    const struct stile_node *node;
    size_t i;

    /* One more than the limit, so that the one past it has a place. */
    rules->rules = stile_arena_array(load->arena, STILE__RULES_MAX + 1,
                                     sizeof(*rules->rules));
    if (!rules->rules) {
        return;
    }
    for (i = 0; i < load->count; i++) {
        if (!reading_files(load, i) || !load->files[i]) {
            continue;
        }
        for (node = load->files[i]->first; node; node = node->next) {
            read_rule(load, node, load->inputs[i].kind);
        }
    }
    qsort(rules->rules, rules->rule_count, sizeof(*rules->rules), by_id);
}
