/*
 * A StructureMap in FHIR's mapping language (http://hl7.org/fhir/R4/
 * mapping-language.html). Documentation stands in comments above its line.
 */
#include "structure.h"

static void indent(struct stile_buf *out, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        stile_buf_addc(out, "  ");
    }
}

static void quoted(struct stile_buf *out, struct stile_str text, char quote)
{
    stile_buf_byte(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        stile_buf_addc(out, c == quote || c == '\\' ? "\\" : "");
        stile_buf_byte(out, c);
    }
    stile_buf_byte(out, quote);
}

static void comment(struct stile_buf *out, const struct stile_value *of,
                    const char *member, unsigned depth)
{
    struct stile_str text = stile_value_text(of, member), line;
    while (stile_str_next(&text, '\n', &line)) {
        indent(out, depth);
        stile_buf_printf(out, "// %.*s\n", STILE_FMT(line));
    }
}

static const struct stile_value *first_of(const struct stile_value *of,
                                          const char *member)
{
    const struct stile_value *list = stile_value_getc(of, member);
    return list != NULL ? list->first : NULL;
}

static void expression(const struct stile_value *of, const char *member,
                       const char *word, struct stile_buf *out)
{
    struct stile_str text = stile_value_text(of, member);
    if (text.len > 0) {
        stile_buf_printf(out, " %s (%.*s)", word, STILE_FMT(text));
    }
}

static void name_after(const struct stile_value *of, const char *member,
                       const char *before, struct stile_buf *out)
{
    struct stile_str text = stile_value_text(of, member);
    if (text.len > 0) {
        stile_buf_addc(out, before);
        stile__fhirpath_name(out, text);
    }
}

static void sources(const struct stile_value *rule, struct stile_buf *out)
{
    const struct stile_value *first = first_of(rule, "source");
    for (const struct stile_value *s = first; s != NULL; s = s->next) {
        struct stile_str otherwise = stile_value_text(s, "defaultValueString");
        name_after(s, "context", s != first ? ", " : "", out);
        name_after(s, "element", ".", out);
        if (otherwise.len > 0) {
            stile_buf_addc(out, " default ");
            quoted(out, otherwise, '"');
        }
        name_after(s, "variable", " as ", out);
        expression(s, "condition", "where", out);
        expression(s, "check", "check", out);
    }
}

static void parameter(const struct stile_value *p, struct stile_buf *out)
{
    const struct stile_value *value = p->first;
    if (value == NULL) {
        return;
    }
    if (value->kind == STILE_BOOL) {
        stile_buf_addc(out, value->boolean ? "true" : "false");
    } else if (value->kind == STILE_STRING &&
               !stile_str_eqc(value->name, "valueId")) {
        quoted(out, value->text, '\'');
    } else {
        stile_buf_add(out, value->text);
    }
}

static void targets(const struct stile_value *rule, struct stile_buf *out)
{
    const struct stile_value *first = first_of(rule, "target");
    for (const struct stile_value *t = first; t != NULL; t = t->next) {
        struct stile_str transform = stile_value_text(t, "transform");
        const struct stile_value *of = first_of(t, "parameter");
        bool copy = stile_str_eqc(transform, "copy");
        name_after(t, "context", t == first ? " -> " : ", ", out);
        name_after(t, "element", ".", out);
        if (transform.len > 0) {
            stile_buf_printf(out, copy ? " = " : " = %.*s(",
                             STILE_FMT(transform));
        }
        for (const struct stile_value *p = of; p != NULL; p = p->next) {
            stile_buf_addc(out, p != of ? ", " : "");
            parameter(p, out);
        }
        stile_buf_addc(out, transform.len > 0 && !copy ? ")" : "");
        name_after(t, "variable", " as ", out);
    }
}

static void rules(const struct stile_value *of, unsigned depth,
                  struct stile_buf *out)
{
    for (const struct stile_value *r = first_of(of, "rule"); r; r = r->next) {
        comment(out, r, "documentation", depth);
        indent(out, depth);
        sources(r, out);
        targets(r, out);
        if (first_of(r, "rule") != NULL) {
            stile_buf_addc(out, " then {\n");
            rules(r, depth + 1, out);
            indent(out, depth);
            stile_buf_byte(out, '}');
        }
        stile_buf_byte(out, ' ');
        quoted(out, stile_value_text(r, "name"), '"');
        stile_buf_addc(out, ";\n");
    }
}

static void group(const struct stile_value *g, struct stile_buf *out)
{
    const struct stile_value *first = first_of(g, "input");
    stile_buf_byte(out, '\n');
    comment(out, g, "documentation", 0);
    for (const struct stile_value *in = first; in != NULL; in = in->next) {
        struct stile_str says = stile_value_text(in, "documentation");
        if (says.len > 0) {
            stile_buf_printf(out, "// %.*s: %.*s\n",
                             STILE_FMT(stile_value_text(in, "name")),
                             STILE_FMT(says));
        }
    }
    stile_buf_addc(out, "group ");
    stile__fhirpath_name(out, stile_value_text(g, "name"));
    for (const struct stile_value *in = first; in != NULL; in = in->next) {
        stile_buf_printf(out, "%s%.*s ", in == first ? "(" : ", ",
                         STILE_FMT(stile_value_text(in, "mode")));
        stile__fhirpath_name(out, stile_value_text(in, "name"));
        name_after(in, "type", " : ", out);
    }
    stile_buf_addc(out, ") {\n");
    rules(g, 1, out);
    stile_buf_addc(out, "}\n");
}

void stile_map_export_fml(const struct stile_value *map, struct stile_buf *out)
{
    comment(out, map, "description", 0);
    stile_buf_addc(out, "map ");
    quoted(out, stile_value_text(map, "url"), '"');
    stile_buf_addc(out, " = ");
    quoted(out, stile_value_text(map, "name"), '"');
    stile_buf_addc(out, "\n\n");
    for (const struct stile_value *s = first_of(map, "structure"); s;
         s = s->next) {
        comment(out, s, "documentation", 0);
        stile_buf_addc(out, "uses ");
        quoted(out, stile_value_text(s, "url"), '"');
        name_after(s, "alias", " alias ", out);
        stile_buf_printf(out, " as %.*s\n",
                         STILE_FMT(stile_value_text(s, "mode")));
    }
    for (const struct stile_value *g = first_of(map, "group"); g; g = g->next) {
        group(g, out);
    }
}
