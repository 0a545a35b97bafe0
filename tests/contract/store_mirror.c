#include "store_world.h"

static struct stile_mirror_row line(const char *table, const char *key,
                                    const char *person, const char *cells,
                                    uint64_t batch, int64_t order)
{
    return (struct stile_mirror_row){.feed = S("emis"),
                                     .table = stile_str_cstr(table),
                                     .key = stile_str_cstr(key),
                                     .person = stile_str_cstr(person),
                                     .cells = stile_str_cstr(cells),
                                     .batch = batch,
                                     .order = order};
}

static void apply(struct world *w, struct stile_mirror_row row)
{
    cr_assert_eq(OPS(w)->mirror_apply(w->store, &row, 1), STILE_OK);
}

static void apply_deleted(struct world *w, struct stile_mirror_row row)
{
    row.deleted = true;
    apply(w, row);
}

static struct stile_mirror_row get(struct world *w, const char *table,
                                   const char *key)
{
    struct stile_mirror_row row;

    cr_assert_eq(OPS(w)->mirror_get(w->store, S("emis"), stile_str_cstr(table),
                                    stile_str_cstr(key), w->arena, &row),
                 STILE_OK, "%s", key);
    return row;
}

/* The persons that are dirty, joined by spaces. */
static const char *dirty(struct world *w, uint64_t **ret_marks)
{
    struct stile_str *persons = NULL;
    struct stile_str text = S("");
    size_t count = 0;

    cr_assert_eq(OPS(w)->dirty(w->store, S("emis"), 99, w->arena, &persons,
                               ret_marks, &count),
                 STILE_OK);
    for (size_t i = 0; i < count; i++) {
        text = stile_arena_printf(w->arena, "%.*s%s%.*s", STILE_FMT(text),
                                  i > 0 ? " " : "", STILE_FMT(persons[i]));
    }
    cr_assert_eq(count_all(w).dirty, count);
    return stile_arena_cstr(w->arena, text);
}

/* What a person's exchange does at its end, with the mark it began with. */
static void work_off(struct world *w, const char *person, uint64_t mark,
                     const struct stile_held_row *held, size_t held_count)
{
    struct stile_accept accept = {.clear_feed = S("emis"),
                                  .clear_person = stile_str_cstr(person),
                                  .clear_batch = mark,
                                  .held = held,
                                  .held_count = held_count};

    cr_assert_eq(accept_one(w, &accept, NULL), STILE_OK);
}

static void work_off_all(struct world *w)
{
    struct stile_str *persons = NULL;
    uint64_t *marks = NULL;
    size_t count = 0;

    cr_assert_eq(OPS(w)->dirty(w->store, S("emis"), 99, w->arena, &persons,
                               &marks, &count),
                 STILE_OK);
    for (size_t i = 0; i < count; i++) {
        work_off(w, stile_arena_cstr(w->arena, persons[i]), marks[i], NULL, 0);
    }
    cr_assert_eq(count_all(w).dirty, 0);
}

/* ---- order ---- */

CONTRACT(mirror, newer_replaces_older_stays)
{
    apply(w, line("Obs", "1", "pa", "[\"v1\"]", 1, 50));
    apply(w, line("Obs", "1", "pa", "[\"v0\"]", 1, 49));
    cr_text(get(w, "Obs", "1").cells, "[\"v1\"]");
    apply(w, line("Obs", "1", "pa", "[\"v2\"]", 1, 50));
    cr_text(get(w, "Obs", "1").cells, "[\"v2\"]");
    apply(w, line("Obs", "1", "pa", "[\"v3\"]", 2, 1));
    cr_text(get(w, "Obs", "1").cells, "[\"v3\"]");
    apply(w, line("Obs", "1", "pa", "[\"old\"]", 1, 99));
    cr_text(get(w, "Obs", "1").cells, "[\"v3\"]");
    world_reopen(w);
    cr_assert_eq(get(w, "Obs", "1").batch, 2);
    cr_assert_eq(get(w, "Obs", "1").order, 1);
    cr_text(get(w, "Obs", "1").person, "pa");
    cr_text(get(w, "Obs", "1").feed, "emis");
}

CONTRACT(mirror, deleted_keeps_cells_and_person)
{
    struct stile_mirror_row row;

    apply(w, line("Obs", "1", "pa", "[\"v1\"]", 1, 1));
    work_off_all(w);
    apply_deleted(w, line("Obs", "1", "", "[null]", 1, 2));
    row = get(w, "Obs", "1");
    cr_assert(row.deleted);
    cr_text(row.cells, "[\"v1\"]");
    cr_text(row.person, "pa");
    cr_assert_str_eq(dirty(w, &(uint64_t *){NULL}), "pa");
    apply(w, line("Obs", "1", "pa", "[\"v1\"]", 1, 3));
    cr_assert_not(get(w, "Obs", "1").deleted, "it came back");
    apply_deleted(w, line("Obs", "2", "pa", "[null]", 1, 3));
    cr_assert(get(w, "Obs", "2").deleted, "deleted before it was seen");
}

CONTRACT(mirror, batch_is_one_transaction)
{
    struct stile_mirror_row rows[] = {line("Obs", "1", "pa", "[]", 1, 1),
                                      line("Obs", "", "pa", "[]", 1, 1)};
    struct stile_mirror_row got;

    cr_assert_eq(OPS(w)->mirror_apply(w->store, rows, 2), STILE_INVALID);
    cr_assert_eq(OPS(w)->mirror_get(w->store, S("emis"), S("Obs"), S("1"),
                                    w->arena, &got),
                 STILE_NOT_FOUND);
    cr_assert_eq(count_all(w).dirty, 0);
}

/* ---- reading ---- */

CONTRACT(mirror, by_first_key_cell)
{
    struct stile_mirror_row got;

    apply(w, line("OrgLoc", "o1\x1fl2", "", "[2]", 1, 1));
    apply(w, line("OrgLoc", "o1\x1fl1", "", "[1]", 1, 1));
    apply(w, line("OrgLoc", "o10\x1fl0", "", "[0]", 1, 1));
    cr_text(get(w, "OrgLoc", "o1").cells, "[1]");
    cr_text(get(w, "OrgLoc", "o1\x1fl2").cells, "[2]");
    cr_assert_eq(OPS(w)->mirror_get(w->store, S("emis"), S("OrgLoc"), S("o"),
                                    w->arena, &got),
                 STILE_NOT_FOUND);
    cr_assert_eq(OPS(w)->mirror_get(w->store, S("other"), S("OrgLoc"), S("o1"),
                                    w->arena, &got),
                 STILE_NOT_FOUND);
}

struct walk {
    struct stile_arena *arena;
    struct stile_str text;
    size_t left; /* END after so many */
    enum stile_status fail;
};

static enum stile_status note(void *ctx, const struct stile_mirror_row *row)
{
    struct walk *walk = ctx;

    if (walk->left == 0) {
        return walk->fail;
    }
    walk->left--;
    walk->text = stile_arena_printf(
        walk->arena, "%.*s%.*s/%.*s%s ", STILE_FMT(walk->text),
        STILE_FMT(row->table), STILE_FMT(row->key), row->deleted ? "!" : "");
    return STILE_OK;
}

CONTRACT(mirror, rows_of_a_person)
{
    struct walk walk = {w->arena, S(""), 99, STILE_END};

    apply(w, line("Obs", "2", "pa", "[]", 1, 1));
    apply(w, line("Obs", "1", "pa", "[]", 1, 2));
    apply(w, line("Obs", "3", "pb", "[]", 1, 3));
    apply(w, line("Drug", "1", "pa", "[]", 1, 4));
    apply(w, line("Code", "1", "", "[]", 1, 5));
    apply_deleted(w, line("Obs", "2", "", "[]", 1, 6));
    cr_assert_eq(
        OPS(w)->mirror_person(w->store, S("emis"), S("pa"), note, &walk),
        STILE_OK);
    cr_text(walk.text, "Drug/1 Obs/1 Obs/2! ");
    walk = (struct walk){w->arena, S(""), 1, STILE_END};
    cr_assert_eq(
        OPS(w)->mirror_person(w->store, S("emis"), S("pa"), note, &walk),
        STILE_OK);
    cr_text(walk.text, "Drug/1 ");
    walk = (struct walk){w->arena, S(""), 1, STILE_LIMIT};
    cr_assert_eq(
        OPS(w)->mirror_person(w->store, S("emis"), S("pa"), note, &walk),
        STILE_LIMIT, "the callback's failure is handed on");
    walk = (struct walk){w->arena, S(""), 9, STILE_END};
    cr_assert_eq(OPS(w)->mirror_person(w->store, S("emis"), S(""), note, &walk),
                 STILE_OK);
    cr_text(walk.text, "");
}

static size_t holders(struct world *w, const char *text, struct stile_str **ret)
{
    size_t count = 9;

    cr_assert_eq(OPS(w)->mirror_holds(w->store, S("emis"), stile_str_cstr(text),
                                      w->arena, ret, &count),
                 STILE_OK);
    return count;
}

CONTRACT(mirror, persons_whose_rows_hold_a_cell)
{
    struct stile_str *persons = NULL;
    size_t count = 9;

    apply(w, line("Pat", "1", "pb", "{\"n\":\"9990000018\"}", 1, 1));
    apply(w, line("Obs", "1", "pb", "{\"n\":\"9990000018\"}", 1, 2));
    apply(w, line("Pat", "2", "pa", "{\"n\":\"9990000018\"}", 1, 3));
    apply(w, line("Pat", "3", "pc", "{\"n\":\"99900000185\"}", 1, 4));
    apply(w, line("Org", "4", "", "{\"n\":\"9990000018\"}", 1, 5));
    apply(w, line("Pat", "5", "pd", "{\"n\":\"9990000018\"}", 1, 6));
    apply_deleted(w, line("Pat", "5", "pd", "{}", 1, 7));
    cr_assert_eq(holders(w, "9990000018", &persons), 2);
    cr_text(persons[0], "pa");
    cr_text(persons[1], "pb");
    cr_assert_eq(holders(w, "999", &persons), 0, "a whole cell only");
    cr_assert_eq(OPS(w)->mirror_holds(w->store, S("tpp"), S("9990000018"),
                                      w->arena, &persons, &count),
                 STILE_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(OPS(w)->mirror_holds(w->store, S("emis"), S(""), w->arena,
                                      &persons, &count),
                 STILE_INVALID);
    cr_assert_eq(OPS(w)->mirror_holds(w->store, S("emis"), S("a\"b"), w->arena,
                                      &persons, &count),
                 STILE_INVALID);
}

/* ---- dirty ---- */

CONTRACT(dirty, persons_in_the_order_they_became_so)
{
    uint64_t *marks = NULL;

    apply(w, line("Obs", "1", "pb", "[1]", 1, 1));
    apply(w, line("Obs", "2", "pa", "[1]", 1, 1));
    apply(w, line("Obs", "3", "pb", "[1]", 2, 1));
    cr_assert_str_eq(dirty(w, &marks), "pb pa");
    world_reopen(w);
    cr_assert_str_eq(dirty(w, &marks), "pb pa");
    work_off(w, "pb", marks[0], NULL, 0);
    cr_assert_str_eq(dirty(w, &marks), "pa");
    apply(w, line("Obs", "2", "pa", "[1]", 3, 1));
    work_off(w, "pa", marks[0], NULL, 0);
    cr_assert_str_eq(dirty(w, &marks), "", "the same again changes nothing");
}

CONTRACT(dirty, applied_meanwhile_stays_dirty)
{
    uint64_t *marks = NULL;

    apply(w, line("Obs", "1", "pa", "[1]", 1, 1));
    cr_assert_str_eq(dirty(w, &marks), "pa");
    apply(w, line("Obs", "1", "pa", "[2]", 1, 2)); /* of the same batch */
    work_off(w, "pa", marks[0], NULL, 0);
    cr_assert_str_eq(dirty(w, &marks), "pa");
    work_off(w, "pa", marks[0], NULL, 0);
    cr_assert_str_eq(dirty(w, &marks), "");
}

CONTRACT(dirty, a_row_that_moves_marks_both_persons)
{
    apply(w, line("Obs", "1", "pa", "[1]", 1, 1));
    work_off_all(w);
    apply(w, line("Obs", "1", "pb", "[1]", 2, 1));
    cr_assert_str_eq(dirty(w, &(uint64_t *){NULL}), "pa pb");
}

CONTRACT(dirty, limit_and_feed)
{
    struct stile_str *persons = NULL;
    uint64_t *marks = NULL;
    struct stile_mirror_row other = line("Obs", "1", "px", "[1]", 1, 1);
    size_t count = 0;

    other.feed = S("tpp");
    apply(w, other);
    apply(w, line("Obs", "1", "pa", "[1]", 1, 1));
    apply(w, line("Obs", "2", "pb", "[1]", 1, 1));
    cr_assert_eq(OPS(w)->dirty(w->store, S("emis"), 1, w->arena, &persons,
                               &marks, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    cr_text(persons[0], "pa");
    cr_assert_eq(OPS(w)->dirty(w->store, S("none"), 9, w->arena, &persons,
                               &marks, &count),
                 STILE_OK);
    cr_assert_eq(count, 0);
    cr_assert_null(persons);
}

CONTRACT(dirty, touch_marks_all_of_a_feed)
{
    uint64_t *marks = NULL;
    uint64_t touched = 0;

    apply(w, line("Obs", "1", "pb", "[1]", 1, 1));
    apply(w, line("Obs", "2", "pa", "[1]", 1, 1));
    apply(w, line("Obs", "3", "pa", "[1]", 1, 1));
    apply(w, line("Code", "1", "", "[1]", 1, 1));
    cr_assert_str_eq(dirty(w, &marks), "pb pa");
    cr_assert_eq(OPS(w)->touch(w->store, S("emis"), &touched), STILE_OK);
    cr_assert_eq(touched, 2);
    work_off(w, "pa", marks[1], NULL, 0);
    cr_assert_str_eq(dirty(w, &marks), "pb pa", "touched after it was read");
    work_off_all(w);
    cr_assert_eq(OPS(w)->touch(w->store, S("emis"), &touched), STILE_OK);
    cr_assert_str_eq(dirty(w, &marks), "pa pb");
}

CONTRACT(dirty, touch_under_another_plan_only)
{
    struct stile_digest plan = {{1}}, next = {{2}};
    uint64_t touched = 99;

    apply(w, line("Obs", "1", "pb", "[1]", 1, 1));
    apply(w, line("Obs", "2", "pa", "[1]", 1, 1));
    work_off_all(w);
    cr_assert_eq(OPS(w)->touch_under(w->store, S("emis"), &plan, &touched),
                 STILE_OK);
    cr_assert_eq(touched, 2, "none was known");
    cr_assert_str_eq(dirty(w, &(uint64_t *){NULL}), "pa pb");
    work_off_all(w);
    world_reopen(w);
    cr_assert_eq(OPS(w)->touch_under(w->store, S("emis"), &plan, &touched),
                 STILE_OK);
    cr_assert_eq(touched, 0);
    cr_assert_eq(count_all(w).dirty, 0);
    cr_assert_eq(OPS(w)->touch_under(w->store, S("other"), &next, &touched),
                 STILE_OK);
    cr_assert_eq(touched, 0, "a feed without rows");
    cr_assert_eq(OPS(w)->touch_under(w->store, S("emis"), &plan, &touched),
                 STILE_OK);
    cr_assert_eq(touched, 0, "each feed has its own");
    cr_assert_eq(OPS(w)->touch_under(w->store, S("emis"), &next, &touched),
                 STILE_OK);
    cr_assert_eq(touched, 2);
    cr_assert_str_eq(dirty(w, &(uint64_t *){NULL}), "pa pb");
    work_off_all(w);
    cr_assert_eq(OPS(w)->touch_under(w->store, S("emis"), &plan, &touched),
                 STILE_OK);
    cr_assert_eq(touched, 2, "the one before is another one again");
}

/* ---- held ---- */

static struct stile_held_row waits(const char *key, const char *missing,
                                   stile_time since)
{
    return (struct stile_held_row){.table = S("Obs"),
                                   .key = stile_str_cstr(key),
                                   .missing = stile_str_cstr(missing),
                                   .reason = S("no such code yet"),
                                   .since = since};
}

CONTRACT(held, the_row_waited_for_wakes_the_person)
{
    struct stile_held_row row = waits("1",
                                      "Code\x1f"
                                      "77",
                                      5);
    uint64_t *marks = NULL;

    apply(w, line("Obs", "1", "pa", "[77]", 1, 1));
    cr_assert_str_eq(dirty(w, &marks), "pa");
    work_off(w, "pa", marks[0], &row, 1);
    cr_assert_str_eq(dirty(w, &marks), "");
    apply(w, line("Code", "78", "", "[]", 1, 1));
    cr_assert_str_eq(dirty(w, &marks), "");
    apply(w, line("Code", "77", "", "[]", 1, 1));
    cr_assert_str_eq(dirty(w, &marks), "pa");
    work_off(w, "pa", marks[0], NULL, 0);
    cr_assert_eq(count_all(w).held, 0, "what was held is replaced");
    apply(w, line("Code", "77", "", "[2]", 2, 1));
    cr_assert_str_eq(dirty(w, &marks), "");
}

CONTRACT(held, waits_by_first_key_cell_too)
{
    struct stile_held_row row = waits("1",
                                      "OrgLoc\x1f"
                                      "o1",
                                      5);
    uint64_t *marks = NULL;

    apply(w, line("Obs", "1", "pa", "[]", 1, 1));
    (void)dirty(w, &marks);
    work_off(w, "pa", marks[0], &row, 1);
    apply(w, line("OrgLoc", "o1\x1fl9", "", "[]", 1, 1));
    cr_assert_str_eq(dirty(w, &marks), "pa");
}

/* The row came after the exchange had looked and before it said it waits. */
CONTRACT(held, came_meanwhile)
{
    struct stile_held_row row = waits("1",
                                      "Code\x1f"
                                      "77",
                                      5);
    uint64_t *marks = NULL;

    apply(w, line("Obs", "1", "pa", "[77]", 1, 1));
    (void)dirty(w, &marks);
    apply(w, line("Code", "77", "", "[]", 1, 1));
    work_off(w, "pa", marks[0], &row, 1);
    cr_assert_str_eq(dirty(w, &marks), "pa");
    work_off(w, "pa", marks[0], &row, 1);
    cr_assert_str_eq(dirty(w, &marks), "", "it had been seen: no circle");
    cr_assert_eq(count_all(w).held, 1);
}

CONTRACT(held, since_stays_for_the_same_thing)
{
    struct stile_held_row rows[] = {waits("1",
                                          "Code\x1f"
                                          "77",
                                          5),
                                    waits("2",
                                          "Code\x1f"
                                          "78",
                                          3)};
    struct stile_held_row *got = NULL;
    size_t count = 0;

    work_off(w, "pa", 1, rows, 2);
    rows[0].since = 50;
    rows[1].since = 60;
    rows[1].missing = S("Code\x1f"
                        "79");
    work_off(w, "pa", 1, rows, 2);
    work_off(w, "pb", 1, rows, 1);
    world_reopen(w);
    cr_assert_eq(OPS(w)->held(w->store, 99, w->arena, &got, &count), STILE_OK);
    cr_assert_eq(count, 3);
    cr_assert_eq(count_all(w).held, 3);
    cr_text(got[0].key, "1");
    cr_assert_eq(got[0].since, 5);
    cr_assert_eq(got[1].since, 50);
    cr_assert_eq(got[2].since, 60);
    cr_text(got[2].feed, "emis");
    cr_text(got[2].table, "Obs");
    cr_text(got[2].missing, "Code\x1f"
                            "79");
    cr_text(got[2].reason, "no such code yet");
    cr_assert_eq(OPS(w)->held(w->store, 1, w->arena, &got, &count), STILE_OK);
    cr_assert_eq(count, 1);
}

/* Export replay: the same files in any split give the same mirror. */
CONTRACT(mirror, replay_in_any_split_is_the_same)
{
    struct stile_mirror_row rows[24];
    struct stile_str first = S("");

    for (size_t i = 0; i < 24; i++) {
        rows[i] =
            line("Obs",
                 stile_arena_cstr(w->arena,
                                  stile_arena_printf(w->arena, "%zu", i % 7)),
                 "pa",
                 stile_arena_cstr(w->arena,
                                  stile_arena_printf(w->arena, "[%zu]", i)),
                 1 + i / 12, (int64_t)(i * 5 % 12));
        rows[i].deleted = i % 5 == 4;
    }
    for (size_t split = 1; split <= 24; split += 5) {
        struct stile_str text = S("");

        /* later splits replay onto what stands there already */
        for (size_t i = 0; i < 24; i += split) {
            size_t count = 24 - i < split ? 24 - i : split;

            cr_assert_eq(OPS(w)->mirror_apply(w->store, rows + i, count),
                         STILE_OK);
        }
        for (char key[2] = "0"; key[0] < '7'; key[0]++) {
            struct stile_mirror_row row = get(w, "Obs", key);

            text = stile_arena_printf(w->arena, "%.*s%.*s%d ", STILE_FMT(text),
                                      STILE_FMT(row.cells), (int)row.order);
        }
        if (split == 1) {
            first = text;
        }
        cr_assert(stile_str_eq(first, text), "%.*s / %.*s", STILE_FMT(first),
                  STILE_FMT(text));
    }
}

/* ---- batches ---- */

CONTRACT(batch, is_read_once)
{
    uint64_t one = 0;
    uint64_t two = 0;
    bool finished = true;

    cr_assert_eq(OPS(w)->batch_begin(w->store, S("emis"), S("291_x.csv"), 1,
                                     &one, &finished),
                 STILE_OK);
    cr_assert_not(finished);
    cr_assert_gt(one, 0);
    world_reopen(w);
    cr_assert_eq(OPS(w)->batch_begin(w->store, S("emis"), S("291_x.csv"), 2,
                                     &two, &finished),
                 STILE_OK);
    cr_assert_eq(one, two, "begun, not finished: again under its number");
    cr_assert_not(finished);
    cr_assert_eq(OPS(w)->batch_finish(w->store, one, 3), STILE_OK);
    cr_assert_eq(OPS(w)->batch_finish(w->store, one, 4), STILE_OK);
    cr_assert_eq(OPS(w)->batch_begin(w->store, S("emis"), S("291_x.csv"), 2,
                                     &two, &finished),
                 STILE_OK);
    cr_assert(finished);
    cr_assert_eq(OPS(w)->batch_begin(w->store, S("tpp"), S("291_x.csv"), 2,
                                     &two, &finished),
                 STILE_OK);
    cr_assert_not(finished);
    cr_assert_gt(two, one);
    cr_assert_eq(OPS(w)->batch_finish(w->store, 4711, 3), STILE_NOT_FOUND);
    cr_assert_eq(
        OPS(w)->batch_begin(w->store, S("emis"), S(""), 1, &one, &finished),
        STILE_INVALID);
}
