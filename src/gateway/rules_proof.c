/*
 * That the set in force was put there by officers. Whoever can write the
 * store's file could otherwise put any rules in force: a step counts with the
 * signatures its class needs, and when the audit log tells of it last.
 */
#include "config_private.h"

#include "stile/format.h"

#define LOOK_BACK 65536u /* entries at a time, the newest first */
#define ATTEMPTS_MAX 3u  /* when others change what is in force meanwhile */

#define RESTORE                                                                \
    "; nothing comes in force by it: restore the store from a backup"

struct stile_digest stile_rules_step_digest(const struct stile_rules_step *step,
                                            struct stile_arena *arena)
{
    struct stile_digest digest = {{0}};
    char from[65], to[65];

    stile_digest_hex(&step->from, from);
    stile_digest_hex(&step->to, to);
    stile_sha256(stile_arena_printf(arena,
                                    "stile-step v1\n%s\n%s\n%.*s\n%lld\n%.*s\n",
                                    from, to, STILE_FMT(step->class),
                                    (long long)step->at, STILE_FMT(step->acts)),
                 &digest);
    return digest;
}

/* ---- what the log says ---- */

struct looking {
    uint64_t until;
    struct stile_arena *arena;
    struct stile_str entry; /* the last that may be one */
};

static enum stile_status look_at(void *ctx, uint64_t index,
                                 struct stile_str entry,
                                 const struct stile_digest *hash)
{
    struct looking *looking = ctx;

    (void)hash;
    if (index >= looking->until) {
        return STILE_END;
    }
    if (stile_str_find_str(entry, STILE_STR("\"type\":\"rules-activated\"")) !=
        SIZE_MAX) {
        looking->entry = stile_arena_str(looking->arena, entry);
    }
    return stile_arena_failed(looking->arena) ? STILE_LIMIT : STILE_OK;
}

/* The newest entry of a set that came in force; NOT_FOUND: there is none. */
static enum stile_status last_entry(struct stile_store *store,
                                    struct stile_arena *arena,
                                    struct stile_str *ret)
{
    struct looking looking = {.arena = arena};
    struct stile_audit_tree tree;
    enum stile_status status = store->ops->audit_head(store, &tree);
    uint64_t until = status == STILE_OK ? tree.size : 0;

    while (status == STILE_OK && until > 0 && looking.entry.len == 0) {
        uint64_t from = until > LOOK_BACK ? until - LOOK_BACK : 0;

        looking.until = until;
        status = store->ops->audit_scan(store, from, look_at, &looking);
        until = from;
    }
    if (status == STILE_OK && looking.entry.len == 0) {
        return STILE_NOT_FOUND;
    }
    if (status == STILE_OK) {
        *ret = looking.entry;
    }
    return status;
}

static struct stile_value *decode(struct stile_str text,
                                  struct stile_arena *arena)
{
    struct stile_value *value = NULL;
    struct stile_diags quiet;

    stile_diags_init(&quiet, arena, 1);
    return stile_json_decode(text, STILE_JSON_LIMITS, STILE_STR("store"), arena,
                             &quiet, &value) == STILE_OK
               ? value
               : NULL;
}

static bool member_is(const struct stile_value *value, const char *name,
                      const struct stile_digest *digest)
{
    static const struct stile_digest none;
    struct stile_str text = stile_value_text(value, name);
    struct stile_digest found;

    if (stile_str_eqc(text, "none")) {
        return stile_digest_eq(digest, &none);
    }
    return stile_digest_parse(text, &found) && stile_digest_eq(&found, digest);
}

static bool tells(struct stile_str entry, const struct stile_rules_step *step,
                  struct stile_arena *arena)
{
    const struct stile_value *value = decode(entry, arena);
    struct stile_str acts = stile_arena_printf(
        arena, "{\"acts\":%.*s,\"class\":", STILE_FMT(step->acts));
    stile_time at;

    return value && stile_str_starts(entry, acts) &&
           stile_str_eq(stile_value_text(value, "class"), step->class) &&
           member_is(value, "from", &step->from) &&
           member_is(value, "rule-set", &step->to) &&
           stile_time_parse(stile_value_text(value, "time"), &at) &&
           at == step->at / 1000 * 1000;
}

/* ---- who signed ---- */

static bool read_hex(struct stile_str hex, uint8_t ret[64])
{
    struct stile_digest half;

    for (size_t i = 0; i < 2; i++) {
        if (hex.len != 128 ||
            !stile_digest_parse(stile_str_sub(hex, 64 * i, 64), &half)) {
            return false;
        }
        memcpy(ret + 32 * i, half.bytes, 32);
    }
    return true;
}

/* Officers whose term ended since are judged as of the day they signed. */
static bool act_whole(const struct stile_officers *officers,
                      const struct stile_value *value, struct stile_str subject,
                      stile_time until)
{
    const char *error = NULL;
    struct stile_act act = {
        .may = STILE_MAY_APPROVE_RULES,
        .what = stile_str_cstr(stile_may_text(STILE_MAY_APPROVE_RULES)),
        .subject = subject,
        .officer = stile_value_text(value, "officer"),
        .because = stile_value_text(value, "because")};

    return stile_time_parse(stile_value_text(value, "at"), &act.at) &&
           act.at <= until &&
           read_hex(stile_value_text(value, "signature"), act.signature) &&
           stile_act_check(officers, &act, &error) == STILE_OK;
}

/* Officers have different keys, so different officers are enough. False when
 * an act does not hold. */
static bool count_acts(const struct stile_officers *officers,
                       const struct stile_rules_step *step,
                       struct stile_str subject, struct stile_arena *arena,
                       size_t *ret)
{
    const struct stile_value *acts = decode(step->acts, arena);
    const struct stile_value *act, *other;
    size_t count = 0;

    if (!acts || acts->kind != STILE_ARRAY) {
        return false;
    }
    for (act = acts->first; act; act = act->next) {
        if (!act_whole(officers, act, subject, step->at)) {
            return false;
        }
        for (other = acts->first; other != act; other = other->next) {
            if (stile_str_eq(stile_value_text(act, "officer"),
                             stile_value_text(other, "officer"))) {
                return false;
            }
        }
        count++;
    }
    *ret = count;
    return true;
}

/* ---- what the change was ---- */

/* NULL: this program cannot read that set any more. */
static const struct stile_rules *open_set(struct stile_store *store,
                                          const struct stile_digest *digest,
                                          struct stile_date day,
                                          struct stile_arena *arena)
{
    const struct stile_rules *rules = NULL;
    struct stile_str packed = STILE_STR_NULL;
    struct stile_diags quiet;
    struct stile_digest found;

    stile_diags_init(&quiet, arena, 1);
    if (store->ops->rules_files(store, digest, arena, &packed) != STILE_OK ||
        stile_rules_packed_load(packed, day, arena, &quiet, &rules) !=
            STILE_OK) {
        return NULL;
    }
    found = stile_rules_digest(rules);
    return stile_digest_eq(&found, digest) ? rules : NULL;
}

/* An officer alone could have signed a wider change as a narrower one. */
static enum stile_rules_class class_of(struct stile_store *store,
                                       const struct stile_rules_step *step,
                                       enum stile_rules_class signed_as,
                                       struct stile_arena *arena)
{
    static const struct stile_digest none;
    struct stile_date day = stile_date_from_days(stile_london_day(step->at));
    const struct stile_rules *old, *new;
    struct stile_value *report = NULL;
    enum stile_rules_class class = signed_as;

    if (stile_digest_eq(&step->from, &none)) {
        return STILE_RULES_WIDER;
    }
    old = open_set(store, &step->from, day, arena);
    new = open_set(store, &step->to, day, arena);
    if (!old || !new ||
        stile_rules_diff(old, new, day, arena, &report) != STILE_OK ||
        !stile_rules_class_parse(stile_value_text(report, "class"), &class)) {
        return signed_as;
    }
    return class;
}

/* The newest of `steps`. */
static const char *doubt(struct stile_store *store,
                         const struct stile_officers *officers,
                         const struct stile_rules_step *steps,
                         size_t step_count, struct stile_arena *arena)
{
    const struct stile_rules_step *step = &steps[0];
    struct stile_rules_move move = {.from = step->from, .to = step->to};
    size_t count = 0;

    if (step_count > 1) {
        move.after = stile_rules_step_digest(&steps[1], arena);
    }

    if (!stile_rules_class_parse(step->class, &move.class) ||
        !count_acts(officers, step, stile_rules_move_subject(&move, arena),
                    arena, &count)) {
        return "the store's newest rule set came in force without the "
               "signatures of officers that officers.yaml names" RESTORE
               ", or keep in officers.yaml whoever signed";
    }
    if (count < stile_rules_class_needs(move.class, officers) ||
        count < stile_rules_class_needs(
                    class_of(store, step, move.class, arena), officers)) {
        return "the store's newest rule set was signed by fewer officers than "
               "its change needs" RESTORE;
    }
    return NULL;
}

/* ---- the set in force ---- */

static enum stile_status prove(const struct stile_config *config,
                               struct stile_store *store,
                               struct stile_arena *arena,
                               struct stile_rules_step *ret,
                               const char **ret_error)
{
    struct stile_rules_step *steps = NULL;
    struct stile_officers *officers = NULL;
    struct stile_str entry = STILE_STR_NULL;
    struct stile_diags quiet;
    size_t count = 0;
    enum stile_status logged, status;

    status = store->ops->rules_steps(store, 2, arena, &steps, &count);
    logged = status == STILE_OK ? last_entry(store, arena, &entry) : status;
    if (logged != STILE_OK && logged != STILE_NOT_FOUND) {
        return logged;
    }
    if (count == 0) {
        *ret_error = "the audit log tells of a rule set that came in force, "
                     "and the store's steps are gone" RESTORE;
        return logged == STILE_OK ? STILE_DENIED : STILE_NOT_FOUND;
    }
    if (logged != STILE_OK || !tells(entry, &steps[0], arena)) {
        *ret_error = "the store's newest rule set is not the one of which the "
                     "audit log says that it came in force" RESTORE;
        return STILE_DENIED;
    }
    stile_diags_init(&quiet, arena, 1);
    if (!config->officers ||
        stile_officers_read(config, arena, &quiet, &officers) != STILE_OK) {
        *ret_error = "officers.yaml cannot be read, so nobody can say who "
                     "signed the rules in force: mend what 'stile check' names";
        return STILE_DENIED;
    }
    *ret_error = doubt(store, officers, steps, count, arena);
    if (*ret_error || stile_arena_failed(arena)) {
        return *ret_error ? STILE_DENIED : STILE_LIMIT;
    }
    *ret = steps[0];
    return STILE_OK;
}

enum stile_status stile_rules_in_force(const struct stile_config *config,
                                       struct stile_store *store,
                                       struct stile_arena *arena,
                                       struct stile_rules_step *ret_step,
                                       struct stile_str *ret_packed,
                                       const char **ret_error)
{
    struct stile_rules_step step;
    struct stile_str packed = STILE_STR_NULL;
    const char *error = NULL;
    enum stile_status status = STILE_DENIED;

    for (unsigned i = 0; i < ATTEMPTS_MAX && status == STILE_DENIED; i++) {
        status = prove(config, store, arena, &step, &error);
    }
    if (status == STILE_OK) {
        status = store->ops->rules_files(store, &step.to, arena, &packed);
        /* A step without its set is a damaged store, not an empty one. */
        status = status == STILE_NOT_FOUND ? STILE_IO : status;
    }
    if (status == STILE_OK) {
        *ret_step = step;
        *ret_packed = packed;
    } else {
        *ret_error = status == STILE_DENIED ? error : stile_status_text(status);
    }
    return status;
}
