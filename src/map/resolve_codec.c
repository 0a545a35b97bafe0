/* Which codec a line uses, and whether it fits column and element. */
#include "map_private.h"

static const struct {
    const char *type, *codec;
} defaults[] = {
    {"string", "text"},     {"markdown", "text"},   {"uri", "text"},
    {"url", "text"},        {"canonical", "text"},  {"oid", "text"},
    {"uuid", "text"},       {"code", "code"},       {"id", "id"},
    {"boolean", "bool"},    {"integer", "int"},     {"positiveInt", "int"},
    {"unsignedInt", "int"}, {"decimal", "decimal"}, {"date", "date"},
};

static const struct stile__codec *default_codec(struct stile__cc *cc,
                                                const struct stile__path *path)
{
    struct stile_str type = stile_fhir_type_name(path->type);
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        if (stile_str_eqc(type, defaults[i].type)) {
            return stile__codec_find(stile_str_cstr(defaults[i].codec));
        }
    }
    bool stops = !path->reference && !stile_fhir_type_is_primitive(path->type);
    (void)stile__map_report(
        cc, "M207", path->span,
        stops ? "the path stops at a %.*s; name the element inside it"
              : "an element of type %.*s needs a codec; add ': CODEC'",
        STILE_FMT(type));
    return NULL;
}

static const struct stile__codec *
named_codec(struct stile__cc *cc, const struct stile_lang_codec *codec)
{
    struct stile_str names[64];
    size_t count = 0;
    const struct stile__codec *found = stile__codec_find(codec->name.text);
    if (found != NULL) {
        return found;
    }
    for (; count < 64 && stile__codec_at(count) != NULL; count++) {
        names[count] = stile_str_cstr(stile__codec_at(count)->name);
    }
    struct stile_diag *diag =
        stile__map_report(cc, "M106", codec->name.span, "no codec '%.*s'",
                          STILE_FMT(codec->name.text));
    stile_diag_suggest(cc->diags, diag, codec->name.text, names, count);
    return NULL;
}

/* ---- arguments ---- */

struct args {
    struct stile__cc *cc;
    const struct stile_lang_codec *tree;
    struct stile__codec_use *use;
    const struct stile__path *path;
    bool has_text, has_table, has_type, bad;
    const struct stile_lang_word *of;
};

static void wrong_arg(struct args *a, struct stile_span span, const char *what)
{
    a->bad = true;
    (void)stile__map_report(a->cc, "M202", span, "codec '%s' %s",
                            a->use->codec->name, what);
}

static void inline_row(struct stile__code_row *row,
                       const struct stile_lang_pair *pair)
{
    row->left = pair->left->text;
    row->right = pair->right->text;
    row->right_absent = pair->right->kind == STILE_LANG_ABSENT;
    row->span = pair->left->span;
}

static void inline_table(struct args *a, const struct stile_lang_arg *arg)
{
    struct stile__code_table *table =
        stile_arena_alloc(a->cc->arena, sizeof *table);
    uint32_t count = 0;
    for (const struct stile_lang_pair *p = arg->pairs; p; p = p->next) {
        count++;
    }
    if (table == NULL) {
        return;
    }
    table->source = a->cc->source;
    table->rows = stile_arena_array(a->cc->arena, count, sizeof *table->rows);
    if (table->rows == NULL) {
        return;
    }
    for (const struct stile_lang_pair *p = arg->pairs; p; p = p->next) {
        inline_row(&table->rows[table->count++], p);
    }
    size_t before = a->cc->diags->count;
    bool first = a->cc->variant == &a->cc->mapping->variants[0];
    struct stile_diags none;
    stile_diags_init(&none, a->cc->arena, 1);
    stile__codes_index(table, a->cc->arena, first ? a->cc->diags : &none);
    a->bad = a->bad || a->cc->diags->count != before;
    a->use->table = table;
    a->has_table = true;
}

static void table_arg(struct args *a, const struct stile_lang_arg *arg)
{
    a->use->table = stile__mapset_table(a->cc->set, arg->word.text);
    a->has_table = true;
    if (a->use->table != NULL) {
        return;
    }
    a->bad = true;
    struct stile_lang_cond probe = {.kind = STILE_LANG_IN_TABLE,
                                    .table = arg->word};
    (void)stile__resolve_cond(a->cc, &probe); /* says which is near */
}

static void word_arg(struct args *a, const struct stile_lang_arg *arg)
{
    uint32_t takes = a->use->codec->takes;
    struct stile_str w = arg->word.text;
    if ((takes & TAKES_TABLE) && !a->has_table) {
        table_arg(a, arg);
    } else if ((takes & TAKES_TYPE) && !a->has_type) {
        a->use->ref_type = w;
        a->has_type = true;
        const struct stile_fhir_type *type = stile_fhir_type(w);
        if (type == NULL || !stile_fhir_type_is_resource(type)) {
            a->bad = true;
            (void)stile__map_report(a->cc, "M104", arg->span,
                                    "'%.*s' is no FHIR R4 resource type",
                                    STILE_FMT(w));
        }
    } else if ((takes & TAKES_TYPE) && stile_str_eqc(w, "of") && arg->next) {
        a->of = &arg->next->word;
    } else if ((takes & TAKES_TYPE) && a->of == &arg->word) {
        return;
    } else if ((takes & TAKES_TURN) && stile_str_eqc(w, "earlier")) {
        a->use->earlier = true;
    } else if ((takes & TAKES_TURN) && stile_str_eqc(w, "later")) {
        a->use->later = true;
    } else if ((takes & TAKES_SECONDS) && stile_str_eqc(w, "seconds")) {
        a->use->seconds = true;
    } else {
        wrong_arg(a, arg->span, "does not take this word");
    }
}

static void one_arg(struct args *a, const struct stile_lang_arg *arg)
{
    uint32_t takes = a->use->codec->takes;
    switch (arg->kind) {
    case STILE_LANG_ARG_WORD:
        word_arg(a, arg);
        break;
    case STILE_LANG_ARG_TEXT:
        if (takes & TAKES_ZONE) {
            a->has_text = true;
            if (!stile_str_eqc(arg->word.text, "Europe/London")) {
                wrong_arg(a, arg->span, "knows the zone 'Europe/London' only");
            }
        } else if (takes & (TAKES_TEXT | NEEDS_TEXT)) {
            a->use->text = arg->word.text;
            a->has_text = arg->word.text.len > 0;
        } else {
            wrong_arg(a, arg->span, "takes no text");
        }
        break;
    case STILE_LANG_ARG_RANGE:
        if (!(takes & TAKES_RANGE) || arg->lo > arg->hi) {
            wrong_arg(a, arg->span, "does not take this range");
            break;
        }
        a->use->lo = arg->lo;
        a->use->hi = arg->hi;
        break;
    case STILE_LANG_ARG_PAIRS:
        if (!(takes & TAKES_TABLE)) {
            wrong_arg(a, arg->span, "takes no table");
            break;
        }
        inline_table(a, arg);
        break;
    case STILE_LANG_ARG_COLUMN:
        if (!(takes & TAKES_COLUMN)) {
            wrong_arg(a, arg->span, "takes no column");
        }
        break;
    }
}

static void blanks_of(struct args *a)
{
    size_t count = 0;
    for (struct stile_lang_literal *l = a->tree->blanks; l; l = l->next) {
        count++;
    }
    struct stile_str *blanks =
        stile_arena_array(a->cc->arena, count, sizeof *blanks);
    count = 0;
    for (struct stile_lang_literal *l = a->tree->blanks; blanks && l;
         l = l->next) {
        blanks[count++] = l->text;
    }
    a->use->blanks = blanks;
    a->use->blank_count = count;
}

/* ---- ref ---- */

static bool same_id(const struct stile__codec_use *a,
                    const struct stile__codec_use *b)
{
    return a->codec == b->codec && stile_str_eq(a->text, b->text);
}

static bool owns(const struct stile__cc *cc, const struct stile_mapping *m,
                 struct stile_str type)
{
    return m->id_use != NULL && m->type != NULL &&
           stile_str_eq(m->tree->family.text, cc->tree->family.text) &&
           stile_str_eq(stile_fhir_type_name(m->type), type);
}

static void fallback_id(struct args *a, const struct stile__column *column)
{
    struct stile__codec_use *use = stile_arena_alloc(a->cc->arena, sizeof *use);
    if (use != NULL) {
        bool guid = column->column->type == STILE_COL_GUID;
        use->codec =
            stile__codec_find(guid ? STILE_STR("guid") : STILE_STR("id"));
        use->braces = a->use->braces;
        a->use->ref_id = use;
    }
}

static void ref_owner(struct args *a, const struct stile__column *columns)
{
    const struct stile_mapping *owner = NULL;
    for (uint32_t i = 0; i < a->cc->set->count; i++) {
        const struct stile_mapping *m = &a->cc->set->mappings[i];
        if (!owns(a->cc, m, a->use->ref_type) ||
            (a->of != NULL && !stile_str_eq(a->of->text, m->tree->name.text))) {
            continue;
        }
        if (owner != NULL && !same_id(owner->id_use, m->id_use)) {
            a->bad = true;
            (void)stile__map_report(
                a->cc, "M209", a->tree->span,
                "'%.*s' and '%.*s' make ids of %.*s differently; add 'of' and "
                "the mapping meant",
                STILE_FMT(owner->tree->name.text),
                STILE_FMT(m->tree->name.text), STILE_FMT(a->use->ref_type));
            return;
        }
        owner = m;
    }
    if (owner != NULL) {
        a->use->ref_id = owner->id_use;
    } else if (a->of != NULL) {
        a->bad = true;
        (void)stile__map_report(a->cc, "M109", a->of->span,
                                "no mapping '%.*s' of this family writes an "
                                "id of %.*s",
                                STILE_FMT(a->of->text),
                                STILE_FMT(a->use->ref_type));
    } else {
        fallback_id(a, &columns[0]);
    }
}

/* ---- fit ---- */

static void range_of_type(struct args *a)
{
    struct stile_str type = stile_fhir_type_name(a->path->type);
    int64_t lo = INT32_MIN, hi = INT32_MAX;
    if (stile_str_eqc(type, "positiveInt")) {
        lo = 1;
    } else if (stile_str_eqc(type, "unsignedInt")) {
        lo = 0;
    } else if (stile_str_eqc(type, "decimal")) {
        lo = INT64_MIN;
        hi = INT64_MAX;
    }
    bool stated = a->use->lo != 0 || a->use->hi != 0;
    if (!stated) {
        a->use->lo = lo;
        a->use->hi = hi;
    } else if (a->use->lo < lo || a->use->hi > hi) {
        a->bad = true;
        (void)stile__map_report(a->cc, "M206", a->tree->span,
                                "%.*s holds %lld to %lld only", STILE_FMT(type),
                                (long long)lo, (long long)hi);
    }
}

static void check_element(struct args *a, struct stile_span span)
{
    const struct stile__codec *codec = a->use->codec;
    uint32_t fits = a->path->reference ? (uint32_t)FITS_REFERENCE
                                       : stile__type_fits(a->path->type);
    bool list = (codec->takes & MAKES_LIST) != 0;
    a->use->fits = fits;
    if (a->path->open_list && !list) {
        a->bad = true;
        (void)stile__map_report(a->cc, "M302", a->path->span,
                                "the path ends at a list; say which item with "
                                "[0], or use codec list");
        return;
    }
    if (list && !a->path->open_list) {
        a->bad = true;
        (void)stile__map_report(a->cc, "M303", a->path->span,
                                "codec '%s' fills a list; the path must end "
                                "at one",
                                codec->name);
        return;
    }
    if (!(codec->fits & fits)) {
        a->bad = true;
        (void)stile__map_report(
            a->cc, "M201", span, "codec '%s' makes no value for type %.*s",
            codec->name, STILE_FMT(stile_fhir_type_name(a->path->type)));
    }
}

static void check_columns(struct args *a, const struct stile__column *columns,
                          uint32_t count)
{
    const struct stile__codec *codec = a->use->codec;
    uint32_t most = codec->most;
    uint32_t least = codec->least;
    if (a->bad) {
        return;
    }
    if (a->use->ref_id != NULL) {
        most = a->use->ref_id->codec->most;
    }
    if (count < least || count > most) {
        a->bad = true;
        (void)stile__map_report(a->cc, "M208", a->tree->span,
                                "codec '%s' takes %u to %u columns, not %u",
                                codec->name, (unsigned)least, (unsigned)most,
                                (unsigned)count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t type = 1u << columns[i].column->type;
        if (codec->columns != 0 && !(codec->columns & type)) {
            a->bad = true;
            (void)stile__map_report(
                a->cc, "M210", columns[i].span,
                "codec '%s' does not read the type of column '%.*s'",
                codec->name, STILE_FMT(columns[i].column->name));
        }
    }
}

static void check_code_values(struct args *a)
{
    const struct stile_fhir_element *e = a->path->element;
    const struct stile__code_table *t = a->use->table;
    if (t == NULL || e == NULL || e->binding != STILE_BIND_REQUIRED ||
        a->use->fits != FITS_CODE ||
        stile_str_eqc(stile_str_cstr(a->use->codec->name), "display")) {
        return;
    }
    struct stile__cc at = *a->cc;
    at.source = t->source;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct stile__code_row *row = &t->rows[i];
        if (!row->right_absent && !row->no_right &&
            stile_fhir_code_in(e->value_set, row->right) == 0) {
            a->bad = true;
            (void)stile__map_report(
                &at, "M401", row->span,
                "'%.*s' is not in the value set %.*s that %.*s requires",
                STILE_FMT(row->right), STILE_FMT(e->value_set),
                STILE_FMT(a->path->canon));
        }
    }
}

static void check_required(struct args *a)
{
    uint32_t takes = a->use->codec->takes;
    if ((takes & TAKES_TABLE) && !a->has_table) {
        wrong_arg(a, a->tree->span, "needs a code table");
    }
    if ((takes & TAKES_TYPE) && !a->has_type) {
        wrong_arg(a, a->tree->span, "needs a resource type");
    }
    if ((takes & (NEEDS_TEXT | TAKES_ZONE)) && !a->has_text) {
        wrong_arg(a, a->tree->span,
                  (takes & TAKES_ZONE) ? "needs its zone: 'Europe/London'"
                                       : "needs a text in quotes");
    }
    if (a->tree->policy.kind != STILE_LANG_POLICY_NONE &&
        !(takes & TAKES_POLICY)) {
        a->bad = true;
        (void)stile__map_report(a->cc, "M406", a->tree->policy.span,
                                "'else' of this kind stands after codes only");
    }
}

struct stile__codec_use *
stile__resolve_codec(struct stile__cc *cc, const struct stile_lang_stmt *stmt,
                     const struct stile__column *columns, uint32_t count,
                     const struct stile__path *path)
{
    struct stile_lang_codec none = {.span = path->span};
    const struct stile_lang_codec *tree =
        stmt->codec != NULL ? stmt->codec : &none;
    struct stile__codec_use *use = stile_arena_alloc(cc->arena, sizeof *use);
    struct args a = {.cc = cc, .tree = tree, .use = use, .path = path};
    if (use == NULL) {
        return NULL;
    }
    use->codec =
        stmt->codec != NULL ? named_codec(cc, tree) : default_codec(cc, path);
    if (use->codec == NULL) {
        return NULL;
    }
    struct stile_str guid =
        stile_schema_dialect(cc->set->schema, cc->tree->family.text,
                             cc->variant->table->version, "guid");
    use->braces = stile_str_eqc(guid, "braced");
    use->policy = tree->policy;
    use->boolean_cells = columns[0].column->type == STILE_COL_BOOL;
    for (const struct stile_lang_arg *arg = tree->args; arg; arg = arg->next) {
        one_arg(&a, arg);
    }
    check_required(&a);
    blanks_of(&a);
    check_element(&a, stmt->codec != NULL ? tree->name.span : path->span);
    if (!a.bad && (use->codec->takes & TAKES_TYPE)) {
        ref_owner(&a, columns);
    }
    if (!a.bad && (use->codec->takes & TAKES_RANGE)) {
        range_of_type(&a);
    }
    check_columns(&a, columns, count);
    check_code_values(&a);
    return a.bad ? NULL : use;
}
