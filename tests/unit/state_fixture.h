/*
 * What the tests of the store share: a folder of their own, a store in it with a leased environment, and rows.
 */
#ifndef TUTTI_TESTS_UNIT_STATE_FIXTURE_H
#define TUTTI_TESTS_UNIT_STATE_FIXTURE_H

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "state/store.h"
#include "tap.h"

struct fixture {
        char folder[64];  /* a fresh one, readable by all */
        char *store;      /* folder/.tutti */
        char *path, *url; /* the database */
        struct store *s;
        struct lease lease; /* of environment "staging" */
};

__attribute__((unused)) static void fixture_fail(const char *what, struct error *err)
{
        printf("Bail out! %s: %s\n", what, error_message(err));
        exit(1);
}

__attribute__((unused)) static struct store *fixture_open(const struct fixture *f, enum store_mode mode)
{
        struct store *s = NULL;
        struct error *err = NULL;
        if (store_open(f->url, mode, &s, &err) < 0) fixture_fail("store_open", err);
        return s;
}

__attribute__((unused)) static void fixture_init(struct fixture *f)
{
        memset(f, 0, sizeof *f);
        strcpy(f->folder, "/tmp/tutti-state-XXXXXX");
        if (mkdtemp(f->folder) == NULL || chmod(f->folder, 0755) < 0) abort();
        f->store = mem_printf("%s/.tutti", f->folder);
        f->path = mem_printf("%s/state.db", f->store);
        f->url = mem_printf("sqlite:%s", f->path);
        f->s = fixture_open(f, STORE_CREATE);
        struct environment_row row;
        struct error *err = NULL;
        if (store_environment(f->s, "staging", true, &row, &err) < 0) fixture_fail("store_environment", err);
        environment_row_release(&row);
        if (store_lease_acquire(f->s, "staging", "ann on build1 (pid 17)", 60000, &f->lease, &err) < 0)
                fixture_fail("store_lease_acquire", err);
}

__attribute__((unused)) static void fixture_release(struct fixture *f)
{
        store_close(f->s);
        lease_release_memory(&f->lease);
        cleanup_free char *command = mem_printf("rm -rf '%s'", f->folder);
        if (system(command) != 0) printf("# cannot remove %s\n", f->folder);
        free(f->store);
        free(f->path);
        free(f->url);
}

/* Commits under the fixture's lease and says in TAP whether that worked. */
#define commit_ok(f, name, ...)                                                               \
        do {                                                                                  \
                const struct store_write writes_[] = {__VA_ARGS__};                           \
                struct error *err_ = NULL;                                                    \
                int rc_ = store_commit(                                                       \
                    (f)->s, &(f)->lease, writes_, sizeof writes_ / sizeof writes_[0], &err_); \
                ok(rc_ == 0, "%s", name);                                                     \
                if (rc_ < 0) printf("# %s\n", error_message(err_));                           \
                error_free(err_);                                                             \
        } while (0)

/* The call fails with this kind, and its message holds `part`. */
#define fails(call, want, part, name)                                                                       \
        do {                                                                                                \
                struct error *err = NULL;                                                                   \
                bool failed_ = (call) < 0 && err != NULL;                                                   \
                ok(failed_ &&error_kind(err) == (want) && strstr(error_message(err), (part)) != NULL, "%s", \
                    name);                                                                                  \
                printf("# %s: %s\n", failed_ ? error_kind_name(error_kind(err)) : "no error",               \
                    error_message(err));                                                                    \
                error_free(err);                                                                            \
        } while (0)

__attribute__((unused)) static struct resource_row fixture_resource(const char *address)
{
        return (struct resource_row){
            .address = (char *)address,
            .deposed = (char *)"",
            .type = (char *)"sandbox_server",
            .provider = (char *)"sandbox",
            .id = (char *)"srv-1",
            .properties = (char *)"{\"size\":\"small\"}",
            .outputs = (char *)"{\"ip\":\"10.0.0.4\"}",
            .token = (char *)"tok-1",
            .created_ms = 1000,
            .updated_ms = 2000,
        };
}

__attribute__((unused)) static struct run_row fixture_run(const char *id)
{
        return (struct run_row){
            .id = (char *)id,
            .kind = (char *)"apply",
            .status = (char *)"running",
            .requester = (char *)"ann",
            .digest = (char *)"sha256:abc",
            .plan = (char *)"{\"steps\":[]}",
            .started_ms = 1000,
        };
}

/* Runs SQL on the database behind the store's back. */
__attribute__((unused)) static void fixture_sql(const struct fixture *f, const char *sql)
{
        sqlite3 *db = NULL;
        char *message = NULL;
        if (sqlite3_open(f->path, &db) != SQLITE_OK ||
            sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
                printf("Bail out! %s: %s\n", sql, message != NULL ? message : sqlite3_errmsg(db));
                exit(1);
        }
        sqlite3_close(db);
}

/* The number that a query answers with. */
__attribute__((unused)) static int64_t fixture_number(const struct fixture *f, const char *sql)
{
        sqlite3 *db = NULL;
        sqlite3_stmt *st = NULL;
        if (sqlite3_open(f->path, &db) != SQLITE_OK ||
            sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW) {
                printf("Bail out! %s: %s\n", sql, sqlite3_errmsg(db));
                exit(1);
        }
        int64_t number = sqlite3_column_int64(st, 0);
        sqlite3_finalize(st);
        sqlite3_close(db);
        return number;
}

__attribute__((unused)) static struct answer_row fixture_answer(const char *gate, const char *by)
{
        return (struct answer_row){.run = (char *)"r1",
            .gate = (char *)gate,
            .answer = (char *)"approved",
            .by = (char *)by,
            .comment = (char *)"looks \"good\"",
            .user = (char *)"root",
            .digest = (char *)"00ff",
            .proposal = (char *)"abcd",
            .opened_ms = 50};
}

#endif
