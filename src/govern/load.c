#include "private.h"

static bool is_yaml(enum stile_rule_file kind)
{
    return kind != STILE_RULES_LABELS && kind != STILE_RULES_CONSENT &&
           kind != STILE_RULES_FLOOR;
}

static void check_root(struct stile__load *load, size_t i)
{
    const struct stile_node *root = load->files[i];

    if (load->inputs[i].kind == STILE_RULES_VOCABULARY ||
        root->kind == STILE_NODE_LIST || !root->first) {
        return;
    }
    (void)stile_node_diag(load->diags, root, "R106", STILE_ERROR,
                          "this file must be a list; begin each entry "
                          "with '- '");
    load->files[i] = NULL;
}

static enum stile_status parse_files(struct stile__load *load)
{
    enum stile_status worst = STILE_OK;
    size_t i;

    for (i = 0; i < load->count; i++) {
        struct stile_node *root = NULL;
        enum stile_status status;

        if (!is_yaml(load->inputs[i].kind)) {
            stile__plain_lines(load, load->inputs[i].source);
            continue;
        }
        status = stile_doc_load(load->inputs[i].source, STILE_DOC_LIMITS,
                                load->arena, load->diags, &root);
        load->files[i] = root;
        if (status == STILE_NOMEM) {
            return status;
        }
        if (status != STILE_OK) {
            worst = STILE_INVALID;
        } else {
            stile__plain_check(load, root);
            check_root(load, i);
        }
    }
    return worst;
}

static const struct stile_node *the_vocabulary(struct stile__load *load)
{
    const struct stile_node *found = NULL;
    size_t i;

    for (i = 0; i < load->count; i++) {
        if (load->inputs[i].kind != STILE_RULES_VOCABULARY) {
            continue;
        }
        if (found) {
            (void)stile_node_diag(load->diags, load->files[i], "R103",
                                  STILE_ERROR,
                                  "there is one vocabulary, and this is a "
                                  "second");
        }
        found = load->files[i];
    }
    return found;
}

static void compile(struct stile__load *load)
{
    const struct stile_node *vocabulary = the_vocabulary(load);
    size_t before = load->diags->errors;

    if (!vocabulary) {
        static const struct stile_source nowhere = {{"vocabulary.yaml", 15},
                                                    {"", 0}};
        (void)stile_diag_at_source(load->diags, "R106", STILE_ERROR, &nowhere,
                                   (struct stile_span){0, 0},
                                   "there is no vocabulary; add it");
        return;
    }
    stile__vocabulary_read(load, vocabulary);
    if (load->diags->errors != before) {
        return; /* every further word would be unknown */
    }
    stile__labels_read(load);
    stile__consent_codes_read(load);
    stile__agreements_read(load);
    stile__rules_read(load);
    stile__floor_check(load);
    stile__lists_check(load);
    if (stile_arena_failed(load->arena)) {
        return;
    }
    /* Over words that are wrong, the rest would say what is not so. */
    if (load->diags->errors == before) {
        stile__lint_law(load);
        stile__lint(load);
        stile__lint_lists(load);
    }
    /* Cases run over a set with mistakes would only repeat them. */
    if (load->diags->errors == before) {
        stile__examples_run(load);
    }
}

enum stile_status stile_rules_load(const struct stile_rules_input *inputs,
                                   size_t count, struct stile_date today,
                                   struct stile_arena *arena,
                                   struct stile_diags *diags,
                                   struct stile_rules **ret)
{
    struct stile__load load = {.arena = arena,
                               .diags = diags,
                               .today = today,
                               .inputs = inputs,
                               .count = count};
    size_t before = diags->errors;
    enum stile_status status;

    load.rules = stile_arena_alloc(arena, sizeof(*load.rules));
    load.files = stile_arena_array(arena, count + 1, sizeof(*load.files));
    if (!load.rules || !load.files) {
        return STILE_NOMEM;
    }
    load.rules->arena = arena;
    status = parse_files(&load);
    if (status == STILE_OK) {
        compile(&load);
        stile__digest_make(&load);
    }
    if (status == STILE_NOMEM || stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    if (status != STILE_OK || diags->errors != before) {
        return STILE_INVALID;
    }
    *ret = load.rules;
    return STILE_OK;
}

struct stile_digest stile_rules_digest(const struct stile_rules *rules)
{
    return rules->digest;
}

void stile_rules_counts(const struct stile_rules *rules, size_t *ret_rules,
                        size_t *ret_cases)
{
    *ret_rules = rules->rule_count;
    *ret_cases = rules->example_count;
}

enum stile_status stile_rules_words(const struct stile_rules *rules,
                                    enum stile_rules_words which,
                                    struct stile_arena *arena,
                                    struct stile_str **ret, size_t *ret_count)
{
    const struct stile__words *words =
        which == STILE_RULES_WORDS_DATA    ? &rules->data
        : which == STILE_RULES_WORDS_FACTS ? &rules->facts
                                           : &rules->labels;
    bool of_agreements = which == STILE_RULES_WORDS_RECIPIENTS ||
                         which == STILE_RULES_WORDS_PARTIES;
    struct stile_str *names = stile_arena_array(
        arena, STILE__WORDS_MAX + 2 * rules->agreement_count, sizeof(*names));
    size_t count = 0, i;

    if (!names) {
        return STILE_NOMEM;
    }
    for (i = 0; !of_agreements && i < words->count; i++) {
        names[count++] = words->names[i];
    }
    for (i = 0; of_agreements && i < rules->agreement_count; i++) {
        const struct stile__agreement *agreement = &rules->agreements[i];

        if (!stile__in(names, count, agreement->recipient)) {
            names[count++] = agreement->recipient;
        }
        if (which == STILE_RULES_WORDS_PARTIES &&
            !stile__in(names, count, agreement->sender)) {
            names[count++] = agreement->sender;
        }
    }
    *ret = names;
    *ret_count = count;
    return STILE_OK;
}
