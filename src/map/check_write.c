/* What the lines write: no element twice, no mandatory one forgotten. */
#include "map_private.h"

/* ---- guards that exclude each other ---- */

static struct stile_str text_of(const struct stile_source *source,
                                const struct stile_lang_cond *c)
{
    return stile_str_sub(source->text, c->span.offset, c->span.len);
}

static bool same_column(const struct stile_lang_cond *a,
                        const struct stile_lang_cond *b)
{
    return a->column != NULL && b->column != NULL &&
           stile_str_eq(a->column->alias.text, b->column->alias.text) &&
           stile_str_eq(a->column->name.text, b->column->name.text);
}

static bool needs_value(const struct stile_lang_cond *c)
{
    return c->kind == STILE_LANG_PRESENT || c->kind == STILE_LANG_EQ ||
           c->kind == STILE_LANG_IN_LIST || c->kind == STILE_LANG_IN_RANGE ||
           c->kind == STILE_LANG_IN_TABLE;
}

static bool is_list(const struct stile_lang_cond *c)
{
    return c->kind == STILE_LANG_EQ || c->kind == STILE_LANG_IN_LIST;
}

static bool lists_apart(const struct stile_lang_cond *a,
                        const struct stile_lang_cond *b)
{
    for (struct stile_lang_literal *x = a->literals; x; x = x->next) {
        for (struct stile_lang_literal *y = b->literals; y; y = y->next) {
            if (stile_str_eq(x->text, y->text)) {
                return false;
            }
        }
    }
    return true;
}

static bool list_outside(const struct stile_lang_cond *list,
                         const struct stile_lang_cond *range)
{
    for (struct stile_lang_literal *x = list->literals; x; x = x->next) {
        int64_t n = 0;
        if (stile_str_to_int64(x->text, &n) && n >= range->lo &&
            n <= range->hi) {
            return false;
        }
    }
    return true;
}

static bool leaves_exclude(const struct stile_source *source,
                           const struct stile_lang_cond *a,
                           const struct stile_lang_cond *b)
{
    if (a->kind == STILE_LANG_NOT || b->kind == STILE_LANG_NOT) {
        const struct stile_lang_cond *n = a->kind == STILE_LANG_NOT ? a : b;
        const struct stile_lang_cond *other = n == a ? b : a;
        return stile_str_eq(text_of(source, n->a), text_of(source, other));
    }
    if (!same_column(a, b)) {
        return false;
    }
    if ((a->kind == STILE_LANG_MISSING && needs_value(b)) ||
        (b->kind == STILE_LANG_MISSING && needs_value(a))) {
        return true;
    }
    if ((a->kind == STILE_LANG_NE && b->kind == STILE_LANG_EQ) ||
        (a->kind == STILE_LANG_EQ && b->kind == STILE_LANG_NE)) {
        return stile_str_eq(a->literals->text, b->literals->text);
    }
    if (is_list(a) && is_list(b)) {
        return lists_apart(a, b);
    }
    if (a->kind == STILE_LANG_IN_RANGE && b->kind == STILE_LANG_IN_RANGE) {
        return a->hi < b->lo || b->hi < a->lo;
    }
    if (is_list(a) && b->kind == STILE_LANG_IN_RANGE) {
        return list_outside(a, b);
    }
    return is_list(b) && a->kind == STILE_LANG_IN_RANGE && list_outside(b, a);
}

/* Any part of the conjunction `a` against any of `b`. */
static bool conds_exclude(const struct stile_source *source,
                          const struct stile_lang_cond *a,
                          const struct stile_lang_cond *b)
{
    if (a->kind == STILE_LANG_NOT &&
        stile_str_eq(text_of(source, a->a), text_of(source, b))) {
        return true;
    }
    if (b->kind == STILE_LANG_NOT &&
        stile_str_eq(text_of(source, b->a), text_of(source, a))) {
        return true;
    }
    if (a->kind == STILE_LANG_AND) {
        return conds_exclude(source, a->a, b) || conds_exclude(source, a->b, b);
    }
    if (b->kind == STILE_LANG_AND) {
        return conds_exclude(source, a, b->a) || conds_exclude(source, a, b->b);
    }
    if (a->kind == STILE_LANG_OR) {
        return conds_exclude(source, a->a, b) && conds_exclude(source, a->b, b);
    }
    if (b->kind == STILE_LANG_OR) {
        return conds_exclude(source, a, b->a) && conds_exclude(source, a, b->b);
    }
    return leaves_exclude(source, a, b);
}

bool stile__guards_exclude(const struct stile_source *source,
                           const struct stile__guard *a,
                           const struct stile__guard *b)
{
    for (const struct stile__guard *x = a; x != NULL; x = x->parent) {
        for (const struct stile__guard *y = b; y != NULL; y = y->parent) {
            if (x != y && conds_exclude(source, x->stmt->cond, y->stmt->cond)) {
                return true;
            }
        }
    }
    return false;
}

static bool never_holds(const struct stile_source *source,
                        const struct stile_lang_cond *c)
{
    if (c->kind != STILE_LANG_AND) {
        return false;
    }
    return conds_exclude(source, c->a, c->b) || never_holds(source, c->a) ||
           never_holds(source, c->b);
}

static void check_guards(struct stile__cc *cc)
{
    for (struct stile__guard *g = cc->guards; g != NULL; g = g->next) {
        bool never = never_holds(cc->source, g->stmt->cond);
        for (struct stile__guard *p = g->parent; p && !never; p = p->parent) {
            never = conds_exclude(cc->source, g->stmt->cond, p->stmt->cond);
        }
        if (never) {
            (void)stile__map_report(cc, "M608", g->stmt->cond->span,
                                    "this can never hold; its parts exclude "
                                    "each other");
        }
    }
}

/* ---- two writers ---- */

/* Where the choice element of the path begins, and its type; or false. */
static bool choice_of(const struct stile__path *path,
                      struct stile_str *ret_base, struct stile_str *ret_type)
{
    size_t at = stile_str_find_str(path->canon, STILE_STR("[x]"));
    if (at == SIZE_MAX) {
        return false;
    }
    *ret_base = stile_str_sub(path->canon, 0, at);
    size_t end = at + 3;
    while (end < path->canon.len && path->canon.ptr[end] != '.') {
        end++;
    }
    *ret_type = stile_str_sub(path->canon, at + 3, end - at - 3);
    return true;
}

static bool clash(const struct stile__path *a, const struct stile__path *b)
{
    struct stile_str base_a, base_b, type_a, type_b;
    if (stile_str_eq(a->canon, b->canon)) {
        return true;
    }
    return choice_of(a, &base_a, &type_a) && choice_of(b, &base_b, &type_b) &&
           stile_str_eq(base_a, base_b) && !stile_str_eq(type_a, type_b);
}

static const struct stile__path *writes(const struct stile__rule *r)
{
    return r->rightward ? r->paths : NULL;
}

static void report_clash(struct stile__cc *cc, const struct stile__path *a,
                         const struct stile__path *b)
{
    bool same = stile_str_eq(a->canon, b->canon);
    struct stile_diag *diag = stile__map_report(
        cc, "M301", b->span,
        "another line writes %s too; keep one, or guard them so that only "
        "one holds",
        same ? "this element" : "this choice, as another type,");
    if (diag != NULL) {
        stile_diag_second(diag, cc->source, a->span);
    }
}

static bool where_writes(const struct stile__path *path,
                         const struct stile__path *other)
{
    for (uint32_t i = 0; i < path->count; i++) {
        const struct stile__step *s = &path->steps[i];
        for (uint32_t m = 0; m < s->match_count; m++) {
            struct stile_str at = stile_str_sub(path->canon, 0, s->canon_end);
            struct stile_str tail = s->matches[m].path.canon;
            struct stile_str canon = other->canon;
            if (canon.len == at.len + 1 + tail.len &&
                stile_str_starts(canon, at) && stile_str_ends(canon, tail) &&
                canon.ptr[at.len] == '.') {
                return true;
            }
        }
    }
    return false;
}

static void check_writers(struct stile__cc *cc)
{
    for (struct stile__rule *a = cc->rules; a != NULL; a = a->next) {
        for (struct stile__rule *b = a->next; b != NULL; b = b->next) {
            const struct stile__path *x = writes(a), *y = writes(b);
            if (x != NULL && y != NULL && clash(x, y) &&
                !stile__guards_exclude(cc->source, a->guard, b->guard)) {
                report_clash(cc, x, y);
            }
        }
        for (struct stile__rule *b = cc->rules; b != NULL; b = b->next) {
            if (writes(a) != NULL && writes(b) != NULL &&
                where_writes(a->paths, b->paths)) {
                struct stile_diag *diag = stile__map_report(
                    cc, "M301", b->paths->span,
                    "a where() writes this element already; remove the line");
                if (diag != NULL) {
                    stile_diag_second(diag, cc->source, a->paths->span);
                }
            }
        }
    }
}

/* ---- one list, one way to its items ---- */

/* The canonical text of the list itself, before the item was chosen. */
static struct stile_str list_text(const struct stile__path *p, uint32_t item)
{
    uint32_t end = item > 0 ? p->steps[item - 1].canon_end : 0;
    return stile_str_sub(p->canon, 0, end);
}

static bool holds_all(const struct stile__step *a, const struct stile__step *b)
{
    for (uint32_t i = 0; i < a->match_count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < b->match_count; j++) {
            found = found || (stile_str_eq(a->matches[i].path.canon,
                                           b->matches[j].path.canon) &&
                              stile_str_eq(a->matches[i].literal,
                                           b->matches[j].literal));
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static void check_items(struct stile__cc *cc, const struct stile__path *p,
                        uint32_t i, const struct stile__path *q, uint32_t j)
{
    const struct stile__step *a = &p->steps[i], *b = &q->steps[j];
    struct stile_diag *diag = NULL;
    if (a->kind != b->kind) {
        diag = stile__map_report(cc, "M304", q->span,
                                 "another line reaches this list by %s, so "
                                 "both may find one item; use where() in both",
                                 a->kind == STEP_ITEM ? "index" : "where()");
    } else if (a->kind == STEP_SELECT && a->match_count != b->match_count &&
               holds_all(a->match_count < b->match_count ? a : b,
                         a->match_count < b->match_count ? b : a)) {
        diag = stile__map_report(cc, "M306", q->span,
                                 "this where() and another line's find the "
                                 "same item; add a literal that tells them "
                                 "apart");
    }
    if (diag != NULL) {
        stile_diag_second(diag, cc->source, p->span);
    }
}

static bool is_item(const struct stile__step *s)
{
    return s->kind == STEP_ITEM || s->kind == STEP_SELECT;
}

static void check_lists(struct stile__cc *cc)
{
    for (struct stile__rule *a = cc->rules; a != NULL; a = a->next) {
        for (struct stile__rule *b = a->next; b != NULL; b = b->next) {
            const struct stile__path *p = a->paths, *q = b->paths;
            if (p == NULL || q == NULL ||
                stile__guards_exclude(cc->source, a->guard, b->guard)) {
                continue;
            }
            for (uint32_t i = 0; i < p->count && i < q->count; i++) {
                if (!is_item(&p->steps[i]) || !is_item(&q->steps[i]) ||
                    !stile_str_eq(list_text(p, i), list_text(q, i))) {
                    continue;
                }
                check_items(cc, p, i, q, i);
            }
        }
    }
}

/* ---- mandatory elements ---- */

static bool begins(struct stile_str canon, struct stile_str at,
                   struct stile_str name)
{
    size_t dot = at.len > 0 ? 1 : 0;
    size_t end = at.len + dot + name.len;
    if (canon.len < end || !stile_str_starts(canon, at) ||
        (dot == 1 && canon.ptr[at.len] != '.') ||
        !stile_str_eq(stile_str_sub(canon, at.len + dot, name.len), name)) {
        return false;
    }
    return canon.len == end || canon.ptr[end] == '.' || canon.ptr[end] == '[' ||
           canon.ptr[end] == '(';
}

static bool negates(const struct stile_source *source,
                    const struct stile_lang_cond *no,
                    const struct stile_lang_cond *yes)
{
    return no->kind == STILE_LANG_NOT &&
           stile_str_eq(text_of(source, no->a), text_of(source, yes));
}

bool stile__guards_cover(const struct stile_source *source,
                         const struct stile__guard *a,
                         const struct stile__guard *b)
{
    const struct stile_lang_cond *x = a->stmt->cond, *y = b->stmt->cond;
    if (a->parent != b->parent) {
        return false;
    }
    if (negates(source, x, y) || negates(source, y, x)) {
        return true;
    }
    if (same_column(x, y) &&
        ((x->kind == STILE_LANG_NE && y->kind == STILE_LANG_EQ) ||
         (x->kind == STILE_LANG_EQ && y->kind == STILE_LANG_NE))) {
        return stile_str_eq(x->literals->text, y->literals->text);
    }
    return same_column(x, y) &&
           ((x->kind == STILE_LANG_PRESENT && y->kind == STILE_LANG_MISSING) ||
            (x->kind == STILE_LANG_MISSING && y->kind == STILE_LANG_PRESENT));
}

/* Written with no guard, or under two that cover all rows. */
bool stile__always_written(struct stile__cc *cc, struct stile_str name)
{
    for (struct stile__rule *a = cc->rules; a != NULL; a = a->next) {
        if (writes(a) == NULL ||
            !begins(a->paths->canon, STILE_STR_NULL, name)) {
            continue;
        }
        if (a->guard == NULL) {
            return true;
        }
        for (struct stile__rule *b = a->next; b != NULL; b = b->next) {
            if (writes(b) != NULL && b->guard != NULL &&
                begins(b->paths->canon, STILE_STR_NULL, name) &&
                a->guard->parent == NULL &&
                stile__guards_cover(cc->source, a->guard, b->guard)) {
                return true;
            }
        }
    }
    return false;
}

static void check_mandatory(struct stile__cc *cc)
{
    size_t count = stile_fhir_element_count(cc->mapping->type);
    for (size_t i = 0; i < count; i++) {
        const struct stile_fhir_element *e =
            stile_fhir_element_at(cc->mapping->type, i);
        if (e->min > 0 && !stile__always_written(cc, e->name)) {
            (void)stile__map_report(
                cc, "M501", cc->tree->type.span,
                "%.*s.%.*s is mandatory and not written for every row; add a "
                "line, or one for the rows that have none",
                STILE_FMT(cc->tree->type.text), STILE_FMT(e->name));
        }
    }
}

bool stile__written_inside(const struct stile__rule *rules, struct stile_str at,
                           struct stile_str name)
{
    for (const struct stile__rule *r = rules; r != NULL; r = r->next) {
        const struct stile__path *p = writes(r);
        if (p == NULL) {
            continue;
        }
        if (begins(p->canon, at, name)) {
            return true;
        }
        for (uint32_t i = 0; i < p->count; i++) {
            const struct stile__step *s = &p->steps[i];
            bool here =
                s->match_count > 0 &&
                stile_str_eq(stile_str_sub(p->canon, 0, s->canon_end), at);
            for (uint32_t m = 0; here && m < s->match_count; m++) {
                if (begins(s->matches[m].path.canon, STILE_STR_NULL, name)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Elements inside a written element: Patient.communication.language. */
static void check_inside(struct stile__cc *cc, const struct stile__path *p)
{
    for (uint32_t i = 0; i + 1 < p->count; i++) {
        const struct stile__step *s = &p->steps[i];
        bool whole = s->kind != STEP_MEMBER || !s->list;
        if (s->into == NULL || !whole ||
            stile_fhir_type_is_primitive(s->into)) {
            continue;
        }
        struct stile_str at = stile_str_sub(p->canon, 0, s->canon_end);
        for (size_t k = 0; k < stile_fhir_element_count(s->into); k++) {
            const struct stile_fhir_element *e =
                stile_fhir_element_at(s->into, k);
            if (e->min > 0 && !stile__written_inside(cc->rules, at, e->name)) {
                (void)stile__map_report(
                    cc, "M505", p->span,
                    "inside this, '%.*s' is mandatory and no line writes it",
                    STILE_FMT(e->name));
            }
        }
    }
}

/* Elements of a list's item that 'each' makes. */
static void check_item(struct stile__cc *cc, const struct stile__each *each)
{
    for (size_t k = 0; k < stile_fhir_element_count(each->item); k++) {
        const struct stile_fhir_element *e =
            stile_fhir_element_at(each->item, k);
        if (e->min > 0 &&
            !stile__written_inside(cc->rules, each->base, e->name)) {
            (void)stile__map_report(cc, "M505", each->list.span,
                                    "inside this, '%.*s' is mandatory and no "
                                    "line writes it",
                                    STILE_FMT(e->name));
        }
    }
}

void stile__check_writes(struct stile__cc *cc)
{
    check_guards(cc);
    check_writers(cc);
    check_lists(cc);
    if (cc->tree->broken || cc->incomplete) {
        return;
    }
    check_mandatory(cc);
    for (uint32_t i = 0; i < cc->variant->each_count; i++) {
        check_item(cc, cc->variant->eaches[i]);
    }
    for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (writes(r) != NULL) {
            check_inside(cc, r->paths);
        }
    }
    stile__check_profile(cc);
}
