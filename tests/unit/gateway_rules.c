/* Going live: the set in force is the store's, the folder is a proposal. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_private.h"

#define S(literal) STILE_STR(literal)
#define SHIPPED STILE_SOURCE_DIR "/mappings"
#define DAY (86400 * STILE_SECOND)

static const char *const ids[] = {"cg-1", "dpo-1"};

struct desk {
    struct stile_arena *arena;
    struct stile_diags diags;
    struct stile_store *store;
    struct stile_config config;
    char folder[64];
    stile_time now;
    struct stile_rules_look look;
};

/* ---- files ---- */

static const char *path_of(struct desk *d, const char *name)
{
    return stile_arena_cstr(
        d->arena, stile_arena_printf(d->arena, "%s/%s", d->folder, name));
}

static void write_text(struct desk *d, const char *name, struct stile_str text)
{
    FILE *file = fopen(path_of(d, name), "wb");

    cr_assert_not_null(file, "%s", name);
    cr_assert_eq(fwrite(text.ptr, 1, text.len, file), text.len);
    cr_assert_eq(fclose(file), 0);
}

static struct stile_str read_text(struct desk *d, const char *name)
{
    struct stile_str text = STILE_STR_NULL, error;

    cr_assert_eq(
        stile_file_read(path_of(d, name), 1 << 22, d->arena, &text, &error),
        STILE_OK);
    return text;
}

/* The first `from` in a rule file becomes `to`. */
static void edit(struct desk *d, const char *name, const char *from,
                 const char *to)
{
    struct stile_str text = read_text(d, name);
    size_t at = stile_str_find_str(text, stile_str_cstr(from));

    cr_assert_neq(at, SIZE_MAX, "%s has no '%s'", name, from);
    write_text(
        d, name,
        stile_arena_printf(
            d->arena, "%.*s%s%s", (int)at, text.ptr, to,
            stile_arena_cstr(
                d->arena, stile_str_sub(text, at + strlen(from), SIZE_MAX))));
}

static void seed_of(const char *id, uint8_t ret[32])
{
    struct stile_digest digest;

    stile_sha256(stile_str_cstr(id), &digest);
    memcpy(ret, digest.bytes, 32);
}

static void write_officers(struct desk *d, const char *head)
{
    struct stile_buf out;

    stile_buf_init(&out, 1 << 16);
    stile_buf_printf(&out, "organisation: RZ9\n%sofficers:\n", head);
    for (size_t i = 0; i < 2; i++) {
        struct stile_digest key;
        uint8_t seed[32];
        char hex[65];

        seed_of(ids[i], seed);
        cr_assert_eq(stile_ed25519_public(seed, key.bytes), STILE_OK);
        stile_digest_hex(&key, hex);
        stile_buf_printf(&out,
                         "  - {officer: %s, role: r, key: %s, may: "
                         "approve-rules, from: 2026-04-01, until: "
                         "2027-03-31}\n",
                         ids[i], hex);
    }
    write_text(d, "officers.yaml", stile_buf_str(&out));
    stile_buf_release(&out);
}

static void open_desk(struct desk *d)
{
    struct stile_str packed, error = STILE_STR_NULL;

    *d = (struct desk){.arena = stile_arena_new((size_t)2 << 30)};
    stile_diags_init(&d->diags, d->arena, 0);
    (void)snprintf(d->folder, sizeof(d->folder), "/tmp/stile-rules-XXXXXX");
    cr_assert_not_null(mkdtemp(d->folder));
    cr_assert_eq(stile_rules_pack(SHIPPED, d->arena, &d->diags, &packed),
                 STILE_OK);
    cr_assert_eq(stile_rules_packed_write(packed, d->folder, d->arena, &error),
                 STILE_OK, "%.*s", STILE_FMT(error));
    write_officers(d, "");
    cr_assert_eq(stile_store_memory_open(&d->store), STILE_OK);
    d->config = (struct stile_config){.name = S("trust"),
                                      .ods = S("RZ9"),
                                      .mappings = d->folder,
                                      .officers = path_of(d, "officers.yaml"),
                                      .approval_ms = 30u * 86400000u};
    cr_assert(stile_time_parse(S("2026-11-21T10:00:00Z"), &d->now));
}

static void close_desk(struct desk *d)
{
    const char *remove = stile_arena_cstr(
        d->arena, stile_arena_printf(d->arena, "rm -rf '%s'", d->folder));

    cr_assert_eq(system(remove), 0);
    d->store->ops->close(&d->store);
    stile_arena_free(&d->arena);
}

/* ---- looking and signing ---- */

static void look_at(struct desk *d, const struct stile_digest *to)
{
    d->now += STILE_SECOND;
    stile_diags_init(&d->diags, d->arena, 0);
    cr_assert_eq(stile_rules_look(&d->config, d->store, to, d->now, d->arena,
                                  &d->diags, &d->look),
                 STILE_OK);
}

static struct stile_act sign(struct desk *d, const char *id)
{
    struct stile_act act = {
        .may = STILE_MAY_APPROVE_RULES,
        .what = S("approve-rules"),
        .subject = stile_rules_move_subject(&d->look.move, d->arena),
        .officer = stile_str_cstr(id),
        .because = S("read"),
        .at = d->now};
    const char *error = "";
    uint8_t seed[32];

    seed_of(id, seed);
    cr_assert_eq(stile_act_sign(d->look.officers, &act, seed, &error), STILE_OK,
                 "%s", error);
    return act;
}

/* Looks at the folder, and the officers sign what is there. */
static void approve(struct desk *d, size_t officers)
{
    struct stile_approval list[2];
    struct stile_buf out;

    look_at(d, NULL);
    cr_assert_eq(d->look.state, STILE_RULES_WAITS);
    for (size_t i = 0; i < officers; i++) {
        list[i] =
            (struct stile_approval){S("RZ9"), d->look.move, sign(d, ids[i])};
    }
    stile_buf_init(&out, 1 << 16);
    stile_approvals_write(list, officers, &out);
    write_text(d, "rules/approvals.yaml", stile_buf_str(&out));
    stile_buf_release(&out);
    look_at(d, NULL);
}

static bool go_live(struct desk *d)
{
    bool activated = false;

    d->now += STILE_SECOND;
    cr_assert_eq(stile_rules_go_live(&d->config, d->store, d->now, d->arena,
                                     &d->diags, &d->look, &activated),
                 STILE_OK);
    return activated;
}

static uint64_t entries(struct desk *d)
{
    struct stile_counts counts;

    cr_assert_eq(d->store->ops->counts(d->store, &counts), STILE_OK);
    return counts.entries;
}

static void first_set(struct desk *d)
{
    approve(d, 2);
    cr_assert(go_live(d));
    look_at(d, NULL);
    cr_assert_eq(d->look.state, STILE_RULES_SAME);
}

static bool misses(struct desk *d, const char *words)
{
    return stile_str_find_str(d->look.missing, stile_str_cstr(words)) !=
           SIZE_MAX;
}

/* One word less in a rule, and its worked case, that is all. */
static void narrow(struct desk *d)
{
    edit(d, "rules/rules.yaml", "referral, referral-reason, care-plan]",
         "referral, referral-reason]");
    edit(d, "rules/examples.yaml", "data: care-plan", "data: referral");
}

/* ---- packed sets ---- */

Test(rules_pack, comes_back_as_it_was)
{
    struct desk d;
    const struct stile_rules *folder = NULL, *packed_rules = NULL;
    struct stile_str packed, error;
    struct stile_digest a, b;

    open_desk(&d);
    cr_assert_eq(stile_rules_pack(d.folder, d.arena, &d.diags, &packed),
                 STILE_OK);
    cr_assert_eq(stile_rules_packed_load(packed,
                                         (struct stile_date){2026, 5, 1},
                                         d.arena, &d.diags, &packed_rules),
                 STILE_OK);
    cr_assert_eq(stile_rules_folder_load(SHIPPED,
                                         (struct stile_date){2026, 5, 1},
                                         d.arena, &d.diags, &folder),
                 STILE_OK);
    a = stile_rules_digest(packed_rules);
    b = stile_rules_digest(folder);
    cr_assert(stile_digest_eq(&a, &b));
    cr_assert_eq(stile_rules_packed_write(packed, d.folder, d.arena, &error),
                 STILE_IO, "never over files that are there");
    close_desk(&d);
}

Test(rules_pack, a_damaged_one_is_refused)
{
    static const char *const texts[] = {
        "",
        "stile-rules 1\n",
        "stile-rules 2\n1 rules.yaml\nx\n",
        "stile-rules 1\n2 rules.yaml\nx\n",
        "stile-rules 1\n-1 rules.yaml\nx\n",
        "stile-rules 1\n1 rules.yaml\nx",
        "stile-rules 1\n1 rules.yaml\nxx",
        "stile-rules 1\n1 ../rules.yaml\nx\n",
        "stile-rules 1\n1 labels/../x.csv\nx\n",
        "stile-rules 1\n1 labels/.csv\nx\n",
        "stile-rules 1\n1 labels/a\nx\n",
        "stile-rules 1\n99999999999999999999 rules.yaml\nx\n",
        "stile-rules 1\n1rules.yaml\nx\n"};
    struct stile_arena *arena = stile_arena_new(1 << 22);
    struct stile__rule_files files;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_not(
            stile__rules_unpack(stile_str_cstr(texts[i]), arena, &files), "%s",
            texts[i]);
    }
    cr_assert(stile__rules_unpack(
        S("stile-rules 1\n1 rules.yaml\nx\n3 labels/a.csv\ny\nz\n"), arena,
        &files));
    cr_assert_eq(files.count, 2);
    cr_assert(stile_str_eqc(files.items[1].source.text, "y\nz"));
    stile_arena_free(&arena);
}

/* ---- going live ---- */

Test(rules_live, the_first_set_needs_two)
{
    struct desk d;
    struct stile_rules_step step;
    struct stile_str packed;
    const char *error = "";

    open_desk(&d);
    look_at(&d, NULL);
    cr_assert_not(d.look.in_force);
    cr_assert_eq(d.look.state, STILE_RULES_WAITS);
    cr_assert_eq(d.look.move.class, STILE_RULES_WIDER);
    cr_assert(misses(&d, "nobody has signed; missing: 2"));
    cr_assert_not(go_live(&d));
    approve(&d, 1);
    cr_assert(misses(&d, "signed: cg-1; missing: 1"));
    cr_assert_not(go_live(&d));
    cr_assert_eq(entries(&d), 0);
    cr_assert_eq(stile_rules_in_force(&d.config, d.store, d.arena, &step,
                                      &packed, &error),
                 STILE_NOT_FOUND);
    approve(&d, 2);
    cr_assert_eq(d.look.state, STILE_RULES_READY);
    cr_assert(go_live(&d));
    cr_assert_eq(entries(&d), 1);
    cr_assert_eq(stile_rules_in_force(&d.config, d.store, d.arena, &step,
                                      &packed, &error),
                 STILE_OK);
    cr_assert(stile_digest_eq(&step.to, &d.look.move.to));
    cr_assert_neq(stile_str_find_str(step.acts, S("\"officer\":\"dpo-1\"")),
                  SIZE_MAX);
    look_at(&d, NULL);
    cr_assert_eq(d.look.state, STILE_RULES_SAME);
    cr_assert_not(go_live(&d), "nothing to do");
    close_desk(&d);
}

Test(rules_live, a_store_that_is_not_there_holds_nothing)
{
    struct desk d;
    struct stile_digest none = {{1}};

    open_desk(&d);
    cr_assert_eq(stile_rules_look(&d.config, NULL, NULL, d.now, d.arena,
                                  &d.diags, &d.look),
                 STILE_OK);
    cr_assert_eq(d.look.state, STILE_RULES_WAITS);
    cr_assert_eq(stile_rules_look(&d.config, NULL, &none, d.now, d.arena,
                                  &d.diags, &d.look),
                 STILE_NOT_FOUND);
    close_desk(&d);
}

Test(rules_live, without_officers_nothing_comes_in_force)
{
    struct desk d;

    open_desk(&d);
    approve(&d, 2);
    d.config.officers = NULL;
    cr_assert_not(go_live(&d));
    cr_assert(misses(&d, "nobody may approve"));
    close_desk(&d);
}

Test(rules_live, an_edit_after_the_approval_makes_it_void)
{
    struct desk d;

    open_desk(&d);
    approve(&d, 2);
    edit(&d, "rules/rules.yaml", "says: Send", "says: Do send");
    cr_assert_not(go_live(&d));
    cr_assert(misses(&d, "edited since"));
    edit(&d, "rules/rules.yaml", "says: Do send", "says: Send");
    cr_assert(go_live(&d), "as it was signed, it counts");
    edit(&d, "rules/rules.yaml", "- rule:", "# a remark is no change\n- rule:");
    look_at(&d, NULL);
    cr_assert_eq(d.look.state, STILE_RULES_SAME);
    close_desk(&d);
}

Test(rules_live, narrower_needs_one_and_its_way_back_two)
{
    struct desk d;
    struct stile_digest first, second;
    struct stile_act act;

    open_desk(&d);
    first_set(&d);
    first = d.look.step.to;
    narrow(&d);
    approve(&d, 1);
    cr_assert_eq(d.look.move.class, STILE_RULES_NARROWER);
    cr_assert(go_live(&d));
    second = d.look.move.to;

    look_at(&d, &first);
    cr_assert_eq(d.look.move.class, STILE_RULES_WIDER);
    act = sign(&d, "cg-1");
    cr_assert_eq(stile_rules_approval_keep(&d.config, d.store, d.look.officers,
                                           &act, d.arena),
                 STILE_OK);
    look_at(&d, &first);
    cr_assert_eq(d.look.state, STILE_RULES_WAITS);
    act = sign(&d, "dpo-1");
    cr_assert_eq(stile_rules_approval_keep(&d.config, d.store, d.look.officers,
                                           &act, d.arena),
                 STILE_OK);
    look_at(&d, &first);
    cr_assert_eq(d.look.state, STILE_RULES_READY);
    cr_assert_eq(stile_rules_activate(&d.config, d.store, &d.look, d.arena),
                 STILE_OK);
    cr_assert_eq(entries(&d), 5, "three steps, two kept approvals");

    /* The folder proposes the second set still, and its approval, from the
     * set that is in force again, lies beside it. */
    look_at(&d, NULL);
    cr_assert(stile_digest_eq(&d.look.move.from, &first));
    cr_assert(stile_digest_eq(&d.look.move.to, &second));
    cr_assert_eq(d.look.state, STILE_RULES_WAITS);
    cr_assert(misses(&d, "before the set in force came in force"));
    cr_assert_not(go_live(&d));
    approve(&d, 1);
    cr_assert(go_live(&d), "approved anew, it comes back");
    close_desk(&d);
}

/* Its signer's clock said anything; it was there before the step all the
 * same. */
Test(rules_live, a_post_dated_approval_counts_once)
{
    struct desk d;
    struct stile_digest first;
    struct stile_act act;
    struct stile_str ahead;

    open_desk(&d);
    first_set(&d);
    first = d.look.step.to;
    narrow(&d);
    d.now += 60 * STILE_SECOND;
    approve(&d, 1); /* a minute ahead */
    d.now -= 60 * STILE_SECOND;
    look_at(&d, NULL);
    cr_assert(misses(&d, "dated in the future"));
    ahead = read_text(&d, "rules/approvals.yaml");
    approve(&d, 1); /* and one by the right clock, which is used */
    cr_assert(go_live(&d));
    look_at(&d, &first);
    for (size_t i = 0; i < 2; i++) {
        act = sign(&d, ids[i]);
        cr_assert_eq(stile_rules_approval_keep(&d.config, d.store,
                                               d.look.officers, &act, d.arena),
                     STILE_OK);
    }
    look_at(&d, &first);
    cr_assert_eq(d.look.state, STILE_RULES_READY);
    cr_assert_eq(stile_rules_activate(&d.config, d.store, &d.look, d.arena),
                 STILE_OK);
    write_text(&d, "rules/approvals.yaml", ahead);
    d.now += DAY;
    look_at(&d, NULL);
    cr_assert_eq(d.look.state, STILE_RULES_WAITS);
    cr_assert(misses(&d, "before the set in force came in force"));
    close_desk(&d);
}

Test(rules_live, broken_rules_leave_the_set_in_force)
{
    struct desk d;
    struct stile_digest first;

    open_desk(&d);
    first_set(&d);
    first = d.look.step.to;
    write_text(&d, "rules/rules.yaml", S("- rule: [\n"));
    cr_assert_not(go_live(&d));
    cr_assert_eq(d.look.state, STILE_RULES_UNUSABLE);
    cr_assert_gt(d.diags.errors, 0);
    cr_assert(d.look.in_force);
    cr_assert(stile_digest_eq(&d.look.step.to, &first));
    cr_assert_eq(unlink(path_of(&d, "rules/rules.yaml")), 0);
    cr_assert_not(go_live(&d));
    cr_assert_eq(d.look.state, STILE_RULES_UNUSABLE);
    d.config.mappings = "/nowhere";
    cr_assert_not(go_live(&d));
    cr_assert_eq(d.look.state, STILE_RULES_UNUSABLE);
    close_desk(&d);
}

Test(rules_live, approvals_that_cannot_be_read_do_not_count)
{
    struct desk d;

    open_desk(&d);
    approve(&d, 2);
    write_text(&d, "rules/approvals.yaml", S("- {officer: cg-1}\n"));
    cr_assert_not(go_live(&d));
    cr_assert_eq(d.look.state, STILE_RULES_WAITS);
    cr_assert_gt(d.diags.errors, 0);
    close_desk(&d);
}

Test(rules_live, an_approval_runs_out)
{
    struct desk d;
    stile_time signed_at;

    open_desk(&d);
    look_at(&d, NULL);
    approve(&d, 2);
    signed_at = d.now - STILE_SECOND;
    d.now = signed_at + 30 * DAY - STILE_SECOND;
    look_at(&d, NULL);
    cr_assert_eq(d.look.state, STILE_RULES_READY);
    d.now = signed_at + 30 * DAY + 1 - STILE_SECOND;
    look_at(&d, NULL);
    cr_assert_eq(d.look.state, STILE_RULES_WAITS);
    cr_assert(misses(&d, "older"));
    close_desk(&d);
}

Test(rules_live, who_comes_second_looks_again)
{
    struct desk d;
    struct stile_rules_look mine;

    open_desk(&d);
    approve(&d, 2);
    mine = d.look;
    cr_assert(go_live(&d));
    cr_assert_eq(stile_rules_activate(&d.config, d.store, &mine, d.arena),
                 STILE_CONFLICT);
    cr_assert_eq(entries(&d), 1);
    close_desk(&d);
}

/* ---- a store that somebody wrote into ---- */

static enum stile_status proven(struct desk *d)
{
    struct stile_rules_step step;
    struct stile_str packed;
    const char *error = "";

    return stile_rules_in_force(&d->config, d->store, d->arena, &step, &packed,
                                &error);
}

/* Puts the folder in force as somebody would who can write the store alone. */
static void slip_in(struct desk *d, const char *class, struct stile_str acts,
                    bool logged)
{
    char from[65], to[65], at[25];
    struct stile_str entry = S("{}");
    struct stile_rules_change change = {
        .step = {.class = stile_str_cstr(class), .acts = acts},
        .entries = &entry,
        .entry_count = 1};

    look_at(d, NULL);
    change.step.from = d->look.move.from;
    change.step.to = d->look.move.to;
    change.step.at = d->now;
    change.files = d->look.files;
    stile_digest_hex(&change.step.from, from);
    stile_digest_hex(&change.step.to, to);
    at[stile_time_format(d->now, at)] = '\0';
    if (logged) {
        entry = stile_arena_printf(
            d->arena,
            "{\"acts\":%.*s,\"class\":\"%s\",\"from\":\"%s\","
            "\"rule-set\":\"%s\",\"time\":\"%s\","
            "\"type\":\"rules-activated\"}",
            STILE_FMT(acts), class, d->look.in_force ? from : "none", to, at);
    }
    cr_assert_eq(d->store->ops->rules_put(d->store, &change), STILE_OK);
}

Test(rules_live, a_set_without_signatures_is_not_in_force)
{
    struct desk d;

    for (size_t logged = 0; logged < 2; logged++) {
        open_desk(&d);
        slip_in(&d, "equal", S("[]"), logged > 0);
        cr_assert_eq(proven(&d), STILE_DENIED);
        close_desk(&d);
        open_desk(&d);
        first_set(&d);
        narrow(&d);
        slip_in(&d, "equal", S("[]"), logged > 0);
        cr_assert_eq(proven(&d), STILE_DENIED);
        stile_diags_init(&d.diags, d.arena, 0);
        cr_assert_eq(stile_rules_look(&d.config, d.store, NULL, d.now, d.arena,
                                      &d.diags, &d.look),
                     STILE_DENIED);
        cr_assert_eq(d.diags.errors, 1, "and it is said");
        close_desk(&d);
    }
}

static struct stile_str acts_json(struct desk *d, enum stile_rules_class class,
                                  const char *const *who, size_t count)
{
    struct stile_buf out;
    struct stile_str text;

    look_at(d, NULL);
    d->look.move.class = class;
    stile_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        struct stile_act act = sign(d, who[i]);

        stile_buf_addc(&out, i > 0 ? "," : "[");
        stile_value_json(stile_act_value(d->look.officers, &act, d->arena), 0,
                         &out);
    }
    stile_buf_addc(&out, "]");
    text = stile_arena_str(d->arena, stile_buf_str(&out));
    stile_buf_release(&out);
    return text;
}

Test(rules_live, the_signatures_must_be_those_the_change_needs)
{
    static const char *const twice[] = {"cg-1", "cg-1"};
    static const struct {
        enum stile_rules_class class;
        const char *const *who;
        size_t count;
        bool logged;
        enum stile_status status;
    } cases[] = {{STILE_RULES_WIDER, ids, 2, true, STILE_OK},
                 {STILE_RULES_WIDER, ids, 2, false, STILE_DENIED},
                 {STILE_RULES_WIDER, ids, 1, true, STILE_DENIED},
                 {STILE_RULES_WIDER, twice, 2, true, STILE_DENIED},
                 /* the first set is wider, whatever one officer signs */
                 {STILE_RULES_NARROWER, ids, 1, true, STILE_DENIED}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct desk d;
        struct stile_str acts;

        open_desk(&d);
        acts = acts_json(&d, cases[i].class, cases[i].who, cases[i].count);
        slip_in(&d, stile_rules_class_text(cases[i].class), acts,
                cases[i].logged);
        cr_expect_eq(proven(&d), cases[i].status, "case %zu", i);
        close_desk(&d);
    }
}

/* One officer alone takes a wider change for a narrower one. */
Test(rules_live, the_class_is_looked_at_again)
{
    struct desk d;
    struct stile_str whole, examples, acts;

    open_desk(&d);
    whole = read_text(&d, "rules/rules.yaml");
    examples = read_text(&d, "rules/examples.yaml");
    narrow(&d);
    first_set(&d);
    write_text(&d, "rules/rules.yaml", whole);
    write_text(&d, "rules/examples.yaml", examples);
    acts = acts_json(&d, STILE_RULES_NARROWER, ids, 1);
    slip_in(&d, "narrower", acts, true);
    cr_assert_eq(proven(&d), STILE_DENIED);
    close_desk(&d);
}

Test(rules_live, a_step_that_the_log_alone_knows_is_missed)
{
    struct desk d, empty;
    struct stile_str entry = S("{\"type\":\"rules-activated\"}");
    struct stile_accept accept = {.entries = &entry, .entry_count = 1};
    struct stile_accepted accepted;

    open_desk(&d);
    first_set(&d);
    cr_assert_eq(proven(&d), STILE_OK);
    cr_assert_eq(d.store->ops->accept(d.store, &accept, 1, d.arena, &accepted),
                 STILE_OK);
    cr_assert_eq(proven(&d), STILE_DENIED, "the log tells of a later one");
    close_desk(&d);
    open_desk(&empty);
    cr_assert_eq(proven(&empty), STILE_NOT_FOUND);
    cr_assert_eq(empty.store->ops->accept(empty.store, &accept, 1, empty.arena,
                                          &accepted),
                 STILE_OK);
    cr_assert_eq(proven(&empty), STILE_DENIED, "the steps are gone");
    close_desk(&empty);
}

Test(rules_live, an_officer_whose_term_ended_has_signed_all_the_same)
{
    struct desk d;

    open_desk(&d);
    first_set(&d);
    d.now += 365 * DAY;
    cr_assert_eq(proven(&d), STILE_OK);
    edit(&d, "officers.yaml", "cg-1", "cg-2");
    cr_assert_eq(proven(&d), STILE_DENIED, "but must still be named");
    d.config.officers = NULL;
    cr_assert_eq(proven(&d), STILE_DENIED);
    close_desk(&d);
}

Test(rules_live, a_development_officer_is_enough)
{
    struct desk d;

    open_desk(&d);
    write_officers(&d, "self-approving: yes\n");
    approve(&d, 1);
    cr_assert(go_live(&d));
    close_desk(&d);
}

static uint64_t dirty(struct desk *d)
{
    struct stile_counts counts;

    cr_assert_eq(d->store->ops->counts(d->store, &counts), STILE_OK);
    return counts.dirty;
}

/* What a feed brought while other rules were in force is looked at again. */
Test(rules_live, persons_of_feeds_are_worked_again)
{
    struct desk d;
    struct stile_feed_config feed = {.name = S("gp")};
    struct stile_mirror_row row = {.feed = S("gp"),
                                   .table = S("T"),
                                   .key = S("k"),
                                   .person = S("p"),
                                   .cells = S("[]"),
                                   .batch = 1};
    struct stile_accept accept = {.clear_feed = S("gp"),
                                  .clear_person = S("p")};
    struct stile_accepted accepted;
    struct stile_str *persons = NULL;
    uint64_t *marks = NULL;
    size_t count = 0;

    open_desk(&d);
    d.config.feeds = &feed;
    d.config.feed_count = 1;
    cr_assert_eq(d.store->ops->mirror_apply(d.store, &row, 1), STILE_OK);
    cr_assert_eq(d.store->ops->dirty(d.store, feed.name, 9, d.arena, &persons,
                                     &marks, &count),
                 STILE_OK);
    cr_assert_eq(count, 1);
    accept.clear_batch = marks[0];
    cr_assert_eq(d.store->ops->accept(d.store, &accept, 1, d.arena, &accepted),
                 STILE_OK);
    cr_assert_eq(dirty(&d), 0);
    approve(&d, 2);
    cr_assert_eq(dirty(&d), 0);
    cr_assert(go_live(&d));
    cr_assert_eq(dirty(&d), 1);
    close_desk(&d);
}
