/*
 * common.h - what both makers must agree on: checks of what comes in, and the
 * rules that decide which of two versions stays. Pure.
 */
#ifndef STILE_STORE_COMMON_H
#define STILE_STORE_COMMON_H

#include <stile/store.h>

/* OK, INVALID or LIMIT. What needs the store's content is left to the maker. */
enum stile_status stile__accept_check(const struct stile_accept *accept);
enum stile_status stile__entries_check(const struct stile_str *entries,
                                       size_t count);
enum stile_status stile__mirror_check(const struct stile_mirror_row *row);
enum stile_status stile__settle_check(const struct stile_settle *settle);
enum stile_status
stile__rules_change_check(const struct stile_rules_change *change);
enum stile_status
stile__rules_approval_check(const struct stile_rules_approval *approval,
                            const struct stile_str *entries,
                            size_t entry_count);
enum stile_status
stile__review_settle_check(const struct stile_review_settle *settle);
bool stile__text_fits(struct stile_str s);
bool stile__body_fits(struct stile_str s);

/* A dated fact does not replace a later dated one. */
bool stile__fact_stays(stile_time kept, stile_time coming);
/* (batch, order) is older than what is kept. */
bool stile__mirror_older(const struct stile_mirror_row *row, uint64_t batch,
                         int64_t order);
bool stile__digest_zero(const struct stile_digest *digest);
/* No resource's: what was sent is in doubt. */
struct stile_digest stile__digest_doubt(void);
bool stile__row_waits(enum stile_row_state state); /* may be claimed */

/* "text" with its quotes, in the arena, as it stands among cells; empty when
 * it cannot stand there so. */
struct stile_str stile__quoted_cell(struct stile_arena *arena,
                                    struct stile_str text);
/* The key up to its first U+001F. */
struct stile_str stile__first_cell(struct stile_str key);

#endif
