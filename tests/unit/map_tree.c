/*
 * The checked tree as JSON: a small mapping word for word, and every shipped
 * one by the schema that is published for it. The reader here knows the
 * keywords that schema uses, and fails on one it does not know.
 */
#include "map_shipped_help.h"
#include "map_world.h"

static struct stile_value *decode(struct stile_arena *arena,
                                  struct stile_str text)
{
    struct stile_json_limits limits = {64u << 20, 64, 8000000, 1u << 20};
    struct stile_diags diags;
    struct stile_value *value = NULL;
    stile_diags_init(&diags, arena, 0);
    cr_assert_eq(stile_json_decode(text, limits, STILE_STR("tree"), arena,
                                   &diags, &value),
                 STILE_OK);
    return value;
}

static bool fits(const struct stile_value *schema,
                 const struct stile_value *rule,
                 const struct stile_value *value);

static bool kind_is(struct stile_str type, const struct stile_value *value)
{
    static const struct {
        const char *type;
        enum stile_kind kind;
    } kinds[] = {{"object", STILE_OBJECT},
                 {"array", STILE_ARRAY},
                 {"string", STILE_STRING},
                 {"integer", STILE_NUMBER},
                 {"boolean", STILE_BOOL}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (stile_str_eqc(type, kinds[i].type)) {
            return value->kind == kinds[i].kind;
        }
    }
    cr_assert(false, "type %.*s", STILE_FMT(type));
    return false;
}

static bool members_fit(const struct stile_value *schema,
                        const struct stile_value *rule,
                        const struct stile_value *value)
{
    const struct stile_value *properties = stile_value_getc(rule, "properties");
    const struct stile_value *closed =
        stile_value_getc(rule, "additionalProperties");
    for (const struct stile_value *m = value->first; m != NULL; m = m->next) {
        const struct stile_value *of = stile_value_get(properties, m->name);
        if (of == NULL ? closed != NULL : !fits(schema, of, m)) {
            fprintf(stderr, "at %.*s\n", STILE_FMT(m->name));
            return false;
        }
    }
    const struct stile_value *required = stile_value_getc(rule, "required");
    for (const struct stile_value *r = required ? required->first : NULL; r;
         r = r->next) {
        if (stile_value_get(value, r->text) == NULL) {
            fprintf(stderr, "%.*s is missing\n", STILE_FMT(r->text));
            return false;
        }
    }
    return true;
}

static bool one_of(const struct stile_value *list,
                   const struct stile_value *value)
{
    for (const struct stile_value *x = list->first; x != NULL; x = x->next) {
        if (stile_value_equal(x, value)) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct stile_value *schema,
                 const struct stile_value *rule,
                 const struct stile_value *value)
{
    for (const struct stile_value *k = rule->first; k != NULL; k = k->next) {
        bool ok = true;
        if (stile_str_eqc(k->name, "$ref")) {
            struct stile_str name = stile_str_sub(k->text, 8, k->text.len - 8);
            const struct stile_value *of =
                stile_value_get(stile_value_getc(schema, "$defs"), name);
            cr_assert_not_null(of, "%.*s", STILE_FMT(name));
            ok = fits(schema, of, value);
        } else if (stile_str_eqc(k->name, "type")) {
            ok = kind_is(k->text, value);
        } else if (stile_str_eqc(k->name, "properties")) {
            ok = members_fit(schema, rule, value);
        } else if (stile_str_eqc(k->name, "enum")) {
            ok = one_of(k, value);
        } else if (stile_str_eqc(k->name, "const")) {
            ok = stile_value_equal(k, value);
        } else if (stile_str_eqc(k->name, "items")) {
            for (const struct stile_value *x = value->first; x && ok;
                 x = x->next) {
                ok = fits(schema, k, x);
            }
        } else {
            static const char *const quiet[] = {
                "$schema",     "$defs",    "title",
                "description", "required", "additionalProperties"};
            bool known = false;
            for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++) {
                known = known || stile_str_eqc(k->name, quiet[i]);
            }
            cr_assert(known, "keyword %.*s", STILE_FMT(k->name));
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static struct stile_value *published(struct world *w)
{
    struct stile_source source;
    cr_assert(world_read(w, "../../../mappings/schema/tree.json", &source));
    return decode(w->arena, source.text);
}

#define TREE                                                                   \
    "mapping t 1\n"                                                            \
    "  left csv person of clinic 1..2\n"                                       \
    "  right fhir Patient\n"                                                   \
    "  lookup t = team by team_ref else hold \"team row\"\n"                   \
    "  take when born present\n"                                               \
    "  delete when deleted = true\n"                                           \
    "  person_ref <-> id\n"                                                    \
    "  sex <-> gender : codes sex else absent\n"                               \
    "  nme <-> name[0].text\n"                                                 \
    "  born <-> birthDay : date\n"                                             \
    "  team_ref <-> managingOrganization : ref Organization\n"                 \
    "  when weight present\n"                                                  \
    "    active = if sex = 'M' then true else absent derived\n"                \
    "  end\n"                                                                  \
    "  t.team_name -> managingOrganization.display lossy \"as it stood\"\n"    \
    "  residue nhs_number, other_name, score\n"                                \
    "  drop private because \"none here\"\n"                                   \
    "  example \"one\"\n    given person_ref=P1\n    expect id = 'P1'\n  "     \
    "end\n"

/* With two faults: what could not be resolved says nothing of it. */
Test(map_tree, word_for_word)
{
    struct world w;
    struct stile_buf text, out;
    struct stile_source want;
    world_start(&w);
    world_map(&w, "t.map", TREE);
    cr_assert_eq(stile_mapset_read(w.schema, w.maps, w.map_count, w.codes,
                                   w.code_count, w.arena, &w.diags, &w.set),
                 STILE_INVALID);
    cr_assert_not_null(w.set);
    stile_buf_init(&text, 1 << 20);
    stile_buf_init(&out, 1 << 20);
    cr_assert_eq(stile_mapset_tree(w.set, STILE_STR("t.map"), &w.diags, &text),
                 1);
    struct stile_value *tree = decode(w.arena, stile_buf_str(&text));
    cr_expect(fits(published(&w), published(&w), tree));
    stile_value_json(tree, 1, &out);
    stile_buf_byte(&out, '\n');
    if (getenv("STILE_GOLDEN_WRITE") != NULL) {
        FILE *f = fopen(STILE_SOURCE_DIR "/tests/golden/map/tree.json", "wb");
        cr_assert(f != NULL && fwrite(out.ptr, 1, out.len, f) == out.len);
        cr_assert_eq(fclose(f), 0);
    }
    cr_assert(world_read(&w, "tree.json", &want));
    cr_expect(stile_str_eq(stile_buf_str(&out), want.text), "%.*s",
              STILE_FMT(stile_buf_str(&out)));
    stile_buf_cut(&out, 0);
    cr_expect_eq(stile_mapset_tree(w.set, STILE_STR("t"), &w.diags, &out), 1);
    cr_expect_eq(stile_mapset_tree(w.set, STILE_STR("u"), &w.diags, &out), 0);
    stile_buf_release(&text);
    stile_buf_release(&out);
    world_end(&w);
}

/* A text that is no mapping at all has a tree as well. */
Test(map_tree, of_what_cannot_be_read)
{
    struct world w;
    struct stile_buf out;
    world_start(&w);
    world_map(&w, "t.map", "mapping t 1\n  right fhir\n  when\n");
    cr_assert_eq(stile_mapset_read(w.schema, w.maps, w.map_count, w.codes,
                                   w.code_count, w.arena, &w.diags, &w.set),
                 STILE_INVALID);
    stile_buf_init(&out, 1 << 20);
    cr_expect_eq(stile_mapset_tree(w.set, STILE_STR(""), &w.diags, &out), 1);
    struct stile_value *tree = decode(w.arena, stile_buf_str(&out));
    cr_expect(fits(published(&w), published(&w), tree));
    stile_buf_release(&out);
    world_end(&w);
}

Test(map_tree, shipped_ones_have_the_published_form)
{
    struct shipped f = shipped_load();
    struct world w;
    struct stile_buf out;
    world_start(&w);
    stile_buf_init(&out, 64u << 20);
    cr_expect_eq(stile_mapset_tree(f.set, STILE_STR(""), &f.diags, &out),
                 stile_mapset_count(f.set));
    struct stile_value *schema = published(&w);
    struct stile_value *tree = decode(f.arena, stile_buf_str(&out));
    cr_expect(fits(schema, schema, tree));
    /* Every name of a set that compiles is resolved. */
    cr_expect_eq(stile_str_find_str(stile_buf_str(&out),
                                    STILE_STR("\"paths\":[{\"text\":\"\"")),
                 SIZE_MAX);
    stile_buf_release(&out);
    world_end(&w);
    shipped_unload(&f);
}
