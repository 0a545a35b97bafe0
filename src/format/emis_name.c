/* EMIS file names. Current form (IM1 bulk), six parts:
 *   <type>_<batch>_<Schema>_<Table>_<yyyyMMddHHmmss>_<agreement GUID>.csv
 * older form, five parts, without <type>. Sources: endeavourhealth/SFTPReader,
 * NHSISL/emis-data-replicator. */
#include <stile/format.h>

#define PARTS_MAX 6

static bool all_of(struct stile_str s, const char *allowed)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\0' || strchr(allowed, s.ptr[i]) == NULL) {
            return false;
        }
    }
    return s.len > 0;
}

static bool letters(struct stile_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) {
            return false;
        }
    }
    return s.len > 0;
}

static bool stamp_ok(struct stile_str stamp)
{
    int64_t n = 0;
    if (stamp.len != 14 || !all_of(stamp, "0123456789") ||
        !stile_str_to_int64(stamp, &n)) {
        return false;
    }
    struct stile_date date = {(int)(n / 10000000000),
                              (int)(n / 100000000 % 100),
                              (int)(n / 1000000 % 100)};
    return date.month > 0 && date.day > 0 && stile_date_valid(date) &&
           n / 10000 % 100 < 24 && n / 100 % 100 < 60 && n % 100 < 60;
}

bool stile_emis_name_parse(struct stile_str file_name,
                           struct stile_emis_name *ret)
{
    struct stile_str parts[PARTS_MAX];
    struct stile_str piece = STILE_STR_NULL;
    struct stile_str rest = file_name;
    struct stile_emis_name name = {.type = STILE_STR("")};
    char guid[37];
    size_t count = 0;
    if (!stile_str_ends(rest, STILE_STR(".csv"))) {
        return false;
    }
    rest.len -= 4;
    while (stile_str_next(&rest, '_', &piece)) {
        if (count == PARTS_MAX) {
            return false;
        }
        parts[count++] = piece;
    }
    if (count < PARTS_MAX - 1) {
        return false;
    }
    size_t at = 0;
    if (count == PARTS_MAX) {
        name.type = parts[at++];
        if (name.type.len == 0 || stile_str_find(name.type, '/') != SIZE_MAX) {
            return false;
        }
    }
    name.batch = parts[at];
    struct stile_str schema = parts[at + 1];
    struct stile_str table = parts[at + 2];
    name.stamp = parts[at + 3];
    name.agreement = parts[at + 4];
    if (!all_of(name.batch, "0123456789-") || !letters(schema) ||
        !letters(table) || !stamp_ok(name.stamp) ||
        !stile_guid_normal(name.agreement, guid)) {
        return false;
    }
    name.table = (struct stile_str){
        schema.ptr, (size_t)(table.ptr - schema.ptr) + table.len};
    *ret = name;
    return true;
}
