#include <stile/outbox.h>

struct review_state {
    const char *text;
    unsigned next;
};

#define TO(name) (1u << STILE_REVIEW_##name)
#define X(name, text, next) {text, next},
static const struct review_state states[STILE_REVIEW_COUNT] = {
    STILE_REVIEW_LIST(X)};
#undef X
#undef TO

static bool known(enum stile_review_state state)
{
    return (unsigned)state < STILE_REVIEW_COUNT;
}

const char *stile_review_state_text(enum stile_review_state state)
{
    STILE_ASSERT(known(state));
    return states[state].text;
}

bool stile_review_may(enum stile_review_state from, enum stile_review_state to)
{
    return known(from) && known(to) &&
           (states[from].next & (1u << (unsigned)to)) != 0;
}

enum stile_review_state stile_review_move(enum stile_review_state from,
                                          enum stile_review_state to)
{
    STILE_ASSERT(stile_review_may(from, to));
    return to;
}
