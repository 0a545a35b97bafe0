/* From an item to what is below it, and from a reference to its resource. */
#include "private.h"

struct stile_fhirpath_item stile__fp_object(const struct stile_value *value,
                                            const struct stile_fhir_type *type)
{
    struct stile_str name = stile_value_text(value, "resourceType");
    const struct stile_fhir_type *said =
        name.len > 0 ? stile_fhir_type(name) : NULL;
    if (said != NULL && stile_fhir_type_is_resource(said)) {
        type = said;
    }
    return (struct stile_fhirpath_item){
        .kind = STILE_FP_COMPLEX, .valued = true, .type = type, .value = value};
}

static struct stile_str scalar_text(const struct stile_value *v)
{
    if (v->kind == STILE_BOOL) {
        return v->boolean ? STILE_STR("true") : STILE_STR("false");
    }
    return v->text;
}

/* `value` may be NULL or null where only the companion says something. */
static bool add_value(struct fp_run *run, const struct stile_value *value,
                      const struct stile_value *beside,
                      const struct stile_fhir_type *type, struct fp_list *ret)
{
    bool nothing = value == NULL || value->kind == STILE_NULL;
    if (beside != NULL && beside->kind != STILE_OBJECT) {
        beside = NULL;
    }
    if (nothing && beside == NULL) {
        return true;
    }
    if (!nothing &&
        (value->kind == STILE_OBJECT || value->kind == STILE_ARRAY)) {
        struct stile_fhirpath_item item = stile__fp_object(value, type);
        return value->kind == STILE_ARRAY || stile__fp_add(run, ret, &item);
    }
    struct stile_fhirpath_item item = {
        .kind = type != NULL ? stile__fp_primitive(type) : STILE_FP_STRING,
        .valued = !nothing,
        .type = type,
        .value = nothing ? NULL : value,
        .beside = beside};
    if (!nothing) {
        item.boolean = value->boolean;
        item.text = scalar_text(value);
        /* A record may hold what its type does not allow. */
        if (item.kind == STILE_FP_BOOLEAN && value->kind != STILE_BOOL) {
            item.kind = STILE_FP_STRING;
        }
    }
    return stile__fp_add(run, ret, &item);
}

/* A list and its companion keep step (FHIR R4 section 2.6.2). */
static bool add_all(struct fp_run *run, const struct stile_value *value,
                    const struct stile_value *beside,
                    const struct stile_fhir_type *type, struct fp_list *ret)
{
    bool list = value != NULL && value->kind == STILE_ARRAY;
    bool list_beside = beside != NULL && beside->kind == STILE_ARRAY;
    if (!list && !list_beside) {
        return add_value(run, value, beside, type, ret);
    }
    const struct stile_value *x = list ? value->first : NULL;
    const struct stile_value *y = list_beside ? beside->first : NULL;
    while (x != NULL || y != NULL) {
        if (!add_value(run, x, y, type, ret)) {
            return false;
        }
        x = x != NULL ? x->next : NULL;
        y = y != NULL ? y->next : NULL;
    }
    return true;
}

static const struct stile_value *companion(const struct stile_value *object,
                                           struct stile_str name)
{
    char with[98];
    if (name.len + 1 > sizeof with) {
        return NULL;
    }
    with[0] = '_';
    memcpy(with + 1, name.ptr, name.len);
    return stile_value_get(object, (struct stile_str){with, name.len + 1});
}

/* value[x]: whichever of its types is there (FHIR R4, fhirpath.html, choice
 * types). */
static bool add_choice(struct fp_run *run, const struct stile_value *object,
                       const struct stile_fhir_type *type,
                       const struct stile_fhir_element *element,
                       struct fp_list *ret)
{
    for (const struct stile_value *v = object->first; v != NULL; v = v->next) {
        const struct stile_fhir_type *chosen = NULL;
        if (v->name.len == 0 ||
            !stile_str_starts(stile_str_sub(v->name,
                                            v->name.ptr[0] == '_' ? 1 : 0,
                                            v->name.len),
                              element->name) ||
            stile_fhir_element_json(type, v->name, &chosen) != element) {
            continue;
        }
        if (v->name.ptr[0] != '_') {
            return add_all(run, v, companion(object, v->name), chosen, ret);
        }
        if (stile_value_get(object, stile_str_sub(v->name, 1, v->name.len)) ==
            NULL) {
            return add_all(run, NULL, v, chosen, ret);
        }
    }
    return true;
}

static bool one_member(struct fp_run *run,
                       const struct stile_fhirpath_item *item,
                       struct stile_str name, struct fp_list *ret)
{
    const struct stile_value *object = item->value;
    const struct stile_fhir_type *type = item->type;
    if (item->kind != STILE_FP_COMPLEX) {
        object = item->beside;
        type = stile_fhir_type(STILE_STR("Element"));
    }
    if (object == NULL || object->kind != STILE_OBJECT) {
        return true;
    }
    const struct stile_fhir_element *element =
        type != NULL ? stile_fhir_element(type, name) : NULL;
    if (element == NULL) {
        return true;
    }
    if (element->choice) {
        return add_choice(run, object, type, element, ret);
    }
    return add_all(run, stile_value_get(object, name), companion(object, name),
                   stile_fhir_element_type(type, element, 0), ret);
}

bool stile__fp_member(struct fp_run *run, const struct fp_list *input,
                      struct stile_str name, struct fp_list *ret)
{
    for (uint32_t i = 0; i < input->count; i++) {
        if (!stile__fp_step(run, run->path->root) ||
            !one_member(run, &input->items[i], name, ret)) {
            return false;
        }
    }
    return run->status == STILE_OK;
}

/* ---- resolve(), FHIR R4 fhirpath.html ---- */

static struct stile_str reference_text(const struct stile_fhirpath_item *item)
{
    if (item->kind == STILE_FP_COMPLEX) {
        return stile_value_text(item->value, "reference");
    }
    return item->kind == STILE_FP_STRING && item->valued ? item->text
                                                         : STILE_STR_NULL;
}

/* `#id`: among what the resource around the reference contains. */
static const struct stile_value *contained(const struct stile_value *at,
                                           struct stile_str id)
{
    const struct stile_value *holder = NULL;
    for (; at != NULL; at = at->parent) {
        if (stile_value_getc(at, "resourceType") == NULL) {
            continue;
        }
        holder = at;
        const struct stile_value *in = at->parent;
        if (in == NULL || in->kind != STILE_ARRAY ||
            !stile_str_eqc(in->name, "contained")) {
            break;
        }
    }
    const struct stile_value *list = stile_value_getc(holder, "contained");
    if (id.len == 0) {
        return holder;
    }
    const struct stile_value *v =
        list != NULL && list->kind == STILE_ARRAY ? list->first : NULL;
    while (v != NULL && !stile_str_eq(stile_value_text(v, "id"), id)) {
        v = v->next;
    }
    return v;
}

/* FHIR R4 section 2.36.4 (resolving references in bundles). */
static bool is_entry(const struct stile_value *entry, struct stile_str text)
{
    if (stile_str_eq(stile_value_text(entry, "fullUrl"), text)) {
        return true;
    }
    const struct stile_value *resource = stile_value_getc(entry, "resource");
    struct stile_str type = stile_value_text(resource, "resourceType");
    struct stile_str id = stile_value_text(resource, "id");
    size_t history = stile_str_find_str(text, STILE_STR("/_history/"));
    text = history != SIZE_MAX ? stile_str_sub(text, 0, history) : text;
    return type.len > 0 && id.len > 0 && text.len == type.len + 1 + id.len &&
           stile_str_starts(text, type) && stile_str_ends(text, id) &&
           text.ptr[type.len] == '/';
}

bool stile__fp_resolve(struct fp_run *run, const struct fp_list *input,
                       struct fp_list *ret)
{
    const struct stile_value *entries =
        stile_value_getc(run->world->bundle, "entry");
    for (uint32_t i = 0; i < input->count; i++) {
        struct stile_str text = reference_text(&input->items[i]);
        const struct stile_value *found = NULL;
        if (stile_str_starts(text, STILE_STR("#"))) {
            found = contained(input->items[i].value,
                              stile_str_sub(text, 1, text.len - 1));
        } else if (text.len > 0 && entries != NULL &&
                   entries->kind == STILE_ARRAY) {
            for (const struct stile_value *e = entries->first;
                 e != NULL && found == NULL; e = e->next) {
                if (!stile__fp_step(run, run->path->root)) {
                    return false;
                }
                found =
                    is_entry(e, text) ? stile_value_getc(e, "resource") : NULL;
            }
        }
        if (found != NULL && found->kind == STILE_OBJECT) {
            struct stile_fhirpath_item item = stile__fp_object(found, NULL);
            if (!stile__fp_add(run, ret, &item)) {
                return false;
            }
        }
    }
    return run->status == STILE_OK;
}
