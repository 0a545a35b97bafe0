/*
 * What a sender is told. FHIR paths: OperationOutcome (R4). Elsewhere:
 * application/problem+json (RFC 9457). Never a patient's value.
 */
#include "gateway_private.h"

static struct stile_str text_of(struct stile_arena *arena,
                                const struct stile_value *value)
{
    struct stile_buf out;
    stile_buf_init(&out, 1u << 20);
    stile_value_json(value, 0, &out);
    struct stile_str text = out.status == STILE_OK
                                ? stile_arena_str(arena, stile_buf_str(&out))
                                : STILE_STR_NULL;
    stile_buf_release(&out);
    return text;
}

static struct stile_value *outcome(struct stile_arena *arena,
                                   struct stile_value **ret_issues)
{
    struct stile_value *root = stile_value_new(arena, STILE_OBJECT);
    stile_value_set_str(arena, root, "resourceType",
                        STILE_STR("OperationOutcome"));
    *ret_issues = stile_value_set_new(arena, root, "issue", STILE_ARRAY);
    return root;
}

static struct stile_value *add_issue(struct stile_arena *arena,
                                     struct stile_value *issues,
                                     const char *severity, const char *code,
                                     struct stile_str text)
{
    struct stile_value *issue =
        stile_value_push(issues, stile_value_new(arena, STILE_OBJECT));
    stile_value_set_str(arena, issue, "severity", stile_str_cstr(severity));
    stile_value_set_str(arena, issue, "code", stile_str_cstr(code));
    stile_value_set_str(arena, issue, "diagnostics", text);
    return issue;
}

static struct stile_value *problem(struct stile_arena *arena, int status,
                                   struct stile_str title)
{
    struct stile_value *root = stile_value_new(arena, STILE_OBJECT);
    stile_value_set_str(arena, root, "title", title);
    stile_value_set(
        root, STILE_STR("status"),
        stile_value_number(arena, stile_arena_printf(arena, "%d", status)));
    return root;
}

/* IssueType codes of R4 (valueset-issue-type) for statuses. */
static const char *issue_code(int status)
{
    switch (status) {
    case 403:
        return "forbidden";
    case 404:
        return "not-found";
    case 405:
        return "not-supported";
    case 408:
    case 504:
        return "timeout";
    case 413:
        return "too-long";
    case 503:
    case 429:
        return "throttled";
    default:
        return "structure";
    }
}

const char *answer_refusal(bool fhir, int status, const char *text,
                           struct stile_buf *out)
{
    struct stile_arena *arena = stile_arena_new(65536);
    struct stile_value *issues = NULL, *root = NULL;
    if (fhir) {
        root = outcome(arena, &issues);
        (void)add_issue(arena, issues, "error", issue_code(status),
                        stile_str_cstr(text));
    } else {
        root = problem(arena, status, stile_str_cstr(text));
    }
    if (!stile_arena_failed(arena)) {
        stile_value_json(root, 0, out);
    }
    stile_arena_free(&arena);
    return fhir ? "application/fhir+json; charset=utf-8"
                : "application/problem+json";
}

void answer_problem(struct stile_call *call, bool fhir, int status,
                    const char *code, const char *text)
{
    struct stile_arena *arena = stile_arena_new(65536);
    struct stile_value *issues = NULL, *root = NULL;
    if (fhir) {
        root = outcome(arena, &issues);
        (void)add_issue(arena, issues, "error", code, stile_str_cstr(text));
    } else {
        root = problem(arena, status, stile_str_cstr(text));
    }
    struct stile_header headers[] = {
        {STILE_STR("Cache-Control"), STILE_STR("no-store")},
        {STILE_STR("Retry-After"), STILE_STR("5")}};
    struct stile_answer answer = {
        .status = status,
        .content_type = fhir ? STILE_STR("application/fhir+json; "
                                         "charset=utf-8")
                             : STILE_STR("application/problem+json"),
        .body = text_of(arena, root),
        .headers = headers,
        .header_count = status == 503 ? 2 : 1};
    stile_call_answer(call, &answer);
    stile_arena_free(&arena);
}

/* One line a finding: code, place, what to do. */
static struct stile_str finding_text(struct stile_arena *arena,
                                     const struct stile_diag *d)
{
    if (d->line > 0) {
        return stile_arena_printf(arena, "%s, row %u%s%.*s: %.*s", d->code,
                                  d->line, d->path.len > 0 ? ", " : "",
                                  STILE_FMT(d->path), STILE_FMT(d->message));
    }
    return stile_arena_printf(arena, "%s%s%.*s: %.*s", d->code,
                              d->path.len > 0 ? ", " : "", STILE_FMT(d->path),
                              STILE_FMT(d->message));
}

static const char *severity_word(const struct stile_diag *d)
{
    return d->severity == STILE_ERROR     ? "error"
           : d->severity == STILE_WARNING ? "warning"
                                          : "information";
}

static void add_findings(struct trip *trip, struct stile_value *issues)
{
    const struct stile_diags *diags = stile_exchange_diags(trip->exchange);
    for (size_t i = 0; i < diags->count; i++) {
        const struct stile_diag *d = &diags->items[i];
        struct stile_value *issue =
            add_issue(trip->arena, issues, severity_word(d), "invalid",
                      finding_text(trip->arena, d));
        if (d->path.len > 0) {
            stile_value_push(stile_value_set_new(trip->arena, issue,
                                                 "expression", STILE_ARRAY),
                             stile_value_string(trip->arena, d->path));
        }
    }
}

static void add_finding_lines(struct trip *trip, struct stile_value *root)
{
    const struct stile_diags *diags = stile_exchange_diags(trip->exchange);
    struct stile_value *list =
        stile_value_set_new(trip->arena, root, "findings", STILE_ARRAY);
    for (size_t i = 0; i < diags->count; i++) {
        stile_value_push(
            list,
            stile_value_string(trip->arena,
                               finding_text(trip->arena, &diags->items[i])));
    }
}

struct stile_str answer_accepted(struct trip *trip, bool fhir)
{
    struct stile_arena *arena = trip->arena;
    struct stile_str what = stile_arena_printf(
        arena, "accepted as message %.*s", STILE_FMT(trip->message.id));
    if (fhir) {
        struct stile_value *issues = NULL;
        struct stile_value *root = outcome(arena, &issues);
        (void)add_issue(arena, issues, "information", "informational", what);
        add_findings(trip, issues);
        return text_of(arena, root);
    }
    struct stile_value *root = stile_value_new(arena, STILE_OBJECT);
    stile_value_set_str(arena, root, "message", trip->message.id);
    stile_value_set(
        root, STILE_STR("rows_not_used"),
        stile_value_number(
            arena,
            stile_arena_printf(arena, "%zu", trip->accept.quarantine_count)));
    add_finding_lines(trip, root);
    return text_of(arena, root);
}

struct stile_str answer_findings(struct trip *trip, bool fhir, int status)
{
    struct stile_arena *arena = trip->arena;
    if (fhir) {
        struct stile_value *issues = NULL;
        struct stile_value *root = outcome(arena, &issues);
        add_findings(trip, issues);
        if (issues != NULL && issues->count == 0) {
            (void)add_issue(arena, issues, "error", "invalid",
                            STILE_STR("the message could not be used"));
        }
        return text_of(arena, root);
    }
    struct stile_value *root = problem(
        arena, status,
        STILE_STR("the message could not be used: correct what the findings "
                  "name and send it again"));
    add_finding_lines(trip, root);
    return text_of(arena, root);
}

struct stile_str answer_capability(struct stile_arena *arena,
                                   const struct gateway *g)
{
    struct stile_value *root = stile_value_new(arena, STILE_OBJECT);
    stile_value_set_str(arena, root, "resourceType",
                        STILE_STR("CapabilityStatement"));
    stile_value_set_str(arena, root, "status", STILE_STR("active"));
    char since[25];
    since[stile_time_format(g->started, since)] = '\0';
    stile_value_set_str(arena, root, "date",
                        stile_arena_str(arena, stile_str_cstr(since)));
    stile_value_set_str(arena, root, "kind", STILE_STR("instance"));
    stile_value_set_str(arena, root, "fhirVersion", STILE_STR("4.0.1"));
    stile_value_push(
        stile_value_set_new(arena, root, "format", STILE_ARRAY),
        stile_value_string(arena, STILE_STR("application/fhir+json")));
    struct stile_value *implementation =
        stile_value_set_new(arena, root, "implementation", STILE_OBJECT);
    stile_value_set_str(
        arena, implementation, "description",
        stile_arena_printf(arena, "stile %s, gateway %.*s of %.*s",
                           STILE_VERSION, STILE_FMT(g->config->name),
                           STILE_FMT(g->config->organisation)));
    struct stile_value *rest =
        stile_value_push(stile_value_set_new(arena, root, "rest", STILE_ARRAY),
                         stile_value_new(arena, STILE_OBJECT));
    stile_value_set_str(arena, rest, "mode", STILE_STR("server"));
    static const char *const verbs[] = {"transaction", "batch"};
    struct stile_value *list =
        stile_value_set_new(arena, rest, "interaction", STILE_ARRAY);
    for (size_t i = 0; i < 2; i++) {
        stile_value_set_str(
            arena, stile_value_push(list, stile_value_new(arena, STILE_OBJECT)),
            "code", stile_str_cstr(verbs[i]));
    }
    struct stile_value *operation = stile_value_push(
        stile_value_set_new(arena, rest, "operation", STILE_ARRAY),
        stile_value_new(arena, STILE_OBJECT));
    stile_value_set_str(arena, operation, "name", STILE_STR("process-message"));
    stile_value_set_str(arena, operation, "definition",
                        STILE_STR("http://hl7.org/fhir/OperationDefinition/"
                                  "MessageHeader-process-message"));
    return text_of(arena, root);
}
