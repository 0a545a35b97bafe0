/* What decide.c and reason.c share: one question on its way. */
#ifndef STILE_GOVERN_DECIDE_H
#define STILE_GOVERN_DECIDE_H

#include "private.h"

/* What a field comes to depends on its word, and the labels and facts of its
 * item: most items of a record share theirs. */
struct stile__settled {
    bool used;
    uint32_t word;
    struct stile__item_labels labels;
    uint64_t facts;
    const struct stile__looked *looked;
    struct stile__verdict verdict;
    const struct stile_reason *reasons;
    size_t reason_count;
    const struct stile_str *holds;
    size_t hold_count;
    bool tells, silent; /* of what it keeps back from what a rule shares */
};
#define STILE__SETTLED 256u /* a power of two; one pushes out another */

struct stile__deciding {
    const struct stile_rules *rules;
    const struct stile_question *question;
    struct stile_arena *arena;
    struct stile__context context;
    struct stile__firing firing;
    struct stile__refs *refs;
    struct stile__item_labels *labels;
    const struct stile__looked **looked; /* by resource; NULL: nobody did */
    size_t *consents;                    /* which resources are Consents */
    size_t consent_count;
    struct stile_decision *decision;
    struct stile_item_decision *rows;
    size_t row_count, row_capacity;
    struct stile__item_plan *plans;
    struct stile_str limit_sentences[STILE__RULES_MAX];
    struct stile_str share_sentences[STILE__RULES_MAX];
    struct stile_str changed_sentences[STILE__RULES_MAX];
    struct stile_str near_sentences[STILE__RULES_MAX];
    struct stile_str unshared_sentence;
    uint64_t fired[4];
    uint64_t notify;
    bool tells, silent;
    struct stile__settled settled[STILE__SETTLED];
};

/* reason.c */
size_t stile__count_bits(const uint64_t bits[4]);
/* The reason that decided comes first: where nothing shares a field, that is
 * why it stays, whatever else would have kept it back. */
void stile__field_reasons(struct stile__deciding *work, uint32_t word,
                          const struct stile__verdict *verdict,
                          struct stile_item_decision *row);
/* An item that stays does so for the reason of the field that came nearest
 * to going. */
void stile__item_reason(struct stile__deciding *work, size_t item_row);

#endif
