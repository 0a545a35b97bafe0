/* Rightward lines gathered by the element they write, and their conditions. */
#include "structure.h"

/* ---- the tree ---- */

static struct stile__target *child_of(struct stile__target *parent,
                                      struct stile_str key,
                                      const struct stile__step *step,
                                      struct stile_arena *arena)
{
    for (struct stile__target *t = parent->children; t != NULL; t = t->next) {
        if (stile_str_eq(t->key, key)) {
            return t;
        }
    }
    struct stile__target *t = stile_arena_alloc(arena, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    *t = (struct stile__target){.key = key, .step = step};
    t->leaves_tail = &t->leaves;
    t->children_tail = &t->children;
    *parent->children_tail = t;
    parent->children_tail = &t->next;
    return t;
}

static void add_leaf(struct stile__target *at, const struct stile__rule *rule,
                     const struct stile__match *match,
                     const struct stile__step *step, struct stile_arena *arena)
{
    for (struct stile__target_leaf *l = at->leaves; match && l; l = l->next) {
        if (l->match != NULL && stile_str_eq(l->step->name, step->name)) {
            return; /* another line's where() says it already */
        }
    }
    struct stile__target_leaf *leaf = stile_arena_alloc(arena, sizeof *leaf);
    if (leaf != NULL) {
        *leaf = (struct stile__target_leaf){rule, match, step, NULL};
        *at->leaves_tail = leaf;
        at->leaves_tail = &leaf->next;
    }
}

/* `from`: where the path's own canonical text begins. */
static void add_path(struct stile__target *at, const struct stile__path *path,
                     size_t from, const struct stile__rule *rule,
                     const struct stile__match *match,
                     struct stile_arena *arena)
{
    for (uint32_t i = 0; at != NULL && i < path->count; i++) {
        const struct stile__step *member = &path->steps[i];
        const struct stile__step *item = NULL;
        if (i + 1 < path->count && path->steps[i + 1].kind != STEP_MEMBER) {
            item = &path->steps[++i];
        }
        size_t end = path->steps[i].canon_end;
        if (i + 1 == path->count) {
            add_leaf(at, rule, match, member, arena);
            return;
        }
        at = child_of(at, stile_str_sub(path->canon, from, end - from), member,
                      arena);
        from = end + 1;
        for (uint32_t m = 0; at && item && m < item->match_count; m++) {
            add_path(at, &item->matches[m].path, 0, rule, &item->matches[m],
                     arena);
        }
    }
}

/* The list's place, and under it what is written of each row. */
static void add_each(struct stile__target *at, const struct stile__variant *v,
                     const struct stile__each *each, struct stile_arena *arena)
{
    const struct stile__path *list = &each->list;
    size_t from = 0;
    for (uint32_t i = 0; at != NULL && i < list->count; i++) {
        size_t end = list->steps[i].canon_end;
        if (i + 1 < list->count && list->steps[i + 1].kind != STEP_MEMBER) {
            end = list->steps[i + 1].canon_end;
            at = child_of(at, stile_str_sub(list->canon, from, end - from),
                          &list->steps[i++], arena);
        } else {
            at = child_of(at, stile_str_sub(list->canon, from, end - from),
                          &list->steps[i], arena);
        }
        from = end + 1;
    }
    if (at == NULL) {
        return;
    }
    at->each = each;
    for (const struct stile__rule *r = v->rules; r != NULL; r = r->next) {
        if (r->each == each && r->rightward && r->paths != NULL) {
            add_path(at, r->paths, each->base.len + 1, r, NULL, arena);
        }
    }
}

struct stile__target *stile__target_tree(const struct stile__variant *variant,
                                         struct stile_arena *arena)
{
    struct stile__target *root = stile_arena_alloc(arena, sizeof *root);
    if (root == NULL) {
        return NULL;
    }
    root->leaves_tail = &root->leaves;
    root->children_tail = &root->children;
    for (const struct stile__rule *r = variant->rules; r != NULL; r = r->next) {
        if (r->rightward && r->paths != NULL && r->each == NULL &&
            r->stmt->kind != STILE_LANG_EACH) {
            add_path(root, r->paths, 0, r, NULL, arena);
        }
    }
    for (uint32_t i = 0; i < variant->each_count; i++) {
        add_each(root, variant, variant->eaches[i], arena);
    }
    return stile_arena_failed(arena) ? NULL : root;
}

/* ---- conditions ---- */

struct words {
    const struct stile__variant *variant;
    struct stile_arena *arena;
    struct stile_buf *out;
};

void stile__fhirpath_name(struct stile_buf *out, struct stile_str name)
{
    bool plain = name.len > 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          c == '_' || (i > 0 && c >= '0' && c <= '9'));
    }
    stile_buf_printf(out, plain ? "%.*s" : "`%.*s`", STILE_FMT(name));
}

struct stile_str stile__alias_name(struct stile_str alias,
                                   struct stile_arena *arena)
{
    char *bytes = stile_arena_alloc(arena, alias.len + 1);
    size_t n = 0;
    for (size_t i = 0; bytes != NULL && i < alias.len; i++) {
        if (alias.ptr[i] != '_') {
            bytes[n++] = alias.ptr[i];
        }
    }
    return (struct stile_str){bytes, n};
}

static void literal(struct stile_buf *out, struct stile_str text)
{
    stile_buf_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        stile_buf_addc(out, c == '\'' || c == '\\' ? "\\" : "");
        stile_buf_byte(out, c);
    }
    stile_buf_byte(out, '\'');
}

static void column(const struct words *w, struct stile_str alias,
                   struct stile_str name)
{
    if (alias.len > 0) {
        stile_buf_printf(w->out, "%%%.*s.",
                         STILE_FMT(stile__alias_name(alias, w->arena)));
    }
    stile__fhirpath_name(w->out, name);
}

/* `$this` is one of the literals. */
static void any_equal(struct stile_buf *out,
                      const struct stile_lang_literal *literals)
{
    for (const struct stile_lang_literal *l = literals; l; l = l->next) {
        stile_buf_addc(out, l != literals ? " or " : "");
        if (l->kind == STILE_LANG_TRUE || l->kind == STILE_LANG_FALSE) {
            stile_buf_printf(out, "$this.toBoolean() = %s",
                             l->kind == STILE_LANG_TRUE ? "true" : "false");
        } else {
            stile_buf_addc(out, "$this = ");
            literal(out, l->text);
        }
    }
}

/* `$this` is one of the table's left values. */
static void in_table(const struct words *w, const struct stile_lang_cond *c)
{
    const struct stile__code_table *t =
        stile__mapset_table(w->variant->mapping->set, c->table.text);
    bool first = true;
    stile_buf_addc(w->out, "$this in (");
    for (uint32_t i = 0; t != NULL && i < t->count; i++) {
        if (!t->rows[i].no_right) {
            stile_buf_addc(w->out, first ? "" : " | ");
            literal(w->out, t->rows[i].left);
            first = false;
        }
    }
    stile_buf_addc(w->out, first ? "{})" : ")");
}

/* A test on an absent cell is false, and its opposite true: where() and
 * exists() say so in FHIRPath, where comparing with nothing gives nothing. */
static void test(const struct words *w, const struct stile_lang_cond *c)
{
    struct stile_buf *out = w->out;
    column(w, c->column->alias.text, c->column->name.text);
    stile_buf_addc(out, ".where(");
    if (c->kind == STILE_LANG_IN_RANGE) {
        stile_buf_printf(out,
                         "$this.toInteger() >= %lld and $this.toInteger() <= "
                         "%lld",
                         (long long)c->lo, (long long)c->hi);
    } else if (c->kind == STILE_LANG_IN_TABLE) {
        in_table(w, c);
    } else {
        any_equal(out, c->literals);
    }
    stile_buf_addc(out, ").exists()");
}

static void words_of(const struct words *w, const struct stile_lang_cond *c)
{
    struct stile_buf *out = w->out;
    switch (c->kind) {
    case STILE_LANG_AND:
    case STILE_LANG_OR:
        stile_buf_byte(out, '(');
        words_of(w, c->a);
        stile_buf_addc(out, c->kind == STILE_LANG_AND ? " and " : " or ");
        words_of(w, c->b);
        stile_buf_byte(out, ')');
        break;
    case STILE_LANG_NOT:
        stile_buf_byte(out, '(');
        words_of(w, c->a);
        stile_buf_addc(out, ").not()");
        break;
    case STILE_LANG_PRESENT:
    case STILE_LANG_MISSING:
        column(w, c->column->alias.text, c->column->name.text);
        stile_buf_addc(out, c->kind == STILE_LANG_PRESENT ? ".exists()"
                                                          : ".empty()");
        break;
    case STILE_LANG_EQ:
    case STILE_LANG_IN_LIST:
    case STILE_LANG_IN_RANGE:
    case STILE_LANG_IN_TABLE:
        test(w, c);
        break;
    case STILE_LANG_NE:
        test(w, c);
        stile_buf_addc(out, ".not()");
        break;
    case STILE_LANG_ASK: /* right conditions alone have it */
        break;
    }
}

struct stile_str stile__condition(const struct stile__variant *variant,
                                  const struct stile_lang_cond *cond,
                                  struct stile_arena *arena)
{
    struct stile_buf out;
    struct words w = {variant, arena, &out};
    stile_buf_init(&out, 1 << 20);
    words_of(&w, cond);
    struct stile_str text = stile_arena_str(arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return text;
}

struct stile_str stile__conjunction(struct stile_str a, struct stile_str b,
                                    struct stile_arena *arena)
{
    if (a.len == 0 || b.len == 0 || stile_str_eq(a, b)) {
        return a.len > 0 ? a : b;
    }
    return stile_arena_printf(arena, "%.*s and %.*s", STILE_FMT(a),
                              STILE_FMT(b));
}

struct stile_str stile__guard_condition(const struct stile__variant *variant,
                                        const struct stile__guard *guard,
                                        struct stile_arena *arena)
{
    struct stile_str text = STILE_STR_NULL;
    for (; guard != NULL; guard = guard->parent) {
        text = stile__conjunction(
            stile__condition(variant, guard->stmt->cond, arena), text, arena);
    }
    return text;
}

/* ---- when an element is written ---- */

/* A table that holds more is not listed in a condition. */
#define LISTED_ROWS 100u

/* A code of which the table says nothing, or that it is absent, writes
 * nothing; true when the codes that write something were listed. */
static bool listed_codes(const struct words *w, const struct stile__rule *r)
{
    const struct stile__code_table *t = r->use != NULL ? r->use->table : NULL;
    bool first = true;
    if (t == NULL || t->count > LISTED_ROWS || r->column_count != 1) {
        return false;
    }
    const struct stile__column *c = &r->columns[0];
    column(w,
           c->alias > 0 ? w->variant->aliases[c->alias].name : STILE_STR_NULL,
           c->column->name);
    stile_buf_addc(w->out, ".where($this");
    stile_buf_addc(w->out,
                   r->use->boolean_cells ? ".toBoolean() in (" : " in (");
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->rows[i].no_right || t->rows[i].right_absent) {
            continue;
        }
        stile_buf_addc(w->out, first ? "" : " | ");
        first = false;
        if (r->use->boolean_cells) {
            stile_buf_add(w->out, t->rows[i].left);
        } else {
            literal(w->out, t->rows[i].left);
        }
    }
    stile_buf_addc(w->out, first ? "{})).exists()" : ")).exists()");
    return true;
}

/* Its columns are filled, under its guards. Empty: always. */
static struct stile_str leaf_presence(const struct stile__variant *v,
                                      const struct stile__rule *r,
                                      struct stile_arena *arena)
{
    struct stile_str guard = stile__guard_condition(v, r->guard, arena);
    struct stile_buf out;
    struct words w = {v, arena, &out};
    if (r->stmt->kind == STILE_LANG_CONSTANT || r->stmt->fallback != NULL) {
        return guard;
    }
    stile_buf_init(&out, 1 << 20);
    bool listed = listed_codes(&w, r);
    stile_buf_addc(&out, r->column_count > 1 ? "(" : "");
    for (uint32_t i = 0; i < r->column_count && !listed; i++) {
        const struct stile__column *c = &r->columns[i];
        stile_buf_addc(&out, i > 0 ? " or " : "");
        column(&w, c->alias > 0 ? v->aliases[c->alias].name : STILE_STR_NULL,
               c->column->name);
        stile_buf_addc(&out, ".exists()");
    }
    stile_buf_addc(&out, r->column_count > 1 ? ")" : "");
    struct stile_str filled = stile_arena_str(arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return stile__conjunction(guard, filled, arena);
}

/* Adds "or (…)"; false: it is always written. */
static bool gather(const struct stile__variant *v,
                   const struct stile__target *t, struct stile_arena *arena,
                   struct stile_buf *out)
{
    for (const struct stile__target_leaf *l = t->leaves; l; l = l->next) {
        if (l->match != NULL) {
            continue;
        }
        struct stile_str one = leaf_presence(v, l->rule, arena);
        if (one.len == 0) {
            return false;
        }
        one = stile_arena_printf(arena, "(%.*s)", STILE_FMT(one));
        if (stile_str_find_str(stile_buf_str(out), one) == SIZE_MAX) {
            stile_buf_addc(out, out->len > 0 ? " or " : "");
            stile_buf_add(out, one);
        }
    }
    for (const struct stile__target *c = t->children; c; c = c->next) {
        if (c->each != NULL || !gather(v, c, arena, out)) {
            return false;
        }
    }
    return true;
}

struct stile_str stile__presence(const struct stile__variant *variant,
                                 const struct stile__target *target,
                                 struct stile_arena *arena)
{
    struct stile_buf out;
    struct stile_str text = STILE_STR_NULL;
    stile_buf_init(&out, 1 << 20);
    if (gather(variant, target, arena, &out)) {
        text = stile_arena_str(arena, stile_buf_str(&out));
    }
    /* One alone needs no brackets. */
    if (text.len > 2 &&
        stile_str_find_str(text, STILE_STR(") or (")) == SIZE_MAX) {
        text = stile_str_sub(text, 1, text.len - 2);
    }
    stile_buf_release(&out);
    return text;
}
