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

/* ---- decisions
 * ------------------------------------------------------------------- */

/* An item that goes or stays as a whole is one line; of one that goes in part
 * each field is. */
static bool is_shown(const struct stile_decision *decision, size_t i,
                     enum stile_outcome item)
{
    const struct stile_item_decision *row = &decision->items[i];

    return row->data.len ? item == STILE_OUTCOME_CHANGED
                         : item != STILE_OUTCOME_CHANGED;
}

static struct stile_str first_sentence(const struct stile_decision *decision,
                                       size_t i)
{
    /* The item row takes the first reason of its fields. */
    for (; i < decision->count; i++) {
        if (decision->items[i].reason_count) {
            return decision->items[i].reasons[0].sentence;
        }
    }
    return STILE_STR_NULL;
}

static bool same_line(const struct stile_decision *decision, size_t a, size_t b)
{
    const struct stile_item_decision *x = &decision->items[a];
    const struct stile_item_decision *y = &decision->items[b];

    return x->outcome == y->outcome && stile_str_eq(x->type, y->type) &&
           stile_str_eq(x->data, y->data) &&
           stile_str_eq(first_sentence(decision, a),
                        first_sentence(decision, b));
}

/* Item's outcome of each row, carried from its item row. */
static enum stile_outcome item_outcome(const struct stile_decision *decision,
                                       size_t i)
{
    while (decision->items[i].data.len && i > 0) {
        i--;
    }
    return decision->items[i].outcome;
}

void stile_decision_print(const struct stile_decision *decision,
                          struct stile_buf *out)
{
    size_t i, j;

    stile_buf_printf(out,
                     "%s: %zu released, %zu changed, %zu withheld, %zu held\n",
                     stile_outcome_text(decision->outcome), decision->released,
                     decision->changed, decision->withheld, decision->held);
    for (i = 0; i < decision->count; i++) {
        size_t count = 1;
        bool said = false;
        const struct stile_item_decision *row = &decision->items[i];
        struct stile_str sentence = first_sentence(decision, i);

        if (!is_shown(decision, i, item_outcome(decision, i))) {
            continue;
        }
        for (j = 0; j < i && !said; j++) {
            said = is_shown(decision, j, item_outcome(decision, j)) &&
                   same_line(decision, i, j);
        }
        if (said) {
            continue;
        }
        for (j = i + 1; j < decision->count; j++) {
            count += is_shown(decision, j, item_outcome(decision, j)) &&
                     same_line(decision, i, j);
        }
        stile_buf_printf(out, "%s %zu %.*s%s%.*s: %.*s\n",
                         stile_outcome_text(row->outcome), count,
                         STILE_FMT(row->type), row->data.len ? " " : "",
                         STILE_FMT(row->data), STILE_FMT(sentence));
    }
}

static void set_count(struct stile_arena *arena, struct stile_value *object,
                      const char *name, size_t count)
{
    (void)stile_value_set(
        object, stile_str_cstr(name),
        stile_value_number(arena, stile_arena_printf(arena, "%zu", count)));
}

static void set_list(struct stile_arena *arena, struct stile_value *object,
                     const char *name, const struct stile_str *items,
                     size_t count)
{
    struct stile_value *list =
        stile_value_set_new(arena, object, name, STILE_ARRAY);
    size_t i;

    for (i = 0; i < count; i++) {
        (void)stile_value_push(list, stile_value_string(arena, items[i]));
    }
}

#define REASONS_MAX 20u

static void set_reasons(const struct stile_decision *decision,
                        struct stile_arena *arena, struct stile_value *object)
{
    struct stile_value *list =
        stile_value_set_new(arena, object, "reasons", STILE_ARRAY);
    struct stile_str said[REASONS_MAX];
    size_t count = 0, i, r;

    for (i = 0; i < decision->count && count < REASONS_MAX; i++) {
        const struct stile_item_decision *row = &decision->items[i];

        for (r = 0; r < row->reason_count && count < REASONS_MAX; r++) {
            struct stile_str sentence = row->reasons[r].sentence;
            if (!stile__in(said, count, sentence)) {
                said[count++] = sentence;
                (void)stile_value_push(list,
                                       stile_value_string(arena, sentence));
            }
        }
    }
}

struct stile_value *stile_decision_value(const struct stile_decision *decision,
                                         struct stile_arena *arena)
{
    struct stile_value *object = stile_value_new(arena, STILE_OBJECT);

    (void)stile_value_set_str(
        arena, object, "outcome",
        stile_str_cstr(stile_outcome_text(decision->outcome)));
    set_count(arena, object, "released", decision->released);
    set_count(arena, object, "changed", decision->changed);
    set_count(arena, object, "withheld", decision->withheld);
    set_count(arena, object, "held", decision->held);
    set_list(arena, object, "rules", decision->rules, decision->rule_count);
    set_list(arena, object, "notify", decision->notify, decision->notify_count);
    set_reasons(decision, arena, object);
    return object;
}
