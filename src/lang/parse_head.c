/* The lines that say what a mapping is between. */
#include "parse.h"

#define NEW(p, type) ((type *)stile_arena_alloc((p)->arena, sizeof(type)))

static bool left_line(struct stile__parser *p, struct stile_lang_mapping *m)
{
    struct stile_span at = p->cur.span;
    if (m->table.text.ptr != NULL) {
        return stile__parse_report(
            p, "M007", at, "a second 'left' line; a mapping has one", "");
    }
    stile__parse_next(p);
    if (!stile__parse_skip_word(p, "csv")) {
        return stile__parse_fail(p, "'csv'");
    }
    if (!stile__parse_word(p, "a table's name", &m->table)) {
        return false;
    }
    if (!stile__parse_skip_word(p, "of")) {
        return stile__parse_fail(p, "'of' and the family");
    }
    if (!stile__parse_word(p, "a family's name", &m->family) ||
        !stile__parse_versions(p, &m->from, &m->to)) {
        return false;
    }
    for (;;) {
        if (stile__parse_skip_word(p, "key")) {
            m->keys = stile__parse_columns(p);
            if (m->keys == NULL) {
                return false;
            }
        } else if (stile__parse_is(p, "where") && m->where == NULL) {
            m->where = NEW(p, struct stile_lang_take);
            stile__parse_next(p);
            if (m->where == NULL) {
                return false;
            }
            m->where->cond = stile__parse_cond(p, false);
            if (m->where->cond == NULL) {
                return false;
            }
            m->where->span = m->where->cond->span;
        } else if (m->groups == NULL && stile__parse_skip_word(p, "group")) {
            if (!stile__parse_skip_word(p, "by")) {
                return stile__parse_fail(p, "'by' and the columns");
            }
            m->groups = stile__parse_columns(p);
            if (m->groups == NULL) {
                return false;
            }
        } else {
            return true;
        }
    }
}

static bool right_line(struct stile__parser *p, struct stile_lang_mapping *m)
{
    if (m->type.text.ptr != NULL) {
        return stile__parse_report(p, "M007", p->cur.span,
                                   "a second 'right' line; a mapping has one",
                                   "");
    }
    stile__parse_next(p);
    if (!stile__parse_skip_word(p, "fhir")) {
        return stile__parse_fail(p, "'fhir'");
    }
    if (!stile__parse_word(p, "a FHIR resource type", &m->type)) {
        return false;
    }
    if (!stile__parse_skip_word(p, "of")) {
        return true;
    }
    if (p->cur.kind == TOK_TEXT) {
        return stile__parse_text(p, "a profile", &m->profile);
    }
    return stile__parse_word(p, "a profile's name", &m->profile);
}

static bool one_lookup(struct stile__parser *p, struct stile_lang_lookup *l)
{
    struct stile_span from = p->cur.span;
    struct stile_lang_column *by = NULL;
    if (!stile__parse_word(p, "a short name for the other row", &l->alias) ||
        !stile__parse_want(p, TOK_EQ, "'='") ||
        !stile__parse_word(p, "a table's name", &l->table)) {
        return false;
    }
    if (!stile__parse_skip_word(p, "by")) {
        return stile__parse_fail(p, "'by' and the column");
    }
    by = stile__parse_column(p);
    if (by == NULL) {
        return false;
    }
    l->column = by->name;
    l->key = by->alias.text.len > 0 ? by : NULL;
    if (p->cur.kind == TOK_EQ) {
        stile__parse_next(p);
        l->key = stile__parse_column(p);
        if (l->key == NULL) {
            return false;
        }
    }
    l->span = stile__parse_span(p, from);
    return true;
}

static bool lookup_policy(struct stile__parser *p, struct stile_lang_lookup *l)
{
    if (stile__parse_skip_word(p, "else") &&
        !stile__parse_policy(p, &l->policy)) {
        return false;
    }
    l->span = stile__parse_span(p, l->span);
    return true;
}

static bool each_key(struct stile__parser *p, struct stile_lang_stmt *s)
{
    if (!stile__parse_skip_word(p, "by")) {
        return stile__parse_fail(p, "'by' and the key");
    }
    if (s->child == NULL) {
        s->by = stile__parse_path(p);
        return s->by != NULL;
    }
    if (!stile__parse_skip_word(p, "key")) {
        return stile__parse_fail(p, "'key'");
    }
    if (!stile__parse_want(p, TOK_COLON, "': ref' and the type")) {
        return false;
    }
    s->codec = stile__parse_codec(p);
    return s->codec != NULL;
}

bool stile__parse_each(struct stile__parser *p, struct stile_lang_stmt *s)
{
    stile__parse_next(p);
    if (stile__parse_peek(p).kind == TOK_EQ) {
        s->child = NEW(p, struct stile_lang_lookup);
        if (s->child == NULL || !one_lookup(p, s->child)) {
            return false;
        }
    } else if (!stile__parse_skip_word(p, "row")) {
        return stile__parse_fail(p, "'row', or a short name, '=' and a table");
    }
    s->arrow_span = p->cur.span;
    if (!stile__parse_want(p, TOK_BOTH, "<->")) {
        return false;
    }
    s->paths = stile__parse_path(p);
    return s->paths != NULL && each_key(p, s);
}

static bool lookup_line(struct stile__parser *p, struct stile_lang_mapping *m)
{
    bool join = stile__parse_is(p, "join");
    struct stile_lang_lookup **tail = &m->lookups;
    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    stile__parse_next(p);
    do {
        struct stile_lang_lookup *l = NEW(p, struct stile_lang_lookup);
        if (l == NULL || !one_lookup(p, l) || !lookup_policy(p, l)) {
            return false;
        }
        l->join = join;
        *tail = l;
        tail = &l->next;
    } while (stile__parse_skip(p, TOK_COMMA));
    return true;
}

static bool take_line(struct stile__parser *p, struct stile_lang_take **list,
                      bool iff_allowed)
{
    struct stile_lang_take *t = NEW(p, struct stile_lang_take);
    struct stile_span from = p->cur.span;
    stile__parse_next(p);
    if (t == NULL) {
        return false;
    }
    if (stile__parse_skip_word(p, "when")) {
        t->cond = stile__parse_cond(p, false);
        if (t->cond == NULL) {
            return false;
        }
    }
    if (iff_allowed && stile__parse_skip_word(p, "iff")) {
        t->iff = stile__parse_cond(p, true);
        if (t->iff == NULL) {
            return false;
        }
    }
    if (t->cond == NULL && t->iff == NULL) {
        return stile__parse_fail(p, "'when' and a condition");
    }
    t->span = stile__parse_span(p, from);
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = t;
    return true;
}

static bool let_line(struct stile__parser *p, struct stile_lang_mapping *m)
{
    struct stile_lang_let *let = NEW(p, struct stile_lang_let);
    struct stile_lang_let **tail = &m->lets;
    stile__parse_next(p);
    if (let == NULL || !stile__parse_word(p, "a short name", &let->name) ||
        !stile__parse_want(p, TOK_EQ, "'='")) {
        return false;
    }
    let->path = stile__parse_path(p);
    if (let->path == NULL) {
        return false;
    }
    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    *tail = let;
    return true;
}

static bool law_line(struct stile__parser *p, struct stile_lang_mapping *m)
{
    stile__parse_next(p);
    if (!stile__parse_skip_word(p, "class")) {
        return stile__parse_fail(p, "'class'");
    }
    return stile__parse_word(p, "iso, canon, view or one-way", &m->law);
}

bool stile__parse_name(struct stile__parser *p, struct stile_lang_mapping *m)
{
    int64_t n = 0;
    stile__parse_next(p);
    if (!stile__parse_word(p, "the mapping's name", &m->name)) {
        return false;
    }
    if (p->cur.kind != TOK_NUMBER || !stile_str_to_int64(p->cur.text, &n) ||
        n < 1 || n > INT32_MAX) {
        return stile__parse_fail(p, "the mapping's number, from 1");
    }
    m->number = (uint32_t)n;
    stile__parse_next(p);
    return true;
}

static bool at_reject(const struct stile__parser *p)
{
    return stile__parse_at(p, "reject") &&
           stile__parse_peek(p).kind == TOK_TEXT;
}

/* False when the line is no header line; *ret says how it went. */
bool stile__parse_header(struct stile__parser *p, struct stile_lang_mapping *m)
{
    if (stile__parse_at(p, "left")) {
        (void)left_line(p, m);
    } else if (stile__parse_at(p, "right")) {
        (void)right_line(p, m);
    } else if (stile__parse_at(p, "lookup") || stile__parse_at(p, "join")) {
        (void)lookup_line(p, m);
    } else if (stile__parse_at(p, "take")) {
        (void)take_line(p, &m->takes, true);
    } else if (stile__parse_at(p, "delete")) {
        (void)take_line(p, &m->deletes, false);
    } else if (stile__parse_at(p, "let")) {
        (void)let_line(p, m);
    } else if (stile__parse_at(p, "key") && m->keys == NULL) {
        stile__parse_next(p);
        m->keys = stile__parse_columns(p);
    } else if (stile__parse_at(p, "expect")) {
        (void)law_line(p, m);
    } else if (stile__parse_at(p, "example")) {
        (void)stile__parse_example(p, m, false);
    } else if (at_reject(p)) {
        (void)stile__parse_example(p, m, true);
    } else {
        return false;
    }
    return true;
}
