/* Formatting keeps every word and comment, and a second pass changes nothing,
 * whatever the layout it was given. */
#include "property/seed.h"

#include <criterion/criterion.h>
#include <dirent.h>

#include "format.h"

#define FILES_MAX 200

struct files {
    struct stile_arena *arena;
    struct stile_source items[FILES_MAX];
    size_t count;
};

static void read_file(struct files *f, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = stile_arena_alloc(f->arena, 1 << 16);
    cr_assert(file != NULL && text != NULL && f->count < FILES_MAX);
    size_t n = fread(text, 1, 1 << 16, file);
    fclose(file);
    f->items[f->count++] = (struct stile_source){
        stile_str_cstr(stile_arena_cstr(f->arena, stile_str_cstr(path))),
        {text, n}};
}

static void read_folder(struct files *f, const char *folder)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", STILE_SOURCE_DIR, folder);
    DIR *dir = opendir(path);
    cr_assert(dir != NULL, "%s", path);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s/%s", STILE_SOURCE_DIR, folder,
                 entry->d_name);
        if (stile_str_ends(stile_str_cstr(path), STILE_STR(".map"))) {
            read_file(f, path);
        }
    }
    closedir(dir);
}

static struct files all_files(void)
{
    struct files f = {.arena = stile_arena_new(256u << 20)};
    read_folder(&f, "mappings/maps/emis");
    read_folder(&f, "mappings/maps/vcse");
    read_folder(&f, "tests/golden/map");
    return f;
}

/* Words as meant, in order; an example's line ends between its parts. */
static void words_of(struct stile_str text, struct stile_arena *arena,
                     struct stile_buf *out, size_t *ret_notes)
{
    struct stile__lines lines;
    *ret_notes = 0;
    cr_assert(stile__format_scan(text, arena, &lines));
    for (const struct stile__line *n = lines.first; n; n = n->next) {
        for (size_t i = 0; i < n->count; i++) {
            stile_buf_printf(out, "%d %.*s\n", (int)n->words[i].kind,
                             STILE_FMT(n->words[i].text));
        }
        for (const struct stile__note *c = n->notes; c; c = c->next) {
            *ret_notes += c->text.len;
        }
        *ret_notes += n->trailing.len;
        stile_buf_addc(out, n->kind == LINE_PART ? "" : "line\n");
    }
    for (const struct stile__note *c = lines.rest; c; c = c->next) {
        *ret_notes += c->text.len;
    }
}

/* The same words in another layout: blanks doubled, comments and blank lines
 * between lines, breaks where the language allows them. */
static struct stile_str another_layout(struct stile_str text, uint64_t *seed,
                                       struct stile_arena *arena,
                                       struct stile_buf *out)
{
    struct stile__lines lines;
    cr_assert(stile__format_scan(text, arena, &lines));
    for (const struct stile__line *n = lines.first; n; n = n->next) {
        static const char *const between[] = {"", "\n", "\n\n \n", "-- q\n",
                                              "  \t-- r\n\n"};
        stile_buf_addc(out, between[seed_below(seed, 5)]);
        for (size_t i = 0; i < n->count; i++) {
            const struct stile__word *w = &n->words[i];
            bool free = i > 0 && !w->cell;
            bool bracket = free && w->depth > 0;
            bool comma = free && n->words[i - 1].kind == TOK_COMMA;
            static const char *const gaps[] = {" ", "   ", "\t"};
            if ((bracket || comma) && seed_below(seed, 4) == 0) {
                stile_buf_addc(out, "\n-- within\n ");
            }
            stile_buf_addc(out, free ? gaps[seed_below(seed, 3)] : "");
            stile_buf_add(out, w->raw);
        }
        stile_buf_addc(out, seed_below(seed, 6) == 0 ? " -- s\n" : "\n");
    }
    return stile_arena_str(arena, stile_buf_str(out));
}

static struct stile_str formatted(struct stile_str text, const char *name,
                                  struct stile_arena *arena)
{
    struct stile_source *source = stile_arena_alloc(arena, sizeof *source);
    struct stile_diags diags;
    struct stile_buf out;
    *source = (struct stile_source){stile_str_cstr(name), text};
    stile_diags_init(&diags, arena, 0);
    stile_buf_init(&out, 1 << 22);
    cr_assert_eq(stile_lang_format(source, arena, &diags, &out), STILE_OK,
                 "%s\n%.*s", name, STILE_FMT(text));
    struct stile_str result = stile_arena_str(arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return result;
}

static void same_words(struct stile_str a, struct stile_str b, const char *name,
                       struct stile_arena *arena)
{
    struct stile_buf x, y;
    size_t m, n;
    stile_buf_init(&x, 1 << 22);
    stile_buf_init(&y, 1 << 22);
    words_of(a, arena, &x, &m);
    words_of(b, arena, &y, &n);
    cr_assert(stile_str_eq(stile_buf_str(&x), stile_buf_str(&y)),
              "%s: other words\n%.*s\n---\n%.*s", name, STILE_FMT(a),
              STILE_FMT(b));
    cr_assert_eq(m, n, "%s: a comment was lost\n%.*s", name, STILE_FMT(b));
    stile_buf_release(&x);
    stile_buf_release(&y);
}

static bool reads(const struct stile_source *source, struct stile_arena *arena)
{
    struct stile_lang_mapping *first;
    struct stile_diags diags;
    stile_diags_init(&diags, arena, 0);
    return stile_lang_parse(source, arena, &diags, &first) == STILE_OK;
}

Test(lang_format, same_words_and_stable)
{
    uint64_t seed = seed_begin("lang_format/same_words_and_stable");
    struct files f = all_files();
    struct stile_arena *arena = stile_arena_new(256u << 20);
    size_t read = 0;
    for (size_t i = 0; i < f.count; i++) {
        if (!reads(&f.items[i], arena)) {
            continue; /* a wrong file of the findings' tests */
        }
        read++;
        for (int round = 0; round < 8; round++) {
            struct stile_buf out;
            stile_buf_init(&out, 1 << 22);
            struct stile_str text =
                round == 0
                    ? f.items[i].text
                    : another_layout(f.items[i].text, &seed, arena, &out);
            const char *name = f.items[i].name.ptr;
            struct stile_str once = formatted(text, name, arena);
            struct stile_str twice = formatted(once, name, arena);
            same_words(text, once, name, arena);
            cr_assert(stile_str_eq(once, twice), "%s\n%.*s\n---\n%.*s", name,
                      STILE_FMT(once), STILE_FMT(twice));
            stile_buf_release(&out);
            stile_arena_reset(arena);
        }
    }
    cr_assert_gt(read, 60);
    stile_arena_free(&arena);
    stile_arena_free(&f.arena);
}

/* What is shipped stands in the one layout. */
Test(lang_format, shipped_as_laid_out)
{
    struct files f = {.arena = stile_arena_new(256u << 20)};
    read_folder(&f, "mappings/maps/emis");
    read_folder(&f, "mappings/maps/vcse");
    for (size_t i = 0; i < f.count; i++) {
        char name[1024];
        snprintf(name, sizeof name, "%.*s", STILE_FMT(f.items[i].name));
        cr_expect(stile_str_eq(f.items[i].text,
                               formatted(f.items[i].text, name, f.arena)),
                  "%s: run stile map fmt --write on it", name);
    }
    stile_arena_free(&f.arena);
}
