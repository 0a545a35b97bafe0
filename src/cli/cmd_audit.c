/*
 * The audit log, seen from outside the gateway. Verification trusts nothing
 * of the store: it replays the entries and believes only the public key.
 */
#include "cli.h"

#define LOG_BYTES_MAX ((size_t)256 << 20)

struct opened {
    struct stile_arena *arena;
    struct stile_store *store;
    struct stile_buf out;
    struct stile_str origin;
    uint8_t key[32];
};

static bool key_of_config(const struct stile_config *config, struct opened *o)
{
    struct stile_str error;
    uint8_t seed[32];
    bool good;

    if (stile_audit_key_read(config->audit_key, seed, o->arena, &error) !=
        STILE_OK) {
        stile__cli_say("%.*s", STILE_FMT(error));
        return false;
    }
    good = stile_ed25519_public(seed, o->key) == STILE_OK;
    stile_wipe(seed, sizeof(seed));
    o->origin = config->audit_origin;
    return good;
}

static bool key_of_file(const char *path, struct opened *o)
{
    struct stile_digest key;
    struct stile_str text;

    if (!stile__cli_read(path, 4096, o->arena, &text)) {
        return false;
    }
    if (!stile_digest_parse(stile_str_trim(text), &key)) {
        stile__cli_say("%s must hold the 64 hex digits of the public key",
                       path);
        return false;
    }
    memcpy(o->key, key.bytes, 32);
    return true;
}

static int open_log(const struct cli_args *args, bool need_key,
                    struct opened *o)
{
    const char *path = stile__cli_get(args, "store");
    struct stile_config *config = NULL;

    o->arena = stile_arena_new(LOG_BYTES_MAX);
    stile_buf_init(&o->out, LOG_BYTES_MAX);
    if (!path && !stile__cli_has(args, "config")) {
        return stile__cli_usage(args, "it needs -c stile.yaml or --store FILE");
    }
    if (path && need_key &&
        (!stile__cli_has(args, "key") || !stile__cli_has(args, "origin"))) {
        return stile__cli_usage(args,
                                "--store needs --key FILE and --origin NAME");
    }
    if (!path) {
        if (!stile__cli_config(args, o->arena, &config) ||
            (need_key && !key_of_config(config, o))) {
            return CLI_FAILED;
        }
        path = config->store;
    } else if (need_key) {
        o->origin = stile_str_cstr(stile__cli_get(args, "origin"));
        if (!key_of_file(stile__cli_get(args, "key"), o)) {
            return CLI_FAILED;
        }
    }
    return stile__cli_store(path, true, o->arena, &o->store) ? CLI_OK
                                                             : CLI_FAILED;
}

static int close_log(struct opened *o, int result)
{
    bool written = stile__cli_write(stdout, &o->out);

    if (o->store) {
        o->store->ops->close(&o->store);
    }
    stile_buf_release(&o->out);
    stile_arena_free(&o->arena);
    return result == CLI_OK && !written ? CLI_FAILED : result;
}

/* ---- verify
 * ---------------------------------------------------------------------- */

struct note {
    uint64_t size;
    struct stile_str text;
    const char *whose; /* "the store's", "the one kept elsewhere" */
};

struct replay {
    const struct opened *log;
    struct stile_audit_verifier verifier;
    const struct note *notes; /* by size */
    size_t count, next;
    /* Read before the entries, which may grow meanwhile. */
    struct stile_audit_tree head;
    struct stile_str failure; /* empty: none */
};

static enum stile_status check_note(struct replay *r)
{
    const struct note *note = &r->notes[r->next];
    enum stile_status status = stile_audit_verify_checkpoint(
        &r->verifier, note->text, r->log->origin, r->log->key);

    if (status == STILE_OK) {
        r->next++;
        return STILE_OK;
    }
    r->failure = stile_arena_printf(
        r->log->arena, "%s checkpoint of size %llu: %s", note->whose,
        (unsigned long long)note->size,
        status == STILE_DENIED ? "its signature is not of this key and origin"
        : status == STILE_INVALID
            ? "the entries below it are not those that were signed: one was "
              "changed, moved or exchanged"
            : "its size is not the size it stands at");
    return STILE_INVALID;
}

static enum stile_status check_notes(struct replay *r)
{
    enum stile_status status = STILE_OK;

    while (status == STILE_OK && r->next < r->count &&
           r->notes[r->next].size <= r->verifier.tree.size) {
        status = check_note(r);
    }
    return status;
}

static enum stile_status check_head(struct replay *r)
{
    struct stile_digest root, stored;

    if (r->verifier.tree.size != r->head.size) {
        return STILE_OK;
    }
    stile_audit_tree_root(&r->verifier.tree, &root);
    stile_audit_tree_root(&r->head, &stored);
    if (stile_digest_eq(&root, &stored)) {
        return STILE_OK;
    }
    r->failure = stile_arena_printf(
        r->log->arena, "the store's head is not that of its %llu entries",
        (unsigned long long)r->head.size);
    return STILE_INVALID;
}

static enum stile_status replay_entry(void *ctx, uint64_t index,
                                      struct stile_str entry,
                                      const struct stile_digest *hash)
{
    struct replay *r = ctx;
    enum stile_status status;

    if (index != r->verifier.tree.size) {
        r->failure =
            stile_arena_printf(r->log->arena, "entry %llu is missing",
                               (unsigned long long)r->verifier.tree.size);
        return STILE_INVALID;
    }
    status = stile_audit_verify_entry(&r->verifier, entry, hash);
    if (status != STILE_OK) {
        r->failure = stile_arena_printf(
            r->log->arena, "entry %llu: %s", (unsigned long long)index,
            status == STILE_INVALID
                ? "its bytes are not those its hash was taken of"
                : "it is empty or longer than an entry can be");
        return STILE_INVALID;
    }
    status = check_notes(r);
    return status == STILE_OK ? check_head(r) : status;
}

static int by_size(const void *a, const void *b)
{
    const struct note *x = a, *y = b;

    return x->size < y->size ? -1 : x->size > y->size ? 1 : 0;
}

/* The store's checkpoints, and the one that was kept elsewhere. */
static bool gather(const struct cli_args *args, struct opened *o,
                   struct replay *r)
{
    struct stile_str *texts = NULL, outside;
    uint64_t *sizes = NULL;
    struct stile_audit_checkpoint seen;
    struct note *notes;
    size_t count = 0;
    enum stile_status status =
        o->store->ops->checkpoints(o->store, o->arena, &texts, &sizes, &count);

    notes = stile_arena_array(o->arena, count + 1, sizeof(*notes));
    if (status != STILE_OK || !notes) {
        r->failure =
            stile_arena_printf(o->arena, "the checkpoints cannot be read: %s",
                               stile_status_text(status));
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        notes[i] = (struct note){sizes[i], texts[i], "the store's"};
    }
    if (stile__cli_has(args, "checkpoint")) {
        if (!stile__cli_read(stile__cli_get(args, "checkpoint"), 65536,
                             o->arena, &outside) ||
            stile_audit_checkpoint_open(outside, o->origin, o->key, &seen) !=
                STILE_OK) {
            r->failure = STILE_STR("the checkpoint given is not signed by "
                                   "this key and origin");
            return false;
        }
        notes[count++] = (struct note){seen.size, outside, "the given"};
    }
    qsort(notes, count, sizeof(*notes), by_size);
    r->notes = notes;
    r->count = count;
    return true;
}

/* What must have been met when the last entry was seen. */
static void check_end(struct opened *o, struct replay *r)
{
    if (r->next < r->count) {
        r->failure = stile_arena_printf(
            o->arena,
            "%s checkpoint of size %llu: the log has only %llu entries; its "
            "end was cut off",
            r->notes[r->next].whose, (unsigned long long)r->notes[r->next].size,
            (unsigned long long)r->verifier.entries);
        return;
    }
    if (r->verifier.entries > 0 && r->verifier.checkpoints == 0) {
        r->failure = STILE_STR("no checkpoint signs any entry; nothing is "
                               "proved");
        return;
    }
    if (r->head.size > r->verifier.entries) {
        r->failure = stile_arena_printf(
            o->arena, "the log should have %llu entries and has %llu",
            (unsigned long long)r->head.size,
            (unsigned long long)r->verifier.entries);
    }
}

static void verify(const struct cli_args *args, struct opened *o,
                   struct replay *r)
{
    enum stile_status status;

    r->log = o;
    stile_audit_verify_init(&r->verifier);
    if (!gather(args, o, r)) {
        return;
    }
    if (o->store->ops->audit_head(o->store, &r->head) != STILE_OK) {
        r->failure = STILE_STR("the head of the log cannot be read");
        return;
    }
    status = check_notes(r); /* of size 0 */
    if (status == STILE_OK) {
        status = o->store->ops->audit_scan(o->store, 0, replay_entry, r);
    }
    if (r->failure.len > 0) {
        return;
    }
    if (status != STILE_OK) {
        r->failure = stile_arena_printf(
            o->arena, "after entry %llu the store cannot be read: %s",
            (unsigned long long)r->verifier.entries, stile_status_text(status));
        return;
    }
    check_end(o, r);
}

static void verify_report(const struct cli_args *args, const struct replay *r,
                          struct stile_buf *out)
{
    const struct stile_audit_verifier *v = &r->verifier;
    struct stile_digest root;
    char hex[65];

    stile_audit_tree_root(&v->tree, &root);
    stile_digest_hex(&root, hex);
    if (stile__cli_has(args, "json")) {
        stile_buf_printf(out,
                         "{\"whole\":%s,\"entries\":%llu,\"checkpoints\":%llu,"
                         "\"signed\":%llu,\"root\":\"%s\",\"failure\":",
                         r->failure.len > 0 ? "false" : "true",
                         (unsigned long long)v->entries,
                         (unsigned long long)v->checkpoints,
                         (unsigned long long)v->signed_size, hex);
        stile_buf_json_str(out, r->failure);
        stile_buf_addc(out, "}\n");
        return;
    }
    if (r->failure.len > 0) {
        stile_buf_printf(out, "the audit log is NOT whole: %.*s\n",
                         STILE_FMT(r->failure));
        return;
    }
    stile_buf_addc(out, "the audit log is whole: ");
    stile__cli_plural(out, v->entries, "entry", "entries");
    stile_buf_addc(out, ", ");
    stile__cli_plural(out, v->checkpoints, "checkpoint", "checkpoints");
    stile_buf_printf(out, ", signed up to %llu, root %s\n",
                     (unsigned long long)v->signed_size, hex);
    if (v->entries > v->signed_size) {
        stile_buf_printf(out,
                         "the last %llu are not signed yet; the next "
                         "checkpoint will sign them\n",
                         (unsigned long long)(v->entries - v->signed_size));
    }
}

/* The newest checkpoint as it is, to be kept where the store's owner cannot
 * reach it. */
static bool save_note(const char *path, const struct replay *r)
{
    const struct note *note = NULL;
    FILE *file;
    bool good;

    for (size_t i = 0; i < r->count; i++) {
        note = &r->notes[i]; /* by size */
    }
    if (!note) {
        stile__cli_say("there is no checkpoint to be saved yet");
        return false;
    }
    file = fopen(path, "wb");
    good = file &&
           fwrite(note->text.ptr, 1, note->text.len, file) == note->text.len;
    if (file && fclose(file) != 0) {
        good = false;
    }
    if (!good) {
        stile__cli_say("%s cannot be written; check its folder", path);
    }
    return good;
}

static int run_verify(const struct cli_args *args)
{
    struct opened o = {0};
    struct replay r = {0};
    int result = open_log(args, true, &o);

    if (result == CLI_OK) {
        verify(args, &o, &r);
        verify_report(args, &r, &o.out);
        result = r.failure.len > 0 ? CLI_FAILED : CLI_OK;
        if (result == CLI_OK && stile__cli_has(args, "save") &&
            !save_note(stile__cli_get(args, "save"), &r)) {
            result = CLI_FAILED;
        }
    }
    return close_log(&o, result);
}

/* ---- show
 * ----------------------------------------------------------------------------
 */

struct showing {
    struct opened *log;
    bool json;
    bool notify;        /* only what the privacy officer is to look at */
    uint64_t pass_over; /* so many of these come before the newest */
    uint64_t met;
};

/* name=value of the entry's own members; what lies deeper as JSON. */
static void show_members(const struct stile_value *entry, struct stile_buf *out)
{
    for (const struct stile_value *child = entry->first; child;
         child = child->next) {
        if (stile_str_eqc(child->name, "time") ||
            stile_str_eqc(child->name, "type") ||
            stile_str_eqc(child->name, "ground")) { /* --json has it */
            continue;
        }
        stile_buf_printf(out, " %.*s=", STILE_FMT(child->name));
        if (child->kind == STILE_STRING) {
            stile_buf_add(out, child->text);
        } else {
            stile_value_json(child, 0, out);
        }
    }
}

static bool tells(const struct stile_value *list)
{
    const struct stile_value *whom;

    for (whom = list ? list->first : NULL; whom; whom = whom->next) {
        if (stile_str_eqc(whom->text, "privacy-officer")) {
            return true;
        }
    }
    return false;
}

/* A broken glass says it itself, what went under it in its decision. What is
 * no entry any more is shown: verify says why. */
static bool is_notice(struct showing *s, struct stile_str entry)
{
    struct stile_arena_mark mark = stile_arena_mark(s->log->arena);
    struct stile_value *value = NULL;
    struct stile_diags diags;
    bool is;

    stile_diags_init(&diags, s->log->arena, 1);
    is = stile_json_decode(entry, STILE_JSON_LIMITS, STILE_STR("entry"),
                           s->log->arena, &diags, &value) != STILE_OK ||
         tells(stile_value_getc(value, "notify")) ||
         tells(stile_value_path(value, "decision.notify"));
    stile_arena_rewind(s->log->arena, mark);
    return is;
}

static enum stile_status count_notice(void *ctx, uint64_t index,
                                      struct stile_str entry,
                                      const struct stile_digest *hash)
{
    struct showing *s = ctx;

    (void)index;
    (void)hash;
    s->met += is_notice(s, entry);
    return STILE_OK;
}

static enum stile_status show_entry(void *ctx, uint64_t index,
                                    struct stile_str entry,
                                    const struct stile_digest *hash)
{
    struct showing *s = ctx;
    struct stile_arena_mark mark = stile_arena_mark(s->log->arena);
    struct stile_buf *out = &s->log->out;
    struct stile_value *value = NULL;
    struct stile_diags diags;
    char hex[65];

    if (s->notify && (!is_notice(s, entry) || s->met++ < s->pass_over)) {
        return STILE_OK;
    }
    stile_diags_init(&diags, s->log->arena, 1);
    if (s->json) {
        stile_digest_hex(hash, hex);
        stile_buf_printf(out, "{\"index\":%llu,\"hash\":\"%s\",\"entry\":",
                         (unsigned long long)index, hex);
    }
    if (stile_json_decode(entry, STILE_JSON_LIMITS, STILE_STR("entry"),
                          s->log->arena, &diags, &value) != STILE_OK) {
        /* It was changed by another hand; verify says so too. */
        stile_buf_json_str(out, entry);
        stile_buf_addc(out, s->json ? "}\n" : " is no audit entry\n");
    } else if (s->json) {
        stile_buf_add(out, entry);
        stile_buf_addc(out, "}\n");
    } else {
        stile_buf_printf(out, "%6llu %.*s %-12.*s", (unsigned long long)index,
                         STILE_FMT(stile_value_text(value, "time")),
                         STILE_FMT(stile_value_text(value, "type")));
        show_members(value, out);
        stile_buf_byte(out, '\n');
    }
    stile_arena_rewind(s->log->arena, mark);
    return out->status;
}

/* The newest `last` notices may lie anywhere: they are counted first. */
static enum stile_status show_notices(struct showing *s, uint64_t last)
{
    const struct stile_store *store = s->log->store;
    enum stile_status status =
        store->ops->audit_scan(s->log->store, 0, count_notice, s);

    if (status != STILE_OK) {
        return status;
    }
    s->pass_over = s->met > last ? s->met - last : 0;
    s->met = 0;
    return store->ops->audit_scan(s->log->store, 0, show_entry, s);
}

static int run_show(const struct cli_args *args)
{
    struct opened o = {0};
    struct showing showing = {.log = &o,
                              .json = stile__cli_has(args, "json"),
                              .notify = stile__cli_has(args, "notify")};
    struct stile_audit_tree head;
    enum stile_status status;
    uint64_t last;
    int result;

    if (!stile__cli_number(args, "last", 1, 10000000, 20, &last)) {
        return CLI_USAGE;
    }
    result = open_log(args, false, &o);
    if (result != CLI_OK) {
        return close_log(&o, result);
    }
    status = o.store->ops->audit_head(o.store, &head);
    if (status == STILE_OK && showing.notify) {
        status = show_notices(&showing, last);
    } else if (status == STILE_OK) {
        status = o.store->ops->audit_scan(
            o.store, head.size > last ? head.size - last : 0, show_entry,
            &showing);
    }
    if (status != STILE_OK) {
        stile__cli_say("the log could not be read: %s",
                       stile_status_text(status));
        result = CLI_FAILED;
    }
    return close_log(&o, result);
}

static const struct cli_option verify_options[] = {
    CLI_CONFIG_OPTION,
    {"store", 0, "FILE", "a store, or a copy of one, instead of -c"},
    {"key", 0, "FILE", "64 hex digits of the audit log's public key"},
    {"origin", 0, "NAME", "the log's name, as in its checkpoints"},
    {"checkpoint", 0, "FILE", "a checkpoint that was kept elsewhere"},
    {"save", 0, "FILE", "write the newest checkpoint there, to be kept"},
    CLI_JSON_OPTION,
};

static const struct cli_option show_options[] = {
    CLI_CONFIG_OPTION,
    {"store", 0, "FILE", "the store itself, instead of -c"},
    {"last", 'n', "N", "so many of the newest, 20"},
    {"notify", 0, NULL, "only what the privacy officer is to look at"},
    CLI_JSON_OPTION,
};

const struct cli_command stile__cmd_audit_verify = {
    "audit verify",
    "",
    0,
    0,
    "prove that no entry of the audit log was changed",
    "Reads every entry again, takes its hash, grows the Merkle tree from\n"
    "nothing and compares it with each signed checkpoint. Finds entries that\n"
    "were changed, moved, exchanged or taken out, and, with a checkpoint that\n"
    "was kept elsewhere, an end that was cut off together with its\n"
    "checkpoints. So keep one elsewhere now and then (--save). The store is\n"
    "opened read-only, beside a running gateway.\n\n"
    "  stile audit verify -c /etc/stile/stile.yaml --save monday.note\n"
    "  stile audit verify --store copy.db --key audit.pub \\\n"
    "        --origin alder.A99901.stile --checkpoint monday.note\n\n"
    "exit: 0 whole; 1 not whole, with what and where, or the store cannot be\n"
    "      read; 2 wrong command line",
    CLI_OPTIONS(verify_options),
    run_verify};

const struct cli_command stile__cmd_audit_show = {
    "audit show",
    "",
    0,
    0,
    "print the newest entries of the audit log",
    "Prints one line an entry: what came, what went to whom, by which rules,\n"
    "and what stayed. Entries name no person: a person is a commitment that\n"
    "only the gateway's salt can link. With --json one object a line.\n\n"
    "  stile audit show -c /etc/stile/stile.yaml --last 50\n"
    "  stile audit show -c /etc/stile/stile.yaml --notify\n\n"
    "exit: 0 printed; 1 the store cannot be read; 2 wrong command line",
    CLI_OPTIONS(show_options),
    run_show};
