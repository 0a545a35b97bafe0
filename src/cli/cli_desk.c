/*
 * A store that a command looks into or acts on. SQLite lets several processes
 * open one database, so this works beside a running gateway: what only reads
 * opens it read-only; an act is one short write, which the gateway sees the
 * next time it looks.
 */
#include "cli.h"

#define RESULT_BYTES_MAX ((size_t)256 << 20)

static bool take_keys(struct cli_desk *desk)
{
    uint8_t fresh[32];
    bool good =
        stile_random(fresh, sizeof(fresh)) &&
        desk->store->ops->salt(desk->store, fresh, desk->salt) == STILE_OK;

    if (!good) {
        stile__cli_say("the store's salt could not be read");
        return false;
    }
    stile_exchange_keys_make(desk->salt, &desk->pseudonym, &desk->keys);
    return true;
}

int stile__cli_desk_open(const struct cli_args *args, bool act,
                         struct cli_desk *desk)
{
    const char *path = act ? NULL : stile__cli_get(args, "store");

    desk->arena = stile_arena_new(RESULT_BYTES_MAX);
    stile_buf_init(&desk->out, RESULT_BYTES_MAX);
    if (!path && !stile__cli_has(args, "config")) {
        return stile__cli_usage(args, act ? "it needs -c stile.yaml"
                                          : "it needs -c stile.yaml or "
                                            "--store FILE");
    }
    if (stile__cli_has(args, "config")) {
        if (!stile__cli_config(args, desk->arena, &desk->config)) {
            return CLI_FAILED;
        }
        path = path ? path : desk->config->store;
    }
    if (!stile__cli_store(path, !act, desk->arena, &desk->store)) {
        return CLI_FAILED;
    }
    if (act && desk->config->officers &&
        !stile__cli_officers(desk->config, desk->arena, &desk->officers)) {
        return CLI_FAILED;
    }
    return act && !take_keys(desk) ? CLI_FAILED : CLI_OK;
}

int stile__cli_desk_close(struct cli_desk *desk, enum stile_status status,
                          int result)
{
    if (result == CLI_OK && status != STILE_OK) {
        stile__cli_say("the store could not be %s: %s",
                       desk->keys.salt.len > 0 ? "written" : "read",
                       stile_status_text(status));
        result = CLI_FAILED;
    }
    if (result == CLI_OK && !stile__cli_write(stdout, &desk->out)) {
        result = CLI_FAILED;
    }
    if (desk->store) {
        desk->store->ops->close(&desk->store);
    }
    stile_wipe(desk->salt, sizeof(desk->salt));
    stile_wipe(&desk->pseudonym, sizeof(desk->pseudonym));
    stile_buf_release(&desk->out);
    stile_arena_free(&desk->arena);
    return result;
}
