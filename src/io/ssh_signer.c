/*
 * Public key blobs and signatures as SSH writes them: RSA by RFC 8332 (with SHA-256), ECDSA by RFC 5656, Ed25519 by RFC 8709.
 */
#include "io/ssh_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "io/ssh_wire.h"

static const char RSA_NAME[] = "rsa-sha2-256";

/* ---- blobs ---- */

static void take_blob(struct ssh_signer *signer, struct text *blob)
{
        signer->blob_len = blob->len;
        signer->blob = (unsigned char *)text_steal(blob);
}

void ssh_signer_show(struct ssh_signer *signer, const unsigned char *blob, size_t len)
{
        struct ssh_wire w = {.at = blob, .end = blob + len};
        struct text out = {0};
        size_t type_len;
        const unsigned char *type = ssh_wire_string(&w, &type_len);
        if (ssh_wire_is(type, type_len, "ssh-rsa")) {
                ssh_wire_put(&out, RSA_NAME, sizeof RSA_NAME - 1);
                text_addn(&out, w.at, (size_t)(w.end - w.at));
        } else {
                text_addn(&out, blob, len);
        }
        take_blob(signer, &out);
}

static int blob_of_rsa(EVP_PKEY *key, struct text *blob)
{
        BIGNUM *n = NULL, *e = NULL;
        int rc = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                         EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1
                     ? 0
                     : -1;
        if (rc == 0) {
                ssh_wire_put(blob, RSA_NAME, sizeof RSA_NAME - 1);
                ssh_wire_put_number(blob, e);
                ssh_wire_put_number(blob, n);
        }
        BN_free(n);
        BN_free(e);
        return rc;
}

static int blob_of_ec(EVP_PKEY *key, struct text *blob)
{
        char group[64];
        unsigned char point[256];
        size_t group_len = 0, len = 0;
        if (EVP_PKEY_get_utf8_string_param(
                key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &group_len) != 1 ||
            EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) != 1)
                return -1;
        const char *curve = EC_curve_nid2nist(OBJ_txt2nid(group)); /* "P-256" */
        if (curve == NULL || !text_starts(curve, "P-")) return -1;
        cleanup_free char *name = mem_printf("nistp%s", curve + 2), *type = mem_printf("ecdsa-sha2-%s", name);
        ssh_wire_put(blob, type, strlen(type));
        ssh_wire_put(blob, name, strlen(name));
        ssh_wire_put(blob, point, len);
        return 0;
}

static int blob_of_ed25519(EVP_PKEY *key, struct text *blob)
{
        unsigned char point[32];
        size_t len = sizeof point;
        if (EVP_PKEY_get_raw_public_key(key, point, &len) != 1) return -1;
        ssh_wire_put(blob, "ssh-ed25519", 11);
        ssh_wire_put(blob, point, len);
        return 0;
}

int ssh_signer_of_key(void *key, struct ssh_signer *signer)
{
        cleanup(text_release) struct text blob = {0};
        int rc = -1;
        switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA: rc = blob_of_rsa(key, &blob); break;
        case EVP_PKEY_EC: rc = blob_of_ec(key, &blob); break;
        case EVP_PKEY_ED25519: rc = blob_of_ed25519(key, &blob); break;
        default: break;
        }
        if (rc < 0) return -1;
        *signer = (struct ssh_signer){.key = key};
        EVP_PKEY_up_ref(key);
        take_blob(signer, &blob);
        return 0;
}

/* ---- signatures ---- */

/* The hash goes with the size of the curve. */
static const EVP_MD *hash_for(EVP_PKEY *key)
{
        int kind = EVP_PKEY_get_base_id(key), bits = EVP_PKEY_get_bits(key);
        if (kind == EVP_PKEY_ED25519) return NULL;
        if (kind == EVP_PKEY_RSA || bits <= 256) return EVP_sha256();
        return bits <= 384 ? EVP_sha384() : EVP_sha512();
}

/* OpenSSL writes an ECDSA signature in DER, SSH as two numbers. */
static int ec_to_wire(unsigned char **sig, size_t *len)
{
        const unsigned char *at = *sig;
        ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)*len);
        if (parts == NULL) return -1;
        struct text out = {0};
        ssh_wire_put_number(&out, ECDSA_SIG_get0_r(parts));
        ssh_wire_put_number(&out, ECDSA_SIG_get0_s(parts));
        ECDSA_SIG_free(parts);
        free(*sig);
        *len = out.len;
        *sig = (unsigned char *)text_steal(&out);
        return 0;
}

static int sign_with_key(
    EVP_PKEY *key, const unsigned char *data, size_t len, unsigned char **sig, size_t *sig_len)
{
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        *sig_len = (size_t)EVP_PKEY_get_size(key);
        *sig = mem_alloc(*sig_len);
        int rc = EVP_DigestSignInit(md, NULL, hash_for(key), NULL, key);
        if (rc == 1) rc = EVP_DigestSign(md, *sig, sig_len, data, len);
        EVP_MD_CTX_free(md);
        if (rc != 1) return -1;
        return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? ec_to_wire(sig, sig_len) : 0;
}

int ssh_signer_sign(const struct ssh_signer *signer, const unsigned char *data, size_t len,
    unsigned char **sig, size_t *sig_len)
{
        if (signer->key == NULL) return ssh_agent_sign(signer, data, len, sig, sig_len);
        if (sign_with_key(signer->key, data, len, sig, sig_len) == 0) return 0;
        free(steal(*sig));
        ERR_clear_error();
        return -1;
}

void ssh_signer_release(struct ssh_signer *signer)
{
        free(signer->blob);
        free(signer->agent_blob);
        EVP_PKEY_free(signer->key);
        *signer = (struct ssh_signer){0};
}
