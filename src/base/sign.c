#include <stile/base.h>

#include <openssl/evp.h>

enum stile_status stile_ed25519_public(const uint8_t seed[32],
                                       uint8_t ret_public[32])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    size_t len = 32;
    int good;

    if (!key) {
        return STILE_NOMEM;
    }
    good = EVP_PKEY_get_raw_public_key(key, ret_public, &len);
    EVP_PKEY_free(key);
    return good == 1 && len == 32 ? STILE_OK : STILE_NOMEM;
}

/* Every seed of 32 bytes is a key, so what fails is memory. */
enum stile_status stile_ed25519_sign(const uint8_t seed[32],
                                     struct stile_str message,
                                     uint8_t ret_signature[64])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 64;
    bool good =
        key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestSign(ctx, ret_signature, &len,
                       (const unsigned char *)message.ptr, message.len) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good && len == 64 ? STILE_OK : STILE_NOMEM;
}

bool stile_ed25519_verify(const uint8_t public_key[32],
                          struct stile_str message, const uint8_t signature[64])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestVerify(ctx, signature, 64, (const unsigned char *)message.ptr,
                         message.len) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good;
}
