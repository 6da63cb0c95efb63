/* Statements and their signatures: the bytes as documented, keys in files, and agreement with the openssl command both ways. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang/base64.h"
#include "run/signature.h"
#include "tap.h"

static char folder[] = "/tmp/tutti-signature-XXXXXX";

static const struct statement sample = {
    .lineage = "3f2a",
    .run = "r7",
    .gate = "go-live",
    .digest = "00ff",
    .proposal = "abcd",
    .opened_ms = 1,
    .answer = "approved",
    .by = "alice",
    .comment = NULL,
    .signed_ms = 1790000000000,
    .expires_ms = -1,
};

static void bytes(void)
{
        struct text t = {0};
        statement_bytes(&sample, &t);
#define N "\0\0\0\0\0\0\0"
        static const char want[] = N "\x10"
                                     "tutti approval 1" N "\4"
                                     "3f2a" N "\2"
                                     "r7" N "\7"
                                     "go-live" N "\4"
                                     "00ff" N "\4"
                                     "abcd" N "\1" N "\x8"
                                     "approved" N "\5"
                                     "alice" N "\0"
                                     "\0\0\x01\xa0\xc4\x50\x6c\x00"
                                     "\xff\xff\xff\xff\xff\xff\xff\xff";
        is_int(t.len, sizeof want - 1, "as many bytes as documented");
        ok(t.len == sizeof want - 1 && memcmp(t.data, want, t.len) == 0, "and these");
        text_release(&t);
}

static void keys(void)
{
        struct error *err = NULL;
        struct signing_key *key = NULL, *again = NULL;
        cleanup_free char *path = mem_printf("%s/deep/er/a.pem", folder);
        ok(signing_key_new(&key, NULL) == 0, "a key is drawn");
        ok(signing_key_save(key, path, NULL) == 0, "and saved");
        struct stat st;
        ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "for its owner alone");
        ok(signing_key_save(key, path, &err) < 0 && error_kind(err) == ERROR_CONFLICT, "never over another");
        error_free(steal(err));
        unsigned char a[APPROVER_KEY], b[APPROVER_KEY];
        ok(signing_key_load(path, &again, NULL) == 0, "it is loaded");
        signing_key_public(key, a);
        signing_key_public(again, b);
        ok(memcmp(a, b, sizeof a) == 0, "as the same key");
        chmod(path, 0640);
        ok(signing_key_load(path, &again, &err) < 0 && error_kind(err) == ERROR_DENIED,
            "not when others may read it");
        error_free(steal(err));
        cleanup_free char *gone = mem_printf("%s/gone.pem", folder);
        ok(signing_key_load(gone, &again, &err) < 0 && error_kind(err) == ERROR_MISSING,
            "nor when there is none");
        error_free(steal(err));
        ok(signing_key_load(folder, &again, &err) < 0 && error_kind(err) == ERROR_INPUT, "nor from a folder");
        error_free(steal(err));
        signing_key_free(key);
        signing_key_free(again);
        setenv("XDG_CONFIG_HOME", "/etc/xdg", 1);
        cleanup_free char *standard = signing_key_path("alice");
        is_str(standard, "/etc/xdg/tutti/approvers/alice.pem", "where keys are");
        unsetenv("XDG_CONFIG_HOME");
        setenv("HOME", "/home/alice", 1);
        cleanup_free char *home = signing_key_path("alice");
        is_str(home, "/home/alice/.config/tutti/approvers/alice.pem", "or at home");
}

static void signatures(void)
{
        struct signing_key *key = NULL, *other = NULL;
        unsigned char a[APPROVER_KEY], b[APPROVER_KEY];
        if (signing_key_new(&key, NULL) < 0 || signing_key_new(&other, NULL) < 0) return;
        signing_key_public(key, a);
        signing_key_public(other, b);
        cleanup_free char *signature = NULL;
        ok(statement_sign(&sample, key, &signature, NULL) == 0, "a statement is signed");
        ok(statement_verify(&sample, a, signature), "which verifies");
        ok(!statement_verify(&sample, b, signature), "by that key alone");
        ok(!statement_verify(&sample, a, NULL) && !statement_verify(&sample, a, "") &&
                !statement_verify(&sample, a, "AAAA"),
            "what is no signature does not");
        signature[3] = signature[3] == 'A' ? 'B' : 'A';
        ok(!statement_verify(&sample, a, signature), "nor one that was touched");
        signature[3] = '\n';
        ok(!statement_verify(&sample, a, signature), "nor one with a line break");
        free(steal(signature));
        statement_sign(&sample, key, &signature, NULL);
        /* every field counts, and what moves from one to the next does not go unnoticed */
        struct statement s[] = {
            sample, sample, sample, sample, sample, sample, sample, sample, sample, sample, sample, sample};
        s[0].lineage = "3f2b";
        s[1].run = "r8";
        s[2].gate = "go-life";
        s[3].digest = "00fe";
        s[4].proposal = "abce";
        s[5].opened_ms++;
        s[6].answer = "rejected";
        s[7].by = "alicf";
        s[8].comment = "x";
        s[9].signed_ms++;
        s[10].expires_ms++;
        s[11].lineage = "3f2ar", s[11].run = "7";
        bool any = false;
        for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) any |= statement_verify(&s[i], a, signature);
        ok(!any, "no other statement has this signature");
        signing_key_free(key);
        signing_key_free(other);
}

static int sh(const char *fmt, const char *dir)
{
        cleanup_free char *command = mem_printf(fmt, dir, dir, dir, dir);
        return system(command);
}

static void put(const char *name, const void *data, size_t len)
{
        cleanup_free char *path = mem_printf("%s/%s", folder, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ok(fd >= 0 && write(fd, data, len) == (ssize_t)len, "%s is written", name);
        close(fd);
}

static void with_openssl(void)
{
        if (system("command -v openssl >/dev/null && openssl pkeyutl -help 2>&1 | grep -q rawin") != 0) {
                skip("the openssl command, version 3, is not installed");
                return;
        }
        struct text t = {0}, raw = {0}, encoded = {0};
        statement_bytes(&sample, &t);
        put("statement", t.data, t.len);
        is_int(sh("umask 077; openssl genpkey -algorithm ed25519 -out %s/o.pem && openssl pkeyutl -sign "
                  "-inkey %s/o.pem "
                  "-rawin -in %s/statement -out %s/signature",
                   folder),
            0, "openssl makes a key and signs");
        cleanup_free char *path = mem_printf("%s/o.pem", folder);
        cleanup(signing_key_free) struct signing_key *key = NULL;
        unsigned char public_key[APPROVER_KEY], file[128];
        if (!ok(signing_key_load(path, &key, NULL) == 0, "its key is loaded")) return;
        signing_key_public(key, public_key);
        cleanup_free char *theirs = mem_printf("%s/signature", folder);
        int fd = open(theirs, O_RDONLY);
        ssize_t len = read(fd, file, sizeof file);
        close(fd);
        base64_encode(file, (size_t)(len > 0 ? len : 0), &encoded);
        ok(statement_verify(&sample, public_key, encoded.data), "its signature verifies");
        cleanup_free char *ours = NULL;
        statement_sign(&sample, key, &ours, NULL);
        is_str(ours, encoded.data, "ours is the same");
        base64_decode(ours, strlen(ours), &raw);
        put("ours", raw.data, raw.len);
        is_int(
            sh("openssl pkeyutl -verify -inkey %s/o.pem -rawin -in %s/statement -sigfile %s/ours >/dev/null",
                folder),
            0, "and openssl accepts it");
        text_release(&t);
        text_release(&raw);
        text_release(&encoded);
        is_int(sh("umask 077; openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out %s/rsa.pem "
                  "2>/dev/null",
                   folder),
            0, "a key of another kind");
        cleanup_free char *rsa = mem_printf("%s/rsa.pem", folder);
        cleanup(error_free) struct error *err = NULL;
        struct signing_key *wrong = NULL;
        ok(signing_key_load(rsa, &wrong, &err) < 0 && error_kind(err) == ERROR_INPUT, "is refused");
}

int main(void)
{
        if (mkdtemp(folder) == NULL) skip_all("no folder for keys");
        bytes();
        keys();
        signatures();
        with_openssl();
        sh("rm -rf %s", folder);
        return done();
}
