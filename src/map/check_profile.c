/* What a profile asks beyond FHIR R4, and what references may name. */
#include "map_private.h"

static const struct stile__path *writes(const struct stile__rule *r)
{
    return r->rightward ? r->paths : NULL;
}

/* Not on the way; or above the item in which the path begins. */
#define NO_STEP UINT32_MAX
#define ABOVE (UINT32_MAX - 1u)

/* Takes the names of the path's members off `dotted`; false: others. *ret is
 * the step at which it came to its end, or NO_STEP. */
static bool follow(const struct stile__path *p, struct stile_str *dotted,
                   uint32_t *ret)
{
    struct stile_str name;
    *ret = NO_STEP;
    for (uint32_t i = 0; i < p->count && dotted->len > 0; i++) {
        const struct stile__step *s = &p->steps[i];
        if (s->kind != STEP_MEMBER || s->element == NULL) {
            continue;
        }
        if (!stile_str_next(dotted, '.', &name) ||
            !stile_str_eq(name, s->element->name)) {
            return false;
        }
        *ret = dotted->len == 0 ? i : NO_STEP;
    }
    return true;
}

/* The step that ends at the element, by its members' names. */
static uint32_t step_at(const struct stile__rule *r, struct stile_str dotted)
{
    uint32_t at = NO_STEP;
    if (dotted.len == 0) {
        return NO_STEP;
    }
    if (r->each != NULL) {
        if (!follow(&r->each->list, &dotted, &at)) {
            return NO_STEP;
        }
        if (dotted.len == 0) {
            return ABOVE;
        }
    }
    return follow(r->paths, &dotted, &at) ? at : NO_STEP;
}

static struct stile_str canon_to(const struct stile__path *p, uint32_t step)
{
    return stile_str_sub(p->canon, 0, p->steps[step].canon_end);
}

/* The item chosen right after a list's step, or NO_STEP. */
static uint32_t item_after(const struct stile__path *p, uint32_t step)
{
    bool item = step < p->count && p->steps[step].list && step + 1 < p->count &&
                (p->steps[step + 1].kind == STEP_ITEM ||
                 p->steps[step + 1].kind == STEP_SELECT);
    return item ? step + 1 : NO_STEP;
}

static bool plain_constant(const struct stile__rule *r)
{
    return r->stmt->kind == STILE_LANG_CONSTANT && r->stmt->cases->cond == NULL;
}

/* Does the item at `step` have the slice's key = value, by its where() or by
 * a constant line? */
static bool in_slice(const struct stile__rule *rules,
                     const struct stile__path *p, uint32_t step,
                     const struct stile_profile_element *e)
{
    const struct stile__step *s = &p->steps[step];
    for (uint32_t m = 0; m < s->match_count; m++) {
        if (stile_str_eq(s->matches[m].path.canon, e->key)) {
            return stile_str_eq(s->matches[m].literal, e->value);
        }
    }
    struct stile_str at = canon_to(p, step);
    for (const struct stile__rule *r = rules; r != NULL; r = r->next) {
        struct stile_str canon =
            writes(r) != NULL ? r->paths->canon : STILE_STR_NULL;
        if (canon.len == at.len + 1 + e->key.len && plain_constant(r) &&
            stile_str_starts(canon, at) && stile_str_ends(canon, e->key) &&
            stile_str_eq(r->stmt->cases->literal->text, e->value)) {
            return true;
        }
    }
    return false;
}

/* Does the path go through the element, and its slice when it has one? */
static bool goes_through(const struct stile__rule *rules,
                         const struct stile__rule *r,
                         const struct stile_profile_element *e)
{
    if (step_at(r, e->path) == NO_STEP) {
        return false;
    }
    uint32_t item = item_after(r->paths, step_at(r, e->sliced));
    return e->slice.len == 0 ||
           (item != NO_STEP && in_slice(rules, r->paths, item, e));
}

bool stile__profile_written(const struct stile__rule *rules,
                            const struct stile_profile_element *element)
{
    for (const struct stile__rule *r = rules; r != NULL; r = r->next) {
        if (writes(r) != NULL && goes_through(rules, r, element)) {
            return true;
        }
    }
    return false;
}

/* ---- mandatory ---- */

static void not_written(struct stile__cc *cc, struct stile_span span,
                        const struct stile_profile_element *e)
{
    bool slice = e->slice.len > 0;
    (void)stile__map_report(
        cc, "M506", span, "%.*s makes '%.*s'%s%.*s mandatory; write it %s",
        STILE_FMT(cc->mapping->profile->name), STILE_FMT(e->path),
        slice ? " of slice " : "", STILE_FMT(e->slice),
        span.offset == cc->tree->profile.span.offset ? "for every row"
                                                     : "beside this");
}

/* The canonical text of the element, or of its item, that the path goes
 * through; NULL: it does not, or ends there. */
static struct stile_str whole_at(const struct stile__rule *r,
                                 struct stile_str parent,
                                 const struct stile_fhir_type **ret_type)
{
    const struct stile__path *p = r->paths;
    uint32_t at = step_at(r, parent);
    if (at == ABOVE) {
        /* Its item is the each's, when the list ends there. */
        const struct stile__path *list = &r->each->list;
        uint32_t end = NO_STEP;
        bool here = follow(list, &parent, &end) && end + 1 == list->count;
        *ret_type = r->each->item;
        return here ? r->each->base : STILE_STR_NULL;
    }
    uint32_t whole =
        at < p->count && p->steps[at].list ? item_after(p, at) : at;
    if (whole >= p->count || whole + 1 == p->count) {
        return STILE_STR_NULL;
    }
    *ret_type = p->steps[whole].into;
    return canon_to(p, whole);
}

/* Below a written element: identifier.system. */
static void check_below(struct stile__cc *cc, const struct stile__rule *r,
                        const struct stile_profile_element *e,
                        struct stile_str parent, struct stile_str leaf)
{
    const struct stile_fhir_type *type = NULL;
    struct stile_str at = whole_at(r, parent, &type);
    uint32_t sliced = item_after(r->paths, step_at(r, e->sliced));
    if (at.len == 0 ||
        (e->slice.len > 0 &&
         (sliced == NO_STEP || !in_slice(cc->rules, r->paths, sliced, e)))) {
        return;
    }
    const struct stile_fhir_element *base =
        type != NULL ? stile_fhir_element(type, leaf) : NULL;
    if ((base == NULL || base->min == 0) &&
        !stile__written_inside(cc->rules, at, leaf)) {
        not_written(cc, r->paths->span, e);
    }
}

static bool slice_always_written(const struct stile__cc *cc,
                                 const struct stile_profile_element *e)
{
    for (const struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (writes(r) != NULL && r->guard == NULL &&
            goes_through(cc->rules, r, e)) {
            return true;
        }
    }
    return false;
}

static void check_min(struct stile__cc *cc,
                      const struct stile_profile_element *e)
{
    size_t dot = SIZE_MAX;
    for (size_t i = 0; i < e->path.len; i++) {
        dot = e->path.ptr[i] == '.' ? i : dot;
    }
    if (e->min == 0) {
        return;
    }
    if (dot != SIZE_MAX) {
        for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
            if (writes(r) != NULL) {
                check_below(
                    cc, r, e, stile_str_sub(e->path, 0, dot),
                    stile_str_sub(e->path, dot + 1, e->path.len - dot - 1));
            }
        }
        return;
    }
    const struct stile_fhir_element *base =
        stile_fhir_element(cc->mapping->type, e->path);
    bool written = e->slice.len > 0 ? slice_always_written(cc, e)
                                    : stile__always_written(cc, e->path);
    if (!written && (base == NULL || base->min == 0 || e->slice.len > 0)) {
        not_written(cc, cc->tree->profile.span, e);
    }
}

/* ---- how often ---- */

static void too_often(struct stile__cc *cc, const struct stile__path *p,
                      const struct stile__path *other,
                      const struct stile_profile_element *e)
{
    char many[32];
    (void)snprintf(many, sizeof many, "at most %u of", (unsigned)e->max);
    struct stile_diag *diag = stile__map_report(
        cc, "M307", p->span, "%.*s allows %s '%.*s'%s%.*s",
        STILE_FMT(cc->mapping->profile->name), e->max == 0 ? "no" : many,
        STILE_FMT(e->path), e->slice.len > 0 ? " in slice " : "",
        STILE_FMT(e->slice));
    if (diag != NULL && other != NULL) {
        stile_diag_second(diag, cc->source, other->span);
    }
}

/* Two lines that write two items of the list, both of them counted. */
static bool two_items(const struct stile__cc *cc, const struct stile__rule *a,
                      const struct stile__rule *b,
                      const struct stile_profile_element *e)
{
    uint32_t i = step_at(a, e->path), j = step_at(b, e->path);
    uint32_t x = item_after(a->paths, i), y = item_after(b->paths, j);
    return x != NO_STEP && y != NO_STEP &&
           stile_str_eq(canon_to(a->paths, i), canon_to(b->paths, j)) &&
           !stile_str_eq(canon_to(a->paths, x), canon_to(b->paths, y)) &&
           !stile__guards_exclude(cc->source, a->guard, b->guard);
}

static void check_max(struct stile__cc *cc,
                      const struct stile_profile_element *e)
{
    if (e->max == UINT32_MAX) {
        return;
    }
    for (struct stile__rule *a = cc->rules; a != NULL; a = a->next) {
        if (writes(a) == NULL || !goes_through(cc->rules, a, e)) {
            continue;
        }
        uint32_t at = step_at(a, e->path);
        uint32_t item = item_after(a->paths, at);
        const struct stile_fhir_type *type = NULL;
        bool whole_list =
            e->max == 1 &&
            ((a->paths->open_list && at + 1 == a->paths->count) ||
             (at == ABOVE && whole_at(a, e->path, &type).len > 0));
        bool index = item != NO_STEP &&
                     a->paths->steps[item].kind == STEP_ITEM &&
                     a->paths->steps[item].index >= e->max;
        if (e->max == 0 || whole_list || index) {
            too_often(cc, a->paths, NULL, e);
            continue;
        }
        for (struct stile__rule *b = a->next; b && e->max == 1; b = b->next) {
            if (writes(b) != NULL && goes_through(cc->rules, b, e) &&
                two_items(cc, a, b, e)) {
                too_often(cc, b->paths, a->paths, e);
            }
        }
    }
}

/* ---- values ---- */

static void check_fixed(struct stile__cc *cc,
                        const struct stile_profile_element *e)
{
    if (e->fixed.len == 0) {
        return;
    }
    for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (writes(r) == NULL || !goes_through(cc->rules, r, e)) {
            continue;
        }
        bool same = plain_constant(r) &&
                    stile_str_eq(r->stmt->cases->literal->text, e->fixed);
        if (!same && step_at(r, e->path) + 1 == r->paths->count) {
            (void)stile__map_report(cc, "M407", r->paths->span,
                                    "%.*s allows '%.*s' here and nothing else",
                                    STILE_FMT(cc->mapping->profile->name),
                                    STILE_FMT(e->fixed));
        }
    }
}

/* What the lines say of the systems of an element's codes. */
struct systems {
    const struct stile__path *written; /* the first line inside */
    bool any, fit, unknown;
};

static void one_system(const struct stile__cc *cc, struct systems *s,
                       const struct stile_profile_element *e,
                       struct stile_str system)
{
    int draws = stile_schema_draws(cc->set->schema, e->value_set, system);
    s->any = true;
    s->fit = s->fit || draws == 1;
    s->unknown = s->unknown || draws < 0;
}

static void systems_of(const struct stile__cc *cc, struct systems *s,
                       const struct stile_profile_element *e,
                       const struct stile__rule *r)
{
    const struct stile__path *p = r->paths;
    const struct stile__step *last = &p->steps[p->count - 1];
    uint32_t from = step_at(r, e->path);
    for (uint32_t i = from == ABOVE ? 0 : from; i < p->count; i++) {
        for (uint32_t m = 0; m < p->steps[i].match_count; m++) {
            struct stile_str canon = p->steps[i].matches[m].path.canon;
            if (stile_str_eqc(canon, "system") ||
                stile_str_ends(canon, STILE_STR(".system"))) {
                one_system(cc, s, e, p->steps[i].matches[m].literal);
            }
        }
    }
    if (last->kind != STEP_MEMBER || !stile_str_eqc(last->name, "system")) {
        return;
    }
    if (r->stmt->kind != STILE_LANG_CONSTANT) {
        s->unknown = true; /* the row says it */
        return;
    }
    for (const struct stile_lang_case *c = r->stmt->cases; c; c = c->next) {
        if (c->literal->kind != STILE_LANG_ABSENT) {
            one_system(cc, s, e, c->literal->text);
        }
    }
}

static void check_binding(struct stile__cc *cc,
                          const struct stile_profile_element *e)
{
    struct systems s = {0};
    if (e->binding < STILE_BIND_EXTENSIBLE ||
        stile_schema_draws(cc->set->schema, e->value_set, e->path) < 0) {
        return; /* not bound, or nothing is known of the value set */
    }
    for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (writes(r) == NULL || !goes_through(cc->rules, r, e)) {
            continue;
        }
        s.written = s.written != NULL ? s.written : r->paths;
        systems_of(cc, &s, e, r);
    }
    bool required = e->binding == STILE_BIND_REQUIRED;
    if (s.written == NULL || s.fit || s.unknown || (!s.any && !required)) {
        return;
    }
    (void)stile__map_report(
        cc, required ? "M408" : "M409", s.written->span,
        "%.*s binds '%.*s' to %.*s, and no line writes a code of a system "
        "that it draws from",
        STILE_FMT(cc->mapping->profile->name), STILE_FMT(e->path),
        STILE_FMT(e->value_set));
}

/* ---- references ---- */

static bool named(const struct stile_str *targets, size_t count,
                  struct stile_str type)
{
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(targets[i], type)) {
            return true;
        }
    }
    return count == 0;
}

static void wrong_target(struct stile__cc *cc, const struct stile__rule *r,
                         struct stile_str by, const struct stile_str *targets,
                         size_t count)
{
    struct stile_buf list;
    stile_buf_init(&list, 2048);
    for (size_t i = 0; i < count; i++) {
        stile_buf_printf(&list, "%s%.*s", i > 0 ? ", " : "",
                         STILE_FMT(targets[i]));
    }
    (void)stile__map_report(
        cc, "M211", r->stmt->codec->span,
        "by %.*s '%.*s' does not refer to %.*s, but to: %.*s", STILE_FMT(by),
        STILE_FMT(r->paths->element->name), STILE_FMT(r->use->ref_type),
        STILE_FMT(stile_buf_str(&list)));
    stile_buf_release(&list);
}

static void check_target(struct stile__cc *cc, const struct stile__rule *r)
{
    const struct stile_fhir_element *element = r->paths->element;
    const struct stile_profile *profile = cc->mapping->profile;
    struct stile_str targets[64];
    size_t count = stile_fhir_target_count(element);
    for (size_t i = 0; i < count && i < 64; i++) {
        targets[i] = stile_fhir_target_at(element, i);
    }
    count = count < 64 ? count : 0;
    if (!named(targets, count, r->use->ref_type)) {
        wrong_target(cc, r, STILE_STR("FHIR R4"), targets, count);
        return;
    }
    for (size_t i = 0; profile != NULL && i < profile->count; i++) {
        const struct stile_profile_element *e = &profile->elements[i];
        uint32_t at = step_at(r, e->path);
        if (at < r->paths->count && r->paths->steps[at].element == element &&
            !named(e->targets, e->target_count, r->use->ref_type)) {
            wrong_target(cc, r, profile->name, e->targets, e->target_count);
        }
    }
}

void stile__check_profile(struct stile__cc *cc)
{
    const struct stile_profile *profile = cc->mapping->profile;
    for (struct stile__rule *r = cc->rules; r != NULL; r = r->next) {
        if (writes(r) != NULL && r->use != NULL && r->use->ref_type.len > 0 &&
            r->paths->element != NULL) {
            check_target(cc, r);
        }
    }
    for (size_t i = 0; profile != NULL && i < profile->count; i++) {
        const struct stile_profile_element *e = &profile->elements[i];
        check_min(cc, e);
        check_max(cc, e);
        check_fixed(cc, e);
        check_binding(cc, e);
    }
}
