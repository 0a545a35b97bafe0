/* See map_shipped_help.h. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#include <dirent.h>
#include <unistd.h>

#include "map_shipped_help.h"

#define MAX_FILES 64
#define ARENA ((size_t)512 << 20)

struct shipped_sources {
    struct stile_source items[MAX_FILES];
    size_t count;
};

/* ---- files ---- */

static struct stile_str slurp(struct stile_arena *arena, const char *path)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f != NULL, "no file %s", path);
    cr_assert_eq(fseek(f, 0, SEEK_END), 0);
    long len = ftell(f);
    cr_assert(len >= 0);
    rewind(f);
    char *text = stile_arena_alloc(arena, (size_t)len + 1);
    cr_assert(text != NULL);
    cr_assert_eq(fread(text, 1, (size_t)len, f), (size_t)len);
    fclose(f);
    return (struct stile_str){text, (size_t)len};
}

static int by_name(const void *a, const void *b)
{
    const struct stile_source *x = a;
    const struct stile_source *y = b;
    return stile_str_cmp(x->name, y->name);
}

static void gather(struct stile_arena *arena, const char *folder,
                   const char *suffix, struct shipped_sources *ret)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", STILE_SOURCE_DIR, folder);
    DIR *dir = opendir(path);
    cr_assert(dir != NULL, "no folder %s", path);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (!stile_str_ends(stile_str_cstr(entry->d_name),
                            stile_str_cstr(suffix))) {
            continue;
        }
        char file[1024];
        (void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        cr_assert_lt(ret->count, MAX_FILES);
        ret->items[ret->count++] = (struct stile_source){
            stile_arena_printf(arena, "%s/%s", folder, entry->d_name),
            slurp(arena, file)};
    }
    closedir(dir);
    qsort(ret->items, ret->count, sizeof ret->items[0], by_name);
}

/* ---- the set ---- */

void shipped_dump(const struct stile_diags *diags)
{
    struct stile_buf text;
    stile_buf_init(&text, 1u << 20);
    stile_diags_print(diags, false, &text);
    fprintf(stderr, "%.*s", STILE_FMT(stile_buf_str(&text)));
    stile_buf_release(&text);
}

struct shipped shipped_load(void)
{
    static struct shipped_sources formats, profiles, maps, codes;
    struct shipped f = {.arena = stile_arena_new(ARENA)};
    cr_assert(f.arena != NULL);
    f.rows.arena = f.arena;
    stile_format_setup();
    stile_diags_init(&f.diags, f.arena, 200);
    f.schema = stile_schema_new(f.arena);
    gather(f.arena, "mappings/formats", ".tables", &formats);
    for (size_t i = 0; i < formats.count; i++) {
        enum stile_status status =
            stile_schema_add(f.schema, &formats.items[i], &f.diags);
        cr_assert_eq(status, STILE_OK);
    }
    gather(f.arena, "mappings/formats", ".profiles", &profiles);
    for (size_t i = 0; i < profiles.count; i++) {
        enum stile_status status =
            stile_schema_add_profiles(f.schema, &profiles.items[i], &f.diags);
        cr_assert_eq(status, STILE_OK);
    }
    gather(f.arena, "mappings/maps/emis", ".map", &maps);
    gather(f.arena, "mappings/maps/systmone", ".map", &maps);
    gather(f.arena, "mappings/maps/vcse", ".map", &maps);
    gather(f.arena, "mappings/codes", ".csv", &codes);
    gather(f.arena, "mappings/codes", ".json", &codes);
    enum stile_status status =
        stile_mapset_compile(f.schema, maps.items, maps.count, codes.items,
                             codes.count, f.arena, &f.diags, &f.set);
    if (status != STILE_OK || f.diags.count > 0) {
        shipped_dump(&f.diags);
    }
    cr_assert_eq(status, STILE_OK);
    cr_assert_eq(f.diags.count, 0);
    return f;
}

void shipped_unload(struct shipped *f)
{
    free(f->rows.items);
    stile_arena_free(&f->arena);
}

/* The newest version of a row wins, as in the gateway's own store. */
enum stile_status shipped_lookup(void *ctx, struct stile_str family,
                                 struct stile_str table,
                                 struct stile_str column, struct stile_str key,
                                 const struct stile_row **ret)
{
    const struct shipped_rows *rows = ctx;
    (void)family;
    for (size_t i = rows->count; i > 0; i--) {
        const struct stile_row *row = rows->items[i - 1];
        if (stile_str_eq(row->table, table) &&
            stile_str_eq(stile_row_get(row, column), key)) {
            *ret = row;
            return STILE_OK;
        }
    }
    return STILE_NOT_FOUND;
}

/* Answers from all rows, whatever has been asked before. */
enum stile_status shipped_ask(void *ctx, const struct stile_map_ask *ask,
                              const struct stile_row *const **ret,
                              size_t *ret_count)
{
    struct shipped_rows *rows = ctx;
    struct stile_map_rows *all = stile_map_rows_new(rows->count, rows->arena);
    for (size_t i = 0; i < rows->count; i++) {
        stile_map_rows_add(all, rows->items[i]);
    }
    return stile_map_rows_ask(all, ask, ret, ret_count);
}

void shipped_keep_row(struct shipped *f, const struct stile_row *row)
{
    if (f->rows.count % 1024 == 0) {
        f->rows.items = realloc(f->rows.items, (f->rows.count + 1024) *
                                                   sizeof f->rows.items[0]);
        cr_assert(f->rows.items != NULL);
    }
    f->rows.items[f->rows.count++] = row;
}

static void check_fhir(struct shipped *f, const struct stile_value *resource,
                       const struct stile_row *row)
{
    size_t before = f->diags.count;
    stile_fhir_check(resource, row->table, &f->diags);
    if (f->diags.count > before) {
        struct stile_buf json;
        stile_buf_init(&json, 1u << 20);
        stile_value_json(resource, 2, &json);
        shipped_dump(&f->diags);
        cr_assert(false, "%.*s row %llu is not R4: %.*s", STILE_FMT(row->table),
                  (unsigned long long)row->number,
                  STILE_FMT(stile_buf_str(&json)));
    }
}

struct shipped_tally shipped_run(struct shipped *f, const char *family,
                                 size_t from, const char *table)
{
    struct stile_map_env env = {
        .ctx = &f->rows, .lookup = shipped_lookup, .rows = shipped_ask};
    struct shipped_tally tally = {0};
    for (size_t i = from; i < f->rows.count; i++) {
        const struct stile_row *row = f->rows.items[i];
        if (table != NULL && !stile_str_eqc(row->table, table)) {
            continue;
        }
        struct stile_map_result *results = NULL;
        size_t count = 0;
        struct stile_diags found;
        stile_diags_init(&found, f->arena, 20);
        cr_assert_eq(stile_map_right(f->set, row, stile_str_cstr(family), &env,
                                     f->arena, &found, &results, &count),
                     STILE_OK);
        for (size_t r = 0; r < count; r++) {
            switch (results[r].kind) {
            case STILE_MAP_DONE:
                check_fhir(f, results[r].resource, row);
                tally.done++;
                break;
            case STILE_MAP_DELETED:
                cr_assert(results[r].id.len > 0);
                tally.deleted++;
                break;
            case STILE_MAP_HELD:
                cr_assert(results[r].missing.len > 0);
                tally.held++;
                break;
            default:
                cr_assert(found.count > 0);
                tally.failed++;
                break;
            }
        }
    }
    return tally;
}

static void read_table(struct shipped *f, const char *family, const char *path,
                       struct stile_str name, struct stile_str table_name)
{
    struct stile_csv_dialect dialect =
        stile_csv_dialect_of(f->schema, stile_str_cstr(family), STILE_STR_NULL);
    struct stile_csv *csv = stile_csv_new(&dialect, STILE_CSV_LIMITS, name);
    cr_assert(csv != NULL);
    cr_assert_eq(stile_csv_feed(csv, slurp(f->arena, path), true), STILE_OK);
    const struct stile_str *cells;
    size_t count;
    uint64_t number;
    cr_assert_eq(stile_csv_pull(csv, &f->diags, &cells, &count, &number),
                 STILE_OK);
    const struct stile_table *table = NULL;
    uint32_t *ordinals = NULL;
    cr_assert_eq(stile_schema_bind(f->schema, stile_str_cstr(family),
                                   table_name, cells, count, f->arena, name,
                                   &f->diags, &table, &ordinals),
                 STILE_OK);
    while (stile_csv_pull(csv, &f->diags, &cells, &count, &number) ==
           STILE_OK) {
        struct stile_str *copy =
            stile_arena_array(f->arena, table->count, sizeof(struct stile_str));
        struct stile_row *row = stile_arena_alloc(f->arena, sizeof *row);
        cr_assert(copy != NULL && row != NULL);
        for (size_t i = 0; i < count; i++) {
            cr_assert_neq(ordinals[i], UINT32_MAX);
            copy[ordinals[i]] = stile_arena_str(f->arena, cells[i]);
        }
        *row = (struct stile_row){.table = table->name,
                                  .columns = table->column_names,
                                  .cells = copy,
                                  .count = table->count,
                                  .number = number,
                                  .file = name};
        shipped_keep_row(f, row);
    }
    stile_csv_free(&csv);
}

void shipped_read_practice(struct shipped *f, enum stile_synth_kind kind)
{
    char folder[] = "/tmp/stile-shipped-XXXXXX";
    cr_assert(mkdtemp(folder) != NULL);
    struct stile_synth_options options;
    stile_synth_defaults(&options);
    options.folder = folder;
    options.kind = kind;
    const char *why = "";
    cr_assert_eq(stile_synth_write(&options, NULL, &why), STILE_OK, "%s", why);
    DIR *dir = opendir(folder);
    cr_assert(dir != NULL);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct stile_emis_name name;
        struct stile_str file =
            stile_arena_str(f->arena, stile_str_cstr(entry->d_name));
        if (!stile_emis_name_parse(file, &name)) {
            continue;
        }
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        read_table(f, "emis", path, file, name.table);
        (void)unlink(path);
    }
    closedir(dir);
    (void)rmdir(folder);
}

void shipped_read_download(struct shipped *f, bool normalised)
{
    char folder[] = "/tmp/stile-shipped-XXXXXX";
    cr_assert(mkdtemp(folder) != NULL);
    struct stile_synth_options options;
    stile_synth_systmone_defaults(&options);
    options.folder = folder;
    options.normalised = normalised;
    const char *why = "";
    cr_assert_eq(stile_synth_systmone_write(&options, NULL, &why), STILE_OK,
                 "%s", why);
    char download[64];
    (void)snprintf(download, sizeof download, "%s/20260401_0400", folder);
    DIR *dir = opendir(download);
    cr_assert(dir != NULL);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char path[512];
        struct stile_str table;
        struct stile_str file =
            stile_arena_str(f->arena, stile_str_cstr(entry->d_name));
        (void)snprintf(path, sizeof path, "%s/%s", download, entry->d_name);
        if (stile_systmone_name_parse(file, &table)) {
            read_table(f, "systmone", path, file, table);
            (void)unlink(path);
        }
    }
    closedir(dir);
    (void)rmdir(download);
    (void)rmdir(folder);
}

size_t shipped_count_rows(const struct shipped *f, const char *table)
{
    size_t n = 0;
    for (size_t i = 0; i < f->rows.count; i++) {
        n += stile_str_eqc(f->rows.items[i]->table, table) ? 1 : 0;
    }
    return n;
}

struct stile_decoded shipped_decode(struct shipped *f, const char *format,
                                    const char *sample)
{
    const struct stile_format *seam = stile_format_find(stile_str_cstr(format));
    cr_assert(seam != NULL);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/samples/%s", STILE_SOURCE_DIR,
                   sample);
    struct stile_format_input input = {.bytes = slurp(f->arena, path),
                                       .name = stile_str_cstr(sample),
                                       .schema = f->schema,
                                       .json = STILE_JSON_LIMITS,
                                       .csv = STILE_CSV_LIMITS};
    struct stile_decoded decoded = {0};
    enum stile_status status =
        seam->decode(&input, f->arena, &f->diags, &decoded);
    if (status != STILE_OK) {
        shipped_dump(&f->diags);
    }
    cr_assert_eq(status, STILE_OK);
    return decoded;
}

struct stile_value **shipped_to_fhir(struct shipped *f, size_t *ret_count)
{
    struct stile_map_env env = {
        .ctx = &f->rows, .lookup = shipped_lookup, .rows = shipped_ask};
    struct stile_value **all =
        stile_arena_array(f->arena, 4 * f->rows.count + 1, sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < f->rows.count; i++) {
        struct stile_map_result *results = NULL;
        size_t count = 0;
        cr_assert_eq(stile_map_right(f->set, f->rows.items[i],
                                     STILE_STR("vcse-case"), &env, f->arena,
                                     &f->diags, &results, &count),
                     STILE_OK);
        for (size_t r = 0; r < count; r++) {
            if (results[r].kind != STILE_MAP_DONE) {
                shipped_dump(&f->diags);
            }
            cr_assert_eq(results[r].kind, STILE_MAP_DONE, "%.*s",
                         STILE_FMT(f->rows.items[i]->table));
            check_fhir(f, results[r].resource, f->rows.items[i]);
            cr_assert_lt(n, 4 * f->rows.count);
            all[n++] = results[r].resource;
        }
    }
    *ret_count = n;
    return all;
}

/* Every filled cell of `a` stands in a row of `rows` of the same table, and
 * that row has no other cell filled. */
static bool same_cells(const struct stile_row *a, const struct stile_row *b)
{
    if (!stile_str_eq(a->table, b->table)) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!stile_str_eq(a->cells[i], stile_row_get(b, a->columns[i]))) {
            return false;
        }
    }
    for (size_t i = 0; i < b->count; i++) {
        if (!stile_str_eq(b->cells[i], stile_row_get(a, b->columns[i]))) {
            return false;
        }
    }
    return true;
}

static void print_row(const struct stile_row *row)
{
    fprintf(stderr, "%.*s:", STILE_FMT(row->table));
    for (size_t i = 0; i < row->count; i++) {
        if (row->cells[i].len > 0) {
            fprintf(stderr, " %.*s=%.*s", STILE_FMT(row->columns[i]),
                    STILE_FMT(row->cells[i]));
        }
    }
    fprintf(stderr, "\n");
}

const struct stile_row *shipped_find_row(const struct stile_row *rows,
                                         size_t count, const char *table,
                                         size_t nth)
{
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eqc(rows[i].table, table) && nth-- == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

void shipped_each_leads_back(const struct stile_row *given, size_t given_count,
                             const struct stile_row *back, size_t back_count)
{
    for (size_t i = 0; i < given_count; i++) {
        bool found = false;
        for (size_t b = 0; !found && b < back_count; b++) {
            found = same_cells(&given[i], &back[b]);
        }
        if (!found) {
            print_row(&given[i]);
            fprintf(stderr, "came back as none of\n");
            for (size_t b = 0; b < back_count; b++) {
                if (stile_str_eq(back[b].table, given[i].table)) {
                    print_row(&back[b]);
                }
            }
        }
        cr_assert(found, "a row of %.*s was lost or changed",
                  STILE_FMT(given[i].table));
    }
}

void shipped_golden(struct shipped *f, const char *name,
                    struct stile_value *const *resources, size_t count)
{
    struct stile_buf json;
    stile_buf_init(&json, 1u << 22);
    for (size_t i = 0; i < count; i++) {
        stile_value_json(resources[i], 2, &json);
        stile_buf_byte(&json, '\n');
    }
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/golden/maps/%s",
                   STILE_SOURCE_DIR, name);
    if (getenv("STILE_GOLDEN_WRITE") != NULL) {
        /* To be read in `git diff` before it is believed. */
        FILE *file = fopen(path, "wb");
        cr_assert(file != NULL &&
                  fwrite(json.ptr, 1, json.len, file) == json.len);
        cr_assert_eq(fclose(file), 0);
        stile_buf_release(&json);
        return;
    }
    struct stile_str wanted = slurp(f->arena, path);
    struct stile_str made = stile_buf_str(&json);
    struct stile_str want, have;
    size_t line = 0;
    while (stile_str_next(&made, '\n', &have)) {
        line++;
        bool more = stile_str_next(&wanted, '\n', &want);
        cr_assert(more && stile_str_eq(have, want), "%s:%zu is now: %.*s", name,
                  line, STILE_FMT(have));
    }
    cr_assert_eq(wanted.len, 0, "%s has more than is made now", name);
    stile_buf_release(&json);
}

/* Written as the JSON form and read again: the rows of level 2, by themselves
 * (the sheet's rows are the other form's). */
struct stile_decoded shipped_through_json(struct shipped *f,
                                          const struct stile_row *rows,
                                          size_t count)
{
    struct stile_row *kept = stile_arena_array(f->arena, count, sizeof *kept);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!stile_str_eqc(rows[i].table, "cases")) {
            kept[n++] = rows[i];
        }
    }
    const struct stile_format *seam = stile_format_find(STILE_STR("vcse-json"));
    struct stile_decoded decoded = {.rows = kept, .row_count = n};
    struct stile_buf out;
    stile_buf_init(&out, 1u << 22);
    enum stile_status status =
        seam->encode(&decoded, f->schema, STILE_STR("2026-04-20T16:00:00Z"),
                     &out, &f->diags);
    if (status != STILE_OK) {
        shipped_dump(&f->diags);
    }
    cr_assert_eq(status, STILE_OK);
    struct stile_format_input input = {
        .bytes = stile_arena_str(f->arena, stile_buf_str(&out)),
        .name = STILE_STR("again"),
        .schema = f->schema,
        .json = STILE_JSON_LIMITS,
        .csv = STILE_CSV_LIMITS};
    stile_buf_release(&out);
    struct stile_decoded again = {0};
    cr_assert_eq(seam->decode(&input, f->arena, &f->diags, &again), STILE_OK);
    cr_assert_eq(again.bad_rows, 0);
    return again;
}
