/*
 * The trip of one message. Read downward:
 *   decode.c    bytes or rows -> FHIR R4, the pivot     (BEGIN)
 *   persons.c   the pivot -> one group a person          (BEGIN)
 *   outcome.c   persons x routes -> what to make durable (FINISH)
 *   facts.c     what the message teaches about its persons
 *   marks.c     of an export: what changed since it was sent
 *   review.c    what waits for a person, and the words that were said
 *   release.c   a person's act on it
 *   disclose.c  one person, one route: govern, map out, encode
 *   entries.c   what the audit log will say of it
 */
#include "exchange_private.h"

/* A chain of look-ups (row -> row -> row) is as long as the longest chain in
 * a mapping; more rounds than this mean the answers do not settle. */
#define ROUNDS_MAX 8

enum stile_status stile_exchange_new(const struct stile_plan *plan,
                                     const struct stile_message *message,
                                     const struct stile_exchange_keys *keys,
                                     struct stile_arena *arena,
                                     struct stile_exchange **ret)
{
    struct stile_exchange *x = stile_arena_alloc(arena, sizeof(*x));
    if (x == NULL) {
        return STILE_NOMEM;
    }
    x->plan = plan;
    x->message = message;
    x->keys = keys;
    x->arena = arena;
    stile_diags_init(&x->diags, arena, 0);
    *ret = x;
    return STILE_OK;
}

void stile_exchange_keys_make(const uint8_t salt[32],
                              struct stile_digest *pseudonym,
                              struct stile_exchange_keys *ret)
{
    ret->salt = (struct stile_str){(const char *)salt, 32};
    stile_hmac_sha256(ret->salt, STILE_STR("pseudonym"), pseudonym);
    ret->pseudonym = (struct stile_str){(const char *)pseudonym->bytes, 32};
}

struct stile_digest stile_plan_ground(const struct stile_plan *plan,
                                      stile_time now)
{
    char text[32 + 24];
    struct stile_digest digest;
    memcpy(text, plan->digest.bytes, 32);
    int n = snprintf(text + 32, sizeof(text) - 32, "%lld",
                     (long long)stile_london_day(now));
    STILE_ASSERT(n > 0 && (size_t)n < sizeof(text) - 32);
    stile_sha256((struct stile_str){text, 32 + (size_t)n}, &digest);
    return digest;
}

static enum stile_status broken(struct stile_exchange *x,
                                enum stile_status status)
{
    x->stage = STAGE_BROKEN;
    return status;
}

/* Every person's facts are asked for once, when all persons are known. */
static enum stile_status ask_persons(struct stile_exchange *x)
{
    struct stile__person *persons = x->persons.items;
    for (size_t i = 0; i < x->persons.count; i++) {
        persons[i].need = x->needs.count;
        struct stile_need *need =
            stile__list_add(x->arena, &x->needs, sizeof(*need));
        if (need == NULL) {
            return STILE_NOMEM;
        }
        need->kind = STILE_NEED_PERSON;
        need->person = persons[i].key;
    }
    x->stage = STAGE_PERSONS;
    return x->persons.count == 0 ? STILE_OK : STILE_NEED;
}

static bool all_answered(const struct stile_exchange *x)
{
    const struct stile_need *needs = x->needs.items;
    for (size_t i = 0; i < x->needs.count; i++) {
        if (!needs[i].answered) {
            return false;
        }
    }
    return true;
}

static enum stile_status step(struct stile_exchange *x)
{
    enum stile_status status = STILE_OK;
    switch (x->stage) {
    case STAGE_NEW:
        status = stile__decode(x);
        x->stage = STAGE_MAPPING;
        return status;
    case STAGE_MAPPING:
        if (++x->rounds > ROUNDS_MAX) {
            (void)stile_diag_at_record(
                &x->diags, "X110", STILE_ERROR, x->message->name, 0,
                STILE_STR_NULL,
                "its rows refer to one another in too long a chain: see which "
                "look-ups the mapping makes");
            return STILE_LIMIT;
        }
        status = stile__map_rows(x);
        if (status != STILE_OK) {
            return status;
        }
        status = stile__join_parts(x);
        if (status != STILE_OK) {
            return status;
        }
        status = stile__split(x);
        return status == STILE_OK ? ask_persons(x) : status;
    case STAGE_PERSONS:
        x->stage = STAGE_READY;
        return STILE_OK;
    case STAGE_READY:
    case STAGE_BROKEN:
        break;
    }
    return STILE_OK;
}

enum stile_status stile_exchange_begin(struct stile_exchange *x)
{
    STILE_ASSERT(all_answered(x));
    while (x->stage != STAGE_READY) {
        enum stile_status status = step(x);
        if (stile_arena_failed(x->arena)) {
            return broken(x, STILE_LIMIT);
        }
        if (status == STILE_NEED) {
            return status;
        }
        if (status != STILE_OK) {
            return broken(x, status);
        }
    }
    return STILE_OK;
}

struct stile_need *stile_exchange_needs(struct stile_exchange *x,
                                        size_t *ret_count)
{
    *ret_count = x->needs.count;
    return x->needs.items;
}

enum stile_status stile_exchange_finish(struct stile_exchange *x,
                                        struct stile_accept *ret_accept)
{
    STILE_ASSERT(x->stage == STAGE_READY || x->stage == STAGE_BROKEN);
    return stile__outcome(x, ret_accept);
}

const struct stile_diags *stile_exchange_diags(const struct stile_exchange *x)
{
    return &x->diags;
}

void stile_exchange_rows(const struct stile_exchange *x, size_t *ret_read,
                         size_t *ret_used)
{
    *ret_read = x->row_count + x->unread_rows;
    *ret_used = x->row_count - x->refused_rows;
}

const struct stile_event *stile_exchange_events(const struct stile_exchange *x,
                                                size_t *ret_count)
{
    *ret_count = x->events.count;
    return x->events.items;
}
