/* The functions: N1 section 5, and FHIR R4's extension, hasValue, resolve. */
#include "private.h"

struct call {
    struct fp_run *run;
    const struct stile_fhirpath_node *node;
    const struct fp_list *focus, *input;
    struct fp_list *ret;
};

/* The criterion for one item. */
static bool holds(const struct call *c, const struct stile_fhirpath_item *item,
                  enum fp_truth *ret)
{
    struct fp_list one = {.count = 1, .capacity = 1}, result = {0};
    struct stile_fhirpath_item copy = *item;
    one.items = &copy;
    return stile__fp_eval(c->run, c->node->args, &one, &result) &&
           stile__fp_truth(c->run, c->node->args, &result, ret);
}

static bool where(const struct call *c, struct fp_list *ret)
{
    for (uint32_t i = 0; i < c->input->count; i++) {
        enum fp_truth truth;
        if (!holds(c, &c->input->items[i], &truth) ||
            (truth == FP_YES &&
             !stile__fp_add(c->run, ret, &c->input->items[i]))) {
            return false;
        }
    }
    return true;
}

static bool all(const struct call *c)
{
    bool every = true;
    for (uint32_t i = 0; i < c->input->count && every; i++) {
        enum fp_truth truth;
        if (!holds(c, &c->input->items[i], &truth)) {
            return false;
        }
        every = truth == FP_YES;
    }
    stile__fp_boolean(c->run, c->ret, every);
    return true;
}

static bool exists(const struct call *c)
{
    struct fp_list kept = *c->input;
    if (c->node->args != NULL) {
        kept = (struct fp_list){0};
        if (!where(c, &kept)) {
            return false;
        }
    }
    stile__fp_boolean(c->run, c->ret, kept.count > 0);
    return true;
}

static bool select(const struct call *c)
{
    for (uint32_t i = 0; i < c->input->count; i++) {
        struct stile_fhirpath_item copy = c->input->items[i];
        struct fp_list one = {.items = &copy, .count = 1, .capacity = 1};
        struct fp_list result = {0};
        if (!stile__fp_eval(c->run, c->node->args, &one, &result)) {
            return false;
        }
        for (uint32_t k = 0; k < result.count; k++) {
            if (!stile__fp_add(c->run, c->ret, &result.items[k])) {
                return false;
            }
        }
    }
    return true;
}

/* The branch that is not taken is not evaluated (N1 section 5.5.1). */
static bool iif(const struct call *c)
{
    const struct stile_fhirpath_node *yes = c->node->args->next;
    const struct fp_list *focus = c->node->a != NULL ? c->input : c->focus;
    struct fp_list result = {0};
    if (focus->count > 1) {
        return stile__fp_fail(c->run, c->node, STILE_INVALID,
                              "iif() takes at most one item; select() goes "
                              "over several");
    }
    if (!stile__fp_eval(c->run, c->node->args, focus, &result)) {
        return false;
    }
    if (result.count > 1 ||
        (result.count == 1 && result.items[0].kind != STILE_FP_BOOLEAN)) {
        return stile__fp_fail(c->run, c->node->args, STILE_INVALID,
                              "iif() needs true or false here");
    }
    bool truth = result.count == 1 && result.items[0].boolean;
    if (!truth && yes->next == NULL) {
        return true;
    }
    return stile__fp_eval(c->run, truth ? yes : yes->next, focus, c->ret);
}

static bool as_type(const struct call *c, bool several)
{
    if (!several && c->input->count > 1) {
        return stile__fp_fail(c->run, c->node, STILE_INVALID,
                              "is() and as() take one item; ofType() takes "
                              "several");
    }
    for (uint32_t i = 0; i < c->input->count; i++) {
        const struct stile_fhirpath_item *item = &c->input->items[i];
        bool is = c->node->function == FN_IS
                      ? stile__fp_item_is(item, c->node->unit)
                      : stile__fp_item_as(item, c->node->unit);
        if (c->node->function == FN_IS) {
            stile__fp_boolean(c->run, c->ret, is);
        } else if (is && !stile__fp_add(c->run, c->ret, &c->input->items[i])) {
            return false;
        }
    }
    return true;
}

/* startsWith, contains: N1 section 5.6. */
static bool text_test(const struct call *c)
{
    struct fp_list result = {0};
    struct stile_str text, part;
    if (!stile__fp_eval(c->run, c->node->args, c->focus, &result) ||
        !stile__fp_one_text(c->run, c->node->args, &result, &part) ||
        !stile__fp_one_text(c->run, c->node, c->input, &text)) {
        return false;
    }
    if (text.ptr == NULL || part.ptr == NULL) {
        return true;
    }
    bool yes = c->node->function == FN_CONTAINS
                   ? part.len == 0 || stile_str_find_str(text, part) != SIZE_MAX
                   : stile_str_starts(text, part);
    stile__fp_boolean(c->run, c->ret, yes);
    return true;
}

static bool extension(const struct call *c)
{
    struct fp_list result = {0}, all_of = {0};
    struct stile_str url;
    if (!stile__fp_eval(c->run, c->node->args, c->focus, &result) ||
        !stile__fp_one_text(c->run, c->node->args, &result, &url) ||
        !stile__fp_member(c->run, c->input, STILE_STR("extension"), &all_of)) {
        return false;
    }
    for (uint32_t i = 0; url.ptr != NULL && i < all_of.count; i++) {
        if (stile_str_eq(stile_value_text(all_of.items[i].value, "url"), url) &&
            !stile__fp_add(c->run, c->ret, &all_of.items[i])) {
            return false;
        }
    }
    return true;
}

static bool part_of_input(const struct call *c)
{
    uint32_t count = c->input->count;
    if (c->node->function == FN_SINGLE && count > 1) {
        return stile__fp_fail(c->run, c->node, STILE_INVALID,
                              "single() was given several items");
    }
    if (count == 0) {
        return true;
    }
    return stile__fp_add(
        c->run, c->ret,
        &c->input->items[c->node->function == FN_LAST ? count - 1 : 0]);
}

static bool negation(const struct call *c)
{
    enum fp_truth truth;
    if (!stile__fp_truth(c->run, c->node, c->input, &truth)) {
        return false;
    }
    if (truth != FP_UNKNOWN) {
        stile__fp_boolean(c->run, c->ret, truth == FP_NO);
    }
    return true;
}

static bool count_of(const struct call *c)
{
    struct stile_fhirpath_item item = {
        .kind = STILE_FP_INTEGER,
        .valued = true,
        .text = stile_arena_printf(c->run->arena, "%u", c->input->count)};
    return stile__fp_add(c->run, c->ret, &item);
}

static bool known_call(const struct call *c)
{
    const struct fp_list *in = c->input;
    switch ((enum fp_function)c->node->function) {
    case FN_ALL:
        return all(c);
    case FN_AS:
    case FN_IS:
        return as_type(c, false);
    case FN_OF_TYPE:
        return as_type(c, true);
    case FN_CONTAINS:
    case FN_STARTS_WITH:
        return text_test(c);
    case FN_COUNT:
        return count_of(c);
    case FN_EMPTY:
        stile__fp_boolean(c->run, c->ret, in->count == 0);
        return true;
    case FN_EXISTS:
        return exists(c);
    case FN_EXTENSION:
        return extension(c);
    case FN_FIRST:
    case FN_LAST:
    case FN_SINGLE:
        return part_of_input(c);
    case FN_HAS_VALUE:
        stile__fp_boolean(c->run, c->ret,
                          in->count == 1 && in->items[0].valued &&
                              in->items[0].kind != STILE_FP_COMPLEX);
        return true;
    case FN_IIF:
        return iif(c);
    case FN_NOT:
        return negation(c);
    case FN_RESOLVE:
        return stile__fp_resolve(c->run, in, c->ret);
    case FN_SELECT:
        return select(c);
    case FN_WHERE:
        return where(c, c->ret);
    default:
        return false;
    }
}

bool stile__fp_call(struct fp_run *run, const struct stile_fhirpath_node *node,
                    const struct fp_list *focus, const struct fp_list *input,
                    struct fp_list *ret)
{
    const struct fp_function_facts *facts =
        &stile__fp_functions[node->function];
    struct call c = {run, node, focus, input, ret};
    if (node->function == FN_NONE) {
        return stile__fp_fail(run, node, STILE_UNSUPPORTED,
                              "this function is outside the subset");
    }
    if (node->arguments < facts->least || node->arguments > facts->most) {
        return stile__fp_fail(run, node, STILE_INVALID,
                              "the function takes another number of "
                              "arguments");
    }
    return known_call(&c) && run->status == STILE_OK;
}
