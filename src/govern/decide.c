#include "decide.h"

/* ---- rows
 * ------------------------------------------------------------------------ */

static struct stile_item_decision *add_row(struct stile__deciding *work,
                                           size_t resource)
{
    struct stile_item_decision *row;

    if (work->row_count == work->row_capacity) {
        size_t capacity = work->row_capacity ? work->row_capacity * 2 : 64;
        struct stile_item_decision *rows =
            stile_arena_array(work->arena, capacity, sizeof(*rows));
        if (!rows) {
            return NULL;
        }
        if (work->row_count) {
            memcpy(rows, work->rows, work->row_count * sizeof(*rows));
        }
        work->rows = rows;
        work->row_capacity = capacity;
    }
    row = &work->rows[work->row_count++];
    memset(row, 0, sizeof(*row));
    row->resource = resource;
    row->type =
        stile_value_text(work->question->resources[resource], "resourceType");
    return row;
}

/* Own labels as they are, inherited ones as "related-to-<label>". */
static void add_labels(struct stile__deciding *work,
                       struct stile__item_labels labels,
                       const struct stile_str **ret, size_t *ret_count)
{
    const struct stile__words *words = &work->rules->labels;
    struct stile_str *names;
    size_t count = 0, i;

    if (!labels.own && !labels.related) {
        return;
    }
    names =
        stile_arena_array(work->arena, STILE__WORDS_MAX * 2, sizeof(*names));
    for (i = 0; names && i < words->count; i++) {
        if (labels.own >> i & 1) {
            names[count++] = words->names[i];
        }
        if (labels.related >> i & 1) {
            names[count++] = stile_arena_printf(work->arena, "related-to-%.*s",
                                                STILE_FMT(words->names[i]));
        }
    }
    *ret = names;
    *ret_count = count;
}

struct item {
    size_t index;
    struct stile__item_labels labels;
    uint64_t facts;
    const struct stile__looked *looked;
    size_t goes, changed, held, kept;
    size_t main;                /* words that go and are no companions */
    size_t main_held;           /* and those that would go on a person's word */
    struct stile__looked holds; /* what a person's word would have to lift */
    bool shared;                /* a rule shares a word that is no companion */
    bool tells, silent;
};

static void note_fired(struct stile__deciding *work,
                       struct stile__settled *settled)
{
    const struct stile__verdict *verdict = &settled->verdict;
    bool shared = stile__count_bits(verdict->shares) > 0;
    bool goes = verdict->outcome == STILE_OUTCOME_RELEASE ||
                verdict->outcome == STILE_OUTCOME_CHANGED;
    size_t i;

    for (i = 0; i < work->rules->rule_count; i++) {
        const struct stile__rule *rule = &work->rules->rules[i];

        /* Of what a person let go nothing stayed. */
        if ((verdict->limits[i / 64] & ~(goes ? verdict->holds[i / 64] : 0)) >>
                (i % 64) &
            1) {
            settled->tells = settled->tells || (shared && rule->tell);
            settled->silent =
                settled->silent || (shared && rule->kind == STILE__GUARDRAIL &&
                                    rule->when_facts && !rule->tell);
        }
    }
    for (i = 0; i < 4; i++) {
        work->fired[i] |= verdict->limits[i];
        work->fired[i] |= goes ? verdict->shares[i] : 0;
    }
    work->notify |=
        goes || stile__count_bits(verdict->limits) ? verdict->notify : 0;
}

/* Ids of rules, and of the agreement, in the order of the rules. */
static const struct stile_str *holder_names(struct stile__deciding *work,
                                            const struct stile__looked *holds,
                                            size_t *ret_count)
{
    const struct stile_rules *rules = work->rules;
    size_t most = stile__count_bits(holds->rules) + holds->agreement, count = 0;
    struct stile_str *names =
        most ? stile_arena_array(work->arena, most, sizeof(*names)) : NULL;
    size_t i;

    for (i = 0; names && i < rules->rule_count; i++) {
        if (holds->rules[i / 64] >> (i % 64) & 1) {
            names[count++] = rules->rules[i].id;
        }
    }
    if (names && holds->agreement) {
        names[count++] = work->question->agreement;
    }
    *ret_count = count;
    return names;
}

static struct stile__looked holders(const struct stile__verdict *verdict)
{
    struct stile__looked holds = {.agreement = verdict->agreement_holds};

    memcpy(holds.rules, verdict->holds, sizeof(holds.rules));
    return holds;
}

/* A person's word can let the field go. */
static bool waits(const struct stile__verdict *verdict)
{
    return verdict->outcome == STILE_OUTCOME_HOLD && !verdict->stuck;
}

static void settle(struct stile__deciding *work, const struct item *item,
                   uint32_t word, struct stile__settled *settled)
{
    struct stile_item_decision row = {0};

    *settled = (struct stile__settled){.used = true,
                                       .word = word,
                                       .labels = item->labels,
                                       .facts = item->facts,
                                       .looked = item->looked};
    stile__verdict_make(&work->firing, word, item->labels, item->facts,
                        item->looked, &settled->verdict);
    if (waits(&settled->verdict)) {
        struct stile__looked holds = holders(&settled->verdict);
        settled->holds = holder_names(work, &holds, &settled->hold_count);
    }
    stile__field_reasons(work, word, &settled->verdict, &row);
    settled->reasons = row.reasons;
    settled->reason_count = row.reason_count;
    note_fired(work, settled);
}

static const struct stile__settled *settled_for(struct stile__deciding *work,
                                                const struct item *item,
                                                uint32_t word)
{
    uint64_t z = (item->labels.own * 3 + item->labels.related * 5 +
                  item->facts * 7 + word) *
                 UINT64_C(0x9e3779b97f4a7c15);
    struct stile__settled *settled =
        &work->settled[(size_t)(z >> 32) & (STILE__SETTLED - 1)];

    if (!settled->used || settled->word != word ||
        settled->labels.own != item->labels.own ||
        settled->labels.related != item->labels.related ||
        settled->facts != item->facts || settled->looked != item->looked) {
        settle(work, item, word, settled);
    }
    return settled;
}

/* Copied: what is settled may be pushed out. */
static void plan_relabels(struct stile__deciding *work,
                          const struct stile__verdict *verdict,
                          struct stile__field_plan *field)
{
    struct stile__relabel *relabels;

    if (!verdict->relabel_count) {
        return;
    }
    relabels = stile_arena_array(work->arena, verdict->relabel_count,
                                 sizeof(*relabels));
    if (relabels) {
        memcpy(relabels, verdict->relabels,
               verdict->relabel_count * sizeof(*relabels));
        field->relabels = relabels;
        field->relabel_count = verdict->relabel_count;
    }
}

static bool is_companion(const struct stile_rules *rules, uint32_t word)
{
    return word < STILE__WORDS_MAX && (rules->companions >> word & 1);
}

static void add_holds(struct item *item, const struct stile__looked *holds)
{
    size_t i;

    for (i = 0; i < 4; i++) {
        item->holds.rules[i] |= holds->rules[i];
    }
    item->holds.agreement = item->holds.agreement || holds->agreement;
}

static void decide_field(struct stile__deciding *work, struct item *item,
                         uint32_t word)
{
    struct stile__item_plan *plan = &work->plans[item->index];
    struct stile__field_plan *field = &plan->fields[plan->field_count++];
    const struct stile__settled *settled = settled_for(work, item, word);
    const struct stile__verdict *verdict = &settled->verdict;
    struct stile_item_decision *row = add_row(work, item->index);

    if (!row) {
        return;
    }
    row->data = word == STILE__NOT_COVERED ? STILE_STR("not-covered")
                                           : work->rules->data.names[word];
    row->outcome = verdict->outcome;
    row->reasons = settled->reasons;
    row->reason_count = settled->reason_count;
    row->holds = settled->holds;
    row->hold_count = settled->hold_count;
    field->word = word;
    field->release = verdict->outcome == STILE_OUTCOME_RELEASE ||
                     verdict->outcome == STILE_OUTCOME_CHANGED;
    field->level = verdict->level;
    field->drop_text = verdict->drop_text;
    plan_relabels(work, verdict, field);
    item->goes += field->release;
    item->changed += verdict->outcome == STILE_OUTCOME_CHANGED;
    item->held += verdict->outcome == STILE_OUTCOME_HOLD;
    item->kept += verdict->outcome == STILE_OUTCOME_WITHHOLD;
    if (waits(verdict)) {
        struct stile__looked holds = holders(verdict);
        add_holds(item, &holds);
    }
    item->tells = item->tells || settled->tells;
    item->silent = item->silent || settled->silent;
    if (!is_companion(work->rules, word)) {
        item->shared = item->shared || stile__count_bits(verdict->shares) > 0;
        item->main += field->release;
        item->main_held += waits(verdict);
    }
}

/* A modifier that stays behind would change what the rest says (R4
 * extensibility, "modifier extensions": must not be ignored). */
static bool unknown_modifier(const struct stile_value *resource)
{
    return stile_value_getc(resource, "modifierExtension") ||
           stile_value_getc(resource, "implicitRules");
}

static void keep_all(struct stile__deciding *work, struct item *item,
                     size_t first_row, struct stile_str why)
{
    struct stile__item_plan *plan = &work->plans[item->index];
    size_t i;

    for (i = 0; i < plan->field_count; i++) {
        plan->fields[i].release = false;
    }
    for (i = first_row; i < work->row_count; i++) {
        struct stile_item_decision *row = &work->rows[i];
        struct stile_reason *reason;

        if (row->outcome == STILE_OUTCOME_WITHHOLD ||
            row->outcome == STILE_OUTCOME_HOLD) {
            continue;
        }
        reason = stile_arena_alloc(work->arena, sizeof(*reason));
        if (!reason) {
            return;
        }
        reason->sentence = why;
        row->outcome = STILE_OUTCOME_WITHHOLD;
        row->reasons = reason;
        row->reason_count = 1;
        item->kept++;
    }
    item->goes = 0;
    item->changed = 0;
}

/* Whose word cannot let it go waits for nobody's. */
static void forget_holds(struct stile__deciding *work, size_t first_row)
{
    size_t i;

    for (i = first_row; i < work->row_count; i++) {
        work->rows[i].holds = NULL;
        work->rows[i].hold_count = 0;
    }
}

static void count_item(struct stile_decision *decision,
                       enum stile_outcome outcome)
{
    decision->released += outcome == STILE_OUTCOME_RELEASE;
    decision->changed += outcome == STILE_OUTCOME_CHANGED;
    decision->withheld += outcome == STILE_OUTCOME_WITHHOLD;
    decision->held += outcome == STILE_OUTCOME_HOLD;
}

static enum stile_outcome outcome_of(const struct item *item)
{
    if (item->goes) {
        return item->changed || item->held || item->kept
                   ? STILE_OUTCOME_CHANGED
                   : STILE_OUTCOME_RELEASE;
    }
    return item->held ? STILE_OUTCOME_HOLD : STILE_OUTCOME_WITHHOLD;
}

static void decide_item(struct stile__deciding *work, size_t index)
{
    const struct stile_value *resource = work->question->resources[index];
    struct item item = {.index = index,
                        .labels = work->labels[index],
                        .looked = work->looked[index]};
    struct stile__item_plan *plan = &work->plans[index];
    size_t item_row = work->row_count;
    const struct stile_str *labels = NULL;
    size_t label_count = 0;
    bool uncovered;
    uint64_t words = stile__words_in(work->rules, resource, &uncovered);
    size_t count = 0;
    uint32_t word;
    size_t i;

    item.facts =
        stile__item_facts(&work->context, work->refs, work->question->resources,
                          work->consents, work->consent_count, index);
    for (word = 0; word < work->rules->data.count; word++) {
        count += (size_t)(words >> word & 1);
    }
    plan->type = stile_value_text(resource, "resourceType");
    plan->labels = item.labels;
    plan->facts = item.facts;
    plan->modified = unknown_modifier(resource);
    plan->fields =
        stile_arena_array(work->arena, count + 1, sizeof(*plan->fields));
    if (!plan->fields || !add_row(work, index)) {
        return;
    }
    for (word = 0; word < work->rules->data.count; word++) {
        if (words >> word & 1) {
            decide_field(work, &item, word);
        }
    }
    if (uncovered || !words) {
        decide_field(work, &item, STILE__NOT_COVERED);
    }
    /* What nobody shares would not have gone: to tell of it gives it away. */
    work->tells = work->tells || (item.shared && item.tells);
    work->silent = work->silent || (item.shared && item.silent);
    if (plan->modified) {
        keep_all(work, &item, item_row + 1,
                 STILE_STR("it carries a modifier that no data word covers"));
    } else if (!item.main) {
        keep_all(work, &item, item_row + 1,
                 STILE_STR("the item does not go, and this not alone"));
    }
    plan->release = item.goes > 0;
    if (plan->modified || item.main + item.main_held == 0) {
        forget_holds(work, item_row + 1);
    } else {
        work->rows[item_row].holds =
            holder_names(work, &item.holds, &work->rows[item_row].hold_count);
    }
    add_labels(work, item.labels, &labels, &label_count);
    work->rows[item_row].outcome = outcome_of(&item);
    stile__item_reason(work, item_row);
    for (i = item_row; i < work->row_count; i++) {
        work->rows[i].labels = labels;
        work->rows[i].label_count = label_count;
    }
    count_item(work->decision, work->rows[item_row].outcome);
}

/* ---- the whole
 * -------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return stile_str_cmp(*(const struct stile_str *)a,
                         *(const struct stile_str *)b);
}

/* A limit that no item met is not told of; one that fires and only changes
 * is. Rules are in order of id already. */
static void finish(struct stile__deciding *work)
{
    struct stile_decision *decision = work->decision;
    struct stile_str *rules = stile_arena_array(
        work->arena, work->rules->rule_count + 1, sizeof(*rules));
    struct stile_str *notify =
        stile_arena_array(work->arena, STILE__WORDS_MAX + 1, sizeof(*notify));
    size_t i;

    if (!rules || !notify) {
        return;
    }
    for (i = 0; i < work->rules->rule_count; i++) {
        if (work->fired[i / 64] >> (i % 64) & 1) {
            rules[decision->rule_count++] = work->rules->rules[i].id;
        }
    }
    for (i = 0; i < work->rules->obligations.count; i++) {
        struct stile_str whom = work->rules->obligation_defs[i].whom;
        if ((work->notify >> i & 1) &&
            !stile__in(notify, decision->notify_count, whom)) {
            notify[decision->notify_count++] = whom;
        }
    }
    qsort(notify, decision->notify_count, sizeof(*notify), by_text);
    decision->rules = rules;
    decision->notify = notify;
    decision->items = work->rows;
    decision->count = work->row_count;
    decision->tell_withheld = work->tells && !work->silent;
    if (decision->released + decision->changed == 0) {
        decision->outcome =
            decision->held ? STILE_OUTCOME_HOLD : STILE_OUTCOME_WITHHOLD;
    } else if (decision->changed + decision->withheld + decision->held) {
        decision->outcome = STILE_OUTCOME_CHANGED;
    } else {
        decision->outcome = STILE_OUTCOME_RELEASE;
    }
}

/* Performers are named, and the recipient is none of them. One without an ODS
 * code may be anybody, so it is not taken for the recipient. */
static bool made_out_to_others(const struct stile__deciding *work,
                               const struct stile_value *resource)
{
    const struct stile_value *list = stile_value_getc(resource, "performer");
    const struct stile_value *performer = list ? list->first : NULL;

    if (!performer) {
        return false;
    }
    for (; performer; performer = performer->next) {
        if (stile_str_eq(
                stile__ods_of(work->refs, work->question->resources, performer),
                work->question->recipient)) {
            return false;
        }
    }
    return true;
}

/* A label that depends on who asks, so it is given here and not in label.c;
 * nothing reaches on from it. */
static void label_elsewhere(struct stile__deciding *work)
{
    size_t i, label;

    for (label = 0; label < work->rules->labels.count; label++) {
        const struct stile__label_def *def = &work->rules->label_defs[label];

        for (i = 0; i < work->question->resource_count && def->elsewhere_count;
             i++) {
            const struct stile_value *resource = work->question->resources[i];

            if (stile__in(def->elsewhere_in, def->elsewhere_count,
                          stile_value_text(resource, "resourceType")) &&
                made_out_to_others(work, resource)) {
                work->labels[i].own |= UINT64_C(1) << label;
            }
        }
    }
}

/* A word on a rule that is not there, or does not hold, lifts nothing. */
static void take_released(struct stile__deciding *work)
{
    const struct stile_question *question = work->question;
    size_t i, k, r;

    for (i = 0; i < question->released_count; i++) {
        const struct stile_released *released = &question->released[i];
        struct stile__looked *looked =
            stile_arena_alloc(work->arena, sizeof(*looked));

        STILE_ASSERT(released->resource < question->resource_count);
        if (!looked) {
            return;
        }
        for (k = 0; k < released->rule_count; k++) {
            for (r = 0; r < work->rules->rule_count; r++) {
                if (stile_str_eq(work->rules->rules[r].id,
                                 released->rules[k])) {
                    looked->rules[r / 64] |= UINT64_C(1) << (r % 64);
                }
            }
            looked->agreement =
                looked->agreement ||
                stile_str_eq(released->rules[k], question->agreement);
        }
        work->looked[released->resource] = looked;
    }
}

enum stile_status stile_govern_decide(const struct stile_rules *rules,
                                      const struct stile_question *question,
                                      struct stile_arena *arena,
                                      struct stile_decision **ret)
{
    struct stile__deciding *work = stile_arena_alloc(arena, sizeof(*work));
    struct stile__work *kept = stile_arena_alloc(arena, sizeof(*kept));
    struct stile_decision *decision =
        stile_arena_alloc(arena, sizeof(*decision));
    enum stile_status status;
    size_t i;

    if (!work || !kept || !decision) {
        return STILE_NOMEM;
    }
    work->rules = rules;
    work->question = question;
    work->arena = arena;
    work->decision = decision;
    stile__context_make(rules, question, &work->context);
    stile__firing_make(&work->context, &work->firing);
    status = stile__refs_make(question->resources, question->resource_count,
                              arena, &work->refs);
    if (status == STILE_OK) {
        status = stile__label(rules, work->refs, arena, &work->labels);
    }
    work->plans = stile_arena_array(arena, question->resource_count + 1,
                                    sizeof(*work->plans));
    work->consents = stile_arena_array(arena, question->resource_count + 1,
                                       sizeof(*work->consents));
    work->looked = stile_arena_array(arena, question->resource_count + 1,
                                     sizeof(*work->looked));
    if (status != STILE_OK || !work->plans || !work->consents ||
        !work->looked) {
        return status != STILE_OK ? status : STILE_NOMEM;
    }
    label_elsewhere(work);
    take_released(work);
    for (i = 0; i < question->resource_count; i++) {
        if (stile_str_eqc(
                stile_value_text(question->resources[i], "resourceType"),
                "Consent")) {
            work->consents[work->consent_count++] = i;
        }
    }
    for (i = 0; i < question->resource_count && !stile_arena_failed(arena);
         i++) {
        decide_item(work, i);
    }
    kept->rules = rules;
    kept->items = work->plans;
    kept->count = question->resource_count;
    memcpy(kept->facts, work->context.facts, sizeof(kept->facts));
    kept->recipient_kind = question->recipient_kind;
    kept->family = question->family;
    decision->work = kept;
    finish(work);
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    *ret = decision;
    return STILE_OK;
}
