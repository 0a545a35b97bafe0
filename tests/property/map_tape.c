/* Rows read off a tape are those read from the tree, cell by cell and finding
 * for finding: on all that whole generated practices and cases become, and on
 * those resources with members moved, dropped, doubled, of other kinds and
 * written with escapes. */
#include <criterion/criterion.h>

#include "property/seed.h"
#include "trie.h"
#include "unit/map_shipped_help.h"
#include "unit/map_world.h"

struct sides {
    struct shipped *f;
    struct stile_tape tape;
    const char *family;
    size_t rows, findings, refused;
};

static void same_findings(const struct stile_diags *a,
                          const struct stile_diags *b, struct stile_str json)
{
    cr_assert_eq(a->count, b->count, "%zu or %zu: %.*s", a->count, b->count,
                 STILE_FMT(json));
    cr_assert_eq(a->errors, b->errors);
    cr_assert_eq(a->suppressed, b->suppressed);
    for (size_t i = 0; i < a->count; i++) {
        cr_assert_str_eq(a->items[i].code, b->items[i].code);
        cr_assert(stile_str_eq(a->items[i].path, b->items[i].path),
                  "%.*s or %.*s", STILE_FMT(a->items[i].path),
                  STILE_FMT(b->items[i].path));
        cr_assert_eq(a->items[i].line, b->items[i].line);
        cr_assert_eq(a->items[i].column, b->items[i].column);
    }
}

static void same_rows(const struct stile_row *a, const struct stile_row *b,
                      size_t count, struct stile_str json)
{
    for (size_t i = 0; i < count; i++) {
        cr_assert(stile_str_eq(a[i].table, b[i].table));
        cr_assert_eq(a[i].count, b[i].count);
        for (size_t c = 0; c < a[i].count; c++) {
            cr_assert(stile_str_eq(a[i].cells[c], b[i].cells[c]),
                      "%.*s: %.*s or %.*s of %.*s", STILE_FMT(a[i].columns[c]),
                      STILE_FMT(a[i].cells[c]), STILE_FMT(b[i].cells[c]),
                      STILE_FMT(json));
        }
    }
}

/* The text's own resource, or what stands in a Bundle's entries. */
static size_t resources_of(struct sides *s, struct stile_value *root,
                           struct stile_value **trees, uint32_t *items)
{
    const struct stile_tape *t = &s->tape;
    struct stile_arena *arena = s->f->arena;
    struct stile_value *entries = stile_value_getc(root, "entry");
    uint32_t list = stile_tape_get(t, 0, STILE_STR("entry"), arena);
    size_t n = 0;
    trees[0] = root;
    items[0] = 0;
    if (entries == NULL || entries->kind != STILE_ARRAY) {
        return 1;
    }
    struct stile_value *e = entries->first;
    for (uint32_t i = list + 1; i < t->items[list].end;
         i = t->items[i].end, e = e->next) {
        items[n] = stile_tape_get(t, i, STILE_STR("resource"), arena);
        trees[n] = stile_value_getc(e, "resource");
        cr_assert_eq(items[n] == STILE_TAPE_NONE, trees[n] == NULL);
        n += trees[n] != NULL;
        cr_assert_lt(n, 64);
    }
    return n;
}

static void both_ways(struct sides *s, struct stile_str json)
{
    struct stile_arena *arena = s->f->arena;
    struct stile_str family = stile_str_cstr(s->family);
    struct stile_diags from_tree, from_tape;
    struct stile_value *root = NULL, *trees[64];
    struct stile_row *a = NULL, *b = NULL;
    uint32_t items[64];
    size_t a_count = 0, b_count = 0;
    stile_diags_init(&from_tree, arena, 30);
    stile_diags_init(&from_tape, arena, 30);
    enum stile_status status = stile_json_decode(
        json, STILE_JSON_LIMITS, STILE_STR("x"), arena, &from_tree, &root);
    cr_assert_eq(stile_json_tape(json, STILE_JSON_LIMITS, STILE_STR("x"), arena,
                                 &from_tape, &s->tape),
                 status, "%.*s", STILE_FMT(json));
    if (status == STILE_OK) {
        size_t n = resources_of(s, root, trees, items);
        cr_assert_eq(stile_map_left(s->f->set, family, trees, n, arena,
                                    &from_tree, &a, &a_count),
                     STILE_OK);
        cr_assert_eq(stile_map_left_tape(s->f->set, family, &s->tape, items, n,
                                         arena, &from_tape, &b, &b_count),
                     STILE_OK);
        cr_assert_eq(a_count, b_count, "%.*s", STILE_FMT(json));
        same_rows(a, b, a_count, json);
    }
    same_findings(&from_tree, &from_tape, json);
    s->rows += a_count;
    s->findings += from_tree.count;
    s->refused += status != STILE_OK;
}

/* ---- resources that are made worse ---- */

static struct stile_value *any_value(struct stile_value *root, uint64_t *seed)
{
    struct stile_value *at = root;
    while (at->count > 0 && (at == root || seed_below(seed, 4) > 0)) {
        uint64_t n = seed_below(seed, at->count);
        at = at->first;
        for (; n > 0; n--) {
            at = at->next;
        }
    }
    return at;
}

static void other_content(struct stile_value *v, struct stile_arena *arena,
                          uint64_t *seed)
{
    static const char *const texts[] = {
        "",
        " ",
        "unknown",
        "2005-02",
        "2005-02-31",
        "true",
        "1.50",
        "2019-10-27T01:30:00+01:00",
        "a \"b\" \\ \n\xc3\xa9",
        "Patient/5b2a1e10-0000-4000-8000-0000000000ab",
        "urn:uuid:x",
        "http://snomed.info/sct"};
    static const enum stile_kind kinds[] = {
        STILE_NULL, STILE_BOOL, STILE_NUMBER, STILE_ARRAY, STILE_OBJECT};
    (void)arena;
    if (v->kind == STILE_STRING && seed_below(seed, 3) > 0) {
        v->text = stile_str_cstr(
            texts[seed_below(seed, sizeof texts / sizeof texts[0])]);
        return;
    }
    v->kind = kinds[seed_below(seed, 5)];
    v->text = STILE_STR("7");
    v->first = v->last = NULL;
    v->count = 0;
}

static void other_name(struct stile_value *v, uint64_t *seed)
{
    static const char *const names[] = {
        "system",         "code",   "value",     "valueString", "valueQuantity",
        "valueReference", "_value", "extension", "id",          "reference",
        "text",           "coding", "url",       "x\n"};
    struct stile_str name =
        stile_str_cstr(names[seed_below(seed, sizeof names / sizeof names[0])]);
    /* Now and then a name stands twice; the reader must say so. */
    if (stile_value_get(v->parent, name) == NULL || seed_below(seed, 8) == 0) {
        v->name = name;
    }
}

static void make_worse(struct stile_value *root, struct stile_arena *arena,
                       uint64_t *seed)
{
    struct stile_value *v = any_value(root, seed);
    if (v == root || v->parent == NULL) {
        return;
    }
    struct stile_value *parent = v->parent;
    bool member = parent->kind == STILE_OBJECT;
    switch (seed_below(seed, 6)) {
    case 0:
        stile_value_remove(v);
        break;
    case 1: /* to the end */
        stile_value_remove(v);
        (void)(member ? stile_value_add(parent, v->name, v)
                      : stile_value_push(parent, v));
        break;
    case 2: /* once more */
        if (!member) {
            (void)stile_value_push(parent, stile_value_copy(arena, v));
        }
        break;
    case 3:
        if (member) {
            other_name(v, seed);
        }
        break;
    default:
        other_content(v, arena, seed);
        break;
    }
}

/* Some letters of names and texts become \uXXXX; marks outside are no
 * letters, and the words true, false and null are not in quotes. */
static void with_escapes(struct stile_str json, struct stile_buf *out,
                         uint64_t *seed)
{
    bool inside = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (inside && c == '\\') {
            stile_buf_byte(out, c);
            stile_buf_byte(out, json.ptr[++i]);
            continue;
        }
        inside = c == '"' ? !inside : inside;
        if (inside && c >= 'A' && c <= 'z' && c != '\\' &&
            seed_below(seed, 60) == 0) {
            stile_buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
        } else {
            stile_buf_byte(out, c);
        }
    }
}

static void worse_ways(struct sides *s, struct stile_value *const *given,
                       size_t count, int rounds, uint64_t *seed)
{
    struct stile_arena_mark mark = stile_arena_mark(s->f->arena);
    struct stile_buf json, text;
    stile_buf_init(&json, 1u << 24);
    stile_buf_init(&text, 1u << 24);
    for (int i = 0; i < rounds; i++) {
        struct stile_value *v =
            stile_value_copy(s->f->arena, given[seed_below(seed, count)]);
        for (uint64_t n = seed_below(seed, 5); n > 0; n--) {
            make_worse(v, s->f->arena, seed);
        }
        stile_buf_clear(&json);
        stile_buf_clear(&text);
        stile_value_json(v, (int)seed_below(seed, 2), &json);
        if (seed_below(seed, 3) == 0) {
            with_escapes(stile_buf_str(&json), &text, seed);
        } else {
            stile_buf_add(&text, stile_buf_str(&json));
        }
        both_ways(s, stile_buf_str(&text));
        stile_arena_rewind(s->f->arena, mark);
    }
    stile_buf_release(&json);
    stile_buf_release(&text);
}

static void as_they_are(struct sides *s, struct stile_value *const *given,
                        size_t count)
{
    struct stile_arena_mark mark = stile_arena_mark(s->f->arena);
    struct stile_buf json;
    stile_buf_init(&json, 1u << 24);
    for (size_t i = 0; i < count; i++) {
        stile_buf_clear(&json);
        stile_value_json(given[i], 0, &json);
        both_ways(s, stile_buf_str(&json));
        stile_arena_rewind(s->f->arena, mark);
    }
    stile_buf_release(&json);
}

static size_t made_of_rows(struct shipped *f, const char *family,
                           struct stile_value **all)
{
    struct stile_map_env env = {.ctx = &f->rows, .lookup = shipped_lookup};
    size_t n = 0;
    for (size_t i = 0; i < f->rows.count; i++) {
        struct stile_map_result *results = NULL;
        size_t count = 0;
        cr_assert_eq(stile_map_right(f->set, f->rows.items[i],
                                     stile_str_cstr(family), &env, f->arena,
                                     &f->diags, &results, &count),
                     STILE_OK);
        for (size_t r = 0; r < count; r++) {
            if (results[r].kind == STILE_MAP_DONE) {
                all[n++] = results[r].resource;
            }
        }
    }
    return n;
}

Test(map_tape, a_practice)
{
    uint64_t seed = seed_begin("map_tape/a_practice");
    struct shipped f = shipped_load();
    struct sides s = {.f = &f, .family = "emis"};
    shipped_read_practice(&f, STILE_SYNTH_BULK);
    struct stile_value **all =
        stile_arena_array(f.arena, 4 * f.rows.count, sizeof *all);
    size_t count = made_of_rows(&f, "emis", all);
    as_they_are(&s, all, count);
    cr_assert_gt(s.rows, count / 2);
    worse_ways(&s, all, count, 20000, &seed);
    cr_assert_gt(s.findings, 1000);
    cr_assert_gt(s.refused, 10, "names that stand twice");
    stile_tape_release(&s.tape);
    shipped_unload(&f);
}

Test(map_tape, the_voluntary_sectors_case)
{
    uint64_t seed = seed_begin("map_tape/the_voluntary_sectors_case");
    struct shipped f = shipped_load();
    struct sides s = {.f = &f, .family = "vcse-case"};
    struct stile_decoded d =
        shipped_decode(&f, "vcse-json", "charity-case.json");
    for (size_t i = 0; i < d.row_count; i++) {
        shipped_keep_row(&f, &d.rows[i]);
    }
    struct stile_value *all[512];
    cr_assert_lt(4 * d.row_count, 512);
    size_t count = made_of_rows(&f, "vcse-case", all);
    as_they_are(&s, all, count);
    cr_assert_gt(s.rows, 0);
    worse_ways(&s, all, count, 20000, &seed);
    struct stile_decoded bundle =
        shipped_decode(&f, "fhir-json", "referral-message.json");
    as_they_are(&s, &bundle.root, 1);
    worse_ways(&s, &bundle.root, 1, 2000, &seed);
    stile_tape_release(&s.tape);
    shipped_unload(&f);
}

/* What stands in no shipped mapping: choices of any type, with members of
 * theirs; items by number behind selections; selections in selections. */
Test(map_tape, paths_of_every_shape)
{
    uint64_t seed = seed_begin("map_tape/paths_of_every_shape");
    static const char map[] =
        "mapping a 1\n left csv visit of clinic 1\n right fhir Observation\n"
        " take iff value exists or effective exists\n"
        " visit_ref <-> id : guid\n"
        " person_ref <-> subject : ref Patient\n"
        " status = 'final'\n"
        " code.text = 'x'\n"
        " unit <-> category[0].coding.where(system = 'a').extension('u')"
        ".value.ofType(string)\n"
        " kind <-> category[0].coding.where(system = 'b').code\n"
        " note <-> component.where(code.text = 'n').code.coding"
        ".where(system = 'c').code\n"
        " value <-> component.where(code.text = 'n').referenceRange[0].low"
        ".value : decimal\n"
        " residue start_on, start_at, precision\n";
    static const char *const texts[] = {
        "{\"resourceType\":\"Observation\",\"id\":"
        "\"5b2a1e10-0000-4000-8000-0000000000ab\",\"status\":\"final\","
        "\"subject\":{\"reference\":\"Patient/p\"},\"category\":[{\"coding\":["
        "{\"code\":\"first\",\"system\":\"b\"},{\"system\":\"a\",\"extension\":"
        "[{\"url\":\"v\",\"valueString\":\"no\"},{\"valueString\":\"yes\","
        "\"url\":\"u\"}]},{\"system\":\"b\",\"code\":\"second\"}]},{\"coding\":"
        "[{\"system\":\"a\"}]}],\"component\":[{\"referenceRange\":[{\"low\":"
        "{\"value\":9}}]},{\"referenceRange\":[{\"low\":{\"value\":1.50}},"
        "{\"low\":{\"value\":2}}],\"code\":{\"coding\":[{\"code\":\"early\","
        "\"system\":\"c\"}],"
        "\"text\":\"n\"}}],\"valueString\":\"v\"}",
        "{\"resourceType\":\"Observation\",\"id\":"
        "\"5b2a1e10-0000-4000-8000-0000000000ab\",\"subject\":{\"reference\":"
        "\"Patient/p\"},\"effectivePeriod\":{\"start\":\"2020\"},"
        "\"category\":[{\"coding\":[{\"system\":\"b\",\"code\":\"k\"}]}]}",
        "{\"resourceType\":\"Observation\",\"id\":"
        "\"5b2a1e10-0000-4000-8000-0000000000ab\",\"_valueString\":{},"
        "\"subject\":{\"reference\":\"Patient/p\"}}"};
    struct world w;
    world_start(&w);
    world_map(&w, "t.map", map);
    world_good(&w);
    const struct stile_mapping *m = stile_mapset_at(w.set, 0);
    cr_assert_gt(m->variants[0].trie->walked, 0, "choices are walked");
    cr_assert_gt(m->variants[0].trie->path_count, 6);
    struct shipped f = {
        .arena = w.arena, .diags = w.diags, .schema = w.schema, .set = w.set};
    struct sides s = {.f = &f, .family = "clinic"};
    struct stile_value *all[3];
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(stile_json_decode(stile_str_cstr(texts[i]),
                                       STILE_JSON_LIMITS, STILE_STR("x"),
                                       f.arena, &f.diags, &all[i]),
                     STILE_OK);
    }
    as_they_are(&s, all, 3);
    cr_assert_eq(s.rows, 2, "the third has no value and no time");
    worse_ways(&s, all, 3, 30000, &seed);
    stile_tape_release(&s.tape);
    world_end(&w);
}
