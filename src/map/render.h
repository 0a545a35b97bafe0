/*
 * The direct renderer: a rightward program whose JSON text is laid out when
 * it is compiled.
 *
 * Every put of a program has a slot, in the order in which the members stand
 * in the output. What stands before a slot's value is fixed but for how much
 * of it is open already: `open` holds the text from the root down, `close`
 * the brackets from the slot up, and the depth two slots share says which
 * tail of the one and which head of the other stand between their values. These
 * are put together when the mapping is compiled, for every two slots: a joint.
 *
 * A mapping has slots only when its tree would have its members in that
 * order whatever the row holds; render_plan.c refuses all others, and they
 * are run as trees. So is a row that does not become a resource: the renderer
 * takes back what it wrote and leaves it to the one machine that says why.
 */
#ifndef STILE_MAP_RENDER_H
#define STILE_MAP_RENDER_H

#include "map_private.h"

#define STILE__SLOTS 128u /* of one mapping; more are run as a tree */
#define STILE__DEPTH 24u  /* containers above a slot */
#define STILE__CHUNK                                                           \
    32u /* texts are copied in pieces of so many bytes, and                    \
           are readable so far past their ends */

struct stile__slot {
    const char *open; /* from inside the root's brace to the value */
    const char *close;
    uint32_t open_len;
    uint16_t open_at[STILE__DEPTH + 1]; /* by the depth that is open */
    uint8_t depth;
    enum stile_kind kind;
};

/* What is written behind the value of one slot and before that of another. */
struct stile__joint {
    const char *text;
    uint32_t len;
    const uint16_t *after; /* the joints of its second slot */
};

enum stile__render_code {
    RENDER_VM,    /* the instruction of that name, by its meaning */
    RENDER_FIELD, /* load, encode, put */
    RENDER_PAIR,  /* the same of two cells */
    RENDER_JUMP,  /* load, test, jump when it is `a` */
    RENDER_JUMP_FLAG,
    RENDER_SET_FLAG, /* load, present, set; `a`: when absent */
    RENDER_GUID,     /* the same for codecs with a shorter way */
    RENDER_TEXT,
    RENDER_CODE,
    RENDER_CONSTANT, /* the value stands in the slot's text */
    RENDER_PUT,
    RENDER_MUST,
    RENDER_BAIL, /* to the tree */
    RENDER_END
};

struct stile__render_op {
    uint8_t code; /* enum stile__render_code */
    uint8_t op;   /* enum stile__op */
    uint8_t a;
    bool plain; /* the value needs no look: it is JSON text as it is;
                   of a test for truth: what is wanted */
    uint16_t b, slot;
    uint32_t c;
    uint16_t b2; /* PAIR: the second cell */
    uint32_t c2;
    uint32_t to;   /* jumps: the op */
    uint32_t line; /* with the column, for findings */
    const struct stile_column *column;
    union {
        const struct stile__codec_use *use;
        const struct stile__constant *constant;
        const struct stile__code_table *table;
        const struct stile__range *range;
        const uint64_t *mask; /* MUST: slots of which one must be written */
    } with;
};

struct stile__render {
    struct stile__render_op *ops;
    uint32_t count;
    struct stile__slot *slots;
    uint32_t slot_count;
    struct stile__joint *joints; /* each text once */
    uint16_t *joint_of; /* [last + 1][slot]: of the slot written before it */
    const char *head;
    uint32_t head_len;
    uint32_t id_slot; /* STILE__SLOTS: none */
};

/* A put of the program, in its order. */
struct stile__put {
    const struct stile__path *path;
    bool list;
    struct stile_str before;  /* of the value: "Patient/" */
    struct stile_str literal; /* JSON text of a constant value */
};

/* Slots for all puts, or false when the tree must be built. */
bool stile__render_slots(struct stile__render *render,
                         const struct stile_fhir_type *type,
                         const struct stile__put *puts, uint32_t count,
                         struct stile_arena *arena);
/* Slots whose value makes the root member that MUST asks for. */
bool stile__render_must(const struct stile__put *puts, uint32_t count,
                        const struct stile_fhir_type *type,
                        struct stile_str name, bool choice, uint64_t mask[2]);
/* Sets variant->render, or leaves it NULL. */
void stile__render_lower(struct stile__variant *variant,
                         struct stile_arena *arena);

struct stile__render_run {
    const struct stile__right_run *right;
    struct stile_buf *buf;
    struct stile_str *ret_id; /* in the arena */
};

/* True with the resource behind the buffer's content; false with nothing
 * added: the row is one for the tree, or the buffer has failed. */
bool stile__render_row(struct stile__render_run *run);

#endif
