/* Sealing: values come back, nothing altered does; keys are made, kept private, and the wrong one is told at once. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "state/seal.h"
#include "tap.h"

static char folder[] = "/tmp/tutti-seal-XXXXXX";

/* The call fails with this kind, and its message holds `part`. */
#define fails(call, want, part, name)                                                                       \
        do {                                                                                                \
                struct error *err = NULL;                                                                   \
                bool failed_ = (call) < 0 && err != NULL;                                                   \
                ok(failed_ &&error_kind(err) == (want) && strstr(error_message(err), (part)) != NULL, "%s", \
                    name);                                                                                  \
                printf("# %s: %s\n", failed_ ? error_kind_name(error_kind(err)) : "no error",               \
                    error_message(err));                                                                    \
                error_free(err);                                                                            \
        } while (0)

static char *path(const char *name)
{
        return mem_printf("%s/%s", folder, name);
}

static void forget(const char *name)
{
        cleanup_free char *p = path(name);
        unlink(p);
}

static void start_over(void)
{
        unsetenv("TUTTI_PASSPHRASE");
        unsetenv("TUTTI_KEY_FILE");
        forget("key");
        forget("key.salt");
        forget("key.check");
        forget("other");
}

static void put(const char *name, const char *content, unsigned mode)
{
        cleanup_free char *p = path(name);
        unlink(p);
        int fd = open(p, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0 || write(fd, content, strlen(content)) < 0 || fchmod(fd, mode) < 0) abort();
        close(fd);
}

static char *get(const char *name)
{
        cleanup_free char *p = path(name);
        char *content = mem_alloc(1024);
        FILE *f = fopen(p, "r");
        if (f == NULL) return content;
        if (fread(content, 1, 1023, f) == 0) content[0] = '\0';
        fclose(f);
        return content;
}

static struct seal *open_seal(bool create)
{
        struct seal *seal = NULL;
        struct error *err = NULL;
        if (seal_open(folder, create, &seal, &err) < 0) printf("# %s\n", error_message(err));
        error_free(err);
        return seal;
}

static bool round_trip(struct seal *a, struct seal *b, const void *data, size_t len)
{
        struct text sealed __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct text plain __attribute__((__cleanup__(text_release_cleanup))) = {0};
        return seal_seal(a, data, len, &sealed, NULL) == 0 &&
               seal_unseal(b, sealed.data, sealed.len, &plain, NULL) == 0 && plain.len == len &&
               memcmp(plain.data != NULL ? plain.data : "", data, len) == 0;
}

static void test_values(void)
{
        start_over();
        struct seal *seal = open_seal(true);
        ok(seal != NULL, "a key is made");
        char bytes[300];
        bool all = true;
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7);
        for (size_t len = 0; len <= sizeof bytes; len++) all = all && round_trip(seal, seal, bytes, len);
        ok(all, "values of every length up to %zu come back", sizeof bytes);

        struct text a = {0}, b = {0}, plain = {0};
        text_add(&a, "before:");
        ok(seal_seal(seal, "hunter2", 7, &a, NULL) == 0 && strncmp(a.data, "before:", 7) == 0,
            "sealing appends");
        ok(seal_seal(seal, "hunter2", 7, &b, NULL) == 0 && strcmp(a.data + 7, b.data) != 0,
            "no two seals are alike");
        is_int(b.len, (1 + 12 + 7 + 16) / 3 * 4, "of the documented size");
        text_add(&plain, "x");
        ok(seal_unseal(seal, b.data, b.len, &plain, NULL) == 0, "unsealing");
        is_str(plain.data, "xhunter2", "appends");

        size_t caught = 0;
        for (size_t i = 0; i < b.len; i++) {
                char was = b.data[i];
                b.data[i] = was == 'A' ? 'B' : 'A';
                caught += seal_unseal(seal, b.data, b.len, &plain, NULL) < 0;
                b.data[i] = was;
        }
        is_int(caught, b.len, "every altered letter is found");
        is_str(plain.data, "xhunter2", "and nothing is given out then");
        fails(seal_unseal(seal, b.data, b.len - 4, &plain, &err), ERROR_DENIED, "altered", "so is a cut");
        fails(seal_unseal(seal, "", 0, &plain, &err), ERROR_INPUT, "not a sealed value",
            "nothing is no sealed value");
        fails(seal_unseal(seal, "AAAA", 4, &plain, &err), ERROR_INPUT, "not a sealed value",
            "nor is a short one");
        fails(seal_unseal(seal, "A===", 4, &plain, &err), ERROR_INPUT, "not a sealed value",
            "nor wrong padding");
        text_clear(&a);
        text_addf(&a, " %s", b.data);
        fails(seal_unseal(seal, a.data, a.len, &plain, &err), ERROR_INPUT, "not a sealed value",
            "nor one with a space");
        memcpy(a.data, b.data, b.len);
        a.data[4] = '\n';
        fails(seal_unseal(seal, a.data, b.len, &plain, &err), ERROR_INPUT, "not a sealed value",
            "nor one with a newline");
        memcpy(a.data, b.data, b.len);
        a.data[0] = 'C';
        fails(seal_unseal(seal, a.data, b.len, &plain, &err), ERROR_INPUT, "format 9",
            "another format is named");
        text_release(&a);
        text_release(&b);
        text_release(&plain);
        seal_close(seal);
}

static void test_key_file(void)
{
        start_over();
        struct seal *none = NULL;
        fails(seal_open(folder, false, &none, &err), ERROR_MISSING, "there is no key",
            "without create no key is made");
        struct seal *one = open_seal(true);
        cleanup_free char *key = get("key"), *check = get("key.check");
        ok(strlen(key) == 65 && strspn(key, "0123456789abcdef") == 64, "a key is 64 digits");
        cleanup_free char *p = path("key");
        struct stat st;
        ok(stat(p, &st) == 0 && (st.st_mode & 07777) == 0600 && st.st_nlink == 1, "of mode 0600");
        ok(strstr(check, "key-file") != NULL && strstr(check, "passphrase") == NULL,
            "the check says what was used");
        struct seal *two = open_seal(false);
        ok(two != NULL && round_trip(one, two, "secret", 6), "opened again it is the same key");
        seal_close(two);

        put("other", key, 0600);
        cleanup_free char *other = path("other");
        setenv("TUTTI_KEY_FILE", other, 1);
        two = open_seal(true);
        ok(two != NULL && round_trip(one, two, "secret", 6), "so it is as TUTTI_KEY_FILE");
        seal_close(two);
        put("other", "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF", 0600);
        fails(seal_open(folder, true, &none, &err), ERROR_DENIED, "not the one",
            "another key is refused at once");
        unlink(other);
        fails(seal_open(folder, true, &none, &err), ERROR_MISSING, "TUTTI_KEY_FILE",
            "a named file must be there");
        unsetenv("TUTTI_KEY_FILE");

        put("key", key, 0640);
        fails(seal_open(folder, true, &none, &err), ERROR_DENIED, "chmod 600",
            "a key that others may read is refused");
        put("key", "0011", 0600);
        fails(seal_open(folder, true, &none, &err), ERROR_INPUT, "64 hexadecimal digits",
            "half a key is refused");
        forget("key");
        fails(seal_open(folder, true, &none, &err), ERROR_DENIED, "is gone",
            "a lost key is not replaced by a new one");
        ok(access(p, F_OK) < 0, "none was made");
        put("key", key, 0600);
        put("key.check", "tutti-key-check 1 key-file 00\n", 0600);
        fails(seal_open(folder, true, &none, &err), ERROR_INPUT, "key.check", "a damaged check is named");
        forget("key.check");
        two = open_seal(true);
        ok(two != NULL && round_trip(two, one, "secret", 6), "a lost check is written again");
        cleanup_free char *again = get("key.check");
        is_str(again, check, "the same");
        seal_close(one);
        seal_close(two);
}

static void test_passphrase(void)
{
        start_over();
        struct seal *none = NULL;
        setenv("TUTTI_PASSPHRASE", "", 1);
        fails(seal_open(folder, true, &none, &err), ERROR_INPUT, "empty", "an empty passphrase is refused");
        setenv("TUTTI_PASSPHRASE", "correct horse", 1);
        fails(seal_open(folder, false, &none, &err), ERROR_MISSING, "nothing was sealed",
            "without create, no salt");
        struct seal *one = open_seal(true), *two = open_seal(false);
        ok(one != NULL && two != NULL && round_trip(one, two, "secret", 6),
            "a passphrase gives the same key again");
        cleanup_free char *salt = get("key.salt"), *key = path("key");
        ok(strncmp(salt, "tutti-scrypt 1 15 8 1 ", 22) == 0, "the salt file keeps the parameters");
        ok(access(key, F_OK) < 0, "no key is written down");
        setenv("TUTTI_PASSPHRASE", "wrong horse", 1);
        fails(seal_open(folder, true, &none, &err), ERROR_DENIED, "not the passphrase",
            "a wrong one is refused at once");
        unsetenv("TUTTI_PASSPHRASE");
        fails(seal_open(folder, true, &none, &err), ERROR_DENIED, "set TUTTI_PASSPHRASE",
            "no passphrase is told so");
        ok(access(key, F_OK) < 0, "and no key is made instead");
        setenv("TUTTI_PASSPHRASE", "correct horse", 1);
        put("key.salt", "tutti-scrypt 1 24 99 1 00112233445566778899aabbccddeeff\n", 0600);
        fails(seal_open(folder, true, &none, &err), ERROR_INPUT, "scrypt",
            "parameters that eat all memory are refused");
        forget("key.salt");
        fails(seal_open(folder, true, &none, &err), ERROR_DENIED, "is gone",
            "a lost salt is not replaced by a new one");
        seal_close(one);
        seal_close(two);

        start_over();
        seal_close(open_seal(true));
        setenv("TUTTI_PASSPHRASE", "correct horse", 1);
        fails(seal_open(folder, true, &none, &err), ERROR_DENIED, "unset TUTTI_PASSPHRASE",
            "a passphrase for a store with a key file is told so");
        unsetenv("TUTTI_PASSPHRASE");
}

/* A check of the first version, as an older program wrote it for the key 00…00: HMAC-SHA-256(key, "tutti key check 1"). */
static void put_old(void)
{
        start_over();
        put("key", "0000000000000000000000000000000000000000000000000000000000000000", 0600);
        put("key.check",
            "tutti-key-check 1 key-file "
            "93fa5a320941edcb309e5cd65b45de2bf24904218629ba738fd18cf6d27f9592\n",
            0600);
}

static void test_versions(void)
{
        struct seal *none = NULL;
        start_over();
        struct seal *seal = open_seal(true);
        cleanup_free char *fresh = get("key.check");
        ok(strncmp(fresh, "tutti-key-check 2 ", 18) == 0, "a new check is of version 2");
        ok(!seal_before_proofs(seal), "a new store knows proofs");
        seal_close(seal);

        put_old();
        seal = open_seal(false);
        ok(seal != NULL && seal_before_proofs(seal), "a store of an older program does not");
        ok(seal_begin_proofs(folder, seal, NULL) == 0 && !seal_before_proofs(seal), "until it is told so");
        seal_close(seal);
        cleanup_free char *check = get("key.check");
        ok(strncmp(check, "tutti-key-check 2 ", 18) == 0, "which is written down");
        seal = open_seal(false);
        ok(seal != NULL && !seal_before_proofs(seal), "and stays");
        ok(seal_begin_proofs(folder, seal, NULL) == 0, "once more is no error");
        seal_close(seal);
        cleanup_free char *p = path("key.check");
        struct stat st;
        ok(stat(p, &st) == 0 && (st.st_mode & 07777) == 0600 && st.st_nlink == 1, "the file is private");

        /* Nobody without the key makes an old check out of a new one. */
        check[16] = '1';
        put("key.check", check, 0600);
        fails(seal_open(folder, false, &none, &err), ERROR_DENIED, "not the one",
            "a new check under an old number is refused");
        check[16] = '3';
        put("key.check", check, 0600);
        fails(
            seal_open(folder, false, &none, &err), ERROR_INPUT, "key.check", "a later version is not known");
        forget("key.check");
        seal = open_seal(false);
        ok(seal != NULL && !seal_before_proofs(seal), "without a check a store is not an old one");
        seal_close(seal);

        put_old();
        put("key", "1000000000000000000000000000000000000000000000000000000000000000", 0600);
        fails(seal_open(folder, false, &none, &err), ERROR_DENIED, "not the one",
            "another key does not fit an old check");
}

/* The child seals with whatever key it got; the parent must be able to open it. */
static void test_race(void)
{
        enum { ROUNDS = 20, CHILDREN = 4 };
        size_t good = 0;
        for (int round = 0; round < ROUNDS; round++) {
                start_over();
                int pipes[2];
                if (pipe(pipes) < 0) abort();
                for (int i = 0; i < CHILDREN; i++) {
                        if (fork() != 0) continue;
                        struct seal *seal = open_seal(true);
                        struct text sealed = {0};
                        if (seal == NULL || seal_seal(seal, "x", 1, &sealed, NULL) < 0) _exit(1);
                        bool sent = write(pipes[1], sealed.data, sealed.len) == (ssize_t)sealed.len;
                        text_release(&sealed);
                        seal_close(seal);
                        _exit(!sent);
                }
                close(pipes[1]);
                int status = 0, failed = 0;
                for (int i = 0; i < CHILDREN; i++) failed |= wait(&status) < 0 || status != 0;
                struct seal *seal = open_seal(false);
                char buffer[40];
                while (!failed && seal != NULL && read(pipes[0], buffer, 40) == 40) {
                        struct text plain = {0};
                        good += seal_unseal(seal, buffer, 40, &plain, NULL) == 0;
                        text_release(&plain);
                }
                close(pipes[0]);
                seal_close(seal);
        }
        is_int(good, ROUNDS * CHILDREN, "processes that start at once agree on one key");
}

static void test_cost(void)
{
        start_over();
        seal_close(open_seal(true));
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        for (int i = 0; i < 100; i++) seal_close(open_seal(false));
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("# %.1f us to open with a key file\n",
            ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / 1e5);
}

int main(void)
{
        if (mkdtemp(folder) == NULL) abort();
        test_values();
        test_key_file();
        test_passphrase();
        test_versions();
        test_race();
        test_cost();
        start_over();
        rmdir(folder);
        ok(access(folder, F_OK) < 0, "no drafts are left behind");
        return done();
}
