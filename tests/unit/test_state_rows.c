/* Every row of every table has a witness: whatever is done to one, in any column, behind the program's back, is found. */
#include "unit/state_fixture.h"

/* What is of the moment, and what the program itself may raise at any time: see docs/state.md. */
static const char *const unwitnessed[] = {"environment.fence", "environment.lease_holder",
    "environment.lease_acquired_ms", "environment.lease_renewed_ms", "environment.lease_ttl_ms",
    "environment.lease_boot", "environment.lease_boot_ms", "sqlite_sequence.seq"};

/* At least one row in each table. */
static void fill(struct fixture *f)
{
        struct run_row run = fixture_run("r1");
        run.summary = run.on_failure = run.undoes = run.proof = (char *)"{}";
        struct step_row step = {
            .address = (char *)"a", .action = (char *)"create", .status = (char *)"pending", .seconds = 0.25};
        struct operation_row op = {.run = (char *)"r1",
            .address = (char *)"a",
            .type = (char *)"t",
            .action = (char *)"create",
            .id = (char *)"vm-1"};
        struct gate_row gate = {
            .run = (char *)"r1", .name = (char *)"g", .status = (char *)"waiting", .details = (char *)"{}"};
        struct notification_row note = {.target = (char *)"a",
            .subject = (char *)"s",
            .event = (char *)"run-done",
            .run = (char *)"r1",
            .body = (char *)"{}"};
        struct answer_row answer = fixture_answer("g", "ann");
        struct resource_row a = fixture_resource("a"), b = fixture_resource("b");
        b.id = (char *)"srv-2";
        const struct store_write writes[] = {{.kind = WRITE_RUN, .run_row = &run},
            {.kind = WRITE_STEPS, .run = "r1", .steps = {&step, 1}},
            {.kind = WRITE_STEP, .run = "r1", .steps = {&step, 1}},
            {.kind = WRITE_OPERATION, .operation = &op}, {.kind = WRITE_RESOURCE, .resource = &a},
            {.kind = WRITE_RESOURCE, .resource = &b}, {.kind = WRITE_OUTPUTS, .outputs = "{}"},
            {.kind = WRITE_GATE, .gate = &gate}, {.kind = WRITE_ANSWER, .answer = &answer},
            {.kind = WRITE_NOTIFICATION, .run = "r1", .notification = &note},
            {.kind = WRITE_EVENT, .event = {"e", NULL}},
            {.kind = WRITE_DURATION, .action = "create", .duration = {"t", 0.125}}};
        if (store_commit(f->s, &f->lease, writes, sizeof writes / sizeof writes[0], NULL) < 0)
                ok(false, "one of each");
}

/* Is it found, and said in these words, what `sql` did to a store with one of each? */
static bool found(const char *sql, const char *part)
{
        struct fixture f;
        struct error *err = NULL;
        size_t checked;
        fixture_init(&f);
        fill(&f);
        if (store_verify(f.s, "staging", &checked, &err) < 0) fixture_fail("before", err);
        fixture_sql(&f, sql);
        bool finds = store_verify(f.s, "staging", &checked, &err) < 0 && strstr(error_message(err), part);
        if (!finds) printf("# %s: %s\n", sql, error_message(err));
        error_free(err);
        fixture_release(&f);
        return finds;
}

/* SQL for each column of each table: another value of the same type, in all rows. */
static void each_column(void)
{
        struct fixture f;
        sqlite3 *db = NULL;
        sqlite3_stmt *st = NULL;
        fixture_init(&f);
        fill(&f);
        sqlite3_open(f.path, &db);
        int tables = 0, columns = 0, missed = 0, empty = 0;
        sqlite3_prepare_v2(db,
            "SELECT s.name, c.name, c.type, c.cid FROM sqlite_schema s JOIN pragma_table_info(s.name) c"
            " WHERE s.type = 'table' ORDER BY 1, c.cid",
            -1, &st, NULL);
        while (sqlite3_step(st) == SQLITE_ROW) {
                const char *table = (const char *)sqlite3_column_text(st, 0);
                const char *column = (const char *)sqlite3_column_text(st, 1);
                const char *type = (const char *)sqlite3_column_text(st, 2);
                cleanup_free char *name = mem_printf("%s.%s", table, column);
                bool exempt = false;
                for (size_t i = 0; i < sizeof unwitnessed / sizeof unwitnessed[0]; i++)
                        exempt = exempt || strcmp(unwitnessed[i], name) == 0;
                if (sqlite3_column_int(st, 3) == 0) {
                        sqlite3_stmt *rows = NULL;
                        cleanup_free char *sql = mem_printf("SELECT 1 FROM \"%s\"", table);
                        sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
                        empty += sqlite3_step(rows) != SQLITE_ROW;
                        sqlite3_finalize(rows);
                        tables++;
                }
                if (exempt) continue;
                cleanup_free char *sql = mem_printf(
                    "UPDATE \"%s\" SET \"%s\" = CASE '%s' WHEN 'TEXT' THEN coalesce(\"%s\", '') || 'x' WHEN "
                    "'BLOB' THEN zeroblob(32) ELSE \"%s\" + 1000 END WHERE rowid IN (SELECT rowid FROM "
                    "\"%s\" ORDER BY 1 DESC LIMIT 1)",
                    table, column, type, column, column, table);
                /* Tables without row numbers have one row here. */
                char *where = strcmp(table, "step") == 0 || strcmp(table, "duration") == 0
                                  ? strstr(sql, " WHERE rowid")
                                  : NULL;
                if (where != NULL) *where = '\0';
                columns++;
                missed += !found(sql, "");
        }
        sqlite3_finalize(st);
        sqlite3_close(db);
        fixture_release(&f);
        ok(tables >= 13, "%d tables", tables);
        is_int(empty, 0, "each of them has rows");
        ok(columns > 100, "%d columns", columns);
        is_int(missed, 0, "whichever is changed, it is found");
}

static void each_way(void)
{
        ok(found("UPDATE resource SET remote_id = 'prod-db-1' WHERE address = 'a'", "resource a was changed"),
            "a resource is another object");
        ok(found("DELETE FROM resource WHERE address = 'b'", "resource b (row 2"), "a resource is gone");
        ok(found("DELETE FROM step", "step 0 of a run"), "a step is gone");
        ok(found("DELETE FROM operation", "row 1 of operation"), "an intent is gone");
        ok(found("DELETE FROM duration", "of duration"), "what is known of durations is gone");
        ok(found("DELETE FROM output", "row 1 of output"), "the outputs are gone");
        ok(found("INSERT INTO resource SELECT 77, environment, 'more', deposed, type, provider, remote_id, "
                 "properties, outputs, host, private, after, token, protect, keep, created_ms, updated_ms, "
                 "tainted, account FROM resource WHERE address = 'a'",
               "resource more was put in"),
            "a resource is put in");
        ok(found("INSERT INTO history SELECT 77, environment, resource, address, serial, time_ms, run, "
                 "'delete', properties, outputs FROM history WHERE address = 'a'",
               "the history of a (delete by run ) was put in"),
            "history is put in");
        ok(found("UPDATE resource SET remote_id = CASE address WHEN 'a' THEN 'srv-2' ELSE 'srv-1' END",
               "resource a was changed"),
            "objects are exchanged");
        ok(found("UPDATE resource SET id = 3 WHERE id = 1; UPDATE resource SET id = 1 WHERE id = 2; UPDATE "
                 "resource SET id = 2 WHERE id = 3",
               "resource a was changed"),
            "rows are exchanged");
        ok(found("UPDATE environment SET fence = 0", "the fence of its lease was lowered"),
            "a fence is lowered");
        ok(found("UPDATE sqlite_sequence SET seq = 1", "number of a resource was lowered"),
            "numbers would be given out twice");
        ok(found("UPDATE event SET id = id + 1000 WHERE seq = 1", "order in which events were written"),
            "an event is moved");
}

/* An earlier version of a row; and a row that is written over after somebody changed it. */
static void over_time(void)
{
        struct fixture f;
        struct resource_row a = fixture_resource("a");
        size_t checked;
        fixture_init(&f);
        fill(&f);
        fixture_sql(&f, "CREATE TEMP TABLE t (x); UPDATE resource SET remote_id = remote_id");
        ok(store_verify(f.s, "staging", &checked, NULL) == 0, "writing the same is no change");
        a.id = (char *)"srv-9";
        commit_ok(&f, "an update", {.kind = WRITE_RESOURCE, .action = "update", .resource = &a});
        ok(store_verify(f.s, "staging", &checked, NULL) == 0, "of ours is none that is found");
        fixture_sql(&f, "UPDATE resource SET remote_id = 'srv-1' WHERE address = 'a'");
        fails(store_verify(f.s, "staging", &checked, &err), ERROR_CONFLICT, "resource a was changed",
            "an earlier version is not the last");
        commit_ok(&f, "written over", {.kind = WRITE_RESOURCE, .action = "update", .resource = &a});
        fails(store_verify(f.s, "staging", &checked, &err), ERROR_CONFLICT, "resource a (row 1",
            "it is still found");
        commit_ok(&f, "moved", {.kind = WRITE_RESOURCE_MOVE, .action = "mv", .move = {"b", "", "c", ""}});
        commit_ok(&f, "deleted", {.kind = WRITE_RESOURCE_GONE, .action = "rm", .resource = &a});
        fixture_release(&f);
}

/* Two environments have one table of durations; each log tells its part. */
static void two_environments(void)
{
        struct fixture f;
        struct environment_row other;
        struct lease lease;
        size_t checked;
        fixture_init(&f);
        fill(&f);
        if (store_environment(f.s, "other", true, &other, NULL) < 0 ||
            store_lease_acquire(f.s, "other", "bob", 60000, &lease, NULL) < 0)
                ok(false, "another environment");
        environment_row_release(&other);
        const struct store_write w = {.kind = WRITE_DURATION, .action = "create", .duration = {"t", 0.5}};
        ok(store_commit(f.s, &lease, &w, 1, NULL) == 0, "the other one adds to a duration");
        commit_ok(&f, "then this one again", w);
        ok(store_commit(f.s, &lease, &w, 1, NULL) == 0, "and the other");
        ok(store_verify(f.s, "staging", &checked, NULL) == 0 &&
                store_verify(f.s, "other", &checked, NULL) == 0,
            "both logs hold");
        fixture_sql(&f, "UPDATE duration SET seconds = 7");
        fails(store_verify(f.s, "other", &checked, &err), ERROR_CONFLICT, "the duration of t create",
            "and find what was changed");
        lease_release_memory(&lease);
        fixture_release(&f);
}

int main(void)
{
        each_column();
        each_way();
        over_time();
        two_environments();
        return done();
}
