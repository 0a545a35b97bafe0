/* Downloads with a manifest: which is whole, and whether one is missing. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#include <sys/stat.h>
#include <unistd.h>

#include "gateway_private.h"

#define HEAD "FileName,IsDelta,IsReference,DateExtractFrom,DateExtractTo\r\n"
#define NEEDS STILE_STR("SRPatient+SRCode")

static char root[64];

static void start(void)
{
    (void)snprintf(root, sizeof root, "/tmp/stile-manifest-XXXXXX");
    cr_assert(mkdtemp(root) != NULL);
}

static void path_of(char out[256], const char *folder, const char *name)
{
    (void)snprintf(out, 256, "%s/%s%s%s", root, folder,
                   name[0] != '\0' ? "/" : "", name);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    path_of(path, folder, "");
    (void)mkdir(path, 0700);
    path_of(path, folder, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void take_away(const char *folder, const char *name)
{
    char path[256];
    path_of(path, folder, name);
    cr_assert_eq(remove(path), 0, "%s", path);
}

/* A download of the two tables that say who and what. */
static void make(const char *stamp, const char *delta, const char *from)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   HEAD "SRPatient,%s,N,%s,%s\r\nSRCode,%s,N,%s,%s\r\n", delta,
                   from, stamp, delta, from, stamp);
    put(stamp, "SRPatient.csv", "RowIdentifier\r\n");
    put(stamp, "SRCode.csv", "RowIdentifier\r\n");
    put(stamp, "SRManifest.csv", text);
}

static void unmake(const char *stamp)
{
    take_away(stamp, "SRPatient.csv");
    take_away(stamp, "SRCode.csv");
    take_away(stamp, "SRManifest.csv");
    take_away(stamp, "");
}

static struct download find(void)
{
    struct download d;
    download_find(root, STILE_STR("SRManifest"), NEEDS, &d);
    return d;
}

static void says(const char *words)
{
    struct download d = find();
    cr_assert(d.found);
    cr_assert(d.why != NULL && strstr(d.why, words) != NULL, "%s",
              d.why != NULL ? d.why : "nothing");
}

static void end(void)
{
    char path[256];
    path_of(path, ".read-up-to", "");
    (void)remove(path);
    cr_assert_eq(rmdir(root), 0);
}

Test(gateway_manifest, the_oldest_with_a_manifest_is_taken)
{
    start();
    cr_expect_not(find().found);
    make("20260402_0400", "N", "");
    make("20260401_0400", "N", "");
    put("20260331_0400", "SRCode.csv", "RowIdentifier\r\n"); /* half written */
    struct download d = find();
    cr_assert(d.found);
    cr_expect_str_eq(d.stamp, "20260401_0400");
    cr_expect_null(d.why);
    cr_expect_str_eq(d.to, "20260401_0400");
    unmake("20260401_0400");
    unmake("20260402_0400");
    take_away("20260331_0400", "SRCode.csv");
    take_away("20260331_0400", "");
    end();
}

Test(gateway_manifest, a_delta_begins_where_the_last_one_ended)
{
    start();
    make("20260402_0400", "Y", "20260401_0400");
    says("missing"); /* nothing was ever read */
    unmake("20260402_0400");

    make("20260401_0400", "N", "");
    struct download full = find();
    cr_assert(full.found && full.why == NULL);
    cr_assert(download_note(root, &full));
    unmake("20260401_0400");

    make("20260402_0400", "Y", "20260401_0400");
    cr_expect_null(find().why);
    unmake("20260402_0400");
    make("20260402_0400", "Y", "20260331_0400"); /* overlaps: a re-bulk */
    cr_expect_null(find().why);
    unmake("20260402_0400");
    make("20260403_0400", "Y", "20260401_0401"); /* a minute is missing */
    says("a download before it is missing");
    unmake("20260403_0400");
    make("20260403_0400", "N", ""); /* a full one needs nothing before it */
    cr_expect_null(find().why);
    unmake("20260403_0400");

    /* Read again later, an older one does not turn the time back. */
    struct download older = full;
    memcpy(older.to, "20260301_0400", 14);
    cr_assert(download_note(root, &older));
    make("20260402_0400", "Y", "20260401_0400");
    cr_expect_null(find().why);
    unmake("20260402_0400");
    end();
}

/* Else no gap would ever be seen again. */
Test(gateway_manifest, a_delta_says_when_it_begins_and_ends)
{
    start();
    make("20260401_0400", "N", "");
    struct download full = find();
    cr_assert(full.found && full.why == NULL);
    cr_assert(download_note(root, &full));
    unmake("20260401_0400");

    make("20260410_0400", "Y", "");
    says("begins and ends");
    unmake("20260410_0400");
    make("20260410_0400", "Y", "0");
    says("begins and ends");
    put("20260410_0400", "SRManifest.csv",
        HEAD "SRPatient,Y,N,20260401_0400,\r\nSRCode,Y,N,20260401_0400,x\r\n");
    says("begins and ends");
    /* Some tables bear none at all, but not all of them. */
    put("20260410_0400", "SRManifest.csv",
        HEAD "SRPatient,Y,N,,\r\nSRCode,Y,N,,\r\n");
    says("begins and ends");
    put("20260410_0400", "SRManifest.csv",
        HEAD "SRPatient,Y,N,,\r\nSRCode,Y,N,20260402_0400,20260410_0400\r\n");
    says("a download before it is missing");
    put("20260410_0400", "SRManifest.csv",
        HEAD "SRPatient,Y,N,,\r\nSRCode,Y,N,20260401_0400,20260410_0400\r\n");
    cr_expect_null(find().why);
    unmake("20260410_0400");
    end();
}

Test(gateway_manifest, none_ends_later_than_its_folder_was_made)
{
    start();
    make("20260401_0400", "N", "");
    cr_expect_null(find().why); /* at it */
    put("20260401_0400", "SRManifest.csv",
        HEAD "SRPatient,N,N,,20260401_0401\r\n");
    says("ends later than its folder");
    put("20260401_0400", "SRManifest.csv",
        HEAD "SRPatient,N,N,,20991231_0000\r\n");
    says("ends later than its folder");
    unmake("20260401_0400");
    end();
}

Test(gateway_manifest, what_is_not_whole_waits)
{
    start();
    make("20260401_0400", "N", "");
    take_away("20260401_0400", "SRCode.csv");
    says("a file its manifest lists is not there");
    put("20260401_0400", "SRManifest.csv",
        HEAD "SRPatient,N,N,,20260401_0400\r\n");
    says("what they refused");
    put("20260401_0400", "SRCode.csv", "RowIdentifier\r\n");
    cr_expect_null(find().why);
    put("20260401_0400", "SRManifest.csv", "FileName,IsDelta\r\n");
    says("cannot be read");
    put("20260401_0400", "SRManifest.csv", HEAD "../SRCode,N,N,,\r\n");
    says("cannot be one");
    put("20260401_0400", "SRManifest.csv", HEAD ",N,N,,\r\n");
    says("cannot be one");
    unmake("20260401_0400");
    end();
}

/* A MiB, less one byte, is read. */
Test(gateway_manifest, a_manifest_has_a_largest_size)
{
    const char line[] = HEAD "SRPatient,N,N,,20260401_0400\r\n";
    size_t size = (1u << 20) - 1;
    char *text = malloc(size + 2);
    cr_assert_not_null(text);
    start();
    make("20260401_0400", "N", "");
    memset(text, '\n', size + 1); /* empty lines are no rows */
    memcpy(text, line, sizeof line - 1);
    text[size] = '\0';
    put("20260401_0400", "SRManifest.csv", text);
    cr_expect_null(find().why);
    text[size] = '\n';
    text[size + 1] = '\0';
    put("20260401_0400", "SRManifest.csv", text);
    says("cannot be read");
    free(text);
    unmake("20260401_0400");
    end();
}
