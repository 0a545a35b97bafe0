#include <criterion/criterion.h>

#include <stile/base.h>

static stile_time at(const char *text)
{
    stile_time t = 0;

    cr_assert(stile_time_parse(stile_str_cstr(text), &t), "%s", text);
    return t;
}

static void refused(const char *text)
{
    stile_time t = 42;

    cr_assert_not(stile_time_parse(stile_str_cstr(text), &t), "%s", text);
    cr_assert_eq(t, 42);
}

static void check_format(stile_time t, const char *want)
{
    char out[25];

    cr_assert_eq(stile_time_format(t, out), 24);
    cr_assert_str_eq(out, want);
}

Test(base_time, dates)
{
    struct stile_date d;

    cr_assert(stile_date_parse(STILE_STR("2024-02-29"), &d));
    cr_assert(d.year == 2024 && d.month == 2 && d.day == 29);
    cr_assert(stile_date_parse(STILE_STR("1961-12"), &d));
    cr_assert(d.year == 1961 && d.month == 12 && d.day == 0);
    cr_assert(stile_date_parse(STILE_STR("9999"), &d));
    cr_assert(d.year == 9999 && d.month == 0 && d.day == 0);
}

Test(base_time, dates_refused)
{
    static const char *const bad[] = {
        "",           "0000",       "2023-02-29",  "1900-02-29", "2024-13",
        "2024-00",    "2024-01-00", "2024-04-31",  "2024-1-01",  "2024/01/01",
        "2024-01/01", "24-01-01",   "2024-01-01T", "2024-",      " 2024",
        "2024-01-",   "+024",       "2024-0a"};
    struct stile_date d = {1, 2, 3};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(stile_date_parse(stile_str_cstr(bad[i]), &d), "%s",
                      bad[i]);
    }
    cr_assert(d.year == 1 && d.month == 2 && d.day == 3);
    cr_assert_not(stile_date_valid((struct stile_date){2024, 0, 1}));
    cr_assert_not(stile_date_valid((struct stile_date){10000, 1, 1}));
    cr_assert_not(stile_date_valid((struct stile_date){2024, 1, -1}));
    cr_assert_not(stile_date_valid((struct stile_date){2024, -1, 1}));
}

Test(base_time, days_at_the_ends)
{
    struct stile_date d;

    cr_assert_eq(stile_date_days((struct stile_date){1970, 1, 1}), 0);
    cr_assert_eq(stile_date_days((struct stile_date){2000, 3, 1}), 11017);
    cr_assert_eq(stile_date_days((struct stile_date){1970, 0, 0}), 0);
    cr_assert_eq(stile_date_from_days(-719162).year, 1);
    cr_assert_eq(stile_date_from_days(-719163).year, 0);
    d = stile_date_from_days(2932896);
    cr_assert(d.year == 9999 && d.month == 12 && d.day == 31);
    cr_assert_eq(stile_date_from_days(2932897).year, 0);
    cr_assert_eq(stile_date_from_days(INT64_MAX).year, 0);
}

Test(base_time, instants)
{
    cr_assert_eq(at("1970-01-01T00:00:00Z"), 0);
    cr_assert_eq(at("2024-06-01T13:30:15+01:00"), at("2024-06-01T12:30:15Z"));
    cr_assert_eq(at("2024-06-01T00:00:00-14:00"), at("2024-06-01T14:00:00Z"));
    cr_assert_eq(at("1970-01-01T00:00:00.1234567Z"), 123456);
    cr_assert_eq(at("1969-12-31T23:59:59.5Z"), -500000);
    cr_assert_eq(at("2016-12-31T23:59:60Z"), at("2017-01-01T00:00:00Z"));
    check_format(at("2024-02-29T23:59:59.987654Z"), "2024-02-29T23:59:59.987Z");
    check_format(-1, "1969-12-31T23:59:59.999Z");
    check_format(INT64_MIN, "0001-01-01T00:00:00.000Z");
    check_format(INT64_MAX, "9999-12-31T23:59:59.999Z");
}

Test(base_time, instants_refused)
{
    refused("");
    refused("2024-06-01");
    refused("2024-06-01T12:30:15");
    refused("2024-06-01 12:30:15Z");
    refused("2024-06-01T12:30Z");
    refused("2024-06-01T24:00:00Z");
    refused("2024-06-01T12:60:00Z");
    refused("2024-06-01T12:30:61Z");
    refused("2024-06-01T12:30:15.Z");
    refused("2024-06-01T12:30:15.5");
    refused("2024-06-01T12:30:15z");
    refused("2024-06-01T12:30:15+14:01");
    refused("2024-06-01T12:30:15+1:00");
    refused("2024-06-01T12:30:15+01:60");
    refused("2024-06-01T12:30:15+01:00x");
    refused("2024-02-30T12:30:15Z");
    refused("9999-12-31T23:59:59-01:00");
    refused("0001-01-01T00:00:00+00:01");
}

struct civil {
    struct stile_date date;
    int hour, minute;
    enum stile_status status;
    const char *utc; /* when OK or CONFLICT */
    int offset;
};

Test(base_time, london_at_the_clock_changes)
{
    static const struct civil cases[] = {
        {{2024, 3, 31}, 0, 59, STILE_OK, "2024-03-31T00:59:00Z", 0},
        {{2024, 3, 31}, 1, 0, STILE_INVALID, NULL, 0},
        {{2024, 3, 31}, 1, 59, STILE_INVALID, NULL, 0},
        {{2024, 3, 31}, 2, 0, STILE_OK, "2024-03-31T01:00:00Z", 60},
        {{2024, 10, 27}, 0, 59, STILE_OK, "2024-10-26T23:59:00Z", 60},
        {{2024, 10, 27}, 1, 0, STILE_CONFLICT, "2024-10-27T00:00:00Z", 60},
        {{2024, 10, 27}, 1, 59, STILE_CONFLICT, "2024-10-27T00:59:00Z", 60},
        {{2024, 10, 27}, 2, 0, STILE_OK, "2024-10-27T02:00:00Z", 0},
        /* October's last Sunday is the 31st. */
        {{2027, 10, 31}, 1, 30, STILE_CONFLICT, "2027-10-31T00:30:00Z", 60},
        {{2025, 7, 1}, 0, 0, STILE_OK, "2025-06-30T23:00:00Z", 60},
        {{2025, 12, 25}, 23, 59, STILE_OK, "2025-12-25T23:59:00Z", 0},
        {{1996, 1, 1}, 0, 0, STILE_OK, "1996-01-01T00:00:00Z", 0},
        {{1995, 12, 31}, 23, 59, STILE_UNSUPPORTED, NULL, 0},
        {{2024, 2, 30}, 12, 0, STILE_INVALID, NULL, 0},
        {{2024, 2, 0}, 12, 0, STILE_INVALID, NULL, 0},
        {{2024, 2, 1}, 24, 0, STILE_INVALID, NULL, 0},
        {{2024, 2, 1}, 12, 60, STILE_INVALID, NULL, 0}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct civil *c = &cases[i];
        stile_time t = 42;
        int offset = 42;

        cr_assert_eq(
            stile_london_to_utc(c->date, c->hour, c->minute, 0, &t, &offset),
            c->status, "case %zu", i);
        cr_assert_eq(t, c->utc ? at(c->utc) : 42, "case %zu", i);
        cr_assert_eq(offset, c->utc ? c->offset : 42, "case %zu", i);
    }
}

Test(base_time, london_offsets)
{
    cr_assert_eq(stile_london_offset_minutes(at("2024-03-31T00:59:59.999999Z")),
                 0);
    cr_assert_eq(stile_london_offset_minutes(at("2024-03-31T01:00:00Z")), 60);
    cr_assert_eq(stile_london_offset_minutes(at("2024-10-27T00:59:59.999999Z")),
                 60);
    cr_assert_eq(stile_london_offset_minutes(at("2024-10-27T01:00:00Z")), 0);
    cr_assert_eq(stile_london_offset_minutes(INT64_MAX), 0);
}

Test(base_time, london_days)
{
    struct stile_date midsummer = {2026, 6, 21}, midwinter = {2026, 12, 21};

    cr_assert_eq(stile_london_day(at("2026-06-20T22:59:59Z")) + 1,
                 stile_date_days(midsummer));
    cr_assert_eq(stile_london_day(at("2026-06-20T23:00:00Z")),
                 stile_date_days(midsummer));
    cr_assert_eq(stile_london_day(at("2026-12-20T23:59:59Z")) + 1,
                 stile_date_days(midwinter));
    cr_assert_eq(stile_london_day(at("2026-12-21T00:00:00Z")),
                 stile_date_days(midwinter));
}

Test(base_time, london_midnight_is_where_the_day_begins)
{
    struct stile_date first = {2026, 1, 1}, last = {2026, 12, 31};
    int64_t day;

    for (day = stile_date_days(first); day <= stile_date_days(last); day++) {
        stile_time begin = stile_london_midnight(day);

        cr_assert_eq(stile_london_day(begin), day);
        cr_assert_eq(stile_london_day(begin - 1), day - 1);
    }
}
