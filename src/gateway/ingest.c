/*
 * The partner listener: who sends, what, in which format; a trip each.
 *
 *   POST /fhir                    transaction or batch Bundle
 *   POST /fhir/$process-message   message Bundle
 *   POST /fhir/{Type}             one resource
 *   GET  /fhir/metadata           CapabilityStatement
 *   POST /vcse/case               VCSE case, application/json or text/csv
 *
 * 202 goes out only after the accept is durable. A repeat of the same id and
 * bytes is given the stored answer; the same id with other bytes is 409.
 */
#include "gateway_private.h"

struct endpoint {
    const char *method, *path;
    bool prefix; /* anything below path */
    bool fhir;
};

static const struct endpoint endpoints[] = {
    {"GET", "/fhir/metadata", false, true},
    {"POST", "/fhir/$process-message", false, true},
    {"POST", "/fhir", false, true},
    {"POST", "/fhir/", true, true},
    {"POST", "/vcse/case", false, false},
};

static bool is_fhir_path(struct stile_str path)
{
    return stile_str_eqc(path, "/fhir") ||
           stile_str_starts(path, STILE_STR("/fhir/"));
}

static bool path_is(const struct endpoint *e, struct stile_str path)
{
    return e->prefix ? stile_str_starts(path, stile_str_cstr(e->path))
                     : stile_str_eqc(path, e->path);
}

/* NULL with *ret_status 404, or 405 when only the method is wrong. */
static const struct endpoint *find_endpoint(const struct stile_request *head,
                                            int *ret_status)
{
    *ret_status = 404;
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        if (!path_is(&endpoints[i], head->path)) {
            continue;
        }
        if (stile_str_eqc(head->method, endpoints[i].method)) {
            return &endpoints[i];
        }
        *ret_status = 405;
    }
    return NULL;
}

static const struct stile_partner_config *
partner_of(const struct gateway *g, const struct stile_peer *peer)
{
    for (size_t i = 0; i < g->config->partner_count; i++) {
        const struct stile_partner_config *p = &g->config->partners[i];
        for (size_t k = 0; k < p->certificate_count; k++) {
            if (stile_digest_eq(&p->certificates[k], &peer->fingerprint)) {
                return p;
            }
        }
    }
    return NULL;
}

/* ---- before the body is read ---- */

int ingest_on_head(void *ctx, const struct stile_request *head,
                   size_t *body_limit)
{
    struct gateway *g = ctx;
    int status = 0;
    if (partner_of(g, &head->peer) == NULL) {
        log_line(g, LOG_WARN, "refused",
                 "the certificate of %.*s is of no partner in the "
                 "configuration",
                 STILE_FMT(head->peer.common_name));
        g->counts.refused++;
        return 403;
    }
    if (find_endpoint(head, &status) == NULL) {
        return status;
    }
    if (g->draining || g->trips >= g->config->exchanges_max) {
        g->counts.refused++;
        return 503;
    }
    if (*body_limit > g->plan->plan.json.bytes) {
        *body_limit = g->plan->plan.json.bytes;
    }
    return 0;
}

/* What a sender can do about a refusal that came before the body was read. */
static const char *advice(int status, const char *reason)
{
    switch (status) {
    case 403:
        return "this certificate is of no partner here: ask the organisation "
               "to enter it";
    case 404:
        return "no such path: there are /fhir, /fhir/$process-message, "
               "/fhir/metadata and /vcse/case";
    case 405:
        return "not this method: POST messages, GET /fhir/metadata";
    case 413:
        return "the message is longer than one may be: split it";
    case 503:
        return "too much is in hand: send it again, with the same id, in a "
               "while";
    default:
        return reason;
    }
}

const char *ingest_on_refusal(void *ctx, struct stile_str path, int status,
                              const char *reason, struct stile_buf *out)
{
    (void)ctx;
    return answer_refusal(is_fhir_path(path), status, advice(status, reason),
                          out);
}

void ingest_on_note(void *ctx, const char *what, struct stile_str address)
{
    log_line(ctx, LOG_WARN, "connection", "%s (%.*s)", what,
             STILE_FMT(address));
}

/* ---- a message ---- */

/* The format a body is in, by Content-Type and path; NULL: 415. */
static const char *format_of(const struct stile_request *request, bool fhir)
{
    struct stile_str type = stile_request_header(request, "content-type");
    struct stile_str media =
        stile_str_trim(stile_str_sub(type, 0, stile_str_find(type, ';')));
    if (fhir) {
        return stile_str_eq_nocase(media, STILE_STR("application/fhir+json")) ||
                       stile_str_eq_nocase(media, STILE_STR("application/json"))
                   ? "fhir-json"
                   : NULL;
    }
    if (stile_str_eq_nocase(media, STILE_STR("text/csv"))) {
        return "vcse-csv";
    }
    return stile_str_eq_nocase(media, STILE_STR("application/json")) ||
                   stile_str_eq_nocase(
                       media, STILE_STR("application/vnd.vcse-case+json"))
               ? "vcse-json"
               : NULL;
}

/* Ids are sender's words: bounded, and of plain characters. */
static bool id_is_plain(struct stile_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] < 0x21 || id.ptr[i] > 0x7e || id.ptr[i] == '"') {
            return false;
        }
    }
    return id.len > 0 && id.len <= 128;
}

/* The header's value; "" when there is none, and what is no id when there are
 * two: which of them is meant could be read in two ways. */
static struct stile_str only_header(const struct stile_request *request,
                                    const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        count +=
            stile_str_eq_nocase(request->headers[i].name, stile_str_cstr(name));
    }
    return count > 1 ? STILE_STR("\"") : stile_request_header(request, name);
}

/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), else
 * X-Request-ID (PDS, BaRS), else the digest of the bytes. */
static struct stile_str message_id(struct stile_arena *arena,
                                   const struct stile_request *request)
{
    struct stile_str id = only_header(request, "idempotency-key");
    if (id.len == 0) {
        id = only_header(request, "x-request-id");
    }
    if (id.len > 1 && id.ptr[0] == '"' && id.ptr[id.len - 1] == '"') {
        id = stile_str_sub(id, 1, id.len - 2); /* structured-field string */
    }
    if (id.len > 0) {
        return stile_arena_str(arena, id);
    }
    struct stile_digest digest;
    char hex[65];
    stile_sha256(request->body, &digest);
    stile_digest_hex(&digest, hex);
    return stile_arena_str(arena, stile_str_cstr(hex));
}

static bool trip_is_fhir(const struct trip *trip)
{
    return stile_str_eqc(trip->message.format, "fhir-json");
}

/* On the pool: the answer is made before the accept, which keeps it for a
 * repeat; it goes out only after. */
static void make_answer(struct trip *trip)
{
    bool fhir = trip_is_fhir(trip);
    if (trip->begun == STILE_OK) {
        trip->answer_status = 202;
        trip->answer_body = answer_accepted(trip, fhir);
        return;
    }
    trip->answer_status = trip->begun == STILE_LIMIT ? 413 : 422;
    trip->answer_body = answer_findings(trip, fhir, trip->answer_status);
}

static void answer_trip(struct trip *trip, struct stile_call *call)
{
    bool fhir = trip_is_fhir(trip);
    switch (trip->status) {
    case STILE_OK: {
        struct stile_header headers[] = {
            {STILE_STR("X-Request-ID"), trip->message.id},
            {STILE_STR("Cache-Control"), STILE_STR("no-store")}};
        bool bad = trip->answer_status >= 400;
        struct stile_answer answer = {
            .status = trip->answer_status,
            .content_type = fhir  ? STILE_STR("application/fhir+json; "
                                               "charset=utf-8")
                            : bad ? STILE_STR("application/problem+json")
                                  : STILE_STR("application/json"),
            .body = trip->answer_body,
            .headers = headers,
            .header_count = 2};
        stile_call_answer(call, &answer);
        return;
    }
    case STILE_CONFLICT:
        answer_problem(call, fhir, 409, "duplicate",
                       "another message was accepted under this id: use a new "
                       "Idempotency-Key or X-Request-ID");
        return;
    case STILE_LIMIT:
        answer_problem(call, fhir, 413, "too-long",
                       "the message needs more than one may: split it");
        return;
    default:
        answer_problem(call, fhir, 503, "transient",
                       "the message was not taken: send it again, with the "
                       "same id, in a while");
    }
}

static void trip_ended(struct trip *trip)
{
    struct gateway *g = trip->g;
    struct stile_call *call = trip->owner;
    if (trip->status != STILE_OK) {
        log_line(g, LOG_ERROR, "not-taken",
                 "a message from %.*s was not accepted: %s",
                 STILE_FMT(trip->message.source),
                 stile_status_text(trip->status));
    } else if (trip->repeated) {
        log_line(g, LOG_INFO, "repeated",
                 "message from %.*s was accepted before; the stored answer "
                 "was given",
                 STILE_FMT(trip->message.source));
    } else {
        trip_log(trip);
    }
    answer_trip(trip, call);
    trip_free(&trip);
}

static void begin_trip(struct gateway *g, struct stile_call *call,
                       const struct stile_request *request,
                       const struct stile_partner_config *partner,
                       const char *format)
{
    struct trip *trip = trip_new(g);
    if (trip == NULL) {
        answer_problem(call, is_fhir_path(request->path), 503, "throttled",
                       "too much is in hand: send it again in a while");
        return;
    }
    bool fhir = strcmp(format, "fhir-json") == 0;
    stile_time now = stile_now();
    trip->message = (struct stile_message){
        .id = message_id(trip->arena, request),
        .source = partner->partner.name,
        .source_ods = partner->partner.ods,
        .family = fhir ? STILE_STR("fhir") : STILE_STR("vcse-case"),
        .name = STILE_STR("message"),
        .format = stile_str_cstr(format),
        .bytes = stile_arena_str(trip->arena, request->body),
        .received = now,
        .now = now,
        .dedupe = true};
    trip->owner = call;
    trip->answer = make_answer;
    trip->done = trip_ended;
    if (!id_is_plain(trip->message.id)) {
        answer_problem(call, fhir, 400, "value",
                       "Idempotency-Key or X-Request-ID must be given once, in "
                       "1 to 128 plain characters without a quote inside");
        trip_free(&trip);
        return;
    }
    trip_start(trip);
}

static void answer_metadata(struct gateway *g, struct stile_call *call)
{
    struct stile_arena *arena = stile_arena_new(1u << 20);
    struct stile_answer answer = {
        .status = 200,
        .content_type = STILE_STR("application/fhir+json; charset=utf-8"),
        .body = answer_capability(arena, g)};
    stile_call_answer(call, &answer);
    stile_arena_free(&arena);
}

void ingest_on_request(void *ctx, struct stile_call *call,
                       const struct stile_request *request)
{
    struct gateway *g = ctx;
    int status = 0;
    const struct endpoint *endpoint = find_endpoint(request, &status);
    const struct stile_partner_config *partner = partner_of(g, &request->peer);
    bool fhir = is_fhir_path(request->path);
    if (partner == NULL || endpoint == NULL) { /* on_head said so already */
        answer_problem(call, fhir, partner == NULL ? 403 : status, "forbidden",
                       "not for this certificate, or no such path");
        return;
    }
    if (stile_str_eqc(request->method, "GET")) {
        answer_metadata(g, call);
        return;
    }
    const char *format = format_of(request, fhir);
    if (format == NULL) {
        answer_problem(call, fhir, 415, "not-supported",
                       fhir ? "send application/fhir+json"
                            : "send application/json or text/csv");
        return;
    }
    begin_trip(g, call, request, partner, format);
}
