/*
 * Golden cases. tests/golden/govern/wrong/<case>.txt: sections "=== name"
 * replace a shipped rule file, "=== +name" add one beside it, and the last
 * section, "=== findings", is what must be said of it, word for word.
 * tests/golden/govern/decisions/<case>.json: a question; <case>.txt: the
 * decision in words, and what leaves. tests/golden/govern/flows/: what officers
 * are told of the shipped set. With STILE_GOLDEN_WRITE set these are
 * written anew, to be read in a diff; the test fails all the same.
 */
#define _POSIX_C_SOURCE 200809L

#include "unit/govern_help.h"

#include <criterion/criterion.h>
#include <dirent.h>

#define GOLDEN STILE_SOURCE_DIR "/tests/golden/govern/"

static void section(struct help_set *set, struct stile_str name,
                    struct stile_str text, struct stile_str *ret_expected)
{
    char *cname = stile_arena_cstr(set->arena, name);
    char *ctext = stile_arena_cstr(set->arena, text);

    if (stile_str_eqc(name, "findings")) {
        *ret_expected = text;
    } else if (name.ptr[0] == '+') {
        help_add(set, cname + 1, ctext);
    } else {
        help_replace(set, cname, ctext);
    }
}

/* What is said of the shipped lists in any case is not this file's subject. */
static void without_standing(struct stile_diags *diags)
{
    size_t kept = 0, i;

    for (i = 0; i < diags->count; i++) {
        if (strcmp(diags->items[i].code, "R509") != 0) {
            diags->items[kept++] = diags->items[i];
        }
    }
    diags->count = kept;
}

static bool run_wrong(const char *path)
{
    struct help_set set;
    struct stile_str text, expected = STILE_STR_NULL;
    struct stile_buf actual;
    struct stile_str mark = STILE_STR("=== ");
    bool same;

    help_open(&set);
    text = help_read(set.arena, path);
    while (stile_str_starts(text, mark)) {
        size_t line = stile_str_find(text, '\n');
        struct stile_str name = stile_str_sub(text, 4, line - 4);
        size_t end;

        text = stile_str_sub(text, line + 1, text.len - line - 1);
        end = stile_str_starts(text, mark)
                  ? 0
                  : stile_str_find_str(text, STILE_STR("\n=== "));
        end = end == SIZE_MAX ? text.len : end ? end + 1 : 0;
        section(&set, name, stile_str_sub(text, 0, end), &expected);
        text = stile_str_sub(text, end, text.len - end);
    }
    stile_buf_init(&actual, 1u << 20);
    (void)help_load(&set);
    without_standing(&set.diags);
    stile_diags_print(&set.diags, false, &actual);
    same = stile_str_eq(stile_buf_str(&actual), expected);
    if (!same) {
        cr_log_error("%s: said\n%.*s", path, STILE_FMT(stile_buf_str(&actual)));
    }
    stile_buf_release(&actual);
    help_close(&set);
    return same;
}

static bool is_as_written(const char *path, const struct stile_buf *actual,
                          struct stile_str expected)
{
    bool same = stile_str_eq(stile_buf_str(actual), expected);

    if (!same && getenv("STILE_GOLDEN_WRITE") != NULL) {
        FILE *file = fopen(path, "wb");
        cr_assert_not_null(file);
        cr_assert_eq(fwrite(stile_buf_str(actual).ptr, 1, actual->len, file),
                     actual->len);
        cr_assert_eq(fclose(file), 0);
    }
    if (!same) {
        cr_log_error("%s: said\n%.*s", path, STILE_FMT(stile_buf_str(actual)));
    }
    return same;
}

static bool run_decision(const char *path)
{
    struct help_set set;
    struct help_case made;
    struct stile_str question, expected;
    struct stile_buf actual;
    char *answer;
    bool same;

    help_open(&set);
    cr_assert_eq(help_load(&set), STILE_OK);
    question = help_read(set.arena, path);
    answer = stile_arena_cstr(set.arena, stile_str_cstr(path));
    memcpy(answer + strlen(path) - 5, ".txt", 5);
    expected = help_read(set.arena, answer);
    help_decide(&set, stile_arena_cstr(set.arena, question), &made);
    stile_buf_init(&actual, 1u << 20);
    stile_decision_print(made.decision, &actual);
    stile_buf_addc(&actual, "--- leaves\n");
    stile_buf_add(&actual, help_out_json(set.arena, &made));
    same = is_as_written(answer, &actual, expected);
    stile_buf_release(&actual);
    help_close(&set);
    return same;
}

/* receives-<body>.txt, who-sees-<data word>.txt, labelled-<label>.txt */
static bool run_flow(const char *path)
{
    static const char *const heads[] = {"receives-", "who-sees-", "labelled-"};
    struct stile_str name = stile_str_cstr(strrchr(path, '/') + 1);
    struct stile_str asked[3] = {STILE_STR_NULL, STILE_STR_NULL,
                                 STILE_STR_NULL};
    struct stile_flow_query query;
    struct stile_value *report = NULL;
    struct help_set set;
    struct stile_buf actual;
    size_t i;
    bool same;

    for (i = 0; i < 3; i++) {
        if (stile_str_starts(name, stile_str_cstr(heads[i]))) {
            asked[i] = stile_str_sub(name, strlen(heads[i]),
                                     name.len - strlen(heads[i]) - 4);
        }
    }
    query = (struct stile_flow_query){asked[0], asked[1], asked[2]};
    help_open(&set);
    cr_assert_eq(help_load(&set), STILE_OK);
    cr_assert_eq(
        stile_rules_flows(set.rules, &query, set.today, set.arena, &report),
        STILE_OK, "%s", path);
    stile_buf_init(&actual, 1u << 20);
    stile_rules_flows_print(report, &actual);
    same = is_as_written(path, &actual, help_read(set.arena, path));
    stile_buf_release(&actual);
    help_close(&set);
    return same;
}

static void run_all(const char *folder, const char *suffix,
                    bool (*run)(const char *), size_t least)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);
    size_t count = 0, wrong = 0;

    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[512];

        if (!stile_str_ends(stile_str_cstr(entry->d_name),
                            stile_str_cstr(suffix))) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s%s", folder, entry->d_name);
        wrong += !run(path);
        count++;
    }
    (void)closedir(dir);
    cr_assert_geq(count, least);
    cr_assert_eq(wrong, 0, "%zu of %zu differ", wrong, count);
}

Test(govern_golden, wrong_rule_files_are_refused_word_for_word)
{
    run_all(GOLDEN "wrong/", ".txt", run_wrong, 20);
}

Test(govern_golden, decisions_read_as_written)
{
    run_all(GOLDEN "decisions/", ".json", run_decision, 4);
}

Test(govern_golden, who_gets_what_reads_as_written)
{
    run_all(GOLDEN "flows/", ".txt", run_flow, 10);
}
