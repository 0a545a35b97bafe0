/* map fmt: mapping files in their one layout. */
#include "cli.h"

#include "stile/lang.h"

struct formatting {
    const struct cli_args *args;
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_buf out;
    size_t changed, bad;
};

/* Beside the file first, so that a full disk leaves the old one whole. */
static bool replace(const char *path, struct stile_buf *out)
{
    struct stile_buf name;
    FILE *file;
    bool good;

    stile_buf_init(&name, 1 << 16);
    stile_buf_addc(&name, path);
    stile_buf_addc(&name, ".new");
    stile_buf_byte(&name, '\0');
    file = name.status == STILE_OK ? fopen(name.ptr, "wb") : NULL;
    good = file && stile__cli_write(file, out);
    if (file && fclose(file) != 0) {
        good = false;
    }
    good = good && rename(name.ptr, path) == 0;
    if (!good) {
        stile__cli_say("%s cannot be written; it is as it was", path);
        if (file) {
            (void)remove(name.ptr);
        }
    }
    stile_buf_release(&name);
    return good;
}

static void differs(struct formatting *f, const char *path)
{
    f->changed++;
    if (stile__cli_has(f->args, "check")) {
        printf("%s: not in the one layout\n", path);
    } else if (stile__cli_has(f->args, "write")) {
        f->bad += replace(path, &f->out) ? 0 : 1;
    }
}

static void one_file(struct formatting *f, const char *path)
{
    struct stile_source *source = stile_arena_alloc(f->arena, sizeof(*source));
    bool plain =
        !stile__cli_has(f->args, "check") && !stile__cli_has(f->args, "write");
    enum stile_status status = STILE_NOMEM;

    stile_buf_clear(&f->out);
    if (source) {
        source->name = stile_str_cstr(path);
        if (!stile__cli_read(path, STILE_LANG_BYTES + 1, f->arena,
                             &source->text)) {
            f->bad++;
            return;
        }
        status = stile_lang_format(source, f->arena, &f->diags, &f->out);
    }
    if (status != STILE_OK) {
        f->bad++;
        if (status == STILE_NOMEM) {
            stile__cli_say("%s: %s", path, stile_status_text(status));
        }
        return;
    }
    if (!stile_str_eq(stile_buf_str(&f->out), source->text)) {
        differs(f, path);
    }
    if (plain && !stile__cli_write(stdout, &f->out)) {
        f->bad++;
    }
}

static int run(const struct cli_args *args)
{
    struct formatting f = {.args = args};
    bool check = stile__cli_has(args, "check");

    if (check && stile__cli_has(args, "write")) {
        return stile__cli_usage(args, "--check and --write exclude each other");
    }
    f.arena = stile_arena_new((size_t)1 << 30);
    stile_diags_init(&f.diags, f.arena, 0);
    stile_buf_init(&f.out, 16 * STILE_LANG_BYTES);
    for (size_t i = 0; i < args->word_count; i++) {
        one_file(&f, args->words[i]);
    }
    (void)!stile__cli_diags(stderr, &f.diags);
    stile_buf_release(&f.out);
    stile_arena_free(&f.arena);
    return f.bad > 0 || (check && f.changed > 0) ? CLI_FAILED : CLI_OK;
}

static const struct cli_option options[] = {
    {"check", 0, NULL, "name the files that are laid out otherwise"},
    {"write", 'w', NULL, "write the files anew"},
};

const struct cli_command stile__cmd_map_fmt = {
    "map fmt",
    "FILE...",
    1,
    10000,
    "lay out mapping files in the one way",
    "Prints mapping files in their one layout: same words, same order, same\n"
    "comments, so that what a change changed is all that a reader sees. With\n"
    "--write the files are written anew; with --check nothing is written and\n"
    "the files that would be are named. A file with a fault is left alone.\n\n"
    "  stile map fmt --check mappings/maps/*/*.map\n\n"
    "exit: 0 done, and with --check nothing to do; 1 a file is laid out\n"
    "      otherwise (--check) or has a fault; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
