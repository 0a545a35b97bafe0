/* Any bytes as requests on one connection, whole and cut at every nth byte:
 * both must see the same requests, ends and refusals, within the limits. */
#include "http.h"

struct seen {
    uint64_t hash; /* of all that was read, in order */
    size_t requests;
    int status;
};

static void look(struct seen *seen, struct stile_str text)
{
    seen->hash = seen->hash * 31 + stile_str_hash(text) + text.len;
}

static void look_request(struct seen *seen, const struct stile__http *http)
{
    const struct stile_request *request = &http->request;
    STILE_ASSERT(request->header_count <= http->header_limit);
    STILE_ASSERT(request->body.len <= http->body_bytes);
    STILE_ASSERT(request->target.len > 0 && request->target.ptr[0] == '/');
    STILE_ASSERT(stile_request_header(request, "host").len > 0);
    look(seen, request->method);
    look(seen, request->path);
    look(seen, request->query);
    look(seen, request->body);
    for (size_t i = 0; i < request->header_count; i++) {
        look(seen, request->headers[i].name);
        look(seen, request->headers[i].value);
    }
    seen->requests++;
}

static struct seen run(struct stile_str bytes, size_t step)
{
    struct stile_net_limits limits = stile_net_defaults;
    struct stile__http http;
    struct seen seen = {0};
    limits.head_bytes = 2048;
    limits.line_bytes = 512;
    limits.headers = 20;
    limits.body_bytes = 4096;
    stile__http_init(&http, &limits);
    while (bytes.len > 0) {
        size_t taken = 0;
        struct stile_str part =
            stile_str_sub(bytes, 0, bytes.len < step ? bytes.len : step);
        enum stile__http_event event = stile__http_feed(&http, part, &taken);
        STILE_ASSERT(taken <= part.len);
        bytes = stile_str_sub(bytes, taken, bytes.len - taken);
        if (event == STILE__HTTP_HEAD) {
            if (!stile__http_limit_body(&http, SIZE_MAX)) {
                event = STILE__HTTP_BAD;
            } else if (!stile__http_has_body(&http)) {
                event = stile__http_feed(&http, STILE_STR_NULL, &taken);
            }
        }
        if (event == STILE__HTTP_BAD) {
            STILE_ASSERT(http.status >= 400 && http.reason);
            seen.status = http.status;
            break;
        }
        if (event == STILE__HTTP_DONE) {
            look_request(&seen, &http);
            stile__http_next(&http);
        }
    }
    stile__http_release(&http);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stile_str bytes = {(const char *)data, size};
    size_t step = size > 0 ? data[size - 1] % 17 + 1 : 1;
    struct seen whole = run(bytes, size);
    struct seen split = run(bytes, step);
    STILE_ASSERT(whole.requests == split.requests);
    STILE_ASSERT(whole.hash == split.hash);
    /* A request with two faults may be refused for either. */
    STILE_ASSERT((whole.status == 0) == (split.status == 0));
    return 0;
}
