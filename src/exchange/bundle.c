/*
 * A FHIR R4 Bundle, or a single resource, to the pivot.
 *
 * Bundle types taken: message, transaction, batch, collection (R4
 * bundle.html). A DELETE entry becomes a deletion. References by fullUrl are
 * rewritten to Type/id, so that everything downstream sees one kind of
 * reference (R4 bundle.html#references).
 */
#include "exchange_private.h"

#define NHS_NUMBER_SYSTEM "https://fhir.nhs.uk/Id/nhs-number"

static void finding(struct stile_exchange *x, const char *code,
                    const struct stile_value *at, const char *message)
{
    struct stile_buf place;
    stile_buf_init(&place, 1024);
    if (at != NULL) {
        stile_value_place(at, &place);
    }
    (void)stile_diag_at_record(&x->diags, code, STILE_ERROR, x->message->name,
                               0, stile_buf_str(&place), message);
    stile_buf_release(&place);
}

/* Wherever one is written: a Patient's own, one by which a reference names a
 * person, one inside a contained resource. */
static void check_nhs_numbers(struct stile_exchange *x,
                              const struct stile_value *value)
{
    if (value->kind == STILE_OBJECT &&
        stile_str_eqc(stile_value_text(value, "system"), NHS_NUMBER_SYSTEM) &&
        stile_value_getc(value, "value") != NULL &&
        !stile_nhs_number_valid(stile_value_text(value, "value"))) {
        finding(x, "X101", value,
                "the NHS number fails its check digit: correct it at the "
                "source and send the message again");
    }
    for (const struct stile_value *child = value->first; child;
         child = child->next) {
        check_nhs_numbers(x, child);
    }
}

/* A resource to be created has no id (R4 http.html#create); the receiver is
 * told one, the same whenever this message is read. Without it two persons
 * would both be "Patient/". */
static void give_id(struct stile_exchange *x, struct stile_value *resource)
{
    struct stile_digest digest;
    char hex[65];
    struct stile_str text = stile_arena_printf(
        x->arena, "%.*s\x1f%.*s\x1f%zu", STILE_FMT(x->message->source),
        STILE_FMT(x->message->id), x->pivot.count);
    stile_sha256(text, &digest);
    stile_digest_hex(&digest, hex);
    (void)stile_value_set_str(
        x->arena, resource, "id",
        stile_arena_str(x->arena, (struct stile_str){hex, 32}));
}

static void add_resource(struct stile_exchange *x, struct stile_value *resource)
{
    if (stile_value_getc(resource, "id") == NULL) {
        give_id(x, resource);
    }
    struct stile_value **slot =
        stile__list_add(x->arena, &x->pivot, sizeof(struct stile_value *));
    if (slot != NULL) {
        *slot = resource;
    }
    stile_fhir_check(resource, x->message->name, &x->diags);
    check_nhs_numbers(x, resource);
}

/* R4 datatypes.html#id */
static bool is_id(struct stile_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!good) {
            return false;
        }
    }
    return id.len > 0 && id.len <= 64;
}

static void add_deletion(struct stile_exchange *x,
                         const struct stile_value *entry, struct stile_str url)
{
    size_t slash = stile_str_find(url, '/');
    struct stile_str type = stile_str_sub(url, 0, slash);
    struct stile_str id = slash == SIZE_MAX
                              ? STILE_STR_NULL
                              : stile_str_sub(url, slash + 1, SIZE_MAX);
    if (!is_id(type) || !is_id(id)) {
        finding(x, "X104", entry,
                "a DELETE entry's request.url must be Type/id");
        return;
    }
    struct stile__deleted *gone =
        stile__list_add(x->arena, &x->deleted, sizeof(*gone));
    if (gone != NULL) {
        gone->type = type;
        gone->id = id;
    }
}

/* Other entries refer to this one by its fullUrl, a UUID or an address (R4
 * bundle.html#references). Without an id it takes the UUID. */
static void settle_id(struct stile_exchange *x, struct stile_value *resource,
                      struct stile_str full_url, struct stile__map *renames)
{
    struct stile_str prefix = STILE_STR("urn:uuid:");
    if (stile_str_starts(full_url, prefix) &&
        stile_value_getc(resource, "id") == NULL) {
        (void)stile_value_set_str(
            x->arena, resource, "id",
            stile_str_sub(full_url, prefix.len, SIZE_MAX));
    }
    add_resource(x, resource);
    struct stile_str *name = stile_arena_alloc(x->arena, sizeof(*name));
    if (name != NULL && stile_str_find(full_url, ':') != SIZE_MAX) {
        *name = stile__resource_ref(x->arena, resource);
        stile__map_put(x->arena, renames, full_url, name);
    }
}

/* The last "Type/id" of an address, or empty. */
static struct stile_str address_tail(struct stile_str url)
{
    size_t slashes = 0, at = url.len;
    while (at > 0 && slashes < 2) {
        slashes += url.ptr[--at] == '/';
    }
    return slashes == 2 ? stile_str_sub(url, at + 1, SIZE_MAX) : STILE_STR_NULL;
}

/* One kind of reference downstream: a version is no other resource, and an
 * address that ends in a resource of the message means that one. A refusal
 * must not go unheard because its subject was written another way. */
static void fold_reference(struct stile_value *reference,
                           const struct stile__map *renames,
                           const struct stile__map *here)
{
    size_t version =
        stile_str_find_str(reference->text, STILE_STR("/_history/"));
    reference->text = stile_str_sub(reference->text, 0, version);
    const struct stile_str *name = stile__map_get(renames, reference->text);
    if (name == NULL) {
        name = stile__map_get(here, address_tail(reference->text));
    }
    if (name != NULL) {
        reference->text = *name;
    }
}

static void rename_references(struct stile_value *value,
                              const struct stile__map *renames,
                              const struct stile__map *here)
{
    for (struct stile_value *child = value->first; child; child = child->next) {
        if (child->kind == STILE_STRING &&
            stile_str_eqc(child->name, "reference")) {
            fold_reference(child, renames, here);
        }
        rename_references(child, renames, here);
    }
}

/* Every "Type/id" of the message. Two resources of one name would be one at
 * the receiver, and whichever is read last would win. */
static void index_pivot(struct stile_exchange *x, struct stile__map *here)
{
    struct stile_value **pivot = x->pivot.items;
    for (size_t i = 0; i < x->pivot.count; i++) {
        struct stile_str *name = stile_arena_alloc(x->arena, sizeof(*name));
        if (name == NULL || stile_value_text(pivot[i], "id").len == 0) {
            continue;
        }
        *name = stile__resource_ref(x->arena, pivot[i]);
        if (stile__map_get(here, *name) != NULL) {
            finding(x, "X111", pivot[i],
                    "another resource of the message has this type and id: "
                    "give each its own");
        }
        stile__map_put(x->arena, here, *name, name);
    }
}

static void flatten_entry(struct stile_exchange *x, struct stile_value *entry,
                          struct stile__map *renames)
{
    struct stile_str method =
        stile_value_text(stile_value_getc(entry, "request"), "method");
    if (stile_str_eqc(method, "DELETE")) {
        add_deletion(
            x, entry,
            stile_value_text(stile_value_getc(entry, "request"), "url"));
        return;
    }
    struct stile_value *resource = stile_value_getc(entry, "resource");
    if (resource == NULL || resource->kind != STILE_OBJECT) {
        finding(x, "X104", entry,
                "the entry holds no resource: give one, or "
                "a DELETE request");
        return;
    }
    settle_id(x, resource, stile_value_text(entry, "fullUrl"), renames);
}

static bool bundle_type_taken(struct stile_str type)
{
    return stile_str_eqc(type, "message") ||
           stile_str_eqc(type, "transaction") || stile_str_eqc(type, "batch") ||
           stile_str_eqc(type, "collection");
}

enum stile_status stile__flatten(struct stile_exchange *x,
                                 struct stile_value *root)
{
    struct stile__map renames = {0};
    if (!stile_str_eqc(stile_value_text(root, "resourceType"), "Bundle")) {
        add_resource(x, root);
    } else if (!bundle_type_taken(stile_value_text(root, "type"))) {
        finding(x, "X104", root,
                "Bundle.type must be message, transaction, batch or "
                "collection");
    } else {
        struct stile_value *entries = stile_value_getc(root, "entry");
        for (struct stile_value *e = entries ? entries->first : NULL; e;
             e = e->next) {
            flatten_entry(x, e, &renames);
        }
    }
    struct stile__map here = {0};
    index_pivot(x, &here);
    struct stile_value **pivot = x->pivot.items;
    for (size_t i = 0; i < x->pivot.count; i++) {
        rename_references(pivot[i], &renames, &here);
    }
    return x->diags.errors > 0 ? STILE_INVALID : STILE_OK;
}
