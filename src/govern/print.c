/* Decisions and rules in plain words. Words and ids only, never a value. */
#include "private.h"

const char *stile_outcome_text(enum stile_outcome outcome)
{
    static const char *const texts[] = {
#define X(name, text) text,
        STILE_OUTCOME_LIST(X)
#undef X
    };

    return texts[outcome];
}

/* ---- rules
 * ---------------------------------------------------------------------- */

static void list_words(struct stile_buf *out, const struct stile_str *names,
                       size_t count, uint64_t mask, const char *last)
{
    size_t left = 0, i;
    bool first = true;

    for (i = 0; i < count; i++) {
        left += (size_t)(mask >> i & 1);
    }
    for (i = 0; i < count; i++) {
        if (!(mask >> i & 1)) {
            continue;
        }
        if (!first) {
            stile_buf_addc(out, left == 1 ? last : ", ");
        }
        stile_buf_add(out, names[i]);
        first = false;
        left--;
    }
}

static void say_actions(const struct stile_rules *rules,
                        const struct stile__action *actions, size_t count,
                        struct stile_buf *out)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const struct stile__action *action = &actions[i];
        const struct stile__obligation *def =
            &rules->obligation_defs[action->obligation];

        stile_buf_addc(out, i ? "; " : " Then: ");
        stile_buf_add(out, rules->obligations.means[action->obligation]);
        if (def->takes_data) {
            stile_buf_addc(out, ": ");
            list_words(out, rules->data.names, rules->data.count, action->data,
                       " and ");
        }
        if (def->verb == STILE__RELABEL && action->label != STILE__NONE) {
            stile_buf_printf(out, " of %.*s as \"%.*s\"",
                             STILE_FMT(rules->labels.names[action->label]),
                             STILE_FMT(action->text));
        }
    }
    if (count) {
        stile_buf_byte(out, '.');
    }
}

static void say_share(const struct stile_rules *rules,
                      const struct stile__rule *rule, struct stile_buf *out)
{
    const struct stile__agreement *agreement =
        &rules->agreements[rule->agreement];
    size_t i;

    stile_buf_addc(out, "Share ");
    list_words(out, rules->data.names, rules->data.count, rule->data, " and ");
    stile_buf_printf(out, " from %.*s with %.*s for ",
                     STILE_FMT(agreement->sender_name),
                     STILE_FMT(agreement->recipient_name));
    list_words(out, rules->purposes.names, rules->purposes.count,
               rule->purposes, " or ");
    stile_buf_printf(out, " under %.*s", STILE_FMT(agreement->id));
    for (i = 0; i < rule->need_count; i++) {
        stile_buf_addc(out, i ? ", and " : ", only if ");
        list_words(out, rules->facts.means, rules->facts.count,
                   rule->needs[i].any, " or ");
    }
    stile_buf_byte(out, '.');
    if (stile__glass_needed(rules, rule)) {
        stile_buf_addc(out, " The glass may be broken on ");
        stile__glass_say(rules, agreement, out);
        stile_buf_addc(out, "; the privacy officer is told.");
    }
}

static void say_conditions(const struct stile_rules *rules,
                           const struct stile__rule *rule,
                           struct stile_buf *out)
{
    const char *joint = " when ";
    size_t i;

    if (rule->when_facts) {
        stile_buf_addc(out, joint);
        list_words(out, rules->facts.means, rules->facts.count,
                   rule->when_facts, " and ");
        stile_buf_addc(out, " (or that is not known)");
        joint = " and ";
    }
    if (rule->recipient_kinds) {
        stile_buf_printf(out, "%sthe recipient is ", joint);
        list_words(out, rules->kinds.names, rules->kinds.count,
                   rule->recipient_kinds, " or ");
        joint = " and ";
    }
    if (rule->sender_kinds) {
        stile_buf_printf(out, "%sthe sender is ", joint);
        list_words(out, rules->kinds.names, rules->kinds.count,
                   rule->sender_kinds, " or ");
        joint = " and ";
    }
    if (rule->purposes) {
        stile_buf_printf(out, "%sit is for ", joint);
        list_words(out, rules->purposes.names, rules->purposes.count,
                   rule->purposes, " or ");
    }
    for (i = 0; i < rule->unless_count; i++) {
        const struct stile__unless *unless = &rule->unless[i];
        const char *and = "";

        stile_buf_addc(out, i ? ", or " : ", unless ");
        if (unless->facts) {
            list_words(out, rules->facts.means, rules->facts.count,
                       unless->facts, " and ");
            and = " and ";
        }
        if (unless->recipient_kinds) {
            stile_buf_printf(out, "%sthe recipient is ", and);
            list_words(out, rules->kinds.names, rules->kinds.count,
                       unless->recipient_kinds, " or ");
            and = " and ";
        }
        if (unless->purposes) {
            stile_buf_printf(out, "%sit is for ", and);
            list_words(out, rules->purposes.names, rules->purposes.count,
                       unless->purposes, " or ");
        }
    }
}

static void say_limit(const struct stile_rules *rules,
                      const struct stile__rule *rule, struct stile_buf *out)
{
    if (!rule->withholds) {
        stile_buf_addc(out, "Act");
    } else {
        stile_buf_addc(out, rule->holds ? "Hold for a person " : "Withhold ");
        if (rule->labels) {
            if (!rule->everything) {
                list_words(out, rules->data.names, rules->data.count,
                           rule->data, " and ");
                stile_buf_addc(out, " of ");
            }
            stile_buf_addc(out, "items labelled ");
            list_words(out, rules->labels.names, rules->labels.count,
                       rule->labels, " or ");
            if (rule->reach) {
                stile_buf_addc(out, " (or linked to such items)");
            }
        } else if (rule->everything) {
            stile_buf_addc(out, "everything");
        } else {
            list_words(out, rules->data.names, rules->data.count, rule->data,
                       " and ");
        }
    }
    say_conditions(rules, rule, out);
    stile_buf_byte(out, '.');
    if (rule->withholds) {
        stile_buf_addc(out, rule->tell
                                ? " The recipient is told that items stayed."
                                : " The recipient is told nothing.");
    }
}

void stile_rules_read(const struct stile_rules *rules, struct stile_buf *out)
{
    static const char *const kinds[] = {"share", "withhold", "guardrail"};
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];

        stile_buf_printf(out, "%.*s (%s)\n  reads: ", STILE_FMT(rule->id),
                         kinds[rule->kind]);
        if (rule->kind == STILE__SHARE) {
            say_share(rules, rule, out);
        } else {
            say_limit(rules, rule, out);
        }
        say_actions(rules, rule->actions, rule->action_count, out);
        stile_buf_printf(out, "\n  says:  %.*s\n", STILE_FMT(rule->says));
    }
}

struct stile_str stile_rules_says(const struct stile_rules *rules,
                                  struct stile_str id)
{
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        if (stile_str_eq(rules->rules[i].id, id)) {
            return rules->rules[i].says;
        }
    }
    for (i = 0; i < rules->agreement_count; i++) {
        if (stile_str_eq(rules->agreements[i].id, id)) {
            return stile_node_text(rules->agreements[i].node, "title");
        }
    }
    return STILE_STR_NULL;
}
