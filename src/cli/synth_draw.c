#include "synth_private.h"

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators"
 * (2014): the finalizer that spreads neighbouring seeds apart. */
static uint64_t splitmix(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void stile__synth_rng(struct synth_rng *rng, uint64_t seed,
                      enum synth_kind kind, uint64_t a, uint64_t b)
{
    const uint64_t parts[] = {seed, (uint64_t)kind, a, b};
    uint64_t state = 0;
    for (size_t i = 0; i < 4; i++) {
        state ^= parts[i];
        state = splitmix(&state);
    }
    for (size_t i = 0; i < 4; i++) {
        rng->s[i] = splitmix(&state);
    }
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* xoshiro256**, Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators" (2021). */
uint64_t stile__synth_next(struct synth_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint32_t stile__synth_below(struct synth_rng *rng, uint32_t below)
{
    STILE_ASSERT(below > 0);
    /* Multiply-shift; the bias is below 2^-32 and nobody measures it here. */
    uint64_t high = stile__synth_next(rng) >> 32;
    return (uint32_t)((high * below) >> 32);
}

struct synth_guid stile__synth_guid(uint64_t seed, enum synth_kind kind,
                                    uint64_t a, uint64_t b)
{
    struct synth_rng rng;
    stile__synth_rng(&rng, seed, kind, a, b);
    uint64_t hi = stile__synth_next(&rng);
    uint64_t lo = stile__synth_next(&rng);
    /* RFC 9562 section 5.4: version 4 in bits 48-51, variant 10 in 64-65. */
    hi = (hi & ~(uint64_t)0xf000) | 0x4000;
    lo = (lo & 0x3fffffffffffffffu) | 0x8000000000000000u;
    struct synth_guid guid;
    int n =
        snprintf(guid.text, sizeof guid.text, "{%08X-%04X-%04X-%04X-%012llX}",
                 (unsigned)(hi >> 32), (unsigned)(hi >> 16 & 0xffff),
                 (unsigned)(hi & 0xffff), (unsigned)(lo >> 48),
                 (unsigned long long)(lo & 0xffffffffffffu));
    STILE_ASSERT(n == 38);
    return guid;
}

void stile__synth_nhs_number(uint64_t seed, uint32_t index, char out[11])
{
    STILE_ASSERT(index < STILE_SYNTH_PATIENTS_MAX);
    /* 69069 has no factor of ten, so this permutes the five digits. */
    uint32_t five = (uint32_t)((index * UINT64_C(69069) + seed % 100000) %
                               STILE_SYNTH_PATIENTS_MAX);
    /* A ninth digit has no check digit at most once in eleven, so one of any
     * two neighbours has. */
    for (uint32_t ninth = five % 10; ninth < 20; ninth++) {
        for (uint32_t check = 0; check < 10; check++) {
            int n = snprintf(out, 11, "999%05u%u%u", five, ninth % 10, check);
            STILE_ASSERT(n == 10);
            if (stile_nhs_number_valid(stile_str_cstr(out))) {
                return;
            }
        }
    }
    STILE_ASSERT(stile_nhs_number_valid(stile_str_cstr(out)));
}

void stile__synth_sctid(uint32_t item, const char *partition, char out[19])
{
    /* The Verhoeff scheme has one check digit for every number. */
    bool valid = false;
    for (int check = 0; !valid && check < 10; check++) {
        int n = snprintf(out, 19, "%u9999999%s%d", item % 100000000u, partition,
                         check);
        STILE_ASSERT(n > 10 && n < 19);
        valid = stile_snomed_id_valid(stile_str_cstr(out));
    }
    STILE_ASSERT(valid);
}
