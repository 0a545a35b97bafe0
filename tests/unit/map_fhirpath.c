/* FHIRPath in right conditions: asked of a tree and of a tape alike, and one
 * with the short forms. */
#include "map_world.h"

#include "stile/format.h"
#include "../property/seed.h"

struct asked {
    struct world w;
    struct stile_tape tape;
};

/* The team's mapping with `take iff CONDITION`. */
static void compile(struct asked *a, const char *condition)
{
    *a = (struct asked){0};
    stile_format_setup();
    world_start(&a->w);
    struct stile_str text = stile_arena_printf(
        a->w.arena,
        "mapping t 1\n left csv team of clinic 1\n right fhir Organization\n"
        " let sct = identifier.where(system = 'urn:a')\n"
        " take iff %s\n"
        " team_ref <-> id\n team_name <-> name\n"
        " lead_ref <- if alias.count() > 1 then 'many' else 'few' derived\n"
        " residue lead_ref\n%c",
        condition, '\0');
    world_map(&a->w, "t.map", text.ptr);
    world_good(&a->w);
}

static void end(struct asked *a)
{
    stile_tape_release(&a->tape);
    world_end(&a->w);
}

/* Rows the resource makes: -1 when it failed. Tree and tape say the same. */
static int taken(struct asked *a, const char *json, struct stile_str *ret_lead)
{
    struct stile_value *tree = NULL;
    struct stile_row *rows = NULL, *flat = NULL;
    size_t count = 0, flat_count = 0, errors = a->w.diags.errors;
    uint32_t root = 0;
    struct stile_str bytes = stile_str_cstr(json);
    cr_assert_eq(stile_json_decode(bytes, STILE_JSON_LIMITS, STILE_STR("r"),
                                   a->w.arena, &a->w.diags, &tree),
                 STILE_OK);
    cr_assert_eq(stile_json_tape(bytes, STILE_JSON_LIMITS, STILE_STR("r"),
                                 a->w.arena, &a->w.diags, &a->tape),
                 STILE_OK);
    cr_assert_eq(stile_map_left(a->w.set, STILE_STR("clinic"), &tree, 1,
                                a->w.arena, &a->w.diags, &rows, &count),
                 STILE_OK);
    bool failed = a->w.diags.errors > errors;
    errors = a->w.diags.errors;
    cr_assert_eq(stile_map_left_tape(a->w.set, STILE_STR("clinic"), &a->tape,
                                     &root, 1, a->w.arena, &a->w.diags, &flat,
                                     &flat_count),
                 STILE_OK);
    cr_expect_eq(count, flat_count, "%s", json);
    cr_expect_eq(failed, a->w.diags.errors > errors, "%s", json);
    if (count == 1 && ret_lead != NULL) {
        *ret_lead = stile_row_get(&rows[0], STILE_STR("lead_ref"));
        cr_expect(stile_str_eq(*ret_lead,
                               stile_row_get(&flat[0], STILE_STR("lead_ref"))));
    }
    return failed ? -1 : (int)count;
}

#define ORG(more) "{\"resourceType\":\"Organization\",\"id\":\"T1\"" more "}"

struct row {
    const char *condition, *json;
    int want;
};

Test(map_fhirpath, conditions)
{
    static const struct row rows[] = {
        {"name.startsWith('A')", ORG(",\"name\":\"Ash\""), 1},
        {"name.startsWith('A')", ORG(",\"name\":\"Bay\""), 0},
        {"name.startsWith('A')", ORG(""), 0},
        {"not name.startsWith('A')", ORG(""), 1},
        {"name.startsWith('A').not()", ORG(""), 0},
        {"alias.count() >= 2 and active = true",
         ORG(",\"active\":true,\"alias\":[\"a\",\"b\"]"), 1},
        {"alias.count() >= 2 and active = true",
         ORG(",\"active\":true,\"alias\":[\"a\"]"), 0},
        {"(name.exists() xor active.exists())", ORG(",\"name\":\"A\""), 1},
        {"(name.exists() xor active.exists())",
         ORG(",\"name\":\"A\",\"active\":true"), 0},
        {"(name exists or active.exists()) and alias.empty()",
         ORG(",\"name\":\"A\""), 1},
        {"sct.where(value.startsWith('9')).exists()",
         ORG(",\"identifier\":[{\"system\":\"urn:a\",\"value\":\"91\"}]"), 1},
        {"sct.where(value.startsWith('9')).exists()",
         ORG(",\"identifier\":[{\"system\":\"urn:b\",\"value\":\"91\"}]"), 0},
        {"identifier.period.start < @2020-06",
         ORG(",\"identifier\":[{\"period\":{\"start\":\"2020-01-31\"}}]"), 1},
        {"identifier.period.start < @2020-06",
         ORG(",\"identifier\":[{\"period\":{\"start\":\"2020\"}}]"), 0},
        {"identifier.all($this.system = \"urn:a\")",
         ORG(",\"identifier\":[{\"system\":\"urn:a\"}]"), 1},
        {"name & '!' = 'A\\u0021'", ORG(",\"name\":\"A\""), 1},
        {"name.single() = 'A' -- said once", ORG(",\"name\":\"A\""), 1},
        {"alias.single() = 'a'", ORG(",\"alias\":[\"a\",\"b\"]"), -1},
        {"alias in 'a', 'b' or name.exists()", ORG(",\"alias\":[\"b\"]"), 1},
        {"'b' in alias", ORG(",\"alias\":[\"a\",\"b\"]"), 1},
        {"extension('urn:x').value is boolean",
         ORG(",\"extension\":[{\"url\":\"urn:x\",\"valueBoolean\":true}]"), 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct asked a;
        compile(&a, rows[i].condition);
        cr_expect_eq(taken(&a, rows[i].json, NULL), rows[i].want, "%s of %s",
                     rows[i].condition, rows[i].json);
        cr_expect_eq(rows[i].want < 0, world_has(&a.w, "T119"), "%s",
                     rows[i].condition);
        end(&a);
    }
}

Test(map_fhirpath, a_value_by_a_condition)
{
    struct asked a;
    struct stile_str lead;
    compile(&a, "id.exists()");
    cr_assert_eq(taken(&a, ORG(",\"alias\":[\"a\",\"b\"]"), &lead), 1);
    cr_expect(stile_str_eqc(lead, "many"));
    cr_assert_eq(taken(&a, ORG(""), &lead), 1);
    cr_expect(stile_str_eqc(lead, "few"));
    end(&a);
}

/* A finding on a record never shows what stands in it. */
Test(map_fhirpath, a_fault_shows_no_value)
{
    struct asked a;
    struct stile_buf out;
    compile(&a, "alias.single() = 'a'");
    cr_assert_eq(taken(&a, ORG(",\"alias\":[\"sesame\",\"b\"]"), NULL), -1);
    stile_buf_init(&out, 1 << 16);
    stile_diags_print(&a.w.diags, false, &out);
    cr_expect_eq(stile_str_find_str(stile_buf_str(&out), STILE_STR("sesame")),
                 SIZE_MAX);
    cr_expect_neq(stile_str_find_str(stile_buf_str(&out), STILE_STR("line 5")),
                  SIZE_MAX);
    stile_buf_release(&out);
    end(&a);
}

/* `<-` is an arrow to the formatter: it asks for the space. */
Test(map_fhirpath, less_than_minus)
{
    struct world w;
    world_start(&w);
    world_map(&w, "t.map",
              "mapping t 1\n left csv team of clinic 1\n"
              " right fhir Organization\n take iff alias.count() <-1\n"
              " team_ref <-> id\n team_name <-> name\n residue lead_ref\n");
    cr_expect_eq(world_compile(&w), STILE_INVALID);
    cr_expect(world_has(&w, "M008"));
    world_end(&w);
}

Test(map_fhirpath, resolve_is_not_for_mappings)
{
    struct world w;
    world_start(&w);
    world_map(&w, "t.map",
              "mapping t 1\n left csv team of clinic 1\n"
              " right fhir Organization\n"
              " take iff partOf.resolve().exists()\n"
              " team_ref <-> id\n team_name <-> name\n residue lead_ref\n");
    cr_expect_eq(world_compile(&w), STILE_INVALID);
    cr_expect(world_has(&w, "M121"));
    world_end(&w);
}

struct pair {
    const char *brief, *full;
};

/* Each short form and what LANGUAGE.md says it is short for. */
Test(map_fhirpath, short_forms_are_what_they_are_short_for)
{
    static const struct pair pairs[] = {
        {"name exists", "name.exists()"},
        {"name absent", "name.empty()"},
        {"alias exists", "alias.exists()"},
        {"active = true", "active.first() = true"},
        {"name = 'A'", "name.first() = 'A'"},
        {"name != 'A'", "not name.first() = 'A'"},
        {"alias = 'A'", "alias.first() = 'A'"},
        {"name in 'A', 'B'", "name.first() = 'A' or name.first() = 'B'"},
        {"identifier.where(system = 'urn:a').value = 'A'",
         "identifier.where(system = 'urn:a').first().value = 'A'"},
        {"alias[1] = 'B'", "alias[1].first() = 'B'"},
        {"not (name = 'A' or active exists)",
         "not (name.first() = 'A' or active.exists())"},
    };
    static const char *const parts[] = {
        ",\"name\":\"A\"",
        ",\"name\":\"B\"",
        ",\"active\":true",
        ",\"active\":false",
        ",\"alias\":[\"A\"]",
        ",\"alias\":[\"B\",\"A\"]",
        ",\"alias\":[\"A\",\"B\"]",
        ",\"identifier\":[{\"system\":\"urn:a\",\"value\":\"A\"}]",
        (",\"identifier\":[{\"system\":\"urn:b\",\"value\":\"A\"},"
         "{\"system\":\"urn:a\",\"value\":\"B\"}]")};
    uint64_t seed = seed_begin("map_fhirpath/short_forms");
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct asked brief, full;
        compile(&brief, pairs[i].brief);
        compile(&full, pairs[i].full);
        for (int round = 0; round < 40; round++) {
            char json[512];
            static const size_t groups[][2] = {{0, 2}, {2, 2}, {4, 3}, {7, 2}};
            size_t at = (size_t)snprintf(
                json, sizeof json,
                "{\"resourceType\":\"Organization\",\"id\":\"T1\"");
            for (size_t g = 0; g < 4; g++) {
                size_t pick = seed_below(&seed, groups[g][1] + 1);
                at += (size_t)snprintf(
                    json + at, sizeof json - at, "%s",
                    pick == 0 ? "" : parts[groups[g][0] + pick - 1]);
            }
            snprintf(json + at, sizeof json - at, "}");
            cr_expect_eq(taken(&brief, json, NULL), taken(&full, json, NULL),
                         "%s | %s of %s", pairs[i].brief, pairs[i].full, json);
        }
        end(&brief);
        end(&full);
    }
}

Test(map_fhirpath, one_layout)
{
    static const char text[] =
        "mapping t 1\n  left csv team of clinic 1\n  right fhir Organization\n"
        "  take iff (name.exists() xor alias.count()<2) and "
        "identifier.where($this.period.start>=@2020-01-01T10:30:00Z and "
        "use.empty()).exists() and name&'!'!={}\n"
        "  team_ref <-> id\n  residue team_name, lead_ref\n";
    struct stile_arena *arena = stile_arena_new((size_t)4 << 20);
    struct stile_diags diags;
    struct stile_buf once, twice;
    stile_diags_init(&diags, arena, 0);
    stile_buf_init(&once, 1 << 16);
    stile_buf_init(&twice, 1 << 16);
    struct stile_source source = {STILE_STR("t.map"), stile_str_cstr(text)};
    cr_assert_eq(stile_lang_format(&source, arena, &diags, &once), STILE_OK);
    source.text = stile_buf_str(&once);
    cr_assert_eq(stile_lang_format(&source, arena, &diags, &twice), STILE_OK);
    cr_expect(stile_str_eq(stile_buf_str(&once), stile_buf_str(&twice)));
    cr_expect_neq(stile_str_find_str(stile_buf_str(&once),
                                     STILE_STR("alias.count() < 2")),
                  SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&once)));
    cr_expect_neq(stile_str_find_str(stile_buf_str(&once),
                                     STILE_STR("$this.period.start >= "
                                               "@2020-01-01T10:30:00Z")),
                  SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&once)));
    stile_buf_release(&once);
    stile_buf_release(&twice);
    stile_arena_free(&arena);
}
