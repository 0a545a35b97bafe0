/* Building the trie of a left program, and one pass over a tape with it. */
#include "trie.h"

/* ---- a path by itself ---- */

static bool matches_all(const struct stile_tape *tape, uint32_t item,
                        const struct stile__step *step,
                        struct stile_arena *arena)
{
    for (uint32_t i = 0; i < step->match_count; i++) {
        const struct stile__match *m = &step->matches[i];
        uint32_t at = stile__tape_path(tape, item, &m->path, arena);
        struct stile_str text = at != STILE_TAPE_NONE
                                    ? stile_tape_text(tape, at, arena)
                                    : STILE_STR_NULL;
        if (text.ptr == NULL || !stile_str_eq(text, m->literal)) {
            return false;
        }
    }
    return true;
}

static uint32_t take_item(const struct stile_tape *tape, uint32_t array,
                          const struct stile__step *s,
                          struct stile_arena *arena)
{
    uint32_t index = 0;
    if (tape->items[array].kind != STILE_ARRAY) {
        return STILE_TAPE_NONE;
    }
    for (uint32_t i = array + 1; i < tape->items[array].end;
         i = tape->items[i].end, index++) {
        if (s->kind == STEP_ITEM ? index == s->index
                                 : matches_all(tape, i, s, arena)) {
            return i;
        }
    }
    return STILE_TAPE_NONE;
}

static uint32_t any_choice(const struct stile_tape *tape, uint32_t object,
                           const struct stile__step *s,
                           struct stile_arena *arena)
{
    const struct stile_fhir_type *type = NULL;
    if (tape->items[object].kind != STILE_OBJECT) {
        return STILE_TAPE_NONE;
    }
    for (uint32_t i = object + 1; i < tape->items[object].end;
         i = tape->items[i + 1].end) {
        struct stile_str name = stile_tape_text(tape, i, arena);
        if (name.len > 0 && name.ptr[0] != '_' &&
            stile_fhir_element_json(s->type, name, &type) == s->element) {
            return i + 1;
        }
    }
    return STILE_TAPE_NONE;
}

uint32_t stile__tape_path(const struct stile_tape *tape, uint32_t at,
                          const struct stile__path *path,
                          struct stile_arena *arena)
{
    uint32_t found = STILE_TAPE_NONE;
    for (uint32_t i = 0; i < path->count && at != STILE_TAPE_NONE; i++) {
        const struct stile__step *s = &path->steps[i];
        if (s->kind == STEP_MEMBER) {
            found = stile_tape_get(tape, at, s->name, arena);
        } else if (s->kind == STEP_CHOICE) {
            found = any_choice(tape, at, s, arena);
        } else {
            found = take_item(tape, at, s, arena);
        }
        at = found;
    }
    return found;
}

/* ---- building ---- */

struct build {
    const struct stile__variant *v;
    struct stile__trie *trie;
    struct stile_arena *arena;
};

static uint32_t name_hash(struct stile_str name)
{
    uint32_t h = (uint32_t)name.len;
    if (name.len > 0) {
        h = h * 31 + (unsigned char)name.ptr[0] +
            (unsigned char)name.ptr[name.len - 1] * 7u;
    }
    return (h * 2654435769u) >> 16;
}

static bool same_path(const struct stile__path *a, const struct stile__path *b)
{
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++) {
        const struct stile__step *s = &a->steps[i], *t = &b->steps[i];
        same = s->kind == STEP_MEMBER && t->kind == STEP_MEMBER &&
               stile_str_eq(s->name, t->name);
    }
    return same;
}

/* Never true of two that could take different items. */
static bool same_take(const struct stile__step *a, const struct stile__step *b)
{
    bool same = a->kind == b->kind && a->index == b->index &&
                a->match_count == b->match_count;
    for (uint32_t i = 0; same && i < a->match_count; i++) {
        same = stile_str_eq(a->matches[i].literal, b->matches[i].literal) &&
               same_path(&a->matches[i].path, &b->matches[i].path);
    }
    return same;
}

/* The most nodes there can be: the root and one a step. */
static uint32_t steps_of(const struct stile__variant *v)
{
    uint32_t steps = 1;
    for (uint32_t i = 0; i < v->pool.path_count; i++) {
        steps += v->pool.paths[i]->count;
    }
    return steps;
}

static uint32_t by_member(struct build *b, struct stile__trie_node *node,
                          const struct stile__step *s)
{
    for (uint32_t i = 0; i < node->edge_count; i++) {
        if (stile_str_eq(node->edges[i].name, s->name)) {
            return node->edges[i].node;
        }
    }
    struct stile__trie_edge *edges = stile_arena_array(
        b->arena, (size_t)node->edge_count + 1, sizeof *edges);
    if (edges == NULL) {
        return 0;
    }
    if (node->edge_count > 0) {
        memcpy(edges, node->edges, node->edge_count * sizeof *edges);
    }
    edges[node->edge_count++] =
        (struct stile__trie_edge){s->name, b->trie->count};
    node->edges = edges;
    return b->trie->count++;
}

static uint32_t by_take(struct build *b, struct stile__trie_node *node,
                        const struct stile__step *s)
{
    for (uint32_t i = 0; i < node->take_count; i++) {
        if (same_take(node->takes[i].step, s)) {
            return node->takes[i].node;
        }
    }
    struct stile__trie_take *takes = stile_arena_array(
        b->arena, (size_t)node->take_count + 1, sizeof *takes);
    if (takes == NULL) {
        return 0;
    }
    if (node->take_count > 0) {
        memcpy(takes, node->takes, node->take_count * sizeof *takes);
    }
    takes[node->take_count++] = (struct stile__trie_take){s, b->trie->count};
    node->takes = takes;
    return b->trie->count++;
}

static uint32_t add_path(struct build *b, const struct stile__path *path)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < path->count; i++) {
        if (path->steps[i].kind == STEP_CHOICE) {
            return 0;
        }
    }
    for (uint32_t i = 0; i < path->count; i++) {
        struct stile__trie_node *node = &b->trie->nodes[at];
        const struct stile__step *s = &path->steps[i];
        at = s->kind == STEP_MEMBER ? by_member(b, node, s)
                                    : by_take(b, node, s);
        if (at == 0) {
            return 0; /* the arena is full */
        }
    }
    return at;
}

/* The edges in a table of twice their number, so that a search ends soon. */
static void hash_edges(struct build *b, struct stile__trie_node *node)
{
    uint32_t size = 2;
    while (size < 2 * node->edge_count) {
        size *= 2;
    }
    struct stile__trie_edge *table =
        stile_arena_array(b->arena, size, sizeof *table);
    if (node->edge_count == 0 || table == NULL) {
        return;
    }
    node->edge_mask = size - 1;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        uint32_t at = name_hash(node->edges[i].name);
        while (table[at & node->edge_mask].node != 0) {
            at++;
        }
        table[at & node->edge_mask] = node->edges[i];
    }
    node->edges = table;
}

void stile__trie_build(struct stile__variant *variant,
                       struct stile_arena *arena)
{
    const struct stile__program *p = &variant->left;
    struct stile__trie *trie = stile_arena_alloc(arena, sizeof *trie);
    struct build b = {variant, trie, arena};
    if (trie == NULL || stile_arena_failed(arena)) {
        return; /* the program may be cut */
    }
    trie->count = 1;
    trie->nodes =
        stile_arena_array(arena, steps_of(variant), sizeof *trie->nodes);
    trie->node_of =
        stile_arena_array(arena, variant->pool.path_count, sizeof(uint32_t));
    if (trie->nodes == NULL || trie->node_of == NULL) {
        return;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t c = p->code[i].c;
        if (p->code[i].op == OP_READ || p->code[i].op == OP_READ_LIST) {
            trie->node_of[c] = add_path(&b, variant->pool.paths[c]);
            trie->path_count++;
            trie->walked += trie->node_of[c] == 0;
        }
    }
    for (uint32_t i = 0; i < trie->count; i++) {
        hash_edges(&b, &trie->nodes[i]);
    }
    if (!stile_arena_failed(arena)) {
        variant->trie = trie;
    }
}

/* ---- one pass ---- */

struct reader {
    const struct stile__trie *trie;
    const struct stile_tape *tape;
    struct stile_arena *arena;
    uint32_t *found;
};

static void visit(struct reader *r, uint32_t node, uint32_t at);

static void visit_object(struct reader *r, const struct stile__trie_node *node,
                         uint32_t at)
{
    const struct stile_tape_item *items = r->tape->items;
    uint32_t left = node->edge_count;
    for (uint32_t i = at + 1; i < items[at].end && left > 0;
         i = items[i + 1].end) {
        struct stile_str name = {r->tape->bytes.ptr + items[i].offset,
                                 items[i].len};
        if (items[i].escaped) {
            name = stile_tape_text(r->tape, i, r->arena);
        }
        for (uint32_t h = name_hash(name);; h++) {
            const struct stile__trie_edge *e =
                &node->edges[h & node->edge_mask];
            if (e->node == 0) {
                break;
            }
            if (stile_str_eq(e->name, name)) {
                visit(r, e->node, i + 1);
                left--;
                break;
            }
        }
    }
}

static void visit_array(struct reader *r, const struct stile__trie_node *node,
                        uint32_t at)
{
    const struct stile_tape_item *items = r->tape->items;
    uint32_t left = node->take_count, index = 0;
    for (uint32_t i = at + 1; i < items[at].end && left > 0;
         i = items[i].end, index++) {
        for (uint32_t k = 0; k < node->take_count; k++) {
            const struct stile__trie_take *t = &node->takes[k];
            if (r->found[t->node] != 0) {
                continue; /* the first that fits, and only that one */
            }
            if (t->step->kind == STEP_ITEM
                    ? t->step->index == index
                    : matches_all(r->tape, i, t->step, r->arena)) {
                visit(r, t->node, i);
                left--;
            }
        }
    }
}

/* As deep as the longest path. */
static void visit(struct reader *r, uint32_t number, uint32_t at)
{
    const struct stile__trie_node *node = &r->trie->nodes[number];
    uint8_t kind = r->tape->items[at].kind;
    r->found[number] = at + 1;
    if (kind == STILE_OBJECT && node->edge_count > 0) {
        visit_object(r, node, at);
    } else if (kind == STILE_ARRAY && node->take_count > 0) {
        visit_array(r, node, at);
    }
}

void stile__trie_read(const struct stile__trie *trie,
                      const struct stile_tape *tape, uint32_t resource,
                      struct stile_arena *arena, uint32_t *found)
{
    struct reader r = {trie, tape, arena, found};
    visit(&r, 0, resource);
}
