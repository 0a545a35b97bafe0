/*
 * What spreadsheets do to a sheet of cases, undone and reported; what cannot
 * be undone without guessing makes the row refused.
 */
#include "vcse_private.h"

static void note(const struct stile__repair *r, const char *code,
                 enum stile_severity severity, const char *message)
{
    stile_diag_at_record(r->diags, code, severity, r->file, r->row, r->column,
                         message);
}

static bool refuse(const struct stile__repair *r, const char *code,
                   const char *message)
{
    note(r, code, STILE_ERROR, message);
    return false;
}

static bool all_digits(struct stile_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
    }
    return s.len > 0;
}

/* 3.26E+09: digits, a point perhaps, E and a sign or digits. */
static bool scientific(struct stile_str s)
{
    bool exponent = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if ((c == 'e' || c == 'E') && i > 0 && !exponent) {
            exponent = true;
        } else if (!(c >= '0' && c <= '9') && c != '.' && c != '+' &&
                   c != '-') {
            return false;
        }
    }
    return exponent && s.ptr[s.len - 1] >= '0' && s.ptr[s.len - 1] <= '9' &&
           s.ptr[0] >= '0' && s.ptr[0] <= '9';
}

static struct stile_str without_gaps(struct stile_arena *arena,
                                     struct stile_str s)
{
    char *out = stile_arena_alloc(arena, s.len);
    size_t n = 0;
    if (out == NULL) {
        return s;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == ' ' || s.ptr[i] == '-') {
            continue;
        }
        if (i + 1 < s.len && s.ptr[i] == '\xc2' && s.ptr[i + 1] == '\xa0') {
            i++; /* no-break space */
            continue;
        }
        out[n++] = s.ptr[i];
    }
    return (struct stile_str){out, n};
}

static void unwrap(const struct stile__repair *r, struct stile_str inner,
                   struct stile_str *cell)
{
    note(r, "V325", STILE_WARNING,
         "leave out the apostrophe, .0 or =\"\" that the spreadsheet put "
         "round this cell; it was removed");
    *cell = inner;
}

/* The apostrophe by which a spreadsheet marks a number as text. */
static void drop_apostrophe(const struct stile__repair *r,
                            struct stile_str *cell)
{
    if (cell->len > 1 && cell->ptr[0] == '\'') {
        unwrap(r, stile_str_sub(*cell, 1, cell->len - 1), cell);
    }
}

/* 9990002371.0: a number cell, not yet a text. */
static void drop_fraction(const struct stile__repair *r, struct stile_str *cell)
{
    if (cell->len > 2 && stile_str_ends(*cell, STILE_STR(".0")) &&
        all_digits(stile_str_sub(*cell, 0, cell->len - 2))) {
        unwrap(r, stile_str_sub(*cell, 0, cell->len - 2), cell);
    }
}

bool stile__repair_ref(const struct stile__repair *r, struct stile_str *cell)
{
    drop_apostrophe(r, cell);
    /* A reference may well be 3E10; spreadsheets write the sign, 3.00E+10. */
    if (scientific(*cell) && (stile_str_find(*cell, '+') != SIZE_MAX ||
                              stile_str_find(*cell, '-') != SIZE_MAX)) {
        return refuse(r, "V304",
                      "format the column as text and enter the reference "
                      "again; the spreadsheet has lost digits");
    }
    return true;
}

bool stile__repair_nhs_number(const struct stile__repair *r,
                              struct stile_str *cell)
{
    drop_apostrophe(r, cell);
    drop_fraction(r, cell);
    if (scientific(*cell)) {
        return refuse(r, "V304",
                      "format the column as text and enter the NHS number "
                      "again; the spreadsheet has lost digits");
    }
    struct stile_str plain = without_gaps(r->arena, *cell);
    if (plain.len != cell->len && all_digits(plain)) {
        note(r, "V302", STILE_WARNING,
             "write the NHS number without spaces; they were removed");
        *cell = plain;
    }
    if (cell->len == 9 && all_digits(*cell)) {
        struct stile_str longer =
            stile_arena_printf(r->arena, "0%.*s", (int)cell->len, cell->ptr);
        if (longer.len == 10 && stile_nhs_number_valid(longer)) {
            note(r, "V303", STILE_WARNING,
                 "format the column as text; the NHS number's leading zero "
                 "was put back");
            *cell = longer;
        }
    }
    if (!stile_nhs_number_valid(*cell)) {
        note(r, "V313", STILE_WARNING,
             "check the NHS number; its check digit does not fit and it is "
             "kept as it came");
    }
    return true;
}

/* ---- dates ---- */

#define SERIAL_MAX 60000
#define BIRTH_YEAR_MIN 1880
#define BIRTH_YEAR_MAX 2100 /* where today is not known */

/* Reads up to four digits at *at. */
static size_t read_digits(struct stile_str s, size_t *at, int *ret)
{
    size_t n = 0;
    int value = 0;
    while (*at < s.len && n < 5 && s.ptr[*at] >= '0' && s.ptr[*at] <= '9') {
        value = value * 10 + (s.ptr[*at] - '0');
        (*at)++;
        n++;
    }
    *ret = value;
    return n;
}

/* hh:mm[:ss] from `at` to the end; false when it is no time. */
static bool read_time(struct stile_str s, size_t at, int *ret_hour,
                      int *ret_minute)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    size_t n = read_digits(s, &at, &hour);
    if (n < 1 || n > 2 || at >= s.len || s.ptr[at++] != ':' ||
        read_digits(s, &at, &minute) != 2) {
        return false;
    }
    if (at < s.len &&
        (s.ptr[at++] != ':' || read_digits(s, &at, &second) != 2)) {
        return false;
    }
    if (at != s.len || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *ret_hour = hour;
    *ret_minute = minute;
    return true;
}

static void put_date(const struct stile__repair *r, struct stile_date d,
                     bool timed, int hour, int minute, struct stile_str *cell)
{
    if (timed) {
        *cell = stile_arena_printf(r->arena, "%04d-%02d-%02d %02d:%02d", d.year,
                                   d.month, d.day, hour, minute);
    } else {
        *cell = stile_arena_printf(r->arena, "%04d-%02d-%02d", d.year, d.month,
                                   d.day);
    }
}

/* D/M/Y with / . or -, a time behind it for a date-time. */
static bool slashed(const struct stile__repair *r, bool time_allowed,
                    struct stile_str *cell, bool *ret_is)
{
    struct stile_date d = {0, 0, 0};
    size_t at = 0;
    int hour = 0;
    int minute = 0;
    size_t n = read_digits(*cell, &at, &d.day);
    *ret_is = false;
    if (n < 1 || n > 2 || at >= cell->len ||
        (cell->ptr[at] != '/' && cell->ptr[at] != '.' &&
         cell->ptr[at] != '-')) {
        return true;
    }
    char sep = cell->ptr[at++];
    n = read_digits(*cell, &at, &d.month);
    if (n < 1 || n > 2 || at >= cell->len || cell->ptr[at] != sep) {
        return true;
    }
    at++;
    if (read_digits(*cell, &at, &d.year) != 4) {
        return true;
    }
    bool timed = at < cell->len;
    if (timed && (!time_allowed || cell->ptr[at] != ' ' ||
                  !read_time(*cell, at + 1, &hour, &minute))) {
        return true;
    }
    *ret_is = true;
    if (d.day <= 12 && d.month <= 12 && d.day != d.month) {
        return refuse(r, "V306",
                      "write this date as YYYY-MM-DD; day and month cannot "
                      "be told apart");
    }
    if (d.month == 0 || d.day == 0 || !stile_date_valid(d)) {
        return refuse(r, "V307", "write a date of the calendar as YYYY-MM-DD");
    }
    note(r, "V305", STILE_WARNING,
         "write dates as YYYY-MM-DD; this one was turned round");
    put_date(r, d, timed, hour, minute, cell);
    return true;
}

/* A spreadsheet's day number, from 1899-12-30: five digits, so that a year
 * alone is never taken for one (1927-05-18), up to SERIAL_MAX (2064-04-08). */
static bool serial(const struct stile__repair *r, bool time_allowed,
                   struct stile_str *cell)
{
    int64_t days = 0;
    int64_t fraction = 0;
    int64_t scale = 1;
    if (cell->len < 5 || !all_digits(stile_str_sub(*cell, 0, 5)) ||
        cell->ptr[0] == '0' || cell->len > 16 ||
        !stile_str_to_int64(stile_str_sub(*cell, 0, 5), &days) ||
        days > SERIAL_MAX) {
        return false;
    }
    bool timed = cell->len > 5;
    if (timed) {
        struct stile_str rest = stile_str_sub(*cell, 6, cell->len - 6);
        if (!time_allowed || cell->ptr[5] != '.' || !all_digits(rest) ||
            !stile_str_to_int64(rest, &fraction)) {
            return false;
        }
        for (size_t i = 0; i < rest.len; i++) {
            scale *= 10;
        }
    }
    int64_t minutes = (fraction * 1440 + scale / 2) / scale;
    int64_t epoch = stile_date_days((struct stile_date){1899, 12, 30});
    struct stile_date d = stile_date_from_days(epoch + days + minutes / 1440);
    minutes %= 1440;
    note(r, "V308", STILE_WARNING,
         "write dates as YYYY-MM-DD; a spreadsheet's day number was turned "
         "into a date");
    put_date(r, d, timed, (int)(minutes / 60), (int)(minutes % 60), cell);
    return true;
}

static bool iso(struct stile_str s, bool time_allowed)
{
    struct stile_date d = {0, 0, 0};
    int hour = 0;
    int minute = 0;
    if (s.len < 10 || !stile_date_parse(stile_str_sub(s, 0, 10), &d)) {
        return false;
    }
    return s.len == 10 ||
           (time_allowed && (s.ptr[10] == ' ' || s.ptr[10] == 'T') &&
            s.len >= 16 && read_time(s, 11, &hour, &minute));
}

bool stile__repair_date(const struct stile__repair *r, bool time_allowed,
                        struct stile_str *cell)
{
    bool is = false;
    if (iso(*cell, time_allowed) || serial(r, time_allowed, cell)) {
        return true;
    }
    if (!slashed(r, time_allowed, cell, &is)) {
        return false;
    }
    return is || refuse(r, "V307", "write this date as YYYY-MM-DD");
}

bool stile__check_birth(const struct stile__repair *r, struct stile_str cell)
{
    struct stile_date d = {0, 0, 0};
    if (!stile_date_parse(cell, &d)) {
        return true; /* refused as a date already */
    }
    if (d.year < BIRTH_YEAR_MIN || d.year > BIRTH_YEAR_MAX ||
        (r->today != 0 && stile_date_days(d) > r->today)) {
        return refuse(r, "V318",
                      "check the date of birth; it lies in the future or "
                      "before 1880");
    }
    return true;
}

/* ---- the rest ---- */

void stile__repair_bool(const struct stile__repair *r, struct stile_str *cell)
{
    static const char *const yes[] = {"y", "yes", "true", "1"};
    static const char *const no[] = {"n", "no", "false", "0"};
    if (stile_str_eqc(*cell, "Y") || stile_str_eqc(*cell, "N")) {
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        bool is_yes = stile_str_eq_nocase(*cell, stile_str_cstr(yes[i]));
        if (is_yes || stile_str_eq_nocase(*cell, stile_str_cstr(no[i]))) {
            *cell = is_yes ? STILE_STR("Y") : STILE_STR("N");
            note(r, "V310", STILE_NOTE, "write Y or N; this was changed");
            return;
        }
    }
    note(r, "V315", STILE_WARNING,
         "write Y or N; this is neither and is kept as it came");
}

/* U+2018 U+2019 U+201C U+201D, which spreadsheets put in by themselves. */
static void straighten(const struct stile__repair *r, struct stile_str *cell)
{
    if (stile_str_find_str(*cell, STILE_STR("\xe2\x80")) == SIZE_MAX) {
        return;
    }
    char *out = stile_arena_alloc(r->arena, cell->len);
    size_t n = 0;
    if (out == NULL) {
        return;
    }
    for (size_t i = 0; i < cell->len; i++) {
        const char *p = cell->ptr + i;
        if (cell->len - i >= 3 && p[0] == '\xe2' && p[1] == '\x80' &&
            (p[2] == '\x98' || p[2] == '\x99')) {
            out[n++] = '\'';
            i += 2;
        } else if (cell->len - i >= 3 && p[0] == '\xe2' && p[1] == '\x80' &&
                   (p[2] == '\x9c' || p[2] == '\x9d')) {
            out[n++] = '"';
            i += 2;
        } else {
            out[n++] = *p;
        }
    }
    if (n != cell->len) {
        note(r, "V309", STILE_NOTE,
             "use straight quotes; curly ones were replaced");
        *cell = (struct stile_str){out, n};
    }
}

void stile__repair_text(const struct stile__repair *r, struct stile_str *cell)
{
    struct stile_str trimmed = stile__trim(*cell);
    if (trimmed.len != cell->len) {
        note(r, "V301", STILE_NOTE,
             "leave out spaces at the ends of cells; they were removed");
        *cell = trimmed;
    }
    if (cell->len > 1 && cell->ptr[0] == '\'' &&
        memchr("=+-@\t\r", cell->ptr[1], 6) != NULL) {
        note(r, "V312", STILE_NOTE,
             "the quote that kept this cell from being a formula was removed");
        *cell = stile_str_sub(*cell, 1, cell->len - 1);
    } else if (cell->len > 3 && stile_str_starts(*cell, STILE_STR("=\"")) &&
               stile_str_find(stile_str_sub(*cell, 2, cell->len), '"') ==
                   cell->len - 3) {
        unwrap(r, stile__trim(stile_str_sub(*cell, 2, cell->len - 3)), cell);
    }
    straighten(r, cell);
}
