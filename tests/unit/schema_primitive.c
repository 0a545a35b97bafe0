/* Formats of primitives, by the regular expressions of FHIR R4 2.24.0.1. */
#include <criterion/criterion.h>

#include "schema_private.h"

static bool ok(const char *type, const char *text)
{
    return stile__fhir_primitive_ok(stile_str_cstr(type), stile_str_cstr(text));
}

Test(schema_primitive, follows_the_standard)
{
    static const struct {
        const char *type, *text;
        bool ok;
    } cases[] = {
        {"integer", "0", true},
        {"integer", "-5", true},
        {"integer", "2147483647", true},
        {"integer", "2147483648", false},
        {"integer", "-2147483648", true},
        {"integer", "-2147483649", false},
        {"integer", "01", false},
        {"integer", "+1", false},
        {"integer", "1.0", false},
        {"unsignedInt", "0", true},
        {"unsignedInt", "-1", false},
        {"positiveInt", "1", true},
        {"positiveInt", "0", false},
        {"decimal", "1.00", true},
        {"decimal", "-0.5e10", true},
        {"decimal", ".5", false},
        {"decimal", "1.", false},
        {"decimal", "1e", false},
        {"decimal", "00", false},
        {"date", "2024", true},
        {"date", "2024-02", true},
        {"date", "2024-02-29", true},
        {"date", "2023-02-29", false},
        {"dateTime", "2024-02-29T24:00:00Z", false},
        {"dateTime", "2024-02-29T23:59:60Z", true},
        {"dateTime", "2024-02-29T10:00:00.123+14:00", true},
        {"dateTime", "2024-02-29T10:00:00+14:01", false},
        {"dateTime", "2024-02-29T10:00Z", false},
        {"dateTime", "2024-02-29T10:00:00.Z", false},
        {"dateTime", "2024-02-29 10:00:00Z", false},
        {"instant", "2024-02-29T10:00:00Z", true},
        {"instant", "2024-02-29", false},
        {"time", "10:00:00", true},
        {"time", "10:00", false},
        {"time", "10:00:00Z", false},
        {"code", "a b", true},
        {"code", " a", false},
        {"code", "a ", false},
        {"code", "a  b", false},
        {"code", "", false},
        {"id", "A-1.b", true},
        {"id", "a_b", false},
        {"id",
         "1234567890123456789012345678901234567890123456789012345678901234",
         true},
        {"id",
         "12345678901234567890123456789012345678901234567890123456789012345",
         false},
        {"uri", "urn:x", true},
        {"uri", "a b", false},
        {"url", "", false},
        {"oid", "urn:oid:1.2.3", true},
        {"oid", "urn:oid:3.2", false},
        {"oid", "urn:oid:1.02", false},
        {"oid", "urn:oid:1.", false},
        {"oid", "urn:oid:1", false},
        {"uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", true},
        {"uuid", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520", false},
        {"uuid", "c757873d-ec9a-4326-a141-556f43239520", false},
        {"base64Binary", "QUJD", true},
        {"base64Binary", "QUI=", true},
        {"base64Binary", "QUI", false},
        {"base64Binary", "Q=JD", false},
        {"string", "a", true},
        {"string", " ", false},
        {"string", "a\x01", false},
        {"markdown", "a\n\nb", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(ok(cases[i].type, cases[i].text), cases[i].ok, "%s '%s'",
                     cases[i].type, cases[i].text);
    }
}
