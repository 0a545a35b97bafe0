/*
 * mtlsload: posts one body over mutual TLS from N kept connections for a
 * while, each request under its own Idempotency-Key, and tells what came of
 * it. One thread a connection, blocking: plain, and never the thing measured
 * (the CPU reported is the server's own, from /proc).
 *
 *   mtlsload PORT PATH BODY-FILE CONTENT-TYPE CERT KEY CA CONNS SECONDS PID
 *
 * Only to 127.0.0.1. Prints one line:
 *   requests R ok O per_s S p50_us A p99_us B cpu_us_per_request C
 * PID's process tree (the process and its children) is charged.
 */
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX 400000

struct load {
    SSL_CTX *ctx;
    int port;
    const char *path, *type;
    char *body;
    size_t body_len;
    double until;
    atomic_ulong next_key;
};

struct worker {
    struct load *load;
    pthread_t thread;
    uint32_t *micros;
    size_t count, ok;
    bool failed;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int connect_to(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval limit = {10, 0};
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

/* Reads one answer with Content-Length; its status, or 0. */
static int read_answer(SSL *ssl)
{
    char buf[65536];
    size_t have = 0;
    while (have < sizeof(buf) - 1) {
        int n = SSL_read(ssl, buf + have, (int)(sizeof(buf) - 1 - have));
        if (n <= 0) {
            return 0;
        }
        have += (size_t)n;
        buf[have] = '\0';
        char *end = strstr(buf, "\r\n\r\n");
        if (end == NULL) {
            continue;
        }
        char *length = strcasestr(buf, "content-length:");
        size_t body =
            length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
        if (have >= (size_t)(end + 4 - buf) + body) {
            return (int)strtol(buf + 9, NULL, 10);
        }
    }
    return 0;
}

static bool one_request(struct worker *w, SSL *ssl, char *out, size_t size)
{
    struct load *l = w->load;
    unsigned long key = atomic_fetch_add(&l->next_key, 1);
    int head =
        snprintf(out, size,
                 "POST %s HTTP/1.1\r\nHost: localhost:%d\r\n"
                 "Content-Type: %s\r\nContent-Length: %zu\r\n"
                 "Idempotency-Key: bench-%d-%lu\r\n\r\n",
                 l->path, l->port, l->type, l->body_len, (int)getpid(), key);
    memcpy(out + head, l->body, l->body_len);
    double start = now();
    if (SSL_write(ssl, out, head + (int)l->body_len) <= 0) {
        return false;
    }
    int status = read_answer(ssl);
    if (status == 0) {
        return false;
    }
    if (w->count < SAMPLES_MAX) {
        w->micros[w->count] = (uint32_t)((now() - start) * 1e6);
    }
    w->count++;
    w->ok += status == 202 || status == 200 || status == 204;
    return true;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct load *l = w->load;
    size_t size = l->body_len + 4096;
    char *out = malloc(size);
    while (now() < l->until && !w->failed) {
        int fd = connect_to(l->port);
        SSL *ssl = SSL_new(l->ctx);
        if (fd < 0 || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1) {
            w->failed = true;
        }
        /* A server may end a kept connection after so many requests: go on
         * with another one. */
        while (!w->failed && now() < l->until &&
               one_request(w, ssl, out, size)) {
        }
        SSL_free(ssl);
        if (fd >= 0) {
            close(fd);
        }
    }
    free(out);
    return NULL;
}

static double cpu_of_pid(long pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        return 0;
    }
    size_t n = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    line[n] = '\0';
    char *p = strrchr(line, ')');
    unsigned long user = 0, sys = 0;
    if (p == NULL || sscanf(p + 2,
                            "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
                            "%lu %lu",
                            &user, &sys) != 2) {
        return 0;
    }
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

/* The process and its direct children (nginx: master and worker). */
static double cpu_of_tree(long pid)
{
    double sum = cpu_of_pid(pid);
    char path[96];
    snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
    FILE *f = fopen(path, "r");
    long child = 0;
    while (f != NULL && fscanf(f, "%ld", &child) == 1) {
        sum += cpu_of_pid(child);
    }
    if (f != NULL) {
        fclose(f);
    }
    return sum;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static char *read_body(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *body = malloc(1u << 24);
    if (f == NULL || body == NULL) {
        fprintf(stderr, "mtlsload: %s cannot be read\n", path);
        exit(2);
    }
    *len = fread(body, 1, 1u << 24, f);
    fclose(f);
    return body;
}

static void report(struct worker *workers, size_t count, double seconds,
                   double cpu)
{
    size_t all = 0, ok = 0, samples = 0;
    for (size_t i = 0; i < count; i++) {
        all += workers[i].count;
        ok += workers[i].ok;
    }
    uint32_t *micros = malloc((all + 1) * sizeof(*micros));
    for (size_t i = 0; i < count; i++) {
        size_t n =
            workers[i].count < SAMPLES_MAX ? workers[i].count : SAMPLES_MAX;
        memcpy(micros + samples, workers[i].micros, n * sizeof(*micros));
        samples += n;
    }
    qsort(micros, samples, sizeof(*micros), by_value);
    printf("requests %zu ok %zu per_s %.0f p50_us %u p99_us %u "
           "cpu_us_per_request %.1f\n",
           all, ok, (double)all / seconds,
           samples > 0 ? micros[samples / 2] : 0,
           samples > 0 ? micros[samples * 99 / 100] : 0,
           all > 0 ? cpu * 1e6 / (double)all : 0);
    free(micros);
}

int main(int argc, char **argv)
{
    if (argc != 11) {
        fprintf(stderr, "usage: mtlsload PORT PATH BODY-FILE CONTENT-TYPE "
                        "CERT KEY CA CONNS SECONDS PID\n");
        return 2;
    }
    struct load load = {.port = (int)strtol(argv[1], NULL, 10),
                        .path = argv[2],
                        .type = argv[4]};
    load.body = read_body(argv[3], &load.body_len);
    load.ctx = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_use_certificate_chain_file(load.ctx, argv[5]) != 1 ||
        SSL_CTX_use_PrivateKey_file(load.ctx, argv[6], SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(load.ctx, argv[7], NULL) != 1) {
        ERR_print_errors_fp(stderr);
        return 2;
    }
    SSL_CTX_set_verify(load.ctx, SSL_VERIFY_PEER, NULL);
    size_t count = strtoul(argv[8], NULL, 10);
    double seconds = strtod(argv[9], NULL);
    long pid = strtol(argv[10], NULL, 10);
    struct worker *workers = calloc(count, sizeof(*workers));
    load.until = now() + seconds;
    double cpu = cpu_of_tree(pid);
    for (size_t i = 0; i < count; i++) {
        workers[i].load = &load;
        workers[i].micros = malloc(SAMPLES_MAX * sizeof(uint32_t));
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        failed = failed || workers[i].failed;
    }
    report(workers, count, seconds, cpu_of_tree(pid) - cpu);
    if (failed) {
        fprintf(stderr, "mtlsload: a connection could not be made\n");
    }
    return failed ? 1 : 0;
}
