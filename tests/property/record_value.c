#include <criterion/criterion.h>

#include <stile/record.h>

#include "property/seed.h"

static const struct stile_str names[] = {STILE_STR("a"), STILE_STR("_a"),
                                         STILE_STR("b"), STILE_STR("c"),
                                         STILE_STR("_c")};

static struct stile_value *random_tree(struct stile_arena *arena,
                                       uint64_t *seed, int depth)
{
    uint64_t dice = seed_below(seed, depth > 0 ? 10 : 5);
    struct stile_value *value;

    switch (dice) {
    case 0:
        return stile_value_new(arena, STILE_NULL);
    case 1:
        return stile_value_bool(arena, seed_below(seed, 2));
    case 2:
        return stile_value_number(arena, STILE_STR("1.00"));
    case 3:
        return stile_value_string(arena, STILE_STR(""));
    case 4:
        return stile_value_string(arena, STILE_STR("x"));
    default:
        break;
    }
    value = stile_value_new(arena, dice < 8 ? STILE_OBJECT : STILE_ARRAY);
    for (uint64_t n = seed_below(seed, 5); n > 0; n--) {
        struct stile_value *child = random_tree(arena, seed, depth - 1);

        if (value->kind == STILE_ARRAY) {
            stile_value_push(value, child);
        } else {
            stile_value_set(value, names[seed_below(seed, 5)], child);
        }
    }
    return value;
}

static void check_links(const struct stile_value *value)
{
    const struct stile_value *prev = NULL;
    uint32_t count = 0;

    for (const struct stile_value *v = value->first; v; v = v->next) {
        cr_assert_eq(v->parent, value);
        cr_assert_eq(v->prev, prev);
        check_links(v);
        prev = v;
        count++;
    }
    cr_assert_eq(value->last, prev);
    cr_assert_eq(value->count, count);
}

/* Moves each member to the end in a random order. */
static void shuffle(struct stile_value *value, uint64_t *seed)
{
    for (struct stile_value *v = value->first; v; v = v->next) {
        shuffle(v, seed);
    }
    for (uint32_t n = 0; value->kind == STILE_OBJECT && n < value->count; n++) {
        struct stile_value *v = value->first;

        for (uint64_t k = seed_below(seed, value->count); k > 0; k--) {
            v = v->next;
        }
        stile_value_add(value, v->name, v);
    }
}

/* Empty arrays, objects and strings are nowhere; null only in arrays of
 * objects' members that have a companion. */
static void check_pruned(const struct stile_value *value)
{
    for (const struct stile_value *v = value->first; v; v = v->next) {
        if (v->kind == STILE_NULL) {
            cr_assert_eq(value->kind, STILE_ARRAY);
            cr_assert_not_null(value->parent);
            cr_assert_eq(value->parent->kind, STILE_OBJECT);
        } else if (v->kind == STILE_ARRAY || v->kind == STILE_OBJECT) {
            cr_assert_gt(v->count, 0);
        } else if (v->kind != STILE_BOOL) {
            cr_assert_gt(v->text.len, 0);
        }
        check_pruned(v);
    }
}

Test(property_record, copies_equal_shuffled_or_not)
{
    uint64_t seed = seed_begin("copies_equal");
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);

    for (int round = 0; round < 5000; round++) {
        struct stile_value *tree = random_tree(arena, &seed, 5);
        struct stile_value *copy = stile_value_copy(arena, tree);

        check_links(tree);
        check_links(copy);
        cr_assert(stile_value_equal(tree, copy));
        shuffle(copy, &seed);
        check_links(copy);
        cr_assert(stile_value_equal(tree, copy));
        cr_assert(stile_value_equal(copy, tree));
        cr_assert_not(stile_arena_failed(arena));
        stile_arena_reset(arena);
    }
    stile_arena_free(&arena);
}

Test(property_record, pruned_trees_hold_no_empty_thing)
{
    uint64_t seed = seed_begin("pruned_trees");
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);

    for (int round = 0; round < 5000; round++) {
        struct stile_value *tree = random_tree(arena, &seed, 5);
        struct stile_value *once;

        (void)stile_value_prune(tree);
        check_links(tree);
        check_pruned(tree);
        once = stile_value_copy(arena, tree);
        (void)stile_value_prune(tree);
        cr_assert(stile_value_equal(tree, once), "twice is as once");
        stile_arena_reset(arena);
    }
    stile_arena_free(&arena);
}

/* Two trees are equal exactly when their sorted texts are; here the order is
 * the same, so their texts alone. */
Test(property_record, equal_means_the_same_text)
{
    uint64_t seed = seed_begin("equal_text");
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);
    struct stile_buf texts[2];
    int equal = 0;

    stile_buf_init(&texts[0], 1 << 20);
    stile_buf_init(&texts[1], 1 << 20);
    for (int round = 0; round < 20000; round++) {
        struct stile_value *a = random_tree(arena, &seed, 1);
        struct stile_value *b = random_tree(arena, &seed, 1);

        stile_buf_clear(&texts[0]);
        stile_buf_clear(&texts[1]);
        stile_value_json(a, 0, &texts[0]);
        stile_value_json(b, 0, &texts[1]);
        if (stile_str_eq(stile_buf_str(&texts[0]), stile_buf_str(&texts[1]))) {
            cr_assert(stile_value_equal(a, b));
            equal++;
        } else if (a->kind != STILE_OBJECT) {
            cr_assert_not(stile_value_equal(a, b));
        }
        stile_arena_reset(arena);
    }
    cr_assert_gt(equal, 100);
    stile_buf_release(&texts[0]);
    stile_buf_release(&texts[1]);
    stile_arena_free(&arena);
}
