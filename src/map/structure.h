/* A mapping's rightward lines as a tree of target elements; private to map. */
#ifndef STILE_MAP_STRUCTURE_H
#define STILE_MAP_STRUCTURE_H

#include "map_private.h"

/* What is written into one element. */
struct stile__target_leaf {
    const struct stile__rule *rule;
    const struct stile__match *match; /* a where()'s constant, or NULL */
    const struct stile__step *step;   /* the element */
    struct stile__target_leaf *next;
};

/* An element or a list's item that others stand in. */
struct stile__target {
    struct stile_str key; /* the step's canonical text, within its parent */
    const struct stile__step *step;
    const struct stile__each *each; /* an item a row of the group, or NULL */
    struct stile__target_leaf *leaves, **leaves_tail;
    struct stile__target *children, **children_tail, *next;
};

/* All rightward lines of the variant; NULL when the arena is full. */
struct stile__target *stile__target_tree(const struct stile__variant *variant,
                                         struct stile_arena *arena);

/*
 * Conditions in FHIRPath over the source: own columns by name, those of a
 * look-up's row by %alias. Empty: it always holds.
 */
struct stile_str stile__condition(const struct stile__variant *variant,
                                  const struct stile_lang_cond *cond,
                                  struct stile_arena *arena);
/* Of all guards around a line. */
struct stile_str stile__guard_condition(const struct stile__variant *variant,
                                        const struct stile__guard *guard,
                                        struct stile_arena *arena);
/* When anything in the element is written. */
struct stile_str stile__presence(const struct stile__variant *variant,
                                 const struct stile__target *target,
                                 struct stile_arena *arena);
struct stile_str stile__conjunction(struct stile_str a, struct stile_str b,
                                    struct stile_arena *arena);
/* `a` as it stands in FHIRPath: in backticks unless a plain name. */
void stile__fhirpath_name(struct stile_buf *out, struct stile_str name);
/* The alias of a look-up as a name of a StructureMap: an id. */
struct stile_str stile__alias_name(struct stile_str alias,
                                   struct stile_arena *arena);

#endif
