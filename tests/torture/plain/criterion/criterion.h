/*
 * Criterion's words as plain C: Criterion's own memory map does not go with
 * the thread sanitizer. One process, tests one after another, the first
 * failure ends it. For -DTSAN=ON builds; see tests/CMakeLists.txt.
 */
#ifndef PLAIN_CRITERION_H
#define PLAIN_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void plain_add(const char *name, void (*run)(void));

static inline void plain_check(bool good, const char *file, int line,
                               const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "%s:%d: %s\n", file, line, what);
        abort();
    }
}

#define Test(suite, name, ...)                                                 \
    static void suite##_##name(void);                                          \
    __attribute__((constructor)) static void add_##suite##_##name(void)        \
    {                                                                          \
        plain_add(#suite "/" #name, suite##_##name);                           \
    }                                                                          \
    static void suite##_##name(void)

#define PLAIN(e, text) plain_check((e), __FILE__, __LINE__, text)
#define cr_assert(e, ...) PLAIN((e), #e)
#define cr_assert_not(e, ...) PLAIN(!(e), "not " #e)
#define cr_assert_eq(a, b, ...) PLAIN((a) == (b), #a " == " #b)
#define cr_assert_neq(a, b, ...) PLAIN((a) != (b), #a " != " #b)
#define cr_assert_gt(a, b, ...) PLAIN((a) > (b), #a " > " #b)
#define cr_assert_lt(a, b, ...) PLAIN((a) < (b), #a " < " #b)
#define cr_assert_geq(a, b, ...) PLAIN((a) >= (b), #a " >= " #b)
#define cr_assert_leq(a, b, ...) PLAIN((a) <= (b), #a " <= " #b)
#define cr_assert_null(p, ...) PLAIN(!(p), #p " is NULL")
#define cr_assert_not_null(p, ...) PLAIN((p) != NULL, #p " is not NULL")
#define cr_assert_str_eq(a, b, ...) PLAIN(strcmp((a), (b)) == 0, #a " eq " #b)
#define cr_assert_fail(...) PLAIN(false, "must not come here")

#endif
