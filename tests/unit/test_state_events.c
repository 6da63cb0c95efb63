/* The event log: in order, apart per environment, and any change to a row, its absence or a lost tail is found. */
#include "unit/state_fixture.h"

static void log_events(struct fixture *f, int count)
{
        for (int i = 0; i < count; i++) {
                cleanup_free char *data = mem_printf("{\"n\":%d}", i);
                struct store_write w = {
                    .kind = WRITE_EVENT, .run = i % 2 == 0 ? "r1" : "r2", .event = {"noted", data}};
                if (store_commit(f->s, &f->lease, &w, 1, NULL) < 0) ok(false, "an event");
        }
}

static void test_reading(void)
{
        struct fixture f;
        fixture_init(&f);
        struct event_row *rows;
        size_t count, checked = 9;
        ok(store_verify(f.s, "staging", &checked, NULL) == 0 && checked == 0, "an empty log holds");
        log_events(&f, 5);
        commit_ok(&f, "three in one commit", {.kind = WRITE_EVENT, .event = {"a", NULL}},
            {.kind = WRITE_EVENT, .event = {"b", "{}"}},
            {.kind = WRITE_EVENT, .run = "r1", .event = {"c", "{}"}});
        ok(store_events(f.s, "staging", NULL, &rows, &count, NULL) == 0 && count == 8, "all are read");
        bool ordered = true;
        for (size_t i = 0; i < count; i++) ordered = ordered && rows[i].seq == (int64_t)i + 1;
        ok(ordered, "in order");
        is_str(rows[1].kind, "noted", "kind");
        is_str(rows[1].run, "r2", "run");
        is_str(rows[1].data, "{\"n\":1}", "data");
        is_str(rows[5].run, "", "one that belongs to no run");
        is_str(rows[5].data, "{}", "one without data");
        ok(strlen(rows[1].hash) == 64 && strcmp(rows[1].hash, rows[2].hash) != 0, "hashes");
        ok(rows[1].time_ms > 1000000000000, "times");
        event_rows_free(rows, count);
        ok(store_events(f.s, "staging", "r1", &rows, &count, NULL) == 0 && count == 4, "those of one run");
        is_int(count == 4 ? rows[3].seq : 0, 8, "in order too");
        event_rows_free(rows, count);
        ok(store_verify(f.s, "staging", &checked, NULL) == 0, "the chain holds");
        is_int(checked, 8, "all of it was checked");
        fails(store_verify(f.s, "absent", &checked, &err), ERROR_MISSING, "'absent'",
            "no environment, no chain");
        fixture_release(&f);
}

/* Does the chain notice what `sql` did? Each case has a store of its own, with eight events. */
static void tamper(const char *sql, const char *part, const char *name)
{
        struct fixture f;
        size_t checked;
        fixture_init(&f);
        log_events(&f, 8);
        struct environment_row other;
        if (store_environment(f.s, "other", true, &other, NULL) == 0) environment_row_release(&other);
        if (store_verify(f.s, "staging", &checked, NULL) < 0) ok(false, "it held before: %s", name);
        fixture_sql(&f, sql);
        fails(store_verify(f.s, "staging", &checked, &err), ERROR_CONFLICT, part, name);
        fixture_release(&f);
}

static void test_tampering(void)
{
        tamper("UPDATE event SET time_ms = time_ms + 1 WHERE seq = 3", "event 3 does not match",
            "a changed time");
        tamper("UPDATE event SET run = 'r2' WHERE seq = 3", "event 3 does not match", "a changed run");
        tamper("UPDATE event SET kind = 'Noted' WHERE seq = 3", "event 3 does not match", "a changed kind");
        tamper("UPDATE event SET data = '{\"n\":7}' WHERE seq = 3", "event 3 does not match", "changed data");
        tamper("UPDATE event SET kind = kind || 'x', data = substr(data, 2) WHERE seq = 3",
            "event 3 does not match", "bytes that moved from a column to the next");
        tamper("UPDATE event SET run = 'r1n', kind = 'oted' WHERE seq = 3", "event 3 does not match",
            "and once more");
        tamper("UPDATE event SET data = data || char(0) || 'x' WHERE seq = 3", "event 3 hides",
            "bytes behind a NUL");
        tamper(
            "UPDATE event SET hash = zeroblob(32) WHERE seq = 3", "event 3 does not match", "a changed hash");
        tamper("UPDATE event SET hash = x'00' WHERE seq = 3", "event 3 does not match", "a short hash");
        tamper("UPDATE event SET seq = 30 WHERE seq = 3", "event 3 is missing", "a changed number");
        tamper("UPDATE event SET seq = -1 WHERE seq = 1", "event 1 is missing", "a number before the first");
        tamper(
            "UPDATE event SET environment = (SELECT id FROM environment WHERE name = 'other') WHERE seq = 3",
            "event 3 is missing", "a row given to another environment");
        tamper("UPDATE event SET seq = seq + 100 WHERE seq IN (3, 4);"
               "UPDATE event SET seq = 4 WHERE seq = 103; UPDATE event SET seq = 3 WHERE seq = 104",
            "event 3 does not match", "two rows that changed places");
        tamper("DELETE FROM event WHERE seq = 1", "event 1 is missing", "a deleted head");
        tamper("DELETE FROM event WHERE seq = 4", "event 4 is missing", "a deletion in the middle");
        tamper("DELETE FROM event WHERE seq = 4; UPDATE event SET seq = seq - 1 WHERE seq > 4",
            "event 4 does not match", "one that was closed up");
        tamper("DELETE FROM event WHERE seq > 6", "event 7 is missing", "a tail cut off");
        tamper("DELETE FROM event WHERE seq > 6; UPDATE environment SET event_count = 6",
            "event 6 is not the one", "a tail cut off and the count with it");
        tamper("DELETE FROM event", "event 1 is missing", "all deleted");
        tamper("INSERT INTO event (environment, seq, time_ms, run, kind, data, hash)"
               " SELECT environment, 9, time_ms, run, kind, data, hash FROM event WHERE seq = 8",
            "event 9 does not match", "a row put in");
        tamper("UPDATE environment SET event_count = 7 WHERE name = 'staging'", "event 8 was put in",
            "a changed count");
        tamper(
            "UPDATE environment SET event_head = zeroblob(32)", "event 8 is not the one", "a changed head");
        tamper(
            "UPDATE environment SET event_head = x''", "event 8 is not the one", "a head of another length");
        tamper("UPDATE environment SET lineage = 'x' WHERE name = 'staging'", "event 1 does not match",
            "another lineage");
}

/* Two gates of a run, one answered by two; does the chain notice what `sql` did to their rows? */
static void tamper_gates(const char *sql, const char *part, const char *name)
{
        struct fixture f;
        size_t checked;
        fixture_init(&f);
        struct run_row run = fixture_run("r1");
        struct gate_row go = {
            .run = (char *)"r1", .name = (char *)"go", .status = (char *)"waiting", .opened_ms = 50};
        struct gate_row stop = {
            .run = (char *)"r1", .name = (char *)"stop", .status = (char *)"waiting", .opened_ms = 60};
        struct gate_row yes = {.status = (char *)"approved", .answered_by = (char *)"ann, bob"};
        struct answer_row ann = fixture_answer("go", "ann"), bob = fixture_answer("go", "bob");
        struct store_write writes[] = {{.kind = WRITE_RUN, .run_row = &run},
            {.kind = WRITE_GATE, .gate = &go}, {.kind = WRITE_GATE, .gate = &stop}};
        if (store_commit(f.s, &f.lease, writes, 3, NULL) < 0 ||
            store_answer(f.s, "staging", &ann, NULL, false, 0, NULL) < 0 ||
            store_answer(f.s, "staging", &bob, &yes, false, 1, NULL) < 0)
                ok(false, "gates and answers");
        struct error *before = NULL;
        if (store_verify(f.s, "staging", &checked, &before) < 0)
                ok(false, "it held before: %s: %s", name, error_message(before));
        error_free(before);
        fixture_sql(&f, sql);
        fails(store_verify(f.s, "staging", &checked, &err), ERROR_CONFLICT, part, name);
        fixture_release(&f);
}

static void test_gates(void)
{
        tamper_gates("UPDATE gate SET answered_by = 'eve' WHERE name = 'go'", "gate go of run r1 was changed",
            "who opened a gate");
        tamper_gates("UPDATE gate SET comment = 'x' WHERE name = 'go'", "was changed", "why");
        tamper_gates("UPDATE gate SET status = 'approved', answered_by = 'eve' WHERE name = 'stop'",
            "gate stop", "a gate that nobody opened");
        tamper_gates("UPDATE gate SET status = 'waiting', answered_by = NULL WHERE name = 'go'",
            "was changed", "one that is shut again");
        tamper_gates("UPDATE gate SET opened_ms = 51 WHERE name = 'go'", "was changed", "when");
        tamper_gates("UPDATE gate SET details = '{}' WHERE name = 'go'", "was changed", "what was shown");
        tamper_gates(
            "UPDATE gate SET name = 'x' WHERE name = 'stop'", "gate x of run r1 was changed", "another name");
        tamper_gates("DELETE FROM gate WHERE name = 'stop'", "of gate (last written by event 1) is missing",
            "one taken out");
        tamper_gates(
            "INSERT INTO gate SELECT id + 10, environment, run, 'new', status, details, answered_by, comment,"
            " opened_ms, answered_ms FROM gate WHERE name = 'go'",
            "gate new of run r1 was put in", "one put in");
        tamper_gates(
            "UPDATE gate SET name = 'x' WHERE name = 'go'; UPDATE gate SET name = 'go' WHERE name = 'stop';"
            "UPDATE gate SET name = 'stop' WHERE name = 'x'",
            "was changed", "two exchanged");
        tamper_gates("UPDATE answer SET person = 'eve' WHERE person = 'bob'",
            "the answer of eve to gate go of run r1 was changed", "who answered");
        tamper_gates(
            "UPDATE answer SET comment = 'x' WHERE person = 'bob'", "was changed", "with which words");
        tamper_gates("UPDATE answer SET answer = 'rejected' WHERE person = 'ann'", "was changed", "what");
        tamper_gates("DELETE FROM answer WHERE person = 'ann'",
            "the answer of ann to gate go of run r1 is missing", "an answer taken out");
        tamper_gates(
            "INSERT INTO answer SELECT id + 10, environment, run, gate, answer, 'eve', comment, user, digest,"
            " proposal, opened_ms, answered_ms, signature, key, signed_ms, expires_ms FROM answer WHERE "
            "person = 'ann'",
            "put in", "an answer put in");
        tamper_gates("UPDATE answer SET id = id + 10 WHERE person = 'ann'; UPDATE answer SET id = id + 1",
            "the answer of bob to gate go of run r1 was put in", "answers in another order");
        tamper_gates("UPDATE event SET kind = 'x' WHERE kind = 'rows' AND seq = 1", "event 1 does not match",
            "the witness itself");
}

/* What is appended after tampering does not heal it. */
static void test_no_healing(void)
{
        struct fixture f;
        size_t checked;
        fixture_init(&f);
        log_events(&f, 4);
        fixture_sql(&f, "DELETE FROM event WHERE seq = 4");
        log_events(&f, 2);
        fails(store_verify(f.s, "staging", &checked, &err), ERROR_CONFLICT, "event 4 is missing",
            "later events do not hide it");
        is_int(checked, 3, "three rows held");
        fixture_release(&f);
}

/* The documented bytes, computed by another program. */
static void test_format(void)
{
        struct fixture f;
        fixture_init(&f);
        struct event_row *rows;
        size_t count;
        log_events(&f, 1);
        struct environment_row row;
        if (store_environment(f.s, "staging", false, &row, NULL) < 0) ok(false, "environment");
        if (store_events(f.s, "staging", NULL, &rows, &count, NULL) < 0 || count != 1) ok(false, "events");
        cleanup_free char *command = mem_printf(
            "perl -MDigest::SHA=sha256,sha256_hex -e 'sub t { pack(\"Q>a*\", length $_[0], $_[0]) }"
            " print sha256_hex(sha256(t(\"tutti events 1\") . t(\"%s\")) . pack(\"Q>Q>\", 1, %lld)"
            " . t(\"%s\") . t(\"%s\") . t(q(%s)))'",
            row.lineage, (long long)rows[0].time_ms, rows[0].run, rows[0].kind, rows[0].data);
        char digest[65] = "";
        FILE *pipe = popen(command, "r");
        if (pipe == NULL || fread(digest, 1, 64, pipe) != 64) printf("# perl gave no digest\n");
        if (pipe != NULL) pclose(pipe);
        is_str(rows[0].hash, digest, "anybody can recompute the chain as documented");
        event_rows_free(rows, count);
        environment_row_release(&row);
        fixture_release(&f);
}

int main(void)
{
        test_reading();
        test_tampering();
        test_gates();
        test_no_healing();
        test_format();
        return done();
}
