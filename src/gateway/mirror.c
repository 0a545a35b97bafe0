/*
 * Rows of an export as the store keeps them: an object of the cells that hold
 * something, by column name, so that a later version of a table reads what an
 * earlier one wrote.
 */
#include "gateway_private.h"

struct stile_str mirror_write(struct stile_arena *arena,
                              const struct stile_table *table,
                              const struct stile_str *cells)
{
    struct stile_buf out;
    stile_buf_init(&out, STILE_STORE_BODY_MAX);
    stile_buf_byte(&out, '{');
    for (size_t i = 0; i < table->count; i++) {
        if (cells[i].len == 0) {
            continue;
        }
        if (out.len > 1) {
            stile_buf_byte(&out, ',');
        }
        stile_buf_json_str(&out, table->columns[i].name);
        stile_buf_byte(&out, ':');
        stile_buf_json_str(&out, cells[i]);
    }
    stile_buf_byte(&out, '}');
    struct stile_str text = STILE_STR_NULL;
    if (out.status == STILE_OK) {
        text = stile_arena_str(arena, stile_buf_str(&out));
    }
    stile_buf_release(&out);
    return text;
}

enum stile_status mirror_read(struct stile_arena *arena,
                              const struct stile_table *table,
                              struct stile_str json, struct stile_row *ret)
{
    struct stile_diags diags;
    stile_diags_init(&diags, arena, 1);
    struct stile_value *root = NULL;
    struct stile_json_limits limits = STILE_JSON_LIMITS;
    limits.bytes = STILE_STORE_BODY_MAX;
    limits.string = STILE_STORE_BODY_MAX;
    enum stile_status status = stile_json_decode(
        json, limits, STILE_STR("mirror"), arena, &diags, &root);
    struct stile_str *cells =
        stile_arena_array(arena, table->count, sizeof(*cells));
    if (status != STILE_OK || cells == NULL) {
        return status != STILE_OK ? status : STILE_LIMIT;
    }
    for (const struct stile_value *v = root->first; v; v = v->next) {
        uint32_t i = stile_table_column(table, v->name);
        if (i != UINT32_MAX) {
            cells[i] = v->text;
        }
    }
    ret->table = table->name;
    ret->columns = table->column_names;
    ret->cells = cells;
    ret->count = table->count;
    ret->number = 0;
    ret->file = STILE_STR_NULL;
    return STILE_OK;
}

enum stile_status stile_mirror_row_read(struct stile_arena *arena,
                                        const struct stile_table *table,
                                        struct stile_str cells,
                                        struct stile_row *ret)
{
    return mirror_read(arena, table, cells, ret);
}
