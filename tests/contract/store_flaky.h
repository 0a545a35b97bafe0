/*
 * store_flaky.h - a maker for tests: wraps any store and fails the nth call of
 * a verb that writes, before its effect (IO: nothing changed) or after it
 * (UNCERTAIN: it was changed, and the caller does not know).
 */
#ifndef STORE_FLAKY_H
#define STORE_FLAKY_H

#include <stile/store.h>

/* Takes `inner`: closing closes it. */
struct stile_store *flaky_wrap(struct stile_store *inner);
/* The nth writing call from now on fails, once; 0 = none. */
void flaky_plan(struct stile_store *store, unsigned nth, bool after);
/* Gives the inner store back and frees the wrapper. */
struct stile_store *flaky_unwrap(struct stile_store **store);

#endif
