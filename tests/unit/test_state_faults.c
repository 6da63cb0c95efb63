/* What the world does to a store: full disks, missing rights, locks, damage, foreign and newer files, injected faults. */
#include "unit/state_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/text.h"

static int put_output(struct fixture *f, const char *value, struct error **err)
{
        struct store_write w = {.kind = WRITE_OUTPUTS, .outputs = value};
        return store_commit(f->s, &f->lease, &w, 1, err);
}

static bool output_is(struct store *s, const char *want)
{
        char *got = NULL;
        bool same = store_outputs(s, "staging", &got, NULL) == 0 && text_equal(got, want);
        if (!same) printf("# outputs: %s\n", got != NULL ? got : "none");
        free(got);
        return same;
}

static char *large_value(size_t len)
{
        char *value = mem_alloc(len + 1);
        memset(value, '7', len);
        return value;
}

/* ---- full disks ---- */

/* The files of the process may not grow: what a quota or a disk that fills up does. */
static void test_file_limit(void)
{
        struct fixture f;
        fixture_init(&f);
        cleanup_free char *large = large_value(4 << 20);
        ok(put_output(&f, "1", NULL) == 0, "a value is written");
        struct rlimit was, low;
        getrlimit(RLIMIT_FSIZE, &was);
        low = was;
        low.rlim_cur = 1 << 20;
        signal(SIGXFSZ, SIG_IGN);
        fflush(stdout);
        setrlimit(RLIMIT_FSIZE, &low);
        struct error *err = NULL;
        int result = put_output(&f, large, &err);
        setrlimit(RLIMIT_FSIZE, &was);
        ok(result < 0 && error_kind(err) == ERROR_SYSTEM, "a write beyond the limit fails");
        ok(strstr(error_message(err), "disk is full") != NULL, "as a full disk");
        printf("# %s\n", error_message(err));
        error_free(err);
        ok(output_is(f.s, "1"), "the old value is still there");
        ok(put_output(&f, large, NULL) == 0 && output_is(f.s, large),
            "with room again, the same write works");
        fixture_release(&f);
}

/* A real file system that is really full, where the machine lets us mount one. */
static void test_full_disk(void)
{
        char folder[] = "/tmp/tutti-state-XXXXXX";
        if (mkdtemp(folder) == NULL) abort();
        if (mount("tutti-test", folder, "tmpfs", 0, "size=1m") < 0) {
                skip("a full tmpfs: mounting one takes root");
                rmdir(folder);
                return;
        }
        struct fixture f = {
            .path = mem_printf("%s/state.db", folder), .url = mem_printf("sqlite:%s/state.db", folder)};
        struct environment_row row;
        f.s = fixture_open(&f, STORE_CREATE);
        bool made = store_environment(f.s, "staging", true, &row, NULL) == 0 &&
                    store_lease_acquire(f.s, "staging", "ann", 60000, &f.lease, NULL) == 0 &&
                    put_output(&f, "1", NULL) == 0;
        ok(made, "a store on a small disk");
        environment_row_release(&row);
        cleanup_free char *large = large_value(4 << 20);
        fails(put_output(&f, large, &err), ERROR_SYSTEM, "disk is full", "a write beyond its size fails");
        ok(output_is(f.s, "1"), "the old value is still there");
        ok(put_output(&f, "2", NULL) == 0, "a small one still fits");
        store_close(f.s);
        f.s = fixture_open(&f, STORE_READ);
        ok(output_is(f.s, "2"), "and is there after opening again");
        store_close(f.s);
        lease_release_memory(&f.lease);
        free(f.path);
        free(f.url);
        if (umount(folder) < 0 || rmdir(folder) < 0) ok(false, "cannot remove %s", folder);
}

/* ---- rights ---- */

/* Runs `body` in a child that is not root, as root may write anything. Its TAP lines are the parent's to give. */
static int as_nobody(int (*body)(struct fixture *), struct fixture *f)
{
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
                if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0)) _exit(99);
                int result = body(f);
                fflush(stdout);
                _exit(result);
        }
        int status = 0;
        waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int refuses(struct fixture *f, enum store_mode mode, enum error_kind kind, const char *part)
{
        struct store *s = NULL;
        struct error *err = NULL;
        int result = store_open(f->url, mode, &s, &err);
        bool right = result < 0 && error_kind(err) == kind && strstr(error_message(err), part) != NULL;
        if (!right)
                printf("# %s: %s\n", result < 0 ? error_kind_name(error_kind(err)) : "opened",
                    error_message(err));
        store_close(s);
        error_free(err);
        return right ? 0 : 1;
}

static int read_only_body(struct fixture *f)
{
        struct store *s = NULL;
        struct error *err = NULL;
        if (store_open(f->url, STORE_READ, &s, &err) < 0) {
                printf("# %s\n", error_message(err));
                return 1;
        }
        if (!output_is(s, "1")) return 2;
        store_close(s);
        return refuses(f, STORE_CREATE, ERROR_DENIED, f->path) == 0 ? 0 : 3;
}

static int forbidden_body(struct fixture *f)
{
        return refuses(f, STORE_READ, ERROR_DENIED, "Permission denied");
}

/* The folder and files of the fixture, closed, with these modes. */
static void set_modes(const struct fixture *f, unsigned folder, unsigned file)
{
        chmod(f->path, file);
        chmod(f->store, folder);
}

static void test_rights(void)
{
        struct fixture f;
        fixture_init(&f);
        if (put_output(&f, "1", NULL) < 0) ok(false, "a value");
        store_close(steal(f.s));
        set_modes(&f, 0555, 0444);
        is_int(as_nobody(read_only_body, &f), 0, "a store and folder that cannot be written can be read");
        set_modes(&f, 0555, 0000);
        is_int(as_nobody(forbidden_body, &f), 0, "one that cannot be read is refused as denied");
        set_modes(&f, 0700, 0600);
        f.s = fixture_open(&f, STORE_CREATE);
        ok(output_is(f.s, "1"), "nothing happened to it");
        set_modes(&f, 0555, 0444);
        cleanup_free char *wal = mem_printf("%s-wal", f.path), *shm = mem_printf("%s-shm", f.path);
        if (put_output(&f, "1", NULL) < 0 || chmod(wal, 0444) < 0 || chmod(shm, 0444) < 0)
                ok(false, "a value");
        is_int(as_nobody(read_only_body, &f), 0, "nor when another process has it open");
        set_modes(&f, 0700, 0600);
        store_close(steal(f.s));

        f.s = fixture_open(&f, STORE_READ);
        fails(put_output(&f, "2", &err), ERROR_DENIED, "reading only",
            "a store opened to read takes no commit");
        struct lease lease;
        fails(store_lease_acquire(f.s, "staging", "x", 1, &lease, &err), ERROR_DENIED, "reading only",
            "nor a lease");
        fixture_release(&f);
}

/* ---- locks ---- */

static void test_locked(void)
{
        struct fixture f;
        fixture_init(&f);
        sqlite3 *db = NULL;
        if (sqlite3_open(f.path, &db) != SQLITE_OK ||
            sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
                ok(false, "a lock");
        fails(put_output(&f, "1", &err), ERROR_BUSY, "locked by another process",
            "a lock that is held on and on");
        ok(output_is(f.s, NULL), "does not hinder reading");
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        sqlite3_close(db);
        ok(put_output(&f, "1", NULL) == 0, "and is over when it is over");
        fixture_release(&f);
}

/* ---- damage ---- */

static void overwrite(const char *path, off_t at, const void *data, size_t len)
{
        int fd = open(path, O_WRONLY);
        if (fd < 0 || pwrite(fd, data, len, at) != (ssize_t)len) ok(false, "cannot damage %s", path);
        close(fd);
}

static int read_all(struct fixture *f, struct error **err)
{
        struct store *s = NULL;
        struct resource_row *rows = NULL;
        size_t count = 0;
        if (store_open(f->url, STORE_READ, &s, err) < 0) return -1;
        int result = store_resources(s, "staging", &rows, &count, err);
        resource_rows_free(rows, count);
        store_close(s);
        return result;
}

static void test_damage(void)
{
        struct fixture f;
        fixture_init(&f);
        struct resource_row row = fixture_resource("");
        for (int i = 0; i < 200; i++) {
                cleanup_free char *address = mem_printf("web[%d]", i);
                row.address = address;
                struct store_write w = {.kind = WRITE_RESOURCE, .resource = &row};
                if (store_commit(f.s, &f.lease, &w, 1, NULL) < 0) ok(false, "a resource");
        }
        store_close(steal(f.s));
        struct stat st;
        if (stat(f.path, &st) < 0) ok(false, "stat");
        char *junk = large_value(4096);
        for (off_t page = 4096 * 20; page < st.st_size; page += 4096) overwrite(f.path, page, junk, 4096);
        fails(read_all(&f, &err), ERROR_SYSTEM, "is damaged", "overwritten pages");
        overwrite(f.path, 100, junk, 3996);
        fails(read_all(&f, &err), ERROR_SYSTEM, f.path, "an overwritten schema names the file");
        if (truncate(f.path, 50) < 0) ok(false, "truncate");
        fails(read_all(&f, &err), ERROR_INPUT, "not a Tutti store", "half a header");
        free(junk);
        fixture_release(&f);
}

/* Opening must fail with `part` in both modes, and leave every byte as it was. */
static void untouched(const char *path, enum error_kind kind, const char *part, const char *name)
{
        struct stat before, after;
        struct fixture f = {.url = mem_printf("sqlite:%s", path), .path = (char *)path};
        cleanup_free char *copy = mem_printf("cp '%s' '%s.was'", path, path);
        cleanup_free char *compare = mem_printf("cmp '%s' '%s.was' && rm '%s.was'", path, path, path);
        if (system(copy) != 0 || stat(path, &before) < 0) ok(false, "copy");
        is_int(refuses(&f, STORE_CREATE, kind, part), 0, name);
        is_int(refuses(&f, STORE_READ, kind, part), 0, "… for reading too");
        ok(system(compare) == 0 && stat(path, &after) == 0 &&
                before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_mode == after.st_mode,
            "… and it is left as it was");
        free(f.url);
}

static void test_foreign(void)
{
        struct fixture f;
        fixture_init(&f);
        store_close(steal(f.s));
        cleanup_free char *text = mem_printf("%s/notes.txt", f.store),
                          *other = mem_printf("%s/other.db", f.store);
        cleanup_free char *make = mem_printf(
            "printf 'dear diary, this is long enough to be taken for a header of a database"
            " if nobody looks at it, which somebody should' > '%s'",
            text);
        if (system(make) != 0) ok(false, "a text");
        untouched(text, ERROR_INPUT, "not a Tutti store", "a text is refused");
        struct fixture g = {.path = other};
        fixture_sql(&g, "CREATE TABLE photo (id INTEGER)");
        untouched(other, ERROR_INPUT, "not a Tutti store", "another program's database is refused");
        fixture_sql(&f, "PRAGMA user_version = 99");
        untouched(f.path, ERROR_INPUT, "schema 99, this program knows up to", "a newer schema is refused");
        fixture_sql(&f, "PRAGMA user_version = 1; PRAGMA application_id = 7");
        untouched(f.path, ERROR_INPUT, "not a Tutti store", "another application's id is refused");
        struct fixture h = {.path = f.store, .url = mem_printf("sqlite:%s", f.store)};
        is_int(refuses(&h, STORE_CREATE, ERROR_INPUT, "not a Tutti store"), 0, "a folder is refused");
        free(h.url);
        fixture_release(&f);
}

/* A newer program migrated the store while ours had it in its WAL only: the header on disk is still the old one. */
static void test_newer_in_wal(void)
{
        struct fixture f;
        fixture_init(&f);
        sqlite3 *db = NULL;
        if (sqlite3_open(f.path, &db) != SQLITE_OK ||
            sqlite3_exec(db, "PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 99", NULL, NULL, NULL) !=
                SQLITE_OK)
                ok(false, "a newer version");
        is_int(
            refuses(&f, STORE_CREATE, ERROR_INPUT, "schema 99"), 0, "a newer schema is seen in the WAL, too");
        is_int(refuses(&f, STORE_READ, ERROR_INPUT, "schema 99"), 0, "… for reading too");
        sqlite3_close(db);
        fixture_release(&f);
}

/* ---- injected faults: in a program of its own, as they are read once per process ---- */

/* What the program does: five commits; the exit status is the number of those that failed as they should. */
static int commit_five(const char *folder)
{
        struct fixture f = {.url = mem_printf("sqlite:%s/.tutti/state.db", folder)};
        f.s = fixture_open(&f, STORE_CREATE);
        f.lease = (struct lease){.environment = (char *)"staging", .fence = 1};
        int failed = 0;
        for (int i = 1; i <= 5; i++) {
                char value[8], before[8];
                struct error *err = NULL;
                snprintf(value, sizeof value, "%d", i);
                snprintf(before, sizeof before, "%d", i - 1);
                if (put_output(&f, value, &err) == 0) continue;
                bool right = error_kind(err) == ERROR_SYSTEM &&
                             strstr(error_message(err), "injected") != NULL && output_is(f.s, before);
                failed += right ? 1 : 100;
                error_free(err);
        }
        store_close(f.s);
        free(f.url);
        return failed;
}

/* Runs it under a fault; gives what it left behind. */
static int commits_with(const char *self, const char *fault, int *status)
{
        struct fixture f;
        fixture_init(&f);
        store_close(steal(f.s));
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
                setenv("TUTTI_FAULT", fault, 1);
                execl(self, self, "five", f.folder, (char *)NULL);
                _exit(99);
        }
        waitpid(child, status, 0);
        f.s = fixture_open(&f, STORE_CREATE);
        char *outputs = NULL;
        size_t checked;
        if (store_outputs(f.s, "staging", &outputs, NULL) < 0 ||
            store_verify(f.s, "staging", &checked, NULL) < 0)
                ok(false, "the store holds after %s", fault);
        int value = outputs != NULL ? atoi(outputs) : 0;
        free(outputs);
        fixture_release(&f);
        return value;
}

static void test_injected(const char *self)
{
        int status;
        is_int(commits_with(self, "fail:3", &status), 5, "a commit that failed does not hinder the next");
        ok(WIFEXITED(status) && WEXITSTATUS(status) == 1, "one failed, saying so, with nothing written");
        is_int(commits_with(self, "kill:7", &status), 3, "killed before its fourth commit: three are there");
        ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it was killed");
}

/* Commits without end, and says so after each: what was said must be there after a kill at any moment. */
static void commit_on_and_on(const struct fixture *f, int out)
{
        struct fixture mine = *f;
        mine.s = fixture_open(f, STORE_CREATE);
        for (int i = 1;; i++) {
                char value[16];
                snprintf(value, sizeof value, "%d", i);
                struct resource_row row = fixture_resource(value);
                struct store_write writes[] = {{.kind = WRITE_OUTPUTS, .outputs = value},
                    {.kind = WRITE_RESOURCE, .action = "create", .resource = &row},
                    {.kind = WRITE_EVENT, .event = {"n", NULL}}};
                if (store_commit(mine.s, &mine.lease, writes, 3, NULL) < 0) _exit(1);
                if (write(out, &i, sizeof i) != sizeof i) _exit(0);
        }
}

/* One life of a writer that is killed after some milliseconds. True when the store holds exactly what it should. */
static bool survives_kill(int milliseconds)
{
        struct fixture f;
        fixture_init(&f);
        store_close(steal(f.s));
        int pipes[2], said = 0, i;
        if (pipe(pipes) < 0) abort();
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
                close(pipes[0]);
                commit_on_and_on(&f, pipes[1]);
        }
        close(pipes[1]);
        usleep((useconds_t)milliseconds * 1000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(pipes[0], &i, sizeof i) == sizeof i) said = i;
        close(pipes[0]);

        f.s = fixture_open(&f, STORE_CREATE);
        char *outputs = NULL;
        struct resource_row *rows = NULL;
        size_t checked = 0, count = 0;
        bool read = store_outputs(f.s, "staging", &outputs, NULL) == 0 &&
                    store_verify(f.s, "staging", &checked, NULL) == 0 &&
                    store_resources(f.s, "staging", &rows, &count, NULL) == 0;
        int kept = outputs != NULL ? atoi(outputs) : 0;
        /* The kill may come between a commit and its word. */
        bool holds = read && (kept == said || kept == said + 1) && (int)checked == 2 * kept &&
                     (int)count == kept;
        if (!holds) printf("# said %d, kept %d, %zu events, %zu resources\n", said, kept, checked, count);
        free(outputs);
        resource_rows_free(rows, count);
        fixture_release(&f);
        return holds;
}

static void test_killed_anywhere(void)
{
        enum { LIVES = 30 };
        int survived = 0;
        for (int life = 0; life < LIVES; life++) survived += survives_kill(3 + life * 2);
        is_int(survived, LIVES,
            "a writer killed at any moment leaves all it said it wrote, and nothing in part");
}

int main(int argc, char **argv)
{
        if (argc == 3 && strcmp(argv[1], "five") == 0) return commit_five(argv[2]);
        test_file_limit();
        test_full_disk();
        test_rights();
        test_locked();
        test_damage();
        test_foreign();
        test_newer_in_wal();
        test_injected(argv[0]);
        test_killed_anywhere();
        return done();
}
