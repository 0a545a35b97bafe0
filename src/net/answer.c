#include "conn.h"

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

/* The phrase may be empty (RFC 9112 section 4). */
static const char *phrase_of(int status)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "";
}

static bool value_valid(struct stile_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

bool stile__header_valid(const struct stile_header *header)
{
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding",
                                       "Connection",     "Upgrade",
                                       "Trailer",        "Expect",
                                       "Host",           "TE"};
    struct stile_str name = header->name;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (stile_str_eq_nocase(name, stile_str_cstr(ours[i]))) {
            return false;
        }
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }
    return name.len > 0 && value_valid(header->value);
}

/* IMF-fixdate, RFC 9110 section 5.6.7. */
static void write_date(struct stile_buf *out, stile_time now)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(now / STILE_SECOND);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm)) {
        return;
    }
    stile_buf_printf(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
                     days + tm.tm_wday * 3, tm.tm_mday, months + tm.tm_mon * 3,
                     tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool stile__answer_write(struct stile_buf *out,
                         const struct stile_answer *answer,
                         const struct stile__answer_shape *shape)
{
    bool bodiless = answer->status == 204 || answer->status == 304;
    if (answer->status < 200 || answer->status > 599 ||
        answer->body.len > shape->body_bytes ||
        !value_valid(answer->content_type)) {
        return false;
    }
    stile_buf_printf(out, "HTTP/1.1 %d %s\r\n", answer->status,
                     phrase_of(answer->status));
    write_date(out, shape->now);
    if (answer->content_type.len > 0) {
        stile_buf_addc(out, "Content-Type: ");
        stile_buf_add(out, answer->content_type);
        stile_buf_addc(out, "\r\n");
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        const struct stile_header *header = &answer->headers[i];
        if (!stile__header_valid(header)) {
            return false;
        }
        stile_buf_add(out, header->name);
        stile_buf_addc(out, ": ");
        stile_buf_add(out, header->value);
        stile_buf_addc(out, "\r\n");
    }
    if (!bodiless) {
        stile_buf_printf(out, "Content-Length: %zu\r\n", answer->body.len);
    }
    if (shape->close) {
        stile_buf_addc(out, "Connection: close\r\n");
    } else if (shape->old) {
        stile_buf_addc(out, "Connection: keep-alive\r\n");
    }
    stile_buf_addc(out, "\r\n");
    if (!bodiless && !shape->head_only) {
        stile_buf_add(out, answer->body);
    }
    return out->status == STILE_OK;
}
