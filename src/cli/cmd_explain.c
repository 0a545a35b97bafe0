/*
 * Why a row became what it became, and why a message would go where it would
 * go. Nothing is sent and nothing is kept.
 */
#include "cli_trip.h"

#define BYTES_MAX ((size_t)4 << 30)
#define FILE_BYTES_MAX ((size_t)1 << 30)

struct explaining {
    const struct cli_args *args;
    struct stile_arena *arena;
    struct stile_plan_box *box;
    struct stile_diags diags;
    struct stile_buf out;
};

/* ---- a row through its mappings
 * ----------------------------------------------- */

static struct stile_str family_of(const struct cli_rows *rows,
                                  const struct stile_row *row)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (&rows->items[i]->row == row) {
            return rows->items[i]->table->family;
        }
    }
    return STILE_STR_NULL;
}

static const struct stile_row *find_row(const struct explaining *e,
                                        const struct cli_rows *rows,
                                        uint64_t number)
{
    struct stile_str table = stile_str_cstr(stile__cli_get(e->args, "table"));
    struct stile_str file = stile__cli_base(e->args->words[0]);

    for (size_t i = 0; i < rows->count; i++) {
        const struct stile_row *row = &rows->items[i]->row;

        if (row->number == number && stile_str_eq(row->file, file) &&
            (table.len == 0 || stile_str_eq_nocase(row->table, table))) {
            return row;
        }
    }
    stile__cli_say("%.*s has no usable row %llu%s%.*s", STILE_FMT(file),
                   (unsigned long long)number, table.len > 0 ? " of " : "",
                   STILE_FMT(table));
    return NULL;
}

/* A row's own fate before that of the others. */
static void say_replaced(const struct cli_rows *rows,
                         const struct stile_row *row)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (&rows->items[i]->row == row && rows->items[i]->replaced) {
            stile__cli_say("a later row has the key of row %llu and replaces "
                           "it: this is what it would become alone",
                           (unsigned long long)row->number);
        }
    }
    stile__cli_rows_say_replaced(rows);
}

static enum stile_status load_rows(struct explaining *e, struct cli_rows *rows)
{
    struct stile_str table = stile_str_cstr(stile__cli_get(e->args, "table"));
    enum stile_status status = STILE_NOT_FOUND;

    rows->beside = e->args->words[0];
    if (!stile_str_ends(stile_str_cstr(e->args->words[0]),
                        STILE_STR(".json"))) {
        status = stile__cli_rows_file(rows, e->args->words[0], table);
    }
    if (status == STILE_NOT_FOUND) {
        status = stile__cli_rows_case(rows, e->args->words[0]);
    }
    for (size_t i = 1; i < e->args->word_count && status == STILE_OK; i++) {
        status = stile__cli_rows_file(rows, e->args->words[i], STILE_STR_NULL);
    }
    return status;
}

static int explain_row(struct explaining *e, uint64_t number)
{
    struct cli_rows rows;
    struct stile_map_env env = {&rows, stile__cli_rows_lookup,
                                stile__cli_rows_ask};
    const struct stile_row *row = NULL;
    enum stile_status status;

    stile__cli_rows_init(&rows, e->arena, e->box->plan.schema, NULL, &e->diags);
    status = load_rows(e, &rows);
    if (status == STILE_OK) {
        row = find_row(e, &rows, number);
    }
    if (row) {
        say_replaced(&rows, row);
        status =
            stile_map_explain(e->box->plan.maps, row, family_of(&rows, row),
                              &env, stile__cli_has(e->args, "show-values"),
                              e->arena, &e->diags, &e->out);
    }
    if (status != STILE_OK) {
        stile__cli_say("%s: %s", e->args->words[0], stile_status_text(status));
    }
    stile__cli_rows_release(&rows);
    (void)!stile__cli_diags(stderr, &e->diags);
    return row && status == STILE_OK && stile__cli_write(stdout, &e->out)
               ? CLI_OK
               : CLI_FAILED;
}

static int run_row(struct explaining *e)
{
    const char *folder = stile__cli_get(e->args, "mappings");
    uint64_t number;

    if (!folder || !stile__cli_has(e->args, "row") ||
        e->args->word_count == 0) {
        return stile__cli_usage(
            e->args, "it needs --mappings FOLDER FILE --row N, or -c "
                     "stile.yaml --message FILE --from NAME");
    }
    if (!stile__cli_number(e->args, "row", 1, UINT32_MAX, 1, &number)) {
        return CLI_USAGE;
    }
    if (!stile__cli_plan(folder, NULL, e->arena, &e->box)) {
        return CLI_FAILED;
    }
    return explain_row(e, number);
}

/* ---- a message through the rules
 * ------------------------------------------------- */

/* The partner or feed it is to come from. */
static bool source_of(const struct stile_config *config, const char *name,
                      struct stile_message *message)
{
    struct stile_str names[512];
    size_t count = 0, near;

    for (size_t i = 0; i < config->partner_count && count < 512; i++) {
        const struct stile_partner *partner = &config->partners[i].partner;

        names[count++] = partner->name;
        if (stile_str_eqc(partner->name, name)) {
            message->source = partner->name;
            message->source_ods = partner->ods;
            return true;
        }
    }
    for (size_t i = 0; i < config->feed_count && count < 512; i++) {
        names[count++] = config->feeds[i].name;
        if (stile_str_eqc(config->feeds[i].name, name)) {
            message->source = config->feeds[i].name;
            message->source_ods = config->feeds[i].ods;
            return true;
        }
    }
    stile__cli_say("there is no partner or feed '%s'", name);
    near = stile_nearest(stile_str_cstr(name), names, count);
    if (near != SIZE_MAX) {
        (void)fprintf(stderr, "       did you mean '%.*s'?\n",
                      STILE_FMT(names[near]));
    }
    return false;
}

static void guess_format(const char *path, struct stile_message *message)
{
    if (stile_str_ends(stile_str_cstr(path), STILE_STR(".csv"))) {
        message->format = STILE_STR("vcse-csv");
        message->family = STILE_STR("vcse-case");
    } else if (stile_str_find_str(message->bytes,
                                  STILE_STR("\"resourceType\"")) != SIZE_MAX) {
        message->format = STILE_STR("fhir-json");
        message->family = STILE_STR("fhir");
    } else {
        message->format = STILE_STR("vcse-json");
        message->family = STILE_STR("vcse-case");
    }
}

static void add_list(struct stile_buf *out, const char *head,
                     const struct stile_value *list, const char *between)
{
    const struct stile_value *item = list ? list->first : NULL;

    if (!item) {
        return;
    }
    stile_buf_addc(out, head);
    for (; item; item = item->next) {
        stile_buf_add(out, item->text);
        stile_buf_addc(out, item->next ? between : "\n");
    }
}

static void add_decision(const struct stile_value *entry, struct stile_buf *out)
{
    const struct stile_value *decision = stile_value_getc(entry, "decision");
    struct stile_str outcome = stile_value_text(decision, "outcome");

    if (!decision) {
        stile_buf_addc(out, "  stays inside the organisation: no rule is "
                            "asked\n");
    } else {
        stile_buf_printf(out,
                         "  %.*s: %.*s released, %.*s changed, %.*s withheld, "
                         "%.*s held for a person\n",
                         STILE_FMT(outcome),
                         STILE_FMT(stile_value_text(decision, "released")),
                         STILE_FMT(stile_value_text(decision, "changed")),
                         STILE_FMT(stile_value_text(decision, "withheld")),
                         STILE_FMT(stile_value_text(decision, "held")));
        add_list(out,
                 "  rules that fired: ", stile_value_getc(decision, "rules"),
                 ", ");
        add_list(out, "  because: ", stile_value_getc(decision, "reasons"),
                 "\n           ");
        add_list(out, "  would be told: ", stile_value_getc(decision, "notify"),
                 ", ");
    }
    if (stile_value_text(entry, "blocked").len > 0) {
        stile_buf_printf(out, "  nothing would leave: %.*s\n",
                         STILE_FMT(stile_value_text(entry, "blocked")));
    }
    if (stile_value_text(entry, "output-bytes").len > 0) {
        stile_buf_printf(out, "  would send %.*s resources, %.*s bytes\n",
                         STILE_FMT(stile_value_text(entry, "resources")),
                         STILE_FMT(stile_value_text(entry, "output-bytes")));
    }
}

/* What the exchange says happened along the route, but for its head line. */
static void add_events(const struct stile_exchange *exchange,
                       struct stile_str route, struct stile_buf *out)
{
    size_t count = 0;
    const struct stile_event *events = stile_exchange_events(exchange, &count);

    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(events[i].route, route)) {
            stile_buf_printf(out, "  - %.*s\n", STILE_FMT(events[i].text));
        }
    }
}

static bool add_entry(struct explaining *e, struct stile_str text,
                      const char *to, struct stile_value **ret)
{
    struct stile_value *entry = NULL;
    struct stile_str purpose;

    if (stile_json_decode(text, STILE_JSON_LIMITS, STILE_STR("entry"), e->arena,
                          &e->diags, &entry) != STILE_OK ||
        stile_value_text(entry, "route").len == 0 ||
        (to && !stile_str_eqc(stile_value_text(entry, "to"), to))) {
        return false;
    }
    purpose = stile_value_text(entry, "purpose");
    stile_buf_printf(&e->out, "\nto %.*s (%.*s) as %.*s, route %.*s",
                     STILE_FMT(stile_value_text(entry, "to")),
                     STILE_FMT(stile_value_text(entry, "to-ods")),
                     STILE_FMT(stile_value_text(entry, "format")),
                     STILE_FMT(stile_value_text(entry, "route")));
    if (purpose.len > 0) {
        stile_buf_printf(&e->out, ", for %.*s under %.*s", STILE_FMT(purpose),
                         STILE_FMT(stile_value_text(entry, "agreement")));
    }
    stile_buf_addc(&e->out, ":\n");
    add_decision(entry, &e->out);
    *ret = entry;
    return true;
}

static void report(struct explaining *e, const struct cli_trip *trip)
{
    const char *to = stile__cli_get(e->args, "to");
    struct stile_str said = STILE_STR_NULL;
    size_t shown = 0;

    add_events(trip->exchange, STILE_STR_NULL, &e->out);
    for (size_t i = 0; i < trip->accept.entry_count; i++) {
        struct stile_value *entry = NULL;
        struct stile_str route;

        if (!add_entry(e, trip->accept.entries[i], to, &entry)) {
            continue;
        }
        shown++;
        route = stile_value_text(entry, "route");
        /* Of several persons along one route the events stand together. */
        if (!stile_str_eq(route, said)) {
            add_events(trip->exchange, route, &e->out);
            said = route;
        }
    }
    if (shown == 0 && trip->usable) {
        stile_buf_printf(&e->out, "no route%s%s takes it\n", to ? " to " : "",
                         to ? to : "");
    }
}

static int explain_message(struct explaining *e,
                           const struct stile_config *config)
{
    const char *path = stile__cli_get(e->args, "message");
    struct cli_trip trip = {.plan = &e->box->plan, .arena = e->arena};
    enum stile_status status;

    if (!source_of(config, stile__cli_get(e->args, "from"), &trip.message)) {
        return CLI_USAGE;
    }
    if (!stile__cli_read(path, config->limits.body_bytes, e->arena,
                         &trip.message.bytes)) {
        return CLI_FAILED;
    }
    guess_format(path, &trip.message);
    trip.message.id = STILE_STR("explain");
    trip.message.name = stile__cli_base(path);
    trip.message.received = stile_now();
    trip.message.now = trip.message.received;
    status = stile__cli_trip(&trip);
    if (trip.exchange) {
        (void)!stile__cli_diags(stderr, stile_exchange_diags(trip.exchange));
    }
    if (status != STILE_OK) {
        stile__cli_say("%s: %s", path, stile_status_text(status));
        return CLI_FAILED;
    }
    stile__cli_say("nothing is sent or kept; of the persons only what the "
                   "message itself says is known, not what the gateway has "
                   "learned");
    report(e, &trip);
    return stile__cli_write(stdout, &e->out) && trip.usable ? CLI_OK
                                                            : CLI_FAILED;
}

static int run_message(struct explaining *e)
{
    struct stile_config *config = NULL;

    if (!stile__cli_has(e->args, "message") ||
        !stile__cli_has(e->args, "from")) {
        return stile__cli_usage(e->args,
                                "-c needs --message FILE and --from NAME");
    }
    if (!stile__cli_config(e->args, e->arena, &config) ||
        !stile__cli_plan(config->mappings, config, e->arena, &e->box)) {
        return CLI_FAILED;
    }
    return explain_message(e, config);
}

static int run(const struct cli_args *args)
{
    struct explaining e = {.args = args};
    int result;

    e.arena = stile_arena_new(BYTES_MAX);
    stile_diags_init(&e.diags, e.arena, 0);
    stile_buf_init(&e.out, (size_t)64 << 20);
    result = stile__cli_has(args, "config") ? run_message(&e) : run_row(&e);
    stile_plan_release(&e.box);
    stile_buf_release(&e.out);
    stile_arena_free(&e.arena);
    return result;
}

static const struct cli_option options[] = {
    {"mappings", 'm', "FOLDER", "explain a row: formats, maps, codes, rules"},
    {"row", 0, "N", "which row of FILE, from 1 without the header"},
    {"table", 0, "TABLE", "which table, when the file does not say it"},
    {"show-values", 0, NULL, "show the row's own values too"},
    CLI_CONFIG_OPTION,
    {"message", 0, "FILE", "explain a message: the file that would come in"},
    {"from", 0, "NAME", "the partner or feed it would come from"},
    {"to", 0, "PARTNER", "only what would go to this partner"},
};

const struct cli_command stile__cmd_explain = {
    "explain",
    "[FILE...]",
    0,
    1000,
    "say why a row or a message becomes what it becomes",
    "Two questions. With --mappings and --row: which line of which mapping\n"
    "made each part of the result, from which column and code row. Values are\n"
    "shown only with --show-values. Other tables that it looks into are taken\n"
    "from the other files given, or from the same batch in FILE's folder.\n"
    "With -c and --message: what each partner would get of the message, what\n"
    "would be changed or stay, and the rule, agreement and first failing need\n"
    "that say so. Nothing is sent or kept. It knows this message only, not "
    "what\n"
    "the running gateway has learned of the person from earlier ones (a yes "
    "or\n"
    "a refusal, an open referral, an opt-out), so the gateway may decide\n"
    "otherwise; what it did decide is in 'stile audit show'. The rules are\n"
    "those of the folder, be they in force or not: 'stile rules status'.\n\n"
    "  stile explain -m mappings --row 7 cases.csv\n"
    "  stile explain -c stile.yaml --message referral.json --from surgery \\\n"
    "        --to charity\n\n"
    "exit: 0 explained; 1 the files are wrong; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
