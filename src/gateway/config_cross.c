/* What must hold between the parts of stile.yaml. */
#include "config_private.h"

/* Makers in stile_formats, at most. */
#define FORMATS_MAX 16

struct named {
    struct stile_str name;
    const struct stile_node *node;
};

static const struct stile_node *value_node(const struct stile_config *config,
                                           const char *list, size_t i,
                                           const char *key)
{
    const struct stile_node *item = stile__config_item(config, list, i);
    const struct stile_node *node = stile_node_get(item, key);

    return node ? node : item;
}

static void check_unique(struct stile__reader *reader,
                         const struct named *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i && names[i].name.len > 0; k++) {
            if (stile_str_eq(names[i].name, names[k].name)) {
                struct stile_diag *diag = stile__config_find(
                    reader, names[i].node, STILE__C107, STILE_ERROR,
                    "the name '%.*s' is taken", STILE_FMT(names[i].name));

                stile_diag_second(diag, names[k].node->source,
                                  names[k].node->span);
                break;
            }
        }
    }
}

/* Partners and feeds share one space of names: a route's `from` is either. */
static size_t gather(struct stile__reader *reader, struct named **ret)
{
    const struct stile_config *config = reader->config;
    size_t count = 0;
    struct named *names = stile_arena_array(
        reader->arena, config->partner_count + config->feed_count,
        sizeof(*names));

    if (!names) {
        return 0;
    }
    for (size_t i = 0; i < config->partner_count; i++) {
        names[count++] =
            (struct named){config->partners[i].partner.name,
                           value_node(config, "partners", i, "partner")};
    }
    for (size_t i = 0; i < config->feed_count; i++) {
        names[count++] = (struct named){config->feeds[i].name,
                                        value_node(config, "feeds", i, "feed")};
    }
    *ret = names;
    return count;
}

static void check_own(struct stile__reader *reader, size_t i)
{
    const struct stile_config *config = reader->config;
    const struct stile_partner_config *partner = &config->partners[i];

    if (!partner->folder && !partner->url) {
        (void)stile__config_find(
            reader, value_node(config, "partners", i, "partner"), STILE__C117,
            STILE_ERROR, "nothing can be sent to '%.*s'",
            STILE_FMT(partner->partner.name));
    }
    if (partner->partner.ods.len > 0 && config->ods.len > 0 &&
        !stile_str_eq(partner->partner.ods, config->ods)) {
        (void)stile__config_find(
            reader, value_node(config, "partners", i, "ods"), STILE__C118,
            STILE_ERROR, "'%.*s' is of organisation %.*s, the gateway of %.*s",
            STILE_FMT(partner->partner.name), STILE_FMT(partner->partner.ods),
            STILE_FMT(config->ods));
    }
}

static void check_other(struct stile__reader *reader, size_t i)
{
    const struct stile_config *config = reader->config;
    const struct stile_partner_config *partner = &config->partners[i];
    const struct stile_node *item = stile__config_item(config, "partners", i);

    if (!stile_node_get(item, "url")) {
        (void)stile__config_find(
            reader, value_node(config, "partners", i, "partner"), STILE__C119,
            STILE_ERROR, "'%.*s' has no url", STILE_FMT(partner->partner.name));
    }
    if (!stile_node_get(item, "certificate")) {
        (void)stile__config_find(
            reader, value_node(config, "partners", i, "partner"), STILE__C120,
            STILE_ERROR, "'%.*s' has no certificate",
            STILE_FMT(partner->partner.name));
    }
}

static bool shares_certificate(const struct stile_partner_config *a,
                               const struct stile_partner_config *b)
{
    for (size_t i = 0; i < a->certificate_count; i++) {
        for (size_t k = 0; k < b->certificate_count; k++) {
            if (stile_digest_eq(&a->certificates[i], &b->certificates[k])) {
                return true;
            }
        }
    }
    return false;
}

static void check_partners(struct stile__reader *reader)
{
    const struct stile_config *config = reader->config;

    for (size_t i = 0; i < config->partner_count; i++) {
        if (config->partners[i].partner.own) {
            check_own(reader, i);
        } else {
            check_other(reader, i);
        }
        for (size_t k = 0; k < i; k++) {
            if (shares_certificate(&config->partners[i],
                                   &config->partners[k])) {
                (void)stile__config_find(
                    reader, value_node(config, "partners", i, "certificate"),
                    STILE__C112, STILE_ERROR,
                    "'%.*s' and '%.*s' have the same certificate",
                    STILE_FMT(config->partners[i].partner.name),
                    STILE_FMT(config->partners[k].partner.name));
            }
        }
    }
}

static void unknown_end(struct stile__reader *reader,
                        const struct stile_node *node,
                        enum stile__config_code code, const struct named *names,
                        size_t count)
{
    struct stile_str *known =
        stile_arena_array(reader->arena, count, sizeof(*known));
    struct stile_diag *diag;

    if (!node || !known || node->kind != STILE_NODE_TEXT ||
        node->text.len == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        known[i] = names[i].name;
    }
    diag = stile__config_find(reader, node, code, STILE_ERROR,
                              "'%.*s' is not known", STILE_FMT(node->text));
    stile_diag_suggest(reader->diags, diag, node->text, known, count);
}

static size_t find_name(const struct named *names, size_t count,
                        struct stile_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (name.len > 0 && stile_str_eq(names[i].name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void check_format(struct stile__reader *reader,
                         const struct stile_node *node)
{
    struct stile_str names[FORMATS_MAX];
    struct stile_diag *diag;
    size_t count = 0;

    if (!node || node->kind != STILE_NODE_TEXT || node->text.len == 0) {
        return;
    }
    for (size_t i = 0; stile_formats[i] && count < FORMATS_MAX; i++) {
        /* "csv" reads any table; a route must say which form it writes. */
        if (strcmp(stile_formats[i]->name, "csv") != 0) {
            names[count++] = stile_str_cstr(stile_formats[i]->name);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(names[i], node->text)) {
            return;
        }
    }
    diag = stile__config_find(reader, node, STILE__C116, STILE_ERROR,
                              "the format '%.*s' is not known",
                              STILE_FMT(node->text));
    stile_diag_suggest(reader->diags, diag, node->text, names, count);
}

static void check_disclosure(struct stile__reader *reader, size_t i)
{
    const struct stile_config *config = reader->config;
    const struct stile_route *route = &config->routes[i];
    const struct stile_node *at = value_node(config, "routes", i, "route");

    if (route->purpose.len == 0) {
        (void)stile__config_find(reader, at, STILE__C121, STILE_ERROR,
                                 "the route '%.*s' has no purpose",
                                 STILE_FMT(route->name));
    }
    if (route->agreement.len == 0) {
        (void)stile__config_find(reader, at, STILE__C122, STILE_ERROR,
                                 "the route '%.*s' has no agreement",
                                 STILE_FMT(route->name));
    }
}

static void check_route(struct stile__reader *reader, size_t i,
                        struct stile_route *route, const struct named *names,
                        size_t count)
{
    const struct stile_config *config = reader->config;
    const struct stile_node *item = stile__config_item(config, "routes", i);
    size_t from = find_name(names, count, route->from);
    size_t to =
        find_name(names, config->partner_count, stile_node_text(item, "to"));

    if (from == SIZE_MAX) {
        unknown_end(reader, stile_node_get(item, "from"), STILE__C114, names,
                    count);
    }
    check_format(reader, stile_node_get(item, "format"));
    if (to == SIZE_MAX) {
        unknown_end(reader, stile_node_get(item, "to"), STILE__C115, names,
                    config->partner_count);
        return;
    }
    route->to = to;
    if (from == to) {
        (void)stile__config_find(
            reader, stile_node_get(item, "to"), STILE__C126, STILE_ERROR,
            "'%.*s' would get its own messages back", STILE_FMT(route->from));
    }
    if (from != SIZE_MAX && from < config->partner_count &&
        config->partners[from].partner.own &&
        config->partners[from].certificate_count == 0 &&
        !stile_node_get(stile__config_item(config, "partners", from),
                        "certificate")) {
        (void)stile__config_find(
            reader, stile_node_get(item, "from"), STILE__C120, STILE_ERROR,
            "'%.*s' sends, but has no certificate", STILE_FMT(route->from));
    }
    if (!config->partners[to].partner.own) {
        check_disclosure(reader, i);
    }
}

static void check_used(struct stile__reader *reader, const struct named *names,
                       size_t count)
{
    const struct stile_config *config = reader->config;

    for (size_t i = 0; i < count; i++) {
        bool used = names[i].name.len == 0;

        for (size_t k = 0; k < config->route_count && !used; k++) {
            used = stile_str_eq(config->routes[k].from, names[i].name) ||
                   config->routes[k].to == i;
        }
        if (!used) {
            (void)stile__config_find(
                reader, names[i].node, STILE__C127, STILE_WARNING,
                "no route is from or to '%.*s'", STILE_FMT(names[i].name));
        }
    }
}

void stile__config_cross(struct stile__reader *reader)
{
    const struct stile_config *config = reader->config;
    struct stile_route *routes;
    struct named *names = NULL, *route_names;
    size_t count = gather(reader, &names);

    check_unique(reader, names, count);
    check_partners(reader);
    routes =
        stile_arena_array(reader->arena, config->route_count, sizeof(*routes));
    route_names = stile_arena_array(reader->arena, config->route_count,
                                    sizeof(*route_names));
    if (!routes || !route_names) {
        return;
    }
    for (size_t i = 0; i < config->route_count; i++) {
        routes[i] = config->routes[i];
        check_route(reader, i, &routes[i], names, count);
        route_names[i] = (struct named){
            routes[i].name, value_node(config, "routes", i, "route")};
    }
    reader->config->routes = routes;
    check_unique(reader, route_names, config->route_count);
    check_used(reader, names, count);
}
