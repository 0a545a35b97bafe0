/* Who may do what, and that only their signature counts. */
#include <criterion/criterion.h>

#include "stile/govern.h"

#define KEY_A "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define SEED_A                                                                 \
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define KEY_B "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"

#define OFFICER(id, key, more)                                                 \
    "  - officer: " id "\n    role: caldicott-guardian\n    key: " key "\n"    \
    "    from: 2026-04-01\n    until: 2027-03-31\n" more

#define HEAD "organisation: RZ9\nofficers:\n"
#define GOOD                                                                   \
    HEAD OFFICER("cg-1", KEY_A, "    may: [approve-rules, review]\n")          \
        OFFICER("dpo-1", KEY_B, "    may: approve-rules\n")

struct desk {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_source source;
    struct stile_officers *officers;
};

static enum stile_status load(struct desk *d, const char *text)
{
    *d = (struct desk){.arena = stile_arena_new(1 << 22)};
    stile_diags_init(&d->diags, d->arena, 0);
    d->source =
        (struct stile_source){STILE_STR("officers.yaml"), stile_str_cstr(text)};
    return stile_officers_load(&d->source, d->arena, &d->diags, &d->officers);
}

static void finds(const char *text, const char *code, uint32_t line)
{
    struct desk d;

    cr_assert_eq(load(&d, text), STILE_INVALID);
    cr_assert_null(d.officers);
    cr_assert_eq(d.diags.count, 1, "%zu findings for %s", d.diags.count, code);
    cr_assert_str_eq(d.diags.items[0].code, code);
    cr_assert_eq(d.diags.items[0].line, line, "%s stands at line %u", code,
                 d.diags.items[0].line);
    stile_arena_free(&d.arena);
}

Test(govern_officers, are_read)
{
    struct desk d;

    cr_assert_eq(load(&d, GOOD), STILE_OK);
    cr_assert_eq(d.officers->count, 2);
    cr_assert_not(d.officers->self_approving);
    const struct stile_officer *o =
        stile_officers_find(d.officers, STILE_STR("dpo-1"));
    cr_assert_not_null(o);
    cr_assert_eq(o->may, 1u << STILE_MAY_APPROVE_RULES);
    cr_assert_null(stile_officers_find(d.officers, STILE_STR("dpo-2")));
    stile_arena_free(&d.arena);
    cr_assert_eq(load(&d, "self-approving: yes\n" GOOD), STILE_OK);
    cr_assert(d.officers->self_approving);
    stile_arena_free(&d.arena);
}

Test(govern_officers, wrong_ones_are_refused_with_their_place)
{
    finds("organisation: rz 9\nofficers: []\n", "O101", 1);
    finds("self-approving: maybe\n" HEAD "  []\n", "O102", 1);
    finds(HEAD OFFICER("CG", KEY_A, "    may: review\n"), "O103", 3);
    finds(GOOD OFFICER("cg-1", SEED_A, "    may: review\n"), "O104", 15);
    finds(HEAD OFFICER("cg-1", "abc", "    may: review\n"), "O105", 5);
    finds(GOOD OFFICER("cg-2", KEY_A, "    may: review\n"), "O106", 17);
    finds(HEAD OFFICER("cg-1", KEY_A, "    may: [reviews]\n"), "O107", 8);
    finds(HEAD "  - {officer: a, role: b, key: " KEY_A
               ", may: review, from: 2026-04, until: 2027-01-01}\n",
          "O108", 3);
    finds(HEAD "  - {officer: a, role: b, key: " KEY_A
               ", may: review, from: 2026-04-02, until: 2026-04-01}\n",
          "O109", 3);
}

static void many(size_t count, enum stile_status expected)
{
    struct stile_buf text;
    struct desk d;

    stile_buf_init(&text, 1 << 20);
    stile_buf_addc(&text, HEAD);
    for (size_t i = 0; i < count; i++) {
        stile_buf_printf(&text,
                         "  - {officer: a%zu, role: b, key: '%064zx', may: "
                         "review, from: 2026-01-01, until: 2026-01-01}\n",
                         i, i);
    }
    stile_buf_byte(&text, '\0');
    cr_assert_eq(load(&d, text.ptr), expected);
    if (expected != STILE_OK) {
        cr_assert_str_eq(d.diags.items[0].code, "O110");
    }
    stile_arena_free(&d.arena);
    stile_buf_release(&text);
}

Test(govern_officers, a_thousand_and_no_more)
{
    many(STILE_OFFICERS_MAX, STILE_OK);
    many(STILE_OFFICERS_MAX + 1, STILE_INVALID);
}

static struct stile_act act_at(const char *time)
{
    struct stile_act act = {.may = STILE_MAY_REVIEW,
                            .what = STILE_STR("release"),
                            .subject = STILE_STR("item 7"),
                            .officer = STILE_STR("cg-1"),
                            .because = STILE_STR("looked at with the team")};

    cr_assert(stile_time_parse(stile_str_cstr(time), &act.at));
    return act;
}

static void is(struct desk *d, struct stile_act act, const char *seed,
               enum stile_status expected)
{
    struct stile_digest key;
    const char *error = NULL;
    enum stile_status status;

    cr_assert(stile_digest_parse(stile_str_cstr(seed), &key));
    status = stile_act_sign(d->officers, &act, key.bytes, &error);
    cr_assert_eq(status, expected, "%s", error ? error : "");
    cr_assert(expected == STILE_OK || error);
}

Test(govern_officers, an_act_is_the_officers_alone)
{
    struct desk d;
    struct stile_act act = act_at("2026-11-21T10:00:00Z");

    cr_assert_eq(load(&d, GOOD), STILE_OK);
    is(&d, act, SEED_A, STILE_OK);
    is(&d, act, KEY_A, STILE_DENIED); /* some other key */
    act.may = STILE_MAY_READ_FACTS;
    is(&d, act, SEED_A, STILE_DENIED);
    act.may = STILE_MAY_REVIEW;
    act.officer = STILE_STR("cg-9");
    is(&d, act, SEED_A, STILE_DENIED);
    /* London's days: an hour ahead of UTC in summer. */
    is(&d, act_at("2026-03-31T22:59:59Z"), SEED_A, STILE_DENIED);
    is(&d, act_at("2026-03-31T23:00:00Z"), SEED_A, STILE_OK);
    is(&d, act_at("2027-03-31T22:59:59Z"), SEED_A, STILE_OK);
    is(&d, act_at("2027-03-31T23:00:00Z"), SEED_A, STILE_DENIED);
    act = act_at("2026-11-21T10:00:00Z");
    act.because = STILE_STR("two\nlines");
    is(&d, act, SEED_A, STILE_INVALID);
    act.because = STILE_STR("");
    is(&d, act, SEED_A, STILE_INVALID);
    char long_text[STILE_ACT_TEXT_MAX + 1];
    memset(long_text, 'a', sizeof(long_text));
    act.because = (struct stile_str){long_text, STILE_ACT_TEXT_MAX};
    is(&d, act, SEED_A, STILE_OK);
    act.because.len++;
    is(&d, act, SEED_A, STILE_INVALID);
    stile_arena_free(&d.arena);
}

Test(govern_officers, a_reason_that_holds_an_nhs_number_is_not_signed)
{
    static const struct {
        const char *because;
        enum stile_status status;
    } reasons[] = {{"9990001006", STILE_INVALID},
                   {"call 1142 about 999 000 1006.", STILE_INVALID},
                   {"(9990001006)", STILE_INVALID},
                   {"9990001007 is no such number", STILE_OK},
                   {"from 09990001006", STILE_OK},
                   {"999000100", STILE_OK}};
    struct desk d;

    cr_assert_eq(load(&d, GOOD), STILE_OK);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        struct stile_act act = act_at("2026-11-21T10:00:00Z");

        act.because = stile_str_cstr(reasons[i].because);
        is(&d, act, SEED_A, reasons[i].status);
    }
    stile_arena_free(&d.arena);
}

Test(govern_officers, a_changed_act_is_not_signed)
{
    struct desk d;
    struct stile_act act = act_at("2026-11-21T10:00:00Z"), other;
    struct stile_digest seed;
    const char *error = NULL;

    cr_assert_eq(load(&d, GOOD), STILE_OK);
    cr_assert(stile_digest_parse(STILE_STR(SEED_A), &seed));
    cr_assert_eq(stile_act_sign(d.officers, &act, seed.bytes, &error),
                 STILE_OK);
    cr_assert_eq(stile_act_check(d.officers, &act, &error), STILE_OK);
#define CHANGED(field, to)                                                     \
    do {                                                                       \
        other = act;                                                           \
        other.field = to;                                                      \
        cr_assert_eq(stile_act_check(d.officers, &other, &error),              \
                     STILE_DENIED);                                            \
    } while (0)
    CHANGED(what, STILE_STR("refuse"));
    CHANGED(subject, STILE_STR("item 8"));
    CHANGED(because, STILE_STR("because"));
    CHANGED(at, act.at + STILE_SECOND);
    CHANGED(signature[63], act.signature[63] ^ 1);
    CHANGED(officer, STILE_STR("dpo-1"));
    stile_arena_free(&d.arena);
    /* Another organisation's gateway does not take it. */
    cr_assert_eq(load(&d, "organisation: RZ8\nofficers:\n" OFFICER(
                              "cg-1", KEY_A, "    may: review\n")),
                 STILE_OK);
    cr_assert_eq(stile_act_check(d.officers, &act, &error), STILE_DENIED);
    stile_arena_free(&d.arena);
}

Test(govern_officers, an_act_is_told_whole)
{
    struct desk d;
    struct stile_act act = act_at("2026-11-21T10:00:00Z");
    struct stile_digest seed;
    const char *error = NULL;
    struct stile_buf out;

    cr_assert_eq(load(&d, GOOD), STILE_OK);
    cr_assert(stile_digest_parse(STILE_STR(SEED_A), &seed));
    cr_assert_eq(stile_act_sign(d.officers, &act, seed.bytes, &error),
                 STILE_OK);
    stile_buf_init(&out, 1 << 16);
    stile_act_text(d.officers, &act, &out);
    cr_assert(
        stile_str_eqc(stile_buf_str(&out),
                      "stile-act v1\nRZ9\nrelease\nitem 7\ncg-1\n"
                      "2026-11-21T10:00:00.000Z\nlooked at with the team\n"));
    stile_buf_release(&out);
    struct stile_value *value = stile_act_value(d.officers, &act, d.arena);
    cr_assert(stile_str_eqc(stile_value_text(value, "act"), "release"));
    cr_assert(
        stile_str_eqc(stile_value_text(value, "role"), "caldicott-guardian"));
    cr_assert_eq(stile_value_text(value, "signature").len, 128);
    stile_arena_free(&d.arena);
}
