/*
 * Gates and the answers to them. The first answer counts, whoever gives it: an answer that came in from another process
 * is never undone by a run that writes the gate again.
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

int write_gate(
    struct store *s, const struct environment_state *e, const struct gate_row *gate, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO gate (environment, run, name, status, details, answered_by, comment, opened_ms, "
            "answered_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            " ON CONFLICT (environment, run, name) DO UPDATE SET status = ?4, details = ?5, answered_by = ?6,"
            " comment = ?7, opened_ms = ?8, answered_ms = ?9 WHERE status = 'waiting'",
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
        return sqlite_run(s, st, err);
}

/* The gate as it stands, and the digest of the plan that it belongs to: 1 found, 0 not, -1. */
static int find(struct store *s, int64_t environment, const char *run, const char *gate, struct gate_row *ret,
    char **digest, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT g.status, g.answered_by, g.answered_ms, r.digest FROM gate g JOIN run r"
            " ON r.environment = g.environment AND r.id = g.run WHERE g.environment = ? AND g.run = ? AND "
            "g.name = ?",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, environment);
        bind_text(st, 2, run);
        bind_text(st, 3, gate);
        int found = sqlite_step(s, st, err);
        if (found != 1) return found;
        *ret = (struct gate_row){.status = column_text(st, 0),
            .answered_by = column_text(st, 1),
            .answered_ms = column_int(st, 2)};
        *digest = column_text(st, 3);
        return 1;
}

static int check_waiting(struct store *s, int64_t environment, const char *run, const char *gate,
    char **digest, struct error **err)
{
        struct gate_row row = {0};
        int found = find(s, environment, run, gate, &row, digest, err);
        if (found < 0) return -1;
        if (found == 0) return error_set(err, ERROR_MISSING, NULL, "run '%s' has no gate '%s'", run, gate);
        cleanup_free char *status = row.status, *by = row.answered_by;
        if (text_equal(status, "waiting")) return 0;
        char when[CLOCK_TEXT];
        clock_text(row.answered_ms, when);
        return error_set(err, ERROR_CONFLICT, NULL, "gate '%s' of run '%s' was %s already, by %s at %s", gate,
            run, status, by != NULL ? by : "the run", when);
}

static void add_field(struct text *json, const char *name, const char *value)
{
        text_addf(json, "%s\"%s\":", json->len == 0 ? "{" : ",", name);
        text_add_json(json, value ? value : "", value ? strlen(value) : 0);
}

/* What the chain keeps of an answer: also who wrote to the gate's row later cannot change who said what. */
static int log_answer(struct store *s, struct environment_state *e, const char *run, const char *gate,
    const char *answer, const char *by, const char *comment, const char *digest, struct error **err)
{
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        add_field(&json, "gate", gate);
        add_field(&json, "answer", answer);
        add_field(&json, "by", by != NULL ? by : "");
        if (comment != NULL) add_field(&json, "comment", comment);
        add_field(&json, "digest", digest);
        text_addc(&json, '}');
        return write_event(s, e, run, "gate-answered", json.data, err);
}

static int update(struct store *s, const struct environment_state *e, const char *run, const char *gate,
    const char *answer, const char *by, const char *comment, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE gate SET status = ?4, answered_by = ?5, comment = ?6, answered_ms = ?7"
            " WHERE environment = ?1 AND run = ?2 AND name = ?3",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, run);
        bind_text(st, 3, gate);
        bind_text(st, 4, answer);
        bind_name(st, 5, by);
        bind_text(st, 6, comment);
        bind_int(st, 7, e->now_ms);
        return sqlite_run(s, st, err);
}

int store_answer(struct store *s, const char *environment, const char *run, const char *gate,
    const char *answer, const char *by, const char *comment, struct error **err)
{
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        struct environment_state e;
        int found = environment_state_load(s, environment, &e, err);
        if (found == 0) return environment_missing(s, environment, err);
        cleanup_free char *digest = NULL;
        if (found < 0 || check_waiting(s, e.id, run, gate, &digest, err) < 0) return -1;
        if (update(s, &e, run, gate, answer, by, comment, err) < 0) return -1;
        if (log_answer(s, &e, run, gate, answer, by, comment, digest, err) < 0) return -1;
        if (environment_save(s, &e, err) < 0 || sqlite_commit(s, err) < 0) return -1;
        store_signal(s);
        return 0;
}
