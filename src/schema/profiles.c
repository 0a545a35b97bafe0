/* Reads a .profiles file (grammar in stile/schema.h), and its look-ups. */
#include "schema_private.h"

#define WORDS_MAX 32

struct loader {
    struct stile_schema *schema;
    const struct stile_source *source;
    struct stile_diags *diags;
    struct stile_profile *profile;          /* being read, or NULL */
    struct stile_profile_element *elements; /* of `profile` */
    const struct stile_profile **profiles;  /* read from this file */
    size_t count;
    struct stile__value_set *value_sets; /* of this file */
    size_t errors;
};

static void fail(struct loader *l, const char *code, struct stile_str word,
                 const char *message)
{
    struct stile_span span = {(uint32_t)(word.ptr - l->source->text.ptr),
                              (uint32_t)word.len};
    l->errors++;
    (void)stile_diag_at_source(l->diags, code, STILE_ERROR, l->source, span,
                               "%s", message);
}

static size_t split(struct loader *l, struct stile_str line,
                    struct stile_str *words)
{
    size_t count = 0;
    for (size_t i = 0; i < line.len;) {
        size_t start = i;
        while (i < line.len && line.ptr[i] != ' ' && line.ptr[i] != '\t' &&
               line.ptr[i] != '\r') {
            i++;
        }
        if (i == start) {
            i++;
            continue;
        }
        if (line.ptr[start] == '#') {
            break;
        }
        struct stile_str word = stile_str_sub(line, start, i - start);
        if (count == WORDS_MAX) {
            fail(l, "S205", word, "write fewer words on one line");
            return 0;
        }
        words[count++] = word;
    }
    return count;
}

static struct stile_str keep(struct loader *l, struct stile_str text)
{
    return stile_arena_str(l->schema->arena, text);
}

/* ---- an element's path ---- */

/* Does the type have the element, and its elements the next one? */
static bool path_known(const struct stile_fhir_type *type,
                       struct stile_str path)
{
    struct stile_str name;
    while (stile_str_next(&path, '.', &name)) {
        const struct stile_fhir_element *e =
            type != NULL ? stile_fhir_element(type, name) : NULL;
        if (e == NULL) {
            return false;
        }
        if (e->choice) {
            return true; /* below it any of its types' elements may stand */
        }
        type = stile_fhir_element_type(type, e, 0);
    }
    return true;
}

static const struct stile_profile_element *slice_of(const struct loader *l,
                                                    struct stile_str sliced,
                                                    struct stile_str slice)
{
    for (size_t i = 0; i < l->profile->count; i++) {
        const struct stile_profile_element *e = &l->elements[i];
        if (e->key.len > 0 && stile_str_eq(e->sliced, sliced) &&
            stile_str_eq(e->slice, slice)) {
            return e;
        }
    }
    return NULL;
}

/* "identifier:nhsNumber.value" to its path, list and slice. */
static bool read_path(struct loader *l, struct stile_str word,
                      struct stile_profile_element *e)
{
    size_t colon = stile_str_find(word, ':');
    struct stile_arena *arena = l->schema->arena;
    if (colon == SIZE_MAX) {
        e->path = keep(l, word);
    } else {
        struct stile_str rest =
            stile_str_sub(word, colon + 1, word.len - colon - 1);
        size_t dot = stile_str_find(rest, '.');
        dot = dot == SIZE_MAX ? rest.len : dot;
        e->sliced = keep(l, stile_str_sub(word, 0, colon));
        e->slice = keep(l, stile_str_sub(rest, 0, dot));
        e->path = stile_arena_printf(
            arena, "%.*s%.*s", STILE_FMT(e->sliced),
            STILE_FMT(stile_str_sub(rest, dot, rest.len - dot)));
    }
    if (stile_arena_failed(arena)) {
        return false;
    }
    if (!path_known(stile_fhir_type(l->profile->type), e->path)) {
        fail(l, "S203", word, "name an element of FHIR R4's type");
        return false;
    }
    return true;
}

/* ---- an element's words ---- */

static bool read_number(struct stile_str word, uint32_t *ret)
{
    int64_t n = 0;
    if (!stile_str_to_int64(word, &n) || n < 0 || n > 1000) {
        return false;
    }
    *ret = (uint32_t)n;
    return true;
}

static bool read_strength(struct stile_str word, enum stile_binding *ret)
{
    static const char *const names[] = {NULL, "example", "preferred",
                                        "extensible", "required"};
    for (size_t i = STILE_BIND_EXAMPLE; i <= STILE_BIND_REQUIRED; i++) {
        if (stile_str_eqc(word, names[i])) {
            *ret = (enum stile_binding)i;
            return true;
        }
    }
    return false;
}

static bool read_targets(struct loader *l, struct stile_str list,
                         struct stile_profile_element *e)
{
    struct stile_str rest = list, piece;
    size_t count = 0;
    while (stile_str_next(&rest, ',', &piece)) {
        count++;
    }
    struct stile_str *targets =
        stile_arena_array(l->schema->arena, count, sizeof *targets);
    count = 0;
    rest = list;
    while (targets != NULL && stile_str_next(&rest, ',', &piece)) {
        const struct stile_fhir_type *type = stile_fhir_type(piece);
        if (type == NULL || !stile_fhir_type_is_resource(type)) {
            fail(l, "S203", piece, "name a resource type of FHIR R4");
            return true;
        }
        targets[count++] = stile_fhir_type_name(type);
    }
    e->targets = targets;
    e->target_count = count;
    return true;
}

static bool read_where(struct loader *l, struct stile_str word,
                       struct stile_profile_element *e)
{
    size_t cut = stile_str_find(word, '=');
    if (cut == SIZE_MAX || cut == 0 || cut + 1 == word.len ||
        e->slice.len == 0) {
        return false;
    }
    e->key = keep(l, stile_str_sub(word, 0, cut));
    e->value = keep(l, stile_str_sub(word, cut + 1, word.len - cut - 1));
    return true;
}

/* The words after the path; the count read, or 0. */
static size_t read_word(struct loader *l, const struct stile_str *words,
                        size_t count, struct stile_profile_element *e)
{
    struct stile_str next = count > 1 ? words[1] : STILE_STR_NULL;
    if (stile_str_eqc(words[0], "must")) {
        e->must_support = true;
        return 1;
    }
    if (stile_str_eqc(words[0], "min") && read_number(next, &e->min)) {
        return 2;
    }
    if (stile_str_eqc(words[0], "max") && read_number(next, &e->max)) {
        return 2;
    }
    if (stile_str_eqc(words[0], "where") && read_where(l, next, e)) {
        return 2;
    }
    if (stile_str_eqc(words[0], "fixed") && next.len > 0) {
        e->fixed = keep(l, next);
        return 2;
    }
    if (stile_str_eqc(words[0], "to") && next.len > 0 &&
        read_targets(l, next, e)) {
        return 2;
    }
    if (stile_str_eqc(words[0], "bind") && count > 2 &&
        read_strength(next, &e->binding)) {
        e->value_set = keep(l, words[2]);
        return 3;
    }
    return 0;
}

/* Is what `where` compares an element of the slices? */
static bool key_known(struct loader *l, const struct stile_profile_element *e)
{
    struct stile_str path = stile_arena_printf(
        l->schema->arena, "%.*s.%.*s", STILE_FMT(e->sliced), STILE_FMT(e->key));
    return e->key.len == 0 || path.ptr == NULL ||
           path_known(stile_fhir_type(l->profile->type), path);
}

static void read_element(struct loader *l, const struct stile_str *words,
                         size_t count)
{
    struct stile_profile_element e = {.max = UINT32_MAX};
    if (!read_path(l, words[0], &e)) {
        return;
    }
    for (size_t i = 1; i < count;) {
        size_t read = read_word(l, &words[i], count - i, &e);
        if (read == 0) {
            fail(l, "S201", words[i],
                 "use min N, max N, must, where KEY=VALUE of a slice, bind "
                 "STRENGTH URL, fixed VALUE or to Type,Type here");
            return;
        }
        i += read;
    }
    if (e.min > e.max) {
        fail(l, "S206", words[0], "write a min that is no more than the max");
        return;
    }
    if (!key_known(l, &e)) {
        fail(l, "S203", words[0],
             "name an element of the slice's type before the = of where");
        return;
    }
    if (e.slice.len > 0 && e.key.len == 0) {
        const struct stile_profile_element *of = slice_of(l, e.sliced, e.slice);
        if (of == NULL) {
            fail(l, "S204", words[0],
                 "describe the slice first, with where KEY=VALUE");
            return;
        }
        e.key = of->key;
        e.value = of->value;
    }
    if (l->profile->count == STILE_PROFILE_ELEMENTS_MAX) {
        fail(l, "S205", words[0], "a profile has at most 512 lines");
        return;
    }
    l->elements[l->profile->count++] = e;
}

/* ---- statements ---- */

static void end_profile(struct loader *l)
{
    struct stile_profile *p = l->profile;
    if (p == NULL) {
        return;
    }
    struct stile_profile_element *elements =
        stile_arena_array(l->schema->arena, p->count, sizeof *elements);
    if (elements != NULL && p->count > 0) {
        memcpy(elements, l->elements, p->count * sizeof *elements);
    }
    p->elements = elements;
    l->profiles[l->count++] = p;
    l->profile = NULL;
}

static bool same(const struct stile_profile *p, struct stile_str name,
                 struct stile_str url)
{
    return stile_str_eq(p->name, name) || stile_str_eq(p->url, url);
}

static bool profile_known(const struct loader *l, struct stile_str name,
                          struct stile_str url)
{
    for (size_t i = 0; i < l->count; i++) {
        if (same(l->profiles[i], name, url)) {
            return true;
        }
    }
    for (size_t i = 0; i < l->schema->profile_count; i++) {
        if (same(l->schema->profiles[i], name, url)) {
            return true;
        }
    }
    return false;
}

static void read_profile(struct loader *l, const struct stile_str *words,
                         size_t count)
{
    end_profile(l);
    if (count != 6) {
        fail(l, "S201", words[0], "write profile NAME TYPE URL VERSION SOURCE");
        return;
    }
    if (stile_str_find(words[1], '|') != SIZE_MAX ||
        stile_str_find(words[3], '|') != SIZE_MAX) {
        fail(l, "S201", words[1],
             "write name and URL without a version behind |");
        return;
    }
    const struct stile_fhir_type *type = stile_fhir_type(words[2]);
    if (type == NULL || !stile_fhir_type_is_resource(type)) {
        fail(l, "S203", words[2], "name a resource type of FHIR R4");
        return;
    }
    if (profile_known(l, words[1], words[3])) {
        fail(l, "S202", words[1], "describe each profile once");
        return;
    }
    if (l->schema->profile_count + l->count == STILE_PROFILES_MAX) {
        fail(l, "S205", words[1], "load at most 512 profiles");
        return;
    }
    struct stile_profile *p = stile_arena_alloc(l->schema->arena, sizeof *p);
    if (p != NULL) {
        *p = (struct stile_profile){.name = keep(l, words[1]),
                                    .type = stile_fhir_type_name(type),
                                    .url = keep(l, words[3]),
                                    .version = keep(l, words[4])};
    }
    l->profile = p;
}

static void read_value_set(struct loader *l, const struct stile_str *words,
                           size_t count)
{
    end_profile(l);
    if (count < 3) {
        fail(l, "S201", words[0], "write valueset URL SYSTEM...");
        return;
    }
    struct stile__value_set *set =
        stile_arena_alloc(l->schema->arena, sizeof *set);
    struct stile_str *systems =
        stile_arena_array(l->schema->arena, count - 2, sizeof *systems);
    if (set == NULL || systems == NULL) {
        return;
    }
    for (size_t i = 2; i < count; i++) {
        systems[i - 2] = keep(l, words[i]);
    }
    *set = (struct stile__value_set){keep(l, words[1]), systems, count - 2,
                                     l->value_sets};
    l->value_sets = set;
}

static void read_line(struct loader *l, struct stile_str line)
{
    struct stile_str words[WORDS_MAX];
    size_t count = split(l, line, words);
    if (count == 0) {
        return;
    }
    if (stile_str_eqc(words[0], "profile")) {
        read_profile(l, words, count);
    } else if (stile_str_eqc(words[0], "valueset")) {
        read_value_set(l, words, count);
    } else if (l->profile != NULL) {
        read_element(l, words, count);
    } else if (l->errors == 0) {
        fail(l, "S201", words[0], "begin with profile or valueset");
    }
}

static enum stile_status take(struct loader *l)
{
    struct stile_schema *schema = l->schema;
    if (schema->profiles == NULL) {
        schema->profiles =
            stile_arena_array(schema->arena, STILE_PROFILES_MAX,
                              sizeof(const struct stile_profile *));
    }
    if (schema->profiles == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < l->count; i++) {
        schema->profiles[schema->profile_count++] = l->profiles[i];
    }
    while (l->value_sets != NULL) {
        struct stile__value_set *next = l->value_sets->next;
        l->value_sets->next = schema->value_sets;
        schema->value_sets = l->value_sets;
        l->value_sets = next;
    }
    return STILE_OK;
}

enum stile_status stile_schema_add_profiles(struct stile_schema *schema,
                                            const struct stile_source *source,
                                            struct stile_diags *diags)
{
    struct loader l = {.schema = schema, .source = source, .diags = diags};
    enum stile_status status = STILE_INVALID;
    struct stile_str rest = source->text, line;
    if (source->text.len > UINT32_MAX) {
        return STILE_LIMIT;
    }
    l.elements = calloc(STILE_PROFILE_ELEMENTS_MAX, sizeof *l.elements);
    l.profiles =
        calloc(STILE_PROFILES_MAX, sizeof(const struct stile_profile *));
    if (l.elements == NULL || l.profiles == NULL) {
        status = STILE_NOMEM;
        goto out;
    }
    while (stile_str_next(&rest, '\n', &line) &&
           !stile_arena_failed(schema->arena)) {
        read_line(&l, line);
    }
    end_profile(&l);
    if (stile_arena_failed(schema->arena)) {
        status = STILE_NOMEM;
    } else if (l.errors == 0) {
        status = take(&l);
    }
out:
    free(l.elements);
    free(l.profiles);
    return status;
}

/* ---- questions ---- */

static struct stile_str unversioned(struct stile_str url)
{
    size_t bar = stile_str_find(url, '|');
    return bar == SIZE_MAX ? url : stile_str_sub(url, 0, bar);
}

const struct stile_profile *
stile_schema_profile(const struct stile_schema *schema, struct stile_str name)
{
    name = unversioned(name);
    for (size_t i = 0; i < schema->profile_count; i++) {
        if (same(schema->profiles[i], name, name)) {
            return schema->profiles[i];
        }
    }
    return NULL;
}

size_t stile_schema_profile_count(const struct stile_schema *schema)
{
    return schema->profile_count;
}

const struct stile_profile *
stile_schema_profile_at(const struct stile_schema *schema, size_t i)
{
    return i < schema->profile_count ? schema->profiles[i] : NULL;
}

int stile_schema_draws(const struct stile_schema *schema,
                       struct stile_str value_set, struct stile_str system)
{
    value_set = unversioned(value_set);
    for (const struct stile__value_set *v = schema->value_sets; v != NULL;
         v = v->next) {
        if (!stile_str_eq(v->url, value_set)) {
            continue;
        }
        for (size_t i = 0; i < v->count; i++) {
            if (stile_str_eq(v->systems[i], system)) {
                return 1;
            }
        }
        return 0;
    }
    return -1;
}
