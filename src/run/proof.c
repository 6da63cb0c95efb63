/*
 * Proofs of recorded runs; see proof.h. A proof is, sealed,
 *
 *     "tutti run 1 " hex(run) " " hex(plan) " " hex(steps)
 *
 *     run   = SHA-256( text(environment) text(lineage) text(id) text(kind) text(requester) text(on_failure) text(undoes) text(digest)
 *             int(started_ms) [ text(follows) ] )     the last where there is one: the first runs that had proofs had none
 *     plan  = SHA-256( text(plan) )
 *     steps = SHA-256( for each: int(index) text(address) text(type) text(action) text(recovery_of) )
 *
 *     int(x) = x as 64 bits, big-endian          text(s) = int(length of s in bytes) s; of what is absent int(-1)
 */
#include "run/proof.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DIGEST = 32, HEX = 2 * DIGEST };
#define HEAD "tutti run 1 "

struct digests {
        char run[HEX + 1], plan[HEX + 1], steps[HEX + 1];
};

bool run_acts(const char *kind)
{
        return strcmp(kind, "apply") == 0 || strcmp(kind, "destroy") == 0 || strcmp(kind, "rollback") == 0;
}

static EVP_MD_CTX *fold_begin(void)
{
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) abort(); /* out of memory */
        return md;
}

static void fold_int(EVP_MD_CTX *md, int64_t n)
{
        unsigned char bytes[8];
        for (unsigned i = 0; i < sizeof bytes; i++)
                bytes[i] = (unsigned char)((uint64_t)n >> (8 * (sizeof bytes - 1 - i)));
        EVP_DigestUpdate(md, bytes, sizeof bytes);
}

static void fold_text(EVP_MD_CTX *md, const char *s)
{
        fold_int(md, s ? (int64_t)strlen(s) : -1);
        if (s != NULL) EVP_DigestUpdate(md, s, strlen(s));
}

static void fold_end(EVP_MD_CTX *md, char hex[HEX + 1])
{
        unsigned char digest[DIGEST];
        EVP_DigestFinal_ex(md, digest, NULL);
        EVP_MD_CTX_free(md);
        text_hex(digest, sizeof digest, hex);
}

static void digest_run(const struct proved *p, char hex[HEX + 1])
{
        EVP_MD_CTX *md = fold_begin();
        fold_text(md, p->environment);
        fold_text(md, p->lineage);
        fold_text(md, p->run->id);
        fold_text(md, p->run->kind);
        fold_text(md, p->run->requester);
        fold_text(md, p->run->on_failure);
        fold_text(md, p->run->undoes);
        fold_text(md, p->run->digest);
        fold_int(md, p->run->started_ms);
        if (p->run->follows != NULL) fold_text(md, p->run->follows);
        fold_end(md, hex);
}

static void digest_plan(const struct proved *p, char hex[HEX + 1])
{
        EVP_MD_CTX *md = fold_begin();
        fold_text(md, p->run->plan);
        fold_end(md, hex);
}

static void digest_steps(const struct proved *p, char hex[HEX + 1])
{
        EVP_MD_CTX *md = fold_begin();
        for (size_t i = 0; i < p->step_count; i++) {
                const struct step_row *step = &p->steps[i];
                fold_int(md, step->index);
                fold_text(md, step->address);
                fold_text(md, step->type);
                fold_text(md, step->action);
                fold_text(md, step->recovery_of);
        }
        fold_end(md, hex);
}

int proof_write(const struct proved *p, const struct sealer *sealer, char **proof, struct error **err)
{
        struct digests d;
        digest_run(p, d.run);
        digest_plan(p, d.plan);
        digest_steps(p, d.steps);
        cleanup_free char *plain = mem_printf(HEAD "%s %s %s", d.run, d.plan, d.steps);
        struct text sealed = {0};
        if (sealer->seal(sealer->context, plain, strlen(plain), &sealed, err) < 0) {
                text_release(&sealed);
                return error_context(err, "prove run %s", p->run->id);
        }
        *proof = sealed.data;
        return 0;
}

/* What the key vouched for; what is not of this form was never a proof. */
static bool open_proof(const char *proof, const struct sealer *sealer, struct digests *ret)
{
        enum { SIZE = sizeof HEAD - 1 + 3 * HEX + 2 };
        struct text plain __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (sealer->open(sealer->context, proof, strlen(proof), &plain, NULL) < 0) return false;
        if (plain.len != SIZE || memcmp(plain.data, HEAD, sizeof HEAD - 1) != 0) return false;
        const char *at = plain.data + sizeof HEAD - 1;
        memcpy(ret->run, at, HEX);
        memcpy(ret->plan, at + HEX + 1, HEX);
        memcpy(ret->steps, at + 2 * (HEX + 1), HEX);
        ret->run[HEX] = ret->plan[HEX] = ret->steps[HEX] = '\0';
        return true;
}

static int refuse(const struct proved *p, const char *what, struct error **err)
{
        return error_set(err, ERROR_DENIED, NULL,
            "run %s %s: somebody wrote to the store without its key. Nothing was done on the strength of it; "
            "compare the store with a backup",
            p->run->id, what);
}

int proof_check(const struct proved *p, unsigned parts, const struct sealer *sealer, struct error **err)
{
        struct digests proved, found;
        if (p->run->proof == NULL) return refuse(p, "has no proof of what it was recorded with", err);
        if (sealer == NULL || !open_proof(p->run->proof, sealer, &proved))
                return refuse(p, "has a proof that this store's key did not make", err);
        digest_run(p, found.run);
        if (strcmp(found.run, proved.run) != 0)
                return refuse(p, "is not the one that was recorded, or its row was changed", err);
        if (parts & PROOF_PLAN) digest_plan(p, found.plan);
        if (parts & PROOF_PLAN && strcmp(found.plan, proved.plan) != 0)
                return refuse(p, "has another plan than was recorded", err);
        if (parts & PROOF_STEPS) digest_steps(p, found.steps);
        if (parts & PROOF_STEPS && strcmp(found.steps, proved.steps) != 0)
                return refuse(p, "has other steps than were recorded", err);
        return 0;
}
