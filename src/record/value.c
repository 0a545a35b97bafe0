#include <stile/record.h>

/*
 * Trees are walked by their links, never by recursion: how deep a message
 * nests is the sender's choice, and our stack is not.
 */

struct stile_value *stile_value_new(struct stile_arena *arena,
                                    enum stile_kind kind)
{
    struct stile_value *value = stile_arena_alloc(arena, sizeof *value);

    if (value) {
        value->kind = kind;
    }
    return value;
}

static struct stile_value *new_text(struct stile_arena *arena,
                                    enum stile_kind kind, struct stile_str text)
{
    struct stile_value *value = stile_value_new(arena, kind);

    if (value) {
        value->text = text;
    }
    return value;
}

struct stile_value *stile_value_string(struct stile_arena *arena,
                                       struct stile_str text)
{
    return new_text(arena, STILE_STRING, text);
}

struct stile_value *stile_value_number(struct stile_arena *arena,
                                       struct stile_str text)
{
    return new_text(arena, STILE_NUMBER, text);
}

struct stile_value *stile_value_bool(struct stile_arena *arena, bool b)
{
    struct stile_value *value = stile_value_new(arena, STILE_BOOL);

    if (value) {
        value->boolean = b;
    }
    return value;
}

static size_t digits_end(struct stile_str text, size_t from)
{
    while (from < text.len && text.ptr[from] >= '0' && text.ptr[from] <= '9') {
        from++;
    }
    return from;
}

static bool is_at(struct stile_str text, size_t at, char a, char b)
{
    return at < text.len && (text.ptr[at] == a || text.ptr[at] == b);
}

bool stile_number_valid(struct stile_str text)
{
    size_t from = is_at(text, 0, '-', '-') ? 1 : 0;
    size_t to = digits_end(text, from);

    if (to == from || (text.ptr[from] == '0' && to > from + 1)) {
        return false;
    }
    if (is_at(text, to, '.', '.')) {
        from = to + 1;
        to = digits_end(text, from);
        if (to == from) {
            return false;
        }
    }
    if (is_at(text, to, 'e', 'E')) {
        from = to + 1;
        if (is_at(text, from, '+', '-')) {
            from++;
        }
        to = digits_end(text, from);
        if (to == from) {
            return false;
        }
    }
    return to == text.len;
}

/* Links `child` between two neighbours, either of which may be NULL. */
static void link_between(struct stile_value *parent, struct stile_value *child,
                         struct stile_value *prev, struct stile_value *next)
{
    STILE_ASSERT(parent->count < UINT32_MAX);
    child->parent = parent;
    child->prev = prev;
    child->next = next;
    if (prev) {
        prev->next = child;
    } else {
        parent->first = child;
    }
    if (next) {
        next->prev = child;
    } else {
        parent->last = child;
    }
    parent->count++;
}

struct stile_value *stile_value_set(struct stile_value *object,
                                    struct stile_str name,
                                    struct stile_value *child)
{
    struct stile_value *old;
    struct stile_value *next = NULL;

    if (!object || !child) {
        return child;
    }
    STILE_ASSERT(object->kind == STILE_OBJECT);
    old = stile_value_get(object, name);
    if (old == child) {
        return child;
    }
    stile_value_remove(child);
    if (old) {
        next = old->next;
        stile_value_remove(old);
    }
    link_between(object, child, next ? next->prev : object->last, next);
    child->name = name;
    return child;
}

struct stile_value *stile_value_add(struct stile_value *object,
                                    struct stile_str name,
                                    struct stile_value *child)
{
    if (!object || !child) {
        return child;
    }
    STILE_ASSERT(object->kind == STILE_OBJECT);
    stile_value_remove(child);
    link_between(object, child, object->last, NULL);
    child->name = name;
    return child;
}

struct stile_value *stile_value_push(struct stile_value *array,
                                     struct stile_value *child)
{
    if (!array || !child) {
        return child;
    }
    STILE_ASSERT(array->kind == STILE_ARRAY);
    stile_value_remove(child);
    link_between(array, child, array->last, NULL);
    child->name = STILE_STR_NULL;
    return child;
}

struct stile_value *stile_value_set_str(struct stile_arena *arena,
                                        struct stile_value *object,
                                        const char *name, struct stile_str text)
{
    return stile_value_set(object, stile_str_cstr(name),
                           stile_value_string(arena, text));
}

struct stile_value *stile_value_set_new(struct stile_arena *arena,
                                        struct stile_value *object,
                                        const char *name, enum stile_kind kind)
{
    return stile_value_set(object, stile_str_cstr(name),
                           stile_value_new(arena, kind));
}

void stile_value_remove(struct stile_value *child)
{
    struct stile_value *parent = child ? child->parent : NULL;

    if (!parent) {
        return;
    }
    if (child->prev) {
        child->prev->next = child->next;
    } else {
        parent->first = child->next;
    }
    if (child->next) {
        child->next->prev = child->prev;
    } else {
        parent->last = child->prev;
    }
    parent->count--;
    child->parent = child->prev = child->next = NULL;
}

struct stile_value *stile_value_get(const struct stile_value *object,
                                    struct stile_str name)
{
    if (!object || object->kind != STILE_OBJECT) {
        return NULL;
    }
    for (struct stile_value *child = object->first; child;
         child = child->next) {
        if (stile_str_eq(child->name, name)) {
            return child;
        }
    }
    return NULL;
}

struct stile_value *stile_value_getc(const struct stile_value *object,
                                     const char *name)
{
    return stile_value_get(object, stile_str_cstr(name));
}

struct stile_value *stile_value_at(const struct stile_value *array, size_t i)
{
    struct stile_value *child;

    if (!array || array->kind != STILE_ARRAY || i >= array->count) {
        return NULL;
    }
    for (child = array->first; i > 0; i--) {
        child = child->next;
    }
    return child;
}

struct stile_str stile_value_text(const struct stile_value *object,
                                  const char *name)
{
    const struct stile_value *member = stile_value_getc(object, name);

    if (!member ||
        (member->kind != STILE_STRING && member->kind != STILE_NUMBER)) {
        return STILE_STR_NULL;
    }
    return member->text;
}

static struct stile_value *step(const struct stile_value *from,
                                struct stile_str piece)
{
    int64_t index;

    if (from->kind == STILE_OBJECT) {
        return stile_value_get(from, piece);
    }
    if (!stile_str_to_int64(piece, &index) || index < 0) {
        return NULL;
    }
    return stile_value_at(from, (size_t)index);
}

struct stile_value *stile_value_path(const struct stile_value *root,
                                     const char *path)
{
    struct stile_str rest = stile_str_cstr(path);
    const struct stile_value *at = root;
    struct stile_str piece;

    while (at && stile_str_next(&rest, '.', &piece)) {
        at = step(at, piece);
    }
    /* The tree is the caller's to change; const is about this walk. */
    return (struct stile_value *)(uintptr_t)at;
}

static struct stile_value *copy_one(struct stile_arena *arena,
                                    const struct stile_value *value)
{
    struct stile_value *copy = stile_value_new(arena, value->kind);

    if (!copy) {
        return NULL;
    }
    copy->boolean = value->boolean;
    copy->offset = value->offset;
    if (value->text.ptr) {
        copy->text = stile_arena_str(arena, value->text);
    }
    if (value->name.ptr) {
        copy->name = stile_arena_str(arena, value->name);
    }
    return stile_arena_failed(arena) ? NULL : copy;
}

struct stile_value *stile_value_copy(struct stile_arena *arena,
                                     const struct stile_value *value)
{
    const struct stile_value *from = value;
    struct stile_value *root;
    struct stile_value *to;

    if (!value) {
        return NULL;
    }
    root = to = copy_one(arena, value);
    while (to) {
        struct stile_value *copy;

        /* `to` is the copy of `from`; find the next in document order, and
         * the copy of its parent. */
        if (from->first) {
            from = from->first;
        } else {
            while (from != value && !from->next) {
                from = from->parent;
                to = to->parent;
            }
            if (from == value) {
                return root;
            }
            from = from->next;
            to = to->parent;
        }
        copy = copy_one(arena, from);
        if (copy) {
            link_between(to, copy, to->last, NULL);
        }
        to = copy;
    }
    return NULL;
}

static bool same_one(const struct stile_value *a, const struct stile_value *b)
{
    if (a->kind != b->kind || a->count != b->count) {
        return false;
    }
    switch (a->kind) {
    case STILE_BOOL:
        return a->boolean == b->boolean;
    case STILE_NUMBER:
    case STILE_STRING:
        return stile_str_eq(a->text, b->text);
    case STILE_NULL:
    case STILE_ARRAY:
    case STILE_OBJECT:
        break;
    }
    return true;
}

/* What stands in `b_parent` where `a` stands in its parent; `guess` is
 * looked at first, so trees of one order are compared in one pass. */
static const struct stile_value *partner(const struct stile_value *a,
                                         const struct stile_value *b_parent,
                                         const struct stile_value *guess)
{
    if (b_parent->kind == STILE_ARRAY) {
        return guess;
    }
    if (guess && stile_str_eq(guess->name, a->name)) {
        return guess;
    }
    return stile_value_get(b_parent, a->name);
}

bool stile_value_equal(const struct stile_value *a, const struct stile_value *b)
{
    const struct stile_value *root = a;

    if (!a || !b) {
        return a == b;
    }
    while (b && same_one(a, b)) {
        if (a->first) {
            a = a->first;
            b = partner(a, b, b->first);
            continue;
        }
        while (a != root && !a->next) {
            a = a->parent;
            b = b->parent;
        }
        if (a == root) {
            return true;
        }
        a = a->next;
        b = partner(a, b->parent, b->next);
    }
    return false;
}

struct stile_str stile_row_get(const struct stile_row *row,
                               struct stile_str column)
{
    for (size_t i = 0; i < row->count; i++) {
        if (stile_str_eq(row->columns[i], column)) {
            return row->cells[i];
        }
    }
    return STILE_STR_NULL;
}
