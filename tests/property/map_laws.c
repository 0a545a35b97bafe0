/* The laws of a mapping on generated rows: nothing is lost but what the
 * mapping says is lost, and reading back is stable. */
#include "property/seed.h"
#include "unit/map_world.h"

/* Cells that are canonical already: GetPut gives them back as they are. */
static const char *const people[][9] = {
    {"P1", "p.2", "a b/c", "\xc3\xa9t\xc3\xa9", "=cmd|'x'", "x\"y,z", "0", "-",
     NULL},
    {"9990000018", "9990000026", NULL},
    {"A. Person", "two\nlines", " lead", "\"quoted\", comma", "=1+1",
     "\xf0\x9f\x99\x82", "0", NULL},
    {"Alias", "B", NULL},
    {"2024-02-29", "1900-01-01", "1999-12-31", "2024-10-27", NULL},
    {"F", "M", "I", "U", NULL},
    {"1", "10", "7", NULL},
    {"61.50", "0.00", "-1.0", "1234567890123456789", "1e-3", NULL},
    {"T1", "t.1", NULL},
};
static const char *const columns[] = {
    "person_ref", "nhs_number", "name",   "other_name", "born",
    "sex",        "score",      "weight", "team_ref",   "private"};
#define PERSON_COLUMNS (sizeof columns / sizeof columns[0])

static const char *pick(uint64_t *seed, size_t column, bool must)
{
    static const char *const truth[] = {"true", NULL};
    const char *const *from = column < 9 ? people[column] : truth;
    size_t n = 0;
    while (n < 9 && from[n] != NULL) {
        n++;
    }
    if (!must && seed_below(seed, 3) == 0) {
        return "";
    }
    return from[seed_below(seed, n)];
}

static struct stile_row back(struct world *w, struct stile_value *resource)
{
    struct stile_row *rows = NULL;
    size_t count = 0;
    cr_assert_eq(stile_map_left(w->set, STILE_STR("clinic"), &resource, 1,
                                w->arena, &w->diags, &rows, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    return rows[0];
}

static void world(struct world *w, const char *map)
{
    world_start(w);
    cr_assert(world_read(w, map, &w->maps[0]));
    w->map_count = 1;
    world_good(w);
}

Test(map_laws, get_put_person)
{
    struct world w;
    uint64_t seed = seed_begin("map_laws/get_put_person");
    world(&w, "person.map");
    struct stile_arena_mark mark = stile_arena_mark(w.arena);
    for (int round = 0; round < 3000; round++) {
        const char *cells[2 * PERSON_COLUMNS + 1] = {NULL};
        for (size_t i = 0; i < PERSON_COLUMNS; i++) {
            cells[2 * i] = columns[i];
            cells[2 * i + 1] = pick(&seed, i, i == 0);
        }
        struct stile_row row = world_row(&w, "person", cells);
        struct stile_map_result r = world_right(&w, &row, NULL);
        cr_assert_eq(r.kind, STILE_MAP_DONE, "round %d", round);
        struct stile_row again = back(&w, r.resource);
        for (size_t i = 0; i < PERSON_COLUMNS; i++) {
            struct stile_str name = stile_str_cstr(columns[i]);
            struct stile_str got = stile_row_get(&again, name);
            cr_assert(stile_str_eqc(got, cells[2 * i + 1]),
                      "round %d: %s=%s came back as %.*s", round, columns[i],
                      cells[2 * i + 1], STILE_FMT(got));
        }
        stile_arena_rewind(w.arena, mark);
    }
    world_end(&w);
}

/* Cells of any spelling: canonical form is reached in one trip, and the
 * resource is the same after it (Canon), so is the row (PutGet). */
Test(map_laws, canon_visit)
{
    static const char *const dates[] = {"2024-02-29", "2005-02-17", "", NULL};
    static const char *const marks[] = {"Y", "YM", "YMD", "YMDT",
                                        "U", "",   NULL};
    static const char *const values[] = {"95.50", "+1", "007.0",
                                         ".5",    "",   NULL};
    static const char *const units[] = {"mmol/L", "", "a \"b\"", NULL};
    static const char *const guids[] = {
        "{00000000-0000-4000-8000-0000000000AB}",
        "00000000-0000-4000-8000-0000000000ab", NULL};
    const char *const *const from[] = {guids, dates, marks, values, units};
    const char *const names[] = {"visit_ref", "start_on", "precision", "value",
                                 "unit"};
    struct world w;
    uint64_t seed = seed_begin("map_laws/canon_visit");
    world(&w, "visit.map");
    struct stile_arena_mark mark = stile_arena_mark(w.arena);
    for (int round = 0; round < 2000; round++) {
        const char *cells[15] = {"person_ref", "P1", "kind", "measure"};
        for (size_t i = 0; i < 5; i++) {
            size_t n = 0;
            while (from[i][n] != NULL) {
                n++;
            }
            cells[4 + 2 * i] = names[i];
            cells[5 + 2 * i] = from[i][seed_below(&seed, n)];
        }
        /* A unit stands in the block of a value. */
        if (cells[11][0] == '\0') {
            cells[13] = "";
        }
        struct stile_row row = world_row(&w, "visit", cells);
        struct stile_map_result first = world_right(&w, &row, NULL);
        cr_assert_eq(first.kind, STILE_MAP_DONE, "round %d", round);
        struct stile_row once = back(&w, first.resource);
        struct stile_map_result second = world_right(&w, &once, NULL);
        cr_assert_eq(second.kind, STILE_MAP_DONE, "round %d", round);
        cr_assert(stile_value_equal(first.resource, second.resource),
                  "round %d: another resource after a trip", round);
        struct stile_row twice = back(&w, second.resource);
        for (size_t i = 0; i < once.count; i++) {
            cr_assert(stile_str_eq(once.cells[i], twice.cells[i]),
                      "round %d: %.*s", round, STILE_FMT(once.columns[i]));
        }
        stile_arena_rewind(w.arena, mark);
    }
    world_end(&w);
}

/* Any bytes at all as a key: the id codec loses none and is a FHIR id. */
Test(map_laws, id_of_any_text)
{
    uint64_t seed = seed_begin("map_laws/id_of_any_text");
    struct stile_arena *arena = stile_arena_new(1 << 20);
    struct stile__codec_use use = {.codec = stile__codec_find(STILE_STR("id"))};
    for (int round = 0; round < 20000; round++) {
        char text[2][12];
        struct stile_str cells[2], in[2];
        for (size_t k = 0; k < 2; k++) {
            size_t n = (size_t)seed_below(&seed, 8) + (k == 0);
            for (size_t i = 0; i < n; i++) {
                text[k][i] = (char)(seed_below(&seed, 127) + 1);
            }
            in[k] = cells[k] = (struct stile_str){text[k], n};
        }
        struct stile__codec_io io = {
            .arena = arena, .cells = cells, .count = 2};
        cr_assert_eq(stile__codec_right(&use, &io), RUN_NONE);
        cr_assert_leq(io.value.len, 64);
        for (size_t i = 0; i < io.value.len; i++) {
            char c = io.value.ptr[i];
            cr_assert((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                      (c >= 'a' && c <= 'z') || c == '-' || c == '.');
        }
        cr_assert_eq(stile__codec_left(&use, &io), RUN_NONE);
        cr_assert(stile_str_eq(cells[0], in[0]) &&
                      stile_str_eq(cells[1], in[1]),
                  "round %d", round);
        stile_arena_reset(arena);
    }
    stile_arena_free(&arena);
}
