/* Code tables, joined and split texts, lists. */
#include "codec.h"

static struct stile_str code_key(const struct stile__codec_use *use,
                                 struct stile_str cell)
{
    bool b = false;
    if (use->boolean_cells && stile__bool_read(cell, &b)) {
        return b ? STILE_STR("true") : STILE_STR("false");
    }
    return cell;
}

enum stile__run_code stile__codes_encode(const struct stile__codec_use *use,
                                         struct stile__codec_io *io)
{
    struct stile_str key = code_key(use, io->cells[0]);
    const struct stile__code_row *row = stile__codes_right(use->table, key);
    struct stile_str trimmed = stile_str_trim(key);
    if (row == NULL && trimmed.len < key.len) {
        row = stile__codes_right(use->table, trimmed);
    }
    io->row = row;
    if (row != NULL) {
        io->value = row->right_absent ? STILE_STR_NULL : row->right;
        return RUN_NONE;
    }
    io->missed = true;
    switch (use->policy.kind) {
    case STILE_LANG_POLICY_ABSENT:
        io->warning = RUN_T204;
        return RUN_NONE;
    case STILE_LANG_POLICY_AS_TEXT:
        return RUN_NONE;
    default:
        return RUN_T105;
    }
}

enum stile__run_code stile__codes_decode(const struct stile__codec_use *use,
                                         struct stile__codec_io *io)
{
    const struct stile__code_row *row =
        stile__codes_left(use->table, io->value);
    io->row = row;
    if (row != NULL) {
        io->cells[0] = row->left;
        return RUN_NONE;
    }
    io->missed = true;
    if (use->policy.kind == STILE_LANG_POLICY_ABSENT ||
        use->policy.kind == STILE_LANG_POLICY_AS_TEXT) {
        io->warning = RUN_T204;
        return RUN_NONE;
    }
    return RUN_T105;
}

/* A miss is the codes line's to report. */
enum stile__run_code stile__display_right(const struct stile__codec_use *use,
                                          struct stile__codec_io *io)
{
    const struct stile__code_row *row =
        stile__codes_right(use->table, code_key(use, io->cells[0]));
    io->row = row;
    if (row != NULL && row->display.len > 0) {
        io->value = row->display;
    }
    return RUN_NONE;
}

static struct stile_str join(struct stile__codec_io *io, struct stile_str sep,
                             bool skip_empty)
{
    size_t len = 0, n = 0;
    for (size_t i = 0; i < io->count; i++) {
        len += io->cells[i].len + sep.len;
    }
    char *out = stile_arena_alloc(io->arena, len);
    bool first = true;
    if (out == NULL) {
        return STILE_STR_NULL;
    }
    for (size_t i = 0; i < io->count; i++) {
        struct stile_str c = io->cells[i];
        if (c.len == 0 && skip_empty) {
            continue;
        }
        if (!first) {
            memcpy(out + n, sep.ptr, sep.len);
            n += sep.len;
        }
        first = false;
        if (c.len > 0) {
            memcpy(out + n, c.ptr, c.len);
        }
        n += c.len;
    }
    return (struct stile_str){out, n};
}

enum stile__run_code stile__join_right(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    for (size_t i = 0; i < io->count; i++) {
        if (stile_str_find_str(io->cells[i], use->text) != SIZE_MAX) {
            return RUN_T114;
        }
    }
    io->value = join(io, use->text, false);
    return RUN_NONE;
}

/* Another number of parts is not this mapping's text. */
enum stile__run_code stile__join_left(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    struct stile_str parts[STILE__CELLS], rest = io->value;
    for (size_t i = 0; i < io->count; i++) {
        size_t at = stile_str_find_str(rest, use->text);
        bool last = i + 1 == io->count;
        if (last != (at == SIZE_MAX)) {
            return RUN_NONE;
        }
        parts[i] = last ? rest : stile_str_sub(rest, 0, at);
        if (!last) {
            at += use->text.len;
            rest = stile_str_sub(rest, at, rest.len - at);
        }
    }
    memcpy(io->cells, parts, io->count * sizeof parts[0]);
    return RUN_NONE;
}

enum stile__run_code stile__words_right(const struct stile__codec_use *use,
                                        struct stile__codec_io *io)
{
    io->value = join(io, use->text.len > 0 ? use->text : STILE_STR(" "), true);
    return RUN_NONE;
}

#define DIGEST_CHARS 32u

/* The cells' lengths stand before them: "a", "bc" is not "ab", "c". */
enum stile__run_code stile__digest_right(const struct stile__codec_use *use,
                                         struct stile__codec_io *io)
{
    struct stile_str text = STILE_STR("");
    struct stile_digest digest;
    char hex[65];
    (void)use;
    for (size_t i = 0; i < io->count; i++) {
        text = stile_arena_printf(io->arena, "%.*s%zu:%.*s", STILE_FMT(text),
                                  io->cells[i].len, STILE_FMT(io->cells[i]));
    }
    stile_sha256(text, &digest);
    stile_digest_hex(&digest, hex);
    io->value =
        stile_arena_str(io->arena, (struct stile_str){hex, DIGEST_CHARS});
    return RUN_NONE;
}

enum stile__run_code stile__prefix_right(const struct stile__codec_use *use,
                                         struct stile__codec_io *io)
{
    io->value = stile_arena_printf(io->arena, "%.*s%.*s", STILE_FMT(use->text),
                                   STILE_FMT(io->cells[0]));
    return RUN_NONE;
}

enum stile__run_code stile__prefix_left(const struct stile__codec_use *use,
                                        struct stile__codec_io *io)
{
    if (stile_str_starts(io->value, use->text)) {
        io->cells[0] = stile_str_sub(io->value, use->text.len,
                                     io->value.len - use->text.len);
    }
    return RUN_NONE;
}

enum stile__run_code stile__list_right(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    (void)use;
    io->items = stile_arena_array(io->arena, io->count, sizeof *io->items);
    for (size_t i = 0; io->items != NULL && i < io->count; i++) {
        if (stile_str_trim(io->cells[i]).len > 0) {
            io->items[io->item_count++] = io->cells[i];
        }
    }
    return RUN_NONE;
}

enum stile__run_code stile__list_left(const struct stile__codec_use *use,
                                      struct stile__codec_io *io)
{
    (void)use;
    for (size_t i = 0; i < io->item_count; i++) {
        size_t at = i < io->count ? i : io->count - 1;
        io->cells[at] = i < io->count
                            ? io->items[i]
                            : stile_arena_printf(io->arena, "%.*s, %.*s",
                                                 STILE_FMT(io->cells[at]),
                                                 STILE_FMT(io->items[i]));
    }
    return RUN_NONE;
}

enum stile__run_code stile__split_right(const struct stile__codec_use *use,
                                        struct stile__codec_io *io)
{
    struct stile_str rest = io->cells[0];
    size_t most = rest.len / use->text.len + 1;
    io->items = stile_arena_array(io->arena, most, sizeof *io->items);
    for (size_t i = 0; io->items != NULL && i < most; i++) {
        size_t at = stile_str_find_str(rest, use->text);
        struct stile_str piece =
            stile_str_trim(at == SIZE_MAX ? rest : stile_str_sub(rest, 0, at));
        if (piece.len > 0) {
            io->items[io->item_count++] = piece;
        }
        if (at == SIZE_MAX) {
            break;
        }
        at += use->text.len;
        rest = stile_str_sub(rest, at, rest.len - at);
    }
    return RUN_NONE;
}

enum stile__run_code stile__split_left(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    struct stile__codec_io items = {
        .arena = io->arena, .cells = io->items, .count = io->item_count};
    io->cells[0] = join(&items, use->text, true);
    return RUN_NONE;
}
