/* limits: of stile.yaml. Each key is optional, each has a range. */
#include "config_private.h"

enum limit_kind {
    LIMIT_BYTES, /* into a size_t */
    LIMIT_SIZE,  /* a number, into a size_t */
    LIMIT_U32,
    LIMIT_U64,
    LIMIT_MS /* a time, into a uint64_t of milliseconds */
};

struct limit {
    const char *key;
    enum limit_kind kind;
    size_t offset; /* in struct stile_config */
    uint64_t least, most;
};

#define AT(field) offsetof(struct stile_config, field)
#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)
#define DAY_MS UINT64_C(86400000)

static const struct limit limits[] = {
    {"body-bytes", LIMIT_BYTES, AT(limits.body_bytes), KIB, GIB},
    {"head-bytes", LIMIT_BYTES, AT(limits.head_bytes), KIB, MIB},
    {"line-bytes", LIMIT_BYTES, AT(limits.line_bytes), 256, MIB},
    {"headers", LIMIT_U32, AT(limits.headers), 8, 10000},
    {"connections", LIMIT_U32, AT(limits.connections), 1, 65536},
    {"connections-peer", LIMIT_U32, AT(limits.connections_peer), 1, 65536},
    {"handshakes", LIMIT_U32, AT(limits.handshakes), 1, 65536},
    {"requests", LIMIT_U32, AT(limits.requests), 1, 1000000000},
    {"body-rate", LIMIT_U32, AT(limits.body_rate), 1, 1000000000},
    {"handshake", LIMIT_MS, AT(limits.handshake_ms), 100, DAY_MS},
    {"head", LIMIT_MS, AT(limits.head_ms), 100, DAY_MS},
    {"body-idle", LIMIT_MS, AT(limits.body_idle_ms), 100, DAY_MS},
    {"answer", LIMIT_MS, AT(limits.answer_ms), 100, DAY_MS},
    {"write", LIMIT_MS, AT(limits.write_ms), 100, DAY_MS},
    {"idle", LIMIT_MS, AT(limits.idle_ms), 100, DAY_MS},
    {"life", LIMIT_MS, AT(limits.life_ms), 1000, 30 * DAY_MS},
    {"linger", LIMIT_MS, AT(limits.linger_ms), 100, DAY_MS},
    {"exchanges", LIMIT_SIZE, AT(exchanges_max), 1, 4096},
    {"store-queue", LIMIT_SIZE, AT(store_queue_max), 1, 1000000},
    {"arena-bytes", LIMIT_BYTES, AT(arena_bytes), MIB, 16 * GIB},
    {"persons", LIMIT_U32, AT(persons_max), 1, 1000000},
    {"json-bytes", LIMIT_BYTES, AT(json.bytes), KIB, GIB},
    {"json-depth", LIMIT_U32, AT(json.depth), 8, 1000},
    {"json-values", LIMIT_U32, AT(json.values), 1000, 100000000},
    {"json-string", LIMIT_BYTES, AT(json.string), KIB, GIB},
    {"csv-row-bytes", LIMIT_BYTES, AT(csv.row_bytes), KIB, GIB},
    {"csv-columns", LIMIT_U32, AT(csv.columns), 16, 4096},
    {"keep-ids", LIMIT_MS, AT(keep_ids_ms), DAY_MS, 3650 * DAY_MS},
    {"keep-rows", LIMIT_MS, AT(keep_rows_ms), DAY_MS, 3650 * DAY_MS},
    {"keep-quarantine", LIMIT_MS, AT(keep_quarantine_ms), DAY_MS,
     3650 * DAY_MS},
    {"review-days", LIMIT_U32, AT(review_days), 1, 3650},
    {"review-keep", LIMIT_MS, AT(review_keep_ms), DAY_MS, 3650 * DAY_MS},
    {"approvals", LIMIT_MS, AT(approval_ms), 60000, 365 * DAY_MS},
    {"csv-rows", LIMIT_U64, AT(csv.rows), 1, UINT64_C(10000000000)},
};

#define COUNT (sizeof(limits) / sizeof(limits[0]))

static uint64_t get(const struct limit *limit, const void *place)
{
    switch (limit->kind) {
    case LIMIT_BYTES:
    case LIMIT_SIZE:
        return *(const size_t *)place;
    case LIMIT_U32:
        return *(const uint32_t *)place;
    case LIMIT_U64:
    case LIMIT_MS:
        break;
    }
    return *(const uint64_t *)place;
}

static void set(const struct limit *limit, void *place, uint64_t value)
{
    switch (limit->kind) {
    case LIMIT_BYTES:
    case LIMIT_SIZE:
        *(size_t *)place = (size_t)value;
        return;
    case LIMIT_U32:
        *(uint32_t *)place = (uint32_t)value;
        return;
    case LIMIT_U64:
    case LIMIT_MS:
        break;
    }
    *(uint64_t *)place = value;
}

static void read_one(struct stile__reader *reader,
                     const struct stile_node *node, const struct limit *limit)
{
    void *place = (char *)reader->config + limit->offset;
    uint64_t value = get(limit, place);

    if (limit->kind == LIMIT_MS) {
        stile_time time = (stile_time)value * 1000;

        stile__config_duration(reader, node, (stile_time)limit->least * 1000,
                               (stile_time)limit->most * 1000, &time);
        value = (uint64_t)(time / 1000);
    } else if (limit->kind == LIMIT_BYTES) {
        stile__config_bytes(reader, node, limit->least, limit->most, &value);
    } else {
        stile__config_number(reader, node, limit->least, limit->most, &value);
    }
    set(limit, place, value);
}

void stile__config_limits(struct stile__reader *reader,
                          const struct stile_node *map)
{
    struct stile_config *config = reader->config;
    struct stile_key_spec specs[COUNT];
    const struct stile_node *node;

    for (size_t i = 0; i < COUNT; i++) {
        specs[i] =
            (struct stile_key_spec){limits[i].key, STILE_WANT_TEXT, false};
    }
    (void)stile_node_expect(map, "limits", specs, COUNT, reader->diags);
    for (size_t i = 0; i < COUNT; i++) {
        node = stile_node_get(map, limits[i].key);
        if (node) {
            read_one(reader, node, &limits[i]);
        }
    }
    if (!stile_node_get(map, "json-bytes")) {
        config->json.bytes = config->limits.body_bytes;
    }
    node = stile_node_get(map, "head-bytes");
    if (config->limits.line_bytes > config->limits.head_bytes) {
        (void)stile__config_find(
            reader, node ? node : map, STILE__C134, STILE_ERROR,
            "a line (line-bytes, %zu) would not fit into a head of %zu bytes",
            config->limits.line_bytes, config->limits.head_bytes);
    }
    node = stile_node_get(map, "arena-bytes");
    if (config->arena_bytes < config->limits.body_bytes) {
        (void)stile__config_find(
            reader, node ? node : map, STILE__C134, STILE_ERROR,
            "a body (body-bytes, %zu) would not fit into arena-bytes, %zu",
            config->limits.body_bytes, config->arena_bytes);
    }
}
