#include "memory.h"

#include <stdlib.h>
#include <string.h>

void stile__mem_fail(struct memory_store *m, enum stile_status status)
{
    if (m->failed == STILE_OK) {
        m->failed = status;
    }
}

/* ---- records ---- */

static void free_record(struct record *record)
{
    if (record) {
        stile_wipe(record, sizeof *record + record->len);
        free(record);
    }
}

static struct record *make_record(const struct fields *fields)
{
    struct record *record;
    size_t len = 0;
    char *to;

    for (size_t i = 0; i < TEXTS; i++) {
        len += fields->t[i].len; /* each within BODY_MAX */
    }
    record = malloc(sizeof *record + len + 1);
    if (!record) {
        return NULL;
    }
    record->f = *fields;
    record->len = len;
    to = (char *)(record + 1);
    for (size_t i = 0; i < TEXTS; i++) {
        if (fields->t[i].len > 0) {
            memcpy(to, fields->t[i].ptr, fields->t[i].len);
        }
        record->f.t[i].ptr = to;
        to += fields->t[i].len;
    }
    return record;
}

/* Room for `count` more items of an array that doubles. */
static void *grow(void *items, size_t size, size_t count, size_t *capacity)
{
    size_t wanted = *capacity > 0 ? *capacity * 2 : 16;
    void *more;

    if (count < *capacity) {
        return items;
    }
    if (wanted > SIZE_MAX / size) {
        return NULL;
    }
    more = realloc(items, wanted * size);
    if (more) {
        *capacity = wanted;
    }
    return more;
}

/* False when the change could not be written down: then it is not made. */
static bool note_change(struct memory_store *m, int table, size_t at,
                        struct record *old)
{
    struct change *changes =
        grow(m->changes, sizeof *changes, m->change_count, &m->change_capacity);

    if (!changes) {
        stile__mem_fail(m, STILE_NOMEM);
        return false;
    }
    m->changes = changes;
    m->changes[m->change_count++] = (struct change){table, at, old};
    return true;
}

void stile__mem_put(struct memory_store *m, int table, size_t at,
                    const struct fields *fields)
{
    struct table *t = &m->tables[table];
    struct record *record;
    struct record **items;

    if (m->failed != STILE_OK) {
        return;
    }
    record = make_record(fields);
    items = grow(t->items, sizeof(struct record *), t->count, &t->capacity);
    if (items) {
        t->items = items;
    }
    if (!record || !items ||
        !note_change(m, table, at == SIZE_MAX ? t->count : at,
                     at == SIZE_MAX ? NULL : t->items[at])) {
        free_record(record);
        stile__mem_fail(m, STILE_NOMEM);
        return;
    }
    if (at == SIZE_MAX) {
        at = t->count++;
    }
    t->items[at] = record;
}

void stile__mem_drop(struct memory_store *m, int table, size_t at)
{
    struct table *t = &m->tables[table];

    if (m->failed == STILE_OK && note_change(m, table, at, t->items[at])) {
        t->items[at] = NULL;
        t->holes++;
    }
}

struct record *stile__mem_at(struct memory_store *m, int table, size_t *at)
{
    const struct table *t = &m->tables[table];

    for (; *at < t->count; ++*at) {
        if (t->items[*at]) {
            return t->items[*at];
        }
    }
    return NULL;
}

struct record *stile__mem_find(struct memory_store *m, int table, size_t *at,
                               const struct stile_str *texts, size_t count)
{
    struct record *record;

    for (; (record = stile__mem_at(m, table, at)) != NULL; ++*at) {
        size_t same = 0;

        while (same < count && stile_str_eq(record->f.t[same], texts[same])) {
            same++;
        }
        if (same == count) {
            return record;
        }
    }
    return NULL;
}

struct record **
stile__mem_sorted(struct memory_store *m, int table,
                  bool (*keep)(const struct record *record, const void *ctx),
                  const void *ctx, int (*order)(const void *, const void *),
                  size_t *ret_count)
{
    struct record **list =
        calloc(m->tables[table].count + 1, sizeof(struct record *));
    struct record *record;
    size_t count = 0;

    if (!list) {
        stile__mem_fail(m, STILE_NOMEM);
        return NULL;
    }
    for (size_t at = 0; (record = stile__mem_at(m, table, &at)) != NULL; at++) {
        if (keep(record, ctx)) {
            list[count++] = record;
        }
    }
    qsort(list, count, sizeof(struct record *), order);
    *ret_count = count;
    return list;
}

/* ---- transactions ---- */

void stile__mem_begin(struct memory_store *m)
{
    STILE_ASSERT(m->change_count == 0);
    m->failed = STILE_OK;
    m->before = m->state;
}

void stile__mem_back(struct memory_store *m, size_t changes)
{
    while (m->change_count > changes) {
        struct change *change = &m->changes[--m->change_count];
        struct table *t = &m->tables[change->table];

        if (!t->items[change->at]) {
            t->holes--;
        }
        free_record(t->items[change->at]);
        t->items[change->at] = change->old;
        if (!change->old) {
            STILE_ASSERT(change->at + 1 == t->count);
            t->count--;
        }
    }
}

static void squeeze(struct table *t)
{
    size_t to = 0;

    for (size_t from = 0; from < t->count; from++) {
        if (t->items[from]) {
            t->items[to++] = t->items[from];
        }
    }
    t->count = to;
    t->holes = 0;
}

enum stile_status stile__mem_end(struct memory_store *m)
{
    if (m->failed != STILE_OK) {
        stile__mem_back(m, 0);
        m->state = m->before;
        return m->failed;
    }
    for (size_t i = 0; i < m->change_count; i++) {
        free_record(m->changes[i].old);
    }
    m->change_count = 0;
    for (size_t i = 0; i < TABLES; i++) {
        if (m->tables[i].holes > 64 &&
            m->tables[i].holes > m->tables[i].count / 2) {
            squeeze(&m->tables[i]);
        }
    }
    return STILE_OK;
}

/* ---- opening and closing ---- */

static void close_store(struct stile_store **store)
{
    struct memory_store *m;

    if (!store || !*store) {
        return;
    }
    m = memory_of(*store);
    for (size_t i = 0; i < TABLES; i++) {
        for (size_t j = 0; j < m->tables[i].count; j++) {
            free_record(m->tables[i].items[j]);
        }
        free(m->tables[i].items);
    }
    free(m->changes);
    stile_wipe(m, sizeof *m);
    free(m);
    *store = NULL;
}

static void tend(struct stile_store *store, bool idle)
{
    (void)store;
    (void)idle;
}

enum stile_status stile_store_memory_open(struct stile_store **ret)
{
    struct memory_store *m = calloc(1, sizeof *m);

    if (!m) {
        return STILE_NOMEM;
    }
    m->ops.name = "memory";
    m->ops.close = close_store;
    m->ops.tend = tend;
    stile__mem_accept_verbs(&m->ops);
    stile__mem_outbox_verbs(&m->ops);
    stile__mem_mirror_verbs(&m->ops);
    stile__mem_review_verbs(&m->ops);
    stile__mem_sweep_verbs(&m->ops);
    stile__mem_rules_verbs(&m->ops);
    m->store.ops = &m->ops;
    m->state.next_row = 1;
    m->state.next_batch = 1;
    m->state.next_review = 1;
    *ret = &m->store;
    return STILE_OK;
}
