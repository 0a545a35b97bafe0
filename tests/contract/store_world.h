/*
 * store_world.h - one store under test, whoever made it.
 *
 *   CONTRACT(dedupe, keeps_the_answer) { ... w->store ... }
 *
 * makes one Criterion test a maker: memory, sqlite on a fresh folder, and
 * flaky round sqlite with no failure planned.
 */
#ifndef STORE_WORLD_H
#define STORE_WORLD_H

#include <criterion/criterion.h>
#include <stile/store.h>

#include "store_flaky.h"

struct world {
    struct stile_store *store;
    struct stile_arena *arena;
    char folder[64];
    char path[96];
};

void world_memory(struct world *w);
void world_sqlite(struct world *w);
void world_flaky(struct world *w);
void world_end(struct world *w);
/* Opens the file of a world whose store is closed. */
void world_sqlite_open(struct world *w);
/* Closes and opens the file again; memory stays as it is. */
void world_reopen(struct world *w);

#define CONTRACT(suite, name)                                                  \
    static void suite##_##name(struct world *w);                               \
    Test(memory_##suite, name)                                                 \
    {                                                                          \
        struct world w;                                                        \
        world_memory(&w);                                                      \
        suite##_##name(&w);                                                    \
        world_end(&w);                                                         \
    }                                                                          \
    Test(sqlite_##suite, name)                                                 \
    {                                                                          \
        struct world w;                                                        \
        world_sqlite(&w);                                                      \
        suite##_##name(&w);                                                    \
        world_end(&w);                                                         \
    }                                                                          \
    Test(flaky_##suite, name)                                                  \
    {                                                                          \
        struct world w;                                                        \
        world_flaky(&w);                                                       \
        suite##_##name(&w);                                                    \
        world_end(&w);                                                         \
    }                                                                          \
    static void suite##_##name(struct world *w)

#define S(literal) STILE_STR(literal)
#define OPS(w) ((w)->store->ops)
#define cr_text(got, wanted)                                                   \
    cr_assert(stile_str_eqc((got), (wanted)), "got '%.*s', wanted '%s'",       \
              STILE_FMT(got), (wanted))

/* One accept alone; the status of the whole must be OK. */
enum stile_status accept_one(struct world *w, const struct stile_accept *accept,
                             struct stile_accepted *ret);
/* A row with this key, partner and lane, due at `due`, body "body of <key>". */
struct stile_outbox_new new_row(struct world *w, const char *key,
                                const char *partner, const char *lane,
                                stile_time due);
/* Accepts one such row; must be OK. */
void queue_row(struct world *w, const char *key, const char *partner,
               const char *lane, stile_time due);
/* Claims for one partner; *ret_count rows. */
struct stile_outbox_row *claim_rows(struct world *w, const char *partner,
                                    uint32_t room, stile_time now,
                                    size_t *ret_count);
/* The one row that may be claimed, or none: its key as a C string, or NULL. */
const char *claim_key(struct world *w, const char *partner, stile_time now,
                      int64_t *ret_id);
enum stile_status settle_row(struct world *w, int64_t id,
                             enum stile_row_state state, stile_time due);
struct stile_counts count_all(struct world *w);
/* The row with this key as `list` gives it. */
struct stile_outbox_row find_row(struct world *w, const char *key);

#endif
