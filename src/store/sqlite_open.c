/* POSIX: the file is made with its mode before SQLite sees it. */
#define _POSIX_C_SOURCE 200809L

#include "sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x5354494c /* "STIL" */
#define BUSY_MS 5000
#define WAL_PAGES_IDLE 1000
#define WAL_PAGES_SOON 8000

/* sqlite_sql.h and the indexes below hold these numbers. */
_Static_assert(STILE_ROW_QUEUED == 0 && STILE_ROW_SENDING == 1 &&
                   STILE_ROW_DONE == 2 && STILE_ROW_DEFERRED == 3 &&
                   STILE_ROW_REFUSED == 4 && STILE_ROW_UNKNOWN == 5 &&
                   STILE_ROW_PARKED == 6 && STILE_ROW_WITHDRAWN == 7,
               "states in the file must keep their numbers");
_Static_assert(STILE_REVIEW_WAITING == 0 && STILE_REVIEW_RELEASED == 1 &&
                   STILE_REVIEW_REFUSED == 2 && STILE_REVIEW_LAPSED == 3 &&
                   STILE_REVIEW_RELEASE == 1 && STILE_REVIEW_REFUSE == 2,
               "and so must these");

/* One text a schema version; a file's user_version says how many it has had.
 * Never edit one that was released: add the next. */
static const char *const migrations[] = {
    "CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " size INTEGER NOT NULL, edge BLOB NOT NULL, mark INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL, counts BLOB NOT NULL) STRICT;"
    "INSERT INTO state VALUES (1, 0, x'', 0, 0, x'');"

    "CREATE TABLE dedupe (source TEXT NOT NULL, key TEXT NOT NULL,"
    " digest BLOB NOT NULL, answer_status INTEGER NOT NULL,"
    " answer_body BLOB NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (source, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX dedupe_at ON dedupe (at);"

    "CREATE TABLE message (id TEXT PRIMARY KEY NOT NULL,"
    " person TEXT NOT NULL, body BLOB NOT NULL,"
    " open INTEGER NOT NULL) STRICT;"

    "CREATE TABLE outbox (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
    " route TEXT NOT NULL, partner TEXT NOT NULL, format TEXT NOT NULL,"
    " media_type TEXT NOT NULL, lane TEXT NOT NULL,"
    " message_id TEXT NOT NULL, rules BLOB NOT NULL, epoch INTEGER NOT NULL,"
    " state INTEGER NOT NULL, ready INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, queued_at INTEGER NOT NULL,"
    " due INTEGER NOT NULL, ended_at INTEGER NOT NULL,"
    " reason TEXT NOT NULL) STRICT;"
    "CREATE INDEX outbox_due ON outbox (partner, due, id) WHERE ready = 1;"
    "CREATE INDEX outbox_lane ON outbox (lane, id)"
    " WHERE lane <> '' AND state NOT IN (2, 4, 7);"
    "CREATE INDEX outbox_open ON outbox (queued_at)"
    " WHERE state NOT IN (2, 4, 7);"
    "CREATE INDEX outbox_ended ON outbox (ended_at)"
    " WHERE state IN (2, 4, 7);"
    /* apart, so that a change of state does not rewrite the body */
    "CREATE TABLE outbox_body (id INTEGER PRIMARY KEY"
    " REFERENCES outbox (id) ON DELETE CASCADE, body BLOB NOT NULL) STRICT;"

    "CREATE TABLE fact (person TEXT NOT NULL, name TEXT NOT NULL,"
    " recipient TEXT NOT NULL, source TEXT NOT NULL,"
    " value INTEGER NOT NULL, date INTEGER NOT NULL,"
    " PRIMARY KEY (person, name, recipient, source)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE person (person TEXT PRIMARY KEY NOT NULL,"
    " epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sent (person TEXT NOT NULL, route TEXT NOT NULL,"
    " type TEXT NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL,"
    " PRIMARY KEY (person, route, type, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE quarantine (id INTEGER PRIMARY KEY,"
    " source TEXT NOT NULL, name TEXT NOT NULL, row INTEGER NOT NULL,"
    " reason TEXT NOT NULL, bytes BLOB NOT NULL,"
    " at INTEGER NOT NULL) STRICT;"

    "CREATE TABLE mirror (id INTEGER PRIMARY KEY, feed TEXT NOT NULL,"
    " tbl TEXT NOT NULL, key TEXT NOT NULL, person TEXT NOT NULL,"
    " cells BLOB NOT NULL, ord INTEGER NOT NULL, deleted INTEGER NOT NULL,"
    " batch INTEGER NOT NULL, mark INTEGER NOT NULL,"
    " UNIQUE (feed, tbl, key)) STRICT;"
    "CREATE INDEX mirror_person ON mirror (feed, person, tbl, key)"
    " WHERE person <> '';"
    "CREATE TABLE dirty (id INTEGER PRIMARY KEY, feed TEXT NOT NULL,"
    " person TEXT NOT NULL, mark INTEGER NOT NULL,"
    " UNIQUE (feed, person)) STRICT;"
    "CREATE INDEX dirty_feed ON dirty (feed, id);"
    "CREATE TABLE held (id INTEGER PRIMARY KEY, feed TEXT NOT NULL,"
    " person TEXT NOT NULL, tbl TEXT NOT NULL, key TEXT NOT NULL,"
    " missing TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL,"
    " stale INTEGER NOT NULL) STRICT;"
    "CREATE INDEX held_person ON held (feed, person);"
    "CREATE INDEX held_missing ON held (feed, missing, person);"
    "CREATE INDEX held_since ON held (since, id);"
    "CREATE TABLE batch (id INTEGER PRIMARY KEY, feed TEXT NOT NULL,"
    " name TEXT NOT NULL, begun_at INTEGER NOT NULL, finished_at INTEGER,"
    " UNIQUE (feed, name)) STRICT;"

    "CREATE TABLE audit (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL,"
    " hash BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
    "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note BLOB NOT NULL,"
    " at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE secret (name TEXT PRIMARY KEY NOT NULL,"
    " value BLOB NOT NULL) STRICT, WITHOUT ROWID;",

    /* A fact may hold for a time only. */
    "ALTER TABLE fact ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE fact ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;",

    /* what waits for a person; ids are signed for, so none comes twice */
    "CREATE TABLE review (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " state INTEGER NOT NULL, route TEXT NOT NULL, partner TEXT NOT NULL,"
    " person TEXT NOT NULL, message_id TEXT NOT NULL, feed TEXT NOT NULL,"
    " feed_person TEXT NOT NULL, since INTEGER NOT NULL,"
    " ended_at INTEGER NOT NULL, reason TEXT NOT NULL,"
    " act TEXT NOT NULL) STRICT;"
    "CREATE INDEX review_waiting ON review (since, id) WHERE state = 0;"
    "CREATE INDEX review_ended ON review (ended_at, id) WHERE state <> 0;"
    "CREATE INDEX review_person ON review (person, id);"
    "CREATE TABLE review_item (review INTEGER NOT NULL"
    " REFERENCES review (id) ON DELETE CASCADE, n INTEGER NOT NULL,"
    " type TEXT NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL,"
    " data TEXT NOT NULL, rules TEXT NOT NULL, word INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, PRIMARY KEY (review, n))"
    " STRICT, WITHOUT ROWID;",

    /* rule sets, and which one is in force */
    "CREATE TABLE rule_set (digest BLOB PRIMARY KEY NOT NULL,"
    " files BLOB NOT NULL) STRICT;"
    "CREATE TABLE rule_step (number INTEGER PRIMARY KEY,"
    " from_set BLOB NOT NULL,"
    " to_set BLOB NOT NULL REFERENCES rule_set (digest),"
    " at INTEGER NOT NULL, class TEXT NOT NULL,"
    " acts BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER rule_set_no_update BEFORE UPDATE ON rule_set"
    " BEGIN SELECT RAISE(ABORT, 'a set that was in force stays'); END;"
    "CREATE TRIGGER rule_set_no_delete BEFORE DELETE ON rule_set"
    " BEGIN SELECT RAISE(ABORT, 'a set that was in force stays'); END;"
    "CREATE TRIGGER rule_step_no_update BEFORE UPDATE ON rule_step"
    " BEGIN SELECT RAISE(ABORT, 'what was in force stays known'); END;"
    "CREATE TRIGGER rule_step_no_delete BEFORE DELETE ON rule_step"
    " BEGIN SELECT RAISE(ABORT, 'what was in force stays known'); END;"
    "CREATE TABLE rule_approval (subject TEXT NOT NULL,"
    " officer TEXT NOT NULL, because TEXT NOT NULL, at INTEGER NOT NULL,"
    " signature BLOB NOT NULL,"
    " PRIMARY KEY (subject, officer)) STRICT, WITHOUT ROWID;",

    /* under which plan a feed's persons were last shown */
    "CREATE TABLE shown (feed TEXT PRIMARY KEY NOT NULL,"
    " plan BLOB NOT NULL) STRICT, WITHOUT ROWID;",
};
#define SCHEMA_VERSION ((int64_t)(sizeof migrations / sizeof migrations[0]))

static void close_store(struct stile_store **store)
{
    struct sqlite_store *s;

    if (!store || !*store) {
        return;
    }
    s = sqlite_of(*store);
    for (size_t i = 0; i < SQL_COUNT; i++) {
        (void)sqlite3_finalize(s->sql[i]); /* repeats what step said */
    }
    STILE_ASSERT(sqlite3_close(s->db) == SQLITE_OK);
    stile_wipe(s, sizeof *s);
    free(s);
    *store = NULL;
}

/* A failed checkpoint loses nothing: the log keeps all, and the next commit
 * counts its pages again. */
static void tend(struct stile_store *store, bool idle)
{
    struct sqlite_store *s = sqlite_of(store);

    if (s->read_only || s->broken ||
        s->wal_pages < (idle ? WAL_PAGES_IDLE : WAL_PAGES_SOON)) {
        return;
    }
    s->wal_pages = 0;
    (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                    NULL, NULL);
}

static int committed(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_store *s = ctx;

    (void)db;
    (void)name;
    s->wal_pages = pages;
    return SQLITE_OK;
}

static const struct stile_store_ops sqlite_ops = {
    .name = "sqlite",
    .close = close_store,
    .accept = stile__sql_accept,
    .claim = stile__sql_claim,
    .settle = stile__sql_settle,
    .recover = stile__sql_recover,
    .retry = stile__sql_retry,
    .list = stile__sql_list_rows,
    .facts = stile__sql_facts,
    .message = stile__sql_message,
    .sent = stile__sql_sent,
    .mirror_apply = stile__sql_mirror_apply,
    .mirror_person = stile__sql_mirror_person,
    .mirror_holds = stile__sql_mirror_holds,
    .mirror_get = stile__sql_mirror_get,
    .dirty = stile__sql_dirty_list,
    .held = stile__sql_held,
    .batch_begin = stile__sql_batch_begin,
    .batch_finish = stile__sql_batch_finish,
    .audit_head = stile__sql_audit_head,
    .audit_scan = stile__sql_audit_scan,
    .checkpoint_put = stile__sql_checkpoint_put,
    .checkpoints = stile__sql_checkpoints,
    .salt = stile__sql_salt,
    .counts = stile__sql_counts,
    .quarantined = stile__sql_quarantined,
    .withdraw = stile__sql_withdraw,
    .reviews = stile__sql_reviews,
    .reviewed = stile__sql_reviewed,
    .review_settle = stile__sql_review_settle,
    .touch = stile__sql_touch,
    .touch_under = stile__sql_touch_under,
    .sweep = stile__sql_sweep,
    .rules_put = stile__sql_rules_put,
    .rules_steps = stile__sql_rules_steps,
    .rules_files = stile__sql_rules_files,
    .rules_approve = stile__sql_rules_approve,
    .rules_approvals = stile__sql_rules_approvals,
    .tend = tend,
};

/* ---- opening ---- */

struct opening {
    const char *path;
    struct sqlite_store *s;
    struct stile_arena *arena;
    struct stile_str *error;
};

static enum stile_status fail(const struct opening *o, enum stile_status status,
                              const char *what)
{
    *o->error = stile_arena_printf(o->arena, "the store %s %s", o->path, what);
    return status;
}

/* The mode is looked at by name: to open and close the file here would drop
 * the locks another handle of this process has on it. */
static enum stile_status check_file(const struct opening *o)
{
    struct stat info;
    int fd;

    if (o->path[0] == '\0' || o->path[0] == ':') {
        return fail(o, STILE_INVALID, "is no file name: give a path");
    }
    if (!o->s->read_only) {
        fd = open(o->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            return close(fd) == 0 ? STILE_OK
                                  : fail(o, STILE_IO,
                                         "could not be made: look at the "
                                         "disk");
        }
        if (errno != EEXIST) {
            return fail(o, STILE_IO,
                        "could not be made: look at the folder and its "
                        "permissions");
        }
    }
    if (stat(o->path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return fail(o, o->s->read_only ? STILE_NOT_FOUND : STILE_IO,
                    "is not there or is no file: look at the path");
    }
    if (!o->s->read_only && (info.st_mode & 0077) != 0) {
        return fail(o, STILE_DENIED,
                    "may be read by others: take that away with chmod 600");
    }
    return STILE_OK;
}

static int64_t pragma(struct sqlite_store *s, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;

    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        value = sqlite3_column_int64(stmt, 0);
    }
    (void)sqlite3_finalize(stmt); /* -1 has said it */
    return value;
}

static bool run(struct sqlite_store *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Whose file it is, before anything in it is changed. */
static enum stile_status check_owner(const struct opening *o)
{
    int64_t id = pragma(o->s, "PRAGMA application_id");
    int64_t version = pragma(o->s, "PRAGMA user_version");
    int64_t tables = pragma(o->s, "SELECT count(*) FROM sqlite_schema");

    if (id < 0 || version < 0 || tables < 0) {
        return fail(o, STILE_IO,
                    "cannot be read as SQLite: restore it from a backup or "
                    "name another file");
    }
    if (id != APPLICATION_ID && (id != 0 || version != 0 || tables != 0)) {
        return fail(o, STILE_UNSUPPORTED,
                    "belongs to another program: name another file");
    }
    if (version > SCHEMA_VERSION) {
        return fail(o, STILE_UNSUPPORTED,
                    "was written by a newer stile: run that version");
    }
    if (o->s->read_only && version < SCHEMA_VERSION) {
        return fail(o, STILE_UNSUPPORTED,
                    "is of an older schema: open it once for writing");
    }
    return STILE_OK;
}

static enum stile_status migrate(const struct opening *o)
{
    char text[64];
    int64_t version;
    bool good = run(o->s, "BEGIN IMMEDIATE");

    /* read again: another process may have come first */
    version = good ? pragma(o->s, "PRAGMA user_version") : -1;
    good = good && version >= 0;
    for (; good && version < SCHEMA_VERSION; version++) {
        good = run(o->s, migrations[version]);
    }
    if (good) {
        (void)snprintf(text, sizeof text,
                       "PRAGMA application_id = %d; PRAGMA user_version = %d",
                       APPLICATION_ID, (int)version);
        good = run(o->s, text) && run(o->s, "COMMIT");
    }
    if (!good) {
        (void)run(o->s, "ROLLBACK");
        return fail(o, STILE_IO,
                    "could not be brought to this schema: look at the disk's "
                    "free space and permissions");
    }
    return STILE_OK;
}

static bool set_up(struct sqlite_store *s)
{
    return sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) ==
               SQLITE_OK &&
           sqlite3_busy_timeout(s->db, BUSY_MS) == SQLITE_OK &&
           run(s, "PRAGMA trusted_schema = OFF;"
                  "PRAGMA cell_size_check = ON;"
                  "PRAGMA foreign_keys = ON;"
                  "PRAGMA secure_delete = ON;"
                  "PRAGMA temp_store = MEMORY;"
                  "PRAGMA cache_size = -16384;"
                  "PRAGMA synchronous = FULL");
}

static bool set_wal(struct sqlite_store *s)
{
    sqlite3_stmt *stmt = NULL;
    bool wal =
        sqlite3_prepare_v2(s->db, "PRAGMA journal_mode = WAL", -1, &stmt,
                           NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW &&
        stile_str_eqc(
            stile_str_cstr((const char *)sqlite3_column_text(stmt, 0)), "wal");

    (void)sqlite3_finalize(stmt);
    (void)sqlite3_wal_hook(s->db, committed, s); /* and no autocheckpoint */
    return wal;
}

static enum stile_status check_log(const struct opening *o)
{
    struct sqlite_store *s = o->s;
    int64_t size = -1;

    /* one look at both: a gateway may be writing beside us */
    if (!run(s, "BEGIN")) {
        return fail(o, STILE_BUSY, "is busy: try again");
    }
    s->version = -1; /* so that the state row is read */
    if (stile__sql_read(s) && stile__sql_row(s, SQL_AUDIT_LAST)) {
        size = stile__sql_number(s, SQL_AUDIT_LAST, 0);
        stile__sql_end(s, SQL_AUDIT_LAST);
    }
    if (!run(s, "COMMIT")) {
        stile__sql_fail(s, STILE_IO);
    }
    if (s->failed != STILE_OK) {
        return fail(o, s->failed,
                    "could not be read: check the disk, or restore a backup");
    }
    if (!s->read_only && (uint64_t)size != s->state.tree.size) {
        return fail(o, STILE_CONFLICT,
                    "has an audit log that does not meet its tree: run stile "
                    "audit verify before anything else");
    }
    return STILE_OK;
}

static enum stile_status open_file(const struct opening *o)
{
    struct sqlite_store *s = o->s;
    int flags = s->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    enum stile_status status = check_file(o);

    if (status != STILE_OK) {
        return status;
    }
    if (sqlite3_open_v2(o->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        !set_up(s)) {
        return fail(o, STILE_IO,
                    "could not be opened: look at its "
                    "permissions");
    }
    status = check_owner(o);
    if (status == STILE_OK && !s->read_only) {
        if (!set_wal(s)) {
            return fail(o, STILE_IO,
                        "cannot keep a write-ahead log: put it on a local "
                        "disk with free space");
        }
        status = migrate(o);
    }
    return status == STILE_OK ? check_log(o) : status;
}

enum stile_status stile_store_sqlite_open(const char *path, bool read_only,
                                          struct stile_arena *arena,
                                          struct stile_store **ret,
                                          struct stile_str *ret_error)
{
    struct sqlite_store *s = calloc(1, sizeof *s);
    struct stile_store *store;
    struct opening o = {path, s, arena, ret_error};
    enum stile_status status;

    if (!s) {
        return STILE_NOMEM;
    }
    s->store.ops = &sqlite_ops;
    s->read_only = read_only;
    store = &s->store;
    status = open_file(&o);
    if (status != STILE_OK) {
        close_store(&store);
        return status;
    }
    *ret = store;
    return STILE_OK;
}
