/* stile: one binary, one table of commands. */
#include "cli.h"

static const struct cli_command *const commands[] = {
    &stile__cmd_run,
    &stile__cmd_check,
    &stile__cmd_translate,
    &stile__cmd_explain,
    &stile__cmd_audit_verify,
    &stile__cmd_audit_show,
    &stile__cmd_rules_read,
    &stile__cmd_rules_check,
    &stile__cmd_rules_test,
    &stile__cmd_rules_who_sees,
    &stile__cmd_rules_receives,
    &stile__cmd_rules_diff,
    &stile__cmd_rules_simulate,
    &stile__cmd_rules_use,
    &stile__cmd_rules_calendar,
    &stile__cmd_rules_schema,
    &stile__cmd_outbox_list,
    &stile__cmd_outbox_retry,
    &stile__cmd_outbox_withdraw,
    &stile__cmd_review_list,
    &stile__cmd_review_show,
    &stile__cmd_review_release,
    &stile__cmd_review_refuse,
    &stile__cmd_quarantine_list,
    &stile__cmd_map_list,
    &stile__cmd_map_dis,
    &stile__cmd_map_check,
    &stile__cmd_map_fmt,
    &stile__cmd_map_test,
    &stile__cmd_map_import,
    &stile__cmd_map_export,
    &stile__cmd_map_tree,
    &stile__cmd_map_diff,
    &stile__cmd_map_coverage,
    &stile__cmd_map_right,
    &stile__cmd_map_left,
    &stile__cmd_fhirpath,
    &stile__cmd_health,
    &stile__cmd_synth_emis,
    &stile__cmd_synth_systmone,
    &stile__cmd_synth_vcse,
    &stile__cmd_officer_key,
    &stile__cmd_facts_import,
    &stile__cmd_facts_break_glass,
    &stile__cmd_facts,
};

int main(int argc, char **argv)
{
    stile_format_setup();
    return stile__cli_main(commands, sizeof(commands) / sizeof(commands[0]),
                           argc, argv);
}
