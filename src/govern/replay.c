/*
 * Past disclosures asked again of two rule sets, from their grounds. The sets
 * may have different words: an old ground is read by the words a set knows.
 */
#include "private.h"

enum change {
    NEWLY_RELEASED,
    NO_LONGER_HELD,
    NEWLY_HELD_NOT_WITHHELD,
    LOOSER,
    STRICTER,
    NEWLY_HELD_NOT_SENT,
    NEWLY_WITHHELD,
    SAME
};
/* The words of stile_rules_diff. */
static const char *const change_words[] = {
    "newly-released", "no-longer-held", "newly-held-instead-of-withheld",
    "looser",         "stricter",       "newly-held-instead-of-sent",
    "newly-withheld"};

struct tally { /* one change, or one use */
    enum change change;
    struct stile_str recipient, agreement, purpose, data;
    uint64_t items, disclosures, persons;
    uint64_t last_entry; /* counted into `disclosures` already */
};

struct tallies {
    struct tally *items;
    size_t count, capacity;
};

/* Of (tally, person): open addressing, 0 is empty. */
struct seen {
    uint64_t *keys;
    size_t count, capacity;
};

/* One set's view of one disclosure. */
struct view {
    const struct stile_rules *rules;
    struct stile__context context;
    struct stile__firing firing;
};

struct stile_replay {
    const struct stile_rules *sets[2]; /* old, new */
    struct view views[2];              /* of the disclosure in hand */
    struct stile_date today;
    struct stile_arena *arena;
    struct tallies changes, used;
    struct seen persons;
    uint64_t asked, without, other_words, all_persons;
    struct stile_str from, until;
    struct stile_str sender; /* whose log it is */
};

enum stile_status stile_replay_new(const struct stile_rules *old,
                                   const struct stile_rules *new,
                                   struct stile_date today,
                                   struct stile_arena *arena,
                                   struct stile_replay **ret)
{
    struct stile_replay *replay = stile_arena_alloc(arena, sizeof(*replay));

    if (!replay) {
        return STILE_LIMIT;
    }
    replay->sets[0] = old;
    replay->sets[1] = new;
    replay->today = today;
    replay->arena = arena;
    *ret = replay;
    return STILE_OK;
}

/* ---- counting ---- */

static struct tally *tally_of(struct stile_replay *replay,
                              struct tallies *tallies, const struct tally *like)
{
    for (size_t i = 0; i < tallies->count; i++) {
        struct tally *t = &tallies->items[i];

        if (t->change == like->change && stile_str_eq(t->data, like->data) &&
            stile_str_eq(t->agreement, like->agreement) &&
            stile_str_eq(t->recipient, like->recipient) &&
            stile_str_eq(t->purpose, like->purpose)) {
            return t;
        }
    }
    if (tallies->count == STILE_REPLAY_KINDS_MAX) {
        return NULL;
    }
    if (tallies->count == tallies->capacity) {
        size_t capacity = tallies->capacity ? tallies->capacity * 2 : 64;
        struct tally *items =
            stile_arena_array(replay->arena, capacity, sizeof(*items));

        if (!items) {
            return NULL;
        }
        if (tallies->count) {
            memcpy(items, tallies->items, tallies->count * sizeof(*items));
        }
        tallies->items = items;
        tallies->capacity = capacity;
    }
    struct tally *t = &tallies->items[tallies->count++];

    *t = *like;
    t->data = stile_arena_str(replay->arena, like->data);
    t->agreement = stile_arena_str(replay->arena, like->agreement);
    t->recipient = stile_arena_str(replay->arena, like->recipient);
    t->purpose = stile_arena_str(replay->arena, like->purpose);
    return t;
}

static bool seen_put(uint64_t *keys, size_t capacity, uint64_t key)
{
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15)) & (capacity - 1);

    while (keys[at] && keys[at] != key) {
        at = (at + 1) & (capacity - 1);
    }
    if (keys[at]) {
        return false;
    }
    keys[at] = key;
    return true;
}

static bool seen_grow(struct stile_replay *replay)
{
    struct seen *seen = &replay->persons;
    size_t capacity = seen->capacity ? seen->capacity * 2 : 1024;
    uint64_t *keys = stile_arena_array(replay->arena, capacity, sizeof(*keys));

    if (!keys) {
        return false;
    }
    for (size_t i = 0; i < seen->capacity; i++) {
        if (seen->keys[i]) {
            (void)seen_put(keys, capacity, seen->keys[i]);
        }
    }
    seen->keys = keys;
    seen->capacity = capacity;
    return true;
}

/* Whether `what` and the person were not seen together before; false in
 * *ret_fits when no more can be told apart. */
static bool is_new(struct stile_replay *replay, uint64_t what,
                   struct stile_str person, bool *ret_fits)
{
    struct seen *seen = &replay->persons;
    uint64_t key =
        (stile_str_hash(person) ^ (what + 1) * UINT64_C(0xbf58476d1ce4e5b9)) |
        1;

    if (seen->count >= STILE_REPLAY_PERSONS_MAX ||
        (seen->count * 2 >= seen->capacity && !seen_grow(replay))) {
        *ret_fits = false;
        return false;
    }
    if (!seen_put(seen->keys, seen->capacity, key)) {
        return false;
    }
    seen->count++;
    return true;
}

/* ---- one disclosure ---- */

static uint64_t mask_of(const struct stile__words *words,
                        const struct stile_value *list, bool *ret_other)
{
    uint64_t mask = 0;

    for (const struct stile_value *word = list ? list->first : NULL; word;
         word = word->next) {
        uint32_t at = stile__word_find(words, word->text);

        if (at == STILE__NONE) {
            *ret_other = true;
        } else {
            mask |= UINT64_C(1) << at;
        }
    }
    return mask;
}

static void view_make(const struct stile_replay *replay,
                      const struct stile_rules *rules,
                      const struct stile_value *entry,
                      const struct stile_value *ground, struct view *ret)
{
    struct stile_question question = {
        .sender = stile_value_text(entry, "ods"),
        .recipient = stile_value_text(entry, "to-ods"),
        .recipient_kind = stile_value_text(ground, "recipient-kind"),
        .purpose = stile_value_text(entry, "purpose"),
        .agreement = stile_value_text(entry, "agreement"),
        .family = stile_value_text(ground, "family"),
        .today = replay->today};
    const struct stile_value *facts = stile_value_getc(ground, "facts");

    ret->rules = rules;
    stile__context_make(rules, &question, &ret->context);
    for (size_t i = 0; i < rules->facts.count; i++) {
        struct stile_str text = STILE_STR_NULL;
        const struct stile_value *fact =
            stile_value_get(facts, rules->facts.names[i]);

        if (fact) {
            text = fact->text;
        }
        ret->context.facts[i] = stile_str_eqc(text, "yes")  ? STILE_YES
                                : stile_str_eqc(text, "no") ? STILE_NO
                                                            : STILE_UNKNOWN;
    }
    stile__firing_make(&ret->context, &ret->firing);
}

static bool goes(const struct stile__verdict *verdict)
{
    return verdict->outcome == STILE_OUTCOME_RELEASE ||
           verdict->outcome == STILE_OUTCOME_CHANGED;
}

#define WORDS_MOST (STILE__WORDS_MAX + 1)

/* The fields of items of a kind, as decide.c comes to them: by the order of
 * the ground's data words. */
static void judge(const struct view *view, const struct stile_value *item,
                  struct stile__verdict verdicts[WORDS_MOST])
{
    const struct stile_rules *rules = view->rules;
    bool other = false, main = false;
    struct stile__item_labels labels = {
        mask_of(&rules->labels, stile_value_getc(item, "labels"), &other),
        mask_of(&rules->labels, stile_value_getc(item, "linked"), &other)};
    uint64_t facts =
        mask_of(&rules->facts, stile_value_getc(item, "facts"), &other);
    const struct stile_value *list = stile_value_getc(item, "data"), *word;
    size_t n = 0;

    for (word = list ? list->first : NULL; word && n < WORDS_MOST;
         word = word->next, n++) {
        uint32_t at = stile__word_find(&rules->data, word->text);

        if (at == STILE__NONE) {
            at = STILE__NOT_COVERED;
        }
        stile__verdict_make(&view->firing, at, labels, facts, NULL,
                            &verdicts[n]);
        main = main || (goes(&verdicts[n]) && !(at < STILE__WORDS_MAX &&
                                                (rules->companions >> at & 1)));
    }
    if (main && !stile_value_getc(item, "modified")) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (goes(&verdicts[i])) {
            verdicts[i].outcome = STILE_OUTCOME_WITHHOLD;
        }
    }
}

static enum change compare(const struct stile__verdict *old,
                           const struct stile__verdict *new)
{
    if (goes(old) && goes(new)) {
        if (new->level < old->level || (old->drop_text && !new->drop_text) ||
            new->relabel_count < old->relabel_count) {
            return LOOSER;
        }
        return new->level > old->level || new->drop_text != old->drop_text ||
                       new->relabel_count > old->relabel_count
                   ? STRICTER
                   : SAME;
    }
    if (old->outcome == new->outcome) {
        return SAME;
    }
    if (goes(new)) {
        return old->outcome == STILE_OUTCOME_HOLD ? NO_LONGER_HELD
                                                  : NEWLY_RELEASED;
    }
    if (new->outcome == STILE_OUTCOME_HOLD) {
        return goes(old) ? NEWLY_HELD_NOT_SENT : NEWLY_HELD_NOT_WITHHELD;
    }
    return NEWLY_WITHHELD;
}

static uint64_t count_of(const struct stile_value *item)
{
    int64_t count = 0;

    return stile_str_to_int64(stile_value_text(item, "count"), &count) &&
                   count > 0
               ? (uint64_t)count
               : 0;
}

static bool count_change(struct stile_replay *replay,
                         const struct stile_value *entry, enum change change,
                         struct stile_str data, uint64_t items)
{
    struct tally like = {.change = change,
                         .recipient = stile_value_text(entry, "to-ods"),
                         .agreement = stile_value_text(entry, "agreement"),
                         .purpose = stile_value_text(entry, "purpose"),
                         .data = data};
    struct tally *t = tally_of(replay, &replay->changes, &like);
    bool fits = true;

    if (!t) {
        return false;
    }
    t->items += items;
    t->disclosures += t->last_entry != replay->asked;
    t->last_entry = replay->asked;
    t->persons += is_new(replay, (uint64_t)(t - replay->changes.items) + 1,
                         stile_value_text(entry, "person"), &fits);
    return fits;
}

static bool count_use(struct stile_replay *replay,
                      const struct stile_value *entry, struct stile_str data,
                      uint64_t items)
{
    struct tally like = {.change = SAME,
                         .agreement = stile_value_text(entry, "agreement"),
                         .data = data};
    struct tally *t = tally_of(replay, &replay->used, &like);

    if (t) {
        t->items += items;
    }
    return t != NULL;
}

static bool replay_item(struct stile_replay *replay,
                        const struct stile_value *entry,
                        const struct stile_value *item)
{
    struct stile__verdict verdicts[2][WORDS_MOST];
    const struct stile_value *list = stile_value_getc(item, "data"), *word;
    uint64_t items = count_of(item);
    bool good = true;
    size_t n = 0;

    judge(&replay->views[0], item, verdicts[0]);
    judge(&replay->views[1], item, verdicts[1]);
    for (word = list ? list->first : NULL; word && n < WORDS_MOST && good;
         word = word->next, n++) {
        enum change change = compare(&verdicts[0][n], &verdicts[1][n]);

        if (change != SAME) {
            good = count_change(replay, entry, change, word->text, items);
        }
        if (good && goes(&verdicts[1][n])) {
            good = count_use(replay, entry, word->text, items);
        }
    }
    return good;
}

static bool has_ground(const struct stile_value *ground)
{
    return ground && !stile_value_getc(ground, "crowded") &&
           stile_value_getc(ground, "items");
}

static void note_time(struct stile_replay *replay, struct stile_str time)
{
    if (replay->from.len == 0 || stile_str_cmp(time, replay->from) < 0) {
        replay->from = stile_arena_str(replay->arena, time);
    }
    if (stile_str_cmp(time, replay->until) > 0) {
        replay->until = stile_arena_str(replay->arena, time);
    }
}

static bool same_words(const struct stile_replay *replay,
                       const struct stile_value *ground)
{
    struct stile_digest words;

    return stile_digest_parse(stile_value_text(ground, "vocabulary"), &words) &&
           stile_digest_eq(&words, &replay->sets[0]->vocabulary) &&
           stile_digest_eq(&words, &replay->sets[1]->vocabulary);
}

enum stile_status stile_replay_add(struct stile_replay *replay,
                                   const struct stile_value *entry)
{
    const struct stile_value *ground = stile_value_getc(entry, "ground");
    const struct stile_value *items, *item;
    struct stile_str type = stile_value_text(entry, "type");
    bool fits = true;

    /* The same disclosure, asked again before it left, is counted once. */
    if (!stile_value_getc(entry, "decision") ||
        stile_str_eqc(type, "decided-again") ||
        stile_str_eqc(type, "withdrawal")) {
        return STILE_OK;
    }
    replay->asked++;
    note_time(replay, stile_value_text(entry, "time"));
    if (replay->sender.len == 0) {
        replay->sender =
            stile_arena_str(replay->arena, stile_value_text(entry, "ods"));
    }
    if (!has_ground(ground)) {
        replay->without++;
        return STILE_OK;
    }
    replay->other_words += !same_words(replay, ground);
    replay->all_persons +=
        is_new(replay, 0, stile_value_text(entry, "person"), &fits);
    view_make(replay, replay->sets[0], entry, ground, &replay->views[0]);
    view_make(replay, replay->sets[1], entry, ground, &replay->views[1]);
    items = stile_value_getc(ground, "items");
    for (item = items->first; item && fits; item = item->next) {
        fits = replay_item(replay, entry, item);
    }
    return fits ? STILE_OK : STILE_LIMIT;
}

/* ---- the report ---- */

static void put(struct stile_replay *replay, struct stile_value *object,
                const char *name, struct stile_str text)
{
    (void)stile_value_set_str(replay->arena, object, name, text);
}

static void put_count(struct stile_replay *replay, struct stile_value *object,
                      const char *name, uint64_t count)
{
    (void)stile_value_set(
        object, stile_str_cstr(name),
        stile_value_number(replay->arena,
                           stile_arena_printf(replay->arena, "%llu",
                                              (unsigned long long)count)));
}

static int by_change(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    int order = (int)x->change - (int)y->change;

    order = order ? order : stile_str_cmp(x->recipient, y->recipient);
    order = order ? order : stile_str_cmp(x->agreement, y->agreement);
    order = order ? order : stile_str_cmp(x->purpose, y->purpose);
    return order ? order : stile_str_cmp(x->data, y->data);
}

static void put_changes(struct stile_replay *replay, struct stile_value *report)
{
    struct stile_value *list =
        stile_value_set_new(replay->arena, report, "changes", STILE_ARRAY);

    if (replay->changes.count) {
        qsort(replay->changes.items, replay->changes.count,
              sizeof(*replay->changes.items), by_change);
    }
    for (size_t i = 0; i < replay->changes.count; i++) {
        const struct tally *t = &replay->changes.items[i];
        struct stile_value *one = stile_value_push(
            list, stile_value_new(replay->arena, STILE_OBJECT));

        put(replay, one, "change", stile_str_cstr(change_words[t->change]));
        put(replay, one, "recipient", t->recipient);
        put(replay, one, "agreement", t->agreement);
        put(replay, one, "purpose", t->purpose);
        put(replay, one, "data", t->data);
        put_count(replay, one, "items", t->items);
        put_count(replay, one, "disclosures", t->disclosures);
        put_count(replay, one, "persons", t->persons);
    }
}

static const struct tally *use_of(const struct stile_replay *replay,
                                  struct stile_str agreement,
                                  struct stile_str data)
{
    for (size_t i = 0; i < replay->used.count; i++) {
        const struct tally *t = &replay->used.items[i];

        if (stile_str_eq(t->agreement, agreement) &&
            stile_str_eq(t->data, data)) {
            return t;
        }
    }
    return NULL;
}

static void put_use(struct stile_replay *replay, struct stile_value *report)
{
    const struct stile_rules *rules = replay->sets[1];
    struct stile_value *list =
        stile_value_set_new(replay->arena, report, "use", STILE_ARRAY);

    for (size_t i = 0; i < rules->agreement_count; i++) {
        const struct stile__agreement *agreement = &rules->agreements[i];
        if (!stile_str_eq(agreement->sender, replay->sender)) {
            continue;
        }
        struct stile_value *one = stile_value_push(
            list, stile_value_new(replay->arena, STILE_OBJECT));
        put(replay, one, "agreement", agreement->id);
        struct stile_value *data =
            stile_value_set_new(replay->arena, one, "data", STILE_ARRAY);
        struct stile_value *never =
            stile_value_set_new(replay->arena, one, "never", STILE_ARRAY);

        for (size_t w = 0; w < rules->data.count; w++) {
            struct stile_str word = rules->data.names[w];
            const struct tally *t = use_of(replay, agreement->id, word);

            if (t) {
                struct stile_value *used = stile_value_push(
                    data, stile_value_new(replay->arena, STILE_OBJECT));
                put(replay, used, "data", word);
                put_count(replay, used, "items", t->items);
            } else if (agreement->data >> w & 1) {
                (void)stile_value_push(never,
                                       stile_value_string(replay->arena, word));
            }
        }
    }
}

struct stile_value *stile_replay_report(struct stile_replay *replay)
{
    struct stile_value *report = stile_value_new(replay->arena, STILE_OBJECT);

    put(replay, report, "on",
        stile_arena_printf(replay->arena, "%04d-%02d-%02d",
                           (int)replay->today.year, (int)replay->today.month,
                           (int)replay->today.day));
    put(replay, report, "from", replay->from);
    put(replay, report, "until", replay->until);
    put_count(replay, report, "asked", replay->asked);
    put_count(replay, report, "without-ground", replay->without);
    put_count(replay, report, "other-words", replay->other_words);
    put_count(replay, report, "persons", replay->all_persons);
    put_changes(replay, report);
    put_use(replay, report);
    return stile_arena_failed(replay->arena) ? NULL : report;
}
