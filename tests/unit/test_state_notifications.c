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
        ok(store_events(f.s, "staging", NULL, &events, &count, NULL) == 0 && count == 2, "the log tells");
        if (count > 0) {
                is_str(events[0].kind, "notification-given-up", "what happened");
                ok(strstr(events[0].data, "\"error\":\"nobody is \\\"there\\\"\"") != NULL, "and why");
        }
        event_rows_free(events, count);
        ok(store_verify(f.s, "staging", &checked, NULL) == 0, "in the chain");
        fixture_release(&f);
}

int main(void)
{
        once();
        claims();
        giving_up();
        return done();
}
