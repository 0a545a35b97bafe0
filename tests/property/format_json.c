/* JSON: generated trees come back equal; mutated bytes never crash, and what
 * a plain reference parser refuses is never taken. */
#include <criterion/criterion.h>

#include <stile/format.h>

#include "seed.h"

static void random_string(struct stile_buf *out, uint64_t *seed)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "name",
                                         "\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\u00e9",
                                         "\\ud83d\\ude00",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         " ",
                                         "{",
                                         "]",
                                         ":",
                                         "a longer run of plain text",
                                         "\\/",
                                         "\\u0001"};
    size_t n = seed_below(seed, 5);
    stile_buf_byte(out, '"');
    for (size_t i = 0; i < n; i++) {
        stile_buf_addc(
            out, pieces[seed_below(seed, sizeof pieces / sizeof pieces[0])]);
    }
    stile_buf_byte(out, '"');
}

static void space(struct stile_buf *out, uint64_t *seed)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t\r\n"};
    stile_buf_addc(out, spaces[seed_below(seed, 6)]);
}

static void random_value(struct stile_buf *out, uint64_t *seed, int depth)
{
    static const char *const scalars[] = {
        "null", "true",   "false", "0", "-0", "1.00", "12345678901234567890",
        "-1e5", "1E+400", "0.10"};
    size_t n = seed_below(seed, 6);
    space(out, seed);
    switch (depth > 6 ? 2 : seed_below(seed, 4)) {
    case 0:
        stile_buf_byte(out, '[');
        for (size_t i = 0; i < n; i++) {
            stile_buf_addc(out, i > 0 ? "," : "");
            random_value(out, seed, depth + 1);
        }
        stile_buf_byte(out, ']');
        break;
    case 1:
        stile_buf_byte(out, '{');
        for (size_t i = 0; i < n; i++) {
            /* The number keeps names unique. */
            stile_buf_printf(out, "%s\"%zu\\u0041x\"", i > 0 ? "," : "", i);
            space(out, seed);
            stile_buf_byte(out, ':');
            random_value(out, seed, depth + 1);
        }
        stile_buf_byte(out, '}');
        break;
    case 2:
        stile_buf_addc(
            out, scalars[seed_below(seed, sizeof scalars / sizeof scalars[0])]);
        break;
    default:
        random_string(out, seed);
    }
    space(out, seed);
}

static enum stile_status decode(struct stile_str text,
                                struct stile_arena *arena,
                                struct stile_diags *diags,
                                struct stile_value **ret)
{
    stile_diags_init(diags, arena, 0);
    return stile_json_decode(text, STILE_JSON_LIMITS, STILE_STR("t"), arena,
                             diags, ret);
}

/* ---- the reference: plain recursive descent over RFC 8259 ---- */

struct ref {
    const unsigned char *p, *end;
};

static bool ref_value(struct ref *r);

static void ref_space(struct ref *r)
{
    while (r->p < r->end && strchr(" \t\r\n", *r->p) && *r->p != 0) {
        r->p++;
    }
}

static bool ref_is(struct ref *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0) {
        return false;
    }
    r->p += n;
    return true;
}

static bool ref_string(struct ref *r)
{
    if (!ref_is(r, "\"")) {
        return false;
    }
    while (r->p < r->end && *r->p != '"') {
        if (*r->p < 0x20) {
            return false;
        }
        if (*r->p++ != '\\') {
            continue;
        }
        if (r->p == r->end || *r->p == 0 ||
            strchr("\"\\/bfnrtu", *r->p) == NULL) {
            return false;
        }
        if (*r->p++ == 'u') {
            for (int i = 0; i < 4; i++, r->p++) {
                if (r->p == r->end || *r->p == 0 ||
                    !strchr("0123456789abcdefABCDEF", *r->p)) {
                    return false;
                }
            }
        }
    }
    return ref_is(r, "\"");
}

static bool ref_digits(struct ref *r)
{
    const unsigned char *from = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
        r->p++;
    }
    return r->p > from;
}

static bool ref_number(struct ref *r)
{
    ref_is(r, "-");
    if (!ref_is(r, "0") && !ref_digits(r)) {
        return false;
    }
    if (ref_is(r, ".") && !ref_digits(r)) {
        return false;
    }
    if (ref_is(r, "e") || ref_is(r, "E")) {
        if (!ref_is(r, "+")) {
            ref_is(r, "-");
        }
        return ref_digits(r);
    }
    return true;
}

static bool ref_list(struct ref *r, bool object)
{
    const char *close = object ? "}" : "]";
    ref_space(r);
    if (ref_is(r, close)) {
        return true;
    }
    do {
        ref_space(r);
        if (object) {
            if (!ref_string(r)) {
                return false;
            }
            ref_space(r);
            if (!ref_is(r, ":")) {
                return false;
            }
        }
        if (!ref_value(r)) {
            return false;
        }
        ref_space(r);
    } while (ref_is(r, ","));
    return ref_is(r, close);
}

static bool ref_value(struct ref *r)
{
    ref_space(r);
    if (ref_is(r, "[")) {
        return ref_list(r, false);
    }
    if (ref_is(r, "{")) {
        return ref_list(r, true);
    }
    if (r->p < r->end && *r->p == '"') {
        return ref_string(r);
    }
    return ref_is(r, "true") || ref_is(r, "false") || ref_is(r, "null") ||
           ref_number(r);
}

static bool reference_takes(struct stile_str text)
{
    struct ref r = {(const unsigned char *)text.ptr,
                    (const unsigned char *)text.ptr + text.len};
    if (!stile_utf8_valid(text) || !ref_value(&r)) {
        return false;
    }
    ref_space(&r);
    return r.p == r.end;
}

/* ---- the tape, beside the tree ---- */

/* Returns the item behind the value. */
static uint32_t same_value(const struct stile_tape *tape, uint32_t at,
                           const struct stile_value *v,
                           struct stile_arena *arena)
{
    const struct stile_tape_item *item = &tape->items[at];
    uint32_t next = at + 1;
    cr_assert_lt(at, tape->count);
    cr_assert_eq(item->kind, v->kind);
    cr_assert_eq(item->offset + (v->kind == STILE_STRING ? 0 : 1), v->offset);
    if (v->kind == STILE_STRING || v->kind == STILE_NUMBER) {
        cr_assert(stile_str_eq(stile_tape_text(tape, at, arena), v->text));
    }
    if (v->kind == STILE_BOOL) {
        cr_assert(stile_str_eqc(stile_tape_text(tape, at, arena),
                                v->boolean ? "true" : "false"));
    }
    for (const struct stile_value *c = v->first; c != NULL; c = c->next) {
        if (v->kind == STILE_OBJECT) {
            cr_assert(
                stile_str_eq(stile_tape_text(tape, next, arena), c->name));
            cr_assert_eq(stile_tape_get(tape, at, c->name, arena), next + 1);
            next++;
        }
        next = same_value(tape, next, c, arena);
    }
    cr_assert_eq(item->end, next);
    return next;
}

static void same_on_tape(struct stile_str text, struct stile_arena *arena,
                         const struct stile_diags *found,
                         enum stile_status status,
                         const struct stile_value *root)
{
    struct stile_tape tape = {0};
    struct stile_diags diags;
    stile_diags_init(&diags, arena, 0);
    cr_assert_eq(stile_json_tape(text, STILE_JSON_LIMITS, STILE_STR("t"), arena,
                                 &diags, &tape),
                 status, "%.*s", STILE_FMT(text));
    cr_assert_eq(diags.count, found->count);
    for (size_t i = 0; i < diags.count; i++) {
        cr_assert_str_eq(diags.items[i].code, found->items[i].code);
        cr_assert(stile_str_eq(diags.items[i].path, found->items[i].path));
        cr_assert_eq(diags.items[i].line, found->items[i].line);
        cr_assert_eq(diags.items[i].column, found->items[i].column);
    }
    if (status == STILE_OK) {
        cr_assert_eq(same_value(&tape, 0, root, arena), tape.count);
    }
    stile_tape_release(&tape);
}

/* ---- the properties ---- */

Test(format_json_property, generated_texts_come_back_equal)
{
    uint64_t seed = seed_begin("generated_texts_come_back_equal");
    stile_format_setup();
    for (int round = 0; round < 1000; round++) {
        struct stile_arena *arena = stile_arena_new(32u << 20);
        struct stile_diags diags;
        struct stile_value *one = NULL;
        struct stile_value *two = NULL;
        struct stile_buf text;
        struct stile_buf again;
        stile_buf_init(&text, 1 << 20);
        stile_buf_init(&again, 1 << 20);
        random_value(&text, &seed, 0);
        cr_assert(reference_takes(stile_buf_str(&text)));
        cr_assert_eq(decode(stile_buf_str(&text), arena, &diags, &one),
                     STILE_OK, "%.*s", STILE_FMT(stile_buf_str(&text)));
        same_on_tape(stile_buf_str(&text), arena, &diags, STILE_OK, one);
        stile_value_json(one, (int)seed_below(&seed, 3), &again);
        cr_assert_eq(decode(stile_buf_str(&again), arena, &diags, &two),
                     STILE_OK);
        cr_assert(stile_value_equal(one, two));
        stile_buf_release(&text);
        stile_buf_release(&again);
        stile_arena_free(&arena);
    }
}

Test(format_json_property, never_takes_what_the_reference_refuses)
{
    uint64_t seed = seed_begin("never_takes_what_the_reference_refuses");
    size_t taken = 0;
    stile_format_setup();
    for (int round = 0; round < 20000; round++) {
        struct stile_arena *arena = stile_arena_new(32u << 20);
        struct stile_diags diags;
        struct stile_value *root = NULL;
        struct stile_buf text;
        stile_buf_init(&text, 1 << 20);
        random_value(&text, &seed, 4);
        size_t changes = 1 + seed_below(&seed, 2);
        for (size_t i = 0; i < changes && text.len > 0; i++) {
            static const char bytes[] = "{}[]\",:\\0123eE+-.tfn \n\x80\xc3";
            size_t at = seed_below(&seed, text.len);
            text.ptr[at] = bytes[seed_below(&seed, sizeof bytes)];
        }
        bool plain = reference_takes(stile_buf_str(&text));
        enum stile_status s =
            decode(stile_buf_str(&text), arena, &diags, &root);
        cr_assert(s == STILE_OK || s == STILE_INVALID);
        same_on_tape(stile_buf_str(&text), arena, &diags, s, root);
        if (s == STILE_OK) {
            taken++;
            cr_assert(plain, "%.*s", STILE_FMT(stile_buf_str(&text)));
        } else {
            cr_assert_geq(diags.errors, 1);
            /* Beyond the grammar only these are refused. */
            cr_assert(!plain || strcmp(diags.items[0].code, "J109") == 0 ||
                          strcmp(diags.items[0].code, "J106") == 0 ||
                          strcmp(diags.items[0].code, "J107") == 0,
                      "%s: %.*s", diags.items[0].code,
                      STILE_FMT(stile_buf_str(&text)));
        }
        stile_buf_release(&text);
        stile_arena_free(&arena);
    }
    cr_assert_gt(taken, 100);
}

/* Names are compared by hash up to a number of members, beyond it by sorting,
 * and by sorting when one has an escape: a name that stands twice is found
 * wherever it stands. */
Test(format_json_property, a_name_twice_is_found_on_any_tape)
{
    uint64_t seed = seed_begin("a_name_twice_is_found_on_any_tape");
    stile_format_setup();
    for (uint32_t round = 0; round < 3000; round++) {
        struct stile_arena *arena = stile_arena_new(32u << 20);
        struct stile_diags diags;
        struct stile_value *root = NULL;
        struct stile_buf text;
        uint64_t members = 2 + seed_below(&seed, 150);
        uint64_t first = seed_below(&seed, members);
        uint64_t second = seed_below(&seed, members);
        bool escaped = seed_below(&seed, 4) == 0;
        stile_buf_init(&text, 1 << 20);
        stile_buf_addc(&text, "[{\"in\":{");
        for (uint64_t i = 0; i < members; i++) {
            stile_buf_printf(&text, "%s\"%s%u\":[{\"n0\":{}}]",
                             i > 0 ? "," : "",
                             escaped && i == second ? "\\u006e" : "n",
                             (unsigned)(i == second ? first : i));
        }
        stile_buf_addc(&text, "}}]");
        enum stile_status s =
            decode(stile_buf_str(&text), arena, &diags, &root);
        cr_assert_eq(s, first == second ? STILE_OK : STILE_INVALID);
        same_on_tape(stile_buf_str(&text), arena, &diags, s, root);
        stile_buf_release(&text);
        stile_arena_free(&arena);
    }
}
