/* FHIRPath in right conditions: checked against the mapping's type, asked of
 * one resource, or of one item of an `each`. */
#include "map_private.h"

/* ---- when the file is compiled ---- */

static const struct stile_lang_let *let_of(const struct stile__cc *cc,
                                           const struct stile_fhirpath_node *n)
{
    if (n->kind != STILE_FP_MEMBER || n->a != NULL || n->quoted) {
        return NULL;
    }
    for (const struct stile_lang_let *l = cc->tree->lets; l; l = l->next) {
        if (stile_str_eq(l->name.text, n->text)) {
            return l;
        }
    }
    return NULL;
}

/* A let's path in the name's place. What it begins with is marked as quoted,
 * so that it is no let's name itself. */
static bool put_let(struct stile__cc *cc, struct stile_fhirpath_node *n,
                    const struct stile_lang_let *let)
{
    struct stile_fhirpath *path = NULL;
    size_t end = 0;
    if (stile_fhirpath_parse_term(cc->source, let->path->span.offset, cc->arena,
                                  NULL, &path, &end) != STILE_OK) {
        return false;
    }
    struct stile_fhirpath_node *first = path->root;
    while (first->a != NULL) {
        first = first->a;
    }
    first->quoted = true;
    struct stile_fhirpath_node *next = n->next;
    *n = *path->root;
    n->next = next;
    return true;
}

/* Short names stand for paths from the resource: not inside where(). False
 * when reported. */
static bool settle(struct stile__cc *cc, struct stile_fhirpath_node *n,
                   bool at_root)
{
    const struct stile_lang_let *let = at_root ? let_of(cc, n) : NULL;
    if (let != NULL && !put_let(cc, n, let)) {
        return false; /* the let's own line has been reported */
    }
    if (n->kind == STILE_FP_CALL && stile_str_eqc(n->text, "resolve")) {
        (void)stile__map_report(cc, "M121", n->word,
                                "a mapping's condition sees one resource; "
                                "resolve() is for `stile fhirpath`");
        return false;
    }
    bool inside = n->kind == STILE_FP_CALL &&
                  (n->a != NULL || stile_str_eqc(n->text, "where") ||
                   stile_str_eqc(n->text, "select"));
    bool ok = (n->a == NULL || settle(cc, n->a, at_root)) &&
              (n->b == NULL || settle(cc, n->b, at_root));
    for (struct stile_fhirpath_node *arg = n->args; arg && ok;
         arg = arg->next) {
        ok = settle(cc, arg, at_root && !inside);
    }
    return ok;
}

static bool check(struct stile__cc *cc, const struct stile_fhirpath *path)
{
    const struct stile_fhir_type *type =
        cc->each != NULL ? cc->each->item : cc->mapping->type;
    bool boolean = false;
    if (!settle(cc, path->root, cc->each == NULL) ||
        stile_fhirpath_check(path, stile_fhir_type_name(type), true, cc->diags,
                             &boolean) != STILE_OK) {
        return false;
    }
    if (!boolean) {
        (void)stile__map_report(cc, "M223", path->root->span,
                                "this is not true or false; say exists() or "
                                "compare it");
    }
    return boolean;
}

bool stile__resolve_ask(struct stile__cc *cc,
                        const struct stile_lang_cond *cond)
{
    struct stile_lang_ask *ask = cond->ask;
    if (!ask->checked) {
        ask->checked = true;
        ask->sound = check(cc, ask->path);
    }
    return ask->sound;
}

/* ---- when a resource is read ---- */

/* The tape's reader has bounded how deep it goes. */
static struct stile_value *from_tape(const struct stile_tape *tape, uint32_t at,
                                     struct stile_arena *arena)
{
    const struct stile_tape_item *item = &tape->items[at];
    struct stile_value *value =
        stile_value_new(arena, (enum stile_kind)item->kind);
    if (value == NULL) {
        return NULL;
    }
    bool object = item->kind == STILE_OBJECT;
    if (!object && item->kind != STILE_ARRAY) {
        value->text = stile_tape_text(tape, at, arena);
        value->boolean =
            item->kind == STILE_BOOL && stile_str_eqc(value->text, "true");
        return value;
    }
    for (uint32_t i = at + 1; i < item->end;) {
        struct stile_str name =
            object ? stile_tape_text(tape, i, arena) : STILE_STR_NULL;
        i += object ? 1 : 0;
        struct stile_value *child = from_tape(tape, i, arena);
        if (child == NULL) {
            return NULL;
        }
        if (object) {
            (void)stile_value_add(value, name, child);
        } else {
            (void)stile_value_push(value, child);
        }
        i = tape->items[i].end;
    }
    return value;
}

enum stile_status stile__run_ask(const struct stile__ask *ask,
                                 const struct stile__resource *resource,
                                 struct stile_arena *arena, bool *ret)
{
    struct stile_fhirpath_world world = {.resource = resource->tree,
                                         .type = ask->type};
    struct stile_fhirpath_items items;
    struct stile_fhirpath_fault fault;
    if (resource->tape != NULL) {
        world.resource = from_tape(resource->tape, resource->at, arena);
        if (world.resource == NULL) {
            return STILE_NOMEM;
        }
    }
    enum stile_status status = stile_fhirpath_run(
        ask->path, &world, STILE_FHIRPATH_LIMITS, arena, &items, &fault);
    if (status != STILE_OK || items.count > 1) {
        return status != STILE_OK ? status : STILE_INVALID;
    }
    *ret = items.count == 1 && items.list[0].valued &&
           items.list[0].kind == STILE_FP_BOOLEAN && items.list[0].boolean;
    return STILE_OK;
}
