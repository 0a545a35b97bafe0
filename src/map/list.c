/* The program listing. */
#include "trie.h"

static const char *const names[OP_COUNT] = {
    [OP_END] = "end",
    [OP_LOOKUP] = "lookup",
    [OP_LOAD] = "load",
    [OP_PRESENT] = "present",
    [OP_EQ] = "eq",
    [OP_TRUTH] = "truth",
    [OP_RANGE] = "range",
    [OP_TABLE] = "table",
    [OP_NOT] = "not",
    [OP_YES] = "yes",
    [OP_ASK] = "ask",
    [OP_JUMP_IF] = "jump-if",
    [OP_SET_FLAG] = "set-flag",
    [OP_FLAG] = "flag",
    [OP_TAKE] = "take",
    [OP_DELETED] = "deleted",
    [OP_REQUIRE] = "require",
    [OP_EMPTY] = "empty",
    [OP_ENCODE] = "encode",
    [OP_DEFAULT] = "default",
    [OP_CONSTANT] = "constant",
    [OP_NOTHING] = "nothing",
    [OP_JUMP] = "jump",
    [OP_PUT] = "put",
    [OP_PUT_LIST] = "put-list",
    [OP_PUT_MISS] = "put-miss",
    [OP_MUST] = "must",
    [OP_READ] = "read",
    [OP_READ_LIST] = "read-list",
    [OP_UNDEFAULT] = "undefault",
    [OP_DECODE] = "decode",
    [OP_STORE] = "store",
    [OP_FILL] = "fill",
    [OP_EACH] = "each",
    [OP_REFER] = "refer",
};

const char *stile__op_name(enum stile__op op)
{
    return names[op];
}

static void column(const struct stile__variant *v,
                   const struct stile__instr *in, struct stile_buf *out)
{
    const struct stile__alias *a = &v->aliases[in->b];
    if (in->b != 0) {
        stile_buf_printf(out, "%.*s.", STILE_FMT(a->name));
    }
    stile_buf_add(out, a->table->columns[in->c].name);
}

static void operand(const struct stile__variant *v,
                    const struct stile__instr *in, struct stile_buf *out)
{
    const struct stile__pool *p = &v->pool;
    switch (in->op) {
    case OP_LOOKUP:
        stile_buf_add(out, v->aliases[in->a].name);
        break;
    case OP_LOAD:
    case OP_STORE:
        stile_buf_printf(out, "%u ", in->a);
        column(v, in, out);
        break;
    case OP_FILL:
        column(v, in, out);
        break;
    case OP_EQ:
    case OP_DEFAULT:
    case OP_CONSTANT:
    case OP_UNDEFAULT:
    case OP_MUST:
        stile_buf_json_str(out, p->constants[in->c].text);
        break;
    case OP_TRUTH:
        stile_buf_addc(out, in->c == 1 ? "true" : "false");
        break;
    case OP_RANGE:
        stile_buf_printf(out, "%lld..%lld", (long long)p->ranges[in->c].lo,
                         (long long)p->ranges[in->c].hi);
        break;
    case OP_TABLE:
        stile_buf_add(out, p->tables[in->c]->name);
        break;
    case OP_EACH:
    case OP_REFER:
        stile_buf_add(out, v->eaches[in->c]->list.canon);
        break;
    case OP_JUMP_IF:
        stile_buf_printf(out, "%s %u", in->a == 1 ? "true" : "false", in->c);
        break;
    case OP_JUMP:
        stile_buf_printf(out, "%u", in->c);
        break;
    case OP_SET_FLAG:
    case OP_FLAG:
        stile_buf_printf(out, "%u", in->b);
        break;
    case OP_ENCODE:
    case OP_DECODE:
        stile_buf_printf(out, "%s %u", p->uses[in->c]->codec->name, in->a);
        break;
    case OP_ASK: {
        const struct stile_fhirpath *path = p->asks[in->c].path;
        stile_buf_add(out,
                      stile_str_sub(path->source->text, path->root->span.offset,
                                    path->root->span.len));
        break;
    }
    case OP_PUT:
    case OP_PUT_LIST:
    case OP_PUT_MISS:
    case OP_READ:
    case OP_READ_LIST:
        stile_buf_add(out, p->paths[in->c]->canon);
        break;
    default:
        break;
    }
}

static void program(const struct stile__variant *v,
                    const struct stile__program *p, const char *name,
                    struct stile_buf *out)
{
    stile_buf_printf(out, "%s, %.*s %.*s: %u instructions\n", name,
                     STILE_FMT(v->table->name), STILE_FMT(v->table->version),
                     p->count);
    for (uint32_t i = 0; i < p->count; i++) {
        stile_buf_printf(out, "%5u  line %-4u %-9s ", i, p->lines[i],
                         stile__op_name((enum stile__op)p->code[i].op));
        operand(v, &p->code[i], out);
        stile_buf_byte(out, '\n');
    }
}

static void reading(const struct stile__variant *v, struct stile_buf *out)
{
    const struct stile__trie *t = v->trie;
    if (t == NULL || t->path_count == 0) {
        return;
    }
    stile_buf_printf(out, "reading, from text: %u paths in one pass",
                     t->path_count - t->walked);
    if (t->walked > 0) {
        stile_buf_printf(out, ", %u that name any type walked by themselves",
                         t->walked);
    }
    stile_buf_byte(out, '\n');
}

void stile_mapping_list(const struct stile_mapping *mapping,
                        struct stile_buf *out)
{
    stile_buf_printf(out, "mapping %.*s %u, class %s\n",
                     STILE_FMT(mapping->tree->name.text), mapping->tree->number,
                     stile_mapping_class(mapping));
    for (uint32_t i = 0; i < mapping->variant_count; i++) {
        const struct stile__variant *v = &mapping->variants[i];
        if (v->group_count > 0) {
            program(v, &v->member, "member", out);
        }
        program(v, &v->right, "right", out);
        for (uint32_t k = 0; k < v->each_count; k++) {
            if (v->eaches[k]->child != NULL) {
                continue;
            }
            program(v, &v->eaches[k]->right, "right, each row", out);
        }
        program(v, &v->left, "left", out);
        for (uint32_t k = 0; k < v->each_count; k++) {
            if (v->eaches[k]->child != NULL) {
                continue;
            }
            program(v, &v->eaches[k]->left, "left, each row", out);
        }
        reading(v, out);
    }
}
