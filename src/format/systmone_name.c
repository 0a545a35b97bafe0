/* SystmOne names: a download's folder is yyyyMMdd_HHmm, a file the table's name
 * and .csv. Sources: endeavourhealth/SFTPReader, TPPDDS; TPP Strategic
 * Reporting Table Specification v125. */
#include <stile/format.h>

bool stile_systmone_name_parse(struct stile_str file_name,
                               struct stile_str *ret_table)
{
    struct stile_str name = file_name;
    if (!stile_str_starts(name, STILE_STR("SR")) || name.len <= 6 ||
        !stile_str_ends(name, STILE_STR(".csv"))) {
        return false;
    }
    name.len -= 4;
    for (size_t i = 2; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9')) {
            return false;
        }
    }
    *ret_table = name;
    return true;
}

bool stile_systmone_stamp_valid(struct stile_str s)
{
    int64_t day = 0, minute = 0;
    if (s.len != 13 || s.ptr[8] != '_' || s.ptr[0] < '0' || s.ptr[0] > '9' ||
        s.ptr[9] < '0' || s.ptr[9] > '9' ||
        !stile_str_to_int64(stile_str_sub(s, 0, 8), &day) ||
        !stile_str_to_int64(stile_str_sub(s, 9, 4), &minute)) {
        return false;
    }
    struct stile_date date = {(int)(day / 10000), (int)(day / 100 % 100),
                              (int)(day % 100)};
    return date.month > 0 && date.day > 0 && stile_date_valid(date) &&
           minute / 100 < 24 && minute % 100 < 60;
}
