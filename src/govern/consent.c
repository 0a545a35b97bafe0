/*
 * FHIR R4 Consent to facts. One root provision and one level of exceptions
 * are read (IHE PCF reads no more either). What limits a consent in a way the
 * rules cannot honour makes it unknown, never a yes.
 */
#include "private.h"

struct reader {
    const struct stile_rules *rules;
    struct stile_value *const *resources;
    struct stile__refs *refs;
    struct stile_arena *arena;
    struct stile_fact **facts;
    size_t *count;
    const struct stile_value *consent;
    stile_time date;
    bool codes_only;
};

static bool has(const struct stile_value *object, const char *name)
{
    const struct stile_value *value = stile_value_getc(object, name);

    return value && (value->count || value->text.len);
}

/* One of the purposes named must be one that we act for. */
static bool purposes_fit(const struct stile_rules *rules,
                         const struct stile_value *provision)
{
    const struct stile_value *list = stile_value_getc(provision, "purpose");
    const struct stile_value *coding;

    if (!list || !list->first) {
        return true;
    }
    for (coding = list->first; coding; coding = coding->next) {
        if (stile__in(rules->consent_purposes, rules->consent_purpose_count,
                      stile_value_text(coding, "code"))) {
            return true;
        }
    }
    return false;
}

static bool limited(const struct stile_rules *rules,
                    const struct stile_value *provision)
{
    return has(provision, "data") || has(provision, "class") ||
           has(provision, "code") || has(provision, "dataPeriod") ||
           has(provision, "securityLabel") || has(provision, "action") ||
           has(provision, "modifierExtension") ||
           !purposes_fit(rules, provision);
}

static enum stile_truth provision_truth(const struct stile_rules *rules,
                                        const struct stile_value *provision)
{
    struct stile_str type = stile_value_text(provision, "type");

    if (stile_str_eqc(type, "deny")) {
        /* A refusal of a part: the rest may be meant or not. */
        return limited(rules, provision) ? STILE_UNKNOWN : STILE_NO;
    }
    if (stile_str_eqc(type, "permit") && !limited(rules, provision)) {
        return STILE_YES;
    }
    return STILE_UNKNOWN;
}

static struct stile_date day_of(struct stile_str text)
{
    struct stile_date date = {0, 0, 0};

    if (!stile_date_parse(stile_str_sub(text, 0, text.len < 10 ? text.len : 10),
                          &date) ||
        !date.day) {
        date.year = 0;
    }
    return date;
}

/* A bound that cannot be read as a day must not open the period. */
static bool period_of(const struct stile_value *provision,
                      struct stile_fact *fact)
{
    const struct stile_value *period = stile_value_getc(provision, "period");
    struct stile_str start = stile_value_text(period, "start");
    struct stile_str end = stile_value_text(period, "end");

    fact->from = day_of(start);
    fact->until = day_of(end);
    return (!start.len || fact->from.year) && (!end.len || fact->until.year);
}

static void add(const struct reader *reader, struct stile_str recipient,
                enum stile_truth value, const struct stile_value *provision)
{
    const struct stile_rules *rules = reader->rules;
    size_t i;

    for (i = 0; i < rules->facts.count; i++) {
        struct stile_fact fact = {
            .name = rules->facts.names[i],
            .value = value,
            .recipient = recipient,
            .source = stile__source_of(reader->arena, reader->consent),
            .date = reader->date};

        if (rules->fact_defs[i].about != STILE__ABOUT_PAIR ||
            (!rules->fact_defs[i].from_consent &&
             !rules->fact_defs[i].from_codes_only)) {
            continue;
        }
        /* What is no yes and does not say when is taken for the latest. */
        if (value != STILE_YES && !reader->date) {
            fact.date = INT64_MAX;
        }
        if (rules->fact_defs[i].from_codes_only) {
            fact.date = reader->date;
            fact.value = reader->codes_only ? STILE_YES : STILE_NO;
        }
        if (!period_of(provision, &fact) && fact.value == STILE_YES) {
            fact.value = STILE_UNKNOWN;
        }
        if (fact.value == STILE_NO || rules->fact_defs[i].from_codes_only) {
            fact.from.year = 0; /* a refusal or limit does not run out */
            fact.until.year = 0;
        }
        stile__fact_add(reader->arena, reader->facts, reader->count, &fact);
    }
}

/* One fact for each organisation the provision names; without any actor, one
 * that names nobody. */
static void each_actor(const struct reader *reader,
                       const struct stile_value *provision,
                       enum stile_truth value)
{
    const struct stile_value *actors = stile_value_getc(provision, "actor");
    const struct stile_value *actor;

    if (!actors || !actors->first) {
        add(reader, STILE_STR_NULL, value, provision);
        return;
    }
    for (actor = actors->first; actor; actor = actor->next) {
        struct stile_str ods =
            stile__ods_of(reader->refs, reader->resources,
                          stile_value_getc(actor, "reference"));
        if (ods.len) {
            add(reader, ods, value, provision);
        } else if (value != STILE_YES) {
            /* A refusal whose party we cannot tell may be meant for anyone. */
            add(reader, STILE_STR_NULL, STILE_UNKNOWN, provision);
        }
    }
}

/* Exceptions that name items are for the items alone (stile__item_facts). */
static bool about_items(const struct stile_value *provision)
{
    return has(provision, "data");
}

static void read_consent(const struct reader *reader)
{
    const struct stile_value *root =
        stile_value_getc(reader->consent, "provision");
    const struct stile_value *nested = stile_value_getc(root, "provision");
    const struct stile_value *exception;
    struct stile_str status = stile_value_text(reader->consent, "status");
    bool over =
        stile_str_eqc(status, "rejected") || stile_str_eqc(status, "inactive");
    enum stile_truth value = provision_truth(reader->rules, root);

    if (!over && !stile_str_eqc(status, "active")) {
        return; /* draft, proposed, entered-in-error say nothing */
    }
    if (!root) {
        add(reader, STILE_STR_NULL, over ? STILE_NO : STILE_UNKNOWN, NULL);
        return;
    }
    if (!about_items(root)) {
        each_actor(reader, root, over ? STILE_NO : value);
    }
    for (exception = nested && !over ? nested->first : NULL; exception;
         exception = exception->next) {
        value = provision_truth(reader->rules, exception);
        if (about_items(exception) &&
            stile_str_eqc(stile_value_text(exception, "type"), "permit")) {
            continue;
        }
        if (has(exception, "provision")) {
            value = STILE_UNKNOWN;
        }
        each_actor(reader, exception, value);
    }
}

static struct stile_str extension_text(const struct stile_value *resource,
                                       const char *url, const char *name)
{
    const struct stile_value *list = stile_value_getc(resource, "extension");
    const struct stile_value *extension;

    for (extension = list ? list->first : NULL; extension;
         extension = extension->next) {
        if (stile_str_eqc(stile_value_text(extension, "url"), url)) {
            return stile_value_text(extension, name);
        }
    }
    return STILE_STR_NULL;
}

static stile_time time_of(struct stile_str text)
{
    struct stile_date date;
    stile_time time = 0;

    if (stile_time_parse(text, &time)) {
        return time;
    }
    if (stile_date_parse(text, &date) && date.day) {
        return (stile_time)stile_date_days(date) * 86400 * STILE_SECOND;
    }
    return 0;
}

/* A withdrawn consent speaks from the day it was withdrawn. */
static stile_time consent_date(const struct stile_value *consent)
{
    stile_time given = time_of(stile_value_text(consent, "dateTime"));
    stile_time withdrawn = time_of(extension_text(
        consent,
        "https://stile.example/fhir/StructureDefinition/consent-withdrawn",
        "valueDate"));

    return withdrawn > given ? withdrawn : given;
}

/* VCSE case: `what` is all, codes-only, summary or none. */
static bool is_codes_only(const struct stile_value *consent)
{
    struct stile_str what = extension_text(
        consent, "https://stile.example/fhir/StructureDefinition/consent-what",
        "valueCode");

    return what.len && !stile_str_eqc(what, "all") &&
           !stile_str_eqc(what, "none");
}

void stile__consents(const struct stile_rules *rules, struct stile__refs *refs,
                     struct stile_arena *arena, struct stile_fact **facts,
                     size_t *fact_count)
{
    struct reader reader = {.rules = rules,
                            .resources = refs->resources,
                            .refs = refs,
                            .arena = arena,
                            .facts = facts,
                            .count = fact_count};
    size_t i;

    for (i = 0; i < refs->count; i++) {
        const struct stile_value *resource = refs->resources[i];

        if (stile_str_eqc(stile_value_text(resource, "resourceType"),
                          "Consent")) {
            reader.consent = resource;
            reader.date = consent_date(resource);
            reader.codes_only = is_codes_only(resource);
            read_consent(&reader);
        }
    }
}

/* ---- consent to one item
 * -------------------------------------------------------- */

static bool names_recipient(const struct stile__context *context,
                            const struct stile__refs *refs,
                            struct stile_value *const *resources,
                            const struct stile_value *provision)
{
    const struct stile_value *actors = stile_value_getc(provision, "actor");
    const struct stile_value *actor;

    for (actor = actors ? actors->first : NULL; actor; actor = actor->next) {
        if (stile_str_eq(stile__ods_of(refs, resources,
                                       stile_value_getc(actor, "reference")),
                         context->recipient)) {
            return true;
        }
    }
    return false;
}

/* +1 permits the item for the recipient now, -1 refuses it, 0 neither. */
static int item_verdict(const struct stile__context *context,
                        const struct stile__refs *refs,
                        struct stile_value *const *resources,
                        const struct stile_value *provision, size_t item)
{
    const struct stile_value *data = stile_value_getc(provision, "data");
    const struct stile_value *entry;
    struct stile_fact period = {0};
    int64_t today = stile_date_days(context->today);

    for (entry = data ? data->first : NULL; entry; entry = entry->next) {
        const struct stile_value *reference =
            stile_value_getc(entry, "reference");
        if (stile__refs_find(refs, stile_value_text(reference, "reference")) ==
            item) {
            break;
        }
    }
    if (!entry) {
        return 0;
    }
    if (!stile_str_eqc(stile_value_text(provision, "type"), "permit")) {
        return -1;
    }
    if (!names_recipient(context, refs, resources, provision) ||
        !stile_str_eqc(stile_value_text(entry, "meaning"), "instance") ||
        has(provision, "provision") || has(provision, "class") ||
        has(provision, "code") || has(provision, "dataPeriod") ||
        has(provision, "securityLabel") || has(provision, "action") ||
        !purposes_fit(context->rules, provision) ||
        !period_of(provision, &period) ||
        (period.from.year && today < stile_date_days(period.from)) ||
        (period.until.year && today > stile_date_days(period.until))) {
        return 0;
    }
    return 1;
}

uint64_t stile__item_facts(const struct stile__context *context,
                           const struct stile__refs *refs,
                           struct stile_value *const *resources,
                           const size_t *consents, size_t consent_count,
                           size_t item)
{
    bool permitted = false;
    uint64_t mask = 0;
    size_t i;

    for (i = 0; i < consent_count; i++) {
        const struct stile_value *consent = resources[consents[i]];
        const struct stile_value *root = stile_value_getc(consent, "provision");
        const struct stile_value *nested = stile_value_getc(root, "provision");
        const struct stile_value *provision;

        if (!stile_str_eqc(stile_value_text(consent, "status"), "active")) {
            continue;
        }
        for (provision = root; provision;
             provision = provision == root ? (nested ? nested->first : NULL)
                                           : provision->next) {
            int verdict =
                item_verdict(context, refs, resources, provision, item);
            if (verdict < 0) {
                return 0;
            }
            permitted = permitted || verdict > 0;
        }
    }
    for (i = 0; permitted && i < context->rules->facts.count; i++) {
        if (context->rules->fact_defs[i].about == STILE__ABOUT_ITEM) {
            mask |= UINT64_C(1) << i;
        }
    }
    return mask;
}
