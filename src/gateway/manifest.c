/*
 * Downloads that say themselves what is in them (SystmOne). Each is a folder
 * yyyyMMdd_HHmm whose manifest is written last and lists its files, with the
 * time each begins and ends. A folder without one is still being written.
 *
 * A download that went missing may have held a refusal, so a delta is read only
 * when it begins no later than what was read last ended. That time stands in
 * the feed's folder, in a file of its own, so that done/ may be emptied.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway_private.h"

#define MANIFEST_BYTES (1u << 20)
#define LAST_NAME ".read-up-to"

static bool join(char *out, size_t size, const char *folder, const char *name,
                 const char *suffix)
{
    int n = snprintf(out, size, "%s/%s%s", folder, name, suffix);
    return n > 0 && (size_t)n < size;
}

static bool slurp(const char *path, struct stile_arena *arena,
                  struct stile_str *ret)
{
    char *bytes = stile_arena_alloc(arena, MANIFEST_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t len = 0;
    ssize_t n = 1;
    if (fd < 0 || bytes == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    while (n > 0 && len < MANIFEST_BYTES) {
        n = read(fd, bytes + len, MANIFEST_BYTES - len);
        len += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    *ret = (struct stile_str){bytes, len};
    return n == 0; /* the whole of it */
}

/* The oldest download whose manifest is there. */
static bool oldest(const char *root, const char *manifest, struct download *out)
{
    DIR *dir = opendir(root);
    bool found = false;
    if (dir == NULL) {
        return false;
    }
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        struct stat st;
        char folder[sizeof(out->folder)], path[sizeof(out->folder) + 64];
        if (!stile_systmone_stamp_valid(stile_str_cstr(d->d_name)) ||
            (found && strcmp(d->d_name, out->stamp) >= 0) ||
            !join(folder, sizeof(folder), root, d->d_name, "") ||
            !join(path, sizeof(path), folder, manifest, ".csv") ||
            lstat(folder, &st) != 0 || !S_ISDIR(st.st_mode) ||
            lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
            continue;
        }
        memcpy(out->folder, folder, sizeof(folder));
        memcpy(out->stamp, d->d_name, sizeof(out->stamp));
        found = true;
    }
    (void)closedir(dir);
    return found;
}

struct columns {
    size_t name, delta, from, to;
};

static size_t find(const struct stile_str *cells, size_t count,
                   const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq_nocase(cells[i], stile_str_cstr(name))) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool read_header(const struct stile_str *cells, size_t count,
                        struct columns *ret)
{
    *ret = (struct columns){find(cells, count, "FileName"),
                            find(cells, count, "IsDelta"),
                            find(cells, count, "DateExtractFrom"),
                            find(cells, count, "DateExtractTo")};
    return ret->name < count && ret->delta < count && ret->from < count &&
           ret->to < count;
}

/* The later of the two, both yyyyMMdd_HHmm. */
static void keep_later(char to[16], struct stile_str cell)
{
    if (stile_systmone_stamp_valid(cell) &&
        stile_str_cmp(cell, stile_str_cstr(to)) > 0) {
        memcpy(to, cell.ptr, cell.len);
        to[cell.len] = '\0';
    }
}

struct deltas {
    bool dated, undated; /* lines of the manifest */
};

/* What a line says of its time. Were one believed that has no beginning, or
 * that ends later than the download was made, no gap would be seen any more.
 */
static const char *read_times(const struct download *d, struct stile_str from,
                              struct stile_str to, bool delta,
                              struct deltas *deltas)
{
    if (stile_systmone_stamp_valid(to) &&
        stile_str_cmp(to, stile_str_cstr(d->stamp)) > 0) {
        return "its manifest says it ends later than its folder was made: "
               "have it made again";
    }
    if (delta && from.len == 0 && to.len == 0) {
        deltas->undated = true;
    } else if (delta) {
        if (!stile_systmone_stamp_valid(from) ||
            !stile_systmone_stamp_valid(to)) {
            return "its manifest does not say when a delta begins and ends: "
                   "have it made again";
        }
        deltas->dated = true;
    }
    return NULL;
}

static const char *read_line(struct download *d, const struct columns *at,
                             const struct stile_str *cells, const char *last,
                             struct deltas *deltas)
{
    char path[sizeof(d->folder) + 128], name[112];
    struct stile_str file = cells[at->name], from = cells[at->from];
    const char *why = NULL;
    struct stat st;
    bool delta = stile_str_eq_nocase(cells[at->delta], STILE_STR("Y"));
    if (file.len == 0 || file.len >= sizeof(name) ||
        stile_str_find(file, '/') != SIZE_MAX) {
        return "its manifest names a file that cannot be one";
    }
    memcpy(name, file.ptr, file.len);
    name[file.len] = '\0';
    if (!join(path, sizeof(path), d->folder, name, ".csv") ||
        lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return "a file its manifest lists is not there: put it in, unpacked";
    }
    why = read_times(d, from, cells[at->to], delta, deltas);
    if (why != NULL) {
        return why;
    }
    if (delta &&
        (last[0] == '\0' ||
         (from.len > 0 && stile_str_cmp(from, stile_str_cstr(last)) > 0))) {
        return "a download before it is missing: put that one in, or take "
               "this one away and have a full one made";
    }
    keep_later(d->to, cells[at->to]);
    return NULL;
}

static const char *read_lines(struct download *d, struct stile_csv *csv,
                              struct stile_diags *diags, const char *last)
{
    const struct stile_str *cells = NULL;
    size_t count = 0;
    uint64_t row = 0;
    struct columns at;
    const char *why = NULL;
    struct deltas deltas = {false, false};
    enum stile_status status = stile_csv_pull(csv, diags, &cells, &count, &row);
    if (status != STILE_OK || !read_header(cells, count, &at)) {
        return "its manifest cannot be read";
    }
    while (why == NULL && (status = stile_csv_pull(csv, diags, &cells, &count,
                                                   &row)) == STILE_OK) {
        why = read_line(d, &at, cells, last, &deltas);
    }
    if (why == NULL && status != STILE_END) {
        return "its manifest cannot be read";
    }
    /* Some tables bear no times of their own; those of the others are theirs.
     */
    if (why == NULL && deltas.undated && !deltas.dated) {
        return "its manifest does not say when a delta begins and ends: have "
               "it made again";
    }
    return why;
}

/* Tables the family cannot be read without, joined by +. */
static const char *lacks(const struct download *d, struct stile_str needs)
{
    struct stile_str piece;
    while (stile_str_next(&needs, '+', &piece)) {
        char path[sizeof(d->folder) + 128], name[112];
        struct stat st;
        if (piece.len >= sizeof(name)) {
            return "the format asks for a table of too long a name";
        }
        memcpy(name, piece.ptr, piece.len);
        name[piece.len] = '\0';
        if (!join(path, sizeof(path), d->folder, name, ".csv") ||
            lstat(path, &st) != 0) {
            return "a table is not in it that says who the patients are or "
                   "what they refused: have it added to the extract";
        }
    }
    return NULL;
}

void download_find(const char *root, struct stile_str manifest,
                   struct stile_str needs, struct download *ret)
{
    struct stile_arena *arena = stile_arena_new(4u << 20);
    struct stile_csv *csv = stile_csv_new(&stile_csv_systmone, STILE_CSV_LIMITS,
                                          STILE_STR("manifest"));
    struct stile_str bytes, last = STILE_STR_NULL;
    struct stile_diags diags;
    char path[sizeof(ret->folder) + 64], name[64], up_to[16] = "";
    *ret = (struct download){.found = false};
    if (arena != NULL && csv != NULL && manifest.len < sizeof(name)) {
        memcpy(name, manifest.ptr, manifest.len);
        name[manifest.len] = '\0';
        stile_diags_init(&diags, arena, 0);
        ret->found = oldest(root, name, ret);
    }
    if (ret->found) {
        if (join(path, sizeof(path), root, LAST_NAME, "") &&
            slurp(path, arena, &last)) {
            keep_later(up_to, stile_str_trim(last));
        }
        ret->why = "its manifest cannot be read";
        if (join(path, sizeof(path), ret->folder, name, ".csv") &&
            slurp(path, arena, &bytes)) {
            stile_csv_over(csv, bytes);
            ret->why = read_lines(ret, csv, &diags, up_to);
        }
        if (ret->why == NULL) {
            ret->why = lacks(ret, needs);
        }
    }
    stile_csv_free(&csv);
    stile_arena_free(&arena);
}

bool download_note(const char *root, const struct download *d)
{
    char path[sizeof(d->folder) + 64], part[sizeof(d->folder) + 64];
    struct stile_arena *arena = stile_arena_new(2u << 20);
    struct stile_str was = STILE_STR_NULL;
    bool ok = d->to[0] == '\0';
    if (arena != NULL && join(path, sizeof(path), root, LAST_NAME, "") &&
        join(part, sizeof(part), root, LAST_NAME, ".part") && !ok) {
        bool later =
            !slurp(path, arena, &was) ||
            stile_str_cmp(stile_str_trim(was), stile_str_cstr(d->to)) < 0;
        FILE *file = later ? fopen(part, "wb") : NULL;
        ok = !later;
        if (file != NULL) {
            bool wrote = fprintf(file, "%s\n", d->to) > 0;
            ok = fclose(file) == 0 && wrote && rename(part, path) == 0;
        }
    }
    stile_arena_free(&arena);
    return ok;
}
