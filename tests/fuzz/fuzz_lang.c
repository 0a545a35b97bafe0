/* Any bytes as a mapping file: parsed in bounded time, every span inside the
 * text. */
#include "stile/lang.h"

#include <stdint.h>

static void inside(const struct stile_source *source, struct stile_span span)
{
    STILE_ASSERT((size_t)span.offset + span.len <= source->text.len);
}

static void statements(const struct stile_source *source,
                       const struct stile_lang_stmt *s)
{
    for (; s != NULL; s = s->next) {
        inside(source, s->span);
        for (const struct stile_lang_path *p = s->paths; p; p = p->next) {
            inside(source, p->span);
        }
        statements(source, s->body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stile_source source = {STILE_STR("fuzz.map"),
                                  {(const char *)data, size}};
    struct stile_arena *arena = stile_arena_new((size_t)64 << 20);
    struct stile_diags diags;
    struct stile_lang_mapping *first = NULL;
    STILE_ASSERT(arena != NULL);
    stile_diags_init(&diags, arena, 0);
    enum stile_status status = stile_lang_parse(&source, arena, &diags, &first);
    STILE_ASSERT((status == STILE_OK) == (diags.errors == 0) ||
                 status == STILE_NOMEM);
    for (; first != NULL; first = first->next) {
        inside(&source, first->name.span);
        statements(&source, first->body);
    }
    stile_arena_free(&arena);
    return 0;
}
