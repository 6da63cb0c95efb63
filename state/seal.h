/*
 * Sealing of secrets at rest: AES-256-GCM with a fresh 96-bit nonce per value (NIST SP 800-38D), the version of the
 * format as additional data: a value may move between the environments of a store. The key comes from a passphrase by scrypt (RFC 7914; salt kept beside the store), or from a
 * key file of 32 random bytes in hexadecimal, generated with mode 0600 where there is none.
 */
#ifndef TUTTI_STATE_SEAL_H
#define TUTTI_STATE_SEAL_H

#include <stdbool.h>
#include "base/error.h"
#include "base/text.h"

struct seal;

/*
 * The key for a store in `folder`: from TUTTI_PASSPHRASE if set, else TUTTI_KEY_FILE, else folder/key, which is
 * generated when absent and `create`. A key file that others may read is refused. ERROR_DENIED when a passphrase or
 * key does not match the one the store was made with (checked against folder/key.check), or when that one is gone.
 * ERROR_MISSING when nothing was sealed there yet and not `create`. A passphrase takes about 100 ms, a key file none.
 * Threads may share a struct seal.
 */
int seal_open(const char *folder, bool create, struct seal **ret, struct error **err);
void seal_close(struct seal *seal); /* NULL-safe; wipes the key */
CLEANUP(struct seal *, seal_close);

/*
 * Recorded plans are proved by the key (run/proof.h). True for a store that an older program made, which did not know that, and that was not brought up
 * to date since: there a plan without a proof is to be expected. A store that is made now never says so, nor does one without
 * a key.check: only the key makes what would say it.
 */
bool seal_before_proofs(const struct seal *seal);
/* From here on every plan of the store has its proof: writes that down, durably. Changes `seal`: not while other threads use it. */
int seal_begin_proofs(const char *folder, struct seal *seal, struct error **err);

/* `context` is a struct seal: these two fit lang's struct sealer. Texts are base64 of version, nonce, data, tag; both
 * append to their text. A value has SEAL_MAX bytes at most. seal_unseal: ERROR_INPUT for what was never a sealed value,
 * ERROR_DENIED for one that was altered or sealed with another key; nothing is appended then. */
enum { SEAL_MAX = 64 * 1024 * 1024 };
int seal_seal(void *context, const void *plain, size_t len, struct text *base64, struct error **err);
int seal_unseal(void *context, const char *base64, size_t len, struct text *plain, struct error **err);

#endif
