/*
 * Digests, by way of OpenSSL. A digest that OpenSSL was built without is a fault of the installation: it ends the
 * process, as nothing useful can be said in its place.
 */
#include "lang/digest.h"

#include <openssl/evp.h>

#include "lang/base64.h"

struct digest {
        EVP_MD_CTX *context;
};

static void insist(bool good)
{
        if (!good) abort();
}

struct digest *digest_new(const char *name)
{
        struct digest *d = mem_alloc(sizeof *d);
        const EVP_MD *md = EVP_get_digestbyname(name);
        d->context = EVP_MD_CTX_new();
        insist(md && d->context && EVP_DigestInit_ex(d->context, md, NULL) == 1);
        return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
        insist(EVP_DigestUpdate(d->context, data, len) == 1);
}

size_t digest_free(struct digest *d, unsigned char out[DIGEST_MAX])
{
        unsigned len = 0;
        insist(EVP_DigestFinal_ex(d->context, out, &len) == 1);
        EVP_MD_CTX_free(d->context);
        free(d);
        return len;
}

size_t digest_bytes(const char *name, const void *data, size_t len, unsigned char out[DIGEST_MAX])
{
        struct digest *d = digest_new(name);
        digest_add(d, data, len);
        return digest_free(d, out);
}

void digest_text(const unsigned char *digest, size_t len, bool base64, struct text *out)
{
        char hex[2 * DIGEST_MAX + 1];
        if (base64) {
                base64_encode(digest, len, out);
                return;
        }
        text_hex(digest, len, hex);
        text_add(out, hex);
}
