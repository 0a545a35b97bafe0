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

Test(map_export, of_several_for_one_the_preferred_leads_back)
{
    struct world w;
    struct stile_buf out;
    struct stile_value *map = NULL;
    size_t skipped = 7;
    world_start(&w);
    cr_assert(world_read(&w, "person.map", &w.maps[0]));
    w.map_count = 1;
    world_good(&w);
    stile_buf_init(&out, 1 << 20);
    cr_assert_eq(stile_map_export_codes(w.set, STILE_STR("sex"),
                                        STILE_STR("https://x"), w.arena, &map),
                 STILE_OK);
    cr_assert_eq(stile_map_import_codes(map, &out, &skipped), STILE_OK);
    cr_expect_eq(skipped, 0);
    cr_expect(stile_str_eqc(stile_buf_str(&out),
                            "left,right,prefer,display,note\n"
                            "F,female,,Female,\nM,male,,Male,\n"
                            "I,other,,Other,\nX,other,->,Other,\n"
                            "U,unknown,,Unknown,\n"),
              "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
    world_end(&w);
}

/* Out and in again, every shipped table leads where it led. */
Test(map_export, there_and_back)
{
    struct shipped f = shipped_load();
    for (size_t i = 0; i < stile_mapset_code_count(f.set); i++) {
        struct stile_str name = stile_mapset_code_at(f.set, i);
        const struct stile__code_table *was = stile__mapset_table(f.set, name);
        struct stile__code_table is = {.name = name};
        struct stile_value *map = NULL;
        struct stile_buf out;
        size_t skipped = 0;
        stile_buf_init(&out, 1 << 20);
        cr_assert_eq(stile_map_export_codes(f.set, name, STILE_STR("https://x"),
                                            f.arena, &map),
                     STILE_OK);
        cr_assert_eq(stile_map_import_codes(map, &out, &skipped), STILE_OK);
        struct stile_source source = {name, stile_buf_str(&out)};
        stile__codes_read(&is, &source, f.arena, &f.diags);
        shipped_dump(&f.diags);
        cr_assert_eq(is.count, was->count, "%.*s", STILE_FMT(name));
        for (uint32_t k = 0; k < was->count; k++) {
            const struct stile__code_row *a, *b;
            a = stile__codes_right(was, was->rows[k].left);
            b = stile__codes_right(&is, was->rows[k].left);
            cr_expect_eq(a == NULL, b == NULL);
            cr_expect(a == NULL || stile_str_eq(a->right, b->right));
            a = stile__codes_left(was, was->rows[k].right);
            b = stile__codes_left(&is, was->rows[k].right);
            cr_expect_eq(a == NULL, b == NULL, "%.*s", STILE_FMT(name));
            cr_expect(a == NULL || b == NULL || stile_str_eq(a->left, b->left));
        }
        stile_buf_release(&out);
    }
    shipped_unload(&f);
}

static enum stile_status import(const char *elements, struct stile_buf *out,
                                size_t *ret_skipped)
{
    struct stile_arena *arena = stile_arena_new(1 << 20);
    struct stile_diags diags;
    struct stile_value *map = NULL;
    char text[1024];
    snprintf(text, sizeof text,
             "{\"resourceType\":\"ConceptMap\",\"group\":[{\"element\":[%s]}]}",
             elements);
    stile_diags_init(&diags, arena, 0);
    cr_assert_eq(stile_json_decode(stile_str_cstr(text), STILE_JSON_LIMITS,
                                   STILE_STR("x"), arena, &diags, &map),
                 STILE_OK);
    enum stile_status status = stile_map_import_codes(map, out, ret_skipped);
    stile_arena_free(&arena);
    return status;
}

Test(map_export, import_by_equivalence)
{
    static const char *const wrong[] = {
        "{\"target\":[{\"code\":\"x\",\"equivalence\":\"equal\"}]}",
        "{\"code\":\"a\",\"target\":[{\"equivalence\":\"equal\"}]}",
        "{\"code\":\"a\",\"target\":[{\"code\":\"x\"}]}",
        "{\"code\":\"a\",\"target\":[{\"code\":\"x\",\"equivalence\":\"?\"}]}"};
    struct stile_buf out;
    size_t skipped = 0;
    stile_buf_init(&out, 1 << 20);
    cr_assert_eq(
        import("{\"code\":\"a,b\",\"target\":[{\"code\":\"x\",\"equivalence\":"
               "\"equal\",\"display\":\"q\\\"q\"}]},"
               "{\"code\":\"c\",\"target\":[{\"code\":\"y\",\"equivalence\":"
               "\"subsumes\"},{\"code\":\"z\",\"equivalence\":"
               "\"specializes\"},{\"code\":\"w\",\"equivalence\":"
               "\"relatedto\"}]},"
               "{\"code\":\"d\",\"target\":[{\"equivalence\":\"unmatched\"}]}",
               &out, &skipped),
        STILE_OK);
    cr_expect_eq(skipped, 1);
    cr_expect(stile_str_eqc(stile_buf_str(&out),
                            "left,right,prefer,display,note\n"
                            "\"a,b\",x,,\"q\"\"q\",\nc,y,->,,\nc,z,<-,,\n"
                            "d,,,,\n"),
              "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_clear(&out);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_eq(import(wrong[i], &out, &skipped), STILE_INVALID, "%s",
                     wrong[i]);
        cr_expect_eq(out.len, 0);
    }
    stile_buf_release(&out);
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
              "  example \"one\"\n    given team_ref=T team_name=N\n"
              "    expect id = 'T'\n  end\n");
    world_good(&w);
    stile_buf_init(&out, 1 << 20);
    stile_mapping_markdown(stile_mapset_at(w.set, 0), &out);
    cr_expect(stile_str_eqc(
                  stile_buf_str(&out),
                  "## t 3\n\nteam of clinic 1 to FHIR R4 Organization, class "
                  "view.\n\n| columns | | element | how | where | keeps |\n"
                  "|---|---|---|---|---|---|\n"
                  "| team_ref | <-> | id |  |  | iso |\n"
                  "| team_name | <-> | name | code | when team_name present | "
                  "canon |\n"
                  "|  | -> | active | = true | when team_name present | iso |\n"
                  "| lead_ref | -> | alias[0] |  | lossy: a \\| b | view |\n"
                  "| team_ref | required |  |  |  |  |\n\n"),
              "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
    world_end(&w);
}

/* A ConceptMap read as it is leads where its table leads. */
Test(map_export, a_concept_map_is_a_table)
{
    struct world w;
    struct stile_buf out;
    struct stile_value *map = NULL;
    world_start(&w);
    stile_format_setup();
    cr_assert(world_read(&w, "person.map", &w.maps[0]));
    w.map_count = 1;
    world_good(&w);
    cr_assert_eq(stile_map_export_codes(w.set, STILE_STR("sex"),
                                        STILE_STR("https://x"), w.arena, &map),
                 STILE_OK);
    stile_buf_init(&out, 1 << 20);
    stile_value_json(map, 0, &out);
    const struct stile__code_table *was =
        stile__mapset_table(w.set, STILE_STR("sex"));
    w.codes[0] =
        (struct stile_source){STILE_STR("codes/sex.json"), stile_buf_str(&out)};
    world_good(&w);
    cr_expect_eq(w.diags.count, 0);
    const struct stile__code_table *is =
        stile__mapset_table(w.set, STILE_STR("sex"));
    cr_assert_eq(is->count, was->count);
    cr_assert_gt(is->count, 3);
    for (uint32_t i = 0; i < was->count; i++) {
        const struct stile__code_row *a = &was->rows[i], *b = &is->rows[i];
        cr_expect(stile_str_eq(a->left, b->left));
        cr_expect(stile_str_eq(a->right, b->right));
        cr_expect(stile_str_eq(a->display, b->display));
        const struct stile__code_row *x = stile__codes_left(was, a->right);
        const struct stile__code_row *y = stile__codes_left(is, b->right);
        cr_assert(x != NULL && y != NULL);
        cr_expect(stile_str_eq(x->left, y->left));
    }
    cr_expect_eq(is->merges, was->merges);
    stile_buf_release(&out);
    world_end(&w);
}

/* CSV and ConceptMap of one name are two tables of one name. */
Test(map_export, a_name_is_csv_or_concept_map)
{
    struct world w;
    world_start(&w);
    stile_format_setup();
    cr_assert(world_read(&w, "person.map", &w.maps[0]));
    w.map_count = 1;
    w.codes[w.code_count++] = (struct stile_source){
        STILE_STR("codes/sex.json"),
        STILE_STR("{\"resourceType\":\"ConceptMap\",\"status\":\"draft\"}")};
    cr_expect_eq(world_compile(&w), STILE_INVALID);
    cr_expect(world_has(&w, "M110"));
    world_end(&w);
}
