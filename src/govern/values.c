/* Building the reports of the analyses. */
#include "space.h"

void stile__put_text(struct stile__space *space, struct stile_value *object,
                     const char *name, struct stile_str text)
{
    (void)stile_value_set_str(space->arena, object, name, text);
}

void stile__put_count(struct stile__space *space, struct stile_value *object,
                      const char *name, size_t count)
{
    (void)stile_value_set(
        object, stile_str_cstr(name),
        stile_value_number(space->arena,
                           stile_arena_printf(space->arena, "%zu", count)));
}

void stile__put_date(struct stile__space *space, struct stile_value *object,
                     const char *name, struct stile_date date)
{
    stile__put_text(space, object, name,
                    stile_arena_printf(space->arena, "%04d-%02d-%02d",
                                       (int)date.year, (int)date.month,
                                       (int)date.day));
}

struct stile_value *stile__put_list(struct stile__space *space,
                                    struct stile_value *object,
                                    const char *name)
{
    return stile_value_set_new(space->arena, object, name, STILE_ARRAY);
}

void stile__push_text(struct stile__space *space, struct stile_value *list,
                      struct stile_str text)
{
    (void)stile_value_push(list, stile_value_string(space->arena, text));
}

void stile__put_route(struct stile__space *space, struct stile_value *object,
                      const struct stile__route *route)
{
    stile__put_text(space, object, "recipient", route->recipient);
    stile__put_text(space, object, "recipient-name", route->recipient_name);
    stile__put_text(space, object, "sender", route->sender);
    stile__put_text(space, object, "sender-name", route->sender_name);
    stile__put_text(space, object, "purpose", route->purpose);
    stile__put_text(space, object, "agreement", route->agreement);
}
