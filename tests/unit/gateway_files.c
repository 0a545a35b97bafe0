/* Files, keys, certificates, the clock. */
#include <criterion/criterion.h>

#include <sys/stat.h>
#include <unistd.h>

#include "stile/gateway.h"

static struct stile_arena *arena;
static char folder[] = "/tmp/stile-files-XXXXXX";

static void setup(void)
{
    arena = stile_arena_new((size_t)16 << 20);
    cr_assert_not_null(mkdtemp(folder));
}

static void teardown(void)
{
    struct stile_str *names = NULL, error;
    size_t count = 0;

    if (stile_folder_list(folder, arena, &names, &count, &error) == STILE_OK) {
        for (size_t i = 0; i < count; i++) {
            (void)remove(stile_path_join(arena, folder, names[i]));
        }
    }
    (void)rmdir(folder);
    stile_arena_free(&arena);
}

TestSuite(files, .init = setup, .fini = teardown);

static const char *file(const char *name, struct stile_str text, mode_t mode)
{
    const char *path = stile_path_join(arena, folder, stile_str_cstr(name));
    FILE *out = fopen(path, "wb");

    cr_assert_not_null(out);
    cr_assert_eq(fwrite(text.ptr, 1, text.len, out), text.len);
    cr_assert_eq(fclose(out), 0);
    cr_assert_eq(chmod(path, mode), 0);
    return path;
}

Test(files, a_file_is_read_up_to_the_limit)
{
    const char *path = file("f", STILE_STR("12345678"), 0600);
    struct stile_str text, error = STILE_STR_NULL;

    cr_assert_eq(stile_file_read(path, 8, arena, &text, &error), STILE_OK);
    cr_expect(stile_str_eqc(text, "12345678"));
    cr_expect_eq(stile_file_read(path, 7, arena, &text, &error), STILE_LIMIT);
    cr_expect_neq(stile_str_find_str(error, stile_str_cstr(path)), SIZE_MAX,
                  "the error names the file");
    cr_expect_eq(stile_file_read(folder, 8, arena, &text, &error),
                 STILE_INVALID);
    cr_expect_eq(stile_file_read("/nowhere/at/all", 8, arena, &text, &error),
                 STILE_NOT_FOUND);
}

Test(files, a_fifo_does_not_stop_us)
{
    const char *path = stile_path_join(arena, folder, STILE_STR("fifo"));
    struct stile_str text, error;

    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(stile_file_read(path, 8, arena, &text, &error), STILE_INVALID);
}

Test(files, a_folder_is_listed_in_order)
{
    struct stile_str *names = NULL, error;
    size_t count = 0;

    (void)file("b", STILE_STR(""), 0600);
    (void)file("a", STILE_STR(""), 0600);
    (void)file(".hidden", STILE_STR(""), 0600);
    cr_assert_eq(stile_folder_list(folder, arena, &names, &count, &error),
                 STILE_OK);
    cr_assert_eq(count, 2);
    cr_expect(stile_str_eqc(names[0], "a"));
    cr_expect(stile_str_eqc(names[1], "b"));
    (void)remove(stile_path_join(arena, folder, STILE_STR(".hidden")));
}

Test(files, paths_are_joined)
{
    cr_expect_str_eq(stile_path_join(arena, "", STILE_STR("x")), "x");
    cr_expect_str_eq(stile_path_join(arena, "a", STILE_STR("x")), "a/x");
    cr_expect_str_eq(stile_path_join(arena, "a/", STILE_STR("x")), "a/x");
    cr_expect_str_eq(stile_path_join(arena, "a", STILE_STR("/x")), "/x");
}

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

Test(files, the_audit_key_is_its_owners_alone)
{
    struct stile_str error = STILE_STR_NULL;
    uint8_t seed[32] = {0};

    cr_assert_eq(stile_audit_key_read(file("k", STILE_STR(HEX "\n"), 0600),
                                      seed, arena, &error),
                 STILE_OK);
    cr_expect_eq(seed[1], 0x11);
    cr_expect_eq(seed[31], 0xff);
    cr_expect_eq(stile_audit_key_read(file("k", STILE_STR(HEX), 0400), seed,
                                      arena, &error),
                 STILE_OK);
    cr_expect_eq(stile_audit_key_read(file("k2", STILE_STR(HEX "\n"), 0640),
                                      seed, arena, &error),
                 STILE_DENIED);
    cr_expect_neq(stile_str_find_str(error, STILE_STR("chmod 600")), SIZE_MAX);
    cr_expect_eq(stile_audit_key_read(file("k3", STILE_STR(HEX "0"), 0600),
                                      seed, arena, &error),
                 STILE_INVALID);
    cr_expect_eq(
        stile_audit_key_read(file("k4", STILE_STR("0011223344556677"), 0600),
                             seed, arena, &error),
        STILE_INVALID);
    cr_expect_eq(stile_audit_key_read(file("k5", STILE_STR(HEX HEX), 0600),
                                      seed, arena, &error),
                 STILE_INVALID);
}

/* The certificate under tests/golden/config; openssl x509 says what it is. */
Test(files, a_certificates_fingerprint_and_end)
{
    struct stile_str pem, error;
    struct stile_digest digest, expected;
    stile_time until, end;

    cr_assert_eq(stile_file_read(STILE_SOURCE_DIR
                                 "/tests/golden/config/charity.pem",
                                 65536, arena, &pem, &error),
                 STILE_OK);
    cr_assert_eq(stile_certificate_read(pem, &digest, &until), STILE_OK);
    cr_assert(stile_digest_parse(STILE_STR("3ed829810520fe1aff984927855f611e"
                                           "4aa81e9dafa13737a3dd4a6fa8ab9130"),
                                 &expected));
    cr_expect(stile_digest_eq(&digest, &expected));
    cr_assert(stile_time_parse(STILE_STR("2126-10-28T21:34:05Z"), &end));
    cr_expect_eq(until, end);
}

/* No cut of it, and no changed byte, reads past its end. */
Test(files, a_damaged_certificate_is_refused_or_read)
{
    struct stile_str pem, error;
    struct stile_digest digest;
    stile_time until;
    char *copy;

    cr_assert_eq(stile_file_read(STILE_SOURCE_DIR
                                 "/tests/golden/config/charity.pem",
                                 65536, arena, &pem, &error),
                 STILE_OK);
    for (size_t len = 0; len < pem.len - 26; len++) {
        cr_expect_eq(
            stile_certificate_read(stile_str_sub(pem, 0, len), &digest, &until),
            STILE_INVALID);
    }
    copy = stile_arena_cstr(arena, pem);
    for (size_t i = 28; i < pem.len - 26; i++) {
        char was = copy[i];

        for (int c = 'A'; c < 'Z'; c += 5) {
            copy[i] = (char)c;
            (void)!stile_certificate_read((struct stile_str){copy, pem.len},
                                          &digest, &until);
        }
        copy[i] = was;
    }
    cr_expect_eq(stile_certificate_read(STILE_STR(""), &digest, &until),
                 STILE_INVALID);
}

Test(files, the_clock_is_a_clock)
{
    stile_time before = stile_now(), after = stile_now();
    struct stile_date today = stile_today();

    cr_expect_leq(before, after);
    cr_expect(stile_date_valid(today));
    cr_expect_leq(stile_date_days(today) * 86400 * STILE_SECOND,
                  after + 86400 * STILE_SECOND);
}
