/* Numbers for property tests: the same each run, so that a change and what it
 * broke stand beside each other. STILE_SEED gives others, by hand; the seed is
 * printed, so that a failing run can be run again. */
#ifndef STILE_TESTS_SEED_H
#define STILE_TESTS_SEED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline uint64_t seed_begin(const char *test)
{
    const char *given = getenv("STILE_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : UINT64_C(20261121);

    fprintf(stderr, "%s: STILE_SEED=%" PRIu64 "\n", test, seed);
    return seed;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t seed_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to below - 1. */
static inline uint64_t seed_below(uint64_t *state, uint64_t below)
{
    return seed_next(state) % below;
}

#endif
