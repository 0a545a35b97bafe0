/* Coverage as a page, or as JSON. */
#include "coverage.h"

static const char *const accounts[] = {
    [ACCOUNT_NONE] = "not read",   [ACCOUNT_CARRIED] = "carried",
    [ACCOUNT_DROPPED] = "dropped", [ACCOUNT_RESIDUE] = "residue",
    [ACCOUNT_READ] = "read",       [ACCOUNT_MAPPED] = "mapped",
};
static const char *const ends[] = {"done", "deleted", "held", "failed",
                                   "in need of rows"};

static struct stile_str reason_of(const struct stile_map_coverage *c,
                                  const struct stile__covered *t, uint32_t i,
                                  const struct stile_lang_stmt *stmt)
{
    return stmt != NULL ? stmt->reason
                        : stile__coverage_aside(c, t->table, i)->because;
}

static uint32_t line_of(const struct stile__loss *loss)
{
    uint32_t line = 0, column = 0;
    stile_source_place(loss->mapping->tree->source, loss->stmt->span.offset,
                       &line, &column);
    return line;
}

/* Did any row of the sample come to the mapping? */
static bool seen(const struct stile_map_coverage *c,
                 const struct stile_mapping *m)
{
    uint64_t rows = c->not_taken[m - c->set->mappings];
    for (size_t i = 0; i < 5; i++) {
        rows += c->ends[m - c->set->mappings][i];
    }
    return rows > 0;
}

/* ---- a page ---- */

static void print_mapping(const struct stile_map_coverage *c, uint32_t at,
                          struct stile_buf *out)
{
    const struct stile_mapping *m = &c->set->mappings[at];
    stile_buf_printf(out, "  %.*s (%s):", STILE_FMT(m->tree->name.text),
                     stile_mapping_class(m));
    for (size_t i = 0; i < 5; i++) {
        if (c->ends[at][i] > 0 || i == 0) {
            stile_buf_printf(out, " %llu %s,",
                             (unsigned long long)c->ends[at][i], ends[i]);
        }
    }
    stile_buf_printf(out, " %llu not taken\n",
                     (unsigned long long)c->not_taken[at]);
    stile__coverage_profile(m, out);
}

static void print_column(const struct stile_map_coverage *c,
                         const struct stile__covered *t, uint32_t i,
                         struct stile_buf *out)
{
    const struct stile_mapping *by = NULL;
    const struct stile_lang_stmt *stmt = NULL;
    enum stile__account account =
        stile__coverage_account(c, t->table, i, &by, &stmt);
    stile_buf_printf(out, "  %-32.*s %-9s",
                     STILE_FMT(t->table->columns[i].name), accounts[account]);
    if (t->filled[i] == 0) {
        stile_buf_addc(out, " never filled");
    } else {
        stile_buf_printf(out, " %llu", (unsigned long long)t->filled[i]);
    }
    if (account == ACCOUNT_DROPPED) {
        stile_buf_printf(out, "  because \"%.*s\"",
                         STILE_FMT(reason_of(c, t, i, stmt)));
    } else if (account == ACCOUNT_CARRIED) {
        stile_buf_printf(out, "  by %.*s", STILE_FMT(stmt->carried_by.text));
    }
    stile_buf_byte(out, '\n');
}

/* Its name is the file's own: control bytes become '?'. */
static void print_stranger(const struct stile__stranger *s,
                           struct stile_buf *out)
{
    size_t width = s->name.len;
    stile_buf_addc(out, "  ");
    for (size_t i = 0; i < s->name.len; i++) {
        unsigned char c = (unsigned char)s->name.ptr[i];
        stile_buf_byte(out, c < 0x20 || c == 0x7f ? '?' : s->name.ptr[i]);
    }
    stile_buf_printf(out, "%*s not in the format",
                     width < 32 ? (int)(32 - width) : 0, "");
    if (s->filled == 0) {
        stile_buf_addc(out, " never filled\n");
    } else {
        stile_buf_printf(out, " %llu\n", (unsigned long long)s->filled);
    }
}

static void print_table(const struct stile_map_coverage *c,
                        const struct stile__covered *t, struct stile_buf *out)
{
    bool mapped = stile__coverage_mapped(c, t->table);
    stile_buf_printf(out, "%.*s of %.*s %.*s: %llu rows%s\n",
                     STILE_FMT(t->table->name), STILE_FMT(t->table->family),
                     STILE_FMT(t->table->version), (unsigned long long)t->rows,
                     mapped ? "" : ", no mapping of its own");
    for (uint32_t i = 0; i < c->set->count; i++) {
        const struct stile_lang_mapping *tree = c->set->mappings[i].tree;
        if (stile_str_eq(tree->family.text, t->table->family) &&
            stile_str_eq(tree->table.text, t->table->name)) {
            print_mapping(c, i, out);
        }
    }
    for (uint32_t i = 0; i < t->table->count; i++) {
        print_column(c, t, i, out);
    }
    for (const struct stile__stranger *s = t->strangers; s; s = s->next) {
        print_stranger(s, out);
    }
    stile_buf_byte(out, '\n');
}

static uint64_t sum(const uint64_t *items, uint32_t count)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        n += items[i];
    }
    return n;
}

static void print_codes(const struct stile_map_coverage *c,
                        struct stile_buf *out)
{
    for (uint32_t i = 0; i < c->set->table_count; i++) {
        const struct stile__code_table *t = &c->set->tables[i];
        uint64_t hits = sum(c->hits[i], t->count);
        bool first = true;
        if (hits == 0 && c->misses[i] == 0) {
            continue;
        }
        stile_buf_printf(out, "codes %.*s: %llu hits, %llu misses",
                         STILE_FMT(t->name), (unsigned long long)hits,
                         (unsigned long long)c->misses[i]);
        for (uint32_t k = 0; k < t->count; k++) {
            if (c->hits[i][k] == 0) {
                stile_buf_printf(out, "%s%.*s", first ? "; not used: " : ", ",
                                 STILE_FMT(t->rows[k].left));
                first = false;
            }
        }
        stile_buf_byte(out, '\n');
    }
}

static void print_losses(const struct stile_map_coverage *c,
                         struct stile_buf *out)
{
    for (const struct stile__loss *l = c->losses; l != NULL; l = l->next) {
        if (!seen(c, l->mapping)) {
            continue;
        }
        stile_buf_printf(out, "loss %.*s line %u: %llu rows: %.*s\n",
                         STILE_FMT(l->mapping->tree->name.text), line_of(l),
                         (unsigned long long)l->rows,
                         STILE_FMT(l->stmt->reason));
    }
    for (int i = 0; i < RUN_CODE_COUNT; i++) {
        if (c->warnings[i] > 0) {
            stile_buf_printf(out, "%s: %llu times: %s\n",
                             stile__run_code_name((enum stile__run_code)i),
                             (unsigned long long)c->warnings[i],
                             stile__run_code_text((enum stile__run_code)i));
        }
    }
}

/* ---- JSON ---- */

static void member(struct stile_buf *out, const char *name,
                   struct stile_str text)
{
    stile_buf_printf(out, ",\"%s\":", name);
    stile_buf_json_str(out, text);
}

static void json_column(const struct stile_map_coverage *c,
                        const struct stile__covered *t, uint32_t i,
                        struct stile_buf *out)
{
    const struct stile_mapping *by = NULL;
    const struct stile_lang_stmt *stmt = NULL;
    enum stile__account account =
        stile__coverage_account(c, t->table, i, &by, &stmt);
    stile_buf_addc(out, i > 0 ? ",{\"name\":" : "{\"name\":");
    stile_buf_json_str(out, t->table->columns[i].name);
    stile_buf_printf(out, ",\"filled\":%llu,\"account\":\"%s\"",
                     (unsigned long long)t->filled[i], accounts[account]);
    if (by != NULL) {
        member(out, "by",
               account == ACCOUNT_CARRIED ? stmt->carried_by.text
                                          : by->tree->name.text);
    }
    if (account == ACCOUNT_DROPPED) {
        member(out, "because", reason_of(c, t, i, stmt));
    }
    stile_buf_byte(out, '}');
}

static void json_tables(const struct stile_map_coverage *c,
                        struct stile_buf *out)
{
    for (const struct stile__covered *t = c->tables; t; t = t->next) {
        stile_buf_addc(out, t != c->tables ? ",{\"table\":" : "{\"table\":");
        stile_buf_json_str(out, t->table->name);
        member(out, "family", t->table->family);
        member(out, "version", t->table->version);
        stile_buf_printf(out, ",\"rows\":%llu,\"columns\":[",
                         (unsigned long long)t->rows);
        for (uint32_t i = 0; i < t->table->count; i++) {
            json_column(c, t, i, out);
        }
        for (const struct stile__stranger *s = t->strangers; s; s = s->next) {
            stile_buf_addc(out, ",{\"name\":");
            stile_buf_json_str(out, s->name);
            stile_buf_printf(out,
                             ",\"filled\":%llu,\"account\":"
                             "\"not in the format\"}",
                             (unsigned long long)s->filled);
        }
        stile_buf_addc(out, "]}");
    }
}

static void json_codes(const struct stile_map_coverage *c,
                       struct stile_buf *out)
{
    for (uint32_t i = 0; i < c->set->table_count; i++) {
        const struct stile__code_table *t = &c->set->tables[i];
        bool first = true;
        stile_buf_addc(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        stile_buf_json_str(out, t->name);
        stile_buf_printf(out, ",\"hits\":%llu,\"misses\":%llu,\"unused\":[",
                         (unsigned long long)sum(c->hits[i], t->count),
                         (unsigned long long)c->misses[i]);
        for (uint32_t k = 0; k < t->count; k++) {
            if (c->hits[i][k] == 0) {
                stile_buf_addc(out, first ? "" : ",");
                stile_buf_json_str(out, t->rows[k].left);
                first = false;
            }
        }
        stile_buf_addc(out, "]}");
    }
}

static void json_losses(const struct stile_map_coverage *c,
                        struct stile_buf *out)
{
    bool first = true;
    for (const struct stile__loss *l = c->losses; l != NULL; l = l->next) {
        if (!seen(c, l->mapping)) {
            continue;
        }
        stile_buf_printf(out, "%s{\"line\":%u,\"rows\":%llu", first ? "" : ",",
                         line_of(l), (unsigned long long)l->rows);
        member(out, "mapping", l->mapping->tree->name.text);
        member(out, "because", l->stmt->reason);
        stile_buf_byte(out, '}');
        first = false;
    }
    stile_buf_addc(out, "],\"findings\":{");
    first = true;
    for (int i = 0; i < RUN_CODE_COUNT; i++) {
        if (c->warnings[i] > 0) {
            stile_buf_printf(out, "%s\"%s\":%llu", first ? "" : ",",
                             stile__run_code_name((enum stile__run_code)i),
                             (unsigned long long)c->warnings[i]);
            first = false;
        }
    }
}

void stile_map_coverage_print(const struct stile_map_coverage *c, bool json,
                              struct stile_buf *out)
{
    if (json) {
        stile_buf_addc(out, "{\"tables\":[");
        json_tables(c, out);
        stile_buf_addc(out, "],\"codes\":[");
        json_codes(c, out);
        stile_buf_addc(out, "],\"profiles\":[");
        stile__coverage_profiles_json(c, out);
        stile_buf_addc(out, "],\"losses\":[");
        json_losses(c, out);
        stile_buf_addc(out, "}}\n");
        return;
    }
    for (const struct stile__covered *t = c->tables; t; t = t->next) {
        if (stile__coverage_mapped(c, t->table)) {
            print_table(c, t, out);
        }
    }
    for (const struct stile__covered *t = c->tables; t; t = t->next) {
        if (!stile__coverage_mapped(c, t->table)) {
            print_table(c, t, out);
        }
    }
    print_codes(c, out);
    print_losses(c, out);
}
