/*
 * stile/audit.h - what can never be unsaid: an append-only Merkle log.
 *
 * Invariants
 *   - Hashes are those of RFC 6962 section 2.1: leaf SHA-256(0x00 || entry),
 *     node SHA-256(0x01 || left || right).
 *   - An entry is canonical JSON (RFC 8785 order: members sorted by name, no
 *     white space), at most 65,535 bytes (C2SP tlog-tiles), with no clinical
 *     content and no bare NHS number: a person is a salted commitment.
 *   - A checkpoint is a C2SP tlog-checkpoint: origin, size, root, signed as a
 *     signed note with Ed25519.
 *
 * Pure: entries come in as bytes, nothing is read or written here; the store
 * keeps them. Threads: one owner a log.
 */
#ifndef STILE_AUDIT_H
#define STILE_AUDIT_H

#include "stile/base.h"

#define STILE_AUDIT_ENTRY_MAX 65535u

void stile_audit_leaf_hash(struct stile_str entry, struct stile_digest *ret);
void stile_audit_node_hash(const struct stile_digest *left,
                           const struct stile_digest *right,
                           struct stile_digest *ret);

/* The right edge of the tree: all that is needed to append and to know the
 * root. At most 64 hashes. */
struct stile_audit_tree {
    uint64_t size;
    struct stile_digest edge[64]; /* edge[i]: complete subtree of 2^i, if bit i
                                     of size is set */
};
void stile_audit_tree_init(struct stile_audit_tree *tree);
void stile_audit_tree_add(struct stile_audit_tree *tree,
                          const struct stile_digest *leaf);
void stile_audit_tree_root(const struct stile_audit_tree *tree,
                           struct stile_digest *ret);

/* Inclusion and consistency proofs (RFC 6962 2.1.1, 2.1.2) over leaf hashes
 * that `leaf` fetches by index. Arena array of hashes. INVALID when index or
 * old_size does not lie in the tree; what `leaf` fails with is handed on. */
typedef enum stile_status (*stile_audit_leaf_fn)(void *ctx, uint64_t index,
                                                 struct stile_digest *ret);
STILE_MUSTCHECK enum stile_status stile_audit_prove_inclusion(
    uint64_t index, uint64_t size, stile_audit_leaf_fn leaf, void *ctx,
    struct stile_arena *arena, struct stile_digest **ret, size_t *ret_count);
STILE_MUSTCHECK bool
stile_audit_check_inclusion(uint64_t index, uint64_t size,
                            const struct stile_digest *leaf,
                            const struct stile_digest *path, size_t count,
                            const struct stile_digest *root);
STILE_MUSTCHECK enum stile_status stile_audit_prove_consistency(
    uint64_t old_size, uint64_t size, stile_audit_leaf_fn leaf, void *ctx,
    struct stile_arena *arena, struct stile_digest **ret, size_t *ret_count);
STILE_MUSTCHECK bool
stile_audit_check_consistency(uint64_t old_size,
                              const struct stile_digest *old_root,
                              uint64_t size, const struct stile_digest *root,
                              const struct stile_digest *path, size_t count);

/* ---- checkpoints ---- */

struct stile_audit_checkpoint {
    struct stile_str origin; /* "stile.example/trust" */
    uint64_t size;
    struct stile_digest root;
};
/* Writes the signed note; `key_name` is usually the origin. INVALID when a
 * name holds what a note cannot carry: origin without a line end, key name
 * without space or '+', neither empty. `out` keeps its length on failure. */
STILE_MUSTCHECK enum stile_status
stile_audit_checkpoint_sign(const struct stile_audit_checkpoint *checkpoint,
                            struct stile_str key_name, const uint8_t seed[32],
                            struct stile_buf *out);
/* Parses and verifies the note under the key; DENIED when no signature of
 * that key verifies, INVALID when it is no note. Texts point into `note`. */
STILE_MUSTCHECK enum stile_status
stile_audit_checkpoint_open(struct stile_str note, struct stile_str key_name,
                            const uint8_t public_key[32],
                            struct stile_audit_checkpoint *ret);

/* ---- entries ---- */

/* Commitment to a person: HMAC-SHA256(salt, nhs number or person key), hex.
 * The salt lives in a side store; erasing it ends linkability. */
void stile_audit_commit(struct stile_str salt, struct stile_str person,
                        char out[65]);

/* ---- offline verification ---- */

/*
 * Replays entries against the stored hashes and checkpoints, in order. What
 * was cut off after the last checkpoint cannot be seen from the log alone:
 * compare verifier.tree with the newest checkpoint held elsewhere.
 */
struct stile_audit_verifier {
    struct stile_audit_tree tree;
    uint64_t entries, checkpoints;
    uint64_t signed_size; /* size under the last good checkpoint */
};
void stile_audit_verify_init(struct stile_audit_verifier *verifier);
/* INVALID when `stored` is not the entry's leaf hash: it was changed. LIMIT
 * when the entry is empty or longer than STILE_AUDIT_ENTRY_MAX. */
STILE_MUSTCHECK enum stile_status
stile_audit_verify_entry(struct stile_audit_verifier *verifier,
                         struct stile_str entry,
                         const struct stile_digest *stored);
/* Call when tree.size has reached the checkpoint's size, and for all that are
 * left when the entries have ended. INVALID: the root differs (edit, reorder
 * or fork), or it is no note; CONFLICT: sizes do not meet
 * (truncated); DENIED: not signed by the key. */
STILE_MUSTCHECK enum stile_status
stile_audit_verify_checkpoint(struct stile_audit_verifier *verifier,
                              struct stile_str note, struct stile_str key_name,
                              const uint8_t public_key[32]);

#endif
