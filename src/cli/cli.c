/* Words and options of the command line; help and hints from the tables. */
#include "cli.h"

#define NAMES_MAX 64

static bool has_space(const char *name)
{
    return strchr(name, ' ') != NULL;
}

static struct stile_str first_word(const char *name)
{
    struct stile_str rest = stile_str_cstr(name), word = rest;

    (void)stile_str_next(&rest, ' ', &word);
    return word;
}

static void overview(const struct cli_command *const *commands, size_t count,
                     FILE *out)
{
    (void)fputs("stile - carries health and care records between "
                "organisations, by the rules they agreed\n\n"
                "usage: stile COMMAND [OPTION...] [WORD...]\n\n",
                out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "  %-16s %s\n", commands[i]->name,
                      commands[i]->says);
    }
    (void)fputs("\n'stile COMMAND --help' says what a command does, with an "
                "example and its exit codes.\n"
                "'stile --version' prints the version.\n",
                out);
}

static void group_help(const struct cli_command *const *commands, size_t count,
                       struct stile_str group, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        if (has_space(commands[i]->name) &&
            stile_str_eq(first_word(commands[i]->name), group)) {
            (void)fprintf(out, "  %-16s %s\n", commands[i]->name,
                          commands[i]->says);
        }
    }
}

static void command_help(const struct cli_command *command)
{
    printf("usage: stile %s%s%s%s\n\n%s\n", command->name,
           command->option_count > 0 ? " [OPTION...]" : "",
           command->words[0] ? " " : "", command->words, command->teach);
    printf("\noptions:\n");
    for (size_t i = 0; i < command->option_count; i++) {
        const struct cli_option *option = &command->options[i];
        char left[64];

        (void)snprintf(
            left, sizeof(left), "%c%c%s--%s%s%s", option->letter ? '-' : ' ',
            option->letter ? option->letter : ' ', option->letter ? ", " : "  ",
            option->name, option->value ? " " : "",
            option->value ? option->value : "");
        printf("  %-26s %s\n", left, option->says);
    }
    printf("  %-26s %s\n", "    --help", "this text");
}

/* ---- hints ----------------------------------------------------------------
 */

static void hint(struct stile_str word, const struct stile_str *names,
                 size_t count, const char *dashes)
{
    size_t near = stile_nearest(word, names, count);

    if (near != SIZE_MAX) {
        (void)fprintf(stderr, "       did you mean '%s%.*s'?\n", dashes,
                      STILE_FMT(names[near]));
    }
}

static int unknown_command(const struct cli_command *const *commands,
                           size_t count, int argc, char **argv)
{
    struct stile_str names[2 * NAMES_MAX];
    struct stile_str word = stile_str_cstr(argv[1]);
    char both[128];
    size_t n = 0;
    bool group = false;

    for (size_t i = 0; i < count && i < NAMES_MAX; i++) {
        names[n++] = stile_str_cstr(commands[i]->name);
        if (has_space(commands[i]->name)) {
            names[n++] = first_word(commands[i]->name);
            group = group || stile_str_eq(names[n - 1], word);
        }
    }
    if (group && argc > 2) {
        (void)snprintf(both, sizeof(both), "%s %s", argv[1], argv[2]);
        word = stile_str_cstr(both);
    }
    if (group && argc == 2) {
        (void)fprintf(stderr, "stile: '%s' needs one more word:\n", argv[1]);
        group_help(commands, count, word, stderr);
        return CLI_USAGE;
    }
    stile__cli_say("there is no command '%.*s'", STILE_FMT(word));
    hint(word, names, n, "");
    (void)fputs("       'stile --help' lists the commands\n", stderr);
    return CLI_USAGE;
}

int stile__cli_usage(const struct cli_args *args, const char *format, ...)
{
    va_list list;

    (void)fprintf(stderr, "stile %s: ", args->command->name);
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fprintf(stderr, "\n       'stile %s --help' says how it is used\n",
                  args->command->name);
    return CLI_USAGE;
}

/* ---- options
 * ----------------------------------------------------------------- */

static size_t find_option(const struct cli_command *command,
                          struct stile_str name)
{
    for (size_t i = 0; i < command->option_count; i++) {
        if (stile_str_eqc(name, command->options[i].name) ||
            (name.len == 1 && command->options[i].letter == name.ptr[0])) {
            return i;
        }
    }
    return SIZE_MAX;
}

static int unknown_option(const struct cli_args *args, struct stile_str name)
{
    struct stile_str names[CLI_OPTIONS_MAX];
    size_t count = args->command->option_count;

    for (size_t i = 0; i < count; i++) {
        names[i] = stile_str_cstr(args->command->options[i].name);
    }
    (void)fprintf(stderr, "stile %s: there is no option '%s%.*s'\n",
                  args->command->name, name.len == 1 ? "-" : "--",
                  STILE_FMT(name));
    hint(name, names, count, "--");
    (void)fprintf(stderr,
                  "       'stile %s --help' lists the options; words that "
                  "begin with - stand behind --\n",
                  args->command->name);
    return CLI_USAGE;
}

/* One argument that begins with a dash; *at is its place. */
static int take_option(struct cli_args *args, int argc, char **argv, int *at)
{
    struct stile_str text = stile_str_cstr(argv[*at]);
    bool is_long = stile_str_starts(text, STILE_STR("--"));
    struct stile_str name = stile_str_sub(text, is_long ? 2 : 1, SIZE_MAX);
    size_t equals = is_long ? stile_str_find(name, '=') : SIZE_MAX;
    const char *value = NULL;
    size_t i;

    if (equals != SIZE_MAX) {
        value = name.ptr + equals + 1;
        name = stile_str_sub(name, 0, equals);
    }
    i = (is_long && name.len == 1) ? SIZE_MAX
                                   : find_option(args->command, name);
    if (i == SIZE_MAX) {
        return unknown_option(args, name);
    }
    if (args->values[i]) {
        return stile__cli_usage(args, "--%s is given twice",
                                args->command->options[i].name);
    }
    if (!args->command->options[i].value) {
        args->values[i] = "";
        return value ? stile__cli_usage(args, "--%s takes no value",
                                        args->command->options[i].name)
                     : CLI_OK;
    }
    if (!value && *at + 1 < argc) {
        value = argv[++*at];
    }
    if (!value || !*value) {
        return stile__cli_usage(args, "--%s needs a value: %s",
                                args->command->options[i].name,
                                args->command->options[i].value);
    }
    args->values[i] = value;
    return CLI_OK;
}

/* Words are moved to the front of argv, in their order. */
static int parse(struct cli_args *args, int argc, char **argv)
{
    bool options = true;
    int result = CLI_OK;

    args->words = argv;
    for (int i = 0; i < argc && result == CLI_OK; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0' &&
                   strchr("0123456789", argv[i][1]) == NULL) {
            result = take_option(args, argc, argv, &i);
        } else {
            argv[args->word_count++] = argv[i];
        }
    }
    if (result != CLI_OK) {
        return result;
    }
    if (args->word_count < args->command->words_least) {
        return stile__cli_usage(args, "it needs %s", args->command->words);
    }
    if (args->word_count > args->command->words_most) {
        return stile__cli_usage(args, "'%s' is one word too many",
                                args->words[args->command->words_most]);
    }
    return CLI_OK;
}

const char *stile__cli_get(const struct cli_args *args, const char *name)
{
    size_t i = find_option(args->command, stile_str_cstr(name));

    STILE_ASSERT(i != SIZE_MAX);
    return args->values[i];
}

bool stile__cli_has(const struct cli_args *args, const char *name)
{
    return stile__cli_get(args, name) != NULL;
}

bool stile__cli_number(const struct cli_args *args, const char *name,
                       uint64_t least, uint64_t most, uint64_t standard,
                       uint64_t *ret)
{
    const char *text = stile__cli_get(args, name);
    int64_t value;

    if (!text) {
        *ret = standard;
        return true;
    }
    if (!stile_str_to_int64(stile_str_cstr(text), &value) || value < 0 ||
        (uint64_t)value < least || (uint64_t)value > most) {
        (void)stile__cli_usage(args, "--%s must be a number from %llu to %llu",
                               name, (unsigned long long)least,
                               (unsigned long long)most);
        return false;
    }
    *ret = (uint64_t)value;
    return true;
}

size_t stile__cli_word(const struct cli_args *args, const char *name,
                       const struct stile_str *words, size_t count)
{
    struct stile_str text = stile_str_cstr(stile__cli_get(args, name));

    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(text, words[i])) {
            return i;
        }
    }
    (void)fprintf(stderr, "stile %s: --%s must be one of:", args->command->name,
                  name);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(stderr, " %.*s", STILE_FMT(words[i]));
    }
    (void)fputc('\n', stderr);
    hint(text, words, count, "");
    return SIZE_MAX;
}

/* ---- the door
 * -------------------------------------------------------------------- */

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

/* How many arguments the command's name takes: 0 when it is another. */
static int name_words(const struct cli_command *command, int argc, char **argv)
{
    struct stile_str rest = stile_str_cstr(command->name), word;
    int i = 0;

    while (stile_str_next(&rest, ' ', &word)) {
        if (i >= argc || !stile_str_eqc(word, argv[i])) {
            return 0;
        }
        i++;
    }
    return i;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cli_args args = {.command = command};
    int result;

    STILE_ASSERT(command->option_count <= CLI_OPTIONS_MAX);
    if (asks_help(argc, argv)) {
        command_help(command);
        return CLI_OK;
    }
    result = parse(&args, argc, argv);
    return result == CLI_OK ? command->run(&args) : result;
}

static bool is_group(const struct cli_command *const *commands, size_t count,
                     const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (has_space(commands[i]->name) &&
            stile_str_eqc(first_word(commands[i]->name), word)) {
            return true;
        }
    }
    return false;
}

int stile__cli_main(const struct cli_command *const *commands, size_t count,
                    int argc, char **argv)
{
    STILE_ASSERT(count <= NAMES_MAX);
    if (argc < 2) {
        overview(commands, count, stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("stile %s\n", STILE_VERSION);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        (strcmp(argv[1], "help") == 0 && argc == 2)) {
        overview(commands, count, stdout);
        return CLI_OK;
    }
    for (size_t i = 0; i < count; i++) {
        int used = name_words(commands[i], argc - 1, argv + 1);

        if (used > 0) {
            return run(commands[i], argc - 1 - used, argv + 1 + used);
        }
    }
    if (argc == 3 && asks_help(1, argv + 2) &&
        is_group(commands, count, argv[1])) {
        group_help(commands, count, stile_str_cstr(argv[1]), stdout);
        return CLI_OK;
    }
    return unknown_command(commands, count, argc, argv);
}
