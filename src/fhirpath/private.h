/* The room's own: tokens, functions, the machine. */
#ifndef STILE_FHIRPATH_PRIVATE_H
#define STILE_FHIRPATH_PRIVATE_H

#include "stile/fhirpath.h"

/* ---- tokens (lex.c), N1 section 12.1 (grammar) ---- */

enum fp_tok {
    FP_END,
    FP_NAME,   /* also the keywords */
    FP_QUOTED, /* `name` */
    FP_TEXT,
    FP_NUMBER,
    FP_DATE,
    FP_DATETIME,
    FP_TIME,
    FP_VARIABLE, /* $this, $index, $total; %name */
    FP_SIGN,     /* text says which */
    FP_BAD
};

struct fp_token {
    enum fp_tok kind;
    struct stile_str text; /* unescaped */
    struct stile_span span;
    const char *fault; /* BAD */
};

struct fp_lexer {
    struct stile_str text;
    struct stile_arena *arena;
    size_t pos;
    uint32_t brackets;
    bool within; /* in a longer text: see stile_fhirpath_parse_term */
};

struct fp_token stile__fp_lex(struct fp_lexer *lexer);

/* ---- functions: name, least and most arguments ---- */

#define FP_FUNCTIONS(X)                                                        \
    X(ALL, "all", 1, 1)                                                        \
    X(AS, "as", 1, 1)                                                          \
    X(CONTAINS, "contains", 1, 1)                                              \
    X(COUNT, "count", 0, 0)                                                    \
    X(EMPTY, "empty", 0, 0)                                                    \
    X(EXISTS, "exists", 0, 1)                                                  \
    X(EXTENSION, "extension", 1, 1)                                            \
    X(FIRST, "first", 0, 0)                                                    \
    X(HAS_VALUE, "hasValue", 0, 0)                                             \
    X(IIF, "iif", 2, 3)                                                        \
    X(IS, "is", 1, 1)                                                          \
    X(LAST, "last", 0, 0)                                                      \
    X(NOT, "not", 0, 0)                                                        \
    X(OF_TYPE, "ofType", 1, 1)                                                 \
    X(RESOLVE, "resolve", 0, 0)                                                \
    X(SELECT, "select", 1, 1)                                                  \
    X(SINGLE, "single", 0, 0)                                                  \
    X(STARTS_WITH, "startsWith", 1, 1)                                         \
    X(WHERE, "where", 1, 1)

enum fp_function {
    FN_NONE,
#define X(id, name, least, most) FN_##id,
    FP_FUNCTIONS(X)
#undef X
    FN_COUNT_OF
};

struct fp_function_facts {
    const char *name;
    uint32_t least, most;
};
/* By enum fp_function; NONE has no name. */
extern const struct fp_function_facts stile__fp_functions[FN_COUNT_OF];
enum fp_function stile__fp_function(struct stile_str name);
/* Is it a function of N1 or of FHIR R4 that the subset leaves out? */
bool stile__fp_left_out(struct stile_str name);

/* ---- types (types.c) ---- */

/* The kind of System value a primitive of FHIR R4 converts to. */
enum stile_fhirpath_kind stile__fp_primitive(const struct stile_fhir_type *t);
/* Is the type `name`, or made from it? */
bool stile__fp_fhir_is(const struct stile_fhir_type *type,
                       struct stile_str name);
const char *stile__fp_system_name(enum stile_fhirpath_kind kind);
/* Does "Quantity", "FHIR.code", "System.Boolean" exist? */
bool stile__fp_type_known(struct stile_str name);
bool stile__fp_item_is(const struct stile_fhirpath_item *item,
                       struct stile_str name);
/* As as() and ofType() take it: a primitive's type is the very one, so that a
 * code is no string, as HL7's test suite for R4 has it. */
bool stile__fp_item_as(const struct stile_fhirpath_item *item,
                       struct stile_str name);

/* ---- comparing (compare.c) ---- */

enum fp_truth {
    FP_NO,
    FP_YES,
    FP_UNKNOWN
};

/* What comparing two items gave. */
enum fp_order {
    ORDER_LESS,
    ORDER_SAME,
    ORDER_MORE,
    ORDER_EMPTY,  /* precision ends, an offset is missing, unlike units */
    ORDER_UNLIKE, /* types that do not compare */
    ORDER_UNITS   /* units that would have to be converted */
};

enum fp_order stile__fp_numbers(struct stile_str a, struct stile_str b);
enum fp_order stile__fp_dates(struct stile_str a, struct stile_str b);
enum fp_order stile__fp_times(struct stile_str a, struct stile_str b);
enum fp_order stile__fp_compare(const struct stile_fhirpath_item *a,
                                const struct stile_fhirpath_item *b);
/* A FHIR Quantity, or one made here, as number and unit. False: neither. */
bool stile__fp_quantity(const struct stile_fhirpath_item *item,
                        struct stile_str *ret_number,
                        struct stile_str *ret_unit);
/* Trees by N1 section 6.1.1; *steps counts down, and 0 ends it as unequal. */
bool stile__fp_same_tree(const struct stile_value *a,
                         const struct stile_value *b, uint64_t *steps);

/* ---- the machine (run.c, navigate.c, functions.c) ---- */

struct fp_list {
    struct stile_fhirpath_item *items;
    uint32_t count, capacity;
};

struct fp_run {
    const struct stile_fhirpath *path;
    const struct stile_fhirpath_world *world;
    struct stile_fhirpath_limits limits;
    struct stile_arena *arena;
    uint64_t steps;
    enum stile_status status; /* sticky */
    struct stile_fhirpath_fault fault;
};

/* Evaluates for one focus; false when the run has failed. */
bool stile__fp_eval(struct fp_run *run, const struct stile_fhirpath_node *node,
                    const struct fp_list *focus, struct fp_list *ret);
bool stile__fp_call(struct fp_run *run, const struct stile_fhirpath_node *node,
                    const struct fp_list *focus, const struct fp_list *input,
                    struct fp_list *ret);
/* Always false. */
bool stile__fp_fail(struct fp_run *run, const struct stile_fhirpath_node *node,
                    enum stile_status status, const char *says);
bool stile__fp_add(struct fp_run *run, struct fp_list *list,
                   const struct stile_fhirpath_item *item);
bool stile__fp_step(struct fp_run *run, const struct stile_fhirpath_node *node);
void stile__fp_boolean(struct fp_run *run, struct fp_list *list, bool value);
/* Singleton evaluation, N1 section 5.5. */
bool stile__fp_truth(struct fp_run *run, const struct stile_fhirpath_node *node,
                     const struct fp_list *list, enum fp_truth *ret);
/* One text, or *ret.ptr NULL for none; a fault for anything else. */
bool stile__fp_one_text(struct fp_run *run,
                        const struct stile_fhirpath_node *node,
                        const struct fp_list *list, struct stile_str *ret);
bool stile__fp_member(struct fp_run *run, const struct fp_list *input,
                      struct stile_str name, struct fp_list *ret);
bool stile__fp_resolve(struct fp_run *run, const struct fp_list *input,
                       struct fp_list *ret);
struct stile_fhirpath_item stile__fp_object(const struct stile_value *value,
                                            const struct stile_fhir_type *type);
bool stile__fp_equal(struct fp_run *run, const struct stile_fhirpath_node *node,
                     const struct stile_fhirpath_item *a,
                     const struct stile_fhirpath_item *b, enum fp_truth *ret);

#endif
