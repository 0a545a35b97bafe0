#define _POSIX_C_SOURCE 200809L

#include "store_world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void world_sqlite_open(struct world *w)
{
    struct stile_str error = STILE_STR_NULL;
    enum stile_status status =
        stile_store_sqlite_open(w->path, false, w->arena, &w->store, &error);

    cr_assert_eq(status, STILE_OK, "%s: %.*s", stile_status_text(status),
                 STILE_FMT(error));
}

void world_memory(struct world *w)
{
    *w = (struct world){.arena = stile_arena_new((size_t)256 << 20)};
    cr_assert_eq(stile_store_memory_open(&w->store), STILE_OK);
}

void world_sqlite(struct world *w)
{
    const char *base = getenv("TMPDIR");

    *w = (struct world){.arena = stile_arena_new((size_t)256 << 20)};
    (void)snprintf(w->folder, sizeof w->folder, "%s/stile-store-XXXXXX",
                   base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(w->folder));
    (void)snprintf(w->path, sizeof w->path, "%s/store", w->folder);
    world_sqlite_open(w);
}

void world_flaky(struct world *w)
{
    world_sqlite(w);
    w->store = flaky_wrap(w->store);
}

void world_reopen(struct world *w)
{
    bool flaky = stile_str_eqc(stile_str_cstr(OPS(w)->name), "flaky");

    if (w->path[0] == '\0') {
        return;
    }
    OPS(w)->close(&w->store);
    world_sqlite_open(w);
    if (flaky) {
        w->store = flaky_wrap(w->store);
    }
}

void world_end(struct world *w)
{
    DIR *dir;
    struct dirent *entry;
    char path[512];

    if (w->store) {
        OPS(w)->close(&w->store);
    }
    cr_assert_null(w->store);
    stile_arena_free(&w->arena);
    dir = w->folder[0] != '\0' ? opendir(w->folder) : NULL;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", w->folder,
                           entry->d_name);
            (void)unlink(path);
        }
    }
    if (dir) {
        (void)closedir(dir);
        (void)rmdir(w->folder);
    }
}

enum stile_status accept_one(struct world *w, const struct stile_accept *accept,
                             struct stile_accepted *ret)
{
    struct stile_accepted accepted;

    cr_assert_eq(OPS(w)->accept(w->store, accept, 1, w->arena, &accepted),
                 STILE_OK);
    if (ret) {
        *ret = accepted;
    }
    return accepted.status;
}

struct stile_outbox_new new_row(struct world *w, const char *key,
                                const char *partner, const char *lane,
                                stile_time due)
{
    return (struct stile_outbox_new){
        .route = S("ward-to-charity"),
        .partner = stile_str_cstr(partner),
        .format = S("fhir"),
        .media_type = S("application/fhir+json"),
        .lane = stile_str_cstr(lane),
        .key = stile_str_cstr(key),
        .body = stile_arena_printf(w->arena, "body of %s", key),
        .due = due};
}

void queue_row(struct world *w, const char *key, const char *partner,
               const char *lane, stile_time due)
{
    struct stile_outbox_new row = new_row(w, key, partner, lane, due);
    struct stile_accept accept = {.now = due, .rows = &row, .row_count = 1};

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
}

struct stile_outbox_row *claim_rows(struct world *w, const char *partner,
                                    uint32_t room, stile_time now,
                                    size_t *ret_count)
{
    struct stile_partner_claim claim = {stile_str_cstr(partner), room};
    struct stile_outbox_row *rows = NULL;

    cr_assert_eq(
        OPS(w)->claim(w->store, now, &claim, 1, w->arena, &rows, ret_count),
        STILE_OK);
    return rows;
}

const char *claim_key(struct world *w, const char *partner, stile_time now,
                      int64_t *ret_id)
{
    size_t count = 0;
    struct stile_outbox_row *rows = claim_rows(w, partner, 1, now, &count);

    if (count == 0) {
        return NULL;
    }
    *ret_id = rows[0].id;
    return stile_arena_cstr(w->arena, rows[0].what.key);
}

enum stile_status settle_row(struct world *w, int64_t id,
                             enum stile_row_state state, stile_time due)
{
    struct stile_settle settle = {
        .id = id, .state = state, .due = due, .now = due, .reason = S("why")};

    return OPS(w)->settle(w->store, &settle, 1);
}

struct stile_counts count_all(struct world *w)
{
    struct stile_counts counts;

    cr_assert_eq(OPS(w)->counts(w->store, &counts), STILE_OK);
    return counts;
}

struct stile_outbox_row find_row(struct world *w, const char *key)
{
    struct stile_outbox_row *rows = NULL;
    size_t count = 0;

    cr_assert_eq(OPS(w)->list(w->store, SIZE_MAX, w->arena, &rows, &count),
                 STILE_OK);
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eqc(rows[i].what.key, key)) {
            return rows[i];
        }
    }
    cr_assert_fail("no row of key %s", key);
    return (struct stile_outbox_row){.id = 0};
}
