/*
 * Where the key of a store comes from, and how the wrong one is told at once. Used by seal.c only.
 *
 * Files in the store's folder, all of mode 0600 and complete from the moment they are there:
 *
 *     key        64 hexadecimal digits, unless a passphrase or a key file elsewhere is used
 *     key.salt   "tutti-scrypt 1 LOG2N R P SALT": how a passphrase becomes a key
 *     key.check  "tutti-key-check VERSION key-file|passphrase HMAC": what the right key gives of "tutti key check VERSION";
 *                version 1: the store is from before recorded plans were proved, 2: all of them are
 */
#ifndef TUTTI_STATE_SEAL_KEY_H
#define TUTTI_STATE_SEAL_KEY_H

#include <stdbool.h>
#include "base/error.h"

enum { SEAL_KEY = 32 };

/* The encryption key, and *before_proofs, as seal_open and seal_before_proofs say. */
int seal_key_load(
    const char *folder, bool create, unsigned char key[SEAL_KEY], bool *before_proofs, struct error **err);
/* The check becomes one of version 2, for good: whole and on the disk when it returns 0. */
int seal_key_begin_proofs(const char *folder, struct error **err);

#endif
