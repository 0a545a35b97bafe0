/*
 * stile/lang.h - the text of mapping files: lexer, parser, tree.
 *
 * The tree says what was written and where; it knows neither tables nor FHIR.
 * Names, types and codecs are map's work. The language: mappings/LANGUAGE.md.
 *
 * Invariants
 *   - Every node carries the span it was read from.
 *   - A line that cannot be read is reported (M0xx) and skipped; the parser
 *     goes on with the next one, so all errors of a file come in one run.
 *     The mapping it stands in is then marked `broken`.
 *   - Any bytes are accepted as input and end in bounded time: nesting is
 *     limited to STILE_LANG_DEPTH and the text to STILE_LANG_BYTES.
 *
 * Ownership: nodes live in the caller's arena; texts point into the source's
 * text, which must outlive them, or into the arena where unescaped.
 * Threads: no state.
 */
#ifndef STILE_LANG_H
#define STILE_LANG_H

#include "stile/base.h"
#include "stile/fhirpath.h"

#define STILE_LANG_DEPTH 32u
#define STILE_LANG_BYTES ((size_t)4 << 20)

#define STILE_LANG_CODES(X)                                                    \
    X(M001, "the line does not read as this language: the caret is where "     \
            "something else was expected")                                     \
    X(M002, "a text in quotes or a name in backticks is not closed on its "    \
            "line, or holds an unknown escape")                                \
    X(M003, "a bracket is not closed before the line's statement ends")        \
    X(M004, "a `when`, `in`, `each` or `example` block has no `end`, or an "   \
            "`end` has no block")                                              \
    X(M005, "a byte that cannot stand here, or text that is not UTF-8")        \
    X(M006, "the file is too large or nested too deeply")                      \
    X(M007, "a mapping needs exactly one `left` and one `right` line")

struct stile_lang_word {
    struct stile_str text;
    struct stile_span span;
};

enum stile_lang_literal_kind {
    STILE_LANG_TEXT,
    STILE_LANG_NUMBER,
    STILE_LANG_TRUE,
    STILE_LANG_FALSE,
    STILE_LANG_ABSENT
};

struct stile_lang_literal {
    enum stile_lang_literal_kind kind;
    struct stile_str text;
    struct stile_span span;
    struct stile_lang_literal *next;
};

struct stile_lang_column {
    struct stile_lang_word alias; /* empty text: the mapping's own table */
    struct stile_lang_word name;
    struct stile_span span;
    struct stile_lang_column *next;
};

enum stile_lang_step_kind {
    STILE_LANG_MEMBER,
    STILE_LANG_INDEX,
    STILE_LANG_WHERE,
    STILE_LANG_OF_TYPE,
    STILE_LANG_EXTENSION
};

struct stile_lang_match;

struct stile_lang_step {
    enum stile_lang_step_kind kind;
    struct stile_lang_word word;      /* member, type or url */
    uint32_t index;                   /* INDEX */
    struct stile_lang_match *matches; /* WHERE */
    struct stile_span span;
    struct stile_lang_step *next;
};

struct stile_lang_path {
    struct stile_lang_step *steps;
    struct stile_span span;
    struct stile_lang_path *next;
};

/* One `path = literal` of a where(). */
struct stile_lang_match {
    struct stile_lang_path *path;
    struct stile_lang_literal *literal;
    struct stile_lang_match *next;
};

enum stile_lang_cond_kind {
    STILE_LANG_AND,
    STILE_LANG_OR,
    STILE_LANG_NOT,
    STILE_LANG_PRESENT, /* also `exists` */
    STILE_LANG_MISSING, /* `absent` */
    STILE_LANG_EQ,
    STILE_LANG_NE,
    STILE_LANG_IN_LIST,
    STILE_LANG_IN_RANGE,
    STILE_LANG_IN_TABLE,
    STILE_LANG_ASK /* right conditions: a FHIRPath expression */
};

struct stile_lang_ask {
    struct stile_fhirpath *path;
    bool checked, sound; /* map's: said once, whatever the table versions */
};

/* Leaves hold a column (left conditions) or a path (right conditions). */
struct stile_lang_cond {
    enum stile_lang_cond_kind kind;
    struct stile_lang_cond *a, *b;
    struct stile_lang_column *column;
    struct stile_lang_path *path;
    struct stile_lang_literal *literals;
    int64_t lo, hi;
    struct stile_lang_word table;
    struct stile_lang_ask *ask;
    struct stile_span span;
};

/* A value: one literal, or `if … then … else …` flattened. The last case has
 * no condition. */
struct stile_lang_case {
    struct stile_lang_cond *cond;
    struct stile_lang_literal *literal;
    struct stile_lang_case *next;
};

enum stile_lang_policy_kind {
    STILE_LANG_POLICY_NONE,
    STILE_LANG_POLICY_HOLD,
    STILE_LANG_POLICY_REJECT,
    STILE_LANG_POLICY_ABSENT,
    STILE_LANG_POLICY_AS_TEXT
};

struct stile_lang_policy {
    enum stile_lang_policy_kind kind;
    struct stile_str reason;
    struct stile_span span;
};

struct stile_lang_pair {
    struct stile_lang_literal *left, *right;
    struct stile_lang_pair *next;
};

enum stile_lang_arg_kind {
    STILE_LANG_ARG_WORD,
    STILE_LANG_ARG_TEXT,
    STILE_LANG_ARG_RANGE,
    STILE_LANG_ARG_COLUMN,
    STILE_LANG_ARG_PAIRS
};

struct stile_lang_arg {
    enum stile_lang_arg_kind kind;
    struct stile_lang_word word; /* WORD, TEXT */
    int64_t lo, hi;              /* RANGE */
    struct stile_lang_column *column;
    struct stile_lang_pair *pairs;
    struct stile_span span;
    struct stile_lang_arg *next;
};

struct stile_lang_codec {
    struct stile_lang_word name;
    struct stile_lang_arg *args;
    struct stile_lang_literal *blanks;
    struct stile_lang_policy policy;
    struct stile_span span;
};

enum stile_lang_arrow {
    STILE_LANG_BOTH,
    STILE_LANG_RIGHTWARD,
    STILE_LANG_LEFTWARD
};

enum stile_lang_mark {
    STILE_LANG_MARK_NONE,
    STILE_LANG_DERIVED,
    STILE_LANG_LOSSY
};

enum stile_lang_stmt_kind {
    STILE_LANG_RULE,     /* columns, arrow, paths or cases */
    STILE_LANG_CONSTANT, /* paths (one), cases */
    STILE_LANG_WHEN,
    STILE_LANG_IN,
    STILE_LANG_RESIDUE,
    STILE_LANG_DROP,
    STILE_LANG_REQUIRE,
    STILE_LANG_EACH /* paths (the list); by, body; or child, codec */
};

struct stile_lang_lookup;

struct stile_lang_stmt {
    enum stile_lang_stmt_kind kind;
    struct stile_lang_column *columns;
    enum stile_lang_arrow arrow;
    struct stile_span arrow_span;
    struct stile_lang_path *paths;
    struct stile_lang_case *cases;
    struct stile_lang_codec *codec;      /* NULL: by type */
    struct stile_lang_literal *fallback; /* else LITERAL */
    enum stile_lang_mark mark;
    struct stile_str reason;                 /* lossy, drop */
    struct stile_lang_word carried_by;       /* drop */
    struct stile_lang_cond *cond, *iff;      /* WHEN */
    struct stile_lang_word family, from, to; /* IN */
    struct stile_lang_stmt *body;            /* WHEN, IN, EACH row */
    struct stile_lang_path *by;              /* EACH row: the key's path */
    struct stile_lang_lookup *child;         /* EACH NAME: whose rows */
    struct stile_span span;
    struct stile_lang_stmt *next;
};

struct stile_lang_lookup {
    bool join;
    struct stile_lang_word alias, table, column;
    struct stile_lang_column *key; /* NULL: own column of the same name */
    struct stile_lang_policy policy;
    struct stile_span span;
    struct stile_lang_lookup *next;
};

struct stile_lang_take {
    struct stile_lang_cond *cond, *iff; /* either may be NULL */
    struct stile_span span;
    struct stile_lang_take *next;
};

struct stile_lang_let {
    struct stile_lang_word name;
    struct stile_lang_path *path;
    struct stile_lang_let *next;
};

struct stile_lang_assign {
    struct stile_lang_word name;
    struct stile_lang_word value;
    struct stile_lang_assign *next;
};

/* A row of an example; table empty: the mapping's own. */
struct stile_lang_given {
    struct stile_lang_word table;
    struct stile_lang_assign *cells;
    struct stile_lang_given *next;
};

struct stile_lang_expect {
    struct stile_lang_path *path;
    struct stile_lang_literal *literal; /* NULL: `exists` */
    struct stile_lang_expect *next;
};

struct stile_lang_example {
    struct stile_lang_word name;
    bool reject;
    struct stile_lang_given *given;
    struct stile_lang_expect *expects;
    struct stile_lang_word outcome; /* deleted, held, nothing, or T code */
    struct stile_lang_assign *back;
    struct stile_span span;
    struct stile_lang_example *next;
};

struct stile_lang_mapping {
    const struct stile_source *source;
    bool broken;
    struct stile_lang_word name;
    uint32_t number;
    struct stile_lang_word table, family, from, to; /* to = from when single */
    struct stile_lang_column *keys;
    struct stile_lang_column *groups; /* group by */
    struct stile_lang_take *where;    /* at most one; cond only */
    struct stile_lang_word type, profile;
    struct stile_lang_lookup *lookups;
    struct stile_lang_take *takes;
    struct stile_lang_take *deletes;
    struct stile_lang_let *lets;
    struct stile_lang_word law; /* expect class */
    struct stile_lang_stmt *body;
    struct stile_lang_example *examples;
    struct stile_lang_mapping *next;
};

/* Reads all mappings of a file. The source is kept. INVALID when anything
 * was reported; *ret_first is then still set to what could be read. LIMIT
 * for a text over STILE_LANG_BYTES, NOMEM when the arena failed. */
STILE_MUSTCHECK enum stile_status
stile_lang_parse(const struct stile_source *source, struct stile_arena *arena,
                 struct stile_diags *diags,
                 struct stile_lang_mapping **ret_first);

/*
 * Appends the file in its one layout to `out`: same words in the same order,
 * comments kept (one inside a broken line moves above it), at most one blank
 * line between two lines. Formatting what was formatted changes nothing.
 * INVALID, and nothing is written, when the file cannot be read.
 */
STILE_MUSTCHECK enum stile_status
stile_lang_format(const struct stile_source *source, struct stile_arena *arena,
                  struct stile_diags *diags, struct stile_buf *out);

#endif
