#include "unit/govern_help.h"

#include <criterion/criterion.h>

static struct help_set set;

static void open_set(void)
{
    help_open(&set);
}

static void close_set(void)
{
    help_close(&set);
}

TestSuite(govern_apply, .init = open_set, .fini = close_set);

static const char *const question =
    "{\"sender\":\"A99901\",\"recipient\":\"RZ9\",\"kind\":\"trust\","
    "\"purpose\":\"individual-care\",\"agreement\":\"DSA-2026-001\","
    "\"family\":\"emis\",\"facts\":{\"referral-open\":\"yes\"},\"resources\":"
    "[{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"family\":"
    "\"Mock\"}],\"birthDate\":\"1961-02-03\",\"_birthDate\":{\"extension\":"
    "[{\"url\":\"u\",\"valueString\":\"1961\"}]},\"address\":[{\"line\":"
    "[\"1 Street\"],\"postalCode\":\"%s\"}],\"identifier\":[{\"system\":"
    "\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":\"9990000115\"}]}%s]}";

static struct stile_source *source_of(const char *name)
{
    size_t i;

    for (i = 0; i < set.count; i++) {
        if (stile_str_eqc(set.sources[i].name, name)) {
            return &set.sources[i];
        }
    }
    cr_assert_fail("no file %s", name);
    return NULL;
}

/* The first `from` after `mark` becomes `to`. */
static void edit(const char *name, const char *mark, const char *from,
                 const char *to)
{
    struct stile_source *source = source_of(name);
    struct stile_str text = source->text;
    size_t start = stile_str_find_str(text, stile_str_cstr(mark));
    size_t at =
        start + stile_str_find_str(stile_str_sub(text, start, text.len - start),
                                   stile_str_cstr(from));

    source->text = stile_arena_printf(
        set.arena, "%.*s%s%.*s", STILE_FMT(stile_str_sub(text, 0, at)), to,
        STILE_FMT(stile_str_sub(text, at + strlen(from),
                                text.len - at - strlen(from))));
}

static void load(void)
{
    struct stile_buf buf;

    stile_buf_init(&buf, 1u << 20);
    if (help_load(&set) != STILE_OK) {
        stile_diags_print(&set.diags, false, &buf);
    }
    cr_assert_not_null(set.rules, "%.*s", STILE_FMT(stile_buf_str(&buf)));
    stile_buf_release(&buf);
}

/* The shipped set with another handling in TRU-1. */
static void load_handling(const char *then)
{
    edit("rules.yaml", "- rule: TRU-1", "log-to-patient-trail", then);
    load();
}

static struct help_case made;

static void decide(const char *postcode, const char *more)
{
    help_decide(
        &set,
        stile_arena_cstr(
            set.arena, stile_arena_printf(set.arena, question, postcode, more)),
        &made);
}

static struct stile_str at(const char *path)
{
    struct stile_value *value = stile_value_path(made.out[0], path);

    return value ? value->text : STILE_STR_NULL;
}

Test(govern_apply, rounds_dates_and_addresses)
{
    load_handling("{round: [birth-date]}");
    decide("ZZ99 1AA", "");
    cr_assert(stile_str_eqc(at("birthDate"), "1961"));
    cr_assert_null(stile_value_getc(made.out[0], "_birthDate"));
    cr_assert_eq(help_field(&made, "Patient", "p", "birth-date")->outcome,
                 STILE_OUTCOME_CHANGED);
    cr_assert_eq(help_field(&made, "Patient", "p", "name")->outcome,
                 STILE_OUTCOME_RELEASE);
}

Test(govern_apply, masks_in_the_way_of_fhir)
{
    load_handling("{mask: [birth-date, nhs-number]}");
    decide("ZZ99 1AA", "");
    cr_assert_null(stile_value_getc(made.out[0], "birthDate"));
    cr_assert(stile_str_eqc(at("_birthDate.extension.0.valueCode"), "masked"));
    cr_assert(
        stile_str_eqc(at("identifier.0.extension.0.valueCode"), "masked"));
    cr_assert_null(at("identifier.0.value").ptr);
}

Test(govern_apply, the_strictest_handling_wins)
{
    load_handling("{mask: [birth-date]}, {round: [birth-date]}");
    decide("ZZ99 1AA", "");
    cr_assert_null(stile_value_getc(made.out[0], "birthDate"));
    cr_assert(stile_str_eqc(at("_birthDate.extension.0.valueCode"), "masked"));
}

Test(govern_apply, pseudonyms_are_keyed_and_steady)
{
    struct stile_value **other = NULL;
    size_t count = 0;
    struct stile_str first;

    load_handling("{pseudonymise: [nhs-number]}");
    decide("ZZ99 1AA", "");
    first = at("identifier.0.value");
    cr_assert_eq(first.len, 64);
    cr_assert_eq(
        stile_govern_apply(set.rules, &made.question, made.decision,
                           STILE_STR("another key of thirty-two bytes."),
                           set.arena, &other, &count),
        STILE_OK);
    cr_assert_not(stile_str_eq(
        stile_value_path(other[0], "identifier.0.value")->text, first));
}

Test(govern_apply, a_short_key_blocks_the_message)
{
    struct stile_value **out = NULL;
    size_t count = 7;

    load_handling("{pseudonymise: [nhs-number]}");
    decide("ZZ99 1AA", "");
    cr_assert_eq(
        stile_govern_apply(set.rules, &made.question, made.decision,
                           STILE_STR("thirty-one bytes, one too few.."),
                           set.arena, &out, &count),
        STILE_DENIED);
    cr_assert_null(out);
    cr_assert_eq(count, 7);
}

Test(govern_apply, what_cannot_be_rounded_blocks_the_message)
{
    struct stile_value **out = NULL;
    size_t count = 0;

    edit("examples.yaml", "example: the Spine does not", "release",
         "release-changed");
    load_handling("{round: [address]}");
    help_question(
        &set,
        help_json(set.arena, stile_arena_cstr(
                                 set.arena, stile_arena_printf(
                                                set.arena, question, "?", ""))),
        &made.question);
    cr_assert_eq(stile_govern_decide(set.rules, &made.question, set.arena,
                                     &made.decision),
                 STILE_OK);
    cr_assert_eq(stile_govern_apply(set.rules, &made.question, made.decision,
                                    STILE_STR_NULL, set.arena, &out, &count),
                 STILE_DENIED);
    cr_assert_null(out);
}

Test(govern_apply, an_address_rounds_to_its_outward_postcode)
{
    edit("examples.yaml", "example: the Spine does not", "release",
         "release-changed");
    load_handling("{round: [address]}");
    decide("ZZ991AA", ""); /* without its space */
    cr_assert(stile_str_eqc(at("address.0.postalCode"), "ZZ99"));
    cr_assert_null(stile_value_path(made.out[0], "address.0.line"));
}

#define CONDITION                                                              \
    ",{\"resourceType\":\"Condition\",\"id\":\"c\",\"code\":{\"coding\":"      \
    "[{\"system\":\"http://snomed.info/sct\",\"code\":\"33449004\","           \
    "\"display\":\"Personality disorder\"}],\"text\":\"PD\"},\"subject\":"     \
    "{\"reference\":\"Patient/p\"}}"

Test(govern_apply, relabel_changes_the_words_people_read_and_no_code)
{
    struct stile_value *condition;

    load_handling("{relabel: {label: disputed-diagnosis, as: words agreed}}");
    decide("ZZ99 1AA", CONDITION);
    cr_assert_eq(help_field(&made, "Condition", "c", "problems")->outcome,
                 STILE_OUTCOME_CHANGED);
    condition = made.out[1];
    cr_assert(stile_str_eqc(stile_value_path(condition, "code.text")->text,
                            "words agreed"));
    cr_assert(stile_str_eqc(
        stile_value_path(condition, "code.coding.0.code")->text, "33449004"));
}

Test(govern_apply, a_person_looks_first_when_every_share_asks_for_it)
{
    edit("rules.yaml", "- rule: RIV-2", "log-to-patient-trail",
         "review-by-person");
    edit("examples.yaml", "example: the goals go to Riverside", "release",
         "hold-for-person");
    edit("examples.yaml", "example: Riverside sees the referral that is made",
         "release", "hold-for-person");
    load();
    help_decide(
        &set,
        "{\"sender\":\"RZ9\",\"recipient\":\"VCS07\",\"kind\":"
        "\"voluntary-non-care\",\"purpose\":\"social-prescribing\","
        "\"agreement\":\"DSA-2026-003\",\"family\":\"fhir\",\"facts\":{"
        "\"referral-open\":\"yes\",\"consent-to-this-recipient\":\"yes\","
        "\"spine-sensitive\":\"no\"},\"resources\":[{\"resourceType\":"
        "\"Patient\",\"id\":\"p\",\"name\":[{\"family\":\"X\"}],"
        "\"birthDate\":\"1961-02-03\"}]}",
        &made);
    cr_assert_eq(made.decision->outcome, STILE_OUTCOME_HOLD);
    cr_assert_eq(made.decision->held, 1);
    cr_assert_eq(made.out_count, 0);
}

Test(govern_apply, references_to_what_stays_are_gone)
{
    struct stile_str json;

    load_handling("log-to-patient-trail");
    decide("ZZ99 1AA",
           ",{\"resourceType\":\"Observation\",\"id\":\"hidden\",\"meta\":"
           "{\"security\":[{\"code\":\"R\"}]},\"status\":\"final\",\"code\":"
           "{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":"
           "\"27113001\"}]}},{\"resourceType\":\"Consent\",\"id\":\"k\","
           "\"status\":\"active\",\"patient\":{\"reference\":\"Patient/p\","
           "\"display\":\"Mock\"},\"provision\":{\"type\":\"permit\"}}");
    json = help_out_json(set.arena, &made);
    cr_assert_eq(help_item(&made, "Observation", "hidden")->outcome,
                 STILE_OUTCOME_WITHHOLD);
    cr_assert_eq(stile_str_find_str(json, STILE_STR("hidden")), SIZE_MAX);
    cr_assert_eq(stile_str_find_str(json, STILE_STR("display")), SIZE_MAX);
}

Test(govern_apply, an_item_with_an_unknown_modifier_stays_whole)
{
    load_handling("log-to-patient-trail");
    decide("ZZ99 1AA",
           ",{\"resourceType\":\"Condition\",\"id\":\"c\",\"modifierExtension\""
           ":[{\"url\":\"x\",\"valueBoolean\":true}],\"code\":{\"coding\":"
           "[{\"system\":\"http://snomed.info/sct\",\"code\":\"38341003\"}]},"
           "\"subject\":{\"reference\":\"Patient/p\"}}");
    cr_assert_eq(help_item(&made, "Condition", "c")->outcome,
                 STILE_OUTCOME_WITHHOLD);
}

Test(govern_apply, a_type_nobody_thought_of_stays)
{
    load_handling("log-to-patient-trail");
    decide("ZZ99 1AA",
           ",{\"resourceType\":\"Coverage\",\"id\":\"x\",\"status\":"
           "\"active\"}");
    cr_assert_eq(help_item(&made, "Coverage", "x")->outcome,
                 STILE_OUTCOME_WITHHOLD);
    cr_assert_eq(help_field(&made, "Coverage", "x", "not-covered")->outcome,
                 STILE_OUTCOME_WITHHOLD);
}

Test(govern_apply, self_claimed_tells_the_privacy_officer)
{
    load_handling("log-to-patient-trail");
    help_decide(&set,
                "{\"sender\":\"A99901\",\"recipient\":\"RZ9\",\"kind\":"
                "\"trust\",\"purpose\":\"individual-care\",\"agreement\":"
                "\"DSA-2026-001\",\"family\":\"emis\",\"facts\":{"
                "\"self-claimed\":\"yes\"},\"resources\":[{\"resourceType\":"
                "\"Patient\",\"id\":\"p\",\"name\":[{\"family\":\"X\"}]}]}",
                &made);
    cr_assert_eq(made.decision->notify_count, 2);
    cr_assert(stile_str_eqc(made.decision->notify[0], "patient-trail"));
    cr_assert(stile_str_eqc(made.decision->notify[1], "privacy-officer"));
}

Test(govern_apply, the_recipient_is_told_only_what_a_rule_allows)
{
    const char *confidential =
        ",{\"resourceType\":\"Condition\",\"id\":\"c\",\"meta\":{\"security\":"
        "[{\"code\":\"R\"}]},\"code\":{\"coding\":[{\"system\":"
        "\"http://snomed.info/sct\",\"code\":\"38341003\"}]}}";
    const char *sexual =
        ",{\"resourceType\":\"Condition\",\"id\":\"c\",\"code\":{\"coding\":"
        "[{\"system\":\"https://stile.example/demo-codes\",\"code\":"
        "\"DEMO-SH\"}]}}";

    load_handling("log-to-patient-trail");
    decide("ZZ99 1AA", confidential);
    cr_assert(made.decision->tell_withheld);
    decide("ZZ99 1AA", sexual);
    cr_assert_not(made.decision->tell_withheld);
}

/* Nothing that is shared was kept back, so there is nothing to tell of. */
Test(govern_apply, the_recipient_is_not_told_of_what_nobody_shares)
{
    const char *unshared =
        ",{\"resourceType\":\"List\",\"id\":\"l\",\"meta\":{\"security\":"
        "[{\"code\":\"R\"}]},\"status\":\"current\",\"mode\":\"working\","
        "\"title\":\"x\"}";

    load_handling("log-to-patient-trail");
    decide("ZZ99 1AA", unshared);
    cr_assert_eq(help_item(&made, "List", "l")->outcome,
                 STILE_OUTCOME_WITHHOLD);
    cr_assert_not(made.decision->tell_withheld);
}

static size_t labels_of(const char *coding)
{
    char json[512];

    (void)snprintf(json, sizeof(json),
                   ",{\"resourceType\":\"ServiceRequest\",\"id\":\"s\","
                   "\"status\":\"active\",\"intent\":\"order\",\"code\":{"
                   "\"coding\":[{\"system\":\"http://snomed.info/sct\","
                   "\"code\":\"38341003\"}]},\"reasonCode\":[{\"coding\":[{"
                   "%s\"code\":\"DEMO-SH\"}]}]}",
                   coding);
    decide("ZZ99 1AA", json);
    return help_item(&made, "ServiceRequest", "s")->label_count;
}

Test(govern_apply, a_label_counts_also_in_a_system_that_is_not_known)
{
    size_t right;

    load_handling("log-to-patient-trail");
    right = labels_of("\"system\":\"https://stile.example/demo-codes\",");
    cr_assert_gt(right, 0);
    cr_assert_eq(labels_of(""), right);
    cr_assert_eq(labels_of("\"system\":\"https://stile.example/demo-codes/\","),
                 right);
    cr_assert_eq(
        labels_of("\"system\":\"https://stile.example/demo-codes|1.0\","),
        right);
    /* A known one in which the code means something else. */
    cr_assert_lt(labels_of("\"system\":\"http://snomed.info/sct\","), right);
}

Test(govern_apply, an_arena_too_small_is_said_and_nothing_returned)
{
    struct stile_arena *small = stile_arena_new(4096);
    struct stile_decision *decision = NULL;

    load_handling("log-to-patient-trail");
    decide("ZZ99 1AA", CONDITION);
    cr_assert_eq(
        stile_govern_decide(set.rules, &made.question, small, &decision),
        STILE_NOMEM);
    cr_assert_null(decision);
    stile_arena_free(&small);
}
