/*
 * http.h - one HTTP/1.1 request at a time, from bytes alone. No socket, no
 * clock: the connection, the tests and the fuzz target drive it alike.
 *
 * The head is gathered until its blank line and then read twice: by our own
 * strict scan (RFC 9112 sections 2 to 6) and by llhttp. Both must agree on
 * its end, its headers and its framing, or the request is refused. A refusal
 * is final: the caller answers `status` and closes, because nobody knows
 * where a next request would begin.
 */
#ifndef STILE_NET_HTTP_H
#define STILE_NET_HTTP_H

#include <llhttp.h>

#include "stile/net.h"

enum stile__http_event {
    STILE__HTTP_MORE, /* all bytes taken, the request is not whole */
    STILE__HTTP_HEAD, /* `request` has all but its body */
    STILE__HTTP_DONE, /* `request` is whole */
    STILE__HTTP_BAD   /* `status` and `reason` say why */
};

struct stile__http {
    size_t head_bytes, line_bytes, body_bytes; /* limits */
    uint32_t header_limit;
    enum {
        STILE__HTTP_AT_HEAD,
        STILE__HTTP_AT_BODY,
        STILE__HTTP_AT_END
    } at;
    bool blank_begun, blank_done; /* the one empty line before a request */
    struct stile_buf head, path, body;
    size_t line_start;
    uint64_t wire;    /* bytes of the body with its framing, before `from` */
    const char *from; /* of the call under way */
    struct stile_header *headers;
    size_t header_room, llhttp_headers;
    llhttp_t llhttp;
    struct stile_request request; /* peer is the caller's */
    uint64_t content_length;
    bool chunked, keep_alive, old, expects; /* old: HTTP/1.0 */
    bool llhttp_ended;
    int status;
    const char *reason; /* static text */
};

void stile__http_init(struct stile__http *http,
                      const struct stile_net_limits *limits);
/* Ready for the next request; keeps its memory. */
void stile__http_next(struct stile__http *http);
/* Ready for the next request; holds no memory. */
void stile__http_release(struct stile__http *http);
/* Takes up to `bytes.len`; *ret_taken says how many. After HEAD call again
 * with what is left (even nothing) once the body is wanted. */
enum stile__http_event stile__http_feed(struct stile__http *http,
                                        struct stile_str bytes,
                                        size_t *ret_taken);
/* After HEAD only. False: refused, with status 413. */
bool stile__http_limit_body(struct stile__http *http, size_t limit);
/* True after HEAD when a body is still to come. */
bool stile__http_has_body(const struct stile__http *http);
/* No byte of a request has been taken. */
bool stile__http_fresh(const struct stile__http *http);

#endif
