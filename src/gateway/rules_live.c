/*
 * Going live. The set in force is the store's; the folder's rules are a
 * proposal, looked at beside it. Nothing is remembered between two looks.
 */
#include "config_private.h"

#define APPROVALS_BYTES_MAX ((size_t)4 << 20)
#define ACTS_MAX 8u     /* of one step, told in its entry */
#define ATTEMPTS_MAX 3u /* when others change what is in force meanwhile */

static struct stile_date day_of(stile_time now)
{
    return stile_date_from_days(stile_london_day(now));
}

/* ---- what is in force ---- */

/* A kept set, if it still means what its digest says. NULL: this program
 * cannot use it, or its files were changed. */
static const struct stile_rules *open_kept(struct stile_str packed,
                                           const struct stile_digest *digest,
                                           stile_time now,
                                           struct stile_arena *arena)
{
    const struct stile_rules *rules = NULL;
    struct stile_digest found;
    struct stile_diags quiet;

    stile_diags_init(&quiet, arena, 0);
    if (stile_rules_packed_load(packed, day_of(now), arena, &quiet, &rules) !=
        STILE_OK) {
        return NULL;
    }
    found = stile_rules_digest(rules);
    return stile_digest_eq(&found, digest) ? rules : NULL;
}

/* ---- the approvals there are ---- */

struct approvals {
    struct stile_approval *items;
    size_t count;
};

static void from_folder(const struct stile_config *config,
                        struct stile_arena *arena, struct stile_diags *diags,
                        struct approvals *ret)
{
    struct stile_source *source = stile_arena_alloc(arena, sizeof(*source));
    const char *path = stile_path_join(arena, config->mappings,
                                       STILE_STR("rules/approvals.yaml"));
    struct stile_str error;
    enum stile_status status;

    if (!source || !path) {
        return;
    }
    source->name = stile_str_cstr(path);
    status = stile_file_read(path, APPROVALS_BYTES_MAX, arena, &source->text,
                             &error);
    if (status == STILE_NOT_FOUND) {
        return; /* nobody has signed yet */
    }
    if (status != STILE_OK) {
        stile__config_file_find(diags, "C101", path, error);
        return;
    }
    /* What it finds stands in the findings, and then none of them counts. */
    (void)!stile_approvals_load(source, arena, diags, &ret->items, &ret->count);
}

/* Those of the store are of this change, or of none that matters. */
static enum stile_status from_store(struct stile_store *store,
                                    const struct stile_rules_look *look,
                                    struct stile_arena *arena,
                                    struct approvals *all)
{
    struct stile_rules_approval *kept = NULL;
    struct stile_approval *items;
    struct stile_str subject = stile_rules_move_subject(&look->move, arena);
    size_t count = 0;
    enum stile_status status =
        store ? store->ops->rules_approvals(store, arena, &kept, &count)
              : STILE_OK;

    if (status != STILE_OK || count == 0) {
        return status;
    }
    items = stile_arena_array(arena, all->count + count, sizeof(*items));
    if (!items) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < all->count; i++) {
        items[i] = all->items[i];
    }
    for (size_t i = 0; i < count; i++) {
        struct stile_approval *approval = &items[all->count];

        if (!stile_str_eq(kept[i].subject, subject)) {
            continue;
        }
        all->count++;
        approval->organisation = look->officers->organisation;
        approval->move = look->move;
        approval->act = (struct stile_act){
            .may = STILE_MAY_APPROVE_RULES,
            .what = stile_str_cstr(stile_may_text(STILE_MAY_APPROVE_RULES)),
            .subject = kept[i].subject,
            .officer = kept[i].officer,
            .because = kept[i].because,
            .at = kept[i].at};
        memcpy(approval->act.signature, kept[i].signature,
               sizeof(approval->act.signature));
    }
    all->items = items;
    return STILE_OK;
}

/* ---- what is missing, in one sentence ---- */

static void say_signed(const struct stile_approval_verdict *verdict,
                       struct stile_buf *out)
{
    if (verdict->count == 0) {
        stile_buf_addc(out, "nobody has signed");
        return;
    }
    stile_buf_addc(out, "signed: ");
    for (size_t i = 0; i < verdict->count; i++) {
        stile_buf_printf(out, "%s%.*s", i > 0 ? ", " : "",
                         STILE_FMT(verdict->counted[i]->officer));
    }
}

static void say_missing(struct stile_rules_look *look,
                        struct stile_arena *arena)
{
    const struct stile_approval_verdict *verdict = &look->verdict;
    struct stile_buf out;

    stile_buf_init(&out, 65536);
    stile_buf_printf(
        &out, "%s: needs %s; ", stile_rules_class_text(look->move.class),
        verdict->needs > 1 ? "two officers who may approve-rules, of different "
                             "ids and keys"
                           : "one officer who may approve-rules");
    say_signed(verdict, &out);
    stile_buf_printf(&out, "; missing: %zu",
                     (size_t)verdict->needs - verdict->count);
    for (size_t i = 0; i < verdict->other_count; i++) {
        stile_buf_printf(&out, "; does not count: %.*s",
                         STILE_FMT(verdict->others[i]));
    }
    look->missing = stile_arena_str(arena, stile_buf_str(&out));
    stile_buf_release(&out);
}

/* ---- looking ---- */

static void unusable(struct stile_rules_look *look, const char *why)
{
    look->state = STILE_RULES_UNUSABLE;
    look->missing = stile_str_cstr(why);
}

/* The proposal: of the folder, or one that was in force before. */
static enum stile_status
open_new(const struct stile_config *config, struct stile_store *store,
         const struct stile_digest *to, struct stile_arena *arena,
         struct stile_diags *diags, struct stile_rules_look *look)
{
    struct stile_str packed = STILE_STR_NULL;
    enum stile_status status;

    if (to) {
        status = store ? store->ops->rules_files(store, to, arena, &packed)
                       : STILE_NOT_FOUND;
        if (status != STILE_OK) {
            return status;
        }
        look->new = open_kept(packed, to, look->now, arena);
        if (!look->new) {
            unusable(look, "this stile cannot use that set any more");
        }
        return STILE_OK;
    }
    status = stile_rules_pack(config->mappings, arena, diags, &look->files);
    if (status == STILE_OK) {
        status = stile_rules_packed_load(look->files, day_of(look->now), arena,
                                         diags, &look->new);
    } else if (status == STILE_INVALID) {
        /* for the findings of what can be read */
        (void)!stile_rules_folder_load(config->mappings, day_of(look->now),
                                       arena, diags, &look->new);
        look->new = NULL;
    }
    if (status != STILE_OK) {
        unusable(look, "the rules in the folder have errors, or cannot be "
                       "read: mend what the findings name");
    }
    return status == STILE_INVALID ? STILE_OK : status;
}

/* False: there is no exact answer, and so nothing could be shown. */
static enum stile_status compare(struct stile_arena *arena,
                                 struct stile_rules_look *look)
{
    enum stile_status status;

    if (!look->old) {
        /* all of the new one is shown; from one that cannot be compared it
         * could be anything */
        look->move.class =
            look->in_force ? STILE_RULES_MIXED : STILE_RULES_WIDER;
        return STILE_OK;
    }
    status = stile_rules_diff(look->old, look->new, day_of(look->now), arena,
                              &look->report);
    if (status == STILE_LIMIT && !stile_arena_failed(arena)) {
        unusable(look, "this rule set is too tangled to say exactly what it "
                       "changes, so nobody can approve it: merge rules or "
                       "drop labels");
        return STILE_OK;
    }
    if (status == STILE_OK &&
        !stile_rules_class_parse(stile_value_text(look->report, "class"),
                                 &look->move.class)) {
        status = STILE_INVALID;
    }
    return status;
}

static enum stile_status judge(const struct stile_config *config,
                               struct stile_store *store,
                               struct stile_arena *arena,
                               struct stile_diags *diags,
                               struct stile_rules_look *look)
{
    struct stile_approval_terms terms = {
        .move = look->move,
        .after = look->in_force ? look->step.at : 0,
        .now = look->now,
        .age = (stile_time)config->approval_ms * 1000};
    struct approvals all = {NULL, 0};
    enum stile_status status;

    if (!look->officers) {
        look->state = STILE_RULES_WAITS;
        look->missing = STILE_STR(
            "nobody may approve rules: add officers: officers.yaml to "
            "stile.yaml, or mend it");
        return STILE_OK;
    }
    from_folder(config, arena, diags, &all);
    status = from_store(store, look, arena, &all);
    if (status == STILE_OK) {
        status = stile_approvals_judge(look->officers, all.items, all.count,
                                       &terms, arena, &look->verdict);
    }
    if (status != STILE_OK) {
        return status;
    }
    look->state = STILE_RULES_READY;
    if (look->verdict.count < look->verdict.needs) {
        look->state = STILE_RULES_WAITS;
        say_missing(look, arena);
    }
    return STILE_OK;
}

static enum stile_status open_old(const struct stile_config *config,
                                  struct stile_store *store,
                                  struct stile_arena *arena,
                                  struct stile_diags *diags,
                                  struct stile_rules_look *look)
{
    struct stile_str packed = STILE_STR_NULL;
    const char *error = "";
    enum stile_status status =
        store ? stile_rules_in_force(config, store, arena, &look->step, &packed,
                                     &error)
              : STILE_NOT_FOUND;

    if (status == STILE_DENIED) {
        stile__config_file_find(diags, "C101",
                                config->store ? config->store : "store",
                                stile_str_cstr(error));
    }

    look->in_force = status == STILE_OK;
    if (look->in_force) {
        look->move.from = look->step.to;
        look->move.after = stile_rules_step_digest(&look->step, arena);
        look->old = open_kept(packed, &look->step.to, look->now, arena);
    }
    return status == STILE_NOT_FOUND ? STILE_OK : status;
}

enum stile_status stile_rules_look(const struct stile_config *config,
                                   struct stile_store *store,
                                   const struct stile_digest *to,
                                   stile_time now, struct stile_arena *arena,
                                   struct stile_diags *diags,
                                   struct stile_rules_look *ret)
{
    struct stile_rules_look look = {.now = now};
    enum stile_status status = open_old(config, store, arena, diags, &look);

    if (status != STILE_OK) {
        return status;
    }
    if (config->officers) {
        /* without them nobody may approve, and that is said */
        (void)!stile_officers_read(config, arena, diags, &look.officers);
    }
    status = open_new(config, store, to, arena, diags, &look);
    if (status == STILE_OK && look.new) {
        look.move.to = stile_rules_digest(look.new);
        if (look.in_force && stile_digest_eq(&look.move.to, &look.move.from)) {
            look.state = STILE_RULES_SAME;
        } else {
            status = compare(arena, &look);
            if (status == STILE_OK && look.state != STILE_RULES_UNUSABLE) {
                status = judge(config, store, arena, diags, &look);
            }
        }
    }
    if (stile_arena_failed(arena)) {
        return STILE_LIMIT;
    }
    if (status == STILE_OK) {
        *ret = look;
    }
    return status;
}

/* ---- putting in force ---- */

static void put_str(struct stile_value *object, const char *name,
                    struct stile_str text, struct stile_arena *arena)
{
    (void)stile_value_set_str(arena, object, name, text);
}

static struct stile_str digest_text(const struct stile_digest *digest,
                                    struct stile_arena *arena)
{
    char hex[65];

    stile_digest_hex(digest, hex);
    return stile_arena_str(arena, stile_str_cstr(hex));
}

static struct stile_str time_text(stile_time time, struct stile_arena *arena)
{
    char text[25];

    return stile_arena_str(
        arena, (struct stile_str){text, stile_time_format(time, text)});
}

static struct stile_str as_text(const struct stile_value *value,
                                struct stile_arena *arena)
{
    struct stile_str text = STILE_STR_NULL;
    struct stile_buf out;

    stile_buf_init(&out, (size_t)1 << 20);
    stile_value_json(value, 0, &out);
    if (out.status == STILE_OK) {
        text = stile_arena_str(arena, stile_buf_str(&out));
    }
    stile_buf_release(&out);
    return text;
}

static struct stile_value *acts_of(const struct stile_rules_look *look,
                                   struct stile_arena *arena)
{
    struct stile_value *acts = stile_value_new(arena, STILE_ARRAY);

    for (size_t i = 0; acts && i < look->verdict.count && i < ACTS_MAX; i++) {
        (void)stile_value_push(
            acts,
            stile_act_value(look->officers, look->verdict.counted[i], arena));
    }
    return acts;
}

/* Members in order of name: canonical (RFC 8785). */
static struct stile_str entry_of(const struct stile_config *config,
                                 const struct stile_rules_look *look,
                                 stile_time at, struct stile_value *acts,
                                 struct stile_arena *arena)
{
    struct stile_value *entry = stile_value_new(arena, STILE_OBJECT);

    if (!entry || !acts) {
        return STILE_STR_NULL;
    }
    (void)stile_value_set(entry, stile_arena_str(arena, STILE_STR("acts")),
                          acts);
    put_str(entry, "class",
            stile_str_cstr(stile_rules_class_text(look->move.class)), arena);
    put_str(entry, "from",
            look->in_force ? digest_text(&look->move.from, arena)
                           : STILE_STR("none"),
            arena);
    put_str(entry, "gateway", config->name, arena);
    put_str(entry, "ods", config->ods, arena);
    put_str(entry, "officers", digest_text(&look->officers->digest, arena),
            arena);
    put_str(entry, "rule-set", digest_text(&look->move.to, arena), arena);
    put_str(entry, "self-approving",
            look->officers->self_approving ? STILE_STR("yes") : STILE_STR("no"),
            arena);
    put_str(entry, "time", time_text(at, arena), arena);
    put_str(entry, "type", STILE_STR("rules-activated"), arena);
    put_str(entry, "way",
            look->files.len > 0 ? STILE_STR("proposal") : STILE_STR("rollback"),
            arena);
    return as_text(entry, arena);
}

/* What the old rules kept back the new ones may share, and a row of an export
 * speaks up by itself only when it changes. Before the set comes in force, so
 * that a crash between the two costs no more than work done twice; a gateway
 * that runs does it again when it takes the set up. */
static enum stile_status touch_feeds(const struct stile_config *config,
                                     struct stile_store *store)
{
    enum stile_status status = STILE_OK;
    uint64_t count = 0;

    for (size_t i = 0; i < config->feed_count && status == STILE_OK; i++) {
        status = store->ops->touch(store, config->feeds[i].name, &count);
    }
    return status;
}

enum stile_status stile_rules_activate(const struct stile_config *config,
                                       struct stile_store *store,
                                       const struct stile_rules_look *look,
                                       struct stile_arena *arena)
{
    /* The store's order of steps. */
    stile_time at = look->in_force && look->now <= look->step.at
                        ? look->step.at + 1
                        : look->now;
    struct stile_value *acts;
    struct stile_rules_change change;
    struct stile_str entry;
    enum stile_status status;

    STILE_ASSERT(look->state == STILE_RULES_READY &&
                 look->verdict.count >= look->verdict.needs);
    acts = acts_of(look, arena);
    change = (struct stile_rules_change){
        .step = {.from = look->move.from,
                 .to = look->move.to,
                 .at = at,
                 .class =
                     stile_str_cstr(stile_rules_class_text(look->move.class)),
                 .acts = as_text(acts, arena)},
        .files = look->files,
        .entry_count = 1};
    entry = entry_of(config, look, at, acts, arena);
    change.entries = &entry;
    if (stile_arena_failed(arena) || entry.len == 0) {
        return STILE_LIMIT;
    }
    status = touch_feeds(config, store);
    return status == STILE_OK ? store->ops->rules_put(store, &change) : status;
}

enum stile_status stile_rules_go_live(const struct stile_config *config,
                                      struct stile_store *store, stile_time now,
                                      struct stile_arena *arena,
                                      struct stile_diags *diags,
                                      struct stile_rules_look *ret,
                                      bool *ret_activated)
{
    struct stile_rules_look look;
    enum stile_status status = STILE_CONFLICT;

    for (unsigned i = 0; i < ATTEMPTS_MAX && status == STILE_CONFLICT; i++) {
        status =
            stile_rules_look(config, store, NULL, now, arena, diags, &look);
        if (status != STILE_OK) {
            return status;
        }
        *ret = look;
        if (look.state != STILE_RULES_READY) {
            *ret_activated = false;
            return STILE_OK;
        }
        status = stile_rules_activate(config, store, &look, arena);
    }
    if (status == STILE_OK) {
        *ret_activated = true;
    }
    return status;
}

enum stile_status stile_rules_approval_keep(
    const struct stile_config *config, struct stile_store *store,
    const struct stile_officers *officers, const struct stile_act *act,
    struct stile_arena *arena)
{
    struct stile_rules_approval approval = {.subject = act->subject,
                                            .officer = act->officer,
                                            .because = act->because,
                                            .at = act->at};
    struct stile_value *value = stile_value_new(arena, STILE_OBJECT);
    struct stile_str entry;

    memcpy(approval.signature, act->signature, sizeof(approval.signature));
    if (!value) {
        return STILE_NOMEM;
    }
    (void)stile_value_set(value, stile_arena_str(arena, STILE_STR("act")),
                          stile_act_value(officers, act, arena));
    put_str(value, "gateway", config->name, arena);
    put_str(value, "ods", config->ods, arena);
    put_str(value, "time", time_text(act->at, arena), arena);
    put_str(value, "type", STILE_STR("rules-approved"), arena);
    entry = as_text(value, arena);
    if (stile_arena_failed(arena) || entry.len == 0) {
        return STILE_LIMIT;
    }
    return store->ops->rules_approve(store, &approval, &entry, 1);
}
