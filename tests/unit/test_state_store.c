/* Every row of the store goes in and comes out again; batches are one transaction; history, moves and run ids hold. */
#include "state/sqlite_internal.h"
#include "base/text.h"
#include "unit/state_fixture.h"

#include <fcntl.h>
#include <time.h>

static void test_files(void)
{
        struct fixture f;
        fixture_init(&f);
        struct stat st;
        ok(stat(f.store, &st) == 0 && (st.st_mode & 07777) == 0700, "the folder is private");
        ok(stat(f.path, &st) == 0 && (st.st_mode & 07777) == 0600, "the database is private");
        cleanup_free char *wal = mem_printf("%s-wal", f.path);
        ok(stat(wal, &st) == 0 && (st.st_mode & 07777) == 0600, "it has a WAL, as private");
        cleanup_free char *ignore = mem_printf("%s/.gitignore", f.store);
        char line[8] = "";
        FILE *file = fopen(ignore, "r");
        ok(file != NULL && fgets(line, sizeof line, file) != NULL && strcmp(line, "*\n") == 0,
            "git ignores all of it");
        if (file != NULL) fclose(file);
        is_str(store_folder(f.s), f.store, "the folder is told");
        ok(stat(store_signal_file(f.s), &st) == 0, "the signal file is there to be watched");

        cleanup_free char *loose = mem_printf("sqlite:%s/loose.db", f.folder);
        struct store *s = NULL;
        ok(store_open(loose, STORE_CREATE, &s, NULL) == 0, "a store in a folder that was there");
        store_close(s);
        free(steal(ignore));
        ignore = mem_printf("%s/.gitignore", f.folder);
        ok(access(ignore, F_OK) < 0, "puts no .gitignore into it");

        fails(store_open("postgres:x", STORE_CREATE, &s, &err), ERROR_INPUT, "sqlite:PATH",
            "another scheme is refused");
        fails(
            store_open("sqlite:", STORE_CREATE, &s, &err), ERROR_INPUT, "sqlite:PATH", "no path is refused");
        cleanup_free char *absent = mem_printf("sqlite:%s/absent/state.db", f.folder);
        fails(store_open(absent, STORE_READ, &s, &err), ERROR_MISSING, "there is no store at",
            "reading needs a store");
        ok(access(absent + 7, F_OK) < 0, "and makes none");
        cleanup_free char *deep = mem_printf("sqlite:%s/a/b/state.db", f.folder);
        fails(store_open(deep, STORE_CREATE, &s, &err), ERROR_SYSTEM, "/a/b", "a missing parent is named");
        cleanup_free char *odd = mem_printf("sqlite:%s/o'd%%20?mode=ro#\xc3\xa4/s t.db", f.folder);
        ok(store_open(odd, STORE_CREATE, &s, NULL) == 0, "any path is taken literally");
        ok(access(odd + 7, F_OK) == 0, "and is where it was asked for");
        store_close(s);
        fixture_release(&f);
}

static void test_environments(void)
{
        struct fixture f;
        fixture_init(&f);
        struct environment_row one, again, *rows;
        size_t count;
        ok(store_environment(f.s, "production", true, &one, NULL) == 0, "an environment is created");
        ok(strlen(one.lineage) == 32 && one.serial == 0 && one.created_ms > 0, "with a lineage and serial 0");
        ok(store_environment(f.s, "production", true, &again, NULL) == 0, "creating it again gives the same");
        is_str(again.lineage, one.lineage, "the lineage stays");
        fails(store_environment(f.s, "absent", false, &again, &err), ERROR_MISSING, "'absent'",
            "a missing one is named");
        fails(store_environment(f.s, "", true, &again, &err), ERROR_INPUT, "name", "it needs a name");
        ok(store_environments(f.s, &rows, &count, NULL) == 0 && count == 2, "both are listed");
        is_str(rows[0].name, "production", "by name");
        ok(strcmp(rows[0].lineage, rows[1].lineage) != 0, "lineages differ");
        environment_rows_free(rows, count);
        environment_row_release(&one);
        environment_row_release(&again);
        fixture_release(&f);
}

static int64_t serial(const struct fixture *f)
{
        struct environment_row row;
        if (store_environment(f->s, "staging", false, &row, NULL) < 0) return -1;
        int64_t value = row.serial;
        environment_row_release(&row);
        return value;
}

static void test_resources(void)
{
        struct fixture f;
        fixture_init(&f);
        char *after[] = {(char *)"network", (char *)"subnet[\"a\nb, c\"]"};
        struct resource_row web = fixture_resource("web[0]"), old = fixture_resource("web[0]"),
                            a = fixture_resource("a");
        web.host = (char *)"{\"address\":\"h\"}";
        web.private_ = (char *)"p\xff\x01";
        web.account = (char *)"{\"endpoint\":\"http://a\"}";
        web.after = after;
        web.after_count = 2;
        web.protect = true;
        old.deposed = (char *)"tok-0";
        old.keep = old.tainted = true;
        commit_ok(&f, "three resources in one commit",
            {.kind = WRITE_RESOURCE, .resource = &web, .action = "create"},
            {.kind = WRITE_RESOURCE, .resource = &old, .action = "create"},
            {.kind = WRITE_RESOURCE, .resource = &a, .action = "create"});
        is_int(serial(&f), 1, "raise the serial once");

        struct resource_row *rows;
        size_t count;
        ok(store_resources(f.s, "staging", &rows, &count, NULL) == 0 && count == 3, "all three are read");
        is_str(rows[0].address, "a", "in order of address");
        ok(strcmp(rows[1].deposed, "") == 0 && strcmp(rows[2].deposed, "tok-0") == 0, "then of deposed");
        is_str(rows[1].address, "web[0]", "address");
        is_str(rows[1].type, "sandbox_server", "type");
        is_str(rows[1].provider, "sandbox", "provider");
        is_str(rows[1].id, "srv-1", "id");
        is_str(rows[1].properties, web.properties, "properties");
        is_str(rows[1].outputs, web.outputs, "outputs");
        is_str(rows[1].host, web.host, "host");
        is_str(rows[1].private_, web.private_, "private bytes");
        is_str(rows[1].account, web.account, "account");
        is_str(rows[2].account, NULL, "or none");
        is_str(rows[1].token, "tok-1", "token");
        ok(rows[1].protect && !rows[1].keep && !rows[2].protect && rows[2].keep, "protect and keep");
        ok(!rows[1].tainted && rows[2].tainted, "tainted");
        ok(rows[1].created_ms == 1000 && rows[1].updated_ms == 2000, "times");
        ok(rows[1].after_count == 2 && strcmp(rows[1].after[1], after[1]) == 0,
            "dependencies, whatever is in them");
        ok(rows[0].host == NULL && rows[0].private_ == NULL && rows[0].after_count == 0,
            "what is absent stays so");
        resource_rows_free(rows, count);

        commit_ok(&f, "a resource goes", {.kind = WRITE_RESOURCE_GONE, .resource = &a, .action = "delete"});
        commit_ok(&f, "and may go again", {.kind = WRITE_RESOURCE_GONE, .resource = &a, .action = "delete"});
        is_int(serial(&f), 2, "which changes nothing");
        ok(store_resources(f.s, "staging", &rows, &count, NULL) == 0 && count == 2, "two are left");
        resource_rows_free(rows, count);
        ok(store_resources(f.s, "absent", &rows, &count, NULL) == 0 && count == 0,
            "no environment, no resources");
        resource_rows_free(rows, count);
        fixture_release(&f);
}

static void test_history(void)
{
        struct fixture f;
        fixture_init(&f);
        struct resource_row web = fixture_resource("web"), other = fixture_resource("other");
        struct history_row *rows;
        size_t count;
        commit_ok(&f, "create", {.kind = WRITE_RESOURCE, .run = "r1", .action = "create", .resource = &web},
            {.kind = WRITE_RESOURCE, .run = "r1", .action = "create", .resource = &other});
        ok(store_history(f.s, "staging", "web", &rows, &count, NULL) == 0 && count == 1 &&
                strcmp(rows[0].action, "create") == 0 && *rows[0].properties == '\0',
            "a creation replaced nothing");
        history_rows_free(rows, count);
        web.properties = (char *)"{\"size\":\"large\"}";
        commit_ok(&f, "update", {.kind = WRITE_RESOURCE, .run = "r2", .action = "update", .resource = &web});
        commit_ok(&f, "move",
            {.kind = WRITE_RESOURCE_MOVE, .run = "r3", .action = "mv", .move = {"web", "", "www", ""}});
        web.address = (char *)"www";
        commit_ok(
            &f, "delete", {.kind = WRITE_RESOURCE_GONE, .run = "r4", .action = "delete", .resource = &web});
        ok(store_history(f.s, "staging", "www", &rows, &count, NULL) == 0 && count == 1,
            "the new address has its end");
        is_str(rows[0].action, "delete", "a deletion");
        is_str(rows[0].run, "r4", "by its run");
        is_int(rows[0].serial, 4, "at its serial");
        is_str(rows[0].properties, "{\"size\":\"large\"}", "of the last version");
        history_rows_free(rows, count);

        ok(store_history(f.s, "staging", "web", &rows, &count, NULL) == 0 && count == 3,
            "the old one has what it was");
        ok(count == 3 && strcmp(rows[0].action, "mv") == 0 && strcmp(rows[1].action, "update") == 0,
            "newest first");
        is_str(rows[1].properties, "{\"size\":\"small\"}", "an update keeps what it replaced");
        is_str(rows[1].outputs, web.outputs, "outputs too");
        history_rows_free(rows, count);

        commit_ok(&f, "move a living one",
            {.kind = WRITE_RESOURCE, .run = "r5", .action = "update", .resource = &other},
            {.kind = WRITE_RESOURCE_MOVE,
                .run = "r5",
                .action = "mv",
                .move = {"other", NULL, "another", NULL}});
        ok(store_history(f.s, "staging", "another", &rows, &count, NULL) == 0 && count == 3,
            "its history follows it");
        ok(count == 3 && rows[0].serial == rows[1].serial && rows[0].serial == 5, "one commit is one serial");
        history_rows_free(rows, count);
        fixture_release(&f);
}

static int commit_one(struct fixture *f, struct store_write w, struct error **err)
{
        return store_commit(f->s, &f->lease, &w, 1, err);
}

static void test_moves(void)
{
        struct fixture f;
        fixture_init(&f);
        struct resource_row a = fixture_resource("a"), b = fixture_resource("b"), *rows;
        size_t count;
        commit_ok(
            &f, "two", {.kind = WRITE_RESOURCE, .resource = &a}, {.kind = WRITE_RESOURCE, .resource = &b});
        fails(commit_one(
                  &f, (struct store_write){.kind = WRITE_RESOURCE_MOVE, .move = {"a", "", "b", ""}}, &err),
            ERROR_CONFLICT, "b: there is one already", "a move onto another is refused");
        fails(commit_one(
                  &f, (struct store_write){.kind = WRITE_RESOURCE_MOVE, .move = {"x", "t", "y", ""}}, &err),
            ERROR_MISSING, "x (deposed t)", "a move of nothing is refused");
        commit_ok(&f, "depose, then create anew",
            {.kind = WRITE_RESOURCE_MOVE, .move = {"a", "", "a", "tok-1"}, .action = "replace"},
            {.kind = WRITE_RESOURCE, .resource = &a, .action = "replace"});
        ok(store_resources(f.s, "staging", &rows, &count, NULL) == 0 && count == 3,
            "both objects are recorded");
        ok(count == 3 && strcmp(rows[1].deposed, "tok-1") == 0, "the old one as deposed");
        resource_rows_free(rows, count);
        fixture_release(&f);
}

static void test_outputs(void)
{
        struct fixture f;
        fixture_init(&f);
        char *outputs = (char *)"unset";
        ok(store_outputs(f.s, "staging", &outputs, NULL) == 0 && outputs == NULL, "no outputs at first");
        commit_ok(&f, "outputs", {.kind = WRITE_OUTPUTS, .outputs = "{\"url\":1}"});
        commit_ok(&f, "again", {.kind = WRITE_OUTPUTS, .outputs = "{\"url\":2}"});
        ok(store_outputs(f.s, "staging", &outputs, NULL) == 0, "outputs are read");
        is_str(outputs, "{\"url\":2}", "the last ones");
        is_int(serial(&f), 2, "each commit raised the serial");
        free(outputs);
        fixture_release(&f);
}

static void test_runs(void)
{
        struct fixture f;
        fixture_init(&f);
        char *id = NULL;
        struct run_row one = fixture_run("r1"), two = fixture_run("r2"), got, *rows;
        size_t count;
        ok(store_next_run(f.s, "staging", &id, NULL) == 0, "a run id is offered");
        is_str(id, "r1", "the first");
        free(id);
        commit_ok(&f, "a run", {.kind = WRITE_RUN, .run_row = &one});
        ok(store_next_run(f.s, "staging", &id, NULL) == 0, "the next one");
        is_str(id, "r2", "comes after what was taken");
        free(id);
        commit_ok(&f, "another", {.kind = WRITE_RUN, .run_row = &two});
        one.status = (char *)"done";
        one.summary = (char *)"{\"created\":1}";
        one.ended_ms = 3000;
        one.plan = NULL;
        one.on_failure = (char *)"stop-run";
        commit_ok(&f, "a policy for the whole run", {.kind = WRITE_RUN, .run_row = &one});
        one.on_failure = NULL;
        commit_ok(&f, "an update", {.kind = WRITE_RUN, .run_row = &one});
        ok(store_run(f.s, "staging", "r1", &got, NULL) == 0, "a run is read");
        is_str(got.status, "done", "status");
        is_str(got.summary, "{\"created\":1}", "summary");
        is_str(got.plan, "{\"steps\":[]}", "the plan of the insert");
        is_str(got.kind, "apply", "kind");
        is_str(got.on_failure, "stop-run", "the policy stays when an update does not name one");
        ok(got.undoes == NULL, "it undoes no other run");
        ok(got.proof == NULL, "nothing was proved of it");
        is_str(got.requester, "ann", "requester");
        is_str(got.digest, "sha256:abc", "digest");
        ok(got.started_ms == 1000 && got.ended_ms == 3000, "times");
        run_row_release(&got);
        ok(store_runs(f.s, "staging", &rows, &count, NULL) == 0 && count == 2, "runs are listed");
        ok(count == 2 && strcmp(rows[0].id, "r2") == 0 && rows[0].plan == NULL,
            "newest first, without plans");
        ok(count == 2 && rows[0].summary == NULL && rows[0].ended_ms == 0, "one is not over");
        run_rows_free(rows, count);
        fails(store_run(f.s, "staging", "r9", &got, &err), ERROR_MISSING, "'r9'", "a missing run is named");
        fails(store_next_run(f.s, "absent", &id, &err), ERROR_MISSING, "'absent'", "so is an environment");
        is_int(serial(&f), 0, "runs do not change the serial");

        struct proof_row proofs[] = {
            {(char *)"staging", (char *)"r1", (char *)"p1"}, {(char *)"staging", (char *)"r2", (char *)"p2"}};
        ok(store_add_proofs(f.s, proofs, 2, NULL) == 0, "proofs are added");
        proofs[0].proof = (char *)"other";
        ok(store_add_proofs(f.s, proofs, 1, NULL) == 0, "to runs that have none");
        ok(store_runs(f.s, "staging", &rows, &count, NULL) == 0 && count == 2, "and are read with the runs");
        is_str(count == 2 ? rows[1].proof : NULL, "p1", "the first one stays");
        run_rows_free(rows, count);
        one.proof = (char *)"p3";
        commit_ok(&f, "an update with another", {.kind = WRITE_RUN, .run_row = &one});
        ok(store_run(f.s, "staging", "r1", &got, NULL) == 0, "the run is read again");
        is_str(got.proof, "p3", "takes its place");
        run_row_release(&got);
        struct run_row three = fixture_run("r3");
        three.proof = (char *)"p0";
        three.follows = (char *)"r2";
        commit_ok(&f, "a run with its proof", {.kind = WRITE_RUN, .run_row = &three});
        ok(store_run(f.s, "staging", "r3", &got, NULL) == 0, "is read");
        is_str(got.proof, "p0", "with it");
        is_str(got.follows, "r2", "and with the round before it");
        run_row_release(&got);
        fixture_release(&f);
}

static void test_steps(void)
{
        struct fixture f;
        fixture_init(&f);
        struct run_row run = fixture_run("r1");
        struct step_row steps[] = {
            {.index = 0,
                .address = (char *)"a",
                .type = (char *)"t",
                .action = (char *)"create",
                .status = (char *)"pending"},
            {.index = 1,
                .address = (char *)"b",
                .type = (char *)"u",
                .action = (char *)"delete",
                .status = (char *)"pending"},
        };
        struct store_write table = {.kind = WRITE_STEPS, .run = "r1", .steps = {steps, 2}};
        commit_ok(&f, "a run with its steps", {.kind = WRITE_RUN, .run_row = &run}, table);
        struct step_row change = {.index = 1,
            .status = (char *)"failed",
            .message = (char *)"quota",
            .attempts = 3,
            .started_ms = 10,
            .ended_ms = 20};
        commit_ok(&f, "a step fails", {.kind = WRITE_STEP, .run = "r1", .steps = {&change, 1}});
        struct step_row *rows;
        size_t count;
        ok(store_steps(f.s, "staging", "r1", &rows, &count, NULL) == 0 && count == 2, "steps are read");
        ok(count == 2 && rows[1].index == 1 && rows[1].attempts == 3 && rows[1].started_ms == 10 &&
                rows[1].ended_ms == 20,
            "with their numbers");
        is_str(rows[1].status, "failed", "status");
        is_str(rows[1].message, "quota", "message");
        is_str(rows[1].address, "b", "address");
        is_str(rows[1].type, "u", "type");
        is_str(rows[1].action, "delete", "action");
        ok(rows[0].message == NULL, "the other has no message");
        step_rows_free(rows, count);
        change.index = 7;
        fails(commit_one(
                  &f, (struct store_write){.kind = WRITE_STEP, .run = "r1", .steps = {&change, 1}}, &err),
            ERROR_MISSING, "no step 7", "a missing step is named");
        table.run = "r5";
        fails(commit_one(&f, table, &err), ERROR_MISSING, "'r5'", "so is a missing run");
        fixture_release(&f);
}

static void test_operations(void)
{
        struct fixture f;
        fixture_init(&f);
        struct run_row run = fixture_run("r1");
        struct operation_row op = {.run = (char *)"r1",
            .step = 4,
            .address = (char *)"web",
            .deposed = (char *)"d",
            .type = (char *)"t",
            .provider = (char *)"p",
            .action = (char *)"create",
            .token = (char *)"tok",
            .state = 1,
            .prior = (char *)"1",
            .planned = (char *)"2",
            .host = (char *)"3",
            .private_ = (char *)"4",
            .started_ms = 5};
        commit_ok(&f, "an intent", {.kind = WRITE_RUN, .run_row = &run},
            {.kind = WRITE_OPERATION, .operation = &op});
        op.state = -7;
        op.saved = (char *)"{}";
        op.id = (char *)"srv";
        commit_ok(&f, "its next state", {.kind = WRITE_OPERATION, .operation = &op});
        struct operation_row *rows;
        size_t count;
        ok(store_operations(f.s, "staging", &rows, &count, NULL) == 0 && count == 1, "one operation is open");
        ok(rows[0].step == 4 && rows[0].state == -7 && rows[0].started_ms == 5, "numbers");
        is_str(rows[0].run, "r1", "run");
        is_str(rows[0].address, "web", "address");
        is_str(rows[0].deposed, "d", "deposed");
        is_str(rows[0].type, "t", "type");
        is_str(rows[0].provider, "p", "provider");
        is_str(rows[0].action, "create", "action");
        is_str(rows[0].token, "tok", "token");
        is_str(rows[0].saved, "{}", "saved");
        is_str(rows[0].id, "srv", "id");
        is_str(rows[0].prior, "1", "prior");
        is_str(rows[0].planned, "2", "planned");
        is_str(rows[0].host, "3", "host");
        is_str(rows[0].private_, "4", "private");
        operation_rows_free(rows, count);
        commit_ok(&f, "it is settled", {.kind = WRITE_OPERATION_OVER, .operation = &op});
        ok(store_operations(f.s, "staging", &rows, &count, NULL) == 0 && count == 0, "none is open");
        operation_rows_free(rows, count);
        op.run = (char *)"r9";
        fails(commit_one(&f, (struct store_write){.kind = WRITE_OPERATION, .operation = &op}, &err),
            ERROR_CONFLICT, "FOREIGN KEY", "an operation needs its run");
        fixture_release(&f);
}

static void test_gates(void)
{
        struct fixture f;
        fixture_init(&f);
        struct run_row run = fixture_run("r1");
        struct gate_row gate = {.run = (char *)"r1",
            .name = (char *)"go-live",
            .status = (char *)"waiting",
            .details = (char *)"{\"m\":1}",
            .opened_ms = 50};
        commit_ok(
            &f, "a gate opens", {.kind = WRITE_RUN, .run_row = &run}, {.kind = WRITE_GATE, .gate = &gate});
        struct store *other = fixture_open(&f, STORE_CREATE);
        struct answer_row bob = fixture_answer("go-live", "bob"), eve = fixture_answer("go-live", "eve");
        struct gate_row yes = {
            .status = (char *)"approved", .answered_by = (char *)"bob", .comment = bob.comment};
        bob.gate = (char *)"nope";
        fails(store_answer(other, "staging", &bob, &yes, false, 0, &err), ERROR_MISSING, "'nope'",
            "no such gate");
        bob.gate = (char *)"go-live";
        fails(store_answer(other, "absent", &bob, &yes, false, 0, &err), ERROR_MISSING, "'absent'",
            "no such environment");
        struct timespec past[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
        utimensat(AT_FDCWD, store_signal_file(f.s), past, 0);
        ok(store_answer(other, "staging", &bob, &yes, false, 0, NULL) == 0, "bob approves");
        struct stat st;
        ok(stat(store_signal_file(f.s), &st) == 0 && st.st_mtim.tv_sec > 1, "the signal is given");
        fails(store_answer(other, "staging", &eve, NULL, false, 1, &err), ERROR_CONFLICT,
            "approved already, by bob", "a second answer is refused");
        commit_ok(&f, "the run writes the gate again, late", {.kind = WRITE_GATE, .gate = &gate});
        struct gate_row *rows;
        size_t count;
        ok(store_gates(f.s, "staging", "r1", &rows, &count, NULL) == 0 && count == 1, "the gate is read");
        is_str(rows[0].status, "approved", "the answer stands");
        is_str(rows[0].answered_by, "bob", "who");
        is_str(rows[0].comment, "looks \"good\"", "why");
        is_str(rows[0].details, "{\"m\":1}", "details");
        is_str(rows[0].name, "go-live", "name");
        is_str(rows[0].run, "r1", "run");
        ok(rows[0].opened_ms == 50 && rows[0].answered_ms > 50, "when");
        gate_rows_free(rows, count);
        struct event_row *events;
        ok(store_events(f.s, "staging", "r1", &events, &count, NULL) == 0 && count == 1,
            "the answer is in the log");
        is_str(events[0].kind, "gate-answered", "as one");
        ok(text_starts(events[0].data,
               "{\"gate\":\"go-live\",\"answer\":\"approved\",\"by\":\"bob\",\"comment\":\"looks "
               "\\\"good\\\"\","
               "\"digest\":\"00ff\",\"proposal\":\"abcd\",\"user\":\"root\",\"opened_ms\":50,\"row\":\""),
            "with who, why and the plan that was seen");
        event_rows_free(events, count);
        store_close(other);
        fixture_release(&f);
}

/* A gate that needs several; one whose outcome was found not to count. */
static void test_answers(void)
{
        struct fixture f;
        fixture_init(&f);
        struct run_row run = fixture_run("r1");
        struct gate_row gate = {
            .run = (char *)"r1", .name = (char *)"g", .status = (char *)"waiting", .opened_ms = 50};
        commit_ok(
            &f, "a gate opens", {.kind = WRITE_RUN, .run_row = &run}, {.kind = WRITE_GATE, .gate = &gate});
        struct answer_row ann = fixture_answer("g", "ann"), bob = fixture_answer("g", "bob");
        struct gate_row yes = {.status = (char *)"approved", .answered_by = (char *)"ann, bob"};
        ann.signature = (char *)"c2ln", ann.key = (char *)"ed25519:x", ann.signed_ms = 7, ann.expires_ms = 9;
        ok(store_answer(f.s, "staging", &ann, NULL, false, 0, NULL) == 0, "the first answer");
        fails(store_answer(f.s, "staging", &bob, &yes, false, 0, &err), ERROR_RETRY, "came in",
            "a second, decided without knowing the first, is to be decided again");
        commit_ok(&f, "an answer of the run itself", {.kind = WRITE_ANSWER, .answer = &bob});
        struct answer_row *rows;
        size_t count;
        ok(store_answers(f.s, "staging", "r1", &rows, &count, NULL) == 0 && count == 2, "both are read");
        ok(rows[0].id < rows[1].id, "in order of arrival");
        is_str(rows[0].by, "ann", "who");
        is_str(rows[0].signature, "c2ln", "the signature");
        is_str(rows[0].key, "ed25519:x", "and its key");
        ok(rows[0].signed_ms == 7 && rows[0].expires_ms == 9 && rows[0].answered_ms > 50, "the times");
        ok(rows[1].signature == NULL && rows[1].key == NULL, "or none");
        is_str(rows[1].proposal, "abcd", "what was shown");
        answer_rows_free(rows, count);
        ok(store_answers(f.s, "staging", NULL, &rows, &count, NULL) == 0 && count == 2, "of all runs, too");
        answer_rows_free(rows, count);
        struct event_row *events;
        ok(store_events(f.s, "staging", "r1", &events, &count, NULL) == 0 && count == 2,
            "both are in the log");
        ok(strstr(events[0].data,
               "\"signed_ms\":7,\"expires_ms\":9,\"key\":\"ed25519:x\",\"signature\":\"c2ln\",\"row\":\"") !=
                NULL,
            "with their signature");
        event_rows_free(events, count);
        gate.status = (char *)"approved";
        commit_ok(&f, "the outcome", {.kind = WRITE_GATE, .gate = &gate});
        gate.status = (char *)"waiting";
        gate.reopen = true;
        commit_ok(&f, "which does not count", {.kind = WRITE_GATE, .gate = &gate});
        struct gate_row *gates;
        ok(store_gates(f.s, "staging", "r1", &gates, &count, NULL) == 0 && count == 1, "the gate");
        is_str(gates[0].status, "waiting", "waits again");
        gate_rows_free(gates, count);
        bob.gate = (char *)"nope";
        fails(commit_one(&f, (struct store_write){.kind = WRITE_ANSWER, .answer = &bob}, &err),
            ERROR_CONFLICT, "FOREIGN KEY", "an answer needs its gate");
        fixture_release(&f);
}

static void test_durations(void)
{
        struct fixture f;
        fixture_init(&f);
        struct store_write w = {.kind = WRITE_DURATION, .action = "create", .duration = {"t", 10}};
        commit_ok(&f, "one sample", w);
        w.duration.seconds = 20;
        commit_ok(&f, "another", w);
        w.duration.seconds = -1;
        commit_ok(&f, "a nonsense one", w);
        struct duration_row *rows;
        size_t count;
        ok(store_durations(f.s, &rows, &count, NULL) == 0 && count == 1, "one average");
        ok(rows[0].samples == 2 && rows[0].seconds == 15, "the mean at first");
        duration_rows_free(rows, count);
        for (int i = 0; i < 40; i++) {
                w.duration.seconds = 100;
                if (commit_one(&f, w, NULL) < 0) ok(false, "a sample");
        }
        ok(store_durations(f.s, &rows, &count, NULL) == 0 && rows[0].seconds > 95,
            "later it follows a change");
        duration_rows_free(rows, count);
        fixture_release(&f);
}

static void test_batches(void)
{
        struct fixture f;
        fixture_init(&f);
        struct resource_row a = fixture_resource("a"), broken = fixture_resource("b"), *rows;
        broken.properties = NULL;
        size_t count;
        const struct store_write writes[] = {
            {.kind = WRITE_RESOURCE, .resource = &a}, {.kind = WRITE_RESOURCE, .resource = &broken}};
        fails(store_commit(f.s, &f.lease, writes, 2, &err), ERROR_CONFLICT, "properties",
            "a write that does not fit");
        ok(store_resources(f.s, "staging", &rows, &count, NULL) == 0 && count == 0,
            "takes its whole batch with it");
        resource_rows_free(rows, count);
        is_int(serial(&f), 0, "and the serial");
        ok(store_commit(f.s, &f.lease, writes, 1, NULL) == 0, "the store goes on");
        ok(store_commit(f.s, &f.lease, NULL, 0, NULL) == 0, "an empty batch only checks the lease");
        fixture_release(&f);
}

/* Every function once, so that its statements are prepared. */
static void exercise(struct fixture *f)
{
        struct run_row run = fixture_run("r1");
        struct step_row step = {
            .address = (char *)"a", .action = (char *)"create", .status = (char *)"pending"};
        struct operation_row op = {
            .run = (char *)"r1", .address = (char *)"a", .type = (char *)"t", .action = (char *)"create"};
        struct gate_row gate = {.run = (char *)"r1", .name = (char *)"g", .status = (char *)"waiting"};
        struct answer_row written = fixture_answer("g", "ann"), *answers;
        struct resource_row a = fixture_resource("a"), b = fixture_resource("b");
        commit_ok(f, "one write of each kind", {.kind = WRITE_RUN, .run_row = &run},
            {.kind = WRITE_RUN, .run_row = &run}, {.kind = WRITE_STEPS, .run = "r1", .steps = {&step, 1}},
            {.kind = WRITE_STEP, .run = "r1", .steps = {&step, 1}},
            {.kind = WRITE_OPERATION, .operation = &op}, {.kind = WRITE_OPERATION_OVER, .operation = &op},
            {.kind = WRITE_RESOURCE, .resource = &a},
            {.kind = WRITE_RESOURCE_MOVE, .move = {"a", "", "b", ""}},
            {.kind = WRITE_RESOURCE_GONE, .resource = &b}, {.kind = WRITE_OUTPUTS, .outputs = "{}"},
            {.kind = WRITE_GATE, .gate = &gate}, {.kind = WRITE_ANSWER, .answer = &written},
            {.kind = WRITE_EVENT, .event = {"e", NULL}},
            {.kind = WRITE_DURATION, .action = "create", .duration = {"t", 1}});
        size_t n;
        struct environment_row *environments;
        struct resource_row *resources;
        struct history_row *history;
        struct run_row *runs;
        struct step_row *steps;
        struct operation_row *operations;
        struct gate_row *gates;
        struct event_row *events;
        struct duration_row *durations;
        char *text;
        struct answer_row answer = fixture_answer("g", "bob");
        int bad = store_answer(f->s, "staging", &answer, NULL, false, 1, NULL);
        bad |= store_lease_renew(f->s, &f->lease, 60000, NULL) | store_verify(f->s, "staging", &n, NULL);
        if (!(bad |= store_environments(f->s, &environments, &n, NULL)))
                environment_rows_free(environments, n);
        if (!(bad |= store_resources(f->s, "staging", &resources, &n, NULL)))
                resource_rows_free(resources, n);
        if (!(bad |= store_history(f->s, "staging", "b", &history, &n, NULL))) history_rows_free(history, n);
        if (!(bad |= store_runs(f->s, "staging", &runs, &n, NULL))) run_rows_free(runs, n);
        if (!(bad |= store_run(f->s, "staging", "r1", &run, NULL))) run_row_release(&run);
        if (!(bad |= store_steps(f->s, "staging", "r1", &steps, &n, NULL))) step_rows_free(steps, n);
        if (!(bad |= store_operations(f->s, "staging", &operations, &n, NULL)))
                operation_rows_free(operations, n);
        if (!(bad |= store_gates(f->s, "staging", "r1", &gates, &n, NULL))) gate_rows_free(gates, n);
        if (!(bad |= store_answers(f->s, "staging", "r1", &answers, &n, NULL))) answer_rows_free(answers, n);
        if (!(bad |= store_events(f->s, "staging", NULL, &events, &n, NULL))) event_rows_free(events, n);
        if (!(bad |= store_events(f->s, "staging", "r1", &events, &n, NULL))) event_rows_free(events, n);
        if (!(bad |= store_durations(f->s, &durations, &n, NULL))) duration_rows_free(durations, n);
        if (!(bad |= store_outputs(f->s, "staging", &text, NULL))) free(text);
        if (!(bad |= store_next_run(f->s, "staging", &text, NULL))) free(text);
        is_int(bad, 0, "and every reading");
}

/* Does the database walk a whole table, where an index should lead? */
static bool plan_is_direct(sqlite3 *db, const char *sql)
{
        cleanup_free char *explain = mem_printf("EXPLAIN QUERY PLAN %s", sql);
        sqlite3_stmt *st = NULL;
        if (sqlite3_prepare_v2(db, explain, -1, &st, NULL) != SQLITE_OK) return false;
        bool direct = true;
        /* The two lists of all there is are meant to walk a table, and so is the audit. */
        static const char *const lists[] = {"FROM environment ORDER BY", "FROM duration ORDER BY",
            "FROM duration t", "FROM event WHERE kind IN", "(min(id) < 1) FROM event",
            "count(*) FROM event a", "FROM sqlite_sequence"};
        bool list = false;
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
                list = list || strstr(sql, lists[i]) != NULL;
        while (sqlite3_step(st) == SQLITE_ROW) {
                const char *detail = (const char *)sqlite3_column_text(st, 3);
                if (list || strncmp(detail, "SCAN ", 5) != 0) continue;
                printf("# %s: %s\n", detail, sql);
                direct = false;
        }
        sqlite3_finalize(st);
        return direct;
}

static void test_cost(void)
{
        struct fixture f;
        fixture_init(&f);
        exercise(&f);
        size_t statements = 0, direct = 0;
        for (map_foreach (&f.s->statements, entry)) {
                if (strncmp(entry->key, "PRAGMA", 6) == 0) continue;
                statements++;
                direct += plan_is_direct(f.s->db, entry->key);
        }
        ok(statements > 30, "%zu statements were prepared", statements);
        is_int(direct, statements, "each of them goes straight to its rows");
        fixture_release(&f);
}

enum { MANY = 100000 };

static void test_many(void)
{
        struct fixture f;
        fixture_init(&f);
        struct step_row *steps = mem_alloc(MANY * sizeof *steps);
        struct resource_row *resources = mem_alloc(MANY * sizeof *resources);
        struct store_write *writes = mem_alloc((MANY + 2) * sizeof *writes);
        char(*names)[16] = mem_alloc(MANY * sizeof *names);
        struct run_row run = fixture_run("r1");
        writes[0] = (struct store_write){.kind = WRITE_RUN, .run_row = &run};
        writes[1] = (struct store_write){.kind = WRITE_STEPS, .run = "r1", .steps = {steps, MANY}};
        for (size_t i = 0; i < MANY; i++) {
                snprintf(names[i], sizeof names[i], "web[%zu]", i);
                resources[i] = fixture_resource(names[i]);
                steps[i] = (struct step_row){.index = (int64_t)i,
                    .address = names[i],
                    .type = (char *)"t",
                    .action = (char *)"create",
                    .status = (char *)"pending"};
                writes[i + 2] = (struct store_write){
                    .kind = WRITE_RESOURCE, .run = "r1", .action = "create", .resource = &resources[i]};
        }
        clock_t start = clock();
        ok(store_commit(f.s, &f.lease, writes, 2, NULL) == 0, "100,000 steps in one commit");
        printf("# %.3f s\n", (double)(clock() - start) / CLOCKS_PER_SEC);
        start = clock();
        ok(store_commit(f.s, &f.lease, writes + 2, MANY, NULL) == 0, "100,000 resources in one commit");
        printf("# %.3f s\n", (double)(clock() - start) / CLOCKS_PER_SEC);
        struct resource_row *rows;
        struct step_row *table;
        size_t count;
        start = clock();
        ok(store_resources(f.s, "staging", &rows, &count, NULL) == 0 && count == MANY,
            "all resources are read");
        printf("# %.3f s\n", (double)(clock() - start) / CLOCKS_PER_SEC);
        bool ordered = true;
        for (size_t i = 1; i < count; i++)
                ordered = ordered && strcmp(rows[i - 1].address, rows[i].address) < 0;
        ok(ordered, "in order");
        resource_rows_free(rows, count);
        start = clock();
        ok(store_steps(f.s, "staging", "r1", &table, &count, NULL) == 0 && count == MANY,
            "all steps are read");
        printf("# %.3f s\n", (double)(clock() - start) / CLOCKS_PER_SEC);
        ok(table[MANY - 1].index == MANY - 1, "in order");
        step_rows_free(table, count);
        free(steps);
        free(resources);
        free(writes);
        free(names);
        fixture_release(&f);
}

int main(void)
{
        test_files();
        test_environments();
        test_resources();
        test_history();
        test_moves();
        test_outputs();
        test_runs();
        test_steps();
        test_operations();
        test_gates();
        test_answers();
        test_durations();
        test_batches();
        test_cost();
        test_many();
        return done();
}
