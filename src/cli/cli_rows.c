#include "cli_rows.h"

#include "cli_spill.h"

#define FILE_BYTES_MAX ((size_t)4 << 30)

/* ---- slots
 * ------------------------------------------------------------------- */

static struct cli_slot *slot_of(const struct cli_slots *slots, uint64_t hash,
                                struct stile_str key)
{
    size_t i = (size_t)hash & (slots->capacity - 1);

    while (slots->items[i].at != 0 &&
           (slots->items[i].hash != hash ||
            !stile_str_eq(slots->items[i].key, key))) {
        i = (i + 1) & (slots->capacity - 1);
    }
    return &slots->items[i];
}

static bool slots_grow(struct cli_slots *slots)
{
    struct cli_slots more = {
        .capacity = slots->capacity == 0 ? 1024 : slots->capacity * 2};

    more.items = calloc(more.capacity, sizeof(*more.items));
    if (!more.items) {
        return false;
    }
    for (size_t i = 0; i < slots->capacity; i++) {
        if (slots->items[i].at != 0) {
            *slot_of(&more, slots->items[i].hash, slots->items[i].key) =
                slots->items[i];
        }
    }
    more.count = slots->count;
    free(slots->items);
    *slots = more;
    return true;
}

/* The slot of the key, made when new; NULL when memory is short. */
static struct cli_slot *slots_put(struct cli_slots *slots, struct stile_str key)
{
    uint64_t hash = stile_str_hash(key);
    struct cli_slot *slot;

    /* At most half full, so that the walk above ends soon. */
    if (slots->count * 2 >= slots->capacity && !slots_grow(slots)) {
        return NULL;
    }
    slot = slot_of(slots, hash, key);
    if (slot->at == 0) {
        slot->hash = hash;
        slot->key = key;
        slots->count++;
    }
    return slot;
}

static size_t slots_get(const struct cli_slots *slots, struct stile_str key)
{
    return slots->capacity == 0 ? 0
                                : slot_of(slots, stile_str_hash(key), key)->at;
}

/* ---- rows
 * --------------------------------------------------------------------- */

void stile__cli_rows_init(struct cli_rows *rows, struct stile_arena *arena,
                          const struct stile_schema *schema,
                          const struct stile_mapset *wanted,
                          struct stile_diags *diags)
{
    *rows = (struct cli_rows){
        .arena = arena, .schema = schema, .diags = diags, .wanted = wanted};
}

void stile__cli_rows_release(struct cli_rows *rows)
{
    for (size_t i = 0; i < rows->index_count; i++) {
        free(rows->indexes[i].slots.items);
    }
    free(rows->by_key.items);
    free(rows->by_person.items);
    free(rows->items);
    free(rows->persons);
    *rows = (struct cli_rows){0};
}

static bool grow(void **items, size_t *capacity, size_t count, size_t size)
{
    size_t wanted = *capacity == 0 ? 256 : *capacity * 2;
    void *more;

    if (count < *capacity) {
        return true;
    }
    if (wanted > SIZE_MAX / size) {
        return false;
    }
    more = realloc(*items, wanted * size);
    if (!more) {
        return false;
    }
    *items = more;
    *capacity = wanted;
    return true;
}

void stile__cli_rows_key(const struct stile_row *row,
                         const struct stile_table *table, struct stile_buf *out)
{
    if (table->key_count == 0) {
        return;
    }
    stile_buf_add(out, table->name);
    for (size_t i = 0; i < table->key_count; i++) {
        stile_buf_byte(out, 0x1f);
        stile_buf_add(out, row->cells[table->keys[i]]);
    }
}

static struct stile_str key_of(struct cli_rows *rows,
                               const struct cli_row *item)
{
    struct stile_buf key;
    struct stile_str made;

    stile_buf_init(&key, 1u << 20);
    stile__cli_rows_key(&item->row, item->table, &key);
    made = stile_arena_str(rows->arena, stile_buf_str(&key));
    stile_buf_release(&key);
    return made;
}

bool stile__cli_rows_deleted(const struct cli_rows *rows,
                             const struct stile_row *row,
                             const struct stile_table *table)
{
    struct stile_str column = stile_schema_dialect(rows->schema, table->family,
                                                   table->version, "deleted");
    struct stile_str cell =
        column.len > 0 ? stile_row_get(row, column) : STILE_STR_NULL;

    return stile_str_eq_nocase(cell, STILE_STR("true")) ||
           stile_str_eqc(cell, "1");
}

/* A free appointment, an entry in words, a row that only says that it is gone:
 * where the person is no part of the key, none need be named. */
bool stile__cli_rows_nobodys(const struct cli_rows *rows,
                             const struct stile_row *row,
                             const struct stile_table *table)
{
    struct stile_str person = row->cells[table->person_column];

    return (person.len == 0 && !table->columns[table->person_column].key) ||
           (person.len > 0 &&
            stile_str_eq(person,
                         stile_schema_dialect(rows->schema, table->family,
                                              table->version, "none")));
}

size_t stile__cli_rows_person(struct cli_rows *rows, struct stile_str key)
{
    struct cli_slot *slot = slots_put(&rows->by_person, key);
    void *persons = rows->persons;

    if (!slot) {
        return 0;
    }
    if (slot->at == 0) {
        if (!grow(&persons, &rows->person_capacity, rows->person_count,
                  sizeof(*rows->persons))) {
            return 0;
        }
        rows->persons = persons;
        if (rows->spill) {
            key = stile_arena_str(rows->arena, key);
            slot->key = key;
        }
        rows->persons[rows->person_count++] = (struct cli_person){.key = key};
        slot->at = rows->person_count;
    }
    return slot->at;
}

static bool add_person(struct cli_rows *rows, size_t at, struct stile_str key)
{
    size_t number = stile__cli_rows_person(rows, key);
    struct cli_person *person;

    if (number == 0) {
        return false;
    }
    person = &rows->persons[number - 1];
    if (person->last > 0) {
        rows->items[person->last - 1]->next = at;
    } else {
        person->first = at;
    }
    person->last = at;
    person->count++;
    return true;
}

static bool add_row(struct cli_rows *rows, const struct stile_row *row,
                    const struct stile_table *table)
{
    struct cli_row *item = stile_arena_alloc(rows->arena, sizeof(*item));
    void *items = rows->items;
    struct cli_slot *slot = NULL;
    struct stile_str key;

    if (!item ||
        !grow(&items, &rows->capacity, rows->count, sizeof(*rows->items))) {
        return false;
    }
    rows->items = items;
    item->row = *row;
    item->table = table;
    key = key_of(rows, item);
    rows->read++;
    if (key.len > 0) {
        slot = slots_put(&rows->by_key, key);
        if (!slot) {
            return false;
        }
        if (slot->at != 0) {
            rows->items[slot->at - 1]->gone = true;
            rows->items[slot->at - 1]->replaced = true;
            rows->replaced++;
        }
    }
    if (stile__cli_rows_deleted(rows, row, table)) {
        item->gone = true;
        rows->deleted++;
    }
    rows->items[rows->count++] = item;
    if (slot) {
        slot->at = rows->count;
    }
    if (table->person_column == UINT32_MAX) {
        return true; /* codes, places, staff: for look-ups */
    }
    if (stile__cli_rows_nobodys(rows, row, table)) {
        rows->nobodys++;
        return true;
    }
    return add_person(rows, rows->count, row->cells[table->person_column]);
}

struct stile_str stile__cli_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return stile_str_cstr(slash ? slash + 1 : path);
}

/* The table by name, of whatever family has it. */
static const struct stile_table *table_named(const struct stile_schema *schema,
                                             struct stile_str name)
{
    for (size_t i = 0; i < stile_schema_count(schema); i++) {
        const struct stile_table *table = stile_schema_at(schema, i);

        if (stile_str_eq_nocase(table->name, name)) {
            return stile_schema_table(schema, table->family, STILE_STR_NULL,
                                      table->name);
        }
    }
    return NULL;
}

/* The version whose column names the decoded rows carry. */
const struct stile_table *
stile__cli_rows_table(const struct stile_schema *schema,
                      const struct stile_row *row)
{
    const struct stile_table *newest = NULL;

    for (size_t i = 0; i < stile_schema_count(schema); i++) {
        const struct stile_table *table = stile_schema_at(schema, i);

        if (stile_str_eq(table->name, row->table)) {
            newest = table;
            if (table->column_names == row->columns) {
                return table;
            }
        }
    }
    /* Columns nobody knows stand behind the table's own: the names do. */
    for (size_t i = 0; newest && i < stile_schema_count(schema); i++) {
        const struct stile_table *table = stile_schema_at(schema, i);
        size_t same = 0;

        while (stile_str_eq(table->name, row->table) && same < table->count &&
               same < row->count &&
               stile_str_eq(table->column_names[same], row->columns[same])) {
            same++;
        }
        if (same > 0 && same == table->count) {
            return table;
        }
    }
    return NULL;
}

enum stile_status stile__cli_rows_add(struct cli_rows *rows,
                                      const struct stile_row *row)
{
    const struct stile_table *found = stile__cli_rows_table(rows->schema, row);

    if (!found) {
        return STILE_UNSUPPORTED;
    }
    return add_row(rows, row, found) ? STILE_OK : STILE_NOMEM;
}

static enum stile_status take(struct cli_rows *rows, const char *path,
                              const struct stile_table *table)
{
    const struct stile_format *csv = stile_format_find(STILE_STR("csv"));
    struct stile_decoded decoded = {0};
    struct stile_format_input input = {
        .name = stile_arena_str(rows->arena, stile__cli_base(path)),
        .schema = rows->schema,
        .table = table->name,
        .csv = STILE_CSV_LIMITS};
    enum stile_status status;

    if (!stile__cli_read(path, FILE_BYTES_MAX, rows->arena, &input.bytes)) {
        return STILE_IO;
    }
    status = csv->decode(&input, rows->arena, rows->diags, &decoded);
    if (status != STILE_OK) {
        return status;
    }
    rows->bad += decoded.bad_rows;
    for (size_t i = 0; status == STILE_OK && i < decoded.row_count; i++) {
        status = stile__cli_rows_add(rows, &decoded.rows[i]);
    }
    return status;
}

enum stile_status stile__cli_rows_file(struct cli_rows *rows, const char *path,
                                       struct stile_str table)
{
    const struct stile_table *found;
    struct stile_emis_name name;

    if (table.len == 0 && stile_emis_name_parse(stile__cli_base(path), &name)) {
        table = name.table;
    } else if (table.len == 0 &&
               !stile_systmone_name_parse(stile__cli_base(path), &table)) {
        return STILE_NOT_FOUND;
    }
    found = table_named(rows->schema, table);
    if (!found) {
        return STILE_NOT_FOUND;
    }
    if (rows->wanted &&
        !stile_mapset_reads(rows->wanted, found->family, found->name)) {
        rows->passed_over++;
        return STILE_OK;
    }
    return rows->spill ? stile__cli_spill_file(rows, path, found)
                       : take(rows, path, found);
}

enum stile_status stile__cli_rows_case(struct cli_rows *rows, const char *path)
{
    bool csv = stile_str_ends(stile_str_cstr(path), STILE_STR(".csv"));
    const struct stile_format *format =
        stile_format_find(csv ? STILE_STR("vcse-csv") : STILE_STR("vcse-json"));
    struct stile_format_input input = {.name = stile__cli_base(path),
                                       .schema = rows->schema,
                                       .json = STILE_JSON_LIMITS,
                                       .csv = STILE_CSV_LIMITS};
    struct stile_decoded decoded = {0};
    enum stile_status status;

    if (!format ||
        !stile__cli_read(path, FILE_BYTES_MAX, rows->arena, &input.bytes)) {
        return STILE_IO;
    }
    status = format->decode(&input, rows->arena, rows->diags, &decoded);
    rows->bad += decoded.bad_rows;
    for (size_t i = 0; status == STILE_OK && i < decoded.row_count; i++) {
        status = stile__cli_rows_add(rows, &decoded.rows[i]);
    }
    return status;
}

static bool sample_file(struct cli_rows *rows, const char *path,
                        struct stile_str table)
{
    enum stile_status status = STILE_NOT_FOUND;

    if (!stile_str_ends(stile_str_cstr(path), STILE_STR(".json"))) {
        status = stile__cli_rows_file(rows, path, table);
    }
    if (status == STILE_NOT_FOUND) {
        status = stile__cli_rows_case(rows, path);
    }
    if (status != STILE_OK) {
        stile__cli_say("%s: %s", path, stile_status_text(status));
    }
    return status == STILE_OK;
}

static bool is_case(struct stile_str name)
{
    return stile_str_ends(name, STILE_STR(".json")) ||
           stile_str_eqc(name, "cases.csv");
}

/* A folder's files; those of no known table are counted and said. */
static bool sample_folder(struct cli_rows *rows, const char *path,
                          const struct stile_str *names, size_t count)
{
    size_t unknown = 0;

    for (size_t i = 0; i < count; i++) {
        const char *file = stile_path_join(rows->arena, path, names[i]);
        enum stile_status status =
            file ? stile__cli_rows_file(rows, file, STILE_STR_NULL)
                 : STILE_NOMEM;

        if (status == STILE_NOT_FOUND && is_case(names[i])) {
            status = stile__cli_rows_case(rows, file);
        }
        unknown += status == STILE_NOT_FOUND ? 1 : 0;
        if (status != STILE_OK && status != STILE_NOT_FOUND) {
            stile__cli_say("%.*s: %s", STILE_FMT(names[i]),
                           stile_status_text(status));
            return false;
        }
    }
    if (unknown > 0) {
        stile__cli_say("%s: %zu files of no known table were passed over", path,
                       unknown);
    }
    return true;
}

bool stile__cli_rows_sample(struct cli_rows *rows, char *const *paths,
                            size_t path_count, struct stile_str table)
{
    for (size_t i = 0; i < path_count; i++) {
        struct stile_str *names = NULL, error;
        size_t count = 0;
        bool folder = stile_folder_list(paths[i], rows->arena, &names, &count,
                                        &error) == STILE_OK;

        if (folder ? !sample_folder(rows, paths[i], names, count)
                   : !sample_file(rows, paths[i], table)) {
            return false;
        }
    }
    if (rows->count == 0) {
        stile__cli_say("no rows were found");
    }
    stile__cli_rows_say_replaced(rows);
    return rows->count > 0;
}

void stile__cli_rows_say_replaced(const struct cli_rows *rows)
{
    if (rows->replaced > 0) {
        stile__cli_say("%llu rows have the key of a later one and are replaced "
                       "by it; they are looked at here too",
                       (unsigned long long)rows->replaced);
    }
}

/* ---- look-ups
 * -------------------------------------------------------------------- */

static struct cli_index *index_of(struct cli_rows *rows, struct stile_str table,
                                  struct stile_str column)
{
    struct cli_index *index;

    for (size_t i = 0; i < rows->index_count; i++) {
        if (stile_str_eq(rows->indexes[i].table, table) &&
            stile_str_eq(rows->indexes[i].column, column)) {
            return &rows->indexes[i];
        }
    }
    if (rows->index_count == CLI_INDEXES_MAX) {
        return NULL;
    }
    index = &rows->indexes[rows->index_count++];
    index->table = stile_arena_str(rows->arena, table);
    index->column = stile_arena_str(rows->arena, column);
    return index;
}

static bool index_fill(struct cli_rows *rows, struct cli_index *index)
{
    for (; index->upto < rows->count; index->upto++) {
        const struct cli_row *item = rows->items[index->upto];
        struct stile_str cell;
        struct cli_slot *slot;

        if (item->gone || !stile_str_eq(item->row.table, index->table)) {
            continue;
        }
        cell = stile_row_get(&item->row, index->column);
        if (cell.len == 0) {
            continue;
        }
        slot = slots_put(&index->slots, cell);
        if (!slot) {
            return false;
        }
        if (slot->at == 0) {
            slot->at = index->upto + 1;
        }
    }
    return true;
}

/* The file of another table of the same batch, from the same folder. */
static bool is_beside(struct stile_str own, struct stile_str other,
                      struct stile_str table)
{
    struct stile_emis_name a, b;
    struct stile_str name;

    if (stile_systmone_name_parse(own, &name)) {
        return stile_systmone_name_parse(other, &name) &&
               stile_str_eq_nocase(name, table);
    }
    return stile_emis_name_parse(own, &a) && stile_emis_name_parse(other, &b) &&
           stile_str_eq(a.batch, b.batch) &&
           stile_str_eq_nocase(b.table, table);
}

static void load_beside(struct cli_rows *rows, struct stile_str table)
{
    const char *slash = strrchr(rows->beside, '/');
    const char *folder =
        slash ? stile_arena_cstr(
                    rows->arena,
                    (struct stile_str){rows->beside,
                                       (size_t)(slash - rows->beside) + 1})
              : ".";
    struct stile_str *names = NULL, error;
    size_t count = 0;

    if (!folder || stile_folder_list(folder, rows->arena, &names, &count,
                                     &error) != STILE_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *path;

        if (!is_beside(stile__cli_base(rows->beside), names[i], table)) {
            continue;
        }
        path = stile_path_join(rows->arena, folder, names[i]);
        /* A look-up that finds nothing says so itself. */
        if (path) {
            (void)!stile__cli_rows_file(rows, path, table);
        }
    }
}

const struct stile_row *stile__cli_rows_find(struct cli_rows *rows,
                                             struct stile_str table,
                                             struct stile_str column,
                                             struct stile_str key)
{
    size_t known = rows->index_count;
    struct cli_index *index;
    size_t at;

    if (rows->spill) {
        return stile__cli_spill_find(rows, table, column, key);
    }
    index = index_of(rows, table, column);
    if (index && rows->index_count > known && rows->beside) {
        bool loaded = false;

        for (size_t i = 0; i < rows->count && !loaded; i++) {
            loaded = stile_str_eq(rows->items[i]->row.table, table);
        }
        if (!loaded) {
            load_beside(rows, table);
        }
    }
    if (!index || !index_fill(rows, index)) {
        return NULL;
    }
    at = slots_get(&index->slots, key);
    return at == 0 ? NULL : &rows->items[at - 1]->row;
}

enum stile_status stile__cli_rows_lookup(void *ctx, struct stile_str family,
                                         struct stile_str table,
                                         struct stile_str column,
                                         struct stile_str key,
                                         const struct stile_row **ret)
{
    const struct stile_row *row = stile__cli_rows_find(ctx, table, column, key);

    (void)family; /* files of one family are loaded */
    if (!row) {
        return STILE_NOT_FOUND;
    }
    *ret = row;
    return STILE_OK;
}

enum stile_status stile__cli_rows_ask(void *ctx,
                                      const struct stile_map_ask *ask,
                                      const struct stile_row *const **ret,
                                      size_t *ret_count)
{
    struct cli_rows *rows = ctx;

    if (!rows->groups || rows->grouped != rows->count) {
        rows->groups = stile_map_rows_new(rows->count, rows->arena);
        rows->grouped = rows->count;
        for (size_t i = 0; rows->groups && i < rows->count; i++) {
            if (!rows->items[i]->gone) {
                stile_map_rows_add(rows->groups, &rows->items[i]->row);
            }
        }
    }
    return rows->groups ? stile_map_rows_ask(rows->groups, ask, ret, ret_count)
                        : STILE_NOMEM;
}
