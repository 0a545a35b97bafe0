/* What runs out when, and what stops then. */
#include "private.h"

struct entry {
    int64_t day;
    const char *what;
    const struct stile__agreement *agreement;
    const struct stile__rule *rule; /* NULL: of the agreement */
    bool stops;
};

struct calendar {
    const struct stile_rules *rules;
    struct stile_arena *arena;
    int64_t today, last;
    struct entry *entries;
    size_t count;
};

static void add(struct calendar *calendar, struct stile_date date,
                const char *what, bool stops,
                const struct stile__agreement *agreement,
                const struct stile__rule *rule)
{
    int64_t day = stile_date_days(date);

    if (date.year && day <= calendar->last) {
        calendar->entries[calendar->count++] =
            (struct entry){day, what, agreement, rule, stops};
    }
}

static int by_day(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    if (x->day != y->day) {
        return x->day < y->day ? -1 : 1;
    }
    return stile_str_cmp(x->agreement->id, y->agreement->id);
}

static void gather(struct calendar *calendar)
{
    const struct stile_rules *rules = calendar->rules;
    size_t i;

    for (i = 0; i < rules->agreement_count; i++) {
        const struct stile__agreement *a = &rules->agreements[i];
        add(calendar, a->review, "review of the agreement is due", false, a,
            NULL);
        add(calendar, a->expires, "last day of the agreement", true, a, NULL);
        add(calendar, a->dpia_expires,
            "last day of the impact assessment's (DPIA) approval", true, a,
            NULL);
        add(calendar, a->dspt_expires,
            "last day of the recipient's data security assurance (DSPT)", true,
            a, NULL);
    }
    for (i = 0; i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];
        if (rule->kind == STILE__SHARE && rule->agreement != STILE__NONE) {
            add(calendar, rule->expires, "last day of the rule", true,
                &rules->agreements[rule->agreement], rule);
        }
    }
    qsort(calendar->entries, calendar->count, sizeof(*calendar->entries),
          by_day);
}

static void put(struct calendar *calendar, struct stile_value *object,
                const char *name, struct stile_str text)
{
    (void)stile_value_set_str(calendar->arena, object, name, text);
}

static void put_number(struct calendar *calendar, struct stile_value *object,
                       const char *name, int64_t number)
{
    (void)stile_value_set(
        object, stile_str_cstr(name),
        stile_value_number(
            calendar->arena,
            stile_arena_printf(calendar->arena, "%lld", (long long)number)));
}

static struct stile_str date_text(struct calendar *calendar, int64_t day)
{
    struct stile_date date = stile_date_from_days(day);

    return stile_arena_printf(calendar->arena, "%04d-%02d-%02d", (int)date.year,
                              (int)date.month, (int)date.day);
}

static void put_stops(struct calendar *calendar, const struct entry *entry,
                      struct stile_value *object)
{
    const struct stile_rules *rules = calendar->rules;
    struct stile_value *list =
        stile_value_set_new(calendar->arena, object, "stops", STILE_ARRAY);
    size_t i;

    for (i = 0; entry->stops && i < rules->rule_count; i++) {
        const struct stile__rule *rule = &rules->rules[i];
        if (rule->kind == STILE__SHARE && rule->agreement != STILE__NONE &&
            &rules->agreements[rule->agreement] == entry->agreement &&
            (!entry->rule || entry->rule == rule)) {
            (void)stile_value_push(
                list, stile_value_string(calendar->arena, rule->id));
        }
    }
}

/* Facts with an age limit that some rule asks. Whose word runs out when is
 * told by 'stile facts': the rules hold no persons. */
static void put_ages(struct calendar *calendar, struct stile_value *report)
{
    const struct stile_rules *rules = calendar->rules;
    struct stile_value *list =
        stile_value_set_new(calendar->arena, report, "ages", STILE_ARRAY);
    size_t fact, i;

    for (fact = 0; fact < rules->facts.count; fact++) {
        struct stile_value *object, *asked;

        if (!rules->fact_defs[fact].max_age) {
            continue;
        }
        object = stile_value_push(
            list, stile_value_new(calendar->arena, STILE_OBJECT));
        put(calendar, object, "fact", rules->facts.names[fact]);
        put_number(calendar, object, "days", rules->fact_defs[fact].max_age);
        asked = stile_value_set_new(calendar->arena, object, "asked-by",
                                    STILE_ARRAY);
        for (i = 0; i < rules->rule_count; i++) {
            if (stile__rule_facts(&rules->rules[i]) >> fact & 1) {
                (void)stile_value_push(
                    asked,
                    stile_value_string(calendar->arena, rules->rules[i].id));
            }
        }
    }
}

enum stile_status stile_rules_calendar(const struct stile_rules *rules,
                                       struct stile_date today, unsigned days,
                                       struct stile_arena *arena,
                                       struct stile_value **ret)
{
    struct calendar calendar = {.rules = rules,
                                .arena = arena,
                                .today = stile_date_days(today),
                                .last = stile_date_days(today) + days};
    struct stile_value *report = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *list;
    size_t i;

    calendar.entries =
        stile_arena_array(arena, rules->agreement_count * 4 + rules->rule_count,
                          sizeof(*calendar.entries));
    if (!calendar.entries || !report) {
        return STILE_NOMEM;
    }
    gather(&calendar);
    put(&calendar, report, "today", date_text(&calendar, calendar.today));
    put_number(&calendar, report, "days", days);
    list = stile_value_set_new(arena, report, "dates", STILE_ARRAY);
    for (i = 0; i < calendar.count; i++) {
        const struct entry *entry = &calendar.entries[i];
        struct stile_value *object =
            stile_value_push(list, stile_value_new(arena, STILE_OBJECT));

        put(&calendar, object, "date", date_text(&calendar, entry->day));
        put_number(&calendar, object, "in-days", entry->day - calendar.today);
        put(&calendar, object, "what", stile_str_cstr(entry->what));
        put(&calendar, object, "agreement", entry->agreement->id);
        put(&calendar, object, "recipient", entry->agreement->recipient);
        put(&calendar, object, "recipient-name",
            entry->agreement->recipient_name);
        put_stops(&calendar, entry, object);
    }
    put_ages(&calendar, report);
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = report;
    return STILE_OK;
}

static const char *head_of(int64_t in_days)
{
    return in_days < 0     ? "Past"
           : in_days <= 30 ? "Within 30 days"
           : in_days <= 60 ? "Within 60 days"
           : in_days <= 90 ? "Within 90 days"
                           : "Later";
}

static void say_date(const struct stile_value *date, int64_t in_days,
                     struct stile_buf *out)
{
    const struct stile_value *rule = stile_value_getc(date, "stops")->first;

    stile_buf_printf(out, "  %.*s  %.*s (%.*s): %.*s",
                     STILE_FMT(stile_value_text(date, "date")),
                     STILE_FMT(stile_value_text(date, "agreement")),
                     STILE_FMT(stile_value_text(date, "recipient-name")),
                     STILE_FMT(stile_value_text(date, "what")));
    stile_buf_addc(out, !rule         ? ""
                        : in_days < 0 ? "; stopped: "
                                      : "; then stops: ");
    for (; rule; rule = rule->next) {
        stile_buf_printf(out, "%.*s%s", STILE_FMT(rule->text),
                         rule->next ? ", " : "");
    }
    stile_buf_byte(out, '\n');
}

static void say_ages(const struct stile_value *age, struct stile_buf *out)
{
    const struct stile_value *rule;

    if (age) {
        stile_buf_addc(out, "Words that count for a time only\n");
    }
    for (; age; age = age->next) {
        stile_buf_printf(out,
                         "  %.*s: %.*s days from its date, then it is not "
                         "known; asked by: ",
                         STILE_FMT(stile_value_text(age, "fact")),
                         STILE_FMT(stile_value_text(age, "days")));
        rule = stile_value_getc(age, "asked-by")->first;
        stile_buf_addc(out, rule ? "" : "no rule");
        for (; rule; rule = rule->next) {
            stile_buf_printf(out, "%.*s%s", STILE_FMT(rule->text),
                             rule->next ? ", " : "");
        }
        stile_buf_byte(out, '\n');
    }
}

void stile_rules_calendar_print(const struct stile_value *report,
                                struct stile_buf *out)
{
    const struct stile_value *date = stile_value_getc(report, "dates")->first;
    const char *head = NULL;

    if (!date) {
        stile_buf_printf(out, "Nothing runs out in %.*s days from %.*s.\n",
                         STILE_FMT(stile_value_text(report, "days")),
                         STILE_FMT(stile_value_text(report, "today")));
    }
    for (; date; date = date->next) {
        int64_t in_days = 0;

        (void)!stile_str_to_int64(stile_value_text(date, "in-days"), &in_days);
        if (head != head_of(in_days)) {
            head = head_of(in_days);
            stile_buf_printf(out, "%s\n", head);
        }
        say_date(date, in_days, out);
    }
    say_ages(stile_value_getc(report, "ages")->first, out);
}
