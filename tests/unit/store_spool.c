/* Rows put aside: what stands, in which order, and found by which name. */
#include <criterion/criterion.h>

#include "stile/store.h"

struct seen {
    char text[4096];
    size_t len, count, stop;
};

static enum stile_status see(void *ctx, int64_t group, struct stile_str body)
{
    struct seen *seen = ctx;
    if (++seen->count == seen->stop) {
        return STILE_DENIED;
    }
    int n = snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len,
                     "%lld:%.*s ", (long long)group, STILE_FMT(body));
    cr_assert_gt(n, 0);
    seen->len += (size_t)n;
    return STILE_OK;
}

static bool put(struct stile_spool *spool, int64_t group, const char *key,
                const char *body, bool gone)
{
    bool replaced = false;
    cr_assert_eq(stile_spool_put(spool, group, stile_str_cstr(key),
                                 stile_str_cstr(body), gone, &replaced),
                 STILE_OK);
    return replaced;
}

static struct stile_spool *open_spool(size_t cache)
{
    struct stile_spool *spool = NULL;
    cr_assert_eq(stile_spool_open(cache, &spool), STILE_OK);
    return spool;
}

Test(store_spool, of_one_key_the_last_stands_by_group_and_order)
{
    struct stile_spool *spool = open_spool(1 << 20);
    struct seen seen = {.len = 0};
    cr_expect_not(put(spool, 1, "a", "a1", false));
    cr_expect_not(put(spool, 0, "b", "b1", false));
    cr_expect_not(put(spool, -1, "c", "shared", false));
    cr_expect_not(put(spool, 1, "", "no key", false));
    cr_expect_not(put(spool, 1, "", "no key", false));
    cr_expect(put(spool, 1, "a", "a2", false));
    cr_expect_not(put(spool, 0, "d", "d1", false));
    cr_expect(put(spool, 0, "d", "", true), "it is gone");
    cr_assert_eq(stile_spool_each(spool, see, &seen), STILE_OK);
    cr_expect_str_eq(seen.text, "0:b1 1:no key 1:no key 1:a2 ");
    seen = (struct seen){.stop = 2};
    cr_expect_eq(stile_spool_each(spool, see, &seen), STILE_DENIED);
    cr_expect_str_eq(seen.text, "0:b1 ");
    stile_spool_close(&spool);
    cr_expect_null(spool);
    stile_spool_close(&spool);
}

Test(store_spool, a_name_finds_the_first_row_that_stands)
{
    struct stile_spool *spool = open_spool(1 << 20);
    struct stile_arena *arena = stile_arena_new(1 << 16);
    struct stile_str body = STILE_STR_NULL;
    put(spool, -1, "k1", "one", false);
    cr_assert_eq(stile_spool_name(spool, STILE_STR("n")), STILE_OK);
    put(spool, -1, "k2", "two", false);
    cr_assert_eq(stile_spool_name(spool, STILE_STR("n")), STILE_OK);
    cr_assert_eq(stile_spool_name(spool, STILE_STR("n")), STILE_OK);
    cr_assert_eq(stile_spool_find(spool, STILE_STR("n"), arena, &body),
                 STILE_OK);
    cr_expect(stile_str_eqc(body, "one"));
    put(spool, -1, "k1", "one, later", false);
    cr_assert_eq(stile_spool_find(spool, STILE_STR("n"), arena, &body),
                 STILE_OK);
    cr_expect(stile_str_eqc(body, "two"));
    cr_expect_eq(stile_spool_find(spool, STILE_STR("m"), arena, &body),
                 STILE_NOT_FOUND);
    stile_arena_free(&arena);
    stile_spool_close(&spool);
}

struct sum {
    size_t rows, bytes;
    int64_t group;
};

static enum stile_status add(void *ctx, int64_t group, struct stile_str body)
{
    struct sum *sum = ctx;
    cr_assert_gt(group, sum->group, "in order");
    sum->group = group;
    sum->rows++;
    sum->bytes += body.len;
    return STILE_OK;
}

/* Far more than the cache holds, and none of it is lost. */
Test(store_spool, more_than_the_cache_holds)
{
    enum {
        ROWS = 20000,
        BODY = 500
    };
    struct stile_spool *spool = open_spool(1);
    struct sum sum = {0, 0, -1};
    char body[BODY + 1], key[32];
    memset(body, 'x', BODY);
    body[BODY] = '\0';
    for (int i = 0; i < ROWS; i++) {
        snprintf(key, sizeof(key), "k%d", i % (ROWS - 1));
        cr_assert_eq(put(spool, ROWS - i, key, body, false), i == ROWS - 1);
    }
    cr_assert_eq(stile_spool_each(spool, add, &sum), STILE_OK);
    cr_expect_eq(sum.rows, ROWS - 1);
    cr_expect_eq(sum.bytes, (ROWS - 1) * (size_t)BODY);
    stile_spool_close(&spool);
}
