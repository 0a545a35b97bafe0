#include "cli_trip.h"

/* Nothing of a dry trip is kept, so nothing can be linked by these. */
static const char no_key[32];

static void answer(struct cli_trip *trip, struct stile_need *need)
{
    const struct stile_row *row = NULL;

    if (need->kind == STILE_NEED_ROW && trip->rows) {
        row = stile__cli_rows_find(trip->rows, need->table, need->column,
                                   need->key);
    }
    if (row) {
        need->row = *row;
        need->found = true;
    }
    need->answered = true;
}

static enum stile_status begin(struct cli_trip *trip)
{
    enum stile_status status = stile_exchange_begin(trip->exchange);

    while (status == STILE_NEED) {
        size_t count = 0;
        struct stile_need *needs = stile_exchange_needs(trip->exchange, &count);

        for (size_t i = 0; i < count; i++) {
            if (!needs[i].answered) {
                answer(trip, &needs[i]);
            }
        }
        status = stile_exchange_begin(trip->exchange);
    }
    return status;
}

enum stile_status stile__cli_trip(struct cli_trip *trip)
{
    struct stile_exchange_keys *keys =
        stile_arena_alloc(trip->arena, sizeof(*keys));
    enum stile_status status;

    if (!keys) {
        return STILE_NOMEM;
    }
    keys->salt = (struct stile_str){no_key, sizeof(no_key)};
    keys->pseudonym = keys->salt;
    status = stile_exchange_new(trip->plan, &trip->message, keys, trip->arena,
                                &trip->exchange);
    if (status != STILE_OK) {
        return status;
    }
    status = begin(trip);
    trip->usable = status == STILE_OK;
    /* What stopped it is in its findings; finish makes the quarantine. */
    return stile_exchange_finish(trip->exchange, &trip->accept);
}
