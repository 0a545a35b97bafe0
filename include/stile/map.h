/*
 * stile/map.h - mapping files in, translations out. Twin of govern.
 *
 * FHIR R4 (UK Core) is the pivot: every format maps to and from it. A mapping
 * is one file text (src/lang parses it), checked against both schemas and
 * compiled to a flat program a direction. One correspondence gives both
 * directions.
 *
 * Invariants
 *   - A translation is all or nothing for its record: on any error the
 *     record's output is rolled back and its findings name file, row, column
 *     and rule line; never a value.
 *   - Nothing is dropped in silence: every column is mapped, residue or
 *     dropped with a reason; checked at compile time.
 *   - Same input, tables and mapping version: same bytes.
 *
 * Findings: M1xx names, M2xx types, M3xx cardinality, M4xx terminology, M5xx
 * completeness, M6xx direction and flow, M7xx examples; run time T1xx.
 *
 * Threads: a compiled set is immutable; runs use the caller's arena.
 */
#ifndef STILE_MAP_H
#define STILE_MAP_H

#include "stile/base.h"
#include "stile/record.h"
#include "stile/schema.h"

struct stile_mapset;
struct stile_mapping;

/* Compiles all mappings and code tables together, then runs their examples.
 * `maps` are *.map sources, `codes` are code tables named by their base name:
 * CSV, or a FHIR R4 ConceptMap when they end in .json. Sources are kept.
 * INVALID when any error was found. */
STILE_MUSTCHECK enum stile_status
stile_mapset_compile(const struct stile_schema *schema,
                     const struct stile_source *maps, size_t map_count,
                     const struct stile_source *codes, size_t code_count,
                     struct stile_arena *arena, struct stile_diags *diags,
                     struct stile_mapset **ret);

/* The same, and *ret is set beside INVALID too: a set to be looked at, with
 * nothing to run. */
STILE_MUSTCHECK enum stile_status
stile_mapset_read(const struct stile_schema *schema,
                  const struct stile_source *maps, size_t map_count,
                  const struct stile_source *codes, size_t code_count,
                  struct stile_arena *arena, struct stile_diags *diags,
                  struct stile_mapset **ret);
/*
 * The checked tree as one JSON object (mappings/schema/tree.json), for
 * editors: every statement with its place and what its names turned out to
 * be, and the findings. `only` is a mapping's name or the end of a file's;
 * empty: all. Returns how many mappings it names.
 */
size_t stile_mapset_tree(const struct stile_mapset *set, struct stile_str only,
                         const struct stile_diags *diags,
                         struct stile_buf *out);

size_t stile_mapset_count(const struct stile_mapset *set);
const struct stile_mapping *stile_mapset_at(const struct stile_mapset *set,
                                            size_t i);
struct stile_str stile_mapping_name(const struct stile_mapping *mapping);
uint32_t stile_mapping_number(const struct stile_mapping *mapping);
struct stile_str stile_mapping_table(const struct stile_mapping *mapping);
struct stile_str stile_mapping_family(const struct stile_mapping *mapping);
struct stile_str stile_mapping_type(const struct stile_mapping *mapping);
bool stile_mapping_goes_left(const struct stile_mapping *mapping);
/* SHA-256 over mapping texts, code tables and schema versions. */
struct stile_digest stile_mapset_digest(const struct stile_mapset *set);
/* Program listing, for `stile map dis`. */
void stile_mapping_list(const struct stile_mapping *mapping,
                        struct stile_buf *out);
/* What the mapping keeps: "iso" (all), "canon" (all, in one spelling), "view"
 * (all but residue, drops and counted losses) or "one-way". */
const char *stile_mapping_class(const struct stile_mapping *mapping);
/* Does any mapping of the family read this table (as left or by look-up)? */
bool stile_mapset_reads(const struct stile_mapset *set, struct stile_str family,
                        struct stile_str table);

/* ---- rightward: rows to FHIR
 * ---------------------------------------------------- */

/* Rows of a table whose cells in `columns` equal `keys`. */
struct stile_map_ask {
    struct stile_str family, table;
    const struct stile_str *columns, *keys;
    size_t count;
};

/*
 * How a translation reaches other rows. The core never calls a store: the
 * exchange answers from what it was given. NEED = ask for it and run again;
 * NOT_FOUND = asked, not there.
 */
struct stile_map_env {
    void *ctx;
    /* The row of `table` whose `column` equals `key`. */
    enum stile_status (*lookup)(void *ctx, struct stile_str family,
                                struct stile_str table, struct stile_str column,
                                struct stile_str key,
                                const struct stile_row **ret);
    /* The rows that the question means, of those that were given: in their
     * order, and always the same ones. NULL, or NOT_FOUND where not all rows of
     * the table are at hand: a mapping that asks cannot be run (T117). */
    enum stile_status (*rows)(void *ctx, const struct stile_map_ask *ask,
                              const struct stile_row *const **ret,
                              size_t *ret_count);
};

/* Rows at hand, to answer `rows` from: at most `most` are added, then asked
 * for. NULL when the arena is full. */
struct stile_map_rows;
struct stile_map_rows *stile_map_rows_new(size_t most,
                                          struct stile_arena *arena);
/* Keeps the row. Not after the first question. */
void stile_map_rows_add(struct stile_map_rows *rows,
                        const struct stile_row *row);
STILE_MUSTCHECK enum stile_status
stile_map_rows_ask(struct stile_map_rows *rows, const struct stile_map_ask *ask,
                   const struct stile_row *const **ret, size_t *ret_count);

enum stile_map_result_kind {
    STILE_MAP_DONE,    /* `resource` is set */
    STILE_MAP_DELETED, /* key-only delete: `type` and `id` */
    STILE_MAP_HELD,    /* waits for `missing` (table.column), `reason` */
    STILE_MAP_FAILED,  /* findings were added; the row goes to quarantine */
    STILE_MAP_NEED     /* a look-up answered NEED */
};

struct stile_map_result {
    enum stile_map_result_kind kind;
    const struct stile_mapping *mapping;
    struct stile_value *resource;
    struct stile_str type, id;
    struct stile_str missing, reason;
    /* stile_map_render: where the resource's text stands in the buffer. */
    size_t json_at, json_len;
    /* `group by`: the rows it is made of, in the list's order. The first that
     * was given has the result; for the others there is none. */
    const struct stile_row *const *rows;
    size_t row_count;
};

/* Runs every mapping whose left table is the row's and whose `take` holds.
 * No mapping: OK with count 0. Results in the arena. */
STILE_MUSTCHECK enum stile_status
stile_map_right(const struct stile_mapset *set, const struct stile_row *row,
                struct stile_str family, const struct stile_map_env *env,
                struct stile_arena *arena, struct stile_diags *diags,
                struct stile_map_result **ret, size_t *ret_count);

/*
 * The same, with each DONE resource written behind the content of `buf` as
 * stile_value_json would write its tree, and without that tree where the
 * mapping and the row allow: `resource` is NULL. A line feed follows each.
 * LIMIT or NOMEM of the buffer is the status, with nothing added.
 */
STILE_MUSTCHECK enum stile_status
stile_map_render(const struct stile_mapset *set, const struct stile_row *row,
                 struct stile_str family, const struct stile_map_env *env,
                 struct stile_arena *arena, struct stile_diags *diags,
                 struct stile_buf *buf, struct stile_map_result **ret,
                 size_t *ret_count);
/* Can all table versions of the mapping be written without a tree? */
bool stile_mapping_renders(const struct stile_mapping *mapping);

/* ---- leftward: FHIR to rows
 * ------------------------------------------------------- */

/*
 * All resources of one person or message to the rows of a family's tables.
 * Partial rows of one table with equal keys are merged; a mapping that owns
 * no key of the table joins its cells by shared columns. Resources that no
 * mapping of the family takes are counted and noted (T3xx notes, by type),
 * never silent.
 */
STILE_MUSTCHECK enum stile_status
stile_map_left(const struct stile_mapset *set, struct stile_str family,
               struct stile_value *const *resources, size_t count,
               struct stile_arena *arena, struct stile_diags *diags,
               struct stile_row **ret_rows, size_t *ret_count);

/*
 * The same from the text: resources that stand on a tape (stile_json_tape),
 * each told by its item's number. The same rows and findings as their trees
 * would give, without those trees: one pass over each resource a mapping.
 */
STILE_MUSTCHECK enum stile_status
stile_map_left_tape(const struct stile_mapset *set, struct stile_str family,
                    const struct stile_tape *tape, const uint32_t *resources,
                    size_t count, struct stile_arena *arena,
                    struct stile_diags *diags, struct stile_row **ret_rows,
                    size_t *ret_count);

/* ---- explain
 * ---------------------------------------------------------------------- */

/* Re-runs in tracing mode: per output path the rule line, source column and
 * code row. Values appear only when `show_values` (a person asked for it at a
 * terminal). */
STILE_MUSTCHECK enum stile_status
stile_map_explain(const struct stile_mapset *set, const struct stile_row *row,
                  struct stile_str family, const struct stile_map_env *env,
                  bool show_values, struct stile_arena *arena,
                  struct stile_diags *diags, struct stile_buf *out);

/* ---- laws
 * ------------------------------------------------------------------------ */

struct stile_map_tested {
    size_t carried; /* rows that went there and back */
    size_t refused; /* rejected, held or not taken: no law speaks of them */
    size_t deleted;
    bool broken; /* a law does not hold: M706 was added */
};

/*
 * Makes rows from the mapping's columns, code tables and guards, the same
 * ones for a seed, carries `rounds` of them a table version there and back,
 * and holds the laws of the mapping's class against what comes back. The
 * first row that breaks one is made as small as it can be and written to
 * `out` as an `example` block, values and all: they are made up.
 */
STILE_MUSTCHECK enum stile_status
stile_map_test(const struct stile_mapping *mapping, uint64_t seed,
               size_t rounds, struct stile_arena *arena,
               struct stile_diags *diags, struct stile_buf *out,
               struct stile_map_tested *ret);

/* ---- coverage
 * -------------------------------------------------------------------- */

/* What a sample shows of a set: which columns it fills and where they go,
 * which code rows it uses, what is lost and how often. No value of a row. */
struct stile_map_coverage;

/* NULL when the arena is full. The set is kept. */
struct stile_map_coverage *
stile_map_coverage_new(const struct stile_mapset *set,
                       struct stile_arena *arena);
/* Runs the row through its mappings and counts. `scratch` may be reset
 * after. INVALID for a row that is of no table of the set's schema. Columns
 * behind the table's own, as the CSV reader puts those it does not know, count
 * as `not in the format` and are open. */
STILE_MUSTCHECK enum stile_status stile_map_coverage_add(
    struct stile_map_coverage *coverage, const struct stile_row *row,
    const struct stile_map_env *env, struct stile_arena *scratch);
/*
 * What no mapping carries, on purpose: a table's remaining columns, or one
 * (`column` not empty), with the reason. Texts are copied. INVALID without a
 * reason; NOT_FOUND when there is no such table or column; CONFLICT when it was
 * said before, or when mappings account for all of it.
 */
STILE_MUSTCHECK enum stile_status
stile_map_coverage_set_aside(struct stile_map_coverage *coverage,
                             struct stile_str family, struct stile_str table,
                             struct stile_str column, struct stile_str because);
/* Columns of the sample's tables, filled or not, that neither a mapping nor
 * what was set aside accounts for. */
size_t stile_map_coverage_open(const struct stile_map_coverage *coverage);
/* As a page for people, or as one JSON object. */
void stile_map_coverage_print(const struct stile_map_coverage *coverage,
                              bool json, struct stile_buf *out);

/* ---- diff
 * ------------------------------------------------------------------------ */

/* What two versions of a set make of one sample: which output paths change,
 * come or go, and how often. Paths and counts, no values. */
struct stile_map_diff;

/* NULL when the arena is full. Both sets are kept. */
struct stile_map_diff *stile_map_diff_new(const struct stile_mapset *before,
                                          const struct stile_mapset *after,
                                          struct stile_arena *arena);
/* `version` is that of the row's table. `scratch` may be reset after. */
STILE_MUSTCHECK enum stile_status
stile_map_diff_add(struct stile_map_diff *diff, const struct stile_row *row,
                   struct stile_str family, struct stile_str version,
                   const struct stile_map_env *env,
                   struct stile_arena *scratch);
void stile_map_diff_print(const struct stile_map_diff *diff,
                          struct stile_buf *out);

/* ---- export
 * ---------------------------------------------------------------------- */

/*
 * A code table as a FHIR R4 ConceptMap: a row for both ways is `equivalent`,
 * one for rightward alone, or that another is preferred to, `wider`; one for
 * leftward alone is `narrower`; an empty right is `unmatched`. `base` is the
 * beginning of its URL. NOT_FOUND: no such table.
 */
STILE_MUSTCHECK enum stile_status
stile_map_export_codes(const struct stile_mapset *set, struct stile_str name,
                       struct stile_str base, struct stile_arena *arena,
                       struct stile_value **ret);
/*
 * A ConceptMap as the CSV of a code table, by the same rule. Targets that say
 * no direction (relatedto, inexact, disjoint) are left out and counted.
 * INVALID: no ConceptMap, or an element or target without its code.
 */
STILE_MUSTCHECK enum stile_status
stile_map_import_codes(const struct stile_value *map, struct stile_buf *out,
                       size_t *ret_skipped);
/*
 * The mapping's rightward lines, for the newest version of its table, as a
 * FHIR R4 StructureMap. What that cannot say is documentation of its rules.
 */
STILE_MUSTCHECK enum stile_status
stile_map_export_structure(const struct stile_mapping *mapping,
                           struct stile_str base, struct stile_arena *arena,
                           struct stile_value **ret);
/* A StructureMap in FHIR's mapping language (R4), comments and all. */
void stile_map_export_fml(const struct stile_value *structure_map,
                          struct stile_buf *out);
size_t stile_mapset_code_count(const struct stile_mapset *set);
struct stile_str stile_mapset_code_at(const struct stile_mapset *set, size_t i);
/* The mapping's newest version as a page for people who approve it. */
void stile_mapping_markdown(const struct stile_mapping *mapping,
                            struct stile_buf *out);

#endif
