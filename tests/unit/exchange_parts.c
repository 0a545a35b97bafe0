/* Several rows about one resource make one resource. */
#include <criterion/criterion.h>

#include "exchange_private.h"

struct parts {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_message message;
    struct stile_exchange x;
};

static void start(struct parts *p, const char *format)
{
    *p = (struct parts){.arena = stile_arena_new(1u << 20)};
    stile_diags_init(&p->diags, p->arena, 0);
    p->message.format = stile_str_cstr(format);
    p->x.arena = p->arena;
    p->x.message = &p->message;
}

static void part(struct parts *p, const char *json)
{
    struct stile_value **slot =
        stile__list_add(p->arena, &p->x.pivot, sizeof(*slot));
    cr_assert_not_null(slot);
    cr_assert_eq(stile_json_decode(stile_str_cstr(json), STILE_JSON_LIMITS,
                                   STILE_STR("part"), p->arena, &p->diags,
                                   slot),
                 STILE_OK);
}

static void is(const struct parts *p, size_t i, const char *json)
{
    struct stile_value *const *pivot = p->x.pivot.items;
    struct stile_buf out;
    cr_assert_lt(i, p->x.pivot.count);
    stile_buf_init(&out, 4096);
    stile_value_json(pivot[i], 0, &out);
    cr_expect(stile_str_eqc(stile_buf_str(&out), json), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
}

Test(exchange_parts, lists_come_together_and_what_came_first_stays)
{
    struct parts p;
    start(&p, "");
    part(&p, "{\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":\"female\","
             "\"name\":[{\"given\":[\"A\",\"B\"]}],"
             "\"managingOrganization\":{\"display\":\"here\"}}");
    part(&p, "{\"resourceType\":\"Observation\",\"id\":\"1\"}");
    part(&p,
         "{\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":\"male\","
         "\"telecom\":[{\"value\":\"1\"}],"
         "\"managingOrganization\":{\"display\":\"there\",\"type\":\"x\"}}");
    part(&p, "{\"resourceType\":\"Patient\",\"id\":\"1\","
             "\"telecom\":[{\"value\":\"1\"},{\"value\":\"2\"}]}");
    part(&p, "{\"resourceType\":\"Patient\",\"id\":\"2\"}");
    cr_assert_eq(stile__join_parts(&p.x), STILE_OK);
    cr_assert_eq(p.x.pivot.count, 3);
    is(&p, 0,
       "{\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":\"female\","
       "\"name\":[{\"given\":[\"A\",\"B\"]}],"
       "\"managingOrganization\":{\"display\":\"here\",\"type\":\"x\"},"
       "\"telecom\":[{\"value\":\"1\"},{\"value\":\"2\"}]}");
    is(&p, 1, "{\"resourceType\":\"Observation\",\"id\":\"1\"}");
    is(&p, 2, "{\"resourceType\":\"Patient\",\"id\":\"2\"}");
    stile_arena_free(&p.arena);
}

Test(exchange_parts, what_has_no_id_is_its_own)
{
    struct parts p;
    start(&p, "");
    part(&p, "{\"resourceType\":\"Observation\",\"status\":\"final\"}");
    part(&p, "{\"resourceType\":\"Observation\",\"status\":\"final\"}");
    cr_assert_eq(stile__join_parts(&p.x), STILE_OK);
    cr_assert_eq(p.x.pivot.count, 2);
    stile_arena_free(&p.arena);
}

Test(exchange_parts, a_message_is_left_as_it_came)
{
    struct parts p;
    start(&p, "fhir-json");
    part(&p, "{\"resourceType\":\"Patient\",\"id\":\"1\"}");
    part(&p, "{\"resourceType\":\"Patient\",\"id\":\"1\"}");
    cr_assert_eq(stile__join_parts(&p.x), STILE_OK);
    cr_assert_eq(p.x.pivot.count, 2);
    stile_arena_free(&p.arena);
}

Test(exchange_parts, rows_of_a_message_are_one_where_they_agree)
{
    struct parts p;
    start(&p, "vcse-csv");
    p.x.row_count = 3;
    part(&p, "{\"resourceType\":\"Patient\",\"id\":\"1\","
             "\"birthDate\":\"1984-11-23\",\"name\":[{\"family\":\"A\"}]}");
    part(&p, "{\"resourceType\":\"Patient\",\"id\":\"1\","
             "\"gender\":\"female\",\"name\":[{\"family\":\"A\"}]}");
    part(&p, "{\"resourceType\":\"Patient\",\"id\":\"2\"}");
    cr_assert_eq(stile__join_parts(&p.x), STILE_OK);
    cr_assert_eq(p.x.pivot.count, 2);
    is(&p, 0,
       "{\"resourceType\":\"Patient\",\"id\":\"1\",\"birthDate\":"
       "\"1984-11-23\",\"name\":[{\"family\":\"A\"}],\"gender\":"
       "\"female\"}");
    cr_assert_eq(p.diags.count, 0);
    stile_arena_free(&p.arena);
}

Test(exchange_parts, rows_of_a_message_that_contradict_are_refused)
{
    static const char *const others[] = {
        "{\"resourceType\":\"Patient\",\"id\":\"1\","
        "\"birthDate\":\"1984-11-24\"}",
        "{\"resourceType\":\"Patient\",\"id\":\"1\","
        "\"name\":[{\"family\":\"B\"}]}",
        "{\"resourceType\":\"Patient\",\"id\":\"1\","
        "\"maritalStatus\":{\"text\":\"y\"}}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct parts p;
        start(&p, "vcse-json");
        stile_diags_init(&p.x.diags, p.arena, 0);
        p.x.row_count = 2;
        part(&p, "{\"resourceType\":\"Patient\",\"id\":\"1\","
                 "\"birthDate\":\"1984-11-23\",\"name\":[{\"family\":"
                 "\"A\"}],\"maritalStatus\":{\"text\":\"x\"}}");
        part(&p, others[i]);
        cr_assert_eq(stile__join_parts(&p.x), STILE_INVALID);
        cr_assert_eq(p.x.diags.count, 1);
        cr_assert_str_eq(p.x.diags.items[0].code, "X113");
        cr_assert(stile_str_eqc(p.x.diags.items[0].path, "Patient"));
        stile_arena_free(&p.arena);
    }
}
