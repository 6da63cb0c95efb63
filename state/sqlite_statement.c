/*
 * Statements, transactions and errors: the thin layer between the store's nouns and SQLite, so that no noun handles
 * a result code, and every failure names the file and says what to do.
 */
#include "state/sqlite_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"

static bool means_full(int errnum)
{
        return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
}

static int io_error(const struct store *s, int errnum, struct error **err)
{
        if (means_full(errnum))
                return error_set(err, ERROR_SYSTEM, NULL,
                    "%s: the disk is full (%s), nothing was written; make room and try again", s->path,
                    strerror(errnum));
        return error_set(err, ERROR_SYSTEM, NULL, "%s: the disk failed: %s", s->path,
            errnum != 0 ? strerror(errnum) : sqlite3_errmsg(s->db));
}

static int open_error(const struct store *s, int errnum, struct error **err)
{
        if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
                return error_set(
                    err, ERROR_DENIED, NULL, "cannot open the store %s: %s", s->path, strerror(errnum));
        if (errnum == ENOENT) return error_set(err, ERROR_MISSING, NULL, "there is no store at %s", s->path);
        return error_set(err, ERROR_SYSTEM, NULL, "cannot open the store %s: %s", s->path,
            errnum != 0 ? strerror(errnum) : sqlite3_errmsg(s->db));
}

int sqlite_error(struct store *s, int rc, struct error **err)
{
        int last = errno, errnum = sqlite3_system_errno(s->db);
        /* On some ways out of a failed write SQLite forgets why; a full disk must still be called one. */
        if (errnum == 0 && means_full(last)) errnum = last;
        switch (rc & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return error_set(err, ERROR_BUSY, NULL,
                    "the store %s is locked by another process (waited %d s); try again", s->path,
                    STORE_BUSY_MS / 1000);
        case SQLITE_FULL:
                return error_set(err, ERROR_SYSTEM, NULL,
                    "%s: the disk is full, nothing was written; make room and try again", s->path);
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return error_set(
                    err, ERROR_DENIED, NULL, "the store %s cannot be written: it is read-only", s->path);
        case SQLITE_CORRUPT:
                return error_set(err, ERROR_SYSTEM, NULL,
                    "the store %s is damaged (%s); restore it from a backup", s->path, sqlite3_errmsg(s->db));
        case SQLITE_NOTADB:
                return error_set(
                    err, ERROR_INPUT, NULL, "%s is not a Tutti store; it was left as it is", s->path);
        case SQLITE_CANTOPEN: return open_error(s, errnum, err);
        case SQLITE_IOERR: return io_error(s, errnum, err);
        case SQLITE_TOOBIG:
                return error_set(err, ERROR_INPUT, NULL, "%s: a value is too large for the store", s->path);
        case SQLITE_CONSTRAINT:
                return error_set(err, ERROR_CONFLICT, NULL,
                    "%s: the change does not fit what is recorded: %s", s->path, sqlite3_errmsg(s->db));
        case SQLITE_NOMEM: abort(); /* as everywhere: recovery from kill -9 has to work anyway */
        default: return error_set(err, ERROR_SYSTEM, NULL, "%s: %s", s->path, sqlite3_errmsg(s->db));
        }
}

/* A read outside of a transaction: what stands in one fails with it. */
static bool is_read(const struct store *s, const char *sql)
{
        return strncmp(sql, "SELECT", 6) == 0 && sqlite3_get_autocommit(s->db) != 0;
}

sqlite3_stmt *sqlite_statement(struct store *s, const char *sql, struct error **err)
{
        if (is_read(s, sql) && fault_here("state.read")) {
                error_set(err, ERROR_SYSTEM, NULL, "%s: cannot read: injected fault", s->path);
                return NULL;
        }
        sqlite3_stmt *st = map_get(&s->statements, sql);
        if (st != NULL) {
                assert(!sqlite3_stmt_busy(st));
                return st;
        }
        int rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
        if (rc != SQLITE_OK) {
                sqlite_error(s, rc, err);
                return NULL;
        }
        map_put(&s->statements, sql, st);
        return st;
}

void statement_done(sqlite3_stmt *st)
{
        if (st == NULL) return;
        sqlite3_reset(st);
        sqlite3_clear_bindings(st);
}

void sqlite_statements_release(struct store *s)
{
        for (map_foreach (&s->statements, entry)) sqlite3_finalize(entry->value);
        map_release(&s->statements);
}

int sqlite_step(struct store *s, sqlite3_stmt *st, struct error **err)
{
        int rc = sqlite3_step(st);
        if (rc == SQLITE_ROW) return 1;
        if (rc == SQLITE_DONE) return 0;
        return sqlite_error(s, sqlite3_extended_errcode(s->db), err);
}

int sqlite_run(struct store *s, sqlite3_stmt *st, struct error **err)
{
        int rc = sqlite3_step(st);
        if (rc != SQLITE_DONE && rc != SQLITE_ROW)
                return sqlite_error(s, sqlite3_extended_errcode(s->db), err);
        sqlite3_reset(st);
        return 0;
}

int sqlite_exec(struct store *s, const char *sql, struct error **err)
{
        int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
        return rc == SQLITE_OK ? 0 : sqlite_error(s, sqlite3_extended_errcode(s->db), err);
}

void bind_text(sqlite3_stmt *st, int index, const char *text)
{
        if (text == NULL) {
                sqlite3_bind_null(st, index);
                return;
        }
        int rc = sqlite3_bind_text64(st, index, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
        /* A text beyond SQLite's limit must not become NULL: no STRICT column takes a blob for a text. */
        if (rc == SQLITE_TOOBIG) sqlite3_bind_zeroblob(st, index, 1);
}

void bind_name(sqlite3_stmt *st, int index, const char *text)
{
        bind_text(st, index, text != NULL ? text : "");
}

void bind_int(sqlite3_stmt *st, int index, int64_t value)
{
        sqlite3_bind_int64(st, index, value);
}

char *column_text(sqlite3_stmt *st, int column)
{
        const char *text = (const char *)sqlite3_column_text(st, column);
        if (text == NULL) return NULL;
        return mem_strndup(text, (size_t)sqlite3_column_bytes(st, column));
}

int64_t column_int(sqlite3_stmt *st, int column)
{
        return sqlite3_column_int64(st, column);
}

int sqlite_begin(struct store *s, struct error **err)
{
        if (s->mode == STORE_READ)
                return error_set(
                    err, ERROR_DENIED, NULL, "the store %s was opened for reading only", s->path);
        return sqlite_exec(s, "BEGIN IMMEDIATE", err);
}

int sqlite_commit(struct store *s, struct error **err)
{
        assert(!witness_pending(s));
        if (fault_here("state.write")) {
                sqlite_rollback(s);
                return error_set(err, ERROR_SYSTEM, NULL, "%s: cannot write: injected fault", s->path);
        }
        int result = sqlite_exec(s, "COMMIT", err);
        if (result < 0) sqlite_rollback(s);
        /* As when the disk fails after the commit: it is there, and whoever asked for it is told otherwise. */
        if (result == 0 && fault_here("state.written"))
                return error_set(err, ERROR_SYSTEM, NULL, "%s: cannot write: injected fault", s->path);
        return result;
}

void sqlite_rollback(struct store *s)
{
        witness_forget(s);
        /* Some failures (a full disk) have rolled back by themselves already. */
        if (!sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

void transaction_end(struct store *s)
{
        sqlite_rollback(s);
}
