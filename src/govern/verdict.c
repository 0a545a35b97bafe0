/* One field of one item: which rules fire, and what they come to. */
#include "private.h"

void stile__firing_make(const struct stile__context *context,
                        struct stile__firing *ret)
{
    const struct stile_rules *rules = context->rules;
    size_t i;

    memset(ret, 0, sizeof(*ret));
    ret->context = context;
    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];

        ret->need[i] = STILE__NONE;
        ret->unknown[i] = STILE__NONE;
        if (rule->kind == STILE__SHARE) {
            ret->share[i] = stile__share_fires(context, rule, &ret->need[i],
                                               &ret->why[i]) == STILE_YES;
        } else {
            ret->limit[i] =
                stile__limit_fires(context, rule, 0, &ret->unknown[i]);
        }
    }
}

static bool holds_word(uint64_t mask, uint32_t word)
{
    return word < STILE__WORDS_MAX && (mask >> word & 1);
}

static void set_bit(uint64_t bits[4], size_t i)
{
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}

struct merge {
    const struct stile_rules *rules;
    uint32_t word;
    struct stile__item_labels labels;
    const struct stile__looked *looked;
    struct stile__verdict *verdict;
    size_t actor; /* whose actions these are: a rule, or AGREEMENT */
    bool hold;
};
#define AGREEMENT SIZE_MAX

static bool has_bit(const uint64_t bits[4], size_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

/* A person's word lifts the hold of what they looked at, and no other. */
static void hold(struct merge *merge)
{
    if (merge->actor == AGREEMENT) {
        merge->verdict->agreement_holds = true;
        merge->hold = merge->hold || !merge->looked->agreement;
    } else {
        set_bit(merge->verdict->holds, merge->actor);
        merge->hold =
            merge->hold || !has_bit(merge->looked->rules, merge->actor);
    }
}

static bool take_relabel(struct merge *merge,
                         const struct stile__action *action)
{
    struct stile__verdict *verdict = merge->verdict;

    if (action->label == STILE__NONE ||
        !(merge->labels.own >> action->label & 1)) {
        return false;
    }
    /* More than fit: the item cannot be shown as asked. */
    if (verdict->relabel_count == STILE__RELABELS_MAX) {
        verdict->stuck = true;
        return true;
    }
    verdict->relabels[verdict->relabel_count++] =
        (struct stile__relabel){action->label, action->text};
    return true;
}

/* Returns whether the action changes what becomes of this word. */
static bool take_action(struct merge *merge, const struct stile__action *action)
{
    const struct stile__obligation *def =
        &merge->rules->obligation_defs[action->obligation];
    struct stile__verdict *verdict = merge->verdict;
    bool here = holds_word(action->data, merge->word);
    bool text = (def->drop_text || def->verb == STILE__DROP_FREE_TEXT) &&
                !holds_word(merge->rules->hub_words, merge->word);

    verdict->drop_text = verdict->drop_text || text;
    switch (def->verb) {
    case STILE__NOTIFY:
        verdict->notify |= UINT64_C(1) << action->obligation;
        return false;
    case STILE__RELABEL:
        return take_relabel(merge, action);
    case STILE__HOLD:
        if (here) {
            hold(merge);
        }
        return here;
    case STILE__DROP_FREE_TEXT:
        break;
    case STILE__ROUND:
    case STILE__PSEUDONYMISE:
    case STILE__MASK:
    case STILE__REMOVE:
        if (here && def->verb > verdict->level) {
            verdict->level = def->verb;
        }
        return here || text;
    }
    return text;
}

static bool take_actions(struct merge *merge, size_t actor,
                         const struct stile__action *actions, size_t count)
{
    bool acts = false;
    size_t i;

    merge->actor = actor;
    for (i = 0; i < count; i++) {
        acts = take_action(merge, &actions[i]) || acts;
    }
    return acts;
}

/* Facts whose yes carries a duty of its own (a self-claimed relationship). */
static void take_needs(struct merge *merge,
                       const struct stile__context *context,
                       const struct stile__rule *rule)
{
    size_t i, fact;

    for (i = 0; i < rule->need_count; i++) {
        for (fact = 0; fact < merge->rules->facts.count; fact++) {
            if ((rule->needs[i].any >> fact & 1) &&
                context->facts[fact] == STILE_YES) {
                merge->verdict->notify |= merge->rules->fact_defs[fact].notify;
            }
        }
    }
}

/* Returns whether any share covers the word. A person must look only when
 * every share that fires asks for it: a further share never narrows. */
static bool merge_shares(struct merge *merge,
                         const struct stile__firing *firing)
{
    const struct stile_rules *rules = merge->rules;
    bool any = false, all_hold = true, looked = false;
    uint64_t shares[4] = {0};
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];
        const struct stile__agreement *agreement;

        if (!firing->share[i] || !holds_word(rule->data, merge->word)) {
            continue;
        }
        agreement = &rules->agreements[rule->agreement];
        if (!holds_word(agreement->data, merge->word)) {
            continue;
        }
        any = true;
        all_hold = all_hold && rule->holds;
        looked = looked || has_bit(merge->looked->rules, i);
        set_bit(shares, i);
        (void)take_actions(merge, i, rule->actions, rule->action_count);
        (void)take_actions(merge, AGREEMENT, agreement->actions,
                           agreement->action_count);
        take_needs(merge, firing->context, rule);
    }
    for (i = 0; i < 4; i++) {
        merge->verdict->shares[i] = shares[i];
        merge->verdict->holds[i] |= any && all_hold ? shares[i] : 0;
    }
    merge->hold = merge->hold || (any && all_hold && !looked);
    return any;
}

/* Returns whether any limit keeps the word back. */
static bool merge_limits(struct merge *merge,
                         const struct stile__firing *firing,
                         uint64_t item_facts)
{
    const struct stile_rules *rules = merge->rules;
    bool withheld = false;
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];
        uint32_t unknown;
        bool here;

        if (rule->kind == STILE__SHARE ||
            !stile__labels_match(rule, merge->labels) ||
            (item_facts ? !stile__limit_fires(firing->context, rule, item_facts,
                                              &unknown)
                        : !firing->limit[i])) {
            continue;
        }
        here = rule->withholds &&
               (rule->everything || holds_word(rule->data, merge->word));
        withheld = withheld || (here && !rule->holds);
        merge->actor = i;
        if (here && rule->holds) {
            hold(merge);
        }
        if (take_actions(merge, i, rule->actions, rule->action_count) || here) {
            set_bit(merge->verdict->limits, i);
        }
    }
    return withheld;
}

static uint32_t nearest_share(const struct stile__firing *firing, uint32_t word)
{
    const struct stile_rules *rules = firing->context->rules;
    uint32_t i;

    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];

        if (rule->kind == STILE__SHARE && holds_word(rule->data, word) &&
            rule->agreement != STILE__NONE &&
            rule->agreement == firing->context->agreement &&
            firing->context->purpose != STILE__NONE &&
            (rule->purposes >> firing->context->purpose & 1)) {
            return i;
        }
    }
    return STILE__NONE;
}

void stile__verdict_make(const struct stile__firing *firing, uint32_t word,
                         struct stile__item_labels labels, uint64_t item_facts,
                         const struct stile__looked *looked,
                         struct stile__verdict *ret)
{
    static const struct stile__looked nobody;
    const struct stile_rules *rules = firing->context->rules;
    struct merge merge = {.rules = rules,
                          .word = word,
                          .labels = labels,
                          .looked = looked ? looked : &nobody,
                          .verdict = ret};
    bool shared, withheld;

    memset(ret, 0, sizeof(*ret));
    ret->level = STILE__NOTIFY;
    ret->near_rule = STILE__NONE;
    shared = merge_shares(&merge, firing);
    withheld = merge_limits(&merge, firing, item_facts);
    if (ret->drop_text && holds_word(rules->free_text_words, word)) {
        ret->level = STILE__REMOVE;
    }
    if (!shared) {
        ret->near_rule = nearest_share(firing, word);
    }
    if (!shared || withheld || ret->level == STILE__REMOVE) {
        ret->outcome = STILE_OUTCOME_WITHHOLD;
    } else if (merge.hold || ret->stuck) {
        ret->outcome = STILE_OUTCOME_HOLD;
    } else if (ret->level != STILE__NOTIFY || ret->relabel_count ||
               ret->drop_text) {
        ret->outcome = STILE_OUTCOME_CHANGED;
    } else {
        ret->outcome = STILE_OUTCOME_RELEASE;
    }
}
