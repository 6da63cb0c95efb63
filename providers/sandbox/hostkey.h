/*
 * Host keys: Ed25519, written in the formats that sshd reads.
 */
#ifndef TUTTI_SANDBOX_HOSTKEY_H
#define TUTTI_SANDBOX_HOSTKEY_H

#include <stddef.h>
#include "base/error.h"

/* Draws a key pair and writes the private half to `path` (mode 0600) and the public half to `path`.pub. */
int sandbox_hostkey_create(const char *path, struct error **err);
/* Reads "ssh-ed25519 AAAA..." from `path`.pub. Errors: MISSING when either half is absent or damaged. */
int sandbox_hostkey_read(const char *path, char *out, size_t size, struct error **err);

#endif
