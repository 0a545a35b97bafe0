/* Generated rows: they hold what is shipped to its pinned class, find what is
 * lost, and say it in the smallest example. */
#include "map_shipped_help.h"
#include "map_world.h"

Test(map_tested, shipped_mappings_keep_their_pinned_class)
{
    struct shipped f = shipped_load();
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < stile_mapset_count(f.set); i++) {
        const struct stile_mapping *m = stile_mapset_at(f.set, i);
        struct stile_str name = stile_mapping_name(m);
        struct stile_map_tested tally;
        cr_expect_gt(m->tree->law.text.len, 0, "%.*s: pin its class",
                     STILE_FMT(name));
        cr_expect(stile_str_eqc(m->tree->law.text, stile_mapping_class(m)),
                  "%.*s is %s", STILE_FMT(name), stile_mapping_class(m));
        cr_assert_eq(stile_map_test(m, 1, 300, f.arena, &f.diags, &out, &tally),
                     STILE_OK);
        cr_expect(!tally.broken, "%.*s\n%.*s", STILE_FMT(name),
                  STILE_FMT(stile_buf_str(&out)));
        cr_expect_gt(tally.carried, 10, "%.*s", STILE_FMT(name));
    }
    shipped_dump(&f.diags);
    stile_buf_release(&out);
    shipped_unload(&f);
}

static bool test_one(struct world *w, uint64_t seed, struct stile_buf *out)
{
    struct stile_map_tested tally;
    cr_assert_eq(stile_map_test(stile_mapset_at(w->set, 0), seed, 300, w->arena,
                                &w->diags, out, &tally),
                 STILE_OK);
    return tally.broken;
}

#define TEAM                                                                   \
    "mapping t 1\n  left csv team of clinic 1\n  right fhir Organization\n"    \
    "  team_ref <-> id\n  team_name <-> name\n"

Test(map_tested, what_is_not_taken_back)
{
    struct world w;
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    world_start(&w);
    world_map(&w, "t.map",
              TEAM "  take iff name exists\n  lead_ref <-> alias[0]\n"
                   "  example \"one\"\n    given team_ref=T1 team_name=X\n"
                   "    expect id = 'T1'\n  end\n");
    world_good(&w);
    cr_assert(test_one(&w, 1, &out));
    cr_expect(world_has(&w, "M706"));
    /* As small as can be: the key alone. */
    struct stile_str text = stile_buf_str(&out);
    cr_expect_neq(stile_str_find_str(text, STILE_STR("generated: Taken")),
                  SIZE_MAX);
    cr_expect_neq(stile_str_find_str(text, STILE_STR("given  team_ref=")),
                  SIZE_MAX);
    cr_expect_eq(stile_str_find_str(text, STILE_STR("team_name")), SIZE_MAX);
    cr_expect_eq(stile_str_find_str(text, STILE_STR("lead_ref")), SIZE_MAX);
    stile_buf_release(&out);
    world_end(&w);
}

Test(map_tested, the_example_printed_can_be_pasted)
{
    struct world w, v;
    struct stile_buf first, second, text;
    stile_buf_init(&first, 1 << 20);
    stile_buf_init(&second, 1 << 20);
    stile_buf_init(&text, 1 << 20);
    world_start(&w);
    cr_assert(world_read(&w, "M706.map", &w.maps[0]));
    w.map_count = 1;
    world_good(&w);
    cr_assert(test_one(&w, 7, &first));
    cr_assert(test_one(&w, 7, &second));
    cr_expect(stile_str_eq(stile_buf_str(&first), stile_buf_str(&second)),
              "a seed gives the same rows");
    stile_buf_add(&text, w.maps[0].text);
    stile_buf_add(&text, stile_buf_str(&first));
    world_start(&v);
    v.maps[0] = (struct stile_source){STILE_STR("t.map"), stile_buf_str(&text)};
    v.map_count = 1;
    cr_expect_eq(world_compile(&v), STILE_INVALID);
    cr_expect_eq(v.diags.errors, 1);
    cr_expect(world_has(&v, "M702"));
    stile_buf_release(&first);
    stile_buf_release(&second);
    stile_buf_release(&text);
    world_end(&w);
    world_end(&v);
}

Test(map_tested, memory_that_runs_out_is_said)
{
    struct world w;
    struct stile_buf out;
    struct stile_map_tested tally;
    stile_buf_init(&out, 1 << 20);
    world_start(&w);
    cr_assert(world_read(&w, "person.map", &w.maps[0]));
    w.map_count = 1;
    world_good(&w);
    struct stile_arena *small = stile_arena_new(1 << 10);
    cr_expect_eq(stile_map_test(stile_mapset_at(w.set, 0), 1, 10, small,
                                &w.diags, &out, &tally),
                 STILE_NOMEM);
    stile_arena_free(&small);
    stile_buf_release(&out);
    world_end(&w);
}
