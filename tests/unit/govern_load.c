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

TestSuite(govern_load, .init = open_set, .fini = close_set);

static bool found(const char *code)
{
    size_t i;

    for (i = 0; i < set.diags.count; i++) {
        if (!strcmp(set.diags.items[i].code, code)) {
            return true;
        }
    }
    return false;
}

Test(govern_load, of_the_shipped_set_only_what_must_be_supplied_is_said)
{
    size_t i;

    cr_assert_eq(help_load(&set), STILE_OK);
    for (i = 0; i < set.diags.count; i++) {
        cr_expect_str_eq(set.diags.items[i].code, "R509");
    }
}

Test(govern_load, every_rule_reads_as_one_english_sentence)
{
    struct stile_buf buf;

    cr_assert_eq(help_load(&set), STILE_OK);
    stile_buf_init(&buf, 1u << 20);
    stile_rules_read(set.rules, &buf);
    cr_assert_neq(
        stile_str_find_str(
            stile_buf_str(&buf),
            STILE_STR("Share name, birth-date, phone, accessibility-needs, "
                      "referral and referral-reason from Alder Lane Surgery "
                      "with Riverside Advice for social-prescribing under "
                      "DSA-2026-002, only if there is an open referral to "
                      "this recipient, and the person said yes to this "
                      "recipient by name. Then: free text is dropped; it is "
                      "entered in the trail the person can ask for.\n"
                      "  says:  Send a short referral to Riverside Advice "
                      "when the person has said yes to Riverside.\n")),
        SIZE_MAX, "%.*s", STILE_FMT(stile_buf_str(&buf)));
    stile_buf_release(&buf);
}

Test(govern_load, no_vocabulary_no_rules)
{
    set.inputs[0].kind = STILE_RULES_EXAMPLES;
    help_replace(&set, "vocabulary.yaml", "");
    cr_assert_eq(help_load(&set), STILE_INVALID);
    cr_assert(found("R106"));
    cr_assert_null(set.rules);
}

/* `count` labels besides the shipped ones. */
static void add_labels(size_t count)
{
    struct stile_source *source = &set.sources[0];
    struct stile_str mark = STILE_STR("\nlabels:\n");
    size_t at = stile_str_find_str(source->text, mark) + mark.len;
    struct stile_buf buf;
    size_t i;

    stile_buf_init(&buf, 1u << 20);
    stile_buf_add(&buf, stile_str_sub(source->text, 0, at));
    for (i = 0; i < count; i++) {
        stile_buf_printf(
            &buf, "  extra-%zu: {means: x, security: [X], list: none}\n", i);
    }
    stile_buf_add(&buf, stile_str_sub(source->text, at, source->text.len - at));
    source->text = stile_arena_str(set.arena, stile_buf_str(&buf));
    stile_buf_release(&buf);
}

Test(govern_load, sixty_four_words_of_a_kind)
{
    add_labels(64 - 14);
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_not(found("R107"));
}

Test(govern_load, and_not_one_more)
{
    add_labels(64 - 13);
    cr_assert_eq(help_load(&set), STILE_INVALID);
    cr_assert(found("R107"));
}

static struct stile_digest digest_of(struct help_set *of)
{
    cr_assert_eq(help_load(of), STILE_OK);
    return stile_rules_digest(of->rules);
}

Test(govern_load, the_digest_knows_meaning_and_no_layout)
{
    struct help_set other;
    struct stile_digest first = digest_of(&set), second;
    struct stile_str text;
    size_t at, i;

    help_open(&other);
    /* Files in reverse, a rule file cut in two, comments and flow style. */
    for (i = 0; i < other.count / 2; i++) {
        struct stile_rules_input swap = other.inputs[i];
        other.inputs[i] = other.inputs[other.count - 1 - i];
        other.inputs[other.count - 1 - i] = swap;
    }
    for (i = 0; i < other.count; i++) {
        if (!stile_str_eqc(other.sources[i].name, "rules.yaml")) {
            continue;
        }
        text = other.sources[i].text;
        at = stile_str_find_str(text, STILE_STR("- rule: SEN-SEX"));
        help_add(&other, "rules.yaml",
                 stile_arena_cstr(other.arena,
                                  stile_str_sub(text, at, text.len - at)));
        other.sources[i].text =
            stile_arena_printf(other.arena, "# a comment\n%.*s",
                               STILE_FMT(stile_str_sub(text, 0, at)));
        break;
    }
    second = digest_of(&other);
    cr_assert(stile_digest_eq(&first, &second));
    help_close(&other);
}

Test(govern_load, the_digest_changes_with_a_word_of_a_sentence)
{
    struct help_set other;
    struct stile_digest first = digest_of(&set), second;
    struct stile_source *source;
    size_t i, at;

    help_open(&other);
    for (i = 0; !stile_str_eqc(other.sources[i].name, "rules.yaml"); i++) {
    }
    source = &other.sources[i];
    at = stile_str_find_str(source->text, STILE_STR("short referral"));
    source->text =
        stile_arena_printf(other.arena, "%.*sbrief%.*s",
                           STILE_FMT(stile_str_sub(source->text, 0, at)),
                           STILE_FMT(stile_str_sub(source->text, at + 5,
                                                   source->text.len - at - 5)));
    second = digest_of(&other);
    cr_assert_not(stile_digest_eq(&first, &second));
    help_close(&other);
}

Test(govern_load, the_digest_changes_with_a_code)
{
    struct help_set other;
    struct stile_digest first = digest_of(&set), second;

    help_open(&other);
    help_replace(&other, "labels/self-harm.csv",
                 "system,code,display,source\ndemo,OTHER,x,y\n");
    second = digest_of(&other);
    cr_assert_not(stile_digest_eq(&first, &second));
    help_close(&other);
}

static const char *const trust =
    "{\"sender\":\"%s\",\"recipient\":\"RZ9\",\"kind\":\"%s\",\"purpose\":"
    "\"%s\",\"agreement\":\"%s\",\"family\":\"emis\",\"today\":\"%s\","
    "\"facts\":{\"referral-open\":\"yes\"},\"resources\":[{\"resourceType\":"
    "\"Patient\",\"id\":\"p\",\"name\":[{\"family\":\"X\"}]}]}";

static enum stile_outcome ask(const char *sender, const char *kind,
                              const char *purpose, const char *agreement,
                              const char *today)
{
    struct help_case made;

    help_decide(&set,
                stile_arena_cstr(set.arena, stile_arena_printf(
                                                set.arena, trust, sender, kind,
                                                purpose, agreement, today)),
                &made);
    return made.decision->outcome;
}

Test(govern_load, a_share_lives_from_the_first_day_to_the_last)
{
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(
        ask("A99901", "trust", "individual-care", "DSA-2026-001", "2026-03-31"),
        STILE_OUTCOME_WITHHOLD);
    cr_assert_eq(
        ask("A99901", "trust", "individual-care", "DSA-2026-001", "2026-04-01"),
        STILE_OUTCOME_RELEASE);
    cr_assert_eq(
        ask("A99901", "trust", "individual-care", "DSA-2026-001", "2027-03-31"),
        STILE_OUTCOME_RELEASE);
    cr_assert_eq(
        ask("A99901", "trust", "individual-care", "DSA-2026-001", "2027-04-01"),
        STILE_OUTCOME_WITHHOLD);
}

Test(govern_load, parties_purpose_and_agreement_must_all_be_right)
{
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(
        ask("A99902", "trust", "individual-care", "DSA-2026-001", "2026-11-21"),
        STILE_OUTCOME_WITHHOLD);
    cr_assert_eq(
        ask("A99901", "icb", "individual-care", "DSA-2026-001", "2026-11-21"),
        STILE_OUTCOME_WITHHOLD);
    cr_assert_eq(
        ask("A99901", "trust", "research", "DSA-2026-001", "2026-11-21"),
        STILE_OUTCOME_WITHHOLD);
    cr_assert_eq(
        ask("A99901", "trust", "individual-care", "DSA-2026-002", "2026-11-21"),
        STILE_OUTCOME_WITHHOLD);
    cr_assert_eq(
        ask("A99901", "trust", "anything", "DSA-2026-001", "2026-11-21"),
        STILE_OUTCOME_WITHHOLD);
}

Test(govern_load, a_text_shows_as_what_it_is)
{
    static const char *const bad[] = {"\x1b[2K",     "a\nb",         "\x7f",
                                      "\xc2\x9b",    "\xe2\x80\xae", "\xd8\x9c",
                                      "\xe2\x81\xa6"};
    static const char *const good[] = {"caf\xc3\xa9", "\xc2\xa0",
                                       "\xe2\x80\x93", "\xe2\x82\xac"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct stile_arena *arena = stile_arena_new(1 << 22);
        struct stile_diags diags;
        struct stile_buf text;
        struct stile_source source = {STILE_STR("agreements.yaml"),
                                      STILE_STR_NULL};
        struct stile_rules_input input = {STILE_RULES_AGREEMENTS, &source};
        struct stile_rules *rules = NULL;

        stile_diags_init(&diags, arena, 0);
        stile_buf_init(&text, 4096);
        stile_buf_addc(&text, "- title: ");
        stile_buf_json_str(&text, stile_str_cstr(bad[i]));
        source.text = stile_buf_str(&text);
        cr_assert_eq(stile_rules_load(&input, 1,
                                      (struct stile_date){2026, 5, 1}, arena,
                                      &diags, &rules),
                     STILE_INVALID);
        cr_assert(strcmp(diags.items[0].code, "R114") == 0 ||
                      diags.items[0].code[0] == 'Y',
                  "%zu", i);
        stile_buf_release(&text);
        stile_arena_free(&arena);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct stile_arena *arena = stile_arena_new(1 << 22);
        struct stile_diags diags;
        struct stile_buf text;
        struct stile_source source = {STILE_STR("agreements.yaml"),
                                      STILE_STR_NULL};
        struct stile_rules_input input = {STILE_RULES_AGREEMENTS, &source};
        struct stile_rules *rules = NULL;

        stile_diags_init(&diags, arena, 0);
        stile_buf_init(&text, 4096);
        stile_buf_addc(&text, "- title: ");
        stile_buf_json_str(&text, stile_str_cstr(good[i]));
        source.text = stile_buf_str(&text);
        cr_assert_eq(stile_rules_load(&input, 1,
                                      (struct stile_date){2026, 5, 1}, arena,
                                      &diags, &rules),
                     STILE_INVALID);
        cr_assert_str_eq(diags.items[0].code, "R106", "%zu", i);
        stile_buf_release(&text);
        stile_arena_free(&arena);
    }
}
