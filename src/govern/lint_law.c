/*
 * Legal lint: what no agreement or rule may say. Sources are those of
 * mappings/rules/README.md. It finds slips; it is no legal advice.
 */
#include "private.h"

static bool one_of(struct stile_str word, const char *const *words)
{
    for (; *words; words++) {
        if (stile_str_eqc(word, *words)) {
            return true;
        }
    }
    return false;
}

static void closed(struct stile__load *load, const struct stile_node *node,
                   const char *const *words, const char *what)
{
    struct stile_str names[16];
    struct stile_diag *diag;
    size_t count;

    if (!node || one_of(node->text, words)) {
        return;
    }
    for (count = 0; words[count]; count++) {
        names[count] = stile_str_cstr(words[count]);
    }
    diag = stile_node_diag(load->diags, node, "R101", STILE_ERROR,
                           "'%.*s' is no %s", STILE_FMT(node->text), what);
    if (diag) {
        stile_diag_suggest(load->diags, diag, node->text, names, count);
    }
}

/* UK GDPR article 6(1) with (ea) of the Data (Use and Access) Act 2025, and
 * article 9(2). */
static void lint_side(struct stile__load *load, const struct stile_node *side,
                      uint32_t kind)
{
    static const char *const article6[] = {"6-1-a", "6-1-b",  "6-1-c", "6-1-d",
                                           "6-1-e", "6-1-ea", "6-1-f", NULL};
    static const char *const article9[] = {"9-2-a", "9-2-b", "9-2-c", "9-2-d",
                                           "9-2-f", "9-2-g", "9-2-h", "9-2-i",
                                           "9-2-j", NULL};
    static const char *const confidentiality[] = {
        "implied-consent", "explicit-consent", "legal-duty",
        "section-251",     "public-interest",  NULL};
    static const char *const not_public[] = {"6-1-ea", "6-1-f", NULL};
    const struct stile_node *six = stile_node_get(side, "article6");
    const struct stile_node *nine = stile_node_get(side, "article9");
    uint32_t group =
        stile__word_find(&load->rules->groups, STILE_STR("public-authority"));
    bool public_body;

    closed(load, six, article6, "lawful basis of article 6(1)");
    closed(load, nine, article9, "condition of article 9(2)");
    closed(load, stile_node_get(side, "confidentiality"), confidentiality,
           "way to meet the duty of confidentiality");
    if (!nine) {
        (void)stile_node_key_diag(
            load->diags, side, "R403", STILE_ERROR,
            "data about health need a condition of article 9(2); add "
            "'article9'");
    }
    if (kind == STILE__NONE || group == STILE__NONE || !six) {
        return;
    }
    public_body = load->rules->group_kinds[group] >> kind & 1;
    if (!public_body && stile_str_eqc(six->text, "6-1-e")) {
        (void)stile_node_diag(
            load->diags, six, "R401", STILE_ERROR,
            "6(1)(e) is for a body's own public task; this party is no public "
            "authority, look at 6-1-f or 6-1-a");
    }
    if (public_body && one_of(six->text, not_public)) {
        (void)stile_node_diag(
            load->diags, six, "R402", STILE_ERROR,
            "%.*s is not open to a public authority; look at 6-1-e",
            STILE_FMT(six->text));
    }
}

static void lint_cites(struct stile__load *load, const struct stile_node *node)
{
    const struct stile_node *cites = stile_node_get(node, "cites");
    const struct stile_node *child;
    size_t i;

    for (child = !cites                           ? NULL
                 : cites->kind == STILE_NODE_TEXT ? cites
                                                  : cites->first;
         child; child = child == cites ? NULL : child->next) {
        for (i = 0; i < load->rules->revoked_count; i++) {
            if (stile_str_find_str(child->text, load->rules->revoked_law[i]) !=
                SIZE_MAX) {
                (void)stile_node_diag(
                    load->diags, child, "R407", STILE_ERROR,
                    "this law is no longer in force; rest the rule on what "
                    "is");
            }
        }
    }
}

static bool needs_consent(const struct stile_rules *rules,
                          const struct stile__rule *rule)
{
    uint64_t consents = 0;
    size_t i;

    for (i = 0; i < rules->facts.count; i++) {
        if (rules->fact_defs[i].from_consent) {
            consents |= UINT64_C(1) << i;
        }
    }
    for (i = 0; i < rule->need_count; i++) {
        if (rule->needs[i].any && !(rule->needs[i].any & ~consents)) {
            return true;
        }
    }
    return false;
}

/* Article 9(3): 9(2)(h) is for data in the hands of people bound to secrecy,
 * for care or its management. That it is not for a charity that gives no care
 * is our reading of the sources, so it is a warning. */
static void lint_no_care(struct stile__load *load,
                         const struct stile_node *recipient, uint32_t kind)
{
    const struct stile_rules *rules = load->rules;
    const struct stile_node *nine = stile_node_get(recipient, "article9");
    uint32_t care = stile__word_find(&rules->groups, STILE_STR("gives-care"));
    uint32_t charity = stile__word_find(&rules->groups, STILE_STR("voluntary"));

    if (nine && kind != STILE__NONE && care != STILE__NONE &&
        charity != STILE__NONE && stile_str_eqc(nine->text, "9-2-h") &&
        (rules->group_kinds[charity] >> kind & 1) &&
        !(rules->group_kinds[care] >> kind & 1)) {
        (void)stile_node_diag(
            load->diags, nine, "R409", STILE_WARNING,
            "9-2-h is for health or social care, and this recipient gives "
            "none; look at 9-2-a, explicit consent (a reading of the law: ask "
            "your IG lead)");
    }
}

static void run_out(struct stile__load *load, const struct stile_node *node,
                    const char *what, const struct stile_date *day,
                    const struct stile__agreement *agreement)
{
    if (node && day->year &&
        stile_date_days(load->today) > stile_date_days(*day)) {
        (void)stile_node_diag(
            load->diags, node, "R306", STILE_WARNING,
            "the %s ran out on %.*s: nothing goes to %.*s under agreement "
            "%.*s until there is a new one",
            what, STILE_FMT(node->text), STILE_FMT(agreement->recipient_name),
            STILE_FMT(agreement->id));
    }
}

static void lint_papers(struct stile__load *load,
                        const struct stile__agreement *agreement)
{
    const struct stile_node *party =
        stile_node_get(agreement->node, "between")->first;

    for (; party; party = party->next) {
        if (stile_str_eqc(stile_node_text(party, "as"), "recipient")) {
            run_out(load, stile_node_get(party, "dspt-expires"),
                    "recipient's DSPT", &agreement->dspt_expires, agreement);
        }
    }
    run_out(load,
            stile_node_get(stile_node_get(agreement->node, "papers"),
                           "dpia-expires"),
            "DPIA", &agreement->dpia_expires, agreement);
}

static void lint_agreement(struct stile__load *load,
                           const struct stile__agreement *agreement)
{
    const struct stile_node *basis = stile_node_get(agreement->node, "basis");
    const struct stile_rules *rules = load->rules;
    uint32_t care = stile__word_find(&rules->groups, STILE_STR("gives-care"));
    const struct stile_node *sender = stile_node_get(basis, "sender");

    lint_side(load, sender, agreement->sender_kind);
    lint_side(load, stile_node_get(basis, "recipient"),
              agreement->recipient_kind);
    lint_no_care(load, stile_node_get(basis, "recipient"),
                 agreement->recipient_kind);
    lint_papers(load, agreement);
    lint_cites(load, agreement->node);
    if (agreement->recipient_kind != STILE__NONE && care != STILE__NONE &&
        !(rules->group_kinds[care] >> agreement->recipient_kind & 1) &&
        stile_str_eqc(stile_node_text(sender, "confidentiality"),
                      "implied-consent")) {
        (void)stile_node_diag(
            load->diags, stile_node_get(sender, "confidentiality"), "R408",
            STILE_WARNING,
            "implied consent reaches as far as care; this recipient gives "
            "none, ask for explicit-consent");
    }
}

/* A share beyond care must be under some limit that asks the opt-out. */
static bool opt_out_asked(const struct stile_rules *rules, const char *name,
                          uint64_t purposes)
{
    uint32_t fact = stile__word_find(&rules->facts, stile_str_cstr(name));
    size_t i;

    for (i = 0; i < rules->rule_count && fact != STILE__NONE; i++) {
        const struct stile__rule *rule = &rules->rules[i];
        if (rule->kind != STILE__SHARE && rule->everything && !rule->labels &&
            rule->when_facts == UINT64_C(1) << fact && !rule->unless_count &&
            !rule->recipient_kinds && !rule->sender_kinds &&
            (!rule->purposes || !(purposes & ~rule->purposes))) {
            return true;
        }
    }
    return false;
}

static void lint_share(struct stile__load *load, const struct stile__rule *rule)
{
    const struct stile_rules *rules = load->rules;
    uint64_t beyond = rule->purposes & ~rules->purposes_care;

    if (rule->agreement == STILE__NONE) {
        return;
    }
    if (beyond && !opt_out_asked(rules, "national-opt-out", beyond)) {
        (void)stile_node_diag(
            load->diags, stile_node_get(rule->node, "for"), "R404", STILE_ERROR,
            "a purpose beyond care needs a guardrail that asks the national "
            "data opt-out");
    }
    if (rules->agreements[rule->agreement].explicit_consent &&
        !needs_consent(rules, rule)) {
        (void)stile_node_diag(
            load->diags, rule->node, "R406", STILE_ERROR,
            "agreement %.*s rests on explicit consent; add "
            "consent-to-this-recipient to the needs of rule %.*s",
            STILE_FMT(rules->agreements[rule->agreement].id),
            STILE_FMT(rule->id));
    }
    if ((rule->data & rules->free_text_words) && rule->data != UINT64_MAX) {
        (void)stile_node_diag(
            load->diags, stile_node_get(rule->node, "data"), "R410",
            STILE_WARNING,
            "free text carries no labels, so it may tell what other rules "
            "keep back; leave it out or let a person look at it");
    }
}

static void lint_limit(struct stile__load *load, const struct stile__rule *rule)
{
    const struct stile_rules *rules = load->rules;
    static const char *const beyond[] = {"national-opt-out", "type-1", NULL};
    size_t i;

    for (i = 0; beyond[i]; i++) {
        uint32_t fact =
            stile__word_find(&rules->facts, stile_str_cstr(beyond[i]));
        if (fact != STILE__NONE && (rule->when_facts >> fact & 1) &&
            (!rule->purposes || (rule->purposes & rules->purposes_care))) {
            (void)stile_node_diag(
                load->diags, stile_node_get(rule->node, "when"), "R405",
                STILE_ERROR,
                "%s does not count in a person's own care; add 'for: "
                "beyond-care'",
                beyond[i]);
        }
    }
}

void stile__lint_law(struct stile__load *load)
{
    const struct stile_rules *rules = load->rules;
    size_t i;

    stile__glass_lint(load);
    for (i = 0; i < rules->agreement_count; i++) {
        lint_agreement(load, &rules->agreements[i]);
    }
    for (i = 0; i < rules->rule_count; i++) {
        lint_cites(load, rules->rules[i].node);
        if (rules->rules[i].kind == STILE__SHARE) {
            lint_share(load, &rules->rules[i]);
        } else {
            lint_limit(load, &rules->rules[i]);
        }
    }
}
