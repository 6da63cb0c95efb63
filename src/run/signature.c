/* Ed25519 over statements, with OpenSSL; see signature.h. */
#include "run/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang/base64.h"

enum { SIGNATURE_BYTES = 64, KEY_FILE_MAX = 16384 };

struct signing_key {
        EVP_PKEY *pkey;
};

/* --- the bytes ------------------------------------------------------------------------------------------------------- */

static void add_int(struct text *out, int64_t x)
{
        for (int shift = 56; shift >= 0; shift -= 8) text_addc(out, (char)((uint64_t)x >> shift));
}

static void add_text(struct text *out, const char *s)
{
        size_t len = s ? strlen(s) : 0;
        add_int(out, (int64_t)len);
        text_addn(out, s, len);
}

void statement_bytes(const struct statement *s, struct text *out)
{
        add_text(out, "tutti approval 1");
        add_text(out, s->lineage);
        add_text(out, s->run);
        add_text(out, s->gate);
        add_text(out, s->digest);
        add_text(out, s->proposal);
        add_int(out, s->opened_ms);
        add_text(out, s->answer);
        add_text(out, s->by);
        add_text(out, s->comment);
        add_int(out, s->signed_ms);
        add_int(out, s->expires_ms);
}

/* --- keys ------------------------------------------------------------------------------------------------------------ */

static void bio_free(BIO *bio)
{
        BIO_free_all(bio);
}
CLEANUP(BIO *, bio_free);

static void md_free(EVP_MD_CTX *md)
{
        EVP_MD_CTX_free(md);
}
CLEANUP(EVP_MD_CTX *, md_free);

static struct signing_key *own(EVP_PKEY *pkey)
{
        struct signing_key *key = mem_alloc(sizeof *key);
        key->pkey = pkey;
        return key;
}

int signing_key_new(struct signing_key **ret, struct error **err)
{
        EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        if (pkey == NULL) return error_set(err, ERROR_SYSTEM, NULL, "draw an Ed25519 key: OpenSSL cannot");
        *ret = own(pkey);
        return 0;
}

void signing_key_free(struct signing_key *key)
{
        if (key == NULL) return;
        EVP_PKEY_free(key->pkey); /* OpenSSL wipes it */
        free(key);
}

void signing_key_public(const struct signing_key *key, unsigned char out[APPROVER_KEY])
{
        size_t len = APPROVER_KEY;
        if (EVP_PKEY_get_raw_public_key(key->pkey, out, &len) != 1 || len != APPROVER_KEY) abort();
}

char *signing_key_path(const char *name)
{
        const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        if (config != NULL && *config == '/') return mem_printf("%s/tutti/approvers/%s.pem", config, name);
        if (home == NULL || *home == '\0') {
                const struct passwd *pw = getpwuid(getuid());
                home = pw ? pw->pw_dir : NULL;
        }
        return home ? mem_printf("%s/.config/tutti/approvers/%s.pem", home, name) : NULL;
}

static int no_passphrase(char *buffer, int size, int writing, void *context)
{
        (void)buffer, (void)size, (void)writing, (void)context;
        return -1;
}

/* The file's bytes into `buffer`; the length, or -1. */
static ssize_t read_private(const char *path, char *buffer, size_t size, struct error **err)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 && errno == ENOENT) return error_set(err, ERROR_MISSING, NULL, "there is no key %s", path);
        if (fd < 0 && errno == EACCES)
                return error_set(err, ERROR_DENIED, NULL, "read the key %s: %s", path, strerror(errno));
        if (fd < 0) return error_system(err, errno, "read the key %s", path);
        struct stat st;
        ssize_t len = 0, more = 1;
        bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode), open_to_others = (st.st_mode & 077) != 0;
        while (regular && !open_to_others && (size_t)len < size && more > 0) {
                more = read(fd, buffer + len, size - (size_t)len);
                if (more > 0) len += more;
        }
        int errnum = errno;
        close(fd);
        if (!regular) return error_set(err, ERROR_INPUT, NULL, "the key %s is no file", path);
        if (open_to_others)
                return error_set(err, ERROR_DENIED, NULL,
                    "the key %s is open to others: chmod 600 it, if it is still yours alone", path);
        if (more < 0) return error_system(err, errnum, "read the key %s", path);
        return len;
}

int signing_key_load(const char *path, struct signing_key **ret, struct error **err)
{
        char buffer[KEY_FILE_MAX];
        ssize_t len = read_private(path, buffer, sizeof buffer, err);
        if (len < 0) return -1;
        BIO *bio = BIO_new_mem_buf(buffer, (int)len);
        EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
        BIO_free(bio);
        mem_wipe(buffer, sizeof buffer);
        bool good = pkey != NULL && EVP_PKEY_is_a(pkey, "ED25519");
        if (good) {
                *ret = own(pkey);
                return 0;
        }
        EVP_PKEY_free(pkey);
        return error_set(err, ERROR_INPUT, NULL,
            "the key %s is not an Ed25519 private key in PEM (PKCS#8, without a passphrase)", path);
}

/* The folder of `path` with what is missing above it. */
static int make_folders(const char *path, struct error **err)
{
        cleanup_free char *folder = mem_strdup(path);
        for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                        return error_system(err, errno, "make the folder %s", folder);
                *slash = '/';
        }
        return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, data, len);
                if (n < 0 && errno == EINTR) continue;
                if (n <= 0) return -1;
                data += n;
                len -= (size_t)n;
        }
        return fsync(fd);
}

int signing_key_save(const struct signing_key *key, const char *path, struct error **err)
{
        cleanup(bio_free) BIO *bio = BIO_new(BIO_s_secmem());
        char *pem;
        if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "write the key as PEM: OpenSSL cannot");
        long len = BIO_get_mem_data(bio, &pem);
        if (make_folders(path, err) < 0) return -1;
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno == EEXIST)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "%s exists already, and a key is never written over anything; name another file, or move "
                    "it away",
                    path);
        if (fd < 0) return error_system(err, errno, "make the key %s", path);
        bool written = write_all(fd, pem, (size_t)len) == 0;
        int errnum = errno;
        close(fd);
        if (written) return 0;
        unlink(path);
        return error_system(err, errnum, "write the key %s", path);
}

/* --- signatures ------------------------------------------------------------------------------------------------------ */

int statement_sign(
    const struct statement *s, const struct signing_key *key, char **signature, struct error **err)
{
        struct text bytes __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text encoded = {0};
        unsigned char raw[SIGNATURE_BYTES];
        size_t len = sizeof raw;
        statement_bytes(s, &bytes);
        cleanup(md_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
        if (md == NULL || EVP_DigestSignInit(md, NULL, NULL, NULL, key->pkey) != 1 ||
            EVP_DigestSign(md, raw, &len, (const unsigned char *)bytes.data, bytes.len) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "sign the answer: OpenSSL cannot");
        base64_encode(raw, len, &encoded);
        *signature = text_steal(&encoded);
        return 0;
}

static bool verify_bytes(
    const struct text *bytes, const unsigned char key[APPROVER_KEY], const struct text *raw)
{
        EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, APPROVER_KEY);
        cleanup(md_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
        bool good = pkey != NULL && md != NULL && EVP_DigestVerifyInit(md, NULL, NULL, NULL, pkey) == 1 &&
                    EVP_DigestVerify(md, (const unsigned char *)raw->data, raw->len,
                        (const unsigned char *)bytes->data, bytes->len) == 1;
        EVP_PKEY_free(pkey);
        return good;
}

bool statement_verify(const struct statement *s, const unsigned char key[APPROVER_KEY], const char *signature)
{
        struct text bytes __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text raw __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (signature == NULL || strlen(signature) != 88 || !base64_decode(signature, 88, &raw) ||
            raw.len != SIGNATURE_BYTES)
                return false;
        statement_bytes(s, &bytes);
        return verify_bytes(&bytes, key, &raw);
}
