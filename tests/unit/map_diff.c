/* What an edit changes on a sample: paths and counts, and nothing else. */
#include "map_world.h"

#define HEAD                                                                   \
    "  left csv team of clinic 1\n  right fhir Organization\n"                 \
    "  team_ref <-> id\n"
/* Through the branch where there is no name, too. */
#define NAMELESS                                                               \
    " example \"nameless\"\n given team_ref=T1\n expect id = 'T1'\n end\n"
#define EXAMPLE                                                                \
    "  example \"one\"\n    given team_ref=T team_name=N\n"                    \
    "    expect id = 'T'\n  end\n"

static void diff(const char *before, const char *after, const char *want)
{
    static const char *const rows[][7] = {
        {"team_ref", "T1", "team_name", "Secret", "lead_ref", "L1", NULL},
        {"team_ref", "T2", "lead_ref", "L2", NULL},
        {"team_ref", "T3", NULL},
    };
    struct world w, v;
    struct stile_buf out;
    world_start(&w);
    world_map(&w, "before.map", before);
    world_good(&w);
    world_start(&v);
    world_map(&v, "after.map", after);
    world_good(&v);
    struct stile_arena *scratch = stile_arena_new(8u << 20);
    struct stile_map_diff *d = stile_map_diff_new(w.set, v.set, w.arena);
    stile_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < 3; i++) {
        struct stile_row row = world_row(&v, "team", rows[i]);
        cr_assert_eq(stile_map_diff_add(d, &row, STILE_STR("clinic"),
                                        STILE_STR("1"), NULL, scratch),
                     STILE_OK);
        stile_arena_reset(scratch);
    }
    stile_map_diff_print(d, &out);
    cr_expect(stile_str_eqc(stile_buf_str(&out), want),
              "--- got\n%.*s--- want\n%s", STILE_FMT(stile_buf_str(&out)),
              want);
    stile_buf_release(&out);
    stile_arena_free(&scratch);
    world_end(&w);
    world_end(&v);
}

Test(map_diff, nothing)
{
    const char *same =
        "mapping t 1\n" HEAD
        "  team_name <-> name\n  lead_ref <-> alias[0]\n" EXAMPLE;
    diff(same, same, "3 rows, 0 mappings make something else of them\n");
}

Test(map_diff, paths)
{
    diff("mapping t 1\n" HEAD
         "  team_name <-> name\n  lead_ref <-> alias[0]\n" EXAMPLE,
         "mapping t 2\n" HEAD "  team_name -> name : words derived\n"
         "  residue lead_ref\n  active = true\n"
         "  lead_ref -> contact[0].name.text derived\n"
         "  implicitRules = if team_name present then 'x:y' else 'x:z' "
         "derived\n" EXAMPLE NAMELESS,
         "t: 3 of 3 rows differ\n"
         "  alias[]                                          2 removed\n"
         "  implicitRules                                    3 added\n"
         "  active                                           3 added\n"
         "  contact[].name.text                              2 added\n"
         "3 rows, 1 mappings make something else of them\n");
}

Test(map_diff, outcomes_and_mappings)
{
    diff("mapping t 1\n" HEAD
         "  team_name <-> name\n  lead_ref <-> alias[0]\n" EXAMPLE,
         "mapping t 2\n" HEAD "  team_name <-> name\n  lead_ref <-> alias[0]\n"
         "  require team_name\n" EXAMPLE "mapping u 1\n" HEAD
         "  team_name -> name derived\n  residue lead_ref\n"
         "  take when lead_ref = 'L1'\n"
         "  example \"u\"\n    given team_ref=T lead_ref=L1\n"
         "    expect id = 'T'\n    back lead_ref=L1\n  end\n",
         "t: 2 of 3 rows differ\n"
         "  done -> failed                                   2 changed\n"
         "u: 3 of 3 rows differ\n"
         "  no mapping -> done                               1 changed\n"
         "  no mapping -> not taken                          2 changed\n"
         "3 rows, 2 mappings make something else of them\n");
}
