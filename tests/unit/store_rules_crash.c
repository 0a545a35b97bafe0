/* Killed while sets come in force: each step has its set and its entry, or
 * none of the three is there. */
#define _POSIX_C_SOURCE 200809L

#include "contract/store_world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 15

static struct stile_digest set_of(uint64_t number)
{
    struct stile_digest digest;

    stile_sha256((struct stile_str){(const char *)&number, sizeof number},
                 &digest);
    return digest;
}

static struct stile_str hex_of(const struct stile_digest *digest,
                               struct stile_arena *arena)
{
    char hex[65];

    stile_digest_hex(digest, hex);
    return stile_arena_str(arena, stile_str_cstr(hex));
}

/* Puts one set after another in force until it is killed. A number is said
 * when its put has returned OK. */
static _Noreturn void child(const char *path, uint64_t number, int out)
{
    struct stile_arena *arena = stile_arena_new((size_t)16 << 20);
    struct stile_store *store = NULL;
    struct stile_str error;

    if (stile_store_sqlite_open(path, false, arena, &store, &error) !=
        STILE_OK) {
        _exit(3);
    }
    for (;; number++) {
        struct stile_rules_change change = {.step = {.to = set_of(number),
                                                     .at = (stile_time)number,
                                                     .class = S("mixed"),
                                                     .acts = S("[]")},
                                            .entry_count = 1};
        struct stile_str entry;

        stile_arena_reset(arena);
        if (number > 1) {
            change.step.from = set_of(number - 1);
        }
        change.files = hex_of(&change.step.to, arena);
        entry = change.files;
        change.entries = &entry;
        if (store->ops->rules_put(store, &change) != STILE_OK) {
            _exit(4);
        }
        if (write(out, &number, sizeof number) != sizeof number) {
            _exit(5);
        }
    }
}

/* The last number that was said. */
static uint64_t run_and_kill(const char *path, uint64_t number, long pause_ns)
{
    struct timespec pause = {0, pause_ns};
    uint64_t said, last = 0;
    int status = 0;
    int ends[2];
    pid_t pid;

    cr_assert_eq(pipe(ends), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        (void)close(ends[0]);
        child(path, number, ends[1]);
    }
    (void)close(ends[1]);
    while (read(ends[0], &said, sizeof said) == sizeof said) {
        if (last == 0) {
            (void)nanosleep(&pause, NULL);
            cr_assert_eq(kill(pid, SIGKILL), 0);
        }
        last = said;
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
              "the child ended by itself: %d", WEXITSTATUS(status));
    (void)close(ends[0]);
    return last;
}

struct log {
    struct stile_arena *arena;
    uint64_t count;
};

static enum stile_status look(void *ctx, uint64_t index, struct stile_str entry,
                              const struct stile_digest *hash)
{
    struct log *log = ctx;
    struct stile_digest set = set_of(index + 1);

    (void)hash;
    cr_assert(stile_str_eq(entry, hex_of(&set, log->arena)));
    log->count++;
    return STILE_OK;
}

static uint64_t check(struct world *w)
{
    struct log log = {w->arena, 0};
    struct stile_rules_step *steps = NULL;
    size_t count = 0;

    cr_assert_eq(
        OPS(w)->rules_steps(w->store, SIZE_MAX, w->arena, &steps, &count),
        STILE_OK);
    cr_assert_eq(OPS(w)->audit_scan(w->store, 0, look, &log), STILE_OK);
    cr_assert_eq(log.count, count, "steps and entries differ");
    for (size_t i = 0; i < count; i++) {
        struct stile_digest set = set_of(count - i);
        struct stile_str files;

        cr_assert_eq(steps[i].number, count - i);
        cr_assert(stile_digest_eq(&steps[i].to, &set));
        cr_assert_eq(OPS(w)->rules_files(w->store, &set, w->arena, &files),
                     STILE_OK);
        cr_assert(stile_str_eq(files, hex_of(&set, w->arena)));
    }
    return count;
}

Test(crash, killed_while_rules_come_in_force, .timeout = 120)
{
    struct world w;
    uint64_t count = 0;
    unsigned seed = (unsigned)time(NULL);

    (void)fprintf(stderr, "rules crash seed %u\n", seed);
    world_sqlite(&w);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t said;

        OPS(&w)->close(&w.store);
        seed = seed * 1103515245u + 12345u;
        said = run_and_kill(w.path, count + 1, (long)(seed >> 8) % 30000000L);
        world_sqlite_open(&w);
        count = check(&w);
        cr_assert(count == said || count == said + 1,
                  "%llu were acknowledged, %llu are there",
                  (unsigned long long)said, (unsigned long long)count);
        stile_arena_reset(w.arena);
    }
    world_end(&w);
}
