/* Rows to resources and back through compiled mappings. */
#include "map_world.h"

static const char *json(struct world *w, const struct stile_value *v)
{
    struct stile_buf out;
    stile_buf_init(&out, 1 << 20);
    stile_value_json(v, 0, &out);
    const char *s = stile_arena_cstr(w->arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return s;
}

static void samples(struct world *w)
{
    world_start(w);
    cr_assert(world_read(w, "person.map", &w->maps[0]));
    cr_assert(world_read(w, "visit.map", &w->maps[1]));
    w->map_count = 2;
    world_good(w);
}

struct rows {
    const struct stile_row *row;
    enum stile_status status;
    int asked;
};

static enum stile_status find(void *ctx, struct stile_str family,
                              struct stile_str table, struct stile_str column,
                              struct stile_str key,
                              const struct stile_row **ret)
{
    struct rows *r = ctx;
    r->asked++;
    cr_expect(stile_str_eqc(family, "clinic"));
    cr_expect(stile_str_eqc(table, "team"));
    cr_expect(stile_str_eqc(column, "team_ref"));
    if (r->status == STILE_OK &&
        !stile_str_eq(stile_row_get(r->row, STILE_STR("team_ref")), key)) {
        return STILE_NOT_FOUND;
    }
    *ret = r->row;
    return r->status;
}

/* The same bytes whatever the order of the lines: FHIR's own order. */
Test(map_run, a_row_becomes_a_resource)
{
    struct world w;
    samples(&w);
    const char *const cells[] = {
        "sex",        "F",      "person_ref", "P.1",      "born",
        "1990-02-28", "weight", "61.50",      "team_ref", "T1",
        "private",    "TRUE",   NULL};
    const char *const team[] = {"team_ref", "T1", "team_name", "North", NULL};
    struct stile_row row = world_row(&w, "person", cells);
    struct stile_row other = world_row(&w, "team", team);
    struct rows rows = {&other, STILE_OK, 0};
    struct stile_map_env env = {.ctx = &rows, .lookup = find};
    struct stile_map_result r = world_right(&w, &row, &env);
    cr_assert_eq(r.kind, STILE_MAP_DONE);
    cr_expect_eq(rows.asked, 1);
    cr_expect(stile_str_eqc(r.id, "P.2E1"));
    cr_expect_str_eq(
        json(&w, r.resource),
        "{\"resourceType\":\"Patient\",\"id\":\"P.2E1\",\"meta\":{"
        "\"security\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
        "v3-Confidentiality\",\"code\":\"R\"}]},\"extension\":[{\"url\":"
        "\"https://stile.example/weight\",\"valueDecimal\":61.50}],\"active\":"
        "true,\"gender\":\"female\",\"birthDate\":\"1990-02-28\","
        "\"managingOrganization\":{\"reference\":\"Organization/T1\","
        "\"display\":\"North\"}}");
    world_end(&w);
}

Test(map_run, a_failing_row_says_file_row_column_and_line)
{
    struct world w;
    samples(&w);
    const char *const cells[] = {"person_ref", "P1", "born", "31/12/2020",
                                 NULL};
    struct stile_row row = world_row(&w, "person", cells);
    struct stile_map_result r = world_right(&w, &row, NULL);
    cr_expect_eq(r.kind, STILE_MAP_FAILED);
    cr_expect_null(r.resource);
    cr_assert_eq(w.diags.count, 1);
    const struct stile_diag *d = &w.diags.items[0];
    cr_expect_str_eq(d->code, "T101");
    cr_expect(stile_str_eqc(d->file, "rows.csv"));
    cr_expect_eq(d->line, 7);
    cr_expect(stile_str_eqc(d->path, "born (person.map line 13)"), "%.*s",
              STILE_FMT(d->path));
    cr_expect_eq(stile_str_find_str(d->message, STILE_STR("31/12/2020")),
                 SIZE_MAX);
    world_end(&w);
}

Test(map_run, need_and_absent_look_ups)
{
    struct world w;
    samples(&w);
    const char *const cells[] = {"person_ref", "P1", "team_ref", "T1", NULL};
    struct stile_row row = world_row(&w, "person", cells);
    struct rows rows = {NULL, STILE_NEED, 0};
    struct stile_map_env env = {.ctx = &rows, .lookup = find};
    struct stile_map_result r = world_right(&w, &row, &env);
    cr_expect_eq(r.kind, STILE_MAP_NEED);
    cr_expect(stile_str_eqc(r.missing, "team.team_ref"));
    rows.status = STILE_NOT_FOUND;
    r = world_right(&w, &row, &env);
    cr_expect_eq(r.kind, STILE_MAP_DONE);
    cr_expect_eq(w.diags.count, 0);
    world_end(&w);
}

#define TEAM(line)                                                             \
    "mapping t 1\n left csv team of clinic 1\n right fhir Organization\n"      \
    " team_ref <-> id\n residue team_name\n residue lead_ref\n" line           \
    "\n example \"e\"\n given team_ref=T1\n expect id = 'T1'\n end\n"

static struct stile_map_result one(struct world *w, const char *text,
                                   const char *const *cells)
{
    world_start(w);
    world_map(w, "t.map", text);
    world_good(w);
    struct stile_row row = world_row(w, "team", cells);
    struct rows rows = {NULL, STILE_NOT_FOUND, 0};
    struct stile_map_env env = {.ctx = &rows, .lookup = find};
    return world_right(w, &row, &env);
}

Test(map_run, a_missing_row_holds_or_rejects)
{
    struct world w;
    const char *const cells[] = {"team_ref", "T1", "lead_ref", "T2", NULL};
    struct stile_map_result r =
        one(&w,
            TEAM(" lookup o = team by team_ref = lead_ref else hold \"later\"\n"
                 " o.team_name -> name derived"),
            cells);
    cr_expect_eq(r.kind, STILE_MAP_HELD);
    cr_expect(stile_str_eqc(r.missing, "team.team_ref"));
    cr_expect(stile_str_eqc(r.reason, "later"));
    world_end(&w);
    r = one(&w,
            TEAM(" lookup o = team by team_ref = lead_ref else reject \"no\"\n"
                 " o.team_name -> name derived"),
            cells);
    cr_expect_eq(r.kind, STILE_MAP_FAILED);
    cr_expect(world_has(&w, "T111"));
    world_end(&w);
    r = one(&w,
            TEAM(" join o = team by team_ref = lead_ref\n"
                 " o.team_name -> name derived"),
            cells);
    cr_expect_eq(r.kind, STILE_MAP_HELD);
    cr_expect(stile_str_eqc(r.reason, "team row not received yet"));
    world_end(&w);
}

Test(map_run, an_id_needs_all_its_cells)
{
    static const char *const filled[] = {"team_ref", "T1", "team_name", "A",
                                         NULL};
    static const char *const first[] = {"team_ref", "T1", NULL};
    static const char *const second[] = {"team_name", "A", NULL};
    static const char *const *const rows[] = {filled, first, second};
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        struct stile_map_result r = one(
            &w,
            "mapping t 1\n left csv team of clinic 1\n right fhir "
            "Organization\n team_ref, team_name <-> id\n residue lead_ref\n",
            rows[i]);
        cr_expect_eq(r.kind, i == 0 ? STILE_MAP_DONE : STILE_MAP_FAILED);
        cr_expect_eq(world_has(&w, "T120"), i > 0);
        world_end(&w);
    }
}

Test(map_run, a_required_cell_and_a_mandatory_element)
{
    struct world w;
    const char *const cells[] = {"team_ref", "T1", NULL};
    struct stile_map_result r = one(
        &w,
        "mapping t 1\n left csv team of clinic 1\n right fhir Organization\n"
        " team_ref <-> id\n residue team_name, lead_ref\n require team_name\n",
        cells);
    cr_expect_eq(r.kind, STILE_MAP_FAILED);
    cr_expect(world_has(&w, "T120"));
    world_end(&w);
    r = one(&w,
            "mapping t 1\n left csv team of clinic 1\n right fhir Basic\n"
            " team_ref <-> id\n team_name <-> code.text\n residue lead_ref\n",
            cells);
    cr_expect_eq(r.kind, STILE_MAP_FAILED);
    cr_expect(world_has(&w, "T110"));
    world_end(&w);
}

Test(map_run, an_always_empty_column_that_is_filled_is_said)
{
    struct world w;
    samples(&w);
    const char *const cells[] = {
        "person_ref", "P1",
        "visit_ref",  "{00000000-0000-4000-8000-0000000000AB}",
        "kind",       "measure",
        "unused",     "x",
        NULL};
    struct stile_row row = world_row(&w, "visit", cells);
    cr_expect_eq(world_right(&w, &row, NULL).kind, STILE_MAP_DONE);
    cr_expect(world_has(&w, "T206"));
    world_end(&w);
}

Test(map_run, codes_that_miss)
{
    struct world w;
    const char *const cells[] = {"team_ref", "T1", "team_name", "Q", NULL};
#define CODES(policy)                                                          \
    "mapping t 1\n left csv team of clinic 1\n right fhir Organization\n"      \
    " team_ref <-> id\n residue lead_ref\n"                                    \
    " team_name <-> type[0].coding.where(system = 'urn:x').code : codes "      \
    "{ a: 1 } else " policy "\n"
    struct stile_map_result r = one(&w, CODES("absent"), cells);
    cr_expect_eq(r.kind, STILE_MAP_DONE);
    cr_expect(world_has(&w, "T204"));
    cr_expect_null(stile_value_getc(r.resource, "type"));
    world_end(&w);
    r = one(&w, CODES("as-text"), cells);
    cr_expect_eq(r.kind, STILE_MAP_DONE);
    cr_expect(
        stile_str_eqc(stile_value_path(r.resource, "type.0.text")->text, "Q"));
    struct stile_row *rows = NULL;
    size_t count = 0;
    cr_assert_eq(stile_map_left(w.set, STILE_STR("clinic"), &r.resource, 1,
                                w.arena, &w.diags, &rows, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    cr_expect(
        stile_str_eqc(stile_row_get(&rows[0], STILE_STR("team_name")), "Q"));
    world_end(&w);
    r = one(&w, CODES("hold \"code table\""), cells);
    cr_expect_eq(r.kind, STILE_MAP_HELD);
    world_end(&w);
    r = one(&w, CODES("reject"), cells);
    cr_expect_eq(r.kind, STILE_MAP_FAILED);
    cr_expect(world_has(&w, "T105"));
    world_end(&w);
}

Test(map_run, no_mapping_is_no_result)
{
    struct world w;
    samples(&w);
    const char *const cells[] = {"team_ref", "T1", NULL};
    struct stile_row row = world_row(&w, "team", cells);
    struct stile_map_result *results = NULL;
    size_t count = 9;
    cr_assert_eq(stile_map_right(w.set, &row, STILE_STR("clinic"), NULL,
                                 w.arena, &w.diags, &results, &count),
                 STILE_OK);
    cr_expect_eq(count, 0);
    cr_expect(
        stile_mapset_reads(w.set, STILE_STR("clinic"), STILE_STR("team")));
    cr_expect_not(
        stile_mapset_reads(w.set, STILE_STR("emis"), STILE_STR("team")));
    world_end(&w);
}

/* ---- leftward ---- */

static struct stile_value *patient(struct world *w, const char *id,
                                   const char *gender, const char *born)
{
    struct stile_value *v = stile_value_new(w->arena, STILE_OBJECT);
    stile_value_set_str(w->arena, v, "resourceType", STILE_STR("Patient"));
    stile_value_set_str(w->arena, v, "id", stile_str_cstr(id));
    if (gender != NULL) {
        stile_value_set_str(w->arena, v, "gender", stile_str_cstr(gender));
    }
    if (born != NULL) {
        stile_value_set_str(w->arena, v, "birthDate", stile_str_cstr(born));
    }
    return v;
}

static size_t left(struct world *w, struct stile_value *const *resources,
                   size_t count, struct stile_row **ret_rows)
{
    size_t n = 0;
    cr_assert_eq(stile_map_left(w->set, STILE_STR("clinic"), resources, count,
                                w->arena, &w->diags, ret_rows, &n),
                 STILE_OK);
    return n;
}

Test(map_run, equal_keys_are_one_row)
{
    struct world w;
    struct stile_row *rows = NULL;
    samples(&w);
    struct stile_value *resources[] = {patient(&w, "p1", "female", NULL),
                                       patient(&w, "p2", NULL, NULL),
                                       patient(&w, "p1", "male", "1990-02-28")};
    cr_assert_eq(left(&w, resources, 3, &rows), 2);
    cr_expect(stile_str_eqc(stile_row_get(&rows[0], STILE_STR("sex")), "F"));
    cr_expect(stile_str_eqc(stile_row_get(&rows[0], STILE_STR("born")),
                            "1990-02-28"));
    cr_expect(world_has(&w, "T205"));
    world_end(&w);
}

Test(map_run, what_no_mapping_takes_is_said)
{
    struct world w;
    struct stile_row *rows = NULL;
    samples(&w);
    struct stile_value *flag = stile_value_new(w.arena, STILE_OBJECT);
    stile_value_set_str(w.arena, flag, "resourceType", STILE_STR("Flag"));
    struct stile_value *no_key = patient(&w, "", NULL, NULL);
    struct stile_value *resources[] = {flag, flag, no_key};
    cr_assert_eq(left(&w, resources, 3, &rows), 0);
    cr_assert_eq(w.diags.count, 2);
    cr_expect_str_eq(w.diags.items[0].code, "T301");
    cr_expect(stile_str_eqc(w.diags.items[0].path, "Flag"));
    cr_expect(stile_str_eqc(w.diags.items[1].path, "Patient"));
    world_end(&w);
}

Test(map_run, an_unknown_type_is_not_repeated)
{
    struct world w;
    struct stile_row *rows = NULL;
    samples(&w);
    struct stile_value *named = stile_value_new(w.arena, STILE_OBJECT);
    struct stile_value *other = stile_value_new(w.arena, STILE_OBJECT);
    stile_value_set_str(w.arena, named, "resourceType",
                        STILE_STR("MRS EXAMPLE 9990001234"));
    struct stile_value *resources[] = {named, other};
    cr_assert_eq(left(&w, resources, 2, &rows), 0);
    cr_assert_eq(w.diags.count, 1);
    cr_expect(stile_str_eqc(w.diags.items[0].path, "an unknown type"));
    world_end(&w);
}

Test(map_run, a_failing_resource_leaves_nothing)
{
    struct world w;
    struct stile_row *rows = NULL;
    samples(&w);
    struct stile_value *resources[] = {
        patient(&w, "p1", "female", "28 Feb 1990"),
        patient(&w, "p2", NULL, NULL)};
    cr_assert_eq(left(&w, resources, 2, &rows), 1);
    cr_expect(
        stile_str_eqc(stile_row_get(&rows[0], STILE_STR("person_ref")), "p2"));
    cr_expect(world_has(&w, "T101"));
    world_end(&w);
}

/* A mapping whose key is not the table's gives its cells to the rows with
 * the same value; equalities of `where` and `when` are written back. */
Test(map_run, joining_mappings_and_equalities)
{
    static const char text[] =
        "mapping a 1\n left csv visit of clinic 1 where kind = 'x'\n"
        " right fhir Encounter\n take iff status = 'planned'\n"
        " visit_ref <-> id : guid\n person_ref <-> subject : ref Patient\n"
        " status = 'planned'\n class.code = 'AMB'\n"
        " when unit = 'a'\n  priority.text = 'first'\n end\n"
        " when unit = 'b'\n  priority.text = 'second'\n end\n"
        " residue start_on, start_at, precision, value, note\n"
        "mapping b 1\n left csv visit of clinic 1 key person_ref\n"
        " right fhir Patient\n person_ref <-> id\n note <-> name[0].text\n"
        " residue visit_ref, start_on, start_at, precision, value, unit, "
        "kind\n";
    struct world w;
    struct stile_row *rows = NULL;
    world_start(&w);
    world_map(&w, "t.map", text);
    world_good(&w);
    struct stile_value *visit = stile_value_new(w.arena, STILE_OBJECT);
    stile_value_set_str(w.arena, visit, "resourceType", STILE_STR("Encounter"));
    stile_value_set_str(w.arena, visit, "status", STILE_STR("planned"));
    stile_value_set_str(w.arena, visit, "id",
                        STILE_STR("00000000-0000-4000-8000-0000000000ab"));
    struct stile_value *subject =
        stile_value_set_new(w.arena, visit, "subject", STILE_OBJECT);
    stile_value_set_str(w.arena, subject, "reference", STILE_STR("Patient/p1"));
    struct stile_value *priority =
        stile_value_set_new(w.arena, visit, "priority", STILE_OBJECT);
    stile_value_set_str(w.arena, priority, "text", STILE_STR("second"));
    struct stile_value *person = patient(&w, "p1", NULL, NULL);
    struct stile_value *name = stile_value_push(
        stile_value_set_new(w.arena, person, "name", STILE_ARRAY),
        stile_value_new(w.arena, STILE_OBJECT));
    stile_value_set_str(w.arena, name, "text", STILE_STR("A. Person"));
    struct stile_value *resources[] = {person, visit};
    cr_assert_eq(left(&w, resources, 2, &rows), 1);
    cr_expect(stile_str_eqc(stile_row_get(&rows[0], STILE_STR("kind")), "x"));
    cr_expect(stile_str_eqc(stile_row_get(&rows[0], STILE_STR("unit")), "b"));
    cr_expect(
        stile_str_eqc(stile_row_get(&rows[0], STILE_STR("note")), "A. Person"));
    resources[0] = patient(&w, "p9", NULL, NULL);
    cr_assert_eq(left(&w, resources, 2, &rows), 1);
    cr_expect(world_has(&w, "T207"));
    stile_value_set_str(w.arena, visit, "status", STILE_STR("finished"));
    cr_assert_eq(left(&w, resources, 2, &rows), 0);
    world_end(&w);
}

/* ---- explain, listing, digest ---- */

Test(map_run, explain_shows_values_only_when_asked)
{
    struct world w;
    struct stile_buf out;
    samples(&w);
    const char *const cells[] = {"person_ref", "P1", "sex", "F", NULL};
    struct stile_row row = world_row(&w, "person", cells);
    stile_buf_init(&out, 1 << 16);
    cr_assert_eq(stile_map_explain(w.set, &row, STILE_STR("clinic"), NULL,
                                   false, w.arena, &w.diags, &out),
                 STILE_OK);
    cr_expect_neq(stile_str_find_str(stile_buf_str(&out),
                                     STILE_STR("gender\n    line 14 from sex, "
                                               "code row sex line 2")),
                  SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&out)));
    cr_expect_eq(stile_str_find_str(stile_buf_str(&out), STILE_STR("female")),
                 SIZE_MAX);
    stile_buf_clear(&out);
    cr_assert_eq(stile_map_explain(w.set, &row, STILE_STR("clinic"), NULL, true,
                                   w.arena, &w.diags, &out),
                 STILE_OK);
    cr_expect_neq(stile_str_find_str(stile_buf_str(&out),
                                     STILE_STR("gender = \"female\"")),
                  SIZE_MAX);
    stile_buf_release(&out);
    world_end(&w);
}

Test(map_run, the_digest_is_of_every_text)
{
    struct world a, b, c;
    samples(&a);
    samples(&b);
    struct stile_digest x = stile_mapset_digest(a.set);
    struct stile_digest y = stile_mapset_digest(b.set);
    cr_expect(stile_digest_eq(&x, &y));
    world_start(&c);
    cr_assert(world_read(&c, "person.map", &c.maps[0]));
    c.map_count = 1;
    world_good(&c);
    y = stile_mapset_digest(c.set);
    cr_expect_not(stile_digest_eq(&x, &y));
    world_end(&a);
    world_end(&b);
    world_end(&c);
}

Test(map_run, short_memory_is_told)
{
    struct world w;
    samples(&w);
    const char *const cells[] = {"person_ref", "P1", "sex", "F", NULL};
    struct stile_row row = world_row(&w, "person", cells);
    bool done = false;
    for (size_t limit = 64; limit < (1 << 16) && !done; limit += 64) {
        struct stile_arena *small = stile_arena_new(limit);
        struct stile_map_result *results = NULL;
        size_t count = 0;
        enum stile_status status =
            stile_map_right(w.set, &row, STILE_STR("clinic"), NULL, small,
                            &w.diags, &results, &count);
        cr_expect(status == STILE_OK || status == STILE_NOMEM);
        done = status == STILE_OK;
        stile_arena_free(&small);
    }
    cr_expect(done);
    world_end(&w);
}
