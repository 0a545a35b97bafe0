/* What the tests of the shipped mappings share: the set itself, a generated
 * practice, the samples, and the way there and back. */
#ifndef MAP_SHIPPED_HELP_H
#define MAP_SHIPPED_HELP_H

#include "stile/format.h"
#include "stile/map.h"
#include "synth.h"

struct shipped_rows {
    const struct stile_row **items;
    size_t count;
    struct stile_arena *arena;
};

struct shipped {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_schema *schema;
    struct stile_mapset *set;
    struct shipped_rows rows;
};

struct shipped_tally {
    size_t done, deleted, held, failed;
};

void shipped_dump(const struct stile_diags *diags);
struct shipped shipped_load(void);
void shipped_unload(struct shipped *f);
enum stile_status shipped_lookup(void *ctx, struct stile_str family,
                                 struct stile_str table,
                                 struct stile_str column, struct stile_str key,
                                 const struct stile_row **ret);
enum stile_status shipped_ask(void *ctx, const struct stile_map_ask *ask,
                              const struct stile_row *const **ret,
                              size_t *ret_count);
void shipped_keep_row(struct shipped *f, const struct stile_row *row);
struct shipped_tally shipped_run(struct shipped *f, const char *family,
                                 size_t from, const char *table);
void shipped_read_practice(struct shipped *f, enum stile_synth_kind kind);
/* A full SystmOne download, lists as words or as rows of SRMapping. */
void shipped_read_download(struct shipped *f, bool normalised);
size_t shipped_count_rows(const struct shipped *f, const char *table);
struct stile_decoded shipped_decode(struct shipped *f, const char *format,
                                    const char *sample);
struct stile_value **shipped_to_fhir(struct shipped *f, size_t *ret_count);
const struct stile_row *shipped_find_row(const struct stile_row *rows,
                                         size_t count, const char *table,
                                         size_t nth);
void shipped_each_leads_back(const struct stile_row *given, size_t given_count,
                             const struct stile_row *back, size_t back_count);
void shipped_golden(struct shipped *f, const char *name,
                    struct stile_value *const *resources, size_t count);
struct stile_decoded shipped_through_json(struct shipped *f,
                                          const struct stile_row *rows,
                                          size_t count);

#endif
