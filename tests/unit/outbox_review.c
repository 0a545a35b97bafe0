#include <criterion/criterion.h>
#include <stile/outbox.h>

/* Only what waits can end, and nothing comes back. */
Test(outbox_review, ends_once)
{
    for (unsigned from = 0; from <= STILE_REVIEW_COUNT; from++) {
        for (unsigned to = 0; to <= STILE_REVIEW_COUNT; to++) {
            bool may = from == STILE_REVIEW_WAITING &&
                       to != STILE_REVIEW_WAITING && to < STILE_REVIEW_COUNT;

            cr_assert_eq(stile_review_may((enum stile_review_state)from,
                                          (enum stile_review_state)to),
                         may, "%u to %u", from, to);
        }
    }
    cr_assert_eq(stile_review_move(STILE_REVIEW_WAITING, STILE_REVIEW_LAPSED),
                 STILE_REVIEW_LAPSED);
    cr_assert_str_eq(stile_review_state_text(STILE_REVIEW_REFUSED), "refused");
}
