/*
 * What a sheet of cases shows only as a whole: that it is no CSV with commas
 * at all, and rows that contradict each other.
 */
#include "vcse_private.h"

/* ---- before the first row ---- */

static enum stile_status refuse(const struct stile_format_input *input,
                                struct stile_diags *diags, uint64_t row,
                                const char *code, const char *message)
{
    stile_diag_at_record(diags, code, STILE_ERROR, input->name, row,
                         STILE_STR_NULL, message);
    return STILE_INVALID;
}

/* With its mark of byte order, or ASCII letters without one. */
static bool is_utf16(struct stile_str s)
{
    const char *p = s.ptr;
    return s.len >= 4 && ((p[0] == '\xff' && p[1] == '\xfe') ||
                          (p[0] == '\xfe' && p[1] == '\xff') ||
                          (p[0] == '\0') != (p[1] == '\0'));
}

/* The two containers of workbooks: ZIP and the compound file. */
static bool is_workbook(struct stile_str s)
{
    return stile_str_starts(s, STILE_STR("PK\x03\x04")) ||
           stile_str_starts(s, STILE_STR("\xd0\xcf\x11\xe0"));
}

static struct stile_str first_line(struct stile_str rest, uint64_t *ret_row)
{
    struct stile_str line = STILE_STR("");
    if (stile_str_starts(rest, STILE_STR("\xef\xbb\xbf"))) {
        rest = stile_str_sub(rest, 3, rest.len - 3);
    }
    *ret_row = 0;
    while (line.len == 0 && stile_str_next(&rest, '\n', &line)) {
        line = stile_str_trim(line);
        (*ret_row)++;
    }
    return line;
}

static bool knows_one(const struct stile_table *table, struct stile_str line,
                      char separator)
{
    struct stile_str cell = STILE_STR("");
    while (stile_str_next(&line, separator, &cell)) {
        cell = stile__trim(cell);
        if (cell.len >= 2 && cell.ptr[0] == '"' &&
            cell.ptr[cell.len - 1] == '"') {
            cell = stile__trim(stile_str_sub(cell, 1, cell.len - 2));
        }
        if (stile_table_column(table, cell) != UINT32_MAX) {
            return true;
        }
    }
    return false;
}

enum stile_status stile__sheet_check(const struct stile_format_input *input,
                                     struct stile_diags *diags)
{
    const struct stile_table *table = stile_schema_table(
        input->schema, STILE__VCSE_FAMILY, STILE_STR(""), STILE__VCSE_SHEET);
    uint64_t row = 0;
    if (is_utf16(input->bytes)) {
        return refuse(input, diags, 0, "V320",
                      "save the sheet as CSV UTF-8; this is UTF-16, which "
                      "spreadsheets call Unicode text");
    }
    if (is_workbook(input->bytes)) {
        return refuse(input, diags, 0, "V321",
                      "save the sheet as CSV UTF-8; this is a workbook, "
                      "whatever its name");
    }
    struct stile_str line = first_line(input->bytes, &row);
    if (line.len >= 4 &&
        stile_str_eq_nocase(stile_str_sub(line, 0, 4), STILE_STR("sep="))) {
        return refuse(input, diags, row, "V322",
                      "delete this line, sep=, and save the sheet as CSV with "
                      "commas (CSV UTF-8); the header is the first row");
    }
    if (table == NULL || knows_one(table, line, ',')) {
        return STILE_OK;
    }
    if (stile_str_find(line, ';') != SIZE_MAX) {
        return refuse(input, diags, row, "V323",
                      "the cells are separated by ';': save the sheet as CSV "
                      "with commas (CSV UTF-8)");
    }
    if (stile_str_find(line, '\t') != SIZE_MAX) {
        return refuse(input, diags, row, "V324",
                      "the cells are separated by tabs: save the sheet as CSV "
                      "with commas (CSV UTF-8)");
    }
    return STILE_OK;
}

/* ---- rows against each other ---- */

struct entry {
    struct stile_str key;
    size_t at;
};

/* For each row another one that it clashes with, or SIZE_MAX. */
struct clashes {
    struct entry *entries;
    size_t *cases, *numbers, *persons;
    const char **columns; /* of the person, where rows differ */
};

static int by_key(const void *x, const void *y)
{
    const struct entry *a = x;
    const struct entry *b = y;
    int order = stile_str_cmp(a->key, b->key);
    if (order != 0) {
        return order;
    }
    return a->at < b->at ? -1 : 1;
}

/* Filled cells of the column, equal ones together in the order of rows. */
static size_t sort_by(const struct stile_decoded *decoded, const char *column,
                      struct entry *entries)
{
    size_t count = 0;
    for (size_t i = 0; i < decoded->row_count; i++) {
        struct stile_str key =
            stile_row_get(&decoded->rows[i], stile_str_cstr(column));
        if (key.len > 0) {
            entries[count++] = (struct entry){key, i};
        }
    }
    qsort(entries, count, sizeof *entries, by_key);
    return count;
}

static void clash_cases(const struct stile_decoded *decoded,
                        struct clashes *clashes)
{
    const struct entry *e = clashes->entries;
    size_t count = sort_by(decoded, "case_ref", clashes->entries);
    size_t first = 0;
    for (size_t i = 1; i < count; i++) {
        if (stile_str_eq(e[first].key, e[i].key)) {
            clashes->cases[e[i].at] = e[first].at;
        } else {
            first = i;
        }
    }
}

static bool same_person(const struct stile_decoded *decoded, size_t a, size_t b)
{
    struct stile_str column = STILE_STR("person_ref");
    return stile_str_eq(stile_row_get(&decoded->rows[a], column),
                        stile_row_get(&decoded->rows[b], column));
}

/* Nobody can say from here whose number it is: all its rows clash. */
static void clash_numbers(const struct stile_decoded *decoded,
                          struct clashes *clashes)
{
    const struct entry *e = clashes->entries;
    size_t count = sort_by(decoded, "nhs_number", clashes->entries);
    size_t end = 0;
    for (size_t first = 0; first < count; first = end) {
        size_t other = SIZE_MAX;
        for (end = first; end < count && stile_str_eq(e[first].key, e[end].key);
             end++) {
            if (other == SIZE_MAX &&
                !same_person(decoded, e[first].at, e[end].at)) {
                other = e[end].at;
            }
        }
        for (size_t i = first; other != SIZE_MAX && i < end; i++) {
            bool is_first = same_person(decoded, e[first].at, e[i].at);
            clashes->numbers[e[i].at] = is_first ? other : e[first].at;
        }
    }
}

/* What level 1 says of a person, in each of their rows. */
static const char *const person_columns[] = {"nhs_number",  "given_name",
                                             "family_name", "birth_date",
                                             "postcode",    "gp_practice_code"};

/* A cell that is empty says nothing. */
static void clash_column(const struct stile_decoded *decoded,
                         const struct entry *rows, size_t count,
                         const char *column, struct clashes *clashes)
{
    struct stile_str said = STILE_STR(""), name = stile_str_cstr(column);
    size_t first = SIZE_MAX, other = SIZE_MAX;
    for (size_t i = 0; i < count && other == SIZE_MAX; i++) {
        struct stile_str cell = stile_row_get(&decoded->rows[rows[i].at], name);
        if (cell.len > 0 && first == SIZE_MAX) {
            first = rows[i].at;
            said = cell;
        } else if (cell.len > 0 && !stile_str_eq(cell, said)) {
            other = rows[i].at;
        }
    }
    for (size_t i = 0; other != SIZE_MAX && i < count; i++) {
        size_t at = rows[i].at;
        if (clashes->persons[at] == SIZE_MAX) {
            clashes->persons[at] = at == other ? first : other;
            clashes->columns[at] = column;
        }
    }
}

/* Rows of one person become one Patient. Where they say different things of
 * the person, nobody can say from here which is right: all of them clash. */
static void clash_persons(const struct stile_decoded *decoded,
                          struct clashes *clashes)
{
    const struct entry *e = clashes->entries;
    size_t count = sort_by(decoded, "person_ref", clashes->entries);
    size_t end = 0;
    for (size_t first = 0; first < count; first = end) {
        end = first + 1;
        while (end < count && stile_str_eq(e[first].key, e[end].key)) {
            end++;
        }
        for (size_t i = 0; i < sizeof person_columns / sizeof *person_columns;
             i++) {
            clash_column(decoded, &e[first], end - first, person_columns[i],
                         clashes);
        }
    }
}

static void tell(struct stile_diags *diags, const char *code,
                 const struct stile_row *row, const struct stile_row *other,
                 struct stile_str column, const char *message)
{
    struct stile_diag *diag = stile_diag_at_record(
        diags, code, STILE_ERROR, row->file, row->number, column, message);
    if (diag != NULL) {
        diag->message =
            stile_arena_printf(diags->arena, "%s: row %llu", message,
                               (unsigned long long)other->number);
    }
}

static bool is_clash(const struct clashes *clashes, size_t i)
{
    return clashes->cases[i] != SIZE_MAX || clashes->numbers[i] != SIZE_MAX ||
           clashes->persons[i] != SIZE_MAX;
}

static void keep_others(struct stile_decoded *decoded,
                        const struct clashes *clashes,
                        struct stile_diags *diags)
{
    struct stile_row *rows = decoded->rows;
    size_t kept = 0;
    for (size_t i = 0; i < decoded->row_count; i++) {
        size_t same_case = clashes->cases[i];
        size_t same_number = clashes->numbers[i];
        size_t person = clashes->persons[i];
        if (same_case != SIZE_MAX) {
            tell(diags, "V317", &rows[i], &rows[same_case],
                 STILE_STR("case_ref"),
                 "give each case a case_ref of its own; this one stands in "
                 "another row too");
        }
        if (same_number != SIZE_MAX) {
            tell(diags, "V319", &rows[i], &rows[same_number],
                 STILE_STR("nhs_number"),
                 "check whose NHS number this is; a row of another person_ref "
                 "has it too");
        }
        if (person != SIZE_MAX) {
            tell(diags, "V326", &rows[i], &rows[person],
                 stile_str_cstr(clashes->columns[i]),
                 "say the same of a person in each of their rows; another "
                 "one says otherwise here");
        }
        decoded->bad_rows += is_clash(clashes, i) ? 1 : 0;
    }
    for (size_t i = 0; i < decoded->row_count; i++) {
        if (!is_clash(clashes, i)) {
            rows[kept++] = rows[i];
        }
    }
    decoded->row_count = kept;
}

enum stile_status stile__sheet_clashes(struct stile_decoded *decoded,
                                       struct stile_diags *diags)
{
    size_t count = decoded->row_count + 1;
    struct clashes clashes = {calloc(count, sizeof *clashes.entries),
                              calloc(count, sizeof *clashes.cases),
                              calloc(count, sizeof *clashes.numbers),
                              calloc(count, sizeof *clashes.persons),
                              calloc(count, sizeof *clashes.columns)};
    bool ok = clashes.entries != NULL && clashes.cases != NULL &&
              clashes.numbers != NULL && clashes.persons != NULL &&
              clashes.columns != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        clashes.cases[i] = SIZE_MAX;
        clashes.numbers[i] = SIZE_MAX;
        clashes.persons[i] = SIZE_MAX;
    }
    if (ok) {
        clash_cases(decoded, &clashes);
        clash_numbers(decoded, &clashes);
        clash_persons(decoded, &clashes);
        keep_others(decoded, &clashes, diags);
    }
    free(clashes.entries);
    free(clashes.cases);
    free(clashes.numbers);
    free(clashes.persons);
    free(clashes.columns);
    return ok ? STILE_OK : STILE_NOMEM;
}
