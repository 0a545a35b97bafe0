/*
 * Break-glass: the emergency door of an agreement. It is there only where the
 * agreement says so, for its reasons and hours, in a person's own care; who
 * goes through it is told to the privacy officer, whatever the files say.
 */
#include "private.h"

/* A yes to these was claimed by whom it serves, so it is always told. */
static const char *const told_of[] = {"self-claimed", "break-glass"};

void stile__glass_vocabulary(struct stile__load *load,
                             const struct stile_node *root)
{
    static const struct stile_key_spec keys[] = {
        {"means", STILE_WANT_TEXT, true}};
    struct stile_rules *rules = load->rules;
    const struct stile_node *map = stile_node_get(root, "break-glass-reasons");
    const struct stile_node *node;
    uint64_t duty = 0;
    uint32_t fact;
    size_t i;

    for (node = map ? map->first : NULL; node; node = node->next) {
        if (stile_node_expect(node, "a reason", keys, 1, load->diags)) {
            (void)stile__word_add(load, &rules->reasons, "reason", node);
        }
    }
    for (i = 0; i < rules->obligations.count; i++) {
        const struct stile__obligation *def = &rules->obligation_defs[i];

        if (def->verb == STILE__NOTIFY &&
            stile_str_eqc(def->whom, "privacy-officer")) {
            duty |= UINT64_C(1) << i;
        }
    }
    for (i = 0; i < sizeof(told_of) / sizeof(told_of[0]); i++) {
        fact = stile__word_find(&rules->facts, stile_str_cstr(told_of[i]));
        if (fact == STILE__NONE) {
            continue;
        }
        rules->fact_defs[fact].notify |= duty;
        if (!duty) {
            (void)stile_node_key_diag(
                load->diags, stile_node_get(root, "obligations"), "R113",
                STILE_ERROR,
                "the privacy officer is always told of '%s'; put back the "
                "obligation that does notify, whom: privacy-officer",
                told_of[i]);
        }
    }
}

void stile__glass_read(struct stile__load *load, const struct stile_node *node,
                       struct stile__agreement *agreement)
{
    static const struct stile_key_spec keys[] = {
        {"reasons", STILE_WANT_TEXT_OR_LIST, true},
        {"hours", STILE_WANT_TEXT, true}};
    const struct stile_node *glass = stile_node_get(node, "break-glass");
    const struct stile_node *hours;
    int64_t number = 0;

    if (!glass ||
        !stile_node_expect(glass, "break-glass", keys, 2, load->diags)) {
        return;
    }
    hours = stile_node_get(glass, "hours");
    if (!stile_str_to_int64(hours->text, &number) || number < 1 ||
        number > STILE_GLASS_HOURS_MAX) {
        (void)stile_node_diag(load->diags, hours, "R101", STILE_ERROR,
                              "a number of hours from 1 to %u must stand here",
                              STILE_GLASS_HOURS_MAX);
        return;
    }
    agreement->glass_reasons =
        stile__word_mask(load, &load->rules->reasons, "reason of break-glass",
                         stile_node_get(glass, "reasons"));
    agreement->glass_hours = (uint32_t)number;
    if (!agreement->glass_reasons) {
        (void)stile_node_diag(load->diags, stile_node_get(glass, "reasons"),
                              "R106", STILE_ERROR,
                              "break-glass needs at least one reason of "
                              "vocabulary.yaml: break-glass-reasons");
    }
}

bool stile__glass_needed(const struct stile_rules *rules,
                         const struct stile__rule *rule)
{
    uint32_t fact = stile__word_find(&rules->facts, STILE_STR("break-glass"));
    size_t i;

    for (i = 0; i < rule->need_count && fact != STILE__NONE; i++) {
        if (rule->needs[i].any >> fact & 1) {
            return true;
        }
    }
    return false;
}

/* Whether somebody's emergency may open the agreement: an exception, too. */
static bool used(const struct stile_rules *rules,
                 const struct stile__agreement *agreement)
{
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];

        if (rule->kind == STILE__SHARE && rule->agreement != STILE__NONE &&
            &rules->agreements[rule->agreement] == agreement &&
            stile__glass_needed(rules, rule)) {
            return true;
        }
    }
    return false;
}

static void lint_agreement(struct stile__load *load,
                           const struct stile__agreement *agreement)
{
    const struct stile_rules *rules = load->rules;
    uint32_t care =
        stile__word_find(&rules->purposes, STILE_STR("individual-care"));
    const struct stile_node *glass =
        stile_node_get(agreement->node, "break-glass");

    if (!agreement->glass_hours) {
        return;
    }
    if (care == STILE__NONE || (agreement->purposes & ~(UINT64_C(1) << care))) {
        (void)stile_node_key_diag(
            load->diags, glass, "R411", STILE_ERROR,
            "break-glass is for a person's own care alone; agreement %.*s is "
            "for more: write an agreement of its own, for: individual-care",
            STILE_FMT(agreement->id));
    }
    if (!used(rules, agreement)) {
        (void)stile_node_key_diag(
            load->diags, glass, "R510", STILE_WARNING,
            "no rule under agreement %.*s has break-glass among its needs, so "
            "breaking the glass opens nothing",
            STILE_FMT(agreement->id));
    }
}

void stile__glass_lint(struct stile__load *load)
{
    const struct stile_rules *rules = load->rules;
    size_t i;

    for (i = 0; i < rules->agreement_count; i++) {
        lint_agreement(load, &rules->agreements[i]);
    }
    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];

        if (rule->kind == STILE__SHARE && rule->agreement != STILE__NONE &&
            stile__glass_needed(rules, rule) &&
            !rules->agreements[rule->agreement].glass_hours) {
            (void)stile_node_diag(
                load->diags, stile_node_get(rule->node, "needs"), "R205",
                STILE_ERROR,
                "agreement %.*s has no break-glass; it must name the reasons "
                "and hours before rule %.*s may need it",
                STILE_FMT(rules->agreements[rule->agreement].id),
                STILE_FMT(rule->id));
        }
    }
}

void stile__glass_say(const struct stile_rules *rules,
                      const struct stile__agreement *agreement,
                      struct stile_buf *out)
{
    const char *before = "";
    size_t i;

    for (i = 0; i < rules->reasons.count; i++) {
        if (agreement->glass_reasons >> i & 1) {
            stile_buf_addc(out, before);
            stile_buf_add(out, rules->reasons.names[i]);
            before = " or ";
        }
    }
    stile_buf_printf(out, ", for at most %u %s",
                     (unsigned)agreement->glass_hours,
                     agreement->glass_hours == 1 ? "hour" : "hours");
}

enum stile_status stile_rules_break_glass(const struct stile_rules *rules,
                                          const struct stile_glass *glass,
                                          uint32_t *ret_hours,
                                          const char **ret_error)
{
    uint32_t word = stile__word_find(&rules->reasons, glass->reason);
    const struct stile__agreement *a = NULL;
    size_t i;

    for (i = 0; i < rules->agreement_count; i++) {
        if (stile_str_eq(rules->agreements[i].id, glass->agreement)) {
            a = &rules->agreements[i];
        }
    }
    if (!a) {
        *ret_error = "there is no such agreement";
        return STILE_NOT_FOUND;
    }
    if (!stile_str_eq(a->sender, glass->sender)) {
        *ret_error = "the agreement has another sender: they break its glass";
    } else if (!stile_str_eq(a->recipient, glass->recipient)) {
        *ret_error = "the agreement has another recipient";
    } else if (!a->glass_hours) {
        *ret_error = "the agreement has no break-glass";
    } else if (word == STILE__NONE || !(a->glass_reasons >> word & 1)) {
        *ret_error = "that is no reason the agreement names";
    } else {
        *ret_hours = a->glass_hours;
        return STILE_OK;
    }
    return STILE_DENIED;
}
