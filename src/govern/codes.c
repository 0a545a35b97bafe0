/*
 * Code lists: labels/<label>.csv (system,code,display,source) and
 * consent-codes.csv (system,code,fact,value,capability,note,source).
 */
#include "private.h"

uint32_t stile__system_of(const struct stile_rules *rules, struct stile_str uri)
{
    size_t i;

    for (i = 0; i < rules->code_systems.count; i++) {
        if (stile__in(rules->system_uris[i], rules->system_uri_counts[i],
                      uri)) {
            return (uint32_t)i;
        }
    }
    return STILE__NONE;
}

/* EMIS adds the number of the synonym that was chosen: "9Nu0.-1" (facts on
 * Coding_ClinicalCode.ReadTermId). "-KC60" and the like belong to the code. */
static struct stile_str without_synonym(struct stile_str code)
{
    size_t i;

    if (code.len < 7 || code.ptr[5] != '-') {
        return code;
    }
    for (i = 6; i < code.len; i++) {
        if (code.ptr[i] < '0' || code.ptr[i] > '9') {
            return code;
        }
    }
    return stile_str_sub(code, 0, 5);
}

/* Read codes are padded with dots to five places; some sources leave the
 * dots off. No other system's code ends with a dot. */
struct stile_str stile__code_normal(struct stile_str code)
{
    code = without_synonym(code);
    while (code.len && code.ptr[code.len - 1] == '.') {
        code.len--;
    }
    return code;
}

int stile__code_order(const void *a, const void *b)
{
    const struct stile__code *x = a;
    const struct stile__code *y = b;

    if (x->prefix != y->prefix) {
        return x->prefix ? -1 : 1; /* prefixes first: walked one by one */
    }
    if (x->system != y->system) {
        return x->system < y->system ? -1 : 1;
    }
    return stile_str_cmp(x->code, y->code);
}

static bool code_matches(const struct stile__code *entry, uint32_t system,
                         struct stile_str code)
{
    if (system != STILE__NONE && entry->system != system) {
        return false;
    }
    return entry->prefix ? stile_str_starts(code, entry->code)
                         : stile_str_eq(code, entry->code);
}

size_t stile__code_next(const struct stile__code *codes, size_t count,
                        uint32_t system, struct stile_str code, size_t from)
{
    struct stile__code key = {.system = system};
    size_t low = 0, high = count;
    size_t i;

    key.code = stile__code_normal(code);
    for (i = from; i < count && (codes[i].prefix || system == STILE__NONE);
         i++) {
        if (code_matches(&codes[i], system, key.code)) {
            return i;
        }
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stile__code_order(&codes[middle], &key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low = low > i ? low : i;
    if (low < count && code_matches(&codes[low], system, key.code)) {
        return low;
    }
    return SIZE_MAX;
}

/* ---- reading
 * ------------------------------------------------------------------ */

struct list {
    struct stile__code *items;
    size_t count, capacity;
};

static void list_add(struct stile__load *load, struct list *list,
                     const struct stile__code *code)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct stile__code *items =
            stile_arena_array(load->arena, capacity, sizeof(*items));
        if (!items) {
            return;
        }
        if (list->count) {
            memcpy(items, list->items, list->count * sizeof(*items));
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *code;
}

static bool header_fits(struct stile__load *load, const struct stile__csv *csv,
                        const char *const *names, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (i >= csv->count || !stile_str_eqc(csv->cells[i], names[i])) {
            break;
        }
    }
    if (i == count && csv->count == count) {
        return true;
    }
    (void)stile_diag_at_source(
        load->diags, "R105", STILE_ERROR, csv->source,
        csv->spans[i < csv->count ? i : 0],
        "the first row must name the columns %s,%s,%s%s", names[0], names[1],
        names[2], count == 4 ? ",source" : ",value,capability,note,source");
    return false;
}

static void bad_cell(struct stile__load *load, const struct stile__csv *csv,
                     size_t cell, const char *what,
                     const struct stile__words *words)
{
    struct stile_diag *diag = stile_diag_at_source(
        load->diags, "R105", STILE_ERROR, csv->source, csv->spans[cell],
        "'%.*s' is no %s; use a word of vocabulary.yaml",
        STILE_FMT(csv->cells[cell]), what);

    if (diag) {
        stile_diag_suggest(load->diags, diag, csv->cells[cell], words->names,
                           words->count);
    }
}

/* system and code, the first two cells of both kinds of list. */
static bool read_code(struct stile__load *load, const struct stile__csv *csv,
                      size_t columns, struct stile__code *ret)
{
    struct stile_str code;

    if (csv->count != columns) {
        (void)stile_diag_at_source(
            load->diags, "R105", STILE_ERROR, csv->source, csv->spans[0],
            "this row has %zu cells instead of %zu; quote a cell that holds "
            "a comma",
            csv->count, columns);
        return false;
    }
    ret->system = stile__word_find(&load->rules->code_systems, csv->cells[0]);
    if (ret->system == STILE__NONE) {
        bad_cell(load, csv, 0, "code system", &load->rules->code_systems);
        return false;
    }
    code = csv->cells[1];
    if (stile_str_ends(code, STILE_STR("*"))) {
        ret->prefix = true;
        code.len--;
    } else {
        code = stile__code_normal(code);
    }
    if (!code.len) {
        (void)stile_diag_at_source(load->diags, "R105", STILE_ERROR,
                                   csv->source, csv->spans[1],
                                   "a code must stand here");
        return false;
    }
    if (!ret->prefix &&
        stile_str_eqc(load->rules->code_systems.names[ret->system], "snomed") &&
        !stile_snomed_id_valid(code)) {
        (void)stile_diag_at_source(
            load->diags, "R105", STILE_ERROR, csv->source, csv->spans[1],
            "this is no SNOMED CT identifier (its check digit is wrong); look "
            "for a slip of typing");
        return false;
    }
    ret->code = code;
    return true;
}

/* Base name without ".csv" is the label. */
static uint32_t label_of_file(struct stile__load *load,
                              const struct stile_source *source)
{
    struct stile_str name = source->name;
    uint32_t label;
    size_t slash;

    while ((slash = stile_str_find(name, '/')) != SIZE_MAX) {
        name = stile_str_sub(name, slash + 1, name.len - slash - 1);
    }
    if (stile_str_ends(name, STILE_STR(".csv"))) {
        name.len -= 4;
    }
    label = stile__word_find(&load->rules->labels, name);
    if (label == STILE__NONE) {
        struct stile_diag *diag = stile_diag_at_source(
            load->diags, "R101", STILE_ERROR, source, (struct stile_span){0, 0},
            "the file is named after no label of vocabulary.yaml: '%.*s'",
            STILE_FMT(name));
        if (diag) {
            stile_diag_suggest(load->diags, diag, name,
                               load->rules->labels.names,
                               load->rules->labels.count);
        }
    }
    return label;
}

static void read_label_file(struct stile__load *load,
                            const struct stile_source *source,
                            struct list *list)
{
    static const char *const names[] = {"system", "code", "display", "source"};
    struct stile__csv csv = {.source = source};
    uint32_t label = label_of_file(load, source);
    enum stile_status status;

    if (label == STILE__NONE) {
        return;
    }
    load->rules->label_defs[label].list = source;
    status = stile__csv_next(&csv, load->arena, load->diags);
    if (status != STILE_OK || !header_fits(load, &csv, names, 4)) {
        return;
    }
    while ((status = stile__csv_next(&csv, load->arena, load->diags)) !=
           STILE_END) {
        struct stile__code code = {.target = label};

        if (status == STILE_OK && read_code(load, &csv, 4, &code)) {
            if (!csv.cells[3].len) {
                (void)stile_diag_at_source(
                    load->diags, "R105", STILE_ERROR, source, csv.spans[0],
                    "say where the code comes from in the column source");
            }
            list_add(load, list, &code);
            load->rules->label_defs[label].has_codes = true;
            if (!stile_str_eqc(csv.cells[0], "demo") &&
                !stile_str_starts(csv.cells[2], STILE_STR("SYNTHETIC"))) {
                load->rules->label_defs[label].has_real = true;
            }
        }
    }
}

static void sort(struct list *list)
{
    if (list->count) {
        qsort(list->items, list->count, sizeof(*list->items),
              stile__code_order);
    }
}

void stile__labels_read(struct stile__load *load)
{
    struct list list = {0};
    size_t i;

    for (i = 0; i < load->count; i++) {
        if (load->inputs[i].kind == STILE_RULES_LABELS) {
            read_label_file(load, load->inputs[i].source, &list);
        }
    }
    sort(&list);
    load->rules->label_codes = list.items;
    load->rules->label_code_count = list.count;
}

static bool read_truth(struct stile__load *load, const struct stile__csv *csv,
                       enum stile_truth *ret)
{
    if (stile_str_eqc(csv->cells[3], "yes")) {
        *ret = STILE_YES;
    } else if (stile_str_eqc(csv->cells[3], "no")) {
        *ret = STILE_NO;
    } else if (stile_str_eqc(csv->cells[3], "unknown")) {
        *ret = STILE_UNKNOWN;
    } else {
        (void)stile_diag_at_source(load->diags, "R105", STILE_ERROR,
                                   csv->source, csv->spans[3],
                                   "value must be yes, no or unknown");
        return false;
    }
    return true;
}

static void read_consent_file(struct stile__load *load,
                              const struct stile_source *source,
                              struct list *list)
{
    static const char *const names[] = {"system",     "code", "fact",  "value",
                                        "capability", "note", "source"};
    struct stile__csv csv = {.source = source};
    enum stile_status status = stile__csv_next(&csv, load->arena, load->diags);
    size_t columns = 7;

    /* A last column may name whom a yes or no is about, by ODS code. */
    if (status == STILE_OK && csv.count == 8 &&
        stile_str_eqc(csv.cells[7], "recipient")) {
        columns = csv.count--;
    }
    if (status != STILE_OK || !header_fits(load, &csv, names, 7)) {
        return;
    }
    while ((status = stile__csv_next(&csv, load->arena, load->diags)) !=
           STILE_END) {
        struct stile__code code = {0};

        if (status != STILE_OK || !read_code(load, &csv, columns, &code)) {
            continue;
        }
        if (columns == 8) {
            code.recipient = csv.cells[7];
        }
        code.target = stile__word_find(&load->rules->facts, csv.cells[2]);
        if (code.target == STILE__NONE) {
            bad_cell(load, &csv, 2, "fact", &load->rules->facts);
            continue;
        }
        if (read_truth(load, &csv, &code.value)) {
            list_add(load, list, &code);
        }
    }
}

void stile__consent_codes_read(struct stile__load *load)
{
    struct list list = {0};
    size_t i;

    for (i = 0; i < load->count; i++) {
        if (load->inputs[i].kind == STILE_RULES_CONSENT) {
            read_consent_file(load, load->inputs[i].source, &list);
        }
    }
    sort(&list);
    load->rules->consent_codes = list.items;
    load->rules->consent_code_count = list.count;
}
