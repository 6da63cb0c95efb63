/*
 * Keys that sign by themselves, where libssh2 cannot: RSA with SHA-2, and those of an agent. For ssh*.c only.
 */
#ifndef TUTTI_IO_SSH_KEY_H
#define TUTTI_IO_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/*
 * A public key and what signs for it. `blob` is what the server is shown: for RSA its type reads "rsa-sha2-256".
 * (RFC 8332 wants "ssh-rsa" there and the other name beside it; libssh2 1.10 takes the algorithm from the blob, offers no other
 * way to name it, and OpenSSH accepts the blob in this form.)
 */
struct ssh_signer {
        unsigned char *blob;
        size_t blob_len;
        void *key;                 /* EVP_PKEY, or NULL: the agent signs */
        unsigned char *agent_blob; /* the key's own blob, for the agent */
        size_t agent_blob_len;
};

/* What a private key in PEM or OpenSSH form is. */
enum ssh_key_kind {
        SSH_KEY_RSA,   /* `signer` was filled in */
        SSH_KEY_OTHER, /* libssh2 can use it as it is */
};

/* ERROR_INPUT: not a key, a wrong or missing passphrase. `passphrase` may be NULL. */
int ssh_key_load(const char *text, const char *passphrase, enum ssh_key_kind *kind, struct ssh_signer *signer,
    struct error **err);
/* The signature proper, without its type; malloc'ed. Returns -1 when it cannot be had. */
int ssh_signer_sign(const struct ssh_signer *signer, const unsigned char *data, size_t len,
    unsigned char **sig, size_t *sig_len);
void ssh_signer_release(struct ssh_signer *signer);

/* The agent behind SSH_AUTH_SOCK. Calls block, for at most two seconds each. */
int ssh_agent_list(struct ssh_signer **signers, size_t *count,
    struct error **err); /* at most 16; ERROR_DENIED when there is none */
int ssh_agent_sign(const struct ssh_signer *signer, const unsigned char *data, size_t len,
    unsigned char **sig, size_t *sig_len);

/* The wire form of SSH (RFC 4251): a length and bytes. */
struct ssh_wire {
        const unsigned char *at, *end;
        bool bad; /* something was read beyond the end */
};
uint32_t ssh_wire_u32(struct ssh_wire *wire);
const unsigned char *ssh_wire_string(struct ssh_wire *wire, size_t *len); /* never NULL */
struct text;
void ssh_wire_put(struct text *out, const void *data, size_t len);
void ssh_wire_put_u32(struct text *out, uint32_t value);
/* The blob of an RSA key under the name that libssh2 will use as its algorithm. */
void ssh_key_rename_rsa(const unsigned char *blob, size_t len, struct ssh_signer *signer);

#endif
