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
