/*
 * Keys that sign by themselves instead of through libssh2, which signs RSA with SHA-1 only, knows no way to ask an agent
 * for better, and leaks a secret number of each ECDSA key that it reads. For ssh*.c only.
 */
#ifndef TUTTI_IO_SSH_KEY_H
#define TUTTI_IO_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

/*
 * A public key and what signs for it. `blob` is what the server is shown: for RSA its type reads "rsa-sha2-256".
 * (RFC 8332 wants "ssh-rsa" there and the other name beside it; libssh2 1.10 takes the algorithm from the blob, offers no
 * other way to name it, and OpenSSH accepts the blob in this form.)
 */
struct ssh_signer {
        unsigned char *blob;
        size_t blob_len;
        void *key;                 /* EVP_PKEY, or NULL: the agent signs */
        unsigned char *agent_blob; /* the key's own blob, for the agent */
        size_t agent_blob_len;
};

/*
 * Reads a private key in PEM or OpenSSH form. 1: `signer` was filled in; 0: it must be left to libssh2 (OpenSSH's own form with a
 * passphrase, whose key derivation OpenSSL lacks); -1 ERROR_INPUT: not a key, a wrong or missing passphrase, or a kind that
 * cannot be used. `passphrase` may be NULL.
 */
int ssh_key_load(const char *text, const char *passphrase, struct ssh_signer *signer, struct error **err);

/* The signature proper, without its type; malloc'ed. Returns -1 when it cannot be had. */
int ssh_signer_sign(const struct ssh_signer *signer, const unsigned char *data, size_t len,
    unsigned char **sig, size_t *sig_len);
/* Fills in the blob for an EVP_PKEY (RSA, ECDSA on the NIST curves, Ed25519), of which it takes a reference. -1 for others. */
int ssh_signer_of_key(void *key, struct ssh_signer *signer);
/* Fills in the blob from a key's own, renaming an RSA key. */
void ssh_signer_show(struct ssh_signer *signer, const unsigned char *blob, size_t len);
void ssh_signer_release(struct ssh_signer *signer);

/* The agent behind SSH_AUTH_SOCK. Calls block, for at most two seconds each. */
int ssh_agent_list(struct ssh_signer **signers, size_t *count,
    struct error **err); /* at most 16; ERROR_DENIED when there is none */
int ssh_agent_sign(const struct ssh_signer *signer, const unsigned char *data, size_t len,
    unsigned char **sig, size_t *sig_len);

#endif
