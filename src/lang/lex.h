/* The lexer of mapping files; private to lang. */
#ifndef STILE_LANG_LEX_H
#define STILE_LANG_LEX_H

#include "stile/lang.h"

enum stile__tok {
    TOK_END,
    TOK_NEWLINE,
    TOK_WORD,
    TOK_NUMBER,
    TOK_TEXT,
    TOK_BOTH,
    TOK_RIGHT,
    TOK_LEFT,
    TOK_COLON,
    TOK_COMMA,
    TOK_DOT,
    TOK_RANGE,
    TOK_OPEN,
    TOK_CLOSE,
    TOK_OPEN_SQUARE,
    TOK_CLOSE_SQUARE,
    TOK_OPEN_BRACE,
    TOK_CLOSE_BRACE,
    TOK_EQ,
    TOK_NE,
    TOK_OTHER, /* of FHIRPath: < <= > >= & $this @2020 */
    TOK_BAD
};

struct stile__token {
    enum stile__tok kind;
    struct stile_str text; /* unescaped for TOK_TEXT and quoted names */
    struct stile_span span;
    const char *fault; /* TOK_BAD: what is wrong */
    const char *code;
};

/* Copying the struct saves the place. */
struct stile__lexer {
    struct stile_str text;
    struct stile_arena *arena;
    size_t pos;
    uint32_t depth; /* open brackets */
    size_t opened;  /* place of the first open one */
    bool goes_on;   /* the last token asks for more */
};

struct stile__token stile__lex(struct stile__lexer *lexer);
/* An example's cell: quoted, or the bytes up to white space. */
struct stile__token stile__lex_cell(struct stile__lexer *lexer);

#endif
