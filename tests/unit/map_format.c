/* The layout of a file is no part of its meaning: the programs are the same. */
#include "map_world.h"

/* The listing without the lines' numbers. */
static void listing(struct world *w, struct stile_buf *out)
{
    struct stile_buf raw;
    stile_buf_init(&raw, 1 << 20);
    for (size_t i = 0; i < stile_mapset_count(w->set); i++) {
        stile_mapping_list(stile_mapset_at(w->set, i), &raw);
    }
    struct stile_str rest = stile_buf_str(&raw), line;
    while (stile_str_next(&rest, '\n', &line)) {
        size_t at = stile_str_find_str(line, STILE_STR("  line "));
        stile_buf_printf(out, "%.*s\n", STILE_FMT(stile_str_sub(line, 0, at)));
        if (at != SIZE_MAX) {
            struct stile_str tail = stile_str_sub(line, at + 7, SIZE_MAX);
            size_t space = stile_str_find(tail, ' ');
            stile_buf_printf(out, "%.*s\n",
                             STILE_FMT(stile_str_trim(
                                 stile_str_sub(tail, space, SIZE_MAX))));
        }
    }
    stile_buf_release(&raw);
}

static void same_program(const char *file)
{
    struct world w, v;
    struct stile_buf text, a, b;
    stile_buf_init(&text, 1 << 20);
    stile_buf_init(&a, 1 << 20);
    stile_buf_init(&b, 1 << 20);
    world_start(&w);
    world_start(&v);
    cr_assert(world_read(&w, file, &w.maps[0]));
    w.map_count = 1;
    world_good(&w);
    cr_assert_eq(stile_lang_format(&w.maps[0], w.arena, &w.diags, &text),
                 STILE_OK);
    v.maps[0] = (struct stile_source){w.maps[0].name, stile_buf_str(&text)};
    v.map_count = 1;
    world_good(&v);
    cr_expect(!stile_str_eq(w.maps[0].text, v.maps[0].text),
              "%s is laid out already, so this shows nothing", file);
    listing(&w, &a);
    listing(&v, &b);
    cr_expect_gt(a.len, 100);
    cr_expect(stile_str_eq(stile_buf_str(&a), stile_buf_str(&b)),
              "%s\n%.*s---\n%.*s", file, STILE_FMT(stile_buf_str(&a)),
              STILE_FMT(stile_buf_str(&b)));
    stile_buf_release(&text);
    stile_buf_release(&a);
    stile_buf_release(&b);
    world_end(&w);
    world_end(&v);
}

Test(map_format, same_programs)
{
    same_program("person.map");
    same_program("visit.map");
}
