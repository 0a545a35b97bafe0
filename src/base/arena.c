#include <stile/base.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT (_Alignof(max_align_t))
#define BLOCK_FIRST ((size_t)4096)
#define BLOCK_MAX ((size_t)1 << 20)

/* Unused bytes of a block are zero: blocks come from calloc, and rewind
 * wipes what was used. */
struct block {
    struct block *prev;
    size_t cap;
    size_t used;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct stile_arena {
    struct block *head;
    struct block *spare; /* the last one dropped, empty: a caller that rewinds
                            for every record must not buy it again each time */
    size_t limit;
    size_t total; /* of the pieces, each rounded up to ALIGNMENT */
    size_t next;  /* size of the next block */
    bool failed;
};

struct stile_arena *stile_arena_new(size_t limit)
{
    struct stile_arena *arena = calloc(1, sizeof *arena);

    if (!arena) {
        return NULL;
    }
    arena->limit = limit;
    arena->next = BLOCK_FIRST;
    return arena;
}

static void drop_head(struct stile_arena *arena)
{
    struct block *block = arena->head;

    arena->head = block->prev;
    stile_wipe(block->bytes, block->used);
#ifdef STILE_SANITIZE
    free(block);
#else
    block->used = 0;
    if (block->cap <= BLOCK_MAX &&
        (!arena->spare || arena->spare->cap < block->cap)) {
        free(arena->spare);
        arena->spare = block;
    } else {
        free(block);
    }
#endif
}

void stile_arena_free(struct stile_arena **arena)
{
    if (!arena || !*arena) {
        return;
    }
    while ((*arena)->head) {
        drop_head(*arena);
    }
    free((*arena)->spare);
    free(*arena);
    *arena = NULL;
}

static bool add_block(struct stile_arena *arena, size_t cap)
{
    struct block *block;

    if (cap > SIZE_MAX - sizeof *block) {
        return false;
    }
    if (arena->spare && arena->spare->cap >= cap) {
        block = arena->spare;
        arena->spare = NULL;
    } else {
        free(arena->spare);
        arena->spare = NULL;
        block = calloc(1, sizeof *block + cap);
        if (!block) {
            return false;
        }
        block->cap = cap;
    }
    block->prev = arena->head;
    arena->head = block;
    return true;
}

#ifdef STILE_SANITIZE
/* Each piece is its own malloc of its exact size. */
static void *take(struct stile_arena *arena, size_t size, size_t rounded)
{
    (void)rounded;
    if (!add_block(arena, size)) {
        return NULL;
    }
    arena->head->used = size;
    return arena->head->bytes;
}
#else
static void *take(struct stile_arena *arena, size_t size, size_t rounded)
{
    struct block *head = arena->head;
    void *piece;

    (void)size;
    if (!head || head->cap - head->used < rounded) {
        size_t cap = arena->next;

        if (cap > arena->limit - arena->total) {
            cap = arena->limit - arena->total;
        }
        if (cap < rounded) {
            cap = rounded;
        }
        /* The spare is good enough for what fits it. */
        if (arena->spare && arena->spare->cap >= rounded) {
            cap = rounded;
        }
        if (!add_block(arena, cap)) {
            return NULL;
        }
        if (arena->next < BLOCK_MAX) {
            arena->next *= 2;
        }
        head = arena->head;
    }
    piece = head->bytes + head->used;
    head->used += rounded;
    return piece;
}
#endif

void *stile_arena_alloc(struct stile_arena *arena, size_t size)
{
    size_t rounded;
    void *piece = NULL;

    if (!arena || arena->failed) {
        return NULL;
    }
    if (size == 0) {
        size = 1;
    }
    if (size <= SIZE_MAX - ALIGNMENT) {
        rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (rounded <= arena->limit - arena->total) {
            piece = take(arena, size, rounded);
        }
        if (piece) {
            arena->total += rounded;
            return piece;
        }
    }
    arena->failed = true;
    return NULL;
}

void *stile_arena_array(struct stile_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        if (arena) {
            arena->failed = true;
        }
        return NULL;
    }
    return stile_arena_alloc(arena, count * size);
}

char *stile_arena_cstr(struct stile_arena *arena, struct stile_str s)
{
    /* A slice lies in memory, so its length plus one does not wrap. */
    char *copy = stile_arena_alloc(arena, s.len + 1);

    if (copy && s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return copy;
}

struct stile_str stile_arena_str(struct stile_arena *arena, struct stile_str s)
{
    char *copy = stile_arena_alloc(arena, s.len);

    if (!copy) {
        return STILE_STR_NULL;
    }
    if (s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return (struct stile_str){copy, s.len};
}

struct stile_str stile_arena_vprintf(struct stile_arena *arena,
                                     const char *format, va_list args)
{
    va_list again;
    char *text;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    STILE_ASSERT(len >= 0);
    text = stile_arena_alloc(arena, (size_t)len + 1);
    if (!text) {
        return STILE_STR_NULL;
    }
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    return (struct stile_str){text, (size_t)len};
}

struct stile_str stile_arena_printf(struct stile_arena *arena,
                                    const char *format, ...)
{
    struct stile_str text;
    va_list args;

    va_start(args, format);
    text = stile_arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

bool stile_arena_failed(const struct stile_arena *arena)
{
    return !arena || arena->failed;
}

size_t stile_arena_used(const struct stile_arena *arena)
{
    return arena ? arena->total : 0;
}

struct stile_arena_mark stile_arena_mark(struct stile_arena *arena)
{
    struct stile_arena_mark mark = {NULL, 0, 0};

    if (arena && arena->head) {
        mark.block = arena->head;
        mark.used = arena->head->used;
        mark.total = arena->total;
    }
    return mark;
}

void stile_arena_rewind(struct stile_arena *arena, struct stile_arena_mark mark)
{
    if (!arena) {
        return;
    }
    while (arena->head && arena->head != mark.block) {
        drop_head(arena);
    }
    STILE_ASSERT(arena->head == mark.block);
    if (arena->head) {
        struct block *head = arena->head;

        STILE_ASSERT(mark.used <= head->used);
        stile_wipe(head->bytes + mark.used, head->used - mark.used);
        head->used = mark.used;
    }
    STILE_ASSERT(mark.total <= arena->total);
    arena->total = mark.total;
}

void stile_arena_reset(struct stile_arena *arena)
{
    if (!arena) {
        return;
    }
    stile_arena_rewind(arena, (struct stile_arena_mark){NULL, 0, 0});
    arena->next = BLOCK_FIRST;
    arena->failed = false;
}
