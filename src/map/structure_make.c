/* The parts of a StructureMap, as FHIR R4 JSON. */
#include "structure_make.h"

/* ---- values ---- */

struct stile_value *stile__sm_add_object(struct stile__maker *k,
                                         struct stile_value *parent,
                                         const char *array)
{
    struct stile_value *list = stile_value_getc(parent, array);
    if (list == NULL) {
        list = stile_value_set_new(k->arena, parent, array, STILE_ARRAY);
    }
    struct stile_value *object = stile_value_new(k->arena, STILE_OBJECT);
    return list != NULL && object != NULL ? stile_value_push(list, object)
                                          : NULL;
}

void stile__sm_set(struct stile__maker *k, struct stile_value *object,
                   const char *name, struct stile_str text)
{
    if (text.len > 0) {
        (void)stile_value_set_str(k->arena, object, name, text);
    }
}

void stile__sm_setc(struct stile__maker *k, struct stile_value *object,
                    const char *name, const char *text)
{
    stile__sm_set(k, object, name, stile_str_cstr(text));
}

struct stile_str stile__sm_numbered(struct stile__maker *k, const char *prefix)
{
    return stile_arena_printf(k->arena, "%s%u", prefix, ++k->number);
}

/* A statement's text on one line. */
struct stile_str stile__sm_one_line(struct stile__maker *k,
                                    struct stile_span span)
{
    struct stile_str from =
        stile_str_sub(k->mapping->tree->source->text, span.offset, span.len);
    char *to = stile_arena_alloc(k->arena, from.len + 1);
    size_t n = 0;
    for (size_t i = 0; to != NULL && i < from.len; i++) {
        char c = from.ptr[i];
        bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!space || (n > 0 && to[n - 1] != ' ')) {
            to[n++] = space ? ' ' : c;
        }
    }
    return (struct stile_str){to, n};
}

static unsigned line_of(const struct stile__maker *k, struct stile_span span)
{
    uint32_t line = 0, column = 0;
    stile_source_place(k->mapping->tree->source, span.offset, &line, &column);
    return line;
}

/* Adds to what stands there already. */
void stile__sm_document(struct stile__maker *k, struct stile_value *object,
                        struct stile_str text)
{
    struct stile_str was = stile_value_text(object, "documentation");
    if (object != NULL && text.len > 0) {
        stile__sm_set(k, object, "documentation",
                      was.len > 0
                          ? stile_arena_printf(k->arena, "%.*s\n%.*s",
                                               STILE_FMT(was), STILE_FMT(text))
                          : text);
    }
}

struct stile_value *stile__sm_rule_of(struct stile__maker *k,
                                      struct stile_value *parent,
                                      struct stile_str name)
{
    struct stile_value *rule = stile__sm_add_object(k, parent, "rule");
    stile__sm_set(k, rule, "name", name);
    return rule;
}

struct stile_value *stile__sm_line_rule(struct stile__maker *k,
                                        struct stile_value *parent,
                                        const struct stile_lang_stmt *s)
{
    return stile__sm_rule_of(k, parent,
                             stile_arena_printf(k->arena, "line-%u-%u",
                                                line_of(k, s->span),
                                                ++k->number));
}

struct stile_value *stile__sm_source_of(struct stile__maker *k,
                                        struct stile_value *rule,
                                        struct stile_str context)
{
    struct stile_value *source = stile__sm_add_object(k, rule, "source");
    stile__sm_set(k, source, "context", context);
    return source;
}

struct stile_value *stile__sm_target_of(struct stile__maker *k,
                                        struct stile_value *rule,
                                        struct stile_str context,
                                        struct stile_str element)
{
    struct stile_value *target = stile__sm_add_object(k, rule, "target");
    stile__sm_set(k, target, "context", context);
    stile__sm_setc(k, target, "contextType", "variable");
    stile__sm_set(k, target, "element", element);
    return target;
}

struct stile_value *stile__sm_parameter(struct stile__maker *k,
                                        struct stile_value *target,
                                        const char *name, struct stile_str text)
{
    struct stile_value *p = stile__sm_add_object(k, target, "parameter");
    /* An empty text is no FHIR string, and joining with it says nothing. */
    return p != NULL ? stile_value_set_str(k->arena, p, name, text) : NULL;
}

/* A rule of a condition alone, for rules inside it; or `parent` itself. */
struct stile_value *stile__sm_under(struct stile__maker *k,
                                    struct stile_value *parent,
                                    struct stile_str condition)
{
    if (condition.len == 0) {
        return parent;
    }
    struct stile_value *rule =
        stile__sm_rule_of(k, parent, stile__sm_numbered(k, "when-"));
    struct stile_value *source = stile__sm_source_of(k, rule, k->row);
    stile__sm_set(k, source, "condition", condition);
    return rule;
}

struct stile_str stile__sm_context_of(struct stile__maker *k,
                                      const struct stile__column *c)
{
    return c->alias == 0 ? k->row
                         : stile__alias_name(k->variant->aliases[c->alias].name,
                                             k->arena);
}

struct stile_str stile__sm_element_name(const struct stile__step *s)
{
    return s->element != NULL ? s->element->name : s->name;
}
