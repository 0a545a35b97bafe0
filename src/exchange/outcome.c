/*
 * FINISH: persons x routes to one struct stile_accept.
 *
 * A message is passed on whole. An export shows a person's whole record each
 * time, so only what changed since the route last sent it goes out, and what
 * vanished at the source is deleted at the receiver.
 */
#include "exchange_private.h"

bool stile__is_export(const struct stile_exchange *x)
{
    return x->message->format.len == 0;
}

const struct stile_need *stile__answer_of(const struct stile_exchange *x,
                                          const struct stile__person *person)
{
    return (const struct stile_need *)x->needs.items + person->need;
}

/* An id is unique at its source only: two partners may both count from 1. */
struct stile_str stile__message_id(struct stile_exchange *x, size_t person)
{
    return stile_arena_printf(x->arena, "%.*s/%.*s.%zu",
                              STILE_FMT(x->message->source),
                              STILE_FMT(x->message->id), person);
}

void stile__add_entry(struct stile_exchange *x, struct stile_str entry)
{
    struct stile_str *slot =
        stile__list_add(x->arena, &x->entries, sizeof(*slot));
    if (slot != NULL) {
        *slot = entry;
    }
}

/* ---- one person, one route ---- */

static int reason_rank(const struct stile_reason *reason)
{
    if (reason->rule.len == 0) {
        return reason->need.len > 0 ? 0 : 2;
    }
    return 1;
}

static void say_withheld(struct stile_exchange *x,
                         const struct stile__trip *trip)
{
    const struct stile_partner *partner = &x->plan->partners[trip->route->to];
    const struct stile_decision *d = trip->decision;
    struct stile_str why = stile_str_cstr(trip->blocked);
    const struct stile_reason *best = NULL;
    /* Of the whole, the first failing need of a share says most; then the
     * first rule that kept something back. */
    for (size_t i = 0; trip->blocked == NULL && i < d->count; i++) {
        const struct stile_reason *r = d->items[i].reasons;
        if (d->items[i].reason_count > 0 &&
            (best == NULL || reason_rank(r) < reason_rank(best))) {
            best = r;
        }
    }
    if (best != NULL) {
        why = best->sentence;
    }
    stile__event(x, STILE_EVENT_WITHHELD, trip->route->name,
                 "nothing goes to %.*s under %.*s: %.*s",
                 STILE_FMT(partner->name), STILE_FMT(trip->route->agreement),
                 STILE_FMT(why));
}

static void say_changed(struct stile_exchange *x,
                        const struct stile__trip *trip)
{
    if (trip->decision == NULL || trip->decision->withheld +
                                          trip->decision->changed +
                                          trip->decision->held ==
                                      0) {
        return;
    }
    const struct stile_partner *partner = &x->plan->partners[trip->route->to];
    struct stile_buf text;
    stile_buf_init(&text, 1u << 16);
    stile_decision_print(trip->decision, &text);
    struct stile_str rest = stile_buf_str(&text), line;
    while (stile_str_next(&rest, '\n', &line)) {
        line = stile_str_trim(line);
        if (stile_str_starts(line, STILE_STR("withhold "))) {
            line = stile_str_sub(line, 9, SIZE_MAX); /* the event says it */
        }
        if (line.len > 0 && !stile_str_starts(line, STILE_STR("release"))) {
            stile__event(x, STILE_EVENT_WITHHELD, trip->route->name,
                         "for %.*s: %.*s", STILE_FMT(partner->name),
                         STILE_FMT(line));
        }
    }
    stile_buf_release(&text);
}

static struct stile_str row_key(struct stile_exchange *x,
                                const struct stile__trip *trip)
{
    struct stile_digest digest;
    char hex[65];
    struct stile_str text = stile_arena_printf(
        x->arena, "%.*s\x1f%.*s\x1f%.*s", STILE_FMT(x->plan->gateway),
        STILE_FMT(trip->message_id), STILE_FMT(trip->route->name));
    stile_sha256(text, &digest);
    stile_digest_hex(&digest, hex);
    return stile_arena_str(x->arena, stile_str_cstr(hex));
}

/* One lane a person and partner, and no person's number in its name. */
static struct stile_str lane_of(const struct stile__trip *trip)
{
    char hex[65];
    const struct stile_partner *partner =
        &trip->plan->partners[trip->route->to];
    stile_audit_commit(trip->keys->salt,
                       stile_arena_printf(trip->arena, "%.*s\x1f%.*s",
                                          STILE_FMT(trip->person),
                                          STILE_FMT(partner->name)),
                       hex);
    return stile_arena_str(trip->arena, stile_str_cstr(hex));
}

enum stile_status stile__make_row(const struct stile__trip *trip,
                                  struct stile_str body,
                                  struct stile_outbox_new *ret)
{
    const struct stile_format *format = stile_format_find(trip->route->format);
    if (format == NULL) {
        return STILE_LIMIT;
    }
    *ret = (struct stile_outbox_new){
        .route = trip->route->name,
        .partner = trip->plan->partners[trip->route->to].name,
        .format = trip->route->format,
        .media_type = stile_str_cstr(format->media_type),
        .lane = lane_of(trip),
        .body = body,
        .message_id = trip->message_id,
        .rules = stile_plan_ground(trip->plan, trip->now),
        .epoch = trip->epoch,
        .due = trip->now};
    return STILE_OK;
}

static enum stile_status queue_row(struct stile_exchange *x,
                                   const struct stile__trip *trip,
                                   struct stile_str body)
{
    struct stile_outbox_new *row =
        stile__list_add(x->arena, &x->out_rows, sizeof(*row));
    if (row == NULL) {
        return STILE_LIMIT;
    }
    enum stile_status status = stile__make_row(trip, body, row);
    row->key = row_key(x, trip);
    return status;
}

/* The exchange cannot say it in the partner's format: the person's message
 * is kept in quarantine for a person to look at, with the findings. */
static void quarantine_person(struct stile_exchange *x,
                              const struct stile__trip *trip,
                              const struct stile__person *person,
                              size_t diags_before)
{
    struct stile_quarantine_new *q =
        stile__list_add(x->arena, &x->quarantine, sizeof(*q));
    if (q == NULL) {
        return;
    }
    struct stile_buf reason;
    stile_buf_init(&reason, 1u << 16);
    for (size_t i = diags_before; i < x->diags.count; i++) {
        stile_diag_print(&x->diags.items[i], false, &reason);
    }
    q->source = x->message->source;
    q->name = stile_arena_printf(x->arena, "route %.*s",
                                 STILE_FMT(trip->route->name));
    q->bytes = stile__keep(x, person);
    q->reason = stile_arena_str(x->arena, stile_buf_str(&reason));
    stile_buf_release(&reason);
    stile__event(x, STILE_EVENT_QUARANTINE, trip->route->name,
                 "could not be written as %.*s and is in quarantine",
                 STILE_FMT(trip->route->format));
}

/* A row that is decided again still deletes what it was made to delete. */
static enum stile_status remember_gone(struct stile_exchange *x,
                                       const struct stile__trip *trip,
                                       const struct stile__list *deleted)
{
    struct stile__gone *gone =
        stile__list_add(x->arena, &x->gone, sizeof(*gone));
    if (gone == NULL) {
        return STILE_LIMIT;
    }
    gone->route = trip->route->name;
    gone->deleted = *deleted;
    return STILE_OK;
}

static void say_forward(struct stile_exchange *x,
                        const struct stile__trip *trip, size_t count,
                        size_t deleted)
{
    const struct stile_partner *partner = &x->plan->partners[trip->route->to];
    char to[200], gone[40] = "";
    int n = partner->own ? snprintf(to, sizeof(to), "our own %.*s",
                                    STILE_FMT(partner->name))
                         : snprintf(to, sizeof(to), "%.*s under %.*s",
                                    STILE_FMT(partner->name),
                                    STILE_FMT(trip->route->agreement));
    if (deleted > 0) {
        n |= snprintf(gone, sizeof(gone), ", %zu %s", deleted,
                      deleted == 1 ? "deletion" : "deletions");
    }
    STILE_ASSERT(n >= 0);
    stile__event(x, STILE_EVENT_FORWARD, trip->route->name,
                 "to %s as %.*s: %zu of %zu %s%s", to,
                 STILE_FMT(trip->route->format), count, trip->resource_count,
                 trip->resource_count == 1 ? "resource" : "resources", gone);
}

/* What rests on a claim nobody has checked is looked at afterwards. */
static void say_notify(struct stile_exchange *x, const struct stile__trip *trip)
{
    const struct stile_decision *decision = trip->decision;
    for (size_t i = 0; decision != NULL && i < decision->notify_count; i++) {
        if (stile_str_eqc(decision->notify[i], "privacy-officer")) {
            stile__event(x, STILE_EVENT_NOTIFY, trip->route->name,
                         "the privacy officer is to look at what goes to %.*s "
                         "under %.*s: see stile audit show --notify",
                         STILE_FMT(x->plan->partners[trip->route->to].name),
                         STILE_FMT(trip->route->agreement));
        }
    }
}

static enum stile_status send(struct stile_exchange *x,
                              struct stile__trip *trip,
                              const struct stile__person *person,
                              struct stile_value *const *resources,
                              size_t count, const struct stile__list *deleted)
{
    struct stile_buf out;
    size_t before = x->diags.count;
    stile_buf_init(&out, x->plan->json.bytes);
    enum stile_status status = stile__encode(
        trip, resources, count, deleted->items, deleted->count, &out);
    struct stile_str body = STILE_STR_NULL;
    if (status == STILE_OK) {
        body = stile_arena_str(x->arena, stile_buf_str(&out));
        status = queue_row(x, trip, body);
    }
    stile_buf_release(&out);
    if (status == STILE_OK && stile__is_export(x)) {
        status = remember_gone(x, trip, deleted);
    }
    if (status == STILE_INVALID || status == STILE_LIMIT) {
        quarantine_person(x, trip, person, before);
        stile__add_entry(
            x, stile__entry_decision(trip, "quarantine", STILE_STR_NULL));
        return STILE_OK;
    }
    if (status != STILE_OK) {
        return status;
    }
    const struct stile_partner *partner = &x->plan->partners[trip->route->to];
    /* Deletions of what went before need no decision. */
    const char *type = partner->own             ? "inward"
                       : trip->decision == NULL ? "deletion"
                                                : "disclosure";
    stile__add_entry(x, stile__entry_decision(trip, type, body));
    say_forward(x, trip, count, deleted->count);
    say_changed(x, trip);
    say_notify(x, trip);
    return STILE_OK;
}

static enum stile_status send_changed(struct stile_exchange *x,
                                      struct stile__trip *trip,
                                      const struct stile__person *person)
{
    const struct stile_need *answer = stile__answer_of(x, person);
    struct stile__list changed = {0}, deleted = {0};
    enum stile_status status =
        stile__changed_resources(x, trip, answer, &changed);
    if (status == STILE_OK) {
        status = stile__vanished_resources(x, trip, answer, &deleted);
    }
    if (status != STILE_OK || changed.count + deleted.count == 0) {
        return status;
    }
    bool fhir = stile_str_eqc(trip->route->format, "fhir-json");
    if (!fhir && trip->released_count == 0) {
        stile__event(x, STILE_EVENT_WITHHELD, trip->route->name,
                     "%zu deletions cannot be said in %.*s: tell the receiver",
                     deleted.count, STILE_FMT(trip->route->format));
        return STILE_OK;
    }
    if (!fhir) {
        /* A case file is one whole: it goes again with what it now holds. */
        return send(x, trip, person, trip->released, trip->released_count,
                    &deleted);
    }
    /* The Patient goes along, so that a receiver can tell whose it is. */
    struct stile__list out = {0};
    for (size_t i = 0; i < trip->released_count; i++) {
        bool keep = stile_str_eqc(
            stile_value_text(trip->released[i], "resourceType"), "Patient");
        for (size_t k = 0; k < changed.count && !keep; k++) {
            keep =
                ((struct stile_value **)changed.items)[k] == trip->released[i];
        }
        struct stile_value **slot =
            keep ? stile__list_add(x->arena, &out, sizeof(struct stile_value *))
                 : NULL;
        if (slot != NULL) {
            *slot = trip->released[i];
        }
    }
    return send(x, trip, person, out.items, out.count, &deleted);
}

static enum stile_status send_changes(struct stile_exchange *x,
                                      struct stile__trip *trip,
                                      const struct stile__person *person)
{
    size_t marks = x->sent.count, put_aside = x->quarantine.count;
    enum stile_status status = send_changed(x, trip, person);
    if (x->quarantine.count > put_aside) {
        x->sent.count = marks; /* it was not sent after all */
    }
    return status;
}

static enum stile_status along_route(struct stile_exchange *x,
                                     struct stile__trip *trip,
                                     const struct stile__person *person)
{
    enum stile_status status =
        x->message->gone ? STILE_OK : stile__decide(trip);
    if (status != STILE_OK) {
        return status;
    }
    if (!x->plan->partners[trip->route->to].own) {
        status = stile__ask_review(x, trip);
        if (status != STILE_OK) {
            return status;
        }
    }
    if (trip->decision != NULL && trip->released_count == 0) {
        say_withheld(x, trip);
        stile__add_entry(x,
                         stile__entry_decision(trip, "denial", STILE_STR_NULL));
        /* What was sent before and is deleted at the source is deleted there
         * too: it says no more than the receiver was told. */
        return stile__is_export(x) ? send_changes(x, trip, person) : STILE_OK;
    }
    if (stile__is_export(x)) {
        return send_changes(x, trip, person);
    }
    return send(x, trip, person, trip->released, trip->released_count,
                &person->deleted);
}

static bool has_patient(const struct stile__person *person)
{
    struct stile_value *const *resources = person->resources.items;
    for (size_t i = 0; i < person->resources.count; i++) {
        if (stile_str_eqc(stile_value_text(resources[i], "resourceType"),
                          "Patient")) {
            return true;
        }
    }
    return false;
}

/* An export shows whole records: rows without a usable Patient cannot be told
 * whose they are, so none of them leaves. */
static bool is_nobodys(struct stile_exchange *x,
                       const struct stile__person *person)
{
    if (!stile__is_export(x) || has_patient(person)) {
        return false;
    }
    stile__event(x, STILE_EVENT_WITHHELD, STILE_STR_NULL,
                 "nothing goes anywhere: the record holds no usable Patient "
                 "(see the quarantine); %zu resources stay",
                 person->resources.count);
    return true;
}

static enum stile_status one_person(struct stile_exchange *x, size_t i)
{
    const struct stile__person *person =
        (const struct stile__person *)x->persons.items + i;
    const struct stile_need *answer = stile__answer_of(x, person);
    size_t rows_before = x->out_rows.count, reviews_before = x->reviews.count;
    x->gone.count = 0;
    if (is_nobodys(x, person)) {
        stile__add_entry(x, stile__entry_received(x, "no-patient"));
        return STILE_OK;
    }
    enum stile_status status = stile__learn_facts(x, person);
    for (size_t r = 0; r < x->plan->route_count && status == STILE_OK; r++) {
        if (!stile_str_eq(x->plan->routes[r].from, x->message->source)) {
            continue;
        }
        struct stile__trip trip = {
            .plan = x->plan,
            .route = &x->plan->routes[r],
            .keys = x->keys,
            .arena = x->arena,
            .diags = &x->diags,
            .family = x->message->family,
            .person = person->key,
            .resources = person->resources.items,
            .resource_count = x->message->gone ? 0 : person->resources.count,
            .stored = answer->facts,
            .stored_count = answer->fact_count,
            /* The epoch of the facts that were read. What this message
             * teaches moves it on, so its rows are decided again before they
             * go: to count that in here would hide what another message
             * taught meanwhile. */
            .epoch = answer->epoch,
            .doubt = x->doubt && x->persons.count == 1,
            .now = x->message->now,
            .exported = x->message->now,
            .message_id = stile__message_id(x, i),
            .reviewed = answer->reviewed,
            .reviewed_count = answer->reviewed_count};
        status = along_route(x, &trip, person);
    }
    if (status != STILE_OK || (x->out_rows.count == rows_before &&
                               x->reviews.count == reviews_before)) {
        return status;
    }
    struct stile_kept_message *kept =
        stile__list_add(x->arena, &x->messages, sizeof(*kept));
    if (kept == NULL) {
        return STILE_LIMIT;
    }
    kept->id = stile__message_id(x, i);
    kept->person = person->key;
    kept->body = stile__keep(x, person);
    return kept->body.ptr == NULL ? STILE_LIMIT : STILE_OK;
}

/* ---- the whole ---- */

static struct stile_str first_error(const struct stile_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        if (diags->items[i].severity == STILE_ERROR) {
            return diags->items[i].message;
        }
    }
    return STILE_STR("see its findings");
}

void stile__quarantine_whole(struct stile_exchange *x)
{
    struct stile_quarantine_new *q =
        stile__list_add(x->arena, &x->quarantine, sizeof(*q));
    if (q == NULL) {
        return;
    }
    struct stile_buf reason;
    stile_buf_init(&reason, 1u << 16);
    stile_diags_print(&x->diags, false, &reason);
    q->source = x->message->source;
    q->name = x->message->name;
    /* An export's rows stay in the mirror: whose they are is enough. */
    q->bytes =
        stile__is_export(x) ? x->message->feed_person : x->message->bytes;
    q->reason = stile_arena_str(x->arena, stile_buf_str(&reason));
    stile_buf_release(&reason);
    stile__event(x, STILE_EVENT_QUARANTINE, STILE_STR_NULL,
                 "the message from %.*s could not be used and is in "
                 "quarantine: %.*s",
                 STILE_FMT(x->message->source),
                 STILE_FMT(first_error(&x->diags)));
}

static bool no_row_used(const struct stile_exchange *x)
{
    size_t read = 0, used = 0;
    stile_exchange_rows(x, &read, &used);
    return read > 0 && used == 0;
}

static void fill(struct stile_exchange *x, struct stile_accept *accept)
{
    const struct stile_message *message = x->message;
    *accept = (struct stile_accept){.now = message->now};
    /* What could not be used may be sent again once it is mended here. */
    if (message->dedupe && x->stage != STAGE_BROKEN && !no_row_used(x)) {
        accept->source = message->source;
        accept->key = message->id;
        stile_sha256(message->bytes, &accept->digest);
    }
    accept->messages = x->messages.items;
    accept->message_count = x->messages.count;
    accept->rows = x->out_rows.items;
    accept->row_count = x->out_rows.count;
    accept->entries = x->entries.items;
    accept->entry_count = x->entries.count;
    accept->facts = x->facts.items;
    accept->fact_count = x->facts.count;
    accept->sent = x->sent.items;
    accept->sent_count = x->sent.count;
    accept->quarantine = x->quarantine.items;
    accept->quarantine_count = x->quarantine.count;
    accept->held = x->held.items;
    accept->held_count = x->held.count;
    accept->review_ends = x->review_ends.items;
    accept->review_end_count = x->review_ends.count;
    accept->review_seen = x->review_seen.items;
    accept->review_seen_count = x->review_seen.count;
    accept->reviews = x->reviews.items;
    accept->review_count = x->reviews.count;
    accept->clear_feed = message->feed;
    accept->clear_person = message->feed_person;
    accept->clear_batch = message->feed_batch;
}

enum stile_status stile__outcome(struct stile_exchange *x,
                                 struct stile_accept *ret)
{
    enum stile_status status = STILE_OK;
    if (x->stage == STAGE_BROKEN) {
        x->quarantine.count = 0; /* the whole holds its parts */
        x->held.count = 0;
        stile__quarantine_whole(x);
        stile__add_entry(x, stile__entry_received(x, "quarantine"));
    } else {
        if (!stile__is_export(x)) {
            stile__add_entry(x, stile__entry_received(x, "received"));
            stile__event(
                x, STILE_EVENT_RECEIVED, STILE_STR_NULL,
                "%.*s from %.*s: %zu %s, %zu %s", STILE_FMT(x->message->format),
                STILE_FMT(x->message->source), x->persons.count,
                x->persons.count == 1 ? "person" : "persons", x->pivot.count,
                x->pivot.count == 1 ? "resource" : "resources");
        }
        for (size_t i = 0; i < x->persons.count && status == STILE_OK; i++) {
            status = one_person(x, i);
        }
    }
    if (stile_arena_failed(x->arena)) {
        return STILE_LIMIT; /* also what said NOMEM when it was refused */
    }
    if (status != STILE_OK) {
        return status;
    }
    const struct stile_str *entries = x->entries.items;
    for (size_t i = 0; i < x->entries.count; i++) {
        if (entries[i].ptr == NULL) {
            return STILE_LIMIT; /* no disclosure without its entry */
        }
    }
    fill(x, ret);
    return STILE_OK;
}
