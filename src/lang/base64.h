/*
 * Base64 in the standard alphabet with padding: for functions, and for keys and signatures of approvers.
 */
#ifndef TUTTI_LANG_BASE64_H
#define TUTTI_LANG_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include "base/text.h"

void base64_encode(const void *data, size_t len, struct text *out);
/* Skips line breaks, and nothing else. */
bool base64_decode(const char *s, size_t len, struct text *out);

#endif
