/* The SystmOne generator: the download's shape, same bytes, only the invented.
 */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "synth.h"

static void folder(char out[64])
{
    (void)snprintf(out, 64, "/tmp/stile-synth-XXXXXX");
    cr_assert(mkdtemp(out) != NULL);
}

static void sweep(const char *dir)
{
    DIR *d = opendir(dir);
    cr_assert_not_null(d);
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char path[512];
        struct stat st;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.' && lstat(path, &st) == 0) {
            if (S_ISDIR(st.st_mode)) {
                sweep(path);
            } else {
                (void)unlink(path);
            }
        }
    }
    closedir(d);
    cr_assert_eq(rmdir(dir), 0);
}

static char *slurp(const char *dir, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    cr_assert_eq(fseek(f, 0, SEEK_END), 0);
    long len = ftell(f);
    cr_assert_geq(len, 0);
    rewind(f);
    char *text = calloc(1, (size_t)len + 1);
    cr_assert_eq(fread(text, 1, (size_t)len, f), (size_t)len);
    fclose(f);
    return text;
}

static void make(const char *dir, enum stile_synth_kind kind, uint64_t seed)
{
    struct stile_synth_options o;
    const char *why = "";
    stile_synth_systmone_defaults(&o);
    o.folder = dir;
    o.kind = kind;
    o.seed = seed;
    o.stamp = kind == STILE_SYNTH_DELTA ? "20260402040000" : o.stamp;
    cr_assert_eq(stile_synth_systmone_write(&o, NULL, &why), STILE_OK, "%s",
                 why);
}

static void same(const char *a, const char *b, const char *name, bool wanted)
{
    char *x = slurp(a, name);
    char *y = slurp(b, name);
    cr_expect_eq(strcmp(x, y) == 0, wanted, "%s", name);
    free(x);
    free(y);
}

Test(synth_systmone, the_same_seed_gives_the_same_bytes)
{
    char a[64], b[64], c[64];
    folder(a);
    folder(b);
    folder(c);
    make(a, STILE_SYNTH_BULK, 1);
    make(b, STILE_SYNTH_BULK, 1);
    make(c, STILE_SYNTH_BULK, 2);
    same(a, b, "20260401_0400/SRPatient.csv", true);
    same(a, b, "20260401_0400/SRCode.csv", true);
    same(a, b, "20260401_0400/SRManifest.csv", true);
    same(a, c, "20260401_0400/SRPatient.csv", false);
    sweep(a);
    sweep(b);
    sweep(c);
}

Test(synth_systmone, a_download_is_a_folder_with_a_manifest)
{
    char dir[64];
    folder(dir);
    make(dir, STILE_SYNTH_BULK, 1);
    make(dir, STILE_SYNTH_DELTA, 1);
    char *full = slurp(dir, "20260401_0400/SRManifest.csv");
    char *delta = slurp(dir, "20260402_0400/SRManifest.csv");
    cr_expect_eq(strncmp(full, "FileName,IsDelta,IsReference,", 29), 0);
    cr_expect_not_null(strstr(full, "\r\nSRCode,N,N,,20260401_0400\r\n"));
    cr_expect_not_null(
        strstr(delta, "\r\nSRCode,Y,N,20260401_0400,20260402_0400\r\n"));
    cr_expect_not_null(strstr(full, "\r\nSROrganisation,N,Y,"));
    /* It lists neither itself nor the lists of values. */
    cr_expect_null(strstr(full, "SRManifest"));
    cr_expect_null(strstr(full, "SRMapping"));
    free(full);
    free(delta);
    sweep(dir);
}

Test(synth_systmone, numbers_are_of_the_999_range_and_bytes_windows_1252)
{
    char dir[64];
    size_t valid = 0;
    folder(dir);
    make(dir, STILE_SYNTH_BULK, 7);
    char *text = slurp(dir, "20260401_0400/SRPatient.csv");
    cr_expect_not_null(strstr(text, "Samplew\xf6rth"));
    cr_expect_null(strchr(text, '\xc3'));
    for (const char *at = strstr(text, "\"999"); at != NULL;
         at = strstr(at + 1, "\"999")) {
        struct stile_str number = {at + 1, 10};
        valid += stile_nhs_number_valid(number) ? 1 : 0;
    }
    /* 60 patients: a placeholder, a wrong number, and one not in the table. */
    cr_expect_eq(valid, 57);
    cr_expect_not_null(strstr(text, "\"0000000000\""));
    free(text);
    sweep(dir);
}

Test(synth_systmone, a_removed_row_has_its_key_alone)
{
    char dir[64];
    folder(dir);
    make(dir, STILE_SYNTH_DELTA, 1);
    char *text = slurp(dir, "20260402_0400/SRPatient.csv");
    const char *row = strchr(text, '\n') + 1;
    cr_expect_str_eq(row, "\"10017\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
                          "\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"1\"\r\n");
    free(text);
    sweep(dir);
}

Test(synth_systmone, refuses_what_it_cannot_do)
{
    struct stile_synth_options o;
    const char *why = NULL;
    char dir[64];
    folder(dir);
    stile_synth_systmone_defaults(&o);
    cr_expect_eq(stile_synth_systmone_write(&o, NULL, &why), STILE_INVALID);
    cr_expect_not_null(why);
    o.folder = dir;
    o.patients = STILE_SYNTH_PATIENTS_MAX + 1;
    cr_expect_eq(stile_synth_systmone_write(&o, NULL, &why), STILE_INVALID);
    o.patients = 1;
    o.observations = 501;
    cr_expect_eq(stile_synth_systmone_write(&o, NULL, &why), STILE_INVALID);
    o.observations = 500;
    o.stamp = "2026040104000";
    cr_expect_eq(stile_synth_systmone_write(&o, NULL, &why), STILE_INVALID);
    o.stamp = "20260401040000";
    cr_expect_eq(stile_synth_systmone_write(&o, NULL, &why), STILE_OK);
    /* The download is there already, and stays as it is. */
    cr_expect_eq(stile_synth_systmone_write(&o, NULL, &why), STILE_IO);
    sweep(dir);
}
