#define _POSIX_C_SOURCE 200809L

#include "contract/store_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the file ---- */

static void tamper(const struct world *w, const char *sql)
{
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open(w->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

static enum stile_status open_again(struct world *w, bool read_only)
{
    struct stile_str error = STILE_STR_NULL;
    enum stile_status status = stile_store_sqlite_open(
        w->path, read_only, w->arena, &w->store, &error);

    if (status != STILE_OK) {
        cr_assert_gt(error.len, 0, "a failure must say what to do");
        cr_assert_null(w->store);
    }
    return status;
}

static int64_t ask(const struct world *w, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t value;

    cr_assert_eq(sqlite3_open(w->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_int64(stmt, 0);
    cr_assert_eq(sqlite3_finalize(stmt), SQLITE_OK);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
    return value;
}

static struct stile_str old_schema(struct world *w)
{
    FILE *file =
        fopen(STILE_SOURCE_DIR "/tests/golden/store/schema-1.sql", "rb");
    char text[16384];
    size_t len;

    cr_assert_not_null(file);
    len = fread(text, 1, sizeof text, file);
    cr_assert(len > 0 && len < sizeof text);
    cr_assert_eq(fclose(file), 0);
    return stile_arena_str(w->arena, (struct stile_str){text, len});
}

Test(sqlite_file, belongs_to_its_owner_alone)
{
    struct world w;
    struct stat info;
    char wal[128];

    world_sqlite(&w);
    queue_row(&w, "k", "p", "", 1);
    cr_assert_eq(stat(w.path, &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0600);
    (void)snprintf(wal, sizeof wal, "%s-wal", w.path);
    cr_assert_eq(stat(wal, &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0600);
    OPS(&w)->close(&w.store);
    cr_assert_eq(chmod(w.path, 0640), 0);
    cr_assert_eq(open_again(&w, false), STILE_DENIED);
    cr_assert_eq(chmod(w.path, 0600), 0);
    cr_assert_eq(open_again(&w, false), STILE_OK);
    world_end(&w);
}

Test(sqlite_file, says_what_it_is)
{
    struct world w;

    world_sqlite(&w);
    OPS(&w)->close(&w.store);
    cr_assert_eq(ask(&w, "PRAGMA application_id"), 0x5354494c);
    cr_assert_gt(ask(&w, "PRAGMA user_version"), 0);
    cr_assert_eq(ask(&w, "SELECT count(*) FROM pragma_journal_mode WHERE "
                         "journal_mode = 'wal'"),
                 1);
    world_end(&w);
}

Test(sqlite_file, refuses_what_is_not_its_own)
{
    struct world w;
    FILE *file;

    world_sqlite(&w);
    OPS(&w)->close(&w.store);
    tamper(&w, "PRAGMA user_version = 1000");
    cr_assert_eq(open_again(&w, false), STILE_UNSUPPORTED, "a newer schema");
    cr_assert_eq(ask(&w, "PRAGMA user_version"), 1000, "it was left alone");
    tamper(&w, "PRAGMA user_version = 1; PRAGMA application_id = 7");
    cr_assert_eq(open_again(&w, false), STILE_UNSUPPORTED);
    tamper(&w, "PRAGMA application_id = 0; PRAGMA user_version = 0");
    cr_assert_eq(open_again(&w, false), STILE_UNSUPPORTED,
                 "tables of nobody's");
    file = fopen(w.path, "w");
    cr_assert_not_null(file);
    for (size_t i = 0; i < 1000; i++) {
        cr_assert_geq(fputs("this is no database", file), 0);
    }
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(open_again(&w, false), STILE_IO);
    world_end(&w);
}

/* A store of the first schema is brought to this one with what it holds, and
 * is not read before. */
Test(sqlite_file, of_an_older_schema_is_brought_forward)
{
    struct world w;
    struct stile_stored_fact *facts = NULL;
    struct stile_str sql, error = STILE_STR_NULL;
    size_t count = 0;
    uint64_t epoch = 0;

    world_sqlite(&w);
    OPS(&w)->close(&w.store);
    cr_assert_eq(unlink(w.path), 0);
    sql = old_schema(&w);
    tamper(&w, stile_arena_cstr(w.arena, sql));
    cr_assert_eq(chmod(w.path, 0600), 0);
    cr_assert_eq(open_again(&w, true), STILE_UNSUPPORTED);
    cr_assert_eq(
        stile_store_sqlite_open(w.path, false, w.arena, &w.store, &error),
        STILE_OK, "%.*s", STILE_FMT(error));
    cr_assert_eq(OPS(&w)->facts(w.store, S("9990000018"), w.arena, &facts,
                                &count, &epoch),
                 STILE_OK);
    cr_assert_eq(count, 1);
    cr_assert_eq(epoch, 1);
    cr_text(facts[0].name, "consent");
    cr_assert_eq(facts[0].value, 2);
    cr_assert_eq(facts[0].date, 50);
    cr_assert_eq(facts[0].from, 0);
    cr_assert_eq(facts[0].until, 0);
    world_end(&w);
}

static enum stile_status open_named(struct world *w, const char *path,
                                    bool read_only)
{
    (void)snprintf(w->path, sizeof w->path, "%s", path);
    return open_again(w, read_only);
}

Test(sqlite_file, names_that_are_none)
{
    struct world w;

    world_sqlite(&w);
    OPS(&w)->close(&w.store);
    cr_assert_eq(open_named(&w, "", false), STILE_INVALID);
    cr_assert_eq(open_named(&w, ":memory:", false), STILE_INVALID);
    cr_assert_eq(open_named(&w, "/no-such-folder/store", false), STILE_IO);
    cr_assert_eq(open_named(&w, "/no-such-folder/store", true),
                 STILE_NOT_FOUND);
    cr_assert_eq(open_named(&w, w.folder, false), STILE_IO);
    world_end(&w);
}

Test(sqlite_file, read_only_reads_and_does_not_write)
{
    struct world w;
    struct stile_str entry = STILE_STR("{}");
    struct stile_accept accept = {.entries = &entry, .entry_count = 1};
    struct stile_accepted got;
    struct stile_audit_tree head;
    uint64_t count = 0;
    uint8_t salt[32] = {0};

    world_sqlite(&w);
    queue_row(&w, "k", "p", "", 1);
    cr_assert_eq(accept_one(&w, &accept, NULL), STILE_OK);
    OPS(&w)->close(&w.store);
    cr_assert_eq(open_again(&w, true), STILE_OK);
    cr_assert_eq(find_row(&w, "k").state, STILE_ROW_QUEUED);
    cr_assert_eq(OPS(&w)->audit_head(w.store, &head), STILE_OK);
    cr_assert_eq(head.size, 1);
    cr_assert_eq(OPS(&w)->accept(w.store, &accept, 1, w.arena, &got),
                 STILE_DENIED);
    cr_assert_eq(got.status, STILE_DENIED);
    cr_assert_eq(OPS(&w)->recover(w.store, 1, &count), STILE_DENIED);
    cr_assert_eq(OPS(&w)->salt(w.store, salt, salt), STILE_NOT_FOUND);
    world_end(&w);
}

/* ---- the log against the file ---- */

Test(sqlite_log, cannot_be_changed_by_a_slip)
{
    struct world w;
    struct stile_str entry = STILE_STR("{}");
    struct stile_accept accept = {.entries = &entry, .entry_count = 1};
    sqlite3 *db = NULL;

    world_sqlite(&w);
    cr_assert_eq(accept_one(&w, &accept, NULL), STILE_OK);
    cr_assert_eq(sqlite3_open(w.path, &db), SQLITE_OK);
    cr_assert_neq(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL, NULL),
                  SQLITE_OK);
    cr_assert_neq(
        sqlite3_exec(db, "UPDATE audit SET entry = x'00'", NULL, NULL, NULL),
        SQLITE_OK);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
    world_end(&w);
}

/* Cut by someone who knows how: nothing is written behind it, but it can
 * still be read, to be verified. */
Test(sqlite_log, truncated_is_not_written_to)
{
    struct world w;
    struct stile_str entry = STILE_STR("{}");
    struct stile_accept accept = {.entries = &entry, .entry_count = 1};

    world_sqlite(&w);
    cr_assert_eq(accept_one(&w, &accept, NULL), STILE_OK);
    cr_assert_eq(accept_one(&w, &accept, NULL), STILE_OK);
    OPS(&w)->close(&w.store);
    tamper(&w, "DROP TRIGGER audit_no_delete; "
               "DELETE FROM audit WHERE idx = 1");
    cr_assert_eq(open_again(&w, false), STILE_CONFLICT);
    cr_assert_eq(open_again(&w, true), STILE_OK);
    cr_assert_eq(count_all(&w).entries, 2, "what the tree says");
    world_end(&w);
}

/* A command line beside a running gateway: one log, one count. */
Test(sqlite_log, two_handles_write_one_log)
{
    struct world a;
    struct world b;
    struct stile_str entry = STILE_STR("{}");
    struct stile_accept accept = {.entries = &entry, .entry_count = 1};

    world_sqlite(&a);
    b = a;
    b.store = NULL;
    cr_assert_eq(open_again(&b, false), STILE_OK);
    for (size_t i = 0; i < 10; i++) {
        cr_assert_eq(accept_one(i % 3 == 0 ? &b : &a, &accept, NULL), STILE_OK);
    }
    queue_row(&a, "k", "p", "", 1);
    cr_assert_eq(OPS(&b)->withdraw(b.store, find_row(&b, "k").id, 1,
                                   STILE_STR("x"), &entry, 1),
                 STILE_OK);
    cr_assert_eq(count_all(&a).entries, 11);
    cr_assert_eq(count_all(&a).rows[STILE_ROW_WITHDRAWN], 1);
    cr_assert_eq(count_all(&b).entries, 11);
    OPS(&b)->close(&b.store);
    world_end(&a);
}

/* ---- data that must be gone ---- */

static bool file_holds(const char *path, const char *word)
{
    FILE *file = fopen(path, "rb");
    size_t len = strlen(word);
    size_t at = 0;
    bool found = false;
    int byte;

    while (file && (byte = fgetc(file)) != EOF && !found) {
        at = byte == word[at] ? at + 1 : byte == word[0] ? 1 : 0;
        found = at == len;
    }
    if (file) {
        (void)fclose(file);
    }
    return found;
}

Test(sqlite_file, emptied_bodies_are_overwritten)
{
    struct world w;
    struct stile_kept_message message = {
        STILE_STR("m"), STILE_STR("9990000018"), STILE_STR("PIVOT-TEXT")};
    struct stile_outbox_new row;
    struct stile_accept accept = {.now = 1,
                                  .messages = &message,
                                  .message_count = 1,
                                  .rows = &row,
                                  .row_count = 1};
    int64_t id = 0;

    world_sqlite(&w);
    row = new_row(&w, "k", "p", "", 1);
    row.body = STILE_STR("BODY-TEXT");
    row.message_id = STILE_STR("m");
    cr_assert_eq(accept_one(&w, &accept, NULL), STILE_OK);
    world_reopen(&w); /* closing copies the write-ahead log into the file */
    OPS(&w)->close(&w.store);
    cr_assert(file_holds(w.path, "BODY-TEXT"), "the test looks rightly");
    cr_assert(file_holds(w.path, "PIVOT-TEXT"));
    cr_assert_eq(open_again(&w, false), STILE_OK);
    cr_assert_not_null(claim_key(&w, "p", 1, &id));
    cr_assert_eq(settle_row(&w, id, STILE_ROW_DONE, 1), STILE_OK);
    OPS(&w)->close(&w.store);
    cr_assert_not(file_holds(w.path, "BODY-TEXT"));
    cr_assert_not(file_holds(w.path, "PIVOT-TEXT"));
    world_end(&w);
}

/* Housekeeping copies the write-ahead log, whoever asks. */
Test(sqlite_file, tend_keeps_the_log_short)
{
    struct world w;
    struct stat info;
    char wal[128];
    off_t most = 0;

    world_sqlite(&w);
    (void)snprintf(wal, sizeof wal, "%s-wal", w.path);
    for (size_t i = 0; i < 2000; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "k%zu", i);
        queue_row(&w, key, "p", "", 1);
        OPS(&w)->tend(w.store, true);
        cr_assert_eq(stat(wal, &info), 0);
        most = info.st_size > most ? info.st_size : most;
    }
    cr_assert_gt(most, 1000 * 4096, "the test writes enough");
    cr_assert_lt(most, 1200 * 4200, "%ld", (long)most);
    world_end(&w);
}
