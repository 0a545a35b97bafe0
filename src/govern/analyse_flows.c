/* Who can see a thing, and what can a body ever receive. */
#include "space.h"

struct flows {
    struct stile__space *space;
    const struct stile_rules *rules;
    const struct stile_flow_query *query;
    struct stile_date today;
    uint32_t label; /* of the rules, or NONE */
    struct stile_value *list;
};

/* Words of one route that are handled alike. */
struct group {
    uint64_t words;
    struct stile__handling handling;
    bool linked; /* only what hangs on a labelled item goes */
};

static bool same_handling(const struct stile__space *space,
                          const struct stile__handling *a,
                          const struct stile__handling *b)
{
    return a->goes == b->goes && a->held == b->held &&
           memcmp(a->duties, b->duties,
                  space->duty_count * sizeof(a->duties[0])) == 0;
}

static void only_where(struct stile__space *space, uint32_t where,
                       struct stile__handling *handling)
{
    size_t i;

    handling->goes = stile__bdd_and(space->bdd, handling->goes, where);
    handling->held = stile__bdd_and(space->bdd, handling->held, where);
    for (i = 0; i < space->duty_count; i++) {
        handling->duties[i] =
            stile__bdd_and(space->bdd, handling->duties[i], where);
    }
}

/* Asked of a label: what carries it, or else what is linked to such. */
static bool narrow(struct flows *flows, struct stile__handling *handling,
                   bool *ret_linked)
{
    struct stile__space *space = flows->space;
    struct stile__handling whole = *handling;
    uint32_t label;

    *ret_linked = false;
    if (flows->label != STILE__NONE) {
        label = space->sides[0].label_at[flows->label];
        only_where(space, stile__label_own(space, label), handling);
        if (handling->goes == STILE__NEVER && handling->held == STILE__NEVER) {
            *handling = whole;
            only_where(space, stile__label_linked(space, label), handling);
            *ret_linked = true;
        }
    }
    return handling->goes != STILE__NEVER || handling->held != STILE__NEVER;
}

static size_t groups_of(struct flows *flows, const struct stile__fires *fires,
                        struct group *groups)
{
    const struct stile_rules *rules = flows->rules;
    size_t count = 0, g;
    uint32_t word;

    for (word = 0; word < rules->data.count; word++) {
        struct group made = {.words = UINT64_C(1) << word};

        if (flows->query->data.len &&
            !stile_str_eq(rules->data.names[word], flows->query->data)) {
            continue;
        }
        stile__handling_make(flows->space, fires, word, STILE__NONE,
                             &made.handling);
        if (!narrow(flows, &made.handling, &made.linked)) {
            continue;
        }
        for (g = 0; g < count; g++) {
            if (groups[g].linked == made.linked &&
                same_handling(flows->space, &groups[g].handling,
                              &made.handling)) {
                groups[g].words |= made.words;
                break;
            }
        }
        if (g == count) {
            groups[count++] = made;
        }
    }
    return count;
}

/* ---- telling
 * ------------------------------------------------------------------------- */

static void put_words(struct flows *flows, struct stile_value *object,
                      const char *name, const struct stile__words *words,
                      uint64_t mask)
{
    struct stile_value *list = stile__put_list(flows->space, object, name);
    size_t i;

    for (i = 0; i < words->count; i++) {
        if (mask >> i & 1) {
            stile__push_text(flows->space, list, words->names[i]);
        }
    }
}

static bool earlier(struct stile_date a, struct stile_date b)
{
    return a.year && (!b.year || stile_date_days(a) < stile_date_days(b));
}

static struct stile_date last_day(const struct stile_rules *rules,
                                  const struct stile__rule *share)
{
    const struct stile__agreement *agreement =
        &rules->agreements[share->agreement];
    struct stile_date last = agreement->expires;

    last =
        earlier(agreement->dpia_expires, last) ? agreement->dpia_expires : last;
    last =
        earlier(agreement->dspt_expires, last) ? agreement->dspt_expires : last;
    return earlier(share->expires, last) ? share->expires : last;
}

static void put_share(struct flows *flows, const struct stile__rule *share,
                      struct stile_value *list)
{
    struct stile_value *object = stile_value_push(
        list, stile_value_new(flows->space->arena, STILE_OBJECT));
    struct stile_value *needs;
    size_t i;

    stile__put_text(flows->space, object, "rule", share->id);
    stile__put_date(flows->space, object, "until",
                    last_day(flows->rules, share));
    needs = stile__put_list(flows->space, object, "needs");
    for (i = 0; i < share->need_count; i++) {
        struct stile_value *need = stile_value_push(
            needs, stile_value_new(flows->space->arena, STILE_OBJECT));
        put_words(flows, need, "any-of", &flows->rules->facts,
                  share->needs[i].any);
    }
    if (stile__glass_needed(flows->rules, share)) {
        struct stile_buf says;
        stile_buf_init(&says, 4096);
        stile__glass_say(flows->rules,
                         &flows->rules->agreements[share->agreement], &says);
        stile__put_text(
            flows->space, object, "break-glass",
            stile_arena_str(flows->space->arena, stile_buf_str(&says)));
        stile_buf_release(&says);
    }
}

static bool covers(const struct stile_rules *rules,
                   const struct stile__rule *rule, uint64_t words)
{
    uint32_t word;

    for (word = 0; word < rules->data.count; word++) {
        if ((words >> word & 1) &&
            (rule->kind == STILE__SHARE ? rule->data >> word & 1
                                        : stile__acts_on(rules, rule, word))) {
            return true;
        }
    }
    return false;
}

static void put_rules(struct flows *flows, const struct stile__fires *fires,
                      const struct group *group, struct stile_value *object)
{
    struct stile__space *space = flows->space;
    struct stile_value *shares = stile__put_list(space, object, "shares");
    struct stile_value *limits = stile__put_list(space, object, "limits");
    uint32_t any =
        stile__bdd_or(space->bdd, group->handling.shared, group->handling.goes);
    size_t i;

    for (i = 0; i < flows->rules->rule_count; i++) {
        const struct stile__rule *rule = &flows->rules->rules[i];
        uint32_t meet = stile__bdd_and(space->bdd, fires->rules[i], any);

        if (meet == STILE__NEVER || !covers(flows->rules, rule, group->words)) {
            continue;
        }
        if (rule->kind == STILE__SHARE) {
            put_share(flows, rule, shares);
        } else {
            stile__push_text(space, limits, rule->id);
        }
    }
}

static void put_duties(struct flows *flows, const struct group *group,
                       struct stile_value *object)
{
    struct stile__space *space = flows->space;
    struct stile_value *always = stile__put_list(space, object, "always");
    struct stile_value *sometimes = stile__put_list(space, object, "sometimes");
    size_t i;

    for (i = 0; i < space->duty_count; i++) {
        uint32_t duty = group->handling.duties[i];
        if (duty != STILE__NEVER) {
            stile__push_text(space,
                             duty == group->handling.goes ? always : sometimes,
                             space->duties[i]);
        }
    }
}

static void put_flow(struct flows *flows, const struct stile__route *route,
                     const struct stile__fires *fires,
                     const struct group *group)
{
    struct stile__space *space = flows->space;
    struct stile_value *object = stile_value_push(
        flows->list, stile_value_new(space->arena, STILE_OBJECT));
    bool goes = group->handling.goes != STILE__NEVER;

    stile__put_route(space, object, route);
    stile__put_text(space, object, "outcome",
                    goes ? STILE_STR("goes") : STILE_STR("held-for-person"));
    if (flows->label != STILE__NONE) {
        stile__put_text(space, object, "by",
                        group->linked ? STILE_STR("link") : STILE_STR("label"));
    }
    put_words(flows, object, "data", &flows->rules->data, group->words);
    put_rules(flows, fires, group, object);
    put_duties(flows, group, object);
    (void)stile_value_set(object, STILE_STR("example"),
                          stile__case_value(space, goes
                                                       ? group->handling.goes
                                                       : group->handling.held));
}

static bool asked(const struct stile_flow_query *query,
                  const struct stile__route *route)
{
    return !query->recipient.len ||
           stile_str_eq_nocase(query->recipient, route->recipient) ||
           stile_str_eq_nocase(query->recipient, route->recipient_name);
}

static enum stile_status run(struct flows *flows)
{
    struct stile__space *space = flows->space;
    struct stile__fires *fires =
        stile_arena_alloc(space->arena, sizeof(*fires));
    struct group *groups =
        stile_arena_array(space->arena, STILE__WORDS_MAX, sizeof(*groups));
    struct stile__route *routes = NULL;
    size_t count = 0, i, g;

    if (!fires || !groups ||
        stile__routes(space, &routes, &count) != STILE_OK) {
        return STILE_NOMEM;
    }
    for (i = 0; i < count; i++) {
        size_t group_count;

        if (!asked(flows->query, &routes[i])) {
            continue;
        }
        stile__fires_make(space, 0, &routes[i], flows->today, fires);
        group_count = groups_of(flows, fires, groups);
        for (g = 0; g < group_count && !stile__bdd_full(space->bdd); g++) {
            put_flow(flows, &routes[i], fires, &groups[g]);
        }
    }
    return stile__space_status(space);
}

enum stile_status stile_rules_flows(const struct stile_rules *rules,
                                    const struct stile_flow_query *query,
                                    struct stile_date today,
                                    struct stile_arena *arena,
                                    struct stile_value **ret)
{
    struct flows flows = {
        .rules = rules, .query = query, .today = today, .label = STILE__NONE};
    struct stile_value *report = stile_value_new(arena, STILE_OBJECT);
    enum stile_status status =
        stile__space_make(&rules, 1, arena, &flows.space);

    if (status != STILE_OK) {
        return status;
    }
    if (query->label.len) {
        flows.label = stile__word_find(&rules->labels, query->label);
    }
    if ((query->label.len && flows.label == STILE__NONE) ||
        (query->data.len &&
         stile__word_find(&rules->data, query->data) == STILE__NONE)) {
        return STILE_INVALID;
    }
    stile__put_date(flows.space, report, "on", today);
    flows.list = stile__put_list(flows.space, report, "flows");
    status = run(&flows);
    if (status == STILE_OK) {
        *ret = report;
    }
    return status;
}

/* ---- in plain words
 * ------------------------------------------------------------------------ */

static void add_list(struct stile_buf *out, const struct stile_value *list,
                     const char *between)
{
    const struct stile_value *item;

    for (item = list ? list->first : NULL; item; item = item->next) {
        stile_buf_add(out, item->text);
        stile_buf_addc(out, item->next ? between : "");
    }
}

void stile__say_case(const struct stile_value *example, struct stile_buf *out)
{
    const struct stile_value *patient = stile_value_getc(example, "patient");
    const struct stile_value *labels = stile_value_getc(example, "labels");
    const struct stile_value *fact;

    for (fact = patient ? patient->first : NULL; fact; fact = fact->next) {
        stile_buf_printf(out, "%.*s: %.*s, ", STILE_FMT(fact->name),
                         STILE_FMT(fact->text));
    }
    stile_buf_addc(out, patient && patient->first ? "every other fact no"
                                                  : "every fact no");
    if (labels && labels->first) {
        stile_buf_addc(out, ", labelled ");
        add_list(out, labels, " and ");
    }
}

static void say_shares(const struct stile_value *flow, struct stile_buf *out)
{
    const struct stile_value *share = stile_value_getc(flow, "shares")->first;
    const struct stile_value *need;

    for (; share; share = share->next) {
        stile_buf_printf(out, "  by %.*s until %.*s",
                         STILE_FMT(stile_value_text(share, "rule")),
                         STILE_FMT(stile_value_text(share, "until")));
        need = stile_value_getc(share, "needs")->first;
        stile_buf_addc(out, need ? "; it needs " : "; it needs nothing more");
        for (; need; need = need->next) {
            add_list(out, stile_value_getc(need, "any-of"), " or ");
            stile_buf_addc(out, need->next ? ", and " : "");
        }
        if (stile_value_text(share, "break-glass").len) {
            stile_buf_printf(out, "; the glass may be broken on %.*s",
                             STILE_FMT(stile_value_text(share, "break-glass")));
        }
        stile_buf_byte(out, '\n');
    }
}

static void say_line(struct stile_buf *out, const char *head,
                     const struct stile_value *list)
{
    if (list && list->first) {
        stile_buf_printf(out, "  %s: ", head);
        add_list(out, list, ", ");
        stile_buf_byte(out, '\n');
    }
}

/* The route stands once over all that goes along it. */
static bool same_head(const struct stile_value *a, const struct stile_value *b)
{
    static const char *const names[] = {"agreement", "purpose", "recipient",
                                        "outcome", "by"};
    size_t i;

    for (i = 0; a && i < sizeof(names) / sizeof(names[0]); i++) {
        if (!stile_str_eq(stile_value_text(a, names[i]),
                          stile_value_text(b, names[i]))) {
            return false;
        }
    }
    return a != NULL;
}

static void say_head(const struct stile_value *flow, struct stile_buf *out)
{
    bool held =
        stile_str_eqc(stile_value_text(flow, "outcome"), "held-for-person");
    bool linked = stile_str_eqc(stile_value_text(flow, "by"), "link");

    stile_buf_printf(out, "%.*s (%.*s), from %.*s (%.*s), for %.*s under %.*s",
                     STILE_FMT(stile_value_text(flow, "recipient-name")),
                     STILE_FMT(stile_value_text(flow, "recipient")),
                     STILE_FMT(stile_value_text(flow, "sender-name")),
                     STILE_FMT(stile_value_text(flow, "sender")),
                     STILE_FMT(stile_value_text(flow, "purpose")),
                     STILE_FMT(stile_value_text(flow, "agreement")));
    stile_buf_printf(out, "%s%s\n\n", held ? ", once a person has looked" : "",
                     linked ? ", of items linked to such only" : "");
}

static void say_flow(const struct stile_value *flow, struct stile_buf *out)
{
    if (!same_head(flow->prev, flow)) {
        say_head(flow, out);
    }
    say_line(out, "gets", stile_value_getc(flow, "data"));
    say_shares(flow, out);
    say_line(out, "always", stile_value_getc(flow, "always"));
    say_line(out, "sometimes", stile_value_getc(flow, "sometimes"));
    say_line(out, "may be kept back or changed by",
             stile_value_getc(flow, "limits"));
    stile_buf_addc(out, "  for example when ");
    stile__say_case(stile_value_getc(flow, "example"), out);
    stile_buf_addc(out, "\n\n");
}

void stile_rules_flows_print(const struct stile_value *report,
                             struct stile_buf *out)
{
    const struct stile_value *flow = stile_value_getc(report, "flows")->first;

    if (!flow) {
        stile_buf_printf(out,
                         "Nobody, on %.*s: no rule lets it go, in any "
                         "case.\n",
                         STILE_FMT(stile_value_text(report, "on")));
    }
    for (; flow; flow = flow->next) {
        say_flow(flow, out);
    }
}
