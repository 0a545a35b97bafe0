#include <criterion/criterion.h>
#include <stile/audit.h>

#include <stdio.h>
#include <string.h>

#define S(literal) STILE_STR(literal)
#define MOST 70

/* Slow reference: RFC 6962 section 2.1 word by word, by recursion over copies;
 * none of the code under test but SHA-256. */
static void reference_hash(const struct stile_str *entries, size_t count,
                           struct stile_digest *ret)
{
    char bytes[512];
    struct stile_digest left;
    struct stile_digest right;
    size_t k = 1;

    if (count == 0) {
        stile_sha256(S(""), ret);
        return;
    }
    if (count == 1) {
        bytes[0] = 0;
        memcpy(bytes + 1, entries[0].ptr, entries[0].len);
        stile_sha256((struct stile_str){bytes, entries[0].len + 1}, ret);
        return;
    }
    while (k * 2 < count) {
        k *= 2;
    }
    reference_hash(entries, k, &left);
    reference_hash(entries + k, count - k, &right);
    bytes[0] = 1;
    memcpy(bytes + 1, left.bytes, 32);
    memcpy(bytes + 33, right.bytes, 32);
    stile_sha256((struct stile_str){bytes, 65}, ret);
}

/* RFC 6962 2.1.1: PATH(m, D[n]). */
static size_t reference_path(size_t m, const struct stile_str *entries,
                             size_t count, struct stile_digest *ret)
{
    size_t k = 1;
    size_t len;

    if (count <= 1) {
        return 0;
    }
    while (k * 2 < count) {
        k *= 2;
    }
    if (m < k) {
        len = reference_path(m, entries, k, ret);
        reference_hash(entries + k, count - k, &ret[len]);
    } else {
        len = reference_path(m - k, entries + k, count - k, ret);
        reference_hash(entries, k, &ret[len]);
    }
    return len + 1;
}

/* RFC 6962 2.1.2: SUBPROOF(m, D[n], whole). */
static size_t reference_subproof(size_t m, const struct stile_str *entries,
                                 size_t count, bool whole,
                                 struct stile_digest *ret)
{
    size_t k = 1;
    size_t len;

    if (m == count) {
        if (whole) {
            return 0;
        }
        reference_hash(entries, count, &ret[0]);
        return 1;
    }
    while (k * 2 < count) {
        k *= 2;
    }
    if (m <= k) {
        len = reference_subproof(m, entries, k, whole, ret);
        reference_hash(entries + k, count - k, &ret[len]);
    } else {
        len = reference_subproof(m - k, entries + k, count - k, false, ret);
        reference_hash(entries, k, &ret[len]);
    }
    return len + 1;
}

struct log {
    char texts[MOST][16];
    struct stile_str entries[MOST];
    struct stile_digest leaves[MOST];
    struct stile_digest roots[MOST + 1]; /* of the first n entries */
    struct stile_arena *arena;
};

static void log_init(struct log *log)
{
    struct stile_audit_tree tree;

    stile_audit_tree_init(&tree);
    log->arena = stile_arena_new((size_t)64 << 20);
    for (size_t i = 0; i < MOST; i++) {
        int len =
            snprintf(log->texts[i], sizeof log->texts[i], "{\"n\":%zu}", i * 7);

        log->entries[i] = (struct stile_str){log->texts[i], (size_t)len};
        stile_audit_tree_root(&tree, &log->roots[i]);
        stile_audit_leaf_hash(log->entries[i], &log->leaves[i]);
        stile_audit_tree_add(&tree, &log->leaves[i]);
    }
    stile_audit_tree_root(&tree, &log->roots[MOST]);
}

static enum stile_status leaf_of(void *ctx, uint64_t index,
                                 struct stile_digest *ret)
{
    struct log *log = ctx;

    cr_assert_lt(index, MOST);
    *ret = log->leaves[index];
    return STILE_OK;
}

/* The vectors of the certificate-transparency project's own Merkle tree tests
 * (google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc). */
Test(audit_tree, known_hashes)
{
    static const struct stile_str inputs[] = {
        {"", 0},
        {"\x00", 1},
        {"\x10", 1},
        {"\x20\x21", 2},
        {"\x30\x31", 2},
        {"\x40\x41\x42\x43", 4},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
         16}};
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct stile_audit_tree tree;
    struct stile_digest hash;
    char hex[65];

    stile_audit_tree_init(&tree);
    for (size_t i = 0; i <= 8; i++) {
        stile_audit_tree_root(&tree, &hash);
        stile_digest_hex(&hash, hex);
        cr_assert_str_eq(hex, roots[i], "size %zu: %s", i, hex);
        if (i < 8) {
            stile_audit_leaf_hash(inputs[i], &hash);
            stile_audit_tree_add(&tree, &hash);
        }
    }
}

Test(audit_tree, roots_meet_the_reference)
{
    static struct log log;
    struct stile_digest wanted;

    log_init(&log);
    for (size_t n = 0; n <= MOST; n++) {
        reference_hash(log.entries, n, &wanted);
        cr_assert(stile_digest_eq(&wanted, &log.roots[n]), "size %zu", n);
    }
    stile_arena_free(&log.arena);
}

Test(audit_tree, long_entries_hash_as_short_ones)
{
    static char bytes[STILE_AUDIT_ENTRY_MAX + 1];
    static const size_t lens[] = {0,    1,    1023,
                                  1024, 1025, STILE_AUDIT_ENTRY_MAX};

    memset(bytes + 1, 'x', sizeof bytes - 1);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct stile_digest wanted;
        struct stile_digest got;

        bytes[0] = 0;
        stile_sha256((struct stile_str){bytes, lens[i] + 1}, &wanted);
        stile_audit_leaf_hash((struct stile_str){bytes + 1, lens[i]}, &got);
        cr_assert(stile_digest_eq(&wanted, &got), "%zu bytes", lens[i]);
    }
}

Test(audit_tree, inclusion_of_every_leaf_of_every_size)
{
    static struct log log;

    log_init(&log);
    for (size_t n = 1; n <= MOST; n++) {
        for (size_t m = 0; m < n; m++) {
            struct stile_digest wanted[16];
            struct stile_digest *path = NULL;
            size_t count = 0;
            size_t len = reference_path(m, log.entries, n, wanted);

            cr_assert_eq(stile_audit_prove_inclusion(m, n, leaf_of, &log,
                                                     log.arena, &path, &count),
                         STILE_OK);
            cr_assert_eq(count, len);
            cr_assert_eq(memcmp(path, wanted, len * sizeof *path), 0);
            cr_assert(stile_audit_check_inclusion(m, n, &log.leaves[m], path,
                                                  count, &log.roots[n]));
            /* another place, size, leaf, root or path length is refused */
            cr_assert_not(stile_audit_check_inclusion(
                m, n, &log.leaves[(m + 1) % MOST], path, count, &log.roots[n]));
            cr_assert_not(stile_audit_check_inclusion(
                m, n, &log.leaves[m], path, count, &log.roots[n - 1]));
            cr_assert_not(n > 1 && stile_audit_check_inclusion(
                                       (m + 1) % n, n, &log.leaves[m], path,
                                       count, &log.roots[n]));
            cr_assert_not(count > 0 && stile_audit_check_inclusion(
                                           m, n, &log.leaves[m], path,
                                           count - 1, &log.roots[n]));
            if (count > 0) {
                path[count / 2].bytes[5] ^= 1;
                cr_assert_not(stile_audit_check_inclusion(
                    m, n, &log.leaves[m], path, count, &log.roots[n]));
            }
        }
    }
    stile_arena_free(&log.arena);
}

Test(audit_tree, consistency_of_every_pair_of_sizes)
{
    static struct log log;

    log_init(&log);
    for (size_t n = 1; n <= MOST; n++) {
        for (size_t m = 1; m <= n; m++) {
            struct stile_digest wanted[16];
            struct stile_digest *path = NULL;
            size_t count = 0;
            size_t len = reference_subproof(m, log.entries, n, true, wanted);

            cr_assert_eq(stile_audit_prove_consistency(
                             m, n, leaf_of, &log, log.arena, &path, &count),
                         STILE_OK);
            cr_assert_eq(count, len);
            cr_assert_eq(memcmp(path, wanted, len * sizeof *path), 0);
            cr_assert(stile_audit_check_consistency(
                m, &log.roots[m], n, &log.roots[n], path, count));
            cr_assert_not(stile_audit_check_consistency(
                m, &log.roots[m - 1], n, &log.roots[n], path, count));
            cr_assert_not(stile_audit_check_consistency(
                m, &log.roots[m], n, &log.roots[n - 1], path, count));
            for (size_t i = 0; i < count; i++) {
                path[i].bytes[31] ^= 0x80;
                cr_assert_not(stile_audit_check_consistency(
                    m, &log.roots[m], n, &log.roots[n], path, count));
                path[i].bytes[31] ^= 0x80;
            }
            cr_assert_not(count > 0 && stile_audit_check_consistency(
                                           m, &log.roots[m], n, &log.roots[n],
                                           path, count - 1));
        }
    }
    stile_arena_free(&log.arena);
}

Test(audit_tree, proofs_outside_the_tree_are_invalid)
{
    static struct log log;
    struct stile_digest *path = NULL;
    size_t count = 0;

    log_init(&log);
    cr_assert_eq(stile_audit_prove_inclusion(5, 5, leaf_of, &log, log.arena,
                                             &path, &count),
                 STILE_INVALID);
    cr_assert_eq(stile_audit_prove_inclusion(0, 0, leaf_of, &log, log.arena,
                                             &path, &count),
                 STILE_INVALID);
    cr_assert_eq(stile_audit_prove_consistency(0, 5, leaf_of, &log, log.arena,
                                               &path, &count),
                 STILE_INVALID);
    cr_assert_eq(stile_audit_prove_consistency(6, 5, leaf_of, &log, log.arena,
                                               &path, &count),
                 STILE_INVALID);
    cr_assert_not(stile_audit_check_inclusion(0, 0, &log.leaves[0], NULL, 0,
                                              &log.leaves[0]));
    cr_assert_not(stile_audit_check_consistency(0, &log.roots[0], 5,
                                                &log.roots[5], log.leaves, 3));
    cr_assert_not(stile_audit_check_consistency(6, &log.roots[6], 5,
                                                &log.roots[5], log.leaves, 3));
    stile_arena_free(&log.arena);
}

static enum stile_status leaf_fails(void *ctx, uint64_t index,
                                    struct stile_digest *ret)
{
    return index == 2 ? STILE_IO : leaf_of(ctx, index, ret);
}

Test(audit_tree, failures_are_handed_on)
{
    static struct log log;
    struct stile_arena *small = stile_arena_new(1);
    struct stile_digest *path = NULL;
    size_t count = 0;

    log_init(&log);
    cr_assert_eq(stile_audit_prove_inclusion(0, 5, leaf_fails, &log, log.arena,
                                             &path, &count),
                 STILE_IO);
    cr_assert_eq(stile_audit_prove_consistency(3, 5, leaf_fails, &log,
                                               log.arena, &path, &count),
                 STILE_IO);
    cr_assert_eq(
        stile_audit_prove_inclusion(0, 5, leaf_of, &log, small, &path, &count),
        STILE_NOMEM);
    cr_assert_null(path);
    stile_arena_free(&small);
    stile_arena_free(&log.arena);
}
