/* The tree of one mapping, for one table version, as rules and guards. */
#include "map_private.h"

#define NEW(cc, type) ((type *)stile_arena_alloc((cc)->arena, sizeof(type)))

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
        !stile__resolve_path(cc, path, false, resolved)) {
        cc->incomplete = true;
        return NULL;
    }
    rule->stmt = stmt;
    rule->guard = guard;
    rule->each = cc->each;
    rule->paths = resolved;
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
        rule->each = cc->each;
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
    guard->each = cc->each;
    guard->iff = stmt->iff;
    guard->flag = cc->variant->flag_count++;
    *cc->guards_tail = guard;
    cc->guards_tail = &guard->next;
    statements(cc, stmt->body, guard);
}

/* Lines of a block that cannot be used still map their columns, or one fault
 * shows as many. */
static void mark_lines(struct stile__cc *cc, const struct stile_lang_stmt *s)
{
    for (; s != NULL; s = s->next) {
        struct stile__column columns[STILE__CELLS];
        bool ok = false;
        (void)rule_columns(cc, s, columns, &ok);
        mark_lines(cc, s->body);
    }
}

static void each_block(struct stile__cc *cc, const struct stile_lang_stmt *stmt,
                       struct stile__guard *guard)
{
    struct stile__rule *head = NEW(cc, struct stile__rule);
    struct stile__each *each = NULL;
    if (guard != NULL || cc->each != NULL) {
        (void)stile__map_report(cc, "M312", stmt->span,
                                "'each' stands in no other block; move it out");
    } else {
        each = stile__collect_each(cc, stmt);
    }
    if (each == NULL || head == NULL) {
        cc->incomplete = true;
        mark_lines(cc, stmt->body);
        return;
    }
    /* It has its place among the lines: that of its list. */
    *head = (struct stile__rule){
        .stmt = stmt, .paths = &each->list, .rightward = true};
    add_rule(cc, head);
    if (stmt->child != NULL) {
        cc->incomplete = !stile__collect_child(cc, each) || cc->incomplete;
        return;
    }
    cc->each = each;
    statements(cc, stmt->body, NULL);
    if (!stile__resolve_path(cc, stmt->by, false, &each->by)) {
        cc->incomplete = true;
    }
    cc->each = NULL;
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
        rule->each = cc->each;
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
        case STILE_LANG_EACH:
            each_block(cc, s, guard);
            break;
        case STILE_LANG_RESIDUE:
        case STILE_LANG_DROP:
            account(cc, s);
            break;
        }
    }
}

/* The profile's canonical, with its version when the mapping states one, is
 * written to meta.profile. */
static void profile_rule(struct stile__cc *cc)
{
    const struct stile_lang_word *profile = &cc->tree->profile;
    bool by_url = stile_str_find(profile->text, ':') != SIZE_MAX;
    if (cc->mapping->profile == NULL) {
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
    *lit = (struct stile_lang_literal){
        .text = by_url ? profile->text : cc->mapping->profile->url,
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
    cc->rules_tail = &cc->rules;
    cc->guards_tail = &cc->guards;
    if (cc->mapped == NULL || cc->accounted == NULL || cc->dropped == NULL) {
        return;
    }
    stile__collect_head(cc);
    profile_rule(cc);
    statements(cc, cc->tree->body, NULL);
}
