#include "stile/doc.h"

#include <criterion/criterion.h>

static struct stile_arena *arena;
static struct stile_diags diags;
static struct stile_source source;

static void open_all(void)
{
    arena = stile_arena_new(16u << 20);
    stile_diags_init(&diags, arena, 0);
}

static void close_all(void)
{
    stile_arena_free(&arena);
}

TestSuite(doc, .init = open_all, .fini = close_all);

static enum stile_status load_with(const char *text,
                                   struct stile_doc_limits limits,
                                   struct stile_node **ret)
{
    source.name = STILE_STR("test.yaml");
    source.text = stile_str_cstr(text);
    return stile_doc_load(&source, limits, arena, &diags, ret);
}

static enum stile_status load(const char *text, struct stile_node **ret)
{
    return load_with(text, STILE_DOC_LIMITS, ret);
}

static void refused(const char *text, const char *code, unsigned line,
                    unsigned column)
{
    struct stile_node *root = NULL;

    cr_assert_eq(load(text, &root), STILE_INVALID, "%s", text);
    cr_assert_null(root);
    cr_assert_eq(diags.count, 1);
    cr_assert_str_eq(diags.items[0].code, code);
    cr_assert_eq(diags.items[0].line, line, "line %u", diags.items[0].line);
    cr_assert_eq(diags.items[0].column, column, "column %u",
                 diags.items[0].column);
}

Test(doc, scalars_stay_what_was_typed)
{
    struct stile_node *root;

    cr_assert_eq(
        load("a: NO\nb: 0102\nc: 1e3\nd: Y\ne: ~\nf: \"0102 \"\n", &root),
        STILE_OK);
    cr_assert(stile_str_eqc(stile_node_text(root, "a"), "NO"));
    cr_assert(stile_str_eqc(stile_node_text(root, "b"), "0102"));
    cr_assert(stile_str_eqc(stile_node_text(root, "c"), "1e3"));
    cr_assert(stile_str_eqc(stile_node_text(root, "d"), "Y"));
    cr_assert(stile_str_eqc(stile_node_text(root, "e"), "~"));
    cr_assert(stile_str_eqc(stile_node_text(root, "f"), "0102 "));
    cr_assert_null(stile_node_get(root, "g"));
    cr_assert_null(stile_node_text(root, "g").ptr);
}

Test(doc, nodes_know_their_place)
{
    struct stile_node *root, *list, *second;

    cr_assert_eq(load("first: x\nlist:\n  - one\n  - two\n", &root), STILE_OK);
    cr_assert_eq(root->count, 2);
    list = stile_node_get(root, "list");
    cr_assert_eq(list->kind, STILE_NODE_LIST);
    cr_assert_eq(list->count, 2);
    cr_assert_eq(list->key_span.offset, 9);
    cr_assert_eq(list->key_span.len, 4);
    second = list->first->next;
    cr_assert_eq(second->span.offset, 27);
    cr_assert_eq(second->span.len, 3);
    cr_assert_eq(second->parent, list);
}

Test(doc, places_hold_after_letters_of_many_bytes)
{
    struct stile_node *root, *node;

    /* libyaml counts marks in characters; our places are bytes. */
    cr_assert_eq(load("a: caf\xc3\xa9\nb: x\n", &root), STILE_OK);
    node = stile_node_get(root, "b");
    cr_assert_eq(node->span.offset, 12, "offset %u", node->span.offset);
}

Test(doc, empty_document_is_an_empty_map)
{
    struct stile_node *root;

    cr_assert_eq(load("# nothing yet\n", &root), STILE_OK);
    cr_assert_eq(root->kind, STILE_NODE_MAP);
    cr_assert_eq(root->count, 0);
    cr_assert_eq(load("", &root), STILE_OK);
    cr_assert_eq(root->count, 0);
}

Test(doc, refuses_a_key_twice)
{
    refused("a: 1\nb: 2\na: 3\n", "Y102", 3, 1);
    cr_assert_eq(diags.items[0].line2, 1);
}

Test(doc, refuses_an_anchor)
{
    refused("a: &x 1\n", "Y103", 1, 4);
}

Test(doc, refuses_an_alias)
{
    refused("a: *x\n", "Y103", 1, 4);
}

Test(doc, refuses_a_tag)
{
    refused("a: !!int 1\n", "Y103", 1, 4);
}

Test(doc, refuses_a_merge_key)
{
    refused("a:\n  <<: b\n", "Y103", 2, 3);
}

Test(doc, refuses_a_second_document)
{
    refused("a: 1\n---\nb: 2\n", "Y105", 2, 1);
}

Test(doc, refuses_a_map_as_key)
{
    refused("{a: 1}: b\n", "Y104", 1, 1);
}

Test(doc, refuses_a_tab_that_indents)
{
    refused("a:\n\tb: 1\n", "Y106", 2, 1);
}

Test(doc, a_tab_inside_a_line_is_no_indentation)
{
    struct stile_node *root;

    cr_assert_eq(load("a: x\ty\n", &root), STILE_OK);
    cr_assert(stile_str_eqc(stile_node_text(root, "a"), "x\ty"));
}

Test(doc, refuses_broken_yaml_with_its_place)
{
    struct stile_node *root = NULL;

    cr_assert_eq(load("a: [1, 2\nb: 3\n", &root), STILE_INVALID);
    cr_assert_null(root);
    cr_assert_str_eq(diags.items[0].code, "Y101");
    cr_assert_eq(diags.items[0].line, 2);
}

Test(doc, refuses_bytes_that_are_no_utf8)
{
    struct stile_node *root = NULL;

    cr_assert_eq(load("a: \xff\n", &root), STILE_INVALID);
    cr_assert_str_eq(diags.items[0].code, "Y101");
}

Test(doc, depth_at_the_limit_and_past)
{
    struct stile_doc_limits limits = STILE_DOC_LIMITS;
    struct stile_node *root = NULL;

    limits.depth = 3;
    cr_assert_eq(load_with("[[[a]]]", limits, &root), STILE_OK);
    cr_assert_eq(load_with("[[[[a]]]]", limits, &root), STILE_LIMIT);
    cr_assert_str_eq(diags.items[0].code, "Y107");
}

Test(doc, nodes_at_the_limit_and_past)
{
    struct stile_doc_limits limits = STILE_DOC_LIMITS;
    struct stile_node *root = NULL;

    limits.nodes = 3;
    cr_assert_eq(load_with("[a, b]", limits, &root), STILE_OK);
    cr_assert_eq(load_with("[a, b, c]", limits, &root), STILE_LIMIT);
    cr_assert_str_eq(diags.items[0].code, "Y108");
}

Test(doc, bytes_at_the_limit_and_past)
{
    struct stile_doc_limits limits = STILE_DOC_LIMITS;
    struct stile_node *root = NULL;

    limits.bytes = 4;
    cr_assert_eq(load_with("a: b", limits, &root), STILE_OK);
    cr_assert_eq(load_with("a: bc", limits, &root), STILE_LIMIT);
    cr_assert_str_eq(diags.items[0].code, "Y109");
}

Test(doc, expect_reports_all_at_once)
{
    static const struct stile_key_spec specs[] = {
        {"rule", STILE_WANT_TEXT, true},
        {"data", STILE_WANT_LIST, true},
        {"says", STILE_WANT_TEXT, true},
        {"under", STILE_WANT_TEXT_OR_LIST, false}};
    struct stile_node *root;

    cr_assert_eq(load("rule:\ndaat: [a]\ndata: x\nunder: [a]\n", &root),
                 STILE_OK);
    cr_assert_not(stile_node_expect(root, "a rule", specs, 4, &diags));
    cr_assert_eq(diags.count, 4);
    cr_assert_str_eq(diags.items[0].code, "Y202");
    cr_assert_eq(diags.items[0].line, 1);
    cr_assert_str_eq(diags.items[1].code, "Y201");
    cr_assert_eq(diags.items[1].line, 2);
    cr_assert(stile_str_eqc(diags.items[1].hint, "did you mean 'data'?"),
              "%.*s", STILE_FMT(diags.items[1].hint));
    cr_assert_str_eq(diags.items[2].code, "Y203");
    cr_assert_eq(diags.items[2].line, 3);
    cr_assert_str_eq(diags.items[3].code, "Y202");
}

Test(doc, expect_is_quiet_when_all_is_well)
{
    static const struct stile_key_spec specs[] = {
        {"rule", STILE_WANT_TEXT, true}, {"when", STILE_WANT_MAP, false}};
    struct stile_node *root;

    cr_assert_eq(load("rule: A\nwhen: {x: y}\n", &root), STILE_OK);
    cr_assert(stile_node_expect(root, "a rule", specs, 2, &diags));
    cr_assert_eq(diags.count, 0);
}
