/*
 * map right, map left: one file through the mappings, row by row or resource
 * by resource, in memory that does not grow with the file. Nothing is put
 * together by person and nobody's rules are asked: for looking at a mapping,
 * for tests, and for much data at once.
 */
#include "cli_rows.h"

#define PIECE ((size_t)1 << 18)
#define FLUSH ((size_t)1 << 20)
#define LINE_MAX ((size_t)16 << 20)
#define FINDINGS 200

struct stream {
    const struct cli_args *args;
    const char *path;
    struct stile_plan_box *box;
    struct stile_arena *arena; /* of the whole run */
    struct stile_arena *row;   /* rewound for each */
    struct stile_diags diags;
    const struct stile_table *table;
    FILE *in, *out;
    struct stile_buf made;
    uint64_t read, written, held, deleted, failed, others, untaken;
    bool broken; /* the output, or memory */
};

static void flush(struct stream *s, size_t above)
{
    if (s->made.len > above && !s->broken) {
        s->broken = !stile__cli_write(s->out, &s->made);
    }
}

static void status_failed(struct stream *s, enum stile_status status)
{
    stile__cli_say("%s: record %llu: %s", s->path, (unsigned long long)s->read,
                   stile_status_text(status));
    s->broken = true;
}

/* ---- rows to FHIR ---- */

struct right {
    struct stream s;
    struct stile_csv *csv;
    struct cli_rows rows; /* for look-ups */
    struct stile_map_env env;
    uint32_t *ordinals;
    struct stile_str *cells;
};

static bool bind(struct right *r, const struct stile_str *cells, size_t count)
{
    struct stream *s = &r->s;
    enum stile_status status = stile_schema_bind(
        s->box->plan.schema, s->table->family, s->table->name, cells, count,
        s->arena, stile__cli_base(s->path), &s->diags, &s->table, &r->ordinals);

    if (status == STILE_OK) {
        r->cells =
            stile_arena_array(s->arena, s->table->count, sizeof(*r->cells));
    }
    s->broken = r->cells == NULL;
    return !s->broken;
}

static void count_results(struct stream *s,
                          const struct stile_map_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        s->written += results[i].kind == STILE_MAP_DONE;
        s->deleted += results[i].kind == STILE_MAP_DELETED;
        s->held += results[i].kind == STILE_MAP_HELD ||
                   results[i].kind == STILE_MAP_NEED;
        s->failed += results[i].kind == STILE_MAP_FAILED;
    }
}

static void right_row(struct right *r, const struct stile_str *cells,
                      size_t count, uint64_t number)
{
    struct stream *s = &r->s;
    struct stile_map_result *results = NULL;
    size_t made = 0;
    struct stile_row row = {.number = number};

    if (!r->ordinals) {
        (void)bind(r, cells, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (r->ordinals[i] != UINT32_MAX) {
            r->cells[r->ordinals[i]] = cells[i];
        }
    }
    row.table = s->table->name;
    row.columns = s->table->column_names;
    row.cells = r->cells;
    row.count = s->table->count;
    row.file = stile__cli_base(s->path);
    s->read++;
    enum stile_status status =
        stile_map_render(s->box->plan.maps, &row, s->table->family, &r->env,
                         s->row, &s->diags, &s->made, &results, &made);
    if (status != STILE_OK) {
        status_failed(s, status);
    }
    s->untaken += status == STILE_OK && made == 0;
    count_results(s, results, made);
    stile_arena_reset(s->row);
    flush(s, FLUSH);
}

static bool feed(struct right *r, char *piece)
{
    struct stream *s = &r->s;
    size_t n = fread(piece, 1, PIECE, s->in);
    bool last = n < PIECE;

    if (ferror(s->in)) {
        stile__cli_say("%s cannot be read", s->path);
        s->broken = true;
        return false;
    }
    enum stile_status status =
        stile_csv_feed(r->csv, (struct stile_str){piece, n}, last);
    if (status != STILE_OK) {
        status_failed(s, status);
    }
    return last;
}

static void right_all(struct right *r)
{
    struct stream *s = &r->s;
    char *piece = stile_arena_alloc(s->arena, PIECE);
    bool last = false;

    while (piece && !s->broken) {
        const struct stile_str *cells = NULL;
        size_t count = 0;
        uint64_t number = 0;
        enum stile_status status =
            stile_csv_pull(r->csv, &s->diags, &cells, &count, &number);

        if (status == STILE_OK) {
            right_row(r, cells, count, number);
        } else if (status == STILE_INVALID) {
            s->read++;
            s->failed++;
        } else if (status != STILE_END) {
            status_failed(s, status);
        } else if (last) {
            break;
        } else {
            last = feed(r, piece);
        }
    }
    if (!r->ordinals && !s->broken) {
        (void)stile_diag_at_record(&s->diags, "V120", STILE_ERROR,
                                   stile__cli_base(s->path), 0, STILE_STR_NULL,
                                   "send a file with a header row");
        s->broken = true;
    }
    flush(s, 0);
}

/* ---- FHIR to rows ---- */

struct left {
    struct stream s;
    struct stile_tape tape;
    struct stile_str family;
    uint64_t line;
    uint64_t alone; /* documents that are one resource, and gave a row */
};

/* The resources of a Bundle's entries, or the text's own. */
static const uint32_t *resources_of(struct left *l, size_t *ret_count)
{
    const struct stile_tape *t = &l->tape;
    struct stile_arena *arena = l->s.row;
    uint32_t type = stile_tape_get(t, 0, STILE_STR("resourceType"), arena);
    uint32_t list = stile_tape_get(t, 0, STILE_STR("entry"), arena);
    uint32_t *items =
        stile_arena_array(arena, t->count / 2 + 1, sizeof(*items));
    bool bundle = type != STILE_TAPE_NONE &&
                  stile_str_eqc(stile_tape_text(t, type, arena), "Bundle");
    size_t n = 0;

    if (items && !bundle) {
        items[n++] = 0;
    }
    for (uint32_t i = list + 1;
         items && bundle && list != STILE_TAPE_NONE &&
         t->items[list].kind == STILE_ARRAY && i < t->items[list].end;
         i = t->items[i].end) {
        uint32_t at = stile_tape_get(t, i, STILE_STR("resource"), arena);
        if (at != STILE_TAPE_NONE) {
            items[n++] = at;
        }
    }
    *ret_count = n;
    return items;
}

static void write_rows(struct stream *s, const struct stile_row *rows,
                       size_t count)
{
    struct stile_csv_dialect dialect = stile_csv_dialect_of(
        s->box->plan.schema, s->table->family, s->table->version);

    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(rows[i].table, s->table->name)) {
            stile_csv_write_row(&s->made, &dialect, rows[i].cells,
                                rows[i].count);
            s->written++;
        } else {
            s->others++;
        }
    }
    flush(s, FLUSH);
}

/* What was found in one document, where it stands in the file. */
static void place_findings(struct left *l, const struct stile_diags *found)
{
    struct stile_diags *all = &l->s.diags;

    for (size_t i = 0; i < found->count; i++) {
        const struct stile_diag *from = &found->items[i];
        struct stile_diag *to = stile_diag_at_record(
            all, from->code, from->severity, stile__cli_base(l->s.path),
            l->line, from->path, "");

        if (to) {
            to->message = stile_arena_str(all->arena, from->message);
            to->hint = stile_arena_str(all->arena, from->hint);
            to->column = from->column;
            to->row = false;
        }
    }
    all->suppressed += found->suppressed;
}

static void left_line(struct left *l, struct stile_str line)
{
    struct stream *s = &l->s;
    const struct stile_json_limits limits = STILE_JSON_LIMITS;
    struct stile_diags found;
    struct stile_row *rows = NULL;
    const uint32_t *items = NULL;
    size_t count = 0, n = 0;

    stile_diags_init(&found, s->row, FINDINGS);
    enum stile_status status = stile_json_tape(
        line, limits, stile__cli_base(s->path), s->row, &found, &l->tape);

    s->read++;
    if (status == STILE_OK) {
        items = resources_of(l, &n);
        status =
            items ? stile_map_left_tape(s->box->plan.maps, l->family, &l->tape,
                                        items, n, s->row, &found, &rows, &count)
                  : STILE_NOMEM;
    }
    if (status == STILE_NOMEM) {
        status_failed(s, status);
    }
    s->failed += status != STILE_OK || found.errors > 0;
    l->alone += n == 1 && items[0] == 0 && count > 0;
    place_findings(l, &found);
    write_rows(s, rows, count);
    stile_arena_reset(s->row);
}

/* Whole lines of what was read; the rest stays. */
static void left_lines(struct left *l, struct stile_buf *buf, bool last)
{
    struct stile_str rest = stile_buf_str(buf);
    size_t used = 0;

    while (!l->s.broken && used < rest.len) {
        struct stile_str from = stile_str_sub(rest, used, rest.len - used);
        size_t end = stile_str_find(from, '\n');
        if (end == SIZE_MAX && !last) {
            break;
        }
        struct stile_str line = stile_str_sub(from, 0, end);
        used += end == SIZE_MAX ? from.len : end + 1;
        l->line++;
        line = stile_str_trim(line);
        if (line.len > 0) {
            left_line(l, line);
        }
    }
    stile_buf_consume(buf, used);
}

static void left_all(struct left *l)
{
    struct stream *s = &l->s;
    struct stile_csv_dialect dialect = stile_csv_dialect_of(
        s->box->plan.schema, s->table->family, s->table->version);
    struct stile_buf buf;
    bool last = false;

    stile_csv_write_row(&s->made, &dialect, s->table->column_names,
                        s->table->count);
    stile_buf_init(&buf, LINE_MAX);
    while (!last && !s->broken) {
        char *room = stile_buf_room(&buf, PIECE);
        size_t n = room ? fread(room, 1, PIECE, s->in) : 0;

        if (!room || ferror(s->in)) {
            stile__cli_say(room ? "%s cannot be read"
                                : "%s: a line is too long; give one document "
                                  "a line (jq -c .)",
                           s->path);
            s->broken = true;
            break;
        }
        buf.len += n;
        last = n < PIECE;
        left_lines(l, &buf, last);
    }
    stile_buf_release(&buf);
    flush(s, 0);
}

/* ---- the commands ---- */

static const struct stile_table *table_named(const struct stream *s,
                                             struct stile_str name)
{
    const struct stile_schema *schema = s->box->plan.schema;

    for (size_t i = 0; i < stile_schema_count(schema); i++) {
        const struct stile_table *t = stile_schema_at(schema, i);
        if (stile_str_eq_nocase(t->name, name)) {
            return stile_schema_table(schema, t->family, STILE_STR_NULL,
                                      t->name);
        }
    }
    return NULL;
}

static struct stile_str table_of(const struct stream *s)
{
    struct stile_str name = stile_str_cstr(stile__cli_get(s->args, "table"));
    struct stile_emis_name parts;

    if (name.len == 0 &&
        stile_emis_name_parse(stile__cli_base(s->path), &parts)) {
        name = parts.table;
    }
    return name;
}

static int open_stream(struct stream *s, const struct cli_args *args)
{
    const char *folder = stile__cli_get(args, "mappings");
    const char *out = stile__cli_get(args, "out");

    s->args = args;
    s->path = args->words[0];
    if (!folder) {
        return stile__cli_usage(args, "it needs --mappings FOLDER");
    }
    s->arena = stile_arena_new((size_t)8 << 30);
    s->row = stile_arena_new((size_t)256 << 20);
    stile_buf_init(&s->made, (size_t)64 << 20);
    stile_diags_init(&s->diags, s->arena, FINDINGS);
    if (!stile__cli_plan(folder, NULL, s->arena, &s->box)) {
        return CLI_FAILED;
    }
    s->table = table_named(s, table_of(s));
    if (!s->table) {
        stile__cli_say("no format knows the table; give its name with --table");
        return CLI_USAGE;
    }
    s->in = fopen(s->path, "rb");
    if (!s->in) {
        stile__cli_say("%s cannot be read", s->path);
        return CLI_FAILED;
    }
    s->out = out && strcmp(out, "-") != 0 ? fopen(out, "wb") : stdout;
    if (!s->out) {
        stile__cli_say("%s cannot be written; check its folder", out);
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int close_stream(struct stream *s, int result)
{
    if (s->in) {
        (void)fclose(s->in);
    }
    if (s->out && s->out != stdout && fclose(s->out) != 0) {
        stile__cli_say("the output could not be written whole");
        s->broken = true;
    }
    if (s->arena) {
        (void)!stile__cli_diags(stderr, &s->diags);
    }
    if (result == CLI_OK) {
        (void)fprintf(
            stderr,
            "map: %llu read, %llu written, %llu wait for rows that "
            "are not there, %llu deletions, %llu of other tables, "
            "%llu not taken, %llu failed\n",
            (unsigned long long)s->read, (unsigned long long)s->written,
            (unsigned long long)s->held, (unsigned long long)s->deleted,
            (unsigned long long)s->others, (unsigned long long)s->untaken,
            (unsigned long long)s->failed);
        result = s->broken || s->failed > 0 ? CLI_FAILED : CLI_OK;
    }
    stile_plan_release(&s->box);
    stile_buf_release(&s->made);
    stile_arena_free(&s->row);
    stile_arena_free(&s->arena);
    return result;
}

static bool load_others(struct right *r)
{
    struct stream *s = &r->s;

    for (size_t i = 1; i < s->args->word_count; i++) {
        enum stile_status status =
            stile__cli_rows_file(&r->rows, s->args->words[i], STILE_STR_NULL);
        if (status != STILE_OK) {
            stile__cli_say("%s: %s", s->args->words[i],
                           stile_status_text(status));
            return false;
        }
    }
    return true;
}

static int map_right(const struct cli_args *args)
{
    struct right r = {0};
    struct stream *s = &r.s;
    int result = open_stream(s, args);

    if (result == CLI_OK) {
        struct stile_csv_dialect dialect = stile_csv_dialect_of(
            s->box->plan.schema, s->table->family, s->table->version);
        stile__cli_rows_init(&r.rows, s->arena, s->box->plan.schema,
                             s->box->plan.maps, &s->diags);
        r.env = (struct stile_map_env){.ctx = &r.rows,
                                       .lookup = stile__cli_rows_lookup};
        r.csv =
            stile_csv_new(&dialect, STILE_CSV_LIMITS, stile__cli_base(s->path));
        if (!r.csv || !load_others(&r)) {
            result = CLI_FAILED;
        } else {
            right_all(&r);
        }
        stile_csv_free(&r.csv);
        stile__cli_rows_release(&r.rows);
    }
    return close_stream(s, result);
}

static size_t makers_of(const struct stile_mapset *set,
                        const struct stile_table *table)
{
    size_t n = 0;

    for (size_t i = 0; i < stile_mapset_count(set); i++) {
        const struct stile_mapping *m = stile_mapset_at(set, i);

        n += stile_mapping_goes_left(m) &&
             stile_str_eq(stile_mapping_family(m), table->family) &&
             stile_str_eq(stile_mapping_table(m), table->name);
    }
    return n;
}

static int map_left(const struct cli_args *args)
{
    struct left l = {0};
    int result = open_stream(&l.s, args);

    if (result == CLI_OK) {
        l.family = l.s.table->family;
        left_all(&l);
        size_t makers = makers_of(l.s.box->plan.maps, l.s.table);
        if (makers > 1 && l.alone > 0) {
            stile__cli_say(
                "%zu mappings write rows of %.*s, and resources are put "
                "together within a line only: where several make one row, "
                "give them as one Bundle a line, or a row comes in parts",
                makers, STILE_FMT(l.s.table->name));
        }
    }
    stile_tape_release(&l.tape);
    return close_stream(&l.s, result);
}

static const struct cli_option options[] = {
    {"mappings", 'm', "FOLDER", "formats, maps, codes and rules"},
    {"table", 't', "TABLE", "the table of the rows"},
    {"out", 'o', "FILE", "where the result goes; - is standard output"},
};

const struct cli_command stile__cmd_map_right = {
    "map right",
    "FILE [OTHER_FILE...]",
    1,
    1000,
    "one table's rows to FHIR, a resource a line",
    "Reads one CSV file of a table and writes what its mappings make of each\n"
    "row, one FHIR resource a line. Rows that others point at are looked up "
    "in\n"
    "the other files. The file is not held in memory, and no rule is asked.\n"
    "Keys are not compared between rows: two rows with one key are two\n"
    "resources. Rows that no mapping takes are counted.\n"
    "Mappings that put several rows together need translate.\n\n"
    "  stile map right -m mappings observations.csv codes.csv -o out.ndjson\n\n"
    "exit: 0 all written; 1 a row failed, or a file cannot be read or "
    "written;\n"
    "      2 wrong command line",
    CLI_OPTIONS(options),
    map_right};

const struct cli_command stile__cmd_map_left = {
    "map left",
    "FILE",
    1,
    1,
    "FHIR, a document a line, to one table's rows",
    "Reads FHIR JSON, one resource or Bundle a line, and writes the rows of\n"
    "one table that the mappings of its family make of it. Rows of other\n"
    "tables are counted. The file is not held in memory, and no rule is "
    "asked.\n"
    "Resources that several mappings make one row of must stand in one "
    "Bundle\n"
    "on one line: rows are not put together over lines.\n\n"
    "  stile map left -m mappings -t CareRecord_Observation in.ndjson\n\n"
    "exit: 0 all written; 1 a document failed, or a file cannot be read or\n"
    "      written; 2 wrong command line",
    CLI_OPTIONS(options),
    map_left};
