#include <criterion/criterion.h>

#include <stile/base.h>

#include "property/seed.h"

/* ---- UTF-8 against a slow reference -------------------------------------- */

/* Decodes to a number first and judges the number: RFC 3629 section 3. */
static bool slow_utf8(const unsigned char *p, size_t len)
{
    size_t i = 0;

    while (i < len) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        uint32_t c = p[i];
        size_t n = c < 0x80             ? 1
                   : (c & 0xe0) == 0xc0 ? 2
                   : (c & 0xf0) == 0xe0 ? 3
                   : (c & 0xf8) == 0xf0 ? 4
                                        : 0;

        if (n == 0 || n > len - i) {
            return false;
        }
        c = n == 1 ? c : c & (0x7fu >> n);
        for (size_t k = 1; k < n; k++) {
            if ((p[i + k] & 0xc0) != 0x80) {
                return false;
            }
            c = c << 6 | (p[i + k] & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
            return false;
        }
        i += n;
    }
    return true;
}

static bool same_verdict(const unsigned char *p, size_t len)
{
    struct stile_str s = {(const char *)p, len};

    return stile_utf8_valid(s) == slow_utf8(p, len);
}

Test(property_base, utf8_all_of_up_to_three_bytes)
{
    unsigned char p[3];

    for (uint32_t n = 0; n < 1u << 24; n++) {
        p[0] = (unsigned char)(n >> 16);
        p[1] = (unsigned char)(n >> 8);
        p[2] = (unsigned char)n;
        if (!same_verdict(p, 3) || !same_verdict(p, 2) || !same_verdict(p, 1)) {
            cr_assert_fail("%06x", n);
        }
    }
}

/* Only the first two bytes of four decide more than being a continuation. */
Test(property_base, utf8_all_heads_of_four_bytes)
{
    static const unsigned char tails[] = {0x7f, 0x80, 0xbf, 0xc0};

    for (uint32_t n = 0; n < 1u << 20; n++) {
        unsigned char p[4] = {(unsigned char)(n >> 12), (unsigned char)(n >> 4),
                              tails[n >> 2 & 3], tails[n & 3]};

        if (!same_verdict(p, 4)) {
            cr_assert_fail("%05x", n);
        }
    }
}

Test(property_base, utf8_random)
{
    static const unsigned char edges[] = {
        0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
        0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    uint64_t seed = seed_begin("utf8_random");
    int valid = 0;

    for (int round = 0; round < 400000; round++) {
        unsigned char p[24];
        size_t len = seed_below(&seed, sizeof p + 1);

        for (size_t i = 0; i < len; i++) {
            p[i] = seed_below(&seed, 3) > 0
                       ? 'a'
                       : edges[seed_below(&seed, sizeof edges)];
        }
        cr_assert(same_verdict(p, len));
        valid += slow_utf8(p, len);
    }
    cr_assert_gt(valid, 1000, "both verdicts are seen");
    cr_assert_lt(valid, 399000);
}

/* ---- arena against a model ------------------------------------------------
 */

#define PIECES 400

struct model {
    unsigned char *piece[PIECES];
    size_t size[PIECES];
    size_t count;
    struct stile_arena_mark mark[20];
    size_t mark_count[20];
    size_t marks;
};

static unsigned char pattern(size_t index)
{
    return (unsigned char)(index * 37 + 1);
}

static void check_live(const struct model *m, const struct stile_arena *arena)
{
    size_t total = 0;

    for (size_t k = 0; k < m->count; k++) {
        for (size_t i = 0; i < m->size[k]; i++) {
            if (m->piece[k][i] != pattern(k)) {
                cr_assert_fail("piece %zu byte %zu", k, i);
            }
        }
        total += (m->size[k] + _Alignof(max_align_t) - 1) /
                 _Alignof(max_align_t) * _Alignof(max_align_t);
    }
    cr_assert_eq(stile_arena_used(arena), total);
}

static void make_piece(struct model *m, struct stile_arena *arena, size_t size)
{
    unsigned char *piece = stile_arena_alloc(arena, size);

    cr_assert_not_null(piece);
    for (size_t i = 0; i < size; i++) {
        if (piece[i] != 0) {
            cr_assert_fail("a new piece is not zero");
        }
    }
    memset(piece, pattern(m->count), size);
    m->piece[m->count] = piece;
    m->size[m->count++] = size;
}

Test(property_base, arena_marks)
{
    uint64_t seed = seed_begin("arena_marks");
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);

    for (int round = 0; round < 300; round++) {
        struct model m = {.count = 0};

        for (int op = 0; op < 300; op++) {
            uint64_t dice = seed_below(&seed, 20);

            if (dice == 0 && m.marks < 20) {
                m.mark[m.marks] = stile_arena_mark(arena);
                m.mark_count[m.marks++] = m.count;
            } else if (dice == 1 && m.marks > 0) {
                m.marks = seed_below(&seed, m.marks);
                stile_arena_rewind(arena, m.mark[m.marks]);
                m.count = m.mark_count[m.marks];
                check_live(&m, arena);
            } else if (m.count < PIECES) {
                size_t top = dice == 2 ? 9000 : 200;

                make_piece(&m, arena, 1 + seed_below(&seed, top));
            }
        }
        check_live(&m, arena);
        stile_arena_reset(arena);
        cr_assert_eq(stile_arena_used(arena), 0);
    }
    stile_arena_free(&arena);
}

/* ---- digests and base64 ----------------------------------------------------
 */

static size_t random_bytes(uint64_t *seed, char *out, size_t max)
{
    size_t len = seed_below(seed, max + 1);

    for (size_t i = 0; i < len; i++) {
        out[i] = (char)seed_next(seed);
    }
    return len;
}

Test(property_base, hash_of_pieces_is_hash_of_whole)
{
    uint64_t seed = seed_begin("hash_of_pieces");
    struct stile_sha256 *ctx = stile_sha256_new();
    char bytes[500];

    for (int round = 0; round < 3000; round++) {
        size_t len = random_bytes(&seed, bytes, sizeof bytes);
        struct stile_str rest = {bytes, len};
        struct stile_digest whole;
        struct stile_digest pieces;

        stile_sha256(rest, &whole);
        while (rest.len > 0) {
            size_t cut = 1 + seed_below(&seed, rest.len);

            stile_sha256_add(ctx, stile_str_sub(rest, 0, cut));
            rest = stile_str_sub(rest, cut, rest.len);
        }
        stile_sha256_done(ctx, &pieces);
        cr_assert(stile_digest_eq(&whole, &pieces));
    }
    stile_sha256_free(&ctx);
}

Test(property_base, base64_round_trip)
{
    uint64_t seed = seed_begin("base64_round_trip");
    char bytes[100];
    struct stile_buf text;
    struct stile_buf back;

    stile_buf_init(&text, 1000);
    stile_buf_init(&back, 1000);
    for (int round = 0; round < 20000; round++) {
        size_t len = random_bytes(&seed, bytes, sizeof bytes);
        struct stile_str in = {bytes, len};

        stile_buf_clear(&text);
        stile_buf_clear(&back);
        stile_base64(&text, in);
        cr_assert_eq(text.len, (len + 2) / 3 * 4);
        cr_assert(stile_base64_decode(&back, stile_buf_str(&text)));
        cr_assert(stile_str_eq(stile_buf_str(&back), in));
    }
    stile_buf_release(&text);
    stile_buf_release(&back);
}

/* What decodes is the one text of its bytes. */
Test(property_base, base64_has_one_text)
{
    static const char letters[] = "ABwxyz019+/=Q=";
    uint64_t seed = seed_begin("base64_one_text");
    struct stile_buf back;
    struct stile_buf again;
    int accepted = 0;

    stile_buf_init(&back, 100);
    stile_buf_init(&again, 100);
    for (int round = 0; round < 200000; round++) {
        char text[8];
        struct stile_str in = {text, sizeof text};

        for (size_t i = 0; i < sizeof text; i++) {
            text[i] = letters[seed_below(&seed, sizeof letters - 1)];
        }
        stile_buf_clear(&back);
        stile_buf_clear(&again);
        if (stile_base64_decode(&back, in)) {
            stile_base64(&again, stile_buf_str(&back));
            cr_assert(stile_str_eq(stile_buf_str(&again), in));
            accepted++;
        }
    }
    cr_assert_gt(accepted, 100);
    stile_buf_release(&back);
    stile_buf_release(&again);
}
