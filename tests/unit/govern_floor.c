/* Guardrails and code lists that go missing. With STILE_GOLDEN_WRITE set the
 * first test prints what belongs into src/govern/floor.c. */
#define _POSIX_C_SOURCE 200809L

#include "private.h"
#include "unit/govern_help.h"

#include <criterion/criterion.h>

static struct help_set set;

static void open_set(void)
{
    help_open(&set);
    set.inputs[set.count].kind = STILE_RULES_FLOOR;
    set.inputs[set.count++].source = &stile_rules_floor;
}

static void close_set(void)
{
    help_close(&set);
}

TestSuite(govern_floor, .init = open_set, .fini = close_set);

static size_t found(const char *code)
{
    size_t count = 0, i;

    for (i = 0; i < set.diags.count; i++) {
        count += !strcmp(set.diags.items[i].code, code);
    }
    return count;
}

static bool says(const char *text)
{
    struct stile_buf buf;
    bool said;

    stile_buf_init(&buf, 1u << 20);
    stile_diags_print(&set.diags, false, &buf);
    said = stile_str_find_str(stile_buf_str(&buf), stile_str_cstr(text)) !=
           SIZE_MAX;
    if (!said) {
        cr_log_error("said: %.*s", STILE_FMT(stile_buf_str(&buf)));
    }
    stile_buf_release(&buf);
    return said;
}

static struct stile_source *file_of(const char *name)
{
    size_t i;

    for (i = 0; !stile_str_eqc(set.sources[i].name, name); i++) {
        cr_assert_lt(i, set.count, "no file %s", name);
    }
    return &set.sources[i];
}

/* `from` to the next `until` becomes `to`. */
static void swap(const char *name, const char *from, const char *until,
                 const char *to)
{
    struct stile_source *source = file_of(name);
    struct stile_str text = source->text, tail;
    size_t at = stile_str_find_str(text, stile_str_cstr(from));
    size_t end;

    cr_assert_neq(at, SIZE_MAX);
    tail = stile_str_sub(text, at, text.len - at);
    end = stile_str_find_str(tail, stile_str_cstr(until));
    cr_assert_neq(end, SIZE_MAX);
    source->text = stile_arena_printf(
        set.arena, "%.*s%s%.*s", STILE_FMT(stile_str_sub(text, 0, at)), to,
        STILE_FMT(stile_str_sub(tail, end, tail.len - end)));
}

static void drop_list(const char *name)
{
    size_t i;

    for (i = 0; !stile_str_eqc(set.inputs[i].source->name, name); i++) {
        cr_assert_lt(i, set.count);
    }
    set.inputs[i] = set.inputs[--set.count];
}

Test(govern_floor, every_shipped_guardrail_is_in_it_as_shipped)
{
    struct stile_node *root = NULL;
    const struct stile_node *node;
    size_t lines = 0, count = 0, i;
    bool write = getenv("STILE_GOLDEN_WRITE") != NULL;

    cr_assert_eq(stile_doc_load(file_of("guardrails.yaml"), STILE_DOC_LIMITS,
                                set.arena, &set.diags, &root),
                 STILE_OK);
    for (node = root->first; node; node = node->next) {
        struct stile_digest digest;
        char hex[65];

        count++;
        stile_sha256(stile__canon_node(set.arena, node), &digest);
        stile_digest_hex(&digest, hex);
        if (write) {
            (void)fprintf(stderr, "    \"%.*s \"\n    \"%s\\n\"\n",
                          STILE_FMT(stile_node_text(node, "rule")), hex);
        }
        cr_expect_neq(
            stile_str_find_str(stile_rules_floor.text, stile_str_cstr(hex)),
            SIZE_MAX, "%.*s is not in src/govern/floor.c",
            STILE_FMT(stile_node_text(node, "rule")));
    }
    for (i = 0; i < stile_rules_floor.text.len; i++) {
        lines += stile_rules_floor.text.ptr[i] == '\n';
    }
    cr_expect_eq(lines, count);
    cr_expect_eq(help_load(&set), STILE_OK);
}

Test(govern_floor, a_guardrail_taken_out_is_named)
{
    swap("guardrails.yaml", "- rule: NAT-CONF", "- rule: NAT-DEAD", "");
    cr_assert_eq(help_load(&set), STILE_INVALID);
    cr_assert_eq(found("R208"), 1);
    cr_assert(says("guardrails.yaml:1:1: error[R208]: guardrail NAT-CONF of "
                   "the national floor is missing"));
    cr_assert_eq(found("R206"), 0, "its worked cases are not blamed");
}

Test(govern_floor, so_is_each_when_the_file_is_emptied)
{
    help_replace(&set, "guardrails.yaml", "# none\n");
    cr_assert_eq(help_load(&set), STILE_INVALID);
    cr_assert_eq(found("R208"), 12);
}

Test(govern_floor, a_weakened_guardrail_is_named)
{
    swap("guardrails.yaml", "when: {patient: record-confidential}", "\n",
         "when: {patient: record-confidential, recipient-is: voluntary}");
    cr_assert_eq(help_load(&set), STILE_INVALID);
    cr_assert_eq(found("R209"), 1);
    cr_assert(says("guardrail NAT-CONF of the national floor is not as it is "
                   "shipped"));
}

Test(govern_floor, another_layout_is_the_same_guardrail)
{
    swap("guardrails.yaml", "when: {patient: record-confidential}", "\n",
         "when:\n    patient: [record-confidential] # alike");
    cr_assert_eq(help_load(&set), STILE_OK);
}

Test(govern_floor, a_list_that_is_gone_is_an_error)
{
    drop_list("labels/sexual-health.csv");
    cr_assert_eq(help_load(&set), STILE_INVALID);
    cr_assert_eq(found("R507"), 1);
    cr_assert(says("the code list of the label sexual-health is missing, so "
                   "its entries would go unrecognised; supply "
                   "labels/sexual-health.csv"));
}

Test(govern_floor, a_list_of_comments_is_said_aloud)
{
    help_replace(&set, "labels/sexual-health.csv", "# nothing\n");
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(found("R508"), 1);
    cr_assert(says("labels/sexual-health.csv:1:1: warning[R508]: THIS LIST "
                   "HOLDS NO CODE"));
}

Test(govern_floor, so_is_one_with_its_head_alone)
{
    help_replace(&set, "labels/sexual-health.csv",
                 "system,code,display,source\n");
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(found("R508"), 1);
}

Test(govern_floor, consent_codes_that_are_gone_are_said_aloud)
{
    help_replace(&set, "consent-codes.csv",
                 "system,code,fact,value,capability,note,source\n");
    (void)!help_load(&set);
    cr_assert_eq(found("R508"), 1);
    cr_assert(says("consent-codes.csv:1:1: warning[R508]: THIS LIST HOLDS NO "
                   "CODE: no yes and no refusal"));
}

Test(govern_floor, what_must_be_supplied_is_a_warning_each)
{
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(found("R509"), 4);
    cr_assert_eq(set.diags.count, 4);
    help_replace(&set, "labels/fertility.csv",
                 "system,code,display,source\nread-v2,7E0,one,test\n");
    stile_diags_init(&set.diags, set.arena, 0);
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(found("R509"), 3);
}

Test(govern_floor, list_is_none_or_left_out)
{
    swap("vocabulary.yaml", "list: none}", "\n", "list: some}");
    cr_assert_eq(help_load(&set), STILE_INVALID);
    cr_assert_eq(found("R101"), 1);
}
