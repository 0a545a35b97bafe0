/*
 * Folder feeds. Two kinds by family: exports (a batch of table files, read by
 * extract.c into the mirror) and case or FHIR files, one message each:
 *
 *   NAME.json, NAME.csv   taken when its size stood still for one poll, its
 *                         suffix in any case; *.part and *.tmp are somebody's
 *                         work in progress
 *   any other name        stays, with NAME.findings.txt beside it
 *   done/NAME             durable; with NAME.findings.txt if there were any
 *   failed/NAME           could not be used, with NAME.findings.txt; so a
 *                         sheet of which no row could be
 *
 * One file a feed is in hand at a time, so a folder drains in order of name.
 *
 * People call files after people. So the log, the store and the audit entries
 * have a tag of the name, "file 3fa4b2c19d0e"; the findings beside the file
 * have the name, and the tag at their end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway_private.h"

#define PATH_BYTES 1024
/* A name that nobody takes is told when it stood still for this long: until
 * then it may be the name of a copy in progress. */
#define OTHER_SECONDS 5
/* Rows that the last line of the findings names. */
#define ROWS_NAMED 20
#define TAG_BYTES 32

struct feed {
    struct gateway *g;
    const struct stile_feed_config *config;
    struct extract *extract; /* exports only */
    uv_timer_t timer;
    uv_work_t look;
    bool busy;
    /* what the look found */
    char name[256];
    off_t size;
    bool found;
    char other[256];     /* a name that is not taken, or "" */
    bool untold;         /* its findings could not be written: no more tries */
    char last_name[256]; /* of the look before: must stand still */
    off_t last_size;
    struct stile_str bytes; /* the file, when it stood still */
    const char *unread;     /* why it could not be read, or NULL */
    struct trip *trip;
};

struct feeds {
    struct feed *items;
    size_t count;
    bool stopped;
};

static bool is_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name), suffix_len = strlen(suffix);
    return len >= suffix_len &&
           stile_str_eq_nocase(stile_str_cstr(name + len - suffix_len),
                               stile_str_cstr(suffix));
}

static bool is_message(const char *name)
{
    return name[0] != '.' &&
           (is_suffix(name, ".json") || is_suffix(name, ".csv"));
}

/* Hidden, in progress, a lock of a spreadsheet program, or our own. */
static bool is_passing(const char *name)
{
    return name[0] == '.' || strncmp(name, "~$", 2) == 0 ||
           is_suffix(name, ".part") || is_suffix(name, ".tmp") ||
           is_suffix(name, ".findings.txt");
}

static struct stile_str tag_of(const char *name, char out[TAG_BYTES])
{
    struct stile_digest digest;
    char hex[65];
    stile_sha256(stile_str_cstr(name), &digest);
    stile_digest_hex(&digest, hex);
    (void)snprintf(out, TAG_BYTES, "file %.12s", hex);
    return stile_str_cstr(out);
}

static const char *format_of(const struct feed *feed)
{
    if (stile_str_eqc(feed->config->family, "fhir")) {
        return "fhir-json";
    }
    return is_suffix(feed->name, ".csv") ? "vcse-csv" : "vcse-json";
}

/* ---- looking, on the pool ---- */

static bool join(char out[PATH_BYTES], const char *folder, const char *sub,
                 const char *name, const char *suffix)
{
    int n = snprintf(out, PATH_BYTES, "%s/%s%s%s%s", folder, sub,
                     sub[0] != '\0' ? "/" : "", name, suffix);
    return n > 0 && n < PATH_BYTES;
}

/* One that nobody takes, that stood still, and of which nothing was said. */
static bool is_untold(const struct feed *feed, const char *name,
                      const struct stat *st)
{
    char path[PATH_BYTES];
    struct stat told;
    return !is_passing(name) && !is_message(name) && !feed->untold &&
           time(NULL) - st->st_mtime >= OTHER_SECONDS &&
           join(path, feed->config->folder, "", name, ".findings.txt") &&
           lstat(path, &told) != 0 && errno == ENOENT;
}

/* The first file by name that is a message and no work in progress; and one
 * that is none. */
static void find_first(struct feed *feed)
{
    feed->found = false;
    feed->other[0] = '\0';
    DIR *dir = opendir(feed->config->folder);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct stat st;
        char path[PATH_BYTES];
        if (is_passing(e->d_name) || strlen(e->d_name) >= sizeof(feed->name) ||
            !join(path, feed->config->folder, "", e->d_name, "") ||
            lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
            continue;
        }
        if (is_untold(feed, e->d_name, &st)) {
            memcpy(feed->other, e->d_name, strlen(e->d_name) + 1);
        } else if (is_message(e->d_name) &&
                   (!feed->found || strcmp(e->d_name, feed->name) < 0)) {
            memcpy(feed->name, e->d_name, strlen(e->d_name) + 1);
            feed->size = st.st_size;
            feed->found = true;
        }
    }
    (void)closedir(dir);
}

/* Between the look and this the name may have become a link to elsewhere or a
 * pipe: neither is followed. */
static const char *read_message(struct feed *feed)
{
    char path[PATH_BYTES];
    struct stat st;
    size_t limit = feed->trip->plan->plan.json.bytes, len = 0;
    int fd = join(path, feed->config->folder, "", feed->name, "")
                 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
                 : -1;
    if (fd < 0 && errno == ENOENT) {
        return NULL; /* somebody took it away again */
    }
    const char *why = "it cannot be read: see its permissions";
    char *bytes = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        bool fits = st.st_size >= 0 && (uint64_t)st.st_size <= limit;
        why = fits ? why : "it is larger than a message may be: split it";
        bytes =
            fits ? stile_arena_alloc(feed->trip->arena, (size_t)st.st_size + 1)
                 : NULL;
    }
    ssize_t n = 1;
    while (bytes != NULL && n > 0 && len < (size_t)st.st_size) {
        n = read(fd, bytes + len, (size_t)st.st_size - len);
        len += n > 0 ? (size_t)n : 0;
    }
    if (bytes != NULL && n >= 0) {
        feed->bytes = (struct stile_str){bytes, len};
        why = NULL;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return why;
}

static bool write_text(const char *path, int flags, struct stile_str text)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0640);
    bool ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    return (fd < 0 || close(fd) == 0) && ok;
}

/* Beside the file, so that whoever put it there learns that nobody takes it;
 * and it is said once, since the findings then are there. */
static void tell_other(struct feed *feed)
{
    static const char text[] =
        "this file is not taken: save a sheet as CSV UTF-8 "
        "(.csv); only .csv and .json files are read from this folder\n";
    char path[PATH_BYTES];
    feed->untold =
        !join(path, feed->config->folder, "", feed->other, ".findings.txt") ||
        !write_text(path, O_EXCL, stile_str_cstr(text));
}

static void look_work(uv_work_t *work)
{
    struct feed *feed = work->data;
    find_first(feed);
    if (feed->other[0] != '\0') {
        tell_other(feed);
    }
    feed->bytes = STILE_STR_NULL;
    feed->unread = NULL;
    if (feed->found && feed->trip != NULL &&
        strcmp(feed->name, feed->last_name) == 0 &&
        feed->size == feed->last_size) {
        feed->unread = read_message(feed);
    }
}

/* ---- moving a file that was worked ---- */

static bool make_folder(const struct feed *feed, const char *sub)
{
    char path[PATH_BYTES];
    return join(path, feed->config->folder, sub, "", "") &&
           (mkdir(path, 0750) == 0 || errno == EEXIST);
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The rows that errors name, each once. */
static size_t error_rows(const struct stile_diags *diags, uint32_t *rows,
                         size_t most)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < diags->count && count < most; i++) {
        const struct stile_diag *d = &diags->items[i];
        if (d->severity == STILE_ERROR && d->row) {
            rows[count++] = d->line;
        }
    }
    qsort(rows, count, sizeof(*rows), by_number);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || rows[kept - 1] != rows[i]) {
            rows[kept++] = rows[i];
        }
    }
    return kept;
}

/* "rows read 9, used 7, not used 2 (rows 3, 7)": the last line of a sheet's
 * findings. */
static void sum_up(const struct feed *feed, const struct stile_exchange *x,
                   struct stile_buf *out)
{
    uint32_t rows[STILE_DIAGS_DEFAULT];
    size_t read = 0, used = 0;
    stile_exchange_rows(x, &read, &used);
    if (read == 0 ||
        !stile_str_eqc(stile_str_cstr(format_of(feed)), "vcse-csv")) {
        return;
    }
    size_t count =
        error_rows(stile_exchange_diags(x), rows, STILE_DIAGS_DEFAULT);
    size_t named = count < ROWS_NAMED ? count : ROWS_NAMED;
    stile_buf_printf(out, "rows read %zu, used %zu, not used %zu", read, used,
                     read - used);
    for (size_t i = 0; i < named; i++) {
        stile_buf_printf(out, "%s%u", i == 0 ? " (rows " : ", ",
                         (unsigned)rows[i]);
    }
    if (named > 0) {
        stile_buf_addc(out, named < read - used ? " and others)" : ")");
    }
    stile_buf_byte(out, '\n');
}

/* Findings with the file's name in the place of its tag. */
static void add_named(const struct feed *feed, struct stile_str findings,
                      struct stile_str tag, struct stile_buf *out)
{
    struct stile_str rest = findings, line;
    while (stile_str_next(&rest, '\n', &line)) {
        if (stile_str_starts(line, tag)) {
            stile_buf_addc(out, feed->name);
            line = stile_str_sub(line, tag.len, SIZE_MAX);
        }
        stile_buf_add(out, line);
        stile_buf_byte(out, '\n');
    }
}

static void write_findings(const char *file, const struct feed *feed,
                           const struct stile_exchange *x)
{
    const struct stile_diags *diags =
        x != NULL ? stile_exchange_diags(x) : NULL;
    char path[PATH_BYTES + 16];
    if (diags == NULL || diags->count == 0) {
        return;
    }
    (void)snprintf(path, sizeof(path), "%s.findings.txt", file);
    struct stile_buf tagged, text;
    char tag[TAG_BYTES];
    struct stile_str tag_text = tag_of(feed->name, tag);
    stile_buf_init(&tagged, 1u << 20);
    stile_buf_init(&text, 2u << 20);
    stile_diags_print(diags, false, &tagged);
    add_named(feed, stile_buf_str(&tagged), tag_text, &text);
    stile_buf_printf(&text, "(in the gateway's log: %s)\n", tag);
    sum_up(feed, x, &text);
    if (!write_text(path, O_TRUNC, stile_buf_str(&text))) {
        log_line(feed->g, LOG_WARN, "feed",
                 "the findings of a file of %.*s could not be written",
                 STILE_FMT(feed->config->name));
    }
    stile_buf_release(&tagged);
    stile_buf_release(&text);
}

/* A name of its own in the folder: what was put away before is not written
 * over. */
static bool free_name(const struct feed *feed, const char *sub,
                      char out[PATH_BYTES], char suffix[16])
{
    struct stat st;
    suffix[0] = '\0';
    for (unsigned i = 1; i < 10000; i++) {
        if (!join(out, feed->config->folder, sub, feed->name, suffix)) {
            return false;
        }
        if (lstat(out, &st) != 0) {
            return errno == ENOENT;
        }
        (void)snprintf(suffix, 16, ".%u", i);
    }
    return false;
}

static void put_away(const struct feed *feed, const char *sub,
                     const struct stile_exchange *x)
{
    char from[PATH_BYTES], to[PATH_BYTES], suffix[16], tag[TAG_BYTES];
    if (!make_folder(feed, sub) ||
        !join(from, feed->config->folder, "", feed->name, "") ||
        !free_name(feed, sub, to, suffix) || rename(from, to) != 0) {
        log_line(feed->g, LOG_ERROR, "feed",
                 "%.*s: %s could not be moved to %s/: give the gateway write "
                 "permission on the folder",
                 STILE_FMT(feed->config->name), tag_of(feed->name, tag).ptr,
                 sub);
        return;
    }
    write_findings(to, feed, x);
}

/* ---- a file's trip ---- */

/* A sheet of which no row could be used did not arrive. */
static bool is_useless(const struct feed *feed, const struct trip *trip)
{
    size_t read = 0, used = 0;
    if (trip->begun != STILE_OK || trip->exchange == NULL) {
        return trip->begun != STILE_OK;
    }
    stile_exchange_rows(trip->exchange, &read, &used);
    return stile_str_eqc(stile_str_cstr(format_of(feed)), "vcse-csv") &&
           read > 0 && used == 0;
}

static void trip_ended(struct trip *trip)
{
    char tag[TAG_BYTES];
    struct feed *feed = trip->owner;
    if (trip->status == STILE_OK && trip->repeated) {
        log_line(feed->g, LOG_INFO, "repeated",
                 "%s of %.*s was taken before: nothing is sent again",
                 tag_of(feed->name, tag).ptr, STILE_FMT(feed->config->name));
        put_away(feed, "done", NULL);
    } else if (trip->status == STILE_OK) {
        trip_log(trip);
        put_away(feed, is_useless(feed, trip) ? "failed" : "done",
                 trip->exchange);
    } else if (trip->status == STILE_LIMIT || trip->status == STILE_CONFLICT ||
               trip->status == STILE_INVALID ||
               trip->status == STILE_UNSUPPORTED) {
        /* To try again would not help, and would hold up the others. */
        log_line(feed->g, LOG_ERROR, "not-taken",
                 "%s of %.*s was put into failed/: %s%s",
                 tag_of(feed->name, tag).ptr, STILE_FMT(feed->config->name),
                 stile_status_text(trip->status),
                 trip->status == STILE_LIMIT
                     ? "; it is more than a message may be: split it"
                     : "");
        put_away(feed, "failed", trip->exchange);
    } else {
        log_line(feed->g, LOG_ERROR, "not-taken",
                 "%s of %.*s stays in its folder: %s",
                 tag_of(feed->name, tag).ptr, STILE_FMT(feed->config->name),
                 stile_status_text(trip->status));
    }
    feed->trip = NULL;
    feed->busy = false;
    feed->last_name[0] = '\0';
    trip_free(&trip);
}

static void start_trip(struct feed *feed)
{
    struct trip *trip = feed->trip;
    struct stile_digest digest;
    char hex[65], tag[TAG_BYTES];
    stile_sha256(feed->bytes, &digest);
    stile_digest_hex(&digest, hex);
    stile_time now = stile_now();
    trip->message = (struct stile_message){
        .id = stile_arena_str(trip->arena, stile_str_cstr(hex)),
        .source = feed->config->name,
        .source_ods = feed->config->ods,
        .family = feed->config->family,
        .name = stile_arena_str(trip->arena, tag_of(feed->name, tag)),
        .format = stile_str_cstr(format_of(feed)),
        .bytes = feed->bytes,
        .received = now,
        .now = now,
        .dedupe = true};
    trip->owner = feed;
    trip->done = trip_ended;
    trip_start(trip);
}

static void look_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    struct feed *feed = work->data;
    char tag[TAG_BYTES];
    if (feed->other[0] != '\0') {
        log_line(feed->g, LOG_WARN, "not-taken",
                 "%s of %.*s is no .csv or .json file and stays in its "
                 "folder%s",
                 tag_of(feed->other, tag).ptr, STILE_FMT(feed->config->name),
                 feed->untold ? "; its findings could not be written beside it"
                              : "");
    }
    if (feed->bytes.ptr != NULL && !feed->g->feeds->stopped) {
        start_trip(feed);
        return;
    }
    if (feed->unread != NULL && !feed->g->feeds->stopped) {
        log_line(feed->g, LOG_ERROR, "not-taken",
                 "%s of %.*s was put into failed/: %s",
                 tag_of(feed->name, tag).ptr, STILE_FMT(feed->config->name),
                 feed->unread);
        put_away(feed, "failed", NULL);
        feed->found = false;
    }
    feed->busy = false;
    trip_free(&feed->trip);
    memcpy(feed->last_name, feed->found ? feed->name : "",
           feed->found ? strlen(feed->name) + 1 : 1);
    feed->last_size = feed->size;
    gateway_settled(feed->g);
}

/* ---- the timer ---- */

static void extract_done(void *ctx)
{
    struct feed *feed = ctx;
    feed->busy = false;
    gateway_settled(feed->g);
}

static void on_poll(uv_timer_t *timer)
{
    struct feed *feed = timer->data;
    if (feed->busy || feed->g->draining) {
        return;
    }
    feed->busy = true;
    if (feed->extract != NULL) {
        extract_poll(feed->extract, extract_done, feed);
        return;
    }
    /* Back-pressure: without room for an exchange the file stays. */
    feed->trip = trip_new(feed->g);
    feed->look.data = feed;
    int rc = uv_queue_work(&feed->g->loop, &feed->look, look_work, look_done);
    STILE_ASSERT(rc == 0);
}

static bool is_export(const struct gateway *g, struct stile_str family)
{
    return stile_schema_dialect(g->plan->plan.schema, family, STILE_STR_NULL,
                                "deleted")
               .len > 0;
}

enum stile_status feeds_start(struct gateway *g)
{
    struct feeds *feeds = calloc(1, sizeof(*feeds));
    struct feed *items = calloc(g->config->feed_count + 1, sizeof(*items));
    if (feeds == NULL || items == NULL) {
        free(feeds);
        free(items);
        return STILE_NOMEM;
    }
    feeds->items = items;
    feeds->count = g->config->feed_count;
    g->feeds = feeds;
    for (size_t i = 0; i < feeds->count; i++) {
        struct feed *feed = &items[i];
        feed->g = g;
        feed->config = &g->config->feeds[i];
        if (is_export(g, feed->config->family)) {
            feed->extract = extract_new(g, feed->config);
            if (feed->extract == NULL) {
                return STILE_NOMEM;
            }
        }
        int rc = uv_timer_init(&g->loop, &feed->timer);
        STILE_ASSERT(rc == 0);
        feed->timer.data = feed;
        rc = uv_timer_start(&feed->timer, on_poll, 10, feed->config->poll_ms);
        STILE_ASSERT(rc == 0);
    }
    return STILE_OK;
}

void feeds_stop(struct gateway *g)
{
    if (g->feeds == NULL || g->feeds->stopped) {
        return;
    }
    g->feeds->stopped = true;
    for (size_t i = 0; i < g->feeds->count; i++) {
        uv_close((uv_handle_t *)&g->feeds->items[i].timer, NULL);
    }
}

bool feeds_idle(const struct gateway *g)
{
    for (size_t i = 0; g->feeds != NULL && i < g->feeds->count; i++) {
        if (g->feeds->items[i].busy) {
            return false;
        }
    }
    return true;
}

void feeds_free(struct gateway *g)
{
    if (g->feeds == NULL) {
        return;
    }
    for (size_t i = 0; i < g->feeds->count; i++) {
        extract_free(&g->feeds->items[i].extract);
    }
    free(g->feeds->items);
    free(g->feeds);
    g->feeds = NULL;
}
