/* What bench_rows and its hand-written ceiling share. */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "stile/exchange.h"

/* The rows of Coding_ClinicalCode by CodeId, by open addressing. */
struct bench_codes {
    const struct stile_row **slots;
    size_t mask;
};

static inline const struct stile_row *
bench_code(const struct bench_codes *codes, struct stile_str id)
{
    for (size_t at = (size_t)stile_str_hash(id);; at++) {
        const struct stile_row *row = codes->slots[at & codes->mask];
        if (row == NULL || stile_str_eq(row->cells[0], id)) {
            return row;
        }
    }
}

struct ceiling_counts {
    uint64_t rows, made, held, deleted, refused;
};

/* Ordinals of Coding_ClinicalCode's columns. */
struct ceiling_columns {
    uint32_t category, snomed, term, read_term;
};

/* Takes text that is ready to leave. */
typedef void ceiling_out(void *ctx, struct stile_str text);

/*
 * A whole CareRecord_Observation file, version 8.2 in its documented order of
 * columns, to the bytes the mapping emis-observation makes of it. Written by
 * hand for this one table: no schema, no program, no tree.
 */
bool ceiling_observations(struct stile_str file,
                          const struct bench_codes *codes,
                          const struct ceiling_columns *columns,
                          ceiling_out *out, void *ctx,
                          struct ceiling_counts *ret);

#endif
