/*
 * Opening and closing a store of SQLite: the folder and file with their modes, the checks that keep a foreign or
 * newer file untouched, the settings that make a commit survive power loss, and the migrations.
 */
#include "state/sqlite_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/text.h"

/* The embedded files are longer than the 4095 bytes that C17 promises; gcc and clang take any length. */
#pragma GCC diagnostic ignored "-Woverlength-strings"
static const char *const migrations[] = {
#include "001_initial.sql.h"
#include "002_policies.sql.h"
#include "003_tainted.sql.h"
#include "004_notification.sql.h"
#include "005_answers.sql.h"
#include "006_lease_boot.sql.h"
#include "007_recovery.sql.h"
#include "008_estimates.sql.h"
#include "009_witness.sql.h"
#include "010_proof.sql.h"
#include "011_follows.sql.h"
#include "012_rows.sql.h"
#include "013_open.sql.h"
#include "014_account.sql.h"
};
enum { SCHEMA_VERSION = sizeof migrations / sizeof migrations[0] };

/* ---- the file, before SQLite sees it ---- */

static uint32_t big_endian(const unsigned char *p)
{
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int refuse_foreign(const char *path, struct error **err)
{
        return error_set(err, ERROR_INPUT, NULL, "%s is not a Tutti store; it was left as it is", path);
}

static int refuse_newer(const char *path, int64_t version, struct error **err)
{
        return error_set(err, ERROR_INPUT, NULL,
            "%s was written by a newer Tutti (schema %lld, this program knows up to %d); it was left as it "
            "is: update "
            "Tutti",
            path, (long long)version, SCHEMA_VERSION);
}

/* The key is drawn after the store was made: a store with nothing in it, beside a key, has lost what was there. */
static int check_never_used(const char *path, struct error **err)
{
        const char *slash = strrchr(path, '/');
        cleanup_free char *key = mem_printf("%.*skey.check", slash ? (int)(slash - path + 1) : 0, path);
        if (access(key, F_OK) < 0) return 0;
        return error_set(err, ERROR_SYSTEM, NULL,
            "the store %s is empty, but there is a key beside it: what was recorded is lost; bring back a "
            "copy, or "
            "remove the file to begin anew",
            path);
}

/*
 * Looks at the header (https://www.sqlite.org/fileformat.html, 1.3) by ourselves, as SQLite may already write to a
 * database that it only opens (recovery, checkpoint). A new store gets its application id before its first WAL
 * file, so that the header of a store always has it. *empty: there is no file, or nothing in it yet.
 */
static int check_header(const char *path, bool *empty, struct error **err)
{
        unsigned char header[100];
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT) {
                *empty = true;
                return 0;
        }
        if (fd < 0 && (errno == EACCES || errno == EPERM))
                return error_set(
                    err, ERROR_DENIED, NULL, "cannot open the store %s: %s", path, strerror(errno));
        if (fd < 0) return error_system(err, errno, "cannot open the store %s", path);
        struct stat st;
        bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
        ssize_t len = regular ? pread(fd, header, sizeof header, 0) : 0;
        int errnum = errno;
        close(fd);
        if (len < 0) return error_system(err, errnum, "cannot read the store %s", path);
        if (!regular) return refuse_foreign(path, err);
        *empty = len == 0;
        if (*empty) return check_never_used(path, err);
        if (len < (ssize_t)sizeof header || memcmp(header, "SQLite format 3", 16) != 0 ||
            big_endian(header + 68) != STORE_APPLICATION_ID)
                return refuse_foreign(path, err);
        uint32_t version = big_endian(header + 60);
        return version > SCHEMA_VERSION ? refuse_newer(path, version, err) : 0;
}

/*
 * Stores are opened one after the other: making one, migrating it and switching it to a WAL are not steps that SQLite
 * can take while others do the same. The lock is the kernel's, gone with its process; one that was stopped is waited for
 * no longer than a locked database is. Where the folder cannot be opened nothing can be made in it either, and no lock is
 * needed. *lock is what unlock takes.
 */
static int lock_folder(const struct store *s, int *lock, struct error **err)
{
        enum { AGAIN_MS = 10 };
        const struct timespec pause = {.tv_nsec = AGAIN_MS * 1000000L};
        *lock = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*lock < 0) return 0;
        int kind = (s->mode == STORE_READ ? LOCK_SH : LOCK_EX) | LOCK_NB;
        for (int waited = 0; flock(*lock, kind) < 0; waited += AGAIN_MS) {
                if (errno != EWOULDBLOCK && errno != EINTR) return 0; /* a file system without such locks */
                if (waited >= STORE_BUSY_MS)
                        return error_set(err, ERROR_BUSY, NULL,
                            "the store %s is being opened by another process (waited %d s); try again",
                            s->path, STORE_BUSY_MS / 1000);
                nanosleep(&pause, NULL);
        }
        return 0;
}

static void unlock(int fd)
{
        if (fd >= 0) close(fd);
}
CLEANUP(int, unlock);

/* A file that is there afterwards, whoever made it. */
static int make_file(const char *path, const char *content, unsigned mode, struct error **err)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0 && errno == EEXIST) return 0;
        if (fd < 0 && errno == EACCES)
                return error_set(err, ERROR_DENIED, NULL, "cannot make %s: %s", path, strerror(errno));
        if (fd < 0) return error_system(err, errno, "cannot make %s", path);
        size_t len = strlen(content);
        bool written = write(fd, content, len) == (ssize_t)len;
        int errnum = errno;
        close(fd);
        if (written) return 0;
        unlink(path);
        return error_system(err, errnum, "cannot write %s", path);
}

/* The folder, private and kept out of version control. Only a folder of our own making gets a .gitignore: one that
 * was there may be somebody's source tree. */
static int make_folder(const struct store *s, struct error **err)
{
        if (mkdir(s->folder, 0700) < 0) {
                if (errno == EEXIST) return 0;
                if (errno == EACCES)
                        return error_set(err, ERROR_DENIED, NULL, "cannot make the folder %s: %s", s->folder,
                            strerror(errno));
                return error_system(err, errno, "cannot make the folder %s", s->folder);
        }
        cleanup_free char *ignore = mem_printf("%s/.gitignore", s->folder);
        if (make_file(ignore, "*\n", 0600, err) < 0) return -1;
        cleanup_free char *parent = mem_printf("%s/..", s->folder);
        if (folder_sync(s->folder) < 0 || folder_sync(parent) < 0)
                return error_system(err, errno, "cannot make the folder %s", s->folder);
        return 0;
}

/* ---- the connection ---- */

static int pragma_int(struct store *s, const char *sql, int64_t *ret, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s, sql, err);
        if (st == NULL) return -1;
        int found = sqlite_step(s, st, err);
        *ret = found == 1 ? column_int(st, 0) : 0;
        return found < 0 ? -1 : 0;
}

static int check_version(struct store *s, int64_t *version, struct error **err)
{
        int64_t application;
        if (pragma_int(s, "PRAGMA application_id", &application, err) < 0) return -1;
        if (pragma_int(s, "PRAGMA user_version", version, err) < 0) return -1;
        bool fresh = application == 0 && *version == 0;
        if (application != STORE_APPLICATION_ID && !(fresh && s->mode == STORE_CREATE))
                return refuse_foreign(s->path, err);
        if (*version > SCHEMA_VERSION) return refuse_newer(s->path, *version, err);
        return 0;
}

/* Brings the schema up to date in one transaction; another process may have done so while we waited for the lock. */
static int migrate(struct store *s, struct error **err)
{
        int64_t version;
        if (check_version(s, &version, err) < 0) return -1;
        if (version == SCHEMA_VERSION) return 0;
        if (s->mode == STORE_READ)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "the store %s is of an older schema (%lld, now %d); any command that writes to it brings "
                    "it up to date",
                    s->path, (long long)version, SCHEMA_VERSION);
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        if (check_version(s, &version, err) < 0) return -1;
        for (int64_t v = version; v < SCHEMA_VERSION; v++)
                if (sqlite_exec(s, migrations[v], err) < 0)
                        return error_context(err, "schema %lld", (long long)v + 1);
        witness_forget(s); /* what a migration writes is taken for good with the rest */
        if (witness_adopt(s, err) < 0) return error_context(err, "schema %d", SCHEMA_VERSION);
        cleanup_free char *stamp = mem_printf(
            "PRAGMA application_id = %d; PRAGMA user_version = %d", STORE_APPLICATION_ID, SCHEMA_VERSION);
        if (sqlite_exec(s, stamp, err) < 0) return -1;
        return sqlite_commit(s, err);
}

static int open_database(struct store *s, bool immutable, struct error **err)
{
        /* As a URI, every byte that could mean something is escaped. */
        struct text uri __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_add(&uri, "file:");
        for (const char *p = s->path; *p != '\0'; p++)
                text_addf(&uri, strchr("/.-_", *p) != NULL || isalnum((unsigned char)*p) ? "%c" : "%%%02X",
                    (unsigned char)*p);
        if (immutable) text_add(&uri, "?immutable=1");
        /* Counting its memory costs SQLite two locks for each allocation. Too late once it was used: then it goes on counting. */
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        int flags = s->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
        int rc = sqlite3_open_v2(uri.data, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
        if (s->db == NULL) abort(); /* no memory */
        sqlite3_extended_result_codes(s->db, 1);
        if (rc != SQLITE_OK) return sqlite_error(s, rc, err);
        /* Where it may not write, SQLite opens a database for reading, and says so only when asked: now, before it looks for a
         * WAL that it cannot make, and finds that there is none. */
        if (s->mode != STORE_READ && sqlite3_db_readonly(s->db, "main") == 1)
                return sqlite_error(s, SQLITE_READONLY, err);
        sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        witness_attach(s);
        return sqlite_exec(s,
            "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;"
            "PRAGMA cache_size = -8192",
            err);
}

static void close_database(struct store *s)
{
        sqlite_statements_release(s);
        sqlite3_close(s->db);
        s->db = NULL;
}

/* Where neither the file nor its folder can be written, SQLite cannot make the shared index that a WAL needs. It can
 * still read a store that nobody has open, as one that does not change. */
static int open_to_read(struct store *s, struct error **err)
{
        cleanup(error_free) struct error *first = NULL;
        int64_t version;
        if (open_database(s, false, &first) == 0 && check_version(s, &version, &first) == 0)
                return migrate(s, err);
        int rc = sqlite3_errcode(s->db) & 0xff;
        cleanup_free char *wal = mem_printf("%s-wal", s->path);
        struct stat st;
        bool settled = stat(wal, &st) < 0 || st.st_size == 0;
        if ((rc != SQLITE_CANTOPEN && rc != SQLITE_READONLY) || !settled) return error_move(err, &first);
        close_database(s);
        if (open_database(s, true, err) < 0) return -1;
        return migrate(s, err);
}

static int open_to_write(struct store *s, bool empty, struct error **err)
{
        if (empty && make_file(s->path, "", 0600, err) < 0) return -1;
        if (open_database(s, false, err) < 0) return -1;
        if (migrate(s, err) < 0) return -1;
        /* A WAL that once grew large does not stay so. */
        if (sqlite_exec(s, "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 16777216", err) < 0)
                return -1;
        return make_file(s->signal, "", 0600, err);
}

static int damaged(const struct store *s, const char *what, struct error **err)
{
        return error_set(
            err, ERROR_SYSTEM, NULL, "the store %s is damaged (%s); restore it from a backup", s->path, what);
}

int sqlite_check(struct store *s, int64_t max, struct error **err)
{
        struct stat st;
        if (stat(s->path, &st) < 0 || st.st_size > max) return 0;
        cleanup(statement_done) sqlite3_stmt *whole = sqlite_statement(s, "PRAGMA integrity_check(1)", err);
        if (whole == NULL) return -1;
        int found = sqlite_step(s, whole, err);
        cleanup_free char *says = found == 1 ? column_text(whole, 0) : NULL;
        if (found < 0) return -1;
        if (!text_equal(says, "ok")) return damaged(s, says ? says : "it cannot be read", err);
        cleanup(statement_done) sqlite3_stmt *keys = sqlite_statement(s, "PRAGMA foreign_key_check", err);
        if (keys == NULL) return -1;
        found = sqlite_step(s, keys, err);
        if (found < 0) return -1;
        cleanup_free char *table = found == 1 ? column_text(keys, 0) : NULL;
        cleanup_free char *lost = mem_printf("what rows of %s refer to is gone", table ? table : "a table");
        return found == 0 ? 0 : damaged(s, lost, err);
}

/* Whoever can put another file in its place decides what is recorded; in a sticky folder such as /tmp that is its owner alone. */
static int check_writers(const struct store *s, struct error **err)
{
        struct stat folder, file;
        bool open_folder = stat(s->folder, &folder) == 0 && folder.st_mode & S_IWOTH &&
                           !(folder.st_mode & S_ISVTX);
        bool open_file = stat(s->path, &file) == 0 && file.st_mode & S_IWOTH;
        if (!open_folder && !open_file) return 0;
        return error_set(err, ERROR_DENIED, NULL,
            "everybody may write to %s, and so change what is recorded: `chmod o-w` it first",
            open_folder ? s->folder : s->path);
}

int store_open(const char *url, enum store_mode mode, struct store **ret, struct error **err)
{
        if (!text_starts(url, "sqlite:") || url[7] == '\0')
                return error_set(err, ERROR_INPUT, NULL, "unknown store '%s': write sqlite:PATH", url);
        cleanup(store_close) struct store *s = mem_alloc(sizeof *s);
        s->mode = mode;
        witness_open(s);
        s->path = mem_strdup(url + 7);
        const char *slash = strrchr(s->path, '/');
        s->folder = slash == NULL      ? mem_strdup(".")
                    : slash == s->path ? mem_strdup("/")
                                       : mem_strndup(s->path, (size_t)(slash - s->path));
        s->signal = mem_printf("%s/signal", s->folder);

        if (mode == STORE_CREATE && access(s->path, F_OK) < 0 && make_folder(s, err) < 0) return -1;
        if (check_writers(s, err) < 0) return -1;
        cleanup(unlock) int lock = -1;
        if (lock_folder(s, &lock, err) < 0) return -1;
        bool empty = false;
        if (check_header(s->path, &empty, err) < 0) return -1;
        if (mode == STORE_READ && empty)
                return error_set(err, ERROR_MISSING, NULL, "there is no store at %s", s->path);
        int result = mode == STORE_READ ? open_to_read(s, err) : open_to_write(s, empty, err);
        if (result < 0 || sqlite_check(s, STORE_CHECK_OPEN, err) < 0) return -1;
        *ret = steal(s);
        return 0;
}

void store_close(struct store *store)
{
        if (store == NULL) return;
        close_database(store);
        witness_close(store);
        free(store->path);
        free(store->folder);
        free(store->signal);
        free(store);
}

const char *store_folder(const struct store *store)
{
        return store->folder;
}

const char *store_signal_file(const struct store *store)
{
        return store->signal;
}

void store_signal(const struct store *s)
{
        if (utimensat(AT_FDCWD, s->signal, NULL, 0) == 0 || errno != ENOENT) return;
        make_file(s->signal, "", 0600, NULL);
}
