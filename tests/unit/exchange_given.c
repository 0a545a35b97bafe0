/* Files of facts that officers give: what is taken, what is refused, and that
 * no finding says what stood there. */
#include <criterion/criterion.h>

#include "unit/exchange_world.h"

#define HEAD "nhs_number,fact,value,recipient,date,from,until,source\n"
#define GOOD "9990000018,national-opt-out,no,,2026-11-20,,,NDO check week 47\n"

static struct world w;
static struct stile_given given;
static struct stile_buf said;

static void open_set(void)
{
    world_open(&w, "RZ9", "trust");
    stile_buf_init(&said, 1u << 20);
}

static void close_set(void)
{
    stile_buf_release(&said);
    world_close(&w);
}

TestSuite(exchange_given, .init = open_set, .fini = close_set);

static enum stile_status read_up_to(const char *text, uint64_t rows_max)
{
    struct stile_source file = {STILE_STR("facts.csv"), stile_str_cstr(text)};
    struct stile_diags diags;
    given = (struct stile_given){.rows_max = rows_max};
    cr_assert(stile_time_parse(STILE_STR("2026-11-21T12:00:00Z"), &given.now));
    stile_diags_init(&diags, w.arena, 0);
    enum stile_status status =
        stile_facts_read(w.plan.rules, &file, w.arena, &diags, &given);
    stile_buf_clear(&said);
    stile_diags_print(&diags, false, &said);
    return status;
}

static bool says(const char *text)
{
    return stile_str_find_str(stile_buf_str(&said), stile_str_cstr(text)) !=
           SIZE_MAX;
}

Test(exchange_given, a_good_file_is_taken_whole)
{
    cr_assert_eq(
        read_up_to(HEAD GOOD
                   "9990000026,consent-to-this-recipient,yes,VCS07,2026-11-01,"
                   "2026-11-01,2027-10-31,paper form\r\n"
                   "9990000018,spine-sensitive,no,,2026-11-21,,,PDS\n",
                   10),
        STILE_OK, "%.*s", STILE_FMT(stile_buf_str(&said)));
    cr_assert_eq(given.rows, 3);
    cr_assert_eq(given.count, 3);
    cr_assert_eq(given.bad, 0);
    cr_assert_eq(given.person_count, 2);
    const struct stile_stored_fact *fact = &given.facts[2];
    cr_assert(stile_str_eqc(fact->person, "9990000026"));
    cr_assert(stile_str_eqc(fact->name, "consent-to-this-recipient"));
    cr_assert(stile_str_eqc(fact->recipient, "VCS07"));
    cr_assert(stile_str_eqc(fact->source, "given|paper form"));
    cr_assert_eq(fact->value, STILE_YES);
    cr_assert(stile_stored_fact_at(fact, given.now).value == STILE_YES);
    stile_time last = 0;
    cr_assert(stile_time_parse(STILE_STR("2027-11-01T00:00:00Z"), &last));
    cr_assert_eq(fact->until, last);
    cr_assert_eq(given.facts[0].until, 0);
}

Test(exchange_given, rows_at_the_limit_and_one_past_it)
{
    const char *two = HEAD GOOD
        "9990000026,national-opt-out,no,,2026-11-20,,,NDO check week 47\n";
    cr_assert_eq(read_up_to(two, 2), STILE_OK);
    cr_assert_eq(read_up_to(two, 1), STILE_LIMIT);
    cr_assert(says("error[P110]"));
    cr_assert(says("row 3"));
}

/* The wrong row has its code and column said, and nothing that stood in it;
 * the good one is still told, for whoever wants it. */
static void refused(const char *row, const char *code, const char *place)
{
    struct stile_str text = stile_arena_printf(w.arena, HEAD GOOD "%s\n", row);
    struct stile_str rest = stile_str_cstr(row), cell;
    cr_assert_eq(read_up_to(stile_arena_cstr(w.arena, text), 10), STILE_INVALID,
                 "%s", row);
    cr_assert(says(code), "%s: %.*s", row, STILE_FMT(stile_buf_str(&said)));
    cr_assert(says(place), "%s: %.*s", row, STILE_FMT(stile_buf_str(&said)));
    cr_assert(says("row 3"), "%s: %.*s", row, STILE_FMT(stile_buf_str(&said)));
    cr_assert_eq(given.bad, 1);
    cr_assert_eq(given.count, 1);
    for (size_t i = 0; stile_str_next(&rest, ',', &cell); i++) {
        /* The second is a word of the vocabulary, and may be hinted at. */
        cr_assert(i == 1 || cell.len < 8 ||
                      !says(stile_arena_cstr(w.arena, cell)),
                  "%s: %.*s", row, STILE_FMT(stile_buf_str(&said)));
    }
}

Test(exchange_given, a_number_may_have_spaces)
{
    cr_assert_eq(
        read_up_to(HEAD "999 000 0018,national-opt-out,no,,2026-11-20,,,NDO\n",
                   10),
        STILE_OK, "%.*s", STILE_FMT(stile_buf_str(&said)));
    cr_assert(stile_str_eqc(given.facts[0].person, "9990000018"));
    refused("999 000 00180,national-opt-out,no,,2026-11-20,,,NDO", "[P101]",
            "nhs_number");
}

Test(exchange_given, a_refusal_to_nobody_is_refused)
{
    refused("9990000026,consent-to-this-recipient,no,VCS08X,2026-11-20,,,NDO",
            "[P115]", "recipient");
    cr_assert(says("did you mean 'VCS0"));
}

Test(exchange_given, semicolons_are_named)
{
    cr_assert_eq(read_up_to("nhs_number;fact;value;recipient;date;from;until;"
                            "source\n",
                            10),
                 STILE_INVALID);
    cr_assert(says("[P100]"));
    cr_assert(says("semicolons"));
}

Test(exchange_given, wrong_rows_are_named_without_what_they_say)
{
    refused("9990000019,national-opt-out,no,,2026-11-20,,,NDO", "[P101]",
            "nhs_number");
    refused("999000001,national-opt-out,no,,2026-11-20,,,NDO", "[P101]",
            "nhs_number");
    refused("9990000026,nationl-opt-outs,no,,2026-11-20,,,NDO", "[P102]",
            "did you mean 'national-opt-out'?");
    refused("9990000026,national-opt-out,NO WAY AT ALL,,2026-11-20,,,NDO",
            "[P103]", "value");
    refused("9990000026,care-relationship,yes,not an ods,2026-11-20,,,x",
            "[P104]", "recipient");
    refused("9990000026,national-opt-out,no,,20-11-2026,,,NDO", "[P105]",
            "date");
    refused("9990000026,national-opt-out,no,,,,,NDO", "[P105]", "date");
    refused("9990000026,national-opt-out,no,,2026-11-20,2026-11-31,,NDO",
            "[P105]", "from");
    refused("9990000026,national-opt-out,no,,2026-11-22,,,NDO", "[P106]",
            "date");
    refused("9990000026,national-opt-out,no,,2026-11-20,2026-11-20,2026-11-19"
            ",NDO",
            "[P107]", "until");
    refused("9990000026,national-opt-out,no,,2026-11-20,,,", "[P108]",
            "source");
    refused("9990000026,national-opt-out,no,,2026-11-20,,,for 999 000 0018",
            "[P108]", "source");
    refused("9990000026,national-opt-out,no,,2026-11-20,,,Bob's (form)",
            "[P108]", "source");
    refused("9990000026,national-opt-out,no", "[V107]", "row 3");
}

Test(exchange_given, which_words_may_be_given)
{
    refused("9990000026,break-glass,yes,RZ9,2026-11-20,,,x", "[P111]",
            "the glass is broken with 'stile facts break-glass' alone");
    refused("9990000026,consent-to-this-item,yes,RZ9,2026-11-20,,,x", "[P112]",
            "the record itself says this");
    refused("9990000026,under-16,no,,2026-11-20,,,x", "[P112]",
            "the record itself says this");
    refused("9990000026,national-opt-out,no,RZ9,2026-11-20,,,x", "[P113]",
            "leave the recipient empty");
    refused("9990000026,consent-to-this-recipient,yes,,2026-11-20,,,x",
            "[P114]", "a yes must name its recipient");
    cr_assert_eq(
        read_up_to(HEAD
                   "9990000026,consent-to-this-recipient,no,,2026-11-20,,,x\n"
                   "9990000026,consent-to-share,yes,,2026-11-20,,,x\n",
                   10),
        STILE_OK, "a refusal of all, and a yes to everyone");
}

Test(exchange_given, one_source_says_one_thing_once)
{
    cr_assert_eq(
        read_up_to(HEAD GOOD
                   "9990000018,national-opt-out,yes,,2026-11-19,,,NDO check "
                   "week 47\n",
                   10),
        STILE_INVALID);
    cr_assert(says("error[P109]"));
    cr_assert_eq(given.count, 1);
    cr_assert_eq(given.bad, 1);
}

/* Who takes the good rows alone keeps the refusal, wherever it stands. */
Test(exchange_given, of_two_words_the_one_that_keeps_back_is_kept)
{
#define SAYS(value, day)                                                       \
    "9990000018,consent-to-this-recipient," value ",RZ9,2026-11-" day          \
    ",,,paper form\n"
    static const struct {
        const char *text;
        size_t count, bad;
    } cases[] = {
        {HEAD SAYS("yes", "18") SAYS("no", "19"), 1, 1},
        {HEAD SAYS("no", "18") SAYS("yes", "19"), 1, 1},
        {HEAD SAYS("yes", "17") SAYS("unknown", "18") SAYS("no", "19"), 1, 2},
        {HEAD SAYS("yes", "18") SAYS("yes", "19"), 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(read_up_to(cases[i].text, 10), STILE_INVALID);
        cr_assert_eq(given.count, cases[i].count, "case %zu", i);
        cr_assert_eq(given.bad, cases[i].bad, "case %zu", i);
        cr_assert(given.count == 0 || given.facts[0].value == (int)STILE_NO);
    }
}

Test(exchange_given, a_claim_is_not_denied)
{
    cr_assert_eq(
        read_up_to(HEAD "9990000018,self-claimed,no,,2026-11-19,,,desk\n", 10),
        STILE_INVALID);
    cr_assert(says("error[P116]"));
}

Test(exchange_given, source_at_its_limit_and_one_past_it)
{
    char row[400], source[102];
    memset(source, 'a', sizeof source);
    source[101] = '\0';
    (void)snprintf(row, sizeof row,
                   "9990000026,national-opt-out,no,,2026-11-20,,,%s", source);
    refused(row, "[P108]", "source");
    source[100] = '\0';
    (void)snprintf(row, sizeof row,
                   HEAD "9990000026,national-opt-out,no,,2026-11-20,,,%s\n",
                   source);
    cr_assert_eq(read_up_to(row, 10), STILE_OK);
}

Test(exchange_given, another_header_is_another_file)
{
    cr_assert_eq(read_up_to("nhs,fact\n9990000018,x\n", 10), STILE_INVALID);
    cr_assert(says("error[P100]"));
    cr_assert_eq(read_up_to("", 10), STILE_INVALID);
    cr_assert(says("error[P100]"));
    cr_assert_eq(given.count, 0);
    cr_assert_eq(read_up_to(HEAD, 10), STILE_OK);
    cr_assert_eq(given.count, 0);
}
