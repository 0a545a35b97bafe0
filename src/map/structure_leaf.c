/* What one line makes of its columns, as far as a StructureMap can say it. */
#include "structure_make.h"

/* ---- values of elements ---- */

/* What a StructureMap says of a codec, and what it leaves unsaid. */
enum kind {
    KIND_COPY,
    KIND_CAST,
    KIND_BOOLEAN,
    KIND_CODES,
    KIND_DISPLAY,
    KIND_REF,
    KIND_JOIN,
    KIND_PREFIX,
    KIND_LIST,
    KIND_ID,
    KIND_NONE
};

static const struct {
    const char *codec;
    enum kind kind;
    const char *also; /* what the transform does not do */
} kinds[] = {
    {"text", KIND_COPY, ""},
    {"code", KIND_COPY,
     "White space around is cut, and runs of it become one space."},
    {"id", KIND_ID, "Bytes that an id cannot hold are written as .XX."},
    {"guid", KIND_COPY, "Written in lower case and without braces."},
    {"ref", KIND_REF,
     "The id is written as the mapping of the resource referred to writes it."},
    {"bool", KIND_BOOLEAN, ""},
    {"yes-no", KIND_BOOLEAN, ""},
    {"int", KIND_CAST, "Leading zeros and + are cut, and the range is held."},
    {"decimal", KIND_CAST, "The text of the number is kept: 95.50 stays."},
    {"nhs-number", KIND_COPY,
     "Spaces are cut; 0000000000 and 9999999999 are absent; a wrong check "
     "digit is refused."},
    {"postcode", KIND_COPY, "Upper case, one space before the last three."},
    {"date", KIND_COPY, "A day of the calendar, or it is refused."},
    {"date-dmy", KIND_NONE, "DD/MM/YYYY becomes YYYY-MM-DD."},
    {"date-mon", KIND_NONE, "dd MMM yyyy becomes YYYY-MM-DD."},
    {"partial-date", KIND_NONE,
     "The date is cut to the precision that the second column states: Y, YM or "
     "YMD; U is absent."},
    {"instant", KIND_NONE,
     "Date and time of Europe/London become an instant with its offset."},
    {"local-time", KIND_NONE,
     "The local time of Europe/London is written with its offset."},
    {"local-time-mon", KIND_NONE,
     "dd MMM yyyy HH:mm of Europe/London is written with its offset."},
    {"codes", KIND_CODES, ""},
    {"display", KIND_DISPLAY, ""},
    {"via", KIND_COPY, ""},
    {"join-key", KIND_JOIN, "A part that holds the separator is refused."},
    {"words", KIND_JOIN, "Empty parts leave no separator."},
    {"digest", KIND_NONE,
     "The first 32 hex digits of the SHA-256 of the cells, each with its "
     "length "
     "in bytes and a colon before it."},
    {"prefix", KIND_PREFIX, ""},
    {"list", KIND_LIST, ""},
    {"split", KIND_NONE, "The cell is cut at the separator, an item a piece."},
};

static size_t kind_index(const struct stile__codec_use *use)
{
    size_t count = sizeof kinds / sizeof kinds[0];
    for (size_t i = 0; use != NULL && i < count; i++) {
        if (strcmp(use->codec->name, kinds[i].codec) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* A source of one column; its variable. */
static struct stile_str column_source(struct stile__maker *k,
                                      struct stile_value *rule,
                                      const struct stile__column *c)
{
    struct stile_value *source =
        stile__sm_source_of(k, rule, stile__sm_context_of(k, c));
    struct stile_str variable = stile__sm_numbered(k, "v");
    stile__sm_set(k, source, "element", c->column->name);
    stile__sm_set(k, source, "variable", variable);
    return variable;
}

static const char *literal_member(const struct stile__path *p)
{
    if (p->kind == STILE_BOOL) {
        return "valueBoolean";
    }
    if (p->kind == STILE_NUMBER) {
        return stile_str_eqc(stile_fhir_type_name(p->type), "decimal")
                   ? "valueDecimal"
                   : "valueInteger";
    }
    return "valueString";
}

/* target = literal; a choice needs its type said. */
static void copy_literal(struct stile__maker *k, struct stile_value *target,
                         const struct stile__path *p, struct stile_str text)
{
    bool choice = p->element != NULL && p->element->choice;
    struct stile_value *value = stile__sm_parameter(
        k, target, choice ? "valueString" : literal_member(p), text);
    stile__sm_setc(k, target, "transform", choice ? "cast" : "copy");
    if (choice) {
        (void)stile__sm_parameter(k, target, "valueString",
                                  stile_fhir_type_name(p->type));
    } else if (value != NULL && p->kind != STILE_STRING) {
        value->kind = p->kind;
        value->boolean = stile_str_eqc(text, "true");
    }
}

/* PATH = if … then … else …: a rule a case, under the opposite of those
 * before it. */
static void constant_cases(struct stile__maker *k,
                           const struct stile__leaf_at *at)
{
    const struct stile__rule *r = at->leaf->rule;
    struct stile_str before = STILE_STR_NULL;
    for (const struct stile_lang_case *c = r->stmt->cases; c; c = c->next) {
        struct stile_str holds =
            c->cond != NULL ? stile__condition(k->variant, c->cond, k->arena)
                            : STILE_STR_NULL;
        if (c->literal->kind != STILE_LANG_ABSENT) {
            struct stile_value *rule =
                stile__sm_line_rule(k, at->parent, r->stmt);
            struct stile_value *source = stile__sm_source_of(k, rule, k->row);
            struct stile_value *target = stile__sm_target_of(
                k, rule, at->variable, stile__sm_element_name(at->leaf->step));
            stile__sm_set(k, source, "condition",
                          stile__conjunction(before, holds, k->arena));
            copy_literal(k, target, r->paths, c->literal->text);
            stile__sm_document(k, rule, stile__sm_one_line(k, r->stmt->span));
        }
        if (holds.len > 0) {
            holds =
                stile_arena_printf(k->arena, "(%.*s).not()", STILE_FMT(holds));
            before = stile__conjunction(before, holds, k->arena);
        }
    }
}

static void match_constant(struct stile__maker *k,
                           const struct stile__leaf_at *at)
{
    struct stile_value *rule =
        stile__sm_rule_of(k, at->parent, stile__sm_numbered(k, "where-"));
    struct stile_value *target = stile__sm_target_of(
        k, rule, at->variable, stile__sm_element_name(at->leaf->step));
    (void)stile__sm_source_of(k, rule, k->row);
    copy_literal(k, target, &at->leaf->match->path, at->leaf->match->literal);
}

/* codes { a: b }: a rule a pair. */
static void inline_codes(struct stile__maker *k,
                         const struct stile__leaf_at *at)
{
    const struct stile__rule *r = at->leaf->rule;
    const struct stile__code_table *t = r->use->table;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct stile__code_row *row = &t->rows[i];
        if (row->no_right || row->right_absent) {
            continue;
        }
        struct stile_value *rule = stile__sm_line_rule(k, at->parent, r->stmt);
        struct stile_value *source = stile__sm_source_of(
            k, rule, stile__sm_context_of(k, &r->columns[0]));
        struct stile_buf test;
        stile_buf_init(&test, 1 << 16);
        stile__fhirpath_name(&test, r->columns[0].column->name);
        stile_buf_printf(
            &test, r->use->boolean_cells ? ".toBoolean() = %.*s" : " = '%.*s'",
            STILE_FMT(row->left));
        stile__sm_set(k, source, "condition",
                      stile_arena_str(k->arena, stile_buf_str(&test)));
        stile_buf_release(&test);
        copy_literal(
            k,
            stile__sm_target_of(k, rule, at->variable,
                                stile__sm_element_name(at->leaf->step)),
            r->paths, row->right);
        stile__sm_document(k, rule, stile__sm_one_line(k, r->stmt->span));
    }
}

static void policy_words(struct stile__maker *k, struct stile_value *rule,
                         const struct stile__codec_use *use)
{
    static const char *const ends[] = {"is refused", "makes the row wait",
                                       "is refused", "is left out",
                                       "goes to its concept's text"};
    stile__sm_document(k, rule,
                       stile_arena_printf(k->arena,
                                          "A code that the table lacks %s.",
                                          ends[use->policy.kind]));
}

static void transform(struct stile__maker *k, struct stile_value *rule,
                      struct stile_value *target, const struct stile__rule *r,
                      enum kind kind, const struct stile_str *variables)
{
    const struct stile__codec_use *use = r->use;
    bool choice = r->paths->element != NULL && r->paths->element->choice &&
                  !r->paths->reference;
    static const char *const names[] = {"copy",      "cast",      "evaluate",
                                        "translate", "translate", "append",
                                        "append",    "append"};
    const char *name = kind == KIND_COPY && choice ? "cast" : names[kind];
    stile__sm_setc(k, target, "transform", name);
    if (kind == KIND_REF || kind == KIND_PREFIX) {
        (void)stile__sm_parameter(
            k, target, "valueString",
            kind == KIND_PREFIX ? use->text
                                : stile_arena_printf(k->arena, "%.*s/",
                                                     STILE_FMT(use->ref_type)));
    }
    for (uint32_t i = 0; i < r->column_count; i++) {
        struct stile_str between =
            use->text.len > 0 ? use->text : STILE_STR(" ");
        if (strcmp(use->codec->name, "id") == 0) {
            between = STILE_STR("..");
        }
        if (kind == KIND_JOIN && i > 0) {
            (void)stile__sm_parameter(k, target, "valueString", between);
        }
        (void)stile__sm_parameter(k, target, "valueId", variables[i]);
    }
    if (strcmp(name, "cast") == 0) {
        (void)stile__sm_parameter(k, target, "valueString",
                                  stile_fhir_type_name(r->paths->type));
    } else if (kind == KIND_BOOLEAN) {
        (void)stile__sm_parameter(k, target, "valueString",
                                  STILE_STR("toBoolean()"));
    } else if (kind == KIND_CODES || kind == KIND_DISPLAY) {
        (void)stile__sm_parameter(
            k, target, "valueString",
            stile_arena_printf(k->arena, "%.*s/ConceptMap/%.*s",
                               STILE_FMT(k->base),
                               STILE_FMT(use->table->name)));
        (void)stile__sm_parameter(k, target, "valueString",
                                  kind == KIND_CODES ? STILE_STR("code")
                                                     : STILE_STR("display"));
        policy_words(k, rule, use);
    }
}

/* Several columns of which each makes an item of its own. */
static void one_each(struct stile__maker *k, const struct stile__leaf_at *at)
{
    const struct stile__rule *r = at->leaf->rule;
    for (uint32_t i = 0; i < r->column_count; i++) {
        struct stile_value *rule = stile__sm_line_rule(k, at->parent, r->stmt);
        struct stile_str variable = column_source(k, rule, &r->columns[i]);
        struct stile_value *target = stile__sm_target_of(
            k, rule, at->variable, stile__sm_element_name(at->leaf->step));
        stile__sm_setc(k, target, "transform", "copy");
        (void)stile__sm_parameter(k, target, "valueId", variable);
        stile__sm_document(k, rule, stile__sm_one_line(k, r->stmt->span));
    }
}

static void correspondence(struct stile__maker *k,
                           const struct stile__leaf_at *at)
{
    const struct stile__rule *r = at->leaf->rule;
    size_t index = kind_index(r->use);
    enum kind kind = index == SIZE_MAX ? KIND_NONE : kinds[index].kind;
    struct stile_str variables[STILE__CELLS];
    if (kind == KIND_LIST) {
        one_each(k, at);
        return;
    }
    if (kind == KIND_CODES && r->use->table->name.len == 0) {
        inline_codes(k, at);
        return;
    }
    struct stile_value *rule = stile__sm_line_rule(k, at->parent, r->stmt);
    for (uint32_t i = 0; i < r->column_count; i++) {
        variables[i] = column_source(k, rule, &r->columns[i]);
    }
    struct stile_value *target = stile__sm_target_of(
        k, rule, at->variable, stile__sm_element_name(at->leaf->step));
    stile__sm_document(k, rule, stile__sm_one_line(k, r->stmt->span));
    if (r->stmt->fallback != NULL && r->column_count == 1) {
        stile__sm_set(k, stile_value_getc(rule, "source")->first,
                      "defaultValueString", r->stmt->fallback->text);
    }
    if (kind == KIND_REF && (r->use->ref_id == NULL || r->column_count > 1)) {
        kind = KIND_NONE;
    } else if (kind == KIND_ID && r->use->text.len > 0) {
        kind = r->column_count == 1 ? KIND_PREFIX : KIND_NONE;
    } else if (kind == KIND_ID) {
        kind = r->column_count == 1 ? KIND_COPY : KIND_JOIN;
    }
    if (kind == KIND_NONE) {
        stile__sm_document(
            k, rule,
            stile_arena_printf(
                k->arena,
                "No transform of StructureMap makes this value; the "
                "codec '%s' does.",
                r->use != NULL ? r->use->codec->name : "?"));
    } else {
        transform(k, rule, target, r, kind, variables);
    }
    if (index != SIZE_MAX) {
        stile__sm_document(k, rule, stile_str_cstr(kinds[index].also));
    }
    if (r->use != NULL && r->use->blank_count > 0) {
        stile__sm_document(k, rule,
                           STILE_STR("Cells listed as blank are absent."));
    }
}

void stile__sm_leaf(struct stile__maker *k, struct stile__leaf_at at)
{
    const struct stile__rule *r = at.leaf->rule;
    if (at.leaf->match != NULL) {
        match_constant(k, &at);
        return;
    }
    at.parent = stile__sm_under(
        k, at.parent, stile__guard_condition(k->variant, r->guard, k->arena));
    if (r->stmt->kind == STILE_LANG_CONSTANT) {
        constant_cases(k, &at);
    } else {
        correspondence(k, &at);
    }
}
