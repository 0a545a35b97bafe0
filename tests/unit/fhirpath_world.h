/* A resource, an expression, and what it comes to as one line of text. */
#ifndef FHIRPATH_WORLD_H
#define FHIRPATH_WORLD_H

#include "stile/fhirpath.h"
#include "stile/format.h"

#include <criterion/criterion.h>

/* Synthetic: NHS number of the 999 range. */
#define FHIRPATH_BUNDLE                                                        \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["         \
    "{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000001\","          \
    "\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p1\","                \
    "\"active\":true,\"birthDate\":\"1970-02\","                               \
    "\"_birthDate\":{\"extension\":[{\"url\":\"urn:x\","                       \
    "\"valueCode\":\"guess\"}]},"                                              \
    "\"identifier\":[{\"system\":\"https://fhir.nhs.uk/Id/nhs-number\","       \
    "\"value\":\"9990000018\"}],"                                              \
    "\"name\":[{\"use\":\"official\",\"family\":\"Testcase\","                 \
    "\"given\":[\"Ada\",null,\"Bea\"],\"_given\":[null,{\"extension\":"        \
    "[{\"url\":\"urn:y\",\"valueString\":\"hidden\"}]},null]},"                \
    "{\"use\":\"old\",\"family\":\"Sample\"}],"                                \
    "\"gender\":\"female\","                                                   \
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o1\","         \
    "\"name\":\"Example Surgery\"}],"                                          \
    "\"managingOrganization\":{\"reference\":\"#o1\"}}},"                      \
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"b1\","           \
    "\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"                  \
    "\"http://snomed.info/sct\",\"code\":\"75367002\"},{\"system\":"           \
    "\"urn:local\",\"code\":\"bp\"}]},\"subject\":{\"reference\":"             \
    "\"urn:uuid:00000000-0000-4000-8000-000000000001\"},"                      \
    "\"performer\":[{\"reference\":\"Patient/p1\"}],"                          \
    "\"effectiveDateTime\":\"2020-03-01T10:30:00Z\","                          \
    "\"valueQuantity\":{\"value\":95.50,\"unit\":\"mmHg\",\"system\":"         \
    "\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"},"                      \
    "\"component\":[{\"code\":{\"text\":\"a\"},\"valueInteger\":3},"           \
    "{\"code\":{\"text\":\"b\"},\"valueString\":\"x\"}]}}]}"

struct fhirpath_world {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_value *bundle, *patient, *observation;
    struct stile_fhirpath_limits limits;
};

static inline void fhirpath_start(struct fhirpath_world *w)
{
    stile_format_setup();
    w->arena = stile_arena_new((size_t)64 << 20);
    stile_diags_init(&w->diags, w->arena, 0);
    cr_assert_eq(stile_json_decode(STILE_STR(FHIRPATH_BUNDLE),
                                   STILE_JSON_LIMITS, STILE_STR("bundle"),
                                   w->arena, &w->diags, &w->bundle),
                 STILE_OK);
    w->patient = stile_value_path(w->bundle, "entry.0.resource");
    w->observation = stile_value_path(w->bundle, "entry.1.resource");
    w->limits = STILE_FHIRPATH_LIMITS;
}

static inline void fhirpath_end(struct fhirpath_world *w)
{
    stile_arena_free(&w->arena);
}

static inline enum stile_status fhirpath_parse(struct fhirpath_world *w,
                                               struct stile_str text,
                                               struct stile_fhirpath **ret)
{
    struct stile_source *source = stile_arena_alloc(w->arena, sizeof *source);
    source->name = STILE_STR("expression");
    source->text = text;
    return stile_fhirpath_parse(source, w->limits, w->arena, &w->diags, ret);
}

/* "a|b" for two items, "" for none, "!what" for a fault. */
static inline const char *fhirpath_ask(struct fhirpath_world *w,
                                       const struct stile_value *root,
                                       const char *text)
{
    struct stile_fhirpath *path = NULL;
    struct stile_fhirpath_items items;
    struct stile_fhirpath_fault fault;
    struct stile_fhirpath_world world = {.resource = root, .bundle = w->bundle};
    enum stile_status status = fhirpath_parse(w, stile_str_cstr(text), &path);
    if (status != STILE_OK) {
        return "!syntax";
    }
    status =
        stile_fhirpath_run(path, &world, w->limits, w->arena, &items, &fault);
    if (status != STILE_OK) {
        cr_assert_not_null(fault.says);
        return status == STILE_INVALID       ? "!fault"
               : status == STILE_UNSUPPORTED ? "!outside"
               : status == STILE_LIMIT       ? "!limit"
                                             : "!memory";
    }
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < items.count; i++) {
        stile_buf_addc(&out, i > 0 ? "|" : "");
        stile_fhirpath_text(&items.list[i], &out);
    }
    const char *got = stile_arena_cstr(w->arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return got;
}

/* The code of the first finding, "" when it is sound. */
static inline const char *fhirpath_code(struct fhirpath_world *w,
                                        const char *type, const char *text,
                                        bool strict)
{
    struct stile_fhirpath *path = NULL;
    size_t before = w->diags.count;
    if (fhirpath_parse(w, stile_str_cstr(text), &path) == STILE_OK) {
        (void)!stile_fhirpath_check(path, stile_str_cstr(type), strict,
                                    &w->diags, NULL);
    }
    return w->diags.count > before ? w->diags.items[before].code : "";
}

#endif
