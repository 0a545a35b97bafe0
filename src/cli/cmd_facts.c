/*
 * facts: what is known of one person. It is a disclosure inside the house, so
 * its audit entry is durable before a word of it is printed.
 */
#include "facts.h"

struct seeing {
    struct facts_run run;
    struct stile_str number, person;
    struct stile_stored_fact *stored;
    struct stile_fact *facts; /* the same, as they stand now */
    size_t count;
    uint64_t epoch;
    stile_time now;
};

static const char *truth_text(enum stile_truth truth)
{
    return truth == STILE_YES ? "yes" : truth == STILE_NO ? "no" : "unknown";
}

static struct stile_str day_text(const struct seeing *s, stile_time time)
{
    char text[25];
    size_t len;

    if (time == 0) {
        return STILE_STR_NULL;
    }
    if (time == INT64_MAX) {
        return STILE_STR("last of all"); /* it stands above all others */
    }
    len = stile_time_format(time, text);
    /* Most are days. */
    if (time % (86400 * STILE_SECOND) == 0) {
        len = 10;
    }
    return stile_arena_str(s->run.arena, (struct stile_str){text, len});
}

/* ---- the entry ---- */

static int enter(struct seeing *s)
{
    struct stile_value *more = stile_value_new(s->run.arena, STILE_OBJECT);
    struct stile_act act;
    struct stile_str entry;
    int result;

    result = stile__cli_sign(s->run.args, s->run.officers, STILE_MAY_READ_FACTS,
                             "see-facts", s->person, s->run.arena, &act);
    if (result != CLI_OK) {
        return result;
    }
    (void)stile_value_set_str(s->run.arena, more, "person", s->person);
    entry =
        stile_entry_act(&s->run.house, "facts-seen", &act, more, s->run.arena);
    if (!entry.len) {
        stile__cli_say("nothing is shown: the audit entry could not be made");
        return CLI_FAILED;
    }
    return stile__facts_accept(&s->run, &entry, 1, NULL, 0) ? CLI_OK
                                                            : CLI_FAILED;
}

static bool gather(struct seeing *s)
{
    const struct stile_store *store = s->run.store;
    enum stile_status status =
        store->ops->facts(s->run.store, s->number, s->run.arena, &s->stored,
                          &s->count, &s->epoch);

    s->now = stile_now();
    s->facts = stile_arena_array(s->run.arena, s->count + 1, sizeof(*s->facts));
    if (status != STILE_OK || !s->facts) {
        stile__cli_say("the facts cannot be read: %s",
                       stile_status_text(status));
        return false;
    }
    for (size_t i = 0; i < s->count; i++) {
        s->facts[i] = stile_stored_fact_at(&s->stored[i], s->now);
    }
    return true;
}

/* ---- what an export says besides ---- */

static stile_time bound_of(struct stile_date day, int64_t more)
{
    return day.year == 0 ? 0
                         : stile_london_midnight(stile_date_days(day) + more);
}

/* The store's facts and, after them, those of the record: what a decision
 * about the export stands on. */
static bool add_record(struct seeing *s, const struct stile_feed_config *feed,
                       const struct stile_fact *facts, size_t count)
{
    struct stile_arena *arena = s->run.arena;
    size_t total = s->count + count;
    struct stile_stored_fact *stored =
        stile_arena_array(arena, total + 1, sizeof(*stored));
    struct stile_fact *all = stile_arena_array(arena, total + 1, sizeof(*all));

    if (!stored || !all) {
        return false;
    }
    for (size_t i = 0; i < total; i++) {
        const struct stile_fact *fact;

        if (i < s->count) {
            stored[i] = s->stored[i];
            all[i] = s->facts[i];
            continue;
        }
        fact = &facts[i - s->count];
        stored[i] = (struct stile_stored_fact){
            .person = s->number,
            .name = fact->name,
            .recipient = fact->recipient,
            .source =
                stile_arena_printf(arena, "%.*s|%.*s", STILE_FMT(feed->name),
                                   STILE_FMT(fact->source)),
            .value = (int)fact->value,
            .date = fact->date,
            .from = bound_of(fact->from, 0),
            .until = bound_of(fact->until, 1)};
        all[i] = stile_stored_fact_at(&stored[i], s->now);
    }
    s->stored = stored;
    s->facts = all;
    s->count = total;
    return true;
}

/* ---- what is known, about whom it is asked ---- */

/* Recipients that some fact of the name is about; the empty one stands for
 * whoever is not named, and comes first. */
static size_t recipients_of(const struct seeing *s, struct stile_str name,
                            struct stile_str *ret)
{
    size_t count = 0;

    ret[count++] = STILE_STR_NULL;
    for (size_t i = 0; i < s->count; i++) {
        bool seen = !stile_str_eq(s->facts[i].name, name);

        for (size_t k = 0; k < count && !seen; k++) {
            seen = stile_str_eq(ret[k], s->facts[i].recipient);
        }
        if (!seen) {
            ret[count++] = s->facts[i].recipient;
        }
    }
    return count;
}

static const struct stile_known *known_of(const struct seeing *s,
                                          struct stile_str name,
                                          struct stile_str recipient)
{
    struct stile_known *known = NULL;
    size_t count = 0;

    if (stile_govern_known(s->run.rules, s->facts, s->count, recipient,
                           stile_today(), s->run.arena, &known,
                           &count) != STILE_OK) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (stile_str_eq(known[i].fact, name)) {
            return &known[i];
        }
    }
    return NULL;
}

static const struct stile_str families[] = {
    {"emis", 4}, {"systmone", 8}, {"vcse-case", 9}, {"fhir", 4}};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* ---- in words ---- */

static void say_silence(const struct seeing *s, struct stile_str name,
                        struct stile_buf *out)
{
    stile_buf_addc(out, "  nothing is recorded; silence means ");
    for (size_t i = 0; i < FAMILIES; i++) {
        stile_buf_printf(
            out, "%s%s (%.*s)", i ? ", " : "",
            truth_text(stile_govern_silence(s->run.rules, name, families[i])),
            STILE_FMT(families[i]));
    }
    stile_buf_byte(out, '\n');
}

static void say_given(const struct seeing *s, size_t i, bool counts,
                      struct stile_buf *out)
{
    const struct stile_stored_fact *fact = &s->stored[i];
    struct stile_str date = day_text(s, fact->date);

    stile_buf_printf(out, "  %s %s, said %.*s by %.*s", counts ? "*" : "-",
                     truth_text((enum stile_truth)fact->value),
                     STILE_FMT(date.len ? date : STILE_STR("without a date")),
                     STILE_FMT(fact->source));
    if (fact->from) {
        stile_buf_printf(out, ", from %.*s",
                         STILE_FMT(day_text(s, fact->from)));
    }
    if (fact->until) {
        stile_buf_printf(out, ", until before %.*s",
                         STILE_FMT(day_text(s, fact->until)));
    }
    stile_buf_byte(out, '\n');
}

static void say_stale(const struct stile_known *known, struct stile_buf *out)
{
    if (known->stale.year) {
        stile_buf_printf(out,
                         "    counts %u days from its date; not known from "
                         "%04d-%02d-%02d on\n",
                         (unsigned)known->max_age, (int)known->stale.year,
                         (int)known->stale.month, (int)known->stale.day);
    }
}

static void say_one(const struct seeing *s, struct stile_str name,
                    struct stile_str recipient, struct stile_buf *out)
{
    const struct stile_known *known = known_of(s, name, recipient);

    if (!known || !known->any) {
        return;
    }
    stile_buf_printf(out, "%.*s%s%.*s: %s: %s\n", STILE_FMT(name),
                     recipient.len ? " to " : "", STILE_FMT(recipient),
                     truth_text(known->value), known->why);
    for (size_t i = 0; i < s->count; i++) {
        if (stile_str_eq(s->facts[i].name, name) &&
            (stile_str_eq(s->facts[i].recipient, recipient) ||
             !s->facts[i].recipient.len)) {
            say_given(s, i, i == known->counts, out);
        }
    }
    say_stale(known, out);
}

/* ---- as JSON ---- */

static void json_text(struct stile_buf *out, const char *name,
                      struct stile_str text)
{
    if (text.len) {
        stile_buf_printf(out, ",\"%s\":", name);
        stile_buf_json_str(out, text);
    }
}

static void json_given(const struct seeing *s, size_t i, bool counts,
                       struct stile_buf *out)
{
    const struct stile_stored_fact *fact = &s->stored[i];

    stile_buf_printf(out, "{\"value\":\"%s\",\"counts\":%s",
                     truth_text((enum stile_truth)fact->value),
                     counts ? "true" : "false");
    json_text(out, "recipient", fact->recipient);
    json_text(out, "source", fact->source);
    json_text(out, "date", day_text(s, fact->date));
    json_text(out, "from", day_text(s, fact->from));
    json_text(out, "until", day_text(s, fact->until));
    stile_buf_byte(out, '}');
}

static void json_one(const struct seeing *s, struct stile_str name,
                     struct stile_str recipient, struct stile_buf *out)
{
    const struct stile_known *known = known_of(s, name, recipient);
    const char *before = "";

    if (!known) {
        return;
    }
    stile_buf_addc(out, "{\"fact\":");
    stile_buf_json_str(out, name);
    json_text(out, "recipient", recipient);
    stile_buf_printf(out, ",\"known\":%s", known->any ? "true" : "false");
    if (known->any) {
        stile_buf_printf(
            out, ",\"value\":\"%s\",\"why\":", truth_text(known->value));
        stile_buf_json_str(out, stile_str_cstr(known->why));
    }
    if (known->stale.year) {
        stile_buf_printf(out, ",\"stale\":\"%04d-%02d-%02d\"",
                         (int)known->stale.year, (int)known->stale.month,
                         (int)known->stale.day);
    }
    stile_buf_addc(out, ",\"given\":[");
    for (size_t i = 0; i < s->count; i++) {
        if (stile_str_eq(s->facts[i].name, name) &&
            (stile_str_eq(s->facts[i].recipient, recipient) ||
             !s->facts[i].recipient.len)) {
            stile_buf_addc(out, before);
            json_given(s, i, i == known->counts, out);
            before = ",";
        }
    }
    stile_buf_addc(out, "],\"silence\":{");
    for (size_t i = 0; i < FAMILIES; i++) {
        stile_buf_printf(
            out, "%s\"%.*s\":\"%s\"", i ? "," : "", STILE_FMT(families[i]),
            truth_text(stile_govern_silence(s->run.rules, name, families[i])));
    }
    stile_buf_addc(out, "}}\n");
}

/* ---- the whole ---- */

static void report(struct seeing *s, struct stile_str feed)
{
    struct stile_str *words = NULL, *recipients;
    struct stile_buf *out = &s->run.out;
    bool json = stile__cli_has(s->run.args, "json");
    size_t count = 0;

    recipients =
        stile_arena_array(s->run.arena, s->count + 1, sizeof(*recipients));
    if (!recipients ||
        stile_rules_words(s->run.rules, STILE_RULES_WORDS_FACTS, s->run.arena,
                          &words, &count) != STILE_OK) {
        return; /* the arena has failed: said at the end */
    }
    if (json) {
        stile_buf_printf(out, "{\"epoch\":%llu,\"facts\":%zu",
                         (unsigned long long)s->epoch, s->count);
        json_text(out, "feed", feed);
        stile_buf_addc(out, "}\n");
    } else {
        if (feed.len) {
            stile_buf_printf(
                out, "\nwith what the feed %.*s says: ", STILE_FMT(feed));
        }
        stile_buf_printf(out, "epoch %llu, ", (unsigned long long)s->epoch);
        stile__cli_plural(out, s->count, "fact", "facts");
        stile_buf_addc(out, "; * counts\n");
    }
    for (size_t i = 0; i < count; i++) {
        size_t about = recipients_of(s, words[i], recipients);
        bool any = false;

        for (size_t k = 0; k < about; k++) {
            const struct stile_known *known =
                known_of(s, words[i], recipients[k]);
            any = any || (known && known->any);
            if (json) {
                json_one(s, words[i], recipients[k], out);
            } else {
                say_one(s, words[i], recipients[k], out);
            }
        }
        if (!any && !json && known_of(s, words[i], STILE_STR_NULL)) {
            stile_buf_printf(out, "%.*s\n", STILE_FMT(words[i]));
            say_silence(s, words[i], out);
        }
    }
}

/* A feed that knows the person is decided with its own record besides. */
static bool report_feeds(struct seeing *s)
{
    const struct seeing store = *s;

    for (size_t i = 0; i < s->run.config->feed_count; i++) {
        const struct stile_feed_config *feed = &s->run.config->feeds[i];
        struct stile_fact *facts = NULL;
        size_t count = 0;
        bool known;

        if (!stile__facts_of_feed(&s->run, feed, s->number, &facts, &count,
                                  &known)) {
            return false;
        }
        if (!known) {
            continue;
        }
        if (!add_record(s, feed, facts, count)) {
            stile__cli_say("there is too much to be shown");
            return false;
        }
        report(s, feed->name);
        s->stored = store.stored;
        s->facts = store.facts;
        s->count = store.count;
    }
    return true;
}

static int see(struct seeing *s)
{
    int result;

    if (!stile__facts_number(&s->run, s->run.args->words[0], &s->number)) {
        return CLI_FAILED;
    }
    s->person = stile__facts_person(&s->run, s->number);
    result = enter(s);
    if (result != CLI_OK) {
        return result;
    }
    if (!gather(s)) {
        return CLI_FAILED;
    }
    report(s, STILE_STR_NULL);
    if (!report_feeds(s)) {
        return CLI_FAILED;
    }
    if (stile_arena_failed(s->run.arena)) {
        stile__cli_say("there is too much to be shown");
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int run(const struct cli_args *args)
{
    struct seeing s = {0};
    int result = stile__facts_open(args, &s.run);

    if (result == CLI_OK) {
        result = see(&s);
    }
    return stile__facts_close(&s.run, result);
}

static const struct cli_option options[] = {
    CLI_CONFIG_OPTION,
    CLI_OFFICER_OPTIONS,
    CLI_JSON_OPTION,
};

const struct cli_command stile__cmd_facts = {
    "facts",
    "NHS-NUMBER",
    1,
    1,
    "show what is known of a person, and which word counts",
    "Prints every fact that the store keeps of the person: yes, no or\n"
    "unknown, where it comes from, the day it was said, from when and until\n"
    "when it holds; which of them counts and why; and, where nothing is\n"
    "recorded, what silence means per kind of source. For each feed whose\n"
    "export knows the person it is shown once more together with what their\n"
    "record says today: that is what a decision about the export stands on.\n\n"
    "It is a disclosure inside the house: it needs an officer who may\n"
    "read-facts, and an entry of the audit log is written first. The entry\n"
    "holds no NHS number. With '-' the number is read from standard input, so\n"
    "that it does not stand in the shell's history.\n\n"
    "  echo 9990000018 | stile facts - -c stile.yaml --as cg-1 --key cg-1.key "
    "\\\n"
    "        --because 'subject access request 12'\n\n"
    "exit: 0 shown; 1 not, and it has been said why; 2 wrong command line",
    CLI_OPTIONS(options),
    run};
