/* Conditions in three values. */
#include "private.h"

static bool in_period(const struct stile_fact *fact, struct stile_date today)
{
    int64_t day = stile_date_days(today);

    return (!fact->from.year || stile_date_days(fact->from) <= day) &&
           (!fact->until.year || day <= stile_date_days(fact->until));
}

struct resolved {
    bool any;
    stile_time date;
    enum stile_truth value;
    size_t counts; /* index in the question, or SIZE_MAX */
    const char *why;
};

static int64_t day_of(stile_time time)
{
    stile_time day = 86400 * STILE_SECOND;

    return time >= 0 ? time / day : -((day - 1 - time) / day);
}

/* A word of a day has the time of its UTC midnight. */
static bool has_time(stile_time date)
{
    return date % (86400 * STILE_SECOND) != 0;
}

static int64_t said_on(stile_time date)
{
    return has_time(date) ? stile_london_day(date) : day_of(date);
}

/* Nobody can tell which of the two was said first: they are of one day, and one
 * of them has no time. */
static bool same_moment(stile_time a, stile_time b)
{
    return a == b || (a != 0 && b != 0 && said_on(a) == said_on(b) &&
                      !(has_time(a) && has_time(b)));
}

/* Clocks of senders may be ahead by so much. */
#define AHEAD (5 * 60 * STILE_SECOND)

/* What is dated after now cannot have been said yet: a yes like that is a
 * slip, or an attempt to outlast a refusal. */
static enum stile_truth value_of(const struct stile_question *question,
                                 const struct stile_fact *fact,
                                 const char **ret_why)
{
    if (fact->value == STILE_YES &&
        (day_of(fact->date) > stile_date_days(question->today) ||
         (question->now && fact->date > question->now + AHEAD))) {
        *ret_why = "it is dated after now";
        return STILE_UNKNOWN;
    }
    return fact->value;
}

/* Too old, or nobody can tell how old. */
static bool stale(const struct resolved *found, uint32_t max_age,
                  struct stile_date today)
{
    int64_t age = stile_date_days(today) - day_of(found->date);

    return max_age && (!found->date || age < 0 || age > max_age);
}

/* What could not be told from the latest word takes its certainty: another of
 * the same moment, or one without a date, which may be the later. Such a one
 * only takes away what would open something. */
static void doubt(const struct stile_rules *rules,
                  const struct stile_question *question, struct stile_str name,
                  struct stile_str recipient, struct resolved *result)
{
    size_t i;

    for (i = 0; i < question->fact_count; i++) {
        const struct stile_fact *fact = &question->facts[i];

        if (!stile_str_eq(fact->name, name) ||
            !stile_str_eq(fact->recipient, recipient) ||
            !in_period(fact, question->today) || fact->value == result->value) {
            continue;
        }
        if (fact->date != result->date &&
            same_moment(fact->date, result->date)) {
            result->value = STILE_UNKNOWN;
            result->why = "words of one day disagree";
        } else if (!fact->date && result->date &&
                   fact->value != STILE_UNKNOWN &&
                   stile_govern_permits(rules, name, result->value) &&
                   !stile_govern_permits(rules, name, fact->value)) {
            result->value = STILE_UNKNOWN;
            result->why = "one without a date says otherwise";
        }
    }
}

/* The latest by date decides; if the latest disagree, or none of them holds
 * on the day asked about, nothing is known. */
static struct resolved resolve(const struct stile_rules *rules,
                               const struct stile_question *question,
                               struct stile_str name,
                               struct stile_str recipient, uint32_t max_age)
{
    struct resolved result = {false, 0, STILE_UNKNOWN, SIZE_MAX, NULL};
    bool holds = false;
    size_t i;

    for (i = 0; i < question->fact_count; i++) {
        const struct stile_fact *fact = &question->facts[i];
        const char *why = "it is the latest";
        enum stile_truth value;

        if (!stile_str_eq(fact->name, name) ||
            !stile_str_eq(fact->recipient, recipient)) {
            continue;
        }
        if (!result.any || fact->date > result.date) {
            result = (struct resolved){true, fact->date, STILE_UNKNOWN, i,
                                       "it does not hold today"};
            holds = false;
        } else if (fact->date < result.date) {
            continue;
        }
        if (!in_period(fact, question->today)) {
            continue;
        }
        value = value_of(question, fact, &why);
        if (holds && result.value != value) {
            value = STILE_UNKNOWN;
            why = "the latest disagree";
        }
        result.counts = i;
        result.value = value;
        result.why = why;
        holds = true;
    }
    doubt(rules, question, name, recipient, &result);
    if (result.any && stale(&result, max_age, question->today)) {
        result.value = STILE_UNKNOWN;
        result.why = "it is too old, or its date is not known";
    }
    return result;
}

/* Referrals stand beside one another: one that is open is enough, and one that
 * has ended says nothing of the others. */
static struct resolved resolve_any(const struct stile_question *question,
                                   struct stile_str name,
                                   struct stile_str recipient)
{
    struct resolved result = {false, 0, STILE_NO, SIZE_MAX,
                              "none of them is open"};
    size_t i;

    for (i = 0; i < question->fact_count; i++) {
        const struct stile_fact *fact = &question->facts[i];
        enum stile_truth value = fact->value;

        if (!stile_str_eq(fact->name, name) ||
            !stile_str_eq(fact->recipient, recipient)) {
            continue;
        }
        if (!in_period(fact, question->today)) {
            value = STILE_UNKNOWN;
        }
        result.any = true;
        if (value == STILE_YES ||
            (result.value == STILE_NO && value == STILE_UNKNOWN)) {
            result.value = value;
            result.counts = i;
            result.date = fact->date;
            result.why = value == STILE_YES ? "one of them is open"
                                            : "one of them may be open";
        }
    }
    return result;
}

static enum stile_truth absent(const struct stile_rules *rules,
                               const struct stile__fact_def *def,
                               struct stile_str family)
{
    uint32_t i = stile__word_find(&rules->families, family);

    return i == STILE__NONE ? STILE_UNKNOWN : def->absent[i];
}

/* Only a yes that is later than the refusal counts against it. Of a refusal
 * without a day nobody can say that the yes is. */
static bool undone(const struct stile_rules *rules,
                   const struct stile_question *question, uint32_t by,
                   stile_time said)
{
    struct resolved refusal;

    if (by == STILE__NONE) {
        return false;
    }
    refusal = resolve(rules, question, rules->facts.names[by], STILE_STR_NULL,
                      rules->fact_defs[by].max_age);
    return refusal.any && refusal.value != STILE_NO &&
           (!refusal.date || refusal.date >= said ||
            same_moment(refusal.date, said));
}

static struct resolved fact_resolve(const struct stile_rules *rules,
                                    const struct stile_question *question,
                                    uint32_t fact)
{
    const struct stile__fact_def *def = &rules->fact_defs[fact];
    struct stile_str name = rules->facts.names[fact];
    struct resolved general =
        resolve(rules, question, name, STILE_STR_NULL, def->max_age);
    struct resolved named;

    if (def->about == STILE__ABOUT_PERSON) {
        return general;
    }
    named =
        !question->recipient.len ? (struct resolved){.counts = SIZE_MAX}
        : def->from_referral
            ? resolve_any(question, name, question->recipient)
            : resolve(rules, question, name, question->recipient, def->max_age);
    if (!named.any) {
        /* A yes that names nobody is no yes to this recipient, unless the
         * fact is one of everyone. */
        if (general.any && general.value == STILE_YES && !def->everyone) {
            general.value = STILE_UNKNOWN;
            general.why = "a yes that names nobody is no yes to this one";
        }
        return general;
    }
    if (named.value == STILE_YES && general.any && general.value != STILE_YES &&
        (general.date >= named.date || !general.date ||
         same_moment(general.date, named.date))) {
        named = general; /* a later refusal that names nobody */
        named.value = STILE_UNKNOWN;
        named.why = "a later word that names nobody undoes the yes";
    }
    if (named.value == STILE_YES &&
        undone(rules, question, def->undone_by, named.date)) {
        named.value = STILE_UNKNOWN;
        named.why = "a refusal that is not older undoes the yes";
    }
    return named;
}

static enum stile_truth fact_truth(const struct stile_rules *rules,
                                   const struct stile_question *question,
                                   uint32_t fact)
{
    struct resolved found = fact_resolve(rules, question, fact);

    return found.any ? found.value
                     : absent(rules, &rules->fact_defs[fact], question->family);
}

void stile__fact_known(const struct stile_rules *rules,
                       const struct stile_question *question, uint32_t fact,
                       struct stile_known *ret)
{
    const struct stile__fact_def *def = &rules->fact_defs[fact];
    struct resolved found = fact_resolve(rules, question, fact);

    *ret = (struct stile_known){.fact = rules->facts.names[fact],
                                .value = found.value,
                                .any = found.any,
                                .counts = found.counts,
                                .why = found.why,
                                .max_age = def->max_age};
    if (!found.any) {
        ret->value = STILE_UNKNOWN;
        ret->why = "nothing is recorded; see what silence means";
    } else if (def->max_age && found.date && found.date != INT64_MAX) {
        ret->stale =
            stile_date_from_days(day_of(found.date) + def->max_age + 1);
    }
}

void stile__context_make(const struct stile_rules *rules,
                         const struct stile_question *question,
                         struct stile__context *ret)
{
    struct stile__context context = {
        .rules = rules,
        .today = question->today,
        .agreement = STILE__NONE,
        .sender_kind = STILE__NONE,
        .recipient = question->recipient,
    };
    uint32_t i;

    context.recipient_kind =
        stile__word_find(&rules->kinds, question->recipient_kind);
    context.purpose = stile__word_find(&rules->purposes, question->purpose);
    for (i = 0; i < rules->agreement_count; i++) {
        const struct stile__agreement *agreement = &rules->agreements[i];

        if (!stile_str_eq(agreement->id, question->agreement)) {
            continue;
        }
        context.agreement = i;
        context.parties_match =
            stile_str_eq(agreement->sender, question->sender) &&
            stile_str_eq(agreement->recipient, question->recipient) &&
            agreement->recipient_kind == context.recipient_kind;
        if (agreement->recipient_kind != context.recipient_kind) {
            context.recipient_kind = STILE__NONE;
        }
        if (stile_str_eq(agreement->sender, question->sender)) {
            context.sender_kind = agreement->sender_kind;
        }
    }
    for (i = 0; i < rules->facts.count; i++) {
        context.facts[i] = fact_truth(rules, question, i);
    }
    *ret = context;
}

uint64_t stile__rule_facts(const struct stile__rule *rule)
{
    uint64_t facts = rule->when_facts;
    size_t i;

    for (i = 0; i < rule->need_count; i++) {
        facts |= rule->needs[i].any;
    }
    for (i = 0; i < rule->unless_count; i++) {
        facts |= rule->unless[i].facts;
    }
    return facts;
}

const char *stile__share_lapsed(const struct stile__context *context,
                                const struct stile__rule *rule)
{
    const struct stile__agreement *agreement =
        &context->rules->agreements[rule->agreement];
    int64_t today = stile_date_days(context->today);

    if (today < stile_date_days(agreement->from)) {
        return "its agreement has not begun";
    }
    if (today > stile_date_days(agreement->expires)) {
        return "its agreement has expired";
    }
    if (agreement->dpia_expires.year &&
        today > stile_date_days(agreement->dpia_expires)) {
        return "the approval of its impact assessment (DPIA) has lapsed";
    }
    if (agreement->dspt_expires.year &&
        today > stile_date_days(agreement->dspt_expires)) {
        return "the recipient's data security assurance (DSPT) has lapsed";
    }
    if (rule->from.year && today < stile_date_days(rule->from)) {
        return "the rule has not begun";
    }
    if (rule->expires.year && today > stile_date_days(rule->expires)) {
        return "the rule has expired";
    }
    return NULL;
}

static enum stile_truth need_truth(const struct stile__context *context,
                                   const struct stile__need *need,
                                   uint32_t *ret_fact)
{
    enum stile_truth best = STILE_NO;
    uint32_t i;

    *ret_fact = STILE__NONE;
    for (i = 0; i < context->rules->facts.count; i++) {
        if (!(need->any >> i & 1)) {
            continue;
        }
        if (*ret_fact == STILE__NONE) {
            *ret_fact = i;
        }
        if (context->facts[i] == STILE_YES) {
            return STILE_YES;
        }
        if (context->facts[i] == STILE_UNKNOWN) {
            best = STILE_UNKNOWN;
        }
    }
    return best;
}

enum stile_truth stile__share_fires(const struct stile__context *context,
                                    const struct stile__rule *rule,
                                    uint32_t *ret_need, const char **ret_why)
{
    enum stile_truth result = STILE_YES;
    size_t i;

    *ret_need = STILE__NONE;
    *ret_why = NULL;
    if (rule->agreement == STILE__NONE ||
        rule->agreement != context->agreement) {
        *ret_why = "it is under another agreement";
    } else if (!context->parties_match) {
        *ret_why = "the parties are not those of its agreement";
    } else if (context->purpose == STILE__NONE ||
               !(rule->purposes >> context->purpose & 1)) {
        *ret_why = "it is for another purpose";
    } else {
        *ret_why = stile__share_lapsed(context, rule);
    }
    if (*ret_why) {
        return STILE_NO;
    }
    for (i = 0; i < rule->need_count; i++) {
        uint32_t fact;
        enum stile_truth truth = need_truth(context, &rule->needs[i], &fact);

        if (truth != STILE_YES && *ret_need == STILE__NONE) {
            *ret_need = fact;
            result = truth;
        }
    }
    return result;
}

enum stile_truth stile__in_mask(uint64_t mask, uint32_t word)
{
    if (!mask) {
        return STILE_YES;
    }
    if (word == STILE__NONE) {
        return STILE_UNKNOWN;
    }
    return mask >> word & 1 ? STILE_YES : STILE_NO;
}

static enum stile_truth fact_of(const struct stile__context *context,
                                uint32_t fact, uint64_t item_facts)
{
    if (item_facts >> fact & 1) {
        return STILE_YES;
    }
    return context->facts[fact];
}

static bool unless_holds(const struct stile__context *context,
                         const struct stile__unless *unless,
                         uint64_t item_facts)
{
    uint32_t i;

    if (stile__in_mask(unless->recipient_kinds, context->recipient_kind) !=
            STILE_YES ||
        stile__in_mask(unless->purposes, context->purpose) != STILE_YES) {
        return false;
    }
    for (i = 0; i < context->rules->facts.count; i++) {
        if ((unless->facts >> i & 1) &&
            fact_of(context, i, item_facts) != STILE_YES) {
            return false;
        }
    }
    return true;
}

bool stile__limit_fires(const struct stile__context *context,
                        const struct stile__rule *rule, uint64_t item_facts,
                        uint32_t *ret_unknown)
{
    size_t i;

    *ret_unknown = STILE__NONE;
    if (stile__in_mask(rule->recipient_kinds, context->recipient_kind) ==
            STILE_NO ||
        stile__in_mask(rule->sender_kinds, context->sender_kind) == STILE_NO ||
        stile__in_mask(rule->purposes, context->purpose) == STILE_NO) {
        return false;
    }
    for (i = 0; i < context->rules->facts.count; i++) {
        if (rule->when_facts >> i & 1) {
            enum stile_truth truth = fact_of(context, (uint32_t)i, item_facts);
            if (truth == STILE_NO) {
                return false;
            }
            if (truth == STILE_UNKNOWN && *ret_unknown == STILE__NONE) {
                *ret_unknown = (uint32_t)i;
            }
        }
    }
    for (i = 0; i < rule->unless_count; i++) {
        if (unless_holds(context, &rule->unless[i], item_facts)) {
            return false;
        }
    }
    return true;
}

bool stile__labels_match(const struct stile__rule *rule,
                         struct stile__item_labels labels)
{
    uint64_t carried = labels.own | (rule->reach ? labels.related : 0);

    return !rule->labels || (rule->labels & carried);
}
