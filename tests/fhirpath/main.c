/*
 * fhirpath_suite - runs a FHIRPath test suite (the XML form of HL7's
 * tests-fhir-r4.xml) and counts.
 *
 * A test passes when the expression gives the outputs named, in order, by
 * value and (where named) by type; with predicate="true" when it comes to
 * that Boolean; with invalid="..." when it is refused before or while it is
 * evaluated (`syntax`: when it does not read). What stile says is outside its
 * subset (M121) is counted apart, never as passed or failed.
 */
#include "suite.h"

#include "stile/fhirpath.h"
#include "stile/format.h"

#include <stdio.h>

enum verdict {
    PASSED,
    FAILED,
    OUTSIDE,
    VERDICTS
};

static const char *const verdict_words[VERDICTS] = {"passed", "failed",
                                                    "not-in-subset"};

struct input {
    struct stile_str name;
    struct stile_value *root;
    struct input *next;
};

struct runner {
    struct stile_arena *arena, *scratch;
    const char *folder;
    struct input *inputs;
    const char *list; /* a verdict's word, "all", or NULL */
    size_t total[VERDICTS], group[VERDICTS];
};

/* ---- inputs ---- */

/* The JSON form beside an XML one; NULL when there is none. */
static struct input *input_of(struct runner *r, struct stile_str name)
{
    for (struct input *i = r->inputs; i != NULL; i = i->next) {
        if (stile_str_eq(i->name, name)) {
            return i;
        }
    }
    struct input *in = stile_arena_alloc(r->arena, sizeof *in);
    size_t base = stile_str_ends(name, STILE_STR(".xml"))    ? name.len - 4
                  : stile_str_ends(name, STILE_STR(".json")) ? name.len - 5
                                                             : name.len;
    struct stile_str path =
        stile_arena_printf(r->arena, "%s/%.*s.json%c", r->folder,
                           STILE_FMT(stile_str_sub(name, 0, base)), '\0');
    if (in == NULL || path.ptr == NULL) {
        return NULL;
    }
    *in = (struct input){.name = name, .next = r->inputs};
    r->inputs = in;
    struct stile_str text = suite_file(path.ptr, (size_t)8 << 20, r->arena);
    struct stile_diags diags;
    stile_diags_init(&diags, r->arena, 0);
    if (text.ptr == NULL ||
        stile_json_decode(text, STILE_JSON_LIMITS, name, r->arena, &diags,
                          &in->root) != STILE_OK) {
        fprintf(stderr, "fhirpath_suite: %s cannot be read as JSON\n",
                path.ptr);
    }
    return in;
}

/* ---- judging ---- */

/* Outputs write dates and times as literals, with @ and T. */
static bool same_text(const struct stile_fhirpath_item *item,
                      struct stile_str want)
{
    struct stile_str got = item->text;
    if (item->kind == STILE_FP_INTEGER || item->kind == STILE_FP_DECIMAL) {
        return stile_str_eq(got, stile_str_trim(want));
    }
    if (stile_str_starts(want, STILE_STR("@T"))) {
        want = stile_str_sub(want, 2, want.len - 2);
    } else if (stile_str_starts(want, STILE_STR("@"))) {
        want = stile_str_sub(want, 1, want.len - 1);
    }
    if (item->kind == STILE_FP_DATETIME &&
        stile_str_find(got, 'T') == SIZE_MAX &&
        stile_str_ends(want, STILE_STR("T"))) {
        want.len--; /* @2015T is a dateTime of a year */
    }
    return stile_str_eq(got, want);
}

/* `code`, `boolean`, `Quantity`: FHIR's names, also for System values. */
static bool same_type(const struct stile_fhirpath_item *item,
                      struct stile_str want)
{
    char room[96];
    struct stile_str got = stile_fhirpath_type_name(item, room);
    size_t dot = stile_str_find(got, '.');
    return want.len == 0 ||
           stile_str_eq_nocase(stile_str_sub(got, dot + 1, got.len - dot - 1),
                               want);
}

static bool same_item(const struct stile_fhirpath_item *item,
                      const struct suite_output *want)
{
    struct stile_buf text;
    bool same;
    if (!same_type(item, want->type)) {
        return false;
    }
    if (item->kind == STILE_FP_COMPLEX) {
        return want->text.len == 0 || want->type.len > 0;
    }
    stile_buf_init(&text, (size_t)1 << 20);
    stile_fhirpath_text(item, &text);
    same = stile_str_eq(stile_buf_str(&text), want->text) ||
           same_text(item, want->text);
    stile_buf_release(&text);
    return same;
}

static bool same_outputs(const struct suite_test *test,
                         const struct stile_fhirpath_items *got)
{
    const struct suite_output *want = test->outputs;
    if (test->predicate) {
        bool yes = got->count > 0 && (got->list[0].kind != STILE_FP_BOOLEAN ||
                                      got->list[0].boolean);
        return want == NULL ||
               stile_str_eqc(want->text, yes ? "true" : "false");
    }
    if (got->count != test->output_count) {
        return false;
    }
    for (size_t i = 0; i < got->count; i++, want = want->next) {
        if (!same_item(&got->list[i], want)) {
            return false;
        }
    }
    return true;
}

static const char *of_status(enum stile_status status)
{
    return status == STILE_OK ? "evaluated" : stile_status_text(status);
}

static enum verdict judge(struct runner *r, const struct suite_test *test,
                          const char **ret_says)
{
    struct stile_source source = {test->name, test->expression};
    struct stile_diags diags;
    struct stile_fhirpath *path = NULL;
    struct stile_fhirpath_fault fault = {.says = NULL};
    struct stile_fhirpath_items got = {0};
    bool syntax = stile_str_eqc(test->invalid, "syntax");
    bool refused = test->invalid.len > 0;
    stile_diags_init(&diags, r->scratch, 0);
    *ret_says = "it does not read";
    enum stile_status status = stile_fhirpath_parse(
        &source, STILE_FHIRPATH_LIMITS, r->scratch, &diags, &path);
    if (status != STILE_OK) {
        return refused ? PASSED : FAILED;
    }
    const struct input *in =
        test->input.len > 0 ? input_of(r, test->input) : NULL;
    const struct stile_value *root = in != NULL ? in->root : NULL;
    *ret_says = "its input is not there";
    if (test->input.len > 0 && root == NULL) {
        return FAILED;
    }
    status = stile_fhirpath_check(path, stile_value_text(root, "resourceType"),
                                  false, &diags, NULL);
    *ret_says = diags.count > 0 ? diags.items[0].code : "checked";
    if (status == STILE_OK) {
        struct stile_fhirpath_world world = {.resource = root, .bundle = root};
        status = stile_fhirpath_run(path, &world, STILE_FHIRPATH_LIMITS,
                                    r->scratch, &got, &fault);
        *ret_says = fault.says != NULL ? fault.says : of_status(status);
    }
    if (status == STILE_UNSUPPORTED) {
        return OUTSIDE;
    }
    if (refused) {
        return status == STILE_INVALID && !syntax ? PASSED : FAILED;
    }
    return status == STILE_OK && same_outputs(test, &got) ? PASSED : FAILED;
}

/* ---- telling ---- */

static void line(struct stile_str name, const size_t count[VERDICTS])
{
    printf("%-40.*s %5zu passed %5zu failed %5zu not-in-subset\n",
           STILE_FMT(name), count[PASSED], count[FAILED], count[OUTSIDE]);
}

static void one_test(struct runner *r, const struct suite_test *test)
{
    const char *says = "";
    struct stile_arena_mark mark = stile_arena_mark(r->scratch);
    enum verdict verdict = judge(r, test, &says);
    r->group[verdict]++;
    r->total[verdict]++;
    if (r->list != NULL && (strcmp(r->list, "all") == 0 ||
                            strcmp(r->list, verdict_words[verdict]) == 0)) {
        printf("%s %.*s/%.*s: %.*s (%s)\n", verdict_words[verdict],
               STILE_FMT(test->group), STILE_FMT(test->name),
               STILE_FMT(stile_str_trim(test->expression)), says);
    }
    stile_arena_rewind(r->scratch, mark);
}

static void all_tests(struct runner *r, const struct suite *suite)
{
    for (const struct suite_test *t = suite->tests; t != NULL; t = t->next) {
        one_test(r, t);
        if (t->next == NULL || !stile_str_eq(t->next->group, t->group)) {
            line(t->group, r->group);
            memset(r->group, 0, sizeof r->group);
        }
    }
    line(STILE_STR("all"), r->total);
}

static int usage(void)
{
    fprintf(stderr,
            "usage: fhirpath_suite SUITE.xml INPUTS [--list WHICH]\n"
            "  SUITE.xml   HL7's tests-fhir-r4.xml, or one of its form\n"
            "  INPUTS      the folder of its inputs; x.xml is read as x.json\n"
            "  --list      name tests too: failed, not-in-subset, passed, all\n"
            "exit: 0 none failed; 1 some failed; 2 nothing was run\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct runner r = {0};
    struct suite suite;
    if (argc == 5 && strcmp(argv[3], "--list") == 0) {
        r.list = argv[4];
    } else if (argc != 3) {
        return usage();
    }
    stile_format_setup();
    r.folder = argv[2];
    r.arena = stile_arena_new((size_t)256 << 20);
    r.scratch = stile_arena_new((size_t)256 << 20);
    bool good = suite_read(argv[1], r.arena, &suite);
    if (good) {
        all_tests(&r, &suite);
    }
    stile_arena_free(&r.scratch);
    stile_arena_free(&r.arena);
    return !good ? 2 : r.total[FAILED] > 0 ? 1 : 0;
}
