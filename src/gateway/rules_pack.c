/* The files of a rule set: read from a folder, as one text, written again. */
#define _POSIX_C_SOURCE 200809L

#include "config_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)
#define LABELS_MAX 512u
#define HEAD "stile-rules 1\n"

static const struct {
    const char *name;
    enum stile_rule_file kind;
} rule_files[] = {
    {"vocabulary.yaml", STILE_RULES_VOCABULARY},
    {"guardrails.yaml", STILE_RULES_GUARDRAILS},
    {"agreements.yaml", STILE_RULES_AGREEMENTS},
    {"rules.yaml", STILE_RULES_LOCAL},
    {"examples.yaml", STILE_RULES_EXAMPLES},
    {"consent-codes.csv", STILE_RULES_CONSENT},
};

#define RULE_FILES (sizeof(rule_files) / sizeof(rule_files[0]))
#define FILES_MAX (RULE_FILES + LABELS_MAX)

/* ---- from a folder ---- */

static void add_file(struct stile_arena *arena, struct stile_diags *diags,
                     const char *folder, struct stile_str name,
                     enum stile_rule_file kind, struct stile__rule_files *files)
{
    struct stile__rule_file *file = &files->items[files->count];
    const char *path = stile_path_join(arena, folder, name);
    struct stile_str error;

    if (!path) {
        return;
    }
    file->name = name;
    file->kind = kind;
    file->source.name = stile_str_cstr(path);
    if (stile_file_read(path, FILE_BYTES_MAX, arena, &file->source.text,
                        &error) != STILE_OK) {
        stile__config_file_find(diags, "C101", path, error);
        return;
    }
    files->count++;
}

static void add_labels(struct stile_arena *arena, struct stile_diags *diags,
                       const char *folder, struct stile__rule_files *files)
{
    const char *path = stile_path_join(arena, folder, STILE_STR("labels"));
    struct stile_str *names = NULL;
    struct stile_str error;
    size_t count = 0;

    if (!path) {
        return;
    }
    if (stile_folder_list(path, arena, &names, &count, &error) != STILE_OK) {
        stile__config_file_find(diags, "C101", path, error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!stile_str_ends(names[i], STILE_STR(".csv"))) {
            continue;
        }
        if (files->count == FILES_MAX) {
            stile__config_file_find(
                diags, "C101", path,
                STILE_STR("too many files; put fewer into one folder"));
            return;
        }
        add_file(arena, diags, folder,
                 stile_arena_printf(arena, "labels/%.*s", STILE_FMT(names[i])),
                 STILE_RULES_LABELS, files);
    }
}

bool stile__rules_read_folder(const char *folder, struct stile_arena *arena,
                              struct stile_diags *diags,
                              struct stile__rule_files *ret)
{
    struct stile__rule_files files = {
        stile_arena_array(arena, FILES_MAX, sizeof(*files.items)), 0};
    const char *path = stile_path_join(arena, folder, STILE_STR("rules"));

    if (!files.items || !path) {
        return false;
    }
    for (size_t i = 0; i < RULE_FILES; i++) {
        add_file(arena, diags, path, stile_str_cstr(rule_files[i].name),
                 rule_files[i].kind, &files);
    }
    add_labels(arena, diags, path, &files);
    *ret = files;
    /* What can be read is checked all the same: all findings at once. */
    return !stile_arena_failed(arena);
}

const struct stile_rules *
stile__rules_compile(const struct stile__rule_files *files,
                     struct stile_date today, struct stile_arena *arena,
                     struct stile_diags *diags)
{
    struct stile_rules_input *inputs =
        stile_arena_array(arena, files->count + 1, sizeof(*inputs));
    struct stile_rules *rules = NULL;

    if (!inputs) {
        return NULL;
    }
    for (size_t i = 0; i < files->count; i++) {
        inputs[i] = (struct stile_rules_input){files->items[i].kind,
                                               &files->items[i].source};
    }
    inputs[files->count] =
        (struct stile_rules_input){STILE_RULES_FLOOR, &stile_rules_floor};
    return stile_rules_load(inputs, files->count + 1, today, arena, diags,
                            &rules) == STILE_OK
               ? rules
               : NULL;
}

enum stile_status stile_rules_folder_load(const char *folder,
                                          struct stile_date today,
                                          struct stile_arena *arena,
                                          struct stile_diags *diags,
                                          const struct stile_rules **ret)
{
    struct stile__rule_files files = {NULL, 0};
    const struct stile_rules *rules = NULL;
    size_t before = diags->errors;

    if (stile__rules_read_folder(folder, arena, diags, &files)) {
        rules = stile__rules_compile(&files, today, arena, diags);
    }
    if (stile_arena_failed(arena)) {
        return STILE_LIMIT;
    }
    if (!rules || diags->errors > before) {
        return STILE_INVALID;
    }
    *ret = rules;
    return STILE_OK;
}

/* ---- packed ---- */

static struct stile_str pack(const struct stile__rule_files *files,
                             struct stile_arena *arena)
{
    struct stile_buf out;
    struct stile_str text = STILE_STR_NULL;

    stile_buf_init(&out, STILE_STORE_BODY_MAX);
    stile_buf_addc(&out, HEAD);
    for (size_t i = 0; i < files->count; i++) {
        const struct stile__rule_file *file = &files->items[i];

        stile_buf_printf(&out, "%zu %.*s\n", file->source.text.len,
                         STILE_FMT(file->name));
        stile_buf_add(&out, file->source.text);
        stile_buf_byte(&out, '\n');
    }
    if (out.status == STILE_OK) {
        text = stile_arena_str(arena, stile_buf_str(&out));
    }
    stile_buf_release(&out);
    return text;
}

enum stile_status stile_rules_pack(const char *folder,
                                   struct stile_arena *arena,
                                   struct stile_diags *diags,
                                   struct stile_str *ret)
{
    struct stile__rule_files files = {NULL, 0};
    size_t before = diags->errors;
    struct stile_str text;

    if (!stile__rules_read_folder(folder, arena, diags, &files) ||
        diags->errors > before) {
        return stile_arena_failed(arena) ? STILE_LIMIT : STILE_INVALID;
    }
    text = pack(&files, arena);
    if (text.len == 0) {
        return STILE_LIMIT;
    }
    *ret = text;
    return STILE_OK;
}

/* A name that may be written: one of a set's, or a list in labels/. */
static bool name_kind(struct stile_str name, enum stile_rule_file *ret)
{
    struct stile_str rest;

    for (size_t i = 0; i < RULE_FILES; i++) {
        if (stile_str_eqc(name, rule_files[i].name)) {
            *ret = rule_files[i].kind;
            return true;
        }
    }
    if (!stile_str_starts(name, STILE_STR("labels/"))) {
        return false;
    }
    rest = stile_str_sub(name, 7, name.len - 7);
    *ret = STILE_RULES_LABELS;
    return stile_str_ends(rest, STILE_STR(".csv")) && rest.ptr[0] != '.' &&
           stile_str_find(rest, '/') == SIZE_MAX &&
           stile_str_find(rest, '\0') == SIZE_MAX;
}

static bool unpack_one(struct stile_str *rest, struct stile_arena *arena,
                       struct stile__rule_file *file)
{
    size_t end = stile_str_find(*rest, '\n');
    struct stile_str line = stile_str_sub(*rest, 0, end == SIZE_MAX ? 0 : end);
    size_t space = stile_str_find(line, ' ');
    int64_t len;

    if (space == SIZE_MAX ||
        !stile_str_to_int64(stile_str_sub(line, 0, space), &len) || len < 0 ||
        (uint64_t)len >= rest->len - end - 1) {
        return false;
    }
    file->name = stile_str_sub(line, space + 1, SIZE_MAX);
    if (!name_kind(file->name, &file->kind)) {
        return false;
    }
    file->source.name =
        stile_arena_printf(arena, "in-force/%.*s", STILE_FMT(file->name));
    file->source.text = stile_str_sub(*rest, end + 1, (size_t)len);
    *rest = stile_str_sub(*rest, end + 1 + (size_t)len, SIZE_MAX);
    if (rest->ptr[0] != '\n') {
        return false;
    }
    *rest = stile_str_sub(*rest, 1, SIZE_MAX);
    return true;
}

bool stile__rules_unpack(struct stile_str packed, struct stile_arena *arena,
                         struct stile__rule_files *ret)
{
    struct stile__rule_files files = {
        stile_arena_array(arena, FILES_MAX, sizeof(*files.items)), 0};
    struct stile_str rest;

    if (!files.items || !stile_str_starts(packed, STILE_STR(HEAD))) {
        return false;
    }
    /* The plan outlives what it is given. */
    rest = stile_arena_str(arena,
                           stile_str_sub(packed, sizeof(HEAD) - 1, SIZE_MAX));
    while (rest.len > 0) {
        if (files.count == FILES_MAX ||
            !unpack_one(&rest, arena, &files.items[files.count])) {
            return false;
        }
        files.count++;
    }
    *ret = files;
    return files.count > 0 && !stile_arena_failed(arena);
}

enum stile_status stile_rules_packed_load(struct stile_str packed,
                                          struct stile_date today,
                                          struct stile_arena *arena,
                                          struct stile_diags *diags,
                                          const struct stile_rules **ret)
{
    struct stile__rule_files files = {NULL, 0};
    const struct stile_rules *rules =
        stile__rules_unpack(packed, arena, &files)
            ? stile__rules_compile(&files, today, arena, diags)
            : NULL;

    if (!rules) {
        return stile_arena_failed(arena) ? STILE_LIMIT : STILE_INVALID;
    }
    *ret = rules;
    return STILE_OK;
}

/* ---- into a folder ---- */

static bool write_file(const char *path, struct stile_str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool good = fd >= 0;

    while (good && text.len > 0) {
        ssize_t wrote = write(fd, text.ptr, text.len);

        good = wrote > 0;
        text = good ? stile_str_sub(text, (size_t)wrote, SIZE_MAX) : text;
    }
    return fd >= 0 && close(fd) == 0 && good;
}

static bool make_folder(const char *path, bool may_be_there)
{
    return mkdir(path, 0755) == 0 || (may_be_there && errno == EEXIST);
}

enum stile_status stile_rules_packed_write(struct stile_str packed,
                                           const char *folder,
                                           struct stile_arena *arena,
                                           struct stile_str *ret_error)
{
    struct stile__rule_files files = {NULL, 0};
    const char *rules = stile_path_join(arena, folder, STILE_STR("rules"));
    const char *labels =
        rules ? stile_path_join(arena, rules, STILE_STR("labels")) : NULL;

    if (!stile__rules_unpack(packed, arena, &files) || !labels) {
        *ret_error = STILE_STR("the set in the store cannot be read");
        return STILE_INVALID;
    }
    if (!make_folder(folder, true) || !make_folder(rules, false) ||
        !make_folder(labels, false)) {
        *ret_error = stile_arena_printf(
            arena, "%s cannot be made: name a folder that is not there yet",
            rules);
        return STILE_IO;
    }
    for (size_t i = 0; i < files.count; i++) {
        const char *path = stile_path_join(arena, rules, files.items[i].name);

        if (!path || !write_file(path, files.items[i].source.text)) {
            *ret_error = stile_arena_printf(arena, "%s could not be written",
                                            path ? path : rules);
            return STILE_IO;
        }
    }
    return STILE_OK;
}

/* ---- the step beside it ---- */

#define STEP_FILE STILE_STR("rules/step.yaml")
#define STEP_HEAD STILE_STR("step: ")

enum stile_status stile_rules_step_write(const struct stile_digest *step,
                                         const char *folder,
                                         struct stile_arena *arena)
{
    const char *path = stile_path_join(arena, folder, STEP_FILE);
    struct stile_str text;
    char hex[65];

    stile_digest_hex(step, hex);
    text = stile_arena_printf(arena, "%.*s%s\n", STILE_FMT(STEP_HEAD), hex);
    return path && text.len > 0 && write_file(path, text) ? STILE_OK : STILE_IO;
}

enum stile_status stile_rules_step_read(const char *folder,
                                        struct stile_arena *arena,
                                        struct stile_digest *ret)
{
    const char *path = stile_path_join(arena, folder, STEP_FILE);
    struct stile_str text = STILE_STR_NULL, error;
    enum stile_status status =
        path ? stile_file_read(path, 4096, arena, &text, &error) : STILE_LIMIT;

    if (status != STILE_OK) {
        return status;
    }
    if (!stile_str_starts(text, STEP_HEAD)) {
        return STILE_INVALID;
    }
    text = stile_str_sub(text, STEP_HEAD.len, 64);
    return stile_digest_parse(text, ret) ? STILE_OK : STILE_INVALID;
}
