/* Shared inside the room. */
#ifndef SCHEMA_PRIVATE_H
#define SCHEMA_PRIVATE_H

#include <stile/schema.h>

/* Does the text follow the format of the primitive type? FHIR R4 section
 * 2.24.0.1. Kind is the caller's to check. */
bool stile__fhir_primitive_ok(struct stile_str type, struct stile_str text);

/* One .tables file's own words. */
struct stile__family {
    struct stile_str name, version;
    struct stile_str *keys, *values; /* of its dialect */
    size_t count;
    struct stile__family *next;
};

/* What a value set draws from. */
struct stile__value_set {
    struct stile_str url;
    const struct stile_str *systems;
    size_t count;
    struct stile__value_set *next;
};

struct stile_schema {
    struct stile_arena *arena;
    struct stile_table **tables;
    size_t count, capacity;
    struct stile__family *families;
    const struct stile_profile **profiles; /* STILE_PROFILES_MAX, or NULL */
    size_t profile_count;
    struct stile__value_set *value_sets;
};

/* Dotted numbers: 8.10 is after 8.2. */
int stile__version_cmp(struct stile_str a, struct stile_str b);

#endif
