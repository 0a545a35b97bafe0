/* A difference in plain words. */
#include "space.h"

static void add_list(struct stile_buf *out, const struct stile_value *list)
{
    const struct stile_value *item;

    for (item = list ? list->first : NULL; item; item = item->next) {
        stile_buf_add(out, item->text);
        stile_buf_addc(out, item->next ? ", " : "");
    }
}

static const struct {
    const char *change, *says;
} texts[] = {
    {"newly-released", "WIDER: now goes, did not before"},
    {"no-longer-held", "WIDER: now goes at once, waited for a person before"},
    {"newly-held-instead-of-withheld",
     "WIDER: a person may now let it go, nobody could before"},
    {"looser", "WIDER: goes as before, but no more"},
    {"stricter", "narrower: goes as before, but now"},
    {"newly-held-instead-of-sent",
     "narrower: now waits for a person, went at once before"},
    {"newly-withheld", "narrower: goes no more"},
};

/* A box is clauses with "; " between. */
static bool next_clause(struct stile_str *rest, struct stile_str *ret)
{
    size_t end = stile_str_find(*rest, ';');

    if (rest->len == 0) {
        return false;
    }
    if (end == SIZE_MAX) {
        *ret = *rest;
        *rest = STILE_STR_NULL;
        return true;
    }
    *ret = stile_str_sub(*rest, 0, end);
    *rest = stile_str_sub(*rest, end + 2, rest->len - end - 2);
    return true;
}

static bool has_clause(struct stile_str box, struct stile_str clause)
{
    struct stile_str mine;

    while (next_clause(&box, &mine)) {
        if (stile_str_eq(mine, clause)) {
            return true;
        }
    }
    return false;
}

static bool in_all(const struct stile_value *boxes, struct stile_str clause)
{
    const struct stile_value *box;

    for (box = boxes->first; box; box = box->next) {
        if (!has_clause(box->text, clause)) {
            return false;
        }
    }
    return true;
}

/* The clauses of a box that all have, or those that not all have. */
static size_t say_clauses(const struct stile_value *boxes, struct stile_str box,
                          bool common, struct stile_buf *out)
{
    struct stile_str clause;
    size_t said = 0;

    while (next_clause(&box, &clause)) {
        if (in_all(boxes, clause) == common) {
            stile_buf_addc(out, said++ ? "; " : "");
            stile_buf_add(out, clause);
        }
    }
    return said;
}

/* What all the cases have is said once, so that what parts them is read. */
static void say_when(const struct stile_value *change, struct stile_buf *out)
{
    const struct stile_value *boxes = stile_value_getc(change, "when");
    const struct stile_value *box = boxes->first;
    struct stile_str further = stile_value_text(change, "further");

    if (!box) {
        return;
    }
    stile_buf_addc(out, "\n  when ");
    if (!box->next) {
        stile_buf_add(out, box->text);
        box = NULL;
    } else if (say_clauses(boxes, box->text, true, out) == 0) {
        stile_buf_addc(out, "one of these");
    } else {
        stile_buf_addc(out, "; and one of these");
    }
    for (; box; box = box->next) {
        stile_buf_printf(out, "\n    %s", box->prev ? "or " : "   ");
        if (say_clauses(boxes, box->text, false, out) == 0) {
            stile_buf_addc(out, "with no more than that");
        }
    }
    if (stile_value_getc(change, "more")->boolean) {
        stile_buf_printf(out,
                         "\n    or in %.*s further cases; in all of them it "
                         "may carry, or be linked to: ",
                         STILE_FMT(further));
        add_list(out, stile_value_getc(change, "labels"));
    }
}

static void say_change(const struct stile_value *change, struct stile_buf *out)
{
    struct stile_str kind = stile_value_text(change, "change");
    struct stile_str duty = stile_value_text(change, "duty");
    struct stile_str until = stile_value_text(change, "until");
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (stile_str_eqc(kind, texts[i].change)) {
            stile_buf_addc(out, texts[i].says);
        }
    }
    stile_buf_printf(out, "%s%.*s\n  what: ", duty.len ? " " : "",
                     STILE_FMT(duty));
    add_list(out, stile_value_getc(change, "data"));
    stile_buf_printf(out,
                     "\n  from %.*s (%.*s) to %.*s (%.*s) for %.*s under "
                     "%.*s\n",
                     STILE_FMT(stile_value_text(change, "sender-name")),
                     STILE_FMT(stile_value_text(change, "sender")),
                     STILE_FMT(stile_value_text(change, "recipient-name")),
                     STILE_FMT(stile_value_text(change, "recipient")),
                     STILE_FMT(stile_value_text(change, "purpose")),
                     STILE_FMT(stile_value_text(change, "agreement")));
    stile_buf_printf(out, "  from %.*s%s%.*s\n  by: ",
                     STILE_FMT(stile_value_text(change, "from")),
                     until.len ? " to " : " on", STILE_FMT(until));
    add_list(out, stile_value_getc(change, "rules"));
    stile_buf_addc(out, stile_value_getc(change, "rules")->first
                            ? ""
                            : "its agreement, changed");
    say_when(change, out);
    stile_buf_addc(out, "\n  for example: ");
    stile__say_case(stile_value_getc(change, "example"), out);
    stile_buf_addc(out, "\n\n");
}

static void say_meaning(const struct stile_value *meaning,
                        struct stile_buf *out)
{
    struct stile_str what = stile_value_text(meaning, "what");

    if (stile_str_eqc(what, "vocabulary")) {
        stile_buf_addc(out,
                       "MIXED: vocabulary.yaml differs. What is said above is "
                       "what the rules do\n  with the words; read what the "
                       "words now mean line by line.\n\n");
        return;
    }
    if (stile_str_eqc(what, "break-glass")) {
        stile_buf_printf(
            out,
            "%.*s: break-glass of %.*s: for at most %.*s hours, before %.*s; "
            "%.*s reasons added, %.*s removed\n\n",
            STILE_FMT(stile_value_text(meaning, "class")),
            STILE_FMT(stile_value_text(meaning, "agreement")),
            STILE_FMT(stile_value_text(meaning, "hours")),
            STILE_FMT(stile_value_text(meaning, "hours-before")),
            STILE_FMT(stile_value_text(meaning, "added")),
            STILE_FMT(stile_value_text(meaning, "removed")));
        return;
    }
    if (stile_str_eqc(what, "tell-recipient")) {
        stile_buf_printf(
            out, "%s: the recipient is %s that items stay, by %.*s\n\n",
            stile_str_eqc(stile_value_text(meaning, "class"), "wider")
                ? "WIDER"
                : "narrower",
            stile_str_eqc(stile_value_text(meaning, "class"), "wider")
                ? "now told"
                : "no more told",
            STILE_FMT(stile_value_text(meaning, "rule")));
        return;
    }
    if (stile_value_getc(meaning, "agreement")) {
        stile_buf_printf(
            out, "%s: in %.*s, '%.*s' differs; read it in agreements.yaml\n\n",
            stile_str_eqc(stile_value_text(meaning, "class"), "mixed") ? "MIXED"
                                                                       : "text",
            STILE_FMT(stile_value_text(meaning, "agreement")), STILE_FMT(what));
        return;
    }
    stile_buf_printf(
        out, "%.*s: code lists (%.*s): %.*s codes added, %.*s removed\n\n",
        STILE_FMT(stile_value_text(meaning, "class")), STILE_FMT(what),
        STILE_FMT(stile_value_text(meaning, "added")),
        STILE_FMT(stile_value_text(meaning, "removed")));
}

void stile_rules_diff_print(const struct stile_value *report,
                            struct stile_buf *out)
{
    static const struct {
        const char *class, *says;
    } ends[] = {
        {"equal", "equal: nothing that could be sent is sent otherwise"},
        {"narrower", "narrower: less goes, or with more done to it; nothing "
                     "goes that did not"},
        {"wider", "WIDER: more goes, or with less done to it"},
        {"mixed", "MIXED: more goes in some cases and less in others"},
    };
    struct stile_str class = stile_value_text(report, "class");
    const struct stile_value *item;
    size_t i;

    for (item = stile_value_getc(report, "changes")->first; item;
         item = item->next) {
        say_change(item, out);
    }
    for (item = stile_value_getc(report, "meanings")->first; item;
         item = item->next) {
        say_meaning(item, out);
    }
    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (stile_str_eqc(class, ends[i].class)) {
            stile_buf_printf(out, "The new set is %s.\n", ends[i].says);
        }
    }
    stile_buf_printf(out, "old %.16s\nnew %.16s\n",
                     stile_value_text(report, "old").ptr,
                     stile_value_text(report, "new").ptr);
}
