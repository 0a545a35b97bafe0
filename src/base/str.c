#include <stile/base.h>

#include <string.h>

#include "utf8.h"

/* A longer word is no typing slip; it also bounds the work below. */
#define NEAREST_WORD_MAX 64

const char *stile_status_text(enum stile_status status)
{
    static const char *const texts[] = {
#define X(name, text) text,
        STILE_STATUS_LIST(X)
#undef X
    };

    if ((unsigned)status >= STILE_STATUS_COUNT) {
        return "unknown status";
    }
    return texts[status];
}

void stile_assert_fail(const char *expr, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
    abort();
}

struct stile_str stile_str_cstr(const char *cstr)
{
    if (!cstr) {
        return STILE_STR_NULL;
    }
    return (struct stile_str){cstr, strlen(cstr)};
}

struct stile_str stile_str_sub(struct stile_str s, size_t from, size_t len)
{
    if (!s.ptr) {
        return STILE_STR_NULL;
    }
    if (from > s.len) {
        from = s.len;
    }
    if (len > s.len - from) {
        len = s.len - from;
    }
    return (struct stile_str){s.ptr + from, len};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct stile_str stile_str_trim(struct stile_str s)
{
    size_t from = 0;
    size_t to = s.len;

    while (from < to && is_space(s.ptr[from])) {
        from++;
    }
    while (to > from && is_space(s.ptr[to - 1])) {
        to--;
    }
    return stile_str_sub(s, from, to - from);
}

bool stile_str_eq(struct stile_str a, struct stile_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool stile_str_eqc(struct stile_str a, const char *cstr)
{
    return stile_str_eq(a, stile_str_cstr(cstr));
}

static char fold(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c - 'A' + 'a') : c;
}

bool stile_str_eq_nocase(struct stile_str a, struct stile_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.ptr[i]) != fold(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

int stile_str_cmp(struct stile_str a, struct stile_str b)
{
    size_t both = a.len < b.len ? a.len : b.len;
    int order = both > 0 ? memcmp(a.ptr, b.ptr, both) : 0;

    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool stile_str_starts(struct stile_str s, struct stile_str prefix)
{
    return prefix.len <= s.len &&
           stile_str_eq(stile_str_sub(s, 0, prefix.len), prefix);
}

bool stile_str_ends(struct stile_str s, struct stile_str suffix)
{
    return suffix.len <= s.len &&
           stile_str_eq(stile_str_sub(s, s.len - suffix.len, suffix.len),
                        suffix);
}

size_t stile_str_find(struct stile_str s, char byte)
{
    const char *at = s.len > 0 ? memchr(s.ptr, byte, s.len) : NULL;

    return at ? (size_t)(at - s.ptr) : SIZE_MAX;
}

size_t stile_str_find_str(struct stile_str s, struct stile_str needle)
{
    if (needle.len == 0) {
        return 0;
    }
    for (size_t at = 0; needle.len <= s.len - at;) {
        struct stile_str room =
            stile_str_sub(s, at, s.len - at - needle.len + 1);
        size_t hit = stile_str_find(room, needle.ptr[0]);

        if (hit == SIZE_MAX) {
            break;
        }
        at += hit;
        if (memcmp(s.ptr + at, needle.ptr, needle.len) == 0) {
            return at;
        }
        at++;
    }
    return SIZE_MAX;
}

bool stile_str_next(struct stile_str *rest, char sep,
                    struct stile_str *ret_piece)
{
    size_t at;

    if (rest->len == 0) {
        return false;
    }
    at = stile_str_find(*rest, sep);
    if (at == SIZE_MAX) {
        *ret_piece = *rest;
        *rest = stile_str_sub(*rest, rest->len, 0);
        return true;
    }
    *ret_piece = stile_str_sub(*rest, 0, at);
    *rest = stile_str_sub(*rest, at + 1, rest->len - at - 1);
    return true;
}

bool stile_str_to_int64(struct stile_str s, int64_t *ret)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t i = negative ? 1 : 0;
    int64_t value = 0;

    if (i == s.len) {
        return false;
    }
    /* Built below zero, where the range is one larger. */
    for (; i < s.len; i++) {
        int digit = s.ptr[i] - '0';

        if (digit < 0 || digit > 9) {
            return false;
        }
        if (value < (INT64_MIN + digit) / 10) {
            return false;
        }
        value = value * 10 - digit;
    }
    if (!negative) {
        if (value == INT64_MIN) {
            return false;
        }
        value = -value;
    }
    *ret = value;
    return true;
}

uint64_t stile_str_hash(struct stile_str s)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < s.len; i++) {
        hash ^= (unsigned char)s.ptr[i];
        hash *= UINT64_C(1099511628211);
    }
    return hash;
}

size_t stile__utf8_len(const unsigned char *bytes, size_t left)
{
    unsigned char lead = bytes[0];
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len;

    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (len > left) {
        return 0;
    }
    /* The second byte excludes overlong forms, surrogates and what lies
     * past U+10FFFF. */
    if (lead == 0xe0) {
        low = 0xa0;
    } else if (lead == 0xed) {
        high = 0x9f;
    } else if (lead == 0xf0) {
        low = 0x90;
    } else if (lead == 0xf4) {
        high = 0x8f;
    }
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}

bool stile_utf8_valid(struct stile_str s)
{
    const unsigned char *bytes = (const unsigned char *)s.ptr;
    size_t i = 0;

    while (i < s.len) {
        uint64_t word;
        size_t len;

        if (s.len - i >= sizeof word) {
            memcpy(&word, bytes + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        len = stile__utf8_len(bytes + i, s.len - i);
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Optimal string alignment distance, ASCII case folded: a swap of two
 * neighbours, the commonest slip, counts one. */
static size_t distance(struct stile_str a, struct stile_str b)
{
    size_t rows[3][NEAREST_WORD_MAX + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];

    for (size_t j = 0; j <= b.len; j++) {
        above[j] = j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = fold(a.ptr[i - 1]);
            char y = fold(b.ptr[j - 1]);
            size_t cost = x == y ? 0 : 1;

            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + cost);
            if (i > 1 && j > 1 && x == fold(b.ptr[j - 2]) &&
                y == fold(a.ptr[i - 2]) && before[j - 2] + 1 < row[j]) {
                row[j] = before[j - 2] + 1;
            }
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[b.len];
}

size_t stile_nearest(struct stile_str word, const struct stile_str *names,
                     size_t count)
{
    size_t best = SIZE_MAX;
    size_t allowed = (word.len < 3 ? 3 : word.len) / 3;

    if (word.len == 0 || word.len > NEAREST_WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < count; i++) {
        size_t gap = names[i].len > word.len ? names[i].len - word.len
                                             : word.len - names[i].len;
        size_t d;

        if (names[i].len == 0 || names[i].len > NEAREST_WORD_MAX ||
            gap > allowed) {
            continue;
        }
        d = distance(word, names[i]);
        if (d <= allowed && (best == SIZE_MAX || d < allowed)) {
            best = i;
            allowed = d;
        }
    }
    return best;
}
