/*
 * Folder feeds. Two kinds by family: exports (a batch of table files, read by
 * extract.c into the mirror) and case or FHIR files, one message each:
 *
 *   NAME.json, NAME.csv   taken when its size stood still for one poll;
 *                         *.part and *.tmp are somebody's work in progress
 *   done/NAME             durable; with NAME.findings.txt if there were any
 *   failed/NAME           could not be used, with NAME.findings.txt
 *
 * One file a feed is in hand at a time, so a folder drains in order of name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway_private.h"

#define PATH_BYTES 1024

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
    return stile_str_ends(stile_str_cstr(name), stile_str_cstr(suffix));
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

/* The first file by name that is a message and no work in progress. */
static void find_first(struct feed *feed)
{
    feed->found = false;
    DIR *dir = opendir(feed->config->folder);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct stat st;
        char path[PATH_BYTES];
        bool wanted = e->d_name[0] != '.' && (is_suffix(e->d_name, ".json") ||
                                              is_suffix(e->d_name, ".csv"));
        if (!wanted || strlen(e->d_name) >= sizeof(feed->name) ||
            !join(path, feed->config->folder, "", e->d_name, "") ||
            lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
            continue;
        }
        if (!feed->found || strcmp(e->d_name, feed->name) < 0) {
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

static void look_work(uv_work_t *work)
{
    struct feed *feed = work->data;
    find_first(feed);
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

static void write_findings(const char *file, const struct feed *feed,
                           const struct stile_diags *diags)
{
    char path[PATH_BYTES + 16];
    if (diags == NULL || diags->count == 0) {
        return;
    }
    (void)snprintf(path, sizeof(path), "%s.findings.txt", file);
    struct stile_buf text;
    stile_buf_init(&text, 1u << 20);
    stile_diags_print(diags, false, &text);
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    ok = (fd < 0 || close(fd) == 0) && ok;
    if (!ok) {
        log_line(feed->g, LOG_WARN, "feed",
                 "the findings of a file of %.*s could not be written",
                 STILE_FMT(feed->config->name));
    }
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
                     const struct stile_diags *diags)
{
    char from[PATH_BYTES], to[PATH_BYTES], suffix[16];
    if (!make_folder(feed, sub) ||
        !join(from, feed->config->folder, "", feed->name, "") ||
        !free_name(feed, sub, to, suffix) || rename(from, to) != 0) {
        log_line(feed->g, LOG_ERROR, "feed",
                 "%.*s: %s could not be moved to %s/: give the gateway write "
                 "permission on the folder",
                 STILE_FMT(feed->config->name), feed->name, sub);
        return;
    }
    write_findings(to, feed, diags);
}

/* ---- a file's trip ---- */

static void trip_ended(struct trip *trip)
{
    struct feed *feed = trip->owner;
    const struct stile_diags *diags =
        trip->exchange != NULL ? stile_exchange_diags(trip->exchange) : NULL;
    if (trip->status == STILE_OK && trip->repeated) {
        log_line(feed->g, LOG_INFO, "repeated",
                 "%s of %.*s was taken before: nothing is sent again",
                 feed->name, STILE_FMT(feed->config->name));
        put_away(feed, "done", NULL);
    } else if (trip->status == STILE_OK) {
        trip_log(trip);
        put_away(feed, trip->begun == STILE_OK ? "done" : "failed", diags);
    } else if (trip->status == STILE_LIMIT || trip->status == STILE_CONFLICT ||
               trip->status == STILE_INVALID ||
               trip->status == STILE_UNSUPPORTED) {
        /* To try again would not help, and would hold up the others. */
        log_line(feed->g, LOG_ERROR, "not-taken",
                 "%s of %.*s was put into failed/: %s%s", feed->name,
                 STILE_FMT(feed->config->name), stile_status_text(trip->status),
                 trip->status == STILE_LIMIT
                     ? "; it is more than a message may be: split it"
                     : "");
        put_away(feed, "failed", diags);
    } else {
        log_line(feed->g, LOG_ERROR, "not-taken",
                 "%s of %.*s stays in its folder: %s", feed->name,
                 STILE_FMT(feed->config->name),
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
    char hex[65];
    stile_sha256(feed->bytes, &digest);
    stile_digest_hex(&digest, hex);
    stile_time now = stile_now();
    trip->message = (struct stile_message){
        .id = stile_arena_str(trip->arena, stile_str_cstr(hex)),
        .source = feed->config->name,
        .source_ods = feed->config->ods,
        .family = feed->config->family,
        .name = stile_arena_str(trip->arena, stile_str_cstr(feed->name)),
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
    if (feed->bytes.ptr != NULL && !feed->g->feeds->stopped) {
        start_trip(feed);
        return;
    }
    if (feed->unread != NULL && !feed->g->feeds->stopped) {
        log_line(feed->g, LOG_ERROR, "not-taken",
                 "%s of %.*s was put into failed/: %s", feed->name,
                 STILE_FMT(feed->config->name), feed->unread);
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
                                "order")
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
