/* rules approve, rules rollback: an officer's word on a change of the rules. */
#include "cli_live.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPROVE_BYTES_MAX ((size_t)2 << 30)
#define FILE_BYTES_MAX ((size_t)4 << 20)

/* ---- what is approved ---- */

struct change {
    const struct cli_args *args;
    struct stile_arena *arena;
    struct stile_officers *officers;
    const char *folder; /* of the proposal */
    struct cli_shown shown;
    struct stile_rules_move move;
};

static bool load(struct change *change, const char *folder,
                 const struct stile_rules **ret)
{
    struct stile_diags diags;
    enum stile_status status;

    stile_diags_init(&diags, change->arena, 0);
    status = stile_rules_folder_load(folder, stile_today(), change->arena,
                                     &diags, ret);
    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("the rules in %s/rules cannot be approved: %s; mend "
                       "what is said above",
                       folder, stile_status_text(status));
    }
    return status == STILE_OK;
}

static bool officers_of(struct change *change, const char *path)
{
    struct stile_source *source =
        stile_arena_alloc(change->arena, sizeof(*source));
    struct stile_diags diags;

    stile_diags_init(&diags, change->arena, 0);
    if (!source ||
        !stile__cli_read(path, FILE_BYTES_MAX, change->arena, &source->text)) {
        return false;
    }
    source->name = stile_str_cstr(path);
    if (stile_officers_load(source, change->arena, &diags, &change->officers) !=
        STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("%s cannot be used", path);
        return false;
    }
    return true;
}

/* Two folders, on an officer's own machine. */
static int from_folders(struct change *change)
{
    const struct cli_args *args = change->args;
    bool first = stile__cli_has(args, "first");
    size_t new_at = first ? 0 : 1;
    enum stile_status status;

    if (!stile__cli_has(args, "officers")) {
        return stile__cli_usage(args, "it needs --officers FILE, or -c");
    }
    if (first ? args->word_count > 1 : args->word_count < 1) {
        return stile__cli_usage(args, "it needs OLD [NEW], or --first [NEW], "
                                      "or -c");
    }
    change->folder =
        args->word_count > new_at ? args->words[new_at] : "mappings";
    if (!officers_of(change, stile__cli_get(args, "officers")) ||
        (!first && !load(change, args->words[0], &change->shown.old)) ||
        !load(change, change->folder, &change->shown.new)) {
        return CLI_FAILED;
    }
    change->move.to = stile_rules_digest(change->shown.new);
    change->move.class = STILE_RULES_WIDER;
    if (first) {
        return CLI_OK;
    }
    change->move.from = stile_rules_digest(change->shown.old);
    if (stile_rules_step_read(args->words[0], change->arena,
                              &change->move.after) != STILE_OK) {
        stile__cli_say("%s does not say since which step its rules are in "
                       "force, and an approval is of one step. Next: stile "
                       "rules in-force -c stile.yaml --out FOLDER, and give "
                       "that FOLDER as OLD",
                       args->words[0]);
        return CLI_FAILED;
    }
    status =
        stile_rules_diff(change->shown.old, change->shown.new, stile_today(),
                         change->arena, &change->shown.report);
    if (status != STILE_OK ||
        !stile_rules_class_parse(
            stile_value_text(change->shown.report, "class"),
            &change->move.class)) {
        stile__cli_say("what changes cannot be told exactly, so it cannot be "
                       "approved: %s",
                       stile_status_text(status));
        return CLI_FAILED;
    }
    return CLI_OK;
}

/* What is in force in a gateway's store, and its folder. */
static int from_gateway(struct change *change)
{
    struct cli_live live;
    struct stile_rules_look look;
    int result = stile__live_open(change->args, false, &live);

    if (result == CLI_OK && (change->args->word_count > 0 ||
                             stile__cli_has(change->args, "officers") ||
                             stile__cli_has(change->args, "first"))) {
        result = stile__cli_usage(change->args,
                                  "-c names the folders and officers.yaml; "
                                  "give it alone");
    }
    if (result == CLI_OK && !stile__live_look(&live, NULL, &look)) {
        result = CLI_FAILED;
    }
    if (result == CLI_OK &&
        (look.state == STILE_RULES_UNUSABLE || !look.officers)) {
        (void)!stile__cli_diags(stderr, &live.diags);
        stile__cli_say("nothing can be approved: %.*s",
                       STILE_FMT(look.missing));
        result = CLI_FAILED;
    }
    if (result == CLI_OK) {
        /* the arena goes along with what lies in it */
        stile_arena_free(&change->arena);
        change->arena = live.arena;
        change->officers = look.officers;
        change->folder = live.config->mappings;
        change->move = look.move;
        change->shown = (struct cli_shown){.old = look.old,
                                           .new = look.new,
                                           .report = look.report,
                                           .in_force = look.in_force};
        live.arena = NULL;
    }
    return stile__live_close(&live, result);
}

/* ---- the file ---- */

/* Those that are of these rules stay, and another organisation's. */
static bool stays(const struct change *change,
                  const struct stile_approval *approval,
                  const struct stile_act *act)
{
    if (!stile_str_eq(approval->organisation, change->officers->organisation)) {
        return true;
    }
    return stile_digest_eq(&approval->move.to, &change->move.to) &&
           !(stile_str_eq(approval->act.officer, act->officer) &&
             stile_str_eq(approval->act.subject, act->subject));
}

static bool read_file(const char *path, struct change *change,
                      struct stile_approval **ret, size_t *ret_count)
{
    struct stile_source *source =
        stile_arena_alloc(change->arena, sizeof(*source));
    struct stile_diags diags;
    struct stile_str error;
    enum stile_status status;

    stile_diags_init(&diags, change->arena, 0);
    if (!source) {
        return false;
    }
    source->name = stile_str_cstr(path);
    status = stile_file_read(path, FILE_BYTES_MAX, change->arena, &source->text,
                             &error);
    if (status == STILE_NOT_FOUND) {
        return true;
    }
    if (status != STILE_OK) {
        stile__cli_say("%.*s", STILE_FMT(error));
        return false;
    }
    status =
        stile_approvals_load(source, change->arena, &diags, ret, ret_count);
    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("%s cannot be added to", path);
    }
    return status == STILE_OK;
}

/* Beside, then in its place: a reader sees the one or the other. */
static bool write_file(const char *path, struct stile_str text,
                       struct stile_arena *arena)
{
    const char *part = stile_arena_cstr(
        arena, stile_arena_printf(arena, "%s.%ld.part", path, (long)getpid()));
    int fd =
        part ? open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
    bool good = fd >= 0;

    while (good && text.len > 0) {
        ssize_t wrote = write(fd, text.ptr, text.len);

        good = wrote > 0;
        text = good ? stile_str_sub(text, (size_t)wrote, SIZE_MAX) : text;
    }
    good = good && fsync(fd) == 0;
    good = fd >= 0 && close(fd) == 0 && good && rename(part, path) == 0;
    if (fd >= 0 && !good) {
        (void)unlink(part);
    }
    if (!good) {
        stile__cli_say("%s could not be written", path);
    }
    return good;
}

static bool put_approval(struct change *change, const struct stile_act *act,
                         const char *path)
{
    struct stile_approval *had = NULL, *all;
    size_t had_count = 0, count = 0;
    struct stile_buf out;
    bool good;

    if (!read_file(path, change, &had, &had_count)) {
        return false;
    }
    all = stile_arena_array(change->arena, had_count + 1, sizeof(*all));
    if (!all) {
        return false;
    }
    for (size_t i = 0; i < had_count; i++) {
        if (stays(change, &had[i], act)) {
            all[count++] = had[i];
        }
    }
    all[count++] = (struct stile_approval){change->officers->organisation,
                                           change->move, *act};
    if (count > STILE_APPROVALS_MAX) {
        stile__cli_say("%s is full: take out those of former changes", path);
        return false;
    }
    stile_buf_init(&out, FILE_BYTES_MAX);
    stile_approvals_write(all, count, &out);
    good = out.status == STILE_OK &&
           write_file(path, stile_buf_str(&out), change->arena);
    stile_buf_release(&out);
    return good;
}

/* ---- approve ---- */

static int sign_change(struct change *change)
{
    const struct cli_args *args = change->args;
    const char *path = stile__cli_get(args, "out");
    unsigned needs =
        stile_rules_class_needs(change->move.class, change->officers);
    struct stile_act act = {0};
    int result =
        stile__live_show(args, &change->shown, stile_now(), change->arena);

    if (result != CLI_OK) {
        return result;
    }
    if (!path) {
        path = stile_arena_cstr(change->arena,
                                stile_arena_printf(change->arena,
                                                   "%s/rules/approvals.yaml",
                                                   change->folder));
    }
    result =
        stile__cli_sign(args, change->officers, STILE_MAY_APPROVE_RULES,
                        stile_may_text(STILE_MAY_APPROVE_RULES),
                        stile_rules_move_subject(&change->move, change->arena),
                        change->arena, &act);
    if (result != CLI_OK) {
        return result;
    }
    if (!path || !put_approval(change, &act, path)) {
        return CLI_FAILED;
    }
    (void)printf("signed by %.*s, written to %s; a change that is %s needs %u "
                 "%s\n",
                 STILE_FMT(act.officer), path,
                 stile_rules_class_text(change->move.class), needs,
                 needs > 1 ? "officers" : "officer");
    return CLI_OK;
}

static int approve(const struct cli_args *args)
{
    struct change change = {.args = args,
                            .arena = stile_arena_new(APPROVE_BYTES_MAX)};
    int result = stile__cli_has(args, "config") ? from_gateway(&change)
                                                : from_folders(&change);

    change.shown.class = change.move.class;
    if (result == CLI_OK &&
        stile_digest_eq(&change.move.from, &change.move.to)) {
        stile__cli_say("there is nothing to approve: the rules are the same");
        result = CLI_FAILED;
    }
    if (result == CLI_OK) {
        result = sign_change(&change);
    }
    stile_arena_free(&change.arena);
    return result;
}

/* ---- rollback ---- */

/* The set to go back to: the one before, or --to, which begins the digest of
 * exactly one that was in force. */
static int find_target(struct cli_live *live, struct stile_digest *ret)
{
    const char *to = stile__cli_get(live->args, "to");
    struct stile_rules_step *steps = NULL;
    size_t count = 0, found = 0;
    struct stile_digest target = {{0}};
    char hex[65];

    if (live->store->ops->rules_steps(live->store, SIZE_MAX, live->arena,
                                      &steps, &count) != STILE_OK) {
        stile__cli_say("the store cannot be read");
        return CLI_FAILED;
    }
    if (count < 2) {
        stile__cli_say("no other set was ever in force");
        return CLI_FAILED;
    }
    if (!to) {
        *ret = steps[0].from;
        return CLI_OK;
    }
    for (size_t i = 0; i < count; i++) {
        stile_digest_hex(&steps[i].to, hex);
        if (strncmp(hex, to, strlen(to)) == 0 &&
            !(found && stile_digest_eq(&target, &steps[i].to))) {
            target = steps[i].to;
            found++;
        }
    }
    if (strlen(to) < 8 || found != 1) {
        return stile__cli_usage(live->args,
                                "--to must be a digest, or at least its first "
                                "8 digits, of one set that was in force: see "
                                "'stile rules history'");
    }
    *ret = target;
    return CLI_OK;
}

static int put_back(struct cli_live *live, const struct stile_digest *target)
{
    struct stile_rules_look look;
    enum stile_status status;
    char hex[65];

    if (!stile__live_look(live, target, &look)) {
        return CLI_FAILED;
    }
    stile_digest_hex(target, hex);
    if (look.state == STILE_RULES_WAITS) {
        stile__cli_say("signed, and not in force yet: %.*s. Another officer "
                       "runs: stile rules rollback -c %s --to %.16s --as "
                       "OFFICER --key FILE --because TEXT",
                       STILE_FMT(look.missing),
                       stile__cli_get(live->args, "config"), hex);
        return CLI_FAILED;
    }
    status = look.state == STILE_RULES_READY
                 ? stile_rules_activate(live->config, live->store, &look,
                                        live->arena)
                 : STILE_CONFLICT;
    if (status != STILE_OK) {
        stile__cli_say("not put in force: %s", stile_status_text(status));
        return CLI_FAILED;
    }
    stile_buf_printf(&live->out,
                     "in force: set %s, as it was before\nA running gateway "
                     "takes it up within seconds. The folder %s/rules is left "
                     "alone; what it proposes needs new approvals.\n",
                     hex, live->config->mappings);
    return CLI_OK;
}

static int sign_back(struct cli_live *live, const struct stile_digest *target)
{
    struct stile_rules_look look;
    struct cli_shown shown;
    struct stile_act act = {0};
    enum stile_status status;
    int result;

    if (!stile__live_look(live, target, &look)) {
        return CLI_FAILED;
    }
    if (look.state == STILE_RULES_SAME) {
        stile__cli_say("that set is in force");
        return CLI_FAILED;
    }
    if (look.state == STILE_RULES_UNUSABLE || !look.officers) {
        (void)!stile__cli_diags(stderr, &live->diags);
        stile__cli_say("nothing can be approved: %.*s",
                       STILE_FMT(look.missing));
        return CLI_FAILED;
    }
    shown = (struct cli_shown){look.old, look.new, look.report, look.move.class,
                               look.in_force};
    result = stile__live_show(live->args, &shown, look.now, live->arena);
    if (result == CLI_OK) {
        result =
            stile__cli_sign(live->args, look.officers, STILE_MAY_APPROVE_RULES,
                            stile_may_text(STILE_MAY_APPROVE_RULES),
                            stile_rules_move_subject(&look.move, live->arena),
                            live->arena, &act);
    }
    if (result != CLI_OK) {
        return result;
    }
    status = stile_rules_approval_keep(live->config, live->store, look.officers,
                                       &act, live->arena);
    if (status != STILE_OK) {
        stile__cli_say("the approval could not be kept: %s",
                       stile_status_text(status));
        return CLI_FAILED;
    }
    return put_back(live, target);
}

static int rollback(const struct cli_args *args)
{
    struct cli_live live;
    struct stile_digest target;
    int result = stile__live_open(args, true, &live);

    if (result == CLI_OK) {
        result = find_target(&live, &target);
    }
    if (result == CLI_OK) {
        result = sign_back(&live, &target);
    }
    return stile__live_close(&live, result);
}

/* ---- the commands ---- */

#define CLASS_OPTION                                                           \
    {                                                                          \
        "class", 0, "WORD",                                                    \
            "equal, narrower, wider or mixed, as shown; asked for on a "       \
            "terminal"                                                         \
    }

static const struct cli_option approve_options[] = {
    CLI_OFFICER_OPTIONS,
    CLASS_OPTION,
    {"officers", 0, "FILE", "officers.yaml, when there is no -c"},
    {"first", 0, NULL, "there is no OLD: nothing is in force yet"},
    CLI_CONFIG_OPTION,
    {"out", 0, "FILE",
     "where the approval goes; NEW/rules/approvals.yaml when not given"}};
static const struct cli_option rollback_options[] = {
    CLI_CONFIG_OPTION,
    {"to", 0, "DIGEST", "a set of 'stile rules history'; the one before"},
    CLI_OFFICER_OPTIONS,
    CLASS_OPTION};

const struct cli_command stile__cmd_rules_approve = {
    "rules approve",
    "[OLD] [NEW]",
    0,
    2,
    "sign a change of the rules, having been shown what it changes",
    "Shows what changes when the rules of the folder NEW (mappings when not\n"
    "given) take the place of those of OLD, which 'stile rules in-force' has\n"
    "written, and signs it with an officer's key. The approval is added to\n"
    "NEW/rules/approvals.yaml, which travels with the proposal; any later\n"
    "edit of the rules, and any change of what is in force, makes it void.\n"
    "Equal and narrower changes need one officer, wider and mixed ones two.\n"
    "The officer types what the change is, so that it is not signed unread.\n"
    "On the gateway's machine -c stands for OLD, NEW and --officers.\n\n"
    "  stile rules approve now mappings --officers officers.yaml \\\n"
    "        --as cg-1 --key cg-1.key --because 'agreed with Riverside'\n\n"
    "exit: 0 signed; 1 not signed, and why; 2 wrong command line",
    CLI_OPTIONS(approve_options),
    approve};

const struct cli_command stile__cmd_rules_rollback = {
    "rules rollback",
    "",
    0,
    0,
    "put a rule set in force again that was before",
    "Shows what changes when the set that was in force before (or --to) takes\n"
    "the place of the one that is, and signs that. When the change is equal "
    "or\n"
    "narrower it is in force at once; when it is wider or mixed the signature\n"
    "is kept, and a second officer gives the same command. A running gateway\n"
    "takes it up within seconds. The folder mappings/rules is left alone: "
    "what\n"
    "it proposes needs new approvals.\n\n"
    "  stile rules rollback -c stile.yaml --as cg-1 --key cg-1.key \\\n"
    "        --because 'sent too much'\n\n"
    "exit: 0 in force; 1 not in force (yet), and why; 2 wrong command line",
    CLI_OPTIONS(rollback_options),
    rollback};
