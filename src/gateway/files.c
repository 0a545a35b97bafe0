/* Files, folders, keys and the clock: what the shell asks of the system. */
#include "stile/gateway.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stile_str system_error(struct stile_arena *arena,
                                     const char *path, int error)
{
    char text[128];

    if (strerror_r(error, text, sizeof(text)) != 0) {
        (void)snprintf(text, sizeof(text), "system error %d", error);
    }
    return stile_arena_printf(arena,
                              "%s cannot be read: %s; check the path and its "
                              "permissions",
                              path, text);
}

static enum stile_status status_of(int error)
{
    return error == ENOENT ? STILE_NOT_FOUND : STILE_IO;
}

/* Reads until `size` bytes or the end. SIZE_MAX on an error. */
static size_t read_all(int fd, char *bytes, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t got = read(fd, bytes + have, size - have);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return SIZE_MAX;
        }
        if (got == 0) {
            break;
        }
        have += (size_t)got;
    }
    return have;
}

static enum stile_status read_open(int fd, const char *path, size_t limit,
                                   struct stile_arena *arena,
                                   struct stile_str *ret,
                                   struct stile_str *ret_error)
{
    struct stat about;
    size_t size, have;
    char *bytes;

    if (fstat(fd, &about) != 0) {
        *ret_error = system_error(arena, path, errno);
        return STILE_IO;
    }
    if (!S_ISREG(about.st_mode)) {
        *ret_error = stile_arena_printf(
            arena, "%s is not a file; give the path of a file", path);
        return STILE_INVALID;
    }
    if ((uintmax_t)about.st_size > limit) {
        *ret_error = stile_arena_printf(
            arena, "%s has %ju bytes; at most %zu are read here: split it",
            path, (uintmax_t)about.st_size, limit);
        return STILE_LIMIT;
    }
    size = (size_t)about.st_size;
    /* One byte more, so that a file that grew meanwhile is seen. */
    bytes = stile_arena_alloc(arena, size + 1);
    if (!bytes) {
        *ret_error = STILE_STR("not enough memory to read the file: split it");
        return STILE_NOMEM;
    }
    have = read_all(fd, bytes, size + 1);
    if (have == SIZE_MAX) {
        *ret_error = system_error(arena, path, errno);
        return STILE_IO;
    }
    if (have != size) {
        *ret_error = stile_arena_printf(
            arena, "%s was changed while it was read; try again", path);
        return STILE_BUSY;
    }
    *ret = (struct stile_str){bytes, size};
    return STILE_OK;
}

enum stile_status stile_file_read(const char *path, size_t limit,
                                  struct stile_arena *arena,
                                  struct stile_str *ret,
                                  struct stile_str *ret_error)
{
    /* O_NONBLOCK: a FIFO with no writer must not stop us here. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum stile_status status;

    if (fd < 0) {
        int error = errno;

        *ret_error = system_error(arena, path, error);
        return status_of(error);
    }
    status = read_open(fd, path, limit, arena, ret, ret_error);
    (void)close(fd);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return stile_str_cmp(*(const struct stile_str *)a,
                         *(const struct stile_str *)b);
}

#define FOLDER_NAMES_MAX 1000000u

/* Two passes of readdir would race; names are counted as they come. */
static enum stile_status read_names(DIR *folder, struct stile_arena *arena,
                                    struct stile_str **ret, size_t *ret_count)
{
    struct stile_str *names = NULL;
    size_t count = 0, capacity = 0;
    const struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (count == FOLDER_NAMES_MAX) {
            return STILE_LIMIT;
        }
        if (count == capacity) {
            struct stile_str *more;

            capacity = capacity ? capacity * 2 : 64;
            more = stile_arena_array(arena, capacity, sizeof(*more));
            if (!more) {
                return STILE_NOMEM;
            }
            if (count > 0) {
                memcpy(more, names, count * sizeof(*more));
            }
            names = more;
        }
        names[count++] = stile_arena_str(arena, stile_str_cstr(entry->d_name));
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = names;
    *ret_count = count;
    return STILE_OK;
}

enum stile_status stile_folder_list(const char *path, struct stile_arena *arena,
                                    struct stile_str **ret_names,
                                    size_t *ret_count,
                                    struct stile_str *ret_error)
{
    DIR *folder = opendir(path);
    enum stile_status status;

    if (!folder) {
        int error = errno;

        *ret_error = system_error(arena, path, error);
        return status_of(error);
    }
    status = read_names(folder, arena, ret_names, ret_count);
    (void)closedir(folder);
    if (status != STILE_OK) {
        *ret_error = stile_arena_printf(
            arena, "%s holds too many files; move some away", path);
        return status;
    }
    if (*ret_count > 1) {
        qsort(*ret_names, *ret_count, sizeof(**ret_names), compare_names);
    }
    return STILE_OK;
}

const char *stile_path_join(struct stile_arena *arena, const char *folder,
                            struct stile_str name)
{
    if (folder[0] == '\0' || stile_str_starts(name, STILE_STR("/"))) {
        return stile_arena_cstr(arena, name);
    }
    return stile_arena_cstr(
        arena,
        stile_arena_printf(
            arena, "%s%s%.*s", folder,
            stile_str_ends(stile_str_cstr(folder), STILE_STR("/")) ? "" : "/",
            STILE_FMT(name)));
}

static enum stile_status key_from(int fd, const char *path,
                                  uint8_t ret_seed[32],
                                  struct stile_arena *arena,
                                  struct stile_str *ret_error)
{
    /* 64 digits, a line end of one or two bytes, and one to see more. */
    char text[67];
    struct stile_digest seed;
    struct stat about;
    size_t have;
    bool good;

    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        *ret_error = stile_arena_printf(
            arena, "%s is not a file; give the path of the key file", path);
        return STILE_INVALID;
    }
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        *ret_error = stile_arena_printf(
            arena, "%s may be read by others (mode %03o); run: chmod 600 %s",
            path, (unsigned)(about.st_mode & 0777), path);
        return STILE_DENIED;
    }
    have = read_all(fd, text, sizeof(text));
    good = have != SIZE_MAX &&
           stile_digest_parse(stile_str_trim((struct stile_str){text, have}),
                              &seed);
    stile_wipe(text, sizeof(text));
    if (!good) {
        *ret_error = stile_arena_printf(
            arena,
            "%s must hold 64 hex digits and nothing else; make one with: "
            "openssl rand -hex 32",
            path);
        return STILE_INVALID;
    }
    memcpy(ret_seed, seed.bytes, 32);
    stile_wipe(&seed, sizeof(seed));
    return STILE_OK;
}

enum stile_status stile_audit_key_read(const char *path, uint8_t ret_seed[32],
                                       struct stile_arena *arena,
                                       struct stile_str *ret_error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum stile_status status;

    if (fd < 0) {
        int error = errno;

        *ret_error = system_error(arena, path, error);
        return status_of(error);
    }
    status = key_from(fd, path, ret_seed, arena, ret_error);
    (void)close(fd);
    return status;
}

bool stile_random(uint8_t *out, size_t len)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read(fd, out, len) == (ssize_t)len;
    return (fd < 0 || close(fd) == 0) && ok;
}

stile_time stile_now(void)
{
    struct timespec now;

    /* CLOCK_REALTIME cannot fail with a good pointer. */
    STILE_ASSERT(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (stile_time)now.tv_sec * STILE_SECOND +
           (stile_time)(now.tv_nsec / 1000);
}

struct stile_date stile_today(void)
{
    return stile_date_from_days(stile_london_day(stile_now()));
}
