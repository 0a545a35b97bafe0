/*
 * A mapping as a FHIR R4 StructureMap (http://hl7.org/fhir/R4/
 * structuremap.html), for publication: its rightward lines. What a
 * StructureMap cannot say stands in `documentation`, and nothing is written
 * there that other engines would do wrong: a value of a codec without a
 * transform has a target without one.
 */
#include "structure_make.h"

/* ---- elements ---- */

static void inside(struct stile__maker *k, struct stile_value *rules,
                   struct stile_str variable, const struct stile__target *t);

static void element(struct stile__maker *k, struct stile_value *rules,
                    struct stile_str variable, const struct stile__target *t)
{
    struct stile_value *rule =
        stile__sm_rule_of(k, rules, stile__sm_numbered(k, "item-"));
    struct stile_value *source = stile__sm_source_of(k, rule, k->row);
    if (t->each != NULL && t->each->child != NULL) {
        stile__sm_document(k, rule, stile__sm_one_line(k, t->each->stmt->span));
        stile__sm_document(k, rule,
                           STILE_STR("Rows of another table, which a source "
                                     "of one row does not reach."));
        return;
    }
    struct stile_value *target =
        stile__sm_target_of(k, rule, variable, stile__sm_element_name(t->step));
    struct stile_str own = stile__sm_numbered(k, "t"), row = k->row;
    const struct stile_fhir_type *type = t->step->into;
    if (t->each != NULL) {
        k->row = stile__sm_numbered(k, "row");
        stile__sm_setc(k, source, "element", "rows");
        stile__sm_set(k, source, "variable", k->row);
        stile__sm_document(k, rule, stile__sm_one_line(k, t->each->stmt->span));
    } else {
        stile__sm_set(k, source, "condition",
                      stile__presence(k->variant, t, k->arena));
    }
    stile__sm_set(k, target, "variable", own);
    /* Backbone elements have no name to create: the element's type is it. */
    if (type != NULL &&
        stile_str_find(stile_fhir_type_name(type), '.') == SIZE_MAX &&
        !stile_fhir_type_is_primitive(type)) {
        stile__sm_setc(k, target, "transform", "create");
        (void)stile__sm_parameter(k, target, "valueString",
                                  stile_fhir_type_name(type));
    }
    inside(k, rule, own, t);
    k->row = row;
}

static void inside(struct stile__maker *k, struct stile_value *rules,
                   struct stile_str variable, const struct stile__target *t)
{
    for (const struct stile__target_leaf *l = t->leaves; l; l = l->next) {
        stile__sm_leaf(k, (struct stile__leaf_at){rules, variable, l});
    }
    for (const struct stile__target *c = t->children; c; c = c->next) {
        element(k, rules, variable, c);
    }
}

/* ---- the mapping ---- */

static void structure(struct stile__maker *k, struct stile_value *map,
                      struct stile_str url, const char *mode,
                      struct stile_str alias, struct stile_str says)
{
    struct stile_value *s = stile__sm_add_object(k, map, "structure");
    stile__sm_set(k, s, "url", url);
    stile__sm_setc(k, s, "mode", mode);
    stile__sm_set(k, s, "alias", alias);
    stile__sm_set(k, s, "documentation", says);
}

static struct stile_str model_url(struct stile__maker *k,
                                  const struct stile_table *table)
{
    return stile_arena_printf(
        k->arena, "%.*s/StructureDefinition/%.*s-%.*s-%.*s", STILE_FMT(k->base),
        STILE_FMT(table->family), STILE_FMT(table->version),
        STILE_FMT(table->name));
}

static void structures(struct stile__maker *k, struct stile_value *map)
{
    const struct stile__variant *v = k->variant;
    struct stile_str type = stile_fhir_type_name(k->mapping->type);
    structure(k, map, model_url(k, v->table), "source", v->table->name,
              v->group_count > 0
                  ? STILE_STR("The rows of one group, in 'rows', and what all "
                              "of them have in common, a member a column, all "
                              "of them text.")
                  : STILE_STR("One row of the table, a member a column, all of "
                              "them text."));
    for (uint32_t i = 1; i < v->alias_count; i++) {
        const struct stile__alias *a = &v->aliases[i];
        bool again = stile_str_eq(a->table->name, v->table->name);
        for (uint32_t j = 1; j < i; j++) {
            again = again || v->aliases[j].table == a->table;
        }
        if (!again) {
            structure(k, map, model_url(k, a->table), "queried", a->table->name,
                      STILE_STR("A row that is looked up."));
        }
    }
    structure(
        k, map,
        k->mapping->profile != NULL
            ? k->mapping->profile->url
            : stile_arena_printf(k->arena,
                                 "http://hl7.org/fhir/StructureDefinition/%.*s",
                                 STILE_FMT(type)),
        "target", type, STILE_STR_NULL);
}

static void input(struct stile__maker *k, struct stile_value *group,
                  struct stile_str name, struct stile_str type,
                  const char *mode, struct stile_str says)
{
    struct stile_value *in = stile__sm_add_object(k, group, "input");
    stile__sm_set(k, in, "name", name);
    stile__sm_set(k, in, "type", type);
    stile__sm_setc(k, in, "mode", mode);
    stile__sm_set(k, in, "documentation", says);
}

static void inputs(struct stile__maker *k, struct stile_value *group)
{
    const struct stile__variant *v = k->variant;
    input(k, group, STILE_STR("src"), v->table->name, "source", STILE_STR_NULL);
    for (uint32_t i = 1; i < v->alias_count; i++) {
        const struct stile__alias *a = &v->aliases[i];
        input(k, group, stile__alias_name(a->name, k->arena), a->table->name,
              "source", stile__sm_one_line(k, a->tree->span));
    }
    input(k, group, STILE_STR("tgt"), stile_fhir_type_name(k->mapping->type),
          "target", STILE_STR_NULL);
}

static bool of_version(const struct stile__maker *k,
                       const struct stile_lang_stmt *s)
{
    struct stile_str version = k->variant->table->version;
    return stile__map_version_cmp(version, s->from.text) >= 0 &&
           stile__map_version_cmp(version, s->to.text) <= 0;
}

/* What has no place in a rule: a line of the group's documentation each. */
static void unsaid(struct stile__maker *k, struct stile_value *group,
                   const struct stile_lang_stmt *s)
{
    for (; s != NULL; s = s->next) {
        const char *says = NULL;
        if (s->kind == STILE_LANG_IN && !of_version(k, s)) {
            says = "Only for other versions of the table";
        } else if (s->kind == STILE_LANG_RESIDUE) {
            says = "Kept and not sent";
        } else if (s->kind == STILE_LANG_DROP) {
            says = "Not carried";
        } else if (s->kind == STILE_LANG_RULE &&
                   s->arrow == STILE_LANG_LEFTWARD) {
            says = "From the resource to the table only";
        }
        if (says != NULL) {
            stile__sm_document(
                k, group,
                stile_arena_printf(k->arena, "%s: %.*s", says,
                                   STILE_FMT(stile__sm_one_line(k, s->span))));
        } else {
            unsaid(k, group, s->body);
        }
    }
}

/* require: the row is refused when the cell is empty. */
static void requirements(struct stile__maker *k, struct stile_value *rules)
{
    for (const struct stile__rule *r = k->variant->rules; r; r = r->next) {
        if (r->stmt->kind != STILE_LANG_REQUIRE) {
            continue;
        }
        struct stile_value *rule = stile__sm_line_rule(
            k,
            stile__sm_under(
                k, rules,
                stile__guard_condition(k->variant, r->guard, k->arena)),
            r->stmt);
        struct stile_value *source = stile__sm_source_of(
            k, rule, stile__sm_context_of(k, &r->columns[0]));
        struct stile_buf test;
        stile_buf_init(&test, 1 << 16);
        stile__fhirpath_name(&test, r->columns[0].column->name);
        stile_buf_addc(&test, ".exists()");
        stile__sm_set(k, source, "check",
                      stile_arena_str(k->arena, stile_buf_str(&test)));
        stile_buf_release(&test);
        stile__sm_document(k, rule, stile__sm_one_line(k, r->stmt->span));
    }
}

static struct stile_str taken(struct stile__maker *k)
{
    const struct stile_lang_mapping *tree = k->mapping->tree;
    struct stile_str all = STILE_STR_NULL;
    if (tree->where != NULL && tree->where->cond != NULL) {
        all = stile__condition(k->variant, tree->where->cond, k->arena);
    }
    for (const struct stile_lang_take *t = tree->takes; t; t = t->next) {
        if (t->cond != NULL) {
            all = stile__conjunction(
                all, stile__condition(k->variant, t->cond, k->arena), k->arena);
        }
    }
    return all;
}

static void group(struct stile__maker *k, struct stile_value *map,
                  const struct stile__target *tree)
{
    const struct stile_lang_mapping *m = k->mapping->tree;
    struct stile_value *g = stile__sm_add_object(k, map, "group");
    stile__sm_set(k, g, "name", stile__alias_name(m->name.text, k->arena));
    stile__sm_setc(k, g, "typeMode", "none");
    for (const struct stile_lang_take *t = m->deletes; t; t = t->next) {
        stile__sm_document(
            k, g,
            stile_arena_printf(k->arena,
                               "A row that says the record is gone makes "
                               "no resource: %.*s",
                               STILE_FMT(stile__sm_one_line(k, t->span))));
    }
    if (m->groups != NULL) {
        struct stile_span from = m->groups->span, to = from;
        for (const struct stile_lang_column *c = m->groups; c; c = c->next) {
            to = c->span;
        }
        from.len = to.offset + to.len - from.offset;
        stile__sm_document(
            k, g,
            stile_arena_printf(k->arena,
                               "Several rows become one resource: group "
                               "by %.*s",
                               STILE_FMT(stile__sm_one_line(k, from))));
    }
    unsaid(k, g, m->body);
    inputs(k, g);
    struct stile_value *rules = stile__sm_under(k, g, taken(k));
    requirements(k, rules);
    inside(k, rules, STILE_STR("tgt"), tree);
}

enum stile_status
stile_map_export_structure(const struct stile_mapping *mapping,
                           struct stile_str base, struct stile_arena *arena,
                           struct stile_value **ret)
{
    struct stile__maker k = {.mapping = mapping,
                             .variant =
                                 &mapping->variants[mapping->variant_count - 1],
                             .arena = arena,
                             .base = base,
                             .row = STILE_STR("src")};
    struct stile_value *map = stile_value_new(arena, STILE_OBJECT);
    struct stile__target *tree = stile__target_tree(k.variant, arena);
    if (map == NULL || tree == NULL) {
        return STILE_NOMEM;
    }
    struct stile_str name = mapping->tree->name.text;
    stile__sm_setc(&k, map, "resourceType", "StructureMap");
    stile__sm_set(&k, map, "url",
                  stile_arena_printf(arena, "%.*s/StructureMap/%.*s",
                                     STILE_FMT(base), STILE_FMT(name)));
    stile__sm_set(&k, map, "version",
                  stile_arena_printf(arena, "%u", mapping->tree->number));
    stile__sm_set(&k, map, "name", name);
    stile__sm_setc(&k, map, "status", "active");
    stile__sm_set(
        &k, map, "description",
        stile_arena_printf(
            arena,
            "The rightward lines of stile's mapping %.*s, class %s. It goes "
            "both ways where its lines say <->, which a StructureMap cannot "
            "say.",
            STILE_FMT(name), stile_mapping_class(mapping)));
    structures(&k, map);
    group(&k, map, tree);
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = map;
    return STILE_OK;
}
