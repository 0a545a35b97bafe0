/* Types of FHIR R4 and of FHIRPath's System, and the functions' names. */
#include "private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct fp_function_facts stile__fp_functions[FN_COUNT_OF] = {
    {"", 0, 0},
#define X(id, name, least, most) {name, least, most},
    FP_FUNCTIONS(X)
#undef X
};

enum fp_function stile__fp_function(struct stile_str name)
{
    for (uint32_t i = FN_NONE + 1; i < FN_COUNT_OF; i++) {
        if (stile_str_eqc(name, stile__fp_functions[i].name)) {
            return (enum fp_function)i;
        }
    }
    return FN_NONE;
}

/* N1 sections 5 and 6.6, and FHIR R4's additions (fhirpath.html#functions). */
bool stile__fp_left_out(struct stile_str name)
{
    static const char *const names[] = {"abs",
                                        "aggregate",
                                        "allFalse",
                                        "allTrue",
                                        "anyFalse",
                                        "anyTrue",
                                        "ceiling",
                                        "checkModifiers",
                                        "children",
                                        "combine",
                                        "comparable",
                                        "conformsTo",
                                        "convertsToBoolean",
                                        "convertsToDate",
                                        "convertsToDateTime",
                                        "convertsToDecimal",
                                        "convertsToInteger",
                                        "convertsToLong",
                                        "convertsToQuantity",
                                        "convertsToString",
                                        "convertsToTime",
                                        "dateOf",
                                        "dayOf",
                                        "decode",
                                        "defineVariable",
                                        "descendants",
                                        "distinct",
                                        "elementDefinition",
                                        "encode",
                                        "endsWith",
                                        "escape",
                                        "exclude",
                                        "exp",
                                        "floor",
                                        "getReferenceKey",
                                        "getResourceKey",
                                        "getValue",
                                        "highBoundary",
                                        "hourOf",
                                        "htmlChecks",
                                        "indexOf",
                                        "intersect",
                                        "isDistinct",
                                        "join",
                                        "lastIndexOf",
                                        "length",
                                        "ln",
                                        "log",
                                        "lowBoundary",
                                        "lower",
                                        "matches",
                                        "matchesFull",
                                        "memberOf",
                                        "millisecondOf",
                                        "minuteOf",
                                        "monthOf",
                                        "now",
                                        "ofType",
                                        "power",
                                        "precision",
                                        "repeat",
                                        "repeatAll",
                                        "replace",
                                        "replaceMatches",
                                        "round",
                                        "secondOf",
                                        "skip",
                                        "slice",
                                        "sort",
                                        "split",
                                        "sqrt",
                                        "subsetOf",
                                        "substring",
                                        "subsumedBy",
                                        "subsumes",
                                        "supersetOf",
                                        "sum",
                                        "tail",
                                        "take",
                                        "timeOf",
                                        "timeOfDay",
                                        "timezoneOffsetOf",
                                        "toBoolean",
                                        "toChars",
                                        "toDate",
                                        "toDateTime",
                                        "toDecimal",
                                        "toInteger",
                                        "toLong",
                                        "toQuantity",
                                        "toString",
                                        "toTime",
                                        "today",
                                        "trace",
                                        "trim",
                                        "truncate",
                                        "type",
                                        "unescape",
                                        "union",
                                        "upper",
                                        "yearOf",
                                        "min",
                                        "max",
                                        "avg",
                                        "coalesce",
                                        "hasTemplateIdOf",
                                        "comparable",
                                        "memberOf",
                                        "weight",
                                        "expand",
                                        "lookup",
                                        "validateVS",
                                        "translate"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (stile_str_eqc(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* ---- FHIR R4 ---- */

struct made_from {
    const char *name, *base;
};

/* FHIR R4 section 2.24 (data types): primitives and quantities that are made
 * from another. Resources and elements follow rules below. */
static const struct made_from bases[] = {
    {"Age", "Quantity"},
    {"Bundle", "Resource"},
    {"Binary", "Resource"},
    {"Count", "Quantity"},
    {"Distance", "Quantity"},
    {"Dosage", "BackboneElement"},
    {"Duration", "Quantity"},
    {"ElementDefinition", "BackboneElement"},
    {"MoneyQuantity", "Quantity"},
    {"Parameters", "Resource"},
    {"SimpleQuantity", "Quantity"},
    {"Timing", "BackboneElement"},
    {"canonical", "uri"},
    {"code", "string"},
    {"id", "string"},
    {"markdown", "string"},
    {"oid", "uri"},
    {"positiveInt", "integer"},
    {"unsignedInt", "integer"},
    {"url", "uri"},
    {"uuid", "uri"}};

static struct stile_str base_of(const struct stile_fhir_type *type,
                                struct stile_str name)
{
    for (size_t i = 0; i < COUNT(bases); i++) {
        if (stile_str_eqc(name, bases[i].name)) {
            return stile_str_cstr(bases[i].base);
        }
    }
    if (stile_str_eqc(name, "DomainResource")) {
        return STILE_STR("Resource");
    }
    if (stile_str_eqc(name, "Resource") || stile_str_eqc(name, "Element")) {
        return STILE_STR_NULL;
    }
    if (type != NULL && stile_fhir_type_is_resource(type)) {
        return STILE_STR("DomainResource");
    }
    size_t dot = stile_str_find(name, '.');
    const struct stile_fhir_type *owner =
        dot != SIZE_MAX ? stile_fhir_type(stile_str_sub(name, 0, dot)) : NULL;
    return owner != NULL && stile_fhir_type_is_resource(owner)
               ? STILE_STR("BackboneElement")
               : STILE_STR("Element");
}

bool stile__fp_fhir_is(const struct stile_fhir_type *type,
                       struct stile_str name)
{
    struct stile_str at = stile_fhir_type_name(type);
    while (at.len > 0 && !stile_str_eq(at, name)) {
        at = base_of(type, at);
        type = NULL;
    }
    return at.len > 0;
}

enum stile_fhirpath_kind stile__fp_primitive(const struct stile_fhir_type *t)
{
    static const struct {
        const char *name;
        enum stile_fhirpath_kind kind;
    } kinds[] = {{"boolean", STILE_FP_BOOLEAN},
                 {"integer", STILE_FP_INTEGER},
                 {"positiveInt", STILE_FP_INTEGER},
                 {"unsignedInt", STILE_FP_INTEGER},
                 {"decimal", STILE_FP_DECIMAL},
                 {"date", STILE_FP_DATE},
                 {"dateTime", STILE_FP_DATETIME},
                 {"instant", STILE_FP_DATETIME},
                 {"time", STILE_FP_TIME}};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (stile_str_eqc(stile_fhir_type_name(t), kinds[i].name)) {
            return kinds[i].kind;
        }
    }
    return STILE_FP_STRING;
}

/* ---- System ---- */

const char *stile__fp_system_name(enum stile_fhirpath_kind kind)
{
    switch (kind) {
    case STILE_FP_BOOLEAN:
        return "Boolean";
    case STILE_FP_STRING:
        return "String";
    case STILE_FP_INTEGER:
        return "Integer";
    case STILE_FP_DECIMAL:
        return "Decimal";
    case STILE_FP_DATE:
        return "Date";
    case STILE_FP_DATETIME:
        return "DateTime";
    case STILE_FP_TIME:
        return "Time";
    case STILE_FP_QUANTITY:
        return "Quantity";
    default:
        return "Any";
    }
}

/* Cuts the namespace off; false for one that is neither. */
static bool cut(struct stile_str *name, bool *ret_fhir, bool *ret_system)
{
    size_t dot = stile_str_find(*name, '.');
    *ret_fhir = *ret_system = dot == SIZE_MAX;
    if (dot == SIZE_MAX) {
        return true;
    }
    struct stile_str space = stile_str_sub(*name, 0, dot);
    *name = stile_str_sub(*name, dot + 1, name->len - dot - 1);
    *ret_fhir = stile_str_eqc(space, "FHIR");
    *ret_system = stile_str_eqc(space, "System");
    return *ret_fhir || *ret_system;
}

static bool is_system(struct stile_str name)
{
    for (int k = STILE_FP_BOOLEAN; k <= STILE_FP_QUANTITY; k++) {
        if (stile_str_eqc(name,
                          stile__fp_system_name((enum stile_fhirpath_kind)k))) {
            return true;
        }
    }
    return stile_str_eqc(name, "Any");
}

/* The packed tables hold what resources use; these stand above or beside. */
static bool is_fhir(struct stile_str name)
{
    static const char *const more[] = {"Resource",      "DomainResource",
                                       "Element",       "BackboneElement",
                                       "MoneyQuantity", "SimpleQuantity"};
    for (size_t i = 0; i < COUNT(more); i++) {
        if (stile_str_eqc(name, more[i])) {
            return true;
        }
    }
    return stile_str_find(name, '.') == SIZE_MAX &&
           stile_fhir_type(name) != NULL;
}

bool stile__fp_type_known(struct stile_str name)
{
    bool fhir, system;
    return cut(&name, &fhir, &system) &&
           ((fhir && is_fhir(name)) || (system && is_system(name)));
}

bool stile__fp_item_is(const struct stile_fhirpath_item *item,
                       struct stile_str name)
{
    bool fhir, system;
    if (!cut(&name, &fhir, &system)) {
        return false;
    }
    if (item->type != NULL) {
        return fhir && stile__fp_fhir_is(item->type, name);
    }
    return system && item->kind != STILE_FP_COMPLEX &&
           (stile_str_eqc(name, stile__fp_system_name(item->kind)) ||
            stile_str_eqc(name, "Any"));
}

bool stile__fp_item_as(const struct stile_fhirpath_item *item,
                       struct stile_str name)
{
    if (!stile__fp_item_is(item, name)) {
        return false;
    }
    return item->type == NULL || !stile_fhir_type_is_primitive(item->type) ||
           stile_str_ends(name, stile_fhir_type_name(item->type));
}
