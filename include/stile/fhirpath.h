/*
 * stile/fhirpath.h - FHIRPath: the subset stile reads, over value trees.
 *
 * HL7 FHIRPath N1 (2.0.0, normative), http://hl7.org/fhirpath/N1/, with what
 * FHIR R4 adds (http://hl7.org/fhir/R4/fhirpath.html). The whole grammar is
 * read; what is evaluated is the subset of mappings/LANGUAGE.md:
 *   member [n] where ofType extension | exists empty not count first last
 *   single all select iif is as in contains hasValue startsWith resolve |
 *   and or xor implies = != < > <= >= & | $this, literals, {}
 * What is FHIRPath but outside it is told apart from what is no FHIRPath
 * (M121), so nothing is half understood.
 *
 * Invariants
 *   - Decimals are compared as their text, digit by digit (section 4.1.4);
 *     nothing becomes a double.
 *   - Dates and times of different precision compare to empty where the
 *     shorter one ends (sections 6.1.1, 6.2); so do a time with an offset
 *     and one without, for there is no zone of evaluation.
 *   - Boolean operators have three values (section 6.5). A collection of one
 *     item that is no Boolean counts as true, of several it is a fault
 *     (section 5.5, singleton evaluation).
 *   - Faults carry a place in the expression and a fixed sentence, never a
 *     value of the record.
 *   - Any bytes as expression and any tree end in bounded time and memory:
 *     the limits are arguments.
 *
 * Ownership: trees and results live in the caller's arena; texts point into
 * the source and the record, which must outlive them. Threads: no state.
 */
#ifndef STILE_FHIRPATH_H
#define STILE_FHIRPATH_H

#include "stile/base.h"
#include "stile/record.h"
#include "stile/schema.h"

#define STILE_FHIRPATH_CODES(X)                                                \
    X(M008, "the FHIRPath expression does not read: the caret is where "       \
            "something else was expected")                                     \
    X(M121, "this is FHIRPath, but outside the subset stile evaluates")        \
    X(M122, "FHIRPath has no such function")                                   \
    X(M123, "neither FHIR R4 nor FHIRPath has such a type")                    \
    X(M224, "the function takes other arguments")                              \
    X(M221, "the operator or function cannot take values of this type")        \
    X(M222, "the expression cannot be evaluated for this resource")

struct stile_fhirpath_limits {
    size_t bytes;   /* of the expression; default 16 KiB */
    uint32_t nodes; /* of its tree; default 1,024 */
    uint32_t depth; /* of its tree; default 64 */
    uint32_t items; /* of a collection; default 100,000 */
    size_t text;    /* longest text `&` makes; default 1 MiB */
    uint64_t steps; /* items looked at in all; default 10 million */
};
#define STILE_FHIRPATH_LIMITS                                                  \
    ((struct stile_fhirpath_limits){16u << 10, 1024, 64, 100000, 1u << 20,     \
                                    10000000})

/* ---- the tree ---- */

enum stile_fhirpath_kind {
    STILE_FP_EMPTY, /* {} */
    STILE_FP_BOOLEAN,
    STILE_FP_STRING,
    STILE_FP_INTEGER,
    STILE_FP_DECIMAL,
    STILE_FP_DATE,
    STILE_FP_DATETIME,
    STILE_FP_TIME,
    STILE_FP_QUANTITY,
    STILE_FP_COMPLEX, /* items only: an object of the record */
    STILE_FP_THIS,
    STILE_FP_MEMBER, /* a.text, or of the focus without a */
    STILE_FP_INDEX,  /* a[b] */
    STILE_FP_CALL,   /* a.text(args) */
    STILE_FP_IS,     /* a is text */
    STILE_FP_AS,
    STILE_FP_AND,
    STILE_FP_OR,
    STILE_FP_XOR,
    STILE_FP_IMPLIES,
    STILE_FP_EQ,
    STILE_FP_NE,
    STILE_FP_LT,
    STILE_FP_LE,
    STILE_FP_GT,
    STILE_FP_GE,
    STILE_FP_CONCAT,
    STILE_FP_IN,
    STILE_FP_CONTAINS,
    STILE_FP_OUTSIDE /* text: an operator or variable not in the subset */
};

struct stile_fhirpath_node {
    enum stile_fhirpath_kind kind;
    bool grouped;     /* stands in brackets of its own */
    bool quoted;      /* the member's name stands in backticks */
    uint8_t function; /* CALL: which, private */
    uint32_t depth;   /* of the tree below, 1 for a leaf */
    uint32_t arguments;
    struct stile_str text; /* name, literal or type */
    struct stile_str unit; /* QUANTITY; the type a call of is(), as() or
                              ofType() names */
    struct stile_span span;
    struct stile_span word; /* the name alone */
    struct stile_fhirpath_node *a, *b;
    struct stile_fhirpath_node *args, *next;
};

struct stile_fhirpath {
    const struct stile_source *source;
    struct stile_fhirpath_node *root;
};

/* Reads the whole text. The source is kept. INVALID with one finding (M008),
 * LIMIT (M006), NOMEM. */
STILE_MUSTCHECK enum stile_status
stile_fhirpath_parse(const struct stile_source *source,
                     struct stile_fhirpath_limits limits,
                     struct stile_arena *arena, struct stile_diags *diags,
                     struct stile_fhirpath **ret);
/*
 * Reads one term of a longer text, from `at` to where the term ends: before
 * `and`, `or`, `xor`, `implies`, a line's end outside brackets, or what cannot
 * go on with it. Comments are `--`, texts may stand in "". Nothing is reported
 * when `diags` is NULL. *ret_end is the place behind it.
 */
STILE_MUSTCHECK enum stile_status
stile_fhirpath_parse_term(const struct stile_source *source, size_t at,
                          struct stile_arena *arena, struct stile_diags *diags,
                          struct stile_fhirpath **ret, size_t *ret_end);

/* ---- checking ---- */

/*
 * Names, types, functions and their arguments against R4, with `type` (a
 * resource or data type; empty: not known) as the focus. `strict`
 * also reports a comparison that can never hold (M221). UNSUPPORTED when all
 * that was found is outside the subset (M121), INVALID when anything else
 * was. *ret_boolean, when not NULL: it comes to one Boolean or to nothing.
 */
STILE_MUSTCHECK enum stile_status
stile_fhirpath_check(const struct stile_fhirpath *path, struct stile_str type,
                     bool strict, struct stile_diags *diags, bool *ret_boolean);

/* ---- evaluation ---- */

struct stile_fhirpath_item {
    enum stile_fhirpath_kind kind; /* BOOLEAN to COMPLEX */
    bool boolean;                  /* BOOLEAN */
    bool valued;                   /* a primitive may hold only extensions */
    const struct stile_fhir_type *type; /* NULL: a System type, or not known */
    struct stile_str text;              /* scalars; QUANTITY: its number */
    struct stile_str unit;              /* QUANTITY made here */
    const struct stile_value *value;    /* in the record, or NULL */
    const struct stile_value *beside;   /* its `_name` companion */
};

struct stile_fhirpath_items {
    const struct stile_fhirpath_item *list;
    size_t count;
};

struct stile_fhirpath_world {
    const struct stile_value *resource; /* the focus */
    const struct stile_fhir_type *type; /* of it; NULL: its resourceType */
    const struct stile_value *bundle;   /* what resolve() looks in, or NULL */
};

struct stile_fhirpath_fault {
    struct stile_span span; /* in the expression */
    const char *says;       /* one sentence; static */
};

/* INVALID for a fault of section 4.5 (`single()` of two, a comparison of
 * unlike types), UNSUPPORTED for what is outside the subset, LIMIT or NOMEM;
 * *ret_fault is set then, and *ret not. */
STILE_MUSTCHECK enum stile_status stile_fhirpath_run(
    const struct stile_fhirpath *path, const struct stile_fhirpath_world *world,
    struct stile_fhirpath_limits limits, struct stile_arena *arena,
    struct stile_fhirpath_items *ret, struct stile_fhirpath_fault *ret_fault);

/* Type as FHIRPath says it: "FHIR.code", "System.Boolean". In `out`. */
struct stile_str
stile_fhirpath_type_name(const struct stile_fhirpath_item *item, char out[96]);
/* The item as text: a scalar's own, `5 'mg'`, an object as JSON. */
void stile_fhirpath_text(const struct stile_fhirpath_item *item,
                         struct stile_buf *out);
/* The item as a JSON value; a quantity made here as an object. */
void stile_fhirpath_json(const struct stile_fhirpath_item *item,
                         struct stile_buf *out);

#endif
