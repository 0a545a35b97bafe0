/* The tree of one mapping, for one table version, as rules and guards. */
#include "map_private.h"

#define NEW(cc, type) ((type *)stile_arena_alloc((cc)->arena, sizeof(type)))

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

/* ---- rules ---- */

static void mark_mapped(struct stile__cc *cc, const struct stile__column *c)
{
    if (c->alias == 0) {
        cc->mapped[c->ordinal] = true;
    }
}

static uint32_t rule_columns(struct stile__cc *cc,
                             const struct stile_lang_stmt *stmt,
                             struct stile__column *columns, bool *ret_ok)
{
    uint32_t count = 0;
    *ret_ok = true;
    for (const struct stile_lang_column *c = stmt->columns; c; c = c->next) {
        if (count == STILE__CELLS) {
            (void)stile__map_report(cc, "M208", c->span,
                                    "a line takes at most 16 columns");
            *ret_ok = false;
            break;
        }
        if (!stile__resolve_column(cc, c, &columns[count])) {
            *ret_ok = false;
            continue;
        }
        if (stmt->arrow != STILE_LANG_LEFTWARD) {
            mark_mapped(cc, &columns[count]);
        }
        count++;
    }
    return count;
}

/* via alias.Column: the value comes from there. */
static bool via_column(struct stile__cc *cc, const struct stile_lang_stmt *stmt,
                       struct stile__column *column)
{
    if (stmt->codec == NULL || !stile_str_eqc(stmt->codec->name.text, "via")) {
        return true;
    }
    const struct stile_lang_arg *arg = stmt->codec->args;
    if (arg == NULL || arg->kind != STILE_LANG_ARG_COLUMN) {
        (void)stile__map_report(cc, "M202", stmt->codec->span,
                                "codec 'via' needs alias.Column");
        return false;
    }
    return stile__resolve_column(cc, arg->column, column);
}

static bool concept_text(struct stile__cc *cc, struct stile__rule *rule)
{
    const struct stile__path *path = rule->paths;
    uint32_t at = path->count;
    if (rule->use->policy.kind != STILE_LANG_POLICY_AS_TEXT) {
        return true;
    }
    while (at > 0 &&
           (path->steps[at - 1].into == NULL ||
            !stile_str_eqc(stile_fhir_type_name(path->steps[at - 1].into),
                           "CodeableConcept"))) {
        at--;
    }
    struct stile__path *text = NEW(cc, struct stile__path);
    struct stile__step *steps =
        stile_arena_array(cc->arena, at + 1, sizeof *steps);
    if (at == 0 || text == NULL || steps == NULL) {
        (void)stile__map_report(cc, "M406", rule->use->policy.span,
                                "'as-text' needs a CodeableConcept in the "
                                "path");
        return false;
    }
    memcpy(steps, path->steps, at * sizeof *steps);
    steps[at] =
        (struct stile__step){.kind = STEP_MEMBER,
                             .name = STILE_STR("text"),
                             .element = stile_fhir_element(
                                 path->steps[at - 1].into, STILE_STR("text"))};
    *text = (struct stile__path){.steps = steps,
                                 .count = at + 1,
                                 .kind = STILE_STRING,
                                 .span = path->span};
    text->canon =
        stile_arena_printf(cc->arena, "%.*s.text",
                           (int)path->steps[at - 1].canon_end, path->canon.ptr);
    steps[at].canon_end = (uint32_t)text->canon.len;
    rule->as_text = text;
    return true;
}

static bool check_fallback(struct stile__cc *cc, const struct stile__rule *rule)
{
    const struct stile_lang_literal *lit = rule->stmt->fallback;
    const struct stile__code_table *table = rule->use->table;
    if (lit == NULL) {
        return true;
    }
    if (lit->kind == STILE_LANG_ABSENT) {
        (void)stile__map_report(cc, "M406", lit->span,
                                "'else absent' stands after codes or a lookup "
                                "only");
        return false;
    }
    if (!rule->paths->open_list && !stile__literal_fits(cc, rule->paths, lit)) {
        return false;
    }
    if (rule->leftward && table != NULL &&
        stile__codes_left(table, lit->text) != NULL) {
        (void)stile__map_report(cc, "M405", lit->span,
                                "this default is also a right value of the "
                                "code table, so it cannot be told from data");
        return false;
    }
    return true;
}

static void check_indexes(struct stile__cc *cc, const struct stile__rule *rule)
{
    for (uint32_t i = 0; i < rule->paths->count; i++) {
        const struct stile__step *s = &rule->paths->steps[i];
        if (s->kind == STEP_ITEM && s->index > 0 && rule->leftward) {
            (void)stile__map_report(cc, "M305", rule->paths->span,
                                    "item %u may be another one when an "
                                    "earlier cell is empty; use where() or "
                                    "codec list",
                                    s->index);
        }
    }
}

static struct stile__rule *new_rule(struct stile__cc *cc,
                                    const struct stile_lang_stmt *stmt,
                                    struct stile__guard *guard,
                                    const struct stile_lang_path *path)
{
    struct stile__rule *rule = NEW(cc, struct stile__rule);
    struct stile__path *resolved = NEW(cc, struct stile__path);
    if (rule == NULL || resolved == NULL ||
        !stile__resolve_path(cc, cc->mapping->type, path, false, resolved)) {
        cc->incomplete = true;
        return NULL;
    }
    rule->stmt = stmt;
    rule->guard = guard;
    rule->paths = resolved;
    rule->path_count = 1;
    return rule;
}

static void add_rule(struct stile__cc *cc, struct stile__rule *rule)
{
    *cc->rules_tail = rule;
    cc->rules_tail = &rule->next;
}

static void one_correspondence(struct stile__cc *cc,
                               const struct stile_lang_stmt *stmt,
                               struct stile__guard *guard,
                               const struct stile_lang_path *path,
                               const struct stile__column *columns,
                               uint32_t count)
{
    struct stile__rule *rule = new_rule(cc, stmt, guard, path);
    if (rule == NULL) {
        return;
    }
    memcpy(rule->columns, columns, count * sizeof *columns);
    rule->column_count = count;
    /* A line in error still counts as written, or one fault shows as two. */
    rule->rightward = stmt->arrow != STILE_LANG_LEFTWARD;
    add_rule(cc, rule);
    if (!via_column(cc, stmt, &rule->columns[0])) {
        return;
    }
    rule->use =
        stile__resolve_codec(cc, stmt, rule->columns, count, rule->paths);
    if (rule->use == NULL) {
        return;
    }
    const struct stile__codec *codec = rule->use->codec;
    rule->leftward = stmt->arrow != STILE_LANG_RIGHTWARD && codec->left != NULL;
    if (stmt->arrow != STILE_LANG_RIGHTWARD && codec->left == NULL &&
        codec->law != LAW_VIEW) {
        (void)stile__map_report(cc, "M602", stmt->arrow_span,
                                "codec '%s' goes rightward only; use -> and "
                                "say derived or lossy",
                                codec->name);
        return;
    }
    check_indexes(cc, rule);
    (void)(concept_text(cc, rule) && check_fallback(cc, rule));
}

static void check_mark(struct stile__cc *cc, const struct stile_lang_stmt *s)
{
    bool one_way = s->kind == STILE_LANG_RULE && s->arrow != STILE_LANG_BOTH;
    bool conditional = s->kind == STILE_LANG_CONSTANT && s->cases->cond != NULL;
    if ((one_way || conditional) && s->mark == STILE_LANG_MARK_NONE) {
        (void)stile__map_report(
            cc, "M603", one_way ? s->arrow_span : s->span,
            "a one-way line ends in 'derived', or in 'lossy' and the reason");
    }
    if (s->kind == STILE_LANG_RULE && s->arrow == STILE_LANG_BOTH &&
        s->mark != STILE_LANG_MARK_NONE) {
        (void)stile__map_report(cc, "M603", s->arrow_span,
                                "a line marked derived or lossy goes one way; "
                                "use -> or <-");
    }
}

static uint32_t path_count(const struct stile_lang_stmt *stmt)
{
    uint32_t count = 0;
    for (const struct stile_lang_path *p = stmt->paths; p; p = p->next) {
        count++;
    }
    return count;
}

/* COL <- 'literal' or if … then … else … */
static void leftward_value(struct stile__cc *cc,
                           const struct stile_lang_stmt *stmt,
                           struct stile__guard *guard,
                           const struct stile__column *columns, uint32_t count)
{
    struct stile__rule *rule = NEW(cc, struct stile__rule);
    bool ok = rule != NULL && count == 1;
    if (count != 1) {
        (void)stile__map_report(cc, "M208", stmt->span,
                                "a value goes to one column");
    }
    for (const struct stile_lang_case *c = stmt->cases; c; c = c->next) {
        ok = (c->cond == NULL || stile__resolve_cond(cc, c->cond)) && ok;
    }
    if (ok) {
        rule->stmt = stmt;
        rule->guard = guard;
        rule->columns[0] = columns[0];
        rule->column_count = 1;
        rule->leftward = true;
        add_rule(cc, rule);
    }
}

static void correspondence(struct stile__cc *cc,
                           const struct stile_lang_stmt *stmt,
                           struct stile__guard *guard)
{
    struct stile__column columns[STILE__CELLS];
    bool ok = false;
    uint32_t count = rule_columns(cc, stmt, columns, &ok);
    uint32_t paths = path_count(stmt), i = 0;
    const struct stile__codec *codec =
        stmt->codec != NULL ? stile__codec_find(stmt->codec->name.text) : NULL;
    check_mark(cc, stmt);
    if (!ok) {
        return;
    }
    if (stmt->cases != NULL) {
        leftward_value(cc, stmt, guard, columns, count);
        return;
    }
    bool pairwise =
        count > 1 && count == paths && (codec == NULL || codec->least == 1);
    if (!pairwise && paths > 1 && stmt->arrow != STILE_LANG_RIGHTWARD) {
        (void)stile__map_report(cc, "M208", stmt->span,
                                "several paths go with '->' or with as many "
                                "columns");
        return;
    }
    for (const struct stile_lang_path *p = stmt->paths; p; p = p->next) {
        if (pairwise) {
            one_correspondence(cc, stmt, guard, p, &columns[i++], 1);
        } else {
            one_correspondence(cc, stmt, guard, p, columns, count);
        }
    }
}

static void constant(struct stile__cc *cc, const struct stile_lang_stmt *stmt,
                     struct stile__guard *guard)
{
    struct stile__rule *rule = new_rule(cc, stmt, guard, stmt->paths);
    check_mark(cc, stmt);
    for (const struct stile_lang_case *c = stmt->cases; c; c = c->next) {
        if (c->cond != NULL) {
            (void)stile__resolve_cond(cc, c->cond);
        }
        if (rule != NULL) {
            (void)stile__literal_fits(cc, rule->paths, c->literal);
        }
    }
    if (rule != NULL) {
        rule->rightward = true;
        add_rule(cc, rule);
    }
}

/* ---- blocks ---- */

static void fix_column(void *ctx, const struct stile_lang_cond *leaf)
{
    struct stile__cc *cc = ctx;
    uint32_t ordinal =
        stile_table_column(cc->variant->table, leaf->column->name.text);
    if (ordinal != UINT32_MAX) {
        cc->mapped[ordinal] = true;
    }
}

static void statements(struct stile__cc *cc, const struct stile_lang_stmt *s,
                       struct stile__guard *guard);

static void when_block(struct stile__cc *cc, const struct stile_lang_stmt *stmt,
                       struct stile__guard *parent)
{
    struct stile__guard *guard = NEW(cc, struct stile__guard);
    if (guard == NULL) {
        return;
    }
    (void)stile__resolve_cond(cc, stmt->cond);
    if (stmt->iff != NULL) {
        (void)stile__resolve_cond(cc, stmt->iff);
    }
    guard->stmt = stmt;
    guard->parent = parent;
    guard->iff = stmt->iff;
    guard->flag = cc->variant->flag_count++;
    *cc->guards_tail = guard;
    cc->guards_tail = &guard->next;
    statements(cc, stmt->body, guard);
}

static void version_block(struct stile__cc *cc,
                          const struct stile_lang_stmt *stmt,
                          struct stile__guard *guard)
{
    struct stile_str version = cc->variant->table->version;
    if (!stile_str_eq(stmt->family.text, cc->tree->family.text)) {
        (void)stile__map_report(cc, "M101", stmt->family.span,
                                "this mapping is of '%.*s'",
                                STILE_FMT(cc->tree->family.text));
        return;
    }
    if (stile__map_version_cmp(version, stmt->from.text) >= 0 &&
        stile__map_version_cmp(version, stmt->to.text) <= 0) {
        statements(cc, stmt->body, guard);
    }
}

static void require(struct stile__cc *cc, const struct stile_lang_stmt *stmt,
                    struct stile__guard *guard)
{
    for (const struct stile_lang_column *c = stmt->columns; c; c = c->next) {
        struct stile__rule *rule = NEW(cc, struct stile__rule);
        if (rule == NULL || !stile__resolve_column(cc, c, &rule->columns[0])) {
            continue;
        }
        rule->stmt = stmt;
        rule->guard = guard;
        rule->column_count = 1;
        add_rule(cc, rule);
    }
}

/* residue and drop */
static void account(struct stile__cc *cc, const struct stile_lang_stmt *stmt)
{
    for (const struct stile_lang_column *c = stmt->columns; c; c = c->next) {
        struct stile__column column;
        if (!stile__resolve_column(cc, c, &column)) {
            continue;
        }
        if (column.alias != 0) {
            (void)stile__map_report(cc, "M504", c->span,
                                    "only the mapping's own columns are "
                                    "accounted for here");
            continue;
        }
        if (cc->accounted[column.ordinal]) {
            (void)stile__map_report(cc, "M504", c->span,
                                    "'%.*s' is residue or dropped already",
                                    STILE_FMT(c->name.text));
        }
        cc->accounted[column.ordinal] = true;
        cc->dropped[column.ordinal] = stmt->kind == STILE_LANG_DROP;
    }
    if (stmt->carried_by.text.len > 0 &&
        stile__mapset_find(cc->set, stmt->carried_by.text) == NULL) {
        (void)stile__map_report(cc, "M109", stmt->carried_by.span,
                                "no mapping is called '%.*s'",
                                STILE_FMT(stmt->carried_by.text));
    }
}

static void statements(struct stile__cc *cc, const struct stile_lang_stmt *s,
                       struct stile__guard *guard)
{
    for (; s != NULL; s = s->next) {
        switch (s->kind) {
        case STILE_LANG_RULE:
            correspondence(cc, s, guard);
            break;
        case STILE_LANG_CONSTANT:
            constant(cc, s, guard);
            break;
        case STILE_LANG_WHEN:
            when_block(cc, s, guard);
            break;
        case STILE_LANG_IN:
            version_block(cc, s, guard);
            break;
        case STILE_LANG_REQUIRE:
            require(cc, s, guard);
            break;
        case STILE_LANG_RESIDUE:
        case STILE_LANG_DROP:
            account(cc, s);
            break;
        }
    }
}

/* ---- header ---- */

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
        (void)stile__resolve_path(cc, cc->mapping->type, l->path, false, &path);
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

/* A profile given as a canonical is written to meta.profile. */
static void profile_rule(struct stile__cc *cc)
{
    const struct stile_lang_word *profile = &cc->tree->profile;
    if (stile_str_find(profile->text, ':') == SIZE_MAX) {
        return;
    }
    struct stile_lang_step *steps =
        stile_arena_array(cc->arena, 3, sizeof *steps);
    struct stile_lang_path *path = NEW(cc, struct stile_lang_path);
    struct stile_lang_stmt *stmt = NEW(cc, struct stile_lang_stmt);
    struct stile_lang_case *value = NEW(cc, struct stile_lang_case);
    struct stile_lang_literal *lit = NEW(cc, struct stile_lang_literal);
    if (steps == NULL || path == NULL || stmt == NULL || value == NULL ||
        lit == NULL) {
        return;
    }
    steps[0].word = (struct stile_lang_word){STILE_STR("meta"), profile->span};
    steps[1].word =
        (struct stile_lang_word){STILE_STR("profile"), profile->span};
    steps[2].kind = STILE_LANG_INDEX;
    steps[0].next = &steps[1];
    steps[1].next = &steps[2];
    *path = (struct stile_lang_path){.steps = steps, .span = profile->span};
    *lit = (struct stile_lang_literal){.text = profile->text,
                                       .span = profile->span};
    value->literal = lit;
    *stmt = (struct stile_lang_stmt){.kind = STILE_LANG_CONSTANT,
                                     .paths = path,
                                     .cases = value,
                                     .span = profile->span};
    constant(cc, stmt, NULL);
}

void stile__collect(struct stile__cc *cc)
{
    size_t count = cc->variant->table->count;
    cc->mapped = stile_arena_array(cc->arena, count, sizeof(bool));
    cc->accounted = stile_arena_array(cc->arena, count, sizeof(bool));
    cc->dropped = stile_arena_array(cc->arena, count, sizeof(bool));
    cc->tested = stile_arena_array(cc->arena, count, sizeof(bool));
    cc->rules_tail = &cc->rules;
    cc->guards_tail = &cc->guards;
    if (cc->mapped == NULL || cc->accounted == NULL || cc->dropped == NULL ||
        cc->tested == NULL) {
        return;
    }
    add_aliases(cc);
    alias_keys(cc);
    declared_key(cc);
    check_lets(cc);
    header_conds(cc);
    profile_rule(cc);
    statements(cc, cc->tree->body, NULL);
}
