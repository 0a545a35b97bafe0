/* What a change of the rules needs before it may come in force. */
#include <criterion/criterion.h>

#include "stile/govern.h"

#define S(literal) STILE_STR(literal)
#define DAY (86400 * STILE_SECOND)

struct room {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_source source;
    struct stile_officers *officers;
    struct stile_rules_move move;
    struct stile_approval_terms terms;
    struct stile_approval list[8];
    size_t count;
    struct stile_approval_verdict verdict;
};

static void seed_of(const char *id, uint8_t ret[32])
{
    struct stile_digest digest;

    stile_sha256(stile_str_cstr(id), &digest);
    memcpy(ret, digest.bytes, 32);
}

static struct stile_str officer_text(struct stile_arena *arena, const char *id,
                                     const char *may)
{
    struct stile_digest key;
    uint8_t seed[32];
    char hex[65];

    seed_of(id, seed);
    cr_assert_eq(stile_ed25519_public(seed, key.bytes), STILE_OK);
    stile_digest_hex(&key, hex);
    return stile_arena_printf(
        arena,
        "  - {officer: %s, role: r, key: %s, may: %s, from: 2026-04-01, "
        "until: 2027-03-31}\n",
        id, hex, may);
}

static void open_room(struct room *r, const char *head)
{
    *r = (struct room){.arena = stile_arena_new(1 << 22)};
    stile_diags_init(&r->diags, r->arena, 0);
    r->source.name = S("officers.yaml");
    r->source.text = stile_arena_printf(
        r->arena, "organisation: RZ9\n%sofficers:\n%.*s%.*s%.*s", head,
        STILE_FMT(officer_text(r->arena, "cg-1", "approve-rules")),
        STILE_FMT(officer_text(r->arena, "dpo-1", "approve-rules")),
        STILE_FMT(officer_text(r->arena, "clerk-1", "review")));
    cr_assert_eq(
        stile_officers_load(&r->source, r->arena, &r->diags, &r->officers),
        STILE_OK);
    stile_sha256(S("old"), &r->move.from);
    stile_sha256(S("new"), &r->move.to);
    r->move.class = STILE_RULES_WIDER;
    cr_assert(stile_time_parse(S("2026-11-21T10:00:00Z"), &r->terms.now));
    r->terms.after = r->terms.now - 40 * DAY;
    r->terms.age = 30 * DAY;
    r->terms.move = r->move;
}

/* The officer signs r->move at `at`. */
static struct stile_approval *give(struct room *r, const char *id,
                                   stile_time at)
{
    struct stile_approval *a = &r->list[r->count++];
    const char *error = NULL;
    uint8_t seed[32];

    *a = (struct stile_approval){
        .organisation = S("RZ9"),
        .move = r->move,
        .act = {.may = STILE_MAY_APPROVE_RULES,
                .what = S("approve-rules"),
                .subject = stile_rules_move_subject(&r->move, r->arena),
                .officer = stile_str_cstr(id),
                .because = S("read, and agreed"),
                .at = at}};
    seed_of(id, seed);
    if (stile_act_sign(r->officers, &a->act, seed, &error) != STILE_OK) {
        memset(a->act.signature, 1, sizeof(a->act.signature));
    }
    return a;
}

static bool enough(struct room *r)
{
    cr_assert_eq(stile_approvals_judge(r->officers, r->list, r->count,
                                       &r->terms, r->arena, &r->verdict),
                 STILE_OK);
    return r->verdict.count >= r->verdict.needs;
}

static void says(const struct room *r, const char *words)
{
    cr_assert_eq(r->verdict.other_count, 1);
    cr_assert_neq(
        stile_str_find_str(r->verdict.others[0], stile_str_cstr(words)),
        SIZE_MAX, "%.*s", STILE_FMT(r->verdict.others[0]));
}

Test(govern_approve, each_class_needs_its_number)
{
    static const unsigned needs[] = {1, 1, 2, 2};
    struct room r;

    open_room(&r, "");
    for (unsigned i = 0; i < STILE_RULES_CLASS_COUNT; i++) {
        enum stile_rules_class class = (enum stile_rules_class)i, back;

        cr_assert_eq(stile_rules_class_needs(class, r.officers), needs[i]);
        cr_assert(stile_rules_class_parse(
            stile_str_cstr(stile_rules_class_text(class)), &back));
        cr_assert_eq(back, class);
        r.count = 0;
        r.move.class = r.terms.move.class = class;
        cr_assert_not(enough(&r));
        (void)give(&r, "cg-1", r.terms.now - 1000);
        cr_assert_eq(enough(&r), needs[i] == 1);
        (void)give(&r, "dpo-1", r.terms.now - 1000);
        cr_assert(enough(&r));
        cr_assert_eq(r.verdict.count, 2);
    }
    stile_arena_free(&r.arena);
    open_room(&r, "self-approving: yes\n");
    (void)give(&r, "cg-1", r.terms.now - 1000);
    cr_assert(enough(&r), "development: one is enough");
    r.count = 0;
    cr_assert_not(enough(&r), "but none is not");
    stile_arena_free(&r.arena);
}

Test(govern_approve, two_are_two_people)
{
    struct room r;

    open_room(&r, "");
    (void)give(&r, "cg-1", r.terms.now - 2000);
    (void)give(&r, "cg-1", r.terms.now - 1000);
    cr_assert_not(enough(&r), "one who signs twice is one");
    cr_assert_eq(r.verdict.count, 1);
    (void)give(&r, "clerk-1", r.terms.now - 1000);
    cr_assert_not(enough(&r), "who may not approve does not count");
    says(&r, "does not let this officer do it");
    stile_arena_free(&r.arena);
}

/* What says it is of another is not: each line is an edit of a good one. */
Test(govern_approve, what_was_changed_does_not_count)
{
    struct room r;
    struct stile_approval good;

    open_room(&r, "");
    r.move.class = r.terms.move.class = STILE_RULES_NARROWER;
    good = *give(&r, "cg-1", r.terms.now - 1000);
    cr_assert(enough(&r));
#define EDITED(field, value, words)                                            \
    do {                                                                       \
        r.list[0] = good;                                                      \
        r.list[0].field = value;                                               \
        cr_assert_not(enough(&r));                                             \
        says(&r, words);                                                       \
    } while (0)
    EDITED(act.officer, S("dpo-1"), "signature");
    EDITED(act.because, S("read"), "signature");
    EDITED(act.at, good.act.at - STILE_SECOND, "signature");
    EDITED(act.what, S("review"), "signature");
    EDITED(act.signature[0], good.act.signature[0] ^ 1, "signature");
    EDITED(act.subject, S("rules"), "not this change");
    EDITED(move.class, STILE_RULES_EQUAL, "another class");
    EDITED(move.to.bytes[31], good.move.to.bytes[31] ^ 1, "edited since");
    EDITED(move.after.bytes[31], good.move.after.bytes[31] ^ 1,
           "before the set in force");
    EDITED(move.from.bytes[31], good.move.from.bytes[31] ^ 1, "another set");
    r.list[0] = good;
    r.list[0].organisation = S("RZ8");
    cr_assert_not(enough(&r));
    cr_assert_eq(r.verdict.other_count, 0, "it is another's");
    stile_arena_free(&r.arena);
}

/* Signed for one change, offered for another. */
Test(govern_approve, another_change_needs_another_signature)
{
    struct room r;

    open_room(&r, "");
    r.move.class = STILE_RULES_NARROWER;
    (void)give(&r, "cg-1", r.terms.now - 1000);
    r.terms.move = r.move;
    cr_assert(enough(&r));
    r.terms.move.class = STILE_RULES_WIDER;
    cr_assert_not(enough(&r));
    r.terms.move = r.move;
    r.terms.move.to.bytes[0] ^= 1;
    cr_assert_not(enough(&r));
    r.terms.move = r.move;
    r.terms.move.from = (struct stile_digest){{0}};
    cr_assert_not(enough(&r));
    /* the texts beside the signature are made to fit: it does not */
    r.list[0].move = r.terms.move;
    r.list[0].act.subject = stile_rules_move_subject(&r.terms.move, r.arena);
    cr_assert_not(enough(&r));
    says(&r, "signature");
    stile_arena_free(&r.arena);
}

Test(govern_approve, times_at_the_limit_and_one_past)
{
    struct room r;
    struct stile_approval *a;
    stile_time at;

    open_room(&r, "");
    r.move.class = r.terms.move.class = STILE_RULES_NARROWER;
    at = r.terms.now;
    a = give(&r, "cg-1", at);
    cr_assert(enough(&r));
    r.terms.now = at - 1;
    cr_assert_not(enough(&r));
    says(&r, "future");
    r.terms.now = at + r.terms.age;
    cr_assert(enough(&r), "as old as may be");
    r.terms.now++;
    cr_assert_not(enough(&r));
    says(&r, "older");
    r.terms.now = at;
    r.terms.after = a->act.at - 1;
    cr_assert(enough(&r));
    r.terms.after++;
    cr_assert_not(enough(&r));
    says(&r, "before the set in force");
    stile_arena_free(&r.arena);
}

Test(govern_approve, the_file_comes_back_as_it_was)
{
    struct room r;
    struct stile_approval *back = NULL;
    struct stile_source source = {S("approvals.yaml"), STILE_STR_NULL};
    struct stile_buf out;
    size_t count = 0;

    open_room(&r, "");
    (void)give(&r, "cg-1", r.terms.now - 2000);
    give(&r, "dpo-1", r.terms.now - 1000)->act.because = S("\"so\": # yes");
    r.move.from = (struct stile_digest){{0}};
    (void)give(&r, "dpo-1", r.terms.now - 1000);
    stile_buf_init(&out, 1 << 16);
    stile_approvals_write(r.list, r.count, &out);
    source.text = stile_buf_str(&out);
    cr_assert_eq(
        stile_approvals_load(&source, r.arena, &r.diags, &back, &count),
        STILE_OK);
    cr_assert_eq(count, 3);
    for (size_t i = 0; i < count; i++) {
        cr_assert(stile_str_eq(back[i].organisation, S("RZ9")));
        cr_assert(stile_str_eq(back[i].act.subject, r.list[i].act.subject));
        cr_assert(stile_str_eq(back[i].act.because, r.list[i].act.because));
        cr_assert(stile_str_eq(back[i].act.officer, r.list[i].act.officer));
        cr_assert_eq(back[i].act.at, r.list[i].act.at);
        cr_assert_eq(memcmp(back[i].act.signature, r.list[i].act.signature, 64),
                     0);
    }
    cr_assert(stile_digest_eq(&back[2].move.from, &r.move.from));
    memcpy(r.list, back, 2 * sizeof(*back));
    r.count = 1;
    cr_assert_not(enough(&r));
    cr_assert_eq(r.verdict.count, 1, "read back, it counts");
    stile_buf_release(&out);
    stile_arena_free(&r.arena);
}

#define HEX64 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define ENTRY_AFTER(at, from, to, class, after, signature)                     \
    "- {organisation: RZ9, officer: cg-1, at: '" at "', because: b, from: "    \
    "" from ", to: " to ", class: " class ", after: " after                    \
                                          ", signature: " signature "}\n"
#define ENTRY(at, from, to, class, signature)                                  \
    ENTRY_AFTER(at, from, to, class, "none", signature)
#define TIME "2026-04-02T09:30:00.000Z"

static void finds(const char *text, const char *code)
{
    struct stile_arena *arena = stile_arena_new(1 << 24);
    struct stile_source source = {S("approvals.yaml"), stile_str_cstr(text)};
    struct stile_approval *list = NULL;
    struct stile_diags diags;
    size_t count = 77;
    enum stile_status status;

    stile_diags_init(&diags, arena, 0);
    status = stile_approvals_load(&source, arena, &diags, &list, &count);
    if (!code) {
        cr_assert_eq(status, STILE_OK, "%s", text);
    } else {
        cr_assert_eq(status, STILE_INVALID);
        cr_assert_eq(count, 77);
        cr_assert_eq(diags.count, 1);
        cr_assert_str_eq(diags.items[0].code, code);
    }
    stile_arena_free(&arena);
}

Test(govern_approve, wrong_entries_are_found)
{
    finds("", NULL);
    finds(ENTRY(TIME, "none", HEX64, "wider", HEX64 HEX64), NULL);
    finds(ENTRY(TIME, "nine", HEX64, "wider", HEX64 HEX64), "O201");
    finds(ENTRY(TIME, "none", "none", "wider", HEX64 HEX64), "O201");
    finds(ENTRY("2026-04-02", "none", HEX64, "wider", HEX64 HEX64), "O202");
    finds(ENTRY(TIME, "none", HEX64, "broader", HEX64 HEX64), "O203");
    finds(ENTRY(TIME, "none", HEX64, "wider", HEX64), "O204");
    finds(ENTRY(TIME, "none", HEX64, "wider", HEX64 HEX64 "00"), "O204");
    finds(ENTRY_AFTER(TIME, "none", HEX64, "wider", HEX64, HEX64 HEX64), NULL);
    finds(ENTRY_AFTER(TIME, "none", HEX64, "wider", "7", HEX64 HEX64), "O201");
    finds("officer: cg-1\n", "O206");
}

Test(govern_approve, a_thousand_and_no_more)
{
    struct stile_buf text;

    stile_buf_init(&text, 1 << 22);
    for (size_t i = 0; i < STILE_APPROVALS_MAX; i++) {
        stile_buf_addc(&text, ENTRY(TIME, "none", HEX64, "wider", HEX64 HEX64));
    }
    stile_buf_byte(&text, '\0');
    finds(text.ptr, NULL);
    stile_buf_cut(&text, text.len - 1);
    stile_buf_addc(&text, ENTRY(TIME, "none", HEX64, "wider", HEX64 HEX64));
    stile_buf_byte(&text, '\0');
    finds(text.ptr, "O205");
    stile_buf_release(&text);
}

/* Whoever is gone could give any day of their term. */
Test(govern_approve, a_term_that_ended_ends_new_approvals)
{
    struct room r;

    open_room(&r, "");
    r.move.class = r.terms.move.class = STILE_RULES_NARROWER;
    cr_assert(stile_time_parse(S("2027-03-31T22:00:00Z"), &r.terms.now));
    r.terms.after = r.terms.now - 3600 * STILE_SECOND;
    (void)give(&r, "cg-1", r.terms.now - 1000);
    cr_assert(enough(&r), "the last day");
    r.terms.now += 2 * 3600 * STILE_SECOND;
    cr_assert_not(enough(&r));
    says(&r, "for today");
    stile_arena_free(&r.arena);
}
