/* Building a StructureMap: shared by its sources; private to map. */
#ifndef STILE_MAP_STRUCTURE_MAKE_H
#define STILE_MAP_STRUCTURE_MAKE_H

#include "structure.h"

struct stile__maker {
    const struct stile_mapping *mapping;
    const struct stile__variant *variant;
    struct stile_arena *arena;
    struct stile_str base;
    struct stile_str row; /* the variable that own columns are read from */
    unsigned number;      /* of the last item or variable */
};

struct stile__leaf_at {
    struct stile_value *parent; /* its rules */
    struct stile_str variable;  /* of the element it stands in */
    const struct stile__target_leaf *leaf;
};

/* ---- rules, sources, targets (structure_make.c) ---- */

/* A NULL object is what a full arena gave: nothing is set in it. */
struct stile_value *stile__sm_add_object(struct stile__maker *k,
                                         struct stile_value *parent,
                                         const char *array);
void stile__sm_set(struct stile__maker *k, struct stile_value *object,
                   const char *name, struct stile_str text);
void stile__sm_setc(struct stile__maker *k, struct stile_value *object,
                    const char *name, const char *text);
/* "v1", "v2"... */
struct stile_str stile__sm_numbered(struct stile__maker *k, const char *prefix);
/* A statement's text on one line. */
struct stile_str stile__sm_one_line(struct stile__maker *k,
                                    struct stile_span span);
/* Adds to the documentation that stands there already. */
void stile__sm_document(struct stile__maker *k, struct stile_value *object,
                        struct stile_str text);
struct stile_value *stile__sm_rule_of(struct stile__maker *k,
                                      struct stile_value *parent,
                                      struct stile_str name);
struct stile_value *stile__sm_line_rule(struct stile__maker *k,
                                        struct stile_value *parent,
                                        const struct stile_lang_stmt *s);
struct stile_value *stile__sm_source_of(struct stile__maker *k,
                                        struct stile_value *rule,
                                        struct stile_str context);
struct stile_value *stile__sm_target_of(struct stile__maker *k,
                                        struct stile_value *rule,
                                        struct stile_str context,
                                        struct stile_str element);
struct stile_value *stile__sm_parameter(struct stile__maker *k,
                                        struct stile_value *target,
                                        const char *name,
                                        struct stile_str text);
/* A rule of the condition, for rules inside it; `parent` when it is empty. */
struct stile_value *stile__sm_under(struct stile__maker *k,
                                    struct stile_value *parent,
                                    struct stile_str condition);
struct stile_str stile__sm_context_of(struct stile__maker *k,
                                      const struct stile__column *c);
struct stile_str stile__sm_element_name(const struct stile__step *s);

/* What is written into one element (structure_leaf.c). */
void stile__sm_leaf(struct stile__maker *k, struct stile__leaf_at at);

#endif
