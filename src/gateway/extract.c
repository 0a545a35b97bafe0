/*
 * Exports: batches of table files into the mirror, then every person whose
 * rows changed through the exchange.
 *
 *   look     pool           the oldest batch that is whole and stands still
 *   begin    store thread   its number; finished before?
 *   load     pool + store   a chunk of rows parsed, then applied, in turn
 *   finish   store thread   the mirror holds it; its files move to done/
 *   persons  trips          each dirty person: gather, exchange, accept
 *
 * A crash anywhere is harmless: rows are applied again in the same order, and
 * a person's dirty mark goes in the transaction that accepts their outcome.
 *
 * What the table files mean is data: the schema's dialect says which column
 * orders rows (`order`), which marks deletion (`deleted`), and which table
 * switches a practice off (`gate`).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway_private.h"

#define PATH_BYTES 1024
#define FILES_MAX 128
#define CHUNK_ROWS 2000
#define CHUNK_ARENA (64u << 20)
#define READ_BYTES (1u << 18)
#define PERSONS_AT_ONCE 4
#define PERSONS_LISTED 64
/* So many that fail end a pass: something is wrong with more than a person. */
#define PERSONS_STUCK_MAX 2000

struct batch_file {
    char name[256];
    off_t size;
    struct timespec changed; /* its inode: also by chmod and rename */
};

struct chunk { /* rows on their way to the mirror */
    struct stile_arena *arena;
    struct stile_mirror_row *rows;
    size_t count;
    struct stile_quarantine_new *bad;
    size_t bad_count;
    bool file_ended, failed;
};

struct extract {
    struct gateway *g;
    const struct stile_feed_config *feed;
    void (*done)(void *ctx);
    void *ctx;
    uv_work_t work;
    struct stile_store_job job;
    struct stile_plan_box *plan;
    /* the batch */
    struct batch_file files[FILES_MAX];
    size_t file_count;
    char stamp[64], agreement[64];
    uint64_t signature, last_signature; /* of its files: stands still? */
    uint64_t bad_signature; /* it could not be read as it stood then */
    bool complete, finished, crowded;
    uint64_t number;
    /* the file in hand */
    size_t at;
    int fd;
    struct stile_csv *csv;
    struct stile_arena *file_arena;
    const struct stile_table *table;
    uint32_t *ordinals;
    size_t column_count;
    uint32_t order_column, deleted_column;
    bool last_fed;
    struct stile_diags diags;
    struct chunk chunk;
    uint64_t rows_read, rows_bad;
    /* the persons */
    struct stile_arena *list_arena;
    struct stile_str *persons;
    uint64_t *marks;
    size_t person_count, person_next, in_hand, skipped, failed;
    size_t listed; /* not tried before in this pass */
    size_t stuck;  /* failed on earlier pages of it: they stand first on the
                      next page, and are passed over */
};

static void look_start(struct extract *e);
static void load_start(struct extract *e);
static void persons_start(struct extract *e);

static struct stile_str dialect(const struct extract *e, const char *key)
{
    return stile_schema_dialect(e->plan->plan.schema, e->feed->family,
                                STILE_STR_NULL, key);
}

static bool is_wanted(const struct extract *e, struct stile_str table)
{
    return stile_str_eq(table, dialect(e, "gate")) ||
           stile_mapset_reads(e->plan->plan.maps, e->feed->family, table);
}

static void ended(struct extract *e)
{
    stile_plan_release(&e->plan);
    e->done(e->ctx);
}

static void on_pool(struct extract *e, uv_work_cb work, uv_after_work_cb after)
{
    e->work.data = e;
    int rc = uv_queue_work(&e->g->loop, &e->work, work, after);
    STILE_ASSERT(rc == 0);
}

static void on_store(struct extract *e,
                     void (*work)(struct stile_store_job *,
                                  struct stile_store *),
                     void (*done)(struct stile_store_job *))
{
    memset(&e->job, 0, sizeof(e->job));
    e->job.work = work;
    e->job.done = done;
    gateway_post(e->g, &e->job);
}

static struct extract *of_job(struct stile_store_job *job)
{
    return (struct extract *)((char *)job - offsetof(struct extract, job));
}

/* ---- look ---- */

static bool join(char out[PATH_BYTES], const char *a, const char *b,
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

/* Batches are worked in order of their stamp: the oldest is taken. */
static void add_file(struct extract *e, const char *name, const struct stat *st)
{
    struct stile_emis_name parts;
    if (!stile_emis_name_parse(stile_str_cstr(name), &parts) ||
        parts.stamp.len >= sizeof(e->stamp) ||
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

static struct stile_str table_of(const struct batch_file *file)
{
    struct stile_emis_name parts = {0};
    return stile_emis_name_parse(stile_str_cstr(file->name), &parts)
               ? parts.table
               : STILE_STR_NULL;
}

static bool has_table(const struct extract *e, struct stile_str table)
{
    for (size_t i = 0; i < e->file_count; i++) {
        if (stile_str_eq(table_of(&e->files[i]), table)) {
            return true;
        }
    }
    return false;
}

/* Whole: every table that a mapping reads is there. */
static bool is_whole(const struct extract *e)
{
    const struct stile_schema *schema = e->plan->plan.schema;
    for (size_t i = 0; i < stile_schema_count(schema); i++) {
        const struct stile_table *table = stile_schema_at(schema, i);
        if (stile_str_eq(table->family, e->feed->family) &&
            is_wanted(e, table->name) && !has_table(e, table->name)) {
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
    DIR *dir = opendir(e->feed->folder);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        struct stat st;
        char path[PATH_BYTES];
        if (d->d_name[0] != '.' && strlen(d->d_name) < 256 &&
            stile_str_ends(stile_str_cstr(d->d_name), STILE_STR(".csv")) &&
            join(path, e->feed->folder, d->d_name, "") &&
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
    struct extract *e = of_job(job);
    struct stile_arena *arena = stile_arena_new(4096);
    struct stile_str name =
        stile_arena_printf(arena, "%s_%s", e->stamp, e->agreement);
    job->status =
        name.ptr == NULL
            ? STILE_NOMEM
            : store->ops->batch_begin(store, e->feed->name, name, stile_now(),
                                      &e->number, &e->finished);
    stile_arena_free(&arena);
}

static void move_work(uv_work_t *work)
{
    struct extract *e = work->data;
    char done[PATH_BYTES], folder[PATH_BYTES];
    if (!join(done, e->feed->folder, "done", "") ||
        !join(folder, e->feed->folder, "done", e->stamp) ||
        (mkdir(done, 0750) != 0 && errno != EEXIST) ||
        (mkdir(folder, 0750) != 0 && errno != EEXIST)) {
        e->failed++;
        return;
    }
    for (size_t i = 0; i < e->file_count; i++) {
        char from[PATH_BYTES], to[PATH_BYTES];
        if (!join(from, e->feed->folder, e->files[i].name, "") ||
            !join(to, folder, e->files[i].name, "") || rename(from, to) != 0) {
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
    persons_start(e);
}

static void begin_done(struct stile_store_job *job)
{
    struct extract *e = of_job(job);
    if (job->status != STILE_OK) {
        log_line(e->g, LOG_ERROR, "store", "%.*s: a batch was not begun: %s",
                 STILE_FMT(e->feed->name), stile_status_text(job->status));
        ended(e);
        return;
    }
    if (e->finished) {
        log_line(e->g, LOG_INFO, "repeated", "batch %s of %.*s was read before",
                 e->stamp, STILE_FMT(e->feed->name));
        on_pool(e, move_work, move_done);
        return;
    }
    log_line(e->g, LOG_INFO, "received", "batch %s of %.*s: %zu files",
             e->stamp, STILE_FMT(e->feed->name), e->file_count);
    e->at = 0;
    e->rows_read = 0;
    e->rows_bad = 0;
    load_start(e);
}

static void look_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct extract *e = work->data;
    e->failed = 0;
    if (e->complete && e->crowded) {
        log_line(e->g, LOG_ERROR, "feed",
                 "%.*s: batch %s has more than %d files and waits: take away "
                 "those that are not of it",
                 STILE_FMT(e->feed->name), e->stamp, FILES_MAX);
        e->bad_signature = e->signature;
        persons_start(e);
    } else if (e->complete) {
        on_store(e, begin_work, begin_done);
    } else {
        persons_start(e); /* what a crash or a late row left */
    }
}

static void look_start(struct extract *e)
{
    on_pool(e, look_work, look_done);
}

/* ---- load: a chunk on the pool ---- */

static void close_file(struct extract *e)
{
    if (e->fd >= 0) {
        (void)close(e->fd);
    }
    e->fd = -1;
    stile_csv_free(&e->csv);
    stile_arena_free(&e->file_arena);
    e->table = NULL;
}

static bool feed_more(struct extract *e)
{
    char bytes[READ_BYTES];
    ssize_t n = read(e->fd, bytes, sizeof(bytes));
    if (n < 0) {
        return false;
    }
    e->last_fed = n == 0;
    return stile_csv_feed(e->csv, (struct stile_str){bytes, (size_t)n},
                          n == 0) == STILE_OK;
}

/* The next row, reading on as needed. END is the end of the file. */
static enum stile_status pull(struct extract *e, const struct stile_str **cells,
                              size_t *count, uint64_t *row)
{
    for (;;) {
        enum stile_status status =
            stile_csv_pull(e->csv, &e->diags, cells, count, row);
        if (status != STILE_END || e->last_fed) {
            return status;
        }
        if (!feed_more(e)) {
            return STILE_IO;
        }
    }
}

static bool open_file(struct extract *e)
{
    const struct batch_file *file = &e->files[e->at];
    char path[PATH_BYTES];
    e->last_fed = false;
    e->file_arena = stile_arena_new(16u << 20);
    stile_diags_init(&e->diags, e->file_arena, 0);
    struct stile_str name =
        stile_arena_str(e->file_arena, stile_str_cstr(file->name));
    e->csv = stile_csv_new(&stile_csv_emis, e->plan->plan.csv, name);
    if (e->csv == NULL || !join(path, e->feed->folder, file->name, "")) {
        return false;
    }
    e->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const struct stile_str *header = NULL;
    uint64_t row = 0;
    if (e->fd < 0 || pull(e, &header, &e->column_count, &row) != STILE_OK) {
        return false;
    }
    enum stile_status status =
        stile_schema_bind(e->plan->plan.schema, e->feed->family, table_of(file),
                          header, e->column_count, e->file_arena, name,
                          &e->diags, &e->table, &e->ordinals);
    if (status != STILE_OK) {
        e->table = NULL;
        return false;
    }
    e->order_column = stile_table_column(e->table, dialect(e, "order"));
    e->deleted_column = stile_table_column(e->table, dialect(e, "deleted"));
    return true;
}

static struct stile_str row_key(struct stile_arena *arena,
                                const struct stile_table *table,
                                const struct stile_str *cells)
{
    struct stile_buf key;
    stile_buf_init(&key, STILE_STORE_TEXT_MAX);
    for (size_t i = 0; i < table->key_count; i++) {
        if (i > 0) {
            stile_buf_byte(&key, '\x1f');
        }
        stile_buf_add(&key, cells[table->keys[i]]);
    }
    struct stile_str made = key.status == STILE_OK
                                ? stile_arena_str(arena, stile_buf_str(&key))
                                : STILE_STR_NULL;
    stile_buf_release(&key);
    return made;
}

static bool is_true(struct stile_str cell)
{
    return stile_str_eq_nocase(cell, STILE_STR("true")) ||
           stile_str_eqc(cell, "1");
}

/* Cells of the file to the table's ordinals, and those to a mirror row. */
static bool fill_row(struct extract *e, const struct stile_str *cells,
                     size_t count, struct stile_mirror_row *out)
{
    struct stile_arena *arena = e->chunk.arena;
    struct stile_str *by_ordinal =
        stile_arena_array(arena, e->table->count, sizeof(*by_ordinal));
    if (by_ordinal == NULL) {
        return false;
    }
    for (size_t i = 0; i < count && i < e->column_count; i++) {
        if (e->ordinals[i] != UINT32_MAX) {
            by_ordinal[e->ordinals[i]] = cells[i];
        }
    }
    out->feed = e->feed->name;
    out->table = e->table->name;
    out->key = row_key(arena, e->table, by_ordinal);
    out->cells = mirror_write(arena, e->table, by_ordinal);
    out->batch = e->number;
    if (e->table->person_column != UINT32_MAX) {
        out->person =
            stile_arena_str(arena, by_ordinal[e->table->person_column]);
    }
    out->deleted = e->deleted_column != UINT32_MAX &&
                   is_true(by_ordinal[e->deleted_column]);
    if (e->order_column != UINT32_MAX &&
        !stile_str_to_int64(by_ordinal[e->order_column], &out->order)) {
        out->order = 0;
    }
    /* One row the store would not take would hold up its whole batch. */
    return out->key.len > 0 && by_ordinal[e->table->keys[0]].len > 0 &&
           out->cells.ptr != NULL && out->person.len <= STILE_STORE_TEXT_MAX;
}

static void set_aside(struct extract *e, uint64_t row, struct stile_str reason,
                      const struct stile_str *cells, size_t count)
{
    struct stile_quarantine_new *bad = &e->chunk.bad[e->chunk.bad_count++];
    struct stile_buf text;
    stile_buf_init(&text, e->plan->plan.csv.row_bytes * 2 + 2);
    stile_csv_write_row(&text, &stile_csv_rfc4180, cells, count);
    bad->source = e->feed->name;
    bad->name =
        stile_arena_str(e->chunk.arena, stile_str_cstr(e->files[e->at].name));
    bad->row = row;
    bad->reason = stile_arena_str(e->chunk.arena, reason);
    bad->bytes = stile_arena_str(e->chunk.arena, stile_buf_str(&text));
    stile_buf_release(&text);
}

static void read_rows(struct extract *e)
{
    struct chunk *c = &e->chunk;
    while (c->count < CHUNK_ROWS && c->bad_count < CHUNK_ROWS &&
           stile_arena_used(c->arena) < CHUNK_ARENA / 2) {
        const struct stile_str *cells = NULL;
        size_t count = 0, before = e->diags.count;
        uint64_t row = 0;
        enum stile_status status = pull(e, &cells, &count, &row);
        if (status == STILE_END) {
            c->file_ended = true;
            return;
        }
        if (status == STILE_INVALID) {
            struct stile_str why = e->diags.count > before
                                       ? e->diags.items[before].message
                                       : STILE_STR("the row is broken");
            set_aside(e, row, why, NULL, 0);
        } else if (status != STILE_OK) {
            c->failed = true;
            return;
        } else if (fill_row(e, cells, count, &c->rows[c->count])) {
            c->count++;
        } else {
            set_aside(e, row,
                      STILE_STR("a key or person cell is empty or too long"),
                      cells, count);
        }
        if (stile_arena_failed(c->arena)) {
            c->failed = true;
            return;
        }
    }
}

static void load_work(uv_work_t *work)
{
    struct extract *e = work->data;
    struct chunk *c = &e->chunk;
    *c = (struct chunk){.arena = stile_arena_new(CHUNK_ARENA)};
    c->rows = stile_arena_array(c->arena, CHUNK_ROWS, sizeof(*c->rows));
    c->bad = stile_arena_array(c->arena, CHUNK_ROWS, sizeof(*c->bad));
    if (c->rows == NULL || c->bad == NULL ||
        (e->table == NULL && !open_file(e))) {
        c->failed = true;
        return;
    }
    read_rows(e);
}

/* ---- load: the chunk into the mirror ---- */

static bool gate_is_open(const struct stile_row *row)
{
    return is_true(stile_row_get(row, STILE_STR("IsActivated"))) &&
           !is_true(stile_row_get(row, STILE_STR("Disabled"))) &&
           !is_true(stile_row_get(row, STILE_STR("Deleted")));
}

static bool gate_of(struct extract *e, struct stile_store *store,
                    const struct stile_mirror_row *row, bool *ret_open)
{
    struct stile_arena *arena = stile_arena_new(1u << 20);
    struct stile_mirror_row old;
    struct stile_row cells;
    const struct stile_table *table = stile_schema_table(
        e->plan->plan.schema, e->feed->family, STILE_STR_NULL, row->table);
    bool known = table != NULL &&
                 store->ops->mirror_get(store, e->feed->name, row->table,
                                        row->key, arena, &old) == STILE_OK &&
                 mirror_read(arena, table, old.cells, &cells) == STILE_OK;
    *ret_open = known && !old.deleted && gate_is_open(&cells);
    stile_arena_free(&arena);
    return known;
}

static void apply_work(struct stile_store_job *job, struct stile_store *store)
{
    struct extract *e = of_job(job);
    struct chunk *c = &e->chunk;
    bool moved = false;
    bool gate =
        c->count > 0 && stile_str_eq(c->rows[0].table, dialect(e, "gate"));
    for (size_t i = 0; gate && i < c->count; i++) {
        bool was = false, is = false;
        struct stile_arena *arena = stile_arena_new(1u << 20);
        struct stile_row cells;
        bool known = gate_of(e, store, &c->rows[i], &was);
        is = mirror_read(arena, e->table, c->rows[i].cells, &cells) ==
                 STILE_OK &&
             !c->rows[i].deleted && gate_is_open(&cells);
        moved = moved || (known && was) != is;
        stile_arena_free(&arena);
    }
    /* Before the rows, so that a stop between the two is made good when the
     * batch is read again. */
    uint64_t touched = 0;
    job->status =
        moved ? store->ops->touch(store, e->feed->name, &touched) : STILE_OK;
    if (job->status == STILE_OK && c->count > 0) {
        job->status = store->ops->mirror_apply(store, c->rows, c->count);
    }
    if (job->status == STILE_OK && c->bad_count > 0) {
        struct stile_accept accept = {.now = stile_now(),
                                      .quarantine = c->bad,
                                      .quarantine_count = c->bad_count};
        struct stile_accepted accepted;
        job->status =
            store->ops->accept(store, &accept, 1, c->arena, &accepted);
    }
}

static void finish_work(struct stile_store_job *job, struct stile_store *store)
{
    struct extract *e = of_job(job);
    job->status = store->ops->batch_finish(store, e->number, stile_now());
}

static void finish_done(struct stile_store_job *job)
{
    struct extract *e = of_job(job);
    if (job->status != STILE_OK) {
        log_line(e->g, LOG_ERROR, "store",
                 "%.*s: batch %s was not finished: "
                 "it is read again at the next look",
                 STILE_FMT(e->feed->name), e->stamp);
        ended(e);
        return;
    }
    log_line(e->g, LOG_INFO, "received",
             "batch %s of %.*s is in the mirror: %llu rows, %llu not usable",
             e->stamp, STILE_FMT(e->feed->name),
             (unsigned long long)e->rows_read, (unsigned long long)e->rows_bad);
    on_pool(e, move_work, move_done);
}

static void say_file_failed(struct extract *e)
{
    log_line(e->g, LOG_ERROR, "feed",
             "%.*s: %s cannot be read as its table: the batch waits until "
             "the file is replaced",
             STILE_FMT(e->feed->name), e->files[e->at].name);
    log_diags(e->g, &e->diags);
}

static void apply_done(struct stile_store_job *job)
{
    struct extract *e = of_job(job);
    struct chunk *c = &e->chunk;
    bool file_ended = c->file_ended;
    e->rows_read += c->count;
    e->rows_bad += c->bad_count;
    e->g->counts.extract_rows += c->count;
    e->g->counts.quarantined += c->bad_count;
    stile_arena_free(&c->arena);
    if (job->status != STILE_OK) {
        log_line(e->g, LOG_ERROR, "store",
                 "%.*s: rows were not kept (%s): "
                 "the batch is read again",
                 STILE_FMT(e->feed->name), stile_status_text(job->status));
        close_file(e);
        ended(e);
        return;
    }
    if (file_ended) {
        close_file(e);
        e->at++;
    }
    load_start(e);
}

static void load_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct extract *e = work->data;
    if (e->chunk.failed) {
        say_file_failed(e);
        e->bad_signature = e->signature;
        stile_arena_free(&e->chunk.arena);
        close_file(e);
        persons_start(e);
        return;
    }
    on_store(e, apply_work, apply_done);
}

static void load_start(struct extract *e)
{
    while (e->at < e->file_count && !is_wanted(e, table_of(&e->files[e->at]))) {
        e->at++;
    }
    if (e->g->draining) {
        close_file(e);
        ended(e); /* read again from its start, in the same order */
        return;
    }
    if (e->at == e->file_count) {
        on_store(e, finish_work, finish_done);
        return;
    }
    on_pool(e, load_work, load_done);
}

/* ---- persons ---- */

struct gathered {
    struct trip *trip;
    const struct extract *e;
    struct stile_row *rows;
    size_t count, capacity;
    enum stile_status status;
    struct stile_str practice;
    bool gone;
};

static enum stile_status gather_row(void *ctx,
                                    const struct stile_mirror_row *row)
{
    struct gathered *got = ctx;
    struct stile_arena *arena = got->trip->arena;
    const struct stile_table *table =
        stile_schema_table(got->trip->plan->plan.schema, got->e->feed->family,
                           STILE_STR_NULL, row->table);
    if (table == NULL) {
        return STILE_OK;
    }
    /* The row whose whole key is the person is the person's own. */
    bool own = table->key_count == 1 && table->keys[0] == table->person_column;
    got->gone = got->gone || (own && row->deleted);
    if (row->deleted && !own) {
        return STILE_OK;
    }
    if (got->count == got->capacity) {
        size_t capacity = got->capacity == 0 ? 64 : got->capacity * 2;
        struct stile_row *rows =
            stile_arena_array(arena, capacity, sizeof(*rows));
        if (rows == NULL) {
            return STILE_LIMIT;
        }
        if (got->count > 0) {
            memcpy(rows, got->rows, got->count * sizeof(*rows));
        }
        got->rows = rows;
        got->capacity = capacity;
    }
    struct stile_row *out = &got->rows[got->count];
    enum stile_status status =
        mirror_read(arena, table, stile_arena_str(arena, row->cells), out);
    if (status != STILE_OK) {
        return status;
    }
    out->number = got->count + 1;
    got->count++;
    if (got->practice.len == 0) {
        got->practice = stile_row_get(out, STILE_STR("OrganisationGuid"));
    }
    return STILE_OK;
}

/* A practice that has not activated sharing, or has switched it off, is not
 * read on (facts: Agreements_SharingOrganisation). Unknown means off. */
static enum stile_status check_gate(struct trip *trip, const struct extract *e,
                                    struct stile_store *store,
                                    struct stile_str practice)
{
    struct stile_str gate = stile_schema_dialect(
        trip->plan->plan.schema, e->feed->family, STILE_STR_NULL, "gate");
    const struct stile_table *table = stile_schema_table(
        trip->plan->plan.schema, e->feed->family, STILE_STR_NULL, gate);
    struct stile_mirror_row row;
    struct stile_row cells;
    if (gate.len == 0 || table == NULL) {
        return STILE_OK;
    }
    if (practice.len == 0) {
        trip->skip = true;
        return STILE_OK;
    }
    enum stile_status status = store->ops->mirror_get(
        store, e->feed->name, gate, practice, trip->arena, &row);
    if (status == STILE_OK) {
        status = mirror_read(trip->arena, table, row.cells, &cells);
    }
    if (status == STILE_NOT_FOUND) {
        trip->skip = true;
        return STILE_OK;
    }
    trip->skip = status == STILE_OK && (row.deleted || !gate_is_open(&cells));
    return status;
}

static enum stile_status gather(struct trip *trip, struct stile_store *store)
{
    struct extract *e = trip->owner;
    struct gathered got = {.trip = trip, .e = e};
    enum stile_status status = store->ops->mirror_person(
        store, e->feed->name, trip->message.feed_person, gather_row, &got);
    if (status == STILE_OK) {
        status = check_gate(trip, e, store, got.practice);
    }
    trip->message.rows = got.rows;
    trip->message.row_count = got.count;
    trip->message.gone = got.gone;
    return status;
}

static void persons_next(struct extract *e);

static void person_ended(struct trip *trip)
{
    struct extract *e = trip->owner;
    if (trip->status == STILE_OK && trip->skip) {
        e->skipped++;
    } else if (trip->status == STILE_OK) {
        trip_log(trip);
    } else {
        e->failed++;
        log_line(e->g, LOG_ERROR, "not-taken",
                 "a person of %.*s could not be worked (%s) and stays to be "
                 "worked",
                 STILE_FMT(e->feed->name), stile_status_text(trip->status));
    }
    e->in_hand--;
    trip_free(&trip);
    persons_next(e);
}

static bool person_start(struct extract *e, size_t i)
{
    struct trip *trip = trip_new(e->g);
    if (trip == NULL) {
        return false;
    }
    struct stile_digest digest;
    char hex[65];
    stile_sha256(e->persons[i], &digest);
    stile_digest_hex(&digest, hex);
    stile_time now = stile_now();
    trip->message = (struct stile_message){
        .id = stile_arena_printf(trip->arena, "%.*s.%llu.%.16s",
                                 STILE_FMT(e->feed->name),
                                 (unsigned long long)e->marks[i], hex),
        .source = e->feed->name,
        .source_ods = e->feed->ods,
        .family = e->feed->family,
        .name = e->feed->name,
        .received = now,
        .now = now,
        .feed = e->feed->name,
        .feed_person = stile_arena_str(trip->arena, e->persons[i]),
        .feed_batch = e->marks[i]};
    trip->gather = gather;
    trip->done = person_ended;
    trip->owner = e;
    e->in_hand++;
    trip_start(trip);
    return true;
}

static void list_work(struct stile_store_job *job, struct stile_store *store)
{
    struct extract *e = of_job(job);
    job->status = store->ops->dirty(store, e->feed->name,
                                    PERSONS_LISTED + e->stuck, e->list_arena,
                                    &e->persons, &e->marks, &e->person_count);
}

static void list_done(struct stile_store_job *job)
{
    struct extract *e = of_job(job);
    if (job->status != STILE_OK) {
        log_line(e->g, LOG_ERROR, "store", "%.*s: %s", STILE_FMT(e->feed->name),
                 stile_status_text(job->status));
        e->person_count = 0;
    }
    e->person_next = e->stuck < e->person_count ? e->stuck : e->person_count;
    e->listed = e->person_count - e->person_next;
    persons_next(e);
}

static void list_start(struct extract *e)
{
    stile_arena_reset(e->list_arena);
    e->stuck = e->failed;
    on_store(e, list_work, list_done);
}

static void persons_next(struct extract *e)
{
    while (e->person_next < e->person_count && e->in_hand < PERSONS_AT_ONCE &&
           !e->g->draining && person_start(e, e->person_next)) {
        e->person_next++;
    }
    if (e->in_hand > 0) {
        return;
    }
    /* Another page, as long as pages bring somebody who was not tried. */
    bool more = e->person_next == e->person_count && e->listed > 0 &&
                e->failed <= PERSONS_STUCK_MAX;
    if (more && !e->g->draining) {
        list_start(e);
        return;
    }
    if (e->skipped > 0) {
        log_line(e->g, LOG_WARN, "gate",
                 "%.*s: %zu persons are not read on: their practice has not "
                 "activated sharing or has switched it off",
                 STILE_FMT(e->feed->name), e->skipped);
    }
    ended(e);
}

static void persons_start(struct extract *e)
{
    e->skipped = 0;
    e->failed = 0;
    e->in_hand = 0;
    list_start(e);
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
    close_file(e);
    stile_arena_free(&e->list_arena);
    free(e);
}

void extract_poll(struct extract *e, void (*done)(void *ctx), void *ctx)
{
    e->done = done;
    e->ctx = ctx;
    e->plan = e->g->plan;
    e->plan->refs++;
    look_start(e);
}
