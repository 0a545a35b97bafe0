/* What others read of a set: code tables as FHIR R4 ConceptMap, mappings as a
 * page. */
#include "map_private.h"

/* ---- code tables ---- */

/* How many rows share the right value, for the same direction. */
static uint32_t sharers(const struct stile__code_table *t,
                        const struct stile__code_row *row)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        n += !t->rows[i].no_right && !t->rows[i].right_absent &&
                     stile_str_eq(t->rows[i].right, row->right)
                 ? 1
                 : 0;
    }
    return n;
}

/* HL7 FHIR R4, concept-map-equivalence: what the target is to the source. */
static const char *equivalence(const struct stile__code_table *t,
                               const struct stile__code_row *row)
{
    if (row->right_absent) {
        return "unmatched";
    }
    if (row->no_right) {
        return "narrower";
    }
    return row->no_left || (!row->preferred && sharers(t, row) > 1)
               ? "wider"
               : "equivalent";
}

static void add_element(struct stile_arena *arena, struct stile_value *elements,
                        const struct stile__code_table *t,
                        const struct stile__code_row *row)
{
    struct stile_value *element = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *target = stile_value_new(arena, STILE_OBJECT);
    if (element == NULL || target == NULL) {
        return;
    }
    (void)stile_value_push(elements, element);
    (void)stile_value_set_str(arena, element, "code", row->left);
    struct stile_value *targets =
        stile_value_set_new(arena, element, "target", STILE_ARRAY);
    if (targets == NULL) {
        return;
    }
    (void)stile_value_push(targets, target);
    if (!row->right_absent) {
        (void)stile_value_set_str(arena, target, "code", row->right);
    }
    if (row->display.len > 0 && !row->right_absent) {
        (void)stile_value_set_str(arena, target, "display", row->display);
    }
    (void)stile_value_set_str(arena, target, "equivalence",
                              stile_str_cstr(equivalence(t, row)));
}

enum stile_status stile_map_export_codes(const struct stile_mapset *set,
                                         struct stile_str name,
                                         struct stile_str base,
                                         struct stile_arena *arena,
                                         struct stile_value **ret)
{
    const struct stile__code_table *t = stile__mapset_table(set, name);
    if (t == NULL) {
        return STILE_NOT_FOUND;
    }
    struct stile_value *map = stile_value_new(arena, STILE_OBJECT);
    if (map == NULL) {
        return STILE_NOMEM;
    }
    (void)stile_value_set_str(arena, map, "resourceType",
                              STILE_STR("ConceptMap"));
    (void)stile_value_set_str(arena, map, "url",
                              stile_arena_printf(arena, "%.*s/ConceptMap/%.*s",
                                                 STILE_FMT(base),
                                                 STILE_FMT(name)));
    (void)stile_value_set_str(arena, map, "title", name);
    (void)stile_value_set_str(arena, map, "status", STILE_STR("active"));
    struct stile_value *groups =
        stile_value_set_new(arena, map, "group", STILE_ARRAY);
    struct stile_value *group = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *elements = NULL;
    if (groups != NULL && group != NULL) {
        (void)stile_value_push(groups, group);
        elements = stile_value_set_new(arena, group, "element", STILE_ARRAY);
    }
    for (uint32_t i = 0; elements != NULL && i < t->count; i++) {
        add_element(arena, elements, t, &t->rows[i]);
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = map;
    return STILE_OK;
}

/* ---- the way back ---- */

static void csv_cell(struct stile_buf *out, struct stile_str s)
{
    bool plain = true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        plain = plain && c != ',' && c != '"' && c != '\n' && c != '\r';
    }
    if (plain) {
        stile_buf_add(out, s);
        return;
    }
    stile_buf_byte(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        stile_buf_addc(out, s.ptr[i] == '"' ? "\"" : "");
        stile_buf_byte(out, s.ptr[i]);
    }
    stile_buf_byte(out, '"');
}

static bool import_target(struct stile_str left,
                          const struct stile_value *target,
                          struct stile_buf *out, size_t *skipped)
{
    static const char *const prefers[] = {"", "->", "<-", ""};
    struct stile_str right = stile_value_text(target, "code");
    enum stile__leads leads =
        stile__equivalence(stile_value_text(target, "equivalence"));
    if (leads == LEADS_UNSAID) {
        ++*skipped;
        return true;
    }
    if (leads == LEADS_UNKNOWN ||
        (right.len == 0) != (leads == LEADS_NOWHERE)) {
        return false;
    }
    csv_cell(out, left);
    stile_buf_byte(out, ',');
    csv_cell(out, right);
    stile_buf_printf(out, ",%s,", prefers[leads]);
    csv_cell(out, stile_value_text(target, "display"));
    stile_buf_byte(out, ',');
    csv_cell(out, stile_value_text(target, "comment"));
    stile_buf_byte(out, '\n');
    return true;
}

static bool import_element(const struct stile_value *element,
                           struct stile_buf *out, size_t *skipped)
{
    struct stile_str left = stile_value_text(element, "code");
    const struct stile_value *targets = stile_value_getc(element, "target");
    bool good = left.len > 0;
    for (const struct stile_value *t = targets ? targets->first : NULL;
         t != NULL && good; t = t->next) {
        good = import_target(left, t, out, skipped);
    }
    return good;
}

enum stile_status stile_map_import_codes(const struct stile_value *map,
                                         struct stile_buf *out,
                                         size_t *ret_skipped)
{
    const struct stile_value *groups = stile_value_getc(map, "group");
    size_t skipped = 0, before = out->len;
    bool good =
        stile_str_eqc(stile_value_text(map, "resourceType"), "ConceptMap");
    stile_buf_addc(out, "left,right,prefer,display,note\n");
    for (const struct stile_value *g = good && groups ? groups->first : NULL;
         g != NULL; g = g->next) {
        const struct stile_value *elements = stile_value_getc(g, "element");
        for (const struct stile_value *e = elements ? elements->first : NULL;
             e != NULL && good; e = e->next) {
            good = import_element(e, out, &skipped);
        }
    }
    if (!good) {
        stile_buf_cut(out, before);
        return STILE_INVALID;
    }
    *ret_skipped = skipped;
    return out->status;
}

size_t stile_mapset_code_count(const struct stile_mapset *set)
{
    return set->table_count;
}

struct stile_str stile_mapset_code_at(const struct stile_mapset *set, size_t i)
{
    return i < set->table_count ? set->tables[i].name : STILE_STR_NULL;
}

/* ---- a page ---- */

/* As written, on one line, safe in a table's cell. */
static void cell(struct stile_buf *out, struct stile_str text)
{
    bool space = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            space = true;
            continue;
        }
        stile_buf_addc(out, space ? " " : "");
        space = false;
        stile_buf_addc(out, c == '|' ? "\\" : "");
        stile_buf_byte(out, c);
    }
}

static void written(const struct stile_mapping *m, struct stile_span span,
                    struct stile_buf *out)
{
    cell(out, stile_str_sub(m->tree->source->text, span.offset, span.len));
}

static void columns(const struct stile__variant *v, const struct stile__rule *r,
                    struct stile_buf *out)
{
    for (uint32_t i = 0; i < r->column_count; i++) {
        const struct stile__column *c = &r->columns[i];
        stile_buf_addc(out, i > 0 ? ", " : "");
        if (c->alias > 0) {
            stile_buf_printf(out, "%.*s.",
                             STILE_FMT(v->aliases[c->alias].table->name));
        }
        stile_buf_add(out, c->column->name);
    }
}

static void guards(const struct stile_mapping *m, const struct stile__guard *g,
                   struct stile_buf *out)
{
    if (g == NULL) {
        return;
    }
    guards(m, g->parent, out);
    stile_buf_addc(out, g->parent != NULL ? " and " : "when ");
    written(m, g->stmt->cond->span, out);
}

static void rule(const struct stile__variant *v, const struct stile__rule *r,
                 struct stile_buf *out)
{
    const struct stile_lang_stmt *s = r->stmt;
    bool leftward_only = r->leftward && !r->rightward;
    stile_buf_addc(out, "| ");
    columns(v, r, out);
    stile_buf_printf(out, " | %s | ",
                     s->kind == STILE_LANG_REQUIRE ? "required"
                     : leftward_only               ? "<-"
                     : r->leftward                 ? "<->"
                                                   : "->");
    if (r->paths != NULL) {
        cell(out, r->paths->canon);
    }
    stile_buf_addc(out, " | ");
    if (s->codec != NULL) {
        written(v->mapping, s->codec->span, out);
    } else if (s->cases != NULL && s->cases->cond == NULL) {
        stile_buf_addc(out, "= ");
        cell(out, s->cases->literal->text);
    } else if (s->cases != NULL) {
        stile_buf_addc(out, "by its conditions");
    }
    stile_buf_addc(out, " | ");
    guards(v->mapping, r->guard, out);
    if (s->mark == STILE_LANG_LOSSY) {
        stile_buf_addc(out, r->guard != NULL ? "; lossy: " : "lossy: ");
        cell(out, s->reason);
    }
    stile_buf_printf(out, " | %s |\n",
                     s->kind == STILE_LANG_REQUIRE
                         ? ""
                         : stile__law_name(stile__rule_law(r)));
}

static void account(const struct stile_mapping *m,
                    const struct stile_lang_stmt *s, struct stile_buf *out)
{
    for (; s != NULL; s = s->next) {
        if (s->kind != STILE_LANG_RESIDUE && s->kind != STILE_LANG_DROP) {
            account(m, s->body, out);
            continue;
        }
        stile_buf_addc(out, s->kind == STILE_LANG_DROP ? "- not carried: "
                                                       : "- kept, not sent: ");
        for (const struct stile_lang_column *c = s->columns; c; c = c->next) {
            stile_buf_printf(out, "%.*s%s", STILE_FMT(c->name.text),
                             c->next != NULL ? ", " : "");
        }
        if (s->carried_by.text.len > 0) {
            stile_buf_printf(out, " (carried by %.*s)",
                             STILE_FMT(s->carried_by.text));
        } else if (s->kind == STILE_LANG_DROP) {
            stile_buf_printf(out, " (%.*s)", STILE_FMT(s->reason));
        }
        stile_buf_byte(out, '\n');
    }
}

void stile_mapping_markdown(const struct stile_mapping *mapping,
                            struct stile_buf *out)
{
    const struct stile_lang_mapping *tree = mapping->tree;
    const struct stile__variant *v =
        &mapping->variants[mapping->variant_count - 1];
    stile_buf_printf(out,
                     "## %.*s %u\n\n%.*s of %.*s %.*s to FHIR R4 %.*s, class "
                     "%s.\n\n| columns | | element | how | where | keeps |\n"
                     "|---|---|---|---|---|---|\n",
                     STILE_FMT(tree->name.text), tree->number,
                     STILE_FMT(tree->table.text), STILE_FMT(tree->family.text),
                     STILE_FMT(v->table->version),
                     STILE_FMT(stile_fhir_type_name(mapping->type)),
                     stile_mapping_class(mapping));
    for (const struct stile__rule *r = v->rules; r; r = r->next) {
        rule(v, r, out);
    }
    stile_buf_byte(out, '\n');
    account(mapping, tree->body, out);
}
