/* Looking into the store, and an officer's hand on the outbox. */
#include "cli.h"

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
    struct cli_desk o = {0};
    struct stile_outbox_row *rows = NULL;
    enum stile_status status = STILE_OK;
    uint64_t limit;
    size_t count = 0;
    int result;

    if (!stile__cli_number(args, "limit", 1, 100000, 100, &limit)) {
        return CLI_USAGE;
    }
    result = stile__cli_desk_open(args, false, &o);
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
    return stile__cli_desk_close(&o, status, result);
}

/* ---- an officer's hand on the outbox ---- */

/* {act, because, gateway, ods, row, time, type}: canonical (RFC 8785). */
static struct stile_str act_entry(const struct cli_args *args,
                                  const struct cli_desk *o, const char *type,
                                  struct stile_str row,
                                  const struct stile_act *act)
{
    struct stile_value *entry = stile_value_new(o->arena, STILE_OBJECT);
    struct stile_str text = STILE_STR_NULL;
    struct stile_buf out;
    char time[25];
    size_t len = stile_time_format(stile_now(), time);

    if (act) {
        (void)stile_value_set(entry, STILE_STR("act"),
                              stile_act_value(o->officers, act, o->arena));
    }
    (void)stile_value_set_str(o->arena, entry, "because",
                              stile_str_cstr(stile__cli_get(args, "because")));
    (void)stile_value_set_str(o->arena, entry, "gateway", o->config->name);
    (void)stile_value_set_str(o->arena, entry, "ods", o->config->ods);
    (void)stile_value_set_str(o->arena, entry, "row", row);
    (void)stile_value_set_str(o->arena, entry, "time",
                              (struct stile_str){time, len});
    (void)stile_value_set_str(o->arena, entry, "type", stile_str_cstr(type));
    stile_buf_init(&out, STILE_AUDIT_ENTRY_MAX);
    stile_value_json(entry, 0, &out);
    if (out.status == STILE_OK && entry) {
        text = stile_arena_str(o->arena, stile_buf_str(&out));
    }
    stile_buf_release(&out);
    return text;
}

/* Signed when stile.yaml names officers; its entry in any case. */
static int act_on_rows(const struct cli_args *args, struct cli_desk *o,
                       const char *what, struct stile_str row,
                       struct stile_str *ret_entry)
{
    struct stile_act act;
    char type[32];
    int result = CLI_OK;

    if (!stile__cli_has(args, "because")) {
        return stile__cli_usage(args, "it needs --because TEXT");
    }
    if (o->officers) {
        result = stile__cli_sign(
            args, o->officers, STILE_MAY_MOVE_OUTBOX, what,
            stile_arena_printf(o->arena, "outbox row %.*s", STILE_FMT(row)),
            o->arena, &act);
    }
    if (result != CLI_OK) {
        return result;
    }
    (void)snprintf(type, sizeof(type), "outbox-%s", what);
    *ret_entry = act_entry(args, o, type, row, o->officers ? &act : NULL);
    if (ret_entry->ptr == NULL) {
        stile__cli_say("memory is short");
        return CLI_FAILED;
    }
    return CLI_OK;
}

static bool row_id(const struct cli_args *args, int64_t *ret)
{
    return stile_str_to_int64(stile_str_cstr(args->words[0]), ret) && *ret > 0;
}

static struct stile_str row_name(const struct cli_args *args)
{
    return stile_str_cstr(args->word_count == 1 ? args->words[0] : "all");
}

static int outbox_retry(const struct cli_args *args)
{
    struct cli_desk o = {0};
    struct stile_str entry = STILE_STR_NULL;
    enum stile_status status = STILE_OK;
    uint64_t count = 0;
    int64_t id = 0;
    int result;

    if (stile__cli_has(args, "all") == (args->word_count == 1)) {
        return stile__cli_usage(args, "it needs one id, or --all");
    }
    if (args->word_count == 1 && !row_id(args, &id)) {
        return stile__cli_usage(args, "'%s' is no id of 'stile outbox list'",
                                args->words[0]);
    }
    result = stile__cli_desk_open(args, true, &o);
    if (result == CLI_OK) {
        result = act_on_rows(args, &o, "retry", row_name(args), &entry);
    }
    if (result == CLI_OK) {
        status =
            o.store->ops->retry(o.store, id, stile_now(), &entry, 1, &count);
    }
    if (status == STILE_NOT_FOUND) {
        stile__cli_say("there is no row %lld", (long long)id);
        return stile__cli_desk_close(&o, STILE_OK, CLI_FAILED);
    }
    if (result == CLI_OK && status == STILE_OK) {
        stile__cli_plural(&o.out, count, "row is", "rows are");
        stile_buf_addc(&o.out, " due now\n");
    }
    return stile__cli_desk_close(&o, status, result);
}

static int outbox_withdraw(const struct cli_args *args)
{
    struct cli_desk o = {0};
    struct stile_str entry = STILE_STR_NULL;
    enum stile_status status = STILE_OK;
    int64_t id = 0;
    int result;

    if (!row_id(args, &id)) {
        return stile__cli_usage(args, "'%s' is no id of 'stile outbox list'",
                                args->words[0]);
    }
    result = stile__cli_desk_open(args, true, &o);
    if (result == CLI_OK) {
        result = act_on_rows(args, &o, "withdraw", row_name(args), &entry);
    }
    if (result == CLI_OK) {
        status = o.store->ops->withdraw(
            o.store, id, stile_now(),
            stile_arena_printf(o.arena, "withdrawn by hand: %s",
                               stile__cli_get(args, "because")),
            &entry, 1);
    }
    if (status == STILE_NOT_FOUND || status == STILE_CONFLICT) {
        stile__cli_say(status == STILE_NOT_FOUND
                           ? "there is no row %lld"
                           : "row %lld is on its way, or has ended: see "
                             "'stile outbox list'",
                       (long long)id);
        return stile__cli_desk_close(&o, STILE_OK, CLI_FAILED);
    }
    if (result == CLI_OK && status == STILE_OK) {
        stile_buf_printf(&o.out, "row %lld is withdrawn and is not sent\n",
                         (long long)id);
    }
    return stile__cli_desk_close(&o, status, result);
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
    struct cli_desk o = {0};
    struct stile_quarantine_new *items = NULL;
    enum stile_status status = STILE_OK;
    uint64_t limit;
    size_t count = 0;
    int result;

    if (!stile__cli_number(args, "limit", 1, 100000, 100, &limit)) {
        return CLI_USAGE;
    }
    result = stile__cli_desk_open(args, false, &o);
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
    return stile__cli_desk_close(&o, status, result);
}

static const struct cli_option list_options[] = {
    CLI_CONFIG_OPTION,
    {"store", 0, "FILE", "the store itself, instead of -c"},
    {"limit", 0, "N", "at most so many, 100"},
    CLI_JSON_OPTION,
};

static const struct cli_option retry_options[] = {
    CLI_CONFIG_OPTION,
    {"all", 0, NULL, "every row that waits"},
    CLI_OFFICER_OPTIONS,
};

static const struct cli_option withdraw_options[] = {
    CLI_CONFIG_OPTION,
    CLI_OFFICER_OPTIONS,
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
    "if they or the person's consent have changed since. It is in the audit\n"
    "log; where stile.yaml names officers, one who may move-outbox signs it.\n"
    "\n"
    "  stile outbox retry -c stile.yaml 17 --as ops-1 --key ops-1.key \\\n"
    "      --because 'the partner is back'\n"
    "  stile outbox retry -c stile.yaml --all --because 'the same'\n\n"
    "exit: 0 done; 1 no such row, not allowed, or the store cannot be\n"
    "      written; 2 wrong command line",
    CLI_OPTIONS(retry_options),
    outbox_retry};

const struct cli_command stile__cmd_outbox_withdraw = {
    "outbox withdraw",
    "ID",
    1,
    1,
    "give a row up, so that it is not sent",
    "Ends a row that is neither on its way nor ended; the rows behind it in\n"
    "its lane go on. It is in the audit log; where stile.yaml names officers,\n"
    "one who may move-outbox signs it. The next export shows the person anew.\n"
    "\n"
    "  stile outbox withdraw -c stile.yaml 17 --as ops-1 --key ops-1.key \\\n"
    "      --because 'sent by other means'\n\n"
    "exit: 0 done; 1 no such row, not allowed, or it cannot be withdrawn;\n"
    "      2 wrong command line",
    CLI_OPTIONS(withdraw_options),
    outbox_withdraw};

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
