/*
 * A code table from a FHIR R4 ConceptMap (http://hl7.org/fhir/R4/
 * conceptmap.html). A table holds codes, not systems, and which of them lead
 * where: what else a ConceptMap says is named (M410) and left out.
 */
#include "map_private.h"
#include "stile/format.h"

/* A national map has some 100,000 elements of 8 values. */
#define BYTES_MAX ((size_t)64 << 20)
#define VALUES_MAX 4000000u

/* HL7 FHIR R4, concept-map-equivalence: what the target is to the source. */
static const struct {
    const char *name;
    enum stile__leads leads;
} equivalences[] = {
    {"equivalent", LEADS_BOTH},   {"equal", LEADS_BOTH},
    {"wider", LEADS_RIGHT},       {"subsumes", LEADS_RIGHT},
    {"narrower", LEADS_LEFT},     {"specializes", LEADS_LEFT},
    {"unmatched", LEADS_NOWHERE}, {"relatedto", LEADS_UNSAID},
    {"inexact", LEADS_UNSAID},    {"disjoint", LEADS_UNSAID},
};

enum stile__leads stile__equivalence(struct stile_str code)
{
    for (size_t i = 0; i < sizeof equivalences / sizeof equivalences[0]; i++) {
        if (stile_str_eqc(code, equivalences[i].name)) {
            return equivalences[i].leads;
        }
    }
    return LEADS_UNKNOWN;
}

struct reader {
    struct stile__code_table *table;
    const struct stile_source *source;
    struct stile_arena *arena;
    struct stile_diags *diags;
};

/* From the value's first byte to the end of its line, or of its text. */
static struct stile_span span_of(const struct reader *in,
                                 const struct stile_value *value)
{
    struct stile_str text = in->source->text;
    size_t at = value->offset > 0 ? value->offset - 1u : 0, end = at;
    if (value->kind == STILE_STRING) {
        return (struct stile_span){(uint32_t)at, (uint32_t)value->text.len + 2};
    }
    while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r') {
        end++;
    }
    return (struct stile_span){(uint32_t)at, (uint32_t)(end - at)};
}

static void broken(const struct reader *in, const struct stile_value *at,
                   const char *what)
{
    (void)stile_diag_at_source(in->diags, "M404", STILE_ERROR, in->source,
                               span_of(in, at), "%s", what);
}

static void left_out(const struct reader *in, const struct stile_value *at,
                     const char *what)
{
    (void)stile_diag_at_source(in->diags, "M410", STILE_WARNING, in->source,
                               span_of(in, at), "%s", what);
}

static void add_row(const struct reader *in, const struct stile_value *element,
                    const struct stile_value *target, enum stile__leads leads)
{
    struct stile__code_row *row = &in->table->rows[in->table->count++];
    const struct stile_value *display = stile_value_getc(target, "display");
    *row = (struct stile__code_row){
        .left = stile_value_text(element, "code"),
        .right = stile_value_text(target, "code"),
        .display = display != NULL ? display->text : STILE_STR_NULL,
        .right_absent = leads == LEADS_NOWHERE,
        .no_right = leads == LEADS_LEFT,
        .no_left = leads == LEADS_RIGHT,
        .span = span_of(in, target),
    };
}

static void read_target(const struct reader *in,
                        const struct stile_value *element,
                        const struct stile_value *target)
{
    const struct stile_value *says = stile_value_getc(target, "equivalence");
    enum stile__leads leads =
        stile__equivalence(says != NULL ? says->text : STILE_STR_NULL);
    bool code = stile_value_text(target, "code").len > 0;
    if (leads == LEADS_UNKNOWN) {
        broken(in, says != NULL ? says : target,
               "a target needs an equivalence of FHIR R4: equivalent, equal, "
               "wider, subsumes, narrower, specializes, unmatched, relatedto, "
               "inexact or disjoint");
    } else if (leads == LEADS_UNSAID) {
        left_out(in, says,
                 "this says no direction, so the target is left out; say "
                 "equivalent, wider or narrower if it is meant");
    } else if (stile_value_getc(target, "dependsOn") != NULL ||
               stile_value_getc(target, "product") != NULL) {
        left_out(in, target,
                 "a table holds no dependsOn and no product, so the target is "
                 "left out; use a 'when' block for it");
    } else if (code == (leads == LEADS_NOWHERE)) {
        broken(in, target,
               "a target needs its code, and unmatched stands without one");
    } else {
        add_row(in, element, target, leads);
    }
}

static void read_element(const struct reader *in,
                         const struct stile_value *element)
{
    const struct stile_value *targets = stile_value_getc(element, "target");
    if (stile_value_text(element, "code").len == 0) {
        broken(in, element, "an element needs its code");
        return;
    }
    /* Without a target: not in the table, so the mapping's `else` speaks. */
    for (const struct stile_value *t = targets ? targets->first : NULL; t;
         t = t->next) {
        read_target(in, element, t);
    }
}

/* May the group's elements be read? */
static bool check_group(const struct reader *in,
                        const struct stile_value *group,
                        const struct stile_value *first)
{
    const struct stile_value *unmapped = stile_value_getc(group, "unmapped");
    const struct stile_value *target = stile_value_getc(group, "target");
    if (unmapped != NULL) {
        left_out(in, unmapped,
                 "what is done with other codes is for 'else' in the mapping "
                 "to say; unmapped is not used");
    }
    if (target != NULL &&
        !stile_str_eq(target->text, stile_value_text(first, "target"))) {
        left_out(in, target,
                 "this group leads to another code system than the first, and "
                 "a table holds codes only, so it is left out; give it its own "
                 "file");
        return false;
    }
    return true;
}

static size_t count_targets(const struct stile_value *groups)
{
    size_t n = 0;
    for (const struct stile_value *g = groups ? groups->first : NULL; g;
         g = g->next) {
        const struct stile_value *elements = stile_value_getc(g, "element");
        for (const struct stile_value *e = elements ? elements->first : NULL;
             e != NULL; e = e->next) {
            const struct stile_value *targets = stile_value_getc(e, "target");
            n += targets != NULL ? targets->count : 0;
        }
    }
    return n;
}

void stile__codes_read_map(struct stile__code_table *table,
                           const struct stile_source *source,
                           struct stile_arena *arena, struct stile_diags *diags)
{
    const struct stile_json_limits limits = {BYTES_MAX, 64, VALUES_MAX,
                                             1u << 20};
    struct reader in = {table, source, arena, diags};
    struct stile_value *map = NULL;
    table->source = source;
    if (stile_json_decode(source->text, limits, source->name, arena, diags,
                          &map) != STILE_OK) {
        return; /* it is said where and why */
    }
    if (!stile_str_eqc(stile_value_text(map, "resourceType"), "ConceptMap")) {
        broken(&in, map, "a code table in JSON is a FHIR R4 ConceptMap");
        return;
    }
    const struct stile_value *groups = stile_value_getc(map, "group");
    table->rows = stile_arena_array(arena, count_targets(groups) + 1,
                                    sizeof *table->rows);
    for (const struct stile_value *g = groups ? groups->first : NULL;
         g != NULL && table->rows != NULL; g = g->next) {
        const struct stile_value *elements = stile_value_getc(g, "element");
        if (!check_group(&in, g, groups->first)) {
            continue;
        }
        for (const struct stile_value *e = elements ? elements->first : NULL;
             e != NULL; e = e->next) {
            read_element(&in, e);
        }
    }
    if (table->rows != NULL) {
        stile__codes_index(table, arena, diags);
    }
}
