/*
 * The canonical form: what the set means and says, without order or layout.
 * A list of one word is that word; lists and maps are sorted; a code list is
 * its rows sorted. The digest is over this text.
 */
#include "private.h"

#define CANON_MAX (64u << 20)

static int by_text(const void *a, const void *b)
{
    return stile_str_cmp(*(const struct stile_str *)a,
                         *(const struct stile_str *)b);
}

/* A text cut short would be signed as if it were whole: no set comes of it. */
static struct stile_str take(struct stile_arena *arena, struct stile_buf *buf)
{
    struct stile_str text = stile_arena_str(
        arena, buf->status == STILE_OK ? stile_buf_str(buf) : STILE_STR_NULL);

    if (buf->status != STILE_OK) {
        (void)stile_arena_alloc(arena, SIZE_MAX); /* fails it */
    }
    stile_buf_release(buf);
    return text;
}

struct pieces {
    struct stile_str *items;
    size_t count;
};

static void join(struct stile_buf *out, struct pieces *pieces, char open,
                 char close)
{
    size_t i;

    qsort(pieces->items, pieces->count, sizeof(*pieces->items), by_text);
    stile_buf_byte(out, open);
    for (i = 0; i < pieces->count; i++) {
        /* Saying a thing twice is saying it once. */
        if (i && stile_str_eq(pieces->items[i], pieces->items[i - 1])) {
            continue;
        }
        if (i) {
            stile_buf_byte(out, ',');
        }
        stile_buf_add(out, pieces->items[i]);
    }
    stile_buf_byte(out, close);
}

static struct stile_str member_text(struct stile_arena *arena,
                                    struct stile_str key,
                                    struct stile_str value)
{
    struct stile_buf buf;

    stile_buf_init(&buf, CANON_MAX);
    stile_buf_json_str(&buf, key);
    stile_buf_byte(&buf, ':');
    stile_buf_add(&buf, value);
    return take(arena, &buf);
}

/* Depth is bounded by the YAML reader's limit. */
struct stile_str stile__canon_node(struct stile_arena *arena,
                                   const struct stile_node *node)
{
    struct pieces pieces = {NULL, 0};
    const struct stile_node *child;
    struct stile_buf buf;

    if (node->kind == STILE_NODE_LIST && node->count == 1 &&
        node->first->kind == STILE_NODE_TEXT) {
        return stile__canon_node(arena, node->first);
    }
    stile_buf_init(&buf, CANON_MAX);
    pieces.items =
        stile_arena_array(arena, node->count + 1, sizeof(*pieces.items));
    if (node->kind == STILE_NODE_TEXT) {
        stile_buf_json_str(&buf, node->text);
    } else if (pieces.items) {
        for (child = node->first; child; child = child->next) {
            struct stile_str value = stile__canon_node(arena, child);
            pieces.items[pieces.count++] =
                child->key.ptr ? member_text(arena, child->key, value) : value;
        }
        join(&buf, &pieces, node->kind == STILE_NODE_LIST ? '[' : '{',
             node->kind == STILE_NODE_LIST ? ']' : '}');
    }
    return take(arena, &buf);
}

static struct stile_str row_text(struct stile_arena *arena,
                                 const struct stile__csv *csv)
{
    struct stile_buf buf;
    size_t i;

    stile_buf_init(&buf, CANON_MAX);
    for (i = 0; i < csv->count; i++) {
        stile_buf_byte(&buf, i ? ',' : '(');
        stile_buf_json_str(&buf, csv->cells[i]);
    }
    stile_buf_byte(&buf, ')');
    return take(arena, &buf);
}

static size_t count_lines(struct stile_str text)
{
    size_t count = 1, i;

    for (i = 0; i < text.len; i++) {
        count += text.ptr[i] == '\n';
    }
    return count;
}

/* Findings of the rows were collected when they were read. */
static struct stile_str list_text(struct stile_arena *arena,
                                  const struct stile_source *source)
{
    struct stile__csv csv = {.source = source};
    struct pieces pieces = {NULL, 0};
    struct stile_diags ignored;
    struct stile_buf buf;
    struct stile_str name = source->name;
    enum stile_status status;
    size_t slash;

    while ((slash = stile_str_find(name, '/')) != SIZE_MAX) {
        name = stile_str_sub(name, slash + 1, name.len - slash - 1);
    }
    stile_diags_init(&ignored, arena, 1);
    stile_buf_init(&buf, CANON_MAX);
    stile_buf_json_str(&buf, name);
    pieces.items = stile_arena_array(arena, count_lines(source->text) + 1,
                                     sizeof(*pieces.items));
    while (pieces.items &&
           (status = stile__csv_next(&csv, arena, &ignored)) != STILE_END) {
        if (status == STILE_OK) {
            pieces.items[pieces.count++] = row_text(arena, &csv);
        }
    }
    if (pieces.items) {
        join(&buf, &pieces, '[', ']');
    }
    return take(arena, &buf);
}

/* Files of one kind are one list, wherever they were cut. */
static void add_file(struct stile__load *load, size_t i, struct pieces *pieces)
{
    const struct stile_node *root = load->files[i];
    const struct stile_node *child;
    unsigned kind = (unsigned)load->inputs[i].kind;

    if (!root) {
        pieces->items[pieces->count++] = stile_arena_printf(
            load->arena, "%u:%.*s", kind,
            STILE_FMT(list_text(load->arena, load->inputs[i].source)));
        return;
    }
    if (root->kind != STILE_NODE_LIST) {
        pieces->items[pieces->count++] =
            stile_arena_printf(load->arena, "%u:%.*s", kind,
                               STILE_FMT(stile__canon_node(load->arena, root)));
        return;
    }
    for (child = root->first; child; child = child->next) {
        pieces->items[pieces->count++] = stile_arena_printf(
            load->arena, "%u:%.*s", kind,
            STILE_FMT(stile__canon_node(load->arena, child)));
    }
}

void stile__digest_make(struct stile__load *load)
{
    struct pieces pieces = {NULL, 0};
    struct stile_buf buf;
    size_t most = 1;
    size_t i;

    for (i = 0; i < load->count; i++) {
        most += 1 + (load->files[i] ? load->files[i]->count : 0);
    }
    pieces.items = stile_arena_array(load->arena, most, sizeof(*pieces.items));
    if (!pieces.items) {
        return;
    }
    for (i = 0; i < load->count; i++) {
        size_t first = pieces.count;

        if (load->inputs[i].kind == STILE_RULES_FLOOR) {
            continue; /* of the program, not of the set */
        }

        add_file(load, i, &pieces);
        if (load->inputs[i].kind == STILE_RULES_VOCABULARY &&
            pieces.count > first) {
            stile_sha256(pieces.items[first], &load->rules->vocabulary);
        }
    }
    stile_buf_init(&buf, CANON_MAX);
    join(&buf, &pieces, '[', ']');
    stile_sha256(take(load->arena, &buf), &load->rules->digest);
}
