/* Bytes or rows to the pivot. */
#include "exchange_private.h"

/* Rows of one table by one column's text, made when first asked for. */
struct stile__index {
    struct stile_str table, column;
    struct stile__map rows; /* text -> const struct stile_row * */
};

static const struct stile__index *index_of(struct stile_exchange *x,
                                           struct stile_str table,
                                           struct stile_str column)
{
    const struct stile__index *indexes = x->indexes.items;
    for (size_t i = 0; i < x->indexes.count; i++) {
        if (stile_str_eq(indexes[i].table, table) &&
            stile_str_eq(indexes[i].column, column)) {
            return &indexes[i];
        }
    }
    struct stile__index *made =
        stile__list_add(x->arena, &x->indexes, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    made->table = table;
    made->column = column;
    for (size_t i = 0; i < x->row_count; i++) {
        struct stile_row *row = (struct stile_row *)(uintptr_t)&x->rows[i];
        struct stile_str cell = stile_row_get(row, column);
        if (stile_str_eq(row->table, table) && cell.len > 0) {
            stile__map_put(x->arena, &made->rows, cell, row);
        }
    }
    return made;
}

/* A table that has a person column came whole with the message; a shared one
 * (codes, organisations, staff) is asked for. */
static bool is_shared(const struct stile_exchange *x, struct stile_str family,
                      struct stile_str table)
{
    const struct stile_table *found =
        stile_schema_table(x->plan->schema, family, STILE_STR_NULL, table);
    return x->message->format.len == 0 && found != NULL &&
           found->person_column == UINT32_MAX;
}

static enum stile_status ask_row(struct stile_exchange *x,
                                 struct stile_need what,
                                 const struct stile_row **ret,
                                 bool *ret_deleted)
{
    struct stile_str name = stile_arena_printf(
        x->arena, "%.*s\x1f%.*s\x1f%.*s", STILE_FMT(what.table),
        STILE_FMT(what.column), STILE_FMT(what.key));
    uintptr_t at = (uintptr_t)stile__map_get(&x->need_index, name);
    if (at != 0) {
        struct stile_need *need = (struct stile_need *)x->needs.items + at - 1;
        if (!need->answered) {
            return STILE_NEED;
        }
        *ret = &need->row;
        *ret_deleted = need->deleted;
        return need->found ? STILE_OK : STILE_NOT_FOUND;
    }
    struct stile_need *need =
        stile__list_add(x->arena, &x->needs, sizeof(*need));
    if (need == NULL) {
        return STILE_NOMEM;
    }
    *need = what;
    need->table = stile_arena_str(x->arena, what.table);
    need->column = stile_arena_str(x->arena, what.column);
    need->key = stile_arena_str(x->arena, what.key);
    stile__map_put(x->arena, &x->need_index, name,
                   (void *)(uintptr_t)x->needs.count);
    return STILE_NEED;
}

static bool was_deleted(const struct stile_exchange *x, struct stile_str table,
                        struct stile_str column, struct stile_str key)
{
    for (size_t i = 0; i < x->message->deleted_row_count; i++) {
        const struct stile_row *row = &x->message->deleted_rows[i];
        if (stile_str_eq(row->table, table) &&
            stile_str_eq(stile_row_get(row, column), key)) {
            return true;
        }
    }
    return false;
}

/* Which rows the row in hand looked for in vain: one of them is what a held
 * row waits for. Written as the store keeps it: table, U+001F, key. */
static void note_missing(struct stile_exchange *x,
                         const struct stile_need *what, bool shared,
                         bool deleted)
{
    struct stile__missing *missing =
        stile__list_add(x->arena, &x->missing, sizeof(*missing));
    if (missing != NULL) {
        missing->shared = shared;
        missing->deleted = deleted;
        missing->name =
            stile_arena_printf(x->arena, "%.*s\x1f%.*s", STILE_FMT(what->table),
                               STILE_FMT(what->key));
    }
}

/* `place` is the mapping's word for it: "Table.Column". */
static struct stile__missing missing_for(const struct stile_exchange *x,
                                         struct stile_str place)
{
    struct stile_str table =
        stile_str_sub(place, 0, stile_str_find(place, '.'));
    const struct stile__missing *missing = x->missing.items;
    for (size_t i = x->missing.count; i > 0; i--) {
        if (stile_str_starts(missing[i - 1].name, table) &&
            missing[i - 1].name.ptr[table.len] == '\x1f') {
            return missing[i - 1];
        }
    }
    return (struct stile__missing){.name = place};
}

static struct stile_str row_key(struct stile_exchange *x,
                                const struct stile_row *row)
{
    const struct stile_table *table = stile_schema_table(
        x->plan->schema, x->message->family, STILE_STR_NULL, row->table);
    struct stile_buf key;
    stile_buf_init(&key, 4096);
    for (size_t i = 0; table != NULL && i < table->key_count; i++) {
        if (i > 0) {
            stile_buf_byte(&key, '\x1f');
        }
        stile_buf_add(&key,
                      stile_row_get(row, table->columns[table->keys[i]].name));
    }
    struct stile_str made = stile_arena_str(x->arena, stile_buf_str(&key));
    stile_buf_release(&key);
    return made;
}

static enum stile_status lookup(void *ctx, struct stile_str family,
                                struct stile_str table, struct stile_str column,
                                struct stile_str key,
                                const struct stile_row **ret)
{
    struct stile_exchange *x = ctx;
    const struct stile__index *index = index_of(x, table, column);
    if (index == NULL) {
        return STILE_NOMEM;
    }
    const struct stile_row *row = stile__map_get(&index->rows, key);
    if (row != NULL) {
        *ret = row;
        return STILE_OK;
    }
    struct stile_need what = {.kind = STILE_NEED_ROW,
                              .family = family,
                              .table = table,
                              .column = column,
                              .key = key};
    if (!is_shared(x, family, table)) {
        note_missing(x, &what, false, was_deleted(x, table, column, key));
        return STILE_NOT_FOUND;
    }
    bool deleted = false;
    enum stile_status status = ask_row(x, what, ret, &deleted);
    if (status == STILE_NOT_FOUND) {
        note_missing(x, &what, true, deleted);
    }
    return status;
}

/* All rows of a group came with the message, as it is whole, or with the
 * person's record. */
static enum stile_status group_rows(void *ctx, const struct stile_map_ask *ask,
                                    const struct stile_row *const **ret,
                                    size_t *ret_count)
{
    struct stile_exchange *x = ctx;
    if (is_shared(x, ask->family, ask->table)) {
        return STILE_NOT_FOUND; /* an export's trip has not all of them */
    }
    if (x->groups == NULL) {
        x->groups = stile_map_rows_new(x->row_count, x->arena);
        for (size_t i = 0; x->groups != NULL && i < x->row_count; i++) {
            stile_map_rows_add(x->groups, &x->rows[i]);
        }
    }
    return x->groups != NULL
               ? stile_map_rows_ask(x->groups, ask, ret, ret_count)
               : STILE_NOMEM;
}

static void quarantine_row(struct stile_exchange *x,
                           const struct stile_row *row, size_t diags_before)
{
    struct stile_quarantine_new *q =
        stile__list_add(x->arena, &x->quarantine, sizeof(*q));
    x->refused_rows++;
    if (q == NULL) {
        return;
    }
    struct stile_buf cells, reason;
    stile_buf_init(&cells, x->plan->csv.row_bytes * 2 + 2);
    stile_csv_write_row(&cells, &stile_csv_rfc4180, row->cells, row->count);
    stile_buf_init(&reason, 1u << 16);
    for (size_t i = diags_before; i < x->diags.count; i++) {
        stile_diag_print(&x->diags.items[i], false, &reason);
    }
    q->source = x->message->source;
    q->name = row->file.len > 0 ? row->file : row->table;
    q->row = row->number;
    q->bytes = stile_arena_str(x->arena, stile_buf_str(&cells));
    q->reason = stile_arena_str(x->arena, stile_buf_str(&reason));
    stile_buf_release(&cells);
    stile_buf_release(&reason);
    stile__event(x, STILE_EVENT_QUARANTINE, STILE_STR_NULL,
                 "%.*s row %llu could not be used and is in quarantine: %.*s",
                 STILE_FMT(row->table), (unsigned long long)row->number,
                 STILE_FMT(x->diags.count > diags_before
                               ? x->diags.items[diags_before].message
                               : STILE_STR("see its findings")));
}

/* Rows of these types hold no coded entry and no consent; any other that could
 * not be read, or waits, may have been a refusal. */
static void doubt_row(struct stile_exchange *x,
                      const struct stile_map_result *result)
{
    static const char *const harmless[] = {"Encounter",
                                           "MedicationStatement",
                                           "Organization",
                                           "Practitioner",
                                           "PractitionerRole",
                                           "Task",
                                           "Goal",
                                           "CarePlan",
                                           NULL};
    struct stile_str type = stile_mapping_type(result->mapping);
    for (size_t i = 0; harmless[i] != NULL; i++) {
        if (stile_str_eqc(type, harmless[i])) {
            return;
        }
    }
    x->doubt = true;
}

static void hold_row(struct stile_exchange *x, const struct stile_row *row,
                     const struct stile_map_result *result)
{
    struct stile__missing missing = missing_for(x, result->missing);
    if (missing.deleted && !missing.shared) {
        return; /* it comes with the person's rows, should it come back */
    }
    struct stile_held_row *held =
        stile__list_add(x->arena, &x->held, sizeof(*held));
    if (held == NULL) {
        return;
    }
    held->feed = x->message->feed;
    held->table = row->table;
    held->key = row_key(x, row);
    held->missing = missing.name;
    held->reason = missing.deleted ? STILE_STR("the row it needs was deleted")
                                   : result->reason;
    held->since = x->message->now;
    stile__event(x, STILE_EVENT_HELD, STILE_STR_NULL, "%.*s waits: %.*s",
                 STILE_FMT(row->table), STILE_FMT(held->reason));
    if (missing.deleted) {
        return; /* nothing is in doubt: it makes nothing until then */
    }
    struct stile_str *type =
        stile__list_add(x->arena, &x->held_types, sizeof(*type));
    if (type != NULL) {
        *type = stile_mapping_type(result->mapping);
    }
    doubt_row(x, result);
}

/* Of a group that could not be used, all rows are kept. */
static void quarantine_result(struct stile_exchange *x,
                              const struct stile_row *row,
                              const struct stile_map_result *result,
                              size_t diags_before)
{
    if (result->row_count == 0) {
        quarantine_row(x, row, diags_before);
    }
    for (size_t i = 0; i < result->row_count; i++) {
        quarantine_row(x, result->rows[i], diags_before);
    }
}

/* All results of one row, or none: a row is all or nothing. */
static void take_results(struct stile_exchange *x, const struct stile_row *row,
                         const struct stile_map_result *results, size_t count,
                         size_t diags_before)
{
    for (size_t i = 0; i < count; i++) {
        if (results[i].kind == STILE_MAP_HELD && x->message->format.len > 0) {
            /* A message is whole when it comes: nothing more will. */
            (void)stile_diag_at_record(
                &x->diags, "X106", STILE_ERROR, x->message->name, row->number,
                row->table,
                "the row refers to one that is not in the message: send both "
                "in one");
            doubt_row(x, &results[i]);
            quarantine_result(x, row, &results[i], diags_before);
            return;
        }
        if (results[i].kind == STILE_MAP_DONE && results[i].id.len == 0) {
            /* Sent by PUT it would have no name, and be new each time. */
            (void)stile_diag_at_record(
                &x->diags, "X114", STILE_ERROR,
                row->file.len > 0 ? row->file : x->message->name, row->number,
                row->table,
                "its mapping wrote no id: let it write one from the row's key");
            doubt_row(x, &results[i]);
            quarantine_result(x, row, &results[i], diags_before);
            return;
        }
        if (results[i].kind == STILE_MAP_FAILED) {
            doubt_row(x, &results[i]);
            quarantine_result(x, row, &results[i], diags_before);
            return;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct stile_map_result *result = &results[i];
        if (result->kind == STILE_MAP_HELD) {
            hold_row(x, row, result);
        } else if (result->kind == STILE_MAP_DONE) {
            struct stile_value **slot = stile__list_add(
                x->arena, &x->pivot, sizeof(struct stile_value *));
            if (slot != NULL) {
                *slot = result->resource;
            }
        } else if (result->kind == STILE_MAP_DELETED) {
            struct stile__deleted *gone =
                stile__list_add(x->arena, &x->deleted, sizeof(*gone));
            if (gone != NULL) {
                gone->type = result->type;
                gone->id = result->id;
            }
        }
    }
}

static enum stile_status map_row(struct stile_exchange *x, size_t i,
                                 bool *ret_need)
{
    struct stile_map_env env = {x, lookup, group_rows};
    struct stile_map_result *results = NULL;
    x->missing.count = 0;
    size_t count = 0, before = x->diags.count;
    enum stile_status status =
        stile_map_right(x->plan->maps, &x->rows[i], x->message->family, &env,
                        x->arena, &x->diags, &results, &count);
    if (status != STILE_OK) {
        return status;
    }
    for (size_t k = 0; k < count; k++) {
        if (results[k].kind == STILE_MAP_NEED) {
            *ret_need = true;
            return STILE_OK;
        }
    }
    x->row_open[i] = false;
    take_results(x, &x->rows[i], results, count, before);
    return STILE_OK;
}

enum stile_status stile__map_rows(struct stile_exchange *x)
{
    bool need = false;
    for (size_t i = 0; i < x->row_count; i++) {
        if (x->row_open[i]) {
            enum stile_status status = map_row(x, i, &need);
            if (status != STILE_OK) {
                return status;
            }
        }
    }
    return need ? STILE_NEED : STILE_OK;
}

static enum stile_status open_rows(struct stile_exchange *x,
                                   const struct stile_row *rows, size_t count)
{
    x->rows = rows;
    x->row_count = count;
    x->row_open = stile_arena_array(x->arena, count, sizeof(bool));
    if (x->row_open == NULL) {
        return STILE_NOMEM;
    }
    memset(x->row_open, 1, count * sizeof(bool));
    return STILE_OK;
}

/* Rows the format itself could not read: the message is kept as it came, with
 * what was found in it, and the other rows go on. */
static void quarantine_unread(struct stile_exchange *x, size_t rows,
                              size_t diags_before)
{
    struct stile_quarantine_new *q =
        stile__list_add(x->arena, &x->quarantine, sizeof(*q));
    const struct stile_diag *first = NULL;
    struct stile_buf reason;
    if (q == NULL) {
        return;
    }
    stile_buf_init(&reason, 1u << 16);
    for (size_t i = diags_before; i < x->diags.count; i++) {
        const struct stile_diag *diag = &x->diags.items[i];
        if (diag->severity == STILE_ERROR) {
            first = first == NULL ? diag : first;
            stile_diag_print(diag, false, &reason);
        }
    }
    q->source = x->message->source;
    q->name = x->message->name;
    q->row = rows == 1 && first != NULL ? first->line : 0;
    q->bytes = x->message->bytes;
    q->reason = stile_arena_str(x->arena, stile_buf_str(&reason));
    stile_buf_release(&reason);
    stile__event(x, STILE_EVENT_QUARANTINE, STILE_STR_NULL,
                 "%zu rows of %.*s could not be read and are in quarantine: "
                 "%.*s",
                 rows, STILE_FMT(x->message->name),
                 STILE_FMT(first != NULL ? first->message
                                         : STILE_STR("see its findings")));
}

/* Rows of one table that no mapping reads. */
struct unmapped {
    struct stile_str table;
    size_t rows;
};

static struct unmapped *unmapped_of(struct stile_exchange *x,
                                    struct stile__list *list,
                                    struct stile_str table)
{
    struct unmapped *items = list->items;
    for (size_t i = 0; i < list->count; i++) {
        if (stile_str_eq(items[i].table, table)) {
            return &items[i];
        }
    }
    struct unmapped *made = stile__list_add(x->arena, list, sizeof(*made));
    if (made != NULL) {
        made->table = table;
    }
    return made;
}

/* A row that no mapping reads goes nowhere: its sender is told, a table at a
 * time. Of an export's tables `stile coverage` tells. */
static void tell_unmapped(struct stile_exchange *x,
                          const struct stile_decoded *decoded)
{
    struct stile__list list = {0}; /* of a family's tables: few */
    for (size_t i = 0; i < decoded->row_count; i++) {
        struct stile_str table = decoded->rows[i].table;
        struct unmapped *of =
            stile_mapset_reads(x->plan->maps, x->message->family, table)
                ? NULL
                : unmapped_of(x, &list, table);
        if (of != NULL) {
            of->rows++;
        }
    }
    const struct unmapped *items = list.items;
    for (size_t i = 0; i < list.count; i++) {
        struct stile_diag *diag = stile_diag_at_record(
            &x->diags, "X115", STILE_NOTE, x->message->name, 0, items[i].table,
            "no mapping reads this table, and its rows stay here");
        if (diag != NULL) {
            diag->message = stile_arena_printf(
                x->arena, "%.*s: %zu", STILE_FMT(diag->message), items[i].rows);
        }
    }
}

enum stile_status stile__decode(struct stile_exchange *x)
{
    const struct stile_message *message = x->message;
    if (message->format.len == 0) {
        return open_rows(x, message->rows, message->row_count);
    }
    const struct stile_format *format = stile_format_find(message->format);
    if (format == NULL) {
        return STILE_UNSUPPORTED;
    }
    struct stile_format_input input = {.bytes = message->bytes,
                                       .name = message->name,
                                       .schema = x->plan->schema,
                                       .json = x->plan->json,
                                       .csv = x->plan->csv,
                                       .now = message->received};
    struct stile_decoded decoded = {0};
    size_t before = x->diags.count;
    enum stile_status status =
        format->decode(&input, x->arena, &x->diags, &decoded);
    if (status != STILE_OK) {
        return status;
    }
    x->unread_rows = decoded.bad_rows;
    if (decoded.bad_rows > 0) {
        x->doubt = true;
        quarantine_unread(x, decoded.bad_rows, before);
    }
    if (decoded.root != NULL) {
        status = stile__flatten(x, decoded.root);
        return status == STILE_OK ? open_rows(x, NULL, 0) : status;
    }
    tell_unmapped(x, &decoded);
    return open_rows(x, decoded.rows, decoded.row_count);
}
