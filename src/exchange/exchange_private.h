/* What the files of src/exchange share. */
#ifndef STILE_EXCHANGE_PRIVATE_H
#define STILE_EXCHANGE_PRIVATE_H

#include "stile/exchange.h"

/* ---- a growing array in the arena ---- */

struct stile__list {
    void *items;
    size_t count, capacity;
};
/* Room for one more item of `size`, zeroed; NULL when the arena failed. */
void *stile__list_add(struct stile_arena *arena, struct stile__list *list,
                      size_t size);

/* ---- a map from text to a pointer ---- */

struct stile__map_slot {
    struct stile_str key;
    void *value;
};
struct stile__map {
    struct stile__map_slot *slots;
    size_t count, capacity; /* capacity is a power of two, or 0 */
};
void *stile__map_get(const struct stile__map *map, struct stile_str key);
/* Keeps key's bytes. The first value of a key stays. */
void stile__map_put(struct stile_arena *arena, struct stile__map *map,
                    struct stile_str key, void *value);

/* ---- the exchange ---------------------------------------------------------
 */

struct stile__deleted {
    struct stile_str type, id;
};

/* One person of the message, and all of the pivot that is about them. */
struct stile__person {
    struct stile_str key;         /* NHS number, or "<ODS>|<Patient id>" */
    struct stile__list resources; /* struct stile_value * */
    struct stile__list deleted;   /* struct stile__deleted */
    size_t need;                  /* index of the PERSON need */
};

/* What an export's row on one route deletes. */
struct stile__gone {
    struct stile_str route;
    struct stile__list deleted; /* struct stile__deleted */
};

enum stile__stage {
    STAGE_NEW,     /* nothing was done */
    STAGE_MAPPING, /* rows wait for look-ups */
    STAGE_PERSONS, /* persons are known, facts were asked for */
    STAGE_READY,   /* finish may run */
    STAGE_BROKEN   /* nothing can be used; finish makes the quarantine */
};

struct stile__missing {
    struct stile_str name; /* table, U+001F, key */
    bool shared;           /* of a table that is no person's */
    bool deleted;          /* it was there, and the source deleted it */
};

struct stile_exchange {
    const struct stile_plan *plan;
    const struct stile_message *message;
    const struct stile_exchange_keys *keys;
    struct stile_arena *arena;
    struct stile_diags diags;
    enum stile__stage stage;
    unsigned rounds;
    bool doubt; /* an entry that may be a refusal was not read, or waits */

    const struct stile_row *rows; /* of the message, decoded or given */
    size_t row_count;
    size_t unread_rows, refused_rows; /* by the format; by the mapping */
    bool *row_open;                   /* row i still waits for a look-up */
    struct stile__list indexes;       /* struct stile__index: rows by column */
    struct stile_map_rows *groups;    /* the same, for rows of one resource */
    struct stile__list needs;         /* struct stile_need */
    struct stile__map need_index;     /* table, column, key -> index + 1 */

    struct stile__list pivot;       /* struct stile_value *: FHIR R4 */
    struct stile__list deleted;     /* struct stile__deleted */
    struct stile__list held;        /* struct stile_held_row */
    struct stile__list missing;     /* struct stile__missing: look-ups in vain
                                       of the row in hand */
    struct stile__list held_types;  /* struct stile_str: not to be deleted */
    struct stile__list quarantine;  /* struct stile_quarantine_new */
    struct stile__list persons;     /* struct stile__person */
    struct stile__map numbers;      /* Patient reference -> its NHS number */
    bool contested;                 /* some reference has two numbers */
    struct stile__map person_index; /* person key -> index + 1 */
    struct stile__list gone;        /* struct stile__gone: of the person in
                                       hand, what each route was told to
                                       delete */
    struct stile__list events;      /* struct stile_event */

    /* the outcome */
    struct stile__list messages, out_rows, entries, facts, sent;
    struct stile__list reviews, review_ends, review_seen;
};

/* decode.c: bytes or rows to the pivot. */
enum stile_status stile__decode(struct stile_exchange *x);
enum stile_status stile__map_rows(struct stile_exchange *x);
/* parts.c: resources of one type and id, from several rows, become one;
 * INVALID where rows of a message contradict each other. */
STILE_MUSTCHECK enum stile_status stile__join_parts(struct stile_exchange *x);
/* bundle.c: a Bundle or single resource to the pivot. */
enum stile_status stile__flatten(struct stile_exchange *x,
                                 struct stile_value *root);
/* persons.c */
enum stile_status stile__split(struct stile_exchange *x);
/* "Type/id" of a resource, in the arena. */
struct stile_str stile__resource_ref(struct stile_arena *arena,
                                     const struct stile_value *resource);
/* disclose.c: one person along one route. */
struct stile__trip {
    const struct stile_plan *plan;
    const struct stile_route *route;
    const struct stile_exchange_keys *keys;
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile_str family; /* for what absence means */
    struct stile_str person; /* person key */
    struct stile_value *const *resources;
    size_t resource_count;
    const struct stile_stored_fact *stored; /* facts of the store */
    size_t stored_count;
    uint64_t epoch;
    bool doubt; /* an entry of the record could not be read, or waits */
    stile_time now;
    stile_time exported; /* of the message, so that a second decision that
                            changes nothing writes the same bytes */
    struct stile_str message_id;
    const struct stile_review_item *reviewed; /* of the person */
    size_t reviewed_count;
    const struct stile_reviewing *reviewing; /* a person's act, or NULL */

    /* results */
    struct stile_decision *decision; /* NULL: own organisation */
    struct stile_value **released;
    size_t released_count;
    const char *blocked; /* why nothing goes though something might; or NULL */
};
/* Where a stored fact comes from: the sender's name, '|', and the resource
 * that says it. Ids are unique at their source only. */
struct stile_str stile__fact_source(struct stile_arena *arena,
                                    struct stile_str sender,
                                    struct stile_str source);
/* A newer version of the resource that said it is among `resources`. */
bool stile__fact_replaced(const struct stile_stored_fact *stored,
                          struct stile_str sender,
                          struct stile_value *const *resources, size_t count);
/* Decides and does the obligations; nothing released is no error. */
enum stile_status stile__decide(struct stile__trip *trip);
/* Adds the note that items stayed to what is released, if it may be told. */
enum stile_status stile__mark_withheld(struct stile__trip *trip);
/* Maps out and encodes `resources` (and deletions) in the route's format. */
enum stile_status stile__encode(struct stile__trip *trip,
                                struct stile_value *const *resources,
                                size_t count,
                                const struct stile__deleted *deleted,
                                size_t deleted_count, struct stile_buf *out);
/* facts.c */
enum stile_status stile__learn_facts(struct stile_exchange *x,
                                     const struct stile__person *person);
/* marks.c */
enum stile_status stile__changed_resources(struct stile_exchange *x,
                                           struct stile__trip *trip,
                                           const struct stile_need *answer,
                                           struct stile__list *ret_changed);
enum stile_status stile__vanished_resources(struct stile_exchange *x,
                                            struct stile__trip *trip,
                                            const struct stile_need *answer,
                                            struct stile__list *ret_deleted);
enum stile_status stile__digest_of(const struct stile_value *resource,
                                   size_t limit, struct stile_digest *ret);
/* review.c: what people let go, for the rules; and what waits for them. */
enum stile_status stile__released(const struct stile__trip *trip,
                                  struct stile_released **ret,
                                  size_t *ret_count);
/* The item is of this route and resource, in whatever version. */
bool stile__review_names(const struct stile_review_item *item,
                         const struct stile__trip *trip,
                         const struct stile_value *resource);
/* release.c */
const struct stile_review_item *
stile__review_item(const struct stile_review *review, uint32_t n);
enum stile_status stile__ask_review(struct stile_exchange *x,
                                    const struct stile__trip *trip);
/* kept.c: the trip of a kept message; its deletions and whether it is an
 * export's are in ret. */
struct stile__kept {
    struct stile__trip trip;
    bool export;
    struct stile__deleted *deleted;
    size_t deleted_count;
};
enum stile_status stile__kept_read(const struct stile_plan *plan,
                                   const struct stile_again *again,
                                   const struct stile_exchange_keys *keys,
                                   struct stile_arena *arena,
                                   struct stile_diags *diags,
                                   struct stile__kept *ret);
/* outcome.c */
void stile__add_entry(struct stile_exchange *x, struct stile_str entry);
/* The row of a body, without its key. */
enum stile_status stile__make_row(const struct stile__trip *trip,
                                  struct stile_str body,
                                  struct stile_outbox_new *ret);
bool stile__is_export(const struct stile_exchange *x);
const struct stile_need *stile__answer_of(const struct stile_exchange *x,
                                          const struct stile__person *person);
enum stile_status stile__outcome(struct stile_exchange *x,
                                 struct stile_accept *ret);
/* The message as it came, with what was found in it. */
void stile__quarantine_whole(struct stile_exchange *x);
/* entries.c: audit entries, canonical JSON, no patient's value. */
struct stile_value *stile__entry_begin(const struct stile_plan *plan,
                                       struct stile_arena *arena,
                                       const char *type, stile_time now);
struct stile_str stile__canonical(struct stile_arena *arena,
                                  struct stile_value *value);
/* review, items and act of an entry. */
void stile__entry_reviewing(const struct stile_reviewing *reviewing,
                            const struct stile_exchange_keys *keys,
                            struct stile_arena *arena,
                            struct stile_value *entry);
struct stile_str stile__entry_decision(struct stile__trip *trip,
                                       const char *type, struct stile_str body);
struct stile_str stile__entry_received(struct stile_exchange *x,
                                       const char *type);
void stile__event(struct stile_exchange *x, enum stile_event_kind kind,
                  struct stile_str route, const char *format, ...)
    STILE_PRINTF(4, 5);
struct stile_str stile__message_id(struct stile_exchange *x, size_t person);
/* kept.c: the pivot of one person as it waits beside its rows. */
struct stile_str stile__keep(struct stile_exchange *x,
                             const struct stile__person *person);

#endif
