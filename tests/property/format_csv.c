/* CSV: what is written reads back, however it is cut; and the outcome of any
 * bytes does not depend on the cutting. */
#include <criterion/criterion.h>

#include <stile/format.h>

#include "csv_bytes.h"

#include "seed.h"

#define ROWS 20
#define COLUMNS 6

static const struct stile_csv_dialect *const dialects[] = {&stile_csv_rfc4180,
                                                           &stile_csv_emis};

static struct stile_str random_cell(struct stile_arena *arena, uint64_t *seed)
{
    static const char *const pieces[] = {"a",
                                         "\"",
                                         ",",
                                         "\n",
                                         "\r",
                                         "\r\n",
                                         " ",
                                         "'",
                                         "=",
                                         "text",
                                         "\t",
                                         "\xc3\xa9",
                                         "\xf0\x9f\x98\x80",
                                         "a long piece of plain text"};
    struct stile_buf b;
    stile_buf_init(&b, 10000);
    size_t n = seed_below(seed, 6);
    for (size_t i = 0; i < n; i++) {
        stile_buf_addc(
            &b, pieces[seed_below(seed, sizeof pieces / sizeof pieces[0])]);
    }
    struct stile_str s = stile_arena_str(arena, stile_buf_str(&b));
    stile_buf_release(&b);
    return s;
}

static void read_back(const struct stile_csv_dialect *dialect,
                      struct stile_str text, size_t columns,
                      struct stile_str cells[ROWS][COLUMNS], uint64_t *seed,
                      struct stile_diags *diags)
{
    struct stile_csv *csv =
        stile_csv_new(dialect, STILE_CSV_LIMITS, STILE_STR("t"));
    size_t at = 0;
    uint64_t rows = 0;
    bool last = false;
    while (!last) {
        size_t n = 1 + seed_below(seed, 1 + seed_below(seed, 40));
        n = n > text.len - at ? text.len - at : n;
        last = at + n == text.len;
        cr_assert_eq(stile_csv_feed(csv, stile_str_sub(text, at, n), last),
                     STILE_OK);
        at += n;
        for (;;) {
            const struct stile_str *got = NULL;
            size_t count = 0;
            uint64_t row = 0;
            enum stile_status s =
                stile_csv_pull(csv, diags, &got, &count, &row);
            if (s == STILE_END) {
                break;
            }
            cr_assert_eq(s, STILE_OK);
            cr_assert_eq(row, rows);
            cr_assert_eq(count, columns);
            for (size_t c = 0; c < count; c++) {
                cr_assert(stile_str_eq(got[c], cells[rows][c]));
            }
            rows++;
        }
    }
    cr_assert_eq(rows, ROWS);
    stile_csv_free(&csv);
}

Test(format_csv_property, written_reads_back_in_any_chunks)
{
    uint64_t seed = seed_begin("written_reads_back_in_any_chunks");
    for (int round = 0; round < 300; round++) {
        struct stile_arena *arena = stile_arena_new(4u << 20);
        struct stile_str cells[ROWS][COLUMNS];
        struct stile_diags diags;
        struct stile_buf text;
        const struct stile_csv_dialect *d = dialects[seed_below(&seed, 2)];
        size_t columns = 1 + seed_below(&seed, COLUMNS);
        stile_diags_init(&diags, arena, 0);
        stile_buf_init(&text, 1 << 20);
        for (size_t r = 0; r < ROWS; r++) {
            for (size_t c = 0; c < columns; c++) {
                cells[r][c] = random_cell(arena, &seed);
            }
            stile_csv_write_row(&text, d, cells[r], columns);
        }
        read_back(d, stile_buf_str(&text), columns, cells, &seed, &diags);
        stile_buf_release(&text);
        stile_arena_free(&arena);
    }
}

/* The outcome as text: rows, cells and findings' codes and places. */
static void outcome(struct stile_str text, struct stile_csv_limits limits,
                    const struct stile_csv_dialect *dialect, uint64_t *seed,
                    struct stile_buf *out)
{
    struct stile_arena *arena = stile_arena_new(16u << 20);
    struct stile_csv *csv = stile_csv_new(dialect, limits, STILE_STR("t"));
    struct stile_diags diags;
    size_t at = 0;
    bool last = false;
    stile_diags_init(&diags, arena, 100000);
    if (seed == NULL) {
        stile_csv_over(csv, text);
        at = text.len;
        last = true;
    }
    for (;;) {
        const struct stile_str *got = NULL;
        size_t count = 0;
        uint64_t row = 0;
        enum stile_status s = stile_csv_pull(csv, &diags, &got, &count, &row);
        if (s == STILE_LIMIT || (s == STILE_END && last)) {
            stile_buf_printf(out, "status %d\n", (int)s);
            break;
        }
        if (s == STILE_END) {
            size_t n = 1 + seed_below(seed, 9);
            n = n > text.len - at ? text.len - at : n;
            last = at + n == text.len;
            cr_assert_eq(stile_csv_feed(csv, stile_str_sub(text, at, n), last),
                         STILE_OK);
            at += n;
        }
        if (s == STILE_OK) {
            stile_buf_printf(out, "row %u", (unsigned)row);
            for (size_t c = 0; c < count; c++) {
                cr_assert(stile_utf8_valid(got[c]));
                stile_buf_byte(out, '|');
                stile_buf_add(out, got[c]);
            }
            stile_buf_byte(out, '\n');
        }
    }
    for (size_t i = 0; i < diags.count; i++) {
        stile_buf_printf(out, "%s %u %u\n", diags.items[i].code,
                         diags.items[i].line, diags.items[i].column);
    }
    cr_assert_eq(out->status, STILE_OK);
    stile_csv_free(&csv);
    stile_arena_free(&arena);
}

Test(format_csv_property, chunks_do_not_change_the_outcome)
{
    static const char alphabet[] = "ab=,\"\n\r\"\n,=\xe9\xc3\xa9 \x81";
    uint64_t seed = seed_begin("chunks_do_not_change_the_outcome");
    for (int round = 0; round < 3000; round++) {
        char text[120];
        struct stile_buf whole;
        struct stile_buf cut;
        struct stile_csv_limits limits = STILE_CSV_LIMITS;
        static const struct stile_csv_dialect *const all[] = {
            &stile_csv_rfc4180, &stile_csv_systmone, &stile_csv_vcse};
        const struct stile_csv_dialect *d = all[seed_below(&seed, 3)];
        size_t len = seed_below(&seed, sizeof text);
        for (size_t i = 0; i < len; i++) {
            text[i] = seed_below(&seed, 200) == 0
                          ? '\0'
                          : alphabet[seed_below(&seed, sizeof alphabet - 1)];
        }
        limits.row_bytes = 1 + seed_below(&seed, 30);
        limits.columns = 1 + (uint32_t)seed_below(&seed, 6);
        limits.rows = 1 + seed_below(&seed, 40);
        stile_buf_init(&whole, 1 << 20);
        stile_buf_init(&cut, 1 << 20);
        outcome((struct stile_str){text, len}, limits, d, NULL, &whole);
        outcome((struct stile_str){text, len}, limits, d, &seed, &cut);
        cr_assert(stile_str_eq(stile_buf_str(&whole), stile_buf_str(&cut)),
                  "whole:\n%.*s\ncut:\n%.*s", STILE_FMT(stile_buf_str(&whole)),
                  STILE_FMT(stile_buf_str(&cut)));
        stile_buf_release(&whole);
        stile_buf_release(&cut);
    }
}

/* In SIMD and without, and each quote once and in its order. */
Test(format_csv_property, quotes_are_found_where_they_stand)
{
    uint64_t seed = seed_begin("quotes_are_found_where_they_stand");
    for (int round = 0; round < 20000; round++) {
        char bytes[300];
        size_t n = 64 + seed_below(&seed, sizeof bytes - 64);
        size_t i = seed_below(&seed, n - 63), sparse = seed_below(&seed, 40);
        for (size_t k = 0; k < n; k++) {
            bytes[k] = seed_below(&seed, sparse + 1) == 0
                           ? '"'
                           : (char)seed_below(&seed, 256);
        }
        cr_assert_eq(stile__quotes_in(bytes + i, '"'),
                     stile__quotes_plain(bytes + i, '"'));
        bool high = false, nul = false, high_plain = false, nul_plain = false;
        stile__look_over(bytes + i, n - i, &high, &nul);
        stile__look_plain(bytes + i, n - i, &high_plain, &nul_plain);
        cr_assert_eq(high, high_plain);
        cr_assert_eq(nul, nul_plain);
        cr_assert_eq(nul, memchr(bytes + i, 0, n - i) != NULL);
        uint64_t word = seed_next(&seed) << seed_below(&seed, 64);
        if (word != 0) {
            cr_assert_eq(stile__lowest_bit(word), stile__lowest_plain(word));
        }
        struct stile__quotes q = stile__quotes_from(bytes, i, n, '"');
        size_t at = 0;
        for (size_t k = i; at != SIZE_MAX && k < n; k++) {
            if (bytes[k] == '"') {
                at = stile__quotes_next(&q);
                cr_assert(at == k || (at == SIZE_MAX && n - k < 64));
            }
        }
    }
}
