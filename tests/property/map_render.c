/* What the renderer writes is what the tree would have been written as, byte
 * for byte and finding for finding: on whole generated practices, and on rows
 * of them with cells of any kind put in. */
#include <criterion/criterion.h>

#include "map_private.h"
#include "property/seed.h"
#include "unit/map_shipped_help.h"
#include "unit/map_world.h"

struct outcome {
    struct stile_map_result *results;
    size_t count;
    struct stile_diags found;
};

static void same_findings(const struct stile_diags *a,
                          const struct stile_diags *b, struct stile_str at)
{
    cr_assert_eq(a->count, b->count, "%.*s", STILE_FMT(at));
    cr_assert_eq(a->errors, b->errors);
    cr_assert_eq(a->suppressed, b->suppressed);
    for (size_t i = 0; i < a->count; i++) {
        cr_assert_str_eq(a->items[i].code, b->items[i].code, "%.*s",
                         STILE_FMT(at));
        cr_assert(stile_str_eq(a->items[i].path, b->items[i].path),
                  "%.*s: %.*s or %.*s", STILE_FMT(at),
                  STILE_FMT(a->items[i].path), STILE_FMT(b->items[i].path));
        cr_assert_eq(a->items[i].line, b->items[i].line);
        cr_assert_eq(a->items[i].severity, b->items[i].severity);
    }
}

static void same_result(const struct stile_map_result *tree,
                        const struct stile_map_result *text,
                        const struct stile_buf *out, struct stile_str at)
{
    cr_assert_eq(tree->kind, text->kind, "%.*s: %d or %d", STILE_FMT(at),
                 (int)tree->kind, (int)text->kind);
    cr_assert_eq(tree->mapping, text->mapping);
    cr_assert(stile_str_eq(tree->type, text->type));
    cr_assert(stile_str_eq(tree->id, text->id), "%.*s", STILE_FMT(at));
    cr_assert(stile_str_eq(tree->missing, text->missing));
    cr_assert(stile_str_eq(tree->reason, text->reason));
    if (tree->kind == STILE_MAP_DONE) {
        struct stile_buf json;
        stile_buf_init(&json, 1u << 24);
        stile_value_json(tree->resource, 0, &json);
        struct stile_str got =
            stile_str_sub(stile_buf_str(out), text->json_at, text->json_len);
        cr_assert(stile_str_eq(stile_buf_str(&json), got),
                  "%.*s\n tree: %.*s\n text: %.*s", STILE_FMT(at),
                  STILE_FMT(stile_buf_str(&json)), STILE_FMT(got));
        cr_assert_eq(out->ptr[text->json_at + text->json_len], '\n');
        stile_buf_release(&json);
    }
}

static size_t both_ways(struct shipped *f, const struct stile_row *row,
                        const char *family)
{
    struct stile_map_env env = {.ctx = &f->rows, .lookup = shipped_lookup};
    struct outcome tree = {0}, text = {0};
    struct stile_buf out;
    struct stile_str at =
        stile_arena_printf(f->arena, "%.*s row %llu", STILE_FMT(row->table),
                           (unsigned long long)row->number);
    stile_buf_init(&out, 1u << 24);
    stile_buf_addc(&out, "before");
    stile_diags_init(&tree.found, f->arena, 20);
    stile_diags_init(&text.found, f->arena, 20);
    cr_assert_eq(stile_map_right(f->set, row, stile_str_cstr(family), &env,
                                 f->arena, &tree.found, &tree.results,
                                 &tree.count),
                 STILE_OK);
    cr_assert_eq(stile_map_render(f->set, row, stile_str_cstr(family), &env,
                                  f->arena, &text.found, &out, &text.results,
                                  &text.count),
                 STILE_OK);
    cr_assert_eq(tree.count, text.count, "%.*s", STILE_FMT(at));
    cr_assert(stile_str_starts(stile_buf_str(&out), STILE_STR("before")));
    size_t straight = 0;
    for (size_t i = 0; i < tree.count; i++) {
        same_result(&tree.results[i], &text.results[i], &out, at);
        straight += text.results[i].kind == STILE_MAP_DONE &&
                    text.results[i].resource == NULL;
    }
    same_findings(&tree.found, &text.found, at);
    stile_buf_release(&out);
    return straight;
}

Test(map_render, every_emis_mapping_is_written_without_a_tree)
{
    struct shipped f = shipped_load();
    for (size_t i = 0; i < stile_mapset_count(f.set); i++) {
        const struct stile_mapping *m = stile_mapset_at(f.set, i);
        if (stile_str_eqc(stile_mapping_family(m), "emis")) {
            cr_assert(stile_mapping_renders(m), "%.*s",
                      STILE_FMT(stile_mapping_name(m)));
        }
    }
    shipped_unload(&f);
}

Test(map_render, a_practice_is_the_same_both_ways)
{
    struct shipped f = shipped_load();
    shipped_read_practice(&f, STILE_SYNTH_BULK);
    shipped_read_practice(&f, STILE_SYNTH_DELTA);
    struct stile_arena_mark mark = stile_arena_mark(f.arena);
    size_t straight = 0;
    for (size_t i = 0; i < f.rows.count; i++) {
        straight += both_ways(&f, f.rows.items[i], "emis");
        stile_arena_rewind(f.arena, mark);
    }
    /* The tree is the exception. */
    cr_assert_gt(straight, f.rows.count / 3);
    shipped_unload(&f);
}

Test(map_render, the_voluntary_sectors_samples_too)
{
    struct shipped f = shipped_load();
    struct stile_decoded d =
        shipped_decode(&f, "vcse-json", "charity-case.json");
    for (size_t i = 0; i < d.row_count; i++) {
        shipped_keep_row(&f, &d.rows[i]);
    }
    for (size_t i = 0; i < d.row_count; i++) {
        (void)both_ways(&f, &d.rows[i], "vcse-case");
    }
    shipped_unload(&f);
}

/* Cells that codecs refuse, repair, warn of or must have escaped. */
static const char *const odd[] = {
    "",
    " ",
    "\"",
    "a \"b\" \\ c",
    "\xc3\xa9t\xc3\xa9 \xf0\x9f\x99\x82",
    "\x01 control\x1f",
    "two\nlines\ttab",
    " lead and trail ",
    "a  b",
    "true",
    "false",
    "TRUE",
    "1",
    "0.50",
    "007",
    "+3.",
    "-0",
    "1e-3",
    "<",
    "{5B2A1E10-0000-4000-8000-0000000000AB}",
    " {5B2A1E10-0000-4000-8000-0000000000AB}",
    "5B2A1E10-0000-4000-8000-00000000000G",
    "2024-02-30",
    "2024-02-29",
    "1994-06-01",
    "YM",
    "Y",
    "U",
    "00:30:00",
    "02:30",
    "9990000018",
    "mmol/L",
    "handfuls",
};

Test(map_render, odd_cells_are_the_same_both_ways)
{
    uint64_t seed = seed_begin("map_render/odd_cells");
    struct shipped f = shipped_load();
    shipped_read_practice(&f, STILE_SYNTH_DELTA);
    struct stile_arena_mark mark = stile_arena_mark(f.arena);
    for (int round = 0; round < 6000; round++) {
        struct stile_row row = *f.rows.items[seed_below(&seed, f.rows.count)];
        struct stile_str *cells =
            stile_arena_array(f.arena, row.count, sizeof *cells);
        memcpy(cells, row.cells, row.count * sizeof *cells);
        for (uint64_t n = seed_below(&seed, 4) + 1; n > 0; n--) {
            size_t at = (size_t)seed_below(&seed, row.count);
            cells[at] = stile_str_cstr(
                odd[seed_below(&seed, sizeof odd / sizeof odd[0])]);
        }
        row.cells = cells;
        (void)both_ways(&f, &row, "emis");
        stile_arena_rewind(f.arena, mark);
    }
    shipped_unload(&f);
}

/* Conditions in every shape: what jumps over what must not be lost when
 * instructions are made one. */
Test(map_render, conditions_of_every_shape)
{
    static const char text[] =
        "mapping a 1\n left csv visit of clinic 1 where kind != 'gone'\n"
        " right fhir Encounter\n"
        " visit_ref <-> id : guid\n person_ref <-> subject : ref Patient\n"
        " status = if unit in 'a', 'b', 'c' and value present then 'planned'"
        " else if not (kind = 'x' or note present) then 'arrived'"
        " else if value in 1..7 then 'triaged'"
        " else 'finished' derived\n class.code = 'AMB'\n"
        " when unit = 'a'\n  priority.text = 'first'\n"
        "  when note present\n   note <-> type[0].text\n  end\n end\n"
        " when unit = 'b'\n  priority.coding[0].display = 'second'\n end\n"
        " serviceType.text = if kind = 'x' and unit in 'b', 'c' or"
        " not value present and note = 'n' then 'yes' else absent derived\n"
        " residue start_on, start_at, precision, value, kind\n";
    static const char *const columns[] = {"unit", "value", "kind", "note"};
    static const char *const from[][6] = {{"", "a", "b", "c", "d", "e"},
                                          {"", "1", "7", "8", "x", "0"},
                                          {"", "x", "y", "gone", "X", "x"},
                                          {"", "n", "m", "", "n", "\""}};
    struct world w;
    world_start(&w);
    world_map(&w, "t.map", text);
    world_good(&w);
    cr_assert(stile_mapping_renders(stile_mapset_at(w.set, 0)));
    struct shipped f = {
        .arena = w.arena, .diags = w.diags, .schema = w.schema, .set = w.set};
    size_t straight = 0;
    for (size_t i = 0; i < 6 * 6 * 6 * 6; i++) {
        const char *cells[13] = {"visit_ref",
                                 "00000000-0000-4000-8000-0000000000ab",
                                 "person_ref", "p1"};
        size_t rest = i;
        for (size_t c = 0; c < 4; c++, rest /= 6) {
            cells[4 + 2 * c] = columns[c];
            cells[5 + 2 * c] = from[c][rest % 6];
        }
        struct stile_row row = world_row(&w, "visit", cells);
        straight += both_ways(&f, &row, "clinic");
    }
    cr_assert_eq(straight, 5 * 6 * 6 * 6, "all but the rows not taken");
    world_end(&w);
}

/* At the limit of the buffer all is written; one byte below it nothing. */
Test(map_render, a_full_buffer_is_left_as_it_was)
{
    struct shipped f = shipped_load();
    shipped_read_practice(&f, STILE_SYNTH_BULK);
    struct stile_map_env env = {.ctx = &f.rows, .lookup = shipped_lookup};
    const struct stile_row *row = NULL;
    for (size_t i = 0; row == NULL; i++) {
        cr_assert_lt(i, f.rows.count);
        if (stile_str_eqc(f.rows.items[i]->table, "CareRecord_Observation")) {
            row = f.rows.items[i];
        }
    }
    struct stile_map_result *results = NULL;
    size_t count = 0, need = 0;
    for (int pass = 0; pass < 3; pass++) {
        struct stile_buf out;
        stile_buf_init(&out, pass == 0 ? 1u << 20 : need + 1 - (size_t)pass);
        enum stile_status status =
            stile_map_render(f.set, row, STILE_STR("emis"), &env, f.arena,
                             &f.diags, &out, &results, &count);
        if (pass == 0) {
            need = out.len;
            cr_assert_gt(need, 0);
        }
        cr_assert_eq(status, pass < 2 ? STILE_OK : STILE_LIMIT, "pass %d",
                     pass);
        cr_assert_eq(out.len, pass < 2 ? need : 0, "pass %d", pass);
        stile_buf_release(&out);
    }
    shipped_unload(&f);
}
