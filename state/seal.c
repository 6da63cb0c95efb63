/*
 * Sealing and unsealing of single values. A sealed value is base64 of
 *
 *     version (1 byte: 1) | nonce (12 bytes, random) | ciphertext | tag (16 bytes)
 *
 * with "tutti" and the version as additional data (AES-256-GCM, NIST SP 800-38D). Random 96-bit nonces under one key are
 * safe for 2^32 values; no store comes near. The length of a secret is not hidden.
 */
#include "state/seal.h"

#include <stdint.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "state/seal_key.h"

enum { VERSION = 1, NONCE = 12, TAG = 16, OVERHEAD = 1 + NONCE + TAG };
static const unsigned char additional[] = {'t', 'u', 't', 't', 'i', VERSION};

struct seal {
        unsigned char key[SEAL_KEY];
        bool before_proofs;
};

static void cipher_free(EVP_CIPHER_CTX *ctx)
{
        EVP_CIPHER_CTX_free(ctx);
}
CLEANUP(EVP_CIPHER_CTX *, cipher_free);

int seal_open(const char *folder, bool create, struct seal **ret, struct error **err)
{
        cleanup(seal_close) struct seal *seal = mem_alloc(sizeof *seal);
        if (seal_key_load(folder, create, seal->key, &seal->before_proofs, err) < 0) return -1;
        *ret = steal(seal);
        return 0;
}

bool seal_before_proofs(const struct seal *seal)
{
        return seal->before_proofs;
}

int seal_begin_proofs(const char *folder, struct seal *seal, struct error **err)
{
        if (seal_key_begin_proofs(folder, err) < 0) return -1;
        seal->before_proofs = false;
        return 0;
}

void seal_close(struct seal *seal)
{
        if (seal == NULL) return;
        mem_wipe(seal->key, sizeof seal->key);
        free(seal);
}

int seal_seal(void *context, const void *plain, size_t len, struct text *base64, struct error **err)
{
        const struct seal *seal = context;
        if (len > SEAL_MAX)
                return error_set(err, ERROR_INPUT, NULL, "a secret is larger than %d bytes", SEAL_MAX);
        cleanup_free unsigned char *box = mem_alloc(OVERHEAD + len);
        unsigned char *nonce = box + 1, *data = nonce + NONCE, *tag = data + len;
        box[0] = VERSION;
        if (RAND_bytes(nonce, NONCE) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "cannot draw random bytes");

        cleanup(cipher_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int n = 0;
        bool sealed = ctx != NULL &&
                      EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->key, nonce) == 1 &&
                      EVP_EncryptUpdate(ctx, NULL, &n, additional, sizeof additional) == 1 &&
                      EVP_EncryptUpdate(ctx, data, &n, plain, (int)len) == 1 &&
                      EVP_EncryptFinal_ex(ctx, data + n, &n) == 1 &&
                      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;
        if (!sealed) return error_set(err, ERROR_SYSTEM, NULL, "AES-256-GCM is not available");

        cleanup_free char *encoded = mem_alloc((OVERHEAD + len + 2) / 3 * 4 + 1);
        int encoded_len = EVP_EncodeBlock((unsigned char *)encoded, box, (int)(OVERHEAD + len));
        text_addn(base64, encoded, (size_t)encoded_len);
        return 0;
}

/* Strict: the alphabet, then padding, in groups of four. OpenSSL alone would pass over white space and more. Returns the
 * number of bytes in *box, which the caller frees; 0 if this is not base64. */
static size_t decode(const char *base64, size_t len, unsigned char **box)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t padding = 0;
        while (padding < 2 && padding < len && base64[len - 1 - padding] == '=') padding++;
        if (len == 0 || len % 4 != 0 || len / 4 > (SEAL_MAX + OVERHEAD + 2) / 3) return 0;
        for (size_t i = 0; i < len - padding; i++)
                if (base64[i] == '\0' || strchr(alphabet, base64[i]) == NULL) return 0;
        *box = mem_alloc(len / 4 * 3);
        int n = EVP_DecodeBlock(*box, (const unsigned char *)base64, (int)len);
        return n < 0 ? 0 : (size_t)n - padding;
}

int seal_unseal(void *context, const char *base64, size_t len, struct text *plain, struct error **err)
{
        const struct seal *seal = context;
        cleanup_free unsigned char *box = NULL;
        size_t size = decode(base64, len, &box);
        if (size < OVERHEAD) return error_set(err, ERROR_INPUT, NULL, "not a sealed value");
        if (box[0] != VERSION)
                return error_set(err, ERROR_INPUT, NULL,
                    "a value was sealed in format %d, which this program does not know", box[0]);
        size_t count = size - OVERHEAD;
        unsigned char *nonce = box + 1, *data = nonce + NONCE, *tag = data + count;

        cleanup(cipher_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        unsigned char *clear = mem_alloc(count + 1);
        int n = 0;
        bool opened = ctx != NULL &&
                      EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->key, nonce) == 1 &&
                      EVP_DecryptUpdate(ctx, NULL, &n, additional, sizeof additional) == 1 &&
                      EVP_DecryptUpdate(ctx, clear, &n, data, (int)count) == 1 &&
                      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
                      EVP_DecryptFinal_ex(ctx, clear + n, &n) == 1;
        if (opened) text_addn(plain, clear, count);
        mem_wipe(clear, count);
        free(clear);
        if (opened) return 0;
        return error_set(err, ERROR_DENIED, NULL, "a sealed value was altered, or sealed with another key");
}
