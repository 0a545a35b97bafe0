/* A gateway killed at any moment loses nothing it has acknowledged. */
#define _POSIX_C_SOURCE 200809L

#include "contract/store_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 20
#define ACKED_MAX 100000
#define GROUP 3
#define KEY_LEN 11 /* "001-00001-1" */

/* Accepts, claims and settles until it is killed. A key is printed only when
 * its accept has returned OK: that is what a sender was told. */
static _Noreturn void child(const char *path, unsigned round, int out)
{
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);
    struct stile_store *store = NULL;
    struct stile_str error;

    if (stile_store_sqlite_open(path, false, arena, &store, &error) !=
        STILE_OK) {
        _exit(3);
    }
    for (unsigned n = 0;; n++) {
        struct stile_partner_claim claim = {STILE_STR("p"), 2};
        struct stile_outbox_new rows[GROUP];
        struct stile_str entries[GROUP];
        struct stile_accept accepts[GROUP];
        struct stile_accepted got[GROUP];
        struct stile_outbox_row *due = NULL;
        char line[GROUP * 32];
        size_t count = 0;
        int len = 0;

        stile_arena_reset(arena);
        for (unsigned i = 0; i < GROUP; i++) {
            struct stile_str key =
                stile_arena_printf(arena, "%03u-%05u-%u", round, n, i);

            rows[i] = (struct stile_outbox_new){.route = STILE_STR("r"),
                                                .partner = STILE_STR("p"),
                                                .lane = STILE_STR("lane"),
                                                .key = key,
                                                .body = key};
            entries[i] =
                stile_arena_printf(arena, "{\"key\":\"%.*s\"}", STILE_FMT(key));
            accepts[i] = (struct stile_accept){.now = 1,
                                               .source = STILE_STR("s"),
                                               .key = key,
                                               .rows = &rows[i],
                                               .row_count = 1,
                                               .entries = &entries[i],
                                               .entry_count = 1};
            len += snprintf(line + len, sizeof line - (size_t)len, "%.*s\n",
                            STILE_FMT(key));
        }
        if (store->ops->accept(store, accepts, GROUP, arena, got) != STILE_OK ||
            write(out, line, (size_t)len) != len) {
            _exit(4);
        }
        if (store->ops->claim(store, 1, &claim, 1, arena, &due, &count) !=
            STILE_OK) {
            _exit(5);
        }
        for (size_t i = 0; i < count; i++) {
            struct stile_settle settle = {.id = due[i].id,
                                          .state = STILE_ROW_DONE,
                                          .now = 1,
                                          .entries = entries,
                                          .entry_count = 1};

            if (store->ops->settle(store, &settle, 1) != STILE_OK) {
                _exit(6);
            }
        }
        store->ops->tend(store, n % 7 == 0);
    }
}

struct acked {
    char (*keys)[16];
    size_t count;
};

/* Lets a child run for a while, kills it, reads all it had said. */
static void run_and_kill(const char *path, unsigned round, long nanoseconds,
                         struct acked *acked)
{
    struct timespec pause = {0, nanoseconds};
    char line[32];
    FILE *in;
    int status = 0;
    int ends[2];
    pid_t pid;

    cr_assert_eq(pipe(ends), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        (void)close(ends[0]);
        child(path, round, ends[1]);
    }
    (void)close(ends[1]);
    in = fdopen(ends[0], "r");
    cr_assert_not_null(in);
    /* the clock begins with the first key, so that a slow start is no round
     * without one */
    if (fgets(line, sizeof line, in)) {
        (void)nanosleep(&pause, NULL);
        cr_assert_eq(kill(pid, SIGKILL), 0);
        do {
            if (strlen(line) == KEY_LEN + 1 && acked->count < ACKED_MAX) {
                memcpy(acked->keys[acked->count++], line, KEY_LEN);
            }
        } while (fgets(line, sizeof line, in));
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
              "the child ended by itself: %d", WEXITSTATUS(status));
    (void)fclose(in);
}

struct replay {
    struct stile_audit_verifier verifier;
    struct stile_arena *arena;
    struct stile_str *keys; /* of entries, in order */
    size_t count, capacity;
};

static enum stile_status replay(void *ctx, uint64_t index,
                                struct stile_str entry,
                                const struct stile_digest *hash)
{
    struct replay *r = ctx;

    cr_assert_eq(index, r->verifier.entries);
    cr_assert_lt(r->count, r->capacity);
    r->keys[r->count++] =
        stile_arena_str(r->arena, stile_str_sub(entry, 8, KEY_LEN));
    return stile_audit_verify_entry(&r->verifier, entry, hash);
}

static int by_text(const void *a, const void *b)
{
    return stile_str_cmp(*(const struct stile_str *)a,
                         *(const struct stile_str *)b);
}

static bool has(const struct stile_str *keys, size_t count, const char *key)
{
    struct stile_str wanted = stile_str_cstr(key);

    return bsearch(&wanted, keys, count, sizeof *keys, by_text) != NULL;
}

static void check(struct world *w, const struct acked *acked)
{
    struct stile_counts counts = count_all(w);
    struct replay log = {.arena = w->arena, .capacity = counts.entries};
    struct stile_outbox_row *rows = NULL;
    struct stile_audit_tree head;
    struct stile_digest stored, replayed;
    struct stile_str *row_keys;
    uint64_t states[STILE_ROW_COUNT] = {0};
    size_t count = 0;

    stile_audit_verify_init(&log.verifier);
    log.keys = stile_arena_array(w->arena, log.capacity, sizeof *log.keys);
    cr_assert_not_null(log.keys);
    cr_assert_eq(OPS(w)->audit_scan(w->store, 0, replay, &log), STILE_OK);
    cr_assert_eq(OPS(w)->audit_head(w->store, &head), STILE_OK);
    cr_assert_eq(head.size, log.count, "tree and log differ");
    stile_audit_tree_root(&head, &stored);
    stile_audit_tree_root(&log.verifier.tree, &replayed);
    cr_assert(stile_digest_eq(&stored, &replayed), "the log does not verify");

    cr_assert_eq(OPS(w)->list(w->store, SIZE_MAX, w->arena, &rows, &count),
                 STILE_OK);
    row_keys = stile_arena_array(w->arena, count, sizeof *row_keys);
    for (size_t i = 0; i < count; i++) {
        row_keys[i] = rows[i].what.key;
        states[rows[i].state]++;
    }
    cr_assert_eq(memcmp(states, counts.rows, sizeof states), 0,
                 "the counts do not meet the rows");
    qsort(row_keys, count, sizeof *row_keys, by_text);
    qsort(log.keys, log.count, sizeof *log.keys, by_text);
    for (size_t i = 0; i < acked->count; i++) {
        cr_assert(has(row_keys, count, acked->keys[i]), "row %s is lost",
                  acked->keys[i]);
        cr_assert(has(log.keys, log.count, acked->keys[i]),
                  "the entry of %s is lost", acked->keys[i]);
    }
    /* write-ahead: no row without its entry */
    for (size_t i = 0; i < count; i++) {
        cr_assert_not_null(bsearch(&row_keys[i], log.keys, log.count,
                                   sizeof *log.keys, by_text));
    }
}

static void check_repeat(struct world *w, const struct acked *acked)
{
    for (size_t i = 0; i < acked->count; i += 97) {
        struct stile_accept accept = {.source = STILE_STR("s"),
                                      .key = stile_str_cstr(acked->keys[i])};

        cr_assert_eq(accept_one(w, &accept, NULL), STILE_EXISTS);
    }
}

Test(crash, killed_at_any_moment, .timeout = 120)
{
    static char keys[ACKED_MAX][16];
    struct acked acked = {keys, 0};
    struct world w;
    unsigned seed = (unsigned)time(NULL);

    (void)fprintf(stderr, "crash seed %u\n", seed);
    world_sqlite(&w);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t before = acked.count;
        uint64_t moved = 0;

        OPS(&w)->close(&w.store);
        seed = seed * 1103515245u + 12345u;
        run_and_kill(w.path, round, (long)(seed >> 8) % 120000000L, &acked);
        world_sqlite_open(&w);
        cr_assert_gt(acked.count, before);
        check(&w, &acked);
        check_repeat(&w, &acked);
        cr_assert_eq(OPS(&w)->recover(w.store, 1, &moved), STILE_OK);
        cr_assert_leq(moved, 2);
        stile_arena_reset(w.arena);
    }
    (void)fprintf(stderr, "crash: %zu acknowledged, none lost\n", acked.count);
    world_end(&w);
}
