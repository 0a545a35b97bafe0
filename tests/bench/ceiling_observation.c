/*
 * What a program written for one table alone can do: CareRecord_Observation
 * to FHIR JSON, the same bytes as mappings/maps/emis/observation.map makes.
 * It reads the columns by their place in the documented order, knows the two
 * code tables by heart, and answers only "refused" where the mapping says
 * which cell of which row is wrong and why.
 */
#include "bench_rows.h"

#define OUT_BYTES ((size_t)1 << 20)
#define OUT_SPARE ((size_t)1 << 18) /* a row's text at most */
#define CELL_MAX ((size_t)8192)

enum column {
    OBSERVATION,
    PATIENT,
    ORGANISATION,
    EFFECTIVE,
    PRECISION,
    ENTERED,
    ENTERED_TIME,
    CLINICIAN,
    ENTERED_BY,
    PARENT,
    CODE,
    PROBLEM,
    CONSULTATION,
    VALUE,
    UNIT,
    TYPE,
    RANGE_LOW,
    RANGE_HIGH,
    DOCUMENT,
    QUALIFIERS,
    ABNORMAL,
    ABNORMAL_REASON,
    EPISODE,
    DELETED,
    CONFIDENTIAL,
    PROCESSING,
    COLUMNS
};

#define BASE "https://fhir.hl7.org.uk/StructureDefinition/"
#define OWN "https://stile.example/fhir/"
#define HL7 "http://terminology.hl7.org/CodeSystem/"

struct row {
    struct stile_str cells[COLUMNS];
    bool bad;
};

/* ---- text out ------------------------------------------------------------ */

#define PUT(at, literal)                                                       \
    (memcpy((at), (literal), sizeof(literal) - 1), (at) + sizeof(literal) - 1)

static char *copy(char *at, struct stile_str s)
{
    memcpy(at, s.ptr, s.len);
    return at + s.len;
}

/* Quoted, with what JSON wants escaped; UTF-8 was seen to by the caller. */
static char *string(char *at, struct stile_str s)
{
    static const char hex[] = "0123456789abcdef";
    *at++ = '"';
    if (stile_json_plain(s) == s.len) {
        at = copy(at, s);
        *at++ = '"';
        return at;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else if (c == '\n' || c == '\r' || c == '\t') {
            *at++ = '\\';
            *at++ = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
        } else if (c < 0x20) {
            at = PUT(at, "\\u00");
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        } else {
            *at++ = (char)c;
        }
    }
    *at++ = '"';
    return at;
}

static char *guid(char *at, struct row *row, enum column column)
{
    if (!stile_guid_normal(row->cells[column], at)) {
        row->bad = true;
        return at;
    }
    return at + 36;
}

static bool filled(const struct row *row, enum column column)
{
    return row->cells[column].len > 0;
}

/* ---- dates --------------------------------------------------------------- */

static bool date(struct stile_str s, struct stile_date *ret)
{
    return s.len == 10 && stile_date_parse(s, ret);
}

static char *effective(char *at, struct row *row)
{
    struct stile_str s = row->cells[EFFECTIVE], p = row->cells[PRECISION];
    struct stile_date d;
    if (s.len == 0 || stile_str_eqc(p, "U")) {
        return at;
    }
    if (!date(s, &d)) {
        row->bad = true;
        return at;
    }
    s.len = stile_str_eqc(p, "Y") ? 4 : stile_str_eqc(p, "YM") ? 7 : 10;
    at = PUT(at, ",\"effectiveDateTime\":\"");
    at = copy(at, s);
    *at++ = '"';
    return at;
}

static int two(const char *p)
{
    unsigned a = (unsigned char)p[0] - '0', b = (unsigned char)p[1] - '0';
    return a > 9 || b > 9 ? 99 : (int)(a * 10 + b);
}

static char *issued(char *at, struct row *row)
{
    struct stile_str day = row->cells[ENTERED], t = row->cells[ENTERED_TIME];
    struct stile_date d;
    stile_time utc = 0;
    int offset = 0;
    if (day.len == 0 || t.len == 0) {
        return at;
    }
    if (!date(day, &d) || t.len != 8 || t.ptr[2] != ':' || t.ptr[5] != ':' ||
        two(t.ptr) > 23 || two(t.ptr + 3) > 59 || two(t.ptr + 6) > 59) {
        row->bad = true;
        return at;
    }
    enum stile_status status = stile_london_to_utc(
        d, two(t.ptr), two(t.ptr + 3), two(t.ptr + 6), &utc, &offset);
    if (status == STILE_UNSUPPORTED) {
        return at;
    }
    if (status == STILE_CONFLICT) {
        offset = 60;
    } else if (status != STILE_OK) {
        row->bad = true;
    }
    at = PUT(at, ",\"issued\":\"");
    at = copy(at, day);
    *at++ = 'T';
    at = copy(at, t);
    return offset == 60 ? PUT(at, "+01:00\"") : PUT(at, "+00:00\"");
}

/* ---- the code tables ----------------------------------------------------- */

static struct stile_str category(struct stile_str s)
{
    static const char *const laboratory[] = {
        "Biochemistry", "Haematology",        "Immunology",
        "Microbiology", "Cytology/Histology", "Pathology specimen"};
    if (stile_str_eq(s, STILE_STR("Biological values"))) {
        return STILE_STR("exam");
    }
    if (stile_str_eq(s, STILE_STR("Personal Health and Social"))) {
        return STILE_STR("social-history");
    }
    if (stile_str_eq(s, STILE_STR("Radiology"))) {
        return STILE_STR("imaging");
    }
    for (size_t i = 0; i < sizeof(laboratory) / sizeof(laboratory[0]); i++) {
        if (stile_str_eqc(s, laboratory[i])) {
            return STILE_STR("laboratory");
        }
    }
    return STILE_STR_NULL;
}

static struct stile_str ucum(struct stile_str unit)
{
    static const char *const same[] = {"kg", "kg/m2",  "cm",       "m",
                                       "%",  "mmol/L", "mmol/mol", "g/L"};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (stile_str_eqc(unit, same[i])) {
            return unit;
        }
    }
    if (stile_str_eqc(unit, "mmHg")) {
        return STILE_STR("mm[Hg]");
    }
    if (stile_str_eqc(unit, "mmol/l")) {
        return STILE_STR("mmol/L");
    }
    return stile_str_eqc(unit, "g/l") ? STILE_STR("g/L") : STILE_STR_NULL;
}

/* ---- parts of a resource ------------------------------------------------- */

static char *extensions(char *at, struct row *row)
{
    if (!filled(row, PARENT) && !filled(row, PROBLEM)) {
        return at;
    }
    at = PUT(at, ",\"extension\":[");
    if (filled(row, PARENT)) {
        at = PUT(at, "{\"url\":\"" OWN "StructureDefinition/"
                     "parent-observation\",\"valueReference\":"
                     "{\"reference\":\"Observation/");
        at = guid(at, row, PARENT);
        at = PUT(at, "\"}}");
    }
    if (filled(row, PROBLEM)) {
        if (filled(row, PARENT)) {
            *at++ = ',';
        }
        at = PUT(at, "{\"url\":\"" OWN "StructureDefinition/related-problem\","
                     "\"valueReference\":{\"reference\":\"Condition/");
        at = guid(at, row, PROBLEM);
        at = PUT(at, "\"}}");
    }
    *at++ = ']';
    return at;
}

static char *codings(char *at, const struct row *row,
                     const struct stile_row *code,
                     const struct ceiling_columns *c)
{
    struct stile_str sct = code->cells[c->snomed], term = code->cells[c->term];
    struct stile_str read = code->cells[c->read_term];
    at = PUT(at, "\"coding\":[");
    if (sct.len > 0 || term.len > 0) {
        at = PUT(at, "{\"system\":\"http://snomed.info/sct\"");
        if (sct.len > 0) {
            at = PUT(at, ",\"code\":");
            at = string(at, sct);
        }
        if (term.len > 0) {
            at = PUT(at, ",\"display\":");
            at = string(at, term);
        }
        at = PUT(at, "},");
    }
    at = PUT(at, "{\"system\":\"" OWN "CodeSystem/emis-code-id\",\"code\":");
    at = string(at, row->cells[CODE]);
    *at++ = '}';
    if (read.len > 0) {
        at = PUT(at, ",{\"system\":\"" OWN
                     "CodeSystem/emis-read-term-id\",\"code\":");
        at = string(at, read);
        *at++ = '}';
    }
    *at++ = ']';
    if (term.len > 0) {
        at = PUT(at, ",\"text\":");
        at = string(at, term);
    }
    return at;
}

static char *category_and_code(char *at, const struct row *row,
                               const struct stile_row *code,
                               const struct ceiling_columns *c)
{
    if (code == NULL) {
        return PUT(at, ",\"code\":{\"extension\":[{\"url\":\"http://hl7.org/"
                       "fhir/StructureDefinition/data-absent-reason\","
                       "\"valueCode\":\"unknown\"}]}");
    }
    struct stile_str in = category(code->cells[c->category]);
    if (in.len > 0) {
        at = PUT(at, ",\"category\":[{\"coding\":[{\"system\":\"" HL7
                     "observation-category\",\"code\":\"");
        at = copy(at, in);
        at = PUT(at, "\"}]}]");
    }
    at = PUT(at, ",\"code\":{");
    at = codings(at, row, code, c);
    *at++ = '}';
    return at;
}

static char *number(char *at, struct row *row, enum column column)
{
    if (!stile_number_valid(row->cells[column])) {
        row->bad = true;
        return at;
    }
    return copy(at, row->cells[column]);
}

static char *quantity(char *at, struct row *row)
{
    struct stile_str unit = row->cells[UNIT];
    if (!filled(row, VALUE)) {
        return at;
    }
    at = PUT(at, ",\"valueQuantity\":{\"value\":");
    at = number(at, row, VALUE);
    if (unit.len > 0) {
        at = PUT(at, ",\"unit\":");
        at = string(at, unit);
        struct stile_str code = ucum(unit);
        if (code.len > 0) {
            at = PUT(at, ",\"system\":\"http://unitsofmeasure.org\","
                         "\"code\":\"");
            at = copy(at, code);
            *at++ = '"';
        }
    }
    *at++ = '}';
    return at;
}

static char *interpretation(char *at, const struct row *row)
{
    bool abnormal = stile_str_eqc(row->cells[ABNORMAL], "true");
    if (!abnormal && !filled(row, ABNORMAL_REASON)) {
        return at;
    }
    at = PUT(at, ",\"interpretation\":[{");
    if (abnormal) {
        at = PUT(at, "\"coding\":[{\"system\":\"" HL7
                     "v3-ObservationInterpretation\",\"code\":\"A\"}]");
    }
    if (filled(row, ABNORMAL_REASON)) {
        at = abnormal ? PUT(at, ",\"text\":") : PUT(at, "\"text\":");
        at = string(at, row->cells[ABNORMAL_REASON]);
    }
    return PUT(at, "}]");
}

static char *range(char *at, struct row *row)
{
    if (!filled(row, RANGE_LOW) && !filled(row, RANGE_HIGH)) {
        return at;
    }
    at = PUT(at, ",\"referenceRange\":[{");
    if (filled(row, RANGE_LOW)) {
        at = PUT(at, "\"low\":{\"value\":");
        at = number(at, row, RANGE_LOW);
        *at++ = '}';
        if (filled(row, RANGE_HIGH)) {
            *at++ = ',';
        }
    }
    if (filled(row, RANGE_HIGH)) {
        at = PUT(at, "\"high\":{\"value\":");
        at = number(at, row, RANGE_HIGH);
        *at++ = '}';
    }
    return PUT(at, "}]");
}

static char *people(char *at, struct row *row)
{
    if (filled(row, PATIENT)) {
        at = PUT(at, ",\"subject\":{\"reference\":\"Patient/");
        at = guid(at, row, PATIENT);
        at = PUT(at, "\"}");
    }
    if (filled(row, CONSULTATION)) {
        at = PUT(at, ",\"encounter\":{\"reference\":\"Encounter/");
        at = guid(at, row, CONSULTATION);
        at = PUT(at, "\"}");
    }
    at = effective(at, row);
    at = issued(at, row);
    if (filled(row, CLINICIAN)) {
        at = PUT(at, ",\"performer\":[{\"reference\":\"PractitionerRole/");
        at = guid(at, row, CLINICIAN);
        at = PUT(at, "\"}]");
    }
    return at;
}

static char *resource(char *at, struct row *row, const struct stile_row *code,
                      const struct ceiling_columns *c)
{
    at = PUT(at, "{\"resourceType\":\"Observation\",\"id\":\"");
    at = guid(at, row, OBSERVATION);
    at = PUT(at, "\",\"meta\":{\"profile\":[\"" BASE "UKCore-Observation\"]");
    if (stile_str_eqc(row->cells[CONFIDENTIAL], "true")) {
        at = PUT(at, ",\"security\":[{\"system\":\"" HL7
                     "v3-Confidentiality\",\"code\":\"R\"}]");
    }
    *at++ = '}';
    at = extensions(at, row);
    at = PUT(at, ",\"status\":\"final\"");
    at = category_and_code(at, row, code, c);
    at = people(at, row);
    at = quantity(at, row);
    at = interpretation(at, row);
    at = range(at, row);
    return PUT(at, "}\n");
}

/* ---- rows ---------------------------------------------------------------- */

/* One all-quoted row from `at`; behind its line feed, or NULL. */
static const char *split(const char *at, const char *end, struct row *row,
                         char *scratch)
{
    row->bad = false;
    for (int i = 0; i < COLUMNS; i++) {
        const char *from = at + 1;
        const char *q = NULL;
        bool doubled = false;
        if (at >= end || *at != '"') {
            return NULL;
        }
        for (at = from; (q = memchr(at, '"', (size_t)(end - at))) != NULL &&
                        q + 1 < end && q[1] == '"';
             at = q + 2) {
            doubled = true;
        }
        if (q == NULL || q + 1 == end ||
            q[1] != (i + 1 < COLUMNS ? ',' : '\n')) {
            return NULL;
        }
        row->cells[i] = (struct stile_str){from, (size_t)(q - from)};
        at = q + 2;
        if (row->cells[i].len > CELL_MAX) {
            return NULL;
        }
        if (doubled) {
            char *to = scratch;
            for (const char *p = from; p < q; p++) {
                *to++ = *p;
                p += *p == '"' ? 1 : 0;
            }
            row->cells[i] = (struct stile_str){scratch, (size_t)(to - scratch)};
            scratch = to;
        }
    }
    return at;
}

static bool header_is_ours(struct stile_str file, size_t *ret_end)
{
    static const char ours[] =
        "\"ObservationGuid\",\"PatientGuid\",\"OrganisationGuid\","
        "\"EffectiveDate\",\"EffectiveDatePrecision\",\"EnteredDate\","
        "\"EnteredTime\",\"ClinicianUserInRoleGuid\","
        "\"EnteredByUserInRoleGuid\",\"ParentObservationGuid\",\"CodeId\","
        "\"ProblemGuid\",\"ConsultationGuid\",\"Value\",\"NumericUnit\","
        "\"ObservationType\",\"NumericRangeLow\",\"NumericRangeHigh\","
        "\"DocumentGuid\",\"Qualifiers\",\"Abnormal\",\"AbnormalReason\","
        "\"Episode\",\"Deleted\",\"IsConfidential\",\"ProcessingId\"\n";
    *ret_end = sizeof(ours) - 1;
    return stile_str_starts(file, STILE_STR(ours));
}

static char *one_row(char *at, struct row *row, const struct bench_codes *codes,
                     const struct ceiling_columns *columns,
                     struct ceiling_counts *counts)
{
    const struct stile_row *code = NULL;
    counts->rows++;
    if (stile_str_eqc(row->cells[DELETED], "true")) {
        counts->deleted++;
        return at;
    }
    if (filled(row, CODE)) {
        code = bench_code(codes, row->cells[CODE]);
        if (code == NULL) {
            counts->held++;
            return at;
        }
    }
    char *behind = resource(at, row, code, columns);
    if (row->bad) {
        counts->refused++;
        return at;
    }
    counts->made++;
    return behind;
}

bool ceiling_observations(struct stile_str file,
                          const struct bench_codes *codes,
                          const struct ceiling_columns *columns,
                          ceiling_out *out, void *ctx,
                          struct ceiling_counts *ret)
{
    static char text[OUT_BYTES + OUT_SPARE], scratch[COLUMNS * CELL_MAX];
    const char *end = file.ptr + file.len;
    char *at = text;
    size_t from = 0;
    if (!header_is_ours(file, &from) || !stile_utf8_valid(file)) {
        return false;
    }
    for (const char *p = file.ptr + from; p < end;) {
        struct row row;
        p = split(p, end, &row, scratch);
        if (p == NULL) {
            return false;
        }
        at = one_row(at, &row, codes, columns, ret);
        if ((size_t)(at - text) > OUT_BYTES) {
            out(ctx, (struct stile_str){text, (size_t)(at - text)});
            at = text;
        }
    }
    out(ctx, (struct stile_str){text, (size_t)(at - text)});
    return true;
}
