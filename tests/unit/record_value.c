#include <criterion/criterion.h>

#include <stile/record.h>

#define S(text) STILE_STR(text)

static struct stile_arena *arena;
static struct stile_buf out;

static void begin(void)
{
    arena = stile_arena_new(64 << 20);
    stile_buf_init(&out, 64 << 20);
}

static void end(void)
{
    stile_buf_release(&out);
    stile_arena_free(&arena);
}

TestSuite(record_value, .init = begin, .fini = end);

static struct stile_value *text(const char *cstr)
{
    return stile_value_string(arena, stile_str_cstr(cstr));
}

static void check_json(const struct stile_value *value, const char *want)
{
    stile_buf_clear(&out);
    stile_value_json(value, 0, &out);
    cr_assert(stile_str_eqc(stile_buf_str(&out), want), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
}

static void check_place(const struct stile_value *value, const char *want)
{
    stile_buf_clear(&out);
    stile_value_place(value, &out);
    cr_assert(stile_str_eqc(stile_buf_str(&out), want), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
}

/* {"resourceType":"Patient","name":[{"family":"Grey","given":["A","B"]}],
 *  "active":true,"multipleBirthInteger":2} */
static struct stile_value *patient(void)
{
    struct stile_value *root = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *names;
    struct stile_value *name;
    struct stile_value *given;

    stile_value_set_str(arena, root, "resourceType", S("Patient"));
    names = stile_value_set_new(arena, root, "name", STILE_ARRAY);
    name = stile_value_push(names, stile_value_new(arena, STILE_OBJECT));
    stile_value_set_str(arena, name, "family", S("Grey"));
    given = stile_value_set_new(arena, name, "given", STILE_ARRAY);
    stile_value_push(given, text("A"));
    stile_value_push(given, text("B"));
    stile_value_set(root, S("active"), stile_value_bool(arena, true));
    stile_value_set(root, S("multipleBirthInteger"),
                    stile_value_number(arena, S("2")));
    return root;
}

Test(record_value, json_in_order)
{
    check_json(patient(),
               "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"Grey\","
               "\"given\":[\"A\",\"B\"]}],\"active\":true,"
               "\"multipleBirthInteger\":2}");
    check_json(NULL, "null");
    check_json(stile_value_new(arena, STILE_NULL), "null");
    check_json(stile_value_bool(arena, false), "false");
    check_json(stile_value_new(arena, STILE_ARRAY), "[]");
    check_json(stile_value_new(arena, STILE_OBJECT), "{}");
}

Test(record_value, json_indented)
{
    stile_value_json(patient(), 2, &out);
    cr_assert(stile_str_eqc(stile_buf_str(&out),
                            "{\n"
                            "  \"resourceType\": \"Patient\",\n"
                            "  \"name\": [\n"
                            "    {\n"
                            "      \"family\": \"Grey\",\n"
                            "      \"given\": [\n"
                            "        \"A\",\n"
                            "        \"B\"\n"
                            "      ]\n"
                            "    }\n"
                            "  ],\n"
                            "  \"active\": true,\n"
                            "  \"multipleBirthInteger\": 2\n"
                            "}"),
              "%.*s", STILE_FMT(stile_buf_str(&out)));
}

Test(record_value, json_of_an_inner_value_stays_inside)
{
    check_json(stile_value_path(patient(), "name.0.given"), "[\"A\",\"B\"]");
}

Test(record_value, json_stops_at_the_buffers_limit)
{
    struct stile_buf small;
    size_t whole;

    stile_value_json(patient(), 0, &out);
    whole = out.len;
    stile_buf_init(&small, whole);
    stile_value_json(patient(), 0, &small);
    cr_assert_eq(small.status, STILE_OK);
    stile_buf_release(&small);
    stile_buf_init(&small, whole - 1);
    stile_value_json(patient(), 0, &small);
    cr_assert_eq(small.status, STILE_LIMIT);
    stile_buf_release(&small);
}

Test(record_value, numbers_keep_their_text)
{
    static const char *const good[] = {
        "0",        "-0",   "1.00", "1e5",
        "-12.5E-7", "1E+0", "10.0", "9007199254740993000"};
    static const char *const bad[] = {"",    "-",   "01", "1.",  ".5",
                                      "+1",  "1e",  "1 ", "0x1", "1.e1",
                                      "--1", "1e+", "NaN"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert(stile_number_valid(stile_str_cstr(good[i])), "%s", good[i]);
        check_json(stile_value_number(arena, stile_str_cstr(good[i])), good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(stile_number_valid(stile_str_cstr(bad[i])), "%s", bad[i]);
    }
    check_json(stile_value_number(arena, S("01")), "\"01\"");
}

Test(record_value, set_replaces_in_place)
{
    struct stile_value *root = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *b;

    stile_value_set_str(arena, root, "a", S("1"));
    b = stile_value_set_str(arena, root, "b", S("2"));
    stile_value_set_str(arena, root, "c", S("3"));
    stile_value_set_str(arena, root, "b", S("4"));
    check_json(root, "{\"a\":\"1\",\"b\":\"4\",\"c\":\"3\"}");
    cr_assert_null(b->parent);
    stile_value_set_str(arena, root, "a", S("5"));
    stile_value_set_str(arena, root, "c", S("6"));
    check_json(root, "{\"a\":\"5\",\"b\":\"4\",\"c\":\"6\"}");
    cr_assert_eq(root->count, 3);
    b = stile_value_getc(root, "b");
    cr_assert_eq(stile_value_set(root, S("b"), b), b, "itself");
    check_json(root, "{\"a\":\"5\",\"b\":\"4\",\"c\":\"6\"}");
}

Test(record_value, a_child_moves)
{
    struct stile_value *root = patient();
    struct stile_value *array = stile_value_new(arena, STILE_ARRAY);
    struct stile_value *active = stile_value_getc(root, "active");

    stile_value_push(array, active);
    check_json(array, "[true]");
    cr_assert_null(stile_value_getc(root, "active"));
    cr_assert_eq(root->count, 3);
    stile_value_set(root, S("name"), active);
    check_json(root, "{\"resourceType\":\"Patient\",\"name\":true,"
                     "\"multipleBirthInteger\":2}");
    check_json(array, "[]");
    stile_value_add(root, S("last"), active);
    check_json(root, "{\"resourceType\":\"Patient\","
                     "\"multipleBirthInteger\":2,\"last\":true}");
}

Test(record_value, remove_at_every_place)
{
    for (size_t at = 0; at < 3; at++) {
        static const char *const want[] = {"[\"b\",\"c\"]", "[\"a\",\"c\"]",
                                           "[\"a\",\"b\"]"};
        struct stile_value *array = stile_value_new(arena, STILE_ARRAY);

        stile_value_push(array, text("a"));
        stile_value_push(array, text("b"));
        stile_value_push(array, text("c"));
        stile_value_remove(stile_value_at(array, at));
        check_json(array, want[at]);
        stile_value_push(array, text("d"));
        cr_assert(stile_str_eqc(stile_value_at(array, 2)->text, "d"));
    }
    stile_value_remove(NULL);
    stile_value_remove(patient());
}

Test(record_value, lookups)
{
    struct stile_value *root = patient();

    cr_assert(stile_str_eqc(stile_value_text(root, "resourceType"), "Patient"));
    cr_assert(
        stile_str_eqc(stile_value_text(root, "multipleBirthInteger"), "2"));
    cr_assert_null(stile_value_text(root, "active").ptr, "a boolean");
    cr_assert_null(stile_value_text(NULL, "active").ptr);
    cr_assert(
        stile_str_eqc(stile_value_path(root, "name.0.given.1")->text, "B"));
    cr_assert_eq(stile_value_path(root, ""), root);
    cr_assert_null(stile_value_path(root, "name.0.given.2"));
    cr_assert_null(stile_value_path(root, "name.-1"));
    cr_assert_null(stile_value_path(root, "name.x"));
    cr_assert_null(stile_value_path(root, "active.x"));
    cr_assert_null(stile_value_path(NULL, "a"));
    cr_assert_null(stile_value_getc(stile_value_getc(root, "name"), "x"));
    cr_assert_null(stile_value_at(root, 0));
}

Test(record_value, places)
{
    struct stile_value *root = patient();
    struct stile_value *bare = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *array = stile_value_new(arena, STILE_ARRAY);

    check_place(root, "Patient");
    check_place(stile_value_path(root, "name.0.family"),
                "Patient.name[0].family");
    check_place(stile_value_path(root, "name.0.given.1"),
                "Patient.name[0].given[1]");
    check_place(bare, "$");
    check_place(stile_value_set_str(arena, bare, "_id", S("1")), "_id");
    check_place(stile_value_push(array, text("x")), "[0]");
    stile_buf_clear(&out);
    stile_value_place(NULL, &out);
    cr_assert_eq(out.len, 0);
}

Test(record_value, places_show_no_value_sent_as_a_name)
{
    struct stile_value *root = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *inner;

    stile_value_set_str(arena, root, "resourceType", S("Mr Grey"));
    inner = stile_value_set_new(arena, root, "9990000000", STILE_OBJECT);
    check_place(stile_value_set_str(arena, inner, "Grey, A", S("x")), "?.?");
}

Test(record_value, copies_are_deep)
{
    char bytes[] = "Grey";
    struct stile_value *root = patient();
    struct stile_value *family = stile_value_path(root, "name.0.family");
    struct stile_value *copy;

    family->text = (struct stile_str){bytes, 4};
    family->offset = 12;
    copy = stile_value_copy(arena, stile_value_getc(root, "name"));
    cr_assert_null(copy->parent);
    memset(bytes, 'x', 4);
    check_json(copy, "[{\"family\":\"Grey\",\"given\":[\"A\",\"B\"]}]");
    cr_assert_eq(stile_value_path(copy, "0.family")->offset, 12);
    cr_assert_null(stile_value_copy(arena, NULL));
}

Test(record_value, copy_fails_with_its_arena)
{
    struct stile_value *root = patient();
    size_t before = stile_arena_used(arena);
    struct stile_arena *small;
    size_t need;

    cr_assert_not_null(stile_value_copy(arena, root));
    need = stile_arena_used(arena) - before;
    small = stile_arena_new(need);
    cr_assert_not_null(stile_value_copy(small, root));
    stile_arena_free(&small);
    small = stile_arena_new(need - 1);
    cr_assert_null(stile_value_copy(small, root));
    cr_assert(stile_arena_failed(small));
    stile_arena_free(&small);
}

Test(record_value, equality)
{
    struct stile_value *a = patient();
    struct stile_value *b = patient();

    cr_assert(stile_value_equal(a, b));
    stile_value_add(b, S("active"), stile_value_getc(b, "active"));
    stile_value_add(b, S("resourceType"), stile_value_getc(b, "resourceType"));
    cr_assert(stile_value_equal(a, b), "members in another order");
    stile_value_path(b, "name.0.given.1")->text = S("C");
    cr_assert_not(stile_value_equal(a, b));
    b = patient();
    stile_value_remove(stile_value_path(b, "name.0.given.0"));
    cr_assert_not(stile_value_equal(a, b));
    b = patient();
    stile_value_getc(b, "multipleBirthInteger")->text = S("2.0");
    cr_assert_not(stile_value_equal(a, b), "precision is meaning");
    b = patient();
    stile_value_getc(b, "active")->name = S("activE");
    cr_assert_not(stile_value_equal(a, b));
    b = patient();
    stile_value_getc(b, "active")->boolean = false;
    cr_assert_not(stile_value_equal(a, b));
    cr_assert(stile_value_equal(NULL, NULL));
    cr_assert_not(stile_value_equal(a, NULL));
    cr_assert_not(
        stile_value_equal(text("2"), stile_value_number(arena, S("2"))));
}

Test(record_value, array_order_matters)
{
    struct stile_value *a = stile_value_new(arena, STILE_ARRAY);
    struct stile_value *b = stile_value_new(arena, STILE_ARRAY);

    stile_value_push(a, text("x"));
    stile_value_push(a, text("y"));
    stile_value_push(b, text("y"));
    cr_assert_not(stile_value_equal(a, b));
    stile_value_push(b, text("x"));
    cr_assert_not(stile_value_equal(a, b));
}

Test(record_value, a_failed_arena_builds_nothing)
{
    struct stile_arena *none = stile_arena_new(0);
    struct stile_value *root = stile_value_new(none, STILE_OBJECT);

    cr_assert_null(root);
    cr_assert_null(stile_value_set_str(none, root, "a", S("b")));
    cr_assert_null(stile_value_set_new(none, root, "a", STILE_ARRAY));
    cr_assert_null(stile_value_push(root, stile_value_bool(none, true)));
    cr_assert_null(stile_value_push(patient(), NULL));
    cr_assert_null(stile_value_add(NULL, S("a"), NULL));
    cr_assert(stile_arena_failed(none));
    stile_arena_free(&none);
}

/* Recursion would need some hundred megabytes of stack here. */
Test(record_value, depth_costs_no_stack)
{
    struct stile_value *root = stile_value_new(arena, STILE_ARRAY);
    struct stile_value *at = root;
    struct stile_value *copy;

    for (int i = 0; i < 100000; i++) {
        at = stile_value_push(at, stile_value_new(arena, STILE_ARRAY));
    }
    stile_value_push(at, text("x"));
    copy = stile_value_copy(arena, root);
    cr_assert(stile_value_equal(root, copy));
    stile_value_json(copy, 0, &out);
    cr_assert_eq(out.len, 2 * 100001 + 3);
    at->first->text = STILE_STR_NULL;
    cr_assert_not(stile_value_prune(root));
    cr_assert_eq(root->count, 0);
}

Test(record_value, rows)
{
    const struct stile_str columns[] = {S("Code"), S("Term")};
    const struct stile_str cells[] = {S("1"), STILE_STR_NULL};
    struct stile_row row = {
        .table = S("t"), .columns = columns, .cells = cells, .count = 2};

    cr_assert(stile_str_eqc(stile_row_get(&row, S("Code")), "1"));
    cr_assert_null(stile_row_get(&row, S("Term")).ptr);
    cr_assert_null(stile_row_get(&row, S("code")).ptr);
}
