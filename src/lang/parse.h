/* The parser's parts; private to lang. */
#ifndef STILE_LANG_PARSE_H
#define STILE_LANG_PARSE_H

#include "lex.h"

struct stile__parser {
    const struct stile_source *source;
    struct stile_arena *arena;
    struct stile_diags *diags;
    struct stile__lexer lexer;
    struct stile__token cur;
    size_t last_end; /* where the token before `cur` ended */
    uint32_t depth;
    bool failed;   /* the statement at hand was reported */
    bool faulty;   /* something was reported */
    bool too_deep; /* gave up inside nested blocks */
    bool reset;    /* an open bracket: go on after its own line */
};

void stile__parse_next(struct stile__parser *p);
bool stile__parse_is(const struct stile__parser *p, const char *word);
bool stile__parse_skip(struct stile__parser *p, enum stile__tok kind);
bool stile__parse_skip_word(struct stile__parser *p, const char *word);
bool stile__parse_want(struct stile__parser *p, enum stile__tok kind,
                       const char *what);
/* Reports once a statement; always returns false. */
bool stile__parse_fail(struct stile__parser *p, const char *what);
bool stile__parse_enter(struct stile__parser *p);
struct stile_span stile__parse_span(const struct stile__parser *p,
                                    struct stile_span from);
bool stile__parse_word(struct stile__parser *p, const char *what,
                       struct stile_lang_word *ret);
bool stile__parse_text(struct stile__parser *p, const char *what,
                       struct stile_lang_word *ret);
bool stile__parse_report(struct stile__parser *p, const char *code,
                         struct stile_span span, const char *what,
                         const char *tail);
/* At a language word that does not begin a correspondence. */
bool stile__parse_at(const struct stile__parser *p, const char *word);
/* What comes after `cur`; nothing is consumed. */
struct stile__token stile__parse_peek(const struct stile__parser *p);

/* NULL when reported. */
struct stile_lang_path *stile__parse_path(struct stile__parser *p);
struct stile_lang_column *stile__parse_column(struct stile__parser *p);
struct stile_lang_column *stile__parse_columns(struct stile__parser *p);
struct stile_lang_literal *stile__parse_literal(struct stile__parser *p);
/* Reads a FHIRPath leaf that is no short form. False: nothing was consumed;
 * p->failed when it was reported. */
bool stile__parse_ask(struct stile__parser *p, struct stile_lang_cond *cond);
struct stile_lang_cond *stile__parse_cond(struct stile__parser *p,
                                          bool of_paths);
struct stile_lang_case *stile__parse_cases(struct stile__parser *p,
                                           bool of_paths);
struct stile_lang_codec *stile__parse_codec(struct stile__parser *p);
bool stile__parse_policy(struct stile__parser *p,
                         struct stile_lang_policy *ret);
bool stile__parse_is_policy(const struct stile__parser *p);

bool stile__parse_versions(struct stile__parser *p,
                           struct stile_lang_word *from,
                           struct stile_lang_word *to);
/* mapping NAME NUMBER */
bool stile__parse_name(struct stile__parser *p, struct stile_lang_mapping *m);
/* False when the line is no header line. */
bool stile__parse_header(struct stile__parser *p, struct stile_lang_mapping *m);
/* each row <-> PATH by PATH, or each NAME = TABLE by … <-> PATH by key. */
bool stile__parse_each(struct stile__parser *p, struct stile_lang_stmt *s);
bool stile__parse_example(struct stile__parser *p, struct stile_lang_mapping *m,
                          bool reject);

#endif
