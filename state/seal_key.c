/*
 * The key of a store: found, derived or generated, and checked against the one that the store was made with.
 *
 * What is used for sealing and what is written down for the check are both HMACs of the key, under different names:
 * the check gives nothing of the sealing key away. A generated key and a salt are on disk, synced, before anything is
 * sealed with them; each appears by link(2), so that of two processes that start at once both use the first one's.
 */
#include "state/seal_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/folder.h"
#include "base/text.h"

enum {
        FILE_MAX = 512,
        SALT = 16,
        PASSPHRASE_MAX = 1024,
        SCRYPT_LOG2N = 15, /* with r = 8: 32 MiB and about 100 ms */
        SCRYPT_R = 8,
        SCRYPT_P = 1,
        CHECK_VERSION = 2,
};
static const uint64_t scrypt_memory_max = (uint64_t)1 << 30;

struct scrypt {
        unsigned log2n, r, p;
        unsigned char salt[SALT];
};

/* ---- small files ---- */

/* 1 with the text of a private file; 0 if there is none; -1. `out` has room for FILE_MAX bytes and a NUL. */
static int read_private(const char *path, char *out, struct error **err)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT) return 0;
        if (fd < 0 && (errno == EACCES || errno == EPERM))
                return error_set(err, ERROR_DENIED, NULL, "cannot read %s: %s", path, strerror(errno));
        if (fd < 0) return error_system(err, errno, "cannot read %s", path);
        struct stat st;
        bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
        ssize_t len = regular ? pread(fd, out, FILE_MAX + 1, 0) : 0;
        int errnum = errno;
        close(fd);
        if (!regular) return error_set(err, ERROR_INPUT, NULL, "%s is not a file", path);
        if ((st.st_mode & 077) != 0)
                return error_set(err, ERROR_DENIED, NULL,
                    "%s may be read by others (mode %03o): chmod 600 %s", path, (unsigned)st.st_mode & 0777,
                    path);
        if (len < 0) return error_system(err, errnum, "cannot read %s", path);
        if (len > FILE_MAX)
                return error_set(err, ERROR_INPUT, NULL, "%s is too large for what it should hold", path);
        out[len] = '\0';
        return 1;
}

static int write_synced(int fd, const char *text)
{
        size_t len = strlen(text);
        ssize_t n = write(fd, text, len);
        if (n >= 0 && (size_t)n < len) errno = ENOSPC;
        return n == (ssize_t)len && fsync(fd) == 0 ? 0 : -1;
}

/* What becomes of a file that is there already. */
enum make { MAKE_FIRST, MAKE_OVER };

/* 1: made; 0: there was one already, which stays (MAKE_FIRST); -1. Never seen half-written, even after a power loss. */
static int make_private(
    const char *folder, const char *path, const char *text, enum make make, struct error **err)
{
        unsigned char random[8];
        char suffix[2 * sizeof random + 1];
        if (RAND_bytes(random, sizeof random) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "cannot draw random bytes");
        text_hex(random, sizeof random, suffix);
        cleanup_free char *draft = mem_printf("%s.%s", path, suffix);
        int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EACCES)
                return error_set(err, ERROR_DENIED, NULL, "cannot make %s: %s", path, strerror(errno));
        if (fd < 0) return error_system(err, errno, "cannot make %s", path);
        int result = write_synced(fd, text), errnum = errno;
        close(fd);
        if (result == 0) {
                result = make == MAKE_OVER ? rename(draft, path) : link(draft, path);
                errnum = errno;
        }
        unlink(draft);
        if (result < 0 && errnum == EEXIST) return 0;
        if (result < 0 || folder_sync(folder) < 0)
                return error_system(err, result < 0 ? errnum : errno, "cannot make %s", path);
        return 1;
}

/* Exactly `len` bytes as hexadecimal digits, white space behind them allowed. */
static bool parse_hex(const char *hex, unsigned char *out, size_t len)
{
        for (size_t i = 0; i < 2 * len; i++) {
                char c = hex[i];
                int digit = c >= '0' && c <= '9'   ? c - '0'
                            : c >= 'a' && c <= 'f' ? c - 'a' + 10
                            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                   : -1;
                if (digit < 0) return false;
                out[i / 2] = (unsigned char)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
        }
        return hex[2 * len + strspn(hex + 2 * len, " \t\r\n")] == '\0';
}

/* ---- a key file ---- */

static int generate_key(const char *folder, const char *path, struct error **err)
{
        unsigned char key[SEAL_KEY];
        char text[2 * SEAL_KEY + 2] = "";
        if (RAND_priv_bytes(key, sizeof key) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "cannot draw random bytes");
        text_hex(key, sizeof key, text);
        text[2 * SEAL_KEY] = '\n';
        int result = make_private(folder, path, text, MAKE_FIRST, err);
        mem_wipe(key, sizeof key);
        mem_wipe(text, sizeof text);
        return result < 0 ? -1 : 0;
}

static int read_key(const char *path, unsigned char master[SEAL_KEY], struct error **err)
{
        char text[FILE_MAX + 1] = "";
        int found = read_private(path, text, err);
        bool good = found == 1 && parse_hex(text, master, SEAL_KEY);
        mem_wipe(text, sizeof text);
        if (found == 1 && !good)
                return error_set(err, ERROR_INPUT, NULL,
                    "%s is not a key: %d hexadecimal digits are expected", path, 2 * SEAL_KEY);
        return found;
}

static int key_from_file(
    const char *folder, bool create, bool known, unsigned char master[SEAL_KEY], struct error **err)
{
        const char *elsewhere = getenv("TUTTI_KEY_FILE");
        bool own = elsewhere == NULL || elsewhere[0] == '\0';
        cleanup_free char *path = own ? mem_printf("%s/key", folder) : mem_strdup(elsewhere);
        int found = read_key(path, master, err);
        if (found != 0) return found < 0 ? -1 : 0;
        if (!own)
                return error_set(
                    err, ERROR_MISSING, NULL, "there is no key file at %s (TUTTI_KEY_FILE)", path);
        if (known)
                return error_set(err, ERROR_DENIED, NULL,
                    "%s is gone, and with it the key of the secrets in this store: restore it, or point "
                    "TUTTI_KEY_FILE to it",
                    path);
        if (!create) return error_set(err, ERROR_MISSING, NULL, "there is no key at %s", path);
        if (generate_key(folder, path, err) < 0) return -1;
        found = read_key(path, master, err);
        if (found == 0) return error_set(err, ERROR_SYSTEM, NULL, "%s vanished", path);
        return found < 0 ? -1 : 0;
}

/* ---- a passphrase ---- */

static bool parse_scrypt(const char *text, struct scrypt *ret)
{
        int used = 0;
        if (sscanf(text, "tutti-scrypt 1 %2u %2u %2u %n", &ret->log2n, &ret->r, &ret->p, &used) != 3 ||
            used == 0)
                return false;
        if (ret->log2n < 10 || ret->log2n > 24 || ret->r < 1 || ret->p < 1 || ret->p > 16) return false;
        if (((uint64_t)128 << ret->log2n) * ret->r > scrypt_memory_max) return false;
        return parse_hex(text + used, ret->salt, SALT);
}

static int generate_salt(const char *folder, const char *path, struct error **err)
{
        unsigned char salt[SALT];
        char hex[2 * SALT + 1];
        if (RAND_bytes(salt, sizeof salt) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "cannot draw random bytes");
        text_hex(salt, sizeof salt, hex);
        cleanup_free char *text = mem_printf(
            "tutti-scrypt 1 %d %d %d %s\n", SCRYPT_LOG2N, SCRYPT_R, SCRYPT_P, hex);
        return make_private(folder, path, text, MAKE_FIRST, err) < 0 ? -1 : 0;
}

static int load_scrypt(const char *folder, bool create, bool known, struct scrypt *ret, struct error **err)
{
        cleanup_free char *path = mem_printf("%s/key.salt", folder);
        char text[FILE_MAX + 1] = "";
        int found = read_private(path, text, err);
        if (found == 0 && known)
                return error_set(err, ERROR_DENIED, NULL,
                    "%s is gone, without which no passphrase gives the key of this store: restore it", path);
        if (found == 0 && !create)
                return error_set(err, ERROR_MISSING, NULL, "nothing was sealed yet: there is no %s", path);
        if (found == 0) {
                if (generate_salt(folder, path, err) < 0) return -1;
                found = read_private(path, text, err);
        }
        if (found < 0) return -1;
        if (found == 1 && parse_scrypt(text, ret)) return 0;
        return error_set(
            err, ERROR_INPUT, NULL, "%s does not hold the parameters of scrypt: restore it", path);
}

static int key_from_passphrase(const char *folder, const char *passphrase, bool create, bool known,
    unsigned char master[SEAL_KEY], struct error **err)
{
        size_t len = strlen(passphrase);
        if (len == 0) return error_set(err, ERROR_INPUT, NULL, "TUTTI_PASSPHRASE is set, but empty");
        if (len > PASSPHRASE_MAX)
                return error_set(
                    err, ERROR_INPUT, NULL, "TUTTI_PASSPHRASE is longer than %d bytes", PASSPHRASE_MAX);
        struct scrypt scrypt = {0};
        if (load_scrypt(folder, create, known, &scrypt, err) < 0) return -1;
        if (EVP_PBE_scrypt(passphrase, len, scrypt.salt, SALT, (uint64_t)1 << scrypt.log2n, scrypt.r,
                scrypt.p, scrypt_memory_max + (scrypt_memory_max >> 4), master, SEAL_KEY) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "cannot derive a key from the passphrase");
        return 0;
}

/* ---- the check ---- */

struct check {
        bool known;      /* the store has been sealed with something before */
        bool passphrase; /* … and with a passphrase */
        unsigned version;
        unsigned char mac[SEAL_KEY];
};

static int load_check(const char *path, struct check *ret, struct error **err)
{
        char text[FILE_MAX + 1], method[16];
        int found = read_private(path, text, err), used = 0;
        *ret = (struct check){.known = found == 1};
        if (found != 1) return found;
        if (sscanf(text, "tutti-key-check %1u %15s %n", &ret->version, method, &used) != 2 || used == 0 ||
            ret->version < 1 || ret->version > CHECK_VERSION ||
            (!text_equal(method, "key-file") && !text_equal(method, "passphrase")) ||
            !parse_hex(text + used, ret->mac, SEAL_KEY))
                return error_set(
                    err, ERROR_INPUT, NULL, "%s does not hold the check of a key: restore it", path);
        ret->passphrase = text_equal(method, "passphrase");
        return 0;
}

static int mac(const unsigned char master[SEAL_KEY], const char *purpose, unsigned char out[SEAL_KEY],
    struct error **err)
{
        unsigned len = 0;
        if (HMAC(EVP_sha256(), master, SEAL_KEY, (const unsigned char *)purpose, strlen(purpose), out,
                &len) != NULL)
                return 0;
        return error_set(err, ERROR_SYSTEM, NULL, "HMAC-SHA-256 is not available");
}

static int compare(const char *folder, const struct check *check, bool passphrase,
    const unsigned char got[SEAL_KEY], struct error **err)
{
        if (check->passphrase != passphrase)
                return error_set(err, ERROR_DENIED, NULL,
                    passphrase ? "the store in %s is sealed with a key file: unset TUTTI_PASSPHRASE"
                               : "the store in %s is sealed with a passphrase: set TUTTI_PASSPHRASE",
                    folder);
        if (CRYPTO_memcmp(got, check->mac, SEAL_KEY) == 0) return 0;
        return error_set(err, ERROR_DENIED, NULL,
            passphrase ? "TUTTI_PASSPHRASE is not the passphrase of the store in %s"
                       : "the key file is not the one that the store in %s is sealed with",
            folder);
}

static int check_mac(
    const unsigned char master[SEAL_KEY], unsigned version, unsigned char out[SEAL_KEY], struct error **err)
{
        cleanup_free char *purpose = mem_printf("tutti key check %u", version);
        return mac(master, purpose, out, err);
}

static int write_check(const char *folder, bool passphrase, const unsigned char master[SEAL_KEY],
    enum make make, struct error **err)
{
        unsigned char got[SEAL_KEY];
        char hex[2 * SEAL_KEY + 1];
        if (check_mac(master, CHECK_VERSION, got, err) < 0) return -1;
        text_hex(got, sizeof got, hex);
        cleanup_free char *path = mem_printf("%s/key.check", folder);
        cleanup_free char *text = mem_printf(
            "tutti-key-check %d %s %s\n", CHECK_VERSION, passphrase ? "passphrase" : "key-file", hex);
        return make_private(folder, path, text, make, err) < 0 ? -1 : 0;
}

/* Compares with the check, which the first one to seal anything writes down. */
static int verify(const char *folder, bool create, struct check *check, bool passphrase,
    const unsigned char master[SEAL_KEY], struct error **err)
{
        unsigned char got[SEAL_KEY];
        if (!check->known && create) {
                cleanup_free char *path = mem_printf("%s/key.check", folder);
                if (write_check(folder, passphrase, master, MAKE_FIRST, err) < 0) return -1;
                if (load_check(path, check, err) < 0) return -1;
        }
        if (!check->known) return 0;
        if (check_mac(master, check->version, got, err) < 0) return -1;
        return compare(folder, check, passphrase, got, err);
}

/* The key before it is turned into what seals, compared with *check. The caller wipes it. */
static int load_master(
    const char *folder, bool create, struct check *check, unsigned char master[SEAL_KEY], struct error **err)
{
        const char *passphrase = getenv("TUTTI_PASSPHRASE");
        cleanup_free char *path = mem_printf("%s/key.check", folder);
        if (load_check(path, check, err) < 0) return -1;
        /* Before anything is derived or generated: the other way of sealing is told from a file alone. */
        if (check->known && check->passphrase != (passphrase != NULL))
                return compare(folder, check, passphrase != NULL, check->mac, err);
        int result = passphrase != NULL
                         ? key_from_passphrase(folder, passphrase, create, check->known, master, err)
                         : key_from_file(folder, create, check->known, master, err);
        return result == 0 ? verify(folder, create, check, passphrase != NULL, master, err) : -1;
}

int seal_key_load(
    const char *folder, bool create, unsigned char key[SEAL_KEY], bool *before_proofs, struct error **err)
{
        unsigned char master[SEAL_KEY] = {0};
        struct check check;
        int result = load_master(folder, create, &check, master, err);
        if (result == 0) result = mac(master, "tutti seal 1", key, err);
        mem_wipe(master, sizeof master);
        *before_proofs = result == 0 && check.known && check.version < CHECK_VERSION;
        return result;
}

int seal_key_begin_proofs(const char *folder, struct error **err)
{
        unsigned char master[SEAL_KEY] = {0};
        struct check check;
        int result = load_master(folder, false, &check, master, err);
        if (result == 0) result = write_check(folder, check.passphrase, master, MAKE_OVER, err);
        mem_wipe(master, sizeof master);
        return result;
}
