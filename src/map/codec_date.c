/* Dates, partial dates, clock times of Europe/London. */
#include "codec.h"

struct clock {
    int hour, minute, second;
};

static char *put_two(char *at, int value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
    return at + 2;
}

static char *put_date(char *at, struct stile_date d)
{
    at = put_two(put_two(at, d.year / 100), d.year % 100);
    *at++ = '-';
    at = put_two(at, d.month);
    *at++ = '-';
    return put_two(at, d.day);
}

static char *put_clock(char *at, const struct clock *c)
{
    at = put_two(at, c->hour);
    *at++ = ':';
    at = put_two(at, c->minute);
    *at++ = ':';
    return put_two(at, c->second);
}

static struct stile_str date_text(struct stile_arena *arena,
                                  struct stile_date d)
{
    char *out = stile_arena_alloc(arena, 10);
    if (out == NULL) {
        return STILE_STR_NULL;
    }
    (void)put_date(out, d);
    return (struct stile_str){out, 10};
}

static struct stile_str clock_text(struct stile_arena *arena, struct clock c)
{
    char *out = stile_arena_alloc(arena, 8);
    if (out == NULL) {
        return STILE_STR_NULL;
    }
    (void)put_clock(out, &c);
    return (struct stile_str){out, 8};
}

static bool two_digits(struct stile_str s, size_t at, int *ret)
{
    if (at + 2 > s.len || s.ptr[at] < '0' || s.ptr[at] > '9' ||
        s.ptr[at + 1] < '0' || s.ptr[at + 1] > '9') {
        return false;
    }
    *ret = (s.ptr[at] - '0') * 10 + (s.ptr[at + 1] - '0');
    return true;
}

/* HH:MM or HH:MM:SS */
static bool clock_parse(struct stile_str s, struct clock *ret)
{
    struct clock c = {0, 0, 0};
    bool ok =
        (s.len == 5 || s.len == 8) && two_digits(s, 0, &c.hour) &&
        s.ptr[2] == ':' && two_digits(s, 3, &c.minute) &&
        (s.len == 5 || (s.ptr[5] == ':' && two_digits(s, 6, &c.second))) &&
        c.hour < 24 && c.minute < 60 && c.second < 60;
    if (ok) {
        *ret = c;
    }
    return ok;
}

static bool full_date(struct stile_str s, struct stile_date *ret)
{
    return s.len == 10 && stile_date_parse(s, ret);
}

#define DAY (86400 * STILE_SECOND)

/* The local day and clock of a FHIR date, dateTime or instant. `clock` is
 * set only when the text has a time. */
static enum stile__run_code fhir_local(struct stile_str s,
                                       struct stile_date *ret_date,
                                       struct clock *ret_clock, bool *ret_timed)
{
    stile_time t = 0;
    *ret_timed = false;
    if (stile_str_find(s, 'T') == SIZE_MAX) {
        return stile_date_parse(s, ret_date) ? RUN_NONE : RUN_T101;
    }
    if (!stile_time_parse(s, &t)) {
        return RUN_T101;
    }
    t += stile_london_offset_minutes(t) * 60 * STILE_SECOND;
    int64_t days = t / DAY - (t % DAY < 0 ? 1 : 0);
    int64_t seconds = (t - days * DAY) / STILE_SECOND;
    *ret_date = stile_date_from_days(days);
    *ret_clock = (struct clock){(int)(seconds / 3600), (int)(seconds / 60 % 60),
                                (int)(seconds % 60)};
    *ret_timed = true;
    return RUN_NONE;
}

/* A whole day for a column that can hold no less. */
static enum stile__run_code whole_day(struct stile__codec_io *io,
                                      struct stile_date *ret, bool *ret_known)
{
    struct clock clock;
    bool timed = false;
    enum stile__run_code code = fhir_local(io->value, ret, &clock, &timed);
    *ret_known = code == RUN_NONE && ret->day != 0;
    if (code == RUN_NONE && ret->day == 0) {
        io->warning = RUN_T202;
    }
    return code;
}

enum stile__run_code stile__date_right(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    struct stile_date d;
    struct stile_str s = stile_str_trim(io->cells[0]);
    (void)use;
    if (!full_date(s, &d)) {
        return RUN_T101;
    }
    io->value = s;
    return RUN_NONE;
}

enum stile__run_code stile__date_left(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    struct stile_date d = {0, 0, 0};
    bool known = false;
    enum stile__run_code code = whole_day(io, &d, &known);
    (void)use;
    if (known) {
        io->cells[0] = date_text(io->arena, d);
    }
    return code;
}

/* DD/MM/YYYY; stile_date_parse checks the calendar. */
enum stile__run_code stile__dmy_right(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    struct stile_str s = stile_str_trim(io->cells[0]);
    struct stile_date d;
    (void)use;
    if (s.len != 10 || s.ptr[2] != '/' || s.ptr[5] != '/') {
        return RUN_T101;
    }
    struct stile_str iso = stile_arena_printf(io->arena, "%.4s-%.2s-%.2s",
                                              s.ptr + 6, s.ptr + 3, s.ptr);
    if (!full_date(iso, &d)) {
        return RUN_T101;
    }
    io->value = iso;
    return RUN_NONE;
}

enum stile__run_code stile__dmy_left(const struct stile__codec_use *use,
                                     struct stile__codec_io *io)
{
    struct stile_date d = {0, 0, 0};
    bool known = false;
    enum stile__run_code code = whole_day(io, &d, &known);
    (void)use;
    if (known) {
        io->cells[0] = stile_arena_printf(io->arena, "%02d/%02d/%04d", d.day,
                                          d.month, d.year);
    }
    return code;
}

/* ---- dd MMM yyyy[ HH:mm[:ss]] ---- */

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static bool mon_parse(struct stile_str s, struct stile_date *ret_date,
                      struct clock *ret_clock)
{
    int day = 0, high = 0, low = 0;
    struct stile_date d = {0, 0, 0};
    *ret_clock = (struct clock){0, 0, 0};
    if (s.len < 11 || !two_digits(s, 0, &day) || s.ptr[2] != ' ' ||
        s.ptr[6] != ' ' || !two_digits(s, 7, &high) ||
        !two_digits(s, 9, &low)) {
        return false;
    }
    for (int m = 0; m < 12; m++) {
        if (stile_str_eq_nocase(stile_str_sub(s, 3, 3),
                                stile_str_cstr(months[m]))) {
            d = (struct stile_date){high * 100 + low, m + 1, day};
        }
    }
    if (d.month == 0 || d.day == 0 || !stile_date_valid(d)) {
        return false;
    }
    *ret_date = d;
    return s.len == 11 ||
           (s.ptr[11] == ' ' &&
            clock_parse(stile_str_sub(s, 12, s.len - 12), ret_clock));
}

enum stile__run_code stile__mon_right(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    struct stile_date d;
    struct clock clock;
    (void)use;
    if (!mon_parse(stile_str_trim(io->cells[0]), &d, &clock)) {
        return RUN_T101;
    }
    io->value = date_text(io->arena, d);
    return RUN_NONE;
}

enum stile__run_code stile__mon_left(const struct stile__codec_use *use,
                                     struct stile__codec_io *io)
{
    struct stile_date d = {0, 0, 0};
    bool known = false;
    enum stile__run_code code = whole_day(io, &d, &known);
    (void)use;
    if (known) {
        io->cells[0] = stile_arena_printf(io->arena, "%02d %s %04d", d.day,
                                          months[d.month - 1], d.year);
    }
    return code;
}

/* ---- date and precision ---- */

/* How much of a date Y, YM, YMD, YMDT or nothing leave. */
static bool precision_keeps(struct stile_str precision, size_t *ret)
{
    static const char whole[] = "YMDT";
    static const size_t keeps[] = {10, 4, 7, 10, 10};
    if (precision.len > 4) {
        return false;
    }
    for (size_t i = 0; i < precision.len; i++) {
        if (precision.ptr[i] != whole[i]) {
            return false;
        }
    }
    *ret = keeps[precision.len];
    return true;
}

enum stile__run_code stile__partial_right(const struct stile__codec_use *use,
                                          struct stile__codec_io *io)
{
    struct stile_str s = stile_str_trim(io->cells[0]);
    struct stile_str precision = stile_str_trim(io->cells[1]);
    struct stile_date d;
    size_t keep = 10;
    (void)use;
    if (s.len == 0 || (precision.len == 1 && precision.ptr[0] == 'U')) {
        return RUN_NONE;
    }
    if (!precision_keeps(precision, &keep) || !full_date(s, &d)) {
        return RUN_T101;
    }
    io->value = (struct stile_str){s.ptr, keep};
    return RUN_NONE;
}

enum stile__run_code stile__partial_left(const struct stile__codec_use *use,
                                         struct stile__codec_io *io)
{
    struct stile_date d = {0, 0, 0};
    struct clock clock;
    bool timed = false;
    enum stile__run_code code = fhir_local(io->value, &d, &clock, &timed);
    (void)use;
    if (code != RUN_NONE) {
        return code;
    }
    io->cells[1] = d.day != 0     ? STILE_STR("YMD")
                   : d.month != 0 ? STILE_STR("YM")
                                  : STILE_STR("Y");
    d.day = d.day != 0 ? d.day : 1;
    d.month = d.month != 0 ? d.month : 1;
    io->cells[0] = date_text(io->arena, d);
    return RUN_NONE;
}

/* ---- local clock time ---- */

/* No time, or no offset that we know: a dateTime keeps the day, an instant
 * cannot be written. */
static void day_only(const struct stile__codec_use *use,
                     struct stile__codec_io *io, struct stile_date d,
                     bool timed)
{
    bool keeps = use->fits != FITS_INSTANT;
    if (keeps) {
        io->value = date_text(io->arena, d);
    }
    if (!keeps || timed) {
        io->warning = RUN_T203;
    }
}

/* Date and clock by their addresses: as values they would be read back in
 * words while their parts are still being written, which stalls. */
static enum stile__run_code with_offset(const struct stile__codec_use *use,
                                        struct stile__codec_io *io,
                                        const struct stile_date *date,
                                        const struct clock *c)
{
    const struct stile_date d = {date->year, date->month, date->day};
    stile_time t = 0;
    int offset = 0;
    enum stile_status status =
        stile_london_to_utc(d, c->hour, c->minute, c->second, &t, &offset);
    if (status == STILE_UNSUPPORTED) {
        day_only(use, io, d, true);
        return RUN_NONE;
    }
    if (status == STILE_CONFLICT && (use->earlier || use->later)) {
        offset = use->earlier ? 60 : 0;
    } else if (status != STILE_OK) {
        return RUN_T107;
    }
    char *out = stile_arena_alloc(io->arena, 25);
    if (out != NULL) {
        char *at = put_date(out, d);
        *at++ = 'T';
        at = put_clock(at, c);
        memcpy(at, offset == 60 ? "+01:00" : "+00:00", 6);
        io->value = (struct stile_str){out, 25};
    }
    return RUN_NONE;
}

enum stile__run_code stile__instant_right(const struct stile__codec_use *use,
                                          struct stile__codec_io *io)
{
    struct stile_str date = stile_str_trim(io->cells[0]);
    struct stile_str time = stile_str_trim(io->cells[1]);
    struct stile_date d;
    struct clock c;
    if (date.len == 0) {
        io->warning = RUN_T203;
        return RUN_NONE;
    }
    if (!full_date(date, &d)) {
        return RUN_T101;
    }
    if (time.len == 0) {
        day_only(use, io, d, false);
        return RUN_NONE;
    }
    if (!clock_parse(time, &c)) {
        return RUN_T113;
    }
    return with_offset(use, io, &d, &c);
}

enum stile__run_code stile__instant_left(const struct stile__codec_use *use,
                                         struct stile__codec_io *io)
{
    struct stile_date d = {0, 0, 0};
    struct clock c;
    bool timed = false;
    enum stile__run_code code = fhir_local(io->value, &d, &c, &timed);
    (void)use;
    if (code != RUN_NONE || d.day == 0) {
        io->warning = code == RUN_NONE ? RUN_T202 : RUN_NONE;
        return code;
    }
    io->cells[0] = date_text(io->arena, d);
    if (timed) {
        io->cells[1] = clock_text(io->arena, c);
    }
    return RUN_NONE;
}

enum stile__run_code stile__local_right(const struct stile__codec_use *use,
                                        struct stile__codec_io *io)
{
    struct stile_str s = stile_str_trim(io->cells[0]);
    struct stile_date d;
    struct clock c;
    if (!full_date(stile_str_sub(s, 0, 10), &d)) {
        return RUN_T101;
    }
    if (s.len == 10) {
        day_only(use, io, d, false);
        return RUN_NONE;
    }
    if ((s.ptr[10] != ' ' && s.ptr[10] != 'T') ||
        !clock_parse(stile_str_sub(s, 11, s.len - 11), &c)) {
        return RUN_T113;
    }
    return with_offset(use, io, &d, &c);
}

enum stile__run_code stile__local_left(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    struct stile_date d = {0, 0, 0};
    struct clock c;
    bool timed = false;
    enum stile__run_code code = fhir_local(io->value, &d, &c, &timed);
    if (code != RUN_NONE || d.day == 0) {
        io->warning = code == RUN_NONE ? RUN_T202 : RUN_NONE;
        return code;
    }
    struct stile_str day = date_text(io->arena, d);
    if (!timed) {
        io->cells[0] = day;
    } else if (use->seconds || c.second != 0) {
        io->cells[0] =
            stile_arena_printf(io->arena, "%.*s %02d:%02d:%02d", STILE_FMT(day),
                               c.hour, c.minute, c.second);
    } else {
        io->cells[0] = stile_arena_printf(io->arena, "%.*s %02d:%02d",
                                          STILE_FMT(day), c.hour, c.minute);
    }
    return RUN_NONE;
}

/* SystmOne writes an unknown time as midnight. */
enum stile__run_code stile__local_mon_right(const struct stile__codec_use *use,
                                            struct stile__codec_io *io)
{
    struct stile_date d;
    struct clock c;
    if (!mon_parse(stile_str_trim(io->cells[0]), &d, &c)) {
        return RUN_T101;
    }
    if (c.hour == 0 && c.minute == 0 && c.second == 0) {
        day_only(use, io, d, false);
        return RUN_NONE;
    }
    return with_offset(use, io, &d, &c);
}

enum stile__run_code stile__local_mon_left(const struct stile__codec_use *use,
                                           struct stile__codec_io *io)
{
    struct stile_date d = {0, 0, 0};
    struct clock c = {0, 0, 0};
    bool timed = false;
    enum stile__run_code code = fhir_local(io->value, &d, &c, &timed);
    (void)use;
    if (code != RUN_NONE || d.day == 0) {
        io->warning = code == RUN_NONE ? RUN_T202 : RUN_NONE;
        return code;
    }
    if (!timed) {
        c = (struct clock){0, 0, 0};
    }
    io->cells[0] = stile_arena_printf(io->arena, "%02d %s %04d %02d:%02d:%02d",
                                      d.day, months[d.month - 1], d.year,
                                      c.hour, c.minute, c.second);
    return RUN_NONE;
}
