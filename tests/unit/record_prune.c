#include <criterion/criterion.h>

#include <stile/record.h>

static struct stile_arena *arena;

static void begin(void)
{
    arena = stile_arena_new(1 << 20);
}

static void end(void)
{
    stile_arena_free(&arena);
}

TestSuite(record_prune, .init = begin, .fini = end);

static struct stile_value *one(const char **at)
{
    struct stile_value *value;

    switch (*(*at)++) {
    case 'n':
        return stile_value_new(arena, STILE_NULL);
    case 'e':
        return stile_value_string(arena, STILE_STR(""));
    case 's':
        return stile_value_string(arena, STILE_STR("x"));
    case 'b':
        return stile_value_bool(arena, false);
    case '0':
        return stile_value_number(arena, STILE_STR("0"));
    case '[':
        value = stile_value_new(arena, STILE_ARRAY);
        while (**at != ']') {
            stile_value_push(value, one(at));
        }
        ++*at;
        return value;
    case '{':
        value = stile_value_new(arena, STILE_OBJECT);
        while (**at != '}') {
            struct stile_str name = {*at, **at == '_' ? 2 : 1};

            *at += name.len;
            stile_value_set(value, name, one(at));
        }
        ++*at;
        return value;
    }
    cr_assert_fail("no tree at '%s'", *at - 1);
    return NULL;
}

/* Trees in a short form: n null, e "", s "x", b false, 0 number, [items],
 * {letter value ...} where _letter is its companion. */
static void check(const char *tree, bool holds, const char *want)
{
    struct stile_value *value = one(&tree);
    struct stile_buf out;

    stile_buf_init(&out, 1000);
    cr_assert_eq(stile_value_prune(value), holds);
    stile_value_json(value, 0, &out);
    cr_assert(stile_str_eqc(stile_buf_str(&out), want), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
    cr_assert_eq(stile_value_prune(value), holds, "twice is as once");
    stile_buf_release(&out);
}

Test(record_prune, empty_things_go)
{
    check("{aebsc[]d{}en}", true, "{\"b\":\"x\"}");
    check("{a[]b{}}", false, "{}");
    check("{a{b{c{de}}}}", false, "{}");
    check("{a{b{c{de}}}fs}", true, "{\"f\":\"x\"}");
    check("[e[][{ae}]s]", true, "[\"x\"]");
    check("[[e]]", false, "[]");
}

Test(record_prune, false_and_zero_are_something)
{
    check("{aba0bs}", true, "{\"a\":0,\"b\":\"x\"}");
    check("[b0]", true, "[false,0]");
}

Test(record_prune, scalars)
{
    check("n", false, "null");
    check("e", false, "\"\"");
    check("s", true, "\"x\"");
    check("b", true, "false");
}

Test(record_prune, arrays_keep_step_with_their_companions)
{
    check("{g[nsne]_g[{is}nn{is}]}", true,
          "{\"g\":[null,\"x\",null,null],"
          "\"_g\":[{\"i\":\"x\"},null,null,{\"i\":\"x\"}]}");
    check("{_g[{is}n]g[es]}", true,
          "{\"_g\":[{\"i\":\"x\"},null],\"g\":[null,\"x\"]}");
}

Test(record_prune, nulls_without_a_companion_go)
{
    check("{g[nsn]}", true, "{\"g\":[\"x\"]}");
    check("{g[nsn]_h[ns]}", true, "{\"g\":[\"x\"],\"_h\":[\"x\"]}");
    check("{g[ns]_g{is}}", true, "{\"g\":[\"x\"],\"_g\":{\"i\":\"x\"}}");
    /* A companion that holds nothing does not count, before or after. */
    check("{g[ns]_g[{ie}n]}", true, "{\"g\":[\"x\"]}");
    check("{_g[{ie}n]g[ns]}", true, "{\"g\":[\"x\"]}");
}

Test(record_prune, a_part_of_a_tree)
{
    const char *tree = "{a[e{be}]cede}";
    struct stile_value *root = one(&tree);

    cr_assert_not(stile_value_prune(stile_value_getc(root, "a")));
    cr_assert_eq(stile_value_getc(root, "a")->count, 0);
    cr_assert_eq(root->count, 3, "the siblings are left alone");
    cr_assert_not(stile_value_prune(NULL));
}
