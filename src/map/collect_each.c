/* group by and each: lists whose items are rows. */
#include "map_private.h"

void stile__collect_groups(struct stile__cc *cc)
{
    struct stile__variant *v = cc->variant;
    uint32_t count = 0;
    for (const struct stile_lang_column *c = cc->tree->groups; c; c = c->next) {
        count++;
    }
    if (count > STILE__CELLS) {
        (void)stile__map_report(cc, "M311", cc->tree->groups->span,
                                "rows are grouped by at most 16 columns");
        return;
    }
    v->groups = stile_arena_array(cc->arena, count, sizeof *v->groups);
    for (const struct stile_lang_column *c = cc->tree->groups; v->groups && c;
         c = c->next) {
        struct stile__column column;
        if (!stile__resolve_column(cc, c, &column)) {
            continue;
        }
        if (column.alias != 0) {
            (void)stile__map_report(cc, "M311", c->span,
                                    "rows are grouped by their own columns "
                                    "only");
            continue;
        }
        v->groups[v->group_count++] = column.ordinal;
    }
}

struct stile__each *stile__collect_each(struct stile__cc *cc,
                                        const struct stile_lang_stmt *stmt)
{
    struct stile__variant *v = cc->variant;
    struct stile__each *each = stile_arena_alloc(cc->arena, sizeof *each);
    if (each == NULL ||
        !stile__resolve_path(cc, stmt->paths, false, &each->list)) {
        return NULL;
    }
    if (!each->list.open_list || each->list.type == NULL ||
        stile_fhir_type_is_primitive(each->list.type)) {
        (void)stile__map_report(cc, "M308", stmt->paths->span,
                                "the path of 'each' ends at a list of "
                                "elements, without an index");
        return NULL;
    }
    if (v->each_count == STILE__EACHES) {
        (void)stile__map_report(cc, "M311", stmt->span,
                                "a mapping has at most %u 'each'",
                                (unsigned)STILE__EACHES);
        return NULL;
    }
    each->stmt = stmt;
    each->item = each->list.type;
    each->base =
        stile_arena_printf(cc->arena, "%.*s[*]", STILE_FMT(each->list.canon));
    v->eaches[v->each_count++] = each;
    return each;
}

/* ---- rows of another table ---- */

static bool child_table(struct stile__cc *cc, struct stile__child *child,
                        const struct stile_lang_lookup *l)
{
    child->table =
        stile_schema_table(cc->set->schema, cc->tree->family.text,
                           cc->variant->table->version, l->table.text);
    if (child->table == NULL) {
        (void)stile__map_report(
            cc, "M101", l->table.span, "%.*s %.*s has no table '%.*s'",
            STILE_FMT(cc->tree->family.text),
            STILE_FMT(cc->variant->table->version), STILE_FMT(l->table.text));
        return false;
    }
    child->link = stile_table_column(child->table, l->column.text);
    if (child->link == UINT32_MAX) {
        struct stile_diag *diag = stile__map_report(
            cc, "M102", l->column.span, "%.*s has no column '%.*s'",
            STILE_FMT(child->table->name), STILE_FMT(l->column.text));
        stile_diag_suggest(cc->diags, diag, l->column.text,
                           child->table->column_names, child->table->count);
        return false;
    }
    struct stile_lang_column own = {.name = l->column, .span = l->column.span};
    return stile__resolve_column(cc, l->key != NULL ? l->key : &own,
                                 &child->key);
}

/* The item's `reference`, and the codec that makes it of the row's key. */
static bool child_codec(struct stile__cc *cc, struct stile__each *each)
{
    struct stile__child *child = each->child;
    const struct stile_table *t = child->table;
    struct stile__column columns[STILE__CELLS];
    struct stile_lang_step *step = stile_arena_alloc(cc->arena, sizeof *step);
    if (step == NULL || t->key_count == 0 || t->key_count > STILE__CELLS) {
        (void)stile__map_report(cc, "M310", each->stmt->child->table.span,
                                "%.*s has no key, so nothing tells its rows "
                                "apart",
                                STILE_FMT(t->name));
        return false;
    }
    step->word =
        (struct stile_lang_word){STILE_STR("reference"), each->list.span};
    struct stile_lang_path path = {.steps = step, .span = each->list.span};
    cc->each = each;
    bool ok = stile__resolve_path(cc, &path, false, &child->item);
    cc->each = NULL;
    for (size_t i = 0; i < t->key_count; i++) {
        columns[i] = (struct stile__column){.ordinal = t->keys[i],
                                            .column = &t->columns[t->keys[i]],
                                            .span = each->stmt->child->span};
    }
    child->keys = t->keys;
    child->key_count = (uint32_t)t->key_count;
    child->item.reference = true;
    child->use = ok ? stile__resolve_codec(cc, each->stmt, columns,
                                           child->key_count, &child->item)
                    : NULL;
    return child->use != NULL;
}

bool stile__collect_child(struct stile__cc *cc, struct stile__each *each)
{
    struct stile__child *child = stile_arena_alloc(cc->arena, sizeof *child);
    if (child == NULL) {
        return false;
    }
    if (stile__type_fits(each->item) != FITS_REFERENCE) {
        (void)stile__map_report(cc, "M308", each->list.span,
                                "rows of another table are a list of "
                                "references");
        return false;
    }
    each->child = child;
    return child_table(cc, child, each->stmt->child) && child_codec(cc, each);
}
