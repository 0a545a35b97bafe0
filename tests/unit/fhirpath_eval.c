/* Every operator and function of the subset, by the section of FHIRPath N1
 * that says what it does. */
#include "fhirpath_world.h"

struct row {
    const char *section, *expression, *want;
};

static void check(const struct row *rows, size_t count, char of)
{
    struct fhirpath_world w;
    fhirpath_start(&w);
    const struct stile_value *root = of == 'p'   ? w.patient
                                     : of == 'o' ? w.observation
                                                 : w.bundle;
    for (size_t i = 0; i < count; i++) {
        const char *got = fhirpath_ask(&w, root, rows[i].expression);
        cr_expect_str_eq(got, rows[i].want, "%s %s: %s, not %s",
                         rows[i].section, rows[i].expression, got,
                         rows[i].want);
    }
    fhirpath_end(&w);
}
#define CHECK(rows, of) check(rows, sizeof(rows) / sizeof((rows)[0]), of)

Test(fhirpath_eval, paths)
{
    static const struct row rows[] = {
        {"3.1", "name.family", "Testcase|Sample"},
        {"3.1", "name.nothing", ""},
        {"3.2", "Patient.name.family", "Testcase|Sample"},
        {"3.2", "Resource.id", "p1"},
        {"3.2", "DomainResource.id", "p1"},
        {"3.2", "Observation.id", ""},
        {"3.1", "`name`.`given`", "Ada||Bea"},
        {"3.3", "name[1].family", "Sample"},
        {"3.3", "name[2]", ""},
        {"3.3", "name[{}]", ""},
        {"3.3", "name['x']", "!fault"},
        {"8.1", "name.where($this.use = 'old').family", "Sample"},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, primitives_with_companions)
{
    static const struct row rows[] = {
        {"FHIR", "birthDate.extension('urn:x').value", "guess"},
        {"FHIR", "name.given.extension('urn:y').value", "hidden"},
        {"FHIR", "name.given.hasValue()", "false"},
        {"FHIR", "name.given[0].hasValue()", "true"},
        {"FHIR", "name.given[1].hasValue()", "false"},
        {"FHIR", "name.given.count()", "3"},
        {"FHIR", "name.given.where(hasValue()).count()", "2"},
        {"FHIR", "name.hasValue()", "false"},
        {"FHIR", "suffix.hasValue()", "false"},
        {"6.1.1", "name.given[1] = 'x'", ""},
        {"FHIR", "extension({})", ""},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, choice_elements)
{
    static const struct row rows[] = {
        {"FHIR", "value.unit", "mmHg"},
        {"FHIR", "valueQuantity", ""},
        {"6.3", "value.ofType(Quantity).value", "95.50"},
        {"6.3", "value.ofType(string)", ""},
        {"FHIR", "component.value", "3|x"},
        {"6.3", "component.value.ofType(integer)", "3"},
        {"6.3", "component.where(value is string).code.text", "b"},
        {"6.3", "effective is dateTime", "true"},
        {"6.3", "effective.as(dateTime)", "2020-03-01T10:30:00Z"},
        {"6.3", "component.value as string", "!fault"},
        {"6.3", "component.value is string", "!fault"},
        {"6.3", "(value as Quantity).code", "mm[Hg]"},
    };
    CHECK(rows, 'o');
}

Test(fhirpath_eval, existence)
{
    static const struct row rows[] = {
        {"5.1.1", "name.empty()", "false"},
        {"5.1.1", "photo.empty()", "true"},
        {"5.1.2", "photo.exists()", "false"},
        {"5.1.2", "name.exists(use = 'old')", "true"},
        {"5.1.2", "name.exists(use = 'maiden')", "false"},
        {"5.1.3", "name.all(family.exists())", "true"},
        {"5.1.3", "name.all(given.exists())", "false"},
        {"5.1.3", "photo.all(false)", "true"},
        {"5.1.3", "name.all({})", "false"},
        {"5.1.9", "name.count()", "2"},
        {"5.1.9", "photo.count()", "0"},
        {"6.5.3", "active.not()", "false"},
        {"6.5.3", "{}.not()", ""},
        {"6.5.3", "(0).not()", "false"},
        {"6.5.3", "name.not()", "!fault"},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, filtering_and_subsetting)
{
    static const struct row rows[] = {
        {"5.2.1", "name.where(use = 'old').family", "Sample"},
        {"5.2.1", "name.where({})", ""},
        {"5.2.1", "name.where(given)", "!fault"},
        {"5.2.2", "name.select(family)", "Testcase|Sample"},
        {"5.2.2", "name.select(given.first())", "Ada"},
        {"5.2.2", "name.select(family & '!')", "Testcase!|Sample!"},
        {"5.2.4", "name.ofType(HumanName).count()", "2"},
        {"5.2.4", "name.ofType(Address).count()", "0"},
        {"5.3.1", "name[0].single().family", "Testcase"},
        {"5.3.2", "name.single()", "!fault"},
        {"5.3.2", "photo.single()", ""},
        {"5.3.3", "name.first().family", "Testcase"},
        {"5.3.4", "name.last().family", "Sample"},
        {"5.3.4", "photo.last()", ""},
        {"5.5.1", "iif(active, 'yes', 'no')", "yes"},
        {"5.5.1", "iif({}, 'yes', 'no')", "no"},
        {"5.5.1", "iif(false, 'yes')", ""},
        {"5.5.1", "iif(true, 'yes', name.single())", "yes"},
        {"5.5.1", "iif('text', 1, 2)", "!fault"},
        {"5.5.1", "name.iif(true, 1, 2)", "!fault"},
        {"5.5.1", "name.first().iif(use = 'official', family)", "Testcase"},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, texts)
{
    static const struct row rows[] = {
        {"5.6.4", "'abc'.startsWith('ab')", "true"},
        {"5.6.4", "'abc'.startsWith('')", "true"},
        {"5.6.4", "'abc'.startsWith({})", ""},
        {"5.6.4", "{}.startsWith('a')", ""},
        {"5.6.4", "1.startsWith('a')", "!fault"},
        {"5.6.6", "'abc'.contains('bc')", "true"},
        {"5.6.6", "'abc'.contains('d')", "false"},
        {"5.6.6", "'abc'.contains('')", "true"},
        {"5.6.6", "name.family.contains('a')", "!fault"},
        {"6.7.1", "'a' & 'b'", "ab"},
        {"6.7.1", "'a' & {}", "a"},
        {"6.7.1", "{} & {}", ""},
        {"6.7.1", "1 & 'a'", "!fault"},
        {"4.1.3", "'\\u0041\\'\\\\\\/\\`\\\"'", "A'\\/`\""},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, equality)
{
    static const struct row rows[] = {
        {"6.1.1", "1 = 1", "true"},
        {"6.1.1", "1 = 2", "false"},
        {"6.1.1", "1 = {}", ""},
        {"6.1.1", "{} = {}", ""},
        {"6.1.1", "1.0 = 1.00", "true"},
        {"6.1.1", "1 = 1.000", "true"},
        {"6.1.1", "-0.0 = 0", "true"},
        {"6.1.1", "0.1 = 0.10000000000000000000000000000000001", "false"},
        {"6.1.1", "12345678901234567890.1 = 12345678901234567890.10", "true"},
        {"6.1.1", "'a' = 'a'", "true"},
        {"6.1.1", "'a' = 'A'", "false"},
        {"6.1.1", "'1' = 1", "false"},
        {"6.1.1", "true = false", "false"},
        {"6.1.1", "name.family = 'Sample'", "false"},
        {"6.1.1", "name.family = name.family", "true"},
        {"6.1.1", "name = name", "true"},
        {"6.1.1", "name[0] = name[1]", "false"},
        {"6.1.3", "1 != 2", "true"},
        {"6.1.3", "{} != 2", ""},
        {"6.1.1", "birthDate = @1970-02", "true"},
        {"6.1.1", "birthDate = @1970-02-01", ""},
        {"6.1.1", "birthDate = @1970-03-01", "false"},
        {"6.1.1", "birthDate = '1970-02'", "false"},
        {"6.1.1", "gender = 'female'", "true"},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, order)
{
    static const struct row rows[] = {
        {"6.2", "1 < 2", "true"},
        {"6.2", "2 <= 2.0", "true"},
        {"6.2", "-2 < -1.5", "true"},
        {"6.2", "10 > 9.999", "true"},
        {"6.2", "value.value >= 95.5", "true"},
        {"6.2", "value.value < 95.50000001", "true"},
        {"6.2", "'a' < 'b'", "true"},
        {"6.2", "1 < {}", ""},
        {"6.2", "1 < 'a'", "!fault"},
        {"6.2", "true < false", "!fault"},
        {"6.2", "component.value < 3", "!fault"},
        {"6.2", "@2020-03-01 < @2020-03-02", "true"},
        {"6.2", "@2020-03 < @2020-03-02", ""},
        {"6.2", "@2020-02 < @2020-03-02", "true"},
        {"6.2", "@T10:30 < @T10:30:01", ""},
        {"6.2", "@T10:29:59.999 < @T10:30", "true"},
        {"6.2", "@T10:30:00 = @T10:30:00.000", "true"},
        {"6.2", "effective > @2020-03-01T09:30:00+00:00", "true"},
        {"6.2", "effective = @2020-03-01T11:30:00+01:00", "true"},
        {"6.2", "effective = @2020-03-01T11:30:00", ""},
        {"6.2", "effective < @2020-03-02", "true"},
        {"6.2", "@2020-01-01T00:30:00+01:00 = @2019-12-31T23:30:00Z", "true"},
        {"6.2", "@2020-01-01T10+05:30 = @2020-01-01T04Z", ""},
        {"6.2", "@0001-01-01T00:00:00+01:00 = @0001-01-01T00:00:00Z", ""},
    };
    CHECK(rows, 'o');
}

Test(fhirpath_eval, quantities)
{
    static const struct row rows[] = {
        {"6.1.1", "value = 95.5 'mm[Hg]'", "true"},
        {"6.1.1", "value = 95.6 'mm[Hg]'", "false"},
        {"6.2", "value > 90 'mm[Hg]'", "true"},
        {"6.1.1", "value = 95.5 'kPa'", "!outside"},
        {"6.1.1", "7 days = 7 'd'", "true"},
        {"6.1.1", "1 week = 7 days", "!outside"},
        {"6.1.1", "1 month = 1 'mo'", ""},
        {"6.1.1", "1 = 1 '1'", "true"},
        {"6.1.1", "value = 'x'", "false"},
        {"4.1.8", "5.0 'mg'", "5.0 'mg'"},
    };
    CHECK(rows, 'o');
}

Test(fhirpath_eval, membership)
{
    static const struct row rows[] = {
        {"6.4.2", "'bp' in code.coding.code", "true"},
        {"6.4.2", "'x' in code.coding.code", "false"},
        {"6.4.2", "{} in code.coding.code", ""},
        {"6.4.2", "'x' in {}", "false"},
        {"6.4.2", "code.coding.code in 'bp'", "!fault"},
        {"6.4.3", "code.coding.code contains 'bp'", "true"},
        {"6.4.3", "code.coding.code contains {}", ""},
        {"6.4.3", "{} contains 'bp'", "false"},
    };
    CHECK(rows, 'o');
}

Test(fhirpath_eval, types)
{
    static const struct row rows[] = {
        {"6.3", "gender is code", "true"},
        {"6.3", "gender is string", "true"},
        {"6.3", "gender.is(id)", "false"},
        {"6.3", "gender.as(code)", "female"},
        {"6.3", "gender.as(string)", ""},
        {"6.3", "gender is System.String", "false"},
        {"6.3", "'x' is String", "true"},
        {"6.3", "'x' is FHIR.string", "false"},
        {"6.3", "1 is Integer", "true"},
        {"6.3", "1 is Decimal", "false"},
        {"6.3", "1.0 is System.Decimal", "true"},
        {"6.3", "@2020 is Date", "true"},
        {"6.3", "@2020T is DateTime", "true"},
        {"6.3", "@T10 is Time", "true"},
        {"6.3", "1 'mg' is Quantity", "true"},
        {"6.3", "true is Boolean", "true"},
        {"6.3", "active is boolean", "true"},
        {"6.3", "active is Boolean", "false"},
        {"6.3", "Patient is DomainResource", "true"},
        {"6.3", "Patient.is(FHIR.`Patient`)", "true"},
        {"6.3", "Patient is Bundle", "false"},
        {"6.3", "name[0] is HumanName", "true"},
        {"6.3", "name[0] is Element", "true"},
        {"6.3", "name[0] is BackboneElement", "false"},
        {"6.3", "{} is Patient", ""},
        {"6.8", "1 > 2 = true", "false"},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, references)
{
    static const struct row rows[] = {
        {"FHIR", "entry.resource.ofType(Observation).subject.resolve().id",
         "p1"},
        {"FHIR", "entry[1].resource.performer.resolve().birthDate", "1970-02"},
        {"FHIR", "entry[0].resource.managingOrganization.resolve().name",
         "Example Surgery"},
        {"FHIR", "'Patient/p1'.resolve().id", "p1"},
        {"FHIR", "'Patient/p1/_history/3'.resolve().id", "p1"},
        {"FHIR", "'Patient/p2'.resolve()", ""},
        {"FHIR", "'Patient'.resolve()", ""},
        {"FHIR", "'#o1'.resolve()", ""},
        {"FHIR", "entry[1].resource.code.resolve()", ""},
        {"FHIR", "entry.resource.where(resourceType = 'x')", ""},
    };
    CHECK(rows, 'b');
}

Test(fhirpath_eval, outside_the_subset)
{
    static const struct row rows[] = {
        {"5.2.3", "repeat(name)", "!outside"},
        {"5.8", "descendants()", "!outside"},
        {"5.9", "now()", "!outside"},
        {"7", "aggregate($this)", "!outside"},
        {"6.6", "1 + 1", "!outside"},
        {"6.6", "-(1)", "!outside"},
        {"6.4.1", "1 | 2", "!outside"},
        {"6.1.2", "1 ~ 1", "!outside"},
        {"9", "%context", "!outside"},
        {"8.1", "$index", "!outside"},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, what_does_not_read)
{
    static const struct row rows[] = {
        {"12.1", "", "!syntax"},
        {"12.1", "name.", "!syntax"},
        {"12.1", "name..given", "!syntax"},
        {"12.1", "name given", "!syntax"},
        {"12.1", "(name", "!syntax"},
        {"12.1", "name[0", "!syntax"},
        {"12.1", "name)", "!syntax"},
        {"12.1", "'open", "!syntax"},
        {"12.1", "'\\q'", "!syntax"},
        {"12.1", "'\\u00'", "!syntax"},
        {"12.1", "1 /* open", "!syntax"},
        {"12.1", "@2020-02-30", "!syntax"},
        {"12.1", "@T10:30Z", "!syntax"},
        {"12.1", "$that", "!syntax"},
        {"12.1", "1 is", "!syntax"},
        {"12.1", "a ; b", "!syntax"},
        {"12.1", "name.$this", "!syntax"},
        {"12.1", "\xff", "!syntax"},
        {"12.1", "1 // and\n = /* or */ 1", "true"},
    };
    CHECK(rows, 'p');
}

Test(fhirpath_eval, decimals_with_exponents)
{
    struct fhirpath_world w;
    struct stile_value *root;
    fhirpath_start(&w);
    cr_assert_eq(
        stile_json_decode(STILE_STR("{\"resourceType\":\"Observation\","
                                    "\"valueQuantity\":{\"value\":1.2e3}}"),
                          STILE_JSON_LIMITS, STILE_STR("o"), w.arena, &w.diags,
                          &root),
        STILE_OK);
    cr_expect_str_eq(fhirpath_ask(&w, root, "value.value = 1200"), "true");
    cr_expect_str_eq(fhirpath_ask(&w, root, "value.value < 1200.1"), "true");
    cr_expect_str_eq(fhirpath_ask(&w, root, "value.value > 1199.9"), "true");
    fhirpath_end(&w);
}
