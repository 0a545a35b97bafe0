/* facts import, facts break-glass: what an officer says of persons. */
#include "facts.h"

#define IMPORT_BYTES_MAX ((size_t)64 << 20)
/* Persons of one entry: each is 64 digits, and an entry ends at 64 KiB. */
#define ENTRY_PERSONS_MAX 500u

/* ---- facts import
 * ------------------------------------------------------------------------ */

struct importing {
    struct facts_run run;
    struct stile_source file;
    struct stile_given given;
    struct stile_str digest; /* of the file, hex */
    struct stile_str *entries;
    size_t entry_count;
};

static void put_number(struct stile_arena *arena, struct stile_value *object,
                       const char *name, uint64_t number)
{
    (void)stile_value_set(
        object, stile_str_cstr(name),
        stile_value_number(
            arena,
            stile_arena_printf(arena, "%llu", (unsigned long long)number)));
}

/* How often each fact is given, by name. */
static void put_facts(const struct importing *im, struct stile_value *entry)
{
    struct stile_arena *arena = im->run.arena;
    struct stile_value *facts =
        stile_value_set_new(arena, entry, "facts", STILE_OBJECT);
    struct stile_str *words = NULL;
    size_t count = 0;

    if (stile_rules_words(im->run.rules, STILE_RULES_WORDS_FACTS, arena, &words,
                          &count) != STILE_OK) {
        return;
    }
    for (size_t w = 0; w < count; w++) {
        uint64_t said = 0;

        for (size_t i = 0; i < im->given.count; i++) {
            said += stile_str_eq(im->given.facts[i].name, words[w]);
        }
        if (said > 0) {
            put_number(arena, facts, stile_arena_cstr(arena, words[w]), said);
        }
    }
}

static struct stile_str entry_of_persons(const struct importing *im,
                                         const struct stile_act *act,
                                         size_t from)
{
    struct stile_arena *arena = im->run.arena;
    struct stile_value *more = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *list;

    (void)stile_value_set_str(arena, more, "file-sha256", im->digest);
    put_number(arena, more, "part", from / ENTRY_PERSONS_MAX + 1);
    list = stile_value_set_new(arena, more, "persons", STILE_ARRAY);
    for (size_t i = from;
         i < im->given.person_count && i < from + ENTRY_PERSONS_MAX; i++) {
        (void)stile_value_push(
            list,
            stile_value_string(
                arena, stile__facts_person(&im->run, im->given.persons[i])));
    }
    return stile_entry_act(&im->run.house, "facts-given-persons", act, more,
                           arena);
}

static bool make_entries(struct importing *im, const struct stile_act *act)
{
    struct stile_arena *arena = im->run.arena;
    struct stile_value *more = stile_value_new(arena, STILE_OBJECT);
    size_t parts =
        (im->given.person_count + ENTRY_PERSONS_MAX - 1) / ENTRY_PERSONS_MAX;
    bool good;

    im->entries = stile_arena_array(arena, parts + 1, sizeof(*im->entries));
    if (!im->entries) {
        return false;
    }
    (void)stile_value_set_str(arena, more, "file-sha256", im->digest);
    put_number(arena, more, "rows", im->given.rows);
    put_number(arena, more, "rows-left-out", im->given.bad);
    put_number(arena, more, "persons", im->given.person_count);
    put_number(arena, more, "parts", parts);
    put_facts(im, more);
    im->entries[im->entry_count++] =
        stile_entry_act(&im->run.house, "facts-given", act, more, arena);
    for (size_t i = 0; i < parts; i++) {
        im->entries[im->entry_count++] =
            entry_of_persons(im, act, i * ENTRY_PERSONS_MAX);
    }
    good = !stile_arena_failed(arena);
    for (size_t i = 0; i < im->entry_count; i++) {
        good = good && im->entries[i].len > 0;
    }
    return good;
}

static bool read_file(struct importing *im)
{
    const char *path = im->run.args->words[0];
    struct stile_diags diags;
    struct stile_digest digest;
    char hex[65];
    enum stile_status status;

    if (!stile__cli_read(path, IMPORT_BYTES_MAX, im->run.arena,
                         &im->file.text)) {
        return false;
    }
    stile_sha256(im->file.text, &digest);
    stile_digest_hex(&digest, hex);
    im->digest = stile_arena_str(im->run.arena, stile_str_cstr(hex));
    im->file.name = stile_str_cstr(path);
    im->given.rows_max = STILE_GIVEN_ROWS_MAX;
    im->given.now = stile_now();
    stile_diags_init(&diags, im->run.arena, 0);
    status = stile_facts_read(im->run.rules, &im->file, im->run.arena, &diags,
                              &im->given);
    (void)!stile__cli_diags(stderr, &diags);
    if (status == STILE_INVALID && im->given.count > 0 &&
        stile__cli_has(im->run.args, "skip-bad")) {
        return true;
    }
    if (status != STILE_OK) {
        stile__cli_say("nothing of the file was taken: %s",
                       stile_status_text(status));
    } else if (im->given.count == 0) {
        stile__cli_say("the file has no rows");
        return false;
    }
    return status == STILE_OK;
}

static int import(struct importing *im)
{
    struct stile_act act;
    int result;

    if (!read_file(im)) {
        return CLI_FAILED;
    }
    result = stile__cli_sign(
        im->run.args, im->run.officers, STILE_MAY_GIVE_FACTS, "give-facts",
        stile_arena_printf(im->run.arena, "sha256:%.*s", STILE_FMT(im->digest)),
        im->run.arena, &act);
    if (result != CLI_OK) {
        return result;
    }
    if (!make_entries(im, &act)) {
        stile__cli_say("nothing was taken: the audit entries could not be "
                       "made; cut the file into several");
        return CLI_FAILED;
    }
    if (!stile__facts_accept(&im->run, im->entries, im->entry_count,
                             im->given.facts, im->given.count)) {
        return CLI_FAILED;
    }
    stile__cli_plural(&im->run.out, im->given.count, "fact", "facts");
    stile_buf_addc(&im->run.out, " about ");
    stile__cli_plural(&im->run.out, im->given.person_count, "person",
                      "persons");
    stile_buf_addc(&im->run.out, " taken");
    if (im->given.bad > 0) {
        stile_buf_addc(&im->run.out, "; ");
        stile__cli_plural(&im->run.out, im->given.bad, "row", "rows");
        stile_buf_addc(&im->run.out, " left out");
    }
    stile_buf_addc(&im->run.out,
                   "; what waits for them is decided again before it goes\n");
    return im->given.bad > 0 ? CLI_FAILED : CLI_OK;
}

static int run_import(const struct cli_args *args)
{
    struct importing im = {0};
    int result = stile__facts_open(args, &im.run);

    if (result == CLI_OK) {
        result = import(&im);
    }
    if (result == CLI_FAILED && im.run.out.len > 0 &&
        !stile__cli_write(stdout, &im.run.out)) {
        result = CLI_FAILED;
    }
    return stile__facts_close(&im.run, result);
}

/* ---- facts break-glass
 * ------------------------------------------------------------------------ */

struct breaking {
    struct facts_run run;
    struct stile_glass glass;
    struct stile_str number, person;
    uint32_t hours;
};

static struct stile_str option(const struct cli_args *args, const char *name)
{
    return stile__cli_has(args, name)
               ? stile_str_cstr(stile__cli_get(args, name))
               : STILE_STR_NULL;
}

static struct stile_str entry_of_glass(const struct breaking *b,
                                       const struct stile_act *act,
                                       stile_time until)
{
    struct stile_arena *arena = b->run.arena;
    struct stile_value *more = stile_value_new(arena, STILE_OBJECT);
    struct stile_value *list;
    char time[25];
    size_t len = stile_time_format(until, time);

    (void)stile_value_set_str(arena, more, "person", b->person);
    (void)stile_value_set_str(arena, more, "to-ods", b->glass.recipient);
    (void)stile_value_set_str(arena, more, "agreement", b->glass.agreement);
    (void)stile_value_set_str(arena, more, "reason", b->glass.reason);
    (void)stile_value_set_str(
        arena, more, "until",
        stile_arena_str(arena, (struct stile_str){time, len}));
    list = stile_value_set_new(arena, more, "notify", STILE_ARRAY);
    (void)stile_value_push(
        list, stile_value_string(arena, STILE_STR("privacy-officer")));
    return stile_entry_act(&b->run.house, "break-glass", act, more, arena);
}

static int keep_glass(struct breaking *b, const struct stile_act *act)
{
    struct stile_arena *arena = b->run.arena;
    struct stile_stored_fact fact = {
        .person = b->number,
        .name = STILE_STR("break-glass"),
        .recipient = b->glass.recipient,
        .source = stile_arena_printf(arena, STILE_GLASS_SOURCE "%.*s|%.*s|%.*s",
                                     STILE_FMT(b->glass.agreement),
                                     STILE_FMT(b->glass.reason),
                                     STILE_FMT(act->officer)),
        .value = STILE_YES,
        .date = act->at,
        .from = act->at,
        .until = act->at + (stile_time)b->hours * 3600 * STILE_SECOND};
    struct stile_str entry = entry_of_glass(b, act, fact.until);
    char time[25];

    if (!entry.len || stile_arena_failed(arena)) {
        stile__cli_say("nothing was done: the audit entry could not be made");
        return CLI_FAILED;
    }
    if (!stile__facts_accept(&b->run, &entry, 1, &fact, 1)) {
        return CLI_FAILED;
    }
    stile_buf_printf(&b->run.out,
                     "the glass is broken for %.*s under %.*s until %.*s; the "
                     "privacy officer sees it in 'stile audit show --notify'\n",
                     STILE_FMT(b->glass.recipient),
                     STILE_FMT(b->glass.agreement),
                     (int)stile_time_format(fact.until, time), time);
    return CLI_OK;
}

static int break_glass(struct breaking *b)
{
    const struct cli_args *args = b->run.args;
    const char *error = "";
    struct stile_act act;
    int result;

    b->glass =
        (struct stile_glass){option(args, "agreement"), b->run.config->ods,
                             option(args, "recipient"), option(args, "reason")};
    if (stile_rules_break_glass(b->run.rules, &b->glass, &b->hours, &error) !=
        STILE_OK) {
        stile__cli_say("the glass is not broken: %s", error);
        return CLI_FAILED;
    }
    if (!stile__facts_number(&b->run, args->words[0], &b->number)) {
        return CLI_FAILED;
    }
    b->person = stile__facts_person(&b->run, b->number);
    result = stile__cli_sign(
        args, b->run.officers, STILE_MAY_BREAK_GLASS, "break-glass",
        stile_arena_printf(b->run.arena, "%.*s %.*s %.*s %.*s",
                           STILE_FMT(b->person), STILE_FMT(b->glass.recipient),
                           STILE_FMT(b->glass.agreement),
                           STILE_FMT(b->glass.reason)),
        b->run.arena, &act);
    return result == CLI_OK ? keep_glass(b, &act) : result;
}

static int run_break_glass(const struct cli_args *args)
{
    struct breaking b = {0};
    int result;

    if (!stile__cli_has(args, "recipient") ||
        !stile__cli_has(args, "agreement") || !stile__cli_has(args, "reason")) {
        return stile__cli_usage(
            args, "it needs --recipient ODS --agreement ID --reason WORD");
    }
    result = stile__facts_open(args, &b.run);
    if (result == CLI_OK) {
        result = break_glass(&b);
    }
    return stile__facts_close(&b.run, result);
}

static const struct cli_option import_options[] = {
    CLI_CONFIG_OPTION,
    {"skip-bad", 0, NULL, "take the good rows although others are wrong"},
    CLI_OFFICER_OPTIONS,
};

static const struct cli_option glass_options[] = {
    CLI_CONFIG_OPTION,
    {"recipient", 0, "ODS", "to whom it opens"},
    {"agreement", 0, "ID", "the agreement that allows it"},
    {"reason", 0, "WORD", "a reason the agreement names, as risk-to-life"},
    CLI_OFFICER_OPTIONS,
};

const struct cli_command stile__cmd_facts_import = {
    "facts import",
    "FILE.csv",
    1,
    1,
    "take facts about persons from a file",
    "Reads a CSV file with the header\n\n"
    "  nhs_number,fact,value,recipient,date,from,until,source\n\n"
    "and keeps what it says: answers of the national opt-out check, PDS\n"
    "marks, consents taken on paper. fact is a word of vocabulary.yaml that\n"
    "comes from the store; value is yes, no or unknown; date is the day it\n"
    "was said; from and until are the first and last day it holds, or empty.\n"
    "One wrong row, and nothing of the file is taken (but see --skip-bad);\n"
    "findings name row and column, never what stands there; rows count as in\n"
    "a spreadsheet, where the header is row 1. A recipient must be a party of\n"
    "an agreement. At most 100,000 rows. It needs an officer who may "
    "give-facts, and is entered in the\n"
    "audit log in the same transaction. What waits for one of the persons is\n"
    "decided again before it goes.\n\n"
    "  stile facts import optouts.csv -c stile.yaml --as ig-1 --key ig-1.key "
    "\\\n"
    "        --because 'weekly opt-out check'\n\n"
    "exit: 0 all taken; 1 nothing was, or with --skip-bad some rows were not;\n"
    "      2 wrong command line",
    CLI_OPTIONS(import_options),
    run_import};

const struct cli_command stile__cmd_facts_break_glass = {
    "facts break-glass",
    "NHS-NUMBER",
    1,
    1,
    "open an agreement's emergency door for one person",
    "Where an agreement of this organisation names break-glass, an officer\n"
    "who may break-glass records that it is broken: for one person, one\n"
    "recipient, one of the agreement's reasons and for its hours. A rule that\n"
    "needs break-glass then lets the person's data go. Guardrails stand all\n"
    "the same. The privacy officer is told, at once and of all that goes:\n"
    "'stile audit show --notify'. With '-' the number is read from standard\n"
    "input.\n\n"
    "  echo 9990000018 | stile facts break-glass - -c stile.yaml \\\n"
    "        --recipient RZ9 --agreement DSA-2026-008 --reason risk-to-life "
    "\\\n"
    "        --as sup-1 --key sup-1.key --because 'call 1142, ambulance "
    "called'\n\n"
    "exit: 0 broken; 1 not, and it has been said why; 2 wrong command line",
    CLI_OPTIONS(glass_options),
    run_break_glass};
