/* The analyses of the shipped rules. */
#include "unit/govern_help.h"

#include <criterion/criterion.h>

static struct help_set set;
static struct stile_buf said;
static const struct stile_date day = {2026, 11, 21};

static void open_set(void)
{
    help_open(&set);
    cr_assert_eq(help_load(&set), STILE_OK);
    stile_buf_init(&said, 1u << 22);
}

static void close_set(void)
{
    stile_buf_release(&said);
    help_close(&set);
}

TestSuite(govern_analyse, .init = open_set, .fini = close_set);

static const struct stile_value *flows(const char *recipient, const char *data,
                                       const char *label)
{
    struct stile_flow_query query = {stile_str_cstr(recipient),
                                     stile_str_cstr(data),
                                     stile_str_cstr(label)};
    struct stile_value *report = NULL;

    cr_assert_eq(
        stile_rules_flows(set.rules, &query, day, set.arena, &report),
        STILE_OK);
    stile_rules_flows_print(report, &said);
    return stile_value_getc(report, "flows");
}

Test(govern_analyse, who_sees)
{
    flows("", "nhs-number", "");
    flows("VCS07", "", "");
    flows("", "", "sexual-health");
    flows("", "", "self-harm");
    flows("", "", "");
    cr_log_warn("%.*s", STILE_FMT(stile_buf_str(&said)));
}

Test(govern_analyse, check)
{
    struct stile_value *report = NULL;

    cr_assert_eq(stile_rules_analyse(set.rules, day, set.arena, &report),
                 STILE_OK);
    stile_rules_analyse_print(report, true, &said);
    cr_assert_eq(stile_rules_calendar(set.rules, day, 90, set.arena, &report),
                 STILE_OK);
    stile_rules_calendar_print(report, &said);
    cr_log_warn("%.*s", STILE_FMT(stile_buf_str(&said)));
}
