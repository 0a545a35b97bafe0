/*
 * YAML 1.1 text to nodes, through libyaml's event interface. Only the plain
 * part of YAML is let in: block and flow maps, lists and scalars. What could
 * make a file mean something its reader does not see (anchors, aliases, tags,
 * several documents, merge keys, a key twice) is refused with its place.
 */
#include "stile/doc.h"

#include <yaml.h>

struct loader {
    const struct stile_source *source;
    struct stile_doc_limits limits;
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile_node *root;
    struct stile_node *open; /* innermost list or map being filled */
    struct stile_node *last; /* youngest child of `open` */
    struct stile_str key;    /* the key that waits for its value */
    struct stile_span key_span;
    bool has_key;
    uint32_t depth;
    uint32_t nodes;
    uint32_t documents;
    size_t at_char, at_byte; /* one place in both counts, for byte_of */
    bool stop;               /* a finding after which nothing makes sense */
    enum stile_status status;
};

/* libyaml counts characters; our places are bytes.
 * Marks come nearly in order, so the walk goes on from where it last was,
 * forward or back. */
static size_t byte_of(struct loader *loader, size_t character)
{
    struct stile_str text = loader->source->text;

    while (loader->at_char > character) {
        do {
            loader->at_byte--;
        } while (((unsigned char)text.ptr[loader->at_byte] & 0xc0u) == 0x80u);
        loader->at_char--;
    }
    while (loader->at_char < character && loader->at_byte < text.len) {
        loader->at_byte++;
        while (loader->at_byte < text.len &&
               ((unsigned char)text.ptr[loader->at_byte] & 0xc0u) == 0x80u) {
            loader->at_byte++;
        }
        loader->at_char++;
    }
    return loader->at_byte;
}

static struct stile_span span_of(struct loader *loader, const yaml_mark_t *from,
                                 const yaml_mark_t *to)
{
    size_t start = byte_of(loader, from->index);
    size_t end = byte_of(loader, to->index);

    if (end < start) {
        end = start;
    }
    return (struct stile_span){(uint32_t)start, (uint32_t)(end - start)};
}

static void refuse(struct loader *loader, const char *code,
                   struct stile_span span, const char *message)
{
    (void)stile_diag_at_source(loader->diags, code, STILE_ERROR, loader->source,
                               span, "%s", message);
    loader->status = STILE_INVALID;
    loader->stop = true;
}

static void over_limit(struct loader *loader, const char *code,
                       struct stile_span span, const char *message)
{
    refuse(loader, code, span, message);
    loader->status = STILE_LIMIT;
}

/* Hangs a new node under the open one, under the waiting key in a map. */
static struct stile_node *add_node(struct loader *loader,
                                   enum stile_node_kind kind,
                                   struct stile_span span)
{
    struct stile_node *node;

    if (++loader->nodes > loader->limits.nodes) {
        over_limit(loader, "Y108", span,
                   "the file has too many entries; split it into smaller "
                   "files");
        return NULL;
    }
    node = stile_arena_alloc(loader->arena, sizeof(*node));
    if (!node) {
        loader->status = STILE_NOMEM;
        loader->stop = true;
        return NULL;
    }
    node->kind = kind;
    node->span = span;
    node->source = loader->source;
    node->parent = loader->open;
    if (loader->has_key) {
        node->key = loader->key;
        node->key_span = loader->key_span;
        loader->has_key = false;
    }
    if (!loader->open) {
        loader->root = node;
        return node;
    }
    if (loader->last) {
        loader->last->next = node;
    } else {
        loader->open->first = node;
    }
    loader->last = node;
    loader->open->count++;
    return node;
}

static bool wants_key(const struct loader *loader)
{
    return loader->open && loader->open->kind == STILE_NODE_MAP &&
           !loader->has_key;
}

static void take_key(struct loader *loader, struct stile_str text,
                     struct stile_span span)
{
    const struct stile_node *node;

    if (stile_str_eqc(text, "<<")) {
        refuse(loader, "Y103", span,
               "merge keys (<<) are not read; write the entries out");
        return;
    }
    for (node = loader->open->first; node; node = node->next) {
        if (stile_str_eq(node->key, text)) {
            struct stile_diag *diag = stile_diag_at_source(
                loader->diags, "Y102", STILE_ERROR, loader->source, span,
                "the key '%.*s' is here twice; keep one of them",
                STILE_FMT(text));
            if (diag) {
                stile_diag_second(diag, loader->source, node->key_span);
            }
            loader->status = STILE_INVALID;
            break;
        }
    }
    loader->key = text;
    loader->key_span = span;
    loader->has_key = true;
}

static void on_scalar(struct loader *loader, const yaml_event_t *event)
{
    struct stile_span span =
        span_of(loader, &event->start_mark, &event->end_mark);
    struct stile_str raw = {(const char *)event->data.scalar.value,
                            event->data.scalar.length};
    struct stile_str text = stile_arena_str(loader->arena, raw);
    struct stile_node *node;

    if (event->data.scalar.anchor || event->data.scalar.tag) {
        refuse(loader, "Y103", span,
               "anchors (&) and tags (!) are not read; write the text plainly "
               "or in quotes");
        return;
    }
    if (!text.ptr) {
        loader->status = STILE_NOMEM;
        loader->stop = true;
        return;
    }
    if (wants_key(loader)) {
        take_key(loader, text, span);
        return;
    }
    node = add_node(loader, STILE_NODE_TEXT, span);
    if (node) {
        node->text = text;
    }
}

static void on_open(struct loader *loader, const yaml_event_t *event,
                    enum stile_node_kind kind, bool decorated)
{
    struct stile_span span =
        span_of(loader, &event->start_mark, &event->end_mark);
    struct stile_node *node;

    if (decorated) {
        refuse(loader, "Y103", span,
               "anchors (&) and tags (!) are not read; write the entries "
               "plainly");
        return;
    }
    if (wants_key(loader)) {
        refuse(loader, "Y104", span,
               "a key must be plain text; put a list or a map on the right of "
               "the colon");
        return;
    }
    if (++loader->depth > loader->limits.depth) {
        over_limit(loader, "Y107", span,
                   "the file is nested too deeply; flatten it");
        return;
    }
    node = add_node(loader, kind, span);
    if (node) {
        loader->open = node;
        loader->last = NULL;
    }
}

static void on_close(struct loader *loader, const yaml_event_t *event)
{
    struct stile_node *node = loader->open;

    node->span.len =
        span_of(loader, &event->end_mark, &event->end_mark).offset -
        node->span.offset;
    loader->depth--;
    loader->open = node->parent;
    loader->last = node;
}

static void on_event(struct loader *loader, const yaml_event_t *event)
{
    struct stile_span span =
        span_of(loader, &event->start_mark, &event->end_mark);

    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++loader->documents > 1) {
            refuse(loader, "Y105", span,
                   "a file holds one document; remove this '---' and what "
                   "follows or put it into its own file");
        } else if (event->data.document_start.version_directive ||
                   event->data.document_start.tag_directives.start !=
                       event->data.document_start.tag_directives.end) {
            refuse(loader, "Y103", span,
                   "directives (%%) are not read; remove this line");
        }
        break;
    case YAML_ALIAS_EVENT:
        refuse(loader, "Y103", span,
               "aliases (*) are not read; write the entry out");
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(loader, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_open(loader, event, STILE_NODE_LIST,
                event->data.sequence_start.anchor ||
                    event->data.sequence_start.tag);
        break;
    case YAML_MAPPING_START_EVENT:
        on_open(loader, event, STILE_NODE_MAP,
                event->data.mapping_start.anchor ||
                    event->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_close(loader, event);
        break;
    default:
        break;
    }
}

static void parser_failed(struct loader *loader, const yaml_parser_t *parser)
{
    size_t at = byte_of(loader, parser->problem_mark.index);
    struct stile_span span = {0, 0};
    const char *problem = parser->problem ? parser->problem : "unreadable";

    if (parser->error == YAML_MEMORY_ERROR) {
        loader->status = STILE_NOMEM;
        loader->stop = true;
        return;
    }
    if (parser->error == YAML_READER_ERROR) {
        at = parser->problem_offset;
    }
    span.offset =
        (uint32_t)(at < loader->source->text.len ? at
                                                 : loader->source->text.len);
    (void)stile_diag_at_source(
        loader->diags, "Y101", STILE_ERROR, loader->source, span,
        "this is not readable as YAML (%s); look at indentation, colons and "
        "quotes here and on the line above",
        problem);
    loader->status = STILE_INVALID;
    loader->stop = true;
}

/* YAML forbids tabs as indentation; libyaml's words for it are hard to
 * understand, so it is said here in ours. */
static bool tabs_indent(struct loader *loader)
{
    struct stile_str text = loader->source->text;
    bool at_start = true;
    size_t i;

    for (i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\t' && at_start) {
            refuse(loader, "Y106", (struct stile_span){(uint32_t)i, 1},
                   "a tab cannot indent; use spaces");
            return true;
        }
        if (text.ptr[i] == '\n') {
            at_start = true;
        } else if (text.ptr[i] != ' ') {
            at_start = false;
        }
    }
    return false;
}

static void run(struct loader *loader, yaml_parser_t *parser)
{
    bool done = false;

    while (!done && !loader->stop) {
        yaml_event_t event;

        if (!yaml_parser_parse(parser, &event)) {
            parser_failed(loader, parser);
            return;
        }
        done = event.type == YAML_STREAM_END_EVENT;
        on_event(loader, &event);
        yaml_event_delete(&event);
    }
}

static bool source_allowed(struct loader *loader)
{
    struct stile_str text = loader->source->text;

    if (text.len > loader->limits.bytes || text.len > UINT32_MAX) {
        over_limit(loader, "Y109", (struct stile_span){0, 0},
                   "the file is too large; split it into smaller files");
        return false;
    }
    if (!stile_utf8_valid(text) || stile_str_find(text, '\0') != SIZE_MAX) {
        refuse(loader, "Y101", (struct stile_span){0, 0},
               "the file is not UTF-8 text; save it as UTF-8");
        return false;
    }
    return !tabs_indent(loader);
}

enum stile_status stile_doc_load(const struct stile_source *source,
                                 struct stile_doc_limits limits,
                                 struct stile_arena *arena,
                                 struct stile_diags *diags,
                                 struct stile_node **ret)
{
    struct loader loader = {
        .source = source, .limits = limits, .arena = arena, .diags = diags};
    yaml_parser_t parser;

    if (!source_allowed(&loader)) {
        return loader.status;
    }
    if (!yaml_parser_initialize(&parser)) {
        return STILE_NOMEM;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &parser, (const unsigned char *)source->text.ptr, source->text.len);
    run(&loader, &parser);
    yaml_parser_delete(&parser);
    if (loader.status == STILE_OK && !loader.root) {
        (void)add_node(&loader, STILE_NODE_MAP, (struct stile_span){0, 0});
    }
    if (loader.status == STILE_OK) {
        *ret = loader.root;
    }
    return loader.status;
}
