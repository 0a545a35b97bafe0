/*
 * The strict scan: RFC 8259 grammar, UTF-8 (RFC 3629), no lone surrogates, no
 * \u0000, and the limits, over the bytes, before anything is built from them.
 * A byte order mark is refused (RFC 8259 section 8.1 forbids sending one).
 */
#include "format_private.h"

struct frame {
    bool object;
    uint32_t index;   /* item of an array */
    uint32_t item;    /* of the container */
    uint32_t name;    /* of the member's name, or STILE_TAPE_NONE */
    uint32_t members; /* names so far */
    uint64_t seen;    /* their hashes, a bit each */
};

struct scan {
    const unsigned char *p, *end;
    struct stile_str bytes, name;
    struct stile_json_limits limits;
    struct stile_diags *diags;
    struct stile_tape *tape;
    uint32_t depth;
    uint32_t values;
    bool doubtful;            /* see stile__json_scan */
    enum stile_status status; /* of the finding that ended the scan */
    struct frame frames[STILE__JSON_DEPTH_MAX];
};

void stile__json_path_name(struct stile_buf *path, struct stile_str name)
{
    bool plain = name.len > 0 && name.len <= 64;
    for (size_t i = 0; plain && i < name.len; i++) {
        char c = name.ptr[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                (i > 0 && c >= '0' && c <= '9');
    }
    if (stile_str_eqc(stile_buf_str(path), "$")) {
        stile_buf_cut(path, 0); /* a root without a name, see record.h */
    }
    if (path->len > 0) {
        stile_buf_byte(path, '.');
    }
    stile_buf_add(path, plain ? name : STILE_STR("?"));
}

void stile__json_finding(struct stile_diags *diags, const char *code,
                         struct stile_str name, struct stile_str bytes,
                         size_t offset, struct stile_str path,
                         const char *message)
{
    uint32_t line = 1;
    size_t start = 0;
    for (;;) {
        const char *lf = offset > start
                             ? memchr(bytes.ptr + start, '\n', offset - start)
                             : NULL;
        if (lf == NULL) {
            break;
        }
        line++;
        start = (size_t)(lf - bytes.ptr) + 1;
    }
    struct stile_diag *diag = stile_diag_at_record(diags, code, STILE_ERROR,
                                                   name, line, path, message);
    if (diag != NULL) {
        diag->line = line;
        diag->row = false;
        diag->column = (uint32_t)(offset - start + 1);
    }
}

/* Ends the scan with a finding at `at`. Always false. */
static bool stop(struct scan *s, const unsigned char *at,
                 enum stile_status status, const char *code,
                 const char *message)
{
    struct stile_buf path;
    stile_buf_init(&path, 4096);
    for (uint32_t i = 0; i < s->depth; i++) {
        const struct frame *f = &s->frames[i];
        if (!f->object) {
            stile_buf_printf(&path, "[%u]", (unsigned)f->index);
        } else if (f->name != STILE_TAPE_NONE) {
            const struct stile_tape_item *t = &s->tape->items[f->name];
            stile__json_path_name(&path,
                                  stile_str_sub(s->bytes, t->offset, t->len));
        }
    }
    s->status = status;
    stile__json_finding(s->diags, code, s->name, s->bytes,
                        (size_t)(at - (const unsigned char *)s->bytes.ptr),
                        stile_buf_str(&path), message);
    stile_buf_release(&path);
    return false;
}

static bool early_end(struct scan *s)
{
    return stop(s, s->end, STILE_INVALID, "J103",
                "send the whole JSON text; it ends too early");
}

static bool unexpected(struct scan *s, const char *message)
{
    return s->p == s->end ? early_end(s)
                          : stop(s, s->p, STILE_INVALID, "J102", message);
}

static bool grow(struct scan *s)
{
    struct stile_tape *t = s->tape;
    /* Bytes are below UINT32_MAX, and each item has one at least but empty
     * strings, which have two quotes. */
    uint32_t capacity = t->capacity == 0 ? 256 : t->capacity * 2;
    struct stile_tape_item *items =
        t->capacity < UINT32_MAX / 2
            ? realloc(t->items, (size_t)capacity * sizeof *items)
            : NULL;
    if (items == NULL) {
        s->status = STILE_NOMEM;
        return false;
    }
    t->items = items;
    t->capacity = capacity;
    return true;
}

static bool keep(struct scan *s, const unsigned char *from,
                 const unsigned char *to, enum stile_kind kind, bool escaped)
{
    struct stile_tape *t = s->tape;
    const unsigned char *base = (const unsigned char *)s->bytes.ptr;
    if (t->count == t->capacity && !grow(s)) {
        return false;
    }
    t->items[t->count] =
        (struct stile_tape_item){.offset = (uint32_t)(from - base),
                                 .len = (uint32_t)(to - from),
                                 .end = t->count + 1,
                                 .kind = (uint8_t)kind,
                                 .escaped = escaped};
    t->count++;
    return true;
}

static void close_container(struct scan *s)
{
    s->depth--;
    s->tape->items[s->frames[s->depth].item].end = s->tape->count;
}

static void skip_space(struct scan *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) {
        s->p++;
    }
}

/* Length of the well-formed sequence at p, or 0: Unicode table 3-7. */
static size_t utf8_len(const unsigned char *p, const unsigned char *end)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len = 0;
    if (*p >= 0xc2 && *p <= 0xdf) {
        len = 2;
    } else if (*p >= 0xe0 && *p <= 0xef) {
        len = 3;
        low = *p == 0xe0 ? 0xa0 : 0x80;
        high = *p == 0xed ? 0x9f : 0xbf;
    } else if (*p >= 0xf0 && *p <= 0xf4) {
        len = 4;
        low = *p == 0xf0 ? 0x90 : 0x80;
        high = *p == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if ((size_t)(end - p) < len || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}

/* Eight bytes none of which is a quote, backslash, control or above ASCII. */
static bool plain_word(const unsigned char *p)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    uint64_t w;
    memcpy(&w, p, 8);
    uint64_t quote = w ^ (ones * '"');
    uint64_t slash = w ^ (ones * '\\');
    uint64_t hit = (w - ones * 0x20) | (quote - ones) | (slash - ones) | w;
    return (hit & tops) == 0;
}

static bool hex4(const unsigned char *p, const unsigned char *end,
                 unsigned *ret)
{
    unsigned value = 0;
    if (end - p < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        unsigned char c = p[i];
        if (c >= '0' && c <= '9') {
            value = value * 16 + (unsigned)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            value = value * 16 + (unsigned)(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            value = value * 16 + (unsigned)(c - 'A') + 10;
        } else {
            return false;
        }
    }
    *ret = value;
    return true;
}

/* At a backslash. */
static bool scan_escape(struct scan *s)
{
    const unsigned char *start = s->p;
    unsigned unit = 0;
    if (s->end - s->p < 2) {
        s->p = s->end;
        return early_end(s);
    }
    if (s->p[1] != 'u') {
        if (s->p[1] == '\0' || strchr("\"\\/bfnrt", s->p[1]) == NULL) {
            return stop(s, start, STILE_INVALID, "J105",
                        "use an escape of RFC 8259 section 7");
        }
        s->p += 2;
        return true;
    }
    if (!hex4(s->p + 2, s->end, &unit)) {
        return stop(s, start, STILE_INVALID, "J105",
                    "write \\u with four hexadecimal digits");
    }
    s->p += 6;
    if (unit == 0) {
        return stop(s, start, STILE_INVALID, "J107",
                    "leave out \\u0000; no text here may hold it");
    }
    if (unit >= 0xd800 && unit <= 0xdbff) {
        unsigned low = 0;
        if (s->end - s->p >= 2 && s->p[0] == '\\' && s->p[1] == 'u' &&
            hex4(s->p + 2, s->end, &low) && low >= 0xdc00 && low <= 0xdfff) {
            s->p += 6;
            return true;
        }
    }
    if (unit >= 0xd800 && unit <= 0xdfff) {
        return stop(s, start, STILE_INVALID, "J106",
                    "write surrogates in pairs, the high one first");
    }
    return true;
}

static bool string_too_long(struct scan *s, const unsigned char *open)
{
    return stop(s, open, STILE_LIMIT, "J124",
                "shorten this string or raise the limit on strings");
}

/* After the opening quote. */
static bool scan_string(struct scan *s)
{
    const unsigned char *start = s->p;
    bool escaped = false;
    for (;;) {
        while (s->end - s->p >= 8 && plain_word(s->p)) {
            s->p += 8;
        }
        if (s->p == s->end) {
            return early_end(s);
        }
        unsigned char c = *s->p;
        if (c == '"') {
            break;
        }
        if (c == '\\') {
            escaped = true;
            if (!scan_escape(s)) {
                return false;
            }
        } else if (c < 0x20) {
            return stop(s, s->p, STILE_INVALID, "J104",
                        "escape control characters in strings");
        } else if (c < 0x80) {
            s->p++;
        } else {
            size_t len = utf8_len(s->p, s->end);
            if (len == 0) {
                return stop(s, s->p, STILE_INVALID, "J101",
                            "send the text as UTF-8");
            }
            s->p += len;
        }
    }
    if ((size_t)(s->p - start) > s->limits.string) {
        return string_too_long(s, start - 1);
    }
    s->p++;
    return keep(s, start, s->p - 1, STILE_STRING, escaped);
}

static bool scan_digits(struct scan *s)
{
    const unsigned char *start = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        s->p++;
    }
    return s->p > start;
}

static bool scan_number(struct scan *s)
{
    const unsigned char *start = s->p;
    bool ok = true;
    if (*s->p == '-') {
        s->p++;
    }
    const unsigned char *first = s->p;
    ok = scan_digits(s) && (*first != '0' || s->p - first == 1);
    if (ok && s->p < s->end && *s->p == '.') {
        s->p++;
        ok = scan_digits(s);
    }
    if (ok && s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-')) {
            s->p++;
        }
        ok = scan_digits(s);
    }
    if (!ok) {
        return stop(s, start, STILE_INVALID, "J108",
                    "write the number by RFC 8259 section 6");
    }
    if (s->p - start > STILE__JSON_NUMBER_MAX) {
        return stop(s, start, STILE_LIMIT, "J125",
                    "write numbers of at most 63 characters");
    }
    return keep(s, start, s->p, STILE_NUMBER, false);
}

static bool scan_literal(struct scan *s, const char *word, enum stile_kind kind)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->p) < len) {
        size_t left = (size_t)(s->end - s->p);
        if (memcmp(s->p, word, left) == 0) {
            s->p = s->end;
        }
        return unexpected(s, "write true, false or null");
    }
    if (memcmp(s->p, word, len) != 0) {
        return unexpected(s, "write true, false or null");
    }
    s->p += len;
    return keep(s, s->p - len, s->p, kind, false);
}

static bool push(struct scan *s, bool object)
{
    if (s->depth >= s->limits.depth) {
        return stop(s, s->p, STILE_LIMIT, "J122",
                    "nest the JSON less deeply or raise the limit");
    }
    s->frames[s->depth++] = (struct frame){
        .object = object, .item = s->tape->count, .name = STILE_TAPE_NONE};
    s->p++;
    return keep(s, s->p - 1, s->p, object ? STILE_OBJECT : STILE_ARRAY, false);
}

#define MEMBERS_COMPARED 64u

/* The name just kept, against those before it in its object. An object with
 * very many names, or with escapes in one, is left to the slower way, which
 * no choice of names makes slow. */
static void look_at_name(struct scan *s, struct frame *f)
{
    const struct stile_tape_item *items = s->tape->items;
    const struct stile_tape_item *name = &items[f->name];
    const unsigned char *text =
        (const unsigned char *)s->bytes.ptr + name->offset;
    uint32_t hash = name->len;
    if (name->len > 0) {
        hash = hash * 31 + text[0] + text[name->len / 2] * 7u +
               text[name->len - 1] * 17u;
    }
    uint64_t bit = UINT64_C(1) << ((hash * 2654435769u) >> 26);
    s->doubtful =
        s->doubtful || name->escaped || f->members >= MEMBERS_COMPARED;
    if ((f->seen & bit) != 0 && !s->doubtful) {
        for (uint32_t i = f->item + 1; i < f->name; i = items[i + 1].end) {
            s->doubtful = s->doubtful || (items[i].len == name->len &&
                                          memcmp(s->bytes.ptr + items[i].offset,
                                                 text, name->len) == 0);
        }
    }
    f->seen |= bit;
    f->members++;
}

/* A member's name and colon, up to its value. */
static bool scan_name(struct scan *s)
{
    skip_space(s);
    if (s->p == s->end || *s->p != '"') {
        return unexpected(s, "give a member name in double quotes");
    }
    s->p++;
    if (!scan_string(s)) {
        return false;
    }
    s->frames[s->depth - 1].name = s->tape->count - 1;
    look_at_name(s, &s->frames[s->depth - 1]);
    skip_space(s);
    if (s->p == s->end || *s->p != ':') {
        return unexpected(s, "put a colon after the member name");
    }
    s->p++;
    return true;
}

/* One value, of a container its opening. *ret_open: a container that has
 * something inside was opened. */
static bool scan_value(struct scan *s, bool *ret_open)
{
    *ret_open = false;
    skip_space(s);
    if (s->p == s->end) {
        return early_end(s);
    }
    if (s->values == s->limits.values) {
        return stop(s, s->p, STILE_LIMIT, "J123",
                    "send fewer values or raise the limit on values");
    }
    s->values++;
    switch (*s->p) {
    case '{':
    case '[': {
        bool object = *s->p == '{';
        if (!push(s, object)) {
            return false;
        }
        skip_space(s);
        if (s->p < s->end && *s->p == (object ? '}' : ']')) {
            s->p++;
            close_container(s);
            return true;
        }
        *ret_open = true;
        return !object || scan_name(s);
    }
    case '"':
        s->p++;
        return scan_string(s);
    case 't':
        return scan_literal(s, "true", STILE_BOOL);
    case 'f':
        return scan_literal(s, "false", STILE_BOOL);
    case 'n':
        return scan_literal(s, "null", STILE_NULL);
    default:
        if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9')) {
            return scan_number(s);
        }
        return unexpected(s, "give a JSON value here");
    }
}

/* After a value: closes what ends here, moves on to the next value. */
static bool scan_after(struct scan *s)
{
    while (s->depth > 0) {
        struct frame *f = &s->frames[s->depth - 1];
        skip_space(s);
        if (s->p == s->end) {
            return early_end(s);
        }
        if (*s->p == ',') {
            s->p++;
            if (f->object) {
                return scan_name(s);
            }
            f->index++;
            return true;
        }
        if (*s->p != (f->object ? '}' : ']')) {
            return unexpected(s, "put a comma or the closing bracket here");
        }
        s->p++;
        close_container(s);
    }
    return true;
}

static bool scan_text(struct scan *s)
{
    if (s->bytes.len > s->limits.bytes) {
        return stop(s, s->p, STILE_LIMIT, "J121",
                    "send fewer bytes or raise the limit on bytes");
    }
    do {
        bool open = false;
        if (!scan_value(s, &open) || (!open && !scan_after(s))) {
            return false;
        }
    } while (s->depth > 0);
    skip_space(s);
    if (s->p != s->end) {
        return stop(s, s->p, STILE_INVALID, "J110",
                    "send one JSON value and nothing after it");
    }
    return true;
}

enum stile_status stile__json_scan(struct stile_str bytes,
                                   struct stile_json_limits limits,
                                   struct stile_str name,
                                   struct stile_diags *diags,
                                   struct stile_tape *tape, bool *ret_doubtful)
{
    /* The frames, thousands of bytes, are written before they are read. */
    struct scan s;
    if (limits.depth > STILE__JSON_DEPTH_MAX) {
        limits.depth = STILE__JSON_DEPTH_MAX;
    }
    if (limits.bytes > UINT32_MAX - 1) {
        limits.bytes = UINT32_MAX - 1;
    }
    s.bytes = bytes.ptr != NULL ? bytes : STILE_STR("");
    s.p = (const unsigned char *)s.bytes.ptr;
    s.end = s.p + s.bytes.len;
    s.name = name;
    s.limits = limits;
    s.diags = diags;
    s.tape = tape;
    s.depth = s.values = 0;
    s.doubtful = false;
    s.status = STILE_OK;
    tape->bytes = s.bytes;
    tape->count = 0;
    if (!scan_text(&s)) {
        return s.status;
    }
    *ret_doubtful = s.doubtful;
    return STILE_OK;
}
