/*
 * Hashes, keys and unique names. What differs at each call is unknown while planning, so that a plan does not
 * differ from itself.
 */
#include "lang/call.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <string.h>

#include "lang/base64.h"
#include "lang/digest.h"

static struct value *digest_of_string(const struct call *call, const char *name, bool base64)
{
        unsigned char digest[DIGEST_MAX];
        size_t len = digest_bytes(name, call_string(call, 0), call_string_len(call, 0), digest);
        struct text out = {0};
        digest_text(digest, len, base64, &out);
        return call_text(&out);
}

#define DIGEST(function, name, base64)                       \
        static VALUE_OF(function)                            \
        {                                                    \
                (void)err;                                   \
                return digest_of_string(call, name, base64); \
        }

DIGEST(md5, "MD5", false)
DIGEST(sha1, "SHA1", false)
DIGEST(sha256, "SHA256", false)
DIGEST(sha512, "SHA512", false)
DIGEST(base64sha256, "SHA256", true)
DIGEST(base64sha512, "SHA512", true)

/* bcrypt(str, cost): the cost is bounded, as each step doubles the time. */
static VALUE_OF(bcrypt)
{
        enum { DEFAULT_COST = 10, MIN_COST = 4, MAX_COST = 16, MAX_PASSWORD = 72 };
        int64_t cost = DEFAULT_COST;
        if (call->arg_count > 2) return call_refuse(err, "at most two arguments are expected");
        if (call->arg_count > 1 && !call_int(call, 1, "cost", &cost, err)) return NULL;
        if (call->scope->planning) return value_unknown(type_string);
        if (cost < MIN_COST) cost = DEFAULT_COST;
        if (cost > MAX_COST)
                return call_refuse(err, "invalid value for \"cost\": must not be over %d", MAX_COST);
        if (call_string_len(call, 0) > MAX_PASSWORD ||
            strlen(call_string(call, 0)) != call_string_len(call, 0))
                return call_refuse(
                    err, "the string is longer than %d bytes, or holds a NUL byte", MAX_PASSWORD);

        unsigned char salt[16];
        char setting[CRYPT_GENSALT_OUTPUT_SIZE];
        if (RAND_bytes(salt, sizeof salt) != 1 ||
            !crypt_gensalt_rn(
                "$2a$", (unsigned long)cost, (const char *)salt, sizeof salt, setting, sizeof setting))
                return call_refuse(err, "cannot make a salt");
        cleanup_free struct crypt_data *data = mem_alloc(sizeof *data);
        const char *hash = crypt_r(call_string(call, 0), setting, data);
        struct value *v = hash && *hash == '$' ? value_string(hash)
                                               : call_refuse(err, "cannot hash the string");
        mem_wipe(data, sizeof *data);
        return v;
}

/* Encrypted keys are refused, never asked for at a terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
        (void)buffer, (void)size, (void)writing, (void)context;
        return -1;
}

static void pkey_context_release(EVP_PKEY_CTX **context)
{
        EVP_PKEY_CTX_free(*context);
}

static void pkey_release(EVP_PKEY **key)
{
        EVP_PKEY_free(*key);
}

static EVP_PKEY *private_key(const char *pem, size_t len)
{
        BIO *bio = BIO_new_mem_buf(pem, (int)len);
        EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
        BIO_free(bio);
        if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) return key;
        EVP_PKEY_free(key);
        return NULL;
}

static bool rsa_decrypt(EVP_PKEY *key, const struct text *sealed, struct text *plain)
{
        __attribute__((__cleanup__(pkey_context_release)))
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
        size_t len = 0;
        const unsigned char *in = (const unsigned char *)sealed->data;
        if (!context || EVP_PKEY_decrypt_init(context) <= 0) return false;
        if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) <= 0) return false;
        /* Newer releases give random bytes instead of an error; here the error is wanted. Older ones know no such option. */
        EVP_PKEY_CTX_ctrl_str(context, "rsa_pkcs1_implicit_rejection", "0");
        if (EVP_PKEY_decrypt(context, NULL, &len, in, sealed->len) <= 0) return false;
        cleanup_free unsigned char *out = mem_alloc(len);
        bool good = EVP_PKEY_decrypt(context, out, &len, in, sealed->len) > 0;
        if (good) text_addn(plain, out, len);
        return good;
}

static VALUE_OF(rsadecrypt)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text sealed = {0}, plain = {0};
        if (!base64_decode(call_string(call, 0), call_string_len(call, 0), &sealed) || !sealed.len)
                return call_refuse(err, "invalid value for \"ciphertext\": not valid base64");
        __attribute__((__cleanup__(pkey_release)))
        EVP_PKEY *key = private_key(call_string(call, 1), call_string_len(call, 1));
        if (!key)
                return call_refuse(err,
                    "invalid value for \"privatekey\": not an RSA private key in PEM without passphrase");
        if (!rsa_decrypt(key, &sealed, &plain))
                return call_refuse(err, "failed to decrypt: the key does not fit the ciphertext");
        if (!text_is_utf8(plain.data ? plain.data : "", plain.len))
                return call_refuse(err, "the result of decrypting is not valid UTF-8");
        return call_text(&plain);
}

/* The version and variant are put into 16 bytes, which are then written in the usual groups. */
static struct value *uuid_value(unsigned char id[16], int version)
{
        id[6] = (unsigned char)((id[6] & 0x0f) | version << 4);
        id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
        char hex[33];
        text_hex(id, 16, hex);
        struct text out = {0};
        text_addf(&out, "%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
        return call_text(&out);
}

static VALUE_OF(uuid4)
{
        unsigned char id[16];
        if (call->scope->planning) return value_unknown(type_string);
        if (RAND_bytes(id, sizeof id) != 1) return call_refuse(err, "cannot get random bytes");
        return uuid_value(id, 4);
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
}

/* In groups, with urn:uuid: before them, in braces, or as bare digits. */
static bool uuid_parse(const char *s, unsigned char id[16])
{
        size_t len = strlen(s), at = 0;
        if (len == 45 && strncmp(s, "urn:uuid:", 9) == 0)
                s += 9, len -= 9;
        else if (len == 38 && s[0] == '{' && s[37] == '}')
                s++, len -= 2;
        if (len != 36 && len != 32) return false;
        for (int i = 0; i < 16; i++) {
                if (len == 36 && (i == 4 || i == 6 || i == 8 || i == 10) && s[at++] != '-') return false;
                int high = hex_digit(s[at]), low = high < 0 ? -1 : hex_digit(s[at + 1]);
                if (low < 0) return false;
                id[i] = (unsigned char)(high << 4 | low);
                at += 2;
        }
        return true;
}

static bool uuid_namespace(const char *name, unsigned char id[16])
{
        static const struct {
                const char *name, *id;
        } known[] = {{"dns", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
            {"url", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"}, {"oid", "6ba7b812-9dad-11d1-80b4-00c04fd430c8"},
            {"x500", "6ba7b814-9dad-11d1-80b4-00c04fd430c8"}};
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (strcmp(known[i].name, name) == 0) return uuid_parse(known[i].id, id);
        return uuid_parse(name, id);
}

static VALUE_OF(uuidv5)
{
        unsigned char space[16], digest[DIGEST_MAX];
        if (!uuid_namespace(call_string(call, 0), space))
                return call_refuse(err,
                    "invalid value for \"namespace\": \"%s\" is none of dns, url, oid, x500, nor a UUID",
                    call_string(call, 0));
        __attribute__((__cleanup__(text_release_cleanup))) struct text named = {0};
        text_addn(&named, space, sizeof space);
        text_addn(&named, call_string(call, 1), call_string_len(call, 1));
        digest_bytes("SHA1", named.data, named.len, digest);
        return uuid_value(digest, 5);
}

const struct function functions_hash[] = {
    {.info = {"base64sha256", "base64sha256(str)", "The SHA-256 of a string, in base64.",
         "base64sha256(\"hello\") => \"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = base64sha256_value},
    {.info = {"base64sha512", "base64sha512(str)", "The SHA-512 of a string, in base64.",
         "length(base64sha512(\"hello\")) => 88"},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = base64sha512_value},
    {.info = {"bcrypt", "bcrypt(str, cost)",
         "A salted hash of a password; cost is 10 if left out. Differs at each call, so it is unknown while "
         "planning.",
         "length(bcrypt(\"secret\", 4)) => 60"},
        .parameters = {{"str", "string", 0}},
        .rest = {"cost", "number", 0},
        .result = "string",
        .body = bcrypt_value},
    {.info = {"md5", "md5(str)", "The MD5 of a string, in hexadecimal.",
         "md5(\"hello\") => \"5d41402abc4b2a76b9719d911017c592\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = md5_value},
    {.info = {"rsadecrypt", "rsadecrypt(ciphertext, privatekey)",
         "Decrypts base64 text with an RSA private key in PEM (PKCS #1 v1.5 padding).",
         "can(rsadecrypt(\"c2VjcmV0\", \"no key\")) => false"},
        .parameters = {{"ciphertext", "string", 0}, {"privatekey", "string", 0}},
        .result = "string",
        .body = rsadecrypt_value},
    {.info = {"sha1", "sha1(str)", "The SHA-1 of a string, in hexadecimal.",
         "sha1(\"hello\") => \"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = sha1_value},
    {.info = {"sha256", "sha256(str)", "The SHA-256 of a string, in hexadecimal.",
         "sha256(\"hello\") => \"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = sha256_value},
    {.info = {"sha512", "sha512(str)", "The SHA-512 of a string, in hexadecimal.",
         "length(sha512(\"hello\")) => 128"},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = sha512_value},
    {.info = {"uuid", "uuid()", "A random UUID. Differs at each call, so it is unknown while planning.",
         "length(uuid()) => 36"},
        .result = "string",
        .body = uuid4_value},
    {.info = {"uuidv5", "uuidv5(namespace, name)",
         "The UUID of a name in a namespace: dns, url, oid, x500 or a UUID.",
         "uuidv5(\"dns\", \"tada\") => \"faa898db-9b9d-5b75-86a9-149e7bb8e3b8\""},
        .parameters = {{"namespace", "string", 0}, {"name", "string", 0}},
        .result = "string",
        .body = uuidv5_value},
    {.info = {0}},
};
