/* Text, codes, identifiers, numbers. */
#include "codec.h"

/* FHIR R4, datatypes: a string has no control characters but tab, LF, CR,
 * and is not only white space. */
enum stile__run_code stile__text_right(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    struct stile_str s = io->cells[0];
    bool control = false;
    (void)use;
    if (stile_str_trim(s).len == 0) {
        return RUN_NONE;
    }
    if (stile_json_plain(s) == s.len) {
        io->value = s;
        return RUN_NONE;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        control = control || (c < 32 && c != '\t' && c != '\n' && c != '\r');
    }
    io->value = s;
    if (!control) {
        return RUN_NONE;
    }
    char *copy = stile_arena_alloc(io->arena, s.len);
    for (size_t i = 0; copy != NULL && i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool bad = c < 32 && c != '\t' && c != '\n' && c != '\r';
        copy[i] = bad ? ' ' : s.ptr[i];
    }
    io->value = (struct stile_str){copy, copy != NULL ? s.len : 0};
    io->warning = RUN_T201;
    return RUN_NONE;
}

enum stile__run_code stile__text_left(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    (void)use;
    io->cells[0] = io->value;
    return RUN_NONE;
}

static bool is_space(char c)
{
    return (unsigned char)c <= ' ';
}

/* FHIR R4 code: [^\s]+(\s[^\s]+)* */
enum stile__run_code stile__code_right(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    struct stile_str s = stile_str_trim(io->cells[0]);
    size_t n = 0;
    (void)use;
    while (n < s.len && !is_space(s.ptr[n])) {
        n++;
    }
    if (n == s.len) {
        io->value = n > 0 ? s : STILE_STR_NULL;
        return RUN_NONE;
    }
    char *out = stile_arena_alloc(io->arena, s.len);
    n = 0;
    for (size_t i = 0; out != NULL && i < s.len; i++) {
        if (!is_space(s.ptr[i])) {
            out[n++] = s.ptr[i];
        } else if (n > 0 && out[n - 1] != ' ') {
            out[n++] = ' ';
        }
    }
    if (n > 0) {
        io->value = (struct stile_str){out, n};
    }
    return RUN_NONE;
}

/* ---- identifiers ---- */

static bool plain_id_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '-';
}

static char hex_digit(unsigned v)
{
    return "0123456789ABCDEF"[v & 15u];
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#define ID_MAX 64u

/* FHIR R4 id: [A-Za-z0-9\-\.]{1,64}. What may not stand there becomes .XX;
 * `..` parts the columns, which no escaped text holds. */
enum stile__run_code stile__id_right(const struct stile__codec_use *use,
                                     struct stile__codec_io *io)
{
    char *out = stile_arena_alloc(io->arena, ID_MAX + 4);
    size_t n = use->text.len;
    if (out == NULL) {
        return RUN_NONE;
    }
    if (n > ID_MAX) {
        return RUN_T108;
    }
    memcpy(out, use->text.ptr != NULL ? use->text.ptr : "", n);
    for (size_t i = 0; i < io->count; i++) {
        if (i > 0) {
            out[n++] = '.';
            out[n++] = '.';
        }
        for (size_t j = 0; j < io->cells[i].len; j++) {
            char c = io->cells[i].ptr[j];
            if (n > ID_MAX) {
                return RUN_T108;
            }
            if (plain_id_byte(c)) {
                out[n++] = c;
            } else {
                out[n++] = '.';
                out[n++] = hex_digit((unsigned char)c >> 4);
                out[n++] = hex_digit((unsigned char)c);
            }
        }
        if (n > ID_MAX) {
            return RUN_T108;
        }
    }
    io->value = (struct stile_str){out, n};
    return RUN_NONE;
}

/* One column's text up to `..` or the end; false when it is not ours. */
static bool id_part(struct stile_str s, size_t *at, char *out, size_t *ret_len)
{
    size_t n = 0;
    while (*at < s.len) {
        char c = s.ptr[*at];
        if (plain_id_byte(c)) {
            out[n++] = c;
            (*at)++;
            continue;
        }
        if (c != '.' || *at + 1 >= s.len) {
            return false;
        }
        if (s.ptr[*at + 1] == '.') {
            break;
        }
        int hi = hex_value(s.ptr[*at + 1]);
        int lo = *at + 2 < s.len ? hex_value(s.ptr[*at + 2]) : -1;
        if (hi < 0 || lo < 0 || plain_id_byte((char)(hi << 4 | lo))) {
            return false;
        }
        out[n++] = (char)(hi << 4 | lo);
        *at += 3;
    }
    *ret_len = n;
    return true;
}

/* Another prefix, another number of parts: not this mapping's id. */
enum stile__run_code stile__id_left(const struct stile__codec_use *use,
                                    struct stile__codec_io *io)
{
    struct stile_str parts[STILE__CELLS];
    struct stile_str s = io->value;
    size_t at = 0;
    if (!stile_str_starts(s, use->text)) {
        return RUN_NONE;
    }
    s = stile_str_sub(s, use->text.len, s.len - use->text.len);
    for (size_t i = 0; i < io->count; i++) {
        char *out = stile_arena_alloc(io->arena, s.len);
        size_t n = 0;
        if (out == NULL || !id_part(s, &at, out, &n)) {
            return RUN_NONE;
        }
        parts[i] = (struct stile_str){out, n};
        bool last = i + 1 == io->count;
        if (last ? at != s.len : at + 1 >= s.len) {
            return RUN_NONE;
        }
        at += 2;
    }
    if (!stile_utf8_valid(io->count == 1 ? parts[0] : io->value)) {
        return RUN_NONE;
    }
    memcpy(io->cells, parts, io->count * sizeof parts[0]);
    return RUN_NONE;
}

enum stile__run_code stile__guid_right(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    char out[37];
    (void)use;
    if (!stile_guid_normal(stile_str_trim(io->cells[0]), out)) {
        return RUN_T103;
    }
    io->value = stile_arena_str(io->arena, (struct stile_str){out, 36});
    return RUN_NONE;
}

enum stile__run_code stile__guid_left(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    char norm[37], braced[38];
    if (!stile_guid_normal(io->value, norm)) {
        return RUN_T103;
    }
    if (!use->braces) {
        io->cells[0] = stile_arena_str(io->arena, (struct stile_str){norm, 36});
        return RUN_NONE;
    }
    braced[0] = '{';
    braced[37] = '}';
    for (size_t i = 0; i < 36; i++) {
        char c = norm[i];
        braced[i + 1] = (char)(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
    }
    io->cells[0] = stile_arena_str(io->arena, (struct stile_str){braced, 38});
    return RUN_NONE;
}

enum stile__run_code stile__ref_right(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    enum stile__run_code code = use->ref_id->codec->right(use->ref_id, io);
    if (code == RUN_NONE && io->value.len > 0) {
        size_t n = use->ref_type.len;
        char *out = stile_arena_alloc(io->arena, n + 1 + io->value.len);
        if (out == NULL) {
            return RUN_NONE;
        }
        memcpy(out, use->ref_type.ptr, n);
        out[n] = '/';
        memcpy(out + n + 1, io->value.ptr, io->value.len);
        io->value = (struct stile_str){out, n + 1 + io->value.len};
    }
    return code;
}

/* "T/id", an absolute URL that ends so (a version after it is not part of
 * the id), or urn:uuid:. Other references are not of this type. */
enum stile__run_code stile__ref_left(const struct stile__codec_use *use,
                                     struct stile__codec_io *io)
{
    struct stile_str s = io->value, urn = STILE_STR("urn:uuid:");
    size_t version = stile_str_find_str(s, STILE_STR("/_history/"));
    if (version != SIZE_MAX) {
        s.len = version;
    }
    if (stile_str_starts(s, urn)) {
        io->value = stile_str_sub(s, urn.len, s.len - urn.len);
        return use->ref_id->codec->left(use->ref_id, io);
    }
    size_t slash = SIZE_MAX;
    for (size_t i = s.len; i > 0 && slash == SIZE_MAX; i--) {
        slash = s.ptr[i - 1] == '/' ? i - 1 : SIZE_MAX;
    }
    if (slash == SIZE_MAX || slash + 1 == s.len) {
        return RUN_NONE;
    }
    struct stile_str before = stile_str_sub(s, 0, slash);
    size_t type_at =
        before.len -
        (use->ref_type.len < before.len ? use->ref_type.len : before.len);
    bool whole = type_at == 0 || before.ptr[type_at - 1] == '/';
    if (!stile_str_ends(before, use->ref_type) || !whole) {
        return RUN_NONE;
    }
    io->value = stile_str_sub(s, slash + 1, s.len - slash - 1);
    return use->ref_id->codec->left(use->ref_id, io);
}

/* NHS Data Dictionary, NHS NUMBER: modulus 11. EMIS fills 0000000000 and
 * 9999999999 where there is none. */
enum stile__run_code stile__nhs_right(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    char digits[10];
    size_t n = 0;
    (void)use;
    for (size_t i = 0; i < io->cells[0].len; i++) {
        char c = io->cells[0].ptr[i];
        if (c == ' ') {
            continue;
        }
        if (n == sizeof digits) {
            return RUN_T104;
        }
        digits[n++] = c;
    }
    struct stile_str s = {digits, n};
    if (n == 0 || stile_str_eqc(s, "0000000000") ||
        stile_str_eqc(s, "9999999999")) {
        return RUN_NONE;
    }
    if (!stile_nhs_number_valid(s)) {
        return RUN_T104;
    }
    io->value = stile_arena_str(io->arena, s);
    return RUN_NONE;
}

enum stile__run_code stile__nhs_left(const struct stile__codec_use *use,
                                     struct stile__codec_io *io)
{
    struct stile__codec_io back = {.arena = io->arena, .count = 1};
    back.cells = &io->value;
    enum stile__run_code code = stile__nhs_right(use, &back);
    io->cells[0] = back.value;
    return code;
}

/* Upper case, one space before the inward code. What is not formed like a
 * UK postcode (overseas, partial) is kept as written. */
enum stile__run_code stile__postcode_right(const struct stile__codec_use *use,
                                           struct stile__codec_io *io)
{
    struct stile_str s = stile_str_trim(io->cells[0]);
    char raw[8], out[8];
    size_t n = 0;
    (void)use;
    io->value = s.len > 0 ? s : STILE_STR_NULL;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        c = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        if (c == ' ') {
            continue;
        }
        bool letter = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9';
        if ((!letter && !digit) || n == 7) {
            return RUN_NONE;
        }
        raw[n++] = c;
    }
    if (n < 5 || raw[n - 3] > '9' || raw[n - 2] <= '9' || raw[n - 1] <= '9' ||
        raw[0] <= '9') {
        return RUN_NONE;
    }
    memcpy(out, raw, n - 3);
    out[n - 3] = ' ';
    memcpy(out + n - 2, raw + n - 3, 3);
    io->value = stile_arena_str(io->arena, (struct stile_str){out, n + 1});
    return RUN_NONE;
}

/* ---- booleans and numbers ---- */

bool stile__bool_read(struct stile_str s, bool *ret)
{
    static const char *const yes[] = {"true", "1", "y", "yes"};
    static const char *const no[] = {"false", "0", "n", "no"};
    /* As all but all are written. */
    if (s.len == 5 && memcmp(s.ptr, "false", 5) == 0) {
        *ret = false;
        return true;
    }
    if (s.len == 4 && memcmp(s.ptr, "true", 4) == 0) {
        *ret = true;
        return true;
    }
    s = stile_str_trim(s);
    for (size_t i = 0; i < 4; i++) {
        if (stile_str_eq_nocase(s, stile_str_cstr(yes[i]))) {
            *ret = true;
            return true;
        }
        if (stile_str_eq_nocase(s, stile_str_cstr(no[i]))) {
            *ret = false;
            return true;
        }
    }
    return false;
}

enum stile__run_code stile__bool_right(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    bool b = false;
    (void)use;
    if (!stile__bool_read(io->cells[0], &b)) {
        return RUN_T106;
    }
    io->value = b ? STILE_STR("true") : STILE_STR("false");
    return RUN_NONE;
}

enum stile__run_code stile__bool_left(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    bool b = false;
    (void)use;
    if (!stile__bool_read(io->value, &b)) {
        return RUN_T106;
    }
    io->cells[0] = b ? STILE_STR("true") : STILE_STR("false");
    return RUN_NONE;
}

enum stile__run_code stile__yes_no_left(const struct stile__codec_use *use,
                                        struct stile__codec_io *io)
{
    bool b = false;
    (void)use;
    if (!stile__bool_read(io->value, &b)) {
        return RUN_T106;
    }
    io->cells[0] = b ? STILE_STR("Y") : STILE_STR("N");
    return RUN_NONE;
}

static enum stile__run_code whole_number(const struct stile__codec_use *use,
                                         struct stile_arena *arena,
                                         struct stile_str s,
                                         struct stile_str *ret)
{
    int64_t n = 0;
    s = stile_str_trim(s);
    if (s.len > 1 && s.ptr[0] == '+') {
        s = stile_str_sub(s, 1, s.len - 1);
    }
    if (!stile_str_to_int64(s, &n)) {
        return RUN_T102;
    }
    if (n < use->lo || n > use->hi) {
        return RUN_T109;
    }
    *ret = stile_arena_printf(arena, "%lld", (long long)n);
    return RUN_NONE;
}

enum stile__run_code stile__int_right(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    return whole_number(use, io->arena, io->cells[0], &io->value);
}

enum stile__run_code stile__int_left(const struct stile__codec_use *use,
                                     struct stile__codec_io *io)
{
    return whole_number(use, io->arena, io->value, &io->cells[0]);
}

static size_t digits_from(struct stile_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && s.ptr[at + n] >= '0' && s.ptr[at + n] <= '9') {
        n++;
    }
    return n;
}

/* FHIR R4 decimal: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?, its text
 * kept, so trailing zeros stay. Only a plus sign, leading zeros and a bare
 * point are mended. */
static enum stile__run_code decimal_text(struct stile_arena *arena,
                                         struct stile_str s,
                                         struct stile_str *ret)
{
    s = stile_str_trim(s);
    size_t at = 0;
    bool minus = s.len > 0 && s.ptr[0] == '-';
    at += minus || (s.len > 0 && s.ptr[0] == '+') ? 1 : 0;
    size_t whole = digits_from(s, at), whole_at = at;
    at += whole;
    size_t part = 0;
    if (at < s.len && s.ptr[at] == '.') {
        part = digits_from(s, ++at);
    }
    struct stile_str fraction = stile_str_sub(s, at, part);
    at += part;
    struct stile_str power = stile_str_sub(s, at, s.len - at);
    if (whole + part == 0 || s.len > 100) {
        return RUN_T102;
    }
    if (power.len > 0) {
        size_t sign =
            power.len > 1 && (power.ptr[1] == '-' || power.ptr[1] == '+');
        bool e = power.ptr[0] == 'e' || power.ptr[0] == 'E';
        size_t n = digits_from(power, 1 + sign);
        if (!e || n == 0 || n > 3 || 1 + sign + n != power.len) {
            return RUN_T102;
        }
    }
    while (whole > 1 && s.ptr[whole_at] == '0') {
        whole_at++;
        whole--;
    }
    /* As written is as it should be, all but always. */
    if (whole > 0 && whole_at == (minus ? 1u : 0u) &&
        s.len == whole_at + whole + (part > 0 ? 1 + part : 0) + power.len) {
        *ret = s;
        return RUN_NONE;
    }
    struct stile_str w =
        whole > 0 ? stile_str_sub(s, whole_at, whole) : STILE_STR("0");
    *ret = stile_arena_printf(arena, "%s%.*s%s%.*s%.*s", minus ? "-" : "",
                              STILE_FMT(w), part > 0 ? "." : "",
                              STILE_FMT(fraction), STILE_FMT(power));
    return RUN_NONE;
}

enum stile__run_code stile__decimal_right(const struct stile__codec_use *use,
                                          struct stile__codec_io *io)
{
    (void)use;
    return decimal_text(io->arena, io->cells[0], &io->value);
}

enum stile__run_code stile__decimal_left(const struct stile__codec_use *use,
                                         struct stile__codec_io *io)
{
    (void)use;
    return decimal_text(io->arena, io->value, &io->cells[0]);
}
