/*
 * What the audit log says: canonical JSON (RFC 8785 member order), no
 * clinical content, a person only as a salted commitment.
 */
#include <stdarg.h>

#include "exchange_private.h"

void stile__event(struct stile_exchange *x, enum stile_event_kind kind,
                  struct stile_str route, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct stile_event *event =
        stile__list_add(x->arena, &x->events, sizeof(*event));
    if (event == NULL || n < 0) {
        return;
    }
    size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    event->kind = kind;
    event->route = route;
    event->text = stile_arena_str(x->arena, (struct stile_str){text, len});
}

/* Insertion sort by name: entries have a dozen members a level. */
static void sort_members(struct stile_value *object)
{
    struct stile_value *sorted = NULL, *child = object->first, *next = NULL;
    for (; child != NULL; child = next) {
        next = child->next;
        struct stile_value **at = &sorted;
        while (*at != NULL && stile_str_cmp((*at)->name, child->name) < 0) {
            at = &(*at)->next;
        }
        child->next = *at;
        *at = child;
    }
    object->first = sorted;
    struct stile_value *prev = NULL;
    for (child = sorted; child != NULL; child = child->next) {
        child->prev = prev;
        prev = child;
    }
    object->last = prev;
}

static void canonical(struct stile_value *value)
{
    for (struct stile_value *child = value->first; child; child = child->next) {
        canonical(child);
    }
    if (value->kind == STILE_OBJECT) {
        sort_members(value);
    }
}

struct stile_str stile__canonical(struct stile_arena *arena,
                                  struct stile_value *entry)
{
    if (entry == NULL) {
        return STILE_STR_NULL; /* the arena is at its limit */
    }
    canonical(entry);
    struct stile_buf out;
    stile_buf_init(&out, 60000); /* below STILE_AUDIT_ENTRY_MAX */
    stile_value_json(entry, 0, &out);
    struct stile_str text = STILE_STR_NULL;
    if (out.status == STILE_OK) {
        text = stile_arena_str(arena, stile_buf_str(&out));
    }
    stile_buf_release(&out);
    return text;
}

static struct stile_value *begin_at(struct stile_str gateway,
                                    struct stile_str ods,
                                    struct stile_arena *arena, const char *type,
                                    stile_time now)
{
    struct stile_value *entry = stile_value_new(arena, STILE_OBJECT);
    char time[25];
    size_t len = stile_time_format(now, time);
    stile_value_set_str(arena, entry, "type", stile_str_cstr(type));
    stile_value_set_str(arena, entry, "time",
                        stile_arena_str(arena, (struct stile_str){time, len}));
    stile_value_set_str(arena, entry, "gateway", gateway);
    stile_value_set_str(arena, entry, "ods", ods);
    return entry;
}

struct stile_value *stile__entry_begin(const struct stile_plan *plan,
                                       struct stile_arena *arena,
                                       const char *type, stile_time now)
{
    return begin_at(plan->gateway, plan->ods, arena, type, now);
}

static void set_digest(struct stile_arena *arena, struct stile_value *entry,
                       const char *name, const struct stile_digest *digest)
{
    char hex[65];
    stile_digest_hex(digest, hex);
    stile_value_set_str(arena, entry, name,
                        stile_arena_str(arena, stile_str_cstr(hex)));
}

static void set_number(struct stile_arena *arena, struct stile_value *entry,
                       const char *name, size_t n)
{
    stile_value_set(
        entry, stile_str_cstr(name),
        stile_value_number(arena, stile_arena_printf(arena, "%zu", n)));
}

struct stile_str stile__entry_decision(struct stile__trip *trip,
                                       const char *type, struct stile_str body)
{
    struct stile_arena *arena = trip->arena;
    const struct stile_partner *partner =
        &trip->plan->partners[trip->route->to];
    struct stile_value *entry =
        stile__entry_begin(trip->plan, arena, type, trip->now);
    stile_value_set_str(arena, entry, "message", trip->message_id);
    stile_value_set_str(arena, entry, "route", trip->route->name);
    stile_value_set_str(arena, entry, "from", trip->route->from);
    stile_value_set_str(arena, entry, "to", partner->name);
    stile_value_set_str(arena, entry, "to-ods", partner->ods);
    stile_value_set_str(arena, entry, "format", trip->route->format);
    stile_value_set_str(arena, entry, "purpose", trip->route->purpose);
    stile_value_set_str(arena, entry, "agreement", trip->route->agreement);
    char person[65];
    stile_audit_commit(trip->keys->salt, trip->person, person);
    stile_value_set_str(arena, entry, "person",
                        stile_arena_str(arena, stile_str_cstr(person)));
    set_digest(arena, entry, "plan", &trip->plan->digest);
    struct stile_digest digest = stile_rules_digest(trip->plan->rules);
    set_digest(arena, entry, "rule-set", &digest);
    if (trip->decision != NULL) {
        stile_value_set(entry, STILE_STR("decision"),
                        stile_decision_value(trip->decision, arena));
        stile_value_set(entry, STILE_STR("ground"),
                        stile_decision_ground(trip->decision, arena));
    }
    if (trip->reviewing != NULL) {
        stile__entry_reviewing(trip->reviewing, trip->keys, arena, entry);
    }
    if (trip->blocked != NULL) {
        stile_value_set_str(arena, entry, "blocked",
                            stile_str_cstr(trip->blocked));
    }
    if (body.len > 0) {
        stile_sha256(body, &digest);
        set_digest(arena, entry, "output-sha256", &digest);
        set_number(arena, entry, "output-bytes", body.len);
        set_number(arena, entry, "resources", trip->released_count);
    }
    return stile__canonical(arena, entry);
}

struct stile_str stile__entry_received(struct stile_exchange *x,
                                       const char *type)
{
    struct stile_arena *arena = x->arena;
    struct stile_value *entry =
        stile__entry_begin(x->plan, arena, type, x->message->now);
    stile_value_set_str(arena, entry, "message", x->message->id);
    stile_value_set_str(arena, entry, "from", x->message->source);
    stile_value_set_str(arena, entry, "from-ods", x->message->source_ods);
    stile_value_set_str(arena, entry, "format", x->message->format);
    set_number(arena, entry, "persons", x->persons.count);
    set_number(arena, entry, "resources", x->pivot.count);
    set_number(arena, entry, "quarantined", x->quarantine.count);
    set_number(arena, entry, "waiting", x->held.count);
    if (x->message->bytes.len > 0) {
        struct stile_digest digest;
        stile_sha256(x->message->bytes, &digest);
        set_digest(arena, entry, "input-sha256", &digest);
        set_number(arena, entry, "input-bytes", x->message->bytes.len);
    }
    return stile__canonical(arena, entry);
}

struct stile_str stile_entry_act(const struct stile_house *house,
                                 const char *type, const struct stile_act *act,
                                 struct stile_value *more,
                                 struct stile_arena *arena)
{
    struct stile_value *entry =
        begin_at(house->gateway, house->ods, arena, type, act->at);
    stile_value_set(entry, STILE_STR("act"),
                    stile_act_value(house->officers, act, arena));
    struct stile_value *next = NULL;
    for (struct stile_value *child = more->first; child != NULL; child = next) {
        next = child->next;
        stile_value_set(entry, child->name, child);
    }
    return stile__canonical(arena, entry);
}
