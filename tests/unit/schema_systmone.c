/* The SystmOne tables, as the specification prints them. */
#include <criterion/criterion.h>

#include "schema_private.h"

static void load(struct stile_schema *schema, struct stile_diags *diags,
                 const char *name)
{
    static char text[1 << 20];
    char path[512];
    int len = snprintf(path, sizeof path, "%s/mappings/formats/%s",
                       STILE_SOURCE_DIR, name);
    cr_assert(len > 0 && len < (int)sizeof path);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    cr_assert_lt(n, sizeof text);
    struct stile_source source = {stile_str_cstr(name), {text, n}};
    cr_assert_eq(stile_schema_add(schema, &source, diags), STILE_OK, "%s",
                 name);
    cr_assert_eq(diags->count, 0);
}

static const struct stile_table *table(const struct stile_schema *schema,
                                       const char *version, const char *name)
{
    const struct stile_table *found =
        stile_schema_table(schema, STILE_STR("systmone"),
                           stile_str_cstr(version), stile_str_cstr(name));
    cr_assert_not_null(found, "%s", name);
    return found;
}

static const struct stile_column *column(const struct stile_table *t,
                                         const char *name)
{
    uint32_t at = stile_table_column(t, stile_str_cstr(name));
    cr_assert_neq(at, UINT32_MAX, "%s", name);
    return &t->columns[at];
}

Test(schema_systmone, stands_as_published)
{
    struct stile_arena *arena = stile_arena_new(64u << 20);
    struct stile_diags diags;
    stile_diags_init(&diags, arena, 0);
    struct stile_schema *schema = stile_schema_new(arena);
    load(schema, &diags, "systmone-125.tables");
    /* 192 tables, 2,904 columns (Strategic Reporting Table Specification
     * v125). */
    cr_assert_eq(stile_schema_count(schema), 192);
    size_t documented = 0;
    for (size_t i = 0; i < stile_schema_count(schema); i++) {
        const struct stile_table *t = stile_schema_at(schema, i);
        cr_assert_gt(t->key_count, 0, "%.*s", STILE_FMT(t->name));
        for (size_t k = 0; k < t->count; k++) {
            documented += t->columns[k].optional ? 0 : 1;
        }
    }
    cr_assert_eq(documented, 2904);
    load(schema, &diags, "systmone-93.tables");
    cr_assert_eq(stile_schema_count(schema), 192 + 9);
    cr_assert_eq(table(schema, "93", "SRMHEpisode")->count, 16);
    stile_arena_free(&arena);
}

Test(schema_systmone, keys_persons_and_marks)
{
    struct stile_arena *arena = stile_arena_new(64u << 20);
    struct stile_diags diags;
    stile_diags_init(&diags, arena, 0);
    struct stile_schema *schema = stile_schema_new(arena);
    load(schema, &diags, "systmone-125.tables");
    const struct stile_table *patient = table(schema, "", "SRPatient");
    cr_assert(column(patient, "RowIdentifier")->person);
    cr_assert(column(patient, "TestPatient")->sensitive);
    cr_assert_eq(column(patient, "DateBirth")->type, STILE_COL_DATETIME);
    const struct stile_table *code = table(schema, "", "SRCode");
    cr_assert(column(code, "IDPatient")->person);
    cr_assert(column(code, "removeddata")->sensitive);
    cr_assert(column(code, "RemovedData")->optional);
    cr_assert_eq(column(code, "NumericValue")->type, STILE_COL_DECIMAL);
    cr_assert_eq(column(code, "SNOMEDCode")->width, 8);
    cr_assert(column(table(schema, "", "SRCtv3"), "Ctv3Code")->key);
    cr_assert_eq(table(schema, "", "SRTask")->key_count, 2);
    cr_assert(
        column(table(schema, "", "SRSmsConsent"), "SmsConsent")->sensitive);
    (void)column(table(schema, "", "SRWaitingList"), "COVID Priority");
    (void)column(table(schema, "", "SRConfiguredListOption"),
                 "CYPHS/CIDS/CSDSCode");
    cr_assert(stile_str_eqc(
        column(table(schema, "", "SRCarePlanDetail"), "CarePlanCategory")->name,
        "CPCategory"));
    cr_assert_eq(table(schema, "", "SRManifest")->count, 5);
    cr_assert_eq(table(schema, "", "SRReferralOut")->person_column,
                 stile_table_column(table(schema, "", "SRReferralOut"),
                                    STILE_STR("IDPatient")));
    cr_assert(stile_str_eqc(stile_schema_dialect(schema, STILE_STR("systmone"),
                                                 STILE_STR_NULL, "manifest"),
                            "SRManifest"));
    stile_arena_free(&arena);
}
