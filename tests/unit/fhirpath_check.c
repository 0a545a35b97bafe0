/* What is said of an expression before any record; and every limit, at it
 * and one past it. */
#include "fhirpath_world.h"

struct row {
    const char *type, *expression, *code;
};

static void check(const struct row *rows, size_t count, bool strict)
{
    struct fhirpath_world w;
    fhirpath_start(&w);
    for (size_t i = 0; i < count; i++) {
        const char *got =
            fhirpath_code(&w, rows[i].type, rows[i].expression, strict);
        cr_expect_str_eq(got, rows[i].code, "%s: '%s', not '%s'",
                         rows[i].expression, got, rows[i].code);
    }
    fhirpath_end(&w);
}

Test(fhirpath_check, findings)
{
    static const struct row rows[] = {
        {"Patient", "name.given", ""},
        {"Patient", "Patient.name.given", ""},
        {"Patient", "name.gven", "M105"},
        {"Patient", "Encounter.name", "M105"},
        {"Patient", "birthDate.extension('x').value", ""},
        {"Patient", "birthDate.month", "M105"},
        {"Patient", "'a'.b", "M105"},
        {"Observation", "value.unit", ""},
        {"Observation", "value.nothing", "M105"},
        {"Observation", "valueQuantity", "M105"},
        {"Observation", "(value as Period).unit", "M105"},
        {"Bundle", "entry.resource.anything", ""},
        {"", "anything.goes", ""},
        {"", "Patient.nme", "M105"},
        {"Patient", "name.frist()", "M122"},
        {"Patient", "name.tail()", "M121"},
        {"Patient", "1 + 1", "M121"},
        {"Patient", "%ucum", "M121"},
        {"Patient", "name is Humanname", "M123"},
        {"Patient", "name.ofType(1)", "M123"},
        {"Patient", "name.first(1)", "M224"},
        {"Patient", "iif(true)", "M224"},
        {"Patient", "iif('x', 1)", "M221"},
        {"Patient", "name.startsWith('x')", "M221"},
        {"Patient", "gender.startsWith(1)", "M221"},
        {"Patient", "birthDate < 'x'", "M221"},
        {"Patient", "active < true", "M221"},
        {"Patient", "1 & 'a'", "M221"},
        {"Patient", "name['a']", "M221"},
        {"Patient", "name.resolve()", "M221"},
        {"Patient", "name.", "M008"},
    };
    check(rows, sizeof rows / sizeof rows[0], false);
}

Test(fhirpath_check, strict_says_what_can_never_hold)
{
    static const struct row rows[] = {
        {"Patient", "birthDate = '1970'", "M221"},
        {"Patient", "gender = 1", "M221"},
        {"Patient", "gender = 'x'", ""},
        {"Patient", "1 in name.given", "M221"},
        {"Observation", "value.ofType(Patient)", "M221"},
        {"Observation", "value.ofType(Quantity)", ""},
        {"Observation", "value = 1 'mg'", ""},
        {"Patient", "Patient.is(System.Patient)", "M123"},
    };
    check(rows, sizeof rows / sizeof rows[0], true);
    static const struct row lenient[] = {
        {"Patient", "birthDate = '1970'", ""},
        {"Patient", "Patient.is(System.Patient)", ""},
    };
    check(lenient, 2, false);
}

Test(fhirpath_check, outside_alone_is_unsupported)
{
    struct fhirpath_world w;
    struct stile_fhirpath *path = NULL;
    bool boolean = false;
    fhirpath_start(&w);
    cr_assert_eq(fhirpath_parse(&w, STILE_STR("name.tail()"), &path), STILE_OK);
    cr_expect_eq(
        stile_fhirpath_check(path, STILE_STR("Patient"), false, &w.diags, NULL),
        STILE_UNSUPPORTED);
    cr_assert_eq(fhirpath_parse(&w, STILE_STR("nme.tail()"), &path), STILE_OK);
    cr_expect_eq(
        stile_fhirpath_check(path, STILE_STR("Patient"), false, &w.diags, NULL),
        STILE_INVALID);
    cr_assert_eq(fhirpath_parse(&w, STILE_STR("name.exists()"), &path),
                 STILE_OK);
    cr_expect_eq(stile_fhirpath_check(path, STILE_STR("Patient"), false,
                                      &w.diags, &boolean),
                 STILE_OK);
    cr_expect(boolean);
    cr_assert_eq(fhirpath_parse(&w, STILE_STR("name.family"), &path), STILE_OK);
    cr_expect_eq(stile_fhirpath_check(path, STILE_STR("Patient"), false,
                                      &w.diags, &boolean),
                 STILE_OK);
    cr_expect_not(boolean);
    fhirpath_end(&w);
}

Test(fhirpath_check, findings_name_the_place)
{
    struct fhirpath_world w;
    fhirpath_start(&w);
    (void)fhirpath_code(&w, "Patient", "name.where(use = 'x').gven", false);
    cr_assert_eq(w.diags.count, 1);
    cr_expect_eq(w.diags.items[0].column, 23);
    cr_expect_eq(w.diags.items[0].caret_len, 4);
    cr_expect(stile_str_eqc(w.diags.items[0].hint, "did you mean 'given'?"));
    fhirpath_end(&w);
}

/* ---- limits ---- */

static enum stile_status parse_text(struct fhirpath_world *w, const char *text)
{
    struct stile_fhirpath *path = NULL;
    return fhirpath_parse(w, stile_str_cstr(text), &path);
}

Test(fhirpath_limits, bytes_nodes_depth)
{
    struct fhirpath_world w;
    fhirpath_start(&w);
    w.limits.bytes = 4;
    cr_expect_eq(parse_text(&w, "name"), STILE_OK);
    cr_expect_eq(parse_text(&w, "names"), STILE_LIMIT);
    w.limits = STILE_FHIRPATH_LIMITS;
    w.limits.nodes = 3;
    cr_expect_eq(parse_text(&w, "a = b"), STILE_OK);
    cr_expect_eq(parse_text(&w, "a = b.c"), STILE_LIMIT);
    w.limits = STILE_FHIRPATH_LIMITS;
    w.limits.depth = 3;
    cr_expect_eq(parse_text(&w, "a.b.c"), STILE_OK);
    cr_expect_eq(parse_text(&w, "a.b.c.d"), STILE_LIMIT);
    cr_expect_eq(parse_text(&w, "((a))"), STILE_OK);
    cr_expect_eq(parse_text(&w, "(((a)))"), STILE_LIMIT);
    cr_expect_eq(parse_text(&w, "- -1"), STILE_OK);
    cr_expect_eq(parse_text(&w, "- - - - 1"), STILE_LIMIT);
    cr_expect_str_eq(w.diags.items[w.diags.count - 1].code, "M006");
    fhirpath_end(&w);
}

Test(fhirpath_limits, items_text_steps)
{
    struct fhirpath_world w;
    fhirpath_start(&w);
    w.limits.items = 3;
    cr_expect_str_eq(fhirpath_ask(&w, w.patient, "name.given.count()"), "3");
    w.limits.items = 2;
    cr_expect_str_eq(fhirpath_ask(&w, w.patient, "name.given.count()"),
                     "!limit");
    w.limits = STILE_FHIRPATH_LIMITS;
    w.limits.text = 4;
    cr_expect_str_eq(fhirpath_ask(&w, w.patient, "'ab' & 'cd'"), "abcd");
    cr_expect_str_eq(fhirpath_ask(&w, w.patient, "'ab' & 'cde'"), "!limit");
    w.limits = STILE_FHIRPATH_LIMITS;
    uint64_t least = 0;
    for (w.limits.steps = 1; least == 0; w.limits.steps++) {
        if (strcmp(fhirpath_ask(&w, w.patient, "name.family"), "!limit") != 0) {
            least = w.limits.steps;
        }
        cr_assert_lt(w.limits.steps, 100);
    }
    w.limits.steps = least - 1;
    cr_expect_str_eq(fhirpath_ask(&w, w.patient, "name.family"), "!limit");
    w.limits.steps = 5;
    cr_expect_str_eq(fhirpath_ask(&w, w.patient, "name = name"), "!limit");
    fhirpath_end(&w);
}

Test(fhirpath_limits, memory)
{
    struct fhirpath_world w;
    struct stile_fhirpath *path = NULL;
    struct stile_fhirpath_items items;
    struct stile_fhirpath_fault fault;
    fhirpath_start(&w);
    struct stile_fhirpath_world world = {.resource = w.patient};
    cr_assert_eq(fhirpath_parse(&w, STILE_STR("name.select(given)"), &path),
                 STILE_OK);
    struct stile_arena *small = stile_arena_new(64);
    cr_expect_eq(
        stile_fhirpath_run(path, &world, w.limits, small, &items, &fault),
        STILE_NOMEM);
    cr_expect_eq(fhirpath_parse(&w, STILE_STR("name"), &path), STILE_OK);
    stile_arena_free(&small);
    fhirpath_end(&w);
}
