/* What the review commands say. */
#ifndef STILE_CLI_REVIEW_H
#define STILE_CLI_REVIEW_H

#include "cli.h"

/* The rules in force, for the officers' own words; NULL: ids must do. */
const struct stile_rules *stile__cli_review_words(const struct cli_desk *desk);
/* Since when, for whom, what kind of items, by which rules. */
void stile__cli_review_line(const struct cli_desk *desk,
                            const struct stile_rules *words,
                            const struct stile_review *review,
                            struct stile_buf *out);
/* `content` NULL: without; else one resource an item, or NULL. */
void stile__cli_review_json(const struct cli_desk *desk,
                            const struct stile_rules *words,
                            const struct stile_review *review,
                            const struct stile_value **content,
                            struct stile_buf *out);
/* The person, by name, birth date and NHS number. */
void stile__cli_review_about(const struct stile_value *patient,
                             struct stile_buf *out);
/* What a resource is of, in a line; nothing when it does not say. */
void stile__cli_review_plain(const struct stile_value *resource,
                             struct stile_buf *out);
/* "1 released, 1 refused"; false when no item, or every one alike, has that
 * word, so that the review's own state says it. */
bool stile__cli_review_mixed(const struct stile_review *review,
                             struct stile_buf *out);
void stile__cli_review_items(const struct stile_review *review,
                             const struct stile_value **content,
                             struct stile_buf *out);

#endif
