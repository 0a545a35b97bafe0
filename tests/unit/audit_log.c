#include <criterion/criterion.h>
#include <stile/audit.h>

#include <stdio.h>
#include <string.h>

#define S(literal) STILE_STR(literal)
#define ORIGIN S("stile.example/trust")
#define COUNT 9

static const uint8_t seed[32] = {7, 1, 2, 3};
static const uint8_t other_seed[32] = {8, 1, 2, 3};

/* ---- checkpoints ---- */

static void sign(const uint8_t with[32], uint64_t size, char root_byte,
                 struct stile_buf *out)
{
    struct stile_audit_checkpoint checkpoint = {.origin = ORIGIN, .size = size};

    memset(checkpoint.root.bytes, root_byte, 32);
    stile_buf_init(out, 4096);
    cr_assert_eq(stile_audit_checkpoint_sign(&checkpoint, ORIGIN, with, out),
                 STILE_OK);
}

static enum stile_status open_note(struct stile_str note,
                                   struct stile_audit_checkpoint *ret)
{
    uint8_t key[32];

    cr_assert_eq(stile_ed25519_public(seed, key), STILE_OK);
    return stile_audit_checkpoint_open(note, ORIGIN, key, ret);
}

/* The note's form, line by line, and its key hash computed here. */
Test(audit_checkpoint, is_a_signed_note)
{
    struct stile_buf note;
    struct stile_buf bytes;
    struct stile_str rest;
    struct stile_str line;
    struct stile_digest key_id;
    uint8_t key[32];
    char named[64];

    sign(seed, 4711, 1, &note);
    rest = stile_buf_str(&note);
    cr_assert(stile_str_next(&rest, '\n', &line));
    cr_assert(stile_str_eq(line, ORIGIN));
    cr_assert(stile_str_next(&rest, '\n', &line));
    cr_assert(stile_str_eqc(line, "4711"));
    cr_assert(stile_str_next(&rest, '\n', &line));
    cr_assert(
        stile_str_eqc(line, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="));
    cr_assert(stile_str_next(&rest, '\n', &line));
    cr_assert_eq(line.len, 0);
    cr_assert(stile_str_next(&rest, '\n', &line));
    cr_assert(stile_str_starts(line, S("\xe2\x80\x94 stile.example/trust ")));
    stile_buf_init(&bytes, 1024);
    cr_assert(stile_base64_decode(
        &bytes, stile_str_sub(line, sizeof "\xe2\x80\x94 stile.example/trust",
                              line.len)));
    cr_assert_eq(bytes.len, 4 + 64);
    cr_assert_eq(stile_ed25519_public(seed, key), STILE_OK);
    memcpy(named, "stile.example/trust\n\x01", 21);
    memcpy(named + 21, key, 32);
    stile_sha256((struct stile_str){named, 53}, &key_id);
    cr_assert_eq(memcmp(bytes.ptr, key_id.bytes, 4), 0);
    stile_buf_release(&bytes);
    stile_buf_release(&note);
}

Test(audit_checkpoint, opens_under_its_key_only)
{
    struct stile_audit_checkpoint got = {.size = 99};
    struct stile_buf note;

    sign(seed, 5, 3, &note);
    cr_assert_eq(open_note(stile_buf_str(&note), &got), STILE_OK);
    cr_assert_eq(got.size, 5);
    cr_assert(stile_str_eq(got.origin, ORIGIN));
    cr_assert_eq(got.root.bytes[31], 3);
    stile_buf_release(&note);
    sign(other_seed, 6, 3, &note);
    cr_assert_eq(open_note(stile_buf_str(&note), &got), STILE_DENIED);
    cr_assert_eq(got.size, 5, "untouched on failure");
    stile_buf_release(&note);
}

/* Witnesses add lines; unknown ones are passed over, broken ones are not. */
Test(audit_checkpoint, cosignatures)
{
    struct stile_audit_checkpoint got;
    struct stile_buf note;

    sign(seed, 5, 3, &note);
    stile_buf_addc(&note, "\xe2\x80\x94 witness.example AAAAAAAA\n");
    cr_assert_eq(open_note(stile_buf_str(&note), &got), STILE_OK);
    stile_buf_addc(&note, "no signature\n");
    cr_assert_eq(open_note(stile_buf_str(&note), &got), STILE_INVALID);
    stile_buf_release(&note);
}

Test(audit_checkpoint, what_is_no_note)
{
    static const char *const notes[] = {
        "",
        "\n\n",
        "origin\n1\nAAAA\n\n\xe2\x80\x94 stile.example/trust AAAA\n",
        "origin\n01\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\n"
        "\xe2\x80\x94 stile.example/trust AAAA\n",
        "origin\n-1\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\n"
        "\xe2\x80\x94 stile.example/trust AAAA\n",
        "origin\n1\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n",
        "origin\n1\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\n"
        "\xe2\x80\x94 stile.example/trust AAAA",
    };
    struct stile_audit_checkpoint got;

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        cr_assert_eq(open_note(stile_str_cstr(notes[i]), &got), STILE_INVALID,
                     "note %zu", i);
    }
}

Test(audit_checkpoint, names_a_note_cannot_carry)
{
    struct stile_audit_checkpoint checkpoint = {.origin = ORIGIN};
    struct stile_buf out;

    stile_buf_init(&out, 4096);
    stile_buf_addc(&out, "before");
    cr_assert_eq(stile_audit_checkpoint_sign(&checkpoint, S("a b"), seed, &out),
                 STILE_INVALID);
    cr_assert_eq(stile_audit_checkpoint_sign(&checkpoint, S("a+b"), seed, &out),
                 STILE_INVALID);
    cr_assert_eq(stile_audit_checkpoint_sign(&checkpoint, S(""), seed, &out),
                 STILE_INVALID);
    checkpoint.origin = S("a\nb");
    cr_assert_eq(stile_audit_checkpoint_sign(&checkpoint, ORIGIN, seed, &out),
                 STILE_INVALID);
    checkpoint.origin = ORIGIN;
    out.limit = 20;
    cr_assert_eq(stile_audit_checkpoint_sign(&checkpoint, ORIGIN, seed, &out),
                 STILE_LIMIT);
    cr_assert_eq(out.len, 6);
    stile_buf_release(&out);
}

/* ---- a small log, and what is done to it ---- */

struct log {
    char text[COUNT][24];
    struct stile_str entries[COUNT];
    struct stile_digest hashes[COUNT];
    size_t count;
    size_t at[2]; /* entries under the checkpoints */
    char notes[2][512];
    size_t note_lens[2];
};

static void make(struct log *log, unsigned fork_at)
{
    struct stile_audit_tree tree;

    memset(log, 0, sizeof *log);
    stile_audit_tree_init(&tree);
    log->count = COUNT;
    log->at[0] = 4;
    log->at[1] = COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        int len = snprintf(log->text[i], sizeof log->text[i], "{\"seq\":%zu%s}",
                           i, i >= fork_at ? "0" : "");

        log->entries[i] = (struct stile_str){log->text[i], (size_t)len};
        stile_audit_leaf_hash(log->entries[i], &log->hashes[i]);
        stile_audit_tree_add(&tree, &log->hashes[i]);
        for (size_t c = 0; c < 2; c++) {
            struct stile_audit_checkpoint checkpoint = {ORIGIN, i + 1, {{0}}};
            struct stile_buf note;

            if (i + 1 != log->at[c]) {
                continue;
            }
            stile_audit_tree_root(&tree, &checkpoint.root);
            stile_buf_init(&note, sizeof log->notes[c]);
            cr_assert_eq(
                stile_audit_checkpoint_sign(&checkpoint, ORIGIN, seed, &note),
                STILE_OK);
            memcpy(log->notes[c], note.ptr, note.len);
            log->note_lens[c] = note.len;
            stile_buf_release(&note);
        }
    }
}

/* As `stile audit verify` walks it: OK only when all is as it was signed. */
static enum stile_status verify(const struct log *log, uint64_t *ret_signed)
{
    struct stile_audit_verifier verifier;
    enum stile_status status = STILE_OK;
    uint8_t key[32];
    size_t c = 0;

    cr_assert_eq(stile_ed25519_public(seed, key), STILE_OK);
    stile_audit_verify_init(&verifier);
    for (size_t i = 0; i <= log->count && status == STILE_OK; i++) {
        while (c < 2 && status == STILE_OK &&
               (log->at[c] == i || i == log->count)) {
            status = stile_audit_verify_checkpoint(
                &verifier, (struct stile_str){log->notes[c], log->note_lens[c]},
                ORIGIN, key);
            c++;
        }
        if (i < log->count && status == STILE_OK) {
            status = stile_audit_verify_entry(&verifier, log->entries[i],
                                              &log->hashes[i]);
        }
    }
    *ret_signed = verifier.signed_size;
    return status;
}

Test(audit_verify, an_honest_log)
{
    static struct log log;
    uint64_t covered = 0;

    make(&log, COUNT);
    cr_assert_eq(verify(&log, &covered), STILE_OK);
    cr_assert_eq(covered, COUNT);
}

Test(audit_verify, truncated)
{
    static struct log log;
    uint64_t covered = 0;

    for (size_t left = 0; left < COUNT; left++) {
        make(&log, COUNT);
        log.count = left;
        cr_assert_eq(verify(&log, &covered), STILE_CONFLICT, "%zu left", left);
    }
}

Test(audit_verify, reordered)
{
    static struct log log;
    uint64_t covered = 0;

    for (size_t a = 0; a < COUNT; a++) {
        for (size_t b = 0; b < a; b++) {
            struct stile_str entry;
            struct stile_digest hash;

            make(&log, COUNT);
            entry = log.entries[a];
            hash = log.hashes[a];
            log.entries[a] = log.entries[b];
            log.hashes[a] = log.hashes[b];
            log.entries[b] = entry;
            log.hashes[b] = hash;
            cr_assert_eq(verify(&log, &covered), STILE_INVALID, "%zu %zu", a,
                         b);
        }
    }
}

/* Edited together with its stored hash: only the tree tells. */
Test(audit_verify, edited_with_its_hash)
{
    static struct log log;
    uint64_t covered = 0;

    for (size_t i = 0; i < COUNT; i++) {
        make(&log, COUNT);
        log.text[i][2] = 'S';
        stile_audit_leaf_hash(log.entries[i], &log.hashes[i]);
        cr_assert_eq(verify(&log, &covered), STILE_INVALID);
        cr_assert_eq(covered, i < 4 ? 0 : 4, "the checkpoint before stands");
    }
}

/* A second history under the same key does not meet the first's notes. */
Test(audit_verify, forked)
{
    static struct log log;
    static struct log fork;
    uint64_t covered = 0;

    for (unsigned at = 0; at < COUNT; at++) {
        make(&log, COUNT);
        make(&fork, at);
        cr_assert_eq(verify(&fork, &covered), STILE_OK, "honest by itself");
        memcpy(fork.notes, log.notes, sizeof log.notes);
        memcpy(fork.note_lens, log.note_lens, sizeof log.note_lens);
        cr_assert_eq(verify(&fork, &covered), STILE_INVALID);
    }
}

Test(audit_verify, signed_by_another)
{
    static struct log log;
    struct stile_buf note;
    uint64_t covered = 0;

    make(&log, COUNT);
    sign(other_seed, 4, 1, &note);
    memcpy(log.notes[0], note.ptr, note.len);
    log.note_lens[0] = note.len;
    cr_assert_eq(verify(&log, &covered), STILE_DENIED);
    stile_buf_release(&note);
}

Test(audit_verify, every_bit_flipped_is_seen)
{
    static struct log log;
    uint64_t covered = 0;
    size_t flips = 0;

    make(&log, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t bit = 0; bit < 8 * log.entries[i].len; bit++, flips++) {
            log.text[i][bit / 8] ^= (char)(1 << bit % 8);
            cr_assert_neq(verify(&log, &covered), STILE_OK, "entry %zu", i);
            log.text[i][bit / 8] ^= (char)(1 << bit % 8);
        }
        for (size_t bit = 0; bit < 256; bit++, flips++) {
            log.hashes[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_assert_neq(verify(&log, &covered), STILE_OK, "hash %zu", i);
            log.hashes[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    for (size_t c = 0; c < 2; c++) {
        for (size_t bit = 0; bit < 8 * log.note_lens[c]; bit++, flips++) {
            log.notes[c][bit / 8] ^= (char)(1 << bit % 8);
            cr_assert_neq(verify(&log, &covered), STILE_OK,
                          "note %zu byte %zu bit %zu", c, bit / 8, bit % 8);
            log.notes[c][bit / 8] ^= (char)(1 << bit % 8);
        }
    }
    cr_assert_gt(flips, 5000);
    cr_assert_eq(verify(&log, &covered), STILE_OK);
}

Test(audit_verify, limits_of_an_entry)
{
    static char big[STILE_AUDIT_ENTRY_MAX + 1];
    struct stile_audit_verifier verifier;
    struct stile_str entry = {big, STILE_AUDIT_ENTRY_MAX};
    struct stile_digest hash;

    memset(big, 'x', sizeof big);
    stile_audit_verify_init(&verifier);
    stile_audit_leaf_hash(entry, &hash);
    cr_assert_eq(stile_audit_verify_entry(&verifier, entry, &hash), STILE_OK);
    entry.len++;
    stile_audit_leaf_hash(entry, &hash);
    cr_assert_eq(stile_audit_verify_entry(&verifier, entry, &hash),
                 STILE_LIMIT);
    entry.len = 0;
    cr_assert_eq(stile_audit_verify_entry(&verifier, entry, &hash),
                 STILE_LIMIT);
    cr_assert_eq(verifier.entries, 1);
}

/* ---- commitments ---- */

Test(audit_commit, depends_on_salt_and_person)
{
    char a[65];
    char b[65];
    char c[65];
    char again[65];

    stile_audit_commit(S("salt one"), S("9990000018"), a);
    stile_audit_commit(S("salt two"), S("9990000018"), b);
    stile_audit_commit(S("salt one"), S("9990000026"), c);
    stile_audit_commit(S("salt one"), S("9990000018"), again);
    cr_assert_eq(strlen(a), 64);
    cr_assert_str_neq(a, b);
    cr_assert_str_neq(a, c);
    cr_assert_str_eq(a, again);
}
