/*
 * Gates and the answers to them. An outcome that came in from another process is not undone by a run that writes the waiting gate
 * again, unless that run found that it does not count.
 */
#include "state/sqlite_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

int store_gates(struct store *s, const char *environment, const char *run, struct gate_row **rows,
    size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT run, name, status, details, answered_by, comment, opened_ms, answered_ms FROM gate"
            " WHERE environment = (SELECT id FROM environment WHERE name = ?) AND run = ? ORDER BY id",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        bind_text(st, 2, run);
        struct gate_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1)
                vec_push(list, used, capacity,
                    (struct gate_row){
                        .run = column_text(st, 0),
                        .name = column_text(st, 1),
                        .status = column_text(st, 2),
                        .details = column_text(st, 3),
                        .answered_by = column_text(st, 4),
                        .comment = column_text(st, 5),
                        .opened_ms = column_int(st, 6),
                        .answered_ms = column_int(st, 7),
                    });
        if (more < 0) {
                gate_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void gate_rows_free(struct gate_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                free(rows[i].run);
                free(rows[i].name);
                free(rows[i].status);
                free(rows[i].details);
                free(rows[i].answered_by);
                free(rows[i].comment);
        }
        free(rows);
}

int write_gate(struct store *s, struct environment_state *e, const struct gate_row *gate, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO gate (environment, run, name, status, details, answered_by, comment, opened_ms, "
            "answered_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            " ON CONFLICT (environment, run, name) DO UPDATE SET status = ?4, details = ?5, answered_by = ?6,"
            " comment = ?7, opened_ms = ?8, answered_ms = ?9 WHERE status = 'waiting' OR ?4 <> 'waiting' OR "
            "?10",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, gate->run);
        bind_text(st, 3, gate->name);
        bind_text(st, 4, gate->status);
        bind_name(st, 5, gate->details);
        bind_text(st, 6, gate->answered_by);
        bind_text(st, 7, gate->comment);
        bind_int(st, 8, gate->opened_ms);
        bind_int(st, 9, gate->answered_ms);
        bind_int(st, 10, gate->reopen);
        if (sqlite_run(s, st, err) < 0) return -1;
        if (sqlite3_changes(s->db) == 0) return 0;
        bool waits = strcmp(gate->status, "waiting") == 0;
        return waits ? 0 : drop_gate_notifications(s, e, gate->run, gate->name, err);
}

static int cancel_waiting(
    struct store *s, const struct environment_state *e, const char *run, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE gate SET status = 'cancelled' WHERE environment = ? AND run = ? AND status = 'waiting'",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, run);
        return sqlite_run(s, st, err);
}

/* The steps that waited for those answers: a gate was not passed, and what was asked about had failed. */
static int end_waiting_steps(
    struct store *s, const struct environment_state *e, const char *run, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE step SET status = CASE action WHEN 'gate' THEN 'cancelled' ELSE 'failed' END, ended_ms = "
            "?3"
            " WHERE run = (SELECT row FROM run WHERE environment = ?1 AND id = ?2) AND status = 'waiting'",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, run);
        bind_int(st, 3, e->now_ms);
        return sqlite_run(s, st, err);
}

int write_gates_over(struct store *s, struct environment_state *e, const char *run, struct error **err)
{
        if (cancel_waiting(s, e, run, err) < 0 || end_waiting_steps(s, e, run, err) < 0) return -1;
        return drop_notifications(s, e, run, err);
}

/* ---- answers ---- */

int store_answers(struct store *s, const char *environment, const char *run, struct answer_row **rows,
    size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT id, run, gate, answer, person, comment, user, digest, proposal, opened_ms, answered_ms,"
            " signature, key, signed_ms, expires_ms FROM answer"
            " WHERE environment = (SELECT id FROM environment WHERE name = ?1) AND (?2 IS NULL OR run = ?2)"
            " ORDER BY run, gate, id",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        bind_text(st, 2, run);
        struct answer_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1)
                vec_push(list, used, capacity,
                    (struct answer_row){
                        .id = column_int(st, 0),
                        .run = column_text(st, 1),
                        .gate = column_text(st, 2),
                        .answer = column_text(st, 3),
                        .by = column_text(st, 4),
                        .comment = column_text(st, 5),
                        .user = column_text(st, 6),
                        .digest = column_text(st, 7),
                        .proposal = column_text(st, 8),
                        .opened_ms = column_int(st, 9),
                        .answered_ms = column_int(st, 10),
                        .signature = column_text(st, 11),
                        .key = column_text(st, 12),
                        .signed_ms = column_int(st, 13),
                        .expires_ms = column_int(st, 14),
                    });
        if (more < 0) {
                answer_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void answer_row_release(struct answer_row *row)
{
        free(row->run);
        free(row->gate);
        free(row->answer);
        free(row->by);
        free(row->comment);
        free(row->user);
        free(row->digest);
        free(row->proposal);
        free(row->signature);
        free(row->key);
        *row = (struct answer_row){0};
}

void answer_rows_free(struct answer_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) answer_row_release(&rows[i]);
        free(rows);
}

/* What the chain keeps of an answer: also who wrote to the rows later cannot change who said what, and with which signature. */
static int log_answer(
    struct store *s, struct environment_state *e, const struct answer_row *a, int64_t id, struct error **err)
{
        char row[65];
        if (witness_answer(s, id, row, err) < 0) return -1;
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_addc(&json, '{');
        text_add_member(&json, "gate", a->gate);
        text_add_member(&json, "answer", a->answer);
        text_add_member(&json, "by", a->by);
        if (a->comment != NULL) text_add_member(&json, "comment", a->comment);
        text_add_member(&json, "digest", a->digest ? a->digest : "");
        text_add_member(&json, "proposal", a->proposal ? a->proposal : "");
        text_add_member(&json, "user", a->user ? a->user : "");
        text_addf(&json, ",\"opened_ms\":%lld", (long long)a->opened_ms);
        if (a->signature != NULL) {
                text_addf(&json, ",\"signed_ms\":%lld,\"expires_ms\":%lld", (long long)a->signed_ms,
                    (long long)a->expires_ms);
                text_add_member(&json, "key", a->key ? a->key : "");
                text_add_member(&json, "signature", a->signature);
        }
        text_add_member(&json, "row", row);
        text_addc(&json, '}');
        return write_event(s, e, a->run, "gate-answered", json.data, err);
}

int write_answer(struct store *s, struct environment_state *e, const struct answer_row *a, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO answer (environment, run, gate, answer, person, comment, user, digest, proposal,"
            " opened_ms, answered_ms, signature, key, signed_ms, expires_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, a->run);
        bind_text(st, 3, a->gate);
        bind_text(st, 4, a->answer);
        bind_name(st, 5, a->by);
        bind_text(st, 6, a->comment);
        bind_name(st, 7, a->user);
        bind_name(st, 8, a->digest);
        bind_name(st, 9, a->proposal);
        bind_int(st, 10, a->opened_ms);
        bind_int(st, 11, e->now_ms);
        bind_text(st, 12, a->signature);
        bind_text(st, 13, a->key);
        bind_int(st, 14, a->signed_ms);
        bind_int(st, 15, a->expires_ms);
        if (sqlite_run(s, st, err) < 0) return -1;
        return log_answer(s, e, a, sqlite3_last_insert_rowid(s->db), err);
}

/* ---- an answer from another process ---- */

/* The gate waits, or may wait again. */
static int check_waiting(
    struct store *s, int64_t environment, const struct answer_row *a, bool reopen, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT status, answered_by, answered_ms FROM gate WHERE environment = ? AND run = ? AND name = "
            "?",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, environment);
        bind_text(st, 2, a->run);
        bind_text(st, 3, a->gate);
        int found = sqlite_step(s, st, err);
        if (found < 0) return -1;
        if (found == 0)
                return error_set(err, ERROR_MISSING, NULL, "run '%s' has no gate '%s'", a->run, a->gate);
        cleanup_free char *status = column_text(st, 0), *by = column_text(st, 1);
        if (text_equal(status, "cancelled"))
                return error_set(err, ERROR_CONFLICT, NULL,
                    "gate '%s' waits no more: another run took the place of run '%s'", a->gate, a->run);
        if (text_equal(status, "waiting") || reopen) return 0;
        char when[CLOCK_TEXT];
        clock_text(column_int(st, 2), when);
        return error_set(err, ERROR_CONFLICT, NULL, "gate '%s' of run '%s' was %s already, by %s at %s",
            a->gate, a->run, status, by != NULL ? by : "the run", when);
}

static int check_seen(
    struct store *s, int64_t environment, const struct answer_row *a, size_t seen, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT count(*) FROM answer WHERE environment = ? AND run = ? AND gate = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, environment);
        bind_text(st, 2, a->run);
        bind_text(st, 3, a->gate);
        if (sqlite_step(s, st, err) < 0) return -1;
        if (column_int(st, 0) == (int64_t)seen) return 0;
        return error_set(err, ERROR_RETRY, NULL, "another answer to gate '%s' came in", a->gate);
}

static int write_outcome(struct store *s, struct environment_state *e, const struct answer_row *a,
    const struct gate_row *outcome, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE gate SET status = ?4, answered_by = ?5, comment = ?6, answered_ms = ?7"
            " WHERE environment = ?1 AND run = ?2 AND name = ?3",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, a->run);
        bind_text(st, 3, a->gate);
        bind_text(st, 4, outcome->status);
        bind_name(st, 5, outcome->answered_by);
        bind_text(st, 6, outcome->comment);
        bind_int(st, 7, e->now_ms);
        if (sqlite_run(s, st, err) < 0) return -1;
        bool waits = strcmp(outcome->status, "waiting") == 0;
        return waits ? 0 : drop_gate_notifications(s, e, a->run, a->gate, err);
}

int store_answer(struct store *s, const char *environment, const struct answer_row *answer,
    const struct gate_row *outcome, bool reopen, size_t seen, struct error **err)
{
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        struct environment_state e;
        int found = environment_state_load(s, environment, &e, err);
        if (found == 0) return environment_missing(s, environment, err);
        if (found < 0 || check_waiting(s, e.id, answer, reopen, err) < 0 ||
            check_seen(s, e.id, answer, seen, err) < 0)
                return -1;
        if (write_answer(s, &e, answer, err) < 0) return -1;
        if (outcome != NULL && write_outcome(s, &e, answer, outcome, err) < 0) return -1;
        if (environment_save(s, &e, err) < 0 || sqlite_commit(s, err) < 0) return -1;
        store_signal(s);
        return 0;
}
