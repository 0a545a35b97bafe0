/* stile.yaml: golden files of findings, and each limit at it and one past. */
#include <criterion/criterion.h>

#include <sys/stat.h>
#include <unistd.h>

#include "stile/gateway.h"

#define GOLDEN STILE_SOURCE_DIR "/tests/golden/config"

static struct stile_arena *arena;
static struct stile_diags diags;

static void setup(void)
{
    cr_assert_eq(chdir(GOLDEN), 0);
    arena = stile_arena_new((size_t)64 << 20);
    stile_diags_init(&diags, arena, 0);
}

static void teardown(void)
{
    stile_arena_free(&arena);
}

TestSuite(config, .init = setup, .fini = teardown);

static void same_findings(const char *name)
{
    struct stile_config *config = NULL;
    struct stile_str expected, error = STILE_STR_NULL;
    struct stile_buf out;
    char text[64];
    enum stile_status status;

    (void)snprintf(text, sizeof(text), "%.*s.txt", (int)strlen(name) - 5, name);
    cr_assert_eq(stile_file_read(text, 1u << 20, arena, &expected, &error),
                 STILE_OK, "%.*s", STILE_FMT(error));
    status = stile_config_load(name, arena, &diags, &config);
    cr_expect_eq(status, diags.errors > 0 ? STILE_INVALID : STILE_OK);
    cr_expect_eq(config != NULL, status == STILE_OK);
    stile_buf_init(&out, 1u << 20);
    stile_diags_print(&diags, false, &out);
    cr_expect(stile_str_eq(stile_buf_str(&out), expected),
              "%s: these findings are not those of %s:\n%.*s", name, text,
              STILE_FMT(stile_buf_str(&out)));
    stile_buf_release(&out);
}

Test(config, golden_files)
{
    struct stile_str *names = NULL, error = STILE_STR_NULL;
    size_t count = 0, seen = 0;

    cr_assert_eq(stile_folder_list(".", arena, &names, &count, &error),
                 STILE_OK);
    for (size_t i = 0; i < count; i++) {
        if (stile_str_ends(names[i], STILE_STR(".yaml"))) {
            stile_diags_init(&diags, arena, 0);
            same_findings(stile_arena_cstr(arena, names[i]));
            seen++;
        }
    }
    cr_assert_geq(seen, 7);
}

Test(config, every_value_arrives)
{
    struct stile_config *c = NULL;
    struct stile_digest charity;

    cr_assert_eq(stile_config_load("good.yaml", arena, &diags, &c), STILE_OK);
    cr_expect_str_eq(c->listen, "127.0.0.1");
    cr_expect_eq(c->listen_port, 8443);
    cr_expect_str_eq(c->admin, "::1");
    cr_expect_eq(c->admin_port, 9443);
    cr_expect(stile_str_eqc(c->audit_origin, "alder.A99901.stile"));
    cr_expect(c->log_json);
    cr_expect_eq(c->checkpoint_ms, 500);
    cr_expect_eq(c->drain_ms, 3600000);
    cr_expect_eq(c->limits.body_bytes, (size_t)4 << 20);
    cr_expect_eq(c->json.bytes, (size_t)4 << 20, "follows body-bytes");
    cr_expect_eq(c->limits.connections, 100);
    cr_expect_eq(c->limits.headers, stile_net_defaults.headers);
    cr_expect_eq(c->persons_max, 50);
    cr_expect_eq(c->json.depth, 32);
    cr_expect_eq(c->retry.least, 2 * STILE_SECOND);
    cr_expect_eq(c->retry.give_up, 2 * 86400 * STILE_SECOND);
    cr_assert_eq(c->partner_count, 3);
    cr_expect_eq(c->partners[0].policy.window, 4);
    cr_expect_eq(c->partners[1].certificate_count, 2);
    /* openssl x509 -in charity.pem -noout -fingerprint -sha256 */
    cr_assert(stile_digest_parse(STILE_STR("3ed829810520fe1aff984927855f611e"
                                           "4aa81e9dafa13737a3dd4a6fa8ab9130"),
                                 &charity));
    cr_expect(stile_digest_eq(&c->partners[1].certificates[0], &charity));
    cr_expect(c->partners[2].partner.own);
    cr_expect_str_eq(c->partners[2].folder, "desk");
    cr_assert_eq(c->feed_count, 1);
    cr_expect_eq(c->feeds[0].poll_ms, 250);
    cr_expect_eq(c->feeds[0].hold_days, 21);
    cr_assert_eq(c->route_count, 2);
    cr_expect_eq(c->routes[0].to, 0);
    cr_expect_eq(c->routes[1].to, 2);
}

/* good.yaml with one line replaced, in a folder of its own. */
static const char *changed(const char *from, const char *to)
{
    char folder[] = "/tmp/stile-config-XXXXXX";
    struct stile_str text, error;
    const char *path;
    size_t at;
    FILE *file;

    cr_assert_eq(stile_file_read("good.yaml", 1u << 20, arena, &text, &error),
                 STILE_OK);
    at = stile_str_find_str(text, stile_str_cstr(from));
    cr_assert_neq(at, SIZE_MAX, "good.yaml has no '%s'", from);
    cr_assert_not_null(mkdtemp(folder));
    path = stile_path_join(arena, folder, STILE_STR("stile.yaml"));
    file = fopen(path, "wb");
    cr_assert_not_null(file);
    (void)fprintf(file, "%.*s%s%s", (int)at, text.ptr, to,
                  text.ptr + at + strlen(from));
    cr_assert_eq(fclose(file), 0);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"charity.pem", "trust.pem",
                                            "placeholder.txt"};
        const char *link =
            stile_path_join(arena, folder, stile_str_cstr(names[i]));
        const char *target =
            stile_path_join(arena, GOLDEN, stile_str_cstr(names[i]));

        cr_assert_eq(symlink(target, link), 0);
    }
    return path;
}

static void remove_changed(const char *path)
{
    static const char *const names[] = {"stile.yaml", "charity.pem",
                                        "trust.pem", "placeholder.txt"};
    char *folder = stile_arena_cstr(
        arena, (struct stile_str){path, strlen(path) - strlen("/stile.yaml")});

    for (size_t i = 0; i < 4; i++) {
        (void)unlink(stile_path_join(arena, folder, stile_str_cstr(names[i])));
    }
    (void)rmdir(folder);
}

/* The code of the only error, or "" when there is none. */
static const char *only_error(const char *from, const char *to)
{
    struct stile_config *config = NULL;
    const char *path = changed(from, to);
    const char *code = "";

    stile_diags_init(&diags, arena, 0);
    (void)!stile_config_load(path, arena, &diags, &config);
    remove_changed(path);
    cr_expect_leq(diags.errors, 1, "%s: %zu errors", to, diags.errors);
    for (size_t i = 0; i < diags.count; i++) {
        if (diags.items[i].severity == STILE_ERROR) {
            code = diags.items[i].code;
        }
    }
    return code;
}

Test(config, limits_at_and_one_past)
{
    static const struct {
        const char *line, *least, *below, *most, *above, *code;
    } cases[] = {
        {"body-bytes: 4MiB", "body-bytes: 1KiB", "body-bytes: 1023",
         "body-bytes: 64MiB", "body-bytes: 1073741825", "C104"},
        {"connections: 100", "connections: 1", "connections: 0",
         "connections: 65536", "connections: 65537", "C102"},
        {"exchanges: 8", "exchanges: 1", "exchanges: 0", "exchanges: 4096",
         "exchanges: 4097", "C102"},
        {"store-queue: 64", "store-queue: 1", "store-queue: 0",
         "store-queue: 1000000", "store-queue: 1000001", "C102"},
        {"persons: 50", "persons: 1", "persons: 0", "persons: 1000000",
         "persons: 1000001", "C102"},
        {"json-depth: 32", "json-depth: 8", "json-depth: 7", "json-depth: 1000",
         "json-depth: 1001", "C102"},
        {"arena-bytes: 64MiB", "arena-bytes: 4MiB", "arena-bytes: 1048575",
         "arena-bytes: 16GiB", "arena-bytes: 17179869185", "C104"},
        {"checkpoint: 500ms", "checkpoint: 100ms", "checkpoint: 99ms",
         "checkpoint: 1d", "checkpoint: 86400001ms", "C103"},
        {"least: 2s", "least: 100ms", "least: 99ms", "least: 10m",
         "least: 86401s", "C103"},
        {"window: 4", "window: 1", "window: 0", "window: 1024", "window: 1025",
         "C102"},
        {"persons: 50", "review-days: 1", "review-days: 0", "review-days: 3650",
         "review-days: 3651", "C102"},
        {"persons: 50", "review-keep: 1d", "review-keep: 86399s",
         "review-keep: 3650d", "review-keep: 3651d", "C103"},
        {"persons: 50", "approvals: 60s", "approvals: 59s", "approvals: 365d",
         "approvals: 366d", "C103"},
        {"hold-days: 21", "hold-days: 1", "hold-days: 0", "hold-days: 3650",
         "hold-days: 3651", "C102"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_str_eq(only_error(cases[i].line, cases[i].least), "");
        cr_expect_str_eq(only_error(cases[i].line, cases[i].below),
                         cases[i].code, "%s", cases[i].below);
        cr_expect_str_eq(only_error(cases[i].line, cases[i].most), "");
        cr_expect_str_eq(only_error(cases[i].line, cases[i].above),
                         cases[i].code, "%s", cases[i].above);
    }
}

Test(config, sizes_that_do_not_fit)
{
    cr_expect_str_eq(only_error("body-bytes: 4MiB", "body-bytes: 65MiB"),
                     "C134");
    cr_expect_str_eq(only_error("persons: 50", "line-bytes: 16385"), "C134");
    cr_expect_str_eq(only_error("persons: 50", "line-bytes: 16384"), "");
    cr_expect_str_eq(only_error("most: 10m", "most: 1s"), "C125");
}

Test(config, names_at_and_one_past)
{
    /* 64 characters, and 65 */
    cr_expect_str_eq(only_error("route: emis-to-trust",
                                "route: "
                                "a23456789-123456789-123456789-"
                                "123456789-123456789-123456789-1234"),
                     "");
    cr_expect_str_eq(only_error("route: emis-to-trust",
                                "route: "
                                "a23456789-123456789-123456789-"
                                "123456789-123456789-123456789-12345"),
                     "C106");
    cr_expect_str_eq(only_error("route: emis-to-trust", "route: 9lives"),
                     "C106");
    cr_expect_str_eq(only_error("ods: VCS07", "ods: VCS07VCS07VCS07VCS07"), "");
    cr_expect_str_eq(only_error("ods: VCS07", "ods: VCS07VCS07VCS07VCS070"),
                     "C108");
}

Test(config, addresses)
{
    static const struct {
        const char *text, *code;
    } cases[] = {
        {"0.0.0.0:0", ""},          {"127.0.0.1:65535", ""},
        {"\"[::]:8443\"", ""},      {"127.0.0.1:65536", "C105"},
        {"127.0.0.1", "C105"},      {"::1:8443", "C105"},
        {"\"[::1]\"", "C105"},      {"localhost:8443", "C105"},
        {"127.0.0.256:1", "C105"},  {"\"[127.0.0.1]:1\"", "C105"},
        {"\"127.0.0.1:\"", "C105"}, {"\":8443\"", "C105"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[64];

        (void)snprintf(line, sizeof(line), "listen: %s", cases[i].text);
        cr_expect_str_eq(only_error("listen: 127.0.0.1:8443", line),
                         cases[i].code, "%s", line);
    }
}

Test(config, a_missing_file_is_one_finding)
{
    struct stile_config *config = NULL;

    cr_assert_eq(stile_config_load("absent.yaml", arena, &diags, &config),
                 STILE_INVALID);
    cr_assert_eq(diags.count, 1);
    cr_expect_str_eq(diags.items[0].code, "C101");
    cr_expect_eq(diags.items[0].line, 0);
    cr_expect_null(config);
}

/* ---- the world --------------------------------------------------------------
 */

static size_t count_of(const char *code)
{
    size_t count = 0;

    for (size_t i = 0; i < diags.count; i++) {
        count += strcmp(diags.items[i].code, code) == 0 ? 1 : 0;
    }
    return count;
}

Test(config, check_finds_what_the_world_lacks)
{
    struct stile_date today = {2026, 4, 1};
    stile_time now;

    cr_assert(stile_time_parse(STILE_STR("2026-04-01T00:00:00Z"), &now));
    cr_assert_eq(stile_config_check("good.yaml", now, today, arena, &diags),
                 STILE_INVALID);
    cr_expect_eq(count_of("C130"), 2, "no folder desk, none called export");
    cr_expect_eq(count_of("C132"), 1, "the key is no key");
    cr_expect_eq(count_of("C133"), 1, "the audit key is none");
    cr_expect_eq(count_of("C131"), 0);
    cr_expect_eq(count_of("C128") + count_of("C129") + count_of("C113"), 0,
                 "the shipped rules know these words");
}

static void check_path(const char *path)
{
    struct stile_date today = {2026, 4, 1};
    stile_time now;

    stile_diags_init(&diags, arena, 0);
    cr_assert(stile_time_parse(STILE_STR("2026-04-01T00:00:00Z"), &now));
    cr_expect_eq(stile_config_check(path, now, today, arena, &diags),
                 STILE_INVALID);
    remove_changed(path);
}

/* stile_config_check of good.yaml with one line replaced, with the shipped
 * mappings. */
static void check_changed(const char *from, const char *to)
{
    const char *path = changed(from, to);
    struct stile_str text, error;
    FILE *file;
    size_t at;

    /* `changed` moves the file, so the mappings folder is named in full. */
    cr_assert_eq(stile_file_read(path, 1u << 20, arena, &text, &error),
                 STILE_OK);
    at = stile_str_find_str(text, STILE_STR("../../../mappings"));
    cr_assert_neq(at, SIZE_MAX);
    file = fopen(path, "wb");
    cr_assert_not_null(file);
    (void)fprintf(file, "%.*s%s/mappings%s", (int)at, text.ptr,
                  STILE_SOURCE_DIR,
                  text.ptr + at + strlen("../../../mappings"));
    cr_assert_eq(fclose(file), 0);
    check_path(path);
}

static bool said(const char *text)
{
    for (size_t i = 0; i < diags.count; i++) {
        if (stile_str_find_str(diags.items[i].message, stile_str_cstr(text)) !=
            SIZE_MAX) {
            return true;
        }
    }
    return false;
}

Test(config, check_knows_the_words_of_the_rules)
{
    static const char *const lines[][2] = {
        {"purpose: individual-care", "C128"},
        {"agreement: DSA-2026-001", "C129"},
        {"kind: voluntary-non-care", "C113"},
    };

    for (size_t i = 0; i < 3; i++) {
        char to[128];

        (void)snprintf(to, sizeof(to), "%sx", lines[i][0]);
        check_changed(lines[i][0], to);
        cr_expect_eq(count_of(lines[i][1]), 1, "%s", to);
    }
}

Test(config, the_nearest_agreement_is_not_offered)
{
    check_changed("agreement: DSA-2026-001", "agreement: DSA-2026-0O1");
    cr_assert_eq(count_of("C129"), 1);
    for (size_t i = 0; i < diags.count; i++) {
        if (strcmp(diags.items[i].code, "C129") == 0) {
            cr_expect_eq(diags.items[i].hint.len, 0);
        }
    }
}

Test(config, check_holds_a_route_to_the_parties_of_its_agreement)
{
    check_changed("agreement: DSA-2026-001", "agreement: DSA-2026-001");
    cr_expect_eq(count_of("C136"), 0);
    check_changed("ods: RZ9", "ods: RZ8");
    cr_expect_eq(count_of("C136"), 1);
    cr_expect(said("the recipient of this route is RZ8, and that of agreement "
                   "DSA-2026-001 is RZ9"));
    check_changed("kind: trust", "kind: icb");
    cr_expect_eq(count_of("C136"), 1);
    cr_expect(said("the recipient of this route, RZ9, is icb here, and "
                   "trust in agreement DSA-2026-001"));
    check_changed("agreement: DSA-2026-001", "agreement: DSA-2026-003");
    cr_expect_eq(count_of("C136"), 2, "both ends are others'");
    cr_expect(said("the sender of this route is A99901, and that of agreement "
                   "DSA-2026-003 is RZ9"));
}

Test(config, officers_are_of_the_organisation)
{
    static const char text[] =
        "organisation: %s\nofficers:\n  - {officer: a, role: dpo, key: "
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a, "
        "may: review, from: 2026-04-01, until: 2027-03-31}\n";
    static const char *const of[] = {"A99901", "RZ9"};
    struct stile_config *c = NULL;
    char path[] = "/tmp/stile-officers-XXXXXX";
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    cr_assert_eq(close(fd), 0);
    cr_assert_eq(stile_config_load("good.yaml", arena, &diags, &c), STILE_OK);
    struct stile_officers *officers = NULL;
    cr_assert_eq(stile_officers_read(c, arena, &diags, &officers),
                 STILE_INVALID);
    cr_expect_eq(count_of("C137"), 1);
    c->officers = path;
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(path, "w");

        cr_assert_not_null(file);
        (void)fprintf(file, text, of[i]);
        cr_assert_eq(fclose(file), 0);
        officers = NULL;
        enum stile_status status =
            stile_officers_read(c, arena, &diags, &officers);
        cr_expect_eq(status, i == 0 ? STILE_OK : STILE_INVALID);
        cr_expect_eq(officers != NULL, i == 0);
        cr_expect_eq(count_of("C138"), i);
    }
    cr_assert_eq(unlink(path), 0);
}

Test(config, partners_and_admin_have_a_port_each)
{
    static const struct {
        const char *admin, *code;
    } cases[] = {{"127.0.0.1:8443", "C135"},
                 {"127.0.0.1:8444", ""},
                 {"0.0.0.0:8443", "C135"},
                 {"\"[::1]:8443\"", ""}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[64];

        (void)snprintf(line, sizeof(line), "admin: %s", cases[i].admin);
        cr_expect_str_eq(only_error("admin: \"[::1]:9443\"", line),
                         cases[i].code, "%s", line);
    }
}

Test(config, check_warns_thirty_days_before_the_end)
{
    /* charity.pem and trust.pem end on 2126-10-28 at 21:34:05. */
    static const struct {
        const char *now;
        size_t found;
        bool error;
    } cases[] = {{"2126-09-28T21:34:04Z", 0, false},
                 {"2126-09-28T21:34:07Z", 1, false},
                 {"2126-10-28T21:34:04Z", 1, false},
                 {"2126-10-28T21:34:07Z", 1, true}};
    struct stile_date today = {2126, 10, 1};

    for (size_t i = 0; i < 4; i++) {
        stile_time now;
        size_t charity = 0;

        stile_diags_init(&diags, arena, 0);
        cr_assert(stile_time_parse(stile_str_cstr(cases[i].now), &now));
        (void)!stile_config_check("good.yaml", now, today, arena, &diags);
        for (size_t k = 0; k < diags.count; k++) {
            if (strcmp(diags.items[k].code, "C131") == 0 &&
                stile_str_starts(diags.items[k].message,
                                 STILE_STR("charity.pem"))) {
                charity++;
                cr_expect_eq(diags.items[k].severity == STILE_ERROR,
                             cases[i].error);
            }
        }
        cr_expect_eq(charity, cases[i].found, "%s", cases[i].now);
    }
}
