#include "private.h"

uint32_t stile__word_find(const struct stile__words *words,
                          struct stile_str name)
{
    size_t i;

    for (i = 0; i < words->count; i++) {
        if (stile_str_eq(words->names[i], name)) {
            return (uint32_t)i;
        }
    }
    return STILE__NONE;
}

uint32_t stile__word_node(struct stile__load *load,
                          const struct stile__words *words, const char *what,
                          const struct stile_node *node)
{
    uint32_t found;
    struct stile_diag *diag;

    if (node->kind != STILE_NODE_TEXT) {
        (void)stile_node_diag(load->diags, node, "R101", STILE_ERROR,
                              "one %s must stand here, as plain text", what);
        return STILE__NONE;
    }
    found = stile__word_find(words, node->text);
    if (found == STILE__NONE) {
        diag = stile_node_diag(load->diags, node, "R101", STILE_ERROR,
                               "'%.*s' is no %s; use a word of vocabulary.yaml",
                               STILE_FMT(node->text), what);
        if (diag) {
            stile_diag_suggest(load->diags, diag, node->text, words->names,
                               words->count);
        }
    }
    return found;
}

uint64_t stile__word_mask(struct stile__load *load,
                          const struct stile__words *words, const char *what,
                          const struct stile_node *node)
{
    const struct stile_node *child;
    uint64_t mask = 0;
    uint32_t word;

    if (!node) {
        return 0;
    }
    if (node->kind == STILE_NODE_TEXT) {
        word = stile__word_node(load, words, what, node);
        return word == STILE__NONE ? 0 : UINT64_C(1) << word;
    }
    for (child = node->first; child; child = child->next) {
        word = stile__word_node(load, words, what, child);
        if (word != STILE__NONE) {
            mask |= UINT64_C(1) << word;
        }
    }
    return mask;
}

bool stile__word_add(struct stile__load *load, struct stile__words *words,
                     const char *what, const struct stile_node *node)
{
    struct stile_str name =
        node->key.ptr ? node->key : node->text; /* map or list entry */

    if (words->count == STILE__WORDS_MAX) {
        (void)stile_node_key_diag(load->diags, node, "R107", STILE_ERROR,
                                  "there are more than %u of %s; merge some",
                                  STILE__WORDS_MAX, what);
        return false;
    }
    if (stile__word_find(words, name) != STILE__NONE) {
        (void)stile_node_key_diag(load->diags, node, "R103", STILE_ERROR,
                                  "the %s '%.*s' is here twice; keep one", what,
                                  STILE_FMT(name));
        return false;
    }
    words->names[words->count] = name;
    words->means[words->count] = stile_node_text(node, "means");
    words->count++;
    return true;
}

const struct stile_str *stile__texts(struct stile__load *load,
                                     const struct stile_node *node,
                                     size_t *ret_count)
{
    const struct stile_node *child;
    struct stile_str *texts;
    size_t count = 0;

    *ret_count = 0;
    if (!node) {
        return NULL;
    }
    texts = stile_arena_array(load->arena, node->count + 1, sizeof(*texts));
    if (!texts) {
        return NULL;
    }
    if (node->kind == STILE_NODE_TEXT) {
        texts[count++] = node->text;
    }
    for (child = node->first; child; child = child->next) {
        if (child->kind != STILE_NODE_TEXT) {
            (void)stile_node_diag(load->diags, child, "R101", STILE_ERROR,
                                  "plain text must stand here");
            continue;
        }
        texts[count++] = child->text;
    }
    *ret_count = count;
    return texts;
}

bool stile__yes(struct stile__load *load, const struct stile_node *map,
                const char *key)
{
    const struct stile_node *node = stile_node_get(map, key);

    if (!node) {
        return false;
    }
    if (stile_str_eqc(node->text, "yes")) {
        return true;
    }
    if (!stile_str_eqc(node->text, "no")) {
        (void)stile_node_diag(load->diags, node, "R101", STILE_ERROR,
                              "'%s' must be yes or no", key);
    }
    return false;
}

bool stile__date_node(struct stile__load *load, const struct stile_node *map,
                      const char *key, struct stile_date *ret)
{
    const struct stile_node *node = stile_node_get(map, key);
    struct stile_date date;

    if (!node) {
        return false;
    }
    if (!stile_date_parse(node->text, &date) || date.month == 0 ||
        date.day == 0) {
        (void)stile_node_diag(load->diags, node, "R301", STILE_ERROR,
                              "'%s' must be a day of the calendar, as "
                              "2026-04-01",
                              key);
        return false;
    }
    *ret = date;
    return true;
}

size_t stile__list_count(const struct stile_node *node)
{
    return node && node->kind == STILE_NODE_LIST ? node->count : 0;
}
