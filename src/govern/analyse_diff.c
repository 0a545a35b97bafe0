/* What a change of the rules changes. */
#include "space.h"

#define BOXES_MAX 32u
#define SETS 2u

enum kind {
    RELEASED, /* went nowhere, now goes */
    UNHELD,   /* waited for a person, now goes */
    OFFERED,  /* went nowhere, now a person may let it go */
    LOOSER,   /* a duty is done no more */
    STRICTER,
    HELD, /* went, now waits for a person */
    WITHHELD
};

static const char *const kind_texts[] = {
    "newly-released", "no-longer-held", "newly-held-instead-of-withheld",
    "looser",         "stricter",       "newly-held-instead-of-sent",
    "newly-withheld"};

static bool widens(enum kind kind)
{
    return kind <= LOOSER;
}

struct change {
    enum kind kind;
    uint32_t duty, function;
    uint64_t words[2];             /* of the space's data names */
    struct stile_date from, until; /* year 0: for good */
};

struct diff {
    struct stile__space *space;
    struct stile__route *routes;
    struct stile__fires *fires[SETS];
    uint32_t word_at[SETS][STILE__NAMES_MAX];
    struct stile__handling handling[SETS];
    struct change *changes; /* of the route under way */
    size_t count, capacity;
    size_t day_first; /* where the changes of this stretch of days begin */
    struct stile_date today;
    struct stile_value *list;
    bool wider, narrower;
};

/* ---- comparing
 * -------------------------------------------------------------------------- */

static void note(struct diff *diff, enum kind kind, uint32_t duty,
                 uint32_t function, size_t word)
{
    struct change *change;
    size_t i;

    if (function == STILE__NEVER || stile__bdd_full(diff->space->bdd)) {
        return;
    }
    for (i = diff->day_first; i < diff->count; i++) {
        change = &diff->changes[i];
        if (change->kind == kind && change->duty == duty &&
            change->function == function) {
            change->words[word / 64] |= UINT64_C(1) << (word % 64);
            return;
        }
    }
    if (diff->count == diff->capacity) {
        size_t capacity = diff->capacity ? diff->capacity * 2 : 64;
        struct change *changes =
            stile_arena_array(diff->space->arena, capacity, sizeof(*changes));
        if (!changes) {
            return;
        }
        if (diff->count) {
            memcpy(changes, diff->changes, diff->count * sizeof(*changes));
        }
        diff->changes = changes;
        diff->capacity = capacity;
    }
    change = &diff->changes[diff->count++];
    *change = (struct change){.kind = kind, .duty = duty, .function = function};
    change->words[word / 64] |= UINT64_C(1) << (word % 64);
}

static void compare_word(struct diff *diff, size_t word)
{
    struct stile__bdd *bdd = diff->space->bdd;
    const struct stile__handling *old = &diff->handling[0];
    const struct stile__handling *new = &diff->handling[1];
    uint32_t out = stile__bdd_or(bdd, old->goes, old->held);
    uint32_t now = stile__bdd_or(bdd, new->goes, new->held);
    uint32_t both = stile__bdd_and(bdd, old->goes, new->goes);
    uint32_t i;

    note(diff, RELEASED, 0, stile__bdd_less(bdd, new->goes, out), word);
    note(diff, UNHELD, 0, stile__bdd_and(bdd, new->goes, old->held), word);
    note(diff, OFFERED, 0, stile__bdd_less(bdd, new->held, out), word);
    note(diff, HELD, 0, stile__bdd_and(bdd, new->held, old->goes), word);
    note(diff, WITHHELD, 0, stile__bdd_less(bdd, out, now), word);
    for (i = 0; i < diff->space->duty_count && both != STILE__NEVER; i++) {
        note(diff, LOOSER, i,
             stile__bdd_and(
                 bdd, both,
                 stile__bdd_less(bdd, old->duties[i], new->duties[i])),
             word);
        note(diff, STRICTER, i,
             stile__bdd_and(
                 bdd, both,
                 stile__bdd_less(bdd, new->duties[i], old->duties[i])),
             word);
    }
}

static void compare_day(struct diff *diff, const struct stile__route *route,
                        struct stile_date day)
{
    size_t word, s;

    for (s = 0; s < SETS; s++) {
        stile__fires_make(diff->space, s, route, day, diff->fires[s]);
    }
    for (word = 0; word < diff->space->data.count; word++) {
        for (s = 0; s < SETS; s++) {
            uint32_t at = diff->word_at[s][word];

            memset(&diff->handling[s], 0, sizeof(diff->handling[s]));
            if (at != STILE__NONE) {
                stile__handling_make(diff->space, diff->fires[s], at,
                                     STILE__NONE, &diff->handling[s]);
            }
        }
        compare_word(diff, word);
    }
}

/* ---- telling
 * -------------------------------------------------------------------------- */

/* Whether all that `a` says, `b` says too, but for the sentence that nothing
 * hangs on. */
static bool says_all(struct stile_arena *arena, const struct stile_node *a,
                     const struct stile_node *b)
{
    const struct stile_node *mine, *other;

    for (mine = a->first; mine; mine = mine->next) {
        for (other = b->first; other && !stile_str_eq(other->key, mine->key);
             other = other->next) {
        }
        if (!stile_str_eqc(mine->key, "says") &&
            (!other || !stile_str_eq(stile__canon_node(arena, mine),
                                     stile__canon_node(arena, other)))) {
            return false;
        }
    }
    return true;
}

/* By its own words: that it acts elsewhere now, because an agreement was added
 * or ended, is no change of the rule. Where words have other meanings it is
 * what it does that counts. */
static bool same_rule(const struct diff *diff, size_t i, size_t j)
{
    const struct stile_rules *a = diff->space->sides[0].rules;
    const struct stile_rules *b = diff->space->sides[1].rules;
    const struct stile_node *x = a->rules[i].node, *y = b->rules[j].node;

    return says_all(diff->space->arena, x, y) &&
           says_all(diff->space->arena, y, x) &&
           (stile_digest_eq(&a->vocabulary, &b->vocabulary) ||
            diff->fires[0]->rules[i] == diff->fires[1]->rules[j]);
}

static size_t rule_at(const struct stile_rules *rules, struct stile_str id)
{
    size_t i;

    for (i = 0; i < rules->rule_count; i++) {
        if (stile_str_eq(rules->rules[i].id, id)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Rules that are not the same on both sides and have a say in the change. */
static void put_rules(struct diff *diff, const struct change *change,
                      struct stile_value *object)
{
    static const char *const words[] = {"removed", "added", "changed"};
    struct stile__space *space = diff->space;
    struct stile_value *list = stile__put_list(space, object, "rules");
    size_t s, i;

    for (s = 0; s < SETS; s++) {
        const struct stile_rules *mine = space->sides[s].rules;
        const struct stile_rules *other = space->sides[1 - s].rules;

        for (i = 0; i < mine->rule_count; i++) {
            struct stile_str id = mine->rules[i].id;
            size_t j = rule_at(other, id);
            uint32_t either = diff->fires[s]->rules[i];

            if (j != SIZE_MAX && (s == 1 || same_rule(diff, i, j))) {
                continue;
            }
            if (j != SIZE_MAX) {
                either =
                    stile__bdd_or(space->bdd, either, diff->fires[1]->rules[j]);
            }
            if (stile__bdd_and(space->bdd, either, change->function) !=
                STILE__NEVER) {
                stile__push_text(
                    space, list,
                    stile_arena_printf(space->arena, "%.*s %s", STILE_FMT(id),
                                       words[j == SIZE_MAX ? s : 2]));
            }
        }
    }
}

static void put_change(struct diff *diff, const struct stile__route *route,
                       const struct change *change)
{
    struct stile__space *space = diff->space;
    struct stile_value *object = stile_value_push(
        diff->list, stile_value_new(space->arena, STILE_OBJECT));
    struct stile_value *data;
    size_t i, s, more = 0;

    stile__put_text(space, object, "change",
                    stile_str_cstr(kind_texts[change->kind]));
    stile__put_text(space, object, "class",
                    widens(change->kind) ? STILE_STR("wider")
                                         : STILE_STR("narrower"));
    stile__put_route(space, object, route);
    stile__put_date(space, object, "from", change->from);
    if (change->until.year) {
        stile__put_date(space, object, "until", change->until);
    }
    if (change->kind == LOOSER || change->kind == STRICTER) {
        stile__put_text(space, object, "duty", space->duties[change->duty]);
    }
    data = stile__put_list(space, object, "data");
    for (i = 0; i < space->data.count; i++) {
        if (change->words[i / 64] >> (i % 64) & 1) {
            stile__push_text(space, data, space->data.items[i]);
        }
    }
    for (s = 0; s < SETS; s++) {
        stile__fires_make(space, s, route, change->from, diff->fires[s]);
    }
    put_rules(diff, change, object);
    (void)stile_value_set(
        object, STILE_STR("when"),
        stile__box_values(space, change->function, BOXES_MAX, &more));
    (void)stile_value_set(object, STILE_STR("more"),
                          stile_value_bool(space->arena, more > 0));
    stile__put_count(space, object, "further", more);
    (void)stile_value_set(object, STILE_STR("labels"),
                          stile__label_values(space, change->function));
    (void)stile_value_set(object, STILE_STR("example"),
                          stile__case_value(space, change->function));
    diff->wider = diff->wider || widens(change->kind);
    diff->narrower = diff->narrower || !widens(change->kind);
}

/* ---- a route, over all days to come
 * -------------------------------------------------------------------------- */

/* The day before. */
static struct stile_date day_before(struct stile_date date)
{
    return stile_date_from_days(stile_date_days(date) - 1);
}

static bool goes_on(const struct change *old, const struct change *new)
{
    return old->kind == new->kind && old->duty == new->duty &&
           old->function ==
               new->function &&memcmp(old->words, new->words,
                                      sizeof(old->words)) == 0;
}

/* What holds on in the next stretch of days is one change and not two. */
static void join_days(struct diff *diff, size_t before, size_t first,
                      struct stile_date day)
{
    size_t kept = first, i, k;

    for (i = before; i < first; i++) {
        diff->changes[i].until = day_before(day);
    }
    for (i = first; i < diff->count; i++) {
        struct change change = diff->changes[i];

        change.from = day;
        for (k = before; k < first; k++) {
            if (goes_on(&diff->changes[k], &change)) {
                change.from = diff->changes[k].from;
                diff->changes[k].words[0] = 0;
                diff->changes[k].words[1] = 0;
            }
        }
        diff->changes[kept++] = change;
    }
    diff->count = kept;
}

static enum stile_status diff_route(struct diff *diff,
                                    const struct stile__route *route)
{
    struct stile_date *days = NULL;
    size_t count = 0, before = 0, i;
    enum stile_status status =
        stile__days(diff->space, route, diff->today, &days, &count);

    diff->count = 0;
    for (i = 0; status == STILE_OK && i < count; i++) {
        size_t first = diff->count;

        diff->day_first = first;
        compare_day(diff, route, days[i]);
        join_days(diff, before, first, days[i]);
        before = first;
        status = stile__space_status(diff->space);
    }
    for (i = 0; status == STILE_OK && i < diff->count; i++) {
        if (diff->changes[i].words[0] || diff->changes[i].words[1]) {
            put_change(diff, route, &diff->changes[i]);
        }
    }
    return status;
}

/* ---- code lists and the vocabulary
 * -------------------------------------------------------------------------- */

struct codes {
    const struct stile_rules *rules;
    const struct stile__code *items;
    size_t count;
    const struct stile__words *targets;
};

static bool has_code(const struct codes *in, const struct codes *from,
                     const struct stile__code *code)
{
    size_t i;

    for (i = 0; i < in->count; i++) {
        const struct stile__code *other = &in->items[i];
        if (stile_str_eq(other->code, code->code) &&
            other->prefix == code->prefix && other->value == code->value &&
            stile_str_eq(other->recipient, code->recipient) &&
            stile_str_eq(in->rules->code_systems.names[other->system],
                         from->rules->code_systems.names[code->system]) &&
            stile_str_eq(in->targets->names[other->target],
                         from->targets->names[code->target])) {
            return true;
        }
    }
    return false;
}

static size_t missing(const struct codes *in, const struct codes *from)
{
    size_t count = 0, i;

    for (i = 0; i < from->count; i++) {
        count += !has_code(in, from, &from->items[i]);
    }
    return count;
}

static struct stile_value *
put_meaning(struct diff *diff, struct stile_value *list, const char *what,
            size_t added, size_t removed, bool wider, bool narrower)
{
    struct stile_value *object;

    if (!wider && !narrower) {
        return NULL;
    }
    object = stile_value_push(
        list, stile_value_new(diff->space->arena, STILE_OBJECT));
    stile__put_text(diff->space, object, "what", stile_str_cstr(what));
    stile__put_count(diff->space, object, "added", added);
    stile__put_count(diff->space, object, "removed", removed);
    stile__put_text(
        diff->space, object, "class",
        stile_str_cstr(wider ? narrower ? "mixed" : "wider" : "narrower"));
    diff->wider = diff->wider || wider;
    diff->narrower = diff->narrower || narrower;
    return object;
}

/* Who may break the glass, why and for how long is no fact of a case: it is
 * compared as it stands. */
static void diff_glass(struct diff *diff, const struct stile__agreement *old,
                       const struct stile__agreement *new,
                       struct stile_value *list)
{
    const struct stile_rules *rules[SETS] = {diff->space->sides[0].rules,
                                             diff->space->sides[1].rules};
    bool wider = new->glass_hours > (old ? old->glass_hours : 0);
    bool narrower = old && new->glass_hours < old->glass_hours;
    size_t added = 0, removed = 0, i;

    for (i = 0; i < rules[1]->reasons.count; i++) {
        uint32_t at =
            stile__word_find(&rules[0]->reasons, rules[1]->reasons.names[i]);
        bool had = old && at != STILE__NONE && (old->glass_reasons >> at & 1);
        added += (new->glass_reasons >> i & 1) && !had;
    }
    for (i = 0; old && i < rules[0]->reasons.count; i++) {
        uint32_t at =
            stile__word_find(&rules[1]->reasons, rules[0]->reasons.names[i]);
        bool has = at != STILE__NONE && (new->glass_reasons >> at & 1);
        removed += (old->glass_reasons >> i & 1) && !has;
    }
    if (wider || narrower || added || removed) {
        struct stile_value *object =
            put_meaning(diff, list, "break-glass", added, removed,
                        wider || added, narrower || removed);
        stile__put_text(diff->space, object, "agreement", new->id);
        stile__put_count(diff->space, object, "hours", new->glass_hours);
        stile__put_count(diff->space, object, "hours-before",
                         old ? old->glass_hours : 0);
    }
}

static void diff_all_glass(struct diff *diff, const struct stile_rules *old,
                           const struct stile_rules *new,
                           struct stile_value *list)
{
    size_t i, k;

    for (i = 0; i < new->agreement_count; i++) {
        const struct stile__agreement *before = NULL;

        for (k = 0; k < old->agreement_count; k++) {
            if (stile_str_eq(old->agreements[k].id, new->agreements[i].id)) {
                before = &old->agreements[k];
            }
        }
        diff_glass(diff, before, &new->agreements[i], list);
    }
}

/* No share looks at labels, so a label on more items only keeps more back.
 * What one more consent code does depends on what else is recorded, and what
 * a changed word does on everything: both are called mixed. */
static void diff_meanings(struct diff *diff, const struct stile_rules *old,
                          const struct stile_rules *new,
                          struct stile_value *list)
{
    struct codes labels[SETS] = {
        {old, old->label_codes, old->label_code_count, &old->labels},
        {new, new->label_codes, new->label_code_count, &new->labels}};
    struct codes consents[SETS] = {
        {old, old->consent_codes, old->consent_code_count, &old->facts},
        {new, new->consent_codes, new->consent_code_count, &new->facts}};
    size_t added = missing(&labels[0], &labels[1]);
    size_t removed = missing(&labels[1], &labels[0]);
    bool differs;

    (void)put_meaning(diff, list, "labels", added, removed, removed > 0,
                      added > 0);
    added = missing(&consents[0], &consents[1]);
    removed = missing(&consents[1], &consents[0]);
    differs = added + removed > 0;
    (void)put_meaning(diff, list, "consent-codes", added, removed, differs,
                      differs);
    differs = !stile_digest_eq(&old->vocabulary, &new->vocabulary);
    (void)put_meaning(diff, list, "vocabulary", 0, 0, differs, differs);
    diff_all_glass(diff, old, new, list);
    stile__diff_texts(diff->space, old, new, list, &diff->wider,
                      &diff->narrower);
}

/* ---- the whole
 * -------------------------------------------------------------------------- */

static void put_digest(struct diff *diff, struct stile_value *report,
                       const char *name, const struct stile_rules *rules)
{
    char hex[65];

    stile_digest_hex(&rules->digest, hex);
    stile__put_text(diff->space, report, name,
                    stile_arena_str(diff->space->arena, stile_str_cstr(hex)));
}

static enum stile_status prepare(struct diff *diff)
{
    struct stile__space *space = diff->space;
    size_t s, word;

    for (s = 0; s < SETS; s++) {
        diff->fires[s] =
            stile_arena_alloc(space->arena, sizeof(*diff->fires[s]));
        if (!diff->fires[s]) {
            return STILE_NOMEM;
        }
        for (word = 0; word < space->data.count; word++) {
            diff->word_at[s][word] = stile__word_find(
                &space->sides[s].rules->data, space->data.items[word]);
        }
    }
    return STILE_OK;
}

enum stile_status stile_rules_diff(const struct stile_rules *old,
                                   const struct stile_rules *new,
                                   struct stile_date today,
                                   struct stile_arena *arena,
                                   struct stile_value **ret)
{
    const struct stile_rules *sets[SETS] = {old, new};
    struct diff *diff = stile_arena_alloc(arena, sizeof(*diff));
    struct stile_value *report = stile_value_new(arena, STILE_OBJECT);
    size_t count = 0, i;
    enum stile_status status;

    if (!diff || !report) {
        return STILE_NOMEM;
    }
    diff->today = today;
    status = stile__space_make(sets, SETS, arena, &diff->space);
    if (status == STILE_OK) {
        status = prepare(diff);
    }
    if (status == STILE_OK) {
        status = stile__routes(diff->space, &diff->routes, &count);
    }
    if (status != STILE_OK) {
        return status;
    }
    stile__put_text(diff->space, report, "class", STILE_STR("equal"));
    put_digest(diff, report, "old", old);
    put_digest(diff, report, "new", new);
    stile__put_date(diff->space, report, "from", today);
    diff->list = stile__put_list(diff->space, report, "changes");
    for (i = 0; status == STILE_OK && i < count; i++) {
        status = diff_route(diff, &diff->routes[i]);
    }
    if (status == STILE_OK) {
        diff_meanings(diff, old, new,
                      stile__put_list(diff->space, report, "meanings"));
        stile__put_text(diff->space, report, "class",
                        stile_str_cstr(diff->wider
                                           ? diff->narrower ? "mixed" : "wider"
                                       : diff->narrower ? "narrower"
                                                        : "equal"));
        status = stile__space_status(diff->space);
    }
    if (status == STILE_OK) {
        *ret = report;
    }
    return status;
}
