/*
 * A batch's files into the mirror, a chunk of rows at a time: parsed on the
 * pool, applied on the store thread, in turn, so that memory is a chunk's and
 * rows keep their order.
 */
#include <fcntl.h>
#include <unistd.h>

#include "extract_private.h"

#define CHUNK_ROWS 2000
#define CHUNK_ARENA (64u << 20)
#define READ_BYTES (1u << 18)

/* ---- load: a chunk on the pool ---- */

void extract_close_file(struct extract *e)
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
    if (e->hash != NULL) {
        stile_sha256_add(e->hash, (struct stile_str){bytes, (size_t)n});
    }
    return stile_csv_feed(e->csv, (struct stile_str){bytes, (size_t)n},
                          n == 0) == STILE_OK;
}

enum stile_status extract_pull(struct extract *e,
                               const struct stile_str **cells, size_t *count,
                               uint64_t *row)
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

bool extract_open_file(struct extract *e)
{
    const struct batch_file *file = &e->files[e->at];
    char path[PATH_BYTES];
    e->last_fed = false;
    e->file_arena = stile_arena_new(16u << 20);
    stile_diags_init(&e->diags, e->file_arena, 0);
    struct stile_str name =
        stile_arena_str(e->file_arena, stile_str_cstr(file->name));
    struct stile_csv_dialect form = stile_csv_dialect_of(
        e->plan->plan.schema, e->feed->family, STILE_STR_NULL);
    e->csv = stile_csv_new(&form, e->plan->plan.csv, name);
    if (e->csv == NULL || !extract_join(path, e->folder, file->name, "")) {
        return false;
    }
    e->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const struct stile_str *header = NULL;
    uint64_t row = 0;
    if (e->fd < 0 ||
        extract_pull(e, &header, &e->column_count, &row) != STILE_OK) {
        return false;
    }
    enum stile_status status = stile_schema_bind(
        e->plan->plan.schema, e->feed->family, extract_table_of(e, file),
        header, e->column_count, e->file_arena, name, &e->diags, &e->table,
        &e->ordinals);
    if (status != STILE_OK) {
        e->table = NULL;
        return false;
    }
    e->order_column = stile_table_column(e->table, extract_dialect(e, "order"));
    e->deleted_column =
        stile_table_column(e->table, extract_dialect(e, "deleted"));
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

/* SystmOne's -1: an entry in words, about no patient of the practice. Were it
 * taken for a patient, all of them would be one. */
static bool is_nobody(const struct extract *e, struct stile_str person)
{
    struct stile_str none = extract_dialect(e, "none");
    return none.len > 0 && stile_str_eq(person, none);
}

/* With part of its key empty a row would take another's place. */
static bool key_is_whole(const struct stile_table *table,
                         const struct stile_str *cells)
{
    for (size_t i = 0; i < table->key_count; i++) {
        if (cells[table->keys[i]].len == 0) {
            return false;
        }
    }
    return true;
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
    if (e->table->person_column != UINT32_MAX &&
        !is_nobody(e, by_ordinal[e->table->person_column])) {
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
    return out->key.len > 0 && key_is_whole(e->table, by_ordinal) &&
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
        enum stile_status status = extract_pull(e, &cells, &count, &row);
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
        (e->table == NULL && !extract_open_file(e))) {
        c->failed = true;
        return;
    }
    read_rows(e);
}

/* ---- load: the chunk into the mirror ---- */

bool extract_gate_is_open(const struct stile_row *row)
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
    *ret_open = known && !old.deleted && extract_gate_is_open(&cells);
    stile_arena_free(&arena);
    return known;
}

static void apply_work(struct stile_store_job *job, struct stile_store *store)
{
    struct extract *e = extract_of_job(job);
    struct chunk *c = &e->chunk;
    bool moved = false;
    bool gate = c->count > 0 &&
                stile_str_eq(c->rows[0].table, extract_dialect(e, "gate"));
    for (size_t i = 0; gate && i < c->count; i++) {
        bool was = false, is = false;
        struct stile_arena *arena = stile_arena_new(1u << 20);
        struct stile_row cells;
        bool known = gate_of(e, store, &c->rows[i], &was);
        is = mirror_read(arena, e->table, c->rows[i].cells, &cells) ==
                 STILE_OK &&
             !c->rows[i].deleted && extract_gate_is_open(&cells);
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
    struct extract *e = extract_of_job(job);
    job->status = store->ops->batch_finish(store, e->number, stile_now());
    if (job->status == STILE_OK) {
        job->status = store->ops->batch_finish(store, e->content, stile_now());
    }
}

static void finish_done(struct stile_store_job *job)
{
    struct extract *e = extract_of_job(job);
    if (job->status != STILE_OK) {
        log_line(e->g, LOG_ERROR, "store",
                 "%.*s: batch %s was not finished: "
                 "it is read again at the next look",
                 STILE_FMT(e->feed->name), e->stamp);
        extract_ended(e);
        return;
    }
    log_line(e->g, LOG_INFO, "received",
             "batch %s of %.*s is in the mirror: %llu rows, %llu not usable",
             e->stamp, STILE_FMT(e->feed->name),
             (unsigned long long)e->rows_read, (unsigned long long)e->rows_bad);
    extract_move(e);
}

void extract_file_failed(struct extract *e)
{
    log_line(e->g, LOG_ERROR, "feed",
             "%.*s: %s cannot be read as its table: the batch waits until "
             "the file is replaced",
             STILE_FMT(e->feed->name), e->files[e->at].name);
    log_diags(e->g, &e->diags);
}

static void apply_done(struct stile_store_job *job)
{
    struct extract *e = extract_of_job(job);
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
        extract_close_file(e);
        extract_ended(e);
        return;
    }
    if (file_ended) {
        extract_close_file(e);
        e->at++;
    }
    extract_load(e);
}

static void load_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct extract *e = work->data;
    if (e->chunk.failed) {
        extract_file_failed(e);
        e->bad_signature = e->signature;
        stile_arena_free(&e->chunk.arena);
        extract_close_file(e);
        extract_persons(e);
        return;
    }
    extract_on_store(e, apply_work, apply_done);
}

void extract_load(struct extract *e)
{
    while (e->at < e->file_count &&
           !extract_wants(e, extract_table_of(e, &e->files[e->at]))) {
        e->at++;
    }
    if (e->g->draining) {
        extract_close_file(e);
        extract_ended(e); /* read again from its start, in the same order */
        return;
    }
    if (e->at == e->file_count) {
        extract_on_store(e, finish_work, finish_done);
        return;
    }
    extract_on_pool(e, load_work, load_done);
}
