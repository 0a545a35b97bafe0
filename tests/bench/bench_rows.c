/*
 * bench_rows: what one core makes of an EMIS table file, in MB of input a
 * second, best of N by CPU time, all in one run:
 *
 *   newlines   memchr over the bytes             (the memory's ceiling)
 *   split      stile_csv, cells counted
 *   tree       split + mapping to a FHIR R4 tree + its JSON text
 *   render     split + mapping straight to that text
 *   ceiling    a program written by hand for this one table
 *   scan       the JSON checked and laid out as a tape, in MB of JSON
 *   back-tree  the JSON read as a tree and mapped to a CSV row, in MB of JSON
 *   back-tape  the same without a tree
 *
 * Tree, render and ceiling must make the same bytes, and so must both ways
 * back, or the run fails. What
 * they make goes to memory that is used again after each megabyte, not to a
 * file.
 *
 *   bench_rows MAPPINGS-FOLDER TABLE FILE CODE-FILE [ROUNDS [ONLY]]
 *
 * ONLY is the number of one row of the table, from 0, for a profiler.
 */
#include <time.h>

#include "bench_rows.h"
#include "stile/gateway.h"

#define OUT_BYTES ((size_t)1 << 20)

struct bench {
    const struct stile_plan *plan;
    struct stile_str bytes;
    struct bench_codes codes;
    struct ceiling_columns code_columns;
    struct stile_sha256 *sha; /* NULL while the clock runs */
    struct stile_buf *keep;   /* made text for the way back, when not NULL */
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
    return stile_csv_new(&stile_csv_emis, STILE_CSV_LIMITS, STILE_STR("bench"));
}

typedef void (*row_fn)(struct bench *b, const struct stile_str *cells,
                       size_t count, uint64_t row);

static void each_row(struct bench *b, struct stile_diags *diags, row_fn fn)
{
    struct stile_csv *csv = reader();
    stile_csv_over(csv, b->bytes);
    for (;;) {
        const struct stile_str *cells = NULL;
        size_t count = 0;
        uint64_t row = 0;
        enum stile_status status =
            stile_csv_pull(csv, diags, &cells, &count, &row);
        if (status == STILE_OK) {
            fn(b, cells, count, row);
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

/* ---- made text --------------------------------------------------------- */

static void made(void *ctx, struct stile_str text)
{
    struct bench *b = ctx;
    b->json_bytes += text.len;
    if (b->sha != NULL) {
        stile_sha256_add(b->sha, text);
    }
    if (b->keep != NULL) {
        stile_buf_add(b->keep, text);
    }
}

/* ---- map ----------------------------------------------------------------- */

static enum stile_status lookup(void *ctx, struct stile_str family,
                                struct stile_str table, struct stile_str column,
                                struct stile_str key,
                                const struct stile_row **ret)
{
    struct bench *b = ctx;
    (void)family;
    (void)column;
    if (!stile_str_eqc(table, "Coding_ClinicalCode")) {
        return STILE_NOT_FOUND;
    }
    *ret = bench_code(&b->codes, key);
    return *ret != NULL ? STILE_OK : STILE_NOT_FOUND;
}

static struct stile_arena *map_arena;
static struct stile_diags map_diags;
static struct stile_buf map_out;
static const struct stile_table *map_table;
static uint32_t *map_ordinals;
static struct stile_str *map_cells;
static bool map_renders;

static enum stile_status make(struct bench *b, const struct stile_row *row,
                              struct stile_map_result **ret, size_t *ret_count)
{
    struct stile_str family = STILE_STR("emis");
    struct stile_map_env env = {.ctx = b, .lookup = lookup};
    if (map_renders) {
        return stile_map_render(b->plan->maps, row, family, &env, map_arena,
                                &map_diags, &map_out, ret, ret_count);
    }
    enum stile_status status =
        stile_map_right(b->plan->maps, row, family, &env, map_arena, &map_diags,
                        ret, ret_count);
    for (size_t i = 0; status == STILE_OK && i < *ret_count; i++) {
        if ((*ret)[i].kind == STILE_MAP_DONE) {
            stile_value_json((*ret)[i].resource, 0, &map_out);
            stile_buf_byte(&map_out, '\n');
        }
    }
    return status == STILE_OK ? map_out.status : status;
}

static void map_row(struct bench *b, const struct stile_str *cells,
                    size_t count, uint64_t row)
{
    if (row == 0) {
        return; /* header */
    }
    struct stile_arena_mark mark = stile_arena_mark(map_arena);
    for (size_t i = 0; i < count; i++) {
        if (map_ordinals[i] != UINT32_MAX) {
            map_cells[map_ordinals[i]] = cells[i];
        }
    }
    struct stile_row in = {.table = map_table->name,
                           .columns = map_table->column_names,
                           .cells = map_cells,
                           .count = map_table->count,
                           .number = row};
    struct stile_map_result *results = NULL;
    size_t n = 0;
    STILE_ASSERT(make(b, &in, &results, &n) == STILE_OK);
    b->rows++;
    for (size_t i = 0; i < n; i++) {
        b->done += results[i].kind == STILE_MAP_DONE;
        b->held += results[i].kind == STILE_MAP_HELD;
        b->failed += results[i].kind == STILE_MAP_FAILED;
    }
    stile_arena_rewind(map_arena, mark);
    if (map_out.len > OUT_BYTES) {
        made(b, stile_buf_str(&map_out));
        stile_buf_clear(&map_out);
    }
}

static void map_all(struct bench *b, struct stile_diags *diags, bool renders)
{
    map_renders = renders;
    each_row(b, diags, map_row);
    made(b, stile_buf_str(&map_out));
    stile_buf_clear(&map_out);
}

/* ---- back ---------------------------------------------------------------- */

enum back_how {
    BY_SCAN,
    BY_TREE,
    BY_TAPE
};
static struct stile_tape map_tape;

static void read_tape(struct stile_str line)
{
    STILE_ASSERT(stile_json_tape(line, STILE_JSON_LIMITS, STILE_STR("bench"),
                                 map_arena, &map_diags, &map_tape) == STILE_OK);
}

static void read_back(struct bench *b, struct stile_str line, enum back_how how,
                      struct stile_row **ret_rows, size_t *ret_count)
{
    const uint32_t root = 0;
    struct stile_value *resource = NULL;
    struct stile_str family = STILE_STR("emis");
    if (how == BY_TREE) {
        STILE_ASSERT(stile_json_decode(line, STILE_JSON_LIMITS,
                                       STILE_STR("bench"), map_arena,
                                       &map_diags, &resource) == STILE_OK);
        STILE_ASSERT(stile_map_left(b->plan->maps, family, &resource, 1,
                                    map_arena, &map_diags, ret_rows,
                                    ret_count) == STILE_OK);
        return;
    }
    read_tape(line);
    STILE_ASSERT(stile_map_left_tape(b->plan->maps, family, &map_tape, &root, 1,
                                     map_arena, &map_diags, ret_rows,
                                     ret_count) == STILE_OK);
}

static void one_back(struct bench *b, struct stile_str line, enum back_how how)
{
    struct stile_row *rows = NULL;
    size_t n = 0;
    struct stile_arena_mark mark = stile_arena_mark(map_arena);
    read_back(b, line, how, &rows, &n);
    for (size_t i = 0; i < n; i++) {
        stile_csv_write_row(&map_out, &stile_csv_emis, rows[i].cells,
                            rows[i].count);
        b->rows++;
    }
    stile_arena_rewind(map_arena, mark);
}

static void back(struct bench *b, struct stile_str json, enum back_how how)
{
    struct stile_str rest = json, line;
    while (stile_str_next(&rest, '\n', &line)) {
        b->done++;
        if (how == BY_SCAN) {
            read_tape(line);
            continue;
        }
        one_back(b, line, how);
        if (map_out.len > OUT_BYTES) {
            made(b, stile_buf_str(&map_out));
            stile_buf_clear(&map_out);
        }
    }
    made(b, stile_buf_str(&map_out));
    stile_buf_clear(&map_out);
    b->json_bytes = json.len;
}

static void ceiling(struct bench *b)
{
    struct ceiling_counts counts = {0};
    STILE_ASSERT(ceiling_observations(b->bytes, &b->codes, &b->code_columns,
                                      made, b, &counts));
    b->rows = counts.rows;
    b->done = counts.made;
    b->held = counts.held;
    b->failed = counts.refused;
}

/* ---- tables -------------------------------------------------------------- */

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
                                   diags, ret_table, ret_ordinals) == STILE_OK);
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

static void index_codes(struct bench *b, struct stile_arena *arena)
{
    size_t size = 64;
    while (size < 2 * code_load.count) {
        size *= 2;
    }
    b->codes.mask = size - 1;
    b->codes.slots = stile_arena_array(arena, size, sizeof(void *));
    STILE_ASSERT(b->codes.slots != NULL);
    for (size_t i = 0; i < code_load.count; i++) {
        const struct stile_row *row = &code_load.rows[i];
        size_t at = (size_t)stile_str_hash(row->cells[0]);
        while (b->codes.slots[at & b->codes.mask] != NULL) {
            at++;
        }
        b->codes.slots[at & b->codes.mask] = row;
    }
    const struct stile_table *t = code_load.table;
    b->code_columns = (struct ceiling_columns){
        stile_table_column(t, STILE_STR("EmisCodeCategoryDescription")),
        stile_table_column(t, STILE_STR("SnomedCTConceptId")),
        stile_table_column(t, STILE_STR("Term")),
        stile_table_column(t, STILE_STR("ReadTermId"))};
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
    index_codes(b, arena);
}

/* ---- measuring ----------------------------------------------------------- */

enum what {
    NEWLINES,
    SPLIT,
    TREE,
    RENDER,
    CEILING,
    SCAN,
    BACK_TREE,
    BACK_TAPE,
    WHATS
};
static const char *const names[WHATS] = {
    "memchr newlines",
    "stile_csv split",
    "split, map to a tree, JSON text",
    "split, map straight to JSON text",
    "written by hand for this table (ceiling)",
    "back: JSON text checked and laid out, no more",
    "back: JSON text to a tree to a CSV row",
    "back: JSON text straight to a CSV row"};

static struct stile_buf json;

static void work(struct bench *b, struct stile_diags *diags, enum what what)
{
    b->rows = b->cells = b->json_bytes = b->done = b->held = b->failed = 0;
    switch (what) {
    case NEWLINES:
        newlines(b);
        break;
    case SPLIT:
        each_row(b, diags, count_cells);
        break;
    case TREE:
    case RENDER:
        map_all(b, diags, what == RENDER);
        break;
    case SCAN:
    case BACK_TREE:
    case BACK_TAPE:
        back(b, stile_buf_str(&json),
             what == SCAN        ? BY_SCAN
             : what == BACK_TREE ? BY_TREE
                                 : BY_TAPE);
        break;
    default:
        ceiling(b);
        break;
    }
}

static void digest(struct bench *b, struct stile_diags *diags, enum what what,
                   struct stile_digest *ret)
{
    b->sha = stile_sha256_new();
    STILE_ASSERT(b->sha != NULL);
    work(b, diags, what);
    stile_sha256_done(b->sha, ret);
    stile_sha256_free(&b->sha);
}

static bool same_bytes(struct bench *b, struct stile_diags *diags)
{
    struct stile_digest tree, render, by_hand, back_tree, back_tape;
    digest(b, diags, TREE, &tree);
    b->keep = &json;
    digest(b, diags, RENDER, &render);
    b->keep = NULL;
    digest(b, diags, CEILING, &by_hand);
    digest(b, diags, BACK_TREE, &back_tree);
    digest(b, diags, BACK_TAPE, &back_tape);
    bool same = stile_digest_eq(&tree, &render);
    if (!same) {
        fprintf(stderr, "bench_rows: the renderer makes other bytes than the "
                        "tree\n");
    }
    if (!stile_digest_eq(&tree, &by_hand)) {
        fprintf(stderr, "bench_rows: the ceiling makes other bytes than the "
                        "mapping: it has fallen behind it\n");
        same = false;
    }
    if (!stile_digest_eq(&back_tree, &back_tape)) {
        fprintf(stderr, "bench_rows: the way back without a tree makes other "
                        "rows than with one\n");
        same = false;
    }
    return same;
}

/* Rounds turn about, so that a busy moment hits all alike. */
static void measure(struct bench *b, struct stile_diags *diags, int rounds,
                    int only)
{
    double least[WHATS];
    struct bench counts[WHATS];
    for (int i = 0; i < rounds; i++) {
        for (int what = 0; what < WHATS; what++) {
            if (only >= 0 && what != only) {
                continue;
            }
            double start = now();
            work(b, diags, (enum what)what);
            double took = now() - start;
            least[what] = i == 0 || took < least[what] ? took : least[what];
            counts[what] = *b;
        }
    }
    for (int what = 0; what < WHATS; what++) {
        const struct bench *c = &counts[what];
        if (only >= 0 && what != only) {
            continue;
        }
        double mb = (double)(what >= SCAN ? c->json_bytes : c->bytes.len) / 1e6;
        printf("| %s | %.0f | %.2f | ", names[what], mb / least[what],
               least[what] * 1e6 / (double)(what == SCAN ? c->done : c->rows));
        bool share = what == TREE || what == RENDER || what == CEILING;
        if (share && only < 0) {
            printf("%.2f", least[CEILING] / least[what]);
        } else {
            printf("-");
        }
        printf(" | %llu rows", (unsigned long long)c->rows);
        if (c->done > 0) {
            printf(", %llu resources, %.1f MB of JSON, %llu wait, %llu failed",
                   (unsigned long long)c->done, (double)c->json_bytes / 1e6,
                   (unsigned long long)c->held, (unsigned long long)c->failed);
        }
        printf(" |\n");
    }
}

/* Peak resident memory so far, in kB. */
static long peak(void)
{
    char line[256];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kb = strtol(line + 6, NULL, 10);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return kb;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: bench_rows MAPPINGS TABLE FILE CODE-FILE "
                        "[ROUNDS]\n");
        return 2;
    }
    int rounds = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 5;
    int only = argc > 6 ? (int)strtol(argv[6], NULL, 10) : -1;
    struct stile_arena *arena = stile_arena_new((size_t)4 << 30);
    struct stile_diags diags;
    stile_diags_init(&diags, arena, 0);
    stile_format_setup();
    struct stile_plan_box *box = NULL;
    struct stile_str error, code_bytes;
    struct bench b = {0};
    if (stile_plan_load(argv[1], NULL, stile_today(), &diags, &box) !=
            STILE_OK ||
        stile_file_read(argv[3], (size_t)2 << 30, arena, &b.bytes, &error) !=
            STILE_OK ||
        stile_file_read(argv[4], (size_t)1 << 30, arena, &code_bytes, &error) !=
            STILE_OK) {
        fprintf(stderr, "bench_rows: the mappings or files cannot be read\n");
        return 1;
    }
    b.plan = &box->plan;
    load_codes(&b, arena, code_bytes, &diags);
    map_arena = stile_arena_new(16u << 20);
    stile_diags_init(&map_diags, arena, 10);
    stile_buf_init(&map_out, 16u << 20);
    first_row_header(&b, arena, b.bytes, stile_str_cstr(argv[2]), &diags,
                     &map_table, &map_ordinals);
    map_cells = stile_arena_array(arena, map_table->count, sizeof(*map_cells));
    STILE_ASSERT(map_cells != NULL);
    work(&b, &diags, RENDER);
    double memory = (double)peak() / 1e3 - (double)b.bytes.len / 1e6;
    stile_buf_init(&json, (size_t)2 << 30);
    bool profiled = only >= 0 && only < SCAN;
    if (!profiled && (!same_bytes(&b, &diags) || json.status != STILE_OK)) {
        return 1;
    }
    printf("%.1f MB, best of %d, CPU time of one core\n\n"
           "| work | MB/s | µs/row | of the ceiling | made |\n"
           "|---|---|---|---|---|\n",
           (double)b.bytes.len / 1e6, rounds);
    measure(&b, &diags, rounds, only);
    printf("\nPeak resident memory of mapping straight to text, without the "
           "file itself: %.1f MB\n",
           memory);
    return 0;
}
