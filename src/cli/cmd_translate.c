/*
 * Files in, files out: the gateway's own exchange along one route to an own
 * system, which is not governed. So what is written here is what the gateway
 * would write, and a file that fails here fails there with the same findings.
 */
#include "cli_spill.h"
#include "cli_trip.h"

#include <sys/stat.h>

#define FILES_BYTES_MAX ((size_t)16 << 30)
#define TRIP_BYTES_MAX ((size_t)2 << 30)
#define FILE_BYTES_MAX ((size_t)1 << 30)
#define FLUSH_BYTES ((size_t)1 << 20)
#define FINDINGS_SHOWN 200
#define PATHS_MAX 100000
/* Rows in memory take about so many bytes a byte of their files. */
#define MEMORY_A_BYTE 3
#define MEMORY_DEFAULT ((uint64_t)4 << 30)

enum form {
    FORM_EMIS,
    FORM_SYSTMONE,
    FORM_VCSE_JSON,
    FORM_VCSE_CSV,
    FORM_FHIR
};
static const struct stile_str from_words[] = {{"emis", 4},
                                              {"systmone", 8},
                                              {"vcse-json", 9},
                                              {"vcse-csv", 8},
                                              {"fhir", 4}};
static const struct stile_str to_words[] = {
    {"vcse-json", 9}, {"vcse-csv", 8}, {"fhir", 4}};
static const enum form to_forms[] = {FORM_VCSE_JSON, FORM_VCSE_CSV, FORM_FHIR};

struct work {
    const struct cli_args *args;
    enum form from, to;
    struct stile_arena *arena; /* files and rows */
    struct stile_arena *trip;  /* one message */
    struct stile_plan_box *box;
    struct stile_plan plan;
    struct stile_partner partner;
    struct stile_route route;
    const char *const *paths;
    size_t path_count;
    uint64_t memory; /* for an export's rows */
    struct cli_rows *rows;
    FILE *out;
    struct stile_buf buf;
    struct stile_str first; /* vcse-json: held until a second comes;
                               vcse-csv: the header */
    uint64_t in, written, quarantined, held, findings;
    struct cli_progress progress;
    bool failed;
};

static struct stile_str format_of(enum form form)
{
    switch (form) {
    case FORM_VCSE_JSON:
        return STILE_STR("vcse-json");
    case FORM_VCSE_CSV:
        return STILE_STR("vcse-csv");
    case FORM_FHIR:
        return STILE_STR("fhir-json");
    case FORM_EMIS:
    case FORM_SYSTMONE:
        break;
    }
    return STILE_STR_NULL; /* rows are given */
}

static bool is_export(enum form form)
{
    return form == FORM_EMIS || form == FORM_SYSTMONE;
}

static struct stile_str family_of(enum form form)
{
    if (is_export(form)) {
        return from_words[form];
    }
    return form == FORM_FHIR ? STILE_STR("fhir") : STILE_STR("vcse-case");
}

/* ---- out
 * --------------------------------------------------------------------- */

static void flush(struct work *w, size_t above)
{
    if (w->buf.len > above && !w->failed) {
        w->failed = !stile__cli_write(w->out, &w->buf);
    }
}

/* The objects of a case file, whether it is one or an array. */
static struct stile_str inside(struct stile_str json)
{
    json = stile_str_trim(json);
    if (stile_str_starts(json, STILE_STR("[")) &&
        stile_str_ends(json, STILE_STR("]"))) {
        json = stile_str_trim(stile_str_sub(json, 1, json.len - 2));
    }
    return json;
}

static void put_json(struct work *w, struct stile_str body)
{
    body = inside(body);
    if (w->written == 0) {
        w->first = stile_arena_str(w->arena, body);
        return;
    }
    if (w->written == 1) {
        stile_buf_addc(&w->buf, "[\n");
        stile_buf_add(&w->buf, w->first);
    }
    stile_buf_addc(&w->buf, ",\n");
    stile_buf_add(&w->buf, body);
}

/* One sheet: the header once. Names of columns hold no line end. */
static void put_csv(struct work *w, struct stile_str body)
{
    size_t end = stile_str_find(body, '\n');
    struct stile_str header =
        stile_str_sub(body, 0, end == SIZE_MAX ? body.len : end + 1);

    if (w->written == 0) {
        w->first = stile_arena_str(w->arena, header);
        stile_buf_add(&w->buf, header);
    } else if (!stile_str_eq(header, w->first)) {
        stile__cli_say("record %llu has other columns than the first; it "
                       "cannot stand in the same sheet",
                       (unsigned long long)w->written + 1);
        w->quarantined++;
        return;
    }
    stile_buf_add(&w->buf, stile_str_sub(body, header.len, SIZE_MAX));
}

static void put(struct work *w, struct stile_str body)
{
    if (w->to == FORM_VCSE_JSON) {
        put_json(w, body);
    } else if (w->to == FORM_VCSE_CSV) {
        put_csv(w, body);
    } else {
        stile_buf_add(&w->buf, body);
        stile_buf_byte(&w->buf, '\n');
    }
    w->written++;
    flush(w, FLUSH_BYTES);
}

static void put_end(struct work *w)
{
    if (w->to == FORM_VCSE_JSON && w->written == 1) {
        stile_buf_add(&w->buf, w->first);
        stile_buf_byte(&w->buf, '\n');
    } else if (w->to == FORM_VCSE_JSON && w->written > 1) {
        stile_buf_addc(&w->buf, "\n]\n");
    }
    flush(w, 0);
}

/* ---- one message
 * ----------------------------------------------------------------- */

static void show(struct work *w, const struct stile_diags *diags)
{
    struct stile_buf out;

    stile_buf_init(&out, (size_t)16 << 20);
    for (size_t i = 0; i < diags->count; i++) {
        if (w->findings++ < FINDINGS_SHOWN) {
            stile_diag_print(&diags->items[i], stile__cli_color(stderr), &out);
        }
    }
    w->findings += diags->suppressed;
    (void)!stile__cli_write(stderr, &out);
    stile_buf_release(&out);
}

static void one(struct work *w, struct stile_message message,
                struct cli_rows *rows)
{
    struct cli_trip trip = {
        .plan = &w->plan, .message = message, .rows = rows, .arena = w->trip};
    enum stile_status status;

    trip.message.source = w->route.from;
    trip.message.source_ods = w->plan.ods;
    trip.message.family = family_of(w->from);
    trip.message.received = stile_now();
    trip.message.now = trip.message.received;
    status = stile__cli_trip(&trip);
    if (trip.exchange) {
        show(w, stile_exchange_diags(trip.exchange));
    }
    if (status != STILE_OK) {
        stile__cli_say("%.*s: %s", STILE_FMT(message.name),
                       stile_status_text(status));
        w->quarantined++;
    } else {
        w->quarantined += trip.accept.quarantine_count;
        w->held += trip.accept.held_count;
        for (size_t i = 0; i < trip.accept.row_count; i++) {
            put(w, trip.accept.rows[i].body);
        }
    }
    stile_arena_reset(w->trip);
}

static void message(struct work *w, struct stile_str name,
                    struct stile_str bytes)
{
    struct stile_message m = {.id =
                                  stile_arena_printf(w->arena, "translate.%llu",
                                                     (unsigned long long)w->in),
                              .name = name,
                              .format = format_of(w->from),
                              .bytes = bytes};

    w->in++;
    one(w, m, NULL);
}

/* One JSON document a line: a line that ends with `}` and another behind it
 * that begins with `{`. */
static bool is_lines(struct stile_str bytes)
{
    size_t end = stile_str_find(bytes, '\n');
    struct stile_str line, rest;

    if (end == SIZE_MAX) {
        return false;
    }
    line = stile_str_trim(stile_str_sub(bytes, 0, end));
    rest = stile_str_trim(stile_str_sub(bytes, end, SIZE_MAX));
    return stile_str_starts(line, STILE_STR("{")) &&
           stile_str_ends(line, STILE_STR("}")) &&
           stile_str_starts(rest, STILE_STR("{"));
}

static void messages(struct work *w)
{
    for (size_t i = 0; i < w->path_count && !w->failed; i++) {
        struct stile_str bytes, line;
        struct stile_str name = stile__cli_base(w->paths[i]);

        if (!stile__cli_read(w->paths[i], FILE_BYTES_MAX, w->arena, &bytes)) {
            w->quarantined++;
            continue;
        }
        stile__cli_progress(&w->progress, "files", i, w->path_count);
        if (w->from != FORM_FHIR || !is_lines(bytes)) {
            message(w, name, bytes);
            continue;
        }
        while (!w->failed && stile_str_next(&bytes, '\n', &line)) {
            line = stile_str_trim(line);
            if (line.len > 0) {
                message(w, name, line);
            }
        }
    }
}

/* ---- an export
 * --------------------------------------------------------------------- */

/* The rows of one person that stand. */
static bool person(void *ctx, size_t number, struct stile_row *list,
                   size_t count)
{
    struct work *w = ctx;
    const struct cli_person *p = &w->rows->persons[number];
    struct stile_message m = {
        .id = stile_arena_printf(w->trip, "translate.%zu", number),
        .name = STILE_STR("export"),
        .feed = w->route.from,
        .feed_person = p->key,
        .feed_batch = 1,
        .rows = list,
        .row_count = count};

    stile__cli_progress(&w->progress, "persons", number, w->rows->person_count);
    if (p->key.len == 0) {
        stile__cli_say("%zu rows name no person and cannot be translated",
                       p->count);
        w->quarantined += p->count;
    } else if (count > 0) {
        one(w, m, w->rows);
    }
    stile_arena_reset(w->trip);
    return !w->failed;
}

static void persons(struct work *w)
{
    struct cli_rows *rows = w->rows;
    bool goes_on = true;

    for (size_t i = 0; i < rows->person_count && goes_on; i++) {
        const struct cli_person *p = &rows->persons[i];
        struct stile_row *list =
            stile_arena_array(w->trip, p->count, sizeof(*list));
        size_t count = 0;

        for (size_t at = p->first; list && at != 0;
             at = rows->items[at - 1]->next) {
            if (!rows->items[at - 1]->gone) {
                list[count++] = rows->items[at - 1]->row;
            }
        }
        goes_on = person(w, i, list, count);
    }
}

/* What the files would take of memory as rows. */
static uint64_t memory_of(const struct work *w)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < w->path_count; i++) {
        struct stat about;

        if (stat(w->paths[i], &about) == 0 && about.st_size > 0) {
            bytes += (uint64_t)about.st_size;
        }
    }
    return bytes * MEMORY_A_BYTE;
}

/* Beyond the budget rows are put aside. */
static bool keep_within(struct work *w)
{
    if (memory_of(w) <= w->memory) {
        return true;
    }
    stile__cli_say("the files need about %llu MiB of memory as rows, more than "
                   "--memory allows: they are put aside in a temporary "
                   "database",
                   (unsigned long long)(memory_of(w) >> 20));
    if (!stile__cli_spill_open(w->rows, (size_t)(w->memory / 2))) {
        stile__cli_say("the temporary database cannot be opened; look at the "
                       "folder that TMPDIR names");
        return false;
    }
    return true;
}

static enum stile_status work_off(struct work *w)
{
    if (w->rows->spill) {
        return stile__cli_spill_persons(w->rows, w->trip, person, w);
    }
    persons(w);
    return STILE_OK;
}

static bool load(struct work *w, struct cli_rows *rows)
{
    struct stile_str table = stile_str_cstr(stile__cli_get(w->args, "table"));

    for (size_t i = 0; i < w->path_count; i++) {
        enum stile_status status =
            stile__cli_rows_file(rows, w->paths[i], table);

        if (status == STILE_NOT_FOUND) {
            stile__cli_say("%s: its name does not say which table it is, or "
                           "no format knows the table; give --table",
                           w->paths[i]);
        }
        if (status == STILE_NOMEM || status == STILE_LIMIT) {
            stile__cli_say("%s: %s; translate fewer files at once", w->paths[i],
                           stile_status_text(status));
            return false;
        }
        if (status != STILE_OK) {
            w->quarantined++;
        }
        stile__cli_progress(&w->progress, "files", i + 1, w->path_count);
    }
    return true;
}

static void export(struct work *w)
{
    struct cli_rows rows;
    struct stile_diags diags;

    stile_diags_init(&diags, w->arena, FINDINGS_SHOWN);
    stile__cli_rows_init(&rows, w->arena, w->plan.schema, w->plan.maps, &diags);
    w->rows = &rows;
    if (keep_within(w) && load(w, &rows)) {
        show(w, &diags);
        enum stile_status status = work_off(w);

        if (status != STILE_OK) {
            stile__cli_say("the rows put aside cannot be read back: %s",
                           stile_status_text(status));
            w->failed = true;
        }
    } else {
        w->failed = true;
    }
    stile__cli_spill_close(&rows);
    w->in = rows.read;
    w->quarantined += rows.bad;
    stile__cli_progress_end(&w->progress);
    if (rows.passed_over > 0) {
        stile__cli_say("%llu files hold tables that no mapping reads",
                       (unsigned long long)rows.passed_over);
    }
    if (rows.nobodys > 0) {
        stile__cli_say("%llu rows say that they are about no patient",
                       (unsigned long long)rows.nobodys);
    }
    if (rows.replaced + rows.deleted > 0) {
        stile__cli_say("of the rows, %llu were replaced by later ones of the "
                       "same key and %llu only say that a record is gone",
                       (unsigned long long)rows.replaced,
                       (unsigned long long)rows.deleted);
    }
    stile__cli_rows_release(&rows);
}

/* ---- files
 * ----------------------------------------------------------------------------
 */

/* Exports in the order of their time, so that a delta comes after its bulk. */
static int by_time(const void *a, const void *b)
{
    struct stile_str x = stile__cli_base(*(const char *const *)a);
    struct stile_str y = stile__cli_base(*(const char *const *)b);
    struct stile_emis_name nx, ny;
    int order = 0;

    if (stile_systmone_name_parse(x, &nx.table)) {
        /* the time is the folder's name */
        return strcmp(*(const char *const *)a, *(const char *const *)b);
    }
    if (stile_emis_name_parse(x, &nx) && stile_emis_name_parse(y, &ny)) {
        order = stile_str_cmp(nx.stamp, ny.stamp);
    }
    return order != 0 ? order : stile_str_cmp(x, y);
}

static bool add_folder(struct work *w, const char *folder, const char **paths)
{
    struct stile_str *names = NULL, error;
    const char *suffix =
        w->from == FORM_VCSE_JSON || w->from == FORM_FHIR ? ".json" : ".csv";
    size_t count = 0;

    if (stile_folder_list(folder, w->arena, &names, &count, &error) !=
        STILE_OK) {
        stile__cli_say("%.*s", STILE_FMT(error));
        return false;
    }
    for (size_t i = 0; i < count && w->path_count < PATHS_MAX; i++) {
        if (stile_str_ends(names[i], stile_str_cstr(suffix))) {
            paths[w->path_count++] =
                stile_path_join(w->arena, folder, names[i]);
        }
    }
    return !stile_arena_failed(w->arena);
}

static bool gather(struct work *w)
{
    const char **paths = stile_arena_array(w->arena, PATHS_MAX, sizeof(*paths));

    for (size_t i = 0; paths && i < w->args->word_count; i++) {
        struct stat about;

        if (stat(w->args->words[i], &about) == 0 && S_ISDIR(about.st_mode)) {
            if (!add_folder(w, w->args->words[i], paths)) {
                return false;
            }
        } else if (w->path_count < PATHS_MAX) {
            paths[w->path_count++] = w->args->words[i];
        }
    }
    if (!paths || w->path_count == 0) {
        stile__cli_say("there is no file of that kind in the folder");
        return false;
    }
    if (is_export(w->from)) {
        qsort(paths, w->path_count, sizeof(*paths), by_time);
    }
    w->paths = paths;
    return true;
}

/* ---- the command
 * -------------------------------------------------------------------------- */

static void prepare(struct work *w)
{
    w->partner = (struct stile_partner){STILE_STR("output"), STILE_STR("OWN"),
                                        STILE_STR("own-system"), true};
    w->route = (struct stile_route){.name = STILE_STR("translate"),
                                    .from = STILE_STR("input"),
                                    .format = format_of(w->to)};
    w->plan = w->box->plan;
    w->plan.gateway = STILE_STR("translate");
    w->plan.ods = w->partner.ods;
    w->plan.kind = STILE_STR_NULL;
    w->plan.partners = &w->partner;
    w->plan.partner_count = 1;
    w->plan.routes = &w->route;
    w->plan.route_count = 1;
    /* A file at hand is trusted with more than a message from afar. */
    w->plan.json.bytes = FILE_BYTES_MAX;
    w->plan.json.values = 50000000;
    w->plan.persons_max = 20000;
}

static void summary(const struct work *w)
{
    if (w->findings > FINDINGS_SHOWN) {
        stile__cli_say("%llu more findings are not shown",
                       (unsigned long long)(w->findings - FINDINGS_SHOWN));
    }
    (void)fprintf(
        stderr,
        "translate: %llu %s in, %llu records out, %llu quarantined, "
        "%llu held\n",
        (unsigned long long)w->in, is_export(w->from) ? "rows" : "messages",
        (unsigned long long)w->written, (unsigned long long)w->quarantined,
        (unsigned long long)w->held);
}

/* A name that is seen is a file that is whole. */
static bool finish_file(struct work *w, const char *part, const char *path)
{
    if (w->out == stdout) {
        return !w->failed;
    }
    if (fclose(w->out) != 0) {
        w->failed = true;
    }
    if (w->failed || (part && rename(part, path) != 0)) {
        if (part) {
            (void)remove(part);
        }
        stile__cli_say("%s could not be written; check its folder and the "
                       "space on the disk",
                       path);
        return false;
    }
    return true;
}

/* A device or pipe (/dev/null, /dev/stdout) is written to; a file renamed over
 * it would take its place. */
static bool is_special(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && !S_ISREG(about.st_mode);
}

static int translate(struct work *w)
{
    const char *path = stile__cli_get(w->args, "out");
    const char *part = NULL;

    w->out = stdout;
    if (path && strcmp(path, "-") != 0 && is_special(path)) {
        w->out = fopen(path, "wb");
    } else if (path && strcmp(path, "-") != 0) {
        part = stile_arena_cstr(w->arena,
                                stile_arena_printf(w->arena, "%s.part", path));
        w->out = part ? fopen(part, "wb") : NULL;
    }
    if (!w->out) {
        stile__cli_say("%s cannot be written; check its folder", path);
        return CLI_FAILED;
    }
    stile__cli_say("translating without rules: nobody has decided that anyone "
                   "may see the result");
    if (is_export(w->from)) {
        export(w);
    } else {
        messages(w);
        stile__cli_progress_end(&w->progress);
    }
    put_end(w);
    if (!finish_file(w, part, path)) {
        return CLI_FAILED;
    }
    summary(w);
    return w->quarantined > 0 ? CLI_FAILED : CLI_OK;
}

/* "1048576", "512M": from 1 byte to 1 TiB. */
static bool size_of(struct stile_str text, uint64_t *ret)
{
    static const char units[] = "KMG";
    int64_t n = 0;
    uint64_t unit = 1;

    for (size_t i = 0; text.len > 1 && i < 3; i++) {
        if (text.ptr[text.len - 1] == units[i]) {
            unit = (uint64_t)1 << (10 * (i + 1));
            text.len--;
            break;
        }
    }
    if (!stile_str_to_int64(text, &n) || n < 1 ||
        (uint64_t)n > ((uint64_t)1 << 40) / unit) {
        return false;
    }
    *ret = (uint64_t)n * unit;
    return true;
}

static int run(const struct cli_args *args)
{
    struct work w = {.args = args};
    const char *folder = stile__cli_get(args, "mappings");
    size_t from, to;
    int result = CLI_FAILED;

    if (!folder || !stile__cli_has(args, "from") ||
        !stile__cli_has(args, "to")) {
        return stile__cli_usage(args, "it needs --mappings, --from and --to");
    }
    w.memory = MEMORY_DEFAULT;
    if (stile__cli_has(args, "memory") &&
        !size_of(stile_str_cstr(stile__cli_get(args, "memory")), &w.memory)) {
        return stile__cli_usage(args, "--memory is a number of bytes, or one "
                                      "with K, M or G");
    }
    from = stile__cli_word(args, "from", from_words,
                           sizeof(from_words) / sizeof(from_words[0]));
    to = stile__cli_word(args, "to", to_words,
                         sizeof(to_words) / sizeof(to_words[0]));
    if (from == SIZE_MAX || to == SIZE_MAX) {
        return CLI_USAGE;
    }
    w.from = (enum form)from;
    w.to = to_forms[to];
    w.arena = stile_arena_new(FILES_BYTES_MAX);
    w.trip = stile_arena_new(TRIP_BYTES_MAX);
    stile_buf_init(&w.buf, FILE_BYTES_MAX);
    if (gather(&w) && stile__cli_plan(folder, NULL, w.arena, &w.box)) {
        prepare(&w);
        result = translate(&w);
    }
    stile_plan_release(&w.box);
    stile_buf_release(&w.buf);
    stile_arena_free(&w.trip);
    stile_arena_free(&w.arena);
    return result;
}

static const struct cli_option options[] = {
    {"mappings", 'm', "FOLDER", "formats, maps, codes and rules"},
    {"from", 'f', "FORM", "emis, systmone, vcse-json, vcse-csv or fhir"},
    {"to", 't', "FORM", "vcse-json, vcse-csv or fhir"},
    {"table", 0, "TABLE", "of an export, when file names do not say it"},
    {"memory", 0, "SIZE", "for an export's rows: 512M, 4G (4G)"},
    {"out", 'o', "FILE", "where the result goes; - is standard output"},
};

const struct cli_command stile__cmd_translate = {
    "translate",
    "FILE_OR_FOLDER...",
    1,
    1000000,
    "translate files from one form to another, without rules",
    "Reads files of one form and writes another, by the mappings alone: no\n"
    "rule is asked, so the result is for the organisation that has the input.\n"
    "An EMIS batch or a SystmOne download may be given as a folder; its rows\n"
    "are put together by person. To fhir writes one Bundle a person and line; "
    "to vcse-json one\n"
    "case or an array of them; to vcse-csv one sheet. FHIR input may be one\n"
    "document or one a line; - reads standard input. What cannot be "
    "translated\n"
    "is counted and said with file, row and rule, and the rest goes on. A row\n"
    "that waits for another which is not in the input counts as held. Rows\n"
    "that only delete what an earlier export had have nothing to delete here;\n"
    "they are counted too.\n"
    "Rows of an export that would take more than --memory are put aside in a\n"
    "temporary database in the folder TMPDIR names (they hold patients' data; "
    "the\n"
    "file has no name and is gone at the end). The result is the same.\n\n"
    "  stile translate -m mappings --from vcse-csv --to fhir cases.csv -o "
    "out.ndjson\n"
    "  stile translate -m mappings --from emis --to fhir export/ -o "
    "out.ndjson\n\n"
    "exit: 0 all translated; 1 something was quarantined or could not be read\n"
    "      or written; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
