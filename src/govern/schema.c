/*
 * JSON Schema (draft 2020-12) of the files that officers edit, with the words
 * of the vocabulary, so that an editor completes them. It says what a file
 * looks like; what it means is checked when it is read.
 */
#include "private.h"

static void add_enum(struct stile_buf *out, const char *name,
                     const struct stile_str *words, size_t count)
{
    size_t i;

    stile_buf_printf(out, "    \"%s\": {\"enum\": [", name);
    for (i = 0; i < count; i++) {
        stile_buf_addc(out, i ? ", " : "");
        stile_buf_json_str(out, words[i]);
    }
    stile_buf_addc(out, "]},\n");
}

static void add_list_of(struct stile_buf *out, const char *name, const char *of)
{
    stile_buf_printf(out,
                     "    \"%s\": {\"anyOf\": [{\"$ref\": \"#/$defs/%s\"}, "
                     "{\"type\": \"array\", \"items\": {\"$ref\": "
                     "\"#/$defs/%s\"}}]},\n",
                     name, of, of);
}

/* Obligations by how they are written: a word alone, or with data words. */
static void add_obligations(const struct stile_rules *rules,
                            struct stile_buf *out)
{
    const char *before = "";
    size_t i;

    stile_buf_addc(out, "    \"duty\": {\"anyOf\": [{\"enum\": [");
    for (i = 0; i < rules->obligations.count; i++) {
        const struct stile__obligation *def = &rules->obligation_defs[i];
        if (!def->takes_data && def->verb != STILE__RELABEL) {
            stile_buf_addc(out, before);
            stile_buf_json_str(out, rules->obligations.names[i]);
            before = ", ";
        }
    }
    stile_buf_addc(out, "]}, {\"type\": \"object\", \"minProperties\": 1, "
                        "\"maxProperties\": 1, \"additionalProperties\": "
                        "false, \"properties\": {");
    before = "";
    for (i = 0; i < rules->obligations.count; i++) {
        const struct stile__obligation *def = &rules->obligation_defs[i];
        if (def->takes_data || def->verb == STILE__RELABEL) {
            stile_buf_addc(out, before);
            stile_buf_json_str(out, rules->obligations.names[i]);
            stile_buf_printf(out, ": {\"$ref\": \"#/$defs/%s\"}",
                             def->takes_data ? "data-words" : "relabel");
            before = ", ";
        }
    }
    stile_buf_addc(out, "}}]},\n");
}

static void add_facts_yes(const struct stile_rules *rules, const char *name,
                          const char *value, const char *more,
                          struct stile_buf *out)
{
    size_t i;

    stile_buf_printf(out,
                     "    \"%s\": {\"type\": \"object\", "
                     "\"additionalProperties\": false, \"properties\": {%s",
                     name, more);
    for (i = 0; i < rules->facts.count; i++) {
        stile_buf_addc(out, i || *more ? ", " : "");
        stile_buf_json_str(out, rules->facts.names[i]);
        stile_buf_printf(out, ": {\"$ref\": \"#/$defs/%s\"}", value);
    }
    stile_buf_addc(out, "}},\n");
}

static const char fixed_defs[] =
    "    \"text\": {\"type\": \"string\"},\n"
    "    \"texts\": {\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", "
    "\"items\": {\"type\": \"string\"}}]},\n"
    "    \"date\": {\"type\": \"string\", \"pattern\": "
    "\"^[0-9]{4}-[0-9]{2}-[0-9]{2}$\"},\n"
    "    \"hours\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": "
    "72},\n"
    "    \"yes\": {\"enum\": [\"yes\", true]},\n"
    "    \"truth\": {\"enum\": [\"yes\", \"no\", \"unknown\", true, false]},\n"
    "    \"relabel\": {\"type\": \"object\", \"required\": [\"label\", "
    "\"as\"], "
    "\"additionalProperties\": false, \"properties\": {\"label\": {\"$ref\": "
    "\"#/$defs/label\"}, \"as\": {\"type\": \"string\"}}},\n"
    "    \"need\": {\"anyOf\": [{\"$ref\": \"#/$defs/fact\"}, {\"type\": "
    "\"object\", \"required\": [\"any-of\"], \"additionalProperties\": false, "
    "\"properties\": {\"any-of\": {\"type\": \"array\", \"items\": {\"$ref\": "
    "\"#/$defs/fact\"}}}}]},\n"
    "    \"what\": {\"anyOf\": [{\"const\": \"everything\"}, {\"$ref\": "
    "\"#/$defs/data-words\"}, {\"type\": \"object\", \"required\": "
    "[\"labelled\"], \"additionalProperties\": false, \"properties\": "
    "{\"labelled\": {\"$ref\": \"#/$defs/labels\"}, \"of\": {\"$ref\": "
    "\"#/$defs/data-words\"}}}]},\n"
    "    \"when\": {\"type\": \"object\", \"additionalProperties\": false, "
    "\"properties\": {\"patient\": {\"$ref\": \"#/$defs/facts\"}, "
    "\"recipient-is\": {\"$ref\": \"#/$defs/bodies\"}, \"sender-is\": "
    "{\"$ref\": \"#/$defs/bodies\"}, \"for\": {\"$ref\": "
    "\"#/$defs/purposes-or-care\"}}},\n";

static const char share_text[] =
    "  {\"type\": \"object\", \"additionalProperties\": false, \"required\": "
    "[\"rule\", \"kind\", \"says\", \"under\", \"for\", \"data\"], "
    "\"properties\": {\n"
    "    \"rule\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"kind\": {\"const\": \"share\"},\n"
    "    \"says\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"under\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"for\": {\"$ref\": \"#/$defs/purpose\"},\n"
    "    \"data\": {\"type\": \"array\", \"items\": {\"$ref\": "
    "\"#/$defs/data\"}},\n"
    "    \"needs\": {\"anyOf\": [{\"$ref\": \"#/$defs/fact\"}, {\"type\": "
    "\"array\", \"items\": {\"$ref\": \"#/$defs/need\"}}]},\n"
    "    \"then\": {\"$ref\": \"#/$defs/duties\"},\n"
    "    \"from\": {\"$ref\": \"#/$defs/date\"},\n"
    "    \"expires\": {\"$ref\": \"#/$defs/date\"},\n"
    "    \"cites\": {\"$ref\": \"#/$defs/texts\"}}}";

/* %s: the kind, and whether it must say which data. */
static void add_limit(struct stile_buf *out, const char *kind,
                      const char *required)
{
    stile_buf_printf(
        out,
        "  {\"type\": \"object\", \"additionalProperties\": false, "
        "\"required\": [\"rule\", \"kind\", \"says\"%s], \"properties\": {\n"
        "    \"rule\": {\"$ref\": \"#/$defs/text\"},\n"
        "    \"kind\": {\"const\": \"%s\"},\n"
        "    \"says\": {\"$ref\": \"#/$defs/text\"},\n"
        "    \"data\": {\"$ref\": \"#/$defs/what\"},\n"
        "    \"reach\": {\"enum\": [\"item\", \"linked-items\"]},\n"
        "    \"when\": {\"$ref\": \"#/$defs/when\"},\n"
        "    \"unless\": {\"type\": \"array\", \"items\": {\"$ref\": "
        "\"#/$defs/exception\"}},\n"
        "    \"then\": {\"$ref\": \"#/$defs/duties\"},\n"
        "    \"tell-recipient\": {\"enum\": [\"nothing\", "
        "\"items-withheld\"]},\n"
        "    \"cites\": {\"$ref\": \"#/$defs/texts\"}}}",
        required, kind);
}

static const char agreement_text[] =
    "  {\"type\": \"object\", \"additionalProperties\": false, \"required\": "
    "[\"agreement\", \"title\", \"between\", \"for\", \"data\", \"basis\", "
    "\"papers\", \"public-reason\", \"from\", \"review\", \"expires\", "
    "\"approved-by\"], \"properties\": {\n"
    "    \"agreement\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"title\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"between\": {\"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, "
    "\"items\": {\"type\": \"object\", \"additionalProperties\": false, "
    "\"required\": [\"ods\", \"as\", \"kind\", \"name\"], \"properties\": "
    "{\"ods\": {\"$ref\": \"#/$defs/text\"}, \"as\": {\"enum\": [\"sender\", "
    "\"recipient\"]}, \"kind\": {\"$ref\": \"#/$defs/kind\"}, \"name\": "
    "{\"$ref\": \"#/$defs/text\"}, \"dspt-expires\": {\"$ref\": "
    "\"#/$defs/date\"}}}},\n"
    "    \"for\": {\"$ref\": \"#/$defs/purposes\"},\n"
    "    \"data\": {\"type\": \"array\", \"items\": {\"$ref\": "
    "\"#/$defs/data\"}},\n"
    "    \"basis\": {\"type\": \"object\", \"additionalProperties\": false, "
    "\"required\": [\"sender\", \"recipient\"], \"properties\": {\"sender\": "
    "{\"$ref\": \"#/$defs/basis\"}, \"recipient\": {\"$ref\": "
    "\"#/$defs/basis\"}}},\n"
    "    \"papers\": {\"type\": \"object\", \"additionalProperties\": false, "
    "\"required\": [\"dpia\", \"ropa\"], \"properties\": {\"dpia\": {\"$ref\": "
    "\"#/$defs/text\"}, \"dpia-expires\": {\"$ref\": \"#/$defs/date\"}, "
    "\"ropa\": {\"$ref\": \"#/$defs/text\"}}},\n"
    "    \"public-reason\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"from\": {\"$ref\": \"#/$defs/date\"},\n"
    "    \"review\": {\"$ref\": \"#/$defs/date\"},\n"
    "    \"expires\": {\"$ref\": \"#/$defs/date\"},\n"
    "    \"approved-by\": {\"type\": \"array\", \"minItems\": 1, \"items\": "
    "{\"type\": \"object\", \"additionalProperties\": false, \"required\": "
    "[\"role\", \"key\", \"on\"], \"properties\": {\"role\": {\"$ref\": "
    "\"#/$defs/text\"}, \"key\": {\"$ref\": \"#/$defs/text\"}, \"on\": "
    "{\"$ref\": \"#/$defs/date\"}}}},\n"
    "    \"then\": {\"$ref\": \"#/$defs/duties\"},\n"
    "    \"cites\": {\"$ref\": \"#/$defs/texts\"},\n"
    "    \"break-glass\": {\"type\": \"object\", \"additionalProperties\": "
    "false, \"required\": [\"reasons\", \"hours\"], \"properties\": "
    "{\"reasons\": {\"$ref\": \"#/$defs/reasons\"}, \"hours\": {\"$ref\": "
    "\"#/$defs/hours\"}}}}}";

static const char example_text[] =
    "  {\"type\": \"object\", \"additionalProperties\": false, \"required\": "
    "[\"example\", \"rule\", \"under\", \"for\", \"data\", \"expect\"], "
    "\"properties\": {\n"
    "    \"example\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"rule\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"under\": {\"$ref\": \"#/$defs/text\"},\n"
    "    \"for\": {\"$ref\": \"#/$defs/purpose\"},\n"
    "    \"on\": {\"$ref\": \"#/$defs/date\"},\n"
    "    \"family\": {\"$ref\": \"#/$defs/family\"},\n"
    "    \"patient\": {\"$ref\": \"#/$defs/person\"},\n"
    "    \"data\": {\"$ref\": \"#/$defs/data\"},\n"
    "    \"labels\": {\"$ref\": \"#/$defs/carried\"},\n"
    "    \"expect\": {\"enum\": [\"release\", \"release-changed\", "
    "\"withhold\", \"hold-for-person\"]}}}";

static void add_words(const struct stile_rules *rules, struct stile_buf *out)
{
    size_t i;

    add_enum(out, "data", rules->data.names, rules->data.count);
    add_enum(out, "fact", rules->facts.names, rules->facts.count);
    add_enum(out, "label", rules->labels.names, rules->labels.count);
    add_enum(out, "purpose", rules->purposes.names, rules->purposes.count);
    add_enum(out, "kind", rules->kinds.names, rules->kinds.count);
    add_enum(out, "group", rules->groups.names, rules->groups.count);
    add_enum(out, "family", rules->families.names, rules->families.count);
    add_enum(out, "reason", rules->reasons.names, rules->reasons.count);
    stile_buf_addc(out, "    \"body\": {\"anyOf\": [{\"$ref\": "
                        "\"#/$defs/kind\"}, {\"$ref\": \"#/$defs/group\"}]},\n"
                        "    \"purposes-or-care\": {\"anyOf\": [{\"enum\": "
                        "[\"care\", \"beyond-care\"]}, {\"$ref\": "
                        "\"#/$defs/purposes\"}]},\n"
                        "    \"carried-one\": {\"anyOf\": [{\"$ref\": "
                        "\"#/$defs/label\"}, {\"enum\": [");
    for (i = 0; i < rules->labels.count; i++) {
        stile_buf_printf(out, "%s\"related-to-%.*s\"", i ? ", " : "",
                         STILE_FMT(rules->labels.names[i]));
    }
    stile_buf_addc(out, "]}]},\n");
    add_list_of(out, "data-words", "data");
    add_list_of(out, "facts", "fact");
    add_list_of(out, "labels", "label");
    add_list_of(out, "purposes", "purpose");
    add_list_of(out, "reasons", "reason");
    add_list_of(out, "bodies", "body");
    add_list_of(out, "duties", "duty");
    add_list_of(out, "carried", "carried-one");
    add_obligations(rules, out);
    add_facts_yes(rules, "exception", "yes",
                  "\"recipient-is\": {\"$ref\": \"#/$defs/bodies\"}, \"for\": "
                  "{\"$ref\": \"#/$defs/purposes-or-care\"}",
                  out);
    add_facts_yes(rules, "person", "truth", "", out);
    stile_buf_addc(out, fixed_defs);
    stile_buf_addc(out,
                   "    \"basis\": {\"type\": \"object\", "
                   "\"additionalProperties\": false, \"required\": "
                   "[\"article6\"], \"properties\": {\"article6\": {\"$ref\": "
                   "\"#/$defs/text\"}, \"article9\": {\"$ref\": "
                   "\"#/$defs/text\"}, \"confidentiality\": {\"$ref\": "
                   "\"#/$defs/text\"}}}\n");
}

void stile_rules_schema(const struct stile_rules *rules,
                        enum stile_rule_file file, struct stile_buf *out)
{
    stile_buf_addc(out, "{\n  \"$schema\": "
                        "\"https://json-schema.org/draft/2020-12/schema\",\n"
                        "  \"type\": \"array\",\n  \"items\": {\"anyOf\": [\n");
    if (file == STILE_RULES_AGREEMENTS) {
        stile_buf_addc(out, agreement_text);
    } else if (file == STILE_RULES_EXAMPLES) {
        stile_buf_addc(out, example_text);
    } else if (file == STILE_RULES_GUARDRAILS) {
        add_limit(out, "guardrail", "");
    } else {
        stile_buf_addc(out, share_text);
        stile_buf_addc(out, ",\n");
        add_limit(out, "withhold", ", \"data\"");
    }
    stile_buf_addc(out, "\n  ]},\n  \"$defs\": {\n");
    add_words(rules, out);
    stile_buf_addc(out, "  }\n}\n");
}
