/*
 * The plan from files: formats, mappings, code tables and rules under one
 * folder, all findings at once. Files are read in the order of their names,
 * so the same folder gives the same plan and the same findings.
 */
#include "config_private.h"

#include <unistd.h>

/* Texts, tables and programs of one plan. */
#define PLAN_BYTES_MAX ((size_t)1 << 30)
#define FILE_BYTES_MAX ((size_t)64 << 20)
#define FILES_MAX 4096u

struct files {
    struct stile_source *items;
    size_t count;
};

struct loader {
    const char *folder;
    struct stile_str rules; /* packed; empty: those of the folder */
    struct stile_arena *arena;
    struct stile_diags *diags;
    size_t before; /* errors of others */
};

static struct stile_str suffix_of(const char *suffix)
{
    return stile_str_cstr(suffix);
}

static void add_file(struct loader *l, const char *path, struct files *files)
{
    struct stile_source *source = &files->items[files->count];
    struct stile_str error;

    if (files->count == FILES_MAX) {
        stile__config_file_find(
            l->diags, "C101", path,
            STILE_STR("too many files; put fewer into one folder"));
        return;
    }
    source->name = stile_str_cstr(path);
    if (stile_file_read(path, FILE_BYTES_MAX, l->arena, &source->text,
                        &error) != STILE_OK) {
        stile__config_file_find(l->diags, "C101", path, error);
        return;
    }
    files->count++;
}

/* Files of a folder by suffix, and those of its folders when `deep`. */
static void add_folder(struct loader *l, const char *path, const char *suffix,
                       bool deep, struct files *files)
{
    struct stile_str *names = NULL;
    struct stile_str error;
    size_t count = 0;

    if (stile_folder_list(path, l->arena, &names, &count, &error) != STILE_OK) {
        stile__config_file_find(l->diags, "C101", path, error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *inner = stile_path_join(l->arena, path, names[i]);

        if (!inner) {
            return;
        }
        if (stile_str_ends(names[i], suffix_of(suffix))) {
            add_file(l, inner, files);
        } else if (deep && stile_str_find(names[i], '.') == SIZE_MAX) {
            add_folder(l, inner, suffix, false, files);
        }
    }
}

static struct files read_folder(struct loader *l, const char *name,
                                const char *suffix, bool deep)
{
    struct files files = {
        stile_arena_array(l->arena, FILES_MAX, sizeof(struct stile_source)), 0};
    const char *path =
        stile_path_join(l->arena, l->folder, stile_str_cstr(name));

    if (files.items && path) {
        add_folder(l, path, suffix, deep, &files);
    }
    return files;
}

/* ---- parts ---- */

static struct stile_schema *load_schema(struct loader *l)
{
    struct stile_schema *schema = stile_schema_new(l->arena);
    struct files files = read_folder(l, "formats", ".tables", false);
    struct files profiles = read_folder(l, "formats", ".profiles", false);

    /* What they find stands in the findings. */
    for (size_t i = 0; schema && i < files.count; i++) {
        (void)!stile_schema_add(schema, &files.items[i], l->diags);
    }
    for (size_t i = 0; schema && i < profiles.count; i++) {
        (void)!stile_schema_add_profiles(schema, &profiles.items[i], l->diags);
    }
    return schema;
}

/* Code tables are CSV or ConceptMaps. */
static struct files read_codes(struct loader *l)
{
    struct files codes = read_folder(l, "codes", ".csv", false);
    const char *path = stile_path_join(l->arena, l->folder, STILE_STR("codes"));

    if (codes.items && path) {
        add_folder(l, path, ".json", false, &codes);
    }
    return codes;
}

static const struct stile_mapset *load_maps(struct loader *l,
                                            const struct stile_schema *schema)
{
    struct files maps = read_folder(l, "maps", ".map", true);
    struct files codes = read_codes(l);
    struct stile_mapset *set = NULL;

    if (!schema || stile_mapset_compile(schema, maps.items, maps.count,
                                        codes.items, codes.count, l->arena,
                                        l->diags, &set) != STILE_OK) {
        return NULL;
    }
    return set;
}

enum stile_status stile_maps_folder_read(const char *folder,
                                         struct stile_arena *arena,
                                         struct stile_diags *diags,
                                         struct stile_mapset **ret)
{
    struct loader l = {folder, STILE_STR_NULL, arena, diags, diags->errors};
    const struct stile_schema *schema = load_schema(&l);
    struct files maps = read_folder(&l, "maps", ".map", true);
    struct files codes = read_codes(&l);
    enum stile_status status;

    if (!schema || !maps.items || !codes.items) {
        return STILE_LIMIT;
    }
    status = stile_mapset_read(schema, maps.items, maps.count, codes.items,
                               codes.count, arena, diags, ret);
    return status == STILE_OK && diags->errors > l.before ? STILE_INVALID
                                                          : status;
}

/* The rules: those that are packed, else those of the folder. */
static const struct stile_rules *load_rules(struct loader *l,
                                            struct stile_date today)
{
    struct stile__rule_files files = {NULL, 0};
    bool read =
        l->rules.len > 0
            ? stile__rules_unpack(l->rules, l->arena, &files)
            : stile__rules_read_folder(l->folder, l->arena, l->diags, &files);

    return read ? stile__rules_compile(&files, today, l->arena, l->diags)
                : NULL;
}

/* ---- the whole ---- */

static void add_text(struct stile_sha256 *sha, struct stile_str text)
{
    stile_sha256_add(sha, text);
    stile_sha256_add(sha, (struct stile_str){"", 1}); /* a NUL between */
}

/* Over maps, rules and routes: what an audit entry names as its plan. */
static bool digest_plan(struct stile_plan *plan)
{
    struct stile_digest maps = stile_mapset_digest(plan->maps);
    struct stile_digest rules = stile_rules_digest(plan->rules);
    struct stile_sha256 *sha = stile_sha256_new();

    if (!sha) {
        return false;
    }
    stile_sha256_add(sha, (struct stile_str){(const char *)maps.bytes, 32});
    stile_sha256_add(sha, (struct stile_str){(const char *)rules.bytes, 32});
    add_text(sha, plan->ods);
    for (size_t i = 0; i < plan->route_count; i++) {
        const struct stile_route *route = &plan->routes[i];
        const struct stile_partner *to = &plan->partners[route->to];

        add_text(sha, route->name);
        add_text(sha, route->from);
        add_text(sha, to->name);
        add_text(sha, to->ods);
        add_text(sha, to->kind);
        add_text(sha, route->format);
        add_text(sha, route->purpose);
        add_text(sha, route->agreement);
    }
    stile_sha256_done(sha, &plan->digest);
    stile_sha256_free(&sha);
    return true;
}

static void copy_config(struct loader *l, const struct stile_config *config,
                        struct stile_plan *plan)
{
    struct stile_partner *partners =
        stile_arena_array(l->arena, config->partner_count, sizeof(*partners));
    struct stile_route *routes =
        stile_arena_array(l->arena, config->route_count, sizeof(*routes));

    /* The config may be reloaded while this plan is still in use. */
    plan->gateway = stile_arena_str(l->arena, config->name);
    plan->ods = stile_arena_str(l->arena, config->ods);
    plan->kind = stile_arena_str(l->arena, config->kind);
    for (size_t i = 0; partners && i < config->partner_count; i++) {
        const struct stile_partner *from = &config->partners[i].partner;

        partners[i] = (struct stile_partner){
            stile_arena_str(l->arena, from->name),
            stile_arena_str(l->arena, from->ods),
            stile_arena_str(l->arena, from->kind), from->own};
    }
    for (size_t i = 0; routes && i < config->route_count; i++) {
        const struct stile_route *from = &config->routes[i];

        routes[i] =
            (struct stile_route){stile_arena_str(l->arena, from->name),
                                 stile_arena_str(l->arena, from->from),
                                 from->to,
                                 stile_arena_str(l->arena, from->format),
                                 stile_arena_str(l->arena, from->purpose),
                                 stile_arena_str(l->arena, from->agreement)};
    }
    plan->partners = partners;
    plan->partner_count = config->partner_count;
    plan->routes = routes;
    plan->route_count = config->route_count;
    plan->json = config->json;
    plan->csv = config->csv;
    plan->persons_max = config->persons_max;
}

static enum stile_status load(struct loader *l,
                              const struct stile_config *config,
                              struct stile_date today, struct stile_plan *plan)
{
    struct stile_schema *schema = load_schema(l);

    plan->json = STILE_JSON_LIMITS;
    plan->csv = STILE_CSV_LIMITS;
    plan->persons_max = 1000;
    if (config) {
        copy_config(l, config, plan);
    }
    plan->schema = schema;
    plan->maps = load_maps(l, schema);
    plan->rules = load_rules(l, today);
    if (stile_arena_failed(l->arena)) {
        return STILE_LIMIT;
    }
    if (l->diags->errors > l->before || !plan->maps || !plan->rules) {
        return STILE_INVALID;
    }
    return digest_plan(plan) ? STILE_OK : STILE_NOMEM;
}

enum stile_status stile_plan_load(const char *folder,
                                  const struct stile_config *config,
                                  struct stile_date today,
                                  struct stile_diags *diags,
                                  struct stile_plan_box **ret)
{
    return stile_plan_load_under(folder, config, STILE_STR_NULL, today, diags,
                                 ret);
}

enum stile_status
stile_plan_load_under(const char *folder, const struct stile_config *config,
                      struct stile_str rules, struct stile_date today,
                      struct stile_diags *diags, struct stile_plan_box **ret)
{
    struct stile_arena *arena = stile_arena_new(PLAN_BYTES_MAX);
    struct loader loader = {folder, rules, arena, diags, diags->errors};
    struct stile_plan_box *box = stile_arena_alloc(arena, sizeof(*box));
    enum stile_status status;

    if (!box) {
        stile_arena_free(&arena);
        return STILE_NOMEM;
    }
    status = load(&loader, config, today, &box->plan);
    if (status != STILE_OK) {
        stile_arena_free(&arena);
        return status;
    }
    box->arena = arena;
    box->refs = 1;
    *ret = box;
    return STILE_OK;
}

enum stile_status stile_plan_exchange_rules(struct stile_plan_box *base,
                                            struct stile_str rules,
                                            struct stile_date today,
                                            struct stile_diags *diags,
                                            struct stile_plan_box **ret)
{
    struct stile_arena *arena = stile_arena_new(PLAN_BYTES_MAX);
    struct loader loader = {"", rules, arena, diags, diags->errors};
    struct stile_plan_box *box = stile_arena_alloc(arena, sizeof(*box));
    enum stile_status status = STILE_NOMEM;

    STILE_ASSERT(!base->base && rules.len > 0);
    if (box) {
        box->plan = base->plan;
        box->plan.rules = load_rules(&loader, today);
        status = stile_arena_failed(arena) ? STILE_LIMIT
                 : !box->plan.rules        ? STILE_INVALID
                 : digest_plan(&box->plan) ? STILE_OK
                                           : STILE_NOMEM;
    }
    if (status != STILE_OK) {
        stile_arena_free(&arena);
        return status;
    }
    box->arena = arena;
    box->refs = 1;
    box->base = base;
    *ret = box;
    return STILE_OK;
}

void stile_plan_release(struct stile_plan_box **at)
{
    struct stile_plan_box *box = *at;
    struct stile_plan_box *base;
    struct stile_arena *arena;

    *at = NULL;
    /* One level: a base has none. */
    while (box) {
        STILE_ASSERT(box->refs > 0);
        if (--box->refs > 0) {
            return;
        }
        base = box->base;
        arena = box->arena;
        stile_arena_free(&arena);
        box = base;
    }
}
