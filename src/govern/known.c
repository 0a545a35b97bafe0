/* What is known of a person, for people who may see it. */
#include "private.h"

enum stile_status stile_govern_known(
    const struct stile_rules *rules, const struct stile_fact *facts,
    size_t count, struct stile_str recipient, struct stile_date today,
    struct stile_arena *arena, struct stile_known **ret, size_t *ret_count)
{
    struct stile_question question = {.recipient = recipient,
                                      .today = today,
                                      .facts = facts,
                                      .fact_count = count};
    struct stile_known *known =
        stile_arena_array(arena, rules->facts.count + 1, sizeof(*known));
    size_t made = 0;
    uint32_t i;

    if (!known) {
        return STILE_NOMEM;
    }
    for (i = 0; i < rules->facts.count; i++) {
        if (rules->fact_defs[i].about != STILE__ABOUT_ITEM) {
            stile__fact_known(rules, &question, i, &known[made++]);
        }
    }
    *ret = known;
    *ret_count = made;
    return STILE_OK;
}

enum stile_truth stile_govern_silence(const struct stile_rules *rules,
                                      struct stile_str fact,
                                      struct stile_str family)
{
    uint32_t f = stile__word_find(&rules->facts, fact);
    uint32_t i = stile__word_find(&rules->families, family);

    return f == STILE__NONE || i == STILE__NONE ? STILE_UNKNOWN
                                                : rules->fact_defs[f].absent[i];
}

enum stile_give stile_govern_may_give(const struct stile_rules *rules,
                                      struct stile_str fact,
                                      enum stile_truth value, bool named)
{
    uint32_t i = stile__word_find(&rules->facts, fact);
    const struct stile__fact_def *def;

    if (i == STILE__NONE) {
        return STILE_GIVE_NO_FACT;
    }
    def = &rules->fact_defs[i];
    if (stile_str_eqc(fact, "break-glass")) {
        return STILE_GIVE_GLASS;
    }
    if (!def->from_store || def->about == STILE__ABOUT_ITEM) {
        return STILE_GIVE_RECORD;
    }
    if (stile_str_eqc(fact, "self-claimed") && value == STILE_NO) {
        return STILE_GIVE_CLAIM;
    }
    if (def->about == STILE__ABOUT_PERSON && named) {
        return STILE_GIVE_NAMED;
    }
    if (def->about == STILE__ABOUT_PAIR && !named && value == STILE_YES &&
        !def->everyone) {
        return STILE_GIVE_UNNAMED;
    }
    return STILE_GIVE_OK;
}
