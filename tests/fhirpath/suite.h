/* The FHIRPath test suite's file format, read into memory. */
#ifndef SUITE_H
#define SUITE_H

#include "stile/base.h"

struct suite_output {
    struct stile_str type, text; /* type may be empty: any */
    struct suite_output *next;
};

struct suite_test {
    struct stile_str group, name, input, expression;
    struct stile_str invalid; /* "syntax", "semantic", "execution", or empty */
    bool predicate;           /* judged as a Boolean: there, and not false */
    struct suite_output *outputs;
    size_t output_count;
    struct suite_test *next;
};

struct suite {
    struct stile_str name;
    struct suite_test *tests;
    size_t count;
};

/* False, and it has been said on stderr, when the file is no such suite. */
bool suite_read(const char *path, struct stile_arena *arena, struct suite *ret);
/* The whole of a file, or NULL. */
struct stile_str suite_file(const char *path, size_t limit,
                            struct stile_arena *arena);

#endif
