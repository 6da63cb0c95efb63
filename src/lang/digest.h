/*
 * Digests of bytes in memory or as they come, for the hash and file functions. Internal to lang/.
 */
#ifndef TUTTI_LANG_DIGEST_H
#define TUTTI_LANG_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include "base/text.h"

enum { DIGEST_MAX = 64 };

/* `name` is MD5, SHA1, SHA256 or SHA512. Each gives the length of the digest. */
size_t digest_bytes(const char *name, const void *data, size_t len, unsigned char out[DIGEST_MAX]);

struct digest;
struct digest *digest_new(const char *name);
void digest_add(struct digest *d, const void *data, size_t len);
size_t digest_free(struct digest *d, unsigned char out[DIGEST_MAX]);

/* Appends it in base64 or in lower-case hexadecimal. */
void digest_text(const unsigned char *digest, size_t len, bool base64, struct text *out);

#endif
