/*
 * The pivot, split by person. Everything after this is about one person at a
 * time: facts, decisions, lanes and audit entries.
 *
 * A person is their NHS number where the message tells it anywhere, else the
 * sender's reference. Who is who is learnt from the whole message first, so
 * that the order of its resources never matters: were two of a person's
 * resources taken for two persons, what is known of one (a refusal) would
 * not be heard for the other.
 */
#include "exchange_private.h"

/* The members that say whom a resource is about (R4 compartment Patient). */
static const char *const subject_members[] = {
    "subject", "patient", "for", "beneficiary", "individual", NULL};

struct whom {
    struct stile_str ref, nhs;
};

struct stile_str stile__resource_ref(struct stile_arena *arena,
                                     const struct stile_value *resource)
{
    return stile_arena_printf(
        arena, "%.*s/%.*s",
        STILE_FMT(stile_value_text(resource, "resourceType")),
        STILE_FMT(stile_value_text(resource, "id")));
}

static bool is_type(const struct stile_value *resource, const char *type)
{
    return stile_str_eqc(stile_value_text(resource, "resourceType"), type);
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

static void finding(struct stile_exchange *x, const char *code,
                    enum stile_severity severity, const struct stile_value *at,
                    const char *message)
{
    struct stile_buf place;
    stile_buf_init(&place, 1024);
    if (at != NULL) {
        stile_value_place(at, &place);
    }
    (void)stile_diag_at_record(&x->diags, code, severity, x->message->name, 0,
                               stile_buf_str(&place), message);
    stile_buf_release(&place);
}

/* "Patient/1", or the same at a server's address. */
static bool is_patient_ref(struct stile_str ref)
{
    return stile_str_starts(ref, STILE_STR("Patient/")) ||
           stile_str_find_str(ref, STILE_STR("/Patient/")) != SIZE_MAX;
}

/* An Appointment says whom it is about among those who take part; one of two
 * patients is neither's. */
static const struct stile_value *
patient_taking_part(const struct stile_value *resource)
{
    const struct stile_value *list = stile_value_getc(resource, "participant");
    const struct stile_value *found = NULL;
    for (const struct stile_value *p = list != NULL ? list->first : NULL;
         p != NULL; p = p->next) {
        const struct stile_value *actor = stile_value_getc(p, "actor");
        if (!is_patient_ref(stile_value_text(actor, "reference"))) {
            continue;
        }
        if (found != NULL && !stile_value_equal(found, actor)) {
            return NULL;
        }
        found = actor;
    }
    return found;
}

/* False for a shared resource (Organization, Practitioner, MessageHeader). A
 * Patient that did not come along is still a person, known by reference or
 * NHS number. */
static bool whom_of(struct stile_exchange *x,
                    const struct stile_value *resource, struct whom *ret)
{
    *ret = (struct whom){STILE_STR_NULL, STILE_STR_NULL};
    if (is_type(resource, "Patient")) {
        ret->ref = stile__resource_ref(x->arena, resource);
        ret->nhs = patient_nhs(resource);
        return true;
    }
    for (size_t i = 0; subject_members[i] != NULL; i++) {
        const struct stile_value *subject =
            i == 0 && is_type(resource, "Appointment")
                ? patient_taking_part(resource)
                : stile_value_getc(resource, subject_members[i]);
        struct stile_str ref = stile_value_text(subject, "reference");
        struct stile_str nhs = nhs_of(stile_value_getc(subject, "identifier"));
        if (is_patient_ref(ref) || nhs.len > 0) {
            ret->ref = is_patient_ref(ref) ? ref : STILE_STR_NULL;
            ret->nhs = nhs;
            return true;
        }
        if (stile_str_starts(ref, STILE_STR("urn:"))) {
            finding(x, "X107", STILE_ERROR, subject,
                    "it is about somebody who is not in the message: include "
                    "the Patient, or name them by NHS number");
        }
    }
    return false;
}

/* Types that are about nobody: they go along with whom refers to them. */
static bool is_about_nobody(const struct stile_value *resource)
{
    static const char *const types[] = {
        "Organization",  "Practitioner",      "PractitionerRole", "Location",
        "Endpoint",      "HealthcareService", "Medication",       "Device",
        "Questionnaire", "MessageHeader",     "Provenance",       NULL};
    for (size_t i = 0; types[i] != NULL; i++) {
        if (is_type(resource, types[i])) {
            return true;
        }
    }
    return false;
}

/* A refusal whose person cannot be told must not leave the rest to go out
 * without it: the whole message is refused. */
static void refuse_orphan(struct stile_exchange *x,
                          const struct stile_value *resource)
{
    if (stile_str_eqc(x->message->family, "fhir") &&
        !is_about_nobody(resource)) {
        finding(x, "X109", STILE_ERROR, resource,
                "it cannot be told whom it is about: refer to the Patient of "
                "the message as Patient/id, or name the subject's NHS number");
    }
}

/* ---- who is who ----------------------------------------------------------
 */

static enum stile_status learn_number(struct stile_exchange *x,
                                      const struct stile_value *resource,
                                      const struct whom *whom)
{
    if (whom->ref.len == 0 || whom->nhs.len == 0) {
        return STILE_OK;
    }
    struct stile_str *known = stile__map_get(&x->numbers, whom->ref);
    if (known != NULL && known->len > 0 && !stile_str_eq(*known, whom->nhs)) {
        finding(x, "X108", STILE_ERROR, resource,
                "one Patient is given two NHS numbers: correct it at the "
                "source and send the message again");
        *known = STILE_STR_NULL; /* contested: nobody's */
        x->contested = true;
    }
    if (known != NULL) {
        return STILE_OK;
    }
    known = stile_arena_alloc(x->arena, sizeof(*known));
    if (known == NULL) {
        return STILE_NOMEM;
    }
    *known = whom->nhs;
    stile__map_put(x->arena, &x->numbers, whom->ref, known);
    return STILE_OK;
}

static bool is_contested(const struct stile_exchange *x,
                         const struct whom *whom)
{
    const struct stile_str *known = stile__map_get(&x->numbers, whom->ref);
    return known != NULL && known->len == 0;
}

static struct stile_str key_of(struct stile_exchange *x,
                               const struct whom *whom)
{
    const struct stile_str *number =
        whom->nhs.len > 0 ? &whom->nhs : stile__map_get(&x->numbers, whom->ref);
    return number != NULL
               ? *number
               : stile_arena_printf(x->arena, "%.*s|%.*s",
                                    STILE_FMT(x->message->source_ods),
                                    STILE_FMT(whom->ref));
}

static enum stile_status person_of(struct stile_exchange *x,
                                   const struct whom *whom,
                                   struct stile__person **ret)
{
    struct stile_str key = key_of(x, whom);
    uintptr_t at = (uintptr_t)stile__map_get(&x->person_index, key);
    if (at != 0) {
        *ret = (struct stile__person *)x->persons.items + at - 1;
        return STILE_OK;
    }
    if (x->persons.count == x->plan->persons_max) {
        finding(x, "X103", STILE_ERROR, NULL,
                "the message is about more persons than one may be: split it");
        return STILE_LIMIT;
    }
    struct stile__person *person =
        stile__list_add(x->arena, &x->persons, sizeof(*person));
    if (person == NULL) {
        return STILE_NOMEM;
    }
    person->key = key;
    stile__map_put(x->arena, &x->person_index, key,
                   (void *)(uintptr_t)x->persons.count);
    *ret = person;
    return STILE_OK;
}

static enum stile_status add_to(struct stile_exchange *x,
                                struct stile__person *person,
                                struct stile_value *resource)
{
    struct stile_value **slot = stile__list_add(x->arena, &person->resources,
                                                sizeof(struct stile_value *));
    if (slot == NULL) {
        return STILE_NOMEM;
    }
    *slot = resource;
    return STILE_OK;
}

/* ---- shared resources ------------------------------------------------------
 */

struct shared {
    struct stile_value **items;
    size_t count;
    size_t *same;           /* the next of the same Type/id + 1, or 0 */
    size_t *taken;          /* the last person that took it + 1, or 0 */
    struct stile__map refs; /* Type/id -> index + 1 of the first */
};

static enum stile_status index_shared(struct stile_exchange *x,
                                      struct shared *shared)
{
    shared->same = stile_arena_array(x->arena, shared->count, sizeof(size_t));
    shared->taken = stile_arena_array(x->arena, shared->count, sizeof(size_t));
    if (shared->same == NULL || shared->taken == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < shared->count; i++) {
        struct stile_str ref = stile__resource_ref(x->arena, shared->items[i]);
        uintptr_t first = (uintptr_t)stile__map_get(&shared->refs, ref);
        if (first == 0) {
            stile__map_put(x->arena, &shared->refs, ref,
                           (void *)(uintptr_t)(i + 1));
        } else {
            shared->same[i] = shared->same[first - 1];
            shared->same[first - 1] = i + 1;
        }
    }
    return STILE_OK;
}

/* Adds the shared resources that `value` refers to and `p` has not yet. */
static enum stile_status take_shared(struct stile_exchange *x,
                                     struct shared *shared, size_t p,
                                     const struct stile_value *value)
{
    struct stile__person *person = (struct stile__person *)x->persons.items + p;
    enum stile_status status = STILE_OK;
    for (const struct stile_value *child = value->first;
         child != NULL && status == STILE_OK; child = child->next) {
        size_t at = 0;
        if (child->kind == STILE_STRING &&
            stile_str_eqc(child->name, "reference")) {
            at = (size_t)(uintptr_t)stile__map_get(&shared->refs, child->text);
        }
        for (; at != 0 && status == STILE_OK; at = shared->same[at - 1]) {
            if (shared->taken[at - 1] != p + 1) {
                shared->taken[at - 1] = p + 1;
                status = add_to(x, person, shared->items[at - 1]);
            }
        }
        if (status == STILE_OK) {
            status = take_shared(x, shared, p, child);
        }
    }
    return status;
}

static void excuse(struct shared *shared, const struct stile_value *value)
{
    for (const struct stile_value *child = value->first; child != NULL;
         child = child->next) {
        size_t at = 0;
        if (child->kind == STILE_STRING &&
            stile_str_eqc(child->name, "reference")) {
            at = (size_t)(uintptr_t)stile__map_get(&shared->refs, child->text);
        }
        for (; at != 0; at = shared->same[at - 1]) {
            shared->taken[at - 1] = SIZE_MAX;
        }
        excuse(shared, child);
    }
}

/* What nobody's record refers to goes nowhere, and its sender is told. A
 * MessageHeader, and whom it names, speak of the message and end here. */
static void tell_left(struct stile_exchange *x, struct shared *shared)
{
    for (size_t i = 0; i < shared->count; i++) {
        if (is_type(shared->items[i], "MessageHeader")) {
            shared->taken[i] = SIZE_MAX;
            excuse(shared, shared->items[i]);
        }
    }
    for (size_t i = 0; i < shared->count; i++) {
        if (shared->taken[i] == 0) {
            finding(x, "X112", STILE_WARNING, shared->items[i],
                    "no person's record refers to it, so it goes nowhere");
        }
    }
}

/* A shared resource goes with each person whose resources refer to it, also
 * by way of another shared one (PractitionerRole -> Organization): the list
 * grows under the walk. */
static enum stile_status spread_shared(struct stile_exchange *x,
                                       struct shared *shared)
{
    enum stile_status status = index_shared(x, shared);
    for (size_t p = 0; p < x->persons.count && status == STILE_OK; p++) {
        struct stile__person *person =
            (struct stile__person *)x->persons.items + p;
        for (size_t i = 0; i < person->resources.count && status == STILE_OK;
             i++) {
            status = take_shared(
                x, shared, p,
                ((struct stile_value **)person->resources.items)[i]);
        }
    }
    if (status == STILE_OK && stile_str_eqc(x->message->family, "fhir")) {
        tell_left(x, shared);
    }
    return status;
}

/* ---- the split -------------------------------------------------------------
 */

static enum stile_status split_deletions(struct stile_exchange *x)
{
    if (x->deleted.count == 0) {
        return STILE_OK;
    }
    /* A deletion names a resource, not a person. In a message about one
     * person it is theirs; alone it is about a person we are not told of;
     * otherwise the sender must send one message a person. */
    bool message = x->message->format.len > 0;
    if (x->persons.count == 0 && message) {
        struct whom unknown = {STILE_STR_NULL, STILE_STR_NULL};
        struct stile__person *person = NULL;
        enum stile_status status = person_of(x, &unknown, &person);
        if (status != STILE_OK) {
            return status;
        }
    }
    if (x->persons.count == 1) {
        ((struct stile__person *)x->persons.items)->deleted = x->deleted;
    } else if (message) {
        finding(x, "X105", STILE_ERROR, NULL,
                "deletions can be taken only in a message about one person: "
                "include that person's Patient");
    }
    return STILE_OK;
}

static enum stile_status split_resources(struct stile_exchange *x,
                                         struct shared *shared)
{
    struct stile_value **pivot = x->pivot.items;
    struct whom *whom =
        stile_arena_array(x->arena, x->pivot.count, sizeof(*whom));
    bool *own = stile_arena_array(x->arena, x->pivot.count, sizeof(*own));
    enum stile_status status =
        whom == NULL || own == NULL ? STILE_NOMEM : STILE_OK;
    for (size_t i = 0; i < x->pivot.count && status == STILE_OK; i++) {
        own[i] = whom_of(x, pivot[i], &whom[i]);
        status = learn_number(x, pivot[i], &whom[i]);
    }
    for (size_t i = 0; i < x->pivot.count && status == STILE_OK; i++) {
        struct stile__person *person = NULL;
        if (!own[i]) {
            refuse_orphan(x, pivot[i]);
            shared->items[shared->count++] = pivot[i];
            continue;
        }
        if (is_contested(x, &whom[i])) {
            continue; /* the message is kept with its findings */
        }
        status = person_of(x, &whom[i], &person);
        if (status == STILE_OK) {
            status = add_to(x, person, pivot[i]);
        }
    }
    return status;
}

enum stile_status stile__split(struct stile_exchange *x)
{
    struct shared shared = {
        .items = stile_arena_array(x->arena, x->pivot.count,
                                   sizeof(struct stile_value *))};
    if (shared.items == NULL) {
        return STILE_NOMEM;
    }
    enum stile_status status = split_resources(x, &shared);
    if (status == STILE_OK && x->contested) {
        stile__quarantine_whole(x);
    }
    if (status == STILE_OK) {
        status = spread_shared(x, &shared);
    }
    if (status == STILE_OK) {
        status = split_deletions(x);
    }
    if (status != STILE_OK) {
        return status;
    }
    if (x->persons.count == 0 && x->message->format.len > 0 &&
        x->quarantine.count == 0) {
        finding(x, "X102", STILE_ERROR, NULL,
                "the message is about no person: include a Patient");
        return STILE_INVALID;
    }
    return x->diags.errors > 0 && stile_str_eqc(x->message->family, "fhir")
               ? STILE_INVALID
               : STILE_OK;
}
