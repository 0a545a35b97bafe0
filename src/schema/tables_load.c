/* Reads a .tables file (grammar in stile/schema.h). */
#include "schema_private.h"

#define WORDS_MAX 64
#define ALIASES_MAX 16

struct loader {
    struct stile_schema *schema;
    const struct stile_source *source;
    struct stile_diags *diags;
    struct stile__family *family; /* NULL until its line */
    struct stile_table *table;    /* being read, or NULL */
    struct stile_column *columns; /* of `table`, STILE_TABLE_COLUMNS_MAX */
    struct stile_str key, person; /* words of the table line */
    struct stile_table **tables;  /* read from this file */
    size_t count;
    size_t errors;
};

static struct stile_span span_of(const struct loader *l, struct stile_str word)
{
    struct stile_span span = {(uint32_t)(word.ptr - l->source->text.ptr),
                              (uint32_t)word.len};
    return span;
}

static void fail(struct loader *l, const char *code, struct stile_str word,
                 const char *message)
{
    l->errors++;
    stile_diag_at_source(l->diags, code, STILE_ERROR, l->source,
                         span_of(l, word), "%s", message);
}

/* Cuts a line into words, which keep their quotes and what is joined to them.
 */
static size_t split(struct loader *l, struct stile_str line,
                    struct stile_str *words)
{
    size_t count = 0;
    size_t i = 0;
    while (i < line.len) {
        if (line.ptr[i] == ' ' || line.ptr[i] == '\t' || line.ptr[i] == '\r') {
            i++;
            continue;
        }
        if (line.ptr[i] == '#') {
            break;
        }
        size_t start = i;
        if (line.ptr[i] == '"') {
            size_t end = stile_str_find(
                stile_str_sub(line, i + 1, line.len - i - 1), '"');
            if (end == SIZE_MAX) {
                fail(l, "S101", stile_str_sub(line, i, line.len - i),
                     "close the quote");
                return 0;
            }
            i += end + 2;
        }
        while (i < line.len && line.ptr[i] != ' ' && line.ptr[i] != '\t' &&
               line.ptr[i] != '\r') {
            i++;
        }
        if (count == WORDS_MAX) {
            fail(l, "S109", stile_str_sub(line, start, i - start),
                 "write fewer words on one line");
            return 0;
        }
        words[count++] = stile_str_sub(line, start, i - start);
    }
    return count;
}

static bool read_type(struct stile_str word, struct stile_column *column)
{
    static const struct {
        const char *word;
        enum stile_column_type type;
        bool width; /* a number may follow */
    } types[] = {
        {"dt", STILE_COL_DATETIME, false}, {"g", STILE_COL_GUID, false},
        {"b", STILE_COL_BOOL, false},      {"d", STILE_COL_DATE, false},
        {"t", STILE_COL_TIME, false},      {"n", STILE_COL_DECIMAL, false},
        {"x", STILE_COL_EMPTY, false},     {"i", STILE_COL_INT, true},
        {"s", STILE_COL_TEXT, true},       {"c", STILE_COL_TEXT, true},
    };
    if (word.len > 0 && word.ptr[word.len - 1] == '?') {
        column->nullable = true;
        word = stile_str_sub(word, 0, word.len - 1);
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct stile_str name = stile_str_cstr(types[i].word);
        int64_t width = 0;
        if (!stile_str_starts(word, name)) {
            continue;
        }
        struct stile_str rest =
            stile_str_sub(word, name.len, word.len - name.len);
        if (rest.len > 0 &&
            (!types[i].width || !stile_str_to_int64(rest, &width) ||
             width < 1 || width > 1000000)) {
            continue;
        }
        column->type = types[i].type;
        column->width = (uint32_t)width;
        return true;
    }
    return false;
}

static void read_aliases(struct loader *l, struct stile_column *column,
                         struct stile_str list)
{
    struct stile_str aliases[ALIASES_MAX];
    struct stile_str whole = list;
    struct stile_str piece = STILE_STR_NULL;
    size_t count = 0;
    while (stile_str_next(&list, ',', &piece)) {
        if (piece.len == 0 || count == ALIASES_MAX) {
            fail(l, "S109", whole, "list 1 to 16 aliases, joined by commas");
            return;
        }
        aliases[count++] = stile_arena_str(l->schema->arena, piece);
    }
    struct stile_str *kept =
        stile_arena_array(l->schema->arena, count, sizeof *kept);
    if (kept != NULL) {
        memcpy(kept, aliases, count * sizeof *kept);
        column->aliases = kept;
        column->alias_count = count;
    }
}

static uint32_t find_column(const struct stile_column *columns, size_t count,
                            struct stile_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq_nocase(columns[i].name, name)) {
            return (uint32_t)i;
        }
        for (size_t k = 0; k < columns[i].alias_count; k++) {
            if (stile_str_eq_nocase(columns[i].aliases[k], name)) {
                return (uint32_t)i;
            }
        }
    }
    return UINT32_MAX;
}

static bool column_head(struct loader *l, struct stile_str word,
                        struct stile_column *column)
{
    size_t skip = 0;
    struct stile_str name;
    if (word.ptr[0] == '"') {
        name = stile_str_sub(word, 1, word.len - 1);
        name = stile_str_sub(name, 0, stile_str_find(name, '"'));
        skip = name.len + 2;
    } else {
        name = stile_str_sub(word, 0, stile_str_find(word, ':'));
        skip = name.len;
    }
    if (name.len == 0 || skip >= word.len || word.ptr[skip] != ':') {
        fail(l, "S101", word, "write a column as Name:type");
        return false;
    }
    if (!read_type(stile_str_sub(word, skip + 1, word.len - skip - 1),
                   column)) {
        fail(l, "S104", word, "use a type of g b d t dt iN n s sN cN x");
        return false;
    }
    column->name = stile_arena_str(l->schema->arena, name);
    return true;
}

static void read_column(struct loader *l, const struct stile_str *words,
                        size_t count)
{
    struct stile_column column = {0};
    if (!column_head(l, words[0], &column)) {
        return;
    }
    for (size_t i = 1; i < count; i++) {
        if (stile_str_eqc(words[i], "sensitive")) {
            column.sensitive = true;
        } else if (stile_str_eqc(words[i], "optional")) {
            column.optional = true;
        } else if (stile_str_eqc(words[i], "alias") && i + 1 < count) {
            read_aliases(l, &column, words[++i]);
        } else {
            fail(l, "S101", words[i],
                 "use alias Old,Older, sensitive or optional here");
        }
    }
    if (l->table->count == STILE_TABLE_COLUMNS_MAX) {
        fail(l, "S109", words[0], "a table has at most 512 columns");
        return;
    }
    bool twice =
        find_column(l->columns, l->table->count, column.name) != UINT32_MAX;
    for (size_t k = 0; k < column.alias_count; k++) {
        twice = twice || find_column(l->columns, l->table->count,
                                     column.aliases[k]) != UINT32_MAX;
    }
    if (twice) {
        fail(l, "S106", words[0],
             "name each column and alias once; case does not tell them apart");
        return;
    }
    l->columns[l->table->count++] = column;
}

static void bind_keys(struct loader *l)
{
    uint32_t keys[WORDS_MAX];
    size_t count = 0;
    struct stile_str rest = l->key;
    struct stile_str piece = STILE_STR_NULL;
    struct stile_table *table = l->table;
    while (stile_str_next(&rest, '+', &piece)) {
        uint32_t at = find_column(l->columns, table->count, piece);
        if (at == UINT32_MAX || count == WORDS_MAX) {
            fail(l, "S105", piece,
                 "name a column of this table as its key; join several with +");
            return;
        }
        l->columns[at].key = true;
        keys[count++] = at;
    }
    uint32_t *kept = stile_arena_array(l->schema->arena, count, sizeof *kept);
    if (kept != NULL) {
        memcpy(kept, keys, count * sizeof *kept);
        table->keys = kept;
        table->key_count = count;
    }
}

static void end_table(struct loader *l)
{
    struct stile_table *table = l->table;
    struct stile_arena *arena = l->schema->arena;
    if (table == NULL) {
        return;
    }
    if (table->count == 0) {
        fail(l, "S108", stile_str_sub(l->source->text, 0, 0),
             "give each table at least one column");
    }
    if (l->key.len > 0) {
        bind_keys(l);
    }
    if (l->person.len > 0) {
        table->person_column = find_column(l->columns, table->count, l->person);
        if (table->person_column == UINT32_MAX) {
            fail(l, "S107", l->person, "name a column of this table");
        } else {
            l->columns[table->person_column].person = true;
        }
    }
    struct stile_column *columns =
        stile_arena_array(arena, table->count, sizeof *columns);
    struct stile_str *names =
        stile_arena_array(arena, table->count, sizeof *names);
    if (columns != NULL && names != NULL) {
        memcpy(columns, l->columns, table->count * sizeof *columns);
        for (size_t i = 0; i < table->count; i++) {
            names[i] = columns[i].name;
        }
        table->columns = columns;
        table->column_names = names;
    }
    l->table = NULL;
}

static bool table_known(const struct loader *l, struct stile_str name)
{
    for (size_t i = 0; i < l->count; i++) {
        if (stile_str_eq_nocase(l->tables[i]->name, name)) {
            return true;
        }
    }
    return false;
}

static void read_table(struct loader *l, const struct stile_str *words,
                       size_t count)
{
    struct stile_arena *arena = l->schema->arena;
    end_table(l);
    if (count < 2 || count % 2 != 0) {
        fail(l, "S101", words[0],
             "write table NAME [key Col+Col] [person Col] [json NAME]");
        return;
    }
    if (table_known(l, words[1])) {
        fail(l, "S103", words[1], "describe each table once");
        return;
    }
    if (l->schema->count + l->count >= STILE_SCHEMA_TABLES_MAX) {
        fail(l, "S109", words[1], "load fewer tables");
        return;
    }
    struct stile_table *table = stile_arena_alloc(arena, sizeof *table);
    if (table == NULL) {
        return;
    }
    table->name = stile_arena_str(arena, words[1]);
    table->family = l->family->name;
    table->version = l->family->version;
    table->person_column = UINT32_MAX;
    table->json_name = STILE_STR("");
    l->key = STILE_STR_NULL;
    l->person = STILE_STR_NULL;
    for (size_t i = 2; i < count; i += 2) {
        if (stile_str_eqc(words[i], "key")) {
            l->key = words[i + 1];
        } else if (stile_str_eqc(words[i], "person")) {
            l->person = words[i + 1];
        } else if (stile_str_eqc(words[i], "json")) {
            table->json_name = stile_arena_str(arena, words[i + 1]);
        } else {
            fail(l, "S101", words[i], "use key, person or json here");
        }
    }
    l->tables[l->count++] = table;
    l->table = table;
}

static void read_family(struct loader *l, const struct stile_str *words,
                        size_t count)
{
    struct stile_arena *arena = l->schema->arena;
    if (count != 3 || l->family != NULL) {
        fail(l, "S101", words[0], "write family NAME VERSION, once a file");
        return;
    }
    for (const struct stile__family *f = l->schema->families; f != NULL;
         f = f->next) {
        if (stile_str_eq(f->name, words[1]) &&
            stile_str_eq(f->version, words[2])) {
            fail(l, "S103", words[1],
                 "load each family and version from one file");
        }
    }
    l->family = stile_arena_alloc(arena, sizeof *l->family);
    if (l->family != NULL) {
        l->family->name = stile_arena_str(arena, words[1]);
        l->family->version = stile_arena_str(arena, words[2]);
        l->family->keys =
            stile_arena_array(arena, WORDS_MAX, sizeof *l->family->keys);
        l->family->values =
            stile_arena_array(arena, WORDS_MAX, sizeof *l->family->values);
    }
}

/* What the CSV reader and the gateway look for. A word that none of them
 * knows would be followed by nobody. */
static const struct {
    const char *key;
    const char *values[5]; /* none: any text */
} dialect_words[] = {
    {"delimiter", {"comma", "tab", "semicolon", "pipe"}},
    {"quote", {"double", "none"}},
    {"quote-all", {"yes", "no"}},
    {"encoding", {"utf-8", "windows-1252"}},
    {"line-end", {"lf", "crlf"}},
    {"header", {"yes"}},
    {"guid", {"braced"}},
    {"date", {0}},
    {"time", {0}},
    {"datetime", {0}},
    {"order", {0}},
    {"deleted", {0}},
    {"gate", {0}},
    {"manifest", {0}},
    {"needs", {0}},
    {"none", {0}},
    {"gone", {0}},
};

static void check_dialect(struct loader *l, struct stile_str word, size_t cut)
{
    struct stile_str key = stile_str_sub(word, 0, cut);
    struct stile_str value = stile_str_sub(word, cut + 1, word.len - cut - 1);
    size_t at = 0, count = sizeof dialect_words / sizeof dialect_words[0];
    while (at < count && !stile_str_eqc(key, dialect_words[at].key)) {
        at++;
    }
    if (at == count) {
        fail(l, "S110", word,
             "use a dialect word of delimiter, quote, quote-all, encoding, "
             "line-end, header, guid, date, time, datetime, order, deleted, "
             "gate, manifest, needs, none and gone");
        return;
    }
    const char *const *known = dialect_words[at].values;
    bool good = known[0] == NULL && value.len > 0;
    for (size_t i = 0; known[i] != NULL; i++) {
        good = good || stile_str_eqc(value, known[i]);
    }
    if (!good) {
        fail(l, "S110", word,
             "use a value that is known: delimiter comma, tab, semicolon or "
             "pipe; quote double or none; quote-all yes or no; encoding utf-8 "
             "or windows-1252; line-end lf or crlf; header yes; guid braced");
    }
}

static void read_dialect(struct loader *l, const struct stile_str *words,
                         size_t count)
{
    struct stile__family *family = l->family;
    for (size_t i = 1; i < count && !stile_arena_failed(l->schema->arena);
         i++) {
        size_t cut = stile_str_find(words[i], '=');
        if (cut == SIZE_MAX || cut == 0 || family->count == WORDS_MAX) {
            fail(l, "S101", words[i], "write a dialect word as key=value");
            return;
        }
        check_dialect(l, words[i], cut);
        family->keys[family->count] =
            stile_arena_str(l->schema->arena, stile_str_sub(words[i], 0, cut));
        family->values[family->count] = stile_arena_str(
            l->schema->arena,
            stile_str_sub(words[i], cut + 1, words[i].len - cut - 1));
        family->count++;
    }
}

static void read_line(struct loader *l, struct stile_str line)
{
    struct stile_str words[WORDS_MAX];
    size_t count = split(l, line, words);
    if (count == 0) {
        return;
    }
    if (stile_str_eqc(words[0], "family")) {
        read_family(l, words, count);
    } else if (l->family == NULL) {
        fail(l, "S102", words[0], "begin the file with family NAME VERSION");
    } else if (stile_str_eqc(words[0], "dialect")) {
        read_dialect(l, words, count);
    } else if (stile_str_eqc(words[0], "table")) {
        read_table(l, words, count);
    } else if (l->table != NULL) {
        read_column(l, words, count);
    } else if (l->errors == 0) {
        fail(l, "S101", words[0], "begin with family, dialect or table");
    }
}

static enum stile_status keep(struct loader *l)
{
    struct stile_schema *schema = l->schema;
    size_t wanted = schema->count + l->count;
    if (wanted > schema->capacity) {
        size_t capacity = wanted * 2;
        struct stile_table **tables =
            stile_arena_array(schema->arena, capacity, sizeof *tables);
        if (tables == NULL) {
            return STILE_NOMEM;
        }
        if (schema->count > 0) {
            memcpy(tables, schema->tables, schema->count * sizeof *tables);
        }
        schema->tables = tables;
        schema->capacity = capacity;
    }
    if (l->count > 0) {
        memcpy(schema->tables + schema->count, l->tables,
               l->count * sizeof(struct stile_table *));
    }
    schema->count = wanted;
    l->family->next = schema->families;
    schema->families = l->family;
    return STILE_OK;
}

enum stile_status stile_schema_add(struct stile_schema *schema,
                                   const struct stile_source *source,
                                   struct stile_diags *diags)
{
    struct loader l = {.schema = schema, .source = source, .diags = diags};
    enum stile_status status = STILE_INVALID;
    struct stile_str rest = source->text;
    struct stile_str line = STILE_STR_NULL;
    if (source->text.len > UINT32_MAX) {
        return STILE_LIMIT;
    }
    l.columns = calloc(STILE_TABLE_COLUMNS_MAX, sizeof *l.columns);
    l.tables = calloc(STILE_SCHEMA_TABLES_MAX, sizeof(struct stile_table *));
    if (l.columns == NULL || l.tables == NULL) {
        status = STILE_NOMEM;
        goto out;
    }
    while (stile_str_next(&rest, '\n', &line) &&
           !stile_arena_failed(schema->arena)) {
        read_line(&l, line);
    }
    end_table(&l);
    if (l.family == NULL && l.errors == 0) {
        fail(&l, "S102", stile_str_sub(source->text, 0, 0),
             "begin the file with family NAME VERSION");
    }
    if (stile_arena_failed(schema->arena)) {
        status = STILE_NOMEM;
    } else if (l.errors == 0) {
        status = keep(&l);
    }
out:
    free(l.columns);
    free(l.tables);
    return status;
}
