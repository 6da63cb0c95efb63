/* The outbox: told once of one thing, claimed by one at a time, tried again, given up with a record. */
#include "unit/state_fixture.h"

static const char *const ours[] = {"a", "b"};

static struct notification_row row(const char *target, const char *subject)
{
        return (struct notification_row){.target = (char *)target,
            .subject = (char *)subject,
            .event = (char *)"run-done",
            .run = (char *)"r1",
            .body = (char *)"{}"};
}

static void add(struct fixture *f, const char *target, const char *subject)
{
        struct notification_row r = row(target, subject);
        struct store_write w = {.kind = WRITE_NOTIFICATION, .run = "r1", .notification = &r};
        if (store_commit(f->s, &f->lease, &w, 1, NULL) < 0) ok(false, "a message");
}

static size_t pending(struct fixture *f)
{
        struct notification_row *rows;
        size_t count;
        if (store_notifications(f->s, "staging", &rows, &count, NULL) < 0) return 999;
        notification_rows_free(rows, count);
        return count;
}

/* How many are claimed; the first one's id in *id, to be freed. */
static size_t claim(struct fixture *f, size_t limit, bool all, char **id, int64_t *next)
{
        struct notification_claim c = {.targets = ours,
            .target_count = 2,
            .all = all,
            .limit = limit,
            .claim_ms = 60000,
            .give_up_ms = 3600000};
        struct notification_row *rows;
        size_t count;
        int64_t ignored;
        if (store_notifications_claim(f->s, "staging", &c, &rows, &count, next ? next : &ignored, NULL) < 0)
                return 999;
        if (id != NULL) *id = count > 0 ? mem_strdup(rows[0].id) : NULL;
        notification_rows_free(rows, count);
        return count;
}

static void once(void)
{
        struct fixture f;
        fixture_init(&f);
        add(&f, "a", "run-done r1");
        add(&f, "a", "run-done r1");
        is_int(pending(&f), 1, "a target is told once of one thing");
        add(&f, "b", "run-done r1");
        add(&f, "a", "run-done r2");
        is_int(pending(&f), 3, "another target, and of another thing");

        struct notification_row drift = row("a", "drift 1");
        ok(store_notify(f.s, "staging", "drift ", &drift, 1, NULL) == 0, "drift");
        ok(store_notify(f.s, "staging", "drift ", &drift, 1, NULL) == 0 && pending(&f) == 4,
            "the same again is no news");
        struct notification_row other = row("a", "drift 2");
        ok(store_notify(f.s, "staging", "drift ", &other, 1, NULL) == 0 && pending(&f) == 5,
            "other drift is");
        ok(store_notify(f.s, "staging", "drift ", &drift, 1, NULL) == 0 && pending(&f) == 6,
            "and the first when it comes back");
        ok(store_notify(f.s, "staging", "drift ", NULL, 0, NULL) == 0, "gone");
        ok(store_notify(f.s, "staging", "drift ", &drift, 1, NULL) == 0 && pending(&f) == 7,
            "and when it was gone in between");
        struct notification_row run = row("a", "run-done r1");
        ok(store_notify(f.s, "staging", "drift ", &run, 1, NULL) == 0 && pending(&f) == 7,
            "other subjects are untouched");
        fixture_release(&f);
}

static void claims(void)
{
        struct fixture f;
        char *id = NULL;
        int64_t next = 0;
        fixture_init(&f);
        is_int(claim(&f, 8, false, NULL, &next), 0, "nothing waits");
        is_int(next, 0, "and nothing will");
        add(&f, "a", "1");
        add(&f, "b", "2");
        add(&f, "stranger", "3");
        is_int(claim(&f, 1, false, &id, NULL), 1, "as many as asked for");
        is_int(claim(&f, 8, false, NULL, NULL), 1, "each one once; who is not known is left");
        is_int(claim(&f, 8, true, NULL, &next), 0, "also by force");
        ok(next > 1000000000000, "until the claim ends");
        ok(store_notification_failed(f.s, id, "down", next + 1000000, NULL) == 0, "a failure");
        is_int(claim(&f, 8, false, NULL, NULL), 0, "is tried again later");
        is_int(claim(&f, 8, true, NULL, NULL), 1, "or at once, by force");
        ok(store_notification_delivered(f.s, id, 1, NULL) == 0 && pending(&f) == 2, "delivered");
        is_int(claim(&f, 8, true, NULL, NULL), 0, "for good");
        free(id);

        fixture_sql(&f, "UPDATE notification SET claimed_ms = 1");
        is_int(claim(&f, 8, false, NULL, NULL), 1, "the claim of a dead process ends");
        fixture_sql(&f, "UPDATE notification SET claimed_ms = 9000000000000, next_ms = 9000000000000");
        is_int(claim(&f, 8, false, NULL, NULL), 1, "and so does one of a clock that was wrong");
        fixture_release(&f);
}

static void giving_up(void)
{
        struct fixture f;
        struct event_row *events;
        size_t count, checked;
        fixture_init(&f);
        add(&f, "a", "1");
        add(&f, "stranger", "2");
        fixture_sql(&f, "UPDATE notification SET created_ms = 1, error = 'nobody is \"there\"'");
        is_int(claim(&f, 8, true, NULL, NULL), 0, "what is too old is not sent");
        is_int(pending(&f), 0, "nor kept waiting");
        ok(store_events(f.s, "staging", "r1", &events, &count, NULL) == 0 && count == 2, "the log tells");
        if (count > 0) {
                is_str(events[0].kind, "notification-given-up", "what happened");
                ok(strstr(events[0].data, "\"error\":\"nobody is \\\"there\\\"\"") != NULL, "and why");
        }
        event_rows_free(events, count);
        fails(store_verify(f.s, "staging", &checked, &err), ERROR_CONFLICT, "of notification",
            "and that somebody had made the messages older");
        fixture_release(&f);
}

static int rows(struct fixture *f, const char *where)
{
        cleanup_free char *sql = mem_printf("SELECT count(*) FROM notification WHERE %s", where);
        return (int)fixture_number(f, sql);
}

static void end_run(struct fixture *f, const char *id, const char *status)
{
        struct run_row run = {.id = (char *)id,
            .kind = (char *)"apply",
            .status = (char *)status,
            .requester = (char *)"ann",
            .digest = (char *)"",
            .started_ms = 1,
            .ended_ms = strcmp(status, "waiting") ? 2 : 0};
        struct store_write w = {.kind = WRITE_RUN, .run = id};
        w.run_row = &run;
        if (store_commit(f->s, &f->lease, &w, 1, NULL) < 0) ok(false, "a run");
}

static void add_many(struct fixture *f, const char *run, int count)
{
        for (int i = 0; i < count; i++) {
                cleanup_free char *subject = mem_printf("gate-waiting %s %d", run, i);
                struct notification_row r = row("a", subject);
                r.run = (char *)run;
                struct store_write w = {.kind = WRITE_NOTIFICATION, .run = run, .notification = &r};
                if (store_commit(f->s, &f->lease, &w, 1, NULL) < 0) ok(false, "a message");
        }
}

static void pruning(void)
{
        struct fixture f;
        enum { MANY = STORE_NOTIFICATIONS_KEPT + 30 };
        fixture_init(&f);
        end_run(&f, "r1", "waiting");
        add_many(&f, "r1", MANY);
        fixture_sql(&f, "UPDATE notification SET status = 'delivered'");
        end_run(&f, "r2", "done");
        is_int(
            rows(&f, "run = 'r1'"), MANY, "what a run that waits told is kept: it is not to be told again");
        end_run(&f, "r3", "waiting");
        add_many(&f, "r3", 10);
        end_run(&f, "r1", "cancelled");
        is_int(rows(&f, "run = 'r1'"), STORE_NOTIFICATIONS_KEPT, "of a run that is over some is kept");
        is_int(rows(&f, "subject = 'gate-waiting r1 29'"), 0, "not the oldest");
        is_int(rows(&f, "status = 'pending'"), 10, "what waits is kept");
        fixture_sql(&f, "UPDATE notification SET status = 'given-up' WHERE run = 'r3'");
        end_run(&f, "r3", "failed");
        is_int(rows(&f, "run = 'r3'"), 10, "the newest are those");
        is_int(rows(&f, "1"), STORE_NOTIFICATIONS_KEPT, "of all runs together");

        struct notification_row drift = row("a", "drift 1");
        drift.run = (char *)"";
        ok(store_notify(f.s, "staging", "drift ", &drift, 1, NULL) == 0, "drift");
        fixture_sql(&f, "UPDATE notification SET status = 'delivered'");
        for (int i = 0; i < MANY; i++) {
                cleanup_free char *subject = mem_printf("drift of it %d", i);
                struct notification_row other = row("a", subject);
                other.run = (char *)"";
                if (store_notify(f.s, "staging", "drift of it ", &other, 1, NULL) < 0) ok(false, "drift");
                fixture_sql(&f, "UPDATE notification SET status = 'delivered'");
        }
        is_int(rows(&f, "1"), STORE_NOTIFICATIONS_KEPT + 2, "and of drift that came and went");
        is_int(rows(&f, "subject = 'drift 1'"), 1, "not of that which is there still");

        struct notification_row reminder = row("a", "");
        reminder.event = (char *)"gate-reminder";
        reminder.run = (char *)"r4";
        end_run(&f, "r4", "waiting");
        for (int i = 0; i < MANY; i++) {
                cleanup_free char *subject = mem_printf("gate-reminder r4 go %d", i);
                reminder.subject = subject;
                struct store_write w = {.kind = WRITE_NOTIFICATION, .run = "r4", .notification = &reminder};
                if (store_commit(f.s, &f.lease, &w, 1, NULL) < 0) ok(false, "a reminder");
                fixture_sql(&f, "UPDATE notification SET status = 'delivered'");
        }
        ok(rows(&f, "run = 'r4'") <= STORE_NOTIFICATIONS_KEPT + 1,
            "reminders do not pile up while a gate waits");
        fixture_release(&f);
}

static void too_many(void)
{
        struct fixture f;
        fixture_init(&f);
        cleanup_free char *sql = mem_printf(
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
            " INSERT INTO notification (environment, id, target, subject, event, run, body, status, "
            "created_ms, next_ms)"
            " SELECT environment, 'id ' || i, target, 'many ' || i, event, run, body, status, created_ms, "
            "next_ms"
            " FROM notification, n",
            STORE_NOTIFICATIONS_MAX + 1);
        add(&f, "a", "1");
        fixture_sql(&f, sql);
        char *id = NULL;
        is_int(claim(&f, 1, false, &id, NULL), 1, "of too many one is claimed");
        is_int(pending(&f), STORE_NOTIFICATIONS_MAX, "so many are kept");
        is_int(rows(&f, "status = 'given-up' AND subject IN ('1', 'many 1')"), 2, "the oldest are given up");
        is_int(rows(&f, "subject = 'many 2' AND attempts = 1"), 1, "and those behind them are sent");
        free(id);
        struct event_row *events;
        size_t count = 0, checked;
        ok(store_events(f.s, "staging", "r1", &events, &count, NULL) == 0 && count == 2, "the log tells");
        event_rows_free(events, count);
        fails(store_verify(f.s, "staging", &checked, &err), ERROR_CONFLICT, "of notification",
            "and that most were not written by the program");
        fixture_release(&f);
}

int main(void)
{
        once();
        pruning();
        too_many();
        claims();
        giving_up();
        return done();
}
