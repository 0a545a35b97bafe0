#include <criterion/criterion.h>
#include <stile/outbox.h>

static const struct stile_partner_policy policy = {4, 1, 5 * STILE_SECOND,
                                                   60 * STILE_SECOND};

static void start(struct stile_partner_health *health, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        stile_partner_started(health);
    }
}

static void end(struct stile_partner_health *health, uint32_t count,
                enum stile_send_result result, stile_time now)
{
    for (uint32_t i = 0; i < count; i++) {
        stile_partner_ended(health, result, "connect failed", now, &policy);
    }
}

Test(outbox_partner, all_lead_back_to_ready)
{
    for (unsigned from = 0; from < STILE_PARTNER_COUNT; from++) {
        for (unsigned to = 0; to < STILE_PARTNER_COUNT; to++) {
            bool wanted =
                (from == STILE_PARTNER_READY) != (to == STILE_PARTNER_READY);

            cr_assert_eq(stile_partner_may((enum stile_partner_state)from,
                                           (enum stile_partner_state)to),
                         wanted);
        }
    }
    cr_assert_not(stile_partner_may(STILE_PARTNER_COUNT, STILE_PARTNER_READY));
    cr_assert_str_eq(stile_partner_state_text(STILE_PARTNER_RESTING),
                     "resting");
}

Test(outbox_partner, window)
{
    struct stile_partner_health health;

    stile_partner_init(&health);
    cr_assert_eq(stile_partner_room(&health, 0, &policy), 4);
    start(&health, 3);
    cr_assert_eq(stile_partner_room(&health, 0, &policy), 1);
    start(&health, 2);
    cr_assert_eq(stile_partner_room(&health, 0, &policy), 0);
}

Test(outbox_partner, one_success_saves_the_cohort)
{
    struct stile_partner_health health;

    stile_partner_init(&health);
    start(&health, 4);
    end(&health, 3, STILE_SEND_LATER, 1);
    cr_assert_eq(health.state, STILE_PARTNER_READY);
    end(&health, 1, STILE_SEND_REFUSED, 1); /* an answer: it is well */
    cr_assert_eq(health.state, STILE_PARTNER_READY);
    cr_assert_eq(health.failed_cohorts, 0);
}

Test(outbox_partner, a_failed_cohort_rests_then_probes)
{
    struct stile_partner_health health;
    stile_time now = 10 * STILE_SECOND;

    stile_partner_init(&health);
    start(&health, 4);
    end(&health, 2, STILE_SEND_LATER, now);
    end(&health, 2, STILE_SEND_UNKNOWN, now);
    cr_assert_eq(health.state, STILE_PARTNER_RESTING);
    cr_assert_str_eq(health.reason, "connect failed");
    cr_assert_eq(health.rest_until, now + 5 * STILE_SECOND);
    cr_assert_eq(
        stile_partner_room(&health, now + 5 * STILE_SECOND - 1, &policy), 0);
    now += 5 * STILE_SECOND;
    cr_assert_eq(stile_partner_room(&health, now, &policy), 1);
    cr_assert_eq(health.state, STILE_PARTNER_PROBING);
    start(&health, 1);
    cr_assert_eq(stile_partner_room(&health, now, &policy), 0);
    end(&health, 1, STILE_SEND_DONE, now);
    cr_assert_eq(health.state, STILE_PARTNER_READY);
    cr_assert_eq(stile_partner_room(&health, now, &policy), 4);
    cr_assert_eq(health.failed_cohorts, 0);
}

Test(outbox_partner, rests_double_to_a_bound)
{
    struct stile_partner_health health;
    stile_time now = 0;
    static const stile_time rests[] = {5, 10, 20, 40, 60, 60};

    stile_partner_init(&health);
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        cr_assert_geq(stile_partner_room(&health, now, &policy), 1);
        start(&health, 1);
        end(&health, 1, STILE_SEND_LATER, now);
        cr_assert_eq(health.state, STILE_PARTNER_RESTING);
        cr_assert_eq(health.rest_until, now + rests[i] * STILE_SECOND);
        now = health.rest_until;
    }
}

Test(outbox_partner, cohorts_are_counted)
{
    struct stile_partner_policy two = policy;
    struct stile_partner_health health;

    two.cohorts = 2;
    stile_partner_init(&health);
    start(&health, 1);
    stile_partner_ended(&health, STILE_SEND_LATER, "x", 1, &two);
    cr_assert_eq(health.state, STILE_PARTNER_READY);
    start(&health, 1);
    stile_partner_ended(&health, STILE_SEND_LATER, "x", 1, &two);
    cr_assert_eq(health.state, STILE_PARTNER_RESTING);
    cr_assert_eq(health.rest_until, 1 + 5 * STILE_SECOND);
}

Test(outbox_partner, late_endings_do_not_move_a_resting_one)
{
    struct stile_partner_health health;

    stile_partner_init(&health);
    start(&health, 1);
    end(&health, 1, STILE_SEND_LATER, 1);
    start(&health, 1);
    end(&health, 1, STILE_SEND_DONE, 2);
    cr_assert_eq(health.state, STILE_PARTNER_RESTING);
    cr_assert_eq(health.in_flight, 0);
}

Test(outbox_partner, pause)
{
    struct stile_partner_health health;

    stile_partner_init(&health);
    start(&health, 2);
    end(&health, 2, STILE_SEND_LATER, 1);
    stile_partner_pause(&health, true);
    cr_assert_eq(health.state, STILE_PARTNER_PAUSED);
    cr_assert_eq(stile_partner_room(&health, INT64_MAX, &policy), 0);
    stile_partner_pause(&health, true);
    cr_assert_eq(health.state, STILE_PARTNER_PAUSED);
    stile_partner_pause(&health, false);
    cr_assert_eq(health.state, STILE_PARTNER_READY);
    cr_assert_eq(health.failed_cohorts, 0);
    cr_assert_eq(stile_partner_room(&health, 1, &policy), 4);
    stile_partner_pause(&health, false);
    cr_assert_eq(health.state, STILE_PARTNER_READY);
}
