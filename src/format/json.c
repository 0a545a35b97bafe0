/*
 * JSON: the strict scan, then cJSON's tree, then our record with each number's
 * own text. The only file that names cJSON. The two parsers must agree value
 * by value; where they do not, the text is refused.
 */
#include "format_private.h"

#include <cjson/cJSON.h>

#define SMALL_OBJECT 12

/* ---- cJSON's memory: wiped when freed ---- */

union header {
    size_t size;
    max_align_t align;
};

static void *wiping_malloc(size_t size)
{
    if (size > SIZE_MAX - sizeof(union header)) {
        return NULL;
    }
    union header *block = malloc(sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    return block + 1;
}

static void wiping_free(void *ptr)
{
    if (ptr == NULL) {
        return;
    }
    union header *block = (union header *)ptr - 1;
    stile_wipe(block, sizeof *block + block->size);
    free(block);
}

void stile_format_setup(void)
{
    cJSON_Hooks hooks = {wiping_malloc, wiping_free};
    cJSON_InitHooks(&hooks);
}

/* ---- cJSON's tree to our record ---- */

struct walk {
    struct stile_str bytes, name;
    const struct stile_tape_item *tokens;
    size_t count, at;
    struct stile_arena *arena;
    struct stile_diags *diags;
    bool disagrees, twice;
    bool doubtful; /* names are still to be compared */
};

static struct stile_str token_text(struct walk *w,
                                   const struct stile_tape_item *token,
                                   const char *unescaped)
{
    if (token->escaped) {
        return stile_arena_str(w->arena, stile_str_cstr(unescaped));
    }
    return stile_str_sub(w->bytes, token->offset, token->len);
}

static const struct stile_tape_item *next_token(struct walk *w)
{
    if (w->at == w->count) {
        w->disagrees = true;
        return NULL;
    }
    return &w->tokens[w->at++];
}

static enum stile_kind kind_of(const cJSON *node)
{
    switch (node->type & 0xff) {
    case cJSON_False:
    case cJSON_True:
        return STILE_BOOL;
    case cJSON_Number:
        return STILE_NUMBER;
    case cJSON_String:
        return STILE_STRING;
    case cJSON_Array:
        return STILE_ARRAY;
    case cJSON_Object:
        return STILE_OBJECT;
    default:
        return STILE_NULL;
    }
}

static void link_last(struct stile_value *parent, struct stile_value *child)
{
    child->parent = parent;
    child->prev = parent->last;
    if (parent->last != NULL) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->count++;
}

static void report_twice(struct walk *w, const struct stile_value *object,
                         const struct stile_value *member)
{
    struct stile_buf path;
    const char *base = w->bytes.ptr;
    bool inside =
        member->name.ptr >= base && member->name.ptr <= base + w->bytes.len;
    size_t offset = inside ? (size_t)(member->name.ptr - base) - 1
                           : (size_t)member->offset - 1;
    stile_buf_init(&path, 4096);
    stile_value_place(object, &path);
    stile__json_path_name(&path, member->name);
    stile__json_finding(w->diags, "J109", w->name, w->bytes, offset,
                        stile_buf_str(&path),
                        "name each member of an object once");
    stile_buf_release(&path);
    w->twice = true;
}

static int by_name(const void *a, const void *b)
{
    const struct stile_value *const *x = a;
    const struct stile_value *const *y = b;
    int order = stile_str_cmp((*x)->name, (*y)->name);
    if (order != 0) {
        return order;
    }
    return (*x)->offset < (*y)->offset ? -1 : 1;
}

static void check_few_names(struct walk *w, const struct stile_value *object)
{
    for (const struct stile_value *m = object->first; m != NULL; m = m->next) {
        for (const struct stile_value *k = object->first; k != m; k = k->next) {
            if (stile_str_eq(m->name, k->name)) {
                report_twice(w, object, m);
                return;
            }
        }
    }
}

/* Sorted, so that no choice of names makes this slow. */
static void check_names(struct walk *w, const struct stile_value *object)
{
    if (object->count <= SMALL_OBJECT) {
        check_few_names(w, object);
        return;
    }
    size_t n = 0;
    struct stile_value **members =
        malloc(object->count * sizeof(struct stile_value *));
    if (members == NULL) {
        w->disagrees = true; /* refused rather than believed */
        return;
    }
    for (struct stile_value *m = object->first; m != NULL; m = m->next) {
        members[n++] = m;
    }
    qsort(members, n, sizeof(struct stile_value *), by_name);
    for (size_t i = 1; i < n && !w->twice; i++) {
        if (stile_str_eq(members[i - 1]->name, members[i]->name)) {
            report_twice(w, object, members[i]);
        }
    }
    free(members);
}

static struct stile_value *build(struct walk *w, const cJSON *node,
                                 struct stile_value *parent)
{
    struct stile_str name = STILE_STR_NULL;
    if (parent != NULL && parent->kind == STILE_OBJECT) {
        const struct stile_tape_item *t = next_token(w);
        if (t == NULL || node->string == NULL) {
            w->disagrees = true;
            return NULL;
        }
        name = token_text(w, t, node->string);
    }
    enum stile_kind kind = kind_of(node);
    const struct stile_tape_item *token = next_token(w);
    if (token == NULL || token->kind != kind) {
        w->disagrees = true;
        return NULL;
    }
    struct stile_value *value = stile_value_new(w->arena, kind);
    if (value == NULL) {
        return NULL;
    }
    value->name = name;
    value->offset = token->offset + (kind == STILE_STRING ? 0u : 1u);
    value->boolean = (node->type & 0xff) == cJSON_True;
    if (kind == STILE_STRING || kind == STILE_NUMBER) {
        value->text = token_text(w, token, node->valuestring);
    }
    if (parent != NULL) {
        link_last(parent, value);
    }
    for (const cJSON *c = node->child; c != NULL; c = c->next) {
        if (build(w, c, value) == NULL || w->twice) {
            return NULL;
        }
    }
    if (w->doubtful && kind == STILE_OBJECT && value->count > 1) {
        check_names(w, value);
    }
    return value;
}

static enum stile_status convert(struct walk *w, const cJSON *tree,
                                 struct stile_value **ret)
{
    struct stile_value *root = build(w, tree, NULL);
    if (w->twice) {
        return STILE_INVALID;
    }
    if (stile_arena_failed(w->arena)) {
        return STILE_NOMEM;
    }
    if (w->disagrees || root == NULL || w->at != w->count) {
        stile_diag_at_record(w->diags, "J111", STILE_ERROR, w->name, 0,
                             STILE_STR_NULL,
                             "report this text's shape; two readers of it "
                             "disagree, so it is refused");
        return STILE_INVALID;
    }
    *ret = root;
    return STILE_OK;
}

enum stile_status
stile_json_decode(struct stile_str bytes, struct stile_json_limits limits,
                  struct stile_str name, struct stile_arena *arena,
                  struct stile_diags *diags, struct stile_value **ret)
{
    struct stile_tape tape = {0};
    bool doubtful = false;
    enum stile_status status =
        stile__json_scan(bytes, limits, name, diags, &tape, &doubtful);
    if (status != STILE_OK) {
        stile_tape_release(&tape);
        return status;
    }
    /* After the scan cJSON can only fail for want of memory. */
    cJSON *tree = cJSON_ParseWithLength(bytes.ptr, bytes.len);
    if (tree == NULL) {
        status = STILE_NOMEM;
    } else {
        struct walk walk = {.bytes = bytes,
                            .name = name,
                            .tokens = tape.items,
                            .count = tape.count,
                            .arena = arena,
                            .diags = diags,
                            .doubtful = doubtful};
        status = convert(&walk, tree, ret);
    }
    cJSON_Delete(tree);
    stile_tape_release(&tape);
    return status;
}

enum stile_status
stile_json_tape(struct stile_str bytes, struct stile_json_limits limits,
                struct stile_str name, struct stile_arena *arena,
                struct stile_diags *diags, struct stile_tape *tape)
{
    bool doubtful = false;
    enum stile_status status =
        stile__json_scan(bytes, limits, name, diags, tape, &doubtful);
    if (status == STILE_OK && doubtful) {
        struct stile_value *unused = NULL;
        status = stile_json_decode(bytes, limits, name, arena, diags, &unused);
    }
    return status;
}
