/*
 * What the files of the SQLite store share: the connection, cached statements, binding, errors, transactions.
 *
 * A statement is named by its SQL text and prepared once per connection. Binding and stepping follow one pattern:
 *
 *         cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s, "SELECT …", err);
 *         if (st == NULL) return -1;
 *         bind_text(st, 1, name);
 *         int found = sqlite_step(s, st, err);      1 row, 0 none, -1 error
 */
#ifndef TUTTI_STATE_SQLITE_INTERNAL_H
#define TUTTI_STATE_SQLITE_INTERNAL_H

#include <openssl/evp.h>
/* Debian and others build SQLite with it; the header declares it only to who asks. */
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include <sqlite3.h>
#include "base/map.h"
#include "base/text.h"
#include "state/store.h"

enum {
        STORE_APPLICATION_ID = 0x54757474, /* "Tutt" */
        STORE_CHECK_OPEN = 1 << 20,        /* bytes of a store that is checked each time it is opened... */
        STORE_CHECK_RUN = 64 << 20,        /* ...and before somebody may write */
        STORE_BUSY_MS = 5000,              /* how long a locked database is waited for */
        EVENT_HASH = 32,                   /* bytes of SHA-256 */
};

struct store {
        sqlite3 *db;
        enum store_mode mode;
        char *path, *folder, *signal;
        struct map statements;   /* SQL text (a literal) → sqlite3_stmt * */
        struct witness *witness; /* of what is written (sqlite_rows.c) */
};

/* ---- statements (sqlite_statement.c) ---- */

/* The cached statement of an SQL literal, ready to bind; NULL with *err. */
sqlite3_stmt *sqlite_statement(struct store *s, const char *sql, struct error **err);
/* Resets a statement and forgets what was bound to it; NULL-safe. */
void statement_done(sqlite3_stmt *st);
CLEANUP(sqlite3_stmt *, statement_done);
/* Finalizes all cached statements. */
void sqlite_statements_release(struct store *s);

/* 1: a row is there; 0: done; -1 with *err. */
int sqlite_step(struct store *s, sqlite3_stmt *st, struct error **err);
/* Steps a statement that gives no rows to its end, and resets it for the next binding. */
int sqlite_run(struct store *s, sqlite3_stmt *st, struct error **err);
/* Executes constant SQL that takes no parameters. */
int sqlite_exec(struct store *s, const char *sql, struct error **err);
/* Reports what the database just answered: kind, and a message that names the path. Returns -1. */
int sqlite_error(struct store *s, int rc, struct error **err);

/* Texts are borrowed until the statement is done. NULL is bound as NULL by bind_text, as '' by bind_name. */
void bind_text(sqlite3_stmt *st, int index, const char *text);
void bind_name(sqlite3_stmt *st, int index, const char *text);
void bind_int(sqlite3_stmt *st, int index, int64_t value);
/* A column as a string that the caller owns; NULL for NULL. */
char *column_text(sqlite3_stmt *st, int column);
int64_t column_int(sqlite3_stmt *st, int column);
/* Addresses as one blob, each with a NUL byte behind it, as no address holds one; before the last `inherited` of them an empty one, as no address
 * is empty. The caller frees the list and its texts; `inherited` may be NULL. */
void addresses_write(char *const *addresses, size_t count, size_t inherited, struct text *out);
char **addresses_read(const char *blob, size_t len, size_t *count, size_t *inherited);

/* ---- transactions (sqlite_statement.c) ---- */

/*
 * Whether the database is whole: its pages, that its indices say what its tables say, that its rows refer to rows that are there. A page that
 * another took the place of reads like a sound one, and a record that seems empty would be built anew. Linear in the file: about 5 ms
 * a MiB, so files of more than `max` bytes are left out. ERROR_SYSTEM saying what is wrong.
 */
int sqlite_check(struct store *s, int64_t max, struct error **err);

/* BEGIN IMMEDIATE: takes the write lock now, waiting STORE_BUSY_MS at most. ERROR_DENIED on a store opened to read. */
int sqlite_begin(struct store *s, struct error **err);
/* Passes the fault point, then COMMIT; durable when it returns 0, undone when it returns -1. */
int sqlite_commit(struct store *s, struct error **err);
void sqlite_rollback(struct store *s);
/* `cleanup(transaction_end) struct store *transaction = s;`: rolls back unless `open` was set to NULL by a commit. */
void transaction_end(struct store *open);
CLEANUP(struct store *, transaction_end);

/* ---- environments (sqlite_environment.c) ---- */

/* What a writing transaction knows of its environment and changes of it; written back once. */
struct environment_state {
        const char *name; /* borrowed */
        int64_t id, serial, next_run, event_count, fence, created_ms;
        int64_t gates_before, answers_before, rows_since;
        unsigned char event_head[EVENT_HASH];
        bool leased;
        bool changed;                     /* resources or outputs: `serial` is already the new one */
        int64_t now_ms;                   /* one instant for the whole transaction */
        struct duration_row durations[8]; /* what they are by now; to be written by its end */
        size_t duration_count;
};
/* 1 and *ret, which borrows `name`; 0 if there is none; -1. */
int environment_state_load(
    struct store *s, const char *name, struct environment_state *ret, struct error **err);
/* The last thing of a transaction before its commit: logs the rows that were written, and writes back what changed. */
int environment_save(struct store *s, struct environment_state *e, struct error **err);
/* The serial of this transaction, which grows once however many of its writes ask. */
int64_t environment_change(struct environment_state *e);
/* The id of an environment, or 0 if there is none; -1 with *err. */
int64_t environment_id(struct store *s, const char *name, struct error **err);
int environment_missing(const struct store *s, const char *name, struct error **err);

/* ---- writes, by noun; each returns 0 / -1 ---- */

int write_run(struct store *s, struct environment_state *e, const struct run_row *run, struct error **err);
int write_steps(
    struct store *s, const struct environment_state *e, const struct store_write *w, struct error **err);
int write_step(
    struct store *s, const struct environment_state *e, const struct store_write *w, struct error **err);
int write_operation(
    struct store *s, const struct environment_state *e, const struct operation_row *op, struct error **err);
int write_operation_over(
    struct store *s, const struct environment_state *e, const struct operation_row *op, struct error **err);
int write_resource(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err);
int write_resource_after(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err);
int write_resource_gone(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err);
int write_resource_move(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err);
int write_outputs(struct store *s, struct environment_state *e, const char *outputs, struct error **err);
int write_gate(struct store *s, struct environment_state *e, const struct gate_row *gate, struct error **err);
int write_gates_over(struct store *s, struct environment_state *e, const char *run, struct error **err);
int write_answer(
    struct store *s, struct environment_state *e, const struct answer_row *answer, struct error **err);
int write_event(struct store *s, struct environment_state *e, const char *run, const char *kind,
    const char *data, struct error **err);
int write_notification(struct store *s, const struct environment_state *e, const struct notification_row *row,
    struct error **err);
/* Removes what was settled and need not be remembered, but for the newest of it: at the end of a run, and where runs do not end. */
int prune_notifications(struct store *s, const struct environment_state *e, struct error **err);
/* What was to ask somebody to answer a gate of a run that is over is not sent any more. */
int drop_notifications(
    struct store *s, const struct environment_state *e, const char *run, struct error **err);
/* Nor is what asks for an answer to a gate that has its outcome now. */
int drop_gate_notifications(struct store *s, const struct environment_state *e, const char *run,
    const char *gate, struct error **err);
/* A sample for the moving average; type and action are borrowed until write_durations, which writes what came together. */
int write_duration(struct store *s, struct environment_state *e, const char *type, const char *action,
    double seconds, struct error **err);
int write_durations(struct store *s, struct environment_state *e, struct error **err);

/* ---- the log as witness of the answers that came in (sqlite_witness.c) ---- */

/* The digest of an answer's row, for its event. */
int witness_answer(struct store *s, int64_t id, char hex[65], struct error **err);
/* ERROR_CONFLICT naming the gate of the first answer in the run that is missing, or another than it was when it came in. Those that somebody put
 * in are not found: they are whatever their reader takes them for. The log itself must have been verified. */
int witness_verify_answers(
    struct store *s, const char *environment, int64_t id, const char *run, struct error **err);

/* ---- the log as witness of all rows (sqlite_rows.c, sqlite_rows_verify.c) ---- */

void witness_open(struct store *s);
/* From here on what the connection writes is witnessed. */
void witness_attach(struct store *s);
void witness_close(struct store *s);
/* Logs what was written since the last time, as one event; nothing when that is nothing. environment_save does it. */
int witness_flush(struct store *s, struct environment_state *e, struct error **err);
/* Whether something was written that is not logged: a commit without it is a mistake of ours. */
bool witness_pending(const struct store *s);
/* What was written was rolled back. */
void witness_forget(struct store *s);
/* Takes all rows of the store as they are, for the log to be their witness from here on. In a transaction. */
int witness_adopt(struct store *s, struct error **err);
/* ERROR_CONFLICT naming each row that the log does not agree with, and the like. The log itself must have been verified. */
int witness_verify_rows(struct store *s, const char *environment, struct error **err);
/* A SHA-256 that begins; the store's. One at a time. */
EVP_MD_CTX *witness_digest(struct store *s);

/* The hash that the first event of a chain builds on: SHA-256 over the environment's lineage. */
int event_origin(struct store *s, const char *lineage, unsigned char hash[EVENT_HASH], struct error **err);

/* Tells other processes that something changed (sqlite.c). Failing to is not an error: the change itself is safe. */
void store_signal(const struct store *s);

#endif
