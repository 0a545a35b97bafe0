/* The one array the makers stand in. */
#include "format_private.h"

const struct stile_format *const stile_formats[] = {
    &stile__format_fhir_json, &stile__format_vcse_json, &stile__format_vcse_csv,
    &stile__format_csv, NULL};

const struct stile_format *stile_format_find(struct stile_str name)
{
    for (size_t i = 0; stile_formats[i] != NULL; i++) {
        if (stile_str_eqc(name, stile_formats[i]->name)) {
            return stile_formats[i];
        }
    }
    return NULL;
}

const struct stile_format *stile_format_of_media(struct stile_str media_type)
{
    size_t end = stile_str_find(media_type, ';');
    if (end != SIZE_MAX) {
        media_type = stile_str_sub(media_type, 0, end);
    }
    media_type = stile_str_trim(media_type);
    for (size_t i = 0; stile_formats[i] != NULL; i++) {
        if (stile_str_eq_nocase(media_type,
                                stile_str_cstr(stile_formats[i]->media_type))) {
            return stile_formats[i];
        }
    }
    return NULL;
}
