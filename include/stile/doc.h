/*
 * stile/doc.h - YAML with places, for the files people edit: rules and
 * configuration.
 *
 * Invariants
 *   - Every scalar is text: `NO`, `0102`, `1e3` stay what was typed.
 *   - Every node knows its file, offset and length, so that any later check
 *     can point at it.
 *   - No anchors, aliases, tags, multiple documents or merge keys: refused,
 *     with the place. Duplicate keys are refused (Y102), and tabs, depth and
 *     size have limits.
 *
 * Ownership: nodes live in the arena; texts are copied into it. The source is
 * kept (for quoting). Threads: immutable after load.
 */
#ifndef STILE_DOC_H
#define STILE_DOC_H

#include "stile/base.h"

enum stile_node_kind {
    STILE_NODE_TEXT,
    STILE_NODE_LIST,
    STILE_NODE_MAP
};

struct stile_node {
    enum stile_node_kind kind;
    struct stile_str key; /* when the parent is a map */
    struct stile_span key_span;
    struct stile_str text; /* TEXT */
    struct stile_span span;
    const struct stile_source *source;
    struct stile_node *first, *next, *parent;
    size_t count; /* children */
};

struct stile_doc_limits {
    size_t bytes;   /* default 4 MiB */
    uint32_t depth; /* default 16 */
    uint32_t nodes; /* default 200,000 */
};
#define STILE_DOC_LIMITS ((struct stile_doc_limits){4u << 20, 16, 200000})

/* An empty document gives an empty map. Findings Y1xx. */
STILE_MUSTCHECK enum stile_status
stile_doc_load(const struct stile_source *source,
               struct stile_doc_limits limits, struct stile_arena *arena,
               struct stile_diags *diags, struct stile_node **ret);

struct stile_node *stile_node_get(const struct stile_node *map,
                                  const char *key);
struct stile_str stile_node_text(const struct stile_node *map,
                                 const char *key); /* or STILE_STR_NULL */
/* A finding at the node's value, or at its key. */
struct stile_diag *stile_node_diag(struct stile_diags *diags,
                                   const struct stile_node *node,
                                   const char *code,
                                   enum stile_severity severity,
                                   const char *format, ...) STILE_PRINTF(5, 6);
struct stile_diag *
stile_node_key_diag(struct stile_diags *diags, const struct stile_node *node,
                    const char *code, enum stile_severity severity,
                    const char *format, ...) STILE_PRINTF(5, 6);

/*
 * A table of what a map may hold: one row a key. stile_node_expect reports
 * unknown keys with the nearest name, missing required keys, and wrong kinds,
 * all at once. `what` names the map in messages: "an agreement".
 */
enum stile_node_want {
    STILE_WANT_TEXT,
    STILE_WANT_LIST,
    STILE_WANT_MAP,
    STILE_WANT_ANY,
    STILE_WANT_TEXT_OR_LIST
};
struct stile_key_spec {
    const char *key;
    enum stile_node_want want;
    bool required;
};
bool stile_node_expect(const struct stile_node *map, const char *what,
                       const struct stile_key_spec *specs, size_t count,
                       struct stile_diags *diags);

#endif
