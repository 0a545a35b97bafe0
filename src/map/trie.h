/*
 * The leftward reader's trie: all paths a left program reads, made one, so
 * that one pass over a tape finds them all.
 *
 * A node is one path from the root; reading a record gives each node the item
 * of the tape that stands there, or none. Members lead from node to node by
 * name; items of an array are taken by their number or by what they hold, as
 * stile__path_read takes them: the first that fits, and only that one.
 *
 * A path that asks for any type of a choice element is not in the trie, since
 * which member it is depends on their order: it is walked by itself.
 */
#ifndef STILE_MAP_TRIE_H
#define STILE_MAP_TRIE_H

#include "map_private.h"

struct stile__trie_edge {
    struct stile_str name;
    uint32_t node;
};

struct stile__trie_take {
    const struct stile__step *step; /* ITEM or SELECT */
    uint32_t node;
};

struct stile__trie_node {
    struct stile__trie_edge *edges; /* by hash of the name; node 0: empty */
    uint32_t edge_count, edge_mask;
    struct stile__trie_take *takes;
    uint32_t take_count;
};

struct stile__trie {
    struct stile__trie_node *nodes;
    uint32_t count;
    uint32_t *node_of; /* by the pool's path; 0: not in the trie */
    uint32_t path_count, walked;
};

/* Sets variant->trie; NULL when the arena is full. */
void stile__trie_build(struct stile__variant *variant,
                       struct stile_arena *arena);
/* Item of the tape + 1 by node, or 0. `found` has trie->count places, zero. */
void stile__trie_read(const struct stile__trie *trie,
                      const struct stile_tape *tape, uint32_t resource,
                      struct stile_arena *arena, uint32_t *found);
/* The twin of stile__path_read; STILE_TAPE_NONE when absent. */
uint32_t stile__tape_path(const struct stile_tape *tape, uint32_t at,
                          const struct stile__path *path,
                          struct stile_arena *arena);

#endif
