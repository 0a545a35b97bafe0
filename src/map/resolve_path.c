/* A written path to members, items and selections of FHIR types. */
#include "map_private.h"

static bool resolve(struct stile__cc *cc, const struct stile_fhir_type *root,
                    const struct stile_lang_path *path, bool reading,
                    struct stile__path *ret);

struct walk {
    struct stile__cc *cc;
    bool reading;
    struct stile__path *out;
    struct stile_buf canon;
    uint32_t capacity;
    const struct stile_fhir_type *type;
    const struct stile_fhir_type *owner;      /* the pending choice's type */
    const struct stile_fhir_element *choice;  /* ofType() is due */
    const struct stile_fhir_element *element; /* the last member */
    bool list;                                /* an item is due */
    bool top;
};

static struct stile__step *add_step(struct walk *w, enum stile__step_kind kind)
{
    if (w->out->count == w->capacity) {
        uint32_t grown = w->capacity == 0 ? 8 : 2 * w->capacity;
        struct stile__step *more =
            stile_arena_array(w->cc->arena, grown, sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        if (w->out->count > 0) {
            memcpy(more, w->out->steps, w->out->count * sizeof *more);
        }
        w->out->steps = more;
        w->capacity = grown;
    }
    struct stile__step *step = &w->out->steps[w->out->count++];
    *step = (struct stile__step){.kind = kind};
    return step;
}

static void end_step(struct walk *w, struct stile__step *step)
{
    step->into = w->type;
    step->canon_end = (uint32_t)w->canon.len;
}

static void unknown_element(struct walk *w, const struct stile_lang_step *from)
{
    struct stile_str *names = NULL;
    size_t count =
        stile_fhir_element_names(w->type, w->cc->diags->arena, &names);
    struct stile_diag *diag = stile__map_report(
        w->cc, "M105", from->word.span, "%.*s has no element '%.*s'",
        STILE_FMT(stile_fhir_type_name(w->type)), STILE_FMT(from->word.text));
    stile_diag_suggest(w->cc->diags, diag, from->word.text, names, count);
}

static uint16_t order_of(const struct stile_fhir_type *type,
                         const struct stile_fhir_element *element)
{
    size_t count = stile_fhir_element_count(type);
    for (size_t i = 0; i < count; i++) {
        if (stile_fhir_element_at(type, i) == element) {
            return (uint16_t)(i + 1);
        }
    }
    return 0;
}

/* Reading through a choice without ofType: the first type that goes on. */
static bool settle_choice(struct walk *w, const struct stile_lang_step *next)
{
    if (w->choice == NULL) {
        return true;
    }
    if (!w->reading) {
        (void)stile__map_report(
            w->cc, "M203", next != NULL ? next->span : w->out->span,
            "'%.*s' has a choice of types; add .ofType(Type)",
            STILE_FMT(w->choice->name));
        return false;
    }
    const struct stile_fhir_type *first = NULL, *fit = NULL;
    for (size_t i = 0; i < w->choice->type_count; i++) {
        const struct stile_fhir_type *t =
            stile_fhir_element_type(w->owner, w->choice, i);
        first = first != NULL ? first : t;
        if (fit == NULL && t != NULL && next != NULL &&
            next->kind == STILE_LANG_MEMBER &&
            stile_fhir_element(t, next->word.text) != NULL) {
            fit = t;
        }
    }
    struct stile__step *step = add_step(w, STEP_CHOICE);
    if (step == NULL) {
        return false;
    }
    step->type = w->owner;
    step->element = w->choice;
    w->type = fit != NULL ? fit : first;
    w->choice = NULL;
    end_step(w, step);
    return true;
}

static bool settle_list(struct walk *w, const struct stile_lang_step *at)
{
    if (!w->list) {
        return true;
    }
    if (!w->reading) {
        (void)stile__map_report(
            w->cc, "M302", at != NULL ? at->span : w->out->span,
            "'%.*s' is a list; say which item with [0], where() or "
            "extension()",
            STILE_FMT(w->element->name));
        return false;
    }
    struct stile__step *step = add_step(w, STEP_ITEM);
    if (step == NULL) {
        return false;
    }
    w->list = false;
    end_step(w, step);
    return true;
}

static bool enter(struct walk *w, const struct stile_fhir_type *owner,
                  const struct stile_fhir_element *element,
                  const struct stile_fhir_type *type, struct stile_str name)
{
    struct stile__step *step = add_step(w, STEP_MEMBER);
    if (step == NULL) {
        return false;
    }
    step->name = name;
    step->list = element->many;
    step->element = element;
    step->order = order_of(owner, element);
    w->type = type;
    w->element = element;
    w->list = element->many;
    end_step(w, step);
    return true;
}

/* extension on a primitive stands beside it: birthDate -> _birthDate. */
static bool beside_primitive(struct walk *w)
{
    struct stile__step *last =
        w->out->count > 0 ? &w->out->steps[w->out->count - 1] : NULL;
    if (last == NULL || last->kind != STEP_MEMBER || last->list ||
        w->type == NULL || !stile_fhir_type_is_primitive(w->type)) {
        return true;
    }
    last->name =
        stile_arena_printf(w->cc->arena, "_%.*s", STILE_FMT(last->name));
    stile_buf_addc(&w->canon, "._");
    w->type = stile_fhir_type(STILE_STR("Element"));
    end_step(w, last);
    return w->type != NULL;
}

static bool member(struct walk *w, const struct stile_lang_step *from)
{
    struct stile_str name = from->kind == STILE_LANG_EXTENSION
                                ? STILE_STR("extension")
                                : from->word.text;
    if (!settle_choice(w, from) || !settle_list(w, from)) {
        return false;
    }
    if (from->kind == STILE_LANG_EXTENSION && !beside_primitive(w)) {
        return false;
    }
    const struct stile_fhir_element *element =
        w->type != NULL ? stile_fhir_element(w->type, name) : NULL;
    if (element == NULL) {
        if (w->type != NULL) {
            unknown_element(w, from);
        }
        return false;
    }
    if (w->canon.len > 0) {
        stile_buf_byte(&w->canon, '.');
    }
    stile_buf_add(&w->canon, name);
    w->top = false;
    if (element->choice) {
        w->choice = element;
        w->owner = w->type;
        w->element = element;
        return true;
    }
    return enter(w, w->type, element,
                 stile_fhir_element_type(w->type, element, 0), name);
}

static bool of_type(struct walk *w, const struct stile_lang_step *from)
{
    if (w->choice == NULL) {
        (void)stile__map_report(w->cc, "M204", from->span,
                                "ofType() stands after a choice element only");
        return false;
    }
    for (size_t i = 0; i < w->choice->type_count; i++) {
        const struct stile_fhir_type *t =
            stile_fhir_element_type(w->owner, w->choice, i);
        if (t == NULL ||
            !stile_str_eq(stile_fhir_type_name(t), from->word.text)) {
            continue;
        }
        char json[96];
        struct stile_str name = stile_arena_str(
            w->cc->arena, stile_fhir_json_name(w->choice, t, json));
        const struct stile_fhir_element *choice = w->choice;
        w->choice = NULL;
        stile_buf_printf(&w->canon, "[x]%.*s", STILE_FMT(from->word.text));
        return enter(w, w->owner, choice, t, name);
    }
    (void)stile__map_report(
        w->cc, "M204", from->word.span, "'%.*s' is no type of '%.*s'",
        STILE_FMT(from->word.text), STILE_FMT(w->choice->name));
    return false;
}

static bool index_step(struct walk *w, const struct stile_lang_step *from)
{
    if (!w->list) {
        (void)stile__map_report(w->cc, "M303", from->span,
                                "this element is no list; remove the index");
        return false;
    }
    struct stile__step *step = add_step(w, STEP_ITEM);
    if (step == NULL) {
        return false;
    }
    step->index = from->index;
    w->list = false;
    stile_buf_printf(&w->canon, "[%u]", from->index);
    end_step(w, step);
    return true;
}

static struct stile_str literal_text(const struct stile_lang_literal *lit)
{
    switch (lit->kind) {
    case STILE_LANG_TRUE:
        return STILE_STR("true");
    case STILE_LANG_FALSE:
        return STILE_STR("false");
    default:
        return lit->text;
    }
}

/* Matches in canonical order, so the same where() reads the same. */
static void write_matches(struct walk *w, const struct stile__match *matches,
                          uint32_t count)
{
    struct stile_str last = STILE_STR_NULL;
    stile_buf_byte(&w->canon, '(');
    for (uint32_t n = 0; n < count; n++) {
        const struct stile__match *least = NULL;
        for (uint32_t i = 0; i < count; i++) {
            struct stile_str c = matches[i].path.canon;
            if ((n == 0 || stile_str_cmp(c, last) > 0) &&
                (least == NULL || stile_str_cmp(c, least->path.canon) < 0)) {
                least = &matches[i];
            }
        }
        if (least == NULL) {
            break;
        }
        last = least->path.canon;
        stile_buf_printf(&w->canon, "%s%.*s=", n > 0 ? "," : "",
                         STILE_FMT(last));
        stile_buf_json_str(&w->canon, least->literal);
    }
    stile_buf_byte(&w->canon, ')');
}

static bool select_step(struct walk *w, struct stile__match *matches,
                        uint32_t count)
{
    struct stile__step *step = add_step(w, STEP_SELECT);
    if (step == NULL) {
        return false;
    }
    step->matches = matches;
    step->match_count = count;
    w->list = false;
    write_matches(w, matches, count);
    end_step(w, step);
    return true;
}

static bool where_step(struct walk *w, const struct stile_lang_step *from)
{
    uint32_t count = 0;
    if (!w->list) {
        (void)stile__map_report(w->cc, "M303", from->span,
                                "where() stands after a list only");
        return false;
    }
    for (const struct stile_lang_match *m = from->matches; m; m = m->next) {
        count++;
    }
    struct stile__match *matches =
        stile_arena_array(w->cc->arena, count, sizeof *matches);
    if (matches == NULL) {
        return false;
    }
    count = 0;
    for (const struct stile_lang_match *m = from->matches; m; m = m->next) {
        struct stile__match *to = &matches[count++];
        if (!resolve(w->cc, w->type, m->path, false, &to->path) ||
            !stile__literal_fits(w->cc, &to->path, m->literal)) {
            return false;
        }
        to->literal = literal_text(m->literal);
        to->kind = to->path.kind;
    }
    return select_step(w, matches, count);
}

static bool extension_step(struct walk *w, const struct stile_lang_step *from)
{
    struct stile__match *match = stile_arena_alloc(w->cc->arena, sizeof *match);
    struct stile_lang_step *url = stile_arena_alloc(w->cc->arena, sizeof *url);
    if (match == NULL || url == NULL || !member(w, from)) {
        return false;
    }
    url->kind = STILE_LANG_MEMBER;
    url->word = (struct stile_lang_word){STILE_STR("url"), from->span};
    struct stile_lang_path path = {.steps = url, .span = from->span};
    if (!resolve(w->cc, w->type, &path, false, &match->path)) {
        return false;
    }
    match->literal = from->word.text;
    match->kind = STILE_STRING;
    return select_step(w, match, 1);
}

static bool one_step(struct walk *w, const struct stile_lang_step *from)
{
    switch (from->kind) {
    case STILE_LANG_MEMBER:
        return member(w, from);
    case STILE_LANG_INDEX:
        return index_step(w, from);
    case STILE_LANG_WHERE:
        return where_step(w, from);
    case STILE_LANG_OF_TYPE:
        return of_type(w, from);
    case STILE_LANG_EXTENSION:
        return extension_step(w, from);
    }
    return false;
}

static const struct stile_lang_step *
let_steps(const struct stile__cc *cc, const struct stile_lang_path *path)
{
    const struct stile_lang_step *first = path->steps;
    for (const struct stile_lang_let *l = cc->tree->lets; l; l = l->next) {
        if (first->kind == STILE_LANG_MEMBER && l->path != path &&
            stile_str_eq(l->name.text, first->word.text)) {
            return l->path->steps;
        }
    }
    return NULL;
}

static bool all_steps(struct walk *w, const struct stile_lang_path *path,
                      bool at_root)
{
    const struct stile_lang_step *rest = path->steps;
    const struct stile_lang_step *let = at_root ? let_steps(w->cc, path) : NULL;
    for (const struct stile_lang_step *s = let; s != NULL; s = s->next) {
        if (!one_step(w, s)) {
            return false;
        }
    }
    rest = let != NULL ? rest->next : rest;
    for (; rest != NULL; rest = rest->next) {
        if (!one_step(w, rest)) {
            return false;
        }
    }
    return true;
}

static bool finish_path(struct walk *w)
{
    struct stile__path *out = w->out;
    if (w->choice != NULL && !settle_choice(w, NULL)) {
        return false;
    }
    if (w->list && w->reading && !settle_list(w, NULL)) {
        return false;
    }
    out->open_list = w->list;
    out->element = w->element;
    if (w->type != NULL && stile__type_fits(w->type) == FITS_REFERENCE &&
        !w->list) {
        struct stile__step *step = add_step(w, STEP_MEMBER);
        if (step == NULL) {
            return false;
        }
        step->name = STILE_STR("reference");
        step->element = stile_fhir_element(w->type, step->name);
        stile_buf_addc(&w->canon, ".reference");
        end_step(w, step);
        out->reference = true;
    }
    out->type = w->type;
    out->kind = w->type != NULL && stile_fhir_type_is_primitive(w->type)
                    ? stile_fhir_primitive_kind(w->type)
                    : STILE_STRING;
    out->canon = stile_arena_str(w->cc->arena, stile_buf_str(&w->canon));
    return true;
}

static bool walk_path(struct walk *w, const struct stile_lang_path *path,
                      bool at_root, struct stile__path *ret)
{
    bool ok = w->type != NULL && all_steps(w, path, at_root) &&
              finish_path(w) && w->canon.status == STILE_OK;
    stile_buf_release(&w->canon);
    if (ok) {
        *ret = *w->out;
    }
    return ok;
}

/* Of a where(): from the item it chooses. */
static bool resolve(struct stile__cc *cc, const struct stile_fhir_type *root,
                    const struct stile_lang_path *path, bool reading,
                    struct stile__path *ret)
{
    struct stile__path out = {.span = path->span};
    struct walk w = {.cc = cc, .reading = reading, .out = &out, .type = root};
    stile_buf_init(&w.canon, 1 << 16);
    return walk_path(&w, path, false, ret);
}

bool stile__resolve_path(struct stile__cc *cc,
                         const struct stile_lang_path *path, bool reading,
                         struct stile__path *ret)
{
    struct stile__path out = {.span = path->span};
    struct walk w = {.cc = cc,
                     .reading = reading,
                     .out = &out,
                     .type =
                         cc->each != NULL ? cc->each->item : cc->mapping->type};
    stile_buf_init(&w.canon, 1 << 16);
    if (cc->each != NULL) {
        stile_buf_add(&w.canon, cc->each->base);
    }
    return walk_path(&w, path, cc->each == NULL, ret);
}
