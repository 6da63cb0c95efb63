/*
 * Character encodings by their IANA names, for textencodebase64 and textdecodebase64. Internal to lang/.
 */
#ifndef TUTTI_LANG_CHARSET_H
#define TUTTI_LANG_CHARSET_H

#include <stdbool.h>
#include "base/text.h"

/* Whether there is an encoding of that name. */
bool charset_known(const char *name);

/* Converts UTF-8 to the encoding, or back. False if a character has no counterpart or the input is malformed. */
bool charset_encode(const char *name, const char *s, size_t len, struct text *out);
bool charset_decode(const char *name, const char *s, size_t len, struct text *out);

#endif
