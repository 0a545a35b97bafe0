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

bool stile_guid_normal(struct stile_str s, char out[37])
{
    char text[37];
    unsigned char bad = 0;
    unsigned char dashes = 0;

    if (s.len == 38 && s.ptr[0] == '{' && s.ptr[37] == '}') {
        s = stile_str_sub(s, 1, 36);
    }
    if (s.len != 36) {
        return false;
    }
    /* Without a branch, so that compilers make vectors of it: each byte is a
     * digit, a letter or a dash; four are dashes; and those stand right. */
    for (size_t i = 0; i < 36; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        unsigned char digit = (unsigned char)(c - '0') <= 9;
        unsigned char letter = (unsigned char)((c | 0x20) - 'a') <= 5;
        unsigned char dash = c == '-';

        bad |= (unsigned char)!(digit | letter | dash);
        dashes = (unsigned char)(dashes + dash);
        text[i] = (char)(c | 0x20); /* 0-9 and - have that bit already */
    }
    if (bad || dashes != 4 || text[8] != '-' || text[13] != '-' ||
        text[18] != '-' || text[23] != '-') {
        return false;
    }
    text[36] = '\0';
    memcpy(out, text, sizeof text);
    return true;
}
