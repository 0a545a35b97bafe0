/*
 * Rules that can do nothing, rules that do nothing of their own, what nothing
 * shares, where a share and a limit meet; and that the floor holds.
 */
#include "space.h"

struct check {
    struct stile__space *space;
    const struct stile_rules *rules;
    struct stile__route *routes;
    size_t route_count;
    struct stile_date today;
    struct stile__fires *fires;
    uint32_t alive[STILE__RULES_MAX]; /* a case in which a share lets go, or a
                                         limit meets what is shared */
    bool fires_at_all[STILE__RULES_MAX];
    bool counts[STILE__RULES_MAX]; /* without it something is otherwise */
    uint64_t shared;               /* data words that some share covers */
    struct stile_value *findings, *meets, *proved;
    size_t claims;
    bool holds;
};

typedef void (*check_word)(struct check *check, uint32_t word,
                           const struct stile__handling *handling);

/* Calls back for each route, stretch of days and data word. */
static enum stile_status each(struct check *check, check_word look)
{
    size_t r, d;

    for (r = 0; r < check->route_count; r++) {
        struct stile_date *days = NULL;
        size_t day_count = 0;
        enum stile_status status = stile__days(check->space, &check->routes[r],
                                               check->today, &days, &day_count);

        for (d = 0; status == STILE_OK && d < day_count; d++) {
            struct stile__handling handling;
            uint32_t word;

            stile__fires_make(check->space, 0, &check->routes[r], days[d],
                              check->fires);
            for (word = 0; word < check->rules->data.count; word++) {
                stile__handling_make(check->space, check->fires, word,
                                     STILE__NONE, &handling);
                look(check, word, &handling);
            }
            status = stile__space_status(check->space);
        }
        if (status != STILE_OK) {
            return status;
        }
    }
    return STILE_OK;
}

/* ---- what each rule is good for
 * ----------------------------------------------------------------------------
 */

static bool same(const struct stile__space *space,
                 const struct stile__handling *a,
                 const struct stile__handling *b)
{
    return a->goes == b->goes && a->held == b->held &&
           memcmp(a->duties, b->duties,
                  space->duty_count * sizeof(a->duties[0])) == 0;
}

static void look_at_rule(struct check *check, size_t i, uint32_t word,
                         const struct stile__handling *handling)
{
    struct stile__bdd *bdd = check->space->bdd;
    const struct stile__rule *rule = &check->rules->rules[i];
    uint32_t fires = check->fires->rules[i];
    uint32_t with;
    struct stile__handling without;

    if (fires == STILE__NEVER) {
        return;
    }
    check->fires_at_all[i] = true;
    if (rule->kind == STILE__SHARE
            ? !(rule->data >> word & 1)
            : !stile__acts_on(check->rules, rule, word)) {
        return;
    }
    with = rule->kind == STILE__SHARE
               ? stile__bdd_or(bdd, handling->goes, handling->held)
               : handling->shared;
    with = stile__bdd_and(bdd, with, fires);
    if (check->alive[i] == STILE__NEVER) {
        check->alive[i] = with;
    }
    /* Also a share under which nothing goes: what it asks to be done is done
     * to what other shares let go. */
    if (!check->counts[i] &&
        (rule->kind == STILE__SHARE || with != STILE__NEVER)) {
        stile__handling_make(check->space, check->fires, word, (uint32_t)i,
                             &without);
        check->counts[i] = !same(check->space, handling, &without);
    }
}

static void look(struct check *check, uint32_t word,
                 const struct stile__handling *handling)
{
    size_t i;

    if (handling->shared != STILE__NEVER) {
        check->shared |= UINT64_C(1) << word;
    }
    for (i = 0; i < check->rules->rule_count; i++) {
        look_at_rule(check, i, word, handling);
    }
}

static struct stile_value *find(struct check *check, const char *kind,
                                const char *severity, struct stile_str rule,
                                const char *message)
{
    struct stile_value *object = stile_value_push(
        check->findings, stile_value_new(check->space->arena, STILE_OBJECT));

    stile__put_text(check->space, object, "finding", stile_str_cstr(kind));
    stile__put_text(check->space, object, "severity", stile_str_cstr(severity));
    if (rule.len) {
        stile__put_text(check->space, object, "rule", rule);
    }
    stile__put_text(check->space, object, "message", stile_str_cstr(message));
    return object;
}

static void judge_rule(struct check *check, size_t i)
{
    const struct stile__rule *rule = &check->rules->rules[i];
    bool share = rule->kind == STILE__SHARE;

    if (share && !check->fires_at_all[i]) {
        (void)find(check, "inert", "warning", rule->id,
                   "shares nothing from today on: its agreement or its own "
                   "dates have run out");
    } else if (share && check->alive[i] == STILE__NEVER) {
        (void)find(check, "dead", "error", rule->id,
                   "never lets anything go: other rules, or what it asks to be "
                   "done itself, always keep it back; remove it or narrow "
                   "them");
    } else if (share && !check->counts[i]) {
        (void)find(check, "shadowed", "warning", rule->id,
                   "changes nothing: other shares let the same go in the same "
                   "cases, with no more done to it");
    } else if (!share && check->alive[i] == STILE__NEVER) {
        (void)find(check, "never-meets", "note", rule->id,
                   "meets nothing that is shared today; it waits for an "
                   "agreement that would");
    } else if (!share && !check->counts[i]) {
        (void)find(check, "shadowed", "note", rule->id,
                   "changes nothing: other rules keep back or change the same "
                   "in the same cases");
    }
}

static void judge_words(struct check *check)
{
    struct stile_value *list;
    size_t i;
    struct stile_value *object =
        find(check, "gap", "note", STILE_STR_NULL,
             "no agreement and rule share these with anyone");

    list = stile__put_list(check->space, object, "data");
    for (i = 0; i < check->rules->data.count; i++) {
        if (!(check->shared >> i & 1)) {
            stile__push_text(check->space, list, check->rules->data.names[i]);
        }
    }
    if (!list->first) {
        stile_value_remove(object);
    }
}

/* ---- where a share and a limit meet
 * ----------------------------------------------------------------------------
 */

static void meet(struct check *check, const struct stile__route *route,
                 size_t share, size_t limit)
{
    struct stile__space *space = check->space;
    const struct stile_rules *rules = check->rules;
    uint32_t both = stile__bdd_and(space->bdd, check->fires->rules[share],
                                   check->fires->rules[limit]);
    struct stile_value *object, *data;
    uint32_t word;
    uint64_t words = 0;

    for (word = 0; word < rules->data.count && both != STILE__NEVER; word++) {
        if ((rules->rules[share].data >> word & 1) &&
            stile__acts_on(rules, &rules->rules[limit], word)) {
            words |= UINT64_C(1) << word;
        }
    }
    if (!words) {
        return;
    }
    object = stile_value_push(check->meets,
                              stile_value_new(space->arena, STILE_OBJECT));
    stile__put_text(space, object, "share", rules->rules[share].id);
    stile__put_text(space, object, "limit", rules->rules[limit].id);
    stile__put_text(space, object, "purpose", route->purpose);
    data = stile__put_list(space, object, "data");
    for (word = 0; word < rules->data.count; word++) {
        if (words >> word & 1) {
            stile__push_text(space, data, rules->data.names[word]);
        }
    }
    (void)stile_value_set(object, STILE_STR("example"),
                          stile__case_value(space, both));
}

static void meet_all(struct check *check)
{
    const struct stile_rules *rules = check->rules;
    size_t r, i, j;

    for (r = 0; r < check->route_count; r++) {
        stile__fires_make(check->space, 0, &check->routes[r], check->today,
                          check->fires);
        for (i = 0; i < rules->rule_count; i++) {
            for (j = 0; j < rules->rule_count; j++) {
                if (rules->rules[i].kind == STILE__SHARE &&
                    rules->rules[j].kind != STILE__SHARE) {
                    meet(check, &check->routes[r], i, j);
                }
            }
        }
    }
}

/* ---- the floor
 * ----------------------------------------------------------------------------
 */

static void claim(struct check *check, const struct stile__rule *rule,
                  uint32_t against)
{
    struct stile_value *object;

    check->claims++;
    if (against == STILE__NEVER || stile__bdd_full(check->space->bdd)) {
        return;
    }
    check->holds = false;
    object = find(check, "floor", "error", rule->id,
                  "a guardrail does not hold; this is a fault of the gateway: "
                  "do not use this set, and report it");
    (void)stile_value_set(object, STILE_STR("example"),
                          stile__case_value(check->space, against));
}

static void claim_action(struct check *check, const struct stile__rule *rule,
                         const struct stile__action *action, uint32_t word,
                         const struct stile__handling *handling, uint32_t goes)
{
    struct stile__bdd *bdd = check->space->bdd;
    const struct stile__obligation *def =
        &check->rules->obligation_defs[action->obligation];
    bool here = action->data >> word & 1;

    if (here && (def->verb == STILE__REMOVE || def->verb == STILE__HOLD)) {
        claim(check, rule, goes);
    } else if (here && def->verb >= STILE__ROUND && def->verb <= STILE__MASK) {
        uint32_t duty = (uint32_t)(def->verb - STILE__ROUND);
        claim(check, rule, stile__bdd_less(bdd, goes, handling->duties[duty]));
    }
    if ((def->drop_text || def->verb == STILE__DROP_FREE_TEXT) &&
        !(check->rules->hub_words >> word & 1)) {
        claim(check, rule,
              stile__bdd_less(bdd, goes,
                              handling->duties[STILE__DUTY_DROP_TEXT]));
    }
}

/* In no case does a field go that a guardrail keeps back, or go without what
 * a guardrail asks to be done. */
static void prove(struct check *check, uint32_t word,
                  const struct stile__handling *handling)
{
    size_t i, a;

    for (i = 0; i < check->rules->rule_count; i++) {
        const struct stile__rule *rule = &check->rules->rules[i];
        uint32_t goes;

        if (rule->kind != STILE__GUARDRAIL ||
            check->fires->rules[i] == STILE__NEVER) {
            continue;
        }
        goes = stile__bdd_and(check->space->bdd, handling->goes,
                              check->fires->rules[i]);
        if (rule->withholds && (rule->everything || (rule->data >> word & 1))) {
            claim(check, rule, goes);
        }
        for (a = 0; a < rule->action_count; a++) {
            claim_action(check, rule, &rule->actions[a], word, handling, goes);
        }
    }
}

static void put_floor(struct check *check, struct stile_value *report)
{
    struct stile__space *space = check->space;
    struct stile_value *floor =
        stile_value_set_new(space->arena, report, "floor", STILE_OBJECT);
    char hex[65];
    size_t i;

    stile_digest_hex(&check->rules->digest, hex);
    stile__put_text(space, floor, "rules",
                    stile_arena_str(space->arena, stile_str_cstr(hex)));
    (void)stile_value_set(floor, STILE_STR("holds"),
                          stile_value_bool(space->arena, check->holds));
    stile__put_count(space, floor, "claims", check->claims);
    stile__put_count(space, floor, "routes", check->route_count);
    stile__put_count(space, floor, "facts", space->facts.count);
    stile__put_count(space, floor, "labels", space->labels.count);
    check->proved = stile__put_list(space, floor, "guardrails");
    for (i = 0; i < check->rules->rule_count; i++) {
        if (check->rules->rules[i].kind == STILE__GUARDRAIL) {
            stile__push_text(space, check->proved, check->rules->rules[i].id);
        }
    }
}

/* ---- the whole
 * ----------------------------------------------------------------------------
 */

enum stile_status stile_rules_analyse(const struct stile_rules *rules,
                                      struct stile_date today,
                                      struct stile_arena *arena,
                                      struct stile_value **ret)
{
    struct check *check = stile_arena_alloc(arena, sizeof(*check));
    struct stile_value *report = stile_value_new(arena, STILE_OBJECT);
    enum stile_status status;
    size_t i;

    if (!check || !report) {
        return STILE_NOMEM;
    }
    check->rules = rules;
    check->today = today;
    check->holds = true;
    check->fires = stile_arena_alloc(arena, sizeof(*check->fires));
    status = stile__space_make(&rules, 1, arena, &check->space);
    if (status == STILE_OK) {
        status = check->fires ? stile__routes(check->space, &check->routes,
                                              &check->route_count)
                              : STILE_NOMEM;
    }
    if (status != STILE_OK) {
        return status;
    }
    check->findings = stile__put_list(check->space, report, "findings");
    check->meets = stile__put_list(check->space, report, "meets");
    status = each(check, look);
    if (status == STILE_OK) {
        status = each(check, prove);
    }
    if (status != STILE_OK) {
        return status;
    }
    for (i = 0; i < rules->rule_count; i++) {
        judge_rule(check, i);
    }
    judge_words(check);
    meet_all(check);
    put_floor(check, report);
    status = stile__space_status(check->space);
    if (status == STILE_OK) {
        *ret = report;
    }
    return status;
}

/* ---- in plain words
 * ----------------------------------------------------------------------------
 */

static void say_finding(const struct stile_value *finding,
                        struct stile_buf *out)
{
    const struct stile_value *data = stile_value_getc(finding, "data");
    const struct stile_value *example = stile_value_getc(finding, "example");
    const struct stile_value *word;
    struct stile_str rule = stile_value_text(finding, "rule");

    stile_buf_printf(
        out, "%.*s: ", STILE_FMT(stile_value_text(finding, "severity")));
    if (rule.len) {
        stile_buf_printf(out, "rule %.*s ", STILE_FMT(rule));
    }
    stile_buf_add(out, stile_value_text(finding, "message"));
    for (word = data ? data->first : NULL; word; word = word->next) {
        stile_buf_printf(out, "%s%.*s", word->prev ? ", " : ": ",
                         STILE_FMT(word->text));
    }
    stile_buf_byte(out, '\n');
    if (example) {
        stile_buf_addc(out, "  for example: ");
        stile__say_case(example, out);
        stile_buf_byte(out, '\n');
    }
}

void stile_rules_analyse_print(const struct stile_value *report, bool meets,
                               struct stile_buf *out)
{
    const struct stile_value *floor = stile_value_getc(report, "floor");
    const struct stile_value *item;

    for (item = stile_value_getc(report, "findings")->first; item;
         item = item->next) {
        say_finding(item, out);
    }
    for (item = meets ? stile_value_getc(report, "meets")->first : NULL; item;
         item = item->next) {
        stile_buf_printf(out, "%.*s stands over %.*s, for example: ",
                         STILE_FMT(stile_value_text(item, "limit")),
                         STILE_FMT(stile_value_text(item, "share")));
        stile__say_case(stile_value_getc(item, "example"), out);
        stile_buf_byte(out, '\n');
    }
    stile_buf_printf(
        out,
        "floor: %s: %.*s claims over every case of %.*s facts and %.*s labels, "
        "for rules %.16s\n",
        stile_value_getc(floor, "holds")->boolean
            ? "nothing a guardrail forbids can leave"
            : "IT DOES NOT HOLD",
        STILE_FMT(stile_value_text(floor, "claims")),
        STILE_FMT(stile_value_text(floor, "facts")),
        STILE_FMT(stile_value_text(floor, "labels")),
        stile_value_text(floor, "rules").ptr);
}
