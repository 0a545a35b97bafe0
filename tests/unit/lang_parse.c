/* The parser: what lines become, where words stood, how it goes on. */
#include <criterion/criterion.h>

#include "stile/lang.h"

struct world {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_source source;
    struct stile_lang_mapping *first;
    enum stile_status status;
};

static void parse_str(struct world *w, struct stile_str text)
{
    w->arena = stile_arena_new(64u << 20);
    cr_assert_not_null(w->arena);
    stile_diags_init(&w->diags, w->arena, 0);
    w->source = (struct stile_source){STILE_STR("x.map"), text};
    w->first = NULL;
    w->status = stile_lang_parse(&w->source, w->arena, &w->diags, &w->first);
}

static void parse(struct world *w, const char *text)
{
    parse_str(w, stile_str_cstr(text));
}

#define HEAD                                                                   \
    "mapping m 3\n left csv t of f 8.0..8.2 key a, b\n"                        \
    " right fhir Patient of 'urn:x'\n"

static bool is(struct stile_lang_word word, const char *text)
{
    return stile_str_eqc(word.text, text);
}

Test(lang_parse, header)
{
    struct world w;
    parse(&w, HEAD " lookup c = T by K = o.C else hold \"why\"\n"
                   " join p = P by n.k, q = Q by r else absent\n"
                   " delete when Deleted = true\n expect class view\n");
    cr_assert_eq(w.status, STILE_OK);
    const struct stile_lang_mapping *m = w.first;
    cr_expect(is(m->name, "m") && m->number == 3);
    cr_expect(is(m->table, "t") && is(m->family, "f"));
    cr_expect(is(m->from, "8.0") && is(m->to, "8.2"));
    cr_expect(is(m->keys->next->name, "b"));
    cr_expect(is(m->profile, "urn:x") && is(m->law, "view"));
    const struct stile_lang_lookup *l = m->lookups;
    cr_expect(!l->join && is(l->key->alias, "o") && is(l->key->name, "C"));
    cr_expect_eq(l->policy.kind, STILE_LANG_POLICY_HOLD);
    cr_expect(stile_str_eqc(l->policy.reason, "why"));
    l = l->next;
    cr_expect(l->join && is(l->column, "k") && is(l->key->alias, "n"));
    l = l->next;
    cr_expect(l->join && is(l->column, "r") && l->key == NULL);
    cr_expect_eq(l->policy.kind, STILE_LANG_POLICY_ABSENT);
    cr_expect_eq(m->deletes->cond->literals->kind, STILE_LANG_TRUE);
    stile_arena_free(&w.arena);
}

Test(lang_parse, correspondence_with_its_spans)
{
    struct world w;
    parse(&w, HEAD "  a, o.b <-> x.where(s = 'u\\'v' and t[0].u = true)"
                   ".ofType(Q) : codes T else absent else 'd'\n");
    cr_assert_eq(w.status, STILE_OK);
    const struct stile_lang_stmt *s = w.first->body;
    cr_assert_eq(s->kind, STILE_LANG_RULE);
    cr_expect_eq(s->arrow, STILE_LANG_BOTH);
    cr_expect(is(s->columns->next->alias, "o"));
    const struct stile_lang_step *step = s->paths->steps;
    cr_expect(is(step->word, "x") && step->kind == STILE_LANG_MEMBER);
    step = step->next;
    cr_assert_eq(step->kind, STILE_LANG_WHERE);
    cr_expect(stile_str_eqc(step->matches->literal->text, "u'v"));
    const struct stile_lang_match *second = step->matches->next;
    cr_expect_eq(second->path->steps->next->kind, STILE_LANG_INDEX);
    cr_expect_eq(second->literal->kind, STILE_LANG_TRUE);
    cr_expect_eq(step->next->kind, STILE_LANG_OF_TYPE);
    cr_expect(is(s->codec->name, "codes"));
    cr_expect_eq(s->codec->policy.kind, STILE_LANG_POLICY_ABSENT);
    cr_expect(stile_str_eqc(s->fallback->text, "d"));
    struct stile_str at =
        stile_str_sub(w.source.text, s->columns->next->span.offset,
                      s->columns->next->span.len);
    cr_expect(stile_str_eqc(at, "o.b"));
    stile_arena_free(&w.arena);
}

Test(lang_parse, lines_go_on)
{
    struct world w;
    parse(&w, HEAD " a,\n   b\n   <-> x.where(s =\n 'u')\n -- why\n : codec\n"
                   "   lossy \"r\"\n take when a = 'x' and\n b present\n");
    cr_assert_eq(w.status, STILE_OK);
    cr_assert_not_null(w.first->body);
    cr_expect_null(w.first->body->next);
    cr_expect_eq(w.first->body->mark, STILE_LANG_LOSSY);
    cr_expect_eq(w.first->takes->cond->kind, STILE_LANG_AND);
    stile_arena_free(&w.arena);
}

/* Words of the language as names of columns and elements. */
Test(lang_parse, language_words_as_names)
{
    struct world w;
    parse(&w, HEAD " end <-> text\n in, end -> x derived\n when = 'a'\n"
                   " drop.x = 'b'\n take <- 'q' derived\n key <-> key\n"
                   " `a b/c` <-> y\n example <-> z\n");
    cr_assert_eq(w.status, STILE_OK);
    size_t n = 0;
    for (const struct stile_lang_stmt *s = w.first->body; s; s = s->next) {
        n++;
        cr_expect(s->kind == STILE_LANG_RULE || s->kind == STILE_LANG_CONSTANT);
    }
    cr_expect_eq(n, 8);
    stile_arena_free(&w.arena);
}

Test(lang_parse, conditions)
{
    struct world w;
    parse(&w, HEAD " when a in 1..7 or not (b absent and c != 'x') iff p exists"
                   "\n  when d in table T\n   x = 'y'\n  end\n end\n"
                   " in f 8.0\n  residue q\n end\n");
    cr_assert_eq(w.status, STILE_OK);
    const struct stile_lang_stmt *s = w.first->body;
    cr_assert_eq(s->kind, STILE_LANG_WHEN);
    cr_assert_eq(s->cond->kind, STILE_LANG_OR);
    cr_expect_eq(s->cond->a->hi, 7);
    cr_expect_eq(s->cond->b->kind, STILE_LANG_NOT);
    cr_expect_eq(s->iff->kind, STILE_LANG_PRESENT);
    cr_expect_eq(s->body->kind, STILE_LANG_WHEN);
    cr_expect_eq(s->body->body->kind, STILE_LANG_CONSTANT);
    cr_expect_eq(s->next->kind, STILE_LANG_IN);
    cr_expect_eq(s->next->body->kind, STILE_LANG_RESIDUE);
    stile_arena_free(&w.arena);
}

Test(lang_parse, examples)
{
    struct world w;
    parse(&w, HEAD " a <-> x\n example \"e\"\n  given a={0A} b=\"x y\" c=\n"
                   "  and T d=2005-02-01\n  expect x = '1', y absent\n"
                   "  expect z exists\n  back a=\n end\n"
                   " reject \"r\" given a=1\n expect T104\n"
                   " example \"h\"\n given a=1\n expect held\n end\n");
    cr_assert_eq(
        w.status, STILE_OK, "%.*s",
        STILE_FMT(w.diags.count ? w.diags.items[0].message : STILE_STR_NULL));
    const struct stile_lang_example *e = w.first->examples;
    const struct stile_lang_assign *a = e->given->cells;
    cr_expect(is(a->value, "{0A}") && is(a->next->value, "x y"));
    cr_expect_eq(a->next->next->value.text.len, 0);
    cr_expect(is(e->given->next->table, "T"));
    cr_expect_eq(e->expects->next->literal->kind, STILE_LANG_ABSENT);
    cr_expect_null(e->expects->next->next->literal);
    cr_expect_not_null(e->back);
    e = e->next;
    cr_expect(e->reject && is(e->outcome, "T104"));
    cr_expect(is(e->next->outcome, "held"));
    stile_arena_free(&w.arena);
}

/* A bad line costs itself only. */
Test(lang_parse, all_errors_in_one_run)
{
    struct world w;
    parse(&w, HEAD " a <-> \n b <-> y\n c => z\n d <-> w : \n e <-> v\n");
    cr_assert_eq(w.status, STILE_INVALID);
    cr_expect_eq(w.diags.errors, 3);
    cr_expect(w.first->broken);
    size_t n = 0;
    for (const struct stile_lang_stmt *s = w.first->body; s; s = s->next) {
        n++;
    }
    cr_expect_geq(n, 1);
    stile_arena_free(&w.arena);
}

Test(lang_parse, several_mappings)
{
    struct world w;
    parse(&w, HEAD " a <-> x\nmapping n 1\n left csv t of f 1\n"
                   " right fhir Goal\n b <-> y\n");
    cr_assert_eq(w.status, STILE_OK);
    cr_expect(is(w.first->next->name, "n"));
    cr_expect_null(w.first->next->next);
    stile_arena_free(&w.arena);
}

/* ---- limits: at them and one past ---- */

static bool nested(uint32_t depth)
{
    static char text[8192];
    struct world w;
    size_t n = (size_t)snprintf(text, sizeof text, HEAD " take when ");
    for (uint32_t i = 0; i < depth; i++) {
        text[n++] = '(';
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "a present");
    for (uint32_t i = 0; i < depth; i++) {
        text[n++] = ')';
    }
    text[n++] = '\n';
    parse_str(&w, (struct stile_str){text, n});
    bool ok = w.status == STILE_OK;
    cr_expect(ok || strcmp(w.diags.items[0].code, "M006") == 0);
    stile_arena_free(&w.arena);
    return ok;
}

/* A bracket enters two levels: the condition and the operand. */
Test(lang_parse, depth_limit)
{
    cr_expect(nested(STILE_LANG_DEPTH / 2 - 1));
    cr_expect_not(nested(STILE_LANG_DEPTH / 2));
}

static bool steps(uint32_t count)
{
    static char text[8192];
    struct world w;
    size_t n = (size_t)snprintf(text, sizeof text, HEAD " a <-> x");
    for (uint32_t i = 1; i < count; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, ".x");
    }
    text[n++] = '\n';
    parse_str(&w, (struct stile_str){text, n});
    bool ok = w.status == STILE_OK;
    stile_arena_free(&w.arena);
    return ok;
}

Test(lang_parse, path_limit)
{
    cr_expect(steps(STILE_LANG_DEPTH));
    cr_expect_not(steps(STILE_LANG_DEPTH + 1));
}

Test(lang_parse, size_limit)
{
    struct world w;
    char *text = malloc(STILE_LANG_BYTES + 1);
    cr_assert_not_null(text);
    memset(text, '\n', STILE_LANG_BYTES + 1);
    parse_str(&w, (struct stile_str){text, STILE_LANG_BYTES});
    cr_expect_eq(w.status, STILE_OK);
    stile_arena_free(&w.arena);
    parse_str(&w, (struct stile_str){text, STILE_LANG_BYTES + 1});
    cr_expect_eq(w.status, STILE_LIMIT);
    cr_expect_str_eq(w.diags.items[0].code, "M006");
    stile_arena_free(&w.arena);
    free(text);
}

/* Every beginning of a good file ends in bounded time, without a crash. */
Test(lang_parse, cut_anywhere)
{
    static const char text[] =
        HEAD " lookup c = T by K = o.C else hold \"why\"\n"
             " a, b <-> x.where(s = 'u' and t = 1)[0] : codes { a: b }\n"
             " when a in 1..7 iff p = 'x'\n x = if a present then 'y' else "
             "absent derived\n end\n"
             " example \"e\"\n given a=1\n expect x = '1'\n end\n";
    for (size_t n = 0; n < sizeof text; n++) {
        struct world w;
        char *copy = malloc(n + 1);
        memcpy(copy, text, n);
        parse_str(&w, (struct stile_str){copy, n});
        cr_expect(w.status == STILE_OK || w.status == STILE_INVALID);
        stile_arena_free(&w.arena);
        free(copy);
    }
}
