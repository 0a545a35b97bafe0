/*
 * The room's own structures: what a mapping file is compiled to.
 *
 * A mapping has one variant a table version of its range. A variant's two
 * programs are flat arrays of eight-byte instructions with forward jumps
 * only; what they name by number (constants, paths, codecs, tables) stands
 * in pools of the variant.
 */
#ifndef STILE_MAP_PRIVATE_H
#define STILE_MAP_PRIVATE_H

#include "stile/lang.h"
#include "stile/map.h"
#include "findings.h"

#define STILE__ALIASES 16u /* own table and fifteen look-ups */
#define STILE__CELLS 16u   /* columns of one correspondence */
#define STILE__EACHES 8u   /* lists of one mapping */

/* ---- code tables (codes.c) ---- */

struct stile__code_row {
    struct stile_str left, right, display;
    bool right_absent;
    bool no_right, no_left; /* one direction only */
    bool preferred;
    struct stile_span span;
};

struct stile__code_table {
    struct stile_str name;
    const struct stile_source *source;
    struct stile__code_row *rows; /* in file order */
    uint32_t count;
    uint32_t *by_left, *by_right; /* sorted; usable rows only */
    uint32_t left_count, right_count;
    uint32_t *left_slots, *right_slots; /* by hash of the same rows */
    uint32_t left_mask, right_mask;
    const struct stile__code_row *absent; /* what absence means leftward */
    bool merges;                          /* several left values, one right */
};

void stile__codes_read(struct stile__code_table *table,
                       const struct stile_source *source,
                       struct stile_arena *arena, struct stile_diags *diags);
/* The same from a FHIR R4 ConceptMap in JSON (codes_map.c). */
void stile__codes_read_map(struct stile__code_table *table,
                           const struct stile_source *source,
                           struct stile_arena *arena,
                           struct stile_diags *diags);
/* What a ConceptMap's equivalence makes of a row. */
enum stile__leads {
    LEADS_BOTH,
    LEADS_RIGHT,
    LEADS_LEFT,
    LEADS_NOWHERE, /* known, and absent */
    LEADS_UNSAID,  /* no direction */
    LEADS_UNKNOWN  /* no code of R4 */
};
enum stile__leads stile__equivalence(struct stile_str code);
/* Sorts and checks rows already in place; for inline tables too. */
void stile__codes_index(struct stile__code_table *table,
                        struct stile_arena *arena, struct stile_diags *diags);
const struct stile__code_row *
stile__codes_right(const struct stile__code_table *table,
                   struct stile_str left);
const struct stile__code_row *
stile__codes_left(const struct stile__code_table *table,
                  struct stile_str right);

/* ---- codecs (codec*.c) ---- */

enum stile__law {
    LAW_ISO,
    LAW_CANON,
    LAW_VIEW,
    LAW_ONE_WAY
};

struct stile__codec_use;

struct stile__codec_io {
    struct stile_arena *arena;
    struct stile_str *cells; /* in (rightward), out (leftward) */
    size_t count;
    struct stile_str value;  /* out (rightward), in (leftward); NULL: absent */
    struct stile_str *items; /* list codecs */
    size_t item_count;
    enum stile__run_code warning;
    const struct stile__code_row *row; /* the code row used, for explain */
    bool missed;                       /* a code that the table lacks */
};

/* Fits a codec: the FHIR types it makes, as bits. */
enum {
    FITS_TEXT = 1 << 0, /* string markdown */
    FITS_URI = 1 << 1,  /* uri url canonical oid uuid */
    FITS_CODE = 1 << 2,
    FITS_ID = 1 << 3,
    FITS_BOOL = 1 << 4,
    FITS_INT = 1 << 5, /* integer positiveInt unsignedInt */
    FITS_DECIMAL = 1 << 6,
    FITS_DATE = 1 << 7,
    FITS_DATETIME = 1 << 8,
    FITS_INSTANT = 1 << 9,
    FITS_TIME = 1 << 10,
    FITS_REFERENCE = 1 << 11,
    FITS_BASE64 = 1 << 12
};

/* Arguments a codec takes. */
enum {
    TAKES_RANGE = 1 << 0,
    TAKES_TEXT = 1 << 1,  /* may have one text */
    NEEDS_TEXT = 1 << 2,  /* must have it */
    TAKES_TABLE = 1 << 3, /* word or pairs */
    TAKES_TYPE = 1 << 4,  /* T [of MAPPING] */
    TAKES_COLUMN = 1 << 5,
    TAKES_ZONE = 1 << 6, /* 'Europe/London' */
    TAKES_TURN = 1 << 7, /* earlier, later */
    TAKES_SECONDS = 1 << 8,
    TAKES_POLICY = 1 << 9,
    MAKES_LIST = 1 << 10
};

struct stile__codec {
    const char *name;
    uint16_t least, most; /* columns */
    uint32_t fits, takes;
    uint32_t columns; /* bits of enum stile_column_type it reads, 0 = any */
    enum stile__law law;
    enum stile__run_code (*right)(const struct stile__codec_use *use,
                                  struct stile__codec_io *io);
    /* NULL: one-way. `io->count` cells are filled. */
    enum stile__run_code (*left)(const struct stile__codec_use *use,
                                 struct stile__codec_io *io);
};

struct stile__codec_use {
    const struct stile__codec *codec;
    uint32_t fits; /* the one bit of the element it stands at */
    int64_t lo, hi;
    struct stile_str text; /* separator, prefix */
    const struct stile__code_table *table;
    struct stile_lang_policy policy;
    struct stile_str ref_type;
    const struct stile__codec_use *ref_id;
    bool seconds, earlier, later;
    bool boolean_cells; /* codes on a boolean column */
    bool braces;        /* GUIDs leftward as {UPPER} */
    const struct stile_str *blanks;
    size_t blank_count;
};

const struct stile__codec *stile__codec_find(struct stile_str name);
const struct stile__codec *stile__codec_at(size_t i); /* NULL at the end */
/* With blanks and absence: what the programs call. */
enum stile__run_code stile__codec_right(const struct stile__codec_use *use,
                                        struct stile__codec_io *io);
enum stile__run_code stile__codec_left(const struct stile__codec_use *use,
                                       struct stile__codec_io *io);
const char *stile__run_code_name(enum stile__run_code code);
enum stile_severity stile__run_code_severity(enum stile__run_code code);
const char *stile__run_code_text(enum stile__run_code code);
bool stile__bool_read(struct stile_str s, bool *ret);

/* ---- resolved names ---- */

struct stile__column {
    uint32_t alias; /* 0 = the mapping's own table */
    uint32_t ordinal;
    const struct stile_column *column;
    struct stile_span span;
};

enum stile__step_kind {
    STEP_MEMBER, /* name; an array when `list` */
    STEP_ITEM,   /* index of the array before */
    STEP_SELECT, /* item of the array before that holds all matches */
    STEP_CHOICE  /* reading only: any type of a choice element */
};

struct stile__match;

struct stile__step {
    enum stile__step_kind kind;
    bool list;
    struct stile_str name;
    uint32_t index;
    const struct stile__match *matches;
    uint32_t match_count;
    const struct stile_fhir_type *type;       /* CHOICE: whose element */
    const struct stile_fhir_element *element; /* MEMBER, CHOICE */
    const struct stile_fhir_type *into;       /* type after this step */
    uint16_t order;                           /* element's place in its type */
    uint32_t canon_end; /* the canonical text's length after this step */
};

struct stile__path {
    struct stile__step *steps;
    uint32_t count;
    struct stile_str canon;
    const struct stile_fhir_type *type; /* of the leaf */
    const struct stile_fhir_element *element;
    enum stile_kind kind; /* JSON kind of the leaf */
    bool open_list;       /* ends at a list, without an index */
    bool reference;       /* `.reference` was appended */
    struct stile_span span;
};

struct stile__match {
    struct stile__path path;
    struct stile_str literal;
    enum stile_kind kind;
};

/* ---- programs ---- */

enum stile__op {
    OP_END,
    OP_LOOKUP,  /* a alias: once */
    OP_LOAD,    /* a cell, b alias, c ordinal */
    OP_PRESENT, /* test = cell 0 is filled */
    OP_EQ,      /* c constant */
    OP_TRUTH,   /* c 0/1: cell 0 as a boolean */
    OP_RANGE,   /* c range */
    OP_TABLE,   /* a 1: right side; c code table */
    OP_NOT,
    OP_YES,       /* test = true */
    OP_ASK,       /* leftward: test = FHIRPath c */
    OP_JUMP_IF,   /* a: wanted test; c target */
    OP_SET_FLAG,  /* b flag = test */
    OP_FLAG,      /* test = flag b */
    OP_TAKE,      /* stop, not taken, unless test */
    OP_DELETED,   /* the value is the id of a deleted resource; stop */
    OP_REQUIRE,   /* cell 0 must be filled */
    OP_EMPTY,     /* cell 0 should be empty */
    OP_ENCODE,    /* a cells, c codec use: cells to value */
    OP_DEFAULT,   /* c constant, when the value is absent */
    OP_CONSTANT,  /* c constant */
    OP_NOTHING,   /* the value is absent */
    OP_JUMP,      /* c target */
    OP_PUT,       /* c path */
    OP_PUT_LIST,  /* c path */
    OP_PUT_MISS,  /* c path: the text of a code the table lacks */
    OP_MUST,      /* b each + 1, or 0; c constant: the member's name */
    OP_READ,      /* c path: into value and cell 0 */
    OP_READ_LIST, /* c path */
    OP_UNDEFAULT, /* c constant: that value is absent */
    OP_DECODE,    /* a cells, c codec use: value to cells */
    OP_STORE,     /* a cell, b alias, c ordinal */
    OP_FILL,      /* b alias, c ordinal: the value, when still empty */
    OP_EACH,      /* c each: its program, for each row or item */
    OP_REFER,     /* c each, a cell 0: the rows it names, as references */
    OP_COUNT
};

struct stile__instr {
    uint8_t op;
    uint8_t a;
    uint16_t b;
    uint32_t c;
};

struct stile__constant {
    struct stile_str text;
    enum stile_kind kind;
};

struct stile__range {
    int64_t lo, hi;
};

struct stile__program {
    struct stile__instr *code;
    uint32_t *lines;
    uint32_t count, capacity;
};

struct stile__alias {
    struct stile_str name;
    const struct stile_lang_lookup *tree; /* NULL for the own table */
    const struct stile_table *table;
    struct stile__column key;
    uint32_t by; /* ordinal in `table` */
    struct stile_lang_policy policy;
    struct stile_str missing; /* "Table.Column" */
    bool by_is_key;           /* `by` alone is the table's key */
};

/* A FHIRPath condition, and the type of what it is asked of. */
struct stile__ask {
    const struct stile_fhirpath *path;
    const struct stile_fhir_type *type;
};

struct stile__pool {
    struct stile__ask *asks;
    uint32_t ask_count, ask_cap;
    struct stile__constant *constants;
    const struct stile__path **paths;
    const struct stile__codec_use **uses;
    const struct stile__code_table **tables;
    struct stile__range *ranges;
    uint32_t constant_count, path_count, use_count, table_count, range_count;
    uint32_t constant_cap, path_cap, use_cap, table_cap, range_cap;
};

/* A `when` block, or a value of a constant's `if`: an example must go there.
 * The instruction is the one that sets the block's flag, or makes the value. */
struct stile__branch {
    struct stile_span span;
    const struct stile__program *program;
    uint32_t pc;
};

struct stile__rule;

/* `each NAME`: a row of another table is a reference of the list. */
struct stile__child {
    const struct stile_table *table;
    uint32_t link;            /* its column that equals `key` */
    struct stile__column key; /* of the mapping's row */
    struct stile__path item;  /* the reference, from an item on */
    struct stile__codec_use *use;
    const uint32_t *keys; /* columns of its key, as the codec takes them */
    uint32_t key_count;
};

/*
 * `each row`: a row of the group is an item of the list. The paths of its
 * lines begin at the item; their canonical text begins with `base`.
 */
struct stile__each {
    struct stile__child *child; /* of `each NAME`: nothing below `base` is */
    const struct stile_lang_stmt *stmt;
    struct stile__path list;
    const struct stile_fhir_type *item;
    struct stile_str base;
    struct stile__path by;         /* the key, from the item on */
    const struct stile__rule *key; /* the line that writes it */
    struct stile__program right, left;
};

struct stile__render;
struct stile__trie;

struct stile__variant {
    struct stile_mapping *mapping;
    const struct stile_table *table;
    struct stile__alias aliases[STILE__ALIASES];
    uint32_t alias_count;
    uint32_t *keys; /* ordinals of the declared key */
    uint32_t key_count;
    bool *left_written; /* own columns a left program may fill */
    bool owns_row;      /* the declared key covers the table's key */
    const struct stile__rule *rules; /* what the programs were made of */
    const bool *mapped, *accounted, *dropped; /* own columns */
    uint32_t *groups;                         /* ordinals of group by */
    uint32_t group_count;
    uint32_t *same; /* ordinals read outside `each`: equal in all rows */
    uint32_t same_count;
    struct stile__each *eaches[STILE__EACHES];
    uint32_t each_count;
    struct stile__program member; /* is a row of the group? where and take */
    uint32_t flag_count;
    struct stile__branch *branches;
    uint32_t branch_count, branch_cap;
    struct stile__pool pool;
    struct stile__program right, left;
    struct stile__render *render;   /* NULL: rightward only as a tree */
    const struct stile__trie *trie; /* of the left program */
};

struct stile_mapping {
    struct stile_mapset *set;
    const struct stile_lang_mapping *tree;
    const struct stile_fhir_type *type;
    const struct stile_profile *profile; /* NULL: FHIR R4 alone */
    struct stile__codec_use *id_use;     /* NULL: writes no id */
    struct stile__variant *variants;     /* oldest first */
    uint32_t variant_count;
    enum stile__law law;
    bool goes_left;
};

struct stile_mapset {
    const struct stile_schema *schema;
    struct stile_arena *arena;
    struct stile_mapping *mappings;
    struct stile_str *left_tables; /* of each, side by side for the search */
    uint32_t count;
    struct stile__code_table *tables;
    uint32_t table_count;
    struct stile_digest digest;
};

const struct stile__code_table *
stile__mapset_table(const struct stile_mapset *set, struct stile_str name);
const struct stile_mapping *stile__mapset_find(const struct stile_mapset *set,
                                               struct stile_str name);
/* "8.10" after "8.9". */
int stile__map_version_cmp(struct stile_str a, struct stile_str b);

/* ---- the compiler's context (one variant) ---- */

struct stile__guard {
    const struct stile_lang_stmt *stmt;
    struct stile__guard *parent;
    struct stile__each *each; /* it stands in */
    uint32_t flag;
    bool needs_reverse;
    const struct stile_lang_cond *iff; /* stated */
    struct stile__rule *test;          /* a rule whose path decides */
    struct stile__guard *next;
};

struct stile__rule {
    const struct stile_lang_stmt *stmt;
    struct stile__guard *guard;
    struct stile__each *each; /* it stands in */
    struct stile__column columns[STILE__CELLS];
    uint32_t column_count;
    struct stile__path *paths; /* one; NULL when a value goes leftward */
    struct stile__codec_use *use;
    struct stile__path *as_text; /* where a missed code's text goes */
    bool rightward, leftward;
    struct stile__rule *next;
};

struct stile__cc {
    struct stile_mapset *set;
    struct stile_mapping *mapping;
    struct stile__variant *variant;
    const struct stile_lang_mapping *tree;
    const struct stile_source *source;
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile__each *each; /* whose block is at hand */
    struct stile__rule *rules, **rules_tail;
    struct stile__guard *guards, **guards_tail;
    bool *mapped;    /* own columns: read by a rule, or fixed by a test */
    bool *accounted; /* residue or dropped */
    bool *dropped;   /* with a reason */
    bool incomplete; /* a path did not resolve: say nothing of missing ones */
};

STILE_PRINTF(4, 5)
struct stile_diag *stile__map_report(struct stile__cc *cc, const char *code,
                                     struct stile_span span, const char *format,
                                     ...);
bool stile__resolve_column(struct stile__cc *cc,
                           const struct stile_lang_column *column,
                           struct stile__column *ret);
/* From the resource, or from an item of the `each` at hand. `reading` is
 * lenient: first items, any choice type. */
bool stile__resolve_path(struct stile__cc *cc,
                         const struct stile_lang_path *path, bool reading,
                         struct stile__path *ret);
bool stile__resolve_cond(struct stile__cc *cc,
                         const struct stile_lang_cond *cond);
/* Names, types and functions of a FHIRPath condition. */
bool stile__resolve_ask(struct stile__cc *cc,
                        const struct stile_lang_cond *cond);
bool stile__literal_fits(struct stile__cc *cc, const struct stile__path *path,
                         const struct stile_lang_literal *literal);
/* The codec of a rule at a path; NULL when reported. */
struct stile__codec_use *
stile__resolve_codec(struct stile__cc *cc, const struct stile_lang_stmt *stmt,
                     const struct stile__column *columns, uint32_t count,
                     const struct stile__path *path);
uint32_t stile__type_fits(const struct stile_fhir_type *type);

void stile__collect_head(struct stile__cc *cc);
void stile__collect(struct stile__cc *cc); /* tree to rules and guards */
/* The list and key of an `each`; NULL when reported. */
struct stile__each *stile__collect_each(struct stile__cc *cc,
                                        const struct stile_lang_stmt *stmt);
/* The `each row` of a mapping that groups; or NULL. */
const struct stile__each *stile__row_each(const struct stile__variant *v);
/* Completes it for rows of another table. False when reported. */
bool stile__collect_child(struct stile__cc *cc, struct stile__each *each);
void stile__collect_groups(struct stile__cc *cc);
void stile__check(struct stile__cc *cc);
/* What one line alone keeps. */
enum stile__law stile__rule_law(const struct stile__rule *rule);
const char *stile__law_name(enum stile__law law);
void stile__check_writes(struct stile__cc *cc);
void stile__check_profile(struct stile__cc *cc);
/* Is the element of the profile written by any line of these? */
bool stile__profile_written(const struct stile__rule *rules,
                            const struct stile_profile_element *element);
/* An element of the mapping's type: by a line without a guard, or by two that
 * cover all rows. `canon` is the beginning of a path's. */
bool stile__always_written(struct stile__cc *cc, struct stile_str canon);
/* An element named `name` directly below `at`, by a line or a where(). */
bool stile__written_inside(const struct stile__rule *rules, struct stile_str at,
                           struct stile_str name);
void stile__check_each(struct stile__cc *cc);
void stile__lower(struct stile__cc *cc);
void stile__examples(const struct stile_mapping *mapping,
                     struct stile_diags *diags);
/* Two blocks side by side of which one holds for any row. */
bool stile__guards_cover(const struct stile_source *source,
                         const struct stile__guard *a,
                         const struct stile__guard *b);
bool stile__guards_exclude(const struct stile_source *source,
                           const struct stile__guard *a,
                           const struct stile__guard *b);
/* A column whose equality a condition states, in every row it lets by. */
typedef void stile__equality_fn(void *ctx, const struct stile_lang_cond *leaf);
void stile__equalities(const struct stile_lang_cond *cond,
                       stile__equality_fn *each, void *ctx);

/* ---- running ---- */

/* The cells of `row` in `table`'s order; NULL when memory is short. */
const struct stile_str *stile__row_cells(const struct stile_row *row,
                                         const struct stile_table *table,
                                         struct stile_arena *arena);
struct stile_value *stile__path_read(const struct stile_value *root,
                                     const struct stile__path *path);
void stile__path_put(struct stile_value *root, const struct stile__path *path,
                     struct stile_str text, enum stile_kind kind,
                     struct stile_arena *arena);
void stile__path_put_list(struct stile_value *root,
                          const struct stile__path *path,
                          const struct stile_str *items, size_t count,
                          struct stile_arena *arena);
/* The list an open path ends at; made when it is not there. */
struct stile_value *stile__path_list(struct stile_value *root,
                                     const struct stile__path *path,
                                     struct stile_arena *arena);
struct stile_str stile__scalar_text(const struct stile_value *value);
/* The first place whose text an earlier one has too; SIZE_MAX: none. */
size_t stile__twin(const struct stile_str *keys, size_t count,
                   struct stile_arena *arena);

/* What a tracing run tells: nothing is kept on the fast path. */
struct stile__trace {
    struct stile_buf *out; /* NULL: only what is counted */
    bool values;
    /* A code was looked for: its row, or NULL. May be NULL itself. */
    void (*coded)(void *ctx, const struct stile__code_table *table,
                  const struct stile__code_row *row);
    void *ctx;
    const struct stile_row *first; /* set: of the group, and has the result */
};

struct stile__right_run {
    const struct stile__variant *variant;
    const struct stile_row *row;
    const struct stile_map_env *env;
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile__trace *trace;
    bool *ran; /* the variant's branches, set where the run went; or NULL */
};

/* OK with *ret, or END when the mapping does not take the row. */
STILE_MUSTCHECK enum stile_status
stile__run_right(const struct stile__right_run *run,
                 struct stile_map_result *ret);
const struct stile__variant *
stile__variant_of(const struct stile_mapping *mapping,
                  const struct stile_row *row);

/* A resource to be read: a tree, or from `at` on a tape. */
struct stile__resource {
    const struct stile_value *tree;
    const struct stile_tape *tape;
    uint32_t at;
};

/* One resource through one mapping: cells by alias and ordinal. */
struct stile__left_cells {
    struct stile_str *cells[STILE__ALIASES];
    bool taken, failed;
    struct stile_str **rows; /* `group by`: cells of the own table, by row */
    size_t row_count;
    struct stile__linked { /* `each NAME`: cells of the other table's rows */
        const struct stile__child *child;
        struct stile_str *cells;
        struct stile__linked *next;
    } * linked;
};
/* `what` is the column. */
void stile__right_finding(const struct stile__right_run *run,
                          enum stile__run_code code, uint32_t line,
                          struct stile_str what);
/* The row a look-up asks for; what a missing one means is the caller's. */
enum stile_status stile__look_up(const struct stile_map_env *env,
                                 const struct stile__alias *alias,
                                 struct stile_str key,
                                 const struct stile_row **ret);
/* Does the condition hold? A fault of it is INVALID: nothing is guessed. */
STILE_MUSTCHECK enum stile_status
stile__run_ask(const struct stile__ask *ask,
               const struct stile__resource *resource,
               struct stile_arena *arena, bool *ret);
void stile__run_left(const struct stile__variant *variant,
                     const struct stile__resource *resource,
                     struct stile_arena *arena, struct stile_diags *diags,
                     struct stile__left_cells *ret);
const char *stile__op_name(enum stile__op op);

#endif
