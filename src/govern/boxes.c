/* A function shown: as boxes, and by one case. */
#include "space.h"

#define UNKNOWN 1u
#define NO 2u
#define YES 4u
#define ANY 7u

/* A conjunction: of each fact some values, of each label that it is there,
 * that it is not, or whatever. */
struct box {
    uint8_t facts[STILE__NAMES_MAX];
    uint8_t labels[STILE__NAMES_MAX][2]; /* own, linked: NO, YES or both */
};

/* ---- cases
 * ------------------------------------------------------------------------- */

static bool restrict_to(struct stile__space *space, uint32_t *function,
                        uint32_t part)
{
    uint32_t less = stile__bdd_and(space->bdd, *function, part);

    if (less == STILE__NEVER) {
        return false;
    }
    *function = less;
    return true;
}

/* What is liked in a case: no labels, and every fact no, or else yes; and
 * rather a fact that the vocabulary names early. Values by variable. */
static bool *case_of(struct stile__space *space, uint32_t function)
{
    size_t count = (space->facts.count + space->labels.count) * 2;
    bool *values = stile_arena_array(space->arena, count + 1, sizeof(*values));
    uint32_t i;

    if (!values) {
        return NULL;
    }
    for (i = (uint32_t)space->labels.count * 2; i > 0; i--) {
        uint32_t label = (i - 1) / 2;
        uint32_t there = i & 1 ? stile__label_own(space, label)
                               : stile__label_linked(space, label);
        values[space->facts.count * 2 + i - 1] =
            !restrict_to(space, &function, stile__bdd_not(space->bdd, there));
    }
    for (i = (uint32_t)space->facts.count; i > 0; i--) {
        values[i * 2 - 1] =
            restrict_to(space, &function, stile__fact_no(space, i - 1));
        values[i * 2 - 2] =
            !values[i * 2 - 1] &&
            restrict_to(space, &function, stile__fact_yes(space, i - 1));
    }
    return values;
}

static const char *truth_text(bool yes, bool no)
{
    return yes ? "yes" : no ? "no" : "unknown";
}

struct stile_value *stile__case_value(struct stile__space *space,
                                      uint32_t function)
{
    struct stile_value *result = stile_value_new(space->arena, STILE_OBJECT);
    struct stile_value *patient =
        stile_value_set_new(space->arena, result, "patient", STILE_OBJECT);
    struct stile_value *labels =
        stile_value_set_new(space->arena, result, "labels", STILE_ARRAY);
    bool *values = case_of(space, function);
    size_t i;

    for (i = 0; values && i < space->facts.count; i++) {
        bool yes = values[i * 2], no = values[i * 2 + 1];
        if (!no) {
            (void)stile_value_set(
                patient, space->facts.items[i],
                stile_value_string(space->arena,
                                   stile_str_cstr(truth_text(yes, no))));
        }
    }
    for (i = 0; values && i < space->labels.count; i++) {
        const bool *label = &values[(space->facts.count + i) * 2];
        if (label[0]) {
            stile__push_text(space, labels, space->labels.items[i]);
        }
        if (label[1]) {
            stile__push_text(
                space, labels,
                stile_arena_printf(space->arena, "related-to-%.*s",
                                   STILE_FMT(space->labels.items[i])));
        }
    }
    return result;
}

/* ---- boxes
 * ----------------------------------------------------------------------- */

static uint32_t fact_part(struct stile__space *space, uint32_t fact,
                          unsigned values)
{
    struct stile__bdd *bdd = space->bdd;
    uint32_t yes = stile__fact_yes(space, fact);
    uint32_t no = stile__fact_no(space, fact);
    uint32_t part = STILE__NEVER;

    if (values == ANY) {
        return STILE__ALWAYS;
    }
    if (values & YES) {
        part = stile__bdd_less(bdd, yes, no);
    }
    if (values & NO) {
        part = stile__bdd_or(bdd, part, stile__bdd_less(bdd, no, yes));
    }
    if (values & UNKNOWN) {
        part = stile__bdd_or(bdd, part,
                             stile__bdd_not(bdd, stile__bdd_or(bdd, yes, no)));
    }
    return part;
}

static uint32_t label_part(struct stile__space *space, uint32_t label,
                           bool linked, unsigned values)
{
    uint32_t there = linked ? stile__label_linked(space, label)
                            : stile__label_own(space, label);

    if (values == (YES | NO)) {
        return STILE__ALWAYS;
    }
    return values == YES ? there : stile__bdd_not(space->bdd, there);
}

/* From the last variable up, so that each step is a small one. */
static uint32_t box_function(struct stile__space *space, const struct box *box)
{
    uint32_t function = STILE__ALWAYS;
    uint32_t i;

    for (i = (uint32_t)space->labels.count; i > 0; i--) {
        function = stile__bdd_and(
            space->bdd, label_part(space, i - 1, true, box->labels[i - 1][1]),
            function);
        function = stile__bdd_and(
            space->bdd, label_part(space, i - 1, false, box->labels[i - 1][0]),
            function);
    }
    for (i = (uint32_t)space->facts.count; i > 0; i--) {
        function = stile__bdd_and(
            space->bdd, fact_part(space, i - 1, box->facts[i - 1]), function);
    }
    return function;
}

/* Within the function, as far as cases that cannot be are no matter. */
static bool fits(struct stile__space *space, const struct box *box,
                 uint32_t function)
{
    uint32_t outside = stile__bdd_less(space->bdd, space->care, function);

    return stile__bdd_and(space->bdd, box_function(space, box), outside) ==
           STILE__NEVER;
}

static void widen(struct stile__space *space, uint8_t *values, unsigned to,
                  const struct box *box, uint32_t function)
{
    uint8_t kept = *values;

    *values = (uint8_t)(kept | to);
    if (*values != kept && !fits(space, box, function)) {
        *values = kept;
    }
}

/* The case made as wide as the function lets it be. */
static void box_around(struct stile__space *space, const bool *values,
                       uint32_t function, struct box *ret)
{
    size_t i;

    memset(ret, 0, sizeof(*ret));
    for (i = 0; i < space->facts.count; i++) {
        ret->facts[i] = values[i * 2] ? YES : values[i * 2 + 1] ? NO : UNKNOWN;
    }
    for (i = 0; i < space->labels.count; i++) {
        const bool *label = &values[(space->facts.count + i) * 2];
        ret->labels[i][0] = label[0] ? YES : NO;
        ret->labels[i][1] = label[1] ? YES : NO;
    }
    for (i = 0; i < space->labels.count; i++) {
        widen(space, &ret->labels[i][0], YES | NO, ret, function);
        widen(space, &ret->labels[i][1], YES | NO, ret, function);
    }
    for (i = 0; i < space->facts.count; i++) {
        widen(space, &ret->facts[i], ANY, ret, function);
        widen(space, &ret->facts[i], UNKNOWN, ret, function);
        widen(space, &ret->facts[i], NO, ret, function);
        widen(space, &ret->facts[i], YES, ret, function);
    }
}

/* Names after their head, the first time with what parts them from before. */
static void say_name(struct stile_buf *out, bool *begun, const char *head,
                     struct stile_str name)
{
    if (*begun) {
        stile_buf_addc(out, ", ");
    } else {
        stile_buf_printf(out, "%s%s: ", out->len ? "; " : "", head);
    }
    stile_buf_add(out, name);
    *begun = true;
}

static void say_facts(struct stile__space *space, const struct box *box,
                      unsigned values, const char *head, struct stile_buf *out)
{
    bool begun = false;
    size_t i;

    for (i = 0; i < space->facts.count; i++) {
        if (box->facts[i] == values) {
            say_name(out, &begun, head, space->facts.items[i]);
        }
    }
}

static void say_labels(struct stile__space *space, const struct box *box,
                       unsigned own, unsigned linked, const char *head,
                       struct stile_buf *out)
{
    bool begun = false;
    size_t i;

    for (i = 0; i < space->labels.count; i++) {
        if (box->labels[i][0] == own && box->labels[i][1] == linked) {
            say_name(out, &begun, head, space->labels.items[i]);
        }
    }
}

static struct stile_str box_text(struct stile__space *space,
                                 const struct box *box)
{
    struct stile_buf out;
    struct stile_str text;

    stile_buf_init(&out, 1u << 16);
    say_facts(space, box, YES, "yes", &out);
    say_facts(space, box, YES | UNKNOWN, "yes or unknown", &out);
    say_facts(space, box, YES | NO, "yes or no", &out);
    say_facts(space, box, UNKNOWN, "unknown", &out);
    say_facts(space, box, NO | UNKNOWN, "no or unknown", &out);
    say_facts(space, box, NO, "no", &out);
    say_labels(space, box, YES, YES, "labelled and linked to", &out);
    say_labels(space, box, YES, YES | NO, "labelled", &out);
    say_labels(space, box, YES, NO, "labelled and not linked to", &out);
    say_labels(space, box, YES | NO, YES, "linked to", &out);
    say_labels(space, box, NO, YES, "linked to and not labelled", &out);
    say_labels(space, box, NO, NO, "neither labelled nor linked to", &out);
    say_labels(space, box, NO, YES | NO, "not labelled", &out);
    say_labels(space, box, YES | NO, NO, "not linked to", &out);
    text = out.len ? stile_arena_str(space->arena, stile_buf_str(&out))
                   : STILE_STR("always");
    stile_buf_release(&out);
    return text;
}

struct stile_value *stile__box_values(struct stile__space *space,
                                      uint32_t function, size_t most,
                                      size_t *ret_more)
{
    struct stile_value *list = stile_value_new(space->arena, STILE_ARRAY);
    uint32_t left = function;
    size_t i;

    *ret_more = 0;
    for (i = 0; i < 8 * most && left != STILE__NEVER; i++) {
        bool *values = case_of(space, left);
        struct box box;

        if (!values) {
            break;
        }
        box_around(space, values, function, &box);
        if (i < most) {
            stile__push_text(space, list, box_text(space, &box));
        } else {
            *ret_more += 1;
        }
        left = stile__bdd_less(space->bdd, left, box_function(space, &box));
    }
    return list;
}

struct stile_value *stile__label_values(struct stile__space *space,
                                        uint32_t function)
{
    struct stile_value *list = stile_value_new(space->arena, STILE_ARRAY);
    uint32_t i;

    for (i = 0; i < space->labels.count; i++) {
        uint32_t there = stile__bdd_or(space->bdd, stile__label_own(space, i),
                                       stile__label_linked(space, i));
        if (stile__bdd_and(space->bdd, function, there) != STILE__NEVER) {
            stile__push_text(space, list, space->labels.items[i]);
        }
    }
    return list;
}
