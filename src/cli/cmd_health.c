/* GET /readyz on the admin address, for a container's HEALTHCHECK. */
#include "cli.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

/* The number in "HTTP/1.1 200 OK", or 0. RFC 9112 section 4. */
static int read_status(int fd)
{
    char head[16];
    struct stile_str line;
    int64_t status = 0;
    size_t have = 0;

    while (have < 12) {
        ssize_t got = recv(fd, head + have, sizeof(head) - have, 0);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return 0;
        }
        have += (size_t)got;
    }
    line = (struct stile_str){head, 12};
    if (!stile_str_starts(line, STILE_STR("HTTP/1.")) ||
        !stile_str_to_int64(stile_str_sub(line, 9, 3), &status)) {
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

static int ask(const char *host, int port, long seconds)
{
    char request[256];
    int fd = connect_to(host, port, seconds);
    int status = 0;

    if (fd < 0) {
        stile__cli_say("nothing answers on %s port %d", host, port);
        return CLI_FAILED;
    }
    (void)snprintf(request, sizeof(request),
                   "GET /readyz HTTP/1.1\r\nHost: localhost:%d\r\n"
                   "Connection: close\r\n\r\n",
                   port);
    if (send_all(fd, stile_str_cstr(request))) {
        status = read_status(fd);
    }
    (void)close(fd);
    if (status != 200) {
        stile__cli_say("not ready: /readyz on %s port %d answered %d", host,
                       port, status);
        return CLI_FAILED;
    }
    return puts("ready") >= 0 ? CLI_OK : CLI_FAILED;
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
    "HEALTHCHECK, so that no other program is needed there.\n\n"
    "  stile health -c /etc/stile/stile.yaml\n\n"
    "exit: 0 ready; 1 not ready, or no answer; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
