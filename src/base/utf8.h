#ifndef STILE_BASE_UTF8_H
#define STILE_BASE_UTF8_H

#include <stddef.h>

/* Length of the well-formed UTF-8 sequence at the start of `bytes`, 1 to 4,
 * or 0 when it is malformed or cut off (RFC 3629 section 4). */
size_t stile__utf8_len(const unsigned char *bytes, size_t left);

#endif
