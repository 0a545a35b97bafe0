/* Code tables: left,right,prefer,display,note. */
#include "map_private.h"

/* ---- one CSV line (RFC 4180), line breaks inside quotes included ---- */

struct csv {
    struct stile_str text;
    size_t pos;
    struct stile_arena *arena;
};

static struct stile_str quoted_cell(struct csv *in, bool *ret_ok)
{
    size_t from = ++in->pos, out = 0;
    char *copy = stile_arena_alloc(in->arena, in->text.len - from + 1);
    *ret_ok = false;
    while (in->pos < in->text.len) {
        char c = in->text.ptr[in->pos++];
        if (c == '"') {
            if (in->pos >= in->text.len || in->text.ptr[in->pos] != '"') {
                *ret_ok = true;
                break;
            }
            in->pos++;
        }
        if (copy != NULL) {
            copy[out++] = c;
        }
    }
    return (struct stile_str){copy, out};
}

static struct stile_str cell(struct csv *in, bool *ret_ok)
{
    if (in->pos < in->text.len && in->text.ptr[in->pos] == '"') {
        return quoted_cell(in, ret_ok);
    }
    size_t from = in->pos;
    while (in->pos < in->text.len && in->text.ptr[in->pos] != ',' &&
           in->text.ptr[in->pos] != '\n' && in->text.ptr[in->pos] != '\r') {
        in->pos++;
    }
    *ret_ok = true;
    return stile_str_sub(in->text, from, in->pos - from);
}

/* Up to `max` cells of a line; the count, or SIZE_MAX when broken. */
static size_t line_cells(struct csv *in, struct stile_str *cells, size_t max)
{
    size_t count = 0;
    for (;;) {
        bool ok = false;
        struct stile_str c = cell(in, &ok);
        if (!ok || count == max) {
            return SIZE_MAX;
        }
        cells[count++] = c;
        if (in->pos < in->text.len && in->text.ptr[in->pos] == ',') {
            in->pos++;
            continue;
        }
        if (in->pos < in->text.len && in->text.ptr[in->pos] == '\r') {
            in->pos++;
        }
        if (in->pos < in->text.len && in->text.ptr[in->pos] != '\n') {
            return SIZE_MAX;
        }
        in->pos += in->pos < in->text.len ? 1 : 0;
        return count;
    }
}

static void skip_line(struct csv *in)
{
    while (in->pos < in->text.len && in->text.ptr[in->pos] != '\n') {
        in->pos++;
    }
    in->pos += in->pos < in->text.len ? 1 : 0;
}

/* ---- reading ---- */

enum {
    LEFT,
    RIGHT,
    PREFER,
    DISPLAY,
    NOTE,
    FIELDS
};

static const char *const headings[FIELDS] = {"left", "right", "prefer",
                                             "display", "note"};

static struct stile_span line_span(const struct stile_source *source,
                                   size_t from, size_t to)
{
    while (to > from && (source->text.ptr[to - 1] == '\n' ||
                         source->text.ptr[to - 1] == '\r')) {
        to--;
    }
    return (struct stile_span){(uint32_t)from, (uint32_t)(to - from)};
}

static void broken(const struct stile_source *source, struct stile_diags *diags,
                   size_t from, size_t to, const char *what)
{
    (void)stile_diag_at_source(diags, "M404", STILE_ERROR, source,
                               line_span(source, from, to), "%s", what);
}

static bool header(struct csv *in, const struct stile_source *source,
                   struct stile_diags *diags)
{
    struct stile_str cells[FIELDS];
    struct stile_str bom = STILE_STR("\xef\xbb\xbf");
    if (stile_str_starts(in->text, bom)) {
        in->pos = bom.len;
    }
    size_t from = in->pos;
    size_t count = line_cells(in, cells, FIELDS);
    bool ok = count != SIZE_MAX && count >= 2;
    for (size_t i = 0; ok && i < count; i++) {
        ok = stile_str_eqc(stile_str_trim(cells[i]), headings[i]);
    }
    if (!ok) {
        broken(source, diags, from, in->pos,
               "the first line must be left,right,prefer,display,note");
    }
    return ok;
}

static void fill_row(struct stile__code_row *row, struct stile_str *cells,
                     size_t count, bool *ret_ok)
{
    struct stile_str prefer =
        count > PREFER ? stile_str_trim(cells[PREFER]) : STILE_STR_NULL;
    *ret_ok = true;
    row->left = cells[LEFT];
    row->right = cells[RIGHT];
    row->right_absent = cells[RIGHT].len == 0;
    row->display = count > DISPLAY ? cells[DISPLAY] : STILE_STR_NULL;
    if (stile_str_eqc(prefer, "yes")) {
        row->preferred = true;
    } else if (stile_str_eqc(prefer, "->")) {
        row->no_left = true;
    } else if (stile_str_eqc(prefer, "<-")) {
        row->no_right = true;
    } else if (prefer.len > 0) {
        *ret_ok = false;
    }
}

static size_t count_lines(struct stile_str text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++) {
        n += text.ptr[i] == '\n' ? 1 : 0;
    }
    return n;
}

static bool blank_line(const struct csv *in)
{
    char c = in->text.ptr[in->pos];
    return c == '\n' || c == '\r';
}

void stile__codes_read(struct stile__code_table *table,
                       const struct stile_source *source,
                       struct stile_arena *arena, struct stile_diags *diags)
{
    struct csv in = {source->text, 0, arena};
    table->source = source;
    table->rows = stile_arena_array(arena, count_lines(source->text),
                                    sizeof *table->rows);
    if (table->rows == NULL || !header(&in, source, diags)) {
        return;
    }
    if (!stile_utf8_valid(source->text)) {
        broken(source, diags, 0, 0, "the file is not UTF-8; save it as UTF-8");
        return;
    }
    while (in.pos < in.text.len) {
        struct stile_str cells[FIELDS];
        size_t from = in.pos;
        if (blank_line(&in)) {
            skip_line(&in);
            continue;
        }
        size_t count = line_cells(&in, cells, FIELDS);
        if (count == SIZE_MAX || count < 2) {
            in.pos = from;
            skip_line(&in);
            broken(source, diags, from, in.pos,
                   "a row needs left and right and at most five cells; quote "
                   "a cell that holds a comma");
            continue;
        }
        struct stile__code_row *row = &table->rows[table->count++];
        bool ok = true;
        fill_row(row, cells, count, &ok);
        row->span = line_span(source, from, in.pos);
        if (!ok || row->left.len == 0) {
            broken(source, diags, from, in.pos,
                   "left must be filled, and prefer empty, yes, -> or <-");
            table->count--;
        }
    }
    stile__codes_index(table, arena, diags);
}

/* ---- index ---- */

static struct stile_str key_of(const struct stile__code_table *t, uint32_t row,
                               bool left)
{
    return left ? t->rows[row].left : t->rows[row].right;
}

/* Heap sort: the order of equal keys is that of the file. */
static int order(const struct stile__code_table *t, uint32_t a, uint32_t b,
                 bool left)
{
    int c = stile_str_cmp(key_of(t, a, left), key_of(t, b, left));
    if (c != 0) {
        return c;
    }
    return a < b ? -1 : a > b;
}

static void sift(const struct stile__code_table *t, uint32_t *at, uint32_t root,
                 uint32_t count, bool left)
{
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= count) {
            return;
        }
        if (child + 1 < count && order(t, at[child], at[child + 1], left) < 0) {
            child++;
        }
        if (order(t, at[root], at[child], left) >= 0) {
            return;
        }
        uint32_t swap = at[root];
        at[root] = at[child];
        at[child] = swap;
        root = child;
    }
}

static void sort(const struct stile__code_table *t, uint32_t *at,
                 uint32_t count, bool left)
{
    for (uint32_t i = count / 2; i > 0; i--) {
        sift(t, at, i - 1, count, left);
    }
    for (uint32_t end = count; end > 1; end--) {
        uint32_t swap = at[0];
        at[0] = at[end - 1];
        at[end - 1] = swap;
        sift(t, at, 0, end - 1, left);
    }
}

static void clash(struct stile__code_table *t, struct stile_diags *diags,
                  const char *code, uint32_t first, uint32_t second,
                  const char *text)
{
    struct stile_diag *diag = stile_diag_at_source(
        diags, code, STILE_ERROR, t->source, t->rows[second].span, "%s", text);
    if (diag != NULL) {
        stile_diag_second(diag, t->source, t->rows[first].span);
    }
}

/* Is it read from a ConceptMap? It has other words for one direction. */
static bool from_map(const struct stile__code_table *t)
{
    return stile_str_ends(t->source->name, STILE_STR(".json"));
}

static void check_left(struct stile__code_table *t, struct stile_diags *diags)
{
    for (uint32_t i = 1; i < t->left_count; i++) {
        if (stile_str_eq(t->rows[t->by_left[i - 1]].left,
                         t->rows[t->by_left[i]].left)) {
            clash(t, diags, "M402", t->by_left[i - 1], t->by_left[i],
                  from_map(t)
                      ? "this code leads to a target already; remove one, or "
                        "make it narrower when it is for the way back only"
                      : "this left value has a row already; remove one, or "
                        "mark it <- when it is for the way back only");
        }
    }
}

/* Leaves one row a right value: the preferred, or the only one. */
static void check_right(struct stile__code_table *t, struct stile_diags *diags)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->right_count;) {
        uint32_t end = i + 1, best = t->by_right[i], preferred = 0;
        while (end < t->right_count &&
               stile_str_eq(t->rows[t->by_right[end]].right,
                            t->rows[best].right)) {
            end++;
        }
        for (uint32_t j = i; j < end; j++) {
            if (t->rows[t->by_right[j]].preferred) {
                best = t->by_right[j];
                preferred++;
            }
        }
        if (end - i > 1 && preferred != 1) {
            clash(t, diags, "M403", t->by_right[i], t->by_right[i + 1],
                  from_map(t)
                      ? "several codes lead to this target; make all but the "
                        "one to read back wider"
                      : "this right value stands in several rows; mark the "
                        "one to read back with yes, or the others ->");
        }
        t->merges = t->merges || end - i > 1;
        t->by_right[kept++] = best;
        i = end;
    }
    t->right_count = kept;
}

/* ---- look-up ---- */

/* Head, tail and length: codes differ there, and no loop is needed. */
static uint64_t key_hash(struct stile_str s)
{
    uint64_t head = 0, tail = 0;
    if (s.len >= 8) {
        memcpy(&head, s.ptr, 8);
        memcpy(&tail, s.ptr + s.len - 8, 8);
    } else {
        for (size_t i = 0; i < s.len; i++) {
            head = head << 8 | (unsigned char)s.ptr[i];
        }
    }
    head = (head ^ s.len) * UINT64_C(0x9e3779b97f4a7c15);
    head ^= tail * UINT64_C(0xbf58476d1ce4e5b9);
    return head ^ head >> 32;
}

/* Slots hold a row's number plus one; at most half of them are taken. */
static uint32_t *slots_of(struct stile__code_table *t, const uint32_t *at,
                          uint32_t count, bool left, struct stile_arena *arena,
                          uint32_t *ret_mask)
{
    uint32_t size = 4;
    while (size / 2 < count) {
        size *= 2;
    }
    uint32_t *slots = stile_arena_array(arena, size, sizeof *slots);
    *ret_mask = size - 1;
    for (uint32_t i = 0; slots != NULL && i < count; i++) {
        uint64_t h = key_hash(key_of(t, at[i], left));
        while (slots[h & *ret_mask] != 0) {
            h++;
        }
        slots[h & *ret_mask] = at[i] + 1;
    }
    return slots;
}

static void index_slots(struct stile__code_table *t, struct stile_arena *arena)
{
    t->left_slots =
        slots_of(t, t->by_left, t->left_count, true, arena, &t->left_mask);
    t->right_slots =
        slots_of(t, t->by_right, t->right_count, false, arena, &t->right_mask);
}

static const struct stile__code_row *find(const struct stile__code_table *t,
                                          const uint32_t *slots, uint32_t mask,
                                          struct stile_str key, bool left)
{
    if (slots == NULL) {
        return NULL;
    }
    for (uint64_t h = key_hash(key); slots[h & mask] != 0; h++) {
        uint32_t row = slots[h & mask] - 1;
        if (stile_str_eq(key_of(t, row, left), key)) {
            return &t->rows[row];
        }
    }
    return NULL;
}

const struct stile__code_row *
stile__codes_right(const struct stile__code_table *table, struct stile_str left)
{
    return find(table, table->left_slots, table->left_mask, left, true);
}

const struct stile__code_row *
stile__codes_left(const struct stile__code_table *table, struct stile_str right)
{
    return find(table, table->right_slots, table->right_mask, right, false);
}

/* ---- index ---- */

void stile__codes_index(struct stile__code_table *t, struct stile_arena *arena,
                        struct stile_diags *diags)
{
    t->by_left = stile_arena_array(arena, t->count, sizeof *t->by_left);
    t->by_right = stile_arena_array(arena, t->count, sizeof *t->by_right);
    if (t->by_left == NULL || t->by_right == NULL) {
        return;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const struct stile__code_row *row = &t->rows[i];
        if (!row->no_right) {
            t->by_left[t->left_count++] = i;
        }
        if (row->no_left) {
            t->merges = true;
        } else if (!row->right_absent) {
            t->by_right[t->right_count++] = i;
        } else {
            /* Absence reads back as an empty cell, unless a row claims it. */
            t->merges = true;
            t->absent = row->preferred ? row : t->absent;
        }
    }
    sort(t, t->by_left, t->left_count, true);
    sort(t, t->by_right, t->right_count, false);
    check_left(t, diags);
    check_right(t, diags);
    index_slots(t, arena);
}
