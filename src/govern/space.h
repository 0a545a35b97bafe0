/*
 * Rule sets as functions: what becomes of a field, over every combination of
 * facts (yes, no, unknown) and labels (own, by a link, none), one route and
 * day at a time. Written for the analyses; the engine does not use it.
 *
 * One or two sets share a space; words are told by their names, so a set may
 * know words that the other does not.
 */
#ifndef STILE_GOVERN_SPACE_H
#define STILE_GOVERN_SPACE_H

#include "bdd.h"
#include "private.h"

#define STILE__NAMES_MAX (2u * STILE__WORDS_MAX)
#define STILE__DUTIES_MAX 64u
#define STILE__BDD_NODES ((size_t)1 << 22)

struct stile__names {
    struct stile_str items[STILE__NAMES_MAX];
    size_t count;
};

/* A duty done to what goes. The first ones are fixed. */
enum stile__duty {
    STILE__DUTY_ROUND, /* or stricter */
    STILE__DUTY_PSEUDONYMISE,
    STILE__DUTY_MASK,
    STILE__DUTY_DROP_TEXT,
    STILE__DUTIES_FIXED
};

struct stile__side {
    const struct stile_rules *rules;
    uint32_t fact_at[STILE__WORDS_MAX]; /* index in the space's names */
    uint32_t label_at[STILE__WORDS_MAX];
    uint32_t duty_of[STILE__WORDS_MAX]; /* of obligations that notify */
};

struct stile__space {
    struct stile__bdd *bdd;
    struct stile_arena *arena;
    struct stile__names facts, labels, data;
    struct stile_str duties[STILE__DUTIES_MAX];
    size_t duty_count;
    struct stile__side sides[2];
    size_t side_count;
    uint32_t care; /* no fact is both yes and no */
    bool failed;
};

/* Whose data goes to whom for what. */
struct stile__route {
    struct stile_str agreement, sender, recipient, recipient_kind, purpose;
    struct stile_str sender_name, recipient_name;
};

/* What each rule of a side is on one route and day. */
struct stile__fires {
    const struct stile__side *side;
    struct stile__context context;
    uint32_t rules[STILE__RULES_MAX];
};

/* What becomes of one field, where `goes` or `held`. */
struct stile__handling {
    uint32_t shared, goes, held;
    uint32_t duties[STILE__DUTIES_MAX];
};

STILE_MUSTCHECK enum stile_status
stile__space_make(const struct stile_rules *const *sets, size_t count,
                  struct stile_arena *arena, struct stile__space **ret);
/* LIMIT when an answer would not be exact, NOMEM; else OK. Look at the end. */
enum stile_status stile__space_status(const struct stile__space *space);
uint32_t stile__name_add(struct stile__space *space, struct stile__names *names,
                         struct stile_str name);

uint32_t stile__fact_yes(struct stile__space *space, uint32_t fact);
uint32_t stile__fact_no(struct stile__space *space, uint32_t fact);
uint32_t stile__label_own(struct stile__space *space, uint32_t label);
uint32_t stile__label_linked(struct stile__space *space, uint32_t label);

/* The routes of all sides; the same one once. */
STILE_MUSTCHECK enum stile_status
stile__routes(const struct stile__space *space, struct stile__route **ret,
              size_t *ret_count);
/* The days on which something on the route begins or ends, and `today`, in
 * order: between two of them nothing changes by itself. */
STILE_MUSTCHECK enum stile_status stile__days(const struct stile__space *space,
                                              const struct stile__route *route,
                                              struct stile_date today,
                                              struct stile_date **ret,
                                              size_t *ret_count);
void stile__fires_make(struct stile__space *space, size_t side,
                       const struct stile__route *route,
                       struct stile_date today, struct stile__fires *ret);
/* `word` is of the side's own vocabulary. Rule `without` is left out; NONE
 * leaves out none. */
void stile__handling_make(struct stile__space *space,
                          const struct stile__fires *fires, uint32_t word,
                          uint32_t without, struct stile__handling *ret);
/* Whether the limit says anything of the word. */
bool stile__acts_on(const struct stile_rules *rules,
                    const struct stile__rule *rule, uint32_t word);

/* ---- boxes.c: showing a function
 * ------------------------------------------------------------------- */

/* One case in which it is so: {patient: {fact: yes or unknown}, labels: [...]};
 * every fact that is not named is no. The function must not be NEVER. */
struct stile_value *stile__case_value(struct stile__space *space,
                                      uint32_t function);
/* A list of boxes in words that together are the function, at most `most`;
 * *ret_more is how many others there are, counted up to eight times `most`. */
struct stile_value *stile__box_values(struct stile__space *space,
                                      uint32_t function, size_t most,
                                      size_t *ret_more);
/* The labels that an item, or what it is linked to, may carry in it. */
struct stile_value *stile__label_values(struct stile__space *space,
                                        uint32_t function);

/* A case in words, on one line. */
void stile__say_case(const struct stile_value *example, struct stile_buf *out);

/* values.c: building reports */
/* analyse_diff_texts.c: {what, rule | agreement, class} each. */
void stile__diff_texts(struct stile__space *space,
                       const struct stile_rules *old,
                       const struct stile_rules *new, struct stile_value *list,
                       bool *wider, bool *narrower);

void stile__put_text(struct stile__space *space, struct stile_value *object,
                     const char *name, struct stile_str text);
void stile__put_count(struct stile__space *space, struct stile_value *object,
                      const char *name, size_t count);
void stile__put_date(struct stile__space *space, struct stile_value *object,
                     const char *name, struct stile_date date);
struct stile_value *stile__put_list(struct stile__space *space,
                                    struct stile_value *object,
                                    const char *name);
void stile__push_text(struct stile__space *space, struct stile_value *list,
                      struct stile_str text);
void stile__put_route(struct stile__space *space, struct stile_value *object,
                      const struct stile__route *route);

#endif
