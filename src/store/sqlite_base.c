#include "sqlite.h"

#include <string.h>

/* Past so many pages of write-ahead log a commit itself copies them into the
 * file: nobody calls tend, or it cannot keep up. */
#define WAL_PAGES_HARD 16384

static const char *const sql_texts[SQL_COUNT] = {
#define X(name, text) text,
    SQL_LIST(X)
#undef X
};

enum stile_status stile__sql_status(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STILE_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STILE_BUSY;
    case SQLITE_NOMEM:
        return STILE_NOMEM;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return STILE_DENIED;
    case SQLITE_CONSTRAINT:
        return STILE_CONFLICT;
    case SQLITE_TOOBIG:
        return STILE_LIMIT;
    default:
        return STILE_IO;
    }
}

void stile__sql_fail(struct sqlite_store *s, enum stile_status status)
{
    if (s->failed == STILE_OK) {
        s->failed = status;
    }
}

static void check(struct sqlite_store *s, int code)
{
    stile__sql_fail(s, stile__sql_status(code));
}

/* A statement is prepared when first asked for, and kept. */
static sqlite3_stmt *statement(struct sqlite_store *s, enum sql sql)
{
    if (s->failed == STILE_OK && !s->sql[sql]) {
        check(s, sqlite3_prepare_v3(s->db, sql_texts[sql], -1,
                                    SQLITE_PREPARE_PERSISTENT, &s->sql[sql],
                                    NULL));
    }
    return s->failed == STILE_OK ? s->sql[sql] : NULL;
}

/* The bytes are borrowed until the statement ends. An empty slice is an empty
 * text, never NULL. */
void stile__sql_text(struct sqlite_store *s, enum sql sql, int at,
                     struct stile_str text)
{
    sqlite3_stmt *stmt = statement(s, sql);

    if (stmt) {
        check(s, sqlite3_bind_text64(stmt, at, text.len > 0 ? text.ptr : "",
                                     text.len, SQLITE_STATIC, SQLITE_UTF8));
    }
}

void stile__sql_blob(struct sqlite_store *s, enum sql sql, int at,
                     struct stile_str bytes)
{
    sqlite3_stmt *stmt = statement(s, sql);

    if (stmt) {
        check(s, sqlite3_bind_blob64(stmt, at, bytes.len > 0 ? bytes.ptr : "",
                                     bytes.len, SQLITE_STATIC));
    }
}

void stile__sql_int(struct sqlite_store *s, enum sql sql, int at, int64_t n)
{
    sqlite3_stmt *stmt = statement(s, sql);

    if (stmt) {
        check(s, sqlite3_bind_int64(stmt, at, n));
    }
}

void stile__sql_digest(struct sqlite_store *s, enum sql sql, int at,
                       const struct stile_digest *digest)
{
    stile__sql_blob(
        s, sql, at,
        (struct stile_str){(const char *)digest->bytes, sizeof digest->bytes});
}

bool stile__sql_row(struct sqlite_store *s, enum sql sql)
{
    sqlite3_stmt *stmt = statement(s, sql);
    int code;

    if (!stmt) {
        stile__sql_end(s, sql);
        return false;
    }
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        return true;
    }
    check(s, code);
    stile__sql_end(s, sql);
    return false;
}

void stile__sql_end(struct sqlite_store *s, enum sql sql)
{
    if (s->sql[sql]) {
        (void)sqlite3_reset(s->sql[sql]); /* repeats what step said */
        (void)sqlite3_clear_bindings(s->sql[sql]);
    }
}

void stile__sql_run(struct sqlite_store *s, enum sql sql)
{
    if (stile__sql_row(s, sql)) {
        stile__sql_end(s, sql);
    }
}

uint64_t stile__sql_changes(struct sqlite_store *s)
{
    return s->failed == STILE_OK ? (uint64_t)sqlite3_changes64(s->db) : 0;
}

struct stile_str stile__sql_column(struct sqlite_store *s, enum sql sql, int at)
{
    const char *ptr = sqlite3_column_blob(s->sql[sql], at);

    return (struct stile_str){
        ptr ? ptr : "",
        ptr ? (size_t)sqlite3_column_bytes(s->sql[sql], at) : 0};
}

struct stile_str stile__sql_copy(struct sqlite_store *s, enum sql sql, int at,
                                 struct stile_arena *arena)
{
    struct stile_str copy =
        stile_arena_str(arena, stile__sql_column(s, sql, at));

    if (stile_arena_failed(arena)) {
        stile__sql_fail(s, STILE_NOMEM);
        return STILE_STR("");
    }
    return copy;
}

int64_t stile__sql_number(struct sqlite_store *s, enum sql sql, int at)
{
    return sqlite3_column_int64(s->sql[sql], at);
}

/* A digest of another length is a damaged file. */
void stile__sql_get_digest(struct sqlite_store *s, enum sql sql, int at,
                           struct stile_digest *ret)
{
    struct stile_str bytes = stile__sql_column(s, sql, at);

    memset(ret, 0, sizeof *ret);
    if (bytes.len != sizeof ret->bytes) {
        stile__sql_fail(s, STILE_IO);
        return;
    }
    memcpy(ret->bytes, bytes.ptr, sizeof ret->bytes);
}

void *stile__sql_push(struct sqlite_store *s, struct sql_list *list)
{
    unsigned char *items;
    size_t capacity;

    if (s->failed != STILE_OK) {
        return NULL;
    }
    if (list->count == list->capacity) {
        capacity = list->capacity > 0 ? list->capacity * 2 : 16;
        items = stile_arena_array(list->arena, capacity, list->size);
        if (!items) {
            stile__sql_fail(s, STILE_NOMEM);
            return NULL;
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * list->size);
        }
        list->items = items;
        list->capacity = capacity;
    }
    return list->items + list->size * list->count++;
}

/* ---- transactions ---- */

static void see_others(struct sqlite_store *s)
{
    int64_t version = s->version;

    if (stile__sql_row(s, SQL_VERSION)) {
        version = stile__sql_number(s, SQL_VERSION, 0);
        stile__sql_end(s, SQL_VERSION);
    }
    if (s->failed == STILE_OK && version != s->version) {
        stile__sql_state_get(s);
        s->version = version;
    }
}

static void roll_back(struct sqlite_store *s)
{
    enum stile_status failed = s->failed;

    /* after some errors SQLite has rolled back by itself */
    if (!sqlite3_get_autocommit(s->db)) {
        s->failed = STILE_OK;
        stile__sql_run(s, SQL_ROLLBACK);
        s->broken = s->broken || s->failed != STILE_OK;
    }
    s->failed = failed;
    s->state = s->before;
}

bool stile__sql_begin(struct sqlite_store *s)
{
    s->failed = s->read_only ? STILE_DENIED
                : s->broken  ? STILE_UNCERTAIN
                             : STILE_OK;
    if (s->failed != STILE_OK) {
        return false;
    }
    s->before = s->state;
    stile__sql_run(s, SQL_BEGIN);
    if (s->failed != STILE_OK) {
        return false;
    }
    see_others(s);
    s->before = s->state;
    if (s->failed != STILE_OK) {
        roll_back(s);
        return false;
    }
    return true;
}

/* The disk may have taken a commit that failed, unless it was full. */
static enum stile_status commit_failed(struct sqlite_store *s, int code)
{
    enum stile_status status = stile__sql_status(code);

    roll_back(s);
    if (s->broken || (status == STILE_IO && (code & 0xff) != SQLITE_FULL)) {
        s->broken = true;
        return STILE_UNCERTAIN;
    }
    return status;
}

enum stile_status stile__sql_commit(struct sqlite_store *s)
{
    sqlite3_stmt *stmt;
    int code;

    if (memcmp(&s->state, &s->before, sizeof s->state) != 0) {
        stile__sql_state_put(s);
    }
    stmt = statement(s, SQL_COMMIT);
    if (!stmt) {
        roll_back(s);
        return s->failed;
    }
    code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    if (code != SQLITE_DONE) {
        return commit_failed(s, code);
    }
    if (s->wal_pages >= WAL_PAGES_HARD) {
        s->store.ops->tend(&s->store, true);
    }
    return STILE_OK;
}

bool stile__sql_read(struct sqlite_store *s)
{
    s->failed = s->broken ? STILE_UNCERTAIN : STILE_OK;
    see_others(s);
    return s->failed == STILE_OK;
}

/* ---- the state row ---- */

#define COUNTS 13
_Static_assert(STILE_ROW_COUNT == 8, "the state row keeps eight counts");

static void counts_list(struct stile_counts *counts, uint64_t *ret[COUNTS])
{
    for (size_t i = 0; i < STILE_ROW_COUNT; i++) {
        ret[i] = &counts->rows[i];
    }
    ret[8] = &counts->quarantine;
    ret[9] = &counts->held;
    ret[10] = &counts->dirty;
    ret[11] = &counts->facts;
    ret[12] = &counts->messages;
}

void stile__sql_state_put(struct sqlite_store *s)
{
    unsigned char edge[sizeof s->state.tree.edge];
    unsigned char counts[COUNTS * 8];
    uint64_t *numbers[COUNTS];
    size_t len = 0;

    for (unsigned i = 0; i < 64; i++) {
        if ((s->state.tree.size >> i & 1) != 0) {
            memcpy(edge + len, s->state.tree.edge[i].bytes, 32);
            len += 32;
        }
    }
    counts_list(&s->state.counts, numbers);
    for (size_t i = 0; i < sizeof counts; i++) {
        counts[i] = (unsigned char)(*numbers[i / 8] >> (56 - 8 * (i % 8)));
    }
    stile__sql_int(s, SQL_STATE_PUT, 1, (int64_t)s->state.tree.size);
    stile__sql_blob(s, SQL_STATE_PUT, 2,
                    (struct stile_str){(const char *)edge, len});
    stile__sql_int(s, SQL_STATE_PUT, 3, (int64_t)s->state.mark);
    stile__sql_int(s, SQL_STATE_PUT, 4, (int64_t)s->state.counts.epoch);
    stile__sql_blob(s, SQL_STATE_PUT, 5,
                    (struct stile_str){(const char *)counts, sizeof counts});
    stile__sql_run(s, SQL_STATE_PUT);
}

static bool edge_get(struct stile_audit_tree *tree, struct stile_str bytes)
{
    size_t len = 0;

    for (unsigned i = 0; i < 64; i++) {
        if ((tree->size >> i & 1) == 0) {
            continue;
        }
        if (bytes.len - len < 32) {
            return false;
        }
        memcpy(tree->edge[i].bytes, bytes.ptr + len, 32);
        len += 32;
    }
    return len == bytes.len;
}

void stile__sql_state_get(struct sqlite_store *s)
{
    struct sql_state state;
    uint64_t *numbers[COUNTS];
    struct stile_str bytes;

    memset(&state, 0, sizeof state);
    if (!stile__sql_row(s, SQL_STATE_GET)) {
        stile__sql_fail(s, STILE_IO);
        return;
    }
    state.tree.size = (uint64_t)stile__sql_number(s, SQL_STATE_GET, 0);
    if (!edge_get(&state.tree, stile__sql_column(s, SQL_STATE_GET, 1))) {
        stile__sql_fail(s, STILE_IO);
    }
    state.mark = (uint64_t)stile__sql_number(s, SQL_STATE_GET, 2);
    counts_list(&state.counts, numbers);
    bytes = stile__sql_column(s, SQL_STATE_GET, 4);
    for (size_t i = 0; i < COUNTS * 8 && i < bytes.len; i++) {
        *numbers[i / 8] = *numbers[i / 8] << 8 | (unsigned char)bytes.ptr[i];
    }
    state.counts.entries = state.tree.size;
    state.counts.epoch = (uint64_t)stile__sql_number(s, SQL_STATE_GET, 3);
    stile__sql_end(s, SQL_STATE_GET);
    if (s->failed == STILE_OK) {
        s->state = state;
    }
}
