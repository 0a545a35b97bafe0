/* The codecs' functions, shared by codec.c's table. */
#ifndef STILE_MAP_CODEC_H
#define STILE_MAP_CODEC_H

#include "map_private.h"

typedef enum stile__run_code stile__codec_fn(const struct stile__codec_use *use,
                                             struct stile__codec_io *io);

stile__codec_fn stile__text_right, stile__text_left, stile__code_right,
    stile__id_right, stile__id_left, stile__guid_right, stile__guid_left,
    stile__ref_right, stile__ref_left, stile__bool_right, stile__bool_left,
    stile__yes_no_left, stile__int_right, stile__int_left, stile__decimal_right,
    stile__decimal_left, stile__nhs_right, stile__nhs_left,
    stile__postcode_right, stile__codes_encode, stile__codes_decode,
    stile__display_right, stile__join_right, stile__join_left,
    stile__words_right, stile__digest_right, stile__prefix_right,
    stile__prefix_left, stile__list_right, stile__list_left, stile__split_right,
    stile__split_left;

stile__codec_fn stile__date_right, stile__date_left, stile__dmy_right,
    stile__dmy_left, stile__mon_right, stile__mon_left, stile__partial_right,
    stile__partial_left, stile__instant_right, stile__instant_left,
    stile__local_right, stile__local_left, stile__local_mon_right,
    stile__local_mon_left;

#endif
