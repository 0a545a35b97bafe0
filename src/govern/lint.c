/*
 * Rules that can never act, and words that nothing uses. Only what is certain
 * is said: a rule is a conjunction of memberships in finite sets, so cover is
 * a comparison of masks.
 */
#include "private.h"

static bool may_be(uint64_t mask, uint32_t word)
{
    return !mask || (word != STILE__NONE && (mask >> word & 1));
}

/* Facts that are yes whenever the share fires. */
static uint64_t sure_facts(const struct stile__rule *share)
{
    uint64_t sure = 0;
    size_t i;

    for (i = 0; i < share->need_count; i++) {
        uint64_t any = share->needs[i].any;
        if (any && !(any & (any - 1))) {
            sure |= any;
        }
    }
    return sure;
}

/* Does the limit fire whenever the share does, whatever the labels? */
static bool always_meets(const struct stile_rules *rules,
                         const struct stile__rule *limit,
                         const struct stile__rule *share)
{
    const struct stile__agreement *agreement =
        &rules->agreements[share->agreement];
    size_t i;

    if (limit->labels ||
        !may_be(limit->recipient_kinds, agreement->recipient_kind) ||
        !may_be(limit->sender_kinds, agreement->sender_kind) ||
        (limit->purposes && (share->purposes & ~limit->purposes)) ||
        (limit->when_facts & ~sure_facts(share))) {
        return false;
    }
    for (i = 0; i < limit->unless_count; i++) {
        const struct stile__unless *unless = &limit->unless[i];
        if (may_be(unless->recipient_kinds, agreement->recipient_kind) &&
            (!unless->purposes || (share->purposes & unless->purposes))) {
            return false; /* the exception may hold */
        }
    }
    return true;
}

static bool removes(const struct stile_rules *rules,
                    const struct stile__rule *rule, uint32_t word)
{
    size_t i;

    for (i = 0; i < rule->action_count; i++) {
        const struct stile__obligation *def =
            &rules->obligation_defs[rule->actions[i].obligation];
        if (def->verb == STILE__REMOVE && (rule->actions[i].data >> word & 1)) {
            return true;
        }
    }
    return false;
}

static const struct stile__rule *killer(const struct stile_rules *rules,
                                        const struct stile__rule *share,
                                        uint32_t word)
{
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *limit = &rules->rules[i];
        if (limit->kind != STILE__SHARE &&
            ((limit->withholds && !limit->holds && (limit->data >> word & 1)) ||
             removes(rules, limit, word)) &&
            always_meets(rules, limit, share)) {
            return limit;
        }
    }
    return NULL;
}

static void lint_dead(struct stile__load *load, const struct stile__rule *share)
{
    const struct stile_rules *rules = load->rules;
    const struct stile__rule *by = NULL;
    bool lives = false;
    uint32_t word;

    for (word = 0; word < rules->data.count; word++) {
        if (share->data >> word & 1) {
            const struct stile__rule *found = killer(rules, share, word);
            by = found ? found : by;
            lives = lives || !found;
        }
    }
    if (by && !lives) {
        (void)stile_node_diag(
            load->diags, stile_node_get(share->node, "rule"), "R501",
            STILE_ERROR,
            "rule %.*s is dead: whatever it shares is always kept back, by "
            "rule %.*s for one; remove it or narrow the other",
            STILE_FMT(share->id), STILE_FMT(by->id));
    }
}

/* A need that no source can ever make yes. */
static void lint_needs(struct stile__load *load,
                       const struct stile__rule *share)
{
    const struct stile_rules *rules = load->rules;
    size_t i, fact, code;

    for (i = 0; i < share->need_count; i++) {
        bool can = false;

        for (fact = 0; fact < rules->facts.count; fact++) {
            const struct stile__fact_def *def = &rules->fact_defs[fact];
            bool coded = false;

            if (!(share->needs[i].any >> fact & 1) ||
                def->about == STILE__ABOUT_ITEM) {
                continue;
            }
            for (code = 0; code < rules->consent_code_count; code++) {
                coded =
                    coded || (rules->consent_codes[code].target == fact &&
                              rules->consent_codes[code].value == STILE_YES &&
                              def->about == STILE__ABOUT_PERSON);
            }
            can = can || coded || def->from_store || def->from_consent ||
                  def->from_codes_only || def->from_referral ||
                  def->from_deceased || def->security_count || def->age_under;
        }
        if (!can) {
            (void)stile_node_diag(
                load->diags, stile_node_get(share->node, "needs"), "R502",
                STILE_ERROR,
                "rule %.*s can never apply: nothing ever says yes to one of "
                "its needs",
                STILE_FMT(share->id));
        }
    }
}

static void lint_labels(struct stile__load *load)
{
    const struct stile_rules *rules = load->rules;
    uint64_t used = 0;
    size_t i, a;

    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];
        used |= rule->labels;
        for (a = 0; a < rule->action_count; a++) {
            if (rule->actions[a].label != STILE__NONE) {
                used |= UINT64_C(1) << rule->actions[a].label;
            }
        }
    }
    for (i = 0; i < rules->labels.count; i++) {
        const struct stile__label_def *def = &rules->label_defs[i];
        const struct stile_source *source = load->inputs[0].source;

        if (!(used >> i & 1)) {
            (void)stile_diag_at_source(
                load->diags, "R504", STILE_WARNING, source,
                (struct stile_span){0, 0},
                "no rule mentions the label %.*s: what carries it is treated "
                "as if it did not",
                STILE_FMT(rules->labels.names[i]));
        } else if (!def->has_codes && !def->security_count &&
                   !def->uncoded_count && !def->elsewhere_count) {
            (void)stile_diag_at_source(
                load->diags, "R503", STILE_WARNING, source,
                (struct stile_span){0, 0},
                "nothing ever carries the label %.*s: give it a code list in "
                "labels/",
                STILE_FMT(rules->labels.names[i]));
        }
    }
}

static void lint_agreement(struct stile__load *load,
                           const struct stile__agreement *agreement,
                           size_t index)
{
    const struct stile_rules *rules = load->rules;
    const struct stile_node *node = agreement->node;
    int64_t today = stile_date_days(load->today);
    uint64_t used = 0;
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        if (rules->rules[i].kind == STILE__SHARE &&
            rules->rules[i].agreement == index) {
            used |= rules->rules[i].data;
        }
    }
    if (!used) {
        (void)stile_node_diag(load->diags, stile_node_get(node, "agreement"),
                              "R505", STILE_WARNING,
                              "no rule shares anything under agreement %.*s",
                              STILE_FMT(agreement->id));
    } else if (agreement->data & ~used) {
        (void)stile_node_key_diag(
            load->diags, stile_node_get(node, "data"), "R506", STILE_WARNING,
            "agreement %.*s allows data that no rule shares; take them out of "
            "the agreement",
            STILE_FMT(agreement->id));
    }
    if (!agreement->expires.year || !agreement->review.year) {
        return;
    }
    if (today > stile_date_days(agreement->expires)) {
        (void)stile_node_diag(load->diags, stile_node_get(node, "expires"),
                              "R303", STILE_WARNING,
                              "agreement %.*s has expired: nothing flows "
                              "under it",
                              STILE_FMT(agreement->id));
    } else if (today > stile_date_days(agreement->review)) {
        (void)stile_node_diag(
            load->diags, stile_node_get(node, "review"), "R305", STILE_WARNING,
            "agreement %.*s is past its review", STILE_FMT(agreement->id));
    }
}

void stile__lint(struct stile__load *load)
{
    const struct stile_rules *rules = load->rules;
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        if (rules->rules[i].kind == STILE__SHARE &&
            rules->rules[i].agreement != STILE__NONE) {
            lint_dead(load, &rules->rules[i]);
            lint_needs(load, &rules->rules[i]);
        }
    }
    for (i = 0; i < rules->agreement_count; i++) {
        lint_agreement(load, &rules->agreements[i], i);
    }
    lint_labels(load);
}
