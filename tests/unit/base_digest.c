#include <criterion/criterion.h>

#include <stile/base.h>

static void check_hex(const struct stile_digest *digest, const char *want)
{
    char hex[65];

    stile_digest_hex(digest, hex);
    cr_assert_str_eq(hex, want);
}

static void from_hex(const char *hex, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned byte;

        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

/* FIPS 180-2 appendix B.1, and the empty message. */
Test(base_digest, sha256_vectors)
{
    struct stile_digest digest;

    stile_sha256(STILE_STR("abc"), &digest);
    check_hex(&digest, "ba7816bf8f01cfea414140de5dae2223"
                       "b00361a396177a9cb410ff61f20015ad");
    stile_sha256(STILE_STR_NULL, &digest);
    check_hex(&digest, "e3b0c44298fc1c149afbf4c8996fb924"
                       "27ae41e4649b934ca495991b7852b855");
}

Test(base_digest, one_object_many_digests)
{
    struct stile_sha256 *ctx = stile_sha256_new();
    struct stile_digest a;
    struct stile_digest b;

    stile_sha256(STILE_STR("abc"), &a);
    for (int i = 0; i < 3; i++) {
        stile_sha256_add(ctx, STILE_STR("a"));
        stile_sha256_add(ctx, STILE_STR_NULL);
        stile_sha256_add(ctx, STILE_STR("bc"));
        stile_sha256_done(ctx, &b);
        cr_assert(stile_digest_eq(&a, &b));
    }
    stile_sha256_add(ctx, STILE_STR("lost"));
    stile_sha256_reset(ctx);
    stile_sha256_add(ctx, STILE_STR("abc"));
    stile_sha256_done(ctx, &b);
    cr_assert(stile_digest_eq(&a, &b));
    b.bytes[31] ^= 1;
    cr_assert_not(stile_digest_eq(&a, &b));
    stile_sha256_free(&ctx);
    cr_assert_null(ctx);
    stile_sha256_free(NULL);
}

/* RFC 4231 sections 4.3 and 4.7 (a key longer than a block). */
Test(base_digest, hmac_vectors)
{
    struct stile_digest digest;
    char key[131];

    stile_hmac_sha256(STILE_STR("Jefe"),
                      STILE_STR("what do ya want for nothing?"), &digest);
    check_hex(&digest, "5bdcc146bf60754e6a042426089575c7"
                       "5a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    stile_hmac_sha256(
        (struct stile_str){key, sizeof key},
        STILE_STR("Test Using Larger Than Block-Size Key - Hash Key First"),
        &digest);
    check_hex(&digest, "60e431591ee0b67f0d8a26aacbf5b77f"
                       "8e0bc6213728c5140546040f0ee37f54");
}

Test(base_digest, hex_round_trip_and_refusals)
{
    struct stile_digest a;
    struct stile_digest b;
    char hex[65];

    stile_sha256(STILE_STR("abc"), &a);
    stile_digest_hex(&a, hex);
    cr_assert(stile_digest_parse((struct stile_str){hex, 64}, &b));
    cr_assert(stile_digest_eq(&a, &b));
    hex[0] = 'B';
    cr_assert(stile_digest_parse((struct stile_str){hex, 64}, &b));
    cr_assert_not(stile_digest_parse((struct stile_str){hex, 63}, &b));
    hex[63] = 'g';
    cr_assert_not(stile_digest_parse((struct stile_str){hex, 64}, &b));
    cr_assert(stile_digest_eq(&a, &b), "untouched on failure");
}

/* RFC 4648 section 10. */
Test(base_digest, base64_vectors)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct stile_buf buf;

        stile_buf_init(&buf, 8);
        stile_base64(&buf, stile_str_cstr(pairs[i][0]));
        cr_assert(stile_str_eqc(stile_buf_str(&buf), pairs[i][1]));
        stile_buf_clear(&buf);
        cr_assert(stile_base64_decode(&buf, stile_str_cstr(pairs[i][1])));
        cr_assert(stile_str_eqc(stile_buf_str(&buf), pairs[i][0]));
        stile_buf_release(&buf);
    }
}

Test(base_digest, base64_refusals_leave_the_bytes)
{
    static const char *const bad[] = {
        "Zg",        "Zg=",  "Z===", "====",     "Zg==Zg==",
        "Zm9v\nZg=", "Zh==", "Zm9=", "Zm9vZm-_", "AAAA=AAA"};
    struct stile_buf buf;

    stile_buf_init(&buf, 10);
    stile_buf_addc(&buf, "kept");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(stile_base64_decode(&buf, stile_str_cstr(bad[i])), "%s",
                      bad[i]);
        cr_assert(stile_str_eqc(stile_buf_str(&buf), "kept"));
    }
    cr_assert(stile_base64_decode(&buf, STILE_STR("Zm9vYmFy")));
    cr_assert_eq(buf.len, 10);
    cr_assert_not(stile_base64_decode(&buf, STILE_STR("Zg==")), "the limit");
    cr_assert_eq(buf.len, 10);
    stile_buf_release(&buf);
}

/* RFC 8032 section 7.1, TEST 1 and TEST 2. */
Test(base_digest, ed25519_vectors)
{
    static const char *const tests[][4] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
         "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
         ""},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
         "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
         "\x72"}};

    for (size_t i = 0; i < 2; i++) {
        struct stile_str message = stile_str_cstr(tests[i][3]);
        uint8_t seed[32];
        uint8_t want_public[32];
        uint8_t want_signature[64];
        uint8_t public_key[32];
        uint8_t signature[64];

        from_hex(tests[i][0], seed, 32);
        from_hex(tests[i][1], want_public, 32);
        from_hex(tests[i][2], want_signature, 64);
        cr_assert_eq(stile_ed25519_public(seed, public_key), STILE_OK);
        cr_assert_arr_eq(public_key, want_public, 32);
        cr_assert_eq(stile_ed25519_sign(seed, message, signature), STILE_OK);
        cr_assert_arr_eq(signature, want_signature, 64);
        cr_assert(stile_ed25519_verify(public_key, message, signature));
        cr_assert_not(
            stile_ed25519_verify(public_key, STILE_STR("x"), signature));
        signature[3] ^= 1;
        cr_assert_not(stile_ed25519_verify(public_key, message, signature));
    }
}

Test(base_digest, wipe)
{
    char secret[8] = "secret";

    stile_wipe(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++) {
        cr_assert_eq(secret[i], 0);
    }
    stile_wipe(NULL, 0);
}
