/* Where each value of a program stands in its JSON text. */
#include "render.h"

/*
 * A skeleton: the tree with every put done. A node that is entered again must
 * be the last of its parent's; then no row can have its members in another
 * order, because a row's tree is this one with parts left out.
 */
struct node {
    struct node *parent, *first, *last, *next;
    struct stile_str name;  /* member; empty in an array */
    struct stile_str canon; /* of an item */
    enum stile_kind kind;
    bool leaf;
    bool fixed;               /* a selection's own member */
    struct stile_str literal; /* of a fixed leaf */
    uint32_t depth;
};

struct plan {
    struct stile_arena *arena;
    struct node *root;
    bool failed;
};

static struct node *add(struct plan *p, struct node *parent,
                        struct stile_str name, enum stile_kind kind)
{
    struct node *n = stile_arena_alloc(p->arena, sizeof *n);
    if (n == NULL || parent->depth + 1 >= STILE__DEPTH) {
        p->failed = true;
        return NULL;
    }
    *n = (struct node){.parent = parent,
                       .name = name,
                       .kind = kind,
                       .depth = parent->depth + 1};
    if (parent->last != NULL) {
        parent->last->next = n;
    } else {
        parent->first = n;
    }
    parent->last = n;
    return n;
}

static struct node *child(const struct node *parent, struct stile_str name)
{
    struct node *n = parent->first;
    while (n != NULL && !stile_str_eq(n->name, name)) {
        n = n->next;
    }
    return n;
}

/* The member to go on in; NULL when the order would not hold. */
static struct node *enter_member(struct plan *p, struct node *at,
                                 const struct stile__step *s)
{
    enum stile_kind kind = s->list ? STILE_ARRAY : STILE_OBJECT;
    struct node *n = child(at, s->name);
    if (n == NULL) {
        return add(p, at, s->name, kind);
    }
    return n == at->last && !n->leaf && n->kind == kind ? n : NULL;
}

static bool fix(struct plan *p, struct node *item, const struct stile__match *m)
{
    struct node *at = item;
    for (uint32_t i = 0; at != NULL && i < m->path.count; i++) {
        const struct stile__step *s = &m->path.steps[i];
        bool last = i + 1 == m->path.count;
        if (s->kind != STEP_MEMBER || s->list ||
            (last && child(at, s->name) != NULL)) {
            return false;
        }
        at = last ? add(p, at, s->name, m->kind) : enter_member(p, at, s);
        if (at != NULL) {
            at->fixed = true;
            at->leaf = last;
            at->literal = m->literal;
        }
    }
    return at != NULL;
}

/* Can the selection never take this finished item for its own? */
static bool apart(const struct node *item, const struct stile__step *s)
{
    for (uint32_t i = 0; i < s->match_count; i++) {
        const struct stile__match *m = &s->matches[i];
        const struct node *at = item;
        for (uint32_t k = 0; at != NULL && k < m->path.count; k++) {
            at = child(at, m->path.steps[k].name);
        }
        if (at == NULL ||
            (at->fixed && at->leaf && !stile_str_eq(at->literal, m->literal))) {
            return true;
        }
    }
    return false;
}

static struct node *enter_item(struct plan *p, struct node *array,
                               const struct stile__step *s,
                               struct stile_str canon)
{
    for (struct node *n = array->first; n != NULL; n = n->next) {
        if (stile_str_eq(n->canon, canon)) {
            return n == array->last && !n->leaf ? n : NULL;
        }
        if (s->kind != STEP_SELECT || !apart(n, s)) {
            return NULL;
        }
    }
    if (s->kind == STEP_ITEM && s->index != 0) {
        return NULL;
    }
    struct node *item = add(p, array, STILE_STR_NULL, STILE_OBJECT);
    if (item == NULL) {
        return NULL;
    }
    item->canon = canon;
    for (uint32_t i = 0; i < s->match_count; i++) {
        if (!fix(p, item, &s->matches[i])) {
            return NULL;
        }
    }
    return item;
}

static struct node *enter(struct plan *p, struct node *at,
                          const struct stile__path *path, uint32_t i)
{
    const struct stile__step *s = &path->steps[i];
    if (s->kind == STEP_MEMBER) {
        return at->kind == STILE_OBJECT ? enter_member(p, at, s) : NULL;
    }
    return at->kind == STILE_ARRAY
               ? enter_item(p, at, s,
                            stile_str_sub(path->canon, 0, s->canon_end))
               : NULL;
}

static struct node *put(struct plan *p, const struct stile__put *put)
{
    const struct stile__path *path = put->path;
    const struct stile__step *last = &path->steps[path->count - 1];
    uint32_t containers = put->list ? path->count : path->count - 1;
    struct node *at = p->root, *leaf = NULL;
    for (uint32_t i = 0; at != NULL && i < containers; i++) {
        at = enter(p, at, path, i);
    }
    if (at == NULL) {
        return NULL;
    }
    if (put->list || last->kind != STEP_MEMBER) {
        /* All items of a list, or its only one. */
        bool only = at->kind == STILE_ARRAY && at->first == NULL &&
                    (put->list || last->kind == STEP_ITEM);
        leaf = only && (put->list || last->index == 0)
                   ? add(p, at, STILE_STR_NULL, path->kind)
                   : NULL;
    } else if (at->kind == STILE_OBJECT && child(at, last->name) == NULL) {
        leaf = add(p, at, last->name, path->kind);
    }
    if (leaf != NULL) {
        leaf->leaf = true;
    }
    return leaf;
}

/* ---- texts ---- */

static void name(struct stile_buf *out, const struct node *n)
{
    if (n->parent->kind == STILE_OBJECT) {
        stile_buf_json_str(out, n->name);
        stile_buf_byte(out, ':');
    }
}

static void literal(struct stile_buf *out, const struct node *n)
{
    if (n->kind == STILE_BOOL ||
        (n->kind == STILE_NUMBER && stile_number_valid(n->literal))) {
        stile_buf_add(out, n->literal);
    } else {
        stile_buf_json_str(out, n->literal);
    }
}

/* A selection's own members, without recursion; `open` stays so. True when
 * there are any. */
static bool fixed_members(struct stile_buf *out, const struct node *item,
                          const struct node *open)
{
    const struct node *n = item->first;
    if (n == NULL || !n->fixed) {
        return false;
    }
    while (n != item) {
        name(out, n);
        if (n->leaf) {
            literal(out, n);
        } else {
            stile_buf_byte(out, '{');
            n = n->first;
            continue;
        }
        while (n != item && (n->next == NULL || !n->next->fixed)) {
            n = n->parent;
            if (n != item && n != open) {
                stile_buf_byte(out, '}');
            } else if (n == open) {
                return true;
            }
        }
        if (n != item) {
            stile_buf_byte(out, ',');
            n = n->next;
        }
    }
    return true;
}

static bool keep_text(struct stile_buf *text, struct stile_arena *arena,
                      const char **ret, uint32_t *ret_len)
{
    char *copy = stile_arena_alloc(arena, text->len + STILE__CHUNK);
    if (copy == NULL || text->status != STILE_OK) {
        return false;
    }
    memcpy(copy, stile_buf_str(text).ptr, text->len);
    *ret = copy;
    *ret_len = (uint32_t)text->len;
    return true;
}

/* False for a value two levels inside what a selection wrote itself. */
static bool open_text(const struct node *leaf, struct stile__slot *slot,
                      struct stile_buf *out)
{
    const struct node *above[STILE__DEPTH];
    bool begun = true; /* the root has its type */
    for (const struct node *n = leaf; n->parent != NULL; n = n->parent) {
        above[n->depth] = n;
    }
    for (uint32_t d = 1; d <= leaf->depth; d++) {
        const struct node *n = above[d];
        if (n->fixed) {
            if (n->parent->fixed) {
                return false;
            }
            slot->open_at[d - 1] = (uint16_t)out->len;
            begun = true;
            continue; /* written with its item */
        }
        if (begun && out->len > 0) {
            stile_buf_byte(out, ',');
        }
        slot->open_at[d - 1] = (uint16_t)out->len;
        name(out, n);
        if (n != leaf) {
            stile_buf_byte(out, n->kind == STILE_ARRAY ? '[' : '{');
            begun = fixed_members(out, n, above[d + 1]);
        }
    }
    slot->depth = (uint8_t)(leaf->depth - 1);
    return true;
}

static void close_text(const struct node *leaf, struct stile_buf *out)
{
    for (const struct node *n = leaf->parent; n->parent != NULL;
         n = n->parent) {
        stile_buf_byte(out, n->kind == STILE_ARRAY ? ']' : '}');
    }
}

static void value_head(const struct stile__put *put, struct stile_buf *out)
{
    if (put->literal.ptr != NULL) {
        stile_buf_add(out, put->literal);
    } else if (put->before.ptr != NULL) {
        struct stile_buf text;
        stile_buf_init(&text, 1 << 16);
        stile_buf_json_str(&text, put->before);
        stile_buf_cut(&text, text.len - 1); /* the closing quote */
        stile_buf_add(out, stile_buf_str(&text));
        stile_buf_release(&text);
    }
}

static bool make_slot(const struct node *leaf, const struct stile__put *put,
                      struct stile_arena *arena, struct stile__slot *slot)
{
    struct stile_buf text;
    uint32_t len = 0;
    stile_buf_init(&text, UINT16_MAX);
    slot->kind = put->path->kind;
    bool ok = open_text(leaf, slot, &text);
    value_head(put, &text);
    ok = ok && keep_text(&text, arena, &slot->open, &slot->open_len);
    stile_buf_clear(&text);
    close_text(leaf, &text);
    ok = ok && keep_text(&text, arena, &slot->close, &len);
    stile_buf_release(&text);
    return ok;
}

static uint8_t shared_depth(const struct node *a, const struct node *b)
{
    a = a->parent;
    b = b->parent;
    while (a != b) {
        if (a->depth >= b->depth) {
            a = a->parent;
        } else {
            b = b->parent;
        }
    }
    return (uint8_t)a->depth;
}

/* ---- joints ---- */

/* `shared`: how deep both stand in the same containers. */
static void joint_text(const struct stile__slot *before,
                       const struct stile__slot *slot, uint8_t shared,
                       struct stile_buf *out)
{
    uint32_t from = slot->open_at[shared];
    if (before != NULL) {
        stile_buf_add(out, (struct stile_str){before->close,
                                              before->depth - (size_t)shared});
    }
    stile_buf_byte(out, ',');
    stile_buf_add(out,
                  (struct stile_str){slot->open + from, slot->open_len - from});
}

/* Brackets are few, so most joints of a slot are the same text. */
static bool keep_joint(struct stile__render *render, uint32_t first,
                       uint32_t *count, struct stile_buf *text,
                       struct stile_arena *arena, uint16_t *ret)
{
    struct stile__joint *j = render->joints;
    for (uint32_t i = first; i < *count; i++) {
        if (stile_str_eq((struct stile_str){j[i].text, j[i].len},
                         stile_buf_str(text))) {
            *ret = (uint16_t)i;
            return true;
        }
    }
    *ret = (uint16_t)*count;
    return keep_text(text, arena, &j[*count].text, &j[*count].len) &&
           ++*count <= UINT16_MAX;
}

static bool make_joints(struct stile__render *render, uint32_t slots,
                        struct node *const *leaves, struct stile_arena *arena)
{
    struct stile_buf text;
    uint32_t count = 0;
    bool ok = true;
    size_t pairs = (slots + 1) * (size_t)slots / 2 + slots;
    render->joints = stile_arena_array(arena, pairs, sizeof *render->joints);
    render->joint_of = stile_arena_array(arena, (slots + 1) * (size_t)slots,
                                         sizeof *render->joint_of);
    if (render->joints == NULL || render->joint_of == NULL) {
        return false;
    }
    stile_buf_init(&text, 2 * UINT16_MAX);
    for (uint32_t i = 0; i < slots; i++) {
        uint32_t first = count;
        for (uint32_t k = 0; ok && k <= i; k++) { /* 0: nothing before it */
            const struct stile__slot *before =
                k > 0 ? &render->slots[k - 1] : NULL;
            uint8_t shared = k > 0 ? shared_depth(leaves[k - 1], leaves[i]) : 0;
            stile_buf_clear(&text);
            joint_text(before, &render->slots[i], shared, &text);
            ok = keep_joint(render, first, &count, &text, arena,
                            &render->joint_of[k * (size_t)slots + i]);
        }
        for (uint32_t k = first; k < count; k++) {
            render->joints[k].after =
                render->joint_of + (i + (size_t)1) * slots;
        }
    }
    stile_buf_release(&text);
    return ok;
}

bool stile__render_slots(struct stile__render *render,
                         const struct stile_fhir_type *type,
                         const struct stile__put *puts, uint32_t count,
                         struct stile_arena *arena)
{
    struct node root = {.kind = STILE_OBJECT};
    struct plan p = {.arena = arena, .root = &root};
    struct node *leaves[STILE__SLOTS];
    if (count == 0 || count > STILE__SLOTS) {
        return false;
    }
    render->slots = stile_arena_array(arena, count, sizeof *render->slots);
    if (render->slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        leaves[i] = put(&p, &puts[i]);
        if (leaves[i] == NULL || p.failed) {
            return false;
        }
    }
    render->id_slot = STILE__SLOTS;
    for (uint32_t i = 0; i < count; i++) {
        if (!make_slot(leaves[i], &puts[i], arena, &render->slots[i])) {
            return false;
        }
        if (stile_str_eqc(puts[i].path->canon, "id")) {
            render->id_slot = i;
        }
    }
    render->slot_count = count;
    struct stile_buf text;
    stile_buf_init(&text, UINT16_MAX);
    stile_buf_addc(&text, "{\"resourceType\":");
    stile_buf_json_str(&text, stile_fhir_type_name(type));
    bool ok = keep_text(&text, arena, &render->head, &render->head_len) &&
              make_joints(render, count, leaves, arena);
    stile_buf_release(&text);
    return ok;
}

bool stile__render_must(const struct stile__put *puts, uint32_t count,
                        const struct stile_fhir_type *type,
                        struct stile_str name, bool choice, uint64_t mask[2])
{
    const struct stile_fhir_element *e = stile_fhir_element(type, name);
    mask[0] = mask[1] = 0;
    for (uint32_t i = 0; i < count && i < STILE__SLOTS; i++) {
        struct stile_str member = puts[i].path->steps[0].name;
        const struct stile_fhir_type *chosen = NULL;
        bool makes = choice
                         ? stile_fhir_element_json(type, member, &chosen) == e
                         : stile_str_eq(member, name);
        if (makes) {
            mask[i / 64] |= UINT64_C(1) << (i % 64);
        }
    }
    return e != NULL;
}
