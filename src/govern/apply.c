/*
 * Doing a decision. What leaves is built anew from what was released, never
 * cut from the whole, so that what nobody thought of stays behind.
 */
#include "private.h"

#include "stile/schema.h"

struct applier {
    const struct stile_rules *rules;
    const struct stile_question *question;
    const struct stile__work *work;
    struct stile__refs *refs;
    struct stile_str key;
    struct stile_arena *arena;
    bool denied;
    /* of the item in hand */
    const struct stile__item_plan *item;
    const struct stile__field_plan *field; /* NULL in the frame */
    bool drop_text;
};

static const struct stile__field_plan *
field_of(const struct stile__item_plan *item, uint32_t word)
{
    size_t i;

    for (i = 0; i < item->field_count; i++) {
        if (item->fields[i].word == word) {
            return &item->fields[i];
        }
    }
    return NULL;
}

static bool word_goes(const struct stile__item_plan *item, uint32_t word)
{
    const struct stile__field_plan *field = field_of(item, word);

    return field && field->release;
}

/* ---- copying
 * ------------------------------------------------------------------- */

static struct stile_value *copy(struct applier *applier,
                                const struct stile_value *value);

/* Does what a reference points to leave as well? One to something outside of
 * this record stays only when it is a person, organisation or place: of any
 * other thing we cannot tell what it would give away. */
static bool reference_stays(const struct applier *applier,
                            struct stile_str reference, bool *ret_resolved)
{
    size_t target = stile__refs_find(applier->refs, reference);
    size_t i;

    *ret_resolved = target != SIZE_MAX;
    if (target != SIZE_MAX) {
        return applier->work->items[target].release;
    }
    for (i = 0; i < applier->rules->stops_count; i++) {
        size_t at = stile_str_find_str(reference, applier->rules->stops_at[i]);
        if (at != SIZE_MAX &&
            stile_str_starts(stile_str_sub(reference,
                                           at + applier->rules->stops_at[i].len,
                                           1),
                             STILE_STR("/"))) {
            return true;
        }
    }
    return false;
}

/* A person's reference repeats a name that was decided at the person. */
static bool names_person(struct stile_str reference, struct stile_str type)
{
    return stile_str_find_str(reference, STILE_STR("Patient/")) != SIZE_MAX ||
           stile_str_find_str(reference, STILE_STR("RelatedPerson/")) !=
               SIZE_MAX ||
           stile_str_eqc(type, "Patient") ||
           stile_str_eqc(type, "RelatedPerson");
}

/* A reference repeats its target's name and identifier. Where the target is
 * in the record it was decided there; elsewhere the display belongs to the
 * word the reference stands in. Of identifiers only an ODS code stays. */
static struct stile_value *copy_reference(struct applier *applier,
                                          const struct stile_value *value)
{
    struct stile_str text = stile_value_text(value, "reference");
    const struct stile_value *identifier =
        stile_value_getc(value, "identifier");
    struct stile_value *out = stile_value_new(applier->arena, STILE_OBJECT);
    bool resolved = false;

    if (text.len && !reference_stays(applier, text, &resolved)) {
        return NULL;
    }
    if (text.len) {
        (void)stile_value_set_str(applier->arena, out, "reference", text);
    }
    if (stile_value_text(value, "type").len) {
        (void)stile_value_set_str(applier->arena, out, "type",
                                  stile_value_text(value, "type"));
    }
    if (!resolved && applier->field &&
        !names_person(text, stile_value_text(value, "type")) &&
        stile_value_text(value, "display").len) {
        (void)stile_value_set_str(applier->arena, out, "display",
                                  stile_value_text(value, "display"));
    }
    if (stile_str_eqc(stile_value_text(identifier, "system"),
                      STILE__ODS_SYSTEM)) {
        struct stile_value *kept = stile_value_set_new(
            applier->arena, out, "identifier", STILE_OBJECT);
        (void)stile_value_set_str(applier->arena, kept, "system",
                                  STILE_STR(STILE__ODS_SYSTEM));
        (void)stile_value_set_str(applier->arena, kept, "value",
                                  stile_value_text(identifier, "value"));
    }
    return out && out->count ? out : NULL;
}

static bool is_reference(const struct stile_value *value)
{
    const struct stile_value *reference = stile_value_getc(value, "reference");
    const struct stile_value *identifier =
        stile_value_getc(value, "identifier");

    if (reference && reference->kind == STILE_STRING) {
        return true;
    }
    /* A logical reference: nothing but what R4 2.3.0 gives a Reference. */
    return identifier && identifier->kind == STILE_OBJECT &&
           value->count <= 3 &&
           value->count == 1u + (stile_value_getc(value, "display") != NULL) +
                               (stile_value_getc(value, "type") != NULL);
}

static bool dropped_inside(const struct applier *applier,
                           const struct stile_value *child)
{
    uint32_t word;

    if (applier->drop_text &&
        stile__in(applier->rules->free_text, applier->rules->free_text_count,
                  child->name)) {
        return true;
    }
    word = stile__inside_word(applier->rules, child->name);
    return word != STILE__NONE && !word_goes(applier->item, word);
}

/* The concept's own code and display stay (the display must stay a term of
 * the code); the words people read are replaced. */
static void relabel(struct applier *applier, const struct stile_value *from,
                    struct stile_value *to)
{
    const struct stile_value *list = stile_value_getc(from, "coding");
    const struct stile_value *coding;
    size_t i, at;

    for (coding = list && applier->field ? list->first : NULL; coding;
         coding = coding->next) {
        struct stile_str uri = stile_value_text(coding, "system");
        uint32_t system = stile__system_of(applier->rules, uri);

        for (i = 0; i < applier->field->relabel_count; i++) {
            at = 0;
            while ((at = stile__code_next(
                        applier->rules->label_codes,
                        applier->rules->label_code_count, system,
                        stile_value_text(coding, "code"), at)) != SIZE_MAX) {
                if (applier->rules->label_codes[at].target ==
                    applier->field->relabels[i].label) {
                    (void)stile_value_set_str(applier->arena, to, "text",
                                              applier->field->relabels[i].text);
                    return;
                }
                at++;
            }
        }
    }
}

static struct stile_value *copy_object(struct applier *applier,
                                       const struct stile_value *value)
{
    struct stile_value *out = stile_value_new(applier->arena, STILE_OBJECT);
    const struct stile_value *child;

    if (is_reference(value)) {
        return copy_reference(applier, value);
    }
    for (child = value->first; child; child = child->next) {
        if (!dropped_inside(applier, child)) {
            (void)stile_value_set(out, child->name, copy(applier, child));
        }
    }
    relabel(applier, value, out);
    /* An Extension whose value stayed behind says nothing (R4 ext-1). */
    if (out && out->count == 1 && value->count > 1 &&
        stile_value_getc(out, "url")) {
        return NULL;
    }
    return out;
}

/* Depth is bounded by the decoder's limit (format.h: 64 levels). NULL is for
 * what does not go. */
static struct stile_value *copy(struct applier *applier,
                                const struct stile_value *value)
{
    struct stile_value *out;
    const struct stile_value *child;

    switch (value->kind) {
    case STILE_OBJECT:
        out = copy_object(applier, value);
        break;
    case STILE_ARRAY:
        out = stile_value_new(applier->arena, STILE_ARRAY);
        for (child = value->first; child; child = child->next) {
            (void)stile_value_push(out, copy(applier, child));
        }
        break;
    default:
        return stile_value_copy(applier->arena, value);
    }
    return out && stile_value_prune(out) ? out : NULL;
}

/* ---- the lattice
 * ---------------------------------------------------------------- */

static struct stile_value *masked(struct applier *applier)
{
    struct stile_value *out = stile_value_new(applier->arena, STILE_OBJECT);
    struct stile_value *list =
        stile_value_set_new(applier->arena, out, "extension", STILE_ARRAY);
    struct stile_value *extension =
        stile_value_push(list, stile_value_new(applier->arena, STILE_OBJECT));

    /* R4 StructureDefinition data-absent-reason, code "masked". */
    (void)stile_value_set_str(
        applier->arena, extension, "url",
        STILE_STR("http://hl7.org/fhir/StructureDefinition/"
                  "data-absent-reason"));
    (void)stile_value_set_str(applier->arena, extension, "valueCode",
                              STILE_STR("masked"));
    return out;
}

/* An Identifier's value, keyed, so that the same person stays the same. */
static struct stile_value *pseudonym(struct applier *applier,
                                     const struct stile_value *value)
{
    struct stile_value *out = stile_value_new(applier->arena, STILE_OBJECT);
    struct stile_str text = stile_value_text(value, "value");
    struct stile_str system = stile_value_text(value, "system");
    struct stile_digest digest;
    struct stile_str joined;
    char hex[65];

    if (applier->key.len < 32 || !text.len) {
        applier->denied = true;
        return NULL;
    }
    joined = stile_arena_printf(applier->arena, "%.*s|%.*s", STILE_FMT(system),
                                STILE_FMT(text));
    stile_hmac_sha256(applier->key, joined, &digest);
    stile_digest_hex(&digest, hex);
    (void)stile_value_set_str(applier->arena, out, "system",
                              STILE_STR("https://stile.example/pseudonym"));
    (void)stile_value_set_str(
        applier->arena, out, "value",
        stile_arena_str(applier->arena, (struct stile_str){hex, 64}));
    return out;
}

/* Dates to the year; addresses to the outward part of the postcode. */
static struct stile_value *rounded(struct applier *applier,
                                   const struct stile_value *value)
{
    struct stile_date date;
    struct stile_value *out;
    struct stile_str code;
    size_t space;

    if (value->kind == STILE_STRING && value->text.len >= 4 &&
        stile_date_parse(stile_str_sub(value->text, 0, 4), &date)) {
        return stile_value_string(applier->arena,
                                  stile_str_sub(value->text, 0, 4));
    }
    code = value->kind == STILE_OBJECT ? stile_value_text(value, "postalCode")
                                       : STILE_STR_NULL;
    code = stile_str_trim(code);
    space = stile_str_find(code, ' ');
    /* NHS Data Dictionary POSTCODE: the inward part is three characters. */
    if (space == SIZE_MAX && code.len >= 5) {
        space = code.len - 3;
    }
    if (space == SIZE_MAX || space < 2 || space > 4) {
        applier->denied = true;
        return NULL;
    }
    out = stile_value_new(applier->arena, STILE_OBJECT);
    (void)stile_value_set_str(applier->arena, out, "postalCode",
                              stile_str_sub(code, 0, space));
    return out;
}

static struct stile_value *change(struct applier *applier,
                                  const struct stile_value *value)
{
    switch (applier->field ? applier->field->level : STILE__NOTIFY) {
    case STILE__ROUND:
        return rounded(applier, value);
    case STILE__PSEUDONYMISE:
        return pseudonym(applier, value);
    case STILE__MASK:
        return masked(applier);
    default:
        return copy(applier, value);
    }
}

/* ---- one item
 * ------------------------------------------------------------------- */

static void put(struct applier *applier, struct stile_value *out,
                const struct stile_value *member, struct stile_value *value)
{
    struct stile_str name = member->name;
    bool primitive =
        member->kind != STILE_OBJECT && member->kind != STILE_ARRAY;

    if (!value) {
        return;
    }
    if (primitive && value->kind == STILE_OBJECT) {
        /* A masked primitive is its extension alone: "_name". */
        name = stile_arena_printf(applier->arena, "_%.*s", STILE_FMT(name));
    }
    (void)stile_value_set(out, name, value);
}

/* Selects the plan of a value's word; false when it stays behind. */
static bool enter(struct applier *applier, const struct stile_value *resource,
                  const struct stile_value *member,
                  const struct stile_value *value)
{
    uint32_t word = stile__word_of(applier->rules, resource, member, value);

    applier->field = NULL;
    if (word == STILE__FRAME) {
        return true;
    }
    if (word == STILE__NOT_COVERED || !word_goes(applier->item, word)) {
        return false;
    }
    applier->field = field_of(applier->item, word);
    return true;
}

static void apply_member(struct applier *applier,
                         const struct stile_value *resource,
                         const struct stile_value *member,
                         struct stile_value *out)
{
    const struct stile_value *value;
    struct stile_value *list;

    if (dropped_inside(applier, member)) {
        return;
    }
    if (member->kind != STILE_ARRAY) {
        if (enter(applier, resource, member, member)) {
            /* Extensions beside a changed primitive may repeat its value. */
            bool beside = member->name.len && member->name.ptr[0] == '_';
            if (!beside || !applier->field ||
                applier->field->level == STILE__NOTIFY) {
                put(applier, out, member, change(applier, member));
            }
        }
        return;
    }
    list = stile_value_new(applier->arena, STILE_ARRAY);
    for (value = member->first; value; value = value->next) {
        if (enter(applier, resource, member, value)) {
            (void)stile_value_push(list, change(applier, value));
        }
    }
    if (list && list->count) {
        (void)stile_value_set(out, member->name, list);
    }
}

/* Profiles and security labels travel. Tags, versions and times do not: they
 * would tell of changes in what stayed behind. */
static void apply_meta(struct applier *applier,
                       const struct stile_value *resource,
                       struct stile_value *out)
{
    static const char *const names[] = {"profile", "security"};
    const struct stile_value *meta = stile_value_getc(resource, "meta");
    struct stile_value *kept = stile_value_new(applier->arena, STILE_OBJECT);
    size_t i;

    for (i = 0; i < 2; i++) {
        const struct stile_value *value = stile_value_getc(meta, names[i]);
        if (value) {
            (void)stile_value_set(kept, value->name,
                                  stile_value_copy(applier->arena, value));
        }
    }
    if (kept && kept->count) {
        (void)stile_value_set(out, STILE_STR("meta"), kept);
    }
}

/* What R4 requires and may not go is there in name only. It is required, so
 * its absence would tell nothing either. */
static void mask_required(struct applier *applier,
                          const struct stile_value *resource,
                          struct stile_value *out)
{
    const struct stile_fhir_type *type =
        stile_fhir_type(stile_value_text(resource, "resourceType"));
    const struct stile_value *member;

    for (member = resource->first; type && member; member = member->next) {
        const struct stile_fhir_type *of;
        const struct stile_fhir_element *element =
            stile_fhir_element_json(type, member->name, &of);
        struct stile_value *list;

        if (!element || !element->min || stile_value_get(out, member->name) ||
            member->name.ptr[0] == '_') {
            continue;
        }
        if (member->kind != STILE_ARRAY) {
            put(applier, out, member, masked(applier));
            continue;
        }
        list = stile_value_new(applier->arena, STILE_ARRAY);
        (void)stile_value_push(list, masked(applier));
        (void)stile_value_set(out, member->name, list);
    }
}

static struct stile_value *apply_item(struct applier *applier, size_t index)
{
    const struct stile_value *resource = applier->question->resources[index];
    struct stile_str type = stile_value_text(resource, "resourceType");
    struct stile_value *out = stile_value_new(applier->arena, STILE_OBJECT);
    const struct stile_value *member;
    size_t i;

    applier->item = &applier->work->items[index];
    applier->drop_text = false;
    for (i = 0; i < applier->item->field_count; i++) {
        if (applier->item->fields[i].drop_text) {
            applier->drop_text = !stile__hub(applier->rules, type);
        }
    }
    for (member = resource->first; member; member = member->next) {
        if (stile_str_eqc(member->name, "meta")) {
            apply_meta(applier, resource, out);
        } else if (!stile_str_eqc(member->name, "_id")) {
            apply_member(applier, resource, member, out);
        }
    }
    mask_required(applier, resource, out);
    return out;
}

enum stile_status stile_govern_apply(
    const struct stile_rules *rules, const struct stile_question *question,
    const struct stile_decision *decision, struct stile_str key,
    struct stile_arena *arena, struct stile_value ***ret, size_t *ret_count)
{
    struct applier applier = {.rules = rules,
                              .question = question,
                              .work = decision->work,
                              .key = key,
                              .arena = arena};
    struct stile_value **out =
        stile_arena_array(arena, question->resource_count + 1, sizeof(*out));
    enum stile_status status = stile__refs_make(
        question->resources, question->resource_count, arena, &applier.refs);
    size_t count = 0;
    size_t i;

    if (status != STILE_OK || !out) {
        return status != STILE_OK ? status : STILE_NOMEM;
    }
    STILE_ASSERT(decision->work &&
                 decision->work->count == question->resource_count);
    for (i = 0; i < question->resource_count; i++) {
        if (decision->work->items[i].release) {
            out[count++] = apply_item(&applier, i);
        }
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    if (applier.denied) {
        return STILE_DENIED;
    }
    *ret = out;
    *ret_count = count;
    return STILE_OK;
}
