/* Every finding on a mapping: a wrong file, and its text word for word. The
 * ten planted faults are those of a comparison of mapping languages, where
 * the others let most of them pass in silence. */
#include "map_world.h"

/* The one finding that compiling does not make: `map test` does. */
static void laws(struct world *w, struct stile_buf *example)
{
    for (size_t i = 0; i < stile_mapset_count(w->set); i++) {
        struct stile_map_tested tally;
        cr_assert_eq(stile_map_test(stile_mapset_at(w->set, i), 1, 300,
                                    w->arena, &w->diags, example, &tally),
                     STILE_OK);
        cr_expect(tally.broken);
    }
}

static void check(const char *name)
{
    struct world w;
    char file[64];
    struct stile_buf out;
    struct stile_source want;
    world_start(&w);
    snprintf(file, sizeof file, "%s.csv", name);
    if (world_read(&w, file, &w.codes[w.code_count])) {
        w.code_count++;
    }
    snprintf(file, sizeof file, "%s.json", name);
    if (world_read(&w, file, &w.codes[w.code_count])) {
        w.code_count++;
    }
    snprintf(file, sizeof file, "%s.map", name);
    cr_assert(world_read(&w, file, &w.maps[0]), "%s", file);
    w.map_count = 1;
    enum stile_status status = world_compile(&w);
    bool later = strcmp(name, "M706") == 0;
    bool warning = strcmp(name, "M705") == 0 || strcmp(name, "M409") == 0 ||
                   strcmp(name, "M410") == 0;
    cr_expect_eq(status, warning || later ? STILE_OK : STILE_INVALID, "%s",
                 name);
    snprintf(file, sizeof file, "%s.txt", name);
    cr_assert(world_read(&w, file, &want), "%s", file);
    stile_buf_init(&out, 1 << 20);
    struct stile_buf example;
    stile_buf_init(&example, 1 << 20);
    if (later) {
        laws(&w, &example);
    }
    stile_diags_print(&w.diags, false, &out);
    stile_buf_add(&out, stile_buf_str(&example));
    stile_buf_release(&example);
    struct stile_str got = stile_buf_str(&out);
    cr_expect(stile_str_eq(got, want.text), "%s\n--- got\n%.*s--- want\n%.*s",
              name, STILE_FMT(got), STILE_FMT(want.text));
    cr_expect(name[0] != 'M' || world_has(&w, name), "%s", name);
    stile_buf_release(&out);
    world_end(&w);
}

Test(map_golden, findings)
{
    static const char *const codes[] = {
#define X(code, text) #code,
        STILE_LANG_CODES(X) STILE_FHIRPATH_CODES(X) STILE_MAP_CODES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        /* M222 is a resource's: stile fhirpath says it, a mapping T119. */
        if (strcmp(codes[i], "M222") != 0) {
            check(codes[i]);
        }
    }
}

Test(map_golden, planted_faults)
{
    static const char *const names[] = {"fault01-column",
                                        "fault02-element",
                                        "fault03-text-into-decimal",
                                        "fault04-code-outside-value-set",
                                        "fault05-mandatory-not-mapped",
                                        "fault06-two-writers",
                                        "fault07-day-month-year",
                                        "fault08-no-such-day",
                                        "fault09-code-not-in-table",
                                        "fault10-missing-bracket"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        check(names[i]);
    }
}

/* Wrong in what they say, and wrong as text: places are of the JSON. */
Test(map_golden, concept_maps)
{
    check("conceptmap-broken");
    check("conceptmap-text");
}

Test(map_golden, samples_compile_with_their_examples)
{
    static const char *const names[] = {"person.map", "visit.map"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_start(&w);
        cr_assert(world_read(&w, names[i], &w.maps[0]));
        w.map_count = 1;
        world_good(&w);
        cr_expect_eq(w.diags.count, 0);
        world_end(&w);
    }
}

/* Every code stands on the reference page. */
Test(map_golden, reference_page)
{
    static const char *const codes[] = {
#define X(code, ...) #code,
        STILE_LANG_CODES(X) STILE_FHIRPATH_CODES(X) STILE_MAP_CODES(X)
            STILE_MAP_RUN_CODES(X)
#undef X
    };
    struct world w;
    struct stile_source page;
    world_start(&w);
    cr_assert(world_read(&w, "../../../mappings/LANGUAGE.md", &page));
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        cr_expect_neq(stile_str_find_str(page.text, stile_str_cstr(codes[i])),
                      SIZE_MAX, "%s", codes[i]);
    }
    for (size_t i = 0; stile__codec_at(i) != NULL; i++) {
        struct stile_str name =
            stile_arena_printf(w.arena, "| `%s", stile__codec_at(i)->name);
        cr_expect_neq(stile_str_find_str(page.text, name), SIZE_MAX, "%s",
                      stile__codec_at(i)->name);
    }
    world_end(&w);
}
