/* Lists whose items are rows: one writer, one key, nothing that cannot be
 * told apart. */
#include "map_private.h"

static bool reaches(struct stile_str canon, struct stile_str list)
{
    return stile_str_starts(canon, list) &&
           (canon.len == list.len || canon.ptr[list.len] == '[' ||
            canon.ptr[list.len] == '(' || canon.ptr[list.len] == '.');
}

static void check_list(struct stile__cc *cc, const struct stile__each *each)
{
    for (const struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (r->paths == NULL || r->each == each || r->stmt == each->stmt ||
            !reaches(r->paths->canon, each->list.canon)) {
            continue;
        }
        struct stile_diag *diag = stile__map_report(
            cc, "M308", r->paths->span,
            "'each' makes all items of this list; write the line in its "
            "block");
        if (diag != NULL) {
            stile_diag_second(diag, cc->source, each->list.span);
        }
    }
}

static void find_key(struct stile__cc *cc, struct stile__each *each)
{
    for (const struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (r->each != each || r->paths == NULL || r->guard != NULL ||
            !r->leftward || !r->rightward ||
            !stile_str_eq(r->paths->canon, each->by.canon)) {
            continue;
        }
        bool own = true;
        for (uint32_t i = 0; i < r->column_count; i++) {
            own = own && r->columns[i].alias == 0;
        }
        each->key = own ? r : each->key;
    }
    if (each->key == NULL && !cc->tree->broken) {
        (void)stile__map_report(
            cc, "M309", each->stmt->by->span,
            "the key is written by one line of the block, both ways, from the "
            "row's own columns, and not inside 'when'");
    }
}

struct told_apart {
    const struct stile__cc *cc;
    uint32_t ordinal;
    bool found;
};

static void fixed(void *ctx, const struct stile_lang_cond *leaf)
{
    struct told_apart *t = ctx;
    t->found =
        t->found || stile_table_column(t->cc->variant->table,
                                       leaf->column->name.text) == t->ordinal;
}

/* One value of the column in a group, or the key holds it. */
static bool is_told(const struct stile__cc *cc, const struct stile__each *each,
                    uint32_t ordinal)
{
    struct told_apart t = {cc, ordinal, false};
    for (uint32_t i = 0; i < cc->variant->group_count; i++) {
        t.found = t.found || cc->variant->groups[i] == ordinal;
    }
    for (uint32_t i = 0; i < each->key->column_count; i++) {
        t.found = t.found || each->key->columns[i].ordinal == ordinal;
    }
    if (cc->tree->where != NULL) {
        stile__equalities(cc->tree->where->cond, fixed, &t);
    }
    for (const struct stile_lang_take *k = cc->tree->takes; k; k = k->next) {
        stile__equalities(k->cond, fixed, &t);
    }
    return t.found;
}

static void check_key(struct stile__cc *cc, const struct stile__each *each)
{
    const struct stile_table *t = cc->variant->table;
    if (t->key_count == 0) {
        (void)stile__map_report(cc, "M310", each->stmt->by->span,
                                "%.*s has no key, so nothing tells its rows "
                                "apart",
                                STILE_FMT(t->name));
    }
    for (size_t i = 0; i < t->key_count; i++) {
        if (!is_told(cc, each, t->keys[i])) {
            (void)stile__map_report(
                cc, "M310", each->stmt->by->span,
                "two rows of a group may have one key: group by '%.*s' too, "
                "or write it into the key",
                STILE_FMT(t->columns[t->keys[i]].name));
            return;
        }
    }
}

static void check_lines(struct stile__cc *cc, const struct stile__each *each)
{
    for (const struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        for (uint32_t i = 0;
             r->each == each && r->leftward && i < r->column_count; i++) {
            if (r->columns[i].alias != 0) {
                (void)stile__map_report(
                    cc, "M602", r->columns[i].span,
                    "inside 'each' only the row's own columns go both ways; "
                    "use -> and say derived or lossy");
            }
        }
    }
}

static void check_groups(struct stile__cc *cc)
{
    const struct stile__variant *v = cc->variant;
    const struct stile_lang_column *groups = cc->tree->groups;
    uint32_t rows = 0;
    if (groups != NULL && stile__row_each(v) == NULL && !cc->tree->broken &&
        !cc->incomplete) {
        (void)stile__map_report(cc, "M311", groups->span,
                                "a mapping that groups rows needs an 'each "
                                "row' block for their list");
    }
    for (uint32_t i = 0; i < v->each_count; i++) {
        if (v->eaches[i]->child != NULL) {
            continue;
        }
        if (groups == NULL || rows > 0) {
            (void)stile__map_report(
                cc, "M311", v->eaches[i]->stmt->span,
                rows > 0
                    ? "a mapping has one 'each row'; the rows are one list"
                    : "say on the 'left' line what the rows are grouped by: "
                      "group by COLUMN");
        }
        rows++;
    }
    if (groups != NULL && cc->tree->deletes != NULL) {
        (void)stile__map_report(cc, "M606", cc->tree->deletes->span,
                                "a deleted row leaves its group, and the group "
                                "stays; say 'where not' on the 'left' line");
    }
}

void stile__check_each(struct stile__cc *cc)
{
    struct stile__variant *v = cc->variant;
    check_groups(cc);
    for (uint32_t i = 0; i < v->each_count; i++) {
        struct stile__each *each = v->eaches[i];
        check_list(cc, each);
        if (each->child != NULL) {
            continue;
        }
        check_lines(cc, each);
        find_key(cc, each);
        if (each->key != NULL && v->group_count > 0) {
            check_key(cc, each);
        }
    }
}
