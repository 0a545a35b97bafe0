/*
 * What the files of delivery share. Read downward:
 *   deliver.c         claims what is due, within each partner's window
 *   deliver_again.c   asks the rules again where consent or rules moved on
 *   deliver_send.c    over HTTPS, or as a file for an own system
 *   deliver_settle.c  one transaction for all that ended meanwhile
 *
 * Parcels and claims live on the loop; work on the pool or the store thread
 * touches the one it was given.
 */
#ifndef STILE_DELIVER_PRIVATE_H
#define STILE_DELIVER_PRIVATE_H

#include "gateway_private.h"

struct claim;

struct parcel { /* one claimed row on its way */
    struct claim *claim;
    struct stile_outbox_row *row;
    struct partner_run *partner;
    struct stile_stored_fact *facts; /* of its person, as of the claim */
    size_t fact_count;
    struct stile_review_item *reviewed;
    size_t reviewed_count;
    struct stile_review_new review; /* what the second decision holds */
    bool asks;
    uint64_t epoch;
    struct stile_digest ground; /* of the plan and day it is decided under */
    struct stile_str kept;      /* its kept message, when decided again */
    bool redecide;
    enum stile_status again;
    /* Its own, in use by one thread at a time: what is known of the person,
     * then the second decision, then the body that came of it. */
    struct stile_arena *arena;
    struct stile_store_job
        job; /* the second decision's entry, before it goes */
    struct stile_accept accept;
    struct stile_str body, entry, key;
    enum stile_send_result result;
    const char *reason;
    stile_time retry_after;
    uv_work_t work;
    char path[600]; /* folder sink */
    struct stile_settle settle;
    struct stile_str delivery; /* entry */
    struct parcel *next_settle;
};

struct claim { /* rows claimed together share an arena */
    struct gateway *g;
    struct stile_plan_box *plan;
    struct stile_arena *arena; /* the store's until claim_done: rows, bodies */
    struct stile_arena *notes; /* the loop's: small texts of the parcels */
    struct stile_store_job job;
    struct stile_partner_claim *rooms;
    size_t room_count;
    size_t room;            /* of all partners */
    struct parcel *parcels; /* as many */
    size_t count, open;
};

struct settle_batch {
    struct gateway *g;
    struct stile_store_job job;
    struct parcel *first;
    struct stile_settle *settles;
    size_t count;
    bool one; /* taken by itself, to part it from another that will not go */
};

struct deliver {
    struct gateway *g;
    uv_timer_t timer;
    bool claiming, again_wanted, settling, stopped;
    bool one_by_one;  /* settle */
    bool settle_wait; /* until the next tick */
    bool narrow;      /* claim: one partner, one row, when bodies are large */
    size_t turn;      /* claim, when narrow: whose */
    size_t claims_open;
    struct parcel *to_settle;
    size_t to_settle_count;
    uint32_t random;
};

/* ---- the steps of a parcel: each begins the next ---- */

/* Decided again first, where it must be. */
void deliver_begin(struct parcel *p);
void deliver_send(struct parcel *p);
/* The send ended; p->result says how. */
void deliver_sent(struct parcel *p);
void deliver_settle_as(struct parcel *p, enum stile_row_state state,
                       stile_time due);
/* It could not be sent now, for a reason of ours. */
void deliver_settle_later(struct parcel *p, const char *reason);
/* Settles what has ended, if no settle is on its way. */
void deliver_settle(struct deliver *d);

/* When none of its parcels is open any more. */
void deliver_release(struct claim *claim);
uint32_t deliver_random(struct deliver *d);

#endif
