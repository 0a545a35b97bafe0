#include <criterion/criterion.h>

#include <stile/base.h>

#define PIECE (_Alignof(max_align_t))

Test(base_arena, pieces_are_zero_and_aligned)
{
    struct stile_arena *arena = stile_arena_new(1 << 20);

    for (size_t size = 0; size < 300; size++) {
        unsigned char *piece = stile_arena_alloc(arena, size);

        cr_assert_not_null(piece);
        cr_assert_eq((uintptr_t)piece % PIECE, 0);
        for (size_t i = 0; i < size; i++) {
            cr_assert_eq(piece[i], 0);
        }
        memset(piece, 0xa5, size);
    }
    stile_arena_free(&arena);
    cr_assert_null(arena);
    stile_arena_free(&arena);
    stile_arena_free(NULL);
}

Test(base_arena, limit_holds_and_failure_stays)
{
    struct stile_arena *arena = stile_arena_new(10 * PIECE);

    for (int i = 0; i < 10; i++) {
        cr_assert_not_null(stile_arena_alloc(arena, PIECE));
    }
    cr_assert_eq(stile_arena_used(arena), 10 * PIECE);
    cr_assert_not(stile_arena_failed(arena));
    cr_assert_null(stile_arena_alloc(arena, 1));
    cr_assert(stile_arena_failed(arena));
    stile_arena_rewind(arena, (struct stile_arena_mark){NULL, 0, 0});
    cr_assert_null(stile_arena_alloc(arena, 1), "a rewind does not forgive");
    stile_arena_reset(arena);
    cr_assert_not_null(stile_arena_alloc(arena, 10 * PIECE));
    cr_assert_null(stile_arena_alloc(arena, 1));
    stile_arena_free(&arena);
}

Test(base_arena, sizes_that_wrap_fail)
{
    struct stile_arena *arena = stile_arena_new(SIZE_MAX);

    cr_assert_null(stile_arena_alloc(arena, SIZE_MAX));
    stile_arena_reset(arena);
    cr_assert_null(stile_arena_array(arena, SIZE_MAX / 2, 3));
    cr_assert(stile_arena_failed(arena));
    stile_arena_reset(arena);
    cr_assert_not_null(stile_arena_array(arena, 3, 0));
    stile_arena_free(&arena);
}

Test(base_arena, texts)
{
    struct stile_arena *arena = stile_arena_new(4096);
    struct stile_str s;

    s = stile_arena_printf(arena, "%s-%04d", "row", 12);
    cr_assert(stile_str_eqc(s, "row-0012"));
    cr_assert_str_eq(stile_arena_cstr(arena, stile_str_sub(s, 0, 3)), "row");
    cr_assert_not_null(stile_arena_str(arena, STILE_STR_NULL).ptr);
    cr_assert_null(stile_arena_printf(arena, "%5000d", 1).ptr);
    cr_assert(stile_arena_failed(arena));
    cr_assert_null(stile_arena_str(arena, s).ptr);
    stile_arena_free(&arena);
}

Test(base_arena, a_missing_arena_is_a_failed_one)
{
    cr_assert(stile_arena_failed(NULL));
    cr_assert_null(stile_arena_alloc(NULL, 1));
    cr_assert_null(stile_arena_array(NULL, SIZE_MAX, 2));
    cr_assert_eq(stile_arena_used(NULL), 0);
    stile_arena_rewind(NULL, stile_arena_mark(NULL));
    stile_arena_reset(NULL);
}

Test(base_arena, rewind_gives_back_and_wipes)
{
    struct stile_arena *arena = stile_arena_new(1 << 20);
    char *kept = stile_arena_cstr(arena, STILE_STR("kept"));
    struct stile_arena_mark mark = stile_arena_mark(arena);
    size_t used = stile_arena_used(arena);

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++) {
            unsigned char *piece = stile_arena_alloc(arena, 100);

            cr_assert_eq(piece[0] | piece[99], 0);
            memset(piece, 0x5a, 100);
        }
        stile_arena_rewind(arena, mark);
        cr_assert_eq(stile_arena_used(arena), used);
        cr_assert_str_eq(kept, "kept");
    }
    stile_arena_free(&arena);
}

/* The wiped block that a rewind keeps comes back zeroed, and holds no more
 * than the limit. */
Test(base_arena, a_rewound_arena_starts_anew_with_zeros)
{
    struct stile_arena *arena = stile_arena_new(1 << 16);
    struct stile_arena_mark mark = stile_arena_mark(arena);

    for (int round = 0; round < 50; round++) {
        size_t size = (size_t)(round % 7) * 9001 + 1;
        unsigned char *piece = stile_arena_alloc(arena, size);

        cr_assert_not_null(piece, "round %d", round);
        for (size_t i = 0; i < size; i++) {
            cr_assert_eq(piece[i], 0, "round %d", round);
        }
        memset(piece, 0xa5, size);
        stile_arena_rewind(arena, mark);
        cr_assert_eq(stile_arena_used(arena), 0);
    }
    stile_arena_free(&arena);
}
