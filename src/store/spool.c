/*
 * Rows put aside in a temporary SQLite database. Why SQLite: its page cache is
 * the budget, it goes to the disk by itself when the budget is used up, and
 * its sorter puts the rows in order in bounded memory.
 */
#include "sqlite.h"

#include <stdlib.h>
#include <string.h>

enum spool_sql {
    SPOOL_KEY,
    SPOOL_SET_KEY,
    SPOOL_GONE,
    SPOOL_PUT,
    SPOOL_NAME,
    SPOOL_FIND,
    SPOOL_EACH,
    SPOOL_COUNT
};

static const char *const texts[SPOOL_COUNT] = {
    [SPOOL_KEY] = "SELECT id FROM k WHERE key = ?1",
    [SPOOL_SET_KEY] = "INSERT OR REPLACE INTO k (key, id) VALUES (?1, ?2)",
    [SPOOL_GONE] = "UPDATE r SET gone = 1 WHERE id = ?2",
    [SPOOL_PUT] = "INSERT INTO r (g, gone, body) VALUES (?2, ?3, ?1)",
    [SPOOL_NAME] = "INSERT OR IGNORE INTO n (name, id) VALUES (?1, ?2)",
    [SPOOL_FIND] = "SELECT r.body FROM n JOIN r ON r.id = n.id "
                   "WHERE n.name = ?1 AND r.gone = 0 ORDER BY n.id LIMIT 1",
    [SPOOL_EACH] = "SELECT g, body FROM r WHERE g >= 0 AND gone = 0 "
                   "ORDER BY g, id",
};

static const char schema[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
    "PRAGMA temp_store = FILE; PRAGMA locking_mode = EXCLUSIVE;"
    "CREATE TABLE r (id INTEGER PRIMARY KEY, g INTEGER NOT NULL,"
    " gone INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE k (key BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE n (name BLOB NOT NULL, id INTEGER NOT NULL,"
    " PRIMARY KEY (name, id)) WITHOUT ROWID;"
    "BEGIN";

struct stile_spool {
    sqlite3 *db;
    sqlite3_stmt *sql[SPOOL_COUNT];
    int64_t last; /* the row that was put last */
};

void stile_spool_close(struct stile_spool **at)
{
    struct stile_spool *spool = *at;
    if (spool == NULL) {
        return;
    }
    *at = NULL;
    for (int i = 0; i < SPOOL_COUNT; i++) {
        (void)sqlite3_finalize(spool->sql[i]);
    }
    (void)sqlite3_close(spool->db);
    free(spool);
}

static enum stile_status prepare(struct stile_spool *spool, size_t cache)
{
    char budget[64];
    int code = sqlite3_exec(spool->db, schema, NULL, NULL, NULL);
    /* Below zero: in KiB. */
    (void)snprintf(budget, sizeof(budget), "PRAGMA cache_size = -%zu",
                   cache / 1024 > 0 ? cache / 1024 : 1);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(spool->db, budget, NULL, NULL, NULL);
    }
    for (int i = 0; i < SPOOL_COUNT && code == SQLITE_OK; i++) {
        code =
            sqlite3_prepare_v3(spool->db, texts[i], -1,
                               SQLITE_PREPARE_PERSISTENT, &spool->sql[i], NULL);
    }
    return stile__sql_status(code);
}

enum stile_status stile_spool_open(size_t cache, struct stile_spool **ret)
{
    struct stile_spool *spool = calloc(1, sizeof(*spool));
    if (spool == NULL) {
        return STILE_NOMEM;
    }
    /* An empty name: a database of its own on the disk, gone at close. */
    enum stile_status status = stile__sql_status(sqlite3_open_v2(
        "", &spool->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
    if (status == STILE_OK) {
        status = prepare(spool, cache);
    }
    if (status != STILE_OK) {
        stile_spool_close(&spool);
        return status;
    }
    *ret = spool;
    return STILE_OK;
}

/* One step of a statement with a blob at 1 (when not NULL) and a number at 2:
 * SQLITE_ROW, SQLITE_DONE or an error. */
static int step(struct stile_spool *spool, enum spool_sql sql,
                const struct stile_str *blob, int64_t number)
{
    sqlite3_stmt *s = spool->sql[sql];
    int code = SQLITE_OK;
    if (blob != NULL) {
        code = sqlite3_bind_blob64(s, 1, blob->len > 0 ? blob->ptr : "",
                                   blob->len, SQLITE_STATIC);
    }
    if (code == SQLITE_OK && sqlite3_bind_parameter_count(s) > 1) {
        code = sqlite3_bind_int64(s, 2, number);
    }
    return code == SQLITE_OK ? sqlite3_step(s) : code;
}

static enum stile_status run(struct stile_spool *spool, enum spool_sql sql,
                             const struct stile_str *blob, int64_t number)
{
    int code = step(spool, sql, blob, number);
    (void)sqlite3_reset(spool->sql[sql]);
    return stile__sql_status(code);
}

/* The row that has the key now is gone. */
static enum stile_status replace(struct stile_spool *spool,
                                 struct stile_str key, bool *ret_replaced)
{
    int code = step(spool, SPOOL_KEY, &key, 0);
    int64_t id =
        code == SQLITE_ROW ? sqlite3_column_int64(spool->sql[SPOOL_KEY], 0) : 0;
    (void)sqlite3_reset(spool->sql[SPOOL_KEY]);
    *ret_replaced = code == SQLITE_ROW;
    return code == SQLITE_ROW ? run(spool, SPOOL_GONE, NULL, id)
                              : stile__sql_status(code);
}

enum stile_status stile_spool_put(struct stile_spool *spool, int64_t group,
                                  struct stile_str key, struct stile_str body,
                                  bool gone, bool *ret_replaced)
{
    bool replaced = false;
    enum stile_status status = STILE_OK;
    if (key.len > 0) {
        status = replace(spool, key, &replaced);
    }
    if (status == STILE_OK) {
        status = stile__sql_status(
            sqlite3_bind_int(spool->sql[SPOOL_PUT], 3, gone ? 1 : 0));
    }
    if (status == STILE_OK) {
        status = run(spool, SPOOL_PUT, &body, group);
    }
    spool->last = sqlite3_last_insert_rowid(spool->db);
    if (status == STILE_OK && key.len > 0) {
        status = run(spool, SPOOL_SET_KEY, &key, spool->last);
    }
    if (status == STILE_OK) {
        *ret_replaced = replaced;
    }
    return status;
}

enum stile_status stile_spool_name(struct stile_spool *spool,
                                   struct stile_str name)
{
    return run(spool, SPOOL_NAME, &name, spool->last);
}

static struct stile_str body_of(sqlite3_stmt *s, int column)
{
    const void *bytes = sqlite3_column_blob(s, column);
    int len = sqlite3_column_bytes(s, column);
    return (struct stile_str){bytes, len > 0 ? (size_t)len : 0};
}

enum stile_status stile_spool_find(struct stile_spool *spool,
                                   struct stile_str name,
                                   struct stile_arena *arena,
                                   struct stile_str *ret_body)
{
    sqlite3_stmt *s = spool->sql[SPOOL_FIND];
    int code = step(spool, SPOOL_FIND, &name, 0);
    enum stile_status status =
        code == SQLITE_DONE ? STILE_NOT_FOUND : stile__sql_status(code);
    if (code == SQLITE_ROW) {
        struct stile_str body = stile_arena_str(arena, body_of(s, 0));
        status = stile_arena_failed(arena) ? STILE_NOMEM : STILE_OK;
        if (status == STILE_OK) {
            *ret_body = body;
        }
    }
    (void)sqlite3_reset(s);
    return status;
}

enum stile_status stile_spool_each(
    struct stile_spool *spool,
    enum stile_status (*fn)(void *ctx, int64_t group, struct stile_str body),
    void *ctx)
{
    sqlite3_stmt *s = spool->sql[SPOOL_EACH];
    enum stile_status status = STILE_OK;
    int code = sqlite3_step(s);
    while (code == SQLITE_ROW && status == STILE_OK) {
        status = fn(ctx, sqlite3_column_int64(s, 0), body_of(s, 1));
        code = status == STILE_OK ? sqlite3_step(s) : code;
    }
    (void)sqlite3_reset(s);
    return status != STILE_OK ? status : stile__sql_status(code);
}
