/* GET /readyz on the admin address, for a container's HEALTHCHECK; and what
 * of /metrics a person should know of at once. */
#include "cli.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)4 << 20)

static int connect_to(const char *host, int port, long seconds)
{
    char service[8];
    struct addrinfo *found = NULL;
    struct addrinfo want = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                            .ai_socktype = SOCK_STREAM};
    struct timeval limit = {.tv_sec = seconds};
    int fd = -1;

    (void)snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(host, service, &want, &found) != 0) {
        return -1;
    }
    fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (fd >= 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
         setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
         connect(fd, found->ai_addr, found->ai_addrlen) != 0)) {
        (void)close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, struct stile_str text)
{
    while (text.len > 0) {
        ssize_t sent = send(fd, text.ptr, text.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        text = stile_str_sub(text, (size_t)sent, SIZE_MAX);
    }
    return true;
}

/* The answer until the far side closes: it was asked to. */
static bool read_all(int fd, struct stile_buf *out)
{
    char piece[4096];

    for (;;) {
        ssize_t got = recv(fd, piece, sizeof(piece), 0);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 && out->status == STILE_OK;
        }
        stile_buf_add(out, (struct stile_str){piece, (size_t)got});
    }
}

/* The number in "HTTP/1.1 200 OK", or 0. RFC 9112 section 4. */
static int status_of(struct stile_str answer)
{
    int64_t status = 0;

    if (!stile_str_starts(answer, STILE_STR("HTTP/1.")) ||
        !stile_str_to_int64(stile_str_sub(answer, 9, 3), &status)) {
        return 0;
    }
    return (int)status;
}

/* A listener on any address answers on loopback. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0) {
        return "127.0.0.1";
    }
    return strcmp(host, "::") == 0 ? "::1" : host;
}

/* The status, or 0; -1: nothing answers. */
static int get(const char *host, int port, long seconds, const char *path,
               struct stile_buf *out)
{
    char request[256];
    int fd = connect_to(host, port, seconds);
    bool good;

    if (fd < 0) {
        return -1;
    }
    (void)snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: localhost:%d\r\n"
                   "Connection: close\r\n\r\n",
                   path, port);
    good = send_all(fd, stile_str_cstr(request)) && read_all(fd, out);
    (void)close(fd);
    return good ? status_of(stile_buf_str(out)) : 0;
}

static int64_t metric(struct stile_str answer, const char *name)
{
    struct stile_str line, wanted = stile_str_cstr(name);
    int64_t value = 0;

    while (stile_str_next(&answer, '\n', &line)) {
        if (stile_str_starts(line, wanted) && line.len > wanted.len &&
            line.ptr[wanted.len] == ' ' &&
            stile_str_to_int64(stile_str_sub(line, wanted.len + 1, SIZE_MAX),
                               &value)) {
            return value;
        }
    }
    return 0;
}

/* A referral that waits for a person is no fault of the gateway, but somebody
 * must know. */
static void tell_reviews(const char *host, int port, long seconds,
                         struct stile_buf *out)
{
    stile_buf_clear(out);
    if (get(host, port, seconds, "/metrics", out) == 200) {
        struct stile_str answer = stile_buf_str(out);
        int64_t waiting = metric(answer, "stile_review_waiting");

        if (waiting > 0) {
            (void)printf(
                "%lld %s for a person, the oldest since %lld days: "
                "stile review list\n",
                (long long)waiting,
                waiting == 1 ? "review waits" : "reviews wait",
                (long long)(metric(answer, "stile_review_oldest_seconds") /
                            86400));
        }
    }
}

static int ask(const char *host, int port, long seconds)
{
    struct stile_buf out;
    int status, result = CLI_FAILED;

    stile_buf_init(&out, ANSWER_MAX);
    status = get(host, port, seconds, "/readyz", &out);
    if (status < 0) {
        stile__cli_say("nothing answers on %s port %d", host, port);
    } else if (status != 200) {
        stile__cli_say("not ready: /readyz on %s port %d answered %d", host,
                       port, status);
    } else if (puts("ready") >= 0) {
        tell_reviews(host, port, seconds, &out);
        result = fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
    }
    stile_buf_release(&out);
    return result;
}

static int run(const struct cli_args *args)
{
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);
    struct stile_config *config = NULL;
    uint64_t seconds;
    int result = CLI_USAGE;

    if (stile__cli_number(args, "timeout", 1, 300, 3, &seconds)) {
        result = CLI_FAILED;
        if (!stile__cli_has(args, "config")) {
            result = stile__cli_usage(args, "it needs -c stile.yaml");
        } else if (stile__cli_config(args, arena, &config)) {
            result = ask(reachable(config->admin), config->admin_port,
                         (long)seconds);
        }
    }
    stile_arena_free(&arena);
    return result;
}

static const struct cli_option options[] = {
    CLI_CONFIG_OPTION,
    {"timeout", 0, "SECONDS", "how long to wait for an answer, 3"},
};

const struct cli_command stile__cmd_health = {
    "health",
    "",
    0,
    0,
    "ask the running gateway whether it is ready",
    "Asks /readyz on the admin address of the configuration. For a "
    "container's\n"
    "HEALTHCHECK, so that no other program is needed there. Says too how many\n"
    "reviews wait for a person, which is no failure.\n\n"
    "  stile health -c /etc/stile/stile.yaml\n\n"
    "exit: 0 ready; 1 not ready, or no answer; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
