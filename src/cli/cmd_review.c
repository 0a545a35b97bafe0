/*
 * review: what the rules hold until a person has looked. To list is to see
 * words and ids; to see the content, to release and to refuse are acts of an
 * officer, each with its entry in the audit log.
 */
#include "cli_review.h"

/* ---- list ---- */

static void list_all(const struct cli_args *args, struct cli_desk *desk,
                     const struct stile_review *reviews, size_t count)
{
    const struct stile_rules *words = stile__cli_review_words(desk);

    for (size_t i = 0; i < count; i++) {
        if (reviews[i].state != STILE_REVIEW_WAITING &&
            !stile__cli_has(args, "all")) {
            continue;
        }
        if (stile__cli_has(args, "json")) {
            stile__cli_review_json(desk, words, &reviews[i], NULL, &desk->out);
        } else {
            stile__cli_review_line(desk, words, &reviews[i], &desk->out);
        }
    }
}

static int run_list(const struct cli_args *args)
{
    struct cli_desk desk = {0};
    struct stile_review *reviews = NULL;
    enum stile_status status = STILE_OK;
    uint64_t limit;
    size_t count = 0;
    int result;

    if (!stile__cli_number(args, "limit", 1, 100000, 100, &limit)) {
        return CLI_USAGE;
    }
    result = stile__cli_desk_open(args, false, &desk);
    if (result == CLI_OK) {
        status = desk.store->ops->reviews(desk.store, 0, (size_t)limit,
                                          desk.arena, &reviews, &count);
    }
    if (result == CLI_OK && status == STILE_OK) {
        list_all(args, &desk, reviews, count);
        if (desk.out.len == 0) {
            (void)fputs("nothing waits for a person\n", stderr);
        }
    }
    return stile__cli_desk_close(&desk, status, result);
}

/* ---- one review ---- */

static bool get_review(const struct cli_args *args, struct cli_desk *desk,
                       struct stile_review *ret)
{
    struct stile_review *reviews = NULL;
    enum stile_status status;
    int64_t id = 0;
    size_t count = 0;

    if (!stile_str_to_int64(stile_str_cstr(args->words[0]), &id) || id < 1) {
        stile__cli_say("'%s' is no id of 'stile review list'", args->words[0]);
        return false;
    }
    status = desk->store->ops->reviews(desk->store, id, 1, desk->arena,
                                       &reviews, &count);
    if (status == STILE_OK) {
        *ret = reviews[0];
        return true;
    }
    stile__cli_say(status == STILE_NOT_FOUND ? "there is no review %lld%s"
                                             : "review %lld: %s",
                   (long long)id,
                   status == STILE_NOT_FOUND ? "" : stile_status_text(status));
    return false;
}

static bool is_item(const struct stile_review *review, int64_t n)
{
    for (size_t i = 0; i < review->item_count; i++) {
        if (review->items[i].n == n) {
            return true;
        }
    }
    return false;
}

/* --items 1,3; or all that have no word yet. */
static bool choose_items(const struct cli_args *args, struct cli_desk *desk,
                         const struct stile_review *review,
                         struct stile_reviewing *ret)
{
    struct stile_str rest = stile_str_cstr(stile__cli_get(args, "items"));
    uint32_t *items =
        stile_arena_array(desk->arena, review->item_count + 1, sizeof(*items));
    struct stile_str word;
    size_t count = 0;
    int64_t n;

    if (!items) {
        return false;
    }
    for (size_t i = 0; rest.len == 0 && i < review->item_count; i++) {
        if (review->items[i].word == STILE_REVIEW_NO_WORD) {
            items[count++] = review->items[i].n;
        }
    }
    while (rest.len > 0 && stile_str_next(&rest, ',', &word)) {
        bool twice = false;

        if (!stile_str_to_int64(stile_str_trim(word), &n) ||
            !is_item(review, n)) {
            stile__cli_say("review %lld has no item '%.*s': see 'stile review "
                           "show'",
                           (long long)review->id, STILE_FMT(word));
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            twice = twice || items[i] == n;
        }
        if (!twice) {
            items[count++] = (uint32_t)n;
        }
    }
    ret->review = review;
    ret->items = items;
    ret->item_count = count;
    ret->now = stile_now();
    return true;
}

/* Signs what is about to be done, to these items and no others. */
static int sign(const struct cli_args *args, struct cli_desk *desk,
                const char *what, struct stile_reviewing *reviewing,
                struct stile_act *ret)
{
    struct stile_str subject;
    int result;

    if (!desk->officers) {
        stile__cli_say("%s names no officers (officers:), and only an officer "
                       "who may review can do this",
                       stile__cli_get(args, "config"));
        return CLI_FAILED;
    }
    subject = stile_reviewing_subject(reviewing, &desk->keys, desk->arena);
    if (subject.ptr == NULL) {
        stile__cli_say("these are too many items for one act: name some with "
                       "--items");
        return CLI_FAILED;
    }
    result = stile__cli_sign(args, desk->officers, STILE_MAY_REVIEW, what,
                             subject, desk->arena, ret);
    if (result == CLI_OK) {
        reviewing->act = stile_act_value(desk->officers, ret, desk->arena);
        reviewing->now = ret->at;
    }
    return result;
}

static struct stile_plan house_of(const struct cli_desk *desk)
{
    return (struct stile_plan){.gateway = desk->config->name,
                               .ods = desk->config->ods};
}

static enum stile_status enter(struct cli_desk *desk, struct stile_str entry)
{
    struct stile_accept accept = {
        .now = stile_now(), .entries = &entry, .entry_count = 1};
    struct stile_accepted accepted;
    enum stile_status status = desk->store->ops->accept(desk->store, &accept, 1,
                                                        desk->arena, &accepted);

    return status != STILE_OK ? status : accepted.status;
}

/* ---- show ---- */

static void show(const struct cli_args *args, struct cli_desk *desk,
                 const struct stile_review *review,
                 const struct stile_value *patient,
                 const struct stile_value **content)
{
    const struct stile_rules *words = stile__cli_review_words(desk);

    if (stile__cli_has(args, "json")) {
        stile__cli_review_json(desk, words, review, content, &desk->out);
    } else {
        stile__cli_review_line(desk, words, review, &desk->out);
        if (patient) {
            stile__cli_review_about(patient, &desk->out);
        }
        stile__cli_review_items(review, content, &desk->out);
    }
}

/* A person must see what they decide on; that they saw it is in the log before
 * they do. */
static int look(const struct cli_args *args, struct cli_desk *desk,
                const struct stile_review *review,
                enum stile_status *ret_status)
{
    struct stile_plan house = house_of(desk);
    struct stile_reviewing reviewing = {0};
    const struct stile_value **content = NULL, *patient = NULL;
    struct stile_str kept = STILE_STR_NULL, entry;
    struct stile_act act;
    uint32_t *all =
        stile_arena_array(desk->arena, review->item_count + 1, sizeof(*all));
    int result;

    for (size_t i = 0; all && i < review->item_count; i++) {
        all[i] = review->items[i].n;
    }
    reviewing.review = review;
    reviewing.items = all;
    reviewing.item_count = all ? review->item_count : 0;
    *ret_status = desk->store->ops->message(desk->store, review->message_id,
                                            desk->arena, &kept);
    if (*ret_status == STILE_NOT_FOUND) {
        stile__cli_say("review %lld is %s: its content is kept no longer",
                       (long long)review->id,
                       stile_review_state_text(review->state));
        *ret_status = STILE_OK;
        return CLI_FAILED;
    }
    result = *ret_status == STILE_OK
                 ? sign(args, desk, "view", &reviewing, &act)
                 : CLI_OK;
    if (result != CLI_OK || *ret_status != STILE_OK) {
        return result;
    }
    entry = stile_reviewing_entry(&house, "viewed", &reviewing, &desk->keys,
                                  desk->arena);
    *ret_status = entry.ptr == NULL ? STILE_LIMIT : enter(desk, entry);
    if (*ret_status == STILE_OK) {
        *ret_status = stile_reviewing_content(
            &reviewing, kept, desk->config->json, desk->arena, &content);
    }
    if (*ret_status == STILE_OK) {
        *ret_status = stile_reviewing_patient(review, kept, desk->config->json,
                                              desk->arena, &patient);
    }
    if (*ret_status == STILE_OK || *ret_status == STILE_NOT_FOUND) {
        *ret_status = STILE_OK;
        show(args, desk, review, patient, content);
    }
    return CLI_OK;
}

static int run_show(const struct cli_args *args)
{
    struct cli_desk desk = {0};
    struct stile_review review;
    enum stile_status status = STILE_OK;
    bool acts = stile__cli_has(args, "as") || stile__cli_has(args, "key");
    int result = stile__cli_desk_open(args, acts, &desk);

    if (result == CLI_OK && !get_review(args, &desk, &review)) {
        result = CLI_FAILED;
    }
    if (result == CLI_OK && acts) {
        result = look(args, &desk, &review, &status);
    } else if (result == CLI_OK) {
        show(args, &desk, &review, NULL, NULL);
    }
    return stile__cli_desk_close(&desk, status, result);
}

/* ---- release and refuse ---- */

static bool waits(const struct stile_review *review)
{
    struct stile_buf mixed;

    if (review->state == STILE_REVIEW_WAITING) {
        return true;
    }
    stile_buf_init(&mixed, 100);
    if (stile__cli_review_mixed(review, &mixed)) {
        stile__cli_say("review %lld was decided already, %.*s: %.*s",
                       (long long)review->id, STILE_FMT(stile_buf_str(&mixed)),
                       STILE_FMT(review->reason));
    } else {
        stile__cli_say("review %lld was %s already: %.*s",
                       (long long)review->id,
                       review->state == STILE_REVIEW_LAPSED
                           ? "ended"
                           : stile_review_state_text(review->state),
                       STILE_FMT(review->reason));
    }
    stile_buf_release(&mixed);
    return false;
}

/* The word ends the review when it leaves no item without one. */
static enum stile_review_state state_after(const struct stile_reviewing *r,
                                           enum stile_review_word word)
{
    size_t open = 0;

    for (size_t i = 0; i < r->review->item_count; i++) {
        open += r->review->items[i].word == STILE_REVIEW_NO_WORD;
    }
    if (open > r->item_count) {
        return STILE_REVIEW_WAITING;
    }
    return word == STILE_REVIEW_RELEASE ? STILE_REVIEW_RELEASED
                                        : STILE_REVIEW_REFUSED;
}

static enum stile_status
settle(struct cli_desk *desk, const struct stile_reviewing *reviewing,
       const struct stile_act *act, enum stile_review_word word,
       const struct stile_outbox_new *row, struct stile_str entry)
{
    struct stile_buf text;
    struct stile_review_settle settle = {
        .id = reviewing->review->id,
        .now = reviewing->now,
        .state = state_after(reviewing, word),
        .reason = stile_arena_printf(desk->arena, "%.*s: %.*s",
                                     STILE_FMT(act->officer),
                                     STILE_FMT(act->because)),
        .items = reviewing->items,
        .item_count = reviewing->item_count,
        .word = word,
        .row = row,
        .entries = &entry,
        .entry_count = 1};
    enum stile_status status;

    stile_buf_init(&text, 65536);
    stile_value_json(reviewing->act, 0, &text);
    settle.act = stile_buf_str(&text);
    status = text.status != STILE_OK
                 ? text.status
                 : desk->store->ops->review_settle(desk->store, &settle);
    stile_buf_release(&text);
    return status;
}

static int settled(struct cli_desk *desk, const struct stile_review *review,
                   const struct stile_reviewing *reviewing, const char *word,
                   const char *then, enum stile_status *status)
{
    if (*status == STILE_CONFLICT) {
        stile__cli_say("review %lld was decided meanwhile, or has changed: "
                       "look again",
                       (long long)review->id);
        *status = STILE_OK;
        return CLI_FAILED;
    }
    if (*status == STILE_OK) {
        stile_buf_printf(&desk->out, "review %lld: ", (long long)review->id);
        stile__cli_plural(&desk->out, reviewing->item_count, "item", "items");
        stile_buf_printf(&desk->out, " %s; %s\n", word, then);
    }
    return CLI_OK;
}

static enum stile_status gather(struct cli_desk *desk,
                                const struct stile_review *review,
                                struct stile_again *ret)
{
    struct stile_store *store = desk->store;
    struct stile_stored_fact *facts = NULL;
    struct stile_review_item *reviewed = NULL;
    enum stile_status status =
        store->ops->message(store, review->message_id, desk->arena, &ret->kept);

    if (status == STILE_OK) {
        status = store->ops->facts(store, review->person, desk->arena, &facts,
                                   &ret->fact_count, &ret->epoch);
    }
    if (status == STILE_OK) {
        status = store->ops->reviewed(store, review->person, desk->arena,
                                      &reviewed, &ret->reviewed_count);
    }
    ret->route = review->route;
    ret->message_id = review->message_id;
    ret->facts = facts;
    ret->reviewed = reviewed;
    return status;
}

static int decide(struct cli_desk *desk, struct stile_plan_box *box,
                  const struct stile_reviewing *reviewing,
                  const struct stile_act *act, enum stile_status *ret_status)
{
    const struct stile_review *review = reviewing->review;
    struct stile_again again = {.now = reviewing->now};
    struct stile_release got = {0};
    enum stile_status status = gather(desk, review, &again);

    if (status == STILE_OK) {
        status = stile_exchange_release(&box->plan, reviewing, &again,
                                        &desk->keys, desk->arena, &got);
    }
    if (status == STILE_DENIED || status == STILE_CONFLICT) {
        stile__cli_say("not released: %.*s", STILE_FMT(got.why));
        *ret_status =
            status == STILE_DENIED ? enter(desk, got.entry) : STILE_OK;
        return CLI_FAILED;
    }
    if (status == STILE_NOT_FOUND) {
        stile__cli_say("not released: the route %.*s is in stile.yaml no "
                       "longer",
                       STILE_FMT(review->route));
        return CLI_FAILED;
    }
    if (status == STILE_OK) {
        status = settle(desk, reviewing, act, STILE_REVIEW_RELEASE,
                        got.has_row ? &got.row : NULL, got.entry);
    }
    *ret_status = status;
    return settled(desk, review, reviewing, "released",
                   got.has_row
                       ? "what goes is due now"
                       : "what goes leaves with the next look at the feed",
                   ret_status);
}

/* By the rules in force, whatever the folder proposes. */
static bool plan_in_force(struct cli_desk *desk, struct stile_plan_box **ret)
{
    struct stile_rules_step step;
    struct stile_str packed = STILE_STR_NULL;
    struct stile_diags diags;
    const char *error = "";
    enum stile_status status = stile_rules_in_force(
        desk->config, desk->store, desk->arena, &step, &packed, &error);

    if (status != STILE_OK) {
        stile__cli_say("not released: %s",
                       status == STILE_NOT_FOUND
                           ? "no rule set is in force: see 'stile rules status'"
                           : error);
        return false;
    }
    stile_diags_init(&diags, desk->arena, 0);
    status = stile_plan_load_under(desk->config->mappings, desk->config, packed,
                                   stile_today(), &diags, ret);
    if (status != STILE_OK) {
        (void)!stile__cli_diags(stderr, &diags);
        stile__cli_say("not released: the plan cannot be read (%s)",
                       stile_status_text(status));
    }
    return status == STILE_OK;
}

static int run_release(const struct cli_args *args)
{
    struct cli_desk desk = {0};
    struct stile_plan_box *box = NULL;
    struct stile_review review;
    struct stile_reviewing reviewing = {0};
    struct stile_act act;
    enum stile_status status = STILE_OK;
    int result = stile__cli_desk_open(args, true, &desk);

    if (result == CLI_OK &&
        (!get_review(args, &desk, &review) || !waits(&review) ||
         !choose_items(args, &desk, &review, &reviewing))) {
        result = CLI_FAILED;
    }
    if (result == CLI_OK) {
        result = sign(args, &desk, "release", &reviewing, &act);
    }
    if (result == CLI_OK && !plan_in_force(&desk, &box)) {
        result = CLI_FAILED;
    }
    if (result == CLI_OK) {
        result = decide(&desk, box, &reviewing, &act, &status);
    }
    stile_plan_release(&box);
    return stile__cli_desk_close(&desk, status, result);
}

static int run_refuse(const struct cli_args *args)
{
    struct cli_desk desk = {0};
    struct stile_review review;
    struct stile_reviewing reviewing = {0};
    struct stile_plan house;
    struct stile_act act;
    struct stile_str entry;
    enum stile_status status = STILE_OK;
    int result = stile__cli_desk_open(args, true, &desk);

    if (result == CLI_OK &&
        (!get_review(args, &desk, &review) || !waits(&review) ||
         !choose_items(args, &desk, &review, &reviewing))) {
        result = CLI_FAILED;
    }
    if (result == CLI_OK) {
        result = sign(args, &desk, "refuse", &reviewing, &act);
    }
    if (result == CLI_OK) {
        house = house_of(&desk);
        entry = stile_reviewing_entry(&house, "refused", &reviewing, &desk.keys,
                                      desk.arena);
        status = entry.ptr == NULL ? STILE_LIMIT
                                   : settle(&desk, &reviewing, &act,
                                            STILE_REVIEW_REFUSE, NULL, entry);
        result = settled(&desk, &review, &reviewing, "refused",
                         "nothing of it is sent, and nobody is told", &status);
    }
    return stile__cli_desk_close(&desk, status, result);
}

/* ---- the commands ---- */

static const struct cli_option list_options[] = {
    CLI_CONFIG_OPTION,
    {"store", 0, "FILE", "the store itself, instead of -c"},
    {"all", 0, NULL, "those that ended too"},
    {"limit", 0, "N", "at most so many, 100"},
    CLI_JSON_OPTION,
};

static const struct cli_option show_options[] = {
    CLI_CONFIG_OPTION,
    {"store", 0, "FILE", "the store itself, instead of -c"},
    CLI_OFFICER_OPTIONS,
    CLI_JSON_OPTION,
};

static const struct cli_option act_options[] = {
    CLI_CONFIG_OPTION,
    CLI_OFFICER_OPTIONS,
    {"items", 0, "N,N", "these items alone, by their numbers in 'show'"},
};

const struct cli_command stile__cmd_review_list = {
    "review list",
    "",
    0,
    0,
    "list what waits for a person's word",
    "Lists what the rules hold until a person has looked, longest waiting\n"
    "first: since when, for whom, what kind of items, by which rule and in "
    "the\n"
    "officer's own words. No patient's data. With --json one object a line.\n\n"
    "  stile review list -c /etc/stile/stile.yaml\n\n"
    "exit: 0 listed; 1 the store cannot be read; 2 wrong command line",
    CLI_OPTIONS(list_options),
    run_list};

const struct cli_command stile__cmd_review_show = {
    "review show",
    "ID",
    1,
    1,
    "show what a review is about",
    "Shows the items of a review. With --as, --key and --because what they\n"
    "hold is shown too, to an officer who may review: a person must see what\n"
    "they decide on. That they looked is in the audit log before they see it.\n"
    "\n"
    "  stile review show -c stile.yaml 17\n"
    "  stile review show -c stile.yaml 17 --as cg-1 --key cg-1.key \\\n"
    "      --because 'to decide'\n\n"
    "exit: 0 shown; 1 no such review, or not allowed; 2 wrong command line",
    CLI_OPTIONS(show_options),
    run_show};

const struct cli_command stile__cmd_review_release = {
    "review release",
    "ID",
    1,
    1,
    "let go what waits, as an officer",
    "A person's word that these items may go to this recipient although these\n"
    "rules hold them. The rules are asked again with what is known now, and\n"
    "whatever else keeps an item back still does. What goes is due at once; "
    "of\n"
    "an export it leaves with the next look at the feed. Items that came in a\n"
    "newer version since cannot be released.\n\n"
    "  stile review release -c stile.yaml 17 --as cg-1 --key cg-1.key \\\n"
    "      --because 'Fraser competent, agreed with the parent'\n\n"
    "exit: 0 released; 1 it was not, and why; 2 wrong command line",
    CLI_OPTIONS(act_options),
    run_release};

const struct cli_command stile__cmd_review_refuse = {
    "review refuse",
    "ID",
    1,
    1,
    "keep back for good what waits, as an officer",
    "A person's word that these items do not go. Nothing is sent, and neither\n"
    "sender nor recipient is told. Of an export, an item is not asked about\n"
    "again until it changes.\n\n"
    "  stile review refuse -c stile.yaml 17 --as cg-1 --key cg-1.key \\\n"
    "      --because 'not in the child'\\''s interest'\n\n"
    "exit: 0 refused; 1 it was not, and why; 2 wrong command line",
    CLI_OPTIONS(act_options),
    run_refuse};
