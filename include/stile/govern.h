/*
 * stile/govern.h - rule files in, decisions out.
 *
 * Rule files (mappings/rules/, edited by IG officers): vocabulary.yaml,
 * guardrails.yaml, agreements.yaml, rules.yaml, examples.yaml and
 * labels/<label>.csv. Closed words, no expressions, no priorities.
 *
 * Invariants
 *   - Deny by default: nothing is shared unless a `share` rule fires.
 *   - Every condition is yes, no or unknown. `share` fires only on all yes;
 *     `withhold` and `guardrail` fire on yes or unknown.
 *   - Order of rules and files never matters. Any firing withhold or
 *     guardrail wins; obligations merge to the strictest.
 *   - The reason (rules, agreement, first failing need) is part of the answer
 *     and never holds a patient's value.
 *   - A share is inert outside its agreement's dates; a withhold never lapses.
 *
 * Trip of a decision: label -> facts -> decide per recipient, item and field
 * -> do the obligations. All pure; the date is an argument.
 *
 * Threads: a compiled set is immutable; decisions live in the caller's arena.
 */
#ifndef STILE_GOVERN_H
#define STILE_GOVERN_H

#include "stile/base.h"
#include "stile/record.h"

struct stile_rules;
struct stile__work;

enum stile_rule_file {
    STILE_RULES_VOCABULARY, /* vocabulary.yaml: the closed words */
    STILE_RULES_GUARDRAILS, /* guardrails.yaml: the national floor */
    STILE_RULES_AGREEMENTS, /* agreements.yaml */
    STILE_RULES_LOCAL,      /* rules.yaml */
    STILE_RULES_EXAMPLES,   /* examples.yaml */
    STILE_RULES_LABELS,     /* labels/<label>.csv: system,code,display,source */
    STILE_RULES_CONSENT,    /* consent-codes.csv: which code is which fact */
    STILE_RULES_FLOOR       /* stile_rules_floor; tests may leave it out */
};

struct stile_rules_input {
    enum stile_rule_file kind;
    const struct stile_source *source; /* kept */
};

/*
 * Reads, checks and compiles. All findings at once, codes R1xx words, R2xx
 * references (unknown agreement, rule without examples), R3xx dates,
 * R4xx legal lint, R5xx dead or never-matching rules, R6xx examples that fail.
 * INVALID when any error was found; *ret is then untouched.
 */
STILE_MUSTCHECK enum stile_status
stile_rules_load(const struct stile_rules_input *inputs, size_t count,
                 struct stile_date today, struct stile_arena *arena,
                 struct stile_diags *diags, struct stile_rules **ret);
/* Ids and digests of the guardrails that are shipped. With it among the
 * inputs, a set in which one is missing or changed is refused. */
extern const struct stile_source stile_rules_floor;
/* SHA-256 of the canonical form of the set: same meaning and texts, same
 * digest, whatever the order or layout of the files. */
struct stile_digest stile_rules_digest(const struct stile_rules *rules);
/* One fixed English sentence a rule, with the officer's own words beside. */
void stile_rules_read(const struct stile_rules *rules, struct stile_buf *out);

/* The officer's own words on a rule, or an agreement's title; empty when there
 * is none of that id. */
struct stile_str stile_rules_says(const struct stile_rules *rules,
                                  struct stile_str id);

/* ---- facts ------------------------------------------------------------------
 */

enum stile_truth {
    STILE_UNKNOWN,
    STILE_NO,
    STILE_YES
};

struct stile_fact {
    struct stile_str name; /* a word of vocabulary.yaml: facts */
    enum stile_truth value;
    struct stile_str recipient; /* ODS code when about person and recipient,
                                   else empty */
    struct stile_str source;    /* where from: "emis SpineSensitive" */
    stile_time date;            /* clinical date; latest wins; 0 = none */
    struct stile_date from;  /* first and last day it holds; year 0 = open. */
    struct stile_date until; /* Outside of them the fact is unknown. */
};

/* What the facts given come to, and why: the very judgement of
 * stile_govern_decide. */
struct stile_known {
    struct stile_str fact;
    enum stile_truth value;
    bool any;         /* false: nothing is given, so silence speaks */
    size_t counts;    /* which of the facts given counts; SIZE_MAX: none */
    const char *why;  /* one clause, static */
    uint32_t max_age; /* days it counts after its date; 0 = for ever */
    struct stile_date stale; /* first day it counts no more for its age alone;
                                year 0 = none */
};

/*
 * What the record itself says of the person: coded consents and dissents
 * (consent-codes.csv, latest by clinical date, one flag a scheme), Consent
 * resources, security labels, deceased, open referrals. `family` is the source
 * ("emis", "vcse-case", "fhir"): vocabulary.yaml says, per family, what the
 * absence of each fact means; that is judged by stile_govern_decide, when no
 * fact of the name is among those given. So give it what is known of the whole
 * person, not of one row. A fact may hold for some days only (from, until).
 * UNKNOWN facts count: the latest may be that nothing is known any more.
 * Array in the arena.
 */
STILE_MUSTCHECK enum stile_status
stile_govern_facts(const struct stile_rules *rules,
                   struct stile_value *const *resources, size_t count,
                   struct stile_str family, struct stile_arena *arena,
                   struct stile_fact **ret_facts, size_t *ret_count);

/* For each fact of the vocabulary, in its order. An empty recipient: for
 * whoever is not named. Facts of an item are left out. */
STILE_MUSTCHECK enum stile_status stile_govern_known(
    const struct stile_rules *rules, const struct stile_fact *facts,
    size_t count, struct stile_str recipient, struct stile_date today,
    struct stile_arena *arena, struct stile_known **ret, size_t *ret_count);
/* What it means that a source of the family does not speak of the fact. */
enum stile_truth stile_govern_silence(const struct stile_rules *rules,
                                      struct stile_str fact,
                                      struct stile_str family);

/* Whether an officer may give that word, and if not, why. `named`: with a
 * recipient. */
enum stile_give {
    STILE_GIVE_OK,
    STILE_GIVE_NO_FACT, /* no word of the vocabulary */
    STILE_GIVE_GLASS,   /* the glass is broken in its own way */
    STILE_GIVE_RECORD,  /* the record itself says it */
    STILE_GIVE_NAMED,   /* it is about the person alone */
    STILE_GIVE_UNNAMED, /* a yes must name its recipient */
    STILE_GIVE_CLAIM    /* a claim is not denied, but taken back */
};
enum stile_give stile_govern_may_give(const struct stile_rules *rules,
                                      struct stile_str fact,
                                      enum stile_truth value, bool named);

/* Longest that an agreement's break-glass may last. */
#define STILE_GLASS_HOURS_MAX 72u
struct stile_glass {
    struct stile_str agreement, sender, recipient, reason;
};
/* How long breaking it lasts. NOT_FOUND, DENIED: `error` (static) says why it
 * may not be. */
STILE_MUSTCHECK enum stile_status
stile_rules_break_glass(const struct stile_rules *rules,
                        const struct stile_glass *glass, uint32_t *ret_hours,
                        const char **ret_error);

/* Most facts one record may say; LIMIT past it. */
#define STILE_FACTS_MAX 2000u

/* Whether a fact could open something: a yes of consent or relationship, a no
 * of a mark or refusal. A partner's own word must not open what goes to it. */
bool stile_govern_permits(const struct stile_rules *rules,
                          struct stile_str name, enum stile_truth value);

/* For a record of which an entry could not be read or waits: it may have been
 * a refusal, so whatever entries and consents say is not known. */
STILE_MUSTCHECK enum stile_status
stile_govern_doubt(const struct stile_rules *rules, struct stile_str recipient,
                   struct stile_arena *arena, struct stile_fact **ret_facts,
                   size_t *ret_count);

/* ---- decisions ---- */

/*
 * A person's word that one item may go although these hold it: rules by id,
 * or the agreement by its id. It lifts nothing else: what withholds it still
 * does, and another item waits as before. One entry an item.
 */
struct stile_released {
    size_t resource; /* index in the question */
    const struct stile_str *rules;
    size_t rule_count;
};

struct stile_question {
    struct stile_str sender;         /* ODS code */
    struct stile_str recipient;      /* ODS code */
    struct stile_str recipient_kind; /* word: "trust", "gp-practice",
                                    "voluntary-care", "voluntary-non-care" */
    struct stile_str purpose;        /* word: "individual-care", ... */
    struct stile_str agreement;      /* the route's agreement id */
    struct stile_date today;
    stile_time now; /* a yes of later is not known; 0: of a later day */
    struct stile_str family;        /* for what absence means */
    const struct stile_fact *facts; /* of the record and of the store; the
                                    latest by date wins per name+recipient */
    size_t fact_count;
    struct stile_value *const *resources; /* the pivot: FHIR R4, one person */
    size_t resource_count;
    const struct stile_released *released;
    size_t released_count;
};

#define STILE_OUTCOME_LIST(X)                                                  \
    X(RELEASE, "release")                                                      \
    X(CHANGED, "release-changed")                                              \
    X(WITHHOLD, "withhold")                                                    \
    X(HOLD, "hold-for-person")
enum stile_outcome {
#define X(name, text) STILE_OUTCOME_##name,
    STILE_OUTCOME_LIST(X)
#undef X
};
const char *stile_outcome_text(enum stile_outcome outcome);

/* Why one item or field went, changed or stayed. Words and ids only. */
struct stile_reason {
    struct stile_str rule; /* rule id, or empty: no share rule fired */
    struct stile_str agreement;
    struct stile_str need; /* first failing need or firing condition */
    enum stile_truth need_is;
    struct stile_str obligation; /* word, when changed */
    struct stile_str sentence;   /* "no recorded yes to VCS07 (rule RIV-1)"; no
                                    full stop */
};

struct stile_item_decision {
    size_t resource;       /* index in the question */
    struct stile_str type; /* resourceType */
    struct stile_str data; /* data word of the field; empty = the item */
    enum stile_outcome outcome;
    const struct stile_str *labels;
    size_t label_count;
    const struct stile_reason *reasons; /* the one that decided comes first; an
                                           item that goes in part has none, its
                                           fields do */
    size_t reason_count;
    const struct stile_str *holds; /* ids: a person's word on all of them lets
                                      go what is held of it. None: nobody's
                                      word can */
    size_t hold_count;
};

struct stile_decision {
    const struct stile_item_decision *items; /* one an item and field */
    size_t count;
    enum stile_outcome outcome; /* of the whole: WITHHOLD when nothing goes */
    size_t released, changed, withheld, held;
    bool tell_withheld;            /* the recipient may be told items stayed */
    const struct stile_str *rules; /* ids that fired, sorted, unique */
    size_t rule_count;
    const struct stile_str *notify; /* whom to tell: "privacy-officer", ... */
    size_t notify_count;
    const struct stile__work *work; /* what apply needs; set by decide */
};

STILE_MUSTCHECK enum stile_status
stile_govern_decide(const struct stile_rules *rules,
                    const struct stile_question *question,
                    struct stile_arena *arena, struct stile_decision **ret);

/*
 * Does it: copies of the released resources with withheld items and fields
 * gone and every obligation done; references to a withheld resource are
 * removed too, so that a hidden thing cannot be told from an absent one.
 * `key` (32 bytes or more) is for pseudonymise. DENIED when an obligation
 * cannot be done: nothing may leave.
 */
STILE_MUSTCHECK enum stile_status stile_govern_apply(
    const struct stile_rules *rules, const struct stile_question *question,
    const struct stile_decision *decision, struct stile_str key,
    struct stile_arena *arena, struct stile_value ***ret, size_t *ret_count);

/* Plain words, one line a group of like decisions, no patient data:
 *   withhold 2 Observations: rule SEN-SEX: Never pass on sexual health
 *   withhold 1 Patient (gender, address): no rule shares this with VCS07
 * Time grows with the rows alone; after 200 lines the rest is counted. */
void stile_decision_print(const struct stile_decision *decision,
                          struct stile_buf *out);
/*
 * For audit entries too: what the decision stood on, in words alone, so that
 * another rule set can be asked later what it would have decided
 * (stile_rules_replay_*). No value, id or text of the record:
 * {recipient-kind, family, vocabulary: digest, facts: {word: yes | no} (the
 * others were not known), items: [{count, type, labels, linked, facts, data,
 * modified}]}, or {crowded: true} when that would be more than
 * STILE_GROUND_BYTES. Labels that rest on who asks count as the item's own.
 */
#define STILE_GROUND_BYTES 16000u
struct stile_value *stile_decision_ground(const struct stile_decision *decision,
                                          struct stile_arena *arena);
/* For audit entries: an object with outcome, counts by class, rules, first
 * reasons; no patient data. */
struct stile_value *stile_decision_value(const struct stile_decision *decision,
                                         struct stile_arena *arena);

/* ---- analyses ---------------------------------------------------------------
 *
 * Exact: over every combination of facts (yes, no, unknown) and labels (an
 * item's own, by a link, none), for each agreement and purpose. Each answer
 * comes with an example. A field is looked at by itself: that a field goes
 * only beside another of its item (`alone: no`) is not counted in.
 *
 * All give an object for programs, in the arena, and print it in plain words.
 * LIMIT: the set is too tangled to be answered exactly, so it is not answered.
 */

/* Empty parts ask for all. */
struct stile_flow_query {
    struct stile_str recipient; /* ODS code or name, as in agreements.yaml */
    struct stile_str data;      /* data word */
    struct stile_str label;     /* of items that carry this label */
};

/*
 * Who can see it, and what can a body receive, on the day `today`:
 * {on, flows: [{recipient, recipient-name, sender, sender-name, purpose,
 * agreement, outcome: goes | held-for-person, by: label | link (asked of a
 * label), data: [words], shares: [{rule, until, needs: [{any-of: [facts]}]}],
 * limits: [rules that may keep it back or change it], always: [duties],
 * sometimes: [duties], example: {patient: {fact: yes | unknown}, labels}}]}
 * Facts that an example does not name are no. INVALID: no such word.
 */
STILE_MUSTCHECK enum stile_status
stile_rules_flows(const struct stile_rules *rules,
                  const struct stile_flow_query *query, struct stile_date today,
                  struct stile_arena *arena, struct stile_value **ret);
void stile_rules_flows_print(const struct stile_value *report,
                             struct stile_buf *out);

/*
 * What changes when `new` takes the place of `old`, from `today` on:
 * {class: equal | narrower | wider | mixed, old, new: digests, from,
 * changes: [{change: newly-released | no-longer-held |
 * newly-held-instead-of-withheld | looser | stricter |
 * newly-held-instead-of-sent | newly-withheld, class, the route as above, from,
 * until (absent: for good), duty (looser, stricter), data: [words],
 * rules: ["RIV-1 changed"], when: [boxes], more: bool, example}],
 * meanings: [{what: labels | consent-codes | vocabulary, added, removed,
 * class},
 * {what: tell-recipient, rule, class}, {what: basis | names of the parties |
 * title | ..., agreement, class: mixed | equal}]}
 * A changed vocabulary is always mixed: what the words mean is not analysed.
 */
STILE_MUSTCHECK enum stile_status
stile_rules_diff(const struct stile_rules *old, const struct stile_rules *new,
                 struct stile_date today, struct stile_arena *arena,
                 struct stile_value **ret);
void stile_rules_diff_print(const struct stile_value *report,
                            struct stile_buf *out);

/*
 * How often: two sets asked again about past disclosures, from the grounds in
 * audit entries, as if each were decided on `today`. What a person released
 * is asked as if nobody had looked.
 *
 * The report: {on, from, until, asked, without-ground, other-words, persons,
 * changes: [{change: newly-released | newly-held | newly-withheld | looser |
 * stricter, recipient, agreement, purpose, data, items, disclosures, persons}],
 * use: [{agreement, data: [{data, items}], never: [data words]}] (under new;
 * the agreements in which the log's own organisation sends)}. `other-words`:
 * grounds of another vocabulary, replayed by the words they have in common.
 * Persons are told apart by the entries' commitments.
 */
struct stile_replay;
/* Sets and arena are kept. LIMIT past the most that is told apart. */
#define STILE_REPLAY_KINDS_MAX 10000u
#define STILE_REPLAY_PERSONS_MAX 1000000u
STILE_MUSTCHECK enum stile_status
stile_replay_new(const struct stile_rules *old, const struct stile_rules *new,
                 struct stile_date today, struct stile_arena *arena,
                 struct stile_replay **ret);
/* OK also for entries that are no disclosure: they are passed over. */
STILE_MUSTCHECK enum stile_status
stile_replay_add(struct stile_replay *replay, const struct stile_value *entry);
struct stile_value *stile_replay_report(struct stile_replay *replay);
void stile_replay_print(const struct stile_value *report, bool use,
                        struct stile_buf *out);

/*
 * What is wrong with the set as a whole, and that the floor holds:
 * {findings: [{finding: dead | shadowed | inert | never-meets | gap | floor,
 * severity: error | warning | note, rule, message, data (gap), example}],
 * meets: [{share, limit, purpose, data, example}]: a limit that stands over
 * what a share lets go (as it should),
 * floor: {rules: digest, holds, claims, routes, facts, labels, guardrails}}
 * The floor holds when in no case a field goes that a guardrail keeps back, or
 * goes without what a guardrail asks to be done to it.
 */
STILE_MUSTCHECK enum stile_status
stile_rules_analyse(const struct stile_rules *rules, struct stile_date today,
                    struct stile_arena *arena, struct stile_value **ret);
void stile_rules_analyse_print(const struct stile_value *report, bool meets,
                               struct stile_buf *out);

/*
 * Dates of agreements and rules that are past or come within `days`:
 * {today, days, dates: [{date, in-days, what, agreement, recipient,
 * recipient-name, stops: [rules]}], ages: [{fact, days, asked-by: [rules]}]}
 */
STILE_MUSTCHECK enum stile_status
stile_rules_calendar(const struct stile_rules *rules, struct stile_date today,
                     unsigned days, struct stile_arena *arena,
                     struct stile_value **ret);
void stile_rules_calendar_print(const struct stile_value *report,
                                struct stile_buf *out);

/* How many rules there are, and worked cases; all of a loaded set hold. */
void stile_rules_counts(const struct stile_rules *rules, size_t *ret_rules,
                        size_t *ret_cases);
/* Words a question may use, for "did you mean". */
enum stile_rules_words {
    STILE_RULES_WORDS_DATA,
    STILE_RULES_WORDS_LABELS,
    STILE_RULES_WORDS_RECIPIENTS, /* ODS codes */
    STILE_RULES_WORDS_FACTS,
    STILE_RULES_WORDS_PARTIES /* ODS codes of either side */
};
STILE_MUSTCHECK enum stile_status
stile_rules_words(const struct stile_rules *rules, enum stile_rules_words which,
                  struct stile_arena *arena, struct stile_str **ret,
                  size_t *ret_count);

/* JSON Schema (draft 2020-12) of a file that officers edit (agreements,
 * guardrails, rules, examples), with the words of this vocabulary, for editors
 * to complete. */
void stile_rules_schema(const struct stile_rules *rules,
                        enum stile_rule_file file, struct stile_buf *out);

/* ---- officers and what they do ----------------------------------------------
 *
 * Who may approve rules, look into the review queue, read or give facts, or
 * move the outbox, by whose signature. officers.yaml is named by stile.yaml and
 * lies with the gateway, not with the rules: who edits rules does not choose
 * who approves them.
 *
 *   organisation: RZ9
 *   self-approving: yes          # development alone: one signature is enough
 *   officers:
 *     - officer: cg-1
 *       role: caldicott-guardian
 *       key: <64 hex digits: the public key of `stile officer key`>
 *       may: [approve-rules, review]
 *       from: 2026-04-01
 *       until: 2027-03-31        # the last day
 *
 * Invariants
 *   - No two officers have one id or one key: two signatures are two people's.
 *   - An act counts only with a signature of an officer who may do it on its
 *     day. The signature is Ed25519 (RFC 8032) over stile_act_text.
 */

#define STILE_MAY_LIST(X)                                                      \
    X(APPROVE_RULES, "approve-rules") /* sign a rule set */                    \
    X(REVIEW, "review")               /* release or refuse what is held */     \
    X(READ_FACTS, "read-facts")       /* see what is known of a person */      \
    X(GIVE_FACTS, "give-facts")       /* import facts about persons */         \
    X(BREAK_GLASS, "break-glass")     /* open an agreement's emergency door */ \
    X(MOVE_OUTBOX, "move-outbox")     /* retry, withdraw */
enum stile_may {
#define X(name, text) STILE_MAY_##name,
    STILE_MAY_LIST(X)
#undef X
    STILE_MAY_COUNT
};
const char *stile_may_text(enum stile_may may);

struct stile_officer {
    struct stile_str id, role;
    uint8_t key[32]; /* public */
    unsigned may;    /* bit set of 1 << enum stile_may */
    struct stile_date from, until;
};
struct stile_officers {
    struct stile_str organisation; /* ODS code */
    bool self_approving;
    const struct stile_officer *items;
    size_t count;
    struct stile_digest digest; /* of the file's bytes */
};
#define STILE_OFFICERS_MAX 1000u
/* Findings O1xx; INVALID when any is an error. The source is kept. */
STILE_MUSTCHECK enum stile_status
stile_officers_load(const struct stile_source *source,
                    struct stile_arena *arena, struct stile_diags *diags,
                    struct stile_officers **ret);
/* NULL when there is none of that id. */
const struct stile_officer *
stile_officers_find(const struct stile_officers *officers, struct stile_str id);

/* What one officer did, once. Texts are words, ids and digests, and the
 * officer's own reason; no line ends. */
struct stile_act {
    enum stile_may may;
    struct stile_str what;    /* word: "approve-rules", "release", "refuse" */
    struct stile_str subject; /* what it was done to: ids, digests */
    struct stile_str officer; /* id */
    struct stile_str because;
    stile_time at;
    uint8_t signature[64];
};
/* Most bytes of each text of an act. */
#define STILE_ACT_TEXT_MAX 1000u
/* The bytes that are signed: a line each of "stile-act v1", organisation,
 * what, subject, officer, time, because. */
void stile_act_text(const struct stile_officers *officers,
                    const struct stile_act *act, struct stile_buf *out);
/* Signs as act->officer. DENIED: no such officer, the act is not theirs or not
 * on that day, or the seed is not of their key; INVALID: a text is empty, too
 * long or has a line end. `error` (static) says which. */
STILE_MUSTCHECK enum stile_status
stile_act_sign(const struct stile_officers *officers, struct stile_act *act,
               const uint8_t seed[32], const char **ret_error);
/* The same, of the signature. */
STILE_MUSTCHECK enum stile_status
stile_act_check(const struct stile_officers *officers,
                const struct stile_act *act, const char **ret_error);
/* {act, at, because, officer, role, signature, subject}, for audit entries: in
 * this order, which is canonical (RFC 8785). */
struct stile_value *stile_act_value(const struct stile_officers *officers,
                                    const struct stile_act *act,
                                    struct stile_arena *arena);

/* ---- going live: what a change of the rules needs --------------------------
 *
 * A change from the set in force to another is approved by officers who may
 * approve-rules, who have been shown what it changes. What they sign is the act
 * "approve-rules" over "rules <from> <to> <class> after <step>", where from is
 * the digest of the set in force, or none, and step that of the step in which
 * it came in force (rules/step.yaml beside a set that 'stile rules in-force'
 * wrote), or none. Approvals travel beside the proposed rules, in
 * approvals.yaml, which is no part of the set:
 *
 *   - organisation: RZ9
 *     officer: cg-1
 *     at: 2026-04-02T09:30:00.000Z
 *     because: agreed with Harbour Housing
 *     from: <64 hex digits, or none>
 *     to: <64 hex digits>
 *     class: wider
 *     after: <64 hex digits, or none>
 *     signature: <128 hex digits>
 *
 * Invariants
 *   - Any edit of the proposal and any change of what is in force changes the
 *     subject, so approvals fall away.
 *   - An approval is of one step: none counts a second time, after a rollback
 *     say, whatever time its signer gave it.
 *   - Two officers are two ids with two keys.
 */

#define STILE_RULES_CLASS_LIST(X)                                              \
    X(EQUAL, "equal", 1)       /* other words, the same decisions */           \
    X(NARROWER, "narrower", 1) /* less goes, or more is done to it */          \
    X(WIDER, "wider", 2)                                                       \
    X(MIXED, "mixed", 2)
enum stile_rules_class {
#define X(name, text, needs) STILE_RULES_##name,
    STILE_RULES_CLASS_LIST(X)
#undef X
    STILE_RULES_CLASS_COUNT
};
const char *stile_rules_class_text(enum stile_rules_class class);
STILE_MUSTCHECK bool stile_rules_class_parse(struct stile_str text,
                                             enum stile_rules_class *ret);
/* How many officers must sign; one when officers.yaml is self-approving. */
unsigned stile_rules_class_needs(enum stile_rules_class class,
                                 const struct stile_officers *officers);

struct stile_rules_move {
    struct stile_digest from; /* zero: nothing is in force */
    struct stile_digest to;
    enum stile_rules_class class;
    struct stile_digest after; /* the step that put from in force; zero: none */
};
/* What is signed, in the arena. */
struct stile_str stile_rules_move_subject(const struct stile_rules_move *move,
                                          struct stile_arena *arena);

struct stile_approval {
    struct stile_str organisation;
    struct stile_rules_move move;
    struct stile_act act; /* its subject is the move's */
};
#define STILE_APPROVALS_MAX 1000u
/* Findings O2xx; INVALID when any is an error. The source is kept. */
STILE_MUSTCHECK enum stile_status
stile_approvals_load(const struct stile_source *source,
                     struct stile_arena *arena, struct stile_diags *diags,
                     struct stile_approval **ret, size_t *ret_count);
/* approvals.yaml. */
void stile_approvals_write(const struct stile_approval *approvals, size_t count,
                           struct stile_buf *out);

struct stile_approval_terms {
    struct stile_rules_move move;
    stile_time after; /* since when the set in force is; 0 = none is */
    stile_time now;
    stile_time age; /* the oldest that counts */
};
struct stile_approval_verdict {
    unsigned needs;
    const struct stile_act **counted; /* one an officer, as they were given */
    size_t count;
    struct stile_str *others; /* "cg-1: why it does not count" */
    size_t other_count;
};
/* Approvals of other organisations are passed over. */
STILE_MUSTCHECK enum stile_status
stile_approvals_judge(const struct stile_officers *officers,
                      const struct stile_approval *approvals, size_t count,
                      const struct stile_approval_terms *terms,
                      struct stile_arena *arena,
                      struct stile_approval_verdict *ret);

#endif
