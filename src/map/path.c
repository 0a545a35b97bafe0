/* Reading and writing a resolved path in a value tree. */
#include "map_private.h"

struct stile_str stile__scalar_text(const struct stile_value *value)
{
    if (value == NULL) {
        return STILE_STR_NULL;
    }
    switch (value->kind) {
    case STILE_STRING:
    case STILE_NUMBER:
        return value->text;
    case STILE_BOOL:
        return value->boolean ? STILE_STR("true") : STILE_STR("false");
    default:
        return STILE_STR_NULL;
    }
}

static bool matches_all(const struct stile_value *item,
                        const struct stile__step *step)
{
    for (uint32_t i = 0; i < step->match_count; i++) {
        const struct stile__match *m = &step->matches[i];
        struct stile_str text =
            stile__scalar_text(stile__path_read(item, &m->path));
        if (text.ptr == NULL || !stile_str_eq(text, m->literal)) {
            return false;
        }
    }
    return true;
}

static struct stile_value *find_item(const struct stile_value *array,
                                     const struct stile__step *step)
{
    if (array == NULL || array->kind != STILE_ARRAY) {
        return NULL;
    }
    for (struct stile_value *v = array->first; v != NULL; v = v->next) {
        if (matches_all(v, step)) {
            return v;
        }
    }
    return NULL;
}

static struct stile_value *any_choice(const struct stile_value *object,
                                      const struct stile__step *step)
{
    if (object == NULL || object->kind != STILE_OBJECT) {
        return NULL;
    }
    for (struct stile_value *v = object->first; v != NULL; v = v->next) {
        const struct stile_fhir_type *type = NULL;
        if (v->name.len > 0 && v->name.ptr[0] != '_' &&
            stile_fhir_element_json(step->type, v->name, &type) ==
                step->element) {
            return v;
        }
    }
    return NULL;
}

struct stile_value *stile__path_read(const struct stile_value *root,
                                     const struct stile__path *path)
{
    const struct stile_value *at = root;
    struct stile_value *found = NULL;
    for (uint32_t i = 0; i < path->count && at != NULL; i++) {
        const struct stile__step *s = &path->steps[i];
        switch (s->kind) {
        case STEP_MEMBER:
            found = stile_value_get(at, s->name);
            break;
        case STEP_ITEM:
            found =
                at->kind == STILE_ARRAY ? stile_value_at(at, s->index) : NULL;
            break;
        case STEP_SELECT:
            found = find_item(at, s);
            break;
        case STEP_CHOICE:
            found = any_choice(at, s);
            break;
        }
        at = found;
    }
    return at != NULL ? found : NULL;
}

static struct stile_value *scalar(struct stile_arena *arena,
                                  struct stile_str text, enum stile_kind kind)
{
    switch (kind) {
    case STILE_NUMBER:
        return stile_value_number(arena, text);
    case STILE_BOOL:
        return stile_value_bool(arena, stile_str_eqc(text, "true"));
    default:
        return stile_value_string(arena, text);
    }
}

static struct stile_value *member_of(struct stile_value *object,
                                     const struct stile__step *s,
                                     struct stile_arena *arena)
{
    struct stile_value *v = stile_value_get(object, s->name);
    if (v == NULL) {
        v = stile_value_set(
            object, s->name,
            stile_value_new(arena, s->list ? STILE_ARRAY : STILE_OBJECT));
    }
    return v;
}

/* The item to write in; a new one is made when none is found. */
static struct stile_value *item_of(struct stile_value *array,
                                   const struct stile__step *s,
                                   struct stile_arena *arena)
{
    struct stile_value *v = s->kind == STEP_ITEM
                                ? stile_value_at(array, s->index)
                                : find_item(array, s);
    if (v != NULL) {
        return v;
    }
    v = stile_value_push(array, stile_value_new(arena, STILE_OBJECT));
    for (uint32_t i = 0; i < s->match_count; i++) {
        const struct stile__match *m = &s->matches[i];
        stile__path_put(v, &m->path, m->literal, m->kind, arena);
    }
    return v;
}

static struct stile_value *walk_to(struct stile_value *root,
                                   const struct stile__path *path,
                                   uint32_t count, struct stile_arena *arena)
{
    struct stile_value *at = root;
    for (uint32_t i = 0; i < count && at != NULL; i++) {
        const struct stile__step *s = &path->steps[i];
        at = s->kind == STEP_MEMBER ? member_of(at, s, arena)
                                    : item_of(at, s, arena);
    }
    return at;
}

void stile__path_put(struct stile_value *root, const struct stile__path *path,
                     struct stile_str text, enum stile_kind kind,
                     struct stile_arena *arena)
{
    const struct stile__step *last = &path->steps[path->count - 1];
    struct stile_value *at = walk_to(root, path, path->count - 1, arena);
    if (at == NULL) {
        return;
    }
    if (last->kind == STEP_MEMBER) {
        (void)stile_value_set(at, last->name, scalar(arena, text, kind));
    } else if (stile_value_at(at, last->index) == NULL) {
        (void)stile_value_push(at, scalar(arena, text, kind));
    }
}

struct stile_value *stile__path_list(struct stile_value *root,
                                     const struct stile__path *path,
                                     struct stile_arena *arena)
{
    return walk_to(root, path, path->count, arena);
}

void stile__path_put_list(struct stile_value *root,
                          const struct stile__path *path,
                          const struct stile_str *items, size_t count,
                          struct stile_arena *arena)
{
    struct stile_value *array = walk_to(root, path, path->count, arena);
    for (size_t i = 0; array != NULL && i < count; i++) {
        (void)stile_value_push(array, scalar(arena, items[i], path->kind));
    }
}
