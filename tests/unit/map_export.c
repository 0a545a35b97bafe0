/* Code tables as ConceptMaps that FHIR R4 allows; mappings as pages. */
#include "map_shipped_help.h"
#include "map_world.h"

Test(map_export, code_table)
{
    struct world w;
    struct stile_buf out;
    struct stile_value *map = NULL;
    world_start(&w);
    w.codes[w.code_count++] = (struct stile_source){
        STILE_STR("codes/odd.csv"),
        STILE_STR("left,right,prefer,display,note\na,x,,X shown,\nb,y,->,,\n"
                  "c,z,<-,,\nd,,,,\n")};
    cr_assert(world_read(&w, "person.map", &w.maps[0]));
    w.map_count = 1;
    world_good(&w);
    cr_expect_eq(stile_mapset_code_count(w.set), 2);
    cr_expect(stile_str_eqc(stile_mapset_code_at(w.set, 1), "odd"));
    cr_expect_eq(stile_mapset_code_at(w.set, 2).len, 0);
    stile_buf_init(&out, 1 << 20);
    cr_assert_eq(stile_map_export_codes(w.set, STILE_STR("odd"),
                                        STILE_STR("https://x"), w.arena, &map),
                 STILE_OK);
    stile_value_json(map, 0, &out);
    cr_expect(
        stile_str_eqc(
            stile_buf_str(&out),
            "{\"resourceType\":\"ConceptMap\",\"url\":\"https://x/ConceptMap/"
            "odd\",\"title\":\"odd\",\"status\":\"active\",\"group\":[{"
            "\"element\":[{\"code\":\"a\",\"target\":[{\"code\":\"x\","
            "\"display\":\"X shown\",\"equivalence\":\"equivalent\"}]},"
            "{\"code\":\"b\",\"target\":[{\"code\":\"y\",\"equivalence\":"
            "\"wider\"}]},{\"code\":\"c\",\"target\":[{\"code\":\"z\","
            "\"equivalence\":\"narrower\"}]},{\"code\":\"d\",\"target\":[{"
            "\"equivalence\":\"unmatched\"}]}]}]}"),
        "%.*s", STILE_FMT(stile_buf_str(&out)));
    cr_expect_eq(stile_map_export_codes(w.set, STILE_STR("none"),
                                        STILE_STR("https://x"), w.arena, &map),
                 STILE_NOT_FOUND);
    stile_buf_release(&out);
    world_end(&w);
}

Test(map_export, merges_are_wider)
{
    struct world w;
    struct stile_buf out;
    struct stile_value *map = NULL;
    world_start(&w);
    cr_assert(world_read(&w, "person.map", &w.maps[0]));
    w.map_count = 1;
    world_good(&w);
    stile_buf_init(&out, 1 << 20);
    cr_assert_eq(stile_map_export_codes(w.set, STILE_STR("sex"),
                                        STILE_STR("https://x"), w.arena, &map),
                 STILE_OK);
    stile_value_json(map, 0, &out);
    cr_expect_neq(
        stile_str_find_str(
            stile_buf_str(&out),
            STILE_STR("{\"code\":\"I\",\"target\":[{\"code\":\"other\","
                      "\"display\":\"Other\",\"equivalence\":\"wider\","
                      "\"comment\":\"leads back to this source\"}]}")),
        SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
    world_end(&w);
}

Test(map_export, all_shipped_are_r4)
{
    struct shipped f = shipped_load();
    for (size_t i = 0; i < stile_mapset_code_count(f.set); i++) {
        struct stile_str name = stile_mapset_code_at(f.set, i);
        struct stile_value *map = NULL;
        cr_assert_eq(stile_map_export_codes(f.set, name, STILE_STR("https://x"),
                                            f.arena, &map),
                     STILE_OK);
        size_t before = f.diags.errors;
        stile_fhir_check(map, name, &f.diags);
        cr_expect_eq(f.diags.errors, before, "%.*s", STILE_FMT(name));
    }
    shipped_dump(&f.diags);
    shipped_unload(&f);
}

Test(map_export, page)
{
    struct world w;
    struct stile_buf out;
    world_start(&w);
    world_map(&w, "t.map",
              "mapping t 3\n  left csv team of clinic 1\n"
              "  right fhir Organization\n  team_ref <-> id\n"
              "  when team_name present\n    team_name <-> name : code\n"
              "    active = true\n  end\n"
              "  lead_ref -> alias[0] lossy \"a | b\"\n"
              "  require team_ref\n"
              "  example \"one\"\n    given team_ref=T\n"
              "    expect id = 'T'\n  end\n");
    world_good(&w);
    stile_buf_init(&out, 1 << 20);
    stile_mapping_markdown(stile_mapset_at(w.set, 0), &out);
    cr_expect(stile_str_eqc(
                  stile_buf_str(&out),
                  "## t 3\n\nteam of clinic 1 to FHIR R4 Organization, class "
                  "view.\n\n| columns | | element | how | where |\n"
                  "|---|---|---|---|---|\n"
                  "| team_ref | <-> | id |  |  |\n"
                  "| team_name | <-> | name | code | when team_name present |\n"
                  "|  | -> | active | = true | when team_name present |\n"
                  "| lead_ref | -> | alias[0] |  | lossy: a \\| b |\n"
                  "| team_ref | required |  |  |  |\n\n"),
              "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
    world_end(&w);
}
