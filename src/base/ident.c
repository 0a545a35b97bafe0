#include <stile/base.h>

#include <string.h>

static bool all_digits(struct stile_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

bool stile_nhs_number_valid(struct stile_str s)
{
    int sum = 0;
    int check;

    if (s.len != 10 || !all_digits(s)) {
        return false;
    }
    for (int i = 0; i < 9; i++) {
        sum += (s.ptr[i] - '0') * (10 - i);
    }
    check = 11 - sum % 11;
    if (check == 11) {
        check = 0;
    }
    /* A check of 10 matches no digit: such numbers are never issued. */
    return check == s.ptr[9] - '0';
}

/* Verhoeff's scheme over the dihedral group D5: SNOMED CT Release File
 * Specifications, "Check-digit". */
static const unsigned char verhoeff_product[10][10] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
    {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
    {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
    {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
    {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
static const unsigned char verhoeff_turn[8][10] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
    {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
    {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
    {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};

bool stile_snomed_id_valid(struct stile_str s)
{
    unsigned char check = 0;

    if (s.len < 6 || s.len > 18 || !all_digits(s) || s.ptr[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        int digit = s.ptr[s.len - 1 - i] - '0';

        check = verhoeff_product[check][verhoeff_turn[i % 8][digit]];
    }
    return check == 0;
}

bool stile_ods_valid(struct stile_str s)
{
    bool good = s.len > 0 && s.len <= 20;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        good = good && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
    }
    return good;
}

#define BYTES(c) (UINT64_C(0x0101010101010101) * (c))
#define TOPS BYTES(0x80)

/* Eight hexadecimal digits at once: the top bits of the bytes that are none.
 * All bytes are below 0x80 where that matters, so nothing is carried. */
static uint64_t not_hex(uint64_t w)
{
    uint64_t lower = w | BYTES(0x20);
    uint64_t digit = ((w | TOPS) - BYTES('0')) & ~(w + BYTES(0x7f - '9'));
    uint64_t letter =
        ((lower | TOPS) - BYTES('a')) & ~(lower + BYTES(0x7f - 'f'));

    return (w | ~(digit | letter)) & TOPS;
}

static uint64_t word(const char *at)
{
    uint64_t w;

    memcpy(&w, at, sizeof w);
    return w;
}

/* Two times four bytes. */
static uint64_t halves(const char *a, const char *b)
{
    uint32_t x;
    uint32_t y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (uint64_t)x << 32 | y;
}

bool stile_guid_normal(struct stile_str s, char out[37])
{
    const char *p = s.ptr;
    uint64_t bad;

    if (s.len == 38 && p[0] == '{' && p[37] == '}') {
        p++;
    } else if (s.len != 36) {
        return false;
    }
    bad = not_hex(word(p)) | not_hex(halves(p + 9, p + 14)) |
          not_hex(halves(p + 19, p + 24)) | not_hex(word(p + 28));
    if (bad != 0 || p[8] != '-' || p[13] != '-' || p[18] != '-' ||
        p[23] != '-') {
        return false;
    }
    /* Lower case is one bit, which digits and dashes have already. The last
     * word overlaps the one before. */
    for (size_t i = 0; i < 36; i += 8) {
        size_t at = i < 32 ? i : 28;
        uint64_t w = word(p + at) | BYTES(0x20);

        memcpy(out + at, &w, sizeof w);
    }
    out[36] = '\0';
    return true;
}
