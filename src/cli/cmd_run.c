#include "cli.h"

static int run(const struct cli_args *args)
{
    struct stile_run_options options = {stile__cli_get(args, "config"),
                                        stile__cli_color(stderr)};

    if (!options.config_path) {
        return stile__cli_usage(args, "it needs -c stile.yaml");
    }
    return stile_gateway_run(&options);
}

static const struct cli_option options[] = {CLI_CONFIG_OPTION};

const struct cli_command stile__cmd_run = {
    "run",
    "",
    0,
    0,
    "run the gateway",
    "Runs the gateway until SIGTERM or SIGINT has drained it: takes messages\n"
    "over mutual TLS and from folders, decides by the rules what each partner\n"
    "may see, forwards it, and logs all of it. SIGHUP reads mappings, rules\n"
    "and certificates again; a wrong set never replaces the one in force. A\n"
    "change of stile.yaml needs a restart, which loses nothing.\n\n"
    "  stile run -c /etc/stile/stile.yaml\n\n"
    "exit: 0 drained; 2 the configuration is wrong (see 'stile check');\n"
    "      3 a port, the store or a certificate could not be had",
    CLI_OPTIONS(options),
    run};
