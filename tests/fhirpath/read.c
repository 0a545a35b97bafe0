/*
 * Reads <tests><group name><test name inputfile predicate>
 * <expression invalid>...</expression><output type>...</output></test>
 * with libexpat. Entities of its own are refused: the format has none.
 */
#include "suite.h"

#include <expat.h>
#include <stdio.h>

struct reader {
    struct stile_arena *arena;
    struct suite *suite;
    XML_Parser parser;
    struct suite_test **tail;
    struct suite_test *test;
    struct suite_output **outputs, *output;
    struct stile_str group;
    struct stile_buf text;
    bool in_expression;
};

static struct stile_str attribute(const struct reader *r, const char **pairs,
                                  const char *name)
{
    for (size_t i = 0; pairs[i] != NULL; i += 2) {
        if (strcmp(pairs[i], name) == 0) {
            return stile_arena_str(r->arena, stile_str_cstr(pairs[i + 1]));
        }
    }
    return STILE_STR_NULL;
}

static void begin_test(struct reader *r, const char **pairs)
{
    struct suite_test *t = stile_arena_alloc(r->arena, sizeof *t);
    if (t == NULL) {
        return;
    }
    t->group = r->group;
    t->name = attribute(r, pairs, "name");
    t->input = attribute(r, pairs, "inputfile");
    t->predicate = stile_str_eqc(attribute(r, pairs, "predicate"), "true");
    *r->tail = t;
    r->tail = &t->next;
    r->test = t;
    r->outputs = &t->outputs;
    r->suite->count++;
}

static void begin_output(struct reader *r, const char **pairs)
{
    struct suite_output *o = stile_arena_alloc(r->arena, sizeof *o);
    if (o == NULL) {
        return;
    }
    o->type = attribute(r, pairs, "type");
    *r->outputs = o;
    r->outputs = &o->next;
    r->output = o;
    r->test->output_count++;
    stile_buf_clear(&r->text);
}

static void XMLCALL begins(void *data, const char *name, const char **pairs)
{
    struct reader *r = data;
    if (strcmp(name, "tests") == 0) {
        r->suite->name = attribute(r, pairs, "name");
    } else if (strcmp(name, "group") == 0) {
        r->group = attribute(r, pairs, "name");
    } else if (strcmp(name, "test") == 0) {
        begin_test(r, pairs);
    } else if (r->test != NULL && strcmp(name, "expression") == 0) {
        r->test->invalid = attribute(r, pairs, "invalid");
        r->in_expression = true;
        stile_buf_clear(&r->text);
    } else if (r->test != NULL && strcmp(name, "output") == 0) {
        begin_output(r, pairs);
    }
}

static void XMLCALL ends(void *data, const char *name)
{
    struct reader *r = data;
    struct stile_str text = stile_buf_str(&r->text);
    if (strcmp(name, "expression") == 0 && r->in_expression) {
        r->test->expression = stile_arena_str(r->arena, text);
        r->in_expression = false;
    } else if (strcmp(name, "output") == 0 && r->output != NULL) {
        r->output->text = stile_arena_str(r->arena, text);
        r->output = NULL;
    } else if (strcmp(name, "test") == 0) {
        r->test = NULL;
    }
}

static void XMLCALL characters(void *data, const char *text, int len)
{
    struct reader *r = data;
    if (r->in_expression || r->output != NULL) {
        stile_buf_add(&r->text, (struct stile_str){text, (size_t)len});
    }
}

static void XMLCALL entity(void *data, const char *name, int parameter,
                           const char *value, int value_len, const char *base,
                           const char *system, const char *public_id,
                           const char *notation)
{
    const struct reader *r = data;
    (void)name, (void)parameter, (void)value, (void)value_len, (void)base;
    (void)system, (void)public_id, (void)notation;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

struct stile_str suite_file(const char *path, size_t limit,
                            struct stile_arena *arena)
{
    struct stile_str all = STILE_STR_NULL;
    struct stile_buf buf;
    char piece[65536];
    size_t got;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return all;
    }
    stile_buf_init(&buf, limit);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0) {
        stile_buf_add(&buf, (struct stile_str){piece, got});
    }
    if (!ferror(file) && buf.status == STILE_OK) {
        all = stile_arena_str(arena, stile_buf_str(&buf));
    }
    (void)fclose(file);
    stile_buf_release(&buf);
    return all;
}

bool suite_read(const char *path, struct stile_arena *arena, struct suite *ret)
{
    struct suite suite = {0};
    struct reader r = {.arena = arena, .suite = &suite};
    struct stile_str text = suite_file(path, (size_t)16 << 20, arena);
    if (text.ptr == NULL) {
        fprintf(stderr, "fhirpath_suite: %s cannot be read\n", path);
        return false;
    }
    r.tail = &suite.tests;
    r.parser = XML_ParserCreate(NULL);
    if (r.parser == NULL) {
        fprintf(stderr, "fhirpath_suite: out of memory\n");
        return false;
    }
    stile_buf_init(&r.text, (size_t)1 << 20);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, begins, ends);
    XML_SetCharacterDataHandler(r.parser, characters);
    XML_SetEntityDeclHandler(r.parser, entity);
    bool good =
        XML_Parse(r.parser, text.ptr, (int)text.len, 1) == XML_STATUS_OK &&
        r.text.status == STILE_OK && !stile_arena_failed(arena);
    if (!good) {
        fprintf(stderr, "fhirpath_suite: %s line %lu: %s\n", path,
                (unsigned long)XML_GetCurrentLineNumber(r.parser),
                XML_ErrorString(XML_GetErrorCode(r.parser)));
    } else if (suite.count == 0) {
        fprintf(stderr, "fhirpath_suite: %s holds no <test>\n", path);
        good = false;
    }
    stile_buf_release(&r.text);
    XML_ParserFree(r.parser);
    if (good) {
        *ret = suite;
    }
    return good;
}
