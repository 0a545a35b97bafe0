/* Shared by the two VCSE makers. */
#ifndef VCSE_PRIVATE_H
#define VCSE_PRIVATE_H

#include "format_private.h"

#define STILE__VCSE_FAMILY STILE_STR("vcse-case")
#define STILE__VCSE_SHEET STILE_STR("cases")
#define STILE__VCSE_FORMAT "vcse-case/0.1"

enum stile_status stile__vcse_json_encode(const struct stile_decoded *decoded,
                                          const struct stile_schema *schema,
                                          struct stile_str exported_at,
                                          struct stile_buf *out,
                                          struct stile_diags *diags);

/* Where a repaired cell stands. */
struct stile__repair {
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile_str file, column;
    uint64_t row;
    int64_t today; /* in London, as stile_date_days counts; 0 not known */
};

/* Each changes the cell in place and reports it. False: the row is refused,
 * and that is reported. Cells are not empty. */
bool stile__repair_nhs_number(const struct stile__repair *repair,
                              struct stile_str *cell);
bool stile__repair_date(const struct stile__repair *repair, bool time_allowed,
                        struct stile_str *cell);
/* A date of birth that was repaired: neither to come nor before 1880. */
bool stile__check_birth(const struct stile__repair *repair,
                        struct stile_str cell);
/* case_ref and person_ref. */
bool stile__repair_ref(const struct stile__repair *repair,
                       struct stile_str *cell);
void stile__repair_bool(const struct stile__repair *repair,
                        struct stile_str *cell);
/* Ends, what kept a cell from being a formula, curly quotes: for every cell,
 * first of all. */
void stile__repair_text(const struct stile__repair *repair,
                        struct stile_str *cell);

/* Before the rows are read: INVALID with one finding where the sheet is none,
 * or has no commas. */
STILE_MUSTCHECK enum stile_status
stile__sheet_check(const struct stile_format_input *input,
                   struct stile_diags *diags);
/* Refuses rows that repeat a case_ref, those of different persons with one NHS
 * number, and those that say different things of one person. */
STILE_MUSTCHECK enum stile_status
stile__sheet_clashes(struct stile_decoded *decoded, struct stile_diags *diags);

#endif
