/*
 * stile.yaml to struct stile_config. Read downward:
 *   config.c        the shape of the file, key by key
 *   config_value.c  texts to values
 *   config_limits.c limits:, all optional
 *   config_cross.c  what must hold between the parts
 *   config_check.c  what must hold between the file and the world
 */
#include "config_private.h"

#define CONFIG_BYTES_MAX (1u << 20)

static const struct stile_key_spec root_keys[] = {
    {"gateway", STILE_WANT_MAP, true}, {"limits", STILE_WANT_MAP, false},
    {"retry", STILE_WANT_MAP, false},  {"partners", STILE_WANT_LIST, true},
    {"feeds", STILE_WANT_LIST, false}, {"routes", STILE_WANT_LIST, true},
};

static const struct stile_key_spec gateway_keys[] = {
    {"name", STILE_WANT_TEXT, true},
    {"ods", STILE_WANT_TEXT, true},
    {"organisation", STILE_WANT_TEXT, true},
    {"kind", STILE_WANT_TEXT, true},
    {"listen", STILE_WANT_TEXT, true},
    {"admin", STILE_WANT_TEXT, true},
    {"certificate", STILE_WANT_TEXT, true},
    {"key", STILE_WANT_TEXT, true},
    {"trust", STILE_WANT_TEXT, true},
    {"crl", STILE_WANT_TEXT, false},
    {"groups", STILE_WANT_TEXT, false},
    {"audit-key", STILE_WANT_TEXT, true},
    {"store", STILE_WANT_TEXT, true},
    {"mappings", STILE_WANT_TEXT, true},
    {"officers", STILE_WANT_TEXT, false},
    {"log", STILE_WANT_TEXT, false},
    {"checkpoint", STILE_WANT_TEXT, false},
    {"drain", STILE_WANT_TEXT, false},
};

static const struct stile_key_spec retry_keys[] = {
    {"least", STILE_WANT_TEXT, false},
    {"most", STILE_WANT_TEXT, false},
    {"give-up", STILE_WANT_TEXT, false},
};

static const struct stile_key_spec partner_keys[] = {
    {"partner", STILE_WANT_TEXT, true},
    {"ods", STILE_WANT_TEXT, true},
    {"kind", STILE_WANT_TEXT, true},
    {"url", STILE_WANT_TEXT, false},
    {"certificate", STILE_WANT_TEXT_OR_LIST, false},
    {"pin", STILE_WANT_TEXT, false},
    {"folder", STILE_WANT_TEXT, false},
    {"window", STILE_WANT_TEXT, false},
};

static const struct stile_key_spec feed_keys[] = {
    {"feed", STILE_WANT_TEXT, true},       {"kind", STILE_WANT_TEXT, true},
    {"folder", STILE_WANT_TEXT, true},     {"family", STILE_WANT_TEXT, true},
    {"poll", STILE_WANT_TEXT, false},      {"ods", STILE_WANT_TEXT, false},
    {"hold-days", STILE_WANT_TEXT, false},
};

static const struct stile_key_spec route_keys[] = {
    {"route", STILE_WANT_TEXT, true},    {"from", STILE_WANT_TEXT, true},
    {"to", STILE_WANT_TEXT, true},       {"format", STILE_WANT_TEXT, true},
    {"purpose", STILE_WANT_TEXT, false}, {"agreement", STILE_WANT_TEXT, false},
};

#define EXPECT(reader, map, what, specs)                                       \
    ((void)stile_node_expect((map), (what), (specs),                           \
                             sizeof(specs) / sizeof((specs)[0]),               \
                             (reader)->diags))

static void defaults(struct stile_config *config)
{
    config->limits = stile_net_defaults;
    config->retry = STILE_RETRY;
    config->json = STILE_JSON_LIMITS;
    config->csv = STILE_CSV_LIMITS;
    config->exchanges_max = 64;
    config->store_queue_max = 1024;
    config->arena_bytes = (size_t)256 << 20;
    config->checkpoint_ms = 10000;
    config->keep_ids_ms = UINT64_C(35) * 86400000;
    config->keep_rows_ms = UINT64_C(90) * 86400000;
    config->keep_quarantine_ms = UINT64_C(90) * 86400000;
    config->review_days = 3;
    config->review_keep_ms = UINT64_C(90) * 86400000;
    config->approval_ms = UINT64_C(30) * 86400000;
    config->drain_ms = 30000;
    config->persons_max = 1000;
}

static void read_ms(struct stile__reader *reader, const struct stile_node *node,
                    uint64_t most_ms, uint64_t *ret)
{
    stile_time value = (stile_time)*ret * 1000;

    stile__config_duration(reader, node, 100000, (stile_time)most_ms * 1000,
                           &value);
    *ret = (uint64_t)(value / 1000);
}

static bool is_loopback(const char *host)
{
    struct stile_str text = stile_str_cstr(host);

    return stile_str_starts(text, STILE_STR("127.")) ||
           stile_str_eqc(text, "::1");
}

/* Every address of the machine, so also the other one's. */
static bool is_wildcard(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static void read_gateway(struct stile__reader *reader,
                         const struct stile_node *map)
{
    static const struct stile_str logs[] = {{"plain", 5}, {"json", 4}};
    struct stile_config *config = reader->config;

    EXPECT(reader, map, "gateway", gateway_keys);
    stile__config_name(reader, stile_node_get(map, "name"), &config->name);
    stile__config_ods(reader, stile_node_get(map, "ods"), &config->ods);
    config->organisation = stile_node_text(map, "organisation");
    config->kind = stile_node_text(map, "kind");
    stile__config_address(reader, stile_node_get(map, "listen"),
                          &config->listen, &config->listen_port);
    stile__config_address(reader, stile_node_get(map, "admin"), &config->admin,
                          &config->admin_port);
    if (config->admin && !is_loopback(config->admin)) {
        (void)stile__config_find(
            reader, stile_node_get(map, "admin"), STILE__C124, STILE_WARNING,
            "the admin address '%s' can be reached from outside",
            config->admin);
    }
    if (config->listen && config->admin && config->listen_port != 0 &&
        config->listen_port == config->admin_port &&
        (strcmp(config->listen, config->admin) == 0 ||
         is_wildcard(config->listen) || is_wildcard(config->admin))) {
        (void)stile__config_find(
            reader, stile_node_get(map, "admin"), STILE__C135, STILE_ERROR,
            "'listen' (%s) and 'admin' (%s) are both on port %d",
            config->listen, config->admin, config->admin_port);
    }
    stile__config_file(reader, stile_node_get(map, "certificate"),
                       &config->tls.certificate);
    stile__config_file(reader, stile_node_get(map, "key"), &config->tls.key);
    stile__config_file(reader, stile_node_get(map, "trust"),
                       &config->tls.trust);
    stile__config_file(reader, stile_node_get(map, "crl"), &config->tls.crl);
    if (stile_node_text(map, "groups").len > 0) {
        config->tls.groups =
            stile_arena_cstr(reader->arena, stile_node_text(map, "groups"));
    }
    stile__config_file(reader, stile_node_get(map, "audit-key"),
                       &config->audit_key);
    stile__config_file(reader, stile_node_get(map, "officers"),
                       &config->officers);
    stile__config_path(reader, stile_node_get(map, "store"), &config->store);
    stile__config_path(reader, stile_node_get(map, "mappings"),
                       &config->mappings);
    config->log_json = stile__config_word(reader, stile_node_get(map, "log"),
                                          "form of log", logs, 2) == 1;
    read_ms(reader, stile_node_get(map, "checkpoint"), 86400000,
            &config->checkpoint_ms);
    read_ms(reader, stile_node_get(map, "drain"), 3600000, &config->drain_ms);
    config->audit_origin =
        stile_arena_printf(reader->arena, "%.*s.%.*s.stile",
                           STILE_FMT(config->name), STILE_FMT(config->ods));
}

static void read_retry(struct stile__reader *reader,
                       const struct stile_node *map)
{
    const stile_time year = 365 * 86400 * STILE_SECOND;
    struct stile_retry *retry = &reader->config->retry;

    if (!map) {
        return;
    }
    EXPECT(reader, map, "retry", retry_keys);
    stile__config_duration(reader, stile_node_get(map, "least"), 100000,
                           86400 * STILE_SECOND, &retry->least);
    stile__config_duration(reader, stile_node_get(map, "most"), STILE_SECOND,
                           7 * 86400 * STILE_SECOND, &retry->most);
    stile__config_duration(reader, stile_node_get(map, "give-up"), STILE_SECOND,
                           year, &retry->give_up);
    if (retry->least > retry->most || retry->most > retry->give_up) {
        (void)stile__config_find(reader, map, STILE__C125, STILE_ERROR,
                                 "the times of retry are out of order");
    }
}

static void read_partner(struct stile__reader *reader,
                         const struct stile_node *map,
                         struct stile_partner_config *ret)
{
    uint64_t window;

    ret->policy = STILE_PARTNER_POLICY;
    window = ret->policy.window;
    EXPECT(reader, map, "a partner", partner_keys);
    stile__config_name(reader, stile_node_get(map, "partner"),
                       &ret->partner.name);
    stile__config_ods(reader, stile_node_get(map, "ods"), &ret->partner.ods);
    ret->partner.kind = stile_node_text(map, "kind");
    ret->partner.own = stile_str_eqc(ret->partner.kind, "own-system");
    stile__config_url(reader, stile_node_get(map, "url"), &ret->url);
    stile__config_path(reader, stile_node_get(map, "folder"), &ret->folder);
    stile__config_pin(reader, stile_node_get(map, "pin"), &ret->pin);
    stile__config_certificates(reader, stile_node_get(map, "certificate"), ret);
    stile__config_number(reader, stile_node_get(map, "window"), 1, 1024,
                         &window);
    ret->policy.window = (uint32_t)window;
}

static void read_feed(struct stile__reader *reader,
                      const struct stile_node *map,
                      struct stile_feed_config *ret)
{
    static const struct stile_str kinds[] = {{"folder", 6}};
    static const struct stile_str families[] = {
        {"emis", 4}, {"systmone", 8}, {"vcse-case", 9}, {"fhir", 4}};
    uint64_t days = 14;

    ret->poll_ms = 1000;
    ret->ods = reader->config->ods;
    EXPECT(reader, map, "a feed", feed_keys);
    stile__config_name(reader, stile_node_get(map, "feed"), &ret->name);
    (void)stile__config_word(reader, stile_node_get(map, "kind"),
                             "kind of feed", kinds, 1);
    (void)stile__config_word(reader, stile_node_get(map, "family"), "family",
                             families, 4);
    ret->family = stile_node_text(map, "family");
    stile__config_path(reader, stile_node_get(map, "folder"), &ret->folder);
    read_ms(reader, stile_node_get(map, "poll"), 86400000, &ret->poll_ms);
    stile__config_ods(reader, stile_node_get(map, "ods"), &ret->ods);
    stile__config_number(reader, stile_node_get(map, "hold-days"), 1, 3650,
                         &days);
    ret->hold_days = (stile_time)days;
}

static void read_route(struct stile__reader *reader,
                       const struct stile_node *map, struct stile_route *ret)
{
    EXPECT(reader, map, "a route", route_keys);
    stile__config_name(reader, stile_node_get(map, "route"), &ret->name);
    ret->from = stile_node_text(map, "from");
    ret->to = SIZE_MAX; /* config_cross.c finds it */
    ret->format = stile_node_text(map, "format");
    ret->purpose = stile_node_text(map, "purpose");
    ret->agreement = stile_node_text(map, "agreement");
}

static const struct stile_node *list_of(const struct stile_node *root,
                                        const char *key)
{
    const struct stile_node *list = stile_node_get(root, key);

    return list && list->kind == STILE_NODE_LIST ? list : NULL;
}

static void *new_items(struct stile__reader *reader,
                       const struct stile_node *list, size_t size)
{
    return list ? stile_arena_array(reader->arena, list->count, size) : NULL;
}

static void read_lists(struct stile__reader *reader,
                       const struct stile_node *root)
{
    struct stile_config *config = reader->config;
    const struct stile_node *list = list_of(root, "partners");
    struct stile_partner_config *partners =
        new_items(reader, list, sizeof(*partners));
    struct stile_feed_config *feeds;
    struct stile_route *routes;
    const struct stile_node *item;

    for (item = partners ? list->first : NULL; item; item = item->next) {
        read_partner(reader, item, &partners[config->partner_count++]);
    }
    list = list_of(root, "feeds");
    feeds = new_items(reader, list, sizeof(*feeds));
    for (item = feeds ? list->first : NULL; item; item = item->next) {
        read_feed(reader, item, &feeds[config->feed_count++]);
    }
    list = list_of(root, "routes");
    routes = new_items(reader, list, sizeof(*routes));
    for (item = routes ? list->first : NULL; item; item = item->next) {
        read_route(reader, item, &routes[config->route_count++]);
    }
    config->partners = partners;
    config->feeds = feeds;
    config->routes = routes;
}

const struct stile_node *stile__config_item(const struct stile_config *config,
                                            const char *list, size_t i)
{
    const struct stile_node *node = stile_node_get(config->root, list);

    for (node = node ? node->first : NULL; node && i > 0; i--) {
        node = node->next;
    }
    return node;
}

static const char *folder_of(struct stile_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash) {
        return "";
    }
    return stile_arena_cstr(
        arena, (struct stile_str){path, (size_t)(slash - path) + 1});
}

bool stile__config_read(const char *path, struct stile_arena *arena,
                        struct stile_diags *diags, struct stile_config *config)
{
    struct stile__reader reader = {config, arena, diags};
    struct stile_str error = STILE_STR_NULL;
    struct stile_node *root = NULL;

    defaults(config);
    config->folder = folder_of(arena, path);
    config->source.name = stile_arena_str(arena, stile_str_cstr(path));
    if (stile_file_read(path, CONFIG_BYTES_MAX, arena, &config->source.text,
                        &error) != STILE_OK) {
        stile__config_file_find(diags, "C101", path, error);
        return false;
    }
    if (stile_doc_load(&config->source, STILE_DOC_LIMITS, arena, diags,
                       &root) != STILE_OK) {
        return false;
    }
    config->root = root;
    EXPECT(&reader, root, "stile.yaml", root_keys);
    if (root->kind != STILE_NODE_MAP) {
        return false;
    }
    if (stile_node_get(root, "gateway")) {
        read_gateway(&reader, stile_node_get(root, "gateway"));
    }
    if (stile_node_get(root, "limits")) {
        stile__config_limits(&reader, stile_node_get(root, "limits"));
    }
    read_retry(&reader, stile_node_get(root, "retry"));
    read_lists(&reader, root);
    stile__config_cross(&reader);
    return true;
}

enum stile_status stile_config_load(const char *path, struct stile_arena *arena,
                                    struct stile_diags *diags,
                                    struct stile_config **ret)
{
    struct stile_config *config = stile_arena_alloc(arena, sizeof(*config));
    size_t before = diags->errors;
    bool read;

    if (!config) {
        return STILE_NOMEM;
    }
    read = stile__config_read(path, arena, diags, config);
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    if (!read || diags->errors > before) {
        return STILE_INVALID;
    }
    *ret = config;
    return STILE_OK;
}
