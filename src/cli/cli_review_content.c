/* What an officer reads before they decide: whom it is about, and each item in
 * a line. */
#include "cli_review.h"

#define NHS_NUMBER_SYSTEM "https://fhir.nhs.uk/Id/nhs-number"

static void say_name(const struct stile_value *patient, struct stile_buf *out)
{
    const struct stile_value *name = stile_value_path(patient, "name.0");
    const struct stile_value *given;

    if (!name) {
        stile_buf_addc(out, "somebody without a name");
        return;
    }
    if (stile_value_text(name, "text").len > 0) {
        stile_buf_add(out, stile_value_text(name, "text"));
        return;
    }
    given = stile_value_getc(name, "given");
    for (given = given ? given->first : NULL; given; given = given->next) {
        stile_buf_add(out, given->text);
        stile_buf_byte(out, ' ');
    }
    stile_buf_add(out, stile_value_text(name, "family"));
}

void stile__cli_review_about(const struct stile_value *patient,
                             struct stile_buf *out)
{
    const struct stile_value *id = stile_value_getc(patient, "identifier");
    struct stile_str born = stile_value_text(patient, "birthDate");

    stile_buf_addc(out, "          about ");
    say_name(patient, out);
    stile_buf_printf(out, ", %s%.*s", born.len > 0 ? "born " : "no birth date",
                     STILE_FMT(born));
    for (id = id ? id->first : NULL; id; id = id->next) {
        if (stile_str_eqc(stile_value_text(id, "system"), NHS_NUMBER_SYSTEM)) {
            stile_buf_printf(out, ", NHS number %.*s",
                             STILE_FMT(stile_value_text(id, "value")));
        }
    }
    stile_buf_byte(out, '\n');
}

/* As its author put it, or else as the code's system does. */
static struct stile_str concept_text(const struct stile_value *value)
{
    static const char *const places[] = {"text", "coding.0.display", "0.text",
                                         "0.coding.0.display", "coding.0.code"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const struct stile_value *found = stile_value_path(value, places[i]);

        if (found && found->text.len > 0) {
            return found->text;
        }
    }
    return STILE_STR_NULL;
}

/* FHIR R4: where a resource says what it is of, and of which day. */
void stile__cli_review_plain(const struct stile_value *resource,
                             struct stile_buf *out)
{
    static const char *const whats[] = {
        "code",        "medicationCodeableConcept",
        "vaccineCode", "reasonCode",
        "type",        "category"};
    static const char *const days[] = {"authoredOn",
                                       "effectiveDateTime",
                                       "onsetDateTime",
                                       "recordedDate",
                                       "performedDateTime",
                                       "occurrenceDateTime",
                                       "date",
                                       "created"};
    const char *before = "         ";

    for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
        const struct stile_value *value = stile_value_getc(resource, whats[i]);
        struct stile_str text = value ? concept_text(value) : STILE_STR_NULL;

        if (text.len > 0) {
            stile_buf_printf(out, "%s %.*s", before, STILE_FMT(text));
            before = ";";
        }
    }
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        struct stile_str day = stile_value_text(resource, days[i]);

        if (day.len > 0) {
            stile_buf_printf(out, "%s %.*s", before, STILE_FMT(day));
            before = ";";
        }
    }
    if (before[0] == ';') {
        stile_buf_byte(out, '\n');
    }
}
