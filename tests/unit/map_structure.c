/* Mappings as StructureMaps that FHIR R4 allows, and as FHIR's language. */
#include "map_shipped_help.h"
#include "map_world.h"

#define BASE STILE_STR("https://stile.example/fhir")

static bool documents(const struct stile_value *value, struct stile_str text)
{
    if (value->kind == STILE_STRING &&
        stile_str_eqc(value->name, "documentation") &&
        stile_str_find_str(value->text, text) != SIZE_MAX) {
        return true;
    }
    for (const struct stile_value *c = value->first; c != NULL; c = c->next) {
        if (documents(c, text)) {
            return true;
        }
    }
    return false;
}

/* The statement's words on one line, as they stand in the documentation. */
static struct stile_str line_of(struct stile_arena *arena,
                                const struct stile_source *source,
                                struct stile_span span)
{
    struct stile_str from = stile_str_sub(source->text, span.offset, span.len);
    char *to = stile_arena_alloc(arena, from.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < from.len; i++) {
        bool space = strchr(" \n\t\r", from.ptr[i]) != NULL;
        if (!space || (n > 0 && to[n - 1] != ' ')) {
            to[n++] = space ? ' ' : from.ptr[i];
        }
    }
    return (struct stile_str){to, n};
}

/* Every statement stands somewhere: in a rule's documentation or a group's. */
static void nothing_unsaid(struct stile_arena *arena,
                           const struct stile_mapping *m,
                           const struct stile_lang_stmt *s,
                           const struct stile_value *map)
{
    for (; s != NULL; s = s->next) {
        if (s->body != NULL) {
            nothing_unsaid(arena, m, s->body, map);
            continue;
        }
        struct stile_str line = line_of(arena, m->tree->source, s->span);
        cr_expect(documents(map, line), "%.*s: %.*s",
                  STILE_FMT(m->tree->name.text), STILE_FMT(line));
    }
}

Test(map_structure, every_shipped_mapping)
{
    struct shipped f = shipped_load();
    cr_assert_gt(stile_mapset_count(f.set), 20);
    for (size_t i = 0; i < stile_mapset_count(f.set); i++) {
        const struct stile_mapping *m = stile_mapset_at(f.set, i);
        struct stile_value *map = NULL;
        struct stile_buf fml;
        cr_assert_eq(stile_map_export_structure(m, BASE, f.arena, &map),
                     STILE_OK);
        stile_fhir_check(map, stile_mapping_name(m), &f.diags);
        shipped_dump(&f.diags);
        cr_expect_eq(f.diags.count, 0, "%.*s",
                     STILE_FMT(stile_mapping_name(m)));
        nothing_unsaid(f.arena, m, m->tree->body, map);
        stile_buf_init(&fml, 1u << 22);
        stile_map_export_fml(map, &fml);
        cr_expect_eq(fml.status, STILE_OK);
        cr_expect(stile_str_ends(stile_buf_str(&fml), STILE_STR("}\n")));
        stile_buf_release(&fml);
    }
    shipped_unload(&f);
}

static void golden(struct world *w, const char *name, struct stile_str text)
{
    char path[512];
    struct stile_source want;
    if (getenv("STILE_GOLDEN_WRITE") != NULL) {
        /* To be read in `git diff` before it is believed. */
        snprintf(path, sizeof path, "%s/tests/golden/map/%s", STILE_SOURCE_DIR,
                 name);
        FILE *f = fopen(path, "wb");
        cr_assert(f != NULL && fwrite(text.ptr, 1, text.len, f) == text.len);
        cr_assert_eq(fclose(f), 0);
    }
    cr_assert(world_read(w, name, &want), "%s", name);
    cr_expect(stile_str_eq(text, want.text), "%s is now:\n%.*s", name,
              STILE_FMT(text));
}

static void word_for_word(const char *mapping)
{
    struct shipped f = shipped_load();
    struct world w;
    struct stile_value *map = NULL;
    struct stile_buf out;
    char name[64];
    world_start(&w);
    stile_buf_init(&out, 1u << 20);
    cr_assert_eq(stile_map_export_structure(
                     stile__mapset_find(f.set, stile_str_cstr(mapping)), BASE,
                     f.arena, &map),
                 STILE_OK);
    stile_value_json(map, 1, &out);
    stile_buf_byte(&out, '\n');
    snprintf(name, sizeof name, "%s.structuremap.json", mapping);
    golden(&w, name, stile_buf_str(&out));
    stile_buf_cut(&out, 0);
    stile_map_export_fml(map, &out);
    snprintf(name, sizeof name, "%s.fml", mapping);
    golden(&w, name, stile_buf_str(&out));
    stile_buf_release(&out);
    world_end(&w);
    shipped_unload(&f);
}

Test(map_structure, a_practices_problem)
{
    word_for_word("emis-problem");
}

Test(map_structure, a_charitys_plan)
{
    word_for_word("vcse-plan");
}

/* A comparison with nothing is nothing in FHIRPath, and false here. */
Test(map_structure, conditions)
{
    struct world w;
    struct stile_value *map = NULL;
    struct stile_buf out;
    world_start(&w);
    world_map(&w, "t.map",
              "mapping t 1\n  left csv person of clinic 1 where sex = 'M'\n"
              "  right fhir Patient\n  person_ref <-> id\n"
              "  take when not (score in 1..7 and name != 'x')\n"
              "  when deleted = true\n    active = false\n  end\n"
              "  require name\n"
              "  residue nhs_number, name, other_name, born, score, weight, "
              "team_ref\n"
              "  drop private because \"not in this test\"\n"
              "  example \"one\"\n    given person_ref=P1 sex=M name=x\n"
              "    expect id = 'P1'\n  end\n"
              "  example \"gone\"\n"
              "    given person_ref=P1 sex=M name=x deleted=true\n"
              "    expect active = false\n  end\n");
    world_good(&w);
    cr_assert_eq(stile_map_export_structure(stile_mapset_at(w.set, 0), BASE,
                                            w.arena, &map),
                 STILE_OK);
    stile_fhir_check(map, STILE_STR("t"), &w.diags);
    cr_expect_eq(w.diags.errors, 0);
    stile_buf_init(&out, 1u << 20);
    stile_map_export_fml(map, &out);
    static const char taken[] =
        "  src where (sex.where($this = 'M').exists() and "
        "((score.where($this.toInteger() >= 1 and $this.toInteger() <= "
        "7).exists() and name.where($this = 'x').exists().not())).not()) then "
        "{\n";
    static const char guard[] =
        "    src where (deleted.where($this.toBoolean() = true).exists()) then "
        "{\n";
    static const char drop[] =
        "// Not carried: drop private because \"not in this test\"\n";
    const char *const lines[] = {taken, guard, drop,
                                 "    src check (name.exists()) \"line-9-",
                                 " -> tgt.active = false \"line-7-"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_expect_neq(
            stile_str_find_str(stile_buf_str(&out), stile_str_cstr(lines[i])),
            SIZE_MAX, "%s not in\n%.*s", lines[i],
            STILE_FMT(stile_buf_str(&out)));
    }
    stile_buf_release(&out);
    world_end(&w);
}
