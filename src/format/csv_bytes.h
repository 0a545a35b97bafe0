/*
 * Where the quotes of a stretch of bytes stand, found 64 bytes at a time: a
 * search that begins again behind each cell must wait for the one before it,
 * and costs a call a cell. And what kinds of bytes a row holds. In SSE2, which
 * every x86-64 has, so that nothing is chosen at run time, and in plain C.
 */
#ifndef STILE_CSV_BYTES_H
#define STILE_CSV_BYTES_H

#include <stdbool.h>

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define STILE__ONES UINT64_C(0x0101010101010101)
#define STILE__TOPS UINT64_C(0x8080808080808080)

/* Eight bytes, the first one lowest. */
static inline uint64_t stile__word_at(const char *p)
{
    uint64_t w = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&w, p, sizeof w);
#else
    for (int k = 0; k < 8; k++) {
        w |= (uint64_t)(unsigned char)p[k] << (8 * k);
    }
#endif
    return w;
}

/* A bit for each of 64 bytes that is the quote, the first byte's lowest. */
static inline uint64_t stile__quotes_plain(const char *p, char quote)
{
    uint64_t bits = 0;
    for (int i = 0; i < 64; i += 8) {
        uint64_t w =
            stile__word_at(p + i) ^ (STILE__ONES * (unsigned char)quote);
        /* Tops of the bytes that are zero, no others; then side by side. */
        w = ~(((w & ~STILE__TOPS) + ~STILE__TOPS) | w | ~STILE__TOPS);
        bits |= ((w >> 7) * UINT64_C(0x0102040810204080)) >> 56 << i;
    }
    return bits;
}

static inline uint64_t stile__quotes_in(const char *p, char quote)
{
#ifdef __SSE2__
    const __m128i all = _mm_set1_epi8(quote);
    uint64_t bits = 0;
    for (int i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, all));
        bits |= (uint64_t)found << i;
    }
    return bits;
#else
    return stile__quotes_plain(p, quote);
#endif
}

/* Of a word that is not zero (Leiserson, Prokop and Randall, Using de Bruijn
 * Sequences to Index a 1 in a Computer Word). */
static inline size_t stile__lowest_plain(uint64_t bits)
{
    static const unsigned char number[64] = {
        0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,
        62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
        63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
        46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6};
    return number[((bits & (0 - bits)) * UINT64_C(0x03f79d71b4cb0a89)) >> 58];
}

static inline size_t stile__lowest_bit(uint64_t bits)
{
#ifdef __GNUC__
    return (size_t)__builtin_ctzll(bits); /* one instruction */
#else
    return stile__lowest_plain(bits);
#endif
}

/* Are there bytes above ASCII, and NULs? */
static inline void stile__look_plain(const char *p, size_t n, bool *ret_high,
                                     bool *ret_nul)
{
    uint64_t any = 0, zero = 0;
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t w = stile__word_at(p + i);
        any |= w;
        zero |= (w - STILE__ONES) & ~w;
    }
    for (; i < n; i++) {
        any |= (uint64_t)(unsigned char)p[i];
        zero |= p[i] == '\0' ? STILE__TOPS : 0;
    }
    *ret_high = (any & STILE__TOPS) != 0;
    *ret_nul = (zero & STILE__TOPS) != 0;
}

static inline void stile__look_over(const char *p, size_t n, bool *ret_high,
                                    bool *ret_nul)
{
#ifdef __SSE2__
    __m128i any = _mm_setzero_si128(), least = _mm_set1_epi8(-1);
    if (n < 16) {
        stile__look_plain(p, n, ret_high, ret_nul);
        return;
    }
    for (size_t i = 0; i < n; i += 16) {
        /* The last sixteen overlap those before. */
        size_t at = n - i < 16 ? n - 16 : i;
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
        any = _mm_or_si128(any, v);
        least = _mm_min_epu8(least, v);
    }
    *ret_high = _mm_movemask_epi8(any) != 0;
    *ret_nul =
        _mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128())) != 0;
#else
    stile__look_plain(p, n, ret_high, ret_nul);
#endif
}

/* One quote after the other. */
struct stile__quotes {
    const char *p;
    size_t base, n;
    uint64_t bits;
    char quote;
};

/* At least 64 bytes stand from i on. */
static inline struct stile__quotes stile__quotes_from(const char *p, size_t i,
                                                      size_t n, char quote)
{
    return (struct stile__quotes){p, i, n, stile__quotes_in(p + i, quote),
                                  quote};
}

/* False when there is none, but perhaps in the last 63 bytes. */
static inline bool stile__quotes_more(struct stile__quotes *q)
{
    while (q->bits == 0) {
        if (q->n - q->base < 128) {
            return false;
        }
        q->base += 64;
        q->bits = stile__quotes_in(q->p + q->base, q->quote);
    }
    return true;
}

/* Where the next one stands; SIZE_MAX for none. */
static inline size_t stile__quotes_next(struct stile__quotes *q)
{
    if (!stile__quotes_more(q)) {
        return SIZE_MAX;
    }
    size_t at = q->base + stile__lowest_bit(q->bits);
    q->bits &= q->bits - 1;
    return at;
}

#endif
