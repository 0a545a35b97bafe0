/* Rules and guards to programs: what both directions share. Private to map. */
#ifndef STILE_MAP_LOWER_H
#define STILE_MAP_LOWER_H

#include "map_private.h"

struct stile__lower {
    struct stile__cc *cc;
    struct stile__variant *v;
    struct stile__program *prog;
    uint32_t line;
    bool leftward; /* `prog` is */
    bool failed;
};

uint32_t stile__emit(struct stile__lower *l, enum stile__op op, uint32_t a,
                     uint32_t b, uint32_t c);
/* Forward jumps only: the target is where the program has come to. */
void stile__land(struct stile__lower *l, uint32_t jump);
/* What is emitted from now on belongs to this line of the file. */
void stile__at_line(struct stile__lower *l, struct stile_span span);
uint32_t stile__pool_constant(struct stile__lower *l, struct stile_str text,
                              enum stile_kind kind);
uint32_t stile__pool_path(struct stile__lower *l,
                          const struct stile__path *path);
uint32_t stile__pool_use(struct stile__lower *l,
                         const struct stile__codec_use *use);
struct stile_str stile__literal_text(const struct stile_lang_literal *lit);
void stile__lower_cond(struct stile__lower *l, const struct stile_lang_cond *c);
/* The chosen literal becomes the value. */
void stile__lower_cases(struct stile__lower *l, const struct stile_lang_case *c,
                        enum stile_kind kind);
void stile__lower_take(struct stile__lower *l, const struct stile_lang_cond *c,
                       struct stile_span span);

void stile__lower_left(struct stile__lower *l);
/* Guards, lines and equalities of an item of `each`. */
void stile__lower_left_lines(struct stile__lower *l,
                             const struct stile__each *each);

#endif
