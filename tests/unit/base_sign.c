#include <criterion/criterion.h>
#include <stile/base.h>

#include <string.h>

/* RFC 8032 section 7.1, TEST 1 to 3. */
static const struct vector {
    const char *seed, *public_key, *message, *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb882159"
     "0a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43"
     "e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538"
     "d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};

static size_t from_hex(const char *hex, uint8_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        ret[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) * 16 +
                           (strchr(digits, hex[2 * i + 1]) - digits));
    }
    return len;
}

Test(base_sign, vectors_of_rfc_8032)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t seed[32], wanted_key[32], key[32];
        uint8_t wanted[64], signature[64], bytes[8];
        struct stile_str message = {(const char *)bytes, 0};

        from_hex(vectors[i].seed, seed);
        from_hex(vectors[i].public_key, wanted_key);
        from_hex(vectors[i].signature, wanted);
        message.len = from_hex(vectors[i].message, bytes);
        cr_assert_eq(stile_ed25519_public(seed, key), STILE_OK);
        cr_assert_eq(memcmp(key, wanted_key, 32), 0, "vector %zu", i);
        cr_assert_eq(stile_ed25519_sign(seed, message, signature), STILE_OK);
        cr_assert_eq(memcmp(signature, wanted, 64), 0, "vector %zu", i);
        cr_assert(stile_ed25519_verify(key, message, signature));
    }
}

Test(base_sign, every_bit_counts)
{
    uint8_t seed[32] = {1};
    uint8_t key[32], signature[64];
    char text[] = "checkpoint";
    struct stile_str message = {text, sizeof text - 1};

    cr_assert_eq(stile_ed25519_public(seed, key), STILE_OK);
    cr_assert_eq(stile_ed25519_sign(seed, message, signature), STILE_OK);
    for (size_t bit = 0; bit < 8 * message.len; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        cr_assert_not(stile_ed25519_verify(key, message, signature));
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(stile_ed25519_verify(key, message, signature));
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    key[0] ^= 1;
    cr_assert_not(stile_ed25519_verify(key, message, signature));
}

Test(base_sign, an_empty_slice_is_a_message)
{
    uint8_t seed[32] = {2};
    uint8_t key[32], signature[64];

    cr_assert_eq(stile_ed25519_public(seed, key), STILE_OK);
    cr_assert_eq(stile_ed25519_sign(seed, STILE_STR_NULL, signature), STILE_OK);
    cr_assert(stile_ed25519_verify(key, STILE_STR(""), signature));
    cr_assert_not(stile_ed25519_verify(key, STILE_STR("x"), signature));
}
