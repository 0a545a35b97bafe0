#include "property/govern_reference.h"
#include "property/seed.h"

/* Each is the first day of something or the day after its last. */
const struct stile_date ref_dates[REF_DATES] = {{2026, 6, 1}, {2026, 6, 16},
                                                {2026, 7, 1}, {2026, 9, 1},
                                                {2027, 1, 1}, {2027, 7, 1}};

/* ---- drawing
 * ------------------------------------------------------------------------- */

static unsigned some(uint64_t *seed, unsigned of)
{
    return (unsigned)seed_below(seed, of) + 1; /* never none */
}

static bool one_in(uint64_t *seed, unsigned n)
{
    return seed_below(seed, n) == 0;
}

static struct ref_action draw_action(uint64_t *seed)
{
    return (struct ref_action){(enum ref_do)seed_below(seed, 8),
                               some(seed, 15)};
}

static void draw_agreement(uint64_t *seed, struct ref_agreement *ret)
{
    *ret = (struct ref_agreement){
        .words = some(seed, (1u << REF_WORDS) - 1),
        .purposes = some(seed, 3),
        .from = one_in(seed, 4) ? 2 : 0,
        .until = one_in(seed, 3) ? 4 : 5,
        .dpia = one_in(seed, 4) ? 3 : -1,
        .dspt = one_in(seed, 4) ? 1 : -1,
        .acts = one_in(seed, 4),
        .action = draw_action(seed),
    };
}

static void draw_share(uint64_t *seed, const struct ref_set *set,
                       struct ref_rule *rule)
{
    const struct ref_agreement *agreement;

    rule->agreement = (unsigned)seed_below(seed, 2);
    agreement = &set->agreements[rule->agreement];
    rule->words = some(seed, (1u << REF_WORDS) - 1) & agreement->words;
    rule->words = rule->words ? rule->words : agreement->words;
    rule->purpose = agreement->purposes == 3   ? (unsigned)seed_below(seed, 2)
                    : agreement->purposes == 1 ? 0
                                               : 1;
    rule->needs[0] = one_in(seed, 3) ? 0 : some(seed, 7);
    rule->needs[1] = one_in(seed, 2) ? 0 : some(seed, 7);
    rule->from = one_in(seed, 6) ? 3 : -1;
    rule->until = one_in(seed, 6) ? 4 : -1;
}

static void draw_limit(uint64_t *seed, struct ref_rule *rule)
{
    rule->everything = one_in(seed, 3);
    rule->words = rule->everything ? 0 : some(seed, (1u << REF_WORDS) - 1);
    rule->labels = one_in(seed, 2) ? some(seed, 3) : 0;
    rule->reach = one_in(seed, 2);
    rule->when = one_in(seed, 2) ? some(seed, 7) : 0;
    rule->when_recipient = one_in(seed, 4) ? (int)seed_below(seed, 2) : -1;
    rule->when_sender = one_in(seed, 8) ? (int)seed_below(seed, 2) : -1;
    rule->when_purpose = one_in(seed, 4) ? (int)seed_below(seed, 2) : -1;
    rule->has_unless = one_in(seed, 3);
    rule->unless_facts = some(seed, 7);
    rule->unless_recipient = one_in(seed, 3) ? (int)seed_below(seed, 2) : -1;
    if (rule->kind == REF_GUARDRAIL && one_in(seed, 3)) {
        rule->words = 0;
        rule->everything = false;
        rule->labels = 0;
    }
}

static void draw_rule(uint64_t *seed, const struct ref_set *set, unsigned id,
                      struct ref_rule *ret)
{
    size_t i;

    *ret = (struct ref_rule){.id = id, .from = -1, .until = -1};
    ret->kind = one_in(seed, 2)   ? REF_SHARE
                : one_in(seed, 2) ? REF_WITHHOLD
                                  : REF_GUARDRAIL;
    if (ret->kind == REF_SHARE) {
        draw_share(seed, set, ret);
    } else {
        draw_limit(seed, ret);
    }
    ret->action_count = (size_t)seed_below(seed, 3);
    for (i = 0; i < ret->action_count; i++) {
        ret->actions[i] = draw_action(seed);
    }
}

void ref_draw(uint64_t *seed, struct ref_set *ret)
{
    size_t i;

    memset(ret, 0, sizeof(*ret));
    for (i = 0; i < 2; i++) {
        draw_agreement(seed, &ret->agreements[i]);
    }
    ret->rule_count = (size_t)some(seed, REF_RULES - 1);
    for (i = 0; i < ret->rule_count; i++) {
        draw_rule(seed, ret, (unsigned)i, &ret->rules[i]);
    }
}

void ref_mutate(uint64_t *seed, struct ref_set *set)
{
    size_t i = (size_t)seed_below(seed, set->rule_count);

    switch (seed_below(seed, 5)) {
    case 0:
        set->rules[i] = set->rules[--set->rule_count];
        break;
    case 1:
        draw_rule(seed, set, 90, &set->rules[set->rule_count++]);
        break;
    case 2:
        set->agreements[i % 2].until =
            set->agreements[i % 2].until == 4 ? 5 : 4;
        break;
    case 3:
        set->rules[i].action_count = 1;
        set->rules[i].actions[0] = draw_action(seed);
        break;
    default:
        draw_rule(seed, set, set->rules[i].id, &set->rules[i]);
        break;
    }
}

/* ---- deciding
 * ------------------------------------------------------------------------- */

/* The kind of the recipient is the number of the agreement; the sender's is
 * always 0. */
static bool share_fires(const struct ref_set *set, const struct ref_rule *rule,
                        const struct ref_case *made)
{
    const struct ref_agreement *agreement = &set->agreements[rule->agreement];
    int n, fact;

    if (rule->agreement != made->agreement || rule->purpose != made->purpose) {
        return false;
    }
    if (made->day < agreement->from || made->day >= agreement->until) {
        return false;
    }
    if (agreement->dpia >= 0 && made->day >= agreement->dpia) {
        return false;
    }
    if (agreement->dspt >= 0 && made->day >= agreement->dspt) {
        return false;
    }
    if (rule->from >= 0 && made->day < rule->from) {
        return false;
    }
    if (rule->until >= 0 && made->day >= rule->until) {
        return false;
    }
    for (n = 0; n < 2; n++) {
        bool met = rule->needs[n] == 0;
        for (fact = 0; fact < REF_FACTS; fact++) {
            if ((rule->needs[n] & (1u << fact)) &&
                made->facts[fact] == REF_YES) {
                met = true;
            }
        }
        if (!met) {
            return false;
        }
    }
    return true;
}

static bool excepted(const struct ref_rule *rule, const struct ref_case *made)
{
    int fact;

    if (!rule->has_unless) {
        return false;
    }
    if (rule->unless_recipient >= 0 &&
        rule->unless_recipient != (int)made->agreement) {
        return false;
    }
    for (fact = 0; fact < REF_FACTS; fact++) {
        if ((rule->unless_facts & (1u << fact)) &&
            made->facts[fact] != REF_YES) {
            return false;
        }
    }
    return true;
}

static bool limit_fires(const struct ref_rule *rule,
                        const struct ref_case *made)
{
    unsigned carried = made->own | (rule->reach ? made->related : 0);
    int fact;

    if (rule->when_recipient >= 0 &&
        rule->when_recipient != (int)made->agreement) {
        return false;
    }
    if (rule->when_sender > 0) {
        return false;
    }
    if (rule->when_purpose >= 0 && rule->when_purpose != (int)made->purpose) {
        return false;
    }
    for (fact = 0; fact < REF_FACTS; fact++) {
        if ((rule->when & (1u << fact)) && made->facts[fact] == REF_NO) {
            return false;
        }
    }
    if (rule->labels && !(rule->labels & carried)) {
        return false;
    }
    return !excepted(rule, made);
}

struct tally {
    bool shared, plainly, kept, waits, dropped, told;
    int level;
};

/* `looked`: a person has looked at whose action it is. */
static void do_action(const struct ref_action *action, unsigned word,
                      bool looked, struct tally *tally)
{
    bool here = (action->words & (1u << word)) != 0;
    int level = 0;

    switch (action->does) {
    case REF_ROUND:
        level = 1;
        break;
    case REF_PSEUDONYMISE:
        level = 2;
        break;
    case REF_MASK:
        level = 3;
        break;
    case REF_REMOVE:
        level = 4;
        break;
    case REF_DROP_TEXT:
        tally->dropped = true;
        break;
    case REF_HOLD_D3:
        if (word == 3 && !looked) {
            tally->waits = true;
        }
        break;
    case REF_TELL:
        tally->told = true;
        break;
    case REF_REVIEW:
        break;
    }
    if (here && level > tally->level) {
        tally->level = level;
    }
}

static bool reviews(const struct ref_rule *rule)
{
    size_t i;

    for (i = 0; i < rule->action_count; i++) {
        if (rule->actions[i].does == REF_REVIEW) {
            return true;
        }
    }
    return false;
}

static void apply_rule(const struct ref_set *set, size_t number,
                       const struct ref_case *made, unsigned word,
                       struct tally *tally)
{
    const struct ref_rule *rule = &set->rules[number];
    bool looked = (made->looked & (1u << number)) != 0;
    const struct ref_agreement *agreement = &set->agreements[rule->agreement];
    bool covers = (rule->words & (1u << word)) != 0;
    size_t i;

    if (rule->kind == REF_SHARE) {
        if (!covers || !share_fires(set, rule, made)) {
            return;
        }
        tally->shared = true;
        if (!reviews(rule) || looked) {
            tally->plainly = true;
        }
        if (agreement->acts) {
            do_action(&agreement->action, word, made->looked_agreement, tally);
            if (agreement->action.does == REF_REVIEW &&
                !made->looked_agreement) {
                tally->waits = true;
            }
        }
    } else {
        if (!limit_fires(rule, made)) {
            return;
        }
        if (rule->everything || covers) {
            if (reviews(rule)) {
                tally->waits = tally->waits || !looked;
            } else {
                tally->kept = true;
            }
        }
    }
    for (i = 0; i < rule->action_count; i++) {
        do_action(&rule->actions[i], word, looked, tally);
    }
}

struct ref_result ref_decide(const struct ref_set *set,
                             const struct ref_case *made, unsigned word)
{
    struct tally tally = {0};
    struct ref_result result = {0};
    struct ref_case aged = *made;
    size_t i;

    if (made->age == REF_UNDATED || made->age > REF_MAX_AGE) {
        aged.facts[0] = REF_UNKNOWN;
    }
    for (i = 0; i < set->rule_count; i++) {
        apply_rule(set, i, &aged, word, &tally);
    }
    if (tally.dropped && word == 4) {
        tally.level = 4;
    }
    if (!tally.shared || tally.kept || tally.level == 4) {
        result.outcome = REF_STAYS;
    } else if (tally.waits || !tally.plainly) {
        result.outcome = REF_WAITS;
    } else {
        result = (struct ref_result){REF_GOES, tally.level, tally.dropped,
                                     tally.told};
    }
    return result;
}

bool ref_shares(const struct ref_set *set, size_t rule,
                const struct ref_case *made, unsigned word)
{
    return set->rules[rule].kind == REF_SHARE &&
           (set->rules[rule].words & (1u << word)) &&
           share_fires(set, &set->rules[rule], made);
}

/* ---- as YAML
 * ------------------------------------------------------------------------- */

const char ref_vocabulary[] =
    "families: [f]\n"
    "code-systems: {demo: [https://stile.example/demo-codes]}\n"
    "purposes:\n"
    "  care: {means: care, care: yes}\n"
    "  plan: {means: planning, care: no}\n"
    "groups: {public: {means: public}, other: {means: other}}\n"
    "kinds:\n"
    "  hospital: {means: a hospital, is: [public]}\n"
    "  charity: {means: a charity, is: [other]}\n"
    "data:\n"
    "  d0: {means: d0, in: {Observation: [category]}}\n"
    "  d1: {means: d1, in: {Observation: [code]}}\n"
    "  d2: {means: d2, in: {Observation: [issued]}}\n"
    "  d3: {means: d3, in: {Observation: [method]}}\n"
    "  d4: {means: d4, free-text: yes, in: {Observation: [note]}}\n"
    "frame: {Observation: [status, subject, focus]}\n"
    "links-stop-at: [Patient]\n"
    "free-text: [note, text]\n"
    "obligations:\n"
    "  round: {means: round, does: round}\n"
    "  pseudonymise: {means: pseudonymise, does: pseudonymise}\n"
    "  mask: {means: mask, does: mask}\n"
    "  remove: {means: remove, does: remove}\n"
    "  drop-text: {means: drop, does: drop-free-text}\n"
    "  review: {means: review, does: hold}\n"
    "  hold-d3: {means: hold, does: hold, data: [d3]}\n"
    "  tell: {means: tell, does: notify, whom: officer}\n"
    "facts:\n"
    "  a: {about: person, means: a, missing: no a, from: store, max-age: 5}\n"
    "  b: {about: person, means: b, missing: no b, from: store}\n"
    "  p: {about: person-and-recipient, means: p, missing: no p, from: store}\n"
    "labels:\n"
    "  x: {means: x, security: [X]}\n"
    "  y: {means: y, security: [Y]}\n";

static const char *const fact_names[] = {"a", "b", "p"};
static const char *const label_names[] = {"x", "y"};
static const char *const purpose_names[] = {"care", "plan"};
static const char *const kind_names[] = {"hospital", "charity"};
/* Groups of one kind each: both ways of writing it are used. */
static const char *const group_names[] = {"public", "other"};
static const char *const do_names[] = {"round",   "pseudonymise", "mask",
                                       "remove",  "drop-text",    "review",
                                       "hold-d3", "tell"};

static void list(struct stile_buf *out, const char *const *names, size_t count,
                 unsigned mask)
{
    const char *before = "[";
    size_t i;

    for (i = 0; i < count; i++) {
        if (mask & (1u << i)) {
            stile_buf_printf(out, "%s%s", before, names[i]);
            before = ", ";
        }
    }
    stile_buf_byte(out, ']');
}

static void words(struct stile_buf *out, unsigned mask)
{
    static const char *const names[] = {"d0", "d1", "d2", "d3", "d4"};

    list(out, names, REF_WORDS, mask);
}

/* The date so many days on: a last day is the day before. */
static void date(struct stile_buf *out, const char *key, int index, int plus)
{
    struct stile_date day;

    if (index >= 0) {
        day = stile_date_from_days(stile_date_days(ref_dates[index]) + plus);
        stile_buf_printf(out, "%s%04d-%02d-%02d", key, (int)day.year,
                         (int)day.month, (int)day.day);
    }
}

static void actions(struct stile_buf *out, const struct ref_action *items,
                    size_t count)
{
    size_t i;

    stile_buf_addc(out, "  then: [");
    for (i = 0; i < count; i++) {
        stile_buf_addc(out, i ? ", " : "");
        if (items[i].does <= REF_REMOVE) {
            stile_buf_printf(out, "{%s: ", do_names[items[i].does]);
            words(out, items[i].words & 15);
            stile_buf_byte(out, '}');
        } else {
            stile_buf_addc(out, do_names[items[i].does]);
        }
    }
    stile_buf_addc(out, "]\n");
}

void ref_agreements_yaml(const struct ref_set *set, struct stile_buf *out)
{
    unsigned i;

    for (i = 0; i < 2; i++) {
        const struct ref_agreement *agreement = &set->agreements[i];

        stile_buf_printf(out,
                         "- agreement: A%u\n  title: t\n  between:\n"
                         "    - {ods: S, as: sender, kind: hospital, name: S}\n"
                         "    - {ods: R%u, as: recipient, kind: %s, name: R%u",
                         i, i, kind_names[i], i);
        date(out, ", dspt-expires: ", agreement->dspt, -1);
        stile_buf_addc(out, "}\n  for: ");
        list(out, purpose_names, 2, agreement->purposes);
        stile_buf_addc(out, "\n  data: ");
        words(out, agreement->words);
        stile_buf_addc(out, "\n  basis: {sender: {article6: 6-1-e}, recipient: "
                            "{article6: 6-1-e}}\n  papers: {dpia: D, ropa: R");
        date(out, ", dpia-expires: ", agreement->dpia, -1);
        stile_buf_addc(out, "}\n  public-reason: r\n");
        date(out, "  from: ", agreement->from, 0);
        date(out, "\n  review: ", agreement->from, 0);
        date(out, "\n  expires: ", agreement->until, -1);
        stile_buf_addc(
            out, "\n  approved-by: [{role: r, key: k, on: 2026-01-01}]\n");
        actions(out, &agreement->action, agreement->acts ? 1 : 0);
    }
}

static void share_yaml(const struct ref_rule *rule, struct stile_buf *out)
{
    size_t n;

    stile_buf_printf(out, "  under: A%u\n  for: %s\n  data: ", rule->agreement,
                     purpose_names[rule->purpose]);
    words(out, rule->words);
    stile_buf_addc(out, "\n  needs: [");
    for (n = 0; n < 2; n++) {
        if (rule->needs[n]) {
            stile_buf_addc(out,
                           n && rule->needs[0] ? ", {any-of: " : "{any-of: ");
            list(out, fact_names, REF_FACTS, rule->needs[n]);
            stile_buf_byte(out, '}');
        }
    }
    stile_buf_addc(out, "]\n");
    if (rule->from >= 0) {
        date(out, "  from: ", rule->from, 0);
        stile_buf_byte(out, '\n');
    }
    if (rule->until >= 0) {
        date(out, "  expires: ", rule->until, -1);
        stile_buf_byte(out, '\n');
    }
}

static void data_yaml(const struct ref_rule *rule, struct stile_buf *out)
{
    if (!rule->everything && !rule->words) {
        return;
    }
    stile_buf_addc(out, "  data: ");
    if (rule->labels) {
        stile_buf_addc(out, "{labelled: ");
        list(out, label_names, REF_LABELS, rule->labels);
        stile_buf_addc(out, rule->everything ? "" : ", of: ");
    } else if (rule->everything) {
        stile_buf_addc(out, "everything");
    }
    if (!rule->everything) {
        words(out, rule->words);
    }
    stile_buf_addc(out, rule->labels ? "}\n" : "\n");
}

static void limit_yaml(const struct ref_rule *rule, struct stile_buf *out)
{
    data_yaml(rule, out);
    stile_buf_printf(out, "  reach: %s\n",
                     rule->reach ? "linked-items" : "item");
    stile_buf_addc(out, "  when: {");
    if (rule->when) {
        stile_buf_addc(out, "patient: ");
        list(out, fact_names, REF_FACTS, rule->when);
    }
    if (rule->when_recipient >= 0) {
        stile_buf_printf(out, "%srecipient-is: %s", rule->when ? ", " : "",
                         rule->id % 2 ? group_names[rule->when_recipient]
                                      : kind_names[rule->when_recipient]);
    }
    if (rule->when_sender >= 0) {
        stile_buf_printf(out, "%ssender-is: %s",
                         rule->when || rule->when_recipient >= 0 ? ", " : "",
                         kind_names[rule->when_sender]);
    }
    if (rule->when_purpose >= 0) {
        stile_buf_printf(out, "%sfor: %s",
                         rule->when || rule->when_recipient >= 0 ||
                                 rule->when_sender >= 0
                             ? ", "
                             : "",
                         purpose_names[rule->when_purpose]);
    }
    stile_buf_addc(out, "}\n");
    if (rule->has_unless) {
        unsigned fact;

        stile_buf_addc(out, "  unless: [{");
        for (fact = 0; fact < REF_FACTS; fact++) {
            if (rule->unless_facts & (1u << fact)) {
                stile_buf_printf(out, "%s%s: yes",
                                 rule->unless_facts & ((1u << fact) - 1) ? ", "
                                                                         : "",
                                 fact_names[fact]);
            }
        }
        if (rule->unless_recipient >= 0) {
            stile_buf_printf(out, ", recipient-is: %s",
                             kind_names[rule->unless_recipient]);
        }
        stile_buf_addc(out, "}]\n");
    }
}

void ref_rules_yaml(const struct ref_set *set, bool guardrails,
                    struct stile_buf *out)
{
    static const char *const kinds[] = {"share", "withhold", "guardrail"};
    size_t i;

    for (i = 0; i < set->rule_count; i++) {
        const struct ref_rule *rule = &set->rules[i];

        if ((rule->kind == REF_GUARDRAIL) != guardrails) {
            continue;
        }
        stile_buf_printf(out, "- rule: U%u\n  kind: %s\n  says: s\n", rule->id,
                         kinds[rule->kind]);
        if (rule->kind == REF_SHARE) {
            share_yaml(rule, out);
        } else {
            limit_yaml(rule, out);
        }
        actions(out, rule->actions, rule->action_count);
    }
    if (!out->len) {
        stile_buf_addc(out, "[]\n");
    }
}
