#include "http.h"

/* Bytes of chunk framing a body may carry for each of its own: one-byte
 * chunks cost five. Unbounded chunk extensions were CVE-2024-22019. */
#define FRAMING_PER_BYTE 8

/* RFC 9110 section 5.6.2, without the underscore: a header name with one is
 * read as a hyphen by some servers behind a gateway. */
static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^`|~", c) != NULL);
}

static enum stile__http_event refuse(struct stile__http *http, int status,
                                     const char *reason)
{
    http->at = STILE__HTTP_AT_END;
    http->status = status;
    http->reason = reason;
    return STILE__HTTP_BAD;
}

static bool bad(struct stile__http *http, int status, const char *reason)
{
    (void)refuse(http, status, reason);
    return false;
}

/* ---- llhttp's side ---- */

static int on_headers_complete(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

static int on_header_value_complete(llhttp_t *llhttp)
{
    struct stile__http *http = llhttp->data;
    http->llhttp_headers++;
    return 0;
}

/* Looked at where each run of framing ends, so that the answer does not hang
 * on how the bytes were cut. */
static bool overframed(struct stile__http *http, const char *at)
{
    uint64_t framing =
        http->wire + (uint64_t)(at - http->from) - http->body.len;
    if (framing > http->head_bytes + http->body.len * FRAMING_PER_BYTE) {
        (void)refuse(http, 400, "the chunks are more framing than data");
        return true;
    }
    return false;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct stile__http *http = llhttp->data;
    if (overframed(http, at)) {
        return HPE_USER;
    }
    if (len > http->body_bytes - http->body.len) {
        (void)refuse(http, 413, "the body is longer than its limit");
        return HPE_USER;
    }
    stile_buf_add(&http->body, (struct stile_str){at, len});
    if (http->body.status != STILE_OK) {
        (void)refuse(http, 503, "memory for the body could not be had");
        return HPE_USER;
    }
    return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
    struct stile__http *http = llhttp->data;
    http->llhttp_ended = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_headers_complete = on_headers_complete,
    .on_header_value_complete = on_header_value_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- our own reading of the head ---- */

static bool read_version(struct stile__http *http, struct stile_str version)
{
    if (stile_str_eqc(version, "HTTP/1.1")) {
        http->old = false;
    } else if (stile_str_eqc(version, "HTTP/1.0")) {
        http->old = true;
    } else {
        return bad(http, 400, "the version must be HTTP/1.1 or HTTP/1.0");
    }
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Decodes %XX once. A control character in a path has no honest use. */
static bool read_path(struct stile__http *http, struct stile_str raw)
{
    if (stile_str_find(raw, '%') == SIZE_MAX) {
        http->request.path = raw;
        return true;
    }
    for (size_t i = 0; i < raw.len; i++) {
        int byte = (unsigned char)raw.ptr[i];
        if (byte == '%') {
            int high = i + 2 < raw.len ? hex_value(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_value(raw.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return bad(http, 400, "the path has a broken % escape");
            }
            byte = high * 16 + low;
            i += 2;
        }
        if (byte < 0x20 || byte == 0x7f) {
            return bad(http, 400, "the path has a control character");
        }
        stile_buf_byte(&http->path, (char)byte);
    }
    if (http->path.status != STILE_OK) {
        return bad(http, 503, "memory for the path could not be had");
    }
    http->request.path = stile_buf_str(&http->path);
    return true;
}

/* Origin form only (RFC 9112 section 3.2.1). "|" is not a URI character but
 * FHIR clients send it raw in token searches. */
static bool read_target(struct stile__http *http, struct stile_str target)
{
    if (target.len == 0 || target.ptr[0] != '/') {
        return bad(http, 400, "the target must begin with /");
    }
    for (size_t i = 0; i < target.len; i++) {
        char c = target.ptr[i];
        if (c <= 0x20 || c == 0x7f || strchr("#\"<>\\", c) != NULL) {
            return bad(http, 400, "the target has a forbidden character");
        }
    }
    http->request.target = target;
    size_t mark = stile_str_find(target, '?');
    struct stile_str path = target;
    if (mark != SIZE_MAX) {
        path.len = mark;
        http->request.query =
            stile_str_sub(target, mark + 1, target.len - mark - 1);
    }
    return read_path(http, path);
}

static bool read_request_line(struct stile__http *http, struct stile_str line)
{
    struct stile_str rest = line, method, target;
    size_t space = stile_str_find(rest, ' ');
    if (space == SIZE_MAX) {
        return bad(http, 400, "the request line must have three parts");
    }
    method = stile_str_sub(rest, 0, space);
    rest = stile_str_sub(rest, space + 1, rest.len - space - 1);
    space = stile_str_find(rest, ' ');
    if (space == SIZE_MAX) {
        return bad(http, 400, "the request line must have three parts");
    }
    target = stile_str_sub(rest, 0, space);
    rest = stile_str_sub(rest, space + 1, rest.len - space - 1);
    /* A third space is inside `rest` and so no version. */
    static const char *const methods[] = {"GET",    "HEAD",  "POST",   "PUT",
                                          "DELETE", "PATCH", "OPTIONS"};
    bool known = false;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        known = known || stile_str_eqc(method, methods[i]);
    }
    if (!known) {
        return bad(http, 400, "the method is not served");
    }
    http->request.method = method;
    return read_version(http, rest) && read_target(http, target);
}

/* One header line, RFC 9112 section 5; the name touches its colon. */
static bool read_header(struct stile__http *http, struct stile_str line)
{
    size_t colon = stile_str_find(line, ':');
    if (colon == SIZE_MAX || colon == 0) {
        return bad(http, 400, "a header line must be name: value");
    }
    for (size_t i = 0; i < colon; i++) {
        if (!is_token(line.ptr[i])) {
            return bad(http, 400, "a header name has a forbidden character");
        }
    }
    size_t from = colon + 1, to = line.len;
    while (from < to && (line.ptr[from] == ' ' || line.ptr[from] == '\t')) {
        from++;
    }
    while (to > from && (line.ptr[to - 1] == ' ' || line.ptr[to - 1] == '\t')) {
        to--;
    }
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return bad(http, 400, "a header value has a control character");
        }
    }
    if (http->request.header_count == http->header_limit) {
        return bad(http, 431, "there are more headers than the limit");
    }
    if (http->request.header_count == http->header_room) {
        size_t room = http->header_room ? http->header_room * 2 : 16;
        struct stile_header *headers =
            realloc(http->headers, room * sizeof *headers);
        if (!headers) {
            return bad(http, 503, "memory for the headers could not be had");
        }
        http->headers = headers;
        http->header_room = room;
    }
    http->headers[http->request.header_count++] = (struct stile_header){
        stile_str_sub(line, 0, colon), stile_str_sub(line, from, to - from)};
    return true;
}

static bool read_length(struct stile__http *http, struct stile_str value)
{
    uint64_t n = 0;
    bool digits = value.len > 0;
    for (size_t i = 0; i < value.len && digits; i++) {
        digits = value.ptr[i] >= '0' && value.ptr[i] <= '9' &&
                 n <= (UINT64_MAX - 9) / 10;
        n = digits ? n * 10 + (uint64_t)(value.ptr[i] - '0') : 0;
    }
    if (!digits) {
        return bad(http, 400, "Content-Length must be a number");
    }
    http->content_length = n;
    return true;
}

/* Host is uri-host [":" port]; enough to refuse what could be read twice. */
static bool read_host(struct stile__http *http, struct stile_str value)
{
    bool good = value.len > 0;
    for (size_t i = 0; i < value.len && good; i++) {
        char c = value.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') ||
               (c != '\0' && strchr("-._~:[]%", c) != NULL);
    }
    return good || bad(http, 400, "Host must be a name and a port");
}

static bool read_expect(struct stile__http *http, struct stile_str value)
{
    if (!stile_str_eq_nocase(value, STILE_STR("100-continue"))) {
        return bad(http, 400, "Expect may only be 100-continue");
    }
    http->expects = true;
    return true;
}

static bool read_coding(struct stile__http *http, struct stile_str value)
{
    if (http->old) {
        return bad(http, 400, "HTTP/1.0 has no Transfer-Encoding");
    }
    if (!stile_str_eq_nocase(value, STILE_STR("chunked"))) {
        return bad(http, 400, "Transfer-Encoding may only be chunked");
    }
    http->chunked = true;
    return true;
}

/* The headers that decide where a request ends, RFC 9112 section 6. */
static bool read_framing(struct stile__http *http)
{
    unsigned hosts = 0, lengths = 0, codings = 0, expects = 0;
    for (size_t i = 0; i < http->request.header_count; i++) {
        struct stile_str name = http->headers[i].name;
        struct stile_str value = http->headers[i].value;
        bool good = true;
        if (stile_str_eq_nocase(name, STILE_STR("Host"))) {
            hosts++;
            good = read_host(http, value);
        } else if (stile_str_eq_nocase(name, STILE_STR("Content-Length"))) {
            lengths++;
            good = read_length(http, value);
        } else if (stile_str_eq_nocase(name, STILE_STR("Transfer-Encoding"))) {
            codings++;
            good = read_coding(http, value);
        } else if (stile_str_eq_nocase(name, STILE_STR("Expect"))) {
            expects++;
            good = read_expect(http, value);
        } else if (stile_str_eq_nocase(name, STILE_STR("Upgrade"))) {
            good = bad(http, 400, "Upgrade is not served");
        }
        if (!good) {
            return false;
        }
    }
    if (hosts != 1) {
        return bad(http, 400, "there must be exactly one Host");
    }
    if (lengths + codings > 1 || expects > 1) {
        return bad(http, 400, "there must be one framing header at most");
    }
    struct stile_str method = http->request.method;
    if ((http->chunked || http->content_length > 0) &&
        (stile_str_eqc(method, "GET") || stile_str_eqc(method, "HEAD") ||
         stile_str_eqc(method, "DELETE"))) {
        return bad(http, 400, "this method carries no body");
    }
    return true;
}

/* llhttp reads the same bytes and must have seen the same request. */
static bool second_opinion(struct stile__http *http)
{
    llhttp_init(&http->llhttp, HTTP_REQUEST, &settings);
    http->llhttp.data = http;
    http->llhttp_headers = 0;
    llhttp_errno_t got =
        llhttp_execute(&http->llhttp, http->head.ptr, http->head.len);
    if (got != HPE_PAUSED || llhttp_get_error_pos(&http->llhttp) !=
                                 http->head.ptr + http->head.len) {
        return bad(http, 400, "the head is not well formed");
    }
    const char *method =
        llhttp_method_name((llhttp_method_t)llhttp_get_method(&http->llhttp));
    bool chunked = (http->llhttp.flags & F_CHUNKED) != 0;
    if (http->llhttp_headers != http->request.header_count ||
        !stile_str_eqc(http->request.method, method) ||
        http->llhttp.http_major != 1 ||
        http->llhttp.http_minor != (http->old ? 0 : 1) ||
        chunked != http->chunked || http->llhttp.upgrade != 0 ||
        (!chunked && http->llhttp.content_length != http->content_length)) {
        return bad(http, 400, "the head can be read in two ways");
    }
    http->keep_alive = llhttp_should_keep_alive(&http->llhttp) != 0;
    return true;
}

static enum stile__http_event read_head(struct stile__http *http)
{
    struct stile_str rest = stile_buf_str(&http->head), line;
    bool first = true;
    while (stile_str_next(&rest, '\n', &line)) {
        STILE_ASSERT(line.len > 0 && line.ptr[line.len - 1] == '\r');
        line.len--;
        if (line.len == 0) {
            break;
        }
        bool good =
            first ? read_request_line(http, line) : read_header(http, line);
        if (!good) {
            return STILE__HTTP_BAD;
        }
        first = false;
    }
    http->request.headers = http->headers;
    if (!read_framing(http) || !second_opinion(http)) {
        return STILE__HTTP_BAD;
    }
    http->at = STILE__HTTP_AT_BODY;
    return STILE__HTTP_HEAD;
}

/* ---- gathering ---- */

/* One empty line before a request is let pass (RFC 9112 section 2.2). */
static enum stile__http_event skip_blank(struct stile__http *http, char byte)
{
    if (byte == '\r' && !http->blank_begun) {
        http->blank_begun = true;
    } else if (byte == '\n' && http->blank_begun) {
        http->blank_done = true;
    } else {
        return refuse(http, 400, "a request must begin with its method");
    }
    return STILE__HTTP_MORE;
}

static enum stile__http_event check_line(struct stile__http *http, bool whole)
{
    const char *line = http->head.ptr + http->line_start;
    size_t len = http->head.len - http->line_start;
    size_t ending = 0;
    if (whole) {
        ending = 2;
        if (len < 2 || line[len - 2] != '\r') {
            return refuse(http, 400, "lines must end with CR LF");
        }
    } else if (len > 0 && line[len - 1] == '\r') {
        ending = 1;
    }
    if (len - ending > http->line_bytes) {
        return http->line_start == 0
                   ? refuse(http, 414, "the request line is over its limit")
                   : refuse(http, 431, "a header line is over its limit");
    }
    if (memchr(line, '\r', len - ending)) {
        return refuse(http, 400, "the head has a bare CR");
    }
    if (whole && len == 2) {
        return http->line_start == 0
                   ? refuse(http, 400, "a request must begin with its method")
                   : STILE__HTTP_HEAD;
    }
    return STILE__HTTP_MORE;
}

static enum stile__http_event
feed_head(struct stile__http *http, struct stile_str bytes, size_t *ret_taken)
{
    size_t taken = 0;
    enum stile__http_event event = STILE__HTTP_MORE;
    while (taken < bytes.len && event == STILE__HTTP_MORE) {
        const char *from = bytes.ptr + taken;
        if (http->head.len == 0 && (*from == '\r' || *from == '\n') &&
            !http->blank_done) {
            event = skip_blank(http, *from);
            taken++;
            continue;
        }
        if (http->head.len == 0 && http->blank_begun && !http->blank_done) {
            event = refuse(http, 400, "a request must begin with its method");
            break;
        }
        const char *end = memchr(from, '\n', bytes.len - taken);
        size_t len = end ? (size_t)(end - from) + 1 : bytes.len - taken;
        if (len > http->head_bytes - http->head.len) {
            event = refuse(http, 431, "the head is over its limit");
            break;
        }
        stile_buf_add(&http->head, (struct stile_str){from, len});
        if (http->head.status != STILE_OK) {
            event = refuse(http, 503, "memory for the head could not be had");
            break;
        }
        taken += len;
        event = check_line(http, end != NULL);
        if (end) {
            http->line_start = http->head.len;
        }
    }
    *ret_taken = taken;
    return event == STILE__HTTP_HEAD ? read_head(http) : event;
}

static enum stile__http_event
feed_body(struct stile__http *http, struct stile_str bytes, size_t *ret_taken)
{
    *ret_taken = 0;
    if (!stile__http_has_body(http)) {
        http->at = STILE__HTTP_AT_END;
        return STILE__HTTP_DONE;
    }
    if (bytes.len == 0) {
        return STILE__HTTP_MORE;
    }
    if (llhttp_get_errno(&http->llhttp) == HPE_PAUSED) {
        llhttp_resume(&http->llhttp);
    }
    http->from = bytes.ptr;
    llhttp_errno_t got = llhttp_execute(&http->llhttp, bytes.ptr, bytes.len);
    if (http->at == STILE__HTTP_AT_END) {
        return STILE__HTTP_BAD;
    }
    size_t taken = bytes.len;
    if (got == HPE_PAUSED && http->llhttp_ended) {
        taken = (size_t)(llhttp_get_error_pos(&http->llhttp) - bytes.ptr);
    } else if (got != HPE_OK) {
        return refuse(http, 400, "the body is not well formed");
    }
    if (overframed(http, bytes.ptr + taken)) {
        return STILE__HTTP_BAD;
    }
    http->wire += taken;
    *ret_taken = taken;
    if (!http->llhttp_ended) {
        return STILE__HTTP_MORE;
    }
    http->at = STILE__HTTP_AT_END;
    http->request.body = stile_buf_str(&http->body);
    return STILE__HTTP_DONE;
}

/* ---- the face ---- */

void stile__http_init(struct stile__http *http,
                      const struct stile_net_limits *limits)
{
    *http = (struct stile__http){.head_bytes = limits->head_bytes,
                                 .line_bytes = limits->line_bytes,
                                 .body_bytes = limits->body_bytes,
                                 .header_limit = limits->headers};
    stile_buf_init(&http->head, limits->head_bytes);
    stile_buf_init(&http->path, limits->head_bytes);
    stile_buf_init(&http->body, limits->body_bytes);
}

void stile__http_next(struct stile__http *http)
{
    size_t body_bytes = http->body.limit;
    stile_buf_clear(&http->head);
    stile_buf_clear(&http->path);
    stile_buf_clear(&http->body);
    *http = (struct stile__http){.head_bytes = http->head_bytes,
                                 .line_bytes = http->line_bytes,
                                 .body_bytes = body_bytes,
                                 .header_limit = http->header_limit,
                                 .head = http->head,
                                 .path = http->path,
                                 .body = http->body,
                                 .headers = http->headers,
                                 .header_room = http->header_room};
}

void stile__http_release(struct stile__http *http)
{
    size_t body_bytes = http->body.limit;
    stile_buf_release(&http->head);
    stile_buf_release(&http->path);
    stile_buf_release(&http->body);
    free(http->headers);
    struct stile_net_limits limits = {.head_bytes = http->head_bytes,
                                      .line_bytes = http->line_bytes,
                                      .body_bytes = body_bytes,
                                      .headers = http->header_limit};
    stile__http_init(http, &limits);
}

enum stile__http_event stile__http_feed(struct stile__http *http,
                                        struct stile_str bytes,
                                        size_t *ret_taken)
{
    switch (http->at) {
    case STILE__HTTP_AT_HEAD:
        return feed_head(http, bytes, ret_taken);
    case STILE__HTTP_AT_BODY:
        return feed_body(http, bytes, ret_taken);
    case STILE__HTTP_AT_END:
        break;
    }
    *ret_taken = 0;
    return http->status ? STILE__HTTP_BAD : STILE__HTTP_DONE;
}

bool stile__http_limit_body(struct stile__http *http, size_t limit)
{
    if (limit < http->body_bytes) {
        http->body_bytes = limit;
    }
    if (http->content_length > http->body_bytes) {
        return bad(http, 413, "the body is longer than its limit");
    }
    return true;
}

bool stile__http_has_body(const struct stile__http *http)
{
    return http->chunked || http->content_length > 0;
}

bool stile__http_fresh(const struct stile__http *http)
{
    return http->at == STILE__HTTP_AT_HEAD && http->head.len == 0 &&
           !http->blank_begun;
}

struct stile_str stile_request_header(const struct stile_request *request,
                                      const char *name)
{
    struct stile_str wanted = stile_str_cstr(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (stile_str_eq_nocase(request->headers[i].name, wanted)) {
            return request->headers[i].value;
        }
    }
    return STILE_STR_NULL;
}
