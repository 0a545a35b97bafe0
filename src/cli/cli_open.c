/* Opening what a command works on, with the reason when it cannot. */
#include "cli.h"

bool stile__cli_config(const struct cli_args *args, struct stile_arena *arena,
                       struct stile_config **ret)
{
    const char *path = stile__cli_get(args, "config");
    struct stile_diags diags;
    enum stile_status status;

    if (!path) {
        (void)stile__cli_usage(args, "it needs -c stile.yaml");
        return false;
    }
    stile_diags_init(&diags, arena, 0);
    status = stile_config_load(path, arena, &diags, ret);
    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("%s cannot be used: %s", path,
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

bool stile__cli_plan(const char *folder, const struct stile_config *config,
                     struct stile_arena *arena, struct stile_plan_box **ret)
{
    struct stile_diags diags;
    enum stile_status status;

    stile_diags_init(&diags, arena, 0);
    status = stile_plan_load(folder, config, stile_today(), &diags, ret);
    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("%s cannot be used: %s; mend what is said above", folder,
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

bool stile__cli_store(const char *path, bool read_only,
                      struct stile_arena *arena, struct stile_store **ret)
{
    struct stile_str error = STILE_STR_NULL;
    enum stile_status status =
        stile_store_sqlite_open(path, read_only, arena, ret, &error);

    if (status != STILE_OK) {
        stile__cli_say(
            "the store %s cannot be opened: %.*s", path,
            STILE_FMT(error.len > 0
                          ? error
                          : stile_str_cstr(stile_status_text(status))));
    }
    return status == STILE_OK;
}

static bool read_stream(size_t limit, struct stile_arena *arena,
                        struct stile_str *ret)
{
    struct stile_buf all;
    char piece[65536];
    size_t got;
    bool good;

    stile_buf_init(&all, limit);
    while ((got = fread(piece, 1, sizeof(piece), stdin)) > 0) {
        stile_buf_add(&all, (struct stile_str){piece, got});
    }
    good = !ferror(stdin) && all.status == STILE_OK;
    if (good) {
        *ret = stile_arena_str(arena, stile_buf_str(&all));
        good = !stile_arena_failed(arena);
    }
    if (!good) {
        stile__cli_say("standard input cannot be read whole; at most %zu "
                       "bytes are taken",
                       limit);
    }
    stile_buf_release(&all);
    return good;
}

bool stile__cli_read(const char *path, size_t limit, struct stile_arena *arena,
                     struct stile_str *ret)
{
    struct stile_str error = STILE_STR_NULL;

    if (strcmp(path, "-") == 0) {
        return read_stream(limit, arena, ret);
    }
    if (stile_file_read(path, limit, arena, ret, &error) != STILE_OK) {
        stile__cli_say("%.*s", STILE_FMT(error));
        return false;
    }
    return true;
}
