/* vcse-json, reading: one object or an array of them, a case each. */
#include "vcse_private.h"

struct reading {
    const struct stile_format_input *input;
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile__rows rows;
    struct stile_str exported_at;
    size_t bad_rows;
    bool failed; /* out of memory */
    /* of the object being read */
    struct stile_str case_ref, person_ref;
};

static bool single(struct stile_str name)
{
    return stile_str_eqc(name, "person") || stile_str_eqc(name, "case") ||
           stile_str_eqc(name, "organisation");
}

/* `member` is set where the name is not one of ours. */
static void report(const struct reading *r, const char *code,
                   enum stile_severity severity, const struct stile_value *at,
                   const struct stile_value *member, const char *message)
{
    struct stile_buf path;
    stile_buf_init(&path, 4096);
    stile_value_place(at, &path);
    if (member != NULL) {
        stile__json_path_name(&path, member->name);
    }
    stile_diag_at_record(r->diags, code, severity, r->input->name, 0,
                         stile_buf_str(&path), message);
    stile_buf_release(&path);
}

static const struct stile_table *table_of(const struct reading *r,
                                          struct stile_str json_name)
{
    const struct stile_schema *schema = r->input->schema;
    for (size_t i = 0; i < stile_schema_count(schema); i++) {
        const struct stile_table *t = stile_schema_at(schema, i);
        if (t->json_name.len > 0 &&
            stile_str_eq(t->family, STILE__VCSE_FAMILY) &&
            stile_str_eq(t->json_name, json_name)) {
            return t;
        }
    }
    return NULL;
}

/* Text of a cell; numbers and booleans by their text. */
static bool cell_text(const struct reading *r, const struct stile_value *value,
                      const struct stile_column *column,
                      const struct stile_value *row, struct stile_str *ret)
{
    enum stile_column_type type =
        column != NULL ? column->type : STILE_COL_TEXT;
    switch (value->kind) {
    case STILE_NULL:
        *ret = STILE_STR("");
        return true;
    case STILE_STRING:
        *ret = value->text;
        return true;
    case STILE_NUMBER:
        if (type != STILE_COL_INT && type != STILE_COL_DECIMAL) {
            report(r, "V205", STILE_NOTE, row, value,
                   "send this column as a string; a number cannot carry "
                   "leading zeros");
        }
        *ret = value->text;
        return true;
    case STILE_BOOL:
        if (type == STILE_COL_BOOL) {
            *ret = value->boolean ? STILE_STR("Y") : STILE_STR("N");
        } else {
            *ret = value->boolean ? STILE_STR("true") : STILE_STR("false");
        }
        return true;
    default:
        report(r, "V204", STILE_ERROR, row, value,
               "send each column as one string; rows hold no lists or "
               "objects");
        return false;
    }
}

/* A reference the enclosing object gives: filled in where it is left out,
 * refused where it says something else. */
static bool enclose(const struct reading *r, const struct stile_table *table,
                    const struct stile_value *object, const char *column,
                    struct stile_str ref, struct stile_str *cells)
{
    uint32_t at = stile_table_column(table, stile_str_cstr(column));
    if (at == UINT32_MAX || ref.len == 0) {
        return true;
    }
    if (cells[at].len == 0) {
        cells[at] = ref;
        return true;
    }
    if (stile_str_eq(cells[at], ref)) {
        return true;
    }
    report(r, "V207", STILE_ERROR, object, NULL,
           "put this row into the object of its own person and case");
    return false;
}

static size_t unknown_members(const struct stile_table *table,
                              const struct stile_value *object)
{
    size_t count = 0;
    for (const struct stile_value *m = object->first; m != NULL; m = m->next) {
        count += stile_table_column(table, m->name) == UINT32_MAX ? 1 : 0;
    }
    return count;
}

static bool fill_row(struct reading *r, const struct stile_table *table,
                     const struct stile_value *object,
                     struct stile_str *columns, struct stile_str *cells)
{
    size_t extra = table->count;
    bool ok = true;
    for (const struct stile_value *m = object->first; m != NULL; m = m->next) {
        uint32_t at = stile_table_column(table, m->name);
        const struct stile_column *column = NULL;
        struct stile_str text = STILE_STR("");
        if (at != UINT32_MAX) {
            column = &table->columns[at];
        } else {
            report(r, "V206", STILE_WARNING, object, m,
                   "this column is not known; it is kept but no mapping "
                   "reads it");
            at = (uint32_t)extra++;
            columns[at] = m->name;
        }
        if (cells[at].ptr != NULL) {
            report(r, "V204", STILE_ERROR, object, m,
                   "name each column once, whatever its case");
            ok = false;
        }
        ok = cell_text(r, m, column, object, &text) && ok;
        cells[at] = text;
    }
    return enclose(r, table, object, "case_ref", r->case_ref, cells) &&
           enclose(r, table, object, "person_ref", r->person_ref, cells) && ok;
}

static void read_row(struct reading *r, const struct stile_table *table,
                     const struct stile_value *object, uint64_t number)
{
    if (object->kind != STILE_OBJECT) {
        report(r, "V203", STILE_ERROR, object, NULL,
               "give this row as a JSON object");
        r->bad_rows++;
        return;
    }
    size_t unknown = unknown_members(table, object);
    size_t count = table->count + unknown;
    const struct stile_str *names = table->column_names;
    struct stile_str *columns = NULL;
    struct stile_str *cells = stile_arena_array(r->arena, count, sizeof *cells);
    if (unknown > 0) {
        columns = stile_arena_array(r->arena, count, sizeof *columns);
        names = columns;
    }
    if (cells == NULL || names == NULL) {
        r->failed = true;
        return;
    }
    if (columns != NULL) {
        memcpy(columns, table->column_names, table->count * sizeof *columns);
    }
    if (!fill_row(r, table, object, columns, cells)) {
        r->bad_rows++;
        return;
    }
    struct stile_row row = {.table = table->name,
                            .columns = names,
                            .cells = cells,
                            .count = count,
                            .number = number,
                            .file = r->input->name};
    r->failed = !stile__rows_add(&r->rows, row) || r->failed;
}

static void read_member(struct reading *r, const struct stile_value *object,
                        const struct stile_value *member)
{
    if (stile_str_eqc(member->name, "format")) {
        return;
    }
    if (stile_str_eqc(member->name, "exported_at")) {
        if (member->kind == STILE_STRING) {
            r->exported_at = member->text;
        } else {
            report(r, "V203", STILE_WARNING, member, NULL,
                   "give exported_at as a string");
        }
        return;
    }
    const struct stile_table *table = table_of(r, member->name);
    if (table == NULL) {
        report(r, "V202", STILE_WARNING, object, member,
               "this member is not of the format and was not read");
        return;
    }
    if (single(member->name)) {
        read_row(r, table, member, 1);
        return;
    }
    if (member->kind != STILE_ARRAY) {
        report(r, "V203", STILE_ERROR, member, NULL,
               "give these rows as a JSON array");
        r->bad_rows++;
        return;
    }
    uint64_t number = 0;
    for (const struct stile_value *v = member->first; v != NULL; v = v->next) {
        read_row(r, table, v, ++number);
    }
}

static struct stile_str ref_of(const struct stile_value *object,
                               const char *table, const char *column)
{
    const struct stile_value *ref =
        stile_value_getc(stile_value_getc(object, table), column);
    if (ref == NULL ||
        (ref->kind != STILE_STRING && ref->kind != STILE_NUMBER)) {
        return STILE_STR_NULL;
    }
    return ref->text;
}

static void read_object(struct reading *r, const struct stile_value *object)
{
    const struct stile_value *format = stile_value_getc(object, "format");
    if (object->kind != STILE_OBJECT || format == NULL ||
        format->kind != STILE_STRING ||
        !stile_str_eqc(format->text, STILE__VCSE_FORMAT)) {
        report(r, "V201", STILE_ERROR, object, NULL,
               "send objects whose format is \"" STILE__VCSE_FORMAT "\"");
        r->bad_rows++;
        return;
    }
    r->case_ref = ref_of(object, "case", "case_ref");
    r->person_ref = ref_of(object, "person", "person_ref");
    if (r->person_ref.len == 0) {
        r->person_ref = ref_of(object, "case", "person_ref");
    }
    for (const struct stile_value *m = object->first; m != NULL; m = m->next) {
        read_member(r, object, m);
    }
}

/* Rows that belong to no one case are repeated in each of a person's cases:
 * of equal ones the first is kept. */
static bool shared_table(const struct reading *r, struct stile_str name)
{
    const struct stile_table *t = table_of(r, name);
    return t != NULL &&
           stile_table_column(t, STILE_STR("case_ref")) == UINT32_MAX &&
           stile_table_column(t, STILE_STR("plan_ref")) == UINT32_MAX &&
           stile_table_column(t, STILE_STR("need_ref")) == UINT32_MAX;
}

static enum stile_status join_shared(struct reading *r)
{
    bool *dup = calloc(r->rows.count + 1, sizeof *dup);
    size_t n = 0;
    if (dup == NULL) {
        return STILE_NOMEM;
    }
    enum stile_status status =
        stile__rows_twice(r->rows.items, r->rows.count, dup);
    for (size_t i = 0; status == STILE_OK && i < r->rows.count; i++) {
        if (!dup[i] || !shared_table(r, r->rows.items[i].table)) {
            r->rows.items[n++] = r->rows.items[i];
        }
    }
    if (status == STILE_OK) {
        r->rows.count = n;
    }
    free(dup);
    return status;
}

/* ---- one key, one row ---- */

static const struct stile_table *keyed_table(const struct reading *r,
                                             struct stile_str name)
{
    return stile_schema_table(r->input->schema, STILE__VCSE_FAMILY,
                              STILE_STR(""), name);
}

static int key_cmp(const struct stile_table *table, const struct stile_row *a,
                   const struct stile_row *b)
{
    int order = 0;
    for (uint32_t i = 0; order == 0 && i < table->key_count; i++) {
        uint32_t at = table->keys[i];
        order = stile_str_cmp(a->cells[at], b->cells[at]);
    }
    return order;
}

struct keyed {
    const struct stile_table *table;
    const struct stile_row *row;
};

/* Rows of one key stand in the order they came. */
static int by_table_and_key(const void *x, const void *y)
{
    const struct keyed *a = x;
    const struct keyed *b = y;
    int order = stile_str_cmp(a->table->name, b->table->name);
    if (order == 0) {
        order = key_cmp(a->table, a->row, b->row);
    }
    if (order != 0) {
        return order;
    }
    return a->row < b->row ? -1 : 1;
}

static bool key_is_whole(const struct stile_table *table,
                         const struct stile_row *row)
{
    bool whole = table != NULL && table->key_count > 0;
    for (uint32_t i = 0; whole && i < table->key_count; i++) {
        whole = row->cells[table->keys[i]].len > 0;
    }
    return whole;
}

static void refuse_twice(struct reading *r, const struct keyed *sorted,
                         size_t count, bool *ret_bad)
{
    for (size_t i = 1; i < count; i++) {
        const struct keyed *k = &sorted[i];
        if (k->table == sorted[i - 1].table &&
            key_cmp(k->table, k->row, sorted[i - 1].row) == 0) {
            ret_bad[k->row - r->rows.items] = true;
        }
    }
    for (size_t i = 0; i < r->rows.count; i++) {
        const struct stile_row *row = &r->rows.items[i];
        if (ret_bad[i]) {
            (void)stile_diag_at_record(
                r->diags, "V213", STILE_ERROR, row->file, row->number,
                row->table,
                "give each row of a table a key of its own; another row has "
                "this one's");
            r->bad_rows++;
        }
    }
}

/* Two rows of one key would be one resource twice, which no receiver takes:
 * the later one stays. */
static enum stile_status refuse_same_keys(struct reading *r)
{
    size_t count = 0, kept = 0;
    struct keyed *sorted = calloc(r->rows.count + 1, sizeof *sorted);
    bool *bad = calloc(r->rows.count + 1, sizeof *bad);
    bool ok = sorted != NULL && bad != NULL;
    for (size_t i = 0; ok && i < r->rows.count; i++) {
        struct stile_row *row = &r->rows.items[i];
        const struct stile_table *table = keyed_table(r, row->table);
        if (key_is_whole(table, row)) {
            sorted[count++] = (struct keyed){table, row};
        }
    }
    if (ok) {
        qsort(sorted, count, sizeof *sorted, by_table_and_key);
        refuse_twice(r, sorted, count, bad);
        for (size_t i = 0; i < r->rows.count; i++) {
            if (!bad[i]) {
                r->rows.items[kept++] = r->rows.items[i];
            }
        }
        r->rows.count = kept;
    }
    free(sorted);
    free(bad);
    return ok ? STILE_OK : STILE_NOMEM;
}

static enum stile_status read_all(struct reading *r,
                                  const struct stile_value *root)
{
    enum stile_status status = STILE_OK;
    if (root->kind == STILE_ARRAY) {
        for (const struct stile_value *v = root->first; v != NULL;
             v = v->next) {
            read_object(r, v);
        }
        status = root->count > 1 ? join_shared(r) : STILE_OK;
    } else {
        read_object(r, root);
    }
    if (r->failed || stile_arena_failed(r->arena)) {
        return STILE_NOMEM;
    }
    if (status == STILE_OK) {
        status = refuse_same_keys(r);
    }
    if (status == STILE_OK && r->rows.count == 0) {
        if (r->bad_rows == 0) {
            report(r, "V203", STILE_ERROR, root, NULL,
                   "send at least one object with rows");
        }
        return STILE_INVALID;
    }
    return status;
}

static enum stile_status decode(const struct stile_format_input *input,
                                struct stile_arena *arena,
                                struct stile_diags *diags,
                                struct stile_decoded *ret)
{
    struct reading r = {.input = input, .arena = arena, .diags = diags};
    struct stile_decoded decoded = {0};
    struct stile_value *root = NULL;
    struct stile_str bytes = input->bytes;
    struct stile_str bom = STILE_STR("\xef\xbb\xbf");
    if (stile_str_starts(bytes, bom)) { /* this format allows one */
        bytes = stile_str_sub(bytes, bom.len, bytes.len - bom.len);
    }
    enum stile_status status =
        stile_json_decode(bytes, stile__json_limits_or(input->json),
                          input->name, arena, diags, &root);
    if (status == STILE_OK) {
        status = read_all(&r, root);
    }
    if (status == STILE_OK) {
        status = stile__rows_done(&r.rows, arena, &decoded);
    }
    free(r.rows.items);
    if (status == STILE_OK) {
        decoded.bad_rows = r.bad_rows;
        decoded.exported_at = r.exported_at;
        *ret = decoded;
    }
    return status;
}

const struct stile_format stile__format_vcse_json = {
    "vcse-json", "application/json", ".json", decode, stile__vcse_json_encode};
