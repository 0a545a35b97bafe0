/*
 * Exports: batches of table files into the mirror, then every person whose
 * rows changed through the exchange.
 *
 *   look     pool           the oldest batch that is whole and stands still
 *   check    pool           no file is cut off; what they hold, as a digest
 *   begin    store thread   its number; finished before?
 *   load     pool + store   a chunk of rows parsed, then applied, in turn
 *   finish   store thread   the mirror holds it; its files move to done/
 *   persons  trips          each dirty person: gather, exchange, accept
 *
 * A crash anywhere is harmless: rows are applied again in the same order, and
 * a person's dirty mark goes in the transaction that accepts their outcome.
 *
 * What the table files mean is data: the schema's dialect says which column
 * orders rows (`order`), which marks deletion (`deleted`), which table switches
 * a practice off (`gate`), which lists persons no longer sent (`gone`), what a
 * person's column holds that names nobody (`none`), and whether a batch is a
 * folder with a manifest (`manifest`, `needs`; see manifest.c).
 */
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "extract_private.h"

struct stile_str extract_dialect(const struct extract *e, const char *key)
{
    return stile_schema_dialect(e->plan->plan.schema, e->feed->family,
                                STILE_STR_NULL, key);
}

static bool has_manifests(const struct extract *e)
{
    return extract_dialect(e, "manifest").len > 0;
}

bool extract_wants(const struct extract *e, struct stile_str table)
{
    return stile_str_eq(table, extract_dialect(e, "gate")) ||
           stile_str_eq(table, extract_dialect(e, "gone")) ||
           stile_mapset_reads(e->plan->plan.maps, e->feed->family, table);
}

void extract_ended(struct extract *e)
{
    stile_plan_release(&e->plan);
    e->done(e->ctx);
}

void extract_on_pool(struct extract *e, uv_work_cb work, uv_after_work_cb after)
{
    e->work.data = e;
    int rc = uv_queue_work(&e->g->loop, &e->work, work, after);
    STILE_ASSERT(rc == 0);
}

void extract_on_store(struct extract *e,
                      void (*work)(struct stile_store_job *,
                                   struct stile_store *),
                      void (*done)(struct stile_store_job *))
{
    memset(&e->job, 0, sizeof(e->job));
    e->job.work = work;
    e->job.done = done;
    gateway_post(e->g, &e->job);
}

struct extract *extract_of_job(struct stile_store_job *job)
{
    return (struct extract *)((char *)job - offsetof(struct extract, job));
}

/* ---- look ---- */

bool extract_join(char out[PATH_BYTES], const char *a, const char *b,
                  const char *c)
{
    int n = snprintf(out, PATH_BYTES, "%s/%s%s%s", a, b,
                     c[0] != '\0' ? "/" : "", c);
    return n > 0 && n < PATH_BYTES;
}

static void copy_text(char *out, size_t size, struct stile_str s)
{
    size_t len = s.len < size ? s.len : size - 1;
    memcpy(out, s.ptr, len);
    out[len] = '\0';
}

static bool name_parts(const struct extract *e, const char *name,
                       struct stile_emis_name *ret)
{
    if (!has_manifests(e)) {
        return stile_emis_name_parse(stile_str_cstr(name), ret);
    }
    *ret = (struct stile_emis_name){.stamp = stile_str_cstr(e->download.stamp),
                                    .agreement = STILE_STR("")};
    return stile_systmone_name_parse(stile_str_cstr(name), &ret->table);
}

/* Batches are worked in order of their stamp: the oldest is taken. */
static void add_file(struct extract *e, const char *name, const struct stat *st)
{
    struct stile_emis_name parts;
    if (!name_parts(e, name, &parts) || parts.stamp.len >= sizeof(e->stamp) ||
        parts.agreement.len >= sizeof(e->agreement)) {
        return;
    }
    int order = e->file_count == 0
                    ? -1
                    : stile_str_cmp(parts.stamp, stile_str_cstr(e->stamp));
    if (order < 0) {
        e->file_count = 0;
        e->crowded = false;
        copy_text(e->stamp, sizeof(e->stamp), parts.stamp);
        copy_text(e->agreement, sizeof(e->agreement), parts.agreement);
    }
    if (order > 0 || !stile_str_eqc(parts.agreement, e->agreement)) {
        return;
    }
    if (e->file_count == FILES_MAX) {
        e->crowded = true;
        return;
    }
    struct batch_file *file = &e->files[e->file_count++];
    copy_text(file->name, sizeof(file->name), stile_str_cstr(name));
    file->size = st->st_size;
    file->changed = st->st_ctim;
}

struct stile_str extract_table_of(const struct extract *e,
                                  const struct batch_file *file)
{
    struct stile_emis_name parts = {0};
    return name_parts(e, file->name, &parts) ? parts.table : STILE_STR_NULL;
}

static bool has_table(const struct extract *e, struct stile_str table)
{
    for (size_t i = 0; i < e->file_count; i++) {
        if (stile_str_eq(extract_table_of(e, &e->files[i]), table)) {
            return true;
        }
    }
    return false;
}

/* Whole: every table that a mapping reads is there. Which of them a download
 * with a manifest has, the practice chose; the manifest's own are there. */
static bool is_whole(const struct extract *e)
{
    if (has_manifests(e)) {
        return e->download.found && e->download.why == NULL;
    }
    const struct stile_schema *schema = e->plan->plan.schema;
    for (size_t i = 0; i < stile_schema_count(schema); i++) {
        const struct stile_table *table = stile_schema_at(schema, i);
        if (stile_str_eq(table->family, e->feed->family) &&
            extract_wants(e, table->name) && !has_table(e, table->name)) {
            return false;
        }
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct batch_file *)a)->name,
                  ((const struct batch_file *)b)->name);
}

static void look_work(uv_work_t *work)
{
    struct extract *e = work->data;
    e->file_count = 0;
    e->complete = false;
    e->crowded = false;
    e->folder = e->feed->folder;
    if (has_manifests(e)) {
        download_find(e->feed->folder, extract_dialect(e, "manifest"),
                      extract_dialect(e, "needs"), &e->download);
        e->folder = e->download.folder;
    }
    DIR *dir = opendir(e->folder);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        struct stat st;
        char path[PATH_BYTES];
        if (d->d_name[0] != '.' && strlen(d->d_name) < 256 &&
            stile_str_ends(stile_str_cstr(d->d_name), STILE_STR(".csv")) &&
            extract_join(path, e->folder, d->d_name, "") &&
            lstat(path, &st) == 0 && S_ISREG(st.st_mode)) {
            add_file(e, d->d_name, &st);
        }
    }
    (void)closedir(dir);
    qsort(e->files, e->file_count, sizeof(e->files[0]), by_name);
    uint64_t signature = e->file_count;
    for (size_t i = 0; i < e->file_count; i++) {
        const struct batch_file *file = &e->files[i];
        signature = signature * 31 + (uint64_t)file->size;
        signature = signature * 31 + (uint64_t)file->changed.tv_sec;
        signature = signature * 31 + (uint64_t)file->changed.tv_nsec;
        signature = signature * 31 + stile_str_hash(stile_str_cstr(file->name));
    }
    e->last_signature = e->signature;
    e->signature = signature;
    e->complete = e->file_count > 0 && is_whole(e) &&
                  e->signature == e->last_signature &&
                  e->signature != e->bad_signature;
}

/* ---- begin ---- */

static void begin_work(struct stile_store_job *job, struct stile_store *store)
{
    struct extract *e = extract_of_job(job);
    struct stile_arena *arena = stile_arena_new(4096);
    struct stile_str name =
        stile_arena_printf(arena, "%s_%s", e->stamp, e->agreement);
    struct stile_str content = stile_arena_printf(arena, "%s_%s %s", e->stamp,
                                                  e->agreement, e->digest);
    bool named = false; /* says nothing of what it holds now */
    job->status =
        name.ptr == NULL || content.ptr == NULL
            ? STILE_NOMEM
            : store->ops->batch_begin(store, e->feed->name, name, stile_now(),
                                      &e->number, &named);
    if (job->status == STILE_OK) {
        job->status =
            store->ops->batch_begin(store, e->feed->name, content, stile_now(),
                                    &e->content, &e->finished);
    }
    stile_arena_free(&arena);
}

/* Beside one of the same stamp that was read before it, if there is one. */
static bool move_folder(const struct extract *e, const char *done)
{
    char name[sizeof(e->stamp) + 8], folder[PATH_BYTES];
    for (int n = 1; n < 100; n++) {
        int len = n == 1 ? snprintf(name, sizeof(name), "%s", e->stamp)
                         : snprintf(name, sizeof(name), "%s.%d", e->stamp, n);
        if (len <= 0 || !extract_join(folder, done, name, "")) {
            return false;
        }
        if (rename(e->folder, folder) == 0) {
            return true;
        }
        if (errno != ENOTEMPTY && errno != EEXIST) {
            return false;
        }
    }
    return false;
}

static void move_work(uv_work_t *work)
{
    struct extract *e = work->data;
    char done[PATH_BYTES], folder[PATH_BYTES];
    if (!extract_join(done, e->feed->folder, "done", "") ||
        !extract_join(folder, e->feed->folder, "done", e->stamp) ||
        (mkdir(done, 0750) != 0 && errno != EEXIST) ||
        (mkdir(folder, 0750) != 0 && errno != EEXIST)) {
        e->failed++;
        return;
    }
    if (has_manifests(e)) { /* the folder is the batch */
        if (!download_note(e->feed->folder, &e->download) ||
            !move_folder(e, done)) {
            e->failed++;
        }
        return;
    }
    for (size_t i = 0; i < e->file_count; i++) {
        char from[PATH_BYTES], to[PATH_BYTES];
        if (!extract_join(from, e->feed->folder, e->files[i].name, "") ||
            !extract_join(to, folder, e->files[i].name, "") ||
            rename(from, to) != 0) {
            e->failed++;
        }
    }
}

static void move_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct extract *e = work->data;
    if (e->failed > 0) {
        log_line(e->g, LOG_ERROR, "feed",
                 "%.*s: %zu files could not be moved to done/: give the "
                 "gateway write permission on the folder",
                 STILE_FMT(e->feed->name), e->failed);
    }
    extract_persons(e);
}

void extract_move(struct extract *e)
{
    extract_on_pool(e, move_work, move_done);
}

static void begin_done(struct stile_store_job *job)
{
    struct extract *e = extract_of_job(job);
    if (job->status != STILE_OK) {
        log_line(e->g, LOG_ERROR, "store", "%.*s: a batch was not begun: %s",
                 STILE_FMT(e->feed->name), stile_status_text(job->status));
        extract_ended(e);
        return;
    }
    if (e->finished) {
        log_line(e->g, LOG_INFO, "repeated", "batch %s of %.*s was read before",
                 e->stamp, STILE_FMT(e->feed->name));
        extract_move(e);
        return;
    }
    log_line(e->g, LOG_INFO, "received", "batch %s of %.*s: %zu files",
             e->stamp, STILE_FMT(e->feed->name), e->file_count);
    e->at = 0;
    e->rows_read = 0;
    e->rows_bad = 0;
    extract_load(e);
}

void extract_begin(struct extract *e)
{
    extract_on_store(e, begin_work, begin_done);
}

static void look_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct extract *e = work->data;
    e->failed = 0;
    if (has_manifests(e) && e->download.found && e->download.why != NULL &&
        e->signature == e->last_signature && e->signature != e->bad_signature) {
        log_line(e->g, LOG_ERROR, "feed", "%.*s: download %s waits: %s",
                 STILE_FMT(e->feed->name), e->download.stamp, e->download.why);
        e->bad_signature = e->signature;
    }
    if (e->complete && e->crowded) {
        log_line(e->g, LOG_ERROR, "feed",
                 "%.*s: batch %s has more than %d files and waits: take away "
                 "those that are not of it",
                 STILE_FMT(e->feed->name), e->stamp, FILES_MAX);
        e->bad_signature = e->signature;
        extract_persons(e);
    } else if (e->complete) {
        extract_check(e);
    } else {
        extract_persons(e); /* what a crash or a late row left */
    }
}

void extract_look(struct extract *e)
{
    extract_on_pool(e, look_work, look_done);
}

/* ---- the verbs ---- */

struct extract *extract_new(struct gateway *g,
                            const struct stile_feed_config *feed)
{
    struct extract *e = calloc(1, sizeof(*e));
    struct stile_arena *arena = stile_arena_new(1u << 20);
    if (e == NULL || arena == NULL) {
        free(e);
        stile_arena_free(&arena);
        return NULL;
    }
    e->g = g;
    e->feed = feed;
    e->fd = -1;
    e->list_arena = arena;
    return e;
}

void extract_free(struct extract **at)
{
    struct extract *e = *at;
    if (e == NULL) {
        return;
    }
    *at = NULL;
    extract_close_file(e);
    stile_arena_free(&e->list_arena);
    free(e);
}

void extract_poll(struct extract *e, void (*done)(void *ctx), void *ctx)
{
    e->done = done;
    e->ctx = ctx;
    e->plan = e->g->plan;
    e->plan->refs++;
    extract_look(e);
}
