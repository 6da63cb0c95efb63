/* Leases: one writer among handles and processes, takeover of the dead, fencing of the late, clocks that go back. */
#include "unit/state_fixture.h"

#include <signal.h>

#include "base/clock.h"

/* Lets time pass for the lease, without waiting. */
static void age(const struct fixture *f, int seconds)
{
        cleanup_free char *sql = mem_printf(
            "UPDATE environment SET lease_acquired_ms = lease_acquired_ms - %d000,"
            " lease_renewed_ms = lease_renewed_ms - %d000, lease_boot_ms = lease_boot_ms - %d000",
            seconds, seconds, seconds);
        fixture_sql(f, sql);
}

static void test_exclusion(void)
{
        struct fixture f;
        fixture_init(&f);
        struct store *other = fixture_open(&f, STORE_CREATE);
        struct lease lease = {0};
        char since[CLOCK_TEXT];
        clock_text(f.lease.expires_ms - 60000, since);
        fails(store_lease_acquire(other, "staging", "bob", 1000, &lease, &err), ERROR_BUSY,
            "ann on build1 (pid 17) since ", "a second handle is refused, and told who holds it");
        fails(store_lease_acquire(other, "staging", "bob", 1000, &lease, &err), ERROR_BUSY, since,
            "and since when");
        fails(store_lease_acquire(f.s, "staging", "bob", 1000, &lease, &err), ERROR_BUSY, "ann",
            "so is the same handle");
        fails(store_lease_acquire(other, "absent", "bob", 1000, &lease, &err), ERROR_MISSING, "'absent'",
            "it must exist");
        fails(store_lease_acquire(other, "staging", "bob", 0, &lease, &err), ERROR_INPUT, "time to live",
            "it needs a ttl");

        struct environment_row row;
        ok(store_environment(other, "production", true, &row, NULL) == 0, "another environment");
        environment_row_release(&row);
        ok(store_lease_acquire(other, "production", "bob", 1000, &lease, NULL) == 0,
            "is leased apart from the first");
        is_str(lease.environment, "production", "the lease says of what");
        ok(store_lease_release(other, &lease, NULL) == 0 && lease.environment == NULL, "and is released");

        int64_t fence = f.lease.fence;
        ok(store_lease_release(f.s, &f.lease, NULL) == 0, "ann releases");
        ok(store_lease_acquire(other, "staging", "bob", 1000, &lease, NULL) == 0, "bob has it at once");
        is_int(lease.fence, fence + 1, "with the next fence");
        lease_release_memory(&lease);
        store_close(other);
        fixture_release(&f);
}

static void test_takeover(void)
{
        struct fixture f;
        fixture_init(&f);
        struct store *other = fixture_open(&f, STORE_CREATE);
        struct lease lease = {0};
        struct store_write w = {.kind = WRITE_OUTPUTS, .outputs = "1"};
        ok(store_lease_renew(f.s, &f.lease, 80, NULL) == 0, "ann's lease gets short");
        usleep(100 * 1000);
        ok(store_commit(f.s, &f.lease, &w, 1, NULL) == 0, "an expired lease that nobody took still writes");
        char *last = NULL;
        ok(store_lease_last(other, "staging", &last, NULL) == 0 && last != NULL &&
                strncmp(last, "ann", 3) == 0,
            "who held it last is known still");
        free(last);
        ok(store_lease_acquire(other, "staging", "bob", 60000, &lease, NULL) == 0,
            "bob takes the expired lease over");
        is_int(lease.fence, f.lease.fence + 1, "with the next fence");
        w.outputs = "2";
        fails(store_commit(f.s, &f.lease, &w, 1, &err), ERROR_CONFLICT, "lost",
            "ann's late write is fenced off");
        fails(store_lease_renew(f.s, &f.lease, 1000, &err), ERROR_CONFLICT, "bob took it over",
            "she cannot renew");
        fails(store_lease_release(f.s, &f.lease, &err), ERROR_CONFLICT, "bob", "nor release bob's");
        ok(store_commit(other, &lease, &w, 1, NULL) == 0, "bob writes");
        char *outputs = NULL;
        ok(store_outputs(f.s, "staging", &outputs, NULL) == 0 && strcmp(outputs, "2") == 0,
            "and only he did");
        free(outputs);
        struct lease copy = {.environment = mem_strdup("staging"), .fence = lease.fence};
        ok(store_lease_release(other, &lease, NULL) == 0, "bob releases");
        fails(
            store_commit(other, &copy, &w, 1, &err), ERROR_CONFLICT, "lost", "after which he writes no more");
        fails(store_lease_renew(other, &copy, 1000, &err), ERROR_CONFLICT, "released", "nor renews");
        fails(store_lease_renew(f.s, &f.lease, 1000, &err), ERROR_CONFLICT, "another took it over",
            "ann is told that it was taken, although it is free again");
        ok(store_lease_last(other, "staging", &last, NULL) == 0 && last == NULL, "and nobody held it last");
        lease_release_memory(&copy);
        store_close(other);
        fixture_release(&f);
}

static void test_renewal(void)
{
        struct fixture f;
        fixture_init(&f);
        struct store *other = fixture_open(&f, STORE_CREATE);
        struct lease lease = {0};
        age(&f, 40);
        ok(store_lease_renew(f.s, &f.lease, 60000, NULL) == 0, "a renewal in time");
        age(&f, 40);
        fails(store_lease_acquire(other, "staging", "bob", 1000, &lease, &err), ERROR_BUSY, "ann",
            "renewals hold a lease beyond its first ttl");
        int64_t now = clock_wall_ms();
        ok(store_lease_renew(f.s, &f.lease, 5000, NULL) == 0, "a renewal");
        ok(f.lease.expires_ms >= now + 5000 && f.lease.expires_ms < now + 7000, "says until when");
        store_close(other);
        fixture_release(&f);
}

/* Puts the renewal into the future, as though the clock had gone back by a year since. */
static void test_clock_back(void)
{
        struct fixture f;
        fixture_init(&f);
        struct lease lease = {0};
        fixture_sql(&f, "UPDATE environment SET lease_renewed_ms = lease_renewed_ms + 31536000000,"
                        " lease_acquired_ms = lease_acquired_ms + 31536000000, lease_ttl_ms = 100,"
                        " lease_boot = 'of another machine'");
        fails(store_lease_acquire(f.s, "staging", "bob", 1000, &lease, &err), ERROR_BUSY, "ann",
            "it counts as fresh once");
        usleep(120 * 1000);
        ok(store_lease_acquire(f.s, "staging", "bob", 1000, &lease, NULL) == 0,
            "and is over a ttl later, not a year");
        lease_release_memory(&lease);
        fixture_release(&f);
}

/* On one machine, no jump of the wall clock makes a lease longer or shorter. */
static void test_clock_jumps(void)
{
        struct fixture f;
        fixture_init(&f);
        struct lease lease = {0};
        for (int day = -1; day <= 1; day += 2) {
                cleanup_free char *sql = mem_printf(
                    "UPDATE environment SET lease_renewed_ms = lease_renewed_ms + %d", day * 86400000);
                fixture_sql(&f, sql);
                fails(store_lease_acquire(f.s, "staging", "bob", 1000, &lease, &err), ERROR_BUSY, "ann",
                    "a clock that jumped by a day ends no lease");
        }
        fixture_sql(&f, "UPDATE environment SET lease_boot_ms = lease_boot_ms - lease_ttl_ms");
        ok(store_lease_acquire(f.s, "staging", "bob", 1000, &lease, NULL) == 0, "its age does");
        ok(lease.ttl_ms == 1000 && lease.sure_until_ms <= clock_boot_ms() + 1000 &&
                lease.sure_until_ms > clock_boot_ms() - 60000,
            "and it is known until when nobody can take it");
        lease_release_memory(&lease);
        fixture_release(&f);
}

enum { PROCESSES = 4, ROUNDS = 25 };

/* Takes the lease as often as it can, and counts in the outputs: a lost update would show in the sum. */
static int compete(const struct fixture *f)
{
        struct store *s = NULL;
        if (store_open(f->url, STORE_CREATE, &s, NULL) < 0) return 1;
        for (int i = 0; i < ROUNDS;) {
                struct lease lease = {0};
                struct error *err = NULL;
                if (store_lease_acquire(s, "staging", "child", 60000, &lease, &err) < 0) {
                        bool busy = error_kind(err) == ERROR_BUSY;
                        if (!busy) printf("# %s\n", error_message(err));
                        error_free(err);
                        if (!busy) return 2;
                        usleep(500);
                        continue;
                }
                char *outputs = NULL;
                if (store_outputs(s, "staging", &outputs, NULL) < 0) return 3;
                char next[16];
                snprintf(next, sizeof next, "%d", outputs != NULL ? atoi(outputs) + 1 : 1);
                struct store_write writes[] = {{.kind = WRITE_OUTPUTS, .outputs = next},
                    {.kind = WRITE_EVENT, .event = {"counted", NULL}}};
                if (store_commit(s, &lease, writes, 2, NULL) < 0) return 4;
                if (store_lease_release(s, &lease, NULL) < 0) return 5;
                free(outputs);
                i++;
        }
        store_close(s);
        return 0;
}

static void test_processes(void)
{
        struct fixture f;
        fixture_init(&f);
        if (store_lease_release(f.s, &f.lease, NULL) < 0) ok(false, "release");
        store_close(steal(f.s)); /* a connection must not cross a fork */
        fflush(stdout);
        for (int i = 0; i < PROCESSES; i++)
                if (fork() == 0) _exit(compete(&f));
        int status, failed = 0;
        while (wait(&status) > 0) failed |= status;
        is_int(failed, 0, "processes take turns");
        f.s = fixture_open(&f, STORE_READ);
        char *outputs = NULL;
        ok(store_outputs(f.s, "staging", &outputs, NULL) == 0, "the count is read");
        is_int(outputs != NULL ? atoi(outputs) : 0, PROCESSES * ROUNDS, "no update was lost");
        size_t checked = 0;
        ok(store_verify(f.s, "staging", &checked, NULL) == 0, "their events are one chain");
        is_int(checked, 2 * PROCESSES * ROUNDS, "of all of them, each with one about its rows");
        free(outputs);
        fixture_release(&f);
}

/* A holder that is killed leaves a store that another one opens, and a lease that runs out. */
static void test_killed(void)
{
        struct fixture f;
        fixture_init(&f);
        if (store_lease_release(f.s, &f.lease, NULL) < 0) ok(false, "release");
        store_close(steal(f.s));
        int ready[2];
        if (pipe(ready) < 0) abort();
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
                struct store *s = NULL;
                struct lease lease;
                struct store_write w = {.kind = WRITE_OUTPUTS, .outputs = "\"kept\""};
                if (store_open(f.url, STORE_CREATE, &s, NULL) < 0) _exit(1);
                if (store_lease_acquire(s, "staging", "doomed", 60000, &lease, NULL) < 0) _exit(1);
                if (store_commit(s, &lease, &w, 1, NULL) < 0) _exit(1);
                if (write(ready[1], "!", 1) != 1) _exit(1);
                pause();
                _exit(0);
        }
        char byte;
        close(ready[1]);
        ok(read(ready[0], &byte, 1) == 1, "a child holds the lease and wrote");
        close(ready[0]);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        f.s = fixture_open(&f, STORE_CREATE);
        char *outputs = NULL;
        ok(store_outputs(f.s, "staging", &outputs, NULL) == 0, "the store opens after kill -9");
        is_str(outputs, "\"kept\"", "with what was committed");
        free(outputs);
        struct lease lease = {0};
        fails(store_lease_acquire(f.s, "staging", "bob", 1000, &lease, &err), ERROR_BUSY, "doomed",
            "its lease still stands");
        age(&f, 60);
        ok(store_lease_acquire(f.s, "staging", "bob", 1000, &lease, NULL) == 0, "until its ttl is over");
        lease_release_memory(&lease);
        fixture_release(&f);
}

/* Waits for the start, then opens the store as everybody else does. The exit status of a child. */
static int create(const char *url, int start)
{
        struct store *s = NULL;
        struct environment_row row = {0};
        struct error *err = NULL;
        char byte;
        if (read(start, &byte, 1) != 0) return 2; /* the end of the pipe comes to all at the same moment */
        if (store_open(url, STORE_CREATE, &s, &err) < 0 ||
            store_environment(s, "staging", true, &row, &err) < 0) {
                printf("# %s\n", error_message(err));
                fflush(stdout);
                return 1;
        }
        environment_row_release(&row);
        store_close(s);
        return 0;
}

static int create_together(void)
{
        char folder[] = "/tmp/tutti-state-XXXXXX";
        int start[2], status, failed = 0;
        if (mkdtemp(folder) == NULL || pipe(start) < 0) abort();
        cleanup_free char *url = mem_printf("sqlite:%s/.tutti/state.db", folder);
        fflush(stdout);
        for (int i = 0; i < 2 * PROCESSES; i++) {
                if (fork() != 0) continue;
                close(start[1]);
                _exit(create(url, start[0]));
        }
        close(start[0]);
        close(start[1]);
        while (wait(&status) > 0) failed |= status;
        cleanup_free char *command = mem_printf("rm -rf '%s'", folder);
        return system(command) != 0 || failed != 0;
}

/* Many processes make the same store at the same time. */
static void test_creation(void)
{
        int failed = 0;
        for (int round = 0; round < 40; round++) failed += create_together();
        is_int(failed, 0, "processes that start at once make one store");
}

int main(void)
{
        test_exclusion();
        test_takeover();
        test_renewal();
        test_clock_back();
        test_clock_jumps();
        test_processes();
        test_killed();
        test_creation();
        return done();
}
