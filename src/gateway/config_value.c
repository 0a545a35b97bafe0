/* Texts of stile.yaml to values, each with its finding. */
#include "config_private.h"

#include <arpa/inet.h>
#include <unistd.h>

static const struct {
    const char *code, *next;
} codes[] = {
#define X(code, next) {#code, next},
    STILE_CONFIG_LIST(X)
#undef X
};

struct stile_diag *stile__config_find(struct stile__reader *reader,
                                      const struct stile_node *node,
                                      enum stile__config_code code,
                                      enum stile_severity severity,
                                      const char *format, ...)
{
    struct stile_str what;
    va_list args;

    va_start(args, format);
    what = stile_arena_vprintf(reader->arena, format, args);
    va_end(args);
    return stile_node_diag(reader->diags, node, codes[code].code, severity,
                           "%.*s; %s", STILE_FMT(what), codes[code].next);
}

void stile__config_file_find(struct stile_diags *diags, const char *code,
                             const char *path, struct stile_str message)
{
    struct stile_source source = {stile_str_cstr(path), STILE_STR("")};
    struct stile_diag *diag = stile_diag_at_source(
        diags, code, STILE_ERROR, &source, (struct stile_span){0, 0}, "%.*s",
        STILE_FMT(message));

    if (diag) {
        diag->line = 0;
        diag->column = 0;
        diag->quoted = STILE_STR_NULL;
    }
}

/* Leading digits; *ret_rest is what follows. False without a digit, or when
 * the number is too large to be any of ours. */
static bool digits(struct stile_str text, uint64_t *ret,
                   struct stile_str *ret_rest)
{
    uint64_t value = 0;
    size_t i;

    for (i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        if (value > (uint64_t)INT64_MAX / 10 - 1) {
            return false;
        }
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *ret = value;
    *ret_rest = stile_str_sub(text, i, SIZE_MAX);
    return i > 0;
}

void stile__config_number(struct stile__reader *reader,
                          const struct stile_node *node, uint64_t least,
                          uint64_t most, uint64_t *ret)
{
    struct stile_str rest;
    uint64_t value;

    if (!node || node->kind != STILE_NODE_TEXT) {
        return;
    }
    if (!digits(node->text, &value, &rest) || rest.len > 0 || value < least ||
        value > most) {
        (void)stile__config_find(
            reader, node, STILE__C102, STILE_ERROR,
            "'%.*s' is not a number from %llu to %llu", STILE_FMT(node->text),
            (unsigned long long)least, (unsigned long long)most);
        return;
    }
    *ret = value;
}

struct unit {
    const char *name;
    uint64_t times;
};

/* A whole number and one of the units; the empty unit may be among them. */
static bool with_unit(struct stile_str text, const struct unit *units,
                      size_t count, uint64_t *ret)
{
    struct stile_str rest;
    uint64_t value;

    if (!digits(text, &value, &rest)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eqc(rest, units[i].name)) {
            if (value > (uint64_t)INT64_MAX / units[i].times) {
                return false;
            }
            *ret = value * units[i].times;
            return true;
        }
    }
    return false;
}

void stile__config_bytes(struct stile__reader *reader,
                         const struct stile_node *node, uint64_t least,
                         uint64_t most, uint64_t *ret)
{
    static const struct unit units[] = {
        {"", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}};
    uint64_t value;

    if (!node || node->kind != STILE_NODE_TEXT) {
        return;
    }
    if (!with_unit(node->text, units, sizeof(units) / sizeof(units[0]),
                   &value) ||
        value < least || value > most) {
        (void)stile__config_find(reader, node, STILE__C104, STILE_ERROR,
                                 "'%.*s' is not a size from %llu to %llu bytes",
                                 STILE_FMT(node->text),
                                 (unsigned long long)least,
                                 (unsigned long long)most);
        return;
    }
    *ret = value;
}

void stile__config_duration(struct stile__reader *reader,
                            const struct stile_node *node, stile_time least,
                            stile_time most, stile_time *ret)
{
    static const struct unit units[] = {{"ms", 1000},
                                        {"s", 1000000},
                                        {"m", 60000000},
                                        {"h", UINT64_C(3600000000)},
                                        {"d", UINT64_C(86400000000)}};
    uint64_t value;

    if (!node || node->kind != STILE_NODE_TEXT) {
        return;
    }
    if (!with_unit(node->text, units, sizeof(units) / sizeof(units[0]),
                   &value) ||
        value < (uint64_t)least || value > (uint64_t)most) {
        (void)stile__config_find(
            reader, node, STILE__C103, STILE_ERROR,
            "'%.*s' is not a time from %lldms to %lldms", STILE_FMT(node->text),
            (long long)(least / 1000), (long long)(most / 1000));
        return;
    }
    *ret = (stile_time)value;
}

/* "127.0.0.1:8443" or "[::1]:8443". */
static bool address_parts(struct stile_str text, struct stile_str *ret_host,
                          struct stile_str *ret_port)
{
    size_t colon = text.len;

    while (colon > 0 && text.ptr[colon - 1] != ':') {
        colon--;
    }
    if (colon < 2) {
        return false;
    }
    *ret_port = stile_str_sub(text, colon, SIZE_MAX);
    *ret_host = stile_str_sub(text, 0, colon - 1);
    if (stile_str_starts(*ret_host, STILE_STR("[")) &&
        stile_str_ends(*ret_host, STILE_STR("]"))) {
        *ret_host = stile_str_sub(*ret_host, 1, ret_host->len - 2);
        return stile_str_find(*ret_host, ':') != SIZE_MAX;
    }
    return stile_str_find(*ret_host, ':') == SIZE_MAX;
}

void stile__config_address(struct stile__reader *reader,
                           const struct stile_node *node, const char **ret_host,
                           int *ret_port)
{
    struct stile_str host, port;
    unsigned char binary[16];
    const char *text;
    int64_t number;

    if (!node || node->kind != STILE_NODE_TEXT || node->text.len == 0) {
        return;
    }
    if (!address_parts(node->text, &host, &port) ||
        !stile_str_to_int64(port, &number) || number < 0 || number > 65535 ||
        (text = stile_arena_cstr(reader->arena, host)) == NULL ||
        (inet_pton(AF_INET, text, binary) != 1 &&
         inet_pton(AF_INET6, text, binary) != 1)) {
        (void)stile__config_find(reader, node, STILE__C105, STILE_ERROR,
                                 "'%.*s' is not an address to listen on",
                                 STILE_FMT(node->text));
        return;
    }
    *ret_host = text;
    *ret_port = (int)number;
}

static bool is_name(struct stile_str s)
{
    if (s.len == 0 || s.len > 64 || s.ptr[0] < 'a' || s.ptr[0] > 'z') {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
            return false;
        }
    }
    return true;
}

/* Names stand in paths, log lines and audit entries, so they are plain. */
void stile__config_name(struct stile__reader *reader,
                        const struct stile_node *node, struct stile_str *ret)
{
    if (!node || node->kind != STILE_NODE_TEXT || node->text.len == 0) {
        return;
    }
    if (!is_name(node->text)) {
        (void)stile__config_find(reader, node, STILE__C106, STILE_ERROR,
                                 "'%.*s' cannot be a name",
                                 STILE_FMT(node->text));
    }
    /* Kept all the same, so that routes to it do not report it again. */
    *ret = node->text;
}

void stile__config_ods(struct stile__reader *reader,
                       const struct stile_node *node, struct stile_str *ret)
{
    if (!node || node->kind != STILE_NODE_TEXT || node->text.len == 0) {
        return;
    }
    if (!stile_ods_valid(node->text)) {
        (void)stile__config_find(reader, node, STILE__C108, STILE_ERROR,
                                 "'%.*s' is not an ODS code",
                                 STILE_FMT(node->text));
        return;
    }
    *ret = node->text;
}

/* The client checks more; this finds slips of the pen. */
static bool is_url(struct stile_str url)
{
    struct stile_str rest, host;
    size_t end, colon;
    int64_t port;

    if (!stile_str_starts(url, STILE_STR("https://"))) {
        return false;
    }
    rest = stile_str_sub(url, 8, SIZE_MAX);
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] <= ' ' || rest.ptr[i] == 0x7f || rest.ptr[i] == '@' ||
            rest.ptr[i] == '?' || rest.ptr[i] == '#') {
            return false;
        }
    }
    end = stile_str_find(rest, '/');
    host = end == SIZE_MAX ? rest : stile_str_sub(rest, 0, end);
    colon = stile_str_find(host, ':');
    if (stile_str_starts(host, STILE_STR("["))) {
        return stile_str_find(host, ']') != SIZE_MAX;
    }
    if (colon == SIZE_MAX) {
        return host.len > 0;
    }
    return colon > 0 &&
           stile_str_to_int64(stile_str_sub(host, colon + 1, SIZE_MAX),
                              &port) &&
           port > 0 && port <= 65535;
}

void stile__config_url(struct stile__reader *reader,
                       const struct stile_node *node, const char **ret)
{
    if (!node || node->kind != STILE_NODE_TEXT || node->text.len == 0) {
        return;
    }
    if (!is_url(node->text)) {
        (void)stile__config_find(reader, node, STILE__C109, STILE_ERROR,
                                 "'%.*s' is not a partner's address",
                                 STILE_FMT(node->text));
    }
    *ret = stile_arena_cstr(reader->arena, node->text);
}

void stile__config_pin(struct stile__reader *reader,
                       const struct stile_node *node, const char **ret)
{
    struct stile_str prefix = STILE_STR("sha256//");
    struct stile_buf key;
    bool good;

    if (!node || node->kind != STILE_NODE_TEXT || node->text.len == 0) {
        return;
    }
    stile_buf_init(&key, 64);
    good = stile_str_starts(node->text, prefix) &&
           stile_base64_decode(
               &key, stile_str_sub(node->text, prefix.len, SIZE_MAX)) &&
           key.len == 32;
    stile_buf_release(&key);
    if (!good) {
        (void)stile__config_find(reader, node, STILE__C110, STILE_ERROR,
                                 "'%.*s' is not a pin", STILE_FMT(node->text));
        return;
    }
    *ret = stile_arena_cstr(reader->arena, node->text);
}

void stile__config_path(struct stile__reader *reader,
                        const struct stile_node *node, const char **ret)
{
    if (node && node->kind == STILE_NODE_TEXT && node->text.len > 0) {
        *ret =
            stile_path_join(reader->arena, reader->config->folder, node->text);
    }
}

void stile__config_file(struct stile__reader *reader,
                        const struct stile_node *node, const char **ret)
{
    const char *path = NULL;

    stile__config_path(reader, node, &path);
    if (!path) {
        return;
    }
    if (access(path, R_OK) != 0) {
        (void)stile__config_find(reader, node, STILE__C123, STILE_ERROR,
                                 "%s cannot be read", path);
    }
    *ret = path;
}

size_t stile__config_word(struct stile__reader *reader,
                          const struct stile_node *node, const char *what,
                          const struct stile_str *words, size_t count)
{
    struct stile_buf list;
    struct stile_diag *diag;

    if (!node || node->kind != STILE_NODE_TEXT || node->text.len == 0) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(node->text, words[i])) {
            return i;
        }
    }
    stile_buf_init(&list, 4096);
    for (size_t i = 0; i < count; i++) {
        stile_buf_addc(&list, i > 0 ? ", " : "");
        stile_buf_add(&list, words[i]);
    }
    diag = stile__config_find(reader, node, STILE__C113, STILE_ERROR,
                              "'%.*s' is no %s (%.*s)", STILE_FMT(node->text),
                              what, STILE_FMT(stile_buf_str(&list)));
    stile_diag_suggest(reader->diags, diag, node->text, words, count);
    stile_buf_release(&list);
    return SIZE_MAX;
}

static bool fingerprint_of(struct stile__reader *reader,
                           const struct stile_node *node,
                           struct stile_digest *ret)
{
    struct stile_str prefix = STILE_STR("sha256:");
    struct stile_str pem, error;
    const char *path = NULL;
    stile_time until;

    if (stile_str_starts(node->text, prefix)) {
        if (stile_digest_parse(stile_str_sub(node->text, prefix.len, SIZE_MAX),
                               ret)) {
            return true;
        }
        (void)stile__config_find(reader, node, STILE__C111, STILE_ERROR,
                                 "'%.*s' is not a fingerprint",
                                 STILE_FMT(node->text));
        return false;
    }
    stile__config_path(reader, node, &path);
    if (!path) {
        return false;
    }
    if (stile_file_read(path, 1u << 20, reader->arena, &pem, &error) !=
        STILE_OK) {
        (void)stile__config_find(reader, node, STILE__C111, STILE_ERROR, "%.*s",
                                 STILE_FMT(error));
        return false;
    }
    if (stile_certificate_read(pem, ret, &until) != STILE_OK) {
        (void)stile__config_find(reader, node, STILE__C111, STILE_ERROR,
                                 "%s holds no certificate", path);
        return false;
    }
    return true;
}

void stile__config_certificates(struct stile__reader *reader,
                                const struct stile_node *node,
                                struct stile_partner_config *partner)
{
    struct stile_digest *list;
    size_t count = 0;

    if (!node || node->kind == STILE_NODE_MAP) {
        return;
    }
    list = stile_arena_array(reader->arena,
                             node->kind == STILE_NODE_LIST ? node->count : 1,
                             sizeof(*list));
    if (!list) {
        return;
    }
    if (node->kind == STILE_NODE_TEXT) {
        count = fingerprint_of(reader, node, &list[0]) ? 1 : 0;
    }
    for (const struct stile_node *item = node->first; item; item = item->next) {
        if (item->kind != STILE_NODE_TEXT) {
            (void)stile__config_find(reader, item, STILE__C111, STILE_ERROR,
                                     "a certificate is not text");
        } else if (fingerprint_of(reader, item, &list[count])) {
            count++;
        }
    }
    partner->certificates = list;
    partner->certificate_count = count;
}
