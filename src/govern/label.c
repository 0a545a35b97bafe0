/*
 * Which sensitivity each item carries: from its codes, from the labels its
 * source put on it, and from what it is linked to.
 */
#include "private.h"

static uint64_t security_labels(const struct stile_rules *rules,
                                const struct stile_value *resource)
{
    const struct stile_value *list =
        stile_value_path(resource, "meta.security");
    const struct stile_value *coding;
    uint64_t mask = 0;
    size_t label;

    for (coding = list ? list->first : NULL; coding; coding = coding->next) {
        /* A label counts in any code system: a source that writes R or HIV
         * under a system of its own still means it. */
        struct stile_str code = stile_value_text(coding, "code");

        for (label = 0; label < rules->labels.count; label++) {
            const struct stile__label_def *def = &rules->label_defs[label];
            if (code.len &&
                stile__in(def->security, def->security_count, code)) {
                mask |= UINT64_C(1) << label;
            }
        }
    }
    return mask;
}

/* Codings at any depth. A coding is known by its member `code`; one without
 * system, or in one that is not known, counts in every system: a URI that is
 * nearly right must not lose a label. */
static uint64_t code_labels(const struct stile_rules *rules,
                            const struct stile_value *value, bool *known)
{
    const struct stile_value *child;
    uint64_t mask = 0;

    if (value->kind == STILE_OBJECT) {
        const struct stile_value *code = stile_value_getc(value, "code");

        if (code && code->kind == STILE_STRING) {
            struct stile_str uri = stile_value_text(value, "system");
            uint32_t system =
                uri.len ? stile__system_of(rules, uri) : STILE__NONE;
            size_t i = 0;

            *known = *known || (uri.len && system != STILE__NONE);
            while ((i = stile__code_next(rules->label_codes,
                                         rules->label_code_count, system,
                                         code->text, i)) != SIZE_MAX) {
                mask |= UINT64_C(1) << rules->label_codes[i].target;
                i++;
            }
        }
    }
    for (child = value->first; child; child = child->next) {
        mask |= code_labels(rules, child, known);
    }
    return mask;
}

/* The member that says what an entry is about. */
static bool says_what(struct stile_str name)
{
    return stile_str_eqc(name, "code") || stile_str_eqc(name, "vaccineCode") ||
           stile_str_starts(name, STILE_STR("medication"));
}

static uint64_t own_labels(const struct stile_rules *rules,
                           const struct stile_value *resource,
                           struct stile_str type)
{
    uint64_t mask = security_labels(rules, resource);
    const struct stile_value *member;
    bool coded = false;
    size_t label;

    for (member = resource->first; member; member = member->next) {
        bool known = false;

        if (!stile_str_eqc(member->name, "meta")) {
            mask |= code_labels(rules, member, &known);
            coded = coded || (known && says_what(member->name));
        }
    }
    for (label = 0; label < rules->labels.count && !coded; label++) {
        const struct stile__label_def *def = &rules->label_defs[label];
        if (stile__in(def->uncoded_in, def->uncoded_count, type)) {
            mask |= UINT64_C(1) << label;
        }
    }
    return mask;
}

/* ---- reach
 * --------------------------------------------------------------------- */

struct link {
    size_t from, to;
};

struct graph {
    const struct stile_rules *rules;
    const struct stile__refs *refs;
    struct stile_value *const *resources;
    const bool *hubs;
    struct stile_arena *arena;
    struct link *links;
    size_t count, capacity;
};

static void add_link(struct graph *graph, size_t from, size_t to)
{
    if (graph->count == graph->capacity) {
        size_t capacity = graph->capacity ? graph->capacity * 2 : 64;
        struct link *links =
            stile_arena_array(graph->arena, capacity, sizeof(*links));
        if (!links) {
            return;
        }
        if (graph->count) {
            memcpy(links, graph->links, graph->count * sizeof(*links));
        }
        graph->links = links;
        graph->capacity = capacity;
    }
    graph->links[graph->count++] = (struct link){from, to};
}

/* Every Reference counts, whatever its element: partOf, evidence, encounter,
 * basedOn, reasonReference, addresses, and those in extensions. */
static void collect_links(struct graph *graph, size_t from,
                          const struct stile_value *value)
{
    const struct stile_value *child;

    if (value->kind == STILE_OBJECT) {
        struct stile_str text = stile_value_text(value, "reference");
        size_t to = text.len ? stile__refs_find(graph->refs, text) : SIZE_MAX;

        if (to != SIZE_MAX && to != from && !graph->hubs[to]) {
            add_link(graph, from, to);
        }
    }
    for (child = value->first; child; child = child->next) {
        collect_links(graph, from, child);
    }
}

/*
 * From a labelled item the label reaches
 *   - what it points to (its problem, encounter, order, document),
 *   - what points to that (others of the same problem or encounter),
 *   - what points to it, and what points to that in turn, without end.
 * It does not pass through a person, organisation or place: everything hangs
 * there.
 */
static void spread(const struct graph *graph, struct stile__item_labels *labels,
                   uint64_t *targets, uint64_t *chain, size_t count)
{
    bool moved = true;
    size_t i;

    for (i = 0; i < graph->count; i++) {
        targets[graph->links[i].to] |= labels[graph->links[i].from].own;
    }
    for (i = 0; i < count; i++) {
        chain[i] = labels[i].own;
    }
    while (moved) {
        moved = false;
        for (i = 0; i < graph->count; i++) {
            uint64_t more = chain[graph->links[i].to];
            if (more & ~chain[graph->links[i].from]) {
                chain[graph->links[i].from] |= more;
                moved = true;
            }
        }
    }
    for (i = 0; i < graph->count; i++) {
        labels[graph->links[i].from].related |= targets[graph->links[i].to];
    }
    for (i = 0; i < count; i++) {
        labels[i].related |= targets[i] | chain[i];
        labels[i].related &= ~labels[i].own;
    }
}

enum stile_status stile__label(const struct stile_rules *rules,
                               const struct stile__refs *refs,
                               struct stile_arena *arena,
                               struct stile__item_labels **ret)
{
    struct stile_value *const *resources = refs->resources;
    size_t count = refs->count;
    struct stile__item_labels *labels =
        stile_arena_array(arena, count + 1, sizeof(*labels));
    uint64_t *targets = stile_arena_array(arena, count + 1, sizeof(*targets));
    uint64_t *chain = stile_arena_array(arena, count + 1, sizeof(*chain));
    bool *hubs = stile_arena_array(arena, count + 1, sizeof(*hubs));
    struct graph graph = {.rules = rules,
                          .refs = refs,
                          .resources = resources,
                          .hubs = hubs,
                          .arena = arena};
    size_t i;

    if (!labels || !targets || !chain || !hubs) {
        return STILE_NOMEM;
    }
    for (i = 0; i < count; i++) {
        struct stile_str type = stile_value_text(resources[i], "resourceType");

        hubs[i] = stile__hub(rules, type);
        if (!hubs[i]) {
            labels[i].own = own_labels(rules, resources[i], type);
        }
    }
    for (i = 0; i < count; i++) {
        if (!hubs[i]) {
            collect_links(&graph, i, resources[i]);
        }
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    spread(&graph, labels, targets, chain, count);
    *ret = labels;
    return STILE_OK;
}
