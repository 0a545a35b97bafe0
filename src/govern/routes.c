/* Where data may go, and the days on which that changes by itself. */
#include "space.h"

static bool same_route(const struct stile__route *a,
                       const struct stile__route *b)
{
    return stile_str_eq(a->agreement, b->agreement) &&
           stile_str_eq(a->sender, b->sender) &&
           stile_str_eq(a->recipient, b->recipient) &&
           stile_str_eq(a->recipient_kind, b->recipient_kind) &&
           stile_str_eq(a->purpose, b->purpose);
}

static void add_route(struct stile__route *routes, size_t *count,
                      const struct stile__route *route)
{
    size_t i;

    for (i = 0; i < *count; i++) {
        if (same_route(&routes[i], route)) {
            return;
        }
    }
    routes[(*count)++] = *route;
}

static int route_order(const void *a, const void *b)
{
    const struct stile__route *x = a;
    const struct stile__route *y = b;
    int order = stile_str_cmp(x->agreement, y->agreement);

    return order ? order : stile_str_cmp(x->purpose, y->purpose);
}

enum stile_status stile__routes(const struct stile__space *space,
                                struct stile__route **ret, size_t *ret_count)
{
    size_t most = 1, count = 0, s, i, p;
    struct stile__route *routes;

    for (s = 0; s < space->side_count; s++) {
        most += space->sides[s].rules->agreement_count * STILE__WORDS_MAX;
    }
    routes = stile_arena_array(space->arena, most, sizeof(*routes));
    if (!routes) {
        return STILE_NOMEM;
    }
    for (s = 0; s < space->side_count; s++) {
        const struct stile_rules *rules = space->sides[s].rules;

        for (i = 0; i < rules->agreement_count; i++) {
            const struct stile__agreement *agreement = &rules->agreements[i];
            struct stile__route route = {
                .agreement = agreement->id,
                .sender = agreement->sender,
                .recipient = agreement->recipient,
                .recipient_kind = rules->kinds.names[agreement->recipient_kind],
                .sender_name = agreement->sender_name,
                .recipient_name = agreement->recipient_name};

            for (p = 0; p < rules->purposes.count; p++) {
                route.purpose = rules->purposes.names[p];
                if (agreement->purposes >> p & 1) {
                    add_route(routes, &count, &route);
                }
            }
        }
    }
    qsort(routes, count, sizeof(*routes), route_order);
    *ret = routes;
    *ret_count = count;
    return STILE_OK;
}

struct days {
    int64_t *items;
    size_t count;
    int64_t today;
};

static void add_day(struct days *days, struct stile_date date, int64_t plus)
{
    int64_t day = date.year ? stile_date_days(date) + plus : days->today;
    size_t i;

    for (i = 0; i < days->count; i++) {
        if (days->items[i] == day) {
            return;
        }
    }
    if (day >= days->today) {
        days->items[days->count++] = day;
    }
}

static int day_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void add_days(struct days *days, const struct stile_rules *rules,
                     const struct stile__route *route)
{
    size_t i;

    for (i = 0; i < rules->agreement_count; i++) {
        const struct stile__agreement *agreement = &rules->agreements[i];
        if (stile_str_eq(agreement->id, route->agreement)) {
            add_day(days, agreement->from, 0);
            add_day(days, agreement->expires, 1);
            add_day(days, agreement->dpia_expires, 1);
            add_day(days, agreement->dspt_expires, 1);
        }
    }
    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];
        if (rule->kind == STILE__SHARE && rule->agreement != STILE__NONE &&
            stile_str_eq(rules->agreements[rule->agreement].id,
                         route->agreement)) {
            add_day(days, rule->from, 0);
            add_day(days, rule->expires, 1);
        }
    }
}

enum stile_status stile__days(const struct stile__space *space,
                              const struct stile__route *route,
                              struct stile_date today, struct stile_date **ret,
                              size_t *ret_count)
{
    struct days days = {.today = stile_date_days(today)};
    size_t most = 1, i;
    struct stile_date *dates;

    for (i = 0; i < space->side_count; i++) {
        most += 4 + space->sides[i].rules->rule_count * 2;
    }
    days.items = stile_arena_array(space->arena, most, sizeof(*days.items));
    dates = stile_arena_array(space->arena, most, sizeof(*dates));
    if (!days.items || !dates) {
        return STILE_NOMEM;
    }
    add_day(&days, today, 0);
    for (i = 0; i < space->side_count; i++) {
        add_days(&days, space->sides[i].rules, route);
    }
    qsort(days.items, days.count, sizeof(*days.items), day_order);
    for (i = 0; i < days.count; i++) {
        dates[i] = stile_date_from_days(days.items[i]);
    }
    *ret = dates;
    *ret_count = days.count;
    return STILE_OK;
}
