/*
 * Signed answers to gates: Ed25519 keys of approvers, and the bytes that they sign.
 *
 * What is signed is a statement: this answer, by this person, to what this run proposed at this gate. Its bytes are
 *
 *     text("tutti approval 1") text(lineage) text(run) text(gate) text(digest) text(proposal) int(opened_ms)
 *     text(answer) text(by) text(comment) int(signed_ms) int(expires_ms)
 *
 *     int(x)  = x as 64 bits, big-endian          text(s) = int(length of s in bytes) s
 *
 * so that no two statements give the same bytes. The signature is Ed25519 over these bytes as they stand (RFC 8032, not pre-hashed).
 * docs/approvals.md tells how to make and to verify one by hand. A private key stays in its file and in memory that is wiped.
 */
#ifndef TUTTI_RUN_SIGNATURE_H
#define TUTTI_RUN_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "template/approvers.h"

struct statement {
        const char *lineage, *run, *gate; /* the environment by its lineage; names move, a lineage does not */
        const char *digest;               /* of the run's plan, in hexadecimal */
        const char *proposal;             /* SHA-256 of what was shown, in hexadecimal */
        int64_t opened_ms;                /* when it was first asked, wall clock */
        const char *answer;               /* "approved", "rejected" */
        const char *by, *comment;         /* the person; NULL counts as "" */
        int64_t signed_ms, expires_ms;    /* wall clock */
};
void statement_bytes(const struct statement *s, struct text *out);

struct signing_key;
int signing_key_new(struct signing_key **ret, struct error **err);
/* A PEM file (PKCS#8) without a passphrase that nobody but its owner may read. ERROR_MISSING when there is none, ERROR_DENIED when
 * others may read it or we may not, ERROR_INPUT when it holds something else. */
int signing_key_load(const char *path, struct signing_key **ret, struct error **err);
/* Writes such a file, mode 0600, with its folders, mode 0700. Never over another: ERROR_CONFLICT. */
int signing_key_save(const struct signing_key *key, const char *path, struct error **err);
void signing_key_public(const struct signing_key *key, unsigned char out[APPROVER_KEY]);
void signing_key_free(struct signing_key *key); /* NULL-safe */
CLEANUP(struct signing_key *, signing_key_free);
/* ${XDG_CONFIG_HOME:-~/.config}/tutti/approvers/NAME.pem; NULL when there is no home. The caller frees. */
char *signing_key_path(const char *name);

/* The signature in base64; the caller frees. */
int statement_sign(
    const struct statement *s, const struct signing_key *key, char **signature, struct error **err);
/* Is `signature` (base64) one over exactly this statement by the owner of `key`? */
bool statement_verify(
    const struct statement *s, const unsigned char key[APPROVER_KEY], const char *signature);

#endif
