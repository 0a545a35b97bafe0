/* What can be said of an expression without a record: N1 section 10 (type
 * safety), against the tables of FHIR R4. */
#include "private.h"

enum what {
    ANY, /* not known */
    NOTHING,
    FHIR,
    SYSTEM,
    CHOICE
};

struct kind_of {
    enum what what;
    const struct stile_fhir_type *type; /* FHIR; CHOICE: whose element */
    const struct stile_fhir_element *element;
    enum stile_fhirpath_kind system;
};

struct checker {
    const struct stile_fhirpath *path;
    struct stile_diags *diags;
    bool strict;
    bool wrong, outside;
};

static struct kind_of check(struct checker *c,
                            const struct stile_fhirpath_node *node,
                            struct kind_of focus);

STILE_PRINTF(4, 5)
static struct stile_diag *report(struct checker *c, const char *code,
                                 struct stile_span span, const char *format,
                                 ...)
{
    va_list args;
    va_start(args, format);
    struct stile_str says = stile_arena_vprintf(c->diags->arena, format, args);
    va_end(args);
    if (strcmp(code, "M121") == 0) {
        c->outside = true;
    } else {
        c->wrong = true;
    }
    return stile_diag_at_source(c->diags, code, STILE_ERROR, c->path->source,
                                span, "%.*s", STILE_FMT(says));
}

static struct kind_of system_kind(enum stile_fhirpath_kind kind)
{
    return (struct kind_of){.what = SYSTEM, .system = kind};
}

static struct kind_of fhir_kind(const struct stile_fhir_type *type)
{
    return (struct kind_of){.what = type != NULL ? FHIR : ANY, .type = type};
}

/* ---- what compares with what ---- */

/* The System kind values come to; COMPLEX for objects, EMPTY: not known. */
static enum stile_fhirpath_kind value_kind(struct kind_of k)
{
    if (k.what == SYSTEM) {
        return k.system;
    }
    if (k.what != FHIR) {
        return STILE_FP_EMPTY;
    }
    if (stile_fhir_type_is_primitive(k.type)) {
        return stile__fp_primitive(k.type);
    }
    return stile__fp_fhir_is(k.type, STILE_STR("Quantity")) ? STILE_FP_QUANTITY
           : stile_fhir_type_is_resource(k.type) ||
                   stile_fhir_element_count(k.type) > 0
               ? STILE_FP_COMPLEX
               : STILE_FP_EMPTY;
}

static bool is_number(enum stile_fhirpath_kind k)
{
    return k == STILE_FP_INTEGER || k == STILE_FP_DECIMAL;
}

static bool is_day(enum stile_fhirpath_kind k)
{
    return k == STILE_FP_DATE || k == STILE_FP_DATETIME;
}

static bool alike(struct kind_of a, struct kind_of b)
{
    enum stile_fhirpath_kind x = value_kind(a), y = value_kind(b);
    return x == STILE_FP_EMPTY || y == STILE_FP_EMPTY || x == y ||
           (is_number(x) && is_number(y)) || (is_day(x) && is_day(y)) ||
           (x == STILE_FP_QUANTITY && is_number(y)) ||
           (is_number(x) && y == STILE_FP_QUANTITY);
}

static bool may_be(struct kind_of k, enum stile_fhirpath_kind kind)
{
    enum stile_fhirpath_kind is = value_kind(k);
    return is == STILE_FP_EMPTY || is == kind;
}

static struct stile_str name_of(struct kind_of k)
{
    if (k.what == FHIR) {
        return stile_fhir_type_name(k.type);
    }
    return k.what == SYSTEM ? stile_str_cstr(stile__fp_system_name(k.system))
                            : STILE_STR("value");
}

/* ---- members ---- */

static void unknown_element(struct checker *c,
                            const struct stile_fhirpath_node *node,
                            const struct stile_fhir_type *type)
{
    struct stile_str *names = NULL;
    size_t count = stile_fhir_element_names(type, c->diags->arena, &names);
    struct stile_diag *diag =
        report(c, "M105", node->word, "%.*s has no element '%.*s'",
               STILE_FMT(stile_fhir_type_name(type)), STILE_FMT(node->text));
    stile_diag_suggest(c->diags, diag, node->text, names, count);
}

static struct kind_of element_kind(const struct stile_fhir_type *type,
                                   const struct stile_fhir_element *element)
{
    if (element->choice) {
        return (struct kind_of){
            .what = CHOICE, .type = type, .element = element};
    }
    return fhir_kind(stile_fhir_element_type(type, element, 0));
}

/* Any resource may stand there. */
static bool is_open(const struct stile_fhir_type *type)
{
    return stile_str_eqc(stile_fhir_type_name(type), "Resource") ||
           stile_str_eqc(stile_fhir_type_name(type), "DomainResource");
}

static struct kind_of choice_member(struct checker *c,
                                    const struct stile_fhirpath_node *node,
                                    struct kind_of of)
{
    struct kind_of found = {.what = NOTHING};
    for (size_t i = 0; i < of.element->type_count; i++) {
        const struct stile_fhir_type *t =
            stile_fhir_element_type(of.type, of.element, i);
        const struct stile_fhir_element *e =
            t != NULL ? stile_fhir_element(t, node->text) : NULL;
        if (e == NULL) {
            continue;
        }
        struct kind_of one = element_kind(t, e);
        bool same = found.what == one.what && found.type == one.type;
        found =
            found.what == NOTHING || same ? one : (struct kind_of){.what = ANY};
    }
    if (found.what == NOTHING) {
        (void)report(c, "M105", node->word,
                     "no type of '%.*s' has an element '%.*s'",
                     STILE_FMT(of.element->name), STILE_FMT(node->text));
        return (struct kind_of){.what = ANY};
    }
    return found;
}

static struct kind_of member(struct checker *c,
                             const struct stile_fhirpath_node *node,
                             struct kind_of of)
{
    if (of.what == ANY || of.what == NOTHING ||
        (of.what == FHIR && is_open(of.type))) {
        return (struct kind_of){.what = of.what == NOTHING ? NOTHING : ANY};
    }
    if (of.what == CHOICE) {
        return choice_member(c, node, of);
    }
    const struct stile_fhir_type *type = of.type;
    if (of.what == SYSTEM || stile_fhir_type_is_primitive(type)) {
        type = stile_fhir_type(STILE_STR("Element"));
    }
    const struct stile_fhir_element *e =
        of.what == FHIR && type != NULL ? stile_fhir_element(type, node->text)
                                        : NULL;
    if (e != NULL) {
        return element_kind(type, e);
    }
    if (of.what == FHIR) {
        unknown_element(c, node, of.type);
    } else {
        (void)report(c, "M105", node->word, "%.*s has no elements",
                     STILE_FMT(name_of(of)));
    }
    return (struct kind_of){.what = ANY};
}

static struct kind_of first_name(struct checker *c,
                                 const struct stile_fhirpath_node *node,
                                 struct kind_of focus)
{
    if (focus.what == FHIR &&
        stile__fp_fhir_is(focus.type, STILE_STR("Resource")) &&
        stile__fp_fhir_is(focus.type, node->text)) {
        return focus;
    }
    const struct stile_fhir_type *named = stile_fhir_type(node->text);
    if (focus.what == ANY && named != NULL &&
        stile_fhir_type_is_resource(named)) {
        return fhir_kind(named);
    }
    return member(c, node, focus);
}

/* ---- functions ---- */

static void unknown_function(struct checker *c,
                             const struct stile_fhirpath_node *node)
{
    struct stile_str names[FN_COUNT_OF];
    for (size_t i = 0; i < FN_COUNT_OF; i++) {
        names[i] = stile_str_cstr(stile__fp_functions[i].name);
    }
    if (stile__fp_left_out(node->text)) {
        (void)report(c, "M121", node->word,
                     "%.*s() is outside the FHIRPath subset of stile",
                     STILE_FMT(node->text));
        return;
    }
    struct stile_diag *diag =
        report(c, "M122", node->word, "FHIRPath has no function '%.*s'",
               STILE_FMT(node->text));
    stile_diag_suggest(c->diags, diag, node->text, names + 1, FN_COUNT_OF - 1);
}

static void takes(struct checker *c, struct stile_span span, struct kind_of k,
                  enum stile_fhirpath_kind wanted, const char *who)
{
    if (!may_be(k, wanted)) {
        (void)report(c, "M221", span, "%s takes a %s, and this is a %.*s", who,
                     stile__fp_system_name(wanted), STILE_FMT(name_of(k)));
    }
}

static struct kind_of to_type(struct checker *c, struct stile_str name,
                              struct stile_span span, struct kind_of of,
                              bool test)
{
    if (!stile__fp_type_known(name)) {
        /* A sound name that nothing can be: `is` says false. */
        if (test && !c->strict &&
            stile_str_starts(name, STILE_STR("System."))) {
            return (struct kind_of){.what = ANY};
        }
        (void)report(c, "M123", span,
                     "'%.*s' is no type of FHIR R4 or FHIRPath",
                     STILE_FMT(name));
        return (struct kind_of){.what = ANY};
    }
    if (stile_str_starts(name, STILE_STR("FHIR."))) {
        name = stile_str_sub(name, 5, name.len - 5);
    }
    const struct stile_fhir_type *type = stile_fhir_type(name);
    bool fits = of.what != CHOICE || type == NULL;
    for (size_t i = 0; !fits && i < of.element->type_count; i++) {
        const struct stile_fhir_type *t =
            stile_fhir_element_type(of.type, of.element, i);
        fits = t != NULL && stile__fp_fhir_is(t, name);
    }
    if (!fits && c->strict) {
        (void)report(c, "M221", span, "'%.*s' can have no value of type %.*s",
                     STILE_FMT(of.element->name), STILE_FMT(name));
    }
    return fhir_kind(type);
}

static struct kind_of iif_kind(struct checker *c,
                               const struct stile_fhirpath_node *node,
                               struct kind_of focus)
{
    struct kind_of cond = check(c, node->args, focus);
    takes(c, node->args->span, cond, STILE_FP_BOOLEAN, "iif()");
    struct kind_of yes = check(c, node->args->next, focus);
    if (node->args->next->next == NULL) {
        return yes;
    }
    struct kind_of no = check(c, node->args->next->next, focus);
    bool same = yes.what == no.what && yes.type == no.type &&
                yes.system == no.system && yes.element == no.element;
    return same || no.what == NOTHING ? yes
           : yes.what == NOTHING      ? no
                                      : (struct kind_of){.what = ANY};
}

static struct kind_of text_call(struct checker *c,
                                const struct stile_fhirpath_node *node,
                                struct kind_of input, struct kind_of focus)
{
    const char *name = stile__fp_functions[node->function].name;
    struct kind_of arg = check(c, node->args, focus);
    takes(c, node->args->span, arg, STILE_FP_STRING, name);
    if (node->function == FN_EXTENSION) {
        return fhir_kind(stile_fhir_type(STILE_STR("Extension")));
    }
    takes(c, node->word, input, STILE_FP_STRING, name);
    return system_kind(STILE_FP_BOOLEAN);
}

static struct kind_of resolve_kind(struct checker *c,
                                   const struct stile_fhirpath_node *node,
                                   struct kind_of input)
{
    bool fits = input.what != FHIR || is_open(input.type) ||
                stile__fp_fhir_is(input.type, STILE_STR("Reference")) ||
                may_be(input, STILE_FP_STRING);
    if (!fits) {
        (void)report(c, "M221", node->word,
                     "resolve() takes a Reference, and this is a %.*s",
                     STILE_FMT(name_of(input)));
    }
    return (struct kind_of){.what = ANY};
}

static struct kind_of known_call(struct checker *c,
                                 const struct stile_fhirpath_node *node,
                                 struct kind_of input, struct kind_of focus)
{
    switch ((enum fp_function)node->function) {
    case FN_WHERE:
        (void)check(c, node->args, input);
        return input;
    case FN_SELECT:
        return check(c, node->args, input);
    case FN_ALL:
    case FN_EXISTS:
        if (node->args != NULL) {
            (void)check(c, node->args, input);
        }
        return system_kind(STILE_FP_BOOLEAN);
    case FN_IIF:
        return iif_kind(c, node, node->a != NULL ? input : focus);
    case FN_FIRST:
    case FN_LAST:
    case FN_SINGLE:
        return input;
    case FN_AS:
    case FN_OF_TYPE:
        return to_type(c, node->unit, node->args->span, input, false);
    case FN_IS:
        (void)to_type(c, node->unit, node->args->span,
                      (struct kind_of){.what = ANY}, true);
        return system_kind(STILE_FP_BOOLEAN);
    case FN_COUNT:
        return system_kind(STILE_FP_INTEGER);
    case FN_CONTAINS:
    case FN_STARTS_WITH:
    case FN_EXTENSION:
        return text_call(c, node, input, focus);
    case FN_RESOLVE:
        return resolve_kind(c, node, input);
    default:
        return system_kind(STILE_FP_BOOLEAN);
    }
}

static struct kind_of call(struct checker *c,
                           const struct stile_fhirpath_node *node,
                           struct kind_of focus)
{
    const struct fp_function_facts *facts =
        &stile__fp_functions[node->function];
    struct kind_of input = node->a != NULL ? check(c, node->a, focus) : focus;
    if (node->function == FN_NONE) {
        unknown_function(c, node);
        return (struct kind_of){.what = ANY};
    }
    if (node->arguments < facts->least || node->arguments > facts->most) {
        (void)report(c, "M224", node->word,
                     "%s() takes %u%s argument%s, and %u %s given", facts->name,
                     facts->least, facts->most > facts->least ? " or more" : "",
                     facts->most == 1 ? "" : "s", node->arguments,
                     node->arguments == 1 ? "is" : "are");
        return (struct kind_of){.what = ANY};
    }
    return known_call(c, node, input, focus);
}

/* ---- operators ---- */

static struct kind_of both_sides(struct checker *c,
                                 const struct stile_fhirpath_node *node,
                                 struct kind_of focus)
{
    struct kind_of a = check(c, node->a, focus);
    struct kind_of b = check(c, node->b, focus);
    switch (node->kind) {
    case STILE_FP_CONCAT:
        takes(c, node->a->span, a, STILE_FP_STRING, "'&'");
        takes(c, node->b->span, b, STILE_FP_STRING, "'&'");
        return system_kind(STILE_FP_STRING);
    case STILE_FP_INDEX:
        takes(c, node->b->span, b, STILE_FP_INTEGER, "an index");
        return a;
    case STILE_FP_LT:
    case STILE_FP_LE:
    case STILE_FP_GT:
    case STILE_FP_GE: {
        bool ordered = value_kind(a) != STILE_FP_BOOLEAN &&
                       value_kind(b) != STILE_FP_BOOLEAN &&
                       value_kind(a) != STILE_FP_COMPLEX &&
                       value_kind(b) != STILE_FP_COMPLEX;
        if (!ordered || !alike(a, b)) {
            (void)report(c, "M221", node->word,
                         "a %.*s and a %.*s cannot be put in order",
                         STILE_FMT(name_of(a)), STILE_FMT(name_of(b)));
        }
        break;
    }
    case STILE_FP_EQ:
    case STILE_FP_NE:
    case STILE_FP_IN:
    case STILE_FP_CONTAINS:
        if (c->strict && !alike(a, b)) {
            (void)report(c, "M221", node->word,
                         "a %.*s is never equal to a %.*s",
                         STILE_FMT(name_of(a)), STILE_FMT(name_of(b)));
        }
        break;
    default:
        break;
    }
    return system_kind(STILE_FP_BOOLEAN);
}

static struct kind_of outside(struct checker *c,
                              const struct stile_fhirpath_node *node,
                              struct kind_of focus)
{
    struct stile_span span = node->word.len > 0 ? node->word : node->span;
    if (node->a != NULL) {
        (void)check(c, node->a, focus);
    }
    if (node->b != NULL) {
        (void)check(c, node->b, focus);
    }
    (void)report(c, "M121", span,
                 "'%.*s' is outside the FHIRPath subset of stile",
                 STILE_FMT(node->text));
    return (struct kind_of){.what = ANY};
}

static struct kind_of check(struct checker *c,
                            const struct stile_fhirpath_node *node,
                            struct kind_of focus)
{
    switch (node->kind) {
    case STILE_FP_EMPTY:
        return (struct kind_of){.what = NOTHING};
    case STILE_FP_THIS:
        return focus;
    case STILE_FP_MEMBER:
        return node->a == NULL ? first_name(c, node, focus)
                               : member(c, node, check(c, node->a, focus));
    case STILE_FP_CALL:
        return call(c, node, focus);
    case STILE_FP_IS:
        (void)check(c, node->a, focus);
        (void)to_type(c, node->text, node->word, (struct kind_of){.what = ANY},
                      true);
        return system_kind(STILE_FP_BOOLEAN);
    case STILE_FP_AS:
        return to_type(c, node->text, node->word, check(c, node->a, focus),
                       false);
    case STILE_FP_OUTSIDE:
        return outside(c, node, focus);
    default:
        return node->kind <= STILE_FP_QUANTITY ? system_kind(node->kind)
                                               : both_sides(c, node, focus);
    }
}

enum stile_status stile_fhirpath_check(const struct stile_fhirpath *path,
                                       struct stile_str type, bool strict,
                                       struct stile_diags *diags,
                                       bool *ret_boolean)
{
    struct checker c = {.path = path, .diags = diags, .strict = strict};
    struct kind_of root =
        check(&c, path->root, fhir_kind(stile_fhir_type(type)));
    if (c.wrong || c.outside) {
        return c.wrong ? STILE_INVALID : STILE_UNSUPPORTED;
    }
    if (ret_boolean != NULL) {
        *ret_boolean = value_kind(root) == STILE_FP_BOOLEAN;
    }
    return STILE_OK;
}
