/*
 * Which data word an element belongs to. Every element belongs to exactly one
 * word or to the frame of its item; one that no word covers stays behind.
 */
#include "private.h"

#include "stile/schema.h"

/* ---- reading
 * ------------------------------------------------------------------ */

static void check_element(struct stile__load *load,
                          const struct stile_node *node, struct stile_str type,
                          struct stile_str name)
{
    const struct stile_fhir_type *of = stile_fhir_type(type);
    struct stile_str *names = NULL;
    struct stile_diag *diag;
    size_t count;

    if (of && stile_fhir_element(of, name)) {
        return;
    }
    /* A choice may be named by one of its types: valueString. */
    if (of) {
        const struct stile_fhir_type *chosen;
        if (stile_fhir_element_json(of, name, &chosen)) {
            return;
        }
    }
    diag = stile_node_diag(load->diags, node, "R111", STILE_ERROR,
                           "FHIR R4 has no element %.*s.%.*s", STILE_FMT(type),
                           STILE_FMT(name));
    count = of ? stile_fhir_element_names(of, load->arena, &names) : 0;
    if (diag && names) {
        stile_diag_suggest(load->diags, diag, name, names, count);
    }
}

static void read_element(struct stile__load *load, struct stile_str type,
                         const struct stile_node *node, uint32_t word)
{
    static const struct stile_key_spec keys[] = {
        {"element", STILE_WANT_TEXT, true},
        {"where", STILE_WANT_TEXT, true},
        {"is", STILE_WANT_TEXT_OR_LIST, false}};
    struct stile_rules *rules = load->rules;
    struct stile__element *element = &rules->elements[rules->element_count];
    struct stile_str name = node->text;
    size_t open;

    if (node->kind != STILE_NODE_TEXT) {
        if (!stile_node_expect(node, "an element", keys, 3, load->diags)) {
            return;
        }
        name = stile_node_text(node, "element");
        element->where = stile_node_text(node, "where");
        element->is =
            stile__texts(load, stile_node_get(node, "is"), &element->is_count);
    }
    if (stile_str_ends(name, STILE_STR("[x]"))) {
        element->choice = true;
        name = stile_str_sub(name, 0, name.len - 3);
    }
    open = stile_str_find(type, '(');
    if (open != SIZE_MAX && stile_str_ends(type, STILE_STR(")"))) {
        element->category = stile_str_sub(type, open + 1, type.len - open - 2);
        type.len = open;
    }
    check_element(load, node, type, name);
    element->type = type;
    element->name = name;
    element->word = word;
    rules->element_count++;
}

static void read_types(struct stile__load *load, const struct stile_node *types,
                       uint32_t word)
{
    const struct stile_node *type, *node;

    for (type = types ? types->first : NULL; type; type = type->next) {
        if (type->kind == STILE_NODE_MAP) {
            (void)stile_node_diag(load->diags, type, "R106", STILE_ERROR,
                                  "a list of elements must stand here");
            continue;
        }
        if (type->kind == STILE_NODE_TEXT) {
            read_element(load, type->key, type, word);
        }
        for (node = type->first; node; node = node->next) {
            read_element(load, type->key, node, word);
        }
    }
}

static bool same_values(const struct stile__element *a,
                        const struct stile__element *b)
{
    size_t i;

    if (!a->is_count || !b->is_count) {
        return a->is_count == b->is_count;
    }
    for (i = 0; i < a->is_count; i++) {
        if (stile__in(b->is, b->is_count, a->is[i])) {
            return true;
        }
    }
    return false;
}

static void check_overlap(struct stile__load *load,
                          const struct stile_node *root)
{
    const struct stile_rules *rules = load->rules;
    size_t i, j;

    for (i = 0; i < rules->element_count; i++) {
        const struct stile__element *a = &rules->elements[i];

        for (j = 0; j < i; j++) {
            const struct stile__element *b = &rules->elements[j];

            if (!stile_str_eq(a->type, b->type) ||
                !stile_str_eq(a->category, b->category) ||
                a->choice != b->choice || !stile_str_eq(a->name, b->name)) {
                continue;
            }
            if (stile_str_eq(a->where, b->where) && a->where.len &&
                !same_values(a, b)) {
                continue;
            }
            (void)stile_node_key_diag(
                load->diags, stile_node_get(root, "data"), "R108", STILE_ERROR,
                "%.*s.%.*s belongs to two words; leave it in one",
                STILE_FMT(a->type), STILE_FMT(a->name));
        }
    }
}

static size_t count_entries(const struct stile_node *map)
{
    const struct stile_node *node;
    size_t count = 0;

    for (node = map ? map->first : NULL; node; node = node->next) {
        const struct stile_node *types = stile_node_get(node, "in");
        const struct stile_node *type;

        for (type = types ? types->first : NULL; type; type = type->next) {
            count += type->count + 1;
        }
        count += stile__list_count(stile_node_get(node, "inside")) + 1;
        count += node->count + 1;
    }
    return count;
}

static void read_inside(struct stile__load *load, const struct stile_node *node,
                        uint32_t word)
{
    struct stile_rules *rules = load->rules;
    size_t count, i;
    const struct stile_str *names =
        stile__texts(load, stile_node_get(node, "inside"), &count);

    for (i = 0; names && i < count; i++) {
        rules->inside[rules->inside_count++] =
            (struct stile__inside){names[i], word};
    }
}

static int by_type(const void *a, const void *b)
{
    return stile_str_cmp(((const struct stile__element *)a)->type,
                         ((const struct stile__element *)b)->type);
}

static void sort_elements(struct stile_rules *rules)
{
    size_t i;

    qsort(rules->elements, rules->element_count, sizeof(*rules->elements),
          by_type);
    for (i = rules->element_count; i > 0; i--) {
        struct stile__element *element = &rules->elements[i - 1];

        element->next_type =
            i < rules->element_count && !by_type(element, element + 1)
                ? element[1].next_type
                : i;
    }
}

void stile__data_read(struct stile__load *load, const struct stile_node *root)
{
    static const struct stile_key_spec keys[] = {
        {"means", STILE_WANT_TEXT, true},
        {"in", STILE_WANT_MAP, true},
        {"inside", STILE_WANT_TEXT_OR_LIST, false},
        {"free-text", STILE_WANT_TEXT, false},
        {"alone", STILE_WANT_TEXT, false}};
    struct stile_rules *rules = load->rules;
    const struct stile_node *map = stile_node_get(root, "data");
    const struct stile_node *frame = stile_node_get(root, "frame");
    const struct stile_node *node;
    size_t most = count_entries(map) + count_entries(frame) + 1;

    rules->elements =
        stile_arena_array(load->arena, most, sizeof(*rules->elements));
    rules->inside =
        stile_arena_array(load->arena, most, sizeof(*rules->inside));
    if (!rules->elements || !rules->inside) {
        return;
    }
    for (node = map->first; node; node = node->next) {
        uint32_t word = (uint32_t)rules->data.count;

        if (!stile_node_expect(node, "a data word", keys, 5, load->diags) ||
            !stile__word_add(load, &rules->data, "data word", node)) {
            continue;
        }
        read_types(load, stile_node_get(node, "in"), word);
        read_inside(load, node, word);
        if (stile__yes(load, node, "free-text")) {
            rules->free_text_words |= UINT64_C(1) << word;
        }
        if (stile_node_get(node, "alone") && !stile__yes(load, node, "alone")) {
            rules->companions |= UINT64_C(1) << word;
        }
    }
    read_types(load, frame, STILE__FRAME);
    check_overlap(load, root);
    sort_elements(rules);
}

/* ---- asking
 * ------------------------------------------------------------------- */

static bool names_element(const struct stile__element *element,
                          struct stile_str name)
{
    if (!name.len || name.len < element->name.len ||
        name.ptr[0] != element->name.ptr[0]) {
        return false; /* most of them, at once */
    }
    if (stile_str_eq(element->name, name)) {
        return true;
    }
    /* A choice is its name and the type, which begins with a capital. */
    return element->choice && name.len > element->name.len &&
           stile_str_starts(name, element->name) &&
           name.ptr[element->name.len] >= 'A' &&
           name.ptr[element->name.len] <= 'Z';
}

static bool has_category(const struct stile_value *resource,
                         struct stile_str category)
{
    const struct stile_value *list = stile_value_getc(resource, "category");
    const struct stile_value *concept, *coding;

    for (concept = list ? list->first : NULL; concept;
         concept = concept->next) {
        coding = stile_value_getc(concept, "coding");
        for (coding = coding ? coding->first : NULL; coding;
             coding = coding->next) {
            if (stile_str_eq(stile_value_text(coding, "code"), category)) {
                return true;
            }
        }
    }
    return false;
}

/* How closely an entry names what it is asked about; 0 = not at all. The
 * closest wins: by category, by full name, by the value of a member. */
static unsigned fit(const struct stile__element *element,
                    const struct stile_value *resource, struct stile_str name,
                    const struct stile_value *value)
{
    unsigned score = 1;
    const struct stile_value *key;

    if (!names_element(element, name)) {
        return 0;
    }
    if (element->category.len) {
        if (!has_category(resource, element->category)) {
            return 0;
        }
        score += 8;
    }
    score += element->choice ? 0 : 4;
    if (!element->where.len || !element->is_count) {
        return score;
    }
    key = stile_value_get(value, element->where);
    if (!key || key->kind != STILE_STRING ||
        !stile__in(element->is, element->is_count, key->text)) {
        return 0;
    }
    return score + 2;
}

/* First element of the type; elements are sorted by type. */
static size_t first_of(const struct stile_rules *rules, struct stile_str type)
{
    size_t low = 0, high = rules->element_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stile_str_cmp(rules->elements[middle].type, type) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t stile__word_of(const struct stile_rules *rules,
                        const struct stile_value *resource,
                        const struct stile_value *member,
                        const struct stile_value *value)
{
    struct stile_str type = stile_value_text(resource, "resourceType");
    struct stile_str name = member->name;
    uint32_t word = STILE__NOT_COVERED;
    unsigned best = 0;
    size_t i, end;

    /* "_birthDate" holds the extensions of "birthDate". */
    if (name.len && name.ptr[0] == '_') {
        name = stile_str_sub(name, 1, name.len - 1);
    }
    if (stile_str_eqc(name, "resourceType") || stile_str_eqc(name, "id") ||
        stile_str_eqc(name, "meta") || stile_str_eqc(name, "language")) {
        return STILE__FRAME;
    }
    i = first_of(rules, type);
    end =
        i < rules->element_count && stile_str_eq(rules->elements[i].type, type)
            ? rules->elements[i].next_type
            : i;
    for (; i < end; i++) {
        unsigned score = fit(&rules->elements[i], resource, name, value);

        if (score > best) {
            best = score;
            word = rules->elements[i].word;
        }
    }
    return word;
}

uint32_t stile__inside_word(const struct stile_rules *rules,
                            struct stile_str name)
{
    size_t i;

    for (i = 0; i < rules->inside_count; i++) {
        if (stile_str_eq(rules->inside[i].name, name)) {
            return rules->inside[i].word;
        }
    }
    return STILE__NONE;
}

/* Depth is bounded by the decoder's limit (format.h: 64 levels). */
static uint64_t inside_words(const struct stile_rules *rules,
                             const struct stile_value *value)
{
    const struct stile_value *child;
    uint64_t mask = 0;

    for (child = value->first; child; child = child->next) {
        uint32_t word = stile__inside_word(rules, child->name);

        if (child->name.ptr && word != STILE__NONE) {
            mask |= UINT64_C(1) << word;
        }
        mask |= inside_words(rules, child);
    }
    return mask;
}

static void note(uint32_t word, uint64_t *mask, bool *uncovered)
{
    if (word == STILE__NOT_COVERED) {
        *uncovered = true;
    } else if (word != STILE__FRAME) {
        *mask |= UINT64_C(1) << word;
    }
}

uint64_t stile__words_in(const struct stile_rules *rules,
                         const struct stile_value *resource,
                         bool *ret_uncovered)
{
    const struct stile_value *member, *value;
    uint64_t mask = 0;
    bool uncovered = false;

    for (member = resource->first; member; member = member->next) {
        if (member->kind == STILE_ARRAY) {
            for (value = member->first; value; value = value->next) {
                note(stile__word_of(rules, resource, member, value), &mask,
                     &uncovered);
            }
        } else {
            note(stile__word_of(rules, resource, member, member), &mask,
                 &uncovered);
        }
        mask |= inside_words(rules, member);
    }
    *ret_uncovered = uncovered;
    return mask;
}
