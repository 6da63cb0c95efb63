/*
 * Runs, their steps, the operations that are not settled yet, and how long actions took.
 */
#include "state/sqlite_internal.h"

#include <string.h>

#include "base/text.h"

/* ---- runs ---- */

int store_next_run(struct store *s, const char *environment, char **ret, struct error **err)
{
        cleanup(statement_done)
            sqlite3_stmt *st = sqlite_statement(s, "SELECT next_run FROM environment WHERE name = ?", err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        int found = sqlite_step(s, st, err);
        if (found == 0) return environment_missing(s, environment, err);
        if (found < 0) return -1;
        *ret = mem_printf("r%lld", (long long)column_int(st, 0));
        return 0;
}

static struct run_row run_read(sqlite3_stmt *st)
{
        return (struct run_row){
            .id = column_text(st, 0),
            .kind = column_text(st, 1),
            .status = column_text(st, 2),
            .requester = column_text(st, 3),
            .digest = column_text(st, 4),
            .summary = column_text(st, 5),
            .started_ms = column_int(st, 6),
            .ended_ms = column_int(st, 7),
            .plan = column_text(st, 8),
            .on_failure = column_text(st, 9),
            .undoes = column_text(st, 10),
            .proof = column_text(st, 11),
            .follows = column_text(st, 12),
        };
}

int store_runs(
    struct store *s, const char *environment, struct run_row **rows, size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT id, kind, status, requester, digest, summary, started_ms, ended_ms, NULL, on_failure, "
            "undoes, proof, follows FROM run"
            " WHERE environment = (SELECT id FROM environment WHERE name = ?) ORDER BY row DESC",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        struct run_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) vec_push(list, used, capacity, run_read(st));
        if (more < 0) {
                run_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

static int run_missing(const char *run, struct error **err)
{
        return error_set(err, ERROR_MISSING, NULL, "there is no run '%s'", run != NULL ? run : "");
}

int store_run(
    struct store *s, const char *environment, const char *id, struct run_row *ret, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT id, kind, status, requester, digest, summary, started_ms, ended_ms, plan, on_failure, "
            "undoes, proof, follows"
            " FROM run LEFT JOIN run_plan ON run_plan.run = run.row"
            " WHERE environment = (SELECT id FROM environment WHERE name = ?) AND id = ?",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        bind_text(st, 2, id);
        int found = sqlite_step(s, st, err);
        if (found == 0) return run_missing(id, err);
        if (found == 1) *ret = run_read(st);
        return found < 0 ? -1 : 0;
}

void run_row_release(struct run_row *row)
{
        free(row->id);
        free(row->kind);
        free(row->status);
        free(row->requester);
        free(row->digest);
        free(row->plan);
        free(row->summary);
        free(row->on_failure);
        free(row->undoes);
        free(row->proof);
        free(row->follows);
        *row = (struct run_row){0};
}

void run_rows_free(struct run_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) run_row_release(&rows[i]);
        free(rows);
}

/* The row number of a run; 0 if there is none; -1. */
static int64_t run_number(
    struct store *s, const struct environment_state *e, const char *id, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT row FROM run WHERE environment = ? AND id = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, id);
        int found = sqlite_step(s, st, err);
        return found == 1 ? column_int(st, 0) : found;
}

static int update_run(struct store *s, int64_t number, const struct run_row *run, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE run SET status = ?2, summary = coalesce(?3, summary), ended_ms = ?4, on_failure = "
            "coalesce(?5, on_failure), proof = coalesce(?6, proof) "
            "WHERE row = ?1",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, number);
        bind_text(st, 2, run->status);
        bind_text(st, 3, run->summary);
        bind_int(st, 4, run->ended_ms);
        bind_text(st, 5, run->on_failure);
        bind_text(st, 6, run->proof);
        return sqlite_run(s, st, err);
}

static int insert_plan(struct store *s, int64_t number, const char *plan, struct error **err)
{
        cleanup(statement_done)
            sqlite3_stmt *st = sqlite_statement(s, "INSERT INTO run_plan (run, plan) VALUES (?, ?)", err);
        if (st == NULL) return -1;
        bind_int(st, 1, number);
        bind_text(st, 2, plan);
        return sqlite_run(s, st, err);
}

static int insert_run(
    struct store *s, struct environment_state *e, const struct run_row *run, struct error **err)
{

        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO run (environment, id, kind, status, requester, digest, summary, started_ms, "
            "ended_ms, on_failure, undoes, proof, follows)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, run->id);
        bind_text(st, 3, run->kind);
        bind_text(st, 4, run->status);
        bind_name(st, 5, run->requester);
        bind_name(st, 6, run->digest);
        bind_text(st, 7, run->summary);
        bind_int(st, 8, run->started_ms);
        bind_int(st, 9, run->ended_ms);
        bind_text(st, 10, run->on_failure);
        bind_text(st, 11, run->undoes);
        bind_text(st, 12, run->proof);
        bind_text(st, 13, run->follows);
        if (sqlite_run(s, st, err) < 0) return -1;
        int64_t number = sqlite3_last_insert_rowid(s->db);
        /* The id that store_next_run offered is taken now; a run that was brought in from elsewhere takes its own. */
        char *end = NULL;
        long long taken = run->id[0] == 'r' ? strtoll(run->id + 1, &end, 10) : 0;
        if (end != NULL && *end == '\0' && taken >= e->next_run && taken < INT64_MAX) e->next_run = taken + 1;
        return run->plan != NULL ? insert_plan(s, number, run->plan, err) : 0;
}

int write_run(struct store *s, struct environment_state *e, const struct run_row *run, struct error **err)
{
        int64_t number = run_number(s, e, run->id, err);
        if (number < 0) return -1;
        if ((number > 0 ? update_run(s, number, run, err) : insert_run(s, e, run, err)) < 0) return -1;
        return run->ended_ms > 0 ? prune_notifications(s, e, err) : 0;
}

static int add_proof(struct store *s, const struct proof_row *row, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE run SET proof = ?3 WHERE environment = (SELECT id FROM environment WHERE name = ?1)"
            " AND id = ?2 AND proof IS NULL",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, row->environment);
        bind_text(st, 2, row->run);
        bind_text(st, 3, row->proof);
        return sqlite_run(s, st, err);
}

int store_add_proofs(struct store *s, const struct proof_row *rows, size_t count, struct error **err)
{
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        for (size_t i = 0; i < count;) { /* those of one environment stand together */
                struct environment_state e;
                const char *environment = rows[i].environment;
                int found = environment_state_load(s, environment, &e, err);
                if (found <= 0) return found < 0 ? -1 : environment_missing(s, environment, err);
                for (; i < count && strcmp(rows[i].environment, environment) == 0; i++)
                        if (add_proof(s, &rows[i], err) < 0) return -1;
                if (environment_save(s, &e, err) < 0) return -1;
        }
        return sqlite_commit(s, err);
}

/* ---- steps ---- */

int store_steps(struct store *s, const char *environment, const char *run, struct step_row **rows,
    size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT number, address, type, action, status, message, attempts, started_ms, ended_ms, "
            "recovery_of, seconds, share, remaining, next FROM step "
            "WHERE run ="
            " (SELECT row FROM run WHERE environment = (SELECT id FROM environment WHERE name = ?) AND id = "
            "?)"
            " ORDER BY number",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        bind_text(st, 2, run);
        struct step_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1)
                vec_push(list, used, capacity,
                    (struct step_row){
                        .index = column_int(st, 0),
                        .address = column_text(st, 1),
                        .type = column_text(st, 2),
                        .action = column_text(st, 3),
                        .status = column_text(st, 4),
                        .message = column_text(st, 5),
                        .attempts = (int)column_int(st, 6),
                        .started_ms = column_int(st, 7),
                        .ended_ms = column_int(st, 8),
                        .recovery_of = column_text(st, 9),
                        .seconds = sqlite3_column_double(st, 10),
                        .share = sqlite3_column_double(st, 11),
                        .remaining = sqlite3_column_double(st, 12),
                        .next = column_int(st, 13),
                    });
        if (more < 0) {
                step_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void step_rows_free(struct step_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                free(rows[i].address);
                free(rows[i].type);
                free(rows[i].action);
                free(rows[i].status);
                free(rows[i].message);
                free(rows[i].recovery_of);
        }
        free(rows);
}

int write_steps(
    struct store *s, const struct environment_state *e, const struct store_write *w, struct error **err)
{
        int64_t number = run_number(s, e, w->run, err);
        if (number == 0) return run_missing(w->run, err);
        if (number < 0) return -1;
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO step (run, number, address, type, action, status, message, attempts, started_ms, "
            "ended_ms, recovery_of, seconds, share, remaining, next)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, number);
        for (size_t i = 0; i < w->steps.count; i++) {
                const struct step_row *row = &w->steps.rows[i];
                bind_int(st, 2, row->index);
                bind_text(st, 3, row->address);
                bind_name(st, 4, row->type);
                bind_text(st, 5, row->action);
                bind_text(st, 6, row->status);
                bind_text(st, 7, row->message);
                bind_int(st, 8, row->attempts);
                bind_int(st, 9, row->started_ms);
                bind_int(st, 10, row->ended_ms);
                bind_text(st, 11, row->recovery_of);
                sqlite3_bind_double(st, 12, row->seconds);
                sqlite3_bind_double(st, 13, row->share);
                sqlite3_bind_double(st, 14, row->remaining);
                bind_int(st, 15, row->next);
                if (sqlite_run(s, st, err) < 0) return -1;
        }
        return 0;
}

int write_step(
    struct store *s, const struct environment_state *e, const struct store_write *w, struct error **err)
{
        const struct step_row *row = &w->steps.rows[0];
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE step SET status = ?4, message = ?5, attempts = ?6, started_ms = ?7, ended_ms = ?8"
            " WHERE run = (SELECT row FROM run WHERE environment = ?1 AND id = ?2) AND number = ?3",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, w->run);
        bind_int(st, 3, row->index);
        bind_text(st, 4, row->status);
        bind_text(st, 5, row->message);
        bind_int(st, 6, row->attempts);
        bind_int(st, 7, row->started_ms);
        bind_int(st, 8, row->ended_ms);
        if (sqlite_run(s, st, err) < 0) return -1;
        if (sqlite3_changes(s->db) == 1) return 0;
        return error_set(err, ERROR_MISSING, NULL, "run '%s' has no step %lld", w->run != NULL ? w->run : "",
            (long long)row->index);
}

/* ---- durations ---- */

int store_durations(struct store *s, struct duration_row **rows, size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT type, action, seconds, samples FROM duration ORDER BY type, action", err);
        if (st == NULL) return -1;
        struct duration_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1)
                vec_push(list, used, capacity,
                    (struct duration_row){
                        .type = column_text(st, 0),
                        .action = column_text(st, 1),
                        .seconds = sqlite3_column_double(st, 2),
                        .samples = column_int(st, 3),
                    });
        if (more < 0) {
                duration_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void duration_rows_free(struct duration_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                free(rows[i].type);
                free(rows[i].action);
        }
        free(rows);
}

/* What is known, or nothing yet, when the first sample of a transaction comes. */
static int load_duration(struct store *s, struct duration_row *row, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT seconds, samples FROM duration WHERE type = ? AND action = ?", err);
        if (st == NULL) return -1;
        bind_text(st, 1, row->type);
        bind_text(st, 2, row->action);
        int found = sqlite_step(s, st, err);
        if (found == 1) row->seconds = sqlite3_column_double(st, 0);
        if (found == 1) row->samples = column_int(st, 1);
        return found < 0 ? -1 : 0;
}

static int save_duration(struct store *s, const struct duration_row *row, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO duration (type, action, seconds, samples) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (type, action) DO UPDATE SET seconds = ?3, samples = ?4",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, row->type);
        bind_text(st, 2, row->action);
        sqlite3_bind_double(st, 3, row->seconds);
        bind_int(st, 4, row->samples);
        return sqlite_run(s, st, err);
}

/* The plain mean of the first twenty samples; from then on each new one weighs a twentieth, so that a cloud that got slower
 * shows, and a single sample does not. A transaction has many samples of few kinds: each row is written once, by its end. */
int write_duration(struct store *s, struct environment_state *e, const char *type, const char *action,
    double seconds, struct error **err)
{
        enum { WINDOW = 20 };
        if (!(seconds >= 0 && seconds < 1e9)) return 0; /* a clock that jumped teaches nothing */
        size_t i = 0;
        while (i < e->duration_count &&
               (strcmp(e->durations[i].type, type) != 0 || strcmp(e->durations[i].action, action) != 0))
                i++;
        if (i == sizeof e->durations / sizeof e->durations[0]) {
                if (write_durations(s, e, err) < 0) return -1;
                i = 0;
        }
        struct duration_row *row = &e->durations[i];
        if (i == e->duration_count) {
                *row = (struct duration_row){.type = (char *)type, .action = (char *)action};
                if (load_duration(s, row, err) < 0) return -1;
                e->duration_count++;
        }
        int64_t known = row->samples + 1;
        row->seconds += (seconds - row->seconds) / (double)(known < WINDOW ? known : WINDOW);
        row->samples = known;
        return 0;
}

int write_durations(struct store *s, struct environment_state *e, struct error **err)
{
        for (size_t i = 0; i < e->duration_count; i++)
                if (save_duration(s, &e->durations[i], err) < 0) return -1;
        e->duration_count = 0;
        return 0;
}
