/*
 * The pivot, split by person. Everything after this is about one person at a
 * time: facts, decisions, lanes and audit entries.
 */
#include "exchange_private.h"

/* The members that say whom a resource is about (R4 compartment Patient). */
static const char *const subject_members[] = {
    "subject", "patient", "for", "beneficiary", "individual", NULL};

struct stile_str stile__resource_ref(struct stile_arena *arena,
                                     const struct stile_value *resource)
{
    return stile_arena_printf(
        arena, "%.*s/%.*s",
        STILE_FMT(stile_value_text(resource, "resourceType")),
        STILE_FMT(stile_value_text(resource, "id")));
}

static struct stile_str nhs_of(const struct stile_value *identifier)
{
    if (stile_str_eqc(stile_value_text(identifier, "system"),
                      "https://fhir.nhs.uk/Id/nhs-number")) {
        return stile_value_text(identifier, "value");
    }
    return STILE_STR_NULL;
}

static struct stile_str patient_nhs(const struct stile_value *patient)
{
    const struct stile_value *list = stile_value_getc(patient, "identifier");
    for (const struct stile_value *id = list ? list->first : NULL; id;
         id = id->next) {
        struct stile_str nhs = nhs_of(id);
        if (nhs.len > 0) {
            return nhs;
        }
    }
    return STILE_STR_NULL;
}

static struct stile__person *
add_person(struct stile_exchange *x, struct stile_str ref, struct stile_str nhs)
{
    struct stile__person *person =
        stile__list_add(x->arena, &x->persons, sizeof(*person));
    if (person == NULL) {
        return NULL;
    }
    person->patient = ref;
    person->key = nhs.len > 0
                      ? nhs
                      : stile_arena_printf(x->arena, "%.*s|%.*s",
                                           STILE_FMT(x->message->source_ods),
                                           STILE_FMT(ref));
    return person;
}

static struct stile__person *find_person(struct stile_exchange *x,
                                         struct stile_str ref,
                                         struct stile_str nhs)
{
    struct stile__person *persons = x->persons.items;
    for (size_t i = 0; i < x->persons.count; i++) {
        if ((ref.len > 0 && stile_str_eq(persons[i].patient, ref)) ||
            (nhs.len > 0 && stile_str_eq(persons[i].key, nhs))) {
            return &persons[i];
        }
    }
    return NULL;
}

static void add_to(struct stile_exchange *x, struct stile__person *person,
                   struct stile_value *resource)
{
    struct stile_value **have = person->resources.items;
    for (size_t i = 0; i < person->resources.count; i++) {
        if (have[i] == resource) {
            return;
        }
    }
    struct stile_value **slot = stile__list_add(x->arena, &person->resources,
                                                sizeof(struct stile_value *));
    if (slot != NULL) {
        *slot = resource;
    }
}

/* The person a resource is about, or NULL for a shared one (Organization,
 * Practitioner, MessageHeader). A Patient that did not come along is still a
 * person, known by reference or NHS number. */
static struct stile__person *person_of(struct stile_exchange *x,
                                       const struct stile_value *resource)
{
    for (size_t i = 0; subject_members[i] != NULL; i++) {
        const struct stile_value *subject =
            stile_value_getc(resource, subject_members[i]);
        if (subject == NULL || subject->kind != STILE_OBJECT) {
            continue;
        }
        struct stile_str ref = stile_value_text(subject, "reference");
        struct stile_str nhs = nhs_of(stile_value_getc(subject, "identifier"));
        if (!stile_str_starts(ref, STILE_STR("Patient/")) && nhs.len == 0) {
            continue;
        }
        struct stile__person *person = find_person(x, ref, nhs);
        return person != NULL ? person : add_person(x, ref, nhs);
    }
    return NULL;
}

static bool refers_to(const struct stile_value *value, struct stile_str ref)
{
    for (const struct stile_value *child = value->first; child;
         child = child->next) {
        if (child->kind == STILE_STRING &&
            stile_str_eqc(child->name, "reference") &&
            stile_str_eq(child->text, ref)) {
            return true;
        }
        if (refers_to(child, ref)) {
            return true;
        }
    }
    return false;
}

/* A shared resource goes with each person whose resources refer to it, also
 * by way of another shared one (PractitionerRole -> Organization). */
static void spread_shared(struct stile_exchange *x,
                          struct stile_value *const *shared, size_t count)
{
    struct stile__person *persons = x->persons.items;
    for (size_t p = 0; p < x->persons.count; p++) {
        bool *in = stile_arena_array(x->arena, count, sizeof(bool));
        bool more = in != NULL;
        while (more) {
            more = false;
            for (size_t i = 0; i < count; i++) {
                struct stile_str ref = stile__resource_ref(x->arena, shared[i]);
                struct stile_value **have = persons[p].resources.items;
                for (size_t k = 0; !in[i] && k < persons[p].resources.count;
                     k++) {
                    in[i] = refers_to(have[k], ref);
                    more = more || in[i];
                }
                if (in[i]) {
                    add_to(x, &persons[p], shared[i]);
                }
            }
        }
    }
}

static void split_deletions(struct stile_exchange *x)
{
    /* A deletion names a resource, not a person. In a message about one
     * person it is theirs; alone it is about a person we are not told of;
     * otherwise the sender must send one message a person. */
    if (x->deleted.count > 0 && x->persons.count == 0 &&
        x->message->format.len > 0) {
        (void)add_person(x, STILE_STR_NULL, STILE_STR_NULL);
    }
    struct stile__deleted *deleted = x->deleted.items;
    struct stile__person *persons = x->persons.items;
    for (size_t i = 0; i < x->deleted.count && x->persons.count == 1; i++) {
        struct stile__deleted *gone =
            stile__list_add(x->arena, &persons[0].deleted, sizeof(*gone));
        if (gone != NULL) {
            *gone = deleted[i];
        }
    }
    if (x->deleted.count > 0 && x->persons.count != 1 &&
        x->message->format.len > 0) {
        (void)stile_diag_at_record(
            &x->diags, "X105", STILE_ERROR, x->message->name, 0,
            STILE_STR("Bundle.entry.request"),
            "deletions can be taken only in a message about one person: "
            "include that person's Patient");
    }
}

enum stile_status stile__split(struct stile_exchange *x)
{
    struct stile_value **pivot = x->pivot.items;
    struct stile_value **shared =
        stile_arena_array(x->arena, x->pivot.count, sizeof(*shared));
    size_t shared_count = 0;
    if (shared == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < x->pivot.count; i++) {
        if (stile_str_eqc(stile_value_text(pivot[i], "resourceType"),
                          "Patient")) {
            struct stile_str nhs = patient_nhs(pivot[i]);
            struct stile_str ref = stile__resource_ref(x->arena, pivot[i]);
            struct stile__person *person = find_person(x, ref, nhs);
            person = person != NULL ? person : add_person(x, ref, nhs);
            if (person != NULL) {
                add_to(x, person, pivot[i]);
            }
        }
    }
    for (size_t i = 0; i < x->pivot.count; i++) {
        if (stile_str_eqc(stile_value_text(pivot[i], "resourceType"),
                          "Patient")) {
            continue;
        }
        struct stile__person *person = person_of(x, pivot[i]);
        if (person != NULL) {
            add_to(x, person, pivot[i]);
        } else {
            shared[shared_count++] = pivot[i];
        }
    }
    spread_shared(x, shared, shared_count);
    split_deletions(x);
    if (x->persons.count > x->plan->persons_max) {
        (void)stile_diag_at_record(
            &x->diags, "X103", STILE_ERROR, x->message->name, 0, STILE_STR_NULL,
            "the message is about more persons than one may be: split it");
        return STILE_LIMIT;
    }
    if (x->persons.count == 0 && x->message->format.len > 0 &&
        x->quarantine.count == 0) {
        (void)stile_diag_at_record(
            &x->diags, "X102", STILE_ERROR, x->message->name, 0, STILE_STR_NULL,
            "the message is about no person: include a Patient");
        return STILE_INVALID;
    }
    return x->diags.errors > 0 && x->message->family.len > 0 &&
                   stile_str_eqc(x->message->family, "fhir")
               ? STILE_INVALID
               : STILE_OK;
}
