/* A charity's case files: a document a case and a sheet, the same each time. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#include <unistd.h>

#include "synth.h"

static char *slurp(const char *dir, const char *name)
{
    static char text[2][1 << 16];
    static int turn;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    char *out = text[turn++ % 2];
    size_t n = fread(out, 1, sizeof text[0] - 1, f);
    out[n] = '\0';
    fclose(f);
    (void)unlink(path);
    return out;
}

static void make(char dir[32], uint64_t seed)
{
    struct stile_synth_options o;
    uint64_t cases = 0;
    (void)snprintf(dir, 32, "/tmp/stile-synth-XXXXXX");
    cr_assert(mkdtemp(dir) != NULL);
    stile_synth_vcse_defaults(&o);
    o.folder = dir;
    o.patients = 2;
    o.seed = seed;
    cr_assert_eq(stile_synth_vcse_write(&o, &cases, NULL), STILE_OK);
    cr_assert_eq(cases, 4);
}

Test(synth_vcse, the_same_seed_gives_the_same_bytes)
{
    static const char *const files[] = {"case-00000.json", "case-00001.json",
                                        "cases.csv"};
    char a[32], b[32];
    make(a, 1);
    make(b, 1);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *first = slurp(a, files[i]);
        cr_expect_str_eq(slurp(b, files[i]), first);
        cr_expect_not_null(strstr(first, "999"));
    }
    cr_expect_eq(rmdir(a), 0); /* nothing else was written */
    cr_expect_eq(rmdir(b), 0);
}

Test(synth_vcse, refuses_what_it_cannot_do)
{
    struct stile_synth_options o;
    const char *why = NULL;
    stile_synth_vcse_defaults(&o);
    cr_expect_eq(stile_synth_vcse_write(&o, NULL, &why), STILE_INVALID);
    cr_expect_not_null(why);
    o.folder = "/tmp/stile-no-such-folder";
    cr_expect_eq(stile_synth_vcse_write(&o, NULL, &why), STILE_IO);
    o.patients = 0;
    cr_expect_eq(stile_synth_vcse_write(&o, NULL, &why), STILE_INVALID);
    o.patients = STILE_SYNTH_PATIENTS_MAX + 1;
    cr_expect_eq(stile_synth_vcse_write(&o, NULL, &why), STILE_INVALID);
    o.patients = 1;
    o.until = "1999-12-31";
    cr_expect_eq(stile_synth_vcse_write(&o, NULL, &why), STILE_INVALID);
}
