/*
 * bench_rows: what one core makes of an EMIS table file, in MB of input a
 * second, best of N, each beside its ceiling from the same run:
 *
 *   newlines   memchr over the bytes             (the memory's ceiling)
 *   split      stile_csv, cells counted
 *   map        split + mapping to FHIR R4 + JSON text
 *
 *   bench_rows MAPPINGS-FOLDER TABLE FILE CODE-FILE [ROUNDS]
 */
#include <time.h>

#include "stile/exchange.h"
#include "stile/gateway.h"

struct bench {
    const struct stile_plan *plan;
    struct stile_str bytes;
    struct stile_str table_name;
    const struct stile_row *codes;  /* by CodeId, sorted */
    size_t code_count;
    uint64_t rows, cells, json_bytes, done, held, failed;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void newlines(struct bench *b)
{
    const char *p = b->bytes.ptr, *end = p + b->bytes.len;
    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        b->rows++;
        p++;
    }
}

static struct stile_csv *reader(void)
{
    return stile_csv_new(&stile_csv_emis, STILE_CSV_LIMITS,
                         STILE_STR("bench"));
}

typedef void (*row_fn)(struct bench *b, const struct stile_str *cells,
                       size_t count, uint64_t row);

static void each_row(struct bench *b, struct stile_diags *diags, row_fn fn)
{
    struct stile_csv *csv = reader();
    size_t at = 0;
    for (;;) {
        const struct stile_str *cells = NULL;
        size_t count = 0;
        uint64_t row = 0;
        enum stile_status status =
            stile_csv_pull(csv, diags, &cells, &count, &row);
        if (status == STILE_OK) {
            fn(b, cells, count, row);
        } else if (status == STILE_END && at < b->bytes.len) {
            struct stile_str piece = stile_str_sub(b->bytes, at, 1u << 18);
            at += piece.len;
            STILE_ASSERT(stile_csv_feed(csv, piece, at == b->bytes.len) ==
                         STILE_OK);
        } else if (status == STILE_END) {
            break;
        }
    }
    stile_csv_free(&csv);
}

static void count_cells(struct bench *b, const struct stile_str *cells,
                        size_t count, uint64_t row)
{
    (void)cells;
    (void)row;
    b->rows++;
    b->cells += count;
}

/* ---- map ------------------------------------------------------------------ */

static int by_code(const void *a, const void *b)
{
    return stile_str_cmp(((const struct stile_row *)a)->cells[0],
                         ((const struct stile_row *)b)->cells[0]);
}

static enum stile_status lookup(void *ctx, struct stile_str family,
                                struct stile_str table,
                                struct stile_str column, struct stile_str key,
                                const struct stile_row **ret)
{
    struct bench *b = ctx;
    (void)family;
    (void)column;
    if (!stile_str_eqc(table, "Coding_ClinicalCode")) {
        return STILE_NOT_FOUND;
    }
    struct stile_row wanted = {.cells = &key};
    *ret = bsearch(&wanted, b->codes, b->code_count, sizeof(*b->codes),
                   by_code);
    return *ret != NULL ? STILE_OK : STILE_NOT_FOUND;
}

static struct stile_arena *map_arena;
static struct stile_diags map_diags;
static struct stile_buf map_out;
static const struct stile_table *map_table;
static uint32_t *map_ordinals;

static void map_row(struct bench *b, const struct stile_str *cells,
                    size_t count, uint64_t row)
{
    if (row == 0 || b->rows++ == 0) {
        return; /* header */
    }
    struct stile_arena_mark mark = stile_arena_mark(map_arena);
    struct stile_str *ordered =
        stile_arena_array(map_arena, map_table->count, sizeof(*ordered));
    for (size_t i = 0; i < count; i++) {
        if (map_ordinals[i] != UINT32_MAX) {
            ordered[map_ordinals[i]] = cells[i];
        }
    }
    struct stile_row in = {.table = map_table->name,
                           .columns = map_table->column_names,
                           .cells = ordered,
                           .count = map_table->count,
                           .number = row};
    struct stile_map_env env = {b, lookup};
    struct stile_map_result *results = NULL;
    size_t n = 0;
    STILE_ASSERT(stile_map_right(b->plan->maps, &in, STILE_STR("emis"), &env,
                                 map_arena, &map_diags, &results,
                                 &n) == STILE_OK);
    for (size_t i = 0; i < n; i++) {
        if (results[i].kind == STILE_MAP_DONE) {
            stile_buf_clear(&map_out);
            stile_value_json(results[i].resource, 0, &map_out);
            b->json_bytes += map_out.len;
            b->done++;
        } else {
            b->held += results[i].kind == STILE_MAP_HELD;
            b->failed += results[i].kind == STILE_MAP_FAILED;
        }
    }
    stile_arena_rewind(map_arena, mark);
}

static void first_row_header(struct bench *b, struct stile_arena *arena,
                             struct stile_str bytes, struct stile_str table,
                             struct stile_diags *diags,
                             const struct stile_table **ret_table,
                             uint32_t **ret_ordinals)
{
    struct stile_csv *csv = reader();
    const struct stile_str *cells = NULL;
    size_t count = 0;
    uint64_t row = 0;
    struct stile_str piece = stile_str_sub(bytes, 0, 1u << 18);
    STILE_ASSERT(stile_csv_feed(csv, piece, piece.len == bytes.len) ==
                 STILE_OK);
    STILE_ASSERT(stile_csv_pull(csv, diags, &cells, &count, &row) == STILE_OK);
    STILE_ASSERT(stile_schema_bind(b->plan->schema, STILE_STR("emis"), table,
                                   cells, count, arena, STILE_STR("bench"),
                                   diags, ret_table,
                                   ret_ordinals) == STILE_OK);
    stile_csv_free(&csv);
}

struct code_load {
    struct stile_arena *arena;
    const struct stile_table *table;
    uint32_t *ordinals;
    struct stile_row *rows;
    size_t count, capacity;
};
static struct code_load code_load;

static void load_code(struct bench *b, const struct stile_str *cells,
                      size_t count, uint64_t row)
{
    (void)row;
    if (b->rows++ == 0 || code_load.count == code_load.capacity) {
        return;
    }
    struct stile_str *ordered = stile_arena_array(
        code_load.arena, code_load.table->count, sizeof(*ordered));
    for (size_t i = 0; i < count; i++) {
        if (code_load.ordinals[i] != UINT32_MAX) {
            ordered[code_load.ordinals[i]] =
                stile_arena_str(code_load.arena, cells[i]);
        }
    }
    struct stile_row *out = &code_load.rows[code_load.count++];
    out->table = code_load.table->name;
    out->columns = code_load.table->column_names;
    out->cells = ordered;
    out->count = code_load.table->count;
}

static void load_codes(struct bench *b, struct stile_arena *arena,
                       struct stile_str bytes, struct stile_diags *diags)
{
    code_load.arena = arena;
    code_load.capacity = 2000000;
    code_load.rows =
        stile_arena_array(arena, code_load.capacity, sizeof(struct stile_row));
    STILE_ASSERT(code_load.rows != NULL);
    first_row_header(b, arena, bytes, STILE_STR("Coding_ClinicalCode"), diags,
                     &code_load.table, &code_load.ordinals);
    struct bench codes = {.plan = b->plan, .bytes = bytes};
    each_row(&codes, diags, load_code);
    qsort(code_load.rows, code_load.count, sizeof(struct stile_row), by_code);
    b->codes = code_load.rows;
    b->code_count = code_load.count;
}

static double best(struct bench *b, struct stile_diags *diags, int what,
                   int rounds)
{
    double least = 1e9;
    for (int i = 0; i < rounds; i++) {
        b->rows = b->cells = b->json_bytes = b->done = b->held = b->failed = 0;
        double start = now();
        if (what == 0) {
            newlines(b);
        } else {
            each_row(b, diags, what == 1 ? count_cells : map_row);
        }
        double took = now() - start;
        least = took < least ? took : least;
    }
    return least;
}

static void say(const struct bench *b, const char *what, double seconds,
                double ceiling)
{
    double mb = (double)b->bytes.len / 1e6;
    printf("| %s | %.0f | %.3f | %llu rows", what, mb / seconds,
           ceiling / seconds, (unsigned long long)b->rows);
    if (b->done > 0) {
        printf(", %llu resources, %.1f MB JSON, %llu waiting, %llu failed",
               (unsigned long long)b->done, (double)b->json_bytes / 1e6,
               (unsigned long long)b->held, (unsigned long long)b->failed);
    }
    printf(" |\n");
}

static void say_memory(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            printf("peak resident memory, with the whole file and the code "
                   "table held in memory: %s",
                   line + 6);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: bench_rows MAPPINGS TABLE FILE CODE-FILE "
                        "[ROUNDS]\n");
        return 2;
    }
    int rounds = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 5;
    struct stile_arena *arena = stile_arena_new((size_t)4 << 30);
    struct stile_diags diags;
    stile_diags_init(&diags, arena, 0);
    stile_format_setup();
    struct stile_plan_box *box = NULL;
    struct stile_str error, code_bytes;
    struct bench b = {.table_name = stile_str_cstr(argv[2])};
    if (stile_plan_load(argv[1], NULL, stile_today(), &diags, &box) !=
            STILE_OK ||
        stile_file_read(argv[3], (size_t)2 << 30, arena, &b.bytes, &error) !=
            STILE_OK ||
        stile_file_read(argv[4], (size_t)1 << 30, arena, &code_bytes,
                        &error) != STILE_OK) {
        fprintf(stderr, "bench_rows: the mappings or files cannot be read\n");
        return 1;
    }
    b.plan = &box->plan;
    load_codes(&b, arena, code_bytes, &diags);
    map_arena = stile_arena_new(16u << 20);
    stile_diags_init(&map_diags, arena, 10);
    stile_buf_init(&map_out, 1u << 20);
    first_row_header(&b, arena, b.bytes, b.table_name, &diags, &map_table,
                     &map_ordinals);
    printf("%.1f MB, best of %d, CPU time of one core\n\n"
           "| work | MB/s | of the newline ceiling | made |\n"
           "|---|---|---|---|\n",
           (double)b.bytes.len / 1e6, rounds);
    double ceiling = best(&b, &diags, 0, rounds);
    say(&b, "memchr newlines (ceiling)", ceiling, ceiling);
    double split = best(&b, &diags, 1, rounds);
    say(&b, "stile_csv split", split, ceiling);
    double map = best(&b, &diags, 2, rounds);
    say(&b, "split, map to FHIR, JSON text", map, ceiling);
    printf("\n");
    say_memory();
    return 0;
}
