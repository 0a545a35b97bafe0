#include <stile/outbox.h>

struct partner_state {
    const char *text;
    unsigned next;
};

#define TO(name) (1u << STILE_PARTNER_##name)
#define X(name, text, next) {text, next},
static const struct partner_state states[STILE_PARTNER_COUNT] = {
    STILE_PARTNER_LIST(X)};
#undef X
#undef TO

const char *stile_partner_state_text(enum stile_partner_state state)
{
    STILE_ASSERT((unsigned)state < STILE_PARTNER_COUNT);
    return states[state].text;
}

bool stile_partner_may(enum stile_partner_state from,
                       enum stile_partner_state to)
{
    return (unsigned)from < STILE_PARTNER_COUNT &&
           (unsigned)to < STILE_PARTNER_COUNT &&
           (states[from].next & (1u << (unsigned)to)) != 0;
}

static void move(struct stile_partner_health *health,
                 enum stile_partner_state to, const char *reason)
{
    STILE_ASSERT(stile_partner_may(health->state, to));
    health->state = to;
    health->reason = reason;
    health->cohort_ok = 0;
    health->cohort_failed = 0;
    health->cohort_size = 0;
    health->rest_until = 0;
}

void stile_partner_init(struct stile_partner_health *health)
{
    *health = (struct stile_partner_health){.state = STILE_PARTNER_READY,
                                            .reason = ""};
}

static void rest(struct stile_partner_health *health, const char *reason,
                 stile_time now, const struct stile_partner_policy *policy)
{
    uint32_t over = health->failed_cohorts > policy->cohorts
                        ? health->failed_cohorts - policy->cohorts
                        : 0;
    stile_time length = policy->rest_least;

    for (; over > 0 && length < policy->rest_most; over--) {
        length =
            length > policy->rest_most / 2 ? policy->rest_most : length * 2;
    }
    move(health, STILE_PARTNER_RESTING, reason);
    health->rest_until = now > INT64_MAX - length ? INT64_MAX : now + length;
}

uint32_t stile_partner_room(struct stile_partner_health *health, stile_time now,
                            const struct stile_partner_policy *policy)
{
    if (health->state == STILE_PARTNER_RESTING && now >= health->rest_until) {
        const char *reason = health->reason;

        move(health, STILE_PARTNER_READY, reason);
        move(health, STILE_PARTNER_PROBING, reason);
    }
    switch (health->state) {
    case STILE_PARTNER_READY:
        return policy->window > health->in_flight
                   ? policy->window - health->in_flight
                   : 0;
    case STILE_PARTNER_PROBING:
        return health->in_flight == 0 ? 1 : 0;
    case STILE_PARTNER_RESTING:
    case STILE_PARTNER_PAUSED:
    case STILE_PARTNER_COUNT:
        break;
    }
    return 0;
}

void stile_partner_started(struct stile_partner_health *health)
{
    STILE_ASSERT(health->in_flight < UINT32_MAX);
    health->in_flight++;
}

static void ended_ready(struct stile_partner_health *health, bool failed,
                        const char *reason, stile_time now,
                        const struct stile_partner_policy *policy)
{
    if (health->cohort_size == 0) {
        health->cohort_size = health->in_flight + 1;
    }
    if (failed) {
        health->cohort_failed++;
    } else {
        health->cohort_ok++;
    }
    if (health->cohort_ok + health->cohort_failed < health->cohort_size) {
        return;
    }
    health->failed_cohorts =
        health->cohort_ok > 0 ? 0 : health->failed_cohorts + 1;
    if (health->failed_cohorts > 0 &&
        health->failed_cohorts >= policy->cohorts) {
        rest(health, reason, now, policy);
        return;
    }
    health->cohort_ok = 0;
    health->cohort_failed = 0;
    health->cohort_size = 0;
}

void stile_partner_ended(struct stile_partner_health *health,
                         enum stile_send_result result, const char *reason,
                         stile_time now,
                         const struct stile_partner_policy *policy)
{
    bool failed = result == STILE_SEND_LATER || result == STILE_SEND_UNKNOWN;

    STILE_ASSERT(health->in_flight > 0);
    health->in_flight--;
    switch (health->state) {
    case STILE_PARTNER_READY:
        ended_ready(health, failed, reason, now, policy);
        break;
    case STILE_PARTNER_PROBING:
        move(health, STILE_PARTNER_READY, "");
        if (failed) {
            health->failed_cohorts += health->failed_cohorts < UINT32_MAX;
            rest(health, reason, now, policy);
        } else {
            health->failed_cohorts = 0;
        }
        break;
    case STILE_PARTNER_RESTING: /* begun before the rest: tells nothing new */
    case STILE_PARTNER_PAUSED:
    case STILE_PARTNER_COUNT:
        break;
    }
}

void stile_partner_pause(struct stile_partner_health *health, bool pause)
{
    if (pause == (health->state == STILE_PARTNER_PAUSED)) {
        return;
    }
    if (health->state != STILE_PARTNER_READY) {
        move(health, STILE_PARTNER_READY, "");
    }
    if (pause) {
        move(health, STILE_PARTNER_PAUSED, "paused by an operator");
    } else {
        health->failed_cohorts = 0;
    }
}
