#include "space.h"

/* ---- names and variables
 * ----------------------------------------------------------------- */

uint32_t stile__name_add(struct stile__space *space, struct stile__names *names,
                         struct stile_str name)
{
    size_t i;

    for (i = 0; i < names->count; i++) {
        if (stile_str_eq(names->items[i], name)) {
            return (uint32_t)i;
        }
    }
    if (names->count == STILE__NAMES_MAX) {
        space->failed = true;
        return 0;
    }
    names->items[names->count++] = name;
    return (uint32_t)(names->count - 1);
}

/* Two variables a fact, yes and no (neither is unknown), and two a label, own
 * and by a link. Facts stand first. */
uint32_t stile__fact_yes(struct stile__space *space, uint32_t fact)
{
    return stile__bdd_var(space->bdd, fact * 2);
}

uint32_t stile__fact_no(struct stile__space *space, uint32_t fact)
{
    return stile__bdd_var(space->bdd, fact * 2 + 1);
}

uint32_t stile__label_own(struct stile__space *space, uint32_t label)
{
    return stile__bdd_var(space->bdd,
                          ((uint32_t)space->facts.count + label) * 2);
}

uint32_t stile__label_linked(struct stile__space *space, uint32_t label)
{
    return stile__bdd_var(space->bdd,
                          ((uint32_t)space->facts.count + label) * 2 + 1);
}

static uint32_t duty_add(struct stile__space *space, struct stile_str duty)
{
    size_t i;

    for (i = 0; i < space->duty_count; i++) {
        if (stile_str_eq(space->duties[i], duty)) {
            return (uint32_t)i;
        }
    }
    if (space->duty_count == STILE__DUTIES_MAX) {
        space->failed = true;
        return 0;
    }
    space->duties[space->duty_count++] = duty;
    return (uint32_t)(space->duty_count - 1);
}

static void add_side(struct stile__space *space,
                     const struct stile_rules *rules)
{
    struct stile__side *side = &space->sides[space->side_count++];
    size_t relabels = 0, i, a;

    side->rules = rules;
    for (i = 0; i < rules->facts.count; i++) {
        side->fact_at[i] =
            stile__name_add(space, &space->facts, rules->facts.names[i]);
    }
    for (i = 0; i < rules->labels.count; i++) {
        side->label_at[i] =
            stile__name_add(space, &space->labels, rules->labels.names[i]);
    }
    for (i = 0; i < rules->data.count; i++) {
        (void)stile__name_add(space, &space->data, rules->data.names[i]);
    }
    for (i = 0; i < rules->obligations.count; i++) {
        if (rules->obligation_defs[i].verb == STILE__NOTIFY) {
            side->duty_of[i] = duty_add(
                space,
                stile_arena_printf(space->arena, "notice to %.*s",
                                   STILE_FMT(rules->obligation_defs[i].whom)));
        }
    }
    for (i = 0; i < rules->rule_count; i++) {
        for (a = 0; a < rules->rules[i].action_count; a++) {
            relabels += rules->rules[i].actions[a].label != STILE__NONE;
        }
    }
    /* Past it the engine holds the item: that is not told here. */
    space->failed = space->failed || relabels > STILE__RELABELS_MAX;
}

enum stile_status stile__space_make(const struct stile_rules *const *sets,
                                    size_t count, struct stile_arena *arena,
                                    struct stile__space **ret)
{
    static const char *const fixed[] = {"rounded or more",
                                        "pseudonymised or more", "masked",
                                        "without its free text"};
    struct stile__space *space = stile_arena_alloc(arena, sizeof(*space));
    uint32_t i;

    STILE_ASSERT(count >= 1 && count <= 2);
    if (!space) {
        return STILE_NOMEM;
    }
    space->arena = arena;
    space->bdd = stile__bdd_new(arena, STILE__BDD_NODES);
    if (!space->bdd) {
        return STILE_NOMEM;
    }
    for (i = 0; i < STILE__DUTIES_FIXED; i++) {
        (void)duty_add(space, stile_str_cstr(fixed[i]));
    }
    for (i = 0; i < count; i++) {
        add_side(space, sets[i]);
    }
    space->care = STILE__ALWAYS;
    for (i = (uint32_t)space->facts.count; i > 0; i--) {
        uint32_t both =
            stile__bdd_and(space->bdd, stile__fact_yes(space, i - 1),
                           stile__fact_no(space, i - 1));
        space->care = stile__bdd_less(space->bdd, space->care, both);
    }
    *ret = space;
    return stile__space_status(space);
}

enum stile_status stile__space_status(const struct stile__space *space)
{
    if (stile_arena_failed(space->arena)) {
        return STILE_NOMEM;
    }
    return space->failed || stile__bdd_full(space->bdd) ? STILE_LIMIT
                                                        : STILE_OK;
}

/* ---- what fires
 * ----------------------------------------------------------------------------
 */

static uint32_t any_yes(struct stile__space *space,
                        const struct stile__side *side, uint64_t facts)
{
    uint32_t any = STILE__NEVER;
    size_t i;

    for (i = 0; i < side->rules->facts.count; i++) {
        if (facts >> i & 1) {
            any = stile__bdd_or(space->bdd, any,
                                stile__fact_yes(space, side->fact_at[i]));
        }
    }
    return any;
}

static uint32_t share_function(struct stile__space *space,
                               const struct stile__fires *fires,
                               const struct stile__rule *rule)
{
    struct stile__context ideal = fires->context;
    uint32_t function = space->care, need;
    const char *why;
    size_t i;

    /* Where all facts are yes, only what is no fact can stop a share. */
    for (i = 0; i < STILE__WORDS_MAX; i++) {
        ideal.facts[i] = STILE_YES;
    }
    if (stile__share_fires(&ideal, rule, &need, &why) != STILE_YES) {
        return STILE__NEVER;
    }
    for (i = 0; i < rule->need_count; i++) {
        function =
            stile__bdd_and(space->bdd, function,
                           any_yes(space, fires->side, rule->needs[i].any));
    }
    return function;
}

static uint32_t exception(struct stile__space *space,
                          const struct stile__fires *fires,
                          const struct stile__unless *unless)
{
    const struct stile__context *context = &fires->context;
    uint32_t function = STILE__ALWAYS;
    size_t i;

    if (stile__in_mask(unless->recipient_kinds, context->recipient_kind) !=
            STILE_YES ||
        stile__in_mask(unless->purposes, context->purpose) != STILE_YES) {
        return STILE__NEVER;
    }
    for (i = 0; i < fires->side->rules->facts.count; i++) {
        if (unless->facts >> i & 1) {
            function =
                stile__bdd_and(space->bdd, function,
                               stile__fact_yes(space, fires->side->fact_at[i]));
        }
    }
    return function;
}

static uint32_t carried(struct stile__space *space,
                        const struct stile__side *side,
                        const struct stile__rule *rule)
{
    uint32_t any = STILE__NEVER;
    size_t i;

    if (!rule->labels) {
        return STILE__ALWAYS;
    }
    for (i = 0; i < side->rules->labels.count; i++) {
        if (!(rule->labels >> i & 1)) {
            continue;
        }
        any = stile__bdd_or(space->bdd, any,
                            stile__label_own(space, side->label_at[i]));
        if (rule->reach) {
            any = stile__bdd_or(space->bdd, any,
                                stile__label_linked(space, side->label_at[i]));
        }
    }
    return any;
}

static uint32_t limit_function(struct stile__space *space,
                               const struct stile__fires *fires,
                               const struct stile__rule *rule)
{
    const struct stile__context *context = &fires->context;
    uint32_t function = space->care;
    size_t i;

    if (stile__in_mask(rule->recipient_kinds, context->recipient_kind) ==
            STILE_NO ||
        stile__in_mask(rule->sender_kinds, context->sender_kind) == STILE_NO ||
        stile__in_mask(rule->purposes, context->purpose) == STILE_NO) {
        return STILE__NEVER;
    }
    for (i = 0; i < fires->side->rules->facts.count; i++) {
        if (rule->when_facts >> i & 1) {
            function =
                stile__bdd_less(space->bdd, function,
                                stile__fact_no(space, fires->side->fact_at[i]));
        }
    }
    function =
        stile__bdd_and(space->bdd, function, carried(space, fires->side, rule));
    for (i = 0; i < rule->unless_count; i++) {
        function = stile__bdd_less(space->bdd, function,
                                   exception(space, fires, &rule->unless[i]));
    }
    return function;
}

void stile__fires_make(struct stile__space *space, size_t side,
                       const struct stile__route *route,
                       struct stile_date today, struct stile__fires *ret)
{
    const struct stile_rules *rules = space->sides[side].rules;
    struct stile_question question = {.sender = route->sender,
                                      .recipient = route->recipient,
                                      .recipient_kind = route->recipient_kind,
                                      .purpose = route->purpose,
                                      .agreement = route->agreement,
                                      .today = today};
    size_t i;

    ret->side = &space->sides[side];
    stile__context_make(rules, &question, &ret->context);
    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];
        ret->rules[i] = rule->kind == STILE__SHARE
                            ? share_function(space, ret, rule)
                            : limit_function(space, ret, rule);
    }
}

/* ---- what becomes of a field
 * --------------------------------------------------------------------- */

struct making {
    struct stile__space *space;
    const struct stile__side *side;
    uint32_t word;
    uint32_t removed, held, dropped;
    struct stile__handling *handling;
};

static bool has(uint64_t mask, uint32_t word)
{
    return mask >> word & 1;
}

static void add_to(struct making *making, uint32_t *function, uint32_t more)
{
    *function = stile__bdd_or(making->space->bdd, *function, more);
}

static void do_relabel(struct making *making,
                       const struct stile__action *action, uint32_t when)
{
    const struct stile_rules *rules = making->side->rules;
    uint32_t duty;

    if (action->label == STILE__NONE) {
        return;
    }
    duty = duty_add(
        making->space,
        stile_arena_printf(making->space->arena, "shown as \"%.*s\" when %.*s",
                           STILE_FMT(action->text),
                           STILE_FMT(rules->labels.names[action->label])));
    when = stile__bdd_and(
        making->space->bdd, when,
        stile__label_own(making->space, making->side->label_at[action->label]));
    add_to(making, &making->handling->duties[duty], when);
}

static void do_notify(struct making *making, uint32_t obligation, uint32_t when)
{
    uint32_t duty = making->side->duty_of[obligation];

    add_to(making, &making->handling->duties[duty], when);
}

static void do_action(struct making *making, const struct stile__action *action,
                      uint32_t when)
{
    const struct stile_rules *rules = making->side->rules;
    const struct stile__obligation *def =
        &rules->obligation_defs[action->obligation];
    uint32_t *duties = making->handling->duties;
    bool here = has(action->data, making->word);

    if ((def->drop_text || def->verb == STILE__DROP_FREE_TEXT) &&
        !has(rules->hub_words, making->word)) {
        add_to(making, &making->dropped, when);
    }
    if (def->verb == STILE__NOTIFY) {
        do_notify(making, action->obligation, when);
    } else if (def->verb == STILE__RELABEL) {
        do_relabel(making, action, when);
    } else if (def->verb == STILE__HOLD && here) {
        add_to(making, &making->held, when);
    } else if (def->verb == STILE__REMOVE && here) {
        add_to(making, &making->removed, when);
    } else if (here && def->verb != STILE__DROP_FREE_TEXT) {
        add_to(making, &duties[STILE__DUTY_ROUND], when);
        if (def->verb >= STILE__PSEUDONYMISE) {
            add_to(making, &duties[STILE__DUTY_PSEUDONYMISE], when);
        }
        if (def->verb >= STILE__MASK) {
            add_to(making, &duties[STILE__DUTY_MASK], when);
        }
    }
}

static void do_actions(struct making *making,
                       const struct stile__action *actions, size_t count,
                       uint32_t when)
{
    size_t i;

    for (i = 0; i < count; i++) {
        do_action(making, &actions[i], when);
    }
}

/* Facts whose yes carries a duty of its own. */
static void do_needs(struct making *making, const struct stile__rule *rule,
                     uint32_t when)
{
    const struct stile_rules *rules = making->side->rules;
    size_t n, fact, duty;

    for (n = 0; n < rule->need_count; n++) {
        for (fact = 0; fact < rules->facts.count; fact++) {
            uint32_t yes;

            if (!(rule->needs[n].any >> fact & 1) ||
                !rules->fact_defs[fact].notify) {
                continue;
            }
            yes = stile__bdd_and(
                making->space->bdd, when,
                stile__fact_yes(making->space, making->side->fact_at[fact]));
            for (duty = 0; duty < rules->obligations.count; duty++) {
                if (rules->fact_defs[fact].notify >> duty & 1) {
                    do_notify(making, (uint32_t)duty, yes);
                }
            }
        }
    }
}

static void do_share(struct making *making, const struct stile__rule *rule,
                     uint32_t when, uint32_t *plain)
{
    const struct stile__agreement *agreement =
        &making->side->rules->agreements[rule->agreement];

    if (!has(rule->data, making->word) || !has(agreement->data, making->word)) {
        return;
    }
    add_to(making, &making->handling->shared, when);
    if (!rule->holds) {
        add_to(making, plain, when);
    }
    do_actions(making, rule->actions, rule->action_count, when);
    do_actions(making, agreement->actions, agreement->action_count, when);
    do_needs(making, rule, when);
}

static void do_limit(struct making *making, const struct stile__rule *rule,
                     uint32_t when)
{
    if (rule->withholds &&
        (rule->everything || has(rule->data, making->word))) {
        add_to(making, rule->holds ? &making->held : &making->removed, when);
    }
    do_actions(making, rule->actions, rule->action_count, when);
}

void stile__handling_make(struct stile__space *space,
                          const struct stile__fires *fires, uint32_t word,
                          uint32_t without, struct stile__handling *ret)
{
    const struct stile_rules *rules = fires->side->rules;
    struct making making = {
        .space = space, .side = fires->side, .word = word, .handling = ret};
    uint32_t plain = STILE__NEVER;
    size_t i;

    memset(ret, 0, sizeof(*ret)); /* NEVER is 0 */
    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];

        if (i == without || fires->rules[i] == STILE__NEVER) {
            continue;
        }
        if (rule->kind == STILE__SHARE) {
            do_share(&making, rule, fires->rules[i], &plain);
        } else {
            do_limit(&making, rule, fires->rules[i]);
        }
    }
    ret->duties[STILE__DUTY_DROP_TEXT] = making.dropped;
    if (has(rules->free_text_words, word)) {
        add_to(&making, &making.removed, making.dropped);
    }
    /* A person looks when every share that fires asks for it. */
    add_to(&making, &making.held,
           stile__bdd_less(space->bdd, ret->shared, plain));
    ret->goes = stile__bdd_less(space->bdd, ret->shared, making.removed);
    ret->held = stile__bdd_and(space->bdd, ret->goes, making.held);
    ret->goes = stile__bdd_less(space->bdd, ret->goes, making.held);
    for (i = 0; i < space->duty_count; i++) {
        ret->duties[i] = stile__bdd_and(space->bdd, ret->duties[i], ret->goes);
    }
}

bool stile__acts_on(const struct stile_rules *rules,
                    const struct stile__rule *rule, uint32_t word)
{
    bool acts = rule->withholds && (rule->everything || has(rule->data, word));
    size_t i;

    for (i = 0; i < rule->action_count; i++) {
        const struct stile__obligation *def =
            &rules->obligation_defs[rule->actions[i].obligation];
        acts = acts || has(rule->actions[i].data, word) ||
               ((def->drop_text || def->verb == STILE__DROP_FREE_TEXT) &&
                !has(rules->hub_words, word)) ||
               def->verb == STILE__RELABEL || def->verb == STILE__NOTIFY;
    }
    return acts;
}
