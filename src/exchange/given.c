/*
 * Facts that officers give in a file: answers of the national opt-out check,
 * PDS marks, consents taken on paper. What a row says must not get into a
 * finding: they carry row, column and a sentence.
 */
#include <stdlib.h>

#include "exchange_private.h"

enum column {
    NHS_NUMBER,
    FACT,
    VALUE,
    RECIPIENT,
    DATE,
    FROM,
    UNTIL,
    SOURCE,
    COLUMNS
};
static const char *const columns[COLUMNS] = {"nhs_number", "fact",  "value",
                                             "recipient",  "date",  "from",
                                             "until",      "source"};

struct reading {
    const struct stile_rules *rules;
    const struct stile_source *file;
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile_given *given;
    struct stile__list facts; /* struct row_fact */
    uint64_t row;
    bool wrong; /* the row in hand has a finding */
};

struct row_fact {
    struct stile_stored_fact fact;
    uint64_t row;
};

static struct stile_diag *finding(struct reading *r, const char *code,
                                  enum column at, const char *message)
{
    r->wrong = true;
    return stile_diag_at_record(r->diags, code, STILE_ERROR, r->file->name,
                                r->row, stile_str_cstr(columns[at]), message);
}

static bool is_header(const struct stile_str *cells, size_t count)
{
    for (size_t i = 0; i < count && count == COLUMNS; i++) {
        if (!stile_str_eqc(cells[i], columns[i])) {
            return false;
        }
    }
    return count == COLUMNS;
}

/* As a spreadsheet of a country with decimal commas saves it. */
static bool is_semicolons(const struct stile_str *cells, size_t count)
{
    return count == 1 && stile_str_find(cells[0], ';') != SIZE_MAX;
}

/* ---- one cell ---- */

/* By enum stile_give. */
#define GIVE_LIST(X)                                                           \
    X(P102, "this is no fact of vocabulary.yaml")                              \
    X(P111, "the glass is broken with 'stile facts break-glass' alone")        \
    X(P112, "the record itself says this: correct it there")                   \
    X(P113, "this is about the person alone: leave the recipient empty")       \
    X(P114, "a yes must name its recipient by ODS code")                       \
    X(P116,                                                                    \
      "nobody can say for another that they claim nothing: give unknown "      \
      "to take a claim back")
static const struct {
    const char *code, *says;
} gives[] = {{NULL, NULL},
#define X(code, says) {#code, says},
             GIVE_LIST(X)
#undef X
};

static void suggest(struct reading *r, enum stile_rules_words which,
                    struct stile_str word, struct stile_diag *diag)
{
    struct stile_str *words = NULL;
    size_t count = 0;
    if (diag == NULL || stile_rules_words(r->rules, which, r->arena, &words,
                                          &count) != STILE_OK) {
        return;
    }
    stile_diag_suggest(r->diags, diag, word, words, count);
}

/* A refusal to a code that is nobody's would bar nothing: what the person
 * said no to would go. */
static void read_recipient(struct reading *r, struct stile_str ods)
{
    struct stile_str *parties = NULL;
    size_t count = 0, i = 0;
    if (ods.len == 0) {
        return;
    }
    if (!stile_ods_valid(ods)) {
        finding(r, "P104", RECIPIENT,
                "this is no ODS code: write it in capital letters and digits");
        return;
    }
    if (stile_rules_words(r->rules, STILE_RULES_WORDS_PARTIES, r->arena,
                          &parties, &count) != STILE_OK) {
        return; /* the arena has failed: said at the end */
    }
    while (i < count && !stile_str_eq(parties[i], ods)) {
        i++;
    }
    if (i == count) {
        struct stile_diag *diag =
            finding(r, "P115", RECIPIENT,
                    "no agreement in force names this organisation: correct "
                    "the code, or write the agreement first");
        suggest(r, STILE_RULES_WORDS_PARTIES, ods, diag);
    }
}

static void read_fact(struct reading *r, const struct stile_str *cells,
                      struct stile_stored_fact *fact)
{
    static const struct {
        const char *text;
        enum stile_truth truth;
    } values[] = {
        {"yes", STILE_YES}, {"no", STILE_NO}, {"unknown", STILE_UNKNOWN}};
    size_t i = 0;
    while (i < 3 && !stile_str_eqc(cells[VALUE], values[i].text)) {
        i++;
    }
    if (i == 3) {
        finding(r, "P103", VALUE, "a value is yes, no or unknown");
        return;
    }
    fact->value = (int)values[i].truth;
    enum stile_give may = stile_govern_may_give(
        r->rules, cells[FACT], values[i].truth, cells[RECIPIENT].len > 0);
    if (may != STILE_GIVE_OK) {
        struct stile_diag *diag =
            finding(r, gives[may].code, FACT, gives[may].says);
        if (may == STILE_GIVE_NO_FACT) {
            suggest(r, STILE_RULES_WORDS_FACTS, cells[FACT], diag);
        }
    }
    read_recipient(r, cells[RECIPIENT]);
}

static bool read_day(struct reading *r, const struct stile_str *cells,
                     enum column at, struct stile_date *ret)
{
    *ret = (struct stile_date){0, 0, 0};
    if (cells[at].len == 0 && at != DATE) {
        return true;
    }
    if (!stile_date_parse(cells[at], ret) || ret->day == 0) {
        finding(r, "P105", at,
                "a day of the calendar must stand here, as 2026-04-01");
        return false;
    }
    return true;
}

static void read_days(struct reading *r, const struct stile_str *cells,
                      struct stile_stored_fact *fact)
{
    struct stile_date date, from, until;
    if (!read_day(r, cells, DATE, &date) || !read_day(r, cells, FROM, &from) ||
        !read_day(r, cells, UNTIL, &until)) {
        return;
    }
    if (stile_date_days(date) > stile_london_day(r->given->now)) {
        finding(r, "P106", DATE, "it cannot have been said after today");
    }
    if (from.year != 0 && until.year != 0 &&
        stile_date_days(from) > stile_date_days(until)) {
        finding(r, "P107", UNTIL, "the last day is before the first");
    }
    fact->date = stile_date_days(date) * (86400 * STILE_SECOND);
    if (from.year != 0) {
        fact->from = stile_london_midnight(stile_date_days(from));
    }
    if (until.year != 0) {
        fact->until = stile_london_midnight(stile_date_days(until) + 1);
    }
}

/* It is shown and logged, so it must not be able to name a person: words, and
 * no run of digits as long as an NHS number. */
static bool is_source(struct stile_str text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool digit = c >= '0' && c <= '9';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        digits = digit ? digits + 1 : c == ' ' || c == '-' ? digits : 0;
        if (digits > 9 || !(digit || letter || c == ' ' || c == '-' ||
                            c == '.' || c == '/' || c == '_')) {
            return false;
        }
    }
    return text.len > 0 && text.len <= STILE_GIVEN_SOURCE_MAX;
}

/* Its digits without the spaces between. 0 when it has other than ten. */
static size_t read_number(struct stile_str cell, char *ret)
{
    size_t len = 0;
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == ' ') {
            continue;
        }
        if (len == 10) {
            return 0;
        }
        ret[len++] = cell.ptr[i];
    }
    return len;
}

static void read_row(struct reading *r, const struct stile_str *cells)
{
    struct row_fact made = {.row = r->row};
    char number[10];
    struct stile_str person = {number, read_number(cells[NHS_NUMBER], number)};
    r->wrong = false;
    if (!stile_nhs_number_valid(person)) {
        finding(r, "P101", NHS_NUMBER,
                "this is no NHS number: ten digits, and the last is their "
                "check digit");
    }
    read_fact(r, cells, &made.fact);
    read_days(r, cells, &made.fact);
    if (!is_source(cells[SOURCE])) {
        finding(r, "P108", SOURCE,
                "say where it comes from in up to 100 letters, digits, "
                "spaces and . / _ -, without a person or their number");
    }
    if (r->wrong) {
        r->given->bad++;
        return;
    }
    struct row_fact *slot = stile__list_add(r->arena, &r->facts, sizeof(*slot));
    if (slot == NULL) {
        return; /* the arena has failed */
    }
    made.fact.person = stile_arena_str(r->arena, person);
    made.fact.name = stile_arena_str(r->arena, cells[FACT]);
    made.fact.recipient = stile_arena_str(r->arena, cells[RECIPIENT]);
    made.fact.source = stile_arena_printf(r->arena, STILE_GIVEN_SOURCE "%.*s",
                                          STILE_FMT(cells[SOURCE]));
    *slot = made;
}

/* ---- the file ---- */

static enum stile_status read_rows(struct reading *r, struct stile_csv *csv)
{
    const struct stile_str *cells = NULL;
    size_t count = 0;
    enum stile_status status =
        stile_csv_pull(csv, r->diags, &cells, &count, &r->row);
    if (status != STILE_OK || !is_header(cells, count)) {
        r->row = 0;
        (void)stile_diag_at_record(
            r->diags, "P100", STILE_ERROR, r->file->name, 0, STILE_STR_NULL,
            is_semicolons(cells, count)
                ? "the columns are separated by semicolons: save the sheet as "
                  "comma-separated CSV"
                : "the first row must be nhs_number,fact,value,recipient,date,"
                  "from,until,source");
        return STILE_INVALID;
    }
    for (;;) {
        status = stile_csv_pull(csv, r->diags, &cells, &count, &r->row);
        if (status == STILE_END) {
            return STILE_OK;
        }
        if (status == STILE_OK || status == STILE_INVALID) {
            if (r->given->rows == r->given->rows_max) {
                (void)stile_diag_at_record(
                    r->diags, "P110", STILE_ERROR, r->file->name, r->row,
                    STILE_STR_NULL,
                    "the file has more rows than are taken at once: cut it "
                    "into several");
                return STILE_LIMIT;
            }
            r->given->rows++;
        }
        if (status == STILE_INVALID) {
            r->given->bad++; /* its finding was added */
        } else if (status != STILE_OK) {
            return status;
        } else {
            read_row(r, cells);
        }
    }
}

static int by_fact(const void *a, const void *b)
{
    const struct row_fact *x = a, *y = b;
    const struct stile_stored_fact *f = &x->fact, *g = &y->fact;
    int order = stile_str_cmp(f->person, g->person);
    order = order != 0 ? order : stile_str_cmp(f->name, g->name);
    order = order != 0 ? order : stile_str_cmp(f->recipient, g->recipient);
    order = order != 0 ? order : stile_str_cmp(f->source, g->source);
    return order != 0 ? order : x->row < y->row ? -1 : x->row > y->row;
}

/* One source says one thing once: of two rows neither is the later word. */
static bool says_the_same(const struct row_fact *a, const struct row_fact *b)
{
    return stile_str_eq(a->fact.person, b->fact.person) &&
           stile_str_eq(a->fact.name, b->fact.name) &&
           stile_str_eq(a->fact.recipient, b->fact.recipient) &&
           stile_str_eq(a->fact.source, b->fact.source);
}

/* Of rows that say it twice the one that keeps more back: whoever takes the
 * good rows alone must not lose a no. SIZE_MAX: none does. */
static size_t strictest(const struct reading *r, const struct row_fact *rows,
                        size_t from, size_t to)
{
    size_t kept = SIZE_MAX;
    for (size_t i = from; i < to; i++) {
        const struct stile_stored_fact *fact = &rows[i].fact;
        if (!stile_govern_permits(r->rules, fact->name,
                                  (enum stile_truth)fact->value) &&
            (kept == SIZE_MAX || rows[kept].fact.value == (int)STILE_UNKNOWN)) {
            kept = i;
        }
    }
    return kept;
}

static void say_twice(struct reading *r, const struct row_fact *row)
{
    r->row = row->row;
    finding(r, "P109", FACT,
            "another row says this of the same person from the same source: "
            "keep the one that counts");
    r->given->bad++;
}

static enum stile_status gather(struct reading *r)
{
    struct row_fact *rows = r->facts.items;
    struct stile_given *given = r->given;
    size_t count = r->facts.count;
    given->facts =
        stile_arena_array(r->arena, count + 1, sizeof(*given->facts));
    given->persons =
        stile_arena_array(r->arena, count + 1, sizeof(*given->persons));
    if (given->facts == NULL || given->persons == NULL) {
        return STILE_NOMEM;
    }
    if (count > 0) {
        qsort(rows, count, sizeof(*rows), by_fact);
    }
    for (size_t i = 0, next; i < count; i = next) {
        size_t kept = i;
        next = i + 1;
        while (next < count && says_the_same(&rows[i], &rows[next])) {
            next++;
        }
        if (next > i + 1) {
            kept = strictest(r, rows, i, next);
        }
        for (size_t k = i; k < next; k++) {
            if (k != kept) {
                say_twice(r, &rows[k]);
            }
        }
        if (kept == SIZE_MAX) {
            continue;
        }
        given->facts[given->count++] = rows[kept].fact;
        if (given->person_count == 0 ||
            !stile_str_eq(given->persons[given->person_count - 1],
                          rows[kept].fact.person)) {
            given->persons[given->person_count++] = rows[kept].fact.person;
        }
    }
    return given->bad > 0 ? STILE_INVALID : STILE_OK;
}

enum stile_status stile_facts_read(const struct stile_rules *rules,
                                   const struct stile_source *file,
                                   struct stile_arena *arena,
                                   struct stile_diags *diags,
                                   struct stile_given *given)
{
    struct stile_csv_limits limits = {64u * 1024u, COLUMNS, UINT64_MAX};
    struct reading r = {.rules = rules,
                        .file = file,
                        .arena = arena,
                        .diags = diags,
                        .given = given};
    struct stile_csv_dialect dialect = stile_csv_rfc4180;
    dialect.sheet = true; /* who mends it counts rows as the sheet does */
    dialect.allow_bom = true;
    struct stile_csv *csv = stile_csv_new(&dialect, limits, file->name);
    if (csv == NULL) {
        return STILE_NOMEM;
    }
    stile_csv_over(csv, file->text);
    enum stile_status status = read_rows(&r, csv);
    stile_csv_free(&csv);
    if (status == STILE_OK) {
        status = gather(&r);
    }
    return stile_arena_failed(arena) ? STILE_NOMEM : status;
}
