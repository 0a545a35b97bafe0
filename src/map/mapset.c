/* All mappings together: compile and look up. */
#include "trie.h"

const struct stile__code_table *
stile__mapset_table(const struct stile_mapset *set, struct stile_str name)
{
    for (uint32_t i = 0; i < set->table_count; i++) {
        if (stile_str_eq(set->tables[i].name, name)) {
            return &set->tables[i];
        }
    }
    return NULL;
}

const struct stile_mapping *stile__mapset_find(const struct stile_mapset *set,
                                               struct stile_str name)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (stile_str_eq(set->mappings[i].tree->name.text, name)) {
            return &set->mappings[i];
        }
    }
    return NULL;
}

int stile__map_version_cmp(struct stile_str a, struct stile_str b)
{
    struct stile_str x, y;
    for (;;) {
        int64_t m = 0, n = 0;
        bool more_a = stile_str_next(&a, '.', &x);
        bool more_b = stile_str_next(&b, '.', &y);
        if (!more_a || !more_b) {
            return more_a - more_b;
        }
        bool numbers = stile_str_to_int64(x, &m) && stile_str_to_int64(y, &n);
        int c = numbers ? (m > n) - (m < n) : stile_str_cmp(x, y);
        if (c != 0) {
            return c;
        }
    }
}

/* ---- compile ---- */

struct compile {
    struct stile_mapset *set;
    struct stile_arena *arena;
    struct stile_diags *diags;
    bool unread; /* a file did not read: names may lead nowhere */
};

static struct stile_str base_name(struct stile_str path)
{
    size_t from = 0;
    for (size_t i = 0; i < path.len; i++) {
        from = path.ptr[i] == '/' ? i + 1 : from;
    }
    struct stile_str name = stile_str_sub(path, from, path.len - from);
    for (size_t i = name.len; i > 0; i--) {
        if (name.ptr[i - 1] == '.') {
            return stile_str_sub(name, 0, i - 1);
        }
    }
    return name;
}

static bool read_codes(struct compile *c, const struct stile_source *codes,
                       size_t count)
{
    struct stile_mapset *set = c->set;
    set->tables = stile_arena_array(c->arena, count, sizeof *set->tables);
    if (set->tables == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct stile_str name = base_name(codes[i].name);
        if (stile__mapset_table(set, name) != NULL) {
            (void)stile_diag_at_source(
                c->diags, "M110", STILE_ERROR, &codes[i],
                (struct stile_span){0, 0},
                "another code table is called '%.*s'; rename one",
                STILE_FMT(name));
        }
        struct stile__code_table *t = &set->tables[set->table_count++];
        t->name = name;
        if (stile_str_ends(codes[i].name, STILE_STR(".json"))) {
            stile__codes_read_map(t, &codes[i], c->arena, c->diags);
        } else {
            stile__codes_read(t, &codes[i], c->arena, c->diags);
        }
    }
    return true;
}

static bool read_maps(struct compile *c, const struct stile_source *maps,
                      size_t count, bool *ret_bad)
{
    struct stile_lang_mapping **first =
        stile_arena_array(c->arena, count, sizeof(void *));
    size_t total = 0;
    if (first == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        enum stile_status status =
            stile_lang_parse(&maps[i], c->arena, c->diags, &first[i]);
        if (status == STILE_NOMEM) {
            return false;
        }
        *ret_bad = *ret_bad || status != STILE_OK;
        for (struct stile_lang_mapping *m = first[i]; m; m = m->next) {
            total++;
        }
    }
    c->set->mappings =
        stile_arena_array(c->arena, total, sizeof *c->set->mappings);
    c->set->left_tables =
        stile_arena_array(c->arena, total, sizeof *c->set->left_tables);
    if (c->set->mappings == NULL || c->set->left_tables == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        for (struct stile_lang_mapping *m = first[i]; m; m = m->next) {
            struct stile_mapping *to = &c->set->mappings[c->set->count++];
            to->set = c->set;
            to->tree = m;
        }
    }
    return true;
}

static struct stile__cc context(struct compile *c, struct stile_mapping *m,
                                struct stile__variant *v)
{
    return (struct stile__cc){.set = c->set,
                              .mapping = m,
                              .variant = v,
                              .tree = m->tree,
                              .source = m->tree->source,
                              .arena = c->arena,
                              .diags = c->diags};
}

/* ---- variants ---- */

static bool in_range(const struct stile_table *t,
                     const struct stile_lang_mapping *tree)
{
    return stile_str_eq(t->family, tree->family.text) &&
           stile_str_eq(t->name, tree->table.text) &&
           stile__map_version_cmp(t->version, tree->from.text) >= 0 &&
           stile__map_version_cmp(t->version, tree->to.text) <= 0;
}

static void no_table(struct compile *c, struct stile_mapping *m)
{
    struct stile__cc cc = context(c, m, NULL);
    const struct stile_lang_mapping *tree = m->tree;
    struct stile_str names[128];
    size_t count = 0;
    bool family = false, table = false;
    for (size_t i = 0; i < stile_schema_count(c->set->schema); i++) {
        const struct stile_table *t = stile_schema_at(c->set->schema, i);
        if (!stile_str_eq(t->family, tree->family.text)) {
            continue;
        }
        family = true;
        table = table || stile_str_eq(t->name, tree->table.text);
        if (count < 128) {
            names[count++] = t->name;
        }
    }
    if (!family) {
        (void)stile__map_report(&cc, "M101", tree->family.span,
                                "no table family '%.*s' is loaded",
                                STILE_FMT(tree->family.text));
    } else if (table) {
        (void)stile__map_report(&cc, "M101", tree->from.span,
                                "no version of this range has the table");
    } else {
        struct stile_diag *diag = stile__map_report(
            &cc, "M101", tree->table.span, "%.*s has no table '%.*s'",
            STILE_FMT(tree->family.text), STILE_FMT(tree->table.text));
        stile_diag_suggest(c->diags, diag, tree->table.text, names, count);
    }
}

static void find_variants(struct compile *c, struct stile_mapping *m)
{
    size_t tables = stile_schema_count(c->set->schema), count = 0;
    for (size_t i = 0; i < tables; i++) {
        count += in_range(stile_schema_at(c->set->schema, i), m->tree) ? 1 : 0;
    }
    m->variants = stile_arena_array(c->arena, count, sizeof *m->variants);
    if (count == 0) {
        no_table(c, m);
        return;
    }
    for (size_t i = 0; m->variants != NULL && i < tables; i++) {
        const struct stile_table *t = stile_schema_at(c->set->schema, i);
        if (!in_range(t, m->tree)) {
            continue;
        }
        uint32_t at = m->variant_count++;
        while (at > 0 &&
               stile__map_version_cmp(m->variants[at - 1].table->version,
                                      t->version) > 0) {
            m->variants[at] = m->variants[at - 1];
            at--;
        }
        m->variants[at] = (struct stile__variant){.mapping = m, .table = t};
    }
}

static void find_type(struct compile *c, struct stile_mapping *m)
{
    struct stile__cc cc = context(c, m, NULL);
    const struct stile_fhir_type *type = stile_fhir_type(m->tree->type.text);
    if (m->tree->type.text.ptr == NULL) {
        return; /* reported by the parser */
    }
    if (type == NULL || !stile_fhir_type_is_resource(type)) {
        (void)stile__map_report(&cc, "M104", m->tree->type.span,
                                "FHIR R4 has no resource type '%.*s'",
                                STILE_FMT(m->tree->type.text));
        return;
    }
    m->type = type;
}

static void no_profile(struct compile *c, struct stile_mapping *m)
{
    const struct stile_schema *schema = c->set->schema;
    struct stile__cc cc = context(c, m, NULL);
    const struct stile_lang_word *word = &m->tree->profile;
    bool by_url = stile_str_find(word->text, ':') != SIZE_MAX;
    size_t count = stile_schema_profile_count(schema);
    struct stile_str *names = stile_arena_array(c->arena, count, sizeof *names);
    struct stile_diag *diag = stile__map_report(
        &cc, "M111", word->span,
        "no profile '%.*s' is loaded; describe it in formats/*.profiles, or "
        "leave it out",
        STILE_FMT(word->text));
    for (size_t i = 0; names != NULL && i < count; i++) {
        const struct stile_profile *p = stile_schema_profile_at(schema, i);
        names[i] = by_url ? p->url : p->name;
    }
    if (names != NULL) {
        stile_diag_suggest(c->diags, diag, word->text, names, count);
    }
}

static void find_profile(struct compile *c, struct stile_mapping *m)
{
    const struct stile_lang_word *word = &m->tree->profile;
    if (word->text.len == 0 || m->type == NULL) {
        return;
    }
    const struct stile_profile *p =
        stile_schema_profile(c->set->schema, word->text);
    if (p == NULL) {
        no_profile(c, m);
        return;
    }
    if (!stile_str_eq(p->type, stile_fhir_type_name(m->type))) {
        struct stile__cc cc = context(c, m, NULL);
        (void)stile__map_report(&cc, "M112", word->span,
                                "'%.*s' is a profile of %.*s",
                                STILE_FMT(word->text), STILE_FMT(p->type));
        return;
    }
    m->profile = p;
}

/* The codec of `id`, before anything refers to it. */
static void find_id(struct compile *c, struct stile_mapping *m)
{
    for (const struct stile_lang_stmt *s = m->tree->body; s; s = s->next) {
        const struct stile_lang_step *step =
            s->paths != NULL ? s->paths->steps : NULL;
        if (s->kind != STILE_LANG_RULE || step == NULL || step->next != NULL ||
            !stile_str_eqc(step->word.text, "id")) {
            continue;
        }
        struct stile__codec_use *use = stile_arena_alloc(c->arena, sizeof *use);
        struct stile_str name =
            s->codec != NULL ? s->codec->name.text : STILE_STR("id");
        const struct stile__codec *codec = stile__codec_find(name);
        if (use == NULL || codec == NULL || !(codec->fits & FITS_ID)) {
            return;
        }
        use->codec = codec;
        use->fits = FITS_ID;
        if (s->codec != NULL && s->codec->args != NULL) {
            use->text = s->codec->args->word.text;
        }
        struct stile_str version = m->variant_count > 0
                                       ? m->variants[0].table->version
                                       : STILE_STR_NULL;
        use->braces = stile_str_eqc(stile_schema_dialect(c->set->schema,
                                                         m->tree->family.text,
                                                         version, "guid"),
                                    "braced");
        m->id_use = use;
    }
}

static void check_names(struct compile *c, uint32_t at)
{
    struct stile_mapping *m = &c->set->mappings[at];
    struct stile__cc cc = context(c, m, NULL);
    for (uint32_t i = 0; i < at; i++) {
        if (stile_str_eq(c->set->mappings[i].tree->name.text,
                         m->tree->name.text)) {
            (void)stile__map_report(&cc, "M110", m->tree->name.span,
                                    "another mapping is called '%.*s'",
                                    STILE_FMT(m->tree->name.text));
        }
    }
    if (m->tree->examples == NULL && !m->tree->broken) {
        (void)stile__map_report(&cc, "M705", m->tree->name.span,
                                "add an example; it is run both ways whenever "
                                "the mapping is compiled");
    }
}

static void compile_mapping(struct compile *c, struct stile_mapping *m)
{
    for (uint32_t i = 0; m->type != NULL && i < m->variant_count; i++) {
        struct stile__cc cc = context(c, m, &m->variants[i]);
        size_t before = c->diags->errors;
        stile__collect(&cc);
        if (stile_arena_failed(c->arena)) {
            return;
        }
        stile__check(&cc);
        m->variants[i].rules = cc.rules;
        m->variants[i].mapped = cc.mapped;
        m->variants[i].accounted = cc.accounted;
        m->variants[i].dropped = cc.dropped;
        if (c->diags->errors == before && !m->tree->broken && !c->unread) {
            stile__lower(&cc);
            stile__trie_build(cc.variant, cc.arena);
        }
    }
}

static void digest(struct compile *c, const struct stile_source *maps,
                   size_t map_count, const struct stile_source *codes,
                   size_t code_count)
{
    struct stile_sha256 *sha = stile_sha256_new();
    if (sha == NULL) {
        return;
    }
    for (size_t i = 0; i < map_count + code_count; i++) {
        const struct stile_source *s =
            i < map_count ? &maps[i] : &codes[i - map_count];
        stile_sha256_add(sha, s->name);
        stile_sha256_add(sha, STILE_STR("\0"));
        stile_sha256_add(sha, s->text);
        stile_sha256_add(sha, STILE_STR("\0"));
    }
    for (size_t i = 0; i < stile_schema_count(c->set->schema); i++) {
        const struct stile_table *t = stile_schema_at(c->set->schema, i);
        stile_sha256_add(sha, t->family);
        stile_sha256_add(sha, t->version);
        stile_sha256_add(sha, t->name);
        for (size_t k = 0; k < t->count; k++) {
            stile_sha256_add(sha, t->column_names[k]);
            stile_sha256_add(sha, STILE_STR("\0"));
        }
    }
    for (uint32_t i = 0; i < c->set->count; i++) {
        const struct stile_profile *p = c->set->mappings[i].profile;
        stile_sha256_add(sha, p != NULL ? p->url : STILE_STR(""));
        stile_sha256_add(sha, STILE_STR("\0"));
    }
    stile_sha256_done(sha, &c->set->digest);
    stile_sha256_free(&sha);
}

enum stile_status
stile_mapset_read(const struct stile_schema *schema,
                  const struct stile_source *maps, size_t map_count,
                  const struct stile_source *codes, size_t code_count,
                  struct stile_arena *arena, struct stile_diags *diags,
                  struct stile_mapset **ret)
{
    struct stile_mapset *set = stile_arena_alloc(arena, sizeof *set);
    struct compile c = {.set = set, .arena = arena, .diags = diags};
    size_t before = diags->errors;
    bool bad = false;
    if (set == NULL) {
        return STILE_NOMEM;
    }
    set->schema = schema;
    set->arena = arena;
    if (!read_codes(&c, codes, code_count) ||
        !read_maps(&c, maps, map_count, &bad)) {
        return STILE_NOMEM;
    }
    c.unread = bad;
    for (uint32_t i = 0; i < set->count; i++) {
        find_type(&c, &set->mappings[i]);
        find_profile(&c, &set->mappings[i]);
        set->left_tables[i] = set->mappings[i].tree->table.text;
        if (set->mappings[i].tree->table.text.ptr != NULL) {
            find_variants(&c, &set->mappings[i]);
        }
        find_id(&c, &set->mappings[i]);
        check_names(&c, i);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        compile_mapping(&c, &set->mappings[i]);
    }
    if (stile_arena_failed(arena)) {
        return STILE_NOMEM;
    }
    bad = bad || diags->errors != before;
    for (uint32_t i = 0; !bad && i < set->count; i++) {
        stile__examples(&set->mappings[i], diags);
    }
    *ret = set;
    if (bad || diags->errors != before) {
        return STILE_INVALID;
    }
    digest(&c, maps, map_count, codes, code_count);
    return STILE_OK;
}

enum stile_status
stile_mapset_compile(const struct stile_schema *schema,
                     const struct stile_source *maps, size_t map_count,
                     const struct stile_source *codes, size_t code_count,
                     struct stile_arena *arena, struct stile_diags *diags,
                     struct stile_mapset **ret)
{
    struct stile_mapset *set = NULL;
    enum stile_status status = stile_mapset_read(
        schema, maps, map_count, codes, code_count, arena, diags, &set);
    if (status == STILE_OK) {
        *ret = set;
    }
    return status;
}

/* ---- questions ---- */

size_t stile_mapset_count(const struct stile_mapset *set)
{
    return set->count;
}

const struct stile_mapping *stile_mapset_at(const struct stile_mapset *set,
                                            size_t i)
{
    return i < set->count ? &set->mappings[i] : NULL;
}

struct stile_str stile_mapping_name(const struct stile_mapping *mapping)
{
    return mapping->tree->name.text;
}

uint32_t stile_mapping_number(const struct stile_mapping *mapping)
{
    return mapping->tree->number;
}

struct stile_str stile_mapping_table(const struct stile_mapping *mapping)
{
    return mapping->tree->table.text;
}

struct stile_str stile_mapping_family(const struct stile_mapping *mapping)
{
    return mapping->tree->family.text;
}

struct stile_str stile_mapping_type(const struct stile_mapping *mapping)
{
    return stile_fhir_type_name(mapping->type);
}

bool stile_mapping_goes_left(const struct stile_mapping *mapping)
{
    return mapping->goes_left;
}

struct stile_digest stile_mapset_digest(const struct stile_mapset *set)
{
    return set->digest;
}

static bool reads_child(const struct stile_lang_stmt *s, struct stile_str table)
{
    for (; s != NULL; s = s->next) {
        if ((s->child != NULL && stile_str_eq(s->child->table.text, table)) ||
            reads_child(s->body, table)) {
            return true;
        }
    }
    return false;
}

bool stile_mapset_reads(const struct stile_mapset *set, struct stile_str family,
                        struct stile_str table)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const struct stile_mapping *m = &set->mappings[i];
        if (!stile_str_eq(m->tree->family.text, family)) {
            continue;
        }
        if (stile_str_eq(m->tree->table.text, table) ||
            reads_child(m->tree->body, table)) {
            return true;
        }
        for (const struct stile_lang_lookup *l = m->tree->lookups; l;
             l = l->next) {
            if (stile_str_eq(l->table.text, table)) {
                return true;
            }
        }
    }
    return false;
}
