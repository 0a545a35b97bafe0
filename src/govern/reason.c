/* Why: the sentences of a decision. Words and ids, never a value. */
#include "decide.h"

/* ---- sentences
 * ------------------------------------------------------------------ */

/* "{recipient}" in a sentence of the vocabulary is the recipient's code. */
static struct stile_str fill_in(struct stile__deciding *work,
                                struct stile_str text)
{
    struct stile_str mark = STILE_STR("{recipient}");
    size_t at = stile_str_find_str(text, mark);

    if (at == SIZE_MAX) {
        return text;
    }
    return stile_arena_printf(
        work->arena, "%.*s%.*s%.*s", STILE_FMT(stile_str_sub(text, 0, at)),
        STILE_FMT(work->question->recipient),
        STILE_FMT(
            stile_str_sub(text, at + mark.len, text.len - at - mark.len)));
}

/* Words of an officer, to be the end of a longer line. */
static struct stile_str unstopped(struct stile_str text)
{
    while (text.len && text.ptr[text.len - 1] == '.') {
        text.len--;
    }
    return text;
}

static struct stile_str limit_sentence(struct stile__deciding *work, size_t i)
{
    const struct stile__rule *rule = &work->rules->rules[i];
    uint32_t unknown = work->firing.unknown[i];
    struct stile_str *sentence = &work->limit_sentences[i];

    if (!sentence->ptr && unknown != STILE__NONE) {
        *sentence = stile_arena_printf(
            work->arena, "it is not known whether %.*s (rule %.*s)",
            STILE_FMT(fill_in(work, work->rules->facts.means[unknown])),
            STILE_FMT(rule->id));
    } else if (!sentence->ptr) {
        *sentence = stile_arena_printf(work->arena, "rule %.*s: %.*s",
                                       STILE_FMT(rule->id),
                                       STILE_FMT(unstopped(rule->says)));
    }
    return *sentence;
}

/* What the share itself asks to be done, or NONE. */
static uint32_t share_obligation(const struct stile_rules *rules,
                                 const struct stile__rule *rule)
{
    const struct stile__agreement *agreement =
        &rules->agreements[rule->agreement];
    size_t i;

    for (i = 0; i < rule->action_count + agreement->action_count; i++) {
        uint32_t obligation =
            i < rule->action_count
                ? rule->actions[i].obligation
                : agreement->actions[i - rule->action_count].obligation;
        if (rules->obligation_defs[obligation].verb != STILE__NOTIFY) {
            return obligation;
        }
    }
    return STILE__NONE;
}

static struct stile_str share_sentence(struct stile__deciding *work, size_t i,
                                       uint32_t obligation)
{
    const struct stile__rule *rule = &work->rules->rules[i];
    struct stile_str agreement = work->rules->agreements[rule->agreement].id;
    struct stile_str *sentence = obligation == STILE__NONE
                                     ? &work->share_sentences[i]
                                     : &work->changed_sentences[i];

    if (!sentence->ptr && obligation == STILE__NONE) {
        *sentence =
            stile_arena_printf(work->arena, "sent by rule %.*s under %.*s",
                               STILE_FMT(rule->id), STILE_FMT(agreement));
    } else if (!sentence->ptr) {
        *sentence = stile_arena_printf(
            work->arena, "%.*s (rule %.*s under %.*s)",
            STILE_FMT(work->rules->obligations.means[obligation]),
            STILE_FMT(rule->id), STILE_FMT(agreement));
    }
    return *sentence;
}

static struct stile_str no_share_sentence(struct stile__deciding *work,
                                          uint32_t near)
{
    struct stile_str *sentence;
    uint32_t need;

    if (near == STILE__NONE) {
        sentence = &work->unshared_sentence;
        if (!sentence->ptr) {
            *sentence = stile_arena_printf(
                work->arena, "no rule shares this with %.*s for %.*s",
                STILE_FMT(work->question->recipient),
                STILE_FMT(work->question->purpose));
        }
        return *sentence;
    }
    sentence = &work->near_sentences[near];
    need = work->firing.need[near];
    if (!sentence->ptr && need != STILE__NONE) {
        *sentence = stile_arena_printf(
            work->arena, "%.*s (rule %.*s)",
            STILE_FMT(fill_in(work, work->rules->fact_defs[need].missing)),
            STILE_FMT(work->rules->rules[near].id));
    } else if (!sentence->ptr) {
        *sentence = stile_arena_printf(
            work->arena, "rule %.*s does not apply, %s",
            STILE_FMT(work->rules->rules[near].id),
            work->firing.why[near] ? work->firing.why[near]
                                   : "one of its needs can never be met");
    }
    return *sentence;
}

/* ---- reasons
 * --------------------------------------------------------------------- */

static void limit_reason(struct stile__deciding *work, size_t i,
                         struct stile_reason *reason)
{
    const struct stile__rule *rule = &work->rules->rules[i];
    uint32_t fact = work->firing.unknown[i];
    size_t bit;

    reason->rule = rule->id;
    reason->need_is = fact == STILE__NONE ? STILE_YES : STILE_UNKNOWN;
    for (bit = 0; bit < work->rules->facts.count && fact == STILE__NONE;
         bit++) {
        if (rule->when_facts >> bit & 1) {
            fact = (uint32_t)bit;
        }
    }
    if (fact != STILE__NONE) {
        reason->need = work->rules->facts.names[fact];
    }
    if (!rule->withholds && rule->action_count) {
        reason->obligation =
            work->rules->obligations.names[rule->actions[0].obligation];
    }
    reason->sentence = limit_sentence(work, i);
}

/* What held it and a person has looked at. */
static void looked_reason(struct stile__deciding *work, struct stile_str id,
                          struct stile_reason *reason)
{
    reason->rule = id;
    reason->need_is = STILE_YES;
    reason->sentence = stile_arena_printf(
        work->arena, "a person released what %.*s holds", STILE_FMT(id));
}

static void share_reason(struct stile__deciding *work, size_t i,
                         const struct stile__verdict *verdict,
                         struct stile_reason *reason)
{
    const struct stile__rule *rule = &work->rules->rules[i];
    uint32_t obligation = verdict->outcome == STILE_OUTCOME_RELEASE
                              ? STILE__NONE
                              : share_obligation(work->rules, rule);

    reason->rule = rule->id;
    reason->agreement = work->rules->agreements[rule->agreement].id;
    reason->need_is = STILE_YES;
    if (obligation != STILE__NONE) {
        reason->obligation = work->rules->obligations.names[obligation];
    }
    reason->sentence = share_sentence(work, i, obligation);
}

static void near_reason(struct stile__deciding *work, uint32_t word,
                        uint32_t near, struct stile_reason *reason)
{
    if (word == STILE__NOT_COVERED) {
        reason->sentence = STILE_STR("no data word covers it");
        return;
    }
    if (near != STILE__NONE && work->firing.need[near] != STILE__NONE) {
        uint32_t need = work->firing.need[near];
        reason->need = work->rules->facts.names[need];
        reason->need_is = work->context.facts[need];
    }
    if (near != STILE__NONE) {
        reason->agreement =
            work->rules->agreements[work->rules->rules[near].agreement].id;
    }
    reason->sentence = no_share_sentence(work, near);
}

size_t stile__count_bits(const uint64_t bits[4])
{
    size_t count = 0, i;
    uint64_t left;

    for (i = 0; i < 4; i++) {
        for (left = bits[i]; left; left &= left - 1) {
            count++;
        }
    }
    return count;
}

/* What a limit does to an item, the strictest first. */
enum does {
    DOES_WITHHOLD,
    DOES_CHANGE,
    DOES_HOLD
};

static enum does does_of(const struct stile__rule *rule)
{
    if (!rule->withholds) {
        return DOES_CHANGE;
    }
    return rule->holds ? DOES_HOLD : DOES_WITHHOLD;
}

static bool goes(const struct stile__verdict *verdict)
{
    return verdict->outcome == STILE_OUTCOME_RELEASE ||
           verdict->outcome == STILE_OUTCOME_CHANGED;
}

/* Of the rules that hold, those that do nothing else and were lifted. */
static uint64_t passed(const struct stile__verdict *verdict, size_t word)
{
    return goes(verdict) ? verdict->holds[word] & verdict->limits[word] : 0;
}

/* What is known comes before what may be. Rules in order of id. */
static void add_limits(struct stile__deciding *work,
                       const struct stile__verdict *verdict, enum does does,
                       struct stile_reason *reasons, size_t *count)
{
    size_t i;
    int unknown;

    for (unknown = 0; unknown < 2; unknown++) {
        for (i = 0; i < work->rules->rule_count; i++) {
            if (i % 64 == 0 &&
                !(verdict->limits[i / 64] & ~passed(verdict, i / 64))) {
                i += 63;
                continue;
            }
            if (((verdict->limits[i / 64] & ~passed(verdict, i / 64)) >>
                     (i % 64) &
                 1) &&
                does_of(&work->rules->rules[i]) == does &&
                (work->firing.unknown[i] != STILE__NONE) == (unknown == 1)) {
                limit_reason(work, i, &reasons[(*count)++]);
            }
        }
    }
}

void stile__field_reasons(struct stile__deciding *work, uint32_t word,
                          const struct stile__verdict *verdict,
                          struct stile_item_decision *row)
{
    size_t most = stile__count_bits(verdict->limits) +
                  stile__count_bits(verdict->shares) + 2;
    struct stile_reason *reasons =
        stile_arena_array(work->arena, most, sizeof(*reasons));
    enum does does;
    size_t i;

    if (!reasons) {
        return;
    }
    if (!stile__count_bits(verdict->shares)) {
        near_reason(work, word, verdict->near_rule,
                    &reasons[row->reason_count++]);
    }
    for (i = 0; i < work->rules->rule_count; i++) {
        if (passed(verdict, i / 64) >> (i % 64) & 1) {
            looked_reason(work, work->rules->rules[i].id,
                          &reasons[row->reason_count++]);
        }
    }
    if (goes(verdict) && verdict->agreement_holds) {
        looked_reason(work, work->question->agreement,
                      &reasons[row->reason_count++]);
    }
    for (does = DOES_WITHHOLD; does <= DOES_HOLD; does++) {
        add_limits(work, verdict, does, reasons, &row->reason_count);
    }
    for (i = 0; i < work->rules->rule_count; i++) {
        if ((verdict->shares[i / 64] >> (i % 64) & 1) &&
            (goes(verdict) || !row->reason_count)) {
            share_reason(work, i, verdict, &reasons[row->reason_count++]);
        }
    }
    row->reasons = reasons;
}

/* How near a field came to going, by its first reason: 0 the nearest. */
static int distance(const struct stile_item_decision *row)
{
    const struct stile_reason *reason = row->reasons;

    if (!row->reason_count || !(reason->rule.len + reason->agreement.len)) {
        return 4;
    }
    if (reason->rule.len) {
        return reason->need_is == STILE_YES ? 0 : 1;
    }
    return reason->need.len ? 2 : 3;
}

void stile__item_reason(struct stile__deciding *work, size_t item_row)
{
    struct stile_item_decision *item = &work->rows[item_row];
    const struct stile_item_decision *best = NULL;
    size_t i;

    for (i = item_row + 1;
         i < work->row_count && item->outcome != STILE_OUTCOME_CHANGED; i++) {
        const struct stile_item_decision *row = &work->rows[i];
        if (row->outcome == item->outcome &&
            (!best || distance(row) < distance(best))) {
            best = row;
        }
    }
    if (best && best->reason_count) {
        item->reasons = best->reasons;
        item->reason_count = 1;
    }
}
