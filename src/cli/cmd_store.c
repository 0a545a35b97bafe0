/*
 * Looking into the store, and asking for another try. SQLite lets several
 * processes open one database, so these work beside a running gateway: the
 * lists open it read-only; a retry is one short write, which the gateway sees
 * the next time it looks for due rows.
 */
#include "cli.h"

#define RESULT_BYTES_MAX ((size_t)256 << 20)

struct opened {
    struct stile_arena *arena;
    struct stile_store *store;
    struct stile_buf out;
};

static int open_store(const struct cli_args *args, bool read_only,
                      struct opened *o)
{
    const char *path = stile__cli_get(args, "store");
    struct stile_config *config = NULL;

    o->arena = stile_arena_new(RESULT_BYTES_MAX);
    stile_buf_init(&o->out, RESULT_BYTES_MAX);
    if (!path && !stile__cli_has(args, "config")) {
        return stile__cli_usage(args, "it needs -c stile.yaml or --store FILE");
    }
    if (!path && stile__cli_config(args, o->arena, &config)) {
        path = config->store;
    }
    if (!path || !stile__cli_store(path, read_only, o->arena, &o->store)) {
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int close_store(struct opened *o, enum stile_status status, int result)
{
    if (result == CLI_OK && status != STILE_OK) {
        stile__cli_say("the store could not be read: %s",
                       stile_status_text(status));
        result = CLI_FAILED;
    }
    if (result == CLI_OK && !stile__cli_write(stdout, &o->out)) {
        result = CLI_FAILED;
    }
    if (o->store) {
        o->store->ops->close(&o->store);
    }
    stile_buf_release(&o->out);
    stile_arena_free(&o->arena);
    return result;
}

static struct stile_str when(stile_time time, char out[25])
{
    if (time == 0) {
        return STILE_STR("-");
    }
    return (struct stile_str){out, stile_time_format(time, out)};
}

static void json_text(struct stile_buf *out, const char *name,
                      struct stile_str text)
{
    stile_buf_printf(out, ",\"%s\":", name);
    stile_buf_json_str(out, text);
}

/* ---- outbox
 * ------------------------------------------------------------------ */

static void row_json(const struct stile_outbox_row *row, struct stile_buf *out)
{
    char queued[25], due[25];

    stile_buf_printf(out, "{\"id\":%lld,\"state\":\"%s\",\"attempts\":%u",
                     (long long)row->id, stile_row_state_text(row->state),
                     (unsigned)row->attempts);
    json_text(out, "route", row->what.route);
    json_text(out, "partner", row->what.partner);
    json_text(out, "queued", when(row->queued_at, queued));
    json_text(out, "due", when(row->due, due));
    json_text(out, "reason", row->reason);
    stile_buf_addc(out, "}\n");
}

static void row_line(const struct stile_outbox_row *row, struct stile_buf *out)
{
    char queued[25], due[25];

    stile_buf_printf(
        out, "%8lld %-9s %3u  %-20.*s %-16.*s %-24.*s %-24.*s %.*s\n",
        (long long)row->id, stile_row_state_text(row->state),
        (unsigned)row->attempts, STILE_FMT(row->what.route),
        STILE_FMT(row->what.partner), STILE_FMT(when(row->queued_at, queued)),
        STILE_FMT(when(row->due, due)), STILE_FMT(row->reason));
}

static int outbox_list(const struct cli_args *args)
{
    struct opened o = {0};
    struct stile_outbox_row *rows = NULL;
    enum stile_status status = STILE_OK;
    uint64_t limit;
    size_t count = 0;
    int result;

    if (!stile__cli_number(args, "limit", 1, 100000, 100, &limit)) {
        return CLI_USAGE;
    }
    result = open_store(args, true, &o);
    if (result == CLI_OK) {
        status =
            o.store->ops->list(o.store, (size_t)limit, o.arena, &rows, &count);
    }
    if (status == STILE_OK && count > 0 && !stile__cli_has(args, "json")) {
        stile_buf_printf(&o.out, "%8s %-9s %3s  %-20s %-16s %-24s %-24s %s\n",
                         "id", "state", "try", "route", "partner", "queued",
                         "due", "reason");
    }
    for (size_t i = 0; status == STILE_OK && i < count; i++) {
        if (stile__cli_has(args, "json")) {
            row_json(&rows[i], &o.out);
        } else {
            row_line(&rows[i], &o.out);
        }
    }
    if (result == CLI_OK && count == 0 && status == STILE_OK) {
        (void)fputs("nothing in the outbox\n", stderr);
    }
    return close_store(&o, status, result);
}

static int outbox_retry(const struct cli_args *args)
{
    struct opened o = {0};
    enum stile_status status = STILE_OK;
    uint64_t count = 0;
    int64_t id = 0;
    int result;

    if (stile__cli_has(args, "all") == (args->word_count == 1)) {
        return stile__cli_usage(args, "it needs one id, or --all");
    }
    if (args->word_count == 1 &&
        (!stile_str_to_int64(stile_str_cstr(args->words[0]), &id) || id < 1)) {
        return stile__cli_usage(args, "'%s' is no id of 'stile outbox list'",
                                args->words[0]);
    }
    result = open_store(args, false, &o);
    if (result == CLI_OK) {
        status = o.store->ops->retry(o.store, id, stile_now(), NULL, 0, &count);
    }
    if (status == STILE_NOT_FOUND) {
        stile__cli_say("there is no row %lld", (long long)id);
        return close_store(&o, STILE_OK, CLI_FAILED);
    }
    if (result == CLI_OK && status == STILE_OK) {
        stile__cli_plural(&o.out, count, "row is", "rows are");
        stile_buf_addc(&o.out, " due now\n");
    }
    return close_store(&o, status, result);
}

/* ---- quarantine
 * ----------------------------------------------------------------- */

/* The bytes stay in the store: they may hold a patient's data. */
static void quarantine_line(const struct stile_quarantine_new *item, bool json,
                            struct stile_buf *out)
{
    if (json) {
        stile_buf_printf(out, "{\"row\":%llu,\"bytes\":%zu",
                         (unsigned long long)item->row, item->bytes.len);
        json_text(out, "source", item->source);
        json_text(out, "name", item->name);
        json_text(out, "reason", item->reason);
        stile_buf_addc(out, "}\n");
        return;
    }
    stile_buf_printf(out, "%.*s: %.*s", STILE_FMT(item->source),
                     STILE_FMT(item->name));
    if (item->row > 0) {
        stile_buf_printf(out, " row %llu", (unsigned long long)item->row);
    }
    stile_buf_printf(out, " (%zu bytes kept)\n", item->bytes.len);
    struct stile_str rest = stile_str_trim(item->reason), line;
    while (stile_str_next(&rest, '\n', &line)) {
        stile_buf_printf(out, "    %.*s\n", STILE_FMT(line));
    }
}

static int quarantine_list(const struct cli_args *args)
{
    struct opened o = {0};
    struct stile_quarantine_new *items = NULL;
    enum stile_status status = STILE_OK;
    uint64_t limit;
    size_t count = 0;
    int result;

    if (!stile__cli_number(args, "limit", 1, 100000, 100, &limit)) {
        return CLI_USAGE;
    }
    result = open_store(args, true, &o);
    if (result == CLI_OK) {
        status = o.store->ops->quarantined(o.store, (size_t)limit, o.arena,
                                           &items, &count);
    }
    for (size_t i = 0; status == STILE_OK && i < count; i++) {
        quarantine_line(&items[i], stile__cli_has(args, "json"), &o.out);
    }
    if (result == CLI_OK && status == STILE_OK && count == 0) {
        (void)fputs("nothing in quarantine\n", stderr);
    }
    return close_store(&o, status, result);
}

static const struct cli_option list_options[] = {
    CLI_CONFIG_OPTION,
    {"store", 0, "FILE", "the store itself, instead of -c"},
    {"limit", 0, "N", "at most so many, 100"},
    CLI_JSON_OPTION,
};

static const struct cli_option retry_options[] = {
    CLI_CONFIG_OPTION,
    {"store", 0, "FILE", "the store itself, instead of -c"},
    {"all", 0, NULL, "every row that waits"},
};

const struct cli_command stile__cmd_outbox_list = {
    "outbox list",
    "",
    0,
    0,
    "list what is still to be forwarded",
    "Lists the rows of the outbox: those that wait, oldest first, then those\n"
    "that are done. Reads the store beside a running gateway. With --json one\n"
    "object a line.\n\n"
    "  stile outbox list -c /etc/stile/stile.yaml\n\n"
    "exit: 0 listed; 1 the store cannot be read; 2 wrong command line",
    CLI_OPTIONS(list_options),
    outbox_list};

const struct cli_command stile__cmd_outbox_retry = {
    "outbox retry",
    "[ID]",
    0,
    1,
    "try a row again now",
    "Makes a parked, deferred or unknown row due now. It is one short write\n"
    "to the store, which SQLite lets several processes share: a running\n"
    "gateway takes the row the next time it looks. The rules are asked again\n"
    "if they or the person's consent have changed since.\n\n"
    "  stile outbox retry -c /etc/stile/stile.yaml 17\n"
    "  stile outbox retry -c /etc/stile/stile.yaml --all\n\n"
    "exit: 0 done; 1 no such row, or the store cannot be written;\n"
    "      2 wrong command line",
    CLI_OPTIONS(retry_options),
    outbox_retry};

const struct cli_command stile__cmd_quarantine_list = {
    "quarantine list",
    "",
    0,
    0,
    "list what could not be used, and why",
    "Lists messages and rows in quarantine, newest first, each with its\n"
    "findings. What they hold is not printed. With --json one object a "
    "line.\n\n"
    "  stile quarantine list -c /etc/stile/stile.yaml\n\n"
    "exit: 0 listed; 1 the store cannot be read; 2 wrong command line",
    CLI_OPTIONS(list_options),
    quarantine_list};
