/*
 * Formats of FHIR R4 primitive types, by the regular expressions of FHIR R4
 * section 2.24.0.1 (https://hl7.org/fhir/R4/datatypes.html#primitive), plus
 * the calendar.
 */
#include "schema_private.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool digits(struct stile_str s, size_t from, size_t count)
{
    if (from + count > s.len) {
        return false;
    }
    for (size_t i = from; i < from + count; i++) {
        if (!is_digit(s.ptr[i])) {
            return false;
        }
    }
    return true;
}

static unsigned two_digits(struct stile_str s, size_t at)
{
    return (unsigned)(s.ptr[at] - '0') * 10 + (unsigned)(s.ptr[at + 1] - '0');
}

static bool whole_number(struct stile_str s, int64_t least)
{
    int64_t value = 0;
    if (s.len == 0 || (s.ptr[0] == '0' && s.len > 1) || s.ptr[0] == '+' ||
        (s.len > 1 && s.ptr[0] == '-' && s.ptr[1] == '0' && s.len > 2)) {
        return false;
    }
    return stile_str_to_int64(s, &value) && value >= least &&
           value <= INT32_MAX;
}

/* The JSON grammar was checked on the way in; a value made here was not. */
static bool decimal(struct stile_str s)
{
    size_t i = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    size_t start = i;
    while (i < s.len && is_digit(s.ptr[i])) {
        i++;
    }
    if (i == start || (s.ptr[start] == '0' && i > start + 1)) {
        return false;
    }
    if (i < s.len && s.ptr[i] == '.') {
        start = ++i;
        while (i < s.len && is_digit(s.ptr[i])) {
            i++;
        }
        if (i == start) {
            return false;
        }
    }
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        i++;
        if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-')) {
            i++;
        }
        start = i;
        while (i < s.len && is_digit(s.ptr[i])) {
            i++;
        }
        if (i == start) {
            return false;
        }
    }
    return i == s.len;
}

/* hh:mm:ss[.f+]; 60 is a leap second. Returns where it ends, or 0. */
static size_t clock_end(struct stile_str s, size_t at)
{
    if (!digits(s, at, 2) || !digits(s, at + 3, 2) || !digits(s, at + 6, 2) ||
        s.ptr[at + 2] != ':' || s.ptr[at + 5] != ':' ||
        two_digits(s, at) > 23 || two_digits(s, at + 3) > 59 ||
        two_digits(s, at + 6) > 60) {
        return 0;
    }
    size_t end = at + 8;
    if (end < s.len && s.ptr[end] == '.') {
        size_t start = ++end;
        while (end < s.len && is_digit(s.ptr[end])) {
            end++;
        }
        if (end == start) {
            return 0;
        }
    }
    return end;
}

static bool zone(struct stile_str s, size_t at)
{
    if (at + 1 == s.len) {
        return s.ptr[at] == 'Z';
    }
    if (at + 6 != s.len || (s.ptr[at] != '+' && s.ptr[at] != '-') ||
        !digits(s, at + 1, 2) || s.ptr[at + 3] != ':' ||
        !digits(s, at + 4, 2)) {
        return false;
    }
    unsigned hours = two_digits(s, at + 1);
    unsigned minutes = two_digits(s, at + 4);
    return minutes <= 59 && (hours < 14 || (hours == 14 && minutes == 0));
}

static bool date(struct stile_str s)
{
    struct stile_date parsed = {0, 0, 0};
    return stile_date_parse(s, &parsed);
}

/* A date alone, unless an instant is asked for, or one with time and zone. */
static bool date_time(struct stile_str s, bool instant)
{
    if (s.len <= 10) {
        return !instant && date(s);
    }
    if (!date(stile_str_sub(s, 0, 10)) || s.ptr[10] != 'T') {
        return false;
    }
    size_t end = clock_end(s, 11);
    return end != 0 && end < s.len && zone(s, end);
}

static bool text(struct stile_str s)
{
    bool black = false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 && !is_space((char)c)) {
            return false;
        }
        black = black || !is_space((char)c);
    }
    return black;
}

/* No white space at either end, single spaces inside. */
static bool code(struct stile_str s)
{
    bool before = true;
    for (size_t i = 0; i < s.len; i++) {
        bool space = is_space(s.ptr[i]);
        if ((space && before) || (unsigned char)s.ptr[i] < 0x20) {
            return false;
        }
        before = space;
    }
    return s.len > 0 && !before;
}

static bool id(struct stile_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') &&
            !(c >= 'A' && c <= 'Z') && c != '-' && c != '.') {
            return false;
        }
    }
    return s.len >= 1 && s.len <= 64;
}

static bool uri(struct stile_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] <= 0x20) {
            return false;
        }
    }
    return s.len > 0;
}

static bool oid(struct stile_str s)
{
    struct stile_str prefix = STILE_STR("urn:oid:");
    if (!stile_str_starts(s, prefix)) {
        return false;
    }
    struct stile_str rest = stile_str_sub(s, prefix.len, s.len - prefix.len);
    struct stile_str arc = STILE_STR_NULL;
    size_t arcs = 0;
    if (rest.len == 0 || rest.ptr[rest.len - 1] == '.' || rest.ptr[0] > '2') {
        return false;
    }
    while (stile_str_next(&rest, '.', &arc)) {
        if (arc.len == 0 || !digits(arc, 0, arc.len) ||
            (arc.ptr[0] == '0' && arc.len > 1) || (arcs == 0 && arc.len > 1)) {
            return false;
        }
        arcs++;
    }
    return arcs >= 2;
}

static bool uuid(struct stile_str s)
{
    char normal[37];
    struct stile_str prefix = STILE_STR("urn:uuid:");
    if (!stile_str_starts(s, prefix) || s.len != prefix.len + 36) {
        return false;
    }
    struct stile_str guid = stile_str_sub(s, prefix.len, 36);
    return stile_guid_normal(guid, normal) && memcmp(normal, guid.ptr, 36) == 0;
}

static bool base64(struct stile_str s)
{
    size_t count = 0;
    size_t padding = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (is_space(c)) {
            continue;
        }
        count++;
        if (c == '=') {
            padding++;
        } else if (padding > 0 ||
                   !(is_digit(c) || (c >= 'a' && c <= 'z') ||
                     (c >= 'A' && c <= 'Z') || c == '+' || c == '/')) {
            return false;
        }
    }
    return count > 0 && count % 4 == 0 && padding <= 2;
}

bool stile__fhir_primitive_ok(struct stile_str type, struct stile_str s)
{
    if (stile_str_eqc(type, "boolean")) {
        return true;
    }
    if (stile_str_eqc(type, "integer")) {
        return whole_number(s, INT32_MIN);
    }
    if (stile_str_eqc(type, "unsignedInt")) {
        return whole_number(s, 0);
    }
    if (stile_str_eqc(type, "positiveInt")) {
        return whole_number(s, 1);
    }
    if (stile_str_eqc(type, "decimal")) {
        return decimal(s);
    }
    if (stile_str_eqc(type, "date")) {
        return date(s);
    }
    if (stile_str_eqc(type, "dateTime")) {
        return date_time(s, false);
    }
    if (stile_str_eqc(type, "instant")) {
        return date_time(s, true);
    }
    if (stile_str_eqc(type, "time")) {
        return clock_end(s, 0) == s.len && s.len > 0;
    }
    if (stile_str_eqc(type, "code")) {
        return code(s);
    }
    if (stile_str_eqc(type, "id")) {
        return id(s);
    }
    if (stile_str_eqc(type, "oid")) {
        return oid(s);
    }
    if (stile_str_eqc(type, "uuid")) {
        return uuid(s);
    }
    if (stile_str_eqc(type, "base64Binary")) {
        return base64(s);
    }
    if (stile_str_eqc(type, "uri") || stile_str_eqc(type, "url") ||
        stile_str_eqc(type, "canonical")) {
        return uri(s);
    }
    return text(s); /* string, markdown, xhtml */
}
