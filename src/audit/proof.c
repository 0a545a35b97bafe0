#include <stile/audit.h>

/* A path has at most one hash a level, and one more for the edge. */
#define PATH_MAX_HASHES 65

struct path {
    struct stile_digest hashes[PATH_MAX_HASHES];
    size_t count;
};

static void path_add(struct path *path, const struct stile_digest *hash)
{
    STILE_ASSERT(path->count < PATH_MAX_HASHES);
    path->hashes[path->count++] = *hash;
}

/* Largest power of two below n, for n > 1: RFC 6962's k. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;

    while (k < n - k) {
        k *= 2;
    }
    return k;
}

/* MTH of the leaves [from, from + count). Linear in count, constant memory. */
static enum stile_status range_hash(uint64_t from, uint64_t count,
                                    stile_audit_leaf_fn leaf, void *ctx,
                                    struct stile_digest *ret)
{
    struct stile_audit_tree tree;

    stile_audit_tree_init(&tree);
    for (uint64_t i = 0; i < count; i++) {
        struct stile_digest hash;
        enum stile_status status = leaf(ctx, from + i, &hash);

        if (status != STILE_OK) {
            return status;
        }
        stile_audit_tree_add(&tree, &hash);
    }
    stile_audit_tree_root(&tree, ret);
    return STILE_OK;
}

static enum stile_status path_out(const struct path *path, bool backwards,
                                  struct stile_arena *arena,
                                  struct stile_digest **ret, size_t *ret_count)
{
    struct stile_digest *hashes =
        stile_arena_array(arena, path->count, sizeof *hashes);

    if (!hashes) {
        return STILE_NOMEM;
    }
    for (size_t i = 0; i < path->count; i++) {
        hashes[i] = path->hashes[backwards ? path->count - 1 - i : i];
    }
    *ret = hashes;
    *ret_count = path->count;
    return STILE_OK;
}

/* RFC 6962 2.1.1, from the root down; the path is then turned around. */
enum stile_status stile_audit_prove_inclusion(
    uint64_t index, uint64_t size, stile_audit_leaf_fn leaf, void *ctx,
    struct stile_arena *arena, struct stile_digest **ret, size_t *ret_count)
{
    struct path path = {.count = 0};
    uint64_t from = 0;
    uint64_t count = size;

    if (index >= size) {
        return STILE_INVALID;
    }
    while (count > 1) {
        uint64_t k = split(count);
        bool left = index - from < k;
        struct stile_digest hash;
        enum stile_status status = range_hash(
            left ? from + k : from, left ? count - k : k, leaf, ctx, &hash);

        if (status != STILE_OK) {
            return status;
        }
        path_add(&path, &hash);
        from = left ? from : from + k;
        count = left ? k : count - k;
    }
    return path_out(&path, true, arena, ret, ret_count);
}

/* RFC 9162 section 2.1.3.2, which states the check RFC 6962 leaves out. */
bool stile_audit_check_inclusion(uint64_t index, uint64_t size,
                                 const struct stile_digest *leaf,
                                 const struct stile_digest *path, size_t count,
                                 const struct stile_digest *root)
{
    uint64_t fn = index;
    uint64_t sn = size - 1;
    struct stile_digest hash = *leaf;

    if (index >= size) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) != 0 || fn == sn) {
            stile_audit_node_hash(&path[i], &hash, &hash);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            stile_audit_node_hash(&hash, &path[i], &hash);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && stile_digest_eq(&hash, root);
}

/* RFC 6962 2.1.2: SUBPROOF(m, D[n], whole), from the root down. */
enum stile_status stile_audit_prove_consistency(
    uint64_t old_size, uint64_t size, stile_audit_leaf_fn leaf, void *ctx,
    struct stile_arena *arena, struct stile_digest **ret, size_t *ret_count)
{
    struct path path = {.count = 0};
    uint64_t m = old_size;
    uint64_t from = 0;
    uint64_t count = size;
    bool whole = true; /* the old tree is [0, old_size) of this subtree */
    struct stile_digest hash;
    enum stile_status status;

    if (old_size == 0 || old_size > size) {
        return STILE_INVALID;
    }
    while (m != count) {
        uint64_t k = split(count);
        bool left = m <= k;

        status = range_hash(left ? from + k : from, left ? count - k : k, leaf,
                            ctx, &hash);
        if (status != STILE_OK) {
            return status;
        }
        path_add(&path, &hash);
        if (left) {
            count = k;
        } else {
            from += k;
            m -= k;
            count -= k;
            whole = false;
        }
    }
    if (!whole) {
        status = range_hash(from, count, leaf, ctx, &hash);
        if (status != STILE_OK) {
            return status;
        }
        path_add(&path, &hash);
    }
    return path_out(&path, true, arena, ret, ret_count);
}

/* RFC 9162 section 2.1.4.2. */
bool stile_audit_check_consistency(uint64_t old_size,
                                   const struct stile_digest *old_root,
                                   uint64_t size,
                                   const struct stile_digest *root,
                                   const struct stile_digest *path,
                                   size_t count)
{
    uint64_t fn = old_size - 1;
    uint64_t sn = size - 1;
    struct stile_digest old_hash;
    struct stile_digest hash;
    size_t i = 0;

    if (old_size == 0 || old_size > size) {
        return false;
    }
    if (old_size == size) {
        return count == 0 && stile_digest_eq(old_root, root);
    }
    if ((old_size & (old_size - 1)) == 0) {
        hash = *old_root; /* a power of two: the old root heads the path */
    } else if (count > 0) {
        hash = path[i++];
    } else {
        return false;
    }
    old_hash = hash;
    for (; (fn & 1) != 0; fn >>= 1) {
        sn >>= 1;
    }
    for (; i < count; i++) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) != 0 || fn == sn) {
            stile_audit_node_hash(&path[i], &old_hash, &old_hash);
            stile_audit_node_hash(&path[i], &hash, &hash);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            stile_audit_node_hash(&hash, &path[i], &hash);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && stile_digest_eq(&old_hash, old_root) &&
           stile_digest_eq(&hash, root);
}
