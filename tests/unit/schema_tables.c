/* The .tables files: loading, look-ups, binding of headers. */
#include <criterion/criterion.h>

#include "schema_private.h"

struct fixture {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_schema *schema;
};

static void start(struct fixture *f)
{
    f->arena = stile_arena_new(64u << 20);
    cr_assert_not_null(f->arena);
    stile_diags_init(&f->diags, f->arena, 0);
    f->schema = stile_schema_new(f->arena);
    cr_assert_not_null(f->schema);
}

static enum stile_status add(struct fixture *f, const char *text)
{
    struct stile_source source = {STILE_STR("x.tables"), stile_str_cstr(text)};
    return stile_schema_add(f->schema, &source, &f->diags);
}

static void load(struct fixture *f, const char *name)
{
    static char text[1 << 20];
    char path[512];
    snprintf(path, sizeof path, "%s/mappings/formats/%s", STILE_SOURCE_DIR,
             name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    struct stile_source source = {stile_str_cstr(name), {text, n}};
    cr_assert_eq(stile_schema_add(f->schema, &source, &f->diags), STILE_OK,
                 "%s", name);
    cr_assert_eq(f->diags.count, 0);
}

static const struct stile_table *table(const struct fixture *f,
                                       const char *family, const char *version,
                                       const char *name)
{
    return stile_schema_table(f->schema, stile_str_cstr(family),
                              stile_str_cstr(version), stile_str_cstr(name));
}

static const struct stile_column *column(const struct stile_table *t,
                                         const char *name)
{
    uint32_t at = stile_table_column(t, stile_str_cstr(name));
    cr_assert_neq(at, UINT32_MAX, "%s", name);
    return &t->columns[at];
}

#define HEAD "family f 1\n"

Test(schema_tables, reads_a_small_file)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(add(&f, "# comment\r\n"
                         "family shop 1.0   # tail\n"
                         "dialect delimiter=comma quote=double\n"
                         "\n"
                         "table T key B+A person C json things\n"
                         "  A:g\n"
                         "  B:i8? alias Bee,Be\n"
                         "  C:s20 sensitive\n"
                         "  \"COVID Priority\":b optional\n"
                         "table U\n"
                         "  X:x\n"),
                 STILE_OK);
    const struct stile_table *t = table(&f, "shop", "", "T");
    cr_assert_not_null(t);
    cr_assert_eq(t->count, 4);
    cr_assert_eq(t->key_count, 2);
    cr_assert_eq(t->keys[0], 1);
    cr_assert_eq(t->keys[1], 0);
    cr_assert_eq(t->person_column, 2);
    cr_assert(t->columns[2].person);
    cr_assert(t->columns[2].sensitive);
    cr_assert_eq(t->columns[2].width, 20);
    cr_assert(stile_str_eqc(t->json_name, "things"));
    cr_assert_eq(t->columns[1].type, STILE_COL_INT);
    cr_assert(t->columns[1].nullable);
    cr_assert(t->columns[1].key);
    cr_assert_eq(stile_table_column(t, STILE_STR("BEE")), 1);
    cr_assert_eq(stile_table_column(t, STILE_STR("covid priority")), 3);
    cr_assert(t->columns[3].optional);
    cr_assert_eq(stile_table_column(t, STILE_STR("D")), UINT32_MAX);
    cr_assert(stile_str_eqc(t->column_names[3], "COVID Priority"));
    cr_assert(stile_str_eqc(stile_schema_dialect(f.schema, STILE_STR("shop"),
                                                 STILE_STR("1.0"), "quote"),
                            "double"));
    cr_assert_eq(stile_schema_dialect(f.schema, STILE_STR("shop"),
                                      STILE_STR("1.0"), "guid")
                     .len,
                 0);
    const struct stile_table *u = table(&f, "shop", "1.0", "U");
    cr_assert_eq(u->key_count, 0);
    cr_assert_eq(u->person_column, UINT32_MAX);
    cr_assert_null(table(&f, "shop", "2.0", "U"));
    cr_assert_eq(stile_schema_count(f.schema), 2);
    stile_arena_free(&f.arena);
}

Test(schema_tables, names_each_fault_and_adds_nothing)
{
    static const struct {
        const char *text, *code;
        uint32_t line;
    } cases[] = {
        {"", "S102", 1},
        {"table T\n A:g\n", "S102", 1},
        {"family f\n", "S101", 1},
        {HEAD "family g 1\n", "S101", 2},
        {HEAD "dialect nothing\n", "S101", 2},
        {HEAD "dialect foo=bar\n", "S110", 2},
        {HEAD "dialect delimiter=semikolon\n", "S110", 2},
        {HEAD "dialect encoding=utf-9\n", "S110", 2},
        {HEAD "dialect deleted=\n", "S110", 2},
        {HEAD "A:g\n", "S101", 2},
        {HEAD "table T key\n", "S101", 2},
        {HEAD "table T keys A\n A:g\n", "S101", 2},
        {HEAD "table T\n A\n", "S101", 3},
        {HEAD "table T\n A:g odd\n", "S101", 3},
        {HEAD "table T\n A:g alias\n", "S101", 3},
        {HEAD "table T\n \"A:g\n", "S101", 3},
        {HEAD "table T\n A:q\n", "S104", 3},
        {HEAD "table T\n A:s0\n", "S104", 3},
        {HEAD "table T\n A:d4\n", "S104", 3},
        {HEAD "table T\n A:g\ntable t\n B:g\n", "S103", 4},
        {HEAD "table T key B\n A:g\n", "S105", 2},
        {HEAD "table T\n A:g\n a:g\n", "S106", 4},
        {HEAD "table T\n A:g\n B:g alias a\n", "S106", 4},
        {HEAD "table T person B\n A:g\n", "S107", 2},
        {HEAD "table T\n A:g alias B,,C\n", "S109", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        start(&f);
        cr_assert_eq(add(&f, cases[i].text), STILE_INVALID, "case %zu", i);
        cr_assert_geq(f.diags.count, 1);
        cr_assert_str_eq(f.diags.items[0].code, cases[i].code, "case %zu", i);
        cr_assert_eq(f.diags.items[0].line, cases[i].line, "case %zu", i);
        cr_assert_eq(stile_schema_count(f.schema), 0);
        stile_arena_free(&f.arena);
    }
}

Test(schema_tables, a_table_needs_columns)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(add(&f, HEAD "table T\n"), STILE_INVALID);
    cr_assert_str_eq(f.diags.items[0].code, "S108");
    stile_arena_free(&f.arena);
}

Test(schema_tables, columns_at_the_limit_and_one_past)
{
    struct fixture f;
    struct stile_buf text;
    stile_buf_init(&text, 1 << 20);
    stile_buf_addc(&text, HEAD "table T\n");
    for (int i = 0; i < STILE_TABLE_COLUMNS_MAX; i++) {
        stile_buf_printf(&text, "c%d:s\n", i);
    }
    start(&f);
    struct stile_source source = {STILE_STR("x"), stile_buf_str(&text)};
    cr_assert_eq(stile_schema_add(f.schema, &source, &f.diags), STILE_OK);
    cr_assert_eq(table(&f, "f", "", "T")->count, STILE_TABLE_COLUMNS_MAX);
    stile_arena_free(&f.arena);
    stile_buf_addc(&text, "more:s\n");
    start(&f);
    source.text = stile_buf_str(&text);
    cr_assert_eq(stile_schema_add(f.schema, &source, &f.diags), STILE_INVALID);
    cr_assert_str_eq(f.diags.items[0].code, "S109");
    stile_arena_free(&f.arena);
    stile_buf_release(&text);
}

Test(schema_tables, a_family_version_is_loaded_once)
{
    struct fixture f;
    start(&f);
    cr_assert_eq(add(&f, HEAD "table T\n A:g\n"), STILE_OK);
    cr_assert_eq(add(&f, HEAD "table U\n A:g\n"), STILE_INVALID);
    cr_assert_str_eq(f.diags.items[0].code, "S103");
    cr_assert_eq(stile_schema_count(f.schema), 1);
    stile_arena_free(&f.arena);
}

Test(schema_tables, versions_compare_by_number)
{
    cr_assert_lt(stile__version_cmp(STILE_STR("8.2"), STILE_STR("8.10")), 0);
    cr_assert_gt(stile__version_cmp(STILE_STR("8.0"), STILE_STR("7.1")), 0);
    cr_assert_eq(stile__version_cmp(STILE_STR("8.0"), STILE_STR("8.0")), 0);
    cr_assert_lt(stile__version_cmp(STILE_STR("8"), STILE_STR("8.0")), 0);
}

Test(schema_tables, emis_stands_as_published)
{
    static const struct {
        const char *name;
        size_t count; /* as published, without optional columns */
    } tables[] = {
        {"Admin_Location", 18},
        {"Admin_Organisation", 11},
        {"Admin_OrganisationLocation", 5},
        {"Admin_Patient", 38},
        {"Admin_PatientHistory", 6},
        {"Admin_UserInRole", 11},
        {"Agreements_SharingOrganisation", 5},
        {"Appointment_Session", 13},
        {"Appointment_SessionUser", 4},
        {"Appointment_Slot", 30},
        {"Audit_PatientAudit", 9},
        {"Audit_RegistrationAudit", 7},
        {"CareRecord_Consultation", 17},
        {"CareRecord_Diary", 19},
        {"CareRecord_Observation", 26},
        {"CareRecord_ObservationReferral", 21},
        {"CareRecord_Problem", 15},
        {"Coding_ClinicalCode", 11},
        {"Coding_DrugCode", 5},
        {"Prescribing_DrugRecord", 23},
        {"Prescribing_IssueRecord", 33},
    };
    struct fixture f;
    start(&f);
    load(&f, "emis-7.0.tables");
    load(&f, "emis-8.2.tables");
    load(&f, "emis-8.0.tables");
    cr_assert_eq(stile_schema_count(f.schema), 20 + 21 + 21);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const struct stile_table *t = table(&f, "emis", "", tables[i].name);
        size_t documented = 0;
        cr_assert_not_null(t, "%s", tables[i].name);
        cr_assert(stile_str_eqc(t->version, "8.2"));
        for (size_t k = 0; k < t->count; k++) {
            documented += t->columns[k].optional ? 0 : 1;
        }
        cr_assert_eq(documented, tables[i].count, "%s", tables[i].name);
    }
    const struct stile_table *patient = table(&f, "emis", "", "admin_patient");
    cr_assert(column(patient, "IsConfidential")->sensitive);
    cr_assert(column(patient, "SpineSensitive")->sensitive);
    cr_assert(column(patient, "DummyType")->sensitive);
    cr_assert(column(patient, "DateOfDeactivation")->type == STILE_COL_DATE);
    cr_assert(stile_str_eqc(column(patient, "ExternalUsusalGP")->name,
                            "ExternalUsualGP"));
    cr_assert(column(patient, "PatientGuid")->person);
    cr_assert_null(table(&f, "emis", "7.0", "Admin_PatientHistory"));
    cr_assert_eq(table(&f, "emis", "7.0", "CareRecord_Observation")->count, 23);
    cr_assert_eq(table(&f, "emis", "7.0", "Prescribing_IssueRecord")->count,
                 20);
    cr_assert_eq(table(&f, "emis", "8.0", "CareRecord_Observation")->count, 28);
    stile_arena_free(&f.arena);
}

Test(schema_tables, vcse_case_stands)
{
    static const char *const names[] = {
        "organisation", "person",  "case", "contact",      "action",
        "plan",         "need",    "goal", "crisis",       "outcome",
        "circumstance", "consent", "risk", "safeguarding", "signpost",
        "handoff",      "group"};
    struct fixture f;
    start(&f);
    load(&f, "vcse-case-0.1.tables");
    const struct stile_table *sheet = table(&f, "vcse-case", "", "cases");
    cr_assert_eq(sheet->count, 16);
    cr_assert_eq(sheet->json_name.len, 0);
    cr_assert(column(sheet, "share")->sensitive);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct stile_table *t = table(&f, "vcse-case", "0.1", names[i]);
        cr_assert_not_null(t, "%s", names[i]);
        cr_assert(stile_str_eqc(t->json_name, names[i]));
    }
    cr_assert_eq(stile_schema_count(f.schema), 18);
    const struct stile_table *consent = table(&f, "vcse-case", "", "consent");
    for (size_t i = 0; i < consent->count; i++) {
        cr_assert(consent->columns[i].sensitive);
    }
    cr_assert(
        column(table(&f, "vcse-case", "", "contact"), "note_share")->sensitive);
    cr_assert(
        column(table(&f, "vcse-case", "", "safeguarding"), "flag")->sensitive);
    stile_arena_free(&f.arena);
}

/* ---- headers ---- */

static enum stile_status bind(struct fixture *f, const char *header,
                              const struct stile_table **ret_table,
                              uint32_t **ret_ordinals, size_t *ret_count)
{
    struct stile_str names[64];
    struct stile_str rest = stile_str_cstr(header);
    size_t n = 0;
    while (stile_str_next(&rest, ',', &names[n])) {
        n++;
    }
    *ret_count = n;
    return stile_schema_bind(f->schema, STILE_STR("f"), STILE_STR("T"), names,
                             n, f->arena, STILE_STR("t.csv"), &f->diags,
                             ret_table, ret_ordinals);
}

static void two_versions(struct fixture *f)
{
    start(f);
    cr_assert_eq(add(f, "family f 1.0\ntable T key K\n K:g\n Old:s\n A:s\n"),
                 STILE_OK);
    cr_assert_eq(add(f, "family f 2.0\ntable T key K\n K:g alias Kee\n A:s\n"
                        " New:s\n Odd:s optional\n"),
                 STILE_OK);
}

Test(schema_bind, takes_the_version_that_fits)
{
    struct fixture f;
    const struct stile_table *t = NULL;
    uint32_t *at = NULL;
    size_t n = 0;
    two_versions(&f);
    cr_assert_eq(bind(&f, "A,K,Old", &t, &at, &n), STILE_OK);
    cr_assert(stile_str_eqc(t->version, "1.0"));
    cr_assert_eq(at[0], 2);
    cr_assert_eq(at[1], 0);
    cr_assert_eq(at[2], 1);
    cr_assert_eq(bind(&f, "new,kee,a", &t, &at, &n), STILE_OK);
    cr_assert(stile_str_eqc(t->version, "2.0"));
    cr_assert_eq(at[1], 0);
    cr_assert_eq(f.diags.count, 0);
    cr_assert_eq(bind(&f, "K,A", &t, &at, &n), STILE_OK);
    cr_assert(stile_str_eqc(t->version, "2.0")); /* the newest of equals */
    cr_assert_eq(f.diags.count, 1);
    cr_assert_str_eq(f.diags.items[0].code, "D105");
    cr_assert(stile_str_eqc(f.diags.items[0].path, "New"));
    stile_arena_free(&f.arena);
}

Test(schema_bind, a_mark_that_is_not_sent_is_no_mark_unset)
{
    struct fixture f;
    const struct stile_table *t = NULL;
    uint32_t *at = NULL;
    size_t n = 0;
    start(&f);
    cr_assert_eq(add(&f, "family f 1\ntable T key K\n    K:s5\n"
                         "    Marked:b sensitive\n"),
                 STILE_OK);
    cr_assert_eq(bind(&f, "K,Marked", &t, &at, &n), STILE_OK);
    cr_assert_eq(bind(&f, "K", &t, &at, &n), STILE_INVALID);
    cr_assert_str_eq(f.diags.items[f.diags.count - 1].code, "D106");
    stile_arena_free(&f.arena);
}

Test(schema_bind, keeps_and_reports_unknown_columns)
{
    struct fixture f;
    const struct stile_table *t = NULL;
    uint32_t *at = NULL;
    size_t n = 0;
    two_versions(&f);
    cr_assert_eq(bind(&f, "K,A,New,Extra,1980-01-01", &t, &at, &n), STILE_OK);
    cr_assert_eq(at[3], UINT32_MAX);
    cr_assert_eq(at[4], UINT32_MAX);
    cr_assert_eq(f.diags.count, 2);
    cr_assert_str_eq(f.diags.items[0].code, "D101");
    cr_assert_eq(f.diags.items[0].severity, STILE_WARNING);
    cr_assert(stile_str_eqc(f.diags.items[0].path, "column 4"));
    cr_assert_eq(f.diags.items[0].column, 4);
    /* What is no column's name could be a value. */
    cr_assert(stile_str_eqc(f.diags.items[1].path, "column 5"));
    stile_arena_free(&f.arena);
}

Test(schema_bind, says_which_column_a_header_cell_was_meant_to_be)
{
    static const struct {
        const char *header, *hint;
    } cells[] = {
        {"K,A,n_E-w ", "did you mean 'New'?"},
        {"N.e w,Testperson", "did you mean 'New'?"},
        {"K,A,Nev", "did you mean 'New'?"},
        {"K,A,Neww Thing", ""},
        /* Nothing is known here: it may be a person's row. */
        {"Nev,Somebody", ""},
    };
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct fixture f;
        const struct stile_table *t = NULL;
        uint32_t *at = NULL;
        size_t n = 0;
        two_versions(&f);
        (void)bind(&f, cells[i].header, &t, &at, &n);
        cr_assert_str_eq(f.diags.items[0].code, "D101");
        cr_assert(stile_str_eqc(f.diags.items[0].hint, cells[i].hint), "%zu",
                  i);
        stile_arena_free(&f.arena);
    }
}

Test(schema_bind, refuses_what_cannot_be_read_safely)
{
    static const struct {
        const char *header, *code;
    } cases[] = {{"A,New", "D102"}, {"K,A,New,k", "D103"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        const struct stile_table *t = NULL;
        uint32_t *at = NULL;
        size_t n = 0;
        two_versions(&f);
        cr_assert_eq(bind(&f, cases[i].header, &t, &at, &n), STILE_INVALID);
        cr_assert_null(t);
        cr_assert_str_eq(f.diags.items[0].code, cases[i].code);
        stile_arena_free(&f.arena);
    }
    struct fixture f;
    const struct stile_table *t = NULL;
    uint32_t *at = NULL;
    start(&f);
    cr_assert_eq(stile_schema_bind(f.schema, STILE_STR("f"), STILE_STR("T"),
                                   NULL, 0, f.arena, STILE_STR("t.csv"),
                                   &f.diags, &t, &at),
                 STILE_NOT_FOUND);
    cr_assert_str_eq(f.diags.items[0].code, "D104");
    stile_arena_free(&f.arena);
}
