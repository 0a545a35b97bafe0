#include "cli.h"
#include "synth.h"

static bool numbers(const struct cli_args *args, struct stile_synth_options *o)
{
    uint64_t patients;

    if (!stile__cli_number(args, "patients", 1, STILE_SYNTH_PATIENTS_MAX,
                           o->patients, &patients) ||
        !stile__cli_number(args, "seed", 0, INT64_MAX, o->seed, &o->seed)) {
        return false;
    }
    /* As in the standard practice: so many a patient. */
    if (!stile__cli_number(args, "observations", 0, 1000000000,
                           o->observations / o->patients * patients,
                           &o->observations)) {
        return false;
    }
    o->patients = (uint32_t)patients;
    return true;
}

static int run_with(const struct cli_args *args, struct stile_synth_options o,
                    int (*write)(const struct stile_synth_options *))
{
    o.folder = stile__cli_get(args, "out");
    if (!o.folder) {
        return stile__cli_usage(args, "it needs --out FOLDER");
    }
    if (stile__cli_has(args, "delta")) {
        o.kind = STILE_SYNTH_DELTA;
        o.stamp = "20260402040000"; /* the night after the bulk */
    }
    if (!numbers(args, &o)) {
        return CLI_USAGE;
    }
    if (stile__cli_has(args, "stamp")) {
        o.stamp = stile__cli_get(args, "stamp");
    }
    if (stile__cli_has(args, "until")) {
        o.until = stile__cli_get(args, "until");
    }
    return write(&o);
}

static int run_emis(const struct cli_args *args)
{
    struct stile_synth_options o;

    uint64_t batch;

    stile_synth_defaults(&o);
    if (!stile__cli_number(args, "batch", 1, UINT32_MAX,
                           stile__cli_has(args, "delta") ? 2 : 1, &batch)) {
        return CLI_USAGE;
    }
    o.batch = (uint32_t)batch;
    return run_with(args, o, stile_synth_emis);
}

static int run_systmone(const struct cli_args *args)
{
    struct stile_synth_options o;

    stile_synth_systmone_defaults(&o);
    o.normalised = stile__cli_has(args, "normalised");
    return run_with(args, o, stile_synth_systmone);
}

static int run_vcse(const struct cli_args *args)
{
    struct stile_synth_options o;
    uint64_t patients;

    stile_synth_vcse_defaults(&o);
    o.folder = stile__cli_get(args, "out");
    if (!o.folder) {
        return stile__cli_usage(args, "it needs --out FOLDER");
    }
    if (!stile__cli_number(args, "patients", 1, STILE_SYNTH_PATIENTS_MAX,
                           o.patients, &patients) ||
        !stile__cli_number(args, "seed", 0, INT64_MAX, o.seed, &o.seed)) {
        return CLI_USAGE;
    }
    o.patients = (uint32_t)patients;
    if (stile__cli_has(args, "until")) {
        o.until = stile__cli_get(args, "until");
    }
    return stile_synth_vcse(&o);
}

static const struct cli_option options[] = {
    {"out", 'o', "FOLDER", "where the files go; it must exist"},
    {"patients", 'n', "N", "how many patients, 200"},
    {"observations", 0, "N", "how many observations, twelve a patient"},
    {"seed", 's', "N", "what everything is drawn from"},
    {"delta", 0, NULL, "the day after the bulk of the same seed"},
    {"batch", 0, "N", "the number in the file names"},
    {"stamp", 0, "TIME", "yyyyMMddHHmmss, the time in the file names"},
    {"until", 0, "DATE", "yyyy-MM-dd, the last day of the data"},
};

const struct cli_command stile__cmd_synth_emis = {
    "synth emis",
    "",
    0,
    0,
    "invent a practice's export, to try things on",
    "Writes the CSV files of an EMIS Web extract about people who do not\n"
    "exist: NHS numbers from the 999 range, postcodes from ZZ99. The same "
    "seed\n"
    "gives the same bytes. --delta writes what would have changed the day "
    "after.\n\n"
    "  mkdir export && stile synth emis --out export --patients 50\n"
    "  stile synth emis --out export --patients 50 --delta\n\n"
    "exit: 0 written; 1 a file could not be written; 2 wrong command line",
    CLI_OPTIONS(options),
    run_emis};

static const struct cli_option systmone_options[] = {
    {"out", 'o', "FOLDER", "where the download's folder goes; it must exist"},
    {"patients", 'n', "N", "how many patients, 60"},
    {"observations", 0, "N", "how many coded entries, six a patient"},
    {"seed", 's', "N", "what everything is drawn from"},
    {"delta", 0, NULL, "the day after the full download of the same seed"},
    {"normalised", 0, NULL, "lists as rows of SRMapping, not as words"},
    {"stamp", 0, "TIME", "yyyyMMddHHmmss, the time the folder is named by"},
    {"until", 0, "DATE", "yyyy-MM-dd, the last day of the data"},
};

const struct cli_command stile__cmd_synth_systmone = {
    "synth systmone",
    "",
    0,
    0,
    "invent a practice's SystmOne download",
    "Writes a download of a SystmOne Strategic Reporting extract about people\n"
    "who do not exist, as a folder yyyyMMdd_HHmm with SRManifest.csv: NHS\n"
    "numbers from the 999 range, postcodes from ZZ99. The same seed gives the\n"
    "same bytes. --delta writes what would have changed the day after.\n\n"
    "  mkdir s1 && stile synth systmone --out s1\n"
    "  stile synth systmone --out s1 --delta\n\n"
    "exit: 0 written; 1 a file could not be written; 2 wrong command line",
    CLI_OPTIONS(systmone_options),
    run_systmone};

static const struct cli_option vcse_options[] = {
    {"out", 'o', "FOLDER", "where the files go; it must exist"},
    {"patients", 'n', "N", "how many documents, and rows of the sheet, 20"},
    {"seed", 's', "N", "what everything is drawn from"},
    {"until", 0, "DATE", "yyyy-MM-dd, the last day of the data"},
};

const struct cli_command stile__cmd_synth_vcse = {
    "synth vcse",
    "",
    0,
    0,
    "invent a charity's case files",
    "Writes case files about people who do not exist: a JSON document a case,\n"
    "as vcse-case/0.1 has it, and the one-sheet form cases.csv. The same seed\n"
    "gives the same bytes.\n\n"
    "  stile synth vcse --out cases --patients 5\n\n"
    "exit: 0 written; 1 a file could not be written; 2 wrong command line",
    CLI_OPTIONS(vcse_options),
    run_vcse};
