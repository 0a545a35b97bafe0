#include "bdd.h"

#define FIRST_NODES 1024u
#define CACHE_SLOTS 65536u /* a power of two */
#define LEAF UINT32_MAX    /* the variable of NEVER and ALWAYS: after all */

struct node {
    uint32_t variable, low, high;
    uint32_t next; /* of the same bucket, or 0 */
};

struct cached {
    uint32_t a, b, c, result; /* a 0: empty, as no leaf is looked up */
};

struct stile__bdd {
    struct stile_arena *arena;
    struct node *nodes;
    uint32_t *buckets; /* as many as nodes have room */
    struct cached *cache;
    size_t count, capacity, limit;
    bool full;
};

static size_t bucket_of(const struct stile__bdd *bdd, uint32_t variable,
                        uint32_t low, uint32_t high)
{
    uint64_t z = ((uint64_t)variable << 42) ^ ((uint64_t)low << 21) ^ high;

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)(z ^ (z >> 31)) & (bdd->capacity - 1);
}

static bool grow(struct stile__bdd *bdd, size_t capacity)
{
    struct node *nodes =
        stile_arena_array(bdd->arena, capacity, sizeof(*nodes));
    uint32_t *buckets =
        stile_arena_array(bdd->arena, capacity, sizeof(*buckets));
    size_t i;

    if (!nodes || !buckets || capacity > bdd->limit * 2) {
        return false;
    }
    if (bdd->count) {
        memcpy(nodes, bdd->nodes, bdd->count * sizeof(*nodes));
    }
    bdd->nodes = nodes;
    bdd->buckets = buckets;
    bdd->capacity = capacity;
    for (i = 2; i < bdd->count; i++) {
        size_t bucket =
            bucket_of(bdd, nodes[i].variable, nodes[i].low, nodes[i].high);
        nodes[i].next = buckets[bucket];
        buckets[bucket] = (uint32_t)i;
    }
    return true;
}

struct stile__bdd *stile__bdd_new(struct stile_arena *arena, size_t limit)
{
    struct stile__bdd *bdd = stile_arena_alloc(arena, sizeof(*bdd));

    if (!bdd) {
        return NULL;
    }
    bdd->arena = arena;
    bdd->limit = limit < FIRST_NODES ? FIRST_NODES : limit;
    bdd->cache = stile_arena_array(arena, CACHE_SLOTS, sizeof(*bdd->cache));
    if (!bdd->cache || !grow(bdd, FIRST_NODES)) {
        return NULL;
    }
    bdd->nodes[0].variable = LEAF;
    bdd->nodes[1].variable = LEAF;
    bdd->count = 2;
    return bdd;
}

bool stile__bdd_full(const struct stile__bdd *bdd)
{
    return bdd->full;
}

static uint32_t make(struct stile__bdd *bdd, uint32_t variable, uint32_t low,
                     uint32_t high)
{
    size_t bucket;
    uint32_t i;

    if (low == high) {
        return low;
    }
    bucket = bucket_of(bdd, variable, low, high);
    for (i = bdd->buckets[bucket]; i; i = bdd->nodes[i].next) {
        const struct node *node = &bdd->nodes[i];
        if (node->variable == variable && node->low == low &&
            node->high == high) {
            return i;
        }
    }
    if (bdd->count >= bdd->limit ||
        (bdd->count == bdd->capacity && !grow(bdd, bdd->capacity * 2))) {
        bdd->full = true;
        return STILE__NEVER;
    }
    bucket = bucket_of(bdd, variable, low, high);
    i = (uint32_t)bdd->count++;
    bdd->nodes[i] = (struct node){variable, low, high, bdd->buckets[bucket]};
    bdd->buckets[bucket] = i;
    return i;
}

uint32_t stile__bdd_var(struct stile__bdd *bdd, uint32_t variable)
{
    return make(bdd, variable, STILE__NEVER, STILE__ALWAYS);
}

static uint32_t branch(const struct stile__bdd *bdd, uint32_t a,
                       uint32_t variable, bool high)
{
    const struct node *node = &bdd->nodes[a];

    if (node->variable != variable) {
        return a;
    }
    return high ? node->high : node->low;
}

/* If a then b else c. Recursion goes down the variables once. */
static uint32_t choose(struct stile__bdd *bdd, uint32_t a, uint32_t b,
                       uint32_t c)
{
    struct cached *slot;
    uint32_t variable, low, high;

    if (a == STILE__ALWAYS || b == c) {
        return b;
    }
    if (a == STILE__NEVER) {
        return c;
    }
    if (b == STILE__ALWAYS && c == STILE__NEVER) {
        return a;
    }
    slot = &bdd->cache[(a * 0x9e3779b1u ^ b * 0x85ebca77u ^ c * 0xc2b2ae3du) &
                       (CACHE_SLOTS - 1)];
    if (slot->a == a && slot->b == b && slot->c == c) {
        return slot->result;
    }
    variable = bdd->nodes[a].variable;
    if (bdd->nodes[b].variable < variable) {
        variable = bdd->nodes[b].variable;
    }
    if (bdd->nodes[c].variable < variable) {
        variable = bdd->nodes[c].variable;
    }
    low = choose(bdd, branch(bdd, a, variable, false),
                 branch(bdd, b, variable, false),
                 branch(bdd, c, variable, false));
    high =
        choose(bdd, branch(bdd, a, variable, true),
               branch(bdd, b, variable, true), branch(bdd, c, variable, true));
    low = make(bdd, variable, low, high);
    *slot = (struct cached){a, b, c, low};
    return low;
}

uint32_t stile__bdd_and(struct stile__bdd *bdd, uint32_t a, uint32_t b)
{
    return choose(bdd, a, b, STILE__NEVER);
}

uint32_t stile__bdd_or(struct stile__bdd *bdd, uint32_t a, uint32_t b)
{
    return choose(bdd, a, STILE__ALWAYS, b);
}

uint32_t stile__bdd_not(struct stile__bdd *bdd, uint32_t a)
{
    return choose(bdd, a, STILE__NEVER, STILE__ALWAYS);
}

uint32_t stile__bdd_less(struct stile__bdd *bdd, uint32_t a, uint32_t b)
{
    return choose(bdd, b, STILE__NEVER, a);
}
