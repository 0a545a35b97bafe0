/* The renderer's machine: one row to one resource's JSON text. */
#include "render.h"

#ifdef __GNUC__
#define STILE__APART __attribute__((noinline, cold))
#else
#define STILE__APART
#endif

struct machine {
    const struct stile__right_run *run;
    const struct stile__variant *v;
    const struct stile__render *render;
    struct stile_buf *buf;
    char *at, *end; /* in buf, behind what is written; end of its room */
    const uint16_t *joints; /* of the last slot, by the one that follows */
    uint64_t written[2];
    bool test, bail;
    bool *flags;
    struct stile_str id;
    size_t id_at; /* or where it stands in buf, when not 0 */
    const struct stile_str *rows[STILE__ALIASES];
    bool looked[STILE__ALIASES];
    struct stile__codec_io io;
    struct stile_str cells[STILE__CELLS];
};

/* ---- writing ---- */

/* Brackets and texts before a value are short; see STILE__SLOTS. */
static bool room(struct machine *m, size_t more)
{
    if ((size_t)(m->end - m->at) >= more) {
        return true;
    }
    m->buf->len = (size_t)(m->at - m->buf->ptr);
    /* A text may be copied to the end of its last piece. */
    size_t wanted = more + 4096;
    char *at = stile_buf_room(m->buf, wanted);
    if (at == NULL) {
        m->bail = true;
        return false;
    }
    m->at = at;
    m->end = at + wanted;
    return true;
}

/* In whole pieces: both sides have room for them. */
static char *copy(char *to, const char *from, size_t len)
{
    for (size_t i = 0; i < len; i += STILE__CHUNK) {
        memcpy(to + i, from + i, STILE__CHUNK);
    }
    return to + len;
}

static bool begin(struct machine *m, uint32_t slot, size_t more);

/* By itself, so that the way all rows go needs no registers saved for it. */
STILE__APART static bool begin_in_more_room(struct machine *m, uint32_t slot,
                                            size_t more, size_t wanted)
{
    return room(m, wanted) && begin(m, slot, more);
}

/* All before the value of a slot, and room for `more` behind that. */
static bool begin(struct machine *m, uint32_t slot, size_t more)
{
    const struct stile__joint *j = &m->render->joints[m->joints[slot]];
    size_t wanted = j->len + more + 4 * STILE__CHUNK;
    if ((size_t)(m->end - m->at) < wanted) {
        return begin_in_more_room(m, slot, more, wanted);
    }
    m->at = copy(m->at, j->text, j->len);
    m->joints = j->after;
    m->written[slot / 64] |= UINT64_C(1) << (slot % 64);
    return true;
}

/* A scalar of any kind and content. */
static void put_scalar(struct machine *m, enum stile_kind kind,
                       struct stile_str value)
{
    m->buf->len = (size_t)(m->at - m->buf->ptr);
    if (kind == STILE_BOOL) {
        stile_buf_addc(m->buf, stile_str_eqc(value, "true") ? "true" : "false");
    } else if (kind == STILE_NUMBER && stile_number_valid(value)) {
        stile_buf_add(m->buf, value);
    } else {
        stile_buf_json_str(m->buf, value);
    }
    m->bail = m->bail || m->buf->status != STILE_OK;
    m->at = m->buf->ptr + m->buf->len;
    m->end = m->at;
}

static void put_plain(struct machine *m, enum stile_kind kind,
                      struct stile_str value)
{
    if (kind == STILE_STRING) {
        *m->at++ = '"';
    }
    memcpy(m->at, value.ptr, value.len);
    m->at += value.len;
    if (kind == STILE_STRING) {
        *m->at++ = '"';
    }
}

static void put(struct machine *m, const struct stile__render_op *op,
                struct stile_str value)
{
    const struct stile__slot *s = &m->render->slots[op->slot];
    if (value.len == 0 || !begin(m, op->slot, value.len + 2)) {
        return;
    }
    if (op->slot == m->render->id_slot) {
        m->id = value;
    }
    if (op->plain ||
        (s->kind == STILE_STRING && stile_json_plain(value) == value.len)) {
        put_plain(m, s->kind, value);
    } else {
        put_scalar(m, s->kind, value);
    }
}

static void put_list(struct machine *m, const struct stile__render_op *op)
{
    const struct stile__slot *s = &m->render->slots[op->slot];
    if (m->io.item_count == 0 || !begin(m, op->slot, 0)) {
        return;
    }
    for (size_t i = 0; i < m->io.item_count && !m->bail; i++) {
        if (i > 0 && room(m, 1)) {
            *m->at++ = ',';
        }
        put_scalar(m, s->kind, m->io.items[i]);
    }
}

/* ---- values ---- */

static struct stile_str cell(const struct machine *m,
                             const struct stile__render_op *op)
{
    return m->rows[op->b] != NULL ? m->rows[op->b][op->c] : STILE_STR_NULL;
}

/* As stile__codec_right does for cells that are filled and no blanks. */
static enum stile__run_code encode_filled(struct machine *m,
                                          const struct stile__codec_use *use)
{
    m->io.value = STILE_STR_NULL;
    m->io.items = NULL;
    m->io.item_count = 0;
    m->io.row = NULL;
    m->io.missed = false;
    m->io.warning = RUN_NONE;
    return use->codec->right(use, &m->io);
}

static void encode(struct machine *m, const struct stile__render_op *op,
                   size_t count)
{
    const struct stile__codec_use *use = op->with.use;
    bool filled = use->blank_count == 0 && count <= 2 && m->cells[0].len > 0 &&
                  (count < 2 || m->cells[1].len > 0);
    m->io.cells = m->cells;
    m->io.count = count;
    enum stile__run_code code =
        filled ? encode_filled(m, use) : stile__codec_right(use, &m->io);
    if (code != RUN_NONE) {
        m->bail = true;
    } else if (m->io.warning != RUN_NONE) {
        stile__right_finding(m->run, m->io.warning, op->line, op->column->name);
    }
}

static void field(struct machine *m, const struct stile__render_op *op,
                  struct stile_str c)
{
    m->cells[0] = c;
    encode(m, op, 1);
    if (!m->bail) {
        put(m, op, m->io.value);
    }
}

static void pair(struct machine *m, const struct stile__render_op *op)
{
    m->cells[0] = cell(m, op);
    m->cells[1] =
        m->rows[op->b2] != NULL ? m->rows[op->b2][op->c2] : STILE_STR_NULL;
    encode(m, op, 2);
    if (!m->bail) {
        put(m, op, m->io.value);
    }
}

/* The slot's text ends with the quote that opens the value. */
static void guid(struct machine *m, const struct stile__render_op *op,
                 struct stile_str c)
{
    if (!begin(m, op->slot, 40)) {
        return;
    }
    /* What stands in spaces is rare enough for the tree. */
    if (!stile_guid_normal(c, m->at)) {
        m->bail = true;
        return;
    }
    if (op->slot == m->render->id_slot) {
        m->id_at = (size_t)(m->at - m->buf->ptr);
    }
    m->at[36] = '"';
    m->at += 37;
}

static void text(struct machine *m, const struct stile__render_op *op,
                 struct stile_str value)
{
    if (!begin(m, op->slot, value.len + 1)) {
        return;
    }
    memcpy(m->at, value.ptr, value.len);
    m->at += value.len;
    *m->at++ = '"';
}

static void escaped(struct machine *m, const struct stile__render_op *op,
                    struct stile_str value)
{
    if (value.len == 0 || !begin(m, op->slot, 0)) {
        return;
    }
    m->at--; /* its quote is written with it */
    put_scalar(m, STILE_STRING, value);
}

/* Eight bytes of which none is a space, or one that JSON would escape. */
static bool plain_code_word(const char *p)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t w;
    memcpy(&w, p, 8);
    uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
    return (((w - ones * 0x21) | (quote - ones) | (slash - ones) | w) &
            0x8080808080808080u) == 0;
}

/* What a code codec leaves as it is, and JSON too. A carry may call a clean
 * word unclean; then the codec looks. */
static bool is_plain_code(struct stile_str s)
{
    if (s.len < 8) {
        return stile_json_plain(s) == s.len &&
               stile_str_find(s, ' ') == SIZE_MAX;
    }
    bool plain = true;
    for (size_t i = 0; plain && i < s.len; i += 8) {
        /* The last word overlaps the one before. */
        plain = plain_code_word(s.ptr + (s.len - i < 8 ? s.len - 8 : i));
    }
    return plain;
}

/* A text or code that its codec would leave as it is, or the codec's. */
static void plain_cell(struct machine *m, const struct stile__render_op *op,
                       struct stile_str c)
{
    bool as_it_is = op->code == RENDER_CODE
                        ? is_plain_code(c)
                        : stile_json_plain(c) == c.len && c.ptr[0] != ' ';
    if (as_it_is) {
        text(m, op, c);
        return;
    }
    m->cells[0] = c;
    encode(m, op, 1);
    if (!m->bail) {
        escaped(m, op, m->io.value);
    }
}

/* ---- tests ---- */

static void look_up(struct machine *m, uint32_t at)
{
    const struct stile__alias *alias = &m->v->aliases[at];
    const struct stile_str *keys = m->rows[alias->key.alias];
    const struct stile_row *row = NULL;
    if (m->looked[at] || keys == NULL || keys[alias->key.ordinal].len == 0) {
        return;
    }
    m->looked[at] = true;
    enum stile_status status =
        stile__look_up(m->run->env, alias, keys[alias->key.ordinal], &row);
    if (status == STILE_OK && row != NULL) {
        m->rows[at] = stile__row_cells(row, alias->table, m->run->arena);
    } else {
        m->bail = m->bail || status != STILE_NOT_FOUND ||
                  alias->policy.kind == STILE_LANG_POLICY_HOLD ||
                  alias->policy.kind == STILE_LANG_POLICY_REJECT;
    }
}

static void test(struct machine *m, const struct stile__render_op *op)
{
    struct stile_str c = m->cells[0];
    bool b = false;
    int64_t n = 0;
    switch (op->op) {
    case OP_PRESENT:
        m->test = c.len > 0;
        break;
    case OP_EQ:
        m->test = c.len > 0 && stile_str_eq(c, op->with.constant->text);
        break;
    case OP_TRUTH:
        m->test = stile__bool_read(c, &b) && b == op->plain;
        break;
    case OP_RANGE:
        m->test = stile_str_to_int64(stile_str_trim(c), &n) &&
                  n >= op->with.range->lo && n <= op->with.range->hi;
        break;
    case OP_TABLE:
        m->test = c.len > 0 && stile__codes_right(op->with.table, c) != NULL;
        break;
    case OP_NOT:
        m->test = !m->test;
        break;
    case OP_FLAG:
        m->test = m->flags[op->b];
        break;
    default: /* OP_YES */
        m->test = true;
        break;
    }
}

static void values(struct machine *m, const struct stile__render_op *op)
{
    switch (op->op) {
    case OP_ENCODE:
        encode(m, op, op->a);
        break;
    case OP_DEFAULT:
        if (m->io.value.len == 0) {
            m->io.value = op->with.constant->text;
        }
        break;
    case OP_CONSTANT:
        m->io.value = op->with.constant->text;
        m->io.items = NULL;
        m->io.item_count = 0;
        break;
    case OP_NOTHING:
        m->io.value = STILE_STR_NULL;
        break;
    case OP_REQUIRE:
        m->bail = m->bail || m->cells[0].len == 0;
        break;
    case OP_EMPTY:
        if (m->cells[0].len > 0) {
            stile__right_finding(m->run, RUN_T206, op->line, op->column->name);
        }
        break;
    default:
        test(m, op);
        break;
    }
}

/* True when it goes on at op->to. */
static bool vm(struct machine *m, const struct stile__render_op *op)
{
    switch (op->op) {
    case OP_LOAD:
        m->cells[op->a] = cell(m, op);
        break;
    case OP_JUMP_IF:
        return m->test == (op->a == 1);
    case OP_JUMP:
        return true;
    case OP_LOOKUP:
        look_up(m, op->a);
        break;
    case OP_SET_FLAG:
        m->flags[op->b] = m->test;
        break;
    case OP_TAKE:
        m->bail = m->bail || !m->test;
        break;
    default:
        values(m, op);
        break;
    }
    return false;
}

static void put_any(struct machine *m, const struct stile__render_op *op)
{
    if (op->op == OP_PUT) {
        put(m, op, m->io.value);
    } else if (op->op == OP_PUT_LIST) {
        put_list(m, op);
    } else if (m->io.missed) {
        put(m, op, m->cells[0]);
    }
}

/* Most columns of a row are empty: what reads one looks at that first. True
 * when it goes on at op->to. */
static bool step(struct machine *m, const struct stile__render_op *op)
{
    struct stile_str c;
    switch ((enum stile__render_code)op->code) {
    case RENDER_JUMP:
        m->cells[0] = cell(m, op);
        test(m, op);
        return m->test == (op->a == 1);
    case RENDER_JUMP_FLAG:
        m->test = m->flags[op->b];
        return m->test == (op->a == 1);
    case RENDER_SET_FLAG:
        m->cells[0] = cell(m, op);
        m->test = (m->cells[0].len > 0) != (op->a == 1);
        m->flags[op->slot] = m->test;
        break;
    case RENDER_FIELD:
        c = cell(m, op);
        if (c.len > 0) {
            field(m, op, c);
        }
        break;
    case RENDER_PAIR:
        pair(m, op);
        break;
    case RENDER_GUID:
        c = cell(m, op);
        if (c.len > 0) {
            guid(m, op, c);
        }
        break;
    case RENDER_TEXT:
    case RENDER_CODE:
        c = cell(m, op);
        if (c.len > 0) {
            plain_cell(m, op, c);
        }
        break;
    case RENDER_CONSTANT:
        (void)begin(m, op->slot, 0);
        break;
    case RENDER_PUT:
        put_any(m, op);
        break;
    case RENDER_MUST:
        m->bail = m->bail || ((m->written[0] & op->with.mask[0]) |
                              (m->written[1] & op->with.mask[1])) == 0;
        break;
    case RENDER_BAIL:
        m->bail = true;
        break;
    case RENDER_END:
        break;
    default:
        return vm(m, op);
    }
    return false;
}

static void run_ops(struct machine *m)
{
    const struct stile__render_op *ops = m->render->ops;
    for (const struct stile__render_op *op = ops;
         op->code != RENDER_END && !m->bail;) {
        op = step(m, op) ? ops + op->to : op + 1;
    }
}

static void finish(struct machine *m)
{
    const struct stile__render *r = m->render;
    size_t last = (size_t)(m->joints - r->joint_of) / r->slot_count;
    if (last > 0 && room(m, 4 * STILE__CHUNK)) {
        const struct stile__slot *s = &r->slots[last - 1];
        m->at = copy(m->at, s->close, s->depth);
    }
    if (room(m, 1)) {
        *m->at++ = '}';
    }
}

/* Field by field: clearing all of it for each row shows in the profile. */
static void start(struct machine *m, const struct stile__render_run *run)
{
    const struct stile__right_run *right = run->right;
    m->run = right;
    m->v = right->variant;
    m->render = right->variant->render;
    m->buf = run->buf;
    m->joints = m->render->joint_of;
    m->written[0] = m->written[1] = 0;
    m->test = m->bail = false;
    m->id = STILE_STR_NULL;
    m->id_at = 0;
    m->io = (struct stile__codec_io){.arena = right->arena};
    for (uint32_t i = 0; i < m->v->alias_count; i++) {
        m->rows[i] = NULL;
        m->looked[i] = false;
    }
}

bool stile__render_row(struct stile__render_run *run)
{
    const struct stile__right_run *right = run->right;
    if (run->buf->status != STILE_OK) {
        return false;
    }
    struct machine m;
    start(&m, run);
    size_t before = run->buf->len;
    struct stile_diags found = *right->diags;
    m.flags = stile_arena_array(right->arena, m.v->flag_count, sizeof(bool));
    m.rows[0] = stile__row_cells(right->row, m.v->table, right->arena);
    m.at = stile_buf_room(run->buf, m.render->head_len + 4096);
    if (m.flags == NULL || m.rows[0] == NULL || m.at == NULL) {
        run->buf->status = STILE_OK;
        return false;
    }
    m.end = m.at + m.render->head_len + 4096;
    m.at = copy(m.at, m.render->head, m.render->head_len);
    run_ops(&m);
    if (!m.bail) {
        finish(&m);
    }
    if (m.bail || stile_arena_failed(right->arena)) {
        /* We ask for more room than the text takes: near the limit it is the
         * tree's writer that finds out. */
        run->buf->len = before;
        run->buf->status = STILE_OK;
        *right->diags = found;
        return false;
    }
    run->buf->len = (size_t)(m.at - run->buf->ptr);
    *run->ret_id = m.id;
    if (m.id_at > 0) {
        *run->ret_id = stile_arena_str(
            right->arena, stile_str_sub(stile_buf_str(run->buf), m.id_at, 36));
    }
    return true;
}
