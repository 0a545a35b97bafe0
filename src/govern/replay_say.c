/* What a replay came to, in plain words. */
#include "private.h"

static const char *says_of(struct stile_str change)
{
    static const struct {
        const char *change, *says;
    } says[] = {
        {"newly-released", "WIDER: would go now, did not"},
        {"no-longer-held", "WIDER: would go at once, waited for a person"},
        {"newly-held-instead-of-withheld",
         "WIDER: a person could let it go, nobody could"},
        {"looser", "WIDER: would go as before, with less done to it"},
        {"stricter", "narrower: would go as before, with more done to it"},
        {"newly-held-instead-of-sent",
         "narrower: would wait for a person, went at once"},
        {"newly-withheld", "narrower: would go no more"}};

    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        if (stile_str_eqc(change, says[i].change)) {
            return says[i].says;
        }
    }
    return "";
}

static void print_head(const struct stile_value *report, struct stile_buf *out)
{
    struct stile_str asked = stile_value_text(report, "asked");

    stile_buf_printf(out, "%.*s past disclosures were asked again",
                     STILE_FMT(asked));
    if (!stile_str_eqc(asked, "0")) {
        stile_buf_printf(out, ", about %.*s persons, from %.10s to %.10s",
                         STILE_FMT(stile_value_text(report, "persons")),
                         stile_value_text(report, "from").ptr,
                         stile_value_text(report, "until").ptr);
    }
    stile_buf_printf(out, ", as if today were %.*s.\n",
                     STILE_FMT(stile_value_text(report, "on")));
    if (!stile_str_eqc(stile_value_text(report, "without-ground"), "0")) {
        stile_buf_printf(
            out,
            "%.*s of them left no ground in the log and are not counted.\n",
            STILE_FMT(stile_value_text(report, "without-ground")));
    }
    if (!stile_str_eqc(stile_value_text(report, "other-words"), "0")) {
        stile_buf_printf(out,
                         "%.*s were decided with another vocabulary and are "
                         "asked by the words in common.\n",
                         STILE_FMT(stile_value_text(report, "other-words")));
    }
}

static void print_changes(const struct stile_value *report,
                          struct stile_buf *out)
{
    const struct stile_value *changes = stile_value_getc(report, "changes");

    if (!changes->first) {
        stile_buf_addc(out, "All would be decided as they are.\n");
    }
    for (const struct stile_value *c = changes->first; c; c = c->next) {
        stile_buf_printf(
            out,
            "\n%s\n  what: %.*s\n  to %.*s for %.*s under %.*s\n  %.*s items "
            "of %.*s persons, in %.*s disclosures\n",
            says_of(stile_value_text(c, "change")),
            STILE_FMT(stile_value_text(c, "data")),
            STILE_FMT(stile_value_text(c, "recipient")),
            STILE_FMT(stile_value_text(c, "purpose")),
            STILE_FMT(stile_value_text(c, "agreement")),
            STILE_FMT(stile_value_text(c, "items")),
            STILE_FMT(stile_value_text(c, "persons")),
            STILE_FMT(stile_value_text(c, "disclosures")));
    }
}

static void print_use(const struct stile_value *report, struct stile_buf *out)
{
    const struct stile_value *use = stile_value_getc(report, "use");

    for (const struct stile_value *a = use->first; a; a = a->next) {
        const struct stile_value *data = stile_value_getc(a, "data");
        const struct stile_value *never = stile_value_getc(a, "never");

        stile_buf_printf(out, "\n%.*s\n",
                         STILE_FMT(stile_value_text(a, "agreement")));
        for (const struct stile_value *d = data->first; d; d = d->next) {
            stile_buf_printf(out, "  %-24.*s %.*s items\n",
                             STILE_FMT(stile_value_text(d, "data")),
                             STILE_FMT(stile_value_text(d, "items")));
        }
        if (!data->first) {
            stile_buf_addc(out, "  nothing was decided to go\n");
            continue;
        }
        if (never->first) {
            stile_buf_addc(out, "  agreed, and never decided to go: ");
        }
        for (const struct stile_value *n = never->first; n; n = n->next) {
            stile_buf_printf(out, "%.*s%s", STILE_FMT(n->text),
                             n->next ? ", " : "\n");
        }
    }
}

void stile_replay_print(const struct stile_value *report, bool use,
                        struct stile_buf *out)
{
    print_head(report, out);
    if (use) {
        print_use(report, out);
    } else {
        print_changes(report, out);
    }
}
