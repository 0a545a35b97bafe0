/*
 * The JSON Schemas shipped for editors: they have the words of the shipped
 * vocabulary, take the shipped files, and refuse slips. The reader here knows
 * the keywords these schemas use, and fails on one it does not know.
 */
#include "stile/doc.h"
#include "unit/govern_help.h"

#include <criterion/criterion.h>

static struct help_set set;
static struct stile_value *schema;

static const struct {
    const char *name;
    enum stile_rule_file file;
} files[] = {{"agreements", STILE_RULES_AGREEMENTS},
             {"guardrails", STILE_RULES_GUARDRAILS},
             {"rules", STILE_RULES_LOCAL},
             {"examples", STILE_RULES_EXAMPLES}};

static void open_set(void)
{
    help_open(&set);
    cr_assert_eq(help_load(&set), STILE_OK);
}

static void close_set(void)
{
    help_close(&set);
}

TestSuite(govern_schema, .init = open_set, .fini = close_set);

static bool fits(const struct stile_value *rule, const struct stile_node *node);

static bool one_of(const struct stile_value *list,
                   const struct stile_node *node)
{
    const struct stile_value *item;

    for (item = list->first; item; item = item->next) {
        if (item->kind == STILE_STRING && node->kind == STILE_NODE_TEXT &&
            stile_str_eq(item->text, node->text)) {
            return true;
        }
    }
    return false;
}

static bool any_of(const struct stile_value *list,
                   const struct stile_node *node)
{
    const struct stile_value *item;

    for (item = list->first; item; item = item->next) {
        if (fits(item, node)) {
            return true;
        }
    }
    return false;
}

static bool has_all(const struct stile_value *names,
                    const struct stile_node *node)
{
    const struct stile_value *name;

    for (name = names->first; name; name = name->next) {
        if (!stile_node_get(node, stile_arena_cstr(set.arena, name->text))) {
            return false;
        }
    }
    return true;
}

static bool members_fit(const struct stile_value *properties,
                        const struct stile_node *node)
{
    const struct stile_node *child;

    for (child = node->first; child; child = child->next) {
        const struct stile_value *rule =
            stile_value_get(properties, child->key);
        if (!rule || !fits(rule, child)) {
            return false; /* additionalProperties is false throughout */
        }
    }
    return true;
}

static bool items_fit(const struct stile_value *rule,
                      const struct stile_node *node)
{
    const struct stile_node *child;

    for (child = node->first; child; child = child->next) {
        if (!fits(rule, child)) {
            return false;
        }
    }
    return true;
}

static bool is_type(struct stile_str type, const struct stile_node *node)
{
    return stile_str_eqc(type, "object")  ? node->kind == STILE_NODE_MAP
           : stile_str_eqc(type, "array") ? node->kind == STILE_NODE_LIST
                                          : node->kind == STILE_NODE_TEXT;
}

/* The one pattern is that of a date. */
static bool is_date(struct stile_str text)
{
    struct stile_date date;

    return stile_date_parse(text, &date);
}

static bool count_fits(const struct stile_value *key,
                       const struct stile_node *node)
{
    int64_t number = 0;

    cr_assert(stile_str_to_int64(key->text, &number));
    return stile_str_starts(key->name, STILE_STR("min"))
               ? (int64_t)node->count >= number
               : (int64_t)node->count <= number;
}

static bool number_fits(const struct stile_value *key,
                        const struct stile_node *node)
{
    int64_t bound = 0, number = 0;

    cr_assert(stile_str_to_int64(key->text, &bound));
    return stile_str_to_int64(node->text, &number) &&
           (stile_str_eqc(key->name, "minimum") ? number >= bound
                                                : number <= bound);
}

static bool keyword_fits(const struct stile_value *key,
                         const struct stile_node *node)
{
    struct stile_str name = key->name;

    if (stile_str_eqc(name, "$ref")) {
        struct stile_str to = stile_str_sub(key->text, 8, key->text.len - 8);
        const struct stile_value *def =
            stile_value_get(stile_value_getc(schema, "$defs"), to);
        cr_assert_not_null(def, "%.*s", STILE_FMT(key->text));
        return fits(def, node);
    }
    if (stile_str_eqc(name, "anyOf")) {
        return any_of(key, node);
    }
    if (stile_str_eqc(name, "enum")) {
        return one_of(key, node);
    }
    if (stile_str_eqc(name, "const")) {
        return node->kind == STILE_NODE_TEXT &&
               stile_str_eq(key->text, node->text);
    }
    if (stile_str_eqc(name, "type")) {
        return is_type(key->text, node);
    }
    if (stile_str_eqc(name, "pattern")) {
        return is_date(node->text);
    }
    if (stile_str_eqc(name, "required")) {
        return has_all(key, node);
    }
    if (stile_str_eqc(name, "properties")) {
        return members_fit(key, node);
    }
    if (stile_str_eqc(name, "items")) {
        return items_fit(key, node);
    }
    if (stile_str_eqc(name, "minimum") || stile_str_eqc(name, "maximum")) {
        return number_fits(key, node);
    }
    if (stile_str_starts(name, STILE_STR("min")) ||
        stile_str_starts(name, STILE_STR("max"))) {
        return count_fits(key, node);
    }
    cr_assert(stile_str_eqc(name, "additionalProperties") ||
                  stile_str_eqc(name, "$schema") ||
                  stile_str_eqc(name, "$defs"),
              "%.*s", STILE_FMT(name));
    return true;
}

static bool fits(const struct stile_value *rule, const struct stile_node *node)
{
    const struct stile_value *type = stile_value_getc(rule, "type");
    const struct stile_value *key;

    if (type && !is_type(type->text, node)) {
        return false; /* the other keywords mean nothing then */
    }
    for (key = rule->first; key; key = key->next) {
        if (!keyword_fits(key, node)) {
            return false;
        }
    }
    return true;
}

static void use_schema(const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/mappings/rules/schema/%s.json",
                   STILE_SOURCE_DIR, name);
    schema = help_json(set.arena,
                       stile_arena_cstr(set.arena, help_read(set.arena, path)));
}

static bool takes(struct stile_str text)
{
    struct stile_source *source = stile_arena_alloc(set.arena, sizeof(*source));
    struct stile_node *root = NULL;

    *source = (struct stile_source){STILE_STR("test"), text};
    cr_assert_eq(
        stile_doc_load(source, STILE_DOC_LIMITS, set.arena, &set.diags, &root),
        STILE_OK);
    return fits(schema, root);
}

Test(govern_schema, the_shipped_ones_are_those_of_the_shipped_vocabulary)
{
    size_t i;

    for (i = 0; i < 4; i++) {
        char path[512];
        struct stile_buf made;

        (void)snprintf(path, sizeof(path), "%s/mappings/rules/schema/%s.json",
                       STILE_SOURCE_DIR, files[i].name);
        stile_buf_init(&made, 1u << 20);
        stile_rules_schema(set.rules, files[i].file, &made);
        cr_assert(
            stile_str_eq(stile_buf_str(&made), help_read(set.arena, path)),
            "print %s anew: stile rules schema %s", path, files[i].name);
        stile_buf_release(&made);
    }
}

Test(govern_schema, the_shipped_files_fit)
{
    size_t i;

    for (i = 0; i < 4; i++) {
        char path[512];

        use_schema(files[i].name);
        (void)snprintf(path, sizeof(path), "%s/mappings/rules/%s.yaml",
                       STILE_SOURCE_DIR, files[i].name);
        cr_assert(takes(help_read(set.arena, path)), "%s", path);
    }
}

#define RULE(more)                                                             \
    STILE_STR("- {rule: X, kind: withhold, says: s, data: [name]" more "}\n")

Test(govern_schema, slips_do_not_fit)
{
    use_schema("rules");
    cr_assert(takes(RULE("")));
    cr_assert(takes(RULE(", when: {patient: deceased, for: beyond-care}")));
    cr_assert(takes(RULE(", then: [{mask: [name]}, review-by-person]")));
    cr_assert_not(takes(RULE(", wen: {patient: deceased}")));
    cr_assert_not(takes(RULE(", when: {patient: dead}")));
    cr_assert_not(takes(RULE(", then: [mask]")));
    cr_assert_not(takes(RULE(", then: [{mask: [nam]}]")));
    cr_assert_not(takes(RULE(", unless: [{consent-to-share: no}]")));
    cr_assert_not(takes(RULE(", expires: 2027-01-01")));
    cr_assert_not(takes(STILE_STR("- {rule: X, kind: guardrail, says: s}\n")));
    use_schema("guardrails");
    cr_assert(takes(STILE_STR("- {rule: X, kind: guardrail, says: s}\n")));
    cr_assert_not(takes(RULE("")));
}
