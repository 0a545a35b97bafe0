/* Look-ups, keys and the conditions of the header lines. */
#include "map_private.h"

/* ---- look-ups ---- */

static bool is_key(const struct stile_table *table, uint32_t ordinal)
{
    for (size_t i = 0; i < table->key_count; i++) {
        if (table->keys[i] == ordinal) {
            return true;
        }
    }
    return false;
}

static void unknown_table(struct stile__cc *cc,
                          const struct stile_lang_word *name)
{
    struct stile_str names[128];
    size_t count = 0;
    struct stile_str version = cc->variant->table->version;
    for (size_t i = 0; i < stile_schema_count(cc->set->schema); i++) {
        const struct stile_table *t = stile_schema_at(cc->set->schema, i);
        if (count < 128 && stile_str_eq(t->family, cc->tree->family.text) &&
            stile_str_eq(t->version, version)) {
            names[count++] = t->name;
        }
    }
    struct stile_diag *diag = stile__map_report(
        cc, "M101", name->span, "%.*s %.*s has no table '%.*s'",
        STILE_FMT(cc->tree->family.text), STILE_FMT(version),
        STILE_FMT(name->text));
    stile_diag_suggest(cc->diags, diag, name->text, names, count);
}

static void alias_table(struct stile__cc *cc, struct stile__alias *alias)
{
    const struct stile_lang_lookup *l = alias->tree;
    alias->by = UINT32_MAX;
    alias->table =
        stile_schema_table(cc->set->schema, cc->tree->family.text,
                           cc->variant->table->version, l->table.text);
    if (alias->table == NULL) {
        unknown_table(cc, &l->table);
        return;
    }
    alias->by = stile_table_column(alias->table, l->column.text);
    if (alias->by == UINT32_MAX) {
        struct stile_diag *diag = stile__map_report(
            cc, "M102", l->column.span, "%.*s has no column '%.*s'",
            STILE_FMT(alias->table->name), STILE_FMT(l->column.text));
        stile_diag_suggest(cc->diags, diag, l->column.text,
                           alias->table->column_names, alias->table->count);
        return;
    }
    if (!is_key(alias->table, alias->by)) {
        (void)stile__map_report(
            cc, "M604", l->column.span,
            "'%.*s' is no key column of %.*s, so it may name several rows",
            STILE_FMT(l->column.text), STILE_FMT(alias->table->name));
    }
    alias->by_is_key =
        alias->table->key_count == 1 && alias->table->keys[0] == alias->by;
    alias->missing = stile_arena_printf(
        cc->arena, "%.*s.%.*s", STILE_FMT(alias->table->name),
        STILE_FMT(alias->table->columns[alias->by].name));
}

static void alias_policy(struct stile__cc *cc, struct stile__alias *alias)
{
    const struct stile_lang_lookup *l = alias->tree;
    alias->policy = l->policy;
    if (l->policy.kind == STILE_LANG_POLICY_AS_TEXT) {
        (void)stile__map_report(cc, "M406", l->policy.span,
                                "'as-text' stands after codes only; say hold, "
                                "reject or absent");
    }
    if (l->policy.kind != STILE_LANG_POLICY_NONE) {
        return;
    }
    if (!l->join) {
        (void)stile__map_report(cc, "M607", l->span,
                                "add else hold \"reason\", else reject "
                                "\"reason\" or else absent");
        return;
    }
    alias->policy.kind = STILE_LANG_POLICY_HOLD;
    alias->policy.reason = stile_arena_printf(
        cc->arena, "%.*s row not received yet", STILE_FMT(l->table.text));
}

static void add_aliases(struct stile__cc *cc)
{
    struct stile__variant *v = cc->variant;
    v->aliases[0].table = v->table;
    v->alias_count = 1;
    for (const struct stile_lang_lookup *l = cc->tree->lookups; l;
         l = l->next) {
        for (uint32_t i = 1; i < v->alias_count; i++) {
            if (stile_str_eq(v->aliases[i].name, l->alias.text)) {
                (void)stile__map_report(cc, "M110", l->alias.span,
                                        "the name '%.*s' is taken already",
                                        STILE_FMT(l->alias.text));
            }
        }
        if (v->alias_count == STILE__ALIASES) {
            (void)stile__map_report(cc, "M110", l->alias.span,
                                    "a mapping has at most 15 lookups");
            return;
        }
        struct stile__alias *alias = &v->aliases[v->alias_count++];
        *alias = (struct stile__alias){.name = l->alias.text, .tree = l};
        alias_table(cc, alias);
        alias_policy(cc, alias);
    }
}

static void alias_keys(struct stile__cc *cc)
{
    struct stile__variant *v = cc->variant;
    for (uint32_t i = 1; i < v->alias_count; i++) {
        const struct stile_lang_lookup *l = v->aliases[i].tree;
        struct stile_lang_column own = {.name = l->column,
                                        .span = l->column.span};
        (void)stile__resolve_column(cc, l->key != NULL ? l->key : &own,
                                    &v->aliases[i].key);
    }
    for (uint32_t i = 1; i < v->alias_count; i++) {
        uint32_t at = i, hops = 0;
        while (at != 0 && hops <= v->alias_count) {
            at = v->aliases[at].key.alias;
            hops++;
        }
        if (at != 0) {
            (void)stile__map_report(cc, "M605", v->aliases[i].tree->span,
                                    "this look-up's key comes, in the end, "
                                    "from itself");
        }
    }
}

static void fix_column(void *ctx, const struct stile_lang_cond *leaf)
{
    struct stile__cc *cc = ctx;
    uint32_t ordinal =
        stile_table_column(cc->variant->table, leaf->column->name.text);
    if (ordinal != UINT32_MAX) {
        cc->mapped[ordinal] = true;
    }
}

/* ---- conditions, key, names ---- */

static void header_conds(struct stile__cc *cc)
{
    const struct stile_lang_take *takes[] = {cc->tree->where, cc->tree->takes,
                                             cc->tree->deletes};
    for (size_t i = 0; i < 3; i++) {
        for (const struct stile_lang_take *t = takes[i]; t; t = t->next) {
            if (t->cond != NULL && stile__resolve_cond(cc, t->cond)) {
                stile__equalities(t->cond, fix_column, cc);
            }
            if (t->iff != NULL) {
                (void)stile__resolve_cond(cc, t->iff);
            }
        }
    }
}

static void declared_key(struct stile__cc *cc)
{
    struct stile__variant *v = cc->variant;
    uint32_t count = 0;
    for (const struct stile_lang_column *c = cc->tree->keys; c; c = c->next) {
        count++;
    }
    bool stated = count > 0;
    count = stated ? count : (uint32_t)v->table->key_count;
    v->keys = stile_arena_array(cc->arena, count, sizeof *v->keys);
    if (v->keys == NULL) {
        return;
    }
    for (uint32_t i = 0; !stated && i < count; i++) {
        v->keys[v->key_count++] = v->table->keys[i];
    }
    for (const struct stile_lang_column *c = cc->tree->keys; c; c = c->next) {
        struct stile__column column;
        if (stile__resolve_column(cc, c, &column) && column.alias == 0) {
            v->keys[v->key_count++] = column.ordinal;
        }
    }
    v->owns_row = true;
    for (size_t i = 0; i < v->table->key_count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < v->key_count; j++) {
            found = found || v->keys[j] == v->table->keys[i];
        }
        v->owns_row = v->owns_row && found;
    }
}

static void check_lets(struct stile__cc *cc)
{
    for (const struct stile_lang_let *l = cc->tree->lets; l; l = l->next) {
        struct stile__path path;
        (void)stile__resolve_path(cc, l->path, false, &path);
        for (const struct stile_lang_let *m = cc->tree->lets; m != l;
             m = m->next) {
            if (stile_str_eq(m->name.text, l->name.text)) {
                (void)stile__map_report(cc, "M110", l->name.span,
                                        "the name '%.*s' is taken already",
                                        STILE_FMT(l->name.text));
            }
        }
    }
}

void stile__collect_head(struct stile__cc *cc)
{
    add_aliases(cc);
    alias_keys(cc);
    declared_key(cc);
    stile__collect_groups(cc);
    check_lets(cc);
    header_conds(cc);
}
