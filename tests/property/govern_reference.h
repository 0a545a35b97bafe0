/*
 * A second reading of the rules, slow and plain, written apart from the
 * engine: random rule sets over a tiny vocabulary, kept as they were drawn.
 * The engine is given them as YAML; the reference never sees that YAML, and
 * shares no code with the engine.
 */
#ifndef GOVERN_REFERENCE_H
#define GOVERN_REFERENCE_H

#include "stile/base.h"

#define REF_WORDS 5  /* d0 to d4; d4 is free text */
#define REF_FACTS 3  /* a, b of the person; p of person and recipient */
#define REF_LABELS 2 /* x, y */
#define REF_RULES 7
#define REF_DATES 6
#define REF_MAX_AGE 5    /* days that a word on fact a counts */
#define REF_UNDATED (-1) /* nobody knows when it was said */

enum ref_truth {
    REF_UNKNOWN,
    REF_NO,
    REF_YES
};

enum ref_kind {
    REF_SHARE,
    REF_WITHHOLD,
    REF_GUARDRAIL
};

enum ref_do {
    REF_ROUND,
    REF_PSEUDONYMISE,
    REF_MASK,
    REF_REMOVE,
    REF_DROP_TEXT,
    REF_REVIEW,  /* hold for a person */
    REF_HOLD_D3, /* hold the word d3 */
    REF_TELL
};

struct ref_action {
    enum ref_do does;
    unsigned words; /* the first four only */
};

struct ref_rule {
    enum ref_kind kind;
    unsigned id;
    unsigned words; /* 0: no data (guardrails) */
    bool everything;
    unsigned labels;
    bool reach;
    unsigned agreement, purpose;                   /* shares */
    unsigned needs[2];                             /* masks of facts; 0: none */
    unsigned when;                                 /* mask of facts */
    int when_recipient, when_sender, when_purpose; /* -1: any */
    bool has_unless;
    unsigned unless_facts;
    int unless_recipient;
    struct ref_action actions[2];
    size_t action_count;
    int from, until; /* of ref_dates, -1: none */
};

struct ref_agreement {
    unsigned words, purposes;
    int from, until, dpia, dspt; /* of ref_dates, -1: none */
    struct ref_action action;
    bool acts;
};

struct ref_set {
    struct ref_agreement agreements[2]; /* S to R0 (hospital), R1 (charity) */
    struct ref_rule rules[REF_RULES];
    size_t rule_count;
};

struct ref_case {
    unsigned agreement, purpose;
    int day; /* of ref_dates */
    enum ref_truth facts[REF_FACTS];
    int age;               /* of fact a, in days */
    unsigned own, related; /* labels */
    unsigned looked;       /* rules a person looked at, by place in the set */
    bool looked_agreement;
};

enum ref_outcome {
    REF_STAYS,
    REF_WAITS,
    REF_GOES
};

struct ref_result {
    enum ref_outcome outcome;
    int level; /* 0 keep, 1 round, 2 pseudonymise, 3 mask; where it goes */
    bool dropped, told;
};

extern const struct stile_date ref_dates[REF_DATES];

void ref_draw(uint64_t *seed, struct ref_set *ret);
/* One thing made otherwise. */
void ref_mutate(uint64_t *seed, struct ref_set *set);
struct ref_result ref_decide(const struct ref_set *set,
                             const struct ref_case *made, unsigned word);

/* Does the share cover the word and fire? */
bool ref_shares(const struct ref_set *set, size_t rule,
                const struct ref_case *made, unsigned word);

extern const char ref_vocabulary[];
void ref_agreements_yaml(const struct ref_set *set, struct stile_buf *out);
/* Guardrails, or else the others. */
void ref_rules_yaml(const struct ref_set *set, bool guardrails,
                    struct stile_buf *out);

#endif
