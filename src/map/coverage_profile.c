/* Which elements a profile says must be supported are written, by mapping. */
#include "coverage.h"

static const struct stile__rule *newest_rules(const struct stile_mapping *m)
{
    return m->variant_count > 0 ? m->variants[m->variant_count - 1].rules
                                : NULL;
}

static void named(const struct stile_mapping *m, bool written, bool *first,
                  struct stile_buf *out)
{
    for (size_t i = 0; i < m->profile->count; i++) {
        const struct stile_profile_element *e = &m->profile->elements[i];
        if (e->must_support &&
            stile__profile_written(newest_rules(m), e) == written) {
            stile_buf_addc(out, *first ? "" : ", ");
            stile_buf_add(out, e->path);
            *first = false;
        }
    }
}

void stile__coverage_profile(const struct stile_mapping *m,
                             struct stile_buf *out)
{
    bool first = true;
    if (m->profile == NULL) {
        return;
    }
    stile_buf_printf(
        out, "    %.*s must support, written: ", STILE_FMT(m->profile->name));
    named(m, true, &first, out);
    stile_buf_addc(out, first ? "none; not written: " : "; not written: ");
    first = true;
    named(m, false, &first, out);
    stile_buf_addc(out, first ? "none\n" : "\n");
}

void stile__coverage_profiles_json(const struct stile_map_coverage *c,
                                   struct stile_buf *out)
{
    bool first = true;
    for (uint32_t k = 0; k < c->set->count; k++) {
        const struct stile_mapping *m = &c->set->mappings[k];
        bool one = true;
        if (m->profile == NULL) {
            continue;
        }
        stile_buf_addc(out, first ? "{\"mapping\":" : ",{\"mapping\":");
        stile_buf_json_str(out, m->tree->name.text);
        stile_buf_addc(out, ",\"profile\":");
        stile_buf_json_str(out, m->profile->name);
        stile_buf_addc(out, ",\"must_support\":{");
        for (size_t i = 0; i < m->profile->count; i++) {
            const struct stile_profile_element *e = &m->profile->elements[i];
            if (e->must_support) {
                stile_buf_addc(out, one ? "" : ",");
                stile_buf_json_str(out, e->path);
                stile_buf_addc(out, stile__profile_written(newest_rules(m), e)
                                        ? ":true"
                                        : ":false");
                one = false;
            }
        }
        stile_buf_addc(out, "}}");
        first = false;
    }
}
