#include "sqlite.h"

#include <string.h>

enum stile_status stile__sql_audit_head(struct stile_store *store,
                                        struct stile_audit_tree *ret)
{
    struct sqlite_store *s = sqlite_of(store);

    if (stile__sql_read(s)) {
        *ret = s->state.tree;
    }
    return s->failed;
}

enum stile_status stile__sql_audit_scan(struct stile_store *store,
                                        uint64_t from, stile_entry_fn fn,
                                        void *ctx)
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status = STILE_OK;
    uint64_t index = from;

    if (from > INT64_MAX) {
        return STILE_OK;
    }
    (void)stile__sql_read(s);
    stile__sql_int(s, SQL_SCAN, 1, (int64_t)from);
    while (status == STILE_OK && stile__sql_row(s, SQL_SCAN)) {
        struct stile_digest hash;

        stile__sql_get_digest(s, SQL_SCAN, 1, &hash);
        if (s->failed == STILE_OK) {
            status = fn(ctx, index++, stile__sql_column(s, SQL_SCAN, 0), &hash);
        }
    }
    stile__sql_end(s, SQL_SCAN);
    stile__sql_fail(s, status == STILE_END ? STILE_OK : status);
    return s->failed;
}

enum stile_status stile__sql_checkpoint_put(struct stile_store *store,
                                            uint64_t size,
                                            struct stile_str note,
                                            stile_time now)
{
    struct sqlite_store *s = sqlite_of(store);
    int64_t last = -1;

    if (note.len == 0) {
        return STILE_INVALID;
    }
    if (!stile__body_fits(note)) {
        return STILE_LIMIT;
    }
    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    if (size > s->state.tree.size) {
        stile__sql_fail(s, STILE_INVALID);
    }
    if (stile__sql_row(s, SQL_NOTE_LAST)) {
        last = stile__sql_number(s, SQL_NOTE_LAST, 0);
        stile__sql_end(s, SQL_NOTE_LAST);
    }
    if (s->failed == STILE_OK && (int64_t)size <= last) {
        stile__sql_fail(s,
                        (int64_t)size == last ? STILE_EXISTS : STILE_CONFLICT);
    }
    stile__sql_int(s, SQL_NOTE_PUT, 1, (int64_t)size);
    stile__sql_blob(s, SQL_NOTE_PUT, 2, note);
    stile__sql_int(s, SQL_NOTE_PUT, 3, now);
    stile__sql_run(s, SQL_NOTE_PUT);
    return stile__sql_commit(s);
}

enum stile_status stile__sql_checkpoints(struct stile_store *store,
                                         struct stile_arena *arena,
                                         struct stile_str **ret_notes,
                                         uint64_t **ret_sizes,
                                         size_t *ret_count)
{
    struct sqlite_store *s = sqlite_of(store);
    struct sql_list notes = {.arena = arena, .size = sizeof **ret_notes};
    struct sql_list sizes = {.arena = arena, .size = sizeof **ret_sizes};

    (void)stile__sql_read(s);
    while (stile__sql_row(s, SQL_NOTES)) {
        struct stile_str *note = stile__sql_push(s, &notes);
        uint64_t *size = stile__sql_push(s, &sizes);

        if (note && size) {
            *note = stile__sql_copy(s, SQL_NOTES, 0, arena);
            *size = (uint64_t)stile__sql_number(s, SQL_NOTES, 1);
        }
    }
    if (s->failed == STILE_OK) {
        *ret_notes = (struct stile_str *)(void *)notes.items;
        *ret_sizes = (uint64_t *)(void *)sizes.items;
        *ret_count = notes.count;
    }
    return s->failed;
}

static void read_salt(struct sqlite_store *s, uint8_t ret[32])
{
    struct stile_digest salt;

    if (!stile__sql_row(s, SQL_SALT_GET)) {
        stile__sql_fail(s, STILE_NOT_FOUND);
        return;
    }
    stile__sql_get_digest(s, SQL_SALT_GET, 0, &salt);
    stile__sql_end(s, SQL_SALT_GET);
    if (s->failed == STILE_OK) {
        memcpy(ret, salt.bytes, sizeof salt.bytes);
    }
    stile_wipe(&salt, sizeof salt);
}

enum stile_status stile__sql_salt(struct stile_store *store,
                                  const uint8_t fresh[32], uint8_t ret[32])
{
    struct sqlite_store *s = sqlite_of(store);
    enum stile_status status;
    uint8_t salt[32];

    if (s->read_only) {
        (void)stile__sql_read(s);
        read_salt(s, ret);
        return s->failed;
    }
    if (!stile__sql_begin(s)) {
        return s->failed;
    }
    stile__sql_blob(s, SQL_SALT_PUT, 1,
                    (struct stile_str){(const char *)fresh, 32});
    stile__sql_run(s, SQL_SALT_PUT);
    read_salt(s, salt);
    status = stile__sql_commit(s);
    if (status == STILE_OK) {
        memcpy(ret, salt, sizeof salt);
    }
    stile_wipe(salt, sizeof salt);
    return status;
}
