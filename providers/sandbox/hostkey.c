/*
 * The private key file is "openssh-key-v1" without encryption, as described in OpenSSH's PROTOCOL.key; the
 * public one is RFC 4253 section 6.6 with RFC 8709. OpenSSH before 9.6 reads Ed25519 keys in no other form.
 */
#include "providers/sandbox/hostkey.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/text.h"

enum { HALF = SANDBOX_HOSTKEY_BYTES };

static void add_uint32(struct text *t, uint32_t n)
{
        unsigned char bytes[] = {
            (unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n};
        text_addn(t, bytes, sizeof bytes);
}

static void add_string(struct text *t, const void *data, size_t len)
{
        add_uint32(t, (uint32_t)len);
        text_addn(t, data, len);
}

static void encode_public(const unsigned char *public, struct text *out)
{
        add_string(out, "ssh-ed25519", 11);
        add_string(out, public, HALF);
}

static void encode_private(const unsigned char *public, const unsigned char *secret, struct text *out)
{
        uint32_t check = 0;
        if (getrandom(&check, sizeof check, 0) != sizeof check)
                check = 1; /* any number does; it detects wrong passphrases */
        add_uint32(out, check);
        add_uint32(out, check);
        encode_public(public, out);
        add_uint32(out, 2 * HALF);
        text_addn(out, secret, HALF);
        text_addn(out, public, HALF);
        add_string(out, "", 0);
        for (char pad = 1; out->len % 8 != 0; pad++) text_addc(out, pad);
}

static char *base64(const struct text *data)
{
        char *out = mem_alloc((data->len + 2) / 3 * 4 + 1);
        EVP_EncodeBlock((unsigned char *)out, (unsigned char *)data->data, (int)data->len);
        return out;
}

static int write_file(const char *path, const char *data, size_t len, struct error **err)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) return error_system(err, errno, "create %s", path);
        ssize_t n = write(fd, data, len);
        int failed = n < 0 ? errno : (size_t)n != len ? ENOSPC : 0;
        if (close(fd) < 0 && failed == 0) failed = errno;
        return failed ? error_system(err, failed, "write %s", path) : 0;
}

static void wipe(struct text *secret)
{
        mem_wipe(secret->data, secret->len);
        text_release(secret);
}

int sandbox_hostkey_write(const struct sandbox_hostkey *pair, const char *path, struct error **err)
{
        struct text inner = {0}, blob = {0}, file = {0}, key = {0};
        encode_private(pair->public, pair->private, &inner);
        encode_public(pair->public, &key);
        text_addn(&blob, "openssh-key-v1", 15); /* with its NUL */
        add_string(&blob, "none", 4);           /* cipher */
        add_string(&blob, "none", 4);           /* key derivation */
        add_string(&blob, "", 0);               /* its parameters */
        add_uint32(&blob, 1);                   /* keys */
        add_string(&blob, key.data, key.len);
        add_string(&blob, inner.data, inner.len);
        char *text = base64(&blob);
        text_add(&file, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
        for (size_t i = 0; i < strlen(text); i += 70) text_addf(&file, "%.70s\n", text + i);
        text_add(&file, "-----END OPENSSH PRIVATE KEY-----\n");
        int result = write_file(path, file.data, file.len, err);
        mem_wipe(text, strlen(text));
        free(text);
        wipe(&inner);
        wipe(&blob);
        wipe(&file);
        text_release(&key);
        return result;
}

void sandbox_hostkey_text(const struct sandbox_hostkey *pair, char *out)
{
        struct text key = {0};
        encode_public(pair->public, &key);
        cleanup_free char *text = base64(&key);
        snprintf(out, SANDBOX_HOSTKEY_TEXT, "ssh-ed25519 %s", text);
        text_release(&key);
}

int sandbox_hostkey_derive(const unsigned char secret[SANDBOX_SECRET_BYTES], const char *id,
    struct sandbox_hostkey *ret, struct error **err)
{
        size_t len = HALF;
        const unsigned char *seed = HMAC(EVP_sha256(), secret, SANDBOX_SECRET_BYTES,
            (const unsigned char *)id, strlen(id), ret->private, NULL);
        EVP_PKEY *pair = seed ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, ret->private, HALF)
                              : NULL;
        bool derived = pair != NULL && EVP_PKEY_get_raw_public_key(pair, ret->public, &len) == 1;
        EVP_PKEY_free(pair);
        return derived ? 0 : error_set(err, ERROR_SYSTEM, NULL, "derive a host key: OpenSSL refused");
}

int sandbox_hostkey_secret(const char *path, unsigned char secret[SANDBOX_SECRET_BYTES], struct error **err)
{
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        ssize_t n = fd >= 0 ? read(fd, secret, SANDBOX_SECRET_BYTES) : 0;
        if (fd >= 0) close(fd);
        if (n == SANDBOX_SECRET_BYTES) return 0;
        if (RAND_bytes(secret, SANDBOX_SECRET_BYTES) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "draw a secret for host keys: OpenSSL refused");
        return path ? write_file(path, (const char *)secret, SANDBOX_SECRET_BYTES, err) : 0;
}
