#include "stile/doc.h"

#include <stdarg.h>

struct stile_node *stile_node_get(const struct stile_node *map, const char *key)
{
    struct stile_node *node;

    if (!map || map->kind != STILE_NODE_MAP) {
        return NULL;
    }
    for (node = map->first; node; node = node->next) {
        if (stile_str_eqc(node->key, key)) {
            return node;
        }
    }
    return NULL;
}

struct stile_str stile_node_text(const struct stile_node *map, const char *key)
{
    const struct stile_node *node = stile_node_get(map, key);

    return node && node->kind == STILE_NODE_TEXT ? node->text : STILE_STR_NULL;
}

/* Messages quote words of the user's own file, so they are bounded here and
 * cut without harm. */
static struct stile_diag *diag_at(struct stile_diags *diags,
                                  const struct stile_node *node,
                                  struct stile_span span, const char *code,
                                  enum stile_severity severity,
                                  const char *message)
{
    return stile_diag_at_source(diags, code, severity, node->source, span, "%s",
                                message);
}

struct stile_diag *stile_node_diag(struct stile_diags *diags,
                                   const struct stile_node *node,
                                   const char *code,
                                   enum stile_severity severity,
                                   const char *format, ...)
{
    char message[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return diag_at(diags, node, node->span, code, severity, message);
}

struct stile_diag *stile_node_key_diag(struct stile_diags *diags,
                                       const struct stile_node *node,
                                       const char *code,
                                       enum stile_severity severity,
                                       const char *format, ...)
{
    char message[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return diag_at(diags, node, node->key.ptr ? node->key_span : node->span,
                   code, severity, message);
}

static const char *kind_name(enum stile_node_kind kind)
{
    switch (kind) {
    case STILE_NODE_TEXT:
        return "text";
    case STILE_NODE_LIST:
        return "a list";
    case STILE_NODE_MAP:
        break;
    }
    return "a map";
}

static const char *want_name(enum stile_node_want want)
{
    switch (want) {
    case STILE_WANT_TEXT:
        return "text";
    case STILE_WANT_LIST:
        return "a list";
    case STILE_WANT_MAP:
        return "a map of keys and values";
    case STILE_WANT_TEXT_OR_LIST:
        return "text or a list";
    case STILE_WANT_ANY:
        break;
    }
    return "a value";
}

static bool kind_fits(enum stile_node_want want, enum stile_node_kind kind)
{
    switch (want) {
    case STILE_WANT_TEXT:
        return kind == STILE_NODE_TEXT;
    case STILE_WANT_LIST:
        return kind == STILE_NODE_LIST;
    case STILE_WANT_MAP:
        return kind == STILE_NODE_MAP;
    case STILE_WANT_TEXT_OR_LIST:
        return kind != STILE_NODE_MAP;
    case STILE_WANT_ANY:
        break;
    }
    return true;
}

/* A key whose value is left blank reads as empty text in YAML. */
static bool check_key(const struct stile_node *node, const char *what,
                      const struct stile_key_spec *spec,
                      struct stile_diags *diags)
{
    if (!kind_fits(spec->want, node->kind)) {
        (void)stile_node_diag(
            diags, node, "Y203", STILE_ERROR, "'%s' of %s is %s; it must be %s",
            spec->key, what, kind_name(node->kind), want_name(spec->want));
        return false;
    }
    if (spec->required && node->kind == STILE_NODE_TEXT &&
        node->text.len == 0) {
        (void)stile_node_key_diag(diags, node, "Y202", STILE_ERROR,
                                  "'%s' of %s is left blank; fill it in",
                                  spec->key, what);
        return false;
    }
    return true;
}

#define KEY_SPECS_MAX 64

static void unknown_key(const struct stile_node *node, const char *what,
                        const struct stile_key_spec *specs, size_t count,
                        struct stile_diags *diags)
{
    struct stile_str names[KEY_SPECS_MAX];
    struct stile_diag *diag;
    size_t i;

    STILE_ASSERT(count <= KEY_SPECS_MAX);
    for (i = 0; i < count; i++) {
        names[i] = stile_str_cstr(specs[i].key);
    }
    diag = stile_node_key_diag(diags, node, "Y201", STILE_ERROR,
                               "%s has no key '%.*s'; remove it or correct it",
                               what, STILE_FMT(node->key));
    if (diag) {
        stile_diag_suggest(diags, diag, node->key, names, count);
    }
}

bool stile_node_expect(const struct stile_node *map, const char *what,
                       const struct stile_key_spec *specs, size_t count,
                       struct stile_diags *diags)
{
    const struct stile_node *node;
    bool good = true;
    size_t i;

    if (map->kind != STILE_NODE_MAP) {
        (void)stile_node_diag(diags, map, "Y203", STILE_ERROR,
                              "%s is %s here; it must be a map of keys and "
                              "values",
                              what, kind_name(map->kind));
        return false;
    }
    for (node = map->first; node; node = node->next) {
        for (i = 0; i < count; i++) {
            if (stile_str_eqc(node->key, specs[i].key)) {
                break;
            }
        }
        if (i == count) {
            unknown_key(node, what, specs, count, diags);
            good = false;
        } else if (!check_key(node, what, &specs[i], diags)) {
            good = false;
        }
    }
    for (i = 0; i < count; i++) {
        if (specs[i].required && !stile_node_get(map, specs[i].key)) {
            (void)stile_diag_at_source(diags, "Y202", STILE_ERROR, map->source,
                                       (struct stile_span){map->span.offset, 1},
                                       "%s must have the key '%s'; add it",
                                       what, specs[i].key);
            good = false;
        }
    }
    return good;
}
