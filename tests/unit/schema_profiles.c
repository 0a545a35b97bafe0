/* The .profiles files: loading and look-ups; what references may name. */
#include <criterion/criterion.h>

#include "schema_private.h"

struct fixture {
    struct stile_arena *arena;
    struct stile_schema *schema;
    struct stile_diags diags;
};

static void start(struct fixture *f)
{
    f->arena = stile_arena_new(8u << 20);
    cr_assert_not_null(f->arena);
    stile_diags_init(&f->diags, f->arena, 0);
    f->schema = stile_schema_new(f->arena);
}

static enum stile_status add(struct fixture *f, const char *text)
{
    struct stile_source source = {STILE_STR("x.profiles"),
                                  stile_str_cstr(text)};
    return stile_schema_add_profiles(f->schema, &source, &f->diags);
}

#define HEAD "profile p Patient urn:p 1 here\n"

Test(schema_profiles, says_what_was_written)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(add(&f, "# a guide\n" HEAD "  identifier must\r\n"
                         "  identifier:nhs where system=urn:nhs max 1 # one\n"
                         "  identifier:nhs.value min 1\n"
                         "  gender fixed male\n"
                         "  maritalStatus bind extensible urn:vs\n"
                         "  managingOrganization to Organization\n"
                         "valueset urn:vs urn:a urn:b\n"),
                 STILE_OK);
    const struct stile_profile *p =
        stile_schema_profile(f.schema, STILE_STR("urn:p|2"));
    cr_assert_not_null(p);
    cr_assert_eq(stile_schema_profile(f.schema, STILE_STR("p")), p);
    cr_assert_null(stile_schema_profile(f.schema, STILE_STR("q")));
    cr_assert_eq(stile_schema_profile_count(f.schema), 1);
    cr_assert_eq(stile_schema_profile_at(f.schema, 0), p);
    cr_assert_null(stile_schema_profile_at(f.schema, 1));
    cr_assert_eq(p->count, 6);
    cr_assert(p->elements[0].must_support);
    cr_assert_eq(p->elements[0].max, UINT32_MAX);
    cr_assert_eq(p->elements[1].max, 1);
    const struct stile_profile_element *value = &p->elements[2];
    cr_assert(stile_str_eqc(value->path, "identifier.value"));
    cr_assert(stile_str_eqc(value->sliced, "identifier"));
    cr_assert(stile_str_eqc(value->slice, "nhs"));
    cr_assert(stile_str_eqc(value->key, "system"));
    cr_assert(stile_str_eqc(value->value, "urn:nhs"));
    cr_assert_eq(value->min, 1);
    cr_assert(stile_str_eqc(p->elements[3].fixed, "male"));
    cr_assert_eq(p->elements[4].binding, STILE_BIND_EXTENSIBLE);
    cr_assert_eq(p->elements[5].target_count, 1);
    cr_assert_eq(
        stile_schema_draws(f.schema, STILE_STR("urn:vs|1"), STILE_STR("urn:b")),
        1);
    cr_assert_eq(
        stile_schema_draws(f.schema, STILE_STR("urn:vs"), STILE_STR("urn:c")),
        0);
    cr_assert_eq(
        stile_schema_draws(f.schema, STILE_STR("urn:x"), STILE_STR("urn:a")),
        -1);
    stile_arena_free(&f.arena);
}

Test(schema_profiles, names_each_fault_and_adds_nothing)
{
    static const struct {
        const char *text, *code;
        uint32_t line;
    } cases[] = {
        {"name must\n", "S201", 1},
        {"profile p Patient urn:p\n", "S201", 1},
        {"profile p|1 Patient urn:p 1 here\n", "S201", 1},
        {"profile p Patient urn:p|1 1 here\n", "S201", 1},
        {"valueset urn:vs\n", "S201", 1},
        {HEAD "name odd\n", "S201", 2},
        {HEAD "name min\n", "S201", 2},
        {HEAD "name min 1001\n", "S201", 2},
        {HEAD "name bind strong urn:vs\n", "S201", 2},
        {HEAD "name where use=old\n", "S201", 2},
        {HEAD "name:old where use\n", "S201", 2},
        {HEAD "profile p Patient urn:q 1 here\n", "S202", 2},
        {HEAD "profile q Patient urn:p 1 here\n", "S202", 2},
        {"profile p Person2 urn:p 1 here\n", "S203", 1},
        {"profile p HumanName urn:p 1 here\n", "S203", 1},
        {HEAD "nome must\n", "S203", 2},
        {HEAD "name.nome must\n", "S203", 2},
        {HEAD "managingOrganization to Organisation\n", "S203", 2},
        {HEAD "identifier:nhs where sistem=urn:x\n", "S203", 2},
        {HEAD "name min 2 max 1\n", "S206", 2},
        {HEAD "identifier:nhs.value min 1\n", "S204", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        start(&f);
        cr_assert_eq(add(&f, cases[i].text), STILE_INVALID, "case %zu", i);
        cr_assert_str_eq(f.diags.items[0].code, cases[i].code, "case %zu", i);
        cr_assert_eq(f.diags.items[0].line, cases[i].line, "case %zu", i);
        cr_assert_eq(stile_schema_profile_count(f.schema), 0);
        stile_arena_free(&f.arena);
    }
}

Test(schema_profiles, a_name_stands_in_one_file)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(add(&f, HEAD), STILE_OK);
    cr_assert_eq(add(&f, HEAD), STILE_INVALID);
    cr_assert_str_eq(f.diags.items[0].code, "S202");
    cr_assert_eq(stile_schema_profile_count(f.schema), 1);
    stile_arena_free(&f.arena);
}

static enum stile_status many(struct fixture *f, const char *head,
                              const char *line, int count)
{
    struct stile_buf text;
    stile_buf_init(&text, 1 << 20);
    stile_buf_addc(&text, head);
    for (int i = 0; i < count; i++) {
        stile_buf_printf(&text, "%s", line);
    }
    struct stile_source source = {STILE_STR("x"), stile_buf_str(&text)};
    start(f);
    enum stile_status status =
        stile_schema_add_profiles(f->schema, &source, &f->diags);
    stile_buf_release(&text);
    return status;
}

Test(schema_profiles, elements_at_the_limit_and_one_past)
{
    struct fixture f;
    cr_assert_eq(many(&f, HEAD, "name must\n", STILE_PROFILE_ELEMENTS_MAX),
                 STILE_OK);
    stile_arena_free(&f.arena);
    cr_assert_eq(many(&f, HEAD, "name must\n", STILE_PROFILE_ELEMENTS_MAX + 1),
                 STILE_INVALID);
    cr_assert_str_eq(f.diags.items[0].code, "S205");
    stile_arena_free(&f.arena);
    cr_assert_eq(many(&f, HEAD "name", " must", 31), STILE_OK);
    stile_arena_free(&f.arena);
    cr_assert_eq(many(&f, HEAD "name", " must", 32), STILE_INVALID);
    cr_assert_str_eq(f.diags.items[0].code, "S205");
    stile_arena_free(&f.arena);
}

Test(schema_profiles, profiles_at_the_limit_and_one_past)
{
    for (int more = 0; more < 2; more++) {
        struct fixture f;
        struct stile_buf text;
        stile_buf_init(&text, 1 << 20);
        for (int i = 0; i < STILE_PROFILES_MAX + more; i++) {
            stile_buf_printf(&text, "profile p%d Patient urn:p%d 1 here\n", i,
                             i);
        }
        struct stile_source source = {STILE_STR("x"), stile_buf_str(&text)};
        start(&f);
        cr_assert_eq(stile_schema_add_profiles(f.schema, &source, &f.diags),
                     more == 0 ? STILE_OK : STILE_INVALID);
        cr_assert_eq(stile_schema_profile_count(f.schema),
                     more == 0 ? STILE_PROFILES_MAX : 0);
        cr_assert(more == 0 || strcmp(f.diags.items[0].code, "S205") == 0);
        stile_buf_release(&text);
        stile_arena_free(&f.arena);
    }
}

static bool may_name(const char *type, const char *element, const char *target)
{
    const struct stile_fhir_type *t = stile_fhir_type(stile_str_cstr(type));
    const struct stile_fhir_element *e =
        stile_fhir_element(t, stile_str_cstr(element));
    size_t count = stile_fhir_target_count(e);
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eqc(stile_fhir_target_at(e, i), target)) {
            return true;
        }
    }
    cr_assert_eq(stile_fhir_target_at(e, count).len, 0);
    return count == 0;
}

/* HL7 FHIR R4: the pages of these resources. */
Test(schema_profiles, what_references_may_name)
{
    cr_assert(may_name("Observation", "subject", "Patient"));
    cr_assert(may_name("Observation", "subject", "Location"));
    cr_assert_not(may_name("Observation", "subject", "Practitioner"));
    cr_assert(may_name("Patient", "managingOrganization", "Organization"));
    cr_assert_not(may_name("Patient", "managingOrganization", "Location"));
    cr_assert(may_name("CarePlan", "supportingInfo", "Basic"));
    cr_assert(may_name("Extension", "value", "Patient"));
}
