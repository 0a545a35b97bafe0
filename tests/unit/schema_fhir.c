/* The packed R4 definitions and the structural check. */
#include <criterion/criterion.h>
#include <stdarg.h>

#include <stile/schema.h>

static const struct stile_fhir_type *type(const char *name)
{
    return stile_fhir_type(stile_str_cstr(name));
}

static const struct stile_fhir_element *element(const char *name,
                                                const char *child)
{
    return stile_fhir_element(type(name), stile_str_cstr(child));
}

Test(schema_fhir, finds_types_and_refuses_others)
{
    cr_assert_not_null(type("Observation"));
    cr_assert_not_null(type("Observation.component"));
    cr_assert_not_null(type("HumanName"));
    cr_assert_not_null(type("dateTime"));
    cr_assert_not_null(type("Account")); /* first */
    cr_assert_not_null(type("xhtml"));   /* last */
    cr_assert_null(type("Observations"));
    cr_assert_null(type("observation"));
    cr_assert_null(type(""));
    cr_assert_null(type("SubscriptionStatus")); /* R4B, not R4 */
    cr_assert(stile_fhir_type_is_resource(type("Patient")));
    cr_assert_not(stile_fhir_type_is_resource(type("HumanName")));
    cr_assert(stile_fhir_type_is_primitive(type("string")));
    cr_assert_not(stile_fhir_type_is_primitive(type("Quantity")));
}

Test(schema_fhir, every_type_and_element_is_found_by_its_name)
{
    static const char *const names[] = {
        "Patient",    "Bundle",         "Task",     "ElementDefinition",
        "Claim.item", "ServiceRequest", "Extension"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct stile_fhir_type *t = type(names[i]);
        cr_assert_not_null(t);
        cr_assert_gt(stile_fhir_element_count(t), 2);
        for (size_t k = 0; k < stile_fhir_element_count(t); k++) {
            const struct stile_fhir_element *e = stile_fhir_element_at(t, k);
            cr_assert_eq(stile_fhir_element(t, e->name), e);
            for (size_t n = 0; n < e->type_count; n++) {
                const struct stile_fhir_type *of =
                    stile_fhir_element_type(t, e, n);
                const struct stile_fhir_type *back = NULL;
                char name[96];
                cr_assert_not_null(of);
                struct stile_str json = stile_fhir_json_name(e, of, name);
                cr_assert_eq(stile_fhir_element_json(t, json, &back), e);
                cr_assert_eq(back, of);
            }
            cr_assert_null(stile_fhir_element_type(t, e, e->type_count));
        }
        cr_assert_null(stile_fhir_element_at(t, stile_fhir_element_count(t)));
    }
}

Test(schema_fhir, tells_cardinality_choice_and_binding)
{
    const struct stile_fhir_element *status = element("Observation", "status");
    cr_assert_eq(status->min, 1);
    cr_assert_not(status->many);
    cr_assert_eq(status->binding, STILE_BIND_REQUIRED);
    cr_assert(stile_str_eqc(status->value_set,
                            "http://hl7.org/fhir/ValueSet/observation-status"));
    const struct stile_fhir_element *value = element("Observation", "value");
    cr_assert(value->choice);
    cr_assert_eq(value->type_count, 11);
    cr_assert(element("Patient", "name")->many);
    cr_assert_eq(element("Observation", "interpretation")->binding,
                 STILE_BIND_EXTENSIBLE);
    cr_assert_eq(element("Patient", "id")->min, 0);
}

Test(schema_fhir, resolves_choices_and_content_references)
{
    const struct stile_fhir_type *chosen = NULL;
    const struct stile_fhir_element *e = stile_fhir_element_json(
        type("Observation"), STILE_STR("valueQuantity"), &chosen);
    cr_assert_eq(e, element("Observation", "value"));
    cr_assert_eq(chosen, type("Quantity"));
    e = stile_fhir_element_json(type("Observation"),
                                STILE_STR("_effectiveDateTime"), &chosen);
    cr_assert_eq(e, element("Observation", "effective"));
    cr_assert_eq(chosen, type("dateTime"));
    cr_assert_null(stile_fhir_element_json(type("Observation"),
                                           STILE_STR("value"), &chosen));
    cr_assert_null(stile_fhir_element_json(
        type("Observation"), STILE_STR("valuequantity"), &chosen));
    cr_assert_null(stile_fhir_element_json(type("Observation"),
                                           STILE_STR("valueMoney"), &chosen));
    cr_assert_null(
        stile_fhir_element_json(type("Observation"), STILE_STR("_"), &chosen));
    e = element("Observation.component", "referenceRange");
    cr_assert_eq(stile_fhir_element_type(type("Observation.component"), e, 0),
                 type("Observation.referenceRange"));
    e = element("Patient", "id");
    cr_assert_eq(stile_fhir_element_type(type("Patient"), e, 0), type("id"));
}

Test(schema_fhir, knows_the_json_kind_of_primitives)
{
    cr_assert_eq(stile_fhir_primitive_kind(type("boolean")), STILE_BOOL);
    cr_assert_eq(stile_fhir_primitive_kind(type("decimal")), STILE_NUMBER);
    cr_assert_eq(stile_fhir_primitive_kind(type("positiveInt")), STILE_NUMBER);
    cr_assert_eq(stile_fhir_primitive_kind(type("dateTime")), STILE_STRING);
}

Test(schema_fhir, tells_codes_of_carried_value_sets)
{
    struct stile_str set =
        STILE_STR("http://hl7.org/fhir/ValueSet/observation-status");
    cr_assert_eq(stile_fhir_code_in(set, STILE_STR("final")), 1);
    cr_assert_eq(stile_fhir_code_in(set, STILE_STR("Final")), 0);
    cr_assert_eq(stile_fhir_code_in(STILE_STR("http://hl7.org/fhir/ValueSet/"
                                              "observation-status|4.0.1"),
                                    STILE_STR("amended")),
                 1);
    cr_assert_eq(
        stile_fhir_code_in(STILE_STR("http://hl7.org/fhir/ValueSet/mimetypes"),
                           STILE_STR("text/plain")),
        -1);
}

/* ---- the check ---- */

struct fixture {
    struct stile_arena *arena;
    struct stile_diags diags;
};

static void start(struct fixture *f)
{
    f->arena = stile_arena_new(1 << 20);
    cr_assert_not_null(f->arena);
    stile_diags_init(&f->diags, f->arena, 0);
}

static struct stile_value *object(struct fixture *f)
{
    return stile_value_new(f->arena, STILE_OBJECT);
}

static void set(struct fixture *f, struct stile_value *o, const char *name,
                const char *text)
{
    stile_value_set_str(f->arena, o, name, stile_str_cstr(text));
}

static struct stile_value *codeable(struct fixture *f, const char *code)
{
    struct stile_value *concept = object(f);
    struct stile_value *list =
        stile_value_set_new(f->arena, concept, "coding", STILE_ARRAY);
    struct stile_value *coding = object(f);
    set(f, coding, "code", code);
    stile_value_push(list, coding);
    return concept;
}

static struct stile_value *observation(struct fixture *f)
{
    struct stile_value *o = object(f);
    set(f, o, "resourceType", "Observation");
    set(f, o, "id", "obs-1");
    set(f, o, "status", "final");
    stile_value_set(o, STILE_STR("code"), codeable(f, "75367002"));
    return o;
}

static void check(struct fixture *f, const struct stile_value *v)
{
    stile_fhir_check(v, STILE_STR("message"), &f->diags);
}

static void expect(const struct fixture *f, const char *code, const char *path)
{
    cr_assert_eq(f->diags.count, 1, "%zu findings", f->diags.count);
    cr_assert_str_eq(f->diags.items[0].code, code);
    cr_assert(stile_str_eqc(f->diags.items[0].path, path), "%.*s",
              STILE_FMT(f->diags.items[0].path));
    cr_assert(stile_str_eqc(f->diags.items[0].file, "message"));
}

Test(schema_check, passes_a_good_resource)
{
    struct fixture f;
    start(&f);
    struct stile_value *o = observation(&f);
    struct stile_value *q =
        stile_value_set_new(f.arena, o, "valueQuantity", STILE_OBJECT);
    stile_value_set(q, STILE_STR("value"),
                    stile_value_number(f.arena, STILE_STR("120.00")));
    set(&f, o, "effectiveDateTime", "2024-02-29T10:00:00+01:00");
    check(&f, o);
    cr_assert_eq(f.diags.count, 0);
    stile_arena_free(&f.arena);
}

Test(schema_check, names_each_fault)
{
    static const struct {
        const char *member, *text, *code, *path;
    } cases[] = {
        {"statuss", "final", "F102", "Observation.statuss"},
        {"Jane Doe", "x", "F102", "Observation.?"},
        {"subject", "x", "F103", "Observation.subject"},
        {"category", "x", "F105", "Observation.category"},
        {"issued", "2024-02-30T10:00:00Z", "F106", "Observation.issued"},
        {"issued", "2024-02-29T10:00:00", "F106", "Observation.issued"},
        {"id", "a b", "F106", "Observation.id"},
        {"effectiveDateTime", "29/02/2024", "F106",
         "Observation.effectiveDateTime"},
        {"valueBoolean", "true", "F103", "Observation.valueBoolean"},
        {"status", "finished", "F107", "Observation.status"},
        {"_subject", "x", "F102", "Observation._subject"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        start(&f);
        struct stile_value *o = observation(&f);
        set(&f, o, cases[i].member, cases[i].text);
        check(&f, o);
        expect(&f, cases[i].code, cases[i].path);
        stile_arena_free(&f.arena);
    }
}

Test(schema_check, asks_for_required_elements)
{
    struct fixture f;
    start(&f);
    struct stile_value *o = observation(&f);
    stile_value_remove(stile_value_getc(o, "code"));
    check(&f, o);
    expect(&f, "F104", "Observation.code");
    stile_arena_free(&f.arena);
}

Test(schema_check, an_extension_stands_for_a_required_primitive)
{
    struct fixture f;
    start(&f);
    struct stile_value *o = observation(&f);
    stile_value_remove(stile_value_getc(o, "status"));
    struct stile_value *twin =
        stile_value_set_new(f.arena, o, "_status", STILE_OBJECT);
    struct stile_value *list =
        stile_value_set_new(f.arena, twin, "extension", STILE_ARRAY);
    struct stile_value *x = object(&f);
    set(&f, x, "url", "https://example.org/why");
    set(&f, x, "valueCode", "unknown");
    stile_value_push(list, x);
    check(&f, o);
    cr_assert_eq(f.diags.count, 0);
    stile_arena_free(&f.arena);
}

Test(schema_check, one_type_of_a_choice)
{
    struct fixture f;
    start(&f);
    struct stile_value *o = observation(&f);
    set(&f, o, "valueString", "a");
    set(&f, o, "valueDateTime", "2024");
    check(&f, o);
    expect(&f, "F108", "Observation.value");
    stile_arena_free(&f.arena);
}

Test(schema_check, lists_and_objects_are_not_empty)
{
    struct fixture f;
    start(&f);
    struct stile_value *o = observation(&f);
    stile_value_set_new(f.arena, o, "note", STILE_ARRAY);
    check(&f, o);
    expect(&f, "F109", "Observation.note");
    stile_arena_free(&f.arena);
    start(&f);
    o = observation(&f);
    stile_value_set_new(f.arena, o, "subject", STILE_OBJECT);
    check(&f, o);
    expect(&f, "F109", "Observation.subject");
    stile_arena_free(&f.arena);
}

Test(schema_check, one_required_coding_is_enough)
{
    struct fixture f;
    start(&f);
    struct stile_value *a = object(&f);
    set(&f, a, "resourceType", "AllergyIntolerance");
    struct stile_value *patient =
        stile_value_set_new(f.arena, a, "patient", STILE_OBJECT);
    set(&f, patient, "reference", "Patient/1");
    struct stile_value *status = codeable(&f, "local");
    stile_value_set(a, STILE_STR("clinicalStatus"), status);
    check(&f, a);
    expect(&f, "F107", "AllergyIntolerance.clinicalStatus");
    struct stile_value *second = object(&f);
    set(&f, second, "code", "active");
    stile_value_push(stile_value_getc(status, "coding"), second);
    stile_diags_init(&f.diags, f.arena, 0);
    check(&f, a);
    cr_assert_eq(f.diags.count, 0);
    stile_arena_free(&f.arena);
}

Test(schema_check, looks_into_bundles)
{
    struct fixture f;
    start(&f);
    struct stile_value *b = object(&f);
    set(&f, b, "resourceType", "Bundle");
    set(&f, b, "type", "collection");
    struct stile_value *list =
        stile_value_set_new(f.arena, b, "entry", STILE_ARRAY);
    struct stile_value *entry = object(&f);
    stile_value_push(list, entry);
    struct stile_value *inner = observation(&f);
    set(&f, inner, "status", "done");
    stile_value_set(entry, STILE_STR("resource"), inner);
    check(&f, b);
    expect(&f, "F107", "Bundle.entry[0].resource.status");
    set(&f, inner, "resourceType", "Resource");
    stile_diags_init(&f.diags, f.arena, 0);
    check(&f, b);
    expect(&f, "F101", "Bundle.entry[0].resource.resourceType");
    stile_arena_free(&f.arena);
}

Test(schema_check, depth_has_an_end)
{
    struct fixture f;
    start(&f);
    struct stile_value *o = observation(&f);
    struct stile_value *at = o;
    for (int i = 0; i < 150; i++) {
        struct stile_value *list =
            stile_value_set_new(f.arena, at, "extension", STILE_ARRAY);
        at = object(&f);
        set(&f, at, "url", "https://example.org/x");
        stile_value_push(list, at);
    }
    check(&f, o);
    cr_assert_eq(f.diags.count, 0);
    for (int i = 0; i < 60; i++) {
        struct stile_value *list =
            stile_value_set_new(f.arena, at, "extension", STILE_ARRAY);
        at = object(&f);
        set(&f, at, "url", "https://example.org/x");
        stile_value_push(list, at);
    }
    check(&f, o);
    cr_assert_eq(f.diags.count, 1);
    cr_assert_str_eq(f.diags.items[0].code, "F110");
    stile_arena_free(&f.arena);
}
