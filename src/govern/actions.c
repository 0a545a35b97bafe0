/* What a rule or agreement asks to be done: `then`. */
#include "private.h"

static void action_argument(struct stile__load *load,
                            const struct stile_node *node,
                            struct stile__action *action)
{
    static const struct stile_key_spec keys[] = {
        {"label", STILE_WANT_TEXT, true}, {"as", STILE_WANT_TEXT, true}};
    struct stile_rules *rules = load->rules;
    const struct stile__obligation *def =
        &rules->obligation_defs[action->obligation];

    if (def->verb == STILE__RELABEL) {
        if (node->kind != STILE_NODE_MAP ||
            !stile_node_expect(node, "relabel", keys, 2, load->diags)) {
            (void)stile_node_diag(load->diags, node, "R109", STILE_ERROR,
                                  "relabel needs a label and the words to "
                                  "show: {relabel: {label: ..., as: ...}}");
            return;
        }
        action->label = stile__word_node(load, &rules->labels, "label",
                                         stile_node_get(node, "label"));
        action->text = stile_node_text(node, "as");
        return;
    }
    if (!def->takes_data) {
        (void)stile_node_diag(load->diags, node, "R109", STILE_ERROR,
                              "this obligation takes nothing on its right");
        return;
    }
    action->data = stile__word_mask(load, &rules->data, "data word", node);
}

static void read_action(struct stile__load *load, const struct stile_node *node,
                        uint64_t held, struct stile__action *actions,
                        size_t *count)
{
    struct stile_rules *rules = load->rules;
    struct stile__action *action = &actions[*count];
    const struct stile_node *argument =
        node->kind == STILE_NODE_MAP ? node->first : NULL;
    struct stile_node word = *node;
    const struct stile__obligation *def;

    if (node->kind == STILE_NODE_LIST || (argument && argument->next) ||
        (node->kind == STILE_NODE_MAP && !argument)) {
        (void)stile_node_diag(load->diags, node, "R109", STILE_ERROR,
                              "write one obligation an entry");
        return;
    }
    if (argument) {
        word.kind = STILE_NODE_TEXT;
        word.text = argument->key;
        word.span = argument->key_span;
    }
    action->label = STILE__NONE;
    action->obligation =
        stile__word_node(load, &rules->obligations, "obligation", &word);
    if (action->obligation == STILE__NONE) {
        return;
    }
    def = &rules->obligation_defs[action->obligation];
    action->data = def->data;
    if (argument) {
        action_argument(load, argument, action);
    } else if (def->takes_data || def->verb == STILE__RELABEL) {
        (void)stile_node_diag(load->diags, node, "R109", STILE_ERROR,
                              "say what to %.*s: {%.*s: %s}",
                              STILE_FMT(node->text), STILE_FMT(node->text),
                              def->takes_data ? "[...]"
                                              : "{label: ..., as: ...}");
        return;
    }
    if (def->verb == STILE__HOLD && !action->data) {
        action->data = held;
    }
    (*count)++;
}

const struct stile__action *stile__actions(struct stile__load *load,
                                           const struct stile_node *node,
                                           uint64_t held, size_t *ret_count)
{
    struct stile__action *actions;
    const struct stile_node *child;

    *ret_count = 0;
    if (!node) {
        return NULL;
    }
    actions = stile_arena_array(load->arena, node->count + 1, sizeof(*actions));
    if (!actions) {
        return NULL;
    }
    if (node->kind == STILE_NODE_TEXT) {
        read_action(load, node, held, actions, ret_count);
    }
    for (child = node->first; child; child = child->next) {
        read_action(load, child, held, actions, ret_count);
    }
    return actions;
}
