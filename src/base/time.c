#include <stile/base.h>

#include <string.h>

#define DAY_SECONDS ((int64_t)86400)
#define DAYS_MIN ((int64_t)-719162) /* 0001-01-01 */
#define DAYS_MAX ((int64_t)2932896) /* 9999-12-31 */
#define TIME_MIN (DAYS_MIN * DAY_SECONDS * STILE_SECOND)
#define TIME_MAX ((DAYS_MAX + 1) * DAY_SECONDS * STILE_SECOND - 1)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static bool leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && leap(year) ? 29 : days[month - 1];
}

bool stile_date_valid(struct stile_date date)
{
    if (date.year < 1 || date.year > 9999) {
        return false;
    }
    if (date.month == 0) {
        return date.day == 0;
    }
    if (date.month < 1 || date.month > 12) {
        return false;
    }
    return date.day >= 0 && date.day <= month_days(date.year, date.month);
}

/* `count` digits at `at`, or -1. */
static int digits(struct stile_str s, size_t at, size_t count)
{
    int value = 0;

    if (at > s.len || count > s.len - at) {
        return -1;
    }
    for (size_t i = at; i < at + count; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return -1;
        }
        value = value * 10 + (s.ptr[i] - '0');
    }
    return value;
}

/* The commonest form in one go: a byte that is no digit leaves `bad`. */
static bool whole_date(const char *p, struct stile_date *ret)
{
    unsigned d[8];
    unsigned bad = 0;

    for (size_t i = 0; i < 8; i++) {
        d[i] = (unsigned)(unsigned char)p[i + (i >= 4) + (i >= 6)] - '0';
        bad |= d[i] > 9;
    }
    if (bad || p[4] != '-' || p[7] != '-') {
        return false;
    }
    *ret =
        (struct stile_date){(int)(d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3]),
                            (int)(d[4] * 10 + d[5]), (int)(d[6] * 10 + d[7])};
    return ret->month > 0 && ret->day > 0 && stile_date_valid(*ret);
}

bool stile_date_parse(struct stile_str s, struct stile_date *ret)
{
    struct stile_date date = {0, 0, 0};

    if (s.len == 10) {
        if (!whole_date(s.ptr, &date)) {
            return false;
        }
        *ret = date;
        return true;
    }
    date.year = digits(s, 0, 4);
    if (s.len != 4 && s.len != 7) {
        return false;
    }
    if (s.len > 4) {
        date.month = digits(s, 5, 2);
        if (s.ptr[4] != '-' || date.month < 1) {
            return false;
        }
    }
    if (!stile_date_valid(date)) {
        return false;
    }
    *ret = date;
    return true;
}

/* Days in eras of 400 years that begin on 1 March, so that the leap day is
 * the last of its year: H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", days_from_civil and civil_from_days. */
int64_t stile_date_days(struct stile_date date)
{
    int month = date.month == 0 ? 1 : date.month;
    int day = date.day == 0 ? 1 : date.day;
    int64_t year = date.year - (month <= 2 ? 1 : 0);
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 -
           year_of_era / 100 + day_of_year - 719468;
}

struct stile_date stile_date_from_days(int64_t days)
{
    int64_t era;
    int64_t day_of_era;
    int64_t year_of_era;
    int64_t day_of_year;
    int64_t month;

    if (days < DAYS_MIN || days > DAYS_MAX) {
        return (struct stile_date){0, 0, 0};
    }
    days += 719468;
    era = floor_div(days, 146097);
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                   day_of_era / 146096) /
                  365;
    day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    return (struct stile_date){
        (int)(year_of_era + era * 400 + (month >= 10 ? 1 : 0)),
        (int)(month < 10 ? month + 3 : month - 9),
        (int)(day_of_year - (153 * month + 2) / 5 + 1)};
}

/* The zone at the end of an instant: Z or an offset up to 14:00 either way.
 */
static bool zone_parse(struct stile_str s, int *ret_minutes)
{
    int hour = digits(s, 1, 2);
    int minute = digits(s, 4, 2);
    int sum;

    if (stile_str_eqc(s, "Z")) {
        *ret_minutes = 0;
        return true;
    }
    if (s.len != 6 || s.ptr[3] != ':' || hour < 0 || minute < 0 ||
        minute > 59 || (s.ptr[0] != '+' && s.ptr[0] != '-')) {
        return false;
    }
    sum = hour * 60 + minute;
    if (sum > 14 * 60) {
        return false;
    }
    *ret_minutes = s.ptr[0] == '-' ? -sum : sum;
    return true;
}

/* ".123" at the head of *s; digits past the sixth are below our unit. */
static bool fraction_parse(struct stile_str *s, int64_t *ret_micros)
{
    int64_t unit = STILE_SECOND / 10;
    int64_t micros = 0;
    size_t i = 1;

    while (i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9') {
        micros += (s->ptr[i] - '0') * unit;
        unit /= 10;
        i++;
    }
    if (i == 1) {
        return false;
    }
    *s = stile_str_sub(*s, i, s->len - i);
    *ret_micros = micros;
    return true;
}

bool stile_time_parse(struct stile_str s, stile_time *ret)
{
    struct stile_date date;
    struct stile_str tail = stile_str_sub(s, 19, s.len);
    int hour = digits(s, 11, 2);
    int minute = digits(s, 14, 2);
    int second = digits(s, 17, 2);
    int zone;
    int64_t micros = 0;
    stile_time t;

    if (s.len < 20 || s.ptr[10] != 'T' || s.ptr[13] != ':' ||
        s.ptr[16] != ':' || !stile_date_parse(stile_str_sub(s, 0, 10), &date)) {
        return false;
    }
    /* FHIR R4 datatypes, instant: no 24:00, leap seconds are allowed. */
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60) {
        return false;
    }
    if (tail.ptr[0] == '.' && !fraction_parse(&tail, &micros)) {
        return false;
    }
    if (!zone_parse(tail, &zone)) {
        return false;
    }
    t = (stile_date_days(date) * DAY_SECONDS + hour * 3600 +
         (minute - zone) * 60 + second) *
            STILE_SECOND +
        micros;
    if (t < TIME_MIN || t > TIME_MAX) {
        return false;
    }
    *ret = t;
    return true;
}

static char *put_digits(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

size_t stile_time_format(stile_time t, char out[25])
{
    struct stile_date date;
    int64_t days;
    int64_t millis;
    char *at = out;

    t = t < TIME_MIN ? TIME_MIN : t > TIME_MAX ? TIME_MAX : t;
    days = floor_div(t, DAY_SECONDS * STILE_SECOND);
    millis = (t - days * DAY_SECONDS * STILE_SECOND) / 1000;
    date = stile_date_from_days(days);
    at = put_digits(at, date.year, 4);
    *at++ = '-';
    at = put_digits(at, date.month, 2);
    *at++ = '-';
    at = put_digits(at, date.day, 2);
    *at++ = 'T';
    at = put_digits(at, (int)(millis / 3600000), 2);
    *at++ = ':';
    at = put_digits(at, (int)(millis / 60000 % 60), 2);
    *at++ = ':';
    at = put_digits(at, (int)(millis / 1000 % 60), 2);
    *at++ = '.';
    at = put_digits(at, (int)(millis % 1000), 3);
    *at++ = 'Z';
    *at = '\0';
    return 24;
}

/* Day number of the last Sunday of a month of 31 days. Day 0, 1970-01-01,
 * was a Thursday. */
static int64_t last_sunday(int year, int month)
{
    int64_t day = stile_date_days((struct stile_date){year, month, 31});
    int64_t weekday = day + 4 - floor_div(day + 4, 7) * 7;

    return day - weekday;
}

/* UTC microseconds at which summer time begins and ends in a year. */
static void summer_time(int year, stile_time *ret_from, stile_time *ret_to)
{
    *ret_from = (last_sunday(year, 3) * DAY_SECONDS + 3600) * STILE_SECOND;
    *ret_to = (last_sunday(year, 10) * DAY_SECONDS + 3600) * STILE_SECOND;
}

int stile_london_offset_minutes(stile_time t)
{
    int64_t days = floor_div(t, DAY_SECONDS * STILE_SECOND);
    struct stile_date date = stile_date_from_days(days);
    stile_time from;
    stile_time to;

    if (date.year == 0) {
        return 0;
    }
    summer_time(date.year, &from, &to);
    return t >= from && t < to ? 60 : 0;
}

int64_t stile_london_day(stile_time t)
{
    return floor_div(t + stile_london_offset_minutes(t) * 60 * STILE_SECOND,
                     DAY_SECONDS * STILE_SECOND);
}

stile_time stile_london_midnight(int64_t day)
{
    stile_time utc = day * (86400 * STILE_SECOND);
    stile_time hour = 3600 * STILE_SECOND;

    return stile_london_day(utc - hour) == day ? utc - hour : utc;
}

enum stile_status stile_london_to_utc(struct stile_date date, int hour,
                                      int minute, int second, stile_time *ret,
                                      int *ret_offset_minutes)
{
    const stile_time shift = 3600 * STILE_SECOND;
    stile_time civil;
    stile_time from;
    stile_time to;

    if (!stile_date_valid(date) || date.month == 0 || date.day == 0 ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 59) {
        return STILE_INVALID;
    }
    if (date.year < 1996) {
        return STILE_UNSUPPORTED;
    }
    civil = (stile_date_days(date) * DAY_SECONDS + hour * 3600 + minute * 60 +
             second) *
            STILE_SECOND;
    /* Only in March and October the day decides. */
    if (date.month != 3 && date.month != 10) {
        bool summer = date.month > 3 && date.month < 10;

        *ret = summer ? civil - shift : civil;
        *ret_offset_minutes = summer ? 60 : 0;
        return STILE_OK;
    }
    summer_time(date.year, &from, &to);
    if (civil >= from && civil < from + shift) {
        return STILE_INVALID;
    }
    if (civil >= from + shift && civil < to + shift) {
        *ret = civil - shift;
        *ret_offset_minutes = 60;
        return civil >= to ? STILE_CONFLICT : STILE_OK;
    }
    *ret = civil;
    *ret_offset_minutes = 0;
    return STILE_OK;
}
