/* Case files of a charity: one JSON document a case in the form
 * vcse-case/0.1, and the sheet cases.csv of level 1. See synth.h. */
#include "synth_private.h"

struct vcse {
    const struct stile_synth_options *options;
    int64_t until;
    FILE *file;
    bool first; /* no member of the object in hand is written yet */
};

void stile_synth_vcse_defaults(struct stile_synth_options *ret)
{
    stile_synth_defaults(ret);
    ret->patients = 20;
    ret->observations = 60;
}

/* ---- writing: texts of the generator hold nothing to escape but " ---- */

static void text(struct vcse *v, const char *name, const char *value)
{
    (void)fprintf(v->file, "%s\"%s\":\"", v->first ? "" : ",", name);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\') {
            (void)fputc('\\', v->file);
        }
        (void)fputc(*value, v->file);
    }
    (void)fputc('"', v->file);
    v->first = false;
}

/* "<prefix>-<n>", optionally "-<which>". */
static void ref(struct vcse *v, const char *name, const char *prefix,
                uint32_t n, int which)
{
    char value[32];
    int len = which < 0 ? snprintf(value, sizeof value, "%s-%05u", prefix, n)
                        : snprintf(value, sizeof value, "%s-%05u-%d", prefix, n,
                                   which);
    STILE_ASSERT(len > 0 && len < (int)sizeof value);
    text(v, name, value);
}

static void day(struct vcse *v, const char *name, int64_t days,
                const char *time)
{
    struct stile_date d = stile_date_from_days(days);
    char value[32];
    int len = snprintf(value, sizeof value, "%04d-%02d-%02d%s%s", d.year,
                       d.month, d.day, time[0] != '\0' ? " " : "", time);
    STILE_ASSERT(len > 0 && len < (int)sizeof value);
    text(v, name, value);
}

static void begin(struct vcse *v, const char *opening)
{
    (void)fprintf(v->file, "%s", opening);
    v->first = true;
}

static void end(struct vcse *v, const char *closing)
{
    (void)fprintf(v->file, "%s", closing);
    v->first = false;
}

/* ---- a case ---- */

static void person(struct vcse *v, uint32_t p)
{
    char number[11];
    stile__synth_nhs_number(v->options->seed + 57, p, number);
    begin(v, ",\"person\":{");
    ref(v, "person_ref", "P", p, -1);
    text(v, "nhs_number", number);
    text(v, "nhs_number_status", "01");
    text(v, "given_name", stile__synth_given(p));
    text(v, "family_name", stile__synth_surname(p + 7));
    day(v, "birth_date", v->until - 9000 - (int64_t)(p * 211 % 15000), "");
    text(v, "postcode", "ZZ99 3AA");
    text(v, "phone", "07700 900456");
    text(v, "safe_to_contact", p % 3 == 0 ? "ask" : "Y");
    text(v, "gp_practice_code", v->options->practice_ods);
    end(v, "}");
}

static void the_case(struct vcse *v, uint32_t p)
{
    begin(v, ",\"case\":{");
    ref(v, "case_ref", "C", p, -1);
    ref(v, "person_ref", "P", p, -1);
    text(v, "org_ref", "O-1");
    text(v, "service_name", "Debt and housing advice");
    day(v, "first_ask_at", v->until - 60, "10:15");
    day(v, "received_at", v->until - 59, "09:00");
    text(v, "referrer_org", v->options->trust_ods);
    text(v, "source", p % 2 == 0 ? "A1" : "B1");
    text(v, "reason_text", "Help with rent arrears (invented)");
    text(v, "priority", "3");
    text(v, "status", "active");
    day(v, "status_at", v->until - 50, "11:30");
    text(v, "worker_ref", "W3");
    end(v, "}");
}

static void contacts(struct vcse *v, uint32_t p)
{
    begin(v, ",\"contact\":[");
    for (int i = 0; i < 2; i++) {
        begin(v, i == 0 ? "{" : ",{");
        ref(v, "contact_ref", "K", p, i);
        ref(v, "case_ref", "C", p, -1);
        day(v, "start_at", v->until - 40 + i * 14, "11:30");
        text(v, "minutes", "45");
        text(v, "mechanism", i == 0 ? "01" : "02");
        text(v, "attended", "5");
        text(v, "planned", "Y");
        text(v, "note", "Brought \"all\" the letters (invented)");
        text(v, "note_share", i == 0 ? "staff" : "all");
        end(v, "}");
    }
    end(v, "]");
}

static void plan(struct vcse *v, uint32_t p)
{
    begin(v, ",\"plan\":[{");
    ref(v, "plan_ref", "PL", p, -1);
    ref(v, "case_ref", "C", p, -1);
    text(v, "kind", "10");
    text(v, "title", "Keeping my home");
    day(v, "agreed_on", v->until - 40, "");
    end(v, "}]");
    begin(v, ",\"need\":[{");
    ref(v, "need_ref", "N", p, -1);
    ref(v, "plan_ref", "PL", p, -1);
    text(v, "kind", "need");
    text(v, "text", "A tenancy to keep");
    end(v, "}]");
    begin(v, ",\"goal\":[{");
    ref(v, "goal_ref", "G", p, -1);
    ref(v, "need_ref", "N", p, -1);
    text(v, "text", "Rent paid until the summer");
    text(v, "importance", "9");
    text(v, "status", "improving");
    day(v, "status_on", v->until - 10, "");
    end(v, "}]");
    begin(v, ",\"action\":[{");
    ref(v, "action_ref", "A", p, -1);
    ref(v, "case_ref", "C", p, -1);
    ref(v, "goal_ref", "G", p, -1);
    text(v, "what", "Ask the landlord for a payment plan");
    text(v, "owner", "worker");
    day(v, "due_on", v->until - 20, "");
    text(v, "status", "done");
    end(v, "}]");
}

static void scores(struct vcse *v, uint32_t p)
{
    begin(v, ",\"outcome\":[");
    for (int i = 1; i <= 3; i++) {
        struct synth_rng rng;
        char item[12], score[12];
        stile__synth_rng(&rng, v->options->seed, SYNTH_OBSERVATION, p,
                         (uint64_t)i);
        int n = snprintf(item, sizeof item, "%d", i);
        int m = snprintf(score, sizeof score, "%u",
                         1 + stile__synth_below(&rng, 7));
        STILE_ASSERT(n > 0 && m > 0);
        begin(v, i == 1 ? "{" : ",{");
        ref(v, "case_ref", "C", p, -1);
        day(v, "at", v->until - 40, "11:40");
        text(v, "tool", "dialog");
        text(v, "item", item);
        text(v, "score", score);
        text(v, "wants_help", i == 1 ? "Y" : "N");
        text(v, "scorer", "person");
        end(v, "}");
    }
    end(v, "]");
}

/* Two in three agree to all of it, the third to codes only. */
static void consent(struct vcse *v, uint32_t p)
{
    begin(v, ",\"consent\":[{");
    ref(v, "consent_ref", "CN", p, -1);
    ref(v, "person_ref", "P", p, -1);
    day(v, "given_on", v->until - 40, "");
    text(v, "to_org", v->options->trust_ods);
    text(v, "what", p % 3 == 2 ? "codes-only" : "all");
    text(v, "purpose", "to keep the care co-ordinator informed");
    text(v, "basis", "consent");
    text(v, "how", "spoken");
    text(v, "said_by", "person");
    if (p % 7 == 6) {
        day(v, "withdrawn_on", v->until - 5, "");
    }
    end(v, "}]");
}

/* What only some cases have. */
static void rest(struct vcse *v, uint32_t p)
{
    if (p % 4 != 0) {
        return;
    }
    begin(v, ",\"crisis\":[{");
    ref(v, "plan_ref", "PL", p, -1);
    text(v, "line_kind", "early-sign");
    text(v, "seq", "1");
    text(v, "text", "Letters stay unopened");
    end(v, "}]");
    begin(v, ",\"circumstance\":[{");
    ref(v, "person_ref", "P", p, -1);
    text(v, "kind", "employment");
    text(v, "text", "Part time");
    end(v, "}]");
    begin(v, ",\"risk\":[{");
    ref(v, "person_ref", "P", p, -1);
    text(v, "kind", p % 8 == 0 ? "none-known" : "from-others");
    if (p % 8 != 0) {
        text(v, "level", "high");
    }
    end(v, "}]");
    begin(v, ",\"safeguarding\":[{");
    ref(v, "person_ref", "P", p, -1);
    text(v, "flag", "N");
    text(v, "hide_from_person", "N");
    end(v, "}]");
    begin(v, ",\"signpost\":[{");
    ref(v, "case_ref", "C", p, -1);
    text(v, "reason", "Furniture");
    end(v, "}]");
    begin(v, ",\"handoff\":[{");
    ref(v, "handoff_ref", "H", p, -1);
    ref(v, "person_ref", "P", p, -1);
    text(v, "kind", "warm");
    end(v, "}]");
    begin(v, ",\"group\":[{");
    ref(v, "group_ref", "GR", p, -1);
    text(v, "title", "Money morning");
    end(v, "}]");
}

static void organisation(struct vcse *v)
{
    begin(v, ",\"organisation\":{");
    text(v, "org_ref", "O-1");
    text(v, "org_name", v->options->charity_name);
    text(v, "charity_number", "9999999");
    text(v, "ods_code", v->options->charity_ods);
    end(v, "}");
}

/* ---- the files ---- */

static bool open_part(struct vcse *v, const char *name, char path[SYNTH_PATH],
                      char part[SYNTH_PATH])
{
    int n = snprintf(path, SYNTH_PATH, "%s/%s", v->options->folder, name);
    int m = snprintf(part, SYNTH_PATH, "%s.part", path);
    v->file = n > 0 && n < SYNTH_PATH && m > 0 && m < SYNTH_PATH
                  ? fopen(part, "wb")
                  : NULL;
    return v->file != NULL;
}

static bool close_part(struct vcse *v, const char *path, const char *part)
{
    bool ok = ferror(v->file) == 0;
    ok = fclose(v->file) == 0 && ok && rename(part, path) == 0;
    if (!ok) {
        (void)remove(part);
    }
    return ok;
}

static bool write_case(struct vcse *v, uint32_t p)
{
    char path[SYNTH_PATH], part[SYNTH_PATH], name[32];
    int n = snprintf(name, sizeof name, "case-%05u.json", p);
    STILE_ASSERT(n > 0 && n < (int)sizeof name);
    if (!open_part(v, name, path, part)) {
        return false;
    }
    begin(v, "{");
    text(v, "format", "vcse-case/0.1");
    day(v, "exported_at", v->until, "16:00");
    organisation(v);
    person(v, p);
    the_case(v, p);
    contacts(v, p);
    plan(v, p);
    scores(v, p);
    consent(v, p);
    rest(v, p);
    end(v, "}\n");
    return close_part(v, path, part);
}

/* Level 1: a sheet, other people than those of the documents. */
static bool write_sheet(struct vcse *v)
{
    char path[SYNTH_PATH], part[SYNTH_PATH], number[11];
    struct stile_date d = stile_date_from_days(v->until - 30);
    if (!open_part(v, "cases.csv", path, part)) {
        return false;
    }
    (void)fputs("person_ref,nhs_number,given_name,family_name,birth_date,"
                "postcode,gp_practice_code,case_ref,service_name,first_ask_at,"
                "received_at,source,reason_text,status,status_at,share\r\n",
                v->file);
    for (uint32_t p = 0; p < v->options->patients; p++) {
        stile__synth_nhs_number(v->options->seed + 58, p, number);
        (void)fprintf(v->file,
                      "S-%05u,%s,%s,%s,19%02u-0%u-11,ZZ99 4AA,%s,SC-%05u,"
                      "Debt advice,%04d-%02d-%02d 10:00,%04d-%02d-%02d 12:00,"
                      "A1,\"Letters, unopened (invented)\",active,"
                      "%04d-%02d-%02d 15:00,%s\r\n",
                      p, number, stile__synth_given(p + 2),
                      stile__synth_surname(p + 1), 50 + p % 45, 1 + p % 9,
                      v->options->practice_ods, p, d.year, d.month, d.day,
                      d.year, d.month, d.day, d.year, d.month, d.day,
                      p % 3 == 0   ? "all"
                      : p % 3 == 1 ? "codes-only"
                                   : "none");
    }
    return close_part(v, path, part);
}

enum stile_status
stile_synth_vcse_write(const struct stile_synth_options *options,
                       uint64_t *ret_cases, const char **ret_why)
{
    struct vcse v = {.options = options};
    struct stile_date until = {0};
    const char *why = NULL;
    if (options->folder == NULL || options->folder[0] == '\0') {
        why = "a folder is needed";
    } else if (options->patients < 1 ||
               options->patients > STILE_SYNTH_PATIENTS_MAX) {
        why = "patients must be 1 to 100000";
    } else if (options->until == NULL ||
               !stile_date_parse(stile_str_cstr(options->until), &until) ||
               until.day == 0 || until.year < 2000) {
        why = "the last day must be a date from 2000 on, as 2026-03-31";
    }
    if (why != NULL) {
        if (ret_why != NULL) {
            *ret_why = why;
        }
        return STILE_INVALID;
    }
    v.until = stile_date_days(until);
    bool ok = write_sheet(&v);
    for (uint32_t p = 0; ok && p < options->patients; p++) {
        ok = write_case(&v, p);
    }
    if (!ok && ret_why != NULL) {
        *ret_why = "a file could not be written whole: does the folder exist?";
    }
    if (ok && ret_cases != NULL) {
        *ret_cases = (uint64_t)options->patients * 2;
    }
    return ok ? STILE_OK : STILE_IO;
}

int stile_synth_vcse(const struct stile_synth_options *options)
{
    const char *why = "memory could not be had";
    uint64_t cases = 0;
    enum stile_status status = stile_synth_vcse_write(options, &cases, &why);
    if (status != STILE_OK) {
        fprintf(stderr, "stile: synth vcse: %s\n", why);
        return status == STILE_INVALID ? 2 : 1;
    }
    printf("%llu cases: half in documents, half in cases.csv\n",
           (unsigned long long)cases);
    return 0;
}
