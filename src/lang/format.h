/* A mapping file as lines of tokens with its comments; private to lang. */
#ifndef STILE_LANG_FORMAT_H
#define STILE_LANG_FORMAT_H

#include "lex.h"

struct stile__word {
    enum stile__tok kind;
    struct stile_str raw;  /* as written */
    struct stile_str text; /* as meant */
    uint32_t depth;        /* open brackets before it */
    bool cell;             /* an example's cell, or the '=' before it */
};

struct stile__note {
    struct stile_str text; /* from `--`, trimmed */
    bool apart;            /* a blank line stood before it */
    struct stile__note *next;
};

enum stile__line_kind {
    LINE_MAPPING,
    LINE_HEAD,  /* left, right, lookup, join, key, let, take, delete */
    LINE_RULE,  /* columns, arrow, paths */
    LINE_OPEN,  /* when, in, each row */
    LINE_LIST,  /* residue, drop, require */
    LINE_OTHER, /* constants, expect class */
    LINE_EXAMPLE,
    LINE_PART, /* given, and, expect, back */
    LINE_END
};

struct stile__line {
    enum stile__line_kind kind;
    uint32_t indent; /* levels */
    struct stile__word *words;
    size_t count;
    struct stile__note *notes; /* above it */
    struct stile_str trailing; /* comment at its end */
    bool apart;                /* a blank line stood before it */
    struct stile__line *next;
};

struct stile__lines {
    struct stile__line *first;
    struct stile__note *rest; /* after the last line */
};

/* The text has been parsed without a finding. False: memory. */
bool stile__format_scan(struct stile_str text, struct stile_arena *arena,
                        struct stile__lines *ret);
bool stile__word_is(const struct stile__word *word, const char *text);

#endif
