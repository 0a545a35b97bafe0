/* Names to columns, elements and types. */
#include "map_private.h"

#include <stdarg.h>

/* A mapping is checked once a table version; the same finding at the same
 * place is told once. */
static bool told(const struct stile__cc *cc, const char *code, uint32_t line,
                 uint32_t column)
{
    for (size_t i = 0; i < cc->diags->count; i++) {
        const struct stile_diag *d = &cc->diags->items[i];
        if (d->line == line && d->column == column &&
            strcmp(d->code, code) == 0 &&
            stile_str_eq(d->file, cc->source->name)) {
            return true;
        }
    }
    return false;
}

struct stile_diag *stile__map_report(struct stile__cc *cc, const char *code,
                                     struct stile_span span, const char *format,
                                     ...)
{
    char text[512];
    uint32_t line = 0, column = 0;
    stile_source_place(cc->source, span.offset, &line, &column);
    if (told(cc, code, line, column)) {
        return NULL;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bool mild = strcmp(code, "M705") == 0 || strcmp(code, "M409") == 0;
    enum stile_severity severity = mild ? STILE_WARNING : STILE_ERROR;
    return stile_diag_at_source(cc->diags, code, severity, cc->source, span,
                                "%s", text);
}

/* ---- columns ---- */

static void unknown_column(struct stile__cc *cc,
                           const struct stile_lang_column *column,
                           const struct stile_table *table)
{
    bool elsewhere = false;
    for (uint32_t i = 0; i < cc->mapping->variant_count; i++) {
        const struct stile_table *other = cc->mapping->variants[i].table;
        elsewhere =
            elsewhere ||
            (stile_str_eq(other->name, table->name) &&
             stile_table_column(other, column->name.text) != UINT32_MAX);
    }
    struct stile_diag *diag = stile__map_report(
        cc, elsewhere ? "M103" : "M102", column->name.span,
        "%.*s %.*s has no column '%.*s'%s", STILE_FMT(table->name),
        STILE_FMT(table->version), STILE_FMT(column->name.text),
        elsewhere ? "; put the line in an 'in' block of the versions that "
                    "have it"
                  : "");
    if (!elsewhere) {
        stile_diag_suggest(cc->diags, diag, column->name.text,
                           table->column_names, table->count);
    }
}

static uint32_t alias_of(struct stile__cc *cc,
                         const struct stile_lang_word *name)
{
    struct stile_str names[STILE__ALIASES];
    for (uint32_t i = 1; i < cc->variant->alias_count; i++) {
        names[i - 1] = cc->variant->aliases[i].name;
        if (stile_str_eq(names[i - 1], name->text)) {
            return i;
        }
    }
    struct stile_diag *diag = stile__map_report(
        cc, "M108", name->span, "no lookup or join is called '%.*s'",
        STILE_FMT(name->text));
    stile_diag_suggest(cc->diags, diag, name->text, names,
                       cc->variant->alias_count - 1);
    return UINT32_MAX;
}

bool stile__resolve_column(struct stile__cc *cc,
                           const struct stile_lang_column *column,
                           struct stile__column *ret)
{
    uint32_t alias = 0;
    if (column->alias.text.len > 0) {
        alias = alias_of(cc, &column->alias);
        if (alias == UINT32_MAX) {
            return false;
        }
    }
    const struct stile_table *table = cc->variant->aliases[alias].table;
    if (table == NULL) {
        return false; /* the look-up itself was reported */
    }
    uint32_t ordinal = stile_table_column(table, column->name.text);
    if (ordinal == UINT32_MAX) {
        unknown_column(cc, column, table);
        return false;
    }
    *ret = (struct stile__column){alias, ordinal, &table->columns[ordinal],
                                  column->span};
    return true;
}

/* ---- FHIR types ---- */

uint32_t stile__type_fits(const struct stile_fhir_type *type)
{
    static const struct {
        const char *name;
        uint32_t fits;
    } map[] = {
        {"string", FITS_TEXT},
        {"markdown", FITS_TEXT},
        {"uri", FITS_URI},
        {"url", FITS_URI},
        {"canonical", FITS_URI},
        {"oid", FITS_URI},
        {"uuid", FITS_URI},
        {"code", FITS_CODE},
        {"id", FITS_ID},
        {"boolean", FITS_BOOL},
        {"integer", FITS_INT},
        {"positiveInt", FITS_INT},
        {"unsignedInt", FITS_INT},
        {"decimal", FITS_DECIMAL},
        {"date", FITS_DATE},
        {"dateTime", FITS_DATETIME},
        {"instant", FITS_INSTANT},
        {"time", FITS_TIME},
        {"base64Binary", FITS_BASE64},
        {"Reference", FITS_REFERENCE},
    };
    struct stile_str name = stile_fhir_type_name(type);
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (stile_str_eqc(name, map[i].name)) {
            return map[i].fits;
        }
    }
    return 0;
}

/* ---- literals ---- */

static bool number_form(struct stile_str s, bool whole)
{
    bool point = false;
    for (size_t i = 0; i < s.len; i++) {
        point = point || s.ptr[i] == '.';
    }
    size_t at = stile_str_find(s, '.');
    struct stile_str tail =
        at == SIZE_MAX ? STILE_STR_NULL : stile_str_sub(s, at + 1, s.len);
    return !(whole && point) && stile_str_find(tail, '.') == SIZE_MAX;
}

static bool kind_fits(const struct stile__path *path,
                      const struct stile_lang_literal *lit)
{
    switch (path->kind) {
    case STILE_BOOL:
        return lit->kind == STILE_LANG_TRUE || lit->kind == STILE_LANG_FALSE;
    case STILE_NUMBER:
        return lit->kind == STILE_LANG_NUMBER &&
               number_form(lit->text, stile__type_fits(path->type) == FITS_INT);
    default:
        return lit->kind == STILE_LANG_TEXT && lit->text.len > 0;
    }
}

bool stile__literal_fits(struct stile__cc *cc, const struct stile__path *path,
                         const struct stile_lang_literal *lit)
{
    struct stile_str type = stile_fhir_type_name(path->type);
    if (lit->kind == STILE_LANG_ABSENT) {
        return true;
    }
    if (path->open_list ||
        (!stile_fhir_type_is_primitive(path->type) && !path->reference)) {
        (void)stile__map_report(
            cc, path->open_list ? "M302" : "M207", path->span,
            path->open_list
                ? "the path ends at a list; say which item with [0]"
                : "the path stops at a %.*s; name the element inside it",
            STILE_FMT(type));
        return false;
    }
    if (!kind_fits(path, lit)) {
        (void)stile__map_report(cc, "M205", lit->span,
                                "this is no value of type %.*s",
                                STILE_FMT(type));
        return false;
    }
    if (stile__type_fits(path->type) == FITS_CODE && path->element != NULL &&
        path->element->binding == STILE_BIND_REQUIRED &&
        stile_fhir_code_in(path->element->value_set, lit->text) == 0) {
        (void)stile__map_report(cc, "M401", lit->span,
                                "'%.*s' is not in the required value set "
                                "%.*s",
                                STILE_FMT(lit->text),
                                STILE_FMT(path->element->value_set));
        return false;
    }
    return true;
}

/* ---- conditions ---- */

static bool cond_table(struct stile__cc *cc, const struct stile_lang_word *name)
{
    if (stile__mapset_table(cc->set, name->text) != NULL) {
        return true;
    }
    struct stile_diag *diag =
        stile__map_report(cc, "M107", name->span, "no code table '%.*s.csv'",
                          STILE_FMT(name->text));
    struct stile_str *names =
        stile_arena_array(cc->arena, cc->set->table_count, sizeof *names);
    for (uint32_t i = 0; names != NULL && i < cc->set->table_count; i++) {
        names[i] = cc->set->tables[i].name;
    }
    stile_diag_suggest(cc->diags, diag, name->text, names,
                       names != NULL ? cc->set->table_count : 0);
    return false;
}

bool stile__resolve_cond(struct stile__cc *cc,
                         const struct stile_lang_cond *cond)
{
    if (cond->a != NULL) {
        bool a = stile__resolve_cond(cc, cond->a);
        bool b = cond->b == NULL || stile__resolve_cond(cc, cond->b);
        return a && b;
    }
    bool ok = true;
    if (cond->kind == STILE_LANG_ASK) {
        return stile__resolve_ask(cc, cond);
    }
    if (cond->column != NULL) {
        struct stile__column column;
        ok = stile__resolve_column(cc, cond->column, &column);
    } else if (cond->path != NULL) {
        struct stile__path path;
        ok = stile__resolve_path(cc, cond->path, true, &path);
    }
    if (cond->kind == STILE_LANG_IN_TABLE) {
        ok = cond_table(cc, &cond->table) && ok;
    }
    return ok;
}

void stile__equalities(const struct stile_lang_cond *cond,
                       stile__equality_fn *each, void *ctx)
{
    if (cond == NULL) {
        return;
    }
    if (cond->kind == STILE_LANG_AND) {
        stile__equalities(cond->a, each, ctx);
        stile__equalities(cond->b, each, ctx);
    } else if (cond->kind == STILE_LANG_EQ && cond->column != NULL &&
               cond->column->alias.text.len == 0) {
        each(ctx, cond);
    }
}
