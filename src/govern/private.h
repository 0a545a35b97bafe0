/*
 * The compiled rule set and what the files of this room share.
 *
 * Every closed word becomes a small number, every set of words a 64-bit mask;
 * so the box algebra of the analyses is integer algebra.
 */
#ifndef STILE_GOVERN_PRIVATE_H
#define STILE_GOVERN_PRIVATE_H

#include "stile/doc.h"
#include "stile/govern.h"

#define STILE__WORDS_MAX 64u /* of each kind of word: bits of a mask */
#define STILE__FAMILIES_MAX 8u
#define STILE__NONE UINT32_MAX
#define STILE__FRAME 254u       /* element that goes along with its item */
#define STILE__NOT_COVERED 255u /* element that no data word covers */

#define STILE__ODS_SYSTEM "https://fhir.nhs.uk/Id/ods-organization-code"

/* ---- the vocabulary
 * ---------------------------------------------------------- */

struct stile__words {
    struct stile_str names[STILE__WORDS_MAX];
    struct stile_str means[STILE__WORDS_MAX];
    size_t count;
};

/* One element of one resource type and the data word it belongs to. With
 * `where`, only those of its values whose member `where` is one of `is`; an
 * empty `is` takes what no other word took. */
struct stile__element {
    struct stile_str type;
    struct stile_str category; /* only resources of this category, or empty */
    struct stile_str name;     /* without [x] */
    bool choice;
    struct stile_str where;
    const struct stile_str *is;
    size_t is_count;
    uint32_t word;    /* or STILE__FRAME */
    size_t next_type; /* index of the first element of the next type */
};

struct stile__inside {
    struct stile_str name; /* of a member at any depth */
    uint32_t word;
};

enum stile__about {
    STILE__ABOUT_PERSON,
    STILE__ABOUT_PAIR, /* person and recipient */
    STILE__ABOUT_ITEM  /* item and recipient */
};

struct stile__fact_def {
    enum stile__about about;
    struct stile_str missing; /* sentence when it is not yes */
    bool from_codes, from_consent, from_codes_only, from_referral;
    bool from_deceased, from_store;
    bool everyone;      /* what names nobody counts for every recipient */
    uint32_t undone_by; /* a fact whose later yes takes this one's away */
    uint32_t age_under; /* 0 = not from age */
    uint32_t max_age;   /* days it counts after its date; 0 = for ever */
    const struct stile_str *security; /* codes of Patient.meta that say yes */
    size_t security_count;
    const struct stile_str *security_no; /* and those that say no */
    size_t security_no_count;
    enum stile_truth absent[STILE__FAMILIES_MAX];
    uint64_t notify; /* obligations added when a share rests on it */
};

struct stile__label_def {
    const struct stile_str *security; /* meta.security codes of an item */
    size_t security_count;
    const struct stile_str *uncoded_in; /* types: label when nothing is coded */
    size_t uncoded_count;
    /* types: label when performers are named and the recipient is none */
    const struct stile_str *elsewhere_in;
    size_t elsewhere_count;
    bool has_codes, has_real;        /* real: not of the demonstration */
    bool listless;                   /* known by other signs than codes */
    const struct stile_source *list; /* labels/<label>.csv, or NULL */
};

struct stile__code {
    uint32_t system; /* index in code_systems */
    struct stile_str code;
    bool prefix;
    uint32_t target;            /* label, or fact */
    enum stile_truth value;     /* facts only */
    struct stile_str recipient; /* whom a consent names, or empty */
};

enum stile__verb {
    STILE__NOTIFY,
    STILE__DROP_FREE_TEXT,
    STILE__RELABEL,
    STILE__ROUND,
    STILE__PSEUDONYMISE,
    STILE__MASK,
    STILE__REMOVE,
    STILE__HOLD
};

struct stile__obligation {
    enum stile__verb verb;
    bool takes_data; /* the rule names the data words */
    bool drop_text;  /* does drop-free-text besides */
    uint64_t data;
    struct stile_str whom; /* notify */
};

/* ---- rules
 * ------------------------------------------------------------------- */

struct stile__action {
    uint32_t obligation;
    uint64_t data;
    uint32_t label;        /* relabel */
    struct stile_str text; /* relabel */
};

struct stile__agreement {
    struct stile_str id;
    struct stile_str sender, recipient;
    struct stile_str sender_name, recipient_name;
    uint32_t sender_kind, recipient_kind;
    uint64_t purposes, data;
    bool explicit_consent;
    bool wrong; /* it has findings of its own */
    struct stile_date from, review, expires, dpia_expires, dspt_expires;
    uint64_t glass_reasons; /* break-glass: words of reasons */
    uint32_t glass_hours;   /* 0 = it has none */
    const struct stile__action *actions;
    size_t action_count;
    const struct stile_node *node;
};

enum stile__rule_kind {
    STILE__SHARE,
    STILE__WITHHOLD,
    STILE__GUARDRAIL
};

/* Yes when any of the facts is yes. */
struct stile__need {
    uint64_t any;
};

/* Holds when all that it names is yes. Masks of 0 say nothing. */
struct stile__unless {
    uint64_t facts;
    uint64_t recipient_kinds;
    uint64_t purposes;
};

struct stile__rule {
    enum stile__rule_kind kind;
    struct stile_str id, says;
    uint32_t agreement; /* shares */
    uint64_t data;      /* data words in scope */
    bool everything;    /* also what no word covers */
    uint64_t labels;    /* 0 = whatever the labels */
    bool reach;         /* labels count through links */
    bool withholds;     /* false: only obligations */
    bool holds;         /* hold for a person instead of withhold */
    bool tell;          /* tell-recipient: items-withheld */
    uint64_t purposes;  /* 0 = any */
    uint64_t recipient_kinds, sender_kinds; /* 0 = any */
    uint64_t when_facts;                    /* all of them */
    const struct stile__need *needs;
    size_t need_count;
    const struct stile__unless *unless;
    size_t unless_count;
    const struct stile__action *actions;
    size_t action_count;
    struct stile_date from, expires; /* year 0 = none; shares only */
    const struct stile_node *node;
};

struct stile_rules {
    struct stile_arena *arena;
    struct stile__words families, code_systems, purposes, kinds, groups, facts,
        labels, data, obligations, reasons;
    const struct stile_str *system_uris[STILE__WORDS_MAX];
    size_t system_uri_counts[STILE__WORDS_MAX];
    uint64_t purposes_care;                 /* purposes that are care */
    uint64_t group_kinds[STILE__WORDS_MAX]; /* kinds of each group */
    struct stile__fact_def fact_defs[STILE__WORDS_MAX];
    struct stile__label_def label_defs[STILE__WORDS_MAX];
    struct stile__obligation obligation_defs[STILE__WORDS_MAX];
    const struct stile_str *consent_purposes; /* accepted codes */
    size_t consent_purpose_count;
    const struct stile_str *stops_at; /* types that links do not pass */
    size_t stops_count;
    const struct stile_str *free_text; /* member names */
    size_t free_text_count;
    const struct stile_str *revoked_law;
    size_t revoked_count;
    uint64_t free_text_words; /* data words whose content is free text */
    uint64_t hub_words;  /* words of persons, organisations and places alone */
    uint64_t companions; /* words that go only beside another of their item */

    struct stile__element *elements;
    size_t element_count;
    struct stile__inside *inside;
    size_t inside_count;

    struct stile__code *label_codes; /* sorted: system, code */
    size_t label_code_count;
    struct stile__code *consent_codes; /* sorted: system, code */
    size_t consent_code_count;

    struct stile__agreement *agreements; /* sorted by id */
    size_t agreement_count;
    struct stile__rule *rules; /* sorted by id */
    size_t rule_count;
    struct stile_digest digest;
    struct stile_digest vocabulary; /* of vocabulary.yaml alone */
    size_t example_count;
};

/* ---- loading
 * ------------------------------------------------------------------ */

struct stile__load {
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile_date today;
    struct stile_rules *rules;
    const struct stile_node **files; /* parsed YAML, one an input, or NULL */
    const struct stile_rules_input *inputs;
    size_t count;
};

/* words.c: reading closed words, with the nearest word as a hint */
uint32_t stile__word_find(const struct stile__words *words,
                          struct stile_str name);
uint32_t stile__word_node(struct stile__load *load,
                          const struct stile__words *words, const char *what,
                          const struct stile_node *node);
/* Text or list of words. Unknown ones are findings and left out. */
uint64_t stile__word_mask(struct stile__load *load,
                          const struct stile__words *words, const char *what,
                          const struct stile_node *node);
bool stile__word_add(struct stile__load *load, struct stile__words *words,
                     const char *what, const struct stile_node *node);
/* Text or list of texts, into the arena. */
const struct stile_str *stile__texts(struct stile__load *load,
                                     const struct stile_node *node,
                                     size_t *ret_count);
bool stile__yes(struct stile__load *load, const struct stile_node *map,
                const char *key);
bool stile__date_node(struct stile__load *load, const struct stile_node *map,
                      const char *key, struct stile_date *ret);
size_t stile__list_count(const struct stile_node *node);

void stile__vocabulary_read(struct stile__load *load,
                            const struct stile_node *root);
void stile__data_read(struct stile__load *load, const struct stile_node *root);
void stile__labels_read(struct stile__load *load);
void stile__consent_codes_read(struct stile__load *load);
void stile__agreements_read(struct stile__load *load);
void stile__rules_read(struct stile__load *load);
/* `held`: the data words that a hold stands for which names none; a rule's own
 * holds are told by its flag, so there it is 0. */
const struct stile__action *stile__actions(struct stile__load *load,
                                           const struct stile_node *node,
                                           uint64_t held, size_t *ret_count);
void stile__lint(struct stile__load *load);
void stile__lint_law(struct stile__load *load);
/* plain.c: text that shows as what it is */
bool stile__plain(struct stile_str text);
void stile__plain_check(struct stile__load *load,
                        const struct stile_node *root);
void stile__plain_lines(struct stile__load *load,
                        const struct stile_source *source);
void stile__floor_check(struct stile__load *load);
void stile__lists_check(struct stile__load *load);
void stile__lint_lists(struct stile__load *load);
void stile__examples_run(struct stile__load *load);
void stile__digest_make(struct stile__load *load);
/* glass.c: after facts and obligations; of one agreement; of the whole */
void stile__glass_vocabulary(struct stile__load *load,
                             const struct stile_node *root);
void stile__glass_read(struct stile__load *load, const struct stile_node *node,
                       struct stile__agreement *agreement);
void stile__glass_lint(struct stile__load *load);
bool stile__glass_needed(const struct stile_rules *rules,
                         const struct stile__rule *rule);
/* "risk-to-life or court-order, for at most 24 hours" */
void stile__glass_say(const struct stile_rules *rules,
                      const struct stile__agreement *agreement,
                      struct stile_buf *out);
/* The canonical form of one node: canon.c. */
struct stile_str stile__canon_node(struct stile_arena *arena,
                                   const struct stile_node *node);

/* csv.c: a strict RFC 4180 reader of code lists, with places */
struct stile__csv {
    const struct stile_source *source;
    size_t at;
    struct stile_span spans[16]; /* of the cells of the row last read */
    struct stile_str cells[16];
    size_t count;
};
/* OK, END, or INVALID with a finding. Comment lines (#) and blank lines are
 * passed over. */
enum stile_status stile__csv_next(struct stile__csv *csv,
                                  struct stile_arena *arena,
                                  struct stile_diags *diags);

/* ---- running
 * ------------------------------------------------------------------ */

uint32_t stile__system_of(const struct stile_rules *rules,
                          struct stile_str uri);
/* Next entry from index `from` on that is (system, code), or SIZE_MAX; one
 * code may carry several labels or facts. Read codes compare without their
 * trailing dots. `system` STILE__NONE matches any. */
size_t stile__code_next(const struct stile__code *codes, size_t count,
                        uint32_t system, struct stile_str code, size_t from);
int stile__code_order(const void *a, const void *b);
struct stile_str stile__code_normal(struct stile_str code);

/* label.c */
struct stile__item_labels {
    uint64_t own, related;
};
struct stile__refs;
enum stile_status stile__label(const struct stile_rules *rules,
                               const struct stile__refs *refs,
                               struct stile_arena *arena,
                               struct stile__item_labels **ret);

/* Which resource says a fact, "Type/id": a later version of it replaces what
 * it said. The type alone when it has no id. */
struct stile_str stile__source_of(struct stile_arena *arena,
                                  const struct stile_value *resource);

/* refs.c: resources by "Type/id"; made once for a record, as every pass over a
 * long one reads it all */
struct stile__refs {
    struct stile_value *const *resources;
    size_t count;
    size_t *slots; /* index + 1 of a resource; open addressing */
    size_t mask;   /* their number, a power of two, less one */
};
enum stile_status stile__refs_make(struct stile_value *const *resources,
                                   size_t count, struct stile_arena *arena,
                                   struct stile__refs **ret);
/* Index of the resource a reference text names, or SIZE_MAX. */
size_t stile__refs_find(const struct stile__refs *refs,
                        struct stile_str reference);
bool stile__in(const struct stile_str *list, size_t count,
               struct stile_str word);
bool stile__hub(const struct stile_rules *rules, struct stile_str type);
/* ODS code a Reference object names, by identifier or by the resource it
 * points to (also through HealthcareService.providedBy), or empty. */
struct stile_str stile__ods_of(const struct stile__refs *refs,
                               struct stile_value *const *resources,
                               const struct stile_value *reference);

/* truth.c */
struct stile__context {
    const struct stile_rules *rules;
    struct stile_date today;
    uint32_t agreement;                   /* or STILE__NONE */
    uint32_t recipient_kind, sender_kind; /* or STILE__NONE */
    uint32_t purpose;
    bool parties_match;
    struct stile_str recipient;
    enum stile_truth facts[STILE__WORDS_MAX];
};
/* What is known of one fact, and why; see stile_govern_known. */
void stile__fact_known(const struct stile_rules *rules,
                       const struct stile_question *question, uint32_t fact,
                       struct stile_known *ret);
void stile__context_make(const struct stile_rules *rules,
                         const struct stile_question *question,
                         struct stile__context *ret);
/* Does the share fire? If not, *ret_need is the first failing need (or
 * STILE__NONE) and *ret_why a literal that says what else is wrong. */
enum stile_truth stile__share_fires(const struct stile__context *context,
                                    const struct stile__rule *rule,
                                    uint32_t *ret_need, const char **ret_why);
/* Does the withhold or guardrail fire, labels aside? *ret_unknown is the
 * first unknown fact that made it fire, or STILE__NONE. */
bool stile__limit_fires(const struct stile__context *context,
                        const struct stile__rule *rule, uint64_t item_facts,
                        uint32_t *ret_unknown);
/* Whether one of a set of kinds or purposes is meant; 0 means any. */
enum stile_truth stile__in_mask(uint64_t mask, uint32_t word);
bool stile__labels_match(const struct stile__rule *rule,
                         struct stile__item_labels labels);
/* All that the rule asks of the person: needs, conditions, exceptions. */
uint64_t stile__rule_facts(const struct stile__rule *rule);
/* Whether the context's date lies within all that the share rests on. */
const char *stile__share_lapsed(const struct stile__context *context,
                                const struct stile__rule *rule);

/* decide.c: one field */
struct stile__relabel {
    uint32_t label;
    struct stile_str text;
};
#define STILE__RELABELS_MAX 8u
struct stile__verdict {
    enum stile_outcome outcome;
    uint64_t shares[4], limits[4]; /* rules that fired, by index; see below */
    enum stile__verb level;        /* of the lattice; NOTIFY = keep */
    bool drop_text;
    struct stile__relabel relabels[STILE__RELABELS_MAX];
    size_t relabel_count;
    uint64_t notify;      /* obligations of verb NOTIFY */
    uint32_t near_rule;   /* no share fired: the nearest one, or NONE */
    uint64_t holds[4];    /* rules that ask a person to look first */
    bool agreement_holds; /* the agreement does */
    bool stuck;           /* held for what no person can lift */
};
#define STILE__RULES_MAX 256u /* bits of shares[] and limits[] */

/* Which of those a person has looked at, for one item. */
struct stile__looked {
    uint64_t rules[4];
    bool agreement;
};

struct stile__firing {
    const struct stile__context *context;
    bool share[STILE__RULES_MAX];
    bool limit[STILE__RULES_MAX];    /* labels and item facts aside */
    uint32_t need[STILE__RULES_MAX]; /* first failing need */
    const char *why[STILE__RULES_MAX];
    uint32_t unknown[STILE__RULES_MAX];
};
void stile__firing_make(const struct stile__context *context,
                        struct stile__firing *ret);
/* `word` may be STILE__NOT_COVERED; `looked` NULL: nobody has looked. */
void stile__verdict_make(const struct stile__firing *firing, uint32_t word,
                         struct stile__item_labels labels, uint64_t item_facts,
                         const struct stile__looked *looked,
                         struct stile__verdict *ret);

/* cover.c: which word an element belongs to */
/* Word of a top-level member of a resource, or of one value of it when it is
 * a list; STILE__FRAME or STILE__NOT_COVERED. */
uint32_t stile__word_of(const struct stile_rules *rules,
                        const struct stile_value *resource,
                        const struct stile_value *member,
                        const struct stile_value *value);
/* Words present in the resource; *ret_uncovered when something is not. */
uint64_t stile__words_in(const struct stile_rules *rules,
                         const struct stile_value *resource,
                         bool *ret_uncovered);
uint32_t stile__inside_word(const struct stile_rules *rules,
                            struct stile_str name);

/* consent.c */
void stile__consents(const struct stile_rules *rules, struct stile__refs *refs,
                     struct stile_arena *arena, struct stile_fact **facts,
                     size_t *fact_count);
/* Facts of about item: does a Consent permit this very item? */
uint64_t stile__item_facts(const struct stile__context *context,
                           const struct stile__refs *refs,
                           struct stile_value *const *resources,
                           const size_t *consents, size_t consent_count,
                           size_t item);
void stile__fact_add(struct stile_arena *arena, struct stile_fact **facts,
                     size_t *count, const struct stile_fact *fact);

/* what apply needs of a decision */
struct stile__field_plan {
    uint32_t word;
    bool release;
    enum stile__verb level;
    bool drop_text;
    const struct stile__relabel *relabels;
    size_t relabel_count;
};
struct stile__item_plan {
    bool release; /* any field */
    struct stile__field_plan *fields;
    size_t field_count;
    struct stile_str type;
    struct stile__item_labels labels;
    uint64_t facts; /* of the item */
    bool modified;  /* it carries a modifier, so it stays */
};
struct stile__work {
    const struct stile_rules *rules;
    struct stile__item_plan *items; /* one a resource */
    size_t count;
    enum stile_truth facts[STILE__WORDS_MAX]; /* of the person */
    struct stile_str recipient_kind, family;
};

#endif
