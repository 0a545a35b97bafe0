/*
 * The note that items stayed, where a rule allows it to be told
 * (tell-recipient: items-withheld): a List with UK Core's warning code
 * "confidential-items", as GP Connect marks its lists (Extension-UKCore-
 * ListWarningCode 3.1.0, CodeSystem UKCore-ListWarningCode 2.1.0, HL7 UK). It
 * says neither which items nor how many. A case file has no place for it.
 */
#include "exchange_private.h"

#define WARNING_URL                                                            \
    "https://fhir.hl7.org.uk/StructureDefinition/"                             \
    "Extension-UKCore-ListWarningCode"
#define WARNING_SYSTEM                                                         \
    "https://fhir.hl7.org.uk/CodeSystem/UKCore-ListWarningCode"

/* The same for a person and route, so that it is replaced, and taken back. */
static struct stile_str marker_id(const struct stile__trip *trip)
{
    struct stile_digest digest;
    char hex[65];

    stile_hmac_sha256(trip->keys->pseudonym,
                      stile_arena_printf(trip->arena,
                                         "withheld\x1f%.*s\x1f%.*s",
                                         STILE_FMT(trip->person),
                                         STILE_FMT(trip->route->name)),
                      &digest);
    stile_digest_hex(&digest, hex);
    return stile_arena_printf(trip->arena, "withheld-%.32s", hex);
}

static void put_warning(struct stile_arena *arena, struct stile_value *list)
{
    struct stile_value *extension = stile_value_push(
        stile_value_set_new(arena, list, "extension", STILE_ARRAY),
        stile_value_new(arena, STILE_OBJECT));
    (void)stile_value_set_str(arena, extension, "url", STILE_STR(WARNING_URL));
    struct stile_value *concept = stile_value_set_new(
        arena, extension, "valueCodeableConcept", STILE_OBJECT);
    struct stile_value *coding = stile_value_push(
        stile_value_set_new(arena, concept, "coding", STILE_ARRAY),
        stile_value_new(arena, STILE_OBJECT));
    (void)stile_value_set_str(arena, coding, "system",
                              STILE_STR(WARNING_SYSTEM));
    (void)stile_value_set_str(arena, coding, "code",
                              STILE_STR("confidential-items"));
    (void)stile_value_set_str(arena, coding, "display",
                              STILE_STR("Confidential Items"));
}

static const struct stile_value *patient_of(const struct stile__trip *trip)
{
    for (size_t i = 0; i < trip->released_count; i++) {
        if (stile_str_eqc(stile_value_text(trip->released[i], "resourceType"),
                          "Patient")) {
            return trip->released[i];
        }
    }
    return NULL;
}

enum stile_status stile__mark_withheld(struct stile__trip *trip)
{
    const struct stile_value *patient = patient_of(trip);
    struct stile_arena *arena = trip->arena;

    if (!trip->decision->tell_withheld || patient == NULL ||
        !stile_str_eqc(trip->route->format, "fhir-json")) {
        return STILE_OK;
    }
    struct stile_value **released =
        stile_arena_array(arena, trip->released_count + 1, sizeof(*released));
    struct stile_value *list = stile_value_new(arena, STILE_OBJECT);
    if (released == NULL || list == NULL) {
        return STILE_NOMEM;
    }
    (void)stile_value_set_str(arena, list, "resourceType", STILE_STR("List"));
    (void)stile_value_set_str(arena, list, "id", marker_id(trip));
    put_warning(arena, list);
    (void)stile_value_set_str(arena, list, "status", STILE_STR("current"));
    (void)stile_value_set_str(arena, list, "mode", STILE_STR("snapshot"));
    (void)stile_value_set_str(arena, list, "title",
                              STILE_STR("What was sent of this record"));
    struct stile_value *subject =
        stile_value_set_new(arena, list, "subject", STILE_OBJECT);
    (void)stile_value_set_str(
        arena, subject, "reference",
        stile_arena_printf(arena, "Patient/%.*s",
                           STILE_FMT(stile_value_text(patient, "id"))));
    memcpy(released, trip->released, trip->released_count * sizeof(*released));
    released[trip->released_count] = list;
    trip->released = released;
    trip->released_count++;
    return stile_arena_failed(arena) ? STILE_NOMEM : STILE_OK;
}
