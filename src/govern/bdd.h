/*
 * Reduced ordered binary decision diagrams (Bryant 1986): a function of yes
 * and no is one node, and equal functions are the same node. So "are these
 * rule sets the same here", "can this ever be" and "show me one" are exact.
 */
#ifndef STILE_GOVERN_BDD_H
#define STILE_GOVERN_BDD_H

#include "stile/base.h"

#define STILE__NEVER 0u  /* the function that is never true */
#define STILE__ALWAYS 1u /* and the one that always is */

struct stile__bdd;

/* At most `limit` nodes; past it the diagram is full, all results are NEVER
 * and mean nothing. NULL when the arena is short. */
struct stile__bdd *stile__bdd_new(struct stile_arena *arena, size_t limit);
bool stile__bdd_full(const struct stile__bdd *bdd);
uint32_t stile__bdd_var(struct stile__bdd *bdd, uint32_t variable);
uint32_t stile__bdd_and(struct stile__bdd *bdd, uint32_t a, uint32_t b);
uint32_t stile__bdd_or(struct stile__bdd *bdd, uint32_t a, uint32_t b);
uint32_t stile__bdd_not(struct stile__bdd *bdd, uint32_t a);
/* a and not b */
uint32_t stile__bdd_less(struct stile__bdd *bdd, uint32_t a, uint32_t b);

#endif
