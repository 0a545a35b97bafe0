/*
 * A disk that fails at its nth write or flush, under the SQLite maker: what
 * was acknowledged stays, "nothing changed" is true, and the log verifies.
 */
#define _POSIX_C_SOURCE 200809L

#include "contract/store_world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* ---- the disk: SQLite's own VFS, with a fault ---- */

static struct {
    unsigned left; /* calls until one fails; 0 = none */
    int code;
    bool stays; /* every later call fails too */
    bool fell;
} fault;

struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static sqlite3_io_methods methods;

static bool falls(void)
{
    if (fault.fell && fault.stays) {
        return true;
    }
    if (fault.left > 0 && --fault.left == 0) {
        fault.fell = true;
        return true;
    }
    return false;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static int file_write(sqlite3_file *file, const void *bytes, int len,
                      sqlite3_int64 at)
{
    if (falls()) {
        /* a torn write: half of it is there */
        (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, len / 2,
                                              at);
        return fault.code;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, len, at);
}

static int file_sync(sqlite3_file *file, int flags)
{
    return falls() ? fault.code
                   : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return falls() ? fault.code
                   : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, len, at);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret);
}

static int file_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int file_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int file_reserved(sqlite3_file *file, int *ret)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int region, int size, int extend,
                        void volatile **ret)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend,
                                            ret);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static int vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *file,
                    int flags, int *ret_flags)
{
    struct file *f = (struct file *)file;
    int code;

    (void)self;
    f->real = (sqlite3_file *)(f + 1);
    f->base.pMethods = NULL;
    code = real_vfs->xOpen(real_vfs, name, f->real, flags, ret_flags);
    if (code == SQLITE_OK) {
        f->base.pMethods = &methods;
    }
    return code;
}

static void disk_init(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    cr_assert_not_null(real_vfs);
    vfs = *real_vfs;
    vfs.zName = "faults";
    vfs.szOsFile = real_vfs->szOsFile + (int)sizeof(struct file);
    vfs.xOpen = vfs_open;
    vfs.pNext = NULL;
    methods = (sqlite3_io_methods){.iVersion = 2,
                                   .xClose = file_close,
                                   .xRead = file_read,
                                   .xWrite = file_write,
                                   .xTruncate = file_truncate,
                                   .xSync = file_sync,
                                   .xFileSize = file_size,
                                   .xLock = file_lock,
                                   .xUnlock = file_unlock,
                                   .xCheckReservedLock = file_reserved,
                                   .xFileControl = file_control,
                                   .xSectorSize = file_sector,
                                   .xDeviceCharacteristics = file_device,
                                   .xShmMap = file_shm_map,
                                   .xShmLock = file_shm_lock,
                                   .xShmBarrier = file_shm_barrier,
                                   .xShmUnmap = file_shm_unmap};
    cr_assert_eq(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

static void plan(unsigned nth, int code, bool stays)
{
    fault.left = nth;
    fault.code = code;
    fault.stays = stays;
    fault.fell = false;
}

/* ---- the test ---- */

#define ACCEPTS 4

static enum stile_status accept_key(struct world *w, unsigned n)
{
    struct stile_str key = stile_arena_printf(w->arena, "k%u", n);
    struct stile_str entry = stile_arena_printf(w->arena, "{\"n\":%u}", n);
    struct stile_outbox_new row = {.route = S("r"),
                                   .partner = S("p"),
                                   .key = key,
                                   .body = stile_arena_str(w->arena, key)};
    struct stile_accept accept = {.now = 1,
                                  .source = S("s"),
                                  .key = key,
                                  .rows = &row,
                                  .row_count = 1,
                                  .entries = &entry,
                                  .entry_count = 1};
    struct stile_accepted got;
    enum stile_status status =
        OPS(w)->accept(w->store, &accept, 1, w->arena, &got);

    cr_assert(status == STILE_OK || got.status == status);
    return got.status;
}

static enum stile_status replay(void *ctx, uint64_t index,
                                struct stile_str entry,
                                const struct stile_digest *hash)
{
    (void)index;
    return stile_audit_verify_entry(ctx, entry, hash);
}

static void check_log(struct world *w, uint64_t wanted)
{
    struct stile_audit_verifier verifier;
    struct stile_audit_tree head;
    struct stile_digest stored, replayed;

    stile_audit_verify_init(&verifier);
    cr_assert_eq(OPS(w)->audit_scan(w->store, 0, replay, &verifier), STILE_OK);
    cr_assert_eq(OPS(w)->audit_head(w->store, &head), STILE_OK);
    cr_assert_eq(verifier.entries, wanted);
    stile_audit_tree_root(&head, &stored);
    stile_audit_tree_root(&verifier.tree, &replayed);
    cr_assert(stile_digest_eq(&stored, &replayed));
}

/* Reopened on a whole disk: each key is there or not, as its accept said. */
static void check_after(struct world *w, const enum stile_status *said)
{
    world_reopen(w);
    for (unsigned n = 0; n < ACCEPTS; n++) {
        enum stile_status now = accept_key(w, n);

        if (said[n] == STILE_OK) {
            cr_assert_eq(now, STILE_EXISTS, "%u was acknowledged", n);
        } else if (said[n] == STILE_IO) {
            cr_assert_eq(now, STILE_OK, "%u said nothing had changed", n);
        } else {
            cr_assert_eq(said[n], STILE_UNCERTAIN);
            cr_assert(now == STILE_OK || now == STILE_EXISTS);
        }
    }
    cr_assert_eq(count_all(w).rows[STILE_ROW_QUEUED], ACCEPTS);
    check_log(w, ACCEPTS);
}

static bool run_with_fault(unsigned nth, int code, bool stays)
{
    enum stile_status said[ACCEPTS];
    struct world w;
    bool fell;

    plan(0, SQLITE_OK, false);
    world_sqlite(&w);
    plan(nth, code, stays);
    for (unsigned n = 0; n < ACCEPTS; n++) {
        said[n] = accept_key(&w, n);
    }
    fell = fault.fell;
    plan(0, SQLITE_OK, false);
    check_after(&w, said);
    world_end(&w);
    return fell;
}

static void every_fault(int code, bool stays)
{
    unsigned nth = 1;

    disk_init();
    while (run_with_fault(nth, code, stays)) {
        nth++;
        cr_assert_lt(nth, 1000);
    }
    cr_assert_gt(nth, 20, "the disk was used %u times", nth);
}

Test(faults, write_fails_once, .timeout = 120)
{
    every_fault(SQLITE_IOERR_WRITE, false);
}

Test(faults, disk_is_gone, .timeout = 120)
{
    every_fault(SQLITE_IOERR_FSYNC, true);
}

Test(faults, disk_is_full, .timeout = 120)
{
    every_fault(SQLITE_FULL, true);
}

/* Making the file on such a disk fails with words, and can be done again. */
Test(faults, opening, .timeout = 120)
{
    unsigned nth = 1;
    bool fell = true;

    disk_init();
    for (; fell; nth++) {
        struct world w;
        struct stile_str error = STILE_STR_NULL;
        enum stile_status status;

        plan(0, SQLITE_OK, false);
        world_sqlite(&w);
        OPS(&w)->close(&w.store);
        cr_assert_eq(remove(w.path), 0);
        plan(nth, SQLITE_IOERR_WRITE, false);
        status =
            stile_store_sqlite_open(w.path, false, w.arena, &w.store, &error);
        fell = fault.fell;
        plan(0, SQLITE_OK, false);
        if (status == STILE_OK) {
            OPS(&w)->close(&w.store);
        } else {
            cr_assert(fell);
            cr_assert_gt(error.len, 0);
            cr_assert_null(w.store);
        }
        world_sqlite_open(&w);
        cr_assert_eq(accept_key(&w, 0), STILE_OK);
        world_end(&w);
        cr_assert_lt(nth, 1000);
    }
    cr_assert_gt(nth, 5);
}
