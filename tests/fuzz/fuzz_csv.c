/* Any bytes as CSV in chunks; the first two bytes choose dialect and chunk. */
#include <stile/format.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct stile_csv_dialect *const dialects[] = {
        &stile_csv_rfc4180, &stile_csv_systmone, &stile_csv_vcse};
    struct stile_csv_limits limits = {64, 8, 1000};
    struct stile_arena *arena = stile_arena_new(4u << 20);
    struct stile_diags diags;

    stile_diags_init(&diags, arena, 0);
    if (size >= 2) {
        struct stile_str rest = {(const char *)data + 2, size - 2};
        size_t chunk = data[1] % 32u + 1;
        struct stile_csv *csv =
            stile_csv_new(dialects[data[0] % 3u], limits, STILE_STR("fuzz"));
        for (bool last = false; !last;) {
            const struct stile_str *cells = NULL;
            size_t count = 0;
            uint64_t row = 0;
            enum stile_status status = STILE_OK;
            last = rest.len <= chunk;
            status = stile_csv_feed(csv, stile_str_sub(rest, 0, chunk), last);
            rest = stile_str_sub(rest, chunk, rest.len);
            while (status == STILE_OK || status == STILE_INVALID) {
                status = stile_csv_pull(csv, &diags, &cells, &count, &row);
                for (size_t i = 0; status == STILE_OK && i < count; i++) {
                    STILE_ASSERT(stile_utf8_valid(cells[i]));
                }
            }
        }
        stile_csv_free(&csv);
    }
    stile_arena_free(&arena);
    return 0;
}
