/*
 * stile/record.h - the value tree: one decoded record.
 *
 * Invariants
 *   - A number is the text that was read; nothing becomes a double, so
 *     `1.00` leaves as `1.00` and a 19-digit id keeps every digit.
 *   - An object's members keep their order and are unique by name.
 *   - All memory is one arena's; a tree dies with it. Names and texts may
 *     point into the message's bytes, which must outlive the tree.
 *   - `offset` is the byte place in the message a value was read from, plus
 *     one, or 0 when it was made here.
 *
 * Failure: building functions return NULL when the arena has failed and
 * accept NULL parents (they then do nothing), so one look at
 * stile_arena_failed at the end of a phase is enough.
 */
#ifndef STILE_RECORD_H
#define STILE_RECORD_H

#include "stile/base.h"

enum stile_kind {
    STILE_NULL,
    STILE_BOOL,
    STILE_NUMBER,
    STILE_STRING,
    STILE_ARRAY,
    STILE_OBJECT
};

struct stile_value {
    enum stile_kind kind;
    bool boolean;          /* BOOL */
    uint32_t offset;       /* place in the message + 1, or 0 */
    uint32_t count;        /* children of ARRAY or OBJECT */
    struct stile_str name; /* member name when the parent is an object */
    struct stile_str text; /* NUMBER, STRING */
    struct stile_value *first, *last; /* children */
    struct stile_value *next, *prev;  /* siblings */
    struct stile_value *parent;
};

struct stile_value *stile_value_new(struct stile_arena *arena,
                                    enum stile_kind kind);
/* Texts are kept, not copied. */
struct stile_value *stile_value_string(struct stile_arena *arena,
                                       struct stile_str text);
struct stile_value *stile_value_number(struct stile_arena *arena,
                                       struct stile_str text);
struct stile_value *stile_value_bool(struct stile_arena *arena, bool b);
/* RFC 8259 section 6; ask it before making a number of a text. */
bool stile_number_valid(struct stile_str text);
/* Adds as last member; replaces a member of that name in its place. A child
 * that has a parent moves. Names are kept, not copied. Returns the child. */
struct stile_value *stile_value_set(struct stile_value *object,
                                    struct stile_str name,
                                    struct stile_value *child);
/* The same for a reader that has seen that the name is new: no search. */
struct stile_value *stile_value_add(struct stile_value *object,
                                    struct stile_str name,
                                    struct stile_value *child);
struct stile_value *stile_value_push(struct stile_value *array,
                                     struct stile_value *child);
/* Shorthands that make the child: return the child. `name` is kept. */
struct stile_value *stile_value_set_str(struct stile_arena *arena,
                                        struct stile_value *object,
                                        const char *name,
                                        struct stile_str text);
struct stile_value *stile_value_set_new(struct stile_arena *arena,
                                        struct stile_value *object,
                                        const char *name, enum stile_kind kind);
void stile_value_remove(struct stile_value *child); /* unlinks from parent */
/* NULL when absent or when `object` is NULL or no object. */
struct stile_value *stile_value_get(const struct stile_value *object,
                                    struct stile_str name);
struct stile_value *stile_value_getc(const struct stile_value *object,
                                     const char *name);
struct stile_value *stile_value_at(const struct stile_value *array, size_t i);
/* Text of the string or number member, or STILE_STR_NULL. */
struct stile_str stile_value_text(const struct stile_value *object,
                                  const char *name);
/* Walks "a.b.0.c": member names and array indexes. NULL when absent. */
struct stile_value *stile_value_path(const struct stile_value *root,
                                     const char *path);
/* Deep, with names and texts; NULL when the arena has failed. */
struct stile_value *stile_value_copy(struct stile_arena *arena,
                                     const struct stile_value *value);
bool stile_value_equal(const struct stile_value *a,
                       const struct stile_value *b); /* members unordered */
/* Path of a value from its root, as `Patient.name[0].family`; `$` for a root
 * without resourceType. A name that does not look like an element's is shown
 * as `?`, so that no value sent as a name gets out. */
void stile_value_place(const struct stile_value *value, struct stile_buf *out);
/* Drops members and items that hold nothing: FHIR R4 JSON forbids empty
 * arrays, objects and strings. Nulls stay, and empty items become null, only
 * in an array that a companion (`given` and `_given`) must keep step with.
 * Returns false when `value` itself is empty. */
bool stile_value_prune(struct stile_value *value);

/* RFC 8259, no white space; `indent` > 0 gives that many spaces a level.
 * Numbers leave as their text; one that is no JSON number leaves as a
 * string, so the result is always JSON. */
void stile_value_json(const struct stile_value *value, int indent,
                      struct stile_buf *out);

/*
 * A tape: the same record flat, for a reader that goes through it once. Items
 * stand in the order of the bytes; a member is two, its name and its value.
 * Names are unique in their object. Made by stile_json_tape (format.h) from
 * bytes, which it borrows, and used again for the next record.
 */
struct stile_tape_item {
    uint32_t offset, len; /* in the bytes; a string without its quotes */
    uint32_t end;         /* the item behind this one and all inside it */
    uint8_t kind;         /* enum stile_kind; a name is a STRING */
    bool escaped;         /* a string with a backslash in it */
};

struct stile_tape {
    struct stile_str bytes;
    struct stile_tape_item *items;
    uint32_t count, capacity;
};
#define STILE_TAPE_NONE UINT32_MAX

void stile_tape_release(struct stile_tape *tape);
/* Text of a string, number or boolean, in the arena where it was escaped;
 * STILE_STR_NULL for other items, and when the arena is full. */
struct stile_str stile_tape_text(const struct stile_tape *tape, uint32_t at,
                                 struct stile_arena *arena);
/* The value of the member of that name, or STILE_TAPE_NONE. */
uint32_t stile_tape_get(const struct stile_tape *tape, uint32_t at,
                        struct stile_str name, struct stile_arena *arena);

/*
 * A row: one record of a table, cells by the table's ordinals. The cells
 * point into the message or an arena. A cell of an absent column is
 * {NULL, 0}; an empty one has a non-NULL ptr and length 0. Both mean "not
 * known" to a mapping.
 */
struct stile_row {
    struct stile_str table; /* table's name: "CareRecord_Observation" */
    const struct stile_str *columns; /* column names, `count` of them */
    const struct stile_str *cells;
    size_t count;
    uint64_t number;       /* 1-based data row in its file, or 0 */
    struct stile_str file; /* message or file name, or empty */
};

struct stile_str stile_row_get(const struct stile_row *row,
                               struct stile_str column); /* by name */

#endif
