#define _POSIX_C_SOURCE 200809L

#include "unit/govern_help.h"
#include "stile/format.h"

#include <criterion/criterion.h>
#include <dirent.h>

static const char *const names[] = {"vocabulary.yaml", "guardrails.yaml",
                                    "agreements.yaml", "rules.yaml",
                                    "examples.yaml",   "consent-codes.csv"};
static const enum stile_rule_file kinds[] = {
    STILE_RULES_VOCABULARY, STILE_RULES_GUARDRAILS, STILE_RULES_AGREEMENTS,
    STILE_RULES_LOCAL,      STILE_RULES_EXAMPLES,   STILE_RULES_CONSENT};

struct stile_str help_read(struct stile_arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = stile_arena_alloc(arena, 1u << 20);
    size_t len;

    cr_assert_not_null(file, "%s", path);
    len = fread(text, 1, (1u << 20) - 1, file);
    (void)fclose(file);
    return (struct stile_str){text, len};
}

static void put(struct help_set *set, enum stile_rule_file kind,
                struct stile_str name, struct stile_str text)
{
    cr_assert_lt(set->count, HELP_INPUTS);
    set->sources[set->count] = (struct stile_source){name, text};
    set->inputs[set->count].kind = kind;
    set->inputs[set->count].source = &set->sources[set->count];
    set->count++;
}

void help_open(struct help_set *set)
{
    char path[512];
    struct dirent *entry;
    DIR *dir;
    size_t i;

    memset(set, 0, sizeof(*set));
    set->arena = stile_arena_new(512u << 20);
    set->today = (struct stile_date){2026, 11, 21};
    stile_diags_init(&set->diags, set->arena, 0);
    for (i = 0; i < 6; i++) {
        (void)snprintf(path, sizeof(path), "%s/mappings/rules/%s",
                       STILE_SOURCE_DIR, names[i]);
        put(set, kinds[i], stile_str_cstr(names[i]),
            help_read(set->arena, path));
    }
    dir = opendir(STILE_SOURCE_DIR "/mappings/rules/labels");
    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/mappings/rules/labels/%s",
                       STILE_SOURCE_DIR, entry->d_name);
        put(set, STILE_RULES_LABELS,
            stile_arena_printf(set->arena, "labels/%s", entry->d_name),
            help_read(set->arena, path));
    }
    (void)closedir(dir);
}

void help_close(struct help_set *set)
{
    stile_arena_free(&set->arena);
}

void help_replace(struct help_set *set, const char *name, const char *text)
{
    size_t i;

    for (i = 0; i < set->count; i++) {
        if (stile_str_eqc(set->sources[i].name, name)) {
            set->sources[i].text = stile_str_cstr(text);
            return;
        }
    }
    cr_assert_fail("no file %s", name);
}

void help_edit(struct help_set *set, const char *name, struct stile_str from,
               struct stile_str to)
{
    size_t i;

    for (i = 0; i < set->count; i++) {
        struct stile_source *source = &set->sources[i];
        size_t at;

        if (!stile_str_eqc(source->name, name)) {
            continue;
        }
        at = stile_str_find_str(source->text, from);
        cr_assert_neq(at, SIZE_MAX, "%.*s", STILE_FMT(from));
        source->text = stile_arena_printf(
            set->arena, "%.*s%.*s%.*s",
            STILE_FMT(stile_str_sub(source->text, 0, at)), STILE_FMT(to),
            STILE_FMT(stile_str_sub(source->text, at + from.len, SIZE_MAX)));
        return;
    }
    cr_assert_fail("no file %s", name);
}

void help_add(struct help_set *set, const char *name, const char *text)
{
    size_t i;

    for (i = 0; i < 6; i++) {
        if (!strcmp(name, names[i])) {
            put(set, kinds[i], stile_arena_printf(set->arena, "more-%s", name),
                stile_str_cstr(text));
            return;
        }
    }
    put(set, STILE_RULES_LABELS, stile_str_cstr(name), stile_str_cstr(text));
}

enum stile_status help_load(struct help_set *set)
{
    return stile_rules_load(set->inputs, set->count, set->today, set->arena,
                            &set->diags, &set->rules);
}

struct stile_value *help_json(struct stile_arena *arena, const char *text)
{
    struct stile_value *root = NULL;
    struct stile_diags diags;
    enum stile_status status;

    stile_diags_init(&diags, arena, 0);
    stile_format_setup();
    status = stile_json_decode(stile_str_cstr(text), STILE_JSON_LIMITS,
                               STILE_STR("test"), arena, &diags, &root);
    cr_assert_eq(status, STILE_OK, "%s", text);
    return root;
}

static enum stile_truth truth_of(struct stile_str text)
{
    return stile_str_eqc(text, "yes")  ? STILE_YES
           : stile_str_eqc(text, "no") ? STILE_NO
                                       : STILE_UNKNOWN;
}

/* Facts of the record, then those given: about the recipient when the name
 * says so. */
static void add_facts(struct help_set *set, struct stile_value *json,
                      struct stile_question *question)
{
    static const char *const pairs[] = {"consent-to-this-recipient",
                                        "consent-to-share",
                                        "consent-codes-only",
                                        "referral-open",
                                        "care-relationship",
                                        "registered",
                                        "booked",
                                        "self-claimed",
                                        "break-glass",
                                        "safeguarding-concern"};
    struct stile_value *map = stile_value_getc(json, "facts");
    struct stile_value *entry;
    struct stile_fact *own = NULL;
    struct stile_fact *all;
    size_t own_count = 0, count, i;

    cr_assert_eq(stile_govern_facts(set->rules, question->resources,
                                    question->resource_count, question->family,
                                    set->arena, &own, &own_count),
                 STILE_OK);
    all = stile_arena_array(set->arena, own_count + (map ? map->count : 0) + 1,
                            sizeof(*all));
    if (own_count) {
        memcpy(all, own, own_count * sizeof(*all));
    }
    count = own_count;
    for (entry = map ? map->first : NULL; entry; entry = entry->next) {
        all[count].name = entry->name;
        all[count].value = truth_of(entry->text);
        all[count].source = STILE_STR("test");
        for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
            if (stile_str_eqc(entry->name, pairs[i])) {
                all[count].recipient = question->recipient;
            }
        }
        count++;
    }
    question->facts = all;
    question->fact_count = count;
}

void help_question(struct help_set *set, struct stile_value *json,
                   struct stile_question *ret)
{
    struct stile_value *list = stile_value_getc(json, "resources");
    struct stile_value **resources = stile_arena_array(
        set->arena, (list ? list->count : 0) + 1, sizeof(*resources));
    struct stile_value *value;

    memset(ret, 0, sizeof(*ret));
    ret->sender = stile_value_text(json, "sender");
    ret->recipient = stile_value_text(json, "recipient");
    ret->recipient_kind = stile_value_text(json, "kind");
    ret->purpose = stile_value_text(json, "purpose");
    ret->agreement = stile_value_text(json, "agreement");
    ret->family = stile_value_text(json, "family");
    ret->today = set->today;
    if (stile_value_getc(json, "today")) {
        cr_assert(
            stile_date_parse(stile_value_text(json, "today"), &ret->today));
    }
    for (value = list ? list->first : NULL; value; value = value->next) {
        resources[ret->resource_count++] = value;
    }
    ret->resources = resources;
    add_facts(set, json, ret);
}

void help_decide(struct help_set *set, const char *json, struct help_case *ret)
{
    memset(ret, 0, sizeof(*ret));
    help_question(set, help_json(set->arena, json), &ret->question);
    cr_assert_eq(stile_govern_decide(set->rules, &ret->question, set->arena,
                                     &ret->decision),
                 STILE_OK);
    cr_assert_eq(
        stile_govern_apply(set->rules, &ret->question, ret->decision,
                           STILE_STR("0123456789abcdef0123456789abcdef"),
                           set->arena, &ret->out, &ret->out_count),
        STILE_OK);
}

const struct stile_item_decision *help_field(const struct help_case *made,
                                             const char *type, const char *id,
                                             const char *data)
{
    size_t i;

    for (i = 0; i < made->decision->count; i++) {
        const struct stile_item_decision *row = &made->decision->items[i];
        if (stile_str_eqc(row->type, type) && stile_str_eqc(row->data, data) &&
            stile_str_eqc(
                stile_value_text(made->question.resources[row->resource], "id"),
                id)) {
            return row;
        }
    }
    cr_assert_fail("no decision on %s/%s %s", type, id, data);
    return NULL;
}

const struct stile_item_decision *help_item(const struct help_case *made,
                                            const char *type, const char *id)
{
    return help_field(made, type, id, "");
}

struct stile_str help_out_json(struct stile_arena *arena,
                               const struct help_case *made)
{
    struct stile_buf buf;
    struct stile_str text;
    size_t i;

    stile_buf_init(&buf, 16u << 20);
    for (i = 0; i < made->out_count; i++) {
        stile_value_json(made->out[i], 1, &buf);
        stile_buf_byte(&buf, '\n');
    }
    text = stile_arena_str(arena, stile_buf_str(&buf));
    stile_buf_release(&buf);
    return text;
}
