/* Laws of the operators over all, or many made-up, operands. */
#include "../unit/fhirpath_world.h"
#include "seed.h"

static const char *const truths[] = {"true", "false", "{}"};

static int value_of(const char *text)
{
    return strcmp(text, "true") == 0 ? 1 : strcmp(text, "false") == 0 ? 0 : -1;
}

/* N1 section 6.5, table by table: index 0 true, 1 false, 2 empty. */
static const int and_table[3][3] = {{1, 0, -1}, {0, 0, 0}, {-1, 0, -1}};
static const int or_table[3][3] = {{1, 1, 1}, {1, 0, -1}, {1, -1, -1}};
static const int xor_table[3][3] = {{0, 1, -1}, {1, 0, -1}, {-1, -1, -1}};
static const int implies_table[3][3] = {{1, 0, -1}, {1, 1, 1}, {1, -1, -1}};

static int ask(struct fhirpath_world *w, const char *a, const char *op,
               const char *b)
{
    char text[256];
    snprintf(text, sizeof text, "(%s) %s (%s)", a, op, b);
    const char *got = fhirpath_ask(w, w->patient, text);
    cr_expect_neq(got[0], '!', "%s: %s", text, got);
    return value_of(got);
}

Test(fhirpath_laws, truth_tables)
{
    struct fhirpath_world w;
    fhirpath_start(&w);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            const char *a = truths[i], *b = truths[k];
            cr_expect_eq(ask(&w, a, "and", b), and_table[i][k], "%s and %s", a,
                         b);
            cr_expect_eq(ask(&w, a, "or", b), or_table[i][k], "%s or %s", a, b);
            cr_expect_eq(ask(&w, a, "xor", b), xor_table[i][k], "%s xor %s", a,
                         b);
            cr_expect_eq(ask(&w, a, "implies", b), implies_table[i][k],
                         "%s implies %s", a, b);
        }
    }
    fhirpath_end(&w);
}

/* A number, date, time or text; of one family a round, so that they compare. */
static void operand(uint64_t *seed, unsigned family, char out[64])
{
    unsigned a = (unsigned)seed_below(seed, 4),
             b = (unsigned)seed_below(seed, 3);
    switch (family) {
    case 0:
        snprintf(out, 64, "%s%u%s", a > 2 ? "-" : "", a,
                 b == 0   ? ""
                 : b == 1 ? ".50"
                          : ".5000001");
        break;
    case 1:
        snprintf(out, 64, "@2020%s%s",
                 a > 1    ? ""
                 : a == 0 ? "-01"
                          : "-02",
                 a > 1 || b == 0 ? ""
                 : b == 1        ? "-01"
                                 : "-28");
        break;
    case 2:
        snprintf(out, 64, "@2020-01-01T1%u:00%s%s", a, b == 0 ? "" : ":00",
                 b == 2 ? "+01:00" : "Z");
        break;
    case 3:
        snprintf(out, 64, "@T0%u%s", a,
                 b == 0   ? ""
                 : b == 1 ? ":30"
                          : ":30:01");
        break;
    default:
        snprintf(out, 64, "'%c%s'", (int)('a' + a), b == 0 ? "" : "z");
        break;
    }
}

Test(fhirpath_laws, order_is_antisymmetric_and_agrees_with_equality)
{
    struct fhirpath_world w;
    uint64_t seed = seed_begin("fhirpath_laws");
    fhirpath_start(&w);
    for (int round = 0; round < 2000; round++) {
        char a[64], b[64];
        unsigned family = (unsigned)seed_below(&seed, 5);
        struct stile_arena_mark mark = stile_arena_mark(w.arena);
        operand(&seed, family, a);
        operand(&seed, family, b);
        int less = ask(&w, a, "<", b), more = ask(&w, b, ">", a);
        int same = ask(&w, a, "=", b), other = ask(&w, b, "=", a);
        int up_to = ask(&w, a, "<=", b), from = ask(&w, a, ">=", b);
        cr_expect_eq(less, more, "%s < %s", a, b);
        cr_expect_eq(same, other, "%s = %s", a, b);
        cr_expect_eq(less == -1, same == -1, "%s ? %s", a, b);
        if (same != -1) {
            int back = ask(&w, b, "<", a);
            cr_expect_eq(less + back + same, 1, "%s, %s", a, b);
            cr_expect_eq(up_to, less == 1 || same == 1, "%s <= %s", a, b);
            cr_expect_eq(from, back == 1 || same == 1, "%s >= %s", a, b);
            cr_expect_eq(ask(&w, a, "!=", b), !same, "%s != %s", a, b);
        }
        stile_arena_rewind(w.arena, mark);
    }
    fhirpath_end(&w);
}

Test(fhirpath_laws, order_is_transitive)
{
    struct fhirpath_world w;
    uint64_t seed = seed_begin("fhirpath_laws");
    fhirpath_start(&w);
    for (int round = 0; round < 2000; round++) {
        char a[64], b[64], c[64];
        unsigned family = (unsigned)seed_below(&seed, 5);
        struct stile_arena_mark mark = stile_arena_mark(w.arena);
        operand(&seed, family, a);
        operand(&seed, family, b);
        operand(&seed, family, c);
        if (ask(&w, a, "<", b) == 1 && ask(&w, b, "<", c) == 1) {
            cr_expect_eq(ask(&w, a, "<", c), 1, "%s %s %s", a, b, c);
        }
        stile_arena_rewind(w.arena, mark);
    }
    fhirpath_end(&w);
}

/* Decimals as text against whole numbers of a ten-thousandth. */
Test(fhirpath_laws, decimals_against_integers)
{
    struct fhirpath_world w;
    uint64_t seed = seed_begin("fhirpath_laws");
    fhirpath_start(&w);
    for (int round = 0; round < 3000; round++) {
        int64_t x = (int64_t)seed_below(&seed, 400001) - 200000;
        int64_t y = seed_below(&seed, 2) == 0
                        ? x + (int64_t)seed_below(&seed, 3) - 1
                        : (int64_t)seed_below(&seed, 400001) - 200000;
        char a[64], b[64];
        struct stile_arena_mark mark = stile_arena_mark(w.arena);
        int64_t m = x < 0 ? -x : x, n = y < 0 ? -y : y;
        snprintf(a, sizeof a, "%s%lld.%04lld%s", x < 0 ? "-" : "",
                 (long long)(m / 10000), (long long)(m % 10000),
                 seed_below(&seed, 2) ? "00" : "");
        snprintf(b, sizeof b, "%s%lld.%04lld", y < 0 ? "-" : "",
                 (long long)(n / 10000), (long long)(n % 10000));
        cr_expect_eq(ask(&w, a, "<", b), x < y, "%s %s", a, b);
        cr_expect_eq(ask(&w, a, "=", b), x == y, "%s %s", a, b);
        stile_arena_rewind(w.arena, mark);
    }
    fhirpath_end(&w);
}
