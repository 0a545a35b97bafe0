/* Forced into every file: the calls below are never right here. */
#ifndef STILE_BANNED_H
#define STILE_BANNED_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* glibc makes it a macro for clang when _FORTIFY_SOURCE is on. */
#undef sprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gets
#pragma GCC poison gmtime localtime strerror asctime ctime
#endif
