/*
 * Private keys. libssh2 1.10 signs with RSA and SHA-1 only, which servers no longer accept; RSA keys are therefore read and
 * used by ourselves, with SHA-256. All others are left to libssh2.
 */
#include "io/ssh_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/text.h"

static const char OPENSSH_BEGIN[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char OPENSSH_END[] = "-----END OPENSSH PRIVATE KEY-----";
static const char RSA_NAME[] = "rsa-sha2-256";

enum { KEY_MAX_BYTES = 64 * 1024 };

/* ---- the wire ---- */

uint32_t ssh_wire_u32(struct ssh_wire *w)
{
        if (w->bad || w->end - w->at < 4) {
                w->bad = true;
                return 0;
        }
        uint32_t value = (uint32_t)w->at[0] << 24 | (uint32_t)w->at[1] << 16 | (uint32_t)w->at[2] << 8 |
                         w->at[3];
        w->at += 4;
        return value;
}

const unsigned char *ssh_wire_string(struct ssh_wire *w, size_t *len)
{
        uint32_t n = ssh_wire_u32(w);
        if (w->bad || (size_t)(w->end - w->at) < n) {
                w->bad = true;
                *len = 0;
                return (const unsigned char *)"";
        }
        const unsigned char *s = w->at;
        w->at += n;
        *len = n;
        return s;
}

void ssh_wire_put_u32(struct text *out, uint32_t v)
{
        unsigned char bytes[4] = {
            (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
        text_addn(out, bytes, 4);
}

void ssh_wire_put(struct text *out, const void *data, size_t len)
{
        ssh_wire_put_u32(out, (uint32_t)len);
        text_addn(out, data, len);
}

static void put_number(struct text *out, const BIGNUM *n)
{
        unsigned char bytes[2049] = {0}; /* one zero in front: the sign bit must be clear */
        int len = BN_num_bytes(n);
        if (len > 2048) return;
        BN_bn2bin(n, bytes + 1);
        bool pad = (bytes[1] & 0x80) != 0;
        ssh_wire_put(out, pad ? bytes : bytes + 1, (size_t)len + pad);
}

void ssh_key_rename_rsa(const unsigned char *blob, size_t len, struct ssh_signer *signer)
{
        struct ssh_wire w = {.at = blob, .end = blob + len};
        size_t name_len;
        ssh_wire_string(&w, &name_len);
        struct text out = {0};
        ssh_wire_put(&out, RSA_NAME, sizeof RSA_NAME - 1);
        text_addn(&out, w.at, (size_t)(w.end - w.at));
        signer->blob_len = out.len;
        signer->blob = (unsigned char *)text_steal(&out);
}

/* ---- reading ---- */

static int bad_key(struct error **err, const char *why)
{
        ERR_clear_error();
        return error_set(err, ERROR_INPUT, NULL, "the private key cannot be used: %s", why);
}

static int signer_of_rsa(EVP_PKEY *key, struct ssh_signer *signer, struct error **err)
{
        BIGNUM *n = NULL, *e = NULL;
        if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
            EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1) {
                BN_free(n);
                return bad_key(err, "it has no modulus");
        }
        struct text blob = {0};
        ssh_wire_put(&blob, RSA_NAME, sizeof RSA_NAME - 1);
        put_number(&blob, e);
        put_number(&blob, n);
        BN_free(n);
        BN_free(e);
        *signer = (struct ssh_signer){.blob_len = blob.len, .key = key};
        signer->blob = (unsigned char *)text_steal(&blob);
        EVP_PKEY_up_ref(key);
        return 0;
}

static int give_passphrase(char *buf, int size, int writing, void *context)
{
        const char *passphrase = context;
        (void)writing;
        size_t len = passphrase != NULL ? strlen(passphrase) : 0;
        if (len == 0 || len > (size_t)size) return -1; /* never ask the terminal */
        memcpy(buf, passphrase, len);
        return (int)len;
}

static int load_pem(const char *text, const char *passphrase, enum ssh_key_kind *kind,
    struct ssh_signer *signer, struct error **err)
{
        BIO *bio = BIO_new_mem_buf(text, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)passphrase);
        BIO_free(bio);
        if (key == NULL)
                return bad_key(err, strstr(text, "ENCRYPTED") == NULL
                                        ? "it is neither in PEM nor in OpenSSH form"
                                    : passphrase == NULL ? "it needs a passphrase"
                                                         : "the passphrase is wrong");
        int rc = 0;
        *kind = SSH_KEY_OTHER;
        if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
                *kind = SSH_KEY_RSA;
                rc = signer_of_rsa(key, signer, err);
        }
        EVP_PKEY_free(key);
        return rc;
}

/* The private part of OpenSSH's own form (PROTOCOL.key): two equal numbers, the type, then n, e, d and more. */
static EVP_PKEY *rsa_from_private(const unsigned char *data, size_t len)
{
        struct ssh_wire w = {.at = data, .end = data + len};
        uint32_t check = ssh_wire_u32(&w), again = ssh_wire_u32(&w);
        size_t lens[4];
        const unsigned char *parts[4]; /* type, n, e, d */
        for (size_t i = 0; i < 4; i++) parts[i] = ssh_wire_string(&w, &lens[i]);
        if (w.bad || check != again || lens[1] > 2048 || lens[2] > 2048 || lens[3] > 2048) return NULL;
        static const char *const names[] = {
            NULL, OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D};
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        BIGNUM *numbers[4] = {0};
        for (size_t i = 1; i < 4; i++) {
                numbers[i] = BN_bin2bn(parts[i], (int)lens[i], NULL);
                OSSL_PARAM_BLD_push_BN(build, names[i], numbers[i]);
        }
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        EVP_PKEY *key = NULL;
        if (params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
                key = NULL;
        EVP_PKEY_CTX_free(context);
        OSSL_PARAM_free(params);
        OSSL_PARAM_BLD_free(build);
        for (size_t i = 1; i < 4; i++) BN_clear_free(numbers[i]);
        return key;
}

/* The bytes between the BEGIN and END lines. `out` has room for all of `text`. Returns their number, or -1. */
static int decode_openssh(const char *text, unsigned char *out)
{
        const char *begin = strstr(text, OPENSSH_BEGIN);
        const char *end = begin != NULL ? strstr(begin, OPENSSH_END) : NULL;
        if (end == NULL) return -1;
        begin += sizeof OPENSSH_BEGIN - 1;
        EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
        int len = 0, more = 0;
        EVP_DecodeInit(context);
        int rc = EVP_DecodeUpdate(context, out, &len, (const unsigned char *)begin, (int)(end - begin));
        if (rc >= 0) rc = EVP_DecodeFinal(context, out + len, &more);
        EVP_ENCODE_CTX_free(context);
        return rc < 0 ? -1 : len + more;
}

static int load_openssh_bytes(const unsigned char *data, size_t len, bool passphrase, enum ssh_key_kind *kind,
    struct ssh_signer *signer, struct error **err)
{
        static const char magic[] = "openssh-key-v1"; /* with its NUL */
        if (len < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
                return bad_key(err, "it is damaged");
        struct ssh_wire w = {.at = data + sizeof magic, .end = data + len};
        size_t cipher_len, skip_len, public_len, private_len, type_len;
        const unsigned char *cipher = ssh_wire_string(&w, &cipher_len);
        ssh_wire_string(&w, &skip_len); /* kdf */
        ssh_wire_string(&w, &skip_len); /* its options */
        uint32_t count = ssh_wire_u32(&w);
        const unsigned char *public = ssh_wire_string(&w, &public_len);
        const unsigned char *private = ssh_wire_string(&w, &private_len);
        struct ssh_wire p = {.at = public, .end = public + public_len};
        const unsigned char *type = ssh_wire_string(&p, &type_len);
        if (w.bad || p.bad || count != 1) return bad_key(err, "it is damaged");
        bool encrypted = cipher_len != 4 || memcmp(cipher, "none", 4) != 0;
        if (encrypted && !passphrase) return bad_key(err, "it needs a passphrase");
        *kind = SSH_KEY_OTHER;
        if (type_len != 7 || memcmp(type, "ssh-rsa", 7) != 0) return 0;
        if (encrypted)
                return bad_key(err, "an RSA key with a passphrase must be in PEM form (ssh-keygen -p -m PEM) "
                                    "or in the agent");
        *kind = SSH_KEY_RSA;
        EVP_PKEY *key = rsa_from_private(private, private_len);
        if (key == NULL) return bad_key(err, "it is damaged");
        int rc = signer_of_rsa(key, signer, err);
        EVP_PKEY_free(key);
        return rc;
}

int ssh_key_load(const char *text, const char *passphrase, enum ssh_key_kind *kind, struct ssh_signer *signer,
    struct error **err)
{
        size_t len = strlen(text);
        if (len > KEY_MAX_BYTES) return bad_key(err, "it is too large");
        if (strstr(text, OPENSSH_BEGIN) == NULL) return load_pem(text, passphrase, kind, signer, err);
        unsigned char *data = mem_alloc(len);
        int size = decode_openssh(text, data);
        int rc = size < 0 ? bad_key(err, "it is damaged")
                          : load_openssh_bytes(data, (size_t)size, passphrase != NULL, kind, signer, err);
        mem_wipe(data, len);
        free(data);
        return rc;
}

/* ---- signing ---- */

int ssh_signer_sign(const struct ssh_signer *signer, const unsigned char *data, size_t len,
    unsigned char **sig, size_t *sig_len)
{
        if (signer->key == NULL) return ssh_agent_sign(signer, data, len, sig, sig_len);
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        size_t room = (size_t)EVP_PKEY_get_size(signer->key);
        *sig = mem_alloc(room);
        int rc = EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, signer->key);
        if (rc == 1) rc = EVP_DigestSign(md, *sig, &room, data, len);
        EVP_MD_CTX_free(md);
        *sig_len = room;
        if (rc == 1) return 0;
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
