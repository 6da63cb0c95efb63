/*
 * Private keys: PEM by OpenSSL, OpenSSH's own form (its PROTOCOL.key) by ourselves as long as it has no passphrase.
 */
#include "io/ssh_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#include "io/ssh_wire.h"

static const char OPENSSH_BEGIN[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char OPENSSH_END[] = "-----END OPENSSH PRIVATE KEY-----";

enum { KEY_MAX_BYTES = 64 * 1024, NUMBER_MAX_BYTES = 2048 };

static int bad_key(struct error **err, const char *why)
{
        ERR_clear_error();
        return error_set(err, ERROR_INPUT, NULL, "the private key cannot be used: %s", why);
}

/* Takes the key. */
static int signer_of(EVP_PKEY *key, struct ssh_signer *signer, struct error **err)
{
        int rc = ssh_signer_of_key(key, signer);
        EVP_PKEY_free(key);
        return rc == 0 ? 1 : bad_key(err, "it is neither RSA, ECDSA nor Ed25519");
}

/* ---- PEM ---- */

static int give_passphrase(char *buf, int size, int writing, void *context)
{
        const char *passphrase = context;
        (void)writing;
        size_t len = passphrase != NULL ? strlen(passphrase) : 0;
        if (len == 0 || len > (size_t)size) return -1;           /* never ask the terminal */
        for (size_t i = 0; i < len; i++) buf[i] = passphrase[i]; /* no string: OpenSSL takes the length */
        return (int)len;
}

static int load_pem(const char *text, const char *passphrase, struct ssh_signer *signer, struct error **err)
{
        BIO *bio = BIO_new_mem_buf(text, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)passphrase);
        BIO_free(bio);
        if (key != NULL) return signer_of(key, signer, err);
        return bad_key(err, strstr(text, "ENCRYPTED") == NULL ? "it is neither in PEM nor in OpenSSH form"
                            : passphrase == NULL              ? "it needs a passphrase"
                                                              : "the passphrase is wrong");
}

/* ---- OpenSSH's own form ---- */

/* Takes the parameters. */
static EVP_PKEY *key_of_params(const char *kind, OSSL_PARAM_BLD *build)
{
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
        EVP_PKEY *key = NULL;
        if (params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
                key = NULL;
        EVP_PKEY_CTX_free(context);
        OSSL_PARAM_free(params);
        OSSL_PARAM_BLD_free(build);
        return key;
}

static BIGNUM *read_number(struct ssh_wire *w)
{
        size_t len;
        const unsigned char *bytes = ssh_wire_string(w, &len);
        if (len > NUMBER_MAX_BYTES) w->bad = true;
        return BN_bin2bn(bytes, w->bad ? 0 : (int)len, NULL);
}

/* n, e, d; the factors behind them are not needed. */
static EVP_PKEY *read_rsa(struct ssh_wire *w)
{
        static const char *const names[] = {
            OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D};
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        BIGNUM *numbers[3];
        for (size_t i = 0; i < 3; i++) {
                numbers[i] = read_number(w);
                OSSL_PARAM_BLD_push_BN(build, names[i], numbers[i]);
        }
        EVP_PKEY *key = key_of_params("RSA", build);
        for (size_t i = 0; i < 3; i++) BN_clear_free(numbers[i]);
        return key;
}

/* The curve ("nistp256"), the point, the secret number. */
static EVP_PKEY *read_ec(struct ssh_wire *w)
{
        size_t curve_len, point_len;
        const unsigned char *curve = ssh_wire_string(w, &curve_len);
        const unsigned char *point = ssh_wire_string(w, &point_len);
        BIGNUM *secret = read_number(w);
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        cleanup_free char *name = mem_strndup((const char *)curve, curve_len);
        cleanup_free char *group = mem_printf("P-%s", text_starts(name, "nistp") ? name + 5 : "");
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, point_len);
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret);
        EVP_PKEY *key = key_of_params("EC", build);
        BN_clear_free(secret);
        return key;
}

/* The public point, then the seed with the point behind it. */
static EVP_PKEY *read_ed25519(struct ssh_wire *w)
{
        size_t point_len, seed_len;
        ssh_wire_string(w, &point_len);
        const unsigned char *seed = ssh_wire_string(w, &seed_len);
        return seed_len == 64 ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32) : NULL;
}

/* The private part: a number twice, the type, and what goes with it. */
static EVP_PKEY *read_private(const unsigned char *data, size_t len)
{
        struct ssh_wire w = {.at = data, .end = data + len};
        size_t type_len;
        uint32_t check = ssh_wire_u32(&w), again = ssh_wire_u32(&w);
        const unsigned char *type = ssh_wire_string(&w, &type_len);
        EVP_PKEY *key = NULL;
        if (w.bad || check != again) return NULL;
        if (ssh_wire_is(type, type_len, "ssh-rsa")) key = read_rsa(&w);
        if (ssh_wire_is(type, type_len, "ssh-ed25519")) key = read_ed25519(&w);
        if (type_len > 11 && memcmp(type, "ecdsa-sha2-", 11) == 0) key = read_ec(&w);
        if (!w.bad) return key;
        EVP_PKEY_free(key);
        return NULL;
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

static int load_openssh(const unsigned char *data, size_t len, const char *passphrase,
    struct ssh_signer *signer, struct error **err)
{
        static const char magic[] = "openssh-key-v1"; /* with its NUL */
        if (len < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
                return bad_key(err, "it is damaged");
        struct ssh_wire w = {.at = data + sizeof magic, .end = data + len};
        size_t cipher_len, skip_len, shown_len, private_len, type_len;
        const unsigned char *cipher = ssh_wire_string(&w, &cipher_len);
        ssh_wire_string(&w, &skip_len); /* key derivation */
        ssh_wire_string(&w, &skip_len); /* its options */
        uint32_t count = ssh_wire_u32(&w);
        const unsigned char *shown = ssh_wire_string(&w, &shown_len);
        const unsigned char *private = ssh_wire_string(&w, &private_len);
        struct ssh_wire s = {.at = shown, .end = shown + shown_len};
        const unsigned char *type = ssh_wire_string(&s, &type_len);
        if (w.bad || s.bad || count != 1) return bad_key(err, "it is damaged");
        if (!ssh_wire_is(cipher, cipher_len, "none")) {
                if (passphrase == NULL) return bad_key(err, "it needs a passphrase");
                if (!ssh_wire_is(type, type_len, "ssh-rsa")) return 0;
                return bad_key(err, "an RSA key with a passphrase must be in PEM form (ssh-keygen -p -m PEM) "
                                    "or in the agent");
        }
        EVP_PKEY *key = read_private(private, private_len);
        return key != NULL ? signer_of(key, signer, err)
                           : bad_key(err, "it is damaged, or of a kind that cannot be used");
}

int ssh_key_load(const char *text, const char *passphrase, struct ssh_signer *signer, struct error **err)
{
        size_t len = strlen(text);
        if (len > KEY_MAX_BYTES) return bad_key(err, "it is too large");
        if (strstr(text, OPENSSH_BEGIN) == NULL) return load_pem(text, passphrase, signer, err);
        unsigned char *data = mem_alloc(len);
        int size = decode_openssh(text, data);
        int rc = size < 0 ? bad_key(err, "it is damaged")
                          : load_openssh(data, (size_t)size, passphrase, signer, err);
        mem_wipe(data, len);
        free(data);
        return rc;
}
