/*
 * Twenty mistakes an officer could make, each a small edit of the shipped set:
 * each must be refused, with its code and place, or explained, by a difference
 * of the class it is, with an example. tests/golden/govern/mistakes/:
 *
 *   one line that says what was done
 *   === edit FILE            === becomes       any number of edits
 *   === rename FILE          === becomes       of a file of labels/
 *   === verdict              refused CODE PLACE | explained CLASS CHANGE WORD
 *   === reads                what the officer reads, word for word
 *
 * With STILE_GOLDEN_WRITE set the last section is written anew; the test fails
 * all the same.
 */
#define _POSIX_C_SOURCE 200809L

#include "unit/govern_help.h"

#include <criterion/criterion.h>
#include <dirent.h>

#define FOLDER STILE_SOURCE_DIR "/tests/golden/govern/mistakes/"
#define MISTAKES 20

struct mistake {
    const char *path;
    struct help_set before, after;
    struct stile_str head;    /* all up to what the officer reads */
    struct stile_str verdict; /* what must come of it */
    struct stile_str reads;   /* and be read */
    struct stile_value *diff; /* NULL: refused */
    struct stile_buf said;
};

/* ---- the file ---- */

static struct stile_str without_newline(struct stile_str text)
{
    return text.len && text.ptr[text.len - 1] == '\n'
               ? stile_str_sub(text, 0, text.len - 1)
               : text;
}

/* The section that begins at `*rest`; its name without "=== ". */
static bool section(struct stile_str *rest, struct stile_str *ret_name,
                    struct stile_str *ret_text)
{
    size_t line = stile_str_find(*rest, '\n');
    size_t end;

    if (!stile_str_starts(*rest, STILE_STR("=== ")) || line == SIZE_MAX) {
        return false;
    }
    *ret_name = stile_str_sub(*rest, 4, line - 4);
    *rest = stile_str_sub(*rest, line + 1, SIZE_MAX);
    end = stile_str_find_str(*rest, STILE_STR("=== "));
    /* A mark stands at the start of a line. */
    cr_assert(end == SIZE_MAX || end == 0 || rest->ptr[end - 1] == '\n');
    *ret_text = stile_str_sub(*rest, 0, end == SIZE_MAX ? rest->len : end);
    *rest = stile_str_sub(*rest, ret_text->len, SIZE_MAX);
    return true;
}

static void rename_file(struct help_set *set, struct stile_str from,
                        struct stile_str to)
{
    size_t i;

    for (i = 0; i < set->count; i++) {
        if (stile_str_eq(set->sources[i].name, from)) {
            set->sources[i].name = to;
            return;
        }
    }
    cr_assert_fail("no file %.*s", STILE_FMT(from));
}

static void do_edit(struct mistake *m, struct stile_str name,
                    struct stile_str from, struct stile_str to)
{
    struct stile_str edit = STILE_STR("edit "), rename = STILE_STR("rename ");

    if (stile_str_starts(name, edit)) {
        name = stile_str_sub(name, edit.len, SIZE_MAX);
        help_edit(&m->after, stile_arena_cstr(m->after.arena, name),
                  without_newline(from), without_newline(to));
    } else if (stile_str_starts(name, rename)) {
        rename_file(&m->after, stile_str_sub(name, rename.len, SIZE_MAX),
                    without_newline(to));
    } else {
        cr_assert_fail("%s: no section '%.*s'", m->path, STILE_FMT(name));
    }
}

static void read_mistake(struct mistake *m)
{
    struct stile_str text = help_read(m->after.arena, m->path), rest = text;
    struct stile_str name, from, becomes, to;

    rest = stile_str_sub(text, stile_str_find(text, '\n') + 1, SIZE_MAX);
    while (section(&rest, &name, &from)) {
        if (stile_str_eqc(name, "verdict")) {
            m->verdict = without_newline(from);
        } else if (stile_str_eqc(name, "reads")) {
            m->reads = from;
        } else {
            cr_assert(section(&rest, &becomes, &to) &&
                      stile_str_eqc(becomes, "becomes"));
            do_edit(m, name, from, to);
        }
        if (!m->reads.ptr) {
            m->head = stile_str_sub(text, 0, (size_t)(rest.ptr - text.ptr));
        }
    }
    cr_assert(m->verdict.len, "%s has no verdict", m->path);
}

/* ---- what comes of it ---- */

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

/* The digests at the end of a difference change with every edit. */
static void without_digests(struct stile_buf *said)
{
    struct stile_str text = stile_buf_str(said);
    size_t at = stile_str_find_str(text, STILE_STR("\nold "));

    cr_assert_neq(at, SIZE_MAX);
    stile_buf_cut(said, at + 1);
}

/* As the gateway loads it: with the floor that is compiled in. */
static bool load(struct help_set *set)
{
    cr_assert_lt(set->count, HELP_INPUTS);
    set->inputs[set->count].kind = STILE_RULES_FLOOR;
    set->inputs[set->count++].source = &stile_rules_floor;
    return help_load(set) == STILE_OK;
}

static void run(struct mistake *m)
{
    bool loads = load(&m->after);

    without_standing(&m->after.diags);
    stile_diags_print(&m->after.diags, false, &m->said);
    if (loads) {
        cr_assert(load(&m->before));
        cr_assert_eq(stile_rules_diff(m->before.rules, m->after.rules,
                                      m->after.today, m->after.arena, &m->diff),
                     STILE_OK);
        stile_rules_diff_print(m->diff, &m->said);
        without_digests(&m->said);
    }
}

/* "refused R101 rules.yaml:18:35": an error of that code at that place. */
static bool is_refused(const struct mistake *m, struct stile_str code,
                       struct stile_str place)
{
    struct stile_str finding = stile_arena_printf(
        m->after.arena, "%.*s: error[%.*s]: ", STILE_FMT(place),
        STILE_FMT(code));

    return !m->diff &&
           stile_str_find_str(stile_buf_str(&m->said), finding) != SIZE_MAX;
}

/* "explained wider newly-released notes": the class of the whole, and a change
 * of that kind of that data, with the case it is shown by. */
static bool is_explained(const struct mistake *m, struct stile_str class,
                         struct stile_str change, struct stile_str word)
{
    const struct stile_value *item, *data;

    if (!m->diff || !stile_str_eq(stile_value_text(m->diff, "class"), class)) {
        return false;
    }
    for (item = stile_value_getc(m->diff, "changes")->first; item;
         item = item->next) {
        if (!stile_str_eq(stile_value_text(item, "change"), change) ||
            !stile_value_path(item, "example.patient")) {
            continue;
        }
        for (data = stile_value_getc(item, "data")->first; data;
             data = data->next) {
            if (stile_str_eq(data->text, word)) {
                return true;
            }
        }
    }
    return false;
}

static bool verdict_holds(const struct mistake *m)
{
    struct stile_str rest = m->verdict, words[4] = {{NULL, 0}};
    size_t i;

    for (i = 0; i < 4 && stile_str_next(&rest, ' ', &words[i]); i++) {
    }
    return stile_str_eqc(words[0], "refused")
               ? is_refused(m, words[1], words[2])
               : stile_str_eqc(words[0], "explained") &&
                     is_explained(m, words[1], words[2], words[3]);
}

static void write_anew(const struct mistake *m)
{
    FILE *file = fopen(m->path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(m->head.ptr, 1, m->head.len, file), m->head.len);
    cr_assert_geq(fputs("=== reads\n", file), 0);
    cr_assert_eq(fwrite(stile_buf_str(&m->said).ptr, 1, m->said.len, file),
                 m->said.len);
    cr_assert_eq(fclose(file), 0);
}

static bool run_mistake(const char *path)
{
    struct mistake m = {.path = path};
    bool holds, same;

    help_open(&m.before);
    help_open(&m.after);
    stile_buf_init(&m.said, 1u << 20);
    read_mistake(&m);
    run(&m);
    holds = verdict_holds(&m);
    same = stile_str_eq(stile_buf_str(&m.said), m.reads);
    if (!same && getenv("STILE_GOLDEN_WRITE") != NULL) {
        write_anew(&m);
    }
    if (!holds || !same) {
        cr_log_error("%s: %s\n%.*s", path,
                     holds ? "reads otherwise" : "not as the verdict says",
                     STILE_FMT(stile_buf_str(&m.said)));
    }
    stile_buf_release(&m.said);
    help_close(&m.before);
    help_close(&m.after);
    return holds && same;
}

Test(govern_mistakes, each_is_refused_or_explained, .timeout = 300)
{
    struct dirent *entry;
    DIR *dir = opendir(FOLDER);
    size_t count = 0, caught = 0;

    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[512];

        if (!stile_str_ends(stile_str_cstr(entry->d_name), STILE_STR(".txt"))) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s%s", FOLDER, entry->d_name);
        caught += run_mistake(path);
        count++;
    }
    (void)closedir(dir);
    printf("mistakes: %zu of %zu refused or explained\n", caught, count);
    cr_assert_eq(count, MISTAKES);
    cr_assert_eq(caught, MISTAKES);
}
