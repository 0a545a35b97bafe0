/* Words about a review: no patient's value but what an officer asked for. */
#include "cli_review.h"

static struct stile_str age_of(const struct stile_review *review, char out[32])
{
    int64_t seconds = (stile_now() - review->since) / STILE_SECOND;
    int64_t days = seconds / 86400, hours = seconds / 3600 % 24;
    int n = days > 0 ? snprintf(out, 32, "%lldd %lldh", (long long)days,
                                (long long)hours)
                     : snprintf(out, 32, "%lldh %lldm", (long long)hours,
                                (long long)(seconds / 60 % 60));

    return (struct stile_str){out, n > 0 && n < 32 ? (size_t)n : 0};
}

static const char *word_text(const struct stile_review_item *item)
{
    if (item->word == STILE_REVIEW_RELEASE) {
        return "released";
    }
    if (item->word == STILE_REVIEW_REFUSE) {
        return "refused";
    }
    return item->changed ? "changed" : "waits";
}

/* Of one that waits, what waits still. */
static bool shown(const struct stile_review *review,
                  const struct stile_review_item *item)
{
    return review->state != STILE_REVIEW_WAITING ||
           item->word == STILE_REVIEW_NO_WORD;
}

/* "1 Patient, 2 ServiceRequest": in the order they come. */
static void say_kinds(const struct stile_review *review, struct stile_buf *out)
{
    size_t kinds = 0;

    for (size_t i = 0; i < review->item_count; i++) {
        size_t same = 0, before = 0;

        for (size_t k = 0; k < review->item_count; k++) {
            if (shown(review, &review->items[k]) &&
                stile_str_eq(review->items[k].type, review->items[i].type)) {
                same++;
                before += k < i;
            }
        }
        if (before == 0 && shown(review, &review->items[i])) {
            stile_buf_printf(out, "%s%zu %.*s", kinds++ > 0 ? ", " : "", same,
                             STILE_FMT(review->items[i].type));
        }
    }
}

bool stile__cli_review_mixed(const struct stile_review *review,
                             struct stile_buf *out)
{
    size_t released = 0, refused = 0;

    for (size_t i = 0; i < review->item_count; i++) {
        released += review->items[i].word == STILE_REVIEW_RELEASE;
        refused += review->items[i].word == STILE_REVIEW_REFUSE;
    }
    if (released + refused == 0 || released == review->item_count ||
        refused == review->item_count) {
        return false;
    }
    if (released > 0) {
        stile_buf_printf(out, "%zu released", released);
    }
    if (refused > 0) {
        stile_buf_printf(out, "%s%zu refused", released > 0 ? ", " : "",
                         refused);
    }
    return true;
}

/* Each rule once, with the officer's own words where the rules are at hand. */
static size_t rules_of(const struct stile_review *review,
                       struct stile_arena *arena, struct stile_str **ret)
{
    struct stile_str *rules = stile_arena_array(arena, 256, sizeof(*rules));
    size_t count = 0;

    for (size_t i = 0; rules && i < review->item_count; i++) {
        struct stile_str rest = review->items[i].rules, rule;

        while (stile_str_next(&rest, ',', &rule)) {
            size_t k = 0;

            rule = stile_str_trim(rule);
            while (k < count && !stile_str_eq(rules[k], rule)) {
                k++;
            }
            if (k == count && count < 256) {
                rules[count++] = rule;
            }
        }
    }
    *ret = rules;
    return count;
}

const struct stile_rules *stile__cli_review_words(const struct cli_desk *desk)
{
    const struct stile_rules *rules = NULL;
    struct stile_rules_step step;
    struct stile_str packed = STILE_STR_NULL;
    struct stile_diags diags;
    const char *error = "";

    stile_diags_init(&diags, desk->arena, 1);
    if (stile_rules_in_force(desk->config, desk->store, desk->arena, &step,
                             &packed, &error) != STILE_OK ||
        stile_rules_packed_load(packed, stile_today(), desk->arena, &diags,
                                &rules) != STILE_OK) {
        return NULL;
    }
    return rules;
}

static void say_rules(const struct cli_desk *desk,
                      const struct stile_rules *words,
                      const struct stile_review *review, struct stile_buf *out)
{
    struct stile_str *rules = NULL;
    size_t count = rules_of(review, desk->arena, &rules);

    for (size_t i = 0; i < count; i++) {
        struct stile_str says =
            words ? stile_rules_says(words, rules[i]) : STILE_STR_NULL;

        stile_buf_printf(out, "          %.*s%s%.*s\n", STILE_FMT(rules[i]),
                         says.len > 0 ? ": " : "", STILE_FMT(says));
    }
}

void stile__cli_review_line(const struct cli_desk *desk,
                            const struct stile_rules *words,
                            const struct stile_review *review,
                            struct stile_buf *out)
{
    struct stile_buf words_said;
    char since[25], age[32];

    since[stile_time_format(review->since, since)] = '\0';
    stile_buf_printf(
        out, "%8lld %-8s %s (%.*s)  %.*s to %.*s: ", (long long)review->id,
        stile_review_state_text(review->state), since,
        STILE_FMT(age_of(review, age)), STILE_FMT(review->route),
        STILE_FMT(review->partner));
    say_kinds(review, out);
    stile_buf_init(&words_said, 100);
    if (stile__cli_review_mixed(review, &words_said)) {
        stile_buf_addc(out, "; ");
        stile_buf_add(out, stile_buf_str(&words_said));
    }
    stile_buf_release(&words_said);
    stile_buf_byte(out, '\n');
    say_rules(desk, words, review, out);
    if (review->reason.len > 0) {
        stile_buf_printf(out, "          %.*s\n", STILE_FMT(review->reason));
    }
}

static void json_text(struct stile_buf *out, const char *name,
                      struct stile_str text)
{
    stile_buf_printf(out, ",\"%s\":", name);
    stile_buf_json_str(out, text);
}

static void item_json(const struct stile_review_item *item,
                      const struct stile_value *content, struct stile_buf *out)
{
    stile_buf_printf(out, "{\"n\":%u", (unsigned)item->n);
    json_text(out, "type", item->type);
    json_text(out, "data", item->data);
    json_text(out, "rules", item->rules);
    json_text(out, "state", stile_str_cstr(word_text(item)));
    if (content) {
        stile_buf_addc(out, ",\"resource\":");
        stile_value_json(content, 0, out);
    }
    stile_buf_byte(out, '}');
}

void stile__cli_review_json(const struct cli_desk *desk,
                            const struct stile_rules *words,
                            const struct stile_review *review,
                            const struct stile_value **content,
                            struct stile_buf *out)
{
    struct stile_str *rules = NULL;
    size_t count = rules_of(review, desk->arena, &rules);
    char since[25];

    since[stile_time_format(review->since, since)] = '\0';
    stile_buf_printf(out, "{\"id\":%lld,\"state\":\"%s\",\"since\":\"%s\"",
                     (long long)review->id,
                     stile_review_state_text(review->state), since);
    stile_buf_printf(out, ",\"age-seconds\":%lld",
                     (long long)((stile_now() - review->since) / STILE_SECOND));
    json_text(out, "route", review->route);
    json_text(out, "partner", review->partner);
    json_text(out, "reason", review->reason);
    stile_buf_addc(out, ",\"rules\":[");
    for (size_t i = 0; i < count; i++) {
        stile_buf_printf(out, "%s{\"rule\":", i > 0 ? "," : "");
        stile_buf_json_str(out, rules[i]);
        json_text(out, "says",
                  words ? stile_rules_says(words, rules[i]) : STILE_STR(""));
        stile_buf_byte(out, '}');
    }
    stile_buf_addc(out, "],\"items\":[");
    for (size_t i = 0; i < review->item_count; i++) {
        stile_buf_addc(out, i > 0 ? "," : "");
        item_json(&review->items[i], content ? content[i] : NULL, out);
    }
    stile_buf_addc(out, "]}\n");
}

void stile__cli_review_items(const struct stile_review *review,
                             const struct stile_value **content,
                             struct stile_buf *out)
{
    for (size_t i = 0; i < review->item_count; i++) {
        const struct stile_review_item *item = &review->items[i];

        stile_buf_printf(out, "%6u %-8s %.*s: %.*s (%.*s)\n", (unsigned)item->n,
                         word_text(item), STILE_FMT(item->type),
                         STILE_FMT(item->data), STILE_FMT(item->rules));
        if (content && content[i]) {
            stile__cli_review_plain(content[i], out);
            stile_value_json(content[i], 2, out);
            stile_buf_byte(out, '\n');
        }
    }
}
