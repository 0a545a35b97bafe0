/* Out: over HTTPS to a partner, or as a file for an own system. */
#include <fcntl.h>
#include <unistd.h>

#include "deliver_private.h"

/* ---- send: https ---- */

static void https_done(void *ctx, int status, bool body_sent,
                       struct stile_str body, uint64_t retry_after_s,
                       const char *error)
{
    struct parcel *p = ctx;
    (void)body;
    p->result = stile_send_judge(status, body_sent);
    p->retry_after = retry_after_s > 86400
                         ? 86400 * STILE_SECOND
                         : (stile_time)retry_after_s * STILE_SECOND;
    if (status == 0) {
        p->reason = error != NULL ? error : "no answer";
    } else {
        struct stile_str text = stile_arena_printf(
            p->claim->notes, "the receiver answered HTTP %d", status);
        char *cstr = stile_arena_cstr(p->claim->notes, text);
        p->reason = cstr != NULL ? cstr : "the receiver answered an error";
    }
    deliver_sent(p);
}

static const char *path_of(struct stile_str format)
{
    return stile_str_eqc(format, "fhir-json") ? "/fhir" : "/vcse/case";
}

static void send_https(struct parcel *p)
{
    struct gateway *g = p->claim->g;
    struct stile_str url =
        stile_arena_printf(p->claim->notes, "%s%s", p->partner->config->url,
                           path_of(p->row->what.format));
    struct stile_header headers[] = {
        {STILE_STR("Content-Type"), p->row->what.media_type},
        {STILE_STR("Idempotency-Key"), p->key},
        {STILE_STR("X-Request-ID"), p->key},
        {STILE_STR("Accept"), p->row->what.media_type}};
    struct stile_send send = {.url = stile_arena_cstr(p->claim->notes, url),
                              .method = "POST",
                              .headers = headers,
                              .header_count = 4,
                              .body = p->body,
                              .pin = p->partner->config->pin,
                              .ctx = p,
                              .on_done = https_done};
    enum stile_status status =
        send.url == NULL ? STILE_NOMEM : stile_client_send(g->client, &send);
    if (status != STILE_OK) {
        p->result = STILE_SEND_LATER;
        p->reason = "the send could not be started";
        deliver_sent(p);
    }
}

/* ---- send: a file for an own system ---- */

/* Written beside, flushed, then renamed: the system sees it whole or not at
 * all, and a second delivery under the same key is the same file. */
static enum stile_status write_file(const char *path, struct stile_str body)
{
    char part[640];
    int n = snprintf(part, sizeof(part), "%s.part", path);
    if (n < 0 || (size_t)n >= sizeof(part)) {
        return STILE_LIMIT;
    }
    int fd =
        open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return STILE_IO;
    }
    bool ok = true;
    while (ok && body.len > 0) {
        ssize_t wrote = write(fd, body.ptr, body.len);
        ok = wrote > 0;
        body = ok ? stile_str_sub(body, (size_t)wrote, SIZE_MAX) : body;
    }
    ok = fsync(fd) == 0 && ok;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(part, path) == 0;
    if (!ok) {
        (void)unlink(part);
    }
    return ok ? STILE_OK : STILE_IO;
}

static bool flush_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    return (fd < 0 || close(fd) == 0) && ok;
}

static void folder_work(uv_work_t *work)
{
    struct parcel *p = work->data;
    enum stile_status status = write_file(p->path, p->body);
    bool ok = status == STILE_OK && flush_folder(p->partner->config->folder);
    p->result = ok ? STILE_SEND_DONE : STILE_SEND_LATER;
    p->reason = ok ? "written"
                   : "the file could not be written: check that the folder "
                     "exists, has room, and may be written";
}

static void folder_done(uv_work_t *work, int uv_status)
{
    STILE_ASSERT(uv_status == 0);
    deliver_sent(work->data);
}

static void send_folder(struct parcel *p)
{
    const struct stile_format *format = stile_format_find(p->row->what.format);
    struct stile_str key = stile_str_sub(p->key, 0, 16);
    int n = snprintf(p->path, sizeof(p->path), "%s/%.*s-%.*s%s",
                     p->partner->config->folder, STILE_FMT(p->row->what.route),
                     STILE_FMT(key), format != NULL ? format->suffix : ".txt");
    if (n < 0 || (size_t)n >= sizeof(p->path)) {
        p->result = STILE_SEND_LATER;
        p->reason = "the folder's path is too long";
        deliver_sent(p);
        return;
    }
    p->work.data = p;
    int rc =
        uv_queue_work(&p->claim->g->loop, &p->work, folder_work, folder_done);
    STILE_ASSERT(rc == 0);
}

void deliver_send(struct parcel *p)
{
    if (p->partner->config->url != NULL) {
        send_https(p);
    } else {
        send_folder(p);
    }
}
