/*
 * The checked tree of a set as JSON, for editors: what each line says, where,
 * and what its names turned out to be. Its form is mappings/schema/tree.json.
 */
#include "map_private.h"

struct writer {
    const struct stile_mapset *set;
    const struct stile_mapping *mapping;
    const struct stile_source *source;
    struct stile_buf *out;
};

/* ---- JSON ---- */

/* A comma, unless an object or array was just opened, or nothing written. */
static void comma(struct stile_buf *out)
{
    char last = out->len > 0 ? out->ptr[out->len - 1] : '{';
    stile_buf_addc(out, last == '{' || last == '[' || last == ':' ? "" : ",");
}

static void name(struct stile_buf *out, const char *key)
{
    comma(out);
    stile_buf_printf(out, "\"%s\":", key);
}

static void text(struct stile_buf *out, const char *key, struct stile_str value)
{
    name(out, key);
    stile_buf_json_str(out, value);
}

/* Nothing when it is not said. */
static void said(struct stile_buf *out, const char *key, struct stile_str value)
{
    if (value.len > 0) {
        text(out, key, value);
    }
}

static void flag(struct stile_buf *out, const char *key, bool value)
{
    name(out, key);
    stile_buf_addc(out, value ? "true" : "false");
}

static void number(struct stile_buf *out, const char *key, uint64_t value)
{
    name(out, key);
    stile_buf_printf(out, "%llu", (unsigned long long)value);
}

static void begin(struct stile_buf *out, const char *key, const char *bracket)
{
    if (key != NULL) {
        name(out, key);
    } else {
        comma(out);
    }
    stile_buf_addc(out, bracket);
}

static void end(struct stile_buf *out, const char *bracket)
{
    stile_buf_addc(out, bracket);
}

/* Lines and columns count from 1, columns in bytes; the end is behind. */
static void place(const struct writer *w, struct stile_span span)
{
    uint32_t line = 0, column = 0;
    stile_source_place(w->source, span.offset, &line, &column);
    number(w->out, "line", line);
    number(w->out, "column", column);
    stile_source_place(w->source, span.offset + span.len, &line, &column);
    number(w->out, "end_line", line);
    number(w->out, "end_column", column);
}

static struct stile_str written(const struct writer *w, struct stile_span span)
{
    return stile_str_sub(w->source->text, span.offset, span.len);
}

/* ---- what names turned out to be ---- */

static const char *column_type(enum stile_column_type type)
{
    static const char *const names[] = {
        [STILE_COL_TEXT] = "text",    [STILE_COL_GUID] = "guid",
        [STILE_COL_BOOL] = "boolean", [STILE_COL_DATE] = "date",
        [STILE_COL_TIME] = "time",    [STILE_COL_DATETIME] = "datetime",
        [STILE_COL_INT] = "integer",  [STILE_COL_DECIMAL] = "decimal",
        [STILE_COL_EMPTY] = "empty",
    };
    return names[type];
}

/* The column as one version's table has it; NULL when it has none. */
static const struct stile_table *table_of(const struct writer *w,
                                          const struct stile__variant *v,
                                          const struct stile_lang_column *c,
                                          uint32_t *ret_ordinal)
{
    const struct stile_table *table = v->table;
    const struct stile_lang_lookup *l = w->mapping->tree->lookups;
    struct stile_str alias = c->alias.text;
    while (alias.len > 0 && l != NULL && !stile_str_eq(l->alias.text, alias)) {
        l = l->next;
    }
    if (alias.len > 0) {
        table = l == NULL ? NULL
                          : stile_schema_table(w->set->schema, table->family,
                                               table->version, l->table.text);
    }
    *ret_ordinal =
        table != NULL ? stile_table_column(table, c->name.text) : UINT32_MAX;
    return *ret_ordinal != UINT32_MAX ? table : NULL;
}

static void column_versions(const struct writer *w,
                            const struct stile_lang_column *c)
{
    const struct stile_mapping *m = w->mapping;
    begin(w->out, "versions", "[");
    for (uint32_t i = 0; i < m->variant_count; i++) {
        uint32_t at = 0;
        if (table_of(w, &m->variants[i], c, &at) != NULL) {
            comma(w->out);
            stile_buf_json_str(w->out, m->variants[i].table->version);
        }
    }
    end(w->out, "]");
}

static void column(const struct writer *w, const struct stile_lang_column *c)
{
    const struct stile_mapping *m = w->mapping;
    struct stile_buf *out = w->out;
    const struct stile_table *table = NULL;
    uint32_t at = 0;
    begin(out, NULL, "{");
    text(out, "name", c->name.text);
    said(out, "alias", c->alias.text);
    place(w, c->span);
    for (uint32_t i = m->variant_count; i > 0 && table == NULL; i--) {
        table = table_of(w, &m->variants[i - 1], c, &at);
    }
    if (table != NULL) {
        const struct stile_column *is = &table->columns[at];
        begin(out, "resolved", "{");
        text(out, "table", table->name);
        text(out, "column", is->name);
        text(out, "type", stile_str_cstr(column_type(is->type)));
        if (is->width > 0) {
            number(out, "width", is->width);
        }
        flag(out, "nullable", is->nullable);
        flag(out, "key", is->key);
        flag(out, "sensitive", is->sensitive);
        column_versions(w, c);
        end(out, "}");
    }
    end(out, "}");
}

static void columns(const struct writer *w, const struct stile_lang_column *c)
{
    if (c == NULL) {
        return;
    }
    begin(w->out, "columns", "[");
    for (; c != NULL; c = c->next) {
        column(w, c);
    }
    end(w->out, "]");
}

static void binding(struct stile_buf *out, enum stile_binding strength,
                    struct stile_str value_set)
{
    static const char *const names[] = {"none", "example", "preferred",
                                        "extensible", "required"};
    if (strength != STILE_BIND_NONE && value_set.len > 0) {
        begin(out, "binding", "{");
        text(out, "strength", stile_str_cstr(names[strength]));
        text(out, "value_set", value_set);
        end(out, "}");
    }
}

static void element(const struct writer *w, const struct stile__path *p)
{
    struct stile_buf *out = w->out;
    const struct stile_fhir_element *e = p->element;
    begin(out, "resolved", "{");
    text(out, "path", p->canon);
    said(out, "type",
         p->type != NULL ? stile_fhir_type_name(p->type) : STILE_STR_NULL);
    if (e != NULL) {
        number(out, "min", e->min);
        text(out, "max", stile_str_cstr(e->many ? "*" : "1"));
        binding(out, e->binding, e->value_set);
        if (stile_fhir_target_count(e) > 0) {
            begin(out, "targets", "[");
            for (size_t i = 0; i < stile_fhir_target_count(e); i++) {
                comma(out);
                stile_buf_json_str(out, stile_fhir_target_at(e, i));
            }
            end(out, "]");
        }
    }
    end(out, "}");
}

/* The rule made of a statement and a path, in the newest version that has
 * one; NULL path: the first. */
static const struct stile__rule *rule_of(const struct stile_mapping *m,
                                         const struct stile_lang_stmt *s,
                                         const struct stile_lang_path *path)
{
    for (uint32_t i = m->variant_count; i > 0; i--) {
        const struct stile__rule *r = m->variants[i - 1].rules;
        for (; r != NULL; r = r->next) {
            bool here =
                path == NULL || (r->paths != NULL &&
                                 r->paths->span.offset == path->span.offset);
            if (r->stmt == s && here) {
                return r;
            }
        }
    }
    return NULL;
}

static void paths(const struct writer *w, const struct stile_lang_stmt *s)
{
    if (s->paths == NULL) {
        return;
    }
    begin(w->out, "paths", "[");
    for (const struct stile_lang_path *p = s->paths; p; p = p->next) {
        const struct stile__rule *r = rule_of(w->mapping, s, p);
        begin(w->out, NULL, "{");
        text(w->out, "text", written(w, p->span));
        place(w, p->span);
        if (r != NULL && r->paths != NULL) {
            element(w, r->paths);
        }
        end(w->out, "}");
    }
    end(w->out, "]");
}

static void policy(struct stile_buf *out, const struct stile_lang_policy *p)
{
    static const char *const names[] = {NULL, "hold", "reject", "absent",
                                        "as-text"};
    if (p->kind != STILE_LANG_POLICY_NONE) {
        text(out, "else", stile_str_cstr(names[p->kind]));
        said(out, "because", p->reason);
    }
}

static void codec(const struct writer *w, const struct stile_lang_stmt *s)
{
    const struct stile__rule *r = rule_of(w->mapping, s, NULL);
    const struct stile__codec_use *use = r != NULL ? r->use : NULL;
    if (s->codec == NULL && use == NULL) {
        return;
    }
    begin(w->out, "codec", "{");
    text(w->out, "name",
         use != NULL ? stile_str_cstr(use->codec->name) : s->codec->name.text);
    flag(w->out, "by_type", s->codec == NULL);
    if (s->codec != NULL) {
        text(w->out, "text", written(w, s->codec->span));
        place(w, s->codec->span);
        policy(w->out, &s->codec->policy);
    }
    if (use != NULL) {
        text(w->out, "class", stile_str_cstr(stile__law_name(use->codec->law)));
        said(w->out, "codes",
             use->table != NULL ? use->table->name : STILE_STR_NULL);
        said(w->out, "refers_to", use->ref_type);
    }
    end(w->out, "}");
}

/* ---- statements ---- */

static const char *kind_of(const struct stile_lang_stmt *s)
{
    switch (s->kind) {
    case STILE_LANG_RULE:
        return "correspondence";
    case STILE_LANG_CONSTANT:
        return "constant";
    case STILE_LANG_WHEN:
        return "when";
    case STILE_LANG_IN:
        return "in";
    case STILE_LANG_RESIDUE:
        return "residue";
    case STILE_LANG_DROP:
        return "drop";
    case STILE_LANG_REQUIRE:
        return "require";
    case STILE_LANG_EACH:
        return "each";
    }
    return "";
}

static void cases(const struct writer *w, const struct stile_lang_stmt *s)
{
    static const char *const kinds[] = {"text", "number", "boolean", "boolean",
                                        "absent"};
    if (s->cases == NULL) {
        return;
    }
    begin(w->out, "values", "[");
    for (const struct stile_lang_case *c = s->cases; c != NULL; c = c->next) {
        begin(w->out, NULL, "{");
        if (c->cond != NULL) {
            text(w->out, "if", written(w, c->cond->span));
        }
        text(w->out, "kind", stile_str_cstr(kinds[c->literal->kind]));
        text(w->out, "value", c->literal->text);
        end(w->out, "}");
    }
    end(w->out, "]");
}

static const char *arrow_of(const struct stile_lang_stmt *s)
{
    static const char *const arrows[] = {"<->", "->", "<-"};
    return s->kind == STILE_LANG_CONSTANT ? "->" : arrows[s->arrow];
}

static void directions(const struct writer *w, const struct stile_lang_stmt *s)
{
    const struct stile__rule *r = rule_of(w->mapping, s, NULL);
    text(w->out, "arrow", stile_str_cstr(arrow_of(s)));
    if (r != NULL) {
        text(w->out, "class",
             stile_str_cstr(stile__law_name(stile__rule_law(r))));
    }
    if (s->mark != STILE_LANG_MARK_NONE) {
        text(w->out, "mark",
             s->mark == STILE_LANG_LOSSY ? STILE_STR("lossy")
                                         : STILE_STR("derived"));
    }
}

static void statements(const struct writer *w, const char *key,
                       const struct stile_lang_stmt *s)
{
    struct stile_buf *out = w->out;
    begin(out, key, "[");
    for (; s != NULL; s = s->next) {
        begin(out, NULL, "{");
        text(out, "kind", stile_str_cstr(kind_of(s)));
        text(out, "file", w->source->name);
        place(w, s->span);
        if (s->kind == STILE_LANG_RULE || s->kind == STILE_LANG_CONSTANT) {
            directions(w, s);
        }
        columns(w, s->columns);
        paths(w, s);
        codec(w, s);
        cases(w, s);
        if (s->fallback != NULL) {
            text(out, "else", s->fallback->text);
        }
        said(out, "because", s->reason);
        said(out, "carried_by", s->carried_by.text);
        if (s->cond != NULL) {
            text(out, "condition", written(w, s->cond->span));
        }
        if (s->iff != NULL) {
            text(out, "iff", written(w, s->iff->span));
        }
        if (s->child != NULL) {
            text(out, "rows_of", s->child->table.text);
            text(out, "linked_by", s->child->column.text);
        }
        if (s->by != NULL) {
            text(out, "by", written(w, s->by->span));
        }
        if (s->kind == STILE_LANG_IN) {
            text(out, "from", s->from.text);
            text(out, "to", s->to.text);
        }
        if (s->body != NULL) {
            statements(w, "body", s->body);
        }
        end(out, "}");
    }
    end(out, "]");
}

/* ---- a mapping ---- */

static void left_side(const struct writer *w)
{
    const struct stile_mapping *m = w->mapping;
    const struct stile_lang_mapping *tree = m->tree;
    struct stile_buf *out = w->out;
    begin(out, "left", "{");
    text(out, "family", tree->family.text);
    text(out, "table", tree->table.text);
    place(w, tree->table.span);
    begin(out, "versions", "[");
    for (uint32_t i = 0; i < m->variant_count; i++) {
        comma(out);
        stile_buf_json_str(out, m->variants[i].table->version);
    }
    end(out, "]");
    if (tree->where != NULL && tree->where->cond != NULL) {
        text(out, "where", written(w, tree->where->cond->span));
    }
    columns(w, tree->keys);
    if (tree->groups != NULL) {
        begin(out, "group_by", "[");
        for (const struct stile_lang_column *c = tree->groups; c; c = c->next) {
            comma(out);
            stile_buf_json_str(out, c->name.text);
        }
        end(out, "]");
    }
    end(out, "}");
}

static void right_side(const struct writer *w)
{
    const struct stile_mapping *m = w->mapping;
    begin(w->out, "right", "{");
    text(w->out, "type", m->tree->type.text);
    place(w, m->tree->type.span);
    if (m->profile != NULL) {
        begin(w->out, "profile", "{");
        text(w->out, "name", m->profile->name);
        text(w->out, "url", m->profile->url);
        text(w->out, "version", m->profile->version);
        end(w->out, "}");
    }
    end(w->out, "}");
}

static void lookups(const struct writer *w)
{
    const struct stile_lang_lookup *l = w->mapping->tree->lookups;
    begin(w->out, "lookups", "[");
    for (; l != NULL; l = l->next) {
        begin(w->out, NULL, "{");
        text(w->out, "alias", l->alias.text);
        text(w->out, "table", l->table.text);
        text(w->out, "by", l->column.text);
        place(w, l->span);
        columns(w, l->key);
        policy(w->out, &l->policy);
        end(w->out, "}");
    }
    end(w->out, "]");
}

static void takes(const struct writer *w, const char *key,
                  const struct stile_lang_take *t)
{
    begin(w->out, key, "[");
    for (; t != NULL; t = t->next) {
        begin(w->out, NULL, "{");
        place(w, t->span);
        if (t->cond != NULL) {
            text(w->out, "condition", written(w, t->cond->span));
        }
        if (t->iff != NULL) {
            text(w->out, "iff", written(w, t->iff->span));
        }
        end(w->out, "}");
    }
    end(w->out, "]");
}

static void examples(const struct writer *w)
{
    const struct stile_lang_example *e = w->mapping->tree->examples;
    begin(w->out, "examples", "[");
    for (; e != NULL; e = e->next) {
        begin(w->out, NULL, "{");
        text(w->out, "name", e->name.text);
        flag(w->out, "reject", e->reject);
        place(w, e->span);
        end(w->out, "}");
    }
    end(w->out, "]");
}

static void mapping(struct writer *w, const struct stile_mapping *m)
{
    struct stile_buf *out = w->out;
    w->mapping = m;
    w->source = m->tree->source;
    begin(out, NULL, "{");
    text(out, "name", m->tree->name.text);
    number(out, "number", m->tree->number);
    text(out, "file", w->source->name);
    place(w, m->tree->name.span);
    flag(out, "broken", m->tree->broken);
    if (m->variant_count > 0 && m->type != NULL && !m->tree->broken) {
        text(out, "class", stile_str_cstr(stile_mapping_class(m)));
        flag(out, "goes_left", m->goes_left);
    }
    left_side(w);
    right_side(w);
    lookups(w);
    takes(w, "take", m->tree->takes);
    takes(w, "delete", m->tree->deletes);
    statements(w, "statements", m->tree->body);
    examples(w);
    end(out, "}");
}

static void code_tables(const struct writer *w)
{
    begin(w->out, "codes", "[");
    for (uint32_t i = 0; i < w->set->table_count; i++) {
        const struct stile__code_table *t = &w->set->tables[i];
        begin(w->out, NULL, "{");
        text(w->out, "name", t->name);
        text(w->out, "file", t->source->name);
        number(w->out, "rows", t->count);
        flag(w->out, "merges", t->merges);
        end(w->out, "}");
    }
    end(w->out, "]");
}

size_t stile_mapset_tree(const struct stile_mapset *set, struct stile_str only,
                         const struct stile_diags *diags, struct stile_buf *out)
{
    struct writer w = {.set = set, .out = out};
    size_t shown = 0;
    begin(out, NULL, "{");
    number(out, "version", 1);
    begin(out, "mappings", "[");
    for (uint32_t i = 0; i < set->count; i++) {
        const struct stile_lang_mapping *tree = set->mappings[i].tree;
        if (only.len == 0 || stile_str_eq(only, tree->name.text) ||
            stile_str_ends(tree->source->name, only)) {
            mapping(&w, &set->mappings[i]);
            shown++;
        }
    }
    end(out, "]");
    code_tables(&w);
    name(out, "findings");
    stile_diags_json(diags, out);
    end(out, "}\n");
    return shown;
}
