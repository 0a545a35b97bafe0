#include "cli_spill.h"

#define PIECE_BYTES ((size_t)1 << 18)
#define FILE_ARENA_BYTES ((size_t)256 << 20)
#define PERSON_BYTES ((size_t)2 << 30)
#define ROW_BYTES ((size_t)64 << 20)

/* What the rows of one file have in common. */
struct kind {
    const struct stile_table *table;
    const struct stile_str *columns;
    size_t count;
    struct stile_str file;
    struct kind *next;
    uint32_t number;
};

struct cli_spill {
    struct stile_spool *spool;
    struct kind *kinds; /* newest first */
    uint32_t kind_count;
    struct stile_buf body, key, name;
    struct stile_arena *found; /* where look-ups answer */
    /* the file in hand */
    FILE *in;
    char *piece;
    const struct stile_table *table;
    /* the person in hand */
    struct stile_arena *arena;
    struct stile_row *list;
    size_t count, capacity, number, next;
    bool (*person)(void *ctx, size_t number, struct stile_row *list,
                   size_t count);
    void *ctx;
};

bool stile__cli_spill_open(struct cli_rows *rows, size_t cache)
{
    struct cli_spill *s = stile_arena_alloc(rows->arena, sizeof(*s));

    if (!s || stile_spool_open(cache, &s->spool) != STILE_OK) {
        return false;
    }
    stile_buf_init(&s->body, ROW_BYTES);
    stile_buf_init(&s->key, ROW_BYTES);
    stile_buf_init(&s->name, ROW_BYTES);
    rows->spill = s;
    return true;
}

void stile__cli_spill_close(struct cli_rows *rows)
{
    struct cli_spill *s = rows->spill;

    if (s) {
        rows->spill = NULL;
        stile_spool_close(&s->spool);
        stile_buf_release(&s->body);
        stile_buf_release(&s->key);
        stile_buf_release(&s->name);
    }
}

/* ---- a row as bytes ---- */

static void put_number(struct stile_buf *out, uint64_t n)
{
    for (int i = 0; i < 8; i++) {
        stile_buf_byte(out, (char)(unsigned char)(n >> (8 * i) & 0xff));
    }
}

static uint64_t take_number(struct stile_str *from)
{
    uint64_t n = 0;

    STILE_ASSERT(from->len >= 8);
    for (int i = 0; i < 8; i++) {
        n |= (uint64_t)(unsigned char)from->ptr[i] << (8 * i);
    }
    *from = stile_str_sub(*from, 8, SIZE_MAX);
    return n;
}

static struct kind *kind_of(struct cli_rows *rows, const struct stile_row *row,
                            const struct stile_table *table)
{
    struct cli_spill *s = rows->spill;
    struct kind *k = s->kinds;
    struct stile_str *columns;

    if (k && k->file.ptr == row->file.ptr && k->table == table) {
        return k;
    }
    k = stile_arena_alloc(rows->arena, sizeof(*k));
    columns = stile_arena_array(rows->arena, row->count, sizeof(*columns));
    if (!k || !columns) {
        return NULL;
    }
    for (size_t i = 0; i < row->count; i++) {
        columns[i] = stile_arena_str(rows->arena, row->columns[i]);
    }
    *k = (struct kind){.table = table,
                       .columns = columns,
                       .count = row->count,
                       .file = row->file,
                       .next = s->kinds,
                       .number = s->kind_count++};
    if (row->count == table->count) {
        k->columns = table->column_names; /* the version is told by it */
    }
    s->kinds = k;
    return k;
}

static void encode(struct cli_spill *s, const struct stile_row *row,
                   uint32_t kind)
{
    stile_buf_cut(&s->body, 0);
    put_number(&s->body, kind);
    put_number(&s->body, row->number);
    for (size_t i = 0; i < row->count; i++) {
        put_number(&s->body, row->cells[i].len);
        stile_buf_add(&s->body, row->cells[i]);
    }
}

/* The cells stay where `body` is. */
static bool decode(const struct cli_spill *s, struct stile_str body,
                   struct stile_arena *arena, struct stile_row *ret)
{
    const struct kind *k = s->kinds;
    uint64_t number = take_number(&body), row = take_number(&body);
    struct stile_str *cells;

    while (k->number != number) {
        k = k->next;
    }
    cells = stile_arena_array(arena, k->count, sizeof(*cells));
    if (!cells) {
        return false;
    }
    for (size_t i = 0; i < k->count; i++) {
        size_t len = (size_t)take_number(&body);

        cells[i] = stile_str_sub(body, 0, len);
        body = stile_str_sub(body, len, SIZE_MAX);
    }
    *ret = (struct stile_row){.table = k->table->name,
                              .columns = k->columns,
                              .cells = cells,
                              .count = k->count,
                              .number = row,
                              .file = k->file};
    return true;
}

/* ---- in ---- */

static bool more(void *ctx, struct stile_str *ret, bool *ret_last)
{
    struct cli_spill *s = ((struct cli_rows *)ctx)->spill;
    size_t got = fread(s->piece, 1, PIECE_BYTES, s->in);

    *ret = (struct stile_str){s->piece, got};
    *ret_last = got < PIECE_BYTES;
    return !ferror(s->in);
}

static void set_name(struct cli_spill *s, struct stile_str table,
                     struct stile_str column, struct stile_str cell)
{
    stile_buf_cut(&s->name, 0);
    stile_buf_add(&s->name, table);
    stile_buf_byte(&s->name, 0x1f);
    stile_buf_add(&s->name, column);
    stile_buf_byte(&s->name, 0x1f);
    stile_buf_add(&s->name, cell);
}

/* A shared row is found by any of its key's columns. */
static enum stile_status add_names(struct cli_spill *s,
                                   const struct stile_row *row,
                                   const struct stile_table *table)
{
    enum stile_status status = STILE_OK;

    for (size_t i = 0; status == STILE_OK && i < table->key_count; i++) {
        uint32_t at = table->keys[i];

        if (row->cells[at].len > 0) {
            set_name(s, table->name, table->columns[at].name, row->cells[at]);
            status = stile_spool_name(s->spool, stile_buf_str(&s->name));
        }
    }
    return status;
}

static enum stile_status put(void *ctx, const struct stile_row *row)
{
    struct cli_rows *rows = ctx;
    struct cli_spill *s = rows->spill;
    const struct stile_table *table = stile__cli_rows_table(rows->schema, row);
    struct kind *kind = table ? kind_of(rows, row, table) : NULL;
    bool gone, replaced = false;
    size_t person = 0;
    enum stile_status status;

    if (!kind) {
        return table ? STILE_NOMEM : STILE_UNSUPPORTED;
    }
    rows->read++;
    gone = stile__cli_rows_deleted(rows, row, table);
    rows->deleted += gone ? 1 : 0;
    if (table->person_column == UINT32_MAX) {
        person = 0;
    } else if (stile__cli_rows_nobodys(rows, row, table)) {
        rows->nobodys++;
    } else {
        person = stile__cli_rows_person(rows, row->cells[table->person_column]);
        if (person == 0) {
            return STILE_NOMEM;
        }
        rows->persons[person - 1].count++;
    }
    encode(s, row, kind->number);
    stile_buf_cut(&s->key, 0);
    stile__cli_rows_key(row, table, &s->key);
    status = s->body.status != STILE_OK ? s->body.status : s->key.status;
    if (status == STILE_OK) {
        status = stile_spool_put(s->spool, (int64_t)person - 1,
                                 stile_buf_str(&s->key),
                                 stile_buf_str(&s->body), gone, &replaced);
    }
    rows->replaced += replaced ? 1 : 0;
    return status == STILE_OK && table->person_column == UINT32_MAX
               ? add_names(s, row, table)
               : status;
}

enum stile_status stile__cli_spill_file(struct cli_rows *rows, const char *path,
                                        const struct stile_table *table)
{
    const struct stile_format *csv = stile_format_find(STILE_STR("csv"));
    struct cli_spill *s = rows->spill;
    struct stile_arena *arena = stile_arena_new(FILE_ARENA_BYTES);
    struct stile_decoded decoded = {0};
    struct stile_format_input input = {
        .name = stile_arena_str(rows->arena, stile__cli_base(path)),
        .schema = rows->schema,
        .table = table->name,
        .csv = STILE_CSV_LIMITS,
        .more = more,
        .each = put,
        .ctx = rows};
    enum stile_status status = STILE_NOMEM;

    s->piece = malloc(PIECE_BYTES);
    s->in = fopen(path, "rb");
    if (!s->in) {
        stile__cli_say("%s cannot be read", path);
        status = STILE_IO;
    } else if (s->piece && arena) {
        status = csv->decode(&input, arena, rows->diags, &decoded);
    }
    rows->bad += decoded.bad_rows;
    if (s->in) {
        (void)fclose(s->in);
    }
    free(s->piece);
    stile_arena_free(&arena);
    return status;
}

/* ---- out ---- */

const struct stile_row *stile__cli_spill_find(struct cli_rows *rows,
                                              struct stile_str table,
                                              struct stile_str column,
                                              struct stile_str key)
{
    struct cli_spill *s = rows->spill;
    struct stile_row *row = stile_arena_alloc(s->found, sizeof(*row));
    struct stile_str body;

    set_name(s, table, column, key);
    if (!row ||
        stile_spool_find(s->spool, stile_buf_str(&s->name), s->found, &body) !=
            STILE_OK ||
        !decode(s, body, s->found, row)) {
        return NULL;
    }
    return row;
}

/* The persons up to this one, and those before it of whom no row stands. */
static bool hand_over(struct cli_spill *s, size_t upto)
{
    bool goes_on = true;

    while (s->next < upto && goes_on) {
        bool own = s->count > 0 && s->next == s->number;

        goes_on = s->person(s->ctx, s->next, own ? s->list : NULL,
                            own ? s->count : 0);
        s->next++;
    }
    if (s->next > s->number) {
        s->count = 0;
        s->capacity = 0;
        s->list = NULL;
        stile_arena_reset(s->arena);
    }
    return goes_on;
}

static enum stile_status gather(void *ctx, int64_t group, struct stile_str body)
{
    struct cli_spill *s = ctx;

    if (s->count > 0 && (size_t)group != s->number &&
        !hand_over(s, s->number + 1)) {
        return STILE_DENIED; /* the caller has had enough */
    }
    s->number = (size_t)group;
    if (s->count == s->capacity) {
        size_t more = s->capacity == 0 ? 64 : s->capacity * 2;
        struct stile_row *list =
            stile_arena_array(s->arena, more, sizeof(*list));

        if (!list) {
            return STILE_LIMIT;
        }
        if (s->count > 0) {
            memcpy(list, s->list, s->count * sizeof(*list));
        }
        s->list = list;
        s->capacity = more;
    }
    body = stile_arena_str(s->arena, body);
    if (stile_arena_failed(s->arena) ||
        !decode(s, body, s->arena, &s->list[s->count])) {
        return STILE_LIMIT;
    }
    s->count++;
    return STILE_OK;
}

enum stile_status
stile__cli_spill_persons(struct cli_rows *rows, struct stile_arena *arena,
                         bool (*person)(void *ctx, size_t number,
                                        struct stile_row *list, size_t count),
                         void *ctx)
{
    struct cli_spill *s = rows->spill;
    enum stile_status status;

    s->arena = stile_arena_new(PERSON_BYTES);
    s->found = arena;
    s->person = person;
    s->ctx = ctx;
    s->next = 0;
    s->count = 0;
    s->capacity = 0;
    status = s->arena ? stile_spool_each(s->spool, gather, s) : STILE_NOMEM;
    if (status == STILE_OK && !hand_over(s, rows->person_count)) {
        status = STILE_DENIED;
    }
    stile_arena_free(&s->arena);
    return status == STILE_DENIED ? STILE_OK : status;
}
