/* The flat record: texts of its items, and finding one's way in it. */
#include <stile/record.h>

#include <stdlib.h>

void stile_tape_release(struct stile_tape *tape)
{
    free(tape->items);
    *tape = (struct stile_tape){0};
}

static unsigned hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    return (unsigned)((c | 0x20) - 'a') + 10;
}

static unsigned unit_at(const char *p)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        value = value * 16 + hex_value(p[i]);
    }
    return value;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

/* RFC 8259 section 7; the maker of the tape has seen that escapes are well
 * formed and surrogates stand in pairs. `from` is behind the backslash;
 * returns what stands behind the escape. */
static const char *unescape(const char *from, char **to)
{
    static const char names[] = "bfnrt", means[] = "\b\f\n\r\t";
    char c = *from++;
    if (c != 'u') {
        const char *name = strchr(names, c);
        *(*to)++ = name != NULL ? means[name - names] : c;
        return from;
    }
    unsigned unit = unit_at(from);
    from += 4;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (unit_at(from + 2) - 0xdc00);
        from += 6;
    }
    *to = put_utf8(*to, unit);
    return from;
}

struct stile_str stile_tape_text(const struct stile_tape *tape, uint32_t at,
                                 struct stile_arena *arena)
{
    const struct stile_tape_item *item = &tape->items[at];
    struct stile_str raw = stile_str_sub(tape->bytes, item->offset, item->len);
    if (item->kind < STILE_BOOL || item->kind > STILE_STRING) {
        return STILE_STR_NULL;
    }
    if (!item->escaped) {
        return raw;
    }
    /* No escape is shorter than what it means. */
    char *text = stile_arena_alloc(arena, raw.len);
    if (text == NULL) {
        return STILE_STR_NULL;
    }
    char *to = text;
    for (const char *p = raw.ptr, *end = p + raw.len; p < end;) {
        if (*p == '\\') {
            p = unescape(p + 1, &to);
        } else {
            *to++ = *p++;
        }
    }
    return (struct stile_str){text, (size_t)(to - text)};
}

uint32_t stile_tape_get(const struct stile_tape *tape, uint32_t at,
                        struct stile_str name, struct stile_arena *arena)
{
    if (at >= tape->count || tape->items[at].kind != STILE_OBJECT) {
        return STILE_TAPE_NONE;
    }
    for (uint32_t i = at + 1; i < tape->items[at].end;) {
        if (stile_str_eq(stile_tape_text(tape, i, arena), name)) {
            return i + 1;
        }
        i = tape->items[i + 1].end;
    }
    return STILE_TAPE_NONE;
}
