/*
 * What changed and is no flow: whether a recipient is told that items stay, and
 * what an agreement says of itself.
 */
#include "space.h"

static const struct stile__rule *rule_of(const struct stile_rules *rules,
                                         struct stile_str id)
{
    for (size_t i = 0; i < rules->rule_count; i++) {
        if (stile_str_eq(rules->rules[i].id, id)) {
            return &rules->rules[i];
        }
    }
    return NULL;
}

static bool carries(const struct stile_rules *rules,
                    const struct stile__rule *rule, struct stile_str label)
{
    uint32_t at = stile__word_find(&rules->labels, label);

    return at != STILE__NONE && (rule->labels >> at & 1);
}

/* A rule of `in` keeps back in silence what this one would tell of. */
static bool silent_beside(const struct stile_rules *in,
                          const struct stile_rules *rules,
                          const struct stile__rule *rule)
{
    for (size_t i = 0; i < in->rule_count; i++) {
        const struct stile__rule *other = &in->rules[i];

        if (other->kind == STILE__SHARE || !other->withholds || other->tell) {
            continue;
        }
        if (!rule->labels || !other->labels) {
            return true;
        }
        for (size_t k = 0; k < rules->labels.count; k++) {
            if ((rule->labels >> k & 1) &&
                carries(in, other, rules->labels.names[k])) {
                return true;
            }
        }
    }
    return false;
}

static struct stile_value *put(struct stile__space *space,
                               struct stile_value *list, const char *what,
                               const char *of, struct stile_str id,
                               const char *class)
{
    struct stile_value *object =
        stile_value_push(list, stile_value_new(space->arena, STILE_OBJECT));

    stile__put_text(space, object, "what", stile_str_cstr(what));
    stile__put_text(space, object, of, id);
    stile__put_text(space, object, "class", stile_str_cstr(class));
    return object;
}

/* Rules of `to` that tell and did not in `from`. */
static bool newly_told(struct stile__space *space,
                       const struct stile_rules *from,
                       const struct stile_rules *to, const char *class,
                       struct stile_value *list)
{
    bool any = false;

    for (size_t i = 0; i < to->rule_count; i++) {
        const struct stile__rule *rule = &to->rules[i];
        const struct stile__rule *before = rule_of(from, rule->id);

        if (rule->kind == STILE__SHARE || !rule->tell ||
            (before ? before->tell : !silent_beside(from, to, rule))) {
            continue;
        }
        (void)put(space, list, "tell-recipient", "rule", rule->id, class);
        any = true;
    }
    return any;
}

static bool differs(struct stile__space *space, const struct stile_node *old,
                    const struct stile_node *new, const char *key)
{
    const struct stile_node *a = stile_node_get(old, key);
    const struct stile_node *b = stile_node_get(new, key);

    return (a != NULL) != (b != NULL) ||
           (a && !stile_str_eq(stile__canon_node(space->arena, a),
                               stile__canon_node(space->arena, b)));
}

/* The basis is what the law lint stands on, and the names are what people go
 * by: both are mixed. The rest is said, and changes nothing that goes. */
static bool agreement_texts(struct stile__space *space,
                            const struct stile__agreement *old,
                            const struct stile__agreement *new,
                            struct stile_value *list)
{
    static const char *const said[] = {"title",  "papers",      "public-reason",
                                       "review", "approved-by", "cites"};
    bool basis = differs(space, old->node, new->node, "basis");
    bool names = !stile_str_eq(old->sender_name, new->sender_name) ||
                 !stile_str_eq(old->recipient_name, new->recipient_name);

    if (basis) {
        (void)put(space, list, "basis", "agreement", new->id, "mixed");
    }
    if (names) {
        (void)put(space, list, "names of the parties", "agreement", new->id,
                  "mixed");
    }
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (differs(space, old->node, new->node, said[i])) {
            (void)put(space, list, said[i], "agreement", new->id, "equal");
        }
    }
    return basis || names;
}

void stile__diff_texts(struct stile__space *space,
                       const struct stile_rules *old,
                       const struct stile_rules *new, struct stile_value *list,
                       bool *wider, bool *narrower)
{
    *wider = newly_told(space, old, new, "wider", list) || *wider;
    *narrower = newly_told(space, new, old, "narrower", list) || *narrower;
    for (size_t i = 0; i < new->agreement_count; i++) {
        for (size_t k = 0; k < old->agreement_count; k++) {
            if (stile_str_eq(old->agreements[k].id, new->agreements[i].id) &&
                agreement_texts(space, &old->agreements[k], &new->agreements[i],
                                list)) {
                *wider = true;
                *narrower = true;
            }
        }
    }
}
