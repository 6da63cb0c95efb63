/*
 * Host keys: Ed25519, all derived from one secret, so that a host needs no file of its own until somebody logs in,
 * and has the same key after a restart.
 */
#ifndef TUTTI_SANDBOX_HOSTKEY_H
#define TUTTI_SANDBOX_HOSTKEY_H

#include <stddef.h>
#include "base/error.h"

enum { SANDBOX_SECRET_BYTES = 32, SANDBOX_HOSTKEY_BYTES = 32, SANDBOX_HOSTKEY_TEXT = 128 };

struct sandbox_hostkey {
        unsigned char public[SANDBOX_HOSTKEY_BYTES], private[SANDBOX_HOSTKEY_BYTES];
};

/* The secret in the file at `path`, which is drawn and written (mode 0600) if it is not there. With `path` NULL it is
 * drawn and written nowhere. */
int sandbox_hostkey_secret(const char *path, unsigned char secret[SANDBOX_SECRET_BYTES], struct error **err);

/* The key of host `id`: the private half is HMAC-SHA-256 of the id under the secret. */
int sandbox_hostkey_derive(const unsigned char secret[SANDBOX_SECRET_BYTES], const char *id,
    struct sandbox_hostkey *ret, struct error **err);
/* "ssh-ed25519 AAAA..."; `out` has room for SANDBOX_HOSTKEY_TEXT bytes. */
void sandbox_hostkey_text(const struct sandbox_hostkey *key, char *out);
/* Writes the private half to `path` (mode 0600) as sshd reads it. */
int sandbox_hostkey_write(const struct sandbox_hostkey *key, const char *path, struct error **err);

#endif
