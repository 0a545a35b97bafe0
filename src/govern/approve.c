/* Approvals of a change of the rules: the file, and which of them count. */
#include "private.h"

#define LIST(X)                                                                \
    X(O201, "write the 64 hex digits that 'stile rules status' tells")         \
    X(O202, "write the time as 2026-04-02T09:30:00.000Z")                      \
    X(O203, "write equal, narrower, wider or mixed")                           \
    X(O204, "write the 128 hex digits of 'stile rules approve'")               \
    X(O205, "take out those of former changes")                                \
    X(O206, "begin each approval with '- '")
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

static void find(struct stile_diags *diags, const struct stile_node *node,
                 enum code code, const char *what)
{
    (void)stile_node_diag(diags, node, findings[code].code, STILE_ERROR,
                          "%s: %s", what, findings[code].next);
}

/* ---- classes and what is signed ---- */

static const struct {
    const char *text;
    unsigned needs;
} classes[] = {
#define X(name, text, needs) {text, needs},
    STILE_RULES_CLASS_LIST(X)
#undef X
};

const char *stile_rules_class_text(enum stile_rules_class class)
{
    return classes[class].text;
}

bool stile_rules_class_parse(struct stile_str text, enum stile_rules_class *ret)
{
    for (unsigned i = 0; i < STILE_RULES_CLASS_COUNT; i++) {
        if (stile_str_eqc(text, classes[i].text)) {
            *ret = (enum stile_rules_class)i;
            return true;
        }
    }
    return false;
}

unsigned stile_rules_class_needs(enum stile_rules_class class,
                                 const struct stile_officers *officers)
{
    return officers->self_approving ? 1 : classes[class].needs;
}

static bool is_zero(const struct stile_digest *digest)
{
    static const struct stile_digest zero;

    return stile_digest_eq(digest, &zero);
}

static void from_text(const struct stile_digest *from, char out[65])
{
    if (is_zero(from)) {
        memcpy(out, "none", sizeof("none"));
    } else {
        stile_digest_hex(from, out);
    }
}

struct stile_str stile_rules_move_subject(const struct stile_rules_move *move,
                                          struct stile_arena *arena)
{
    char from[65], to[65], after[65];

    from_text(&move->from, from);
    from_text(&move->after, after);
    stile_digest_hex(&move->to, to);
    return stile_arena_printf(arena, "rules %s %s %s after %s", from, to,
                              classes[move->class].text, after);
}

/* ---- approvals.yaml ---- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool read_signature(struct stile_str hex, uint8_t ret[64])
{
    if (hex.len != 128) {
        return false;
    }
    for (size_t i = 0; i < 64; i++) {
        int high = hex_value(hex.ptr[2 * i]);
        int low = hex_value(hex.ptr[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        ret[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static void read_move(struct stile_diags *diags, const struct stile_node *node,
                      struct stile_rules_move *move)
{
    if (!stile_str_eqc(stile_node_text(node, "from"), "none") &&
        (!stile_digest_parse(stile_node_text(node, "from"), &move->from) ||
         is_zero(&move->from))) {
        find(diags, stile_node_get(node, "from"), O201, "it is no rule set");
    }
    if (!stile_digest_parse(stile_node_text(node, "to"), &move->to) ||
        is_zero(&move->to)) {
        find(diags, stile_node_get(node, "to"), O201, "it is no rule set");
    }
    if (!stile_str_eqc(stile_node_text(node, "after"), "none") &&
        (!stile_digest_parse(stile_node_text(node, "after"), &move->after) ||
         is_zero(&move->after))) {
        find(diags, stile_node_get(node, "after"), O201, "it is no step");
    }
    if (!stile_rules_class_parse(stile_node_text(node, "class"),
                                 &move->class)) {
        find(diags, stile_node_get(node, "class"), O203, "it is no class");
    }
}

static void read_approval(struct stile_diags *diags,
                          const struct stile_node *node,
                          struct stile_arena *arena,
                          struct stile_approval *approval)
{
    static const struct stile_key_spec keys[] = {
        {"organisation", STILE_WANT_TEXT, true},
        {"officer", STILE_WANT_TEXT, true},
        {"at", STILE_WANT_TEXT, true},
        {"because", STILE_WANT_TEXT, true},
        {"from", STILE_WANT_TEXT, true},
        {"to", STILE_WANT_TEXT, true},
        {"class", STILE_WANT_TEXT, true},
        {"after", STILE_WANT_TEXT, true},
        {"signature", STILE_WANT_TEXT, true}};
    struct stile_act *act = &approval->act;

    if (!stile_node_expect(node, "an approval", keys, 9, diags)) {
        return;
    }
    approval->organisation = stile_node_text(node, "organisation");
    read_move(diags, node, &approval->move);
    act->may = STILE_MAY_APPROVE_RULES;
    act->what = stile_str_cstr(stile_may_text(STILE_MAY_APPROVE_RULES));
    act->subject = stile_rules_move_subject(&approval->move, arena);
    act->officer = stile_node_text(node, "officer");
    act->because = stile_node_text(node, "because");
    if (!stile_time_parse(stile_node_text(node, "at"), &act->at)) {
        find(diags, stile_node_get(node, "at"), O202, "it is no time");
    }
    if (!read_signature(stile_node_text(node, "signature"), act->signature)) {
        find(diags, stile_node_get(node, "signature"), O204,
             "it is no signature");
    }
}

enum stile_status stile_approvals_load(const struct stile_source *source,
                                       struct stile_arena *arena,
                                       struct stile_diags *diags,
                                       struct stile_approval **ret,
                                       size_t *ret_count)
{
    struct stile_approval *items;
    struct stile_node *root = NULL;
    const struct stile_node *node;
    size_t before = diags->errors, count = 0;
    enum stile_status status =
        stile_doc_load(source, STILE_DOC_LIMITS, arena, diags, &root);

    if (status != STILE_OK) {
        return status;
    }
    if (root->kind != STILE_NODE_LIST && root->first) {
        find(diags, root, O206, "this file must be a list");
        return STILE_INVALID;
    }
    if (root->count > STILE_APPROVALS_MAX) {
        find(diags, root, O205, "there are more than 1000");
        return STILE_INVALID;
    }
    items = stile_arena_array(arena, root->count + 1, sizeof(*items));
    if (!items) {
        return STILE_LIMIT;
    }
    for (node = root->first; node; node = node->next) {
        read_approval(diags, node, arena, &items[count++]);
    }
    if (stile_arena_failed(arena)) {
        return STILE_LIMIT;
    }
    if (diags->errors > before) {
        return STILE_INVALID;
    }
    *ret = items;
    *ret_count = count;
    return STILE_OK;
}

static void write_one(const struct stile_approval *approval,
                      struct stile_buf *out)
{
    const struct stile_act *act = &approval->act;
    char at[25], from[65], to[65], after[65];

    from_text(&approval->move.from, from);
    from_text(&approval->move.after, after);
    stile_digest_hex(&approval->move.to, to);
    at[stile_time_format(act->at, at)] = '\0';
    stile_buf_printf(out, "- organisation: %.*s\n  officer: %.*s\n  at: %s\n",
                     STILE_FMT(approval->organisation), STILE_FMT(act->officer),
                     at);
    stile_buf_addc(out, "  because: ");
    stile_buf_json_str(out, act->because); /* is YAML too */
    stile_buf_printf(out,
                     "\n  from: %s\n  to: %s\n  class: %s\n  after: %s\n"
                     "  signature: ",
                     from, to, classes[approval->move.class].text, after);
    for (size_t i = 0; i < sizeof(act->signature); i++) {
        stile_buf_printf(out, "%02x", act->signature[i]);
    }
    stile_buf_byte(out, '\n');
}

void stile_approvals_write(const struct stile_approval *approvals, size_t count,
                           struct stile_buf *out)
{
    stile_buf_addc(out, "# Who approved these rules, written by 'stile rules "
                        "approve'. No part of the rule set.\n");
    for (size_t i = 0; i < count; i++) {
        write_one(&approvals[i], out);
    }
}

/* ---- which of them count ---- */

/* Of whose term has ended, the signer's clock alone would say when it was. */
static bool in_term(const struct stile_officers *officers,
                    const struct stile_act *act, stile_time now)
{
    const struct stile_officer *officer =
        stile_officers_find(officers, act->officer);
    int64_t day = stile_london_day(now);

    return officer && day >= stile_date_days(officer->from) &&
           day <= stile_date_days(officer->until);
}

static const char *why_not(const struct stile_officers *officers,
                           const struct stile_approval *approval,
                           const struct stile_approval_terms *terms,
                           struct stile_str subject)
{
    const struct stile_rules_move *signed_for = &approval->move;
    stile_time at = approval->act.at;
    const char *error = "";

    if (!stile_digest_eq(&signed_for->to, &terms->move.to)) {
        return "it is of other rules than these: they were edited since";
    }
    if (!stile_digest_eq(&signed_for->from, &terms->move.from)) {
        return "it is of a change from another set than the one in force";
    }
    if (!stile_digest_eq(&signed_for->after, &terms->move.after)) {
        return "it was given before the set in force came in force";
    }
    if (signed_for->class != terms->move.class) {
        return "the change is of another class than the one that was signed";
    }
    if (!stile_str_eq(approval->act.subject, subject)) {
        return "what was signed is not this change";
    }
    if (at > terms->now) {
        return "it is dated in the future: look at the clock of the machine "
               "it was signed on";
    }
    if (at <= terms->after) {
        return "it was given before the set in force came in force";
    }
    if (terms->now - at > terms->age) {
        return "it is older than approvals count";
    }
    if (stile_act_check(officers, &approval->act, &error) != STILE_OK) {
        return error;
    }
    return in_term(officers, &approval->act, terms->now)
               ? NULL
               : "officers.yaml does not name this officer for today";
}

/* officers.yaml gives no two officers one key; it is looked at again here,
 * where it matters. */
static bool is_new(const struct stile_officers *officers,
                   const struct stile_approval_verdict *verdict,
                   const struct stile_act *act)
{
    const struct stile_officer *officer =
        stile_officers_find(officers, act->officer);

    for (size_t i = 0; i < verdict->count; i++) {
        const struct stile_officer *other =
            stile_officers_find(officers, verdict->counted[i]->officer);

        if (other == officer ||
            memcmp(other->key, officer->key, sizeof(other->key)) == 0) {
            return false;
        }
    }
    return true;
}

enum stile_status
stile_approvals_judge(const struct stile_officers *officers,
                      const struct stile_approval *approvals, size_t count,
                      const struct stile_approval_terms *terms,
                      struct stile_arena *arena,
                      struct stile_approval_verdict *ret)
{
    struct stile_approval_verdict verdict = {
        .needs = stile_rules_class_needs(terms->move.class, officers)};
    struct stile_str subject = stile_rules_move_subject(&terms->move, arena);

    verdict.counted =
        stile_arena_array(arena, count + 1, sizeof(*verdict.counted));
    verdict.others =
        stile_arena_array(arena, count + 1, sizeof(*verdict.others));
    if (!verdict.counted || !verdict.others) {
        return STILE_LIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        const struct stile_act *act = &approvals[i].act;
        const char *why;

        if (!stile_str_eq(approvals[i].organisation, officers->organisation)) {
            continue;
        }
        why = why_not(officers, &approvals[i], terms, subject);
        if (why) {
            verdict.others[verdict.other_count++] = stile_arena_printf(
                arena, "%.*s: %s", STILE_FMT(act->officer), why);
        } else if (is_new(officers, &verdict, act)) {
            verdict.counted[verdict.count++] = act;
        }
    }
    if (stile_arena_failed(arena)) {
        return STILE_LIMIT;
    }
    *ret = verdict;
    return STILE_OK;
}
