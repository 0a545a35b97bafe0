/* Equal, less and more: N1 sections 6.1 and 6.2. */
#include "private.h"

/* ---- numbers, as text ---- */

/* value = 0.d1d2d3... * 10^top, d1 not 0. */
struct decimal {
    bool negative, zero;
    int64_t top;
    struct stile_str digits; /* from d1; may hold a '.', ends at an exponent */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool exponent(struct stile_str *text, int64_t *ret)
{
    for (size_t i = 0; i < text->len; i++) {
        if (text->ptr[i] != 'e' && text->ptr[i] != 'E') {
            continue;
        }
        struct stile_str e = stile_str_sub(*text, i + 1, text->len - i - 1);
        if (stile_str_starts(e, STILE_STR("+"))) {
            e = stile_str_sub(e, 1, e.len - 1);
        }
        *text = stile_str_sub(*text, 0, i);
        return stile_str_to_int64(e, ret) && *ret > -1000000000 &&
               *ret < 1000000000;
    }
    *ret = 0;
    return true;
}

static bool read_decimal(struct stile_str text, struct decimal *ret)
{
    struct decimal d = {.negative = stile_str_starts(text, STILE_STR("-"))};
    int64_t shift = 0;
    size_t point = SIZE_MAX, first = SIZE_MAX;
    if (d.negative) {
        text = stile_str_sub(text, 1, text.len - 1);
    }
    if (!exponent(&text, &shift) || text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.' && point == SIZE_MAX) {
            point = i;
        } else if (!is_digit(text.ptr[i])) {
            return false;
        } else if (text.ptr[i] != '0' && first == SIZE_MAX) {
            first = i;
        }
    }
    point = point == SIZE_MAX ? text.len : point;
    d.zero = first == SIZE_MAX;
    if (!d.zero) {
        d.digits = stile_str_sub(text, first, text.len - first);
        d.top = first < point ? (int64_t)(point - first)
                              : -(int64_t)(first - point - 1);
        d.top += shift;
    }
    *ret = d;
    return true;
}

static char next_digit(struct stile_str *digits)
{
    while (digits->len > 0) {
        char c = digits->ptr[0];
        *digits = stile_str_sub(*digits, 1, digits->len - 1);
        if (c != '.') {
            return c;
        }
    }
    return '0';
}

static enum fp_order magnitude(struct decimal a, struct decimal b)
{
    if (a.zero || b.zero) {
        return a.zero && b.zero ? ORDER_SAME : a.zero ? ORDER_LESS : ORDER_MORE;
    }
    if (a.top != b.top) {
        return a.top < b.top ? ORDER_LESS : ORDER_MORE;
    }
    while (a.digits.len > 0 || b.digits.len > 0) {
        char x = next_digit(&a.digits), y = next_digit(&b.digits);
        if (x != y) {
            return x < y ? ORDER_LESS : ORDER_MORE;
        }
    }
    return ORDER_SAME;
}

enum fp_order stile__fp_numbers(struct stile_str a, struct stile_str b)
{
    struct decimal x, y;
    if (!read_decimal(a, &x) || !read_decimal(b, &y)) {
        return ORDER_EMPTY;
    }
    bool below_x = x.negative && !x.zero, below_y = y.negative && !y.zero;
    if (below_x != below_y) {
        return below_x ? ORDER_LESS : ORDER_MORE;
    }
    return below_x ? magnitude(y, x) : magnitude(x, y);
}

/* ---- dates and times ---- */

#define PARTS 6 /* year month day hour minute second */

struct moment {
    int64_t part[PARTS];
    int known;
    struct stile_str fraction; /* of the second, digits */
    bool zoned;
    int offset; /* minutes */
};

static bool two(struct stile_str *text, int64_t most, int64_t *ret)
{
    if (text->len < 2 || !is_digit(text->ptr[0]) || !is_digit(text->ptr[1])) {
        return false;
    }
    *ret = (text->ptr[0] - '0') * 10 + (text->ptr[1] - '0');
    *text = stile_str_sub(*text, 2, text->len - 2);
    return *ret <= most;
}

static bool takes(struct stile_str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c) {
        return false;
    }
    *text = stile_str_sub(*text, 1, text->len - 1);
    return true;
}

static bool read_clock(struct stile_str *text, struct moment *m)
{
    /* 60 is the leap second FHIR R4 section 2.24.0.1 allows. */
    static const int64_t most[] = {23, 59, 60};
    for (int i = 0; i < 3; i++) {
        if (i > 0 && !takes(text, ':')) {
            return true;
        }
        if (!two(text, most[i], &m->part[3 + i])) {
            return false;
        }
        m->known = 4 + i;
    }
    if (takes(text, '.')) {
        size_t n = 0;
        while (n < text->len && is_digit(text->ptr[n])) {
            n++;
        }
        m->fraction = stile_str_sub(*text, 0, n);
        *text = stile_str_sub(*text, n, text->len - n);
        return n > 0;
    }
    return true;
}

static bool read_offset(struct stile_str *text, struct moment *m)
{
    int64_t hours = 0, minutes = 0;
    if (takes(text, 'Z')) {
        m->zoned = true;
        return true;
    }
    bool minus = stile_str_starts(*text, STILE_STR("-"));
    if (!takes(text, '+') && !takes(text, '-')) {
        return true;
    }
    if (!two(text, 14, &hours) || !takes(text, ':') ||
        !two(text, 59, &minutes)) {
        return false;
    }
    m->zoned = true;
    m->offset = (int)(hours * 60 + minutes) * (minus ? -1 : 1);
    return true;
}

static bool read_moment(struct stile_str text, struct moment *ret)
{
    struct moment m = {0};
    struct stile_date date = {0};
    size_t end = stile_str_find(text, 'T');
    end = end != SIZE_MAX ? end : text.len;
    if (!stile_date_parse(stile_str_sub(text, 0, end), &date)) {
        return false;
    }
    m.part[0] = date.year;
    m.part[1] = date.month;
    m.part[2] = date.day;
    m.known = date.month == 0 ? 1 : date.day == 0 ? 2 : 3;
    text = stile_str_sub(text, end, text.len - end);
    if (takes(&text, 'T') && text.len > 0 &&
        (m.known < 3 || !read_clock(&text, &m) || !read_offset(&text, &m))) {
        return false;
    }
    *ret = m;
    return text.len == 0;
}

/* To UTC. False where that cannot be said: half an hour's offset of a bare
 * hour, or a year outside the calendar. */
static bool to_utc(struct moment *m)
{
    if (m->offset == 0) {
        return true;
    }
    if (m->known == 4 && m->offset % 60 != 0) {
        return false;
    }
    struct stile_date day = {(int)m->part[0], (int)m->part[1], (int)m->part[2]};
    int64_t minutes =
        stile_date_days(day) * 1440 + m->part[3] * 60 + m->part[4] - m->offset;
    int64_t days = minutes >= 0 ? minutes / 1440 : -((-minutes + 1439) / 1440);
    day = stile_date_from_days(days);
    m->part[0] = day.year;
    m->part[1] = day.month;
    m->part[2] = day.day;
    m->part[3] = (minutes - days * 1440) / 60;
    m->part[4] = (minutes - days * 1440) % 60;
    m->offset = 0;
    return day.year > 0;
}

static enum fp_order fractions(struct stile_str a, struct stile_str b)
{
    for (size_t i = 0; i < a.len || i < b.len; i++) {
        char x = i < a.len ? a.ptr[i] : '0', y = i < b.len ? b.ptr[i] : '0';
        if (x != y) {
            return x < y ? ORDER_LESS : ORDER_MORE;
        }
    }
    return ORDER_SAME;
}

static enum fp_order moments(const struct moment *a, const struct moment *b,
                             int from)
{
    for (int i = from; i < PARTS; i++) {
        if (i >= a->known || i >= b->known) {
            return a->known == b->known ? ORDER_SAME : ORDER_EMPTY;
        }
        if (a->part[i] != b->part[i]) {
            return a->part[i] < b->part[i] ? ORDER_LESS : ORDER_MORE;
        }
    }
    return fractions(a->fraction, b->fraction);
}

enum fp_order stile__fp_dates(struct stile_str a, struct stile_str b)
{
    struct moment x, y;
    if (!read_moment(a, &x) || !read_moment(b, &y)) {
        return ORDER_EMPTY;
    }
    /* A day has no zone: it is compared as it is written. */
    bool clocks = x.known > 3 && y.known > 3;
    if (clocks && (x.zoned != y.zoned || !to_utc(&x) || !to_utc(&y))) {
        return ORDER_EMPTY;
    }
    return moments(&x, &y, 0);
}

enum fp_order stile__fp_times(struct stile_str a, struct stile_str b)
{
    struct moment x = {0}, y = {0};
    if (!read_clock(&a, &x) || !read_clock(&b, &y) || a.len > 0 || b.len > 0) {
        return ORDER_EMPTY;
    }
    return moments(&x, &y, 3);
}

/* ---- quantities ---- */

bool stile__fp_quantity(const struct stile_fhirpath_item *item,
                        struct stile_str *ret_number,
                        struct stile_str *ret_unit)
{
    if (item->kind == STILE_FP_QUANTITY) {
        *ret_number = item->text;
        *ret_unit = item->unit;
        return true;
    }
    if (item->kind != STILE_FP_COMPLEX || item->type == NULL ||
        !stile__fp_fhir_is(item->type, STILE_STR("Quantity"))) {
        return false;
    }
    /* FHIR R4, fhirpath.html: the code when it is UCUM's, else the unit. */
    bool ucum = stile_str_eqc(stile_value_text(item->value, "system"),
                              "http://unitsofmeasure.org");
    *ret_number = stile_value_text(item->value, "value");
    *ret_unit = stile_value_text(item->value, ucum ? "code" : "unit");
    return true;
}

struct calendar {
    const char *word, *code;
};

/* N1 section 4.1.8: from the week down, a calendar word and the UCUM unit are
 * one; a calendar year or month equals itself alone. */
static const struct calendar calendar[] = {
    {"week", "wk"},    {"day", "d"},    {"hour", "h"},
    {"minute", "min"}, {"second", "s"}, {"millisecond", "ms"}};

static struct stile_str unit_of(struct stile_str unit)
{
    struct stile_str word = unit;
    if (word.len == 0) {
        return STILE_STR("1");
    }
    if (word.len > 3 && stile_str_ends(word, STILE_STR("s"))) {
        word.len--;
    }
    for (size_t i = 0; i < sizeof calendar / sizeof calendar[0]; i++) {
        if (stile_str_eqc(word, calendar[i].word)) {
            return stile_str_cstr(calendar[i].code);
        }
    }
    return stile_str_eqc(word, "year") || stile_str_eqc(word, "month") ? word
                                                                       : unit;
}

/* A calendar year and 'a', a month and 'mo': not to be compared. */
static bool year_or_month(struct stile_str word, struct stile_str code)
{
    return (stile_str_eqc(word, "year") && stile_str_eqc(code, "a")) ||
           (stile_str_eqc(word, "month") && stile_str_eqc(code, "mo"));
}

static enum fp_order quantities(const struct stile_fhirpath_item *a,
                                const struct stile_fhirpath_item *b)
{
    struct stile_str x, y, unit_x, unit_y;
    if (!stile__fp_quantity(a, &x, &unit_x) ||
        !stile__fp_quantity(b, &y, &unit_y)) {
        return ORDER_UNLIKE;
    }
    if (x.len == 0 || y.len == 0) {
        return ORDER_EMPTY;
    }
    unit_x = unit_of(unit_x);
    unit_y = unit_of(unit_y);
    if (stile_str_eq(unit_x, unit_y)) {
        return stile__fp_numbers(x, y);
    }
    return year_or_month(unit_x, unit_y) || year_or_month(unit_y, unit_x)
               ? ORDER_EMPTY
               : ORDER_UNITS;
}

/* ---- items ---- */

static bool is_number(const struct stile_fhirpath_item *item)
{
    return item->kind == STILE_FP_INTEGER || item->kind == STILE_FP_DECIMAL;
}

static bool is_day(const struct stile_fhirpath_item *item)
{
    return item->kind == STILE_FP_DATE || item->kind == STILE_FP_DATETIME;
}

static bool is_quantity(const struct stile_fhirpath_item *item)
{
    struct stile_str number, unit;
    return stile__fp_quantity(item, &number, &unit);
}

/* A number beside a quantity is one of the unit 1 (N1 section 5.5 table). */
static struct stile_fhirpath_item
as_quantity(const struct stile_fhirpath_item *item)
{
    struct stile_fhirpath_item q = *item;
    if (is_number(item)) {
        q.kind = STILE_FP_QUANTITY;
        q.unit = STILE_STR("1");
    }
    return q;
}

enum fp_order stile__fp_compare(const struct stile_fhirpath_item *a,
                                const struct stile_fhirpath_item *b)
{
    bool scalars = a->kind != STILE_FP_COMPLEX && b->kind != STILE_FP_COMPLEX;
    if (scalars && (!a->valued || !b->valued)) {
        return ORDER_EMPTY;
    }
    if (is_number(a) && is_number(b)) {
        return stile__fp_numbers(a->text, b->text);
    }
    if (is_quantity(a) || is_quantity(b)) {
        struct stile_fhirpath_item x = as_quantity(a), y = as_quantity(b);
        return quantities(&x, &y);
    }
    if (is_day(a) && is_day(b)) {
        return stile__fp_dates(a->text, b->text);
    }
    if (a->kind != b->kind) {
        return ORDER_UNLIKE;
    }
    if (a->kind == STILE_FP_TIME) {
        return stile__fp_times(a->text, b->text);
    }
    if (a->kind == STILE_FP_STRING) {
        int order = stile_str_cmp(a->text, b->text);
        return order < 0 ? ORDER_LESS : order > 0 ? ORDER_MORE : ORDER_SAME;
    }
    return ORDER_UNLIKE;
}

/* ---- trees ---- */

static bool same_children(const struct stile_value *a,
                          const struct stile_value *b, uint64_t *steps)
{
    const struct stile_value *y = b->first;
    for (const struct stile_value *x = a->first; x != NULL; x = x->next) {
        const struct stile_value *other =
            a->kind == STILE_OBJECT ? stile_value_get(b, x->name) : y;
        if (other == NULL || !stile__fp_same_tree(x, other, steps)) {
            return false;
        }
        y = y != NULL ? y->next : NULL;
    }
    return true;
}

/* Depth is that of the decoded record, which its reader bounds. */
bool stile__fp_same_tree(const struct stile_value *a,
                         const struct stile_value *b, uint64_t *steps)
{
    if (*steps == 0) {
        return false;
    }
    /* A member is found among its siblings: that is what it costs. */
    uint64_t cost = 1 + (uint64_t)(a->kind == STILE_OBJECT ? b->count : 0);
    *steps -= cost < *steps ? cost : *steps;
    if (a->kind != b->kind || a->count != b->count) {
        return false;
    }
    switch (a->kind) {
    case STILE_NULL:
        return true;
    case STILE_BOOL:
        return a->boolean == b->boolean;
    case STILE_NUMBER:
        return stile__fp_numbers(a->text, b->text) == ORDER_SAME;
    case STILE_STRING:
        return stile_str_eq(a->text, b->text);
    default:
        return same_children(a, b, steps);
    }
}
