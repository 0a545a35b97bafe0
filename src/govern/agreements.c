/* agreements.yaml: the register of data sharing agreements. */
#include "private.h"

static const struct stile_key_spec party_keys[] = {
    {"ods", STILE_WANT_TEXT, true},
    {"as", STILE_WANT_TEXT, true},
    {"kind", STILE_WANT_TEXT, true},
    {"name", STILE_WANT_TEXT, true},
    {"dspt-expires", STILE_WANT_TEXT, false}};

static void read_party(struct stile__load *load, const struct stile_node *node,
                       struct stile__agreement *agreement)
{
    const struct stile_node *as = stile_node_get(node, "as");
    uint32_t kind;

    if (!stile_node_expect(node, "a party", party_keys, 5, load->diags)) {
        return;
    }
    if (!stile_ods_valid(stile_node_text(node, "ods"))) {
        (void)stile_node_diag(load->diags, stile_node_get(node, "ods"), "R112",
                              STILE_ERROR,
                              "'%.*s' is not an ODS code; write the "
                              "organisation's code in capital letters and "
                              "digits",
                              STILE_FMT(stile_node_text(node, "ods")));
    }
    kind = stile__word_node(load, &load->rules->kinds, "kind of organisation",
                            stile_node_get(node, "kind"));
    if (stile_str_eqc(as->text, "sender") && !agreement->sender.len) {
        agreement->sender = stile_node_text(node, "ods");
        agreement->sender_name = stile_node_text(node, "name");
        agreement->sender_kind = kind;
    } else if (stile_str_eqc(as->text, "recipient") &&
               !agreement->recipient.len) {
        agreement->recipient = stile_node_text(node, "ods");
        agreement->recipient_name = stile_node_text(node, "name");
        agreement->recipient_kind = kind;
        (void)stile__date_node(load, node, "dspt-expires",
                               &agreement->dspt_expires);
    } else {
        (void)stile_node_diag(load->diags, as, "R106", STILE_ERROR,
                              "an agreement has one party as sender and one "
                              "as recipient; write another agreement for "
                              "another pair");
    }
}

static void read_dates(struct stile__load *load, const struct stile_node *node,
                       struct stile__agreement *agreement)
{
    const struct stile_node *papers = stile_node_get(node, "papers");
    bool good = stile__date_node(load, node, "from", &agreement->from);

    good = stile__date_node(load, node, "review", &agreement->review) && good;
    good = stile__date_node(load, node, "expires", &agreement->expires) && good;
    if (papers) {
        (void)stile__date_node(load, papers, "dpia-expires",
                               &agreement->dpia_expires);
    }
    if (good && (stile_date_days(agreement->from) >
                     stile_date_days(agreement->review) ||
                 stile_date_days(agreement->review) >
                     stile_date_days(agreement->expires))) {
        (void)stile_node_diag(load->diags, stile_node_get(node, "expires"),
                              "R302", STILE_ERROR,
                              "the dates must run from, review, expires");
    }
}

static void read_basis(struct stile__load *load, const struct stile_node *node,
                       struct stile__agreement *agreement)
{
    static const struct stile_key_spec sides[] = {
        {"sender", STILE_WANT_MAP, true}, {"recipient", STILE_WANT_MAP, true}};
    static const struct stile_key_spec keys[] = {
        {"article6", STILE_WANT_TEXT, true},
        {"article9", STILE_WANT_TEXT, false},
        {"confidentiality", STILE_WANT_TEXT, false}};
    const struct stile_node *basis = stile_node_get(node, "basis");
    const struct stile_node *side;

    if (!stile_node_expect(basis, "the basis", sides, 2, load->diags)) {
        return;
    }
    for (side = basis->first; side; side = side->next) {
        if (stile_node_expect(side, "a basis", keys, 3, load->diags) &&
            stile_str_eqc(stile_node_text(side, "confidentiality"),
                          "explicit-consent")) {
            agreement->explicit_consent = true;
        }
    }
}

/* Signatures are not checked here: that an approval names its role, key and
 * day is. */
static void read_approvals(struct stile__load *load,
                           const struct stile_node *node)
{
    static const struct stile_key_spec keys[] = {
        {"role", STILE_WANT_TEXT, true},
        {"key", STILE_WANT_TEXT, true},
        {"on", STILE_WANT_TEXT, true}};
    const struct stile_node *list = stile_node_get(node, "approved-by");
    const struct stile_node *child;
    struct stile_date on;

    if (!list->first) {
        (void)stile_node_key_diag(load->diags, list, "R106", STILE_ERROR,
                                  "an agreement needs at least one approval");
    }
    for (child = list->first; child; child = child->next) {
        if (stile_node_expect(child, "an approval", keys, 3, load->diags)) {
            (void)stile__date_node(load, child, "on", &on);
        }
    }
}

static void read_agreement(struct stile__load *load,
                           const struct stile_node *node)
{
    static const struct stile_key_spec keys[] = {
        {"agreement", STILE_WANT_TEXT, true},
        {"title", STILE_WANT_TEXT, true},
        {"between", STILE_WANT_LIST, true},
        {"for", STILE_WANT_TEXT_OR_LIST, true},
        {"data", STILE_WANT_LIST, true},
        {"basis", STILE_WANT_MAP, true},
        {"papers", STILE_WANT_MAP, true},
        {"public-reason", STILE_WANT_TEXT, true},
        {"from", STILE_WANT_TEXT, true},
        {"review", STILE_WANT_TEXT, true},
        {"expires", STILE_WANT_TEXT, true},
        {"approved-by", STILE_WANT_LIST, true},
        {"then", STILE_WANT_TEXT_OR_LIST, false},
        {"cites", STILE_WANT_TEXT_OR_LIST, false},
        {"break-glass", STILE_WANT_MAP, false}};
    static const struct stile_key_spec papers[] = {
        {"dpia", STILE_WANT_TEXT, true},
        {"dpia-expires", STILE_WANT_TEXT, false},
        {"ropa", STILE_WANT_TEXT, true}};
    struct stile_rules *rules = load->rules;
    struct stile__agreement *agreement =
        &rules->agreements[rules->agreement_count];
    const struct stile_node *party;
    size_t before = load->diags->errors;
    size_t i;

    if (!stile_node_expect(node, "an agreement", keys, 15, load->diags) ||
        !stile_node_expect(stile_node_get(node, "papers"), "papers", papers, 3,
                           load->diags)) {
        return;
    }
    agreement->id = stile_node_text(node, "agreement");
    agreement->node = node;
    agreement->sender_kind = STILE__NONE;
    agreement->recipient_kind = STILE__NONE;
    for (i = 0; i < rules->agreement_count; i++) {
        if (stile_str_eq(rules->agreements[i].id, agreement->id)) {
            (void)stile_node_diag(
                load->diags, stile_node_get(node, "agreement"), "R103",
                STILE_ERROR, "the agreement '%.*s' is here twice",
                STILE_FMT(agreement->id));
            return;
        }
    }
    for (party = stile_node_get(node, "between")->first; party;
         party = party->next) {
        read_party(load, party, agreement);
    }
    if (!agreement->sender.len || !agreement->recipient.len) {
        (void)stile_node_key_diag(load->diags, stile_node_get(node, "between"),
                                  "R106", STILE_ERROR,
                                  "an agreement has one party as sender and "
                                  "one as recipient");
    }
    agreement->purposes = stile__word_mask(load, &rules->purposes, "purpose",
                                           stile_node_get(node, "for"));
    agreement->data = stile__word_mask(load, &rules->data, "data word",
                                       stile_node_get(node, "data"));
    stile__glass_read(load, node, agreement);
    read_basis(load, node, agreement);
    read_dates(load, node, agreement);
    read_approvals(load, node);
    agreement->actions =
        stile__actions(load, stile_node_get(node, "then"), agreement->data,
                       &agreement->action_count);
    agreement->wrong = load->diags->errors != before;
    rules->agreement_count++;
}

static int by_id(const void *a, const void *b)
{
    const struct stile__agreement *x = a;
    const struct stile__agreement *y = b;

    return stile_str_cmp(x->id, y->id);
}

void stile__agreements_read(struct stile__load *load)
{
    struct stile_rules *rules = load->rules;
    const struct stile_node *node;
    size_t most = 0;
    size_t i;

    for (i = 0; i < load->count; i++) {
        if (load->inputs[i].kind == STILE_RULES_AGREEMENTS) {
            most += stile__list_count(load->files[i]);
        }
    }
    rules->agreements =
        stile_arena_array(load->arena, most + 1, sizeof(*rules->agreements));
    if (!rules->agreements) {
        return;
    }
    for (i = 0; i < load->count; i++) {
        if (load->inputs[i].kind != STILE_RULES_AGREEMENTS) {
            continue;
        }
        for (node = load->files[i] ? load->files[i]->first : NULL; node;
             node = node->next) {
            read_agreement(load, node);
        }
    }
    qsort(rules->agreements, rules->agreement_count, sizeof(*rules->agreements),
          by_id);
}
