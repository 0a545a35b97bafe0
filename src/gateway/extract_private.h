/*
 * What the files of an export's loader share. Read downward:
 *   extract.c          the folder: which batch, whole and standing still
 *   extract_check.c    its files: whole, and read before?
 *   extract_load.c     its rows into the mirror
 *   extract_persons.c  every person whose rows changed, through the exchange
 *
 * One struct a feed, on the loop; work on the pool or the store thread touches
 * only what its step names, and one step of a feed runs at a time.
 */
#ifndef STILE_EXTRACT_PRIVATE_H
#define STILE_EXTRACT_PRIVATE_H

#include <sys/stat.h>

#include "gateway_private.h"

#define PATH_BYTES 1024
#define FILES_MAX 256

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
    const char *folder;                 /* where its files are */
    struct download download;           /* of a family with manifests */
    uint64_t signature, last_signature; /* of its files: stands still? */
    uint64_t bad_signature; /* it could not be read as it stood then */
    bool complete, finished, crowded, checked, cut;
    uint64_t number;           /* of its name: its rows are ordered by it */
    uint64_t content;          /* of its name and what its files hold */
    struct stile_sha256 *hash; /* while it is looked through */
    char digest[65];
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

/* A word of the schema's dialect for this family: `order`, `deleted`, `gate`,
 * `gone`, `none`, `manifest`, `needs`. */
struct stile_str extract_dialect(const struct extract *e, const char *key);
/* A mapping reads the table, or it is the gate or the list of who is gone. */
bool extract_wants(const struct extract *e, struct stile_str table);
/* a/b/c; false when it is too long. */
bool extract_join(char out[PATH_BYTES], const char *a, const char *b,
                  const char *c);
struct stile_str extract_table_of(const struct extract *e,
                                  const struct batch_file *file);

/* ---- the steps: each begins the next ---- */

void extract_look(struct extract *e);
void extract_check(struct extract *e);
void extract_begin(struct extract *e);
void extract_load(struct extract *e);
/* The batch's files go to done/. */
void extract_move(struct extract *e);
void extract_persons(struct extract *e);
/* Nothing more can be done now. */
void extract_ended(struct extract *e);

void extract_on_pool(struct extract *e, uv_work_cb work,
                     uv_after_work_cb after);
void extract_on_store(struct extract *e,
                      void (*work)(struct stile_store_job *,
                                   struct stile_store *),
                      void (*done)(struct stile_store_job *));
struct extract *extract_of_job(struct stile_store_job *job);

/* ---- extract_load.c ---- */

bool extract_open_file(struct extract *e);
/* The next row of the file in hand, reading on as needed. END is its end. */
enum stile_status extract_pull(struct extract *e,
                               const struct stile_str **cells, size_t *count,
                               uint64_t *row);
void extract_close_file(struct extract *e);
void extract_file_failed(struct extract *e);
/* The practice shares: the gate's row says so. */
bool extract_gate_is_open(const struct stile_row *row);

#endif
