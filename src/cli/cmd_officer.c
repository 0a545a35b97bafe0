/* officer key: what an officer signs with; and the signing itself. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define OFFICER_BYTES_MAX ((size_t)8 << 20)

/* ---- signing as an officer, for every command that acts ---- */

static bool key_of(const struct cli_args *args, uint8_t ret_seed[32],
                   struct stile_arena *arena)
{
    struct stile_str error = STILE_STR_NULL;

    if (stile_audit_key_read(stile__cli_get(args, "key"), ret_seed, arena,
                             &error) != STILE_OK) {
        stile__cli_say("%.*s", STILE_FMT(error));
        return false;
    }
    return true;
}

bool stile__cli_officers(const struct stile_config *config,
                         struct stile_arena *arena, struct stile_officers **ret)
{
    struct stile_diags diags;
    enum stile_status status;

    stile_diags_init(&diags, arena, 0);
    status = stile_officers_read(config, arena, &diags, ret);
    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("nobody can be told to be an officer: %s",
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

int stile__cli_sign(const struct cli_args *args,
                    const struct stile_officers *officers, enum stile_may may,
                    const char *what, struct stile_str subject,
                    struct stile_arena *arena, struct stile_act *ret)
{
    const char *because = stile__cli_get(args, "because");
    const char *error = "";
    struct stile_act act = {.may = may,
                            .what = stile_str_cstr(what),
                            .subject = subject,
                            .at = stile_now()};
    uint8_t seed[32];
    enum stile_status status;

    if (!stile__cli_has(args, "as") || !stile__cli_has(args, "key") ||
        !because) {
        return stile__cli_usage(args, "it needs --as OFFICER --key FILE "
                                      "--because TEXT");
    }
    act.officer = stile_str_cstr(stile__cli_get(args, "as"));
    act.because = stile_str_cstr(because);
    if (!key_of(args, seed, arena)) {
        return CLI_FAILED;
    }
    status = stile_act_sign(officers, &act, seed, &error);
    stile_wipe(seed, sizeof(seed));
    if (status != STILE_OK) {
        stile__cli_say("not done: %s", error);
        return CLI_FAILED;
    }
    *ret = act;
    return CLI_OK;
}

/* ---- officer key ---- */

/* Never over a key that is there: it may be the only copy. */
static bool write_key(const char *path, const char hex[65])
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good;

    if (fd < 0) {
        stile__cli_say("%s cannot be made%s", path,
                       errno == EEXIST
                           ? ": it is there already"
                           : "; look at the path and its permissions");
        return false;
    }
    good =
        write(fd, hex, 64) == 64 && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    if (close(fd) != 0 || !good) {
        stile__cli_say("%s could not be written", path);
        (void)unlink(path);
        return false;
    }
    return true;
}

static int officer_key(const struct cli_args *args)
{
    const char *path = stile__cli_get(args, "out");
    struct stile_digest seed, key;
    char hex[65];
    struct stile_buf out;
    int result = CLI_FAILED;

    if (!path) {
        return stile__cli_usage(args, "it needs --out FILE");
    }
    if (!stile_random(seed.bytes, sizeof(seed.bytes)) ||
        stile_ed25519_public(seed.bytes, key.bytes) != STILE_OK) {
        stile__cli_say("the system gave no random bytes");
        return CLI_FAILED;
    }
    stile_digest_hex(&seed, hex);
    stile_wipe(&seed, sizeof(seed));
    stile_buf_init(&out, 4096);
    if (write_key(path, hex)) {
        stile_digest_hex(&key, hex);
        stile_buf_printf(&out, "%s\n", hex);
        result = stile__cli_write(stdout, &out) ? CLI_OK : CLI_FAILED;
    }
    stile_wipe(hex, sizeof(hex));
    stile_buf_release(&out);
    return result;
}

static const struct cli_option key_options[] = {
    {"out", 0, "FILE", "where the key goes; not over one that is there"},
};

const struct cli_command stile__cmd_officer_key = {
    "officer key",
    "",
    0,
    0,
    "make the key an officer signs with",
    "Writes a new Ed25519 key (64 hex digits) that only its owner may read,\n"
    "and prints the public key, which goes into officers.yaml. Whoever has\n"
    "the file can sign as the officer: keep it where only they reach it. It\n"
    "is never needed on the gateway's machine.\n\n"
    "  stile officer key --out cg-1.key\n\n"
    "exit: 0 made; 1 it could not be; 2 wrong command line",
    CLI_OPTIONS(key_options),
    officer_key};
