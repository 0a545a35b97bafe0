/* What a decision stood on, in words alone: for the audit log. */
#include "private.h"

#define KINDS_MAX 200u

/* Items that are alike for every rule. */
struct kind {
    const struct stile__item_plan *plan;
    uint64_t words;
    bool uncovered;
    size_t count;
};

static void words_of(const struct stile__item_plan *plan, struct kind *kind)
{
    for (size_t i = 0; i < plan->field_count; i++) {
        uint32_t word = plan->fields[i].word;

        if (word < STILE__WORDS_MAX) {
            kind->words |= UINT64_C(1) << word;
        } else {
            kind->uncovered = true;
        }
    }
}

static bool same_kind(const struct kind *a, const struct kind *b)
{
    return a->words == b->words && a->uncovered == b->uncovered &&
           a->plan->facts == b->plan->facts &&
           a->plan->modified == b->plan->modified &&
           a->plan->labels.own == b->plan->labels.own &&
           a->plan->labels.related == b->plan->labels.related &&
           stile_str_eq(a->plan->type, b->plan->type);
}

/* False when there are too many. */
static bool add_kind(struct kind *kinds, size_t *count,
                     const struct stile__item_plan *plan)
{
    struct kind kind = {.plan = plan, .count = 1};

    words_of(plan, &kind);
    for (size_t i = 0; i < *count; i++) {
        if (same_kind(&kinds[i], &kind)) {
            kinds[i].count++;
            return true;
        }
    }
    if (*count == KINDS_MAX) {
        return false;
    }
    kinds[(*count)++] = kind;
    return true;
}

static void put_words(struct stile_arena *arena, struct stile_value *object,
                      const char *name, const struct stile__words *words,
                      uint64_t mask, bool uncovered)
{
    struct stile_value *list;

    if (!mask && !uncovered) {
        return;
    }
    list = stile_value_set_new(arena, object, name, STILE_ARRAY);
    for (size_t i = 0; i < words->count; i++) {
        if (mask >> i & 1) {
            (void)stile_value_push(list,
                                   stile_value_string(arena, words->names[i]));
        }
    }
    if (uncovered) {
        (void)stile_value_push(
            list, stile_value_string(arena, STILE_STR("not-covered")));
    }
}

static void put_kind(struct stile_arena *arena, const struct stile_rules *rules,
                     const struct kind *kind, struct stile_value *items)
{
    struct stile_value *item =
        stile_value_push(items, stile_value_new(arena, STILE_OBJECT));

    (void)stile_value_set(
        item, STILE_STR("count"),
        stile_value_number(arena,
                           stile_arena_printf(arena, "%zu", kind->count)));
    (void)stile_value_set_str(arena, item, "type", kind->plan->type);
    put_words(arena, item, "labels", &rules->labels, kind->plan->labels.own,
              false);
    put_words(arena, item, "linked", &rules->labels, kind->plan->labels.related,
              false);
    put_words(arena, item, "facts", &rules->facts, kind->plan->facts, false);
    put_words(arena, item, "data", &rules->data, kind->words, kind->uncovered);
    if (kind->plan->modified) {
        (void)stile_value_set(item, STILE_STR("modified"),
                              stile_value_bool(arena, true));
    }
}

static void put_facts(struct stile_arena *arena, const struct stile__work *work,
                      struct stile_value *ground)
{
    const struct stile__words *words = &work->rules->facts;
    struct stile_value *facts =
        stile_value_set_new(arena, ground, "facts", STILE_OBJECT);

    for (size_t i = 0; i < words->count; i++) {
        if (work->facts[i] != STILE_UNKNOWN) {
            (void)stile_value_set(
                facts, words->names[i],
                stile_value_string(arena, work->facts[i] == STILE_YES
                                              ? STILE_STR("yes")
                                              : STILE_STR("no")));
        }
    }
}

static struct stile_value *crowded(struct stile_arena *arena)
{
    struct stile_value *ground = stile_value_new(arena, STILE_OBJECT);

    (void)stile_value_set(ground, STILE_STR("crowded"),
                          stile_value_bool(arena, true));
    return ground;
}

static bool fits(const struct stile_value *ground)
{
    struct stile_buf out;
    bool good;

    stile_buf_init(&out, STILE_GROUND_BYTES);
    stile_value_json(ground, 0, &out);
    good = out.status == STILE_OK;
    stile_buf_release(&out);
    return good;
}

struct stile_value *stile_decision_ground(const struct stile_decision *decision,
                                          struct stile_arena *arena)
{
    const struct stile__work *work = decision->work;
    struct kind *kinds = stile_arena_array(arena, KINDS_MAX, sizeof(*kinds));
    struct stile_value *ground = stile_value_new(arena, STILE_OBJECT), *items;
    char hex[65];
    size_t count = 0;

    if (!kinds || !ground) {
        return NULL;
    }
    for (size_t i = 0; i < work->count; i++) {
        if (!add_kind(kinds, &count, &work->items[i])) {
            return crowded(arena);
        }
    }
    stile_digest_hex(&work->rules->vocabulary, hex);
    (void)stile_value_set_str(arena, ground, "recipient-kind",
                              work->recipient_kind);
    (void)stile_value_set_str(arena, ground, "family", work->family);
    (void)stile_value_set_str(arena, ground, "vocabulary",
                              stile_arena_str(arena, stile_str_cstr(hex)));
    put_facts(arena, work, ground);
    items = stile_value_set_new(arena, ground, "items", STILE_ARRAY);
    for (size_t i = 0; i < count; i++) {
        put_kind(arena, work->rules, &kinds[i], items);
    }
    return fits(ground) ? ground : crowded(arena);
}
