/*
 * What may not go missing unseen: a guardrail of the national floor, and the
 * code list of a label.
 */
#include "private.h"

/* Id, and SHA-256 of the canonical form, of each guardrail that is shipped in
 * mappings/rules/guardrails.yaml. Compiled in, so that who edits the folder
 * cannot edit this as well. tests/unit/govern_floor.c prints it anew. */
static const char shipped[] =
    "NAT-S "
    "369c96c54688dfaea09096b9ada370e806af74cc51e2cffb19e894ec96a255e3\n"
    "NAT-CONF "
    "9127a660dce5c911bac73bbb1ea4948d80792274b8631efc747232f42fb72e75\n"
    "NAT-DEAD "
    "cecad7bf0d0e38ec38af4ce1ce66241f6a5c3b55b1df2efc2c32522f210a4efe\n"
    "NAT-LOCAL "
    "fb67c49f0f57cd4ddfea1d46af8eaf8567c073bbea1763e464e4868afaddccf0\n"
    "NAT-THIRD "
    "1fda22a91105a8b9d06bfbd67aa7274c5498164fe0fc06151c472f2735751b96\n"
    "NAT-UNABLE "
    "45f76afa5253616293cfc4b508c64890033e4e3e0934abc903b613716abc3ce5\n"
    "NAT-NDO "
    "7852fd3adc8ea5b6ffca7a4673c8bbd29ba6416a58a32e8a402d022d8ab94b5a\n"
    "NAT-TYPE1 "
    "682bf0a6fd4749ec0a41dc5f719c59a3ea0060c8ecd686b1ebe2436e916eb769\n"
    "NAT-GRA "
    "c123004106dc2bde924a782b6f6cf1449972f027bfdaa5b221d31b5517175d7f\n"
    "NAT-NOPAT "
    "50e94137fbfd0ca1162e8eb63e8f3607f295c3df17e3147c9767229aa8171ef2\n"
    "NAT-ADOPT "
    "9c1a2ded73f7947f7493bac51abc2d60e41c81aca8c5e781be10c48ab092fe08\n"
    "NAT-CODES "
    "e4c29a9be8acbab2f77bedfe122ec312fa7512e3dfea83fb09e367f70a310339\n";

const struct stile_source stile_rules_floor = {{"the national floor", 18},
                                               {shipped, sizeof(shipped) - 1}};

static const struct stile_node *guardrail_find(const struct stile__load *load,
                                               struct stile_str id,
                                               size_t *ret_file)
{
    const struct stile_node *node;
    size_t i;

    for (i = 0; i < load->count; i++) {
        if (load->inputs[i].kind != STILE_RULES_GUARDRAILS) {
            continue;
        }
        *ret_file = i;
        for (node = load->files[i] ? load->files[i]->first : NULL; node;
             node = node->next) {
            if (stile_str_eq(stile_node_text(node, "rule"), id)) {
                return node;
            }
        }
    }
    return NULL;
}

static void check_guardrail(struct stile__load *load, struct stile_str id,
                            const struct stile_digest *wanted)
{
    static const struct stile_source nowhere = {{"guardrails.yaml", 15},
                                                {"", 0}};
    size_t file = load->count;
    const struct stile_node *node = guardrail_find(load, id, &file);
    struct stile_digest is;

    if (!node) {
        (void)stile_diag_at_source(
            load->diags, "R208", STILE_ERROR,
            file < load->count ? load->inputs[file].source : &nowhere,
            (struct stile_span){0, 0},
            "guardrail %.*s of the national floor is missing; put it back as "
            "it is shipped",
            STILE_FMT(id));
        return;
    }
    stile_sha256(stile__canon_node(load->arena, node), &is);
    if (!stile_digest_eq(&is, wanted)) {
        (void)stile_node_diag(
            load->diags, stile_node_get(node, "rule"), "R209", STILE_ERROR,
            "guardrail %.*s of the national floor is not as it is shipped; "
            "put it back, and write a stricter rule as a withhold in "
            "rules.yaml",
            STILE_FMT(id));
    }
}

void stile__floor_check(struct stile__load *load)
{
    size_t i;

    for (i = 0; i < load->count; i++) {
        struct stile_str text = load->inputs[i].source->text;
        size_t end;

        if (load->inputs[i].kind != STILE_RULES_FLOOR) {
            continue;
        }
        for (; (end = stile_str_find(text, '\n')) != SIZE_MAX;
             text = stile_str_sub(text, end + 1, text.len - end - 1)) {
            struct stile_str line = stile_str_sub(text, 0, end);
            size_t gap = stile_str_find(line, ' ');
            struct stile_digest wanted;

            if (gap != SIZE_MAX &&
                stile_digest_parse(
                    stile_str_sub(line, gap + 1, line.len - gap - 1),
                    &wanted)) {
                check_guardrail(load, stile_str_sub(line, 0, gap), &wanted);
            }
        }
    }
}

/* The vocabulary's own place: the missing file has none. */
static const struct stile_source *vocabulary_of(const struct stile__load *load)
{
    size_t i;

    for (i = 0; load->inputs[i].kind != STILE_RULES_VOCABULARY; i++) {
    }
    return load->inputs[i].source;
}

void stile__lists_check(struct stile__load *load)
{
    const struct stile_rules *rules = load->rules;
    size_t i;

    for (i = 0; i < rules->labels.count; i++) {
        const struct stile__label_def *def = &rules->label_defs[i];
        struct stile_str name = rules->labels.names[i];

        if (!def->listless && !def->list) {
            (void)stile_diag_at_source(
                load->diags, "R507", STILE_ERROR, vocabulary_of(load),
                (struct stile_span){0, 0},
                "the code list of the label %.*s is missing, so its entries "
                "would go unrecognised; supply labels/%.*s.csv",
                STILE_FMT(name), STILE_FMT(name));
        }
    }
}

static void lint_consent_codes(struct stile__load *load)
{
    size_t i;

    for (i = 0; i < load->count && !load->rules->consent_code_count; i++) {
        if (load->inputs[i].kind == STILE_RULES_CONSENT) {
            (void)stile_diag_at_source(
                load->diags, "R508", STILE_WARNING, load->inputs[i].source,
                (struct stile_span){0, 0},
                "THIS LIST HOLDS NO CODE: no yes and no refusal that was "
                "entered as a code is heard; put the codes here");
        }
    }
}

void stile__lint_lists(struct stile__load *load)
{
    const struct stile_rules *rules = load->rules;
    size_t i;

    lint_consent_codes(load);
    for (i = 0; i < rules->labels.count; i++) {
        const struct stile__label_def *def = &rules->label_defs[i];
        struct stile_str name = rules->labels.names[i];

        if (!def->list || def->has_real) {
            continue;
        }
        if (!def->has_codes) {
            (void)stile_diag_at_source(
                load->diags, "R508", STILE_WARNING, def->list,
                (struct stile_span){0, 0},
                "THIS LIST HOLDS NO CODE: no coded entry is recognised as "
                "%.*s, and no rule about it protects one; put its codes here",
                STILE_FMT(name));
        } else {
            (void)stile_diag_at_source(
                load->diags, "R509", STILE_WARNING, def->list,
                (struct stile_span){0, 0},
                "this list holds invented codes only, so no real entry is "
                "recognised as %.*s; before live use put its codes here (the "
                "head of the file says which)",
                STILE_FMT(name));
        }
    }
}
