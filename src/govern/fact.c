/* What the record itself says of the person. */
#include "private.h"

#define FACTS_FIRST 32u

void stile__fact_add(struct stile_arena *arena, struct stile_fact **facts,
                     size_t *count, const struct stile_fact *fact)
{
    size_t n = *count;

    if (n == STILE_FACTS_MAX + 1) {
        return; /* stile_govern_facts answers LIMIT */
    }
    /* Capacity is the next power of two: grown when the count is one. */
    if (n == 0 || (n >= FACTS_FIRST && (n & (n - 1)) == 0)) {
        struct stile_fact *grown =
            stile_arena_array(arena, n ? n * 2 : FACTS_FIRST, sizeof(*grown));
        if (!grown) {
            return;
        }
        if (n) {
            memcpy(grown, *facts, n * sizeof(*grown));
        }
        *facts = grown;
    }
    (*facts)[n] = *fact;
    *count = n + 1;
}

struct gather {
    const struct stile_rules *rules;
    struct stile_value *const *resources;
    size_t count;
    uint32_t family;
    struct stile__refs *refs;
    struct stile_arena *arena;
    struct stile_fact *facts;
    size_t fact_count;
};

static void add(struct gather *gather, uint32_t fact, enum stile_truth value,
                struct stile_str recipient, struct stile_str source,
                stile_time date)
{
    struct stile_fact made = {.name = gather->rules->facts.names[fact],
                              .value = value,
                              .recipient = recipient,
                              .source = source,
                              .date = date};

    stile__fact_add(gather->arena, &gather->facts, &gather->fact_count, &made);
}

/* Whole days and instants count; a date of a year or month does not tell
 * what came first, and gives 0. */
static stile_time clinical_date(const struct stile_value *resource)
{
    static const char *const names[] = {"effectiveDateTime",
                                        "recordedDate",
                                        "performedDateTime",
                                        "dateTime",
                                        "authoredOn",
                                        "authored",
                                        "issued",
                                        "date"};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stile_str text = stile_value_text(resource, names[i]);
        struct stile_date date;
        stile_time time;

        if (!text.len) {
            continue;
        }
        if (stile_time_parse(text, &time)) {
            return time;
        }
        if (stile_date_parse(text, &date) && date.day) {
            return (stile_time)stile_date_days(date) * 86400 * STILE_SECOND;
        }
        return 0;
    }
    return 0;
}

static bool in_error(const struct stile_value *resource)
{
    return stile_str_eqc(stile_value_text(resource, "status"),
                         "entered-in-error") ||
           stile_str_eqc(
               stile_value_text(
                   stile_value_path(resource, "verificationStatus.coding.0"),
                   "code"),
               "entered-in-error");
}

static void from_codes(struct gather *gather,
                       const struct stile_value *resource)
{
    const struct stile_rules *rules = gather->rules;
    const struct stile_value *list = stile_value_path(resource, "code.coding");
    const struct stile_value *coding;

    for (coding = list && !in_error(resource) ? list->first : NULL; coding;
         coding = coding->next) {
        struct stile_str uri = stile_value_text(coding, "system");
        struct stile_str code = stile_value_text(coding, "code");
        uint32_t system = stile__system_of(rules, uri);
        size_t i = 0;

        if (!code.len) {
            continue;
        }
        while ((i = stile__code_next(rules->consent_codes,
                                     rules->consent_code_count, system, code,
                                     i)) != SIZE_MAX) {
            const struct stile__code *entry = &rules->consent_codes[i++];
            /* A code without its system, or with one that is not known, may be
             * this one: nothing is known. */
            enum stile_truth value =
                system != STILE__NONE ? entry->value : STILE_UNKNOWN;

            if (rules->fact_defs[entry->target].from_codes) {
                add(gather, entry->target, value, entry->recipient,
                    STILE_STR("coded entry"), clinical_date(resource));
            }
        }
    }
}

/* A coded entry without a day cannot be put before or after another: where
 * the two disagree, nothing is known. */
static void undated(struct gather *gather)
{
    size_t count = gather->fact_count;
    size_t i, j;

    for (i = 0; i < count; i++) {
        for (j = 0; j < count && !gather->facts[i].date; j++) {
            struct stile_fact *a = &gather->facts[i];
            struct stile_fact *b = &gather->facts[j];

            if (stile_str_eq(a->name, b->name) && a->value != b->value &&
                stile_str_eq(a->recipient, b->recipient)) {
                struct stile_fact both = *a;
                both.value = STILE_UNKNOWN;
                both.date = INT64_MAX;
                both.source = STILE_STR("coded entries without a date");
                stile__fact_add(gather->arena, &gather->facts,
                                &gather->fact_count, &both);
                break;
            }
        }
    }
}

static void from_marks(struct gather *gather, uint32_t fact,
                       const struct stile_value *patient)
{
    static const char *const places[] = {"meta.security", "meta.tag"};
    const struct stile__fact_def *def = &gather->rules->fact_defs[fact];
    enum stile_truth value = STILE_UNKNOWN;
    size_t i;

    for (i = 0; i < 2; i++) {
        const struct stile_value *list = stile_value_path(patient, places[i]);
        const struct stile_value *coding;

        for (coding = list ? list->first : NULL; coding;
             coding = coding->next) {
            struct stile_str code = stile_value_text(coding, "code");

            if (stile__in(def->security, def->security_count, code)) {
                value = STILE_YES;
            } else if (value == STILE_UNKNOWN &&
                       stile__in(def->security_no, def->security_no_count,
                                 code)) {
                value = STILE_NO;
            }
        }
    }
    /* Said, so that what an earlier message marked is lifted again. */
    if (value == STILE_UNKNOWN && def->security_count &&
        gather->family != STILE__NONE &&
        def->absent[gather->family] == STILE_NO) {
        value = STILE_NO;
    }
    if (value != STILE_UNKNOWN) {
        add(gather, fact, value, STILE_STR_NULL, STILE_STR("Patient.meta"), 0);
    }
}

static void from_deceased(struct gather *gather, uint32_t fact,
                          const struct stile_value *patient)
{
    const struct stile_value *flag =
        stile_value_getc(patient, "deceasedBoolean");

    if (stile_value_text(patient, "deceasedDateTime").len ||
        (flag && flag->kind == STILE_BOOL && flag->boolean)) {
        add(gather, fact, STILE_YES, STILE_STR_NULL,
            STILE_STR("Patient.deceased"), 0);
    } else if (flag && flag->kind == STILE_BOOL) {
        add(gather, fact, STILE_NO, STILE_STR_NULL,
            STILE_STR("Patient.deceased"), 0);
    }
}

/* Yes up to the day before the birthday, no from the birthday on. A birth
 * date of a year or month leaves a gap between the two. */
static void from_age(struct gather *gather, uint32_t fact,
                     const struct stile_value *patient)
{
    uint32_t years = gather->rules->fact_defs[fact].age_under;
    struct stile_date born, earliest, latest;
    struct stile_fact made = {.name = gather->rules->facts.names[fact],
                              .source = STILE_STR("Patient.birthDate")};

    if (!stile_date_parse(stile_value_text(patient, "birthDate"), &born)) {
        return;
    }
    earliest = born;
    latest = born;
    if (!born.month) {
        earliest.month = 1;
        latest.month = 12;
    }
    if (!born.day) {
        earliest.day = 1;
        latest.day = 28; /* then to the end of any month: three days more */
    }
    earliest.year += (int)years;
    latest.year += (int)years;
    if (!stile_date_valid(earliest)) { /* 29 February */
        earliest.day = 28;
    }
    if (!stile_date_valid(latest)) {
        latest.month = 3;
        latest.day = 1;
    }
    made.value = STILE_YES;
    made.until = stile_date_from_days(stile_date_days(earliest) - 1);
    stile__fact_add(gather->arena, &gather->facts, &gather->fact_count, &made);
    made.value = STILE_NO;
    made.until.year = 0;
    made.from =
        stile_date_from_days(stile_date_days(latest) + (born.day ? 0 : 3));
    stile__fact_add(gather->arena, &gather->facts, &gather->fact_count, &made);
}

struct stile_str stile__source_of(struct stile_arena *arena,
                                  const struct stile_value *resource)
{
    struct stile_str type = stile_value_text(resource, "resourceType");
    struct stile_str id = stile_value_text(resource, "id");

    return id.len ? stile_arena_printf(arena, "%.*s/%.*s", STILE_FMT(type),
                                       STILE_FMT(id))
                  : type;
}

/* One fact a request and organisation: yes while it is active. Whether any
 * request to an organisation is open is for the decision to say (truth.c). */
static void from_referral(struct gather *gather, uint32_t fact,
                          const struct stile_value *request)
{
    const struct stile_value *list = stile_value_getc(request, "performer");
    const struct stile_value *performer;
    bool active = stile_str_eqc(stile_value_text(request, "status"), "active");

    for (performer = list ? list->first : NULL; performer;
         performer = performer->next) {
        struct stile_str ods =
            stile__ods_of(gather->refs, gather->resources, performer);

        if (ods.len && !in_error(request)) {
            add(gather, fact, active ? STILE_YES : STILE_NO, ods,
                stile__source_of(gather->arena, request),
                clinical_date(request));
        }
    }
}

static void from_resource(struct gather *gather,
                          const struct stile_value *resource)
{
    const struct stile_rules *rules = gather->rules;
    struct stile_str type = stile_value_text(resource, "resourceType");
    uint32_t fact;

    for (fact = 0; fact < rules->facts.count; fact++) {
        const struct stile__fact_def *def = &rules->fact_defs[fact];

        if (stile_str_eqc(type, "Patient")) {
            from_marks(gather, fact, resource);
            if (def->from_deceased) {
                from_deceased(gather, fact, resource);
            }
            if (def->age_under) {
                from_age(gather, fact, resource);
            }
        } else if (def->from_referral &&
                   stile_str_eqc(type, "ServiceRequest")) {
            from_referral(gather, fact, resource);
        }
    }
}

enum stile_status stile_govern_facts(const struct stile_rules *rules,
                                     struct stile_value *const *resources,
                                     size_t count, struct stile_str family,
                                     struct stile_arena *arena,
                                     struct stile_fact **ret_facts,
                                     size_t *ret_count)
{
    struct gather gather = {.rules = rules,
                            .resources = resources,
                            .count = count,
                            .family =
                                stile__word_find(&rules->families, family),
                            .arena = arena};
    enum stile_status status =
        stile__refs_make(resources, count, arena, &gather.refs);
    size_t i;

    if (status != STILE_OK) {
        return status;
    }
    for (i = 0; i < count; i++) {
        from_codes(&gather, resources[i]);
    }
    undated(&gather);
    for (i = 0; i < count; i++) {
        from_resource(&gather, resources[i]);
    }
    stile__consents(rules, gather.refs, arena, &gather.facts,
                    &gather.fact_count);
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    if (gather.fact_count > STILE_FACTS_MAX) {
        return STILE_LIMIT;
    }
    *ret_facts = gather.facts;
    *ret_count = gather.fact_count;
    return STILE_OK;
}

bool stile_govern_permits(const struct stile_rules *rules,
                          struct stile_str name, enum stile_truth value)
{
    uint32_t i = stile__word_find(&rules->facts, name);
    const struct stile__fact_def *def;

    if (i == STILE__NONE) {
        return true; /* a word of another set: not to be relied on */
    }
    def = &rules->fact_defs[i];
    if (def->about == STILE__ABOUT_PAIR && !def->from_codes_only) {
        return value == STILE_YES;
    }
    return value == STILE_NO;
}

enum stile_status stile_govern_doubt(const struct stile_rules *rules,
                                     struct stile_str recipient,
                                     struct stile_arena *arena,
                                     struct stile_fact **ret_facts,
                                     size_t *ret_count)
{
    struct stile_fact *facts = NULL;
    size_t count = 0;
    uint32_t i;

    for (i = 0; i < rules->facts.count; i++) {
        const struct stile__fact_def *def = &rules->fact_defs[i];
        struct stile_fact made = {.name = rules->facts.names[i],
                                  .value = STILE_UNKNOWN,
                                  .source = STILE_STR("an entry that could "
                                                      "not be read"),
                                  .date = INT64_MAX};

        if (!def->from_codes && !def->from_consent && !def->from_codes_only) {
            continue;
        }
        if (def->about == STILE__ABOUT_PAIR) {
            made.recipient = recipient;
        }
        stile__fact_add(arena, &facts, &count, &made);
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret_facts = facts;
    *ret_count = count;
    return STILE_OK;
}
