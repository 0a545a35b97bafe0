/* Rows that become one resource, and the rows it leads back to. */
#include "map_world.h"

#include "stile/format.h"

#define ROWS_MAX 8

struct given {
    struct world w;
    struct stile_row rows[ROWS_MAX];
    size_t count;
};

static void start(struct given *g)
{
    *g = (struct given){.count = 0};
    world_start(&g->w);
    cr_assert(world_read(&g->w, "group.map", &g->w.maps[0]));
    g->w.map_count = 1;
    world_good(&g->w);
}

static void add(struct given *g, const char *const *cells)
{
    g->rows[g->count] = world_row(&g->w, "visit", cells);
    g->rows[g->count].number = g->count + 1;
    g->count++;
}

#define ADD(g, ...) add(g, (const char *const[]){__VA_ARGS__, NULL})

static enum stile_status ask(void *ctx, const struct stile_map_ask *what,
                             const struct stile_row *const **ret,
                             size_t *ret_count)
{
    struct given *g = ctx;
    struct stile_map_rows *rows = stile_map_rows_new(g->count, g->w.arena);
    for (size_t i = 0; i < g->count; i++) {
        stile_map_rows_add(rows, &g->rows[i]);
    }
    return stile_map_rows_ask(rows, what, ret, ret_count);
}

/* What becomes of one row; how many results it has. */
static size_t run(struct given *g, size_t row, struct stile_map_result *ret)
{
    struct stile_map_env env = {.ctx = g, .rows = ask};
    struct stile_map_result *results = NULL;
    size_t count = 0;
    cr_assert_eq(stile_map_right(g->w.set, &g->rows[row], STILE_STR("clinic"),
                                 &env, g->w.arena, &g->w.diags, &results,
                                 &count),
                 STILE_OK);
    cr_assert_leq(count, 1);
    if (count == 1) {
        *ret = results[0];
    }
    return count;
}

static struct stile_str json(struct given *g, const struct stile_value *v)
{
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    stile_value_json(v, 0, &out);
    struct stile_str s = stile_arena_str(g->w.arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return s;
}

/* The codes of one finding; its row. */
static void fails(struct given *g, const char *code, uint32_t row)
{
    struct stile_map_result r = {.kind = STILE_MAP_DONE};
    cr_assert_eq(run(g, 0, &r), 1);
    cr_expect_eq(r.kind, STILE_MAP_FAILED);
    cr_expect_null(r.resource);
    cr_assert_eq(g->w.diags.count, 1);
    cr_expect_str_eq(g->w.diags.items[0].code, code);
    cr_expect_eq(g->w.diags.items[0].line, row);
    world_end(&g->w);
}

static const char two_kinds[] =
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":"
    "\"bp\"},\"subject\":{\"reference\":\"Patient/P1\"},\"component\":[{"
    "\"code\":{\"coding\":[{\"system\":\"urn:visit\",\"code\":\"7\"}]},"
    "\"valueQuantity\":{\"value\":2.50,\"unit\":\"kg\"}},{\"code\":{\"coding\":"
    "[{\"system\":\"urn:visit\",\"code\":\"10\"}]},\"dataAbsentReason\":{"
    "\"text\":\"not measured\"}}]}";

/* By the key, not by position: numbers by their value. */
Test(map_group, any_order_of_rows_gives_the_same_resource)
{
    static const size_t orders[][3] = {
        {0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}};
    static const char *const cells[][11] = {
        {"person_ref", "P1", "kind", "bp", "visit_ref", "10", NULL},
        {"person_ref", "P1", "kind", "bp", "visit_ref", "7", "value", "2.50",
         "unit", "kg", NULL},
        {"person_ref", "P2", "kind", "bp", "visit_ref", "1", NULL}};
    for (size_t i = 0; i < 4; i++) {
        struct given g;
        struct stile_map_result r = {.kind = STILE_MAP_DONE};
        size_t results = 0, seen = 0;
        start(&g);
        for (size_t k = 0; k < 3; k++) {
            add(&g, cells[orders[i][k]]);
        }
        for (size_t k = 0; k < 3; k++) {
            if (orders[i][k] == 2) {
                continue;
            }
            size_t n = run(&g, k, &r);
            results += n;
            cr_expect(n == 0 || seen == 0, "the first one has the result");
            seen++;
        }
        cr_assert_eq(results, 1);
        cr_assert_eq(r.kind, STILE_MAP_DONE);
        cr_expect_eq(r.row_count, 2);
        cr_expect(stile_str_eqc(json(&g, r.resource), two_kinds), "%.*s",
                  STILE_FMT(json(&g, r.resource)));
        world_end(&g.w);
    }
}

Test(map_group, a_row_that_is_not_taken_is_in_no_group)
{
    struct given g;
    struct stile_map_result r = {.kind = STILE_MAP_DONE};
    start(&g);
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "1", "note", "n");
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "2");
    cr_expect_eq(run(&g, 0, &r), 0);
    cr_assert_eq(run(&g, 1, &r), 1);
    cr_expect_eq(r.row_count, 1);
    world_end(&g.w);
}

Test(map_group, what_stands_outside_is_one_for_all_rows)
{
    struct given g;
    start(&g);
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "1", "precision",
        "a");
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "2", "precision",
        "b");
    fails(&g, "T115", 2);
}

Test(map_group, the_key_is_one_row_s)
{
    struct given g;
    start(&g);
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "1");
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "2");
    /* Another spelling, one code: both become ' 2' without its space. */
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", " 2");
    fails(&g, "T116", 3);
    start(&g);
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "1");
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "");
    fails(&g, "T120", 2);
}

Test(map_group, a_fault_names_its_own_row)
{
    struct given g;
    start(&g);
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "1");
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "3", "value", "x");
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "2");
    fails(&g, "T102", 2);
}

/* Half a group would look like a whole one. */
Test(map_group, without_the_other_rows_nothing_is_made)
{
    struct given g;
    struct stile_map_result *results = NULL;
    size_t count = 0;
    start(&g);
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "1");
    cr_assert_eq(stile_map_right(g.w.set, &g.rows[0], STILE_STR("clinic"), NULL,
                                 g.w.arena, &g.w.diags, &results, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    cr_expect_eq(results[0].kind, STILE_MAP_FAILED);
    cr_expect(world_has(&g.w, "T117"));
    world_end(&g.w);
    /* Nor when the row itself is not among those at hand. */
    start(&g);
    ADD(&g, "person_ref", "P1", "kind", "bp", "visit_ref", "1");
    struct stile_row own = g.rows[0];
    struct stile_map_env env = {.ctx = &g, .rows = ask};
    g.count = 0;
    cr_assert_eq(stile_map_right(g.w.set, &own, STILE_STR("clinic"), &env,
                                 g.w.arena, &g.w.diags, &results, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    cr_expect(world_has(&g.w, "T117"));
    world_end(&g.w);
}

/* ---- leftward ---- */

static size_t back(struct given *g, const char *text, struct stile_row **ret)
{
    struct stile_value *v = NULL;
    struct stile_tape tape = {0};
    struct stile_json_limits limits = STILE_JSON_LIMITS;
    struct stile_row *rows = NULL;
    size_t count = 0, tape_count = 0;
    uint32_t root = 0;
    struct stile_diags own;
    stile_diags_init(&own, g->w.arena, 0);
    cr_assert_eq(stile_json_decode(stile_str_cstr(text), limits, STILE_STR("t"),
                                   g->w.arena, &own, &v),
                 STILE_OK);
    cr_assert_eq(stile_map_left(g->w.set, STILE_STR("clinic"), &v, 1,
                                g->w.arena, &g->w.diags, ret, &count),
                 STILE_OK);
    /* Off the text the same rows and findings. */
    cr_assert_eq(stile_json_tape(stile_str_cstr(text), limits, STILE_STR("t"),
                                 g->w.arena, &own, &tape),
                 STILE_OK);
    cr_assert_eq(stile_map_left_tape(g->w.set, STILE_STR("clinic"), &tape,
                                     &root, 1, g->w.arena, &own, &rows,
                                     &tape_count),
                 STILE_OK);
    cr_assert_eq(tape_count, count);
    cr_assert_eq(own.count, g->w.diags.count);
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < rows[i].count; c++) {
            cr_assert(stile_str_eq(rows[i].cells[c], (*ret)[i].cells[c]));
        }
    }
    stile_tape_release(&tape);
    return count;
}

#define ITEM(code, rest)                                                       \
    "{\"code\":{\"coding\":[{\"system\":\"urn:visit\",\"code\":\"" code        \
    "\"}]}" rest "}"
#define PANEL(items)                                                           \
    "{\"resourceType\":\"Observation\",\"code\":{\"text\":\"bp\"},"            \
    "\"subject\":{\"reference\":\"Patient/P1\"},\"method\":{\"text\":\"m\"},"  \
    "\"component\":[" items "]}"

static const char *cell(const struct given *g, const struct stile_row *row,
                        const char *column)
{
    return stile_arena_cstr(g->w.arena,
                            stile_row_get(row, stile_str_cstr(column)));
}

Test(map_group, a_resource_gives_its_rows_back)
{
    struct given g;
    struct stile_row *rows = NULL;
    start(&g);
    cr_assert_eq(
        back(&g,
             PANEL(ITEM("B", ",\"valueQuantity\":{\"value\":2.0}") "," ITEM(
                 "A", ",\"dataAbsentReason\":{\"text\":\"not "
                      "measured\"}")),
             &rows),
        2);
    cr_expect_str_eq(cell(&g, &rows[0], "visit_ref"), "B");
    cr_expect_str_eq(cell(&g, &rows[0], "value"), "2.0");
    cr_expect_str_eq(cell(&g, &rows[1], "visit_ref"), "A");
    cr_expect_str_eq(cell(&g, &rows[1], "value"), "");
    for (size_t i = 0; i < 2; i++) {
        cr_expect_str_eq(cell(&g, &rows[i], "person_ref"), "P1");
        cr_expect_str_eq(cell(&g, &rows[i], "kind"), "bp");
        cr_expect_str_eq(cell(&g, &rows[i], "precision"), "m");
    }
    cr_expect_eq(g.w.diags.count, 0);
    world_end(&g.w);
}

Test(map_group, an_item_without_a_key_is_said)
{
    struct given g;
    struct stile_row *rows = NULL;
    start(&g);
    cr_assert_eq(
        back(&g, PANEL("{\"code\":{\"text\":\"x\"}}," ITEM("A", "")), &rows),
        1);
    cr_expect_str_eq(cell(&g, &rows[0], "visit_ref"), "A");
    cr_expect(world_has(&g.w, "T208"));
    world_end(&g.w);
}

Test(map_group, two_items_of_one_key_are_refused)
{
    struct given g;
    struct stile_row *rows = NULL;
    start(&g);
    cr_expect_eq(back(&g, PANEL(ITEM("A", "") "," ITEM("A", "")), &rows), 0);
    cr_expect(world_has(&g.w, "T116"));
    world_end(&g.w);
}

Test(map_group, an_empty_list_is_not_taken)
{
    struct given g;
    struct stile_row *rows = NULL;
    start(&g);
    cr_expect_eq(back(&g, PANEL(""), &rows), 0);
    cr_expect(world_has(&g.w, "T301"));
    world_end(&g.w);
}

/* ---- the laws ---- */

static struct stile_str broken(struct world *w, const char *text,
                               struct stile_buf *out)
{
    struct stile_map_tested tally;
    world_start(w);
    world_map(w, "t.map", text);
    world_good(w);
    cr_assert_eq(stile_map_test(stile_mapset_at(w->set, 0), 1, 300, w->arena,
                                &w->diags, out, &tally),
                 STILE_OK);
    cr_assert(tally.broken);
    cr_assert(world_has(w, "M706"));
    return stile_buf_str(out);
}

Test(map_group, the_laws_hold_for_groups)
{
    struct given g;
    struct stile_map_tested tally;
    struct stile_buf out;
    stile_buf_init(&out, 1 << 16);
    start(&g);
    cr_assert_eq(stile_map_test(stile_mapset_at(g.w.set, 0), 1, 2000, g.w.arena,
                                &g.w.diags, &out, &tally),
                 STILE_OK);
    cr_assert(!tally.broken, "%.*s", STILE_FMT(stile_buf_str(&out)));
    cr_expect_gt(tally.carried, 300);
    stile_buf_release(&out);
    world_end(&g.w);
}

#define LOSING                                                                 \
    "mapping t 1\n left csv visit of clinic 1 group by person_ref\n"           \
    " right fhir Observation\n person_ref <-> subject : ref Patient\n"         \
    " status = 'final'\n code.text = 'x'\n"                                    \
    " each row <-> component by code.text\n  visit_ref <-> code.text\n"        \
    "  when value present\n   value <-> value.ofType(Quantity).value : "       \
    "decimal\n   unit <-> value.ofType(Quantity).unit\n  end\n end\n"          \
    " residue start_on, start_at, precision, kind, note\n"                     \
    " example \"e\"\n given person_ref=P visit_ref=A value=1 unit=kg\n"        \
    " expect component[0].value.value = 1\n end\n"

Test(map_group, a_counterexample_is_as_small_as_it_can_be)
{
    struct world w;
    struct stile_buf out;
    stile_buf_init(&out, 1 << 16);
    struct stile_str text = broken(&w, LOSING, &out);
    /* One row is enough: the others have been taken away. */
    cr_expect_eq(stile_str_find_str(text, STILE_STR("and    visit")), SIZE_MAX,
                 "%.*s", STILE_FMT(text));
    cr_expect_neq(stile_str_find_str(text, STILE_STR("unit=")), SIZE_MAX);
    cr_expect_eq(stile_str_find_str(text, STILE_STR("note=")), SIZE_MAX);
    stile_buf_release(&out);
    world_end(&w);
}

/* ---- rows of another table ---- */

static void start_list(struct given *g)
{
    *g = (struct given){.count = 0};
    world_start(&g->w);
    cr_assert(world_read(&g->w, "list.map", &g->w.maps[0]));
    g->w.map_count = 1;
    world_good(&g->w);
}

static void add_to(struct given *g, const char *table, const char *const *cells)
{
    g->rows[g->count] = world_row(&g->w, table, cells);
    g->rows[g->count].number = g->count + 1;
    g->count++;
}

#define ADD_TO(g, table, ...)                                                  \
    add_to(g, table, (const char *const[]){__VA_ARGS__, NULL})

Test(map_group, rows_of_another_table_are_references)
{
    struct given g;
    struct stile_map_result r = {.kind = STILE_MAP_DONE};
    start_list(&g);
    ADD_TO(&g, "team", "team_ref", "T1");
    ADD_TO(&g, "person", "person_ref", "10", "team_ref", "T1");
    ADD_TO(&g, "person", "person_ref", "9", "team_ref", "T1");
    ADD_TO(&g, "person", "person_ref", "1", "team_ref", "T2");
    cr_assert_eq(run(&g, 0, &r), 1);
    cr_assert_eq(r.kind, STILE_MAP_DONE);
    cr_expect(
        stile_str_eqc(json(&g, r.resource),
                      "{\"resourceType\":\"CareTeam\",\"id\":\"T1\","
                      "\"reasonReference\":[{\"reference\":\"Patient/9\"},"
                      "{\"reference\":\"Patient/10\"}]}"),
        "%.*s", STILE_FMT(json(&g, r.resource)));
    cr_expect(
        stile_mapset_reads(g.w.set, STILE_STR("clinic"), STILE_STR("person")));
    world_end(&g.w);
}

Test(map_group, a_list_of_other_rows_needs_them_at_hand)
{
    struct given g;
    struct stile_map_result *results = NULL;
    size_t count = 0;
    start_list(&g);
    ADD_TO(&g, "team", "team_ref", "T1");
    cr_assert_eq(stile_map_right(g.w.set, &g.rows[0], STILE_STR("clinic"), NULL,
                                 g.w.arena, &g.w.diags, &results, &count),
                 STILE_OK);
    cr_assert_eq(results[0].kind, STILE_MAP_FAILED);
    cr_expect(world_has(&g.w, "T117"));
    world_end(&g.w);
    start_list(&g);
    ADD_TO(&g, "team", "team_ref", "T1");
    ADD_TO(&g, "person", "person_ref", "9", "team_ref", "T1");
    ADD_TO(&g, "person", "person_ref", "9", "team_ref", "T1");
    fails(&g, "T116", 3);
}

/* The person's row gets the team that names it; one that is not there is said.
 */
Test(map_group, references_lead_back_to_the_other_rows)
{
    static const char *const texts[] = {
        "{\"resourceType\":\"Patient\",\"id\":\"P2\"}",
        "{\"resourceType\":\"CareTeam\",\"id\":\"T1\",\"reasonReference\":[{"
        "\"reference\":\"Patient/P2\"},{\"reference\":\"Patient/P9\"},{"
        "\"reference\":\"Group/1\"}]}"};
    struct given g;
    struct stile_value *v[2] = {NULL, NULL};
    struct stile_row *rows = NULL;
    size_t count = 0;
    start_list(&g);
    for (size_t i = 0; i < 2; i++) {
        struct stile_json_limits limits = STILE_JSON_LIMITS;
        cr_assert_eq(stile_json_decode(stile_str_cstr(texts[i]), limits,
                                       STILE_STR("t"), g.w.arena, &g.w.diags,
                                       &v[i]),
                     STILE_OK);
    }
    cr_assert_eq(stile_map_left(g.w.set, STILE_STR("clinic"), v, 2, g.w.arena,
                                &g.w.diags, &rows, &count),
                 STILE_OK);
    cr_assert_eq(count, 2);
    cr_expect_str_eq(cell(&g, &rows[0], "person_ref"), "P2");
    cr_expect_str_eq(cell(&g, &rows[0], "team_ref"), "T1");
    cr_expect_str_eq(cell(&g, &rows[1], "team_ref"), "T1");
    cr_expect(world_has(&g.w, "T207"), "of P9 there is no row");
    cr_expect(world_has(&g.w, "T208"), "a Group is no Patient");
    world_end(&g.w);
}

Test(map_group, the_laws_hold_for_lists_of_other_rows)
{
    struct given g;
    struct stile_map_tested tally;
    struct stile_buf out;
    stile_buf_init(&out, 1 << 16);
    start_list(&g);
    cr_assert_eq(stile_map_test(stile_mapset_at(g.w.set, 0), 1, 500, g.w.arena,
                                &g.w.diags, &out, &tally),
                 STILE_OK);
    cr_assert(!tally.broken, "%.*s", STILE_FMT(stile_buf_str(&out)));
    cr_expect_gt(tally.carried, 300);
    stile_buf_release(&out);
    world_end(&g.w);
}
