/* Look-ups in the packed FHIR R4 definitions (fhir_r4.inc, see gen/). */
#include <stile/schema.h>

#define S(literal)                                                             \
    {                                                                          \
        (literal), sizeof(literal) - 1                                         \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum type_kind {
    NONE = 0,
    RES = 1,
    PRIM = 2
};

struct stile_fhir_type {
    struct stile_str name;
    uint16_t first; /* in `elements` */
    uint8_t count;
    uint8_t kind; /* enum type_kind */
};

/* What an element carries beyond its public part; same ordinal. */
struct element_links {
    uint16_t types;  /* first of its types, in `type_list` */
    uint8_t by_name; /* which element of the type stands here, by name */
};

struct value_set {
    struct stile_str url;
    uint16_t first; /* in `codes` */
    uint16_t count;
};

/* Sorted by name, byte by byte. */
static const struct stile_fhir_type types[] = {
#define T(name, first, count, kind) {S(name), first, count, kind},
#include "fhir_r4.inc"
#undef T
};

/* In the order of the definitions, type after type. */
static const struct stile_fhir_element elements[] = {
#define N STILE_BIND_NONE
#define X STILE_BIND_EXAMPLE
#define P STILE_BIND_PREFERRED
#define A STILE_BIND_EXTENSIBLE
#define R STILE_BIND_REQUIRED
#define E(name, choice, min, many, count, at, by_name)                         \
    {S(name), choice, min, many, count, N, S("")},
#define B(name, choice, min, many, count, at, by_name, strength, set)          \
    {S(name),                                                                  \
     choice,                                                                   \
     min,                                                                      \
     many,                                                                     \
     count,                                                                    \
     strength,                                                                 \
     S("http://hl7.org/fhir/ValueSet/" set)},
#define O(name, choice, min, many, count, at, by_name, strength, set)          \
    {S(name), choice, min, many, count, strength, S(set)},
#include "fhir_r4.inc"
#undef E
#undef B
#undef O
#undef N
#undef X
#undef P
#undef A
#undef R
};

static const struct element_links links[] = {
#define E(name, choice, min, many, count, at, by_name) {at, by_name},
#define B(name, choice, min, many, count, at, by_name, strength, set)          \
    {at, by_name},
#define O(name, choice, min, many, count, at, by_name, strength, set)          \
    {at, by_name},
#include "fhir_r4.inc"
#undef E
#undef B
#undef O
};

/* Sorted by element. */
static const struct ref_targets {
    uint16_t element;
    uint16_t first; /* in `type_list` */
    uint16_t count;
} ref_targets[] = {
#define G(element, first, count) {element, first, count},
#include "fhir_r4.inc"
#undef G
};

static const uint16_t type_list[] = {
#define L(type) type,
#include "fhir_r4.inc"
#undef L
};

/* Sorted by URL. */
static const struct value_set value_sets[] = {
#define V(url, first, count) {S(url), first, count},
#include "fhir_r4.inc"
#undef V
};

/* Sorted within each value set. */
static const struct stile_str codes[] = {
#define C(code) S(code),
#include "fhir_r4.inc"
#undef C
};

const struct stile_fhir_type *stile_fhir_type(struct stile_str name)
{
    size_t low = 0;
    size_t high = COUNT(types);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = stile_str_cmp(name, types[middle].name);
        if (order == 0) {
            return &types[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

struct stile_str stile_fhir_type_name(const struct stile_fhir_type *type)
{
    return type->name;
}

bool stile_fhir_type_is_resource(const struct stile_fhir_type *type)
{
    return type->kind == RES;
}

bool stile_fhir_type_is_primitive(const struct stile_fhir_type *type)
{
    return type->kind == PRIM;
}

enum stile_kind stile_fhir_primitive_kind(const struct stile_fhir_type *type)
{
    /* FHIR R4 section 2.6.1, JSON representation of primitive elements. */
    static const char *const numbers[] = {"decimal", "integer", "positiveInt",
                                          "unsignedInt"};
    if (stile_str_eqc(type->name, "boolean")) {
        return STILE_BOOL;
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (stile_str_eqc(type->name, numbers[i])) {
            return STILE_NUMBER;
        }
    }
    return STILE_STRING;
}

size_t stile_fhir_element_count(const struct stile_fhir_type *type)
{
    return type->count;
}

const struct stile_fhir_element *
stile_fhir_element_at(const struct stile_fhir_type *type, size_t i)
{
    return i < type->count ? &elements[type->first + i] : NULL;
}

const struct stile_fhir_element *
stile_fhir_element(const struct stile_fhir_type *type, struct stile_str name)
{
    size_t low = 0;
    size_t high = type->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t at = type->first + (size_t)links[type->first + middle].by_name;
        int order = stile_str_cmp(name, elements[at].name);
        if (order == 0) {
            return &elements[at];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* The parent says nothing the element does not: its links are by place. */
const struct stile_fhir_type *
stile_fhir_element_type(const struct stile_fhir_type *type,
                        const struct stile_fhir_element *element, size_t i)
{
    STILE_ASSERT(element >= &elements[type->first] &&
                 element < &elements[type->first] + type->count);
    if (i >= element->type_count) {
        return NULL;
    }
    return &types[type_list[links[element - elements].types + i]];
}

static const struct ref_targets *
targets_of(const struct stile_fhir_element *element)
{
    size_t at = (size_t)(element - elements);
    size_t low = 0;
    size_t high = COUNT(ref_targets);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ref_targets[middle].element == at) {
            return &ref_targets[middle];
        }
        if (at < ref_targets[middle].element) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

size_t stile_fhir_target_count(const struct stile_fhir_element *element)
{
    const struct ref_targets *targets = targets_of(element);
    return targets != NULL ? targets->count : 0;
}

struct stile_str stile_fhir_target_at(const struct stile_fhir_element *element,
                                      size_t i)
{
    const struct ref_targets *targets = targets_of(element);
    return targets != NULL && i < targets->count
               ? types[type_list[targets->first + i]].name
               : STILE_STR_NULL;
}

struct stile_str stile_fhir_json_name(const struct stile_fhir_element *element,
                                      const struct stile_fhir_type *type,
                                      char out[96])
{
    struct stile_str suffix = element->choice ? type->name : STILE_STR_NULL;
    if (element->name.len + suffix.len > 95) {
        return STILE_STR_NULL;
    }
    memcpy(out, element->name.ptr, element->name.len);
    if (suffix.len > 0) {
        memcpy(out + element->name.len, suffix.ptr, suffix.len);
        char *first = out + element->name.len;
        if (*first >= 'a' && *first <= 'z') {
            *first = (char)(*first - 'a' + 'A');
        }
    }
    out[element->name.len + suffix.len] = '\0';
    return (struct stile_str){out, element->name.len + suffix.len};
}

static bool suffix_is_type(struct stile_str suffix, struct stile_str type)
{
    if (suffix.len != type.len || suffix.len == 0) {
        return false;
    }
    char first = type.ptr[0];
    if (first >= 'a' && first <= 'z') {
        first = (char)(first - 'a' + 'A');
    }
    return suffix.ptr[0] == first &&
           memcmp(suffix.ptr + 1, type.ptr + 1, type.len - 1) == 0;
}

const struct stile_fhir_element *
stile_fhir_element_json(const struct stile_fhir_type *type,
                        struct stile_str json_name,
                        const struct stile_fhir_type **ret_type)
{
    if (json_name.len > 1 && json_name.ptr[0] == '_') {
        json_name = stile_str_sub(json_name, 1, json_name.len - 1);
    }
    const struct stile_fhir_element *found =
        stile_fhir_element(type, json_name);
    if (found != NULL && !found->choice) {
        *ret_type = stile_fhir_element_type(type, found, 0);
        return found;
    }
    for (size_t i = 0; i < type->count; i++) {
        const struct stile_fhir_element *e = &elements[type->first + i];
        if (!e->choice || !stile_str_starts(json_name, e->name)) {
            continue;
        }
        struct stile_str suffix =
            stile_str_sub(json_name, e->name.len, json_name.len - e->name.len);
        for (size_t k = 0; k < e->type_count; k++) {
            const struct stile_fhir_type *t =
                stile_fhir_element_type(type, e, k);
            if (suffix_is_type(suffix, t->name)) {
                *ret_type = t;
                return e;
            }
        }
    }
    return NULL;
}

size_t stile_fhir_element_names(const struct stile_fhir_type *type,
                                struct stile_arena *arena,
                                struct stile_str **ret_names)
{
    struct stile_str *names =
        stile_arena_array(arena, type->count, sizeof *names);
    if (names == NULL) {
        return 0;
    }
    for (size_t i = 0; i < type->count; i++) {
        names[i] = elements[type->first + i].name;
    }
    *ret_names = names;
    return type->count;
}

static int code_in_set(const struct value_set *set, struct stile_str code)
{
    size_t low = set->first;
    size_t high = low + set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = stile_str_cmp(code, codes[middle]);
        if (order == 0) {
            return 1;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return 0;
}

int stile_fhir_code_in(struct stile_str value_set, struct stile_str code)
{
    size_t bar = stile_str_find(value_set, '|');
    if (bar != SIZE_MAX) {
        value_set = stile_str_sub(value_set, 0, bar);
    }
    size_t low = 0;
    size_t high = COUNT(value_sets);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = stile_str_cmp(value_set, value_sets[middle].url);
        if (order == 0) {
            return code_in_set(&value_sets[middle], code);
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return -1;
}
