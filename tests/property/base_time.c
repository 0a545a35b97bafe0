#include <criterion/criterion.h>

#include <stile/base.h>

#include "property/seed.h"

#define DAY (86400 * STILE_SECOND)

static int slow_month_days(int year, int month)
{
    if (month == 2) {
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Every day of the years 1 to 9999, counted one by one. */
Test(property_base_time, days_and_dates_agree)
{
    struct stile_date d = {1, 1, 1};
    int64_t days = -719162;

    while (d.year <= 9999) {
        struct stile_date back = stile_date_from_days(days);

        if (stile_date_days(d) != days || back.year != d.year ||
            back.month != d.month || back.day != d.day ||
            !stile_date_valid(d)) {
            cr_assert_fail("%d-%d-%d", d.year, d.month, d.day);
        }
        days++;
        if (++d.day > slow_month_days(d.year, d.month)) {
            cr_assert_not(stile_date_valid(d));
            d.day = 1;
            if (++d.month > 12) {
                d.month = 1;
                d.year++;
            }
        }
    }
    cr_assert_eq(days, 2932897);
}

Test(property_base_time, format_and_parse_agree)
{
    uint64_t seed = seed_begin("format_and_parse");

    for (int round = 0; round < 100000; round++) {
        stile_time t =
            (-719162 + (stile_time)seed_below(&seed, 3652059)) * DAY +
            (stile_time)seed_below(&seed, 86400000) * 1000;
        stile_time back = 0;
        char text[25];
        size_t len = stile_time_format(t, text);

        cr_assert(stile_time_parse((struct stile_str){text, len}, &back));
        cr_assert_eq(back, t, "%s", text);
    }
}

/* UTC to London's clock and back. Returns what the way back said. */
static enum stile_status there_and_back(stile_time t)
{
    int offset = stile_london_offset_minutes(t);
    stile_time civil = t + offset * 60 * STILE_SECOND;
    int64_t days = civil / DAY;
    int second = (int)(civil % DAY / STILE_SECOND);
    stile_time back = 0;
    int back_offset = -1;
    enum stile_status status =
        stile_london_to_utc(stile_date_from_days(days), second / 3600,
                            second / 60 % 60, second % 60, &back, &back_offset);

    if (status == STILE_OK) {
        cr_assert_eq(back, t);
        cr_assert_eq(back_offset, offset);
    } else {
        /* The repeated hour: the earlier of two, so ours or one before. */
        cr_assert_eq(status, STILE_CONFLICT, "%lld", (long long)t);
        cr_assert_eq(back_offset, 60);
        cr_assert_eq(back, offset == 60 ? t : t - 3600 * STILE_SECOND);
    }
    return status;
}

Test(property_base_time, london_round_trip)
{
    uint64_t seed = seed_begin("london_round_trip");
    stile_time from =
        stile_date_days((struct stile_date){1996, 1, 1}) * DAY / STILE_SECOND;

    for (int round = 0; round < 200000; round++) {
        stile_time t =
            from + (stile_time)seed_below(&seed, (uint64_t)150 * 366 * 86400);

        (void)there_and_back(t * STILE_SECOND);
    }
}

/* Minute by minute through the last week of March and of October:
 * 120 repeated minutes in autumn, none in spring. */
Test(property_base_time, london_clock_changes)
{
    for (int year = 1996; year < 2100; year++) {
        int changes = 0;
        int repeated = 0;

        for (int month = 3; month <= 10; month += 7) {
            stile_time t =
                stile_date_days((struct stile_date){year, month, 25}) * DAY;
            stile_time end = t + 7 * DAY;
            int before = stile_london_offset_minutes(t - 60 * STILE_SECOND);

            for (; t < end; t += 60 * STILE_SECOND) {
                int now = stile_london_offset_minutes(t);

                if (now != before) {
                    cr_assert_eq(t % DAY, 3600 * STILE_SECOND);
                    cr_assert_eq((t / DAY + 4) % 7, 0, "a Sunday");
                    changes++;
                    before = now;
                }
                repeated += there_and_back(t) == STILE_CONFLICT;
            }
        }
        cr_assert_eq(changes, 2);
        cr_assert_eq(repeated, 120);
    }
}
