/*
 * Structural check of a resource against R4: what the tables of fhir.c can
 * tell. Rules of the JSON form: FHIR R4 section 2.6.1
 * (https://hl7.org/fhir/R4/json.html).
 */
#include "schema_private.h"

/* Deeper nesting than any decoder here lets in; a guard for trees made by
 * other means. */
#define MAX_DEPTH 200

struct check {
    struct stile_str message_name;
    struct stile_diags *diags;
};

static void check_object(const struct check *check,
                         const struct stile_value *object,
                         const struct stile_fhir_type *type, unsigned depth);

static bool plain_name(struct stile_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9' && i > 0) && !(c == '_' && i == 0)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= 64;
}

/* A member R4 does not know may be named anything, a person's name too: such
 * a place is told as the parent's and `?`. */
static void report(const struct check *check, const char *code,
                   const struct stile_value *at, struct stile_str member,
                   const char *message)
{
    struct stile_buf path;
    stile_buf_init(&path, 4096);
    stile_value_place(at, &path);
    if (member.ptr != NULL) {
        stile_buf_byte(&path, '.');
        stile_buf_add(&path, plain_name(member) ? member : STILE_STR("?"));
    }
    stile_diag_at_record(check->diags, code, STILE_ERROR, check->message_name,
                         0, stile_buf_str(&path), message);
    stile_buf_release(&path);
}

static void check_binding(const struct check *check,
                          const struct stile_fhir_element *element,
                          const struct stile_fhir_type *type,
                          const struct stile_value *value)
{
    struct stile_str name = stile_fhir_type_name(type);
    const struct stile_value *coding = NULL;
    if (element->binding != STILE_BIND_REQUIRED) {
        return;
    }
    if (value->kind == STILE_STRING) {
        if (stile_fhir_code_in(element->value_set, value->text) == 0) {
            report(check, "F107", value, STILE_STR_NULL,
                   "use a code of the element's required value set");
        }
        return;
    }
    if (stile_str_eqc(name, "CodeableConcept")) {
        const struct stile_value *list = stile_value_getc(value, "coding");
        coding = list != NULL ? list->first : NULL;
    } else if (stile_str_eqc(name, "Coding")) {
        coding = value;
    }
    if (coding == NULL) {
        return;
    }
    /* One coding of the value set is enough (FHIR R4 section 4.1.5). */
    for (const struct stile_value *c = coding; c != NULL;
         c = coding == value ? NULL : c->next) {
        struct stile_str code = stile_value_text(c, "code");
        if (code.ptr == NULL ||
            stile_fhir_code_in(element->value_set, code) != 0) {
            return;
        }
    }
    report(check, "F107", value, STILE_STR_NULL,
           "give one coding of the element's required value set");
}

static void check_primitive(const struct check *check,
                            const struct stile_fhir_element *element,
                            const struct stile_fhir_type *type,
                            const struct stile_value *value)
{
    if (value->kind != stile_fhir_primitive_kind(type)) {
        report(check, "F103", value, STILE_STR_NULL,
               "write the JSON kind this primitive type asks for");
        return;
    }
    if (value->kind != STILE_BOOL &&
        !stile__fhir_primitive_ok(stile_fhir_type_name(type), value->text)) {
        report(check, "F106", value, STILE_STR_NULL,
               "write the value in the format of its primitive type");
        return;
    }
    check_binding(check, element, type, value);
}

static void check_resource(const struct check *check,
                           const struct stile_value *value, unsigned depth)
{
    if (value->kind != STILE_OBJECT) {
        report(check, "F103", value, STILE_STR_NULL,
               "give a resource as a JSON object");
        return;
    }
    const struct stile_value *name = stile_value_getc(value, "resourceType");
    const struct stile_fhir_type *type =
        name != NULL && name->kind == STILE_STRING ? stile_fhir_type(name->text)
                                                   : NULL;
    if (type == NULL || !stile_fhir_type_is_resource(type) ||
        stile_str_eqc(stile_fhir_type_name(type), "Resource") ||
        stile_str_eqc(stile_fhir_type_name(type), "DomainResource")) {
        report(check, "F101", value, STILE_STR("resourceType"),
               "give resourceType as the name of an R4 resource");
        return;
    }
    check_object(check, value, type, depth);
}

static void check_one(const struct check *check,
                      const struct stile_fhir_element *element,
                      const struct stile_fhir_type *type,
                      const struct stile_value *value, bool shadow,
                      unsigned depth)
{
    bool primitive = stile_fhir_type_is_primitive(type);
    if (primitive && !shadow) {
        check_primitive(check, element, type, value);
        return;
    }
    if (stile_str_eqc(stile_fhir_type_name(type), "Resource")) {
        check_resource(check, value, depth);
        return;
    }
    if (value->kind != STILE_OBJECT) {
        report(check, "F103", value, STILE_STR_NULL,
               "give this element as a JSON object");
        return;
    }
    if (!shadow) {
        check_binding(check, element, type, value);
    }
    check_object(check, value, type, depth);
}

/* null may stand in a list of primitives or of their `_` twin, where the
 * other list has an item (FHIR R4 section 2.6.1.1). */
static bool null_allowed(const struct stile_value *item,
                         const struct stile_value *twin, size_t i)
{
    const struct stile_value *other =
        item->kind == STILE_NULL && twin != NULL && twin->kind == STILE_ARRAY
            ? stile_value_at(twin, i)
            : NULL;
    return other != NULL && other->kind != STILE_NULL;
}

static void check_member(const struct check *check,
                         const struct stile_value *object,
                         const struct stile_value *member,
                         const struct stile_fhir_element *element,
                         const struct stile_fhir_type *type, unsigned depth)
{
    bool shadow = member->name.ptr[0] == '_';
    const struct stile_value *twin = NULL;
    size_t i = 0;
    if (!element->many) {
        if (member->kind == STILE_ARRAY) {
            report(check, "F105", member, STILE_STR_NULL,
                   "give one value, not a list");
        } else {
            check_one(check, element, type, member, shadow, depth);
        }
        return;
    }
    if (member->kind != STILE_ARRAY) {
        report(check, "F105", member, STILE_STR_NULL,
               "give a list, also for one value");
        return;
    }
    if (member->count == 0) {
        report(check, "F109", member, STILE_STR_NULL,
               "leave the element out; FHIR JSON has no empty list");
    }
    if (shadow) {
        twin = stile_value_get(
            object, stile_str_sub(member->name, 1, member->name.len - 1));
    } else if (stile_fhir_type_is_primitive(type) && member->name.len < 95) {
        char name[96] = "_";
        memcpy(name + 1, member->name.ptr, member->name.len);
        twin = stile_value_get(object,
                               (struct stile_str){name, member->name.len + 1});
    }
    for (const struct stile_value *v = member->first; v != NULL;
         v = v->next, i++) {
        if (!null_allowed(v, twin, i)) {
            check_one(check, element, type, v, shadow, depth);
        }
    }
}

/* Is the element there, as itself or as a `_` twin with extensions? More
 * than one form of a choice is told by *ret_forms. */
static bool present(const struct stile_value *object,
                    const struct stile_fhir_type *type,
                    const struct stile_fhir_element *element,
                    unsigned *ret_forms)
{
    unsigned forms = 0;
    bool twin = false;
    for (const struct stile_value *m = object->first; m != NULL; m = m->next) {
        const struct stile_fhir_type *chosen = NULL;
        if (m->name.len == 0 ||
            stile_fhir_element_json(type, m->name, &chosen) != element) {
            continue;
        }
        if (m->name.ptr[0] == '_') {
            twin = true;
        } else {
            forms++;
        }
    }
    *ret_forms = forms;
    return forms > 0 || twin;
}

static void check_elements(const struct check *check,
                           const struct stile_value *object,
                           const struct stile_fhir_type *type)
{
    for (size_t i = 0; i < stile_fhir_element_count(type); i++) {
        const struct stile_fhir_element *element =
            stile_fhir_element_at(type, i);
        unsigned forms = 0;
        if (element->min == 0 && !element->choice) {
            continue;
        }
        bool there = present(object, type, element, &forms);
        if (!there && element->min > 0) {
            report(check, "F104", object, element->name,
                   "give this element; R4 requires it");
        }
        if (forms > 1) {
            report(check, "F108", object, element->name,
                   "give one type of this choice element, not several");
        }
    }
}

static void check_object(const struct check *check,
                         const struct stile_value *object,
                         const struct stile_fhir_type *type, unsigned depth)
{
    if (depth >= MAX_DEPTH) {
        report(check, "F110", object, STILE_STR_NULL,
               "nest the record less deeply");
        return;
    }
    if (object->count == 0) {
        report(check, "F109", object, STILE_STR_NULL,
               "leave the element out; FHIR JSON has no empty object");
        return;
    }
    for (const struct stile_value *m = object->first; m != NULL; m = m->next) {
        const struct stile_fhir_type *chosen = NULL;
        if (stile_fhir_type_is_resource(type) &&
            stile_str_eqc(m->name, "resourceType")) {
            continue;
        }
        const struct stile_fhir_element *element =
            m->name.len > 0 ? stile_fhir_element_json(type, m->name, &chosen)
                            : NULL;
        if (element == NULL ||
            (m->name.ptr[0] == '_' && !stile_fhir_type_is_primitive(chosen))) {
            report(check, "F102", object, m->name,
                   "remove this member or correct its name; R4 does not "
                   "know it");
            continue;
        }
        check_member(check, object, m, element, chosen, depth + 1);
    }
    check_elements(check, object, type);
}

void stile_fhir_check(const struct stile_value *resource,
                      struct stile_str message_name, struct stile_diags *diags)
{
    const struct check check = {message_name, diags};
    check_resource(&check, resource, 0);
}
