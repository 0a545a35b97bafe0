/*
 * A batch is looked through before any of its rows is believed. A file cut off
 * in its middle ends in a row that is broken: a quote stays open, or cells are
 * missing. What was lost behind it may be a refusal, so nothing of the batch
 * is read until the file is whole. A cut exactly at a line end shows nowhere.
 *
 * A batch is known by its name and by the digest of what its files hold: one
 * repaired under the same name is read again, under the number the name has,
 * so that it does not go over batches that came after.
 */
#include "extract_private.h"

/* False: it is no table, or its last row is broken. */
static bool look_through(struct extract *e)
{
    const struct stile_str *cells = NULL;
    size_t count = 0;
    uint64_t row = 0;
    bool whole = true;
    enum stile_status status = STILE_OK;
    while (status == STILE_OK || status == STILE_INVALID) {
        status = extract_pull(e, &cells, &count, &row);
        whole = status == STILE_END ? whole : status == STILE_OK;
    }
    e->cut = status == STILE_END && !whole;
    return status == STILE_END && whole;
}

static void check_work(uv_work_t *work)
{
    struct extract *e = work->data;
    struct stile_digest all;
    e->diags = (struct stile_diags){.count = 0};
    e->hash = stile_sha256_new();
    e->checked = e->hash != NULL;
    e->cut = false;
    for (e->at = 0; e->checked && e->at < e->file_count; e->at++) {
        struct stile_str name = stile_str_cstr(e->files[e->at].name);
        if (!extract_wants(e, extract_table_of(e, &e->files[e->at]))) {
            continue;
        }
        stile_sha256_add(e->hash, (struct stile_str){name.ptr, name.len + 1});
        e->checked = extract_open_file(e) && look_through(e);
        if (!e->checked) {
            break; /* with its findings */
        }
        stile_sha256_add(e->hash, stile_str_cstr("\n"));
        extract_close_file(e);
    }
    if (e->checked) {
        stile_sha256_done(e->hash, &all);
        stile_digest_hex(&all, e->digest);
    }
    stile_sha256_free(&e->hash);
}

static void check_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct extract *e = work->data;
    if (e->checked) {
        extract_begin(e);
        return;
    }
    e->g->counts.batches_refused++;
    e->bad_signature = e->signature;
    if (e->cut) {
        log_line(e->g, LOG_WARN, "feed",
                 "%.*s: %s is cut off at its end: nothing of batch %s is read "
                 "until the whole file is put in its place",
                 STILE_FMT(e->feed->name), e->files[e->at].name, e->stamp);
        log_diags(e->g, &e->diags);
    } else {
        extract_file_failed(e);
    }
    extract_close_file(e);
    extract_persons(e);
}

void extract_check(struct extract *e)
{
    extract_on_pool(e, check_work, check_done);
}
