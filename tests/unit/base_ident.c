#include <criterion/criterion.h>

#include <stile/base.h>

Test(base_ident, nhs_numbers)
{
    /* Numbers of NHS England's public sandboxes. */
    cr_assert(stile_nhs_number_valid(STILE_STR("9000000009")));
    cr_assert(stile_nhs_number_valid(STILE_STR("9000000025")));
    cr_assert(stile_nhs_number_valid(STILE_STR("9000000033")));
    cr_assert_not(stile_nhs_number_valid(STILE_STR("9000000008")));
    cr_assert_not(stile_nhs_number_valid(STILE_STR("900000000")));
    cr_assert_not(stile_nhs_number_valid(STILE_STR("90000000090")));
    cr_assert_not(stile_nhs_number_valid(STILE_STR("900 000 00")));
    cr_assert_not(stile_nhs_number_valid(STILE_STR("900000000X")));
    cr_assert_not(stile_nhs_number_valid(STILE_STR_NULL));
}

/* Nine digits have one check digit, or none where it would be ten. */
Test(base_ident, nhs_number_check_digits)
{
    int none = 0;

    for (int n = 0; n < 1000; n++) {
        int valid = 0;
        int wrong = 0;

        for (int check = 0; check < 10; check++) {
            char text[32];

            snprintf(text, sizeof text, "999000%03d%d", n, check);
            if (stile_nhs_number_valid((struct stile_str){text, 10})) {
                valid++;
                text[8] = text[8] == '0' ? '1' : '0';
                wrong += stile_nhs_number_valid((struct stile_str){text, 10});
            }
        }
        cr_assert_leq(valid, 1);
        cr_assert_eq(wrong, 0, "one wrong digit is always seen");
        none += valid == 0;
    }
    cr_assert_gt(none, 50);
    cr_assert_lt(none, 130);
}

Test(base_ident, snomed_ids)
{
    static const char *const good[] = {"720433000", "445455005", "284596015",
                                       "1037651000000100"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char wrong[20];
        size_t len = strlen(good[i]);

        cr_assert(stile_snomed_id_valid(stile_str_cstr(good[i])));
        for (size_t at = 1; at < len; at++) {
            for (char digit = '0'; digit <= '9'; digit++) {
                memcpy(wrong, good[i], len);
                wrong[at] = digit;
                cr_assert_eq(
                    stile_snomed_id_valid((struct stile_str){wrong, len}),
                    digit == good[i][at]);
            }
        }
    }
    cr_assert_not(stile_snomed_id_valid(STILE_STR("0720433000")));
    cr_assert_not(stile_snomed_id_valid(STILE_STR("72043300O")));
    cr_assert_not(stile_snomed_id_valid(STILE_STR("")));
}

/* Of ten last digits exactly one is right, if the length is allowed. */
Test(base_ident, snomed_id_lengths)
{
    for (size_t len = 1; len <= 20; len++) {
        char text[21] = "12345678901234567890";
        int valid = 0;

        for (char digit = '0'; digit <= '9'; digit++) {
            text[len - 1] = digit;
            valid += stile_snomed_id_valid((struct stile_str){text, len});
        }
        cr_assert_eq(valid, len >= 6 && len <= 18 ? 1 : 0, "%zu", len);
    }
}

Test(base_ident, guids)
{
    const char *want = "0a1b2c3d-4e5f-6789-abcd-ef0123456789";
    char out[37] = "kept";

    cr_assert_not(stile_guid_normal(
        STILE_STR("0a1b2c3d-4e5f-6789-abcd-ef012345678"), out));
    cr_assert_not(stile_guid_normal(
        STILE_STR("{0a1b2c3d-4e5f-6789-abcd-ef0123456789"), out));
    cr_assert_not(stile_guid_normal(
        STILE_STR("0a1b2c3d+4e5f-6789-abcd-ef0123456789"), out));
    cr_assert_not(stile_guid_normal(
        STILE_STR("0a1b2c3d-4e5f-6789-abcd-ef012345678g"), out));
    cr_assert_not(stile_guid_normal(STILE_STR_NULL, out));
    cr_assert_str_eq(out, "kept");
    cr_assert(stile_guid_normal(
        STILE_STR("{0A1B2C3D-4E5F-6789-ABCD-EF0123456789}"), out));
    cr_assert_str_eq(out, want);
    cr_assert(stile_guid_normal(stile_str_cstr(want), out));
    cr_assert_str_eq(out, want);
}

/* Lower case is one bit: a byte without it must not slip into the alphabet. */
Test(base_ident, no_other_byte_passes_for_a_guids)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 36; at++) {
            char text[] = "0b5129BA-e3dc-4c69-b4f2-4db836d5ec14";
            char out[37];
            bool dash = at == 8 || at == 13 || at == 18 || at == 23;
            bool hex = (byte >= '0' && byte <= '9') ||
                       (byte >= 'a' && byte <= 'f') ||
                       (byte >= 'A' && byte <= 'F');

            text[at] = (char)byte;
            cr_assert_eq(stile_guid_normal((struct stile_str){text, 36}, out),
                         dash ? byte == '-' : hex, "byte %u at %zu", byte, at);
        }
    }
}

Test(base_ident, ods_code_is_up_to_twenty_capitals_and_digits)
{
    cr_expect(stile_ods_valid(STILE_STR("A")));
    cr_expect(stile_ods_valid(STILE_STR("RZ9")));
    cr_expect(stile_ods_valid(STILE_STR("AZ09AZ09AZ09AZ09AZ09")));
    cr_expect_not(stile_ods_valid(STILE_STR("AZ09AZ09AZ09AZ09AZ090")));
    cr_expect_not(stile_ods_valid(STILE_STR("")));
    cr_expect_not(stile_ods_valid(STILE_STR("rz9")));
    cr_expect_not(stile_ods_valid(STILE_STR("RZ 9")));
    cr_expect_not(stile_ods_valid(STILE_STR("RZ-9")));
}
