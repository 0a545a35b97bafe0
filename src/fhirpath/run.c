/* Evaluation: operators and literals. One focus in, one collection out. */
#include "private.h"

bool stile__fp_fail(struct fp_run *run, const struct stile_fhirpath_node *node,
                    enum stile_status status, const char *says)
{
    if (run->status == STILE_OK) {
        run->status = status;
        run->fault = (struct stile_fhirpath_fault){node->span, says};
    }
    return false;
}

bool stile__fp_step(struct fp_run *run, const struct stile_fhirpath_node *node)
{
    if (run->status != STILE_OK) {
        return false;
    }
    if (run->steps == 0) {
        return stile__fp_fail(run, node, STILE_LIMIT,
                              "the expression looks at more items than the "
                              "limit allows");
    }
    run->steps--;
    return true;
}

bool stile__fp_add(struct fp_run *run, struct fp_list *list,
                   const struct stile_fhirpath_item *item)
{
    const struct stile_fhirpath_node *root = run->path->root;
    if (!stile__fp_step(run, root)) {
        return false;
    }
    if (list->count >= run->limits.items) {
        return stile__fp_fail(run, root, STILE_LIMIT,
                              "a collection holds more items than the limit "
                              "allows");
    }
    if (list->count == list->capacity) {
        uint32_t grown = list->capacity == 0 ? 4 : 2 * list->capacity;
        struct stile_fhirpath_item *items =
            stile_arena_array(run->arena, grown, sizeof *items);
        if (items == NULL) {
            return stile__fp_fail(run, root, STILE_NOMEM, "out of memory");
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->capacity = grown;
    }
    list->items[list->count++] = *item;
    return true;
}

void stile__fp_boolean(struct fp_run *run, struct fp_list *list, bool value)
{
    struct stile_fhirpath_item item = {.kind = STILE_FP_BOOLEAN,
                                       .boolean = value,
                                       .valued = true,
                                       .text = value ? STILE_STR("true")
                                                     : STILE_STR("false")};
    (void)stile__fp_add(run, list, &item);
}

static void add_truth(struct fp_run *run, struct fp_list *list,
                      enum fp_truth truth)
{
    if (truth != FP_UNKNOWN) {
        stile__fp_boolean(run, list, truth == FP_YES);
    }
}

bool stile__fp_truth(struct fp_run *run, const struct stile_fhirpath_node *node,
                     const struct fp_list *list, enum fp_truth *ret)
{
    if (list->count > 1) {
        return stile__fp_fail(run, node, STILE_INVALID,
                              "this comes to several items where one true or "
                              "false is needed");
    }
    if (list->count == 0) {
        *ret = FP_UNKNOWN;
    } else if (list->items[0].kind != STILE_FP_BOOLEAN) {
        *ret = FP_YES;
    } else if (!list->items[0].valued) {
        *ret = FP_UNKNOWN;
    } else {
        *ret = list->items[0].boolean ? FP_YES : FP_NO;
    }
    return true;
}

bool stile__fp_one_text(struct fp_run *run,
                        const struct stile_fhirpath_node *node,
                        const struct fp_list *list, struct stile_str *ret)
{
    *ret = STILE_STR_NULL;
    if (list->count == 0) {
        return true;
    }
    if (list->count > 1 || list->items[0].kind != STILE_FP_STRING) {
        return stile__fp_fail(run, node, STILE_INVALID,
                              "this comes to something else where one text "
                              "is needed");
    }
    *ret = list->items[0].valued ? list->items[0].text : STILE_STR_NULL;
    return true;
}

/* ---- equality, N1 section 6.1.1 ---- */

bool stile__fp_equal(struct fp_run *run, const struct stile_fhirpath_node *node,
                     const struct stile_fhirpath_item *a,
                     const struct stile_fhirpath_item *b, enum fp_truth *ret)
{
    if (!stile__fp_step(run, node)) {
        return false;
    }
    if (a->kind == STILE_FP_BOOLEAN && b->kind == STILE_FP_BOOLEAN) {
        *ret = !a->valued || !b->valued   ? FP_UNKNOWN
               : a->boolean == b->boolean ? FP_YES
                                          : FP_NO;
        return true;
    }
    enum fp_order order = stile__fp_compare(a, b);
    if (order == ORDER_UNLIKE && a->kind == STILE_FP_COMPLEX &&
        b->kind == STILE_FP_COMPLEX) {
        *ret = stile__fp_same_tree(a->value, b->value, &run->steps) ? FP_YES
                                                                    : FP_NO;
        return stile__fp_step(run, node);
    }
    if (order == ORDER_UNITS) {
        return stile__fp_fail(run, node, STILE_UNSUPPORTED,
                              "units would have to be converted, which is "
                              "outside the subset");
    }
    *ret = order == ORDER_EMPTY  ? FP_UNKNOWN
           : order == ORDER_SAME ? FP_YES
                                 : FP_NO;
    return true;
}

static bool equal_lists(struct fp_run *run,
                        const struct stile_fhirpath_node *node,
                        const struct fp_list *a, const struct fp_list *b,
                        enum fp_truth *ret)
{
    enum fp_truth all = a->count == b->count ? FP_YES : FP_NO;
    if (a->count == 0 || b->count == 0) {
        all = FP_UNKNOWN;
    }
    for (uint32_t i = 0; i < a->count && i < b->count && all != FP_NO; i++) {
        enum fp_truth one;
        if (!stile__fp_equal(run, node, &a->items[i], &b->items[i], &one)) {
            return false;
        }
        all = one == FP_YES ? all : one;
    }
    *ret = all;
    return true;
}

static enum fp_truth negate(enum fp_truth truth)
{
    return truth == FP_UNKNOWN ? FP_UNKNOWN : truth == FP_YES ? FP_NO : FP_YES;
}

/* N1 section 6.2: both of one item, of types that compare. */
static bool ordered(struct fp_run *run, const struct stile_fhirpath_node *node,
                    const struct fp_list *a, const struct fp_list *b,
                    enum fp_truth *ret)
{
    *ret = FP_UNKNOWN;
    if (a->count == 0 || b->count == 0) {
        return true;
    }
    if (a->count > 1 || b->count > 1) {
        return stile__fp_fail(run, node, STILE_INVALID,
                              "a comparison takes one item on either side");
    }
    enum fp_order order = stile__fp_compare(&a->items[0], &b->items[0]);
    if (order == ORDER_UNLIKE) {
        return stile__fp_fail(run, node, STILE_INVALID,
                              "values of these types cannot be put in order");
    }
    if (order == ORDER_UNITS) {
        return stile__fp_fail(run, node, STILE_UNSUPPORTED,
                              "units would have to be converted, which is "
                              "outside the subset");
    }
    if (order == ORDER_EMPTY) {
        return true;
    }
    bool yes = false;
    switch (node->kind) {
    case STILE_FP_LT:
        yes = order == ORDER_LESS;
        break;
    case STILE_FP_LE:
        yes = order != ORDER_MORE;
        break;
    case STILE_FP_GT:
        yes = order == ORDER_MORE;
        break;
    default:
        yes = order != ORDER_LESS;
        break;
    }
    *ret = yes ? FP_YES : FP_NO;
    return true;
}

/* N1 section 6.4: is the one item of `a` in `b`? */
static bool membership(struct fp_run *run,
                       const struct stile_fhirpath_node *node,
                       const struct fp_list *a, const struct fp_list *b,
                       enum fp_truth *ret)
{
    *ret = a->count == 0 ? FP_UNKNOWN : FP_NO;
    if (a->count > 1) {
        return stile__fp_fail(run, node, STILE_INVALID,
                              "what is looked for in a collection must be one "
                              "item");
    }
    for (uint32_t i = 0; a->count == 1 && i < b->count; i++) {
        enum fp_truth one;
        if (!stile__fp_equal(run, node, &a->items[0], &b->items[i], &one)) {
            return false;
        }
        if (one == FP_YES) {
            *ret = FP_YES;
            return true;
        }
    }
    return true;
}

static bool comparison(struct fp_run *run,
                       const struct stile_fhirpath_node *node,
                       const struct fp_list *a, const struct fp_list *b,
                       struct fp_list *ret)
{
    enum fp_truth truth = FP_UNKNOWN;
    bool ok;
    switch (node->kind) {
    case STILE_FP_EQ:
    case STILE_FP_NE:
        ok = equal_lists(run, node, a, b, &truth);
        truth = node->kind == STILE_FP_NE ? negate(truth) : truth;
        break;
    case STILE_FP_IN:
        ok = membership(run, node, a, b, &truth);
        break;
    case STILE_FP_CONTAINS:
        ok = membership(run, node, b, a, &truth);
        break;
    default:
        ok = ordered(run, node, a, b, &truth);
        break;
    }
    if (ok) {
        add_truth(run, ret, truth);
    }
    return run->status == STILE_OK;
}

/* ---- Boolean operators, N1 section 6.5 ---- */

static enum fp_truth combine(enum stile_fhirpath_kind kind, enum fp_truth a,
                             enum fp_truth b)
{
    switch (kind) {
    case STILE_FP_AND:
        return a == FP_NO || b == FP_NO     ? FP_NO
               : a == FP_YES && b == FP_YES ? FP_YES
                                            : FP_UNKNOWN;
    case STILE_FP_XOR:
        return a == FP_UNKNOWN || b == FP_UNKNOWN ? FP_UNKNOWN
               : a != b                           ? FP_YES
                                                  : FP_NO;
    case STILE_FP_IMPLIES:
        a = negate(a);
        break;
    default:
        break;
    }
    return a == FP_YES || b == FP_YES ? FP_YES
           : a == FP_NO && b == FP_NO ? FP_NO
                                      : FP_UNKNOWN;
}

static bool logic(struct fp_run *run, const struct stile_fhirpath_node *node,
                  const struct fp_list *focus, struct fp_list *ret)
{
    struct fp_list left = {0}, right = {0};
    enum fp_truth a, b;
    if (!stile__fp_eval(run, node->a, focus, &left) ||
        !stile__fp_truth(run, node->a, &left, &a) ||
        !stile__fp_eval(run, node->b, focus, &right) ||
        !stile__fp_truth(run, node->b, &right, &b)) {
        return false;
    }
    add_truth(run, ret, combine(node->kind, a, b));
    return run->status == STILE_OK;
}

/* ---- the rest ---- */

/* N1 section 6.7.1: texts joined, nothing counting as ''. */
static bool concat(struct fp_run *run, const struct stile_fhirpath_node *node,
                   const struct fp_list *a, const struct fp_list *b,
                   struct fp_list *ret)
{
    struct stile_str x, y;
    if (!stile__fp_one_text(run, node->a, a, &x) ||
        !stile__fp_one_text(run, node->b, b, &y)) {
        return false;
    }
    if (x.len > run->limits.text || y.len > run->limits.text - x.len) {
        return stile__fp_fail(run, node, STILE_LIMIT,
                              "the joined text is longer than the limit "
                              "allows");
    }
    char *both = stile_arena_alloc(run->arena, x.len + y.len);
    if (both == NULL) {
        return stile__fp_fail(run, node, STILE_NOMEM, "out of memory");
    }
    if (x.len > 0) {
        memcpy(both, x.ptr, x.len);
    }
    if (y.len > 0) {
        memcpy(both + x.len, y.ptr, y.len);
    }
    struct stile_fhirpath_item item = {
        .kind = STILE_FP_STRING, .valued = true, .text = {both, x.len + y.len}};
    return stile__fp_add(run, ret, &item);
}

static bool item_at(struct fp_run *run, const struct stile_fhirpath_node *node,
                    const struct fp_list *list, const struct fp_list *index,
                    struct fp_list *ret)
{
    int64_t n = 0;
    if (index->count == 0) {
        return true;
    }
    if (index->count > 1 || index->items[0].kind != STILE_FP_INTEGER) {
        return stile__fp_fail(run, node->b, STILE_INVALID,
                              "an index is one whole number");
    }
    if (stile_str_to_int64(index->items[0].text, &n) && n >= 0 &&
        n < list->count) {
        return stile__fp_add(run, ret, &list->items[n]);
    }
    return true;
}

static bool both_sides(struct fp_run *run,
                       const struct stile_fhirpath_node *node,
                       const struct fp_list *focus, struct fp_list *ret)
{
    struct fp_list a = {0}, b = {0};
    if (!stile__fp_eval(run, node->a, focus, &a) ||
        !stile__fp_eval(run, node->b, focus, &b)) {
        return false;
    }
    if (node->kind == STILE_FP_CONCAT) {
        return concat(run, node, &a, &b, ret);
    }
    return node->kind == STILE_FP_INDEX ? item_at(run, node, &a, &b, ret)
                                        : comparison(run, node, &a, &b, ret);
}

static bool is_or_as(struct fp_run *run, const struct stile_fhirpath_node *node,
                     const struct fp_list *focus, struct fp_list *ret)
{
    struct fp_list a = {0};
    if (!stile__fp_eval(run, node->a, focus, &a)) {
        return false;
    }
    if (a.count > 1) {
        return stile__fp_fail(run, node, STILE_INVALID,
                              "`is` and `as` take one item; ofType() takes "
                              "several");
    }
    if (a.count == 1) {
        bool is = node->kind == STILE_FP_IS
                      ? stile__fp_item_is(&a.items[0], node->text)
                      : stile__fp_item_as(&a.items[0], node->text);
        if (node->kind == STILE_FP_IS) {
            stile__fp_boolean(run, ret, is);
        } else if (is) {
            return stile__fp_add(run, ret, &a.items[0]);
        }
    }
    return run->status == STILE_OK;
}

static bool literal(struct fp_run *run, const struct stile_fhirpath_node *node,
                    struct fp_list *ret)
{
    struct stile_fhirpath_item item = {.kind = node->kind,
                                       .valued = true,
                                       .boolean =
                                           stile_str_eqc(node->text, "true"),
                                       .text = node->text,
                                       .unit = node->unit};
    return stile__fp_add(run, ret, &item);
}

/* A type's name that begins a path is the resource itself (N1 section 3.2). */
static bool member(struct fp_run *run, const struct stile_fhirpath_node *node,
                   const struct fp_list *focus, struct fp_list *ret)
{
    struct fp_list input = {0};
    if (node->a != NULL) {
        return stile__fp_eval(run, node->a, focus, &input) &&
               stile__fp_member(run, &input, node->text, ret);
    }
    for (uint32_t i = 0; i < focus->count; i++) {
        const struct stile_fhirpath_item *item = &focus->items[i];
        if (item->type != NULL && item->kind == STILE_FP_COMPLEX &&
            stile__fp_fhir_is(item->type, STILE_STR("Resource")) &&
            stile__fp_fhir_is(item->type, node->text)) {
            return stile__fp_add(run, ret, item);
        }
    }
    return stile__fp_member(run, focus, node->text, ret);
}

bool stile__fp_eval(struct fp_run *run, const struct stile_fhirpath_node *node,
                    const struct fp_list *focus, struct fp_list *ret)
{
    if (!stile__fp_step(run, node)) {
        return false;
    }
    switch (node->kind) {
    case STILE_FP_EMPTY:
        return true;
    case STILE_FP_THIS:
        *ret = *focus;
        return true;
    case STILE_FP_MEMBER:
        return member(run, node, focus, ret);
    case STILE_FP_CALL: {
        struct fp_list input = *focus;
        if (node->a != NULL) {
            input = (struct fp_list){0};
            if (!stile__fp_eval(run, node->a, focus, &input)) {
                return false;
            }
        }
        return stile__fp_call(run, node, focus, &input, ret);
    }
    case STILE_FP_IS:
    case STILE_FP_AS:
        return is_or_as(run, node, focus, ret);
    case STILE_FP_AND:
    case STILE_FP_OR:
    case STILE_FP_XOR:
    case STILE_FP_IMPLIES:
        return logic(run, node, focus, ret);
    case STILE_FP_OUTSIDE:
        return stile__fp_fail(run, node, STILE_UNSUPPORTED,
                              "this operator or variable is outside the "
                              "subset");
    default:
        return node->kind <= STILE_FP_QUANTITY
                   ? literal(run, node, ret)
                   : both_sides(run, node, focus, ret);
    }
}

enum stile_status stile_fhirpath_run(const struct stile_fhirpath *path,
                                     const struct stile_fhirpath_world *world,
                                     struct stile_fhirpath_limits limits,
                                     struct stile_arena *arena,
                                     struct stile_fhirpath_items *ret,
                                     struct stile_fhirpath_fault *ret_fault)
{
    struct fp_run run = {.path = path,
                         .world = world,
                         .limits = limits,
                         .arena = arena,
                         .steps = limits.steps};
    struct fp_list focus = {0}, result = {0};
    if (world->resource != NULL) {
        struct stile_fhirpath_item item =
            stile__fp_object(world->resource, world->type);
        (void)stile__fp_add(&run, &focus, &item);
    }
    if (run.status == STILE_OK) {
        (void)stile__fp_eval(&run, path->root, &focus, &result);
    }
    if (run.status != STILE_OK) {
        *ret_fault = run.fault;
        return run.status;
    }
    *ret = (struct stile_fhirpath_items){result.items, result.count};
    return STILE_OK;
}
