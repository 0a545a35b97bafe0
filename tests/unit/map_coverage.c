/* Coverage counts what a sample fills and where it goes; it shows no value. */
#include "map_shipped_help.h"
#include "map_world.h"

#define PERSON                                                                 \
    "mapping p 1\n  left csv person of clinic 1\n  right fhir Patient\n"       \
    "  lookup t = team by team_ref else absent\n"                              \
    "  person_ref <-> id\n  sex <-> gender : codes sex else absent\n"          \
    "  name -> name[0].text lossy \"only as it is said\"\n"                    \
    "  t.team_name -> managingOrganization.display derived\n"                  \
    "  residue nhs_number, other_name\n"                                       \
    "  drop born, score, weight because \"not asked for\"\n"                   \
    "  drop team_ref, deleted carried by q\n"                                  \
    "  drop private because \"all of them are\"\n"                             \
    "  example \"one\"\n    given person_ref=P\n    expect id = 'P'\n  end\n"

#define OTHER                                                                  \
    "mapping q 1\n  left csv person of clinic 1\n  right fhir Basic\n"         \
    "  person_ref <-> id\n  team_ref <-> code.text\n"                          \
    "  delete when deleted = true\n"                                           \
    "  drop sex, name, nhs_number, other_name, born, score, weight, private "  \
    "because \"p's\"\n"                                                        \
    "  example \"one\"\n    given person_ref=P team_ref=T\n"                   \
    "    expect id = 'P'\n  end\n"

static enum stile_status no_row(void *ctx, struct stile_str family,
                                struct stile_str table, struct stile_str column,
                                struct stile_str key,
                                const struct stile_row **ret)
{
    (void)ctx;
    (void)family;
    (void)table;
    (void)column;
    (void)key;
    (void)ret;
    return STILE_NOT_FOUND;
}

static struct stile_map_coverage *small_sample(struct world *w)
{
    static const char *const rows[][9] = {
        {"person_ref", "P1", "sex", "M", "name", "Nobody", "born", "2001-02-03",
         NULL},
        {"person_ref", "P2", "sex", "??", "team_ref", "T1", NULL},
        {"person_ref", "P3", "deleted", "true", "name", "Nobody", NULL},
    };
    struct stile_map_env env = {.lookup = no_row};
    world_start(w);
    world_map(w, "p.map", PERSON);
    world_map(w, "q.map", OTHER);
    world_good(w);
    struct stile_map_coverage *c = stile_map_coverage_new(w->set, w->arena);
    struct stile_arena *scratch = stile_arena_new(8u << 20);
    cr_assert_not_null(c);
    for (size_t i = 0; i < 3; i++) {
        struct stile_row row = world_row(w, "person", rows[i]);
        cr_assert_eq(stile_map_coverage_add(c, &row, &env, scratch), STILE_OK);
        stile_arena_reset(scratch);
    }
    struct stile_row team =
        world_row(w, "team", (const char *const[]){"team_ref", "T1", NULL});
    cr_assert_eq(stile_map_coverage_add(c, &team, &env, scratch), STILE_OK);
    team.columns = NULL;
    cr_expect_eq(stile_map_coverage_add(c, &team, &env, scratch),
                 STILE_INVALID);
    stile_arena_free(&scratch);
    return c;
}

Test(map_coverage, page)
{
    struct world w;
    struct stile_buf out;
    struct stile_map_coverage *c = small_sample(&w);
    stile_buf_init(&out, 1 << 20);
    stile_map_coverage_print(c, false, &out);
    static const char want[] =
        "person of clinic 1: 3 rows\n"
        "  p (view): 3 done, 0 not taken\n"
        "  q (view): 1 done, 1 deleted, 1 failed, 0 not taken\n"
        "  person_ref                       mapped    3\n"
        "  nhs_number                       residue   never filled\n"
        "  name                             mapped    2\n"
        "  other_name                       residue   never filled\n"
        "  born                             dropped   1  because \"not asked "
        "for\"\n"
        "  sex                              mapped    2\n"
        "  score                            dropped   never filled  because "
        "\"not asked for\"\n"
        "  weight                           dropped   never filled  because "
        "\"not asked for\"\n"
        "  team_ref                         mapped    1\n"
        "  deleted                          mapped    1\n"
        "  private                          dropped   never filled  because "
        "\"all of them are\"\n"
        "\n"
        "team of clinic 1: 1 rows, no mapping of its own\n"
        "  team_ref                         read      1\n"
        "  team_name                        read      never filled\n"
        "  lead_ref                         not read  never filled\n"
        "\n"
        "codes sex: 1 hits, 1 misses; not used: F, I, X, U\n"
        "loss p line 7: 2 rows: only as it is said\n"
        "T110: 1 times: an element FHIR R4 requires would be missing; fill the "
        "column it comes from\n"
        "T204: 1 times: the code is not in the code table and was left out\n";
    cr_expect(stile_str_eqc(stile_buf_str(&out), want), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
    /* lead_ref: of a table that is looked into, and nobody reads it. */
    cr_expect_eq(stile_map_coverage_open(c), 1);
    stile_buf_release(&out);
    world_end(&w);
}

static enum stile_status aside(struct stile_map_coverage *c, const char *table,
                               const char *column, const char *because)
{
    return stile_map_coverage_set_aside(
        c, STILE_STR("clinic"), stile_str_cstr(table), stile_str_cstr(column),
        stile_str_cstr(because));
}

Test(map_coverage, what_is_set_aside_is_accounted_for_with_its_reason)
{
    struct world w;
    struct stile_buf out;
    struct stile_map_coverage *c = small_sample(&w);
    cr_expect_eq(aside(c, "team", "lead_ref", ""), STILE_INVALID);
    cr_expect_eq(aside(c, "teams", "", "so"), STILE_NOT_FOUND);
    cr_expect_eq(aside(c, "team", "leader", "so"), STILE_NOT_FOUND);
    /* A mapping reads it. */
    cr_expect_eq(aside(c, "team", "team_name", "so"), STILE_CONFLICT);
    cr_expect_eq(stile_map_coverage_open(c), 1);
    cr_expect_eq(aside(c, "team", "", "what remains"), STILE_OK);
    cr_expect_eq(aside(c, "team", "", "twice"), STILE_CONFLICT);
    cr_expect_eq(stile_map_coverage_open(c), 0);
    cr_expect_eq(aside(c, "team", "LEAD_REF", "its own reason"), STILE_OK);
    stile_buf_init(&out, 1 << 20);
    stile_map_coverage_print(c, false, &out);
    cr_expect_neq(stile_str_find_str(
                      stile_buf_str(&out),
                      STILE_STR("dropped   never filled  because \"its own "
                                "reason\"")),
                  SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
    world_end(&w);
}

Test(map_coverage, json)
{
    struct world w;
    struct stile_buf out;
    struct stile_map_coverage *c = small_sample(&w);
    static const char *const parts[] = {
        "{\"name\":\"born\",\"filled\":1,\"account\":\"dropped\",\"by\":\"p\","
        "\"because\":\"not asked for\"}",
        "{\"name\":\"sex\",\"hits\":1,\"misses\":1,\"unused\":[\"F\",\"I\","
        "\"X\","
        "\"U\"]}",
        "\"losses\":[{\"line\":7,\"rows\":2,\"mapping\":\"p\",\"because\":"
        "\"only as it is said\"}]",
        "\"findings\":{\"T110\":1,\"T204\":1}}"};
    stile_buf_init(&out, 1 << 20);
    stile_map_coverage_print(c, true, &out);
    struct stile_str text = stile_buf_str(&out);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        cr_expect_neq(stile_str_find_str(text, stile_str_cstr(parts[i])),
                      SIZE_MAX, "%s\n%.*s", parts[i], STILE_FMT(text));
    }
    cr_expect_eq(stile_str_find_str(text, STILE_STR("Nobody")), SIZE_MAX);
    stile_buf_release(&out);
    world_end(&w);
}

/* mappings/not-carried.csv; every line must speak of something. */
static void set_aside_as_shipped(struct shipped *f,
                                 struct stile_map_coverage *c)
{
    static char text[1 << 16];
    const struct stile_str *cells = NULL;
    size_t count = 0;
    uint64_t row = 0;
    FILE *file = fopen(STILE_SOURCE_DIR "/mappings/not-carried.csv", "rb");
    cr_assert_not_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    cr_assert_lt(len, sizeof text);
    struct stile_csv *csv =
        stile_csv_new(&stile_csv_rfc4180, STILE_CSV_LIMITS, STILE_STR("x"));
    stile_csv_over(csv, (struct stile_str){text, len});
    while (stile_csv_pull(csv, &f->diags, &cells, &count, &row) == STILE_OK) {
        cr_assert_eq(count, 4);
        if (row > 0) {
            cr_expect_eq(stile_map_coverage_set_aside(c, cells[0], cells[1],
                                                      cells[2], cells[3]),
                         STILE_OK, "line %llu", (unsigned long long)row + 1);
        }
    }
    stile_csv_free(&csv);
}

/* A practice's export has no column that nothing accounts for. */
Test(map_coverage, practice_is_all_accounted_for)
{
    struct shipped f = shipped_load();
    struct stile_map_env env = {.ctx = &f.rows, .lookup = shipped_lookup};
    struct stile_arena *scratch = stile_arena_new(64u << 20);
    shipped_read_practice(&f, STILE_SYNTH_BULK);
    struct stile_map_coverage *c = stile_map_coverage_new(f.set, f.arena);
    set_aside_as_shipped(&f, c);
    for (size_t i = 0; i < f.rows.count; i++) {
        cr_assert_eq(stile_map_coverage_add(c, f.rows.items[i], &env, scratch),
                     STILE_OK);
        stile_arena_reset(scratch);
    }
    cr_expect_gt(f.rows.count, 1000);
    cr_expect_eq(stile_map_coverage_open(c), 0);
    stile_arena_free(&scratch);
    shipped_unload(&f);
}

/* What the profile says must be supported: written, or not. */
Test(map_coverage, must_support)
{
    static const char text[] =
        "mapping v 1\n  left csv team of clinic 1\n"
        "  right fhir Organization of clinic-team\n"
        "  team_ref <-> id\n  team_name <-> name\n"
        "  residue lead_ref\n"
        "  example \"one\"\n    given team_ref=T\n    expect id = 'T'\n  end\n";
    static const char *const cells[] = {"team_ref", "T1", NULL};
    struct stile_map_env env = {.lookup = no_row};
    struct world w;
    struct stile_buf out;
    world_start(&w);
    world_map(&w, "v.map", text);
    world_good(&w);
    struct stile_map_coverage *c = stile_map_coverage_new(w.set, w.arena);
    struct stile_arena *scratch = stile_arena_new(8u << 20);
    struct stile_row row = world_row(&w, "team", cells);
    cr_assert_eq(stile_map_coverage_add(c, &row, &env, scratch), STILE_OK);
    stile_buf_init(&out, 1 << 20);
    stile_map_coverage_print(c, false, &out);
    cr_expect_neq(
        stile_str_find_str(stile_buf_str(&out),
                           STILE_STR("clinic-team must support, written: "
                                     "name; not written: address\n")),
        SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_cut(&out, 0);
    stile_map_coverage_print(c, true, &out);
    cr_expect_neq(
        stile_str_find_str(
            stile_buf_str(&out),
            STILE_STR("\"profiles\":[{\"mapping\":\"v\",\"profile\":"
                      "\"clinic-team\",\"must_support\":{\"name\":true,"
                      "\"address\":false}}]")),
        SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
    stile_arena_free(&scratch);
    world_end(&w);
}

Test(map_coverage, a_column_the_format_does_not_have_is_open)
{
    struct world w;
    struct stile_buf out;
    struct stile_map_coverage *c = small_sample(&w);
    struct stile_arena *scratch = stile_arena_new(8u << 20);
    struct stile_map_env env = {.lookup = no_row};
    struct stile_row row =
        world_row(&w, "team", (const char *const[]){"team_ref", "T1", NULL});
    struct stile_str names[4], cells[4];
    cr_assert_eq(row.count, 3);
    for (size_t i = 0; i < row.count; i++) {
        names[i] = row.columns[i];
        cells[i] = row.cells[i];
    }
    names[3] = STILE_STR("col\x1bour");
    cells[3] = STILE_STR("blue");
    row.columns = names;
    row.cells = cells;
    row.count = 4;
    size_t open = stile_map_coverage_open(c);
    cr_assert_eq(stile_map_coverage_add(c, &row, &env, scratch), STILE_OK);
    cr_assert_eq(stile_map_coverage_add(c, &row, &env, scratch), STILE_OK);
    cr_expect_eq(stile_map_coverage_open(c), open + 1);
    stile_buf_init(&out, 1 << 20);
    stile_map_coverage_print(c, false, &out);
    cr_expect_neq(
        stile_str_find_str(stile_buf_str(&out),
                           STILE_STR("  col?our                          not "
                                     "in the format 2\n")),
        SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
    stile_arena_free(&scratch);
    world_end(&w);
}
