/* Completeness, direction, law: what holds of a mapping as a whole. */
#include "map_private.h"

/* ---- every column accounted for ---- */

static bool carried(const struct stile__cc *cc, struct stile_str name)
{
    for (const struct stile_lang_stmt *s = cc->tree->body; s; s = s->next) {
        for (const struct stile_lang_column *c = s->columns;
             s->carried_by.text.len > 0 && c; c = c->next) {
            if (stile_str_eq(c->name.text, name)) {
                return true;
            }
        }
    }
    return false;
}

static void check_columns(struct stile__cc *cc)
{
    const struct stile_table *t = cc->variant->table;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct stile_column *c = &t->columns[i];
        bool used = cc->mapped[i] || cc->dropped[i];
        if (c->type == STILE_COL_EMPTY || used) {
            continue;
        }
        if (c->sensitive) {
            (void)stile__map_report(
                cc, "M503", cc->tree->table.span,
                "'%.*s' of %.*s %.*s marks confidentiality, consent or "
                "deletion and is not used; map it, or drop it and say why",
                STILE_FMT(c->name), STILE_FMT(t->name), STILE_FMT(t->version));
        } else if (!cc->accounted[i]) {
            (void)stile__map_report(
                cc, "M502", cc->tree->table.span,
                "'%.*s' of %.*s %.*s is not mapped; map it, keep it as "
                "residue, or drop it and say why",
                STILE_FMT(c->name), STILE_FMT(t->name), STILE_FMT(t->version));
        }
    }
}

/* Columns said to be carried by another mapping: is it of this table? */
static void check_carried(struct stile__cc *cc)
{
    for (const struct stile_lang_stmt *s = cc->tree->body; s; s = s->next) {
        const struct stile_mapping *m =
            s->carried_by.text.len > 0
                ? stile__mapset_find(cc->set, s->carried_by.text)
                : NULL;
        if (m == NULL) {
            continue;
        }
        for (const struct stile_lang_column *c = s->columns; c; c = c->next) {
            struct stile__cc other = {.tree = m->tree};
            bool same_table =
                stile_str_eq(m->tree->table.text, cc->tree->table.text);
            if (!same_table || m == cc->mapping ||
                carried(&other, c->name.text)) {
                (void)stile__map_report(
                    cc, "M504", c->span,
                    "'%.*s' does not carry this column of %.*s",
                    STILE_FMT(s->carried_by.text),
                    STILE_FMT(cc->tree->table.text));
            }
        }
    }
}

/* ---- guards read from the right ---- */

static bool inside(const struct stile__guard *g, const struct stile__guard *of)
{
    for (; g != NULL; g = g->parent) {
        if (g == of) {
            return true;
        }
    }
    return false;
}

static bool same_constant(const struct stile__rule *a,
                          const struct stile__rule *b)
{
    return a->stmt->kind == STILE_LANG_CONSTANT &&
           b->stmt->kind == STILE_LANG_CONSTANT &&
           b->stmt->cases->cond == NULL &&
           !stile_str_eq(a->stmt->cases->literal->text,
                         b->stmt->cases->literal->text);
}

/* No line outside the block writes the path (or, for a constant, the path
 * with this literal). */
static bool only_here(const struct stile__cc *cc,
                      const struct stile__rule *rule,
                      const struct stile__guard *guard)
{
    for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (r != rule && r->paths != NULL && r->rightward &&
            !inside(r->guard, guard) &&
            stile_str_eq(r->paths->canon, rule->paths->canon) &&
            !same_constant(rule, r)) {
            return false;
        }
    }
    return true;
}

struct equality_search {
    const struct stile__cc *cc;
    bool due;
};

/* Is there an equality that only this block can restore? */
static void search_equality(void *ctx, const struct stile_lang_cond *leaf)
{
    struct equality_search *s = ctx;
    uint32_t ordinal =
        stile_table_column(s->cc->variant->table, leaf->column->name.text);
    for (struct stile__rule *r = s->cc->rules; r != NULL; r = r->next) {
        bool writes = r->leftward && r->guard == NULL;
        for (uint32_t i = 0; writes && i < r->column_count; i++) {
            if (r->columns[i].alias == 0 && r->columns[i].ordinal == ordinal) {
                return;
            }
        }
    }
    s->due = true;
}

static bool plain_constant(const struct stile__rule *r)
{
    return r->stmt->kind == STILE_LANG_CONSTANT &&
           r->stmt->cases->cond == NULL &&
           r->stmt->mark == STILE_LANG_MARK_NONE;
}

static void fix_column(void *ctx, const struct stile_lang_cond *leaf)
{
    struct stile__cc *cc = ctx;
    uint32_t ordinal =
        stile_table_column(cc->variant->table, leaf->column->name.text);
    if (ordinal != UINT32_MAX) {
        cc->mapped[ordinal] = true;
        cc->variant->left_written[ordinal] = true;
    }
}

static void check_guard(struct stile__cc *cc, struct stile__guard *g)
{
    struct equality_search search = {cc, false};
    bool shared = false, undoes = false;
    struct stile__rule *constant = NULL, *presence = NULL;
    stile__equalities(g->stmt->cond, search_equality, &search);
    for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (!inside(r->guard, g)) {
            continue;
        }
        undoes = undoes || r->leftward || plain_constant(r);
        if (r->paths == NULL) {
            shared = shared || r->leftward;
            continue;
        }
        bool alone = only_here(cc, r, g);
        shared = shared || (r->leftward && !alone);
        if (alone && r->guard == g && plain_constant(r) && !constant) {
            constant = r;
        }
        if (alone && r->guard == g && r->leftward && !presence) {
            presence = r;
        }
    }
    /* Derived lines alone leave nothing to undo. */
    g->test = constant != NULL ? constant : presence;
    g->needs_reverse = undoes && (shared || search.due);
    if (!g->needs_reverse) {
        return;
    }
    if (g->iff == NULL && g->test == NULL) {
        (void)stile__map_report(
            cc, "M601", g->stmt->cond->span,
            "leftward nothing tells whether this block was written; add 'iff' "
            "and a condition on the resource");
    }
    stile__equalities(g->stmt->cond, fix_column, cc);
}

/* ---- delete ---- */

static bool key_column(const struct stile__cc *cc, uint32_t ordinal)
{
    for (uint32_t i = 0; i < cc->variant->key_count; i++) {
        if (cc->variant->keys[i] == ordinal) {
            return true;
        }
    }
    for (size_t i = 0; i < cc->variant->table->key_count; i++) {
        if (cc->variant->table->keys[i] == ordinal) {
            return true;
        }
    }
    return false;
}

static void delete_cond(struct stile__cc *cc,
                        const struct stile_lang_cond *cond)
{
    struct stile__column column;
    if (cond->a != NULL) {
        delete_cond(cc, cond->a);
        if (cond->b != NULL) {
            delete_cond(cc, cond->b);
        }
        return;
    }
    if (!stile__resolve_column(cc, cond->column, &column)) {
        return;
    }
    bool ok = column.alias == 0 &&
              (column.column->sensitive || key_column(cc, column.ordinal));
    if (!ok) {
        (void)stile__map_report(cc, "M606", cond->column->span,
                                "a deleted row carries its key and the "
                                "deletion marker only");
    } else {
        cc->mapped[column.ordinal] = true;
    }
}

static void check_delete(struct stile__cc *cc)
{
    bool has_id = false;
    if (cc->tree->deletes == NULL) {
        return;
    }
    for (const struct stile_lang_take *t = cc->tree->deletes; t; t = t->next) {
        delete_cond(cc, t->cond);
    }
    for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (r->paths == NULL || !r->rightward || r->use == NULL ||
            !stile_str_eqc(r->paths->canon, "id")) {
            continue;
        }
        has_id = true;
        for (uint32_t i = 0; i < r->column_count; i++) {
            if (r->columns[i].alias != 0 ||
                !key_column(cc, r->columns[i].ordinal)) {
                (void)stile__map_report(cc, "M606", r->columns[i].span,
                                        "the id of a deleted row must come "
                                        "from key columns");
            }
        }
    }
    if (!has_id && !cc->tree->broken) {
        (void)stile__map_report(cc, "M606", cc->tree->deletes->span,
                                "a mapping that deletes must write 'id'");
    }
}

/* ---- law ---- */

static const char *const law_names[] = {"iso", "canon", "view", "one-way"};

const char *stile_mapping_class(const struct stile_mapping *mapping)
{
    return law_names[mapping->law];
}

const char *stile__law_name(enum stile__law law)
{
    return law_names[law];
}

static void raise_law(struct stile_mapping *m, enum stile__law law)
{
    m->law = law > m->law ? law : m->law;
}

enum stile__law stile__rule_law(const struct stile__rule *r)
{
    if (r->stmt->kind == STILE_LANG_CONSTANT || r->use == NULL) {
        return LAW_ISO;
    }
    if (!r->leftward) {
        return r->stmt->mark == STILE_LANG_DERIVED ? LAW_ISO : LAW_VIEW;
    }
    enum stile__law law = r->use->ref_id != NULL ? r->use->ref_id->codec->law
                                                 : r->use->codec->law;
    bool merged = r->use->table != NULL && r->use->table->merges;
    if (law == LAW_ISO &&
        (merged || r->stmt->fallback != NULL || r->use->blank_count > 0)) {
        law = LAW_CANON;
    }
    return law;
}

/* Does the block hold whenever the column is filled? */
static bool own_test(const struct stile_lang_cond *cond, struct stile_str name)
{
    if (cond->kind == STILE_LANG_OR) {
        return own_test(cond->a, name) || own_test(cond->b, name);
    }
    return cond->kind == STILE_LANG_PRESENT &&
           cond->column->alias.text.len == 0 &&
           stile_str_eq_nocase(cond->column->name.text, name);
}

/* Does the block, once its reverse is decided, give the column's value? */
static bool fixes(const struct stile_lang_cond *cond, struct stile_str name)
{
    if (cond->kind == STILE_LANG_AND) {
        return fixes(cond->a, name) || fixes(cond->b, name);
    }
    return cond->kind == STILE_LANG_EQ && cond->column->alias.text.len == 0 &&
           stile_str_eq_nocase(cond->column->name.text, name);
}

/* Has the block, or the mapping (NULL), a line both ways for the column itself,
 * or in blocks of which one holds for any row that fills it? */
static bool kept_in(const struct stile__cc *cc, uint32_t column,
                    const struct stile__guard *in)
{
    for (const struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        for (uint32_t i = 0; i < r->column_count; i++) {
            if (r->guard == in && r->leftward && r->rightward &&
                r->columns[i].alias == 0 && r->columns[i].ordinal == column) {
                return true;
            }
        }
    }
    struct stile_str name = cc->variant->table->columns[column].name;
    if (in != NULL && in->needs_reverse && fixes(in->stmt->cond, name)) {
        return true;
    }
    for (const struct stile__guard *g = cc->guards; g != NULL; g = g->next) {
        if (g->parent != in || !kept_in(cc, column, g)) {
            continue;
        }
        bool whole = own_test(g->stmt->cond, name);
        for (const struct stile__guard *h = g->next; h && !whole; h = h->next) {
            whole =
                stile__guards_cover(cc->source, g, h) && kept_in(cc, column, h);
        }
        if (whole) {
            return true;
        }
    }
    return false;
}

/* A column that goes both ways for some rows only is lost for the others,
 * unless where or take fix it. */
static void law_of_guards(struct stile__cc *cc, const bool *fixed)
{
    for (const struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        for (uint32_t i = 0; i < r->column_count; i++) {
            const struct stile__column *c = &r->columns[i];
            if (r->guard != NULL && r->leftward && r->rightward &&
                c->alias == 0 && !fixed[c->ordinal] &&
                !kept_in(cc, c->ordinal, NULL)) {
                raise_law(cc->mapping, LAW_VIEW);
            }
        }
    }
}

static void infer_law(struct stile__cc *cc)
{
    bool any = false;
    bool *left = cc->variant->left_written;
    for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        raise_law(cc->mapping, stile__rule_law(r));
        any = any || r->leftward;
        for (uint32_t i = 0; r->leftward && i < r->column_count; i++) {
            if (r->columns[i].alias == 0) {
                left[r->columns[i].ordinal] = true;
            }
        }
    }
    for (uint32_t i = 0; i < cc->variant->table->count; i++) {
        if (cc->accounted[i]) {
            raise_law(cc->mapping, LAW_VIEW);
        }
    }
    bool keyed = any;
    for (uint32_t i = 0; i < cc->variant->key_count; i++) {
        keyed = keyed && left[cc->variant->keys[i]];
    }
    cc->mapping->goes_left = keyed;
    if (!keyed) {
        raise_law(cc->mapping, LAW_ONE_WAY);
    }
}

static void check_law(struct stile__cc *cc)
{
    const struct stile_lang_word *pin = &cc->tree->law;
    if (pin->text.len == 0) {
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        if (!stile_str_eqc(pin->text, law_names[i])) {
            continue;
        }
        if (cc->mapping->law > i) {
            (void)stile__map_report(cc, "M704", pin->span,
                                    "the mapping's class is %s, weaker than "
                                    "pinned here",
                                    law_names[cc->mapping->law]);
        }
        return;
    }
    (void)stile__map_report(cc, "M704", pin->span,
                            "the classes are iso, canon, view and one-way");
}

/* Equalities of where and take fix a column: it can be written back. */
static void fixed_left(void *ctx, const struct stile_lang_cond *leaf)
{
    struct stile__cc *cc = ctx;
    uint32_t ordinal =
        stile_table_column(cc->variant->table, leaf->column->name.text);
    if (ordinal != UINT32_MAX) {
        cc->variant->left_written[ordinal] = true;
    }
}

void stile__check(struct stile__cc *cc)
{
    cc->variant->left_written =
        stile_arena_array(cc->arena, cc->variant->table->count, sizeof(bool));
    if (cc->variant->left_written == NULL) {
        return;
    }
    if (cc->tree->where != NULL) {
        stile__equalities(cc->tree->where->cond, fixed_left, cc);
    }
    for (const struct stile_lang_take *t = cc->tree->takes; t; t = t->next) {
        stile__equalities(t->cond, fixed_left, cc);
    }
    bool *fixed =
        stile_arena_array(cc->arena, cc->variant->table->count, sizeof(bool));
    if (fixed == NULL) {
        return;
    }
    memcpy(fixed, cc->variant->left_written,
           cc->variant->table->count * sizeof(bool));
    stile__check_writes(cc);
    stile__check_each(cc);
    check_delete(cc);
    for (struct stile__guard *g = cc->guards; g != NULL; g = g->next) {
        check_guard(cc, g);
    }
    law_of_guards(cc, fixed);
    infer_law(cc);
    if (!cc->tree->broken) {
        check_columns(cc);
        check_carried(cc);
        check_law(cc);
    }
}
