#include <stile/base.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define BUF_FIRST ((size_t)256)

void stile_buf_init(struct stile_buf *buf, size_t limit)
{
    *buf = (struct stile_buf){.limit = limit, .status = STILE_OK};
}

void stile_buf_release(struct stile_buf *buf)
{
    if (!buf) {
        return;
    }
    if (buf->ptr) {
        stile_wipe(buf->ptr, buf->cap + 1);
        free(buf->ptr);
    }
    stile_buf_init(buf, buf->limit);
}

void stile_buf_clear(struct stile_buf *buf)
{
    buf->len = 0;
    buf->status = STILE_OK;
}

/* True when `more` bytes fit. One byte past `cap` is always allocated, for
 * the NUL that vsnprintf writes. */
static bool reserve(struct stile_buf *buf, size_t more)
{
    size_t need;
    size_t cap;
    char *grown;

    if (buf->status != STILE_OK) {
        return false;
    }
    if (more > buf->limit || buf->len > buf->limit - more) {
        buf->status = STILE_LIMIT;
        return false;
    }
    need = buf->len + more;
    if (buf->ptr && need <= buf->cap) {
        return true;
    }
    cap = buf->cap < BUF_FIRST ? BUF_FIRST : buf->cap;
    while (cap < need) {
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    }
    if (cap > buf->limit) {
        cap = buf->limit;
    }
    grown = cap < SIZE_MAX ? malloc(cap + 1) : NULL;
    if (!grown) {
        buf->status = STILE_NOMEM;
        return false;
    }
    /* Not realloc: the old copy must be wiped. */
    if (buf->ptr) {
        memcpy(grown, buf->ptr, buf->len);
        stile_wipe(buf->ptr, buf->cap + 1);
        free(buf->ptr);
    }
    buf->ptr = grown;
    buf->cap = cap;
    return true;
}

char *stile_buf_room(struct stile_buf *buf, size_t more)
{
    return reserve(buf, more) ? buf->ptr + buf->len : NULL;
}

void stile_buf_add(struct stile_buf *buf, struct stile_str s)
{
    if (s.len == 0 || !reserve(buf, s.len)) {
        return;
    }
    memcpy(buf->ptr + buf->len, s.ptr, s.len);
    buf->len += s.len;
}

void stile_buf_addc(struct stile_buf *buf, const char *cstr)
{
    stile_buf_add(buf, stile_str_cstr(cstr));
}

void stile_buf_byte(struct stile_buf *buf, char byte)
{
    if (reserve(buf, 1)) {
        buf->ptr[buf->len++] = byte;
    }
}

void stile_buf_printf(struct stile_buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    STILE_ASSERT(len >= 0);
    if (reserve(buf, (size_t)len)) {
        (void)vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

void stile_buf_cut(struct stile_buf *buf, size_t len)
{
    if (len < buf->len) {
        buf->len = len;
    }
}

void stile_buf_consume(struct stile_buf *buf, size_t len)
{
    if (len >= buf->len) {
        buf->len = 0;
        return;
    }
    memmove(buf->ptr, buf->ptr + len, buf->len - len);
    buf->len -= len;
}

struct stile_str stile_buf_str(const struct stile_buf *buf)
{
    if (!buf->ptr) {
        return STILE_STR("");
    }
    return (struct stile_str){buf->ptr, buf->len};
}

static void json_escape(struct stile_buf *buf, unsigned char c)
{
    static const char shorts[] = "btn\0fr"; /* U+0008 to U+000D */

    if (c == '"' || c == '\\') {
        stile_buf_byte(buf, '\\');
        stile_buf_byte(buf, (char)c);
    } else if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
        stile_buf_byte(buf, '\\');
        stile_buf_byte(buf, shorts[c - 0x08]);
    } else {
        stile_buf_printf(buf, "\\u%04x", c);
    }
}

#define ONES UINT64_C(0x0101010101010101)
#define TOPS UINT64_C(0x8080808080808080)

/* Are all eight bytes ASCII that stands in a JSON text as it is? A carry may
 * call a clean word unclean, never the other way. */
static bool plain_word(uint64_t w)
{
    uint64_t quote = w ^ (ONES * '"');
    uint64_t slash = w ^ (ONES * '\\');
    uint64_t low = w - ONES * 0x20;

    return ((w | low | (quote - ONES) | (slash - ONES)) & TOPS) == 0;
}

size_t stile_json_plain(struct stile_str s)
{
    size_t i = 0;

    for (; s.len - i >= 8; i += 8) {
        uint64_t w;

        memcpy(&w, s.ptr + i, sizeof w);
        if (!plain_word(w)) {
            break;
        }
    }
    while (i < s.len && (unsigned char)s.ptr[i] >= 0x20 &&
           (unsigned char)s.ptr[i] < 0x80 && s.ptr[i] != '"' &&
           s.ptr[i] != '\\') {
        i++;
    }
    return i;
}

void stile_buf_json_str(struct stile_buf *buf, struct stile_str s)
{
    const unsigned char *bytes = (const unsigned char *)s.ptr;
    size_t from = 0;
    size_t i = stile_json_plain(s);

    if (i == s.len && reserve(buf, s.len + 2)) {
        char *at = buf->ptr + buf->len;

        at[0] = '"';
        if (s.len > 0) {
            memcpy(at + 1, s.ptr, s.len);
        }
        at[s.len + 1] = '"';
        buf->len += s.len + 2;
        return;
    }
    stile_buf_byte(buf, '"');
    while (i < s.len) {
        unsigned char c = bytes[i];
        size_t len = 1;

        if (c >= 0x80) {
            len = stile__utf8_len(bytes + i, s.len - i);
        } else if (c < 0x20 || c == '"' || c == '\\') {
            len = 0;
        }
        if (len > 0) {
            i += len;
            continue;
        }
        stile_buf_add(buf, stile_str_sub(s, from, i - from));
        if (c < 0x80) {
            json_escape(buf, c);
        } else {
            stile_buf_addc(buf, "\xef\xbf\xbd"); /* U+FFFD */
        }
        i++;
        from = i;
    }
    stile_buf_add(buf, stile_str_sub(s, from, i - from));
    stile_buf_byte(buf, '"');
}
