#include <stile/audit.h>

#include <string.h>

/* RFC 6962 section 2.1: the prefixes keep a leaf from being read as a node. */
void stile_audit_leaf_hash(struct stile_str entry, struct stile_digest *ret)
{
    char small[1025];
    struct stile_sha256 *ctx;

    if (entry.len < sizeof small) {
        small[0] = 0;
        if (entry.len > 0) {
            memcpy(small + 1, entry.ptr, entry.len);
        }
        stile_sha256((struct stile_str){small, entry.len + 1}, ret);
        return;
    }
    ctx = stile_sha256_new();
    STILE_ASSERT(ctx);
    stile_sha256_add(ctx, (struct stile_str){"", 1});
    stile_sha256_add(ctx, entry);
    stile_sha256_done(ctx, ret);
    stile_sha256_free(&ctx);
}

void stile_audit_node_hash(const struct stile_digest *left,
                           const struct stile_digest *right,
                           struct stile_digest *ret)
{
    char bytes[65];

    bytes[0] = 1;
    memcpy(bytes + 1, left->bytes, sizeof left->bytes);
    memcpy(bytes + 33, right->bytes, sizeof right->bytes);
    stile_sha256((struct stile_str){bytes, sizeof bytes}, ret);
}

void stile_audit_tree_init(struct stile_audit_tree *tree)
{
    memset(tree, 0, sizeof *tree);
}

void stile_audit_tree_add(struct stile_audit_tree *tree,
                          const struct stile_digest *leaf)
{
    struct stile_digest hash = *leaf;
    unsigned level = 0;

    STILE_ASSERT(tree->size < UINT64_MAX);
    for (; (tree->size >> level & 1) != 0; level++) {
        stile_audit_node_hash(&tree->edge[level], &hash, &hash);
    }
    tree->edge[level] = hash;
    tree->size++;
}

void stile_audit_tree_root(const struct stile_audit_tree *tree,
                           struct stile_digest *ret)
{
    struct stile_digest hash;
    bool have = false;

    if (tree->size == 0) {
        stile_sha256(STILE_STR(""), ret);
        return;
    }
    for (unsigned level = 0; level < 64; level++) {
        if ((tree->size >> level & 1) == 0) {
            continue;
        }
        if (have) {
            stile_audit_node_hash(&tree->edge[level], &hash, &hash);
        } else {
            hash = tree->edge[level];
            have = true;
        }
    }
    *ret = hash;
}
