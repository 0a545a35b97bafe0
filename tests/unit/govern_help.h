#ifndef GOVERN_HELP_H
#define GOVERN_HELP_H

#include "stile/govern.h"

#define HELP_INPUTS 64

/* The shipped rule files, with some replaced or added. */
struct help_set {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_source sources[HELP_INPUTS];
    struct stile_rules_input inputs[HELP_INPUTS];
    size_t count;
    struct stile_date today;
    struct stile_rules *rules;
};

struct stile_str help_read(struct stile_arena *arena, const char *path);
void help_open(struct help_set *set); /* shipped files, not loaded */
void help_close(struct help_set *set);
/* Replaces the shipped file of that base name. */
void help_replace(struct help_set *set, const char *name, const char *text);
void help_add(struct help_set *set, const char *name, const char *text);
/* The first `from` of that file becomes `to`. */
void help_edit(struct help_set *set, const char *name, struct stile_str from,
               struct stile_str to);
enum stile_status help_load(struct help_set *set);
struct stile_value *help_json(struct stile_arena *arena, const char *text);

/* One question over resources and facts given as JSON text. */
struct help_case {
    struct stile_question question;
    struct stile_decision *decision;
    struct stile_value **out;
    size_t out_count;
};
/* {"sender":..,"recipient":..,"kind":..,"purpose":..,"agreement":..,
 *  "family":..,"today":..,"facts":{"name":"yes",...},"resources":[...]} */
void help_question(struct help_set *set, struct stile_value *json,
                   struct stile_question *ret);
void help_decide(struct help_set *set, const char *json, struct help_case *ret);
/* The item row of "Type/id". */
const struct stile_item_decision *help_item(const struct help_case *made,
                                            const char *type, const char *id);
const struct stile_item_decision *help_field(const struct help_case *made,
                                             const char *type, const char *id,
                                             const char *data);
struct stile_str help_out_json(struct stile_arena *arena,
                               const struct help_case *made);

#endif
