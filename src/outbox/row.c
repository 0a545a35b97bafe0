#include <stile/outbox.h>

struct row_state {
    const char *text;
    bool final;
    unsigned next;
};

#define TO(name) (1u << STILE_ROW_##name)
#define X(name, text, final, next) {text, final, next},
static const struct row_state states[STILE_ROW_COUNT] = {STILE_ROW_LIST(X)};
#undef X
#undef TO

static bool known(enum stile_row_state state)
{
    return (unsigned)state < STILE_ROW_COUNT;
}

const char *stile_row_state_text(enum stile_row_state state)
{
    STILE_ASSERT(known(state));
    return states[state].text;
}

bool stile_row_final(enum stile_row_state state)
{
    STILE_ASSERT(known(state));
    return states[state].final;
}

bool stile_row_state_parse(struct stile_str text, enum stile_row_state *ret)
{
    for (unsigned i = 0; i < STILE_ROW_COUNT; i++) {
        if (stile_str_eqc(text, states[i].text)) {
            *ret = (enum stile_row_state)i;
            return true;
        }
    }
    return false;
}

bool stile_row_may(enum stile_row_state from, enum stile_row_state to)
{
    return known(from) && known(to) &&
           (states[from].next & (1u << (unsigned)to)) != 0;
}

enum stile_row_state stile_row_move(enum stile_row_state from,
                                    enum stile_row_state to)
{
    STILE_ASSERT(stile_row_may(from, to));
    return to;
}

/* Statuses (RFC 9110, 6585, 8470, 4918) that tell of the road, the door or
 * the moment and not of the body. */
static bool tells_of_the_road(int status)
{
    static const int road[] = {401, 403, 404, 405, 407, 408, 421, 423,
                               425, 429, 501, 502, 503, 504, 507};

    for (size_t i = 0; i < sizeof road / sizeof road[0]; i++) {
        if (road[i] == status) {
            return true;
        }
    }
    return status >= 300 && status < 400;
}

enum stile_send_result stile_send_judge(int http_status, bool body_sent)
{
    if (http_status < 200) {
        return body_sent ? STILE_SEND_UNKNOWN : STILE_SEND_LATER;
    }
    if (http_status < 300 || http_status == 409) {
        return STILE_SEND_DONE;
    }
    if (tells_of_the_road(http_status)) {
        return STILE_SEND_LATER;
    }
    return http_status < 500 ? STILE_SEND_REFUSED : STILE_SEND_UNKNOWN;
}

static stile_time least_of(stile_time a, stile_time b)
{
    return a < b ? a : b;
}

static stile_time most_of(stile_time a, stile_time b)
{
    return a > b ? a : b;
}

/* Never negative, never past the type: times come from files and clocks. */
static stile_time age_of(stile_time then, stile_time now)
{
    if (now <= then) {
        return 0;
    }
    return then < 0 && now > INT64_MAX + then ? INT64_MAX : now - then;
}

static stile_time delay_of(stile_time age, uint32_t attempts,
                           stile_time retry_after, uint32_t random,
                           const struct stile_retry *retry)
{
    stile_time sends = attempts > 0 ? (stile_time)attempts : 1;
    stile_time floor_delay =
        retry->least > retry->most / sends ? retry->most : retry->least * sends;
    stile_time delay = most_of(most_of(age, floor_delay), retry_after);

    delay = least_of(delay, retry->most);
    /* a quarter as parts of 2^32, without leaving 64 bits */
    return delay + (delay / 4 >> 16) * (stile_time)(random >> 16) +
           (((delay / 4 & 0xffff) * (stile_time)(random >> 16)) >> 16);
}

struct stile_row_step
stile_row_after_send(enum stile_send_result result, stile_time queued_at,
                     stile_time now, uint32_t attempts, stile_time retry_after,
                     uint32_t random, const struct stile_retry *retry)
{
    struct stile_row_step step = {STILE_ROW_DONE, 0};
    stile_time age = age_of(queued_at, now);
    stile_time delay;

    STILE_ASSERT(retry->least > 0 && retry->most >= retry->least &&
                 retry->most <= INT64_MAX / 2);
    if (result == STILE_SEND_DONE) {
        return step;
    }
    if (result == STILE_SEND_REFUSED) {
        step.state = STILE_ROW_REFUSED;
        return step;
    }
    if (age >= retry->give_up) {
        step.state = STILE_ROW_PARKED;
        return step;
    }
    step.state =
        result == STILE_SEND_LATER ? STILE_ROW_DEFERRED : STILE_ROW_UNKNOWN;
    delay = delay_of(age, attempts, retry_after, random, retry);
    step.due = now > INT64_MAX - delay ? INT64_MAX : now + delay;
    return step;
}
