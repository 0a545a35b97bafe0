#include <criterion/criterion.h>
#include <stile/outbox.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define S(literal) STILE_STR(literal)

Test(outbox_row, names_read_back)
{
    for (unsigned i = 0; i < STILE_ROW_COUNT; i++) {
        enum stile_row_state state = (enum stile_row_state)i;
        enum stile_row_state got = STILE_ROW_COUNT;

        cr_assert(stile_row_state_parse(
            stile_str_cstr(stile_row_state_text(state)), &got));
        cr_assert_eq(got, state);
    }
}

Test(outbox_row, unknown_name_leaves_the_output)
{
    enum stile_row_state got = STILE_ROW_PARKED;

    cr_assert_not(stile_row_state_parse(S("Queued"), &got));
    cr_assert_not(stile_row_state_parse(S(""), &got));
    cr_assert_eq(got, STILE_ROW_PARKED);
}

/* The table, written a second time by hand. */
Test(outbox_row, steps)
{
    static const char *const table[] = {
        "queued sending",   "queued parked",    "queued withdrawn",
        "sending done",     "sending deferred", "sending refused",
        "sending unknown",  "sending parked",   "sending withdrawn",
        "deferred sending", "deferred parked",  "deferred withdrawn",
        "unknown sending",  "unknown parked",   "unknown withdrawn",
        "parked queued",    "parked withdrawn",
    };
    size_t allowed = 0;

    for (unsigned from = 0; from < STILE_ROW_COUNT; from++) {
        for (unsigned to = 0; to < STILE_ROW_COUNT; to++) {
            char step[64];
            bool wanted = false;

            (void)snprintf(step, sizeof step, "%s %s",
                           stile_row_state_text((enum stile_row_state)from),
                           stile_row_state_text((enum stile_row_state)to));
            for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
                wanted = wanted || strcmp(step, table[i]) == 0;
            }
            cr_assert_eq(stile_row_may((enum stile_row_state)from,
                                       (enum stile_row_state)to),
                         wanted, "%s", step);
            allowed += wanted;
        }
    }
    cr_assert_eq(allowed, sizeof table / sizeof table[0]);
}

Test(outbox_row, final_states_lead_nowhere)
{
    for (unsigned from = 0; from < STILE_ROW_COUNT; from++) {
        bool leads = false;

        for (unsigned to = 0; to < STILE_ROW_COUNT; to++) {
            leads = leads || stile_row_may((enum stile_row_state)from,
                                           (enum stile_row_state)to);
        }
        cr_assert_eq(leads, !stile_row_final((enum stile_row_state)from));
    }
    cr_assert_not(stile_row_may(STILE_ROW_COUNT, STILE_ROW_DONE));
    cr_assert_not(stile_row_may(STILE_ROW_SENDING, STILE_ROW_COUNT));
}

Test(outbox_row, move_gives_the_new_state)
{
    cr_assert_eq(stile_row_move(STILE_ROW_QUEUED, STILE_ROW_SENDING),
                 STILE_ROW_SENDING);
}

Test(outbox_row, a_wrong_step_is_our_error, .signal = SIGABRT)
{
    (void)stile_row_move(STILE_ROW_DONE, STILE_ROW_SENDING);
}

/* ---- judging ---- */

Test(outbox_judge, every_status)
{
    for (int status = 200; status < 600; status++) {
        enum stile_send_result wanted = STILE_SEND_UNKNOWN;
        static const int later[] = {401, 403, 404, 405, 407, 408, 421, 423,
                                    425, 429, 501, 502, 503, 504, 507};

        if (status < 300 || status == 409) {
            wanted = STILE_SEND_DONE;
        } else if (status < 400) {
            wanted = STILE_SEND_LATER;
        } else if (status < 500) {
            wanted = STILE_SEND_REFUSED;
        }
        for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
            wanted = later[i] == status ? STILE_SEND_LATER : wanted;
        }
        cr_assert_eq(stile_send_judge(status, true), wanted, "%d", status);
        cr_assert_eq(stile_send_judge(status, false), wanted, "%d", status);
    }
}

Test(outbox_judge, no_answer)
{
    cr_assert_eq(stile_send_judge(0, false), STILE_SEND_LATER);
    cr_assert_eq(stile_send_judge(0, true), STILE_SEND_UNKNOWN);
    cr_assert_eq(stile_send_judge(100, true), STILE_SEND_UNKNOWN);
}

/* ---- retry ---- */

static struct stile_row_step later(stile_time queued_at, stile_time now,
                                   uint32_t attempts, stile_time retry_after,
                                   uint32_t random)
{
    return stile_row_after_send(STILE_SEND_LATER, queued_at, now, attempts,
                                retry_after, random, &STILE_RETRY);
}

Test(outbox_retry, results)
{
    struct stile_row_step step = stile_row_after_send(
        STILE_SEND_DONE, 0, STILE_SECOND, 1, 0, 0, &STILE_RETRY);

    cr_assert_eq(step.state, STILE_ROW_DONE);
    cr_assert_eq(step.due, 0);
    step = stile_row_after_send(STILE_SEND_REFUSED, 0, STILE_SECOND, 1, 0, 0,
                                &STILE_RETRY);
    cr_assert_eq(step.state, STILE_ROW_REFUSED);
    cr_assert_eq(step.due, 0);
    step = stile_row_after_send(STILE_SEND_UNKNOWN, 0, STILE_SECOND, 1, 0, 0,
                                &STILE_RETRY);
    cr_assert_eq(step.state, STILE_ROW_UNKNOWN);
    cr_assert_eq(step.due, 6 * STILE_SECOND);
}

Test(outbox_retry, delay_follows_the_time_in_queue)
{
    cr_assert_eq(later(0, STILE_SECOND, 1, 0, 0).due, 6 * STILE_SECOND);
    cr_assert_eq(later(0, 60 * STILE_SECOND, 3, 0, 0).due, 120 * STILE_SECOND);
    cr_assert_eq(later(0, 1800 * STILE_SECOND, 3, 0, 0).due,
                 3600 * STILE_SECOND);
    cr_assert_eq(later(0, 1801 * STILE_SECOND, 3, 0, 0).due,
                 3601 * STILE_SECOND, "bounded above");
}

Test(outbox_retry, a_clock_set_back_does_not_hammer)
{
    cr_assert_eq(later(1000 * STILE_SECOND, 0, 1, 0, 0).due, 5 * STILE_SECOND);
    cr_assert_eq(later(1000 * STILE_SECOND, 0, 10, 0, 0).due,
                 50 * STILE_SECOND);
    cr_assert_eq(later(1000 * STILE_SECOND, 0, UINT32_MAX, 0, 0).due,
                 1800 * STILE_SECOND);
}

Test(outbox_retry, retry_after_is_honoured_to_a_bound)
{
    cr_assert_eq(later(0, 0, 1, 90 * STILE_SECOND, 0).due, 90 * STILE_SECOND);
    cr_assert_eq(later(0, 0, 1, STILE_SECOND, 0).due, 5 * STILE_SECOND);
    cr_assert_eq(later(0, 0, 1, 7200 * STILE_SECOND, 0).due,
                 1800 * STILE_SECOND);
}

Test(outbox_retry, spread_is_less_than_a_quarter)
{
    stile_time least = later(0, 100 * STILE_SECOND, 1, 0, 0).due;
    stile_time most = later(0, 100 * STILE_SECOND, 1, 0, UINT32_MAX).due;
    stile_time before = least;

    cr_assert_eq(least, 200 * STILE_SECOND);
    cr_assert_gt(most, 224 * STILE_SECOND);
    cr_assert_lt(most, 225 * STILE_SECOND);
    for (uint32_t i = 1; i < 16; i++) {
        stile_time due = later(0, 100 * STILE_SECOND, 1, 0, i << 28).due;

        cr_assert_gt(due, before);
        before = due;
    }
}

Test(outbox_retry, parked_at_its_age_and_not_before)
{
    stile_time age = STILE_RETRY.give_up;
    struct stile_row_step step = later(0, age - 1, 9, 0, 0);

    cr_assert_eq(step.state, STILE_ROW_DEFERRED);
    step = later(0, age, 9, 0, 0);
    cr_assert_eq(step.state, STILE_ROW_PARKED);
    cr_assert_eq(step.due, 0);
    step =
        stile_row_after_send(STILE_SEND_UNKNOWN, 0, age, 9, 0, 0, &STILE_RETRY);
    cr_assert_eq(step.state, STILE_ROW_PARKED);
    step = stile_row_after_send(STILE_SEND_DONE, 0, age, 9, 0, 0, &STILE_RETRY);
    cr_assert_eq(step.state, STILE_ROW_DONE);
}

Test(outbox_retry, times_at_the_ends_of_the_type)
{
    struct stile_row_step step = later(INT64_MIN, INT64_MAX, 1, 0, 0);

    cr_assert_eq(step.state, STILE_ROW_PARKED);
    step = later(INT64_MAX, INT64_MAX, 1, INT64_MAX, UINT32_MAX);
    cr_assert_eq(step.state, STILE_ROW_DEFERRED);
    cr_assert_eq(step.due, INT64_MAX);
    step = later(INT64_MAX, INT64_MIN, 1, INT64_MIN, 0);
    cr_assert_eq(step.due, INT64_MIN + 5 * STILE_SECOND);
}
