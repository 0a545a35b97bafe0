#include <stile/base.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* The digest is fetched once an object: fetching costs more than hashing
 * a short text. libcrypto's digest calls fail only when memory is short in
 * the middle of one, which nobody above could answer; hence the asserts. */
struct stile_sha256 {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

struct stile_sha256 *stile_sha256_new(void)
{
    struct stile_sha256 *ctx = calloc(1, sizeof *ctx);

    if (!ctx) {
        return NULL;
    }
    ctx->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    ctx->ctx = EVP_MD_CTX_new();
    if (!ctx->md || !ctx->ctx ||
        EVP_DigestInit_ex2(ctx->ctx, ctx->md, NULL) != 1) {
        stile_sha256_free(&ctx);
        return NULL;
    }
    return ctx;
}

void stile_sha256_free(struct stile_sha256 **ctx)
{
    if (!ctx || !*ctx) {
        return;
    }
    EVP_MD_CTX_free((*ctx)->ctx);
    EVP_MD_free((*ctx)->md);
    free(*ctx);
    *ctx = NULL;
}

void stile_sha256_reset(struct stile_sha256 *ctx)
{
    STILE_ASSERT(EVP_DigestInit_ex2(ctx->ctx, ctx->md, NULL) == 1);
}

void stile_sha256_add(struct stile_sha256 *ctx, struct stile_str s)
{
    STILE_ASSERT(EVP_DigestUpdate(ctx->ctx, s.ptr, s.len) == 1);
}

void stile_sha256_done(struct stile_sha256 *ctx, struct stile_digest *ret)
{
    unsigned len = 0;

    STILE_ASSERT(EVP_DigestFinal_ex(ctx->ctx, ret->bytes, &len) == 1);
    STILE_ASSERT(len == sizeof ret->bytes);
    stile_sha256_reset(ctx);
}

void stile_sha256(struct stile_str s, struct stile_digest *ret)
{
    unsigned len = 0;

    STILE_ASSERT(
        EVP_Digest(s.ptr, s.len, ret->bytes, &len, EVP_sha256(), NULL) == 1);
    STILE_ASSERT(len == sizeof ret->bytes);
}

void stile_hmac_sha256(struct stile_str key, struct stile_str s,
                       struct stile_digest *ret)
{
    unsigned len = 0;

    STILE_ASSERT(key.len <= INT_MAX);
    STILE_ASSERT(HMAC(EVP_sha256(), key.ptr ? key.ptr : "", (int)key.len,
                      (const unsigned char *)s.ptr, s.len, ret->bytes, &len));
    STILE_ASSERT(len == sizeof ret->bytes);
}

bool stile_digest_eq(const struct stile_digest *a, const struct stile_digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void stile_digest_hex(const struct stile_digest *digest, char out[65])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof digest->bytes; i++) {
        out[2 * i] = digits[digest->bytes[i] >> 4];
        out[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    out[64] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool stile_digest_parse(struct stile_str hex, struct stile_digest *ret)
{
    struct stile_digest digest;

    if (hex.len != 2 * sizeof digest.bytes) {
        return false;
    }
    for (size_t i = 0; i < sizeof digest.bytes; i++) {
        int high = hex_value(hex.ptr[2 * i]);
        int low = hex_value(hex.ptr[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        digest.bytes[i] = (uint8_t)(high * 16 + low);
    }
    *ret = digest;
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void stile_base64(struct stile_buf *out, struct stile_str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        unsigned long group = (unsigned long)p[i] << 16;
        char text[4];

        group |= left > 1 ? (unsigned long)p[i + 1] << 8 : 0;
        group |= left > 2 ? (unsigned long)p[i + 2] : 0;
        text[0] = base64_digits[group >> 18 & 63];
        text[1] = base64_digits[group >> 12 & 63];
        text[2] = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        text[3] = left > 2 ? base64_digits[group & 63] : '=';
        stile_buf_add(out, (struct stile_str){text, sizeof text});
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters with `pads` of them '='. RFC 4648 section 3.5: the bits
 * padding leaves over must be zero, so each text has one reading. */
static bool base64_group(struct stile_buf *out, const char *text, size_t pads)
{
    unsigned long group = 0;
    char bytes[3];

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - pads ? base64_value(text[i]) : 0;

        if (value < 0) {
            return false;
        }
        group = group << 6 | (unsigned long)value;
    }
    if ((pads == 1 && (group & 0xff) != 0) ||
        (pads == 2 && (group & 0xffff) != 0)) {
        return false;
    }
    bytes[0] = (char)(group >> 16 & 0xff);
    bytes[1] = (char)(group >> 8 & 0xff);
    bytes[2] = (char)(group & 0xff);
    stile_buf_add(out, (struct stile_str){bytes, 3 - pads});
    return true;
}

bool stile_base64_decode(struct stile_buf *out, struct stile_str text)
{
    size_t start = out->len;

    if (text.len % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 4) {
        size_t pads = 0;

        if (i + 4 == text.len && text.ptr[i + 3] == '=') {
            pads = text.ptr[i + 2] == '=' ? 2 : 1;
        }
        if (!base64_group(out, text.ptr + i, pads)) {
            stile_buf_cut(out, start);
            return false;
        }
    }
    if (out->status != STILE_OK) {
        stile_buf_cut(out, start);
        return false;
    }
    return true;
}

/* Through a pointer that the compiler must read, so that it cannot know the
 * call for one without effect. It is libc's memset, which is several times
 * faster than OPENSSL_cleanse: arenas are wiped after every record. */
void stile_wipe(void *ptr, size_t len)
{
    void *(*volatile wipe_with)(void *, int, size_t) = memset;

    if (len > 0) {
        (void)wipe_with(ptr, 0, len);
    }
}
