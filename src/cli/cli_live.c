/* Opening, looking and showing, for the commands that put rules in force. */
#include "cli_live.h"

#include <unistd.h>

#define LIVE_BYTES_MAX ((size_t)2 << 30)

int stile__live_open(const struct cli_args *args, bool write,
                     struct cli_live *live)
{
    *live = (struct cli_live){.args = args,
                              .arena = stile_arena_new(LIVE_BYTES_MAX)};
    stile_buf_init(&live->out, (size_t)64 << 20);
    stile_diags_init(&live->diags, live->arena, 0);
    if (!stile__cli_config(args, live->arena, &live->config)) {
        return stile__cli_get(args, "config") ? CLI_FAILED : CLI_USAGE;
    }
    if (!write && access(live->config->store, F_OK) != 0) {
        return CLI_OK; /* before the first start */
    }
    return stile__cli_store(live->config->store, !write, live->arena,
                            &live->store)
               ? CLI_OK
               : CLI_FAILED;
}

int stile__live_close(struct cli_live *live, int result)
{
    if (live->out.len > 0 && !stile__cli_write(stdout, &live->out)) {
        result = CLI_FAILED;
    }
    if (live->store) {
        live->store->ops->close(&live->store);
    }
    stile_buf_release(&live->out);
    stile_arena_free(&live->arena);
    return result;
}

bool stile__live_look(struct cli_live *live, const struct stile_digest *to,
                      struct stile_rules_look *ret)
{
    enum stile_status status =
        stile_rules_look(live->config, live->store, to, stile_now(),
                         live->arena, &live->diags, ret);

    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &live->diags);
        stile__cli_say("the rules could not be looked at: %s",
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

struct stile_str stile__live_short(const struct stile_digest *digest,
                                   struct stile_arena *arena)
{
    char hex[65];

    stile_digest_hex(digest, hex);
    return stile_arena_printf(arena, "%.16s", hex);
}

/* ---- showing a change ---- */

static void say_all(const struct cli_shown *shown, stile_time now,
                    struct stile_arena *arena, struct stile_buf *out)
{
    struct stile_flow_query all = {0};
    struct stile_value *flows = NULL;

    stile_buf_addc(out, shown->in_force
                            ? "What is in force cannot be read by this stile, "
                              "so the change cannot be told; all that the new "
                              "set can let go:\n\n"
                            : "Nothing is in force yet, so all of this is "
                              "new:\n\n");
    if (stile_rules_flows(shown->new, &all,
                          stile_date_from_days(stile_london_day(now)), arena,
                          &flows) == STILE_OK) {
        stile_rules_flows_print(flows, out);
    } else {
        stile_buf_addc(out, "it is too tangled to be told\n");
    }
    stile_buf_printf(out, "The change counts as %s.\n",
                     stile_rules_class_text(shown->class));
}

/* On a terminal the word is asked for. */
static int take_word(const struct cli_args *args, const char *class)
{
    char line[64];
    size_t len;

    if (isatty(STDIN_FILENO) != 1) {
        return stile__cli_usage(args,
                                "it signs nothing unseen: read the change "
                                "above, and give --class with what it is");
    }
    (void)fprintf(stderr, "\nTo sign, type what the change is (%s): ", class);
    if (!fgets(line, sizeof(line), stdin)) {
        line[0] = '\0';
    }
    len = strlen(line);
    if (len > 0 && line[len - 1] == '\n') {
        line[len - 1] = '\0';
    }
    if (strcmp(line, class) != 0) {
        stile__cli_say("nothing was signed");
        return CLI_FAILED;
    }
    return CLI_OK;
}

int stile__live_show(const struct cli_args *args, const struct cli_shown *shown,
                     stile_time now, struct stile_arena *arena)
{
    const char *class = stile_rules_class_text(shown->class);
    const char *given = stile__cli_get(args, "class");
    struct stile_buf out;
    bool good;

    stile_buf_init(&out, (size_t)64 << 20);
    if (shown->report) {
        stile_rules_diff_print(shown->report, &out);
    } else {
        say_all(shown, now, arena, &out);
    }
    good = stile__cli_write(stdout, &out) && fflush(stdout) == 0;
    stile_buf_release(&out);
    if (!good) {
        return CLI_FAILED; /* not shown, so not signed */
    }
    if (!given) {
        return take_word(args, class);
    }
    if (strcmp(given, class) != 0) {
        stile__cli_say("nothing was signed: the change is %s, not %s", class,
                       given);
        return CLI_FAILED;
    }
    return CLI_OK;
}
