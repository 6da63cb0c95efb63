/*
 * The outbox: messages that wait until their target took them.
 *
 * They are sent by whichever process comes along, with a lease or without. Claiming one for a while keeps two processes from
 * sending it at once; a process that dies with a claim only delays the next attempt. What nobody took within a day is given up,
 * which the event log tells.
 *
 * A message that was settled is kept while it says what its target was told already: while its run is not over, and drift is as it
 * was. Of the others the newest are kept, to be looked at.
 */
#include "state/sqlite_internal.h"

#include <openssl/rand.h>
#include <string.h>

#include "base/text.h"

#define COLUMNS                                                                                             \
        "id, target, subject, event, run, body, status, attempts, error, created_ms, next_ms, claimed_ms, " \
        "settled_ms"

enum {
        SETTLED_KEPT = STORE_NOTIFICATIONS_KEPT,
        PENDING_MAX = STORE_NOTIFICATIONS_MAX,
};

static struct notification_row row_read(sqlite3_stmt *st)
{
        return (struct notification_row){
            .id = column_text(st, 0),
            .target = column_text(st, 1),
            .subject = column_text(st, 2),
            .event = column_text(st, 3),
            .run = column_text(st, 4),
            .body = column_text(st, 5),
            .status = column_text(st, 6),
            .attempts = (int)column_int(st, 7),
            .error = column_text(st, 8),
            .created_ms = column_int(st, 9),
            .next_ms = column_int(st, 10),
            .claimed_ms = column_int(st, 11),
            .settled_ms = column_int(st, 12),
        };
}

static void row_release(struct notification_row *row)
{
        free(row->id);
        free(row->target);
        free(row->subject);
        free(row->event);
        free(row->run);
        free(row->body);
        free(row->status);
        free(row->error);
}

void notification_rows_free(struct notification_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) row_release(&rows[i]);
        free(rows);
}

int prune_notifications(struct store *s, const struct environment_state *e, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "DELETE FROM notification WHERE row IN (SELECT n.row FROM notification n"
            " WHERE n.environment = ?1 AND n.status <> 'pending'"
            " AND (n.event = 'gate-reminder' OR substr(n.subject, 1, 6) = 'over: '"
            " OR EXISTS (SELECT 1 FROM run r WHERE r.environment = ?1 AND r.id = n.run"
            " AND r.status IN ('done', 'failed', 'cancelled')))"
            " ORDER BY n.row DESC LIMIT -1 OFFSET ?2)",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_int(st, 2, SETTLED_KEPT);
        return sqlite_run(s, st, err);
}

static int insert(struct store *s, const struct environment_state *e, const struct notification_row *row,
    struct error **err)
{
        unsigned char random[16];
        char id[2 * sizeof random + 1];
        if (RAND_bytes(random, sizeof random) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "cannot draw random bytes for a message's id");
        text_hex(random, sizeof random, id);
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO notification (environment, id, target, subject, event, run, body, status, "
            "created_ms,"
            " next_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, ?8)"
            /* What was dropped because it was answered is told anew when it is asked anew. */
            " ON CONFLICT (environment, target, subject) DO UPDATE SET status = 'pending', body = ?7, "
            "attempts = 0,"
            " error = NULL, created_ms = ?8, next_ms = ?8, settled_ms = 0 WHERE status = 'dropped'",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, id);
        bind_name(st, 3, row->target);
        bind_name(st, 4, row->subject);
        bind_name(st, 5, row->event);
        bind_name(st, 6, row->run);
        bind_name(st, 7, row->body);
        bind_int(st, 8, e->now_ms);
        return sqlite_run(s, st, err);
}

int write_notification(struct store *s, const struct environment_state *e, const struct notification_row *row,
    struct error **err)
{
        if (insert(s, e, row, err) < 0) return -1;
        /* Each reminder is one more, for as long as a gate waits. */
        return strcmp(row->event, "gate-reminder") == 0 ? prune_notifications(s, e, err) : 0;
}

/* Subjects of that beginning, but for one, are over: should the same come again, it is told again. */
static int forget_subjects(struct store *s, const struct environment_state *e, const char *prefix,
    const char *keep, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE notification SET subject = 'over: ' || id || ' ' || subject"
            " WHERE environment = ?1 AND substr(subject, 1, length(?2)) = ?2 AND subject <> ?3",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_name(st, 2, prefix);
        bind_name(st, 3, keep);
        return sqlite_run(s, st, err);
}

int drop_notifications(
    struct store *s, const struct environment_state *e, const char *run, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE notification SET status = 'dropped', settled_ms = ?3, claimed_ms = 0"
            " WHERE environment = ?1 AND run = ?2 AND status = 'pending'"
            " AND event IN ('gate-waiting', 'gate-reminder', 'run-waiting')",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, run);
        bind_int(st, 3, e->now_ms);
        return sqlite_run(s, st, err);
}

int drop_gate_notifications(
    struct store *s, const struct environment_state *e, const char *run, const char *gate, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE notification SET status = 'dropped', settled_ms = ?3, claimed_ms = 0"
            " WHERE environment = ?1 AND run = ?2 AND status = 'pending' AND event IN ('gate-waiting', "
            "'gate-reminder')"
            " AND ?4 = CASE WHEN json_valid(body) THEN json_extract(body, '$.gate') END",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, run);
        bind_int(st, 3, e->now_ms);
        bind_text(st, 4, gate);
        return sqlite_run(s, st, err);
}

int store_notify(struct store *s, const char *environment, const char *prefix,
    const struct notification_row *rows, size_t count, struct error **err)
{
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        struct environment_state e;
        int found = environment_state_load(s, environment, &e, err);
        if (found == 0) return environment_missing(s, environment, err);
        if (found < 0) return -1;
        if (forget_subjects(s, &e, prefix, count > 0 ? rows[0].subject : "", err) < 0) return -1;
        for (size_t i = 0; i < count; i++)
                if (write_notification(s, &e, &rows[i], err) < 0) return -1;
        if (prune_notifications(s, &e, err) < 0) return -1;
        if (environment_save(s, &e, err) < 0) return -1;
        return sqlite_commit(s, err);
}

int store_notifications(struct store *s, const char *environment, struct notification_row **rows,
    size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT " COLUMNS
            " FROM notification WHERE environment = (SELECT id FROM environment WHERE name = ?)"
            " AND status = 'pending' ORDER BY row",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        struct notification_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) vec_push(list, used, capacity, row_read(st));
        if (more < 0) {
                notification_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

/* ---- claiming ---- */

static bool is_named(const struct notification_claim *claim, const char *target)
{
        for (size_t i = 0; i < claim->target_count; i++)
                if (strcmp(claim->targets[i], target) == 0) return true;
        return false;
}

static int mark_claimed(struct store *s, const char *id, int64_t until_ms, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "UPDATE notification SET claimed_ms = ?2, attempts = attempts + 1 WHERE id = ?1", err);
        if (st == NULL) return -1;
        bind_text(st, 1, id);
        bind_int(st, 2, until_ms);
        return sqlite_run(s, st, err);
}

static int mark_settled(
    struct store *s, const char *id, const char *status, int64_t now_ms, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE notification SET status = ?2, settled_ms = ?3, claimed_ms = 0,"
            " error = CASE ?2 WHEN 'delivered' THEN NULL ELSE error END WHERE id = ?1",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, id);
        bind_text(st, 2, status);
        bind_int(st, 3, now_ms);
        return sqlite_run(s, st, err);
}

static int give_up(
    struct store *s, struct environment_state *e, const struct notification_row *row, struct error **err)
{
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_addc(&json, '{');
        text_add_member(&json, "target", row->target);
        text_add_member(&json, "event", row->event);
        text_add_member(&json, "delivery", row->id);
        text_addf(&json, ",\"attempts\":%d", row->attempts);
        if (row->error != NULL) text_add_member(&json, "error", row->error);
        text_addc(&json, '}');
        if (mark_settled(s, row->id, "given-up", e->now_ms, err) < 0) return -1;
        return write_event(s, e, row->run, "notification-given-up", json.data, err);
}

/* Whether the row goes to the caller; gives it up if it is too old. A clock that went back makes nothing wait for long: what is due
 * later than the longest wait from now is due. */
static int take(struct store *s, struct environment_state *e, const struct notification_claim *claim,
    const struct notification_row *row, struct error **err)
{
        if (row->claimed_ms > e->now_ms && row->claimed_ms <= e->now_ms + claim->claim_ms) return 0;
        if (row->created_ms + claim->give_up_ms < e->now_ms) return give_up(s, e, row, err) < 0 ? -1 : 0;
        bool due = row->next_ms <= e->now_ms || row->next_ms > e->now_ms + claim->give_up_ms;
        if (!due || !is_named(claim, row->target)) return 0;
        return mark_claimed(s, row->id, e->now_ms + claim->claim_ms, err) < 0 ? -1 : 1;
}

/* All that waits for a later attempt is due now. */
static int make_due(struct store *s, const struct environment_state *e, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE notification SET next_ms = ?2 WHERE environment = ?1 AND status = 'pending' AND next_ms "
            "> ?2",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_int(st, 2, e->now_ms);
        return sqlite_run(s, st, err);
}

int store_notifications_claim(struct store *s, const char *environment,
    const struct notification_claim *claim, struct notification_row **rows, size_t *count, int64_t *next_ms,
    struct error **err)
{
        struct notification_row *all = NULL;
        size_t total = 0, taken = 0;
        *rows = NULL;
        *count = 0;
        *next_ms = 0;
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        struct environment_state e;
        int found = environment_state_load(s, environment, &e, err);
        if (found == 0) return 0;
        if (found < 0 || (claim->all && make_due(s, &e, err) < 0)) return -1;
        if (store_notifications(s, environment, &all, &total, err) < 0) return -1;
        int64_t events = e.event_count;
        int result = 0;
        for (size_t i = 0; i < total && result >= 0; i++) {
                bool surplus = i + PENDING_MAX < total; /* the oldest of too many */
                result = surplus                ? give_up(s, &e, &all[i], err)
                         : taken < claim->limit ? take(s, &e, claim, &all[i], err)
                                                : 0;
                int64_t due = all[i].next_ms > all[i].claimed_ms ? all[i].next_ms : all[i].claimed_ms;
                if (result == 0 && !surplus && is_named(claim, all[i].target) &&
                    (*next_ms == 0 || due < *next_ms))
                        *next_ms = due;
                if (result != 1) continue;
                all[i].attempts++;
                struct notification_row swap = all[taken];
                all[taken++] = all[i];
                all[i] = swap;
        }
        for (size_t i = taken; i < total; i++) row_release(&all[i]);
        if (result >= 0 && taken == 0 && e.event_count == events) { /* nothing to write */
                free(all);
                return 0;
        }
        if (result >= 0) result = environment_save(s, &e, err);
        if (result < 0 || sqlite_commit(s, err) < 0) {
                notification_rows_free(all, taken);
                return -1;
        }
        *rows = all;
        *count = taken;
        return 0;
}

/* Ends the transaction of a message that was sent, or was tried: the log of its environment tells. */
static int save_settled(struct store *s, const char *id, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT e.name FROM notification n JOIN environment e ON e.id = n.environment WHERE n.id = ?",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, id);
        int found = sqlite_step(s, st, err);
        cleanup_free char *environment = found == 1 ? column_text(st, 0) : NULL;
        statement_done(st);
        if (found < 0) return -1;
        struct environment_state e;
        if (found == 1 && environment_state_load(s, environment, &e, err) != 1) return -1;
        if (found == 1 && environment_save(s, &e, err) < 0) return -1;
        return sqlite_commit(s, err);
}

int store_notification_delivered(struct store *s, const char *id, int64_t now_ms, struct error **err)
{
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        if (mark_settled(s, id, "delivered", now_ms, err) < 0) return -1;
        return save_settled(s, id, err);
}

int store_notification_failed(
    struct store *s, const char *id, const char *error, int64_t next_ms, struct error **err)
{
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "UPDATE notification SET error = ?2, next_ms = ?3, claimed_ms = 0 WHERE id = ?1", err);
        if (st == NULL) return -1;
        bind_text(st, 1, id);
        bind_text(st, 2, error);
        bind_int(st, 3, next_ms);
        if (sqlite_run(s, st, err) < 0) return -1;
        return save_settled(s, id, err);
}
