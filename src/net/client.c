/*
 * client.c - curl's multi interface on the loop: one uv_poll a socket, one
 * uv_timer for all. One CURLM belongs to one client identity and dies with
 * it, because libcurl before 8.21 may reuse a connection across client keys
 * (CVE-2026-8932).
 *
 * Whether the request had gone out decides between "failed" and "unknown",
 * so libcurl may not send a request twice behind our back, as it does when a
 * kept connection ends before the answer: once bytes of a request have left,
 * a second attempt is stopped.
 */
#include <curl/curl.h>
#include <sys/socket.h>
#include <uv.h>

#include "conn.h"

struct poll {
    struct poll *prev, *next;
    struct stile_client *client;
    uv_poll_t handle;
    curl_socket_t socket;
};

struct job {
    struct job *prev, *next;
    struct stile_client *client;
    CURL *easy;
    struct curl_slist *headers;
    struct stile_buf body, answer;
    bool cut;    /* the answer was longer than its limit */
    bool resent; /* a second attempt was stopped */
    void *ctx;
    void (*on_done)(void *ctx, int status, bool body_sent,
                    struct stile_str body, uint64_t retry_after_s,
                    const char *error);
};

struct stile_client {
    uv_loop_t *loop;
    uv_timer_t timer;
    CURLM *multi;
    struct stile_client_limits limits;
    struct stile_identity *identity; /* checked, and its TLS groups */
    struct stile__pem pem;           /* the bytes for curl */
    char *crl;                       /* curl takes it as a path only */
    struct poll *polls;
    struct job *jobs;
    uint32_t in_flight;
    unsigned handles;
    unsigned busy; /* depth of our own callbacks */
    bool closing;
};

/* ---- ends ---- */

static void client_settle(struct stile_client *client)
{
    if (client->handles > 0) {
        return;
    }
    stile_identity_free(&client->identity);
    stile__pem_release(&client->pem);
    free(client->crl);
    free(client);
}

static void job_free(struct job *job)
{
    if (job->easy) {
        curl_easy_cleanup(job->easy);
    }
    curl_slist_free_all(job->headers);
    stile_buf_release(&job->body);
    stile_buf_release(&job->answer);
    free(job);
}

static bool body_sent(const struct job *job)
{
    long request = 0;
    curl_off_t upload = 0;
    if (curl_easy_getinfo(job->easy, CURLINFO_REQUEST_SIZE, &request) !=
            CURLE_OK ||
        curl_easy_getinfo(job->easy, CURLINFO_SIZE_UPLOAD_T, &upload) !=
            CURLE_OK) {
        return true;
    }
    /* The counts are of what was given to TLS: never less than went out. */
    return request > 0 && (job->resent || job->body.len == 0 ||
                           (uint64_t)upload >= job->body.len);
}

static void job_unlink(struct job *job)
{
    struct stile_client *client = job->client;
    if (job->prev) {
        job->prev->next = job->next;
    } else {
        client->jobs = job->next;
    }
    if (job->next) {
        job->next->prev = job->prev;
    }
    client->in_flight--;
    (void)curl_multi_remove_handle(client->multi, job->easy); /* is on it */
}

static void job_done(struct job *job, CURLcode code)
{
    long status = 0;
    curl_off_t after = 0;
    bool sent = body_sent(job);
    const char *error = job->client->closing ? "the client was closed"
                        : code != CURLE_OK   ? curl_easy_strerror(code)
                                             : NULL;
    (void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(job->easy, CURLINFO_RETRY_AFTER, &after);
    if (job->cut) {
        error = "the answer was longer than its limit and was cut";
    } else if (code != CURLE_OK) {
        /* A head whose body never came whole is no answer. */
        status = 0;
        stile_buf_clear(&job->answer);
    }
    if (job->resent) {
        error = "the peer closed a kept connection before it answered";
    }
    job_unlink(job);
    job->on_done(job->ctx, (int)status, sent, stile_buf_str(&job->answer),
                 status > 0 && after > 0 ? (uint64_t)after : 0, error);
    job_free(job);
}

static void collect(struct stile_client *client)
{
    int left = 0;
    CURLMsg *message = NULL;
    while (!client->closing &&
           (message = curl_multi_info_read(client->multi, &left))) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        struct job *job = NULL;
        CURLcode code = message->data.result;
        if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job) ==
            CURLE_OK) {
            job_done(job, code);
        }
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct stile_client *client = handle->data;
    client->handles--;
    client_settle(client);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct poll *poll = handle->data;
    struct stile_client *client = poll->client;
    free(poll);
    client->handles--;
    client_settle(client);
}

static void poll_close(struct poll *poll)
{
    struct stile_client *client = poll->client;
    if (poll->prev) {
        poll->prev->next = poll->next;
    } else {
        client->polls = poll->next;
    }
    if (poll->next) {
        poll->next->prev = poll->prev;
    }
    uv_close((uv_handle_t *)&poll->handle, on_poll_closed);
}

/* Nothing of curl may be on the stack. */
static void tear_down(struct stile_client *client)
{
    while (client->jobs) {
        job_done(client->jobs, CURLE_ABORTED_BY_CALLBACK);
    }
    (void)curl_multi_cleanup(client->multi);
    client->multi = NULL;
    while (client->polls) {
        poll_close(client->polls);
    }
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}

static void act(struct stile_client *client, curl_socket_t socket, int events)
{
    int running = 0;
    if (client->closing) {
        return;
    }
    client->busy++;
    (void)curl_multi_socket_action(client->multi, socket, events, &running);
    collect(client);
    client->busy--;
    if (client->closing && client->busy == 0) {
        tear_down(client);
    }
}

void stile_client_close(struct stile_client **client)
{
    struct stile_client *gone = *client;
    *client = NULL;
    if (!gone) {
        return;
    }
    gone->closing = true;
    if (gone->busy == 0) {
        tear_down(gone);
    }
}

/* ---- curl's wishes ---- */

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct poll *poll = handle->data;
    int action = 0;
    if (status < 0) {
        action = CURL_CSELECT_ERR;
    }
    if (events & UV_READABLE) {
        action |= CURL_CSELECT_IN;
    }
    if (events & UV_WRITABLE) {
        action |= CURL_CSELECT_OUT;
    }
    act(poll->client, poll->socket, action);
}

static struct poll *poll_new(struct stile_client *client, curl_socket_t socket)
{
    struct poll *poll = calloc(1, sizeof *poll);
    if (!poll) {
        return NULL;
    }
    if (uv_poll_init_socket(client->loop, &poll->handle, socket) != 0) {
        free(poll);
        return NULL;
    }
    poll->client = client;
    poll->socket = socket;
    poll->handle.data = poll;
    poll->next = client->polls;
    if (client->polls) {
        client->polls->prev = poll;
    }
    client->polls = poll;
    client->handles++;
    return poll;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *ctx,
                     void *socket_ctx)
{
    struct stile_client *client = ctx;
    struct poll *poll = socket_ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (poll) {
            (void)curl_multi_assign(client->multi, socket, NULL);
            poll_close(poll);
        }
        return 0;
    }
    if (!poll) {
        poll = poll_new(client, socket);
        if (!poll ||
            curl_multi_assign(client->multi, socket, poll) != CURLM_OK) {
            return -1;
        }
    }
    int events = 0;
    if (what & CURL_POLL_IN) {
        events |= UV_READABLE;
    }
    if (what & CURL_POLL_OUT) {
        events |= UV_WRITABLE;
    }
    return uv_poll_start(&poll->handle, events, on_poll) == 0 ? 0 : -1;
}

static void on_timeout(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    struct stile_client *client = ctx;
    (void)multi;
    if (client->closing) {
        return 0;
    }
    if (ms < 0) {
        return uv_timer_stop(&client->timer);
    }
    return uv_timer_start(&client->timer, on_timeout, (uint64_t)ms, 0);
}

static size_t on_answer(char *from, size_t size, size_t count, void *ctx)
{
    struct job *job = ctx;
    size_t len = size * count, room = job->answer.limit - job->answer.len;
    stile_buf_add(&job->answer,
                  (struct stile_str){from, len < room ? len : room});
    if (len > room) {
        job->cut = true;
        return 0; /* ends the transfer and the connection */
    }
    return job->answer.status == STILE_OK ? len : 0;
}

/* Bytes of the request have left on an earlier connection already. */
static bool second_attempt(struct job *job)
{
    long request = 0;
    if (curl_easy_getinfo(job->easy, CURLINFO_REQUEST_SIZE, &request) !=
            CURLE_OK ||
        request > 0) {
        job->resent = true;
    }
    return job->resent;
}

/* Before a request goes out on a connection, new or kept. */
static int on_attempt(void *ctx, char *ip, char *local_ip, int port,
                      int local_port)
{
    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    return second_attempt(ctx) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open(void *ctx, curlsocktype purpose,
                             struct curl_sockaddr *address)
{
    (void)purpose;
    if (second_attempt(ctx)) {
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

/* ---- a client ---- */

enum stile_status stile_net_setup(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? STILE_OK
                                                             : STILE_NOMEM;
}

static stile_time wall_clock(void)
{
    struct timespec now = {0};
    if (timespec_get(&now, TIME_UTC) != TIME_UTC) {
        return 0;
    }
    return (stile_time)now.tv_sec * STILE_SECOND;
}

/* The identity is loaded to be checked; curl gets the bytes. The client's
 * end releases whatever was had. */
static enum stile_status read_identity(struct stile_client *client,
                                       const struct stile_tls_files *files)
{
    struct stile_str error;
    struct stile_arena *arena = stile_arena_new(64 << 10);
    if (!arena) {
        return STILE_NOMEM;
    }
    enum stile_status status = stile_identity_load(files, wall_clock(), arena,
                                                   &client->identity, &error);
    if (status == STILE_OK) {
        status = stile__pem_read(files, &client->pem, arena, &error);
    }
    if (status == STILE_OK && files->crl) {
        size_t len = strlen(files->crl) + 1;
        client->crl = malloc(len);
        if (client->crl) {
            memcpy(client->crl, files->crl, len);
        } else {
            status = STILE_NOMEM;
        }
    }
    stile_arena_free(&arena);
    return status;
}

static bool multi_new(struct stile_client *client)
{
    client->multi = curl_multi_init();
    CURLM *multi = client->multi;
    return multi &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) ==
               CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) ==
               CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) ==
               CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                             (long)client->limits.per_host) == CURLM_OK;
}

enum stile_status stile_client_new(struct uv_loop_s *loop,
                                   const struct stile_tls_files *files,
                                   struct stile_client_limits limits,
                                   struct stile_client **ret)
{
    if (limits.connect_ms == 0 || limits.total_ms == 0 ||
        limits.connect_ms > INT32_MAX || limits.total_ms > INT32_MAX ||
        limits.answer_bytes == 0 || limits.per_host == 0 ||
        limits.in_flight == 0) {
        return STILE_INVALID;
    }
    struct stile_client *client = calloc(1, sizeof *client);
    if (!client) {
        return STILE_NOMEM;
    }
    client->loop = loop;
    client->limits = limits;
    enum stile_status status = read_identity(client, files);
    if (status == STILE_OK && !multi_new(client)) {
        status = STILE_NOMEM;
    }
    if (status != STILE_OK) {
        (void)curl_multi_cleanup(client->multi); /* accepts NULL */
        client_settle(client);
        return status;
    }
    int got = uv_timer_init(loop, &client->timer);
    STILE_ASSERT(got == 0); /* has no way to fail */
    client->timer.data = client;
    client->handles = 1;
    *ret = client;
    return STILE_OK;
}

uint32_t stile_client_in_flight(const struct stile_client *client)
{
    return client->in_flight;
}

/* ---- a send ---- */

static bool add_header(struct job *job, struct stile_str name,
                       struct stile_str value)
{
    struct stile_buf line;
    stile_buf_init(&line, 16 << 10);
    stile_buf_add(&line, name);
    /* curl wants "Name;" for a header with an empty value. */
    stile_buf_addc(&line, value.len > 0 ? ": " : ";");
    stile_buf_add(&line, value);
    stile_buf_byte(&line, '\0');
    struct curl_slist *more = NULL;
    if (line.status == STILE_OK) {
        more = curl_slist_append(job->headers, line.ptr);
    }
    stile_buf_release(&line);
    if (more) {
        job->headers = more;
    }
    return more != NULL;
}

static enum stile_status add_headers(struct job *job,
                                     const struct stile_send *send)
{
    bool typed = false;
    for (size_t i = 0; i < send->header_count; i++) {
        const struct stile_header *header = &send->headers[i];
        if (!stile__header_valid(header)) {
            return STILE_INVALID;
        }
        typed = typed ||
                stile_str_eq_nocase(header->name, STILE_STR("Content-Type"));
        if (!add_header(job, header->name, header->value)) {
            return STILE_NOMEM;
        }
    }
    /* "Name:" takes away what curl would add: waiting for 100 Continue, and
     * a form's content type. */
    struct curl_slist *more = curl_slist_append(job->headers, "Expect:");
    if (more && !typed) {
        more = curl_slist_append(more, "Content-Type:");
    }
    if (!more) {
        return STILE_NOMEM;
    }
    job->headers = more;
    return STILE_OK;
}

#define SET(option, value)                                                     \
    (good = good && curl_easy_setopt(easy, option, value) == CURLE_OK)

static bool set_tls(struct job *job, const struct stile_send *send)
{
    CURL *easy = job->easy;
    struct stile__pem *pem = &job->client->pem;
    struct curl_blob certificate = {pem->certificate.ptr, pem->certificate.len,
                                    CURL_BLOB_NOCOPY};
    struct curl_blob key = {pem->key.ptr, pem->key.len, CURL_BLOB_NOCOPY};
    struct curl_blob trust = {pem->trust.ptr, pem->trust.len, CURL_BLOB_NOCOPY};
    bool good = true;
    SET(CURLOPT_SSLCERTTYPE, "PEM");
    SET(CURLOPT_SSLCERT_BLOB, &certificate);
    SET(CURLOPT_SSLKEYTYPE, "PEM");
    SET(CURLOPT_SSLKEY_BLOB, &key);
    SET(CURLOPT_CAINFO_BLOB, &trust);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_CIPHER_LIST, stile__tls_ciphers);
    SET(CURLOPT_SSL_EC_CURVES, job->client->identity->groups);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    /* A resumed session would skip the certificate checks. */
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (job->client->crl) {
        SET(CURLOPT_CRLFILE, job->client->crl);
    }
    if (send->pin) {
        SET(CURLOPT_PINNEDPUBLICKEY, send->pin);
    }
    return good;
}

static bool set_request(struct job *job, const struct stile_send *send)
{
    CURL *easy = job->easy;
    bool good = true;
    if (strcmp(send->method, "POST") == 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, job->body.ptr ? job->body.ptr : "");
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body.len);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_URL, send->url);
    SET(CURLOPT_HTTPHEADER, job->headers);
    SET(CURLOPT_USERAGENT, "stile/" STILE_VERSION);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_NOSIGNAL, 1L);
    /* Below the 60 s after which servers (ours too) end an idle connection:
     * one that ends while a request goes out leaves its outcome unknown. */
    SET(CURLOPT_MAXAGE_CONN, 30L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)job->client->limits.connect_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)job->client->limits.total_ms);
    SET(CURLOPT_WRITEFUNCTION, on_answer);
    SET(CURLOPT_WRITEDATA, job);
    SET(CURLOPT_PREREQFUNCTION, on_attempt);
    SET(CURLOPT_PREREQDATA, job);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, job);
    SET(CURLOPT_PRIVATE, job);
    return good;
}

static bool url_valid(const char *url)
{
    if (!url || strncmp(url, "https://", 8) != 0 || url[8] == '\0') {
        return false;
    }
    for (const char *c = url; *c; c++) {
        if (*c <= 0x20 || *c == 0x7f) {
            return false;
        }
    }
    return true;
}

enum stile_status stile_client_send(struct stile_client *client,
                                    const struct stile_send *send)
{
    bool get = send->method && strcmp(send->method, "GET") == 0;
    bool post = send->method && strcmp(send->method, "POST") == 0;
    if ((!get && !post) || (get && send->body.len > 0) || !send->on_done ||
        !url_valid(send->url)) {
        return STILE_INVALID;
    }
    if (client->closing || client->in_flight >= client->limits.in_flight) {
        return STILE_BUSY;
    }
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        return STILE_NOMEM;
    }
    job->client = client;
    job->ctx = send->ctx;
    job->on_done = send->on_done;
    stile_buf_init(&job->answer, client->limits.answer_bytes);
    stile_buf_init(&job->body, send->body.len);
    stile_buf_add(&job->body, send->body);
    job->easy = curl_easy_init();
    enum stile_status status = STILE_NOMEM;
    if (job->easy && job->body.status == STILE_OK) {
        status = add_headers(job, send);
    }
    if (status == STILE_OK &&
        (!set_request(job, send) || !set_tls(job, send) ||
         curl_multi_add_handle(client->multi, job->easy) != CURLM_OK)) {
        status = STILE_NOMEM;
    }
    if (status != STILE_OK) {
        job_free(job);
        return status;
    }
    job->next = client->jobs;
    if (client->jobs) {
        client->jobs->prev = job;
    }
    client->jobs = job;
    client->in_flight++;
    return STILE_OK;
}
