/* SystmOne's names of files and downloads. */
#include <criterion/criterion.h>

#include <stile/format.h>

Test(format_names, systmone_files)
{
    struct stile_str table = STILE_STR_NULL;
    cr_assert(stile_systmone_name_parse(STILE_STR("SRCode.csv"), &table));
    cr_assert(stile_str_eqc(table, "SRCode"));
    cr_assert(stile_systmone_name_parse(STILE_STR("SR18WeekWait.csv"), &table));
    static const char *const others[] = {
        "SR.csv",      "Code.csv",        "SRCode.CSV",   "SRCode",
        "SR_Code.csv", "SRCode.csv.part", "SRa/../b.csv", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        cr_expect_not(
            stile_systmone_name_parse(stile_str_cstr(others[i]), &table), "%s",
            others[i]);
    }
}

Test(format_names, systmone_downloads)
{
    cr_assert(stile_systmone_stamp_valid(STILE_STR("20260401_0400")));
    cr_assert(stile_systmone_stamp_valid(STILE_STR("20280229_2359")));
    static const char *const others[] = {"20260229_0400", "20260401_2400",
                                         "20260401_0060", "20260401-0400",
                                         "2026041_0400",  "20260401_04000",
                                         "-2026040_0400", "20260401_+400",
                                         "done",          ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        cr_expect_not(stile_systmone_stamp_valid(stile_str_cstr(others[i])),
                      "%s", others[i]);
    }
}
