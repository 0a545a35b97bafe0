/*
 * vcse-json, writing: rows are grouped into one object a case. A row is put
 * only where its references lead; one that leads nowhere stops the writing,
 * for it could land in another person's case.
 */
#include "vcse_private.h"

#define NOWHERE SIZE_MAX

struct ref {
    struct stile_str key;
    size_t row;
};

/* Rows by a reference, sorted. */
struct refs {
    struct ref *items;
    size_t count;
};

/* An object to be: a case, or a person without one. */
struct unit {
    size_t case_row, person_row; /* or NOWHERE */
};

enum kind {
    OF_UNIT,
    OF_PERSON,
    OF_ORGANISATION,
    OF_GROUP,
    REPEATED
};

struct place {
    enum kind kind;
    size_t unit;          /* OF_UNIT */
    struct stile_str ref; /* the others' */
};

struct writing {
    const struct stile_decoded *in;
    const struct stile_schema *schema;
    struct stile_str exported_at;
    struct stile_buf *out;
    struct stile_diags *diags;
    struct refs cases, persons, organisations, plans, needs, groups;
    struct refs unit_persons; /* person_ref of each unit; `row` is the unit */
    struct refs person_rows;  /* rows OF_PERSON by person_ref */
    struct unit *units;
    size_t unit_count;
    struct place *places; /* of each row */
    size_t *order;        /* row numbers OF_UNIT, by unit */
    size_t *unit_first;   /* in `order`, unit_count + 1 places */
    size_t *picked;       /* rows of the unit being written */
    size_t picked_count;
    size_t *used; /* of each row, the last unit it was written in + 1 */
};

static struct stile_str get(const struct stile_row *row, const char *column)
{
    return stile_row_get(row, stile_str_cstr(column));
}

static enum stile_status refuse(const struct writing *w, size_t row,
                                const char *code, const char *message)
{
    stile_diag_at_record(w->diags, code, STILE_ERROR, w->in->rows[row].file,
                         w->in->rows[row].number, w->in->rows[row].table,
                         message);
    return STILE_INVALID;
}

static int by_key(const void *a, const void *b)
{
    const struct ref *x = a;
    const struct ref *y = b;
    int order = stile_str_cmp(x->key, y->key);
    if (order != 0) {
        return order;
    }
    return x->row < y->row ? -1 : 1;
}

/* The first place with this key, or where it would stand. */
static size_t lower(const struct refs *refs, struct stile_str key)
{
    size_t low = 0;
    size_t high = refs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stile_str_cmp(refs->items[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static size_t find(const struct refs *refs, struct stile_str key)
{
    size_t at = lower(refs, key);
    return at < refs->count && stile_str_eq(refs->items[at].key, key)
               ? refs->items[at].row
               : NOWHERE;
}

/* Rows of `table` by `column`. Equal rows count once (the later ones become
 * REPEATED); different rows under one reference are refused. */
static enum stile_status index_table(struct writing *w, const char *table,
                                     const char *column, struct refs *ret)
{
    const struct stile_decoded *in = w->in;
    size_t n = 0;
    size_t kept = 0;
    struct ref *items = calloc(in->row_count + 1, sizeof *items);
    if (items == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < in->row_count; i++) {
        struct stile_str key = get(&in->rows[i], column);
        if (stile_str_eqc(in->rows[i].table, table) && key.len > 0) {
            items[n++] = (struct ref){key, i};
        }
    }
    ret->items = items;
    qsort(items, n, sizeof *items, by_key);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !stile_str_eq(items[kept - 1].key, items[i].key)) {
            items[kept++] = items[i];
        } else if (stile__row_cmp(&in->rows[items[kept - 1].row],
                                  &in->rows[items[i].row]) == 0) {
            w->places[items[i].row].kind = REPEATED;
        } else {
            return refuse(w, items[i].row, "V208",
                          "give each row its own reference; two different "
                          "rows share this one's");
        }
    }
    ret->count = kept;
    return STILE_OK;
}

static enum stile_status index_all(struct writing *w)
{
    const struct {
        const char *table, *column;
        struct refs *refs;
    } all[] = {{"case", "case_ref", &w->cases},
               {"person", "person_ref", &w->persons},
               {"organisation", "org_ref", &w->organisations},
               {"plan", "plan_ref", &w->plans},
               {"need", "need_ref", &w->needs},
               {"group", "group_ref", &w->groups}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        enum stile_status status =
            index_table(w, all[i].table, all[i].column, all[i].refs);
        if (status != STILE_OK) {
            return status;
        }
    }
    return STILE_OK;
}

/* One unit a case; then one for each person without a case. */
static enum stile_status make_units(struct writing *w)
{
    const struct stile_decoded *in = w->in;
    bool *has_case = calloc(in->row_count + 1, sizeof *has_case);
    w->units = calloc(in->row_count + 1, sizeof *w->units);
    if (has_case == NULL || w->units == NULL) {
        free(has_case);
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < in->row_count; i++) {
        if (!stile_str_eqc(in->rows[i].table, "case") ||
            w->places[i].kind == REPEATED) {
            continue;
        }
        size_t person = find(&w->persons, get(&in->rows[i], "person_ref"));
        if (person != NOWHERE) {
            has_case[person] = true;
        }
        w->places[i] = (struct place){.unit = w->unit_count};
        w->units[w->unit_count++] = (struct unit){i, person};
    }
    for (size_t i = 0; i < in->row_count; i++) {
        if (stile_str_eqc(in->rows[i].table, "person") && !has_case[i] &&
            w->places[i].kind != REPEATED) {
            w->units[w->unit_count++] = (struct unit){NOWHERE, i};
        }
    }
    free(has_case);
    return STILE_OK;
}

/* The unit of the case this reference names; an empty one is the only
 * case's. */
static size_t unit_of_case(const struct writing *w, struct stile_str ref)
{
    if (ref.len == 0) {
        return w->unit_count == 1 && w->units[0].case_row != NOWHERE ? 0
                                                                     : NOWHERE;
    }
    size_t row = find(&w->cases, ref);
    return row != NOWHERE ? w->places[row].unit : NOWHERE;
}

static size_t unit_of_plan(const struct writing *w, struct stile_str ref)
{
    if (ref.len == 0) {
        return unit_of_case(w, ref);
    }
    size_t row = find(&w->plans, ref);
    return row != NOWHERE ? unit_of_case(w, get(&w->in->rows[row], "case_ref"))
                          : NOWHERE;
}

static size_t unit_of_need(const struct writing *w, struct stile_str ref)
{
    if (ref.len == 0) {
        return unit_of_case(w, ref);
    }
    size_t row = find(&w->needs, ref);
    return row != NOWHERE ? unit_of_plan(w, get(&w->in->rows[row], "plan_ref"))
                          : NOWHERE;
}

static bool has_column(const struct stile_table *table, const char *column)
{
    return stile_table_column(table, stile_str_cstr(column)) != UINT32_MAX;
}

static struct stile_str person_of(const struct writing *w,
                                  const struct unit *unit)
{
    size_t row = unit->case_row != NOWHERE ? unit->case_row : unit->person_row;
    return get(&w->in->rows[row], "person_ref");
}

static bool place_row(struct writing *w, size_t i)
{
    const struct stile_row *row = &w->in->rows[i];
    const struct stile_table *table = stile_schema_table(
        w->schema, STILE__VCSE_FAMILY, STILE_STR(""), row->table);
    struct place *place = &w->places[i];
    if (place->kind == REPEATED || stile_str_eqc(row->table, "case")) {
        return true;
    }
    if (stile_str_eqc(row->table, "organisation")) {
        *place = (struct place){OF_ORGANISATION, 0, get(row, "org_ref")};
        return true;
    }
    if (stile_str_eqc(row->table, "group")) {
        *place = (struct place){OF_GROUP, 0, get(row, "group_ref")};
        return true;
    }
    if (has_column(table, "case_ref")) {
        place->unit = unit_of_case(w, get(row, "case_ref"));
    } else if (has_column(table, "plan_ref")) {
        place->unit = unit_of_plan(w, get(row, "plan_ref"));
    } else if (has_column(table, "need_ref")) {
        place->unit = unit_of_need(w, get(row, "need_ref"));
    } else {
        *place = (struct place){OF_PERSON, 0, get(row, "person_ref")};
        if (place->ref.len == 0 && w->unit_count == 1) {
            place->kind = OF_UNIT;
        }
        return place->kind == OF_UNIT ||
               find(&w->unit_persons, place->ref) != NOWHERE;
    }
    return place->unit != NOWHERE;
}

static enum stile_status index_units(struct writing *w)
{
    w->unit_persons.items =
        calloc(w->unit_count + 1, sizeof *w->unit_persons.items);
    if (w->unit_persons.items == NULL) {
        return STILE_NOMEM;
    }
    for (size_t u = 0; u < w->unit_count; u++) {
        w->unit_persons.items[u] = (struct ref){person_of(w, &w->units[u]), u};
    }
    w->unit_persons.count = w->unit_count;
    qsort(w->unit_persons.items, w->unit_count, sizeof(struct ref), by_key);
    return STILE_OK;
}

static enum stile_status index_person_rows(struct writing *w)
{
    struct refs *refs = &w->person_rows;
    refs->items = calloc(w->in->row_count + 1, sizeof *refs->items);
    if (refs->items == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < w->in->row_count; i++) {
        if (w->places[i].kind == OF_PERSON) {
            refs->items[refs->count++] = (struct ref){w->places[i].ref, i};
        }
    }
    qsort(refs->items, refs->count, sizeof(struct ref), by_key);
    return STILE_OK;
}

static enum stile_status place_rows(struct writing *w)
{
    for (size_t i = 0; i < w->in->row_count; i++) {
        if (!place_row(w, i)) {
            return refuse(w, i, "V209",
                          "give this row references that lead to one of the "
                          "cases; it was not written into any");
        }
    }
    /* Counting sort: rows by unit, in the order given. */
    w->order = calloc(w->in->row_count + 1, sizeof *w->order);
    w->unit_first = calloc(w->unit_count + 2, sizeof *w->unit_first);
    if (w->order == NULL || w->unit_first == NULL) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < w->in->row_count; i++) {
        if (w->places[i].kind == OF_UNIT) {
            w->unit_first[w->places[i].unit + 2]++;
        }
    }
    for (size_t u = 1; u < w->unit_count + 2; u++) {
        w->unit_first[u] += w->unit_first[u - 1];
    }
    for (size_t i = 0; i < w->in->row_count; i++) {
        if (w->places[i].kind == OF_UNIT) {
            w->order[w->unit_first[w->places[i].unit + 1]++] = i;
        }
    }
    return STILE_OK;
}

/* ---- objects ---- */

static void write_row(struct writing *w, const struct stile_row *row)
{
    bool first = true;
    stile_buf_byte(w->out, '{');
    for (size_t i = 0; i < row->count; i++) {
        if (row->cells[i].len == 0) {
            continue; /* blank is not known */
        }
        if (!first) {
            stile_buf_byte(w->out, ',');
        }
        first = false;
        stile_buf_json_str(w->out, row->columns[i]);
        stile_buf_byte(w->out, ':');
        stile_buf_json_str(w->out, row->cells[i]);
    }
    stile_buf_byte(w->out, '}');
}

static void write_single(struct writing *w, const char *name, size_t row,
                         size_t u)
{
    if (row != NOWHERE) {
        w->used[row] = u + 1;
        stile_buf_printf(w->out, ",\"%s\":", name);
        write_row(w, &w->in->rows[row]);
    }
}

static void pick(struct writing *w, size_t row, size_t u)
{
    if (w->used[row] != u + 1) {
        w->used[row] = u + 1;
        w->picked[w->picked_count++] = row;
    }
}

/* The unit's own rows, its person's, and the groups its contacts name. */
static void pick_rows(struct writing *w, size_t u)
{
    struct stile_str person = person_of(w, &w->units[u]);
    w->picked_count = 0;
    for (size_t k = w->unit_first[u]; k < w->unit_first[u + 1]; k++) {
        pick(w, w->order[k], u);
    }
    for (size_t k = lower(&w->person_rows, person);
         k < w->person_rows.count &&
         stile_str_eq(w->person_rows.items[k].key, person);
         k++) {
        pick(w, w->person_rows.items[k].row, u);
    }
    for (size_t k = w->unit_first[u]; k < w->unit_first[u + 1]; k++) {
        const struct stile_row *row = &w->in->rows[w->order[k]];
        size_t group = stile_str_eqc(row->table, "contact")
                           ? find(&w->groups, get(row, "group_ref"))
                           : NOWHERE;
        if (group != NOWHERE) {
            pick(w, group, u);
        }
    }
}

static void write_list(struct writing *w, const struct stile_table *table)
{
    bool first = true;
    for (size_t k = 0; k < w->picked_count; k++) {
        const struct stile_row *row = &w->in->rows[w->picked[k]];
        if (!stile_str_eq(row->table, table->name)) {
            continue;
        }
        stile_buf_byte(w->out, ',');
        if (first) {
            stile_buf_json_str(w->out, table->json_name);
            stile_buf_addc(w->out, ":[");
        }
        first = false;
        write_row(w, row);
    }
    if (!first) {
        stile_buf_byte(w->out, ']');
    }
}

static size_t organisation_of(const struct writing *w, const struct unit *unit)
{
    if (unit->case_row != NOWHERE) {
        struct stile_str ref = get(&w->in->rows[unit->case_row], "org_ref");
        if (ref.len > 0) {
            return find(&w->organisations, ref);
        }
    }
    return w->organisations.count == 1 ? w->organisations.items[0].row
                                       : NOWHERE;
}

static void write_unit(struct writing *w, size_t u)
{
    const struct unit *unit = &w->units[u];
    stile_buf_addc(w->out, "{\"format\":\"" STILE__VCSE_FORMAT "\"");
    if (w->exported_at.len > 0) {
        stile_buf_addc(w->out, ",\"exported_at\":");
        stile_buf_json_str(w->out, w->exported_at);
    }
    write_single(w, "organisation", organisation_of(w, unit), u);
    write_single(w, "person", unit->person_row, u);
    write_single(w, "case", unit->case_row, u);
    pick_rows(w, u);
    for (size_t i = 0; i < stile_schema_count(w->schema); i++) {
        const struct stile_table *t = stile_schema_at(w->schema, i);
        if (stile_str_eq(t->family, STILE__VCSE_FAMILY) &&
            t->json_name.len > 0 && !stile_str_eqc(t->name, "organisation") &&
            !stile_str_eqc(t->name, "person") &&
            !stile_str_eqc(t->name, "case")) {
            write_list(w, t);
        }
    }
    stile_buf_byte(w->out, '}');
}

/* ---- before and after ---- */

static enum stile_status check_tables(const struct writing *w)
{
    for (size_t i = 0; i < w->in->row_count; i++) {
        const struct stile_table *t = stile_schema_table(
            w->schema, STILE__VCSE_FAMILY, STILE_STR(""), w->in->rows[i].table);
        if (t == NULL || t->json_name.len == 0) {
            return refuse(w, i, "V211",
                          "give rows of the vcse-case level 2 tables");
        }
    }
    return STILE_OK;
}

/* Organisations and groups no unit names would be left out: told. */
static void report_unused(const struct writing *w)
{
    for (size_t i = 0; i < w->in->row_count; i++) {
        if (w->used[i] == 0 && w->places[i].kind != REPEATED) {
            stile_diag_at_record(w->diags, "V212", STILE_WARNING,
                                 w->in->rows[i].file, w->in->rows[i].number,
                                 w->in->rows[i].table,
                                 "name this row in a case; it was not "
                                 "written");
        }
    }
}

static enum stile_status write_all(struct writing *w)
{
    enum stile_status status = check_tables(w);
    w->places = calloc(w->in->row_count + 1, sizeof *w->places);
    w->picked = calloc(w->in->row_count + 1, sizeof *w->picked);
    w->used = calloc(w->in->row_count + 1, sizeof *w->used);
    if (w->places == NULL || w->picked == NULL || w->used == NULL) {
        return STILE_NOMEM;
    }
    if (status == STILE_OK) {
        status = index_all(w);
    }
    if (status == STILE_OK) {
        status = make_units(w);
    }
    if (status == STILE_OK && w->unit_count == 0) {
        stile_diag_at_record(w->diags, "V209", STILE_ERROR, STILE_STR_NULL, 0,
                             STILE_STR_NULL,
                             "give the row of a case or a person to write");
        status = STILE_INVALID;
    }
    if (status == STILE_OK) {
        status = index_units(w);
    }
    if (status == STILE_OK) {
        status = place_rows(w);
    }
    if (status == STILE_OK) {
        status = index_person_rows(w);
    }
    if (status != STILE_OK) {
        return status;
    }
    if (w->unit_count > 1) {
        stile_buf_byte(w->out, '[');
    }
    for (size_t u = 0; u < w->unit_count; u++) {
        if (u > 0) {
            stile_buf_byte(w->out, ',');
        }
        write_unit(w, u);
    }
    if (w->unit_count > 1) {
        stile_buf_byte(w->out, ']');
    }
    report_unused(w);
    return w->out->status;
}

enum stile_status stile__vcse_json_encode(const struct stile_decoded *decoded,
                                          const struct stile_schema *schema,
                                          struct stile_str exported_at,
                                          struct stile_buf *out,
                                          struct stile_diags *diags)
{
    struct writing w = {.in = decoded,
                        .schema = schema,
                        .exported_at = exported_at,
                        .out = out,
                        .diags = diags};
    enum stile_status status = write_all(&w);
    free(w.cases.items);
    free(w.persons.items);
    free(w.organisations.items);
    free(w.plans.items);
    free(w.needs.items);
    free(w.groups.items);
    free(w.unit_persons.items);
    free(w.person_rows.items);
    free(w.picked);
    free(w.used);
    free(w.units);
    free(w.places);
    free(w.order);
    free(w.unit_first);
    return status;
}
