/* Resources to rows: running every mapping, and merging partial rows. */
#include "map_private.h"

/* A row under way. A joining part has no row of its own: its cells go to
 * the rows with the same values in its join columns. */
struct part {
    const struct stile_table *table;
    struct stile_str *cells;
    const uint32_t *join; /* columns; NULL: the part is a row */
    uint32_t join_count;
    bool quiet; /* nothing is lost when no row takes it */
    struct part *next, *chain;
};

#define BUCKETS_MAX 1024u

struct left {
    const struct stile_mapset *set;
    struct stile_str family;
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct part *rows, **rows_tail;
    struct part *joins, **joins_tail;
    struct part **buckets;
    size_t bucket_count; /* a power of two, for about as many resources */
    size_t row_count;
    struct stile_str *untaken; /* types no mapping took */
    size_t untaken_count;
};

static void note(struct left *l, enum stile__run_code code,
                 struct stile_str path)
{
    (void)stile_diag_at_record(l->diags, stile__run_code_name(code),
                               stile__run_code_severity(code), STILE_STR_NULL,
                               0, path, stile__run_code_text(code));
}

static void merge(struct left *l, struct part *into, const struct part *from)
{
    for (size_t i = 0; i < into->table->count; i++) {
        if (from->cells[i].len == 0) {
            continue;
        }
        if (into->cells[i].len == 0) {
            into->cells[i] = from->cells[i];
        } else if (!stile_str_eq(into->cells[i], from->cells[i])) {
            note(l, RUN_T205,
                 stile_arena_printf(l->arena, "%.*s.%.*s",
                                    STILE_FMT(into->table->name),
                                    STILE_FMT(into->table->columns[i].name)));
        }
    }
}

static uint64_t key_hash(const struct part *p)
{
    uint64_t h = stile_str_hash(p->table->name);
    for (size_t i = 0; i < p->table->key_count; i++) {
        h = h * 1099511628211u ^ stile_str_hash(p->cells[p->table->keys[i]]);
    }
    return h;
}

static bool same_key(const struct part *a, const struct part *b)
{
    if (a->table != b->table) {
        return false; /* a bucket holds rows of several tables */
    }
    for (size_t i = 0; i < a->table->key_count; i++) {
        uint32_t k = a->table->keys[i];
        if (!stile_str_eq(a->cells[k], b->cells[k])) {
            return false;
        }
    }
    return true;
}

static void add_row(struct left *l, struct part *part)
{
    struct part **bucket = &l->buckets[key_hash(part) & (l->bucket_count - 1)];
    for (struct part *p = *bucket; p != NULL && part->table->key_count > 0;
         p = p->chain) {
        if (same_key(p, part)) {
            merge(l, p, part);
            return;
        }
    }
    part->chain = *bucket;
    *bucket = part;
    *l->rows_tail = part;
    l->rows_tail = &part->next;
    l->row_count++;
}

static void add_join(struct left *l, struct part *part)
{
    *l->joins_tail = part;
    l->joins_tail = &part->next;
}

/* Cells read for a look-up's row, when its key is known in this row. */
static void alias_part(struct left *l, const struct stile__variant *v,
                       uint32_t at, struct stile__left_cells *cells)
{
    const struct stile__alias *a = &v->aliases[at];
    struct stile_str key = cells->cells[a->key.alias][a->key.ordinal];
    bool any = false;
    for (size_t i = 0; i < a->table->count; i++) {
        any = any || cells->cells[at][i].len > 0;
    }
    if (!any || key.len == 0) {
        return;
    }
    struct part *part = stile_arena_alloc(l->arena, sizeof *part);
    if (part == NULL) {
        return;
    }
    cells->cells[at][a->by] = key;
    *part = (struct part){.table = a->table,
                          .cells = cells->cells[at],
                          .join = &a->by,
                          .join_count = 1,
                          .quiet = true};
    add_join(l, part);
}

static void own_part(struct left *l, const struct stile__variant *v,
                     struct stile_str *cells)
{
    struct part *part = stile_arena_alloc(l->arena, sizeof *part);
    if (part == NULL) {
        return;
    }
    *part = (struct part){.table = v->table, .cells = cells};
    if (v->owns_row) {
        add_row(l, part);
    } else {
        part->join = v->keys;
        part->join_count = v->key_count;
        add_join(l, part);
    }
}

/* A row of another table that the resource's list names: its own mapping has
 * made it, and it gets the column that leads here. */
static void linked_part(struct left *l, const struct stile__linked *linked,
                        const struct stile__left_cells *cells)
{
    const struct stile__child *child = linked->child;
    struct stile_str key = cells->cells[child->key.alias][child->key.ordinal];
    struct part *part = stile_arena_alloc(l->arena, sizeof *part);
    if (part == NULL || key.len == 0) {
        return;
    }
    linked->cells[child->link] = key;
    *part = (struct part){.table = child->table,
                          .cells = linked->cells,
                          .join = child->keys,
                          .join_count = child->key_count};
    add_join(l, part);
}

static bool one_mapping(struct left *l, const struct stile_mapping *m,
                        const struct stile__resource *resource)
{
    const struct stile__variant *v = &m->variants[m->variant_count - 1];
    struct stile__left_cells cells;
    stile__run_left(v, resource, l->arena, l->diags, &cells);
    if (cells.failed) {
        return true; /* reported; nothing of it is kept */
    }
    if (!cells.taken) {
        return false;
    }
    for (size_t i = 0; i < cells.row_count; i++) {
        own_part(l, v, cells.rows[i]);
    }
    if (v->group_count == 0) {
        own_part(l, v, cells.cells[0]);
    }
    for (uint32_t i = 1; i < v->alias_count; i++) {
        alias_part(l, v, i, &cells);
    }
    for (const struct stile__linked *k = cells.linked; k; k = k->next) {
        linked_part(l, k, &cells);
    }
    return true;
}

static bool one_resource(struct left *l, struct stile_str type,
                         const struct stile__resource *resource)
{
    bool taken = false;
    for (uint32_t i = 0; i < l->set->count; i++) {
        const struct stile_mapping *m = &l->set->mappings[i];
        if (m->goes_left && stile_str_eq(m->tree->family.text, l->family) &&
            stile_str_eq(stile_fhir_type_name(m->type), type)) {
            taken = one_mapping(l, m, resource) || taken;
        }
    }
    return taken;
}

static bool joins(const struct part *row, const struct part *join)
{
    bool same = row->table == join->table;
    for (uint32_t i = 0; same && i < join->join_count; i++) {
        uint32_t c = join->join[i];
        same = stile_str_eq(row->cells[c], join->cells[c]);
    }
    return same;
}

static void place_joins(struct left *l)
{
    for (struct part *j = l->joins; j != NULL; j = j->next) {
        bool placed = false;
        for (struct part *r = l->rows; r != NULL; r = r->next) {
            if (joins(r, j)) {
                merge(l, r, j);
                placed = true;
            }
        }
        if (!placed && !j->quiet) {
            note(l, RUN_T207, j->table->name);
        }
    }
}

static size_t rows_of(const struct left *l, const struct stile_table *t,
                      struct stile_row *rows)
{
    size_t n = 0;
    for (const struct part *p = l->rows; p != NULL; p = p->next) {
        if (p->table == t) {
            rows[n] = (struct stile_row){.table = t->name,
                                         .columns = t->column_names,
                                         .cells = p->cells,
                                         .count = t->count,
                                         .number = n + 1};
            n++;
        }
    }
    return n;
}

/* Tables in the schema's order, rows in that of the resources. */
static enum stile_status collect(struct left *l, struct stile_row **ret_rows,
                                 size_t *ret_count)
{
    struct stile_row *rows =
        stile_arena_array(l->arena, l->row_count, sizeof *rows);
    size_t n = 0;
    if (rows == NULL || stile_arena_failed(l->arena)) {
        return STILE_NOMEM;
    }
    if (l->row_count == 1) { /* as one resource gives: no order to find */
        n = rows_of(l, l->rows->table, rows);
    }
    for (size_t i = 0;
         n < l->row_count && i < stile_schema_count(l->set->schema); i++) {
        const struct stile_table *t = stile_schema_at(l->set->schema, i);
        if (stile_str_eq(t->family, l->family)) {
            n += rows_of(l, t, rows + n);
        }
    }
    *ret_rows = rows;
    *ret_count = n;
    return STILE_OK;
}

/* Of resources of which none has the type before. A type that FHIR does not
 * know is whatever the document wrote there, and is not repeated. */
static void note_untaken(struct left *l, struct stile_str type)
{
    if (stile_fhir_type(type) == NULL) {
        type = STILE_STR("an unknown type");
    }
    for (size_t j = 0; j < l->untaken_count; j++) {
        if (stile_str_eq(l->untaken[j], type)) {
            return;
        }
    }
    l->untaken[l->untaken_count++] = type;
    note(l, RUN_T301, type);
}

static bool start(struct left *l, size_t count)
{
    l->rows_tail = &l->rows;
    l->joins_tail = &l->joins;
    l->bucket_count = 8;
    while (l->bucket_count < count && l->bucket_count < BUCKETS_MAX) {
        l->bucket_count *= 2;
    }
    l->buckets = stile_arena_array(l->arena, l->bucket_count, sizeof(void *));
    l->untaken = stile_arena_array(l->arena, count, sizeof *l->untaken);
    return l->buckets != NULL && l->untaken != NULL;
}

enum stile_status stile_map_left(const struct stile_mapset *set,
                                 struct stile_str family,
                                 struct stile_value *const *resources,
                                 size_t count, struct stile_arena *arena,
                                 struct stile_diags *diags,
                                 struct stile_row **ret_rows, size_t *ret_count)
{
    struct left l = {
        .set = set, .family = family, .arena = arena, .diags = diags};
    if (!start(&l, count)) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct stile__resource one = {.tree = resources[i]};
        struct stile_str type = stile_value_text(resources[i], "resourceType");
        if (!one_resource(&l, type, &one)) {
            note_untaken(&l, type);
        }
    }
    place_joins(&l);
    return collect(&l, ret_rows, ret_count);
}

/* As stile_value_text gives it. */
static struct stile_str type_on_tape(const struct stile_tape *tape, uint32_t at,
                                     struct stile_arena *arena)
{
    uint32_t type = stile_tape_get(tape, at, STILE_STR("resourceType"), arena);
    bool text =
        type != STILE_TAPE_NONE && (tape->items[type].kind == STILE_STRING ||
                                    tape->items[type].kind == STILE_NUMBER);
    return text ? stile_tape_text(tape, type, arena) : STILE_STR_NULL;
}

enum stile_status
stile_map_left_tape(const struct stile_mapset *set, struct stile_str family,
                    const struct stile_tape *tape, const uint32_t *resources,
                    size_t count, struct stile_arena *arena,
                    struct stile_diags *diags, struct stile_row **ret_rows,
                    size_t *ret_count)
{
    struct left l = {
        .set = set, .family = family, .arena = arena, .diags = diags};
    if (!start(&l, count)) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct stile__resource one = {.tape = tape, .at = resources[i]};
        struct stile_str type = type_on_tape(tape, resources[i], arena);
        if (!one_resource(&l, type, &one)) {
            note_untaken(&l, type);
        }
    }
    place_joins(&l);
    return collect(&l, ret_rows, ret_count);
}
