/* officers.yaml: who may do what, by which key. */
#include "private.h"

#define LIST(X)                                                                \
    X(O101, "write the organisation's ODS code in capital letters and digits") \
    X(O102, "write yes or no")                                                 \
    X(O103, "use up to 64 of a-z, 0-9 and '-', beginning with a letter")       \
    X(O104, "give every officer an id of their own")                           \
    X(O105, "write the 64 hex digits that 'stile officer key' prints")         \
    X(O106, "give every officer a key of their own, or one person could sign " \
            "as two")                                                          \
    X(O107, "use one of the words")                                            \
    X(O108, "write the day as 2026-04-01")                                     \
    X(O109, "let from come before until")                                      \
    X(O110, "name fewer officers")
enum code {
#define X(code, next) code,
    LIST(X)
#undef X
};

static const struct {
    const char *code, *next;
} findings[] = {
#define X(code, next) {#code, next},
    LIST(X)
#undef X
};

static struct stile_diag *find(struct stile_diags *diags,
                               const struct stile_node *node, enum code code,
                               const char *what)
{
    return stile_node_diag(diags, node, findings[code].code, STILE_ERROR,
                           "%s: %s", what, findings[code].next);
}

const char *stile_may_text(enum stile_may may)
{
    static const char *const texts[] = {
#define X(name, text) text,
        STILE_MAY_LIST(X)
#undef X
    };

    return texts[may];
}

static bool id_valid(struct stile_str id)
{
    if (id.len == 0 || id.len > 64 || id.ptr[0] < 'a' || id.ptr[0] > 'z') {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
            return false;
        }
    }
    return true;
}

static unsigned read_word(struct stile_diags *diags,
                          const struct stile_node *node)
{
    static const struct stile_str words[] = {
#define X(name, text) {text, sizeof(text) - 1},
        STILE_MAY_LIST(X)
#undef X
    };

    for (size_t i = 0; i < STILE_MAY_COUNT; i++) {
        if (node->kind == STILE_NODE_TEXT &&
            stile_str_eq(node->text, words[i])) {
            return 1u << i;
        }
    }
    stile_diag_suggest(diags,
                       find(diags, node, O107, "it is nothing to be permitted"),
                       node->text, words, STILE_MAY_COUNT);
    return 0;
}

static unsigned read_may(struct stile_diags *diags,
                         const struct stile_node *node)
{
    const struct stile_node *word = node;
    unsigned may = 0;

    for (word = node->kind == STILE_NODE_LIST ? node->first : node; word;
         word = node->kind == STILE_NODE_LIST ? word->next : NULL) {
        may |= read_word(diags, word);
    }
    return may;
}

static bool read_day(struct stile_diags *diags, const struct stile_node *map,
                     const char *key, struct stile_date *ret)
{
    const struct stile_node *node = stile_node_get(map, key);
    struct stile_date day;

    if (!stile_date_parse(node->text, &day) || day.month == 0 || day.day == 0) {
        (void)find(diags, node, O108, "it is no day");
        return false;
    }
    *ret = day;
    return true;
}

static void check_unique(struct stile_diags *diags,
                         const struct stile_node *node,
                         const struct stile_officers *officers,
                         const struct stile_officer *officer)
{
    for (size_t i = 0; i < officers->count; i++) {
        const struct stile_officer *other = &officers->items[i];

        if (stile_str_eq(other->id, officer->id)) {
            (void)find(diags, stile_node_get(node, "officer"), O104,
                       "the id was given before");
        }
        if (memcmp(other->key, officer->key, sizeof(officer->key)) == 0) {
            (void)find(diags, stile_node_get(node, "key"), O106,
                       "the key was given before");
        }
    }
}

static void read_officer(struct stile_diags *diags,
                         const struct stile_node *node,
                         struct stile_officers *officers,
                         struct stile_officer *officer)
{
    static const struct stile_key_spec keys[] = {
        {"officer", STILE_WANT_TEXT, true},
        {"role", STILE_WANT_TEXT, true},
        {"key", STILE_WANT_TEXT, true},
        {"may", STILE_WANT_TEXT_OR_LIST, true},
        {"from", STILE_WANT_TEXT, true},
        {"until", STILE_WANT_TEXT, true}};
    struct stile_digest key;

    if (!stile_node_expect(node, "an officer", keys, 6, diags)) {
        return;
    }
    officer->id = stile_node_text(node, "officer");
    officer->role = stile_node_text(node, "role");
    if (!id_valid(officer->id)) {
        (void)find(diags, stile_node_get(node, "officer"), O103,
                   "it is no id of an officer");
    }
    if (!id_valid(officer->role)) {
        (void)find(diags, stile_node_get(node, "role"), O103, "it is no role");
    }
    if (!stile_digest_parse(stile_node_text(node, "key"), &key)) {
        (void)find(diags, stile_node_get(node, "key"), O105,
                   "it is no public key");
        return;
    }
    memcpy(officer->key, key.bytes, sizeof(officer->key));
    officer->may = read_may(diags, stile_node_get(node, "may"));
    if (read_day(diags, node, "from", &officer->from) &&
        read_day(diags, node, "until", &officer->until) &&
        stile_date_days(officer->from) > stile_date_days(officer->until)) {
        (void)find(diags, stile_node_get(node, "until"), O109,
                   "the days are the wrong way round");
    }
    check_unique(diags, node, officers, officer);
    officers->count++;
}

static void read_head(struct stile_diags *diags, const struct stile_node *root,
                      struct stile_officers *officers)
{
    const struct stile_node *self = stile_node_get(root, "self-approving");

    officers->organisation = stile_node_text(root, "organisation");
    if (!stile_ods_valid(officers->organisation)) {
        (void)find(diags, stile_node_get(root, "organisation"), O101,
                   "it is no ODS code");
    }
    if (self && stile_str_eqc(self->text, "yes")) {
        officers->self_approving = true;
    } else if (self && !stile_str_eqc(self->text, "no")) {
        (void)find(diags, self, O102, "it is neither");
    }
}

enum stile_status stile_officers_load(const struct stile_source *source,
                                      struct stile_arena *arena,
                                      struct stile_diags *diags,
                                      struct stile_officers **ret)
{
    static const struct stile_key_spec keys[] = {
        {"organisation", STILE_WANT_TEXT, true},
        {"self-approving", STILE_WANT_TEXT, false},
        {"officers", STILE_WANT_LIST, true}};
    struct stile_officers *officers =
        stile_arena_alloc(arena, sizeof(*officers));
    struct stile_officer *items;
    const struct stile_node *list, *node;
    struct stile_node *root = NULL;
    size_t before = diags->errors;
    enum stile_status status =
        stile_doc_load(source, STILE_DOC_LIMITS, arena, diags, &root);

    if (status != STILE_OK) {
        return status;
    }
    if (!stile_node_expect(root, "officers.yaml", keys, 3, diags)) {
        return STILE_INVALID;
    }
    list = stile_node_get(root, "officers");
    if (list->count > STILE_OFFICERS_MAX) {
        (void)find(diags, list, O110, "there are more than 1000");
        return STILE_INVALID;
    }
    items = stile_arena_array(arena, list->count + 1, sizeof(*items));
    if (!officers || !items) {
        return STILE_LIMIT;
    }
    *officers = (struct stile_officers){.items = items};
    read_head(diags, root, officers);
    for (node = list->first; node; node = node->next) {
        read_officer(diags, node, officers, &items[officers->count]);
    }
    stile_sha256(source->text, &officers->digest);
    if (diags->errors > before) {
        return STILE_INVALID;
    }
    *ret = officers;
    return STILE_OK;
}

const struct stile_officer *
stile_officers_find(const struct stile_officers *officers, struct stile_str id)
{
    for (size_t i = 0; i < officers->count; i++) {
        if (stile_str_eq(officers->items[i].id, id)) {
            return &officers->items[i];
        }
    }
    return NULL;
}
