/*
 * What a practice's export says of one person: their rows of the mirror go
 * through the exchange once more, up to the question what is known of them.
 */
#include "facts.h"

/* Nothing is kept of it, so nothing can be linked by these. */
static const char no_key[32];

struct feeding {
    struct facts_run *run;
    const struct stile_feed_config *feed;
    const struct stile_plan *plan;
    struct row_list {
        struct stile_row *rows;
        size_t count, capacity;
    } rows, deleted;
};

static enum stile_status keep_row(void *ctx, const struct stile_mirror_row *row)
{
    struct feeding *f = ctx;
    struct stile_arena *arena = f->run->arena;
    struct row_list *list = row->deleted ? &f->deleted : &f->rows;
    const struct stile_table *table = stile_schema_table(
        f->plan->schema, f->feed->family, STILE_STR_NULL, row->table);
    struct stile_str gone = stile_schema_dialect(
        f->plan->schema, f->feed->family, STILE_STR_NULL, "gone");
    enum stile_status status;

    if (!table || stile_str_eq(row->table, gone)) {
        return STILE_OK;
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct stile_row *rows =
            stile_arena_array(arena, capacity, sizeof(*rows));
        if (!rows) {
            return STILE_LIMIT;
        }
        if (list->count) {
            memcpy(rows, list->rows, list->count * sizeof(*rows));
        }
        list->rows = rows;
        list->capacity = capacity;
    }
    status =
        stile_mirror_row_read(arena, table, stile_arena_str(arena, row->cells),
                              &list->rows[list->count]);
    if (status == STILE_OK) {
        list->rows[list->count].number = list->count + 1;
        list->count++;
    }
    return status;
}

/* The mirror finds by the first key column. */
static void answer_row(const struct feeding *f, struct stile_need *need)
{
    const struct stile_table *table = stile_schema_table(
        f->plan->schema, need->family, STILE_STR_NULL, need->table);
    struct stile_mirror_row row;

    if (!table || table->key_count == 0 ||
        !stile_str_eq(table->columns[table->keys[0]].name, need->column) ||
        f->run->store->ops->mirror_get(f->run->store, f->feed->name,
                                       need->table, need->key, f->run->arena,
                                       &row) != STILE_OK) {
        return;
    }
    need->deleted = row.deleted;
    if (row.deleted) {
        return;
    }
    need->found = stile_mirror_row_read(f->run->arena, table, row.cells,
                                        &need->row) == STILE_OK;
}

static enum stile_status begin(const struct feeding *f,
                               struct stile_exchange *exchange)
{
    enum stile_status status = stile_exchange_begin(exchange);

    while (status == STILE_NEED) {
        size_t count = 0;
        struct stile_need *needs = stile_exchange_needs(exchange, &count);

        for (size_t i = 0; i < count; i++) {
            if (!needs[i].answered && needs[i].kind == STILE_NEED_ROW) {
                answer_row(f, &needs[i]);
            }
            needs[i].answered = true;
        }
        status = stile_exchange_begin(exchange);
    }
    return status;
}

/* NOT_FOUND: the rows are about somebody else. */
static enum stile_status facts_of(struct feeding *f, struct stile_str person,
                                  struct stile_str number,
                                  struct stile_fact **ret, size_t *ret_count)
{
    struct stile_arena *arena = f->run->arena;
    struct stile_message *message = stile_arena_alloc(arena, sizeof(*message));
    struct stile_exchange_keys *keys = stile_arena_alloc(arena, sizeof(*keys));
    struct stile_exchange *exchange = NULL;
    enum stile_status status;

    f->rows.count = 0;
    f->deleted.count = 0;
    if (!message || !keys) {
        return STILE_NOMEM;
    }
    status = f->run->store->ops->mirror_person(f->run->store, f->feed->name,
                                               person, keep_row, f);
    if (status != STILE_OK) {
        return status;
    }
    keys->salt = (struct stile_str){no_key, sizeof(no_key)};
    keys->pseudonym = keys->salt;
    message->id = STILE_STR("facts");
    message->source = f->feed->name;
    message->source_ods = f->feed->ods;
    message->family = f->feed->family;
    message->name = f->feed->name;
    message->rows = f->rows.rows;
    message->row_count = f->rows.count;
    message->deleted_rows = f->deleted.rows;
    message->deleted_row_count = f->deleted.count;
    message->now = stile_now();
    message->received = message->now;
    message->feed = f->feed->name;
    message->feed_person = person;
    status = stile_exchange_new(f->plan, message, keys, arena, &exchange);
    if (status == STILE_OK) {
        status = begin(f, exchange);
    }
    return status == STILE_OK
               ? stile_exchange_facts(exchange, number, ret, ret_count)
               : status;
}

/* The mappings of the folder, under the rules in force. */
static bool open_plan(struct facts_run *run)
{
    struct stile_diags diags;
    enum stile_status status;

    if (run->plan) {
        return true;
    }
    stile_diags_init(&diags, run->arena, 0);
    status = stile_plan_load_under(run->config->mappings, run->config,
                                   run->rule_files, stile_today(), &diags,
                                   &run->plan);
    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("%s cannot be used: %s", run->config->mappings,
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

bool stile__facts_of_feed(struct facts_run *run,
                          const struct stile_feed_config *feed,
                          struct stile_str number, struct stile_fact **ret,
                          size_t *ret_count, bool *ret_known)
{
    struct feeding f = {.run = run, .feed = feed};
    struct stile_str *persons = NULL;
    size_t count = 0;
    enum stile_status status = run->store->ops->mirror_holds(
        run->store, feed->name, number, run->arena, &persons, &count);

    *ret_known = false;
    if (status == STILE_OK && count > 0) {
        if (!open_plan(run)) {
            return false;
        }
        f.plan = &run->plan->plan;
    }
    /* The number may stand in another's row (a mother's, say). */
    for (size_t i = 0; status == STILE_OK && i < count && !*ret_known; i++) {
        status = facts_of(&f, persons[i], number, ret, ret_count);
        *ret_known = status == STILE_OK;
        status = status == STILE_NOT_FOUND ? STILE_OK : status;
    }
    if (status != STILE_OK) {
        stile__cli_say("what the feed %.*s says cannot be read: %s",
                       STILE_FMT(feed->name), stile_status_text(status));
    }
    return status == STILE_OK;
}
