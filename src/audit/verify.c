#include <stile/audit.h>

void stile_audit_commit(struct stile_str salt, struct stile_str person,
                        char out[65])
{
    struct stile_digest digest;

    stile_hmac_sha256(salt, person, &digest);
    stile_digest_hex(&digest, out);
}

void stile_audit_verify_init(struct stile_audit_verifier *verifier)
{
    stile_audit_tree_init(&verifier->tree);
    verifier->entries = 0;
    verifier->checkpoints = 0;
    verifier->signed_size = 0;
}

enum stile_status
stile_audit_verify_entry(struct stile_audit_verifier *verifier,
                         struct stile_str entry,
                         const struct stile_digest *stored)
{
    struct stile_digest hash;

    if (entry.len == 0 || entry.len > STILE_AUDIT_ENTRY_MAX) {
        return STILE_LIMIT;
    }
    stile_audit_leaf_hash(entry, &hash);
    if (!stile_digest_eq(&hash, stored)) {
        return STILE_INVALID;
    }
    stile_audit_tree_add(&verifier->tree, &hash);
    verifier->entries++;
    return STILE_OK;
}

enum stile_status
stile_audit_verify_checkpoint(struct stile_audit_verifier *verifier,
                              struct stile_str note, struct stile_str key_name,
                              const uint8_t public_key[32])
{
    struct stile_audit_checkpoint checkpoint;
    struct stile_digest root;
    enum stile_status status =
        stile_audit_checkpoint_open(note, key_name, public_key, &checkpoint);

    if (status != STILE_OK) {
        return status;
    }
    if (checkpoint.size != verifier->tree.size) {
        return STILE_CONFLICT;
    }
    stile_audit_tree_root(&verifier->tree, &root);
    if (!stile_digest_eq(&root, &checkpoint.root)) {
        return STILE_INVALID;
    }
    verifier->checkpoints++;
    verifier->signed_size = checkpoint.size;
    return STILE_OK;
}
