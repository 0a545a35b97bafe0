/*
 * vocabulary.yaml: the closed words. Everything another file may say is
 * defined here, once, in terms of FHIR.
 */
#include "private.h"

#define MAX_AGE_MAX 3660 /* days: ten years */

static const struct stile_node *section(struct stile__load *load,
                                        const struct stile_node *root,
                                        const char *key,
                                        enum stile_node_kind kind)
{
    const struct stile_node *node = stile_node_get(root, key);

    if (node && node->kind != kind) {
        (void)stile_node_diag(load->diags, node, "R106", STILE_ERROR,
                              "'%s' must be a %s", key,
                              kind == STILE_NODE_MAP ? "map" : "list");
        return NULL;
    }
    return node;
}

static void read_families(struct stile__load *load,
                          const struct stile_node *root)
{
    const struct stile_node *list =
        section(load, root, "families", STILE_NODE_LIST);
    const struct stile_node *node;

    for (node = list ? list->first : NULL; node; node = node->next) {
        if (load->rules->families.count == STILE__FAMILIES_MAX) {
            (void)stile_node_diag(load->diags, node, "R107", STILE_ERROR,
                                  "there are more than %u families",
                                  STILE__FAMILIES_MAX);
            return;
        }
        (void)stile__word_add(load, &load->rules->families, "family", node);
    }
}

static void read_systems(struct stile__load *load,
                         const struct stile_node *root)
{
    struct stile_rules *rules = load->rules;
    const struct stile_node *map =
        section(load, root, "code-systems", STILE_NODE_MAP);
    const struct stile_node *node;

    for (node = map ? map->first : NULL; node; node = node->next) {
        size_t i = rules->code_systems.count;

        if (stile__word_add(load, &rules->code_systems, "code system", node)) {
            rules->system_uris[i] =
                stile__texts(load, node, &rules->system_uri_counts[i]);
        }
    }
}

static void read_purposes(struct stile__load *load,
                          const struct stile_node *root)
{
    static const struct stile_key_spec keys[] = {
        {"means", STILE_WANT_TEXT, true}, {"care", STILE_WANT_TEXT, true}};
    struct stile_rules *rules = load->rules;
    const struct stile_node *map =
        section(load, root, "purposes", STILE_NODE_MAP);
    const struct stile_node *node;

    for (node = map ? map->first : NULL; node; node = node->next) {
        size_t i = rules->purposes.count;

        if (stile_node_expect(node, "a purpose", keys, 2, load->diags) &&
            stile__word_add(load, &rules->purposes, "purpose", node) &&
            stile__yes(load, node, "care")) {
            rules->purposes_care |= UINT64_C(1) << i;
        }
    }
}

static void read_kinds(struct stile__load *load, const struct stile_node *root)
{
    static const struct stile_key_spec keys[] = {
        {"means", STILE_WANT_TEXT, true},
        {"is", STILE_WANT_TEXT_OR_LIST, false}};
    struct stile_rules *rules = load->rules;
    const struct stile_node *groups =
        section(load, root, "groups", STILE_NODE_MAP);
    const struct stile_node *map = section(load, root, "kinds", STILE_NODE_MAP);
    const struct stile_node *node;

    for (node = groups ? groups->first : NULL; node; node = node->next) {
        if (stile_node_expect(node, "a group", keys, 1, load->diags)) {
            (void)stile__word_add(load, &rules->groups, "group", node);
        }
    }
    for (node = map ? map->first : NULL; node; node = node->next) {
        size_t i = rules->kinds.count;
        uint64_t in;
        size_t group;

        if (!stile_node_expect(node, "a kind of organisation", keys, 2,
                               load->diags) ||
            !stile__word_add(load, &rules->kinds, "kind of organisation",
                             node)) {
            continue;
        }
        in = stile__word_mask(load, &rules->groups, "group",
                              stile_node_get(node, "is"));
        for (group = 0; group < rules->groups.count; group++) {
            if (in >> group & 1) {
                rules->group_kinds[group] |= UINT64_C(1) << i;
            }
        }
    }
}

static void read_fact_sources(struct stile__load *load,
                              const struct stile_node *node,
                              struct stile__fact_def *def)
{
    const struct stile_node *from = stile_node_get(node, "from");
    size_t count, i;
    const struct stile_str *words = stile__texts(load, from, &count);

    for (i = 0; words && i < count; i++) {
        if (stile_str_eqc(words[i], "codes")) {
            def->from_codes = true;
        } else if (stile_str_eqc(words[i], "consent")) {
            def->from_consent = true;
        } else if (stile_str_eqc(words[i], "consent-codes-only")) {
            def->from_codes_only = true;
        } else if (stile_str_eqc(words[i], "open-referral")) {
            def->from_referral = true;
        } else if (stile_str_eqc(words[i], "deceased")) {
            def->from_deceased = true;
        } else if (stile_str_eqc(words[i], "store")) {
            def->from_store = true;
        } else {
            (void)stile_node_diag(
                load->diags, from, "R101", STILE_ERROR,
                "'%.*s' is no source of a fact; use codes, consent, "
                "consent-codes-only, open-referral, deceased or store",
                STILE_FMT(words[i]));
        }
    }
}

static void read_absent(struct stile__load *load,
                        const struct stile_node *absent,
                        struct stile__fact_def *def)
{
    const struct stile_node *node;

    for (node = absent ? absent->first : NULL; node; node = node->next) {
        uint32_t family = stile__word_find(&load->rules->families, node->key);

        if (family == STILE__NONE) {
            struct stile_diag *diag = stile_node_key_diag(
                load->diags, node, "R101", STILE_ERROR,
                "'%.*s' is not a family of sources", STILE_FMT(node->key));
            if (diag) {
                stile_diag_suggest(load->diags, diag, node->key,
                                   load->rules->families.names,
                                   load->rules->families.count);
            }
        } else if (stile_str_eqc(node->text, "yes")) {
            def->absent[family] = STILE_YES;
        } else if (stile_str_eqc(node->text, "no")) {
            def->absent[family] = STILE_NO;
        } else if (!stile_str_eqc(node->text, "unknown")) {
            (void)stile_node_diag(load->diags, node, "R101", STILE_ERROR,
                                  "absence means yes, no or unknown");
        }
    }
}

static void read_about(struct stile__load *load, const struct stile_node *node,
                       struct stile__fact_def *def)
{
    const struct stile_node *about = stile_node_get(node, "about");

    if (stile_str_eqc(about->text, "person-and-recipient")) {
        def->about = STILE__ABOUT_PAIR;
    } else if (stile_str_eqc(about->text, "item-and-recipient")) {
        def->about = STILE__ABOUT_ITEM;
    } else if (!stile_str_eqc(about->text, "person")) {
        (void)stile_node_diag(load->diags, about, "R101", STILE_ERROR,
                              "a fact is about person, person-and-recipient "
                              "or item-and-recipient");
    }
}

/* From 1 to `most`; 0 when it is not there. */
static uint32_t number(struct stile__load *load, const struct stile_node *map,
                       const char *key, int64_t most)
{
    const struct stile_node *node = stile_node_get(map, key);
    int64_t value = 0;

    if (node && (!stile_str_to_int64(node->text, &value) || value < 1 ||
                 value > most)) {
        (void)stile_node_diag(load->diags, node, "R101", STILE_ERROR,
                              "'%s' is a number from 1 to %lld", key,
                              (long long)most);
        return 0;
    }
    return (uint32_t)value;
}

/* Only a fact that stands above: facts are read once, in order. */
static void read_undone(struct stile__load *load, const struct stile_node *node,
                        struct stile__fact_def *def)
{
    const struct stile_node *by = stile_node_get(node, "undone-by");

    def->undone_by = STILE__NONE;
    if (!by) {
        return;
    }
    def->undone_by = stile__word_find(&load->rules->facts, by->text);
    if (def->about != STILE__ABOUT_PAIR || def->undone_by == STILE__NONE ||
        load->rules->fact_defs[def->undone_by].about != STILE__ABOUT_PERSON) {
        (void)stile_node_diag(load->diags, by, "R101", STILE_ERROR,
                              "a fact about person-and-recipient is undone by "
                              "a fact about person that stands above it");
    }
}

static void read_fact(struct stile__load *load, const struct stile_node *node)
{
    static const struct stile_key_spec keys[] = {
        {"about", STILE_WANT_TEXT, true},
        {"means", STILE_WANT_TEXT, true},
        {"missing", STILE_WANT_TEXT, true},
        {"from", STILE_WANT_TEXT_OR_LIST, false},
        {"everyone-counts", STILE_WANT_TEXT, false},
        {"undone-by", STILE_WANT_TEXT, false},
        {"patient-marked", STILE_WANT_TEXT_OR_LIST, false},
        {"patient-marked-not", STILE_WANT_TEXT_OR_LIST, false},
        {"age-under", STILE_WANT_TEXT, false},
        {"max-age", STILE_WANT_TEXT, false},
        {"absent", STILE_WANT_MAP, false},
        {"then", STILE_WANT_TEXT_OR_LIST, false}};
    struct stile_rules *rules = load->rules;
    struct stile__fact_def *def = &rules->fact_defs[rules->facts.count];

    if (!stile_node_expect(node, "a fact", keys, 12, load->diags) ||
        !stile__word_add(load, &rules->facts, "fact", node)) {
        return;
    }
    def->missing = stile_node_text(node, "missing");
    read_about(load, node, def);
    read_fact_sources(load, node, def);
    def->everyone = stile__yes(load, node, "everyone-counts");
    read_undone(load, node, def);
    def->security = stile__texts(load, stile_node_get(node, "patient-marked"),
                                 &def->security_count);
    def->security_no =
        stile__texts(load, stile_node_get(node, "patient-marked-not"),
                     &def->security_no_count);
    def->age_under = number(load, node, "age-under", 120);
    def->max_age = number(load, node, "max-age", MAX_AGE_MAX);
    read_absent(load, stile_node_get(node, "absent"), def);
    def->notify = stile__word_mask(load, &rules->obligations, "obligation",
                                   stile_node_get(node, "then"));
    if (!def->from_codes && !def->from_consent && !def->from_codes_only &&
        !def->from_referral && !def->from_deceased && !def->from_store &&
        !def->security_count && !def->age_under) {
        (void)stile_node_key_diag(load->diags, node, "R207", STILE_ERROR,
                                  "nothing says where the fact '%.*s' comes "
                                  "from; add 'from'",
                                  STILE_FMT(node->key));
    }
}

static void read_label(struct stile__load *load, const struct stile_node *node)
{
    static const struct stile_key_spec keys[] = {
        {"means", STILE_WANT_TEXT, true},
        {"security", STILE_WANT_TEXT_OR_LIST, false},
        {"uncoded-in", STILE_WANT_TEXT_OR_LIST, false},
        {"list", STILE_WANT_TEXT, false},
        {"made-out-to-others", STILE_WANT_TEXT_OR_LIST, false}};
    struct stile_rules *rules = load->rules;
    struct stile__label_def *def = &rules->label_defs[rules->labels.count];

    if (!stile_node_expect(node, "a label", keys, 5, load->diags) ||
        !stile__word_add(load, &rules->labels, "label", node)) {
        return;
    }
    def->security = stile__texts(load, stile_node_get(node, "security"),
                                 &def->security_count);
    def->uncoded_in = stile__texts(load, stile_node_get(node, "uncoded-in"),
                                   &def->uncoded_count);
    def->listless = def->uncoded_count ||
                    stile_node_get(node, "made-out-to-others") ||
                    stile_str_eqc(stile_node_text(node, "list"), "none");
    if (stile_node_get(node, "list") &&
        !stile_str_eqc(stile_node_text(node, "list"), "none")) {
        (void)stile_node_diag(load->diags, stile_node_get(node, "list"), "R101",
                              STILE_ERROR, "list is none, or is left out");
    }
    def->elsewhere_in =
        stile__texts(load, stile_node_get(node, "made-out-to-others"),
                     &def->elsewhere_count);
}

static bool verb_of(struct stile_str text, enum stile__verb *ret)
{
    static const struct {
        const char *name;
        enum stile__verb verb;
    } verbs[] = {{"notify", STILE__NOTIFY},
                 {"drop-free-text", STILE__DROP_FREE_TEXT},
                 {"relabel", STILE__RELABEL},
                 {"round", STILE__ROUND},
                 {"pseudonymise", STILE__PSEUDONYMISE},
                 {"mask", STILE__MASK},
                 {"remove", STILE__REMOVE},
                 {"hold", STILE__HOLD}};
    size_t i;

    for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (stile_str_eqc(text, verbs[i].name)) {
            *ret = verbs[i].verb;
            return true;
        }
    }
    return false;
}

static void read_obligation(struct stile__load *load,
                            const struct stile_node *node)
{
    static const struct stile_key_spec keys[] = {
        {"means", STILE_WANT_TEXT, true},
        {"does", STILE_WANT_TEXT, true},
        {"whom", STILE_WANT_TEXT, false},
        {"data", STILE_WANT_TEXT_OR_LIST, false},
        {"and-drop-free-text", STILE_WANT_TEXT, false}};
    struct stile_rules *rules = load->rules;
    struct stile__obligation *def =
        &rules->obligation_defs[rules->obligations.count];
    bool changes;

    if (!stile_node_expect(node, "an obligation", keys, 5, load->diags) ||
        !stile__word_add(load, &rules->obligations, "obligation", node)) {
        return;
    }
    if (!verb_of(stile_node_text(node, "does"), &def->verb)) {
        (void)stile_node_diag(load->diags, stile_node_get(node, "does"), "R101",
                              STILE_ERROR,
                              "an obligation does one of notify, "
                              "drop-free-text, relabel, round, pseudonymise, "
                              "mask, remove, hold");
        return;
    }
    def->whom = stile_node_text(node, "whom");
    def->data = stile__word_mask(load, &rules->data, "data word",
                                 stile_node_get(node, "data"));
    def->drop_text = stile__yes(load, node, "and-drop-free-text");
    changes = def->verb >= STILE__ROUND && def->verb <= STILE__REMOVE;
    def->takes_data = changes && !stile_node_get(node, "data");
    if (def->verb == STILE__NOTIFY && !def->whom.len) {
        (void)stile_node_key_diag(load->diags, node, "R106", STILE_ERROR,
                                  "a notice needs 'whom'");
    }
}

static void each(struct stile__load *load, const struct stile_node *root,
                 const char *key,
                 void (*read)(struct stile__load *, const struct stile_node *))
{
    const struct stile_node *map = section(load, root, key, STILE_NODE_MAP);
    const struct stile_node *node;

    for (node = map ? map->first : NULL; node; node = node->next) {
        read(load, node);
    }
}

/* Free text is dropped from what is written about a person, not from names
 * and addresses. */
static void find_hub_words(struct stile_rules *rules)
{
    uint64_t elsewhere = 0;
    size_t i;

    for (i = 0; i < rules->element_count; i++) {
        const struct stile__element *element = &rules->elements[i];

        if (element->word != STILE__FRAME &&
            !stile__hub(rules, element->type)) {
            elsewhere |= UINT64_C(1) << element->word;
        }
    }
    rules->hub_words = ~elsewhere;
}

void stile__vocabulary_read(struct stile__load *load,
                            const struct stile_node *root)
{
    static const struct stile_key_spec keys[] = {
        {"families", STILE_WANT_LIST, true},
        {"code-systems", STILE_WANT_MAP, true},
        {"purposes", STILE_WANT_MAP, true},
        {"groups", STILE_WANT_MAP, true},
        {"kinds", STILE_WANT_MAP, true},
        {"data", STILE_WANT_MAP, true},
        {"frame", STILE_WANT_MAP, true},
        {"obligations", STILE_WANT_MAP, true},
        {"facts", STILE_WANT_MAP, true},
        {"labels", STILE_WANT_MAP, true},
        {"consent-purposes", STILE_WANT_TEXT_OR_LIST, false},
        {"links-stop-at", STILE_WANT_TEXT_OR_LIST, true},
        {"free-text", STILE_WANT_TEXT_OR_LIST, true},
        {"break-glass-reasons", STILE_WANT_MAP, false},
        {"revoked-law", STILE_WANT_TEXT_OR_LIST, false}};
    struct stile_rules *rules = load->rules;

    if (!stile_node_expect(root, "the vocabulary", keys,
                           sizeof(keys) / sizeof(keys[0]), load->diags)) {
        return;
    }
    read_families(load, root);
    read_systems(load, root);
    read_purposes(load, root);
    read_kinds(load, root);
    stile__data_read(load, root);
    each(load, root, "obligations", read_obligation);
    each(load, root, "facts", read_fact);
    each(load, root, "labels", read_label);
    stile__glass_vocabulary(load, root);
    rules->consent_purposes =
        stile__texts(load, stile_node_get(root, "consent-purposes"),
                     &rules->consent_purpose_count);
    rules->stops_at = stile__texts(load, stile_node_get(root, "links-stop-at"),
                                   &rules->stops_count);
    rules->free_text = stile__texts(load, stile_node_get(root, "free-text"),
                                    &rules->free_text_count);
    rules->revoked_law = stile__texts(load, stile_node_get(root, "revoked-law"),
                                      &rules->revoked_count);
    find_hub_words(rules);
}
