/* What a message says of a person is kept for later ones. */
#include "exchange_private.h"

static bool same_fact(const struct stile_stored_fact *stored,
                      const struct stile_fact *fact, struct stile_str source)
{
    return stile_str_eq(stored->name, fact->name) &&
           stile_str_eq(stored->recipient, fact->recipient) &&
           stile_str_eq(stored->source, source);
}

static const struct stile_stored_fact *
stored_fact(const struct stile_need *answer, const struct stile_fact *fact,
            struct stile_str source)
{
    for (size_t i = 0; i < answer->fact_count; i++) {
        if (same_fact(&answer->facts[i], fact, source)) {
            return &answer->facts[i];
        }
    }
    return NULL;
}

/* What holds today is kept, with its bounds. What does not begin before
 * another day, or has ended, is left to the record that says it: one fact of a
 * source is kept, and it is the one that counts now. */
static bool may_be_kept(const struct stile_fact *fact, int64_t today)
{
    return fact->value != STILE_UNKNOWN &&
           (fact->from.year == 0 || stile_date_days(fact->from) <= today) &&
           (fact->until.year == 0 || stile_date_days(fact->until) >= today);
}

/* What a resource said before and says no longer (a referral made out to
 * somebody else now, a consent that names another) is not known any more. An
 * undated fact replaces what the store has of that source. */
static enum stile_status unlearn_facts(struct stile_exchange *x,
                                       const struct stile__person *person,
                                       const struct stile_fact *facts,
                                       size_t count)
{
    const struct stile_need *answer = stile__answer_of(x, person);
    struct stile_str sender = x->message->source;
    for (size_t i = 0; i < answer->fact_count; i++) {
        const struct stile_stored_fact *old = &answer->facts[i];
        bool again = old->value == STILE_UNKNOWN ||
                     !stile__fact_replaced(old, sender, person->resources.items,
                                           person->resources.count);
        for (size_t k = 0; k < count && !again; k++) {
            again = may_be_kept(&facts[k], stile_london_day(x->message->now)) &&
                    same_fact(
                        old, &facts[k],
                        stile__fact_source(x->arena, sender, facts[k].source));
        }
        struct stile_stored_fact *slot =
            again ? NULL : stile__list_add(x->arena, &x->facts, sizeof(*slot));
        if (!again && slot == NULL) {
            return STILE_LIMIT;
        }
        if (slot != NULL) {
            *slot = *old;
            slot->person = person->key;
            slot->value = STILE_UNKNOWN;
            slot->date = 0;
            slot->from = 0;
            slot->until = 0;
        }
    }
    return STILE_OK;
}

static struct stile_stored_fact to_keep(struct stile_str person,
                                        const struct stile_fact *fact,
                                        struct stile_str source)
{
    struct stile_stored_fact kept = {.person = person,
                                     .name = fact->name,
                                     .recipient = fact->recipient,
                                     .source = source,
                                     .value = (int)fact->value,
                                     .date = fact->date};
    if (fact->from.year != 0) {
        kept.from = stile_london_midnight(stile_date_days(fact->from));
    }
    if (fact->until.year != 0) {
        kept.until = stile_london_midnight(stile_date_days(fact->until) + 1);
    }
    return kept;
}

/* Facts of a message are kept for later messages about the same person. An
 * export is itself the whole record, so nothing of it is kept: a dissent that
 * was deleted there must not live on here. */
enum stile_status stile__learn_facts(struct stile_exchange *x,
                                     const struct stile__person *person)
{
    if (stile__is_export(x)) {
        return STILE_OK;
    }
    struct stile_fact *facts = NULL;
    size_t count = 0;
    enum stile_status status = stile_govern_facts(
        x->plan->rules, person->resources.items, person->resources.count,
        x->message->family, x->arena, &facts, &count);
    if (status != STILE_OK) {
        return status;
    }
    const struct stile_need *answer = stile__answer_of(x, person);
    for (size_t i = 0; i < count; i++) {
        struct stile_str source =
            stile__fact_source(x->arena, x->message->source, facts[i].source);
        const struct stile_stored_fact *old =
            stored_fact(answer, &facts[i], source);
        struct stile_stored_fact new = to_keep(person->key, &facts[i], source);
        if (!may_be_kept(&facts[i], stile_london_day(x->message->now)) ||
            (old != NULL && old->value == new.value && old->date == new.date &&
             old->from == new.from && old->until == new.until)) {
            continue;
        }
        struct stile_stored_fact *slot =
            stile__list_add(x->arena, &x->facts, sizeof(*slot));
        if (slot == NULL) {
            return STILE_LIMIT;
        }
        *slot = new;
    }
    return unlearn_facts(x, person, facts, count);
}

enum stile_status stile_exchange_facts(struct stile_exchange *x,
                                       struct stile_str person,
                                       struct stile_fact **ret_facts,
                                       size_t *ret_count)
{
    const struct stile__person *persons = x->persons.items;
    size_t i = 0;
    while (i < x->persons.count && !stile_str_eq(persons[i].key, person)) {
        i++;
    }
    if (i == x->persons.count) {
        return STILE_NOT_FOUND;
    }
    struct stile_fact *own = NULL, *doubts = NULL;
    size_t own_count = 0, doubt_count = 0;
    enum stile_status status = stile_govern_facts(
        x->plan->rules, persons[i].resources.items, persons[i].resources.count,
        x->message->family, x->arena, &own, &own_count);
    if (status == STILE_OK && x->doubt && x->persons.count == 1) {
        status = stile_govern_doubt(x->plan->rules, STILE_STR_NULL, x->arena,
                                    &doubts, &doubt_count);
    }
    if (status != STILE_OK) {
        return status;
    }
    struct stile_fact *all =
        stile_arena_array(x->arena, own_count + doubt_count + 1, sizeof(*all));
    if (all == NULL) {
        return STILE_NOMEM;
    }
    for (size_t k = 0; k < own_count + doubt_count; k++) {
        all[k] = k < own_count ? own[k] : doubts[k - own_count];
    }
    *ret_facts = all;
    *ret_count = own_count + doubt_count;
    return STILE_OK;
}
