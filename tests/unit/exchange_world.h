/* A plan over the shipped mappings and rules, a stand-in for the store, and a
 * message's whole trip through the public door. */
#ifndef EXCHANGE_WORLD_H
#define EXCHANGE_WORLD_H

#include "stile/exchange.h"

#define WORLD_MAX 64

/* Text that stands for what a patient said or is: it must not get out. */
#define MARK "PLANTEDMARK"

enum {
    WORLD_TRUST,
    WORLD_CHARITY,
    WORLD_OWN,
    WORLD_PARTNERS
};

struct world_facts {
    struct stile_str person;
    struct stile_stored_fact facts[8];
    size_t count;
    uint64_t epoch;
};

struct world {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_plan plan;
    struct stile_partner partners[WORLD_PARTNERS];
    struct stile_route routes[8];
    struct stile_exchange_keys keys;
    /* what the store would answer */
    struct stile_row rows[WORLD_MAX];
    size_t row_count;
    struct world_facts known[8];
    size_t known_count;
    struct stile_sent_mark sent[256];
    size_t sent_count;
    struct stile_review_item reviewed[256];
    size_t reviewed_count;
    int64_t reviews;
    size_t arena_bytes; /* of a trip */
};

struct trip_run {
    struct stile_arena *arena;
    struct stile_message message;
    struct stile_exchange *exchange;
    struct stile_accept accept;
    enum stile_status begun, finished;
    unsigned rounds; /* how often it asked */
    size_t asked_rows;
};

struct stile_str world_slurp(struct stile_arena *arena, const char *path);
/* A gateway of the organisation `ods`; today is 21 November 2026. */
void world_open(struct world *w, const char *ods, const char *kind);
void world_close(struct world *w);
void world_route(struct world *w, const char *name, const char *from, int to,
                 const char *format, const char *purpose,
                 const char *agreement);
/* Counts the plan anew, as after an edit. */
void world_digest(struct world *w);
/* A row of the EMIS family, by column name and cell, ended by NULL. */
struct stile_row world_row(struct world *w, const char *table, ...);
struct stile_row world_row_of(struct world *w, const char *family,
                              const char *table, ...);
void world_print(const struct stile_diags *diags);
void world_mirror(struct world *w, struct stile_row row);
void world_fact(struct world *w, const char *person, const char *name,
                const char *recipient, enum stile_truth value,
                const char *date);
/* Keeps the marks of an outcome, as the store does. */
void world_keep_marks(struct world *w, const struct trip_run *run);

/* Keeps the reviews of an outcome, and ends those it ends. */
void world_keep_reviews(struct world *w, const struct trip_run *run);
/* A person's word on every item of a review that waits; 0: of all. */
void world_say(struct world *w, int64_t review, enum stile_review_word word);

void world_run(struct world *w, struct trip_run *run);
void world_run_message(struct world *w, const char *format, const char *family,
                       struct stile_str bytes, struct trip_run *run);
void world_run_sample(struct world *w, const char *format, const char *family,
                      const char *sample, struct trip_run *run);
/* Keeps `gone` and `family` of the message, if set. */
void world_run_export(struct world *w, const struct stile_row *rows,
                      size_t count, struct trip_run *run);
void world_end(struct trip_run *run);

bool world_has(struct stile_str text, const char *what);
bool world_finding(const struct trip_run *run, const char *code);
bool world_event(const struct trip_run *run, enum stile_event_kind kind,
                 const char *what);
/* How many audit entries hold `what`. */
size_t world_entries(const struct trip_run *run, const char *what);
/* Nothing a person or a log reads holds the text. */
void world_says_nothing_of(const struct trip_run *run, const char *what);
/* Every row leaves with an entry that holds its body's digest. */
void world_every_row_is_entered(const struct trip_run *run);
/* Two trips came to the same, byte for byte. */
void world_same(const struct trip_run *a, const struct trip_run *b);
struct stile_value *world_json(struct trip_run *run, struct stile_str text);
/* A valid NHS number of the range for tests. */
void world_nhs(unsigned n, char out[11]);

#endif
