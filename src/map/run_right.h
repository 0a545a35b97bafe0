/* The rightward machine's state, and running it over a group. Private. */
#ifndef STILE_MAP_RUN_RIGHT_H
#define STILE_MAP_RUN_RIGHT_H

#include "map_private.h"

/* Rows that become one resource, in the order of its list. */
struct stile__group {
    const struct stile_row **rows;
    const struct stile_str **cells;
    size_t count;
};

struct stile__vm {
    const struct stile__right_run *run;
    struct stile__right_run at; /* `run`, at the row of the group at hand */
    const struct stile__program *prog;
    const struct stile__variant *v;
    const struct stile_str *rows[STILE__ALIASES]; /* cells by alias */
    bool looked[STILE__ALIASES];
    struct stile_str cells[STILE__CELLS];
    uint32_t loaded[STILE__CELLS]; /* instruction that loaded the cell */
    struct stile__codec_io io;
    enum stile_kind kind;
    bool test;
    bool *flags;
    struct stile_value *root; /* the resource, or an item of its list */
    struct stile__group group;
    uint32_t pc;
    struct stile_map_result *result;
    enum stile_status status; /* OK: go on */
    bool over;
};

/* Runs `prog` from its beginning; forward jumps only, so it ends. */
void stile__vm_run(struct stile__vm *vm, const struct stile__program *prog);
/* From now on cells and look-ups are this row's. */
void stile__vm_row(struct stile__vm *vm, const struct stile_row *row,
                   const struct stile_str *cells);
void stile__vm_fail(struct stile__vm *vm, enum stile__run_code code,
                    uint32_t line, struct stile_str what);
/* Sets `group`, or ends the run: the row is no member, or not the first. */
void stile__group_gather(struct stile__vm *vm);
void stile__group_each(struct stile__vm *vm, const struct stile__each *each);
/* Of the rows whose link is cell 0. */
void stile__group_refer(struct stile__vm *vm, const struct stile__each *each);

#endif
