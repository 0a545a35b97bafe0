/* Decisions in plain words and as a value. Words and ids only, never a value
 * of the record. */
#include "private.h"

#define LINES_MAX 200u
#define SLOTS 1024u /* a power of two, more than LINES_MAX */

/* Rows that read the same: one outcome, one type, one reason. */
struct line {
    const struct stile_item_decision *row; /* the first */
    size_t count;                          /* items */
    size_t last;                           /* resource counted last */
    uint64_t words;
    bool uncovered;
};

struct lines {
    const struct stile_decision *decision;
    struct line items[LINES_MAX];
    size_t count, left_out;
    uint16_t slots[SLOTS]; /* index in items and one, or 0 */
};

static struct stile_str sentence_of(const struct stile_item_decision *row)
{
    return row->reason_count ? row->reasons[0].sentence : STILE_STR_NULL;
}

static bool same_line(const struct stile_item_decision *x,
                      const struct stile_item_decision *y)
{
    return x->outcome == y->outcome && !x->data.len == !y->data.len &&
           stile_str_eq(x->type, y->type) &&
           stile_str_eq(sentence_of(x), sentence_of(y));
}

/* NULL when there is no room for one more. */
static struct line *line_of(struct lines *lines,
                            const struct stile_item_decision *row)
{
    uint64_t hash = stile_str_hash(row->type) * 3 +
                    stile_str_hash(sentence_of(row)) +
                    (uint64_t)row->outcome * 2 + (row->data.len ? 1 : 0);

    for (;; hash++) {
        uint16_t *slot = &lines->slots[hash % SLOTS];
        struct line *line;

        if (*slot && same_line(lines->items[*slot - 1].row, row)) {
            return &lines->items[*slot - 1];
        }
        if (*slot) {
            continue;
        }
        if (lines->count == LINES_MAX) {
            return NULL;
        }
        line = &lines->items[lines->count++];
        *line = (struct line){.row = row, .last = SIZE_MAX};
        *slot = (uint16_t)lines->count;
        return line;
    }
}

static void add_word(struct lines *lines, struct line *line,
                     struct stile_str word)
{
    const struct stile__words *words = &lines->decision->work->rules->data;
    size_t i;

    for (i = 0; i < words->count; i++) {
        /* Rows take the names of the set itself. */
        if (words->names[i].ptr == word.ptr) {
            line->words |= UINT64_C(1) << i;
            return;
        }
    }
    line->uncovered = line->uncovered || word.len;
}

/* An item that goes or stays as a whole is one row; of one that goes in part
 * each field is. */
static void gather(struct lines *lines)
{
    const struct stile_decision *decision = lines->decision;
    enum stile_outcome item = STILE_OUTCOME_RELEASE;
    size_t i;

    for (i = 0; i < decision->count; i++) {
        const struct stile_item_decision *row = &decision->items[i];
        struct line *line;

        item = row->data.len ? item : row->outcome;
        if (!row->data.len == (item == STILE_OUTCOME_CHANGED)) {
            continue;
        }
        line = line_of(lines, row);
        if (!line) {
            lines->left_out++;
            continue;
        }
        line->count += line->last != row->resource;
        line->last = row->resource;
        add_word(lines, line, row->data);
    }
}

static void add_type(struct stile_buf *out, struct stile_str type, size_t count)
{
    struct stile_str episode = STILE_STR("EpisodeOfCare");

    if (count == 1) {
        stile_buf_add(out, type);
    } else if (stile_str_eq(type, episode)) {
        stile_buf_addc(out, "EpisodesOfCare");
    } else if (stile_str_ends(type, STILE_STR("y"))) {
        stile_buf_add(out, stile_str_sub(type, 0, type.len - 1));
        stile_buf_addc(out, "ies");
    } else {
        stile_buf_add(out, type);
        stile_buf_byte(out, 's');
    }
}

static void add_fields(const struct lines *lines, const struct line *line,
                       struct stile_buf *out)
{
    const struct stile__words *words = &lines->decision->work->rules->data;
    const char *before = " (";
    size_t i;

    for (i = 0; i < words->count; i++) {
        if (line->words >> i & 1) {
            stile_buf_addc(out, before);
            stile_buf_add(out, words->names[i]);
            before = ", ";
        }
    }
    if (line->uncovered) {
        stile_buf_addc(out, before);
        stile_buf_addc(out, "not-covered");
    }
    if (line->words || line->uncovered) {
        stile_buf_byte(out, ')');
    }
}

void stile_decision_print(const struct stile_decision *decision,
                          struct stile_buf *out)
{
    struct lines lines = {.decision = decision};
    size_t i;

    stile_buf_printf(out,
                     "%s: %zu released, %zu changed, %zu withheld, %zu held\n",
                     stile_outcome_text(decision->outcome), decision->released,
                     decision->changed, decision->withheld, decision->held);
    gather(&lines);
    for (i = 0; i < lines.count; i++) {
        const struct line *line = &lines.items[i];

        stile_buf_printf(out, "%s %zu ", stile_outcome_text(line->row->outcome),
                         line->count);
        add_type(out, line->row->type, line->count);
        add_fields(&lines, line, out);
        stile_buf_printf(out, ": %.*s\n", STILE_FMT(sentence_of(line->row)));
    }
    if (lines.left_out) {
        stile_buf_printf(out, "and %zu more, for other reasons\n",
                         lines.left_out);
    }
}

static void set_count(struct stile_arena *arena, struct stile_value *object,
                      const char *name, size_t count)
{
    (void)stile_value_set(
        object, stile_str_cstr(name),
        stile_value_number(arena, stile_arena_printf(arena, "%zu", count)));
}

static void set_list(struct stile_arena *arena, struct stile_value *object,
                     const char *name, const struct stile_str *items,
                     size_t count)
{
    struct stile_value *list =
        stile_value_set_new(arena, object, name, STILE_ARRAY);
    size_t i;

    for (i = 0; i < count; i++) {
        (void)stile_value_push(list, stile_value_string(arena, items[i]));
    }
}

#define REASONS_MAX 20u

static void set_reasons(const struct stile_decision *decision,
                        struct stile_arena *arena, struct stile_value *object)
{
    struct stile_value *list =
        stile_value_set_new(arena, object, "reasons", STILE_ARRAY);
    struct stile_str said[REASONS_MAX];
    size_t count = 0, i, r;

    for (i = 0; i < decision->count && count < REASONS_MAX; i++) {
        const struct stile_item_decision *row = &decision->items[i];

        for (r = 0; r < row->reason_count && count < REASONS_MAX; r++) {
            struct stile_str sentence = row->reasons[r].sentence;
            if (!stile__in(said, count, sentence)) {
                said[count++] = sentence;
                (void)stile_value_push(list,
                                       stile_value_string(arena, sentence));
            }
        }
    }
}

struct stile_value *stile_decision_value(const struct stile_decision *decision,
                                         struct stile_arena *arena)
{
    struct stile_value *object = stile_value_new(arena, STILE_OBJECT);

    (void)stile_value_set_str(
        arena, object, "outcome",
        stile_str_cstr(stile_outcome_text(decision->outcome)));
    set_count(arena, object, "released", decision->released);
    set_count(arena, object, "changed", decision->changed);
    set_count(arena, object, "withheld", decision->withheld);
    set_count(arena, object, "held", decision->held);
    set_list(arena, object, "rules", decision->rules, decision->rule_count);
    set_list(arena, object, "notify", decision->notify, decision->notify_count);
    set_reasons(decision, arena, object);
    return object;
}
