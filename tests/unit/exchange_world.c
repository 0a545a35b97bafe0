#define _POSIX_C_SOURCE 200809L

#include "unit/exchange_world.h"

#include <criterion/criterion.h>
#include <dirent.h>

#define SOURCES 64
#define ROUNDS 40

struct sources {
    struct stile_source items[SOURCES];
    size_t count;
};

/* ---- the plan, from the shipped files ------------------------------------ */

struct stile_str world_slurp(struct stile_arena *arena, const char *path)
{
    char full[512];
    (void)snprintf(full, sizeof full, "%s/%s", STILE_SOURCE_DIR, path);
    FILE *file = fopen(full, "rb");
    cr_assert_not_null(file, "%s", full);
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    long len = ftell(file);
    rewind(file);
    char *text = stile_arena_alloc(arena, (size_t)len + 1);
    cr_assert_not_null(text);
    cr_assert_eq(fread(text, 1, (size_t)len, file), (size_t)len);
    (void)fclose(file);
    return (struct stile_str){text, (size_t)len};
}

static int by_name(const void *a, const void *b)
{
    return stile_str_cmp(((const struct stile_source *)a)->name,
                         ((const struct stile_source *)b)->name);
}

static void gather(struct world *w, const char *folder, const char *suffix,
                   struct sources *ret)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", STILE_SOURCE_DIR, folder);
    DIR *dir = opendir(path);
    cr_assert_not_null(dir, "%s", path);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (!stile_str_ends(stile_str_cstr(e->d_name),
                            stile_str_cstr(suffix))) {
            continue;
        }
        cr_assert_lt(ret->count, SOURCES);
        struct stile_str name =
            stile_arena_printf(w->arena, "%s/%s", folder, e->d_name);
        ret->items[ret->count++] = (struct stile_source){
            name, world_slurp(w->arena, stile_arena_cstr(w->arena, name))};
    }
    (void)closedir(dir);
    qsort(ret->items, ret->count, sizeof ret->items[0], by_name);
}

void world_print(const struct stile_diags *diags)
{
    struct stile_buf text;
    stile_buf_init(&text, 1u << 20);
    stile_diags_print(diags, false, &text);
    fprintf(stderr, "%.*s", STILE_FMT(stile_buf_str(&text)));
    stile_buf_release(&text);
}

static void load_maps(struct world *w)
{
    static struct sources formats, profiles, maps, codes;
    struct stile_schema *schema = stile_schema_new(w->arena);
    struct stile_mapset *set = NULL;
    gather(w, "mappings/formats", ".tables", &formats);
    for (size_t i = 0; i < formats.count; i++) {
        cr_assert_eq(stile_schema_add(schema, &formats.items[i], &w->diags),
                     STILE_OK);
    }
    gather(w, "mappings/formats", ".profiles", &profiles);
    for (size_t i = 0; i < profiles.count; i++) {
        cr_assert_eq(
            stile_schema_add_profiles(schema, &profiles.items[i], &w->diags),
            STILE_OK);
    }
    gather(w, "mappings/maps/emis", ".map", &maps);
    gather(w, "mappings/maps/vcse", ".map", &maps);
    gather(w, "mappings/codes", ".csv", &codes);
    gather(w, "mappings/codes", ".json", &codes);
    enum stile_status status =
        stile_mapset_compile(schema, maps.items, maps.count, codes.items,
                             codes.count, w->arena, &w->diags, &set);
    world_print(&w->diags);
    cr_assert_eq(status, STILE_OK);
    w->plan.schema = schema;
    w->plan.maps = set;
}

static void load_rules(struct world *w)
{
    static const struct {
        const char *name;
        enum stile_rule_file kind;
    } files[] = {{"vocabulary.yaml", STILE_RULES_VOCABULARY},
                 {"guardrails.yaml", STILE_RULES_GUARDRAILS},
                 {"agreements.yaml", STILE_RULES_AGREEMENTS},
                 {"rules.yaml", STILE_RULES_LOCAL},
                 {"examples.yaml", STILE_RULES_EXAMPLES},
                 {"consent-codes.csv", STILE_RULES_CONSENT}};
    static struct sources all;
    static struct stile_rules_input inputs[SOURCES];
    struct stile_rules *rules = NULL;
    size_t count = 0;
    gather(w, "mappings/rules/labels", ".csv", &all);
    for (; count < all.count; count++) {
        inputs[count].kind = STILE_RULES_LABELS;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "mappings/rules/%s", files[i].name);
        all.items[all.count++] = (struct stile_source){
            stile_str_cstr(files[i].name), world_slurp(w->arena, path)};
        inputs[count++].kind = files[i].kind;
    }
    for (size_t i = 0; i < count; i++) {
        inputs[i].source = &all.items[i];
    }
    enum stile_status status =
        stile_rules_load(inputs, count, (struct stile_date){2026, 11, 21},
                         w->arena, &w->diags, &rules);
    world_print(&w->diags);
    cr_assert_eq(status, STILE_OK);
    w->plan.rules = rules;
}

void world_digest(struct world *w)
{
    struct stile_buf text;
    stile_buf_init(&text, 1u << 16);
    struct stile_digest maps = stile_mapset_digest(w->plan.maps);
    struct stile_digest rules = stile_rules_digest(w->plan.rules);
    stile_buf_add(&text, (struct stile_str){(const char *)maps.bytes, 32});
    stile_buf_add(&text, (struct stile_str){(const char *)rules.bytes, 32});
    for (size_t i = 0; i < w->plan.route_count; i++) {
        stile_buf_add(&text, w->routes[i].name);
        stile_buf_add(&text, w->routes[i].agreement);
    }
    stile_sha256(stile_buf_str(&text), &w->plan.digest);
    stile_buf_release(&text);
}

void world_open(struct world *w, const char *ods, const char *kind)
{
    memset(w, 0, sizeof *w);
    stile_format_setup();
    w->arena = stile_arena_new((size_t)512 << 20);
    w->arena_bytes = (size_t)256 << 20;
    stile_diags_init(&w->diags, w->arena, 0);
    load_maps(w);
    load_rules(w);
    w->partners[WORLD_TRUST] = (struct stile_partner){
        STILE_STR("trust"), STILE_STR("RZ9"), STILE_STR("trust"), false};
    w->partners[WORLD_CHARITY] =
        (struct stile_partner){STILE_STR("charity"), STILE_STR("VCS07"),
                               STILE_STR("voluntary-non-care"), false};
    w->partners[WORLD_OWN] =
        (struct stile_partner){STILE_STR("records"), stile_str_cstr(ods),
                               STILE_STR("own-system"), true};
    w->plan.gateway = STILE_STR("gate");
    w->plan.ods = stile_str_cstr(ods);
    w->plan.kind = stile_str_cstr(kind);
    w->plan.partners = w->partners;
    w->plan.partner_count = WORLD_PARTNERS;
    w->plan.routes = w->routes;
    w->plan.json = STILE_JSON_LIMITS;
    w->plan.csv = STILE_CSV_LIMITS;
    w->plan.persons_max = 1000;
    w->keys.salt = STILE_STR("0123456789abcdef0123456789abcdef");
    w->keys.pseudonym = STILE_STR("fedcba9876543210fedcba9876543210");
    world_digest(w);
}

void world_close(struct world *w)
{
    stile_arena_free(&w->arena);
}

void world_route(struct world *w, const char *name, const char *from, int to,
                 const char *format, const char *purpose, const char *agreement)
{
    w->routes[w->plan.route_count++] =
        (struct stile_route){stile_str_cstr(name),
                             stile_str_cstr(from),
                             (size_t)to,
                             stile_str_cstr(format),
                             stile_str_cstr(purpose),
                             stile_str_cstr(agreement)};
    world_digest(w);
}

/* ---- what the store holds ------------------------------------------------ */

static struct stile_row make_row(struct world *w, const char *family,
                                 const char *table, va_list args)
{
    const struct stile_table *t =
        stile_schema_table(w->plan.schema, stile_str_cstr(family),
                           STILE_STR_NULL, stile_str_cstr(table));
    cr_assert_not_null(t, "%s", table);
    struct stile_str *cells =
        stile_arena_array(w->arena, t->count, sizeof *cells);
    for (const char *name = va_arg(args, const char *); name != NULL;
         name = va_arg(args, const char *)) {
        uint32_t at = stile_table_column(t, stile_str_cstr(name));
        cr_assert_neq(at, UINT32_MAX, "%s.%s", table, name);
        cells[at] = stile_str_cstr(va_arg(args, const char *));
    }
    return (struct stile_row){.table = t->name,
                              .columns = t->column_names,
                              .cells = cells,
                              .count = t->count,
                              .number = 1};
}

struct stile_row world_row(struct world *w, const char *table, ...)
{
    va_list args;
    va_start(args, table);
    struct stile_row row = make_row(w, "emis", table, args);
    va_end(args);
    return row;
}

struct stile_row world_row_of(struct world *w, const char *family,
                              const char *table, ...)
{
    va_list args;
    va_start(args, table);
    struct stile_row row = make_row(w, family, table, args);
    va_end(args);
    return row;
}

void world_mirror(struct world *w, struct stile_row row)
{
    cr_assert_lt(w->row_count, WORLD_MAX);
    w->rows[w->row_count++] = row;
}

static struct world_facts *known(struct world *w, struct stile_str person)
{
    for (size_t i = 0; i < w->known_count; i++) {
        if (stile_str_eq(w->known[i].person, person)) {
            return &w->known[i];
        }
    }
    return NULL;
}

void world_fact(struct world *w, const char *person, const char *name,
                const char *recipient, enum stile_truth value, const char *date)
{
    struct world_facts *of = known(w, stile_str_cstr(person));
    if (of == NULL) {
        of = &w->known[w->known_count++];
        of->person = stile_str_cstr(person);
    }
    stile_time when = 0;
    cr_assert(date == NULL || stile_time_parse(stile_str_cstr(date), &when));
    of->facts[of->count++] =
        (struct stile_stored_fact){.person = of->person,
                                   .name = stile_str_cstr(name),
                                   .recipient = stile_str_cstr(recipient),
                                   .source = STILE_STR("earlier"),
                                   .value = (int)value,
                                   .date = when};
    of->epoch++;
}

static struct stile_str keep(struct world *w, struct stile_str text)
{
    return stile_arena_str(w->arena, text);
}

void world_keep_marks(struct world *w, const struct trip_run *run)
{
    for (size_t i = 0; i < run->accept.sent_count; i++) {
        const struct stile_sent_mark *mark = &run->accept.sent[i];
        size_t at = 0;
        while (at < w->sent_count &&
               !(stile_str_eq(w->sent[at].route, mark->route) &&
                 stile_str_eq(w->sent[at].person, mark->person) &&
                 stile_str_eq(w->sent[at].type, mark->type) &&
                 stile_str_eq(w->sent[at].id, mark->id))) {
            at++;
        }
        cr_assert_lt(at, 256);
        w->sent_count = at == w->sent_count ? at + 1 : w->sent_count;
        w->sent[at] = (struct stile_sent_mark){
            keep(w, mark->route), keep(w, mark->person), keep(w, mark->type),
            keep(w, mark->id), mark->digest};
    }
}

/* ---- a trip ----------------------------------------------------------------
 */

static void answer_row(struct world *w, struct stile_need *need)
{
    for (size_t i = 0; i < w->row_count; i++) {
        if (stile_str_eq(w->rows[i].table, need->table) &&
            stile_str_eq(stile_row_get(&w->rows[i], need->column), need->key)) {
            need->row = w->rows[i];
            need->found = true;
            return;
        }
    }
}

static void answer_person(struct world *w, struct trip_run *run,
                          struct stile_need *need)
{
    const struct world_facts *of = known(w, need->person);
    if (of != NULL) {
        need->facts = of->facts;
        need->fact_count = of->count;
        need->epoch = of->epoch;
    }
    need->reviewed = w->reviewed;
    need->reviewed_count = w->reviewed_count;
    struct stile_sent_mark *marks = stile_arena_array(
        run->arena, w->sent_count, sizeof(struct stile_sent_mark));
    for (size_t i = 0; marks != NULL && i < w->sent_count; i++) {
        if (stile_str_eq(w->sent[i].person, need->person)) {
            marks[need->sent_count++] = w->sent[i];
        }
    }
    need->sent = marks;
}

void world_run(struct world *w, struct trip_run *run)
{
    run->arena = stile_arena_new(w->arena_bytes);
    run->rounds = 0;
    run->asked_rows = 0;
    run->finished = stile_exchange_new(&w->plan, &run->message, &w->keys,
                                       run->arena, &run->exchange);
    if (run->finished != STILE_OK) {
        run->exchange = NULL;
        return;
    }
    for (;;) {
        run->begun = stile_exchange_begin(run->exchange);
        if (run->begun != STILE_NEED) {
            break;
        }
        cr_assert_lt(++run->rounds, ROUNDS);
        size_t count = 0;
        struct stile_need *needs = stile_exchange_needs(run->exchange, &count);
        for (size_t i = 0; i < count; i++) {
            if (needs[i].answered) {
                continue;
            }
            if (needs[i].kind == STILE_NEED_ROW) {
                answer_row(w, &needs[i]);
                run->asked_rows++;
            } else {
                answer_person(w, run, &needs[i]);
            }
            needs[i].answered = true;
        }
    }
    run->finished = stile_exchange_finish(run->exchange, &run->accept);
}

/* As the store keeps it: what ended without a word is not asked for again. */
static void end_review(struct world *w, int64_t id)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->reviewed_count; i++) {
        struct stile_review_item item = w->reviewed[i];
        item.waits = item.waits && item.review != id;
        if (item.waits || item.word != STILE_REVIEW_NO_WORD) {
            w->reviewed[kept++] = item;
        }
    }
    w->reviewed_count = kept;
}

static struct stile_str kept_text(struct world *w, struct stile_str text)
{
    return stile_arena_str(w->arena, text);
}

void world_keep_reviews(struct world *w, const struct trip_run *run)
{
    for (size_t i = 0; i < run->accept.review_end_count; i++) {
        end_review(w, run->accept.review_ends[i].id);
    }
    for (size_t i = 0; i < run->accept.review_count; i++) {
        const struct stile_review_new *review = &run->accept.reviews[i];
        w->reviews++;
        for (size_t k = 0; k < review->item_count; k++) {
            struct stile_review_item *item = &w->reviewed[w->reviewed_count++];
            cr_assert_leq(w->reviewed_count, 256);
            *item = review->items[k];
            item->review = w->reviews;
            item->n = (uint32_t)k + 1;
            item->waits = true;
            item->type = kept_text(w, item->type);
            item->id = kept_text(w, item->id);
            item->data = kept_text(w, item->data);
            item->rules = kept_text(w, item->rules);
            item->route = kept_text(w, item->route);
        }
    }
}

void world_say(struct world *w, int64_t review, enum stile_review_word word)
{
    for (size_t i = 0; i < w->reviewed_count; i++) {
        struct stile_review_item *item = &w->reviewed[i];
        if (item->waits && (review == 0 || item->review == review)) {
            item->waits = false;
            item->word = word;
        }
    }
}

static struct stile_message message_of(const char *format, const char *family)
{
    stile_time now = 0;
    cr_assert(stile_time_parse(STILE_STR("2026-11-21T10:00:00Z"), &now));
    return (struct stile_message){.id = STILE_STR("m-1"),
                                  .source = STILE_STR("sender"),
                                  .source_ods = STILE_STR("RZ9"),
                                  .family = stile_str_cstr(family),
                                  .name = STILE_STR("message"),
                                  .format = stile_str_cstr(format),
                                  .received = now,
                                  .now = now,
                                  .dedupe = true};
}

void world_run_message(struct world *w, const char *format, const char *family,
                       struct stile_str bytes, struct trip_run *run)
{
    memset(run, 0, sizeof *run);
    run->message = message_of(format, family);
    run->message.bytes = bytes;
    world_run(w, run);
}

void world_run_sample(struct world *w, const char *format, const char *family,
                      const char *sample, struct trip_run *run)
{
    char path[256];
    (void)snprintf(path, sizeof path, "tests/samples/%s", sample);
    world_run_message(w, format, family, world_slurp(w->arena, path), run);
}

void world_run_export(struct world *w, const struct stile_row *rows,
                      size_t count, struct trip_run *run)
{
    bool gone = run->message.gone;
    struct stile_str family = run->message.family;
    const struct stile_row *deleted = run->message.deleted_rows;
    size_t deleted_count = run->message.deleted_row_count;
    memset(run, 0, sizeof *run);
    run->message = message_of("", "emis");
    run->message.family = family.len > 0 ? family : run->message.family;
    run->message.source_ods = w->plan.ods;
    run->message.dedupe = false;
    run->message.feed = STILE_STR("sender");
    run->message.feed_person = STILE_STR("{person}");
    run->message.feed_batch = 7;
    run->message.rows = rows;
    run->message.row_count = count;
    run->message.gone = gone;
    run->message.deleted_rows = deleted;
    run->message.deleted_row_count = deleted_count;
    world_run(w, run);
}

void world_end(struct trip_run *run)
{
    stile_arena_free(&run->arena);
}

/* ---- looking at what came of it ---------------------------------------------
 */

bool world_has(struct stile_str text, const char *what)
{
    return stile_str_find_str(text, stile_str_cstr(what)) != SIZE_MAX;
}

bool world_finding(const struct trip_run *run, const char *code)
{
    const struct stile_diags *diags = stile_exchange_diags(run->exchange);
    for (size_t i = 0; i < diags->count; i++) {
        if (strcmp(diags->items[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

bool world_event(const struct trip_run *run, enum stile_event_kind kind,
                 const char *what)
{
    size_t count = 0;
    const struct stile_event *events =
        stile_exchange_events(run->exchange, &count);
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == kind && world_has(events[i].text, what)) {
            return true;
        }
    }
    return false;
}

size_t world_entries(const struct trip_run *run, const char *what)
{
    size_t n = 0;
    for (size_t i = 0; i < run->accept.entry_count; i++) {
        n += world_has(run->accept.entries[i], what) ? 1 : 0;
    }
    return n;
}

static void silent(struct stile_str text, const char *what, const char *where)
{
    cr_assert(!world_has(text, what), "%s: %.*s", where, STILE_FMT(text));
}

void world_says_nothing_of(const struct trip_run *run, const char *what)
{
    const struct stile_accept *a = &run->accept;
    size_t count = 0;
    const struct stile_event *events =
        stile_exchange_events(run->exchange, &count);
    for (size_t i = 0; i < count; i++) {
        silent(events[i].text, what, "event");
    }
    for (size_t i = 0; i < a->entry_count; i++) {
        silent(a->entries[i], what, "entry");
    }
    for (size_t i = 0; i < a->quarantine_count; i++) {
        silent(a->quarantine[i].reason, what, "quarantine");
        silent(a->quarantine[i].name, what, "quarantine");
    }
    for (size_t i = 0; i < a->row_count; i++) {
        silent(a->rows[i].lane, what, "lane");
        silent(a->rows[i].key, what, "key");
        silent(a->rows[i].message_id, what, "message id");
    }
    for (size_t i = 0; i < a->held_count; i++) {
        silent(a->held[i].reason, what, "held");
    }
    struct stile_buf text;
    stile_buf_init(&text, 1u << 22);
    stile_diags_json(stile_exchange_diags(run->exchange), &text);
    silent(stile_buf_str(&text), what, "findings");
    stile_buf_release(&text);
}

void world_every_row_is_entered(const struct trip_run *run)
{
    for (size_t i = 0; i < run->accept.row_count; i++) {
        const struct stile_outbox_new *row = &run->accept.rows[i];
        struct stile_digest digest;
        char hex[65];
        stile_sha256(row->body, &digest);
        stile_digest_hex(&digest, hex);
        size_t found = 0;
        for (size_t e = 0; e < run->accept.entry_count; e++) {
            struct stile_str entry = run->accept.entries[e];
            char route[128];
            (void)snprintf(route, sizeof route, "\"route\":\"%.*s\"",
                           STILE_FMT(row->route));
            found += world_has(entry, hex) && world_has(entry, route) ? 1 : 0;
        }
        cr_assert_eq(found, 1, "%.*s: %zu entries", STILE_FMT(row->route),
                     found);
    }
}

void world_same(const struct trip_run *a, const struct trip_run *b)
{
    cr_assert_eq(a->accept.row_count, b->accept.row_count);
    cr_assert_eq(a->accept.entry_count, b->accept.entry_count);
    cr_assert_eq(a->accept.message_count, b->accept.message_count);
    for (size_t i = 0; i < a->accept.row_count; i++) {
        cr_assert(stile_str_eq(a->accept.rows[i].body, b->accept.rows[i].body));
        cr_assert(stile_str_eq(a->accept.rows[i].key, b->accept.rows[i].key));
        cr_assert(stile_str_eq(a->accept.rows[i].lane, b->accept.rows[i].lane));
    }
    for (size_t i = 0; i < a->accept.entry_count; i++) {
        cr_assert(stile_str_eq(a->accept.entries[i], b->accept.entries[i]));
    }
    for (size_t i = 0; i < a->accept.message_count; i++) {
        cr_assert(stile_str_eq(a->accept.messages[i].body,
                               b->accept.messages[i].body));
    }
}

struct stile_value *world_json(struct trip_run *run, struct stile_str text)
{
    struct stile_value *root = NULL;
    struct stile_diags diags;
    stile_diags_init(&diags, run->arena, 0);
    cr_assert_eq(stile_json_decode(text, STILE_JSON_LIMITS, STILE_STR("body"),
                                   run->arena, &diags, &root),
                 STILE_OK, "%.*s", STILE_FMT(text));
    return root;
}

void world_nhs(unsigned n, char out[11])
{
    for (unsigned k = n;; k++) {
        (void)snprintf(out, 11, "999%06u0", k % 1000000);
        for (char c = '0'; c <= '9'; c++) {
            out[9] = c;
            if (stile_nhs_number_valid((struct stile_str){out, 10})) {
                return;
            }
        }
    }
}
