/*
 * The shipped mappings: they compile without a finding, their examples hold
 * (the compiler runs them), and what they make of a whole synthetic practice
 * and of the sample messages is valid FHIR R4 that leads back.
 */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#include <dirent.h>
#include <unistd.h>

#include "stile/format.h"
#include "stile/map.h"
#include "synth.h"

#define MAX_FILES 64
#define ARENA ((size_t)512 << 20)

struct sources {
    struct stile_source items[MAX_FILES];
    size_t count;
};

struct rows {
    const struct stile_row **items;
    size_t count;
};

struct fixture {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_schema *schema;
    struct stile_mapset *set;
    struct rows rows;
};

/* ---- files ----------------------------------------------------------------
 */

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
                   const char *suffix, struct sources *ret)
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

/* ---- the set ---------------------------------------------------------------
 */

static void dump(const struct stile_diags *diags)
{
    struct stile_buf text;
    stile_buf_init(&text, 1u << 20);
    stile_diags_print(diags, false, &text);
    fprintf(stderr, "%.*s", STILE_FMT(stile_buf_str(&text)));
    stile_buf_release(&text);
}

static struct fixture load(void)
{
    static struct sources formats, maps, codes;
    struct fixture f = {.arena = stile_arena_new(ARENA)};
    cr_assert(f.arena != NULL);
    stile_format_setup();
    stile_diags_init(&f.diags, f.arena, 200);
    f.schema = stile_schema_new(f.arena);
    gather(f.arena, "mappings/formats", ".tables", &formats);
    for (size_t i = 0; i < formats.count; i++) {
        enum stile_status status =
            stile_schema_add(f.schema, &formats.items[i], &f.diags);
        cr_assert_eq(status, STILE_OK);
    }
    gather(f.arena, "mappings/maps/emis", ".map", &maps);
    gather(f.arena, "mappings/maps/vcse", ".map", &maps);
    gather(f.arena, "mappings/codes", ".csv", &codes);
    enum stile_status status =
        stile_mapset_compile(f.schema, maps.items, maps.count, codes.items,
                             codes.count, f.arena, &f.diags, &f.set);
    if (status != STILE_OK || f.diags.count > 0) {
        dump(&f.diags);
    }
    cr_assert_eq(status, STILE_OK);
    cr_assert_eq(f.diags.count, 0);
    return f;
}

static void unload(struct fixture *f)
{
    free(f->rows.items);
    stile_arena_free(&f->arena);
}

/* The newest version of a row wins, as in the gateway's own store. */
static enum stile_status lookup(void *ctx, struct stile_str family,
                                struct stile_str table, struct stile_str column,
                                struct stile_str key,
                                const struct stile_row **ret)
{
    const struct rows *rows = ctx;
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

static void keep_row(struct fixture *f, const struct stile_row *row)
{
    if (f->rows.count % 1024 == 0) {
        f->rows.items = realloc(f->rows.items, (f->rows.count + 1024) *
                                                   sizeof f->rows.items[0]);
        cr_assert(f->rows.items != NULL);
    }
    f->rows.items[f->rows.count++] = row;
}

static void check_fhir(struct fixture *f, const struct stile_value *resource,
                       const struct stile_row *row)
{
    size_t before = f->diags.count;
    stile_fhir_check(resource, row->table, &f->diags);
    if (f->diags.count > before) {
        struct stile_buf json;
        stile_buf_init(&json, 1u << 20);
        stile_value_json(resource, 2, &json);
        dump(&f->diags);
        cr_assert(false, "%.*s row %llu is not R4: %.*s", STILE_FMT(row->table),
                  (unsigned long long)row->number,
                  STILE_FMT(stile_buf_str(&json)));
    }
}

struct tally {
    size_t done, deleted, held, failed;
};

static struct tally run(struct fixture *f, const char *family, size_t from,
                        const char *table)
{
    struct stile_map_env env = {.ctx = &f->rows, .lookup = lookup};
    struct tally tally = {0};
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

Test(map_shipped, compiles_without_a_finding)
{
    struct fixture f = load();
    static const char *const both_ways[] = {
        "vcse-person",  "vcse-organisation", "vcse-case",      "vcse-contact",
        "vcse-plan",    "vcse-need",         "vcse-goal",      "vcse-action",
        "vcse-outcome", "vcse-consent",      "vcse-sheet-case"};
    size_t seen = 0;
    for (size_t i = 0; i < stile_mapset_count(f.set); i++) {
        const struct stile_mapping *m = stile_mapset_at(f.set, i);
        for (size_t n = 0; n < sizeof both_ways / sizeof both_ways[0]; n++) {
            if (stile_str_eqc(stile_mapping_name(m), both_ways[n])) {
                cr_assert(stile_mapping_goes_left(m), "%s", both_ways[n]);
                seen++;
            }
        }
    }
    cr_assert_eq(seen, sizeof both_ways / sizeof both_ways[0]);
    unload(&f);
}

static void golden(struct fixture *f, const char *name,
                   struct stile_value *const *resources, size_t count);

/* ---- a practice -------------------------------------------------------------
 */

static void read_table(struct fixture *f, const char *path,
                       struct stile_str name, struct stile_str table_name)
{
    struct stile_csv *csv =
        stile_csv_new(&stile_csv_emis, STILE_CSV_LIMITS, name);
    cr_assert(csv != NULL);
    cr_assert_eq(stile_csv_feed(csv, slurp(f->arena, path), true), STILE_OK);
    const struct stile_str *cells;
    size_t count;
    uint64_t number;
    cr_assert_eq(stile_csv_pull(csv, &f->diags, &cells, &count, &number),
                 STILE_OK);
    const struct stile_table *table = NULL;
    uint32_t *ordinals = NULL;
    cr_assert_eq(stile_schema_bind(f->schema, STILE_STR("emis"), table_name,
                                   cells, count, f->arena, name, &f->diags,
                                   &table, &ordinals),
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
        keep_row(f, row);
    }
    stile_csv_free(&csv);
}

static void read_practice(struct fixture *f, enum stile_synth_kind kind)
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
        read_table(f, path, file, name.table);
        (void)unlink(path);
    }
    closedir(dir);
    (void)rmdir(folder);
}

static size_t count_rows(const struct fixture *f, const char *table)
{
    size_t n = 0;
    for (size_t i = 0; i < f->rows.count; i++) {
        n += stile_str_eqc(f->rows.items[i]->table, table) ? 1 : 0;
    }
    return n;
}

/* The first row of each table, both mappings of the staff. */
Test(map_shipped, first_rows_of_a_practice_are_as_they_were)
{
    static const char *const tables[] = {"Admin_Organisation",
                                         "Admin_UserInRole",
                                         "Admin_Patient",
                                         "CareRecord_Consultation",
                                         "CareRecord_Observation",
                                         "CareRecord_Problem",
                                         "CareRecord_ObservationReferral",
                                         "Prescribing_DrugRecord"};
    struct fixture f = load();
    read_practice(&f, STILE_SYNTH_BULK);
    struct stile_map_env env = {.ctx = &f.rows, .lookup = lookup};
    struct stile_value *resources[32];
    size_t count = 0;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        size_t i = 0;
        while (!stile_str_eqc(f.rows.items[i]->table, tables[t])) {
            cr_assert_lt(++i, f.rows.count);
        }
        struct stile_map_result *results = NULL;
        size_t n = 0;
        cr_assert_eq(stile_map_right(f.set, f.rows.items[i], STILE_STR("emis"),
                                     &env, f.arena, &f.diags, &results, &n),
                     STILE_OK);
        for (size_t r = 0; r < n; r++) {
            cr_assert_eq(results[r].kind, STILE_MAP_DONE);
            resources[count++] = results[r].resource;
        }
    }
    golden(&f, "practice.fhir", resources, count);
    unload(&f);
}

Test(map_shipped, a_whole_practice_becomes_valid_fhir)
{
    struct fixture f = load();
    read_practice(&f, STILE_SYNTH_BULK);
    cr_assert_eq(f.diags.count, 0);

    /* One patient carries a wrong check digit. */
    struct tally patients = run(&f, "emis", 0, "Admin_Patient");
    cr_assert_eq(patients.failed, 1);
    cr_assert_eq(patients.done, count_rows(&f, "Admin_Patient") - 1);
    /* One entry's code row comes a day late. */
    struct tally observations = run(&f, "emis", 0, "CareRecord_Observation");
    cr_assert_eq(observations.held, 1);
    cr_assert_eq(observations.failed, 0);
    cr_assert_eq(observations.done,
                 count_rows(&f, "CareRecord_Observation") - 1);
    /* One problem is a day ahead of its observation. */
    struct tally problems = run(&f, "emis", 0, "CareRecord_Problem");
    cr_assert_eq(problems.held, 1);
    cr_assert_eq(problems.failed, 0);
    cr_assert_eq(problems.done, count_rows(&f, "CareRecord_Problem") - 1);
    static const char *const others[] = {
        "Admin_Organisation", "CareRecord_ObservationReferral",
        "CareRecord_Consultation", "Prescribing_DrugRecord"};
    for (size_t i = 0; i < 4; i++) {
        struct tally t = run(&f, "emis", 0, others[i]);
        cr_assert_eq(t.held + t.failed + t.deleted, 0, "%s", others[i]);
        cr_assert_eq(t.done, count_rows(&f, others[i]), "%s", others[i]);
    }
    struct tally staff = run(&f, "emis", 0, "Admin_UserInRole");
    cr_assert_eq(staff.done, 2 * count_rows(&f, "Admin_UserInRole"));

    /* The next day brings what was missing. */
    size_t bulk = f.rows.count;
    read_practice(&f, STILE_SYNTH_DELTA);
    struct tally late = run(&f, "emis", 0, "CareRecord_Problem");
    cr_assert_eq(late.held, 0);
    struct tally delta = run(&f, "emis", bulk, NULL);
    cr_assert_eq(delta.held + delta.failed, 0);
    cr_assert_gt(delta.deleted, 5);
    cr_assert_gt(delta.done, 50);
    unload(&f);
}

/* ---- a charity's case
 * ----------------------------------------------------------- */

static struct stile_decoded decode(struct fixture *f, const char *format,
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
        dump(&f->diags);
    }
    cr_assert_eq(status, STILE_OK);
    return decoded;
}

static struct stile_value **to_fhir(struct fixture *f, size_t *ret_count)
{
    struct stile_map_env env = {.ctx = &f->rows, .lookup = lookup};
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
                dump(&f->diags);
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

static const struct stile_row *find_row(const struct stile_row *rows,
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

static void each_leads_back(const struct stile_row *given, size_t given_count,
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

static void golden(struct fixture *f, const char *name,
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

Test(map_shipped, a_case_goes_to_fhir_and_back_whole)
{
    struct fixture f = load();
    struct stile_decoded given = decode(&f, "vcse-json", "charity-case.json");
    cr_assert_eq(given.bad_rows, 0);
    for (size_t i = 0; i < given.row_count; i++) {
        keep_row(&f, &given.rows[i]);
    }
    size_t count = 0;
    struct stile_value **resources = to_fhir(&f, &count);
    cr_assert_gt(count, given.row_count); /* the case's Task */
    golden(&f, "charity-case.fhir", resources, count);

    struct stile_row *back = NULL;
    size_t back_count = 0;
    cr_assert_eq(stile_map_left(f.set, STILE_STR("vcse-case"), resources, count,
                                f.arena, &f.diags, &back, &back_count),
                 STILE_OK);
    each_leads_back(given.rows, given.row_count, back, back_count);
    unload(&f);
}

Test(map_shipped, a_sheet_goes_to_fhir_and_back_whole)
{
    struct fixture f = load();
    struct stile_decoded given = decode(&f, "vcse-csv", "charity-cases.csv");
    cr_assert_eq(given.row_count, 4);
    cr_assert_eq(given.bad_rows, 1);
    for (size_t i = 0; i < given.row_count; i++) {
        keep_row(&f, &given.rows[i]);
    }
    size_t count = 0;
    struct stile_value **resources = to_fhir(&f, &count);
    cr_assert_eq(count, 3 * given.row_count);
    golden(&f, "charity-cases.fhir", resources, count);
    struct stile_row *back = NULL;
    size_t back_count = 0;
    cr_assert_eq(stile_map_left(f.set, STILE_STR("vcse-case"), resources, count,
                                f.arena, &f.diags, &back, &back_count),
                 STILE_OK);
    each_leads_back(given.rows, given.row_count, back, back_count);
    unload(&f);
}

/* ---- a trust's referral
 * ------------------------------------------------------------ */

Test(map_shipped, a_referral_becomes_the_charitys_case)
{
    struct fixture f = load();
    struct stile_decoded bundle =
        decode(&f, "fhir-json", "referral-message.json");
    struct stile_value *resources[32];
    size_t count = 0;
    stile_fhir_check(bundle.root, STILE_STR("referral-message.json"), &f.diags);
    if (f.diags.count > 0) {
        dump(&f.diags);
    }
    cr_assert_eq(f.diags.count, 0);
    for (struct stile_value *e = stile_value_getc(bundle.root, "entry")->first;
         e != NULL; e = e->next) {
        cr_assert_lt(count, 32);
        resources[count++] = stile_value_getc(e, "resource");
    }
    struct stile_row *rows = NULL;
    size_t row_count = 0;
    cr_assert_eq(stile_map_left(f.set, STILE_STR("vcse-case"), resources, count,
                                f.arena, &f.diags, &rows, &row_count),
                 STILE_OK);
    const struct stile_row *person = find_row(rows, row_count, "person", 0);
    const struct stile_row *row = find_row(rows, row_count, "case", 0);
    const struct stile_row *plan = find_row(rows, row_count, "plan", 0);
    const struct stile_row *need = find_row(rows, row_count, "need", 0);
    const struct stile_row *goal = find_row(rows, row_count, "goal", 0);
    const struct stile_row *consent = find_row(rows, row_count, "consent", 0);
    cr_assert(person && row && plan && need && goal && consent);
    struct {
        const struct stile_row *row;
        const char *column, *text;
    } expected[] = {
        {person, "person_ref", "5b2a1e10-0000-4000-8000-000000000001"},
        {person, "nhs_number", "9990001006"},
        {person, "nhs_number_status", "01"},
        {person, "family_name", "Example"},
        {person, "preferred_name", "Syn"},
        {person, "postcode", "ZZ99 1AA"},
        {person, "gp_practice_code", "A99901"},
        {row, "case_ref", "5b2a1e10-0000-4000-8000-0000000000f1"},
        {row, "person_ref", "5b2a1e10-0000-4000-8000-000000000001"},
        {row, "org_ref", "5b2a1e10-0000-4000-8000-0000000000a2"},
        {row, "status", "received"},
        {row, "received_at", "2026-03-03 09:00"},
        {row, "referrer_org", "RZ9"},
        {row, "source", "H2"},
        {row, "priority", "3"},
        {row, "reason_text", "Help with rent arrears and a move"},
        {plan, "case_ref", "5b2a1e10-0000-4000-8000-0000000000f1"},
        {plan, "kind", "10"},
        {need, "plan_ref", "5b2a1e10-0000-4000-8000-0000000000e1"},
        {need, "text", "A tenancy she can keep"},
        {goal, "need_ref", "5b2a1e10-0000-4000-8000-0000000000d2"},
        {goal, "status", "in-progress"},
        {consent, "to_org", "VCS07"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct stile_str cell =
            stile_row_get(expected[i].row, stile_str_cstr(expected[i].column));
        cr_assert(stile_str_eqc(cell, expected[i].text), "%s is '%.*s'",
                  expected[i].column, STILE_FMT(cell));
    }
    /* The diagnosis belongs to no plan of the charity's: it is no need. */
    cr_assert(find_row(rows, row_count, "need", 1) == NULL);
    unload(&f);
}

/* ---- broken samples ---------------------------------------------------------
 */

static bool found(const struct stile_diags *diags, const char *code)
{
    for (size_t i = 0; i < diags->count; i++) {
        if (strcmp(diags->items[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

Test(map_shipped, a_wrong_nhs_number_never_reaches_the_charity)
{
    struct fixture f = load();
    struct stile_decoded bundle =
        decode(&f, "fhir-json", "referral-message-wrong-number.json");
    struct stile_value *resources[32];
    size_t count = 0;
    for (struct stile_value *e = stile_value_getc(bundle.root, "entry")->first;
         e != NULL; e = e->next) {
        cr_assert_lt(count, 32);
        resources[count++] = stile_value_getc(e, "resource");
    }
    struct stile_row *rows = NULL;
    size_t row_count = 0;
    enum stile_status status =
        stile_map_left(f.set, STILE_STR("vcse-case"), resources, count, f.arena,
                       &f.diags, &rows, &row_count);
    cr_assert(found(&f.diags, "T104"));
    for (size_t i = 0; status == STILE_OK && i < row_count; i++) {
        struct stile_str number =
            stile_row_get(&rows[i], STILE_STR("nhs_number"));
        cr_assert_eq(number.len, 0);
    }
    unload(&f);
}

Test(map_shipped, a_referral_of_nobody_is_told)
{
    struct fixture f = load();
    struct stile_decoded bundle =
        decode(&f, "fhir-json", "referral-message-no-subject.json");
    stile_fhir_check(bundle.root, STILE_STR("sample"), &f.diags);
    cr_assert_eq(f.diags.count, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_assert(stile_str_find_str(f.diags.items[i].path,
                                     STILE_STR("entry[1].resource")) !=
                  SIZE_MAX);
    }
    unload(&f);
}

Test(map_shipped, a_broken_case_keeps_what_is_whole)
{
    struct fixture f = load();
    struct stile_decoded given =
        decode(&f, "vcse-json", "charity-case-broken-link.json");
    for (size_t i = 0; i < given.row_count; i++) {
        keep_row(&f, &given.rows[i]);
    }
    /* A state that is none: neither the request nor its Task. */
    struct tally cases = run(&f, "vcse-case", 0, "case");
    cr_assert_eq(cases.failed, 2);
    /* A need of a plan that is not there waits, and so does its goal. */
    struct tally needs = run(&f, "vcse-case", 0, "need");
    cr_assert_eq(needs.held, 1);
    struct tally goals = run(&f, "vcse-case", 0, "goal");
    cr_assert_eq(goals.held, 1);
    struct tally persons = run(&f, "vcse-case", 0, "person");
    cr_assert_eq(persons.done, 1);
    unload(&f);
}
