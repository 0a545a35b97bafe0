/* What must hold between stile.yaml and the world it names. */
#include "config_private.h"

#include <sys/stat.h>
#include <unistd.h>

#define EXPIRY_WARNING (30 * 86400 * STILE_SECOND)
#define WORDS_MAX 256
#define OFFICERS_BYTES_MAX ((size_t)1 << 20)

static const struct stile_node *gateway_node(const struct stile_config *config,
                                             const char *key)
{
    const struct stile_node *map = stile_node_get(config->root, "gateway");
    const struct stile_node *node = stile_node_get(map, key);

    return node ? node : config->root;
}

static void check_folder(struct stile__reader *reader,
                         const struct stile_node *node, const char *path)
{
    struct stat about;

    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode)) {
        (void)stile__config_find(reader, node, STILE__C130, STILE_ERROR,
                                 "%s is not a folder", path);
    } else if (access(path, R_OK | W_OK | X_OK) != 0) {
        (void)stile__config_find(reader, node, STILE__C130, STILE_ERROR,
                                 "%s cannot be written", path);
    }
}

static void check_folders(struct stile__reader *reader)
{
    const struct stile_config *config = reader->config;

    for (size_t i = 0; i < config->partner_count; i++) {
        if (config->partners[i].folder) {
            check_folder(
                reader,
                stile_node_get(stile__config_item(config, "partners", i),
                               "folder"),
                config->partners[i].folder);
        }
    }
    for (size_t i = 0; i < config->feed_count; i++) {
        if (config->feeds[i].folder) {
            check_folder(reader,
                         stile_node_get(stile__config_item(config, "feeds", i),
                                        "folder"),
                         config->feeds[i].folder);
        }
    }
    if (config->store) {
        const char *slash = strrchr(config->store, '/');
        struct stile_str parent = {
            config->store, slash ? (size_t)(slash - config->store) + 1 : 0};

        check_folder(reader, gateway_node(config, "store"),
                     slash ? stile_arena_cstr(reader->arena, parent) : ".");
    }
}

static void check_expiry(struct stile__reader *reader,
                         const struct stile_node *node, const char *what,
                         stile_time until, stile_time now)
{
    char text[25];

    stile_time_format(until, text);
    if (until < now) {
        (void)stile__config_find(reader, node, STILE__C131, STILE_ERROR,
                                 "%s expired on %.10s", what, text);
    } else if (until - now < EXPIRY_WARNING) {
        (void)stile__config_find(reader, node, STILE__C131, STILE_WARNING,
                                 "%s expires on %.10s", what, text);
    }
}

/* Key matches certificate, dates, trust and CRL: net knows. */
static void check_identity(struct stile__reader *reader, stile_time now)
{
    const struct stile_config *config = reader->config;
    struct stile_identity *identity = NULL;
    struct stile_str error = STILE_STR_NULL;

    if (!config->tls.certificate || !config->tls.key || !config->tls.trust ||
        access(config->tls.certificate, R_OK) != 0 ||
        access(config->tls.key, R_OK) != 0 ||
        access(config->tls.trust, R_OK) != 0) {
        return; /* reported while it was read */
    }
    if (stile_identity_load(&config->tls, now, reader->arena, &identity,
                            &error) != STILE_OK) {
        (void)stile__config_find(reader, gateway_node(config, "certificate"),
                                 STILE__C132, STILE_ERROR, "%.*s",
                                 STILE_FMT(error));
        return;
    }
    check_expiry(reader, gateway_node(config, "certificate"),
                 "the gateway's certificate", stile_identity_expires(identity),
                 now);
    stile_identity_free(&identity);
}

static void check_partner_file(struct stile__reader *reader,
                               const struct stile_node *node, stile_time now)
{
    struct stile_str pem, error;
    struct stile_digest digest;
    stile_time until;
    const char *path = NULL;

    if (node->kind != STILE_NODE_TEXT ||
        stile_str_starts(node->text, STILE_STR("sha256:"))) {
        return;
    }
    stile__config_path(reader, node, &path);
    if (path &&
        stile_file_read(path, 1u << 20, reader->arena, &pem, &error) ==
            STILE_OK &&
        stile_certificate_read(pem, &digest, &until) == STILE_OK) {
        check_expiry(reader, node, path, until, now);
    }
}

static void check_partner_dates(struct stile__reader *reader, stile_time now)
{
    const struct stile_config *config = reader->config;

    for (size_t i = 0; i < config->partner_count; i++) {
        const struct stile_node *node = stile_node_get(
            stile__config_item(config, "partners", i), "certificate");

        if (node && node->kind == STILE_NODE_TEXT) {
            check_partner_file(reader, node, now);
        }
        for (const struct stile_node *item = node ? node->first : NULL; item;
             item = item->next) {
            check_partner_file(reader, item, now);
        }
    }
}

static void check_audit_key(struct stile__reader *reader)
{
    const struct stile_config *config = reader->config;
    struct stile_str error;
    uint8_t seed[32];

    if (!config->audit_key || access(config->audit_key, R_OK) != 0) {
        return;
    }
    if (stile_audit_key_read(config->audit_key, seed, reader->arena, &error) !=
        STILE_OK) {
        (void)stile__config_find(reader, gateway_node(config, "audit-key"),
                                 STILE__C133, STILE_ERROR, "%.*s",
                                 STILE_FMT(error));
    }
    stile_wipe(seed, sizeof(seed));
}

enum stile_status stile_officers_read(const struct stile_config *config,
                                      struct stile_arena *arena,
                                      struct stile_diags *diags,
                                      struct stile_officers **ret)
{
    struct stile__reader reader = {NULL, arena, diags};
    struct stile_source *source = stile_arena_alloc(arena, sizeof(*source));
    struct stile_officers *officers = NULL;
    struct stile_str error;
    enum stile_status status;

    if (!source) {
        return STILE_LIMIT;
    }
    if (!config->officers) {
        (void)stile__config_find(
            &reader, stile_node_get(config->root, "gateway"), STILE__C137,
            STILE_ERROR, "it is not said who may do that");
        return STILE_INVALID;
    }
    source->name = stile_str_cstr(config->officers);
    status = stile_file_read(config->officers, OFFICERS_BYTES_MAX, arena,
                             &source->text, &error);
    if (status != STILE_OK) {
        stile__config_file_find(diags, "C101", config->officers, error);
        return status;
    }
    status = stile_officers_load(source, arena, diags, &officers);
    if (status != STILE_OK) {
        return status;
    }
    if (!stile_str_eq(officers->organisation, config->ods)) {
        (void)stile__config_find(&reader, gateway_node(config, "officers"),
                                 STILE__C138, STILE_ERROR,
                                 "%s is of another organisation than this "
                                 "gateway",
                                 config->officers);
        return STILE_INVALID;
    }
    *ret = officers;
    return STILE_OK;
}

static void check_officers(struct stile__reader *reader)
{
    struct stile_officers *officers = NULL;

    if (reader->config->officers &&
        access(reader->config->officers, R_OK) == 0) {
        (void)!stile_officers_read(reader->config, reader->arena, reader->diags,
                                   &officers);
    }
}

void stile__config_world(struct stile__reader *reader, stile_time now)
{
    check_identity(reader, now);
    check_partner_dates(reader, now);
    check_audit_key(reader);
    check_officers(reader);
    check_folders(reader);
}

/* ---- the words of the rules -------------------------------------------------
 */

/* Findings of the rule files themselves are stile_plan_load's to report. */
static const struct stile_node *rule_file(struct stile__reader *reader,
                                          const char *name)
{
    struct stile_diags quiet;
    struct stile_source *source =
        stile_arena_alloc(reader->arena, sizeof(*source));
    const char *path =
        stile_path_join(reader->arena, reader->config->mappings,
                        stile_arena_printf(reader->arena, "rules/%s", name));
    struct stile_str error;
    struct stile_node *root = NULL;

    stile_diags_init(&quiet, reader->arena, 0);
    if (!source || !path ||
        stile_file_read(path, 4u << 20, reader->arena, &source->text, &error) !=
            STILE_OK ||
        stile_doc_load(source, STILE_DOC_LIMITS, reader->arena, &quiet,
                       &root) != STILE_OK) {
        return NULL;
    }
    return root;
}

/* Keys of a map, or the text of `key` in each map of a list. */
static size_t words_of(const struct stile_node *node, const char *key,
                       struct stile_str words[WORDS_MAX])
{
    size_t count = 0;

    for (node = node ? node->first : NULL; node && count < WORDS_MAX;
         node = node->next) {
        struct stile_str word = key ? stile_node_text(node, key) : node->key;

        if (word.len > 0) {
            words[count++] = word;
        }
    }
    return count;
}

static void check_word(struct stile__reader *reader,
                       const struct stile_node *node,
                       enum stile__config_code code, const char *what,
                       const struct stile_str *words, size_t count)
{
    struct stile_diag *diag;

    if (!node || node->kind != STILE_NODE_TEXT || node->text.len == 0 ||
        count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(words[i], node->text)) {
            return;
        }
    }
    diag = stile__config_find(reader, node, code, STILE_ERROR,
                              "the %s '%.*s' is not known", what,
                              STILE_FMT(node->text));
    /* The nearest agreement is one with somebody else. */
    if (code != STILE__C129) {
        stile_diag_suggest(reader->diags, diag, node->text, words, count);
    }
}

static const struct stile_node *party_of(const struct stile_node *agreement,
                                         const char *as)
{
    const struct stile_node *between = stile_node_get(agreement, "between");
    const struct stile_node *party;

    for (party = between ? between->first : NULL; party; party = party->next) {
        if (stile_str_eqc(stile_node_text(party, "as"), as)) {
            return party;
        }
    }
    return NULL;
}

/* One end of a route against one party of its agreement. */
static void check_party(struct stile__reader *reader,
                        const struct stile_node *at,
                        const struct stile_node *agreement, const char *as,
                        const struct stile_partner *end)
{
    const struct stile_node *party = party_of(agreement, as);
    struct stile_str ods = stile_node_text(party, "ods");
    struct stile_str kind = stile_node_text(party, "kind");
    struct stile_str id = stile_node_text(agreement, "agreement");
    struct stile_diag *diag = NULL;

    if (ods.len > 0 && end->ods.len > 0 && !stile_str_eq(ods, end->ods)) {
        diag = stile__config_find(
            reader, at, STILE__C136, STILE_ERROR,
            "the %s of this route is %.*s, and that of agreement %.*s is "
            "%.*s, so nothing would go",
            as, STILE_FMT(end->ods), STILE_FMT(id), STILE_FMT(ods));
    } else if (kind.len > 0 && end->kind.len > 0 &&
               !stile_str_eq(kind, end->kind)) {
        diag = stile__config_find(
            reader, at, STILE__C136, STILE_ERROR,
            "the %s of this route, %.*s, is %.*s here, and %.*s in "
            "agreement %.*s",
            as, STILE_FMT(ods), STILE_FMT(end->kind), STILE_FMT(kind),
            STILE_FMT(id));
    }
    if (diag) {
        stile_diag_second(diag, party->source, party->span);
    }
}

static void check_parties(struct stile__reader *reader,
                          const struct stile_node *agreements)
{
    const struct stile_config *config = reader->config;
    const struct stile_partner self = {
        .ods = config->ods, .kind = config->kind, .own = true};

    for (size_t i = 0; i < config->route_count; i++) {
        const struct stile_route *route = &config->routes[i];
        const struct stile_node *at = stile_node_get(
            stile__config_item(config, "routes", i), "agreement");
        const struct stile_node *entry = agreements ? agreements->first : NULL;

        if (!at || route->to >= config->partner_count ||
            config->partners[route->to].partner.own) {
            continue;
        }
        for (; entry; entry = entry->next) {
            if (stile_str_eq(stile_node_text(entry, "agreement"), at->text)) {
                check_party(reader, at, entry, "sender", &self);
                check_party(reader, at, entry, "recipient",
                            &config->partners[route->to].partner);
                break;
            }
        }
    }
}

static void check_rule_words(struct stile__reader *reader)
{
    const struct stile_config *config = reader->config;
    const struct stile_node *vocabulary = rule_file(reader, "vocabulary.yaml");
    const struct stile_node *agreements = rule_file(reader, "agreements.yaml");
    struct stile_str words[WORDS_MAX];
    size_t count;

    if (agreements && agreements->kind == STILE_NODE_MAP) {
        agreements = stile_node_get(agreements, "agreements");
    }
    count = words_of(stile_node_get(vocabulary, "purposes"), NULL, words);
    for (size_t i = 0; i < config->route_count; i++) {
        check_word(
            reader,
            stile_node_get(stile__config_item(config, "routes", i), "purpose"),
            STILE__C128, "purpose", words, count);
    }
    count = words_of(agreements, "agreement", words);
    for (size_t i = 0; i < config->route_count; i++) {
        check_word(reader,
                   stile_node_get(stile__config_item(config, "routes", i),
                                  "agreement"),
                   STILE__C129, "agreement", words, count);
    }
    check_parties(reader, agreements);
    count = words_of(stile_node_get(vocabulary, "kinds"), NULL, words);
    check_word(reader, gateway_node(config, "kind"), STILE__C113,
               "kind of organisation", words, count);
    for (size_t i = 0; i < config->partner_count; i++) {
        if (!config->partners[i].partner.own) {
            check_word(reader,
                       stile_node_get(stile__config_item(config, "partners", i),
                                      "kind"),
                       STILE__C113, "kind of organisation", words, count);
        }
    }
}

/* The folder is a proposal; what decides is what the store says is in force. */
static void check_in_force(struct stile__reader *reader,
                           const struct stile_plan_box *box)
{
    const struct stile_config *config = reader->config;
    struct stile_digest folder = stile_rules_digest(box->plan.rules);
    struct stile_rules_step *steps = NULL;
    struct stile_store *store = NULL;
    struct stile_str error;
    size_t count = 0;

    /* one that cannot be read is said when it is opened to be used */
    if (config->store &&
        stile_store_sqlite_open(config->store, true, reader->arena, &store,
                                &error) == STILE_OK) {
        if (store->ops->rules_steps(store, 1, reader->arena, &steps, &count) !=
            STILE_OK) {
            count = 0;
        }
        store->ops->close(&store);
    }
    if (count == 0) {
        (void)stile__config_find(reader, gateway_node(config, "mappings"),
                                 STILE__C139, STILE_WARNING,
                                 "no rule set is in force yet, and the gateway "
                                 "does not start without one");
    } else if (!stile_digest_eq(&steps[0].to, &folder)) {
        (void)stile__config_find(reader, gateway_node(config, "mappings"),
                                 STILE__C139, STILE_WARNING,
                                 "the rules in this folder are not those in "
                                 "force");
    }
}

enum stile_status stile_config_check(const char *path, stile_time now,
                                     struct stile_date today,
                                     struct stile_arena *arena,
                                     struct stile_diags *diags)
{
    struct stile_config *config = stile_arena_alloc(arena, sizeof(*config));
    struct stile__reader reader = {config, arena, diags};
    struct stile_plan_box *box = NULL;
    size_t before = diags->errors;
    enum stile_status status = STILE_OK;

    if (!config) {
        return STILE_NOMEM;
    }
    if (!stile__config_read(path, arena, diags, config)) {
        return STILE_INVALID;
    }
    stile__config_world(&reader, now);
    if (config->mappings) {
        check_rule_words(&reader);
        /* With NULL: the routes of a wrong file must not reach a plan. */
        status = stile_plan_load(config->mappings,
                                 diags->errors > before ? NULL : config, today,
                                 diags, &box);
        if (status == STILE_OK) {
            check_in_force(&reader, box);
        }
        stile_plan_release(&box);
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    return diags->errors > before ? STILE_INVALID : status;
}
