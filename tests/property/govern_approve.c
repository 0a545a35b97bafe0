/*
 * No sequence of edits, approvals, activations and rollbacks brings a set in
 * force without enough valid signatures.
 *
 * The model knows, of each approval, who really signed what and when; the code
 * under test sees only the entries, some of them edited by a forger who has no
 * key. Whatever the code lets come in force, the model must allow.
 */
#include <criterion/criterion.h>

#include "stile/govern.h"

#include "seed.h"

#define OFFICERS 4 /* the last may not approve */
#define SETS 4
#define HELD 12 /* approvals that lie about */
#define STEPS 400
#define RUNS 60
#define AGE (30 * 86400 * STILE_SECOND)

struct truth { /* what was really signed */
    bool forged;
    unsigned officer;
    struct stile_rules_move move;
    stile_time at;
    unsigned step; /* when, by the model; the signer's clock says anything */
};

struct world {
    uint64_t seed;
    struct stile_arena *arena;
    struct stile_officers *officers;
    uint8_t seeds[OFFICERS][32];
    struct stile_digest sets[SETS];
    enum stile_rules_class class[SETS + 1][SETS]; /* from none is SETS */
    int in_force;                                 /* SETS: none */
    stile_time since, now;
    struct stile_approval held[HELD];
    struct truth truths[HELD];
    size_t held_count;
    unsigned activations, refusals;
};

static const char *const ids[OFFICERS] = {"cg-1", "dpo-1", "siro-1", "clerk-1"};

static void set_up(struct world *w)
{
    static struct stile_source source = {{"officers.yaml", 13}, {NULL, 0}};
    struct stile_buf text;
    struct stile_diags diags;

    stile_buf_init(&text, 1 << 16);
    stile_buf_addc(&text, "organisation: RZ9\nofficers:\n");
    for (unsigned i = 0; i < OFFICERS; i++) {
        struct stile_digest key;
        char hex[65];

        stile_sha256(stile_str_cstr(ids[i]), &key);
        memcpy(w->seeds[i], key.bytes, 32);
        cr_assert_eq(stile_ed25519_public(w->seeds[i], key.bytes), STILE_OK);
        stile_digest_hex(&key, hex);
        stile_buf_printf(&text,
                         "  - {officer: %s, role: r, key: %s, may: %s, from: "
                         "2020-01-01, until: 2099-12-31}\n",
                         ids[i], hex,
                         i + 1 < OFFICERS ? "approve-rules" : "review");
    }
    source.text = stile_arena_str(w->arena, stile_buf_str(&text));
    stile_buf_release(&text);
    stile_diags_init(&diags, w->arena, 0);
    cr_assert_eq(stile_officers_load(&source, w->arena, &diags, &w->officers),
                 STILE_OK);
    for (unsigned i = 0; i < SETS; i++) {
        stile_sha256((struct stile_str){(const char *)&i, sizeof(i)},
                     &w->sets[i]);
    }
    for (unsigned i = 0; i <= SETS; i++) {
        for (unsigned j = 0; j < SETS; j++) {
            w->class[i][j] = i == SETS ? STILE_RULES_WIDER
                                       : (enum stile_rules_class)seed_below(
                                             &w->seed, STILE_RULES_CLASS_COUNT);
        }
    }
    w->in_force = SETS;
    cr_assert(stile_time_parse(STILE_STR("2026-11-21T10:00:00Z"), &w->now));
}

static struct stile_rules_move move_to(const struct world *w, int from, int to)
{
    struct stile_rules_move move = {.to = w->sets[to],
                                    .class = w->class[from][to]};

    if (from < SETS) {
        move.from = w->sets[from];
    }
    if (w->activations > 0) {
        stile_sha256((struct stile_str){(const char *)&w->activations,
                                        sizeof(w->activations)},
                     &move.after);
    }
    return move;
}

static void sign_one(struct world *w)
{
    size_t at = w->held_count < HELD ? w->held_count++
                                     : (size_t)seed_below(&w->seed, HELD);
    struct truth *truth = &w->truths[at];
    struct stile_approval *a = &w->held[at];
    const char *error = NULL;
    int from = seed_below(&w->seed, 3) ? w->in_force
                                       : (int)seed_below(&w->seed, SETS + 1);

    truth->officer = (unsigned)seed_below(&w->seed, OFFICERS);
    truth->move = move_to(w, from, (int)seed_below(&w->seed, SETS));
    if (seed_below(&w->seed, 6) == 0) {
        truth->move.class = (enum stile_rules_class)seed_below(
            &w->seed, STILE_RULES_CLASS_COUNT);
    }
    /* texts of times are to the millisecond */
    truth->at = w->now / 1000 * 1000;
    truth->step = w->activations;
    if (seed_below(&w->seed, 8) == 0) { /* post-dated */
        truth->at += 5000 * (stile_time)seed_below(&w->seed, 100);
    }
    *a = (struct stile_approval){
        .organisation = STILE_STR("RZ9"),
        .move = truth->move,
        .act = {.may = STILE_MAY_APPROVE_RULES,
                .what = STILE_STR("approve-rules"),
                .subject = stile_rules_move_subject(&truth->move, w->arena),
                .officer = stile_str_cstr(ids[truth->officer]),
                .because = STILE_STR("read"),
                .at = truth->at}};
    truth->forged =
        stile_act_sign(w->officers, &a->act, w->seeds[truth->officer],
                       &error) != STILE_OK;
    cr_assert_eq(truth->forged, truth->officer + 1 == OFFICERS);
}

/* A forger has the files, not the keys. */
static void forge_one(struct world *w)
{
    size_t at = (size_t)seed_below(&w->seed, HELD);
    struct stile_approval *a = &w->held[at];

    if (at >= w->held_count || w->truths[at].forged) { /* not back again */
        return;
    }
    w->truths[at].forged = true;
    switch (seed_below(&w->seed, 5)) {
    case 0:
        a->act.officer =
            stile_str_cstr(ids[(w->truths[at].officer + 1) % OFFICERS]);
        break;
    case 1:
        a->act.at += 1000 * (1 + (stile_time)seed_below(&w->seed, 9));
        break;
    case 2:
        a->act.signature[seed_below(&w->seed, 64)] ^= 1;
        break;
    case 3:
        a->move.to.bytes[0] ^= 1;
        a->act.subject = stile_rules_move_subject(&a->move, w->arena);
        break;
    default:
        a->act.because = STILE_STR("read!");
        break;
    }
}

/* By the model: how many people have really approved this move. */
static unsigned really(const struct world *w,
                       const struct stile_rules_move *move)
{
    unsigned who = 0, count = 0;

    for (size_t i = 0; i < w->held_count; i++) {
        const struct truth *t = &w->truths[i];

        if (!t->forged && t->step == w->activations &&
            t->move.class == move->class &&
            stile_digest_eq(&t->move.from, &move->from) &&
            stile_digest_eq(&t->move.to, &move->to) && t->at <= w->now &&
            w->now - t->at <= AGE && t->at > w->since) {
            who |= 1u << t->officer;
        }
    }
    for (unsigned i = 0; i < OFFICERS; i++) {
        count += who >> i & 1;
    }
    return count;
}

static void try_to_activate(struct world *w, int to)
{
    struct stile_approval_terms terms = {
        .after = w->since, .now = w->now, .age = AGE};
    struct stile_approval_verdict verdict;
    unsigned needs, have;

    if (to == w->in_force) {
        return;
    }
    terms.move = move_to(w, w->in_force, to);
    cr_assert_eq(stile_approvals_judge(w->officers, w->held, w->held_count,
                                       &terms, w->arena, &verdict),
                 STILE_OK);
    needs = terms.move.class == STILE_RULES_WIDER ||
                    terms.move.class == STILE_RULES_MIXED
                ? 2
                : 1;
    have = really(w, &terms.move);
    cr_assert_eq(verdict.needs, needs);
    cr_assert_eq(verdict.count, have, "%zu counted, %u really signed",
                 verdict.count, have);
    if (verdict.count < verdict.needs) {
        w->refusals++;
        return;
    }
    w->activations++;
    w->in_force = to;
    w->since = w->now > w->since ? w->now : w->since + 1;
    /* what was used stays where it lies: it must not count again */
}

Test(govern_approve, nothing_comes_in_force_without_enough_signatures,
     .timeout = 120)
{
    uint64_t seed = seed_begin("govern_approve");
    unsigned activations = 0, refusals = 0;

    for (unsigned run = 0; run < RUNS; run++) {
        struct world w = {.seed = seed_next(&seed),
                          .arena = stile_arena_new(1 << 26)};

        set_up(&w);
        for (unsigned i = 0; i < STEPS; i++) {
            uint64_t what = seed_below(&w.seed, 10);

            w.now += 1 + (stile_time)seed_below(&w.seed, 20000);
            if (what < 5) {
                sign_one(&w);
            } else if (what < 6) {
                forge_one(&w);
            } else if (what < 7 && seed_below(&w.seed, 10) == 0) {
                w.now += (stile_time)seed_below(&w.seed, 2 * AGE);
            } else {
                try_to_activate(&w, (int)seed_below(&w.seed, SETS));
            }
        }
        activations += w.activations;
        refusals += w.refusals;
        stile_arena_free(&w.arena);
    }
    cr_assert_gt(activations, 10, "the run shows little");
    cr_assert_gt(refusals, activations);
}
